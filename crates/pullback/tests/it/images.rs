//! Networks of convolutions and poolings: what is refused, where weights start, and that they learn, with the same
//! bits on any number of threads.

use pullback::data::{Dataset, Features, Targets};
use pullback::network::layers::Convolution;
use pullback::network::{Activation, Cost, Form, Image, Initializer, Layer, Network, Padding};
use pullback::train::{Batch, Machine, Optimizer, Silent, Training, train};

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
