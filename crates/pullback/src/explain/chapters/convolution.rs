//! Convolutions: of each filter, the window with the largest sum or delta; gradients of filter weights.

use crate::explain::page::Page;
use crate::explain::{Block, Imaging};
use crate::graph::NodeId;
use crate::report::number::significant;

impl Page<'_> {
    pub(super) fn image_layer(&self, position: usize) -> String {
        let layer = &self.trace.images()[position];
        let place = |at: &usize| self.trace.images()[*at].filters.is_some() == layer.filters.is_some();
        let number = (0..=position).filter(place).count();
        let key = if layer.filters.is_some() { "convolution" } else { "pooling" };
        let described = self.trace.network().layers[layer.layer].describe();
        self.say(
            key,
            &[("number", &number), ("layer", &described), ("reads", &layer.reads), ("makes", &layer.makes)],
        )
    }

    /// The formula of the operation that reads a layer's image.
    pub(super) fn image_formula(&mut self, position: usize) {
        let layer = &self.trace.images()[position];
        let graph = &self.trace.lowered().graph;
        let node = layer.filters.as_ref().map_or(layer.result, |filters| filters.convolution);
        let Some(op) = graph.node(node).op() else { return };
        let formula = op.formula();
        let operands = ["x".to_owned(), "W".to_owned()];
        let (mut text, mut latex) = (formula.text(&operands), formula.latex(&operands));
        if let Some(filters) = &layer.filters {
            let bias = if filters.bias.is_some() { " + b" } else { "" };
            (text, latex) = (format!("z = {text}{bias}"), format!("z = {latex}{bias}"));
        }
        self.blocks.push(Block::Formula { text, latex });
    }

    /// The place of a channel's largest number in the first example, and its row and column in words.
    pub(super) fn peak(&self, layer: &Imaging, numbers: NodeId, channel: usize) -> (usize, String) {
        let (places, channels) = (layer.makes.height * layer.makes.width, layer.makes.channels);
        let values = self.trace.value(numbers);
        let size = |place: &usize| values[place * channels + channel].abs();
        let place = (0..places).max_by(|a, b| size(a).total_cmp(&size(b)).then(b.cmp(a))).unwrap_or(0);
        (place, format!("{},{}", place / layer.makes.width, place % layer.makes.width))
    }

    pub(super) fn forward_images(&mut self, position: usize) {
        let layer = self.trace.images()[position].clone();
        let Some(filters) = &layer.filters else { return self.pooling_forward(position) };
        self.heading(self.image_layer(position));
        self.image_formula(position);
        self.text(self.catalog.get("convolution_text").to_owned());
        let x = self.trace.value(layer.input);
        let (windows, channels) = (&filters.windows, layer.reads.channels);
        let weights = self.trace.parameter(filters.weight);
        let digits = self.options.digits.min(4);
        let mut rows = Vec::new();
        for filter in 0..layer.makes.channels.min(self.options.most_units) {
            let (place, told) = self.peak(&layer, layer.result, filter);
            let corner = [place / layer.makes.width, place % layer.makes.width];
            let mut terms: Vec<(f64, f64)> = Vec::new();
            for row in windows.rows_inside(corner[0]) {
                for column in windows.columns_inside(corner[1]) {
                    let pixel = windows.pixel(corner, [row, column]) * channels;
                    let weight = (filter * windows.area() + row * windows.size() + column) * channels;
                    terms.extend((0..channels).map(|at| (weights[weight + at], x[pixel + at])));
                }
            }
            terms.sort_by(|a, b| (b.0 * b.1).abs().total_cmp(&(a.0 * a.1).abs()));
            let mut parts: Vec<String> = (terms.iter().take(2))
                .map(|(w, x)| format!("{}*{}", significant(*w, digits), significant(*x, digits)))
                .collect();
            if terms.len() > 2 {
                parts.push(self.say("more_terms", &[("count", &(terms.len() - 2))]));
            }
            if let Some(bias) = filters.bias {
                parts.push(significant(self.trace.parameter(bias)[filter], digits));
            }
            let z = self.trace.value(layer.result)[place * layer.makes.channels + filter];
            rows.push(vec![filter.to_string(), told, self.number(z), parts.join(" + ").replace("+ -", "- ")]);
        }
        self.table(&["filter", "place", "z", "terms"], rows);
        self.channels_left_out(layer.makes.channels);
    }

    pub(super) fn backward_images(&mut self, position: usize) {
        let layer = self.trace.images()[position].clone();
        if layer.filters.is_none() {
            return self.pooling_backward(position);
        }
        self.heading(self.image_layer(position));
        self.text(self.catalog.get("convolution_backward").to_owned());
        let (deltas, channels) = (self.trace.value(layer.delta), layer.makes.channels);
        let of_one = &deltas[..deltas.len() / self.trace.rows()];
        let mut rows = Vec::new();
        for filter in 0..channels.min(self.options.most_units) {
            let (place, told) = self.peak(&layer, layer.delta, filter);
            let own: Vec<f64> = of_one.iter().skip(filter).step_by(channels).copied().collect();
            let zeros = own.iter().filter(|delta| **delta == 0.0).count();
            rows.push(vec![
                filter.to_string(),
                told,
                self.number(own[place]),
                self.number(own.iter().sum()),
                format!("{zeros} / {}", own.len()),
            ]);
        }
        self.table(&["filter", "place", "delta", "sum_of_deltas", "zero_deltas"], rows);
        self.channels_left_out(channels);
    }

    pub(super) fn filter_gradients(&mut self, position: usize) {
        let layer = self.trace.images()[position].clone();
        let Some(filters) = &layer.filters else { return };
        self.heading(self.image_layer(position));
        self.text(self.catalog.get("filter_gradients_text").to_owned());
        let (gradient, weights) = (self.trace.gradient(filters.weight), self.trace.parameter(filters.weight));
        let (size, channels) = (filters.windows.size(), layer.reads.channels);
        let width = size * size * channels;
        let shown = self.shown(gradient);
        let mut rows = Vec::new();
        for &at in &shown {
            let (filter, inner) = (at / width, at % width);
            let (pixel, channel) = (inner / channels, inner % channels);
            rows.push(vec![
                filter.to_string(),
                format!("{},{}", pixel / size, pixel % size),
                channel.to_string(),
                self.number(weights[at]),
                self.number(gradient[at]),
            ]);
        }
        self.table(&["filter", "place", "channel", "weight", "gradient"], rows);
        self.weights_left_out(gradient, shown.len());
    }

    /// The remark on filters of which only the first ones are shown.
    fn channels_left_out(&mut self, channels: usize) {
        let shown = self.options.most_units;
        if channels > shown {
            self.text(self.say("left_out_first", &[("shown", &shown), ("units", &channels)]));
        }
    }
}
