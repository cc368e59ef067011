//! The walk over the layers that declares their parameters.

use super::layers::Layer;
use super::path::Path;
use super::{Activation, Form, Initializer, Parameter, Regularization, Role};
use crate::graph::Shape;

/// The parameters that were named so far, and where the walk stands.
#[derive(Debug)]
pub struct Declaration<'a> {
    pub(super) list: Vec<Parameter>,
    path: Path,
    /// The activation that follows the present layer, for the default of its initializer: the next one before
    /// another layer of weights.
    next: Activation,
    regularization: &'a Regularization,
}

impl<'a> Declaration<'a> {
    pub(super) fn new(regularization: &'a Regularization) -> Self {
        Self { list: Vec::new(), path: Path::network(), next: Activation::Identity, regularization }
    }

    /// Goes on with layers on another path, before those that follow with `next`.
    pub(super) fn begin(&mut self, path: Path, next: Activation) {
        (self.path, self.next) = (path, next);
    }

    /// Names the parameters of layers one after the other; says what an example is after them.
    pub(super) fn layers(&mut self, layers: &[Layer], reads: Form) -> Form {
        let after = self.next;
        // From the end: what follows each.
        let mut following = vec![after; layers.len()];
        for at in (1..layers.len()).rev() {
            following[at - 1] = layers[at].activation().unwrap_or(following[at]);
        }
        let mut form = reads;
        self.path.enter();
        for (number, (layer, next)) in layers.iter().zip(following).enumerate() {
            self.path.set(number);
            self.next = next;
            layer.declare(form, self);
            form = layer.form(form).expect("forms are checked before parameters are named");
        }
        self.path.leave();
        self.next = after;
        form
    }

    /// A parameter of the present layer.
    pub(super) fn add(&mut self, name: &str, role: Role, shape: impl Into<Shape>) -> &mut Parameter {
        self.list.push(Parameter {
            name: self.path.name(name),
            layer: self.path.layer(),
            role,
            shape: shape.into(),
            fans: [0; 2],
            l1: 0.0,
            l2: 0.0,
        });
        self.list.last_mut().expect("it was pushed just now")
    }

    /// Weights of the present layer, with the network's regularization.
    pub(super) fn weight(
        &mut self,
        name: &str,
        initializer: Option<Initializer>,
        shape: [usize; 2],
        fans: [usize; 2],
    ) -> &mut Parameter {
        let initializer = initializer.unwrap_or(Initializer::conventional(self.next));
        let Regularization { l1, l2, .. } = *self.regularization;
        let parameter = self.add(name, Role::Weight(initializer), shape);
        *parameter = Parameter { fans, l1, l2, ..parameter.clone() };
        parameter
    }
}
