//! The loop: shuffle, take a batch, run forward and backward, change the weights, repeat.

use super::gradient::OneByOne;
use super::schedule::Plateau;
use super::{Batch, EpochReport, Flow, Observer, StepReport, Training};
use crate::data::{Dataset, Features, Targets, batches, epoch_order};
use crate::differentiate::reverse;
use crate::error::{Error, Result};
use crate::execute::{Executor, Machine, reference};
use crate::graph::{Graph, Kind};
use crate::network::{FEATURES, Mask, Mode, Network, Parameter, Role, TARGETS};
use crate::plan::Plan;
use pullback_kernels::{Array, Isa, Real, dot};
use serde::{Deserialize, Serialize};

/// What came out of a training run.
#[derive(Debug, Clone)]
pub struct Trained<T> {
    /// The parameters, in the order of [`Network::parameters`].
    pub parameters: Vec<Vec<T>>,
    /// How it went.
    pub history: History,
}

/// How a training run went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// One report an epoch.
    pub epochs: Vec<EpochReport>,
    /// The epoch whose parameters were kept, counted from 0: the best one with early stopping,
    /// else the last one. Absent if no epoch was finished.
    pub kept_epoch: Option<usize>,
    /// Why it ended.
    pub stop: Stop,
    /// Where the first number arose that is not finite, if the run diverged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blame: Option<String>,
}

/// Why a training run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Stop {
    /// All epochs are done.
    Finished,
    /// The validation cost had not improved for as long as early stopping waits.
    NoImprovement,
    /// The observer said so.
    Observer,
    /// The cost stopped being a finite number at this step; the parameters are those from before
    /// the epoch.
    Diverged {
        /// The epoch, counted from 0.
        epoch: usize,
        /// The step of the epoch, counted from 0.
        step: usize,
    },
}

/// A network's cost and predictions on given rows.
#[derive(Debug, Clone)]
pub struct Evaluation<T> {
    /// The mean cost, without regularization.
    pub cost: f64,
    /// `[rows, outputs]`: probabilities, or numbers in the units of the targets.
    pub predictions: Vec<T>,
}

/// How many rows are evaluated at a time.
const EVALUATION_BATCH: usize = 256;

/// Trains a network on some rows of a data set. After each epoch it is measured on the rows
/// `validation`, which may be none.
///
/// The result depends on all arguments but `machine`, whose precision is not read: results depend on that, so it is
/// part of `training`. With a reduced [`Precision`](super::Precision), they depend on the instruction set too.
///
/// # Errors
/// If the configuration contradicts itself or does not fit the data.
pub fn train<T: Real>(
    network: &Network,
    training: &Training,
    data: &Dataset<T>,
    rows: &[usize],
    validation: &[usize],
    machine: &Machine,
    observer: &mut dyn Observer,
) -> Result<Trained<T>> {
    training.check()?;
    if !training.precision.is_full() && T::NAME != f32::NAME {
        return Err(Error::configuration(format!(
            "{} is a precision for numbers of f32, but the data is of {}",
            training.precision.name(),
            T::NAME.to_lowercase()
        ))
        .help("take the precision f32, which means full"));
    }
    check_data(network, data.inputs(), data.outputs())?;
    if rows.is_empty() {
        return Err(Error::data("there are no rows to train on").help("give at least one"));
    }
    if training.early_stopping.is_some() && validation.is_empty() {
        return Err(Error::configuration(
            "early stopping measures the validation cost, but no rows are held out for validation",
        )
        .help("hold some out"));
    }
    Run::new(machine, network, training, data, rows, validation)?.train(observer)
}

/// Runs a network forwards on some rows of a data set.
///
/// # Errors
/// If the network or its parameters do not fit the data.
pub fn evaluate<T: Real>(
    network: &Network,
    parameters: &[Vec<T>],
    data: &Dataset<T>,
    rows: &[usize],
    machine: &Machine,
) -> Result<Evaluation<T>> {
    check_data(network, data.inputs(), data.outputs())?;
    Evaluator::new(network, rows.len(), machine)?.run(parameters, &data.features, Some(&data.targets), rows)
}

/// What a network predicts for all rows, `[rows, outputs]`.
///
/// # Errors
/// If the network or its parameters do not fit the features.
pub fn predict<T: Real>(
    network: &Network,
    parameters: &[Vec<T>],
    features: &Features<T>,
    machine: &Machine,
) -> Result<Vec<T>> {
    check_data(network, features.inputs(), network.outputs())?;
    let rows: Vec<usize> = (0..features.rows()).collect();
    Ok(Evaluator::new(network, rows.len(), machine)?.run(parameters, features, None, &rows)?.predictions)
}

fn check_data(network: &Network, inputs: usize, outputs: usize) -> Result<()> {
    if network.inputs != inputs {
        return Err(Error::configuration(format!(
            "the network takes {} features, but the data has {inputs}",
            network.inputs
        ))
        .help(format!("give the network {inputs} inputs, or data of {} features", network.inputs)));
    }
    if network.outputs() != outputs {
        return Err(Error::configuration(format!(
            "the network has {} outputs, but the targets need {outputs}",
            network.outputs()
        ))
        .help(format!("give the last dense layer {outputs} units")));
    }
    Ok(())
}

/// The state of a training run.
struct Run<'a, T> {
    training: &'a Training,
    data: &'a Dataset<T>,
    rows: &'a [usize],
    validation: &'a [usize],
    specification: Vec<Parameter>,
    parameters: Vec<Array<T>>,
    /// What the optimizer keeps for each parameter.
    states: Vec<[Array<T>; 2]>,
    /// What the steps are given instead of the data's features, if that pays: those less a number, the background.
    less_background: Option<(Features<T>, f64)>,
    /// For whole batches, and for what is left at the end of an epoch.
    stepper: Stepper<T>,
    last_stepper: Option<Stepper<T>>,
    evaluator: Option<Evaluator<T>>,
    batch: usize,
    /// Steps done.
    steps: usize,
    /// A clipped gradient.
    clipped: Vec<T>,
    plateau: Plateau,
    isa: Isa,
    network: &'a Network,
    blame: Option<String>,
}

impl<'a, T: Real> Run<'a, T> {
    fn new(
        machine: &Machine,
        network: &'a Network,
        training: &'a Training,
        data: &'a Dataset<T>,
        rows: &'a [usize],
        validation: &'a [usize],
    ) -> Result<Self> {
        // Validation is in full precision whatever the steps are in.
        let machine = &Machine { precision: Default::default(), ..*machine };
        let batch = match training.batch {
            Batch::Of(examples) => examples.min(rows.len()),
            Batch::Full => rows.len(),
        };
        let specification = network.parameters()?;
        let parameters: Vec<Array<T>> =
            network.initialize(training.seed)?.iter().map(|numbers| Array::from(&numbers[..])).collect();
        let kept = training.optimizer.states();
        let state =
            |parameter: &Array<T>, wanted: bool| Array::zeros(if wanted { parameter.len() } else { 0 });
        let left = rows.len() % batch;
        // Products of reduced precision leave out no zeros.
        let leaves_out_zeros = network.begins_dense() && training.precision.is_full();
        let less_background = leaves_out_zeros.then(|| data.features.less_background(rows)).flatten();
        let background = less_background.as_ref().map_or(0.0, |(_, number)| *number);
        Ok(Self {
            less_background,
            states: parameters.iter().map(|p| [state(p, kept > 0), state(p, kept > 1)]).collect(),
            stepper: Stepper::new(machine, network, training, batch, background)?,
            last_stepper: (left > 0)
                .then(|| Stepper::new(machine, network, training, left, background))
                .transpose()?,
            evaluator: (!validation.is_empty())
                .then(|| Evaluator::new(network, validation.len(), machine))
                .transpose()?,
            clipped: match training.clip_norm {
                Some(_) => vec![T::ZERO; parameters.iter().map(|numbers| numbers.len()).max().unwrap_or(0)],
                None => Vec::new(),
            },
            training,
            data,
            rows,
            validation,
            specification,
            parameters,
            batch,
            steps: 0,
            plateau: Plateau::new(),
            isa: machine.isa,
            network,
            blame: None,
        })
    }

    fn train(mut self, observer: &mut dyn Observer) -> Result<Trained<T>> {
        let mut epochs: Vec<EpochReport> = Vec::with_capacity(self.training.epochs.min(10_000));
        let mut order = Vec::new();
        let mut stop = Stop::Finished;
        // What is gone back to: the best epoch's parameters, or those before a divergence.
        let mut saved = self.parameters.clone();
        let mut kept_epoch = None;
        let mut best = f64::INFINITY;
        for epoch in 0..self.training.epochs {
            if self.training.early_stopping.is_none() {
                saved.clone_from(&self.parameters);
            }
            // All rows in one batch: their order changes only the rounding, and they need not be copied again.
            if self.training.shuffle && self.batch < self.rows.len() {
                epoch_order(self.rows, self.training.seed, epoch as u32, &mut order);
            } else {
                order.clear();
                order.extend_from_slice(self.rows);
            }
            let (report, ended) = self.epoch(epoch, &order, observer)?;
            if let Some(reason @ Stop::Diverged { .. }) = ended {
                stop = reason;
                break;
            }
            epochs.push(report);
            match (&self.training.early_stopping, report.validation_cost) {
                (Some(stopping), Some(cost)) => {
                    if cost < best - stopping.least_improvement {
                        (best, kept_epoch) = (cost, Some(epoch));
                        saved.clone_from(&self.parameters);
                    } else if epoch - kept_epoch.unwrap_or(0) >= stopping.patience {
                        stop = Stop::NoImprovement;
                    }
                }
                _ => kept_epoch = Some(epoch),
            }
            if observer.epoch(&report) == Flow::Stop || ended.is_some() {
                stop = Stop::Observer;
            }
            if stop != Stop::Finished {
                break;
            }
        }
        let goes_back = self.training.early_stopping.is_some() || matches!(stop, Stop::Diverged { .. });
        let parameters = if goes_back { saved } else { self.parameters };
        let parameters = parameters.iter().map(|numbers| numbers.to_vec()).collect();
        Ok(Trained { parameters, history: History { epochs, kept_epoch, stop, blame: self.blame } })
    }

    /// One pass over the examples in the given order.
    fn epoch(
        &mut self,
        epoch: usize,
        order: &[usize],
        observer: &mut dyn Observer,
    ) -> Result<(EpochReport, Option<Stop>)> {
        let steps_per_epoch = order.len().div_ceil(self.batch);
        let mut report = EpochReport {
            epoch,
            cost: 0.0,
            validation_cost: None,
            validation_accuracy: None,
            learning_rate: 0.0,
            gradient_norm: None,
        };
        let mut seen = 0;
        let mut ended = None;
        for (step, rows) in batches(order, self.batch).enumerate() {
            let factor = self.training.schedule.factor(self.steps, steps_per_epoch, self.training.epochs);
            report.learning_rate = self.training.learning_rate() * factor * self.plateau.factor();
            let (cost, norm) = self.step(epoch, step, rows, report.learning_rate);
            if !cost.is_finite() {
                return Ok((report, Some(Stop::Diverged { epoch, step })));
            }
            seen += rows.len();
            report.cost += cost * rows.len() as f64;
            report.gradient_norm = norm.map(|norm| Real::max(norm, report.gradient_norm.unwrap_or(0.0)));
            let done = StepReport { epoch, examples: seen, examples_per_epoch: order.len(), cost };
            if observer.step(&done) == Flow::Stop {
                ended = Some(Stop::Observer);
                break;
            }
        }
        report.cost /= seen as f64;
        if let Some(evaluator) = &mut self.evaluator {
            let Dataset { features, targets, .. } = self.data;
            let evaluation = evaluator.run(&self.parameters, features, Some(targets), self.validation)?;
            report.validation_cost = Some(evaluation.cost);
            report.validation_accuracy = accuracy(&evaluation.predictions, targets, self.validation);
        }
        self.plateau.epoch(self.training.schedule.shape, report.validation_cost.unwrap_or(report.cost));
        Ok((report, ended))
    }

    /// One step of gradient descent: the batch's cost, and the gradient's norm if it is clipped.
    fn step(&mut self, epoch: usize, step: usize, rows: &[usize], rate: f64) -> (f64, Option<f64>) {
        self.steps += 1;
        let stepper = match &mut self.last_stepper {
            Some(last) if rows.len() < self.batch => last,
            _ => &mut self.stepper,
        };
        stepper.fill_masks(self.training.seed, epoch, step);
        if self.steps == 1 || rows.len() < self.rows.len() {
            let (isa, data) = (self.isa, self.data);
            let features = self.less_background.as_ref().map_or(&data.features, |(features, _)| features);
            let write = |range: std::ops::Range<usize>, piece: &mut [T]| {
                features.write_on(isa, &rows[range], piece);
            };
            stepper.executor.fill_rows(FEATURES, rows.len(), write);
            data.write_targets(rows, stepper.executor.input_mut(TARGETS));
        }
        stepper.executor.run(&self.parameters);
        let cost = stepper.executor.output(COST)[0].to_f64();
        if !cost.is_finite() {
            let background = self.less_background.as_ref().map_or(0.0, |(_, number)| *number);
            let lowered = self.network.lower_less(rows.len(), Mode::Training, background);
            self.blame = (lowered.ok()).and_then(|lowered| {
                first_not_finite(&lowered.graph, &mut stepper.executor, &self.parameters)
            });
            return (cost, None);
        }
        if let Some(one_by_one) = &mut stepper.one_by_one {
            one_by_one.fill(&mut stepper.executor, &self.parameters, &stepper.trained);
        }

        let rules = self.training.optimizer.rules(rate, self.steps as u64);
        let rule =
            |place: usize| &rules[usize::from(matches!(self.specification[place].role, Role::Weight(_)))];
        let isa = self.isa;
        stepper.executor.run_gradients(&mut self.parameters, &mut self.states, |place, gradient, numbers| {
            rule(place).update(isa, gradient, numbers);
        });

        let norm = self.training.clip_norm.map(|_| stepper.gradient_norm(self.isa));
        let factor = match (self.training.clip_norm, norm) {
            (Some(limit), Some(norm)) if norm > limit => Some(T::from_f64(limit / norm)),
            _ => None,
        };
        let kept = if stepper.keeps_gradients { &stepper.trained[..] } else { &[] };
        for (output, &place) in kept.iter().enumerate() {
            let mut gradient = stepper.gradient(output);
            if let Some(factor) = factor {
                let clipped = &mut self.clipped[..gradient.len()];
                pullback_kernels::map(
                    self.isa,
                    gradient,
                    clipped,
                    #[inline(always)]
                    |g| g * factor,
                );
                gradient = clipped;
            }
            let [first, second] = &mut self.states[place];
            rule(place).update(isa, gradient, [&mut self.parameters[place], first, second]);
        }
        for (output, &place) in stepper.statistics.iter().enumerate() {
            let new = stepper.executor.output(COST + 1 + output);
            self.parameters[place].copy_from_slice(new);
        }
        (cost, norm)
    }
}

/// The first node of a forward pass with a number that is not finite, in words.
fn first_not_finite<T: Real>(
    graph: &Graph,
    given: &mut Executor<T>,
    parameters: &[Array<T>],
) -> Option<String> {
    let (mut inputs, mut own) = (0.., parameters.iter());
    let values: Vec<Vec<T>> = (graph.nodes().iter())
        .map(|node| match node.kind {
            Kind::Input(_) => inputs.next().map(|at| given.input_mut(at).to_vec()),
            Kind::Parameter(_) => own.next().map(|numbers| numbers.to_vec()),
            _ => None,
        })
        .map(Option::unwrap_or_default)
        .collect();
    let values = reference(graph, &values);
    let first = graph.ids().find(|id| values[id.index()].iter().any(|x| !x.is_finite()))?;
    Some(graph.describe(first))
}

/// The place of the cost among a stepper's outputs; statistics follow, then gradients if they are kept.
const COST: usize = 0;

/// Forward and backward pass for one batch size.
struct Stepper<T> {
    executor: Executor<T>,
    /// What finds the gradients instead of the executor, if they are not back-propagated.
    one_by_one: Option<OneByOne<T>>,
    /// Whether all gradients are there after a run; else each is handed out when it is ready.
    keeps_gradients: bool,
    /// The places of the trained parameters, in the order of their gradients.
    trained: Vec<usize>,
    /// The places of the parameters that the forward pass itself moves.
    statistics: Vec<usize>,
    masks: Vec<Mask>,
}

impl<T: Real> Stepper<T> {
    fn new(
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
        let keeps_gradients = one_by_one.is_some() || training.clip_norm.is_some();
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
    fn fill_masks(&mut self, seed: u64, epoch: usize, step: usize) {
        for (number, mask) in self.masks.iter().enumerate() {
            mask.draw(seed, epoch, step, number, self.executor.input_mut(mask.input));
        }
    }

    /// The gradient of the trained parameter at that position, if gradients are kept.
    fn gradient(&self, position: usize) -> &[T] {
        match &self.one_by_one {
            Some(one_by_one) => one_by_one.gradient(position),
            None => self.executor.output(COST + 1 + self.statistics.len() + position),
        }
    }

    /// The norm of the whole gradient.
    fn gradient_norm(&self, isa: Isa) -> f64 {
        let gradients = (0..self.trained.len()).map(|output| self.gradient(output));
        gradients.map(|gradient| dot(isa, gradient, gradient).to_f64()).sum::<f64>().sqrt()
    }
}

/// The forward pass in evaluation, for whole batches and for what is left.
struct Evaluator<T> {
    isa: Isa,
    outputs: usize,
    batch: usize,
    whole: Executor<T>,
    last: Option<Executor<T>>,
}

impl<T: Real> Evaluator<T> {
    fn new(network: &Network, rows: usize, machine: &Machine) -> Result<Self> {
        let batch = rows.clamp(1, EVALUATION_BATCH);
        let executor = |batch| -> Result<Executor<T>> {
            let lowered = network.lower(batch, Mode::Evaluation)?;
            let plan = Plan::new(&lowered.graph, &[lowered.data_cost, lowered.prediction]);
            Ok(Executor::new(plan, machine))
        };
        let left = rows % batch;
        Ok(Self {
            isa: machine.isa,
            outputs: network.outputs(),
            batch,
            whole: executor(batch)?,
            last: (left > 0).then(|| executor(left)).transpose()?,
        })
    }

    fn run(
        &mut self,
        parameters: &[impl AsRef<[T]> + Sync],
        features: &Features<T>,
        targets: Option<&Targets<T>>,
        rows: &[usize],
    ) -> Result<Evaluation<T>> {
        let mut predictions = Vec::with_capacity(rows.len() * self.outputs);
        let mut cost = 0.0;
        for rows in rows.chunks(self.batch) {
            let executor = match &mut self.last {
                Some(last) if rows.len() < self.batch => last,
                _ => &mut self.whole,
            };
            let isa = self.isa;
            executor.fill_rows(FEATURES, rows.len(), |range, piece| {
                features.write_on(isa, &rows[range], piece);
            });
            if let Some(targets) = targets {
                targets.write(rows, executor.input_mut(TARGETS));
            }
            executor.run(parameters);
            cost += executor.output(0)[0].to_f64() * rows.len() as f64;
            predictions.extend_from_slice(executor.output(1));
        }
        Ok(Evaluation { cost: cost / rows.len().max(1) as f64, predictions })
    }
}

/// The share of rows whose class is predicted; absent for numbers.
fn accuracy<T: Real>(predictions: &[T], targets: &Targets<T>, rows: &[usize]) -> Option<f64> {
    let classes = targets.classes()?;
    let width = targets.outputs();
    let right = (predictions.chunks_exact(width).zip(rows))
        .filter(|(prediction, row)| most_likely(prediction) == classes[**row] as usize)
        .count();
    Some(right as f64 / rows.len() as f64)
}

/// The class that a row of probabilities says: the most probable (of equal ones the first), or for
/// one output, the second class if it is more probable than not.
pub fn most_likely<T: Real>(prediction: &[T]) -> usize {
    if let [probability] = prediction {
        return usize::from(*probability > T::from_f64(0.5));
    }
    (1..prediction.len())
        .fold(0, |best, class| if prediction[class] > prediction[best] { class } else { best })
}
