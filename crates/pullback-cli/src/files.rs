//! The files of a command: all that it reads and the one that it writes. A command gets an [`Output`] only from
//! [`Files`], before any work, so that none replaces what it is made from.

use crate::failure::{Failure, Result};
use crate::terminal;
use pullback::{Error, files};
use std::fs;
use std::path::{Path, PathBuf};

/// What a command reads.
#[derive(Debug, Default)]
pub(crate) struct Files {
    read: Vec<PathBuf>,
}

impl Files {
    /// A command that reads the given paths. A name of built-in data is a path that does not exist.
    pub(crate) fn reading<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut files = Self::default();
        paths.into_iter().for_each(|path| files.add(path));
        files
    }

    /// Images bring the files beside them: of a folder all IDX files are read, of images the labels.
    fn add(&mut self, path: &Path) {
        let is_idx =
            |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("-ubyte"));
        let folder = if path.is_dir() { Some(path) } else { path.parent().filter(|_| is_idx(path)) };
        if let Some(entries) = folder.and_then(|folder| fs::read_dir(or_here(folder)).ok()) {
            let beside = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
            self.read.extend(beside.filter(|path| is_idx(path)));
        }
        self.read.push(path.to_owned());
    }

    /// The place of what is made; `-` and no path are standard output. Refuses a place where a file could not be
    /// written after all the work, or where it would replace what is read: by whatever name, link or spelling.
    pub(crate) fn output(&self, path: Option<&Path>, flag: &str) -> Result<Output> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Output { path: None });
        };
        if self.read.iter().any(|source| is_same_file(source, path)) {
            return Err(Failure::usage(
                format!("{} would be replaced by what is made from it", path.display()),
                format!("give another file with `{flag}`"),
            ));
        }
        files::check_writable(path).map_err(|error| Failure::unwritable(path, &error))?;
        Ok(Output { path: Some(path.to_owned()) })
    }
}

/// A place that may be written to.
#[derive(Debug)]
pub(crate) struct Output {
    /// Absent for standard output.
    path: Option<PathBuf>,
}

impl Output {
    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Writes a file whole or not at all, or prints.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<()> {
        match &self.path {
            Some(path) => files::write(path, bytes).map_err(|error| Failure::unwritable(path, &error)),
            None => terminal::print_raw(bytes),
        }
    }
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Whether two paths lead to one regular file.
fn is_same_file(left: &Path, right: &Path) -> bool {
    let (Ok(a), Ok(b)) = (fs::metadata(left), fs::metadata(right)) else { return false };
    if !a.is_file() || !b.is_file() {
        return false;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (a.dev(), a.ino()) == (b.dev(), b.ino())
    }
    #[cfg(not(unix))]
    {
        matches!((left.canonicalize(), right.canonicalize()), (Ok(left), Ok(right)) if left == right)
    }
}

/// A text file in UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        Failure::new(
            format!("{}, line {line}: a byte is no text in UTF-8", path.display()),
            "save the file as UTF-8",
        )
    })?;
    // Editors of Windows begin a file with a byte-order mark.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_itself_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("data"), "1").unwrap();
        fs::write(at("other"), "1").unwrap();
        fs::hard_link(at("data"), at("hard")).unwrap();
        let mut names = vec!["data", "./data", "sub/../data", "hard"];
        if cfg!(unix) {
            #[cfg(unix)]
            std::os::unix::fs::symlink(at("data"), at("soft")).unwrap();
            names.push("soft");
        }
        for name in names {
            assert!(Files::reading([&*at("data")]).output(Some(&at(name)), "--out").is_err(), "{name}");
            assert!(Files::reading([&*at(name)]).output(Some(&at("data")), "--out").is_err(), "{name}");
            assert!(Files::reading([&*at(name)]).output(Some(&at("other")), "--out").is_ok(), "{name}");
        }
    }

    #[test]
    fn the_labels_beside_images_are_read_too() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "model"] {
            fs::write(at(name), "1").unwrap();
        }
        for source in [folder.path(), &at("train-images-idx3-ubyte")] {
            let files = Files::reading([source]);
            assert!(files.output(Some(&at("train-labels-idx1-ubyte")), "--out").is_err());
            assert!(files.output(Some(&at("model")), "--out").is_ok());
        }
    }
}
