//! The optimizer's part of a step: how a gradient changes a parameter.

use crate::graph::Shape;
use crate::plan::MOST_STATES;
use pullback_kernels::update::{AnyRule, Product, Rule};
use pullback_kernels::{Isa, Real, Start, Workspace, product_with};

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

/// An optimizer's rules at one step: for what does not decay, and for what does.
#[derive(Debug, Clone, Copy)]
pub struct StepRules<T> {
    /// What the kernels run on.
    pub isa: Isa,
    /// Rule 0 and rule 1 of [`Update::rule`](crate::plan::Update::rule).
    pub rules: [AnyRule<T>; 2],
}

impl<T: Real> Rules<T> for StepRules<T> {
    fn piece(&self, rule: usize, gradient: &[T], parameter_and_states: [&mut [T]; 1 + MOST_STATES]) {
        self.rules[rule].update(self.isa, gradient, parameter_and_states);
    }

    fn whole(
        &self,
        rule: usize,
        shape: &Shape,
        gradient: &[T],
        parameter_and_states: [&mut [T]; 1 + MOST_STATES],
        scratch: &mut Vec<T>,
        workspace: &mut Workspace,
    ) {
        match *shape.sizes() {
            [rows, columns] => {
                let rule = &self.rules[rule];
                let isa = workspace.isa();
                let product: Product<'_, T> = &mut |left, right, output| {
                    product_with(left, right, output, Start::Zero, |_, _| (), workspace);
                };
                rule.update_matrix([rows, columns], gradient, parameter_and_states, scratch, isa, product);
            }
            _ => self.piece(rule, gradient, parameter_and_states),
        }
    }
}

impl<T: Real> StepRules<T> {
    /// The rules as the executor takes them. In the page they are compiled where they are used, as the executor is.
    #[cfg(target_family = "wasm")]
    pub fn as_rules(&self) -> &dyn Rules<T> {
        self
    }

    /// The rules as the executor takes them: with the kernels of this crate, as the executor has them.
    #[cfg(not(target_family = "wasm"))]
    pub fn as_rules(&self) -> &dyn Rules<T> {
        type AsRules<T> = fn(&StepRules<T>) -> &dyn Rules<T>;
        static F32: AsRules<f32> = |rules| rules;
        static F64: AsRules<f64> = |rules| rules;
        struct Choice;
        impl pullback_kernels::PerType for Choice {
            type Of<T: Real> = &'static AsRules<T>;
            fn for_f32(self) -> &'static AsRules<f32> {
                &F32
            }
            fn for_f64(self) -> &'static AsRules<f64> {
                &F64
            }
        }
        T::choose(Choice)(self)
    }
}
