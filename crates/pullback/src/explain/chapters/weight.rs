//! One weight or bias of a dense layer: the chain of factors of its gradient, each with its own formula.

use crate::explain::notation::Symbol;
use crate::explain::page::Page;
use crate::explain::reading::With;
use crate::explain::written::{Binds, Written, equation};
use crate::explain::{Dense, FactorKind, Link};

/// A factor of a chain: what it is called, its number, and how it was made over names and over numbers.
struct Called {
    name: Written,
    value: f64,
    how: Option<[Written; 2]>,
}

impl Page<'_> {
    /// The number of a dense layer's parameter: its weights or its biases.
    pub(super) fn dense_number(&mut self, position: usize, place: usize, element: usize) {
        let dense = self.trace.dense()[position].clone();
        let is_bias = dense.bias == Some(place);
        let (unit, input) =
            if is_bias { (element, None) } else { (element / dense.inputs, Some(element % dense.inputs)) };
        let layer = position + 1;
        let name = self.number_name(place, element);
        let heading = match input {
            None => self.say("one_bias", &[("bias", &name.text), ("layer", &layer), ("unit", &unit)]),
            Some(input) => {
                // Where the inputs have names, the input is told by its own.
                let from = match self.input_name(position, input) {
                    Some(named) => format!("{input} ({})", named.name),
                    None => input.to_string(),
                };
                let values: [(&str, &dyn std::fmt::Display); 4] =
                    [("weight", &name.text), ("layer", &layer), ("unit", &unit), ("input", &from)];
                self.say("one_weight", &values)
            }
        };
        self.heading(heading);
        self.text(self.catalog.get("chain_text").to_owned());
        for row in 0..self.trace.rows().min(self.options.most_units) {
            if self.trace.rows() > 1 {
                self.text(self.say("example", &[("row", &(row + 1))]));
            }
            self.chain(&dense, position, (unit, input), row);
        }
        if self.trace.rows() > self.options.most_units {
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("shown", &self.options.most_units), ("units", &self.trace.rows())];
            self.text(self.say("left_out_first", &values));
        }
        // Under a norm of the batch, a delta comes on several paths.
        let shown = self.trace.rows().min(self.options.most_units);
        let paths = (0..shown).map(|row| {
            let name = self.at_row(self.named(Symbol::Delta(layer, unit)), row).text;
            (name, row * dense.units + unit)
        });
        self.paths(dense.delta, "delta", paths.collect());
        self.gradient_of_number(place, element);
        self.update_of_number(place, element);
        self.text(self.catalog.get("unit_backward").to_owned());
        self.tree(position, unit);
    }

    /// The named factors of one example's gradient, their product, and how each was made.
    fn chain(&mut self, dense: &Dense, position: usize, (unit, input): (usize, Option<usize>), row: usize) {
        let layer = position + 1;
        let w = match input {
            Some(input) => self.named(Symbol::Weight(layer, unit, input)),
            None => self.named(Symbol::Bias(layer, unit)),
        };
        let z = self.at_row(self.named(Symbol::Sum(layer, unit)), row);
        let mut factors = self.factors_of_delta(dense, position, unit, row);
        let x = input.map_or(1.0, |input| self.trace.at(dense.input, row, input));
        let name = input.map(|input| {
            let place = self.place(dense.input, row, input);
            self.reading.write(place, With::Names)
        });
        factors.push(Called {
            name: Written::ratio(&z, &w),
            value: x,
            how: name.map(|name| [name, self.written(x)]),
        });
        // Of several examples, this is the part of one.
        let cost = self.cost_name();
        let product: f64 = factors.iter().map(|factor| factor.value).product();
        let numbers = Written::product(factors.iter().map(|factor| self.written(factor.value)));
        let names = Written::product(factors.iter().map(|factor| factor.name.clone()));
        let mut sides = Vec::new();
        if self.trace.rows() == 1 && !self.is_regularized_at(dense, input.is_none()) {
            sides.push(Written::ratio(&cost, &w));
        } else if self.trace.rows() == 1 {
            sides.push(Written::ratio(&Written::name("D", "D"), &w));
        }
        sides.extend([names, numbers, self.written(product)]);
        self.blocks.push(equation(sides));
        for factor in factors {
            let mut sides = vec![factor.name];
            sides.extend(factor.how.into_iter().flatten());
            sides.push(self.written(factor.value));
            self.blocks.push(equation(sides));
        }
    }

    fn is_regularized_at(&self, dense: &Dense, is_bias: bool) -> bool {
        let place = if is_bias { dense.bias } else { Some(dense.weight) };
        place.is_some_and(|place| {
            let parameter = &self.trace.parameters()[place];
            parameter.l1 > 0.0 || parameter.l2 > 0.0
        })
    }

    /// A name, of several examples with its example.
    pub(super) fn at_row(&self, name: Written, row: usize) -> Written {
        if self.trace.rows() == 1 {
            return name;
        }
        let number = row + 1;
        Written::name(format!("{}^({number})", name.text), format!("{{{}}}^{{[{number}]}}", name.latex))
    }

    /// The share of an example in the mean: 1/m.
    fn mean_factor(&self, value: f64) -> Called {
        let name = Written { binds: Binds::Product, ..Written::name("1/m", r"\tfrac{1}{m}") };
        let quotient = self.written(1.0).quotient(self.written(self.trace.rows() as f64));
        Called { name: name.clone(), value, how: Some([name, quotient]) }
    }

    /// The factors from the cost to a weighted sum.
    fn factors_of_delta(&self, dense: &Dense, position: usize, unit: usize, row: usize) -> Vec<Called> {
        let layer = position + 1;
        let cost = self.cost_name();
        let z = self.at_row(self.named(Symbol::Sum(layer, unit)), row);
        let Some(last) = dense.links.last() else {
            let delta = self.trace.at(dense.delta, row, unit);
            let place = self.place(dense.delta, row, unit);
            let parts = self.reading.parts(place);
            let sum = self.sum_of(
                parts
                    .iter()
                    .map(|part| (self.written(self.reading.value(*part)), self.reading.value(*part)))
                    .collect(),
            );
            let name = Written::ratio(&cost, &z);
            let how = (parts.len() > 1).then(|| [name.clone(), sum]);
            return vec![Called { name, value: delta, how }];
        };
        let called = |link: &Link| self.reading.write(self.place(link.node, row, unit), With::Names);
        let mut factors = Vec::new();
        // What the last link reads: an activation, or z itself.
        let before = |at: usize| match at {
            0 => z.clone(),
            _ => called(&dense.links[at - 1]),
        };
        let count = dense.links.len();
        if let Some(upstream) = last.upstream {
            let value = self.trace.at(upstream, row, unit);
            match (last.is_cost, self.trace.weights()) {
                (true, None) => factors.push(self.mean_factor(value)),
                (true, Some(_)) => {
                    let name = self.at_row(Written::name("share", r"\mathrm{share}"), row);
                    factors.push(Called { name, value, how: None });
                }
                (false, _) => {
                    let (arriving, how) = self.arrival(position, unit, row);
                    // Where deltas are those of single examples, so is what arrives.
                    let scale = self.delta_scale();
                    let own = if scale == 1.0 { cost } else { self.at_row(cost, row) };
                    if scale != 1.0 {
                        factors.push(self.mean_factor(1.0 / scale));
                    }
                    factors.push(Called { name: Written::ratio(&own, &called(last)), value: arriving, how });
                }
            }
        }
        for at in (0..count).rev() {
            let link = &dense.links[at];
            let (place, share) = self.without_share(link, row, unit);
            if share != 1.0 {
                factors.push(self.mean_factor(share));
            }
            let value = self.reading.value(place);
            let how = self.both_ways(place);
            let name = match self.trace.kind(link) {
                FactorKind::Cost => {
                    let own = match self.trace.rows() {
                        1 => self.cost_name(),
                        _ => self.at_row(self.cost_name(), row),
                    };
                    Written::ratio(&own, &before(at))
                }
                // A mask has a name.
                FactorKind::Mask => self.reading.write(place, With::Names),
                _ => Written::ratio(&called(link), &before(at)),
            };
            let how = how.filter(|[names, _]| *names != name);
            factors.push(Called { name, value, how });
        }
        factors
    }
}
