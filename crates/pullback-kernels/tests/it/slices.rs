//! The kernels on slices against plain loops, bit for bit, on every instruction set of this processor.

use pullback_kernels::update::{AdaGrad, AdamSettings, Momentum, Nesterov, RmsProp, Sgd};
use pullback_kernels::*;

/// None, around the lanes of every width, primes, more than one block of a sum.
const LENGTHS: [usize; 16] = [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 97, 257, 4096, 10_007];

/// Numbers in (-4, 4) that differ for every `stream`.
pub(crate) fn numbers<T: Real>(count: usize, stream: u64) -> Vec<T> {
    (0..count as u64)
        .map(|i| {
            let mixed = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ^ (stream + 1).wrapping_mul(0xd1b5_4a32_d192_ed03);
            let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            T::from_f64((mixed >> 11) as f64 * 2f64.powi(-50) - 4.0)
        })
        .collect()
}

#[track_caller]
pub(crate) fn assert_bits<T: Real>(got: &[T], want: &[T], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let same = got.to_f64().to_bits() == want.to_f64().to_bits();
        assert!(same, "{what}: number {i} is {got}, not {want}");
    }
}

fn for_all(test: impl Fn(Isa, usize)) {
    for isa in Isa::available() {
        for length in LENGTHS {
            test(isa, length);
        }
    }
}

/// The order of a sum as `reduce` documents it.
fn reference_fold<T: Real>(
    count: usize,
    identity: T,
    combine: fn(T, T) -> T,
    add: impl Fn(T, usize) -> T,
) -> T {
    let mut totals = vec![identity; 32];
    for start in (0..count).step_by(4096) {
        let mut lanes = [identity; 32];
        for i in start..count.min(start + 4096) {
            lanes[i % 32] = add(lanes[i % 32], i);
        }
        for l in 0..32 {
            totals[l] = if count > 4096 { combine(totals[l], lanes[l]) } else { lanes[l] };
        }
    }
    while totals.len() > 1 {
        let upper = totals.split_off(totals.len() / 2);
        totals = totals.iter().zip(&upper).map(|(a, b)| combine(*a, *b)).collect();
    }
    totals[0]
}

fn reference_sum<T: Real>(x: &[T]) -> T {
    reference_fold(x.len(), T::ZERO, |a, b| a + b, |lane, i| lane + x[i])
}

fn check_elementwise<T: Real>() {
    for_all(|isa, length| {
        let (a, b, c) = (numbers::<T>(length, 1), numbers::<T>(length, 2), numbers::<T>(length, 3));
        let what = |name: &str| format!("{name} of {length} {} on {}", T::NAME, isa.name());
        let mut y = vec![T::ZERO; length];
        map(isa, &a, &mut y, |x| x.tanh());
        assert_bits(&y, &a.iter().map(|x| x.tanh()).collect::<Vec<_>>(), &what("map tanh"));
        map(
            isa,
            &a,
            &mut y,
            #[inline(always)]
            |x| x.exp() + x.exp_m1() + x.abs().ln() + x.abs().ln_1p() + x.sigmoid() + x.erf(),
        );
        let all = |x: &T| x.exp() + x.exp_m1() + x.abs().ln() + x.abs().ln_1p() + x.sigmoid() + x.erf();
        assert_bits(&y, &a.iter().map(all).collect::<Vec<_>>(), &what("map of all"));
        map(
            isa,
            &a,
            &mut y,
            #[inline(always)]
            |x| x.abs().powf(T::from_f64(1.7)),
        );
        assert_bits(
            &y,
            &a.iter().map(|x| x.abs().powf(T::from_f64(1.7))).collect::<Vec<_>>(),
            &what("map powf"),
        );
        y.copy_from_slice(&a);
        map_in_place(isa, &mut y, |x| x.sigmoid());
        assert_bits(&y, &a.iter().map(|x| x.sigmoid()).collect::<Vec<_>>(), &what("map_in_place"));
        zip(isa, &a, &b, &mut y, |a, b| a * b);
        let products: Vec<T> = (0..length).map(|i| a[i] * b[i]).collect();
        assert_bits(&y, &products, &what("zip"));
        y.copy_from_slice(&a);
        zip_in_place(isa, &mut y, &b, |a, b| a * b);
        assert_bits(&y, &products, &what("zip_in_place"));
        zip3(isa, &a, &b, &c, &mut y, |a, b, c| a.mul_add(b, c));
        assert_bits(&y, &(0..length).map(|i| a[i].mul_add(b[i], c[i])).collect::<Vec<_>>(), &what("zip3"));
    });
}

#[test]
fn elementwise_is_the_same_on_every_instruction_set() {
    check_elementwise::<f32>();
    check_elementwise::<f64>();
}

fn check_rows<T: Real>() {
    for_all(|isa, columns| {
        for rows in [0, 1, 2, 5, 67] {
            if rows * columns > 100_000 {
                continue;
            }
            let (x, row, column) =
                (numbers::<T>(rows * columns, 4), numbers::<T>(columns, 5), numbers::<T>(rows, 6));
            let what = |name: &str| format!("{name} of {rows} x {columns} {} on {}", T::NAME, isa.name());
            let at = |i: usize| (i / columns, i % columns);
            let mut y = vec![T::ZERO; rows * columns];
            if columns > 0 {
                let want: Vec<T> = (0..x.len()).map(|i| x[i] - row[at(i).1]).collect();
                zip_row(isa, &x, &row, &mut y, |a, b| a - b);
                assert_bits(&y, &want, &what("zip_row"));
                y.copy_from_slice(&x);
                zip_row_in_place(isa, &mut y, &row, |a, b| a - b);
                assert_bits(&y, &want, &what("zip_row_in_place"));

                let mut sums = vec![T::ONE; columns];
                sum_rows(isa, &x, &mut sums);
                let want: Vec<T> = (0..columns)
                    .map(|j| (0..rows).fold(T::ZERO, |sum, i| sum + x[i * columns + j]))
                    .collect();
                assert_bits(&sums, &want, &what("sum_rows"));
                max_rows(isa, &x, &mut sums);
                let max = |j: usize| (0..rows).fold(-T::INFINITY, |max, i| max.max(x[i * columns + j]));
                assert_bits(&sums, &(0..columns).map(max).collect::<Vec<_>>(), &what("max_rows"));
            }
            if rows > 0 {
                let want: Vec<T> = (0..x.len()).map(|i| x[i] - column[at(i).0]).collect();
                zip_column(isa, &x, &column, &mut y, |a, b| a - b);
                assert_bits(&y, &want, &what("zip_column"));
                y.copy_from_slice(&x);
                zip_column_in_place(isa, &mut y, &column, |a, b| a - b);
                assert_bits(&y, &want, &what("zip_column_in_place"));

                let x_rows: Vec<&[T]> = (0..rows).map(|i| &x[i * columns..][..columns]).collect();
                let mut sums = vec![T::ONE; rows];
                sum_columns(isa, &x, &mut sums);
                assert_bits(
                    &sums,
                    &x_rows.iter().map(|x| reference_sum(x)).collect::<Vec<_>>(),
                    &what("sum_columns"),
                );
                max_columns(isa, &x, &mut sums);
                let max = |x: &&[T]| x.iter().fold(-T::INFINITY, |max, x| max.max(*x));
                let maxima: Vec<T> = x_rows.iter().map(max).collect();
                assert_bits(&sums, &maxima, &what("max_columns"));

                if columns > 0 {
                    let t = numbers::<T>(rows * columns, 7);
                    let e: Vec<T> = (0..x.len()).map(|i| (x[i] - maxima[at(i).0]).exp()).collect();
                    let sums: Vec<T> = e.chunks(columns).map(reference_sum).collect();
                    let want: Vec<T> = (0..x.len()).map(|i| e[i] / sums[at(i).0]).collect();
                    softmax(isa, &x, columns, &mut y);
                    assert_bits(&y, &want, &what("softmax"));
                    let mut cost = vec![T::ONE; rows];
                    let mut gradient = vec![T::ONE; x.len()];
                    let factor = T::from_f64(0.3);
                    softmax_cross_entropy(isa, &x, &t, columns, &mut cost, Some((&mut gradient, factor)));
                    // Sums over a short row's columns run in ascending order, over a long one's in lanes.
                    let over = |row: usize, f: &dyn Fn(usize) -> T| -> T {
                        let first = row * columns;
                        if columns <= 32 {
                            (first..first + columns).fold(T::ZERO, |sum, i| sum + f(i))
                        } else {
                            reference_fold(columns, T::ZERO, |a, b| a + b, |lane, j| lane + f(first + j))
                        }
                    };
                    let power = |i: usize| (x[i] - maxima[at(i).0]).exp();
                    let totals: Vec<T> = (0..rows).map(|row| over(row, &power)).collect();
                    let want: Vec<T> = (0..rows)
                        .map(|row| over(row, &|i| t[i] * (totals[row].ln() - (x[i] - maxima[row]))))
                        .collect();
                    assert_bits(&cost, &want, &what("softmax_cross_entropy"));
                    let targets: Vec<T> = (0..rows).map(|row| over(row, &|i| t[i])).collect();
                    let want: Vec<T> = (0..x.len())
                        .map(|i| factor * (power(i) * (targets[at(i).0] / totals[at(i).0]) - t[i]))
                        .collect();
                    assert_bits(&gradient, &want, &what("gradient of softmax_cross_entropy"));
                    cost.fill(T::ONE);
                    softmax_cross_entropy(isa, &x, &t, columns, &mut cost, None);
                    let again = cost.clone();
                    softmax_cross_entropy(isa, &x, &t, columns, &mut cost, Some((&mut gradient, T::ONE)));
                    assert_bits(&cost, &again, &what("softmax_cross_entropy alone"));
                    log_softmax(isa, &x, columns, &mut y);
                    let want = (0..x.len()).map(|i| (x[i] - maxima[at(i).0]) - sums[at(i).0].ln());
                    assert_bits(&y, &want.collect::<Vec<_>>(), &what("log_softmax"));
                }
            }
        }
    });
}

#[test]
fn rows_and_columns_are_the_same_on_every_instruction_set() {
    check_rows::<f32>();
    check_rows::<f64>();
}

fn check_reductions<T: Real>() {
    for_all(|isa, length| {
        let (a, b) = (numbers::<T>(length, 8), numbers::<T>(length, 9));
        let what = |name: &str| format!("{name} of {length} {} on {}", T::NAME, isa.name());
        assert_bits(&[sum(isa, &a)], &[reference_sum(&a)], &what("sum"));
        assert_bits(&[max(isa, &a)], &[a.iter().fold(-T::INFINITY, |max, x| max.max(*x))], &what("max"));
        let want = reference_fold(length, T::ZERO, |a, b| a + b, |lane, i| a[i].mul_add(b[i], lane));
        assert_bits(&[dot(isa, &a, &b)], &[want], &what("dot"));
    });
}

#[test]
fn reductions_keep_their_order_on_every_instruction_set() {
    check_reductions::<f32>();
    check_reductions::<f64>();
}

fn check_sigmoid_cross_entropy<T: Real>() {
    for_all(|isa, length| {
        let (z, t) = (numbers::<T>(length, 10), numbers::<T>(length, 11));
        let what = |name: &str| format!("{name} of {length} {} on {}", T::NAME, isa.name());
        let factor = T::from_f64(0.3);
        let (mut cost, mut gradient) = (vec![T::ONE; length], vec![T::ONE; length]);
        let formula = |(z, t): (&T, &T)| Real::max(*z, T::ZERO) - *z * *t + (-Real::abs(*z)).exp().ln_1p();
        let want: Vec<T> = z.iter().zip(&t).map(formula).collect();
        sigmoid_cross_entropy(isa, &z, &t, &mut cost, None);
        assert_bits(&cost, &want, &what("sigmoid_cross_entropy alone"));
        cost.fill(T::ONE);
        sigmoid_cross_entropy(isa, &z, &t, &mut cost, Some((&mut gradient, factor)));
        assert_bits(&cost, &want, &what("sigmoid_cross_entropy"));
        let want: Vec<T> = z.iter().zip(&t).map(|(z, t)| factor * (z.sigmoid() - *t)).collect();
        assert_bits(&gradient, &want, &what("gradient of sigmoid_cross_entropy"));
    });
}

#[test]
fn sigmoid_cross_entropy_is_the_same_on_every_instruction_set() {
    check_sigmoid_cross_entropy::<f32>();
    check_sigmoid_cross_entropy::<f64>();
}

#[test]
fn a_target_of_zero_leaves_an_impossible_class_out_of_a_long_row() {
    // Rows that are summed in lanes: 64 classes alike and one that cannot be.
    let (mut logits, mut targets) = ([0.0; 65], [0.0; 65]);
    (logits[40], targets[3]) = (f64::NEG_INFINITY, 1.0);
    for isa in Isa::available() {
        let mut cost = [0.0];
        softmax_cross_entropy(isa, &logits, &targets, 65, &mut cost, None);
        assert!((cost[0] - Real::ln(64_f64)).abs() < 1e-14, "{cost:?}");
    }
}

#[test]
fn a_target_of_zero_leaves_an_impossible_class_out() {
    for isa in Isa::available() {
        let mut cost = [1.0_f64];
        softmax_cross_entropy(isa, &[0.0, f64::NEG_INFINITY], &[1.0, 0.0], 2, &mut cost, None);
        assert_eq!(cost, [0.0]);
    }
}

#[test]
fn max_of_nan_is_nan() {
    for isa in Isa::available() {
        for place in [0, 5, 40, 99] {
            let mut x = numbers::<f32>(100, 1);
            x[place] = f32::NAN;
            assert!(max(isa, &x).is_nan());
        }
    }
}

#[test]
fn what_is_no_more_than_rounding_settles_at_zero() {
    fn check<T: Real>(least: f64) {
        for number in [least, -least, 1.0, -1e-20, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(T::from_f64(number).settled().to_f64(), T::from_f64(number).to_f64(), "{}", T::NAME);
        }
        for number in [0.0, least * (1.0 - T::EPSILON.to_f64()), -least / 2.0, least * 2.0_f64.powi(-26)] {
            assert_eq!(T::from_f64(number).settled().to_f64(), 0.0, "{} {number}", T::NAME);
        }
        assert!(T::from_f64(f64::NAN).settled().to_f64().is_nan(), "{}", T::NAME);
        let normal = least * 2.0_f64.powi(-26);
        let without = |number: f64| T::from_f64(number).without_subnormals().to_f64();
        for number in [normal, -normal, least, 1.0, f64::INFINITY, 0.0] {
            assert_eq!(without(number), T::from_f64(number).to_f64(), "{}", T::NAME);
        }
        assert_eq!([without(normal * 0.5), without(-normal * 0.25)], [0.0; 2], "{}", T::NAME);
        assert!(without(f64::NAN).is_nan(), "{}", T::NAME);
    }
    // 2^26 times the least normal number.
    check::<f32>(2.0_f64.powi(-100));
    check::<f64>(2.0_f64.powi(-996));
}

/// Five steps of each optimizer, weight by weight, written from the formulas of its authors and not from the kernels'
/// code: an update that forgets its state, or is another one's, differs from the second step on.
fn check_steps<T: Real>() {
    let number = T::from_f64;
    let (rate, factor, epsilon) = (number(0.1), number(0.9), number(1e-8));
    let (beta_1, beta_2, adam_rate, decay) = (0.9_f64, 0.999_f64, 0.01_f64, 0.1_f64);
    let tolerance = T::EPSILON.to_f64() * 64.0;
    for_all(|isa, length| {
        let first = numbers::<T>(length, 20);
        let gradients: Vec<Vec<T>> = (0..5).map(|step| numbers::<T>(length, 21 + step)).collect();
        let mut got: [Vec<T>; 6] = std::array::from_fn(|_| first.clone());
        let [mut v, mut nesterov_v, mut s, mut sums, mut m, mut squares] =
            std::array::from_fn(|_| vec![T::ZERO; length]);
        for (step, g) in gradients.iter().enumerate() {
            let [sgd, momentum, nesterov, rms_prop, ada_grad, adam] = &mut got;
            Sgd { learning_rate: rate }.weights(isa, sgd, g);
            Momentum { learning_rate: rate, momentum: factor }.weights(isa, momentum, g, &mut v);
            Nesterov { learning_rate: rate, momentum: factor }.weights(isa, nesterov, g, &mut nesterov_v);
            RmsProp { learning_rate: rate, decay: factor, epsilon }.weights(isa, rms_prop, g, &mut s);
            AdaGrad { learning_rate: rate, epsilon }.weights(isa, ada_grad, g, &mut sums);
            let settings =
                AdamSettings { learning_rate: adam_rate, beta_1, beta_2, epsilon: 1e-8, weight_decay: decay };
            settings.at_step::<T>(step as u64 + 1).weights(isa, adam, g, &mut m, &mut squares);
        }
        for i in 0..length {
            let g: Vec<f64> = gradients.iter().map(|g| g[i].to_f64()).collect();
            let w = first[i].to_f64();
            let (rate, factor, epsilon) = (rate.to_f64(), factor.to_f64(), epsilon.to_f64());
            // Sums over all steps, without a state.
            let velocity = |t: usize| -> f64 { (0..=t).map(|u| factor.powi((t - u) as i32) * g[u]).sum() };
            let mean_square = |t: usize| -> f64 {
                (0..=t).map(|u| (1.0 - factor) * factor.powi((t - u) as i32) * g[u] * g[u]).sum()
            };
            let square = |t: usize| -> f64 { g[..=t].iter().map(|g| g * g).sum() };
            let adam = (0..5).fold(w, |w, t| {
                let mean = |beta: f64, power: i32| -> f64 {
                    let sum: f64 =
                        (0..=t).map(|u| (1.0 - beta) * beta.powi((t - u) as i32) * g[u].powi(power)).sum();
                    sum / (1.0 - beta.powi(t as i32 + 1))
                };
                w - adam_rate * decay * w - adam_rate * mean(beta_1, 1) / (mean(beta_2, 2).sqrt() + epsilon)
            });
            let steps = |step: &dyn Fn(usize) -> f64| w - (0..5).map(|t| rate * step(t)).sum::<f64>();
            let want = [
                steps(&|t| g[t]),
                steps(&velocity),
                steps(&|t| g[t] + factor * velocity(t)),
                steps(&|t| g[t] / (mean_square(t).sqrt() + epsilon)),
                steps(&|t| g[t] / (square(t).sqrt() + epsilon)),
                adam,
            ];
            let names = ["sgd", "momentum", "nesterov", "rms_prop", "ada_grad", "adam"];
            for ((name, got), want) in names.iter().zip(&got).zip(want) {
                let got = got[i].to_f64();
                assert!(
                    (got - want).abs() <= tolerance * (1.0 + want.abs()),
                    "{name} of {length} {} on {}: {got}, {want}",
                    T::NAME,
                    isa.name()
                );
            }
        }
    });
}

#[test]
fn several_steps_of_each_optimizer_follow_its_formula() {
    check_steps::<f32>();
    check_steps::<f64>();
}

fn check_updates<T: Real>() {
    let number = T::from_f64;
    for_all(|isa, length| {
        let (w, g) = (numbers::<T>(length, 10), numbers::<T>(length, 11));
        let state: Vec<T> = numbers::<T>(length, 12).iter().map(|x| x.abs()).collect();
        let what = |name: &str| format!("{name} of {length} {} on {}", T::NAME, isa.name());
        let sgd = Sgd { learning_rate: number(0.1) };
        let mut got = w.clone();
        sgd.weights(isa, &mut got, &g);
        assert_bits(&got, &(0..length).map(|i| sgd.weight(w[i], g[i])).collect::<Vec<_>>(), &what("sgd"));

        let momentum = Momentum { learning_rate: number(0.1), momentum: number(0.9) };
        let nesterov = Nesterov { learning_rate: number(0.1), momentum: number(0.9) };
        let rms_prop = RmsProp { learning_rate: number(0.1), decay: number(0.99), epsilon: number(1e-8) };
        let ada_grad = AdaGrad { learning_rate: number(0.1), epsilon: number(1e-8) };
        type Slices<'a, T> = &'a dyn Fn(&mut [T], &mut [T]);
        type One<'a, T> = &'a dyn Fn(T, T, T) -> (T, T);
        let rules: [(&str, Slices<T>, One<T>); 4] = [
            ("momentum", &|w, s| momentum.weights(isa, w, &g, s), &|w, g, s| momentum.weight(w, g, s)),
            ("nesterov", &|w, s| nesterov.weights(isa, w, &g, s), &|w, g, s| nesterov.weight(w, g, s)),
            ("rms_prop", &|w, s| rms_prop.weights(isa, w, &g, s), &|w, g, s| rms_prop.weight(w, g, s)),
            ("ada_grad", &|w, s| ada_grad.weights(isa, w, &g, s), &|w, g, s| ada_grad.weight(w, g, s)),
        ];
        for (name, slices, one) in rules {
            let (mut got_w, mut got_s) = (w.clone(), state.clone());
            slices(&mut got_w, &mut got_s);
            let want: Vec<(T, T)> = (0..length).map(|i| one(w[i], g[i], state[i])).collect();
            assert_bits(&got_w, &want.iter().map(|x| x.0).collect::<Vec<_>>(), &what(name));
            assert_bits(&got_s, &want.iter().map(|x| x.1).collect::<Vec<_>>(), &what(name));
        }

        let settings = AdamSettings {
            learning_rate: 0.01,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.1,
        };
        let adam = settings.at_step::<T>(3);
        let (mut got_w, mut got_m, mut got_v) = (w.clone(), g.clone(), state.clone());
        adam.weights(isa, &mut got_w, &g, &mut got_m, &mut got_v);
        let want: Vec<(T, T, T)> = (0..length).map(|i| adam.weight(w[i], g[i], g[i], state[i])).collect();
        assert_bits(&got_w, &want.iter().map(|x| x.0).collect::<Vec<_>>(), &what("adam"));
        assert_bits(&got_m, &want.iter().map(|x| x.1).collect::<Vec<_>>(), &what("adam"));
        assert_bits(&got_v, &want.iter().map(|x| x.2).collect::<Vec<_>>(), &what("adam"));
    });
}

#[test]
fn updates_are_the_same_on_every_instruction_set() {
    check_updates::<f32>();
    check_updates::<f64>();
}

#[test]
fn first_step_of_adam_is_the_learning_rate() {
    let settings =
        AdamSettings { learning_rate: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon: 0.0, weight_decay: 0.0 };
    let (w, _, _) = settings.at_step::<f64>(1).weight(1.0, 0.3, 0.0, 0.0);
    assert!((w - 0.99).abs() < 1e-15);
}

#[test]
fn instruction_sets_have_names() {
    for isa in Isa::available() {
        assert_eq!(Isa::from_name(isa.name()), Some(isa));
    }
    assert_eq!(Isa::from_name("abacus"), None);
    assert_eq!(Isa::available().last(), Some(Isa::portable()));
}
