//! Training by L-BFGS: the minimum that it comes to, and what it refuses.

use pullback::data::{Dataset, Features, Targets};
use pullback::job::{Job, Settings};
use pullback::network::{Activation, Cost, Layer, Network, Regularization};
use pullback::train::{
    Batch, EarlyStopping, Flow, GradientMethod, Machine, Optimizer, Precision, Schedule, Silent, Stop,
    Trained, Training, train,
};
use serde::Deserialize;

/// What scikit-learn makes of iris, with `oracle/lbfgs.py`.
#[derive(Deserialize)]
struct Oracle {
    features: Vec<f64>,
    classes: Vec<u32>,
    weights: Vec<f64>,
    biases: Vec<f64>,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../oracle/lbfgs.json")).unwrap()
}

fn iris() -> Dataset<f64> {
    let Oracle { features, classes, .. } = oracle();
    Dataset::new(Features::dense(features, 4).unwrap(), Targets::classes(classes, 3).unwrap()).unwrap()
}

/// Half the squared weights beside the sum of so many costs: `C = 1`.
fn logistic(rows: usize) -> Network {
    let regularization = Regularization { l2: 1.0 / rows as f64, ..Regularization::default() };
    Network { regularization, ..Network::dense(4, &[], 3, Activation::Identity, Cost::SoftmaxCrossEntropy) }
}

fn training(tolerance: f64) -> Training {
    Training {
        epochs: 500,
        batch: Batch::Full,
        optimizer: Optimizer::Lbfgs { tolerance },
        ..Training::default()
    }
}

fn run(network: &Network, training: &Training, data: &Dataset<f64>, machine: &Machine) -> Trained<f64> {
    let rows: Vec<usize> = (0..data.rows()).collect();
    train(network, training, data, &rows, &[], machine, &mut Silent).unwrap()
}

#[test]
fn a_learning_rate_is_refused_and_none_is_stored() {
    let mut settings = Settings::default();
    settings.set("optimizer", "lbfgs").unwrap();
    let table = || pullback::data::builtin::load("iris", 0).unwrap();
    let decided = Job::new(settings.clone(), table()).decide().unwrap();
    assert_eq!(decided.settings().learning_rate, None);
    assert!(decided.reasons().iter().all(|reason| !reason.to_string().contains("learning rate")));
    // What is decided can be decided again.
    Job::new(decided.settings().clone(), table()).decide().unwrap();
    settings.set("learning_rate", "0.1").unwrap();
    let error = Job::new(settings, table()).decide().unwrap_err().to_string();
    assert!(error.contains("lbfgs searches for the length of each step"), "{error}");
}

/// Between two minima that both searches ended at: the gradient that they leave, over the smallest curvature.
const TOLERANCE: f64 = 1e-6;

#[test]
fn logistic_regression_comes_to_the_minimum_of_scikit_learn() {
    let (data, Oracle { weights, biases, .. }) = (iris(), oracle());
    let Trained { parameters, history } =
        run(&logistic(150), &training(1e-10), &data, &Machine::with_threads(1));
    for (found, wanted) in parameters.iter().flatten().zip(weights.iter().chain(&biases)) {
        assert!((found - wanted).abs() < TOLERANCE, "{found}, not {wanted}");
    }
    assert_eq!((history.stop, history.kept_epoch), (Stop::Converged, Some(history.epoch_count - 1)));
    assert!(history.epoch_count < 250, "{} steps", history.epoch_count);
    let costs: Vec<f64> = history.epochs.iter().map(|epoch| epoch.cost).collect();
    assert!(costs.windows(2).all(|pair| pair[1] <= pair[0]), "the cost never rises: {costs:?}");
}

#[test]
fn rows_of_weight_two_count_as_two_rows() {
    let Oracle { mut features, mut classes, .. } = oracle();
    let weights = (0..150).map(|row| if row % 3 == 0 { 2.0 } else { 1.0 }).collect();
    let weighted = iris().with_weights(weights).unwrap();
    for row in (0..150).step_by(3) {
        features.extend_from_within(row * 4..row * 4 + 4);
        classes.push(classes[row]);
    }
    let (features, targets) = (Features::dense(features, 4).unwrap(), Targets::classes(classes, 3).unwrap());
    let repeated = Dataset::new(features, targets).unwrap();
    let [one, two] = [&weighted, &repeated].map(|data| {
        run(&logistic(200), &training(1e-10), data, &Machine::with_threads(1)).parameters.concat()
    });
    assert!(one.iter().zip(&two).all(|(one, two)| (one - two).abs() < TOLERANCE), "{one:?}, not {two:?}");
}

#[test]
fn a_search_has_the_same_bits_on_any_number_of_threads() {
    let data = iris();
    let network = Network::dense(4, &[9, 5], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let settings = Training { epochs: 30, ..training(0.0) };
    let one = run(&network, &settings, &data, &Machine::with_threads(1));
    assert!(one.history.epochs[29].cost < 0.2 * one.history.epochs[0].cost);
    for threads in 2..=5 {
        let other = run(&network, &settings, &data, &Machine::with_threads(threads));
        assert_eq!((&other.parameters, &other.history), (&one.parameters, &one.history), "{threads} threads");
    }
}

#[test]
fn early_stopping_keeps_the_best_step_of_a_search() {
    let data = iris();
    let (rows, validation): (Vec<usize>, Vec<usize>) = (0..150).partition(|row| row % 4 > 0);
    let network = Network::dense(4, &[30], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let early_stopping = Some(EarlyStopping { patience: 5, ..EarlyStopping::default() });
    let settings = Training { early_stopping, ..training(0.0) };
    let machine = Machine::with_threads(1);
    let Trained { history, .. } =
        train(&network, &settings, &data, &rows, &validation, &machine, &mut Silent).unwrap();
    let costs: Vec<f64> = history.epochs.iter().map(|epoch| epoch.validation_cost.unwrap()).collect();
    let best = (0..costs.len()).fold(0, |best, at| if costs[at] < costs[best] { at } else { best });
    assert_eq!((history.stop, history.kept_epoch), (Stop::NoImprovement, Some(best)));
}

#[test]
fn a_search_that_has_ended_is_not_begun_again() {
    let data = iris();
    let rows: Vec<usize> = (0..150).collect();
    let (network, settings, machine) = (logistic(150), training(1e-4), Machine::with_threads(1));
    let mut trainer =
        pullback::train::Trainer::new(&network, &settings, &data, &rows, &[], &machine).unwrap();
    while trainer.epoch(&mut Silent) == Flow::Continue {}
    assert_eq!(trainer.stop(), Some(Stop::Converged));
    assert!(trainer.step().is_none());
    // Begun at the minimum, it takes one step of no length.
    let end = trainer.finish().parameters;
    let trainer = pullback::train::Trainer::new(&network, &settings, &data, &rows, &[], &machine).unwrap();
    let mut trainer = trainer.starting_with(&end).unwrap();
    while trainer.epoch(&mut Silent) == Flow::Continue {}
    let again = trainer.finish();
    assert_eq!((again.history.epoch_count, again.history.stop), (1, Stop::Converged));
    assert_eq!(again.parameters, end);
}

#[test]
fn what_a_search_cannot_do_is_refused_with_its_reason() {
    let data = iris();
    let rows: Vec<usize> = (0..150).collect();
    let refused = |network: &Network, training: Training, what: &str| {
        let machine = Machine::with_threads(1);
        let found = train(network, &training, &data, &rows, &[], &machine, &mut Silent);
        let error = found.unwrap_err().one_line();
        assert!(error.contains(what), "`{error}` does not say `{what}`");
    };
    let plain = logistic(150);
    let of = || training(1e-5);
    refused(&plain, Training { batch: Batch::Of(32), ..of() }, "not batches of 32");
    refused(&plain, Training { accumulate: 2, ..of() }, "no batches to accumulate");
    refused(&plain, Training { ema: Some(0.9), ..of() }, "stay behind");
    refused(&plain, Training { clip_norm: Some(1.0), ..of() }, "clipping would change");
    refused(&plain, Training { precision: Precision::Bf16, ..of() }, "too coarsely");
    refused(&plain, Training { gradient: GradientMethod::Differences, ..of() }, "back propagation");
    refused(
        &plain,
        Training { schedule: Schedule { warmup_epochs: 1.0, ..Schedule::default() }, ..of() },
        "a schedule has no use",
    );
    for (layer, what) in [(Layer::dropout(0.2), "dropout"), (Layer::batch_norm(), "batch norm")] {
        let mut network = Network::dense(4, &[5], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
        network.layers.insert(1, layer);
        refused(&network, of(), what);
    }
}

#[test]
fn a_job_takes_all_rows_and_a_constant_rate_where_nothing_else_is_said() {
    let job = |given: &[(&str, &str)]| {
        let mut settings = Settings::default();
        for (name, value) in [("optimizer", "lbfgs")].iter().chain(given) {
            settings.set(name, value).unwrap();
        }
        Job::new(settings, pullback::data::builtin::load("iris", 0).unwrap()).decide()
    };
    let decided = job(&[]).unwrap();
    assert_eq!(decided.members().len(), 1);
    assert_eq!((decided.training().batch, decided.training().schedule), (Batch::Full, Schedule::default()));
    let fitted = decided.run(&Machine::with_threads(1), &mut Silent).unwrap();
    let run = fitted.model.run().unwrap();
    assert_eq!(run.training.optimizer.name(), "lbfgs");
    assert!(run.history.epochs.last().unwrap().cost < 0.05);
    let bytes = fitted.model.to_bytes().unwrap();
    assert!(pullback::model::Model::<f32>::from_bytes(&bytes).is_ok());
    let error = job(&[("batch", "16")]).unwrap_err().one_line();
    assert!(error.contains("not batches of 16"), "{error}");
    assert!(job(&[("tolerance", "0.1")]).unwrap().training().optimizer.get("tolerance") == Some(0.1));
}
