//! One unit of a dense layer: its sum term by term, and its delta down to the cost.

use crate::explain::notation::Symbol;
use crate::explain::page::Page;
use crate::explain::reading::With;
use crate::explain::written::{Written, equation};
use crate::report::number::significant;

impl Page<'_> {
    pub(super) fn unit(&mut self, position: usize, unit: usize) {
        let dense = self.trace.dense()[position].clone();
        self.heading(self.say("one_unit", &[("layer", &(position + 1)), ("unit", &unit)]));
        self.first_of_batch();
        let z = self.trace.at(dense.sum, 0, unit);
        self.text(self.catalog.get("unit_forward").to_owned());
        let x = self.row_of(dense.input, dense.inputs);
        let terms: Vec<f64> = (0..dense.inputs).map(|at| self.weight_at(&dense, unit, at) * x[at]).collect();
        let mut rows = Vec::new();
        for at in self.shown(&terms) {
            rows.push(vec![
                self.symbol(Symbol::Weight(position + 1, unit, at)),
                self.number(self.weight_at(&dense, unit, at)),
                match self.input_name(position, at) {
                    Some(input) => input.name.clone(),
                    None => self.symbol(self.input(position, at)),
                },
                self.number(x[at]),
                self.number(terms[at]),
            ]);
        }
        self.table(&["weight", "value", "input", "value", "term"], rows);
        self.left_out(&terms);
        let sum = self.at_row(self.named(Symbol::Sum(position + 1, unit)), 0);
        let written: Vec<(Written, f64)> = terms.iter().map(|term| (self.written(*term), *term)).collect();
        let mut parts = vec![self.sum_of(written)];
        parts.extend(dense.bias.map(|bias| self.written(self.trace.parameter(bias)[unit])));
        self.blocks.push(equation([sum, Written::sum(parts), self.written(z)]));
        for link in dense.links.iter().filter(|link| !link.is_cost) {
            let place = self.place(link.node, 0, unit);
            let name = self.reading.write(place, With::Names);
            let mut sides = vec![name];
            sides.extend(self.both_ways(place).into_iter().flatten());
            sides.push(self.written(self.trace.at(link.node, 0, unit)));
            self.blocks.push(equation(sides));
        }
        self.text(self.catalog.get("unit_backward").to_owned());
        self.tree(position, unit);
    }

    /// A delta down to the cost: each unit on the way once, however many paths lead through it.
    pub(super) fn tree(&mut self, position: usize, unit: usize) {
        let dense = self.trace.dense();
        let scale = self.delta_scale();
        let mut rows = Vec::new();
        // The multiplications with sharing and along one path, and the number of paths.
        let (mut shared, mut alone) = (0, 0);
        let mut paths: f64 = 1.0;
        let mut units = vec![unit];
        for at in position..dense.len() {
            let own = &dense[at];
            for unit in units.iter().copied().take(self.options.most_units) {
                let (arriving, how) = self.arrival(at, unit, 0);
                let how = how.map_or_else(|| self.written(arriving), |[_, numbers]| numbers);
                let slopes = own.links.iter().rev().filter(|link| !link.is_cost);
                let slopes = slopes.map(|link| self.written(self.trace.at(link.slope, 0, unit)));
                let delta = scale * self.trace.at(own.delta, 0, unit);
                rows.push(vec![
                    self.at_row(self.named(Symbol::Delta(at + 1, unit)), 0).text,
                    self.number(delta),
                    Written::product([how].into_iter().chain(slopes)).text,
                ]);
            }
            // What arrives from the cost is one number; every slope and every term of a sum is a multiplication.
            let slopes = own.links.iter().filter(|link| !link.is_cost).count();
            shared += units.len() * slopes;
            alone += slopes;
            if let Some(next) = dense.get(at + 1) {
                shared += units.len() * next.units;
                alone += 1;
                paths *= next.units as f64;
                units = (0..next.units).collect();
            }
        }
        self.table(&["delta", "value", "equation"], rows);
        // Where a layer between mixes units, as a norm of all of them does, the paths are others.
        let is_straight = |at: usize| dense[at].links.last().map_or(dense[at].sum, |last| last.node);
        let is_chain = (position..dense.len() - 1).all(|at| self.reads(&dense[at + 1], is_straight(at)));
        if position + 1 == dense.len() || !is_chain {
            return;
        }
        self.text(self.say(
            "sharing",
            &[
                ("shared", &shared),
                ("paths", &significant(paths, 4)),
                ("alone", &significant(paths * alone as f64, 4)),
            ],
        ));
    }
}
