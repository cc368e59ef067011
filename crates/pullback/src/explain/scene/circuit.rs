//! A formula as a drawing: variables at the left, gates by how much they depend on, values above, derivatives below.

use super::canvas::{Canvas, MADE, Written};
use super::room::{Area, fitting, shortened_apart, width};
use super::{Anchor, Figure, MOST_GATES, READABLE, Role, Size};
use crate::compact::{Map, sort_by};
use crate::explain::expression::{Circuit, Gate};
use crate::explain::steps::{Pass, Place, Step, When};
use crate::graph::{Kind, NodeId};

const MARGIN: [f64; 2] = [70.0, 62.0];
/// The largest radius of a gate.
const RADIUS: f64 = 32.0;
/// The most gates that are drawn of those that read one in the part of a long formula.
const MOST_READERS: usize = 5;

/// The heights of a name beside its number.
const NAME: [f64; 2] = [11.0, 20.0];

/// From a gate to the next one, to the right and below, so that its sign and its number can be read.
const READABLE_GAP: [f64; 2] = [108.0, 92.0];

/// The same to the right where a value is used several times: a part of its derivative stands on each wire.
const GAP_OF_PARTS: f64 = 150.0;

/// The height of a part of a derivative, and where along its wire it may stand: 0 is the value, 1 the gate.
const PART: f64 = 15.0;
const WHERE_A_PART_STANDS: [f64; 6] = [0.4, 0.3, 0.5, 0.6, 0.25, 0.7];
/// From the wire down to the base line of a part that stands on it.
const ON_THE_WIRE: f64 = 5.0;

/// A variable, a number or a gate with its place.
struct Drawn<'a> {
    node: NodeId,
    name: String,
    /// The name in the room that there is beside a number.
    short: String,
    gate: Option<(usize, &'a Gate)>,
    column: usize,
    x: f64,
    y: f64,
}

/// Draws a formula, or the part of a long one around the step; how many gates are not drawn.
pub(super) fn draw(canvas: &mut Canvas<'_>, circuit: &Circuit) -> usize {
    let center = canvas.step.and_then(|step| step.gate).unwrap_or(circuit.gates.len() - 1);
    let gates = around(circuit, center);
    let (mut drawn, r) = layout(circuit, &gates, center, canvas.size);
    let between =
        drawn.iter().map(|own| own.x - MARGIN[0]).filter(|x| *x > 0.0).fold(canvas.size.width, f64::min);
    // At an edge it is moved inwards, and must not meet the next column's.
    let room = ((between + MARGIN[0]) * 2.0 / 3.0).min(between - 2.0);
    let names: Vec<&str> = drawn.iter().map(|own| own.name.as_str()).collect();
    let of_number = width(" = -0.0001234", NAME[0]);
    let short = shortened_apart(&names, NAME[0], (room - of_number).max(room / 2.0));
    drawn.iter_mut().zip(short).for_each(|(own, short)| own.short = short);
    let spot: Map<NodeId, usize> = drawn.iter().enumerate().map(|(at, own)| (own.node, at)).collect();
    let step = canvas.step;
    let is_at =
        |gate: usize, pass: Pass| step.is_some_and(|step| step.pass == pass && step.gate == Some(gate));
    let mut parts = Vec::new();
    for own in &drawn {
        let is_active = own.gate.is_some_and(|(at, _)| is_at(at, Pass::Forward) || is_at(at, Pass::Backward));
        node(canvas, circuit, own, (r, room), is_active);
        let Some((at, gate)) = own.gate else { continue };
        for (place, operand) in gate.operands.iter().enumerate() {
            let Some(&source) = spot.get(&operand.node) else { continue };
            let source = &drawn[source];
            // Operands come in one above the other, also the same one twice.
            let count = gate.operands.len() as f64;
            let dy = (place as f64 - (count - 1.0) / 2.0) * r * 0.9;
            let (from, to) =
                ([source.x + r, source.y], [own.x - (r * r - dy * dy).max(0.0).sqrt(), own.y + dy]);
            let values: [(&str, &dyn std::fmt::Display); 2] = [("from", &operand.name), ("to", &gate.name)];
            let name = canvas.say("scene.wire", &values);
            let id = format!("wire.{at}.{place}");
            let (forward, backward) = (is_at(at, Pass::Forward), is_at(at, Pass::Backward));
            let figure = Figure::Line { from, to };
            canvas.shape(id, Role::Flow, name, figure).is_active = forward || backward;
            if forward {
                let x = circuit.value(operand.node);
                let values: [(&str, &dyn std::fmt::Display); 2] =
                    [("name", &operand.name), ("value", &canvas.number(x))];
                let name = canvas.say("scene.travels", &values);
                canvas.travel(format!("travel.{at}.{place}"), x, name, [from, to], [0.0, MADE]);
            }
            parts.push(((at, gate, place), [from, to], backward));
        }
    }
    // When all else has its place: what is free is known then.
    for (of, way, is_now) in parts {
        passed(canvas, circuit, of, way, is_now);
    }
    circuit.gates.len() - gates.len()
}

/// The smallest drawing whose texts can be read.
pub(super) fn least(circuit: &Circuit, step: Option<&Step>) -> Size {
    let center = step.and_then(|step| step.gate).unwrap_or(circuit.gates.len() - 1);
    let (drawn, _) = layout(circuit, &around(circuit, center), center, Size::default());
    let columns = drawn.iter().map(|own| own.column).max().unwrap_or(0);
    let tallest =
        (0..=columns).map(|at| drawn.iter().filter(|own| own.column == at).count()).max().unwrap_or(1);
    let has_parts = drawn.iter().any(|own| circuit.passed_to(own.node).len() > 1);
    let gap = if has_parts { GAP_OF_PARTS } else { READABLE_GAP[0] };
    Size {
        width: 2.0 * MARGIN[0] + gap * columns.max(1) as f64,
        height: 2.0 * MARGIN[1] + READABLE_GAP[1] * tallest.saturating_sub(1) as f64,
    }
}

/// The gates to draw: all, or of too many the one in the center, those that it reads, and the first of those that read
/// it.
fn around(circuit: &Circuit, center: usize) -> Vec<usize> {
    let count = circuit.gates.len();
    if count <= MOST_GATES {
        return (0..count).collect();
    }
    let reads = |gate: usize, node: NodeId| circuit.gates[gate].operands.iter().any(|own| own.node == node);
    let read = (0..center).filter(|&at| reads(center, circuit.gates[at].node));
    let reading = (center + 1..count).filter(|&at| reads(at, circuit.gates[center].node));
    read.chain([center]).chain(reading.take(MOST_READERS)).collect()
}

/// What a gate passes on to an operand: it goes back along the wire and stays there.
fn passed(
    canvas: &mut Canvas<'_>,
    circuit: &Circuit,
    (at, gate, place): (usize, &Gate, usize),
    [from, to]: [[f64; 2]; 2],
    is_now: bool,
) {
    let operand = &gate.operands[place];
    let Some((passed, local)) = operand.passed.zip(operand.local) else { return };
    let label = format!("d{}/d{}", circuit.output_name, operand.name);
    let middle = |t: f64| [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t];
    let is_used_again = circuit.passed_to(operand.node).len() > 1;
    let spot = |t: f64, dy: f64| {
        let [x, y] = middle(t);
        [x, y + dy]
    };
    // Only where a value is used several times, the parts are not the derivative itself. One stands where it meets
    // nothing that is drawn already; on the wire if there is no such place.
    let part = is_used_again.then(|| {
        let text = canvas.number(passed);
        let is_free = |&(t, dy): &(f64, f64)| {
            let own = Area::of_text(spot(t, dy), Anchor::Middle, PART, &text);
            canvas.taken.iter().all(|area| !area.overlaps(&own))
        };
        let mut all = WHERE_A_PART_STANDS.iter().flat_map(|&t| [ON_THE_WIRE, -9.0, 19.0].map(|dy| (t, dy)));
        all.find(is_free).unwrap_or((WHERE_A_PART_STANDS[0], ON_THE_WIRE))
    });
    if is_now {
        let arrives = circuit.derivative(gate.node);
        let values: [(&str, &dyn std::fmt::Display); 4] = [
            ("gate", &gate.name),
            ("arrives", &canvas.number(arrives)),
            ("local", &canvas.number(local)),
            ("value", &canvas.number(passed)),
        ];
        let name = canvas.say("scene.passes", &values);
        let id = format!("travel.back.{at}.{place}");
        let end = part.map_or(from, |(t, _)| middle(t));
        canvas.travel(id, passed, name, [to, end], [0.0, MADE]);
    }
    let Some((t, dy)) = part else { return };
    let when = if is_now { When::Now } else { passed_before(canvas, circuit, at) };
    canvas.write(
        when,
        Written {
            id: format!("part.{at}.{place}"),
            role: Role::Derivative,
            key: "scene.part_of",
            label,
            number: passed,
            text: None,
            at: spot(t, dy),
            anchor: Anchor::Middle,
            height: PART,
            pass: Some(Pass::Backward),
        },
    );
}

/// When a gate passes on what arrives at it.
fn passed_before(canvas: &Canvas<'_>, circuit: &Circuit, gate: usize) -> When {
    let Some(step) = canvas.step else { return When::Before };
    match (step.pass, step.gate) {
        (Pass::Backward, Some(now)) if gate > now && gate < circuit.gates.len() => When::Before,
        _ => When::Later,
    }
}

fn node(canvas: &mut Canvas<'_>, circuit: &Circuit, own: &Drawn<'_>, (r, room): (f64, f64), is_active: bool) {
    let value = circuit.value(own.node);
    let index = own.node.index();
    let (role, key) =
        if own.gate.is_some() { (Role::Gate, "scene.gate") } else { (Role::Variable, "scene.variable") };
    let formula = own.gate.map_or(own.name.clone(), |(_, gate)| gate.formula.clone());
    let name = canvas.say(key, &[("name", &own.name), ("formula", &formula)]);
    let figure = Figure::Circle { x: own.x, y: own.y, r };
    canvas.shape(format!("node.{index}"), role, name.clone(), figure).is_active = is_active;
    let sign = own.gate.map_or_else(|| own.name.clone(), |(_, gate)| gate.sign());
    let size = fitting(&sign, r * 0.85, (r * 0.4).max(READABLE), r * 1.7);
    // What is wider than its circle stands beside the number.
    let is_inside = width(&sign, size) <= r * 1.8;
    if is_inside {
        canvas.caption(format!("node.{index}.name"), sign, name, [own.x, own.y + size * 0.35], size);
    }
    let is_constant = matches!(circuit.graph.node(own.node).kind, Kind::Constant(_));
    if is_constant {
        return;
    }
    let when = canvas.when(Place { node: own.node, element: 0 });
    let written = |id: &str, role, key, label: String, number: f64, y: f64, pass| Written {
        id: format!("{id}.{index}"),
        role,
        key,
        label,
        number,
        text: None,
        at: [own.x, y],
        anchor: Anchor::Middle,
        height: (r * 0.62).clamp(NAME[0], NAME[1]),
        pass: Some(pass),
    };
    let mut of_value =
        written("value", Role::Value, "scene.value", own.name.clone(), value, own.y - r - 8.0, Pass::Forward);
    // A gate that has a name of its own is called by it.
    let is_named = own.gate.is_some() && own.name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_named || !is_inside {
        let told = |number: String| format!("{} = {number}", own.short);
        let whole = told(canvas.number(value));
        // With fewer digits where it would meet the next column's.
        let is_short = width(&whole, NAME[0]) <= room;
        let text = if is_short { whole } else { told(canvas.compact(value, 7)) };
        of_value.height = fitting(&text, of_value.height, NAME[0], room);
        let half = width(&text, of_value.height) / 2.0 + 4.0;
        of_value.at[0] = own.x.min(canvas.size.width - half).max(half);
        of_value.text = Some(text);
    }
    canvas.write(when, of_value);
    // The name of a line, where the sign does not tell it.
    let Some(arrival) = arrival(canvas, circuit, own) else { return };
    let label = format!("d{}/d{}", circuit.output_name, own.name);
    let derivative = circuit.derivative(own.node);
    let size = (r * 0.62).clamp(NAME[0], NAME[1]);
    let of_derivative = written(
        "derivative",
        Role::Derivative,
        "scene.derivative",
        label,
        derivative,
        own.y + r + size + 2.0,
        Pass::Backward,
    );
    canvas.write(arrival, of_derivative);
}

/// When the derivative with respect to a node is known: when the first of the gates that read it has passed on its
/// part, as gates pass on from the last to the first; of the result, when the backward pass begins.
fn arrival(canvas: &Canvas<'_>, circuit: &Circuit, own: &Drawn<'_>) -> Option<When> {
    circuit.adjoints[own.node.index()]?;
    let reads = |gate: &Gate| {
        gate.operands.iter().any(|operand| operand.node == own.node && operand.passed.is_some())
    };
    let first = circuit.gates.iter().position(reads);
    let Some(step) = canvas.step else { return Some(When::Before) };
    if step.pass != Pass::Backward {
        return Some(When::Later);
    }
    let now = step.gate.unwrap_or(0);
    Some(match first {
        None => When::Before,
        Some(first) if first > now => When::Before,
        Some(first) if first == now => When::Now,
        Some(_) => When::Later,
    })
}

/// Variables and some gates in columns, each gate one after the last that it reads; and the radius of all. In a part of a
/// formula, variables and numbers are those that its center reads.
fn layout<'a>(circuit: &'a Circuit, gates: &[usize], center: usize, size: Size) -> (Vec<Drawn<'a>>, f64) {
    let Size { width, height } = size;
    let mut drawn: Vec<Drawn<'a>> = Vec::new();
    let is_whole = gates.len() == circuit.gates.len();
    let mut add = |node: NodeId, name: &str, gate| {
        if drawn.iter().all(|own| own.node != node) {
            drawn.push(Drawn {
                node,
                name: name.to_owned(),
                short: String::new(),
                gate,
                column: 0,
                x: 0.0,
                y: 0.0,
            });
        }
    };
    let is_variable = |node: NodeId| circuit.variables.iter().any(|(_, own)| *own == node);
    let is_gate = |node: NodeId| circuit.gates.iter().any(|gate| gate.node == node);
    for (name, node) in circuit.variables.iter().filter(|_| is_whole) {
        add(*node, name, None);
    }
    for &at in gates {
        let gate = &circuit.gates[at];
        let is_given = |node: NodeId| is_variable(node) || !is_gate(node);
        for operand in gate.operands.iter().filter(|own| (is_whole || at == center) && is_given(own.node)) {
            add(operand.node, &operand.name, None);
        }
        add(gate.node, &gate.name, Some((at, gate)));
    }
    let column_of = |drawn: &[Drawn<'_>], node: NodeId| {
        drawn.iter().find(|own| own.node == node).map(|own| own.column + 1)
    };
    for at in 0..drawn.len() {
        if let Some((_, gate)) = drawn[at].gate {
            let before = gate.operands.iter().filter_map(|operand| column_of(&drawn, operand.node)).max();
            drawn[at].column = before.unwrap_or(0);
        }
    }
    // What is given stands just before the first gate that reads it.
    for at in 0..drawn.len() {
        if drawn[at].gate.is_none() {
            let node = drawn[at].node;
            let readers = drawn.iter().filter(|own| {
                own.gate.is_some_and(|(_, gate)| gate.operands.iter().any(|operand| operand.node == node))
            });
            let first = readers.map(|own| own.column).min();
            drawn[at].column = first.unwrap_or(1).saturating_sub(1);
        }
    }
    let columns = drawn.iter().map(|own| own.column).max().unwrap_or(0) + 1;
    let between = (width - 2.0 * MARGIN[0]) / (columns.max(2) - 1) as f64;
    let mut tallest = 1;
    for column in 0..columns {
        let mut own: Vec<usize> = (0..drawn.len()).filter(|&at| drawn[at].column == column).collect();
        // By the mean height of what they read; what reads nothing keeps its order between the others.
        let wish = |at: &usize| -> f64 {
            let Some((_, gate)) = drawn[*at].gate else { return *at as f64 / drawn.len() as f64 * height };
            let ys: Vec<f64> = (gate.operands.iter())
                .filter_map(|operand| drawn.iter().find(|own| own.node == operand.node).map(|own| own.y))
                .collect();
            ys.iter().sum::<f64>() / ys.len().max(1) as f64
        };
        let mut wishes: Vec<(f64, usize)> = own.drain(..).map(|at| (wish(&at), at)).collect();
        sort_by(&mut wishes, |left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        let count = wishes.len();
        tallest = tallest.max(count);
        let spacing = ((height - 2.0 * MARGIN[1]) / (count.max(2) - 1) as f64).min(190.0);
        let top = height / 2.0 - spacing * (count as f64 - 1.0) / 2.0;
        for (place, (_, at)) in wishes.into_iter().enumerate() {
            drawn[at].x = MARGIN[0] + between * column as f64;
            drawn[at].y = top + spacing * place as f64;
        }
    }
    let room = (height - 2.0 * MARGIN[1]) / (tallest.max(2) - 1) as f64;
    let r = RADIUS.min(between * 0.3).min(room * 0.27);
    (drawn, r.max(3.0))
}
