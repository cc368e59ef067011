//! What planning drops, merges and reuses.

use pullback::differentiate::reverse;
use pullback::execute::{Executor, Machine, reference};
use pullback::graph::{Builder, NodeId, Var};
use pullback::network::{Activation, Cost, Image, Layer, Mode, Network};
use pullback::plan::{Gradient, Plan};

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
        let own = pullback::plan::Place::Buffer(instruction.buffer);
        assert!(instruction.inputs.iter().all(|(place, _)| *place != own), "{instruction:?}");
    }
    let shared = plan.elements();
    let all: usize = plan.instructions.iter().map(|instruction| instruction.shape.elements()).sum();
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
    let plan = Plan::with_gradients(&backward.graph, &[lowered.cost], &pairs);
    assert!(plan.elements() < kept.plan().elements(), "a gradient's memory serves the next");
    let mut handed_out = Executor::<f64>::new(plan, &Machine::with_threads(1));
    fill(&mut handed_out);
    handed_out.run(&parameters);
    assert_eq!(handed_out.output(0), kept.output(0));
    let inside = |gradient: &&Gradient| gradient.is_updated_inside;
    let updated = handed_out.plan().gradients.iter().filter(inside).map(|gradient| gradient.parameter);
    assert_eq!(updated.collect::<Vec<_>>(), [2, 0], "the large weights, of the second and the first layer");
    let mut changed = parameters.clone();
    // The gradient is written to one state, and how often each of its numbers is met to the other.
    let mut states: Vec<[Vec<f64>; 3]> = parameters
        .iter()
        .map(|numbers| [vec![0.0; numbers.len()], vec![0.0; numbers.len()], Vec::new()])
        .collect();
    handed_out.run_gradients(&mut changed, &mut states, |_, gradient, [numbers, first, second, _]| {
        first.copy_from_slice(gradient);
        second.iter_mut().for_each(|times| *times += 1.0);
        // Whoever read the parameter after this would make the other gradients NaN.
        numbers.fill(f64::NAN);
    });
    for (position, [gradient, times, _]) in states.iter().enumerate() {
        assert_eq!(gradient, kept.output(1 + position), "gradient {position}");
        assert!(times.iter().all(|times| *times == 1.0), "each number of gradient {position} is met once");
    }
    assert!(changed.iter().flatten().all(|number| number.is_nan()));
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
        let plan = Plan::with_gradients(&graph, outputs, &pairs);
        let [first, second] = &plan.gradients[..] else { panic!("two gradients") };
        assert!(first.after == second.after && first.is_updated_inside && !second.is_updated_inside);
        let mut executor = Executor::<f64>::new(plan, &Machine::with_threads(1));
        let numbers =
            |count: usize| (0..count).map(|i| (i * i % 17) as f64 * 0.25 - 2.0).collect::<Vec<f64>>();
        executor.input_mut(0).copy_from_slice(&numbers(7 * 96));
        executor.input_mut(1).copy_from_slice(&numbers(7 * 90));
        let before = [numbers(96 * 90), numbers(96 * 90)];
        let values =
            reference(&graph, &[numbers(7 * 96), numbers(7 * 90), before[0].clone(), before[1].clone()]);
        let mut after = before.clone();
        let mut states = vec![[const { Vec::new() }; 3]; 2];
        executor.run(&after);
        executor.run_gradients(&mut after, &mut states, |_, gradient, [numbers, ..]| {
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
