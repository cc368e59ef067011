//! Well-known worked examples of back propagation, with the numbers that their authors published.

use super::Trace;
use crate::data::{Dataset, Features, Targets};
use crate::differentiate::differences::{beside, central};
use crate::differentiate::reverse;
use crate::error::Result;
use crate::execute::reference;
use crate::graph::{Builder, Graph, NodeId, Var};
use crate::network::{Activation, Cost, Initializer, Layer, Network};
use crate::train::{Batch, Machine, Optimizer, Silent, Training, train};

/// The names of the examples.
pub const NAMES: &[&str] = &["mazur", "ng", "circuit", "micrograd", "xor"];

/// What was published.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Published {
    /// A number to these digits.
    Digits(&'static str),
    /// A number below this bound.
    Below(f64),
    /// A number of at least this.
    AtLeast(f64),
}

/// A published number and ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What it is, in symbols.
    pub quantity: String,
    /// What was published.
    pub published: Published,
    /// What we compute.
    pub computed: f64,
    /// Why a published number is wrong where it differs.
    pub erratum: Option<&'static str>,
}

impl Claim {
    fn digits(quantity: impl Into<String>, published: &'static str, computed: f64) -> Self {
        Self { quantity: quantity.into(), published: Published::Digits(published), computed, erratum: None }
    }

    /// Whether our number is the published one, to its last digit.
    pub fn agrees(&self) -> bool {
        match self.published {
            Published::Below(bound) => self.computed < bound,
            Published::AtLeast(bound) => self.computed >= bound,
            Published::Digits(text) => {
                let number: f64 = text.parse().expect("published numbers are numbers");
                let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
                let after = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len()) as i32;
                let exponent: i32 = exponent.parse().expect("an exponent is a number");
                let unit: f64 = format!("1e{}", exponent - after).parse().expect("a power of ten");
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
    /// Who published it, where.
    pub source: &'static str,
    /// What can be explained of it.
    pub subject: Subject,
    /// How it is trained.
    pub training: Training,
    /// The published numbers and ours.
    pub claims: Vec<Claim>,
}

/// What an example is of.
#[derive(Debug)]
pub enum Subject {
    /// A network.
    Network(Box<Trace>),
    /// A circuit of single numbers: the graph with its backward pass, the values of all nodes, and for
    /// each node the derivative of the output with respect to it.
    Circuit {
        /// The graph of the circuit.
        graph: Graph,
        /// The values of its nodes.
        values: Vec<f64>,
        /// The derivatives of its output.
        derivatives: Vec<Option<f64>>,
    },
}

/// The example of that name.
///
/// # Errors
/// Never for a name of the list; absent for another.
pub fn find(name: &str) -> Option<Result<Example>> {
    Some(match name {
        "mazur" => mazur(),
        "ng" => ng(),
        "circuit" => Ok(circuit()),
        "micrograd" => Ok(micrograd()),
        "xor" => xor(),
        _ => return None,
    })
}

fn sgd(rate: f64) -> Training {
    Training {
        optimizer: Optimizer::Sgd,
        learning_rate: Some(rate),
        batch: Batch::Full,
        ..Training::default()
    }
}

fn sigmoid_layers(inputs: usize, units: &[usize], cost: Cost, last_is_sigmoid: bool) -> Network {
    let mut layers = Vec::new();
    for (at, &units_here) in units.iter().enumerate() {
        layers.push(Layer::dense(units_here));
        if at + 1 < units.len() || last_is_sigmoid {
            layers.push(Layer::function(Activation::Sigmoid));
        }
    }
    Network { inputs, image: None, named: Vec::new(), layers, cost, regularization: Default::default() }
}

fn mazur() -> Result<Example> {
    let network = sigmoid_layers(2, &[2, 2], Cost::SquaredError, true);
    let mut parameters =
        vec![vec![0.15, 0.20, 0.25, 0.30], vec![0.35; 2], vec![0.40, 0.45, 0.50, 0.55], vec![0.60; 2]];
    let pass = |parameters: &[Vec<f64>]| Trace::new(&network, parameters, &[0.05, 0.10], &[0.01, 0.99], 1);
    let first = pass(&parameters)?;
    let (weights, outputs) = (first.gradient(0).to_vec(), first.gradient(2).to_vec());
    let mut claims = vec![
        Claim::digits("out_h1", "0.593269992", first.at(first.dense()[1].input, 0, 0)),
        Claim::digits("out_h2", "0.596884378", first.at(first.dense()[1].input, 0, 1)),
        Claim::digits("out_o1", "0.75136507", first.at(first.lowered().prediction, 0, 0)),
        Claim::digits("out_o2", "0.772928465", first.at(first.lowered().prediction, 0, 1)),
        Claim::digits("E", "0.298371109", first.cost()),
        Claim::digits("delta_o1", "0.138498562", first.at(first.dense()[1].delta, 0, 0)),
        Claim::digits("dE/dw5", "0.082167041", outputs[0]),
        Claim::digits("dE/dw1", "0.000438568", weights[0]),
    ];
    // Only the weights are updated, not the biases.
    let update = |parameters: &mut Vec<Vec<f64>>| -> Result<f64> {
        let trace = pass(parameters)?;
        for place in [0, 2] {
            for (w, g) in parameters[place].iter_mut().zip(trace.gradient(place)) {
                *w -= 0.5 * g;
            }
        }
        Ok(trace.cost())
    };
    update(&mut parameters)?;
    let names = [("w1", "0.149780716"), ("w2", "0.19956143"), ("w3", "0.24975114"), ("w4", "0.29950229")];
    for (at, (name, published)) in names.into_iter().enumerate() {
        claims.push(Claim::digits(format!("{name} after a step"), published, parameters[0][at]));
    }
    let names = [("w5", "0.35891648"), ("w6", "0.408666186"), ("w7", "0.511301270"), ("w8", "0.561370121")];
    for (at, (name, published)) in names.into_iter().enumerate() {
        claims.push(Claim::digits(format!("{name} after a step"), published, parameters[2][at]));
    }
    claims.push(Claim {
        erratum: Some("the exact number is 0.29102777369359933"),
        ..Claim::digits("E after a step", "0.291027924", pass(&parameters)?.cost())
    });
    for _ in 1..9_999 {
        update(&mut parameters)?;
    }
    claims.push(Claim::digits("E after 9,999 steps", "0.0000351085", pass(&parameters)?.cost()));
    update(&mut parameters)?;
    claims.push(Claim::digits("E after 10,000 steps", "3.510187782979e-5", pass(&parameters)?.cost()));
    Ok(Example {
        name: "mazur",
        source: "M. Mazur, \"A Step by Step Backpropagation Example\", 2015",
        subject: Subject::Network(Box::new(first)),
        training: sgd(0.5),
        claims,
    })
}

/// The course's numbers that need no random start: sin(1), sin(2), ... over 10, column by column.
fn sines(rows: usize, columns: usize) -> Vec<Vec<f64>> {
    let sine = |n: usize| {
        // The sine by its series after folding; a library's own may differ between machines.
        let x = n as f64 % std::f64::consts::TAU;
        let (mut term, mut sum, mut k) = (x, x, 1.0);
        while term.abs() > 1e-18 {
            term *= -x * x / ((k + 1.0) * (k + 2.0));
            sum += term;
            k += 2.0;
        }
        sum / 10.0
    };
    (0..rows).map(|row| (0..columns).map(|column| sine(column * rows + row + 1)).collect()).collect()
}

fn ng() -> Result<Example> {
    let mut network = sigmoid_layers(3, &[5, 3], Cost::SigmoidCrossEntropy, false);
    let (first, second) = (sines(5, 4), sines(3, 6));
    let weights = |theta: &[Vec<f64>]| theta.iter().flat_map(|row| row[1..].to_vec()).collect::<Vec<f64>>();
    let biases = |theta: &[Vec<f64>]| theta.iter().map(|row| row[0]).collect::<Vec<f64>>();
    let parameters = vec![weights(&first), biases(&first), weights(&second), biases(&second)];
    let features: Vec<f64> = sines(5, 3).concat();
    let targets: Vec<f64> = [2, 3, 1, 2, 3]
        .iter()
        .flat_map(|&class| (1..=3).map(move |at| f64::from(u8::from(at == class))))
        .collect();
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
        claims.push(Claim::digits(format!("sigmoid'({x})"), published, slope));
    }
    let mut trace = Trace::new(&network, &parameters, &features, &targets, 5)?;
    for (lambda, published) in [(0.0, "2.100950569902"), (1.0, "2.116086984943"), (3.0, "2.146359815024")] {
        network.regularization.l2 = lambda;
        network.regularization.divide_by_batch = true;
        let pass = Trace::new(&network, &parameters, &features, &targets, 5)?;
        claims.push(Claim::digits(format!("J, lambda {lambda}"), published, pass.cost()));
        if lambda == 0.0 {
            trace = pass;
        }
    }
    let bias = trace.gradient(1).to_vec();
    let published =
        ["-0.009278252358", "0.008899119596", "-0.008360107617", "0.007628135511", "-0.0067479837"];
    for (unit, published) in published.into_iter().enumerate() {
        claims.push(Claim::digits(format!("dJ/dTheta(1)[{},0]", unit + 1), published, bias[unit]));
    }
    let published = ["0.1640908188", "0.05757364935", "0.05045758549"];
    for (unit, published) in published.into_iter().enumerate() {
        let found = trace.gradient(2)[unit * 5];
        claims.push(Claim::digits(format!("dJ/dTheta(2)[{},1]", unit + 1), published, found));
    }
    claims.push(gradient_check("gradient check", &trace, usize::MAX));
    claims.push(course_network()?);
    Ok(Example {
        name: "ng",
        source: "A. Ng, Machine Learning, exercise 4: the network of its gradient check",
        subject: Subject::Network(Box::new(trace)),
        training: sgd(1.0),
        claims,
    })
}

/// The course's network for digits, 400-25-10, with its regularization: the gradient check on a sample of
/// its weights. The course's images are not ours to ship; any numbers do for a gradient.
fn course_network() -> Result<Claim> {
    let mut network = sigmoid_layers(400, &[25, 10], Cost::SigmoidCrossEntropy, false);
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
    Claim {
        quantity: quantity.into(),
        published: Published::Below(1e-9),
        computed: (difference / sum).sqrt(),
        erratum: None,
    }
}

/// Runs a circuit of named numbers; the claims are by name, "" for the output.
fn run_circuit(
    name: &'static str,
    source: &'static str,
    inputs: &[(&str, f64)],
    circuit: impl for<'b> Fn(&[Var<'b>]) -> Var<'b>,
    published: &[(&str, &'static str)],
) -> Example {
    let builder = Builder::new();
    let vars: Vec<Var<'_>> = inputs.iter().map(|(name, _)| builder.input(name, [])).collect();
    let output = circuit(&vars).id().expect("the circuits are legal");
    let graph = builder.finish().expect("the circuits are legal");
    let leaves: Vec<NodeId> = (inputs.iter()).filter_map(|(name, _)| graph.find(name)).collect();
    let backward = reverse(&graph, output, &leaves).expect("a circuit ends in one number");
    let given: Vec<Vec<f64>> = inputs.iter().map(|(_, number)| vec![*number]).collect();
    let all = reference(&backward.graph, &given);
    let derivatives: Vec<Option<f64>> =
        graph.ids().map(|id| backward.adjoints[id.index()].map(|bar| all[bar.index()][0])).collect();
    let claims = (published.iter())
        .map(|(quantity, digits)| {
            let computed = match graph.find(quantity) {
                Some(id) => derivatives[id.index()].unwrap_or(0.0),
                None => all[output.index()][0],
            };
            let quantity = if quantity.is_empty() { "f".to_owned() } else { format!("df/d{quantity}") };
            Claim::digits(quantity, digits, computed)
        })
        .collect();
    let values = graph.ids().map(|id| all[id.index()][0]).collect();
    Example {
        name,
        source,
        subject: Subject::Circuit { graph, values, derivatives },
        training: sgd(0.01),
        claims,
    }
}

fn circuit() -> Example {
    let sum = run_circuit(
        "circuit",
        "",
        &[("x", -2.0), ("y", 5.0), ("z", -4.0)],
        |v| (v[0] + v[1]) * v[2],
        &[("", "-12"), ("x", "-4"), ("y", "-4"), ("z", "3")],
    );
    let mut example = run_circuit(
        "circuit",
        "CS231n, \"Backpropagation, intuitions\": (x + y) z, and the neuron with a sigmoid",
        &[("w0", 2.0), ("x0", -1.0), ("w1", -3.0), ("x1", -2.0), ("w2", -3.0)],
        |v| (v[0] * v[1] + v[2] * v[3] + v[4]).sigmoid(),
        &[("", "0.73"), ("w0", "-0.20"), ("x0", "0.39"), ("w1", "-0.39"), ("x1", "-0.59"), ("w2", "0.20")],
    );
    example.claims.splice(
        0..0,
        sum.claims
            .into_iter()
            .map(|claim| Claim { quantity: format!("(x + y) z: {}", claim.quantity), ..claim }),
    );
    example
}

fn micrograd() -> Example {
    let mut example = run_circuit(
        "micrograd",
        "A. Karpathy, micrograd: the neuron, the expression with five leaves, and a node used twice",
        &[("x1", 2.0), ("x2", 0.0), ("w1", -3.0), ("w2", 1.0), ("b", 6.881_373_587_019_543)],
        |v| (v[0] * v[2] + v[1] * v[3] + v[4]).tanh(),
        &[("", "0.7071"), ("x1", "-1.5"), ("w1", "1.0"), ("x2", "0.5"), ("w2", "0.0")],
    );
    let leaves = run_circuit(
        "",
        "",
        &[("a", 2.0), ("b", -3.0), ("c", 10.0), ("f", -2.0)],
        |v| (v[0] * v[1] + v[2]) * v[3],
        &[("", "-8"), ("a", "6"), ("b", "-4"), ("c", "-2"), ("f", "4")],
    );
    let twice = run_circuit("", "", &[("a", 3.0)], |v| (v[0] + v[0]) + (v[0] + v[0]), &[("a", "4")]);
    for (prefix, other) in [("(a b + c) f", leaves), ("b=a+a, c=b+b", twice)] {
        example.claims.extend(
            other
                .claims
                .into_iter()
                .map(|claim| Claim { quantity: format!("{prefix}: {}", claim.quantity), ..claim }),
        );
    }
    example
}

fn xor() -> Result<Example> {
    let network = sigmoid_layers(2, &[2, 1], Cost::SquaredError, true);
    let features = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let targets = [0.0, 1.0, 1.0, 0.0];
    let data = Dataset::new(Features::dense(features.to_vec(), 2)?, Targets::values(targets.to_vec(), 1)?)?;
    let mut training = sgd(2.0);
    training.optimizer = Optimizer::Momentum { momentum: 0.9 };
    training.epochs = 3000;
    let mut solved = 0;
    let mut shown = None;
    for seed in 0..30 {
        training.seed = seed;
        let trained = train::<f64>(
            &network,
            &training,
            &data,
            &[0, 1, 2, 3],
            &[],
            &Machine::with_threads(1),
            &mut Silent,
        )?;
        let trace = Trace::new(&network, &trained.parameters, &features, &targets, 4)?;
        let prediction = trace.lowered().prediction;
        if (0..4).all(|row| (trace.at(prediction, row, 0) - targets[row]).abs() < 0.5) {
            solved += 1;
            shown.get_or_insert(trace);
        }
    }
    let last = match shown {
        Some(trace) => trace,
        None => Trace::new(&network, &network.initialize(0)?, &features, &targets, 4)?,
    };
    Ok(Example {
        name: "xor",
        source: "D. Rumelhart, G. Hinton, R. Williams, \"Learning internal representations by error propagation\", 1986",
        claims: vec![Claim {
            quantity: "of 30 starts, learnt".into(),
            published: Published::AtLeast(20.0),
            computed: f64::from(solved),
            erratum: None,
        }],
        subject: Subject::Network(Box::new(last)),
        training,
    })
}
