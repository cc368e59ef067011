//! One weight of a dense layer: the chain of factors of its gradient, and its update.

use crate::explain::notation::Symbol;
use crate::explain::page::Page;
use crate::explain::{Block, FactorKind, ledger};
use crate::report::number::significant;

impl Page<'_> {
    pub(super) fn weight(&mut self, position: usize, unit: usize, input: usize) {
        let dense = self.trace.dense()[position].clone();
        let at = unit * dense.inputs + input;
        let weight = self.symbol(Symbol::Weight(position + 1, unit, input));
        // Where the inputs have names, the input is told by its own.
        let from = match self.input_name(position, input) {
            Some(named) => format!("{input} ({})", named.name),
            None => input.to_string(),
        };
        self.heading(self.say(
            "one_weight",
            &[("weight", &weight), ("layer", &(position + 1)), ("unit", &unit), ("input", &from)],
        ));
        self.text(self.catalog.get("chain_text").to_owned());
        for row in 0..self.trace.rows().min(self.options.most_units) {
            if self.trace.rows() > 1 {
                self.text(self.say("example", &[("row", &row)]));
            }
            self.chain(position, unit, input, row);
        }
        self.text(self.catalog.get("ledger_text").to_owned());
        let ledger = ledger(self.trace, &self.options.training, position, unit, input);
        let mut rows = Vec::new();
        rows.push(vec![self.say("ledger_weight", &[]), self.number(self.trace.parameter(dense.weight)[at])]);
        let examples = self.trace.rows();
        for member in &ledger.members {
            if member.row.is_some_and(|row| row >= self.options.most_units)
                || member.row.is_some() && examples == 1 && member.key != "ledger_share"
            {
                continue;
            }
            let row = member.row.unwrap_or(0);
            rows.push(vec![self.say(member.key, &[("row", &row)]), self.number(member.value)]);
        }
        if let Some(new_weight) = ledger.new_weight {
            rows.push(vec![self.say("ledger_new", &[]), self.number(new_weight)]);
        }
        self.table(&["part", "value"], rows);
        let name = self.options.training.optimizer.name();
        let rate = self.options.training.learning_rate();
        let key = if ledger.new_weight.is_some() { "first_step" } else { "searched_step" };
        self.text(self.say(key, &[("optimizer", &name), ("rate", &rate)]));
        self.text(self.catalog.get("unit_backward").to_owned());
        self.tree(position, unit);
    }

    /// The named factors of one example's gradient, and their product.
    pub(super) fn chain(&mut self, position: usize, unit: usize, input: usize, row: usize) {
        let dense = self.trace.dense()[position].clone();
        let layer = position + 1;
        let w = (
            self.symbol(Symbol::Weight(layer, unit, input)),
            self.symbol_latex(Symbol::Weight(layer, unit, input)),
        );
        let z = (self.symbol(Symbol::Sum(layer, unit)), self.symbol_latex(Symbol::Sum(layer, unit)));
        let a = (
            self.symbol(Symbol::Activation(layer, unit)),
            self.symbol_latex(Symbol::Activation(layer, unit)),
        );
        let mut factors: Vec<(String, String, f64)> = Vec::new();
        let ratio = |top: &(String, String), below: &(String, String)| {
            (
                format!("d{}/d{}", top.0, below.0),
                format!(r"\frac{{\partial {}}}{{\partial {}}}", top.1, below.1),
            )
        };
        let cost = ("C".to_owned(), "C".to_owned());
        for factor in self.trace.factors(&dense, unit, row) {
            let (text, latex) = match factor.kind {
                FactorKind::Cost if dense.links.len() > 1 => ratio(&cost, &a),
                FactorKind::Cost => ratio(&cost, &z),
                FactorKind::Mean => (self.catalog.get("mean_factor").to_owned(), r"\tfrac{1}{m}".to_owned()),
                FactorKind::Arriving => ratio(&cost, if dense.links.is_empty() { &z } else { &a }),
                FactorKind::Slope => ratio(&a, &z),
                FactorKind::Mask => (self.catalog.get("mask").to_owned(), r"\mathrm{mask}".to_owned()),
                FactorKind::Normalization => {
                    (self.catalog.get("normalization").to_owned(), r"\mathrm{norm}".to_owned())
                }
            };
            factors.push((text, latex, factor.value));
        }
        let x = self.trace.at(dense.input, row, input);
        let (text, latex) = ratio(&z, &w);
        factors.push((text, latex, x));
        let product: f64 = factors.iter().map(|factor| factor.2).product();
        let (left, left_latex) = ratio(&cost, &w);
        let join = |part: fn(&(String, String, f64)) -> String, by: &str| {
            factors.iter().map(part).collect::<Vec<_>>().join(by)
        };
        let text = format!("{left} = {}", join(|factor| factor.0.clone(), " * "));
        let latex = format!("{left_latex} = {}", join(|factor| factor.1.clone(), r" \cdot "));
        self.blocks.push(Block::Formula { text, latex });
        let digits = self.options.digits;
        let numbers = factors.iter().map(|factor| significant(factor.2, digits)).collect::<Vec<_>>();
        let (text, latex) = (numbers.join(" * "), numbers.join(r" \cdot "));
        let product = significant(product, digits);
        self.blocks.push(Block::Formula {
            text: format!("= {text} = {product}"),
            latex: format!("= {latex} = {product}"),
        });
        let rows =
            factors.iter().map(|factor| vec![factor.0.clone(), significant(factor.2, digits)]).collect();
        self.table(&["factor", "value"], rows);
    }
}
