//! What the numbers of a graph are called: symbols of a notation, names of a file, and for what has neither its role.
//!
//! An address is such a name: what a page prints, `--weight` takes, in every command. Parameters without a symbol of the
//! notation are called as in a model file, `layers.1.scale[3]`, filters by their convolution: `w[c1][0,2,1,0]` is the
//! weight of filter 0 at row 2, column 1, channel 0 of its window.

use super::page::latex_name;
use super::written::Written;
use super::{Notation, Symbol, Trace};
use crate::compact::Map;
use crate::graph::{Graph, Kind, NodeId, NodeRole, Op};

/// What the numbers of a node are called.
#[derive(Debug, Clone)]
pub(super) struct Label {
    names: Kinds,
    /// Whether the node has a row for each example.
    has_rows: bool,
    /// What stands before the names: `dC/d`.
    by: Option<&'static str>,
}

#[derive(Debug, Clone)]
enum Kinds {
    /// A name for each number of an example, in text and LaTeX.
    Each(Vec<[String; 2]>),
    /// So many symbols of a dense layer, by layer and number of its inputs.
    Symbols { symbol: fn([usize; 2], usize) -> Symbol, layer: [usize; 2], count: usize },
    /// A letter with indices: `z[c1][2,0,1]`.
    Indexed { text: String, latex: String, sizes: Vec<usize> },
    /// The derivative of each number by the one at the same place: `da[1][0]/dz[1][0]`.
    Ratio(Box<Kinds>, Box<Kinds>),
}

impl Label {
    fn width(&self) -> usize {
        match &self.names {
            Kinds::Each(names) => names.len().max(1),
            Kinds::Symbols { count, .. } => *count.max(&1),
            Kinds::Indexed { sizes, .. } => sizes.iter().product::<usize>().max(1),
            Kinds::Ratio(top, _) => Label { names: (**top).clone(), ..self.clone() }.width(),
        }
    }
}

/// The indices of an element of an array of some sizes.
fn index(mut at: usize, sizes: &[usize]) -> Vec<String> {
    let mut all = Vec::new();
    for size in sizes.iter().rev() {
        all.push((at % size).to_string());
        at /= size;
    }
    all.reverse();
    all
}

/// The names of a graph's numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    by_node: Map<usize, Label>,
    rows: usize,
    notation: Notation,
    /// The names that symbols have instead.
    names: Map<Symbol, String>,
}

impl Labels {
    /// The names of the numbers of a network.
    pub(super) fn of_network(trace: &Trace, names: &Map<Symbol, String>, notation: Notation) -> Self {
        let lowered = trace.lowered();
        let mut labels = Self { by_node: Map::new(), rows: trace.rows(), notation, names: names.clone() };
        for (position, dense) in trace.dense().iter().enumerate() {
            let layer = position + 1;
            let symbols = |symbol: fn([usize; 2], usize) -> Symbol, count: usize| Kinds::Symbols {
                symbol,
                layer: [layer, dense.inputs],
                count,
            };
            let is_given = matches!(lowered.graph.node(dense.input).kind, Kind::Input(_));
            if position == 0 && is_given {
                let inputs = symbols(|_, unit| Symbol::Activation(0, unit), dense.inputs);
                labels.add(dense.input, inputs, true);
            }
            labels.add(dense.sum, symbols(|[layer, _], unit| Symbol::Sum(layer, unit), dense.units), true);
            if let Some(link) = dense.links.iter().rfind(|link| !link.is_cost) {
                let names = symbols(|[layer, _], unit| Symbol::Activation(layer, unit), dense.units);
                labels.add(link.node, names, true);
            }
            let weights = symbols(
                |[layer, inputs], at| Symbol::Weight(layer, at / inputs.max(1), at % inputs.max(1)),
                dense.units * dense.inputs,
            );
            labels.add(lowered.parameters[dense.weight], weights, false);
            if let Some(bias) = dense.bias {
                let names = symbols(|[layer, _], unit| Symbol::Bias(layer, unit), dense.units);
                labels.add(lowered.parameters[bias], names, false);
            }
            // Where deltas are those of single examples, ours is m times as small.
            if !(notation.delta_is_of_example() && trace.rows() > 1) {
                let names = symbols(|[layer, _], unit| Symbol::Delta(layer, unit), dense.units);
                labels.add(dense.delta, names, true);
            }
        }
        let filters = trace.images().iter().filter(|images| images.filters.is_some());
        for (number, images) in filters.enumerate() {
            let (number, filters) = (number + 1, images.filters.as_ref().expect("chosen so"));
            let (size, makes) = (filters.windows.size(), images.makes.channels);
            let of = |letter: &str, sizes: Vec<usize>| Kinds::Indexed {
                text: format!("{letter}[c{number}]"),
                latex: format!("{letter}^{{(c{number})}}"),
                sizes,
            };
            let weights = of("w", vec![makes, size, size, images.reads.channels]);
            labels.add(lowered.parameters[filters.weight], weights, false);
            if let Some(bias) = filters.bias {
                labels.add(lowered.parameters[bias], of("b", vec![makes]), false);
            }
            let pixels = vec![images.makes.height, images.makes.width, makes];
            labels.add(images.result, of("z", pixels.clone()), true);
            labels.add(images.delta, of("delta", pixels), true);
        }
        for (place, parameter) in trace.parameters().iter().enumerate() {
            let names = Kinds::Indexed {
                text: parameter.name.clone(),
                latex: latex_name(&parameter.name),
                sizes: parameter.shape.sizes().to_vec(),
            };
            labels.add(lowered.parameters[place], names, false);
        }
        let cost = notation.cost();
        let outputs = trace.network().outputs();
        if let Some(targets) = lowered.graph.find("targets") {
            labels.each(targets, (0..outputs).map(|unit| labels.both(Symbol::Target(unit))).collect(), true);
        }
        for input in &lowered.inputs {
            if let Some(id) = lowered.graph.find(&input.name) {
                let one = if input.name == "features" { "x" } else { &input.name };
                let names = Kinds::Indexed {
                    text: one.to_owned(),
                    latex: latex_name(one),
                    sizes: match trace.network().image {
                        Some(image) if input.name == "features" => {
                            vec![image.height, image.width, image.channels]
                        }
                        _ => vec![input.form.elements()],
                    },
                };
                labels.add(id, names, true);
            }
        }
        labels.predictions(trace);
        labels.masks(trace);
        labels.each(lowered.cost, vec![[cost.to_owned(), cost.to_owned()]], false);
        if lowered.data_cost != lowered.cost {
            labels.each(lowered.data_cost, vec![["D".to_owned(), "D".to_owned()]], false);
        }
        labels.by_role(&lowered.graph);
        labels.derivatives(trace, cost);
        labels
    }

    /// What is predicted: the activations of the last layer, or what the cost makes of its sums, as often as the graph
    /// has it.
    fn predictions(&mut self, trace: &Trace) {
        let lowered = trace.lowered();
        let prediction = &lowered.graph.node(lowered.prediction).kind;
        if lowered.prediction == lowered.output || !matches!(prediction, Kind::Operation(..)) {
            return;
        }
        let is_own = matches!(self.notation, Notation::Ng | Notation::Mazur);
        let name = |unit: usize| match is_own && !trace.dense().is_empty() {
            true => self.both(Symbol::Activation(trace.dense().len(), unit)),
            false => [format!("p[{unit}]"), format!("p_{{{unit}}}")],
        };
        let names: Vec<[String; 2]> = (0..trace.network().outputs()).map(name).collect();
        let graph = trace.graph();
        for id in graph.ids().filter(|id| graph.node(*id).kind == *prediction) {
            self.each(id, names.clone(), true);
        }
    }

    /// The masks of dropout: `mask[2][0]`, by the place of their layer.
    fn masks(&mut self, trace: &Trace) {
        let graph = &trace.lowered().graph;
        for id in graph.ids() {
            let Kind::Input(name) = &graph.node(id).kind else { continue };
            let Some(place) = name.strip_suffix(".mask") else { continue };
            let place = place.strip_prefix("layers.").unwrap_or(place);
            let width = graph.shape(id).last().max(1);
            let names = Kinds::Indexed {
                text: format!("mask[{place}]"),
                latex: format!(r"\mathrm{{mask}}^{{({place})}}"),
                // Of a row for each example; of an image, a row for each pixel.
                sizes: match graph.shape(id).elements() / self.rows.max(1) / width {
                    1 => vec![width],
                    pixels => vec![pixels, width],
                },
            };
            self.add(id, names, true);
        }
    }

    /// The last node of each role of a layer, as far as it has no name yet.
    fn by_role(&mut self, forward: &Graph) {
        let mut seen: Map<(String, &'static str), NodeId> = Map::new();
        for id in forward.ids() {
            let origin = &forward.node(id).origin;
            let (Some(place), Some(letter)) = (origin.place(), letter(origin.role)) else { continue };
            if forward.node(id).op().is_some() {
                seen.insert((place, letter), id);
            }
        }
        for ((place, letter), id) in seen {
            let sizes = forward.shape(id).sizes();
            let has_rows = self.rows > 1
                && sizes.first().is_some_and(|first| *first >= self.rows && first.is_multiple_of(self.rows))
                && sizes.len() > 1;
            let mut own: Vec<usize> = sizes.to_vec();
            if has_rows {
                own[0] /= self.rows;
            }
            if own.len() > 1 && own[0] == 1 {
                own.remove(0);
            }
            let names = Kinds::Indexed {
                text: format!("{letter}[{place}]"),
                latex: format!(r"\mathrm{{{letter}}}^{{({place})}}"),
                sizes: own,
            };
            self.add(id, names, has_rows);
        }
    }

    /// The derivatives of the cost with respect to what has a name.
    fn derivatives(&mut self, trace: &Trace, cost: &'static str) {
        let forward = &trace.lowered().graph;
        let named: Vec<(NodeId, Label)> =
            forward.ids().filter_map(|id| Some((id, self.by_node.get(&id.index())?.clone()))).collect();
        for (id, label) in named {
            if let Some(adjoint) = trace.adjoint(id) {
                let label = Label { by: Some(cost), ..label };
                self.by_node.or_insert(adjoint.index(), label);
            }
        }
    }

    fn each(&mut self, id: NodeId, names: Vec<[String; 2]>, has_rows: bool) {
        self.add(id, Kinds::Each(names), has_rows);
    }

    fn add(&mut self, id: NodeId, names: Kinds, has_rows: bool) {
        self.by_node.or_insert(id.index(), Label { names, has_rows, by: None });
    }

    /// The same with names for what pages write out and steps compute one by one: the slopes of activations, the parts
    /// of the cost, the sums of regularization, and what data and regularization give to a gradient.
    pub(super) fn with_parts(mut self, trace: &Trace) -> Self {
        let lowered = trace.lowered();
        let (forward, graph) = (&lowered.graph, trace.graph());
        for id in forward.ids().filter(|id| forward.node(*id).origin.role == NodeRole::Activation) {
            let [input] = forward.node(id).inputs() else { continue };
            let (Some(made), Some(read), Some(adjoint)) = (
                self.by_node.get(&id.index()).cloned(),
                self.by_node.get(&input.index()).cloned(),
                trace.adjoint(*input),
            ) else {
                continue;
            };
            let node = graph.node(adjoint);
            let is_own = node.origin.pulls_back == Some(id) && made.width() == read.width();
            if let (true, Some(Op::Multiply(_)), [_, slope]) = (is_own, node.op(), node.inputs())
                && graph.node(*slope).op().is_some()
            {
                self.add(*slope, Kinds::Ratio(Box::new(made.names), Box::new(read.names)), made.has_rows);
            }
        }
        // Numbers less their mean, once for the norm and once for its variance.
        let centered = |id: &NodeId| {
            let role = forward.node(*id).origin.role;
            let is_of_norm = matches!(role, NodeRole::Normalized | NodeRole::Variance | NodeRole::Mean);
            is_of_norm && matches!(forward.node(*id).op(), Some(Op::Subtract(_)))
        };
        let of_norms: Vec<NodeId> = forward.ids().filter(centered).collect();
        for id in of_norms {
            let place = forward.node(id).origin.place();
            let norm = forward.ids().find(|other| {
                let node = forward.node(*other);
                node.origin.role == NodeRole::Normalized
                    && node.origin.place() == place
                    && node.shape == forward.node(id).shape
                    && self.has(*other)
            });
            let label = norm.and_then(|norm| self.by_node.get(&norm.index()).cloned());
            if let (Some(Label { names: Kinds::Indexed { sizes, .. }, has_rows, .. }), Some(place)) =
                (label, place)
            {
                let names = Kinds::Indexed {
                    text: format!("centered[{place}]"),
                    latex: format!(r"\mathrm{{centered}}^{{({place})}}"),
                    sizes,
                };
                self.add(id, names, has_rows);
            }
        }
        self.costs(trace);
        self.penalties(trace);
        self
    }

    /// The cost of each example, or of each of its outputs, as pages call them.
    fn costs(&mut self, trace: &Trace) {
        let lowered = trace.lowered();
        let (cost, outputs) = (self.notation.cost(), trace.network().outputs());
        let numbers = lowered.graph.shape(lowered.costs).elements();
        if self.has(lowered.costs) {
            return;
        }
        if numbers == trace.rows() * outputs && lowered.graph.shape(lowered.costs).rank() > 1 {
            let names = (0..outputs).map(|unit| self.part_of_cost(unit)).collect();
            self.each(lowered.costs, names, true);
        } else if numbers == trace.rows() && numbers > 1 {
            self.each(lowered.costs, vec![[cost.to_owned(), cost.to_owned()]], true);
        }
    }

    /// What an output's part of the cost is called: `E_o1` beside `t_o1`.
    pub(super) fn part_of_cost(&self, unit: usize) -> [String; 2] {
        let (cost, letter) = (self.notation.cost(), self.notation.target());
        let [text, latex] = self.both(Symbol::Target(unit));
        match text.strip_prefix(letter) {
            Some(rest) if !rest.is_empty() => {
                [format!("{cost}{rest}"), format!("{cost}{}", latex.strip_prefix(letter).unwrap_or(""))]
            }
            _ => [format!("{cost}[{unit}]"), format!("{cost}_{{{unit}}}")],
        }
    }

    /// Regularization: the sums over weights, and its part of each gradient.
    fn penalties(&mut self, trace: &Trace) {
        let (forward, graph) = (&trace.lowered().graph, trace.graph());
        let is_penalty = |id: NodeId| {
            let through = graph.node(id).origin.pulls_back;
            through.is_some_and(|through| forward.node(through).origin.role == NodeRole::Regularization)
        };
        let mut called_so: Vec<String> = Vec::new();
        for (place, parameter) in trace.parameters().iter().enumerate() {
            if parameter.l1 == 0.0 && parameter.l2 == 0.0 {
                continue;
            }
            let own = trace.lowered().parameters[place];
            let Some(label) = self.by_node.get(&own.index()).cloned() else { continue };
            // Names of a file may begin alike in several layers.
            let common = self.common(own).filter(|name| !called_so.contains(name));
            let called = common.unwrap_or_else(|| parameter.name.clone());
            called_so.push(called.clone());
            let called = if called.contains('^') { format!("({called})") } else { called };
            for id in forward.ids().filter(|id| forward.node(*id).origin.role == NodeRole::Regularization) {
                let (Some(Op::Sum(_)), [terms]) = (forward.node(id).op(), forward.node(id).inputs()) else {
                    continue;
                };
                let terms = forward.node(*terms);
                if !terms.inputs().iter().all(|input| *input == own) {
                    continue;
                }
                let name = match terms.op() {
                    Some(Op::Abs(_)) => format!("sum(|{called}|)"),
                    _ => format!("sum({called}^2)"),
                };
                self.each(id, vec![[name.clone(), latex_name(&name)]], false);
            }
            // The gradient is a sum of sums; each of them is of regularization, of the data, or of both.
            let mut open = vec![trace.gradient_node(place)];
            while let Some(id) = open.pop() {
                let node = graph.node(id);
                let parts = added(graph, id);
                let name = match parts.iter().filter(|part| is_penalty(**part)).count() {
                    0 => Some("D"),
                    count if count == parts.len() => Some("R"),
                    _ => None,
                };
                match name {
                    Some(name) => {
                        let by = Label { by: Some(name), ..label.clone() };
                        self.by_node.or_insert(id.index(), by);
                    }
                    None => open.extend(node.inputs()),
                }
            }
        }
    }

    /// A name for the single number of a node.
    pub(super) fn single(&mut self, id: NodeId, name: &str, by: Option<(&str, &str)>) {
        let text = by.map_or_else(|| name.to_owned(), |(top, below)| format!("d{top}/d{below}"));
        let latex = match by {
            Some((top, below)) => {
                let (top, below) = (latex_name(top), latex_name(below));
                format!(r"\frac{{\partial {top}}}{{\partial {below}}}")
            }
            None => latex_name(name),
        };
        self.each(id, vec![[text, latex]], false);
    }

    /// Labels of a graph of single numbers.
    pub(super) fn of_singles() -> Self {
        Self { rows: 1, ..Self::default() }
    }

    /// A symbol in text and LaTeX.
    fn both(&self, symbol: Symbol) -> [String; 2] {
        match self.names.get(&symbol) {
            Some(name) => [name.clone(), latex_name(name)],
            None => [self.notation.text(symbol), self.notation.latex(symbol)],
        }
    }

    /// The name of one number, of an example if there are several.
    fn of(&self, label: &Label, at: usize, example: Option<usize>) -> [String; 2] {
        let marked = |[text, latex]: [String; 2]| match example {
            Some(example) => [format!("{text}^({example})"), format!("{{{latex}}}^{{[{example}]}}")],
            None => [text, latex],
        };
        let [text, latex] = match &label.names {
            Kinds::Each(names) => marked(names.get(at).cloned().unwrap_or_default()),
            Kinds::Symbols { symbol, layer, .. } => marked(self.both(symbol(*layer, at))),
            Kinds::Indexed { text, latex, sizes } => {
                let index = index(at, sizes).join(",");
                marked([format!("{text}[{index}]"), format!("{latex}_{{{index}}}")])
            }
            Kinds::Ratio(top, below) => {
                let of =
                    |names: &Kinds| self.of(&Label { names: names.clone(), ..label.clone() }, at, example);
                let ([top, top_latex], [below, below_latex]) = (of(top), of(below));
                [
                    format!("d{top}/d{below}"),
                    format!(r"\frac{{\partial {top_latex}}}{{\partial {below_latex}}}"),
                ]
            }
        };
        match label.by {
            Some(cost) => {
                [format!("d{cost}/d{text}"), format!(r"\frac{{\partial {cost}}}{{\partial {latex}}}")]
            }
            None => [text, latex],
        }
    }

    /// Whether the numbers of a node have names.
    pub(super) fn has(&self, id: NodeId) -> bool {
        self.by_node.contains_key(&id.index())
    }

    /// Whether a node holds the derivatives of one number each by another: the slopes of an activation.
    pub(super) fn is_ratio(&self, id: NodeId) -> bool {
        self.by_node.get(&id.index()).is_some_and(|label| matches!(label.names, Kinds::Ratio(..)))
    }

    /// The name of a number; of several examples, with the example's number behind it: `a[1][0]^(2)`.
    pub(super) fn name(&self, id: NodeId, element: usize) -> Option<Written> {
        let label = self.by_node.get(&id.index())?;
        let width = label.width();
        let example = (label.has_rows && self.rows > 1).then_some(element / width + 1);
        let [text, latex] = self.of(label, element % width, example);
        Some(Written::name(text, latex))
    }

    /// What all numbers of a node are called together: what their names have in common.
    pub(super) fn common(&self, id: NodeId) -> Option<String> {
        let label = self.by_node.get(&id.index())?;
        let [first, _] = self.of(label, 0, None);
        let [last, _] = self.of(label, label.width() - 1, None);
        if label.width() == 1 {
            return Some(first);
        }
        let same = first.chars().zip(last.chars()).take_while(|(left, right)| left == right).count();
        let text: String = first.chars().take(same).collect();
        // An index that only begins is none.
        let begins = text.rfind('[').filter(|at| !text[*at..].contains(']'));
        let text = text[..begins.unwrap_or(text.len())].trim_end_matches(['[', '_', ',']).to_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// What a number of a gradient is the sum of.
pub(super) fn added(graph: &Graph, id: NodeId) -> Vec<NodeId> {
    let node = graph.node(id);
    let is_whole = node.inputs().iter().all(|input| graph.shape(*input) == &node.shape);
    match node.op() {
        Some(Op::Add(_)) if is_whole => node.inputs().iter().flat_map(|input| added(graph, *input)).collect(),
        _ => vec![id],
    }
}

/// The same with the sums on the way.
pub(super) fn added_all(graph: &Graph, id: NodeId) -> Vec<NodeId> {
    let node = graph.node(id);
    let is_whole = node.inputs().iter().all(|input| graph.shape(*input) == &node.shape);
    let mut all = vec![id];
    if let (Some(Op::Add(_)), true) = (node.op(), is_whole) {
        all.extend(node.inputs().iter().flat_map(|input| added_all(graph, *input)));
    }
    all
}

/// The letter of what has no symbol in any notation.
fn letter(role: NodeRole) -> Option<&'static str> {
    Some(match role {
        NodeRole::Mean => "mean",
        NodeRole::Variance => "var",
        NodeRole::MeanSquare => "square",
        NodeRole::Normalized => "norm",
        NodeRole::ScaledAndShifted | NodeRole::Scaled => "scaled",
        NodeRole::WindowMaximum => "max",
        NodeRole::Activation => "act",
        NodeRole::Dropout => "drop",
        NodeRole::PlaceMean => "average",
        NodeRole::WeightedSum => "sum",
        _ => return None,
    })
}
