//! How many numbers a network keeps: read off its graph, so that no layer is forgotten.

use super::{Mode, Network};
use crate::error::Result;
use crate::graph::Kind;

/// How many numbers a network keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Weights, biases and all other parameters.
    pub parameters: u64,
    /// What the forward pass of a batch in training gives and computes: inputs, masks, and every operation's result.
    /// The backward pass needs at most about as many again, and a gradient for each parameter.
    pub activations: u64,
}

impl Network {
    /// How many numbers it keeps with batches of `batch` examples. Nothing is allocated for them.
    ///
    /// # Errors
    /// As [`Network::lower`].
    pub fn memory(&self, batch: usize) -> Result<Memory> {
        // The count of every node is linear in the batch: two small batches give both coefficients, and no shape of a
        // large batch can overflow.
        let [two, three] = [self.counted(2)?, self.counted(3)?];
        let each = three.activations.saturating_sub(two.activations);
        let fixed = two.activations.saturating_sub(2 * each);
        Ok(Memory { activations: each.saturating_mul(batch as u64).saturating_add(fixed), ..two })
    }

    fn counted(&self, batch: usize) -> Result<Memory> {
        let mut memory = Memory { parameters: 0, activations: 0 };
        for node in self.lower(batch, Mode::Training)?.graph.nodes() {
            let count = match node.kind {
                Kind::Parameter(_) => &mut memory.parameters,
                Kind::Constant(_) => continue,
                Kind::Input(_) | Kind::Operation(..) => &mut memory.activations,
            };
            *count = count.saturating_add(node.shape.elements() as u64);
        }
        Ok(memory)
    }
}
