//! What the page asks of examples, models and lessons: all but training.
//!
//! It is a crate of its own because the compiler optimizes by crates: a question here is answered once for a click, so
//! this is compiled to be small; `pullback-wasm`, which trains, is compiled to be fast. A question is an `op` with
//! [`Fields`]; what is opened stays under a number until it is closed.

mod fields;
mod glass;
mod model;
mod quiz;

pub use fields::{Fields, no_question, text};
pub use glass::{catalog, learn};
pub use model::Models;

use glass::{Glass, GlassAsk};
use pullback::compact::Map;
use pullback::error::{Error, Result};
use pullback::explain::Expression;
use quiz::QuizAsk;
use serde_json::Value;

/// The examples that are open.
#[derive(Debug, Default)]
pub struct Opened {
    last: u32,
    glasses: Map<u32, Glass>,
}

impl Opened {
    /// A number under which nothing is open.
    fn number(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    /// Answers a question; absent if its op is none of these.
    ///
    /// # Errors
    /// What is wrong with the question, or with what it is about.
    pub fn answer(&mut self, op: &str, fields: &mut Fields) -> Result<Option<Value>> {
        if let Some(ask) = GlassAsk::read(op, fields)? {
            return self.glass(ask).map(Some);
        }
        if let Some(ask) = QuizAsk::read(op, fields)? {
            return self.quiz(&ask).map(Some);
        }
        let Some(about) = glass::About::read(op, fields)? else { return Ok(None) };
        let id = fields.id("id")?;
        let glass = self.glasses.get_mut(&id);
        let unknown = || Error::configuration(format!("nothing is open as {id}"));
        glass.ok_or_else(unknown)?.answer(&about).map(Some)
    }

    fn quiz(&mut self, ask: &QuizAsk) -> Result<Value> {
        match (ask, ask.id()) {
            (QuizAsk::Lesson { text, source }, _) => quiz::lesson(text, source.as_deref()),
            (_, id) => {
                let unknown = || Error::configuration("nothing is open there");
                id.and_then(|id| self.glasses.get_mut(&id)).ok_or_else(unknown)?.quiz(ask)
            }
        }
    }

    fn glass(&mut self, ask: GlassAsk) -> Result<Value> {
        Ok(match ask {
            GlassAsk::Open(open) => {
                let glass = Glass::open(&open)?;
                let mut opened = glass.opened(open.language.as_deref())?;
                let id = self.number();
                opened["id"] = id.into();
                self.glasses.insert(id, glass);
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
        })
    }
}
