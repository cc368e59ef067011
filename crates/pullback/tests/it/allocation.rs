//! A step allocates nothing: held by an allocator that counts.

use crate::layers::{for_each_case, network};
use pullback::differentiate::reverse;
use pullback::execute::{Backend, Executor, Isa, Machine, Precision};
use pullback::model::Model;
use pullback::network::{Activation, Cost, Image, Layer, Mode, Network};
use pullback::plan::{Change, Plan, Target, Update};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    /// Counted by thread, because tests run beside each other.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// The bytes that the thread holds, less those that it gave back for others, and the most of them.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// What a call returns, and the most bytes that this thread holds more than before meanwhile.
pub(crate) fn peak_bytes<V>(call: impl FnOnce() -> V) -> (V, usize) {
    let before = HELD.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    let value = call();
    (value, (PEAK.with(Cell::get) - before) as usize)
}

// SAFETY: passes everything on to the system's allocator.
#[allow(unsafe_code, reason = "an allocator can only be wrapped so")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        let held = HELD.with(Cell::get).saturating_add_unsigned(layout.size());
        HELD.with(|now| now.set(held));
        PEAK.with(|peak| peak.set(peak.get().max(held)));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.with(|held| held.set(held.get().saturating_sub_unsigned(layout.size())));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_step_allocates_nothing() {
    let check_on = |network: &Network, threads: usize, isa: Isa, precision: Precision| {
        let batch = 48;
        let lowered = network.lower(batch, Mode::Training).unwrap();
        let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
        let change = Change::Update(Update { rule: 0, states: 2, is_piecewise: true });
        let pairs = gradients.nodes.iter().zip(&lowered.parameters);
        let targets: Vec<Target> =
            pairs.map(|(node, parameter)| Target { node: *node, parameter: *parameter, change }).collect();
        let plan = Plan::with_changes(&gradients.graph, &[lowered.cost], &targets, None);
        let mut executor = Executor::<f32>::new(plan, &Machine { isa, threads, precision });
        let parameters = network.initialize(0).unwrap().into_iter();
        let mut residents: Vec<Vec<f32>> =
            parameters.flat_map(|numbers| [numbers.clone(), numbers.clone(), numbers]).collect();
        let mut step = || {
            for input in &lowered.inputs {
                executor.gather(input.place, batch, &|_, numbers: &mut [f32]| numbers.fill(0.5));
            }
            executor.run(&residents);
            executor.change(
                &mut residents,
                &|_: usize, gradient: &[f32], [parameter, ..]: [&mut [f32]; 4]| {
                    parameter.iter_mut().zip(gradient).for_each(|(w, g)| *w -= 0.01 * g);
                },
            );
        };
        step();
        let before = ALLOCATIONS.with(Cell::get);
        assert!(before > 0, "the allocator counts");
        step();
        step();
        let made = ALLOCATIONS.with(Cell::get) - before;
        assert_eq!(made, 0, "allocations in two steps of {:?} on {threads} threads", network.layers);
    };
    let check = |network: &Network, threads: usize| {
        check_on(network, threads, Isa::best(), Precision::F32);
    };
    for_each_case(|_, _, case| check(&network(&case), 1));
    let classes = Cost::SoftmaxCrossEntropy;
    for name in Activation::NAMES {
        check(&Network::dense(20, &[16, 8], 5, name.parse().unwrap(), classes), 1);
    }
    for name in Cost::NAMES {
        check(&Network::dense(20, &[16], 5, Activation::Tanh, name.parse().unwrap()), 1);
    }
    let mut network = Network::dense(20, &[16, 8], 5, Activation::Relu, classes);
    network.layers.insert(1, Layer::batch_norm());
    network.layers.insert(3, Layer::dropout(0.5));
    network.layers.insert(5, Layer::layer_norm());
    network.regularization.l2 = 0.1;
    network.regularization.l1 = 0.1;
    check(&network, 1);
    let mut network = Network::dense(196, &[8], 5, Activation::Relu, classes);
    network.image = Some(Image { height: 14, width: 14, channels: 1 });
    let relu = || Layer::function(Activation::Relu);
    let front = [Layer::convolution(6, 3), relu(), Layer::max_pool(2), Layer::convolution(9, 3), relu()];
    network.layers.splice(0..0, front);
    check(&network, 1);
    check(&network, 2);
    let network = Network::dense(400, &[300], 10, Activation::Relu, classes);
    check(&network, 2);
    for isa in [Isa::best(), Isa::portable(), Isa::amx_emulated()] {
        check_on(&network, 2, isa, Precision::Bf16);
        check_on(&network, 2, isa, Precision::Bf16x3);
    }
}

#[test]
fn a_prediction_allocates_nothing() {
    let network = Network::dense(40, &[30], 5, Activation::Relu, Cost::SoftmaxCrossEntropy);
    let parameters = network.initialize::<f32>(0).unwrap();
    let model = Model::new(network, parameters).unwrap();
    for threads in [1, 2] {
        let predictor = model.predictor(&Machine::with_threads(threads)).unwrap();
        for rows in [1, 3, 300] {
            let (inputs, mut outputs) = (vec![0.5; rows * 40], vec![0.0; rows * 5]);
            predictor.write(&inputs, &mut outputs).unwrap();
            let before = ALLOCATIONS.with(Cell::get);
            predictor.write(&inputs, &mut outputs).unwrap();
            let made = ALLOCATIONS.with(Cell::get) - before;
            assert_eq!(made, 0, "allocations in a prediction of {rows} rows on {threads} threads");
        }
    }
}
