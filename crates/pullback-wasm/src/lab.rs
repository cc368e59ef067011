//! What is open, and which question goes where.

use crate::glass::{self, Glass, GlassAsk};
use crate::model::{self, ModelAsk};
use crate::quiz::{self, QuizAsk};
use crate::train::{self, Runs, TrainAsk};
use pullback::Model;
use pullback::error::{Error, Result};
use pullback::explain::Expression;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An answer: JSON, and numbers that belong to it.
pub(crate) type Answer = pullback::Result<(Value, Vec<f32>)>;

/// Everything that a page has opened.
#[derive(Debug, Default)]
pub struct Lab {
    last: u32,
    glasses: BTreeMap<u32, Glass>,
    models: BTreeMap<u32, Model<f64>>,
    runs: Runs,
}

impl Lab {
    /// Answers a message of bytes.
    pub fn answer_bytes(&mut self, message: &[u8]) -> Vec<u8> {
        let (json, bytes) = parted(message).unwrap_or(("", &[]));
        let (json, numbers) = self.answer(json, bytes);
        let json = json.to_string();
        let mut message = (json.len() as u32).to_le_bytes().to_vec();
        message.extend(json.into_bytes());
        message.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        message
    }

    /// Answers a question, with the bytes of a file that it is about.
    pub fn answer(&mut self, question: &str, file: &[u8]) -> (Value, Vec<f32>) {
        let answer = self.ask(question, file);
        match answer {
            Ok((json, numbers)) => (json!({ "ok": json }), numbers),
            Err(error) => (json!({ "error": told(&error) }), Vec::new()),
        }
    }

    /// What the page writes as `{"op": "close", "id": 1}` is read as `{"close": {"id": 1}}`: for an enum of that form
    /// serde takes a fraction of the code.
    fn ask(&mut self, question: &str, file: &[u8]) -> Answer {
        let mut fields: Map<String, Value> = serde_json::from_str(question).map_err(no_question)?;
        let Some(Value::String(op)) = fields.remove("op") else {
            return Err(no_question("it has no `op`"));
        };
        let id = fields.get("id").and_then(Value::as_u64).unwrap_or_default() as u32;
        let question = Value::Object(Map::from_iter([(op.clone(), Value::Object(fields))]));
        if let Some(ask) = known(&op, &question)? {
            return self.model(&ask, file);
        }
        if let Some(ask) = known(&op, &question)? {
            return self.glass(ask);
        }
        if let Some(ask) = known(&op, &question)? {
            return self.quiz(&ask);
        }
        if let Some(ask) = known::<TrainAsk>(&op, &question)? {
            self.last += 1;
            return self.runs.answer(ask, self.last);
        }
        if let Some(about) = known::<glass::About>(&op, &question)? {
            let glass = self.glasses.get_mut(&id);
            let unknown = || Error::configuration(format!("nothing is open as {id}"));
            return Ok((glass.ok_or_else(unknown)?.answer(&about)?, Vec::new()));
        }
        match known::<train::About>(&op, &question)? {
            Some(about) => self.runs.answer_about(id, &about),
            None => Err(no_question(format!("there is no op `{op}`"))),
        }
    }

    fn model(&mut self, ask: &ModelAsk, file: &[u8]) -> Answer {
        let json = match ask {
            ModelAsk::Model {} => {
                let model = Model::from_bytes(file)?;
                let mut described = model::described(&model)?;
                self.last += 1;
                described["id"] = self.last.into();
                self.models.insert(self.last, model);
                described
            }
            ModelAsk::Row(row) => {
                let unknown = || Error::configuration(format!("no model is open as {}", row.model));
                model::row(self.models.get(&row.model).ok_or_else(unknown)?, row)?
            }
            ModelAsk::Tensors { hidden, output, cost } => model::tensors(file, hidden, output, cost)?,
        };
        Ok((json, Vec::new()))
    }

    fn quiz(&mut self, ask: &QuizAsk) -> Answer {
        let json = match (ask, ask.id()) {
            (QuizAsk::Lesson { text, source }, _) => quiz::lesson(text, source.as_deref())?,
            (_, id) => {
                let unknown = || Error::configuration("nothing is open there");
                id.and_then(|id| self.glasses.get_mut(&id)).ok_or_else(unknown)?.quiz(ask)?
            }
        };
        Ok((json, Vec::new()))
    }

    fn glass(&mut self, ask: GlassAsk) -> Answer {
        let json = match ask {
            GlassAsk::Open(open) => {
                let glass = Glass::open(&open)?;
                let mut opened = glass.opened(open.language.as_deref())?;
                self.last += 1;
                opened["id"] = self.last.into();
                self.glasses.insert(self.last, glass);
                opened
            }
            GlassAsk::Close { id } => {
                self.glasses.remove(&id);
                Value::Null
            }
            GlassAsk::Words { language } => glass::words(&language)?,
            GlassAsk::Say { language, key, values } => glass::say(&language, &key, &values)?,
            GlassAsk::Needs { expression } => Expression::needs(&expression)?.into(),
            GlassAsk::Examples {} => glass::examples()?,
        };
        Ok((json, Vec::new()))
    }
}

/// A question of a kind, if its op is of that kind.
fn known<'q, Q: Deserialize<'q>>(op: &str, question: &'q Value) -> Result<Option<Q>> {
    match Q::deserialize(question) {
        Ok(ask) => Ok(Some(ask)),
        Err(error) if error.to_string().starts_with(&format!("unknown variant `{op}`")) => Ok(None),
        Err(error) => Err(no_question(error)),
    }
}

fn no_question(why: impl std::fmt::Display) -> Error {
    Error::configuration(format!("not a question: {why}"))
}

/// The JSON of a message, and what follows it.
fn parted(message: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = message.split_first_chunk::<4>()?;
    let (json, bytes) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((std::str::from_utf8(json).ok()?, bytes))
}

/// An error as the page shows it.
fn told(error: &Error) -> Value {
    json!({
        "what": error.what(),
        "place": error.place().map(ToString::to_string),
        "help": error.help_text(),
    })
}
