//! From tables to numbers: fitted on the rows that are trained on, and on no others.

use pullback::data::{
    Bytes, Categorical, Categories, Column, ColumnType, DataOptions, Encoding, Feature, Imputation, Numeric,
    Pixels, Preprocessing, Scale, Scaling, Table, Target, TargetColumn, Values, builtin, split,
};
use pullback::random::{Purpose, Random};

fn table(columns: Vec<Column>) -> Table {
    Table::new("t.csv", columns).unwrap()
}

fn numbers(name: &str, numbers: &[f64]) -> Column {
    Column::new(name, Values::Numbers(numbers.to_vec()))
}

fn texts(name: &str, texts: &[&str]) -> Column {
    let missing = |text: &&str| if text.is_empty() { None } else { Some((*text).to_owned()) };
    Column::new(name, Values::Categories(Categories::from_texts(texts.iter().map(missing))))
}

fn options(target: &str) -> DataOptions {
    DataOptions { target: vec![target.into()], ..DataOptions::default() }
}

fn features(preprocessing: &Preprocessing, table: &Table) -> Vec<f64> {
    preprocessing.apply_features::<f64>(table).unwrap().0.to_dense().unwrap()
}

#[test]
fn columns_are_standardized_by_the_training_rows_alone() {
    let table = table(vec![numbers("x", &[1.0, 3.0, 5.0, 1000.0]), numbers("t", &[0.0, 1.0, 0.5, 0.7])]);
    let fitted = Preprocessing::fit(&table, &[0, 1, 2], &options("t")).unwrap();
    // Mean 3, deviation sqrt(8 / 3).
    let deviation = (8.0_f64 / 3.0).sqrt();
    let expected = [-2.0 / deviation, 0.0, 2.0 / deviation, 997.0 / deviation];
    for (found, expected) in features(&fitted, &table).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    }
}

#[test]
fn other_scalings() {
    let table = table(vec![numbers("x", &[2.0, 4.0, 6.0]), numbers("t", &[0.0, 1.0, 0.5])]);
    let check = |scaling, expected: [f64; 3]| {
        let options = DataOptions { scaling, ..options("t") };
        assert_eq!(features(&Preprocessing::fit(&table, &[0, 1, 2], &options).unwrap(), &table), expected);
    };
    check(Scaling::MinMax, [0.0, 0.5, 1.0]);
    check(Scaling::None, [2.0, 4.0, 6.0]);
}

#[test]
fn images_are_scaled_by_all_their_bytes() {
    let images = Bytes::new(vec![0, 10, 20, 30, 255, 255], vec![2], 255).unwrap();
    let table = table(vec![Column::new("image", Values::Bytes(images)), texts("t", &["a", "b", "a"])]);
    let fitted = Preprocessing::fit(&table, &[0, 1], &options("t")).unwrap();
    let deviation = 125.0_f64.sqrt(); // of 0, 10, 20, 30, whose mean is 15
    let expected = [-15.0, -5.0, 5.0, 15.0, 240.0, 240.0].map(|x| x / deviation);
    for (found, expected) in features(&fitted, &table).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    }
}

#[test]
fn every_byte_of_a_training_row_counts() {
    for width in [1, 3, 4, 5, 7, 8, 13] {
        let data: Vec<u8> = (0..4 * width).map(|i| (i * i % 251) as u8).collect();
        let bytes = Values::Bytes(Bytes::new(data.clone(), vec![width], 255).unwrap());
        let table = table(vec![Column::new("image", bytes), texts("t", &["a", "b", "a", "b"])]);
        let fitted = Preprocessing::fit(&table, &[0, 1, 3], &options("t")).unwrap();
        let Encoding::Bytes(pixels) = &fitted.features()[0].encoding else { panic!("bytes") };
        let (center, spread) = (pixels.center(), pixels.spread());
        let trained = || data[..2 * width].iter().chain(&data[3 * width..]).map(|&byte| f64::from(byte));
        let mean = trained().sum::<f64>() / (3 * width) as f64;
        let variance = trained().map(|byte| (byte - mean).powi(2)).sum::<f64>() / (3 * width) as f64;
        let (far, further) = ((center - mean).abs(), (spread - variance.sqrt()).abs());
        assert!(far < 1e-9 && further < 1e-9, "rows of {width}: {center} and {spread}");
    }
}

#[test]
fn numbers_declared_categorical_are_their_texts() {
    let types = [("x".to_owned(), ColumnType::Categorical)].into();
    let options = DataOptions { types, ..options("t") };
    let known = table(vec![
        numbers("x", &[10.0, 2.5, f64::NAN, -0.0, 2.5, 0.0]),
        numbers("t", &[0.0, 1.0, 0.5, 0.1, 0.2, 0.3]),
    ]);
    // Row 0 is not trained on: its text is not known.
    let fitted = Preprocessing::fit(&known, &[1, 2, 3, 4, 5], &options).unwrap();
    assert_eq!(fitted.input_names(), ["x=-0", "x=0", "x=2.5", "x=(missing)"]);
    let (_, warnings) = fitted.apply_features::<f64>(&known).unwrap();
    assert_eq!((warnings[0].value.as_str(), warnings[0].row, warnings[0].rows), ("10", 0, 1));
    assert_eq!(features(&fitted, &known)[8..16], [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn categories_become_one_input_each_and_unknown_ones_none() {
    let known = table(vec![texts("color", &["red", "blue", "red"]), numbers("t", &[0.0, 1.0, 0.5])]);
    let fitted = Preprocessing::fit(&known, &[0, 1, 2], &options("t")).unwrap();
    assert_eq!(fitted.input_names(), ["color=blue", "color=red"]);
    let new = table(vec![texts("color", &["blue", "green"])]);
    let (_, warnings) = fitted.apply_features::<f64>(&new).unwrap();
    assert_eq!(features(&fitted, &new), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!((warnings.len(), warnings[0].value.as_str(), warnings[0].rows), (1, "green", 1));
}

#[test]
fn missing_cells_are_filled_as_recorded() {
    let table =
        table(vec![numbers("x", &[1.0, f64::NAN, 2.0, 6.0, 2.0]), numbers("t", &[0.0, 1.0, 0.5, 2.0, 3.0])]);
    for (imputation, filled) in
        [(Imputation::Mean, 2.75), (Imputation::Median, 2.0), (Imputation::MostFrequent, 2.0)]
    {
        let options = DataOptions { imputation, scaling: Scaling::None, ..options("t") };
        let fitted = Preprocessing::fit(&table, &[0, 1, 2, 3, 4], &options).unwrap();
        assert_eq!(features(&fitted, &table)[1], filled, "{imputation:?}");
    }
}

#[test]
fn a_constant_column_becomes_zero() {
    let table = table(vec![
        numbers("x", &[0.1, 0.1, 0.1]),
        numbers("y", &[1.0, 2.0, 3.0]),
        numbers("t", &[0.0, 1.0, 0.5]),
    ]);
    let fitted = Preprocessing::fit(&table, &[0, 1, 2], &options("t")).unwrap();
    assert_eq!(features(&fitted, &table).iter().step_by(2).copied().collect::<Vec<_>>(), [0.0; 3]);
}

#[test]
fn columns_are_found_by_name_whatever_their_order() {
    let first = table(vec![numbers("x", &[1.0, 2.0]), numbers("y", &[5.0, 9.0]), numbers("t", &[0.0, 1.0])]);
    let turned = table(vec![numbers("y", &[5.0, 9.0]), numbers("x", &[1.0, 2.0])]);
    let fitted = Preprocessing::fit(&first, &[0, 1], &options("t")).unwrap();
    assert_eq!(features(&fitted, &first), features(&fitted, &turned));
    let lacking = table(vec![numbers("yy", &[5.0, 9.0]), numbers("x", &[1.0, 2.0])]);
    let message = fitted.apply_features::<f64>(&lacking).unwrap_err().one_line();
    assert!(message.contains("\"y\"") && message.contains("yy"), "{message}");
}

#[test]
fn classes_keep_their_places_and_new_ones_are_refused() {
    let known = table(vec![numbers("x", &[1.0, 2.0, 3.0]), texts("t", &["b", "c", "a"])]);
    let fitted = Preprocessing::fit(&known, &[0, 1, 2], &options("t")).unwrap();
    let data = fitted.apply::<f32>(&known).unwrap();
    assert_eq!((data.targets().ids(), data.outputs()), (Some(&[1, 2, 0][..]), 3));
    let new = table(vec![numbers("x", &[1.0, 2.0]), texts("t", &["a", "d"])]);
    let message = fitted.apply::<f32>(&new).unwrap_err().one_line();
    assert!(message.contains("\"d\"") && message.contains("t.csv"), "{message}");
}

#[test]
fn a_stratified_split_keeps_shares_and_loses_no_row() {
    let rows: Vec<usize> = (0..103).collect();
    let classes: Vec<u32> = (0..103).map(|row| if row % 10 == 0 { 2 } else { (row % 2) as u32 }).collect();
    let random = Random::new(3, Purpose::Split, 0);
    let parts = split(&rows, Some(&classes), 0.2, &random).unwrap();
    let mut all: Vec<usize> = parts.kept.iter().chain(&parts.held_out).copied().collect();
    all.sort_unstable();
    assert_eq!(all, rows);
    for class in 0..3 {
        let of = |rows: &[usize]| rows.iter().filter(|&&row| classes[row] == class).count() as f64;
        assert!((of(&parts.held_out) - 0.2 * of(&rows)).abs() <= 1.0, "class {class}");
    }
    assert_eq!(split(&rows, Some(&classes), 0.2, &random).unwrap().held_out, parts.held_out);
    let other = Random::new(4, Purpose::Split, 0);
    assert_ne!(split(&rows, Some(&classes), 0.2, &other).unwrap().held_out, parts.held_out);
}

#[test]
fn a_split_is_of_the_rounded_share_by_largest_remainder_and_takes_no_class_whole() {
    let counts = |sizes: &[usize], fraction: f64| {
        let classes: Vec<u32> =
            sizes.iter().enumerate().flat_map(|(class, size)| vec![class as u32; *size]).collect();
        let rows: Vec<usize> = (0..classes.len()).collect();
        let parts = split(&rows, Some(&classes), fraction, &Random::new(3, Purpose::Split, 0)).unwrap();
        let of = |class| parts.held_out.iter().filter(|row| classes[**row] as usize == class).count();
        (0..sizes.len()).map(of).collect::<Vec<_>>()
    };
    // 3.5 is rounded to 4.
    assert_eq!(counts(&[7], 0.5), [4]);
    // Of 21 rows, a tenth is 2: the shares are 1.6 and 0.5.
    assert_eq!(counts(&[16, 5], 0.1), [2, 0]);
    assert_eq!(counts(&[5, 16], 0.1), [0, 2]);
    // Three of four would be a whole class, and nine tenths of one row are that row.
    assert_eq!(counts(&[2, 2], 0.75), [1, 1]);
    assert_eq!(counts(&[1, 19], 0.9), [0, 18]);
}

#[test]
fn a_category_that_is_another_spelling_of_a_number_is_that_number() {
    let known = table(vec![texts("c", &["1", "2", "x"]), numbers("t", &[0.0, 1.0, 0.5])]);
    let fitted = Preprocessing::fit(&known, &[0, 1, 2], &options("t")).unwrap();
    let other = table(vec![texts("c", &["1.0", "02", "x", "3"])]);
    let (found, warnings) = fitted.apply_features::<f64>(&other).unwrap();
    assert_eq!(found.to_dense().unwrap(), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    assert_eq!((warnings.len(), &warnings[0].value[..]), (1, "3"));
}

#[test]
fn of_equally_frequent_categories_the_first_stands_for_missing_cells() {
    let known = table(vec![
        texts("c", &["b", "a", "", "a", "b", "c"]),
        numbers("t", &[0.0, 1.0, 0.5, 2.0, 3.0, 4.0]),
    ]);
    let options = DataOptions { imputation: Imputation::MostFrequent, ..options("t") };
    let fitted = Preprocessing::fit(&known, &[0, 1, 2, 3, 4, 5], &options).unwrap();
    assert_eq!(features(&fitted, &known)[6..9], [1.0, 0.0, 0.0]);
}

#[test]
fn built_in_sets_are_what_the_list_says() {
    for set in builtin::ALL {
        let table = set.load(0).unwrap();
        assert_eq!(table.rows(), set.rows, "{}", set.name);
        assert!(!set.source.is_empty() && !set.license.is_empty() && !set.description.is_empty());
        assert_eq!(table.columns().len(), set.features + 1, "{}", set.name);
        for column in table.columns() {
            if let Values::Numbers(numbers) = &*column.values().unwrap() {
                assert!(numbers.iter().all(|number| number.is_finite()), "{}: {}", set.name, column.name);
            }
        }
        assert_eq!(table, set.load(0).unwrap());
        assert_eq!(set.is_generated() && set.name != "xor", table != set.load(1).unwrap(), "{}", set.name);
    }
}

/// Center, spread and fill of the column `x` with these numbers, all of them trained on.
fn figures(x: &[f64], scaling: Scaling, imputation: Imputation) -> [f64; 3] {
    let targets: Vec<f64> = (0..x.len()).map(|row| row as f64 + 0.5).collect();
    let table = table(vec![numbers("x", x), numbers("t", &targets)]);
    let rows: Vec<usize> = (0..x.len()).collect();
    let options = DataOptions { scaling, imputation, ..options("t") };
    let fitted = Preprocessing::fit(&table, &rows, &options).unwrap();
    let Encoding::Numeric(numeric) = &fitted.features()[0].encoding else { panic!("numbers") };
    [numeric.center(), numeric.spread(), numeric.fill()]
}

#[test]
fn each_figure_of_a_column_is_what_it_is_called() {
    let x = [4.0, 8.0, 1.0, 8.0, 4.0, 11.0];
    // Mean 6; squares of differences 4, 4, 25, 4, 4, 25, in all 66; by the number of rows, as scikit-learn's scaler.
    let [center, spread, fill] = figures(&x, Scaling::Standardize, Imputation::Mean);
    assert_eq!((center, fill), (6.0, 6.0));
    assert!((spread - 11.0_f64.sqrt()).abs() < 1e-15, "{spread}");
    assert_eq!(figures(&x, Scaling::MinMax, Imputation::Mean), [1.0, 10.0, 6.0]);
    assert_eq!(figures(&x, Scaling::None, Imputation::Mean), [0.0, 1.0, 6.0]);
    for (x, median) in [
        (&[7.0][..], 7.0),
        (&[9.0, 1.0, 4.0], 4.0),
        // Of an even count, half way between the middle two.
        (&[9.0, 1.0, 4.0, 5.0], 4.5),
        (&[2.0, 1.0], 1.5),
        (&[1e308, -1e308, 0.5, 1.5], 1.0),
    ] {
        assert_eq!(figures(x, Scaling::None, Imputation::Median)[2], median, "{x:?}");
    }
    for (x, most_frequent) in [
        (&[3.0, 1.0, 3.0, 2.0][..], 3.0),
        // Of equally frequent ones the smallest.
        (&[3.0, 2.0, 3.0, 2.0, 1.0], 2.0),
        (&[5.0, 4.0], 4.0),
    ] {
        assert_eq!(figures(x, Scaling::None, Imputation::MostFrequent)[2], most_frequent, "{x:?}");
    }
    // A column without spread becomes 0.
    assert_eq!(figures(&[0.1, 0.1, 0.1], Scaling::Standardize, Imputation::Mean)[..2], [0.1, 1.0]);
}

#[test]
fn robust_scaling_is_by_median_and_quartiles_and_clips_smoothly() {
    // numpy.quantile(x, [0.25, 0.5, 0.75]) is 2.25, 4, 7.75.
    let x = [4.0, 8.0, 1.0, 7.0, 4.0, 1.0, 100.0, -3.0, 3.5, 8.0, 2.25, 7.75, 4.0];
    let mut sorted = x;
    sorted.sort_by(f64::total_cmp);
    assert_eq!([sorted[3], sorted[6], sorted[9]], [2.25, 4.0, 7.75]);
    assert_eq!(figures(&x, Scaling::Robust, Imputation::Median), [4.0, 5.5, 4.0]);
    let targets: Vec<f64> = (0..x.len()).map(|row| row as f64 + 0.5).collect();
    let table = table(vec![numbers("x", &x), numbers("t", &targets)]);
    let rows: Vec<usize> = (0..x.len()).collect();
    let options = DataOptions { scaling: Scaling::Robust, ..options("t") };
    let fitted = Preprocessing::fit(&table, &rows, &options).unwrap();
    for (input, x) in features(&fitted, &table).into_iter().zip(x) {
        let z = (x - 4.0) / 5.5;
        assert!((input - z / (1.0 + (z / 3.0).powi(2)).sqrt()).abs() < 1e-6, "{x}: {input}");
        assert!(input.abs() < 3.0);
    }
    // Numbers far from the others decide: here 100 is 3.4 deviations from the mean, among more rows it is far.
    assert_eq!(
        figures(&x, Scaling::Adaptive, Imputation::Median),
        figures(&x, Scaling::Standardize, Imputation::Median)
    );
    let far: Vec<f64> = x.iter().copied().chain((0..40).map(f64::from)).chain([1000.0]).collect();
    assert_eq!(
        figures(&far, Scaling::Adaptive, Imputation::Median),
        figures(&far, Scaling::Robust, Imputation::Median)
    );
    // Quartiles that are equal: half the range; no range at all: 1, and every number is 0.
    assert_eq!(
        figures(&[1.0, 1.0, 1.0, 1.0, 1.0, 7.0], Scaling::Robust, Imputation::Median),
        [1.0, 3.0, 1.0]
    );
    assert_eq!(figures(&[0.1, 0.1, 0.1], Scaling::Robust, Imputation::Median), [0.1, 1.0, 0.1]);
}

#[test]
fn pieces_are_the_parts_of_them_that_lie_below_a_number() {
    let x: Vec<f64> = (0..=8).map(|at| f64::from(at * at)).collect();
    let targets: Vec<f64> = (0..x.len()).map(|row| row as f64 + 0.5).collect();
    let training = table(vec![numbers("x", &x), numbers("t", &targets)]);
    let rows: Vec<usize> = (0..x.len()).collect();
    let options = DataOptions { scaling: Scaling::None, imputation: Imputation::Median, ..options("t") };
    let fitted = Preprocessing::fit(&training, &rows, &options).unwrap();
    let fitted = fitted.with_pieces(&training, &rows, 4).unwrap();
    let Encoding::Numeric(numeric) = &fitted.features()[0].encoding else { panic!("numbers") };
    assert_eq!(numeric.edges(), [0.0, 4.0, 16.0, 36.0, 64.0]);
    assert_eq!(fitted.inputs(), 5);
    assert_eq!(fitted.input_names()[..2], ["x".to_owned(), "x from 0 to 4".to_owned()]);
    let new = table(vec![numbers("x", &[10.0, -1.0, -90.0, 36.0, 78.0, 1e9, f64::NAN])]);
    let inputs: Vec<f64> = features(&fitted, &new);
    let rows: Vec<&[f64]> = inputs.chunks(5).collect();
    assert_eq!(rows[0], [10.0, 1.0, 0.5, 0.0, 0.0]);
    assert_eq!(rows[1], [-1.0, -0.25, 0.0, 0.0, 0.0]);
    assert_eq!(rows[2], [-90.0, -1.0, 0.0, 0.0, 0.0]);
    assert_eq!(rows[3], [36.0, 1.0, 1.0, 1.0, 0.0]);
    assert_eq!(rows[4], [78.0, 1.0, 1.0, 1.0, 1.5]);
    assert_eq!(rows[5], [1e9, 1.0, 1.0, 1.0, 2.0]);
    // A missing number is the median.
    assert_eq!(rows[6], [16.0, 1.0, 1.0, 0.0, 0.0]);
    let again: Preprocessing = serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
    assert_eq!(again, fitted);
    // Quantiles that are equal make one edge; two edges make no pieces.
    let few =
        table(vec![numbers("x", &[0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 6.0, 7.0, 8.0]), numbers("t", &targets)]);
    let rows: Vec<usize> = (0..9).collect();
    let edges = |table: &Table, pieces| {
        let fitted = Preprocessing::fit(table, &rows, &options).unwrap();
        let fitted = fitted.with_pieces(table, &rows, pieces).unwrap();
        let Encoding::Numeric(numeric) = &fitted.features()[0].encoding else { panic!("numbers") };
        numeric.edges().to_vec()
    };
    assert_eq!(edges(&few, 4), [0.0, 6.0, 8.0]);
    let two =
        table(vec![numbers("x", &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]), numbers("t", &targets)]);
    assert_eq!(edges(&two, 8), [0.0; 0]);
}

#[test]
fn pixels_are_scaled_by_what_the_source_can_hold() {
    let of = |maximum, scaling| {
        let images = Bytes::new(vec![0, 3, 15, 2, 0, 0], vec![3], maximum).unwrap();
        let table = table(vec![Column::new("image", Values::Bytes(images)), texts("t", &["a", "b"])]);
        let options = DataOptions { scaling, ..options("t") };
        let fitted = Preprocessing::fit(&table, &[0, 1], &options).unwrap();
        let Encoding::Bytes(pixels) = &fitted.features()[0].encoding else { panic!("bytes") };
        (pixels.center(), pixels.spread(), features(&fitted, &table)[2])
    };
    assert_eq!(of(255, Scaling::MinMax), (0.0, 255.0, 15.0 / 255.0));
    assert_eq!(of(15, Scaling::MinMax), (0.0, 15.0, 1.0));
    assert_eq!(of(255, Scaling::None), (0.0, 1.0, 15.0));
}

#[test]
fn of_more_levels_than_are_told_apart_the_rarest_share_one() {
    let cells = ["b", "a", "c", "b", "a", "d", "b", "", "e"];
    let known = table(vec![texts("x", &cells), texts("t", &["p", "q", "p", "q", "p", "q", "p", "q", "p"])]);
    let rows: Vec<usize> = (0..9).collect();
    let fitted = |max_levels| {
        let types = [("x".to_owned(), ColumnType::Categorical)].into();
        Preprocessing::fit(&known, &rows, &DataOptions { max_levels, types, ..options("t") }).unwrap()
    };
    // Of c, d and e, all of one row, the first stays.
    let three = fitted(3);
    let Encoding::Categorical(levels) = &three.features()[0].encoding else { panic!("texts") };
    assert_eq!(levels.categories(), ["a", "b", "c", "(missing)", "(rare)"]);
    let rare = levels.rare().unwrap();
    assert_eq!((rare.place, rare.levels), (4, 2));
    let (written, warnings) = three.apply_features::<f64>(&known).unwrap();
    let chosen: Vec<usize> = (written.to_dense().unwrap().chunks_exact(5))
        .map(|row| row.iter().position(|number| *number == 1.0).unwrap())
        .collect();
    assert_eq!(chosen, [1, 0, 2, 1, 0, 4, 1, 3, 4]);
    assert!(warnings.is_empty());
    // What was never seen is rare too.
    let new = table(vec![texts("x", &["z"]), texts("t", &["p"])]);
    assert_eq!(features(&three, &new), [0.0, 0.0, 0.0, 0.0, 1.0]);
    // A document says so, and cannot be wrong.
    let document = serde_json::to_value(&three).unwrap();
    assert_eq!(serde_json::from_value::<Preprocessing>(document.clone()).unwrap(), three);
    let wrong = document.to_string().replace(r#""place":4"#, r#""place":5"#);
    assert!(serde_json::from_str::<Preprocessing>(&wrong).is_err());
    // As many levels as are told apart have no rare ones, and the document says nothing of them.
    let five = fitted(5);
    assert_eq!(five.inputs(), 6);
    assert!(!serde_json::to_string(&five).unwrap().contains("rare"));
}

#[test]
fn categories_and_classes_are_sorted_as_numbers_then_as_letters() {
    let known = table(vec![
        texts("x", &["b", "10", "9", "2.5", "-1", "a", "B", "(c)"]),
        texts("t", &["100", "20", "3", "20", "3", "100", "3", "3"]),
    ]);
    let rows: Vec<usize> = (0..8).collect();
    let fitted = Preprocessing::fit(&known, &rows, &options("t")).unwrap();
    let names = ["x=-1", "x=2.5", "x=9", "x=10", "x=(c)", "x=B", "x=a", "x=b"];
    assert_eq!(fitted.input_names(), names);
    assert_eq!(fitted.target().target().classes().unwrap(), ["3", "20", "100"]);
    assert_eq!(fitted.apply::<f32>(&known).unwrap().targets().ids().unwrap(), [2, 1, 0, 1, 0, 2, 0, 0]);
}

#[test]
fn a_text_that_says_missing_counts_as_missing() {
    let known = table(vec![texts("c", &["(missing)", "", "red"]), numbers("t", &[0.0, 1.0, 0.5])]);
    let fitted = Preprocessing::fit(&known, &[0, 1, 2], &options("t")).unwrap();
    assert_eq!(fitted.input_names(), ["c=(missing)", "c=red"]);
    assert_eq!(features(&fitted, &known), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn each_target_is_restored_by_its_own_center_and_spread() {
    let known = table(vec![
        numbers("x", &[1.0, 2.0, 3.0]),
        numbers("a", &[10.0, 20.0, 30.0]),
        numbers("b", &[-1.0, -1.0, -4.0]),
        numbers("constant", &[7.0, 7.0, 7.0]),
    ]);
    let target = ["a", "b", "constant"].map(String::from).to_vec();
    let fitted =
        Preprocessing::fit(&known, &[0, 1, 2], &DataOptions { target, ..DataOptions::default() }).unwrap();
    let Target::Regression { scales } = fitted.target().target() else { panic!("numbers") };
    let figures: Vec<(f64, f64)> = scales.iter().map(|scale| (scale.center, scale.spread)).collect();
    assert_eq!(figures, [(20.0, (200.0_f64 / 3.0).sqrt()), (-2.0, 2.0_f64.sqrt()), (0.0, 1.0)]);
    let standardized = fitted.apply::<f64>(&known).unwrap().targets().to_dense();
    assert_eq!(standardized[1], 1.0 / 2.0_f64.sqrt());
    let restored = fitted.target().target().restore(&standardized);
    for (found, wanted) in restored.iter().zip([10.0, -1.0, 7.0, 20.0, -1.0, 7.0, 30.0, -4.0, 7.0]) {
        assert!((found - wanted).abs() < 1e-12, "{found} for {wanted}");
    }
}

#[test]
fn an_encoding_cannot_be_wrong() {
    for (center, spread, fill) in [
        (f64::NAN, 1.0, 0.0),
        (0.0, 0.0, 0.0),
        (0.0, -1.0, 0.0),
        (0.0, f64::INFINITY, 0.0),
        (0.0, 1.0, f64::NAN),
    ] {
        assert!(Numeric::new(center, spread, fill).is_err(), "{center} {spread} {fill}");
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (categories, missing) in [(&[][..], None), (&["a", "a"], None), (&["a", "b"], Some(2))] {
        assert!(Categorical::new(names(categories), missing).is_err(), "{categories:?}, {missing:?}");
    }
    for shape in [&[][..], &[0], &[1 << 20, 1 << 20], &[usize::MAX, 2]] {
        assert!(Pixels::new(shape.to_vec(), 0.0, 1.0).is_err(), "{shape:?}");
    }
    let scale = |center, spread| Target::Regression { scales: vec![Scale { center, spread }] };
    let classes = |list: &[&str]| Target::Classes { classes: names(list) };
    for (columns, target) in [
        (&["t"][..], classes(&["a"])),
        (&["t"], classes(&["a", "b", "a"])),
        (&["t", "u"], classes(&["a", "b"])),
        (&[], scale(0.0, 1.0)),
        (&["t"], Target::Regression { scales: vec![] }),
        (&["t"], scale(0.0, 0.0)),
        (&["t"], scale(f64::INFINITY, 1.0)),
    ] {
        assert!(
            TargetColumn::new(names(columns), target.clone(), String::new()).is_err(),
            "{columns:?}, {target:?}"
        );
    }
    let target = || TargetColumn::new(names(&["t"]), scale(0.0, 1.0), String::new()).unwrap();
    let feature = |name: &str| Feature {
        name: name.into(),
        encoding: Encoding::Numeric(Numeric::new(0.0, 1.0, 0.0).unwrap()),
    };
    for features in [vec![], vec![feature("x"), feature("x")], vec![feature("t")]] {
        assert!(Preprocessing::new(features.clone(), target()).is_err(), "{features:?}");
    }
    assert_eq!(Preprocessing::new(vec![feature("x")], target()).unwrap().inputs(), 1);
}

/// Against scikit-learn's `QuantileTransformer(n_quantiles=min(256, rows), output_distribution="normal")`.
#[test]
fn quantiles_make_a_normal_distribution() {
    let check = |x: &[f64], new: &[f64], expected: &[f64]| {
        let targets: Vec<f64> = (0..x.len()).map(|row| row as f64 + 0.5).collect();
        let training = table(vec![numbers("x", x), numbers("t", &targets)]);
        let rows: Vec<usize> = (0..x.len()).collect();
        let options = DataOptions { scaling: Scaling::Quantile, ..options("t") };
        let fitted = Preprocessing::fit(&training, &rows, &options).unwrap();
        let found = features(&fitted, &table(vec![numbers("x", new)]));
        for ((new, found), expected) in new.iter().zip(found).zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{new}: {found} for {expected}");
        }
        let again: Preprocessing = serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
        assert_eq!(again, fitted);
    };
    check(
        // Ranks of eighths are exact, so that equal numbers have equal quantiles there too.
        &[4.0, 8.0, 1.0, 8.0, 4.0, 11.0, 2.5, 8.0, 19.0],
        &[4.0, 8.0, 1.0, 8.0, 6.0, 11.0, -3.0, 20.0, 3.25, 15.0],
        &[
            -0.4887764111146695,
            0.31863936396437514,
            -5.199337582605575,
            0.31863936396437514,
            -0.1573106846101707,
            1.1503493803760079,
            -5.199337582605575,
            5.19933758270342,
            -0.887146559018876,
            1.5341205443525463,
        ],
    );
    let many: Vec<f64> = (0..700_u32).map(|i| f64::from(i * i * 37 % 1009) / 7.0).collect();
    check(
        &many,
        &[0.0, 3.3, 50.0, 77.7, 120.1, 143.9, 144.2],
        &[
            -5.199337582605575,
            -1.7822658899979067,
            -0.3734816772141769,
            0.12226568171408805,
            0.9403737751396131,
            2.9523988902658758,
            5.19933758270342,
        ],
    );
}

#[test]
fn an_input_tells_that_a_number_is_missing_where_some_are() {
    let targets: Vec<f64> = (0..6).map(|row| f64::from(row) + 0.5).collect();
    let (whole, holed) = ([1.0, 2.0, 3.0, 4.0, 5.0, 9.0], [1.0, f64::NAN, 3.0, 5.0, f64::NAN, 3.0]);
    let training = table(vec![numbers("x", &whole), numbers("z", &holed), numbers("t", &targets)]);
    let rows: Vec<usize> = (0..6).collect();
    let options = DataOptions { missing_indicators: true, scaling: Scaling::None, ..options("t") };
    let fitted = Preprocessing::fit(&training, &rows, &options).unwrap();
    assert_eq!(fitted.input_names(), ["x", "z", "z is missing"]);
    let new = table(vec![numbers("x", &[f64::NAN, 7.0]), numbers("z", &[f64::NAN, 7.0])]);
    assert_eq!(features(&fitted, &new), [4.0, 3.0, 1.0, 7.0, 7.0, 0.0]);
    let pieces = fitted.with_pieces(&training, &rows, 4).unwrap();
    assert_eq!(pieces.input_names().last().unwrap(), "z is missing");
    let new = table(vec![numbers("x", &[2.0]), numbers("z", &[f64::NAN])]);
    assert_eq!(*features(&pieces, &new).last().unwrap(), 1.0);
    let again: Preprocessing = serde_json::from_str(&serde_json::to_string(&pieces).unwrap()).unwrap();
    assert_eq!(again, pieces);
}

#[test]
fn yes_and_no_are_known_however_they_are_written() {
    let rows = [0, 1, 2, 3];
    let known = table(vec![texts("a", &["yes", "no", "yes", "no"]), texts("t", &["Yes", "No", "Yes", "No"])]);
    let fitted = Preprocessing::fit(&known, &rows, &options("t")).unwrap();
    let new = table(vec![
        Column::new("a", Values::Numbers(vec![1.0, 0.0, 1.0])),
        texts("t", &["TRUE", "false", "1"]),
    ]);
    // The inputs are those of no and yes, in this order.
    assert_eq!(features(&fitted, &new), [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(fitted.target().apply::<f64>(&new).unwrap().to_dense(), [1.0, 0.0, 1.0]);
    // What says neither is not known.
    let other = table(vec![texts("a", &["maybe"]), texts("t", &["yes"])]);
    assert_eq!(features(&fitted, &other), [0.0, 0.0]);
    assert_eq!(fitted.apply_features::<f64>(&other).unwrap().1[0].value, "maybe");
    // Where there are more than two, or both say the same, a text means itself alone.
    let three = table(vec![texts("a", &["yes", "no", "maybe", "no"]), texts("t", &["u", "v", "u", "v"])]);
    let fitted = Preprocessing::fit(&three, &rows, &options("t")).unwrap();
    assert_eq!(features(&fitted, &table(vec![texts("a", &["true"]), texts("t", &["u"])])), [0.0, 0.0, 0.0]);
}
