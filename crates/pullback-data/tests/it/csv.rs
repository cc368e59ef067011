use crate::{numbers, read_as, texts};
use proptest::prelude::*;
use pullback::data::ColumnType;
use pullback::error::ErrorKind;
use pullback_data::{ReadOptions, read_from};
use std::io::Write;

fn check(content: &str, expected: &[(&str, &[f64])]) {
    let parts = read_as("t.csv", content.as_bytes(), &ReadOptions::default()).unwrap();
    let names: Vec<&str> = parts.train.names().collect();
    assert_eq!(names, expected.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{content}");
    for (name, expected) in expected {
        assert_eq!(numbers(&parts, name), *expected, "{content}");
    }
}

fn refused(content: &[u8], parts: &[&str]) {
    let message = read_as("t.csv", content, &ReadOptions::default()).unwrap_err();
    for part in parts.iter().chain(&["t.csv"]) {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn the_delimiter_is_found_out() {
    let expected: &[(&str, &[f64])] = &[("a", &[1.5, 3.0]), ("b", &[2.0, -4e3])];
    for delimiter in [",", ";", "\t", "|"] {
        check(&"a,b\n1.5,2\n3,-4e3\n".replace(',', delimiter), expected);
    }
    // Commas inside fields of a table with semicolons.
    let parts = read_as("t.csv", b"a;b\n1,5;x\n2,5;y\n", &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&parts, "a"), [1.5, 2.5]);
}

#[test]
fn line_ends_marks_and_spaces_do_not_matter() {
    let expected: &[(&str, &[f64])] = &[("a", &[1.0, 3.0]), ("b", &[2.0, 4.0])];
    check("a,b\r\n1,2\r\n3,4\r\n", expected);
    check("\u{feff}a,b\n1,2\n3,4", expected);
    check(" a , b \n 1 , 2\n3,4 \n\n", expected);
}

#[test]
fn a_first_line_of_numbers_is_no_header() {
    check("1,2\n3,4\n", &[("c1", &[1.0, 3.0]), ("c2", &[2.0, 4.0])]);
    let options = ReadOptions { has_header: Some(true), ..ReadOptions::default() };
    let parts = read_as("t.csv", b"1,2\n3,4\n", &options).unwrap();
    assert_eq!(numbers(&parts, "2"), [4.0]);
}

#[test]
fn quotes_hold_delimiters_line_ends_and_quotes() {
    let parts =
        read_as("t.csv", b"a,b\n\"x, \"\"y\"\"\",1\n\"two\nlines\",2\n", &ReadOptions::default()).unwrap();
    assert_eq!(texts(&parts, "a"), [Some("x, \"y\"".into()), Some("two\nlines".into())]);
    assert_eq!(numbers(&parts, "b"), [1.0, 2.0]);
}

#[test]
fn missing_cells_are_known_by_their_usual_names() {
    let content = "a,b\n1,x\n,\nNA,NA\n?,null\nN/A,y\n";
    let parts = read_as("t.csv", content.as_bytes(), &ReadOptions::default()).unwrap();
    let found = numbers(&parts, "a");
    assert_eq!(found[0], 1.0);
    assert!(found[1..].iter().all(|number| number.is_nan()), "{found:?}");
    assert_eq!(texts(&parts, "b"), [Some("x".into()), None, None, None, Some("y".into())]);
}

#[test]
fn a_declared_type_goes_before_the_inferred_one() {
    let mut options = ReadOptions::default();
    options.types.insert("zip".into(), ColumnType::Categorical);
    let parts = read_as("t.csv", b"zip,x\n01234,1\n99999,2\n", &options).unwrap();
    assert_eq!(texts(&parts, "zip"), [Some("01234".into()), Some("99999".into())]);
    options.types.insert("zip".into(), ColumnType::Numeric);
    let message = read_as("t.csv", b"zip,x\nabc,1\n2,2\nx,3\n", &options).unwrap_err();
    assert!(message.contains("line 2") && message.contains("abc") && message.contains("zip"), "{message}");
    options.types.insert("zipp".into(), ColumnType::Numeric);
    let message = read_as("t.csv", b"zip,x\n1,1\n2,2\n", &options).unwrap_err();
    assert!(message.contains("zipp") && message.contains("zip"), "{message}");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    refused(b"", &["empty"]);
    refused(b"a,b\n", &["no rows"]);
    refused(b"a,b\n1,2\n3\n", &["line 3", "1 field", "2"]);
    refused(b"a;b;c\n1;2;3\n4;5\n", &["line 3", "2 fields", "3"]);
    refused(b"a\x00b\n1\n", &["not text"]);
    let mut long = "a,b\n".to_owned();
    long.extend((0..200).map(|row| format!("{row},1\n")));
    refused((long + "inf,1\n").as_bytes(), &["line 202", "\"a\"", "inf"]);
}

#[test]
fn an_open_quote_is_refused_before_it_swallows_a_large_file() {
    let content = format!("a,b\n1,\"2\n{}", "3,4\n".repeat(1 << 19));
    refused(content.as_bytes(), &["quote"]);
}

#[test]
fn gzip_is_read_and_a_cut_off_one_refused() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"a,b\n1,2\n3,4\n").unwrap();
    let whole = encoder.finish().unwrap();
    let parts = read_as("t.csv.gz", &whole, &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&parts, "b"), [2.0, 4.0]);
    let cut_off = read_as("t.csv.gz", &whole[..whole.len() - 6], &ReadOptions::default());
    let message = cut_off.unwrap_err();
    assert!(message.contains("damaged"), "{message}");
}

#[test]
fn gzip_of_several_members_is_read_whole_though_its_end_tells_of_the_last() {
    let mut content = Vec::new();
    for part in ["a,b\n1,2\n", "3,4\n"] {
        let mut encoder = flate2::write::GzEncoder::new(&mut content, flate2::Compression::default());
        encoder.write_all(part.as_bytes()).unwrap();
        encoder.finish().unwrap();
    }
    let parts = read_as("t.csv.gz", &content, &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&parts, "b"), [2.0, 4.0]);
}

#[test]
fn the_size_that_gzip_tells_of_takes_no_memory() {
    // The last four bytes, which tell of 4 GB, are believed no further than the file bears it out.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"a,b\n1,2\n3,4\n").unwrap();
    let mut content = encoder.finish().unwrap();
    let end = content.len() - 4;
    content[end..].fill(0xff);
    let message = read_as("t.csv.gz", &content, &ReadOptions::default()).unwrap_err();
    assert!(message.contains("damaged"), "{message}");
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&vec![b'1'; 1 << 20]).unwrap();
    let options = ReadOptions { limit_bytes: 1 << 16, ..ReadOptions::default() };
    assert!(read_as("t.csv.gz", &encoder.finish().unwrap(), &options).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_bytes_end_in_a_table_or_an_error(content in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_as("t.csv", &content, &ReadOptions::default());
    }

    #[test]
    fn any_text_ends_in_a_table_or_an_error(content in "[-a-z0-9.,;\"\n\t| ]{0,200}") {
        let _ = read_as("t.csv", content.as_bytes(), &ReadOptions::default());
    }

    #[test]
    fn what_a_writer_writes_is_read_again(
        // No text begins as the label of a line of sums does, such as `Sd`.
        rows in prop::collection::vec((-1e9f64..1e9, "[x-zX-Z][a-z ,;\"\n]{0,8}[a-z]"), 2..40),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["number", "text"]).unwrap();
        for (number, text) in &rows {
            writer.write_record([number.to_string(), text.clone()]).unwrap();
        }
        let options = ReadOptions { delimiter: Some(b','.into()), ..ReadOptions::default() };
        let parts = read_as("t.csv", &writer.into_inner().unwrap(), &options).unwrap();
        prop_assert_eq!(numbers(&parts, "number"), rows.iter().map(|row| row.0).collect::<Vec<_>>());
        let expected: Vec<Option<String>> = rows.iter().map(|row| Some(row.1.trim().to_owned())).collect();
        prop_assert_eq!(texts(&parts, "text"), expected);
    }
}

#[test]
fn what_memory_does_not_hold_is_refused_before_it_is_read() {
    let refused = |content: String, memory_bytes: u64| {
        let options = ReadOptions { memory_bytes, ..ReadOptions::default() };
        let read = read_from("t.csv", content.as_bytes(), &options);
        read.map(|_| ()).map_err(|error| (error.kind(), error.one_line()))
    };
    // Nothing but commas: few bytes, many cells.
    let commas = "a,b,c\n".to_owned() + &",,\n".repeat(50_000);
    let (kind, message) = refused(commas.clone(), 1_000_000).unwrap_err();
    assert_eq!(kind, ErrorKind::Memory);
    assert!(message.contains("50001 rows of 3 columns need 2 MB of memory; 1 MB are free"), "{message}");
    refused(commas, 10_000_000).unwrap();
    // More different texts than there is memory for; the same rows with one text are read.
    let texts = |distinct: usize| {
        (0..40_000).fold("text,t\n".to_owned(), |table, row| table + &format!("t{},{row}\n", row % distinct))
    };
    let (kind, message) = refused(texts(40_000), 4_000_000).unwrap_err();
    assert_eq!(kind, ErrorKind::Memory);
    assert!(message.contains("different texts") && message.contains("\"text\""), "{message}");
    refused(texts(10), 4_000_000).unwrap();
}

#[test]
fn the_number_of_threads_changes_nothing() {
    // Long enough for several parts; what stands at their borders is left to chance.
    let of = |row: &dyn Fn(usize) -> String| -> String {
        (0..60_000).fold("a,b,c\n".to_owned(), |text, at| text + &row(at) + "\n")
    };
    let texts = [
        of(&|at| format!("{at},\"x\n{},{}\n\ny\",{}", at % 7, at % 3, at % 5)),
        of(&|at| format!("{at},\"say \"\"{}\"\"\n\"\"\",\"\"", at % 9)),
        of(&|at| format!("{at},\"a \\\"{}\\\"\n, \\\\\",z", at % 9)),
        // Quotes that open nothing, and one that is never closed.
        of(&|at| format!("{at},{}\" pipe,\"two\nlines {}\"", at % 7, at % 3)),
        of(&|at| if at == 31_000 { format!("{at},\"open,1") } else { format!("{at},\"l\n{}\",1", at % 3) }),
        of(&|at| if at % 5000 == 77 { "# a \"comment".into() } else { format!("{at},\"l\n{}\",1", at % 3) }),
        of(&|at| if at % 9000 == 77 { "1,2".into() } else { format!("{at},\"l\n{}\",\"\n\n\"", at % 3) }),
    ];
    for text in texts.iter().flat_map(|text| [text.clone(), text.replace('\n', "\r\n")]) {
        let read = |threads| {
            let options = ReadOptions { threads, skips_bad_rows: true, ..ReadOptions::default() };
            let parts = pullback_data::read_from("t.csv", text.as_bytes(), &options).unwrap();
            (crate::files::rendered(&parts), parts.notes)
        };
        let one = read(1);
        for threads in [2, 3, 7] {
            assert!(read(threads) == one, "{threads} threads, {:?}", &text[..60]);
        }
    }
}
