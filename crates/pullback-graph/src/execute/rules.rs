//! The optimizer's part of a step: how a gradient changes a parameter.

use crate::graph::Shape;
use crate::plan::MOST_STATES;
use pullback_kernels::{Real, Workspace};

/// The rules of a step, with its constants. An update of a plan says which one is applied.
///
/// A closure of the same form as [`piece`](Self::piece) is one too.
pub trait Rules<T: Real>: Sync {
    /// Changes a piece of a parameter and of its states by the same piece of its gradient. Pieces are cut for threads:
    /// the result must not depend on where.
    fn piece(&self, rule: usize, gradient: &[T], parameter_and_states: [&mut [T]; 1 + MOST_STATES]);

    /// The same for a whole parameter of that shape, whose update is not piecewise. `scratch` is memory that is kept
    /// from call to call; the workspace is for products.
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
