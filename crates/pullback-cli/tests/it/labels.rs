//! Several columns of yes and no, as the command shows them.

use crate::{Place, text};

fn table() -> String {
    let part = |row: usize, factor: f64| (row as f64 * factor).fract();
    let row = |row: usize| {
        let (x, z) = (part(row, 0.7549), part(row, 0.5698));
        let word = |is: bool, words: [&'static str; 2]| words[usize::from(is)];
        format!(
            "{x:.4},{z:.4},{},{},{}\n",
            word(x > 0.5, ["0", "1"]),
            word(x + z > 1.2, ["No", "Yes"]),
            word(z > 0.8, ["false", "true"])
        )
    };
    "x,z,warm,large,rare indeed\n".to_owned() + &(0..300).map(row).collect::<String>()
}

#[test]
fn labels_are_trained_shown_and_predicted_in_their_words() {
    let place = Place::new();
    place.write("t.csv", table());
    let looked = place.succeed(&["look", "t.csv", "--target", "warm,large,rare indeed"]);
    let looked = looked.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        looked.contains("a target: a label, \"No\" or \"Yes\" (several targets that are each yes or no)"),
        "{looked}"
    );
    let train = ["train", "t.csv", "--target", "warm,large,rare indeed", "--fast", "--epochs", "60"];
    for width in ["60", "80"] {
        let output = place.command(&train).env("COLUMNS", width).output().unwrap();
        let shown = text(&output.stdout);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let most: usize = width.parse().unwrap();
        for line in shown.lines().filter(|line| !line.starts_with("  pullback ")) {
            assert!(line.chars().count() <= most, "{width}: {line}");
        }
        let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["3 labels (several targets", "of 3 labels, subset accuracy", "micro F1", "macro F1"] {
            assert!(words.contains(part), "`{part}` is not in: {shown}");
        }
        assert_eq!(shown.contains("ROC AUC    rows"), width == "80", "{shown}");
    }
    let report = place.json(&[&train[..], &["--json"]].concat());
    assert_eq!((report["task"].as_str(), report["test"]["task"].as_str()), (Some("labels"), Some("labels")));
    let evaluated = place.json(&["evaluate", "model.safetensors", "t.csv", "--held-out", "--json"]);
    for key in ["labels", "intervals", "macro_f1", "subset_accuracy"] {
        assert_eq!(evaluated["report"][key], report["test"][key], "{key}");
    }
    let inspected = place.succeed(&["inspect", "model.safetensors"]);
    assert!(inspected.contains("3 labels, 0 or 1, No or Yes, false or true"), "{inspected}");
    // What is predicted stands in the words of the table, and is right.
    let predicted = place.succeed(&["predict", "model.safetensors", "t.csv", "--probabilities"]);
    let mut lines = predicted.lines();
    assert_eq!(lines.next(), Some("warm,large,rare indeed,p(warm),p(large),p(rare indeed)"));
    let mut right = 0;
    for (line, own) in lines.zip(table().lines().skip(1)) {
        let cells: Vec<&str> = line.split(',').collect();
        let known: Vec<&str> = own.split(',').collect();
        right += (0..3).filter(|&at| cells[at] == known[at + 2]).count();
        for (word, p) in cells[..3].iter().zip(&cells[3..]) {
            let is_yes = ["1", "Yes", "true"].contains(word);
            assert_eq!(p.parse::<f64>().unwrap() > 0.5, is_yes, "{line}");
        }
    }
    assert!(right > 855, "{right} of 900");
    let folds = place.succeed(&[&train[..], &["--cv", "3", "--out-of-fold", "oof.csv"]].concat());
    assert!(folds.contains("macro F1") && folds.contains("all rows accuracy"), "{folds}");
    assert!(text(&place.read("oof.csv")).starts_with("row,fold,warm,large,rare indeed,p(warm)"));
    let explained = place.succeed(&["explain", "model.safetensors", "t.csv", "--row", "2"]);
    assert!(explained.contains("rare indeed"), "{explained}");
}

/// The table with labels in other words: by row, what is wrong and what is right.
fn worded(no: [&str; 3], yes: [&str; 3]) -> String {
    let mut table = "x;z;spam;eilig\n".to_owned();
    for row in 0..120 {
        let (x, z) = ((row as f64 * 0.7549).fract(), (row as f64 * 0.5698).fract());
        let word = |is: bool| if is { yes[row % 3] } else { no[row % 3] };
        table += &format!("{x:.3};{z:.3};{};{}\n", word(x > 0.5), word(z > 0.4)).replace('.', ",");
    }
    table
}

#[test]
fn yes_and_no_are_known_in_other_languages_and_capitals() {
    let place = Place::new();
    let cases = [
        (worded(["Nein"; 3], ["Ja"; 3]), "labels", "binary"),
        (worded(["아니오"; 3], ["예"; 3]), "labels", "binary"),
        (worded(["no", "No", "no"], ["Yes", "yes", "yes"]), "labels", "binary"),
        (worded(["off"; 3], ["on", "ON", "on"]), "labels", "binary"),
        (worded(["rot"; 3], ["blau"; 3]), "", "binary"),
    ];
    for (table, several, one) in cases {
        place.write("t.csv", &table);
        let train = |target| ["train", "t.csv", "--target", target, "--epochs", "1", "--json"];
        match several {
            "" => assert!(!place.run(&train("spam,eilig")).status.success()),
            several => assert_eq!(place.json(&train("spam,eilig"))["task"], several, "{table}"),
        }
        assert_eq!(place.json(&train("spam"))["task"], one, "{table}");
    }
}

#[test]
fn rows_without_a_target_are_left_out_wherever_a_model_is_measured() {
    let place = Place::new();
    let mut table = "x,z,y\n".to_owned();
    for row in 0..100 {
        let (x, z) = ((row as f64 * 0.7549).fract(), (row as f64 * 0.5698).fract());
        let y = if row % 10 == 3 { String::new() } else { format!("{:.3}", x + z) };
        table += &format!("{x:.3},{z:.3},{y}\n");
    }
    place.write("t.csv", table);
    place.succeed(&["train", "t.csv", "--target", "y", "--epochs", "2", "--quiet"]);
    for command in ["evaluate", "importance", "check", "explain"] {
        let output = place.run(&[command, "model.safetensors", "t.csv"]);
        let said = text(&output.stderr);
        assert!(
            output.status.success() && said.contains("10 rows without a target left out"),
            "{command}: {said}"
        );
    }
    // The rows are those of the model, and the report says so as the warning does.
    let report = place.json(&["evaluate", "model.safetensors", "t.csv", "--json"]);
    assert_eq!((&report["rows"], &report["is_tested_on_training_rows"]), (&90.into(), &true.into()));
    let report = place.json(&["evaluate", "model.safetensors", "t.csv", "--held-out", "--json"]);
    assert_eq!(report["is_tested_on_training_rows"], false);
}

#[test]
fn that_every_row_lacks_a_target_is_said() {
    let place = Place::new();
    let rows: String = (0..60)
        .map(|row| if row % 2 == 0 { format!("{row},yes,\n") } else { format!("{row},,no\n") })
        .collect();
    place.write("t.csv", format!("x,a,b\n{rows}"));
    let output = place.run(&["train", "t.csv", "--target", "a,b"]);
    let said = text(&output.stderr);
    assert!(
        !output.status.success() && said.contains("every row lacks a value in at least one of"),
        "{said}"
    );
}
