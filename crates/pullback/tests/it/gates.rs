//! Formulas as gates: powers of what is not positive, names that are given again, gates without a name.

use pullback::explain::{Circuit, Expression};

fn circuit(text: &str, at: &[(&str, f64)]) -> Circuit {
    let at = at.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
    Expression::parse(text, at).unwrap().circuit().unwrap()
}

#[test]
fn a_base_of_zero_and_below_has_powers_of_whole_numbers_however_they_are_written() {
    for text in ["x ^ 3", "x ^ (1 + 2)", "n = 3\nx ^ n", "n = 1\nm = n + 2\nx ** m", "x ^ -(-3)"] {
        let made = circuit(text, &[("x", -2.0)]);
        let (_, x) = &made.variables[0];
        assert_eq!((made.value(made.output), made.derivative(*x)), (-8.0, 12.0), "{text}");
    }
    let zero = circuit("x ^ 2", &[("x", 0.0)]);
    assert_eq!((zero.value(zero.output), zero.derivative(zero.variables[0].1)), (0.0, 0.0));
    // By a variable there is no derivative.
    for x in [-2.0, 0.0] {
        let at = vec![("x".to_owned(), x), ("y".to_owned(), 2.0)];
        let error = Expression::parse("1 + x ^ y", at).unwrap().circuit().unwrap_err();
        assert!(error.what().contains("`x^y`") && error.help_text().unwrap().contains("x^2"), "{error}");
    }
    let positive = circuit("x ^ y", &[("x", 2.0), ("y", 3.0)]);
    assert!((positive.value(positive.output) - 8.0).abs() < 1e-14);
    let y = positive.derivative(positive.variables[1].1);
    assert!((y - 8.0 * std::f64::consts::LN_2).abs() < 1e-13, "{y}");
}

#[test]
fn gates_have_short_names_and_a_name_that_is_given_again_is_told_apart() {
    let names = |made: &Circuit| made.gates.iter().map(|gate| gate.name.clone()).collect::<Vec<_>>();
    let made = circuit("s = x * y\ns = s + x\ns = s * s", &[("x", 2.0), ("y", 3.0)]);
    assert_eq!(names(&made), ["s", "s_2", "s_3"]);
    let formulas: Vec<&str> = made.gates.iter().map(|gate| gate.formula.as_str()).collect();
    assert_eq!(formulas, ["x * y", "s + x", "s_2 * s_2"]);
    assert_eq!(made.output_name, "s_3");
    // The name alone means the last.
    let s = made.quantities().into_iter().find(|(name, _)| name == "s").unwrap().1;
    assert_eq!(s, 64.0);
    // A name of one's own is not taken.
    let made = circuit("g1 = 2 * x\ns_2 = g1 + 1\ns = x\ns = (x + s_2) * (x - g1)", &[("x", 3.0)]);
    assert_eq!(names(&made), ["g1", "s_2", "g2", "g3", "s_3"]);
    let made = circuit("(x + y) * z", &[("x", -2.0), ("y", 5.0), ("z", -4.0)]);
    assert_eq!(names(&made), ["g1", "f"]);
    assert_eq!(made.gates[1].formula, "g1 * z");
    assert_eq!(made.gates[1].with_numbers(6), "3 * (-4)");
}

#[test]
fn what_cannot_be_explained_is_refused_with_what_can_be() {
    let refused = |text: &str, at: &[(&str, f64)]| {
        let at = at.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        Expression::parse(text, at).unwrap_err()
    };
    for text in ["2", "a = 2\na * 3"] {
        let error = refused(text, &[]);
        assert!(error.what().contains("no variable") && error.help_text().is_some(), "{text}: {error}");
    }
    let help = refused("sin(x)", &[("x", 1.0)]).help_text().unwrap().to_owned();
    for name in ["exp", "log", "sigmoid", "max", "min"] {
        assert!(help.contains(name), "{help}");
    }
}

#[test]
fn the_first_number_that_is_not_finite_is_found_forwards_and_backwards() {
    let first = |text: &str, x: f64| {
        let made = circuit(text, &[("x", x)]);
        made.first_not_finite().map(|gate| gate.formula.clone())
    };
    assert_eq!(first("2 * log(x) + 1", -1.0).as_deref(), Some("log(x)"));
    assert_eq!(first("2 * sqrt(x) + 1", 0.0).as_deref(), Some("sqrt(x)"));
    assert_eq!(first("2 * sqrt(x) + 1", 4.0), None);
}
