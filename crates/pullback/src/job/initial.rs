//! Training that begins with given numbers: of a worked example's file, or of a model whose data were others.
//!
//! Unlike training from a model, the inputs are prepared anew. The layers are those of the given network, unless the
//! settings say their own; each parameter must fit.

use super::{Settings, configuration};
use crate::error::Result;
use crate::network::{Layer, Network};
use crate::report::number::counted;

/// A network with its numbers, to begin with.
#[derive(Debug, Clone)]
pub(super) struct Initial {
    pub(super) network: Network,
    pub(super) parameters: Vec<Vec<f32>>,
    /// What it is called, for people.
    pub(super) name: String,
}

impl Initial {
    /// The settings, for one network unless they ask for several: all of them would begin with the same numbers.
    pub(super) fn settings(given: Settings) -> Settings {
        Settings { ensemble: given.ensemble.or(Some(1)), ..given }
    }

    /// The network that is trained, and the numbers that it begins with.
    ///
    /// # Errors
    /// If they do not fit the data, or the layers that the settings ask for.
    pub(super) fn network(&self, settings: &Settings, wanted: Network) -> Result<(Network, Vec<Vec<f32>>)> {
        let has_said_layers = settings.hidden.is_some() || settings.network.is_some();
        let network = match has_said_layers {
            true => wanted.clone(),
            false => Network { layers: self.network.layers.clone(), ..wanted.clone() },
        };
        let differs = |what: String| {
            configuration(
                format!("the numbers of {} do not fit: {what}", self.name),
                "give other numbers, or other data",
            )
        };
        if !has_said_layers && self.network.inputs != wanted.inputs {
            let (own, data) = (counted(self.network.inputs, "input"), counted(wanted.inputs, "input"));
            return Err(differs(format!("its network has {own}, but the data make {data}")));
        }
        if !has_said_layers && network.outputs() != wanted.outputs() {
            let (own, data) = (counted(network.outputs(), "output"), counted(wanted.outputs(), "output"));
            return Err(differs(format!("its network has {own}, but the target needs {data}")));
        }
        let (needed, own) = (network.parameters()?, self.network.parameters()?);
        let layers =
            |network: &Network| network.layers.iter().map(Layer::describe).collect::<Vec<_>>().join(", ");
        for (at, needed) in needed.iter().enumerate() {
            let Some(own) = own.get(at).filter(|own| own.name == needed.name) else {
                return Err(differs(format!(
                    "it has no `{}`: {}, not {}",
                    needed.name,
                    layers(&self.network),
                    layers(&network)
                )));
            };
            if own.shape != needed.shape {
                return Err(differs(format!(
                    "`{}` of shape {} is needed, but it has {}",
                    needed.name, needed.shape, own.shape
                )));
            }
        }
        match own.get(needed.len()) {
            Some(more) => Err(differs(format!("it has `{}` beside", more.name))),
            None => Ok((network, self.parameters.clone())),
        }
    }
}
