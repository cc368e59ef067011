//! A graph as text: one line a node, for people, snapshots and error messages.

use super::{Graph, Kind, NodeId};
use std::fmt;

impl Graph {
    /// A short description of a node for messages: its name, or its formula over its inputs' names.
    pub fn describe(&self, id: NodeId) -> String {
        let node = self.node(id);
        let mut text = match &node.kind {
            Kind::Input(name) => format!("input `{name}`"),
            Kind::Parameter(name) => format!("parameter `{name}`"),
            Kind::Constant(value) => format!("constant {value}"),
            Kind::Operation(op, inputs) => {
                let names: Vec<String> = inputs.iter().map(|&input| self.label(input)).collect();
                format!("`{}`", op.formula().text(&names))
            }
        };
        match (node.origin.place(), self.role(id).as_str()) {
            (None, "") => {}
            (None, role) => text.push_str(&format!(" ({role})")),
            (Some(layer), "") => text.push_str(&format!(" (layer {layer})")),
            (Some(layer), role) => text.push_str(&format!(" ({role} of layer {layer})")),
        }
        text
    }

    /// The shortest name of a node: its own, its number, or `%` and its position.
    pub fn label(&self, id: NodeId) -> String {
        match &self.node(id).kind {
            Kind::Input(name) | Kind::Parameter(name) => name.clone(),
            Kind::Constant(value) => value.to_string(),
            Kind::Operation(..) => format!("{id:?}"),
        }
    }
}

impl fmt::Display for Graph {
    /// One line a node: `%3 [2, 4] = sigmoid: 1 / (1 + exp(-%2))   # activation of layer 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for id in self.ids() {
            let node = self.node(id);
            write!(f, "{id:?} {} = ", node.shape)?;
            match &node.kind {
                Kind::Input(name) => write!(f, "input {name}")?,
                Kind::Parameter(name) => write!(f, "parameter {name}")?,
                Kind::Constant(value) => write!(f, "constant {value}")?,
                Kind::Operation(op, inputs) => {
                    let names: Vec<String> = inputs.iter().map(|&input| self.label(input)).collect();
                    write!(f, "{}: {}", op.name(), op.formula().text(&names))?;
                }
            }
            let origin = &node.origin;
            let mut notes = Vec::new();
            notes.extend(Some(self.role(id)).filter(|role| !role.is_empty()));
            if let Some(layer) = origin.place() {
                notes.push(format!("layer {layer}"));
            }
            if let Some(forward) = origin.pulls_back {
                notes.push(format!("pullback through {forward:?}"));
            }
            if let Some(forward) = origin.pushes_forward {
                notes.push(format!("pushforward through {forward:?}"));
            }
            if !notes.is_empty() {
                write!(f, "   # {}", notes.join(", "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
