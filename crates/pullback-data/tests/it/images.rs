//! Folders of images: classes, sizes, colors, and what is refused.

use pullback::data::{Bytes, Values};
use pullback_data::{ImageSize, Parts, ReadOptions, read};
use std::path::Path;
use tempfile::TempDir;

/// Half red, half blue, 24 by 16 pixels; and gray, 8 by 8, progressive. Both written by Pillow.
pub(crate) const COLORS: &[u8] = include_bytes!("two_colors.jpg");
const PROGRESSIVE: &[u8] = include_bytes!("gray_progressive.jpg");

pub(crate) fn png(width: u32, height: u32, color: png::ColorType, data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    file
}

fn gray(width: u32, height: u32, value: u8) -> Vec<u8> {
    png(width, height, png::ColorType::Grayscale, &vec![value; (width * height) as usize])
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn images(table: &pullback::data::Table) -> &Bytes {
    table.column("image").unwrap().bytes().expect("images")
}

fn labels(table: &pullback::data::Table) -> Vec<String> {
    let values = table.column("label").unwrap().values().unwrap();
    let Values::Categories(labels) = &*values else { panic!("no labels") };
    (0..labels.rows()).map(|row| labels.text(row).unwrap().to_owned()).collect()
}

fn read_folder(path: &Path, options: &ReadOptions) -> Result<Parts, String> {
    read(path, options).map_err(|error| error.one_line())
}

#[test]
fn a_folder_a_class() {
    let place = folder(&[
        ("cat/b.png", &gray(3, 2, 20)),
        ("cat/a.png", &gray(3, 2, 10)),
        ("cat/more/c.PNG", &gray(3, 2, 30)),
        ("dog/a.png", &gray(5, 5, 40)),
        ("dog/.DS_Store", b"x"),
        ("dog/notes.txt", b"x"),
        (".git/a.png", b"x"),
    ]);
    let parts = read_folder(place.path(), &ReadOptions::default()).unwrap();
    assert_eq!(labels(&parts.train), ["cat", "cat", "cat", "dog"]);
    assert_eq!(parts.train.target(), Some("label"));
    // The commonest size; what is of one gray stays so at any size.
    assert_eq!(images(&parts.train).shape(), [2, 3]);
    let firsts: Vec<u8> = (0..4).map(|row| images(&parts.train).row(row)[0]).collect();
    assert_eq!(firsts, [10, 20, 30, 40]);
    assert_eq!(images(&parts.train).row(3), [40; 6]);
    assert!(parts.notes.iter().all(|note| !note.kind.is_warning()), "{:?}", parts.notes);
    for threads in [2, 3, 9] {
        let options = ReadOptions { threads, ..ReadOptions::default() };
        assert_eq!(read_folder(place.path(), &options).unwrap().train, parts.train);
    }
}

#[test]
fn sizes() {
    let place = folder(&[("a/1.png", &gray(200, 100, 1)), ("b/1.png", &gray(200, 100, 2))]);
    let shape = |size: Option<ImageSize>| {
        let options = ReadOptions { image_size: size, ..ReadOptions::default() };
        images(&read_folder(place.path(), &options).unwrap().train).shape().to_vec()
    };
    assert_eq!(shape(None), [32, 64]);
    assert_eq!(shape(Some(ImageSize { height: 7, width: 5, channels: None })), [7, 5]);
    assert_eq!(shape(Some(ImageSize { height: 7, width: 5, channels: Some(3) })), [7, 5, 3]);
    let options = ReadOptions { limit_bytes: 1000, ..ReadOptions::default() };
    let message = read_folder(place.path(), &options).unwrap_err();
    assert!(message.contains("--image-size"), "{message}");
}

#[test]
fn an_image_is_scaled_as_by_pillow() {
    // Image.resize(size, Image.BILINEAR) of Pillow 12, which rounds between its two passes.
    let data: Vec<u8> = (0..7 * 10 * 3u32).map(|at| (at * at * 37 + at * 11 + 5) as u8).collect();
    let image = png(10, 7, png::ColorType::Rgb, &data);
    let place = folder(&[("a/1.png", &image), ("b/1.png", &image)]);
    for (height, width, last) in [
        (4, 3, [115, 108, 122, 112, 124, 132, 127, 138, 144, 161, 145, 113]),
        (15, 11, [198, 39, 210, 206, 74, 156, 165, 200, 53, 239, 245, 69]),
    ] {
        let options = ReadOptions {
            image_size: Some(ImageSize { height, width, channels: None }),
            ..ReadOptions::default()
        };
        let parts = read_folder(place.path(), &options).unwrap();
        let row = images(&parts.train).row(0);
        for (found, expected) in row[row.len() - 12..].iter().zip(last) {
            assert!(found.abs_diff(expected) <= 1, "{height} by {width}: {found}, not {expected}");
        }
    }
}

#[test]
fn colors_and_transparency() {
    let color = png(1, 1, png::ColorType::Rgb, &[200, 30, 40]);
    let place = folder(&[("a/1.png", &color), ("b/1.png", &gray(1, 1, 7))]);
    let parts = read_folder(place.path(), &ReadOptions::default()).unwrap();
    assert_eq!(images(&parts.train).shape(), [1, 1, 3]);
    assert_eq!(
        (images(&parts.train).row(0), images(&parts.train).row(1)),
        (&[200, 30, 40][..], &[7, 7, 7][..])
    );
    // Gray that is stored as color is gray; half transparent black is gray, wholly transparent is white.
    let clear = png(2, 1, png::ColorType::Rgba, &[0, 0, 0, 0, 0, 0, 0, 128]);
    let both = png(2, 1, png::ColorType::GrayscaleAlpha, &[0, 255, 50, 0]);
    let place = folder(&[("a/1.png", &clear), ("b/1.png", &both)]);
    let parts = read_folder(place.path(), &ReadOptions::default()).unwrap();
    assert_eq!(images(&parts.train).shape(), [1, 2]);
    assert_eq!((images(&parts.train).row(0), images(&parts.train).row(1)), (&[255, 127][..], &[0, 255][..]));
}

#[test]
fn jpeg() {
    let place = folder(&[("a/1.jpg", COLORS), ("a/2.JPEG", COLORS), ("b/1.jpg", PROGRESSIVE)]);
    let parts = read_folder(place.path(), &ReadOptions::default()).unwrap();
    let all = images(&parts.train);
    assert_eq!(all.shape(), [16, 24, 3]);
    let near = |found: &[u8], expected: [u8; 3]| {
        assert!(
            found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) < 12),
            "{found:?}"
        );
    };
    near(&all.row(0)[..3], [200, 30, 40]);
    near(&all.row(1)[23 * 3..24 * 3], [20, 60, 220]);
    near(&all.row(2)[..3], [82, 82, 82]);
}

#[test]
fn folders_for_training_and_for_testing() {
    let place = folder(&[
        ("train/a/1.png", &gray(2, 2, 1)),
        ("train/b/1.png", &gray(2, 2, 2)),
        ("test/a/1.png", &gray(9, 9, 3)),
    ]);
    let parts = read_folder(place.path(), &ReadOptions::default()).unwrap();
    assert_eq!(labels(&parts.train), ["a", "b"]);
    let test = parts.test.unwrap();
    assert_eq!((labels(&test), images(&test).shape()), (vec!["a".to_owned()], &[2, 2][..]));
}

#[test]
fn what_is_no_image_is_refused_by_name_or_counted() {
    let half = &COLORS[..100];
    let place = folder(&[("a/1.png", &gray(2, 2, 1)), ("b/1.png", &gray(2, 2, 2)), ("b/broken.jpg", half)]);
    let message = read_folder(place.path(), &ReadOptions::default()).unwrap_err();
    assert!(message.contains("broken.jpg") && message.contains("--skip-bad-rows"), "{message}");
    let options = ReadOptions { skips_bad_rows: true, ..ReadOptions::default() };
    let parts = read_folder(place.path(), &options).unwrap();
    assert_eq!(labels(&parts.train), ["a", "b"]);
    let warning = parts.notes.iter().find(|note| note.kind.is_warning()).unwrap();
    assert!(warning.count == 1 && warning.words.contains("broken.jpg"), "{warning}");
    // Other formats are left out with a warning, text under a wrong name is damage.
    let place = folder(&[("a/1.png", &gray(2, 2, 1)), ("a/2.webp", b"RIFF"), ("b/1.png", b"no image")]);
    let message = read_folder(place.path(), &ReadOptions::default()).unwrap_err();
    assert!(message.contains("1.png") && message.contains("neither PNG nor JPEG"), "{message}");
    let place = folder(&[("a/1.png", &gray(2, 2, 1)), ("a/2.webp", b"RIFF"), ("3.png", &gray(2, 2, 1))]);
    let parts = read_folder(place.path(), &ReadOptions::default()).unwrap();
    let warnings: Vec<&str> =
        parts.notes.iter().filter(|note| note.kind.is_warning()).map(|note| &*note.words).collect();
    assert!(warnings.len() == 2 && warnings[0].contains("2.webp"), "{warnings:?}");
    // A header that tells of more than there is.
    let mut large = gray(2, 2, 1);
    large[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let place = folder(&[("a/1.png", &large)]);
    let message = read_folder(place.path(), &ReadOptions::default()).unwrap_err();
    assert!(message.contains("65536 by 65536"), "{message}");
}

#[test]
fn images_to_predict_for() {
    let known = ReadOptions {
        image_size: Some(ImageSize { height: 2, width: 2, channels: Some(1) }),
        ..ReadOptions::default()
    };
    let place = folder(&[("1.png", &gray(4, 4, 9)), ("2.jpg", COLORS)]);
    let parts = read_folder(place.path(), &known).unwrap();
    assert_eq!((images(&parts.train).shape(), parts.train.rows()), (&[2, 2][..], 2));
    let values = parts.train.column("file").unwrap().values().unwrap();
    let Values::Categories(files) = &*values else { panic!("no files") };
    assert_eq!((files.text(0), files.text(1)), (Some("1.png"), Some("2.jpg")));
    let one = read_folder(&place.path().join("1.png"), &known).unwrap().train;
    assert_eq!(images(&one).row(0), [9; 4]);
    // To train on, classes are needed.
    for path in [place.path().to_owned(), place.path().join("1.png")] {
        let message = read_folder(&path, &ReadOptions::default()).unwrap_err();
        assert!(message.contains("class"), "{message}");
    }
    let empty = folder(&[("a/1.txt", b"x")]);
    let message = read_folder(empty.path(), &ReadOptions::default()).unwrap_err();
    assert!(message.contains("without images"), "{message}");
}

#[test]
fn images_stand_as_the_camera_says() {
    // The same pixels with a note of each orientation, in both byte orders: EXIF 2.3, tag 0x0112.
    let noted = |orientation: u8, is_big: bool| {
        let tiff = match is_big {
            true => {
                [&b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation, 0, 0, 0, 0, 0, 0]]
                    .concat()
            }
            false => {
                [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[orientation, 0, 0, 0, 0, 0, 0, 0]]
                    .concat()
            }
        };
        let segment = [b"Exif\0\0", &tiff[..]].concat();
        let length = (segment.len() as u16 + 2).to_be_bytes();
        [&COLORS[..2], &[0xff, 0xe1], &length, &segment, &COLORS[2..]].concat()
    };
    // Red at the left, blue at the right; where red is then, as PIL.ImageOps.exif_transpose turns it.
    for (orientation, size, red) in [
        (1, (16, 24), "left"),
        (2, (16, 24), "right"),
        (3, (16, 24), "right"),
        (4, (16, 24), "left"),
        (5, (24, 16), "top"),
        (6, (24, 16), "top"),
        (7, (24, 16), "bottom"),
        (8, (24, 16), "bottom"),
        (9, (16, 24), "left"),
    ] {
        for is_big in [true, false] {
            let image = noted(orientation, is_big);
            let place = folder(&[("a/1.jpg", &image), ("b/1.jpg", &image)]);
            let parts = read_folder(place.path(), &ReadOptions::default()).unwrap();
            let images = images(&parts.train);
            assert_eq!(images.shape(), [size.0, size.1, 3], "{orientation}");
            let is_red = |y: usize, x: usize| {
                let pixel = &images.row(0)[(y * size.1 + x) * 3..][..3];
                pixel[0] > 150 && pixel[2] < 100
            };
            let (middle, across) = (size.0 / 2, size.1 / 2);
            let found = [
                is_red(middle, 1),
                is_red(middle, size.1 - 2),
                is_red(1, across),
                is_red(size.0 - 2, across),
            ];
            let at = found.iter().position(|is_red| *is_red).map(|at| ["left", "right", "top", "bottom"][at]);
            let sides = if size == (16, 24) { &found[..2] } else { &found[2..] };
            assert_eq!(sides.iter().filter(|is_red| **is_red).count(), 1, "{orientation} {found:?}");
            let at = if size == (16, 24) { at } else { Some(if found[2] { "top" } else { "bottom" }) };
            assert_eq!(at, Some(red), "{orientation} {is_big}");
        }
    }
}

#[test]
fn classes_in_folders_within_a_folder() {
    let image = gray(3, 2, 20);
    for names in [["train/cat/a.png", "train/dog/a.png"], ["data/set/cat/a.png", "data/set/dog/a.png"]] {
        let place = folder(&[(names[0], &image), (names[1], &image)]);
        let parts = read_folder(place.path(), &ReadOptions::default()).unwrap();
        assert_eq!(labels(&parts.train), ["cat", "dog"], "{names:?}");
    }
    let parts = ["set/train/cat/a.png", "set/train/dog/a.png", "set/test/cat/a.png", "set/test/dog/a.png"];
    let place = folder(&parts.map(|name| (name, &image[..])));
    let read = read_folder(place.path(), &ReadOptions::default()).unwrap();
    assert_eq!((read.train.rows(), read.test.map(|test| test.rows())), (2, Some(2)));
}

#[test]
fn an_archive_of_images_is_read_as_the_folder_is() {
    let (one, other, wide, text) = (gray(3, 2, 10), gray(3, 2, 20), gray(5, 5, 40), b"x".to_vec());
    for files in [
        vec![
            ("cat/b.png", &one),
            ("cat/a.png", &other),
            ("cat/more/c.PNG", &one),
            ("dog/a.png", &wide),
            ("dog/notes.txt", &text),
        ],
        vec![
            ("pets/readme.txt", &text),
            ("pets/dog/a.png", &wide),
            ("pets/cat/b.png", &one),
            ("__MACOSX/pets/cat/._b.png", &text),
        ],
        vec![
            ("set/train/cat/1.png", &one),
            ("set/train/dog/1.png", &other),
            ("set/test/dog/2.png", &wide),
            ("set/test/dog/3.gif", &text),
        ],
        vec![("labels.csv", &text), ("cat/b.png", &one), ("dog/a.png", &other)],
    ] {
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(name, content)| (*name, content.as_slice())).collect();
        let place = folder(&files);
        let archive = folder(&[("t.zip", &crate::formats::zip(&files))]);
        let expected = read_folder(place.path(), &ReadOptions::default()).unwrap();
        for threads in [1, 3] {
            let options = ReadOptions { threads, ..ReadOptions::default() };
            let found = read_folder(&archive.path().join("t.zip"), &options).unwrap();
            let tables =
                [(Some(&found.train), Some(&expected.train)), (found.test.as_ref(), expected.test.as_ref())];
            for (found, expected) in tables {
                assert_eq!(found.is_some(), expected.is_some(), "{files:?}");
                let (Some(found), Some(expected)) = (found, expected) else { continue };
                assert_eq!(labels(found), labels(expected));
                assert_eq!(images(found), images(expected));
                assert_eq!(found.target(), Some("label"));
            }
            assert_eq!(found.notes.len(), expected.notes.len(), "{:?}", found.notes);
        }
    }
    // Without classes it is refused with what to do, but to predict for.
    let archive = folder(&[("t.zip", &crate::formats::zip(&[("1.png", &one), ("2.png", &other)]))]);
    let message = read_folder(&archive.path().join("t.zip"), &ReadOptions::default()).unwrap_err();
    assert!(message.contains("images without classes") && message.contains("into a folder"), "{message}");
    let size = ImageSize { height: 2, width: 3, channels: Some(1) };
    let options = ReadOptions { image_size: Some(size), ..ReadOptions::default() };
    let parts = read_folder(&archive.path().join("t.zip"), &options).unwrap();
    assert_eq!(parts.train.column("file").unwrap().values().unwrap().rows(), 2);
    // A table beside pictures is the table.
    let files: &[(&str, &[u8])] =
        &[("t.csv", b"a,y\n1,2\n3,4\n"), ("pictures/1.png", &one), ("pictures/2.png", &one)];
    let archive = folder(&[("t.zip", &crate::formats::zip(files))]);
    let parts = read_folder(&archive.path().join("t.zip"), &ReadOptions::default()).unwrap();
    assert_eq!(parts.train.names().collect::<Vec<_>>(), ["a", "y"]);
    // A damaged one is refused by its name.
    let files: &[(&str, &[u8])] = &[("cat/1.png", &one[..40]), ("dog/2.png", &one)];
    let archive = folder(&[("t.zip", &crate::formats::zip(files))]);
    let message = read_folder(&archive.path().join("t.zip"), &ReadOptions::default()).unwrap_err();
    assert!(message.contains("cat/1.png") && message.contains("damaged"), "{message}");
}
