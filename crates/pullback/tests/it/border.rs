//! What is wrong with data is said where it comes in: no safe call panics, whatever it is given.

use pullback::data::{
    Bytes, Categories, Column, DataOptions, Dataset, Features, Preprocessing, Table, Targets, Values, split,
};
use pullback::execute::Machine;
use pullback::explain::Trace;
use pullback::network::layers::Embedding;
use pullback::network::{Activation, Cost, Form, Index, Input, Layer, Network};
use pullback::random::{Purpose, Random};
use pullback::train::{Silent, Training, evaluate, predict, train};
use pullback::{Error, Result};

/// Checks that a call is refused with a message that has these parts.
fn check<V>(parts: &[&str], result: Result<V>) {
    let message = result.err().unwrap_or_else(|| panic!("accepted, instead of {parts:?}")).one_line();
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

fn dense(values: &[f32], width: usize) -> Result<Features<f32>> {
    Features::dense(values.to_vec(), width)
}

#[test]
fn blocks_of_inputs_are_whole_rows_of_what_they_hold() {
    check(&["5 numbers", "rows of 2"], dense(&[0.0; 5], 2));
    check(&["width 0"], dense(&[], 0));
    check(&["width 0"], dense(&[1.0], 0));
    check(&["row 2, column 1", "NaN"], dense(&[0.0, 1.0, f32::NAN, 1.0], 2));
    check(&["row 1, column 2", "inf"], dense(&[0.0, f32::INFINITY], 2));

    let bytes = || Bytes::new(vec![1, 2, 3, 4], vec![2], 255).unwrap();
    for (center, spread) in [(0.0, 0.0), (0.0, -1.0), (0.0, f64::NAN), (f64::NAN, 1.0), (1e308, 1e-300)] {
        check(&["bytes cannot be scaled"], Features::<f32>::bytes(bytes(), center, spread));
    }
    // What f64 can still hold, f32 cannot.
    check(&["bytes cannot be scaled"], Features::<f32>::bytes(bytes(), 1e40, 1.0));
    assert_eq!(Features::<f64>::bytes(bytes(), 1.0, 2.0).unwrap().to_dense().unwrap(), [0.0, 0.5, 1.0, 1.5]);

    let codes = |codes: &[u32], levels: &[u32]| Features::<f32>::codes(codes.to_vec(), levels.to_vec());
    check(&["width 0"], codes(&[], &[]));
    check(&["3 numbers"], codes(&[0, 1, 0], &[2, 2]));
    check(&["column 2", "0 levels"], codes(&[0, 0], &[1, 0]));
    check(&["levels"], codes(&[0], &[u32::MAX]));
    check(&["row 2, column 2", "5 is no code of 3"], codes(&[0, 2, 1, 5], &[2, 3]));
    let known = codes(&[0, 2, 1, 1], &[2, 3]).unwrap();
    assert_eq!(known.select(&[1, 0, 1]).unwrap(), [1.0, 1.0, 0.0, 2.0, 1.0, 1.0]);
    check(&["no row 2"], known.select(&[0, 2]));
}

#[test]
fn targets_are_of_classes_that_there_are() {
    check(&["row 2", "no class 2"], Targets::<f32>::binary(vec![0, 2]));
    check(&["row 1", "no class 7", "3"], Targets::<f32>::classes(vec![7], 3));
    check(&["0 classes"], Targets::<f32>::classes(vec![], 0));
    check(&["3 numbers"], Targets::values(vec![1.0_f32, 2.0, 3.0], 2));
    check(&["width 0"], Targets::values(Vec::<f32>::new(), 0));
    check(&["row 2", "inf"], Targets::values(vec![1.0_f32, f32::INFINITY], 1));
    let targets = Targets::<f32>::classes(vec![1, 0], 2).unwrap();
    check(&["no row 9"], targets.select(&[9]));
    assert_eq!(targets.select(&[1, 0]).unwrap(), [1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn inputs_and_targets_are_of_the_same_rows() {
    let targets = || Targets::binary(vec![0, 1]).unwrap();
    check(&["3 rows", "targets 2"], Dataset::new(dense(&[0.0; 3], 1).unwrap(), targets()));
    let block = |name: &str, rows: usize| (name.to_owned(), dense(&vec![0.0; rows], 1).unwrap());
    check(&["no block"], Dataset::with_inputs(vec![], targets()));
    check(&["\"a\""], Dataset::with_inputs(vec![block("a", 2), block("a", 2)], targets()));
    check(&["\"b\"", "3 rows"], Dataset::with_inputs(vec![block("a", 2), block("b", 3)], targets()));
    let data = Dataset::with_inputs(vec![block("a", 2), block("b", 2)], targets()).unwrap();
    let names: Vec<&str> = data.inputs().iter().map(|input| input.name()).collect();
    assert_eq!((names, data.width(), data.rows()), (vec!["a", "b"], 2, 2));
}

#[test]
fn a_network_runs_on_rows_and_parameters_that_fit_it() {
    let network = Network::dense(2, &[3], 1, Activation::Tanh, Cost::SigmoidCrossEntropy);
    let features = dense(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 2).unwrap();
    let data = Dataset::new(features.clone(), Targets::binary(vec![0, 1, 1, 0]).unwrap()).unwrap();
    let machine = Machine::with_threads(1);
    let training = Training { epochs: 1, ..Training::default() };
    let run = |rows: &[usize], validation: &[usize]| {
        train(&network, &training, &data, rows, validation, &machine, &mut Silent)
    };
    check(&["no rows"], run(&[], &[]));
    check(&["no row 4"], run(&[0, 4], &[]));
    check(&["no row 9"], run(&[0, 1], &[9]));
    let parameters = run(&[0, 1, 2, 3], &[0]).unwrap().parameters;
    check(&["no row 4"], evaluate(&network, &parameters, &data, &[4], &machine));

    let other = Network::dense(2, &[4], 1, Activation::Tanh, Cost::SigmoidCrossEntropy);
    let others = other.initialize::<f32>(0).unwrap();
    for parameters in [&others[..], &others[..1], &[], &[vec![], vec![], vec![], vec![]]] {
        check(&["parameters"], evaluate(&network, parameters, &data, &[0], &machine));
        check(&["parameters"], predict(&network, parameters, &features, &machine));
    }
    let wide = dense(&[0.0; 3], 3).unwrap();
    check(&["2 features", "3"], predict(&network, &parameters, &wide, &machine));
    let blocks = vec![("a".to_owned(), wide.clone()), ("b".to_owned(), wide)];
    let blocks = Dataset::with_inputs(blocks, Targets::binary(vec![1]).unwrap()).unwrap();
    check(&["one block", "2"], train(&network, &training, &blocks, &[0], &[], &machine, &mut Silent));
    // No rows are no predictions.
    assert!(predict(&network, &parameters, &dense(&[], 2).unwrap(), &machine).unwrap().is_empty());
}

#[test]
fn codes_that_name_no_row_are_refused_wherever_they_enter_a_graph() {
    let mut network = Network::dense(2, &[], 1, Activation::Tanh, Cost::SquaredError);
    network.named = vec![Input::new("words", Form::Index(Index { count: 2, levels: 3 }))];
    network.layers.splice(0..0, [Layer::from(Embedding::new(2))]);
    let targets = || Targets::values(vec![0.5; 2], 2).unwrap();
    let parameters = network.initialize::<f32>(0).unwrap();
    let wide = network.initialize::<f64>(0).unwrap();
    let (machine, training) = (Machine::with_threads(1), Training { epochs: 1, ..Training::default() });
    for code in [-1.0, 0.5, 3.0, 1e9] {
        let part = format!("code 1 of row 0 is {code}");
        let features = dense(&[2.0, code], 2).unwrap();
        let data = Dataset::new(features.clone(), targets()).unwrap();
        check(&[&part], train(&network, &training, &data, &[0], &[], &machine, &mut Silent));
        check(&[&part], evaluate(&network, &parameters, &data, &[0], &machine));
        check(&[&part], predict(&network, &parameters, &features, &machine));
        check(&[&part], Trace::new(&network, &wide, &[2.0, f64::from(code)], &[0.5; 2], 1));
    }
}

#[test]
fn rows_of_a_table_are_asked_for_within_it() {
    let numbers = |name: &str, numbers: &[f64]| Column::new(name, Values::Numbers(numbers.to_vec()));
    let texts = Categories::from_texts([Some("a"), None, Some("b")]);
    let bytes = Bytes::new(vec![1, 2, 3], vec![1], 255).unwrap();
    assert_eq!((texts.code(3), texts.text(3), bytes.row(3)), (None, None, &[][..]));
    let table = Table::new(
        "t.csv",
        vec![
            numbers("x", &[0.0, 1.0, 2.0]),
            Column::new("c", Values::Categories(texts)),
            Column::new("i", Values::Bytes(bytes)),
            numbers("t", &[0.5, 1.5, 2.5]),
        ],
    )
    .unwrap();
    check(&["no row 3"], table.select(&[0, 3]));
    check(&["no rows"], table.select(&[]));
    let options = DataOptions { target: vec!["t".into()], ..DataOptions::default() };
    check(&["no row 3"], Preprocessing::fit(&table, &[0, 3], &options));
    check(&["no rows"], Preprocessing::fit(&table, &[], &options));

    let random = Random::new(0, Purpose::Split, 0);
    check(&["no row 3"], split(&[0, 3], Some(&[0, 0, 1]), 0.5, &random));
    for fraction in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        check(&["fraction"], split(&[0, 1], None, fraction, &random));
    }
    assert_eq!(split(&[], None, 0.5, &random).unwrap().kept, [0; 0]);
}

#[test]
fn numbers_beyond_the_working_precision_are_refused_with_their_cell() {
    let numbers = |name: &str, numbers: &[f64]| Column::new(name, Values::Numbers(numbers.to_vec()));
    let table = |x: f64, t: f64| {
        Table::new("far.csv", vec![numbers("x", &[0.0, 1.0, x]), numbers("t", &[0.5, 1.5, t])]).unwrap()
    };
    let options = DataOptions { target: vec!["t".into()], ..DataOptions::default() };
    let fitted = Preprocessing::fit(&table(2.0, 2.0), &[0, 1], &options).unwrap();
    check(&["far.csv, row 3", "\"x\"", "too large"], fitted.apply::<f32>(&table(1e300, 2.0)));
    check(&["far.csv, row 3", "\"t\"", "too large"], fitted.apply::<f32>(&table(2.0, 1e200)));
    assert!(fitted.apply::<f64>(&table(1e300, 1e200)).is_ok());
    // An error of this library is of its own type.
    let error: Error = fitted.apply::<f32>(&table(1e300, 2.0)).unwrap_err();
    assert!(!error.to_string().is_empty());
}
