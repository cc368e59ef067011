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
}

/// A setting without a heading that a command line gives by place.
const BY_PLACE: &str = "data";

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
    argument = argument.value_name(setting.value);
    if setting.name != BY_PLACE {
        argument = argument.long(setting.name.replace('_', "-"));
    }
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
