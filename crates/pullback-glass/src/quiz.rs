//! Questions about what is open, with what they ask covered; and lessons.
//!
//! What is covered never reaches the page: it is taken out of the scene here.

use crate::fields::Fields;
use crate::glass::{Glass, catalog, size};
use pullback::error::{Error, Result};
use pullback::explain::{
    Answered, Asked, Catalog, Lesson, LessonMoment, LessonQuestion, Level, Makes, Pass, Question, Role,
    Scene, Step, Subject, WorkedExample, answers, scene,
};
use serde_json::{Value, json};

/// A question about questions.
pub(crate) enum QuizAsk {
    /// What can be asked about what is open; another seed asks about other numbers.
    Questions { id: u32, seed: Option<u64> },
    /// A question in words, and what is drawn while it is asked.
    Question {
        id: u32,
        question: String,
        /// More that is covered.
        cover: Option<Vec<String>>,
        width: Option<f64>,
        height: Option<f64>,
        language: Option<String>,
    },
    /// What is said of an answer: a number, or a choice counted from 0.
    Judge { id: u32, question: String, number: Option<f64>, choice: Option<usize>, language: Option<String> },
    /// The answer itself.
    Reveal { id: u32, question: String, language: Option<String> },
    /// A step of which some numbers are covered.
    Covered {
        id: u32,
        level: String,
        at: Option<usize>,
        cover: Vec<String>,
        width: Option<f64>,
        height: Option<f64>,
        language: Option<String>,
    },
    /// A lesson by the text of its file.
    Lesson { text: String, source: Option<String> },
}

impl QuizAsk {
    /// The question that an op is, if it is one of these.
    pub(crate) fn read(op: &str, fields: &mut Fields) -> Result<Option<Self>> {
        Ok(Some(match op {
            "questions" => Self::Questions { id: fields.id("id")?, seed: fields.optional_seed("seed")? },
            "question" => Self::Question {
                id: fields.id("id")?,
                question: fields.text("question")?,
                cover: fields.optional_texts("cover")?,
                width: fields.optional_number("width")?,
                height: fields.optional_number("height")?,
                language: fields.optional_text("language")?,
            },
            "judge" => Self::Judge {
                id: fields.id("id")?,
                question: fields.text("question")?,
                number: fields.optional_number("number")?,
                choice: fields.optional_count("choice")?,
                language: fields.optional_text("language")?,
            },
            "reveal" => Self::Reveal {
                id: fields.id("id")?,
                question: fields.text("question")?,
                language: fields.optional_text("language")?,
            },
            "covered" => Self::Covered {
                id: fields.id("id")?,
                level: fields.text("level")?,
                at: fields.optional_count("at")?,
                cover: fields.texts("cover")?,
                width: fields.optional_number("width")?,
                height: fields.optional_number("height")?,
                language: fields.optional_text("language")?,
            },
            "lesson" => Self::Lesson { text: fields.text("text")?, source: fields.optional_text("source")? },
            _ => return Ok(None),
        }))
    }

    /// What it is about.
    pub(crate) fn id(&self) -> Option<u32> {
        match self {
            Self::Questions { id, .. }
            | Self::Question { id, .. }
            | Self::Judge { id, .. }
            | Self::Reveal { id, .. }
            | Self::Covered { id, .. } => Some(*id),
            Self::Lesson { .. } => None,
        }
    }
}

impl Glass {
    pub(crate) fn quiz(&mut self, ask: &QuizAsk) -> Result<Value> {
        match ask {
            QuizAsk::Questions { seed, .. } => {
                let all = questions(&self.worked, seed.unwrap_or(0))?;
                Ok(all.iter().map(Question::to_string).collect())
            }
            QuizAsk::Question { question, cover, width, height, language, .. } => {
                let catalog = catalog(language.as_deref())?;
                let question: Question = question.parse()?;
                let asked: Vec<Asked> = question.asked().into_iter().cloned().collect();
                let at = asked.iter().filter_map(|own| self.made_at(own)).max();
                let mut covered = asked;
                for name in cover.iter().flatten() {
                    covered.push(name.parse()?);
                }
                let text = question.text(&self.worked, &catalog)?;
                let mut drawn = self.covered(Level::Unit, at, &covered, (*width, *height), &catalog)?;
                drawn.sentence.clone_from(&text);
                Ok(json!({
                    "question": question.to_string(),
                    "kind": question.to_string().split(':').next(),
                    "text": text,
                    "choices": question.choices(&self.worked, &catalog)?,
                    "parts": question.parts(&self.worked)?,
                    "at": at,
                    "scene": drawn,
                }))
            }
            QuizAsk::Judge { question, number, choice, language, .. } => {
                let catalog = catalog(language.as_deref())?;
                let question: Question = question.parse()?;
                let answered = match (number, choice) {
                    (Some(number), None) => Answered::Number(*number),
                    (None, Some(choice)) => Answered::Choice(*choice),
                    _ => return Err(Error::configuration("an answer is a `number` or a `choice`")),
                };
                let judged = question.judge(&self.worked, answered, &catalog)?;
                let is_over = judged.is_right || choice.is_some();
                let made = if is_over { self.made(&question, &catalog) } else { Vec::new() };
                Ok(json!({
                    "is_right": judged.is_right,
                    "is_over": is_over,
                    "mistake": judged.mistake,
                    "text": judged.text,
                    "made": made,
                }))
            }
            QuizAsk::Reveal { question, language, .. } => {
                let catalog = catalog(language.as_deref())?;
                let question: Question = question.parse()?;
                let right = question.asked().first().map(|own| answers(&self.worked, own)).transpose()?;
                let right = right.map_or(f64::NAN, |answers| answers.right);
                let answered = match question {
                    Question::Number(_) => Answered::Number(right),
                    _ => Answered::Choice(0),
                };
                let judged = question.judge(&self.worked, answered, &catalog)?;
                Ok(json!({ "text": judged.text, "made": self.made(&question, &catalog) }))
            }
            QuizAsk::Covered { level, at, cover, width, height, language, .. } => {
                let catalog = catalog(language.as_deref())?;
                let level = Level::from_name(level)
                    .ok_or_else(|| Error::unknown_name("level", level, Level::NAMES))?;
                let cover: Vec<Asked> = cover.iter().map(|name| name.parse()).collect::<Result<_>>()?;
                let drawn = self.covered(level, *at, &cover, (*width, *height), &catalog)?;
                serde_json::to_value(drawn).map_err(unwritten)
            }
            QuizAsk::Lesson { text, source } => lesson(text, source.as_deref()),
        }
    }

    /// A step's scene without what is covered: no number, nothing that tells it, and nothing on its way.
    fn covered(
        &mut self,
        level: Level,
        at: Option<usize>,
        cover: &[Asked],
        (width, height): (Option<f64>, Option<f64>),
        catalog: &Catalog,
    ) -> Result<Scene> {
        self.at(level);
        let step = match at {
            None => None,
            Some(at) => Some(self.levels[&level].get(at).ok_or_else(|| {
                Error::configuration(format!("there is no step {at}"))
                    .help(format!("there are {}, counted from 0", self.levels[&level].len()))
            })?),
        };
        let size = size(&self.steps, step, width, height);
        let mut drawn = scene(&self.steps, step, size, catalog);
        if cover.is_empty() {
            return Ok(drawn);
        }
        drawn.formulas.clear();
        drawn.sentence = catalog.get("lab.ask_covered").to_owned();
        drawn.shapes.retain(|shape| shape.role != Role::Traveler);
        for asked in cover {
            let name = answers(&self.worked, asked)?.name;
            let ids = self.shapes_of(asked)?;
            for shape in drawn.shapes.iter_mut().filter(|shape| is_of(&shape.id, &ids)) {
                shape.name = catalog.say("lab.ask_covered_number", &[("name", &name)]);
                if !shape.text.is_empty() {
                    // What stands before the number stays: `δ 0.1385`, `c = 12`.
                    let before = shape.text.rsplit_once(' ').map(|(before, _)| format!("{before} "));
                    shape.text = before.unwrap_or_default() + "?";
                }
                // The weight of an edge is no secret, its gradient is.
                if shape.role != Role::Edge {
                    shape.strength = None;
                }
                shape.number = None;
            }
        }
        Ok(drawn)
    }

    /// The ids of the shapes that tell a number. One that ends in a dot means all that begin so.
    fn shapes_of(&self, asked: &Asked) -> Result<Vec<String>> {
        let ids = |ids: &[String]| Ok(ids.to_vec());
        match asked {
            Asked::Sum(l, j) => {
                ids(&[format!("sum.{l}.{j}"), format!("activation.{l}.{j}"), format!("prediction.{j}")])
            }
            Asked::Activation(l, j) => ids(&[format!("activation.{l}.{j}"), format!("prediction.{j}")]),
            Asked::Cost => ids(&["cost".into(), "cost.value".into()]),
            Asked::Delta(l, j) | Asked::Arriving(l, j) => ids(&[format!("delta.{l}.{j}")]),
            Asked::Gradient(l, j, i) => ids(&[format!("gradient.{l}.{j}.{i}"), format!("edge.{l}.{j}.{i}")]),
            Asked::NewWeight(l, j, i) => ids(&[
                format!("weight.{l}.{j}.{i}"),
                format!("weight.{l}.{j}.{i}.old"),
                format!("edge.{l}.{j}.{i}"),
                "cost.after".into(),
            ]),
            Asked::Norm(_) => ids(&["spine.".into(), "delta.".into()]),
            Asked::Passed(..) | Asked::Tries | Asked::Paths(..) => Ok(Vec::new()),
            Asked::Derivative(name) => {
                let Some(circuit) = self.worked.circuit()? else { return Ok(Vec::new()) };
                let of_gates = circuit.gates.iter().map(|gate| (&gate.name, gate.node));
                let mut known = circuit.variables.iter().map(|(name, node)| (name, *node)).chain(of_gates);
                let Some((_, node)) = known.find(|(own, _)| *own == name) else { return Ok(Vec::new()) };
                let mut ids = vec![format!("derivative.{}", node.index())];
                for (at, gate) in circuit.gates.iter().enumerate() {
                    let own = (0..gate.operands.len()).filter(|place| gate.operands[*place].node == node);
                    ids.extend(own.map(|place| format!("part.{at}.{place}")));
                }
                Ok(ids)
            }
        }
    }

    /// The step of a unit at which a number is asked for: the one that makes it.
    fn made_at(&mut self, asked: &Asked) -> Option<usize> {
        let all = self.at(Level::Unit);
        let of = |pass: Pass, makes: Makes, layer: usize, unit: usize| {
            all.iter().position(|step| {
                let is_first = step.example.is_none_or(|example| example == 0);
                (step.pass, step.makes) == (pass, makes)
                    && is_first
                    && step.layer == Some(layer)
                    && step.unit.is_none_or(|own| own == unit)
            })
        };
        let last = |pass: Pass| all.iter().rposition(|step| step.pass == pass);
        match *asked {
            Asked::Sum(l, j) | Asked::Activation(l, j) => {
                // A sum and its activation may be two steps.
                let is_own = |step: &Step| {
                    step.pass == Pass::Forward
                        && step.example.is_none_or(|example| example == 0)
                        && (step.layer, step.unit) == (Some(l), Some(j))
                };
                match asked {
                    Asked::Sum(..) => all.iter().position(is_own),
                    _ => all.iter().rposition(is_own),
                }
            }
            Asked::Cost => last(Pass::Cost),
            Asked::Passed(l, _, i) if l > 1 => of(Pass::Backward, Makes::Deltas, l - 1, i),
            Asked::Passed(l, j, _) | Asked::Delta(l, j) | Asked::Arriving(l, j) => {
                of(Pass::Backward, Makes::Deltas, l, j)
            }
            Asked::Gradient(l, j, _) => of(Pass::Backward, Makes::Gradients, l, j),
            Asked::NewWeight(..) | Asked::Derivative(_) => last(Pass::Backward),
            Asked::Norm(_) | Asked::Tries | Asked::Paths(..) => last(Pass::Cost),
        }
    }

    /// How the asked numbers are made, a line each.
    fn made(&mut self, question: &Question, catalog: &Catalog) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for asked in question.asked() {
            let is_made = matches!(
                asked,
                Asked::Sum(..) | Asked::Activation(..) | Asked::Delta(..) | Asked::Gradient(..)
            );
            let (true, Some(at), Ok(answers)) = (is_made, self.made_at(asked), answers(&self.worked, asked))
            else {
                continue;
            };
            let said = self.steps.describe(&self.levels[&Level::Unit][at], catalog);
            for (formula, numbers) in said.formula.split("; ").zip(said.numbers.split("; ")) {
                if formula.split(['=', '^']).next().is_some_and(|made| made.trim() == answers.name) {
                    lines.push(formula.to_owned());
                    lines.push(numbers.to_owned());
                }
            }
        }
        lines
    }
}

fn is_of(id: &str, ids: &[String]) -> bool {
    ids.iter().any(|own| own == id || own.ends_with('.') && id.starts_with(own.as_str()))
}

/// What can be asked about an example, from the inputs to the update; of each layer the seed chooses a unit.
fn questions(worked: &WorkedExample, seed: u64) -> Result<Vec<Question>> {
    let mut dice = Dice(seed);
    let mut all = Vec::new();
    match &worked.subject {
        Subject::Expression(expression) => {
            let circuit = expression.circuit()?;
            let names: Vec<&String> = circuit.variables.iter().map(|(name, _)| name).collect();
            let asked = |name: &String| Asked::Derivative(name.clone());
            for name in &names {
                all.push(Question::Number(asked(name)));
            }
            if let [first, .., last] = names[..] {
                all.push(Question::Larger(asked(first), asked(last)));
            }
            if !names.is_empty() {
                all.push(Question::Sign(asked(names[dice.below(names.len())])));
            }
        }
        Subject::Network(example) => {
            let trace = example.trace()?;
            let dense = trace.dense();
            let Some(output) = dense.last() else { return Ok(all) };
            let (last, layers) = (dense.len(), dense.len());
            let (unit, input) = (dice.below(output.units), dice.below(output.inputs));
            let (other, other_input) = (dice.below(output.units), dice.below(output.inputs));
            all.push(Question::Sign(Asked::Gradient(last, unit, input)));
            if (unit, input) != (other, other_input) {
                let pair = [Asked::Gradient(last, unit, input), Asked::Gradient(last, other, other_input)];
                let [first, second] = pair;
                all.push(Question::Larger(first, second));
            }
            all.push(Question::Number(Asked::Delta(last, unit)));
            all.push(Question::Number(Asked::Gradient(last, unit, input)));
            for layer in (1..layers).rev().take(2) {
                let own = &dense[layer - 1];
                let (unit, input) = (dice.below(own.units), dice.below(own.inputs));
                all.push(Question::Number(Asked::Arriving(layer, unit)));
                all.push(Question::Number(Asked::Delta(layer, unit)));
                all.push(Question::Number(Asked::Gradient(layer, unit, input)));
            }
            all.push(Question::Number(Asked::NewWeight(last, unit, input)));
        }
    }
    // What cannot be computed by hand is not asked for.
    all.retain(|question| question.asked().into_iter().all(|asked| answers(worked, asked).is_ok()));
    Ok(all)
}

/// Numbers that follow from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % count.max(1) as u64) as usize
    }
}

/// A lesson as the page reads it.
pub(crate) fn lesson(text: &str, source: Option<&str>) -> Result<Value> {
    let lesson = Lesson::parse(text, source.unwrap_or("the lesson"))?;
    let steps = lesson.steps.iter().map(|step| {
        let question = step.question.as_ref().map(|question| match question {
            LessonQuestion::Of(question) => json!({ "of": question.to_string() }),
            LessonQuestion::Own { ask, choices, right, because } => {
                json!({ "ask": ask, "choices": choices, "right": right, "because": because })
            }
        });
        let at = match step.at {
            LessonMoment::Step(at) => Value::from(at),
            named => Value::from(named.name()),
        };
        json!({
            "title": step.title,
            "text": step.text,
            "notes": step.notes,
            "example": step.example,
            "state": step.worked.to_json(),
            "level": step.level,
            "at": at,
            "cover": step.cover.iter().map(Asked::to_string).collect::<Vec<_>>(),
            "question": question,
        })
    });
    Ok(json!({
        "title": lesson.title,
        "language": lesson.language,
        "steps": steps.collect::<Vec<_>>(),
    }))
}

fn unwritten(error: serde_json::Error) -> Error {
    Error::configuration("a number cannot be written").caused_by(error)
}
