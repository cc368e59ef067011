//! Rows that somebody else keeps are trained on and predicted as if the library had them.

use pullback::data::{Dataset, Features, Rows, Targets};
use pullback::model::Model;
use pullback::network::{Activation, Cost, Network};
use pullback::train::{Batch, Machine, Silent, Training, train};
use std::sync::Arc;

const ROWS: usize = 83;
const WIDTH: usize = 5;

/// Columns one after the other, as Fortran keeps them, in another precision.
#[derive(Debug)]
struct Columns(Vec<f64>);

impl Columns {
    fn new() -> Self {
        let number = |at: usize| f64::from(((at * 7919) % 1013) as u16) / 500.0 - 1.0;
        Self((0..ROWS * WIDTH).map(number).collect())
    }
}

impl Rows<f32> for Columns {
    fn rows(&self) -> usize {
        ROWS
    }

    fn width(&self) -> usize {
        WIDTH
    }

    fn gather(&self, rows: &[usize], out: &mut [f32]) {
        for (&row, out) in rows.iter().zip(out.chunks_exact_mut(WIDTH)) {
            out.iter_mut().enumerate().for_each(|(at, out)| *out = self.0[at * ROWS + row] as f32);
        }
    }
}

#[test]
fn rows_outside_are_trained_on_to_the_same_bits() {
    let outside = Features::outside(Arc::new(Columns::new())).unwrap();
    let dense = Features::dense(outside.to_dense().unwrap(), WIDTH).unwrap();
    assert_ne!(outside, dense);
    assert_eq!(outside, outside.clone());
    let network = Network::dense(WIDTH, &[9], 2, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let training = Training { epochs: 3, batch: Batch::Of(17), ..Training::default() };
    let (rows, validation): (Vec<usize>, Vec<usize>) = (0..ROWS).partition(|row| row % 7 > 0);
    let of = |features: &Features<f32>, threads| {
        let ids = (0..ROWS).map(|row| u32::from(row % 3 == 0)).collect();
        let data = Dataset::new(features.clone(), Targets::classes(ids, 2).unwrap()).unwrap();
        let machine = Machine::with_threads(threads);
        let trained = train(&network, &training, &data, &rows, &validation, &machine, &mut Silent).unwrap();
        let model = Model::new(network.clone(), trained.parameters).unwrap();
        let predicted = model.predictor(&machine).unwrap().rows(features).unwrap();
        (trained.history, predicted.iter().map(|p| p.to_bits()).collect::<Vec<_>>())
    };
    let expected = of(&dense, 1);
    assert_eq!(of(&outside, 1), expected);
    assert_eq!(of(&outside, 3), expected);
}

#[test]
fn a_number_outside_that_is_not_finite_is_named() {
    let mut columns = Columns::new();
    columns.0[3 * ROWS + 70] = f64::NAN;
    let message = Features::outside(Arc::new(columns)).unwrap_err().to_string();
    assert!(message.contains("row 71, column 4"), "{message}");
    let mut columns = Columns::new();
    columns.0[0] = 1e300; // beyond f32
    assert!(Features::outside(Arc::new(columns)).is_err());
}
