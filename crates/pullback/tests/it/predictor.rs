//! A predictor says the same as the model, from many threads at once.

use pullback::data::{DataOptions, Preprocessing, builtin};
use pullback::model::Model;
use pullback::network::{Activation, Cost, Network};
use pullback::train::{Machine, Silent, Training, train};

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
