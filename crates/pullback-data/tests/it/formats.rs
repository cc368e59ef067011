//! Formats and containers beside plain CSV, dates, and that no damage makes a reader panic.

use crate::files::{check, check_with, rendered};
use crate::read_as;
use pullback::data::Values;
use pullback_data::{ReadOptions, read};
use std::io::Write;

const TABLE: &str = "a,y\n1.5,u\n2.5,d\n";
const EXPECTED: &str = "a 1.5 2.5 | y 'u' 'd'";

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstandard(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// `printf 'a,y\\n1.5,u\\n2.5,d\\n' | xz -9 --check=sha256`
const XZ: &[u8] = b"\xfd7zXZ\0\0\x0a\xe1\xfb\x0c\xa1\x02\0!\x01\x1c\0\0\0\x10\xcfX\xcc\x01\0\x0fa,y\n1.5,u\n2.5,d\n\0\
\xf6P\xc6\xaa\xe5iN\x99`\xc47\xda`\x15\xf4\x87z7\x94\xb1\x18E\xae\xa3y@\x86X\xec\xbe\xe7\xa0\0\x01@\x10J\xeaH\xcd\x18\x9bK\
\x9a\x01\0\0\0\0\nYZ";

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(6)).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive of files; those whose name ends with `.packed` are compressed.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let is_packed = content.len() > 100;
        let packed = if is_packed {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        } else {
            content.to_vec()
        };
        let at = archive.len() as u32;
        let middle: Vec<u8> = [
            &20u16.to_le_bytes()[..],
            &0u16.to_le_bytes(),
            &(if is_packed { 8u16 } else { 0 }).to_le_bytes(),
            &[0; 4],
            &0u32.to_le_bytes(),
            &(packed.len() as u32).to_le_bytes(),
            &(content.len() as u32).to_le_bytes(),
            &(name.len() as u16).to_le_bytes(),
            &0u16.to_le_bytes(),
        ]
        .concat();
        archive.extend([b"PK\x03\x04", &middle[..], name.as_bytes(), &packed].concat());
        directory.extend(
            [b"PK\x01\x02", &20u16.to_le_bytes()[..], &middle, &[0; 10], &at.to_le_bytes(), name.as_bytes()]
                .concat(),
        );
    }
    let (start, length, count) = (archive.len() as u32, directory.len() as u32, files.len() as u16);
    archive.extend(directory);
    archive.extend(
        [
            b"PK\x05\x06",
            &[0; 4][..],
            &count.to_le_bytes(),
            &count.to_le_bytes(),
            &length.to_le_bytes(),
            &start.to_le_bytes(),
            &[0; 2],
        ]
        .concat(),
    );
    archive
}

pub(crate) fn npy(kind: &str, is_fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if is_fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

pub(crate) fn doubles(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn refused(name: &str, content: &[u8], parts: &[&str]) {
    let message = read_as(name, content, &ReadOptions::default()).unwrap_err();
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn containers() {
    let table = TABLE.as_bytes();
    let long = format!("{TABLE}{}", "3.5,u\n".repeat(50));
    check_with(
        &ReadOptions::default(),
        &[
            (&gzip(table), EXPECTED, ""),
            (&bzip2(table), EXPECTED, ""),
            (&zstandard(table), EXPECTED, ""),
            (&[zstandard(b"a,y\n1.5,u\n"), zstandard(b"2.5,d\n")].concat(), EXPECTED, ""),
            (&xz(table), EXPECTED, ""),
            (XZ, EXPECTED, ""),
            (&[xz(b"a,y\n1.5,u\n"), xz(b"2.5,d\n")].concat(), EXPECTED, ""),
            (&zip(&[("t.csv", table)]), EXPECTED, "Container"),
            (
                &zip(&[
                    ("__MACOSX/._t.csv", b"x"),
                    ("folder/", b""),
                    ("folder/t.csv", table),
                    ("readme.md", b"hello"),
                ]),
                EXPECTED,
                "Container",
            ),
        ],
    );
    let parts = read_as("t.zip", &zip(&[("t.csv", long.as_bytes())]), &ReadOptions::default()).unwrap();
    assert_eq!(parts.train.rows(), 52);
    let beside = zip(&[("data/t.csv", table), ("data/README.txt", b"hello")]);
    assert_eq!(read_as("t.zip", &beside, &ReadOptions::default()).unwrap().train.rows(), 2);
    refused("t.zip", &zip(&[("a.csv", table), ("b.csv", table)]), &["2 files", "a.csv", "unpack"]);
    refused("t.xlsx", &zip(&[("xl/workbook.xml", b"<x/>"), ("a.xml", b"")]), &["Excel", "CSV"]);
    for bytes in [
        bzip2(long.as_bytes()),
        zstandard(long.as_bytes()),
        xz(long.as_bytes()),
        zip(&[("t.csv", long.as_bytes())]),
    ] {
        refused("t", &bytes[..bytes.len() - 9], &["damaged", "cut off"]);
    }
    // A bomb stops at the limit.
    let zeros = vec![b','; 1 << 20];
    let options = ReadOptions { limit_bytes: 1 << 16, ..ReadOptions::default() };
    for bytes in [gzip(&zeros), bzip2(&zeros), zstandard(&zeros), xz(&zeros), zip(&[("t.csv", &zeros)])] {
        let message = read_as("t", &bytes, &options).unwrap_err();
        assert!(message.contains("larger than"), "{message}");
    }
}

#[test]
fn what_is_not_read_is_named() {
    for (content, parts) in [
        (&b"SQLite format 3\0xyz"[..], ["SQLite", "sqlite3"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xx", ["Excel", "CSV"]),
        (b"\x80\x04\x95abc", ["pickle", "run code"]),
        (b"<!DOCTYPE html><html>", ["HTML", "log in"]),
        (b"%PDF-1.4", ["PDF", "CSV"]),
        (b"\x89PNG\r\n\x1a\n123", ["PNG", "class"]),
        #[cfg(not(feature = "parquet"))]
        (b"PAR1123", ["Parquet", "--features parquet"]),
        #[cfg(not(feature = "parquet"))]
        (b"\xff\xff\xff\xff\x10\0", ["Arrow", "--features parquet"]),
    ] {
        refused("t", content, &parts);
    }
}

#[test]
fn json_lines() {
    let expected = "a 1.5 _ 3 | y 'u' 'd' 'u' | b.c _ 2 _";
    check(&[
        (
            "{\"a\":1.5,\"y\":\"u\"}\n{\"y\":\"d\",\"b\":{\"c\":2}}\n{\"a\":3,\"y\":\"u\",\"b\":{\"c\":null}}\n",
            expected,
            "",
        ),
        ("[{\"a\":1.5,\"y\":\"u\"},\n {\"y\":\"d\",\"b\":{\"c\":2}},{\"a\":3,\"y\":\"u\"}]", expected, ""),
        (
            "{\"a\":true,\"y\":\"1,204\"}\n{\"a\":false,\"y\":\"12,377\"}\n",
            "a 'true' 'false' | y 1204 12377",
            "Numbers",
        ),
    ]);
    refused("t.jsonl", b"{\"a\":1}\n{\"a\":2\n", &["line", "JSON"]);
    refused("t.jsonl", b"{\"a\":1}\n{\"a\":[1,2]}\n", &["row 2", "array"]);
    refused("t.jsonl", b"{\"a\":1,\"a\":2}\n", &["twice"]);
    refused("t.jsonl", b"{}\n", &["key"]);
}

#[test]
fn numpy_arrays() {
    let data = doubles(&[1.0, 2.0, 3.0, 4.0, 5.0, f64::NAN]);
    let two = "x0 1 3 5 | x1 2 4 _";
    let big: Vec<u8> = [1i32, -2].iter().flat_map(|number| number.to_be_bytes()).collect();
    let wide: Vec<u8> = ['a', 'b', 'c', '\0'].iter().flat_map(|&c| (c as u32).to_le_bytes()).collect();
    check_with(
        &ReadOptions::default(),
        &[
            (&npy("<f8", false, "(3, 2)", &data), two, ""),
            (&npy("<f8", true, "(2, 3)", &data), "x0 1 2 | x1 3 4 | x2 5 _", ""),
            (&npy(">i4", false, "(2,)", &big), "x 1 -2", ""),
            (&npy("|u1", false, "(2, 1)", &[7, 255]), "x0 7 255", ""),
            (
                &npy("<f2", false, "(3,)", &[0, 0x3c, 0, 0xc2, 1, 0]),
                &format!("x 1 -3 {}", 2f64.powi(-24)),
                "",
            ),
            (&npy("|b1", false, "(2,)", &[1, 0]), "x 1 0", ""),
            (&npy("<U2", false, "(2,)", &wide), "x 'ab' 'c'", ""),
            (&npy("|S2", false, "(2,)", b"abc\0"), "x 'ab' 'c'", ""),
            (
                &zip(&[
                    ("x.npy", &npy("<f8", false, "(3, 2)", &data)),
                    ("y.npy", &npy("|u1", false, "(3,)", &[0, 1, 1])),
                ]),
                &format!("{two} | y 0 1 1"),
                "Container",
            ),
        ],
    );
    let images =
        read_as("t.npy", &npy("|u1", false, "(2, 2, 2)", &[1, 2, 3, 4, 5, 6, 7, 8]), &ReadOptions::default())
            .unwrap();
    let bytes = images.train.column("x").unwrap().bytes().expect("images are bytes");
    assert_eq!((bytes.shape(), bytes.row(1)), (&[2, 2][..], &[5, 6, 7, 8][..]));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.npy"), npy("<f8", false, "(3, 2)", &data)).unwrap();
    std::fs::write(folder.path().join("y.npy"), npy("|u1", false, "(3, 1)", &[0, 1, 1])).unwrap();
    let options = ReadOptions { targets: Some(folder.path().join("y.npy")), ..ReadOptions::default() };
    let parts = read(&folder.path().join("x.npy"), &options).unwrap();
    assert_eq!((rendered(&parts), parts.train.target()), (format!("{two} | y 0 1 1"), Some("y")));
    refused("t.npy", &npy("|O", false, "(2,)", b"\x80\x04\x95"), &["pickle", "run code"]);
    refused("t.npy", &npy("<f8", false, "(99999999999, 99999999999)", &data), &["bytes"]);
    refused("t.npy", &npy("<f8", false, "(3, 3)", &data), &["48 bytes"]);
    refused("t.npz", &zip(&[("p.npy", &data), ("q.npy", &data)]), &["p.npy", "savez"]);
}

#[test]
fn dates() {
    let seconds = |text: &str| {
        let parts = read_as("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap();
        match &*parts.train.columns()[0].values().unwrap() {
            Values::Times(times) => {
                times.seconds.iter().map(|seconds| seconds / 86_400.0).collect::<Vec<f64>>()
            }
            other => panic!("{text}: {other:?}"),
        }
    };
    let day = |year, month, day| pullback::data::days(year, month, day).unwrap() as f64;
    let first = [day(2021, 1, 2), day(2021, 1, 31)];
    for text in [
        "d,y\n2021-01-02,1\n2021-01-31,2\n",
        "d,y\n02.01.2021,1\n31.01.2021,2\n",
        "d,y\n1/2/2021,1\n1/31/2021,2\n",
        "d,y\n2/1/2021,1\n31/1/2021,2\n",
        "d,y\n20210102,1\n20210131,2\n",
        "d,y\n\"Jan 2, 2021\",1\n\"Jan 31, 2021\",2\n",
    ] {
        assert_eq!(seconds(text), first, "{text}");
    }
    assert_eq!(
        seconds("d,y\n2021-01-02 06:00,1\n2021-01-31T12:00:00Z,2\n"),
        [first[0] + 0.25, first[1] + 0.5]
    );
    // Nothing but the order of the rows tells.
    assert_eq!(
        seconds("d,y\n01/02/2021,1\n02/02/2021,2\n01/03/2021,3\n"),
        [day(2021, 2, 1), day(2021, 2, 2), day(2021, 3, 1)]
    );
    assert_eq!(
        seconds("d,y\n01/02/2021,1\n01/03/2021,2\n02/01/2021,3\n"),
        [day(2021, 1, 2), day(2021, 1, 3), day(2021, 2, 1)]
    );
    let rows: String = (1..10).map(|day| format!("2021-01-0{day},1\n")).collect();
    let parts = read_as("t.csv", format!("d,y\n{rows}soon,2\n").as_bytes(), &ReadOptions::default()).unwrap();
    let warning = parts.notes.iter().find(|note| note.kind.is_warning()).unwrap().to_string();
    for part in ["\"d\"", "row 10", "soon", "date", "--type 'd=categorical'"] {
        assert!(warning.contains(part), "`{part}` is not in: {warning}");
    }
}

#[test]
fn a_hundred_thousand_columns_are_read_in_linear_time_and_ten_million_refused() {
    let header: Vec<String> = (0..100_000).map(|column| format!("x{column}")).collect();
    let row = vec!["1.5"; 100_000].join(",");
    let text = format!("{}\n{row}\n{row}\n", header.join(","));
    let parts = read_as("wide.csv", text.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(parts.train.columns().len(), 100_000);
    refused("commas.csv", &vec![b','; 10_000_000], &["columns"]);
    refused("long.csv", &[b"a,b\n1,".as_slice(), &vec![b'x'; (1 << 20) + 1], b"\n"].concat(), &["1 MiB"]);
}

#[test]
fn older_encodings_are_told_apart() {
    let table = |[name, word]: [&str; 2]| {
        format!("{name},y\n") + &(0..6).map(|at| format!("{at}.5,{word}\n")).collect::<String>()
    };
    for (encoding, words, name) in [
        (encoding_rs::EUC_KR, ["종류", "고양이"], "CP949"),
        (encoding_rs::SHIFT_JIS, ["番号の判定", "不合格です"], "Shift_JIS"),
        (encoding_rs::WINDOWS_1250, ["wartość", "żółty"], "windows-1250"),
        (encoding_rs::WINDOWS_1251, ["значение", "красный"], "windows-1251"),
        (encoding_rs::WINDOWS_1252, ["größe", "grün"], "windows-1252"),
    ] {
        let parts = read_as("t.csv", &encoding.encode(&table(words)).0, &ReadOptions::default()).unwrap();
        assert!(parts.notes[0].words.contains(name), "{name}: {:?}", parts.notes);
        assert_eq!(parts.train.names().next(), Some(words[0]));
    }
}

#[test]
fn what_is_nearly_json_is_read_or_named() {
    let python =
        "{\"a\": NaN, \"t\": \"NaN \\\" NaN\"}\n{\"a\": 1.5, \"t\": \"x\"}\n{\"a\":-2,\"t\":\"y\"}\n";
    let parts = read_as("t.jsonl", python.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(rendered(&parts), "a _ 1.5 -2 | t 'NaN \" NaN' 'x' 'y'");
    refused("t.jsonl", b"{\"a\": -Infinity}\n{\"a\": 1}\n", &["-inf", "not a finite number"]);
    refused("t.json", b"{\"a\":[1,2],\"b\":[1]}", &["is an array", "orient=\"records\""]);
    refused("t.json", b"[[1,2],[3]]", &["row 2", "1 values", "2 columns"]);
    refused("t.json", b"[[1,2],[3", &["EOF"]);
}

#[test]
fn tables_in_the_forms_of_json() {
    let whole = "a 1.5 2.5 3.5 | y 'u' 'd' 'u'";
    for (text, expected) in [
        // pandas' `to_json` with each `orient`: columns (the default), index, records, split, values, table.
        (r#"{"a":{"0":1.5,"1":2.5,"2":3.5},"y":{"0":"u","1":"d","2":"u"}}"#, whole),
        (r#"{"a":{"ann":1.5,"bob":2.5,"eve":3.5},"y":{"ann":"u","bob":"d","eve":"u"}}"#, whole),
        (r#"{"0":{"a":1.5,"y":"u"},"1":{"a":2.5,"y":"d"},"2":{"a":3.5,"y":"u"}}"#, whole),
        (r#"{"ann":{"a":1.5,"y":"u"},"bob":{"a":2.5,"y":"d"},"eve":{"a":3.5,"y":"u"}}"#, whole),
        (r#"[{"a":1.5,"y":"u"},{"a":2.5,"y":"d"},{"a":3.5,"y":"u"}]"#, whole),
        (r#"{"columns":["a","y"],"index":[0,1,2],"data":[[1.5,"u"],[2.5,"d"],[3.5,"u"]]}"#, whole),
        (r#"{"columns":["a","y"],"rows":[[1.5,"u"],[2.5,"d"],[3.5,"u"]]}"#, whole),
        ("[[1.5,\"u\"],[2.5,\"d\"],[3.5,\"u\"]]", "c1 1.5 2.5 3.5 | c2 'u' 'd' 'u'"),
        (
            r#"{"schema":{"fields":[{"name":"a"},{"name":"y"}]},"data":[{"a":1.5,"y":"u"},{"a":2.5,"y":"d"},{"a":3.5,"y":"u"}]}"#,
            whole,
        ),
        // With names in the first row, in one array or one a line; of texts alone, too.
        ("[[\"a\",\"y\"],[1.5,\"u\"],[2.5,\"d\"],[3.5,\"u\"]]", whole),
        ("[\"a\", \"y\"]\n[1.5, \"u\"]\n[2.5, \"d\"]\n[3.5, \"u\"]\n", whole),
        ("[1.5, \"u\"]\n[null, \"d\"]\n", "c1 1.5 _ | c2 'u' 'd'"),
        (r#"[["t","y"],["p","u"],["q","d"]]"#, "t 'p' 'q' | y 'u' 'd'"),
        (r#"[["p","u"],["q","d"],["p","d"]]"#, "c1 'p' 'q' 'p' | c2 'u' 'd' 'd'"),
        // A dictionary of lists, and what services answer.
        (r#"{"a":[1.5,NaN,3.5],"y":["u","d","u"]}"#, "a 1.5 _ 3.5 | y 'u' 'd' 'u'"),
        (
            "{\n \"count\": 2,\n \"next\": null,\n \"results\": [\n {\"a\": 1.5, \"y\": \"u\"},\n {\"a\": 2.5, \"y\": \"d\"}\n ]\n}",
            "a 1.5 2.5 | y 'u' 'd'",
        ),
        (
            r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"a":1.5,"y":"u"}},{"type":"Feature","properties":{"a":2.5,"y":"d"},"geometry":null}]}"#,
            "a 1.5 2.5 | y 'u' 'd'",
        ),
        // Objects a row, as before.
        ("{\"a\":1.5,\"y\":\"u\"}\n{\"a\":2.5,\"y\":\"d\"}\n", "a 1.5 2.5 | y 'u' 'd'"),
        (r#"{"p":{"x":1,"y":2},"z":3}"#, "p.x 1 | p.y 2 | z 3"),
    ] {
        let parts = read_as("t.json", text.as_bytes(), &ReadOptions::default())
            .unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!(rendered(&parts), expected, "{text}\n{:?}", parts.notes);
    }
    // One new row of objects in objects is a row, if its columns are expected.
    let text = br#"{"p":{"x":1,"y":2},"q":{"x":3,"y":4}}"#;
    let options = ReadOptions { expected: vec!["p.x".into()], ..ReadOptions::default() };
    assert_eq!(rendered(&read_as("t.json", text, &options).unwrap()), "p.x 1 | p.y 2 | q.x 3 | q.y 4");
}

#[test]
fn texts_in_arrays_get_the_type_that_they_have_in_csv() {
    let texts = |cells: [&str; 3]| -> Vec<u8> {
        let four = |text: &str| {
            let mut letters: Vec<u8> = text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
            letters.resize(40, 0);
            letters
        };
        cells.iter().flat_map(|text| four(text)).collect()
    };
    for (cells, expected) in [
        (["1.5", "", "-2.25"], "x 1.5 _ -2.25"),
        (["u", "d", "u"], "x 'u' 'd' 'u'"),
        (["1,204.50", "2,305.25", "3"], "x 1204.5 2305.25 3"),
        (["2021-01-01", "2021-01-02", "2021-01-03"], "x 1609459200.0 1609545600.0 1609632000.0"),
    ] {
        let array = npy("<U10", false, "(3,)", &texts(cells));
        let parts = read_as("t.npy", &array, &ReadOptions::default()).unwrap();
        assert_eq!(rendered(&parts), expected);
    }
}

#[test]
fn images_with_their_channels_first_are_turned() {
    // Two images of 3 channels of 2 by 5 pixels.
    let bytes: Vec<u8> = (0..60).collect();
    let parts =
        read_as("t.npy", &npy("|u1", false, "(2, 3, 2, 5)", &bytes), &ReadOptions::default()).unwrap();
    let column = &parts.train.columns()[0];
    let images = column.bytes().unwrap();
    assert_eq!(images.shape(), [2, 5, 3]);
    assert_eq!(images.row(0)[..6], [0, 10, 20, 1, 11, 21]);
    assert_eq!(images.row(1)[27..], [39, 49, 59]);
    assert!(parts.notes.iter().any(|note| note.kind.is_warning()), "{:?}", parts.notes);
    let gray = read_as("t.npy", &npy("|u1", false, "(2, 1, 5, 6)", &bytes), &ReadOptions::default()).unwrap();
    assert_eq!(gray.train.columns()[0].bytes().unwrap().shape(), [5, 6]);
    let last = read_as("t.npy", &npy("|u1", false, "(2, 5, 2, 3)", &bytes), &ReadOptions::default()).unwrap();
    assert_eq!(last.train.columns()[0].bytes().unwrap().shape(), [5, 2, 3]);
}

#[test]
fn arrays_of_an_archive_are_known_by_many_names() {
    let x = npy("<f8", false, "(3, 1)", &[1.5f64, 2.5, 3.5].map(f64::to_le_bytes).concat());
    let y = npy("<f8", false, "(3,)", &[0f64, 1.0, 0.0].map(f64::to_le_bytes).concat());
    for (inputs, targets) in [
        ("x", "y"),
        ("X", "labels"),
        ("features", "target"),
        ("X_train", "Y_train"),
        ("train_x", "train_y"),
        ("images", "label"),
        ("x_data", "y_data"),
        ("arr_0", "arr_1"),
        ("Xtrain", "ytrain"),
    ] {
        let names = [inputs, targets].map(|name| format!("{name}.npy"));
        let archive = zip(&[(&names[0], &x), (&names[1], &y)]);
        let parts = read_as("t.npz", &archive, &ReadOptions::default())
            .unwrap_or_else(|error| panic!("{names:?} {error}"));
        assert_eq!(
            (rendered(&parts).as_str(), parts.train.target()),
            ("x0 1.5 2.5 3.5 | y 0 1 0", Some("y")),
            "{names:?}"
        );
    }
    for (inputs, targets) in [("x_val", "y_val"), ("X_test", "y_test")] {
        let names = ["x_train", "y_train", inputs, targets].map(|name| format!("{name}.npy"));
        let archive = zip(&[(&names[0], &x), (&names[1], &y), (&names[2], &x), (&names[3], &y)]);
        let parts = read_as("t.npz", &archive, &ReadOptions::default()).unwrap();
        assert_eq!(parts.test.map(|test| test.rows()), Some(3), "{names:?}");
    }
    // Targets with a column a class.
    let one_hot =
        npy("<f8", false, "(3, 2)", &[0f64, 1.0, 1.0, 0.0, 0.0, 1.0].map(f64::to_le_bytes).concat());
    let parts =
        read_as("t.npz", &zip(&[("x.npy", &x), ("y.npy", &one_hot)]), &ReadOptions::default()).unwrap();
    assert_eq!(rendered(&parts), "x0 1.5 2.5 3.5 | y 1 0 1");
}
