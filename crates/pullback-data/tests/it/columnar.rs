//! Parquet and Arrow IPC: all types, what is refused, damage, and that the same content is the same table as in CSV.

use crate::files::rendered;
use crate::formats::{doubles, npy, zip};
use crate::memory::peak_bytes;
use crate::spooled::{LONG_COLUMNS, LONG_ROWS, long_row};
use crate::{numbers, read_as, texts};
use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array,
    DictionaryArray, DurationMillisecondArray, FixedSizeBinaryArray, Float16Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeStringArray, NullArray, RecordBatch,
    StringArray, StringViewArray, StructArray, Time32SecondArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
    UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::i256;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use pullback::data::{ColumnType, Values};
use pullback::job::{Job, Settings};
use pullback::train::Silent;
use pullback_data::{NoteKind, ReadOptions, read_from};
use std::sync::Arc;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn parquet(batches: &[RecordBatch], compression: Compression) -> Vec<u8> {
    let mut file = Vec::new();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(&mut file, batches[0].schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    file
}

fn ipc(batches: &[RecordBatch], is_stream: bool, compression: Option<CompressionType>) -> Vec<u8> {
    let mut file = Vec::new();
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let schema = batches[0].schema();
    if is_stream {
        let mut writer = StreamWriter::try_new_with_options(&mut file, &schema, options).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.finish().unwrap();
    } else {
        let mut writer = FileWriter::try_new_with_options(&mut file, &schema, options).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.finish().unwrap();
    }
    file
}

/// The same batches in every form.
fn forms(batches: &[RecordBatch]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("t.parquet", parquet(batches, Compression::UNCOMPRESSED)),
        ("snappy.parquet", parquet(batches, Compression::SNAPPY)),
        ("zstd.parquet", parquet(batches, Compression::ZSTD(ZstdLevel::default()))),
        ("gzip.parquet", parquet(batches, Compression::GZIP(GzipLevel::default()))),
        ("lz4.parquet", parquet(batches, Compression::LZ4_RAW)),
        ("t.arrow", ipc(batches, false, None)),
        ("t.arrows", ipc(batches, true, None)),
        ("lz4.arrow", ipc(batches, false, Some(CompressionType::LZ4_FRAME))),
        ("zstd.arrows", ipc(batches, true, Some(CompressionType::ZSTD))),
    ]
}

fn small() -> RecordBatch {
    let colors: DictionaryArray<Int8Type> = [Some("red"), None, Some("blue")].into_iter().collect();
    batch(vec![
        ("a", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(-3.0)]))),
        ("n", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("color", Arc::new(colors)),
        ("y", Arc::new(StringArray::from(vec![Some("u"), Some("d"), None]))),
    ])
}

/// A small file of each form, for [`crate::damage`].
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    forms(&[small(), small()])
}

#[test]
fn a_table_is_the_same_in_every_form() {
    for (name, content) in forms(&[small(), small()]) {
        let parts = read_as(name, &content, &ReadOptions::default()).unwrap();
        assert_eq!(
            rendered(&parts),
            "a 1.5 _ -3 1.5 _ -3 | n 1 2 3 1 2 3 | color 'red' _ 'blue' 'red' _ 'blue' | y 'u' 'd' _ 'u' 'd' _",
            "{name}"
        );
        assert!(parts.notes.is_empty(), "{name}: {:?}", parts.notes);
        let reasons: Vec<&str> = parts.train.columns().iter().map(|column| column.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "float64 in the file",
                "int32 in the file",
                "dictionary of string in the file",
                "string in the file"
            ],
            "{name}"
        );
    }
}

fn decimals(digits: Vec<i128>, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(digits).with_precision_and_scale(38, scale).unwrap())
}

#[test]
fn numbers_of_every_type() {
    let halves = [half(1.5), half(-2.0)];
    let all = batch(vec![
        ("i8", Arc::new(Int8Array::from(vec![-1, 2]))),
        ("i16", Arc::new(Int16Array::from(vec![-1, 2]))),
        ("i32", Arc::new(Int32Array::from(vec![-1, 2]))),
        ("i64", Arc::new(Int64Array::from(vec![-1, 2]))),
        ("u8", Arc::new(UInt8Array::from(vec![255, 2]))),
        ("u16", Arc::new(UInt16Array::from(vec![65535, 2]))),
        ("u32", Arc::new(UInt32Array::from(vec![u32::MAX, 2]))),
        ("u64", Arc::new(UInt64Array::from(vec![1 << 53, 2]))),
        ("f16", Arc::new(Float16Array::from(halves.to_vec()))),
        ("f32", Arc::new(Float32Array::from(vec![0.5, f32::NAN]))),
        ("f64", Arc::new(Float64Array::from(vec![0.1, -0.2]))),
        ("decimal", decimals(vec![12345, -5], 2)),
        ("long", decimals(vec![123_456_789_012_345_678_901, 1], 3)),
        (
            "wide",
            Arc::new(
                Decimal256Array::from(vec![i256::from_i128(-12345), i256::from_i128(7)])
                    .with_precision_and_scale(70, 4)
                    .unwrap(),
            ),
        ),
        ("none", Arc::new(NullArray::new(2))),
    ]);
    let expected = "i8 -1 2 | i16 -1 2 | i32 -1 2 | i64 -1 2 | u8 255 2 | u16 65535 2 | u32 4294967295 2 | \
                    u64 9007199254740992 2 | f16 1.5 -2 | f32 0.5 _ | f64 0.1 -0.2 | decimal 123.45 -0.05 | \
                    long 123456789012345680 0.001 | wide -1.2345 0.0007 | none _ _";
    for (name, content) in forms(&[all]) {
        let parts = read_as(name, &content, &ReadOptions::default()).unwrap();
        assert_eq!(rendered(&parts), expected, "{name}");
    }
    // A duration has no type in Parquet.
    let lasting = batch(vec![("d", Arc::new(DurationMillisecondArray::from(vec![1500, -250])))]);
    let parts = read_as("t.arrow", &ipc(&[lasting], false, None), &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&parts, "d"), [1.5, -0.25]);
    let infinite = batch(vec![("a", Arc::new(Float64Array::from(vec![0.0, f64::INFINITY])))]);
    for (name, content) in forms(&[infinite]) {
        let message = read_as(name, &content, &ReadOptions::default()).unwrap_err();
        assert!(message.contains("row 2") && message.contains("\"a\""), "{message}");
    }
}

#[test]
fn whole_numbers_beyond_53_bits_are_told_apart_by_their_digits() {
    const FIRST: i64 = 9_007_199_254_740_993;
    let small =
        |array: ArrayRef| batch(vec![("id", array), ("n", Arc::new(Int32Array::from(vec![1, 2, 3, 4])))]);
    let apart = Int64Array::from(vec![Some(FIRST), Some(FIRST - 1), None, Some(7)]);
    for array in [
        Arc::new(apart) as ArrayRef,
        decimals_of(&[Some(FIRST.into()), Some(i128::from(FIRST) - 1), None, Some(7)]),
    ] {
        for (name, content) in forms(&[small(array.clone()), small(array.clone())]) {
            let parts = read_as(name, &content, &ReadOptions::default()).unwrap();
            let cells = format!("'{FIRST}' '{}' _ '7'", FIRST - 1);
            assert_eq!(rendered(&parts), format!("id {cells} {cells} | n 1 2 3 4 1 2 3 4"), "{name}");
            assert!(
                parts.notes[0].words.contains("more digits than a number tells apart"),
                "{:?}",
                parts.notes
            );
            let options = ReadOptions {
                types: [("id".to_owned(), ColumnType::Numeric)].into(),
                ..ReadOptions::default()
            };
            let parts = read_as(name, &content, &options).unwrap();
            assert_eq!(numbers(&parts, "id")[..2], [(FIRST - 1) as f64; 2], "{name}");
            assert!(
                parts.notes.iter().any(|note| note.words.contains("rounded") && note.count == 2),
                "{:?}",
                parts.notes
            );
        }
    }
    // Numbers that stay apart are numbers, and what is rounded is said.
    let apart = Arc::new(UInt64Array::from(vec![u64::MAX, 1 << 60, 5, 1]));
    for (name, content) in forms(&[small(apart)]) {
        let parts = read_as(name, &content, &ReadOptions::default()).unwrap();
        assert_eq!(
            numbers(&parts, "id"),
            [18446744073709551616.0, 1152921504606846976.0, 5.0, 1.0],
            "{name}"
        );
        assert_eq!(parts.notes.iter().map(|note| note.count).collect::<Vec<_>>(), [1], "{:?}", parts.notes);
    }
}

fn decimals_of(digits: &[Option<i128>]) -> ArrayRef {
    Arc::new(Decimal128Array::from(digits.to_vec()).with_precision_and_scale(38, 0).unwrap())
}

#[test]
fn dates_that_stand_for_none_are_missing() {
    let days = [Some(19_000), None, Some(2_932_896), Some(19_500), Some(-25_567), Some(0)];
    for (name, content) in forms(&[batch(vec![
        ("d", Arc::new(Date32Array::from(days.to_vec())) as ArrayRef),
        ("n", Arc::new(Int32Array::from(vec![1, 2, 3, 4, 5, 6]))),
    ])]) {
        let parts = read_as(name, &content, &ReadOptions::default()).unwrap();
        assert_eq!(rendered(&parts), "d 1641600000.0 NaN NaN 1684800000.0 NaN NaN | n 1 2 3 4 5 6", "{name}");
        assert_eq!(parts.notes.iter().map(|note| note.count).collect::<Vec<_>>(), [3], "{:?}", parts.notes);
    }
}

fn half(number: f32) -> <arrow_array::types::Float16Type as arrow_array::ArrowPrimitiveType>::Native {
    <arrow_array::types::Float16Type as arrow_array::ArrowPrimitiveType>::Native::from_f32(number)
}

#[test]
fn dates_and_times() {
    const DAY: i64 = 86_400;
    let noon = 18_628 * DAY + DAY / 2; // 2021-01-01 12:00
    let all = batch(vec![
        ("date", Arc::new(Date32Array::from(vec![Some(18_628), None]))),
        ("s", Arc::new(TimestampSecondArray::from(vec![noon, 0]))),
        ("ms", Arc::new(TimestampMillisecondArray::from(vec![noon * 1000, 0]))),
        ("us", Arc::new(TimestampMicrosecondArray::from(vec![noon * 1_000_000, -500_000]))),
        ("ns", Arc::new(TimestampNanosecondArray::from(vec![noon * 1_000_000_000 + 1_000, 0]))),
        (
            "seoul",
            Arc::new(TimestampMicrosecondArray::from(vec![noon * 1_000_000, 0]).with_timezone("+09:00")),
        ),
        ("time", Arc::new(Time32SecondArray::from(vec![3600, 0]))),
        ("fine", Arc::new(Time64NanosecondArray::from(vec![3_600_000_000_000, 0]))),
    ]);
    let noon = noon as f64;
    let expected: [(&str, f64); 8] = [
        ("date", 18_628.0 * 86_400.0),
        ("s", noon),
        ("ms", noon),
        ("us", noon),
        ("ns", noon + 1e-6),
        ("seoul", noon + 9.0 * 3600.0),
        ("time", 3600.0),
        ("fine", 3600.0),
    ];
    for (form, content) in forms(&[all]) {
        let parts = read_as(form, &content, &ReadOptions::default()).unwrap();
        for (name, first) in expected {
            let values = parts.train.column(name).unwrap().values().unwrap();
            let Values::Times(times) = &*values else { panic!("{form}, {name}") };
            assert_eq!(times.seconds[0], first, "{form}, {name}");
        }
    }
    let old = batch(vec![("d", Arc::new(Date64Array::from(vec![DAY * 1000])))]);
    let parts = read_as("t.arrow", &ipc(&[old], false, None), &ReadOptions::default()).unwrap();
    let values = parts.train.columns()[0].values().unwrap();
    assert!(matches!(&*values, Values::Times(times) if times.seconds == [86_400.0]));
}

#[test]
fn texts_of_every_type() {
    let keys: DictionaryArray<Int32Type> = [Some("k"), None, Some("k")].into_iter().collect();
    let values = Arc::new(Int64Array::from(vec![10, 20]));
    let of_numbers =
        DictionaryArray::<Int32Type>::try_new(Int32Array::from(vec![Some(1), None, Some(0)]), values);
    let all = batch(vec![
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("string", Arc::new(StringArray::from(vec![Some(" a "), Some(""), None]))),
        ("large", Arc::new(LargeStringArray::from(vec!["a", "b", "a"]))),
        ("view", Arc::new(StringViewArray::from(vec!["a", "a text of more than twelve bytes", "a"]))),
        ("binary", Arc::new(BinaryArray::from(vec!["가".as_bytes(), b"b", b"b"]))),
        ("keys", Arc::new(keys)),
        ("numbers", Arc::new(of_numbers.unwrap())),
    ]);
    let expected = "bool 'true' 'false' _ | string 'a' _ _ | large 'a' 'b' 'a' | \
                    view 'a' 'a text of more than twelve bytes' 'a' | binary '가' 'b' 'b' | keys 'k' _ 'k' | numbers 20 _ 10";
    for (name, content) in forms(&[all]) {
        let parts = read_as(name, &content, &ReadOptions::default()).unwrap();
        assert_eq!(rendered(&parts), expected, "{name}");
    }
}

#[test]
fn what_is_said_of_a_column_holds() {
    let of = |texts: Vec<&str>| batch(vec![("a", Arc::new(StringArray::from(texts)) as ArrayRef)]);
    let numeric =
        ReadOptions { types: [("a".to_owned(), ColumnType::Numeric)].into(), ..ReadOptions::default() };
    for (name, content) in forms(&[of(vec!["1.5", "2,000.5"])]) {
        let parts = read_as(name, &content, &ReadOptions::default()).unwrap();
        assert_eq!(texts(&parts, "a"), [Some("1.5".into()), Some("2,000.5".into())]);
        assert!(parts.notes.iter().any(|note| note.kind == NoteKind::Type), "{:?}", parts.notes);
        assert_eq!(numbers(&read_as(name, &content, &numeric).unwrap(), "a"), [1.5, 2000.5]);
    }
    let unknown =
        ReadOptions { types: [("b".to_owned(), ColumnType::Numeric)].into(), ..ReadOptions::default() };
    let missing = ReadOptions { missing: vec!["-9".into(), "none".into()], ..ReadOptions::default() };
    for (name, content) in forms(&[of(vec!["none", "x"])]) {
        let message = read_as(name, &content, &unknown).unwrap_err();
        assert!(message.contains("\"b\""), "{message}");
        assert_eq!(texts(&read_as(name, &content, &missing).unwrap(), "a"), [None, Some("x".into())]);
    }
    for (name, content) in forms(&[batch(vec![("a", Arc::new(Int32Array::from(vec![-9, 4])))])]) {
        assert!(numbers(&read_as(name, &content, &missing).unwrap(), "a")[0].is_nan());
    }
    let indexed = batch(vec![
        ("a", Arc::new(Int32Array::from(vec![7, 4]))),
        ("__index_level_0__", Arc::new(Int64Array::from(vec![3, 9]))),
    ]);
    for (name, content) in forms(&[indexed]) {
        let parts = read_as(name, &content, &ReadOptions::default()).unwrap();
        assert_eq!(rendered(&parts), "a 7 4", "{name}");
        assert!(parts.notes[0].words.contains("__index_level_0__"));
    }
}

#[test]
fn what_is_no_cell_is_refused_by_name() {
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let structs = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Int32, true)), inner)]);
    let bytes = FixedSizeBinaryArray::try_from_iter([[1u8, 2], [3, 4]].into_iter()).unwrap();
    for (what, array) in [
        ("lists", Arc::new(lists.finish()) as ArrayRef),
        ("structs", Arc::new(structs)),
        ("bytes", Arc::new(bytes)),
    ] {
        let table = batch(vec![("a", Arc::new(Int32Array::from(vec![1, 2]))), ("odd one", array)]);
        for (name, content) in forms(&[table]) {
            let message = read_as(name, &content, &ReadOptions::default()).unwrap_err();
            for part in ["odd one", what, name] {
                assert!(message.contains(part), "`{part}` is not in: {message}");
            }
        }
    }
    let empty = batch(vec![("a", Arc::new(Int32Array::from(Vec::<i32>::new())))]);
    for (name, content) in forms(&[empty]) {
        let message = read_as(name, &content, &ReadOptions::default()).unwrap_err();
        assert!(message.contains("no rows"), "{name}: {message}");
    }
}

#[test]
fn few_bytes_for_many_rows_end_at_the_limit() {
    let rows = 1 << 22;
    let zeros = batch(vec![("a", Arc::new(Float64Array::from(vec![0.0; rows])))]);
    let options = ReadOptions { limit_bytes: 1 << 20, ..ReadOptions::default() };
    for (name, content) in forms(&[zeros]) {
        if content.len() > 1 << 19 {
            continue; // Not compressed: the file itself is too large.
        }
        let (outcome, bytes) = peak_bytes(|| read_from(name, &content[..], &options).map(|_| ()));
        let message = outcome.unwrap_err().one_line();
        assert!(message.contains("1048576") || message.contains("more memory"), "{name}: {message}");
        assert!(bytes < 24 << 20, "{name}: {bytes} bytes");
    }
}

#[test]
fn a_schema_of_groups_in_groups_is_refused() {
    // FileMetaData { 1: version, 2: schema [group a { group a { ... } }], 3: rows, 4: row groups [] }
    let depth = 200_000u32;
    let mut metadata = vec![0x15, 0x02, 0x19, 0xfc];
    let mut count = depth;
    while count >= 0x80 {
        metadata.push(count as u8 | 0x80);
        count >>= 7;
    }
    metadata.push(count as u8);
    for _ in 0..depth {
        // 3: repetition optional, 4: name "a", 5: one child.
        metadata.extend([0x35, 0x02, 0x18, 0x01, b'a', 0x15, 0x02, 0x00]);
    }
    metadata.extend([0x16, 0x00, 0x19, 0x0c, 0x00]);
    let length = (metadata.len() as u32).to_le_bytes();
    let content = [b"PAR1", &metadata[..], &length, b"PAR1"].concat();
    let message = read_as("deep.parquet", &content, &ReadOptions::default()).unwrap_err();
    assert!(message.contains("deep"), "{message}");
}

#[test]
fn a_table_is_the_same_wherever_its_cells_are() {
    const ROWS: usize = 20_000;
    let number = |row: usize, column: usize| (row * 31 + column * 7) % 1000;
    let is_missing = |row: usize| row.is_multiple_of(7);
    let text = |row: usize| (!is_missing(row)).then(|| format!("level {}", row % 13));
    let texts: Vec<Option<String>> = (0..ROWS).map(text).collect();
    let dictionary: DictionaryArray<Int32Type> = texts.iter().map(Option::as_deref).collect();
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("text".into(), Arc::new(StringArray::from(texts.clone()))),
        ("dictionary".into(), Arc::new(dictionary)),
        ("flag".into(), Arc::new(BooleanArray::from((0..ROWS).map(|row| row % 3 == 1).collect::<Vec<_>>()))),
        (
            "missing".into(),
            Arc::new(Float64Array::from(
                (0..ROWS).map(|row| (!is_missing(row)).then_some(row as f64 / 3.0)).collect::<Vec<_>>(),
            )),
        ),
        ("day".into(), Arc::new(Date32Array::from((0..ROWS).map(|row| row as i32).collect::<Vec<_>>()))),
        ("money".into(), decimals((0..ROWS).map(|row| row as i128 * 101).collect(), 2)),
    ];
    for column in 0..10 {
        let numbers: Vec<i32> = (0..ROWS).map(|row| number(row, column) as i32).collect();
        columns.push((format!("n{column}"), Arc::new(Int32Array::from(numbers))));
    }
    let table = batch(columns.iter().map(|(name, array)| (name.as_str(), array.clone())).collect());
    let batches: Vec<RecordBatch> = (0..ROWS).step_by(500).map(|row| table.slice(row, 500)).collect();
    let mut files = vec![
        ("t.arrow", ipc(&batches, false, None)),
        ("lz4.arrow", ipc(&batches, false, Some(CompressionType::LZ4_FRAME))),
        ("zstd.arrows", ipc(&batches, true, Some(CompressionType::ZSTD))),
    ];
    for (name, compression) in
        [("t.parquet", Compression::UNCOMPRESSED), ("snappy.parquet", Compression::SNAPPY)]
    {
        // Pages of a few rows: those of all columns are in memory at once.
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_data_page_row_count_limit(500)
            .set_write_batch_size(100)
            .set_max_row_group_row_count(Some(5000))
            .build();
        let mut file = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut file, table.schema(), Some(properties)).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.close().unwrap();
        files.push((name, file));
    }
    let mut tables = files.iter().map(|(name, content)| {
        let (table, notes) = crate::spooled::check_as(name, (content, content.len()), &|_| {});
        (table.unwrap(), notes)
    });
    let first = tables.next().unwrap();
    tables.for_each(|table| assert_eq!(table.0[..1000], first.0[..1000]));
}

#[test]
fn a_limit_is_held_for_files_of_columns() {
    let rows: Vec<(&str, [f64; LONG_COLUMNS])> = (0..LONG_ROWS).map(long_row).collect();
    let mut columns: Vec<(String, ArrayRef)> =
        vec![("y".into(), Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))))];
    for column in 0..LONG_COLUMNS {
        let numbers: Vec<f64> = rows.iter().map(|row| row.1[column]).collect();
        columns.push((format!("x{column}"), Arc::new(Float64Array::from(numbers))));
    }
    drop(rows);
    let table = batch(columns.iter().map(|(name, array)| (name.as_str(), array.clone())).collect());
    drop(columns);
    let batches: Vec<RecordBatch> = (0..LONG_ROWS).step_by(1000).map(|row| table.slice(row, 1000)).collect();
    crate::spooled::check_held("t.arrow", &ipc(&batches, false, None), "y");
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_data_page_row_count_limit(2000)
        .set_write_batch_size(500)
        .build();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, table.schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    crate::spooled::check_held("t.parquet", &file, "y");
    // What memory does not hold at once is refused with what it would take.
    for (name, content) in [
        ("one.arrow", ipc(std::slice::from_ref(&table), false, None)),
        ("one.parquet", parquet(std::slice::from_ref(&table), Compression::UNCOMPRESSED)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let [options, _] = crate::spooled::limited(folder.path(), 0);
        let error = read_from(name, &content[..], &options).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), pullback::ErrorKind::Memory, "{}", error.one_line());
        assert!(error.one_line().contains("write the file in"), "{}", error.one_line());
    }
}

/// The weights that a table trains to.
fn trained(name: &str, content: &[u8]) -> Vec<u32> {
    let parts = read_as(name, content, &ReadOptions::default()).unwrap();
    let mut settings = Settings::default();
    for (key, value) in [("target", "y"), ("epochs", "3"), ("seed", "5")] {
        settings.set(key, value).unwrap();
    }
    let table = parts.train;
    let fitted = Job::new(settings, table).decide().unwrap().run(&Default::default(), &mut Silent).unwrap();
    let bits: Vec<u32> =
        fitted.model.parameters().iter().flatten().map(|number: &f32| number.to_bits()).collect();
    assert!(bits.len() > 20);
    bits
}

#[test]
fn the_same_content_trains_to_the_same_bits_in_every_format() {
    let rows = 200;
    let cells: Vec<[f64; 4]> = (0..rows)
        .map(|row| {
            let row = f64::from(row);
            let (x0, x1, x2) =
                ((row * 0.618).fract(), (row * 1.324).fract() * 1e3, (row * 7.0) % 11.0 / 10.0);
            [x0, x1, x2, x0 + x1 / 500.0 - x2]
        })
        .collect();
    let names = ["x0", "x1", "x2", "y"];
    let mut csv = names.join(",") + "\n";
    cells.iter().for_each(|row| csv += &(row.map(|cell| cell.to_string()).join(",") + "\n"));
    let columns: Vec<Vec<f64>> = (0..4).map(|column| cells.iter().map(|row| row[column]).collect()).collect();
    let table = batch(
        names
            .into_iter()
            .zip(&columns)
            .map(|(name, column)| (name, Arc::new(Float64Array::from(column.clone())) as ArrayRef))
            .collect(),
    );
    let inputs: Vec<f64> = cells.iter().flat_map(|row| row[..3].to_vec()).collect();
    let archive = zip(&[
        ("x.npy", &npy("<f8", false, &format!("({rows}, 3)"), &doubles(&inputs))),
        ("y.npy", &npy("<f8", false, &format!("({rows},)"), &doubles(&columns[3]))),
    ]);
    let expected = trained("t.csv", csv.as_bytes());
    assert_eq!(trained("t.npz", &archive), expected, "npz");
    for (name, content) in forms(&[table.slice(0, 77), table.slice(77, 123)]) {
        assert_eq!(trained(name, &content), expected, "{name}");
    }
}
