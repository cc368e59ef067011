//! The keys of an example's file: what messages offer, and the JSON Schema that programs read.

use serde_json::{Value, json};

/// The version of the JSON form.
pub const VERSION: u32 = 2;

pub(super) const LAYER: &str = "layer";
pub(super) const AT: &str = "at";

/// A key, what may stand there (in JSON Schema), and what it means.
pub(super) struct Key {
    pub(super) name: &'static str,
    form: Form,
    doc: &'static str,
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Texts,
    Number,
    Count,
    Truth,
    Numbers,
    Table,
    TextOrTable,
    Layers,
    Expectations,
    NamedNumbers,
    Inputs,
}

const fn key(name: &'static str, form: Form, doc: &'static str) -> Key {
    Key { name, form, doc }
}

/// The keys of the whole file.
pub(super) const FILE: &[Key] = &[
    key("version", Form::Count, "The version of this form: 2. A file without it is of the newest."),
    key("title", Form::Text, "What the page is called."),
    key("source", Form::Text, "Who published it, where."),
    key("notation", Form::Text, "Whose symbols: plain, ng, nielsen, mazur, matrix."),
    key("language", Form::Text, "The language of the page: en, ko."),
    key("inputs", Form::Inputs, "The numbers of one example, or a list of examples."),
    key("targets", Form::Inputs, "The target of each output, for one example or a list of examples."),
    key("example_weights", Form::Numbers, "How often each example counts."),
    key("input_names", Form::Texts, "What the inputs are called."),
    key("output_names", Form::Texts, "What the outputs are called: classes or targets."),
    key("cost", Form::TextOrTable, "What is made small: squared_error, softmax_cross_entropy, ..."),
    key("l1", Form::Number, "The strength of L1 on all weights."),
    key("l2", Form::Number, "The strength of L2 on all weights."),
    key("divide_by_batch", Form::Truth, "Whether the strengths are divided by the number of examples."),
    key("optimizer", Form::TextOrTable, "How a gradient changes a weight; sgd where none is given."),
    key("steps_done", Form::Count, "How many steps of the optimizer there were before."),
    key(
        "optimizer_state",
        Form::NamedNumbers,
        "What the optimizer keeps from them, by the names of parameters: a list for each number that it keeps of a weight.",
    ),
    key("learning_rate", Form::Number, "The factor of a step."),
    key("clip_norm", Form::Number, "The largest norm of the whole gradient."),
    key("fixed", Form::Texts, "What the step leaves as it is: biases, or names of parameters."),
    key(
        "training",
        Form::Truth,
        "Whether dropout drops, and batch norm takes the batch's own mean and variance.",
    ),
    key("seed", Form::Count, "Where numbers come from that are not given."),
    key("image", Form::Table, "The shape of an example that is an image: height, width, channels."),
    key(LAYER, Form::Layers, "The layers, from the inputs to the outputs."),
    key("network", Form::Table, "Instead of layers: a network with several inputs, as in a model file."),
    key("parameters", Form::NamedNumbers, "The numbers of that network, by the names of its parameters."),
    key("expression", Form::Text, "Instead of a network: a formula, or lines like `c = a + b`."),
    key(AT, Form::NamedNumbers, "The numbers of its variables."),
    key("expect", Form::Expectations, "Numbers that must come out, to their last digit."),
];

/// The keys of a layer beside its own settings.
pub(super) const IN_LAYER: &[Key] = &[
    key("kind", Form::Text, "The kind of layer; dense where none is given."),
    key("weights", Form::Inputs, "A row for each unit, with a number for each of its inputs."),
    key("biases", Form::Numbers, "A number for each unit; without it, a layer with weights has none."),
    key("activation", Form::TextOrTable, "The function of each weighted sum."),
    key("unit_names", Form::Texts, "What its units are called."),
    key("weight_names", Form::Inputs, "What its weights are called: `[[\"w1\", \"w2\"], [\"w3\", \"w4\"]]`."),
    key("bias_names", Form::Texts, "What its biases are called."),
];

/// The keys of what is expected.
pub(super) const IN_EXPECTATION: &[Key] = &[
    key("quantity", Form::Text, "What it is: `out_h1`, `dE/dw5`, `w5 after a step`."),
    key("value", Form::Number, "The number, to as many digits as are known."),
    key("below", Form::Number, "Instead of a value: what it stays below."),
    key("at_least", Form::Number, "Instead of a value: what it reaches."),
    key("source", Form::Text, "Where the number comes from: published, computed, ..."),
    key("erratum", Form::Text, "Why the number is wrong, where it is known to be."),
];

/// The JSON Schema of an example, as a file (TOML) and as version 2 of the JSON form.
pub fn schema() -> Value {
    let table = |keys: &[Key], is_closed: bool| {
        let properties: serde_json::Map<String, Value> =
            keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
        json!({ "type": "object", "properties": properties, "additionalProperties": !is_closed })
    };
    let mut root = table(FILE, true);
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("A worked example of back propagation");
    root["$defs"] = json!({
        "numbers": {
            "description": "A number, or lists of them as deep as its shape has axes.",
            "anyOf": [{ "type": ["number", "string"] }, { "type": "array", "items": { "$ref": "#/$defs/numbers" } }]
        },
        "layer": table(IN_LAYER, false),
        "expectation": table(IN_EXPECTATION, true),
    });
    root["$defs"]["layer"]["properties"]["kind"]["enum"] = json!(crate::network::Layer::KINDS);
    root["$defs"]["expectation"]["required"] = json!(["quantity"]);
    root
}

fn property(key: &Key) -> Value {
    let list = |items: Value| json!({ "type": "array", "items": items });
    let mut form = match key.form {
        Form::Text => json!({ "type": "string" }),
        Form::Texts => list(json!({ "type": "string" })),
        // An expected number may be a text, which keeps its digits.
        Form::Number => json!({ "type": ["number", "string"] }),
        Form::Count => json!({ "type": "integer", "minimum": 0 }),
        Form::Truth => json!({ "type": "boolean" }),
        Form::Numbers => list(json!({ "type": "number" })),
        Form::Table => json!({ "type": "object" }),
        Form::TextOrTable => json!({ "type": ["string", "object"] }),
        Form::Layers => list(json!({ "$ref": "#/$defs/layer" })),
        Form::Expectations => list(json!({ "$ref": "#/$defs/expectation" })),
        Form::NamedNumbers => {
            json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/numbers" } })
        }
        Form::Inputs => json!({ "$ref": "#/$defs/numbers" }),
    };
    form["description"] = json!(key.doc);
    form
}
