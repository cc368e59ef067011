//! A model file is believed no further than it can be checked: its document is changed everywhere, one place at a
//! time, and the bytes of the file at random. What is loaded all the same says what it does: written again, it is the
//! changed document, and it predicts without a panic and in little memory.

use super::allocation::peak_bytes;
use pullback::data::{
    Bytes, Categories, Column, DataOptions, Imputation, Preprocessing, Scaling, Table, Task, Times, Values,
    builtin,
};
use pullback::model::{Began, Fingerprint, Model, Partition, Run, Temperature, Test};
use pullback::network::layers::{BatchNorm, Convolution, LayerNorm};
use pullback::network::{Activation, Cost, Image, Layer, Network, Padding};
use pullback::random::{Purpose, Random};
use pullback::train::{EarlyStopping, Machine, Optimizer, Schedule, Shape, Silent, Training, train};
use safetensors::SafeTensors;
use serde_json::{Value, json};

/// No model of these tests needs so much, however it is changed.
const MOST_BYTES: usize = 100_000_000;

/// A model that was trained for a few epochs on all rows but the last two.
fn trained(table: &Table, options: &DataOptions, change: impl Fn(&mut Network)) -> Model<f32> {
    let rows: Vec<usize> = (0..table.rows() - 2).collect();
    let (rows, watched) = rows.split_at(table.rows() - 3);
    let preprocessing = Preprocessing::fit(table, rows, options).unwrap();
    let data = preprocessing.apply::<f32>(table).unwrap();
    let target = preprocessing.target().target();
    let cost = match target.task() {
        Task::Binary | Task::Labels => Cost::SigmoidCrossEntropy,
        Task::Classes => Cost::SoftmaxCrossEntropy,
        Task::Regression => Cost::Huber(1.5),
    };
    let mut network =
        Network::dense(preprocessing.inputs(), &[3], target.outputs(), Activation::LeakyRelu(0.02), cost);
    change(&mut network);
    let training = Training {
        epochs: 3,
        optimizer: Optimizer::Momentum { momentum: 0.5 },
        learning_rate: Some(0.01),
        schedule: Schedule { warmup_epochs: 0.5, shape: Shape::Step { epochs: 2, factor: 0.5 } },
        early_stopping: Some(EarlyStopping { patience: 2, least_improvement: 0.0 }),
        clip_norm: Some(5.0),
        seed: 7,
        ..Training::default()
    };
    let machine = Machine::with_threads(1);
    let trained = train(&network, &training, &data, rows, watched, &machine, &mut Silent).unwrap();
    let held_out = Test::HeldOut(vec![table.rows() - 2, table.rows() - 1]);
    let run = Run {
        training,
        history: trained.history,
        data: Some(Fingerprint::of(table, rows.len()).unwrap()),
        rows: Some(Partition::new(table.rows(), watched.to_vec(), held_out).unwrap()),
        configuration: json!({ "data": "t.csv", "seed": 7, "nested": { "list": [1, 2.5, null, true] } }),
        began: Some(Began {
            model: "old.safetensors".into(),
            hash: "0123456789abcdef".into(),
            epochs: 4,
            data: Some(Fingerprint::of(table, rows.len()).unwrap()),
            has_new_head: false,
        }),
    };
    let model = Model::new(network, trained.parameters).unwrap();
    model.with_preprocessing(preprocessing).unwrap().with_run(run).unwrap()
}

fn first_rows(table: &Table, count: usize) -> Table {
    // Tables are sorted by class: among the rows that are trained on, there must be all.
    let place = |row: usize| row * 5 % count * (table.rows() / count);
    table.select(&(0..count).map(place).collect::<Vec<_>>()).unwrap()
}

/// Models of every kind, each with rows to predict for.
fn models() -> Vec<(&'static str, Model<f32>, Table)> {
    let numbers = |name: &str, numbers: &[f64]| Column::new(name, Values::Numbers(numbers.to_vec()));
    let texts = |name: &str, texts: &[Option<&str>]| {
        Column::new(name, Values::Categories(Categories::from_texts(texts.iter().copied())))
    };
    let targets = |names: &[&str]| DataOptions {
        target: names.iter().map(|name| (*name).to_owned()).collect(),
        ..DataOptions::default()
    };
    let iris = first_rows(&builtin::load("iris", 0).unwrap(), 12);
    let classes = trained(&iris, &targets(&["species"]), |network| {
        network.layers.insert(1, BatchNorm { momentum: 0.2, epsilon: 1e-4 }.into());
        network.layers.insert(3, Layer::dropout(0.1));
        network.layers.insert(4, LayerNorm { epsilon: 1e-4 }.into());
        network.regularization.l2 = 0.01;
    });
    let classes = classes.with_temperature(Some(Temperature::new(1.5).unwrap())).unwrap();
    let seconds = [0.0, 1e7, f64::NAN, 5e7, 9.9e8, 1.2345e9, 0.0, 1e8].to_vec();
    let times = Times { seconds, is_day_first: Some(true) };
    let mixed = Table::new(
        "mixed.csv",
        vec![
            numbers("x", &[0.0, 1.0, f64::NAN, 3.0, 4.0, 5.0, 2.0, 1.0]).with_unit(Some("kg".to_owned())),
            texts(
                "c",
                &[Some("red"), None, Some("blue"), Some("red"), None, Some("green"), Some("blue"), None],
            ),
            numbers("a", &[0.5, 1.5, 2.5, 3.5, 0.1, 0.2, 0.3, 0.4]),
            numbers("b", &[10.5, 1.5, 22.5, 3.5, 10.1, 7.2, 1.3, 5.4]),
            Column::new("d", Values::Times(times)),
            texts("t", &["yes", "no", "yes", "no", "yes", "no", "yes", "no"].map(Some)),
            numbers("l", &[0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0]),
        ],
    )
    .unwrap();
    let missing =
        DataOptions { imputation: Imputation::MostFrequent, scaling: Scaling::MinMax, ..targets(&["t"]) };
    let pixels: Vec<u8> = (0..8 * 36).map(|at| (at * 37 % 251) as u8).collect();
    let images = Table::new(
        "images",
        vec![
            Column::new("image", Values::Bytes(Bytes::new(pixels, vec![6, 6], 255).unwrap())),
            texts("t", &["a", "b", "c", "a", "b", "c", "a", "b"].map(Some)),
        ],
    )
    .unwrap();
    let of_images = trained(&images, &targets(&["t"]), |network| {
        network.image = Some(Image { height: 6, width: 6, channels: 1 });
        let convolution =
            Convolution { padding: Padding::Same, l2: Some(0.1), ..Convolution::new(2, 3) }.into();
        network.layers.splice(0..0, [convolution, Layer::max_pool(2)]);
    });
    let robust = DataOptions { scaling: Scaling::Robust, ..targets(&["a"]) };
    let alone = trained(&mixed, &robust, |_| {});
    let preprocessing = alone.preprocessing().unwrap().clone();
    let wider = trained(&mixed, &robust, |network| network.layers.insert(1, Layer::dropout(0.2)));
    let ensemble = Model::ensemble(vec![alone, wider.with_preprocessing(preprocessing).unwrap()]).unwrap();
    vec![
        ("classes", classes, iris),
        ("two targets", trained(&mixed, &targets(&["a", "b"]), |_| {}), mixed.clone()),
        ("ensemble", ensemble, mixed.clone()),
        ("binary, missing", trained(&mixed, &missing, |_| {}), mixed.clone()),
        ("images", of_images, images),
        ("labels", trained(&mixed, &targets(&["t", "l"]), |_| {}), mixed),
    ]
}

/// The document in a model file.
fn document(bytes: &[u8]) -> Value {
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    serde_json::from_str(&header.metadata().as_ref().unwrap()["pullback"]).unwrap()
}

/// The same file with another document.
fn with_document(bytes: &[u8], document: &str) -> Vec<u8> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    safetensors::serialize(tensors.tensors(), Some([("pullback".to_owned(), document.to_owned())].into()))
        .unwrap()
}

/// Every way to change one place of a document: what was changed, and the document as text.
fn mutants(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    walk(document, document, &mut path, &mut found);
    found
}

fn walk(root: &Value, at: &Value, path: &mut Vec<String>, found: &mut Vec<(String, String)>) {
    let pointer: String =
        path.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
    let mut changes: Vec<(String, Value)> = Vec::new();
    let mut change = |what: &str, to: Value| changes.push((what.to_owned(), to));
    match at {
        Value::Number(_) => {
            for number in [json!(0), json!(-1), json!(61), json!(0.5), json!(1e300), json!(u64::MAX)] {
                change(&format!("{at} -> {number}"), number);
            }
        }
        Value::String(text) => {
            for other in ["", "x", "1e300", "leaky_relu:1e300", "..//etc/passwd"] {
                change(&format!("{text:?} -> {other:?}"), json!(other));
            }
            change("a letter more", json!(format!("{text}A")));
        }
        Value::Bool(value) => change("flipped", json!(!value)),
        Value::Null => [json!(0), json!(61), json!(1e300), json!("x")]
            .into_iter()
            .for_each(|to| change(&format!("null -> {to}"), to)),
        Value::Array(items) => {
            change("emptied", json!([]));
            change("shortened", json!(items[..items.len().saturating_sub(1)]));
            for item in items.first().into_iter().chain(items.last()) {
                change("lengthened", json!([&items[..], std::slice::from_ref(item)].concat()));
            }
            if items.len() > 1 {
                change("turned", json!(items.iter().rev().collect::<Vec<_>>()));
            }
        }
        Value::Object(fields) => {
            change("emptied", json!({}));
            for key in fields.keys() {
                let mut without = fields.clone();
                without.remove(key);
                change(&format!("without {key}"), without.clone().into());
                without.insert(format!("{key}_"), fields[key].clone());
                change(&format!("{key} misspelt"), without.into());
                // A key that stands twice cannot be a value: it is put into the text.
                let mut marked = fields.clone();
                marked.insert("\u{1}".into(), fields[key].clone());
                let mut mutant = root.clone();
                *mutant.pointer_mut(&pointer).unwrap() = marked.into();
                let text = mutant.to_string().replace("\"\\u0001\":", &format!("{}:", json!(key)));
                found.push((format!("{pointer}: {key} twice"), text));
            }
        }
    }
    if at.is_string() || at.is_number() || at.is_boolean() {
        for other in [Value::Null, json!([]), json!({})] {
            changes.push((format!("{at} -> {other}"), other));
        }
    }
    for (what, to) in changes {
        let mut mutant = root.clone();
        *mutant.pointer_mut(&pointer).unwrap() = to;
        if mutant != *root {
            found.push((format!("{pointer}: {what}"), mutant.to_string()));
        }
    }
    let inner: Vec<(String, &Value)> = match at {
        Value::Array(items) => {
            items.iter().enumerate().map(|(place, item)| (place.to_string(), item)).collect()
        }
        Value::Object(fields) => fields.iter().map(|(key, item)| (key.clone(), item)).collect(),
        _ => Vec::new(),
    };
    for (key, item) in inner {
        path.push(key);
        walk(root, item, path, found);
        path.pop();
    }
}

/// Whether all that `said` says is in `done`, which may add what is usual; null says nothing.
fn is_kept(said: &Value, done: Option<&Value>) -> bool {
    match (said, done) {
        (Value::Null, _) => true,
        (Value::Object(said), Some(Value::Object(done))) => {
            said.iter().all(|(key, value)| is_kept(value, done.get(key)))
        }
        (Value::Array(said), Some(Value::Array(done))) => {
            said.len() == done.len() && said.iter().zip(done).all(|(said, done)| is_kept(said, Some(done)))
        }
        (Value::Number(said), Some(Value::Number(done))) => said.as_f64() == done.as_f64(),
        (said, done) => done == Some(said),
    }
}

/// Loads what may be a model and predicts with it; the model is written again as `said`.
fn check(what: &str, bytes: &[u8], said: Option<&Value>, table: &Table) -> Result<bool, String> {
    let (result, peak) = peak_bytes(|| {
        let Ok(model) = Model::<f32>::from_bytes(bytes) else { return Ok(false) };
        let again = model.to_bytes().unwrap();
        if let Some(said) = said {
            let done = document(&again);
            for (key, value) in said.as_object().unwrap() {
                if key != "version" && key != "format" && !is_kept(value, done.get(key)) {
                    return Err(format!("{what}: {key} became {:?}", done.get(key)));
                }
            }
        }
        let machine = Machine::with_threads(1);
        let predicted = model.predict(table, &machine);
        let same = Model::<f32>::from_bytes(&again).unwrap().predict(table, &machine);
        if format!("{predicted:?}") != format!("{same:?}") {
            return Err(format!("{what}: {predicted:?}, and then {same:?}"));
        }
        Ok(true)
    });
    if peak < MOST_BYTES { result } else { Err(format!("{what} takes {peak} bytes")) }
}

#[test]
fn a_changed_document_is_refused_or_means_what_it_says() {
    let mut wrong = Vec::new();
    for (name, model, table) in models() {
        let bytes = model.to_bytes().unwrap();
        let whole = document(&bytes);
        assert_eq!(check(name, &bytes, Some(&whole), &table), Ok(true));
        let mutants = mutants(&whole);
        assert!(mutants.len() > 500, "{name} has {} mutants", mutants.len());
        for (what, text) in mutants {
            let mut said: Value = serde_json::from_str(&text).unwrap();
            // Files hold a number of threads on which nothing depends.
            for place in ["/training/threads", "/members/0/training/threads"] {
                if let Some(threads) = said.pointer_mut(place).filter(|threads| threads.is_u64()) {
                    *threads = json!(0);
                }
            }
            let checked = check(&format!("{name}{what}"), &with_document(&bytes, &text), Some(&said), &table);
            let is_free = what.starts_with("/configuration");
            let must_fail = what.ends_with(" twice") || what.ends_with(" misspelt") && !is_free;
            match checked {
                Ok(true) if must_fail => wrong.push(format!("{name}{what} is loaded")),
                Ok(_) => {}
                Err(why) => wrong.push(why),
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn lies_that_were_believed_are_refused_with_the_reason() {
    let models = models();
    let of = |name: &str| models.iter().find(|model| model.0 == name).unwrap();
    let refused = |name: &str, pointer: &str, to: Value, parts: &[&str]| {
        let bytes = of(name).1.to_bytes().unwrap();
        let mut lie = document(&bytes);
        *lie.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer} in {name}")) = to;
        let error =
            Model::<f32>::from_bytes(&with_document(&bytes, &lie.to_string())).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    };
    refused(
        "binary, missing",
        "/preprocessing/features/1/encoding/missing",
        json!(61),
        &["61", "2 categories"],
    );
    refused("two targets", "/preprocessing/target/target/spreads", json!([1.0]), &["2 centers", "1 spreads"]);
    refused("two targets", "/preprocessing/target/target/spreads/1", json!(0.0), &["spread"]);
    refused("classes", "/preprocessing/target/target/classes/1", json!("setosa"), &["twice"]);
    refused("images", "/preprocessing/features/0/encoding/shape", json!([6, 7]), &["42 inputs", "36"]);
    refused(
        "images",
        "/preprocessing/features/0/encoding/shape",
        json!([1_u64 << 40, 1_u64 << 40]),
        &["cannot be inputs"],
    );
    let part = |name: &str| json!({ "part": name });
    refused("two targets", "/preprocessing/features/2/encoding/parts", json!([]), &["parts of the date"]);
    refused(
        "two targets",
        "/preprocessing/features/2/encoding/parts",
        json!([part("hour"), part("month"), part("hour")]),
        &["hour", "twice"],
    );
    for (field, lie) in [("spread", 0.0), ("spread", -1.0)] {
        let place = format!("/preprocessing/features/2/encoding/parts/0/{field}");
        refused("two targets", &place, json!(lie), &["dates cannot be scaled"]);
    }
    refused("classes", "/history/kept_epoch", json!(61), &["61"]);
    refused("classes", "/data/trained_rows", json!(3), &["rows"]);
    refused("classes", "/rows/test/rows", json!("?"), &["'?'"]);
    refused("classes", "/training/optimizer/momentum", json!(2), &["momentum"]);
    refused("classes", "/format", json!(61), &["format 61"]);

    let bytes = of("classes").1.to_bytes().unwrap();
    let mut later = document(&bytes);
    later["invented"] = json!(1);
    let refused = |document: &Value| {
        Model::<f32>::from_bytes(&with_document(&bytes, &document.to_string())).unwrap_err().to_string()
    };
    assert!(refused(&later).contains("`invented`"), "{}", refused(&later));
    later["format"] = json!(pullback::model::FORMAT + 1);
    later["version"] = json!("9.9.9");
    assert!(refused(&later).contains("9.9.9"), "{}", refused(&later));
}

#[test]
fn a_model_of_the_first_format_is_loaded_with_its_bits() {
    let (_, model, table) = models().swap_remove(0);
    let bytes = model.to_bytes().unwrap();
    let mut old = document(&bytes);
    old["format"] = json!(1);
    old.as_object_mut().unwrap().remove("rows");
    old["history"].as_object_mut().unwrap().remove("epoch_count");
    let loaded = Model::<f32>::from_bytes(&with_document(&bytes, &old.to_string())).unwrap();
    assert_eq!(loaded.parameters(), model.parameters());
    assert_eq!(loaded.run().unwrap().history, model.run().unwrap().history);
    assert_eq!(loaded.trained().unwrap().rows, None);
    let machine = Machine::with_threads(1);
    assert_eq!(loaded.predict(&table, &machine).unwrap(), model.predict(&table, &machine).unwrap());
}

#[test]
fn a_network_that_would_need_too_much_memory_is_refused() {
    // 1 x 1 convolutions have few weights and make any number of channels.
    let mut network = Network::dense(1, &[], 1, Activation::Identity, Cost::SquaredError);
    network.inputs = 1 << 20;
    network.image = Some(Image { height: 1 << 10, width: 1 << 10, channels: 1 });
    network.layers = vec![Layer::convolution(1000, 1), Layer::convolution(1, 1)];
    let parameters = network.initialize::<f32>(0).unwrap();
    let (error, peak) = peak_bytes(|| Model::new(network, parameters).unwrap_err().to_string());
    assert!(error.contains("numbers for each row"), "{error}");
    assert!(peak < MOST_BYTES, "{peak}");
}

#[test]
fn damaged_bytes_end_in_a_model_or_an_error() {
    let random = Random::new(11, Purpose::Sample, 0);
    for (name, model, table) in models() {
        let whole = model.to_bytes().unwrap();
        for trial in 0..200 {
            let mut bytes = whole.clone();
            for flip in 0..1 + trial % 3 {
                let at = random.below(6 * trial + 2 * flip, bytes.len());
                bytes[at] ^= 1 << random.below(6 * trial + 2 * flip + 1, 8);
            }
            if trial % 4 == 0 {
                bytes.truncate(random.below(10_000 + trial, bytes.len()));
            }
            check(&format!("{name}, trial {trial}"), &bytes, None, &table).unwrap();
        }
    }
}

#[test]
fn a_model_of_arrays_is_a_model() {
    let network = Network::dense(2, &[3], 1, Activation::Tanh, Cost::SigmoidCrossEntropy);
    let parameters = network.initialize::<f32>(1).unwrap();
    let model = Model::new(network.clone(), parameters.clone()).unwrap();
    let again = Model::<f32>::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(model, again);
    assert!(again.preprocessing().is_none() && again.run().is_none());
    assert!(again.trained().unwrap_err().to_string().contains("columns"));
    let features = pullback::data::Features::dense(vec![0.0_f32, 1.0, 1.0, 0.0], 2).unwrap();
    let predicted = again.predict_features(&features, &Machine::with_threads(1)).unwrap();
    assert_eq!((predicted.numbers.len(), predicted.classes.unwrap().len()), (2, 2));
    let table = builtin::load("xor", 0).unwrap();
    assert!(again.predict(&table, &Machine::with_threads(1)).unwrap_err().to_string().contains("arrays"));
    assert!(Model::new(network.clone(), vec![vec![0.0_f32]]).is_err());
    assert!(Model::new(network, parameters[..3].to_vec()).is_err());
}
