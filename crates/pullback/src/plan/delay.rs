//! Puts a gradient off until nobody reads its parameter any more, so that the parameter can be updated while the
//! gradient is found.
//!
//! Back propagation finds a layer's weight gradient and the delta of the layer below from the same delta, in any order;
//! the latter reads the weights.

use super::fuse::Group;
use crate::graph::NodeId;

/// Moves the group of each gradient, which nobody else reads, behind the last one that reads its parameter or makes
/// one of the other outputs. The last outputs are the gradients of `parameters`.
pub(super) fn delay(groups: &mut [Group], outputs: &[NodeId], parameters: &[NodeId]) {
    let (outputs, gradients) = outputs.split_at(outputs.len() - parameters.len());
    for (gradient, parameter) in gradients.iter().zip(parameters) {
        let Some(at) = groups.iter().position(|group| group.tail == *gradient) else { continue };
        let is_wanted = |group: &Group| group.reads().any(|id| id == *gradient);
        let is_output =
            outputs.contains(gradient) || gradients.iter().filter(|id| *id == gradient).count() > 1;
        if is_output || groups.iter().any(is_wanted) || groups[at].gradient.is_some() {
            continue;
        }
        let comes_before = |group: &Group| {
            group.reads().any(|id| id == *parameter) || outputs.iter().any(|output| group.makes(*output))
        };
        let last = groups.iter().rposition(comes_before).unwrap_or(at).max(at);
        groups[at..=last].rotate_left(1);
    }
}
