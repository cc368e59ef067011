//! IDX, the format of MNIST and Fashion-MNIST: images and labels of one byte each.
//!
//! A file is a big-endian header (two zero bytes, the type, the number of axes, the size along each)
//! and the numbers. A header is believed only as far as the file bears it out.

use crate::content::in_memory;
use crate::malformed;
use crate::sniff::{Parts, ReadOptions};
use pullback::data::{Bytes, Column, Table, Values};
use pullback::error::{Place, Result};
use std::path::{Path, PathBuf};
use std::thread;

/// Unsigned bytes, the only type that images and labels come in.
const UNSIGNED_BYTE: u8 = 0x08;

/// Whether a content begins like an IDX file.
pub(crate) fn is_idx(content: &[u8]) -> bool {
    content.len() >= 4 && content[0] == 0 && content[1] == 0 && (0x08..=0x0e).contains(&content[2])
}

/// The sizes that the header tells, and the numbers after it.
fn parse(path: &Path, mut content: Vec<u8>) -> Result<(Vec<usize>, Vec<u8>)> {
    let wrong = |what: String| {
        malformed(Place::file(path), what, "give an IDX file of unsigned bytes, or get the file again")
    };
    if !is_idx(&content) {
        return Err(wrong("this is no IDX file: it does not begin with two zero bytes and a type".into()));
    }
    if content[2] != UNSIGNED_BYTE {
        return Err(wrong(format!(
            "the IDX type is 0x{:02x}; only unsigned bytes (0x08) can be read",
            content[2]
        )));
    }
    let axes = usize::from(content[3]);
    let numbers = 4 + 4 * axes;
    if axes == 0 || content.len() < numbers {
        return Err(wrong(format!("the header is cut off: {} bytes for {axes} axes", content.len())));
    }
    let sizes: Vec<usize> = content[4..numbers]
        .chunks_exact(4)
        .map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]]) as usize)
        .collect();
    let told = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let held = content.len() - numbers;
    if told != Some(held) {
        return Err(wrong(format!("the header tells of {sizes:?} bytes, but {held} bytes follow it")));
    }
    // In place: a copy would take as much memory again.
    content.drain(..numbers);
    Ok((sizes, content))
}

/// Reads images, and their labels from the file beside them that MNIST's names lead to.
pub(crate) fn read_images(path: &Path, content: Vec<u8>, options: &ReadOptions) -> Result<Table> {
    let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let labels = [("images-idx3", "labels-idx1"), ("images.idx3", "labels.idx1")]
        .iter()
        .filter(|(images, _)| name.contains(images))
        .map(|(images, labels)| name.replace(images, labels))
        .flat_map(|name| [name.clone(), name.trim_end_matches(".gz").to_owned(), format!("{name}.gz")])
        .map(|name| path.with_file_name(name))
        .find(|labels| labels.is_file());
    match labels {
        Some(labels) => table(path, content, &labels, options),
        None => Err(malformed(
            Place::file(path),
            "these images come without labels",
            "give the folder of the four files, or name the files like MNIST's: \
             train-images-idx3-ubyte and train-labels-idx1-ubyte",
        )),
    }
}

fn table(path: &Path, images: Vec<u8>, labels_path: &Path, options: &ReadOptions) -> Result<Table> {
    let (sizes, pixels) = parse(path, images)?;
    let (label_sizes, labels) = parse(labels_path, in_memory(labels_path, options.limit_bytes)?)?;
    if sizes.len() < 2 || label_sizes.len() != 1 {
        return Err(malformed(
            Place::file(if sizes.len() < 2 { path } else { labels_path }),
            format!("images have axes {sizes:?} and labels {label_sizes:?}"),
            "images need the axes rows, height and width, labels one axis",
        ));
    }
    if sizes[0] != labels.len() {
        return Err(malformed(
            Place::file(labels_path),
            format!("{} labels for {} images", labels.len(), sizes[0]),
            "give the labels that belong to the images",
        ));
    }
    if sizes[0] == 0 {
        return Err(malformed(Place::file(path), "there are no images", "give a file with at least one"));
    }
    let images = Bytes::new(pixels, sizes[1..].to_vec(), u8::MAX)?;
    let labels = labels.iter().map(|&label| f64::from(label)).collect();
    let columns =
        vec![Column::new("image", Values::Bytes(images)), Column::new("label", Values::Numbers(labels))];
    Table::new(path.display().to_string(), columns)?.with_target("label")
}

/// Reads a folder of the four files of MNIST or Fashion-MNIST, compressed or not; [`None`] if it has no such file.
pub(crate) fn read_folder(folder: &Path, options: &ReadOptions) -> Result<Option<Parts>> {
    let part = |prefix: &str| -> Result<Option<Table>> {
        match find(folder, prefix) {
            Some(path) => read_images(&path, in_memory(&path, options.limit_bytes)?, options).map(Some),
            None => Ok(None),
        }
    };
    thread::scope(|scope| {
        // Where the system gives no thread, the files are read one after the other.
        let reader = || thread::Builder::new().spawn_scoped(scope, || part("t10k")).ok();
        let test = if options.threads > 1 { reader() } else { None };
        let Some(train) = part("train")? else { return Ok(None) };
        let test = match test {
            Some(reader) => reader.join().expect("a reader ends in a table or an error"),
            None => part("t10k"),
        };
        Ok(Some(Parts { train, test: test?, notes: Vec::new() }))
    })
}

fn find(folder: &Path, prefix: &str) -> Option<PathBuf> {
    ["-images-idx3-ubyte", "-images-idx3-ubyte.gz", "-images.idx3-ubyte", "-images.idx3-ubyte.gz"]
        .iter()
        .map(|suffix| folder.join(format!("{prefix}{suffix}")))
        .find(|path| path.is_file())
}
