//! A predictor says the same as the model, from many threads at once.

use crate::layers::{for_each_case, network};
use pullback::data::{DataOptions, Dataset, Features, Input, Preprocessing, Targets, builtin};
use pullback::execute::{Isa, Precision};
use pullback::model::Model;
use pullback::network::layers::Embedding;
use pullback::network::{self, Activation, Cost, Form, Index, Layer, Network};
use pullback::train::{Machine, Silent, Training, evaluate, train};

#[test]
fn a_predictor_says_what_its_model_says_from_any_thread() {
    let table = builtin::load("iris", 0).unwrap();
    let rows: Vec<usize> = (0..table.rows()).collect();
    let preprocessing = Preprocessing::fit(&table, &rows, &DataOptions::default()).unwrap();
    let data = preprocessing.apply::<f32>(&table).unwrap();
    let network = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let (training, machine) = (Training { epochs: 3, ..Training::default() }, Machine::with_threads(1));
    let trained = train(&network, &training, &data, &rows, &[], &machine, &mut Silent).unwrap();
    let model = Model::new(network, trained.parameters).unwrap().with_preprocessing(preprocessing).unwrap();
    let whole = model.predict(&table, &machine).unwrap();
    let predictor = model.predictor(&machine).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (predictor, whole, table, data) = (&predictor, &whole, &table, &data);
            scope.spawn(move || {
                for turn in 0..20 {
                    assert_eq!(predictor.predict(table).unwrap(), *whole);
                    let row = (37 * turn + thread) % table.rows();
                    let inputs = data.features().select(&[row]).unwrap();
                    let said = predictor.row(&inputs).unwrap();
                    let said: Vec<f64> = said.into_iter().map(f64::from).collect();
                    assert_eq!(said, whole.numbers[3 * row..][..3], "row {row}");
                }
            });
        }
    });
    assert!(predictor.row(&[0.0; 3]).is_err());
}

/// Inputs of a form: codes, or numbers in [-1, 1), which may be mostly zeros.
fn inputs(form: Form, rows: usize, is_sparse: bool) -> Features<f32> {
    let number = |i: usize| match form {
        Form::Index(Index { levels, .. }) => (i * 31 % levels) as f32,
        _ if is_sparse && !i.is_multiple_of(3) => 0.0,
        _ => (i * 7919 % 2003) as f32 / 1001.5 - 1.0,
    };
    let width = form.elements();
    Features::dense((0..rows * width).map(number).collect(), width).unwrap()
}

/// For any number of rows, a predictor says what plans of just so many rows say, whose weights are not packed.
fn check(network: &Network, is_sparse: bool, counts: &[usize], machine: &Machine) {
    let what = format!("{:?} {:?} on {machine:?}", network.named, network.layers);
    let parameters = network.initialize::<f32>(3).unwrap();
    let model = Model::new(network.clone(), parameters.clone()).unwrap();
    let predictor = model.predictor(machine).unwrap();
    let forms: Vec<(String, Form)> = match &network.named[..] {
        [] => vec![("x".into(), Form::Row(network.inputs))],
        named => named.iter().map(|input| (input.name.clone(), input.form)).collect(),
    };
    for &count in counts {
        let given: Vec<(String, Features<f32>)> =
            (forms.iter()).map(|(name, form)| (name.clone(), inputs(*form, count, is_sparse))).collect();
        let outputs = network.outputs();
        let targets = Targets::values(vec![0.0; count * outputs], outputs).unwrap();
        let data = Dataset::with_inputs(given.clone(), targets).unwrap();
        let rows: Vec<usize> = (0..count).collect();
        let exact = evaluate(network, &parameters, &data, &rows, machine).unwrap().predictions;
        assert_eq!(predictor.inputs(data.inputs()).unwrap(), exact, "{count} rows of {what}");
        let mut reversed: Vec<Input<f32>> = data.inputs().to_vec();
        reversed.reverse();
        let said = model.predict_inputs(&reversed, machine).unwrap().numbers;
        assert_eq!(said, exact.iter().map(|x| f64::from(*x)).collect::<Vec<_>>(), "{what}");
        let mut written = vec![f32::NAN; exact.len()];
        let result = predictor.write(&given[0].1.to_dense().unwrap(), &mut written);
        if given.len() == 1 {
            assert_eq!(written, exact, "{count} rows of {what}");
        } else {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("the network takes 2 blocks of inputs"), "{error}");
            let table = builtin::load("iris", 0).unwrap();
            let error = model.predict(&table, machine).unwrap_err().to_string();
            assert!(error.contains("a table is only one"), "{error}");
        }
    }
}

#[test]
fn a_predictor_says_the_bits_of_plans_of_just_so_many_rows() {
    let one = Machine::with_threads(1);
    for_each_case(|_, _, case| check(&network(&case), false, &[1, 3, 5, 16, 17, 33], &one));
    let classes = Cost::SoftmaxCrossEntropy;
    let large = Network::dense(300, &[200, 65], 10, Activation::Relu, classes);
    let counts = [1, 2, 25, 100, 255, 256, 257, 300];
    for is_sparse in [false, true] {
        for isa in Isa::available() {
            check(&large, is_sparse, &counts, &Machine { isa, ..one });
        }
        check(&large, is_sparse, &counts, &Machine::with_threads(2));
    }
    let reduced = Machine { isa: Isa::amx_emulated(), precision: Precision::Bf16, ..one };
    // Products of few rows are in f32, so that there the bits of a row depend on the plan that it is in.
    check(&large, false, &[1, 16, 64, 256], &reduced);
    let words = network::Input::new("words", Form::Index(Index { count: 3, levels: 7 }));
    let named = vec![
        words.with_layers([Layer::from(Embedding::new(4))]),
        network::Input::new("numbers", Form::Row(5)).with_layers([Layer::dense(6)]),
    ];
    check(&Network::with_inputs(named, [Layer::dense(3)], classes), false, &[1, 7, 20], &one);
}

#[test]
fn what_is_no_whole_row_of_the_inputs_is_refused() {
    let network = Network::dense(4, &[3], 2, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let parameters = network.initialize::<f32>(0).unwrap();
    let model = Model::new(network, parameters).unwrap();
    let predictor = model.predictor(&Machine::with_threads(1)).unwrap();
    assert!(predictor.write(&[], &mut []).is_ok());
    for (inputs, room, what) in [
        (vec![0.0; 5], 2, "5 numbers are no whole number of rows"),
        (vec![0.0; 8], 2, "2 rows of predictions are 4 numbers, but there is room for 2"),
        (vec![0.0, 1.0, f32::NAN, 0.0], 2, "row 1, column 3 of the inputs: NaN is not a finite number"),
    ] {
        let error = predictor.write(&inputs, &mut vec![0.0; room]).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}
