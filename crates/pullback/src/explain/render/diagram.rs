//! The graph of a pass as a picture: nodes with their values, edges with what flows along them and back.

use crate::explain::{Catalog, Trace};
use crate::graph::{Graph, Kind, NodeId};
use crate::report::number::significant;
use crate::report::svg::Svg;
use std::fmt::Write;

/// The largest number of nodes of a drawing; more cannot be read.
pub const MOST_NODES: usize = 150;

/// Its colors, in light and dark.
const STYLE: &str = ".graph .paper{fill:#fff}.graph text{fill:#1c2430}.graph .dim{fill:#56606e}.graph .way{fill:none;\
stroke:#9aa5b4}.graph .input,.graph .parameter,.graph .constant,.graph .operation{stroke:#56606e;fill:#fff}\
.graph .input{fill:#e8f0fe}.graph .parameter{fill:#e9f7ec}.graph .constant{fill:#f2f2f2}.graph .value{fill:#1a56c4}\
.graph .derivative{fill:#b3261e}@media(prefers-color-scheme:dark){.graph .paper{fill:#14181f}.graph text{fill:#e3e8ef}\
.graph .dim{fill:#9aa5b4}.graph .way{stroke:#5a6678}.graph .operation{fill:#14181f}.graph .input{fill:#1b2c4a}\
.graph .parameter{fill:#17321f}.graph .constant{fill:#262c36}.graph .value{fill:#8db8ff}.graph .derivative{fill:#ff9a8c}}";

/// A node of the forward pass as it is drawn.
struct Drawn {
    id: NodeId,
    title: String,
    lines: Vec<String>,
    class: &'static str,
}

fn summary(numbers: &[f64]) -> String {
    match numbers {
        [one] => significant(*one, 4),
        few if few.len() <= 3 => few.iter().map(|x| significant(*x, 3)).collect::<Vec<_>>().join(", "),
        many => format!("|.| = {}", significant(many.iter().map(|x| x * x).sum::<f64>().sqrt(), 4)),
    }
}

/// The nodes of the forward pass that the cost depends on, with values and derivatives.
fn drawn(
    graph: &Graph,
    count: usize,
    cost: NodeId,
    value: impl Fn(NodeId) -> String,
    adjoint: impl Fn(NodeId) -> Option<String>,
) -> Vec<Drawn> {
    let needed = graph.ancestors(&[cost]);
    let nodes = graph.ids().take(count).filter(|id| needed[id.index()]);
    nodes
        .map(|id| {
            let node = graph.node(id);
            let (title, class) = match &node.kind {
                Kind::Input(name) => (name.clone(), "input"),
                Kind::Parameter(name) => (name.clone(), "parameter"),
                Kind::Constant(_) => ("constant".to_owned(), "constant"),
                Kind::Operation(op, _) => (op.name().to_owned(), "operation"),
            };
            let mut lines = vec![format!("{} {}", node.shape, value(id))];
            if let Some(derivative) = adjoint(id) {
                lines.push(format!("dC/d. {derivative}"));
            }
            Drawn { id, title, lines, class }
        })
        .collect()
}

fn of_trace(trace: &Trace) -> Vec<Drawn> {
    let forward = &trace.lowered().graph;
    drawn(
        forward,
        forward.nodes().len(),
        trace.lowered().cost,
        |id| summary(trace.value(id)),
        |id| Some(summary(trace.value(trace.adjoint(id)?))),
    )
}

/// The graph in the language of Graphviz.
pub fn dot(trace: &Trace) -> String {
    let mut out = String::from(
        "digraph pullback {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n  \
         edge [fontname=\"Helvetica\", fontsize=9];\n",
    );
    let nodes = of_trace(trace);
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    for node in &nodes {
        let lines = node.lines.iter().map(|line| quote(line)).collect::<Vec<_>>().join("\\n");
        let _ = writeln!(out, "  n{} [label=\"{}\\n{lines}\"];", node.id.index(), quote(&node.title));
    }
    for node in &nodes {
        for input in trace.lowered().graph.node(node.id).inputs() {
            let back = trace.adjoint(*input).map(|id| summary(trace.value(id))).unwrap_or_default();
            let label = format!("{}\\n{back}", quote(&summary(trace.value(*input))));
            let _ = writeln!(out, "  n{} -> n{} [label=\"{label}\"];", input.index(), node.id.index());
        }
    }
    out.push_str("}\n");
    out
}

/// The graph as a drawing that needs nothing else; absent if it has too many nodes to be read.
pub fn svg(trace: &Trace, catalog: &Catalog) -> Option<String> {
    const WIDTH: usize = 190;
    const HEIGHT: usize = 62;
    const GAP: (usize, usize) = (56, 20);
    let nodes = of_trace(trace);
    if nodes.len() > MOST_NODES {
        return None;
    }
    let graph = &trace.lowered().graph;
    // A node stands one column after the last that it reads; what reads nothing, just before its reader.
    let mut column = vec![0usize; graph.nodes().len()];
    for node in &nodes {
        let inputs = graph.node(node.id).inputs();
        column[node.id.index()] = inputs.iter().map(|input| column[input.index()] + 1).max().unwrap_or(0);
    }
    for node in nodes.iter().rev() {
        if graph.node(node.id).inputs().is_empty() {
            let readers = nodes.iter().filter(|reader| graph.node(reader.id).inputs().contains(&node.id));
            let first = readers.map(|reader| column[reader.id.index()]).min().unwrap_or(1);
            column[node.id.index()] = first.saturating_sub(1);
        }
    }
    let columns = nodes.iter().map(|node| column[node.id.index()]).max().unwrap_or(0) + 1;
    let mut filled = vec![0usize; columns];
    let mut place = vec![(0usize, 0usize); graph.nodes().len()];
    for node in &nodes {
        let at = column[node.id.index()];
        place[node.id.index()] = (20 + at * (WIDTH + GAP.0), 44 + filled[at] * (HEIGHT + GAP.1));
        filled[at] += 1;
    }
    let tallest = filled.iter().max().copied().unwrap_or(1);
    let (width, height) = (20 + columns * (WIDTH + GAP.0), 60 + tallest * (HEIGHT + GAP.1));
    let mut drawing = Svg::named(width, height, 12, "graph");
    drawing.labeled("title", &[], catalog.get("graph_summary"));
    drawing.labeled("style", &[], STYLE);
    drawing.element("rect", &[("class", &"paper"), ("width", &width), ("height", &height)]);
    drawing.text(&[("class", &"dim"), ("x", &20), ("y", &24)], catalog.get("diagram"));
    for node in &nodes {
        let (x, y) = place[node.id.index()];
        for input in graph.node(node.id).inputs() {
            let (from, level) = place[input.index()];
            let (x0, y0, y1) = (from + WIDTH, level + HEIGHT / 2, y + HEIGHT / 2);
            let middle = x0.midpoint(x);
            let path = format_args!("M{x0} {y0}C{middle} {y0} {middle} {y1} {x} {y1}");
            drawing.element("path", &[("class", &"way"), ("d", &path)]);
        }
    }
    for node in &nodes {
        let (x, y) = place[node.id.index()];
        drawing.element(
            "rect",
            &[
                ("x", &x),
                ("y", &y),
                ("width", &WIDTH),
                ("height", &HEIGHT),
                ("rx", &6),
                ("class", &node.class),
            ],
        );
        drawing.text(&[("x", &(x + 8)), ("y", &(y + 18)), ("font-weight", &600)], &node.title);
        for (line, (text, class)) in node.lines.iter().zip(["value", "derivative"]).enumerate() {
            drawing.text(&[("x", &(x + 8)), ("y", &(y + 36 + 17 * line)), ("class", &class)], text);
        }
    }
    Some(drawing.finish())
}
