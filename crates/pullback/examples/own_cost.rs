//! A cost of one's own: its gradient by reverse mode, a product with its Hessian by forward over reverse, and a check
//! of the gradient: `cargo run --release -p pullback --example own_cost`.
#![allow(missing_docs, unreachable_pub)]

use pullback::differentiate::{check_gradients, forward, reverse};
use pullback::execute::{given, reference};
use pullback::graph::Builder;

pub fn main() -> pullback::Result<()> {
    // The sum of log(cosh(x w - y)) over three examples of two features.
    let (graph, [x, y, w, cost]) = Builder::graph(|b| {
        let (x, y, w) = (b.input("x", [3, 2]), b.input("y", [3, 1]), b.parameter("w", [2, 1]));
        let error = x.product(w) - y;
        let cost = ((error.exp() + (-error).exp()) * 0.5).log().sum_all();
        [x, y, w, cost]
    })?;
    let mut numbers =
        vec![(x, vec![1.0, 2.0, -1.0, 0.5, 0.3, -2.0]), (y, vec![1.0, 0.0, -1.0]), (w, vec![0.2, 0.4])];

    let gradient = reverse(&graph, cost, &[w])?; // dC/dw = x^T tanh(x w - y), as further nodes of the graph
    let values = reference(&gradient.graph, &given(&numbers));
    let by_w = &values[gradient.nodes[0].index()];
    assert!((by_w[0] - 0.3 * pullback::Real::tanh(0.26_f64)).abs() < 1e-12); // the first two errors are 0

    let check = check_gradients(&graph, cost, &[w], &given(&numbers), reference)?;
    assert!(check.differences < 1e-9 && check.forward < 1e-12);

    // H v: how the gradient changes when w changes in the direction v.
    let product = forward(&gradient.graph, &gradient.nodes, &[w]);
    numbers.push((product.directions[0], vec![1.0, 0.0]));
    let values = reference(&product.graph, &given(&numbers));
    assert!((values[product.nodes[0].index()][0] - 2.08418).abs() < 1e-5);
    Ok(())
}
