//! What an epoch ends with: validation, plateau, early stopping, and the word of an observer.

use super::Trainer;
use crate::data::Dataset;
use crate::network::Cost;
use crate::train::metric::with_scored;
use crate::train::observer::Reached;
use crate::train::{Epoch, EpochReport, Evaluation, Flow, Metric, Observer, Stop};
use pullback_kernels::Real;
use std::borrow::Cow;

impl<T: Real> Trainer<'_, T> {
    /// Ends an epoch: validation, plateau, early stopping, and the observer's word.
    pub(super) fn end_epoch(&mut self, observer: &mut dyn Observer) {
        let Self { training, watched: data, validation, .. } = *self;
        let at = &self.state.position;
        let epoch = at.epoch;
        let mut report = EpochReport {
            epoch,
            cost: at.cost / at.weight,
            validation_cost: None,
            validation_accuracy: None,
            watched: None,
            learning_rate: at.learning_rate,
            gradient_norm: training.clip_norm.map(|_| at.gradient_norm),
        };
        // What is watched, as something to be minimized.
        let mut watched = report.cost;
        let parameters = self.state.measured(training.ema);
        let evaluation = (self.evaluator.as_mut())
            .map(|evaluator| evaluator.run(&parameters, &self.watched_blocks, data, validation))
            .transpose();
        let evaluation = match evaluation {
            Ok(evaluation) => evaluation,
            // The epoch has not ended.
            Err(trouble) => return self.stop_for(trouble),
        };
        if let Some(evaluation) = &evaluation {
            report.validation_cost = Some(evaluation.cost);
            let value;
            (report.validation_accuracy, value) =
                with_scored((evaluation, self.network.cost), data, validation, |scored| {
                    (Metric::Accuracy.value(scored), training.metric.value(scored))
                });
            report.watched = value.filter(|value| !training.metric.is_cost() && value.is_finite());
            // Without a value there is no improvement.
            watched = value.map_or(f64::INFINITY, |value| training.metric.to_minimize(value));
        }
        let reached = AfterEpoch { parameters, evaluation, cost: self.network.cost, data, validation };
        let mut seen = Epoch::new(&report, training.metric, &reached);
        let flow = observer.epoch(&mut seen);
        let is_kept = seen.is_kept();

        let at = &mut self.state.position;
        at.plateau.epoch(training.schedule.shape, watched);
        at.is_kept_by_observer |= is_kept;
        let mut is_best = is_kept;
        match &training.early_stopping {
            Some(stopping) => {
                if watched < at.best_value - stopping.least_improvement {
                    (at.best_value, at.best_epoch) = (watched, Some(epoch));
                    is_best |= !at.is_kept_by_observer;
                } else if epoch - at.best_epoch.unwrap_or(0) >= stopping.patience {
                    at.stop = Some(Stop::NoImprovement);
                }
            }
            None if at.is_kept_by_observer => {}
            None => at.kept_epoch = Some(epoch),
        }
        if is_best {
            at.kept_epoch = Some(epoch);
        }
        at.epoch += 1;
        (at.step, at.examples, at.weight, at.cost, at.gradient_norm) = (0, 0, 0.0, 0.0, 0.0);
        self.is_stopped |= flow == Flow::Stop;
        if is_best {
            self.state.keep(training.ema);
        }
        self.state.epochs.push(report);
    }
}

/// A run after an epoch, for an observer to look at.
struct AfterEpoch<'a, T: Real> {
    parameters: Vec<Cow<'a, [T]>>,
    /// Of the validation rows, if there are any.
    evaluation: Option<Evaluation<T>>,
    cost: Cost,
    data: &'a Dataset<T>,
    validation: &'a [usize],
}

impl<T: Real> Reached for AfterEpoch<'_, T> {
    fn parameters(&self) -> Vec<Vec<f64>> {
        self.parameters.iter().map(|numbers| wide(numbers)).collect()
    }

    fn predictions(&self) -> Vec<f64> {
        self.evaluation.as_ref().map(|evaluation| wide(&evaluation.predictions)).unwrap_or_default()
    }

    fn targets(&self) -> Vec<f64> {
        let Self { data, validation, .. } = self;
        let targets = data.targets();
        if let Some(classes) = targets.ids() {
            return validation.iter().map(|&row| f64::from(classes[row])).collect();
        }
        let mut numbers = vec![T::ZERO; validation.len() * targets.outputs()];
        targets.write(validation, &mut numbers);
        wide(&numbers)
    }

    fn value(&self, metric: Metric) -> Option<f64> {
        let evaluation = self.evaluation.as_ref()?;
        with_scored((evaluation, self.cost), self.data, self.validation, |scored| metric.value(scored))
    }
}

fn wide<T: Real>(numbers: &[T]) -> Vec<f64> {
    numbers.iter().map(|x| x.to_f64()).collect()
}
