//! How good a model is, as the command says it: intervals, calibration, importance of columns, at any width.

use crate::{Place, text};

fn at_width(place: &Place, width: &str, arguments: &[&str]) -> String {
    let output = place.command(arguments).env("COLUMNS", width).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// A table with a column that decides, one that helps, and one of noise; a number and a class to predict.
fn table() -> String {
    let part = |row: usize, factor: f64| (row as f64 * factor).fract();
    let row = |row: usize| {
        let (a, b, c) = (part(row, 0.7549), part(row, 0.5698), part(row, 0.4514));
        let class = if 3.0 * a + b > 1.8 { "high" } else { "low" };
        format!("{a:.4},{b:.4},{c:.4},{:.4},{class}\n", 1.0 + 3.0 * a + b)
    };
    "a,b,c,amount,class\n".to_owned() + &(0..300).map(row).collect::<String>()
}

#[test]
fn reports_say_how_sure_they_are_and_fit_the_width() {
    let place = Place::new();
    place.write("t.csv", table());
    let class = ["train", "t.csv", "--target", "class", "--ignore", "amount", "--fast", "--epochs", "20"];
    let amount = ["train", "t.csv", "--target", "amount", "--ignore", "class", "--fast", "--epochs", "20"];
    let gamma = [&amount[..], &["--cost", "gamma"]].concat();
    let quantile = [&amount[..], &["--cost", "quantile:0.9"]].concat();
    for (command, parts) in [
        (&class[..], &["in parentheses: 95 % intervals", "Brier score", "calibration error"][..]),
        (&amount, &["RMSE", "95 % from", "       to"]),
        (&gamma, &["deviance", "D2", "gamma regression", "always the mean"]),
        (&quantile, &["pinball", "quantile regression", "always the 0.9 quantile, "]),
    ] {
        for width in ["60", "80"] {
            let shown = at_width(&place, width, command);
            let most: usize = width.parse().unwrap();
            // A command to type is not broken.
            for line in shown.lines().filter(|line| !line.starts_with("  pullback ")) {
                assert!(line.chars().count() <= most, "{width}: {line}");
            }
            // A sentence may go on in the next line.
            let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in parts {
                assert!(shown.contains(part) || words.contains(part), "`{part}` is not in: {shown}");
            }
        }
    }
    let report = place.json(&[&class[..], &["--json"]].concat());
    let interval = &report["test"]["intervals"];
    let accuracy = report["test"]["accuracy"].as_f64().unwrap();
    let end = |at: usize| interval["accuracy"][at].as_f64().unwrap();
    assert!(end(0) <= accuracy && accuracy <= end(1) && interval["level"] == 0.95, "{interval}");
    assert_eq!(report["test"]["judged_by"], "accuracy");
    // Rows that were trained on say nothing of others.
    place.write("few.csv", table().lines().take(9).map(|line| format!("{line}\n")).collect::<String>());
    let few = ["train", "few.csv", "--target", "amount", "--ignore", "class", "--epochs", "3"];
    let shown = place.succeed(&few);
    assert!(shown.contains("tested on the same rows") && !shown.contains("95 %"), "{shown}");
    // What is asked for is what the constant is compared by.
    let by_area = [&class[..], &["--metric", "roc_auc"]].concat();
    let shown = place.succeed(&by_area);
    assert!(shown.contains("to beat by ROC AUC: always \"high\" 0.5000"), "{shown}");
}

#[test]
fn probabilities_are_calibrated_and_the_model_says_so() {
    let place = Place::new();
    place.write("t.csv", table());
    let train = ["train", "t.csv", "--target", "class", "--ignore", "amount", "--fast", "--calibrate"];
    let settings = ["--epochs", "10", "--validation", "0.25", "--seed", "3"];
    let shown = place.succeed(&[&train[..], &settings].concat());
    assert!(shown.contains("calibrate ") && shown.contains("validation rows"), "{shown}");
    let inspected = place.succeed(&["inspect", "model.safetensors"]);
    assert!(inspected.contains("calibrate ") && inspected.contains("temperature"), "{inspected}");
    let report = place.json(&[&train[..], &settings, &["--json"]].concat());
    let temperature = report["calibration"]["temperature"].as_f64().unwrap();
    assert_eq!(place.json(&["inspect", "model.safetensors", "--json"])["temperature"], temperature);
    let evaluated = place.json(&["evaluate", "model.safetensors", "t.csv", "--held-out", "--json"]);
    assert_eq!(evaluated["report"], crate::without_linear(&report));
    for (language, part) in [("en", "The model is calibrated"), ("ko", "확률을 보정했습니다")] {
        let page = place.succeed(&["explain", "model.safetensors", "t.csv", "--lang", language]);
        assert_eq!(page.contains(part), temperature != 1.0, "{page}");
    }
    // The settings in the file calibrate again.
    let printed = place.succeed(&["inspect", "model.safetensors", "--print-config"]);
    assert!(printed.contains("calibrate = true"), "{printed}");
    let refused = place.run(&["train", "t.csv", "--target", "amount", "--ignore", "class", "--calibrate"]);
    assert!(text(&refused.stderr).contains("is for probabilities"), "{}", text(&refused.stderr));
}

#[test]
fn importance_ranks_columns_at_any_width_and_on_any_number_of_threads() {
    let place = Place::new();
    place.write("t.csv", table());
    place
        .succeed(&["train", "t.csv", "--target", "amount", "--ignore", "class", "--epochs", "40", "--quiet"]);
    let command = ["importance", "model.safetensors", "t.csv", "--held-out"];
    for width in ["60", "80"] {
        let shown = at_width(&place, width, &command);
        let most: usize = width.parse().unwrap();
        assert!(shown.lines().all(|line| line.chars().count() <= most), "{shown}");
        let rows: Vec<&str> =
            shown.lines().skip_while(|line| !line.starts_with("column")).skip(1).take(3).collect();
        let names: Vec<&str> = rows.iter().map(|row| row.split_whitespace().next().unwrap()).collect();
        assert_eq!(names, ["a", "b", "c"], "{shown}");
        assert!(rows[0].contains("####") && !rows[2].contains("####"), "{shown}");
    }
    let json = [&command[..], &["--json"]].concat();
    let one = place.json(&[&json[..], &["--threads", "1"]].concat());
    assert_eq!(one, place.json(&[&json[..], &["--threads", "2"]].concat()));
    let columns = one["importance"]["columns"].as_array().unwrap();
    assert_eq!((columns.len(), &one["importance"]["metric"]), (3, &"rmse".into()));
    // What cannot be measured is told before anything of the rows.
    for arguments in [["--repeats", "0"], ["--metric", "accuracy"]] {
        let refused = place.run(&[&["importance", "model.safetensors", "t.csv"][..], &arguments].concat());
        let shown = text(&refused.stderr);
        assert!(!refused.status.success() && shown.starts_with("error"), "{shown}");
    }
    let trained_on = place.run(&["importance", "model.safetensors", "t.csv"]);
    assert!(text(&trained_on.stderr).contains("were trained on"), "{}", text(&trained_on.stderr));
    place.write("no.csv", "a,b,c\n1,2,3\n");
    let without = place.run(&["importance", "model.safetensors", "no.csv"]);
    assert!(text(&without.stderr).contains("no column \"amount\""), "{}", text(&without.stderr));
}
