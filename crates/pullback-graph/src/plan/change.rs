//! Puts the update of a parameter behind its last reader, and where possible into the epilogue of the product that
//! computes its gradient.
//!
//! Back propagation computes a layer's weight gradient and the delta of the layer below from the same delta, in any
//! order; the latter reads the weights. So the gradient is delayed until then, and the weights are updated block by
//! block while it is computed.

use super::fuse::{Group, Stage};
use super::{Action, Change, Kernel, Target, Update};
use crate::compact::sort_by_key;
use crate::graph::{Graph, NodeId, Op};
use std::cmp::Reverse;

/// The least number of elements of a gradient whose parameter is updated block by block. A smaller one is in cache
/// anyway, and loads of numbers that were just stored with another width wait: store forwarding fails
/// (`bench/compare --peers "" --work xor`).
const WORTH_UPDATING_INSIDE: usize = 8192;

/// Adds the changes to the groups, and says how many groups come before all outputs are known.
pub(super) fn change(
    graph: &Graph,
    groups: Vec<Group>,
    outputs: &[NodeId],
    targets: &[Target],
    clip_norm: Option<f64>,
) -> (Vec<Group>, usize) {
    if targets.is_empty() {
        let count = groups.len();
        return (groups, count);
    }
    let groups = delay(graph, groups, outputs, targets);

    // After how many groups each node is computed, and no longer read.
    let (mut made, mut read) = (vec![0; graph.nodes().len()], vec![0; graph.nodes().len()]);
    for (at, group) in groups.iter().enumerate() {
        group.reads().for_each(|id| read[id.index()] = at + 1);
        group.writes.iter().for_each(|id| made[id.index()] = at + 1);
    }
    let outputs_after = outputs.iter().map(|id| made[id.index()]).max().unwrap_or(0);
    let is_clipped = |target: &Target| clip_norm.is_some() && matches!(target.change, Change::Update(_));
    let all_gradients =
        targets.iter().filter(|target| is_clipped(target)).map(|target| made[target.node.index()]).max();
    let mut order: Vec<(usize, bool, usize)> = (targets.iter().enumerate())
        .map(|(position, target)| {
            let all = if is_clipped(target) { all_gradients.unwrap_or(0) } else { 0 };
            let after =
                made[target.node.index()].max(read[target.parameter.index()]).max(outputs_after).max(all);
            let is_inside = after > outputs_after
                && !is_clipped(target)
                && can_update_inside(graph, &groups[after - 1], target);
            (after, !is_inside, position)
        })
        .collect();
    order.sort_unstable();

    let total = groups.len();
    let mut changed = Vec::with_capacity(groups.len() + targets.len());
    let mut order = order.into_iter().peekable();
    let mut norm = clip_norm.map(|limit| Group {
        kernel: Kernel::Norm(limit.into()),
        reads: targets.iter().filter(|target| is_clipped(target)).map(|target| target.node).collect(),
        writes: Vec::new(),
        epilogue: Vec::new(),
        changes: None,
    });
    let mut add_changes = |changed: &mut Vec<Group>, done: usize| {
        let mut is_first = true;
        while let Some((_, is_apart, position)) = order.next_if(|(after, ..)| *after == done) {
            let target = targets[position];
            if is_clipped(&target) {
                changed.extend(norm.take());
            }
            match target.change {
                // Of the updates that are ready at once, one can be inside; another may have the same gradient.
                Change::Update(update) if is_first && !is_apart => {
                    let product = changed.last_mut().expect("it is found after at least one group");
                    product.epilogue.push(Stage { action: Action::Update(update), position: 0, other: None });
                    product.changes = Some(position);
                }
                change => changed.push(Group {
                    kernel: Kernel::Change(change),
                    reads: vec![target.node],
                    writes: Vec::new(),
                    epilogue: Vec::new(),
                    changes: Some(position),
                }),
            }
            is_first = false;
        }
    };
    for (at, group) in groups.into_iter().enumerate() {
        add_changes(&mut changed, at);
        changed.push(group);
    }
    add_changes(&mut changed, total);
    (changed, outputs_after)
}

/// Delays each gradient that nobody else reads: moves its group behind the last one that reads its parameter or
/// computes an output.
fn delay(graph: &Graph, groups: Vec<Group>, outputs: &[NodeId], targets: &[Target]) -> Vec<Group> {
    let nodes = graph.nodes().len();
    let (mut made_by, mut last_read, mut is_read, mut asked) =
        (vec![None; nodes], vec![0; nodes], vec![false; nodes], vec![0; nodes]);
    let mut last_output = 0;
    for id in outputs {
        asked[id.index()] += 1;
    }
    for (at, group) in groups.iter().enumerate() {
        for id in group.reads() {
            (last_read[id.index()], is_read[id.index()]) = (at, true);
        }
        for id in &group.writes {
            made_by[id.index()] = Some(at);
            if asked[id.index()] > 0 {
                last_output = at;
            }
        }
    }
    for target in targets {
        asked[target.node.index()] += 1;
    }
    // A group's place: behind which it comes, and among those behind the same one, the later target first.
    let mut places: Vec<(usize, Reverse<usize>)> =
        (0..groups.len()).map(|at| (at, Reverse(usize::MAX))).collect();
    for (position, target) in targets.iter().enumerate() {
        let Some(at) = made_by[target.node.index()] else { continue };
        if asked[target.node.index()] > 1 || is_read[target.node.index()] || groups[at].writes.len() > 1 {
            continue;
        }
        let behind = last_read[target.parameter.index()].max(last_output);
        if behind > at {
            places[at] = (behind, Reverse(position));
        }
    }
    let mut placed: Vec<_> = places.into_iter().zip(groups).collect();
    sort_by_key(&mut placed, |(place, _)| *place);
    placed.into_iter().map(|(_, group)| group).collect()
}

/// Whether a gradient's group can update its parameter block by block: it is a product, large enough for that to pay,
/// that does not read the parameter. Its epilogue may: it reads only the block that is updated after it.
fn can_update_inside(graph: &Graph, group: &Group, target: &Target) -> bool {
    matches!(target.change, Change::Update(Update { is_piecewise: true, .. }))
        && matches!(group.kernel, Kernel::Value(Op::MatrixProduct(_)))
        && group.writes == [target.node]
        && graph.shape(target.node).elements() >= WORTH_UPDATING_INSIDE
        && !group.reads.contains(&target.parameter)
}
