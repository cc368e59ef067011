//! A trained model, opened: what it takes, what it predicts for a row, and the row as an example with all its numbers.

use crate::fields::Fields;
use pullback::Model;
use pullback::compact::{Map, sort_by_key};
use pullback::data::{Bytes, Categories, Column, Encoding, Feature, Table, Target, Times, Values};
use pullback::error::{Error, Result};
use pullback::explain::{PredictedRow, WorkedExample, predicted_row, worked_rows};
use pullback::network::Mode;
use serde_json::{Value, json};

/// The models that are open.
#[derive(Debug, Default)]
pub struct Models {
    last: u32,
    open: Map<u32, Model<f64>>,
}

impl Models {
    /// Answers a question, with the bytes of a file that it is about; absent if its op is none of these.
    ///
    /// # Errors
    /// What is wrong with the question, or with what it is about.
    pub fn answer(&mut self, op: &str, fields: &mut Fields, file: &[u8]) -> Result<Option<Value>> {
        let Some(ask) = ModelAsk::read(op, fields)? else { return Ok(None) };
        Ok(Some(match &ask {
            ModelAsk::Model {} => {
                let model = Model::from_bytes(file)?;
                let mut described = described(&model)?;
                self.last += 1;
                described["id"] = self.last.into();
                self.open.insert(self.last, model);
                described
            }
            ModelAsk::Row(own) => {
                let unknown = || Error::configuration(format!("no model is open as {}", own.model));
                row(self.open.get(&own.model).ok_or_else(unknown)?, own)?
            }
            ModelAsk::Tensors { hidden, output, cost } => tensors(file, hidden, output, cost)?,
        }))
    }
}

/// A page keeps a copy of every number of the network that it shows.
const MOST_WEIGHTS: usize = 500_000;

/// A question about models.
enum ModelAsk {
    /// Opens the file that comes with the question.
    Model {},
    /// A row, and what the model makes of it.
    Row(Row),
    /// A file of another library that comes with the question: its matrices, in the order of their names, as dense
    /// layers.
    Tensors { hidden: String, output: String, cost: String },
}

struct Row {
    model: u32,
    /// Which network of an ensemble, counted from 0.
    member: Option<usize>,
    own: Cells,
    /// Further rows of the batch.
    others: Vec<Cells>,
    /// Whether the network is as in training: statistics of the batch and dropout's masks instead of running averages.
    is_training: bool,
}

/// A row as it is written in a table.
struct Cells {
    /// The cell of each column: a text, or a list of bytes for an image.
    cells: Map<String, Value>,
    /// The target of each output, as in the data.
    target: Vec<String>,
}

impl ModelAsk {
    /// The question that an op is, if it is one of these.
    fn read(op: &str, fields: &mut Fields) -> Result<Option<Self>> {
        Ok(Some(match op {
            "model" => Self::Model {},
            "row" => Self::Row(Row {
                model: fields.id("model")?,
                member: fields.optional_count("member")?,
                own: Cells::read(fields)?,
                others: fields
                    .optional_objects("others")?
                    .iter_mut()
                    .map(Cells::read)
                    .collect::<Result<_>>()?,
                is_training: fields.optional_flag("is_training")?.unwrap_or(false),
            }),
            "tensors" => Self::Tensors {
                hidden: fields.text("hidden")?,
                output: fields.text("output")?,
                cost: fields.text("cost")?,
            },
            _ => return Ok(None),
        }))
    }
}

impl Cells {
    fn read(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            cells: fields.named("cells", "cells by their columns", Some)?,
            target: fields.texts("target")?,
        })
    }
}

/// What the page must know of a model.
fn described(model: &Model<f64>) -> Result<Value> {
    let trained = model.trained().map_err(|_| {
        Error::model("the file holds a network without the preprocessing of its data")
            .help("open it as a file of another library")
    })?;
    let count: usize = model.parameters().iter().map(Vec::len).sum();
    if count > MOST_WEIGHTS {
        let error = Error::model(format!("the network has {count} weights, more than a page can show"));
        return Err(error.help("see it with `pullback explain`"));
    }
    let columns: Vec<Value> = trained.preprocessing.features().iter().map(column).collect();
    let target = trained.preprocessing.target();
    Ok(json!({
        "description": serde_json::to_value(model.description()).map_err(|error| Error::model(error.to_string()))?,
        "weights": count,
        "members": model.member_count(),
        "columns": columns,
        "target": {
            "names": target.names(),
            "classes": trained.preprocessing.spelled_classes(),
            "outputs": target.target().outputs(),
        },
    }))
}

fn column(feature: &Feature) -> Value {
    let mut json = json!({ "name": feature.name });
    match &feature.encoding {
        Encoding::Numeric(own) => {
            json["kind"] = "number".into();
            json["usual"] = own.fill().into();
        }
        Encoding::Categorical(own) => {
            json["kind"] = "category".into();
            json["categories"] = own.categories().into();
        }
        Encoding::Time(_) => json["kind"] = "time".into(),
        Encoding::Bytes(own) => {
            json["kind"] = "image".into();
            json["shape"] = own.shape().into();
        }
        _ => json["kind"] = "number".into(),
    }
    json
}

/// The row as an example, what is predicted for it, and by how much each input would change the prediction.
fn row(model: &Model<f64>, row: &Row) -> Result<Value> {
    let own = match row.member {
        None | Some(0) if model.member_count() == 1 => None,
        member => Some(model.member(member.unwrap_or(0)).ok_or_else(|| {
            Error::configuration("there is no such network")
                .help(format!("the model has {}, counted from 0", model.member_count()))
        })?),
    };
    let model = own.as_ref().unwrap_or(model);
    let preprocessing = model.trained()?.preprocessing;
    let rows: Vec<&Cells> = std::iter::once(&row.own).chain(&row.others).collect();
    let mut columns = Vec::new();
    for feature in preprocessing.features() {
        let given: Vec<_> = rows.iter().map(|row| row.cells.get(&feature.name)).collect();
        columns.push(Column::new(feature.name.clone(), cells(feature, &given)?));
    }
    let target = preprocessing.target();
    for (at, name) in target.names().iter().enumerate() {
        let texts: Vec<&str> =
            rows.iter().map(|row| row.target.get(at).map_or("", String::as_str).trim()).collect();
        let values = match target.target() {
            Target::Regression { .. } => {
                Values::Numbers(texts.iter().map(|text| number(name, text)).collect::<Result<_>>()?)
            }
            _ => Values::Categories(Categories::from_texts(texts.into_iter().map(Some))),
        };
        columns.push(Column::new(name.clone(), values));
    }
    let table = Table::new("the row", columns)?;
    let names = target.output_names();
    let PredictedRow { prediction, gradient } = predicted_row(model, &table)?;
    let mode = if row.is_training { Mode::Training } else { Mode::Evaluation };
    let worked: WorkedExample = worked_rows(model, &table, 0..rows.len(), mode, names.clone())?;
    let classes = prediction.classes.as_ref();
    Ok(json!({
        "state": worked.to_json(),
        "outputs": names,
        "prediction": prediction.numbers,
        "likely": classes.map(|classes| classes.first().copied().unwrap_or(0)),
        "saliency": gradient,
        "inputs": preprocessing.input_names(),
        "warnings": prediction.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }))
}

/// The cells of a column as the model reads it; an empty one is missing.
fn cells(feature: &Feature, given: &[Option<&Value>]) -> Result<Values> {
    let texts = given.iter().map(|cell| cell.and_then(Value::as_str).unwrap_or("").trim());
    let numbers = |texts: &mut dyn Iterator<Item = &str>| {
        texts.map(|text| number(&feature.name, text)).collect::<Result<Vec<f64>>>()
    };
    let mut texts = texts;
    Ok(match &feature.encoding {
        Encoding::Categorical(_) => Values::Categories(Categories::from_texts(
            texts.map(|text| Some(text).filter(|text| !text.is_empty())),
        )),
        Encoding::Time(own) => {
            Values::Times(Times { seconds: numbers(&mut texts)?, is_day_first: own.is_day_first() })
        }
        Encoding::Bytes(own) => {
            let bytes = given.iter().flat_map(|cell| cell.and_then(Value::as_array).into_iter().flatten());
            let bytes: Vec<u8> = bytes.filter_map(Value::as_u64).map(|byte| byte.min(255) as u8).collect();
            Values::Bytes(Bytes::new(bytes, own.shape().to_vec(), u8::MAX)?)
        }
        _ => Values::Numbers(numbers(&mut texts)?),
    })
}

fn number(name: &str, text: &str) -> Result<f64> {
    if text.is_empty() {
        return Ok(f64::NAN);
    }
    text.parse::<f64>().ok().filter(|x| x.is_finite()).ok_or_else(|| {
        Error::data(format!("`{text}` is no number, and {name} takes one"))
            .help("write it with a decimal point")
    })
}

/// The matrices of a safetensors file as the layers of an example whose inputs are 0.
fn tensors(file: &[u8], hidden: &str, output: &str, cost: &str) -> Result<Value> {
    let wrong = |what: String| Error::model(what).help("give a safetensors file of dense layers");
    let parsed = safetensors::SafeTensors::deserialize(file).map_err(|error| wrong(error.to_string()))?;
    let mut named = parsed.tensors();
    // The order of layers: numbers in names by their size.
    sort_by_key(&mut named, |(name, _)| {
        let parts = name.split(|letter: char| !letter.is_ascii_digit());
        let numbers: Vec<u64> = parts.filter_map(|part| part.parse().ok()).collect();
        (numbers, name.clone())
    });
    let mut layers: Vec<serde_json::Map<String, Value>> = Vec::new();
    let mut width = None;
    for (name, tensor) in &named {
        let numbers = numbers(tensor).ok_or_else(|| wrong(format!("{name} holds no real numbers")))?;
        match *tensor.shape() {
            [units, inputs] => {
                if width.is_some_and(|width| width != inputs) {
                    let before = width.unwrap_or_default();
                    return Err(wrong(format!(
                        "{name} reads {inputs} numbers, and the layer before it makes {before}"
                    )));
                }
                if units * inputs > MOST_WEIGHTS {
                    return Err(wrong(format!(
                        "{name} has {} weights, more than a page can show",
                        units * inputs
                    )));
                }
                width = Some(units);
                let rows: Vec<&[f64]> = numbers.chunks_exact(inputs.max(1)).collect();
                layers.push(FromIterator::from_iter([("weights".to_owned(), json!(rows))]));
            }
            [units] if width == Some(units) => {
                if let Some(layer) = layers.last_mut() {
                    layer.insert("biases".to_owned(), json!(numbers));
                }
            }
            _ => {
                return Err(wrong(format!(
                    "{name} is of shape {:?}, which no dense layer has",
                    tensor.shape()
                )));
            }
        }
    }
    let (Some(first), Some(width)) = (layers.first(), width) else {
        return Err(wrong("there is no matrix".into()));
    };
    let inputs = first["weights"][0].as_array().map_or(0, Vec::len);
    let last = layers.len() - 1;
    for (at, layer) in layers.iter_mut().enumerate() {
        layer.insert("activation".to_owned(), if at == last { output } else { hidden }.into());
    }
    let state = json!({
        "inputs": vec![0.0; inputs],
        "targets": (0..width).map(|unit| if unit == 0 { 1.0 } else { 0.0 }).collect::<Vec<_>>(),
        "cost": cost,
        "layer": layers,
        "learning_rate": 0.1,
    });
    Ok(WorkedExample::from_json(&state, "the file")?.to_json())
}

fn numbers(tensor: &safetensors::tensor::TensorView<'_>) -> Option<Vec<f64>> {
    use safetensors::Dtype;
    let data = tensor.data();
    Some(match tensor.dtype() {
        Dtype::F64 => data.as_chunks::<8>().0.iter().map(|own| f64::from_le_bytes(*own)).collect(),
        Dtype::F32 => data.as_chunks::<4>().0.iter().map(|own| f64::from(f32::from_le_bytes(*own))).collect(),
        // The upper half of an f32.
        Dtype::BF16 => {
            let wide = |own: &[u8; 2]| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(*own)) << 16));
            data.as_chunks::<2>().0.iter().map(wide).collect()
        }
        _ => return None,
    })
}
