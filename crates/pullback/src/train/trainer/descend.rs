//! One step: a batch forwards and backwards, and the change of the weights; several batches whose gradients are accumulated; or a search along a line.

use super::Trainer;
use crate::error::Result;
use crate::execute::StepRules;
use crate::network::Mode;
use crate::train::Blame;
use crate::train::evaluate::{fill, weight_of};
use crate::train::optimizer::lbfgs::Search;
use crate::train::state::State;
use crate::train::stepper::Stepper;
use pullback_kernels::{Real, gather};
use std::ops::Range;

impl<T: Real> Trainer<'_, T> {
    /// One step on the rows at some places of the order.
    pub(super) fn descend(&mut self, range: Range<usize>, rate: f64) -> Result<Descended> {
        let Self { training, machine, .. } = *self;
        let Some(rules) = training.optimizer.rules(rate, self.state.position.steps_with_before() as u64 + 1)
        else {
            return self.search(range, rate);
        };
        let rules = StepRules { isa: machine.isa, rules };
        if self.accumulator.is_some() {
            return self.accumulate(range, &rules);
        }
        self.fill(range.clone(), self.state.position.step)?;
        let residents = &mut self.state.residents;
        let stepper = stepper(&mut self.stepper, &mut self.last_stepper, range.len() < self.piece);
        stepper.executor.run(residents);
        let cost = stepper.executor.output(0)[0].to_f64();
        if !cost.is_finite() {
            self.find_blame(range.len());
            return Ok(Descended { cost, norm: 0.0, is_over: false });
        }
        stepper.fill_gradients(residents);
        stepper.executor.change(residents, rules.as_rules());
        Ok(Descended { cost, norm: stepper.executor.gradient_norm(), is_over: false })
    }

    /// One step by the gradients of several batches.
    fn accumulate(&mut self, range: Range<usize>, rules: &StepRules<T>) -> Result<Descended> {
        let (step, per_parameter) = (self.state.position.step, self.state.per_parameter);
        for (at, first) in range.clone().step_by(self.piece).enumerate() {
            let part = first..(first + self.piece).min(range.end);
            let weight = weight_of(self.data, &self.order[part.clone()]);
            // Each batch has masks of its own.
            self.fill(part.clone(), step * self.training.accumulate + at)?;
            let stepper = stepper(&mut self.stepper, &mut self.last_stepper, part.len() < self.piece);
            let mut own: Vec<&mut [T]> = self
                .state
                .residents
                .iter_mut()
                .step_by(per_parameter)
                .map(|numbers| &mut numbers[..])
                .collect();
            stepper.executor.run(&own);
            let cost = stepper.executor.output(0)[0].to_f64();
            if !cost.is_finite() {
                self.find_blame(part.len());
                return Ok(Descended { cost, norm: 0.0, is_over: false });
            }
            // Averages of batch norm are those of each batch.
            stepper.executor.change(&mut own, rules.as_rules());
            self.accumulator.as_mut().expect("it is there").add(stepper, weight);
        }
        let accumulator = self.accumulator.as_mut().expect("it is there");
        let (cost, norm) = accumulator.change(&mut self.state.residents, rules);
        Ok(Descended { cost, norm, is_over: false })
    }

    /// One step of a search along a line. What was reached is computed anew by who resumes: the same bits.
    fn search(&mut self, range: Range<usize>, rate: f64) -> Result<Descended> {
        let tolerance = self.training.optimizer.get("tolerance").expect("who searches has one");
        self.fill(range.clone(), 0)?;
        let search =
            Search { rate, tolerance, rounding: T::EPSILON.to_f64(), rounded: |x| T::from_f64(x).to_f64() };
        let State { residents, pairs, .. } = &mut self.state;
        let mut point: Vec<f64> = residents.iter().flat_map(|own| own.iter().map(|x| x.to_f64())).collect();
        let stepper = &mut self.stepper;
        let from = self.reached.take().unwrap_or_else(|| stepper.reach(&point, residents));
        let cost = from.cost;
        if !cost.is_finite() {
            self.find_blame(range.len());
            return Ok(Descended { cost, norm: 0.0, is_over: false });
        }
        let (reached, is_over) =
            pairs.step(search, &mut point, from, |point| stepper.reach(point, residents));
        Stepper::place(&point, residents);
        self.reached = Some(reached);
        Ok(Descended { cost, norm: 0.0, is_over })
    }

    /// Gives a stepper the rows at some places of the order, and draws its masks as the epoch's step or batch `number`.
    fn fill(&mut self, range: Range<usize>, number: usize) -> Result<()> {
        let Self { training, data, machine, .. } = *self;
        let rows = &self.order[range.clone()];
        let stepper = stepper(&mut self.stepper, &mut self.last_stepper, rows.len() < self.piece);
        stepper.fill_masks(training.seed, self.state.position.epoch, number);
        if !self.is_filled {
            match (&self.less_background, &mut self.ahead) {
                (Some((features, _)), _) => fill(&mut stepper.executor, machine.isa, &[features], rows),
                (None, None) => fill(&mut stepper.executor, machine.isa, &self.blocks, rows),
                (None, Some(ahead)) => {
                    let (loaded, places) = ahead.rows(&self.blocks, &self.order, range)?;
                    fill(&mut stepper.executor, machine.isa, loaded, places);
                }
            }
            data.targets().write(rows, stepper.executor.input_mut(self.blocks.len()));
            if let Some(weights) = data.weights() {
                gather(weights, 1, rows, stepper.executor.input_mut(self.blocks.len() + 1));
            }
            if let Some(image) = self.network.image
                && !training.augment.is_none()
            {
                let place = (training.seed, self.state.position.epoch);
                let images = stepper.executor.input_mut(0);
                training.augment.apply(image, place, rows, images, &mut self.image);
            }
            self.is_filled = self.piece == self.rows.len() && training.augment.is_none();
        }
        Ok(())
    }

    /// Finds what made the cost of so many rows no finite number.
    fn find_blame(&mut self, rows: usize) {
        let background = self.less_background.as_ref().map_or(0.0, |(_, number)| *number);
        let parameters: Vec<&[T]> = self.state.parameters().collect();
        let is_weighted = self.data.weights().is_some();
        let lowered = self.network.lower_less(rows, Mode::Training, background, is_weighted);
        let stepper = stepper(&mut self.stepper, &mut self.last_stepper, rows < self.piece);
        self.blame = (lowered.ok()).and_then(|lowered| Blame::find(&lowered, &stepper.executor, &parameters));
    }
}

/// What a step found.
pub(super) struct Descended {
    /// The cost of its rows before it.
    pub(super) cost: f64,
    /// The gradient's norm; 0 if it is not clipped.
    pub(super) norm: f64,
    /// Whether a search is over.
    pub(super) is_over: bool,
}

/// The stepper for a whole batch, or for the rows left over.
fn stepper<'a, T>(
    whole: &'a mut Stepper<T>,
    last: &'a mut Option<Stepper<T>>,
    is_last: bool,
) -> &'a mut Stepper<T> {
    match last {
        Some(last) if is_last => last,
        _ => whole,
    }
}
