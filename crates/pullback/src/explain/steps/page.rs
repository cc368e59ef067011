//! The steps of an update as a page and as JSON.

use super::{Level, Pass, Steps};
use crate::error::{Error, Result};
use crate::explain::{Block, Catalog, Document};
use serde_json::{Value, json};

/// A layer of more multiply-adds has too many terms to be counted one by one.
const MOST_TERMS: usize = 1_000_000;
/// More steps are too many to be read or sent.
const MOST_STEPS: usize = 100_000;

impl Level {
    /// The names, from afar to close.
    pub const NAMES: &[&str] = &["pass", "layer", "example", "unit", "term"];

    const ALL: [Level; 5] = [Level::Pass, Level::Layer, Level::Example, Level::Unit, Level::Term];

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|own| *own == name).map(|at| Self::ALL[at])
    }

    /// Its name in the list.
    pub fn name(self) -> &'static str {
        Self::NAMES[Self::ALL.iter().position(|own| *own == self).unwrap_or(0)]
    }
}

impl Steps {
    /// The closest level at which there are no more steps than a page has lines for.
    pub fn fitting_level(&self, most: usize) -> Level {
        // Of a deep network, layers are what one can follow, however many they are.
        let fits = |level: &Level| self.fits(*level, most);
        [Level::Term, Level::Unit, Level::Example].into_iter().find(fits).unwrap_or(Level::Layer)
    }

    /// Whether a level has no more steps: layer by layer, so that what is too much is not built.
    fn fits(&self, level: Level, most: usize) -> bool {
        let mut count = 0;
        self.at(Level::Layer).iter().all(|layer| {
            count += match level {
                Level::Example if self.rows() == 1 => 1,
                // Of many terms there is one for each multiply-add, but for those of whole rows.
                Level::Term if layer.multiply_adds as usize > MOST_TERMS => most + 1,
                Level::Pass | Level::Layer => 1,
                Level::Example | Level::Unit | Level::Term => self.parts(layer, level),
            };
            count <= most
        })
    }

    fn parts(&self, layer: &super::Step, level: Level) -> usize {
        let closer = [Level::Example, Level::Unit, Level::Term].into_iter().filter(|own| *own <= level);
        let mut steps = vec![layer.clone()];
        for own in closer {
            steps = steps.iter().flat_map(|step| self.inside_at(step, own)).collect();
        }
        steps.len()
    }

    /// A page of all steps of a level: each with a sentence, its formula and the same in numbers.
    ///
    /// # Errors
    /// If there are too many.
    pub fn document(&self, title: &str, level: Level, catalog: &Catalog) -> Result<Document> {
        let steps = self.checked(level)?;
        let mut blocks = vec![Block::Heading(1, title.to_owned())];
        blocks.push(Block::Text(catalog.say("steps_text", &[("count", &steps.len())])));
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut pass: Option<Pass> = None;
        let columns = || vec!["#".to_owned(), catalog.get("step").to_owned()];
        for (at, step) in steps.iter().enumerate() {
            if pass != Some(step.pass) && level > Level::Pass {
                if !rows.is_empty() {
                    blocks.push(Block::Table { columns: columns(), rows: std::mem::take(&mut rows) });
                }
                blocks.push(Block::Heading(2, catalog.get(heading(step.pass)).to_owned()));
                pass = Some(step.pass);
            }
            let said = self.describe(step, catalog);
            rows.push(vec![(at + 1).to_string(), said.sentence]);
            let lines = [said.formula, said.numbers];
            rows.extend(
                lines.into_iter().filter(|line| !line.is_empty()).map(|line| vec![String::new(), line]),
            );
        }
        blocks.push(Block::Table { columns: columns(), rows });
        Ok(Document { language: catalog.language, blocks })
    }

    /// The steps of a level for programs: a list of objects with `level`, `pass`, `makes`, `layer`, `example`, `unit`
    /// (counted from 0), `multiply_adds`, and what is said of each: `formula`, `numbers`, `sources`, `sentence`.
    ///
    /// # Errors
    /// If there are too many.
    pub fn json(&self, level: Level, catalog: &Catalog) -> Result<Value> {
        let steps = self.checked(level)?;
        let of = |step: &super::Step| {
            let said = self.describe(step, catalog);
            json!({
                "level": step.level,
                "pass": step.pass,
                "makes": step.makes,
                "layer": step.layer,
                "example": step.example,
                "unit": step.unit,
                "multiply_adds": step.multiply_adds,
                "formula": said.formula,
                "numbers": said.numbers,
                "sources": said.sources,
                "sentence": said.sentence,
            })
        };
        Ok(json!({
            "version": 1,
            "level": level.name(),
            "language": catalog.language,
            "steps": steps.iter().map(of).collect::<Vec<_>>(),
        }))
    }

    fn checked(&self, level: Level) -> Result<Vec<super::Step>> {
        let steps = self.at(level);
        if steps.len() <= MOST_STEPS {
            return Ok(steps);
        }
        let fitting = if self.fits(Level::Unit, MOST_STEPS) { Level::Unit } else { Level::Layer }.name();
        Err(Error::configuration(format!("{} steps are too many", steps.len()))
            .help(format!("take a level from further away, as `--level {fitting}`")))
    }
}

fn heading(pass: Pass) -> &'static str {
    match pass {
        Pass::Forward => "forward",
        Pass::Cost => "cost",
        Pass::Backward => "backward",
        Pass::Update => "update",
    }
}
