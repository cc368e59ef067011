//! Training that begins with the weights of a model instead of drawn ones: what it takes over, what must fit, and what
//! may differ.
//!
//! Columns become the inputs that they are in the model, by its figures: weights mean nothing for other inputs. The
//! network is the model's; what has no weights, such as a dropout rate or the strength of L2, may be given anew. With a
//! new head the last layer is drawn by the seed, for a target of other classes.

use super::{NetworkTable, Settings, configuration};
use crate::data::{DataOptions, Preprocessing, Table, Target};
use crate::error::{Error, Place, Result};
use crate::model::{Began, Model, Test, Trained};
use crate::network::{Layer, Network, Parameter};
use std::fmt::Display;
use std::num::NonZeroU32;

/// A model to begin with.
#[derive(Debug, Clone)]
pub(super) struct Begin {
    model: Model<f32>,
    /// What it is called, for people.
    name: String,
    has_new_head: bool,
    /// Whether the settings say something of layers, beside the model.
    has_said_layers: bool,
}

impl Begin {
    pub(super) fn new(model: Model<f32>, name: String, given: &Settings) -> Self {
        let has_said_layers = given.hidden.is_some()
            || given.embeddings.is_some()
            || given.activation.is_some()
            || given.initializer.is_some()
            || given.dropout.is_some()
            || given.batch_norm.is_some()
            || given.layer_norm.is_some()
            || given.network.is_some();
        Self { model, name, has_new_head: given.new_head == Some(true), has_said_layers }
    }

    fn trained(&self) -> Result<Trained<'_>> {
        self.model.trained()
    }

    /// The settings with what the model says of inputs, target and network.
    ///
    /// # Errors
    /// If they say something else.
    pub(super) fn settings(&self, given: Settings) -> Result<Settings> {
        let Self { model, name, has_new_head, .. } = self;
        let trained = self.trained()?;
        let own = Settings::of_model(trained.configuration).map_err(|error| error.at(Place::source(name)))?;
        self.same("scaling", given.scaling, own.scaling)?;
        self.same("imputation", given.imputation, own.imputation)?;
        self.same(
            "missing-indicators",
            given.missing_indicators,
            Some(own.missing_indicators.unwrap_or(false)),
        )?;
        self.same("pieces", given.pieces, Some(own.pieces.unwrap_or(0)))?;
        self.same("max-levels", given.max_levels, Some(own.max_levels.unwrap_or(DataOptions::MAX_LEVELS)))?;
        self.same("ensemble", given.ensemble, Some(model.member_count()))?;
        let features = trained.preprocessing.features();
        if let Some(input) = given.ignore.0.iter().find(|name| features.iter().any(|own| own.name == **name))
        {
            return Err(configuration(
                format!("column \"{input}\" is to be left out, but {name} takes it"),
                "keep it, or train from the start",
            ));
        }
        let target = trained.preprocessing.target();
        let image = trained.network.image;
        let mut settings = Settings {
            scaling: own.scaling,
            imputation: own.imputation,
            missing_indicators: own.missing_indicators,
            pieces: own.pieces,
            max_levels: own.max_levels,
            ensemble: Some(model.member_count()),
            hidden: given.hidden.or(own.hidden),
            embeddings: given.embeddings.or(own.embeddings),
            convolutions: given.convolutions.or(own.convolutions),
            activation: given.activation.or(own.activation),
            initializer: given.initializer.or(own.initializer),
            dropout: given.dropout.or(own.dropout),
            batch_norm: given.batch_norm.or(own.batch_norm),
            layer_norm: given.layer_norm.or(own.layer_norm),
            network: given
                .network
                .or(own.network)
                .map(|table| NetworkTable { image: table.image.or(image), ..table }),
            l1: given.l1.or(own.l1),
            l2: given.l2.or(own.l2),
            divide_by_batch: given.divide_by_batch.or(own.divide_by_batch),
            ..given
        };
        if !has_new_head {
            let said = || settings.target.0.join("\", \"");
            if !settings.target.0.is_empty() && settings.target.0 != target.names() {
                return Err(configuration(
                    format!("{name} predicts \"{}\", not \"{}\"", target.names().join("\", \""), said()),
                    "leave out `--target`, or give the network a new last layer with `--new-head`",
                ));
            }
            self.same("task", settings.task, Some(target.target().task()))?;
            settings.target.0 = target.names().to_vec();
            settings.task = Some(target.target().task());
        }
        Ok(settings)
    }

    /// Refuses what is given and differs from what the model has.
    fn same<T: PartialEq + Display>(&self, flag: &str, given: Option<T>, own: Option<T>) -> Result<()> {
        match (given, own) {
            (Some(given), Some(own)) if given != own => Err(configuration(
                format!("`--{flag}` is {given}, but {} has {own}, for which its weights are", self.name),
                format!("leave out `--{flag}`, or train from the start"),
            )),
            (Some(given), None) => Err(configuration(
                format!("`--{flag}` is {given}, but {} keeps its own", self.name),
                format!("leave out `--{flag}`, or train from the start"),
            )),
            _ => Ok(()),
        }
    }

    /// The rows that were held out from the model to test on, if these are the data that it was trained on.
    ///
    /// # Errors
    /// If other rows are to be held out, of which the model has learned from some.
    pub(super) fn held_out(&self, table: &Table, settings: &Settings) -> Result<Option<Vec<usize>>> {
        let Trained { data, rows, configuration, .. } = self.trained()?;
        let Some(Test::HeldOut(held_out)) = rows.map(|rows| rows.test()) else { return Ok(None) };
        if !data.is_of(table)? {
            return Ok(None);
        }
        let before = |key: &str| configuration.get(key).and_then(serde_json::Value::as_str);
        let given = [
            (
                "--test",
                settings.fractions()?[0]
                    .is_some_and(|own| configuration.get("test").and_then(|test| test.as_f64()) != Some(own)),
            ),
            ("--group", settings.group.is_some() && settings.group.as_deref() != before("group")),
            (
                "--time-order",
                settings.time_order.is_some() && settings.time_order.as_deref() != before("time_order"),
            ),
        ];
        match given.iter().find(|(_, is_other)| *is_other) {
            Some((flag, _)) if settings.test_data.is_none() => Err(Error::configuration(format!(
                "{} was trained on some of the rows that `{flag}` would test on",
                self.name
            ))
            .help(format!(
                "leave out `{flag}`, so that the rows held out from it are tested on, or give others with `--test-data`"
            ))),
            _ => Ok(Some(held_out.clone())),
        }
    }

    /// How the columns of a table become inputs, as in the model; and its target, or with a new head the table's.
    ///
    /// # Errors
    /// If a column is missing, or a class is not known.
    pub(super) fn preprocessing(
        &self,
        table: &Table,
        rows: &[usize],
        options: &DataOptions,
    ) -> Result<Preprocessing> {
        let Self { name, has_new_head, .. } = self;
        let own = self.trained()?.preprocessing;
        let names = own.features().iter().map(|feature| feature.name.as_str());
        let missing: Vec<&str> = names.filter(|name| table.get(name).is_none()).collect();
        if let [first, rest @ ..] = &missing[..] {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            return Err(Error::data(format!(
                "{} lacks column \"{first}\"{more}, which {name} takes",
                table.source()
            ))
            .help("give all columns that the model was trained on; `pullback inspect` lists them"));
        }
        let target = match has_new_head {
            true => Preprocessing::fit(table, rows, options)?.target().clone(),
            false => own.target().clone(),
        };
        if let Err(error) = target.apply::<f32>(table) {
            let help = match own.target().target() {
                Target::Regression { .. } => "correct the target",
                _ => {
                    "leave the rows out, or give the network a new last layer for these classes with `--new-head`"
                }
            };
            return Err(error.help(help));
        }
        own.clone().kept_for(table, target, &format!("{name} does not take it"), options.weights.clone())
    }

    /// The networks, and the weights that they begin with.
    ///
    /// # Errors
    /// If the settings ask for a network that the weights do not fit.
    pub(super) fn networks(
        &self,
        settings: &Settings,
        wanted: impl Fn(&Settings) -> Result<Network>,
        (target, seed): (&Target, u64),
    ) -> Result<Vec<(Network, Vec<Vec<f32>>)>> {
        let members = (0..self.model.member_count()).filter_map(|index| self.model.member(index));
        let mut networks = Vec::new();
        for (index, member) in members.enumerate() {
            let mut network = match self.has_said_layers {
                true => wanted(settings)?,
                false => self.with_head(member.network().clone(), target.outputs())?,
            };
            network.cost = match settings.cost {
                None if !self.has_new_head => member.network().cost,
                _ => settings.checked_cost(target)?,
            };
            let own = member.network().cost;
            if !self.has_new_head && network.cost.has_log_link() != own.has_log_link() {
                self.same("cost", Some(network.cost), Some(own))?;
            }
            network.regularization = member.network().regularization;
            let regularization = &mut network.regularization;
            regularization.l1 = settings.l1.unwrap_or(regularization.l1);
            regularization.l2 = settings.l2.unwrap_or(regularization.l2);
            regularization.divide_by_batch =
                settings.divide_by_batch.unwrap_or(regularization.divide_by_batch);
            let parameters = self.fitting(&network, &member, super::seed_of(seed, index))?;
            networks.push((network, parameters));
        }
        Ok(networks)
    }

    /// A network whose last layer has as many outputs as the target.
    fn with_head(&self, mut network: Network, outputs: usize) -> Result<Network> {
        match network.layers.last_mut() {
            Some(Layer::Dense(dense)) => dense.units = outputs,
            _ if self.has_new_head => {
                return Err(configuration(
                    format!(
                        "the last layer of {} is not dense, so that it has no head to replace",
                        self.name
                    ),
                    "leave out `--new-head`",
                ));
            }
            _ => {}
        }
        Ok(network)
    }

    /// The weights of a network: the model's, but for a new head.
    fn fitting(&self, network: &Network, member: &Model<f32>, seed: u64) -> Result<Vec<Vec<f32>>> {
        // What has no weights may come and go.
        let layers = |network: &Network| -> Vec<String> {
            let layers = network.layers.iter().filter(|layer| !matches!(layer, Layer::Dropout(_)));
            layers.map(Layer::describe).collect()
        };
        let (asked, has) = (layers(network), layers(member.network()));
        let body = asked.len() - usize::from(self.has_new_head);
        let (wanted, own) = (network.parameters()?, member.network().parameters()?);
        let head = network.layers.len() - 1;
        let is_head = |parameter: &Parameter| self.has_new_head && parameter.layer == Some(head);
        let differs = |what: String| {
            configuration(
                format!("the network that is asked for is not that of {}: {what}", self.name),
                "leave out what is said of layers, or train from the start",
            )
        };
        if asked.len() != has.len() || asked[..body] != has[..body] {
            return Err(differs(format!("{}; not {}", asked.join(", "), has.join(", "))));
        }
        let mut parameters = Vec::new();
        for (place, (wanted, drawn)) in wanted.iter().zip(network.initialize::<f32>(seed)?).enumerate() {
            let Some((own, numbers)) = own.get(place).zip(member.parameters().get(place)) else {
                return Err(differs(format!("it has `{}` beside", wanted.name)));
            };
            if is_head(wanted) {
                parameters.push(drawn);
                continue;
            }
            if own.shape != wanted.shape {
                return Err(differs(format!(
                    "it has `{}` of shape {} for `{}` of shape {}",
                    wanted.name, wanted.shape, own.name, own.shape
                )));
            }
            parameters.push(numbers.clone());
        }
        match own.get(wanted.len()) {
            Some(own) => Err(differs(format!("it lacks `{}`", own.name))),
            None => Ok(parameters),
        }
    }

    /// How many times a network counts in the model's mean.
    pub(super) fn times(&self, member: usize) -> NonZeroU32 {
        let times = self.model.member(member).map(|member| member.times() as u32);
        times.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
    }

    /// What a model says of where it began.
    pub(super) fn began(&self, member: usize) -> Option<Began> {
        let member = self.model.member(member)?;
        let run = member.run();
        Some(Began {
            model: self.name.clone(),
            hash: member.hash(),
            epochs: run.map_or(0, |run| run.history.kept_epoch.map_or(0, |epoch| epoch + 1)),
            data: run.and_then(|run| run.data.clone()),
            has_new_head: self.has_new_head,
        })
    }
}
