//! What is open, and which question goes where.

#[cfg(feature = "train")]
use crate::train::Runs;
use pullback::error::Error;
#[cfg(feature = "train")]
use pullback_glass::Models;
#[cfg(feature = "explain")]
use pullback_glass::Opened;
use pullback_glass::{Fields, learn, no_question};
use serde_json::{Value, json};

/// An answer: JSON, and numbers that belong to it.
pub(crate) type Answer = (Value, Vec<f32>);

/// Everything that a page has opened.
#[derive(Debug, Default)]
pub struct Lab {
    #[cfg(feature = "explain")]
    opened: Opened,
    #[cfg(feature = "train")]
    models: Models,
    #[cfg(feature = "train")]
    runs: Runs,
}

impl Lab {
    /// Answers a message of bytes.
    pub fn answer_bytes(&mut self, message: &[u8]) -> Vec<u8> {
        let (json, bytes) = parted(message).unwrap_or(("", &[]));
        let (json, numbers) = self.answer(json, bytes);
        let json = serde_json::to_vec(&json).expect("a value can be written");
        let mut message = (json.len() as u32).to_le_bytes().to_vec();
        message.extend(json);
        message.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        message
    }

    /// Answers a question, with the bytes of a file that it is about.
    pub fn answer(&mut self, question: &str, file: &[u8]) -> Answer {
        let answer = self.ask(question, file);
        match answer {
            Ok((json, numbers)) => (json!({ "ok": json }), numbers),
            Err(error) => (json!({ "error": told(&error) }), Vec::new()),
        }
    }

    fn ask(&mut self, question: &str, file: &[u8]) -> pullback::Result<Answer> {
        let mut fields = Fields::parse(question)?;
        let op = fields.text("op")?;
        if op == "learn" {
            learn(&fields.text("language")?, file)?;
            return Ok((Value::Null, Vec::new()));
        }
        #[cfg(feature = "train")]
        if let Some(answer) = self.runs.answer(&op, &mut fields)? {
            return Ok(answer);
        }
        #[cfg(feature = "train")]
        if let Some(json) = self.models.answer(&op, &mut fields, file)? {
            return Ok((json, Vec::new()));
        }
        #[cfg(feature = "explain")]
        if let Some(json) = self.opened.answer(&op, &mut fields)? {
            return Ok((json, Vec::new()));
        }
        Err(no_question(format!("there is no op `{op}`")))
    }
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
