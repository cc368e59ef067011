//! Temperature scaling: probabilities that are as sure as held-out rows say.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// By what weighted sums are divided before they become probabilities (Guo, Pleiss, Sun and Weinberger, 2017): above 1
/// makes probabilities less sure, below 1 surer; the most probable class stays.
///
/// ```
/// use pullback::model::Temperature;
/// assert_eq!(Temperature::new(1.5)?.get(), 1.5);
/// assert!(Temperature::new(0.0).is_err());
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Temperature(f64);

impl Temperature {
    /// The least and the greatest: what needs another is not calibrated, but wrong.
    pub const BOUNDS: (f64, f64) = (0.05, 20.0);
    /// Changes nothing.
    pub const ONE: Self = Self(1.0);

    /// A temperature within the [bounds](Self::BOUNDS).
    ///
    /// # Errors
    /// If it is not within them.
    pub fn new(temperature: f64) -> Result<Self> {
        let (least, greatest) = Self::BOUNDS;
        if (least..=greatest).contains(&temperature) {
            return Ok(Self(temperature));
        }
        Err(Error::configuration(format!("the temperature of probabilities is {temperature}"))
            .help(format!("give one from {least} to {greatest}")))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Temperature {
    type Error = Error;
    fn try_from(temperature: f64) -> Result<Self> {
        Self::new(temperature)
    }
}

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> f64 {
        temperature.0
    }
}
