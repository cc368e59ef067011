//! Four ways to one gradient: the same numbers, at very different costs.

use pullback::data::{Dataset, Features, Targets};
use pullback::explain::Trace;
use pullback::explain::four_ways::{Way, by_differences, by_tangent, count, gradient};
use pullback::network::{Activation, Cost, Network};
use pullback::train::{Batch, GradientMethod, Machine, Optimizer, Silent, Training, train};

fn traced(network: &Network, rows: usize) -> Trace {
    let features: Vec<f64> =
        (0..rows * network.inputs).map(|at| ((at * 7 % 11) as f64) / 6.0 - 0.9).collect();
    let outputs = network.outputs();
    let targets: Vec<f64> =
        (0..rows * outputs).map(|at| f64::from(u8::from(at % outputs == at / outputs % outputs))).collect();
    Trace::new(network, &network.initialize(2).unwrap(), &features, &targets, rows).unwrap()
}

#[test]
fn all_ways_lead_to_the_same_gradient() {
    for (activation, cost) in [
        (Activation::Sigmoid, Cost::SoftmaxCrossEntropy),
        (Activation::Tanh, Cost::SquaredError),
        (Activation::Relu, Cost::SigmoidCrossEntropy),
        (Activation::Gelu, Cost::Huber(1.0)),
    ] {
        let mut network = Network::dense(3, &[4, 5, 3], 2, activation, cost);
        network.regularization.l2 = 0.1;
        for rows in [1, 3] {
            let trace = traced(&network, rows);
            let (back, _) = gradient(&trace, Way::Back, usize::MAX).unwrap();
            for (way, tolerance) in [(Way::Forward, 1e-12), (Way::Differences, 1e-7), (Way::Paths, 1e-12)] {
                let (other, _) = gradient(&trace, way, usize::MAX).unwrap();
                // One number alone, node by node.
                let alone = |place: usize, element: usize| match way {
                    Way::Forward => by_tangent(&trace, place, element),
                    _ => by_differences(&trace, place, element).0,
                };
                for (place, numbers) in back.iter().enumerate().filter(|_| way != Way::Paths) {
                    for (element, number) in numbers.iter().enumerate() {
                        assert!((alone(place, element) - number).abs() < tolerance, "{way:?}, {activation}");
                    }
                }
                for (one, two) in back.concat().iter().zip(other.concat()) {
                    assert!((one - two).abs() < tolerance, "{way:?}, {activation}, {cost}: {two} for {one}");
                }
            }
        }
    }
}

#[test]
fn a_hundred_layers_cost_three_passes_back_and_two_a_weight_without() {
    let network = Network::dense(64, &[64; 100], 10, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let counts = count(&traced(&network, 1));
    assert!(counts.back <= 3.2 * counts.pass, "{} passes", counts.back / counts.pass);
    assert_eq!(counts.differences, 2.0 * counts.weights * counts.pass);
    assert_eq!(counts.weights, network.parameter_count().unwrap() as f64);
    // 64 to the power of the layers that lie behind the first.
    assert!(counts.path_count > 64f64.powi(100));
}

#[test]
fn counts_are_those_of_hand() {
    // One weight a layer: z = w x + b, twice, with a sigmoid between.
    let network = Network::dense(1, &[1], 1, Activation::Sigmoid, Cost::SquaredError);
    let counts = count(&traced(&network, 1));
    assert_eq!(counts.weights, 4.0);
    assert_eq!(counts.path_count, 4.0);
    let wide = Network::dense(2, &[3, 4], 5, Activation::Sigmoid, Cost::SquaredError);
    // Weights and biases of a layer, times the units of the layers behind it.
    assert_eq!(count(&traced(&wide, 1)).path_count, (9.0 * 20.0) + (16.0 * 5.0) + 25.0);
}

#[test]
fn too_many_paths_are_refused_with_their_number() {
    let network = Network::dense(8, &[8; 12], 2, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let message = gradient(&traced(&network, 1), Way::Paths, usize::MAX).unwrap_err().one_line();
    assert!(message.contains("paths") && message.contains("e11") || message.contains("e12"), "{message}");
}

#[test]
fn every_way_trains_the_same_network() {
    let features = Features::dense(vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 2).unwrap();
    let data = Dataset::new(features, Targets::binary(vec![0, 1, 1, 0]).unwrap()).unwrap();
    let network = Network::dense(2, &[4], 1, Activation::Sigmoid, Cost::SigmoidCrossEntropy);
    let run = |gradient: GradientMethod| {
        let training = Training {
            gradient,
            epochs: 300,
            batch: Batch::Of(3),
            optimizer: Optimizer::Sgd,
            learning_rate: Some(0.5),
            ..Training::default()
        };
        train::<f64>(&network, &training, &data, &[0, 1, 2, 3], &[], &Machine::with_threads(1), &mut Silent)
            .unwrap()
            .parameters
            .concat()
    };
    let back = run(GradientMethod::Back);
    for (method, tolerance) in [(GradientMethod::Forward, 1e-9), (GradientMethod::Differences, 1e-4)] {
        for (one, two) in back.iter().zip(run(method)) {
            assert!((one - two).abs() < tolerance, "{method:?}: {two} for {one}");
        }
    }
}
