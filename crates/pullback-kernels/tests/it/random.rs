//! Dropout masks: each element a function of its address, whoever computes it.

use pullback_kernels::{Isa, MaskAddress, Real, Workspace, dropout_mask, philox};

use crate::slices::assert_bits;

const ADDRESS: MaskAddress = MaskAddress { key: [0x1234_5678, 0x9abc_def0], step: 41, number: 7 };

/// The mask number by number, from the documented layout: in each group of 64 elements, 16 counters give their first
/// numbers, then their second ones, and so on.
fn reference<T: Real>(address: MaskAddress, rate: f64, count: usize) -> Vec<T> {
    let kept = T::from_f64(1.0 / (1.0 - rate));
    let element = |i: usize| {
        let (group, word, lane) = (i / 64, i % 64 / 16, i % 16);
        let counter = [[(group * 16 + lane) as u32], [0], [address.number], [address.step]];
        let [number] = philox(counter, address.key)[word];
        if f64::from(number) < rate * 4_294_967_296.0 { T::ZERO } else { kept }
    };
    (0..count).map(element).collect()
}

fn check<T: Real>(lengths: &[usize]) {
    for isa in Isa::available() {
        for &length in lengths {
            for rate in [0.0, 0.125, 0.5, 0.9] {
                for threads in [1, 2, 3, 7] {
                    let mut mask = vec![T::from_f64(-1.0); length];
                    dropout_mask(ADDRESS, rate, &mut mask, &mut Workspace::new(isa, threads));
                    let what = format!("{length} {} of {rate} on {} by {threads}", T::NAME, isa.name());
                    assert_bits(&mask, &reference(ADDRESS, rate, length), &what);
                }
            }
        }
    }
}

#[test]
fn masks_are_the_same_on_every_instruction_set_and_number_of_threads() {
    check::<f32>(&[0, 1, 15, 16, 17, 33, 63, 64, 65, 127, 129, 257, 100_003]);
    check::<f64>(&[0, 1, 7, 8, 9, 17, 63, 64, 65, 257, 50_021]);
}

#[test]
fn masks_differ_by_each_part_of_their_address() {
    let mask = |address| {
        let mut mask = vec![0.0_f32; 256];
        dropout_mask(address, 0.5, &mut mask, &mut Workspace::new(Isa::best(), 1));
        mask
    };
    let MaskAddress { key, step, number } = ADDRESS;
    for other in [
        MaskAddress { key: [key[0] + 1, key[1]], ..ADDRESS },
        MaskAddress { key: [key[0], key[1] + 1], ..ADDRESS },
        MaskAddress { step: step + 1, ..ADDRESS },
        MaskAddress { number: number + 1, ..ADDRESS },
        MaskAddress { number: number + 256, ..ADDRESS },
    ] {
        assert_ne!(mask(ADDRESS), mask(other), "{other:?}");
    }
}

#[test]
fn the_rate_is_the_share_of_zeros() {
    for rate in [0.0, 0.1, 0.5, 0.9] {
        let mut mask = vec![0.0_f32; 1 << 20];
        dropout_mask(ADDRESS, rate, &mut mask, &mut Workspace::new(Isa::best(), 2));
        let zeros = mask.iter().filter(|x| **x == 0.0).count() as f64 / mask.len() as f64;
        // Five standard deviations at most.
        assert!(
            (zeros - rate).abs() <= 5.0 * (rate * (1.0 - rate) / mask.len() as f64).sqrt(),
            "{rate}: {zeros}"
        );
    }
}

#[test]
#[should_panic = "a dropout rate of 1 is not in [0, 1)"]
fn a_rate_of_one_is_refused() {
    dropout_mask(ADDRESS, 1.0, &mut [0.0_f32], &mut Workspace::new(Isa::best(), 1));
}
