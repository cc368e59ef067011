//! How a network is written in files: `inputs` is a number, or a list of named inputs.

use super::{Cost, Image, Input, Layer, Network, Regularization};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

#[derive(Serialize, Deserialize)]
#[serde(rename = "Network", deny_unknown_fields)]
pub(super) struct NetworkFile {
    inputs: Inputs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<Image>,
    layers: Vec<Layer>,
    cost: Cost,
    #[serde(default)]
    regularization: Regularization,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Inputs {
    Numbers(usize),
    Named(Vec<Input>),
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Inputs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of inputs, or a list of named inputs")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Inputs, E> {
                usize::try_from(number).map(Inputs::Numbers).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Inputs, E> {
                let invalid = || E::invalid_value(serde::de::Unexpected::Signed(number), &self);
                usize::try_from(number).map(Inputs::Numbers).map_err(|_| invalid())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Inputs, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(Inputs::Named)
            }
        }

        from.deserialize_any(Either)
    }
}

impl From<NetworkFile> for Network {
    fn from(file: NetworkFile) -> Self {
        let NetworkFile { inputs, image, layers, cost, regularization } = file;
        match inputs {
            Inputs::Numbers(inputs) => {
                Self { inputs, image, named: Vec::new(), layers, cost, regularization }
            }
            Inputs::Named(named) => {
                Self { image, regularization, ..Network::with_inputs(named, layers, cost) }
            }
        }
    }
}

impl From<Network> for NetworkFile {
    fn from(network: Network) -> Self {
        let Network { inputs, image, named, layers, cost, regularization } = network;
        let inputs = if named.is_empty() { Inputs::Numbers(inputs) } else { Inputs::Named(named) };
        Self { inputs, image, layers, cost, regularization }
    }
}
