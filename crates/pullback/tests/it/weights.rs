//! Rows and classes that count differently: costs and gradients by other programs (oracle/weights.py), by differences
//! and forward mode, by rows that are repeated; figures by scikit-learn; what is refused.

use crate::operations::{DIFFERENCES, FORWARD, is_smooth};
use pullback::data::{Categories, Column, Dataset, Features, Table, Targets, Values, builtin};
use pullback::differentiate::{check_gradients, reverse};
use pullback::execute::{Executor, reference};
use pullback::explain::{Catalog, Focus, Options, describe, trace_rows};
use pullback::graph::Kind;
use pullback::graph::NodeRole;
use pullback::graph::ops::Dice;
use pullback::job::{Fitted, Job, Settings};
use pullback::network::{Activation, Cost, Layer, Mode, Network, Regularization, Takes};
use pullback::plan::Plan;
use pullback::report::{Report, text};
use pullback::train::{
    Batch, EarlyStopping, GradientMethod, Machine, Metric, Optimizer, Scored, Silent, Trained, Trainer,
    Training, Truth, evaluate, train,
};
use pullback::{Classifier, Regressor, Result};
use serde::Deserialize;

/// Two implementations in f64 that sum in different orders, relative to the largest number.
const TOLERANCE: f64 = 1e-10;
/// scikit-learn computes in f64, too; one step.
const STEP: f64 = 1e-6;

#[derive(Deserialize)]
struct Oracle {
    weights: Vec<f64>,
    l2: f64,
    rate: f64,
    costs: Vec<CostCase>,
    steps: Vec<StepCase>,
}

#[derive(Deserialize)]
struct CostCase {
    cost: String,
    features: Vec<f64>,
    targets: Vec<f64>,
    parameters: Vec<Vec<f64>>,
    value: f64,
    gradients: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct StepCase {
    kind: String,
    features: Vec<f64>,
    targets: Vec<f64>,
    parameters: Vec<Vec<f64>>,
    after: Vec<Vec<f64>>,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../oracle/weights.json")).unwrap()
}

fn near(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1e-3, |most: f64, x| most.max(x.abs()));
    for (at, (x, y)) in found.iter().zip(expected).enumerate() {
        assert!((x - y).abs() <= tolerance * size, "{what}[{at}]: {x} instead of {y}");
    }
}

#[test]
fn weighted_costs_and_gradients_agree_with_pytorch() {
    let oracle = oracle();
    let mut names: Vec<&str> = oracle.costs.iter().map(|case| case.cost.split(':').next().unwrap()).collect();
    names.sort_unstable();
    let mut all = Cost::NAMES.to_vec();
    all.sort_unstable();
    assert_eq!(names, all, "each cost has a case of PyTorch's");
    for case in &oracle.costs {
        let mut network = Network::dense(4, &[5], 3, Activation::Tanh, case.cost.parse().unwrap());
        network.regularization.l2 = oracle.l2;
        let lowered = network.lower_weighted(7, Mode::Training).unwrap();
        let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
        let outputs: Vec<_> = std::iter::once(lowered.cost).chain(gradients.nodes.iter().copied()).collect();
        let mut executor = Executor::new(Plan::new(&gradients.graph, &outputs), &Machine::with_threads(1));
        executor.input_mut(0).copy_from_slice(&case.features);
        executor.input_mut(lowered.targets).copy_from_slice(&case.targets);
        executor.input_mut(lowered.weights.unwrap()).copy_from_slice(&oracle.weights);
        executor.run(&case.parameters);
        near(&case.cost, executor.output(0), &[case.value], TOLERANCE);
        for (at, gradient) in case.gradients.iter().enumerate() {
            near(&format!("{}: gradient {at}", case.cost), executor.output(1 + at), gradient, TOLERANCE);
        }
    }
}

#[test]
fn one_step_agrees_with_scikit_learn() {
    let oracle = oracle();
    for case in &oracle.steps {
        let ids = || case.targets.iter().map(|class| *class as u32).collect();
        let (targets, outputs, cost) = match case.kind.as_str() {
            "classes" => (Targets::classes(ids(), 3).unwrap(), 3, Cost::SoftmaxCrossEntropy),
            "binary" => (Targets::binary(ids()).unwrap(), 1, Cost::SigmoidCrossEntropy),
            _ => (Targets::values(case.targets.clone(), 1).unwrap(), 1, Cost::SquaredError),
        };
        let features = Features::dense(case.features.clone(), 4).unwrap();
        let data = Dataset::new(features, targets).unwrap().with_weights(oracle.weights.clone()).unwrap();
        let network = Network::dense(4, &[5], outputs, Activation::Tanh, cost);
        let training = Training {
            epochs: 1,
            batch: Batch::Full,
            optimizer: Optimizer::from_name("sgd").unwrap(),
            learning_rate: Some(oracle.rate),
            ..Training::default()
        };
        let (rows, machine) = ((0..7).collect::<Vec<_>>(), Machine::with_threads(1));
        let trainer = Trainer::new(&network, &training, &data, &rows, &[], &machine).unwrap();
        let mut trainer = trainer.starting_with(&case.parameters).unwrap();
        trainer.epoch(&mut Silent);
        for (at, (found, expected)) in trainer.finish().parameters.iter().zip(&case.after).enumerate() {
            near(&format!("{}: parameter {at}", case.kind), found, expected, STEP);
        }
    }
}

#[test]
fn gradients_of_weighted_costs_agree_with_differences_and_forward_mode() {
    for name in Cost::NAMES {
        let mut checked = 0;
        for seed in 0..20 {
            let mut dice = Dice::new(seed);
            let cost = Cost::from_name(name).unwrap();
            let network = Network::dense(3, &[4], 2, Activation::Tanh, cost);
            let lowered = network.lower_weighted(3, Mode::Training).unwrap();
            let values: Vec<Vec<f64>> = (lowered.graph.nodes().iter())
                .map(|node| match &node.kind {
                    Kind::Input(name) if name == "targets" && cost.takes() == Takes::Positive => {
                        vec![1.0, 0.2, 3.0, 1.5, 0.7, 2.0]
                    }
                    Kind::Input(name) if name == "targets" && cost.takes() != Takes::Numbers => {
                        vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0]
                    }
                    Kind::Input(name) if name == "weights" => {
                        vec![dice.between(0.1, 3.0), 0.0, dice.between(0.1, 3.0)]
                    }
                    Kind::Input(_) | Kind::Parameter(_) => {
                        (0..node.shape.elements()).map(|_| dice.between(-1.0, 1.0)).collect()
                    }
                    _ => Vec::new(),
                })
                .collect();
            // With respect to the weights, too: the graph has them as an input like any other.
            let mut wrt = lowered.parameters.clone();
            wrt.push(lowered.graph.find("weights").unwrap());
            if is_smooth(&lowered.graph, lowered.cost, &wrt, &values) {
                let check = check_gradients(&lowered.graph, lowered.cost, &wrt, &values, reference).unwrap();
                assert!(check.differences < DIFFERENCES && check.forward < FORWARD, "{cost}: {check:?}");
                checked += 1;
            }
        }
        assert!(checked >= 5, "{name}: only {checked} cases were smooth enough to be checked");
    }
}

const ROWS: usize = 40;

/// Rows of 5 numbers, and targets of each kind.
fn data(kind: usize) -> (Dataset<f64>, Network) {
    let mut dice = Dice::new(7 + kind as u64);
    let features: Vec<f64> = (0..ROWS * 5).map(|_| dice.between(-1.0, 1.0)).collect();
    let ids: Vec<u32> = (0..ROWS).map(|row| u32::from(features[row * 5] > 0.0) + (row % 2) as u32).collect();
    let (targets, outputs, cost) = match kind {
        0 => (Targets::classes(ids, 3).unwrap(), 3, Cost::SoftmaxCrossEntropy),
        1 => (Targets::binary(ids.iter().map(|id| id % 2).collect()).unwrap(), 1, Cost::SigmoidCrossEntropy),
        2 => (Targets::values(features[..2 * ROWS].to_vec(), 2).unwrap(), 2, Cost::SquaredError),
        3 => (Targets::values(features[..2 * ROWS].to_vec(), 2).unwrap(), 2, Cost::AbsoluteError),
        _ => (Targets::classes(ids, 3).unwrap(), 3, Cost::Huber(0.3)),
    };
    let mut network = Network::dense(5, &[6], outputs, Activation::Tanh, cost);
    network.regularization.l2 = 0.01;
    (Dataset::new(Features::dense(features, 5).unwrap(), targets).unwrap(), network)
}

fn cast(data: &Dataset<f64>) -> Dataset<f32> {
    let narrow = |numbers: Vec<f64>| numbers.into_iter().map(|x| x as f32).collect::<Vec<f32>>();
    let features = Features::dense(narrow(data.features().to_dense().unwrap()), 5).unwrap();
    let targets = match (data.targets().ids(), data.outputs()) {
        (Some(ids), 1) => Targets::binary(ids.to_vec()),
        (Some(ids), classes) => Targets::classes(ids.to_vec(), classes),
        (None, width) => Targets::values(narrow(data.targets().to_dense()), width),
    };
    Dataset::new(features, targets.unwrap()).unwrap()
}

#[test]
fn weights_of_one_give_the_same_bits() {
    for kind in 0..5 {
        let (data, mut network) = data(kind);
        network.layers.insert(1, Layer::batch_norm());
        let plain = cast(&data);
        let ones = plain.clone().with_weights(vec![1.0; ROWS]).unwrap();
        let (rows, validation): (Vec<usize>, Vec<usize>) = (0..ROWS).partition(|row| row % 4 > 0);
        for batch in [Batch::Of(7), Batch::Of(8), Batch::Full] {
            let early_stopping = Some(EarlyStopping { patience: 3, ..EarlyStopping::default() });
            let training =
                Training { epochs: 12, batch, early_stopping, clip_norm: Some(0.5), ..Training::default() };
            let run = |data: &Dataset<f32>, machine: &Machine| {
                train(&network, &training, data, &rows, &validation, machine, &mut Silent).unwrap()
            };
            let bits = |trained: &Trained<f32>| -> Vec<u32> {
                trained.parameters.iter().flatten().map(|x| x.to_bits()).collect()
            };
            let own = run(&plain, &Machine::with_threads(1));
            for threads in [1, 3] {
                let weighted = run(&ones, &Machine::with_threads(threads));
                assert_eq!(weighted.history, own.history, "kind {kind}, batch {batch}");
                assert_eq!(bits(&weighted), bits(&own), "kind {kind}, batch {batch}");
            }
        }
    }
}

/// Each row as often as it counts, and the first row of those of each.
fn repeated(data: &Dataset<f64>, counts: &[usize]) -> (Dataset<f64>, Vec<usize>) {
    let source: Vec<usize> = (0..ROWS).flat_map(|row| std::iter::repeat_n(row, counts[row])).collect();
    let features: Vec<f64> =
        source.iter().flat_map(|&row| data.features().to_dense().unwrap()[row * 5..][..5].to_vec()).collect();
    let targets = match (data.targets().ids(), data.outputs()) {
        (Some(ids), 1) => Targets::binary(source.iter().map(|&row| ids[row]).collect()),
        (Some(ids), classes) => Targets::classes(source.iter().map(|&row| ids[row]).collect(), classes),
        (None, width) => Targets::values(data.targets().select(&source).unwrap(), width),
    };
    (Dataset::new(Features::dense(features, 5).unwrap(), targets.unwrap()).unwrap(), source)
}

#[test]
fn a_whole_weight_is_the_row_repeated() {
    for kind in 0..5 {
        let (data, mut network) = data(kind);
        // Divided by what the rows count together.
        network.regularization = Regularization { l2: 0.5, l1: 0.1, divide_by_batch: kind % 2 == 0 };
        let counts: Vec<usize> = (0..ROWS).map(|row| [2, 0, 1, 3, 1, 5][row * 7 % 6]).collect();
        let weighted = data.clone().with_weights(counts.iter().map(|&count| count as f64).collect()).unwrap();
        let (repeated, source) = repeated(&data, &counts);
        let is_watched = |row: &usize| row.is_multiple_of(4);
        let (validation, rows): (Vec<usize>, Vec<usize>) = (0..ROWS).partition(is_watched);
        let (watched, others): (Vec<usize>, Vec<usize>) =
            (0..source.len()).partition(|&at| is_watched(&source[at]));
        let training =
            Training { epochs: 25, batch: Batch::Full, learning_rate: Some(0.02), ..Training::default() };
        let machine = Machine::with_threads(1);
        let one = train(&network, &training, &weighted, &rows, &validation, &machine, &mut Silent).unwrap();
        let other = train(&network, &training, &repeated, &others, &watched, &machine, &mut Silent).unwrap();
        for (one, other) in one.parameters.iter().zip(&other.parameters) {
            near(&format!("kind {kind}"), one, other, 1e-9);
        }
        for (one, other) in one.history.epochs.iter().zip(&other.history.epochs) {
            let figures = |report: &pullback::train::EpochReport| {
                vec![report.cost, report.validation_cost.unwrap(), report.validation_accuracy.unwrap_or(0.0)]
            };
            near(&format!("kind {kind}"), &figures(one), &figures(other), 1e-9);
        }
        let cost = |data: &Dataset<f64>, rows: &[usize]| {
            evaluate(&network, &one.parameters, data, rows, &machine).unwrap().cost
        };
        near("cost", &[cost(&weighted, &validation)], &[cost(&repeated, &watched)], 1e-12);
    }
}

#[test]
fn every_way_to_a_gradient_has_the_weights() {
    let (data, network) = data(0);
    let data = data.with_weights((0..ROWS).map(|row| (row % 5) as f64 / 2.0).collect()).unwrap();
    let rows: Vec<usize> = (0..ROWS).collect();
    let run = |gradient| {
        let training = Training { epochs: 2, batch: Batch::Of(16), gradient, ..Training::default() };
        train(&network, &training, &data, &rows, &[], &Machine::with_threads(1), &mut Silent).unwrap()
    };
    let back = run(GradientMethod::Back);
    for (method, tolerance) in [(GradientMethod::Forward, 1e-10), (GradientMethod::Differences, 1e-4)] {
        for (one, other) in run(method).parameters.iter().zip(&back.parameters) {
            near(&format!("{method:?}"), one, other, tolerance);
        }
    }
}

#[test]
fn weighted_figures_are_those_of_scikit_learn() {
    // tests/oracle/metrics.py
    let probabilities =
        [0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.2, 0.5, 0.3, 0.3, 0.3, 0.4, 0.6, 0.3, 0.1, 0.5, 0.1, 0.4];
    let weights = [1.0, 0.5, 2.0, 0.0, 3.0, 1.5];
    let scored = Scored {
        weights: Some(&weights),
        ..Scored::new(&probabilities, 3, Truth::Classes { ids: &[0, 1, 2, 2, 1, 0], count: 3 })
    };
    let two = Scored {
        weights: Some(&weights),
        ..Scored::new(
            &[0.1, 0.4, 0.35, 0.8, 0.4, 0.4],
            1,
            Truth::Classes { ids: &[0, 0, 1, 1, 1, 0], count: 2 },
        )
    };
    let numbers = Scored {
        weights: Some(&[1.0, 0.5, 2.0, 3.0]),
        ..Scored::new(&[2.5, 0.0, 2.0, 8.0], 1, Truth::Numbers(&[3.0, -0.5, 2.0, 7.0]))
    };
    for (metric, scored, right) in [
        (Metric::Accuracy, scored, 0.375),
        (Metric::BalancedAccuracy, scored, 0.380_952_380_952_380_93),
        (Metric::MacroPrecision, scored, 0.218_181_818_181_818_17),
        (Metric::MacroRecall, scored, 0.380_952_380_952_380_93),
        (Metric::MacroF1, scored, 0.263_888_888_888_888_9),
        (Metric::LogLoss, scored, 0.940_978_939_008_179_5),
        (Metric::RocAuc, two, 0.533_333_333_333_333_3),
        (Metric::Rmse, numbers, 0.720_576_692_122_892_1),
        (Metric::Mae, numbers, 0.576_923_076_923_076_9),
        (Metric::R2, numbers, 0.926_074_136_478_517_2),
    ] {
        let found = metric.value(&scored).unwrap();
        assert!((found - right).abs() < 1e-14, "{metric}: {found} for {right}");
    }
    let nothing = Scored { weights: Some(&[0.0; 6]), ..scored };
    assert_eq!(Metric::Accuracy.value(&nothing), None);
}

/// Iris with a column that says how often each row counts.
fn weighted_iris(weight: impl Fn(usize) -> f64) -> Table {
    let iris = builtin::load("iris", 0).unwrap();
    let mut columns = iris.columns().to_vec();
    columns.push(Column::new("exposure", Values::Numbers((0..iris.rows()).map(weight).collect())));
    Table::new("iris.csv", columns).unwrap()
}

fn fit(table: &Table, told: &[(&str, &str)]) -> Result<Fitted> {
    let mut settings = Settings::default();
    for (name, value) in told {
        settings.set(name, value)?;
    }
    Job::new(settings, table.clone()).decide()?.run(&Machine::with_threads(1), &mut Silent)
}

fn told<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("target", "species"), ("epochs", "5"), ("validation", "0.2")], more].concat()
}

#[test]
fn a_column_of_weights_is_no_input_and_counts_in_all_figures() {
    let table = weighted_iris(|row| (row % 3) as f64);
    let Fitted { model, report, tested, .. } = fit(&table, &told(&[("weights", "exposure")])).unwrap();
    let preprocessing = model.preprocessing().unwrap();
    assert_eq!((model.network().inputs, preprocessing.weights()), (4, Some("exposure")));
    assert!(preprocessing.left_out().is_empty());
    let Report::Classification(found) = &report else { panic!("species are classes") };
    assert_eq!(found.weighted_by.as_deref(), Some("exposure"));
    assert!(
        text::render(&report, 80, &Catalog::english()).contains(" % weighted by \"exposure\" ("),
        "{}",
        text::render(&report, 80, &Catalog::english())
    );
    // By hand: the share of the weights of rows that are right.
    let classes = model.predict(&tested, &Machine::default()).unwrap().classes.unwrap();
    let weights = preprocessing.row_weights(&tested).unwrap().unwrap();
    let ids = preprocessing.target().apply::<f32>(&tested).unwrap();
    let right = classes.iter().zip(ids.ids().unwrap()).map(|(own, id)| *own == *id as usize);
    let sum: f64 = weights.iter().zip(right).filter(|(_, right)| *right).map(|(weight, _)| weight).sum();
    let accuracy = found.figures.get(Metric::Accuracy).unwrap();
    assert!((accuracy - sum / weights.iter().sum::<f64>()).abs() < 1e-12);
    // Its model file says so, and a model predicts without the column.
    let again = pullback::model::Model::<f32>::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert!(again == model);
    again.predict(&builtin::load("iris", 0).unwrap(), &Machine::default()).unwrap();
    let ones = fit(&weighted_iris(|_| 1.0), &told(&[("weights", "exposure")])).unwrap().model;
    let plain = fit(&weighted_iris(|_| 1.0), &told(&[("ignore", "exposure")])).unwrap().model;
    assert_eq!(ones.parameters(), plain.parameters());
    assert_ne!(model.parameters(), plain.parameters());
}

#[test]
fn weights_that_cannot_be_meant_are_refused_with_their_place() {
    let refused = |weight: &dyn Fn(usize) -> f64, parts: &[&str]| {
        let error = fit(&weighted_iris(weight), &told(&[("weights", "exposure")])).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "`{part}` is not in {error}");
        }
    };
    let with = |row: usize, number: f64| move |at: usize| if at == row { number } else { 1.0 };
    refused(&with(11, -2.0), &["row 12", "\"exposure\"", "the weight -2 is negative"]);
    refused(&with(3, f64::NAN), &["row 4", "the weight is missing"]);
    // A table has no infinite numbers.
    let infinite = Column::new("exposure", Values::Numbers(vec![1.0, f64::INFINITY]));
    let error = Table::new("t", vec![infinite]).unwrap_err().to_string();
    assert!(error.contains("row 2") && error.contains("infinite"), "{error}");
    refused(&with(0, 1e300), &["row 1", "too large"]);
    refused(&|_| 0.0, &["exposure", "all weights of rows are 0"]);
    let error = |more: &[(&str, &str)]| fit(&weighted_iris(|_| 1.0), &told(more)).unwrap_err().one_line();
    assert!(error(&[("weights", "exposur")]).contains("exposure"));
    assert!(error(&[("weights", "species")]).contains("species"));
    let texts = Categories::from_texts((0..150).map(|row| Some(["a", "b"][row % 2])));
    let mut columns = builtin::load("iris", 0).unwrap().columns().to_vec();
    columns.push(Column::new("exposure", Values::Categories(texts)));
    let table = Table::new("iris.csv", columns).unwrap();
    assert!(fit(&table, &told(&[("weights", "exposure")])).unwrap_err().to_string().contains("exposure"));
    // In the library, too.
    let dataset = || data(1).0;
    for weights in [vec![1.0; ROWS - 1], vec![0.0; ROWS], vec![-1.0; ROWS], vec![f64::NAN; ROWS]] {
        assert!(dataset().with_weights(weights).is_err());
    }
    let half = dataset().with_weights((0..ROWS).map(|row| f64::from(u8::from(row < 20))).collect()).unwrap();
    let (network, training, machine) = (data(1).1, Training::default(), Machine::with_threads(1));
    let (low, high) = ((0..20).collect::<Vec<_>>(), (20..ROWS).collect::<Vec<_>>());
    let error = |rows, watched| {
        train(&network, &training, &half, rows, watched, &machine, &mut Silent).unwrap_err().to_string()
    };
    assert!(error(&low, &high).contains("validation rows have a weight of 0"));
    assert!(error(&high, &low).contains("no rows to train on"));
}

#[test]
fn classes_count_as_they_are_told_in_the_cost_only() {
    let iris = builtin::load("iris", 0).unwrap();
    let rows: Vec<usize> = (0..110).collect(); // 50, 50 and 10 of a class
    let table = iris.select(&rows).unwrap();
    let job = |classes: &str| {
        let mut settings = Settings::default();
        for (name, value) in told(&[("class_weights", classes), ("seed", "2")]) {
            settings.set(name, value)?;
        }
        Job::new(settings, table.clone()).decide()
    };
    let balanced = job("balanced").unwrap();
    let training = &balanced.rows().training;
    let ids = balanced.preprocessing().target().apply::<f32>(&table).unwrap().ids().unwrap().to_vec();
    let count = |class: u32| training.iter().filter(|&&row| ids[row] == class).count() as f64;
    let expected: Vec<f64> = (0..3).map(|class| training.len() as f64 / (3.0 * count(class))).collect();
    assert_eq!(balanced.class_weights(), Some(&expected[..]));
    let given = job("virginica=9.5,setosa=0.25").unwrap();
    assert_eq!(given.class_weights(), Some(&[0.25, 1.0, 9.5][..]));
    // As a column of the same weights, but for the report.
    let machine = Machine::with_threads(1);
    let by_class = given.run(&machine, &mut Silent).unwrap();
    let mut columns = table.columns().to_vec();
    let weight = |row: &usize| [0.25, 1.0, 9.5][row / 50];
    columns.push(Column::new("w", Values::Numbers(rows.iter().map(weight).collect())));
    let by_row = fit(&Table::new("t", columns).unwrap(), &told(&[("weights", "w"), ("seed", "2")])).unwrap();
    assert_eq!(by_class.model.parameters(), by_row.model.parameters());
    let history = |fitted: &Fitted| fitted.model.run().unwrap().history.clone();
    assert_eq!(history(&by_class), history(&by_row));
    let Report::Classification(report) = by_class.report else { panic!("species are classes") };
    assert_eq!(report.weighted_by, None);
    for (classes, part) in [
        ("virginca=2", "virginica"),
        ("virginica=-2", "no weight of class"),
        ("virginica=many", "no weight of class"),
        ("virginica", "gives no class a weight"),
        ("virginica=1,virginica=2", "given two weights"),
    ] {
        let error = job(classes).unwrap_err().one_line();
        assert!(error.contains(part), "{error}");
    }
    assert!(job("virginica=0,setosa=0,versicolor=0").unwrap().run(&machine, &mut Silent).is_err());
    let error = fit(&builtin::load("friedman", 0).unwrap(), &[("class_weights", "balanced")]).unwrap_err();
    assert!(error.to_string().contains("has no classes"), "{error}");
}

#[test]
fn estimators_take_weights() {
    let x: Vec<f64> = (0..120).map(|i| (i % 60) as f64 / 30.0 - 1.0).collect();
    // The second half says otherwise, and does not count.
    let y: Vec<f64> = (0..120).map(|i| if i < 60 { 2.0 * x[i] } else { -5.0 * x[i] }).collect();
    let weights: Vec<f64> = (0..120).map(|i| f64::from(u8::from(i < 60))).collect();
    let linear = || Regressor::new().hidden([]).epochs(300);
    let model = linear().weights(weights.clone()).fit(&x, 1, &y).unwrap();
    assert!((model.predict_numbers(&[0.5]).unwrap()[0] - 1.0).abs() < 0.05);
    assert!((linear().fit(&x, 1, &y).unwrap().predict_numbers(&[0.5]).unwrap()[0] - 1.0).abs() > 1.0);
    let classes: Vec<u32> = (0..120).map(|i| u32::from((x[i] > 0.0) == (i < 60))).collect();
    let model = Classifier::new().epochs(100).weights(weights).balanced().fit(&x, 1, &classes).unwrap();
    assert_eq!(model.predict_classes(&[-0.5, 0.5]).unwrap(), [0, 1]);
    assert!(
        linear().weights([1.0]).fit(&x, 1, &y).unwrap_err().to_string().contains("1 weights for 120 rows")
    );
}

#[test]
fn the_page_of_a_weight_shows_each_examples_share() {
    let table = weighted_iris(|row| 1.0 + (row % 4) as f64);
    let Fitted { model, .. } = fit(&table, &told(&[("weights", "exposure")])).unwrap();
    let trace = trace_rows(&model, &table, 60..63, Mode::Evaluation).unwrap();
    assert_eq!(trace.weights(), Some(&[1.0, 2.0, 3.0][..]));
    let dense = &trace.dense()[0];
    let element = 2 * dense.inputs + 1;
    let part = |row: usize| trace.at(dense.delta, row, 2) * trace.at(dense.input, row, 1);
    let data: f64 = (trace.parts(dense.weight, element).iter())
        .filter(|part| part.role == NodeRole::WeightedSum)
        .map(|part| part.value)
        .sum();
    assert!(((0..3).map(part).sum::<f64>() - data).abs() < 1e-12);
    // Alone, each example's part is its share times what it would be.
    for (at, row) in (60..63).enumerate() {
        let alone = trace_rows(&model, &table, row..row + 1, Mode::Evaluation).unwrap();
        let own = alone.gradient(dense.weight)[element];
        let share = (at + 1) as f64 / 6.0;
        assert!((own * share - part(at)).abs() < 1e-12);
    }
    // A mean of which examples count differently is called a weighted one.
    let whole = |catalog: &Catalog| describe(&trace, "t", &Options::default(), catalog).text(1000, false);
    let (english, korean) = (whole(&Catalog::english()), whole(&Catalog::find("ko").unwrap()));
    assert!(english.contains("weighted mean cost of the 3 examples"), "{english}");
    assert_eq!(
        english.matches("mean cost").count(),
        english.matches("weighted mean cost").count(),
        "{english}"
    );
    assert!(korean.contains("가중 평균 비용"), "{korean}");
    assert_eq!(korean.matches("평균 비용").count(), korean.matches("가중 평균 비용").count(), "{korean}");
    let options = Options { focus: Focus::Weight(1, 2, 1), ..Options::default() };
    let page = describe(&trace, "t", &options, &Catalog::english()).text(1000, false);
    assert!(page.contains("share^(2) * ") || page.contains("dC/da[1][2]^(2) * "), "{page}");
}

#[test]
fn a_part_of_the_rows_in_which_nothing_counts_is_refused_before_training() {
    // Ten rows count, all of them among the first: with an order in time the test rows have no weight.
    let columns = vec![
        Column::new("x", Values::Numbers((0..60).map(f64::from).collect())),
        Column::new("y", Values::Numbers((0..60).map(|row| f64::from(row % 9)).collect())),
        Column::new("w", Values::Numbers((0..60).map(|row| f64::from(u8::from(row < 10))).collect())),
        Column::new("t", Values::Numbers((0..60).map(f64::from).collect())),
    ];
    let table = Table::new("rows", columns).unwrap();
    let mut settings = Settings::default();
    for (name, value) in [("target", "y"), ("weights", "w"), ("time_order", "t"), ("ensemble", "1")] {
        settings.set(name, value).unwrap();
    }
    let refused = Job::new(settings, table).decide().unwrap_err().to_string();
    assert!(refused.contains("rows to test on have a weight of 0 in column \"w\""), "{refused}");
}
