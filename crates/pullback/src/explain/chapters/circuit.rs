//! A circuit of single numbers: each node with its value and the output's derivative.

use crate::explain::{Block, Catalog, Document};
use crate::graph::Graph;
use crate::report::number::significant;

/// A page of a circuit of single numbers: each node with its value and the output's derivative.
pub fn describe_circuit(
    graph: &Graph,
    values: &[f64],
    derivatives: &[Option<f64>],
    title: &str,
    catalog: &Catalog,
) -> Document {
    let name = |key: &str| catalog.get(key).to_owned();
    let rows = graph
        .ids()
        .map(|id| {
            let derivative = derivatives[id.index()].map_or(String::new(), |x| significant(x, 6));
            let label = graph.label(id);
            let formula = match graph.node(id).op() {
                Some(op) => {
                    let operands: Vec<String> =
                        graph.node(id).inputs().iter().map(|&input| graph.label(input)).collect();
                    op.formula().text(&operands)
                }
                None => String::new(),
            };
            vec![label, significant(values[id.index()], 6), derivative, formula]
        })
        .collect();
    let columns = vec![name("node"), name("value"), name("derivative"), name("equation")];
    Document {
        language: catalog.language,
        blocks: vec![
            Block::Heading(1, title.to_owned()),
            Block::Text(name("circuit_text")),
            Block::Table { columns, rows },
        ],
    }
}
