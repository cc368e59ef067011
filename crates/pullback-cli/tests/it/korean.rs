//! What `train` and `evaluate` say in Korean: no English words but names, and columns that stand in line.

use crate::{Place, root, text};
use pullback::explain::Catalog;
use pullback::network::Activation;
use pullback::train::Optimizer;
use std::fs;
use std::path::Path;
use unicode_width::UnicodeWidthStr;

/// Names that Korean texts write so.
const NAMES: &[&str] = &[
    "ROC",
    "AUC",
    "RMSE",
    "MAE",
    "RMS",
    "kg",
    // Of the built-in sets.
    "iris",
    "species",
    "setosa",
    "versicolor",
    "virginica",
    "digits",
    "digit",
];

/// The English words of what is printed. Code, what stands in quotes, and tokens with a digit or a mark of names, paths
/// and flags are none; nor are the curve and the commands at the end.
fn english_words(printed: &str) -> Vec<String> {
    let names: Vec<&str> = Activation::NAMES.iter().chain(Optimizer::NAMES).chain(NAMES).copied().collect();
    let mut found = Vec::new();
    let is_drawn = |line: &str| line.contains(" |") || line.starts_with("  pullback ");
    for line in printed.lines().filter(|line| !is_drawn(line)) {
        let outside: String = line.split(['`', '"']).step_by(2).collect::<Vec<_>>().join(" ");
        let is_name = |token: &&str| {
            token.contains(|c: char| c.is_ascii_digit() || matches!(c, '_' | '/' | '.' | '\\'))
        };
        for token in outside.split([' ', '(', ')', ',', ';', ':']).filter(|token| !is_name(token)) {
            let words = token.split(|c: char| !c.is_ascii_alphabetic());
            found.extend(
                words
                    .filter(|word| word.len() > 1 && !names.contains(word))
                    .map(|word| format!("{word}: {line}")),
            );
        }
    }
    found
}

/// A table that readers and jobs have much to say of.
fn untidy() -> String {
    let mut csv = String::from("Source: 통계\n번호,크기,날짜,색,값,열,열,비율,같음,정답\n");
    for row in 0..120 {
        let color = ["빨강", "파랑", "Blue", "blue"][row % 4];
        let target = if row == 5 { "" } else { ["좋음", "나쁨"][(row / 3) % 2] };
        let odd = if row == 7 { "모름".to_owned() } else { format!("{}", row * 13 % 29) };
        let month = 1 + row % 12;
        csv += &format!(
            "{row},{}.5 kg,{month:02}/{month:02}/2021,{color},{odd},{},{}%,{}%,1,{target}\n",
            row * 7 % 31,
            row * 5 % 23,
            row * 11 % 37,
            row * 3 % 41
        );
    }
    csv + "Total,,,,,,,,,\n"
}

#[test]
fn a_korean_run_says_no_english() {
    let place = Place::new();
    place.write("표.csv", untidy());
    let numbers: String =
        (0..200).map(|row| format!("{},{},{}\n", row % 17, row % 5, row % 17 * 3)).collect();
    place.write("수.csv", format!("하나,둘,정답\n{numbers}"));
    let runs: [&[&str]; 13] = [
        &["train", "표.csv", "--target", "정답", "--epochs", "3"],
        &["train", "표.csv", "--target", "정답", "--epochs", "3", "--ensemble", "3"],
        &["train", "표.csv", "--target", "정담"],
        &["train", "수.csv", "--target", "정답", "--epochs", "3"],
        &["train", "수.csv", "--target", "정답", "--epochs", "4", "--validation", "0.2", "--patience", "1"],
        &[
            "train",
            "수.csv",
            "--target",
            "정답",
            "--optimizer",
            "sgd",
            "--learning-rate",
            "1e9",
            "--epochs",
            "3",
        ],
        &["train", "iris", "--fast", "--epochs", "4", "--class-weights", "balanced"],
        &["train", "iris", "--fast", "--epochs", "4", "--validation", "0.2", "--calibrate"],
        &["train", "iris", "--cv", "3", "--epochs", "2"],
        &["train", "iris", "--fast", "--optimizer", "lbfgs", "--epochs", "4"],
        &["train", "iris", "--candidates", "2", "--epochs", "2"],
        &["train", "iris", "--find-learning-rate"],
        &["train", "digits", "--epochs", "1", "--hidden", "8", "--gradient", "back", "--accumulate", "2"],
    ];
    let mut said = Vec::new();
    for arguments in runs {
        for columns in ["60", "80"] {
            let output =
                place.command(&[arguments, &["--lang", "ko"]].concat()).env("COLUMNS", columns).output();
            let output = output.unwrap();
            let printed = text(&output.stdout) + &text(&output.stderr);
            assert!(printed.contains(|c: char| ('가'..='힣').contains(&c)), "{arguments:?}: {printed}");
            said.extend(english_words(&printed).into_iter().map(|word| format!("{arguments:?}: {word}")));
            let report = text(&output.stdout);
            let is_long =
                |line: &&str| line.width() > columns.parse().unwrap() && !line.starts_with("  pullback");
            let long: Vec<&str> = report.lines().filter(is_long).collect();
            assert!(long.is_empty(), "{arguments:?} at {columns}: {long:#?}");
        }
    }
    let evaluated = place.run(&["evaluate", "model.safetensors", "digits", "--lang", "ko"]);
    said.extend(english_words(&text(&evaluated.stdout)));
    assert!(said.is_empty(), "{said:#?}");
}

/// Columns of numbers end where their titles end, however wide the names are.
#[test]
fn korean_tables_stand_in_line() {
    let place = Place::new();
    place.write("표.csv", untidy());
    let report = place.succeed(&["train", "표.csv", "--target", "정답", "--epochs", "3", "--lang", "ko"]);
    let table: Vec<&str> = report
        .lines()
        .skip_while(|line| !line.contains("재현율"))
        .take_while(|line| !line.is_empty())
        .collect();
    assert_eq!(table.len(), 4, "{report}");
    let widths: Vec<usize> = table.iter().map(|line| line.width()).collect();
    assert!(widths.iter().all(|width| *width == widths[0]), "{report}");
    let entries = report.lines().take_while(|line| !line.is_empty());
    for line in entries.filter(|line| !line.starts_with(' ')) {
        let name = line.split("  ").next().unwrap();
        let value = line[name.len()..].trim_start();
        assert_eq!(line.width() - value.width(), 10, "{line}");
    }
}

/// What is told is known by the English that the code says: it is looked for there.
#[test]
fn what_korean_tells_is_said_in_english() {
    let mut sources = String::new();
    for krate in ["pullback", "pullback-data", "pullback-cli"] {
        read_sources(&root().join("crates").join(krate).join("src"), &mut sources);
    }
    // A long literal goes on in the next line; values stand in braces.
    let code: Vec<&str> = sources.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let joined: String = code.join("\n").split("\\\n").map(str::trim_start).collect();
    let joined = joined.replace("\\\"", "\"");
    let catalog = Catalog::find("ko").unwrap();
    let told: Vec<&str> = catalog.keys().filter_map(|key| key.strip_prefix("told.")).collect();
    assert!(told.len() > 100);
    let mut unknown = Vec::new();
    for message in told {
        let literal = message.split('{').enumerate().map(|(at, part)| match (at, part.split_once('}')) {
            (0, _) | (_, None) => part,
            (_, Some((_, after))) => after,
        });
        let longest = literal.max_by_key(|part| part.len()).unwrap_or_default();
        if !is_made_of(longest, &joined, 3) {
            unknown.push(message);
        }
    }
    assert!(unknown.is_empty(), "the code says these no more: {unknown:#?}");
}

/// Whether a text is at most so many parts that stand in the sources.
fn is_made_of(text: &str, sources: &str, parts: usize) -> bool {
    if sources.contains(text) {
        return true;
    }
    let ends = || {
        (1..text.len())
            .filter(|at| text.is_char_boundary(*at))
            .rev()
            .filter(|at| text[..*at].ends_with([' ', ')', '"']) || text[*at..].starts_with([' ', ',', ';']))
    };
    parts > 1
        && ends().any(|end| sources.contains(&text[..end]) && is_made_of(&text[end..], sources, parts - 1))
}

fn read_sources(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
