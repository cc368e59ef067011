//! Whether parameters are those of a network.

use super::Network;
use crate::error::{Error, Result};

impl Network {
    /// Refuses parameters of another network.
    ///
    /// # Errors
    /// If there are not as many as [`Network::parameters`] lists, or one has not as many numbers as its shape says.
    pub fn check_parameters<T>(&self, parameters: &[Vec<T>]) -> Result<()> {
        let specification = self.parameters()?;
        if specification.len() != parameters.len() {
            return Err(Error::configuration(format!(
                "the network has {} parameters, but {} are given",
                specification.len(),
                parameters.len()
            ))
            .help("give those that it was trained to"));
        }
        for (parameter, numbers) in specification.iter().zip(parameters) {
            let sizes = parameter.shape.sizes().iter();
            let elements = sizes.fold(1_u128, |elements, &size| elements.saturating_mul(size as u128));
            if elements != numbers.len() as u128 {
                return Err(Error::configuration(format!(
                    "`{}` has the shape {}, but {} numbers are given",
                    parameter.name,
                    parameter.shape,
                    numbers.len()
                ))
                .help("give the parameters that the network was trained to"));
            }
        }
        Ok(())
    }
}
