//! Texts and cells that memory does not hold: the same table and the same words as of those that it holds.

use crate::files::rendered;
use crate::formats::{doubles, npy};
use crate::memory::peak_bytes;
use pullback::ErrorKind;
use pullback::job::{Job, Settings};
use pullback::model::Fingerprint;
use pullback::train::{Machine, Silent};
use pullback_data::{NoteKind, Parts, ReadOptions, Spool, read, read_from};
use std::io::{Read, Write};
use std::path::Path;

const ROWS: usize = 4000;

/// Columns of numbers beside those that a case is about.
const OTHERS: usize = 60;

/// A table of some columns beside so many of numbers that cells take more than rows.
fn wide(header: &str, delimiter: char, row: impl Fn(usize) -> String) -> String {
    let mut text = header.to_owned();
    (0..OTHERS).for_each(|column| text += &format!("{delimiter}n{column}"));
    for at in 0..ROWS {
        text += &format!("\n{}", row(at));
        (0..OTHERS).for_each(|column| text += &format!("{delimiter}{}", (at * 31 + column * 7) % 1000));
    }
    text + "\n"
}

/// The cells need 9 bytes each, 2.2 MB; rows in a store and the windows about half a megabyte, texts as much.
const MEMORY: u64 = 2_000_000;

/// Options under which memory holds neither such a table nor its text, and under which it holds a text of that length.
pub(crate) fn limited(folder: &Path, length: usize) -> [ReadOptions; 2] {
    let options = |limit_bytes, memory_bytes| ReadOptions {
        limit_bytes,
        memory_bytes,
        spool: Some(folder.to_owned()),
        threads: 2,
        ..ReadOptions::default()
    };
    [options(1 << 16, MEMORY), options(1 << 30, MEMORY + length as u64)]
}

/// The table and the notes, but for the one on temporary files; or what is wrong.
fn told(parts: Result<Parts, pullback::Error>) -> (Result<String, String>, Vec<String>, bool) {
    match parts {
        Ok(parts) => {
            let is_stored = parts.train.store().is_some();
            let notes = parts.notes.iter().filter(|note| note.kind != NoteKind::Stored);
            let notes = notes.map(ToString::to_string).collect();
            let reasons: Vec<&str> = parts.train.columns().iter().map(|column| &column.reason[..]).collect();
            (Ok(rendered(&parts) + &reasons.join(";")), notes, is_stored)
        }
        Err(error) => (Err(error.one_line()), Vec::new(), false),
    }
}

/// Reads a content in memory and not; both must come to the same. As UTF-8 it has about that length.
pub(crate) fn check_as(
    name: &str,
    (content, length): (&[u8], usize),
    change: &dyn Fn(&mut ReadOptions),
) -> (Result<String, String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let mut options = ReadOptions { limit_bytes: 1 << 30, ..ReadOptions::default() };
    change(&mut options);
    let (table, notes, is_stored) = told(read(&path, &options));
    assert!(!is_stored);
    for mut options in limited(folder.path(), length) {
        change(&mut options);
        let (other, other_notes, is_stored) = told(read(&path, &options));
        let short = |text: &Result<String, String>| format!("{text:?}").chars().take(300).collect::<String>();
        assert!(other == table, "{name}: {} for {}", short(&other), short(&table));
        assert_eq!(other_notes, notes, "{name}");
        assert!(is_stored || table.is_err(), "{name}: the cells are in memory");
    }
    // The temporary files leave nothing behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    (table, notes)
}

fn check(text: &str) -> (Result<String, String>, Vec<String>) {
    check_as("t.csv", (text.as_bytes(), text.len()), &|_| {})
}

#[test]
fn tables_of_each_kind_of_column_are_the_same() {
    let row = |at: usize| {
        let missing = if at.is_multiple_of(7) { "NA" } else { "1.5" };
        format!(
            "{missing},level {},2021-{:02}-1{},{:05},\"a, \"\"b\"\"\nc{}\"",
            at % 13,
            at % 12 + 1,
            at % 9,
            at % 99,
            at % 5
        )
    };
    let (table, _) = check(&wide("missing,level,day,code,quoted", ',', row));
    let table = table.unwrap();
    assert!(table.contains("quoted 'a, \"b\"\nc0'") && table.contains("code '00000'"), "{}", &table[..2000]);
    // All line ends, and a last row without one.
    let plain = wide("a,b", ',', |at| format!("{at},{}", at % 3));
    for end in ["\n", "\r\n", "\r"] {
        check(plain.replace('\n', end).trim_end()).0.unwrap();
    }
}

#[test]
fn columns_that_turn_out_otherwise_are_read_again() {
    let late =
        |text: &'static str| move |at: usize| format!("{at}.5,{}", if at == ROWS - 20 { text } else { "7" });
    let (_, notes) = check(&wide("a,b", ',', late("odd")));
    assert!(
        notes.iter().any(|note| note.contains("not a number, so missing: \"odd\", first in row 3981")),
        "{notes:?}"
    );
    let texts =
        |at: usize| format!("{},{}", at % 7, if at < 3000 { "1".to_owned() } else { format!("t{}", at % 3) });
    check(&wide("a,b", ',', texts)).0.unwrap();
    // Points stand between thousands where another column has decimal commas.
    let (table, _) = check(&wide("a;b", ';', |at| format!("{}.{:03};{},25", at % 9 + 1, at % 1000, at % 50)));
    assert!(table.unwrap().starts_with("a 1000 2001 3002"));
}

#[test]
fn rows_that_do_not_fit_and_lines_that_are_no_rows_are_told_alike() {
    let bad = |at: usize| match at {
        1900 => "1,2,3,4".to_owned(),
        2500 => "\"x\"y,1".to_owned(),
        2600 => "# a comment".to_owned(),
        3999 => "\"open,1".to_owned(),
        _ => format!("{at},{}", at % 4),
    };
    let text = wide("a,b", ',', bad);
    let message = check(&text).0.unwrap_err();
    assert!(message.contains("line 1902") && message.contains("line 2502"), "{message}");
    let (_, notes) =
        check_as("t.csv", (text.as_bytes(), text.len()), &|options| options.skips_bad_rows = true);
    assert!(notes.iter().any(|note| note.contains("line 1902: ")), "{notes:?}");
    let header = wide("a,b", ',', |_| "1,2".to_owned());
    let (header, rows) = header.split_once('\n').unwrap();
    let again = format!(
        "A title\n\n{header}\n{rows}{header}\n{rows}{}\nSource: nobody\n\x1a",
        ",".repeat(OTHERS + 1)
    );
    let (_, notes) = check(&again);
    assert!(notes.len() >= 4, "{notes:?}");
    let refused =
        check(&wide("a,b", ',', |at| format!("{},1", if at == 3500 { "Inf" } else { "2" }))).0.unwrap_err();
    assert!(refused.contains("line 3502"), "{refused}");
    check(&wide("a,b", ',', |_| "1,\\\"x\\\"".to_owned())).0.unwrap();
}

#[test]
fn encodings_and_compressed_texts_are_the_same() {
    let text = wide("größe,b", ',', |at| format!("{at},ä{}", at % 3));
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let (_, notes) = check_as("t.csv", (&latin, text.len()), &|_| {});
    assert!(notes.iter().any(|note| note.contains("windows-1252")), "{notes:?}");
    let wide_units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check_as("t.csv", (&wide_units, text.len()), &|_| {}).0.unwrap();
    check_as("t.csv", (&[&[0xff, 0xfe], &wide_units[..]].concat(), text.len()), &|_| {}).0.unwrap();
    check_as("t.csv", (&["\u{feff}".as_bytes(), text.as_bytes()].concat(), text.len()), &|_| {}).0.unwrap();
    let hangul = wide("a,b", ',', |at| format!("{at},{}", if at == 3990 { "#" } else { "1" }));
    let hangul = hangul.replace('#', "\u{1}").into_bytes();
    let place = hangul.iter().position(|byte| *byte == 1).unwrap();
    let hangul = [&hangul[..place], &[0xb0, 0xa1, 0xb3, 0xaa], &hangul[place + 1..]].concat();
    let (_, notes) = check_as("t.csv", (&hangul, text.len()), &|_| {});
    assert!(notes.iter().any(|note| note.contains("CP949")), "{notes:?}");
    check_as("t.csv", (&hangul, text.len()), &|options| options.encoding = Some("cp949".into())).0.unwrap();
    assert!(
        check_as("t.csv", (&hangul, text.len()), &|options| options.encoding = Some("utf-8".into()))
            .0
            .is_err()
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    check_as("t.csv.gz", (&gzip, text.len()), &|_| {}).0.unwrap();
    assert!(check_as("t.csv.gz", (&gzip[..gzip.len() - 9], text.len()), &|_| {}).0.is_err());
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(text.as_bytes()).unwrap();
    check_as("t.csv.bz2", (&bzip2.finish().unwrap(), text.len()), &|_| {}).0.unwrap();
}

/// Rows of a table whose cells take 14 MB as numbers, and what is made of them 7 MB.
pub(crate) const LONG_ROWS: usize = 60_000;
pub(crate) const LONG_COLUMNS: usize = 28;

/// What stands in a row of that table: its class and its numbers.
pub(crate) fn long_row(row: usize) -> (&'static str, [f64; LONG_COLUMNS]) {
    let number = |column: usize| ((row * 7919 + column * 104_729) % 1_000_003) as f64 / 2.5e5;
    (if row.is_multiple_of(3) { "yes" } else { "no" }, std::array::from_fn(number))
}

/// Trains on a content within a limit that does not hold it, and without one: the same model. Without a column of
/// targets, the last is it.
pub(crate) fn check_held(name: &str, content: &[u8], target: &str) {
    const LIMIT: usize = 12_000_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let options = ReadOptions {
        limit_bytes: LIMIT as u64 / 3,
        memory_bytes: LIMIT as u64,
        spool: Some(folder.path().to_owned()),
        ..ReadOptions::default()
    };
    let trained = |options: &ReadOptions| {
        let table = read(&path, options).unwrap().train;
        let mut settings = Settings::default();
        for (name, value) in [("target", target), ("epochs", "1"), ("hidden", "4")] {
            settings.set(name, value).unwrap();
        }
        let decided = Job::new(settings, table).decide().unwrap().compared();
        decided.concerns().unwrap();
        let fitted = decided.run(&Machine::with_threads(1), &mut Silent).unwrap();
        fitted.model.to_bytes().unwrap()
    };
    let (model, peak) = peak_bytes(|| trained(&options));
    assert!(peak < LIMIT, "{name}: {peak} bytes");
    let (in_memory, peak) = peak_bytes(|| trained(&ReadOptions::default()));
    assert!(peak > LIMIT * 3 / 2 && model == in_memory, "{name}: {peak} bytes");
}

#[test]
fn a_limit_is_held_from_the_file_to_the_model() {
    let names: Vec<String> = (0..LONG_COLUMNS).map(|column| format!("x{column}")).collect();
    let (mut csv, mut lines) = (format!("y,{}\n", names.join(",")), String::new());
    for row in 0..LONG_ROWS {
        let (class, numbers) = long_row(row);
        csv += class;
        lines += &format!("{{\"y\":\"{class}\"");
        for (name, number) in names.iter().zip(numbers) {
            csv += &format!(",{number:.6}");
            lines += &format!(",\"{name}\":{number:.6}");
        }
        csv += "\n";
        lines += "}\n";
    }
    check_held("t.csv", csv.as_bytes(), "y");
    check_held("t.jsonl", lines.as_bytes(), "y");
    let array = format!("[{}]", lines.trim_end().replace('\n', ","));
    check_held("t.json", array.as_bytes(), "y");
    let numbers = |row| long_row(row).1;
    for is_fortran in [false, true] {
        let cells: Vec<f64> = match is_fortran {
            false => (0..LONG_ROWS).flat_map(numbers).collect(),
            true => (0..LONG_COLUMNS)
                .flat_map(|column| (0..LONG_ROWS).map(move |row| numbers(row)[column]))
                .collect(),
        };
        let array = npy("<f8", is_fortran, &format!("({LONG_ROWS}, {LONG_COLUMNS})"), &doubles(&cells));
        check_held("t.npy", &array, "x27");
    }
}

#[test]
fn objects_are_the_same_table_wherever_their_cells_are() {
    let object = |at: usize, more: &str| {
        let mut object = format!("{{\"n\":{at}.25{more}");
        (0..OTHERS).for_each(|column| object += &format!(",\"n{column}\":{}", (at * 31 + column * 7) % 1000));
        object + "}"
    };
    let objects = |more: &dyn Fn(usize) -> String| -> Vec<String> {
        (0..ROWS).map(|at| object(at, &more(at))).collect()
    };
    let forms = |objects: &[String]| {
        let spaced: Vec<String> =
            objects.iter().map(|object| object.replace(',', " ,\n\t").replace(':', ": ")).collect();
        [
            objects.join("\n") + "\n",
            objects.join("\r\n"),
            objects.concat(),
            format!("[{}]", objects.join(",")),
            format!(" [\n{}\n]\n", spaced.join(" ,\n")),
        ]
    };
    let check = |more: &dyn Fn(usize) -> String| {
        let texts = forms(&objects(more));
        let all = texts.map(|text| check_as("t.json", (text.as_bytes(), text.len()), &|_| {}));
        assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
        let [first, ..] = all;
        first
    };
    // Keys that come late, or only sometimes; texts, escapes, nested objects, null.
    let (table, _) = check(&|at| {
        let late = if at >= 3000 { format!(",\"late\":{at}") } else { String::new() };
        let some = if at.is_multiple_of(5) { "" } else { ",\"some\":null" };
        let nested = format!(",\"o\":{{\"k\":\"t{}\",\"a\":{{\"b\":true}}}}", at % 7);
        format!("{late}{some}{nested},\"e\":\"\\u00e9 \\\"{}\\\"\",\"none\":null", at % 3)
    });
    let table = table.unwrap();
    for part in ["o.k 't0'", "o.a.b 'true'", "e 'é \"0\"'", "none _ _", "some _ _", "late _ _"] {
        assert!(table.contains(part), "{part}");
    }
    // Numbers that turn out otherwise, in the middle and at the end; those of the first rows are null.
    let (_, notes) = check(&|at| match at {
        ..100 => ",\"a\":null".to_owned(),
        3990 => ",\"a\":\"odd\"".to_owned(),
        _ => format!(",\"a\":{at}"),
    });
    assert!(notes.iter().any(|note| note.contains("\"odd\", first in row 3991")), "{notes:?}");
    check(&|at| format!(",\"a\":{}", if at < 3000 { "1".to_owned() } else { format!("\"t{}\"", at % 3) }))
        .0
        .unwrap();
    // What is wrong is said alike, with its place.
    for (wrong, place) in [(",\"a\":[1]", "row 3501"), (",\"n\":1", "row 3501"), (",\"a\":tru", "line 3501")]
    {
        let text = objects(&|at| if at == 3500 { wrong.to_owned() } else { String::new() }).join("\n");
        let (table, _) = check_as("t.jsonl", (text.as_bytes(), text.len()), &|_| {});
        assert!(table.as_ref().is_err_and(|error| error.contains(place)), "{place}: {table:?}");
    }
    let all = objects(&|_| String::new());
    for text in [all.join("\n") + "\n{\"a\":", format!("[{}", all.join(",")), format!("[{}]x", all.join(","))]
    {
        let (table, _) = check_as("t.jsonl", (text.as_bytes(), text.len()), &|_| {});
        assert!(table.is_err_and(|error| error.contains("not JSON")));
    }
    let wide: Vec<u8> =
        format!("\u{feff}{}", all.join("\n")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    check_as("t.jsonl", (&wide, all.concat().len()), &|_| {}).0.unwrap();
    check_as("t.jsonl.gz", (&crate::formats::gzip(all.join("\n").as_bytes()), all.concat().len()), &|_| {})
        .0
        .unwrap();
}

#[test]
fn an_object_larger_than_memory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(40 << 20));
    let [options, _] = limited(folder.path(), 0);
    let error = read_from("t.json", text.as_bytes(), &options).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Memory, "{}", error.one_line());
}

#[test]
fn rows_with_ever_more_keys_end_at_the_limit() {
    // Each row brings a column, for which all rows have a cell.
    let text: String = (0..8000).map(|at| format!("{{\"k{at}\":1}}\n")).collect();
    let options = ReadOptions { memory_bytes: 10_000_000, ..ReadOptions::default() };
    let (error, peak) =
        peak_bytes(|| read_from("t.jsonl", text.as_bytes(), &options).map(|_| ()).unwrap_err());
    assert!(error.one_line().contains("rows of"), "{}", error.one_line());
    assert!(peak < 30_000_000, "{peak}");
}

#[test]
fn arrays_are_the_same_table_wherever_their_cells_are() {
    let columns = OTHERS + 2;
    let number = |at: usize| ((at * 7919) % 1009) as f64 - 500.0;
    let shape = format!("({ROWS}, {columns})");
    let doubles: Vec<f64> = (0..ROWS * columns).map(number).collect();
    let of = |kind: &str, width: usize, bytes: &dyn Fn(f64) -> Vec<u8>| {
        let data: Vec<u8> = doubles.iter().flat_map(|&number| bytes(number)).collect();
        assert_eq!(data.len(), ROWS * columns * width);
        [false, true].map(|is_fortran| npy(kind, is_fortran, &shape, &data))
    };
    let arrays = [
        of("<f8", 8, &|number| number.to_le_bytes().to_vec()),
        of(">f4", 4, &|number| (number as f32).to_be_bytes().to_vec()),
        of("<i2", 2, &|number| (number as i16).to_le_bytes().to_vec()),
        of("|S5", 5, &|number| format!("{:<5.0}", number % 10.0).into_bytes()),
        of("<U4", 16, &|number| {
            format!("{:4.0}", number % 10.0).chars().flat_map(|c| (c as u32).to_le_bytes()).collect()
        }),
    ];
    for array in arrays.as_flattened() {
        check_as("t.npy", (array, array.len()), &|_| {}).0.unwrap();
    }
    let mut infinite = arrays[0][0].clone();
    let end = infinite.len();
    infinite[end - 8..].copy_from_slice(&f64::INFINITY.to_le_bytes());
    let (table, _) = check_as("t.npy", (&infinite, infinite.len()), &|_| {});
    assert!(
        table.as_ref().is_err_and(|error| error.contains("row 4000") && error.contains("x61")),
        "{table:?}"
    );
}

#[test]
fn a_folder_without_room_or_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = wide("a,b", ',', |at| format!("{at},1"));
    let error = |folder: &Path| {
        let [options, _] = limited(folder, 0);
        read_from("t.csv", text.as_bytes(), &options).map(|_| ()).unwrap_err()
    };
    let missing = error(&folder.path().join("none"));
    assert_eq!(missing.kind(), ErrorKind::Io);
    assert!(
        missing.one_line().contains("none takes no temporary file") && missing.one_line().contains("TMPDIR")
    );
    let spool = Spool::new(folder.path(), 0).unwrap();
    spool.check_room(1000).unwrap();
    let error = spool.check_room(u64::MAX).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(
        error.one_line().contains("no room") && error.one_line().contains("TMPDIR"),
        "{}",
        error.one_line()
    );
}

#[test]
fn a_stream_without_end_is_refused() {
    /// The same bytes for ever.
    struct Endless(&'static [u8], usize);
    impl Read for Endless {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            for byte in bytes.iter_mut() {
                *byte = self.0[self.1 % self.0.len()];
                self.1 += 1;
            }
            Ok(bytes.len())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for endless in [&b"1,2\n"[..], b"x", b"\0"] {
        let [options, _] = limited(folder.path(), 0);
        let options = ReadOptions { memory_bytes: 3_000_000, ..options };
        let (error, peak) =
            peak_bytes(|| read_from("t.csv", Endless(endless, 0), &options).map(|_| ()).unwrap_err());
        assert!(error.one_line().contains("--memory"), "{}", error.one_line());
        assert!(peak < 3_000_000, "{peak}");
    }
}

#[test]
fn a_stored_table_is_known_again() {
    let folder = tempfile::tempdir().unwrap();
    let text = wide("a,b", ',', |at| format!("{at},t{}", at % 40));
    let of = |options: &ReadOptions| {
        Fingerprint::of(&read_from("t.csv", text.as_bytes(), options).unwrap().train, 0).unwrap()
    };
    for options in limited(folder.path(), text.len()) {
        assert_eq!(of(&options), of(&ReadOptions::default()));
    }
}
