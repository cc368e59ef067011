//! What a model is beside its parameters, and the one check of all its parts against each other.

use super::{Began, Fingerprint, Partition, Run, Temperature, Test, check_cost};
use crate::data::Preprocessing;
use crate::error::{Error, Result};
use crate::network::Network;
use crate::train::{History, MOST_REPORTS, Training};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;

/// All but the parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Card {
    pub(super) network: Network,
    pub(super) preprocessing: Option<Preprocessing>,
    pub(super) run: Option<Run>,
    pub(super) temperature: Option<Temperature>,
    /// How many times the network counts in the mean of an ensemble.
    pub(super) times: NonZeroU32,
}

fn is_once(times: &NonZeroU32) -> bool {
    times.get() == 1
}

/// As a model file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owned {
    network: Network,
    preprocessing: Option<Preprocessing>,
    training: Option<Training>,
    history: Option<History>,
    data: Option<Fingerprint>,
    rows: Option<Partition>,
    configuration: Option<serde_json::Value>,
    began: Option<Began>,
    temperature: Option<Temperature>,
    times: Option<NonZeroU32>,
    #[serde(default)]
    members: Vec<OwnedMember>,
}

/// A further network of an ensemble; what it does not say is as in the first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnedMember {
    network: Network,
    training: Option<Training>,
    history: Option<History>,
    rows: Option<Partition>,
    began: Option<Began>,
    times: Option<NonZeroU32>,
}

#[derive(Serialize)]
struct BorrowedMember<'a> {
    network: &'a Network,
    #[serde(skip_serializing_if = "Option::is_none")]
    training: Option<&'a Training>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'a History>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<&'a Partition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<&'a Began>,
    #[serde(skip_serializing_if = "is_once")]
    times: NonZeroU32,
}

#[derive(Serialize)]
struct Borrowed<'a> {
    network: &'a Network,
    #[serde(skip_serializing_if = "Option::is_none")]
    preprocessing: Option<&'a Preprocessing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    training: Option<&'a Training>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'a History>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Fingerprint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<&'a Partition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<&'a Began>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<Temperature>,
    #[serde(skip_serializing_if = "is_once")]
    times: NonZeroU32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<BorrowedMember<'a>>,
}

/// The cards of all networks of a model: the first one's, and what the others have of their own.
pub(super) struct Cards<'a> {
    pub(super) first: &'a Card,
    pub(super) others: Vec<&'a Card>,
}

impl Serialize for Cards<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let run = self.first.run.as_ref();
        Borrowed {
            network: &self.first.network,
            preprocessing: self.first.preprocessing.as_ref(),
            training: run.map(|run| &run.training),
            history: run.map(|run| &run.history),
            data: run.and_then(|run| run.data.as_ref()),
            rows: run.and_then(|run| run.rows.as_ref()),
            configuration: run.map(|run| &run.configuration).filter(|configuration| !configuration.is_null()),
            began: run.and_then(|run| run.began.as_ref()),
            temperature: self.first.temperature,
            times: self.first.times,
            members: self.others.iter().map(|card| BorrowedMember::from(*card)).collect(),
        }
        .serialize(serializer)
    }
}

impl<'a> From<&'a Card> for BorrowedMember<'a> {
    fn from(Card { network, run, times, .. }: &'a Card) -> Self {
        let run = run.as_ref();
        Self {
            times: *times,
            network,
            training: run.map(|run| &run.training),
            history: run.map(|run| &run.history),
            rows: run.and_then(|run| run.rows.as_ref()),
            began: run.and_then(|run| run.began.as_ref()),
        }
    }
}

/// The cards as they are read: those of all networks, the first one's first.
pub(super) struct OwnedCards(pub(super) Vec<Card>);

impl<'de> Deserialize<'de> for OwnedCards {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Owned {
            network,
            preprocessing,
            training,
            history,
            data,
            rows,
            configuration,
            began,
            temperature,
            times,
            members,
        } = Owned::deserialize(deserializer)?;
        let run = match (training, history) {
            (Some(training), Some(history)) => {
                let configuration = configuration.unwrap_or_default();
                Some(Run { training, history, data, rows, configuration, began })
            }
            (None, None)
                if data.is_none() && rows.is_none() && configuration.is_none() && began.is_none() =>
            {
                None
            }
            _ => {
                return Err(serde::de::Error::custom(
                    "it says of how the model came about only a part: `training` and `history` belong together",
                ));
            }
        };
        let times = times.unwrap_or(NonZeroU32::MIN);
        let first = Card { network, preprocessing, run, temperature, times };
        let others = members.into_iter().map(|member| member.beside(&first)).collect::<Result<Vec<_>, _>>();
        let others = others.map_err(serde::de::Error::custom)?;
        Ok(Self(std::iter::once(first).chain(others).collect()))
    }
}

impl OwnedMember {
    /// The card of a network that shares with the first what it does not say.
    fn beside(self, first: &Card) -> Result<Card, &'static str> {
        let Self { network, training, history, rows, began, times } = self;
        let run = match (training, history, &first.run) {
            (None, None, None) if rows.is_none() && began.is_none() => None,
            (Some(training), Some(history), Some(shared)) => {
                let trained_rows = rows.as_ref().map(Partition::trained_rows);
                let data = shared.data.clone().map(|data| Fingerprint {
                    trained_rows: trained_rows.unwrap_or(data.trained_rows),
                    ..data
                });
                let configuration = shared.configuration.clone();
                Some(Run { training, history, data, rows, configuration, began })
            }
            _ => return Err("one network says how it came about, and another does not"),
        };
        let (preprocessing, temperature) = (first.preprocessing.clone(), first.temperature);
        Ok(Card { network, preprocessing, run, temperature, times: times.unwrap_or(NonZeroU32::MIN) })
    }
}

/// The most numbers that the forward pass of one row may keep: 1 GiB of f32. Networks of photographs keep a tenth of
/// it; what needs more is a file that lies.
const MOST_NUMBERS_OF_A_ROW: u64 = 1 << 28;

impl Card {
    /// Checks all parts by themselves and against each other.
    pub(super) fn check(&self) -> Result<()> {
        let Self { network, preprocessing, run, temperature, .. } = self;
        network.parameters()?;
        if temperature.is_some() && !network.cost.is_for_classes() {
            return Err(Error::configuration(format!(
                "what a network with the cost {} predicts is no probability, so it has no temperature",
                network.cost
            )));
        }
        let numbers = network.memory(1)?.activations;
        if numbers > MOST_NUMBERS_OF_A_ROW {
            return Err(Error::configuration(format!(
                "the network computes {numbers} numbers for each row; at most {MOST_NUMBERS_OF_A_ROW} are kept"
            )));
        }
        if let Some(preprocessing) = preprocessing {
            let target = preprocessing.target().target();
            if preprocessing.inputs() != network.inputs || target.outputs() != network.outputs() {
                return Err(Error::configuration(format!(
                    "the columns make {} inputs and {} outputs, but the network has {} and {}",
                    preprocessing.inputs(),
                    target.outputs(),
                    network.inputs,
                    network.outputs()
                )));
            }
            check_cost(network.cost, target)?;
        }
        match run {
            Some(run) => run.check(),
            None => Ok(()),
        }
    }
}

impl Run {
    /// The same as a model keeps it.
    pub(super) fn stored(self) -> Self {
        let mut history = self.history.thinned(MOST_REPORTS);
        // What is not finite has no number in a file.
        for report in &mut history.epochs {
            report.validation_cost = report.validation_cost.filter(|cost| cost.is_finite());
            report.gradient_norm = report.gradient_norm.filter(|norm| norm.is_finite());
        }
        Self { history, ..self }
    }

    fn check(&self) -> Result<()> {
        let Self { training, history, data, rows, began, .. } = self;
        training.check::<f64>()?;
        history.check()?;
        if history.epoch_count > training.epochs {
            return Err(Error::configuration(format!(
                "{} epochs were run, but at most {} were to be",
                history.epoch_count, training.epochs
            )));
        }
        if let Some(data) = data {
            data.check()?;
        }
        if let Some(began) = began {
            began.check()?;
        }
        if let Some(rows) = rows {
            if let Test::Apart(data) = rows.test() {
                data.check()?;
            }
            let fits = data
                .as_ref()
                .is_some_and(|data| data.rows == rows.rows() && data.trained_rows == rows.trained_rows());
            if !fits {
                return Err(Error::data("the rows that were trained on are not those of the data"));
            }
        }
        Ok(())
    }
}

/// A document in which no key stands twice in one place; its values are left to others.
pub(super) struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unambiguous)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self, M::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<Unambiguous>()?;
            if keys.contains(&key) {
                return Err(serde::de::Error::custom(format!("the key `{key}` stands twice")));
            }
            keys.insert(key);
        }
        Ok(self)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self, S::Error> {
        while list.next_element::<Unambiguous>()?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}
