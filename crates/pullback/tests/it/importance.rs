//! Importance of columns, where it is known: in linear models whose weights are chosen.

use pullback::data::{Bytes, Categories, Column, Table, Values, builtin};
use pullback::explain::{PredictedRow, predicted_row};
use pullback::importance::{self, Importance, ImportanceOptions, input_gradients};
use pullback::job::{Fitted, Job, Settings};
use pullback::model::Model;
use pullback::random::{Purpose, Random};
use pullback::train::{Machine, Metric, Silent};

const ROWS: usize = 800;

fn fit(table: &Table, settings: &[(&str, &str)]) -> Fitted {
    let mut all = Settings::default();
    for (name, text) in settings {
        all.set(name, text).unwrap();
    }
    Job::new(all, table.clone()).decide().unwrap().run(&Machine::default(), &mut Silent).unwrap()
}

fn deviation(numbers: &[f64]) -> f64 {
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    (numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / numbers.len() as f64).sqrt()
}

/// Columns of random numbers of several sizes, y = 3 a + b and nothing of c, and y + 2 where t is "up".
fn table() -> Table {
    let random = Random::new(6, Purpose::Sample, 0);
    let column = |at: usize, size: f64| -> Vec<f64> {
        (0..ROWS).map(|row| size * random.normal((row * 4 + at) as u64)).collect()
    };
    let (a, b, c) = (column(0, 1.0), column(1, 5.0), column(2, 2.0));
    let y = a.iter().zip(&b).map(|(a, b)| 3.0 * a + b).collect();
    let texts = (0..ROWS).map(|row| Some(if row % 4 == 0 { "up" } else { "down" }));
    let columns = vec![
        Column::new("a", Values::Numbers(a)),
        Column::new("b", Values::Numbers(b)),
        Column::new("c", Values::Numbers(c)),
        Column::new("t", Values::Categories(Categories::from_texts(texts))),
        Column::new("y", Values::Numbers(y)),
    ];
    Table::new("linear.csv", columns).unwrap()
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match &*table.column(name).unwrap().values().unwrap() {
        Values::Numbers(numbers) => numbers.clone(),
        _ => panic!("numbers"),
    }
}

/// The linear model y = 3 a + b + 2 (t is "up"), with the preprocessing of a run.
fn linear(table: &Table) -> Model<f32> {
    let settings = [("target", "y"), ("hidden", "none"), ("epochs", "1"), ("fast", "true")];
    let model = fit(table, &settings).model;
    let preprocessing = model.preprocessing().unwrap().clone();
    let names = preprocessing.input_names();
    let pullback::data::Target::Regression { scales } = preprocessing.target().target() else {
        panic!("numbers")
    };
    let own = |name: &str| match preprocessing.features().iter().find(|feature| feature.name == name) {
        Some(feature) => match &feature.encoding {
            pullback::data::Encoding::Numeric(numeric) => numeric.spread(),
            _ => panic!("{name}"),
        },
        None => panic!("{name}"),
    };
    let weights = names.iter().map(|name| match name.as_str() {
        "a" => 3.0 * own("a") / scales[0].spread,
        "b" => own("b") / scales[0].spread,
        "c" => 0.0,
        name if name.contains("up") => 2.0 / scales[0].spread,
        _ => 0.0,
    });
    let weights = weights.map(|weight| weight as f32).collect();
    let run = model.run().unwrap().clone();
    let network = model.network().clone();
    let made = Model::new(network, vec![weights, vec![0.0]]).unwrap();
    made.with_preprocessing(preprocessing).unwrap().with_run(run).unwrap()
}

fn of<'a>(found: &'a Importance, name: &str) -> &'a importance::ColumnImportance {
    found.columns.iter().find(|column| column.name == name).unwrap()
}

#[test]
fn a_row_that_is_predicted_node_by_node_has_the_numbers_of_a_plan() {
    let data = table();
    let models = [
        linear(&data),
        fit(&builtin::load("iris", 0).unwrap(), &[("hidden", "5"), ("epochs", "3"), ("seed", "1")]).model,
    ];
    let machine = Machine::with_threads(1);
    for (model, table) in models.iter().zip([data, builtin::load("iris", 0).unwrap()]) {
        let model: Model<f64> = model.cast().unwrap();
        let first = table.select(&[0]).unwrap();
        let PredictedRow { prediction, gradient } = predicted_row(&model, &table).unwrap();
        let wanted = model.predict(&first, &machine).unwrap();
        assert_eq!((&prediction.numbers, &prediction.classes), (&wanted.numbers, &wanted.classes));
        let likely = wanted.classes.map_or(0, |classes| classes[0]).min(wanted.outputs - 1);
        let (features, _) = model.preprocessing().unwrap().apply_features::<f64>(&first).unwrap();
        let chosen = |_, output| f64::from(u8::from(output == likely));
        let by_plan = input_gradients(&model, &features.to_dense().unwrap(), chosen, &machine).unwrap();
        assert_eq!(gradient, Some(by_plan));
    }
}

#[test]
fn importance_in_a_linear_model_is_that_of_its_weights() {
    let table = table();
    let model = linear(&table);
    let machine = Machine::with_threads(2);
    let found = importance::measure(&model, &table, &ImportanceOptions::default(), &machine).unwrap();
    assert_eq!((found.metric, found.rows, found.repeats), (Metric::Rmse, ROWS, 5));
    let order: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(order[..2], ["b", "a"]);
    for (name, weight) in [("a", 3.0), ("b", 1.0)] {
        let spread = deviation(&numbers(&table, name));
        let gradient = of(&found, name).gradient.unwrap();
        assert!((gradient / (weight * spread) - 1.0).abs() < 1e-5, "{name}: {gradient}");
        // Cells of other rows are off by sqrt(2) deviations: the square error grows by 2 w^2 var.
        let error = found.value + of(&found, name).importance;
        let growth = error * error - found.value * found.value;
        let expected = 2.0 * weight * weight * spread * spread;
        assert!((growth / expected - 1.0).abs() < 0.1, "{name}: {growth} for {expected}");
    }
    // A quarter of the rows is "up", which is worth 2: the deviation of a coin with p = 1/4, twice.
    let gradient = of(&found, "t").gradient.unwrap();
    assert!((gradient / (2.0 * (0.25_f64 * 0.75).sqrt()) - 1.0).abs() < 1e-5, "{gradient}");
    let unused = of(&found, "c");
    assert_eq!((unused.importance, unused.deviation, unused.gradient), (0.0, 0.0, Some(0.0)));
    // The same on any number of threads, another with another seed.
    assert_eq!(
        found,
        importance::measure(&model, &table, &ImportanceOptions::default(), &Machine::with_threads(1))
            .unwrap()
    );
    let other = ImportanceOptions { seed: 1, ..ImportanceOptions::default() };
    assert_ne!(found, importance::measure(&model, &table, &other, &machine).unwrap());
    // Two networks that are the same predict the same.
    let twins = Model::ensemble(vec![model.clone(), model]).unwrap();
    let twins = importance::measure(&twins, &table, &ImportanceOptions::default(), &machine).unwrap();
    for (one, other) in found.columns.iter().zip(&twins.columns) {
        assert!((one.importance - other.importance).abs() < 1e-9, "{one:?} {other:?}");
        assert!((one.gradient.unwrap() - other.gradient.unwrap()).abs() < 1e-9, "{one:?} {other:?}");
    }
}

#[test]
fn classes_are_measured_by_the_metric_of_the_model_or_another() {
    let iris = builtin::load("iris", 0).unwrap();
    let settings = [("hidden", "16"), ("epochs", "60"), ("fast", "true"), ("target", "species")];
    let model = fit(&iris, &settings).model;
    let machine = Machine::with_threads(1);
    let by = |metric, rows| {
        let options = ImportanceOptions { metric, rows, repeats: 3, ..ImportanceOptions::default() };
        importance::measure(&model, &iris, &options, &machine)
    };
    let found = by(None, 1000).unwrap();
    assert_eq!((found.metric, found.rows), (Metric::Accuracy, 150));
    assert!(found.columns[0].name.starts_with("petal") && found.columns[0].importance > 0.1, "{found:?}");
    let loss = by(Some(Metric::LogLoss), 60).unwrap();
    assert_eq!((loss.metric, loss.rows), (Metric::LogLoss, 60));
    assert!(loss.columns[0].importance > 0.1, "{loss:?}");
    let error = by(Some(Metric::Rmse), 1000).unwrap_err().one_line();
    assert!(error.contains("cannot be measured by rmse") && error.contains("accuracy"), "{error}");
    assert!(by(None, 0).unwrap_err().one_line().contains("at least 1"));
}

/// The gradient of a probability against differences of what the model predicts.
#[test]
fn gradients_of_probabilities_agree_with_differences() {
    let iris = builtin::load("iris", 0).unwrap();
    let settings =
        [("hidden", "6"), ("activation", "tanh"), ("epochs", "20"), ("fast", "true"), ("target", "species")];
    let model = fit(&iris, &settings).model;
    let temperature = pullback::model::Temperature::new(1.7).unwrap();
    let model = model.with_temperature(Some(temperature)).unwrap();
    let machine = Machine::with_threads(1);
    let found = importance::measure(
        &model,
        &iris,
        &ImportanceOptions { repeats: 1, ..ImportanceOptions::default() },
        &machine,
    )
    .unwrap();
    let exact = model.cast::<f64>().unwrap();
    let classes = model.predict(&iris, &machine).unwrap().classes.unwrap();
    for name in ["sepal_length", "petal_width"] {
        let own = numbers(&iris, name);
        let step = 1e-5;
        let moved = |by: f64| {
            let columns = iris.columns().iter().map(|column| match column.name == name {
                true => Column::new(name, Values::Numbers(own.iter().map(|x| x + by).collect())),
                false => column.clone(),
            });
            exact.predict(&Table::new("moved", columns.collect()).unwrap(), &machine).unwrap().numbers
        };
        let (above, below) = (moved(step), moved(-step));
        let slopes = classes
            .iter()
            .enumerate()
            .map(|(row, class)| ((above[row * 3 + class] - below[row * 3 + class]) / (2.0 * step)).abs());
        let expected = slopes.sum::<f64>() / 150.0 * deviation(&own);
        let gradient = of(&found, name).gradient.unwrap();
        assert!((gradient / expected - 1.0).abs() < 1e-5, "{name}: {gradient} for {expected}");
    }
}

#[test]
fn single_pixels_are_not_measured() {
    let pixels: Vec<u8> = (0..20 * 36).map(|at| (at * 37 % 251) as u8).collect();
    let texts = (0..20).map(|row| Some(["a", "b"][row % 2]));
    let columns = vec![
        Column::new("image", Values::Bytes(Bytes::new(pixels, vec![6, 6], 255).unwrap())),
        Column::new("t", Values::Categories(Categories::from_texts(texts))),
    ];
    let table = Table::new("images", columns).unwrap();
    let settings = [("target", "t"), ("hidden", "3"), ("epochs", "1")];
    let model = fit(&table, &settings).model;
    let error =
        importance::measure(&model, &table, &ImportanceOptions::default(), &Machine::default()).unwrap_err();
    assert!(error.to_string().contains("takes images"), "{error}");
}
