//! What is drawn: its numbers are the graph's, every shape has a name, and drawings and animations are made of it.

use crate::worked::random;
use pullback::explain::{
    Anchor, Catalog, Expression, Figure, LANGUAGES, Level, Notation, READABLE, Role, Scene, Shape, Size,
    Steps, Subject, WorkedExample, animation, examples, picture, scene,
};
use pullback::network::{Activation, Cost, Network};
use pullback::train::Training;
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

fn catalogs() -> Vec<Catalog> {
    LANGUAGES.iter().map(|(code, _)| Catalog::find(code).unwrap()).collect()
}

fn example(name: &str) -> WorkedExample {
    examples::find(name).unwrap().unwrap().worked
}

fn formula(text: &str, at: &[(&str, f64)]) -> WorkedExample {
    let at = at.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
    WorkedExample {
        title: String::new(),
        source: String::new(),
        notation: Notation::default(),
        language: None,
        subject: Subject::Expression(Expression::parse(text, at).unwrap()),
        expect: Vec::new(),
    }
}

/// A network with weights of a seed on one example.
fn dense(inputs: usize, hidden: &[usize], outputs: usize) -> WorkedExample {
    let network = Network::dense(inputs, hidden, outputs, Activation::Tanh, Cost::SquaredError);
    let mut worked = example("mazur");
    let Subject::Network(own) = &mut worked.subject else { panic!("mazur is of a network") };
    own.parameters = network.initialize(1).unwrap();
    own.inputs = (0..inputs).map(|at| 0.3 - 0.1 * at as f64).collect();
    own.targets = (0..outputs).map(|at| 0.2 * at as f64).collect();
    own.network = network;
    own.names = Default::default();
    own.fixed = Vec::new();
    own.training = Training { learning_rate: Some(0.01), ..own.training.clone() };
    worked.notation = Notation::Plain;
    worked.expect = Vec::new();
    worked
}

/// What holds for every scene of every example.
fn check(scene: &Scene, what: &str) {
    assert!(!scene.name.is_empty() && !scene.sentence.is_empty(), "{what}: {scene:?}");
    let mut ids = BTreeSet::new();
    for shape in &scene.shapes {
        assert!(ids.insert(shape.id.clone()), "{what}: {} stands there twice", shape.id);
        let is_sentence = shape.name.ends_with('.') && shape.name.len() > 3 && !shape.name.contains('{');
        assert!(is_sentence, "{what}: {shape:?} has no name");
        let [from, until] = shape.during;
        assert!((0.0..=1.0).contains(&from) && from < until && until <= 1.0, "{what}: {shape:?}");
        let inside = |x: f64, y: f64| {
            x.is_finite()
                && y.is_finite()
                && (0.0..=scene.size.width).contains(&x)
                && (0.0..=scene.size.height).contains(&y)
        };
        let is_inside = match &shape.figure {
            Figure::Circle { x, y, r } => inside(x - r, y - r) && inside(x + r, y + r),
            Figure::Box { x, y, width, height } | Figure::Pixels { x, y, width, height, .. } => {
                inside(*x, *y) && inside(x + width, y + height)
            }
            Figure::Line { from, to } | Figure::Way { from, to } => {
                inside(from[0], from[1]) && inside(to[0], to[1])
            }
            Figure::Text { x, y, .. } => inside(*x, *y),
        };
        assert!(is_inside, "{what}: {shape:?} is outside of {:?}", scene.size);
    }
}

/// The scenes of all steps of a level, and of the end, in each language.
fn check_all(worked: &WorkedExample, level: Level, what: &str) {
    let steps = Steps::of(worked).unwrap();
    for catalog in catalogs() {
        let all = steps.at(level);
        for step in all.iter().map(Some).chain([None]) {
            check(&scene(&steps, step, Size::default(), &catalog), what);
        }
    }
}

#[test]
fn every_shape_of_every_step_has_a_name_and_stands_inside() {
    for name in examples::NAMES {
        check_all(&example(name), Level::Unit, name);
        check_all(&example(name), Level::Pass, name);
    }
    check_all(&dense(40, &[30], 12), Level::Layer, "a wide network");
    check_all(&dense(2, &[3; 7], 2), Level::Layer, "a network with spines");
    let twice = formula("b = a + a\nc = max(b * a, 2) ^ 2 / sigmoid(-a)", &[("a", 3.0)]);
    check_all(&twice, Level::Layer, "a formula");
    for seed in 0..60 {
        check_all(&random(seed), Level::Layer, &format!("network {seed}"));
    }
}

/// About where a text stands: left, top, right, bottom.
fn area_of_text(shape: &Shape) -> Option<[f64; 4]> {
    let Figure::Text { x, y, anchor, size } = shape.figure else { return None };
    let width = 0.58 * size * shape.text.width() as f64;
    let left = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - width / 2.0,
        Anchor::End => x - width,
    };
    Some([left, y - 0.74 * size, left + width, y + 0.2 * size])
}

/// No text of a scene stands on another one that is seen at the same time, and none leaves the drawing.
fn check_texts(scene: &Scene, what: &str) {
    let texts: Vec<(&Shape, [f64; 4])> =
        scene.shapes.iter().filter_map(|shape| Some((shape, area_of_text(shape)?))).collect();
    for (at, (shape, [left, top, right, bottom])) in texts.iter().enumerate() {
        let is_inside =
            *left >= 0.0 && *top >= 0.0 && *right <= scene.size.width && *bottom <= scene.size.height;
        assert!(is_inside, "{what}: {shape:?} leaves {:?}", scene.size);
        for (other, own) in &texts[at + 1..] {
            let is_beside = *left >= own[2] || own[0] >= *right || *top >= own[3] || own[1] >= *bottom;
            let is_apart = shape.during[1] <= other.during[0] || other.during[1] <= shape.during[0];
            assert!(is_beside || is_apart, "{what}: {shape:?} and {other:?}");
        }
    }
}

/// Networks with the names that files give and with long ones.
#[test]
fn numbers_can_be_read_in_networks_of_up_to_eight_units_a_layer() {
    let sizes: [(usize, &[usize], usize); 7] = [
        (2, &[2], 2),
        (3, &[3], 3),
        (4, &[8], 3),
        (8, &[8], 8),
        (2, &[8, 8], 1),
        (8, &[4, 4, 4], 2),
        (12, &[3], 20),
    ];
    let catalog = Catalog::english();
    for (inputs, hidden, outputs) in sizes {
        for has_long_names in [false, true] {
            let mut worked = dense(inputs, hidden, outputs);
            if let (Subject::Network(own), true) = (&mut worked.subject, has_long_names) {
                let names = |count: usize, what: &str| {
                    (0..count).map(|at| format!("{what}_{at}_가나다라마바사")).collect()
                };
                own.names.inputs = names(inputs, "measurement");
                own.names.outputs = names(outputs, "forecast");
            }
            let what = format!("{inputs}-{hidden:?}-{outputs}, long names: {has_long_names}");
            let steps = Steps::of(&worked).unwrap();
            for level in [Level::Unit, Level::Layer] {
                let all = steps.at(level);
                for (at, step) in all.iter().map(Some).chain([None]).enumerate() {
                    let what = format!("{what}, step {at} of {level:?}");
                    let drawn = scene(&steps, step, Size::fitting(&steps), &catalog);
                    check_texts(&drawn, &what);
                    check_texts(&scene(&steps, step, Size::default(), &catalog), &what);
                    if level == Level::Layer {
                        continue;
                    }
                    // What a unit's step works on is always shown, and the whole name of what has a short one.
                    let active =
                        drawn.shapes.iter().filter(|shape| shape.role == Role::Edge && shape.is_active);
                    for edge in active {
                        let id = edge.id.replace("edge", "weight");
                        assert!(drawn.shapes.iter().any(|shape| shape.id == id), "{what}: {id} is left out");
                    }
                }
            }
            let end = scene(&steps, None, Size::fitting(&steps), &catalog);
            if has_long_names {
                let mut names = end.shapes.iter().filter(|shape| shape.text.starts_with("meas"));
                let is_short = |own: &Shape| own.text.contains('…') && own.name.contains("_가나다라마바사");
                assert!(names.clone().count() > 0 && names.all(is_short), "{what}");
            }
        }
    }
}

/// Circles and boxes that are drawn in full do not meet.
fn check_units(scene: &Scene, what: &str) {
    let area = |shape: &Shape| match shape.figure {
        Figure::Circle { x, y, r } => Some([x - r, y - r, x + r, y + r]),
        Figure::Box { x, y, width, height } => Some([x, y, x + width, y + height]),
        _ => None,
    };
    let all: Vec<(&Shape, [f64; 4])> =
        scene.shapes.iter().filter_map(|shape| Some((shape, area(shape)?))).collect();
    for (at, (shape, own)) in all.iter().enumerate() {
        // A hundred spines stand side by side like the lines of a hatching.
        let others =
            all[at + 1..].iter().filter(|other| (shape.role, other.0.role) != (Role::Spine, Role::Spine));
        for (other, area) in others {
            let is_beside = own[0] >= area[2] || area[0] >= own[2] || own[1] >= area[3] || area[1] >= own[3];
            assert!(is_beside, "{what}: {shape:?} and {other:?}");
        }
    }
}

/// On a telephone as on a screen.
#[test]
fn a_drawing_of_a_readable_size_has_no_small_text_and_nothing_on_another() {
    let mut all: Vec<(String, WorkedExample)> =
        examples::NAMES.iter().map(|name| ((*name).to_owned(), example(name))).collect();
    let sizes: [(usize, &[usize], usize); 8] = [
        (2, &[2], 2),
        (2, &[8; 5], 2),
        (40, &[30], 12),
        (2, &[3; 7], 2),
        (2, &[64; 99], 1),
        (2, &[16; 99], 2),
        (8, &[4, 4, 4], 2),
        (1, &[], 1),
    ];
    for (inputs, hidden, outputs) in sizes {
        all.push((format!("{inputs}-{hidden:?}-{outputs}"), dense(inputs, hidden, outputs)));
    }
    let long = (0..30).map(|at| format!("v{} = v{} * {at} + tanh(v{})", at + 1, at, at)).collect::<Vec<_>>();
    let again = "(x + sigmoid(y)) / (sigmoid(x) + (x + y)^2)";
    all.push(("a formula that uses values again".into(), formula(again, &[("x", 3.0), ("y", -4.0)])));
    all.push(("a long formula".into(), formula(&long.join("\n"), &[("v0", -0.123_456)])));
    for (name, worked) in &all {
        let steps = Steps::of(worked).unwrap();
        for catalog in catalogs() {
            for room in [300.0, 700.0, 1000.0] {
                let all = steps.at(Level::Layer);
                for step in all.iter().step_by(all.len() / 20 + 1).map(Some).chain([None]) {
                    let drawn = scene(&steps, step, Size::readable(&steps, step, room), &catalog);
                    let what = format!("{name} in {room}");
                    check(&drawn, &what);
                    check_texts(&drawn, &what);
                    check_units(&drawn, &what);
                    for shape in &drawn.shapes {
                        let Figure::Text { size, .. } = shape.figure else { continue };
                        assert!(size >= READABLE - 0.05, "{what}: {shape:?}");
                    }
                }
            }
        }
    }
}

/// Of names that are too long, as much is shown as tells them apart; what a formula's nodes are called stays inside.
#[test]
fn long_names_are_told_apart() {
    let catalog = Catalog::english();
    let shown = |worked: &WorkedExample, what: &str| -> BTreeSet<String> {
        let steps = Steps::of(worked).unwrap();
        let all = steps.at(Level::Layer);
        for step in all.iter().map(Some).chain([None]) {
            check_texts(&scene(&steps, step, Size::default(), &catalog), what);
        }
        let end = scene(&steps, None, Size::default(), &catalog);
        let is_name =
            |text: &String| text.contains(" = ") || text.starts_with("pri") || text.starts_with("next");
        end.shapes.iter().map(|shape| shape.text.clone()).filter(is_name).collect()
    };
    let names = ["price_of_the_first_item", "price_of_the_second_item", "price_of_the_third_item"];
    let at: Vec<(&str, f64)> = names.iter().map(|name| (*name, -0.123_456_7)).collect();
    let text = format!(
        "sum_of_the_first_two_prices = {} + {}\nall_of_it_with_the_tax_on_top = sum_of_the_first_two_prices * {}",
        names[0], names[1], names[2]
    );
    assert_eq!(shown(&formula(&text, &at), "a formula").len(), 5);
    let mut worked = dense(3, &[3], 3);
    let Subject::Network(own) = &mut worked.subject else { panic!("it is a network") };
    own.names.inputs = names.map(str::to_owned).to_vec();
    own.names.outputs = names.map(|name| format!("next_{name}")).to_vec();
    let shown = shown(&worked, "a network");
    assert_eq!(shown.iter().filter(|name| name.contains('…')).count(), 6, "{shown:?}");
}

#[test]
fn every_weight_of_the_worked_examples_has_its_number_at_every_step() {
    for name in ["mazur", "wikidocs", "xor"] {
        let steps = Steps::of(&example(name)).unwrap();
        let all = steps.at(Level::Unit);
        for (at, step) in all.iter().map(Some).chain([None]).enumerate() {
            let drawn = scene(&steps, step, Size::fitting(&steps), &Catalog::english());
            let of = |role: Role| drawn.shapes.iter().filter(move |shape| shape.role == role);
            let weights = of(Role::Weight).filter(|shape| !shape.id.ends_with(".old")).count();
            assert_eq!(weights, of(Role::Edge).count(), "{name}, step {at}");
            check_texts(&drawn, &format!("{name}, step {at}"));
        }
    }
}

#[test]
fn a_hundred_layers_are_drawn_with_few_shapes() {
    let steps = Steps::of(&dense(64, &[64; 99], 64)).unwrap();
    let catalog = Catalog::english();
    let all = steps.at(Level::Layer);
    for step in all.iter().step_by(37).map(Some).chain([None]) {
        let drawn = scene(&steps, step, Size::default(), &catalog);
        check(&drawn, "100 layers");
        assert!(drawn.shapes.len() < 2000, "{} shapes", drawn.shapes.len());
        assert_eq!(drawn.shapes.iter().filter(|shape| shape.role == Role::Spine).count(), 98);
    }
    let end = scene(&steps, None, Size::default(), &catalog);
    let strengths: Vec<f64> = (end.shapes.iter())
        .filter(|shape| shape.role == Role::Spine)
        .map(|shape| shape.strength.expect("every delta is known at the end"))
        .collect();
    assert!(strengths.iter().all(|strength| (0.0..=1.0).contains(strength)), "{strengths:?}");
    assert!(
        strengths.iter().any(|strength| *strength < 0.5) && strengths.iter().any(|strength| *strength > 0.5)
    );
}

#[test]
fn numbers_of_a_scene_are_those_of_the_graph() {
    let worked = example("mazur");
    let trace = worked.trace().unwrap().unwrap();
    let Subject::Network(own) = &worked.subject else { panic!("mazur is of a network") };
    let steps = Steps::of(&worked).unwrap();
    let end = scene(&steps, None, Size::default(), &Catalog::english());
    let number = |id: &str| {
        let shape = end.shapes.iter().find(|shape| shape.id == id);
        shape.unwrap_or_else(|| panic!("{id} is not drawn")).number.expect("it has a number").to_bits()
    };
    let mut after = own.clone();
    after.advance(&mut Default::default()).unwrap();
    for (position, dense) in trace.dense().iter().enumerate() {
        let layer = position + 1;
        for unit in 0..dense.units {
            assert_eq!(number(&format!("sum.{layer}.{unit}")), trace.at(dense.sum, 0, unit).to_bits());
            assert_eq!(number(&format!("delta.{layer}.{unit}")), trace.at(dense.delta, 0, unit).to_bits());
            let activation = trace.at(dense.links[0].node, 0, unit);
            assert_eq!(number(&format!("activation.{layer}.{unit}")), activation.to_bits());
            for input in 0..dense.inputs {
                let (place, at) = (format!("{layer}.{unit}.{input}"), unit * dense.inputs + input);
                assert_eq!(number(&format!("gradient.{place}")), trace.gradient(dense.weight)[at].to_bits());
                assert_eq!(number(&format!("weight.{place}")), after.parameters[dense.weight][at].to_bits());
            }
        }
    }
    assert_eq!(number("cost.value"), trace.cost().to_bits());
    assert_eq!(number("cost.after"), after.trace().unwrap().cost().to_bits());
    assert_eq!(number("target.0"), 0.01_f64.to_bits());
}

#[test]
fn a_number_is_drawn_from_the_step_on_that_makes_it() {
    let steps = Steps::of(&example("mazur")).unwrap();
    let catalog = Catalog::english();
    let known = |at: usize, id: &str| {
        let step = &steps.at(Level::Unit)[at];
        scene(&steps, Some(step), Size::default(), &catalog).shapes.iter().any(|shape| shape.id == id)
    };
    // Four units, three numbers of the cost, two deltas, two units' gradients, two deltas, two units' gradients.
    for (id, made_at) in [
        ("activation.1.0", 0),
        ("activation.2.1", 3),
        ("cost.value", 6),
        ("delta.2.0", 7),
        ("delta.2.1", 8),
        ("gradient.2.0.0", 9),
        ("gradient.2.1.1", 10),
        ("delta.1.0", 11),
        ("gradient.1.1.0", 14),
    ] {
        assert!(!known(made_at.max(1) - 1, id) || made_at == 0, "{id} is drawn too early");
        assert!(known(made_at, id) && known(18, id), "{id} is drawn from its step on");
    }
    let old = |at: usize| {
        let step = &steps.at(Level::Unit)[at];
        let drawn = scene(&steps, Some(step), Size::default(), &catalog);
        drawn.shapes.iter().find(|shape| shape.id == "weight.2.0.0").map(|shape| shape.number.unwrap())
    };
    assert_eq!(old(14), Some(0.4));
    assert!((old(15).unwrap() - 0.358916479718).abs() < 1e-10, "the last pass changes it");
}

#[test]
fn a_formula_passes_on_what_arrives_times_the_local_derivative() {
    let steps = Steps::of(&formula("q = x + y\nf = q * z", &[("x", -2.0), ("y", 5.0), ("z", -4.0)])).unwrap();
    let end = scene(&steps, None, Size::default(), &Catalog::english());
    let derivatives: Vec<(String, f64)> = (end.shapes.iter())
        .filter(|shape| shape.role == Role::Derivative)
        .map(|shape| (shape.name.clone(), shape.number.unwrap()))
        .collect();
    for (name, value) in [("df/dx", -4.0), ("df/dy", -4.0), ("df/dz", 3.0), ("df/dq", -4.0), ("df/df", 1.0)] {
        let found = derivatives.iter().find(|(own, _)| own.contains(name));
        assert_eq!(found.map(|(_, number)| *number), Some(value), "{name}: {derivatives:?}");
    }
    // A value that is used twice has two parts, which its derivative adds up.
    let steps = Steps::of(&formula("b = a + a\nc = b + b", &[("a", 3.0)])).unwrap();
    let end = scene(&steps, None, Size::default(), &Catalog::english());
    let parts = end.shapes.iter().filter(|shape| shape.id.starts_with("part."));
    assert_eq!(parts.map(|shape| shape.number.unwrap()).collect::<Vec<_>>(), [2.0, 2.0, 1.0, 1.0]);
}

#[test]
fn a_step_of_an_example_of_a_batch_shows_its_numbers() {
    let worked = example("xor");
    let Subject::Network(own) = &worked.subject else { panic!("xor is of a network") };
    let steps = Steps::of(&worked).unwrap();
    let catalog = Catalog::english();
    let mut seen = BTreeSet::new();
    for step in steps.at(Level::Example).iter().filter(|step| step.example.is_some()) {
        let row = step.example.unwrap();
        let drawn = scene(&steps, Some(step), Size::fitting(&steps), &catalog);
        check_texts(&drawn, "a batch");
        let number = |id: &str| drawn.shapes.iter().find(|shape| shape.id == id).unwrap().number;
        for unit in 0..2 {
            assert_eq!(number(&format!("activation.0.{unit}")), Some(own.inputs[2 * row + unit]));
        }
        assert_eq!(number("target.0"), Some(own.targets[row]));
        let told = drawn.shapes.iter().find(|shape| shape.id == "example").unwrap();
        assert_eq!(told.text, format!("example {} of 4", row + 1));
        seen.insert(row);
    }
    assert_eq!(seen.len(), 4);
    // A picture of a step is of one of them.
    let one = picture(&steps, Some(2), &catalog).unwrap();
    assert!(one.contains(">example 2 of 4<"), "{one}");
}

#[test]
fn of_a_long_formula_the_part_around_the_step_is_drawn() {
    let lines: Vec<String> = (1..100).map(|at| format!("s{at} = s{} * x + {at}", at - 1)).collect();
    let worked = formula(&format!("s0 = x + 1\n{}", lines.join("\n")), &[("x", 0.5)]);
    let steps = Steps::of(&worked).unwrap();
    for catalog in catalogs() {
        for step in steps.at(Level::Layer).iter().step_by(29).map(Some).chain([None]) {
            let drawn = scene(&steps, step, Size::fitting(&steps), &catalog);
            check(&drawn, "a long formula");
            check_texts(&drawn, "a long formula");
            let gates = drawn.shapes.iter().filter(|shape| shape.role == Role::Gate);
            let active = gates.clone().filter(|shape| shape.is_active).count();
            let near = if step.is_some() { 1 } else { 0 };
            assert!(active == near && gates.clone().count() <= 8, "{active}: {step:?}");
            assert!(gates.count() > 1 && drawn.name.contains("19"), "{}", drawn.name);
        }
    }
    // A gate in the middle: the one that it reads with a number, and the one that reads it.
    let all = steps.at(Level::Layer);
    let drawn = scene(&steps, Some(&all[50]), Size::default(), &Catalog::english());
    let of = |role: Role| drawn.shapes.iter().filter(|shape| shape.role == role).count();
    assert_eq!((of(Role::Gate), of(Role::Variable)), (3, 1), "{drawn:?}");
}

/// The tags of a document nest, attributes are quoted, and entities are known: enough of XML's rules for what is
/// written here.
fn check_xml(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "{}", &rest[..at]);
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{open:?} are not closed");
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;"];
        assert!(known.iter().any(|own| text[at..].starts_with(own)), "{}", &text[at..at + 10]);
    }
}

#[test]
fn drawings_and_animations_are_xml_with_a_sentence_for_each_cue() {
    let mut all: Vec<(String, WorkedExample)> =
        examples::NAMES.iter().map(|name| ((*name).to_owned(), example(name))).collect();
    all.push(("a formula".into(), formula("f = a * b", &[("a", 3.0), ("b", -1.0)])));
    all.push(("seven layers".into(), dense(3, &[5; 8], 2)));
    for (what, worked) in &all {
        let steps = Steps::of(worked).unwrap().with_digits(4);
        for catalog in catalogs() {
            check_xml(&picture(&steps, None, &catalog).unwrap());
            check_xml(&picture(&steps, Some(1), &catalog).unwrap());
            let animation = animation(&steps, &catalog);
            check_xml(&animation.svg);
            let drawn = animation.svg.matches(" cue\">").count() + animation.svg.matches("\"cue\">").count();
            let vtt = animation.vtt();
            assert_eq!(drawn, animation.cues.len(), "{what}");
            assert_eq!(vtt.matches(" --> ").count(), animation.cues.len(), "{what}");
            assert!(vtt.starts_with("WEBVTT\n\n1\n00:00:00.000 --> "), "{vtt}");
            for pair in animation.cues.windows(2) {
                assert!((pair[0].until - pair[1].from).abs() < 1e-9, "{what}: a cue follows the one before");
            }
            for cue in &animation.cues {
                assert!(cue.until > cue.from && cue.sentence.ends_with('.'), "{what}: {cue:?}");
            }
            assert!(!animation.svg.contains("<script") && !animation.svg.contains("<foreignObject"));
        }
    }
    let steps = Steps::of(&example("mazur")).unwrap();
    let error = picture(&steps, Some(20), &Catalog::english()).unwrap_err();
    assert_eq!(error.to_string(), "there is no step 20");
}

#[test]
fn a_scene_is_a_value_that_programs_read() {
    let steps = Steps::of(&example("mazur")).unwrap();
    let drawn = scene(&steps, None, Size { width: 400.0, height: 300.0 }, &Catalog::english());
    let json = serde_json::to_value(&drawn).unwrap();
    let unit = json["shapes"].as_array().unwrap().iter().find(|shape| shape["id"] == "unit.1.0").unwrap();
    assert_eq!((unit["role"].as_str(), unit["figure"]["kind"].as_str()), (Some("unit"), Some("circle")));
    assert_eq!(json["size"]["width"], 400.0);
    assert!(json.to_string().len() < 40_000, "it is small enough to be made anew at each step");
}

#[test]
fn the_last_sentence_says_of_the_step_only_what_is_so() {
    let end = |worked: &WorkedExample| {
        let steps = Steps::of(worked).unwrap();
        scene(&steps, None, Size::default(), &Catalog::english()).sentence
    };
    let file = |input: f64, rate: f64| {
        let text = format!(
            "inputs = [{input}]\ntargets = [0.0]\nlearning_rate = {rate}\n[[layer]]\nweights = [[1.0]]\nbiases = [0.0]"
        );
        end(&WorkedExample::parse(&text, "a file").unwrap())
    };
    assert_eq!(file(0.0, 0.1), "After the step the cost is 0; before it was 0.");
    assert!(!file(1.0, 0.1).contains("too long"));
    assert!(file(1.0, 100.0).ends_with("The step was too long."));
    assert_eq!(
        end(&formula("2 * log(x)", &[("x", -1.0)])),
        "The first number that is not finite arises in log(x)."
    );
}
