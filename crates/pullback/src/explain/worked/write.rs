//! From an example to the tree of its file: everything with all its digits, in the order in which one reads it.

use super::keys::{AT, LAYER};
use super::read::key_of;
use super::tree::{Node, Value};
use super::{Expectation, Expected, Kept, NetworkExample, Subject, WorkedExample};
use crate::explain::Notation;
use crate::network::{Layer, Mode, Parameter, Role};
use crate::train::Optimizer;

/// A table under construction: what is not said is not written.
#[derive(Default)]
struct Entries(Vec<(String, Node)>);

impl Entries {
    fn add(&mut self, key: &str, node: impl Into<Node>) {
        self.0.push((key.to_owned(), node.into()));
    }

    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.add(key, Node::text(text));
        }
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.add(key, Value::List(texts.iter().map(Node::text).collect()));
        }
    }

    fn number(&mut self, key: &str, number: Option<f64>) {
        if let Some(number) = number {
            self.add(key, Node::number(number));
        }
    }

    fn table(self) -> Node {
        Value::Table(self.0).into()
    }
}

pub(super) fn tree(example: &WorkedExample) -> Node {
    let mut file = Entries::default();
    file.text("title", &example.title);
    file.text("source", &example.source);
    if example.notation != Notation::default() {
        file.text("notation", example.notation.name());
    }
    file.text("language", example.language.as_deref().unwrap_or_default());
    match &example.subject {
        Subject::Expression(expression) => {
            file.text("expression", expression.text());
            let at = expression.at().iter().map(|(name, number)| (name.clone(), Node::number(*number)));
            if !expression.at().is_empty() {
                file.add(AT, Value::Table(at.collect()));
            }
        }
        Subject::Network(network) => of_network(&mut file, network),
    }
    if !example.expect.is_empty() {
        file.add("expect", Value::List(example.expect.iter().map(expectation).collect()));
    }
    file.table()
}

fn expectation(expectation: &Expectation) -> Node {
    let mut table = Entries::default();
    table.text("quantity", &expectation.quantity);
    match &expectation.number {
        Expected::Digits(digits) => table.add("value", Value::Number(digits.clone())),
        Expected::Below(bound) => table.number("below", Some(*bound)),
        Expected::AtLeast(bound) => table.number("at_least", Some(*bound)),
    }
    table.text("source", &expectation.source);
    table.text("erratum", expectation.erratum.as_deref().unwrap_or_default());
    table.table()
}

/// What the optimizer keeps from the steps before.
fn kept(file: &mut Entries, example: &NetworkExample) {
    if example.kept == Kept::default() {
        return;
    }
    file.add("steps_done", Value::Number(example.kept.steps.to_string()));
    let mut table = Entries::default();
    for (place, parameter) in example.network.parameters().unwrap_or_default().iter().enumerate() {
        let states = example.kept.of(place);
        if !states.is_empty() {
            table.add(&parameter.name, shaped(&states.concat(), &[states.len(), states[0].len()]));
        }
    }
    file.add("optimizer_state", table.table());
}

fn of_network(file: &mut Entries, example: &NetworkExample) {
    let NetworkExample { network, training, names, rows, .. } = example;
    let examples = |numbers: &[f64], sizes: &[usize]| {
        let all: Vec<usize> = if *rows == 1 { sizes.to_vec() } else { [&[*rows][..], sizes].concat() };
        shaped(numbers, &all)
    };
    let sizes = match network.image {
        Some(image) if image.channels == 1 => vec![image.height, image.width],
        Some(image) => vec![image.height, image.width, image.channels],
        None => vec![network.inputs],
    };
    file.add("inputs", examples(&example.inputs, &sizes));
    file.texts("input_names", &names.inputs);
    file.add("targets", examples(&example.targets, &[network.outputs()]));
    file.texts("output_names", &names.outputs);
    if let Some(weights) = &example.weights {
        file.add("example_weights", Node::numbers(weights));
    }
    if training.optimizer != Optimizer::Sgd {
        file.text("optimizer", &training.optimizer.to_string());
    }
    kept(file, example);
    file.number("learning_rate", training.learning_rate);
    file.number("clip_norm", training.clip_norm);
    let parameters = network.parameters().unwrap_or_default();
    let biases = |place: &usize| parameters[*place].role == Role::Bias;
    let all_biases: Vec<usize> = (0..parameters.len()).filter(biases).collect();
    if example.fixed == all_biases && !all_biases.is_empty() {
        file.texts("fixed", &["biases".to_owned()]);
    } else {
        let fixed: Vec<String> = example.fixed.iter().map(|&place| parameters[place].name.clone()).collect();
        file.texts("fixed", &fixed);
    }
    if example.mode == Mode::Training {
        file.add("training", Value::Truth(true));
    }
    if training.seed != 0 {
        file.add("seed", Value::Number(training.seed.to_string()));
    }
    let named = |place: usize, parameter: &Parameter| -> (Node, Vec<String>) {
        let numbers = shaped(&example.parameters[place], parameter.shape.sizes());
        (numbers, names.parameters.get(&parameter.name).cloned().unwrap_or_default())
    };
    if !network.named.is_empty() {
        let json = serde_json::to_value(network).expect("a network is a JSON object");
        file.add("network", Node::from_json(&json));
        let mut table = Entries::default();
        for (place, parameter) in parameters.iter().enumerate() {
            table.add(&parameter.name, named(place, parameter).0);
        }
        file.add("parameters", table.table());
        return;
    }
    file.text("cost", &network.cost.to_string());
    let regularization = &network.regularization;
    file.number("l1", Some(regularization.l1).filter(|l1| *l1 != 0.0));
    file.number("l2", Some(regularization.l2).filter(|l2| *l2 != 0.0));
    if regularization.divide_by_batch {
        file.add("divide_by_batch", Value::Truth(true));
    }
    if let Some(image) = network.image {
        let json = serde_json::to_value(image).expect("a shape is a JSON object");
        let mut table = Entries::default();
        for key in ["height", "width", "channels"] {
            table.add(key, Node::from_json(&json[key]));
        }
        file.add("image", table.table());
    }
    let mut layers = Vec::new();
    let mut place = 0;
    while let Some(layer) = network.layers.get(place) {
        let mut table = Entries::default();
        let prefix = format!("layers.{place}.");
        let own: Vec<(usize, &Parameter, String)> = (parameters.iter().enumerate())
            .filter_map(|(at, parameter)| Some((at, parameter, key_of(parameter, &prefix)?)))
            .collect();
        settings(&mut table, layer, own.iter().any(|(_, _, key)| key == "weights"));
        let mut called = Entries::default();
        for (at, parameter, key) in &own {
            let (mut numbers, texts) = named(*at, parameter);
            if let (Layer::Convolution(layer), "weights") = (layer, &key[..]) {
                let area = layer.size * layer.size;
                let channels = parameter.shape.last() / area;
                let mut sizes = vec![layer.filters, layer.size, layer.size];
                sizes.extend((channels > 1).then_some(channels));
                numbers = shaped(&example.parameters[*at], &sizes);
            }
            table.add(key, numbers);
            if !texts.is_empty() {
                let key = if key == "weights" { "weight_names" } else { "bias_names" };
                called.add(key, shaped_texts(&texts, parameter.shape.sizes()));
            }
        }
        let activation = network.layers.get(place + 1).and_then(|next| match next {
            Layer::Activation(next) if !matches!(layer, Layer::Activation(_)) => Some(next.function),
            _ => None,
        });
        if let Some(function) = activation {
            table.text("activation", &function.to_string());
        }
        if let Some(units) = names.units.get(&place) {
            table.texts("unit_names", units);
        }
        table.0.extend(called.0);
        layers.push(table.table());
        place += 1 + usize::from(activation.is_some());
    }
    file.add(LAYER, Value::List(layers));
}

/// What a layer is, but for what its weights say.
fn settings(table: &mut Entries, layer: &Layer, has_weights: bool) {
    let json = serde_json::to_value(layer).expect("a layer is a JSON object");
    let Node { value: Value::Table(entries), .. } = Node::from_json(&json) else { return };
    let is_said_by_weights = |key: &str| match layer {
        Layer::Dense(_) => matches!(key, "kind" | "units" | "has_bias"),
        Layer::Convolution(_) => matches!(key, "filters" | "size" | "has_bias"),
        _ => false,
    };
    let (kind, rest): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key == "kind");
    for (key, node) in kind.into_iter().chain(rest) {
        if !(has_weights && is_said_by_weights(&key)) {
            table.add(&key, node);
        }
    }
}

/// Numbers in lists of these sizes.
fn shaped(numbers: &[f64], sizes: &[usize]) -> Node {
    match sizes {
        [] => Node::number(numbers.first().copied().unwrap_or(0.0)),
        [_] => Node::numbers(numbers),
        [_, rest @ ..] => {
            let size = rest.iter().product::<usize>().max(1);
            Value::List(numbers.chunks(size).map(|part| shaped(part, rest)).collect()).into()
        }
    }
}

fn shaped_texts(texts: &[String], sizes: &[usize]) -> Node {
    let list = |texts: &[String]| Node::from(Value::List(texts.iter().map(Node::text).collect()));
    match sizes {
        [_, columns] => Value::List(texts.chunks((*columns).max(1)).map(list).collect()).into(),
        _ => list(texts),
    }
}
