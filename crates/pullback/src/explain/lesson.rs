//! A teacher's lesson: steps of examples with texts, questions, covered numbers and notes, in a file.
//!
//! ```
//! use pullback::explain::Lesson;
//!
//! let lesson = Lesson::parse(
//!     r#"
//!     title = "The last layer"
//!
//!     [[step]]
//!     example = "mazur"
//!     at = "cost"
//!     text = "The error is known. Whose fault is it?"
//!
//!     [[step]]
//!     at = "backward"
//!     cover = ["gradient.2.0.0"]
//!     question = "number:gradient.2.0.0"
//!     notes = "Give them two minutes."
//!     "#,
//!     "lesson.toml",
//! )?;
//! assert_eq!(lesson.steps[1].example.as_deref(), Some("mazur"), "a step goes on with the example before it");
//! let error = Lesson::parse("title = 'x'\n[[step]]\nexample = 'mazurr'", "lesson.toml").unwrap_err();
//! assert!(error.to_string().contains("line 3"), "{error}");
//! # Ok::<(), pullback::Error>(())
//! ```

use super::mistakes::{Asked, Question, answers};
use super::worked::WorkedExample;
use super::worked::table::{Table, wrong};
use super::worked::tree::{Node, Value};
use super::{CODES, Level, examples};
use crate::error::{Error, Result};

/// A lesson.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// What it is called.
    pub title: String,
    /// The code of its language; absent where the reader chooses.
    pub language: Option<String>,
    /// Its steps, at least one.
    pub steps: Vec<LessonStep>,
}

/// A step of a lesson: a moment of an example.
#[derive(Debug, Clone, PartialEq)]
pub struct LessonStep {
    /// What it is called; empty where nothing is said.
    pub title: String,
    /// What learners read.
    pub text: String,
    /// What only the teacher reads.
    pub notes: String,
    /// The name of the built-in example, where it is one.
    pub example: Option<String>,
    /// The example.
    pub worked: WorkedExample,
    /// How closely one looks.
    pub level: Level,
    /// Which moment is shown.
    pub at: Moment,
    /// The numbers that are covered until they are shown.
    pub cover: Vec<Asked>,
    /// What is asked.
    pub question: Option<LessonQuestion>,
}

/// A moment of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A step of the level, counted from 0.
    Step(usize),
    /// After the forward pass.
    Forward,
    /// After the cost.
    Cost,
    /// After the backward pass.
    Backward,
    /// When all is done.
    End,
}

impl Moment {
    const NAMED: [(&str, Self); 4] =
        [("forward", Self::Forward), ("cost", Self::Cost), ("backward", Self::Backward), ("end", Self::End)];

    /// Its name, if it has one.
    pub fn name(self) -> Option<&'static str> {
        Self::NAMED.iter().find(|(_, own)| *own == self).map(|(name, _)| *name)
    }
}

/// A question of a lesson.
#[derive(Debug, Clone, PartialEq)]
pub enum LessonQuestion {
    /// About a number of the example.
    Of(Question),
    /// A teacher's own.
    Own {
        /// The question.
        ask: String,
        /// The answers that can be chosen.
        choices: Vec<String>,
        /// The right one, counted from 0.
        right: usize,
        /// Why; empty where nothing is said.
        because: String,
    },
}

const FILE: &[&str] = &["title", "language", "step"];
const STEP: &[&str] = &["title", "text", "notes", "example", "state", "level", "at", "cover", "question"];
const OWN: &[&str] = &["ask", "choices", "right", "because"];

impl Lesson {
    /// Reads a file in TOML. `source` is what the file is called.
    ///
    /// # Errors
    /// With the line, the key, and the known name that was probably meant; for a question that its example cannot
    /// answer, too.
    pub fn parse(text: &str, source: &str) -> Result<Self> {
        let root = Node::from_toml(text, source)?;
        let file = Table::new(source, "", &root)?;
        file.check(FILE)?;
        let language = file.text("language")?;
        if let Some(code) = language.filter(|code| !CODES.contains(code)) {
            let known = CODES.iter().copied();
            return Err(file.placed("language", Error::unknown_name("language", code, known)));
        }
        let items = file.list("step")?;
        if items.is_empty() {
            return Err(wrong(source, 0, "there are no steps").help("write `[[step]]` and its keys below it"));
        }
        let mut steps: Vec<LessonStep> = Vec::new();
        for (at, node) in items.iter().enumerate() {
            let table = Table::new(source, format!("step {}", at + 1), node)?;
            let own = step(&table, steps.last())?;
            steps.push(own);
        }
        Ok(Self {
            title: file.text("title")?.unwrap_or_default().to_owned(),
            language: language.map(str::to_owned),
            steps,
        })
    }
}

fn step(table: &Table<'_>, before: Option<&LessonStep>) -> Result<LessonStep> {
    table.check(STEP)?;
    let (example, worked) = match (table.text("example")?, table.get("state"), before) {
        (Some(_), Some(_), _) => {
            return Err(table.wrong("state", "stands beside `example`").help("leave one of them out"));
        }
        (Some(name), None, _) => {
            let unknown = || table.placed("example", Error::unknown_name("example", name, examples::NAMES));
            let files = examples::files(name).ok_or_else(unknown)?;
            let text = files.first().copied().ok_or_else(unknown)?;
            (Some(name.to_owned()), WorkedExample::parse(text, name)?)
        }
        (None, Some(node), _) => (None, WorkedExample::from_node(node, table.source)?),
        (None, None, Some(before)) => (before.example.clone(), before.worked.clone()),
        (None, None, None) => {
            return Err(wrong(table.source, table.line, format!("{} has no example", table.of))
                .help("write `example = \"mazur\"`, or a table `[step.state]`"));
        }
    };
    let level = match table.text("level")? {
        None => Level::Unit,
        Some(name) => Level::from_name(name)
            .ok_or_else(|| table.placed("level", Error::unknown_name("level", name, Level::NAMES)))?,
    };
    let cover: Vec<Asked> = table
        .texts("cover")?
        .iter()
        .map(|name| asked(table, "cover", &worked, name.parse()))
        .collect::<Result<_>>()?;
    Ok(LessonStep {
        title: table.text("title")?.unwrap_or_default().to_owned(),
        text: table.text("text")?.unwrap_or_default().to_owned(),
        notes: table.text("notes")?.unwrap_or_default().to_owned(),
        example,
        level,
        at: moment(table)?,
        cover,
        question: question(table, &worked)?,
        worked,
    })
}

/// A number that the example has.
fn asked(table: &Table<'_>, key: &str, worked: &WorkedExample, name: Result<Asked>) -> Result<Asked> {
    let asked = name.map_err(|error| table.placed(key, error))?;
    answers(worked, &asked).map_err(|error| table.placed(key, error))?;
    Ok(asked)
}

fn moment(table: &Table<'_>) -> Result<Moment> {
    match table.get("at").map(|node| &node.value) {
        None => Ok(Moment::Cost),
        Some(Value::Text(name)) => match Moment::NAMED.iter().find(|(own, _)| own == name) {
            Some((_, moment)) => Ok(*moment),
            None => {
                let known = Moment::NAMED.iter().map(|(own, _)| *own);
                Err(table.placed("at", Error::unknown_name("moment", name, known)))
            }
        },
        Some(_) => {
            let count = table.count("at")?.unwrap_or(0);
            Ok(Moment::Step(usize::try_from(count).unwrap_or(usize::MAX)))
        }
    }
}

fn question(table: &Table<'_>, worked: &WorkedExample) -> Result<Option<LessonQuestion>> {
    let Some(node) = table.get("question") else { return Ok(None) };
    if let Value::Text(text) = &node.value {
        let question: Question = text.parse().map_err(|error| table.placed("question", error))?;
        for own in question.asked() {
            asked(table, "question", worked, Ok(own.clone()))?;
        }
        return Ok(Some(LessonQuestion::Of(question)));
    }
    let own = Table::new(table.source, format!("the question of {}", table.of), node)?;
    own.check(OWN)?;
    let missing = |key: &str| wrong(own.source, own.line, format!("{} is missing", own.named(key)));
    let ask = own.text("ask")?.ok_or_else(|| missing("ask").help("write what is asked"))?;
    let choices = own.texts("choices")?;
    if choices.len() < 2 {
        return Err(missing("choices").help("write two answers or more, in brackets"));
    }
    let right =
        own.count("right")?.ok_or_else(|| missing("right").help("say which answer is right, from 1"))?;
    let right = usize::try_from(right).unwrap_or(0);
    if !(1..=choices.len()).contains(&right) {
        return Err(own
            .wrong("right", format!("is {right}, but there are {} answers", choices.len()))
            .help("count the answers from 1"));
    }
    Ok(Some(LessonQuestion::Own {
        ask: ask.to_owned(),
        choices,
        right: right - 1,
        because: own.text("because")?.unwrap_or_default().to_owned(),
    }))
}
