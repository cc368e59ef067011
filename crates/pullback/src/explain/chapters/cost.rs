//! The cost: predictions beside targets, the formula, its parts.

use crate::explain::Block;
use crate::explain::notation::Symbol;
use crate::explain::page::Page;
use crate::graph::NodeRole;

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
        let formula = lowered.graph.ids().filter(|&id| lowered.graph.node(id).origin.role == NodeRole::Cost);
        if let Some(op) = formula.filter_map(|id| lowered.graph.node(id).op()).next() {
            // What the cost reads: activations, or weighted sums where the last layer has none.
            let last = trace.dense().len();
            let has_activation =
                trace.dense().last().is_some_and(|dense| dense.links.iter().any(|link| !link.is_cost));
            let read = if has_activation { Symbol::Activation(last, 0) } else { Symbol::Sum(last, 0) };
            let symbols = [self.options.notation.text(read), "t".to_owned()];
            let symbols = symbols.map(|symbol| symbol.trim_end_matches("[0]").to_owned());
            let text = format!("C = {}", op.formula().text(&symbols));
            self.blocks.push(Block::Formula { text, latex: format!("C = {}", op.formula().latex(&symbols)) });
        }
        let regularization = trace.cost() - trace.data_cost();
        let mut rows = vec![vec![self.catalog.get("data_cost").to_owned(), self.number(trace.data_cost())]];
        if trace.parameters().iter().any(|p| p.l1 > 0.0 || p.l2 > 0.0) {
            rows.push(vec![self.catalog.get("regularization").to_owned(), self.number(regularization)]);
            rows.push(vec![self.catalog.get("total_cost").to_owned(), self.number(trace.cost())]);
        }
        self.table(&["part", "value"], rows);
    }
}
