//! Random numbers by address: a number is a function of (seed, purpose, epoch, index).
//!
//! No generator state exists that would have to be saved, or that threads would have to share, so
//! an interrupted and resumed run draws what an uninterrupted one would have drawn. The generator
//! is Philox4x32-10 ([`philox`]).

use pullback_kernels::{Isa, MaskAddress, Real, philox, philox_by_vectors};

/// What a random number is for. Numbers for different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// Initial values of parameters; `epoch` is the parameter's index.
    Initializer = 1,
    /// The order of examples in an epoch.
    Shuffle = 2,
    /// Which examples are held out.
    Split = 3,
    /// Dropout masks.
    Dropout = 4,
    /// Built-in data sets that are generated.
    Data = 5,
    /// Tests and samples of weights.
    Sample = 6,
    /// What is changed in images.
    Augmentation = 7,
    /// Rows that are drawn again, to know how sure a figure is; `epoch` is the draw.
    Resample = 8,
    /// The order of a column's cells where it is to tell nothing; `epoch` is the draw.
    Permutation = 9,
    /// The settings of the trials of a sweep; `epoch` is the trial.
    Trial = 10,
}

/// The random numbers of one (seed, purpose, epoch), addressed by index.
#[derive(Debug, Clone, Copy)]
pub struct Random {
    key: [u32; 2],
    purpose: u32,
    epoch: u32,
}

impl Random {
    /// The numbers that belong to a seed, a purpose and an epoch.
    pub fn new(seed: u64, purpose: Purpose, epoch: u32) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], purpose: purpose as u32, epoch }
    }

    /// Four 32-bit numbers: the block at `index`.
    fn block(&self, index: u64) -> [u32; 4] {
        philox(self.counters::<1>(index), self.key).map(|[number]| number)
    }

    /// The counters of the blocks at `first` and the indices that follow it, each a column.
    fn counters<const BLOCKS: usize>(&self, first: u64) -> [[u32; BLOCKS]; 4] {
        let index = |i: usize| first + i as u64;
        [
            std::array::from_fn(|i| index(i) as u32),
            std::array::from_fn(|i| (index(i) >> 32) as u32),
            [self.purpose; BLOCKS],
            [self.epoch; BLOCKS],
        ]
    }

    /// A uniform 64-bit number.
    pub fn bits(&self, index: u64) -> u64 {
        half(self.block(index / 2), index)
    }

    /// A number uniform in `[0, 1)`, with 53 random bits.
    pub fn uniform(&self, index: u64) -> f64 {
        (self.bits(index) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number from the standard normal distribution (mean 0, variance 1).
    ///
    /// Box and Muller's transform (1958), in its polar-free form over two uniform numbers.
    pub fn normal(&self, index: u64) -> f64 {
        let block = self.block(index);
        let uniform = |low: u32, high: u32| {
            let bits = u64::from(low) | u64::from(high) << 32;
            ((bits >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
        };
        let radius = (-2.0 * Real::ln(uniform(block[0], block[1]))).sqrt();
        radius * cosine_of_turns(uniform(block[2], block[3]))
    }

    /// A whole number uniform in `0..bound`. The bias is below `bound / 2^64`.
    ///
    /// # Panics
    /// If `bound` is zero.
    pub fn below(&self, index: u64, bound: usize) -> usize {
        assert!(bound > 0, "an empty range has no numbers");
        scaled(self.bits(index), bound)
    }

    /// At most `most` of the numbers below `count`, ascending: all, or one of each so many that follow each other.
    ///
    /// ```
    /// use pullback_graph::random::{Purpose, Random};
    /// let random = Random::new(0, Purpose::Sample, 0);
    /// assert_eq!(random.some_of(3, 5), [0, 1, 2]);
    /// let some = random.some_of(1000, 10);
    /// assert!((0..10).all(|at| (100 * at..100 * at + 100).contains(&some[at])));
    /// ```
    pub fn some_of(&self, count: usize, most: usize) -> Vec<usize> {
        if count <= most {
            return (0..count).collect();
        }
        let place = |at: usize| (at as u128 * count as u128 / most as u128) as usize;
        (0..most).map(|at| place(at) + self.below(at as u64, place(at + 1) - place(at))).collect()
    }

    /// Where the dropout mask `number` of a training step stands, for [`pullback_kernels::dropout_mask`]. Its key is
    /// the first block of these numbers: masks and numbers drawn by index have nothing in common.
    pub fn mask(&self, step: u32, number: u32) -> MaskAddress {
        let [low, high, ..] = self.block(0);
        MaskAddress { key: [low, high], step, number }
    }

    /// Puts `items` in a random order (Fisher and Yates).
    pub fn shuffle<T>(&self, items: &mut [T]) {
        let isa = Isa::best();
        // What is drawn for each place, from the last one on: a block holds the numbers at two addresses.
        let mut bits = [0; 2 * BLOCKS];
        for last in (1..items.len()).rev() {
            let at = last % bits.len();
            if at == bits.len() - 1 || last == items.len() - 1 {
                let blocks = philox_by_vectors(isa, self.counters((last - at) as u64 / 2), self.key);
                for i in 0..BLOCKS {
                    bits[2 * i] = joined(blocks[0][i], blocks[1][i]);
                    bits[2 * i + 1] = joined(blocks[2][i], blocks[3][i]);
                }
            }
            items.swap(last, scaled(bits[at], last + 1));
        }
    }
}

/// The number of blocks that are computed together, by vectors, where many are needed.
const BLOCKS: usize = 16;

/// The 64 bits of a block that belong to an index.
fn half(block: [u32; 4], index: u64) -> u64 {
    let at = (index % 2) as usize * 2;
    joined(block[at], block[at + 1])
}

fn joined(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Random bits as a whole number in `0..bound`.
fn scaled(bits: u64, bound: usize) -> usize {
    ((u128::from(bits) * bound as u128) >> 64) as usize
}

/// `cos(2 pi turns)` for `turns` in `[0, 1)`, the same bits on every platform.
///
/// Folded to an eighth of a turn, then Taylor's series to the term x^16: error below 1e-15.
pub fn cosine_of_turns(turns: f64) -> f64 {
    let quarter = (turns * 4.0).round();
    let angle = (turns - quarter / 4.0) * std::f64::consts::TAU;
    let square = angle * angle;
    let series = |first: i32| {
        let mut term = 1.0;
        let mut sum = 1.0;
        for step in 1..9 {
            let at = f64::from(first + 2 * step);
            term *= -square / (at * (at - 1.0));
            sum += term;
        }
        sum
    };
    match quarter as i64 % 4 {
        0 => series(0),
        1 => -angle * series(1),
        2 => -series(0),
        _ => angle * series(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the platform's cosine is the reference here")]
    fn cosine_agrees_with_the_platform() {
        for step in 0..1000 {
            let turns = f64::from(step) / 1000.0;
            let expected = (turns * std::f64::consts::TAU).cos();
            assert!((cosine_of_turns(turns) - expected).abs() < 2e-15, "at {turns}");
        }
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let random = Random::new(1, Purpose::Sample, 0);
        let count = 100_000;
        let numbers: Vec<f64> = (0..count).map(|index| random.normal(index)).collect();
        let mean = numbers.iter().sum::<f64>() / count as f64;
        let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn a_shuffle_draws_the_numbers_at_its_places() {
        let random = Random::new(7, Purpose::Shuffle, 3);
        for count in [0, 1, 2, 3, 31, 32, 33, 64, 65, 1000] {
            let (mut items, mut expected): (Vec<usize>, Vec<usize>) =
                ((0..count).collect(), (0..count).collect());
            random.shuffle(&mut items);
            for last in (1..count).rev() {
                expected.swap(last, random.below(last as u64, last + 1));
            }
            assert_eq!(items, expected, "{count} items");
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation_that_depends_on_each_part_of_its_address() {
        let order = |seed, purpose, epoch| {
            let mut items: Vec<usize> = (0..100).collect();
            Random::new(seed, purpose, epoch).shuffle(&mut items);
            items
        };
        let one = order(1, Purpose::Shuffle, 0);
        let mut sorted = one.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(one, order(1, Purpose::Shuffle, 0));
        for other in
            [order(2, Purpose::Shuffle, 0), order(1, Purpose::Split, 0), order(1, Purpose::Shuffle, 1)]
        {
            assert_ne!(one, other);
        }
    }
}
