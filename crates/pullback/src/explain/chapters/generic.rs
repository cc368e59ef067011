//! Every node that no other chapter describes: its operation's formula, its numbers, its derivative.
//!
//! This reads the graph alone, so a new layer or operation has its lines without anybody writing them.

use crate::explain::page::Page;
use crate::graph::NodeId;
use crate::graph::ops::Pattern;

impl Page<'_> {
    /// What the operations of layers without a chapter compute.
    pub(super) fn other_nodes(&mut self) {
        let layers = self.trace.others();
        if !layers.is_empty() {
            self.heading(self.catalog.get("other_nodes").to_owned());
            self.text(self.catalog.get("other_nodes_text").to_owned());
        }
        for (place, nodes) in layers {
            self.text(self.other_layer(&place));
            let rows = nodes.into_iter().map(|id| {
                let [label, role] = self.node_names(id);
                vec![label, role, self.node_formula(id), self.largest(id)]
            });
            let rows = rows.collect();
            self.table(&["node", "role", "equation", "largest"], rows);
        }
    }

    /// The derivatives of the cost with respect to those nodes.
    pub(super) fn other_derivatives(&mut self) {
        let layers = self.trace.others();
        if !layers.is_empty() {
            self.heading(self.catalog.get("other_nodes").to_owned());
            self.text(self.catalog.get("other_derivatives_text").to_owned());
        }
        for (place, nodes) in layers.into_iter().rev() {
            let rows: Vec<Vec<String>> = (nodes.into_iter().rev())
                .filter_map(|id| {
                    let adjoint = self.trace.adjoint(id)?;
                    let [label, role] = self.node_names(id);
                    Some(vec![label, role, self.node_formula(adjoint), self.largest(adjoint)])
                })
                .collect();
            if !rows.is_empty() {
                self.text(self.other_layer(&place));
                self.table(&["node", "role", "node_derivative", "largest"], rows);
            }
        }
    }

    /// The gradients of the parameters of those layers.
    pub(super) fn other_gradients(&mut self) {
        let lowered = self.trace.lowered();
        for (layer, _) in self.trace.others().into_iter().rev() {
            let own = |place: &usize| {
                let origin = &lowered.graph.node(lowered.parameters[*place]).origin;
                origin.place().as_ref() == Some(&layer) && self.trace.parameters()[*place].role.is_trained()
            };
            let places: Vec<usize> = (0..self.trace.parameters().len()).filter(own).collect();
            for place in places {
                self.parameter(place);
            }
        }
    }

    /// The line above a layer's nodes: its place, and its description unless it is inside another layer.
    fn other_layer(&self, place: &str) -> String {
        let layer = place.parse().ok().and_then(|at: usize| self.trace.network().layers.get(at));
        match layer {
            Some(layer) => self.say(
                "other_layer",
                &[("layer", &place), ("described", &self.catalog.described(&layer.describe()))],
            ),
            None => self.say("other_place", &[("layer", &place)]),
        }
    }

    fn node_names(&self, id: NodeId) -> [String; 2] {
        let graph = self.trace.graph();
        [graph.label(id), self.catalog.role(graph.node(id).origin.role).to_owned()]
    }

    /// The formula of a node over the names of what it reads.
    fn node_formula(&self, id: NodeId) -> String {
        let graph = self.trace.graph();
        let names: Vec<String> = graph.node(id).inputs().iter().map(|&input| graph.label(input)).collect();
        graph.node(id).op().map_or_else(|| graph.label(id), |op| op.formula().text(&names))
    }

    /// The largest number of a node for the first example; with the operands' numbers, where it is computed from one
    /// of each.
    fn largest(&self, id: NodeId) -> String {
        let numbers = self.trace.value(id);
        let rows = self.trace.rows();
        let of_one = if numbers.len().is_multiple_of(rows) { numbers.len() / rows } else { numbers.len() };
        let size = |at: &usize| numbers[*at].abs();
        let Some(at) = (0..of_one).max_by(|a, b| size(a).total_cmp(&size(b)).then(b.cmp(a))) else {
            return String::new();
        };
        let result = self.number(numbers[at]);
        let graph = self.trace.graph();
        let Some(op) = graph.node(id).op().filter(|op| op.is_elementwise()) else { return result };
        let operands: Vec<String> = (graph.node(id).inputs().iter())
            .filter_map(|&input| {
                let place = match Pattern::of(graph.shape(input), graph.shape(id)) {
                    Pattern::Whole => at,
                    Pattern::Single => 0,
                    Pattern::Row(width) => at % width,
                    Pattern::Column(width) => at / width,
                    Pattern::Other => return None,
                };
                let number = self.number(self.trace.value(input)[place]);
                Some(if number.starts_with('-') { format!("({number})") } else { number })
            })
            .collect();
        if operands.len() < graph.node(id).inputs().len() {
            return result;
        }
        format!("{} = {result}", op.formula().text(&operands))
    }
}
