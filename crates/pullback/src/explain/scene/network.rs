//! A network as a drawing: columns of units, pictures, boxes or spines, and the cost at the right.

use super::canvas::{Canvas, Written};
use super::columns::{Column, Kind, Spot, by_logarithm, columns};
use super::room::{fitting, shortened, shortened_apart, width};
use super::{Anchor, Figure, MOST_UNITS, READABLE, Role};
use crate::explain::figures::norm;
use crate::explain::steps::{Makes, Pass, Place, When};
use crate::explain::worked::NetworkExample;
use crate::explain::{Dense, LayerName, Notation, Symbol, Trace};
use crate::graph::NodeId;
use crate::network::Image;
use crate::report::number::significant;

/// Units of a smaller radius have no second number in them, and no bias beside their name.
const ROOMY: f64 = 26.0;
/// The smallest height of a text.
const LEAST: f64 = 7.0;
/// Half of the width of the cost.
pub(super) const COST: f64 = 46.0;
/// The widest picture, in units of the drawing.
const WIDEST: f64 = 92.0;

pub(super) fn draw(canvas: &mut Canvas<'_>, example: &NetworkExample, trace: &Trace) {
    let (columns, cost) = columns(example, trace, canvas.size);
    for column in &columns {
        match column.kind {
            Kind::Inputs => inputs(canvas, trace, column),
            Kind::Units(position) => units(canvas, example, trace, column, position),
            Kind::Image(image) => image_input(canvas, trace, column, image),
            Kind::Pictures(position) => pictures(canvas, trace, column, position),
            Kind::Layer => whole_layer(canvas, trace, column),
            Kind::Spine => {}
        }
        left_out(canvas, column);
    }
    spines(canvas, trace, &columns);
    super::connect::connect(canvas, trace, &columns, cost);
    self::cost(canvas, trace, cost);
    which_example(canvas);
}

/// Which example of a batch is drawn.
fn which_example(canvas: &mut Canvas<'_>) {
    let rows = canvas.steps.rows();
    if rows < 2 {
        return;
    }
    let number = canvas.example() + 1;
    let text = canvas.say("scene.example", &[("example", &number), ("count", &rows)]);
    let name = canvas.say("scene.example_drawn", &[("example", &number), ("count", &rows)]);
    let figure = Figure::Text { x: canvas.size.width - 12.0, y: 20.0, anchor: Anchor::End, size: 17.0 };
    canvas.shape("example".into(), Role::Caption, name, figure).text = text;
}

/// The element of a node that a row and a unit have; rows and units that it does not have repeat.
pub(super) fn place(trace: &Trace, node: NodeId, row: usize, unit: usize) -> Place {
    let (rows, units) = match trace.graph().shape(node).sizes() {
        [] => (1, 1),
        [units] => (1, *units),
        [rows, rest @ ..] => (*rows, rest.iter().product()),
    };
    Place { node, element: if rows == 1 { 0 } else { row } * units + if units == 1 { 0 } else { unit } }
}

/// What a unit is called beside its numbers: `h1` of `net_h1`, else the symbol of its activation.
pub(super) fn unit_name(canvas: &Canvas<'_>, trace: &Trace, position: usize, unit: usize) -> String {
    let dense = &trace.dense()[position];
    let sum = canvas.steps.label(place(trace, dense.sum, 0, unit));
    let sum = sum.split('^').next().unwrap_or_default();
    let is_last = position + 1 == trace.dense().len();
    let outputs = canvas.steps.network().map(|(example, _)| &example.names.outputs);
    if let (true, Some(name)) = (is_last, outputs.and_then(|outputs| outputs.get(unit))) {
        return name.clone();
    }
    match sum.split_once('_') {
        Some((_, name)) if !name.contains('^') && !sum.contains('^') => name.to_owned(),
        _ => Notation::Plain.text(Symbol::Activation(position + 1, unit)),
    }
}

fn inputs(canvas: &mut Canvas<'_>, trace: &Trace, column: &Column) {
    let Some(node) = column.made else { return };
    let row = canvas.example();
    let label_of = |spot: &Spot| canvas.steps.label(place(trace, node, row, spot.unit));
    let labels: Vec<String> = column.spots.iter().map(label_of).collect();
    let (above, of_name) = names_above(canvas, &labels, column);
    for (spot, (label, above)) in column.spots.iter().zip(labels.into_iter().zip(above)) {
        let x = trace.at(node, row, spot.unit);
        let (text, size) = number_in(canvas, spot, x, 1.0, 0.36);
        let values: [(&str, &dyn std::fmt::Display); 2] = [("name", &label), ("value", &canvas.number(x))];
        let name = canvas.say("scene.input", &values);
        let circle = Figure::Circle { x: spot.x, y: spot.y, r: spot.r };
        canvas.shape(format!("input.{}", spot.unit), Role::Input, name, circle);
        name_above(canvas, format!("input.{}.name", spot.unit), &label, (&above, of_name), spot);
        canvas.write(
            When::Given,
            Written {
                id: format!("activation.0.{}", spot.unit),
                role: Role::Activation,
                key: "scene.input",
                label,
                number: x,
                text: Some(text),
                at: [spot.x, spot.y + size * 0.36],
                anchor: Anchor::Middle,
                height: size,
                pass: None,
            },
        );
    }
}

/// The height of the number in a unit.
fn height(spot: &Spot) -> f64 {
    (spot.r * 0.52).clamp(7.0, 20.0)
}

/// The height of a number in a unit, as a share of what one has there, so that it stays in the circle; its baseline is
/// so many heights below the middle.
fn height_in(spot: &Spot, number: &str, share: f64, below: f64) -> f64 {
    let size = (height(spot) * share).max(READABLE.min(height(spot)));
    // From the middle to the farthest corner of the text.
    let away = (below * size).abs().max((0.72 - below).abs() * size).min(spot.r);
    let chord = 2.0 * (spot.r * spot.r - away * away).sqrt();
    fitting(number, size, LEAST, chord * 0.94)
}

/// A number in a unit, with fewer digits where there is no room to read all of it, and its height.
fn number_in(canvas: &Canvas<'_>, spot: &Spot, x: f64, share: f64, below: f64) -> (String, f64) {
    let whole = canvas.number(x);
    let of = |text: String| {
        let height = height_in(spot, &text, share, below);
        (text, height)
    };
    let (whole, height) = of(whole);
    if height >= READABLE.min(self::height(spot)) {
        return (whole, height);
    }
    let shorter = [3, 2, 1].map(|digits| significant(x, digits)).into_iter();
    let fits = |own: &(String, f64)| own.1 >= READABLE && own.0.len() < whole.len();
    shorter.map(of).find(fits).unwrap_or((whole, height))
}

/// The height of a unit's name.
fn height_of_name(spot: &Spot) -> f64 {
    (spot.r * 0.5).clamp(8.0, 18.0)
}

/// What stands above the units of a column: their names, and the height of their letters. Where there is little room,
/// letters are smaller; where that is not enough, names are shortened, and still differ.
fn names_above(canvas: &Canvas<'_>, labels: &[String], column: &Column) -> (Vec<String>, f64) {
    let room = |spot: &Spot| {
        let to_edge = 2.0 * (spot.x.min(canvas.size.width - spot.x) - 2.0);
        // Of a crowded column no bias stands beside them.
        let share = if column.is_crowded { 0.6 } else { 0.45 };
        (column.room * share).max(2.0 * spot.r).min(to_edge)
    };
    let room = column.spots.iter().map(room).fold(f64::INFINITY, f64::min);
    let most = column.spots.iter().map(height_of_name).fold(0.0, f64::max);
    let size = labels.iter().map(|label| fitting(label, most, READABLE, room)).fold(most, f64::min);
    (shortened_apart(&labels.iter().map(String::as_str).collect::<Vec<_>>(), size, room), size)
}

/// Writes a name above a unit.
fn name_above(canvas: &mut Canvas<'_>, id: String, label: &str, (text, size): (&str, f64), spot: &Spot) {
    let name = canvas.say("scene.caption", &[("name", &label)]);
    canvas.caption(id, text.to_owned(), name, [spot.x, spot.y - spot.r - 7.0], size);
}

fn units(canvas: &mut Canvas<'_>, example: &NetworkExample, trace: &Trace, column: &Column, position: usize) {
    let dense = &trace.dense()[position];
    let row = canvas.example();
    let layer = position + 1;
    let activation = dense.links.iter().rfind(|link| !link.is_cost).map(|link| link.node);
    let called: Vec<String> =
        column.spots.iter().map(|spot| unit_name(canvas, trace, position, spot.unit)).collect();
    let (above, of_name) = names_above(canvas, &called, column);
    for (spot, (called, above)) in column.spots.iter().zip(called.into_iter().zip(above)) {
        let unit = spot.unit;
        let at = |node: NodeId| place(trace, node, row, unit);
        let is_active = [Some(dense.sum), activation, Some(dense.delta)]
            .into_iter()
            .flatten()
            .any(|node| canvas.when(at(node)) == When::Now);
        let name = canvas.say("scene.unit", &[("name", &called), ("layer", &layer)]);
        let id = |what: &str| format!("{what}.{layer}.{unit}");
        let circle = Figure::Circle { x: spot.x, y: spot.y, r: spot.r };
        canvas.shape(id("unit"), Role::Unit, name, circle).is_active = is_active;
        name_above(canvas, id("unit.name"), &called, (&above, of_name), spot);
        let size = height(spot);
        let written = |role, key, node: NodeId, y: f64, height: f64, pass| Written {
            id: String::new(),
            role,
            key,
            label: canvas.steps.label(at(node)),
            number: trace.at(node, row, unit),
            text: None,
            at: [spot.x, y],
            anchor: Anchor::Middle,
            height,
            pass: Some(pass),
        };
        let is_roomy = spot.r >= ROOMY;
        let mut all = Vec::new();
        if let Some(activation) = activation {
            let below = if is_roomy { 0.75 } else { 0.36 };
            let (text, height) = number_in(canvas, spot, trace.at(activation, row, unit), 1.0, below);
            let y = spot.y + size * below;
            let own = written(Role::Activation, "scene.activation", activation, y, height, Pass::Forward);
            all.push((activation, Written { id: id("activation"), text: Some(text), ..own }));
        }
        if is_roomy || activation.is_none() {
            let (share, below) = if activation.is_some() { (0.74, -0.54) } else { (1.0, 0.36) };
            let (text, height) = number_in(canvas, spot, trace.at(dense.sum, row, unit), share, below);
            let y = spot.y + size * share * below;
            let own = written(Role::Sum, "scene.sum", dense.sum, y, height, Pass::Forward);
            all.push((dense.sum, Written { id: id("sum"), text: Some(text), ..own }));
        }
        // Of more units there is the next one's name below.
        if spot.r >= 20.0 {
            let (most, room, x, anchor) = match column.is_crowded {
                true => {
                    let least = if is_roomy { READABLE } else { 0.0 };
                    ((size * 0.8).max(least), spot.r * 2.0, spot.x, Anchor::Middle)
                }
                // To the left, where the edges that come in meet at the unit: those that go out have numbers.
                false => (size * 0.95, spot.r * 2.8, spot.x + spot.r * 0.7, Anchor::End),
            };
            // With fewer digits where all of them would be too small; of a crowded column, it is a little wider.
            let delta = trace.at(dense.delta, row, unit);
            let texts = [canvas.number(delta), canvas.compact(delta, 8), canvas.compact(delta, 7)];
            let texts = texts.map(|number| format!("δ {number}"));
            let least = most.min(READABLE);
            let is_readable = |text: &&String| width(text, least) <= room;
            let text = texts.iter().find(is_readable).unwrap_or(&texts[2]).clone();
            let height = fitting(&text, most, least, room).max(9.0);
            let y = spot.y + spot.r + height * 1.02;
            let own = written(Role::Delta, "scene.delta", dense.delta, y, height, Pass::Backward);
            all.push((dense.delta, Written { id: id("delta"), text: Some(text), at: [x, y], anchor, ..own }));
        }
        for (node, written) in all {
            canvas.write(canvas.when(at(node)), written);
        }
        if is_roomy && !column.is_crowded {
            bias(canvas, example, trace, (dense, column), (spot, layer), width(&above, of_name));
        }
    }
    if position + 1 == trace.dense().len() {
        targets(canvas, trace, dense, column, activation);
    }
}

/// The bias beside the name of its unit, before and after its change, if there is room.
fn bias(
    canvas: &mut Canvas<'_>,
    example: &NetworkExample,
    trace: &Trace,
    (dense, column): (&Dense, &Column),
    (spot, layer): (&Spot, usize),
    above: f64,
) {
    const HEIGHT: f64 = 16.0;
    let Some(parameter) = dense.bias else { return };
    let node = trace.lowered().parameters[parameter];
    let own = Place { node, element: spot.unit };
    let when = canvas.moment.of_change(parameter, own).filter(|_| !example.fixed.contains(&parameter));
    let new = canvas.steps.new_parameters().get(parameter).map(|numbers| numbers[spot.unit]);
    // On the side where fewer edges leave: of a unit in the lower half, below and beside its delta.
    let of_name = above / 2.0 + 6.0;
    let (x, y) = match spot.y > canvas.size.height / 2.0 + 1.0 {
        true => (spot.x + spot.r * 0.7 + 10.0, spot.y + spot.r + HEIGHT),
        false => (spot.x + (spot.r * 0.62).max(of_name), spot.y - spot.r - 7.0),
    };
    let written = |number: f64, pass: Option<Pass>| Written {
        id: format!("bias.{layer}.{}", spot.unit),
        role: Role::Bias,
        key: "scene.bias",
        label: canvas.steps.label(own),
        number,
        text: Some(format!("b {}", canvas.number(number))),
        at: [x, y],
        anchor: Anchor::Start,
        height: HEIGHT,
        pass,
    };
    let old = written(trace.parameter(parameter)[spot.unit], None);
    let new = new.map(|new| written(new, Some(Pass::Update)));
    let right = |written: &Written| written.area(canvas).right;
    let until = new.as_ref().map_or(0.0, right).max(right(&old));
    // Half of the way to the next column, whose names have the other half.
    if until <= spot.x + column.gap * 0.58 {
        changing(canvas, when, old, new);
    }
}

/// A number that the last pass changes: the old one gives place to the new one.
pub(super) fn changing(canvas: &mut Canvas<'_>, when: Option<When>, old: Written, new: Option<Written>) {
    let (of_old, of_new) = (old.area(canvas), new.as_ref().map(|new| new.area(canvas)));
    canvas.taken.extend([Some(of_old), of_new].into_iter().flatten());
    match (when, new) {
        (Some(When::Before), Some(new)) => canvas.write(When::Before, new),
        (Some(When::Now), Some(new)) => {
            canvas.write(When::Given, old);
            if let Some(last) = canvas.shapes.last_mut() {
                last.during = [0.0, super::canvas::MADE];
                last.id += ".old";
            }
            canvas.write(When::Now, new);
        }
        _ => canvas.write(When::Given, old),
    }
}

/// What the outputs should be, and what is predicted where that is not the activation itself.
fn targets(
    canvas: &mut Canvas<'_>,
    trace: &Trace,
    dense: &Dense,
    column: &Column,
    activation: Option<NodeId>,
) {
    let lowered = trace.lowered();
    let row = canvas.example();
    let Some(targets) = lowered.graph.find("targets") else { return };
    if trace.graph().shape(targets).elements() != trace.rows() * dense.units {
        return;
    }
    let made = activation.unwrap_or(dense.sum);
    let predicts = Some(lowered.prediction).filter(|prediction| {
        *prediction != made
            && trace.value(*prediction) != trace.value(made)
            && trace.graph().shape(*prediction).elements() == trace.graph().shape(dense.sum).elements()
    });
    for spot in column.spots.iter().filter(|spot| spot.r >= 12.0) {
        // The cost is the next column.
        let room = column.gap - spot.r - COST - 14.0;
        // Told by its word, since it stands beside the unit; where there is no room for that, by its number.
        let text_of = |key: &str, node: NodeId| {
            let number = canvas.number(trace.at(node, row, spot.unit));
            let told = canvas.catalog.say(key, &[("value", &number)]);
            [told, number].into_iter().find(|text| width(text, READABLE) <= room)
        };
        let Some(target) = text_of("scene.target_short", targets) else { continue };
        let prediction = predicts.and_then(|node| Some((node, text_of("scene.prediction_short", node)?)));
        let most = (height(spot) * 0.86).max(READABLE);
        let longest = prediction.iter().map(|(_, text)| text).chain([&target]);
        let size = longest.map(|text| fitting(text, most, READABLE, room)).fold(most, f64::min);
        let written = |node: NodeId, role: Role, key: &'static str, text: String, below: f64, pass| Written {
            id: format!("{}.{}", role.name(), spot.unit),
            role,
            key,
            label: canvas.steps.output_name(spot.unit),
            number: trace.at(node, row, spot.unit),
            text: Some(text),
            at: [spot.x + spot.r + 8.0, spot.y + below],
            anchor: Anchor::Start,
            height: size,
            pass,
        };
        // On the side where no line leads to the cost.
        let is_above = spot.y < canvas.size.height / 2.0 - 1.0;
        let (near, far) = if is_above { (-size * 0.55, -size * 1.75) } else { (size * 1.3, size * 2.5) };
        let target = written(targets, Role::Target, "scene.target", target, near, None);
        let prediction = prediction.map(|(node, text)| {
            let pass = Some(Pass::Forward);
            (node, written(node, Role::Prediction, "scene.prediction", text, far, pass))
        });
        canvas.write(When::Given, target);
        if let Some((node, written)) = prediction {
            canvas.write(canvas.when(place(trace, node, row, spot.unit)), written);
        }
    }
}

fn image_input(canvas: &mut Canvas<'_>, trace: &Trace, column: &Column, image: Image) {
    let (Some(node), [spot]) = (column.made, &column.spots[..]) else { return };
    let row = canvas.example();
    let own = image.height * image.width * image.channels;
    let numbers = &trace.value(node)[row * own..(row + 1) * own];
    // Of a colored image, the mean of its channels.
    let gray: Vec<f64> = (numbers.chunks(image.channels))
        .map(|pixel| pixel.iter().sum::<f64>() / image.channels as f64)
        .collect();
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("height", &image.height), ("width", &image.width), ("channels", &image.channels)];
    let name = canvas.say("scene.picture_input", &values);
    let size = spot.r * 2.0;
    picture(canvas, ("picture.0.0".into(), Role::Picture, name), &gray, image.width, [spot.x, spot.y], size);
}

/// A picture around a point; the largest of its numbers is full.
fn picture(
    canvas: &mut Canvas<'_>,
    (id, role, name): (String, Role, String),
    numbers: &[f64],
    columns: usize,
    [x, y]: [f64; 2],
    width: f64,
) {
    let largest = numbers.iter().filter(|x| x.is_finite()).fold(0.0_f64, |most, x| most.max(x.abs()));
    let level = |x: &f64| if largest > 0.0 && x.is_finite() { (x / largest) as f32 } else { 0.0 };
    let rows = numbers.len().div_ceil(columns.max(1));
    let height = width * rows as f64 / columns.max(1) as f64;
    let levels = numbers.iter().map(level).collect();
    let figure = Figure::Pixels { x: x - width / 2.0, y: y - height / 2.0, width, height, columns, levels };
    canvas.shape(id, role, name, figure);
}

/// The images that a convolution or a pooling makes, each with its filter.
fn pictures(canvas: &mut Canvas<'_>, trace: &Trace, column: &Column, position: usize) {
    let images = &trace.images()[position];
    let row = canvas.example();
    let (makes, reads) = (images.makes, images.reads);
    let shown = column.made.unwrap_or(images.result);
    let at = Place { node: shown, element: row * makes.height * makes.width * makes.channels };
    let when = canvas.when(at);
    let layer = column.group;
    for spot in &column.spots {
        let channel = spot.unit;
        let width = (spot.r * 2.0).min(WIDEST);
        if let Some(filters) = &images.filters {
            let weights = trace.parameter(filters.weight);
            let own = weights.len() / makes.channels;
            let of_window = &weights[channel * own..(channel + 1) * own];
            // The mean over the channels that it reads.
            let mean: Vec<f64> = (of_window.chunks(reads.channels))
                .map(|place| place.iter().sum::<f64>() / reads.channels as f64)
                .collect();
            let side = filters.windows.size();
            let name = canvas.say("scene.filter", &[("filter", &(channel + 1)), ("size", &side)]);
            let (size, x) = (width * 0.36, spot.x - width * 0.62);
            let id = format!("filter.{layer}.{channel}");
            picture(canvas, (id, Role::Filter, name), &mean, side, [x, spot.y], size);
        }
        let numbers: Vec<f64> = (0..makes.height * makes.width)
            .map(|pixel| trace.value(shown)[at.element + pixel * makes.channels + channel])
            .collect();
        let name = canvas.say("scene.picture", &[("channel", &(channel + 1)), ("layer", &layer)]);
        let id = format!("picture.{layer}.{channel}");
        if when.is_known() {
            picture(
                canvas,
                (id, Role::Picture, name),
                &numbers,
                makes.width,
                [spot.x + width * 0.1, spot.y],
                width,
            );
            if let (When::Now, Some(shape)) = (when, canvas.shapes.last_mut()) {
                shape.is_active = true;
                shape.during[0] = super::canvas::MADE;
            }
        } else {
            let (x, y) = (spot.x - width * 0.4, spot.y - width / 2.0);
            canvas.shape(id, Role::Layer, name, Figure::Box { x, y, width, height: width });
        }
    }
    let (bottom, x) = (column.spots.last().map_or(0.0, |spot| spot.y + spot.r), column.spots[0].x);
    delta_norm(canvas, trace, column, [x, (bottom + 24.0).min(canvas.size.height - 14.0)]);
}

/// The norm of a layer's deltas, where its units have no room for their own.
fn delta_norm(canvas: &mut Canvas<'_>, trace: &Trace, column: &Column, at: [f64; 2]) {
    let Some(delta) = column.delta else { return };
    let when = canvas.when(Place { node: delta, element: 0 });
    let written = Written {
        id: format!("delta.{}", column.group),
        role: Role::Delta,
        key: "scene.delta_norm",
        label: layer_name(canvas, trace, column),
        number: norm(trace.value(delta)),
        text: Some(format!("|δ| {}", canvas.number(norm(trace.value(delta))))),
        at,
        anchor: Anchor::Middle,
        height: 15.0,
        pass: Some(Pass::Backward),
    };
    canvas.write(when, written);
}

/// What a layer is called: by its number where it has weights, else by what it does.
pub(super) fn layer_name(canvas: &Canvas<'_>, trace: &Trace, column: &Column) -> String {
    match &column.name {
        Some(LayerName::Dense(number)) => canvas.say("layer_name", &[("layer", number)]),
        Some(LayerName::Convolution(number)) => canvas.say("convolution_name", &[("layer", number)]),
        _ if column.group == 0 => canvas.catalog.get("input").to_owned(),
        _ => (trace.network().layers.get(column.layer))
            .map_or(String::new(), |layer| canvas.catalog.described(&layer.describe())),
    }
}

fn whole_layer(canvas: &mut Canvas<'_>, trace: &Trace, column: &Column) {
    let [spot] = column.spots[..] else { return };
    let called = layer_name(canvas, trace, column);
    let name = canvas.say("scene.layer", &[("name", &called)]);
    let is_active = canvas.step.is_some_and(|step| step.layer == Some(column.group));
    let (width, height) = (spot.r * 2.0, 96.0);
    let figure = Figure::Box { x: spot.x - spot.r, y: spot.y - height / 2.0, width, height };
    canvas.shape(format!("layer.{}", column.group), Role::Layer, name, figure).is_active = is_active;
    let name = canvas.say("scene.caption", &[("name", &called)]);
    let id = format!("layer.{}.name", column.group);
    let size = fitting(&called, 15.0, READABLE, width - 8.0);
    let called = shortened(&called, size, width - 4.0);
    canvas.caption(id, called, name, [spot.x, spot.y + 5.0], size);
    delta_norm(canvas, trace, column, [spot.x, spot.y + 72.0]);
}

/// The layers between the first and the last of a deep network.
fn spines(canvas: &mut Canvas<'_>, trace: &Trace, columns: &[Column]) {
    let sizes: Vec<f64> =
        columns.iter().map(|column| column.delta.map_or(0.0, |delta| norm(trace.value(delta)))).collect();
    let strengths = by_logarithm(&sizes);
    let spines = columns.iter().zip(strengths).zip(sizes).filter(|((own, _), _)| own.kind == Kind::Spine);
    let (top, bottom) = (canvas.size.height * 0.12, canvas.size.height * 0.84);
    let mut shown = None;
    for ((column, strength), size) in spines {
        let [spot] = column.spots[..] else { continue };
        let when = column.delta.map(|delta| canvas.when(Place { node: delta, element: 0 }));
        let is_known = when.is_some_and(When::is_known);
        let called = layer_name(canvas, trace, column);
        let name = match is_known {
            true => canvas.say("scene.delta_norm", &[("name", &called), ("value", &canvas.number(size))]),
            false => canvas.say("scene.layer", &[("name", &called)]),
        };
        let is_active = canvas.step.is_some_and(|step| step.layer == Some(column.group));
        let id = format!("spine.{}", column.group);
        let (width, height) = (spot.r * 2.0, bottom - top);
        let figure = Figure::Box { x: spot.x - spot.r, y: top, width, height };
        let shape = canvas.shape(id, Role::Spine, name.clone(), figure);
        shape.is_active = is_active;
        if is_known {
            shape.strength = Some(strength.unwrap_or(0.0));
            shape.pass = Some(Pass::Backward);
        }
        if is_active {
            shown = Some((spot.x, called, name, size, is_known));
        }
    }
    // What the layer at work is called, and how large its delta is.
    if let Some((x, called, name, size, is_known)) = shown {
        // Below and above the spines, where no other column's texts stand.
        let all = || columns.iter().filter(|own| own.kind == Kind::Spine).flat_map(|own| &own.spots);
        let (from, until) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(from, until), spot| {
            (from.min(spot.x), until.max(spot.x))
        });
        let text_at = |text: &str, y: f64| {
            let size = fitting(text, 18.0, READABLE, until - from);
            let half = (width(text, size) / 2.0).min((until - from) / 2.0);
            let x = x.clamp(from + half, until - half);
            Figure::Text { x, y, anchor: Anchor::Middle, size }
        };
        let figure = text_at(&called, top - 12.0);
        canvas.shape("spine.name".into(), Role::Caption, name.clone(), figure).text = called;
        let is_back =
            canvas.step.is_some_and(|step| step.pass == Pass::Backward && step.makes == Makes::Deltas);
        if is_known && is_back {
            let text = format!("|δ| {}", canvas.number(size));
            let figure = text_at(&text, bottom + 24.0);
            let shape = canvas.shape("spine.delta".into(), Role::Delta, name, figure);
            shape.text = text;
            shape.number = Some(size);
            shape.pass = Some(Pass::Backward);
        }
    }
}

/// How many units of a column are not drawn.
fn left_out(canvas: &mut Canvas<'_>, column: &Column) {
    let more = column.count.saturating_sub(column.spots.len());
    if column.count <= MOST_UNITS || more == 0 || matches!(column.kind, Kind::Layer | Kind::Spine) {
        return;
    }
    let Some(last) = column.spots.last() else { return };
    let name = canvas.say("scene.more", &[("count", &more)]);
    let y = (last.y + last.r + 34.0).min(canvas.size.height - 6.0);
    let figure = Figure::Text { x: last.x, y, anchor: Anchor::Middle, size: 14.0 };
    let id = format!("more.{}", column.group);
    let text = canvas.say("scene.more_short", &[("count", &more)]);
    canvas.shape(id, Role::More, name, figure).text = text;
}

fn cost(canvas: &mut Canvas<'_>, trace: &Trace, spot: Spot) {
    let node = trace.lowered().cost;
    let own = Place { node, element: 0 };
    let when = canvas.when(own);
    let label = canvas.steps.label(own);
    let value = canvas.number(trace.cost());
    let name = match when.is_known() {
        true => canvas.say("scene.cost", &[("name", &label), ("value", &value)]),
        false => canvas.say("scene.cost_unknown", &[("name", &label)]),
    };
    let is_active = canvas.step.is_some_and(|step| step.pass == Pass::Cost);
    let figure = Figure::Box { x: spot.x - spot.r, y: spot.y - 36.0, width: spot.r * 2.0, height: 72.0 };
    canvas.shape("cost".into(), Role::Cost, name, figure).is_active = is_active;
    let name = canvas.say("scene.caption", &[("name", &label)]);
    canvas.caption("cost.name".into(), label.clone(), name, [spot.x, spot.y - 10.0], 19.0);
    canvas.write(
        when,
        Written {
            id: "cost.value".into(),
            role: Role::Value,
            key: "scene.cost",
            label,
            number: trace.cost(),
            text: None,
            at: [spot.x, spot.y + 20.0],
            anchor: Anchor::Middle,
            // Wide bold digits stay within its box.
            height: fitting(&value, 19.0, READABLE, spot.r * 1.74),
            pass: Some(Pass::Cost),
        },
    );
    let Some(after) = canvas.cost_after else { return };
    let text = format!("→ {}", canvas.number(after));
    let room = 2.0 * (canvas.size.width - spot.x) - 2.0;
    canvas.write(
        When::Before,
        Written {
            id: "cost.after".into(),
            role: Role::Value,
            key: "scene.cost_after",
            label: canvas.steps.label(own),
            number: after,
            height: fitting(&text, 19.0, READABLE, room),
            text: Some(text),
            at: [spot.x, spot.y + 60.0],
            anchor: Anchor::Middle,
            pass: Some(Pass::Update),
        },
    );
}
