//! A page says nothing that its numbers don't: every "=" on every page is read and evaluated with the digits shown, in
//! text, Markdown with TeX, HTML and JSON, in every notation and language.

use crate::formulas::{FUNCTIONS, Node, Value, meet, sides, tex_sides, value, with_numbers};
use crate::worked::random;
use pullback::explain::{
    Action, Block, Catalog, Document, Drawings, Expression, Focus, LANGUAGES, Level, MeanOptions,
    NetworkExample, Notation, Options, Place, Said, Size, Steps, Subject, Vote, WorkedExample, describe,
    describe_circuit, describe_claims, describe_mean, examples, json, scene,
};
use pullback::graph::Kind;
use pullback::graph::ops::Dice;
use pullback::network::{Activation, Cost, Layer, Mode, Network};
use pullback::report::number::significant;
use pullback::train::{Optimizer, Training};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

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
        shown.truncate(if self.wrong.len() > 60 { 60 } else { 40 });
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
    check_html(&page.html(&Drawings::default()), what, found);
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

/// An element of HTML or of MathML with what is in it.
#[derive(Debug)]
enum Markup {
    Text(String),
    Element { name: String, inside: Vec<Markup> },
}

/// Elements that have no end.
const ALONE: [&str; 3] = ["meta", "mspace", "!doctype"];

/// Reads what `Document::html` writes: elements that nest, quoted attributes, four entities.
fn markup(html: &str) -> Vec<Markup> {
    let mut open: Vec<(String, Vec<Markup>)> = vec![(String::new(), Vec::new())];
    let mut rest = html;
    while !rest.is_empty() {
        let inside = &mut open.last_mut().expect("the page is open").1;
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let text = rest[..end].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            inside.push(Markup::Text(text.replace("&amp;", "&")));
            rest = &rest[end..];
            continue;
        };
        let end = tag.find('>').expect("a tag ends");
        let name = tag[..end].split([' ', '/']).next().unwrap_or_default().to_owned();
        rest = &tag[end + 1..];
        if tag.starts_with('/') {
            let (name, inside) = open.pop().expect("an element is open");
            assert_eq!(tag[1..end], name, "what ends is what was open");
            open.last_mut().expect("the page is open").1.push(Markup::Element { name, inside });
        } else if tag[..end].ends_with('/') || ALONE.contains(&&name[..]) {
            inside.push(Markup::Element { name, inside: Vec::new() });
        } else {
            open.push((name, Vec::new()));
        }
    }
    let [(_, all)] = <[_; 1]>::try_from(open).expect("all elements end");
    all
}

impl Markup {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Element { inside, .. } => inside.iter().map(Self::text).collect(),
        }
    }

    /// The elements of a name in it, itself included.
    fn find<'a>(&'a self, wanted: &str, found: &mut Vec<&'a Self>) {
        if let Self::Element { name, inside } = self {
            if name == wanted {
                found.push(self);
            }
            inside.iter().for_each(|inside| inside.find(wanted, found));
        }
    }

    fn all<'a>(&'a self, wanted: &str) -> Vec<&'a Self> {
        let mut found = Vec::new();
        self.find(wanted, &mut found);
        found
    }

    /// MathML as TeX, so that what a browser draws is read as what is written.
    fn tex(&self) -> String {
        let Self::Element { name, inside } = self else { return String::new() };
        let part = |at: usize| inside.get(at).map_or(String::new(), Self::tex_inside);
        // A word with an index is a name; a sign of sums goes with what is below it.
        let base = || match inside.first() {
            Some(Self::Element { name, .. }) if name == "mi" && inside[0].text().chars().count() > 1 => {
                format!(r"\mathrm{{{}}}", inside[0].text())
            }
            Some(first) => first.tex().trim_end().to_owned(),
            None => String::new(),
        };
        let text = self.text();
        match &name[..] {
            "mrow" => format!("{{{}}}", self.tex_inside()),
            "mspace" => " ".into(),
            "mfrac" => format!(r"\frac{{{}}}{{{}}}", part(0), part(1)),
            "msqrt" => format!(r"\sqrt{{{}}}", self.tex_inside()),
            "msub" => format!("{}_{{{}}}", base(), part(1)),
            "msup" => format!("{}^{{{}}}", base(), part(1)),
            "msubsup" => format!("{}_{{{}}}^{{{}}}", base(), part(1), part(2)),
            "mn" => text,
            "mo" => match &text[..] {
                "⋅" | "×" => r" \cdot ".into(),
                "⊙" => r" \odot ".into(),
                "−" => "-".into(),
                "≤" => r"\le ".into(),
                "∑" => r"\sum ".into(),
                "∂" => r"\partial ".into(),
                "⊤" => r"\top".into(),
                _ => text,
            },
            "mi" => match &text[..] {
                "σ" => r"\sigma ".into(),
                "δ" => r"{\delta}".into(),
                "Θ" => r"{\Theta}".into(),
                "λ" => r"{\lambda}".into(),
                "η" => r"{\eta}".into(),
                "max" | "ln" | "log" | "exp" | "tanh" => format!(r"\operatorname{{{text}}}"),
                // A remark.
                remark if remark.starts_with('(') => format!(r"\ \text{{{remark}}}"),
                name if FUNCTIONS.contains(&name) => format!(r"\operatorname{{{name}}}"),
                letter if letter.chars().count() == 1 => letter.into(),
                name => format!(r"\mathrm{{{name}}}"),
            },
            name => panic!("MathML has <{name}>"),
        }
    }

    /// What is in an element, or the element itself where it has no others.
    fn tex_inside(&self) -> String {
        match self {
            Self::Element { name, inside } if ["math", "mrow", "msqrt"].contains(&&name[..]) => {
                let follows = |at: usize| inside.get(at + 1).map_or(String::new(), Self::text);
                let all: String = (inside.iter().enumerate())
                    .map(|(at, own)| match own {
                        // A word with an index before a parenthesis is a function of what is in there.
                        Self::Element { name, .. } if name == "msub" && follows(at) == "(" => {
                            own.tex().replacen(r"\mathrm", r"\operatorname", 1)
                        }
                        _ => own.tex(),
                    })
                    .collect();
                // A space before a remark is a part of it.
                all.replace(r" \ \text", r"\ \text")
            }
            other => other.tex(),
        }
    }
}

/// A page in a browser: sentences, formulas in MathML or text, and tables.
fn check_html(html: &str, what: &str, found: &mut Found) {
    for page in markup(html) {
        for paragraph in page.all("p") {
            check_prose(&paragraph.text(), what, found);
        }
        for math in page.all("math") {
            // All of it stands in one row.
            let Markup::Element { inside, .. } = math else { continue };
            let tex: String = inside.iter().map(Markup::tex_inside).collect();
            check_tex(&tex, &format!("{what}, MathML"), found);
        }
        for code in page.all("code") {
            check_line(&code.text(), what, found);
        }
        for table in page.all("table") {
            let mut rows = table.all("tr").into_iter().map(|row| match row {
                Markup::Element { inside, .. } => inside.iter().map(Markup::text).collect::<Vec<String>>(),
                Markup::Text(_) => Vec::new(),
            });
            let columns = rows.next().unwrap_or_default();
            check_table(&columns, &rows.collect::<Vec<_>>(), &format!("{what}, HTML"), found);
        }
    }
}

/// Every formula in a document for programs, and its numbers.
fn check_formulas(json: &Json, what: &str, found: &mut Found) {
    match json {
        Json::Array(all) => all.iter().for_each(|own| check_formulas(own, what, found)),
        Json::Object(all) => {
            for (key, own) in all {
                let Some(text) = own.as_str().filter(|_| ["formula", "numbers"].contains(&&key[..])) else {
                    check_formulas(own, what, found);
                    continue;
                };
                for part in text.split("; ").filter(|part| part.contains(" = ") && !part.contains("...")) {
                    check_line(part, what, found);
                }
            }
        }
        _ => {}
    }
}

/// Numbers that a document says to be the same, up to the rounding of sums of a few terms.
fn check_same(left: f64, right: f64, what: &str, found: &mut Found) {
    found.evaluated += 1;
    let is_same = (left - right).abs() <= 1e-9 * left.abs().max(right.abs()).max(1e-3);
    if !is_same && left.is_finite() && right.is_finite() {
        found.wrong.push(format!("{what}: {left} is said to be {right}"));
    }
}

/// The numbers of a list of lists.
fn matrix(json: &Json) -> Vec<Vec<f64>> {
    let row = |own: &Json| own.as_array().expect("a row").iter().map(number).collect();
    json.as_array().expect("rows").iter().map(row).collect()
}

/// A number, which is null where it is not finite.
fn number(json: &Json) -> f64 {
    json.as_f64().unwrap_or(f64::NAN)
}

/// A network's numbers for programs are those of the formulas: `z = W a + b`, `delta = da/dz dC/da`,
/// `dC/dW = sum of delta a`.
fn check_json(json: &Json, has_penalty: bool, what: &str, found: &mut Found) {
    check_formulas(json, what, found);
    for (at, layer) in json["layers"].as_array().into_iter().flatten().enumerate() {
        let what = format!("{what}, JSON, layer {}", at + 1);
        let [input, z, delta] = ["input", "z", "delta"].map(|key| matrix(&layer[key]));
        let [weight, gradient] = ["weight", "weight_gradient"]
            .map(|key| layer[key].as_array().expect("weights").iter().map(number).collect::<Vec<f64>>());
        let inputs = layer["inputs"].as_u64().expect("a count") as usize;
        for (row, sums) in z.iter().enumerate() {
            for (unit, sum) in sums.iter().enumerate() {
                let bias = if layer["bias"].is_null() { 0.0 } else { number(&layer["bias"][unit]) };
                let own = (0..inputs).map(|from| weight[unit * inputs + from] * input[row][from]);
                check_same(own.sum::<f64>() + bias, *sum, &what, found);
                let link = &layer["links"][0];
                if !link["upstream"].is_null() {
                    let arrives = number(&link["upstream"][row][unit]);
                    check_same(arrives * number(&link["slope"][row][unit]), delta[row][unit], &what, found);
                }
            }
        }
        for (element, gradient) in gradient.iter().enumerate().filter(|_| !has_penalty) {
            let (unit, from) = (element / inputs, element % inputs);
            let own: f64 = delta.iter().zip(&input).map(|(delta, input)| delta[unit] * input[from]).sum();
            check_same(own, *gradient, &what, found);
        }
    }
}

/// A formula's numbers for programs: each gate's formula has its value, each operand gets what arrives times its local
/// derivative, and a variable the sum of what it gets.
fn check_json_of_formula(json: &Json, what: &str, found: &mut Found) {
    check_formulas(json, what, found);
    let gates = json["gates"].as_array().expect("gates");
    for gate in gates {
        let operands = gate["operands"].as_array().expect("operands");
        for operand in operands.iter().filter(|operand| !operand["passed"].is_null()) {
            let passed = number(&gate["arrives"]) * number(&operand["local"]);
            check_same(passed, number(&operand["passed"]), what, found);
        }
    }
    // Of a name that is given several times, the last one is meant.
    let is_once = |name: &str| gates.iter().filter(|gate| gate["name"] == name).count() == 0;
    for variable in json["variables"].as_array().expect("variables") {
        let name = variable["name"].as_str().expect("a name");
        if !is_once(name) {
            continue;
        }
        let operands = gates.iter().flat_map(|gate| gate["operands"].as_array().expect("operands"));
        let passed: Vec<f64> =
            operands.filter(|own| own["name"] == name).map(|own| number(&own["passed"])).collect();
        if !passed.is_empty() {
            check_same(passed.iter().sum(), number(&variable["derivative"]), what, found);
        }
    }
    let last = gates.last().expect("a gate");
    check_same(number(&last["value"]), number(&json["value"]), what, found);
}

/// The statements below the pictures of all steps.
fn check_scenes(worked: &WorkedExample, catalog: &Catalog, what: &str, found: &mut Found) {
    const SHOWN: usize = 4;
    if matches!(&worked.subject, Subject::Network(own) if own.training.optimizer.is_searching()) {
        return;
    }
    let steps = Steps::of(worked).unwrap().with_digits(SHOWN);
    for step in steps.at(Level::Unit).iter().take(80) {
        let drawn = scene(&steps, Some(step), Size::default(), catalog);
        for line in drawn.formulas.iter().filter(|line| line.contains(" = ") && !line.contains("...")) {
            match sides(line, SHOWN) {
                Ok(read) => compare(&read, line, &format!("{what}, a picture"), found),
                Err(error) => found.wrong.push(format!("{what}, a picture: `{line}`: {error}")),
            }
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
    let regularization = &example.network.regularization;
    let has_penalty = regularization.l1 != 0.0 || regularization.l2 != 0.0;
    let document = json::document(&trace, "t", (&example.training, Focus::All), Some(worked));
    check_json(&document, has_penalty, what, found);
    check_scenes(worked, &catalog, what, found);
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
        kept: Default::default(),
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

/// A network of each activation, cost, norm and optimizer.
fn kinds() -> Vec<(String, WorkedExample)> {
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
    all
}

#[test]
fn every_equation_is_true_for_each_activation_cost_norm_and_regularization() {
    let mut found = Found::default();
    for (at, (what, worked)) in kinds().iter().enumerate() {
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
                    let document = json::circuit(&circuit, name, &found_example.worked);
                    check_json_of_formula(&document, name, &mut found);
                    check_scenes(&found_example.worked, &catalog, name, &mut found);
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
        let expression = Expression::parse(text, at).unwrap();
        let circuit = expression.circuit().unwrap();
        let worked = WorkedExample {
            title: String::new(),
            source: String::new(),
            notation: Notation::Plain,
            language: None,
            subject: Subject::Expression(expression),
            expect: Vec::new(),
        };
        check_json_of_formula(&json::circuit(&circuit, "t", &worked), text, &mut found);
        for (language, _) in LANGUAGES {
            let catalog = Catalog::find(language).unwrap();
            check_page(&describe_circuit(&circuit, "t", DIGITS, &catalog), text, &mut found);
            check_scenes(&worked, &catalog, text, &mut found);
        }
    }
    found.check(100);
}

/// The numbers that steps have names for, and those after the update with a prime. A name of two numbers is none.
struct Known {
    numbers: BTreeMap<String, f64>,
    twice: BTreeSet<String>,
}

impl Known {
    fn of(steps: &Steps) -> Self {
        let mut known = Self { numbers: BTreeMap::new(), twice: BTreeSet::new() };
        let graph = steps.graph();
        let mut parameters = 0;
        for node in graph.ids() {
            let is_parameter = matches!(graph.node(node).kind, Kind::Parameter(_));
            for (element, value) in steps.value(node).iter().enumerate() {
                let name = steps.label(Place { node, element });
                if let Some(new) = steps.new_parameters().get(parameters).filter(|_| is_parameter) {
                    known.add(format!("{name}'"), new[element]);
                }
                known.add(name, *value);
            }
            parameters += usize::from(is_parameter);
        }
        known
    }

    fn add(&mut self, name: String, value: f64) {
        match self.numbers.get(&name) {
            Some(other) if (other - value).abs() > 1e-9 * value.abs().max(1e-3) => {
                self.twice.insert(name);
            }
            _ => {
                self.numbers.insert(name, value);
            }
        }
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.numbers.get(name).copied().filter(|x| x.is_finite() && !self.twice.contains(name))
    }

    /// The value of a side: of a name, or of a formula of names.
    fn value(&self, text: &str) -> Result<Value, String> {
        let exact = self.number(text).map(|x| Node::Name(x.to_string()));
        let read = match exact {
            Some(_) => vec![Node::Name(text.to_owned())],
            None => sides(text, DIGITS)?,
        };
        let [side] = &read[..] else { return Err(format!("`{text}` has several sides")) };
        Ok(value(&with_numbers(side, &|name| self.number(name))))
    }

    /// All sides of a statement are one number.
    fn check(&self, line: &str, what: &str, found: &mut Found) {
        // A condition holds a sign of equality of its own.
        let all: Vec<&str> = if line.contains(" if ") { vec![line] } else { line.split(" = ").collect() };
        let read: Result<Vec<Value>, String> = all.iter().map(|side| self.value(side)).collect();
        let values = match read {
            Ok(values) => values,
            Err(_) if line.contains(" if ") => return check_line(line, what, found),
            Err(error) => return found.wrong.push(format!("{what}: `{line}`: {error}")),
        };
        let numbers: Vec<&Value> = values.iter().filter(|own| **own != Value::Symbolic).collect();
        found.symbolic += usize::from(numbers.len() < 2);
        for pair in numbers.windows(2) {
            found.evaluated += 1;
            if meet(pair[0], pair[1]) != Some(true) {
                found.wrong.push(format!("{what}: `{line}`: {pair:?}"));
            }
        }
    }

    /// The statements in a sentence: before a sign of equality the longest formula that can be read, after it too.
    fn check_sentence(&self, sentence: &str, what: &str, found: &mut Found) {
        if sentence.contains('%') || sentence.contains("  ") || sentence.contains("()") {
            found.wrong.push(format!("{what}: {sentence}"));
        }
        let words: Vec<&str> = sentence.split(' ').collect();
        let ends = |word: &str| word.ends_with([',', ':', ';']) || word.ends_with('.');
        for (at, _) in words.iter().enumerate().filter(|(_, word)| **word == "=") {
            // To the left up to a word that ends something, to the right up to one that does.
            let left =
                (0..at).rev().take_while(|own| !ends(words[*own]) && words[*own] != "=").collect::<Vec<_>>();
            let side = left.iter().rev().find_map(|own| self.value(&words[*own..at].join(" ")).ok());
            let mut right = Vec::new();
            for word in &words[at + 1..] {
                if *word == "=" {
                    break;
                }
                right.push(word.trim_end_matches([',', ':', ';', '.']));
                if ends(word) {
                    break;
                }
            }
            let number = (1..=right.len()).rev().find_map(|count| {
                let text = right[..count].join(" ");
                // In Korean, a particle stands behind a number.
                let text = text.trim_end_matches(|c: char| ('가'..='힣').contains(&c));
                self.value(text).ok()
            });
            let (Some(side), Some(number)) = (side, number) else {
                found.wrong.push(format!("{what}: nothing stands around = in `{sentence}`"));
                continue;
            };
            if side != Value::Symbolic && number != Value::Symbolic {
                found.evaluated += 1;
                if meet(&side, &number) != Some(true) {
                    found.wrong.push(format!("{what}: `{sentence}`: {side:?} and {number:?}"));
                }
            }
        }
        // What is said to be a product is one.
        let numbers = || {
            let after = words.windows(2).filter(|pair| pair[0] == "=");
            let after = after.map(|pair| pair[1].trim_end_matches([',', '.', ':']));
            after.filter(|text| text.parse::<f64>().is_ok())
        };
        if sentence.contains("Times the slope") || sentence.contains("Dropout multiplies") {
            let [left, right, made] = numbers().collect::<Vec<_>>()[..] else {
                return found.wrong.push(format!("{what}: no product in `{sentence}`"));
            };
            check_line(&format!("({left}) * ({right}) = {made}"), what, found);
        }
        if let Some((_, rest)) = sentence.split_once("regularization adds ") {
            let added = rest.split(' ').next().unwrap_or_default();
            let [data, whole] = numbers().collect::<Vec<_>>()[..] else {
                return found.wrong.push(format!("{what}: no sum in `{sentence}`"));
            };
            let given = sentence.split(' ').map(|word| word.trim_end_matches([',', '.']));
            let shown: Vec<&str> = given.filter(|word| word.parse::<f64>().is_ok()).collect();
            assert!(shown.len() == 3, "{sentence}: {data}, {whole}");
            check_line(&format!("{} + {added} = {}", shown[1], shown[2]), what, found);
        }
    }

    /// What a step says: its formulas over names, over numbers, and its sentence.
    fn check_said(&self, said: &Said, what: &str, found: &mut Found) {
        let parts = |text: &str| -> Vec<String> {
            text.split("; ")
                .filter(|part| part.contains(" = ") && !part.contains("..."))
                .map(str::to_owned)
                .collect()
        };
        for part in parts(&said.numbers) {
            check_line(&part, what, found);
            if part.starts_with("= ") {
                found.wrong.push(format!("{what}: nothing stands before = in `{part}`"));
            }
        }
        for part in parts(&said.formula) {
            if part.contains('%') {
                found.wrong.push(format!("{what}: `{part}`"));
            }
            self.check(&part, what, found);
            let both: Vec<&str> = part.split(" = ").collect();
            if both.len() == 2 && both[0] == both[1] {
                found.wrong.push(format!("{what}: `{part}` says nothing"));
            }
        }
        self.check_sentence(&said.sentence, what, found);
    }
}

/// The steps of an example at every level: at that of terms, a sum grows until it has its number.
fn check_steps(worked: &WorkedExample, language: &str, what: &str, found: &mut Found) {
    const MOST: usize = 400;
    let catalog = Catalog::find(language).unwrap();
    if matches!(&worked.subject, Subject::Network(own) if own.training.optimizer.is_searching()) {
        return;
    }
    let steps = Steps::of(worked).unwrap();
    let known = Known::of(&steps);
    for level in [Level::Layer, Level::Example, Level::Unit] {
        for step in steps.at(level).iter().take(MOST) {
            let what = format!("{what}, {language}, {}", level.name());
            known.check_said(&steps.describe(step, &catalog), &what, found);
        }
    }
    let what = format!("{what}, {language}, terms");
    let all = steps.at(Level::Term);
    let mut made: BTreeMap<String, Vec<(bool, f64)>> = BTreeMap::new();
    for step in all.iter().take(MOST) {
        let said = steps.describe(step, &catalog);
        let term = step.term.as_ref().unwrap();
        let is_whole = matches!(term.action, Action::ApplyToAll | Action::Change);
        if is_whole {
            known.check_said(&said, &what, found);
            continue;
        }
        if !said.numbers.contains("...") {
            check_line(&said.numbers, &what, found);
        }
        let sign = ["+=", "*=", "/="].into_iter().find(|sign| said.formula.contains(&format!(" {sign} ")));
        let name = said.formula.split(&format!(" {} ", sign.unwrap_or("="))).next().unwrap().to_owned();
        let is_named = sign.is_some() || said.formula.contains(" = ");
        match term.action {
            Action::Apply => known.check_said(&said, &what, found),
            _ if is_named && known.number(&name).is_some() => {
                made.entry(name).or_default().push((sign.is_some(), term.value));
            }
            _ => {}
        }
    }
    for (name, values) in made.iter().filter(|_| all.len() <= MOST) {
        let last = values.last().unwrap().1;
        let wanted = known.number(name).unwrap();
        // A bias is added by a formula of the whole.
        let is_finished = |x: f64| (x - wanted).abs() <= 1e-9 * wanted.abs().max(1e-9);
        let begins = values.iter().filter(|(goes_on, _)| !goes_on).count();
        let has_bias = all.iter().any(|step| {
            let term = step.term.as_ref().unwrap();
            term.action == Action::Apply && steps.label(term.result) == *name
        });
        found.evaluated += 1;
        if begins != 1 || !(is_finished(last) || has_bias) {
            found.wrong.push(format!("{what}: {name} becomes {values:?} and not {wanted}"));
        }
    }
}

#[test]
fn the_mean_of_an_ensemble_is_that_of_its_networks() {
    let mut found = Found::default();
    for seed in 0..20 {
        let mut dice = Dice::new(seed);
        let outputs = 1 + dice.below(12);
        let votes: Vec<Vote> = (0..2 + dice.below(8))
            .map(|_| {
                let times = 1 + dice.below(3);
                Vote { times, numbers: (0..outputs).map(|_| dice.between(-10.0, 10.0)).collect() }
            })
            .collect();
        let names: Vec<String> = (0..outputs).map(|at| format!("출력 {at}")).collect();
        for (code, _) in LANGUAGES {
            let catalog = Catalog::find(code).unwrap();
            let options =
                MeanOptions { shown: 0, outputs: &names, temperature: None, most_outputs: 5, digits: DIGITS };
            let page = describe_mean(&votes, &options, &catalog);
            check_page(&page, &format!("mean {seed}"), &mut found);
            let formulas = page.blocks.iter().filter_map(|block| match block {
                Block::Formula { text, .. } => Some(text.as_str()),
                _ => None,
            });
            let shown: Vec<&str> = formulas.collect();
            assert_eq!(shown.len(), outputs.min(5));
            if outputs == 1 {
                let count: f64 = votes.iter().map(|vote| vote.times as f64).sum();
                let sum: f64 = votes.iter().map(|vote| vote.times as f64 * vote.numbers[0]).sum();
                let ends = format!(" = {}", significant(sum / count, DIGITS));
                assert!(shown[0].ends_with(&ends), "{shown:?}");
            }
        }
    }
    found.check(100);
}

#[test]
fn every_equation_of_steps_is_true() {
    let mut found = Found::default();
    for seed in 0..40 {
        let worked = random(seed);
        let language = LANGUAGES[seed as usize % LANGUAGES.len()].0;
        check_steps(&worked, language, &format!("steps of {seed}"), &mut found);
        if let Ok(document) = Steps::of(&worked).unwrap().json(Level::Unit, &Catalog::english()) {
            check_formulas(&document, &format!("steps of {seed}, JSON"), &mut found);
        }
    }
    found.check(10_000);
}

#[test]
fn every_equation_of_the_steps_of_each_activation_cost_norm_optimizer_and_regularization_is_true() {
    let mut found = Found::default();
    for (at, (what, worked)) in kinds().iter().enumerate() {
        check_steps(worked, LANGUAGES[at % LANGUAGES.len()].0, what, &mut found);
    }
    for name in examples::NAMES {
        let worked = examples::find(name).unwrap().unwrap().worked;
        for (language, _) in LANGUAGES {
            check_steps(&worked, language, name, &mut found);
        }
    }
    found.check(10_000);
}

/// A nudge says what its numbers say: close, so far away, at a kink, or lost in rounding.
#[test]
fn what_a_nudge_says_of_the_gradient_is_so() {
    let file = |text: &str| WorkedExample::parse(text, "a file").unwrap();
    let kink = "inputs = [1, 2]\ntargets = [1]\nlearning_rate = 0.1\n[[layer]]\nweights = [[0.2, -0.1]]\n\
                activation = \"relu\"\n[[layer]]\nweights = [[1.0]]";
    let unscaled = "inputs = [3000, 1]\ntargets = [1]\nlearning_rate = 0.1\n[[layer]]\n\
                    weights = [[0.0003, -0.5]]\nactivation = \"sigmoid\"";
    let absolute = "inputs = [1, 2]\ntargets = [1]\nlearning_rate = 0.1\nl1 = 0.1\n[[layer]]\n\
                    weights = [[0.2, 0]]\nactivation = \"sigmoid\"";
    let smooth = "inputs = [1, 2]\ntargets = [1]\nlearning_rate = 0.1\n[[layer]]\n\
                  weights = [[0.2, 0.1]]\nactivation = \"sigmoid\"";
    let hidden = "inputs = [1, 2]\ntargets = [1]\nlearning_rate = 0.1\n[[layer]]\n\
                  weights = [[12, 12]]\nactivation = \"sigmoid\"";
    let cases = [
        (kink, 0, "has a kink"),
        (unscaled, 0, "close to the gradient"),
        (absolute, 1, "has a kink"),
        (smooth, 0, "close to the gradient"),
        (hidden, 0, "lost in the rounding"),
    ];
    for (text, element, wanted) in cases {
        let worked = file(text);
        let Subject::Network(example) = &worked.subject else { panic!("a network") };
        let trace = example.trace().unwrap();
        let options = Options { focus: Focus::Element(0, element), digits: 9, ..Options::default() };
        let page = describe(&trace, "t", &options, &Catalog::english());
        let said =
            page.blocks.iter().position(|block| matches!(block, Block::Text(text) if text.contains(wanted)));
        let said = said.unwrap_or_else(|| panic!("{wanted} on {}", page.text(80, false)));
        let Block::Formula { text, .. } = &page.blocks[said + 1] else { panic!("a quotient") };
        let slope: f64 = text.rsplit(' ').next().unwrap().parse().unwrap();
        let gradient = trace.gradient(0)[element];
        let is_close = (slope - gradient).abs() <= 0.01 * gradient.abs();
        assert_eq!(is_close, wanted.starts_with("close"), "{text}: {gradient}");
        // The cost itself, with the number that much larger, or between the two numbers.
        let Block::Text(sentence) = &page.blocks[said] else { panic!("a sentence") };
        let (_, rest) = sentence.split_once(" + ").unwrap();
        let by: f64 = rest.split([',', ' ']).next().unwrap().parse().unwrap();
        let number = trace.parameter(0)[element];
        let cost = |number: f64| trace.cost_with(0, element, number);
        let change = match sentence.contains("from ") {
            true => cost(number + by) - cost(number - by),
            false => cost(number + by) - trace.cost(),
        };
        let (_, rest) = sentence.split_once("changes by ").unwrap();
        let shown: f64 = rest.split([',', ' ']).next().unwrap().trim_end_matches('.').parse().unwrap();
        assert!((shown - change).abs() <= 1e-6 * change.abs() + 1e-15, "{sentence}: {change}");
    }
}

/// A digit that is changed on a page in a browser, or in a document for programs, is found too.
#[test]
fn a_changed_digit_is_found_in_html_and_json() {
    let mazur = examples::find("mazur").unwrap().unwrap().worked;
    let Subject::Network(example) = &mazur.subject else { panic!("a network") };
    let trace = example.trace().unwrap();
    let options =
        Options { focus: Focus::Element(2, 0), training: example.training.clone(), ..Options::default() };
    let html = describe(&trace, "t", &options, &Catalog::english()).html(&Drawings::default());
    let wrong = |html: &str| {
        let mut found = Found::default();
        check_html(html, "a page", &mut found);
        assert!(found.evaluated > 4, "{}", found.evaluated);
        found.wrong.len()
    };
    assert_eq!(wrong(&html), 0);
    // The gradient of w5, in a product of three factors.
    let result = "<mn>0.0821670</mn>";
    assert!(html.contains(result), "{html}");
    assert!(wrong(&html.replace(result, "<mn>0.0921670</mn>")) > 0);
    let document = json::document(&trace, "t", (&example.training, Focus::All), None);
    for path in ["/layers/0/z/0/1", "/layers/1/delta/0/0", "/layers/1/weight_gradient/2"] {
        let mut changed = document.clone();
        let number = changed.pointer_mut(path).expect("a number");
        *number = (number.as_f64().expect("a number") * 1.001).into();
        let mut found = Found::default();
        check_json(&changed, false, "a document", &mut found);
        assert!(!found.wrong.is_empty(), "{path}");
    }
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
