//! Random numbers by address: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", 2011).
//!
//! The generator is a function from a 128-bit counter and a 64-bit key to four 32-bit numbers. It has no state, so
//! vectors and threads may compute the numbers in any order.

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
        let [w, x, y, z] = &mut counter;
        for lane in 0..LANES {
            let first = u64::from(w[lane]) * 0xD251_1F53;
            let second = u64::from(y[lane]) * 0xCD9E_8D57;
            w[lane] = (second >> 32) as u32 ^ x[lane] ^ key[0];
            x[lane] = second as u32;
            y[lane] = (first >> 32) as u32 ^ z[lane] ^ key[1];
            z[lane] = first as u32;
        }
    }
    counter
}

#[cfg(test)]
mod tests {
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
}
