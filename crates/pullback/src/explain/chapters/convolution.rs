//! Convolutions: of each filter, the window with the largest sum or delta; gradients of filter weights.

use crate::explain::page::Page;
use crate::explain::written::Written;
use crate::explain::{Block, Imaging};
use crate::graph::NodeId;

impl Page<'_> {
    pub(super) fn image_layer(&self, position: usize) -> String {
        let layer = &self.trace.images()[position];
        let place = |at: &usize| self.trace.images()[*at].filters.is_some() == layer.filters.is_some();
        let number = (0..=position).filter(place).count();
        let key = if layer.filters.is_some() { "convolution" } else { "pooling" };
        let described = self.catalog.described(&self.trace.network().layers[layer.layer].describe());
        let [reads, makes] =
            [layer.reads, layer.makes].map(|image| self.catalog.described(&image.to_string()));
        self.say(key, &[("number", &number), ("layer", &described), ("reads", &reads), ("makes", &makes)])
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
            let written =
                terms.into_iter().map(|(w, x)| (Written::product([self.written(w), self.written(x)]), w * x));
            let mut parts = vec![self.sum_of(written.collect())];
            parts.extend(filters.bias.map(|bias| self.written(self.trace.parameter(bias)[filter])));
            let z = self.trace.value(layer.result)[place * layer.makes.channels + filter];
            rows.push(vec![filter.to_string(), told, self.number(z), Written::sum(parts).text]);
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
        let peaks: Vec<(String, usize)> = (0..channels.min(self.options.most_units))
            .map(|filter| {
                let (place, told) = self.peak(&layer, layer.delta, filter);
                (format!("{filter}: {told}"), place * channels + filter)
            })
            .collect();
        self.paths(layer.delta, "filter", peaks);
        self.channels_left_out(channels);
    }

    pub(super) fn filter_gradients(&mut self, position: usize) {
        let layer = self.trace.images()[position].clone();
        let Some(filters) = &layer.filters else { return };
        self.heading(self.image_layer(position));
        self.text(self.catalog.get("filter_gradients_text").to_owned());
        let places: Vec<usize> = [Some(filters.weight), filters.bias].into_iter().flatten().collect();
        let [(_, cost), (_, _), (_, _), (_, w)] = self.letters();
        for place in places {
            let (gradient, numbers) = (self.trace.gradient(place), self.trace.parameter(place));
            let next = self.next_numbers(place);
            let shown = self.shown(gradient);
            let row = |&at: &usize| {
                let name = self.number_name(place, at).text;
                let mut row = vec![name, self.number(numbers[at]), self.number(gradient[at])];
                row.extend(next.as_ref().map(|next| self.number(next[at])));
                row
            };
            let rows = shown.iter().map(row).collect();
            let mut columns = self.names(&["weight", "value"]);
            columns.push(format!("d{cost}/d{w}"));
            columns.extend(next.is_some().then(|| self.catalog.get("after_step").to_owned()));
            self.table_of(columns, rows);
            self.weights_left_out(gradient, shown.len());
        }
    }

    /// The remark on filters of which only the first ones are shown.
    pub(super) fn channels_left_out(&mut self, channels: usize) {
        let shown = self.options.most_units;
        if channels > shown {
            self.text(self.say("left_out_first", &[("shown", &shown), ("units", &channels)]));
        }
    }
}
