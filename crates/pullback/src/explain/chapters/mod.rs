//! The chapters of a page, in their order.
//!
//! What a layer has a chapter for is described by it; every other node of the graph is described by `generic`, so that
//! no operation is missing from the page.

mod circuit;
mod claims;
mod convolution;
mod cost;
mod dense;
mod ensemble;
mod generic;
mod layer;
mod links;
mod overview;
mod parameter;
mod paths;
mod pooling;
mod unit;
mod weight;
mod work;

pub use circuit::describe_circuit;
pub use claims::describe_claims;
pub use ensemble::{MeanOptions, Vote, describe_mean};

use super::Focus;
use super::page::{MOST_LAYERS_IN_FULL, Page};
use super::update::clipped;
use super::worked::NetworkExample;
use super::written::{Written, equation};
use crate::network::{Activation, Layer};

impl Page<'_> {
    /// Writes what the page is about.
    pub(super) fn write(&mut self) {
        match self.options.focus {
            Focus::All if self.trace.weighted_layers().len() > MOST_LAYERS_IN_FULL => self.overview(),
            Focus::All | Focus::EveryLayer => self.all(),
            Focus::Layer(layer) => self.layer(layer - 1),
            Focus::Convolution(number) => self.convolution_alone(number - 1),
            Focus::Unit(layer, unit) => self.unit(layer - 1, unit),
            Focus::Weight(layer, unit, input) => {
                let dense = &self.trace.dense()[layer - 1];
                self.element(dense.weight, unit * dense.inputs + input);
            }
            Focus::Element(place, element) => self.element(place, element),
            Focus::Parameter(place) => self.parameter(place),
        }
    }

    fn all(&mut self) {
        let trace = self.trace;
        let network = trace.network();
        let count: usize =
            trace.parameters().iter().filter(|p| p.role.is_trained()).map(|p| p.shape.elements()).sum();
        let layers: Vec<String> =
            network.layers.iter().map(|layer| self.catalog.described(&layer.describe())).collect();
        self.text(self.say(
            "network",
            &[("inputs", &network.inputs), ("layers", &layers.join(", ")), ("count", &count)],
        ));
        for (place, layer) in network.layers.iter().enumerate() {
            if matches!(layer, Layer::Activation(own) if own.function == Activation::Identity) {
                let described = self.catalog.described(&layer.describe());
                self.text(self.say("identity_layer", &[("layer", &place), ("described", &described)]));
            }
        }
        self.first_of_batch();
        self.batch_of_one();
        self.heading(self.catalog.get("forward").to_owned());
        self.text(self.catalog.get("forward_text").to_owned());
        for position in 0..trace.images().len() {
            self.forward_images(position);
        }
        self.inputs();
        for position in 0..trace.dense().len() {
            self.dense_forward(position);
        }
        self.other_nodes();
        self.cost();
        self.heading(self.catalog.get("backward").to_owned());
        self.text(self.say_in_letters(self.backward_key("backward_text")));
        for position in (0..trace.dense().len()).rev() {
            self.dense_backward(position);
        }
        for position in (0..trace.images().len()).rev() {
            self.backward_images(position);
        }
        self.other_derivatives();
        self.heading(self.catalog.get("gradients").to_owned());
        self.text(self.say_in_letters(self.backward_key("gradients_text")));
        for position in (0..trace.dense().len()).rev() {
            self.dense_gradients(position);
        }
        for position in (0..trace.images().len()).rev() {
            self.filter_gradients(position);
        }
        self.other_gradients();
        self.after_steps();
        self.work();
        self.findings();
    }

    /// The cost after each of the steps that are asked for: did they help?
    fn after_steps(&mut self) {
        let training = &self.options.training;
        if training.optimizer.is_searching() || self.options.steps == 0 {
            return;
        }
        let mut example = NetworkExample::of_trace(self.trace, self.options);
        let (mut kept, mut rows) = (example.kept.clone(), Vec::new());
        let mut before = self.trace.cost();
        for step in 1..=self.options.steps {
            let Some(trace) = example.advance(&mut kept).ok().and_then(|()| example.trace().ok()) else {
                return;
            };
            rows.push(vec![step.to_string(), self.number(trace.cost()), self.number(trace.cost() - before)]);
            before = trace.cost();
        }
        let values: [(&str, &dyn std::fmt::Display); 3] = [
            ("optimizer", &training.optimizer.name()),
            ("rate", &training.learning_rate()),
            ("cost", &self.number(self.trace.cost())),
        ];
        self.heading(self.catalog.get("update").to_owned());
        self.text(self.say("after_steps", &values));
        if let Some((limit, norm)) = clipped(self.trace, training) {
            self.text(self.catalog.get("clipped_text").to_owned());
            let w = Written::name(self.options.notation.weight(), self.options.notation.weight());
            let of = |g: Written| Written::product([g, self.written(limit)]).quotient(self.written(norm));
            self.blocks.push(equation([Written::name("g", "g"), of(Written::ratio(&self.cost_name(), &w))]));
        }
        self.table(&["step", "total_cost", "change"], rows);
    }

    /// The message on deltas or gradients: in some notations, deltas are those of single examples.
    pub(super) fn backward_key(&self, key: &'static str) -> &'static str {
        match (self.delta_scale() != 1.0, key) {
            (true, "backward_text") => "backward_text.of_example",
            (true, _) => "gradients_text.of_example",
            (false, key) => key,
        }
    }
}
