//! What works, and keeps its promises.

use crate::{Place, text, without_linear};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::process::Stdio;

#[test]
fn what_is_held_out_is_decided_by_a_file_by_groups_or_by_time() {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    let iris = String::from_utf8(place.read("iris.csv")).unwrap();
    let (header, rows) = iris.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let some = |keep: &dyn Fn(usize) -> bool| -> String {
        let kept = rows.iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, row)| format!("{row}\n"));
        std::iter::once(format!("{header}\n")).chain(kept).collect()
    };
    place.write("now.csv", some(&|at| at % 4 > 0)).write("later.csv", some(&|at| at % 4 == 0));
    let told = ["train", "now.csv", "--target", "species", "--epochs", "30", "--early-stopping", "5"];
    let apart = [&told[..], &["--validation-data", "later.csv"]].concat();
    let said = place.succeed(&apart);
    assert!(said.contains("90 to train on, 38 of later.csv for validation, 22 to test on"), "{said}");
    let json = place.json(&[&apart[..], &["--json"]].concat());
    assert!(json["history"]["epochs"][0]["validation_cost"].is_number(), "{json}");
    // The validation cost is the cost of these rows.
    let kept = json["history"]["kept_epoch"].as_u64().unwrap() as usize;
    let evaluated = place.json(&["evaluate", "model.safetensors", "later.csv", "--json"]);
    let (own, other) = (
        json["history"]["epochs"][kept]["validation_cost"].as_f64().unwrap(),
        evaluated["report"]["log_loss"].as_f64().unwrap(),
    );
    assert!((own - other).abs() < 1e-5, "{own} and {other}");
    let ensemble = place.succeed(&[&apart[..], &["--ensemble", "2"]].concat());
    assert!(ensemble.contains("90 to train on, 38 of later.csv for validation"), "{ensemble}");
    let refused = |more: &[&str], part: &str| {
        let output = place.run(&[&told[..], more].concat());
        let message = crate::text(&output.stderr);
        assert!(output.status.code() == Some(2) && message.contains(part), "{message}");
    };
    refused(&["--validation-data", "later.csv", "--validation", "0.2"], "both say what to watch training by");
    refused(&["--group", "nothing"], "nothing");
    refused(&["--time-order", "species"], "has no order in time");
    refused(&["--time-order", "petal_width", "--group", "petal_length"], "both say which rows are held out");
    // A run that goes on is watched by the same rows.
    place.succeed(&[&apart[..], &["--checkpoint", "run", "--out", "a", "--quiet"]].concat());
    place.succeed(&["train", "--resume", "run", "--out", "b", "--quiet"]);
    assert!(place.read("a") == place.read("b"));
    place.write("later.csv", some(&|at| at % 4 == 1));
    let output = place.run(&["train", "--resume", "run", "--quiet"]);
    assert!(crate::text(&output.stderr).contains("of another run"), "{}", crate::text(&output.stderr));

    let patients = rows.iter().enumerate().map(|(at, row)| format!("{row},p{},{}\n", at % 23, at * 7 % 150));
    place.write("groups.csv", format!("{header},patient,day\n{}", patients.collect::<String>()));
    let told =
        ["train", "groups.csv", "--target", "species", "--epochs", "3", "--validation", "0.2", "--json"];
    let held_out = |more: &[&str]| {
        let report = place.json(&[&told[..], more].concat());
        let document = place.json(&["inspect", "model.safetensors", "--json"]);
        let features = document["preprocessing"]["features"].as_array().unwrap();
        let names: Vec<String> =
            features.iter().map(|feature| feature["name"].as_str().unwrap().to_owned()).collect();
        (report, names)
    };
    let (report, names) = held_out(&["--group", "patient"]);
    assert!(!names.contains(&"patient".to_owned()), "{names:?}");
    let (test, validation) =
        (report["test_rows"].as_u64().unwrap(), report["validation_rows"].as_u64().unwrap());
    assert!((20..=40).contains(&test) && (15..=35).contains(&validation), "{test} and {validation}");
    held_out(&["--group", "patient", "--ensemble", "3"]);
    let said =
        place.succeed(&["train", "groups.csv", "--target", "species", "--epochs", "3", "--group", "patient"]);
    assert!(said.contains("; no \"patient\" is on both sides"), "{said}");
    let (report, names) = held_out(&["--time-order", "day", "--type", "day=numeric"]);
    assert_eq!((report["test_rows"].as_u64(), report["validation_rows"].as_u64()), (Some(30), Some(24)));
    assert!(names.contains(&"day".to_owned()), "{names:?}");
    // The latest fifth of the days, whatever order they stand in.
    let document = place.json(&["inspect", "model.safetensors", "--json"]);
    assert_eq!(document["configuration"]["time_order"], "day");
    let day =
        document["preprocessing"]["features"].as_array().unwrap().iter().find(|own| own["name"] == "day");
    // The training rows are days 0 to 95: their mean is 47.5.
    assert_eq!(day.unwrap()["encoding"]["center"], 47.5);
}

#[test]
fn rows_and_classes_count_as_they_are_told() {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "plain.csv"]);
    let plain = String::from_utf8(place.read("plain.csv")).unwrap();
    let weighted = plain.lines().enumerate().map(|(at, line)| match at {
        0 => format!("{line},exposure\n"),
        _ => format!("{line},{}\n", [0.5, 2.0, 0.0, 3.25][at % 4]),
    });
    place.write("iris.csv", weighted.collect::<String>());
    let told = ["train", "iris.csv", "--target", "species", "--weights", "exposure", "--epochs", "20"];
    let said = place.succeed(&told);
    assert!(said.contains("weights   of rows by \"exposure\"; the costs are weighted"), "{said}");
    assert!(said.contains(" % weighted by \"exposure\" ("), "{said}");
    assert!(said.contains("150 rows, 4 inputs"), "{said}");
    let trained = place.json(&[&told[..], &["--json"]].concat());
    assert_eq!(trained["test"]["weighted_by"], "exposure");
    let evaluated = place.json(&["evaluate", "model.safetensors", "iris.csv", "--held-out", "--json"]);
    assert_eq!(evaluated["report"], crate::without_linear(&trained));
    let shown = place.succeed(&["inspect", "model.safetensors"]);
    assert!(shown.contains("of rows by \"exposure\""), "{shown}");
    // Predictions need no weights, figures do.
    place.succeed(&["predict", "model.safetensors", "plain.csv", "--out", "predictions.csv"]);
    let output = place.run(&["evaluate", "model.safetensors", "plain.csv"]);
    assert!(crate::text(&output.stderr).contains("exposure"), "{}", crate::text(&output.stderr));
    assert_eq!(output.status.code(), Some(1));
    let ledger = place.succeed(&[
        "explain",
        "model.safetensors",
        "iris.csv",
        "--row",
        "3",
        "--rows",
        "2",
        "--lang",
        "en",
    ]);
    assert!(ledger.contains("its weight"), "{ledger}");
    let wrong = String::from_utf8(place.read("iris.csv")).unwrap().replacen("setosa,2\n", "setosa,-2\n", 1);
    place.write("wrong.csv", wrong);
    let output = place.run(&["train", "wrong.csv", "--target", "species", "--weights", "exposure"]);
    let message = crate::text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("row 1") && message.contains("the weight -2 is negative"), "{message}");

    let said = place.succeed(&[
        "train",
        "plain.csv",
        "--target",
        "species",
        "--class-weights",
        "virginica=2,setosa=0.5",
    ]);
    assert!(
        said.contains("weights   of classes: setosa 0.5000, versicolor 1.0000, virginica 2.0000;"),
        "{said}"
    );
    let said = place.succeed(&["train", "plain.csv", "--target", "species", "--class-weights", "balanced"]);
    assert!(
        said.contains("weights   of classes: setosa 1.0000, versicolor 1.0000, virginica 1.0000;"),
        "{said}"
    );
    let shown = place.succeed(&["inspect", "model.safetensors"]);
    assert!(shown.contains("weighted in the cost: balanced"), "{shown}");
}

#[test]
fn training_begins_with_a_model() {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    place.succeed(&[
        "train",
        "iris.csv",
        "--target",
        "species",
        "--ensemble",
        "2",
        "--epochs",
        "20",
        "--quiet",
    ]);
    let old = place.read("model.safetensors");
    let said = place.succeed(&[
        "train",
        "iris.csv",
        "--from",
        "model.safetensors",
        "--epochs",
        "3",
        "--learning-rate",
        "1e-4",
    ]);
    assert!(said.contains("from      model.safetensors (weights "), "{said}");
    assert!(said.contains("trained for 20 epochs on iris.csv"), "{said}");
    assert!(said.contains("saved model-tuned.safetensors"), "{said}");
    assert!(place.read("model.safetensors") == old, "what is read is never replaced");
    let shown = place.succeed(&["inspect", "model-tuned.safetensors"]);
    assert!(shown.contains("from      model.safetensors (weights "), "{shown}");
    let json = place.json(&["inspect", "model-tuned.safetensors", "--json"]);
    assert_eq!(json["began"]["epochs"], 20);
    assert!(json["members"][0]["began"]["hash"] != json["began"]["hash"], "each network has its own weights");
    assert_eq!(json["rows"]["test"], place.json(&["inspect", "model.safetensors", "--json"])["rows"]["test"]);

    // A file whose texts look like numbers is read as in training, and other classes take a new head.
    let text = String::from_utf8(place.read("iris.csv")).unwrap();
    let two = |line: &str| line.replace("virginica", "other").replace("versicolor", "other");
    place.write("two.csv", text.lines().map(|line| two(line) + "\n").collect::<String>());
    let output = place.run(&["train", "two.csv", "--from", "model.safetensors"]);
    let message = crate::text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("class \"other\"") && message.contains("--new-head"), "{message}");
    let report = place.json(&[
        "train",
        "two.csv",
        "--target",
        "species",
        "--from",
        "model.safetensors",
        "--new-head",
        "--epochs",
        "30",
        "--json",
    ]);
    assert!(report["test"]["accuracy"].as_f64().unwrap() > 0.9, "{report}");
    assert_eq!(report["began"]["has_new_head"], true);
    // Checkpoints go with it.
    let tune = ["train", "iris.csv", "--from", "model.safetensors", "--epochs", "4", "--quiet"];
    place.succeed(&[&tune[..], &["--checkpoint", "run", "--out", "a"]].concat());
    place.succeed(&["train", "--resume", "run", "--quiet", "--out", "b"]);
    assert!(place.read("a") == place.read("b"));
    let output =
        place.run(&["train", "iris.csv", "--from", "model.safetensors", "--out", "model.safetensors"]);
    assert!(crate::text(&output.stderr).contains("would be replaced by what is made from it"));
}

#[test]
fn reduced_precision_is_said_stored_and_read_again() {
    let place = Place::new();
    let arguments = ["train", "digits", "--epochs", "3", "--precision", "bf16"];
    let said = place.succeed(&arguments);
    assert!(said.contains("products  bf16, by "), "{said}");
    assert!(place.succeed(&["inspect", "model.safetensors"]).contains("products in bf16"));
    let trained = place.read("model.safetensors");
    let settings = place.succeed(&[&arguments[..], &["--print-config"]].concat());
    assert!(settings.contains("precision = \"bf16\""), "{settings}");
    place.write("again.toml", &settings);
    place.succeed(&["train", "--config", "again.toml", "--quiet"]);
    assert!(place.read("model.safetensors") == trained, "the settings of a run make another model");

    let emulated = |precision: &str| {
        let mut command = place.command(&["train", "digits", "--epochs", "1", "--precision", precision]);
        let output = command.env("PULLBACK_ISA", "amx_emulated").output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(emulated("bf16x3").contains("products  bf16x3, by amx_emulated"));
    assert!(!emulated("f32").contains("products"));
    let output = place.run(&["train", "digits", "--precision", "bf61"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean `bf16`?"), "{}", text(&output.stderr));
}

#[test]
fn a_watched_metric_is_shown_stored_and_read_again() {
    let place = Place::new();
    let arguments = ["train", "digits", "--epochs", "3", "--metric", "macro_f1", "--out", "f1.model"];
    place.succeed(&arguments);
    let inspected = place.succeed(&["inspect", "f1.model"]);
    assert!(inspected.contains("fewer if validation macro_f1 has not improved for 20"), "{inspected}");
    assert!(inspected.contains("macro_f1 0."), "{inspected}");
    let settings = place.succeed(&[&arguments[..], &["--print-config"]].concat());
    assert!(settings.contains("metric = \"macro_f1\""), "{settings}");
}

#[test]
fn the_same_seed_makes_the_same_file_on_any_number_of_threads() {
    let place = Place::new();
    for threads in ["1", "2", "7"] {
        place.succeed(&["train", "--epochs", "3", "--quiet", "--threads", threads, "--out", threads]);
    }
    assert!(place.read("1") == place.read("2") && place.read("1") == place.read("7"));
    place.succeed(&["train", "--epochs", "3", "--quiet", "--seed", "1", "--out", "other"]);
    assert!(place.read("1") != place.read("other"), "another seed makes another model");
}

#[test]
fn printed_settings_train_the_same_model() {
    let place = Place::new();
    let flags =
        ["train", "iris", "--hidden", "6,5", "--activation", "tanh", "--epochs", "3", "--optimizer", "adamw"];
    let more = [
        "--weight-decay",
        "0.02",
        "--l2",
        "0.001",
        "--schedule",
        "one_cycle",
        "--batch",
        "16",
        "--seed",
        "5",
    ];
    let all: Vec<&str> = flags.into_iter().chain(more).collect();
    let with = |extra: &[&'static str]| all.iter().copied().chain(extra.iter().copied()).collect::<Vec<_>>();
    place.write("settings.toml", place.succeed(&with(&["--print-config"])));
    place.succeed(&with(&["--quiet", "--out", "flags"]));
    place.succeed(&["train", "--config", "settings.toml", "--quiet", "--out", "file"]);
    assert!(place.read("flags") == place.read("file"));
    place.succeed(&["train", "--config", "settings.toml", "--seed", "6", "--quiet", "--out", "other"]);
    assert!(place.read("flags") != place.read("other"), "a flag goes before the file");
}

#[test]
fn a_configuration_file_can_list_the_layers() {
    let place = Place::new();
    place.write(
        "net.toml",
        "data = \"digits\"\nepochs = 2\n[network]\nlayers = [\n  { kind = \"dense\", units = 20 },\n  \
         { kind = \"batch_norm\" },\n  { kind = \"activation\", function = \"gelu\" },\n  \
         { kind = \"dropout\", rate = 0.1 },\n  { kind = \"dense\", units = 10 },\n]\n",
    );
    let report = place.json(&["train", "--config", "net.toml", "--json"]);
    assert_eq!(report["layers"][1], "batch norm");
    let shown = place.succeed(&["inspect", "model.safetensors"]);
    for part in ["dense 20", "batch norm", "gelu", "dropout 0.1", "dense 10"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
}

#[test]
fn predictions_measured_by_hand_are_the_evaluation() {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    place.succeed(&["train", "iris.csv", "--target", "species", "--quiet"]);
    let report = place.json(&["evaluate", "model.safetensors", "iris.csv", "--json"]);
    place.succeed(&["predict", "model.safetensors", "iris.csv", "--out", "predictions.csv"]);
    let column = |name: &str| -> Vec<String> {
        let table = text(&place.read(name));
        table.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_owned()).collect()
    };
    let (truth, predicted) = (column("iris.csv"), column("predictions.csv"));
    assert_eq!(truth.len(), predicted.len());
    let right = truth.iter().zip(&predicted).filter(|(truth, predicted)| truth == predicted).count();
    let accuracy = report["report"]["accuracy"].as_f64().unwrap();
    assert!((accuracy - right as f64 / truth.len() as f64).abs() < 1e-12, "{accuracy} for {right} right");
    assert!(accuracy > 0.9);

    // Raw rows without the target, in another order of columns.
    let table = text(&place.read("iris.csv"));
    let turned: String = (table.lines())
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{},{},{},{}\n", cells[3], cells[2], cells[1], cells[0])
        })
        .collect();
    place.write("raw.csv", turned);
    let again = place.succeed(&["predict", "model.safetensors", "raw.csv"]);
    assert_eq!(again, text(&place.read("predictions.csv")));
}

#[test]
fn evaluation_without_data_is_on_the_rows_held_out_in_training() {
    let place = Place::new();
    let trained = place.json(&["train", "iris", "--json"]);
    let evaluated = place.json(&["evaluate", "model.safetensors", "--json"]);
    assert_eq!(without_linear(&trained), evaluated["report"]);
    assert_eq!(evaluated["rows"], 30);
    // A model opens no file: the path is to be given again.
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    let trained = place.json(&["train", "iris.csv", "--target", "species", "--json"]);
    let evaluated = place.json(&["evaluate", "model.safetensors", "iris.csv", "--held-out", "--json"]);
    assert_eq!(without_linear(&trained), evaluated["report"]);
    assert_eq!(place.run(&["evaluate", "model.safetensors"]).status.code(), Some(1));
}

/// An IDX file: magic number, sizes, bytes.
fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    file.extend(bytes);
    file
}

#[test]
fn a_network_of_convolutions_is_trained_explained_and_checked() {
    let place = Place::new();
    place.write(
        "net.toml",
        "data = \"digits\"\nepochs = 3\n[network]\nimage = { height = 8, width = 8 }\nlayers = [\n  \
         { kind = \"convolution\", filters = 6, size = 3, padding = \"same\" },\n  { kind = \"batch_norm\" },\n  \
         { kind = \"activation\", function = \"relu\" },\n  { kind = \"max_pool\", size = 2 },\n  \
         { kind = \"convolution\", filters = 12, size = 3 },\n  { kind = \"activation\", function = \"relu\" },\n  \
         { kind = \"dense\", units = 10 },\n]\n",
    );
    let report = place.json(&["train", "--config", "net.toml", "--learning-rate", "0.01", "--json"]);
    assert!(report["test"]["accuracy"].as_f64().unwrap() > 0.9, "{}", report["test"]);
    let evaluated = place.json(&["evaluate", "model.safetensors", "--json"]);
    assert_eq!(evaluated["report"], without_linear(&report));
    // What is stored trains the same model again.
    place.write("again.toml", place.succeed(&["inspect", "model.safetensors", "--print-config"]));
    place.succeed(&["train", "--config", "again.toml", "--quiet", "--threads", "2", "--out", "again.model"]);
    assert!(place.read("again.model") == place.read("model.safetensors"), "another model");

    let check = |arguments: &[&str], parts: &[&str]| {
        let shown = place.succeed(arguments);
        for part in parts {
            assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
        }
    };
    let model = "model.safetensors";
    check(&["inspect", model], &["images of 8 x 8 x 1", "convolution 12 of 3x3", "12 x 54", "max pool 2x2"]);
    check(
        &["check", model, "--rows", "4", "--samples", "10"],
        &["layers.4.weight", "the gradients are right"],
    );
    check(&["gradients", model, "--rows", "4"], &["[6, 9]", "[12, 54]"]);
    assert_eq!(place.succeed(&["predict", model, "digits"]).lines().count(), 1798);
    let explain = ["explain", model, "digits", "--lang"];
    let page = [
        "Convolution 1: convolution 6 of 3x3, padding same, from 8 x 8 x 1 to 8 x 8 x 6",
        "z = convolution(x, W, 3x3 of 8x8 pixels, zeros around) + b",
        "Pooling 1: max pool 2x2, from 8 x 8 x 6 to 4 x 4 x 6",
        "The dense layers read all 48 numbers",
    ];
    check(&[&explain[..], &["en"]].concat(), &page);
    check(&[&explain[..], &["ko"]].concat(), &["1번 합성곱층", "1번 풀링층"]);
    let markdown = ["en", "--format", "markdown"];
    check(&[&explain[..], &markdown].concat(), &[r"\operatorname{convolution}_{3 \times 3}(x, W)"]);
    check(&[&explain[..], &["en", "--weight", "1.2.3"]].concat(), &["w[1][2,3]"]);
    let images = place.json(&["explain", model, "digits", "--format", "json"])["images"].clone();
    let kinds: Vec<_> = images.as_array().unwrap().iter().map(|layer| &layer["kind"]).collect();
    assert_eq!(kinds, ["convolution", "max_pool", "convolution"]);
}

#[test]
fn a_folder_of_idx_files_is_trained_and_tested_on() {
    let place = Place::new();
    std::fs::create_dir(place.path("images")).unwrap();
    for (part, rows) in [("train", 60), ("t10k", 20)] {
        // Class 0 is bright at the left, class 1 at the right.
        let labels: Vec<u8> = (0..rows).map(|row| row % 2).collect();
        let pixels: Vec<u8> = labels
            .iter()
            .zip(0u8..)
            .flat_map(|(&label, row)| if label == 0 { [200 + row % 50, 10] } else { [row % 30, 220] })
            .collect();
        place.write(&format!("images/{part}-images-idx3-ubyte"), idx(&[u32::from(rows), 1, 2], &pixels));
        place.write(&format!("images/{part}-labels-idx1-ubyte"), idx(&[u32::from(rows)], &labels));
    }
    let report = place.json(&["train", "images", "--json"]);
    assert_eq!((report["training_rows"].as_u64(), report["test_rows"].as_u64()), (Some(60), Some(20)));
    assert_eq!(report["test"]["accuracy"], 1.0);
    let shown = place.succeed(&["inspect", "model.safetensors"]);
    assert!(shown.contains("1 x 2 bytes"), "{shown}");

    // The part to test on is what evaluate and predict take of a folder.
    let evaluated = place.json(&["evaluate", "model.safetensors", "images", "--json"]);
    assert_eq!((&evaluated["report"], &evaluated["rows"]), (&without_linear(&report), &20.into()));
    assert_eq!(place.succeed(&["predict", "model.safetensors", "images"]).lines().count(), 21);

    // Compressed, they are the same images.
    for name in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
        let name = format!("images/{name}-ubyte");
        let mut file = GzEncoder::new(Vec::new(), Compression::default());
        file.write_all(&place.read(&name)).unwrap();
        place.write(&format!("{name}.gz"), file.finish().unwrap());
        std::fs::remove_file(place.path(&name)).unwrap();
    }
    let compressed = place.json(&["train", "images", "--json"]);
    assert_eq!((&compressed["history"], &compressed["test"]), (&report["history"], &report["test"]));
}

#[test]
fn quiet_says_nothing_and_json_nothing_else() {
    let place = Place::new();
    let quiet = place.run(&["train", "xor", "--quiet"]);
    assert_eq!((text(&quiet.stdout), text(&quiet.stderr)), (String::new(), String::new()));
    let json = place.run(&["train", "xor", "--json"]);
    assert_eq!(text(&json.stderr), "");
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["test"]["accuracy"], 1.0);
    assert_eq!(report["is_tested_on_training_rows"], true);
}

#[test]
fn output_that_is_no_terminal_is_plain_and_80_columns_wide() {
    let place = Place::new();
    let mut all = Vec::new();
    let train = place.run(&["train", "--epochs", "30"]);
    assert!(train.status.success());
    all.push(train.stderr);
    all.push(train.stdout);
    for arguments in [
        vec!["inspect", "model.safetensors"],
        vec!["evaluate", "model.safetensors"],
        vec!["datasets"],
        vec!["--help"],
        vec!["train", "--help"],
        vec!["evaluate", "--help"],
        vec!["predict", "--help"],
        vec!["inspect", "--help"],
        vec!["datasets", "--help"],
    ] {
        all.push(place.succeed(&arguments).into_bytes());
    }
    for output in all {
        let output = text(&output);
        assert!(!output.contains('\u{1b}') && !output.contains('\r'), "escape codes in {output}");
        for line in output.lines() {
            assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        }
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let place = Place::new();
    let mut child =
        place.command(&["datasets", "digits"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success(), "{:?}", output.status);
}

#[test]
fn a_table_without_header_with_gaps_and_texts_is_learnt() {
    let place = Place::new();
    let mut file = std::fs::File::create(place.path("gaps.csv")).unwrap();
    for row in 0..200 {
        let (color, size) = (["red", "green", "blue"][row % 3], row % 10);
        let gap = if row % 11 == 0 { String::new() } else { size.to_string() };
        writeln!(file, "\"{color}, or so\";{gap};{}", if row % 3 == 0 || size > 6 { "yes" } else { "no" })
            .unwrap();
    }
    drop(file);
    let report = place.json(&["train", "gaps.csv", "--target", "c3", "--json", "--header=false"]);
    assert!(report["test"]["accuracy"].as_f64().unwrap() > 0.85, "{}", report["test"]);
}

#[test]
fn an_ensemble_is_trained_predicts_and_is_looked_into_network_by_network() {
    let place = Place::new();
    let arguments = ["train", "friedman", "--ensemble", "3", "--epochs", "3", "--out", "three"];
    let report = place.succeed(&arguments);
    assert!(report.contains("ensemble  3 networks; the mean of what they predict"), "{report}");
    assert!(report.contains("a network has not seen: R2"), "{report}");
    let settings = place.succeed(&[&arguments[..], &["--print-config"]].concat());
    for line in ["ensemble = 3", "pieces = 8", "scaling = \"adaptive\"", "optimizer = \"adamw\""] {
        assert!(settings.contains(line), "`{line}` is not in:\n{settings}");
    }
    place.write("again.toml", settings.replace("three", "again"));
    place.succeed(&["train", "--config", "again.toml", "--quiet", "--threads", "1"]);
    assert!(place.read("three") == place.read("again"), "the settings of a run make another model");
    let document = place.json(&[&arguments[..], &["--json"]].concat());
    assert_eq!(document["networks"].as_array().map(Vec::len), Some(3));
    assert!(document["out_of_fold"]["rows"].as_u64() > Some(200), "{}", document["out_of_fold"]);
    assert!(place.succeed(&["inspect", "three"]).contains("3 networks, whose predictions are averaged"));

    let all = place.run(&["explain", "three", "--row", "2", "--format", "json"]);
    assert!(text(&all.stderr).contains("holds 3 networks"), "{}", text(&all.stderr));
    let page = |member: &str| place.succeed(&["explain", "three", "--row", "2", "--member", member]);
    assert!(page("1") != page("2"));
    place.succeed(&["check", "three", "--member", "3", "--samples", "5"]);
    let output = place.run(&["gradients", "three", "--member", "4"]);
    assert!(text(&output.stderr).contains("choose from 1 to 3"), "{}", text(&output.stderr));
}

/// The page of an ensemble's network ends with what the model predicts: the mean of all networks, evaluated.
#[test]
fn the_page_of_a_network_of_an_ensemble_ends_with_the_mean() {
    let place = Place::new();
    place.run(&["train", "iris", "--ensemble", "3", "--epochs", "3", "--quiet"]);
    let rows = place.succeed(&["predict", "model.safetensors", "iris", "--probabilities"]);
    let seventh: Vec<f64> =
        rows.lines().nth(7).unwrap().split(',').filter_map(|cell| cell.parse().ok()).collect();
    assert_eq!(seventh.len(), 3, "{rows}");
    for lang in ["en", "ko"] {
        let explained =
            ["explain", "model.safetensors", "iris", "--row", "7", "--member", "2", "--lang", lang];
        let page = place.succeed(&explained);
        let end = place.succeed(&[&explained[..], &["--section", "ensemble"]].concat());
        assert!(page.ends_with(&end), "{page}");
        let means: Vec<f64> = (end.lines().filter(|line| line.trim_start().starts_with("mean = ")))
            .map(|line| {
                let (sum, parts) = (line.rsplit(" = ").next().unwrap(), line.split(" = ").nth(1).unwrap());
                assert!(
                    parts.starts_with('(') && parts.ends_with(" / 3") && parts.matches(" + ").count() == 2
                );
                sum.parse().unwrap()
            })
            .collect();
        assert_eq!(means.len(), 3, "{end}");
        for (mean, predicted) in means.iter().zip(&seventh) {
            assert!((mean - predicted).abs() < 1e-4, "{end}: {seventh:?}");
        }
    }
}
