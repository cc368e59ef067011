//! What is drawn of a step: shapes with roles, names and numbers, and nothing of how they look.
//!
//! A scene is a value that a drawing, an animation and a page are made of alike. A shape keeps its id from step to
//! step, so that what changes can be told. Networks of more than six layers are drawn by their first and last units and
//! a spine for each layer between.
//!
//! ```
//! use pullback::explain::{Catalog, Level, Role, Size, Steps, examples, scene};
//!
//! let steps = Steps::of(&examples::find("mazur").expect("an example")?.worked)?.with_digits(4);
//! let first = &steps.at(Level::Unit)[0];
//! let drawn = scene(&steps, Some(first), Size::default(), &Catalog::english());
//! let unit = drawn.shapes.iter().find(|shape| shape.id == "activation.1.0").expect("it is known now");
//! assert_eq!((unit.role, unit.text.as_str()), (Role::Activation, "0.5933"));
//! assert_eq!(unit.name, "The activation out_h1 is 0.5933.");
//! # Ok::<(), pullback::Error>(())
//! ```

mod canvas;
mod circuit;
mod columns;
mod connect;
mod network;
mod room;

use super::steps::{Step, Steps};
use super::{Catalog, Pass};
use crate::compact::sort_by_key;
use crate::report::names::put_in_a_line;
use canvas::Canvas;
use serde::Serialize;

/// The most units of a layer that are drawn.
pub const MOST_UNITS: usize = 8;
/// The most gates of a formula that is drawn as a whole; of a longer one, it is the part around the step.
pub const MOST_GATES: usize = 60;

/// The smallest height of a text in a drawing of a [readable](Size::readable) size. As many pixels of a screen can be
/// read.
pub const READABLE: f64 = 11.0;

/// The size of a drawing, in units of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Size {
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

impl Default for Size {
    /// Large enough for a network of 2-2-2 with all its numbers.
    fn default() -> Self {
        Self { width: 800.0, height: 430.0 }
    }
}

impl Size {
    /// Large enough for the numbers of an example: of more than two units in a layer it is higher.
    pub fn fitting(steps: &Steps) -> Self {
        const OF_A_UNIT: f64 = 80.0;
        let own = Self::default();
        let Some((example, trace)) = steps.network() else { return own };
        let more = columns::most_units(example, trace).saturating_sub(2);
        Self { height: own.height + OF_A_UNIT * more as f64, ..own }
    }

    /// As wide as there is room, but never so small that a text is lower than [`READABLE`]: what is wider than a screen
    /// is moved under it. Of a long formula, each step has a size of its own.
    pub fn readable(steps: &Steps, step: Option<&Step>, room: f64) -> Self {
        let least = match (steps.network(), steps.formula()) {
            (Some((example, trace)), _) => columns::least(example, trace),
            (None, Some(formula)) => circuit::least(formula, step),
            (None, None) => return Self::fitting(steps),
        };
        let width = room.max(least.width);
        let fitting = Self::fitting(steps);
        // Of a narrow drawing, the height would be empty.
        let spare = (fitting.width - width).max(0.0) * 0.25;
        Self { width, height: (fitting.height - spare).max(least.height) }
    }
}

/// What a shape stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What carries numbers from one column to the next, without weights.
    Flow,
    /// A weight's way from a unit to another.
    Edge,
    /// An input number.
    Input,
    /// A unit.
    Unit,
    /// A layer of a deep network, as a line: from 0 for the smallest delta to 1 for the largest, by their logarithms.
    Spine,
    /// A layer that has neither units nor pictures.
    Layer,
    /// An image: an input, or what a layer makes of it.
    Picture,
    /// The weights of a filter.
    Filter,
    /// The cost.
    Cost,
    /// A variable of a formula.
    Variable,
    /// An operation of a formula.
    Gate,
    /// What something is called.
    Caption,
    /// How many units are not drawn.
    More,
    /// The number of a weighted sum.
    Sum,
    /// The number of an activation.
    Activation,
    /// What the network predicts, where that is more than an activation.
    Prediction,
    /// The number that an output should be.
    Target,
    /// The number of a bias.
    Bias,
    /// The number of a weight.
    Weight,
    /// The derivative of the cost with respect to a weight.
    Gradient,
    /// The derivative of the cost with respect to a weighted sum.
    Delta,
    /// The value of a cost, of a variable or of a gate.
    Value,
    /// The derivative of a formula's result with respect to a variable or gate, or a part of it.
    Derivative,
    /// A number on its way.
    Traveler,
}

impl Role {
    /// Its name in lower case: `unit`.
    pub fn name(self) -> String {
        format!("{self:?}").to_ascii_lowercase()
    }
}

/// Where a shape stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Figure {
    /// A circle around a point.
    Circle {
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
        /// The radius.
        r: f64,
    },
    /// A rectangle, from its upper left corner.
    Box {
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
        /// To the right.
        width: f64,
        /// Downwards.
        height: f64,
    },
    /// A line between two points.
    Line {
        /// The first point.
        from: [f64; 2],
        /// The second point.
        to: [f64; 2],
    },
    /// A line of text on its baseline.
    Text {
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
        /// Which point of the text that is.
        anchor: Anchor,
        /// The height of its letters, in the same units.
        size: f64,
    },
    /// An image of squares, row by row, each from -1 to 1; the largest size of all numbers is 1.
    Pixels {
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
        /// To the right.
        width: f64,
        /// Downwards.
        height: f64,
        /// The squares in a row.
        columns: usize,
        /// Each square.
        levels: Vec<f32>,
    },
    /// A number that goes from a point to another while the step lasts.
    Way {
        /// Where it begins.
        from: [f64; 2],
        /// Where it ends.
        to: [f64; 2],
    },
}

/// Which point of a text is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// Where it begins.
    Start,
    /// Its middle.
    Middle,
    /// Where it ends.
    End,
}

/// A thing that is drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shape {
    /// The same at every step: `edge.2.0.1` leads to unit 0 of layer 2 from unit 1.
    pub id: String,
    /// What it stands for.
    pub role: Role,
    /// What it is and says, in one sentence.
    pub name: String,
    /// Where it stands.
    pub figure: Figure,
    /// What is written on it; empty for a shape without text.
    pub text: String,
    /// The number that is written on it, in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
    /// The pass that made its number; absent for what is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
    /// From -1 to 1: its size beside others of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// Whether the step works on it.
    pub is_active: bool,
    /// The part of the step in which it is seen, from 0 to 1.
    pub during: [f64; 2],
}

/// What is drawn of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scene {
    /// How large it is.
    pub size: Size,
    /// What the picture shows, in one sentence.
    pub name: String,
    /// What the step computes, a line each: `net_h1 = 0.15 * 0.05 + 0.2 * 0.1 + 0.35 = 0.3775`.
    pub formulas: Vec<String>,
    /// The step in one sentence.
    pub sentence: String,
    /// The shapes, those behind first.
    pub shapes: Vec<Shape>,
}

/// What is drawn of a step; without one, of the end, when all steps are done.
pub fn scene(steps: &Steps, step: Option<&Step>, size: Size, catalog: &Catalog) -> Scene {
    let mut canvas = Canvas::new(steps, step, size, catalog);
    let name = match (steps.network(), steps.formula()) {
        (Some((example, trace)), _) => {
            network::draw(&mut canvas, example, trace);
            let filters = trace.images().iter().filter(|images| images.filters.is_some()).count();
            let layers = trace.dense().len() + filters;
            catalog.say("scene.network", &[("inputs", &example.network.inputs), ("layers", &layers)])
        }
        (None, Some(formula)) => {
            let output = &formula.output_name;
            match circuit::draw(&mut canvas, formula) {
                0 => catalog.say("scene.formula", &[("output", output)]),
                left_out => catalog.say("scene.formula_part", &[("output", output), ("count", &left_out)]),
            }
        }
        (None, None) => String::new(),
    };
    let (formulas, sentence) = match step {
        Some(step) => {
            let said = steps.describe(step, catalog);
            (lines(&said.formula, &said.numbers), said.sentence)
        }
        None => (Vec::new(), canvas.end()),
    };
    let mut shapes = canvas.shapes;
    sort_by_key(&mut shapes, |shape| shape.role);
    let mut scene = Scene { size, name, formulas, sentence, shapes };
    let texts = scene.shapes.iter_mut().flat_map(|shape| [&mut shape.name, &mut shape.text]);
    texts.chain(&mut scene.formulas).chain([&mut scene.name, &mut scene.sentence]).for_each(put_in_a_line);
    scene
}

/// Names on the left, numbers on the right: `net_h1 = w1 * i1` and `0.15 * 0.05 = 0.0075` as one line.
fn lines(formula: &str, numbers: &str) -> Vec<String> {
    let both = formula.split("; ").zip(numbers.split("; "));
    // Where a number is only passed on, there is nothing to compute.
    let is_computed =
        |right: &str| right.split_once(" = ").is_none_or(|(of, is)| of.trim_matches(['(', ')']) != is);
    both.filter(|(left, right)| !left.is_empty() && !right.is_empty() && is_computed(right))
        .map(|(left, right)| {
            let so_far = ["+=", "*=", "/="].iter().find_map(|sign| left.split_once(&format!(" {sign} ")));
            let (made, sign) = match (assigned(left), so_far) {
                (_, Some((made, _))) => (made, "so far"),
                (Some(made), None) => (made, "="),
                (None, None) => (left, "="),
            };
            match sign {
                "=" => format!("{made} = {right}"),
                // A sum so far, which is not yet what its name says.
                _ => format!("{made}: {right}"),
            }
        })
        .collect()
}

/// What stands before the sign of equality, if that is not one of a condition: in `(1 if x = y, else 0)` it is.
fn assigned(formula: &str) -> Option<&str> {
    let (made, _) = formula.split_once(" = ")?;
    let is_condition = made.matches('(').count() > made.matches(')').count() || made.contains(" if ");
    (!is_condition).then_some(made)
}
