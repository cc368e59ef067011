//! A run that is stopped, saved and taken up ends with the same bits as one that never stopped.

use pullback::data::{Dataset, Features, Targets, builtin};
use pullback::job::{Checkpoints, Fitted, Job, Keeper, Settings};
use pullback::network::{Activation, Cost, Form, Input, Layer, Network};
use pullback::random::{Purpose, Random};
use pullback::train::{
    Batch, EarlyStopping, Epoch, Flow, Machine, Observer, Optimizer, Schedule, Shape, Silent, State,
    StepReport, Stop, Trained, Trainer, Training, train,
};
use std::collections::BTreeMap;
use std::sync::Mutex;

const ROWS: usize = 75;
const EPOCHS: usize = 5;

fn data() -> Dataset<f32> {
    let random = Random::new(11, Purpose::Sample, 0);
    let ids: Vec<u32> = (0..ROWS).map(|row| (row % 3) as u32).collect();
    let values = (0..ROWS * 6).map(|at| (random.normal(at as u64) + f64::from(ids[at / 6])) as f32).collect();
    Dataset::new(Features::dense(values, 6).unwrap(), Targets::classes(ids, 3).unwrap()).unwrap()
}

/// Everything that draws random numbers, keeps running averages or depends on the batch.
fn network() -> Network {
    let mut network = Network::dense(6, &[12, 7], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
    network.layers.insert(1, Layer::batch_norm());
    network.layers.insert(3, Layer::dropout(0.3));
    network.regularization.l2 = 1e-3;
    network
}

/// Batches of 16 of 60 rows: 4 steps an epoch, the last of 12.
fn settings() -> Training {
    Training { epochs: EPOCHS, batch: Batch::Of(16), learning_rate: Some(0.02), ..Training::default() }
}

/// Stops after that many steps.
struct After(usize);

impl Observer for After {
    fn step(&mut self, _report: &StepReport) -> Flow {
        self.0 -= 1;
        if self.0 == 0 { Flow::Stop } else { Flow::Continue }
    }
}

fn bits(trained: &Trained<f32>) -> Vec<u32> {
    trained.parameters.iter().flatten().map(|x| x.to_bits()).collect()
}

fn check(what: &str, training: &Training) {
    check_of(what, &network(), training);
}

fn check_of(what: &str, network: &Network, training: &Training) {
    let data = data();
    let (rows, validation): (Vec<usize>, Vec<usize>) = (0..ROWS).partition(|row| row % 5 > 0);
    let machine = &Machine::with_threads(1);
    let whole = train(network, training, &data, &rows, &validation, machine, &mut Silent).unwrap();
    let steps = if training.batch == Batch::Full { 1 } else { 4 };
    for steps in
        [1, steps - 1, steps, 2 * steps + 2, training.epochs * steps].into_iter().filter(|steps| *steps > 0)
    {
        for threads in [1, 3] {
            let what = format!("{what}, after {steps} steps, {threads} threads");
            let mut first = Trainer::new(network, training, &data, &rows, &validation, machine).unwrap();
            let mut after = After(steps);
            while first.epoch(&mut after) == Flow::Continue {}
            let bytes = first.state().to_bytes().unwrap();
            drop(first);
            let state = State::from_bytes(&bytes).unwrap();
            assert_eq!(state.to_bytes().unwrap(), bytes, "{what}: the state that was read");
            let other = Machine::with_threads(threads);
            let mut second =
                Trainer::resume(network, training, &data, &rows, &validation, &other, state).unwrap();
            while second.epoch(&mut Silent) == Flow::Continue {}
            let resumed = second.finish();
            assert_eq!(resumed.history, whole.history, "{what}");
            assert_eq!(bits(&resumed), bits(&whole), "{what}");
        }
    }
}

#[test]
fn a_resumed_run_has_the_same_bits_for_every_optimizer() {
    for name in Optimizer::NAMES {
        let optimizer = Optimizer::from_name(name).unwrap();
        if optimizer.is_searching() {
            // Without layers that it refuses, for longer than its history.
            let network = Network::dense(6, &[12, 7], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
            let training = Training { optimizer, batch: Batch::Full, ..Training::default() };
            for epochs in [EPOCHS, 25] {
                check_of(name, &network, &Training { epochs, ..training.clone() });
            }
            continue;
        }
        check(name, &Training { optimizer, ..settings() });
    }
}

#[test]
fn a_resumed_run_has_the_same_bits_with_an_average_of_weights_and_accumulated_batches() {
    check("average", &Training { ema: Some(0.9), ..settings() });
    let early_stopping = Some(EarlyStopping { patience: 1, ..EarlyStopping::default() });
    check("average, early stopping", &Training { ema: Some(0.6), early_stopping, ..settings() });
    // Steps of 4 batches of 4 rows.
    check("accumulated", &Training { batch: Batch::Of(4), accumulate: 4, ..settings() });
    let clip_norm = Some(0.3);
    check("both", &Training { batch: Batch::Of(8), accumulate: 2, ema: Some(0.9), clip_norm, ..settings() });
}

#[test]
fn a_resumed_run_has_the_same_bits_for_every_schedule() {
    for name in Shape::NAMES {
        let mut shape = Shape::from_name(name).unwrap();
        if let Shape::Plateau { patience, .. } = &mut shape {
            *patience = 1;
        }
        let schedule = Schedule { warmup_epochs: 1.25, shape };
        check(name, &Training { schedule, learning_rate: Some(0.1), ..settings() });
    }
}

#[test]
fn a_resumed_run_has_the_same_bits_with_early_stopping_clipping_and_full_batches() {
    let early_stopping = Some(EarlyStopping { patience: 1, ..EarlyStopping::default() });
    check("early stopping", &Training { early_stopping, learning_rate: Some(0.5), ..settings() });
    check("clipping", &Training { clip_norm: Some(0.3), ..settings() });
    check("full batches", &Training { batch: Batch::Full, ..settings() });
    check("in order", &Training { shuffle: false, ..settings() });
}

#[test]
fn a_run_can_be_made_longer_but_is_no_other_run() {
    let (data, network, machine) = (data(), network(), Machine::with_threads(1));
    let rows: Vec<usize> = (0..ROWS).collect();
    let two_epochs = Training { epochs: 2, ..settings() };
    let mut short = Trainer::new(&network, &two_epochs, &data, &rows, &[], &machine).unwrap();
    while short.epoch(&mut Silent) == Flow::Continue {}
    assert_eq!(short.stop(), Some(Stop::Finished));
    let state = short.state();
    let resume = |network, training: &Training, rows: &[usize], state: State<f32>| {
        let mut trainer = Trainer::resume(network, training, &data, rows, &[], &machine, state)?;
        while trainer.epoch(&mut Silent) == Flow::Continue {}
        Ok(trainer.finish())
    };
    let long = resume(&network, &settings(), &rows, state.clone()).unwrap();
    let whole = train(&network, &settings(), &data, &rows, &[], &machine, &mut Silent).unwrap();
    assert_eq!((bits(&long), long.history), (bits(&whole), whole.history));

    let refused = |what: &str, resumed: pullback::Result<Trained<f32>>| {
        let error = resumed.unwrap_err().to_string();
        assert!(error.contains(what), "`{error}` does not say `{what}`");
    };
    let mut other = network.clone();
    other.regularization.l2 = 0.5;
    refused("network", resume(&other, &settings(), &rows, state.clone()));
    refused("training settings", resume(&network, &Training { seed: 1, ..settings() }, &rows, state.clone()));
    let schedule = Schedule { warmup_epochs: 0.0, shape: Shape::Cosine { final_fraction: 0.0 } };
    refused(
        "training settings",
        resume(&network, &Training { schedule, ..settings() }, &rows, state.clone()),
    );
    refused("rows", resume(&network, &settings(), &rows[1..], state));
}

#[test]
fn an_observer_keeps_the_weights_that_it_calls_the_best() {
    struct Third(Vec<Vec<f64>>, usize);
    impl Observer for Third {
        fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
            self.1 = epoch.predictions().len();
            if epoch.report.epoch == 2 {
                self.0 = epoch.parameters();
                epoch.keep();
            }
            if epoch.report.epoch == 3 { Flow::Stop } else { Flow::Continue }
        }
    }
    let (data, network, machine) = (data(), network(), Machine::with_threads(1));
    let (rows, validation): (Vec<usize>, Vec<usize>) = (0..ROWS).partition(|row| row % 5 > 0);
    let mut third = Third(Vec::new(), 0);
    let trained = train(&network, &settings(), &data, &rows, &validation, &machine, &mut third).unwrap();
    let kept: Vec<Vec<f64>> =
        trained.parameters.iter().map(|numbers| numbers.iter().map(|x| f64::from(*x)).collect()).collect();
    assert!(kept == third.0 && third.1 == 15 * 3);
    let history = trained.history;
    assert_eq!((history.kept_epoch, history.epochs.len(), history.stop), (Some(2), 4, Stop::Observer));
}

#[test]
fn a_damaged_state_ends_in_an_error_or_another_state() {
    let (data, network, machine) = (data(), network(), Machine::with_threads(1));
    let (training, rows) = (settings(), (0..ROWS).collect::<Vec<_>>());
    let mut trainer = Trainer::new(&network, &training, &data, &rows, &[], &machine).unwrap();
    trainer.epoch(&mut After(6));
    trainer.epoch(&mut After(1));
    let bytes = trainer.state().to_bytes().unwrap();
    let mut refused = 0;
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for at in 0..header {
        for change in [1, 0x10] {
            let mut bytes = bytes.clone();
            bytes[at] ^= change;
            let resumed = State::from_bytes(&bytes)
                .and_then(|state| Trainer::resume(&network, &training, &data, &rows, &[], &machine, state));
            match resumed {
                Ok(mut trainer) => while trainer.epoch(&mut Silent) == Flow::Continue {},
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > header, "only {refused} of {} changes are noticed", 2 * header);
    for length in (0..bytes.len()).step_by(97) {
        assert!(State::<f32>::from_bytes(&bytes[..length]).is_err());
    }
    assert!(State::<f64>::from_bytes(&bytes).is_err(), "numbers of another type");
}

/// Keeps the states of each network in memory, at moments without a pattern.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<usize, Vec<Vec<u8>>>>);

impl Keeper for Memory {
    fn is_due(&self, member: usize, _epochs: usize, steps: usize) -> bool {
        (7 * steps + 3 * member).is_multiple_of(5)
    }

    fn keep(&self, member: usize, state: &State<f32>) {
        self.0.lock().unwrap().entry(member).or_default().push(state.to_bytes().unwrap());
    }
}

/// Ends a run after some steps.
impl Observer for Ending {
    fn step(&mut self, _report: &StepReport) -> Flow {
        self.0 -= 1;
        if self.0 == 0 { Flow::Stop } else { Flow::Continue }
    }
}

struct Ending(usize);

#[test]
fn a_job_that_is_ended_again_and_again_makes_the_same_model() {
    let told = [
        ("iris", &[("dropout", "0.2"), ("batch_norm", "true")][..]),
        ("iris", &[("validation", "0.2"), ("early_stopping", "1"), ("learning_rate", "0.3")]),
        (
            "iris",
            &[("learning_rate", "1e6"), ("hidden", "none"), ("optimizer", "sgd"), ("cost", "squared_error")],
        ),
    ];
    for (data, more) in told {
        let mut settings = Settings::default();
        settings.set("epochs", "6").unwrap();
        for (name, value) in more {
            settings.set(name, value).unwrap();
        }
        let job = Job::new(settings, builtin::load(data, 0).unwrap()).decide().unwrap();
        let machine = Machine::with_threads(2);
        let whole = job.run(&machine, &mut Silent);
        let memory = Memory::default();
        let mut ends = 0;
        let resumed = loop {
            let kept = memory.0.lock().unwrap().clone();
            let state = |member| {
                kept.get(&member)
                    .and_then(|states| states.last())
                    .map(|bytes| State::from_bytes(bytes).unwrap())
            };
            let states = (0..job.members().len()).map(state).collect();
            let checkpoints = Checkpoints { states, keeper: Some(&memory) };
            let fitted = job.resume(&machine, &mut Ending(3), &checkpoints);
            let is_ended =
                |fitted: &Fitted| fitted.model.run().is_some_and(|run| run.history.stop == Stop::Observer);
            if !fitted.as_ref().is_ok_and(is_ended) {
                break fitted;
            }
            ends += 1;
        };
        let bytes = |fitted: Fitted| fitted.model.to_bytes().unwrap();
        let said = |error: pullback::Error| error.to_string();
        assert!(resumed.map(bytes).map_err(said) == whole.map(bytes).map_err(said), "{more:?}");
        assert!(ends > 1 || more[0].1 == "1e6", "{more:?} was ended {ends} times");
    }
}

#[test]
fn networks_of_an_ensemble_go_on_from_states_of_any_age() {
    let mut settings = Settings::default();
    let told = [("ensemble", "4"), ("validation", "0.2"), ("early_stopping", "2"), ("epochs", "9")];
    told.iter().for_each(|(name, value)| settings.set(name, value).unwrap());
    let job = Job::new(settings, builtin::load("iris", 0).unwrap()).decide().unwrap();
    let machine = Machine::with_threads(2);
    let memory = Memory::default();
    let checkpoints = Checkpoints { keeper: Some(&memory), ..Checkpoints::default() };
    let whole = job.resume(&machine, &mut Silent, &checkpoints).unwrap().model.to_bytes().unwrap();
    assert!(whole == job.run(&machine, &mut Silent).unwrap().model.to_bytes().unwrap());
    let kept = memory.0.lock().unwrap().clone();
    for mix in 0..6 {
        // Some are at their end, some in the middle of an epoch, one has not begun.
        let state = |member: usize| {
            let states = &kept[&member];
            let at = (3 * mix + 5 * member) % (states.len() + 1);
            states.get(at).map(|bytes| State::from_bytes(bytes).unwrap())
        };
        let states = (0..4).map(|member| if member == mix { None } else { state(member) }).collect();
        let resumed = job.resume(&machine, &mut Silent, &Checkpoints { states, keeper: None }).unwrap();
        assert!(resumed.model.to_bytes().unwrap() == whole, "mix {mix}");
    }
    // A state is of its own network.
    let first = State::from_bytes(kept[&0].last().unwrap()).unwrap();
    let checkpoints = Checkpoints { states: vec![None, Some(first)], keeper: None };
    let error = job.resume(&machine, &mut Silent, &checkpoints).unwrap_err();
    assert!(error.to_string().contains("the state is of another run"), "{error}");
}

#[test]
fn a_state_is_of_all_inputs() {
    let inputs = [Input::new("a", Form::Row(2)), Input::new("b", Form::Row(1))];
    let network = Network::with_inputs(inputs, [Layer::dense(1)], Cost::SquaredError);
    // Only the last number of the second input differs.
    let data = |last| {
        let a = Features::dense(vec![1.0_f32, 2.0, 3.0, 4.0], 2).unwrap();
        let b = Features::dense(vec![5.0, last], 1).unwrap();
        let targets = Targets::values(vec![0.0, 1.0], 1).unwrap();
        Dataset::with_inputs(vec![("a".into(), a), ("b".into(), b)], targets).unwrap()
    };
    let (own, other, machine) = (data(6.0), data(7.0), Machine::with_threads(1));
    let training = settings();
    let mut trainer = Trainer::new(&network, &training, &own, &[0, 1], &[], &machine).unwrap();
    trainer.step();
    let resume =
        |data| Trainer::resume(&network, &training, data, &[0, 1], &[], &machine, trainer.state()).map(drop);
    resume(&own).unwrap();
    let message = resume(&other).unwrap_err().to_string();
    assert!(message.contains("rows"), "{message}");
}

#[test]
fn a_run_on_other_rows_goes_on_with_what_the_optimizer_keeps() {
    let (data, machine) = (data(), Machine::with_threads(1));
    // Without masks, which depend on the epoch.
    let mut network = network();
    network.layers.remove(3);
    let (first, second): (Vec<usize>, Vec<usize>) = ((0..48).collect(), (48..ROWS).collect());
    for name in ["adam", "nesterov"] {
        let optimizer = Optimizer::from_name(name).unwrap();
        // Two epochs of the same rows in their order are one epoch, and a run of one that goes on from it.
        let two = Training { epochs: 2, shuffle: false, optimizer, ..settings() };
        let whole = train(&network, &two, &data, &first, &[], &machine, &mut Silent).unwrap();
        let one = Training { epochs: 1, ..two.clone() };
        let mut begun = Trainer::new(&network, &one, &data, &first, &[], &machine).unwrap();
        begun.epoch(&mut Silent);
        let state = State::from_bytes(&begun.unbound_state().to_bytes().unwrap()).unwrap();
        let other_seed = Training { seed: 7, ..one.clone() };
        let run = |rows| Trainer::new(&network, &other_seed, &data, rows, &[], &machine).unwrap();
        let mut same_rows = run(&first).going_on_from(&state).unwrap();
        same_rows.epoch(&mut Silent);
        assert_eq!(bits(&same_rows.finish()), bits(&whole), "{name}");
        run(&second).going_on_from(&state).unwrap().epoch(&mut Silent);
        // It is of no run that could be resumed, and of no other network.
        assert!(Trainer::resume(&network, &one, &data, &first, &[], &machine, state.clone()).is_err());
        let wider = Network::dense(6, &[13, 7], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
        let wider = Trainer::new(&wider, &one, &data, &first, &[], &machine).unwrap();
        assert!(wider.going_on_from(&state).is_err());
    }
}

#[test]
fn a_learning_rate_can_be_changed_while_it_trains() {
    let (data, machine, network) = (data(), Machine::with_threads(1), network());
    let rows: Vec<usize> = (0..ROWS).collect();
    let training = Training { learning_rate: Some(0.5), ..settings() };
    let mut own = Trainer::new(&network, &training, &data, &rows, &[], &machine).unwrap();
    own.set_learning_rate(settings().learning_rate);
    while own.epoch(&mut Silent) == Flow::Continue {}
    let expected = train(&network, &settings(), &data, &rows, &[], &machine, &mut Silent).unwrap();
    assert_eq!(bits(&own.finish()), bits(&expected));
}
