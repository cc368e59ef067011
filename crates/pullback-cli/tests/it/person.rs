//! The command as a person meets it: is it any good, what happens when one stops it, names, widths.

use crate::{Place, text};

/// A table of rows.
fn table(header: &str, rows: usize, row: impl Fn(usize) -> String) -> String {
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

/// A number that has no pattern.
fn noise(row: usize) -> f64 {
    (row as f64 * row as f64 * 0.754_877_666_2 + row as f64 * 0.569_840_290_998).fract()
}

#[test]
fn a_network_no_better_than_always_the_same_answer_is_told_so() {
    let place = Place::new();
    let rare = |row: usize| format!("{:.4},{:.4},{}", noise(row), noise(row + 7777), u8::from(row % 50 == 3));
    place.write("rare.csv", table("a,b,y", 500, rare));
    let report = place.json(&["train", "rare.csv", "--target", "y", "--epochs", "30", "--json"]);
    let baselines = &report["test"]["baselines"];
    assert_eq!(
        (&baselines[0]["kind"], &baselines[0]["words"], &baselines[0]["accuracy"]),
        (&"constant".into(), &"always \"0\"".into(), &0.98.into())
    );
    assert_eq!(baselines[1]["kind"], "linear");
    let remark = report["remarks"][0].as_str().unwrap();
    assert!(remark.starts_with("the network is no better than always \"0\" (98.00 %)"), "{remark}");
    for command in [
        &["train", "rare.csv", "--target", "y", "--epochs", "30"][..],
        &["evaluate", "model.safetensors", "rare.csv"],
    ] {
        let shown = place.succeed(command);
        assert!(shown.contains("to beat: always \"0\"") && shown.contains("is no better than"), "{shown}");
    }
    // The quiet one is warned.
    let output = place.run(&["train", "rare.csv", "--target", "y", "--epochs", "30", "--quiet"]);
    assert!(text(&output.stderr).contains("warning: the network is no better"), "{}", text(&output.stderr));
}

#[test]
fn a_straight_line_is_found_by_the_linear_model_and_a_circle_is_not() {
    let place = Place::new();
    let line = |row: usize| format!("{:.4},{:.4}", noise(row), 1e6 + 3.0 * noise(row));
    place.write("line.csv", table("x,y", 100, line));
    let report = place.json(&["train", "line.csv", "--target", "y", "--epochs", "2", "--json"]);
    let target = &report["test"]["targets"][0];
    let r2 = |figures: &serde_json::Value| figures["r2"].as_f64().unwrap();
    assert!(r2(&target["baselines"][0]).abs() < 1e-9 && r2(&target["baselines"][1]) > 0.99, "{target}");
    assert!(report["remarks"][0].as_str().unwrap().contains("linear regression"), "{}", report["remarks"]);
    let shown = place.succeed(&["train", "line.csv", "--target", "y", "--epochs", "2"]);
    assert!(shown.contains("always the mean, 1000") && shown.contains("  linear regression"), "{shown}");

    let report = place.json(&["train", "moons", "--json"]);
    assert_eq!(report["remarks"], serde_json::json!([]), "{}", report["test"]);
    // A network without hidden layers is the linear model itself.
    let report = place.json(&["train", "moons", "--hidden", "none", "--epochs", "3", "--json"]);
    assert_eq!(report["test"]["baselines"].as_array().unwrap().len(), 1);
}

#[test]
fn flags_are_found_by_the_names_that_other_programs_give_them() {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    let ours = [
        "train",
        "iris.csv",
        "--target",
        "species",
        "--learning-rate",
        "0.02",
        "--epochs",
        "3",
        "--batch",
        "16",
        "--activation",
        "silu",
        "--cost",
        "softmax_cross_entropy",
        "--header=true",
        "--seed",
        "4",
        "--hidden",
        "9",
    ];
    let theirs = [
        "train",
        "iris.csv",
        "--label",
        "species",
        "--lr",
        "0.02",
        "--epoch",
        "3",
        "--batch-size",
        "16",
        "--act",
        "Swish",
        "--loss",
        "cross-entropy",
        "--header",
        "true",
        "--random-state",
        "4",
        "--hidden-units",
        "9",
    ];
    place.succeed(&[&ours[..], &["--quiet", "--out", "ours"]].concat());
    place.succeed(&[&theirs[..], &["--quiet", "--out", "theirs"]].concat());
    assert!(place.read("ours") == place.read("theirs"));
    place.write(
        "other.toml",
        "data = \"iris.csv\"\ntarget = \"petal_width\"\nlr = 0.02\nbatch_size = 16\nloss = \"mse\"\n",
    );
    let settings =
        place.succeed(&["train", "--config", "other.toml", "--print-config", "--target", "petal_width"]);
    for line in ["learning_rate = 0.02", "batch = 16", "cost = \"squared_error\""] {
        assert!(settings.contains(line), "`{line}` is not in:\n{settings}");
    }
    let help = place.succeed(&["train", "--help"]);
    assert!(!help.contains("--lr") && !help.contains("swish") && !help.contains(" mse"), "{help}");
    for (flag, answer) in [
        ("--hidden-layers", "`--hidden UNITS,...`"),
        ("--alpha", "`--l2 STRENGTH`"),
        ("--n-jobs", "`--threads"),
    ] {
        let output = place.run(&["train", "iris", flag, "2"]);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2));
        assert!(message.contains(answer), "{message}");
    }
}

#[test]
fn a_run_that_goes_wrong_late_keeps_the_epoch_before() {
    let place = Place::new();
    let arguments = [
        "train",
        "iris",
        "--optimizer",
        "sgd",
        "--schedule",
        "exponential",
        "--schedule-factor",
        "1",
        "--epochs",
        "400",
        "--cost",
        "squared_error",
        "--task",
        "classes",
        "--hidden",
        "8,8",
        "--learning-rate",
    ];
    // Some rate diverges after an epoch or more.
    let found = (0..40).find_map(|step| {
        let rate = format!("{:.3}", 0.5 * 1.15_f64.powi(step));
        let output = place.run(&[&arguments[..], &[&rate]].concat());
        let message = text(&output.stderr);
        let is_late =
            message.contains("is not a finite number") && message.contains("the model is that of epoch");
        is_late.then_some((output, message))
    });
    let (output, message) = found.expect("some rate diverges late");
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("try a lower learning rate"), "{message}");
    assert!(text(&output.stdout).contains("saved model.safetensors"), "{}", text(&output.stdout));
    let shown = place.succeed(&["inspect", "model.safetensors"]);
    assert!(shown.contains("the cost was no finite number"), "{shown}");
    place.succeed(&["predict", "model.safetensors", "iris", "--out", "p.csv"]);
}

#[test]
fn pages_are_as_wide_as_the_terminal() {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    for (width, commands) in [("60", 60), ("80", 80)] {
        for command in [
            &["train", "iris.csv", "--target", "species", "--epochs", "5"][..],
            &["train", "digits", "--epochs", "2", "--out", "digits.model"],
            &["train", "friedman", "--epochs", "2", "--out", "friedman.model"],
            &["inspect", "digits.model"],
            &["look", "iris.csv", "--target", "species"],
            &["evaluate", "friedman.model"],
        ] {
            let output = place.command(command).env("COLUMNS", width).output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
            let shown = text(&output.stdout);
            // What is to be typed stays in one line.
            let lines = shown.lines().filter(|line| !line.starts_with("  pullback "));
            let longest = lines.max_by_key(|line| line.chars().count()).unwrap();
            assert!(longest.chars().count() <= commands, "{command:?}: {longest}");
        }
    }
}

#[test]
fn many_classes_are_shown_by_the_worst() {
    let place = Place::new();
    let row = |row: usize| format!("{},{:.3},c{:02}", row % 40, noise(row), row % 40);
    place.write("many.csv", table("a,b,y", 400, row));
    let shown = place.succeed(&["train", "many.csv", "--target", "y", "--epochs", "3"]);
    assert!(
        shown.contains("the 20 of 40 classes with the lowest F1") && shown.contains("and 20 more"),
        "{shown}"
    );
    assert!(shown.lines().count() < 75, "{shown}");
}

#[test]
fn explain_calls_inputs_by_their_names_and_shows_the_cells() {
    let place = Place::new();
    let row = |row: usize| {
        format!("{},{:.2},{:.1}", ["S", "C", "Q"][row % 3], 10.0 * noise(row), 1000.0 + 50.0 * noise(row))
    };
    place.write("ship.csv", table("Embarked,Fare,Price", 60, row));
    place.succeed(&["train", "ship.csv", "--target", "Price", "--hidden", "4", "--epochs", "3", "--quiet"]);
    let page = place.succeed(&["explain", "model.safetensors", "ship.csv", "--row", "2", "--lang", "en"]);
    let fare = format!("{:.2}", 10.0 * noise(1));
    for part in ["row 2 of ship.csv", "Embarked=C", "Fare", fare.trim_end_matches('0'), "in its own unit"] {
        assert!(page.contains(part), "`{part}` is not in:\n{page}");
    }
    let price = format!("{:.1}", 1000.0 + 50.0 * noise(1));
    assert!(page.contains(price.trim_end_matches(".0")), "{price} is not in:\n{page}");
    let page =
        place.succeed(&["explain", "model.safetensors", "ship.csv", "--weight", "1.0.1", "--lang", "en"]);
    assert!(page.contains("from unit 1 (Embarked=Q)"), "{page}");
    // Of a file that the model was trained on, the rows held out; of built-in data they are found without.
    let held = place.succeed(&[
        "explain",
        "model.safetensors",
        "ship.csv",
        "--held-out",
        "--row",
        "12",
        "--lang",
        "en",
    ]);
    assert!(held.contains("row 12 of ship.csv"), "{held}");
    assert_eq!(
        place.run(&["explain", "model.safetensors", "ship.csv", "--held-out", "--row", "13"]).status.code(),
        Some(2)
    );
    place.succeed(&["train", "iris", "--epochs", "2", "--quiet"]);
    assert!(place.succeed(&["explain", "model.safetensors", "--lang", "en"]).contains("row 1 of iris"));
}

#[test]
fn kept_cells_and_labels_come_out_as_they_were_written() {
    let place = Place::new();
    let row =
        |row: usize| format!("{:04},\"1.{:03},50\",2021-01-{:02},0{}", row, row * 3, row % 28 + 1, row % 2);
    place.write("odd.csv", table("nr,amount,day,zip", 60, row));
    place.succeed(&["train", "odd.csv", "--target", "zip", "--epochs", "2", "--quiet"]);
    let written = place.succeed(&["predict", "model.safetensors", "odd.csv", "--keep", "nr,amount,day"]);
    let lines: Vec<&str> = written.lines().collect();
    assert!(lines[3].starts_with("0002,\"1.006,50\",2021-01-03,0"), "{}", lines[3]);
    let input = std::fs::File::open(place.path("odd.csv")).unwrap();
    let mut command = place.command(&["predict", "model.safetensors", "-", "--keep", "nr,amount,day"]);
    assert_eq!(text(&command.stdin(input).output().unwrap().stdout), written);
}

#[test]
fn look_and_train_decide_the_same() {
    let place = Place::new();
    let row = |row: usize| {
        format!("{row},N{row},{},{:.3},{},{}", ["u", "v"][row % 2], noise(row), row % 7, ["a", "b"][row % 2])
    };
    place.write("t.csv", table("id,name,side,x,k,y", 80, row));
    let look = place.json(&["look", "t.csv", "--target", "y", "--json"]);
    let train = place.json(&["train", "t.csv", "--target", "y", "--epochs", "1", "--json"]);
    let columns = train["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 6);
    for (seen, decided) in look["columns"].as_array().unwrap().iter().zip(columns) {
        for key in ["name", "kind", "reason", "becomes"] {
            assert_eq!(seen[key], decided[key], "{seen}");
        }
    }
    let concerns = train["concerns"].to_string();
    assert!(
        concerns.contains("alone decides the target") && concerns.contains("--ignore 'side'"),
        "{concerns}"
    );
    let shown = place.succeed(&["train", "t.csv", "--target", "y", "--epochs", "1"]);
    assert!(shown.contains("2 left out"), "{shown}");
}

#[test]
fn columns_that_give_the_target_away_are_named_with_the_flag_to_type() {
    let place = Place::new();
    let concerns = |content: String| {
        place.write("t.csv", content);
        let report = place.json(&["train", "t.csv", "--target", "y", "--epochs", "1", "--json"]);
        let words = report["concerns"].as_array().unwrap().iter();
        words.map(|concern| format!("{}: {}", concern["column"], concern["words"])).collect::<Vec<_>>()
    };
    let amount = |row: usize| 1.0 + 100.0 * noise(row);
    let root = |row: usize| format!("{:.6},{:.3},{:.4}", amount(row).sqrt(), noise(row + 99), amount(row));
    let found = concerns(table("root,other,y", 80, root));
    assert!(found.len() == 1 && found[0].contains("in the order of the target"), "{found:?}");
    assert!(found[0].contains("`--ignore 'root'`"), "{found:?}");

    let threshold =
        |row: usize| format!("{:.4},{:.3},{}", noise(row), noise(row + 99), u8::from(noise(row) > 0.4));
    let found = concerns(table("score,other,y", 80, threshold));
    assert!(found.len() == 1 && found[0].contains("separates the classes"), "{found:?}");

    let tier = |row: usize| format!("t{},{:.3},{}", row % 4, noise(row), 10.5 * (row % 4) as f64);
    let found = concerns(table("tier,other,y", 80, tier));
    assert!(found.iter().any(|words| words.contains("tier") && words.contains("alone decides")), "{found:?}");

    // What only goes along with the target gives nothing away.
    let near = |row: usize| {
        format!("{:.4},{:.3},{:.4}", noise(row) + 0.1 * noise(row + 5), noise(row + 99), noise(row))
    };
    assert_eq!(concerns(table("near,other,y", 80, near)), Vec::<String>::new());
}

#[test]
fn a_short_run_shows_no_progress_without_a_terminal() {
    let place = Place::new();
    let output = place.run(&["train", "iris", "--epochs", "400"]);
    // A line after a second, the next after two more, and so on, however slow the machine.
    let lines = text(&output.stderr).lines().filter(|line| line.starts_with("epoch ")).count();
    assert!(output.status.success() && lines < 6, "{}", text(&output.stderr));
}
