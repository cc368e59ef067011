//! `train --cv`: what is printed, what is written, and that no model is.

use crate::{Place, text};

#[test]
fn folds_are_reported_and_written_and_no_model_is_saved() {
    let place = Place::new();
    let run = ["train", "iris", "--epochs", "15", "--cv", "3", "--out-of-fold", "oof.csv"];
    let output = place.run(&run);
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert_eq!(place.files(), ["oof.csv"]);
    for fold in ["fold 1 of 3: accuracy ", "fold 2 of 3: ", "fold 3 of 3: "] {
        assert!(said.contains(fold), "{said}");
    }
    assert!(printed.contains("no model is saved; the same without `--cv` trains one"), "{printed}");
    let csv = text(&place.read("oof.csv"));
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("row,fold,species,p(setosa),p(versicolor),p(virginica)"));
    let species = ["setosa", "versicolor", "virginica"];
    let (mut right, mut folds) = (0, [0; 3]);
    for (at, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!((cells.len(), cells[0]), (6, (at + 1).to_string().as_str()));
        folds[cells[1].parse::<usize>().unwrap() - 1] += 1;
        right += usize::from(cells[2] == species[at / 50]);
    }
    assert_eq!(folds, [50; 3]);
    assert!(printed.contains(&format!("{right} of 150 rows")), "{right}: {printed}");

    // The same as JSON.
    let json = place.succeed(&[&run[..6], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let accuracy = |report: &serde_json::Value| report["accuracy"].as_f64().unwrap();
    assert_eq!(accuracy(&json["out_of_fold"]), right as f64 / 150.0);
    let folds = json["folds"].as_array().unwrap();
    let mean = folds.iter().map(accuracy).sum::<f64>() / 3.0;
    assert!((accuracy(&json["summary"][0]["mean"]) - mean).abs() < 1e-12);
    assert!((json["summary"][0]["deviation"]["log_loss"].as_f64().unwrap()) > 0.0);
    assert_eq!(json["rows_in_no_fold"], 0);
}

#[test]
fn numbers_and_several_targets_have_their_table() {
    let place = Place::new();
    let rows: String = (0..60)
        .map(|row| {
            let x = (f64::from(row) * 0.7549).fract();
            format!("{x},{},{}\n", 3.0 * x, 100.0 - x)
        })
        .collect();
    place.write("two.csv", format!("x,first,second\n{rows}"));
    let run = ["train", "two.csv", "--target", "first,second", "--epochs", "5", "--cv", "2"];
    let printed = place.succeed(&run);
    for target in ["first", "second"] {
        let (_, table) = printed.split_once(&format!("\n{target}\n")).unwrap();
        let lines: Vec<&str> = table.lines().map(str::trim).take(5).collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["fold", "rows", "RMSE", "MAE", "R2"]);
        for (line, name) in lines[1..].iter().zip(["1", "2", "mean", "deviation"]) {
            assert!(line.starts_with(name), "{printed}");
        }
    }
    // Settings that are printed make the same cross-validation.
    let config = place.succeed(&[&run[..], &["--print-config"]].concat());
    place.write("run.toml", config);
    assert!(place.succeed(&["train", "--config", "run.toml", "--quiet"]).is_empty());
    assert_eq!(place.files(), ["run.toml", "two.csv"]);
}

#[test]
fn what_contradicts_folds_is_refused() {
    let place = Place::new();
    for (arguments, what) in [
        (&["--cv", "1"][..], "cross-validation needs at least 2 folds, not 1"),
        (&["--cv", "5", "--out", "m"], "`--test 0` trains a model of all rows"),
        (&["--cv", "5", "--test", "0.1"], "leave out `--test`"),
        (&["--out-of-fold", "a.csv"], "add `--cv 5`"),
        (&["--cv", "5", "--out-of-fold", "no/folder/a.csv"], "no/folder"),
    ] {
        let output = place.run(&[&["train", "iris"], arguments].concat());
        assert_ne!(output.status.code(), Some(0));
        assert!(text(&output.stderr).contains(what), "{}", text(&output.stderr));
    }
    assert!(place.files().is_empty());
}
