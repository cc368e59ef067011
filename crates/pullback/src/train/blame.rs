//! Where the first number arose that is not finite, and what is to blame for it.

use crate::execute::{Executor, reference};
use crate::graph::{Kind, NodeId, NodeRole};
use crate::network::Lowered;
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};

/// Where the first number of a forward pass arose that is not finite, and what it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blame {
    /// The node, in words.
    pub node: String,
    /// The layer that it belongs to, if it belongs to one.
    pub layer: Option<usize>,
    /// Its role there.
    pub role: String,
    /// The node's operand of the largest magnitude, in words; absent for an input or a parameter.
    pub operand: Option<String>,
    /// What is to blame.
    pub cause: Cause,
    /// The largest magnitude among the batch's features.
    #[serde(with = "super::exact")]
    pub largest_feature: f64,
    /// The largest magnitude among the batch's targets.
    #[serde(with = "super::exact")]
    pub largest_target: f64,
    /// The largest magnitude among the parameters before the step.
    #[serde(with = "super::exact")]
    pub largest_parameter: f64,
}

/// What is to blame for a number that is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The features are huge: they should be scaled.
    Features,
    /// The targets are huge: they should be scaled.
    Targets,
    /// The regularization is, with weights that are not large.
    Regularization,
    /// The steps were too large: the parameters have grown without bound.
    Steps,
}

/// Beyond this magnitude, features and targets were not scaled, and parameters have grown without bound.
const HUGE: f64 = 1e6;

impl Blame {
    /// Finds the first such number of a forward pass, by the operations' own values.
    pub(super) fn find<T: Real>(lowered: &Lowered, given: &Executor<T>, parameters: &[&[T]]) -> Option<Self> {
        let graph = &lowered.graph;
        let largest = |numbers: &[T]| {
            // A NaN is larger than any number here.
            let magnitudes = numbers.iter().map(|x| x.to_f64().abs());
            magnitudes.fold(0.0, |most: f64, x| if x <= most { most } else { x })
        };
        let (mut inputs, mut own) = (0.., parameters.iter());
        let values: Vec<Vec<T>> = (graph.nodes().iter())
            .map(|node| match node.kind {
                Kind::Input(_) => inputs.next().map(|at| given.input(at).into_owned()),
                Kind::Parameter(_) => own.next().map(|numbers| numbers.to_vec()),
                _ => None,
            })
            .map(Option::unwrap_or_default)
            .collect();
        let values = reference(graph, &values);
        let first = graph.ids().find(|id| values[id.index()].iter().any(|x| !x.is_finite()))?;
        let node = graph.node(first);
        let size = |id: &NodeId| largest(&values[id.index()]);
        let operand = node.inputs().iter().max_by(|one, other| size(one).total_cmp(&size(other)));
        let largest_feature =
            (0..lowered.targets).map(|place| largest(&given.input(place))).fold(0.0, f64::max);
        let largest_target = largest(&given.input(lowered.targets));
        let largest_parameter = parameters.iter().map(|numbers| largest(numbers)).fold(0.0, f64::max);
        let role = graph.role(first);
        // What is no number is not small.
        let is_small = |x: f64| x <= HUGE;
        let cause = if !is_small(largest_target) {
            Cause::Targets
        } else if !is_small(largest_feature) {
            Cause::Features
        } else if node.origin.role == NodeRole::Regularization && is_small(largest_parameter) {
            Cause::Regularization
        } else {
            Cause::Steps
        };
        Some(Self {
            node: graph.describe(first),
            layer: node.origin.layer,
            role,
            operand: operand.map(|id| graph.describe(*id)),
            cause,
            largest_feature,
            largest_target,
            largest_parameter,
        })
    }
}
