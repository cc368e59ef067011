//! What planning drops, merges and reuses.

use pullback::differentiate::reverse;
use pullback::execute::{Backend, Executor, Machine, Reference, reference};
use pullback::graph::{Builder, NodeId, Var};
use pullback::network::{Activation, Cost, Image, Layer, Mode, Network};
use pullback::plan::{Action, Change, Instruction, Place, Plan, Target, Update};

fn id(var: Var<'_>) -> NodeId {
    var.id().unwrap()
}

fn operations(plan: &Plan) -> Vec<&'static str> {
    plan.instructions.iter().flat_map(|instruction| instruction.names()).collect()
}

#[test]
fn what_no_output_needs_is_dropped() {
    let builder = Builder::new();
    let x = builder.input("x", [3]);
    let wanted = id(x.exp());
    let _ = x.tanh().sum_all();
    let graph = builder.finish().unwrap();
    assert_eq!(operations(&Plan::new(&graph, &[wanted])), ["exp"]);
}

#[test]
fn equal_nodes_are_computed_once() {
    let builder = Builder::new();
    let x = builder.input("x", [3]);
    let y = builder.input("y", [3]);
    let wanted = id(x.exp() * y + x.exp() * y);
    let graph = builder.finish().unwrap();
    assert_eq!(operations(&Plan::new(&graph, &[wanted])), ["exp", "multiply", "scale"]);
}

#[test]
fn copies_are_not_made() {
    let builder = Builder::new();
    let x = builder.input("x", [3]);
    let wanted = id(x.reshape([3]).broadcast([3]).exp());
    let graph = builder.finish().unwrap();
    assert_eq!(operations(&Plan::new(&graph, &[wanted])), ["exp"]);
}

#[test]
fn a_forward_pass_of_a_hundred_layers_needs_few_buffers() {
    let network = Network::dense(64, &[64; 100], 10, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let lowered = network.lower(32, Mode::Evaluation).unwrap();
    let plan = Plan::new(&lowered.graph, &[lowered.prediction]);
    assert!(plan.instructions.len() > 100);
    assert!(plan.buffers.len() <= 3, "{} buffers", plan.buffers.len());
    assert!(plan.buffers.iter().all(|&elements| elements <= 32 * 64));
}

#[test]
fn no_instruction_writes_what_it_reads_or_what_is_still_needed() {
    let network = Network::dense(6, &[5, 4], 3, Activation::Gelu, Cost::SoftmaxCrossEntropy);
    let lowered = network.lower(7, Mode::Training).unwrap();
    let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
    let mut outputs = vec![lowered.cost];
    outputs.extend(&gradients.nodes);
    let plan = Plan::new(&gradients.graph, &outputs);
    for instruction in &plan.instructions {
        for (own, _) in &instruction.writes {
            assert!(instruction.reads.iter().all(|(place, _)| place != own), "{instruction:?}");
        }
    }
    let shared = plan.elements();
    let all: usize = plan.instructions.iter().map(|instruction| instruction.writes[0].1.elements()).sum();
    assert!(shared < all, "{shared} elements for {all}");
    let mut places: Vec<_> = plan.outputs.iter().map(|(place, _)| format!("{place:?}")).collect();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), outputs.len(), "outputs do not share a place");
}

#[test]
fn an_executor_runs_again_with_other_numbers() {
    let builder = Builder::new();
    let x = builder.input("x", [2]);
    let w = builder.parameter("w", [2]);
    let wanted = id((x * w).sum_all());
    let graph = builder.finish().unwrap();
    let mut executor = Executor::<f64>::new(Plan::new(&graph, &[wanted]), &Machine::with_threads(1));
    executor.input_mut(0).copy_from_slice(&[1.0, 2.0]);
    executor.run(&[vec![3.0, 4.0]]);
    assert_eq!(executor.output(0), [11.0]);
    executor.input_mut(0).copy_from_slice(&[0.5, -1.0]);
    executor.run(&[vec![2.0, 3.0]]);
    assert_eq!(executor.output(0), [-2.0]);
}

/// The plan of a step of a network with one hidden layer, as names.
fn step_names(activation: Activation, cost: Cost) -> Vec<String> {
    step_names_of(&Network::dense(6, &[5], 3, activation, cost))
}

fn step_names_of(network: &Network) -> Vec<String> {
    let lowered = network.lower(7, Mode::Training).unwrap();
    let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
    let mut outputs = vec![lowered.cost];
    outputs.extend(&gradients.nodes);
    let plan = Plan::new(&gradients.graph, &outputs);
    plan.instructions.iter().map(|instruction| instruction.names().collect::<Vec<_>>().join(", ")).collect()
}

#[test]
fn a_convolution_takes_its_bias_and_activation_and_the_first_one_has_no_gradient_of_its_images() {
    let relu = Layer::function(Activation::Relu);
    let mut network = Network::dense(100, &[], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
    network.image = Some(Image { height: 10, width: 10, channels: 1 });
    let front = [Layer::convolution(4, 3), relu.clone(), Layer::max_pool(2), Layer::convolution(5, 3), relu];
    network.layers.splice(0..0, front);
    let names = step_names_of(&network);
    let count = |name: &str| names.iter().filter(|own| own.starts_with(name)).count();
    assert_eq!(count("convolution, add row, relu"), 2, "{names:?}");
    assert_eq!((count("filter gradient"), count("transposed convolution")), (2, 1), "{names:?}");
    assert!(names.contains(&"route to max, times slope".to_owned()), "{names:?}");
}

#[test]
fn a_step_is_a_product_for_each_product_with_the_rest_done_in_place() {
    for activation in [Activation::Relu, Activation::Tanh, Activation::Sigmoid] {
        assert_eq!(
            step_names(activation, Cost::SoftmaxCrossEntropy),
            [
                &format!("matrix product, add row, {}", activation.name()),
                "matrix product, add row",
                "softmax cross-entropy",
                "sum, scale",
                "sum",
                "matrix product",
                "matrix product, times slope",
                "sum",
                "matrix product",
            ]
        );
    }
    assert_eq!(
        step_names(Activation::Tanh, Cost::SigmoidCrossEntropy)[2..5],
        ["sigmoid cross-entropy", "sum, scale", "sum"]
    );
}

/// Runs a graph's plan and the reference on the same numbers; returns the plan.
fn check_values(build: impl FnOnce(&Builder) -> Vec<NodeId>) -> Plan {
    let builder = Builder::new();
    let outputs = build(&builder);
    let graph = builder.finish().unwrap();
    let numbers = |id: NodeId| {
        (0..graph.shape(id).elements()).map(|i| (0.7 * i as f64 - 1.3) / (1.0 + 0.3 * i as f64)).collect()
    };
    let values: Vec<Vec<f64>> = graph.ids().map(numbers).collect();
    let right = reference(&graph, &values);
    let plan = Plan::new(&graph, &outputs);
    let mut executor = Executor::<f64>::new(plan.clone(), &Machine::with_threads(1));
    let inputs = graph.ids().filter(|&id| matches!(graph.node(id).kind, pullback::graph::Kind::Input(_)));
    for (position, id) in inputs.enumerate() {
        executor.input_mut(position).copy_from_slice(&values[id.index()]);
    }
    executor.run::<Vec<f64>>(&[]);
    for (position, id) in outputs.iter().enumerate() {
        for (found, right) in executor.output(position).iter().zip(&right[id.index()]) {
            assert!((found - right).abs() <= 1e-14, "{found} for {right} in\n{graph}");
        }
    }
    plan
}

#[test]
fn a_result_that_others_read_is_not_changed_in_place() {
    let plan = check_values(|builder| {
        let z = builder.input("x", [3, 4]).product_transposed(false, builder.input("w", [4, 2]), false);
        let y = z.tanh();
        vec![id(y), id(y.scale(2.0)), id(z)]
    });
    assert_eq!(operations(&plan), ["matrix product", "tanh", "scale"]);
}

#[test]
fn operands_that_repeat_join_a_product_in_place() {
    let plan = check_values(|builder| {
        let z = builder.input("x", [37, 4]).product_transposed(false, builder.input("w", [4, 41]), false);
        let row = builder.input("row", [41]);
        let column = builder.input("column", [37, 1]);
        let single = builder.input("single", [1]);
        vec![id((column - (z * row)) * single + row)]
    });
    assert_eq!(operations(&plan), ["matrix product", "multiply", "subtract", "multiply", "add"]);
    assert_eq!(plan.instructions.len(), 1);
}

#[test]
fn biases_and_slopes_join_products() {
    let slopes: [fn(Var<'_>) -> (Var<'_>, Var<'_>); 3] = [
        |z| {
            let y = z.tanh();
            (y, 1.0 - y * y)
        },
        |z| {
            let y = z.sigmoid();
            (y, y * (1.0 - y))
        },
        |z| (z.relu(), z.step()),
    ];
    for slope in slopes {
        let plan = check_values(|builder| {
            let product = |left: &str, right: &str| {
                let left = builder.input(left, [17, 5]);
                left.product_transposed(false, builder.input(right, [5, 3]), false)
            };
            let (y, slope) = slope(product("x", "w") + builder.input("bias", [3]));
            vec![id(y), id(product("y_bar", "v") * slope)]
        });
        let names = operations(&plan);
        assert_eq!(names[..2], ["matrix product", "add row"]);
        assert_eq!(names[3..], ["matrix product", "times slope"]);
    }
}

#[test]
fn what_repeats_is_not_written_out() {
    let plan = check_values(|builder| {
        let x = builder.input("x", [5, 3]);
        let total = (x * x).sum_all();
        vec![id(total.broadcast([5, 3]) * x), id(x.sum(&[0]).broadcast([5, 3]) - x)]
    });
    assert_eq!(operations(&plan), ["sum of squares", "multiply", "sum", "subtract"]);
    // Where the result is larger than the other operand, the broadcast stays.
    check_values(|builder| {
        let (x, y) = (builder.input("x", [3]), builder.input("y", [3]));
        vec![id(x.broadcast([4, 3]) * y)]
    });
}

#[test]
fn only_the_whole_gradient_of_a_cost_comes_with_it() {
    let plan = check_values(|builder| {
        let (z, t) = (builder.input("z", [5, 3]), builder.input("t", [5, 3]));
        let cost = builder.apply(pullback::graph::ops::SoftmaxCrossEntropy, &[z, t]);
        let gradient = z.softmax() * t.sum_keeping(&[1]) - t;
        let other = z.softmax() * t.sum_keeping(&[0]) - t;
        vec![id(cost), id(gradient), id(other)]
    });
    // The softmax is read twice, so the gradient is not a by-product.
    assert!(operations(&plan).contains(&"softmax"));
    let plan = check_values(|builder| {
        let (z, t) = (builder.input("z", [35, 3]), builder.input("t", [35, 3]));
        let cost = builder.apply(pullback::graph::ops::SoftmaxCrossEntropy, &[z, t]);
        vec![id(cost), id(z.softmax() * t.sum_keeping(&[1]) - t)]
    });
    assert_eq!(operations(&plan), ["softmax cross-entropy"]);
    // Scaled, if nothing else reads it, and then once.
    let softmax = |scaled_twice: bool| {
        let plan = check_values(|builder| {
            let (z, t) = (builder.input("z", [35, 3]), builder.input("t", [35, 3]));
            let cost = builder.apply(pullback::graph::ops::SoftmaxCrossEntropy, &[z, t]);
            let gradient = (z.softmax() * t.sum_keeping(&[1]) - t).scale(0.3);
            vec![id(cost), id(if scaled_twice { gradient.scale(0.7) } else { gradient })]
        });
        operations(&plan)
    };
    assert_eq!(softmax(false), ["softmax cross-entropy"]);
    assert_eq!(softmax(true), ["softmax cross-entropy", "scale"]);
    let sigmoid = |targets: [usize; 2], factor: Option<f64>| {
        let plan = check_values(|builder| {
            let (z, t) = (builder.input("z", [35, 3]), builder.input("t", targets));
            let cost = builder.apply(pullback::graph::ops::SigmoidCrossEntropy, &[z, t]);
            let gradient = z.sigmoid() - t;
            vec![id(cost), id(factor.map_or(gradient, |factor| gradient.scale(factor)))]
        });
        operations(&plan)
    };
    assert_eq!(sigmoid([35, 3], None), ["sigmoid cross-entropy"]);
    assert_eq!(sigmoid([35, 3], Some(0.3)), ["sigmoid cross-entropy"]);
    // The targets repeat.
    assert_eq!(sigmoid([1, 3], Some(0.3))[0..2], ["sigmoid cross-entropy", "sigmoid"]);
}

#[test]
fn the_gradient_of_l2_joins_the_product_and_its_cost_writes_no_squares() {
    let mut network = Network::dense(6, &[5], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
    network.regularization.l2 = 0.1;
    assert_eq!(
        step_names_of(&network),
        [
            "matrix product, add row, relu",
            "matrix product, add row",
            "softmax cross-entropy",
            "sum, scale",
            "sum of squares, scale, add",
            "sum of squares, scale, add",
            "sum",
            "matrix product, add scaled",
            "matrix product, times slope",
            "sum",
            "matrix product, add scaled",
        ]
    );
    let plan = check_values(|builder| {
        let x = builder.input("x", [3, 5]);
        let product = x.product_transposed(false, builder.input("w", [5, 5]), false);
        let scaled = x.scale(0.3);
        vec![id(product + (scaled + scaled)), id((x * x).sum_all()), id(x + x)]
    });
    assert_eq!(operations(&plan), ["matrix product", "add scaled", "sum of squares", "scale"]);
    // What others read too is scaled once.
    let plan = check_values(|builder| {
        let x = builder.input("x", [3, 5]);
        let product = x.product_transposed(false, builder.input("w", [5, 5]), false);
        let scaled = x.scale(0.3);
        vec![id(product + scaled), id(scaled)]
    });
    assert_eq!(operations(&plan), ["scale", "matrix product", "add"]);
}

#[test]
fn gradients_are_handed_out_when_their_parameter_is_no_longer_read() {
    let mut network = Network::dense(100, &[96, 90, 4], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    network.regularization.l2 = 0.1;
    let lowered = network.lower(7, Mode::Training).unwrap();
    let backward = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
    let parameters: Vec<Vec<f64>> = network.initialize(3).unwrap();
    let fill = |executor: &mut Executor<f64>| {
        for input in 0..2 {
            for (i, x) in executor.input_mut(input).iter_mut().enumerate() {
                *x = ((i * 7 + input) % 5) as f64 * 0.3 - 0.5;
            }
        }
    };

    let mut outputs = vec![lowered.cost];
    outputs.extend(&backward.nodes);
    let mut kept = Executor::<f64>::new(Plan::new(&backward.graph, &outputs), &Machine::with_threads(1));
    fill(&mut kept);
    kept.run(&parameters);

    let pairs: Vec<_> = backward.nodes.iter().copied().zip(lowered.parameters.iter().copied()).collect();
    let plan = Plan::with_changes(&backward.graph, &[lowered.cost], &updates(&pairs, 2), None);
    assert!(plan.elements() < kept.plan().elements(), "a gradient's memory serves the next");
    let mut handed_out = Executor::<f64>::new(plan, &Machine::with_threads(1));
    fill(&mut handed_out);
    // The gradient is written to one state, and how often each of its numbers is met to the other.
    let mut residents: Vec<Vec<f64>> = parameters
        .iter()
        .flat_map(|numbers| [numbers.clone(), vec![0.0; numbers.len()], vec![0.0; numbers.len()]])
        .collect();
    handed_out.run(&residents);
    assert_eq!(handed_out.output(0), kept.output(0));
    let updated = handed_out.plan().instructions.iter().filter_map(changed_inside);
    assert_eq!(updated.collect::<Vec<_>>(), [6, 0], "the large weights, of the second and the first layer");
    handed_out.change(
        &mut residents,
        &|_: usize, gradient: &[f64], [numbers, first, second, _]: [&mut [f64]; 4]| {
            first.copy_from_slice(gradient);
            second.iter_mut().for_each(|times| *times += 1.0);
            // Whoever read the parameter after this would make the other gradients NaN.
            numbers.fill(f64::NAN);
        },
    );
    for (position, residents) in residents.chunks(3).enumerate() {
        assert_eq!(residents[1], kept.output(1 + position), "gradient {position}");
        assert!(residents[2].iter().all(|times| *times == 1.0), "gradient {position} is met once");
        assert!(residents[0].iter().all(|number| number.is_nan()));
    }
}

/// Updates of parameters by gradients.
fn updates(pairs: &[(NodeId, NodeId)], states: usize) -> Vec<Target> {
    let change = Change::Update(Update { rule: 0, states, is_piecewise: true });
    pairs.iter().map(|&(node, parameter)| Target { parameter, node, change }).collect()
}

/// The resident that an instruction changes while it finds its gradient.
fn changed_inside(instruction: &Instruction) -> Option<usize> {
    matches!(instruction.epilogue.last()?.action, Action::Update(_)).then_some(())?;
    instruction.writes.iter().find_map(|(place, _)| match place {
        Place::Resident(resident) => Some(*resident),
        _ => None,
    })
}

#[test]
fn gradients_that_are_ready_at_once_are_handed_out_once_each() {
    let builder = Builder::new();
    let (x, y) = (builder.input("x", [7, 96]), builder.input("y", [7, 90]));
    let (p, q) = (builder.parameter("p", [96, 90]), builder.parameter("q", [96, 90]));
    let of_q = x.product_transposed(true, y, false);
    let of_p = x.product_transposed(true, (y * y) + (y * y), false) + q.scale(0.5);
    // The gradient of q is an output too, and so found before that of p, which still reads q. Both parameters
    // of the second pair have one gradient.
    let (id_p, id_q) = (id(p), id(q));
    let pairs = [(id(of_q), id_q), (id(of_p), id_p)];
    let pairs_of_one = [(id(of_p), id_p), (id(of_p), id_q)];
    let outputs = [id(of_q)];
    let graph = builder.finish().unwrap();
    for (pairs, outputs) in [(pairs, &outputs[..]), (pairs_of_one, &[])] {
        let plan = Plan::with_changes(&graph, outputs, &updates(&pairs, 0), None);
        let [.., first, second] = &plan.instructions[..] else { panic!("a product and an update") };
        assert!(
            changed_inside(first).is_some() && operations(&plan).ends_with(&["update", "update"]),
            "{plan}"
        );
        assert!(changed_inside(second).is_none());
        let mut executor = Executor::<f64>::new(plan, &Machine::with_threads(1));
        let numbers =
            |count: usize| (0..count).map(|i| (i * i % 17) as f64 * 0.25 - 2.0).collect::<Vec<f64>>();
        executor.input_mut(0).copy_from_slice(&numbers(7 * 96));
        executor.input_mut(1).copy_from_slice(&numbers(7 * 90));
        let before = [numbers(96 * 90), numbers(96 * 90)];
        let values =
            reference(&graph, &[numbers(7 * 96), numbers(7 * 90), before[0].clone(), before[1].clone()]);
        let mut after = before.clone();
        executor.run(&after);
        executor.change(&mut after, &|_: usize, gradient: &[f64], [numbers, ..]: [&mut [f64]; 4]| {
            numbers.iter_mut().zip(gradient).for_each(|(number, gradient)| *number -= gradient);
        });
        for (gradient, parameter) in pairs {
            let at = usize::from(parameter == id_q);
            let want =
                before[at].iter().zip(&values[gradient.index()]).map(|(number, gradient)| number - gradient);
            let off = want.zip(&after[at]).map(|(want, got)| (want - got).abs()).fold(0.0, f64::max);
            assert!(off < 1e-12, "parameter {at} is {off} off");
        }
    }
}

/// What each rewrite must not do: graphs of which one condition of a rewrite does not hold, by the condition. They keep
/// the reference's values, and the names show that the rewrite was left.
#[test]
fn each_condition_of_a_rewrite_is_held() {
    use pullback::graph::ops::{SigmoidCrossEntropy, SoftmaxCrossEntropy};
    let check = |condition: &str, absent: &str, build: &dyn Fn(&Builder) -> Vec<NodeId>| {
        let plan = check_values(|builder| build(builder));
        assert!(!operations(&plan).contains(&absent), "{condition}: `{absent}` in\n{plan}");
    };
    let holds = |condition: &str, present: &str, build: &dyn Fn(&Builder) -> Vec<NodeId>| {
        let plan = check_values(|builder| build(builder));
        assert!(operations(&plan).contains(&present), "{condition}: no `{present}` in\n{plan}");
    };
    fn input<'b>(builder: &'b Builder, name: &str, shape: impl Into<pullback::graph::Shape>) -> Var<'b> {
        builder.input(name, shape)
    }
    fn product<'b>(builder: &'b Builder, rows: usize, columns: usize) -> Var<'b> {
        let left = builder.input("left", [rows, 4]);
        left.product_transposed(false, builder.input("right", [4, columns]), false)
    }

    // The gradient of softmax cross-entropy.
    type Gradient = fn([Var<'_>; 3]) -> Vec<NodeId>;
    let softmax: [(&str, Gradient); 10] = [
        ("the sum is of the targets", |[z, t, x]| vec![id(z.softmax() * x.sum_keeping(&[1]) - t)]),
        ("the sum is over the last axis", |[z, t, _]| vec![id(z.softmax() * t.sum_keeping(&[0]) - t)]),
        ("the summed axis stays", |[z, t, _]| vec![id(z.softmax() * t.sum(&[1]) - t)]),
        ("the softmax is of the logits", |[_, t, x]| vec![id(x.softmax() * t.sum_keeping(&[1]) - t)]),
        ("the targets are subtracted", |[z, t, x]| vec![id(z.softmax() * t.sum_keeping(&[1]) - x)]),
        ("the targets are not subtracted from", |[z, t, _]| vec![id(t - z.softmax() * t.sum_keeping(&[1]))]),
        ("the targets are not added", |[z, t, _]| vec![id(z.softmax() * t.sum_keeping(&[1]) + t)]),
        ("the softmax is multiplied", |[z, t, _]| vec![id(z.softmax() + t.sum_keeping(&[1]) - t)]),
        ("nobody else reads the sum", |[z, t, _]| {
            let sum = t.sum_keeping(&[1]);
            vec![id(z.softmax() * sum - t), id(sum)]
        }),
        ("nobody else reads the product", |[z, t, _]| {
            let product = z.softmax() * t.sum_keeping(&[1]);
            vec![id(product - t), id(product)]
        }),
    ];
    for (condition, gradient) in softmax {
        holds(condition, "softmax", &|builder| {
            let [z, t, x] = ["z", "t", "x"].map(|name| input(builder, name, [3, 3]));
            let mut outputs = vec![id(builder.apply(SoftmaxCrossEntropy, &[z, t]))];
            outputs.extend(gradient([z, t, x]));
            outputs
        });
    }
    holds("softmax is no gradient of a sigmoid's cost", "softmax", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        let cost = builder.apply(SigmoidCrossEntropy, &[z, t]);
        vec![id(cost), id(z.softmax() * t.sum_keeping(&[1]) - t)]
    });
    holds("the exponential is no softmax", "exp", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        let cost = builder.apply(SoftmaxCrossEntropy, &[z, t]);
        vec![id(cost), id(z.exp() * t.sum_keeping(&[1]) - t)]
    });
    check("a broadcast that is not read reads nothing", "softmax", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [5, 3]));
        let cost = builder.apply(SoftmaxCrossEntropy, &[z, t]);
        vec![id(cost), id(z.softmax() * t.sum_keeping(&[1]).broadcast([5, 3]) - t)]
    });
    holds("the targets are not added to the sigmoid", "sigmoid", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        vec![id(builder.apply(SigmoidCrossEntropy, &[z, t])), id(z.sigmoid() + t)]
    });
    holds("tanh is no sigmoid", "tanh", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        vec![id(builder.apply(SigmoidCrossEntropy, &[z, t])), id(z.tanh() - t)]
    });
    holds("a sigmoid is no gradient of softmax's cost", "sigmoid", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        vec![id(builder.apply(SoftmaxCrossEntropy, &[z, t])), id(z.sigmoid() - t)]
    });
    holds("nobody else reads the sigmoid", "sigmoid", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        let sigmoid = z.sigmoid();
        vec![id(builder.apply(SigmoidCrossEntropy, &[z, t])), id(sigmoid - t), id(sigmoid)]
    });
    holds("nobody else reads a gradient that is scaled", "scale", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        let gradient = z.sigmoid() - t;
        vec![id(builder.apply(SigmoidCrossEntropy, &[z, t])), id(gradient.scale(0.3)), id(gradient)]
    });
    holds("a gradient is scaled once", "scale", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        let gradient = (z.sigmoid() - t).scale(0.3);
        vec![id(builder.apply(SigmoidCrossEntropy, &[z, t])), id(gradient.scale(0.7))]
    });
    holds("nothing is done in place to a cost that can bring its gradient", "scale", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        let cost = builder.apply(SigmoidCrossEntropy, &[z, t]);
        vec![id(cost.scale(0.5)), id(z.sigmoid() - t)]
    });

    holds("nor to one that brings it", "scale", &|builder| {
        let [z, t] = ["z", "t"].map(|name| input(builder, name, [3, 3]));
        let (cost, gradient) = (builder.apply(SigmoidCrossEntropy, &[z, t]), z.sigmoid() - t);
        vec![id(gradient), id(cost.scale(0.5))]
    });

    // Doubles and squares.
    check("only a double joins a scale", "double", &|builder| {
        vec![id(input(builder, "x", [5]).scale(0.3).scale(0.7))]
    });
    check("a scale that is doubled is nothing else", "double", &|builder| {
        let y = input(builder, "x", [5]).scale(0.3).exp();
        vec![id(y + y)]
    });
    check("nobody else reads a scale that is doubled", "double", &|builder| {
        let y = input(builder, "x", [5]).scale(0.3);
        vec![id(y + y), id(y)]
    });
    check("a sum of squares is of one factor", "sum of squares", &|builder| {
        vec![id((input(builder, "x", [3, 4]) * input(builder, "y", [3, 4])).sum_all())]
    });
    check("a sum of squares is of all", "sum of squares", &|builder| {
        let x = input(builder, "x", [3, 4]);
        vec![id((x * x).sum(&[0]))]
    });
    check("nobody else reads the squares", "sum of squares", &|builder| {
        let x = input(builder, "x", [3, 4]);
        vec![id((x * x).sum_all()), id(x * x)]
    });

    // What starts from a row, and what adds a scaled number.
    check("nothing was done to what starts from a row", "add row", &|builder| {
        vec![id(product(builder, 5, 3).scale(3.0) + input(builder, "row", [3]))]
    });
    check("nobody else reads what starts from a row", "add row", &|builder| {
        let z = product(builder, 5, 3);
        vec![id(z + input(builder, "row", [3])), id(z)]
    });
    check("a row is no matrix", "add row", &|builder| {
        vec![id(product(builder, 5, 3) + input(builder, "matrix", [5, 3]))]
    });
    check("a row is as long as the product's", "add row", &|builder| {
        vec![id(product(builder, 5, 3) + input(builder, "single", [1]))]
    });
    check("only products start from a row", "add row", &|builder| {
        vec![id(input(builder, "x", [5, 3]).exp() + input(builder, "row", [3]))]
    });
    check_values(|builder| {
        // The second row cannot be started from too.
        vec![id(product(builder, 5, 3) + input(builder, "row", [3]) + input(builder, "row_too", [3]))]
    });
    check("what is scaled has the sum's shape", "add scaled", &|builder| {
        vec![id(input(builder, "x", [4, 5, 3]).exp() + input(builder, "y", [4, 1, 3]).scale(0.3))]
    });
    check("nobody else reads the sum", "add scaled", &|builder| {
        let sum = input(builder, "x", [4, 3]).exp();
        vec![id(sum + input(builder, "y", [4, 3]).scale(0.3)), id(sum)]
    });

    // Slopes.
    let slope = |condition: &str, build: &dyn for<'b> Fn(Var<'b>, Var<'b>) -> Vec<Var<'b>>| {
        check(condition, "times slope", &|builder| {
            let (y, w) = (input(builder, "x", [5, 3]).tanh(), input(builder, "w", [5, 3]));
            let mut nodes = build(y, w);
            let factor = nodes.remove(0);
            let mut outputs = vec![id(y), id(product(builder, 5, 3) * factor)];
            outputs.extend(nodes.into_iter().map(id));
            outputs
        });
    };
    slope("1 - y z", &|y, w| vec![1.0 - y * w]);
    slope("2 - y y", &|y, _| vec![2.0 - y * y]);
    slope("y y - 1", &|y, _| vec![y * y - 1.0]);
    slope("y (1 - z)", &|y, w| vec![y * (1.0 - w)]);
    slope("y (2 - y)", &|y, _| vec![y * (2.0 - y)]);
    slope("y (y - 1)", &|y, _| vec![y * (y - 1.0)]);
    slope("1 - exp(y)", &|y, _| vec![1.0 - y.exp()]);
    slope("1 - 2 y", &|y, _| vec![1.0 - (y + y)]);
    slope("y (1 + y)", &|y, _| vec![y * (1.0 + y)]);
    slope("y (1 / y)", &|y, _| vec![y * (1.0 / y)]);
    slope("1 - y y is read elsewhere", &|y, _| {
        let slope = 1.0 - y * y;
        vec![slope, slope]
    });
    slope("y y is read elsewhere", &|y, _| {
        let square = y * y;
        vec![1.0 - square, square]
    });
    slope("1 - y is read elsewhere", &|y, _| {
        let rest = 1.0 - y;
        vec![y * rest, rest]
    });
    check("stages follow", "times slope", &|builder| {
        // The slope is found in place of its own activation, which is then gone.
        let step = input(builder, "x", [5, 3]).relu().step();
        vec![id(product(builder, 5, 3) * step)]
    });
    check("what is multiplied is read elsewhere", "times slope", &|builder| {
        let (z, y) = (product(builder, 5, 3), input(builder, "x", [5, 3]).tanh());
        vec![id(z * (1.0 - y * y)), id(z), id(y)]
    });
    check("the slope has the shape of what is multiplied", "times slope", &|builder| {
        let (z, y) = (input(builder, "x", [4, 5, 3]).exp(), input(builder, "y", [4, 1, 3]).tanh());
        vec![id(z * (1.0 - y * y)), id(y)]
    });

    // What is done in place, and what repeats.
    let plan = check_values(|builder| {
        let product = product(builder, 5, 3);
        vec![id(product * input(builder, "x", [5, 3]).exp())]
    });
    assert_eq!(operations(&plan), ["exp", "matrix product", "multiply"], "a product's end before another");
    holds("what repeats by neither rows nor columns is written out", "broadcast", &|builder| {
        let y = input(builder, "y", [4, 1, 3]).broadcast([4, 5, 3]);
        vec![id(input(builder, "x", [4, 5, 3]) * y)]
    });
    check("what no output needs has no step", "relu", &|builder| {
        let z = input(builder, "z", [5, 3]);
        let _ = z.relu();
        vec![id(z.step())]
    });
    check_values(|builder| vec![id(input(builder, "x", [4, 5, 3]).exp() * input(builder, "y", [4, 1, 3]))]);
    check_values(|builder| vec![id(input(builder, "x", [3]).exp() * input(builder, "y", [4, 3]))]);
    check_values(|builder| vec![id(input(builder, "x", [6]).reshape([2, 3]).softmax())]);
    check_values(|builder| vec![id(input(builder, "x", [3]).broadcast([4, 3]).softmax())]);
    // A buffer that is read twice is free once.
    check_values(|builder| {
        let y = input(builder, "x", [4, 3]).softmax();
        let square = y.product_transposed(false, y, true).softmax();
        let (one, two) = (square.sum(&[0]), square.sum(&[1]));
        vec![id(one.softmax() * two.softmax())]
    });
}

/// Runs a step with changes on the executor and on the reference, and compares what has become of the residents.
fn check_step(
    what: &str,
    graph: &pullback::graph::Graph,
    outputs: &[NodeId],
    targets: &[Target],
    clip_norm: Option<f64>,
) -> Plan {
    let plan = Plan::with_changes(graph, outputs, targets, clip_norm);
    let numbers = |count: usize, seed: usize| {
        (0..count).map(|i| ((i * i + 3 * i + seed) % 17) as f64 * 0.02 - 0.13).collect::<Vec<f64>>()
    };
    let residents: Vec<pullback_kernels::Array<f64>> = (plan.residents.iter().enumerate())
        .map(|(seed, named)| pullback_kernels::Array::from(&numbers(named.shape.elements(), seed)[..]))
        .collect();
    let rules = |rule: usize, gradient: &[f64], [weights, first, second, _]: [&mut [f64]; 4]| {
        for (i, (w, g)) in weights.iter_mut().zip(gradient).enumerate() {
            *w -= 0.1 * (1 + rule) as f64 * g;
            if let Some(x) = first.get_mut(i) {
                *x = 0.9 * *x + g;
            }
            if let Some(x) = second.get_mut(i) {
                *x += g * g;
            }
        }
    };
    let inputs: Vec<usize> = plan.inputs.iter().map(|input| input.shape.elements()).collect();
    let run = |backend: &mut dyn Backend<f64>| {
        let mut residents = residents.clone();
        for (input, elements) in inputs.iter().enumerate() {
            backend.upload(input, &numbers(*elements, 5 + input));
        }
        backend.run(&mut residents, &rules);
        backend.run(&mut residents, &rules);
        let outputs: Vec<Vec<f64>> = (0..outputs.len()).map(|output| backend.download(output)).collect();
        (residents, outputs)
    };
    let (right, right_outputs) = run(&mut Reference::new(graph, outputs, targets, clip_norm));
    for threads in [1, 3] {
        let mut executor = Executor::new(plan.clone(), &Machine::with_threads(threads));
        let (found, found_outputs) = run(&mut executor);
        let found = found.iter().flat_map(|numbers| &numbers[..]).chain(found_outputs.iter().flatten());
        let right = right.iter().flat_map(|numbers| &numbers[..]).chain(right_outputs.iter().flatten());
        for (found, right) in found.zip(right) {
            let error = (found - right).abs() / right.abs().max(1.0);
            assert!(error < 1e-12, "{what}, {threads} threads: {found} for {right} in\n{plan}");
        }
    }
    plan
}

#[test]
fn each_condition_of_a_change_is_held() {
    /// Larger than what is worth updating inside.
    const SIDE: usize = 96;
    let rule = |is_piecewise| Change::Update(Update { rule: 1, states: 2, is_piecewise });
    type Build = fn(&Builder) -> (Vec<NodeId>, Vec<(NodeId, NodeId)>);
    let cases: [(&str, bool, Build); 9] = [
        ("a product is updated inside", true, |b| {
            let (x, p) = (b.input("x", [SIDE, SIDE]), b.parameter("p", [SIDE, SIDE]));
            (vec![id(p.sum_all())], vec![(id(x.product_transposed(true, x, false)), id(p))])
        }),
        ("the product does not read the parameter", false, |b| {
            let (x, p) = (b.input("x", [SIDE, SIDE]), b.parameter("p", [SIDE, SIDE]));
            (vec![id(p.sum_all())], vec![(id(p.product_transposed(false, x, false)), id(p))])
        }),
        ("the product starts from no row", false, |b| {
            let (x, p) = (b.input("x", [SIDE, SIDE]), b.parameter("p", [SIDE, SIDE]));
            let gradient = x.product_transposed(true, x, false) + b.input("row", [SIDE]);
            (vec![id(p.sum_all())], vec![(id(gradient), id(p))])
        }),
        ("what is done in place reads the same piece of the parameter", true, |b| {
            let (x, p) = (b.input("x", [SIDE, SIDE]), b.parameter("p", [SIDE, SIDE]));
            let gradient = x.product_transposed(true, x, false) + p.scale(0.1);
            (vec![id(p.sum_all())], vec![(id(gradient), id(p))])
        }),
        ("another product reads the parameter later", true, |b| {
            let (x, p) = (b.input("x", [SIDE, SIDE]), b.parameter("p", [SIDE, SIDE]));
            let q = b.parameter("q", [SIDE, SIDE]);
            let of_p = x.product_transposed(true, x, false);
            let of_q = x.product_transposed(true, p, false);
            (vec![], vec![(id(of_p), id(p)), (id(of_q), id(q))])
        }),
        ("the gradient is found before the outputs are", false, |b| {
            let (x, p) = (b.input("x", [SIDE, SIDE]), b.parameter("p", [SIDE, SIDE]));
            let gradient = id(x.product_transposed(true, x, false));
            (vec![gradient], vec![(gradient, id(p))])
        }),
        ("the gradient is put off behind the outputs", true, |b| {
            let (x, p) = (b.input("x", [SIDE, SIDE]), b.parameter("p", [SIDE, SIDE]));
            let gradient = id(x.product_transposed(true, x, false));
            (vec![id(x.softmax().sum_all())], vec![(gradient, id(p))])
        }),
        ("the gradient is read once more", true, |b| {
            let (x, p) = (b.input("x", [SIDE, SIDE]), b.parameter("p", [SIDE, SIDE]));
            let (q, last) = (b.parameter("q", [SIDE, SIDE]), p.sum_all());
            let of_p = x.product_transposed(true, x, false);
            (vec![id(last)], vec![(id(of_p), id(p)), (id(of_p.exp().softmax()), id(q))])
        }),
        ("the gradient of another is made of the gradient", false, |b| {
            let (x, p) = (b.input("x", [SIDE, SIDE]), b.parameter("p", [SIDE, SIDE]));
            let q = b.parameter("q", [SIDE, SIDE]);
            let of_p = x.product_transposed(true, x, false);
            let last = (p + q).sum_all();
            (vec![id(last)], vec![(id(of_p), id(p)), (id(of_p.exp().softmax()), id(q))])
        }),
    ];
    for (what, is_inside, build) in cases {
        for (is_piecewise, clip_norm) in [(true, None), (false, None), (true, Some(0.5))] {
            let builder = Builder::new();
            let (outputs, pairs) = build(&builder);
            let graph = builder.finish().unwrap();
            let targets: Vec<Target> = (pairs.iter())
                .map(|&(node, parameter)| Target { parameter, node, change: rule(is_piecewise) })
                .collect();
            let plan = check_step(what, &graph, &outputs, &targets, clip_norm);
            let inside = plan.instructions.iter().filter_map(changed_inside).count() > 0;
            assert_eq!(inside, is_inside && is_piecewise && clip_norm.is_none(), "{what}:\n{plan}");
        }
    }
    // The memory of a gradient serves the next; of clipped ones, all are there, and one is scaled after the other.
    let builder = Builder::new();
    let x = builder.input("x", [SIDE, SIDE]);
    let targets = ["p", "q", "r"].map(|name| {
        let factors = builder.input(name, [SIDE, SIDE]);
        let (node, parameter) = (x.product(factors), builder.parameter(name, [SIDE, SIDE]));
        Target { parameter: id(parameter), node: id(node), change: rule(true) }
    });
    let graph = builder.finish().unwrap();
    for (clip_norm, elements) in [(None, SIDE * SIDE), (Some(0.5), 4 * SIDE * SIDE + 1)] {
        let plan = check_step("three gradients", &graph, &[], &targets, clip_norm);
        assert_eq!(plan.elements(), elements, "{plan}");
    }
    // A gradient that comes with a cost stays with it: others read the cost.
    let builder = Builder::new();
    let (p, t) = (builder.parameter("p", [5, 3]), builder.input("t", [5, 3]));
    let cost = builder.apply(pullback::graph::ops::SigmoidCrossEntropy, &[p, t]);
    let (gradient, after) = (p.sigmoid() - t, (cost * cost).exp());
    let (outputs, gradient, later) = ([id(after)], id(gradient), id((p * p).sum_all()));
    let parameter = id(p);
    let graph = builder.finish().unwrap();
    let target = Target { parameter, node: gradient, change: rule(true) };
    check_step("a cost's own gradient", &graph, &[outputs[0], later], &[target], None);
}

#[test]
fn a_whole_step_agrees_with_the_reference_for_every_kind_of_change() {
    let mut network = Network::dense(100, &[96, 20], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    network.layers.insert(1, Layer::batch_norm());
    network.regularization.l2 = 0.1;
    let lowered = network.lower(7, Mode::Training).unwrap();
    let specification = network.parameters().unwrap();
    let trained: Vec<usize> =
        (0..specification.len()).filter(|&place| specification[place].role.is_trained()).collect();
    let wrt: Vec<NodeId> = trained.iter().map(|&place| lowered.parameters[place]).collect();
    let backward = reverse(&lowered.graph, lowered.cost, &wrt).unwrap();
    for states in 0..3 {
        for clip_norm in [None, Some(0.01), Some(1e9)] {
            let change = Change::Update(Update { rule: 0, states, is_piecewise: true });
            let mut targets: Vec<Target> = (wrt.iter().zip(&backward.nodes))
                .map(|(&parameter, &node)| Target { parameter, node, change })
                .collect();
            targets.extend(lowered.statistics.iter().map(|&(place, node)| Target {
                parameter: lowered.parameters[place],
                node,
                change: Change::Store,
            }));
            check_step("a network", &backward.graph, &[lowered.cost], &targets, clip_norm);
        }
    }
}

#[test]
fn codes_that_name_no_row_have_the_same_value_in_a_plan_as_in_the_reference() {
    use pullback::graph::ops::{GatherRows, ScatterAddRows};
    for width in [1, 7, 8, 9, 17, 31] {
        let builder = Builder::new();
        let (table, codes) = (builder.input("table", [3, width]), builder.input("codes", [7]));
        let rows = builder.apply(GatherRows, &[table, codes]);
        let added = builder.apply(ScatterAddRows { rows: 3 }, &[builder.input("x", [7, width]), codes]);
        let outputs = [id(rows), id(added)];
        let graph = builder.finish().unwrap();
        let numbers = |count: usize| (0..count).map(|i| (i * i % 23) as f64 * 0.3 - 2.0).collect::<Vec<_>>();
        let given = [
            numbers(3 * width),
            vec![2.0, -0.5, 3.0, f64::NAN, 1.75, 1e30, 2.5],
            vec![],
            numbers(7 * width),
            vec![],
        ];
        let right = reference(&graph, &given);
        for threads in [1, 3] {
            let plan = Plan::new(&graph, &outputs);
            let mut executor = Executor::<f64>::new(plan, &Machine::with_threads(threads));
            for (place, numbers) in [&given[0], &given[1], &given[3]].into_iter().enumerate() {
                executor.input_mut(place).copy_from_slice(numbers);
            }
            executor.run::<Vec<f64>>(&[]);
            for (output, node) in outputs.iter().enumerate() {
                let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(executor.output(output)), bits(&right[node.index()]), "width {width}");
            }
            let named = executor.output(0).chunks(width).map(|row| !row[0].is_nan());
            assert_eq!(named.collect::<Vec<_>>(), [true, false, false, false, true, false, true]);
        }
    }
}

#[test]
fn a_plan_prints_itself() {
    let network = Network::dense(3, &[2], 1, Activation::Tanh, Cost::SquaredError);
    let lowered = network.lower(4, Mode::Training).unwrap();
    let backward = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
    let pairs: Vec<_> = backward.nodes.iter().copied().zip(lowered.parameters.iter().copied()).collect();
    let plan = Plan::with_changes(&backward.graph, &[lowered.cost], &updates(&pairs, 1), None);
    assert_eq!(plan.to_string(), PRINTED, "{plan}");
}

const PRINTED: &str = "\
i0 [4, 3] features
i1 [4, 1] targets
r0 [2, 3] layers.0.weight
r1 [2, 3] layers.0.weight.0
r2 [2] layers.0.bias
r3 [2] layers.0.bias.0
r4 [1, 2] layers.2.weight
r5 [1, 2] layers.2.weight.0
r6 [1] layers.2.bias
r7 [1] layers.2.bias.0
b0 [4, 2] = matrix product, add row, tanh: i0, r0, r2
b1 [4, 1] = matrix product, add row: b0, r4, r6
b2 [4, 1] = squared error: b1, i1
b3 [] = sum, scale: b2
-- all outputs are known --
b2 [4, 1] = subtract, scale: b1, i1
b1 [1] = sum: b2
r6 [1], r7 [1] = update: b1
b1 [4, 2] = matrix product, times slope: b2, r4, b0
b4 [1, 2] = matrix product: b2, b0
r4 [1, 2], r5 [1, 2] = update: b4
b4 [2] = sum: b1
r2 [2], r3 [2] = update: b4
b0 [2, 3] = matrix product: b1, i0
r0 [2, 3], r1 [2, 3] = update: b0
outputs b3
";
