//! The file of a sweep: what all trials share, what differs, and how it is chosen. The trials are a function of the
//! file alone: numbers are addressed by seed, trial and setting, so that more trials begin with the same ones.

use crate::config_file;
use crate::failure::{Failure, Result};
use pullback::job::Settings;
use pullback::random::{Purpose, Random};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// How the settings of trials are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    /// Each combination of lists.
    Grid,
    /// Each trial draws its own.
    #[default]
    Random,
    /// The same, and those that are worse after some epochs are given up (Jamieson, Talwalkar, 2016).
    Halving,
}

/// What a sweep is.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// Where trials are kept.
    pub(crate) folder: PathBuf,
    pub(crate) method: Method,
    /// Of how many trials one goes on where halving gives some up.
    pub(crate) part: usize,
    /// The settings of each trial, with what differs.
    pub(crate) trials: Vec<Trial>,
    /// What all trials share.
    pub(crate) base: Settings,
}

/// One training run of a sweep.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) settings: Settings,
    /// What this trial has of the ranges.
    pub(crate) chosen: BTreeMap<String, Value>,
}

/// The file, whose base is a path or settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(deserialize = "B: DeserializeOwned + Default"))]
struct File<B> {
    #[serde(default)]
    base: B,
    data: Option<String>,
    target: Option<Value>,
    folder: Option<PathBuf>,
    #[serde(default)]
    method: Method,
    trials: Option<usize>,
    seed: Option<u64>,
    part: Option<usize>,
    #[serde(default)]
    ranges: BTreeMap<Key, Range>,
}

/// The name of a setting that may differ between trials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key(String);

/// What would make trials that cannot be compared, or is not theirs to say.
const SHARED: &[&str] = &[
    "data",
    "test_data",
    "validation_data",
    "targets",
    "target",
    "task",
    "weights",
    "test",
    "validation",
    "group",
    "time_order",
    "cv",
    "out_of_fold",
    "metric",
    "time",
    "threads",
    "checkpoint",
    "checkpoint_every",
    "checkpoint_keep",
    "out",
];

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let setting = Settings::LIST.iter().find(|own| own.name == name || own.also.contains(&name.as_str()));
        match setting {
            Some(setting) if SHARED.contains(&setting.name) => {
                Err(D::Error::custom(format!("trials cannot differ in {name}: they could not be compared")))
            }
            Some(setting) => Ok(Self(setting.name.to_owned())),
            None => {
                let names = Settings::LIST.iter().map(|own| own.name).filter(|name| !SHARED.contains(name));
                let names: Vec<&str> = names.collect();
                Err(D::Error::custom(format!(
                    "unknown field `{name}`, expected one of `{}`",
                    names.join("`, `")
                )))
            }
        }
    }
}

/// The values that a setting takes.
#[derive(Debug, Clone)]
enum Range {
    /// One of these.
    List(Vec<Value>),
    /// A number between two.
    Between(Between),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Between {
    min: f64,
    max: f64,
    /// Whether the logarithm is drawn.
    #[serde(default)]
    log: bool,
    /// Whether it is a whole number.
    #[serde(default)]
    integer: bool,
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Range;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of values, or { min = 1e-4, max = 0.1, log = true }")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Range, A::Error> {
                let list = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                if list.is_empty() {
                    return Err(A::Error::custom("a list without a value leaves nothing to choose"));
                }
                Ok(Range::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Range, A::Error> {
                let between = Between::deserialize(MapAccessDeserializer::new(map))?;
                let Between { min, max, log, .. } = between;
                if !(min < max && min.is_finite() && max.is_finite()) {
                    return Err(A::Error::custom(format!("nothing is between min = {min} and max = {max}")));
                }
                if log && min <= 0.0 {
                    return Err(A::Error::custom(format!("min = {min} has no logarithm")));
                }
                Ok(Range::Between(between))
            }
        }
        from.deserialize_any(Form)
    }
}

/// More trials than anyone means.
const MOST_TRIALS: usize = 100_000;
/// What halving keeps where nothing is said: a third.
const PART: usize = 3;

/// Reads the file of a sweep.
pub(crate) fn read(path: &Path) -> Result<Sweep> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("{} cannot be read: {error}", path.display()), "check the path")
    })?;
    let wrong = |error: toml::de::Error| config_file::wrong(path, &text, &error);
    let table: Table = toml::from_str(&text).map_err(wrong)?;
    let (base, file) = match table.get("base") {
        Some(Value::String(_)) => {
            let file: File<PathBuf> = toml::from_str(&text).map_err(wrong)?;
            // Beside the file that names it, like what a page links to.
            let place = path.parent().unwrap_or(Path::new("")).join(&file.base);
            (config_file::read(&place)?, File::<()>::of(file))
        }
        _ => {
            let mut file: File<Settings> = toml::from_str(&text).map_err(wrong)?;
            (std::mem::take(&mut file.base), File::of(file))
        }
    };
    let unfit = |what: String, help: &str| Failure::usage(format!("{}: {what}", path.display()), help);
    let mut shared = Table::try_from(&base).map_err(|error| unfit(error.to_string(), "correct the base"))?;
    if let Some(data) = &file.data {
        shared.insert("data".into(), Value::String(data.clone()));
    }
    if let Some(target) = &file.target {
        shared.insert("target".into(), target.clone());
    }
    let settings_of = |table: Table, what: &str| {
        let settings: Result<Settings, toml::de::Error> = Value::Table(table).try_into();
        settings.map_err(|error| {
            let message = error.message().replace('\n', "; ");
            unfit(format!("{what}: {message}"), "correct the value")
        })
    };
    let base = settings_of(shared.clone(), "the base")?;
    let given = [
        ("cv", base.cv.is_some()),
        ("out_of_fold", base.out_of_fold.is_some()),
        ("out", base.out.is_some()),
        ("checkpoint", base.checkpoint.is_some()),
        ("time", base.time.is_some()),
    ];
    if let Some((key, _)) = given.iter().find(|(_, is_given)| *is_given) {
        return Err(unfit(
            format!(
                "the base says `{key}`, but a trial has files of its own, rows held out to compare by, and no clock"
            ),
            "leave it out of the base",
        ));
    }
    if file.ranges.is_empty() {
        return Err(unfit(
            "it does not say what differs between trials".to_owned(),
            "write, for example, `[ranges]` and under it `learning_rate = { min = 1e-4, max = 1e-2, log = true }`",
        ));
    }
    if base.metric.unwrap_or_default().is_cost() {
        for key in ["cost", "class_weights"] {
            if file.ranges.contains_key(&Key(key.to_owned())) {
                return Err(unfit(
                    format!("trials that differ in `{key}` cannot be ranked by their costs"),
                    "say in the base by what they are compared, for example `metric = \"accuracy\"`",
                ));
            }
        }
    }
    let (seed, part) = (file.seed.unwrap_or(0), file.part.unwrap_or(PART));
    if part < 2 {
        return Err(unfit(
            format!("part = {part} gives no trial up"),
            "give at least 2: one of so many goes on",
        ));
    }
    let choices = match file.method {
        Method::Grid => grid(&file).map_err(|(what, help)| unfit(what, help))?,
        Method::Random | Method::Halving => {
            let count = file.trials.filter(|count| (1..=MOST_TRIALS).contains(count)).ok_or_else(|| {
                unfit(
                    match file.trials {
                        None => "it does not say how many trials are drawn".to_owned(),
                        Some(count) => format!("{count} trials cannot be drawn"),
                    },
                    "write, for example, `trials = 20`",
                )
            })?;
            (0..count).map(|trial| drawn(&file.ranges, seed, trial)).collect()
        }
    };
    let mut trials = Vec::with_capacity(choices.len());
    for (at, chosen) in choices.into_iter().enumerate() {
        let mut table = shared.clone();
        table.extend(chosen.clone());
        let mut settings = settings_of(table, &format!("trial {}", at + 1))?;
        if file.method == Method::Halving {
            // Rates that depend on all epochs would not go on.
            settings.schedule.get_or_insert_with(|| "constant".to_owned());
        }
        trials.push(Trial { settings, chosen });
    }
    let folder = file.folder.unwrap_or_else(|| path.with_extension(""));
    if folder == path {
        return Err(unfit(
            "it does not say in which folder trials are kept".to_owned(),
            "write, for example, `folder = \"trials\"`",
        ));
    }
    Ok(Sweep { folder, method: file.method, part, trials, base })
}

impl<B: Default> File<B> {
    /// The same file, whose base is held elsewhere.
    fn of<O>(file: File<O>) -> Self {
        let File { data, target, folder, method, trials, seed, part, ranges, .. } = file;
        Self { base: B::default(), data, target, folder, method, trials, seed, part, ranges }
    }
}

type Choice = BTreeMap<String, Value>;

/// Each combination of the lists, the last setting changing fastest.
fn grid(file: &File<()>) -> Result<Vec<Choice>, (String, &'static str)> {
    if file.trials.is_some() {
        return Err((
            "a grid has as many trials as its lists have combinations".into(),
            "leave out `trials`",
        ));
    }
    let mut choices = vec![Choice::new()];
    for (Key(name), range) in &file.ranges {
        let Range::List(values) = range else {
            return Err((
                format!("a grid has no steps between min and max of {name}"),
                "list its values, or make it `method = \"random\"`",
            ));
        };
        if choices.len().saturating_mul(values.len()) > MOST_TRIALS {
            return Err((format!("the grid has more than {MOST_TRIALS} trials"), "make the lists shorter"));
        }
        let with = |choice: &Choice, value: &Value| {
            let mut choice = choice.clone();
            choice.insert(name.clone(), value.clone());
            choice
        };
        choices =
            choices.iter().flat_map(|choice| values.iter().map(move |value| with(choice, value))).collect();
    }
    Ok(choices)
}

/// What [`hashed`] begins with.
pub(crate) const HASH: u64 = 0xcbf2_9ce4_8422_2325;

/// A hash with more bytes (FNV-1a).
pub(crate) fn hashed(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What a trial draws. A setting's address is a hash of its name, so that another range changes none.
fn drawn(ranges: &BTreeMap<Key, Range>, seed: u64, trial: usize) -> Choice {
    let random = Random::new(seed, Purpose::Trial, trial as u32);
    let value = |name: &str, range: &Range| {
        let address = hashed(HASH, name.as_bytes());
        match range {
            Range::List(values) => values[random.below(address, values.len())].clone(),
            Range::Between(Between { min, max, log, integer }) => {
                let scale = |x: f64| if *log { pullback::Real::ln(x) } else { x };
                // Whole numbers: each has the part of the range around it.
                let (low, high) = if *integer { (min - 0.5, max + 0.5) } else { (*min, *max) };
                let low = if *log { low.max(f64::MIN_POSITIVE) } else { low };
                let at = scale(low) + random.uniform(address) * (scale(high) - scale(low));
                let x = if *log { pullback::Real::exp(at) } else { at };
                match integer {
                    true => Value::Integer(x.round().clamp(*min, *max) as i64),
                    // In four digits, which people can type.
                    false => Value::Float(format!("{x:.3e}").parse().unwrap_or(x).clamp(*min, *max)),
                }
            }
        }
    };
    ranges.iter().map(|(Key(name), range)| (name.clone(), value(name, range))).collect()
}
