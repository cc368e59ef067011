//! The relative speeds of threads: some processors have cores of two kinds, and a core that other programs use is
//! slower. Work that is cut into equal parts would wait for the slowest.
//!
//! Where work is cut changes no result, so the clock may decide it.

use super::tuning::{EQUAL_SPEEDS, LEAST_SPEED, MOST_SPEED_CHANGE, SPEED_WEIGHT, TIMED_EVERY};
use core::ops::Range;

/// The fastest thread's speed as a whole number; the others' are in proportion.
const SHARES: f32 = 1_048_576.0;

/// The speeds of threads at one kind of work. Only their ratios count.
#[derive(Debug)]
pub(crate) struct Balance {
    speeds: Vec<f32>,
    /// What was measured last.
    seen: Vec<f32>,
    /// Runs since one was timed.
    runs: u32,
}

impl Balance {
    pub(crate) fn new(threads: usize) -> Self {
        Self { speeds: vec![1.0; threads], seen: vec![0.0; threads], runs: 0 }
    }

    /// Whether to time the threads in the run that begins now.
    pub(crate) fn is_timed_now(&mut self) -> bool {
        self.runs = (self.runs + 1) % TIMED_EVERY;
        self.runs == 0
    }

    /// The part of thread `i`, of the first `threads`, of `0..size`: its size is proportional to the thread's speed. It
    /// begins at a multiple of `unit`, and is empty only if there are fewer units than threads.
    pub(crate) fn part(&self, i: usize, threads: usize, size: usize, unit: usize) -> Range<usize> {
        let units = size.div_ceil(unit);
        let speeds = &self.speeds[..threads];
        let slowest = speeds.iter().copied().fold(f32::INFINITY, f32::min);
        let fastest = speeds.iter().copied().fold(0.0, f32::max);
        if fastest <= EQUAL_SPEEDS * slowest {
            return equal_part(i, threads, size, unit);
        }
        // In whole numbers: a sum of f32 would miss units beyond 2^24.
        let share = |speed: &f32| (speed / fastest * SHARES) as u64 + 1;
        let all: u64 = speeds.iter().map(share).sum();
        // Each thread has one unit; the others are shared out.
        let others = units.saturating_sub(threads) as u128;
        let border = |i: usize| {
            let before: u64 = speeds[..i].iter().map(share).sum();
            let own = (others * u128::from(before) + u128::from(all / 2)) / u128::from(all);
            (i + own as usize).saturating_mul(unit).min(size)
        };
        border(i)..border(i + 1)
    }

    /// Updates the speeds from the time that each of the first `threads` took for its [`part`](Self::part).
    pub(crate) fn learn(
        &mut self,
        threads: usize,
        size: usize,
        unit: usize,
        nanoseconds: impl Fn(usize) -> u64,
    ) {
        for i in 0..threads {
            let part = self.part(i, threads, size, unit);
            if part.is_empty() {
                return;
            }
            self.seen[i] = part.len() as f32 / nanoseconds(i).max(1) as f32;
        }
        let (speeds, seen) = (&mut self.speeds[..threads], &self.seen[..threads]);
        let (all, all_seen): (f32, f32) = (speeds.iter().sum(), seen.iter().sum());
        let least = LEAST_SPEED * all / threads as f32;
        for (speed, seen) in speeds.iter_mut().zip(seen) {
            let seen = (seen * all / all_seen).clamp(*speed / MOST_SPEED_CHANGE, *speed * MOST_SPEED_CHANGE);
            *speed = (*speed + SPEED_WEIGHT * (seen - *speed)).max(least);
        }
    }
}

/// Part `i` of `parts` equal ones of `0..size`, beginning at a multiple of `unit`.
pub(crate) fn equal_part(i: usize, parts: usize, size: usize, unit: usize) -> Range<usize> {
    let (each, left) = (size.div_ceil(unit) / parts, size.div_ceil(unit) % parts);
    // `units * i / parts` without its overflow.
    let border = |i: usize| (each * i + left * i / parts).saturating_mul(unit).min(size);
    border(i)..border(i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Work;
    use crate::{Isa, Operand, Precision, Start, Workspace, product_beside, product_with};

    /// The parts of threads that need `needs` nanoseconds for each item.
    fn learned(needs: &[u64], size: usize, unit: usize, rounds: usize) -> Vec<usize> {
        let threads = needs.len();
        let mut balance = Balance::new(threads);
        let parts = |balance: &Balance| -> Vec<Range<usize>> {
            (0..threads).map(|i| balance.part(i, threads, size, unit)).collect()
        };
        for _ in 0..rounds {
            let parts = parts(&balance);
            let next = parts.iter().fold(0, |next, part| {
                assert_eq!(part.start, next);
                assert!(part.start % unit == 0 || part.is_empty());
                assert!(!part.is_empty() || size.div_ceil(unit) < threads);
                part.end
            });
            assert_eq!(next, size);
            balance.learn(threads, size, unit, |i| parts[i].len() as u64 * needs[i]);
        }
        parts(&balance).iter().map(ExactSizeIterator::len).collect()
    }

    #[test]
    fn parts_become_as_large_as_threads_are_fast() {
        assert_eq!(learned(&[10, 10], 100, 1, 200), [50, 50]);
        assert_eq!(learned(&[10, 30], 202, 1, 200), [151, 51]);
        assert_eq!(learned(&[20, 10, 20], 128, 32, 200), [32, 64, 32]);
    }

    #[test]
    fn every_thread_goes_on_being_measured() {
        assert_eq!(learned(&[10, 1_000_000_000], 1600, 1, 500), [1500, 100]);
        assert_eq!(learned(&[1, 1000], 2, 1, 500), [1, 1]);
    }

    #[test]
    fn a_thread_that_is_interrupted_once_keeps_most_of_its_part() {
        let mut balance = Balance::new(2);
        balance.learn(2, 1000, 1, |i| [500, 500_000_000][i]);
        // Its speed counts as half of what it was, with a weight of an eighth.
        let parts = [0, 1].map(|i| balance.part(i, 2, 1000, 1).len());
        assert!(parts[1] >= 440, "{parts:?}");
    }

    #[test]
    fn a_thread_without_work_does_not_count_as_slow() {
        let mut balance = Balance::new(3);
        // Two units for three threads.
        (0..50).for_each(|_| balance.learn(3, 2, 1, |_| 10));
        assert_eq!([0, 1, 2].map(|i| balance.part(i, 3, 300, 1).len()), [100; 3]);
    }

    #[test]
    fn no_unit_of_very_many_is_left_undone() {
        for size in [(1 << 24) + 1, (1_u64 << 32) + 3, u64::MAX] {
            let Ok(size) = usize::try_from(size) else { continue };
            for unit in [1, 3, 16] {
                for speeds in [&[1.0, 1.0, 1.0][..], &[1.0, 8.0], &[0.37, 3.1, 1.0, 0.125], &[1e-9, 1e9, 1.0]]
                {
                    let threads = speeds.len();
                    let balance = Balance { speeds: speeds.to_vec(), seen: vec![0.0; threads], runs: 0 };
                    let next = (0..threads).fold(0, |next, i| {
                        let part = balance.part(i, threads, size, unit);
                        assert!(
                            part.start == next && part.end > next,
                            "{size} by {unit}, {speeds:?}: {part:?}"
                        );
                        part.end
                    });
                    assert_eq!(next, size, "by {unit}, {speeds:?}");
                }
            }
        }
    }

    #[test]
    fn parts_of_any_size_cover_everything_once() {
        for size in [0, 1, 2, 3, 15, 16, 17, 31, 97, 1000] {
            for unit in [1, 3, 16, 32] {
                for needs in [&[7][..], &[0, 9], &[1, 100, 3], &[5, 4, 3, 2, 1, 0, 100]] {
                    learned(needs, size, unit, 40);
                }
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_how_fast_threads_are() {
        let (rows, depth, columns) = (131, 97, 170);
        let numbers = |count: usize, zeros: bool| -> Vec<f32> {
            let number = |i: usize| {
                if zeros && !i.is_multiple_of(3) { 0.0 } else { (i * 37 % 101) as f32 * 0.08 - 4.03 }
            };
            (0..count).map(number).collect()
        };
        for (precision, zeros) in [(Precision::F32, false), (Precision::F32, true), (Precision::Bf16, false)]
        {
            let (left, right) = (numbers(rows * depth, zeros), numbers(depth * columns, false));
            let (left, right) = (Operand::new(&left, rows, depth), Operand::new(&right, depth, columns));
            let outcome = |speeds: &[f32]| {
                let mut workspace = Workspace::new(Isa::best(), speeds.len()).with_precision(precision);
                let (mut y, mut beside, mut w) =
                    (vec![0.0; rows * columns], vec![0.0; rows * columns], vec![1.0; rows * columns]);
                for _ in 0..2 {
                    for work in [Work::Rows, Work::Vectors, Work::Tiles] {
                        *workspace.balance_mut(work) =
                            Balance { speeds: speeds.to_vec(), seen: vec![0.0; speeds.len()], runs: 0 };
                    }
                    product_with(left, right, &mut y, Start::Zero, |_, _| (), &mut workspace);
                    let step = |_: usize, g: &mut [f32], [w]: [&mut [f32]; 1]| {
                        w.iter_mut().zip(g).for_each(|(w, g)| *w -= 0.5 * *g);
                    };
                    product_beside(left, right, &mut beside, [&mut w], step, &mut workspace);
                }
                [y, beside, w].concat().iter().map(|x| x.to_bits()).collect::<Vec<u32>>()
            };
            let want = outcome(&[1.0]);
            for speeds in [&[1.0, 1.0][..], &[1.0, 9.0], &[7.0, 1.0, 0.1], &[0.3, 0.2, 0.9, 0.4, 0.6]] {
                assert!(outcome(speeds) == want, "{precision:?}, zeros: {zeros}, speeds {speeds:?}");
            }
        }
    }
}
