//! One example, opened: its steps, what is drawn and said of each, and how its numbers can be checked.

use crate::fields::Fields;
use pullback::compact::Map;
use pullback::error::{Error, Result};
use pullback::explain::four_ways;
use pullback::explain::{
    Address, Addresses, Block, CODES, Catalog, Level, Options, Size, Step, Steps, Subject, Trace,
    WorkedExample, animation, describe_number, diagnose, examples, layer_figures, picture_at, scene,
};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;

/// A question about examples.
pub(crate) enum GlassAsk {
    /// Opens an example.
    Open(Open),
    /// Forgets what is open.
    Close { id: u32 },
    /// The messages of a language.
    Words { language: String },
    /// A message with its values, by name.
    Say { language: String, key: String, values: Map<String, String> },
    /// The variables that a formula needs numbers for.
    Needs { expression: String },
    /// The built-in examples.
    Examples {},
}

/// What to open: a built-in example by its name, or a file (TOML or JSON) by its text.
pub(crate) struct Open {
    example: Option<String>,
    text: Option<String>,
    /// What the file is called.
    source: Option<String>,
    /// The significant digits of numbers in words.
    digits: Option<usize>,
    pub(crate) language: Option<String>,
}

/// A question about an example that is open.
pub(crate) enum About {
    /// All steps of a level.
    Steps { level: String },
    /// What is drawn and said of a step; of the end without one.
    Scene {
        level: String,
        at: Option<usize>,
        width: Option<f64>,
        height: Option<f64>,
        language: Option<String>,
    },
    /// The gradient of one weight or bias by three ways.
    Verify { address: String },
    /// The cost for other numbers of a weight or bias.
    Costs { address: String, numbers: Vec<f64> },
    /// The example after so many steps of training, and its cost before each.
    Advance { steps: usize },
    /// Every layer's figures, and what hinders learning.
    Figures { language: Option<String> },
    /// The parameters, which have places.
    Parameters {},
    /// The numbers of a parameter and their gradients, as a matrix of at most so many rows and columns.
    Matrix { place: usize, most: usize },
    /// All about one number of a parameter, as the command explains it.
    Number { place: usize, element: usize, language: Option<String> },
    /// The example as it was opened, of which the page changes parts.
    State {},
    /// The example as a file.
    File {},
    /// A drawing of a step that needs nothing else; of the end without one.
    Picture { level: String, at: Option<usize>, language: Option<String> },
    /// The animation and its cues.
    Animation { language: Option<String> },
}

impl GlassAsk {
    /// The question that an op is, if it is one of these.
    pub(crate) fn read(op: &str, fields: &mut Fields) -> Result<Option<Self>> {
        Ok(Some(match op {
            "open" => Self::Open(Open {
                example: fields.optional_text("example")?,
                text: fields.optional_text("text")?,
                source: fields.optional_text("source")?,
                digits: fields.optional_count("digits")?,
                language: fields.optional_text("language")?,
            }),
            "close" => Self::Close { id: fields.id("id")? },
            "words" => Self::Words { language: fields.text("language")? },
            "say" => Self::Say {
                language: fields.text("language")?,
                key: fields.text("key")?,
                values: fields.named_texts("values")?,
            },
            "needs" => Self::Needs { expression: fields.text("expression")? },
            "examples" => Self::Examples {},
            _ => return Ok(None),
        }))
    }
}

impl About {
    /// The question that an op is, if it is one of these.
    pub(crate) fn read(op: &str, fields: &mut Fields) -> Result<Option<Self>> {
        Ok(Some(match op {
            "steps" => Self::Steps { level: fields.text("level")? },
            "scene" => Self::Scene {
                level: fields.text("level")?,
                at: fields.optional_count("at")?,
                width: fields.optional_number("width")?,
                height: fields.optional_number("height")?,
                language: fields.optional_text("language")?,
            },
            "verify" => Self::Verify { address: fields.text("address")? },
            "costs" => Self::Costs { address: fields.text("address")?, numbers: fields.numbers("numbers")? },
            "advance" => Self::Advance { steps: fields.count("steps")? },
            "figures" => Self::Figures { language: fields.optional_text("language")? },
            "parameters" => Self::Parameters {},
            "matrix" => Self::Matrix { place: fields.count("place")?, most: fields.count("most")? },
            "number" => Self::Number {
                place: fields.count("place")?,
                element: fields.count("element")?,
                language: fields.optional_text("language")?,
            },
            "state" => Self::State {},
            "file" => Self::File {},
            "picture" => Self::Picture {
                level: fields.text("level")?,
                at: fields.optional_count("at")?,
                language: fields.optional_text("language")?,
            },
            "animation" => Self::Animation { language: fields.optional_text("language")? },
            _ => return Ok(None),
        }))
    }
}

/// An example that is open.
#[derive(Debug)]
pub(crate) struct Glass {
    pub(crate) worked: WorkedExample,
    pub(crate) steps: Steps,
    pub(crate) levels: Map<Level, Vec<Step>>,
}

impl Glass {
    pub(crate) fn open(open: &Open) -> Result<Self> {
        let worked = match (&open.example, &open.text) {
            (Some(name), _) => match examples::files(name).and_then(|files| files.first().copied()) {
                Some(text) => WorkedExample::parse(text, name)?,
                None => return Err(Error::unknown_name("example", name, examples::NAMES)),
            },
            (None, Some(text)) => WorkedExample::parse(text, open.source.as_deref().unwrap_or("the page"))?,
            (None, None) => {
                return Err(Error::configuration("nothing to open").help("give `example` or `text`"));
            }
        };
        let steps = Steps::of(&worked)?;
        let steps = match open.digits {
            Some(digits) => steps.with_digits(digits),
            None => steps,
        };
        Ok(Self { steps, worked, levels: Map::new() })
    }

    fn trace(&self) -> Option<&Trace> {
        self.steps.network().map(|(_, trace)| trace)
    }

    /// What the page must know before its first step.
    pub(crate) fn opened(&self, language: Option<&str>) -> Result<Value> {
        let catalog = catalog(language)?;
        let mut json = json!({
            "title": self.worked.title,
            "source": self.worked.source,
            "notation": self.worked.notation.name(),
            "rows": self.steps.rows(),
        });
        match (&self.worked.subject, self.trace()) {
            (Subject::Network(example), Some(trace)) => {
                let layers = trace.weighted_layers();
                let layers = layers.iter().map(|layer| {
                    json!({ "name": layer.name.text(&catalog), "weights": trace.parameter(layer.weight).len() })
                });
                json["kind"] = "network".into();
                json["layers"] = layers.collect();
                json["inputs"] = example.network.inputs.into();
                json["outputs"] = example.network.outputs().into();
                json["cost"] = trace.cost().into();
                json["cost_after"] = self.steps.cost_after()?.into();
                json["counts"] = serde_json::to_value(four_ways::count(trace)).map_err(unwritten)?;
            }
            _ => {
                json["kind"] = "formula".into();
                if let Some(circuit) = self.worked.circuit()? {
                    let hasty = circuit.without_waiting();
                    let variables = circuit.variables.iter().zip(hasty).map(|((name, node), hasty)| {
                        json!({
                            "name": name,
                            "value": circuit.value(*node),
                            "derivative": circuit.derivative(*node),
                            "hasty": hasty,
                        })
                    });
                    json["variables"] = variables.collect();
                    json["output"] = circuit.output_name.clone().into();
                    json["value"] = circuit.value(circuit.output).into();
                }
            }
        }
        Ok(json)
    }

    pub(crate) fn answer(&mut self, about: &About) -> Result<Value> {
        match about {
            About::Steps { level } => {
                let all = self.at(level_named(level)?);
                Ok(json!({ "steps": all.iter().map(step).collect::<Vec<_>>() }))
            }
            About::Scene { level, at, width, height, language } => {
                let catalog = catalog(language.as_deref())?;
                let level = level_named(level)?;
                self.at(level);
                let step = self.chosen(level, *at)?;
                let size = size(&self.steps, step, *width, *height);
                let drawn = scene(&self.steps, step, size, &catalog);
                let mut json = serde_json::to_value(&drawn).map_err(unwritten)?;
                if let Some(step) = step {
                    let said = self.steps.describe(step, &catalog);
                    json["said"] = serde_json::to_value(&said).map_err(unwritten)?;
                }
                Ok(json)
            }
            About::Verify { address } => self.verify(address),
            About::Costs { address, numbers } => {
                let (trace, place, element) = self.number(address)?;
                let costs: Vec<f64> = numbers.iter().map(|&x| trace.cost_with(place, element, x)).collect();
                Ok(json!({
                    "costs": costs,
                    "cost": trace.cost(),
                    "number": trace.parameter(place)[element],
                    "gradient": trace.gradient(place)[element],
                }))
            }
            About::Advance { steps } => {
                let Subject::Network(example) = &self.worked.subject else { return Err(no_network()) };
                let (mut example, mut kept) = (example.clone(), example.kept.clone());
                let mut costs = Vec::new();
                for _ in 0..*steps {
                    costs.push(example.trace()?.cost());
                    example.advance(&mut kept)?;
                }
                costs.push(example.trace()?.cost());
                // The next step goes on from here.
                if kept.has_states() {
                    example.kept = kept;
                }
                let after = WorkedExample {
                    subject: Subject::Network(example),
                    expect: Vec::new(),
                    ..self.worked.clone()
                };
                Ok(json!({ "state": after.to_json(), "costs": costs }))
            }
            About::Figures { language } => {
                let catalog = catalog(language.as_deref())?;
                let Some((example, trace)) = self.steps.network() else {
                    return Err(no_network());
                };
                let layers = layer_figures(trace, &example.training);
                let layers = layers.iter().map(|own| {
                    json!({
                        "name": own.name.text(&catalog), "units": own.units, "activation": own.activation,
                        "delta": own.delta, "slope": own.slope, "flat": own.flat, "gradient": own.gradient,
                        "weights": own.weights, "update": own.update,
                    })
                });
                let findings = diagnose(trace);
                let findings = findings
                    .iter()
                    .map(|own| json!({ "layer": own.layer, "unit": own.unit, "text": own.text(&catalog) }));
                Ok(json!({ "layers": layers.collect::<Vec<_>>(), "findings": findings.collect::<Vec<_>>() }))
            }
            About::Parameters {} => {
                let trace = self.trace().ok_or_else(no_network)?;
                let all = trace.parameters().iter().enumerate().filter(|(_, own)| own.role.is_trained());
                let all = all.map(
                    |(place, own)| json!({ "place": place, "name": own.name, "shape": own.shape.sizes() }),
                );
                Ok(json!({ "parameters": all.collect::<Vec<_>>() }))
            }
            About::Matrix { place, most } => self.matrix(*place, (*most).max(1)),
            About::Number { place, element, language } => {
                self.number_told(*place, *element, &*catalog(language.as_deref())?)
            }
            About::State {} => Ok(self.worked.to_json()),
            About::File {} => Ok(json!({ "toml": self.worked.to_toml(), "json": self.worked.to_json() })),
            About::Picture { level, at, language } => {
                let level = level_named(level)?;
                self.at(level);
                let step = self.chosen(level, *at)?;
                let catalog = catalog(language.as_deref())?;
                Ok(json!({ "svg": picture_at(&self.steps, step, &catalog) }))
            }
            About::Animation { language } => {
                let catalog = catalog(language.as_deref())?;
                let animation = animation(&self.steps, &catalog);
                let cues: Vec<Value> = animation
                    .cues
                    .iter()
                    .map(|cue| json!({ "from": cue.from, "until": cue.until, "sentence": cue.sentence }))
                    .collect();
                Ok(json!({ "svg": animation.svg, "vtt": animation.vtt(), "cues": cues }))
            }
        }
    }

    pub(crate) fn at(&mut self, level: Level) -> &[Step] {
        if !self.levels.contains_key(&level) {
            self.levels.insert(level, self.steps.at(level));
        }
        &self.levels[&level]
    }

    /// A step of a level that was listed.
    fn chosen(&self, level: Level, at: Option<usize>) -> Result<Option<&Step>> {
        let all = &self.levels[&level];
        let Some(at) = at else { return Ok(None) };
        all.get(at).map(Some).ok_or_else(|| {
            Error::configuration(format!("there is no step {at}"))
                .help(format!("there are {}, counted from 0", all.len()))
        })
    }

    fn addresses<'a>(&self, trace: &'a Trace) -> Result<Addresses<'a>> {
        let Subject::Network(example) = &self.worked.subject else { return Err(no_network()) };
        let names = example.names.symbols(trace, self.worked.notation);
        Ok(Addresses::new(trace, &names, self.worked.notation))
    }

    /// The trace, and the place of a number that is trained.
    fn number(&self, address: &str) -> Result<(&Trace, usize, usize)> {
        let trace = self.trace().ok_or_else(no_network)?;
        match self.addresses(trace)?.find(address)? {
            Address::Element(place, element) => Ok((trace, place, element)),
            Address::Parameter(_) => {
                Err(Error::configuration(format!("`{address}` is more than one number")))
            }
        }
    }

    /// A parameter that is trained, by its place.
    fn trained(&self, place: usize) -> Result<&Trace> {
        let trace = self.trace().ok_or_else(no_network)?;
        match trace.parameters().get(place).is_some_and(|own| own.role.is_trained()) {
            true => Ok(trace),
            false => Err(Error::configuration(format!("nothing is trained at place {place}"))),
        }
    }

    /// A matrix with more rows or columns than are asked for is divided into blocks, of which each is told by the number
    /// with the largest gradient.
    fn matrix(&self, place: usize, most: usize) -> Result<Value> {
        let trace = self.trained(place)?;
        let sizes = trace.parameters()[place].shape.sizes();
        let (numbers, gradient) = (trace.parameter(place), trace.gradient(place));
        // Units or filters are rows; what is read by one, whatever its axes, is in columns. A list of one number a unit
        // is one row.
        let (rows, columns) = match sizes {
            [] => (1, 1),
            [units] => (1, *units),
            [units, rest @ ..] => (*units, rest.iter().product::<usize>().max(1)),
        };
        let [high, wide] = [rows, columns].map(|own| own.div_ceil(most));
        let (shown_rows, shown_columns) = (rows.div_ceil(high), columns.div_ceil(wide));
        let mut elements = Vec::with_capacity(shown_rows * shown_columns);
        for row in 0..shown_rows {
            for column in 0..shown_columns {
                let of_block = (row * high..rows.min((row + 1) * high)).flat_map(|row| {
                    let columns = column * wide..columns.min((column + 1) * wide);
                    columns.map(move |column| (row, column))
                });
                let all = of_block.map(|(row, at)| row * columns + at);
                let size = |element: &usize| gradient[*element].abs();
                elements.extend(all.reduce(|a, b| if size(&b) > size(&a) { b } else { a }));
            }
        }
        let addresses = self.addresses(trace)?;
        Ok(json!({
            "rows": shown_rows,
            "columns": shown_columns,
            "block": [high, wide],
            "elements": elements,
            "numbers": elements.iter().map(|&at| numbers[at]).collect::<Vec<_>>(),
            "gradients": elements.iter().map(|&at| gradient[at]).collect::<Vec<_>>(),
            "names": elements.iter().map(|&at| addresses.of(place, at)).collect::<Vec<_>>(),
        }))
    }

    fn number_told(&self, place: usize, element: usize, catalog: &Catalog) -> Result<Value> {
        let trace = self.trained(place)?;
        let Subject::Network(example) = &self.worked.subject else { return Err(no_network()) };
        if element >= trace.parameter(place).len() {
            return Err(Error::configuration(format!("the parameter has no number {element}")));
        }
        let options = Options {
            notation: self.worked.notation,
            names: example.names.symbols(trace, self.worked.notation),
            training: example.training.clone(),
            fixed: example.fixed.clone(),
            kept: example.kept.clone(),
            ..Options::default()
        };
        let told = describe_number(trace, (place, element), &options, catalog);
        let blocks = told.blocks.iter().map(|block| match block {
            Block::Heading(_, text) => json!({ "kind": "heading", "text": text }),
            Block::Text(text) => json!({ "kind": "text", "text": text }),
            Block::Warning(text) => json!({ "kind": "warning", "text": text }),
            Block::Formula { text, .. } => {
                json!({ "kind": "formula", "text": text, "mathml": block.mathml() })
            }
            Block::Table { columns, rows } => json!({ "kind": "table", "columns": columns, "rows": rows }),
        });
        Ok(json!({ "blocks": blocks.collect::<Vec<_>>() }))
    }

    /// What differences find is uncertain by the rounding of two costs over the distance between them.
    fn verify(&self, address: &str) -> Result<Value> {
        let (trace, place, element) = self.number(address)?;
        let (differences, step) = four_ways::by_differences(trace, place, element);
        Ok(json!({
            "name": self.addresses(trace)?.of(place, element),
            "back": trace.gradient(place)[element],
            "forward": four_ways::by_tangent(trace, place, element),
            "differences": differences,
            "step": step,
            "noise": 4.0 * f64::EPSILON * trace.cost().abs() / step + step * step,
        }))
    }
}

/// The messages of a language: those of the whole library, of which the page's own begin with `lab.`.
pub(crate) fn words(language: &str) -> Result<Value> {
    let catalog = catalog(Some(language))?;
    let mut words = serde_json::Map::new();
    for key in catalog.keys() {
        words.insert(key.to_owned(), catalog.get(key).into());
    }
    Ok(words.into())
}

/// A message with its values.
pub(crate) fn say(language: &str, key: &str, values: &Map<String, String>) -> Result<Value> {
    let values: Vec<(&str, &dyn std::fmt::Display)> =
        values.iter().map(|(name, value)| (name.as_str(), value as &dyn std::fmt::Display)).collect();
    Ok(catalog(Some(language))?.say(key, &values).into())
}

/// The names of the built-in examples with their titles.
pub(crate) fn examples() -> Result<Value> {
    // Their published numbers are not computed again: that takes longer than the page may.
    let all =
        examples::NAMES.iter().filter_map(|name| Some((name, examples::files(name)?.first().copied()?)));
    let all = all.map(|(name, text)| {
        let worked = WorkedExample::parse(text, name)?;
        let kind = if matches!(worked.subject, Subject::Network(_)) { "network" } else { "formula" };
        Ok(json!({ "name": name, "title": worked.title, "kind": kind }))
    });
    Ok(all.collect::<Result<Vec<_>>>()?.into())
}

/// A step without words. `start` orders the steps of all levels alike.
fn step(step: &Step) -> Value {
    json!({
        "pass": step.pass,
        "makes": step.makes,
        "layer": step.layer,
        "example": step.example,
        "unit": step.unit,
        "gate": step.gate,
        "multiply_adds": step.multiply_adds,
        "start": step.start(),
    })
}

fn level_named(name: &str) -> Result<Level> {
    Level::from_name(name).ok_or_else(|| Error::unknown_name("level", name, Level::NAMES))
}

thread_local! {
    static KNOWN: RefCell<Map<String, Rc<Catalog>>> = RefCell::default();
}

/// Takes the messages of a language from its file.
///
/// # Errors
/// If the language is unknown, or the file is none of messages.
pub fn learn(language: &str, file: &[u8]) -> Result<()> {
    let text = std::str::from_utf8(file).unwrap_or_default();
    let found = Catalog::parse(language, text).ok_or_else(|| {
        let no = if CODES.contains(&language) {
            "the file is no list of messages"
        } else {
            "there is no such language"
        };
        Error::configuration(format!("`{language}`: {no}"))
    })?;
    KNOWN.with_borrow_mut(|known| known.insert(language.to_owned(), Rc::new(found)));
    Ok(())
}

/// The catalog of a language. The page gives each as a file, so that none is sent that nobody reads; elsewhere they are
/// built in.
///
/// # Errors
/// If it is unknown.
pub fn catalog(language: Option<&str>) -> Result<Rc<Catalog>> {
    let language = language.unwrap_or("en");
    if let Some(known) = KNOWN.with_borrow(|known| known.get(language).cloned()) {
        return Ok(known);
    }
    let found = built_in(language).ok_or_else(|| Error::unknown_name("language", language, CODES))?;
    let found = Rc::new(found);
    KNOWN.with_borrow_mut(|known| known.insert(language.to_owned(), found.clone()));
    Ok(found)
}

#[cfg(not(target_family = "wasm"))]
fn built_in(language: &str) -> Option<Catalog> {
    Catalog::find(language)
}

#[cfg(target_family = "wasm")]
fn built_in(_: &str) -> Option<Catalog> {
    None
}

/// The size of a drawing: as it is asked for; of a width alone, such that it can be read.
pub(crate) fn size(steps: &Steps, step: Option<&Step>, width: Option<f64>, height: Option<f64>) -> Size {
    match (width, height) {
        (Some(width), Some(height)) => Size { width, height },
        (Some(width), None) => Size::readable(steps, step, width),
        (None, height) => {
            let usual = Size::fitting(steps);
            Size { height: height.unwrap_or(usual.height), ..usual }
        }
    }
}

fn no_network() -> Error {
    Error::configuration("a formula has no weights").help("open a network")
}

fn unwritten(error: serde_json::Error) -> Error {
    Error::configuration("a number cannot be written").caused_by(error)
}
