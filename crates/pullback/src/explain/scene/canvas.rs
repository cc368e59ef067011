//! A scene under construction: shapes with names in the language of a catalog.

use super::room::Area;
use super::{Anchor, Figure, Role, Shape, Size};
use crate::explain::Catalog;
use crate::explain::steps::{Moment, Pass, Place, Step, Steps, When};
use crate::report::number::significant;

/// The significant digits of numbers in drawings.
pub(super) const DIGITS: usize = 4;
/// A number that a step makes is seen from this part of the step on, when what it is made of has arrived.
pub(super) const MADE: f64 = 0.55;

pub(super) struct Canvas<'a> {
    pub(super) steps: &'a Steps,
    pub(super) step: Option<&'a Step>,
    pub(super) moment: Moment<'a>,
    pub(super) size: Size,
    pub(super) catalog: &'a Catalog,
    /// At the end of all steps: the cost with the new weights.
    pub(super) cost_after: Option<f64>,
    pub(super) shapes: Vec<Shape>,
    /// Where something stands at this step or at another one: what is placed around it stays where it is from step to
    /// step.
    pub(super) taken: Vec<Area>,
}

/// A number that is written on a shape.
pub(super) struct Written {
    pub(super) id: String,
    pub(super) role: Role,
    /// The key of its sentence, which has a `name` and a `value`.
    pub(super) key: &'static str,
    /// What it is called.
    pub(super) label: String,
    pub(super) number: f64,
    /// What is written, if not the number alone.
    pub(super) text: Option<String>,
    pub(super) at: [f64; 2],
    pub(super) anchor: Anchor,
    pub(super) height: f64,
    /// The pass that makes it.
    pub(super) pass: Option<Pass>,
}

impl Written {
    /// The room that it takes.
    pub(super) fn area(&self, canvas: &Canvas<'_>) -> Area {
        let number = || canvas.number(self.number);
        let text = self.text.clone().unwrap_or_else(number);
        Area::of_text(self.at, self.anchor, self.height, &text)
    }
}

impl<'a> Canvas<'a> {
    pub(super) fn new(steps: &'a Steps, step: Option<&'a Step>, size: Size, catalog: &'a Catalog) -> Self {
        let cost_after = if step.is_none() { steps.cost_after().ok().flatten() } else { None };
        Self {
            steps,
            step,
            moment: steps.moment(step),
            size,
            catalog,
            cost_after,
            shapes: Vec::new(),
            taken: Vec::new(),
        }
    }

    pub(super) fn number(&self, x: f64) -> String {
        significant(x, DIGITS)
    }

    /// A number in at most so many columns, of which there are at least seven: with fewer digits if it needs more.
    pub(super) fn compact(&self, x: f64, columns: usize) -> String {
        let fits = |text: &String| text.len() <= columns;
        let shown = (2..=DIGITS).rev().map(|digits| significant(x, digits)).find(fits);
        shown.unwrap_or_else(|| format!("{x:.1e}"))
    }

    pub(super) fn say(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        self.catalog.say(key, values)
    }

    /// The example whose numbers are drawn.
    pub(super) fn example(&self) -> usize {
        self.step.and_then(|step| step.example).unwrap_or(0)
    }

    /// Adds a shape without a number.
    pub(super) fn shape(&mut self, id: String, role: Role, name: String, figure: Figure) -> &mut Shape {
        if !matches!(figure, Figure::Text { .. }) {
            self.taken.extend(Area::of(&figure, ""));
        }
        self.shapes.push(Shape {
            id,
            role,
            name,
            figure: rounded(figure),
            text: String::new(),
            number: None,
            pass: None,
            strength: None,
            is_active: false,
            during: [0.0, 1.0],
        });
        self.shapes.last_mut().expect("it was added")
    }

    /// Adds what something is called.
    pub(super) fn caption(&mut self, id: String, text: String, name: String, at: [f64; 2], height: f64) {
        let figure = Figure::Text { x: at[0], y: at[1], anchor: Anchor::Middle, size: height };
        self.taken.push(Area::of_text(at, Anchor::Middle, height, &text));
        self.shape(id, Role::Caption, name, figure).text = text;
    }

    /// Writes a number that is known at this step; keeps its room free at any other.
    pub(super) fn write(&mut self, when: When, written: Written) {
        self.taken.push(written.area(self));
        if !when.is_known() {
            return;
        }
        let number = self.number(written.number);
        let name = self.say(written.key, &[("name", &written.label), ("value", &number)]);
        let [x, y] = written.at;
        let figure = Figure::Text { x, y, anchor: written.anchor, size: written.height };
        let shape = self.shape(written.id, written.role, name, figure);
        shape.text = written.text.unwrap_or(number);
        shape.number = Some(written.number);
        shape.pass = written.pass.filter(|_| when != When::Given);
        if when == When::Now {
            shape.is_active = true;
            shape.during[0] = MADE;
        }
    }

    /// A number on its way from a point to another.
    pub(super) fn travel(&mut self, id: String, x: f64, name: String, way: [[f64; 2]; 2], during: [f64; 2]) {
        let text = self.number(x);
        let pass = self.step.map(|step| step.pass);
        let shape = self.shape(id, Role::Traveler, name, Figure::Way { from: way[0], to: way[1] });
        shape.text = text;
        shape.number = Some(x);
        shape.pass = pass;
        shape.is_active = true;
        shape.during = during;
    }

    /// When a number of the graph is made.
    pub(super) fn when(&self, place: Place) -> When {
        self.moment.of(place)
    }

    /// The sentence of the end.
    pub(super) fn end(&self) -> String {
        if let (Some((_, trace)), Some(after)) = (self.steps.network(), self.cost_after) {
            let before = trace.cost();
            let (shown, shown_after) = (self.number(before), self.number(after));
            // A cost that was least before cannot fall, and one that was not finite tells nothing of the step.
            let is_worse = before.is_finite() && (after > before || after.is_nan()) && shown != shown_after;
            let key = if is_worse { "scene.end_worse" } else { "scene.end" };
            return self.say(key, &[("before", &shown), ("after", &shown_after)]);
        }
        let Some(circuit) = self.steps.formula() else { return String::new() };
        if let Some(gate) = circuit.first_not_finite() {
            return self.say("not_finite", &[("operation", &gate.formula)]);
        }
        let f = &circuit.output_name;
        let derivatives = circuit.variables.iter().take(6);
        let mut list: Vec<String> = derivatives
            .map(|(name, node)| format!("d{f}/d{name} = {}", self.number(circuit.derivative(*node))))
            .collect();
        if circuit.variables.len() > list.len() {
            list.push("...".into());
        }
        self.say("scene.end_formula", &[("list", &list.join(", "))])
    }
}

/// A tenth of a unit is finer than anybody sees.
fn rounded(figure: Figure) -> Figure {
    let near = |x: f64| (x * 10.0).round() / 10.0;
    let point = |[x, y]: [f64; 2]| [near(x), near(y)];
    match figure {
        Figure::Circle { x, y, r } => Figure::Circle { x: near(x), y: near(y), r: near(r) },
        Figure::Box { x, y, width, height } => {
            Figure::Box { x: near(x), y: near(y), width: near(width), height: near(height) }
        }
        Figure::Line { from, to } => Figure::Line { from: point(from), to: point(to) },
        Figure::Text { x, y, anchor, size } => {
            Figure::Text { x: near(x), y: near(y), anchor, size: near(size) }
        }
        Figure::Pixels { x, y, width, height, columns, levels } => Figure::Pixels {
            x: near(x),
            y: near(y),
            width: near(width),
            height: near(height),
            columns,
            levels,
        },
        Figure::Way { from, to } => Figure::Way { from: point(from), to: point(to) },
    }
}
