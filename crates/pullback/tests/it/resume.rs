//! A run that is stopped, saved and taken up ends with the same bits as one that never stopped.

use pullback::data::{Dataset, Features, Targets};
use pullback::network::{Activation, Cost, Layer, Network};
use pullback::random::{Purpose, Random};
use pullback::train::{
    Batch, EarlyStopping, Epoch, Flow, Machine, Observer, Optimizer, Schedule, Shape, Silent, State,
    StepReport, Stop, Trained, Trainer, Training, train,
};

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
    let (data, network) = (data(), network());
    let (rows, validation): (Vec<usize>, Vec<usize>) = (0..ROWS).partition(|row| row % 5 > 0);
    let machine = &Machine::with_threads(1);
    let whole = train(&network, training, &data, &rows, &validation, machine, &mut Silent).unwrap();
    let steps = if training.batch == Batch::Full { 1 } else { 4 };
    for steps in [1, steps - 1, steps, 2 * steps + 2, EPOCHS * steps].into_iter().filter(|steps| *steps > 0) {
        for threads in [1, 3] {
            let what = format!("{what}, after {steps} steps, {threads} threads");
            let mut first = Trainer::new(&network, training, &data, &rows, &validation, machine).unwrap();
            let mut after = After(steps);
            while first.epoch(&mut after) == Flow::Continue {}
            let bytes = first.state().to_bytes().unwrap();
            drop(first);
            let state = State::from_bytes(&bytes).unwrap();
            assert_eq!(state.to_bytes().unwrap(), bytes, "{what}: the state that was read");
            let other = Machine::with_threads(threads);
            let mut second =
                Trainer::resume(&network, training, &data, &rows, &validation, &other, state).unwrap();
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
        check(name, &Training { optimizer: Optimizer::from_name(name).unwrap(), ..settings() });
    }
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
