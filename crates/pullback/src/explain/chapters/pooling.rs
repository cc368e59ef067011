//! Max pooling: which number of a window goes on, and where its derivative goes.

use crate::explain::Imaging;
use crate::explain::page::Page;
use crate::graph::Op;

/// Which pixel of a window won: the window and the pixel, by row and column, and their places.
struct Won {
    window: String,
    pixel: String,
    from: usize,
    to: usize,
}

impl Page<'_> {
    pub(super) fn pooling_forward(&mut self, position: usize) {
        let layer = self.trace.images()[position].clone();
        self.heading(self.image_layer(position));
        self.image_formula(position);
        self.text(self.catalog.get("pooling_text").to_owned());
        let mut rows = Vec::new();
        for channel in 0..layer.makes.channels.min(self.options.most_units) {
            let Some(won) = self.won(&layer, layer.result, channel) else { continue };
            let largest = self.trace.value(layer.result)[won.to];
            rows.push(vec![channel.to_string(), won.window, won.pixel, self.number(largest)]);
        }
        self.table(&["channel", "window", "won", "value"], rows);
        self.channels_left_out(layer.makes.channels);
    }

    pub(super) fn pooling_backward(&mut self, position: usize) {
        let layer = self.trace.images()[position].clone();
        self.heading(self.image_layer(position));
        self.text(self.catalog.get("pooling_backward").to_owned());
        let mut rows = Vec::new();
        for channel in 0..layer.makes.channels.min(self.options.most_units) {
            let Some(won) = self.won(&layer, layer.delta, channel) else { continue };
            let derivative = self.trace.value(layer.delta)[won.to];
            let passed = self.trace.adjoint(layer.input).map(|id| self.trace.value(id)[won.from]);
            rows.push(vec![
                channel.to_string(),
                won.window,
                self.number(derivative),
                won.pixel,
                passed.map(|x| self.number(x)).unwrap_or_default(),
            ]);
        }
        self.table(&["channel", "window", "arriving_here", "won", "gets"], rows);
        self.channels_left_out(layer.makes.channels);
    }

    /// The pixel that won in the window at which some numbers of a channel are largest.
    fn won(&self, layer: &Imaging, numbers: crate::graph::NodeId, channel: usize) -> Option<Won> {
        let Some(Op::MaxPool(op)) = self.trace.lowered().graph.node(layer.result).op() else { return None };
        let (place, window) = self.peak(layer, numbers, channel);
        let corner = [place / layer.makes.width, place % layer.makes.width];
        let channels = layer.reads.channels;
        let x = self.trace.value(layer.input);
        let mut best: Option<(usize, f64)> = None;
        for row in op.windows.rows_inside(corner[0]) {
            for column in op.windows.columns_inside(corner[1]) {
                let pixel = op.windows.pixel(corner, [row, column]);
                let number = x[pixel * channels + channel];
                // The first of several that are equal.
                if best.is_none_or(|(_, most)| number > most) {
                    best = Some((pixel, number));
                }
            }
        }
        let (pixel, _) = best?;
        Some(Won {
            window,
            pixel: format!("{},{}", pixel / layer.reads.width, pixel % layer.reads.width),
            from: pixel * channels + channel,
            to: place * layer.makes.channels + channel,
        })
    }
}
