//! From the tree of a file to an example. Each error names its line, its key, and what was probably meant.

use super::keys::{AT, FILE, IN_EXPECTATION, IN_LAYER, Key, LAYER, VERSION};
use super::table::{Array, Table, place, wrong};
use super::tree::{Node, Value, inline};
use super::{Expectation, Expected, Kept, Names, NetworkExample, Subject, WorkedExample};
use crate::compact::sort_by_key;
use crate::error::{Error, Result};
use crate::explain::expression::Expression;
use crate::explain::{CODES, Notation};
use crate::graph::Shape;
use crate::network::{Activation, Form, Image, Layer, Mode, Network, Parameter, Regularization, Role};
use crate::report::number::counted;
use crate::train::{Batch, Optimizer, Training};
use serde_json::Value as Json;

fn names(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}

pub(super) fn state(root: &Node, source: &str) -> Result<WorkedExample> {
    let file = Table::new(source, "", root)?;
    file.check(&names(FILE))?;
    if let Some(version) = file.count("version")?
        && version != u64::from(VERSION)
    {
        return Err(file
            .wrong("version", format!("is {version}"))
            .help(format!("this is version {VERSION}")));
    }
    let notation = match file.text("notation")? {
        None => Notation::default(),
        Some(name) => Notation::from_name(name)
            .ok_or_else(|| file.placed("notation", Error::unknown_name("notation", name, Notation::NAMES)))?,
    };
    let language = file.text("language")?;
    if let Some(code) = language.filter(|code| !CODES.contains(code)) {
        let known = CODES.iter().copied();
        return Err(file.placed("language", Error::unknown_name("language", code, known)));
    }
    let subject = match file.text("expression")? {
        Some(text) => Subject::Expression(expression(&file, text)?),
        None => Subject::Network(Box::new(network_example(&file)?)),
    };
    Ok(WorkedExample {
        title: file.text("title")?.unwrap_or_default().to_owned(),
        source: file.text("source")?.unwrap_or_default().to_owned(),
        notation,
        language: language.map(str::to_owned),
        subject,
        expect: expectations(&file)?,
    })
}

fn expression(file: &Table<'_>, text: &str) -> Result<Expression> {
    const ALONGSIDE: &[&str] =
        &["version", "title", "source", "notation", "language", "expression", AT, "expect"];
    if let Some((key, _)) = file.entries.iter().find(|(key, _)| !ALONGSIDE.contains(&key.as_str())) {
        return Err(file
            .wrong(key, "belongs to a network, but the file has an expression")
            .help("leave one out"));
    }
    let mut at = Vec::new();
    if let Some(node) = file.get(AT) {
        let table = Table::new(file.source, "`at`", node)?;
        for (name, _) in table.entries {
            at.push((name.clone(), table.number(name)?.expect("it is one of the entries")));
        }
    }
    // The first line of a text over several lines is that after its quotes.
    let line = file.get("expression").map_or(0, |node| node.line);
    let lines_are_own = text.contains('\n');
    Expression::parse(text, at).map_err(|error| {
        let own = error.place().and_then(|place| place.line).unwrap_or(1);
        if line == 0 {
            error
        } else {
            error.at(place(file.source, line + if lines_are_own { own } else { 0 }))
        }
    })
}

fn expectations(file: &Table<'_>) -> Result<Vec<Expectation>> {
    let mut all = Vec::new();
    for (at, node) in file.list("expect")?.iter().enumerate() {
        let table = Table::new(file.source, format!("expectation {}", at + 1), node)?;
        table.check(&names(IN_EXPECTATION))?;
        let missing = |key: &str| wrong(table.source, table.line, format!("{} is missing", table.named(key)));
        let quantity =
            table.text("quantity")?.ok_or_else(|| missing("quantity").help("say what is expected"))?;
        let number = match (table.digits("value")?, table.number("below")?, table.number("at_least")?) {
            (Some(digits), None, None) => Expected::Digits(digits.into_owned()),
            (None, Some(bound), None) => Expected::Below(bound),
            (None, None, Some(bound)) => Expected::AtLeast(bound),
            (None, None, None) => return Err(missing("value").help("write the number that is expected")),
            _ => {
                let what = format!("{} says more than one of value, below, at_least", table.of);
                return Err(wrong(table.source, table.line, what).help("leave one"));
            }
        };
        all.push(Expectation {
            quantity: quantity.to_owned(),
            number,
            source: table.text("source")?.unwrap_or_default().to_owned(),
            erratum: table.text("erratum")?.map(str::to_owned),
        });
    }
    Ok(all)
}

/// The layers of a file, with the tables that they came from.
struct Layers<'a> {
    list: Vec<Layer>,
    /// For each of the network's layers with numbers: its place, and its table.
    tables: Vec<(usize, Table<'a>)>,
}

fn network_example(file: &Table<'_>) -> Result<NetworkExample> {
    let seed = file.count("seed")?.unwrap_or(0);
    let mut names = Names {
        inputs: file.texts("input_names")?,
        outputs: file.texts("output_names")?,
        ..Names::default()
    };
    let features = required(file, "inputs")?;
    let (network, tables) = match file.get("network") {
        Some(node) => {
            let table = Table::new(file.source, "the network", node)?;
            if file.get(LAYER).is_some() {
                return Err(file.wrong("network", "stands beside `layer`").help("leave one of them out"));
            }
            let network: Network = table.serde(node.line, node.to_json())?;
            network.check().map_err(|error| file.placed("network", error))?;
            (network, Vec::new())
        }
        None => {
            let image: Option<Image> = match file.get("image") {
                Some(node) => {
                    Some(Table::new(file.source, "the image", node)?.serde(node.line, node.to_json())?)
                }
                None => None,
            };
            let reads = match (image, &features.sizes[..]) {
                (Some(image), _) => Form::Image(image),
                (None, [.., last]) => Form::Row(*last),
                (None, []) => {
                    return Err(file.wrong("inputs", "is a single number").help("write it in brackets"));
                }
            };
            let Layers { list, tables } = layers(file, reads)?;
            let cost = file.choice("cost")?.unwrap_or(crate::network::Cost::SquaredError);
            let regularization = Regularization {
                l1: file.number("l1")?.unwrap_or(0.0),
                l2: file.number("l2")?.unwrap_or(0.0),
                divide_by_batch: file.truth("divide_by_batch")?.unwrap_or(false),
            };
            let inputs = reads.elements();
            let network = Network { inputs, image, named: Vec::new(), layers: list, cost, regularization };
            network.check().map_err(|error| named_by_file(file, &tables, error))?;
            (network, tables)
        }
    };
    let specification = network.parameters().map_err(|error| file.placed(LAYER, error))?;
    let mut parameters: Vec<Vec<f64>> = network.initialize(seed)?;
    for (place, parameter) in specification.iter().enumerate() {
        if let Some(numbers) = given(file, &tables, parameter, &mut names)? {
            parameters[place] = numbers;
        }
    }
    for (place, table) in &tables {
        // Numbers for parameters that the layer does not have.
        let prefix = format!("layers.{place}.");
        let own: Vec<String> =
            specification.iter().filter_map(|parameter| key_of(parameter, &prefix)).collect();
        let is_excess = |key: &str| is_of_numbers(key) && own.iter().all(|own| own != key);
        if let Some((key, node)) = table.entries.iter().find(|(key, _)| is_excess(key)) {
            let error = wrong(file.source, node.line, format!("there is no key `{key}` of {}", table.of));
            return Err(if own.is_empty() {
                error.help("the layer has no numbers")
            } else {
                error.unknown(key, own)
            });
        }
        let units = table.texts("unit_names")?;
        let form = network.forms()?[place + 1];
        let width = match form {
            Form::Row(units) => units,
            Form::Image(image) => image.channels,
            Form::Sequence(sequence) => sequence.width,
            Form::Index(_) => 0,
        };
        if !units.is_empty() {
            as_many(table, "unit_names", units.len(), width)?;
            names.units.insert(*place, units);
        }
    }
    let table =
        file.get("parameters").map(|node| Table::new(file.source, "the parameters", node)).transpose()?;
    if let Some(table) = table {
        table.check(&specification.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>())?;
    }
    let targets = required(file, "targets")?;
    let rows = rows_of(file, "inputs", &features, network.inputs, "inputs")?;
    let target_rows = rows_of(file, "targets", &targets, network.outputs(), "outputs")?;
    if rows != target_rows {
        let what = format!(
            "are of {}, but `inputs` of {}",
            counted(target_rows, "example"),
            counted(rows, "example")
        );
        return Err(file.wrong("targets", what).help("give each example its targets"));
    }
    for (key, has, wanted) in [
        ("input_names", names.inputs.len(), network.inputs),
        ("output_names", names.outputs.len(), network.outputs()),
    ] {
        if has > 0 {
            as_many(file, key, has, wanted)?;
        }
    }
    let weights = file.array("example_weights")?.map(|array| array.numbers);
    if let Some(weights) = &weights {
        as_many(file, "example_weights", weights.len(), rows)?;
        if weights.iter().any(|w| *w < 0.0) || weights.iter().sum::<f64>() == 0.0 {
            return Err(file
                .wrong("example_weights", "has a number below 0, or only zeros")
                .help("correct it"));
        }
    }
    let training = Training {
        optimizer: file.choice::<Optimizer>("optimizer")?.unwrap_or(Optimizer::Sgd),
        learning_rate: file.number("learning_rate")?,
        clip_norm: file.number("clip_norm")?,
        batch: Batch::Full,
        seed,
        ..Training::default()
    };
    if training.optimizer.is_searching() {
        let what = format!("is {}, which searches for its step", training.optimizer.name());
        return Err(file
            .wrong("optimizer", what)
            .help("take one whose step is a formula, such as sgd or adam"));
    }
    training.check::<f64>().map_err(|error| {
        let key = if error.what().contains("clipped") { "clip_norm" } else { "learning_rate" };
        file.placed(key, error)
    })?;
    let kept = kept(file, &specification, &training.optimizer)?;
    let mode = if file.truth("training")? == Some(true) { Mode::Training } else { Mode::Evaluation };
    let example = NetworkExample {
        fixed: fixed(file, &specification)?,
        network,
        parameters,
        inputs: features.numbers,
        targets: targets.numbers,
        weights,
        rows,
        training,
        mode,
        kept,
        names,
    };
    // What only the numbers show, such as a code that names no row.
    example.trace().map_err(|error| file.placed("inputs", error))?;
    Ok(example)
}

/// What the optimizer keeps from the steps before.
fn kept(file: &Table<'_>, specification: &[Parameter], optimizer: &Optimizer) -> Result<Kept> {
    const KEY: &str = "optimizer_state";
    let steps = file.count("steps_done")?.unwrap_or(0);
    let Some(node) = file.get(KEY) else { return Ok(Kept::default()) };
    let table = Table::new(file.source, KEY, node)?;
    table.check(&specification.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>())?;
    let mut states = vec![Vec::new(); specification.len()];
    for (parameter, own) in specification.iter().zip(&mut states) {
        let Some(array) = table.array(&parameter.name)? else { continue };
        let elements = parameter.shape.elements();
        as_many(&table, &parameter.name, array.numbers.len(), optimizer.states() * elements)?;
        *own = array.numbers.chunks(elements.max(1)).map(<[f64]>::to_vec).collect();
    }
    Ok(Kept { states, steps })
}

fn required(file: &Table<'_>, key: &str) -> Result<Array> {
    let missing = || {
        wrong(file.source, 0, format!("`{key}` is missing"))
            .help(format!("write them, as `{key} = [0.05, 0.1]`"))
    };
    file.array(key)?.ok_or_else(missing)
}

fn as_many(table: &Table<'_>, key: &str, has: usize, wanted: usize) -> Result<()> {
    match has == wanted {
        true => Ok(()),
        false => Err(table
            .wrong(key, format!("has {has}, where there are {wanted}"))
            .help(format!("write {wanted}"))),
    }
}

/// How many examples some numbers are.
fn rows_of(file: &Table<'_>, key: &str, array: &Array, width: usize, of: &str) -> Result<usize> {
    let count = array.numbers.len();
    let is_whole = width > 0 && count > 0 && count.is_multiple_of(width);
    // A list of examples, or one example of any shape.
    let is_split = count == width
        || array.sizes.len() > 1 && array.sizes[0].is_multiple_of(count / width.max(1))
        || array.sizes.len() == 1 && width == 1;
    if is_whole && is_split {
        return Ok(count / width);
    }
    let shape = Shape::from(&array.sizes[..]);
    Err(file
        .wrong(
            key,
            format!("is of shape {shape}, but an example has {}", counted(width, of.trim_end_matches('s'))),
        )
        .help(format!("write {width} for one example, or rows of {width} for several")))
}

/// The layers, each with its activation behind it.
fn layers<'a>(file: &Table<'a>, reads: Form) -> Result<Layers<'a>> {
    let items = file.list(LAYER)?;
    if items.is_empty() {
        return Err(
            wrong(file.source, 0, "there are no layers").help("write `[[layer]]` and its weights below it")
        );
    }
    let mut form = reads;
    let mut layers = Layers { list: Vec::new(), tables: Vec::new() };
    for (number, node) in items.iter().enumerate() {
        let table = Table::new(file.source, format!("layer {}", number + 1), node)?;
        let layer = layer(&table, form)?;
        let activation: Option<Activation> = table.choice("activation")?;
        for (at, layer) in [Some(layer), activation.map(Layer::function)].into_iter().flatten().enumerate() {
            layers.list.push(layer);
            let network = Network {
                inputs: reads.elements(),
                image: if let Form::Image(image) = reads { Some(image) } else { None },
                named: Vec::new(),
                layers: layers.list.clone(),
                cost: crate::network::Cost::SquaredError,
                regularization: Regularization::default(),
            };
            let forms = network.forms().map_err(|error| {
                let help = error.help_text().unwrap_or_default().to_owned();
                wrong(table.source, table.line, format!("{}: {}", table.of, error.what())).help(help)
            })?;
            form = *forms.last().expect("there is a first form");
            if at > 0 {
                break;
            }
        }
        let place = layers.list.len() - 1 - usize::from(activation.is_some());
        layers.tables.push((place, table));
    }
    Ok(layers)
}

/// One layer, with what its weights say of its size.
fn layer(table: &Table<'_>, reads: Form) -> Result<Layer> {
    let kind = table.text("kind")?.unwrap_or("dense");
    if !Layer::KINDS.contains(&kind) {
        return Err(table.placed("kind", Error::unknown_name("kind of layer", kind, Layer::KINDS)));
    }
    let mut json = serde_json::Map::new();
    json.insert("kind".into(), kind.into());
    let weights = table.array("weights")?;
    if let Some(weights) = &weights {
        match (kind, &weights.sizes[..]) {
            ("dense", [units, inputs]) => {
                let wanted = match reads {
                    Form::Sequence(sequence) => sequence.width,
                    form => form.elements(),
                };
                if *inputs != wanted {
                    return Err(table
                        .wrong(
                            "weights",
                            format!("is {units} x {inputs}, but the layer reads {wanted} numbers: it must be {units} x {wanted}"),
                        )
                        .help("write a row for each unit, with a weight for each of its inputs"));
                }
                json.insert("units".into(), (*units).into());
            }
            ("dense", _) => {
                let shape = Shape::from(&weights.sizes[..]);
                return Err(table
                    .wrong("weights", format!("is of shape {shape}, not a list of rows"))
                    .help("write a row for each unit: `[[0.15, 0.2], [0.25, 0.3]]`"));
            }
            ("convolution", [filters, size, ..]) if weights.sizes.len() > 2 => {
                json.insert("filters".into(), (*filters).into());
                json.insert("size".into(), (*size).into());
            }
            ("convolution", [filters, _]) => {
                json.insert("filters".into(), (*filters).into());
            }
            _ => {}
        }
        let is_open = table.get("biases").is_none() && table.get("has_bias").is_none();
        if matches!(kind, "dense" | "convolution") && is_open {
            json.insert("has_bias".into(), false.into());
        }
    }
    let own_keys = names(IN_LAYER);
    for (key, node) in table.entries {
        if own_keys.contains(&key.as_str()) || is_of_numbers(key) && !matches!(node.value, Value::Truth(_)) {
            continue;
        }
        if let Some(known) = json.get(key)
            && *known != node.to_json()
        {
            let known = inline(&Node::from_json(known));
            return Err(table
                .wrong(key, format!("is {}, but its weights say {known}", inline(node)))
                .help("leave it out, or correct the weights"));
        }
        json.insert(key.clone(), node.to_json());
    }
    let missing = match kind {
        "dense" if !json.contains_key("units") => Some(("units", "weights")),
        "convolution" if !json.contains_key("size") => Some(("size", "size of its windows")),
        _ => None,
    };
    if let Some((key, what)) = missing {
        return Err(wrong(table.source, table.line, format!("{} has no {what}", table.of))
            .help(format!("write `weights`, or `{key} = 2`")));
    }
    table.serde(table.line, Json::Object(json)).map_err(|error| {
        // The keys of numbers and names are keys, too.
        let given = error.known().is_empty().then(String::new);
        match (given, error.what().split('`').nth(1)) {
            (None, Some(key)) => {
                let known = error.known().to_vec();
                let all = known
                    .iter()
                    .map(String::as_str)
                    .chain(own_keys.iter().copied())
                    .filter(|own| *own != "kind");
                let line = table.get(key).map_or(table.line, |node| node.line);
                error.clone().at(place(table.source, line)).unknown(key, all.collect::<Vec<_>>())
            }
            _ => error,
        }
    })
}

/// Whether the numbers of a parameter stand under a key, of whatever layer.
fn is_of_numbers(key: &str) -> bool {
    key.contains('.')
        || matches!(key, "weights" | "biases" | "scale" | "shift" | "running_mean" | "running_variance")
}

/// The key under which the numbers of a parameter stand, of a layer whose name begins with `prefix`.
pub(super) fn key_of(parameter: &Parameter, prefix: &str) -> Option<String> {
    let own = parameter.name.strip_prefix(prefix)?;
    Some(match own {
        "weight" => "weights".into(),
        "bias" => "biases".into(),
        "scale" | "shift" | "running_mean" | "running_variance" => own.to_owned(),
        // Inside a block, or of a layer with several matrices.
        _ if own.contains('.') => own.to_owned(),
        _ => format!("numbers.{own}"),
    })
}

/// The numbers that a file gives for a parameter, if it does.
fn given(
    file: &Table<'_>,
    tables: &[(usize, Table<'_>)],
    parameter: &Parameter,
    names: &mut Names,
) -> Result<Option<Vec<f64>>> {
    let named =
        file.get("parameters").map(|node| Table::new(file.source, "the parameters", node)).transpose()?;
    if let Some(table) = named {
        return numbers(&table, &parameter.name, parameter);
    }
    for (place, table) in tables {
        let Some(key) = key_of(parameter, &format!("layers.{place}.")) else { continue };
        let of_names = match &*key {
            "weights" => Some("weight_names"),
            "biases" => Some("bias_names"),
            _ => None,
        };
        if let Some(key) = of_names {
            let own = table.texts(key)?;
            if !own.is_empty() {
                as_many(table, key, own.len(), parameter.shape.elements())?;
                names.parameters.insert(parameter.name.clone(), own);
            }
        }
        return numbers(table, &key, parameter);
    }
    Ok(None)
}

fn numbers(table: &Table<'_>, key: &str, parameter: &Parameter) -> Result<Option<Vec<f64>>> {
    let Some(array) = table.array(key)? else { return Ok(None) };
    let own = Shape::from(&array.sizes[..]);
    let is_deeper = array.sizes.len() > parameter.shape.rank() && matches!(parameter.role, Role::Weight(_));
    let fits = own == parameter.shape
        || is_deeper
            && array.sizes.first() == parameter.shape.sizes().first()
            && array.numbers.len() == parameter.shape.elements();
    if fits {
        return Ok(Some(array.numbers));
    }
    Err(table
        .wrong(key, format!("is of shape {own}, but the layer needs {}", parameter.shape))
        .help(format!("write {}", counted(parameter.shape.elements(), "number"))))
}

/// What a step leaves as it is.
fn fixed(file: &Table<'_>, specification: &[Parameter]) -> Result<Vec<usize>> {
    let mut fixed = Vec::new();
    for text in file.texts("fixed")? {
        let is_meant = |parameter: &Parameter| match &*text {
            "biases" => parameter.role == Role::Bias,
            "weights" => matches!(parameter.role, Role::Weight(_)),
            name => parameter.name == name,
        };
        let found: Vec<usize> =
            (0..specification.len()).filter(|&place| is_meant(&specification[place])).collect();
        if found.is_empty() {
            let all = specification.iter().map(|p| p.name.clone());
            let known: Vec<String> =
                ["biases", "weights"].map(str::to_owned).into_iter().chain(all).collect();
            return Err(file
                .wrong("fixed", format!("names `{text}`, which is no parameter"))
                .unknown(&text, known));
        }
        fixed.extend(found);
    }
    sort_by_key(&mut fixed, |place| *place);
    fixed.dedup();
    Ok(fixed)
}

/// An error of the network at the line of the layer that it names.
fn named_by_file(file: &Table<'_>, tables: &[(usize, Table<'_>)], error: Error) -> Error {
    let layer =
        error.place().and_then(|place| place.layer.as_ref()?.split('.').next()?.parse::<usize>().ok());
    let table = layer.and_then(|layer| tables.iter().rev().find(|(place, _)| *place <= layer));
    match table {
        Some((_, table)) => {
            let help = error.help_text().unwrap_or_default().to_owned();
            wrong(table.source, table.line, format!("{}: {}", table.of, error.what())).help(help)
        }
        None => file.placed(LAYER, error),
    }
}
