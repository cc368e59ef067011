//! What goes wrong: one message that says what, where and what to do; an exit code; nothing half-written.

use crate::{Place, text};

const USAGE: i32 = 2;
const FAILURE: i32 = 1;

/// Runs what must fail, checks its form, and returns the message.
fn fail(place: &Place, arguments: &[&str], code: i32) -> String {
    let before = place.files();
    let output = place.run(arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert_eq!(message.matches("error: ").count(), 1, "one message: {message}");
    assert!(!message.contains("panicked") && !message.contains("bug"), "{message}");
    assert_eq!(text(&output.stdout), "", "a failure prints nothing to standard output");
    assert_eq!(place.files(), before, "nothing is left behind by {arguments:?}");
    message
}

/// Runs what must fail; the message has all of `parts`.
fn check(place: &Place, arguments: &[&str], code: i32, parts: &[&str]) {
    let message = fail(place, arguments, code);
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in the message of {arguments:?}:\n{message}");
    }
}

fn iris(place: &Place) {
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
}

#[test]
fn misspelt_words_are_usage_errors_that_offer_the_nearest() {
    let place = Place::new();
    iris(&place);
    check(&place, &["trian"], USAGE, &["trian", "train"]);
    check(&place, &["train", "--lerning-rate", "1"], USAGE, &["--learning-rate"]);
    check(&place, &["train", "--optimizer", "adamm"], USAGE, &["adamm", "`adam`"]);
    check(&place, &["train", "--activation", "rellu"], USAGE, &["rellu", "`relu`"]);
    check(&place, &["train", "--schedule", "cosin"], USAGE, &["cosin", "`cosine`"]);
    check(&place, &["train", "--cost", "squared_eror"], USAGE, &["squared_error"]);
    check(&place, &["train", "digit"], USAGE, &["digit", "`digits`"]);
    check(&place, &["train", "iris.csv", "--target", "spezies"], USAGE, &["spezies", "species"]);
    check(
        &place,
        &["train", "iris.csv", "--target", "species", "--ignore", "petal_lenth"],
        USAGE,
        &["petal_length"],
    );
}

#[test]
fn settings_that_cannot_be_meant_are_usage_errors() {
    let place = Place::new();
    for (arguments, part) in [
        (vec!["--learning-rate", "0"], "learning rate"),
        (vec!["--learning-rate=-1"], "learning rate"),
        (vec!["--learning-rate", "NaN"], "learning rate"),
        (vec!["--batch", "0"], "batch"),
        (vec!["--batch", "half"], "half"),
        (vec!["--hidden", "0"], "hidden"),
        (vec!["--hidden", "8,,8"], "hidden"),
        (vec!["--epochs", "many"], "many"),
        (vec!["--dropout", "1"], "dropout"),
        (vec!["--momentum", "0.9"], "momentum"),
        (vec!["--optimizer", "momentum", "--momentum", "2"], "momentum"),
        (vec!["--clip-norm", "0"], "clip"),
        (vec!["--test", "1.5"], "1.5"),
        (vec!["--validation=-0.5"], "0.5"),
        (vec!["--delimiter", "ab"], "delimiter"),
        (vec!["--l2=-1"], "l2"),
        (vec!["--cost", "huber:0"], "huber"),
    ] {
        let all: Vec<&str> = ["train", "iris"].into_iter().chain(arguments).collect();
        check(&place, &all, USAGE, &[part]);
    }
}

#[test]
fn unreadable_files_are_failures_that_name_the_file() {
    let place = Place::new();
    place.write("empty.csv", "").write("header.csv", "a,b\n").write("blank.csv", "\n\n  \n");
    std::fs::create_dir(place.path("folder")).unwrap();
    check(&place, &["train", "none.csv", "--target", "a"], FAILURE, &["none.csv"]);
    check(&place, &["train", "empty.csv", "--target", "a"], FAILURE, &["empty.csv", "empty"]);
    check(&place, &["train", "header.csv", "--target", "a"], FAILURE, &["header.csv", "no rows"]);
    check(&place, &["train", "blank.csv", "--target", "a"], FAILURE, &["blank.csv"]);
    check(&place, &["train", "folder", "--target", "a"], FAILURE, &["folder"]);
    place.write("picture.csv", [0x89, b'P', b'N', b'G', 0, 1, 2]);
    check(&place, &["train", "picture.csv", "--target", "a"], FAILURE, &["picture.csv", "not text"]);
    place.write("mixed.csv", b"a,b\n1,caf\xc3\xa9\n2,\xc3\xa9t\xc3\xa9\n3,caf\xe9\n");
    check(&place, &["train", "mixed.csv", "--target", "a"], FAILURE, &["mixed.csv", "line 4", "UTF-8"]);
}

#[test]
fn bad_cells_are_failures_with_their_line_and_column() {
    let place = Place::new();
    place.write("ragged.csv", "a,b,t\n1,2,x\n3,4,y\n5,x\n");
    check(
        &place,
        &["train", "ragged.csv", "--target", "t"],
        FAILURE,
        &["ragged.csv", "line 4", "2 fields", "3"],
    );
    place.write("infinite.csv", "a,t\n1,2\n3,-inf\n4,5\n");
    check(&place, &["train", "infinite.csv", "--target", "t"], FAILURE, &["line 3", "\"t\"", "-inf"]);

    let mut long = String::from("size,kind\n");
    for row in 1..=100_001 {
        let size = if row == 100_000 { "about twelve".to_owned() } else { (row % 97).to_string() };
        long.push_str(&format!("{size},{}\n", if row % 2 == 0 { "even" } else { "odd" }));
    }
    place.write("long.csv", long);
    // One text among numbers is missing, which is said whatever is hidden.
    let output = place.run(&["train", "long.csv", "--target", "kind", "--epochs", "1", "--quiet"]);
    assert!(output.status.success());
    let warning = text(&output.stderr);
    for part in ["\"size\"", "row 100000", "about twelve", "not a number", "--type 'size=categorical'"] {
        assert!(warning.contains(part), "`{part}` is not in: {warning}");
    }
}

#[test]
fn targets_that_say_nothing_are_failures() {
    let place = Place::new();
    let rows = |class: fn(usize) -> &'static str| -> String {
        (0..30).map(|row| format!("{},{}\n", row % 7, class(row))).collect()
    };
    place.write("one.csv", format!("a,t\n{}", rows(|_| "same")));
    check(&place, &["train", "one.csv", "--target", "t"], FAILURE, &["same", "one"]);
    place.write("two.csv", format!("a,t\n{}", rows(|row| if row % 2 == 0 { "x" } else { "y" })));
    place.write("new.csv", "a,t\n1,x\n2,z\n");
    place.succeed(&["train", "two.csv", "--target", "t", "--epochs", "2", "--quiet"]);
    check(&place, &["evaluate", "model.safetensors", "new.csv"], FAILURE, &["new.csv", "\"z\"", "x", "y"]);
    place.write("lacks.csv", "b\n1\n");
    check(&place, &["predict", "model.safetensors", "lacks.csv"], FAILURE, &["lacks.csv", "\"a\""]);
    check(&place, &["evaluate", "model.safetensors", "lacks.csv"], FAILURE, &["lacks.csv"]);
    check(&place, &["train", "two.csv"], USAGE, &["--target"]);
}

#[test]
fn a_category_that_training_never_saw_is_a_warning_at_predict_time() {
    let place = Place::new();
    let rows: String =
        (0..40).map(|row| format!("{},{}\n", ["red", "blue"][row % 2], ["yes", "no"][row % 2])).collect();
    place.write("data.csv", format!("color,t\n{rows}"));
    place.succeed(&["train", "data.csv", "--target", "t", "--quiet"]);
    place.write("new.csv", "color\nred\ngreen\n");
    let output = place.run(&["predict", "model.safetensors", "new.csv"]);
    assert!(output.status.success());
    let warning = text(&output.stderr);
    assert!(
        warning.contains("warning") && warning.contains("green") && warning.contains("color"),
        "{warning}"
    );
    assert_eq!(text(&output.stdout).lines().count(), 3);
}

#[test]
fn damaged_models_are_failures_that_name_the_file() {
    let place = Place::new();
    place.succeed(&["train", "xor", "--epochs", "2", "--quiet", "--out", "whole"]);
    let whole = place.read("whole");
    place
        .write("empty", "")
        .write("cut", &whole[..whole.len() / 2])
        .write("head", &whole[..20])
        .write("text", "hello");
    let mut lying = whole.clone();
    lying[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    place.write("lying", &lying);
    let newer = text(&whole[8..8 + 200]).replace("\\\"format\\\":2", "\\\"format\\\":9");
    let mut later = whole.clone();
    later[8..8 + 200].copy_from_slice(newer.as_bytes());
    assert_ne!(later, whole, "the format stands near the beginning");
    place.write("later", &later);
    // The document in the header, with a target that has lost its name.
    let named = r#"\"names\":[\"xor\"]"#;
    let nameless = format!("{:width$}]", r#"\"names\":["#, width = named.len() - 1);
    let at = whole.windows(named.len()).position(|bytes| bytes == named.as_bytes()).unwrap();
    let mut unnamed = whole.clone();
    unnamed[at..at + named.len()].copy_from_slice(nameless.as_bytes());
    place.write("unnamed", &unnamed);
    std::fs::create_dir(place.path("folder")).unwrap();
    for (name, part) in [
        ("unnamed", "damaged"),
        ("empty", "empty"),
        ("cut", "cut off"),
        ("head", "cut off"),
        ("text", "no model"),
        ("lying", "damaged"),
        ("later", "update"),
        ("folder", "directory"),
        ("none", "No such file"),
    ] {
        for command in ["inspect", "evaluate"] {
            check(&place, &[command, name], FAILURE, &[name, part]);
        }
        check(&place, &["predict", name, "xor"], FAILURE, &[name, part]);
    }
}

#[test]
fn what_cannot_be_written_is_a_failure_that_leaves_the_old_file() {
    let place = Place::new();
    std::fs::create_dir(place.path("folder")).unwrap();
    let train = ["train", "xor", "--epochs", "2", "--quiet", "--out"];
    let to = |out| train.into_iter().chain([out]).collect::<Vec<_>>();
    check(&place, &to("none/model"), FAILURE, &["none/model"]);
    check(&place, &to("folder"), FAILURE, &["folder", "directory"]);
    place.succeed(&to("model"));
    let old = place.read("model");
    if std::path::Path::new("/dev/full").exists() {
        check(&place, &to("/dev/full"), FAILURE, &["/dev/full", "No space left"]);
        check(&place, &["predict", "model", "xor", "--out", "/dev/full"], FAILURE, &["No space left"]);
        check(&place, &["datasets", "iris", "--out", "/dev/full"], FAILURE, &["No space left"]);
    }
    check(&place, &["predict", "model", "xor", "--out", "none/out.csv"], FAILURE, &["none/out.csv"]);
    assert_eq!(place.read("model"), old);
}

/// A file system without room, as far as one process can tell: files may not grow past one block.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_old_model_and_nothing_else() {
    let place = Place::new();
    place.succeed(&["train", "xor", "--epochs", "2", "--quiet"]);
    let (old, files) = (place.read("model.safetensors"), place.files());
    let script = format!(
        "trap '' XFSZ; ulimit -f 1; exec {} train digits --epochs 1 --quiet",
        env!("CARGO_BIN_EXE_pullback")
    );
    let output =
        std::process::Command::new("sh").args(["-c", &script]).current_dir(place.path("")).output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(FAILURE), "{message}");
    assert!(message.contains("model.safetensors") && message.contains("File too large"), "{message}");
    assert_eq!(place.read("model.safetensors"), old);
    assert_eq!(place.files(), files);
}

#[test]
fn divergence_names_the_step_and_saves_nothing() {
    let place = Place::new();
    let arguments = [
        "train",
        "friedman",
        "--optimizer",
        "sgd",
        "--learning-rate",
        "1e30",
        "--quiet",
        "--clip-norm",
        "1e30",
    ];
    check(&place, &arguments, FAILURE, &["epoch 1", "step", "learning rate"]);
}

#[test]
fn bad_configuration_files_are_usage_errors_with_their_line() {
    let place = Place::new();
    place.write("broken.toml", "epochs = \n").write("unknown.toml", "epochs = 2\nlearning_rat = 0.1\n");
    place.write("type.toml", "seed = 1\nepochs = \"many\"\n");
    check(&place, &["train", "--config", "broken.toml"], USAGE, &["broken.toml", "line 1"]);
    check(
        &place,
        &["train", "--config", "unknown.toml"],
        USAGE,
        &["line 2", "learning_rat", "`learning_rate`"],
    );
    check(&place, &["train", "--config", "type.toml"], USAGE, &["type.toml", "line 2"]);
    check(&place, &["train", "--config", "none.toml"], FAILURE, &["none.toml"]);
}

/// A table with a column of many texts: as an input each, they would take more memory than machines have.
fn many_texts(rows: usize) -> String {
    let mut table = "text,number,target\n".to_owned();
    for row in 0..rows {
        table += &format!("text{},{},{}\n", row * 7919 % 6000, row % 13, ["yes", "no"][row % 2]);
    }
    table
}

#[test]
fn more_memory_than_a_run_may_use_is_refused_before_it_is_used() {
    let place = Place::new();
    place.write("wide.csv", many_texts(40_000));
    let mut train = vec!["train", "wide.csv", "--target", "target", "--type", "text=categorical"];
    train.extend(["--epochs", "1", "--quiet"]);
    let large = [&train[..], &["--hidden", "1000", "--memory", "100MB"]].concat();
    check(&place, &large, FAILURE, &["needs 1", "of memory", "--memory"]);
    let rows = ["40001 rows of 3 columns need", "even if their cells are in a file", "--memory"];
    check(&place, &["look", "wide.csv", "--memory", "100kB"], FAILURE, &rows);
    check(&place, &["look", "wide.csv", "--memory", "much"], USAGE, &["much", "500MB"]);
    // 6,000 categories of 40,000 rows are 160 kB as codes, and 1 GB as numbers.
    place.succeed(&[&train[..], &["--memory", "300MB", "--hidden", "8"]].concat());
    train.pop();
    let output = place.run(&[&train[..], &["--max-levels", "50", "--hidden", "8"]].concat());
    let said = "rarest texts of column \"text\" share one input";
    assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    let message = fail(&place, &[&train[..], &["--max-levels", "0"]].concat(), USAGE);
    assert!(message.contains("--max-levels"), "{message}");
}

/// A table whose text and cells take more than a run that may use 40 MB has for them, whatever the program itself
/// takes.
fn long(rows: usize) -> String {
    let mut table = (0..28).fold("y".to_owned(), |names, column| names + &format!(",x{column}"));
    for row in 0..rows {
        table += if row % 3 == 0 { "\nyes" } else { "\nno" };
        (0..28).for_each(|column| {
            table += &format!(",{:.4}", ((row * 7919 + column * 104_729) % 1_000_003) as f64 / 2.5e5)
        });
    }
    table
}

#[test]
fn a_table_larger_than_memory_makes_the_same_files() {
    let place = Place::new();
    place.write("long.csv", long(80_000));
    let limit = ["--memory", "40MB"];
    let train = ["train", "long.csv", "--target", "y", "--epochs", "1", "--hidden", "4", "--batch", "512"];
    let said = |arguments: &[&str]| {
        let output = place.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stderr)
    };
    assert!(!said(&[&train[..], &["--out", "whole"]].concat()).contains("temporary file"));
    let note = said(&[&train[..], &limit, &["--out", "streamed"]].concat());
    assert!(note.contains("memory does not hold the table") && note.contains("temporary file"), "{note}");
    assert_eq!(place.read("whole"), place.read("streamed"));
    for command in [vec!["predict", "whole", "long.csv"], vec!["evaluate", "whole", "long.csv", "--held-out"]]
    {
        assert_eq!(place.succeed(&command), place.succeed(&[&command[..], &limit].concat()), "{command:?}");
    }
    assert_eq!(place.files(), ["long.csv", "streamed", "whole"]);
    // Without a folder that takes the file there is nothing to do.
    let output = place.command(&[&train[..], &limit].concat()).env("TMPDIR", "none").output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(FAILURE), "{message}");
    assert!(message.contains("none takes no temporary file") && message.contains("TMPDIR"), "{message}");
}

/// A model file whose header is another one; `change` gets the header and the document in it.
fn with_header(model: &[u8], change: impl FnOnce(&str, serde_json::Value) -> String) -> Vec<u8> {
    let length = u64::from_le_bytes(model[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&model[8..8 + length]).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(header).unwrap();
    let document = serde_json::from_str(parsed["__metadata__"]["pullback"].as_str().unwrap()).unwrap();
    let mut changed = change(header.trim_end(), document);
    while !changed.len().is_multiple_of(8) {
        changed.push(' ');
    }
    let length = (changed.len() as u64).to_le_bytes();
    [&length[..], changed.as_bytes(), &model[8 + header.len()..]].concat()
}

/// Readers differ in which of two tensors of a name they take, and what a later version has learned would be lost in
/// silence.
#[test]
fn a_model_with_a_name_twice_or_an_unknown_setting_is_refused_by_each_command() {
    let place = Place::new();
    place.run(&["train", "iris", "--fast", "--epochs", "1", "--quiet"]);
    let model = place.read("model.safetensors");
    let doubled = with_header(&model, |header, _| {
        let tensors: serde_json::Value = serde_json::from_str(header).unwrap();
        let own = &tensors["layers.0.weight"];
        format!("{},\"layers.0.weight\":{own}}}", header.strip_suffix('}').unwrap())
    });
    let unknown = with_header(&model, |header, mut document| {
        document["configuration"]["hiden"] = "3".into();
        let mut parsed: serde_json::Value = serde_json::from_str(header).unwrap();
        parsed["__metadata__"]["pullback"] = document.to_string().into();
        parsed.to_string()
    });
    place.write("doubled.safetensors", doubled).write("unknown.safetensors", unknown);
    for (file, what) in [
        ("doubled.safetensors", "the key `layers.0.weight` stands twice"),
        ("unknown.safetensors", "the settings in the model have an unknown key `hiden`, perhaps `hidden`"),
    ] {
        let commands: [&[&str]; 6] = [
            &["inspect", file],
            &["predict", file, "iris"],
            &["evaluate", file, "iris"],
            &["explain", file, "iris"],
            &["check", file, "iris"],
            &["train", "iris", "--from", file, "--epochs", "1"],
        ];
        for command in commands {
            let output = place.run(command);
            let message = text(&output.stderr);
            assert!(output.status.code() == Some(1) && message.contains(what), "{command:?}: {message}");
            assert!(message.contains("help: ") && message.len() < 400, "{command:?}: {message}");
        }
    }
}

#[test]
fn what_cannot_be_meant_is_answered_with_what_to_type() {
    let place = Place::new();
    let rows: String = (0..60).map(|row| format!("{row},{row}.5e200\n")).collect();
    place.write("large.csv", format!("x,y\n{rows}"));
    place.write("large.toml", "inputs = [1, 2]\ntargets = [1e200]\n[[layer]]\nweights = [[0.1, 0.2]]\n");
    let cases: [(&[&str], &str, &str); 5] = [
        (
            &["train", "iris", "--time", "1x"],
            "--time: `1x` is no time",
            "give seconds, minutes or hours, at least one: `30s`, `5m`, `1h`",
        ),
        (&["train", "iris", "--time", "5"], "--time: `5` is no time", "`5m`"),
        (
            &["train", "digits", "--convolutions", "0"],
            "--convolutions: `0` is no list of positive numbers",
            "write them with commas, for example `32,16`, or `none`",
        ),
        (
            &["train", "large.csv", "--target", "y"],
            "large.csv, row 1, column \"y\": the target 5e199 is too large to train on",
            "give the column in a larger unit: each number divided by 1e199",
        ),
        (
            &["check", "large.toml"],
            "the cost of these examples is no finite number, so there is no gradient to check",
            "give smaller inputs, targets or weights",
        ),
    ];
    for (command, what, help) in cases {
        let message = text(&place.run(command).stderr);
        assert!(message.contains(what) && message.contains(help), "{command:?}: {message}");
    }
}

/// Names with line ends are shown with what they hold, in one line.
#[test]
fn names_with_line_ends_stay_in_their_lines() {
    let place = Place::new();
    let rows: String = (0..60).map(|row| format!("{},\"cl\nass {}\"\n", row * 7 % 13, row % 2)).collect();
    place.write("names.csv", format!("\"first\nname\",y\n{rows}"));
    let report = place.succeed(&["train", "names.csv", "--target", "y", "--epochs", "2", "--lang", "en"]);
    let evaluated = place.succeed(&["evaluate", "model.safetensors", "names.csv", "--lang", "en"]);
    let page = place.succeed(&["explain", "model.safetensors", "names.csv", "--lang", "en"]);
    let html =
        place.succeed(&["explain", "model.safetensors", "names.csv", "--lang", "en", "--format", "html"]);
    for (printed, names) in [
        (&report, &["cl\\nass 0", "cl\\nass 1"][..]),
        (&evaluated, &["cl\\nass 0", "cl\\nass 1"][..]),
        (&page, &["first\\nname"][..]),
        (&html, &["first\\nname"][..]),
    ] {
        assert!(names.iter().all(|name| printed.contains(name)), "{printed}");
        assert!(
            !printed.lines().any(|line| line.starts_with("ass ") || line.starts_with("name")),
            "{printed}"
        );
    }
}
