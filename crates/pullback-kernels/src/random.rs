//! Random numbers by address: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", 2011), and the masks of dropout made of them.
//!
//! The generator is a function from a 128-bit counter and a 64-bit key to four 32-bit numbers. It has no state, so
//! vectors and threads may compute the numbers in any order.

use crate::{Real, Workspace};

/// Counters computed side by side, one in each lane. The layout of a mask depends on it.
const LANES: usize = 16;
/// The elements of a mask that one call to the generator fills.
const GROUP: usize = 4 * LANES;
/// Elements of a mask that one thread fills in a nanosecond
/// (`cargo bench --manifest-path bench/Cargo.toml -p pullback-kernel-benches -- mask`).
const MASK_PER_NANOSECOND: usize = 2;

/// Philox4x32-10 of `LANES` counters, each a column of `counter`: column i of the result holds the four numbers of
/// counter i.
///
/// ```
/// let numbers = pullback_kernels::philox([[0], [0], [0], [0]], [0, 0]);
/// assert_eq!(numbers, [[0x6627_e8d5], [0xe169_c58d], [0xbc57_ac4c], [0x9b00_dbd8]]);
/// ```
#[inline(always)]
pub fn philox<const LANES: usize>(mut counter: [[u32; LANES]; 4], mut key: [u32; 2]) -> [[u32; LANES]; 4] {
    for round in 0..10 {
        if round > 0 {
            key[0] = key[0].wrapping_add(0x9E37_79B9);
            key[1] = key[1].wrapping_add(0xBB67_AE85);
        }
        let mut next = [[0; LANES]; 4];
        for i in 0..LANES {
            let first = u64::from(counter[0][i]) * 0xD251_1F53;
            let second = u64::from(counter[2][i]) * 0xCD9E_8D57;
            next[0][i] = (second >> 32) as u32 ^ counter[1][i] ^ key[0];
            next[1][i] = second as u32;
            next[2][i] = (first >> 32) as u32 ^ counter[3][i] ^ key[1];
            next[3][i] = first as u32;
        }
        counter = next;
    }
    counter
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_known_answers() {
        let philox =
            |counter: [u32; 4], key| super::philox(counter.map(|word| [word]), key).map(|[word]| word);
        // Random123's kat_vectors, philox4x32 10.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

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
        let want = super::philox([[5], [1], [4], [3]], [1, 2]).map(|[x]| if x < 1 << 31 { 0.0 } else { 2.0 });
        let got = fill(1 << 28);
        assert_eq!([0, 1, 2, 3].map(|word| got[LANES * word + 5]), want);
    }
}
