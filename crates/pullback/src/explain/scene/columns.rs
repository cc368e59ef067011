//! The columns of a network's drawing: its inputs and its layers, each as units, pictures, a box or a spine.

use super::network::COST;
use super::{MOST_UNITS, Size};
use crate::compact::{sort_by, sort_by_key};
use crate::explain::page::MOST_LAYERS_IN_FULL;
use crate::explain::steps::groups;
use crate::explain::worked::NetworkExample;
use crate::explain::{LayerName, Trace};
use crate::graph::NodeId;
use crate::network::{Form, Image};
use pullback_kernels::Real;

/// From the edge of the drawing to the middle of the first and the last column, at most and at least.
const MARGIN: f64 = 72.0;
const LEAST_MARGIN: [f64; 2] = [42.0, COST + 8.0];
/// The same as a share of its width.
const MARGIN_SHARE: f64 = 0.09;
/// The largest distance from a unit to the next below it.
const SPACING: f64 = 250.0;
/// The largest radius of a unit.
const RADIUS: f64 = 40.0;
/// Of a drawing with spines, the share of its width that is left for what is drawn in full, at each side.
const SIDES: f64 = 0.23;
/// The least of it from the middle of the first column on.
const LEAST_SIDE: f64 = 112.0;
/// Of such a drawing, the room between the units of a layer and the spines beside it.
const BESIDE: f64 = 48.0;

/// From a column to the next one, and from a unit to the next below it, so that a number in a unit can be read.
const READABLE_GAP: f64 = 128.0;
const READABLE_SPACING: f64 = 92.0;
/// The room of all spines.
const READABLE_SPINES: f64 = 160.0;

/// How a column is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Input numbers.
    Inputs,
    /// The units of a dense layer, by its place among them.
    Units(usize),
    /// The image that is the input.
    Image(Image),
    /// The images that a layer makes, by its place among those.
    Pictures(usize),
    /// A box.
    Layer,
    /// A line.
    Spine,
}

/// A place in a column: of a unit, an image, or of the column as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    /// The unit or channel.
    pub(super) unit: usize,
    pub(super) x: f64,
    pub(super) y: f64,
    /// Half of its width.
    pub(super) r: f64,
}

/// A column of the drawing.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// The layer as steps count them; 0 is the inputs.
    pub(super) group: usize,
    pub(super) kind: Kind,
    /// What the layer is called where it has weights.
    pub(super) name: Option<LayerName>,
    /// The first of the network's layers in it.
    pub(super) layer: usize,
    /// What it makes, and the derivative of the cost with respect to that; of one with weights, with respect to its
    /// weighted sums.
    pub(super) made: Option<NodeId>,
    pub(super) delta: Option<NodeId>,
    pub(super) spots: Vec<Spot>,
    /// How many units, images or numbers there are.
    pub(super) count: usize,
    /// How far the next column is.
    pub(super) gap: f64,
    /// How far the nearest column is.
    pub(super) room: f64,
    /// Whether numbers beside its units would stand where those of edges must.
    pub(super) is_crowded: bool,
}

/// A column of more units has no room for numbers beside its units.
const MOST_BESIDE: usize = 4;
/// Of more units than two, the room that numbers need between columns if some stand beside the units too.
const ROOM_BESIDE: f64 = 110.0;

impl Column {
    /// Whether it is drawn unit by unit.
    pub(super) fn has_units(&self) -> bool {
        matches!(self.kind, Kind::Inputs | Kind::Units(_))
    }
}

/// The columns from the inputs on, and the place of the cost.
pub(super) fn columns(example: &NetworkExample, trace: &Trace, size: Size) -> (Vec<Column>, Spot) {
    let mut columns = vec![inputs(example, trace)];
    let groups = groups(trace.network());
    let last = groups.last().copied().unwrap_or(0);
    columns.extend((1..=last).map(|group| layer(trace, &groups, group)));
    let is_deep = last > MOST_LAYERS_IN_FULL;
    if is_deep {
        columns[2..last].iter_mut().for_each(|column| column.kind = Kind::Spine);
    }
    let xs = places(columns.len() + 1, is_deep, size.width);
    for (at, column) in columns.iter_mut().enumerate() {
        column.gap = xs[at + 1] - xs[at];
        let before = if at > 0 { xs[at] - xs[at - 1] } else { column.gap };
        // Spines keep their distance by themselves.
        let gap = match is_deep && column.kind != Kind::Spine {
            true => READABLE_GAP,
            false => before.min(column.gap),
        };
        column.room = gap;
        let numbers = shown_by(example, trace, column);
        place(column, xs[at], gap, size.height, &numbers);
    }
    // Units are of one size.
    let is_of_units = |column: &&mut Column| column.has_units();
    let of_units = columns.iter().filter(|column| column.has_units()).flat_map(|column| &column.spots);
    if let Some(r) = of_units.map(|spot| spot.r).reduce(f64::min) {
        columns
            .iter_mut()
            .filter(is_of_units)
            .flat_map(|column| &mut column.spots)
            .for_each(|spot| spot.r = r);
    }
    crowd(&mut columns);
    let x = xs.last().copied().unwrap_or(size.width);
    (columns, Spot { unit: 0, x, y: middle(size.height), r: COST })
}

/// Finds the columns with many units, or beside one with many, or close to the next.
fn crowd(columns: &mut [Column]) {
    let counts: Vec<usize> =
        columns.iter().map(|column| if column.has_units() { column.spots.len() } else { 0 }).collect();
    for (at, column) in columns.iter_mut().enumerate() {
        let most = counts[at.saturating_sub(1)..counts.len().min(at + 2)].iter().copied().max().unwrap_or(0);
        let between = column.room - 2.0 * column.spots.first().map_or(0.0, |spot| spot.r);
        column.is_crowded = most > MOST_BESIDE || most > 2 && between < ROOM_BESIDE;
    }
}

/// The smallest drawing whose texts can be read.
pub(super) fn least(example: &NetworkExample, trace: &Trace) -> Size {
    let (columns, _) = columns(example, trace, Size::default());
    let is_deep = columns.iter().any(|column| column.kind == Kind::Spine);
    let width = match is_deep {
        true => 2.0 * (LEAST_MARGIN[1] + LEAST_SIDE + BESIDE) + READABLE_SPINES,
        // The margins are a share of it; what is missing gets five times smaller each time.
        false => {
            let between = READABLE_GAP * columns.len() as f64;
            let with_margins = |width: f64| between + margins(width).iter().sum::<f64>();
            (0..12).fold(between, |width, _| with_margins(width))
        }
    };
    let height = |column: &Column| READABLE_SPACING * column.spots.len() as f64 / share(column);
    let heights = columns.iter().filter(|column| column.has_units()).map(height);
    Size { width, height: heights.fold(0.0, f64::max) }
}

/// The most units that a column of a drawing has, where numbers stand between columns; of a deep network, none.
pub(super) fn most_units(example: &NetworkExample, trace: &Trace) -> usize {
    let (columns, _) = columns(example, trace, Size::default());
    let is_deep = columns.iter().any(|column| column.kind == Kind::Spine);
    let of_units = columns.iter().filter(|column| column.has_units() && !is_deep);
    of_units.map(|column| column.spots.len()).max().unwrap_or(0)
}

/// From the edges of a drawing to the middle of the first and the last column.
fn margins(width: f64) -> [f64; 2] {
    LEAST_MARGIN.map(|least| (width * MARGIN_SHARE).clamp(least, MARGIN))
}

/// The middle of each column and of the cost.
fn places(count: usize, is_deep: bool, width: f64) -> Vec<f64> {
    let [before, after] = margins(width);
    let (first, end) = (before, width - after);
    if !is_deep {
        return (0..count).map(|at| first + (end - first) * at as f64 / (count - 1) as f64).collect();
    }
    let left = (width * SIDES).max(first + LEAST_SIDE);
    let right = (width * (1.0 - SIDES)).min(end - LEAST_SIDE);
    let spines = count - 4;
    // Room for the units of the first and the last layer.
    let (from, until) = (left + BESIDE, right - BESIDE);
    let between = (until - from) / spines.max(1) as f64;
    let mut places = vec![first, left];
    places.extend((0..spines).map(|at| from + between * (at as f64 + 0.5)));
    places.extend([right, end]);
    places
}

fn middle(height: f64) -> f64 {
    height * 0.5
}

fn blank(group: usize, layer: usize, kind: Kind, count: usize) -> Column {
    Column {
        group,
        kind,
        name: None,
        layer,
        made: None,
        delta: None,
        spots: Vec::new(),
        count,
        gap: 0.0,
        room: 0.0,
        is_crowded: false,
    }
}

/// The image whose pixels the inputs are, as their names say: `pixel_1_1` to `pixel_8_8`, row by row.
fn pixels(names: &[String]) -> Option<Image> {
    let place = |name: &String| {
        let (row, column) = name.strip_prefix("pixel_")?.split_once('_')?;
        Some((row.parse::<usize>().ok()?, column.parse::<usize>().ok()?))
    };
    let places: Vec<(usize, usize)> = names.iter().map(place).collect::<Option<_>>()?;
    let (first, last) = (*places.first()?, *places.last()?);
    let (height, width) = ((last.0 + 1).checked_sub(first.0)?, (last.1 + 1).checked_sub(first.1)?);
    let is_grid = places.len() == height * width
        && places.iter().enumerate().all(|(at, own)| *own == (first.0 + at / width, first.1 + at % width));
    is_grid.then_some(Image { height, width, channels: 1 })
}

fn inputs(example: &NetworkExample, trace: &Trace) -> Column {
    let lowered = trace.lowered();
    let [input] = &lowered.inputs[..] else { return blank(0, 0, Kind::Layer, trace.network().inputs) };
    let made = lowered.graph.find(&input.name);
    let (kind, count) = match input.form {
        Form::Row(units) => match pixels(&example.names.inputs) {
            Some(image) => (Kind::Image(image), 1),
            None => (Kind::Inputs, units),
        },
        Form::Image(image) => (Kind::Image(image), 1),
        form => (Kind::Layer, form.elements()),
    };
    Column { made, ..blank(0, 0, kind, count) }
}

fn layer(trace: &Trace, groups: &[usize], group: usize) -> Column {
    let own: Vec<usize> = (0..groups.len()).filter(|&at| groups[at] == group).collect();
    let first = own[0];
    let forward = &trace.lowered().graph;
    let is_own = |id: &NodeId| forward.node(*id).origin.layer.is_some_and(|layer| own.contains(&layer));
    let made = forward.ids().rfind(is_own);
    if let Some(position) = trace.dense().iter().position(|dense| dense.layer == first) {
        let dense = &trace.dense()[position];
        let name = Some(LayerName::Dense(position + 1));
        let column = blank(group, first, Kind::Units(position), dense.units);
        return Column { name, made, delta: Some(dense.delta), ..column };
    }
    if let Some(position) = trace.images().iter().position(|images| images.layer == first) {
        let images = &trace.images()[position];
        let filters =
            |at: usize| trace.images()[..at].iter().filter(|images| images.filters.is_some()).count();
        let name = images.filters.as_ref().map(|_| LayerName::Convolution(filters(position) + 1));
        let column = blank(group, first, Kind::Pictures(position), images.makes.channels);
        return Column { name, made, delta: Some(images.delta), ..column };
    }
    let delta = made.and_then(|made| trace.adjoint(made));
    Column { made, delta, ..blank(group, first, Kind::Layer, 1) }
}

/// The numbers by whose size the units to draw are chosen.
fn shown_by(example: &NetworkExample, trace: &Trace, column: &Column) -> Vec<f64> {
    match column.kind {
        Kind::Inputs => example.inputs[..column.count.min(example.inputs.len())].to_vec(),
        Kind::Units(position) => {
            let dense = &trace.dense()[position];
            (0..dense.units).map(|unit| trace.at(dense.delta, 0, unit)).collect()
        }
        _ => vec![0.0; column.count],
    }
}

/// The share of a drawing's height that units take: there is room for names above and deltas below; and for the number of
/// those that are left out.
fn share_of(left_out: bool) -> f64 {
    if left_out { 0.84 } else { 0.96 }
}

fn share(column: &Column) -> f64 {
    share_of(column.spots.len() < column.count)
}

/// Gives a column its spots: all units of a small layer, else those with the largest numbers.
fn place(column: &mut Column, x: f64, gap: f64, height: f64, numbers: &[f64]) {
    let center = middle(height);
    let is_whole = matches!(column.kind, Kind::Layer | Kind::Spine | Kind::Image(_));
    if is_whole {
        let r = match column.kind {
            Kind::Spine => (gap * 0.33).clamp(0.8, 7.0),
            Kind::Image(_) => (gap * 0.4).min(62.0),
            _ => (gap * 0.36).min(54.0),
        };
        column.spots = vec![Spot { unit: 0, x, y: center, r }];
        return;
    }
    let mut units: Vec<usize> = (0..column.count).collect();
    if units.len() > MOST_UNITS {
        sort_by(&mut units, |&left, &right| {
            numbers[right].abs().total_cmp(&numbers[left].abs()).then(left.cmp(&right))
        });
        units.truncate(MOST_UNITS - 2);
        sort_by_key(&mut units, |unit| *unit);
    }
    let count = units.len() as f64;
    let left_out = units.len() < column.count;
    let room = height * share_of(left_out);
    let spacing = (room / count).min(SPACING);
    // Numbers on edges need most of the room between columns.
    let r = RADIUS.min(spacing * 0.31).min(gap * 0.22);
    let top = center - spacing * (count - 1.0) / 2.0 - if left_out { height * 0.05 } else { 0.0 };
    column.spots = (units.into_iter().enumerate())
        .map(|(at, unit)| Spot { unit, x, y: top + spacing * at as f64, r })
        .collect();
}

/// The size of each of some numbers by their logarithms: from 0 for the smallest to 1 for the largest. What is 0 or not
/// finite has none.
pub(super) fn by_logarithm(sizes: &[f64]) -> Vec<Option<f64>> {
    let is_seen = |size: &f64| *size > 0.0 && size.is_finite();
    let seen = || sizes.iter().copied().filter(is_seen);
    let (Some(least), Some(most)) = (seen().reduce(f64::min), seen().reduce(f64::max)) else {
        return vec![None; sizes.len()];
    };
    let range = Real::ln(most) - Real::ln(least);
    let share = |size: f64| if range > 0.0 { (Real::ln(size) - Real::ln(least)) / range } else { 1.0 };
    sizes.iter().map(|size| Some(*size).filter(is_seen).map(share)).collect()
}
