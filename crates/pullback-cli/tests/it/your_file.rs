//! Files as people have them, from the first command to predictions.

use crate::{Place, text, without_linear};
use std::io::Write;
use std::process::Stdio;

/// Trains on a table for a few epochs, and returns the report.
fn trained(place: &Place, table: &str, target: &str, more: &[&str]) -> serde_json::Value {
    place.write("table.csv", table);
    let epochs: &[&str] = if more.contains(&"--epochs") { &[] } else { &["--epochs", "3"] };
    place.json(&[&["train", "table.csv", "--target", target, "--json"], epochs, more].concat())
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn what_frames_and_spreadsheets_write_trains_with_the_target_alone() {
    let place = Place::new();
    let rows = |row: fn(usize) -> String| (0..60).map(row).collect::<String>();
    let r = format!(
        "\"\",\"a\",\"y\"\n{}",
        rows(|row| format!("\"{}\",{}.5,\"{}\"\n", row + 1, row % 7, if row < 30 { "u" } else { "d" }))
    );
    let pandas = format!(
        ",a,y\n{}",
        rows(|row| format!("{row},{}.5,{}\n", row % 7, if row < 30 { "u" } else { "d" }))
    );
    let short = format!(
        "\"a\" \"y\"\n{}",
        rows(|row| format!("\"{}\" {}.5 \"{}\"\n", row + 1, row % 7, if row < 30 { "u" } else { "d" }))
    );
    let german = format!(
        "\u{feff}sep=;\r\na;y\r\n{}",
        rows(|row| format!("{},5;{}\r\n", row % 7, if row < 30 { "u" } else { "d" }))
    );
    for table in [r, pandas, short, german] {
        let report = trained(&place, &table, "y", &[]);
        assert_eq!((&report["task"], &report["data"]["rows"]), (&"binary".into(), &60.into()), "{table}");
        // The row number would tell the classes, which stand one after the other.
        assert!(report["layers"][0].as_str().unwrap().contains("32"), "{report}");
        let inputs = place.succeed(&["inspect", "model.safetensors"]);
        assert!(inputs.contains("1 input\n"), "{inputs}");
    }
}

#[test]
fn predictions_have_the_digits_that_the_spread_deserves() {
    let place = Place::new();
    let table: String = (0..100).map(|row| format!("{},{}\n", row % 10, 1_000_000_000 + row % 10)).collect();
    trained(&place, &format!("x,y\n{table}"), "y", &["--task", "regression", "--epochs", "300"]);
    place.write("new.csv", "x\n0\n9\n");
    let shown = place.succeed(&["predict", "model.safetensors", "new.csv"]);
    let numbers: Vec<f64> = shown.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert!((numbers[0] - 1e9).abs() < 1.0 && (numbers[1] - 1e9 - 9.0).abs() < 1.0, "{shown}");
}

#[test]
fn labels_come_out_as_they_came_in() {
    let place = Place::new();
    let table: String =
        (0..60).map(|row| format!("{},{}\n", row % 7, ["02139", "10001"][row % 7 / 4])).collect();
    trained(&place, &format!("x,zip\n{table}"), "zip", &[]);
    place.write("new.csv", "x\n0\n6\n");
    let shown = place.succeed(&["predict", "model.safetensors", "new.csv"]);
    assert!(lines(&shown)[1..].iter().all(|label| ["02139", "10001"].contains(label)), "{shown}");
}

#[test]
fn classes_are_named_as_they_are_written_wherever_they_are_named() {
    let place = Place::new();
    for (first, second) in
        [("01", "02"), ("1.0", "2.0"), ("1.50", "2.50"), ("+1", "-1"), ("5 %", "10 %"), ("$3", "$4")]
    {
        let row = |row: usize| format!("{},{}\n", row % 7, [first, second][row % 7 / 4]);
        let table: String = (0..60).map(row).collect();
        let weights = format!("{first}=2");
        let flags = ["--task", "classes", "--class-weights", &weights];
        let report = trained(&place, &format!("x,y\n{table}"), "y", &flags);
        let names = |report: &serde_json::Value| -> Vec<String> {
            let classes = report["classes"].as_array().unwrap_or_else(|| panic!("{report}"));
            let mut names: Vec<String> =
                classes.iter().map(|class| class["name"].as_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        let mut expected = vec![first.to_owned(), second.to_owned()];
        expected.sort();
        assert_eq!(names(&report["test"]), expected, "{first}");
        let evaluated = place.json(&["evaluate", "model.safetensors", "table.csv", "--json"]);
        assert_eq!(names(&evaluated["report"]), expected, "{first}");
        for words in [
            place.succeed(&["evaluate", "model.safetensors", "table.csv"]),
            place.succeed(&["inspect", "model.safetensors"]),
            place.succeed(&["predict", "model.safetensors", "table.csv", "--probabilities"]),
        ] {
            assert!(words.contains(first) && words.contains(second), "{words}");
        }
    }
}

#[test]
fn a_category_that_another_program_writes_as_a_float_is_the_same() {
    let place = Place::new();
    let table: String =
        (0..60).map(|row| format!("{},{},{}\n", row % 3 + 1, row % 7, ["a", "b"][row % 2])).collect();
    trained(&place, &format!("p,x,y\n{table}"), "y", &["--type", "p=categorical"]);
    place.write("one.csv", "p,x\n1,2\n2,2\n3,2\n").write("other.csv", "p,x\n1.0,2\n02,2\n3.00,2\n");
    let predict = |name| place.run(&["predict", "model.safetensors", name, "--probabilities"]);
    let (one, other) = (predict("one.csv"), predict("other.csv"));
    assert_eq!((text(&one.stdout), text(&other.stderr)), (text(&other.stdout), String::new()));
}

#[test]
fn a_text_among_new_numbers_is_missing_and_said() {
    let place = Place::new();
    let table: String = (0..60).map(|row| format!("{},{}\n", row % 7, ["a", "b"][row % 2])).collect();
    trained(&place, &format!("x,y\n{table}"), "y", &[]);
    place.write("new.csv", "x\n1\ntall\n3\n");
    let output = place.run(&["predict", "model.safetensors", "new.csv"]);
    assert_eq!(text(&output.stdout).lines().count(), 4);
    assert!(text(&output.stderr).contains("\"tall\", first in row 2"), "{}", text(&output.stderr));
}

#[test]
fn rows_without_a_target_are_left_out_and_counted() {
    let place = Place::new();
    let table: String = (0..60).map(|row| format!("{},{}\n", row % 7, ["a", "b", ""][row % 3])).collect();
    let report = trained(&place, &format!("x,y\n{table},\n,\n"), "y", &[]);
    assert_eq!(report["data"]["rows"], 40);
    let notes = report["notes"].to_string();
    assert!(notes.contains("20 rows without a target left out"), "{notes}");
    let evaluated = place.json(&["evaluate", "model.safetensors", "table.csv", "--held-out", "--json"]);
    assert_eq!((&evaluated["rows"], &evaluated["report"]), (&report["test_rows"], &without_linear(&report)));
}

#[test]
fn predictions_of_several_sources_keep_columns_beside_them() {
    let place = Place::new();
    let table: String =
        (0..60).map(|row| format!("N{row:03},{},{}\n", row % 7, ["a", "b"][row % 2])).collect();
    trained(&place, &format!("id,x,y\n{table}"), "y", &[]);
    place.write("one.csv", "id,x\n007,1\n").write("two.csv", "x,id\n1.50,7.0\n");
    let shown = place.succeed(&["predict", "model.safetensors", "one.csv", "two.csv", "--keep", "id"]);
    let starts: Vec<&str> = shown.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(starts, ["id", "007", "7.0"]);
    let mut child = place
        .command(&["predict", "model.safetensors", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"x\n1\n2\n").unwrap();
    assert_eq!(text(&child.wait_with_output().unwrap().stdout).lines().count(), 3);
}

#[test]
fn a_target_with_a_class_a_row_is_refused_with_the_flag_that_insists() {
    let place = Place::new();
    let table: String = (0..60).map(|row| format!("{},name{row}\n", row % 7)).collect();
    place.write("table.csv", format!("x,y\n{table}"));
    let output = place.run(&["train", "table.csv", "--target", "y"]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(
        message.contains("60 distinct texts in 60 rows") && message.contains("--task classes"),
        "{message}"
    );
}

#[test]
fn dates_become_parts_and_doubts_are_said() {
    let place = Place::new();
    let mut table = String::from("date,copy,same,case,y\n");
    for row in 0..730u32 {
        let (year, month, day) = (2021 + row / 365, row % 365 / 31 + 1, row % 28 + 1);
        let class = if (4..10).contains(&month) { "summer" } else { "winter" };
        let case = ["Paris", "paris ", "Rome"][row as usize % 3];
        table += &format!(
            "{year}-{month:02}-{day:02},{},7,{case},{class}\n",
            if class == "summer" { "S" } else { "W" }
        );
    }
    let report = trained(&place, &table, "y", &["--ignore", "copy", "--epochs", "40"]);
    let shown = place.succeed(&["inspect", "model.safetensors"]);
    assert!(shown.contains("trend, year, 12 months, 7 days of the week"), "{shown}");
    assert!(report["test"]["accuracy"].as_f64().unwrap() > 0.95, "{}", report["test"]);
    let concerns = trained(&place, &table, "y", &[])["concerns"].to_string();
    for part in ["\"constant\"", "\"leak\"", "--ignore 'copy'", "\"spelling\""] {
        assert!(concerns.contains(part), "`{part}` is not in: {concerns}");
    }
}

#[test]
fn a_day_that_stands_for_no_date_is_missing_in_one_new_row_too() {
    let place = Place::new();
    let day = |row: usize| match row % 5 {
        0 => "1970-01-01".to_owned(),
        _ => format!("20{}-{:02}-{:02}", 15 + row % 9, 1 + row % 12, 1 + row % 28),
    };
    let table: String =
        (0..120).map(|row| format!("{},{},{}\n", day(row), row % 7, ["u", "d"][row % 2])).collect();
    trained(&place, &format!("day,x,y\n{table}"), "y", &[]);
    let predicted = |cell: &str| {
        place.write("new.csv", format!("day,x\n{cell},3\n"));
        place.succeed(&["predict", "model.safetensors", "new.csv", "--probabilities"])
    };
    assert_eq!(predicted("1970-01-01"), predicted(""));
    assert_ne!(predicted("2016-05-01"), predicted(""));
}

#[test]
fn a_name_with_a_comma_stands_in_quotes() {
    let place = Place::new();
    let table: String = (0..60).map(|row| format!("{},{}\n", row % 7, row * row % 13)).collect();
    assert_eq!(trained(&place, &format!("a,\"b,c\"\n{table}"), "\"b,c\"", &[])["data"]["rows"], 60);
    let json = place.json(&["look", "table.csv", "--target", "\"b,c\"", "--json"]);
    assert!(json["columns"][1]["becomes"].as_str().unwrap().starts_with("the target"), "{json}");
}

#[test]
fn look_shows_columns_with_types_and_reasons() {
    let place = Place::new();
    let table: String = (0..60)
        .map(|row| format!("{row},{},{}.5,N{row},{}\n", row % 7, row * row % 13, ["a", "b"][row % 2]))
        .collect();
    place.write(
        "table.csv",
        format!(",size,weight,a name that is much too long for a column of a page,y\n{table}"),
    );
    let shown = place.succeed(&["look", "table.csv", "--target", "y"]);
    for part in [
        "60 rows, 5 columns",
        "counts the rows",
        "numbers, 7 distinct, 0 to 6",
        "the target: 2 classes",
        "identifies rows",
    ] {
        assert!(
            shown.replace('\n', " ").split_whitespace().collect::<Vec<_>>().join(" ").contains(part),
            "`{part}` is not in:\n{shown}"
        );
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let json = place.json(&["look", "table.csv", "--json"]);
    assert_eq!((&json["columns"][1]["distinct"], &json["columns"][4]["kind"]), (&7.into(), &"texts".into()));
}

#[test]
fn new_rows_are_read_in_the_units_and_the_order_of_dates_of_training() {
    let place = Place::new();
    let table: String = (0..60)
        .map(|row| {
            format!(
                "{} kg,{:02}/{:02}/2021,{}\n",
                50 + row % 7,
                row % 28 + 1,
                row % 12 + 1,
                ["a", "b"][row % 2]
            )
        })
        .collect();
    trained(&place, &format!("weight,day,y\n{table}"), "y", &[]);
    let predicted = |rows: &str| {
        place.write("new.csv", format!("weight,day\n{rows}"));
        let output = place.run(&["predict", "model.safetensors", "new.csv", "--probabilities"]);
        (text(&output.stdout), text(&output.stderr))
    };
    let (same, silent) = predicted("52 kg,03/04/2021\n53,04/05/2021\n54kg,05/01/2021\n");
    assert_eq!(silent, "");
    let (iso, silent) = predicted("52,2021-04-03\n53,2021-05-04\n54,2021-01-05\n");
    assert_eq!((iso, &silent[..]), (same, ""));
    let (_, warned) = predicted("52 kg,03/13/2021\n53000 g,04/05/2021\n54,05/01/2021\n");
    for part in [
        "1 cell in g and not in kg, as the column was in training, so missing: \"53000 g\", first in row 2",
        "the month first here, which they had not in training",
    ] {
        assert!(warned.contains(part), "`{part}` is not in: {warned}");
    }
    place.write("wrong.csv", "weight,day\n52000 g,03/04/2021\n53000 g,03/04/2021\n");
    let refused = text(&place.run(&["predict", "model.safetensors", "wrong.csv"]).stderr);
    assert!(refused.contains("is not in kg, as the column was in training"), "{refused}");
}

#[test]
fn a_column_without_values_in_training_may_be_anything_in_the_test() {
    let place = Place::new();
    let rows = |odd: &dyn Fn(usize) -> &'static str| {
        (0..40).map(|row| format!("{},{},{}\n", (row * 7) % 40, odd(row), row % 13)).collect::<String>()
    };
    place.write("train.csv", format!("x,m,y\n{}", rows(&|_| "")));
    place.write("test.csv", format!("x,m,y\n{}", rows(&|row| if row == 3 { "shed" } else { "" })));
    for also in ["--test-data", "--validation-data"] {
        let output = place.run(&["train", "train.csv", "--target", "y", "--fast", also, "test.csv"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

#[test]
fn look_answers_a_target_that_is_not_there_as_train_does() {
    let place = Place::new();
    place.write("one.csv", "x,y\n1,a\n");
    for command in ["look", "train"] {
        let output = place.run(&[command, "one.csv", "--target", "z"]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(text(&output.stderr).contains("\"z\""), "{}", text(&output.stderr));
    }
    let shown = place.succeed(&["look", "one.csv"]);
    assert!(shown.contains("one.csv: 1 row, 2 columns"), "{shown}");
}
