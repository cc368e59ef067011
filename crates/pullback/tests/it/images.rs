//! Networks of convolutions and poolings: what is refused, where weights start, and that they learn, with the same
//! bits on any number of threads.

use pullback::data::{
    Bytes, Categories, Column, DataOptions, Dataset, Features, Preprocessing, Table, Targets, Values, builtin,
};
use pullback::job::{Job, Settings};
use pullback::network::layers::Convolution;
use pullback::network::{Activation, Cost, Form, Image, Initializer, Layer, Network, Padding};
use pullback::train::{
    Augmentation, Batch, Flow, Machine, Optimizer, Silent, State, Trainer, Training, train,
};

fn relu() -> Layer {
    Layer::function(Activation::Relu)
}

/// Small images through the given layers to three classes.
fn network(image: Option<Image>, layers: Vec<Layer>) -> Network {
    let mut network = Network::dense(72, &[], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
    network.image = image;
    network.layers.splice(0..0, layers);
    network
}

const IMAGE: Image = Image { height: 6, width: 12, channels: 1 };

#[test]
fn forms_follow_the_layers() {
    let same =
        Convolution { stride: 2, padding: Padding::Same, has_bias: false, ..Convolution::new(5, 3) }.into();
    let network = network(Some(IMAGE), vec![Layer::convolution(4, 3), Layer::max_pool(2), same]);
    let image = |height, width, channels| Form::Image(Image { height, width, channels });
    assert_eq!(
        network.forms().unwrap(),
        [image(6, 12, 1), image(4, 10, 4), image(2, 5, 4), image(1, 3, 5), Form::Row(3)]
    );
    assert_eq!(network.parameter_count().unwrap(), (9 * 4 + 4) + 9 * 4 * 5 + (15 * 3 + 3));
    assert_eq!(network.outputs(), 3);
}

#[test]
fn what_reads_no_fitting_image_is_refused_with_what_to_do() {
    let check = |network: Network, parts: &[&str]| {
        let message = network.parameters().unwrap_err().one_line();
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
    };
    let wide = Image { width: 13, ..IMAGE };
    check(network(Some(wide), vec![]), &["6 x 13 x 1 has 78 numbers", "an example has 72"]);
    check(
        network(None, vec![Layer::convolution(2, 3)]),
        &["layer 0", "reads a row of 72 numbers", "image = {"],
    );
    let late = vec![Layer::dense(8), relu(), Layer::max_pool(2)];
    check(network(Some(IMAGE), late), &["layer 2: max pool 2x2", "before the dense layers"]);
    check(network(Some(IMAGE), vec![Layer::convolution(2, 7)]), &["windows of 7 x 7", "6 x 12 x 1"]);
    check(network(Some(IMAGE), vec![Layer::convolution(2, 0)]), &["size 0", "at least 1"]);
    check(network(Some(IMAGE), vec![Layer::convolution(0, 2)]), &["0 filters"]);
    let huge = Layer::convolution(usize::MAX / 2, 2);
    check(network(Some(IMAGE), vec![huge]), &["layer 0", "at most"]);
    let image = Image { height: usize::MAX / 2, width: usize::MAX / 2, channels: 3 };
    check(network(Some(image), vec![]), &["the network reads an image", "at most"]);
}

#[test]
fn a_filter_starts_by_the_numbers_of_its_window() {
    let layer =
        Convolution { initializer: Some(Initializer::XavierUniform), ..Convolution::new(50, 5) }.into();
    let channels = Image { height: 6, width: 6, channels: 2 };
    let weights = &network(Some(channels), vec![layer]).initialize::<f64>(0).unwrap()[0];
    // sqrt(6 / (n + m)) with n = 5 * 5 * 2 and m = 5 * 5 * 50.
    let bound = (6.0 / (50.0 + 1250.0_f64)).sqrt();
    let largest = weights.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
    assert_eq!(weights.len(), 50 * 50);
    assert!(largest <= bound && largest > 0.99 * bound, "{largest} of {bound}");
}

#[test]
fn it_learns_where_a_bar_stands_whatever_the_threads() {
    // Class 0: a bar that lies; 1: one that stands; 2: none. Each somewhere else.
    let rows = 300;
    let mut values = vec![0.0_f32; rows * 72];
    let ids: Vec<u32> = (0..rows as u32).map(|row| row % 3).collect();
    for (row, image) in values.chunks_exact_mut(72).enumerate() {
        let (top, left) = (row * 7 % 4, row * 5 % 10);
        for at in 0..3 {
            match row % 3 {
                0 => image[top * 12 + left.min(9) + at] = 1.0,
                1 => image[(top.min(3) + at) * 12 + left] = 1.0,
                _ => {}
            }
        }
    }
    let features = Features::dense(values, 72).unwrap();
    let data = Dataset::new(features, Targets::classes(ids, 3).unwrap()).unwrap();
    let layers = vec![Layer::convolution(4, 3), relu(), Layer::max_pool(2)];
    let network = network(Some(IMAGE), layers);
    let order: Vec<usize> = (0..rows).collect();
    let run = |threads: usize| {
        let training = Training {
            epochs: 15,
            batch: Batch::Of(32),
            optimizer: Optimizer::Momentum { momentum: 0.9 },
            learning_rate: Some(0.05),
            ..Training::default()
        };
        train(&network, &training, &data, &order, &[], &Machine::with_threads(threads), &mut Silent).unwrap()
    };
    let first = run(1);
    let cost = first.history.epochs.last().unwrap().cost;
    assert!(cost < 0.05, "the cost is still {cost}");
    for threads in [2, 5] {
        assert_eq!(run(threads).parameters, first.parameters, "other bits on {threads} threads");
    }
}

/// A bright square of 6 x 6 pixels in the corner that its class says, in images of a size.
pub(crate) fn corners(size: usize, rows: usize) -> Table {
    let mut bytes = vec![0_u8; rows * size * size];
    let mut names = Vec::new();
    for (row, image) in bytes.chunks_exact_mut(size * size).enumerate() {
        let (down, right) = (row % 2, row / 2 % 2);
        let place = |far: usize, offset: usize| offset % 3 + if far == 1 { size - 9 } else { 0 };
        let (top, left) = (place(down, row), place(right, row / 3));
        for at in 0..36 {
            image[(top + at / 6) * size + left + at % 6] = 150 + (row * at % 100) as u8;
        }
        names.push(Some(["north west", "south west", "north east", "south east"][row % 4]));
    }
    let pixels = Bytes::new(bytes, vec![size, size], u8::MAX).unwrap();
    let columns = vec![
        Column::new("pixels", Values::Bytes(pixels)),
        Column::new("corner", Values::Categories(Categories::from_texts(names))),
    ];
    Table::new("corners", columns).unwrap().with_target("corner").unwrap()
}

pub(crate) fn told(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (name, text) in pairs {
        settings.set(name, text).unwrap();
    }
    settings
}

#[test]
fn images_of_some_size_have_convolutions_where_no_hidden_layers_are_named() {
    let layers = |size: usize, pairs: &[(&str, &str)]| {
        let decided = Job::new(told(pairs), corners(size, 80)).decide().unwrap();
        let filters = |layer: &Layer| match layer {
            Layer::Convolution(convolution) => Some(convolution.filters),
            _ => None,
        };
        let network = decided.network();
        let filters: Vec<usize> = network.layers.iter().filter_map(filters).collect();
        let units: Vec<usize> = network.layers.iter().filter_map(Layer::units).collect();
        (filters, units)
    };
    assert_eq!(layers(16, &[]), (vec![16, 32], vec![128, 4]));
    assert_eq!(layers(12, &[]).0, [0; 0]);
    assert_eq!(layers(16, &[("hidden", "20")]), (vec![], vec![20, 4]));
    assert_eq!(layers(16, &[("fast", "true")]).0, [0; 0]);
    assert_eq!(layers(16, &[("convolutions", "none")]).0, [0; 0]);
    assert_eq!(layers(12, &[("convolutions", "5")]), (vec![5], vec![128, 4]));
    assert_eq!(layers(12, &[("convolutions", "5"), ("hidden", "none")]), (vec![5], vec![4]));
}

#[test]
fn what_was_decided_for_images_says_how_to_train_the_same_again() {
    let pairs = [("epochs", "3"), ("augment", "shift,flip"), ("seed", "5")];
    let run = |settings: Settings, threads: usize| {
        let decided = Job::new(settings, corners(16, 120)).decide().unwrap();
        (
            decided.settings().clone(),
            decided.run(&Machine::with_threads(threads), &mut Silent).unwrap().model.to_bytes().unwrap(),
        )
    };
    let (settings, model) = run(told(&pairs), 1);
    let (again, same) = run(settings.clone(), 3);
    assert_eq!(settings, again);
    assert!(model == same, "the model is another");
}

#[test]
fn only_images_have_convolutions_and_are_augmented() {
    let check = |pairs: &[(&str, &str)], table: Table, part: &str| {
        let decided = Job::new(told(pairs), table).decide();
        let message = decided
            .and_then(|decided| decided.run(&Machine::with_threads(1), &mut Silent))
            .err()
            .unwrap()
            .one_line();
        assert!(message.contains(part), "`{part}` is not in: {message}");
    };
    let iris = || builtin::load("iris", 0).unwrap();
    check(&[("convolutions", "4")], iris(), "convolutions are for images");
    check(&[("augment", "flip")], iris(), "only images can be augmented");
    check(&[("augment", "shift:16")], corners(16, 40), "a shift by 16 pixels leaves nothing");
    check(&[("convolutions", "2,2,2,2,2")], corners(16, 40), "reads an image of 1 x 1 x 2");
}

#[test]
fn a_run_with_augmentation_is_taken_up_with_the_same_bits_and_sees_other_images_each_epoch() {
    let table = corners(12, 60);
    let rows: Vec<usize> = (0..60).collect();
    let data =
        Preprocessing::fit(&table, &rows, &DataOptions::default()).unwrap().apply::<f32>(&table).unwrap();
    let mut network = Network::dense(144, &[6], 4, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    network.image = Some(Image { height: 12, width: 12, channels: 1 });
    for batch in [Batch::Of(16), Batch::Full] {
        let training = Training {
            epochs: 4,
            batch,
            augment: Augmentation { shift: 1, flip: true },
            ..Training::default()
        };
        let machine = |threads| Machine::with_threads(threads);
        let whole = train(&network, &training, &data, &rows, &[], &machine(1), &mut Silent).unwrap();
        let plain = Training { augment: Augmentation::default(), ..training.clone() };
        let plain = train(&network, &plain, &data, &rows, &[], &machine(1), &mut Silent).unwrap();
        assert_ne!(whole.parameters, plain.parameters);
        for steps in 1..5 {
            let mut first = Trainer::new(&network, &training, &data, &rows, &[], &machine(2)).unwrap();
            (0..steps).for_each(|_| assert!(first.step().is_some()));
            let state = State::from_bytes(&first.state().to_bytes().unwrap()).unwrap();
            let second = Trainer::resume(&network, &training, &data, &rows, &[], &machine(3), state);
            let mut second = second.unwrap();
            while second.epoch(&mut Silent) == Flow::Continue {}
            assert_eq!(second.finish().parameters, whole.parameters, "{batch}, after {steps} steps");
        }
    }
}
