//! Max pooling: which number of a window goes on, and where its derivative goes.

use crate::explain::page::Page;

impl Page<'_> {
    pub(super) fn pooling_forward(&mut self, position: usize) {
        self.heading(self.image_layer(position));
        self.image_formula(position);
        self.text(self.catalog.get("pooling_text").to_owned());
    }

    pub(super) fn pooling_backward(&mut self, position: usize) {
        self.heading(self.image_layer(position));
        self.text(self.catalog.get("pooling_backward").to_owned());
    }
}
