//! Well-known worked examples of back propagation, with the numbers that their authors published.
//!
//! Each is a file beside this one, as a person writes her own. What no file can say, such as how many of thirty starts
//! learn, is computed here.

use super::Trace;
use super::worked::{Expectation, Expected, NetworkExample, Subject, WorkedExample};
use crate::data::{Dataset, Features, Targets};
use crate::differentiate::differences::{beside, central};
use crate::differentiate::reverse;
use crate::error::Result;
use crate::execute::reference;
use crate::graph::Builder;
use crate::network::{Activation, Cost, Initializer, Layer, Network};
use crate::train::{Machine, Silent, train};

/// A file, and files with more numbers of the same source, each with what its numbers are called.
struct File {
    name: &'static str,
    text: &'static str,
    more: &'static [(&'static str, &'static str)],
}

static FILES: [File; 6] = [
    File { name: "mazur", text: include_str!("mazur.toml"), more: &[] },
    File { name: "wikidocs", text: include_str!("wikidocs.toml"), more: &[] },
    File { name: "ng", text: include_str!("ng.toml"), more: &[] },
    File {
        name: "circuit",
        text: include_str!("circuit.toml"),
        more: &[("(x + y) z", include_str!("circuit-sum.toml"))],
    },
    File {
        name: "micrograd",
        text: include_str!("micrograd.toml"),
        more: &[
            ("(a b + c) f", include_str!("micrograd-leaves.toml")),
            ("b=a+a, c=b+b", include_str!("micrograd-twice.toml")),
        ],
    },
    File { name: "xor", text: include_str!("xor.toml"), more: &[] },
];

/// The names of the examples.
pub const NAMES: &[&str] = &["mazur", "wikidocs", "ng", "circuit", "micrograd", "xor"];

/// A number that must come out, and ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What it is, in symbols.
    pub quantity: String,
    /// What it must be.
    pub expected: Expected,
    /// Where that comes from: published, computed, a bound.
    pub source: String,
    /// What we compute.
    pub computed: f64,
    /// Why an expected number is wrong where it differs.
    pub erratum: Option<String>,
}

impl Claim {
    pub(super) fn new(expectation: &Expectation, computed: f64) -> Self {
        let Expectation { quantity, number, source, erratum } = expectation.clone();
        Self { quantity, expected: number, source, computed, erratum }
    }

    fn of(quantity: impl Into<String>, expected: Expected, source: &str, computed: f64) -> Self {
        Self { quantity: quantity.into(), expected, source: source.to_owned(), computed, erratum: None }
    }

    /// Whether our number is the expected one, to its last digit.
    pub fn agrees(&self) -> bool {
        match &self.expected {
            Expected::Below(bound) => self.computed < *bound,
            Expected::AtLeast(bound) => self.computed >= *bound,
            Expected::Digits(text) => {
                let number: f64 = text.parse().unwrap_or(f64::NAN);
                let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
                let after = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len()) as i32;
                let exponent: i32 = exponent.parse().unwrap_or(0);
                let unit: f64 = format!("1e{}", exponent.saturating_sub(after)).parse().unwrap_or(0.0);
                // Authors round or truncate: one unit of the last digit, and the rounding of f64.
                (self.computed - number).abs() <= unit * 1.01 + 1e-15 * number.abs()
            }
        }
    }
}

/// A worked example.
#[derive(Debug)]
pub struct Example {
    /// Its name.
    pub name: &'static str,
    /// What its file says.
    pub worked: WorkedExample,
    /// The expected numbers and ours: those of its files, and those that no file can say.
    pub claims: Vec<Claim>,
}

/// The file of the example of that name, and the files with more of its numbers.
pub fn files(name: &str) -> Option<Vec<&'static str>> {
    let file = FILES.iter().find(|file| file.name == name)?;
    Some([file.text].into_iter().chain(file.more.iter().map(|(_, text)| *text)).collect())
}

/// The example of that name.
///
/// # Errors
/// Never for a name of the list; absent for another.
pub fn find(name: &str) -> Option<Result<Example>> {
    FILES.iter().find(|file| file.name == name).map(example)
}

fn example(file: &'static File) -> Result<Example> {
    let File { name, text, more } = file;
    let worked = WorkedExample::parse(text, name)?;
    let mut claims = worked.claims()?;
    for (prefix, text) in *more {
        let more = WorkedExample::parse(text, prefix)?.claims()?;
        claims.extend(
            more.into_iter()
                .map(|claim| Claim { quantity: format!("{prefix}: {}", claim.quantity), ..claim }),
        );
    }
    if let Subject::Network(network) = &worked.subject {
        match *name {
            "ng" => claims.extend(of_course(network)?),
            "xor" => claims.push(of_starts(network)?),
            _ => {}
        }
    }
    Ok(Example { name, worked, claims })
}

/// What the course says beside its network's numbers: slopes, costs with regularization, the gradient check.
fn of_course(example: &NetworkExample) -> Result<Vec<Claim>> {
    let mut claims = Vec::new();
    for (x, published) in
        [(-1.0, "0.196612"), (-0.5, "0.235004"), (0.0, "0.250000"), (0.5, "0.235004"), (1.0, "0.196612")]
    {
        let builder = Builder::new();
        let input = builder.input("z", []);
        let (id, output) = (input.id().expect("legal"), input.sigmoid().id().expect("legal"));
        let graph = builder.finish().expect("a legal graph");
        let gradients = reverse(&graph, output, &[id])?;
        let slope = reference(&gradients.graph, &[vec![x]])[gradients.nodes[0].index()][0];
        claims.push(Claim::of(
            format!("sigmoid'({x})"),
            Expected::Digits(published.into()),
            "published",
            slope,
        ));
    }
    for (lambda, digits) in [(1.0, "2.116086984943"), (3.0, "2.146359815024")] {
        let mut example = example.clone();
        example.network.regularization.l2 = lambda;
        example.network.regularization.divide_by_batch = true;
        let cost = example.trace()?.cost();
        claims.push(Claim::of(
            format!("J, lambda {lambda}"),
            Expected::Digits(digits.into()),
            "computed",
            cost,
        ));
    }
    claims.push(gradient_check("gradient check", &example.trace()?, usize::MAX));
    claims.push(course_network()?);
    Ok(claims)
}

/// The course's network for digits, 400-25-10, with its regularization: the gradient check on a sample of
/// its weights. The course's images are not ours to ship; any numbers do for a gradient.
fn course_network() -> Result<Claim> {
    let mut network = Network::dense(400, &[25], 10, Activation::Sigmoid, Cost::SigmoidCrossEntropy);
    for layer in &mut network.layers {
        if let Layer::Dense(dense) = layer {
            dense.initializer = Some(Initializer::Uniform(0.12));
        }
    }
    network.regularization.l2 = 1.0;
    network.regularization.divide_by_batch = true;
    let parameters: Vec<Vec<f64>> = network.initialize(4)?;
    let features: Vec<f64> = (0..5 * 400).map(|at| f64::from(at * 37 % 101) / 100.0).collect();
    let targets: Vec<f64> = (0..50).map(|at| f64::from(u8::from(at % 10 == at / 10))).collect();
    let trace = Trace::new(&network, &parameters, &features, &targets, 5)?;
    Ok(gradient_check("400-25-10, the same", &trace, 12))
}

/// The course's own check: two-sided differences with a step of 1e-4, for all numbers of each parameter, or for
/// about `most` of them.
fn gradient_check(quantity: &str, trace: &Trace, most: usize) -> Claim {
    let lowered = trace.lowered();
    let mut values: Vec<Vec<f64>> = lowered.graph.ids().map(|id| trace.value(id).to_vec()).collect();
    let cost = |values: &[Vec<f64>]| reference(&lowered.graph, values)[lowered.cost.index()][0];
    let (mut difference, mut sum) = (0.0, 0.0);
    for (place, id) in lowered.parameters.iter().enumerate() {
        let gradient = trace.gradient(place);
        for at in (0..gradient.len()).step_by(1 + gradient.len() / most) {
            let numeric = beside(&mut values, (id.index(), at), cost, |w, f| central(w, 1e-4, f));
            difference += (numeric - gradient[at]) * (numeric - gradient[at]);
            sum += (numeric + gradient[at]) * (numeric + gradient[at]);
        }
    }
    Claim::of(quantity, Expected::Below(1e-9), "bound", (difference / sum).sqrt())
}

/// How many of thirty starts learn.
fn of_starts(example: &NetworkExample) -> Result<Claim> {
    let NetworkExample { network, inputs, targets, rows, .. } = example;
    let data = Dataset::new(
        Features::dense(inputs.clone(), network.inputs)?,
        Targets::values(targets.clone(), network.outputs())?,
    )?;
    let mut training = example.training.clone();
    training.epochs = 3000;
    let all: Vec<usize> = (0..*rows).collect();
    let mut learnt = 0;
    for seed in 0..30 {
        training.seed = seed;
        let trained =
            train::<f64>(network, &training, &data, &all, &[], &Machine::with_threads(1), &mut Silent)?;
        let trace = Trace::new(network, &trained.parameters, inputs, targets, *rows)?;
        let prediction = trace.lowered().prediction;
        if (0..*rows).all(|row| (trace.at(prediction, row, 0) - targets[row]).abs() < 0.5) {
            learnt += 1;
        }
    }
    Ok(Claim::of("of 30 starts, learnt", Expected::AtLeast(20.0), "bound", f64::from(learnt)))
}
