//! The chapters of a page, in their order.
//!
//! What a layer has a chapter for is described by it; every other node of the graph is described by `generic`, so that
//! no operation is missing from the page.

mod circuit;
mod claims;
mod convolution;
mod cost;
mod dense;
mod generic;
mod layer;
mod links;
mod overview;
mod pooling;
mod unit;
mod weight;
mod work;

pub use circuit::describe_circuit;
pub use claims::describe_claims;

use super::Focus;
use super::page::{MOST_LAYERS_IN_FULL, Page};
use crate::network::Layer;

impl Page<'_> {
    /// Writes what the page is about.
    pub(super) fn write(&mut self) {
        match self.options.focus {
            Focus::All if self.trace.weighted_layers().len() > MOST_LAYERS_IN_FULL => self.overview(),
            Focus::All | Focus::EveryLayer => self.all(),
            Focus::Layer(layer) => self.layer(layer - 1),
            Focus::Convolution(number) => self.convolution_alone(number - 1),
            Focus::Unit(layer, unit) => self.unit(layer - 1, unit),
            Focus::Weight(layer, unit, input) => self.weight(layer - 1, unit, input),
        }
    }

    fn all(&mut self) {
        let trace = self.trace;
        let network = trace.network();
        let count: usize =
            trace.parameters().iter().filter(|p| p.role.is_trained()).map(|p| p.shape.elements()).sum();
        let layers: Vec<String> = network.layers.iter().map(Layer::describe).collect();
        self.text(self.say(
            "network",
            &[("inputs", &network.inputs), ("layers", &layers.join(", ")), ("count", &count)],
        ));
        self.first_of_batch();
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
        self.text(self.catalog.get("backward_text").to_owned());
        for position in (0..trace.dense().len()).rev() {
            self.dense_backward(position);
        }
        for position in (0..trace.images().len()).rev() {
            self.backward_images(position);
        }
        self.other_derivatives();
        self.heading(self.catalog.get("gradients").to_owned());
        self.text(self.catalog.get("gradients_text").to_owned());
        for position in (0..trace.dense().len()).rev() {
            self.dense_gradients(position);
        }
        for position in (0..trace.images().len()).rev() {
            self.filter_gradients(position);
        }
        self.other_gradients();
        self.work();
        self.findings();
    }
}
