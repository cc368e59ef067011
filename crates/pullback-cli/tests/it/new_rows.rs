//! Rows to predict for, in whatever dress they come: a prediction for each, or a warning with the line.

use crate::{Place, text};

const TRAIN: &[&str] = &["--fast", "--epochs", "2", "--target"];

fn trained(table: &str, target: &str, more: &[&str]) -> Place {
    let place = Place::new();
    place.write("t.csv", table);
    place.succeed(&[&["train", "t.csv"], TRAIN, &[target], more].concat());
    place
}

/// What stands on standard output and on standard error.
fn predicted(place: &Place, new: &str, more: &[&str]) -> (String, String) {
    place.write("new.csv", new);
    let output = place.run(&[&["predict", "model.safetensors", "new.csv"], more].concat());
    assert!(output.status.success(), "{new}\n{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

fn rows(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn each_row_has_a_prediction_or_a_warning() {
    let words = ["bug", "note", "idea"];
    let table = rows(60, |at| format!("{},{}.5,{}.5\n", words[at % 3], at, at % 7));
    let place = trained(&format!("t,x,y\n{table}"), "y", &[]);
    for (new, count) in [
        ("t,x\nbug,1.5\nNote: see x,2.5\n", 2),
        ("t,x\nbug,1\nnote,2\nTotal,3\n", 3),
        ("t,x\nbug,.\nnote,2.5\n", 2),
    ] {
        let (shown, _) = predicted(&place, new, &[]);
        assert_eq!(shown.lines().count(), count + 1, "{new}\n{shown}");
    }
    let (shown, told) = predicted(&place, "t,x,z\nbug,1,1\nnote,2,1\nTotal,3\n", &[]);
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(told.contains("warning") && told.contains("line 4"), "{told}");
    // What is lost in training is told though little is.
    place.write("sums.csv", format!("t,x,y\n{table}Total,1,2\n"));
    let output = place.run(&[&["train", "sums.csv", "--quiet"], TRAIN, &["y"]].concat());
    let told = text(&output.stderr);
    assert!(output.status.success() && told.contains("line 62"), "{told}");
}

#[test]
fn dates_of_digits_and_years_of_two_digits_are_read_as_in_training() {
    let digits =
        rows(60, |at| format!("2021{:02}{:02},{}.5,{}.5\n", at % 12 + 1, at % 28 + 1, at % 5, at % 12));
    let table = format!("d,x,y\n{digits}");
    let place = trained(&table, "y", &[]);
    let (all, _) = predicted(&place, &table, &[]);
    assert_eq!(all.lines().count(), 61);
    let one = |new: &str| predicted(&place, new, &[]).0.lines().nth(1).unwrap().to_owned();
    assert_eq!(one("d,x\n20210101,0.5\n"), one("d,x\n2021-01-01,0.5\n"));
    assert_eq!(one("d,x\n20210101,0.5\n"), one("{\"d\":20210101,\"x\":0.5}\n"));
    one("d,x\n,0.5\n");
    place.succeed(&["evaluate", "model.safetensors", "t.csv", "--held-out"]);
    let years =
        rows(60, |at| format!("21/{:02}/{:02},{}.5,{}.5\n", at % 12 + 1, at % 28 + 1, at % 5, at % 12));
    let place = trained(&format!("d,x,y\n{years}"), "y", &[]);
    let one = |new: &str| predicted(&place, new, &[]).0.lines().nth(1).unwrap().to_owned();
    assert_eq!(one("d,x\n21/01/05,0.5\n"), one("d,x\n2021-01-05,0.5\n"));
}

#[test]
fn numbers_keep_the_locale_of_training() {
    let table = rows(60, |at| format!("{}.{:03},{:02};{},5\n", at % 9 + 1, at * 13 % 1000, at, at % 11));
    let place = trained(&format!("preis;y\n{table}"), "y", &[]);
    let one = |new: &str| predicted(&place, new, &[]).0.lines().nth(1).unwrap().to_owned();
    let plain = one("preis\n1204\n9876\n");
    for new in
        ["preis\n1.204,00\n9.876,00\n", "preis;q\n1.204;1\n9.876;1\n", "preis\tq\n1.204\t1\n9.876\t1\n"]
    {
        assert_eq!(one(new), plain, "{new}");
    }
}

#[test]
fn names_with_commas_are_typed_as_they_are() {
    let table = rows(60, |at| format!("a{at},{}.5,{},{}.5\n", at, at % 2, at % 7));
    let place = Place::new();
    place.write("t.csv", format!("id,\"RH, % (1)\",\"zip, code\",\"Temp, C (S, N)\"\n{table}"));
    for target in ["Temp, C (S, N)", "\"Temp, C (S, N)\""] {
        let more = ["--type", "zip, code=categorical", "--ignore", "RH, % (1)"];
        let shown = place.succeed(&[&["train", "t.csv"], TRAIN, &[target], &more].concat());
        assert!(shown.contains("Temp, C (S, N): numbers"), "{shown}");
    }
    let (shown, _) =
        predicted(&place, &String::from_utf8(place.read("t.csv")).unwrap(), &["--keep", "RH, % (1),id"]);
    assert_eq!(shown.lines().next(), Some("\"RH, % (1)\",id,\"Temp, C (S, N)\""));
    assert!(shown.lines().nth(1).unwrap().starts_with("0.5,a0,"), "{shown}");
}

#[test]
fn labels_come_back_as_they_are_written() {
    for labels in
        [["1.0", "0.0"], ["+1", "-1"], ["1,000", "2,000"], ["10%", "20%"], ["$1", "$2"], ["1.50", "2.50"]]
    {
        let table = rows(60, |at| format!("{}.5,\"{}\"\n", at, labels[at % 2]));
        let table = format!("x,y\n{table}");
        let place = trained(&table, "y", &[]);
        let (shown, _) = predicted(&place, &table, &[]);
        let own: Vec<String> = labels.iter().map(|label| format!("\"{label}\"")).collect();
        for line in shown.lines().skip(1) {
            assert!(labels.contains(&line) || own.iter().any(|label| label == line), "{labels:?}: {line}");
        }
        place.succeed(&["evaluate", "model.safetensors", "t.csv", "--held-out"]);
    }
}
