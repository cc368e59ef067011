//! Files as people have them: what is read, as which types, with which notes.
//!
//! A case is a file's text, its columns, and the kinds of the notes. A column is its name and its cells: numbers as
//! they are, texts in quotes, `_` for a missing cell.

use crate::read_as;
use pullback::data::{ColumnType, Values};
use pullback_data::{Parts, ReadOptions};

pub(crate) fn rendered(parts: &Parts) -> String {
    let cell = |values: &Values, row: usize| match values {
        Values::Numbers(numbers) if numbers[row].is_nan() => "_".to_owned(),
        Values::Numbers(numbers) => numbers[row].to_string(),
        Values::Categories(texts) => texts.text(row).map_or("_".to_owned(), |text| format!("'{text}'")),
        Values::Times(times) => format!("{:?}", times.seconds[row]),
        Values::Bytes(bytes) => format!("{:?}", bytes.row(row)),
    };
    let columns = parts.train.columns().iter().map(|column| {
        let values = column.values().unwrap();
        let cells: Vec<String> = (0..parts.train.rows()).map(|row| cell(&values, row)).collect();
        format!("{} {}", column.name, cells.join(" "))
    });
    columns.collect::<Vec<_>>().join(" | ")
}

fn kinds(parts: &Parts) -> String {
    let name = |note: &pullback_data::Note| format!("{:?}", note.kind);
    parts.notes.iter().map(name).collect::<Vec<_>>().join(" ")
}

pub(crate) fn check_with(options: &ReadOptions, cases: &[(&[u8], &str, &str)]) {
    for (content, columns, notes) in cases {
        let shown = String::from_utf8_lossy(content);
        let parts = read_as("t.csv", content, options).unwrap_or_else(|error| panic!("{shown}\n{error}"));
        assert_eq!(rendered(&parts), *columns, "{shown}\n{:?}", parts.notes);
        assert_eq!(kinds(&parts), *notes, "{shown}\n{:?}", parts.notes);
        assert!(parts.train.columns().iter().all(|column| !column.reason.is_empty()), "{shown}");
    }
}

pub(crate) fn check(cases: &[(&str, &str, &str)]) {
    let cases: Vec<(&[u8], &str, &str)> =
        cases.iter().map(|(text, columns, notes)| (text.as_bytes(), *columns, *notes)).collect();
    check_with(&ReadOptions::default(), &cases);
}

fn expecting(name: &str) -> ReadOptions {
    ReadOptions { expected: vec![name.into()], ..ReadOptions::default() }
}

#[test]
fn drawn_tables() {
    check(&[
        // As psql, MySQL and Markdown draw them.
        (" id |  a\n----+-----\n  1 | 1.5\n  2 | 2.5\n(2 rows)\n", "id 1 2 | a 1.5 2.5", "Lines Lines"),
        ("| id | a |\n|---|--:|\n| 1 | 1.5 |\n| 2 | 2.5 |\n", "id 1 2 | a 1.5 2.5", "Header Empty"),
        ("a;b;c\nx;1;2\ny;3;4\nSumme;;\n", "a 'x' 'y' | b 1 3 | c 2 4", "Rows"),
        ("d,y\n66:15:01,1\n0:00:30,2\n", "d 238501 30 | y 1 2", "Numbers"),
        ("d,y\n\"=\"\"1.5\"\"\",1\n\"=\"\"2.5\"\"\",2\n", "d 1.5 2.5 | y 1 2", ""),
    ]);
}

#[test]
fn the_rule_below_the_names_of_a_markdown_table_is_no_row() {
    for rule in ["|---|---|---|", "| --- | :-: | --: |", "|:-:|--:|:--|"] {
        let text = format!("| a | b | y |\n{rule}\n| 0.5 | p | yes |\n| 0.7 | q | no |\n| 0.9 | p | yes |\n");
        let parts = read_as("t.md", text.as_bytes(), &ReadOptions::default()).unwrap();
        assert_eq!(rendered(&parts), "a 0.5 0.7 0.9 | b 'p' 'q' 'p' | y 'yes' 'no' 'yes'", "{text}");
    }
}

#[test]
fn a_table_in_a_box() {
    let rows: String = (0..40).map(|at| format!("| {at:2} | 1.5 |\n")).collect();
    let line = "+----+-----+\n";
    let text = format!("{line}| id | a   |\n{line}{rows}{line}40 rows in set (0.00 sec)\n");
    let parts = read_as("t.txt", text.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(parts.train.names().collect::<Vec<_>>(), ["id", "a"]);
    assert_eq!(parts.train.rows(), 40);
}

#[test]
fn spellings_of_yes_and_no() {
    check(&[
        ("a,y\nyes,1\nTrue,2\n1,3\nno,4\nyes,5\n", "a 'yes' 'yes' 'yes' 'no' 'yes' | y 1 2 3 4 5", "Type"),
        ("a,y\n1,1\n0,2\n1,3\nno,4\n,5\n", "a '1' '0' '1' '0' _ | y 1 2 3 4 5", "Type"),
        ("a,y\nJa,1\nNein,2\nJa,3\nx,4\n", "a 'Ja' 'Nein' 'Ja' 'x' | y 1 2 3 4", ""),
        // One pair in capitals too; and numbers beside it that say more than yes or no.
        ("a,y\nyes,1\nNo,2\nYES,3\n", "a 'yes' 'No' 'yes' | y 1 2 3", "Type"),
        ("a,y\nyes,1\nno,2\n1,3\n2,4\n", "a 'yes' 'no' '1' '2' | y 1 2 3 4", "Type"),
        ("a,y\nn,1\n1,2\nn,3\n1,4\n", "a 'n' '1' 'n' '1' | y 1 2 3 4", "Type"),
    ]);
    let apart =
        ReadOptions { types: [("a".into(), ColumnType::Categorical)].into(), ..ReadOptions::default() };
    check_with(&apart, &[(b"a,y\nyes,1\nTrue,2\nno,3\n", "a 'yes' 'True' 'no' | y 1 2 3", "")]);
}

#[test]
fn backslashes_before_quotes_are_found_below_a_header_of_row_names() {
    // R's write.table: one name less than there are cells in a row.
    let rows: String = (1..300).map(|at| format!("\"{at}\" \"x\" \"plain text {}\"\n", at % 7)).collect();
    let text = format!("\"a\" \"b\"\n{rows}\"300\" \"x\" \"said \\\"so\\\"\"\n");
    let parts = read_as("t.txt", text.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(parts.train.rows(), 300);
    assert_eq!(crate::texts(&parts, "b")[299].as_deref(), Some("said \"so\""));
}

#[test]
fn headers() {
    check(&[
        // pandas' index, R's row names, a trailing comma.
        (",a,y\n0,1.5,u\n1,2.5,d\n", "c1 0 1 | a 1.5 2.5 | y 'u' 'd'", "Header"),
        ("\"\",\"a\",\"y\"\n\"1\",1.5,\"u\"\n\"2\",2.5,\"d\"\n", "c1 1 2 | a 1.5 2.5 | y 'u' 'd'", "Header"),
        ("a,y,\n1,u,\n2,d,\n", "a 1 2 | y 'u' 'd'", "Header Empty"),
        ("a,y\n1,u,\n2,d,\n", "a 1 2 | y 'u' 'd'", "Header Empty"),
        ("a,y,\n1,u\n2,d\n", "a 1 2 | y 'u' 'd'", ""),
        // Numbers and years as names.
        ("0,1,y\n1.5,2,u\n2.5,1,d\n", "0 1.5 2.5 | 1 2 1 | y 'u' 'd'", ""),
        ("0,1,2,label\n5,2,3,u\n4,1,7,d\n", "0 5 4 | 1 2 1 | 2 3 7 | label 'u' 'd'", ""),
        ("0,1,2\n5.5,2.1,3\n4,1,7\n", "0 5.5 4 | 1 2.1 1 | 2 3 7", ""),
        ("id,2001,2002,y\na,5,6,u\nb,7,9,d\n", "id 'a' 'b' | 2001 5 7 | 2002 6 9 | y 'u' 'd'", ""),
        // R's header is one short.
        ("\"a\",\"y\"\n\"1\",1.5,\"u\"\n\"2\",2.5,\"d\"\n", "c1 1 2 | a 1.5 2.5 | y 'u' 'd'", "Header"),
        ("\"a\" \"y\"\n\"1\" 1.5 \"u\"\n\"2\" 2.5 \"d v\"\n", "c1 1 2 | a 1.5 2.5 | y 'u' 'd v'", "Header"),
        ("a y\nr1 1.5 u\nr2 2.5 d\n", "c1 'r1' 'r2' | a 1.5 2.5 | y 'u' 'd'", "Header"),
        // Names that stand twice.
        ("a,a,y,a_2\n1,2,u,3\n", "a 1 | a_3 2 | y 'u' | a_2 3", "Names"),
        ("a,,,y\n1,2,3,u\n", "a 1 | c2 2 | c3 3 | y 'u'", "Header"),
        // No header.
        ("1,u\n2,d\n3,u\n", "c1 1 2 3 | c2 'u' 'd' 'u'", "Header"),
        (
            "5.1,3.5,setosa\n4.9,3,setosa\n6,3,virginica\n",
            "c1 5.1 4.9 6 | c2 3.5 3 3 | c3 'setosa' 'setosa' 'virginica'",
            "Header",
        ),
        (
            "low,red,no\nlow,blue,yes\nhigh,red,no\n",
            "c1 'low' 'low' 'high' | c2 'red' 'blue' 'red' | c3 'no' 'yes' 'no'",
            "Header",
        ),
        // All texts without a repeated value: the usual case is a header.
        (
            "size,color,y\nhigh,blue,yes\nlow,red,no\n",
            "size 'high' 'low' | color 'blue' 'red' | y 'yes' 'no'",
            "",
        ),
        ("NA,b\n1,2\n3,4\n", "NA 1 3 | b 2 4", ""),
    ]);
    let headerless = ReadOptions { has_header: Some(false), ..ReadOptions::default() };
    check_with(
        &headerless,
        &[(b"low,red,no\nhigh,blue,yes\n", "c1 'low' 'high' | c2 'red' 'blue' | c3 'no' 'yes'", "")],
    );
    // The caller expects a name that only a table without a header has.
    check_with(
        &expecting("c3"),
        &[(b"low,red,no\nhigh,blue,yes\n", "c1 'low' 'high' | c2 'red' 'blue' | c3 'no' 'yes'", "Header")],
    );
    // Or one that only a header has.
    check_with(&expecting("7"), &[(b"5,7,9\n1,2,4\n3,4,4\n", "5 1 3 | 7 2 4 | 9 4 4", "")]);
    check_with(&expecting("y"), &[(b"x,y\nx,y2\nx,y3\n", "x 'x' 'x' | y 'y2' 'y3'", "")]);
}

#[test]
fn files_that_were_put_one_after_the_other() {
    check_with(
        &expecting("y"),
        &[
            (
                "\u{feff}a,y\n1,u\n2,d\n\u{feff}a,y\n3,d\n4,u\n".as_bytes(),
                "a 1 2 3 4 | y 'u' 'd' 'd' 'u'",
                "Lines",
            ),
            ("\u{feff}a,y\n1,u\n\u{feff}2,d\n\u{feff}\"3\",u\n".as_bytes(), "a 1 2 3 | y 'u' 'd' 'u'", ""),
        ],
    );
}

#[test]
fn lines_that_are_no_data() {
    check(&[
        ("sep=;\na;y\n1;u\n2;d\n", "a 1 2 | y 'u' 'd'", "Lines"),
        ("\"sep=|\"\r\na|y\r\n1|u\r\n", "a 1 | y 'u'", "Lines"),
        ("# x\na,y\n1,u\n2,d\n", "a 1 2 | y 'u' 'd'", "Lines"),
        ("# x, y\n# more, of it\na,y\n1,u\n2,d\n", "a 1 2 | y 'u' 'd'", "Lines"),
        ("#a,y\n1,u\n2,d\n", "a 1 2 | y 'u' 'd'", ""),
        ("A title\n\na,b,y\n1,2,u\n2,3,d\n", "a 1 2 | b 2 3 | y 'u' 'd'", "Lines"),
        ("A title,,\na,b,y\n1,2,u\n2,3,d\n", "a 1 2 | b 2 3 | y 'u' 'd'", "Lines"),
        ("A title, with a comma\na,b,y\n1,2,u\n2,3,d\n", "a 1 2 | b 2 3 | y 'u' 'd'", "Lines"),
        ("a,y\nmm,g\n1,2\n3,4\n", "a 1 3 | y 2 4", "Rows"),
        ("a,b,y\n(mm),(g),\n1,2,u\n3,4,d\n", "a 1 3 | b 2 4 | y 'u' 'd'", "Rows"),
        ("a,b\n1,2\n# a note\n3,4\n", "a 1 3 | b 2 4", "Lines"),
        ("a,b\n1,2\na,b\n3,4\n", "a 1 3 | b 2 4", "Lines"),
        ("n,b\nx,2\nz,4\nTotal,6\n", "n 'x' 'z' | b 2 4", "Rows"),
        ("n,b\nx,2\nz,4\nTotal:,6\n\nSource: someone\n", "n 'x' 'z' | b 2 4", "Lines Rows"),
        // Several rows of sums, and sums within the table that are those of the rows above.
        ("n,b\nx,2\nz,4\nTotal,6\nAverage,3\n", "n 'x' 'z' | b 2 4", "Rows"),
        ("n;b\nx;2\nz;4\nSumme;6\nDurchschnitt;3\n", "n 'x' 'z' | b 2 4", "Rows"),
        ("n,b\nx,2\nz,4\n합계,6\n평균,3\n", "n 'x' 'z' | b 2 4", "Rows"),
        (
            "n,b\nx,2\nz,4\nSubtotal,6\nv,3\nw,5\nSubtotal,8\nTotal,14\n",
            "n 'x' 'z' 'v' 'w' | b 2 4 3 5",
            "Rows",
        ),
        (
            "n,b,c\nx,2,1.5\nz,\"1,400\",2\nTotal North,\"1,402\",3.5\nv,3,1\nw,5,2\nTotal South,8,3\n",
            "n 'x' 'z' 'v' 'w' | b 2 1400 3 5 | c 1.5 2 1 2",
            "Rows Numbers",
        ),
        // A category of that name, with numbers of its own.
        ("n,b\nx,2\nTotal,7\nz,4\nw,5\n", "n 'x' 'Total' 'z' 'w' | b 2 7 4 5", ""),
        ("n,b\nx,2\nz,4\nTotal,6\nw,5\nTotal,9\n", "n 'x' 'z' 'Total' 'w' 'Total' | b 2 4 6 5 9", ""),
        ("n,b\nSum 41,2\nTotal Oil,4\nShell,6\n", "n 'Sum 41' 'Total Oil' 'Shell' | b 2 4 6", ""),
        // With a delimiter and without quotes.
        ("n,b,c\nx,2,1\nz,4,2\nTotal, 1234\n", "n 'x' 'z' | b 2 4 | c 1 2", "Rows"),
        ("n,b,c\nx,2,1\nz,4,2\nTotal: 1,234\n", "n 'x' 'z' | b 2 4 | c 1 2", "Rows"),
        ("n,b\nx,2\nz,4\nSource: X, Y\n", "n 'x' 'z' | b 2 4", "Lines"),
        ("n,b\nx,2\nz,4\nNote: a, b and 3, 4\nSource: X, 2020\n", "n 'x' 'z' | b 2 4", "Rows"),
        ("n,b,c\nx,2,1\nz,4,2\nQuelle: Amt, Bonn, Stand 2020, S. 3\n", "n 'x' 'z' | b 2 4 | c 1 2", "Lines"),
        ("n,b\nx,2\nz,4\n* without Guam, Samoa\n", "n 'x' 'z' | b 2 4", "Lines"),
        // What could be a row is one.
        ("n,b\nx,u\nz,v\nSource X, Y\n", "n 'x' 'z' 'Source X' | b 'u' 'v' 'Y'", ""),
        ("n,b\n*x,2\n*z,4\n*w,6\n", "n '*x' '*z' '*w' | b 2 4 6", ""),
        ("n,b\nNotebook,2\nz,4\nNoted,6\n", "n 'Notebook' 'z' 'Noted' | b 2 4 6", ""),
        ("n,b\nx,2\nTotal,4\nz,1\nTotal,6\n", "n 'x' 'Total' 'z' 'Total' | b 2 4 1 6", ""),
        ("a,b\n1,2\n3,4\n\x1a", "a 1 3 | b 2 4", "Lines"),
        ("a,b\n1,2\n3,4\n\x1a\n", "a 1 3 | b 2 4", "Lines"),
        ("a,y\n1,u\n,\n2,d\n,\n,\n", "a 1 _ 2 | y 'u' _ 'd'", "Empty"),
        ("a,y\n\n1,u\n   \n2,d\n\n\n", "a 1 2 | y 'u' 'd'", ""),
    ]);
    check_with(
        &expecting("y"),
        &[
            (b"Report,2021\nby,someone\na,y\n1,u\n2,d\n", "a 1 2 | y 'u' 'd'", "Lines"),
            (b"1,2\n3,4\na,y\n1,5\n2,6\n", "a 1 2 | y 5 6", "Lines"),
        ],
    );
}

#[test]
fn numbers_in_other_dress() {
    check(&[
        ("a;y\n1,5;2,5\n", "a 1.5 | y 2.5", "Numbers Numbers"),
        ("a,y\n1,\"1,204\"\n2,\"1,377\"\n", "a 1 2 | y 1204 1377", "Numbers"),
        ("a;y\n1,204;5\n2,377;6\n", "a 1.204 2.377 | y 5 6", "Numbers"),
        // Another column's decimal points tell.
        ("a;y\n1,204;5.5\n2,377;6.25\n", "a 1204 2377 | y 5.5 6.25", "Numbers"),
        ("a;y\n1.204;5,5\n12.377;6,25\n", "a 1204 12377 | y 5.5 6.25", "Numbers Numbers"),
        ("a;y\n1.204,5;5\n377;6\n", "a 1204.5 377 | y 5 6", "Numbers"),
        (
            "amt,rate,y\n\"$1,204\",12.50%,no\n\"$377\",3%,yes\n",
            "amt 1204 377 | rate 12.5 3 | y 'no' 'yes'",
            "Numbers Numbers",
        ),
        ("a;y\n1.5D3;2\n2;3\n", "a 1500 2 | y 2 3", ""),
        ("a,y\n3 kg,u\n4.5 kg,d\n", "a 3 4.5 | y 'u' 'd'", "Numbers"),
        ("a,y\n35/100,u\n4/100,d\n", "a 35 4 | y 'u' 'd'", "Numbers"),
        ("a,y\n(35),u\n4,d\n", "a -35 4 | y 'u' 'd'", ""),
        ("a,y\n\u{2212}35,u\n4,d\n", "a -35 4 | y 'u' 'd'", ""),
        ("a,y\n１２,u\n4,d\n", "a 12 4 | y 'u' 'd'", ""),
        ("a,y\n1 204,u\n12 377 000,d\n", "a 1204 12377000 | y 'u' 'd'", "Numbers"),
        ("a,y\n1'204.5,u\n377,d\n", "a 1204.5 377 | y 'u' 'd'", "Numbers"),
        ("a,y\n\"12,34,567\",u\n\"1,200\",d\n", "a 1234567 1200 | y 'u' 'd'", "Numbers"),
        ("a,y\n1.2k,u\n3M,d\n7,d\n", "a 1200 3000000 7 | y 'u' 'd' 'd'", "Numbers"),
        ("a;y\n1.204,50 €;u\n3,10 €;d\n", "a 1204.5 3.1 | y 'u' 'd'", "Numbers"),
        ("a,y\n₩12,u\n₩4,d\n", "a 12 4 | y 'u' 'd'", "Numbers"),
        ("a\tb\n1,5\t2\n2,25\t3\n", "a 1.5 2.25 | b 2 3", "Numbers"),
        // What is no number stays a text.
        ("a,y\nC01,u\nC02,d\n", "a 'C01' 'C02' | y 'u' 'd'", ""),
        ("a,y\n1.2.3,u\n1.2.4,d\n", "a '1.2.3' '1.2.4' | y 'u' 'd'", ""),
        ("a,y\n3 kg,u\n4 lb,d\n", "a '3 kg' '4 lb' | y 'u' 'd'", "Type"),
        ("zip,y\n02139,u\n10001,d\n", "zip '02139' '10001' | y 'u' 'd'", "Type"),
        ("a,y\n1,01\n2,02\n", "a 1 2 | y '01' '02'", "Type"),
    ]);
}

/// Nine numbers, then a cell.
fn nine_numbers_and(odd: &str) -> String {
    let mut text = "a,y\n".to_owned();
    text.extend((0..9).map(|row| format!("{row}.5,u\n")));
    text + odd + ",d\n"
}

#[test]
fn a_cell_among_ten_that_is_no_number_is_missing_with_a_warning() {
    let parts = read_as("t.csv", nine_numbers_and("oops").as_bytes(), &ReadOptions::default()).unwrap();
    assert!(rendered(&parts).contains(" 8.5 _ | "), "{}", rendered(&parts));
    let [note] = &parts.notes[..] else { panic!("{:?}", parts.notes) };
    assert!(note.kind.is_warning() && note.count == 1);
    for part in ["\"a\"", "\"oops\"", "1 cell", "row 10", "--type 'a=categorical'"] {
        assert!(note.to_string().contains(part), "`{part}` is not in: {note}");
    }
    let types = [("a".to_owned(), ColumnType::Categorical)].into();
    let parts = read_as(
        "t.csv",
        nine_numbers_and("oops").as_bytes(),
        &ReadOptions { types, ..ReadOptions::default() },
    )
    .unwrap();
    assert!(rendered(&parts).contains(" '8.5' 'oops' | "), "{}", rendered(&parts));
    // An infinite number is no text: it is refused with its place.
    let message =
        read_as("t.csv", nine_numbers_and("Infinity").as_bytes(), &ReadOptions::default()).unwrap_err();
    for part in ["line 11", "finite", "--missing=Infinity"] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    // Seven numbers and two texts are categories, and that is said.
    check(&[("a\n1\n2\n3\n4\n5\n6\n7\nx\ny\n", "a '1' '2' '3' '4' '5' '6' '7' 'x' 'y'", "Type")]);
    let numeric =
        ReadOptions { types: [("a".to_owned(), ColumnType::Numeric)].into(), ..ReadOptions::default() };
    check_with(&numeric, &[(b"a\n1\n2\n3\nx\ny\n", "a 1 2 3 _ _", "Missing")]);
    let message = read_as("t.csv", b"a\n1\nx\ny\n", &numeric).unwrap_err();
    assert!(message.contains("\"x\"") && message.contains("--type 'a=categorical'"), "{message}");
    // Dates alike.
    let mut text = "a,y\n".to_owned();
    text.extend((1..=9).map(|day| format!("2021-01-0{day},{day}\n")));
    let parts = read_as("t.csv", (text + "soon,3\n").as_bytes(), &ReadOptions::default()).unwrap();
    let values = parts.train.columns()[0].values().unwrap();
    let Values::Times(times) = &*values else { panic!("no times") };
    assert!(times.seconds[9].is_nan() && times.seconds[8] == 1_610_150_400.0);
    assert_eq!(kinds(&parts), "Missing Dates");
}

#[test]
fn letters_at_numbers() {
    check(&[
        // All have it: nothing is lost, and a warning says so. Beside bare numbers it says something.
        ("a,y\n123.5a,u\n124.5a,d\n", "a 123.5 124.5 | y 'u' 'd'", "Type"),
        ("a,y\nR12,u\nR14,d\n", "a 12 14 | y 'u' 'd'", "Type"),
        ("a,y\n12,u\n12a,d\n14,d\n", "a '12' '12a' '14' | y 'u' 'd' 'd'", "Type"),
        ("a,y\n12,u\n12B,d\n14,d\n", "a '12' '12B' '14' | y 'u' 'd' 'd'", "Type"),
        ("a,y\n12kg,u\n12,d\n14,d\n", "a 12 12 14 | y 'u' 'd' 'd'", "Numbers"),
        ("a,y\n12 stars,u\n12 stars,d\n", "a 12 12 | y 'u' 'd'", "Numbers"),
        ("a,y\n$12B,u\n$14,d\n", "a 12000000000 14 | y 'u' 'd'", "Numbers"),
        // A few letters are texts among numbers.
        ("a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n9a\n", "a 1 2 3 4 5 6 7 8 9 _", "Missing"),
    ]);
}

#[test]
fn digits_that_begin_with_zeros_stay_as_written() {
    check(&[
        ("zip,y\n1,02139\n2,10001\n", "zip 1 2 | y '02139' '10001'", "Type"),
        ("a,y\n1,007\n2,12\n3,0012\n", "a 1 2 3 | y '007' '12' '0012'", "Type"),
        ("a,y\n1,007\n2,none\n3,012\n", "a 1 2 3 | y '007' _ '012'", "Type"),
        ("a,y\n1,0.5\n2,0\n3,10\n", "a 1 2 3 | y 0.5 0 10", ""),
    ]);
}

#[test]
fn missing_cells() {
    for token in [
        "", "NA", "N/A", "n/a", "null", "NULL", "?", "NaN", "nan", "None", "-", "na", "#N/A", "<NA>", "nil",
        ".", "missing", "--", "#DIV/0!", "\\N", "none", "n.a.", "\u{2014}", "unknown", "NaT",
    ] {
        let text = format!("a,b,y\n{token},1,u\n2,3,d\n");
        let parts = read_as("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap();
        assert_eq!(rendered(&parts), "a _ 2 | b 1 3 | y 'u' 'd'", "{token}");
    }
    // Among texts, a word that can name a category does.
    check(&[("a,y\nnone,1\nbrick,2\nNA,3\n", "a 'none' 'brick' _ | y 1 2 3", "")]);
    let options = ReadOptions { missing: vec!["-999".into(), "keine".into()], ..ReadOptions::default() };
    check_with(
        &options,
        &[(b"a,b,c\n-999,keine,1\n2,x,keine\n3,-999.0,4\n", "a _ 2 3 | b _ 'x' _ | c 1 _ 4", "")],
    );
    check(&[("a,y\n-999,1\n2,2\n-999,3\n4,4\n", "a -999 2 -999 4 | y 1 2 3 4", "Missing")]);
}

#[test]
fn encodings() {
    let expected = "종류 '개' '고양이' | 값 1 2";
    let text = "종류,값\n개,1\n고양이,2\n";
    let utf_16 = |big: bool, mark: bool| -> Vec<u8> {
        let text = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    let default = ReadOptions::default();
    let cp949 = encoding_rs::EUC_KR.encode(text).0.into_owned();
    check_with(
        &default,
        &[
            (text.as_bytes(), expected, ""),
            (&utf_16(false, true), expected, "Encoding"),
            (&utf_16(true, true), expected, "Encoding"),
            (&cp949, expected, "Encoding"),
            (&[b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat(), expected, ""),
            (b"stra\xdfe,y\nGr\xfcn,1\nRot,2\n", "straße 'Grün' 'Rot' | y 1 2", "Encoding"),
        ],
    );
    // UTF-16 without a mark, where most characters are ASCII.
    let plain: Vec<u8> = "a,y\n1,u\n2,d\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check_with(&default, &[(&plain, "a 1 2 | y 'u' 'd'", "Encoding")]);
    let named = |name: &str| ReadOptions { encoding: Some(name.into()), ..ReadOptions::default() };
    let japanese = encoding_rs::SHIFT_JIS.encode("名前,値\n犬,1\n猫,2\n").0.into_owned();
    check_with(&named("shift_jis"), &[(&japanese, "名前 '犬' '猫' | 値 1 2", "Encoding")]);
    check_with(&named("cp949"), &[(&cp949, expected, "Encoding")]);
    check_with(&named("utf-8"), &[(text.as_bytes(), expected, "")]);
    let message = read_as("t.csv", text.as_bytes(), &named("utf-9")).unwrap_err();
    assert!(message.contains("utf-9") && message.contains("--encoding"), "{message}");
    // UTF-8 with one damaged byte is damaged UTF-8.
    let mut damaged = text.as_bytes().to_vec();
    damaged.extend(b"\xff,3\n");
    let message = read_as("t.csv", &damaged, &default).unwrap_err();
    assert!(message.contains("line 4") && message.contains("UTF-8"), "{message}");
}

#[test]
fn quotes() {
    check(&[
        ("\"a\", \"y\"\n1, \"x, y\"\n2, \"z\"\n", "a 1 2 | y 'x, y' 'z'", ""),
        ("a,y\n1,\"u\" \n2,\"d\"\n", "a 1 2 | y 'u' 'd'", ""),
        ("a,y\n1,5\" pipe\n2,x\n", "a 1 2 | y '5\" pipe' 'x'", "Type"),
        // Escaped by a backslash, as R's write.table does; else a backslash is one.
        (
            "\"a\" \"y\"\n\"1\" 1.5 \"a 5\\\" pipe\"\n\"2\" 2.5 \"\\\"d\\\"\"\n",
            "c1 1 2 | a 1.5 2.5 | y 'a 5\" pipe' '\"d\"'",
            "Header",
        ),
        ("a,y\n1,\"x\\\", y\"\n2,\"z\"\n", "a 1 2 | y 'x\", y' 'z'", ""),
        ("a,y\n\"C:\\\",\"u\"\n\"D:\\\",\"d\"\n", "a 'C:\\' 'D:\\' | y 'u' 'd'", ""),
        ("a,y\n\"C:\\\"\"x\",\"u\"\n\"D\",\"d\"\n", "a 'C:\\\"x' 'D' | y 'u' 'd'", ""),
    ]);
    let refused = |text: &str, parts: &[&str]| {
        let message = read_as("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
    };
    refused("a,b,y\n1,\"x,u\n2,y\"z,d\n3,w,u\n4,v,d\n", &["line 2", "after a closing quote"]);
    refused("a,b\n1,\"x\n2,y\n", &["line 2", "quote"]);
}

#[test]
fn bad_rows_are_refused_with_the_first_three_places_or_counted() {
    let text = "a,b\n1,2\n3\n4,5\n6,7,8\n9\n10\n11,12\n";
    let message = read_as("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap_err();
    for part in ["line 3", "1 field", "line 5: 3 fields", "line 6", "1 more", "--skip-bad-rows"] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    let options = ReadOptions { skips_bad_rows: true, ..ReadOptions::default() };
    check_with(&options, &[(text.as_bytes(), "a 1 4 11 | b 2 5 12", "BadRows")]);
    let parts = read_as("t.csv", text.as_bytes(), &options).unwrap();
    assert_eq!((parts.notes[0].count, parts.notes[0].place.as_deref()), (4, Some("line 3")));
}

#[test]
fn line_ends() {
    let expected = "a 1 3 | y 'u' 'd'";
    for end in ["\n", "\r\n", "\r"] {
        check(&[
            ("a,y\n1,u\n3,d\n".replace('\n', end).as_str(), expected, ""),
            ("a,y\n1,u\n3,d".replace('\n', end).as_str(), expected, ""),
        ]);
    }
}

#[test]
fn threads_change_nothing() {
    let mut text = "a,b,c,d\n".to_owned();
    for row in 0..40_000 {
        let odd = if row == 39_000 { "\"x, \"\"\ny\"" } else { "w" };
        text += &format!("{row}.25,{},{odd},{}\n", row % 7, if row % 1000 == 999 { "-" } else { "5" });
    }
    let of = |threads| {
        let parts =
            read_as("t.csv", text.as_bytes(), &ReadOptions { threads, ..ReadOptions::default() }).unwrap();
        (rendered(&parts), parts.notes)
    };
    let one = of(1);
    assert!(one.0.contains("'x, \"\ny'"));
    for threads in [2, 3, 7] {
        assert!(of(threads) == one, "{threads} threads");
    }
}

/// A column of dates in which a model was trained with the day first, or not, or with neither.
fn dates_of_model(is_day_first: Option<bool>) -> ReadOptions {
    ReadOptions {
        known: [("d".into(), ColumnType::Time)].into(),
        day_first: is_day_first.map(|is_first| ("d".into(), is_first)).into_iter().collect(),
        ..ReadOptions::default()
    }
}

#[test]
fn dates_that_can_be_read_in_two_ways_are_warned_of() {
    let [second_of_january, first_of_february] = [1_609_545_600.0_f64, 1_612_137_600.0];
    let check = |options: &ReadOptions, dates: &[&str], first: f64, warnings: &[&str]| {
        let rows: String = dates.iter().map(|date| format!("{date},1\n")).collect();
        let parts = read_as("t.csv", format!("d,y\n{rows}").as_bytes(), options).unwrap();
        let values = parts.train.columns()[0].values().unwrap();
        let Values::Times(times) = &*values else { panic!("{dates:?}: no times") };
        assert_eq!(times.seconds[0], first, "{dates:?}");
        let found: Vec<String> =
            parts.notes.iter().filter(|note| note.kind.is_warning()).map(|note| note.to_string()).collect();
        assert_eq!(found.len(), warnings.len(), "{dates:?}: {found:?}");
        for (found, part) in found.iter().zip(warnings) {
            assert!(found.contains(part), "`{part}` is not in: {found}");
        }
    };
    let guessed: &[&str] = &["every date fits with the day or the month first"];
    let none = ReadOptions::default();
    let (month, day) = (second_of_january, first_of_february);
    // Rows in no order of time tell nothing, nor does one row.
    check(&none, &["01/02/2021", "03/01/2021", "02/05/2021", "05/02/2021"], month, guessed);
    check(&none, &["1/2/2021"], month, guessed);
    // A number above 12, the order of the rows, a point, and dates that are the same either way tell.
    check(&none, &["01/02/2021", "03/01/2021", "31/05/2021"], day, &[]);
    check(&none, &["01/02/2021", "03/01/2021", "05/31/2021"], month, &[]);
    check(&none, &["01/02/2021", "03/02/2021", "05/02/2021", "01/03/2021"], day, &[]);
    check(&none, &["01.02.2021", "03.01.2021", "02.05.2021"], day, &[]);
    check(&none, &["01/01/2021", "03/03/2021", "02/02/2021"], 1_609_459_200.0, &[]);
    check(&none, &["2021-01-02", "2021-03-04"], month, &[]);
    // The model says it; what the cells say holds against it, with a warning.
    let unordered = ["01/02/2021", "03/01/2021", "02/05/2021"];
    check(&dates_of_model(Some(true)), &unordered, day, &[]);
    check(&dates_of_model(Some(false)), &unordered, month, &[]);
    check(&dates_of_model(None), &unordered, month, guessed);
    let above = ["01/02/2021", "03/01/2021", "31/05/2021"];
    check(&dates_of_model(Some(false)), &above, day, &["day first here, which they had not in training"]);
    let above = ["01/02/2021", "03/01/2021", "05/31/2021"];
    check(&dates_of_model(Some(true)), &above, month, &["month first here, which they had not in training"]);
    check(&dates_of_model(Some(true)), &["2021-01-02"], month, &[]);
}

#[test]
fn dates_among_which_too_many_cells_are_none_are_texts_with_a_warning() {
    let text = "d,y\n2021-01-02,1\n2021-01-03,2\n2021-13-45,3\nsoon,4\n2021-01-05,5\n";
    let parts = read_as("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap();
    assert!(rendered(&parts).starts_with("d '2021-01-02' "), "{}", rendered(&parts));
    let note = parts.notes[0].to_string();
    for part in ["3 of 5 cells are dates", "--type 'd=time'"] {
        assert!(note.contains(part), "`{part}` is not in: {note}");
    }
}

#[test]
fn factors_that_every_number_has_are_multiplied() {
    check(&[
        ("a,y\n1.2k,u\n3k,d\n", "a 1200 3000 | y 'u' 'd'", "Numbers"),
        ("a,y\n1.2M,u\n3M,d\n", "a 1200000 3000000 | y 'u' 'd'", "Numbers"),
        ("a,y\n$1.2m,u\n$300k,d\n", "a 1200000 300000 | y 'u' 'd'", "Numbers"),
        ("a,y\n$12B,u\n$14B,d\n", "a 12000000000 14000000000 | y 'u' 'd'", "Numbers"),
        ("a,y\n2.5万,u\n1.2亿,d\n", "a 25000 120000000 | y 'u' 'd'", "Numbers"),
        ("a,y\n3만원,u\n5000원,d\n1억원,d\n", "a 30000 5000 100000000 | y 'u' 'd' 'd'", "Numbers"),
        ("a;y\n1,5 Mio. €;u\n2 Mrd. €;d\n", "a 1500000 2000000000 | y 'u' 'd'", "Numbers"),
        // Units, codes and temperatures are none.
        ("a,y\n12 km,u\n14 km,d\n", "a 12 14 | y 'u' 'd'", "Numbers"),
        ("a,y\n12m,u\n14m,d\n", "a 12 14 | y 'u' 'd'", "Numbers"),
        ("a,y\n12B,u\n14B,d\n", "a 12 14 | y 'u' 'd'", "Type"),
        ("a,y\n300 K,u\n310 K,d\n", "a 300 310 | y 'u' 'd'", "Numbers"),
    ]);
}

#[test]
fn units_have_several_spellings() {
    check(&[
        ("a,y\n3 h,u\n4 hrs,d\n", "a 3 4 | y 'u' 'd'", "Numbers"),
        ("a,y\n3 EUR,u\n€4,d\n", "a 3 4 | y 'u' 'd'", "Numbers"),
        ("a,y\n$3,u\n4 USD,d\n5,d\n", "a 3 4 5 | y 'u' 'd' 'd'", "Numbers"),
        ("a,y\n3 mW,u\n4 MW,d\n", "a '3 mW' '4 MW' | y 'u' 'd'", "Type"),
    ]);
    let text = format!("a,y\n{}4 lb,2\n", "3 kg,1\n".repeat(9));
    let parts = read_as("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap();
    assert!(rendered(&parts).starts_with("a 3 3 3 3 3 3 3 3 3 _ |"), "{}", rendered(&parts));
    let note = parts.notes[0].to_string();
    assert!(parts.notes[0].kind.is_warning(), "{note}");
    for part in ["1 cell in lb and not in kg, as most are", "\"4 lb\"", "row 10"] {
        assert!(note.contains(part), "`{part}` is not in: {note}");
    }
}

/// A column of numbers in which a model was trained, in a unit.
fn in_unit(unit: Option<&str>) -> ReadOptions {
    ReadOptions {
        known: [("a".into(), ColumnType::Numeric)].into(),
        units: unit.map(|unit| ("a".into(), unit.into())).into_iter().collect(),
        ..ReadOptions::default()
    }
}

#[test]
fn numbers_are_read_in_the_unit_that_they_had_in_training() {
    let read = |unit: Option<&str>, cells: &[&str]| {
        let text = format!("a,y\n{}", cells.iter().map(|cell| format!("{cell},1\n")).collect::<String>());
        read_as("t.csv", text.as_bytes(), &in_unit(unit)).map(|parts| {
            let notes: Vec<String> = (parts.notes.iter().filter(|note| note.kind.is_warning()))
                .map(|note| note.to_string())
                .collect();
            (crate::numbers(&parts, "a"), notes.join("; "))
        })
    };
    let check = |unit: Option<&str>, cells: &[&str], numbers: &[f64], warning: &str| {
        let (found, notes) = read(unit, cells).unwrap();
        assert_eq!(format!("{found:?}"), format!("{numbers:?}"), "{unit:?} {cells:?}: {notes}");
        assert_eq!(notes.is_empty(), warning.is_empty(), "{unit:?} {cells:?}: {notes}");
        assert!(notes.contains(warning), "`{warning}` is not in: {notes}");
    };
    let nan = f64::NAN;
    check(Some("kg"), &["70 kg", "71", "72kg"], &[70.0, 71.0, 72.0], "");
    check(
        Some("kg"),
        &["70", "71000 g", "72 kg"],
        &[70.0, nan, 72.0],
        "1 cell in g and not in kg, as the column was",
    );
    check(Some("€"), &["5 EUR", "€6", "7"], &[5.0, 6.0, 7.0], "");
    check(Some("€"), &["5 EUR", "€6", "$7"], &[5.0, 6.0, nan], "in $ and not in €");
    check(Some("€"), &["5k €", "€6M"], &[5e3, 6e6], "");
    check(Some("kg"), &["5k", "6", "7"], &[nan, 6.0, 7.0], "in k and not in kg");
    check(Some("k"), &["300K", "310"], &[300.0, 310.0], "");
    check(None, &["5 kg", "6 kg"], &[5.0, 6.0], "in kg here, which the model does not know");
    check(None, &["5", "6"], &[5.0, 6.0], "");
    check(Some("seconds"), &["45m", "1h"], &[2700.0, 3600.0], "");
    check(Some("seconds"), &["45", "60"], &[45.0, 60.0], "");
    check(Some("%"), &["12%", "13"], &[12.0, 13.0], "");
    check(Some("%"), &["12%", "0.13"], &[12.0, 0.13], "1 cell without %");
    check(Some("%"), &["0.12", "0.13"], &[0.12, 0.13], "2 cells without %");
    let message = read(Some("kg"), &["70000 g", "71000 g"]).unwrap_err();
    assert!(message.contains("is not in kg, as the column was in training (and 1 more)"), "{message}");
    // A target is read so too, though its type is found anew.
    let options = ReadOptions { known: Default::default(), ..in_unit(Some("kg")) };
    let message = read_as("t.csv", b"a,y\n70000 g,1\n71000 g,2\n", &options).unwrap_err();
    assert!(message.contains("is not in kg"), "{message}");
}

#[test]
fn percent_beside_fractions_is_warned_of() {
    let parts = read_as("t.csv", b"a,y\n12%,1\n0.13,2\n14%,3\n", &ReadOptions::default()).unwrap();
    assert_eq!(crate::numbers(&parts, "a"), [12.0, 0.13, 14.0]);
    let note = parts.notes[0].to_string();
    assert!(parts.notes[0].kind.is_warning() && note.contains("1 cell without %"), "{note}");
    check(&[("a,y\n12%,1\n0,2\n14,3\n", "a 12 0 14 | y 1 2 3", "Numbers")]);
}

#[test]
fn durations_and_amounts_of_accountants() {
    check(&[
        ("d,y\n1 days 02:03:04,1\n0 days 00:00:30,2\n", "d 93784 30 | y 1 2", "Numbers"),
        ("d,y\n1h 31m,1\n45m,2\n", "d 5460 2700 | y 1 2", "Numbers"),
        ("d,y\n45m,1\n50m,2\n", "d 45 50 | y 1 2", "Numbers"),
        ("a,y\n\"$(2,994.50)\",1\n$12,2\n", "a -2994.5 12 | y 1 2", "Numbers"),
    ]);
}

#[test]
fn whole_numbers_that_are_equal_as_numbers_are_told_apart_by_their_digits() {
    check(&[
        (
            "id,y\n9007199254740992,1\n9007199254740993,2\n9007199254740995,3\n",
            "id '9007199254740992' '9007199254740993' '9007199254740995' | y 1 2 3",
            "Type",
        ),
        // Far apart, they are numbers; and so are fractions, whatever their digits.
        (
            "id,y\n9007199254740992,1\n9007199254741992,2\n",
            "id 9007199254740992 9007199254741992 | y 1 2",
            "",
        ),
        (
            "a,y\n0.90071992547409921,1\n0.90071992547409922,2\n",
            "a 0.9007199254740992 0.9007199254740992 | y 1 2",
            "",
        ),
    ]);
    let parts = read_as(
        "t.jsonl",
        b"{\"id\": 9007199254740992}\n{\"id\": 9007199254740993}\n",
        &ReadOptions::default(),
    );
    assert_eq!(rendered(&parts.unwrap()), "id '9007199254740992' '9007199254740993'");
    let numeric =
        ReadOptions { types: [("id".into(), ColumnType::Numeric)].into(), ..ReadOptions::default() };
    check_with(
        &numeric,
        &[(
            b"id,y\n9007199254740992,1\n9007199254740993,2\n",
            "id 9007199254740992 9007199254740992 | y 1 2",
            "Type",
        )],
    );
}
