//! Arrays in, a model out.

use pullback::train::{Epoch, Flow, Machine, Observer};
use pullback::{Classifier, Model, Regressor};

/// Points of two coordinates, and the quarter that they are in.
fn quarters() -> (Vec<f32>, Vec<u32>) {
    let x: Vec<f32> = (0..480).map(|i| (i as f32 * 0.618_034).fract() * 2.0 - 1.0).collect();
    let y = x.chunks(2).map(|p| 2 * u32::from(p[0] > 0.0) + u32::from(p[1] > 0.0) + 5).collect();
    (x, y)
}

#[test]
fn classes_come_back_as_they_were_given() {
    let (x, y) = quarters();
    let model = Classifier::new().hidden([24]).fit(&x, 2, &y).unwrap();
    let predicted = model.predict_classes(&x).unwrap();
    let right = predicted.iter().zip(&y).filter(|(predicted, truth)| predicted == truth).count();
    assert!(right > 230, "{right} of 240");
    let probabilities = model.predict_probabilities(&x).unwrap();
    assert_eq!(probabilities.len(), 4 * y.len());
    for (row, class) in probabilities.chunks(4).zip(&predicted) {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let best = (0..4).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        assert_eq!(best as u32 + 5, *class);
    }
    let again = Model::<f32>::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(again.predict_classes(&x).unwrap(), predicted);
}

#[test]
fn the_same_seed_makes_the_same_bits() {
    let (x, y) = quarters();
    let fit = |seed, threads| {
        let machine = Machine::with_threads(threads);
        Classifier::new()
            .hidden([8])
            .epochs(5)
            .seed(seed)
            .machine(machine)
            .fit(&x, 2, &y)
            .unwrap()
            .to_bytes()
            .unwrap()
    };
    assert!(fit(1, 1) == fit(1, 2));
    assert!(fit(1, 1) != fit(2, 1));
}

#[test]
fn several_numbers_are_predicted_for_each_row() {
    let x: Vec<f64> = (0..150).map(|i| f64::from(i * 37 % 100) / 50.0 - 1.0).collect();
    let y: Vec<f64> = x.chunks(3).flat_map(|row| [row[0] + row[1], 10.0 * row[2]]).collect();
    let model = Regressor::new().hidden([]).fit(&x, 3, &y).unwrap();
    let predicted = model.predict_numbers(&x).unwrap();
    let worst = predicted.iter().zip(&y).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst < 0.05, "{worst}");
    assert!(model.predict_classes(&x).unwrap_err().to_string().contains("classes"));
}

#[test]
fn what_does_not_fit_is_an_error_with_its_place() {
    let mut x = vec![0.5_f32; 12];
    let y = [0, 1, 0, 1];
    let check = |error: pullback::Error, parts: &[&str]| {
        let message = error.one_line();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    let fit = |x: &[f32], width, y: &[u32]| Classifier::new().fit(x, width, y).unwrap_err();
    check(fit(&x, 5, &y), &["12 numbers", "rows of 5"]);
    check(fit(&x, 0, &y), &["12 numbers"]);
    check(fit(&[], 3, &[]), &["0 numbers"]);
    check(fit(&x, 3, &y[..3]), &["3 classes for 4 rows"]);
    check(fit(&x, 3, &[1; 4]), &["nothing to tell apart"]);
    x[7] = f32::NAN;
    check(fit(&x, 3, &y), &["row 2, column 1", "NaN"]);
    x[7] = f32::INFINITY;
    check(Regressor::new().fit(&x, 3, &[0.0; 4]).unwrap_err(), &["row 2, column 1", "inf"]);
    x[7] = 0.0;
    check(Regressor::new().fit(&x, 3, &[0.0; 5]).unwrap_err(), &["5 targets for 4 rows"]);
    check(Regressor::new().fit(&x, 3, &[0.0, 1.0, f32::NAN, 0.0]).unwrap_err(), &["y, row 2", "NaN"]);
    check(Classifier::new().set("learning_rat", "1").unwrap_err(), &["did you mean `learning_rate`?"]);
    let (x, y) = quarters();
    let model = Classifier::new().hidden([4]).epochs(1).fit(&x, 2, &y).unwrap();
    check(model.predict_classes(&[1.0_f32; 3]).unwrap_err(), &["3 numbers", "rows of 2"]);
    check(model.predict_classes(&[1.0, f32::NAN]).unwrap_err(), &["row 0, column 1"]);
}

/// Stops after three epochs.
struct Three;

impl Observer for Three {
    fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
        if epoch.report.epoch == 2 { Flow::Stop } else { Flow::Continue }
    }
}

#[test]
fn an_observer_can_stop_it() {
    let (x, y) = quarters();
    let model = Classifier::new().fit_watched(&x, 2, &y, &mut Three).unwrap();
    assert_eq!(model.run().unwrap().history.epochs.len(), 3);
}
