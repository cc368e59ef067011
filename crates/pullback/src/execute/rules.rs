//! What the optimizer brings to a step: how a gradient changes a parameter.

use crate::graph::Shape;
use crate::plan::MOST_STATES;
use pullback_kernels::{Real, Workspace};

/// The rules of a step, with its constants. An update of a plan says which one is applied.
///
/// What a closure of the same form as [`piece`](Self::piece) does, is one too.
pub trait Rules<T: Real>: Sync {
    /// Changes a piece of a parameter, and of what is kept for it, by the same piece of its gradient. What it does to a
    /// number must not depend on where the pieces are cut; they are cut for threads.
    fn piece(&self, rule: usize, gradient: &[T], parameter_and_states: [&mut [T]; 1 + MOST_STATES]);

    /// The same for a whole parameter whose update is not piecewise, of that shape, with what it takes to multiply
    /// matrices, and memory that is kept from call to call.
    fn whole(
        &self,
        rule: usize,
        _shape: &Shape,
        gradient: &[T],
        parameter_and_states: [&mut [T]; 1 + MOST_STATES],
        _scratch: &mut Vec<T>,
        _workspace: &mut Workspace,
    ) {
        self.piece(rule, gradient, parameter_and_states);
    }
}

impl<T: Real, F: Fn(usize, &[T], [&mut [T]; 1 + MOST_STATES]) + Sync> Rules<T> for F {
    fn piece(&self, rule: usize, gradient: &[T], parameter_and_states: [&mut [T]; 1 + MOST_STATES]) {
        self(rule, gradient, parameter_and_states);
    }
}
