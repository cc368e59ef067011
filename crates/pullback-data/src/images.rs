//! Folders of PNG and JPEG images, one folder a class, and zip archives of such; and single images, to predict for.
//!
//! - A folder's subfolders are the classes; images are found in them at any depth, in order of their paths. Subfolders
//!   `train` and `test` (or `val`) with classes in them are rows to train and to test on.
//! - All images become one size: the one that a caller names, else the commonest of them, made smaller, in its
//!   proportions, until no side is above [`LARGEST_SIDE`]. An image of another size is scaled to it, whatever its
//!   proportions, each new pixel an average of those that it covers.
//! - A JPEG stands as its camera's note says (the orientation in its EXIF data).
//! - They have one channel, gray, if no image has a color; else three. What is transparent stands on white.
//! - A header is believed only up to [`LARGEST_PIXELS`]. A damaged image is refused by its name, or counted.

use crate::container::{Entry, entries, has_table, is_hidden, unpack_entry};
use crate::guard::guarded;
use crate::malformed;
use crate::note::{Note, NoteKind, counted, quoted};
use crate::sniff::{Parts, ReadOptions};
use pullback::data::{Bytes, Categories, Column, Table, Values};
use pullback::error::{Error, Place, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::thread;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Unless a size is named, images are made smaller until no side is above this.
const LARGEST_SIDE: usize = 64;
/// An image of more pixels is refused.
const LARGEST_PIXELS: usize = 1 << 26;
/// An image file of more bytes is refused.
const LARGEST_FILE: u64 = 1 << 29;
/// So far apart the channels of a gray pixel may be: JPEG rounds.
const GRAY: u8 = 8;
/// Folders in folders, so deep.
const DEEPEST: usize = 8;
const CHANNELS: usize = 3;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";
/// The endings of names that the reader of a folder takes for images, in small letters.
pub const ENDINGS: &[&str] = &["png", "jpg", "jpeg", "jpe", "jfif"];
const OTHER_ENDINGS: &[&str] = &["gif", "bmp", "tif", "tiff", "webp", "heic", "avif", "ppm", "pgm", "tga"];

/// The size that images are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// In pixels.
    pub height: usize,
    /// In pixels.
    pub width: usize,
    /// 1 for gray, 3 for red, green and blue; [`None`] where the images tell.
    pub channels: Option<usize>,
}

/// Whether a content begins like an image.
pub(crate) fn is_image(content: &[u8]) -> bool {
    content.starts_with(PNG) || content.starts_with(JPEG)
}

/// A file, and the class that it is of.
struct File<'a> {
    path: PathBuf,
    class: Option<String>,
    /// In an archive.
    packed: Option<Packed<'a>>,
}

/// A file in the bytes of an archive at a path.
#[derive(Clone)]
struct Packed<'a> {
    archive: (&'a Path, &'a [u8]),
    entry: Entry,
}

/// What a folder holds.
#[derive(Default)]
struct Found<'a> {
    files: Vec<File<'a>>,
    others: Vec<String>,
}

/// Reads a folder of images; [`None`] if it holds none.
pub(crate) fn read_folder(folder: &Path, options: &ReadOptions) -> Result<Option<Parts>> {
    let root = within(folder)?;
    let part = |names: &[&str]| names.iter().map(|name| root.join(name)).find(|part| part.is_dir());
    let (train, test) = match (part(&["train", "training"]), part(&["test", "val", "valid", "validation"])) {
        (Some(train), Some(test)) => (train, Some(test)),
        _ => (root, None),
    };
    let found = find(&train)?;
    if found.files.is_empty() {
        return Ok(None);
    }
    let test = test.map(|test| find(&test).map(|found| (found, test))).transpose()?;
    tables(folder, found, test, options).map(Some)
}

/// The tables of the images to train and to test on, which stand in folders of their own.
fn tables(
    folder: &Path,
    found: Found<'_>,
    test: Option<(Found<'_>, PathBuf)>,
    options: &ReadOptions,
) -> Result<Parts> {
    let mut notes = Vec::new();
    let size = match options.image_size {
        Some(size) => size,
        None => common_size(&found.files),
    };
    let train = table(folder, found, size, options, &mut notes)?;
    let shape = train.columns()[0].bytes().map_or(Vec::new(), |images| images.shape().to_vec());
    let size = ImageSize { channels: Some(shape.get(2).copied().unwrap_or(1)), ..size };
    let test = match test {
        Some((found, test)) => Some(table(&test, found, size, options, &mut notes)?),
        None => None,
    };
    Ok(Parts { train, test, notes })
}

/// Reads the images of a zip archive as if it was unpacked; [`None`] if it holds none, or if it holds a table and its
/// images are of no two classes.
pub(crate) fn read_archive(path: &Path, content: &[u8], options: &ReadOptions) -> Result<Option<Parts>> {
    let entries = entries(path, content)?;
    let is_document = |entry: &Entry| matches!(&*entry.name, "[Content_Types].xml" | "mimetype");
    if entries.iter().any(is_document) {
        return Ok(None);
    }
    let parts_of =
        |entry: &Entry| -> Vec<String> { entry.name.split(['/', '\\']).map(str::to_owned).collect() };
    let shown = entries.into_iter().filter(|entry| !is_hidden(&entry.name));
    let mut images: Vec<(Vec<String>, Entry)> = shown
        .map(|entry| (parts_of(&entry), entry))
        .filter(|(parts, _)| parts.last().is_some_and(|name| is_named_image(Path::new(name))))
        .collect();
    images.sort_by(|left, right| left.0.cmp(&right.0));
    // A folder that holds nothing but another one, which holds folders alone.
    while let Some(first) = images.first().map(|(parts, _)| parts[0].clone()) {
        if !images.iter().all(|(parts, _)| parts.len() > 2 && parts[0] == first) {
            break;
        }
        images.iter_mut().for_each(|(parts, _)| drop(parts.remove(0)));
    }
    let part = |names: &[&str]| {
        let found =
            names.iter().find(|name| images.iter().any(|(parts, _)| parts.len() > 1 && parts[0] == **name));
        found.map(|name| (*name).to_owned())
    };
    let halves = part(&["train", "training"]).zip(part(&["test", "val", "valid", "validation"]));
    let found = |half: Option<&String>| {
        let mut found = Found::default();
        for (parts, entry) in &images {
            let parts = match half {
                Some(half) if *half == parts[0] => &parts[1..],
                Some(_) => continue,
                None => parts,
            };
            let [folders @ .., name] = parts else { continue };
            match is_read(Path::new(name)) {
                true => found.files.push(File {
                    path: path.join(&entry.name),
                    class: folders.first().cloned(),
                    packed: Some(Packed { archive: (path, content), entry: entry.clone() }),
                }),
                false => found.others.push(name.clone()),
            }
        }
        found
    };
    let train = found(halves.as_ref().map(|(train, _)| train));
    let classes: BTreeSet<&String> = train.files.iter().filter_map(|file| file.class.as_ref()).collect();
    if train.files.is_empty() || classes.len() < 2 && has_table(path, content)? {
        return Ok(None);
    }
    drop(classes);
    let test = halves.as_ref().map(|(_, test)| (found(Some(test)), path.join(test)));
    tables(path, train, test, options).map(Some)
}

/// The folder that holds the classes or the parts: of a folder that holds nothing but another one, which holds folders
/// alone, that one.
fn within(folder: &Path) -> Result<PathBuf> {
    let visible = |folder: &Path| -> Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(|cause| Error::io(folder, cause))? {
            let path = entry.map_err(|cause| Error::io(folder, cause))?.path();
            let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
            if path.is_dir() && !name.starts_with('.') && name != "__MACOSX" || is_named_image(&path) {
                paths.push(path);
            }
        }
        Ok(paths)
    };
    let mut folder = folder.to_owned();
    for _ in 0..DEEPEST {
        let [only] = &visible(&folder)?[..] else { break };
        if !only.is_dir() {
            break;
        }
        let inner = visible(only)?;
        if inner.len() < 2 && !inner.iter().any(|path| path.is_dir())
            || inner.iter().any(|path| !path.is_dir())
        {
            break;
        }
        folder = only.clone();
    }
    Ok(folder)
}

/// Whether a file's name is that of an image.
fn is_named_image(path: &Path) -> bool {
    is_read(path) || OTHER_ENDINGS.contains(&ending(path).as_str())
}

/// Whether a file's name is that of an image that is read.
fn is_read(path: &Path) -> bool {
    ENDINGS.contains(&ending(path).as_str())
}

fn ending(path: &Path) -> String {
    path.extension().map_or(String::new(), |ending| ending.to_string_lossy().to_lowercase())
}

/// Reads a single image, to predict for.
pub(crate) fn read_image(path: &Path, content: &[u8], options: &ReadOptions) -> Result<Table> {
    let Some(size) = options.image_size else {
        return Err(malformed(
            Place::file(path),
            "a single PNG or JPEG image, which is no data to train on",
            "give a folder that holds a folder of images for each class",
        ));
    };
    let pixels = decoded(path, content, options.limit_bytes)?.scaled(size.height, size.width);
    let images = bytes(pixels, size)?;
    let file = Categories::from_texts([Some(path.display().to_string())]);
    let columns =
        vec![Column::new("image", Values::Bytes(images)), Column::new("file", Values::Categories(file))];
    Table::new(path.display().to_string(), columns)
}

/// The images under a folder, in order of their paths.
fn find(folder: &Path) -> Result<Found<'static>> {
    let mut found = Found::default();
    search(folder, None, DEEPEST, &mut found)?;
    Ok(found)
}

fn search(folder: &Path, class: Option<&str>, deeper: usize, found: &mut Found<'_>) -> Result<()> {
    let refused = |cause| Error::io(folder, cause);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        paths.push(entry.map_err(refused)?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
        if name.starts_with('.') || name == "__MACOSX" {
            continue;
        }
        if path.is_dir() {
            if let Some(deeper) = deeper.checked_sub(1) {
                search(&path, Some(class.unwrap_or(&name)), deeper, found)?;
            }
            continue;
        }
        if is_read(&path) {
            found.files.push(File { path, class: class.map(str::to_owned), packed: None });
        } else if is_named_image(&path) {
            found.others.push(name);
        }
    }
    Ok(())
}

/// The table of the images that were found.
fn table(
    folder: &Path,
    found: Found<'_>,
    size: ImageSize,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    let Found { files, others } = found;
    if !others.is_empty() {
        notes.push(
            Note::new(
                NoteKind::BadRows,
                others.len(),
                format!(
                    "{} left out that are neither PNG nor JPEG: {}",
                    counted(others.len(), "image"),
                    quoted(others.iter().map(String::as_str), 3)
                ),
            )
            .at(folder.display().to_string()),
        );
    }
    // Images beside the classes are of none: of a model's own kind only where there are no classes at all.
    let has_classes = files.iter().any(|file| file.class.is_some());
    let (files, beside): (Vec<File<'_>>, Vec<File<'_>>) =
        files.into_iter().partition(|file| file.class.is_some() == has_classes);
    if !beside.is_empty() {
        notes.push(
            Note::new(
                NoteKind::BadRows,
                beside.len(),
                format!("{} beside the folders of the classes left out", counted(beside.len(), "image")),
            )
            .at(folder.display().to_string()),
        );
    }
    if !has_classes && size.channels.is_none() {
        return Err(malformed(
            Place::file(folder),
            "images without classes: they stand in the folder itself",
            "put the images of each class into a folder with its name",
        ));
    }
    let taken = (files.len() as u64).saturating_mul((size.height * size.width * CHANNELS) as u64);
    if taken > options.limit_bytes {
        return Err(malformed(
            Place::file(folder),
            format!(
                "{} images of {} by {} pixels take {taken} bytes, more than the {} that may be read",
                files.len(),
                size.height,
                size.width,
                options.limit_bytes
            ),
            "name a smaller size, for example `--image-size 32`",
        ));
    }
    let mut pixels = Vec::with_capacity(taken as usize);
    let (mut labels, mut paths, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    for (file, image) in files.iter().zip(decode_all(&files, size, options)) {
        match image {
            Ok(own) => {
                pixels.extend(own);
                labels.push(file.class.as_deref());
                paths.push(Some(file.path.strip_prefix(folder).unwrap_or(&file.path).display().to_string()));
            }
            Err(_) if options.skips_bad_rows => bad.push(file.path.display().to_string()),
            Err(error) => return Err(error),
        }
    }
    if !bad.is_empty() {
        notes.push(
            Note::new(
                NoteKind::BadRows,
                bad.len(),
                format!(
                    "{} left out: {}",
                    counted(bad.len(), "damaged image"),
                    quoted(bad.iter().map(String::as_str), 3)
                ),
            )
            .at(folder.display().to_string()),
        );
    }
    if labels.is_empty() {
        return Err(malformed(Place::file(folder), "there are no images", "give a folder with at least one"));
    }
    let images = bytes(pixels, size)?;
    let shape: Vec<String> = images.shape().iter().map(usize::to_string).collect();
    notes.push(
        Note::new(
            NoteKind::Container,
            labels.len(),
            format!(
                "{} of {} by {} pixels, {}; `--image-size` names another size",
                counted(labels.len(), "image"),
                shape[0],
                shape[1],
                if shape.len() == 2 { "gray" } else { "in color" }
            ),
        )
        .at(folder.display().to_string()),
    );
    let mut columns = vec![Column::new("image", Values::Bytes(images)).with_reason("images in a folder")];
    // Paths tell a new row from another; in training they would only be left out again.
    if size.channels.is_some() {
        columns.push(
            Column::new("file", Values::Categories(Categories::from_texts(paths)))
                .with_reason("where an image stands"),
        );
    }
    if !has_classes {
        return Table::new(folder.display().to_string(), columns);
    }
    columns.push(
        Column::new("label", Values::Categories(Categories::from_texts(labels)))
            .with_reason("the folder that an image stands in"),
    );
    Table::new(folder.display().to_string(), columns)?.with_target("label")
}

/// Blocks of pixels of three channels, or of one if they are gray or should be.
fn bytes(pixels: Vec<u8>, size: ImageSize) -> Result<Bytes> {
    let (all, _) = pixels.as_chunks::<CHANNELS>();
    let is_gray =
        |&[red, green, blue]: &[u8; CHANNELS]| red.max(green).max(blue) - red.min(green).min(blue) <= GRAY;
    let channels = size.channels.unwrap_or_else(|| if all.iter().all(is_gray) { 1 } else { CHANNELS });
    if channels == CHANNELS {
        return Bytes::new(pixels, vec![size.height, size.width, CHANNELS], u8::MAX);
    }
    // What is seen as bright as the color (Rec. ITU-R BT.601).
    let gray = all.iter().map(|&[red, green, blue]| {
        ((299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500) / 1000) as u8
    });
    Bytes::new(gray.collect(), vec![size.height, size.width], u8::MAX)
}

/// Every image, decoded and scaled, in the order of the files.
fn decode_all(files: &[File<'_>], size: ImageSize, options: &ReadOptions) -> Vec<Result<Vec<u8>>> {
    let decode = |file: &File<'_>| {
        let content = content(file)?;
        Ok(decoded(&file.path, &content, options.limit_bytes)?.scaled(size.height, size.width))
    };
    let each = files.len().div_ceil(options.threads.max(1)).max(1);
    let parts: Vec<&[File<'_>]> = files.chunks(each).collect();
    let Some((first, rest)) = parts.split_first() else { return Vec::new() };
    thread::scope(|scope| {
        let workers: Vec<_> = rest
            .iter()
            .map(|part| {
                let work = || part.iter().map(decode).collect::<Vec<_>>();
                (part, thread::Builder::new().spawn_scoped(scope, work).ok())
            })
            .collect();
        let mut all: Vec<_> = first.iter().map(decode).collect();
        for (part, worker) in workers {
            match worker {
                Some(worker) => all.extend(worker.join().expect("decoding ends in pixels or an error")),
                // Where the system gives no thread, this one decodes.
                None => all.extend(part.iter().map(decode)),
            }
        }
        all
    })
}

fn content(file: &File<'_>) -> Result<Vec<u8>> {
    if let Some(Packed { archive: (path, content), entry }) = &file.packed {
        return unpack_entry(path, content, entry, LARGEST_FILE);
    }
    let path = file.path.as_path();
    let size = fs::metadata(path).map_err(|cause| Error::io(path, cause))?.len();
    if size > LARGEST_FILE {
        return Err(malformed(Place::file(path), "an image file of more than 512 MB", "leave it out"));
    }
    fs::read(path).map_err(|cause| Error::io(path, cause))
}

/// The commonest size of the images, made smaller until no side is above [`LARGEST_SIDE`]; of equally common ones the
/// smallest. What cannot be read is left to the decoder.
fn common_size(files: &[File<'_>]) -> ImageSize {
    let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for file in files {
        let told = |content: Vec<u8>| {
            let (height, width) = told_size(&content)?;
            let is_turned = orientation(&content).is_some_and(|orientation| orientation > 4);
            Some(if is_turned { (width, height) } else { (height, width) })
        };
        if let Some(size) = content(file).ok().and_then(told) {
            *counts.entry(size).or_default() += 1;
        }
    }
    let common = counts.into_iter().rev().max_by_key(|&(_, count)| count);
    let (height, width) = common.map_or((LARGEST_SIDE, LARGEST_SIDE), |(size, _)| size);
    let longest = height.max(width);
    let side = |side: usize| match longest > LARGEST_SIDE {
        true => ((side * LARGEST_SIDE + longest / 2) / longest).max(1),
        false => side,
    };
    ImageSize { height: side(height), width: side(width), channels: None }
}

/// The height and width that an image's header tells.
fn told_size(content: &[u8]) -> Option<(usize, usize)> {
    let big = |at: usize, length: usize| {
        let bytes = content.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().fold(0usize, |number, &byte| number << 8 | usize::from(byte)))
    };
    let size = if content.starts_with(PNG) {
        (big(20, 4)?, big(16, 4)?)
    } else {
        let mut at = 2;
        loop {
            let marker = big(at, 2)?;
            match marker {
                0xffff => at += 1,
                // Frames: what C4, C8 and CC say is something else.
                0xffc0..=0xffcf if !matches!(marker, 0xffc4 | 0xffc8 | 0xffcc) => {
                    break (big(at + 5, 2)?, big(at + 7, 2)?);
                }
                0xff01 | 0xffd0..=0xffd9 => at += 2,
                0xff02.. => at += 2 + big(at + 2, 2)?,
                _ => return None,
            }
        }
    };
    (size.0 > 0 && size.1 > 0).then_some(size)
}

/// An image of three channels.
struct Image {
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

/// The pixels of an image file.
fn decoded(path: &Path, content: &[u8], limit_bytes: u64) -> Result<Image> {
    let largest = LARGEST_PIXELS.min((limit_bytes / CHANNELS as u64) as usize);
    let damaged = |why: &dyn std::fmt::Display| {
        malformed(
            Place::file(path),
            format!("the image is damaged: {}", crate::note::short_to(&why.to_string(), 120)),
            "replace or remove it; `--skip-bad-rows` leaves damaged images out and counts them",
        )
    };
    if !is_image(content) {
        return Err(damaged(&"it is neither PNG nor JPEG, whatever its name says"));
    }
    let (height, width) = told_size(content).ok_or_else(|| damaged(&"it does not tell its size"))?;
    if height.saturating_mul(width) > largest {
        return Err(malformed(
            Place::file(path),
            format!("an image of {width} by {height} pixels, more than {largest} in all"),
            "make it smaller, or leave it out",
        ));
    }
    let image = guarded(path, "image", || match content.starts_with(PNG) {
        true => png(content, largest).map_err(|why| damaged(&why)),
        false => jpeg(content, largest).map_err(|why| damaged(&why)),
    })?;
    if image.pixels.len() != image.height * image.width * CHANNELS || image.pixels.is_empty() {
        return Err(damaged(&"it has other pixels than its header tells"));
    }
    Ok(image)
}

fn png(content: &[u8], largest: usize) -> Result<Image, png::DecodingError> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(content), png::Limits { bytes: largest * 8 });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info()?;
    let size = reader.output_buffer_size().filter(|&size| size <= largest * 4);
    let mut pixels = vec![0; size.ok_or(png::DecodingError::LimitsExceeded)?];
    let frame = reader.next_frame(&mut pixels)?;
    pixels.truncate(frame.buffer_size());
    // What is transparent shows white paper.
    let over_white = |value: u8, alpha: u8| {
        ((u32::from(value) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127) / 255) as u8
    };
    let pixels = match frame.color_type {
        png::ColorType::Rgb => pixels,
        png::ColorType::Rgba => (pixels.as_chunks::<4>().0.iter())
            .flat_map(|&[red, green, blue, alpha]| [red, green, blue].map(|value| over_white(value, alpha)))
            .collect(),
        png::ColorType::GrayscaleAlpha => (pixels.as_chunks::<2>().0.iter())
            .flat_map(|&[gray, alpha]| [over_white(gray, alpha); CHANNELS])
            .collect(),
        _ => pixels.iter().flat_map(|&gray| [gray; CHANNELS]).collect(),
    };
    Ok(Image { height: frame.height as usize, width: frame.width as usize, pixels })
}

fn jpeg(content: &[u8], largest: usize) -> Result<Image, zune_jpeg::errors::DecodeErrors> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(largest)
        .set_max_height(largest);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(content), options);
    let pixels = decoder.decode()?;
    let info = decoder.info().map_or((0, 0), |info| (usize::from(info.height), usize::from(info.width)));
    Ok(Image { height: info.0, width: info.1, pixels }.upright(orientation(content).unwrap_or(1)))
}

/// How a JPEG's pixels lie, as its EXIF data say (EXIF 2.3, tag 0x0112): 1 is upright; from 5 on, rows are columns.
fn orientation(content: &[u8]) -> Option<u16> {
    const TAG: u16 = 0x0112;
    if !content.starts_with(JPEG) {
        return None;
    }
    let mut at = 2;
    let segment = loop {
        let [0xff, marker, high, low] = *content.get(at..at + 4)? else { return None };
        // The pixels begin: no note stands before them.
        if marker == 0xda || marker == 0xd9 {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = content.get(at + 4..(at + 2).checked_add(length)?)?;
        match segment.strip_prefix(b"Exif\0\0") {
            Some(tiff) if marker == 0xe1 => break tiff,
            _ => at += 2 + length.max(2),
        }
    };
    let is_big = segment.starts_with(b"MM");
    let two = |at: usize| {
        let bytes: [u8; 2] = segment.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let four = |at: usize| {
        let bytes: [u8; 4] = segment.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) } as usize)
    };
    let directory = four(4)?;
    let entries = usize::from(two(directory)?);
    let entry = (0..entries).map(|entry| directory.saturating_add(2 + 12 * entry));
    let found = entry.take_while(|at| two(*at).is_some()).find(|at| two(*at) == Some(TAG))?;
    two(found + 8).filter(|orientation| (1..=8).contains(orientation))
}

impl Image {
    /// The same image, upright: its first row is the top, if its rows lie as EXIF's `orientation` says.
    fn upright(self, orientation: u16) -> Self {
        let Self { height, width, pixels } = self;
        if orientation < 2 || pixels.len() != height * width * CHANNELS {
            return Self { height, width, pixels };
        }
        let is_turned = orientation > 4;
        let (rows, columns) = if is_turned { (width, height) } else { (height, width) };
        let mut upright = Vec::with_capacity(pixels.len());
        for row in 0..rows {
            for column in 0..columns {
                // Where the pixel lies, in the stored rows and columns.
                let (y, x) = match orientation {
                    2 => (row, width - 1 - column),
                    3 => (height - 1 - row, width - 1 - column),
                    4 => (height - 1 - row, column),
                    5 => (column, row),
                    6 => (height - 1 - column, row),
                    7 => (height - 1 - column, width - 1 - row),
                    _ => (column, width - 1 - row),
                };
                let at = (y * width + x) * CHANNELS;
                upright.extend_from_slice(&pixels[at..at + CHANNELS]);
            }
        }
        Self { height: rows, width: columns, pixels: upright }
    }

    /// The pixels of the image at another size: each is an average of those around its place, weighted by a triangle
    /// that is as wide as the pixels are apart, in the larger of both images.
    fn scaled(self, height: usize, width: usize) -> Vec<u8> {
        if (self.height, self.width) == (height, width) {
            return self.pixels;
        }
        let across = weights(self.width, width);
        let down = weights(self.height, height);
        let mut rows = vec![0f32; self.height * width * CHANNELS];
        for (from, to) in
            self.pixels.chunks_exact(self.width * CHANNELS).zip(rows.chunks_exact_mut(width * CHANNELS))
        {
            for ((first, weights), pixel) in across.iter().zip(to.as_chunks_mut::<CHANNELS>().0) {
                for (channel, value) in pixel.iter_mut().enumerate() {
                    *value = (weights.iter().enumerate())
                        .map(|(at, weight)| weight * f32::from(from[(first + at) * CHANNELS + channel]))
                        .sum();
                }
            }
        }
        let line = width * CHANNELS;
        let mut pixels = Vec::with_capacity(height * line);
        for (first, weights) in &down {
            pixels.extend((0..line).map(|column| {
                let value: f32 = (weights.iter().enumerate())
                    .map(|(at, weight)| weight * rows[(first + at) * line + column])
                    .sum();
                (value + 0.5).clamp(0.0, 255.0) as u8
            }));
        }
        pixels
    }
}

/// For each of `to` pixels, the first of `from` pixels that it is made of, and their weights, whose sum is 1.
fn weights(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let step = from as f64 / to as f64;
    let reach = step.max(1.0);
    (0..to)
        .map(|at| {
            let center = (at as f64 + 0.5) * step;
            let first = (center - reach).floor().max(0.0) as usize;
            let last = ((center + reach).ceil() as usize).min(from);
            let weight = |pixel: usize| (1.0 - (pixel as f64 + 0.5 - center).abs() / reach).max(0.0);
            let sum: f64 = (first..last).map(weight).sum();
            (first, (first..last).map(|pixel| (weight(pixel) / sum) as f32).collect())
        })
        .collect()
}
