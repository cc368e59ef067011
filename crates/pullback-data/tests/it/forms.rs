//! Kinds of files and cells that look like another kind: names in several lines, delimiters of two characters, numbers
//! with others beside them, dates that stand for none.

use crate::files::{check, check_with, rendered};
use crate::read_as;
use pullback::data::ColumnType;
use pullback_data::{Delimiter, NoteKind, Parts, ReadOptions};

fn expecting(name: &str) -> ReadOptions {
    ReadOptions { expected: vec![name.into()], ..ReadOptions::default() }
}

fn parts(text: &str, options: &ReadOptions) -> Parts {
    read_as("t.csv", text.as_bytes(), options).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// A hundred rows of a date, two numbers and a text below some lines.
fn below(lines: &str) -> String {
    let row = |at: usize| {
        format!("2021-{:02}-{:02},{at}.5,{}.25,{}\n", 1 + at / 28, 1 + at % 28, 7 * at, ["u", "v"][at % 2])
    };
    format!("{lines}\n{}", (0..100).map(row).collect::<String>())
}

#[test]
fn names_in_several_lines_are_the_same_with_and_without_a_target() {
    for (lines, names) in [
        // Groups above the names, as spreadsheets merge cells.
        (",Weather,,\ndate,temp,rain,y", "date temp rain y"),
        ("When,Weather,,Result\ndate,temp,rain,y", "date temp rain y"),
        ("grp,num,num,cat\ndate,a,b,y", "date a b y"),
        // As pandas writes columns of two levels, with the name of the index below.
        (",a,a,b\nkind,mean,std,y\nid,,,", "id mean std y"),
        // As yfinance writes one company.
        ("Price,Close,High,y\nTicker,AAPL,AAPL,AAPL\nDate,,,", "Price Close High y"),
        ("Sales report,,,\n\"(in thousands)\",,,\ndate,a,b,y", "date a b y"),
        ("Sales report,,,\ndate,a,b,y", "date a b y"),
        // A unit below a name that stands twice is none.
        ("date,temp,temp,y\nd,C,F,class", "date temp temp_2 y"),
        (",a,b,y\ndate,mm,kg,s", "c1 a b y"),
        // As loggers of Campbell write them.
        (
            "\"TOA5\",\"stn\",\"CR1000\",\"1\",\"std\",\"CPU\",\"2\",\"tbl\"\n\"date\",\"a\",\"b\",\"y\"\n\"TS\",\"Deg\",\"mm\",\"\"\n\
             \"\",\"Avg\",\"Smp\",\"Smp\"",
            "date a b y",
        ),
        ("Start,Q1,Q2,y\nStart Date,How old?,How tall?,Which one?", "Start Q1 Q2 y"),
    ] {
        let text = below(lines);
        let looked = parts(&text, &ReadOptions::default());
        let trained = parts(&text, &expecting("y"));
        assert_eq!(looked.train.names().collect::<Vec<_>>().join(" "), names, "{lines}\n{:?}", looked.notes);
        assert_eq!(looked.train.rows(), 100, "{lines}");
        assert_eq!(rendered(&trained), rendered(&looked), "{lines}");
        // And by another name.
        let other = looked.train.names().nth(1).unwrap().to_owned();
        assert_eq!(rendered(&parts(&text, &expecting(&other))), rendered(&looked), "{lines}");
    }
}

#[test]
fn years_below_a_line_of_groups_are_names() {
    let rows: String = (0..20).map(|at| format!("p{at},{at}.5,{}.25\n", at * 3)).collect();
    for groups in [",Sum of x,Sum of x", "Table,Year,", "Table,,"] {
        let parts = parts(&format!("{groups}\nRow Labels,2019,2020\n{rows}"), &ReadOptions::default());
        assert_eq!(
            parts.train.names().collect::<Vec<_>>(),
            ["Row Labels", "2019", "2020"],
            "{:?}",
            parts.notes
        );
        assert_eq!(parts.train.rows(), 20);
    }
}

#[test]
fn a_line_below_the_names_that_could_name_them_too_is_said_with_the_flag_to_take_it() {
    let text = below("Date,Temperature,Rain,Class\ndate,a,b,y");
    let looked = parts(&text, &ReadOptions::default());
    assert_eq!(looked.train.names().collect::<Vec<_>>(), ["Date", "Temperature", "Rain", "Class"]);
    assert!(looked.notes[0].words.contains("`--target`"), "{:?}", looked.notes);
    let trained = parts(&text, &expecting("y"));
    assert_eq!(trained.train.names().collect::<Vec<_>>(), ["date", "a", "b", "y"]);
    assert!(trained.notes.iter().all(|note| !note.words.contains("`--target`")), "{:?}", trained.notes);
}

#[test]
fn a_column_without_a_name_is_a_target_by_the_name_that_it_is_given() {
    let text = "a,b,\n1,2,u\n3,4,v\n5,6,u\n";
    for options in [ReadOptions::default(), expecting("c3")] {
        assert_eq!(rendered(&parts(text, &options)), "a 1 3 5 | b 2 4 6 | c3 'u' 'v' 'u'");
    }
    // Of a file without names it is one too.
    assert_eq!(
        rendered(&parts("p,q,u\nr,s,v\np,q,u\n", &expecting("c3"))),
        "c1 'p' 'r' 'p' | c2 'q' 's' 'q' | c3 'u' 'v' 'u'"
    );
}

#[test]
fn delimiters_of_two_characters() {
    check(&[
        // MovieLens: ratings, users and movies, of which the last has other delimiters in its cells.
        (
            "1::1193::5::978300760\n1::661::3::978302109\n2::661::4::978298413\n",
            "c1 1 1 2 | c2 1193 661 661 | c3 5 3 4 | c4 978300760 978302109 978298413",
            "Lines Header",
        ),
        (
            "1::Toy Story (1995)::Animation|Children's|Comedy\n2::Jumanji (1995)::Adventure|Children's\n3::Father, The: 2 (1995)::Comedy\n4::X (1996)::Drama\n",
            "c1 1 2 3 4 | c2 'Toy Story (1995)' 'Jumanji (1995)' 'Father, The: 2 (1995)' 'X (1996)' | \
             c3 'Animation|Children's|Comedy' 'Adventure|Children's' 'Comedy' 'Drama'",
            "Lines Header",
        ),
        ("a||b||y\n1||2.5||u\n3||||v\n", "a 1 3 | b 2.5 _ | y 'u' 'v'", "Lines"),
        ("a || b || y\n1 || 2 || \"u||w\"\n3 || 4 || v\n", "a 1 3 | b 2 4 | y 'u||w' 'v'", "Lines"),
        ("a~~y\n1~~u\n2~~v\n", "a 1 2 | y 'u' 'v'", "Lines"),
        ("sep=||\na||y\n1||u\n2||v\n", "a 1 2 | y 'u' 'v'", "Lines Lines"),
        // Empty cells are none.
        ("a,b,y\n1,,u\n,,v\n3,,u\n", "a 1 _ 3 | b _ _ _ | y 'u' 'v' 'u'", ""),
        ("a,y\nx::1,u\ny::2,v\n", "a 'x::1' 'y::2' | y 'u' 'v'", ""),
        ("a|b|y\n1||u\n2|3|v\n", "a 1 2 | b _ 3 | y 'u' 'v'", ""),
        // Rare delimiters, with names that nobody expects.
        ("a^b^y\n1^2^u\n3^4^v\n", "a 1 3 | b 2 4 | y 'u' 'v'", "Lines"),
        ("a:b:y\n1:2:u\n3:4:v\n", "a 1 3 | b 2 4 | y 'u' 'v'", "Lines"),
        ("at\n12:30\n12:45\n", "at 45000.0 45900.0", "Dates"),
    ]);
    let options = ReadOptions { delimiter: Delimiter::parse("::"), ..ReadOptions::default() };
    check_with(&options, &[(b"a::b\n1::2\n3::4\n", "a 1 3 | b 2 4", "")]);
    assert_eq!(Delimiter::parse("tab"), Some(b'\t'.into()));
    for text in ["", "ab", ":::", "é", "éé", "11"] {
        assert_eq!(Delimiter::parse(text), None, "{text}");
    }
}

#[test]
fn numbers_with_others_beside_them() {
    check(&[
        ("a,y\n9.42 (0.64),1\n8.1 (0.5),2\n7 (1),3\n", "a 9.42 8.1 7 | y 1 2 3", "Type"),
        ("a,y\n5.1 ± 0.2,1\n4.9±0.1,2\n", "a 5.1 4.9 | y 1 2", "Type"),
        ("a;y\n9,42 (0,64);1\n8,1 (0,5);2\n", "a 9.42 8.1 | y 1 2", "Type Numbers"),
        ("a,y\n12 (34%),1\n7 (20 %),2\n", "a 12 7 | y 1 2", "Type"),
        ("a,y\n\"1.8 [1.2, 2.4]\",1\n1.5 (95% CI 1.1-1.9),2\n", "a 1.8 1.5 | y 1 2", "Type"),
        ("a,y\n0.03*,1\n0.2,2\n0.001***,3\n", "a 0.03 0.2 0.001 | y 1 2 3", "Type"),
        ("a,y\n\"1,204[5]\",1\n\"1,377[6]\",2\n", "a 1204 1377 | y 1 2", "Type Numbers"),
        ("a,y\n5 1/2,1\n6 3/4,2\n7,3\n", "a 5.5 6.75 7 | y 1 2 3", ""),
        // What is to stay a text in a spreadsheet.
        ("zip,y\n\"=\"\"02139\"\"\",1\n\"=\"\"10001\"\"\",2\n", "zip '02139' '10001' | y 1 2", "Type"),
        // Of an accountant.
        ("a,y\n(12),1\n13,2\n", "a -12 13 | y 1 2", ""),
    ]);
}

#[test]
fn texts_that_begin_with_numbers_are_never_categories_in_silence() {
    let table = |cell: &dyn Fn(usize) -> String| {
        let rows = (0..40).map(|at| format!("\"{}\",{}\n", cell(at), at % 7));
        format!("a,y\n{}", rows.collect::<String>())
    };
    let said = |cell: &dyn Fn(usize) -> String| {
        let parts = parts(&table(cell), &ReadOptions::default());
        assert_eq!(parts.train.column("a").unwrap().kind(), Some(ColumnType::Categorical), "{}", cell(1));
        parts
            .notes
            .iter()
            .any(|note| note.kind == NoteKind::Type && note.words.contains("begin with a number"))
    };
    assert!(said(&|at| format!("{at} (high{at})")));
    assert!(said(&|at| format!("{at}-{}", at + 5)));
    assert!(said(&|at| format!("{at} of every 50 that came")));
    assert!(said(&|at| format!("{}/{}", 100 + at, 60 + at)));
    assert!(said(&|at| format!("{}-{}", 1960 + at, 61 + at)));
    // Codes, and levels that the report shows.
    assert!(!said(&|at| format!("{at:02}-A{at}")));
    assert!(!said(&|at| format!("{}0-{}9", 1 + at % 5, 1 + at % 5)));
    assert!(!said(&|at| format!("name {at}")));
}

#[test]
fn dates_that_stand_for_none_are_missing_with_a_warning() {
    let days = |at: usize| format!("202{}-0{}-1{}", at % 4, 1 + at % 9, at % 10);
    let read = |odd: &str, rows: usize, options: &ReadOptions| {
        let row = |at: usize| format!("{},{at}\n", if at % 3 == 1 { odd.to_owned() } else { days(at) });
        let text = format!("d,y\n{}", (0..rows).map(row).collect::<String>());
        parts(&text, options)
    };
    let missing = |parts: &Parts| rendered(parts).split(" | ").next().unwrap().matches("NaN").count();
    for odd in [
        "9999-12-31",
        "1900-01-00",
        "1899-12-30",
        "1900-01-01",
        "1970-01-01 00:00:00",
        "0001-01-01",
        "2099-12-31",
        "3000-01-01",
        "1753-01-01",
    ] {
        let parts = read(odd, 30, &ReadOptions::default());
        assert_eq!(
            parts.train.column("d").unwrap().kind(),
            Some(ColumnType::Time),
            "{odd}: {:?}",
            parts.notes
        );
        assert_eq!(missing(&parts), 10, "{odd}: {}", rendered(&parts));
        let note = parts.notes.iter().find(|note| note.kind == NoteKind::Missing).unwrap();
        assert!(note.count == 10 && note.words.contains(odd), "{note}");
    }
    // As digits, too.
    for odd in ["99991231", "19000101", "0"] {
        let rows = (0..30).map(|at| {
            if at % 3 == 1 {
                format!("{odd},{at}\n")
            } else {
                format!("202{}0{}1{},{at}\n", at % 4, 1 + at % 9, at % 10)
            }
        });
        let parts = parts(&format!("d,y\n{}", rows.collect::<String>()), &ReadOptions::default());
        assert_eq!(missing(&parts), 10, "{odd}: {}", rendered(&parts));
        assert!(
            parts.notes.iter().any(|note| note.kind == NoteKind::Missing && note.count == 10),
            "{:?}",
            parts.notes
        );
    }
    // A day among others is a date: of births, or the first of a series.
    let near = "d,y\n1969-12-31,1\n1970-01-01,2\n1970-01-02,3\n1970-01-05,4\n";
    assert_eq!(missing(&parts(near, &ReadOptions::default())), 0);
    let births = "d,y\n1962-05-01,1\n1970-01-01,2\n1981-01-02,3\n1999-01-05,4\n";
    assert_eq!(missing(&parts(births, &ReadOptions::default())), 0);
    // A new row alone is read as its column was in training.
    let at = |year: f64| (year - 1970.0) * 31_556_952.0;
    for (dates, expected) in [([at(2015.0), at(2025.0)], 1), ([at(1930.0), at(2005.0)], 0)] {
        let options = ReadOptions {
            known: [("d".to_owned(), ColumnType::Time)].into(),
            dates: [("d".to_owned(), dates)].into(),
            ..ReadOptions::default()
        };
        assert_eq!(missing(&parts("d,y\n1970-01-01,1\n", &options)), expected, "{dates:?}");
    }
}

#[test]
fn parts_of_years_are_dates() {
    let day = |text: &str| {
        let parts = parts(&format!("d,y\n{text},1\n2021-01-01,2\n"), &ReadOptions::default());
        rendered(&parts).split(' ').nth(1).unwrap().parse::<f64>().unwrap() / 86_400.0
    };
    for (text, expected) in [
        ("2024H1", 19723.0),
        ("1H24", 19723.0),
        ("2024-H2", 19905.0),
        ("Q1-2024", 19723.0),
        ("2024-W05", 19751.0),
        ("Spring 2024", 19783.0),
    ] {
        assert_eq!(day(text), expected, "{text}");
    }
}

#[test]
fn the_backslash_before_an_amount_is_the_currency_of_its_encoding() {
    let of = |text: &str, encoding: &'static encoding_rs::Encoding| {
        let bytes = encoding.encode(text).0.into_owned();
        read_as("t.csv", &bytes, &ReadOptions::default()).unwrap()
    };
    let text = "品名,価格,道\n林檎の木を植える,\"\\1,200\",C:\\1\n蜜柑の皮をむく,\"-\\980\",\\N\n葡萄の房をもぐ,\\ 450,a\\b\n";
    let parts = of(text, encoding_rs::SHIFT_JIS);
    let price = parts.train.column("価格").unwrap();
    assert_eq!(price.unit.as_deref(), Some("¥"), "{:?}", parts.notes);
    assert!(rendered(&parts).contains("価格 1200 -980 450 | 道 'C:\\1' _ 'a\\b'"), "{}", rendered(&parts));
    let text = "이름,가격\n사과나무를 심는다,\"\\1,200\"\n귤껍질을 벗긴다,\\980\n";
    let parts = of(text, encoding_rs::EUC_KR);
    assert_eq!(parts.train.column("가격").unwrap().unit.as_deref(), Some("₩"), "{:?}", parts.notes);
    // In UTF-8, as it is typed there.
    check(&[("a,y\n\"\\1,200\",1\n\\980,2\n", "a 1200 980 | y 1 2", "Numbers")]);
}

#[test]
fn fields_at_the_same_places_of_each_line() {
    let rows: String = (0..20)
        .map(|at| {
            let place = ["New York", "Bern", "Rio de J"][at % 3];
            let dose = if at % 7 == 3 { String::new() } else { format!("{}.5", at) };
            format!("{at:10} {dose:>10} {place:<10} {:<4}\n", ["yes", "no"][at % 2])
        })
        .collect();
    let names = "        ID       DOSE REGION     RESP\n";
    let rule = "---------- ---------- ---------- ----\n";
    let (first, second) = rows.split_at(10 * 38);
    let expected = {
        let column = |of: &dyn Fn(usize) -> String| (0..20).map(of).collect::<Vec<_>>().join(" ");
        format!(
            "ID {} | DOSE {} | REGION {} | RESP {}",
            column(&|at| at.to_string()),
            column(&|at| if at % 7 == 3 { "_".into() } else { format!("{at}.5") }),
            column(&|at| format!("'{}'", ["New York", "Bern", "Rio de J"][at % 3])),
            column(&|at| format!("'{}'", ["yes", "no"][at % 2])),
        )
    };
    // As R prints it, with names of rows that have spaces.
    let printed = "               mpg cyl am\nMazda RX4     21.0   6 yes\nDatsun 710    22.8   4 no\nValiant       18.1   6 yes\n\
                   Merc 450 SLC  15.2   8 no\nFiat 128      32.4   4 yes\nPorsche 914-2 26.0   4 no\n";
    assert_eq!(
        rendered(&parts(printed, &ReadOptions::default())),
        "c1 'Mazda RX4' 'Datsun 710' 'Valiant' 'Merc 450 SLC' 'Fiat 128' 'Porsche 914-2' | \
         mpg 21 22.8 18.1 15.2 32.4 26 | cyl 6 4 6 8 4 4 | am 'yes' 'no' 'yes' 'no' 'yes' 'no'"
    );
    // What spaces cut is read so, quotes and all.
    let spaced = "\"a b\"  y\n\"1  2\"  3\n\"4 5\"  6\n\"7  8 9\"  7\n\"7 8 8\"  8\n\"7\"  9\n";
    let cells = "a b '1  2' '4 5' '7  8 9' '7 8 8' '7' | y 3 6 7 8 9";
    assert_eq!(rendered(&parts(spaced, &ReadOptions::default())), cells);
    for text in [
        // As SQL*Plus spools it, with names on each page, and as sqlcmd prints it.
        format!(
            "SQL> select * from t;\n\n{names}{rule}{first}\n{names}{rule}{second}\n20 rows selected.\n\nSQL> spool off\n"
        ),
        format!("{names}{rule}{rows}\n(20 rows affected)\n"),
        // Without a line of dashes.
        format!("{names}{rows}"),
    ] {
        let parts = parts(&text, &ReadOptions::default());
        assert_eq!(rendered(&parts), expected, "{text}\n{:?}", parts.notes);
        assert!(
            parts.notes.iter().any(|note| note.words.contains("places in the line")),
            "{:?}",
            parts.notes
        );
    }
}

#[test]
fn one_column_of_texts_that_may_be_several_is_warned_of() {
    let rows: String = (0..30).map(|at| format!("x{at}@{}@y\n", at * 7)).collect();
    let found = parts(&format!("a@b@c\n{rows}"), &ReadOptions::default());
    assert!(found.notes.iter().any(|note| note.words.contains("`--delimiter`")), "{:?}", found.notes);
    let rows: String = (0..30).map(|at| format!("{}\n", ["red", "blue"][at % 2])).collect();
    assert!(parts(&format!("color\n{rows}"), &ReadOptions::default()).notes.is_empty());
}

#[test]
fn listings_that_are_no_tables_are_named() {
    for (text, what) in [
        ("1 1:0.5 7:2\n-1 2:0.25\n1 1:1 3:0 4:5 # x\n", "LIBSVM"),
        ("-[ RECORD 1 ]--\nid | 1\ny  | u\n-[ RECORD 2 ]--\nid | 2\ny  | d\n", "a line for each field"),
        (
            "*************************** 1. row ***************************\nid: 1\n y: u\n",
            "a line for each field",
        ),
    ] {
        let message = read_as("t.txt", text.as_bytes(), &ReadOptions::default()).unwrap_err();
        assert!(message.contains(what), "{text}\n{message}");
    }
    check(&[("at 1:2\n5 12:30\n6 12:45\n", "at 5 6 | 1:2 45000.0 45900.0", "Dates")]);
}

#[test]
fn digits_of_months_are_dates() {
    let months = |count: usize| -> String {
        (0..count).map(|at| format!("{}{:02},{at}\n", 2020 + at / 12, 1 + at % 12)).collect()
    };
    let kind = |text: &str, options: &ReadOptions| parts(text, options).train.column("m").unwrap().kind();
    let default = ReadOptions::default();
    assert_eq!(kind(&format!("m,y\n{}", months(24)), &default), Some(ColumnType::Time));
    assert_eq!(kind(&format!("m,y\n999912,0\n{}", months(24)), &default), Some(ColumnType::Time));
    assert_eq!(kind(&format!("m,y\n{}", months(6)), &default), Some(ColumnType::Numeric));
    assert_eq!(kind(&format!("m,y\n202013,0\n{}", months(24)), &default), Some(ColumnType::Numeric));
    // New rows of a column that was one of dates.
    let known = ReadOptions { known: [("m".to_owned(), ColumnType::Time)].into(), ..ReadOptions::default() };
    assert_eq!(rendered(&parts("m,y\n202402,1\n", &known)), "m 1706745600.0 | y 1");
}

#[test]
fn the_lines_below_the_names_of_orange_are_no_rows() {
    let rows = "1.5\t2\tu\n2.5\t3\td\n3.5\t4\tu\n";
    for (lines, count) in
        [("c\td\td\n\t\tclass\n", 2), ("continuous\tcontinuous\tdiscrete\n\tmeta\tclass\n", 2)]
    {
        let parts = parts(&format!("a\tb\ty\n{lines}{rows}"), &ReadOptions::default());
        assert_eq!(rendered(&parts), "a 1.5 2.5 3.5 | b 2 3 4 | y 'u' 'd' 'u'", "{lines}\n{:?}", parts.notes);
        assert_eq!(parts.notes[0].count, count, "{:?}", parts.notes);
    }
}
