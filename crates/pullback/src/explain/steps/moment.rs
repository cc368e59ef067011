//! Which numbers are known at a step.

use super::terms::Place;
use super::{Pass, Step, Steps};
use crate::compact::Map;
use crate::graph::Kind;

/// When a number is made, seen from a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::explain) enum When {
    /// It is given.
    Given,
    /// Before the step.
    Before,
    /// In the step.
    Now,
    /// After the step.
    Later,
}

impl When {
    /// Whether the number is known when the step has been done.
    pub(in crate::explain) fn is_known(self) -> bool {
        self != Self::Later
    }
}

/// A step among all, or the end of them.
#[derive(Debug)]
pub(in crate::explain) struct Moment<'a> {
    steps: &'a Steps,
    /// The stages at work.
    stages: (usize, usize),
    /// The stage of each node.
    stage_of: Vec<Option<usize>>,
    /// Of a step that is a part of a stage: when each result of the stage is made.
    inside: Option<Map<Place, When>>,
}

impl Steps {
    /// What is known at a step; at the end of all without one.
    pub(in crate::explain) fn moment(&self, step: Option<&Step>) -> Moment<'_> {
        let end = self.stages.len();
        let stages = step.map_or((end, end), |step| step.stages);
        let mut stage_of = vec![None; self.graph.nodes().len()];
        for (at, stage) in self.stages.iter().enumerate() {
            stage.nodes.iter().for_each(|node| stage_of[node.index()] = Some(at));
        }
        let inside = step.filter(|step| step.terms.1 != usize::MAX).map(|step| {
            let terms = self.terms_of(step.stages.0);
            let mut inside = Map::new();
            for (at, term) in terms.iter().enumerate() {
                let when = match at {
                    at if at < step.terms.0 => When::Before,
                    at if at < step.terms.1 => When::Now,
                    _ => When::Later,
                };
                // The last term of a result makes it; one of a row makes several.
                for element in 0..term.count.max(1) {
                    let place = Place { node: term.result.node, element: term.result.element + element };
                    inside.insert(place, when);
                }
            }
            inside
        });
        Moment { steps: self, stages, stage_of, inside }
    }
}

impl Moment<'_> {
    /// When a number of the graph is made.
    pub(in crate::explain) fn of(&self, place: Place) -> When {
        let steps = self.steps;
        let place = steps.moves.resolve(place).unwrap_or(place);
        match self.stage_of[place.node.index()] {
            Some(stage) => self.of_stage(stage, place),
            // What only people look at is made with what it is made of.
            None => match &steps.graph.node(place.node).kind {
                Kind::Operation(_, inputs) => {
                    let first = |input: &crate::graph::NodeId| self.of(Place { node: *input, element: 0 });
                    inputs.iter().map(first).max().unwrap_or(When::Given)
                }
                _ => When::Given,
            },
        }
    }

    /// When a number of a parameter gets its new value; absent where a step leaves it as it is.
    pub(in crate::explain) fn of_change(&self, parameter: usize, place: Place) -> Option<When> {
        let own = |stage: &super::program::Stage| {
            stage.pass == Pass::Update && stage.parameters.contains(&parameter)
        };
        Some(self.of_stage(self.steps.stages.iter().position(own)?, place))
    }

    fn of_stage(&self, stage: usize, place: Place) -> When {
        match stage {
            stage if stage < self.stages.0 => When::Before,
            stage if stage >= self.stages.1 => When::Later,
            _ => match &self.inside {
                Some(inside) => inside.get(&place).copied().unwrap_or(When::Later),
                None => When::Now,
            },
        }
    }
}
