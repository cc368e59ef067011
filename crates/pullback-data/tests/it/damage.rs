//! Damaged and hostile files: each reader ends in a table or an error, in bounded memory, never in a panic.
//!
//! [`seeds`] has a small file of each format; a format that is added is added there. Each is cut off at every byte, has
//! every bit turned, and is changed at random, by a seed, so that a failure comes again.

use crate::formats::{bzip2, doubles, gzip, npy, xz, zip, zstandard};
use crate::images::{COLORS, png};
use crate::memory::peak_bytes;
use pullback_data::{ImageSize, ReadOptions, read_from};

/// What a reader may take of memory for a small file.
const LIMIT_BYTES: u64 = 1 << 20;
/// Decoders keep tables and windows of their own: zstd's window is up to 8 MB, bzip2's block 4 MB.
const MOST_BYTES: usize = 48 << 20;
/// So many random changes of each file.
const CHANGES: u64 = 1500;

const TABLE: &str = "sep=;\n# c\nn;d;a;y\nmm;;g;\n\"x, \"\"1\"\"\";2021-01-02;1,5;u\ny;3/4/21 2:05 PM;$1.204,5;d\n007;now;3 kg;\nTotal;;3;\n";
const JSON: &str = "{\"a\":1.5e3,\"y\":\"\\u00e9\"}\n{\"y\":\"d\",\"b\":{\"c\":null}}\n";

/// A small file of each format.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let table = TABLE.as_bytes();
    let array = npy("<f8", false, "(2, 2)", &doubles(&[1.0, 2.0, 3.0, 4.0]));
    let wide: Vec<u8> = TABLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let images = [0u8, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 7, 9];
    #[allow(unused_mut, reason = "features add to it")]
    let mut seeds = vec![
        ("t.csv", table.to_vec()),
        ("escaped.csv", b"\"a\" \"y\"\n\"1\" 1.5 \"x \\\"u\\\"\"\n\"2\" 2.5 \"d\"\n".to_vec()),
        ("t.jsonl", JSON.into()),
        ("array.json", format!("[{}]", JSON.trim().replace('\n', ",")).into_bytes()),
        ("t.npy", array.clone()),
        ("texts.npy", npy("<U2", false, "(2,)", b"a\0\0\0b\0\0\0c\0\0\0\0\0\0\0")),
        ("t.npz", zip(&[("x.npy", &array), ("y.npy", &npy("|u1", false, "(2,)", &[0, 1]))])),
        ("images", images.to_vec()),
        ("t.png", png(3, 2, png::ColorType::Rgb, &[9; 18])),
        ("t.jpg", COLORS.to_vec()),
        ("t.gz", gzip(table)),
        ("t.bz2", bzip2(table)),
        ("t.xz", xz(table)),
        ("t.zst", zstandard(table)),
        ("t.zip", zip(&[("t.csv", table)])),
        ("t16.csv", [b"\xff\xfe", &wide[..]].concat()),
        ("split.json", b"{\"columns\":[\"a\",\"y\"],\"data\":[[1.5,\"u\"],[2,null]]}".to_vec()),
        ("columns.json", b"{\"a\":{\"p\":1.5,\"q\":2},\"y\":{\"p\":\"u\",\"q\":\"d\"}}".to_vec()),
        ("rows.json", b"[[\"a\",\"y\"],[1.5,\"u\"],[2,\"d\"]]".to_vec()),
        ("t.geojson", b"{\"type\":\"FeatureCollection\",\"features\":[{\"properties\":{\"a\":1}},{\"properties\":null}]}".to_vec()),
        ("doubled.csv", b"a::d::y\n1 (2)::2024H1::u\n5 1/2::9999-12-31::d\n".to_vec()),
        ("fixed.txt", b"SQL> x\n\n A  B B  Y\n--- ---- -\n  1 p q  u\n 12 r    d\n\n A  B B  Y\n--- ---- -\n  3 p    u\n\n3 rows selected.\n".to_vec()),
        ("images.zip", zip(&[("a/1.png", &png(1, 1, png::ColorType::Rgb, &[9; 3])), ("b/2.png", &png(1, 1, png::ColorType::Rgb, &[5; 3]))])),
        ("yen.csv", encoding_rs::SHIFT_JIS.encode("品名を書く,価格\nりんご,\"\\1,200\"\nみかん,\\980\n").0.into_owned()),
        ("t949.csv", encoding_rs::EUC_KR.encode("종류,값\n개,1\n고양이,2\n").0.into_owned()),
    ];
    #[cfg(feature = "parquet")]
    seeds.extend(crate::columnar::seeds());
    seeds
}

/// As rows to predict for are read, single images among them.
fn options() -> ReadOptions {
    let image_size = Some(ImageSize { height: 4, width: 4, channels: None });
    ReadOptions { image_size, ..ReadOptions::default() }
}

/// Reads a content: whatever comes of it, it takes bounded memory.
fn survives(name: &str, content: &[u8], how: impl Fn() -> String) {
    let options = ReadOptions { limit_bytes: LIMIT_BYTES, ..options() };
    let (outcome, bytes) = peak_bytes(|| read_from(name, content, &options).map(|_| ()));
    assert!(bytes <= MOST_BYTES, "{name}, {}: {bytes} bytes, {outcome:?}", how());
    if let Err(error) = outcome {
        assert!(!error.to_string().is_empty(), "{name}, {}", how());
    }
}

/// Numbers by a seed (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// A content with one change.
fn change(content: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let at = chance.below(content.len());
    let length = 1 + chance.below(16).min(content.len().saturating_sub(at + 1));
    match chance.below(8) {
        0 => content[at] ^= 1 << chance.below(8),
        1 => content[at] = [0, 1, 0x7f, 0x80, 0xfe, 0xff, b'"', b'\n', b',', b'{'][chance.below(10)],
        // A size or a count that is far too large, in either order of bytes.
        2 | 3 => {
            let sizes: [u64; 6] = [u64::MAX, i64::MAX as u64, 1 << 40, u64::from(u32::MAX), 1 << 31, 1 << 20];
            let size = sizes[chance.below(6)];
            let bytes = if chance.below(2) == 0 { size.to_le_bytes() } else { size.to_be_bytes() };
            let width = [2, 4, 8][chance.below(3)].min(content.len() - at);
            content[at..at + width].copy_from_slice(&bytes[..width]);
        }
        4 => {
            content.drain(at..(at + length).min(content.len()));
        }
        5 => {
            let part = content[at..(at + length).min(content.len())].to_vec();
            let times = 1 + chance.below(64);
            content.splice(at..at, part.repeat(times));
        }
        6 => {
            let from = chance.below(other.len());
            let part = other[from..(from + length).min(other.len())].to_vec();
            content.splice(at..at, part);
        }
        _ => {
            let last = content.len() - 1;
            content.swap(at, last - at.min(last));
        }
    }
    if content.is_empty() {
        content.push(0);
    }
}

#[test]
fn seeds_are_read_as_they_are() {
    for (name, content) in seeds() {
        // Images need a file with labels beside them.
        if name != "images" {
            let read = read_from(name, &content[..], &options());
            assert!(read.is_ok(), "{name}: {read:?}");
        }
    }
}

#[test]
fn files_cut_off_at_every_byte() {
    for (name, content) in seeds() {
        for length in 0..content.len() {
            survives(name, &content[..length], || format!("cut off after {length} bytes"));
        }
    }
}

#[test]
fn files_with_every_bit_turned() {
    for (name, content) in seeds() {
        let mut content = content;
        // All bits of the first and last kilobyte, where sizes stand, and each seventh of the others.
        let bits = content.len() * 8;
        for bit in (0..bits).filter(|bit| *bit < 8192 || bits - bit < 8192 || bit % 7 == 0) {
            content[bit / 8] ^= 1 << (bit % 8);
            survives(name, &content, || format!("bit {bit} turned"));
            content[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn files_changed_at_random() {
    let seeds = seeds();
    for (place, (name, content)) in seeds.iter().enumerate() {
        for seed in 0..CHANGES {
            let mut chance = Chance((place as u64) << 32 | seed);
            let mut changed = content.clone();
            let other = &seeds[chance.below(seeds.len())].1;
            for _ in 0..1 + chance.below(4) {
                change(&mut changed, other, &mut chance);
            }
            survives(name, &changed, || format!("change {seed}"));
        }
    }
}

fn refused(name: &str, content: &[u8], words: &[&str]) {
    let options = ReadOptions { limit_bytes: LIMIT_BYTES, ..ReadOptions::default() };
    let (outcome, bytes) = peak_bytes(|| read_from(name, content, &options));
    let message = outcome.unwrap_err().one_line();
    for word in words {
        assert!(message.contains(word), "{name}: `{word}` is not in: {message}");
    }
    assert!(bytes <= MOST_BYTES, "{name}: {bytes} bytes");
}

#[test]
fn bombs_end_at_the_limit() {
    let zeros = vec![b'0'; 64 << 20];
    for (name, packed) in [
        ("b.gz", gzip(&zeros)),
        ("b.bz2", bzip2(&zeros)),
        ("b.xz", xz(&zeros)),
        ("b.zst", zstandard(&zeros)),
        ("b.zip", zip(&[("b.csv", &zeros)])),
    ] {
        refused(name, &packed, &["larger than 1.0 MB"]);
    }
    // A row a column.
    let rows: String = (0..5000).map(|row| format!("{{\"k{row}\":1}}\n")).collect();
    refused("keys.jsonl", rows.as_bytes(), &["columns", "memory"]);
    let deep = 400_000;
    refused("deep.json", "[{\"a\":".repeat(deep / 6).as_bytes(), &["JSON"]);
    refused("deep.jsonl", "{\"a\":".repeat(deep / 5).as_bytes(), &["deep.jsonl"]);
    refused("deep.jsonl", format!("{{\"a\":{}", "[".repeat(deep)).as_bytes(), &["deep.jsonl"]);
}

#[test]
fn text_that_is_no_table() {
    // Each comma is a column, which takes memory of its own.
    let size = LIMIT_BYTES as usize / 8;
    for (name, content) in [
        ("commas", vec![b','; size]),
        ("quotes", vec![b'"'; size]),
        ("backslashes", b"\"\\".repeat(size / 2)),
        ("lines", vec![b'\n'; size]),
        ("returns", b"\r\n".repeat(size / 2)),
        ("one line", vec![b'x'; size]),
        ("spaces", vec![b' '; size]),
        ("zeros", vec![0; size]),
        ("no UTF-8", b"a,b\n\xff\xfe\xfd,\x80\n".repeat(size / 9)),
        ("digits", vec![b'9'; size]),
        ("signs", b"-,+,".repeat(size / 4)),
        ("dates", b"1/1/1,".repeat(size / 6)),
    ] {
        survives(name, &content, String::new);
    }
}
