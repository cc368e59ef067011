//! Gives each value a place; values whose lifetimes do not overlap share a buffer.

use super::share::Shared;
use super::{Instruction, Place, Plan};
use crate::graph::{Graph, Kind};

pub(super) fn layout(graph: &Graph, shared: &Shared) -> Plan {
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

    // The step after which nobody reads a node's value; outputs are read after the last step.
    let mut last_use = vec![0; graph.nodes().len()];
    for (step, id) in shared.kept.iter().enumerate() {
        for operand in graph.node(*id).inputs() {
            last_use[shared.stands_for[operand.index()].index()] = step;
        }
    }
    for id in &shared.outputs {
        last_use[id.index()] = usize::MAX;
    }

    let mut constants = Vec::new();
    let mut buffers: Vec<usize> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let mut instructions = Vec::new();
    for (step, id) in shared.kept.iter().enumerate() {
        let node = graph.node(*id);
        match &node.kind {
            Kind::Input(_) | Kind::Parameter(_) => {}
            Kind::Constant(value) => {
                places[id.index()] = Some(Place::Constant(constants.len()));
                constants.push((value.value(), node.shape.elements()));
            }
            Kind::Operation(op, operands) => {
                let buffer = take(&mut buffers, &mut free, node.shape.elements());
                places[id.index()] = Some(Place::Buffer(buffer));
                let operands = operands.iter().map(|operand| shared.stands_for[operand.index()]);
                instructions.push(Instruction {
                    op: op.clone(),
                    inputs: operands
                        .clone()
                        .map(|operand| {
                            let place = places[operand.index()].expect("operands come first in the order");
                            (place, graph.shape(operand).clone())
                        })
                        .collect(),
                    buffer,
                    shape: node.shape.clone(),
                });
                for operand in operands {
                    if let (Some(Place::Buffer(buffer)), true) =
                        (places[operand.index()], last_use[operand.index()] == step)
                        && !free.contains(&buffer)
                    {
                        free.push(buffer);
                    }
                }
            }
        }
    }
    let outputs = (shared.outputs.iter())
        .map(|id| (places[id.index()].expect("outputs are kept"), graph.shape(*id).clone()))
        .collect();
    Plan { inputs, parameters, constants, buffers, instructions, outputs }
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
