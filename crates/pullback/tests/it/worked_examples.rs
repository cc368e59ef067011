//! Well-known examples of back propagation, against the numbers that their authors published.

use pullback::differentiate::reverse;
use pullback::execute::reference;
use pullback::explain::examples::find;
use pullback::graph::Builder;

/// What the authors print to two to four decimals, to nine.
const CLOSE: f64 = 1e-9;

/// The value and the gradients by name of a circuit of `explain::examples`, whose claims are the published digits.
fn check(name: &str, value: f64, gradients: &[(&str, f64)]) {
    let circuit = find(name).unwrap().unwrap().worked.circuit().unwrap().unwrap();
    let found = circuit.value(circuit.output);
    assert!((found - value).abs() < CLOSE, "{name}: value {found} for {value}");
    for (input, expected) in gradients {
        let found = circuit.derivative(circuit.graph.find(input).unwrap());
        assert!((found - expected).abs() < CLOSE, "{name}: gradient of {input}: {found} for {expected}");
    }
}

#[test]
fn the_neurons_of_published_circuits_have_their_exact_gradients() {
    check(
        "circuit",
        0.731_058_578_630_004_9,
        &[
            ("w0", -0.196_611_933_241_481_85),
            ("w1", -0.393_223_866_482_963_7),
            ("w2", 0.196_611_933_241_481_85),
            ("x0", 0.393_223_866_482_963_7),
            ("x1", -0.589_835_799_724_445_6),
        ],
    );
    check(
        "micrograd",
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
