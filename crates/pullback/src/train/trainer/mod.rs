//! The loop: shuffle, take a batch, run forward and backward, change the weights, repeat.

mod after_epoch;
mod descend;
mod identity;

use self::descend::Descended;
use super::evaluate::{Evaluator, check_data, entries, weight_of};
use super::optimizer::lbfgs::Reached as Point;
use super::state::Fingerprint;
use super::stepper::{Accumulator, Stepper};
use super::{
    Batch, Blame, Flow, History, Machine, Observer, Silent, State, StepReport, Stop, Trained, Training,
};
use crate::data::{Ahead, Dataset, Features, epoch_order};
use crate::error::{Error, Result};
use crate::network::{Network, Parameter};
use pullback_kernels::{Array, Real};
use std::borrow::Cow;
use std::cell::OnceCell;

/// Trains a network on some rows of a data set. After each epoch it is measured on the rows
/// `validation`, which may be none.
///
/// The result depends on all arguments but `machine`, whose precision is not read: results depend on that, so it is
/// part of `training`. With a reduced [`Precision`](super::Precision), they depend on the instruction set too.
///
/// # Errors
/// If the configuration contradicts itself or does not fit the data, or rows in a store cannot be read.
pub fn train<T: Real>(
    network: &Network,
    training: &Training,
    data: &Dataset<T>,
    rows: &[usize],
    validation: &[usize],
    machine: &Machine,
    observer: &mut dyn Observer,
) -> Result<Trained<T>> {
    Trainer::new(network, training, data, rows, validation, machine)?.run(observer)
}

/// A training run that goes on a step or an epoch at a time, and whose state can be taken and given back.
///
/// ```
/// use pullback::data::{DataOptions, Preprocessing, builtin};
/// use pullback::network::{Activation, Cost, Network};
/// use pullback::train::{Flow, Machine, Silent, State, Trainer, Training};
///
/// let table = builtin::load("iris", 0)?;
/// let rows: Vec<usize> = (0..table.rows()).collect();
/// let data = Preprocessing::fit(&table, &rows, &DataOptions::default())?.apply::<f32>(&table)?;
/// let network = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
/// let (training, machine) = (Training { epochs: 4, ..Training::default() }, Machine::default());
///
/// let mut one = Trainer::new(&network, &training, &data, &rows, &[], &machine)?;
/// one.epoch(&mut Silent);
/// one.step(); // in the middle of the second epoch
/// let bytes = one.state().to_bytes()?;
/// while one.epoch(&mut Silent) == Flow::Continue {}
///
/// let mut other = Trainer::resume(&network, &training, &data, &rows, &[], &machine, State::from_bytes(&bytes)?)?;
/// while other.epoch(&mut Silent) == Flow::Continue {}
/// assert_eq!(one.finish().parameters, other.finish().parameters); // bit for bit
/// # Ok::<(), pullback::Error>(())
/// ```
pub struct Trainer<'a, T: Real> {
    network: &'a Network,
    training: &'a Training,
    data: &'a Dataset<T>,
    /// Those that count: a row of weight 0 is as if it were not there.
    rows: Cow<'a, [usize]>,
    validation: &'a [usize],
    machine: Machine,
    specification: Vec<Parameter>,
    state: State<T>,
    /// Whether an observer ended the run, for now.
    is_stopped: bool,
    /// The learning rate of the next steps, if it is not the schedule's.
    rate: Option<f64>,
    /// Why it was stopped, if rows could not be read.
    trouble: Option<Error>,
    blame: Option<Blame>,
    /// How many rows make a step, and how many of them are computed at a time: as many, unless gradients are
    /// accumulated.
    batch: usize,
    piece: usize,
    /// The rows in the order of the epoch that is running, if it is known.
    order: Vec<usize>,
    /// What the steps are given instead of the data's features, if that pays: those minus a number, the background.
    less_background: Option<(Features<T>, f64)>,
    /// What the network's inputs take of the data, in their order.
    blocks: Vec<&'a Features<T>>,
    /// What the validation rows are of, and what the network's inputs take of it.
    watched: &'a Dataset<T>,
    watched_blocks: Vec<&'a Features<T>>,
    /// Of rows that are in a store, those in memory.
    ahead: Option<Ahead<T>>,
    /// An image that is being changed.
    image: Vec<T>,
    /// For whole batches, and for the rows left over at the end of an epoch.
    stepper: Stepper<T>,
    last_stepper: Option<Stepper<T>>,
    /// Makes a step of several batches.
    accumulator: Option<Accumulator<T>>,
    /// What the last step of a search has reached.
    reached: Option<Point>,
    evaluator: Option<Evaluator<T>>,
    /// Whether the stepper holds all rows, which make one batch.
    is_filled: bool,
    /// What tells the run from others, once it was asked for.
    fingerprint: OnceCell<Fingerprint>,
}

impl<T: Real> std::fmt::Debug for Trainer<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer").field("position", &self.state.position).finish_non_exhaustive()
    }
}

impl<'a, T: Real> Trainer<'a, T> {
    /// A run before its first step.
    ///
    /// # Errors
    /// If the configuration contradicts itself or does not fit the data.
    pub fn new(
        network: &'a Network,
        training: &'a Training,
        data: &'a Dataset<T>,
        rows: &'a [usize],
        validation: &'a [usize],
        machine: &Machine,
    ) -> Result<Self> {
        Self::watched_by(network, training, (data, rows), (data, validation), machine)
    }

    /// The same with validation rows of other data.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn watched_by(
        network: &'a Network,
        training: &'a Training,
        (data, rows): (&'a Dataset<T>, &'a [usize]),
        (watched, validation): (&'a Dataset<T>, &'a [usize]),
        machine: &Machine,
    ) -> Result<Self> {
        training.check::<T>()?;
        network.check_in::<T>()?;
        if !training.precision.is_full() && T::NAME != f32::NAME {
            return Err(Error::configuration(format!(
                "{} is a precision for numbers of f32, but the data is of {}",
                training.precision.name(),
                T::NAME.to_lowercase()
            ))
            .help("take the precision f32, which means full"));
        }
        let blocks = check_data(network, data)?;
        let watched_blocks = check_data(network, watched)?;
        data.check_rows(rows)?;
        watched.check_rows(validation)?;
        if data.targets().task() != watched.targets().task() {
            return Err(Error::data(
                "the validation rows have targets of another kind than the rows to train on",
            )
            .help("give both the same classes, or numbers"));
        }
        let rows = match data.weights() {
            Some(weights) if rows.iter().any(|&row| weights[row] == T::ZERO) => {
                Cow::Owned(rows.iter().copied().filter(|&row| weights[row] > T::ZERO).collect())
            }
            _ => Cow::Borrowed(rows),
        };
        if !validation.is_empty() && weight_of(watched, validation) == 0.0 {
            return Err(Error::data(
                "all validation rows have a weight of 0: nothing tells one epoch from another",
            )
            .help("give some a larger weight, or hold none out"));
        }
        let is_weighted = data.weights().is_some();
        if rows.is_empty() {
            return Err(Error::data("there are no rows to train on").help("give at least one"));
        }
        if training.early_stopping.is_some() && validation.is_empty() {
            return Err(Error::configuration(
                "early stopping measures the validation cost, but no rows are held out for validation",
            )
            .help("hold some out"));
        }
        training.metric.check(data.targets(), network.cost)?;
        training.augment.check(network.image.filter(|_| network.named.is_empty()))?;
        if !training.metric.is_cost() && validation.is_empty() {
            return Err(Error::configuration(format!(
                "{} is measured on the validation rows, but no rows are held out for validation",
                training.metric
            ))
            .help("hold some out, or watch the cost"));
        }
        // Validation is in full precision whatever the steps are in.
        let machine = Machine { precision: Default::default(), ..*machine };
        if training.accumulate > 1 && network.regularization.divide_by_batch {
            return Err(Error::configuration(
                "regularization that is divided by the batch is that of each batch, not of those that are accumulated",
            )
            .help("divide it by the size of the step yourself, or do not accumulate"));
        }
        let piece = match training.batch {
            Batch::Of(examples) => examples.min(rows.len()),
            Batch::Full => rows.len(),
        };
        let batch = piece.saturating_mul(training.accumulate).min(rows.len());
        let specification = network.parameters()?;
        let left = rows.len() % piece;
        let (listed, listed_of_watched) = (entries(&blocks), entries(&watched_blocks));
        // Products of reduced precision leave out no zeros.
        let leaves_out_zeros = network.begins_dense() && training.precision.is_full();
        let less_background = leaves_out_zeros.then(|| data.features().less_background(&rows)).flatten();
        let background = less_background.as_ref().map_or(0.0, |(_, number)| *number);
        let stepper =
            Stepper::<T>::new(&machine, network, training, (piece, is_weighted), background, &listed)?;
        if training.optimizer.is_searching() {
            stepper.check_search(training.optimizer.name())?;
        }
        let accumulator =
            (training.accumulate > 1).then(|| Accumulator::new(&machine, network, training)).transpose()?;
        let plan = accumulator.as_ref().map_or(stepper.executor.plan(), Accumulator::plan);
        let mut residents: Vec<Array<T>> =
            plan.residents.iter().map(|resident| Array::zeros(resident.shape.elements())).collect();
        let parameters = residents.iter_mut().step_by(plan.residents_per_parameter);
        for (parameter, numbers) in parameters.zip(network.initialize::<T>(training.seed)?) {
            parameter.copy_from_slice(&numbers);
        }
        let mut state = State::start(&specification, residents, plan.residents_per_parameter);
        if training.ema.is_some() {
            state.begin_average(&specification);
        }
        Ok(Self {
            state,
            is_stopped: false,
            rate: None,
            trouble: None,
            blame: None,
            batch,
            piece,
            accumulator,
            reached: None,
            order: Vec::new(),
            less_background,
            ahead: Ahead::of(&blocks, 3),
            image: match network.image {
                Some(image) if !training.augment.is_none() => {
                    Vec::with_capacity(image.height * image.width * image.channels)
                }
                _ => Vec::new(),
            },
            blocks,
            watched,
            watched_blocks,
            stepper,
            last_stepper: (left > 0)
                .then(|| Stepper::new(&machine, network, training, (left, is_weighted), background, &listed))
                .transpose()?,
            evaluator: (!validation.is_empty())
                .then(|| Evaluator::new(network, validation.len(), &listed_of_watched, &machine))
                .transpose()?,
            is_filled: false,
            fingerprint: OnceCell::new(),
            network,
            training,
            data,
            rows,
            validation,
            machine,
            specification,
        })
    }

    /// The same run with other parameters before its first step: in the order of [`Network::parameters`].
    ///
    /// # Errors
    /// If they are not the network's.
    pub fn starting_with(mut self, parameters: &[Vec<T>]) -> Result<Self> {
        self.network.check_parameters(parameters)?;
        let own = self.state.residents.iter_mut().step_by(self.state.per_parameter);
        own.zip(parameters).for_each(|(own, numbers)| own.copy_from_slice(numbers));
        self.reached = None;
        Ok(self)
    }

    /// The same run, which before its first step takes parameters and what the optimizer keeps from the state of another
    /// one: of the same network and optimizer, on whatever rows and with whatever seed. So a network can be trained on
    /// rows as they come. Its epochs and schedule are its own.
    ///
    /// # Errors
    /// If the state is of another network or optimizer.
    pub fn going_on_from(mut self, state: &State<T>) -> Result<Self> {
        self.check_kept(state)?;
        self.state.residents.clone_from(&state.residents);
        self.state.average.clone_from(&state.average);
        self.state.pairs.clone_from(&state.pairs);
        self.state.position.steps_before = state.position.steps_with_before();
        self.reached = None;
        Ok(self)
    }

    /// The same run from a state on. The number of epochs may differ from that of the run which the state was taken
    /// of, unless the schedule depends on it; all else must be the same, but for the machine.
    ///
    /// # Errors
    /// As [`Trainer::new`], or if the state is of another run.
    pub fn resume(
        network: &'a Network,
        training: &'a Training,
        data: &'a Dataset<T>,
        rows: &'a [usize],
        validation: &'a [usize],
        machine: &Machine,
        state: State<T>,
    ) -> Result<Self> {
        Self::new(network, training, data, rows, validation, machine)?.resumed(state)
    }

    /// Whether the run cannot go on without the parameters that it may go back to.
    fn needs_best(&self, state: &State<T>) -> bool {
        let at = &state.position;
        at.step > 0 || at.is_kept_by_observer || (self.training.early_stopping.is_some() && at.steps > 0)
    }

    fn steps_per_epoch(&self) -> usize {
        self.rows.len().div_ceil(self.batch)
    }

    /// The run's state, from which [`Trainer::resume`] goes on with the same bits.
    pub fn state(&self) -> State<T> {
        let mut state = State { fingerprint: self.fingerprint().clone(), ..self.state.clone() };
        if !self.needs_best(&state) {
            state.best.iter_mut().for_each(|numbers| *numbers = Array::zeros(0));
        }
        state
    }

    /// The run's state without what tells the run from others: only [`Trainer::going_on_from`] takes it. Making it looks
    /// at no row.
    pub fn unbound_state(&self) -> State<T> {
        let mut state = State { fingerprint: Fingerprint::default(), ..self.state.clone() };
        state.best.iter_mut().for_each(|numbers| *numbers = Array::zeros(0));
        state
    }

    /// The parameters as they are now, in the order of [`Network::parameters`].
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = &[T]> {
        self.state.parameters()
    }

    /// The number of finished epochs.
    pub(crate) fn epochs(&self) -> usize {
        self.state.position.epoch
    }

    /// The number of steps done in all.
    pub(crate) fn steps(&self) -> usize {
        self.state.position.steps
    }

    /// The rows of the next step, in their order; none if the run is over.
    pub fn next_rows(&self) -> Vec<usize> {
        let at = &self.state.position;
        let is_next_epoch = at.step == self.steps_per_epoch();
        let (epoch, step) = if is_next_epoch { (at.epoch + 1, 0) } else { (at.epoch, at.step) };
        if at.stop.is_some() || epoch >= self.training.epochs {
            return Vec::new();
        }
        let mut order = Vec::new();
        order_of(self.training, &self.rows, (self.batch, epoch), &mut order);
        order[step * self.batch..((step + 1) * self.batch).min(order.len())].to_vec()
    }

    /// Why the run ended, if it did. What an observer stopped goes on with the next step.
    pub fn stop(&self) -> Option<Stop> {
        match self.state.position.stop {
            Some(stop) => Some(stop),
            None if self.is_stopped => Some(Stop::Observer),
            None => (self.state.position.epoch >= self.training.epochs).then_some(Stop::Finished),
        }
    }

    /// Why the run was stopped, if rows in a store could not be read; the next step tries again.
    pub fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref()
    }

    fn stop_for(&mut self, trouble: Error) {
        self.trouble = Some(trouble);
        self.is_stopped = true;
    }

    /// Does one step: a batch forwards and backwards, and the change of the weights. The first step of an epoch ends
    /// the epoch before. Absent if the run is over.
    pub fn step(&mut self) -> Option<StepReport> {
        self.step_at(self.rate)
    }

    /// Changes the learning rate of all further steps, whatever the schedule says; with `None` it is the schedule's
    /// again. It is no part of the run's [state](Trainer::state).
    pub fn set_learning_rate(&mut self, rate: Option<f64>) {
        self.rate = rate;
    }

    /// The same at a learning rate that is given instead of the schedule's.
    pub(super) fn step_at(&mut self, given: Option<f64>) -> Option<StepReport> {
        self.is_stopped = false;
        self.trouble = None;
        if self.state.position.step == self.steps_per_epoch() {
            self.end_epoch(&mut Silent);
        }
        if self.trouble.is_some() || self.stop().is_some() {
            return None;
        }
        let Self { training, batch, .. } = *self;
        let rows = &self.rows;
        let steps_per_epoch = self.steps_per_epoch();
        let (epoch, step, steps) =
            (self.state.position.epoch, self.state.position.step, self.state.position.steps);
        if step == 0 {
            self.order.clear();
            // Early stopping without an epoch yet goes back to the start.
            let is_early = training.early_stopping.is_some() && steps > 0;
            if !is_early && !self.state.position.is_kept_by_observer {
                self.state.keep(training.ema);
            }
        }
        if self.order.is_empty() {
            order_of(training, rows, (batch, epoch), &mut self.order);
            self.ahead.iter_mut().for_each(Ahead::forget);
        }

        let factor = training.schedule.factor(steps, steps_per_epoch, training.epochs);
        let planned = training.learning_rate() * factor * self.state.position.plateau.factor();
        let rate = given.unwrap_or(planned);
        let range = step * batch..((step + 1) * batch).min(rows.len());
        let (examples, examples_per_epoch) = (range.len(), rows.len());
        let weight = weight_of(self.data, &self.order[range.clone()]);
        let Descended { cost, norm, is_over } = match self.descend(range, rate) {
            Ok(found) => found,
            Err(trouble) => {
                self.stop_for(trouble);
                return None;
            }
        };
        let at = &mut self.state.position;
        if !cost.is_finite() {
            at.stop = Some(Stop::Diverged { epoch, step });
            return None;
        }
        at.step += 1;
        at.steps += 1;
        at.examples += examples;
        at.weight += weight;
        at.cost += cost * weight;
        at.learning_rate = rate;
        at.gradient_norm = Real::max(norm, at.gradient_norm);
        if is_over {
            at.stop = Some(Stop::Converged);
        }
        if let Some(share) = training.ema {
            self.state.add_to_average(share);
        }
        let at = &self.state.position;
        Some(StepReport { epoch, examples: at.examples, examples_per_epoch, cost })
    }

    /// Does the steps that are left of an epoch, and measures the network on the validation rows. Stops where the
    /// observer says so, after a step too; the next call goes on from there.
    pub fn epoch(&mut self, observer: &mut dyn Observer) -> Flow {
        let steps = self.steps_per_epoch();
        (self.is_stopped, self.trouble) = (false, None);
        // A whole epoch may wait for its end.
        while self.state.position.step < steps {
            let Some(report) = self.step() else { return Flow::Stop };
            if observer.step(&report) == Flow::Stop {
                self.is_stopped = true;
                return Flow::Stop;
            }
        }
        self.end_epoch(observer);
        if self.stop().is_some() { Flow::Stop } else { Flow::Continue }
    }

    /// Trains to the end of the run.
    ///
    /// # Errors
    /// If rows could not be read.
    pub(crate) fn run(mut self, observer: &mut dyn Observer) -> Result<Trained<T>> {
        while self.epoch(observer) == Flow::Continue {}
        self.end(observer)
    }

    /// What the run has come to, without the rest of an epoch that has begun.
    pub fn finish(self) -> Trained<T> {
        self.ended(&mut Silent).0
    }

    /// What the run has come to.
    ///
    /// # Errors
    /// If rows could not be read, which ended it.
    pub(crate) fn end(self, observer: &mut dyn Observer) -> Result<Trained<T>> {
        let (trained, trouble) = self.ended(observer);
        trouble.map_or(Ok(trained), Err)
    }

    fn ended(mut self, observer: &mut dyn Observer) -> (Trained<T>, Option<Error>) {
        let stop = self.stop().unwrap_or(Stop::Observer);
        let has_diverged = matches!(stop, Stop::Diverged { .. });
        if self.state.position.step > 0 && !has_diverged {
            self.end_epoch(observer);
        }
        let at = &self.state.position;
        let goes_back = self.training.early_stopping.is_some() || has_diverged || at.is_kept_by_observer;
        // No cost was computed with the weights after the last step.
        let last = at.epoch.saturating_sub(1);
        let is_lost = !goes_back && !self.state.parameters().flatten().all(|number| number.is_finite());
        let stop = match is_lost {
            true => Stop::Diverged { epoch: last, step: self.steps_per_epoch() - 1 },
            false => stop,
        };
        // Before the first step there is nothing to go back to.
        let goes_back = (goes_back || is_lost) && self.state.has_best();
        let parameters = match goes_back {
            true => self.state.best.iter().map(|numbers| numbers.to_vec()).collect(),
            false => self.state.measured(self.training.ema).into_iter().map(Cow::into_owned).collect(),
        };
        let State { epochs, position, .. } = self.state;
        let trained = Trained {
            parameters,
            history: History {
                epoch_count: epochs.len(),
                epochs,
                // The weights from before the last epoch are those after the one before it.
                kept_epoch: if is_lost { last.checked_sub(1) } else { position.kept_epoch },
                stop,
                blame: self.blame,
            },
        };
        (trained, self.trouble)
    }
}

/// Writes the order of the rows in an epoch. If all make one batch, their order would change only the rounding, and they
/// need not be copied again.
fn order_of(training: &Training, rows: &[usize], (batch, epoch): (usize, usize), order: &mut Vec<usize>) {
    if training.shuffle && batch < rows.len() {
        epoch_order(rows, training.seed, epoch as u32, order);
    } else {
        order.clear();
        order.extend_from_slice(rows);
    }
}
