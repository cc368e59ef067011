//! The check of a network's gradients passes right ones, and names what is wrong with others.

use pullback::explain::{CheckOptions, Trace, check};
use pullback::network::{Activation, Cost, Image, Layer, Mode, Network};
use pullback::random::{Purpose, Random};

fn traced(network: &Network, parameters: &[Vec<f64>]) -> Trace {
    let features: Vec<f64> = (0..3 * network.inputs).map(|at| ((at * 7 % 11) as f64) / 5.0 - 1.0).collect();
    let outputs = network.outputs();
    let targets: Vec<f64> =
        (0..3 * outputs).map(|at| f64::from(u8::from(at % outputs == at / outputs))).collect();
    Trace::new(network, parameters, &features, &targets, 3).unwrap()
}

fn gradients(trace: &Trace) -> Vec<Vec<f64>> {
    (0..trace.parameters().len()).map(|place| trace.gradient(place).to_vec()).collect()
}

#[test]
fn right_gradients_pass_with_every_activation_and_cost() {
    for activation in Activation::NAMES {
        for cost in Cost::NAMES {
            let mut network =
                Network::dense(4, &[5, 4], 3, activation.parse().unwrap(), cost.parse().unwrap());
            network.regularization.l2 = 0.01;
            let trace = traced(&network, &network.initialize(1).unwrap());
            for found in check(&trace, &gradients(&trace), &CheckOptions::default()).unwrap() {
                assert!(found.passes, "{activation}, {cost}: {found:?}");
                assert_eq!(found.checked, found.all);
            }
        }
    }
}

#[test]
fn right_gradients_of_convolutions_pass_though_they_are_near_kinks() {
    let mut network = Network::dense(144, &[6], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
    network.image = Some(Image { height: 12, width: 12, channels: 1 });
    let relu = Layer::function(Activation::Relu);
    let front = [
        Layer::convolution(4, 3),
        relu.clone(),
        Layer::max_pool(2),
        Layer::convolution(5, 2),
        relu,
        Layer::max_pool(2),
    ];
    network.layers.splice(0..0, front);
    for seed in 0..5 {
        let trace = traced(&network, &network.initialize(seed).unwrap());
        for found in check(&trace, &gradients(&trace), &CheckOptions::default()).unwrap() {
            assert!(found.passes, "seed {seed}: {found:?}");
        }
        let mut wrong = gradients(&trace);
        wrong[0][4] *= 1.01;
        let found = check(&trace, &wrong, &CheckOptions::default()).unwrap();
        assert!(!found[0].passes && found[0].worst == "layers.0.weight[0,4]", "seed {seed}: {:?}", found[0]);
    }
}

#[test]
fn a_wrong_number_fails_and_is_named() {
    let network = Network::dense(4, &[5], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let trace = traced(&network, &network.initialize(1).unwrap());
    for factor in [-1.0, 0.0, 1.001, 2.0] {
        let mut wrong = gradients(&trace);
        wrong[2][5 + 3] *= factor;
        let found = check(&trace, &wrong, &CheckOptions::default()).unwrap();
        let failed: Vec<_> = found.iter().filter(|found| !found.passes).collect();
        assert_eq!(failed.len(), 1, "factor {factor}");
        assert_eq!(failed[0].worst, "layers.2.weight[1,3]");
    }
    let mut wrong = gradients(&trace);
    wrong[1][0] = f64::NAN;
    assert!(check(&trace, &wrong, &CheckOptions::default()).unwrap().iter().any(|found| !found.passes));
}

#[test]
fn a_relu_at_zero_is_a_kink_and_not_wrong() {
    let network = Network::dense(2, &[2], 2, Activation::Relu, Cost::SoftmaxCrossEntropy);
    let mut parameters: Vec<Vec<f64>> = network.initialize(1).unwrap();
    // Unit 0 has weighted sum exactly 0 for every example.
    parameters[0][..2].fill(0.0);
    parameters[1][0] = 0.0;
    let trace = traced(&network, &parameters);
    let found = check(&trace, &gradients(&trace), &CheckOptions::default()).unwrap();
    assert!(found.iter().all(|found| found.passes), "{found:?}");
    assert!(found[0].kinks > 0 && found[1].kinks == 1, "{found:?}");
}

#[test]
fn large_networks_are_sampled() {
    let network = Network::dense(40, &[30], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let trace = traced(&network, &network.initialize(1).unwrap());
    let options = CheckOptions { samples: 20, ..CheckOptions::default() };
    let found = check(&trace, &gradients(&trace), &options).unwrap();
    assert_eq!((found[0].checked, found[0].all), (20, 1200));
    assert!(found.iter().all(|found| found.passes));
}

/// Inputs, targets and parameters that are drawn.
fn drawn(network: &Network, rows: usize, seed: u64, mode: Mode) -> Trace {
    let random = Random::new(seed, Purpose::Sample, 0);
    let features: Vec<f64> = (0..rows * network.inputs).map(|at| random.normal(at as u64)).collect();
    let outputs = network.outputs();
    let class = |row: usize| (random.bits((1 << 20) + row as u64) % outputs as u64) as usize;
    let targets: Vec<f64> =
        (0..rows * outputs).map(|at| f64::from(u8::from(at % outputs == class(at / outputs)))).collect();
    let parameters = network.initialize(seed).unwrap();
    Trace::with_mode(network, &parameters, &features, &targets, rows, mode, seed).unwrap()
}

#[test]
fn no_alarm_and_no_kink_in_deep_smooth_networks() {
    for seed in 0..100_u64 {
        let depth = 8 + (seed % 13) as usize;
        let activation = ["sigmoid", "tanh", "softplus", "gelu", "silu"][(seed % 5) as usize];
        let cost = ["softmax_cross_entropy", "squared_error"][(seed / 5 % 2) as usize];
        let mut network =
            Network::dense(3, &vec![4; depth], 2, activation.parse().unwrap(), cost.parse().unwrap());
        network.regularization.l2 = [0.0, 1e-3, 1.0][(seed % 3) as usize];
        let trace = drawn(&network, 1 + (seed % 7) as usize, seed, Mode::Evaluation);
        let options = CheckOptions { samples: 6, ..CheckOptions::default() };
        for found in check(&trace, &gradients(&trace), &options).unwrap() {
            assert!(found.passes && found.kinks == 0, "seed {seed}, {depth} x {activation}: {found:?}");
        }
        // A rule that is wrong in the first layer, however small its gradients.
        let mut wrong = gradients(&trace);
        wrong[0].iter_mut().for_each(|number| *number *= 1.0 + 1e-4);
        let found = check(&trace, &wrong, &options).unwrap();
        assert!(!found[0].passes, "seed {seed}, {depth} x {activation}: {:?}", found[0]);
    }
}

#[test]
fn training_is_checked_with_the_statistics_and_masks_of_a_batch() {
    for seed in 0..20 {
        let mut network = Network::dense(5, &[7, 6], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
        network.layers.insert(1, Layer::batch_norm());
        network.layers.insert(3, Layer::dropout(0.4));
        network.layers.insert(5, Layer::layer_norm());
        let trace = drawn(&network, 6, seed, Mode::Training);
        for found in check(&trace, &gradients(&trace), &CheckOptions::default()).unwrap() {
            assert!(found.passes, "seed {seed}: {found:?}");
        }
        let mut wrong = gradients(&trace);
        wrong[0][3] += 0.01;
        assert!(!check(&trace, &wrong, &CheckOptions::default()).unwrap()[0].passes, "seed {seed}");
    }
}

#[test]
fn kinks_of_relu_pooling_and_absolute_values_are_found_by_asking_the_graph() {
    // |t - a| where a is t for the only example, and L1 of a weight of 0.
    let mut network = Network::dense(1, &[], 1, Activation::Identity, Cost::AbsoluteError);
    let parameters = vec![vec![2.0], vec![0.0]];
    let trace = Trace::new(&network, &parameters, &[1.5], &[3.0], 1).unwrap();
    let found = check(&trace, &gradients(&trace), &CheckOptions::default()).unwrap();
    assert!(found.iter().all(|found| found.passes && found.kinks == 1), "{found:?}");
    network.regularization.l1 = 0.1;
    let parameters = vec![vec![0.0], vec![0.0]];
    let trace = Trace::new(&network, &parameters, &[1.5], &[3.0], 1).unwrap();
    let found = check(&trace, &gradients(&trace), &CheckOptions::default()).unwrap();
    assert_eq!(found.iter().map(|found| found.kinks).collect::<Vec<_>>(), [1, 0], "{found:?}");
    assert!(found.iter().all(|found| found.passes), "{found:?}");
    // Two pixels of a window that are equal, as the filter's weights are 0.
    let mut network = Network::dense(16, &[], 2, Activation::Identity, Cost::SquaredError);
    network.image = Some(Image { height: 4, width: 4, channels: 1 });
    network.layers.splice(0..0, [Layer::convolution(1, 1), Layer::max_pool(2)]);
    let mut parameters: Vec<Vec<f64>> = network.initialize(1).unwrap();
    parameters[0][0] = 0.0;
    let features: Vec<f64> = (0..16).map(|at| f64::from(at * 7 % 16) - 7.0).collect();
    let trace = Trace::new(&network, &parameters, &features, &[0.3, -0.2], 1).unwrap();
    let found = check(&trace, &gradients(&trace), &CheckOptions::default()).unwrap();
    assert!(found.iter().all(|found| found.passes), "{found:?}");
    assert_eq!((found[0].kinks, found[1].kinks), (1, 0), "{found:?}");
}
