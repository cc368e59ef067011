//! The cost: predictions beside targets, the formula, its parts.

use crate::explain::Block;
use crate::explain::notation::Symbol;
use crate::explain::page::Page;
use crate::graph::ops::Formula;
use crate::graph::{Graph, Kind, NodeId};

impl Page<'_> {
    pub(super) fn cost(&mut self) {
        let trace = self.trace;
        let lowered = trace.lowered();
        self.heading(self.catalog.get("cost").to_owned());
        let outputs = trace.network().outputs();
        let target = lowered.graph.find("targets").expect("every network has targets");
        let prediction = self.row_of(lowered.prediction, outputs);
        let t = self.row_of(target, outputs);
        let name = |unit: usize| self.options.outputs.get(unit).cloned().unwrap_or_else(|| unit.to_string());
        let important: Vec<f64> = prediction.iter().zip(&t).map(|(p, t)| p.abs() + 10.0 * t.abs()).collect();
        let mut rows = Vec::new();
        for unit in self.shown(&important) {
            let mut row = vec![name(unit), self.number(prediction[unit]), self.number(t[unit])];
            if let Some(scale) = self.options.scales.get(unit) {
                let own = |x: f64| self.number(x * scale.spread + scale.center);
                row.extend([own(prediction[unit]), own(t[unit])]);
            }
            rows.push(row);
        }
        let columns: &[&str] = match self.options.scales.len() {
            0 => &["output", "prediction", "target"],
            _ => &["output", "prediction", "target", "own_prediction", "own_target"],
        };
        self.table(columns, rows);
        self.left_out(&important);
        if let Some(temperature) = self.options.temperature.filter(|temperature| *temperature != 1.0) {
            self.text(self.say("calibrated", &[("temperature", &self.number(temperature))]));
        }
        if let Some(op) = lowered.graph.node(lowered.costs).op() {
            // What the cost reads: activations, or weighted sums where the last layer has none.
            let last = trace.dense().len();
            let has_activation =
                trace.dense().last().is_some_and(|dense| dense.links.iter().any(|link| !link.is_cost));
            let read = if has_activation { Symbol::Activation(last, 0) } else { Symbol::Sum(last, 0) };
            let read = self.options.notation.text(read).trim_end_matches("[0]").to_owned();
            let given = lowered.graph.node(lowered.costs).inputs().get(1).copied().unwrap_or(target);
            let formula = |fill: fn(&Formula, &[String]) -> String| {
                format!(
                    "C = {}",
                    fill(&op.formula(), &[read.clone(), of_targets(&lowered.graph, given, fill)])
                )
            };
            let (text, latex) = (formula(Formula::text), formula(Formula::latex));
            self.blocks.push(Block::Formula { text, latex });
        }
        let regularization = trace.cost() - trace.data_cost();
        let mut rows = Vec::new();
        let own = self.row_cost();
        if let Some(own) = own {
            rows.push(vec![self.catalog.get("data_cost").to_owned(), self.number(own)]);
        }
        if trace.rows() > 1 {
            let count = trace.rows().to_string();
            rows.push(vec![self.say("mean_data_cost", &[("count", &count)]), self.number(trace.data_cost())]);
        }
        if trace.parameters().iter().any(|p| p.l1 > 0.0 || p.l2 > 0.0) {
            rows.push(vec![self.catalog.get("regularization").to_owned(), self.number(regularization)]);
            rows.push(vec![self.catalog.get("total_cost").to_owned(), self.number(trace.cost())]);
        }
        self.table(&["part", "value"], rows);
    }

    /// The cost of the example that the tables show. Absent where the graph has no cost of each example.
    fn row_cost(&self) -> Option<f64> {
        let trace = self.trace;
        if trace.rows() == 1 {
            return Some(trace.data_cost());
        }
        let costs = trace.value(trace.lowered().costs);
        let each = costs.len() / trace.rows();
        let own: f64 = costs[..each].iter().sum();
        let mean = costs.iter().sum::<f64>() / trace.rows() as f64;
        let is_of_examples = each > 0 && costs.len() == each * trace.rows();
        // Examples with weights have a mean of their own; any other cost is the mean of what is said to be one's.
        let is_mean = (mean - trace.data_cost()).abs() <= 1e-9 * mean.abs();
        (is_of_examples && (is_mean || trace.weights().is_some())).then_some(own)
    }
}

/// What a cost is given instead of the targets t, as a formula of them; mostly t itself.
fn of_targets(graph: &Graph, id: NodeId, fill: fn(&Formula, &[String]) -> String) -> String {
    let node = graph.node(id);
    match &node.kind {
        Kind::Operation(op, inputs) => {
            let operands: Vec<String> = inputs.iter().map(|input| of_targets(graph, *input, fill)).collect();
            format!("({})", fill(&op.formula(), &operands))
        }
        Kind::Constant(number) => number.to_string(),
        Kind::Input(_) | Kind::Parameter(_) => "t".to_owned(),
    }
}
