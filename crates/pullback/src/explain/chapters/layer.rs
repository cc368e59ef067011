//! One layer alone: its numbers forwards and backwards, and its gradients.

use crate::explain::page::Page;

impl Page<'_> {
    pub(super) fn layer(&mut self, position: usize) {
        self.first_of_batch();
        self.dense_forward(position);
        self.passing("backward");
        self.dense_backward(position);
        self.passing("gradients");
        self.dense_gradients(position);
    }

    pub(super) fn convolution_alone(&mut self, number: usize) {
        let mut own = (0..self.trace.images().len()).filter(|&at| self.trace.images()[at].filters.is_some());
        let Some(position) = own.nth(number) else { return };
        self.first_of_batch();
        self.forward_images(position);
        self.passing("backward");
        self.backward_images(position);
        self.passing("gradients");
        self.filter_gradients(position);
    }

    fn passing(&mut self, key: &str) {
        self.heading(self.catalog.get(key).to_owned());
        let key = if key == "backward" { "backward_text" } else { "gradients_text" };
        self.text(self.say_in_letters(self.backward_key(key)));
    }

    /// The remark on a page of several examples.
    pub(super) fn first_of_batch(&mut self) {
        if self.trace.rows() > 1 {
            let is_weighted = self.trace.weights().is_some();
            let key = if is_weighted { "first_of_weighted_batch" } else { "first_of_batch" };
            self.text(self.say(key, &[("rows", &self.trace.rows())]));
        }
    }
}
