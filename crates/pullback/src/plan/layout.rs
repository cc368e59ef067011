//! Gives each value a place; values whose lifetimes do not overlap share a buffer.

use super::fuse::Group;
use super::share::Shared;
use super::{Gradient, Instruction, Place, Plan, Stage};
use crate::graph::ops::Pattern;
use crate::graph::{Graph, Kind, NodeId, Op};

/// A gradient of fewer elements is updated faster when all of it is there: near it is anyway, and what is read just after
/// it was written in other pieces has to wait (`bench/compare --peers "" --work xor`).
const WORTH_UPDATING_INSIDE: usize = 8192;

/// Lays out the groups. The last outputs are the gradients of `parameters`, to be handed out.
pub(super) fn layout(graph: &Graph, shared: &Shared, groups: &[Group], parameters_of: &[NodeId]) -> Plan {
    let (outputs, gradients) = shared.outputs.split_at(shared.outputs.len() - parameters_of.len());
    let inputs = Plan::named(graph, |kind| if let Kind::Input(name) = kind { Some(name) } else { None });
    let parameters =
        Plan::named(graph, |kind| if let Kind::Parameter(name) = kind { Some(name) } else { None });
    let mut places: Vec<Option<Place>> = vec![None; graph.nodes().len()];
    let (mut input, mut parameter) = (0, 0);
    for id in graph.ids() {
        match graph.node(id).kind {
            Kind::Input(_) => {
                places[id.index()] = Some(Place::Input(input));
                input += 1;
            }
            Kind::Parameter(_) => {
                places[id.index()] = Some(Place::Parameter(parameter));
                parameter += 1;
            }
            _ => {}
        }
    }

    let mut constants = Vec::new();
    for id in &shared.kept {
        if let Kind::Constant(value) = &graph.node(*id).kind {
            places[id.index()] = Some(Place::Constant(constants.len()));
            constants.push((value.value(), graph.shape(*id).elements()));
        }
    }

    // The step after which nobody reads a node's value; outputs are read after the last step.
    let mut last_use = vec![0; graph.nodes().len()];
    for (step, group) in groups.iter().enumerate() {
        for operand in group.reads() {
            last_use[operand.index()] = step;
        }
    }
    let made_at = |id: &NodeId| groups.iter().position(|group| group.makes(*id)).map_or(0, |at| at + 1);
    let outputs_after =
        if gradients.is_empty() { groups.len() } else { outputs.iter().map(made_at).max().unwrap_or(0) };
    // After how many steps each gradient is there, its parameter no longer read, and the outputs known.
    let ready: Vec<usize> = (gradients.iter().zip(parameters_of))
        .map(|(gradient, parameter)| {
            made_at(gradient).max(last_use[parameter.index()] + 1).max(outputs_after)
        })
        .collect();
    for (gradient, after) in gradients.iter().zip(&ready) {
        let last_use = &mut last_use[gradient.index()];
        *last_use = (*last_use).max(after - 1);
    }
    for id in outputs {
        last_use[id.index()] = usize::MAX;
    }

    let mut buffers: Vec<usize> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let mut instructions = Vec::new();
    for (step, group) in groups.iter().enumerate() {
        let shape = graph.shape(group.tail);
        let buffer = take(&mut buffers, &mut free, shape.elements());
        places[group.tail.index()] = Some(Place::Buffer(buffer));
        let gradient = group.gradient.map(|(id, factor)| {
            let buffer = take(&mut buffers, &mut free, graph.shape(id).elements());
            places[id.index()] = Some(Place::Buffer(buffer));
            (buffer, factor)
        });
        let place = |id: NodeId| places[id.index()].expect("operands come first in the order");
        instructions.push(Instruction {
            op: group.op.clone(),
            inputs: group.operands.iter().map(|id| (place(*id), graph.shape(*id).clone())).collect(),
            buffer,
            shape: shape.clone(),
            row: group.row.map(|id| (place(id), graph.shape(id).elements())),
            of_squares: group.of_squares,
            gradient,
            stages: (group.stages.iter())
                .map(|stage| Stage {
                    action: stage.action.clone(),
                    position: stage.position,
                    other: stage.other.map(|id| {
                        let own = graph.shape(id);
                        (place(id), own.elements(), Pattern::of(own, shape))
                    }),
                })
                .collect(),
        });
        let handed_out = gradients.iter().zip(&ready).filter(|(_, after)| **after == step + 1);
        for operand in group.reads().chain(handed_out.map(|(id, _)| *id)) {
            if let (Some(Place::Buffer(buffer)), true) =
                (places[operand.index()], last_use[operand.index()] == step)
                && !free.contains(&buffer)
            {
                free.push(buffer);
            }
        }
    }
    let outputs = (outputs.iter())
        .map(|id| (places[id.index()].expect("outputs are kept"), graph.shape(*id).clone()))
        .collect();
    let mut gradients: Vec<Gradient> = (gradients.iter().zip(parameters_of).zip(ready).enumerate())
        .map(|(position, ((gradient, parameter_node), after))| {
            let place = places[gradient.index()].expect("gradients are kept");
            let Some(Place::Parameter(parameter)) = places[parameter_node.index()] else {
                panic!("a gradient belongs to a parameter");
            };
            assert!(!matches!(place, Place::Parameter(_)), "a gradient is no parameter itself");
            Gradient {
                position,
                after,
                parameter,
                place,
                elements: graph.shape(*gradient).elements(),
                is_updated_inside: after > outputs_after
                    && graph.shape(*gradient).elements() >= WORTH_UPDATING_INSIDE
                    && groups[after - 1].tail == *gradient
                    && can_update_inside(graph, &groups[after - 1], parameter_node),
            }
        })
        .collect();
    gradients.sort_by_key(|gradient| (gradient.after, !gradient.is_updated_inside));
    // Of those that are ready at once, one can be found meanwhile; another may be the same node.
    for at in 1..gradients.len() {
        gradients[at].is_updated_inside &= gradients[at].after > gradients[at - 1].after;
    }
    Plan { inputs, parameters, constants, buffers, instructions, outputs, outputs_after, gradients }
}

/// Whether a gradient's group can update its parameter piece by piece: whether it is a product that reads no more of
/// it than the same piece.
fn can_update_inside(graph: &Graph, group: &Group, parameter: &NodeId) -> bool {
    let reads_piece = |other: &NodeId| {
        other != parameter || Pattern::of(graph.shape(*other), graph.shape(group.tail)) == Pattern::Whole
    };
    matches!(group.op, Op::MatrixProduct(_))
        && group.row.is_none()
        && !group.operands.contains(parameter)
        && group.stages.iter().filter_map(|stage| stage.other.as_ref()).all(reads_piece)
}

/// The free buffer that fits best: the smallest that is large enough, else the largest, grown.
fn take(buffers: &mut Vec<usize>, free: &mut Vec<usize>, elements: usize) -> usize {
    let best = (0..free.len()).min_by_key(|&at| {
        let size = buffers[free[at]];
        if size >= elements { (0, size) } else { (1, usize::MAX - size) }
    });
    match best {
        Some(at) => {
            let buffer = free.swap_remove(at);
            buffers[buffer] = buffers[buffer].max(elements);
            buffer
        }
        None => {
            buffers.push(elements);
            buffers.len() - 1
        }
    }
}
