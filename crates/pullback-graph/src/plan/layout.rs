//! Gives each value a place; values whose lifetimes do not overlap share a buffer.

use super::fuse::Group;
use super::{Change, Instruction, Kernel, Named, Place, Plan, Stage, Target, Update};
use crate::graph::ops::Pattern;
use crate::graph::{Graph, Kind, NodeId, Shape};
use std::collections::BTreeMap;

/// Lays out the groups; all outputs are known after the first `outputs_after`.
pub(super) fn layout(
    graph: &Graph,
    outputs: &[NodeId],
    groups: &[Group],
    outputs_after: usize,
    targets: &[Target],
) -> Plan {
    let inputs = Plan::named(graph, |kind| if let Kind::Input(name) = kind { Some(name) } else { None });
    let parameters =
        Plan::named(graph, |kind| if let Kind::Parameter(name) = kind { Some(name) } else { None });
    let states = |target: &Target| match target.change {
        Change::Store => 0,
        Change::Update(Update { states, .. }) => states,
    };
    let residents_per_parameter = 1 + targets.iter().map(states).max().unwrap_or(0);
    let mut residents: Vec<Named> = Vec::with_capacity(parameters.len() * residents_per_parameter);
    for parameter in &parameters {
        residents.push(parameter.clone());
        residents.extend(
            (0..residents_per_parameter - 1)
                .map(|state| Named { name: format!("{}.{state}", parameter.name), shape: Shape::from([0]) }),
        );
    }

    let mut places: Vec<Option<Place>> = vec![None; graph.nodes().len()];
    let (mut input, mut resident) = (0, 0);
    for id in graph.ids() {
        match graph.node(id).kind {
            Kind::Input(_) => {
                places[id.index()] = Some(Place::Input(input));
                input += 1;
            }
            Kind::Parameter(_) => {
                places[id.index()] = Some(Place::Resident(resident));
                resident += residents_per_parameter;
            }
            _ => {}
        }
    }

    // The step after which nobody reads a node's value; outputs are read after the last step.
    let mut last_use = vec![None; graph.nodes().len()];
    for (step, group) in groups.iter().enumerate() {
        group.reads().for_each(|operand| last_use[operand.index()] = Some(step));
    }
    for id in outputs {
        last_use[id.index()] = Some(usize::MAX);
    }

    // Rewrites leave constants behind that nobody reads.
    let mut constants = Vec::new();
    for id in graph.ids().filter(|id| last_use[id.index()].is_some()) {
        if let Kind::Constant(value) = &graph.node(id).kind {
            places[id.index()] = Some(Place::Constant(constants.len()));
            constants.push((value.value(), graph.shape(id).elements()));
        }
    }

    let mut buffers = Buffers::default();
    // Where the factor lies that clips gradients.
    let mut factor = None;
    let mut instructions = Vec::with_capacity(groups.len());
    for (step, group) in groups.iter().enumerate() {
        let mut writes: Vec<(Place, Shape)> = Vec::with_capacity(group.writes.len());
        for id in &group.writes {
            let shape = graph.shape(*id).clone();
            let place = Place::Buffer(buffers.take(shape.elements()));
            places[id.index()] = Some(place);
            writes.push((place, shape));
        }
        let place = |id: NodeId| places[id.index()].expect("operands come first in the order");
        let mut reads: Vec<(Place, Shape)> =
            group.reads.iter().map(|id| (place(*id), graph.shape(*id).clone())).collect();
        let mut scratch = None;
        if let Kernel::Norm(_) = group.kernel {
            let single = (Place::Buffer(buffers.take(1)), Shape::from([1]));
            factor = Some(single.clone());
            writes.push(single);
        }
        if let Some(target) = group.changes.map(|position| &targets[position]) {
            let Place::Resident(first) = place(target.parameter) else {
                panic!("what is changed is a parameter");
            };
            assert!(!matches!(place(target.node), Place::Resident(_)), "a parameter is changed by none");
            let shape = graph.shape(target.parameter);
            for state in 0..=states(target) {
                residents[first + state].shape = shape.clone();
                writes.push((Place::Resident(first + state), shape.clone()));
            }
            if let (Kernel::Change(Change::Update(_)), Some(factor)) = (&group.kernel, &factor) {
                reads.push(factor.clone());
                // What is clipped may be the gradient of another parameter too.
                let buffer = buffers.take(shape.elements());
                scratch = Some(buffer);
                writes.push((Place::Buffer(buffer), shape.clone()));
            }
        }
        let epilogue = (group.epilogue.iter())
            .map(|stage| Stage {
                action: stage.action.clone(),
                position: stage.position,
                other: stage.other.map(|id| {
                    let (own, shape) = (graph.shape(id), graph.shape(group.writes[0]));
                    (place(id), own.elements(), Pattern::of(own, shape))
                }),
            })
            .collect();
        instructions.push(Instruction { kernel: group.kernel.clone(), reads, writes, epilogue });

        for id in group.reads() {
            if let (Some(Place::Buffer(buffer)), true) =
                (places[id.index()], last_use[id.index()] == Some(step))
            {
                buffers.give_back(buffer);
            }
        }
        // A gradient that updates its parameter in the epilogue may have no other reader.
        for id in group.writes.iter().filter(|_| group.changes.is_some()) {
            if let (Some(Place::Buffer(buffer)), true) =
                (places[id.index()], last_use[id.index()] <= Some(step))
            {
                buffers.give_back(buffer);
            }
        }
        scratch.into_iter().for_each(|buffer| buffers.give_back(buffer));
    }
    let outputs = (outputs.iter())
        .map(|id| (places[id.index()].expect("outputs are kept"), graph.shape(*id).clone()))
        .collect();
    Plan {
        inputs,
        residents,
        residents_per_parameter,
        constants,
        buffers: buffers.sizes,
        instructions,
        outputs,
        outputs_after,
    }
}

/// Buffers with their sizes, and those that are free.
#[derive(Default)]
struct Buffers {
    sizes: Vec<usize>,
    /// By size, the one that was given back last at the end.
    free: BTreeMap<usize, Vec<usize>>,
    is_free: Vec<bool>,
}

impl Buffers {
    /// The free buffer that fits best: the smallest that is large enough, else the largest, grown.
    fn take(&mut self, elements: usize) -> usize {
        let found = self.free.range(elements..).next().or_else(|| self.free.last_key_value());
        let Some(size) = found.map(|(size, _)| *size) else {
            self.sizes.push(elements);
            self.is_free.push(false);
            return self.sizes.len() - 1;
        };
        let same = self.free.get_mut(&size).expect("found above");
        let buffer = same.pop().expect("a size without buffers is taken out");
        if same.is_empty() {
            self.free.remove(&size);
        }
        self.is_free[buffer] = false;
        self.sizes[buffer] = size.max(elements);
        buffer
    }

    /// Takes a buffer back that nobody reads any more.
    fn give_back(&mut self, buffer: usize) {
        if !std::mem::replace(&mut self.is_free[buffer], true) {
            self.free.entry(self.sizes[buffer]).or_default().push(buffer);
        }
    }
}
