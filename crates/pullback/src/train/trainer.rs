//! The loop: shuffle, take a batch, run forward and backward, change the weights, repeat.

use super::evaluate::{Evaluator, check_data, entries, fill, weight_of};
use super::metric::with_scored;
use super::observer::Reached;
use super::optimizer::StepRules;
use super::optimizer::lbfgs::{Reached as Point, Search};
use super::state::{Fingerprint, Hash, names};
use super::stepper::{Accumulator, Stepper};
use super::{
    Batch, Blame, Epoch, EpochReport, Evaluation, Flow, History, Machine, Metric, Observer, Silent, State,
    StepReport, Stop, Trained, Training,
};
use crate::data::{Ahead, Dataset, Features, epoch_order};
use crate::error::{Error, Result};
use crate::network::{Cost, Mode, Network, Parameter};
use pullback_kernels::{Array, Real, gather};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

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

    /// The same run from a state on.
    pub(crate) fn resumed(mut self, state: State<T>) -> Result<Self> {
        let of_another = |what: &str| {
            Err(Error::training(format!("the state is of another run: its {what} are not those of this one"))
                .help("resume with the network, settings and rows of the run that it was saved of"))
        };
        if let Some(what) = state.fingerprint.difference(self.fingerprint()) {
            return of_another(what);
        }
        if state.names != names(&self.specification) {
            return of_another("parameters");
        }
        let lengths =
            |state: &State<T>| state.residents.iter().map(|numbers| numbers.len()).collect::<Vec<_>>();
        if lengths(&state) != lengths(&self.state) {
            return of_another("optimizer's numbers");
        }
        let averaged = |state: &State<T>| state.average.iter().map(|a| a.len()).collect::<Vec<_>>();
        let weights: usize = self.state.parameters().map(<[T]>::len).sum();
        let mut pairs = state.pairs.0.iter();
        if averaged(&state) != averaged(&self.state)
            || !(state.pairs.0.is_empty() || self.training.optimizer.is_searching())
            || pairs.any(|pair| pair.step.len() != weights || !pair.is_possible())
        {
            return of_another("optimizer's numbers");
        }
        let (at, steps) = (&state.position, self.steps_per_epoch());
        let examples = at.step.saturating_mul(self.batch).min(self.rows.len());
        let is_possible = at.step <= steps
            && at.examples == examples
            && (at.weight >= 0.0 && at.weight.is_finite() && (at.weight > 0.0) == (at.step > 0))
            && at.epoch.checked_mul(steps).and_then(|done| done.checked_add(at.step)) == Some(at.steps)
            && [at.best_epoch, at.kept_epoch].into_iter().flatten().all(|epoch| epoch < at.epoch)
            && at.plateau.is_possible()
            && (state.has_best() || !self.needs_best(&state));
        if !is_possible {
            return of_another("numbers");
        }
        self.state = state;
        self.reached = None;
        Ok(self)
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
        self.step_at(None)
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
            // All rows in one batch: their order changes only the rounding, and they need not be copied again.
            if training.shuffle && batch < rows.len() {
                epoch_order(rows, training.seed, epoch as u32, &mut self.order);
            } else {
                self.order.extend_from_slice(rows);
            }
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

    /// Ends an epoch: validation, plateau, early stopping, and the observer's word.
    fn end_epoch(&mut self, observer: &mut dyn Observer) {
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

    /// One step on the rows at some places of the order.
    fn descend(&mut self, range: Range<usize>, rate: f64) -> Result<Descended> {
        let Self { training, machine, .. } = *self;
        let Some(rules) = training.optimizer.rules(rate, self.state.position.steps as u64 + 1) else {
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
        stepper.executor.change(residents, &rules);
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
            stepper.executor.change(&mut own, rules);
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

    /// What tells the run from others: a hash of the network, of the settings and of the rows.
    fn fingerprint(&self) -> &Fingerprint {
        self.fingerprint.get_or_init(|| self.find_fingerprint())
    }

    /// The same hash with all numbers of some rows.
    fn hash_rows(&self, mut hash: Hash, data: &Dataset<T>, rows: &[usize]) -> Hash {
        let (inputs, outputs) = (data.width(), data.outputs());
        // Of inputs that are mostly zero, only the entries are read.
        let given = data.features().entries().unwrap_or(inputs);
        let is_listed = data.features().entries().is_some();
        let (mut columns, mut numbers) = (vec![0_u32; given], vec![T::ZERO; given.max(outputs)]);
        let features = [data.features()];
        let mut ahead = Ahead::of(&features, 1);
        for (at, row) in rows.iter().enumerate() {
            hash = hash.with(*row as u64);
            let (features, place) = match &mut ahead {
                None => (features[0], *row),
                Some(ahead) => match ahead.rows(&features, rows, at..at + 1) {
                    Ok((loaded, places)) => (&loaded[0], places[0]),
                    // What cannot be read is of no run.
                    Err(_) => continue,
                },
            };
            if is_listed {
                features.write_entries(&[place], &mut columns, &mut numbers[..given]);
                hash = columns.iter().fold(hash, |hash, column| hash.with(u64::from(*column)));
            } else {
                features.write(self.machine.isa, &[place], &mut numbers[..given]);
            }
            hash = numbers[..given].iter().fold(hash, |hash, x| hash.with(x.to_f64().to_bits()));
            data.targets().write(&[*row], &mut numbers[..outputs]);
            hash = numbers[..outputs].iter().fold(hash, |hash, x| hash.with(x.to_f64().to_bits()));
            if let Some(weights) = data.weights() {
                hash = hash.with(weights[*row].to_f64().to_bits());
            }
        }
        hash
    }

    fn find_fingerprint(&self) -> Fingerprint {
        let settings = Training {
            // A longer run of the same settings begins with the same steps.
            epochs: if self.training.schedule.shape.depends_on_epochs() { self.training.epochs } else { 0 },
            ..self.training.clone()
        };
        let json = |text: serde_json::Result<String>| Hash::of_text(&text.unwrap_or_default()).digits();
        let lengths = Hash::new().with(self.rows.len() as u64).with(self.validation.len() as u64);
        let data = self.hash_rows(lengths, self.data, &self.rows);
        let data = self.hash_rows(data, self.watched, self.validation);
        Fingerprint {
            network: json(serde_json::to_string(self.network)),
            training: json(serde_json::to_string(&settings)),
            data: data.digits(),
        }
    }
}

/// What a step found.
struct Descended {
    /// The cost of its rows before it.
    cost: f64,
    /// The gradient's norm; 0 if it is not clipped.
    norm: f64,
    /// Whether a search is over.
    is_over: bool,
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
