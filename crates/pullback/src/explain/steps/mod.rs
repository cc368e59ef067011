//! Every addition and multiplication of one update, in order: forwards, cost, backwards, update.
//!
//! The steps are read off the graph that the trainer runs: which numbers are added up for a result is said by the
//! operation itself ([`Op::sums`](crate::graph::Op::sums)), and where a number that was only moved came from is found by
//! moving numbered elements. [`Steps::replay`] computes everything again from the steps alone; the bits are the graph's.
//!
//! There are levels: a pass, a layer in it, an example of a batch, a unit, a term.
//!
//! ```
//! use pullback::explain::{Catalog, Level, Steps, examples};
//!
//! let mazur = examples::find("mazur").expect("an example")?.worked;
//! let steps = Steps::of(&mazur)?;
//! assert_eq!(steps.at(Level::Pass).len(), 4);
//! let first = &steps.at(Level::Term)[0];
//! let said = steps.describe(first, &Catalog::english());
//! assert_eq!(said.formula, "net_h1 = w1 * i1");
//! # Ok::<(), pullback::Error>(())
//! ```

mod moment;
mod page;
mod program;
mod sentence;
mod terms;
mod words;

pub(in crate::explain) use moment::{Moment, When};
pub(in crate::explain) use program::groups;
pub use terms::{Action, Place, Term};
pub(super) use terms::{Moves, is_move};
pub use words::Said;

use super::expression::Circuit;
use super::labels::Labels;
use super::worked::{NetworkExample, Subject, WorkedExample};
use super::{Notation, Trace};
use crate::error::Result;
use crate::graph::{Graph, NodeId};
use program::Stage;

/// How closely one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Forwards, cost, backwards, update.
    Pass,
    /// A layer in a pass; of a formula, a gate.
    Layer,
    /// One example of a batch.
    Example,
    /// One unit.
    Unit,
    /// One addition or multiplication.
    Term,
}

/// A part of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// From the inputs to what is predicted.
    Forward,
    /// From what is predicted to the cost.
    Cost,
    /// From the cost to the gradients.
    Backward,
    /// From the gradients to the new weights.
    Update,
}

/// What a layer's step makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Makes {
    /// Weighted sums, activations, the cost.
    Values,
    /// Derivatives of the cost with respect to them.
    Deltas,
    /// Derivatives of the cost with respect to weights and biases.
    Gradients,
    /// New weights and biases.
    Weights,
}

/// A step, at any level.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// How closely it looks.
    pub level: Level,
    /// The pass that it is in.
    pub pass: Pass,
    /// What it makes.
    pub makes: Makes,
    /// The layer, counted from 1; activations belong to the layer before them.
    pub layer: Option<usize>,
    /// The example, counted from 0, where the step is of one of several.
    pub example: Option<usize>,
    /// The unit, counted from 0.
    pub unit: Option<usize>,
    /// Of a formula, the gate, counted from 0.
    pub gate: Option<usize>,
    /// The multiply-adds in it, as `explain` and `compare` count them; those of an update are not counted. Of a
    /// convolution, passes and layers also count the products with the zeros around an image, which are no terms.
    pub multiply_adds: u64,
    /// What is done, at the level of terms.
    pub term: Option<Term>,
    /// The stages that it is a part of, and where its terms begin and end in the first.
    stages: (usize, usize),
    terms: (usize, usize),
}

impl Step {
    /// Where it begins: its first stage, and its first term in that. Steps of all levels are in this order.
    pub fn start(&self) -> [usize; 2] {
        [self.stages.0, self.terms.0]
    }
}

/// The significant digits of numbers in words.
const DIGITS: usize = 6;

/// The steps of one update, or of a formula.
#[derive(Debug)]
pub struct Steps {
    graph: Graph,
    values: Vec<Vec<f64>>,
    rows: usize,
    moves: Moves,
    stages: Vec<Stage>,
    labels: Labels,
    update: Option<Update>,
    circuit: Option<Circuit>,
    digits: usize,
}

/// What the last pass does.
#[derive(Debug)]
struct Update {
    example: NetworkExample,
    trace: Trace,
    /// The gradients that the optimizer is given, and the parameters after the step, by parameter.
    gradients: Vec<Vec<f64>>,
    new: Vec<Vec<f64>>,
}

impl Steps {
    /// The steps of an example.
    ///
    /// # Errors
    /// If its network contradicts itself.
    pub fn of(worked: &WorkedExample) -> Result<Self> {
        match &worked.subject {
            Subject::Network(example) => Self::of_network(example, worked.notation),
            Subject::Expression(expression) => Ok(Self::of_circuit(&expression.circuit()?)),
        }
    }

    /// The same, with so many significant digits in words; 6 where nothing is said.
    #[must_use]
    pub fn with_digits(self, digits: usize) -> Self {
        Self { digits, ..self }
    }

    /// All steps of a level, in order.
    pub fn at(&self, level: Level) -> Vec<Step> {
        let passes = self.passes();
        let mut steps = passes;
        for closer in [Level::Layer, Level::Example, Level::Unit, Level::Term] {
            if closer <= level {
                steps = steps.iter().flat_map(|step| self.inside_at(step, closer)).collect();
            }
        }
        steps
    }

    /// The steps that one consists of, at the next level that there is; none of a term.
    pub fn inside(&self, step: &Step) -> Vec<Step> {
        for level in [Level::Layer, Level::Example, Level::Unit, Level::Term] {
            if level > step.level {
                let inside = self.inside_at(step, level);
                if !matches!(&inside[..], [only] if only.level == step.level) {
                    return inside;
                }
            }
        }
        Vec::new()
    }

    fn passes(&self) -> Vec<Step> {
        let mut passes: Vec<Step> = Vec::new();
        for (at, stage) in self.stages.iter().enumerate() {
            match passes.last_mut() {
                Some(last) if last.pass == stage.pass => {
                    last.stages.1 = at + 1;
                    last.multiply_adds += stage.multiply_adds;
                }
                _ => passes.push(Step { level: Level::Pass, layer: None, gate: None, ..self.of_stage(at) }),
            }
        }
        passes
    }

    fn of_stage(&self, at: usize) -> Step {
        let stage = &self.stages[at];
        Step {
            level: Level::Layer,
            pass: stage.pass,
            makes: stage.makes,
            layer: stage.layer,
            example: None,
            unit: None,
            gate: stage.gate,
            multiply_adds: stage.multiply_adds,
            term: None,
            stages: (at, at + 1),
            terms: (0, usize::MAX),
        }
    }

    /// A step's parts at a level; the step itself where it has none at that level.
    fn inside_at(&self, step: &Step, level: Level) -> Vec<Step> {
        if level == Level::Layer {
            return (step.stages.0..step.stages.1).map(|at| self.of_stage(at)).collect();
        }
        let terms = self.terms_of(step.stages.0);
        let end = step.terms.1.min(terms.len());
        let mut parts: Vec<Step> = Vec::new();
        for (at, term) in terms.iter().enumerate().take(end).skip(step.terms.0) {
            let key = (term.example, term.unit);
            let is_same = |last: &Step| match level {
                Level::Example => last.example == key.0,
                Level::Unit => (last.example, last.unit) == key,
                _ => false,
            };
            match parts.last_mut() {
                Some(last) if is_same(last) => {
                    last.terms.1 = at + 1;
                    last.multiply_adds += term.multiply_adds;
                }
                _ => parts.push(Step {
                    level,
                    example: key.0,
                    unit: if level == Level::Example { None } else { key.1 },
                    multiply_adds: term.multiply_adds,
                    term: (level == Level::Term).then(|| term.clone()),
                    terms: (at, at + 1),
                    ..step.clone()
                }),
            }
        }
        // Without several examples there is nothing to see at their level; a gate is all of one unit.
        match &parts[..] {
            [only]
                if only.example.is_none()
                    && (level == Level::Example || level == Level::Unit && step.gate.is_some()) =>
            {
                vec![step.clone()]
            }
            _ => parts,
        }
    }

    /// The network with its numbers, and its passes; absent for a formula.
    pub fn network(&self) -> Option<(&NetworkExample, &Trace)> {
        self.update.as_ref().map(|update| (&update.example, &update.trace))
    }

    /// The formula; absent for a network.
    pub(in crate::explain) fn formula(&self) -> Option<&Circuit> {
        self.circuit.as_ref()
    }

    /// The cost after the step; absent for a formula.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub fn cost_after(&self) -> Result<Option<f64>> {
        let Some(update) = &self.update else { return Ok(None) };
        let after = NetworkExample { parameters: update.new.clone(), ..update.example.clone() };
        Ok(Some(after.trace()?.cost()))
    }

    /// The graph that the steps are read off.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The numbers of a node.
    pub fn value(&self, node: NodeId) -> &[f64] {
        &self.values[node.index()]
    }

    /// The number of examples.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The parameters after the step, as far as they are changed, and their places.
    pub fn new_parameters(&self) -> &[Vec<f64>] {
        self.update.as_ref().map_or(&[], |update| &update.new)
    }
}
