//! What leads from column to column: edges with weights and gradients, and numbers that travel along them.

use super::canvas::{Canvas, MADE, Written};
use super::columns::{Column, Kind, Spot};
use super::network::{changing, place, unit_name};
use super::room::{Area, width};
use super::{Anchor, Figure, Role};
use crate::compact::sort_by;
use crate::explain::steps::{Makes, Pass, Place, When};
use crate::explain::{Dense, Trace};
use crate::graph::NodeId;

/// Where on an edge its weight stands if it can, from its source: nearer to the source than to the target, so that those
/// of edges that cross stand apart.
const WEIGHT_AT: f64 = 0.375;
/// The same where all edges at work lead to one unit, or come from one: where they are far from each other.
const INTO_ONE: f64 = 0.3;
const FROM_ONE: f64 = 0.7;
/// To avoid one other edge that would run through it, a number may stand so much farther from there, as a share of its
/// own edge.
const CROSSED: f64 = 0.06;
/// Places on an edge that are tried.
const PLACES: usize = 60;
/// The heights of numbers on edges that are tried until there is room for all; numbers of the first one that are too
/// many are left out, those at work last.
const HEIGHTS: [f64; 9] = [19.0, 18.0, 17.0, 16.0, 15.0, 14.0, 13.0, 12.0, 11.0];
/// Numbers that are not at work are not smaller than this for there to be room for all.
const LEAST_AT_REST: f64 = 15.0;
/// So much is free around them.
const FREE: f64 = 2.0;
/// Edges are thinner than they could be where there are more.
const MOST_THICK: usize = 6;
/// How much wider bold digits are: those of what is found.
const BOLD: f64 = 1.12;
/// More lines without weights between two columns are one bundle.
const MOST_FLOWS: usize = 16;
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

    /// A point on the line between the middles of its units.
    fn at(&self, share: f64) -> [f64; 2] {
        let part = |from: f64, to: f64| from + (to - from) * share;
        [part(self.from.x, self.to.x), part(self.from.y, self.to.y)]
    }

    /// Whether it runs through an area. It is straight, so its heights at the area's sides decide; or at its own ends,
    /// where these are between the sides.
    fn crosses(&self, area: &Area) -> bool {
        let [[x0, y0], [x1, y1]] = self.ends();
        let (from, until) = (x0.max(area.left), x1.min(area.right));
        let at = |x: f64| y0 + (y1 - y0) * (x - x0) / (x1 - x0);
        let (one, other) = (at(from), at(until));
        from < until && one.max(other) > area.top && one.min(other) < area.bottom
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
    let thin = (MOST_THICK as f64 / all.len().max(1) as f64).sqrt().min(1.0);
    let columns = ((room - 2.0 * FREE) / width("0", LEAST_AT_REST)).max(7.0) as usize;
    let drawn: Vec<Numbers> = all.iter().map(|edge| Numbers::of(canvas, trace, edge, columns)).collect();
    let active: Vec<bool> =
        all.iter().zip(&drawn).map(|(edge, own)| works_on(canvas, trace, edge, own)).collect();
    let places = places(canvas, &all, &drawn, &active, room);
    for (at, edge) in all.iter().enumerate() {
        draw_edge(canvas, trace, (edge, &drawn[at]), (largest, thin), active[at], places[at]);
    }
    travel(canvas, trace, (&all, &drawn), &places, after, room);
}

/// The numbers of an edge at a step.
struct Numbers {
    /// The weight before the update and after it, and when it changes.
    old: f64,
    new: Option<f64>,
    changed: Option<When>,
    gradient: f64,
    /// When the gradient is found.
    derived: When,
    /// The columns that a number may take.
    columns: usize,
}

impl Numbers {
    fn of(canvas: &Canvas<'_>, trace: &Trace, edge: &Edge<'_>, columns: usize) -> Self {
        let (parameter, element) = (edge.dense.weight, edge.element());
        let own = Place { node: trace.lowered().parameters[parameter], element };
        Self {
            old: trace.parameter(parameter)[element],
            new: canvas.steps.new_parameters().get(parameter).map(|numbers| numbers[element]),
            changed: canvas.moment.of_change(parameter, own),
            gradient: trace.gradient(parameter)[element],
            derived: canvas.when(Place { node: trace.gradient_node(parameter), element }),
            columns,
        }
    }

    /// The weight as it is when the step has been done.
    fn weight(&self) -> f64 {
        match (self.changed, self.new) {
            (Some(When::Before | When::Now), Some(new)) => new,
            _ => self.old,
        }
    }

    /// About the width of the widest of them, in heights.
    fn width(&self, canvas: &Canvas<'_>) -> f64 {
        let of = |x: f64| width(&canvas.compact(x, self.columns), 1.0);
        of(self.old).max(of(self.gradient)).max(self.new.map_or(0.0, of))
    }
}

/// Where the numbers of an edge stand: around a point, the weight above and the gradient below.
#[derive(Debug, Clone, Copy)]
struct Spread {
    at: [f64; 2],
    height: f64,
}

impl Spread {
    /// The baselines of the weight and of the gradient.
    fn lines(&self) -> [[f64; 2]; 2] {
        let [x, y] = self.at;
        [[x, y - 0.34 * self.height], [x, y + 1.0 * self.height]]
    }

    fn area(&self, width: f64) -> Area {
        let ([x, y], height) = (self.at, self.height);
        let half = width * height / 2.0 + FREE;
        Area {
            left: x - half,
            top: y - 1.12 * height - FREE,
            right: x + half,
            bottom: y + 1.22 * height + FREE,
        }
    }

    /// Where a number that travels meets the weight: above it, so that both can be read.
    fn meets(&self) -> [f64; 2] {
        [self.at[0], self.at[1] - 1.9 * self.height]
    }
}

/// Where the numbers of each edge stand; absent where there is no room. An edge keeps its place from step to step; one
/// that has none gets one for the step that works on it, and others near it give way.
fn places(
    canvas: &Canvas<'_>,
    all: &[Edge<'_>],
    drawn: &[Numbers],
    active: &[bool],
    room: f64,
) -> Vec<Option<Spread>> {
    // Numbers that are found are bold, so they are wider. A number with another edge through it seems to belong to that
    // edge. But that each edge has its number matters most.
    let widths: Vec<f64> = drawn.iter().map(|own| own.width(canvas)).collect();
    let through: Vec<f64> = (0..all.len() * PLACES)
        .map(|own| {
            let (at, share) = (own / PLACES, (own % PLACES) as f64 / PLACES as f64);
            let spread = Spread { at: all[at].at(share), height: LEAST_AT_REST };
            let area = spread.area(widths[at]);
            all.iter().enumerate().filter(|(other, edge)| *other != at && edge.crosses(&area)).count() as f64
        })
        .collect();
    let ways = [
        (BOLD, CROSSED, Has::All),
        (BOLD, 0.0, Has::All),
        (1.0, CROSSED, Has::All),
        (1.0, 0.0, Has::All),
        (BOLD, CROSSED, Has::AtWork),
        (1.0, 0.0, Has::AtWork),
        (1.0, 0.0, Has::Some),
    ];
    ways.into_iter()
        .find_map(|way| places_of(canvas, all, drawn, (active, &through), room, way))
        .unwrap_or_else(|| vec![None; all.len()])
}

/// Which numbers must have a place.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Has {
    All,
    AtWork,
    Some,
}

/// The same with digits so many times wider than usual, and with so much weight on edges that run through numbers, of
/// which `through` counts them for each place of each edge; absent where one that must have a place has none.
fn places_of(
    canvas: &Canvas<'_>,
    all: &[Edge<'_>],
    drawn: &[Numbers],
    (active, through): (&[bool], &[f64]),
    room: f64,
    (wide, crossed, has): (f64, f64, Has),
) -> Option<Vec<Option<Spread>>> {
    let widths: Vec<f64> = drawn.iter().map(|own| wide * own.width(canvas)).collect();
    let widest = widths.iter().copied().fold(0.0, f64::max).max(1.0);
    let heights = || HEIGHTS.into_iter().filter(|height| height * widest + 2.0 * FREE < room);
    let find = |at: usize, height: f64, wish: f64, others: &[(usize, Spread)]| {
        let shares = (1..PLACES).map(|place| place as f64 / PLACES as f64).chain([wish]);
        let farther = |share: f64| crossed * through[at * PLACES + (share * PLACES as f64) as usize];
        let mut shares: Vec<(f64, f64)> =
            shares.map(|share| ((share - wish).abs() + farther(share), share)).collect();
        sort_by(&mut shares, |left, right| left.0.total_cmp(&right.0));
        shares.into_iter().map(|(_, share)| Spread { at: all[at].at(share), height }).find(|spread| {
            let own = spread.area(widths[at]);
            own.is_inside(canvas.size)
                && canvas.taken.iter().all(|area| !area.overlaps(&own))
                && others.iter().all(|(other, spread)| !spread.area(widths[*other]).overlaps(&own))
        })
    };
    let add = |mut placed: Vec<(usize, Spread)>, some: &[usize], height: f64, wish: f64| {
        for &at in some {
            if placed.iter().all(|(other, _)| *other != at) {
                placed.extend(find(at, height, wish, &placed).map(|spread| (at, spread)));
            }
        }
        placed
    };
    let every: Vec<usize> = (0..all.len()).collect();
    let at_rest = |height: f64| add(Vec::new(), &every, height, WEIGHT_AT);
    let largest = heights().next()?;
    let is_all = |placed: &Vec<(usize, Spread)>| placed.len() == all.len();
    let at_rest = (heights().filter(|height| *height >= LEAST_AT_REST).map(at_rest).find(is_all))
        .or_else(|| (has != Has::All).then(|| at_rest(largest)))?;
    let own: Vec<usize> = every.iter().copied().filter(|&at| active[at]).collect();
    let is_one =
        |of: fn(&Edge<'_>) -> usize| own.windows(2).all(|pair| of(&all[pair[0]]) == of(&all[pair[1]]));
    let wish = match (is_one(|edge| edge.to.unit), is_one(|edge| edge.from.unit)) {
        (true, false) => INTO_ONE,
        (false, true) => FROM_ONE,
        _ => WEIGHT_AT,
    };
    // Those at work keep their places if the others among them find one too; else all of them are placed anew.
    let kept: Vec<(usize, Spread)> = at_rest.iter().copied().filter(|(at, _)| active[*at]).collect();
    let kept = add(kept, &own, largest, wish);
    let anew = || heights().map(|height| add(Vec::new(), &own, height, wish));
    let mut placed = match kept.len() == own.len() {
        true => kept,
        false => anew().find(|placed| placed.len() == own.len()).unwrap_or(kept),
    };
    if has != Has::Some && placed.len() < own.len() {
        return None;
    }
    for (at, spread) in at_rest {
        let area = spread.area(widths[at]);
        if !active[at] && placed.iter().all(|(other, own)| !own.area(widths[*other]).overlaps(&area)) {
            placed.push((at, spread));
        }
    }
    let mut places = vec![None; all.len()];
    placed.into_iter().for_each(|(at, spread)| places[at] = Some(spread));
    Some(places)
}

fn draw_edge(
    canvas: &mut Canvas<'_>,
    trace: &Trace,
    (edge, own): (&Edge<'_>, &Numbers),
    (largest, thin): (f64, f64),
    is_active: bool,
    spread: Option<Spread>,
) {
    let parameter = edge.dense.weight;
    let element = edge.element();
    let weight = own.weight();
    let label = canvas.steps.label(Place { node: trace.lowered().parameters[parameter], element });
    let from = match edge.position {
        0 => canvas.steps.label(edge.reads),
        position => unit_name(canvas, trace, position - 1, edge.from.unit),
    };
    let to = unit_name(canvas, trace, edge.position, edge.to.unit);
    let (weight_text, gradient_text) = (canvas.number(weight), canvas.number(own.gradient));
    let key = if own.derived.is_known() { "scene.edge_with_gradient" } else { "scene.edge" };
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
    let shape = canvas.shape(edge.id("edge"), Role::Edge, name, Figure::Line { from: start, to: end });
    shape.number = Some(weight);
    shape.strength = Some(if largest > 0.0 { (weight / largest).clamp(-1.0, 1.0) * thin } else { 0.0 });
    shape.is_active = is_active;
    shape.pass = own.derived.is_known().then_some(Pass::Backward);
    let Some(spread) = spread else { return };
    let [of_weight, of_gradient] = spread.lines();
    let text = |number: f64| canvas.compact(number, own.columns);
    let of_gradients = canvas.steps.label(Place { node: trace.gradient_node(parameter), element });
    let written = |what: Role, key, label: &str, number: f64, at: [f64; 2], pass: Option<Pass>| Written {
        id: edge.id(&what.name()),
        role: what,
        key,
        label: label.to_owned(),
        number,
        text: Some(text(number)),
        at,
        anchor: Anchor::Middle,
        height: spread.height,
        pass,
    };
    let weight_of =
        |number: f64, pass| written(Role::Weight, "scene.weight", &label, number, of_weight, pass);
    let (old, new) = (weight_of(own.old, None), own.new.map(|new| weight_of(new, Some(Pass::Update))));
    let pass = Some(Pass::Backward);
    let gradient = written(Role::Gradient, "scene.gradient", &of_gradients, own.gradient, of_gradient, pass);
    changing(canvas, own.changed, old, new);
    canvas.write(own.derived, gradient);
}

/// Whether the step multiplies by this weight, finds its gradient or changes it.
fn works_on(canvas: &Canvas<'_>, trace: &Trace, edge: &Edge<'_>, own: &Numbers) -> bool {
    let row = canvas.example();
    let Some(step) = canvas.step else { return false };
    match (step.pass, step.makes) {
        (Pass::Forward, _) => canvas.when(place(trace, edge.dense.sum, row, edge.to.unit)) == When::Now,
        (Pass::Backward, Makes::Deltas) => brings(canvas, trace, edge).is_some(),
        (Pass::Backward, _) => own.derived == When::Now,
        (Pass::Update, _) => own.changed == Some(When::Now),
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
fn travel(
    canvas: &mut Canvas<'_>,
    trace: &Trace,
    (all, drawn): (&[Edge<'_>], &[Numbers]),
    places: &[Option<Spread>],
    after: &Column,
    room: f64,
) {
    let Some(step) = canvas.step else { return };
    let row = canvas.example();
    let is_small = after.spots.iter().any(|spot| spot.r < 11.0) || room < 30.0;
    let active: Vec<usize> = (0..all.len())
        .filter(|&at| step.pass != Pass::Update && works_on(canvas, trace, &all[at], &drawn[at]))
        .collect();
    if active.len() > MOST_TRAVELING || is_small {
        return;
    }
    for at in active {
        let edge = &all[at];
        let parameter = edge.dense.weight;
        let element = edge.element();
        let weight = trace.parameter(parameter)[element];
        let x = trace.value(edge.reads.node)[edge.reads.element];
        let delta = trace.at(edge.dense.delta, row, edge.to.unit);
        let [start, end] = edge.ends();
        let half = places[at].map_or_else(|| edge.at(WEIGHT_AT), |spread| spread.meets());
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
    // A pooling reads of each image that it makes one.
    let is_one_to_one = matches!(after.kind, Kind::Pictures(at) if trace.images()[at].filters.is_none())
        && matches!(before.kind, Kind::Pictures(_));
    let many = before.spots.len() * after.spots.len();
    // Many to many would be a bundle of lines; one joins them.
    let pairs: Vec<(Spot, Spot)> = if is_one_to_one {
        let own = |to: &Spot| before.spots.iter().find(|from| from.unit == to.unit).map(|from| (*from, *to));
        after.spots.iter().filter_map(own).collect()
    } else if many > MOST_FLOWS && before.spots.len() > 1 && after.spots.len() > 1 {
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
