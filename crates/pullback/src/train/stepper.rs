//! The plan of a step for one batch size.

use super::Machine;
use super::Training;
use super::gradient::OneByOne;
use crate::differentiate::reverse;
use crate::error::Result;
use crate::execute::Executor;
use crate::network::{Mask, Mode, Network};
use crate::plan::Plan;
use pullback_kernels::{Isa, Real, dot};

/// The place of the cost among a stepper's outputs; statistics follow, then gradients if they are kept.
pub(super) const COST: usize = 0;

/// Forward and backward pass for one batch size.
pub(super) struct Stepper<T> {
    pub(super) executor: Executor<T>,
    /// What finds the gradients instead of the executor, if they are not back-propagated.
    pub(super) one_by_one: Option<OneByOne<T>>,
    /// Whether all gradients are there after a run; else each is handed out when it is ready.
    pub(super) keeps_gradients: bool,
    /// The places of the trained parameters, in the order of their gradients.
    pub(super) trained: Vec<usize>,
    /// The places of the parameters that the forward pass itself moves.
    pub(super) statistics: Vec<usize>,
    masks: Vec<Mask>,
}

impl<T: Real> Stepper<T> {
    pub(super) fn new(
        machine: &Machine,
        network: &Network,
        training: &Training,
        batch: usize,
        background: f64,
    ) -> Result<Self> {
        let machine = &Machine { precision: training.precision.of_products(), ..*machine };
        let lowered = network.lower_less(batch, Mode::Training, background)?;
        let specification = network.parameters()?;
        let trained: Vec<usize> =
            (0..specification.len()).filter(|&place| specification[place].role.is_trained()).collect();
        let wrt: Vec<_> = trained.iter().map(|&place| lowered.parameters[place]).collect();
        let one_by_one = OneByOne::new(training.gradient, &lowered, &wrt, machine);
        let mut outputs = vec![lowered.cost];
        outputs.extend(lowered.statistics.iter().map(|(_, node)| node));
        let keeps_gradients =
            one_by_one.is_some() || training.clip_norm.is_some() || !training.optimizer.is_piecewise();
        let plan = if one_by_one.is_some() {
            Plan::new(&lowered.graph, &outputs)
        } else {
            let gradients = reverse(&lowered.graph, lowered.cost, &wrt)?;
            if keeps_gradients {
                outputs.extend(&gradients.nodes);
                Plan::new(&gradients.graph, &outputs)
            } else {
                let pairs: Vec<_> = gradients.nodes.iter().copied().zip(wrt).collect();
                Plan::with_gradients(&gradients.graph, &outputs, &pairs)
            }
        };
        Ok(Self {
            executor: Executor::new(plan, machine),
            one_by_one,
            keeps_gradients,
            trained,
            statistics: lowered.statistics.iter().map(|(place, _)| *place).collect(),
            masks: lowered.masks,
        })
    }

    /// Draws the dropout masks of a step.
    pub(super) fn fill_masks(&mut self, seed: u64, epoch: usize, step: usize) {
        for (number, mask) in self.masks.iter().enumerate() {
            mask.draw(seed, epoch, step, number, self.executor.input_mut(mask.input));
        }
    }

    /// The gradient of the trained parameter at that position, if gradients are kept.
    pub(super) fn gradient(&self, position: usize) -> &[T] {
        match &self.one_by_one {
            Some(one_by_one) => one_by_one.gradient(position),
            None => self.executor.output(COST + 1 + self.statistics.len() + position),
        }
    }

    /// The norm of the whole gradient.
    pub(super) fn gradient_norm(&self, isa: Isa) -> f64 {
        let gradients = (0..self.trained.len()).map(|output| self.gradient(output));
        gradients.map(|gradient| dot(isa, gradient, gradient).to_f64()).sum::<f64>().sqrt()
    }
}
