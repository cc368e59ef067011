//! What a node is for, in the field's words: the list of roles.
//!
//! A layer says the role of each node that it makes. The words are printed with a graph and in errors, and are the
//! keys under which `explain` finds them in its languages.

use super::{Graph, NodeId};

/// Makes the enum of roles, their words and the list of those that have words.
macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident $word:literal),+ $(,)?) => {
        /// What a node is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
        #[non_exhaustive]
        pub enum NodeRole {
            /// Nothing that has a name.
            #[default]
            Unnamed,
            $($(#[$doc])* $name,)+
            /// The derivative of the cost with respect to a node.
            GradientOf(NodeId),
            /// How a node changes when others change in a given direction.
            TangentOf(NodeId),
            /// The direction in which a node changes.
            DirectionOf(NodeId),
        }

        impl NodeRole {
            /// The roles that have a word, in the order of the list.
            pub const ALL: &[NodeRole] = &[$(NodeRole::$name,)+];

            /// The word for it; empty for derivatives, which are named after their node, and for unnamed nodes.
            pub fn word(self) -> &'static str {
                match self {
                    $(NodeRole::$name => $word,)+
                    _ => "",
                }
            }
        }
    };
}

roles! {
    /// All numbers of an example in a row.
    Row "row of all numbers",
    /// A row for each pixel and a column for each channel.
    Pixels "pixels",
    /// The weighted sums z of units or filters, bias included.
    WeightedSum "weighted sum",
    /// The largest number of each window of a pooling.
    WindowMaximum "largest of the window",
    /// A function of each weighted sum.
    Activation "activation",
    /// Units times their dropout mask.
    Dropout "dropout",
    /// The mean that a norm subtracts.
    Mean "mean",
    /// The variance that a norm divides by, as its root.
    Variance "variance",
    /// The next running mean of a batch norm.
    RunningMean "running_mean",
    /// The next running variance of a batch norm.
    RunningVariance "running_variance",
    /// Numbers minus their mean, divided by their standard deviation.
    Normalized "normalized",
    /// Normalized numbers times a scale, plus a shift.
    ScaledAndShifted "scaled and shifted",
    /// A row for each position of a sequence.
    Positions "positions",
    /// The pixels or positions of each example beside each other.
    Places "all places of an example",
    /// The mean over all pixels or positions.
    PlaceMean "mean over all places",
    /// The mean square that an RMS norm divides by, as its root.
    MeanSquare "mean square",
    /// Normalized numbers times a scale.
    Scaled "scaled",
    /// The cost of each example times its weight.
    WeightedCost "weighted cost",
    /// The codes of a batch, one after the other.
    Codes "codes",
    /// The trained row of each code.
    Embedded "rows of the codes",
    /// A sequence plus the trained row of each position.
    Positioned "rows of the positions added",
    /// The weighted sums that attention begins with.
    AttentionSums "queries, keys and values",
    /// The same, head by head.
    Heads "head by head",
    /// The query of each position: what it looks for.
    Queries "queries",
    /// The key of each position: what it is found by.
    Keys "keys",
    /// The value of each position: what it gives to others.
    Values "values",
    /// How well each query fits each key.
    Scores "scores",
    /// The scores with later positions masked.
    SeenScores "scores of what is seen",
    /// The softmax of the scores.
    AttentionWeights "attention weights",
    /// The mean of the values, weighted by attention.
    WeightedValues "weighted values",
    /// What a residual block reads, projected to the shape of its result.
    Shortcut "projection",
    /// What a residual block reads plus what its layers make.
    ResidualSum "sum with what was read",
    /// All numbers of several inputs in one row.
    Joined "inputs joined",
    /// What the network predicts.
    Prediction "prediction",
    /// The cost of the examples.
    Cost "cost",
    /// What regularization adds to the cost.
    Regularization "regularization",
    /// The one from which a backward pass starts: the derivative of the cost with respect to itself.
    Seed "gradient of the cost",
}

impl Graph {
    /// What a node is for, in words: `weighted sum`, `gradient of layers.0.weight`; empty if it has no role.
    pub fn role(&self, id: NodeId) -> String {
        let named = |of: NodeId| match self.role(of) {
            role if role.is_empty() => self.label(of),
            role => role,
        };
        match self.node(id).origin.role {
            NodeRole::GradientOf(of) => format!("gradient of {}", named(of)),
            NodeRole::TangentOf(of) => format!("tangent of {}", self.label(of)),
            NodeRole::DirectionOf(of) => format!("direction of {}", self.label(of)),
            role => role.word().to_owned(),
        }
    }
}
