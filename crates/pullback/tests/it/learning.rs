//! Networks of blocks and of several inputs learn: a transformer, a residual network of images, a table with codes.

use pullback::data::{DataOptions, Dataset, Features, Preprocessing, Targets};
use pullback::graph::ops::Dice;
use pullback::network::layers::{Attention, Convolution, Embedding, GlobalAveragePool, Position};
use pullback::network::{Activation, Cost, Form, Image, Index, Input, Layer, Network, Padding};
use pullback::train::{Batch, Machine, Optimizer, Silent, Training, train};

/// Trains on all rows but the last `held_out`; the accuracy on those.
fn accuracy(network: &Network, data: &Dataset<f32>, held_out: usize, epochs: usize) -> f64 {
    let rows: Vec<usize> = (0..data.rows()).collect();
    let (rows, validation) = rows.split_at(data.rows() - held_out);
    let training = Training {
        epochs,
        batch: Batch::Of(32),
        optimizer: "adam".parse::<Optimizer>().unwrap(),
        learning_rate: Some(0.01),
        ..Training::default()
    };
    let run = |threads| {
        let machine = Machine::with_threads(threads);
        train(network, &training, data, rows, validation, &machine, &mut Silent).unwrap()
    };
    let trained = run(1);
    assert_eq!(trained.parameters, run(3).parameters, "other bits on three threads");
    trained.history.epochs.last().unwrap().validation_accuracy.unwrap()
}

#[test]
fn a_transformer_learns_which_of_two_words_comes_first() {
    const LENGTH: usize = 6;
    let mut dice = Dice::new(1);
    let (mut codes, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        let mut words: Vec<u32> = (0..LENGTH).map(|_| 2 + dice.below(3) as u32).collect();
        let first = dice.below(LENGTH);
        let second = (first + 1 + dice.below(LENGTH - 1)) % LENGTH;
        (words[first], words[second]) = (0, 1);
        codes.extend(words);
        ids.push(u32::from(first < second));
    }
    let features = Features::codes(codes, vec![5; LENGTH]).unwrap();
    let data = Dataset::new(features, Targets::classes(ids, 2).unwrap()).unwrap();
    let gelu = Layer::function(Activation::Gelu);
    let layers = [
        Layer::from(Embedding::new(8)),
        Position {}.into(),
        Layer::residual([Layer::layer_norm(), Attention::new(2).into()]),
        Layer::residual([Layer::layer_norm(), Layer::dense(16), gelu, Layer::dense(8)]),
        GlobalAveragePool {}.into(),
        Layer::dense(2),
    ];
    let words = Input::new("words", Form::Index(Index { count: LENGTH, levels: 5 }));
    let network = Network::with_inputs([words], layers, Cost::SoftmaxCrossEntropy);
    let share = accuracy(&network, &data, 100, 30);
    assert!(share >= 0.95, "{share} of the rows that were held out");
}

#[test]
fn a_residual_network_learns_digits() {
    let table = pullback::data::builtin::load("digits", 0).unwrap();
    let rows: Vec<usize> = (0..500).collect();
    let preprocessing = Preprocessing::fit(&table, &rows, &DataOptions::default()).unwrap();
    let all = preprocessing.apply::<f32>(&table).unwrap();
    let features = Features::dense(all.features().select(&rows).unwrap(), all.width()).unwrap();
    let ids = all.targets().ids().unwrap()[..rows.len()].to_vec();
    let data = Dataset::new(features, Targets::classes(ids, 10).unwrap()).unwrap();
    let side = (all.width() as f64).sqrt() as usize;
    let image = Image { height: side, width: side, channels: 1 };
    let same = |filters, stride| {
        Layer::from(Convolution { stride, padding: Padding::Same, ..Convolution::new(filters, 3) })
    };
    let relu = || Layer::function(Activation::Relu);
    let layers = [
        same(8, 1),
        relu(),
        Layer::residual([Layer::batch_norm(), relu(), same(8, 1)]),
        Layer::residual([Layer::batch_norm(), relu(), same(16, 2), relu(), same(16, 1)]),
        GlobalAveragePool {}.into(),
        Layer::dense(10),
    ];
    let network =
        Network::with_inputs([Input::new("image", Form::Image(image))], layers, Cost::SoftmaxCrossEntropy);
    let share = accuracy(&network, &data, 100, 20);
    assert!(share >= 0.75, "{share} of the rows that were held out");
}

#[test]
fn numbers_and_codes_are_learned_together() {
    // A code chooses the sign of a number's effect.
    let mut dice = Dice::new(2);
    let (mut numbers, mut codes, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..600 {
        let (x, y) = (dice.between(-1.0, 1.0), dice.between(-1.0, 1.0));
        let code = dice.below(20) as u32;
        numbers.extend([x as f32, y as f32]);
        codes.push(code);
        ids.push(u32::from(if code.is_multiple_of(2) { x > 0.0 } else { y > 0.0 }));
    }
    let numbers = ("numbers".to_owned(), Features::dense(numbers, 2).unwrap());
    let codes = ("codes".to_owned(), Features::codes(codes, vec![20]).unwrap());
    let data = Dataset::with_inputs(vec![codes, numbers], Targets::classes(ids, 2).unwrap()).unwrap();
    let inputs = [
        Input::new("numbers", Form::Row(2)),
        Input::new("codes", Form::Index(Index { count: 1, levels: 20 }))
            .with_layers([Layer::from(Embedding::new(4))]),
    ];
    let layers = [Layer::dense(24), Layer::function(Activation::Relu), Layer::dense(2)];
    let network = Network::with_inputs(inputs, layers, Cost::SoftmaxCrossEntropy);
    let share = accuracy(&network, &data, 150, 40);
    assert!(share >= 0.9, "{share} of the rows that were held out");
}
