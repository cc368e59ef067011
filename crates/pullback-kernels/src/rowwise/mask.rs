//! The masks of dropout, drawn by vectors and by all threads.

use crate::machine::tuning::MASK_PER_NANOSECOND;
use crate::{Isa, Real, Workspace, philox};

/// Counters computed side by side, one in each lane. The layout of a mask depends on it.
const LANES: usize = 16;
/// The elements of a mask that one call to the generator fills.
const GROUP: usize = 4 * LANES;

/// Where the random numbers of one dropout mask stand. Masks with another key, step or number are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaskAddress {
    /// The generator's key: a run's seed, or derived from it.
    pub key: [u32; 2],
    /// The training step.
    pub step: u32,
    /// Which of the step's masks.
    pub number: u32,
}

/// Fills a dropout mask: each element is 0 with probability `rate`, else `1 / (1 - rate)`.
///
/// An element is a function of the address and its index, so neither the instruction set nor the number of threads
/// changes a bit. Each uses one 32-bit number: `rate` counts to the nearest multiple of 2^-32.
///
/// ```
/// use pullback_kernels::{Isa, MaskAddress, Workspace, dropout_mask};
/// let address = MaskAddress { key: [1, 0], step: 7, number: 0 };
/// let mut mask = [-1.0_f32; 1000];
/// dropout_mask(address, 0.2, &mut mask, &mut Workspace::new(Isa::best(), 2));
/// let dropped = mask.iter().filter(|x| **x == 0.0).count();
/// assert!((150..250).contains(&dropped) && mask.iter().all(|x| *x == 0.0 || *x == 1.25));
/// ```
///
/// # Panics
/// If `rate` is not in [0, 1).
pub fn dropout_mask<T: Real>(address: MaskAddress, rate: f64, out: &mut [T], workspace: &mut Workspace) {
    assert!((0.0..1.0).contains(&rate), "a dropout rate of {rate} is not in [0, 1)");
    let (isa, elements) = (workspace.isa(), out.len());
    let kept = T::from_f64(1.0 / (1.0 - rate));
    let threshold = (rate * 2.0_f64.powi(32)).round().min(f64::from(u32::MAX)) as u32;
    let nanoseconds = elements / MASK_PER_NANOSECOND;
    workspace.share_rows_and_panels(elements, GROUP, nanoseconds, [out], [1], |elements, [out], _| {
        // Parts begin at multiples of a group.
        let first_group = (elements.start / GROUP) as u64;
        isa.run(
            #[inline(always)]
            || fill_groups(address, first_group, threshold, kept, out),
        );
    });
}

/// Fills a mask from the group `first` on. In each group, element `LANES * word + lane` has the number `word` of the
/// counter of that lane.
#[inline(always)]
fn fill_groups<T: Real>(address: MaskAddress, first: u64, threshold: u32, kept: T, out: &mut [T]) {
    let (groups, rest) = out.as_chunks_mut::<GROUP>();
    let last = first + groups.len() as u64;
    for (group, out) in (first..).zip(groups) {
        *out = group_of(address, group, threshold, kept);
    }
    if !rest.is_empty() {
        let group: [T; GROUP] = group_of(address, last, threshold, kept);
        rest.copy_from_slice(&group[..rest.len()]);
    }
}

/// One group of a mask.
#[inline(always)]
fn group_of<T: Real>(address: MaskAddress, group: u64, threshold: u32, kept: T) -> [T; GROUP] {
    let (mut low, mut high) = ([0; LANES], [0; LANES]);
    for lane in 0..LANES {
        let counter = group * LANES as u64 + lane as u64;
        (low[lane], high[lane]) = (counter as u32, (counter >> 32) as u32);
    }
    let numbers = philox([low, high, [address.number; LANES], [address.step; LANES]], address.key);
    let mut out = [T::ZERO; GROUP];
    for word in 0..4 {
        for lane in 0..LANES {
            out[word * LANES + lane] = if numbers[word][lane] < threshold { T::ZERO } else { kept };
        }
    }
    out
}

/// The numbers of [`philox`] for 16 counters, by vectors. It is compiled once and here, not where it is used.
pub fn philox_by_vectors(isa: Isa, counter: [[u32; 16]; 4], key: [u32; 2]) -> [[u32; 16]; 4] {
    isa.run(
        #[inline(always)]
        || philox(counter, key),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_beyond_32_bits_are_counted() {
        // 2^32 counters of 4 numbers: no memory holds the mask before.
        let address = MaskAddress { key: [1, 2], step: 3, number: 4 };
        let fill = |first: u64| {
            let mut out = [0.0_f32; GROUP];
            fill_groups(address, first, 1 << 31, 2.0, &mut out);
            out
        };
        assert_ne!(fill(0), fill(1 << 28));
        let want = philox([[5], [1], [4], [3]], [1, 2]).map(|[x]| if x < 1 << 31 { 0.0 } else { 2.0 });
        let got = fill(1 << 28);
        assert_eq!([0, 1, 2, 3].map(|word| got[LANES * word + 5]), want);
    }
}
