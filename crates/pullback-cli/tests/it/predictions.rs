//! What `predict` gives for raw rows.

use crate::{Place, text};

fn rows(csv: &str) -> Vec<Vec<String>> {
    csv.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn predictions_stand_in_the_order_of_the_rows() {
    let place = Place::new();
    let iris = place.succeed(&["datasets", "iris"]);
    place.succeed(&["train", "iris", "--epochs", "20", "--quiet"]);
    let mut lines: Vec<&str> = iris.lines().collect();
    place.write("there.csv", lines.join("\n"));
    lines[1..].reverse();
    place.write("back.csv", lines.join("\n"));
    let predict = |name| rows(&place.succeed(&["predict", "model.safetensors", name, "--probabilities"]));
    let (there, mut back) = (predict("there.csv"), predict("back.csv"));
    back[1..].reverse();
    assert_eq!(there, back);
    assert_eq!(there, predict("iris"), "a built-in set is a source like any other");
}

#[test]
fn probabilities_add_up_and_name_the_class() {
    let place = Place::new();
    for (data, classes) in [("iris", 3), ("moons", 2)] {
        place.succeed(&["train", data, "--epochs", "5", "--quiet"]);
        let table = rows(&place.succeed(&["predict", "model.safetensors", data, "--probabilities"]));
        assert_eq!(table[0].len(), 1 + classes);
        for row in &table[1..] {
            let probabilities: Vec<f64> = row[1..].iter().map(|cell| cell.parse().unwrap()).collect();
            // Rounded to f32, as they are computed.
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{row:?}");
            let best = (0..classes).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b])).unwrap();
            assert_eq!(table[0][1 + best], format!("p({})", row[0]), "{row:?}");
        }
    }
}

#[test]
fn a_column_is_read_as_in_training_whatever_it_looks_like() {
    let place = Place::new();
    // Codes that look like numbers, and texts that look like mistakes among numbers.
    let zip = |row: usize| ["01234", "1234", "56789"][row % 3];
    let table: String =
        (0..90).map(|row| format!("{},{}\n", zip(row), if row % 3 == 0 { "yes" } else { "no" })).collect();
    place.write("train.csv", format!("zip,t\n{table}"));
    place.succeed(&["train", "train.csv", "--target", "t", "--type", "zip=categorical", "--quiet"]);
    let table: String = (0..90).map(|row| format!("{}\n", zip(row))).collect();
    place.write("new.csv", format!("zip\n{table}"));
    let output = place.run(&["predict", "model.safetensors", "new.csv"]);
    assert_eq!(text(&output.stderr), "", "every code is known");
    let predicted = text(&output.stdout);
    assert!(
        predicted.lines().skip(1).enumerate().all(|(row, class)| (class == "yes") == (row % 3 == 0)),
        "{predicted}"
    );

    let size = |row: usize| if row.is_multiple_of(4) { "S".to_owned() } else { (36 + row % 5).to_string() };
    let table: String = (0..90)
        .map(|row| format!("{},{}\n", size(row), if row.is_multiple_of(4) { "yes" } else { "no" }))
        .collect();
    place.write("train.csv", format!("size,t\n{table}"));
    place.succeed(&["train", "train.csv", "--target", "t", "--quiet"]);
    let table: String =
        (0..300).map(|row| if row == 7 { "S\n".to_owned() } else { format!("{}\n", 36 + row % 5) }).collect();
    place.write("new.csv", format!("size\n{table}"));
    let predicted = place.succeed(&["predict", "model.safetensors", "new.csv"]);
    assert_eq!(predicted.lines().filter(|&class| class == "yes").count(), 1, "{predicted}");
}

#[test]
fn a_missing_cell_is_filled_as_in_training() {
    let place = Place::new();
    let table: String = (0..60).map(|row| format!("{},{},{}\n", row % 7, row % 3, row % 2)).collect();
    place.write("train.csv", format!("a,b,t\n{table}"));
    place.succeed(&[
        "train",
        "train.csv",
        "--target",
        "t",
        "--epochs",
        "5",
        "--quiet",
        "--imputation",
        "median",
    ]);
    place.write("gap.csv", "a,b\n,1\n,2\n").write("full.csv", "a,b\n3,1\n3,2\n");
    let predict = |name| place.succeed(&["predict", "model.safetensors", name, "--probabilities"]);
    assert_eq!(predict("gap.csv"), predict("full.csv"));
}

#[test]
fn predictions_are_the_same_on_any_number_of_threads() {
    let place = Place::new();
    place.succeed(&["train", "friedman", "--epochs", "3", "--quiet"]);
    let predict =
        |threads| place.succeed(&["predict", "model.safetensors", "friedman", "--threads", threads]);
    let one = predict("1");
    assert_eq!(one.lines().count(), 1001);
    assert!(one == predict("2") && one == predict("7"));
}

#[test]
fn a_dash_is_standard_output() {
    let place = Place::new();
    place.succeed(&["train", "xor", "--epochs", "2", "--quiet"]);
    let files = place.files();
    let shown = place.succeed(&["predict", "model.safetensors", "xor", "--out", "-"]);
    assert_eq!((shown.lines().count(), place.files()), (5, files));
}
