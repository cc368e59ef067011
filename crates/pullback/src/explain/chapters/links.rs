//! What an operation between a weighted sum and the next layer is called: activation, dropout, norm.

use crate::explain::page::Page;
use crate::explain::{FactorKind, Link};
use crate::graph::{NodeId, NodeRole};

impl Page<'_> {
    /// The column of an operation's values; of the first, which reads the weighted sum, `sigmoid(z)`.
    pub(super) fn link_value(&self, node: NodeId, is_first: bool) -> String {
        let key = match self.trace.lowered().graph.node(node).origin.role {
            NodeRole::Dropout => "dropped",
            NodeRole::Normalized => "normalized",
            NodeRole::ScaledAndShifted => "scaled",
            _ => {
                let [z, _] = self.options.notation.of_named_unit();
                let name = self.link_operation(node);
                return if is_first { format!("{name}({z})") } else { name.to_owned() };
            }
        };
        self.catalog.get(key).to_owned()
    }

    /// The column of an operation's slopes.
    pub(super) fn link_slope(&self, link: &Link, is_first: bool) -> String {
        match self.trace.kind(link) {
            FactorKind::Mask => self.catalog.get("mask").to_owned(),
            FactorKind::Normalization => self.catalog.get("normalization").to_owned(),
            _ => {
                let [z, _] = self.options.notation.of_named_unit();
                let name = self.link_operation(link.node);
                if is_first { format!("{name}'({z})") } else { format!("{name}'") }
            }
        }
    }

    /// The name of an operation.
    pub(super) fn link_operation(&self, node: NodeId) -> &'static str {
        self.trace.lowered().graph.node(node).op().map_or("", |op| op.name())
    }
}
