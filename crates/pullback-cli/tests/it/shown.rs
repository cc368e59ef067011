//! What the command shows of models and settings, and that it is true.

use crate::{Place, text};

/// Trains with the given arguments, and again with the settings that the model file tells.
fn check_trains_again(place: &Place, arguments: &[&str]) -> String {
    let train = ["train"].iter().chain(arguments).chain(&["--quiet", "--out", "first"]).copied();
    place.succeed(&train.collect::<Vec<_>>());
    let settings = place.succeed(&["inspect", "first", "--print-config"]);
    place.write("again.toml", &settings);
    place.succeed(&["train", "--config", "again.toml", "--quiet", "--out", "second"]);
    assert!(place.read("first") == place.read("second"), "{arguments:?} is not the same with:\n{settings}");
    settings
}

#[test]
fn the_settings_in_a_model_train_it_again() {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "my iris.csv"]);
    place.write(
        "net.toml",
        "[network]\nlayers = [{ kind = \"dense\", units = 5, initializer = \"zeros\" }, { kind = \"layer_norm\" },\n\
         { kind = \"activation\", function = \"leaky_relu:0.3\" }, { kind = \"dense\", units = 3, l2 = 0.125 }]\n",
    );
    for arguments in [
        &["xor"][..],
        &["iris", "--hidden", "none"],
        &[
            "my iris.csv",
            "--target",
            "species",
            "--ignore",
            "petal_width",
            "--type",
            "petal_length=categorical",
        ],
        &[
            "my iris.csv",
            "--target",
            "petal_width,petal_length",
            "--ignore",
            "species",
            "--test-data",
            "my iris.csv",
        ],
        &["iris", "--optimizer", "lbfgs", "--tolerance", "0.001", "--l2", "0.01"],
        &["iris", "--batch", "8", "--accumulate", "3", "--ema", "0.9"],
        &["iris", "--config", "net.toml", "--learning-rate", "0.0123456789", "--seed", "9223372036854775807"],
        &[
            "friedman",
            "--scaling",
            "min_max",
            "--cost",
            "huber:0.7",
            "--clip-norm",
            "0.1",
            "--dropout",
            "0.1",
        ],
        &[
            "moons",
            "--batch-norm",
            "--layer-norm",
            "--activation",
            "elu:0.5",
            "--initializer",
            "uniform:0.12",
        ],
        &["blobs", "--early-stopping", "2", "--task", "classes", "--imputation", "median", "--shuffle=false"],
        &["wine", "--l1", "0.01", "--l2", "0.1", "--divide-by-batch", "--batch", "full", "--test", "0.5"],
    ] {
        let epochs = ["--epochs", "3"];
        check_trains_again(&place, &arguments.iter().chain(&epochs).copied().collect::<Vec<_>>());
    }
    for optimizer in ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad"] {
        check_trains_again(&place, &["iris", "--epochs", "3", "--optimizer", optimizer]);
    }
    for schedule in ["constant", "step", "exponential", "cosine", "one_cycle", "plateau"] {
        check_trains_again(
            &place,
            &["iris", "--epochs", "3", "--schedule", schedule, "--warmup-epochs", "0.5"],
        );
    }
}

#[test]
fn printed_settings_leave_nothing_open() {
    let place = Place::new();
    let settings = check_trains_again(&place, &["iris", "--epochs", "3"]);
    let expected = r#"data = "iris"
scaling = "standardize"
imputation = "mean"
test = 0.2
validation = 0.0
hidden = "32,32"
activation = "relu"
cost = "softmax_cross_entropy"
epochs = 3
batch = 32
optimizer = "adam"
learning_rate = 0.01
schedule = "cosine"
early_stopping = 0
shuffle = true
seed = 0
"#;
    assert_eq!(settings, expected);
    assert_eq!(place.succeed(&["train", "iris", "--epochs", "3", "--print-config"]), expected);
    let with_place =
        place.succeed(&["train", "iris", "--epochs", "3", "--print-config", "--out", "x", "--threads", "2"]);
    assert_eq!(with_place, format!("{expected}threads = 2\nout = \"x\"\n"));
}

#[test]
fn inspect_shows_layers_columns_and_training() {
    let place = Place::new();
    let mut table = String::from("id,size,color,constant,t\n");
    for row in 0..120 {
        let size = if row % 10 == 3 { String::new() } else { (row % 8).to_string() };
        let color = ["red", "green", ""][row % 3];
        let class = if row % 8 > 3 { "large" } else { "small" };
        table.push_str(&format!("name {row},{size},{color},7,{class}\n"));
    }
    place.write("things.csv", table);
    let train =
        ["train", "things.csv", "--target", "t", "--hidden", "8,4", "--batch-norm", "--dropout", "0.25"];
    let more = ["--epochs", "4", "--optimizer", "momentum", "--l2", "0.001", "--clip-norm", "5", "--quiet"];
    let output = place.run(&train.into_iter().chain(more).collect::<Vec<_>>());
    let warnings = text(&output.stderr);
    assert!(
        warnings.lines().count() == 4
            && ["\"id\"", "\"size\"", "\"constant\"", "no better than always"]
                .iter()
                .all(|name| warnings.contains(name)),
        "{warnings}"
    );
    let shown = place.succeed(&["inspect", "model.safetensors"]);
    assert_eq!(shown, include_str!("inspect.txt"), "inspect.txt should be, if this is right:\n{shown}");
}

#[test]
fn what_is_left_out_is_told_even_if_quiet() {
    let place = Place::new();
    let rows: String = (0..120).map(|row| format!("name {row},{},{}\n", row % 5, row % 2)).collect();
    place.write("things.csv", format!("id,size,t\n{rows}"));
    let output = place.run(&["train", "things.csv", "--target", "t", "--epochs", "2", "--json"]);
    let warning = text(&output.stderr);
    assert!(
        warning.starts_with("warning: column \"id\" is left out: ") && warning.lines().count() == 1,
        "{warning}"
    );
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["left_out"][0][0], "id");
    let output = place.run(&["train", "things.csv", "--target", "t", "--epochs", "2", "--quiet"]);
    let said = format!("{warning}warning: the network is no better than always \"0\" (50.00 %)\n");
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), said));
}

#[test]
fn json_is_all_that_stands_on_standard_output() {
    let place = Place::new();
    assert_eq!(place.json(&["train", "iris", "--epochs", "2", "--json"])["version"], 1);
    let evaluated = place.json(&["evaluate", "model.safetensors", "--json"]);
    assert_eq!((&evaluated["version"], &evaluated["rows"]), (&1.into(), &30.into()));
    assert_eq!(place.json(&["evaluate", "model.safetensors", "iris", "--json"])["rows"], 150);
    assert_eq!(place.json(&["inspect", "model.safetensors", "--json"])["training"]["epochs"], 2);
    assert_eq!(place.json(&["datasets", "--json"])[0]["name"], "digits");
}

#[test]
fn evaluating_on_the_training_data_is_warned_of() {
    let place = Place::new();
    place.succeed(&["train", "iris", "--epochs", "2", "--quiet"]);
    let output = place.run(&["evaluate", "model.safetensors", "iris"]);
    assert_eq!(
        text(&output.stderr),
        "warning: 120 of these 150 rows were trained on; `--held-out` takes the others\n"
    );
    for arguments in
        [&["evaluate", "model.safetensors"][..], &["evaluate", "model.safetensors", "iris", "--held-out"]]
    {
        assert_eq!(text(&place.run(arguments).stderr), "");
        assert!(place.succeed(arguments).contains("iris: 30 rows, held out from training"));
    }
}

#[test]
fn help_names_every_setting() {
    let place = Place::new();
    let help = place.succeed(&["train", "--help"]);
    let settings =
        place.succeed(&["train", "iris", "--epochs", "3", "--print-config", "--threads", "1", "--out", "x"]);
    for line in settings.lines().filter(|line| !line.starts_with("data")) {
        let flag = format!("--{}", line.split(" = ").next().unwrap().replace('_', "-"));
        assert!(help.contains(&flag), "{flag} is not in:\n{help}");
    }
    assert!(help.contains("PULLBACK_ISA"));
}

#[test]
fn a_run_that_moves_no_weight_says_so() {
    let place = Place::new();
    let warnings = |rate: &str| {
        let output = place.run(&["train", "iris", "--epochs", "1", "--learning-rate", rate, "--quiet"]);
        assert!(output.status.success());
        text(&output.stderr)
    };
    assert!(warnings("1e-30").contains("warning: no weight changed"), "{}", warnings("1e-30"));
    assert!(!warnings("0.01").contains("no weight changed"));
}
