//! What a training run does, against plain loops in f64: the batches of an epoch and their mean cost, the rate of each
//! step, clipping, plateau, early stopping, what a run that diverges goes back to, shuffling, and dropout.

use pullback::data::{Dataset, Features, Targets};
use pullback::execute::Machine;
use pullback::network::layers::Dense;
use pullback::network::{Activation, Cost, Layer, Network};
use pullback::train::{
    Batch, EarlyStopping, EpochReport, Flow, Metric, Optimizer, Schedule, Shape, Silent, Stop, Trained,
    Trainer, Training, evaluate, train,
};

/// Sums in another order differ by this much at most.
const ROUNDING: f64 = 1e-12;
/// The same after 16 steps whose gradients are summed in another order.
const ACCUMULATED: f64 = 1e-11;
const INPUTS: usize = 3;
/// Rows to train on: two batches of four and one of two.
const ROWS: usize = 10;
const BATCH: usize = 4;
/// Further rows, to validate on.
const VALIDATION: usize = 5;

fn one() -> Machine {
    Machine::with_threads(1)
}

/// A weighted sum without a bias, and half the square of its error.
fn network() -> Network {
    let mut network = Network::dense(INPUTS, &[], 1, Activation::Tanh, Cost::SquaredError);
    network.layers = vec![Dense { has_bias: false, ..Dense::new(1) }.into()];
    network
}

/// Features and targets of all rows; those of validation are of another function.
fn table() -> (Vec<f64>, Vec<f64>) {
    let features: Vec<f64> =
        (0..(ROWS + VALIDATION) * INPUTS).map(|i| ((i * i * 7 + 3 * i) % 19) as f64 / 9.0 - 1.0).collect();
    let target = |row: usize| {
        let x = &features[row * INPUTS..][..INPUTS];
        let sign = if row < ROWS { 1.0 } else { -1.0 };
        sign * (2.0 * x[0] - x[1] + 0.5 * x[2]) + 0.3 * (row % 3) as f64
    };
    let targets = (0..ROWS + VALIDATION).map(target).collect();
    (features, targets)
}

fn dataset(features: &[f64], targets: &[f64]) -> Dataset<f64> {
    let features = Features::dense(features.to_vec(), features.len() / targets.len()).unwrap();
    Dataset::new(features, Targets::values(targets.to_vec(), 1).unwrap()).unwrap()
}

/// What a run comes to, by plain loops.
#[derive(Default)]
struct Plain {
    weights: Vec<f64>,
    costs: Vec<f64>,
    validation_costs: Vec<f64>,
    rates: Vec<f64>,
    norms: Vec<f64>,
    /// The weights after each epoch.
    history: Vec<Vec<f64>>,
}

/// The settings that plain loops know.
struct Rules {
    epochs: usize,
    rate: f64,
    /// The factor of the rate in an epoch.
    schedule: fn(usize) -> f64,
    /// Factor and patience of a plateau.
    plateau: Option<(f64, usize)>,
    clip_norm: Option<f64>,
    is_adam: bool,
    /// How much of an average is kept, and how many batches make a step.
    ema: Option<f64>,
    accumulate: usize,
}

const PLAIN: Rules = Rules {
    epochs: 5,
    rate: 0.1,
    schedule: |_| 1.0,
    plateau: None,
    clip_norm: None,
    is_adam: false,
    ema: None,
    accumulate: 1,
};

fn error(weights: &[f64], x: &[f64], target: f64) -> f64 {
    weights.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() - target
}

fn plain(rules: &Rules, features: &[f64], targets: &[f64]) -> Plain {
    let row = |row: usize| (&features[row * INPUTS..][..INPUTS], targets[row]);
    let mut found = Plain { weights: network().initialize::<f64>(0).unwrap().concat(), ..Plain::default() };
    let (mut mean, mut square, mut step) = (vec![0.0; INPUTS], vec![0.0; INPUTS], 0);
    let (mut factor, mut best, mut waited) = (1.0, f64::INFINITY, 0);
    let (mut steps, mut measured) = (Vec::new(), Vec::new());
    for epoch in 0..rules.epochs {
        let (mut sum, mut largest) = (0.0, 0.0_f64);
        let rate = rules.rate * (rules.schedule)(epoch) * factor;
        for batch in (0..ROWS).collect::<Vec<_>>().chunks(BATCH * rules.accumulate) {
            let mut gradient = vec![0.0; INPUTS];
            for &at in batch {
                let (x, target) = row(at);
                let error = error(&found.weights, x, target);
                sum += error * error / 2.0;
                gradient.iter_mut().zip(x).for_each(|(g, x)| *g += error * x / batch.len() as f64);
            }
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            largest = largest.max(norm);
            if let Some(limit) = rules.clip_norm
                && norm > limit
            {
                gradient.iter_mut().for_each(|g| *g *= limit / norm);
            }
            step += 1;
            for (at, g) in gradient.into_iter().enumerate() {
                if rules.is_adam {
                    mean[at] = 0.9 * mean[at] + 0.1 * g;
                    square[at] = 0.999 * square[at] + 0.001 * g * g;
                    let (m, s) =
                        (mean[at] / (1.0 - 0.9_f64.powi(step)), square[at] / (1.0 - 0.999_f64.powi(step)));
                    found.weights[at] -= rate * m / (s.sqrt() + 1e-8);
                } else {
                    found.weights[at] -= rate * g;
                }
            }
            if let Some(share) = rules.ema {
                // Each step counts `share` times as much as the one after it.
                steps.push(found.weights.clone());
                let counts: Vec<f64> = (0..steps.len()).rev().map(|after| share.powi(after as i32)).collect();
                let all: f64 = counts.iter().sum();
                let mean = |at: usize| {
                    steps.iter().zip(&counts).map(|(weights, count)| weights[at] * count).sum::<f64>() / all
                };
                measured = (0..INPUTS).map(mean).collect();
            } else {
                measured.clone_from(&found.weights);
            }
        }
        let validation =
            (ROWS..ROWS + VALIDATION).map(|at| error(&measured, row(at).0, row(at).1).powi(2) / 2.0);
        let validation = validation.sum::<f64>() / VALIDATION as f64;
        if let Some((by, patience)) = rules.plateau {
            (best, waited) = if validation < best { (validation, 0) } else { (best, waited + 1) };
            if waited >= patience {
                (factor, waited) = (factor * by, 0);
            }
        }
        found.costs.push(sum / ROWS as f64);
        found.validation_costs.push(validation);
        found.rates.push(rate);
        found.norms.push(largest);
        found.history.push(measured.clone());
    }
    found.weights = measured;
    found
}

fn training(rules: &Rules) -> Training {
    Training {
        epochs: rules.epochs,
        batch: Batch::Of(BATCH),
        optimizer: if rules.is_adam { "adam" } else { "sgd" }.parse::<Optimizer>().unwrap(),
        learning_rate: Some(rules.rate),
        clip_norm: rules.clip_norm,
        ema: rules.ema,
        accumulate: rules.accumulate,
        shuffle: false,
        ..Training::default()
    }
}

/// Runs on the first rows, and measures on the others.
fn run(training: &Training, features: &[f64], targets: &[f64]) -> Trained<f64> {
    let data = dataset(features, targets);
    let (rows, validation): (Vec<usize>, Vec<usize>) = (0..targets.len()).partition(|row| *row < ROWS);
    train(&network(), training, &data, &rows, &validation, &one(), &mut Silent).unwrap()
}

fn assert_near(what: &str, found: impl IntoIterator<Item = f64>, right: &[f64]) {
    let found: Vec<f64> = found.into_iter().collect();
    let is_near = |(found, right): (&f64, &f64)| (found - right).abs() <= ROUNDING * right.abs().max(1.0);
    assert!(
        found.len() == right.len() && found.iter().zip(right).all(is_near),
        "{what}: {found:?}, not {right:?}"
    );
}

fn check(rules: &Rules, schedule: Schedule) -> Plain {
    let (features, targets) = table();
    let right = plain(rules, &features, &targets);
    let Trained { parameters, history } = run(&Training { schedule, ..training(rules) }, &features, &targets);
    let column = |of: fn(&EpochReport) -> f64| history.epochs.iter().map(of).collect::<Vec<_>>();
    assert_near("weights", parameters.concat(), &right.weights);
    assert_near("costs", column(|report| report.cost), &right.costs);
    assert_near(
        "validation costs",
        column(|report| report.validation_cost.unwrap()),
        &right.validation_costs,
    );
    assert_near("rates", column(|report| report.learning_rate), &right.rates);
    if rules.clip_norm.is_some() {
        assert_near("norms", column(|report| report.gradient_norm.unwrap()), &right.norms);
    }
    right
}

#[test]
fn an_epoch_is_what_plain_loops_make_of_it() {
    check(&PLAIN, Schedule::default());
    check(&Rules { is_adam: true, ..PLAIN }, Schedule::default());
    let exponential = Schedule { shape: Shape::Exponential { factor: 0.5 }, ..Schedule::default() };
    check(&Rules { schedule: |epoch| 0.5_f64.powi(epoch as i32), ..PLAIN }, exponential);
    let clipped = check(&Rules { clip_norm: Some(0.2), ..PLAIN }, Schedule::default());
    assert!(clipped.norms.windows(2).any(|pair| pair[1] < pair[0]), "a norm falls: {:?}", clipped.norms);
    // The validation cost rises from the first epoch on, and the training cost falls.
    let plateau = Schedule { shape: Shape::Plateau { factor: 0.5, patience: 1 }, ..Schedule::default() };
    let found = check(&Rules { plateau: Some((0.5, 1)), ..PLAIN }, plateau);
    assert_eq!(found.rates, [0.1, 0.1, 0.05, 0.025, 0.0125]);
}

#[test]
fn an_average_of_weights_is_what_is_measured_and_kept() {
    for share in [0.0, 0.5, 0.9, 0.999] {
        check(&Rules { ema: Some(share), ..PLAIN }, Schedule::default());
        check(&Rules { ema: Some(share), is_adam: true, ..PLAIN }, Schedule::default());
    }
    // The average of steps that go to and fro is better than the last one, and so is what early stopping keeps.
    let (features, targets) = table();
    let rules = Rules { ema: Some(0.9), ..PLAIN };
    let right = plain(&rules, &features, &targets);
    let early_stopping = Some(EarlyStopping { patience: 3, least_improvement: 0.0 });
    let early = Training { early_stopping, ..training(&rules) };
    let Trained { parameters, history } = run(&early, &features, &targets);
    let best = (0..history.epochs.len())
        .min_by(|&one, &other| right.validation_costs[one].total_cmp(&right.validation_costs[other]));
    assert_eq!(history.kept_epoch, best);
    assert_near("the average that is kept", parameters.concat(), &right.history[best.unwrap()]);
}

#[test]
fn a_step_of_several_batches_is_that_of_one_of_as_many_rows() {
    // 10 rows in batches of 4: a step of 8 rows, and one of the 2 that are left.
    check(&Rules { accumulate: 2, ..PLAIN }, Schedule::default());
    check(&Rules { accumulate: 3, is_adam: true, ..PLAIN }, Schedule::default());
    check(&Rules { accumulate: 2, clip_norm: Some(0.2), ..PLAIN }, Schedule::default());
    check(&Rules { accumulate: 2, ema: Some(0.7), ..PLAIN }, Schedule::default());

    // Every kind of parameter and optimizer, shuffled rows that have weights, some of them 0.
    const MANY: usize = 43;
    let features: Vec<f64> =
        (0..MANY * INPUTS).map(|i| ((i * i * 7 + 3 * i) % 23) as f64 / 9.0 - 1.0).collect();
    let ids = (0..MANY).map(|row| (row * row % 3) as u32).collect();
    let data = Dataset::new(
        Features::dense(features, INPUTS).unwrap(),
        pullback::data::Targets::classes(ids, 3).unwrap(),
    );
    let weights = (0..MANY).map(|row| [1.0, 0.5, 0.0, 3.0, 1.0][row % 5]).collect();
    let data = data.unwrap().with_weights(weights).unwrap();
    let mut network = Network::dense(INPUTS, &[7, 7], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    // Several parameters of one shape.
    network.layers.insert(1, Layer::layer_norm());
    network.regularization.l2 = 0.01;
    let rows: Vec<usize> = (0..MANY).collect();
    let run = |optimizer, batch, accumulate, threads| {
        let training = Training {
            epochs: 4,
            batch: Batch::Of(batch),
            accumulate,
            optimizer,
            learning_rate: Some(0.01),
            ..Training::default()
        };
        train(&network, &training, &data, &rows, &[], &Machine::with_threads(threads), &mut Silent).unwrap()
    };
    for name in Optimizer::NAMES {
        let optimizer = Optimizer::from_name(name).unwrap();
        // The sign of a gradient that is nothing but rounding is any.
        if optimizer.is_searching() || *name == "lion" {
            continue;
        }
        let whole = run(optimizer, 12, 1, 1);
        for (batch, accumulate) in [(6, 2), (4, 3), (3, 4), (1, 12)] {
            let found = run(optimizer, batch, accumulate, 1);
            let pairs = found.parameters.iter().flatten().zip(whole.parameters.iter().flatten());
            for (found, whole) in pairs {
                let error = (found - whole).abs() / whole.abs().max(1.0);
                assert!(error < ACCUMULATED, "{name}, {accumulate} of {batch}: {found}, not {whole}");
            }
            for (found, whole) in found.history.epochs.iter().zip(&whole.history.epochs) {
                assert!((found.cost - whole.cost).abs() < ACCUMULATED, "{name}");
            }
            assert_eq!(run(optimizer, batch, accumulate, 3).parameters, found.parameters, "{name}");
        }
    }
}

#[test]
fn gradients_that_are_found_one_by_one_are_those_of_their_own_parameters() {
    use pullback::train::GradientMethod;
    let (features, targets) = table();
    let data = dataset(&features, &targets);
    let rows: Vec<usize> = (0..ROWS).collect();
    // Weights and biases of one shape.
    let mut network = Network::dense(INPUTS, &[3, 3], 1, Activation::Tanh, Cost::SquaredError);
    network.layers.insert(1, Layer::layer_norm());
    let run = |gradient| {
        let training = Training { gradient, ..training(&PLAIN) };
        train(&network, &training, &data, &rows, &[], &one(), &mut Silent).unwrap().parameters.concat()
    };
    let back = run(GradientMethod::Back);
    for (method, tolerance) in [(GradientMethod::Forward, 1e-12), (GradientMethod::Differences, 1e-6)] {
        for (found, back) in run(method).iter().zip(&back) {
            assert!((found - back).abs() < tolerance, "{method}: {found}, not {back}");
        }
    }
}

#[test]
fn accumulated_batches_do_not_share_a_mask() {
    const WIDTH: usize = 40;
    let mut network = network();
    network.inputs = WIDTH;
    network.layers.insert(0, Layer::dropout(0.5));
    let data = dataset(&[1.0; WIDTH * 2], &[1e6; 2]);
    let training = Training {
        epochs: 1,
        batch: Batch::Of(1),
        accumulate: 2,
        optimizer: "sgd".parse().unwrap(),
        learning_rate: Some(1e-9),
        shuffle: false,
        ..Training::default()
    };
    let machine = one();
    let mut trainer = Trainer::new(&network, &training, &data, &[0, 1], &[], &machine).unwrap();
    let before = trainer.parameters().next().unwrap().to_vec();
    trainer.step().unwrap();
    // Weights change by no, one or two rows: with one mask, none would change by one.
    let changes: Vec<f64> = trainer
        .parameters()
        .next()
        .unwrap()
        .iter()
        .zip(&before)
        .map(|(after, before)| after - before)
        .collect();
    let most = changes.iter().fold(0.0, |most: f64, change| most.max(*change));
    let by_one = changes.iter().filter(|change| (0.4..0.6).contains(&(**change / most))).count();
    assert!((8..32).contains(&by_one), "{changes:?}");
}

#[test]
fn early_stopping_waits_for_an_improvement_that_is_large_enough() {
    let (features, mut targets) = table();
    // What is validated on is of the same function: the cost falls in every epoch, and ever less.
    for row in ROWS..targets.len() {
        let x = &features[row * INPUTS..][..INPUTS];
        targets[row] = 2.0 * x[0] - x[1] + 0.5 * x[2];
    }
    let rules = Rules { epochs: 40, ..PLAIN };
    let right = plain(&rules, &features, &targets);
    let stops = |stopping: EarlyStopping, metric: Metric| {
        let early = Training { early_stopping: Some(stopping), metric, ..training(&rules) };
        let Trained { parameters, history } = run(&early, &features, &targets);
        let kept = history.kept_epoch.unwrap();
        assert_near("the weights that are kept", parameters.concat(), &right.history[kept]);
        (kept, history.epochs.len(), history.stop)
    };
    let costs = &right.validation_costs;
    for (least_improvement, patience) in [(0.0, 2), (0.02, 1), (0.02, 3), (0.1, 2)] {
        let (mut best, mut kept, mut epochs) = (f64::INFINITY, 0, 0);
        while epochs < rules.epochs && (epochs == 0 || epochs - 1 - kept < patience) {
            if costs[epochs] < best - least_improvement {
                (best, kept) = (costs[epochs], epochs);
            }
            epochs += 1;
        }
        let (found, ran, _) = stops(EarlyStopping { patience, least_improvement }, Metric::Cost);
        assert_eq!((found, ran), (kept, epochs), "{least_improvement}, {patience}: {costs:?}");
    }
    // R2 is better the larger it is: it is the cost's mirror.
    let cost = stops(EarlyStopping { patience: 2, least_improvement: 0.0 }, Metric::Cost);
    let mirrored = stops(EarlyStopping { patience: 2, least_improvement: 0.0 }, Metric::R2);
    assert_eq!((cost, cost.0 > 5), (mirrored, true));
    // An equal value is no improvement: of features that are zero, a weighted sum stays zero.
    let mut features = features.clone();
    features[ROWS * INPUTS..].fill(0.0);
    let stopping = EarlyStopping { patience: 3, least_improvement: 0.0 };
    let early = Training { early_stopping: Some(stopping), ..training(&rules) };
    let history = run(&early, &features, &targets).history;
    assert_eq!((history.kept_epoch, history.epochs.len(), history.stop), (Some(0), 4, Stop::NoImprovement));
}

#[test]
fn a_run_that_diverges_goes_back_to_before_the_epoch() {
    let (features, targets) = table();
    let start: Vec<f64> = network().initialize::<f64>(0).unwrap().concat();
    let huge = Training { learning_rate: Some(1e100), ..training(&PLAIN) };
    let Trained { parameters, history } = run(&huge, &features, &targets);
    assert!(matches!(history.stop, Stop::Diverged { epoch: 0, step: 1.. }), "{:?}", history.stop);
    assert_eq!(parameters.concat(), start);
}

/// The rows in the order of each epoch: with one-hot rows, a step of one row changes the weight of that row alone.
fn orders(training: &Training, rows: usize) -> Vec<Vec<usize>> {
    let features: Vec<f64> = (0..rows * rows).map(|i| f64::from(u8::from(i / rows == i % rows))).collect();
    let data = dataset(&features, &vec![1e6; rows]);
    let mut network = network();
    network.inputs = rows;
    let all: Vec<usize> = (0..rows).collect();
    let machine = one();
    let mut trainer = Trainer::new(&network, training, &data, &all, &[], &machine).unwrap();
    let weights = |trainer: &Trainer<'_, f64>| trainer.parameters().next().unwrap().to_vec();
    let mut orders = vec![Vec::new(); training.epochs];
    for step in 0..training.epochs * rows {
        let before = weights(&trainer);
        trainer.step().unwrap();
        let after = weights(&trainer);
        let changed: Vec<usize> = (0..rows).filter(|&at| before[at] != after[at]).collect();
        assert_eq!(changed.len(), 1, "a step of one row");
        orders[step / rows].push(changed[0]);
    }
    orders
}

#[test]
fn each_epoch_has_an_order_of_its_own() {
    const COUNT: usize = 12;
    let training = |shuffle, seed| Training {
        epochs: 3,
        batch: Batch::Of(1),
        optimizer: "sgd".parse().unwrap(),
        learning_rate: Some(0.1),
        shuffle,
        seed,
        ..Training::default()
    };
    let all: Vec<usize> = (0..COUNT).collect();
    assert_eq!(orders(&training(false, 0), COUNT), [all.clone(), all.clone(), all.clone()]);
    let shuffled = orders(&training(true, 0), COUNT);
    for order in &shuffled {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, all, "every row once: {order:?}");
        assert_ne!(*order, all);
    }
    assert!(shuffled[0] != shuffled[1] && shuffled[1] != shuffled[2] && shuffled[0] != shuffled[2]);
    assert_eq!(orders(&training(true, 0), COUNT), shuffled);
    assert_ne!(orders(&training(true, 1), COUNT), shuffled);
}

#[test]
fn dropout_draws_another_mask_in_each_step_of_each_epoch_and_none_in_evaluation() {
    const WIDTH: usize = 40;
    let mut network = network();
    network.inputs = WIDTH;
    network.regularization.l2 = 0.5;
    let plain = Network { regularization: Default::default(), ..network.clone() };
    network.layers.insert(0, Layer::dropout(0.5));
    // All rows are alike, so that only the mask decides which weights change.
    let data = dataset(&[1.0; WIDTH * 3], &[1e6; 3]);
    let training = Training {
        epochs: 2,
        batch: Batch::Of(1),
        optimizer: "sgd".parse().unwrap(),
        learning_rate: Some(1e-9),
        shuffle: false,
        ..Training::default()
    };
    let unregularized = Network { regularization: Default::default(), ..network.clone() };
    let machine = one();
    let mut trainer = Trainer::new(&unregularized, &training, &data, &[0, 1, 2], &[], &machine).unwrap();
    let mut masks: Vec<Vec<bool>> = Vec::new();
    for _ in 0..6 {
        let before = trainer.parameters().next().unwrap().to_vec();
        trainer.step().unwrap();
        let after = trainer.parameters().next().unwrap();
        masks.push(before.iter().zip(after).map(|(before, after)| before == after).collect());
    }
    for (at, mask) in masks.iter().enumerate() {
        assert!(!masks[..at].contains(mask), "mask {at} was there before");
        assert!((5..35).contains(&mask.iter().filter(|is_dropped| **is_dropped).count()), "{mask:?}");
    }
    // Evaluation drops nothing and leaves regularization out.
    let parameters = network.initialize::<f64>(3).unwrap();
    let [with, without] = [&network, &plain].map(|network| {
        let found = evaluate(network, &parameters, &data, &[0, 1, 2], &one()).unwrap();
        (found.cost, found.predictions)
    });
    assert_eq!(with, without);
}

#[test]
fn a_step_of_gradient_descent_changes_every_trained_parameter_by_its_gradient() {
    use pullback::differentiate::reverse;
    use pullback::execute::reference;
    use pullback::network::Mode;
    let mut network = Network::dense(INPUTS, &[4], 1, Activation::Tanh, Cost::SquaredError);
    network.layers.splice(2..2, [Layer::batch_norm(), Layer::layer_norm()]);
    let (features, targets) = table();
    let data = dataset(&features, &targets);
    let rows: Vec<usize> = (0..ROWS).collect();
    let training = Training { batch: Batch::Full, epochs: 1, ..training(&PLAIN) };
    let machine = one();
    let mut trainer = Trainer::new(&network, &training, &data, &rows, &[], &machine).unwrap();
    let before: Vec<Vec<f64>> = trainer.parameters().map(<[f64]>::to_vec).collect();
    trainer.step().unwrap();
    let after: Vec<Vec<f64>> = trainer.parameters().map(<[f64]>::to_vec).collect();

    let lowered = network.lower(ROWS, Mode::Training).unwrap();
    let backward = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
    let mut given = vec![Vec::new(); lowered.graph.nodes().len()];
    for (name, numbers, width) in [("features", &features, INPUTS), ("targets", &targets, 1)] {
        given[lowered.graph.find(name).unwrap().index()] = numbers[..ROWS * width].to_vec();
    }
    for (id, numbers) in lowered.parameters.iter().zip(&before) {
        given[id.index()].clone_from(numbers);
    }
    let values = reference(&backward.graph, &given);
    for (at, parameter) in network.parameters().unwrap().iter().enumerate() {
        if parameter.role.is_trained() {
            let gradient = &values[backward.nodes[at].index()];
            let right: Vec<f64> = before[at].iter().zip(gradient).map(|(w, g)| w - 0.1 * g).collect();
            assert!(gradient.iter().any(|g| g.abs() > 1e-6), "{} has a gradient", parameter.name);
            assert_near(&parameter.name, after[at].iter().copied(), &right);
        }
    }
    assert!(network.parameters().unwrap().iter().filter(|own| own.role.is_trained()).count() >= 8);
    assert_eq!(trainer.epoch(&mut Silent), Flow::Stop);
}
