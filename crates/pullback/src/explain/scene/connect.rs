//! What leads from column to column: edges with weights and gradients, and numbers that travel along them.

use super::canvas::{Canvas, MADE, Written};
use super::columns::{Column, Kind, Spot};
use super::network::{changing, place, unit_name};
use super::{Anchor, Figure, Role};
use crate::explain::steps::{Makes, Pass, Place, When};
use crate::explain::{Dense, Trace};
use crate::graph::NodeId;

/// Where on an edge its weight stands, from its source: nearer to the source than to the target, so that those of edges
/// that cross stand apart.
const WEIGHT_AT: f64 = 0.375;
/// Numbers are written on the edges between two columns up to this number.
const MOST_WRITTEN: usize = 6;
/// So much room must be between two units for numbers on their edge.
const ROOM: f64 = 88.0;
/// More numbers do not travel at a time.
const MOST_TRAVELING: usize = 8;
/// When numbers have come half of their way.
const HALF: f64 = MADE / 2.0;

/// A weight of a dense layer, as it is drawn.
struct Edge<'a> {
    dense: &'a Dense,
    position: usize,
    from: Spot,
    to: Spot,
    /// What it is multiplied with.
    reads: Place,
}

impl Edge<'_> {
    fn ends(&self) -> [[f64; 2]; 2] {
        let ([x0, y0], [x1, y1]) = ([self.from.x, self.from.y], [self.to.x, self.to.y]);
        let length = ((x1 - x0).powi(2) + (y1 - y0).powi(2)).sqrt().max(1e-9);
        let (dx, dy) = ((x1 - x0) / length, (y1 - y0) / length);
        [[x0 + dx * self.from.r, y0 + dy * self.from.r], [x1 - dx * self.to.r, y1 - dy * self.to.r]]
    }

    /// Where its weight stands.
    fn weight_at(&self) -> [f64; 2] {
        let part = |from: f64, to: f64| from + (to - from) * WEIGHT_AT;
        [part(self.from.x, self.to.x), part(self.from.y, self.to.y)]
    }

    /// Where a number that travels meets it: above it, so that both can be read.
    fn meets_at(&self) -> [f64; 2] {
        let [x, y] = self.weight_at();
        [x, y - 34.0]
    }

    fn element(&self) -> usize {
        self.to.unit * self.dense.inputs + self.from.unit
    }

    fn id(&self, what: &str) -> String {
        format!("{what}.{}.{}.{}", self.position + 1, self.to.unit, self.from.unit)
    }
}

pub(super) fn connect(canvas: &mut Canvas<'_>, trace: &Trace, columns: &[Column], cost: Spot) {
    for pair in columns.windows(2) {
        let [before, after] = pair else { continue };
        match after.kind {
            Kind::Units(position) if before.has_units() && trace.dense()[position].inputs == before.count => {
                edges(canvas, trace, before, after, position);
            }
            _ => flows(canvas, trace, before, after),
        }
    }
    if let Some(last) = columns.last() {
        to_cost(canvas, trace, last, cost);
    }
}

fn edges(canvas: &mut Canvas<'_>, trace: &Trace, before: &Column, after: &Column, position: usize) {
    let dense = &trace.dense()[position];
    let row = canvas.example();
    let all: Vec<Edge<'_>> = (after.spots.iter())
        .flat_map(|to| before.spots.iter().map(move |from| (from, to)))
        .map(|(from, to)| {
            let reads = place(trace, dense.input, row, from.unit);
            Edge { dense, position, from: *from, to: *to, reads }
        })
        .collect();
    let weights = trace.parameter(dense.weight);
    let largest = all.iter().map(|edge| weights[edge.element()].abs()).fold(0.0, f64::max);
    let room = before.gap - before.spots[0].r - after.spots[0].r;
    // Many edges are thin ones.
    let thin = (MOST_WRITTEN as f64 / all.len().max(1) as f64).sqrt().min(1.0);
    let has_numbers = all.len() <= MOST_WRITTEN && room >= ROOM;
    for edge in &all {
        draw_edge(canvas, trace, edge, (largest, thin), has_numbers);
    }
    travel(canvas, trace, &all, after, room);
}

fn draw_edge(
    canvas: &mut Canvas<'_>,
    trace: &Trace,
    edge: &Edge<'_>,
    (largest, thin): (f64, f64),
    has_numbers: bool,
) {
    let parameter = edge.dense.weight;
    let element = edge.element();
    let own = Place { node: trace.lowered().parameters[parameter], element };
    let changed = canvas.moment.of_change(parameter, own);
    let new = canvas.steps.new_parameters().get(parameter).map(|numbers| numbers[element]);
    let old = trace.parameter(parameter)[element];
    let weight = match (changed, new) {
        (Some(When::Before | When::Now), Some(new)) => new,
        _ => old,
    };
    let of_gradient = Place { node: trace.gradient_node(parameter), element };
    let derived = canvas.when(of_gradient);
    let gradient = trace.gradient(parameter)[element];
    let label = canvas.steps.label(own);
    let from = match edge.position {
        0 => canvas.steps.label(edge.reads),
        position => unit_name(canvas, trace, position - 1, edge.from.unit),
    };
    let to = unit_name(canvas, trace, edge.position, edge.to.unit);
    let (weight_text, gradient_text) = (canvas.number(weight), canvas.number(gradient));
    let key = if derived.is_known() { "scene.edge_with_gradient" } else { "scene.edge" };
    let name = canvas.say(
        key,
        &[
            ("name", &label),
            ("from", &from),
            ("to", &to),
            ("value", &weight_text),
            ("gradient", &gradient_text),
        ],
    );
    let [start, end] = edge.ends();
    let is_active = works_on(canvas, trace, edge, derived, changed);
    let shape = canvas.shape(edge.id("edge"), Role::Edge, name, Figure::Line { from: start, to: end });
    shape.number = Some(weight);
    shape.strength = Some(if largest > 0.0 { (weight / largest).clamp(-1.0, 1.0) * thin } else { 0.0 });
    shape.is_active = is_active;
    shape.pass = derived.is_known().then_some(Pass::Backward);
    if !has_numbers {
        return;
    }
    let [x, y] = edge.weight_at();
    let written = |what: Role, key, label: String, number: f64, y: f64, pass: Option<Pass>| Written {
        id: edge.id(&what.name()),
        role: what,
        key,
        label,
        number,
        at: [x, y],
        anchor: Anchor::Middle,
        height: 17.5,
        pass,
    };
    let weight_of =
        |number: f64, pass| written(Role::Weight, "scene.weight", label.clone(), number, y - 6.0, pass);
    changing(canvas, changed, weight_of(old, None), new.map(|new| weight_of(new, Some(Pass::Update))));
    let label = canvas.steps.label(of_gradient);
    let gradient = written(Role::Gradient, "scene.gradient", label, gradient, y + 20.0, Some(Pass::Backward));
    canvas.write(derived, gradient);
}

/// Whether the step multiplies by this weight, finds its gradient or changes it.
fn works_on(
    canvas: &Canvas<'_>,
    trace: &Trace,
    edge: &Edge<'_>,
    derived: When,
    changed: Option<When>,
) -> bool {
    let row = canvas.example();
    let Some(step) = canvas.step else { return false };
    match (step.pass, step.makes) {
        (Pass::Forward, _) => canvas.when(place(trace, edge.dense.sum, row, edge.to.unit)) == When::Now,
        (Pass::Backward, Makes::Deltas) => brings(canvas, trace, edge).is_some(),
        (Pass::Backward, _) => derived == When::Now,
        (Pass::Update, _) => changed == Some(When::Now),
        (Pass::Cost, _) => false,
    }
}

/// The delta of the layer before that this step finds, if the weight carries a part of it there.
fn brings(canvas: &Canvas<'_>, trace: &Trace, edge: &Edge<'_>) -> Option<Place> {
    let before = trace.dense().get(edge.position.checked_sub(1)?)?;
    let own = place(trace, before.delta, canvas.example(), edge.from.unit);
    (canvas.when(own) == When::Now).then_some(own)
}

/// The numbers that travel along the edges between two columns.
fn travel(canvas: &mut Canvas<'_>, trace: &Trace, all: &[Edge<'_>], after: &Column, room: f64) {
    let Some(step) = canvas.step else { return };
    let row = canvas.example();
    let is_small = after.spots.iter().any(|spot| spot.r < 11.0) || room < 30.0;
    let active: Vec<&Edge<'_>> = (all.iter())
        .filter(|edge| {
            let of_gradient = Place { node: trace.gradient_node(edge.dense.weight), element: edge.element() };
            works_on(canvas, trace, edge, canvas.when(of_gradient), None)
        })
        .collect();
    if active.len() > MOST_TRAVELING || is_small {
        return;
    }
    for edge in active {
        let parameter = edge.dense.weight;
        let element = edge.element();
        let weight = trace.parameter(parameter)[element];
        let x = trace.value(edge.reads.node)[edge.reads.element];
        let delta = trace.at(edge.dense.delta, row, edge.to.unit);
        let [start, end] = edge.ends();
        let half = edge.meets_at();
        let label = |place: Place| canvas.steps.label(place);
        let weight_name = label(Place { node: trace.lowered().parameters[parameter], element });
        let of_delta = label(place(trace, edge.dense.delta, row, edge.to.unit));
        let of_input = label(edge.reads);
        let goes = |name: &str, x: f64| {
            canvas.say("scene.travels", &[("name", &name), ("value", &canvas.number(x))])
        };
        let product = |name: &str, x: f64| {
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("left", &weight_name), ("right", &name), ("value", &canvas.number(x))];
            canvas.say("scene.product", &values)
        };
        let ways = match (step.pass, step.makes) {
            (Pass::Forward, _) => [
                ("in", x, goes(&of_input, x), [start, half], [0.0, HALF]),
                ("product", weight * x, product(&of_input, weight * x), [half, end], [HALF, MADE]),
            ],
            (Pass::Backward, Makes::Deltas) => [
                ("in", delta, goes(&of_delta, delta), [end, half], [0.0, HALF]),
                ("product", weight * delta, product(&of_delta, weight * delta), [half, start], [HALF, MADE]),
            ],
            (Pass::Backward, _) => [
                ("delta", delta, goes(&of_delta, delta), [end, [half[0] + 36.0, half[1]]], [0.0, MADE]),
                ("in", x, goes(&of_input, x), [start, [half[0] - 36.0, half[1]]], [0.0, MADE]),
            ],
            _ => continue,
        };
        for (what, x, name, way, during) in ways {
            canvas.travel(edge.id(&format!("travel.{what}")), x, name, way, during);
        }
    }
}

/// Lines without weights: between a column and one that is not drawn unit by unit.
fn flows(canvas: &mut Canvas<'_>, trace: &Trace, before: &Column, after: &Column) {
    if before.kind == Kind::Spine && after.kind == Kind::Spine {
        return;
    }
    let called = super::network::layer_name(canvas, trace, after);
    let is_active = canvas.step.is_some_and(|step| {
        let to = step.pass == Pass::Forward && step.layer == Some(after.group);
        let back = step.pass == Pass::Backward && step.layer == Some(before.group) && before.group > 0;
        to || back
    });
    // Many to many would be a bundle of lines; one joins them.
    let pairs: Vec<(Spot, Spot)> = if before.spots.len() > 1 && after.spots.len() > 1 {
        let middle = before.spots.len() / 2;
        after.spots.iter().map(|to| (before.spots[middle], *to)).collect()
    } else {
        before.spots.iter().flat_map(|from| after.spots.iter().map(|to| (*from, *to))).collect()
    };
    for (from, to) in pairs {
        let name = canvas.say("scene.flow", &[("name", &called)]);
        let id = format!("flow.{}.{}.{}", after.group, to.unit, from.unit);
        let (start, end) = ([from.x + from.r, from.y], [to.x - to.r, to.y]);
        canvas.shape(id, Role::Flow, name, Figure::Line { from: start, to: end }).is_active = is_active;
    }
}

/// From the outputs to the cost, and back.
fn to_cost(canvas: &mut Canvas<'_>, trace: &Trace, last: &Column, cost: Spot) {
    let row = canvas.example();
    let outputs = trace.lowered().graph.shape(trace.lowered().output).last();
    let step = canvas.step;
    for spot in &last.spots {
        let unit = spot.unit;
        // A network that ends in a box has one line for all outputs.
        let is_unit = matches!(last.kind, Kind::Units(_)) && unit < outputs;
        let part = trace.lowered().costs;
        let has_parts = is_unit && trace.graph().shape(part).elements() == trace.rows() * outputs;
        let of_part = place(trace, part, row, if has_parts { unit } else { 0 });
        let is_forward = step.is_some_and(|step| step.pass == Pass::Cost)
            && (canvas.when(of_part) == When::Now || !has_parts);
        let arriving = is_unit.then(|| arriving(trace, last)).flatten();
        let is_back = arriving.is_some_and(|node| canvas.when(place(trace, node, row, unit)) == When::Now);
        let name = canvas.say("scene.flow_cost", &[]);
        let to = [cost.x - cost.r, cost.y];
        let from = [spot.x + spot.r, spot.y];
        // A number begins and ends beside what it comes from and goes to.
        let part = |t: f64| [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t];
        let (near_unit, near_cost) = (part(0.22), part(0.72));
        let figure = Figure::Line { from, to };
        canvas.shape(format!("flow.cost.{unit}"), Role::Flow, name, figure).is_active = is_forward || is_back;
        if spot.r < 11.0 {
            continue;
        }
        if is_forward && has_parts {
            let x = trace.value(of_part.node)[of_part.element];
            let output = canvas.steps.output_name(unit);
            let name = canvas.say("scene.part", &[("name", &output), ("value", &canvas.number(x))]);
            canvas.travel(format!("travel.cost.{unit}"), x, name, [near_unit, near_cost], [0.0, MADE]);
        }
        if let (true, Some(node)) = (is_back, arriving) {
            let own = place(trace, node, row, unit);
            let x = trace.value(own.node)[own.element];
            let label = canvas.steps.label(own);
            let name = canvas.say("scene.travels", &[("name", &label), ("value", &canvas.number(x))]);
            canvas.travel(format!("travel.back.{unit}"), x, name, [near_cost, near_unit], [0.0, MADE]);
        }
    }
}

/// What arrives at the last layer from the cost: the derivative with respect to its activations, else its deltas.
fn arriving(trace: &Trace, last: &Column) -> Option<NodeId> {
    let Kind::Units(position) = last.kind else { return None };
    let dense = &trace.dense()[position];
    let activation = dense.links.iter().rfind(|link| !link.is_cost).map(|link| link.node);
    Some(activation.and_then(|node| trace.adjoint(node)).unwrap_or(dense.delta))
}
