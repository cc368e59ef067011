//! Well-known examples of back propagation, against the numbers that their authors published.

use pullback::differentiate::reverse;
use pullback::execute::reference;
use pullback::graph::{Builder, Var};

/// Published decimals are kept to this.
const CLOSE: f64 = 1e-9;

/// Builds a circuit of named single numbers; checks its value and its gradients by name.
fn check(
    inputs: &[(&str, f64)],
    circuit: impl for<'b> Fn(&[Var<'b>]) -> Var<'b>,
    value: f64,
    gradients: &[(&str, f64)],
) {
    let builder = Builder::new();
    let vars: Vec<Var<'_>> = inputs.iter().map(|(name, _)| builder.input(name, [])).collect();
    let output = circuit(&vars).id().unwrap();
    let graph = builder.finish().unwrap();
    let wrt: Vec<_> = gradients.iter().map(|(name, _)| graph.find(name).unwrap()).collect();
    let backward = reverse(&graph, output, &wrt).unwrap();
    let mut given = vec![Vec::new(); backward.graph.nodes().len()];
    for (name, number) in inputs {
        given[graph.find(name).unwrap().index()] = vec![*number];
    }
    let values = reference(&backward.graph, &given);
    assert!(
        (values[output.index()][0] - value).abs() < CLOSE,
        "value {} for {value}",
        values[output.index()][0]
    );
    for ((name, expected), node) in gradients.iter().zip(&backward.nodes) {
        let found = values[node.index()][0];
        assert!((found - expected).abs() < CLOSE, "gradient of {name}: {found} for {expected}");
    }
}

/// CS231n, "Backpropagation, intuitions".
#[test]
fn the_circuit_of_a_sum_times_a_number() {
    check(
        &[("x", -2.0), ("y", 5.0), ("z", -4.0)],
        |v| (v[0] + v[1]) * v[2],
        -12.0,
        &[("x", -4.0), ("y", -4.0), ("z", 3.0)],
    );
}

/// CS231n, "Backpropagation, intuitions".
#[test]
fn the_neuron_with_a_sigmoid() {
    check(
        &[("w0", 2.0), ("x0", -1.0), ("w1", -3.0), ("x1", -2.0), ("w2", -3.0)],
        |v| (v[0] * v[1] + v[2] * v[3] + v[4]).sigmoid(),
        0.731_058_578_630_004_9,
        &[
            ("w0", -0.196_611_933_241_481_85),
            ("w1", -0.393_223_866_482_963_7),
            ("w2", 0.196_611_933_241_481_85),
            ("x0", 0.393_223_866_482_963_7),
            ("x1", -0.589_835_799_724_445_6),
        ],
    );
}

/// Karpathy, micrograd.
#[test]
fn the_expression_with_five_leaves() {
    check(
        &[("a", 2.0), ("b", -3.0), ("c", 10.0), ("f", -2.0)],
        |v| (v[0] * v[1] + v[2]) * v[3],
        -8.0,
        &[("a", 6.0), ("b", -4.0), ("c", -2.0), ("f", 4.0)],
    );
}

/// Karpathy, micrograd: a node that is used twice adds its gradients.
#[test]
fn a_node_used_twice_adds_its_gradients() {
    check(&[("a", 3.0)], |v| (v[0] + v[0]) + (v[0] + v[0]), 12.0, &[("a", 4.0)]);
}

/// Karpathy, micrograd.
#[test]
fn the_neuron_with_a_hyperbolic_tangent() {
    check(
        &[("x1", 2.0), ("x2", 0.0), ("w1", -3.0), ("w2", 1.0), ("b", 6.881_373_587_019_543)],
        |v| (v[0] * v[2] + v[1] * v[3] + v[4]).tanh(),
        std::f64::consts::FRAC_1_SQRT_2,
        &[("x1", -1.5), ("w1", 1.0), ("x2", 0.5), ("w2", 0.0)],
    );
}

/// M. Mazur, "A Step by Step Backpropagation Example" (2015).
#[test]
fn the_network_of_two_layers_of_two() {
    let builder = Builder::new();
    let x = builder.input("x", [1, 2]);
    let t = builder.input("t", [1, 2]);
    let (w1, b1) = (builder.parameter("w1", [2, 2]), builder.parameter("b1", [2]));
    let (w2, b2) = (builder.parameter("w2", [2, 2]), builder.parameter("b2", [2]));
    let hidden = (x.product_transposed(false, w1, true) + b1).sigmoid();
    let out = (hidden.product_transposed(false, w2, true) + b2).sigmoid();
    let error = out - t;
    let cost = (error * error).scale(0.5).sum_all().id().unwrap();
    let wrt = [w1.id().unwrap(), w2.id().unwrap()];
    let graph = builder.finish().unwrap();
    let backward = reverse(&graph, cost, &wrt).unwrap();
    let given = [
        vec![0.05, 0.10],
        vec![0.01, 0.99],
        vec![0.15, 0.20, 0.25, 0.30],
        vec![0.35, 0.35],
        vec![0.40, 0.45, 0.50, 0.55],
        vec![0.60, 0.60],
    ];
    let values: Vec<Vec<f64>> = reference(&backward.graph, &given);
    assert!((values[cost.index()][0] - 0.298_371_108_760_002_7).abs() < 1e-15);
    let expected = [
        [0.000438567734, 0.000877135469, 0.000497712735, 0.000995425471],
        [0.082167040564, 0.082667627848, -0.022602540477, -0.022740242216],
    ];
    for (node, expected) in backward.nodes.iter().zip(expected) {
        for (found, expected) in values[node.index()].iter().zip(expected) {
            assert!((*found - expected).abs() < 1e-12, "{found} for {expected}");
        }
    }
}

/// The Hessian of x^2 y at (3, 5) is [[2y, 2x], [2x, 0]].
#[test]
fn a_hessian_vector_product() {
    let builder = Builder::new();
    let (x, y) = (builder.input("x", []), builder.input("y", []));
    let cost = (x * x * y).id().unwrap();
    let wrt = [x.id().unwrap(), y.id().unwrap()];
    let first = reverse(&builder.finish().unwrap(), cost, &wrt).unwrap();
    let builder = Builder::extend(first.graph);
    let (dx, dy) = (builder.var(first.nodes[0]), builder.var(first.nodes[1]));
    let along = (dx.scale(7.0) + dy.scale(11.0)).id().unwrap();
    let second = reverse(&builder.finish().unwrap(), along, &wrt).unwrap();
    let values = reference(&second.graph, &[vec![3.0], vec![5.0]]);
    let product: Vec<f64> = second.nodes.iter().map(|node| values[node.index()][0]).collect();
    assert_eq!(product, [10.0 * 7.0 + 6.0 * 11.0, 6.0 * 7.0]);
}
