//! A page says nothing that its numbers don't: every "=" on every page is read and evaluated with the digits shown, in
//! text, Markdown with TeX, HTML and JSON, in every notation and language.

use crate::formulas::{Node, Value, meet, sides, tex_sides, value};
use crate::worked::random;
use pullback::explain::{
    Block, Catalog, Document, Expression, Focus, LANGUAGES, Level, NetworkExample, Notation, Options, Steps,
    Subject, WorkedExample, describe, describe_circuit, describe_claims, examples,
};
use pullback::graph::ops::Dice;
use pullback::network::{Activation, Cost, Layer, Mode, Network};
use pullback::train::{Optimizer, Training};

const DIGITS: usize = 6;

/// What was found on pages.
#[derive(Debug, Default)]
struct Found {
    /// Statements between numbers.
    evaluated: usize,
    /// Statements with names.
    symbolic: usize,
    /// What is false or cannot be read.
    wrong: Vec<String>,
}

impl Found {
    fn check(&self, evaluated: usize) {
        // The same statement stands on several pages.
        let statement =
            |wrong: &str| wrong.split_once('`').map_or(wrong.to_owned(), |(_, own)| own.to_owned());
        let mut shown: Vec<&String> = Vec::new();
        let mut known = std::collections::BTreeSet::new();
        for wrong in &self.wrong {
            if known.insert(statement(wrong)) {
                shown.push(wrong);
            }
        }
        shown.truncate(40);
        assert!(self.wrong.is_empty(), "{} statements are wrong: {shown:#?}", self.wrong.len());
        assert!(self.evaluated > evaluated, "{} statements between numbers", self.evaluated);
    }
}

/// Compares all sides of a line that have a value.
fn compare(all: &[Node], line: &str, what: &str, found: &mut Found) {
    let values: Vec<Value> = all.iter().map(value).collect();
    let numbers: Vec<&Value> = values.iter().filter(|value| **value != Value::Symbolic).collect();
    found.symbolic += usize::from(numbers.len() < 2);
    for pair in numbers.windows(2) {
        found.evaluated += 1;
        if meet(pair[0], pair[1]) != Some(true) {
            found.wrong.push(format!("{what}: `{line}`: {pair:?}"));
        }
    }
}

fn check_line(line: &str, what: &str, found: &mut Found) {
    match sides(line, DIGITS) {
        Ok(read) => compare(&read, line, what, found),
        Err(error) => found.wrong.push(format!("{what}: `{line}`: {error}")),
    }
}

fn check_tex(line: &str, what: &str, found: &mut Found) {
    match tex_sides(line, DIGITS) {
        Ok(read) => compare(&read, line, what, found),
        Err(error) => found.wrong.push(format!("{what}: `{line}`: {error}")),
    }
}

/// The statement in a sentence, which stands behind a colon.
fn check_prose(text: &str, what: &str, found: &mut Found) {
    if !text.contains(" = ") {
        return;
    }
    for part in text.split(". ").filter(|part| part.contains(" = ")) {
        let statement = part.rsplit(": ").next().unwrap_or(part);
        check_line(statement.trim_end_matches('.'), what, found);
    }
}

/// A cell that states something, and rows whose columns say how others are computed.
fn check_table(columns: &[String], rows: &[Vec<String>], what: &str, found: &mut Found) {
    for row in rows {
        for cell in row.iter().filter(|cell| cell.contains(" = ")) {
            check_line(cell, what, found);
        }
        for (at, head) in columns.iter().enumerate() {
            let Some(of) = told_by(head, columns) else { continue };
            let (Some(left), Some(right)) = (row.get(of), row.get(at)) else { continue };
            if right.is_empty() || right.contains(" = ") {
                continue;
            }
            check_line(&format!("{left} = {right}"), &format!("{what}, column {head}"), found);
        }
        check_columns(columns, row, what, found);
    }
}

/// The column that another one computes.
fn told_by(head: &str, columns: &[String]) -> Option<usize> {
    let at = |name: &str| columns.iter().position(|own| own == name);
    for end in [" is", "의 계산"] {
        if let Some(name) = head.strip_suffix(end) {
            return at(name);
        }
    }
    match head {
        // The first column of numbers: a weighted sum.
        "terms" | "항" => Some(columns.iter().position(|own| ["z", "net", "Z"].contains(&&own[..]))?),
        "is" | "계산" | "in numbers" | "숫자로" => at("value").or_else(|| at("값")),
        _ => None,
    }
}

/// Products and sums along a row: delta is what arrives times the slopes, a gradient delta times what is multiplied.
fn check_columns(columns: &[String], row: &[String], what: &str, found: &mut Found) {
    let number = |at: usize| row.get(at).map(|cell| cell.rsplit(" = ").next().unwrap_or(cell));
    let at = |test: &dyn Fn(&str) -> bool| columns.iter().position(|own| test(own));
    let delta = at(&|own| own == "delta" || own == "델타");
    let is_gradient = |own: &str| own.starts_with("dD/d") || own.starts_with(['d']) && own.contains("/dw");
    if let (Some(delta), Some(first)) = (delta, at(&|own| own.starts_with("dC/da") && !own.contains(' ')))
        && first < delta
    {
        let factors: Vec<String> = (first..delta).filter_map(number).map(|own| format!("({own})")).collect();
        check_line(&format!("{} = {}", factors.join(" * "), number(delta).unwrap()), what, found);
    }
    if let (Some(delta), Some(x)) = (delta, at(&|own| own == "dz/dw"))
        && let Some(gradient) = columns.iter().enumerate().skip(x + 1).find(|(_, own)| is_gradient(own))
    {
        let line = format!("({}) * ({}) = {}", row[delta], row[x], row[gradient.0]);
        check_line(&line, what, found);
    }
    if let (Some(data), Some(added)) = (at(&|own| own == "dD/dw"), at(&|own| own == "dR/dw")) {
        let line = format!("({}) + ({}) = {}", row[data], row[added], row[added + 1]);
        check_line(&line, what, found);
    }
}

/// A page as it is made, and in its forms.
fn check_page(page: &Document, what: &str, found: &mut Found) {
    for block in &page.blocks {
        match block {
            Block::Formula { text, latex } => {
                check_line(text, what, found);
                check_tex(latex, what, found);
            }
            Block::Text(text) | Block::Warning(text) => check_prose(text, what, found),
            Block::Table { columns, rows } => check_table(columns, rows, what, found),
            _ => {}
        }
    }
    check_text(&page.text(100_000, false), what, found);
    check_markdown(&page.markdown(), what, found);
    for line in page.text(60, false).lines() {
        let width = line.chars().map(|c| if c >= '\u{1100}' && c != '█' { 2 } else { 1 }).sum::<usize>();
        // A name without spaces cannot be broken.
        let is_one_word = line.split_whitespace().count() < 2;
        if width > 60 && !is_one_word {
            found.wrong.push(format!("{what}: {width} columns: {line}"));
        }
    }
}

fn check_text(text: &str, what: &str, found: &mut Found) {
    for line in text.lines().filter(|line| line.contains(" = ")) {
        match line.strip_prefix("  ") {
            // Cells of a table stand two spaces apart.
            Some(inside) => {
                for cell in inside.split("  ").filter(|cell| cell.contains(" = ")) {
                    check_line(cell.trim(), what, found);
                }
            }
            None => check_prose(line.trim_start_matches("! "), what, found),
        }
    }
}

fn check_markdown(text: &str, what: &str, found: &mut Found) {
    for line in text.lines().filter(|line| line.contains('=')) {
        if let Some(tex) = line.strip_prefix("$$").and_then(|line| line.strip_suffix("$$")) {
            check_tex(tex, what, found);
        } else if line.starts_with('|') {
            // An asterisk that would begin italics is escaped.
            let cells = line.replace("\\|", "\u{1}").replace("\\*", "*");
            for cell in cells.split('|').filter(|cell| cell.contains(" = ")) {
                check_line(&cell.replace('\u{1}', "|").replace("\\_", "_"), what, found);
            }
        } else {
            let line = line.trim_start_matches("> **!** ");
            check_prose(&line.replace("\\*", "*").replace("\\_", "_"), what, found);
        }
    }
}

/// What an example's pages may be about: everything, units, every parameter and one of its numbers.
fn focuses(example: &NetworkExample, dice: &mut Dice) -> Vec<Focus> {
    let trace = example.trace().unwrap();
    let mut all = vec![Focus::All];
    for (at, dense) in trace.dense().iter().enumerate() {
        all.push(Focus::Unit(at + 1, dice.below(dense.units)));
        all.push(Focus::Layer(at + 1));
    }
    for (place, parameter) in trace.parameters().iter().enumerate().filter(|(_, p)| p.role.is_trained()) {
        all.push(Focus::Element(place, dice.below(parameter.shape.elements())));
        all.push(Focus::Parameter(place));
    }
    all
}

/// All pages of an example in one language and notation.
fn check_example(worked: &WorkedExample, language: &str, notation: Notation, what: &str, found: &mut Found) {
    let catalog = Catalog::find(language).unwrap();
    let Subject::Network(example) = &worked.subject else { panic!("a network") };
    let trace = example.trace().unwrap();
    let mut dice = Dice::new(7);
    for focus in focuses(example, &mut dice) {
        let options = Options {
            focus,
            notation,
            digits: DIGITS,
            names: example.names.symbols(&trace, notation),
            training: example.training.clone(),
            fixed: example.fixed.clone(),
            steps: 2,
            ..Options::default()
        };
        let page = describe(&trace, "t", &options, &catalog);
        check_page(&page, &format!("{what}, {language}, {}, {focus:?}", notation.name()), found);
    }
}

/// The notation of a number.
fn notation(at: usize) -> Notation {
    Notation::from_name(Notation::NAMES[at % Notation::NAMES.len()]).unwrap()
}

#[test]
fn every_equation_on_pages_of_random_networks_is_true() {
    let mut found = Found::default();
    for seed in 0..40 {
        let worked = random(seed);
        if !matches!(worked.subject, Subject::Network(_)) {
            continue;
        }
        let at = seed as usize;
        let language = LANGUAGES[at % LANGUAGES.len()].0;
        check_example(&worked, language, notation(at / 2), &format!("network {seed}"), &mut found);
    }
    found.check(3000);
    assert!(found.symbolic > 300, "{} statements with names", found.symbolic);
}

/// A network with given numbers on some examples.
fn example(network: Network, rows: usize, mode: Mode, training: Training) -> WorkedExample {
    let mut dice = Dice::new(3);
    let parameters: Vec<Vec<f64>> = network.initialize(3).unwrap();
    let parameters = parameters
        .into_iter()
        .zip(network.parameters().unwrap())
        .map(|(own, parameter)| match parameter.role {
            pullback::network::Role::RunningVariance => own,
            _ => own.iter().map(|x| x + dice.between(-0.2, 0.2)).collect(),
        })
        .collect();
    let inputs = (0..rows * network.inputs).map(|_| dice.between(-1.0, 1.0)).collect();
    let outputs = network.outputs();
    let targets = (0..rows * outputs).map(|at| f64::from(u8::from(at % outputs == at / outputs % outputs)));
    let example = NetworkExample {
        parameters,
        inputs,
        targets: targets.collect(),
        weights: None,
        rows,
        training,
        mode,
        fixed: Vec::new(),
        names: Default::default(),
        network,
    };
    WorkedExample {
        title: String::new(),
        source: String::new(),
        notation: Notation::Plain,
        language: None,
        subject: Subject::Network(Box::new(example)),
        expect: Vec::new(),
    }
}

#[test]
fn every_equation_is_true_for_each_activation_cost_norm_and_regularization() {
    let mut found = Found::default();
    let sgd = || Training { optimizer: Optimizer::Sgd, learning_rate: Some(0.1), ..Training::default() };
    let mut all: Vec<(String, WorkedExample)> = Vec::new();
    for name in Activation::NAMES {
        let network = Network::dense(3, &[4, 2], 2, name.parse().unwrap(), Cost::SquaredError);
        all.push((name.to_string(), example(network, 1, Mode::Evaluation, sgd())));
    }
    for name in Cost::NAMES {
        for rows in [1, 3] {
            let mut network = Network::dense(3, &[3], 3, Activation::Tanh, name.parse().unwrap());
            network.regularization.l2 = 0.1;
            network.regularization.l1 = if rows == 1 { 0.0 } else { 0.02 };
            network.regularization.divide_by_batch = rows == 3;
            all.push((format!("{name} of {rows}"), example(network, rows, Mode::Evaluation, sgd())));
        }
    }
    let norms = [("batch norm", Layer::batch_norm()), ("layer norm", Layer::layer_norm())];
    for (name, norm) in norms {
        for mode in [Mode::Evaluation, Mode::Training] {
            for rows in [1, 4] {
                let mut network = Network::dense(3, &[4], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
                network.layers.insert(1, norm.clone());
                network.layers.insert(3, Layer::dropout(0.5));
                let what = format!("{name} in {mode:?} of {rows}");
                all.push((what, example(network, rows, mode, sgd())));
            }
        }
    }
    for name in Optimizer::NAMES {
        let optimizer: Optimizer = name.parse().unwrap();
        let mut training = Training { optimizer, ..sgd() };
        training.clip_norm = (name.len() % 2 == 0).then_some(0.05);
        let network = Network::dense(3, &[4], 2, Activation::Sigmoid, Cost::SquaredError);
        all.push((name.to_string(), example(network, 2, Mode::Evaluation, training)));
    }
    for (at, (what, worked)) in all.iter().enumerate() {
        let language = LANGUAGES[at % LANGUAGES.len()].0;
        check_example(worked, language, notation(at), what, &mut found);
    }
    found.check(5000);
}

#[test]
fn every_equation_of_the_worked_examples_is_true_in_all_notations_and_languages() {
    let mut found = Found::default();
    for name in examples::NAMES {
        let found_example = examples::find(name).unwrap().unwrap();
        for (language, _) in LANGUAGES {
            let catalog = Catalog::find(language).unwrap();
            let claims = describe_claims(&[("", "", &found_example.claims)], &catalog);
            check_page(&claims, name, &mut found);
            match &found_example.worked.subject {
                Subject::Network(_) => {
                    for at in 0..Notation::NAMES.len() {
                        check_example(&found_example.worked, language, notation(at), name, &mut found);
                    }
                }
                Subject::Expression(expression) => {
                    let circuit = expression.circuit().unwrap();
                    check_page(&describe_circuit(&circuit, name, DIGITS, &catalog), name, &mut found);
                }
            }
        }
    }
    found.check(5000);
}

#[test]
fn every_equation_of_formulas_is_true() {
    let mut found = Found::default();
    let formulas = [
        ("(x + y) * z", "x=-2,y=5,z=-4"),
        ("x * x + sin_like * x ^ 3 - 2 / x", "x=-1.5,sin_like=0.3"),
        ("s = x * y\ns = s + x\ns = tanh(s) - exp(-s)", "x=0.4,y=-0.7"),
        ("n = 3\nx ^ n + abs(x) - max(x, -y) * sigmoid(-x)", "x=-2.5,y=1.25"),
        (
            "relu(x) + leaky_relu(-x) + elu(-x) + gelu(x) + silu(x) + softplus(x) + erf(x) + min(x, 2)",
            "x=0.8",
        ),
        ("log(x) * sqrt(x) - (-x) ^ 2", "x=2.25"),
    ];
    for (text, at) in formulas {
        let at = at.split(',').map(|own| own.split_once('=').unwrap());
        let at = at.map(|(name, number)| (name.to_owned(), number.parse().unwrap())).collect();
        let circuit = Expression::parse(text, at).unwrap().circuit().unwrap();
        for (language, _) in LANGUAGES {
            let page = describe_circuit(&circuit, "t", DIGITS, &Catalog::find(language).unwrap());
            check_page(&page, text, &mut found);
        }
    }
    found.check(100);
}

#[test]
fn every_equation_of_steps_is_true() {
    let mut found = Found::default();
    let catalog = Catalog::english();
    for seed in 0..40 {
        let worked = random(seed);
        let steps = Steps::of(&worked).unwrap();
        for level in [Level::Unit, Level::Term] {
            for step in steps.at(level).iter().take(400) {
                let said = steps.describe(step, &catalog);
                let what = format!("steps of {seed}");
                for part in
                    said.numbers.split("; ").filter(|part| part.contains(" = ") && !part.contains("..."))
                {
                    check_line(part, &what, &mut found);
                }
                for part in
                    said.formula.split("; ").filter(|part| part.contains(" = ") && !part.contains("..."))
                {
                    let read =
                        sides(part, DIGITS).unwrap_or_else(|error| panic!("{what}: `{part}`: {error}"));
                    assert!(read.len() > 1, "{part}");
                }
            }
        }
    }
    found.check(5000);
}

/// A digit that is changed is found, so the test can fail.
#[test]
fn a_changed_digit_is_found() {
    let mazur = examples::find("mazur").unwrap().unwrap().worked;
    let Subject::Network(example) = &mazur.subject else { panic!("a network") };
    let trace = example.trace().unwrap();
    let (mut changed, mut missed) = (0, Vec::new());
    for place in 0..4 {
        let options = Options {
            focus: Focus::Element(place, 0),
            training: example.training.clone(),
            ..Options::default()
        };
        let page = describe(&trace, "t", &options, &Catalog::english());
        for block in &page.blocks {
            let Block::Formula { text, .. } = block else { continue };
            let Ok(read) = sides(text, DIGITS) else { panic!("{text}") };
            let numbers = read.iter().filter(|side| value(side) != Value::Symbolic).count();
            // The second digit of the result.
            let (before, result) = text.rsplit_once(" = ").unwrap();
            let digits: Vec<usize> =
                result.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
            let first = digits.iter().position(|at| !result[*at..].starts_with('0')).unwrap_or(0);
            let Some(at) = digits.get(first + 1).filter(|_| numbers > 1) else { continue };
            let digit: u32 = result[*at..=*at].parse().unwrap();
            let other = format!("{before} = {}{}{}", &result[..*at], (digit + 4) % 10, &result[at + 1..]);
            let values: Vec<Value> = sides(&other, DIGITS).unwrap().iter().map(value).collect();
            let last = values.len() - 1;
            changed += 1;
            let is_found = values[..last].iter().any(|value| meet(value, &values[last]) == Some(false));
            if !is_found {
                missed.push(other);
            }
        }
    }
    assert!(changed >= 20 && missed.is_empty(), "{changed}: {missed:?}");
}
