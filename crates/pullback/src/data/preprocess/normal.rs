//! Numbers to a standard normal distribution, by their rank among those of the training rows.

use crate::error::{Error, Result};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};

/// So many quantiles tell a distribution: more change no number by much, and each is in the model file.
const QUANTILES: usize = 256;
/// No rank is nearer than that to 0 or 1, so that the result is between -5.2 and 5.2.
const LEAST_RANK: f64 = 1e-7;

/// Quantiles at equal distances, the first and last being the smallest and largest number. They do not descend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub(super) struct Quantiles(Vec<f64>);

impl TryFrom<Vec<f64>> for Quantiles {
    type Error = Error;
    fn try_from(quantiles: Vec<f64>) -> Result<Self> {
        let ascend = quantiles.windows(2).all(|pair| pair[0] <= pair[1] && (pair[1] - pair[0]).is_finite());
        if !(ascend && (2..=QUANTILES).contains(&quantiles.len()) && quantiles.iter().all(|x| x.is_finite()))
        {
            return Err(Error::data("quantiles descend, or are too few or too many")
                .help(format!("give 2 to {QUANTILES} finite quantiles that do not descend")));
        }
        Ok(Self(quantiles))
    }
}

impl From<Quantiles> for Vec<f64> {
    fn from(quantiles: Quantiles) -> Self {
        quantiles.0
    }
}

impl Quantiles {
    /// Those of some numbers, which are sorted for it.
    ///
    /// # Errors
    /// If they are so far apart that a difference is infinite.
    pub(super) fn of(numbers: &mut [f64]) -> Result<Self> {
        numbers.sort_unstable_by(f64::total_cmp);
        let count = numbers.len().clamp(2, QUANTILES);
        let quantile = |at: usize| {
            let place = at as f64 / (count - 1) as f64 * (numbers.len() - 1) as f64;
            let (low, part) = (place.floor() as usize, place.fract());
            let high = (low + 1).min(numbers.len() - 1);
            numbers[low] + (numbers[high] - numbers[low]) * part
        };
        (0..count).map(quantile).collect::<Vec<f64>>().try_into()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// What has a number's rank in a standard normal distribution. Between two quantiles the rank is linear; that of a
    /// number that several quantiles are equal to is the middle of theirs.
    pub(super) fn normal(&self, number: f64) -> f64 {
        let Self(quantiles) = self;
        // Those below the number, and those not above it.
        let below = quantiles.partition_point(|quantile| *quantile < number);
        let until = quantiles.partition_point(|quantile| *quantile <= number);
        let place = if below < until {
            (below + until - 1) as f64 / 2.0
        } else if below == 0 {
            0.0
        } else if below == quantiles.len() {
            (below - 1) as f64
        } else {
            let (low, high) = (quantiles[below - 1], quantiles[below]);
            (below - 1) as f64 + (number - low) / (high - low)
        };
        inverse_normal((place / (quantiles.len() - 1) as f64).clamp(LEAST_RANK, 1.0 - LEAST_RANK))
    }
}

/// The number below which a part `p` of a standard normal distribution lies, for `p` between 1e-7 and 1 - 1e-7, to
/// about 16 digits. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", 1988, PPND16.
#[allow(clippy::excessive_precision, reason = "the digits that were published")]
fn inverse_normal(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_608_0,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083_0e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061_0e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561_0e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_90,
        5.769_497_221_460_691_405_50,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_70e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_40e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_40,
        6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946_00e-4,
        1.050_750_071_644_416_843_24e-9,
    ];
    let polynomial =
        |factors: &[f64; 8], x: f64| factors.iter().rev().fold(0.0, |sum, factor| sum * x + factor);
    let from_middle = p - 0.5;
    if from_middle.abs() <= 0.425 {
        let x = 0.180_625 - from_middle * from_middle;
        return from_middle * polynomial(&A, x) / polynomial(&B, x);
    }
    let x = (-Real::ln(p.min(1.0 - p))).sqrt() - 1.6;
    (polynomial(&C, x) / polynomial(&D, x)).copysign(from_middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By scipy.stats.norm.ppf.
    #[test]
    fn the_inverse_of_the_normal_distribution_is_right() {
        for (p, x) in [
            (1e-7, -5.1993375821928165),
            (1e-3, -3.090232306167813),
            (0.05, -1.6448536269514729),
            (0.075, -1.4395314709384563),
            (0.3, -0.5244005127080409),
            (0.5, 0.0),
            (0.9, 1.2815515655446004),
            (0.95, 1.6448536269514722),
            (0.9999999, 5.199337582290661),
        ] {
            let found = inverse_normal(p);
            assert!((found - x).abs() < 2e-14 * x.abs().max(1.0), "{p}: {found} for {x}");
        }
    }

    #[test]
    fn equal_numbers_have_the_rank_in_the_middle_of_theirs() {
        let quantiles = Quantiles::of(&mut [3.0, 1.0, 2.0, 2.0, 2.0]).unwrap();
        assert_eq!(quantiles.normal(2.0), 0.0);
        assert_eq!(quantiles.normal(-10.0), inverse_normal(1e-7));
        assert_eq!(quantiles.normal(30.0), inverse_normal(1.0 - 1e-7));
        // Half way from the smallest, whose rank is 0, to the next, whose rank is a quarter.
        assert_eq!(quantiles.normal(1.5), inverse_normal(0.125));
        assert_eq!(Quantiles::of(&mut [7.0]).unwrap().normal(7.0), 0.0);
    }
}
