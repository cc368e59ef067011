//! Which lines are rows: none that is one is lost in silence, and none that is not is taken for one.

use crate::files::rendered;
use crate::read_as;
use pullback::data::ColumnType;
use pullback_data::{NoteKind, Parts, ReadOptions};

fn expecting(names: &[&str]) -> ReadOptions {
    ReadOptions { expected: names.iter().map(|name| (*name).to_owned()).collect(), ..ReadOptions::default() }
}

/// As rows are read that a model predicts for.
fn new_rows(texts: &[&str], numbers: &[&str]) -> ReadOptions {
    let of =
        |names: &[&str], kind| names.iter().map(move |name| ((*name).to_owned(), kind)).collect::<Vec<_>>();
    let known = [of(texts, ColumnType::Categorical), of(numbers, ColumnType::Numeric)].concat();
    ReadOptions {
        keeps_rows: true,
        known: known.into_iter().collect(),
        ..expecting(&[texts, numbers].concat())
    }
}

fn parts(text: &str, options: &ReadOptions) -> Parts {
    read_as("t.csv", text.as_bytes(), options).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// The places of the notes of rows that were left out.
fn left_out(parts: &Parts) -> Vec<(Option<&str>, usize)> {
    let of = parts.notes.iter().filter(|note| note.kind == NoteKind::Rows);
    of.map(|note| (note.place.as_deref(), note.count)).collect()
}

#[test]
fn each_row_to_predict_for_is_one() {
    let options = new_rows(&["t"], &["x"]);
    for (text, expected) in [
        ("t,x\nbug,1.5\nNote: see x,2.5\n", "t 'bug' 'Note: see x' | x 1.5 2.5"),
        ("t,x\nbug,1\nnote,2\nTotal,3\n", "t 'bug' 'note' 'Total' | x 1 2 3"),
        ("t,x\ngood,1.5\naverage,2.5\n", "t 'good' 'average' | x 1.5 2.5"),
        ("t,x\naverage,2.5\n", "t 'average' | x 2.5"),
        ("t,x\nbug,.\nnote,2\n", "t 'bug' 'note' | x _ 2"),
        ("x,t\nNone,bob\n2,ann\n3,eve\n", "x _ 2 3 | t 'bob' 'ann' 'eve'"),
        ("t,x,z\nbug,1.5,1\nnote,,\n", "t 'bug' 'note' | x 1.5 _ | z 1 _"),
    ] {
        let parts = parts(text, &options);
        assert_eq!(rendered(&parts), expected, "{:?}", parts.notes);
        assert_eq!(left_out(&parts), [], "{text}");
    }
}

#[test]
fn what_is_no_row_to_predict_for_is_told_with_its_line() {
    let options = new_rows(&["t"], &["x", "z"]);
    for (text, rows, place) in [
        ("t,x,z\nbug,1,1\nnote,2,1\nTotal,3\n", 2, "line 4"),
        ("t,x,z\n,mm,kg\nbug,1,1\nnote,2,1\n", 2, "line 2"),
        ("t,x,z\nbug,1,1\nidea,2,1\n(2 rows)\n", 2, "line 4"),
    ] {
        let parts = parts(text, &options);
        assert_eq!((parts.train.rows(), left_out(&parts)), (rows, vec![(Some(place), 1)]), "{text}");
        assert!(NoteKind::Rows.is_warning());
    }
}

#[test]
fn a_category_is_no_label_of_sums() {
    let of = |labels: &[(&str, usize)]| -> String {
        let rows = labels.iter().flat_map(|(label, count)| (0..*count).map(move |at| (label, at)));
        rows.map(|(label, at)| format!("{label},{}.5,{}.25\n", at * 7 % 11, at * 5 % 13)).collect()
    };
    for labels in [
        &[("good", 250), ("poor", 100), ("average", 50)][..],
        &[("Female", 150), ("Male", 150), ("Total", 150)],
        &[("good", 30), ("poor", 30), ("average", 1)],
    ] {
        let rows: usize = labels.iter().map(|(_, count)| count).sum();
        let parts = parts(&format!("quality,x,y\n{}", of(labels)), &ReadOptions::default());
        assert_eq!((parts.train.rows(), left_out(&parts)), (rows, vec![]), "{labels:?}");
    }
}

#[test]
fn rows_of_sums_are_left_out_wherever_they_stand() {
    let rows: String = (0..40).map(|at| format!("shop {},{},{}.5\n", at % 5, at % 9, at)).collect();
    let names: String = (0..40).map(|at| format!("city{at},{at},{}.5\n", at % 7)).collect();
    let dated: String =
        (0..40).map(|at| format!("2021-01-{:02},A,item {},{at}.5\n", at % 28 + 1, at % 4)).collect();
    // Sums of the numbers above: 0 to 8 four times and 0 to 3; 0.5 to 39.5.
    for (text, line) in [
        (format!("shop,n,sales\n{rows}Total (40 rows),201,201.3\n"), 42),
        (format!("shop,n,sales\n{rows}Gesamt 2021,201,201.3\n"), 42),
        (format!("date,shop,what,y\n{dated},,Total,212345.0\n"), 42),
        (format!("what,n,views\nTotal,99999,1234567\n{names}"), 2),
        (format!("shop,n,sales\n{rows},150,800\n"), 42),
        (format!("shop,n,sales\n{names}Average,1,2\n"), 42),
    ] {
        let parts = parts(&text, &ReadOptions::default());
        let place = format!("line {line}");
        assert_eq!((parts.train.rows(), left_out(&parts)), (40, vec![(Some(&*place), 1)]), "{text}");
    }
    let figures = format!("city,n,rain\n{names}Mean,5.1,5.0\nStd,2.5,2.6\nMin,0,0.5\nMax,39,6.5\n");
    assert_eq!(left_out(&parts(&figures, &ReadOptions::default())), [(Some("line 42"), 4)]);
}

#[test]
fn a_first_row_of_missing_numbers_is_a_row() {
    for (text, expected) in [
        ("n,a,b,y\nn0,-,-,d\nn1,1,2,u\nn2,3,4,d\n", "n 'n0' 'n1' 'n2' | a _ 1 3 | b _ 2 4 | y 'd' 'u' 'd'"),
        ("a,b,y\n.,.,d\n1,2,u\n3,4,d\n", "a _ 1 3 | b _ 2 4 | y 'd' 'u' 'd'"),
        ("a,b,y\nNone,None,d\n1,2,u\n3,4,d\n", "a _ 1 3 | b _ 2 4 | y 'd' 'u' 'd'"),
    ] {
        assert_eq!(rendered(&parts(text, &ReadOptions::default())), expected, "{text}");
    }
    // As sqlcmd draws a line below the names.
    let drawn = parts("id,a,y\n--,---,-\n1,1.5,u\n2,2.5,d\n", &ReadOptions::default());
    assert_eq!(rendered(&drawn), "id 1 2 | a 1.5 2.5 | y 'u' 'd'");
}

#[test]
fn lines_below_the_names_are_no_rows() {
    let rows = |line: &dyn Fn(usize) -> String| (0..24).map(line).collect::<String>();
    let at = |at: usize| format!("2021-01-{:02}", at + 1);
    let survey =
        rows(&|row| format!("{} 10:00,{},True,{},{}\n", at(row), row * 7, 20 + row, ["Yes", "No"][row % 2]));
    let answers =
        rows(&|row| format!("{},{}\n", ["Satisfied", "Neutral"][row % 2], ["Yes", "No"][row % 3 / 2]));
    let ids = rows(&|row| format!("{},42,{},{}\n", 1000 + 17 * row, 20 + row, ["Yes", "No"][row % 2]));
    let logged = rows(&|row| format!("\"{} 10:00\",{row},1.5,2.5\n", at(row)));
    let prices = rows(&|row| format!("{},{}.5,{}.5\n", at(row), row, row + 1));
    let levels = rows(&|row| format!("c{row},{}.5,{}.5\n", row, row + 1));
    for (text, target, columns) in [
        // Qualtrics.
        (
            format!(
                "StartDate,Duration,Finished,Q1,Q2\nStart Date,Duration (s),Finished,\"How old\nare you?\",Would you?\n\"{{\"\"ImportId\"\":\"\"s\"\"}}\",\"{{\"\"ImportId\"\":\"\"d\"\"}}\",\"{{\"\"ImportId\"\":\"\"f\"\"}}\",\"{{\"\"ImportId\"\":\"\"Q1\"\"}}\",\"{{\"\"ImportId\"\":\"\"Q2\"\"}}\"\n{survey}"
            ),
            "Q2",
            "StartDate Duration Finished Q1 Q2",
        ),
        (
            format!("Q1,Q2\n\"How satisfied are you, overall?\",Would you recommend us?\n{answers}"),
            "Q2",
            "Q1 Q2",
        ),
        // SurveyMonkey.
        (
            format!("id,Collector,age,rec\n,,Open-Ended Response,Response\n{ids}"),
            "rec",
            "id Collector age rec",
        ),
        // TOA5.
        (
            format!(
                "\"TOA5\",\"st\",\"CR1000\",\"1234\"\n\"TIMESTAMP\",\"RECORD\",\"Air\",\"RH\"\n\"TS\",\"RN\",\"Deg C\",\"%\"\n\"\",\"\",\"Avg\",\"Smp\"\n{logged}"
            ),
            "Air",
            "TIMESTAMP RECORD Air RH",
        ),
        // yfinance and pandas.
        (format!("Price,Close,High\nTicker,AAPL,AAPL\nDate,,\n{prices}"), "Close", "Price Close High"),
        (format!(",price,price\n,mean,std\ncity,,\n{levels}"), "std", "city mean std"),
        // FRED-MD.
        (format!("sasdate,RPI,y\nTransform:,5,2\n{prices}"), "y", "sasdate RPI y"),
    ] {
        for options in [expecting(&[target]), ReadOptions { keeps_rows: true, ..expecting(&[target]) }] {
            if options.keeps_rows && ["Q1 Q2", "id Collector age rec"].contains(&columns) {
                continue; // It could be a row.
            }
            let parts = parts(&text, &options);
            assert_eq!(parts.train.rows(), 24, "{text}\n{:?}", parts.notes);
            assert_eq!(parts.train.names().collect::<Vec<_>>().join(" "), columns, "{text}");
            let numbers = |name: &str| parts.train.column(name).unwrap().kind() == Some(ColumnType::Numeric);
            let texts = ["Q1", "Q2", "Finished", "rec", "city"];
            let dates = ["StartDate", "TIMESTAMP", "Price", "sasdate"];
            for name in columns.split(' ').filter(|name| !dates.contains(name)) {
                let is_text = texts.contains(&name) && !(name == "Q1" && columns.starts_with("Start"));
                assert_eq!(numbers(name), !is_text, "{name}\n{text}");
            }
        }
    }
}

#[test]
fn a_second_table_is_left_out() {
    let rows: String = (0..40).map(|at| format!("google,{at}.5\n")).collect();
    let months: String = (0..40).map(|at| format!("{}{:02},{at}.5\n", 2000 + at / 12, at % 12 + 1)).collect();
    for (text, first) in [
        (format!("Source,Sessions\n{rows}\nDay Index,Sessions\n1/1/21,5\n1/2/21,7\n"), 43),
        (
            format!(
                ",HML\n{months}\n  Annual Factors: January-December \n,HML\n1927,5\n1928,6\n\nCopyright 2023 X\n"
            ),
            43,
        ),
        (
            format!("Source,Sessions\r\n{rows}\r\nTop pages\r\npage,views,time\r\n/,5,7\r\n/a,7,8\r\n")
                .replace(".5\n", ".5\r\n"),
            43,
        ),
    ] {
        for skips_bad_rows in [false, true] {
            let parts = parts(&text, &ReadOptions { skips_bad_rows, ..ReadOptions::default() });
            assert_eq!(parts.train.rows(), 40, "{text}\n{:?}", parts.notes);
            assert_eq!(left_out(&parts)[0].0, Some(&*format!("line {first}")), "{text}");
        }
    }
    // The same names again are the same table, as where files are put together; a blank line is nothing.
    let again = parts("a,b\n1,2\n\na,b\n3,4\n\n5,6\n", &ReadOptions::default());
    assert_eq!(rendered(&again), "a 1 3 5 | b 2 4 6");
}

#[test]
fn one_column_of_decimal_commas_is_one_column() {
    let options = new_rows(&[], &["x"]);
    assert_eq!(rendered(&parts("x\n1,5\n2,5\n7,25\n", &options)), "x 1.5 2.5 7.25");
    // R's names of rows.
    assert_eq!(rendered(&parts("\"x\"\n\"1\",5\n\"2\",6\n", &options)), "c1 1 2 | x 5 6");
}

#[test]
fn numbers_are_read_by_the_locale_of_the_model() {
    let with = |commas: Option<bool>| ReadOptions {
        decimal_commas: commas.map(|commas| ("x".to_owned(), commas)).into_iter().collect(),
        ..new_rows(&[], &["x"])
    };
    for (text, commas, expected, is_warned) in [
        ("x;q\n1.204;1\n9.876;1\n", Some(true), "x 1204 9876 | q 1 1", false),
        ("x\tq\n1.204\t1\n9.876\t1\n", Some(true), "x 1204 9876 | q 1 1", false),
        ("x,q\n1.204,1\n9.876,1\n", Some(true), "x 1204 9876 | q 1 1", true),
        ("x;q\n1.204;1,5\n9.876;1,5\n", Some(false), "x 1.204 9.876 | q 1.5 1.5", true),
        ("x;q\n1,204;1\n9,876;1\n", Some(false), "x 1204 9876 | q 1 1", true),
        ("x;q\n1,204;1\n9,876;1\n", None, "x 1.204 9.876 | q 1 1", false),
        // The cells tell.
        ("x;q\n1.204;1\n9.5;1\n", Some(true), "x 1.204 9.5 | q 1 1", false),
    ] {
        let parts = parts(text, &with(commas));
        assert_eq!(rendered(&parts), expected, "{text} {commas:?}");
        let warned = parts.notes.iter().any(|note| note.kind == NoteKind::Type);
        assert_eq!(warned, is_warned, "{text} {commas:?}: {:?}", parts.notes);
    }
    let told = |text: &str| parts(text, &ReadOptions::default()).train.columns()[0].has_decimal_commas;
    assert_eq!(told("x;y\n1.204,50;1\n2,5;2\n"), Some(true));
    assert_eq!(told("x,y\n1.5,1\n2.5,2\n"), Some(false));
    assert_eq!(told("x,y\n\"1,204\",1\n\"2,305\",2\n"), Some(false));
    assert_eq!(told("x,y\n1,1\n2,2\n"), None);
}

#[test]
fn rare_delimiters_are_known_by_the_name_that_is_expected() {
    for delimiter in ['^', '~', '\u{1}', ':'] {
        let text =
            format!("a{delimiter}b{delimiter}y\n1.5{delimiter}2{delimiter}3\n2.5{delimiter}4{delimiter}5\n");
        assert_eq!(rendered(&parts(&text, &expecting(&["y"]))), "a 1.5 2.5 | b 2 4 | y 3 5", "{text}");
    }
}

#[test]
fn fields_in_single_quotes() {
    let parts = parts("'a','y'\n'1.5','u, v'\n'2.5','it''s'\n", &ReadOptions::default());
    assert_eq!(rendered(&parts), "a 1.5 2.5 | y 'u, v' 'it's'");
}

#[test]
fn a_table_in_an_object() {
    for text in [
        "{\"status\":\"ok\",\"data\":[{\"a\":1.5,\"y\":\"u\"},{\"a\":2.5,\"y\":\"d\"}]}",
        "{\"columns\":[\"a\",\"y\"],\"index\":[0,1],\"data\":[[1.5,\"u\"],[2.5,\"d\"]]}",
    ] {
        assert_eq!(rendered(&parts(text, &ReadOptions::default())), "a 1.5 2.5 | y 'u' 'd'", "{text}");
    }
}

#[test]
fn dates_in_other_dress() {
    let options = |is_year_first: bool| ReadOptions {
        year_first: is_year_first.then(|| "d".to_owned()).into_iter().collect(),
        known: [("d".to_owned(), ColumnType::Time)].into(),
        ..ReadOptions::default()
    };
    let day = 86_400.0;
    let read = |text: &str, options: &ReadOptions| {
        let parts = parts(text, options);
        let is_warned = parts.notes.iter().any(|note| note.kind == NoteKind::Type);
        match &*parts.train.column("d").unwrap().values().unwrap() {
            pullback::data::Values::Times(times) => (times.seconds[0] / day, is_warned),
            other => panic!("{text}: {other:?}"),
        }
    };
    // Days since 1970, by Python's datetime.date.
    let (of_2021, of_1999) = (18_632.0, 10_592.0);
    let rows = |from: &str| -> String { (1..=28).map(|day| format!("{from}{day:02},{day}\n")).collect() };
    let plain = ReadOptions::default();
    assert_eq!(read(&format!("d,y\n{}", rows("21/01/")), &plain), (of_2021 - 4.0, true));
    assert_eq!(read(&format!("d,y\n{}", rows("21-01-")), &plain), (of_2021 - 4.0, true));
    assert_eq!(read(&format!("d,y\n{}", rows("99-01-")), &plain).0, of_1999 + 0.0);
    // The first days of months are no years.
    let months: String = (0..24).map(|at| format!("01/{:02}/{:02},1\n", at % 12 + 1, 15 + at / 12)).collect();
    assert_eq!(read(&format!("d,y\n{months}"), &plain), (16_436.0, true));
    // As in training.
    assert_eq!(read("d,y\n21/01/05,1\n", &options(true)).0, of_2021);
    assert_eq!(read("d,y\n05/01/21,1\n", &options(false)).0, 18_748.0);
    // Digits, one row, and none.
    assert_eq!(read("d,y\n20210105,1\n", &options(false)).0, of_2021);
    assert!(read("d,y\n,1\n,2\n", &options(false)).0.is_nan());
    assert_eq!(read("{\"d\":20210105,\"y\":1}\n", &options(false)).0, of_2021);
    // What stands for no date.
    let none = "d,y\n2021-01-05,1\n0000-00-00,2\n9999-12-31,3\n2021-01-06,4\n";
    assert_eq!(read(none, &plain), (of_2021, false));
}

#[test]
fn numbers_of_training_take_yes_and_no() {
    for (yes, no) in [("TRUE", "FALSE"), ("True", "False"), ("yes", "no"), ("1", "0")] {
        let parts = parts(&format!("b,x\n{yes},1\n{no},2\n,3\n"), &new_rows(&[], &["b", "x"]));
        assert_eq!(rendered(&parts), "b 1 0 _ | x 1 2 3", "{yes}");
    }
}

#[test]
fn one_text_beside_numbers_stands_for_a_missing_one() {
    let rows = |text: &str| -> String {
        (0..40)
            .map(|at| match at % 5 {
                0 => format!("{text},1\n"),
                _ => format!("{at}.5,1\n"),
            })
            .collect()
    };
    for text in ["zzz", "해당없음", ".a", "[NULL]", "(Leer)", "????", "not yet"] {
        let parts = parts(&format!("a,y\n{}", rows(text)), &ReadOptions::default());
        let missing = crate::numbers(&parts, "a").iter().filter(|number| number.is_nan()).count();
        assert_eq!(missing, 8, "{text}");
        assert!(!parts.notes.is_empty(), "{text}");
    }
    // Few codes, of which a text is one.
    let grades: String = (0..40).map(|at| format!("{},1\n", ["1", "2", "3", "K"][at % 4])).collect();
    let parts = parts(&format!("a,y\n{grades}"), &ReadOptions::default());
    assert_eq!(parts.train.column("a").unwrap().kind(), Some(ColumnType::Categorical));
}

#[test]
fn mixed_units_of_one_kind_are_converted() {
    for (text, expected) in [
        ("t,y\n5ms,1\n7ms,2\n1.5s,3\n", "t 5 7 1500 | y 1 2 3"),
        ("t,y\n1.5 GB,1\n500 MB,2\n2 GB,3\n", "t 1.5 0.5 2 | y 1 2 3"),
    ] {
        let parts = parts(text, &ReadOptions::default());
        assert_eq!(rendered(&parts), expected, "{text}");
        assert!(parts.notes.iter().any(|note| note.kind == NoteKind::Type), "{text}");
    }
}

#[test]
fn formats_that_are_not_read_are_named() {
    for (content, name) in [
        (&b"@relation iris\n\n@attribute a numeric\n"[..], "ARFF"),
        (b"INSERT INTO t (a,y) VALUES (1,'u'),(2,'d');\n", "SQL"),
        (b"<table><tr><td>a</td></tr></table>\n", "HTML"),
        (b"\n\n<!DOCTYPE HTML>\n<html><body></body></html>", "HTML"),
        (b"(dp0\nVa\np1\nI1\ns.", "pickle"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"r\x02\x01\x00aaaaaaaaaaaaaaaaaaaaaaa", "Stata"),
        (b"\x03\x79\x07\x1a\x05\0\0\0\x41\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "dBASE"),
    ] {
        let error = read_as("t.bin", content, &ReadOptions::default()).err().unwrap();
        assert!(error.contains(name), "{name}: {error}");
    }
    // What only begins alike is a table.
    for text in ["create,y\n1,2\n3,4\n", "insert into,y\n1,2\n3,4\n", "%,y\n1,2\n3,4\n"] {
        assert_eq!(parts(text, &ReadOptions::default()).train.rows(), 2, "{text}");
    }
}
