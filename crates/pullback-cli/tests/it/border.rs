//! What crosses the border of the command: files that must not be replaced, names that a terminal must not obey,
//! counts that nobody can mean.

use crate::{Place, text};

/// Runs what would replace a file that it reads, in all spellings of the file's name.
fn check_kept(place: &Place, file: &str, arguments: &[&str], flag: &str) {
    let before = place.read(file);
    let mut names =
        vec![file.to_owned(), format!("./{file}"), format!("sub/../{file}"), format!("{file}.hard")];
    std::fs::hard_link(place.path(file), place.path(&format!("{file}.hard"))).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(place.path(file), place.path(&format!("{file}.soft"))).unwrap();
        names.push(format!("{file}.soft"));
    }
    for name in &names {
        let all: Vec<&str> = arguments.iter().copied().chain([flag, name]).collect();
        let output = place.run(&all);
        assert_eq!(output.status.code(), Some(2), "{all:?}: {}", text(&output.stdout));
        let message = text(&output.stderr);
        assert!(message.contains("would be replaced by what is made from it"), "{all:?}: {message}");
        assert!(place.read(file) == before, "{all:?} replaces {file}");
    }
    for name in &names[3..] {
        std::fs::remove_file(place.path(name)).unwrap();
    }
}

#[test]
fn no_command_replaces_what_it_reads() {
    let place = Place::new();
    std::fs::create_dir(place.path("sub")).unwrap();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    place.write("other.csv", place.read("iris.csv")).write("c.toml", "epochs = 1\ntarget = \"species\"\n");
    place.write(
        "test.toml",
        "epochs = 1\ntest_data = \"other.csv\"\ndata = \"iris.csv\"\ntarget = \"species\"\n",
    );
    place.succeed(&["train", "iris.csv", "--config", "c.toml", "--quiet", "--out", "m"]);
    let train = ["train", "iris.csv", "--target", "species", "--test-data", "other.csv"];
    check_kept(&place, "iris.csv", &train, "--out");
    check_kept(&place, "other.csv", &train, "--out");
    check_kept(&place, "c.toml", &["train", "iris.csv", "--config", "c.toml"], "--out");
    check_kept(&place, "other.csv", &["train", "--config", "test.toml"], "--out");
    check_kept(&place, "iris.csv", &["train", "--config", "test.toml"], "-o");
    for command in
        [&["predict", "m", "iris.csv"][..], &["explain", "m", "iris.csv"], &["gradients", "m", "iris.csv"]]
    {
        check_kept(&place, "iris.csv", command, "--out");
        check_kept(&place, "m", command, "--out");
    }
}

#[test]
fn every_output_has_a_place_of_its_own() {
    let place = Place::new();
    std::fs::create_dir(place.path("sub")).unwrap();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    place.write("c.toml", "epochs = 1\ntarget = \"species\"\n");
    let train = ["train", "iris.csv", "--target", "species", "--fast", "--epochs", "2", "--quiet"];
    place.succeed(&[&train[..], &["--out", "m", "--checkpoint", "run"]].concat());
    check_kept(&place, "iris.csv", &[&train[..], &["--out", "n"]].concat(), "--layer-figures");
    check_kept(&place, "iris.csv", &[&train[..], &["--out", "n"]].concat(), "--history");
    check_kept(
        &place,
        "c.toml",
        &["train", "iris.csv", "--config", "c.toml", "--out", "n"],
        "--layer-figures",
    );
    check_kept(&place, "m", &[&train[..], &["--from", "m", "--out", "n"]].concat(), "--layer-figures");
    check_kept(&place, "m", &[&train[..], &["--from", "m"]].concat(), "--out");
    place.write("v.csv", place.read("iris.csv"));
    check_kept(&place, "v.csv", &[&train[..], &["--validation-data", "v.csv"]].concat(), "--out");
    let refused = |arguments: &[&str], why: &str| {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = text(&output.stderr);
        assert!(message.contains(why), "{arguments:?}: {message}");
    };
    // The folder of a run goes on with it.
    let state = place.read("run/run.json");
    for (flag, file) in
        [("--out", "run/run.json"), ("--layer-figures", "run/run.json"), ("--out", "sub/../run/new")]
    {
        refused(&["train", "--resume", "run", "--epochs", "3", flag, file], "is in the folder of the run");
    }
    assert_eq!(place.read("run/run.json"), state);
    // Two outputs are two files, and a report is no model.
    refused(
        &[&train[..], &["--out", "n", "--layer-figures", "sub/../n"]].concat(),
        "`--out` and `--layer-figures`",
    );
    refused(&["explain", "--example", "mazur", "--save", "s", "--out", "./s"], "`--out` and `--save`");
    refused(
        &["explain", "--example", "mazur", "--format", "animation", "--out", "q.svg", "--save", "q.vtt"],
        "q.vtt",
    );
    refused(&[&train[..], &["--out", "-"]].concat(), "standard output is where the report goes");
}

#[test]
fn a_sweep_writes_new_files_and_knows_its_data() {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    place.write("s.toml", "data = \"iris.csv\"\ntarget = \"species\"\nfolder = \"trials\"\nmethod = \"grid\"\n[base]\nepochs = 2\nvalidation = 0.2\n[ranges]\nlearning_rate = [0.1, 0.2]\n");
    std::fs::create_dir_all(place.path("trials/trial-001")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(place.path("iris.csv"), place.path("trials/trial-001/log.txt")).unwrap();
    let before = place.read("iris.csv");
    place.succeed(&["sweep", "s.toml"]);
    assert_eq!(place.read("iris.csv"), before, "what a link leads to is not written to");
    place.succeed(&["sweep", "s.toml"]);
    place.write("iris.csv", [&before[..], b"1,1,1,1,setosa\n"].concat());
    let output = place.run(&["sweep", "s.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("the data are others"), "{}", text(&output.stderr));
    place.write("t.toml", "data = \"trials/t.csv\"\ntarget = \"species\"\nfolder = \"trials\"\nmethod = \"grid\"\n[base]\nepochs = 2\nvalidation = 0.2\n[ranges]\nlearning_rate = [0.1, 0.2]\n");
    place.write("trials/t.csv", before);
    let output = place.run(&["sweep", "t.toml"]);
    assert!(text(&output.stderr).contains("where the trials are written"), "{}", text(&output.stderr));
    place.write("u.toml", "data = \"iris.csv\"\ntarget = \"species\"\nfolder = \"u\"\nmethod = \"grid\"\n[base]\nepochs = 2\nvalidation = 0.2\n[ranges]\ncost = [\"squared_error\", \"softmax_cross_entropy\"]\n");
    let output = place.run(&["sweep", "u.toml"]);
    assert!(text(&output.stderr).contains("cannot be ranked by their costs"), "{}", text(&output.stderr));
}

#[test]
fn a_flag_that_does_nothing_is_refused() {
    let place = Place::new();
    for (flags, other) in [
        (&["--new-head"][..], "--from"),
        (&["--checkpoint-every", "2"], "--checkpoint"),
        (&["--checkpoint-keep", "2"], "--checkpoint"),
        (&["--layer-figures", "f.csv", "--cv", "3"], "--cv"),
        (&["--stop-on", "nan", "--cv", "3"], "--cv"),
        (&["--history", "h.csv", "--cv", "3"], "--cv"),
        (&["--layer-figures", "f.csv", "--find-learning-rate"], "--find-learning-rate"),
    ] {
        let output = place.run(&[&["train", "xor"][..], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(text(&output.stderr).contains(other), "{flags:?}: {}", text(&output.stderr));
    }
}

#[cfg(unix)]
#[test]
fn a_word_that_is_no_text_is_no_command() {
    use std::os::unix::ffi::OsStrExt;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pullback"))
        .arg(std::ffi::OsStr::from_bytes(b"\xff"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("this is a bug"));
}

/// What is to blame is named, and not the learning rate.
#[test]
fn advice_names_the_setting_that_is_to_blame() {
    let place = Place::new();
    let rows = (0..60).map(|row| format!("{},{}\n", row % 7, ["no", "yes"][row % 2]));
    place.write("w.csv", "x,y\n".to_owned() + &rows.collect::<String>());
    for (flags, flag) in [
        (&["--optimizer", "adamw", "--weight-decay", "1e30"][..], "--weight-decay"),
        (&["--clip-norm", "1e-30"], "--clip-norm"),
        (&["--epsilon", "1e30"], "--epsilon"),
        (&["--warmup-epochs", "1e30"], "--warmup-epochs"),
    ] {
        let output =
            place.run(&[&["train", "w.csv", "--target", "y", "--fast", "--epochs", "3"][..], flags].concat());
        let said = text(&output.stderr);
        assert!(said.contains(&format!("`{flag}`")), "{flags:?}: {said}");
        assert!(!said.contains("learning rate than"), "{flags:?}: {said}");
    }
    for weight in ["yes=1e-50", "yes=1e38"] {
        let output = place.run(&["train", "w.csv", "--target", "y", "--class-weights", weight]);
        assert!(text(&output.stderr).contains("is no weight of class"), "{}", text(&output.stderr));
    }
}

#[test]
fn a_terminal_shows_names_and_does_not_obey_them() {
    let place = Place::new();
    let name = "a\u{1b}[2J\u{202e}b";
    let rows: String = (0..40).map(|row| format!("{row},{}\u{9b}\n", ["x", "y"][row / 20])).collect();
    place
        .write("t.csv", format!("{name},t\u{1b}]0;\u{7}\n{rows}"))
        .write("c.toml", "target = \"t\\u001b]0;\\u0007\"\n");
    let mut all = Vec::new();
    for arguments in [
        &["train", "t.csv", "--config", "c.toml", "--epochs", "2"][..],
        &["evaluate", "model.safetensors", "t.csv"],
        &["inspect", "model.safetensors"],
        &["check", "model.safetensors", "t.csv"],
        &["explain", "model.safetensors", "t.csv"],
        &["train", "t.csv"],
        &["train", "t.csv", "--target", "a\u{1b}[2J\u{202e}c"],
        &["train", "no\u{1b}ne.csv", "--target", "t"],
        &["train", "--\u{1b}x"],
        &["predict", "model.safetensors", "iris"],
    ] {
        let output = place.run(arguments);
        all.push((arguments.to_vec(), text(&output.stdout) + &text(&output.stderr)));
    }
    for (arguments, shown) in &all {
        let bad = shown.chars().find(|&c| c != '\n' && (c.is_control() || c == '\u{202e}'));
        assert!(bad.is_none(), "{arguments:?} prints {bad:?}: {shown:?}");
    }
    assert!(all[5].1.contains("a\\u{1b}[2J\\u{202e}b"), "{}", all[5].1);
    // Documents for programs hold what there is.
    let card = place.json(&["inspect", "model.safetensors", "--json"]);
    assert_eq!(card["preprocessing"]["features"][0]["name"], name);
    let csv = place.succeed(&["predict", "model.safetensors", "t.csv"]);
    assert!(csv.starts_with("t\u{1b}]0;\u{7}\n"), "{csv:?}");
}

/// Every flag of every command that takes a number, with numbers that nobody can mean.
#[test]
fn no_number_makes_a_command_panic() {
    let place = Place::new();
    place.succeed(&["train", "xor", "--epochs", "2", "--quiet", "--out", "m"]);
    let commands: [(&[&str], &[&str]); 7] = [
        (
            &["compare", "--depth", "1..2", "--layers", "2", "--budget", "0.1"],
            &["--layers", "--depth", "--width", "--inputs", "--outputs", "--batch", "--budget", "--seed"],
        ),
        (&["explain", "m", "xor"], &["--row", "--rows", "--digits", "--most-units", "--unit", "--weight"]),
        (&["check", "m", "xor"], &["--rows", "--samples", "--tolerance", "--seed"]),
        (&["gradients", "m", "xor"], &["--rows"]),
        (&["predict", "m", "xor"], &["--threads"]),
        (&["evaluate", "m"], &["--threads"]),
        (&["datasets", "moons"], &["--seed"]),
    ];
    let numbers = ["0", "1", "9223372036854775808", "18446744073709551615", "-1", "nan", "inf", "1e300"];
    let run = |arguments: &[&str]| {
        let output = place.run(arguments);
        let code = output.status.code();
        assert!(matches!(code, Some(0..=2)), "{arguments:?}: {code:?} {}", text(&output.stderr));
        assert!(!text(&output.stderr).contains("this is a bug"), "{arguments:?}: {}", text(&output.stderr));
    };
    for (command, flags) in commands {
        for flag in flags {
            for number in numbers {
                let kept = command.iter().position(|word| word == flag);
                let mut arguments = command.to_vec();
                if let Some(at) = kept {
                    arguments.drain(at..at + 2);
                }
                let given = format!("{flag}={number}");
                arguments.push(&given);
                run(&arguments);
            }
        }
    }
    let help = place.succeed(&["train", "--help"]);
    let words = help.split_whitespace().filter(|word| word.starts_with("--") && !word.contains('['));
    let flags: Vec<&str> = words.map(|word| word.trim_end_matches(',')).collect();
    assert!(flags.contains(&"--learning-rate") && flags.contains(&"--epsilon"), "{flags:?}");
    for flag in
        flags.into_iter().filter(|flag| !matches!(*flag, "--help" | "--config" | "--epochs" | "--precision"))
    {
        for number in numbers {
            run(&["train", "xor", "--epochs", "1", "--quiet", &format!("{flag}={number}")]);
        }
    }
}
