//! The flags of a job, made from the library's list of settings: what they are called, what they take, their help.

use crate::failure::{Failure, Result};
use clap::builder::OsStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use pullback::job::{Form, Setting, Settings};
use pullback::report::number;
use pullback::train::Optimizer;
use std::ffi::OsString;

/// The settings that the command line gives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    given: Vec<(&'static Setting, OsString)>,
}

impl Flags {
    /// The settings that they make.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let mut settings = Settings::default();
        for (setting, text) in &self.given {
            let set = settings.set(setting.name, text);
            set.map_err(|error| Failure::from(error).of(&shown(setting)))?;
        }
        Ok(settings)
    }

    /// The settings that they make for a run that goes on, whose others are in its folder.
    pub(crate) fn beside_resume(&self) -> Result<Settings> {
        match self.given.iter().find(|(setting, _)| !BESIDE_RESUME.contains(&setting.name)) {
            None => self.settings(),
            Some((setting, _)) => Err(Failure::usage(
                format!("{} is given beside `--resume`", shown(setting)),
                "leave it out: the settings of the run are in its folder; another run needs another folder",
            )),
        }
    }
}

/// What may be given beside the folder of a run that goes on: where its data have moved to, and what changes no bit.
const BESIDE_RESUME: &[&str] = &[
    "data",
    "test_data",
    "validation_data",
    "targets",
    "epochs",
    "threads",
    "checkpoint_every",
    "checkpoint_keep",
    "out",
    "from",
    "initial_weights",
];

/// A setting without a heading that a command line gives by place.
const BY_PLACE: &str = "data";

/// What is asked for under another name that does not mean quite the same, and the setting to look at.
const NEAR: &[(&str, &str)] = &[
    ("alpha", "l2"),
    ("clip", "clip_norm"),
    ("clip_value", "clip_norm"),
    ("hidden_layers", "hidden"),
    ("iterations", "epochs"),
    ("jobs", "threads"),
    ("labels", "target"),
    ("lambda", "l2"),
    ("layers", "hidden"),
    ("lr_decay", "schedule"),
    ("n_hidden", "hidden"),
    ("n_jobs", "threads"),
    ("n_layers", "hidden"),
    ("neurons", "hidden"),
    ("normalize", "scaling"),
    ("num_layers", "hidden"),
    ("regularization", "l2"),
    ("standardize", "scaling"),
    ("step_size", "learning_rate"),
    ("steps", "epochs"),
    ("units", "hidden"),
    ("warmup", "warmup_epochs"),
    ("workers", "threads"),
];

/// The name that the help lists for a flag or a key, which may be another name of it.
pub(crate) fn listed(name: &str) -> String {
    let bare = name.trim_start_matches('-').replace('-', "_");
    match Settings::LIST.iter().find(|setting| setting.also.contains(&bare.as_str())) {
        Some(setting) if name.starts_with('-') => shown(setting),
        Some(setting) => setting.name.to_owned(),
        None => name.to_owned(),
    }
}

/// What to type instead of a flag that there is not, if that is known.
pub(crate) fn near(flag: &str) -> Option<String> {
    let name = flag.trim_start_matches('-').replace('-', "_").to_lowercase();
    let (_, meant) = NEAR.iter().find(|(other, _)| *other == name)?;
    let setting = Settings::LIST.iter().find(|setting| setting.name == *meant)?;
    let mut doc = setting.doc.to_owned();
    doc[..1].make_ascii_lowercase();
    Some(format!("see `{} {}`: {doc}", shown(setting), setting.value))
}

/// Whether a word of the command line stands behind a switch, as if it were its value; then the switch.
pub(crate) fn switch_before(word: &str) -> Option<String> {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let pair = words.windows(2).find(|pair| pair[1] == word && is_switch(&pair[0]))?;
    Some(pair[0].clone())
}

/// Whether a word of the command line is a flag that takes no value, or one after `=`.
fn is_switch(flag: &str) -> bool {
    Settings::LIST.iter().any(|setting| setting.form == Form::Switch && flag == shown(setting))
}

/// A command line in which `--header true` is `--header=true`: a switch takes its value with a sign of equality, so
/// that what follows it can be a file.
pub(crate) fn joined(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    for argument in arguments {
        let value = argument.to_str().filter(|text| matches!(*text, "true" | "false"));
        match (value, joined.last_mut()) {
            (Some(value), Some(last)) if last.to_str().is_some_and(is_switch) => {
                last.push("=");
                last.push(value);
            }
            _ => joined.push(argument),
        }
    }
    joined
}

/// The flag as it is typed: `--learning-rate`.
fn shown(setting: &Setting) -> String {
    match setting.name {
        BY_PLACE => setting.value.to_owned(),
        name => format!("--{}", name.replace('_', "-")),
    }
}

/// `The optimizer: sgd, adam, ... [default: adam]`
fn help(setting: &Setting) -> String {
    let mut help = setting.doc.to_owned();
    if !setting.names.is_empty() {
        help += &format!(": {}", setting.names.join(", "));
    }
    // A setting of optimizers: which have it, each with its default.
    let takers: Vec<String> = (Optimizer::CHOICES.iter())
        .filter_map(|optimizer| {
            let field = optimizer.fields.iter().find(|field| field.name == setting.name)?;
            Some(format!("{} ({})", optimizer.name, number::setting(field.default)))
        })
        .collect();
    if !takers.is_empty() {
        help += &format!("; for {}", takers.join(", "));
    }
    if !setting.default.is_empty() {
        help += &format!(" [default: {}]", setting.default);
    }
    help
}

fn argument(setting: &'static Setting) -> Arg {
    let mut argument = Arg::new(setting.name)
        .help(help(setting))
        .value_parser(OsStringValueParser::new())
        .action(if setting.form == Form::List { ArgAction::Append } else { ArgAction::Set });
    argument = argument.value_name(match setting.form {
        Form::Switch => "true|false",
        _ => setting.value,
    });
    if setting.name != BY_PLACE {
        argument = argument.long(setting.name.replace('_', "-"));
    }
    // Aliases are not listed in the help.
    argument = argument.aliases(setting.also.iter().map(|name| name.replace('_', "-")));
    if setting.name == "out" {
        argument = argument.short('o');
    }
    if !setting.heading.is_empty() {
        argument = argument.help_heading(setting.heading);
    }
    match setting.form {
        Form::Switch => argument.num_args(0..=1).require_equals(true).default_missing_value("true"),
        _ => argument,
    }
}

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        command.args(Settings::LIST.iter().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in Settings::LIST {
            if let Some(values) = matches.get_many::<OsString>(setting.name) {
                // A list may be given in one flag or in several.
                let values: Vec<&std::ffi::OsStr> = values.map(OsString::as_os_str).collect();
                self.given.push((setting, values.join(std::ffi::OsStr::new(","))));
            }
        }
        Ok(())
    }
}
