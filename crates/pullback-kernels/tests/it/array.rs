//! Arrays that share memory have each their own part of it.

use pullback_kernels::Array;

/// Below, at and above the size from which arrays share memory, and more than one shared allocation holds.
const LENGTHS: [usize; 8] = [0, 1, 16_383, 16_384, 16_385, 100_003, 524_288, 3_000_001];

fn filled(length: usize, number: f32) -> Array<f32> {
    let mut array: Array<f32> = Array::zeros(length);
    assert!(array.iter().all(|&x| x == 0.0), "{length} numbers begin as zeros");
    assert!(length == 0 || array.as_ptr().addr().is_multiple_of(64), "{length} numbers begin at a line");
    array.fill(number);
    array
}

#[test]
fn arrays_do_not_overlap_whoever_lives_longer() {
    let mut alive: Vec<(f32, Array<f32>)> = Vec::new();
    for round in 0..40 {
        let number = 1.0 + round as f32;
        alive.push((number, filled(LENGTHS[round * 3 % LENGTHS.len()], number)));
        // Every other one goes, the older and the newer.
        if round % 2 == 1 {
            alive.remove(round % alive.len());
        }
        for (number, array) in &alive {
            assert!(array.iter().all(|x| x == number), "{} numbers stay as they are", array.len());
        }
    }
}

#[test]
fn threads_make_arrays_at_once() {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for round in 0..50 {
                    let number = (thread * 100 + round) as f32;
                    let arrays = [20_000, 40_000].map(|length| filled(length, number));
                    assert!(arrays.iter().all(|array| array.iter().all(|&x| x == number)));
                }
            });
        }
    });
}

#[test]
fn a_clone_is_another_array() {
    for length in LENGTHS {
        let (one, mut other) = (filled(length, 1.0), filled(length, 2.0));
        let mut clone = one.clone();
        clone.fill(3.0);
        other.clone_from(&one);
        assert!(one == other && one.iter().all(|&x| x == 1.0) && clone.iter().all(|&x| x == 3.0));
        other.clone_from(&filled(7, 4.0));
        assert_eq!(other[..], [4.0; 7]);
    }
}
