//! Runs every operation by its own reference value, in order: the plainest way to a graph's numbers.

use crate::graph::ops::{View, ViewMut};
use crate::graph::{Graph, Kind, NodeId};
use pullback_kernels::Real;

/// The values of all nodes, in order. `given` holds those of inputs and parameters at their places;
/// its other entries, and missing ones, are ignored.
///
/// # Panics
/// If the numbers given for an input or parameter are not as many as its shape has elements.
pub fn reference<T: Real>(graph: &Graph, given: &[Vec<T>]) -> Vec<Vec<T>> {
    reference_with(graph, given, |_, _| ())
}

/// The same, where `change` may change the numbers of each operation before others read them.
///
/// # Panics
/// As [`reference()`].
pub fn reference_with<T: Real>(
    graph: &Graph,
    given: &[Vec<T>],
    mut change: impl FnMut(NodeId, &mut [T]),
) -> Vec<Vec<T>> {
    let mut values: Vec<Vec<T>> = Vec::with_capacity(graph.nodes().len());
    for id in graph.ids() {
        let node = graph.node(id);
        let elements = node.shape.elements();
        values.push(match &node.kind {
            Kind::Input(name) | Kind::Parameter(name) => {
                let numbers = given.get(id.index()).cloned().unwrap_or_default();
                assert_eq!(numbers.len(), elements, "numbers given for `{name}` of shape {}", node.shape);
                numbers
            }
            Kind::Constant(value) => vec![T::from_f64(value.value()); elements],
            Kind::Operation(op, inputs) => {
                let views: Vec<View<'_, T>> = (inputs.iter())
                    .map(|input| View { shape: graph.shape(*input), data: &values[input.index()] })
                    .collect();
                let mut data = vec![T::ZERO; elements];
                op.value(&views, ViewMut { shape: &node.shape, data: &mut data });
                change(id, &mut data);
                data
            }
        });
    }
    values
}

/// Numbers at the places of their nodes, as [`reference()`] and
/// [`check_gradients`](crate::differentiate::check_gradients) take them.
pub fn given<T: Real>(numbers: &[(NodeId, Vec<T>)]) -> Vec<Vec<T>> {
    let mut given = vec![Vec::new(); numbers.iter().map(|(id, _)| id.index() + 1).max().unwrap_or(0)];
    for (id, numbers) in numbers {
        given[id.index()].clone_from(numbers);
    }
    given
}
