//! Steps of training on a state: the optimizer's own kernels on the gradients of the trace.

use super::{Names, NetworkExample};
use crate::error::Result;
use crate::explain::{Options, Trace};
use crate::network::Role;
use crate::train::{NextStep, Training};

/// Numbers that the optimizer keeps, by parameter, and how many steps were done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    pub(in crate::explain) states: Vec<Vec<Vec<f64>>>,
    pub(in crate::explain) steps: u64,
}

impl Kept {
    /// What a run keeps that has done so many steps: of each parameter, as many arrays of its size as the optimizer has
    /// states.
    pub fn of_run(steps: u64, states: Vec<Vec<Vec<f64>>>) -> Self {
        Self { states, steps }
    }

    /// Whether the optimizer keeps anything.
    pub fn has_states(&self) -> bool {
        self.states.iter().any(|states| !states.is_empty())
    }

    /// What is kept for a parameter.
    pub(in crate::explain) fn of(&self, place: usize) -> &[Vec<f64>] {
        self.states.get(place).map_or(&[], Vec::as_slice)
    }
}

impl NetworkExample {
    /// What a trace is of, as an example that can be trained on.
    pub(in crate::explain) fn of_trace(trace: &Trace, options: &Options) -> Self {
        let graph = &trace.lowered().graph;
        let inputs = &trace.lowered().inputs;
        let of = |name: &str| graph.find(name).map(|id| trace.value(id).to_vec()).unwrap_or_default();
        let widths: Vec<usize> = inputs.iter().map(|input| input.form.elements()).collect();
        let parts: Vec<Vec<f64>> = inputs.iter().map(|input| of(&input.name)).collect();
        let rows = (0..trace.rows()).flat_map(|row| {
            let part = |(numbers, width): (&Vec<f64>, &usize)| numbers[row * width..][..*width].to_vec();
            parts.iter().zip(&widths).flat_map(part).collect::<Vec<_>>()
        });
        Self {
            network: trace.network().clone(),
            parameters: (0..trace.parameters().len()).map(|place| trace.parameter(place).to_vec()).collect(),
            inputs: rows.collect(),
            targets: of("targets"),
            weights: trace.weights().map(<[f64]>::to_vec),
            rows: trace.rows(),
            training: Training { seed: trace.seed(), ..options.training.clone() },
            mode: trace.mode(),
            kept: options.kept.clone(),
            fixed: options.fixed.clone(),
            names: Names::default(),
        }
    }

    /// The gradients that the optimizer is given: those of the trace, scaled down where their norm is limited.
    pub fn clipped(&self, trace: &Trace) -> Vec<Vec<f64>> {
        let mut gradients: Vec<Vec<f64>> =
            (0..trace.parameters().len()).map(|place| trace.gradient(place).to_vec()).collect();
        if let Some(limit) = self.training.clip_norm {
            let trained = trace.parameters().iter().zip(&gradients).filter(|(p, _)| p.role.is_trained());
            let norm = trained.flat_map(|(_, own)| own).map(|g| g * g).sum::<f64>().sqrt();
            if norm > limit {
                gradients.iter_mut().flatten().for_each(|g| *g *= limit / norm);
            }
        }
        gradients
    }

    /// What a step makes of one parameter.
    pub(in crate::explain) fn stepped(
        &self,
        trace: &Trace,
        (place, gradient): (usize, &[f64]),
        kept: &[Vec<f64>],
        step: u64,
    ) -> NextStep {
        let parameter = &trace.parameters()[place];
        let shape = match *parameter.shape.sizes() {
            [rows, columns] => [rows, columns],
            _ => [1, parameter.shape.elements()],
        };
        let is_weight = matches!(parameter.role, Role::Weight(_));
        let (optimizer, rate) = (&self.training.optimizer, self.training.learning_rate());
        optimizer
            .next_step((rate, step), shape, &self.parameters[place], kept, gradient, is_weight)
            .expect("an example has no optimizer that searches for its step")
    }

    /// Does one step: all gradients by the old weights, then all weights.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub fn advance(&mut self, kept: &mut Kept) -> Result<()> {
        let trace = self.trace()?;
        let gradients = self.clipped(&trace);
        kept.states.resize(self.parameters.len(), Vec::new());
        kept.steps += 1;
        let trained =
            |place: &usize| trace.parameters()[*place].role.is_trained() && !self.fixed.contains(place);
        let places: Vec<usize> = (0..self.parameters.len()).filter(trained).collect();
        for place in places {
            let NextStep { numbers, states } =
                self.stepped(&trace, (place, &gradients[place]), &kept.states[place], kept.steps);
            self.parameters[place] = numbers;
            kept.states[place] = states;
        }
        for &(place, node) in &trace.lowered().statistics {
            self.parameters[place] = trace.value(node).to_vec();
        }
        Ok(())
    }
}
