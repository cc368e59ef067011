//! The files of a command: all that it reads and writes. A command gets an [`Output`] only from its [`Files`], before any
//! work, so that none replaces what it is made from, nor another output.

use crate::failure::{Failure, Result};
use crate::terminal;
use pullback::{Error, files};
use std::fs;
use std::path::{Path, PathBuf};

/// What a command reads, and what it will write.
#[derive(Debug, Default)]
pub(crate) struct Files {
    read: Vec<PathBuf>,
    /// Folders of which every image is read.
    images: Vec<PathBuf>,
    /// Folders that belong to a run: nothing else is written there.
    kept: Vec<PathBuf>,
    /// Outputs so far, with the flag of each.
    written: Vec<(PathBuf, String)>,
}

impl Files {
    /// A command that reads the given paths. A name of built-in data is a path that does not exist.
    pub(crate) fn reading<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut files = Self::default();
        paths.into_iter().for_each(|path| files.add(path));
        files
    }

    /// With the folder of a run that goes on, or whose checkpoints are kept there.
    pub(crate) fn keeping(mut self, folder: Option<&Path>) -> Self {
        self.kept.extend(folder.map(target));
        self
    }

    /// Images bring the files beside them: of a folder all images are read, of images the labels.
    fn add(&mut self, path: &Path) {
        let folder = if path.is_dir() { Some(path) } else { path.parent().filter(|_| is_idx(path)) };
        if let Some(entries) = folder.and_then(|folder| fs::read_dir(or_here(folder)).ok()) {
            let beside = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
            self.read.extend(beside.filter(|path| is_idx(path)));
        }
        if path.is_dir() {
            self.images.push(target(path));
        }
        self.read.push(path.to_owned());
    }

    /// The place of what is made; `-` and no path are standard output. Refuses a place where a file could not be
    /// written after all the work, or where it would replace what is read, or another output: by whatever name, link or
    /// spelling.
    pub(crate) fn output(&mut self, path: Option<&Path>, flag: &str) -> Result<Output> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Output { path: None });
        };
        let place = target(path);
        let is_image = is_image(&place) && place.exists();
        if self.read.iter().any(|source| is_same_file(source, path))
            || is_image && self.images.iter().any(|folder| place.starts_with(folder))
        {
            return Err(Failure::usage(
                format!("{} would be replaced by what is made from it", path.display()),
                format!("give another file with `{flag}`"),
            ));
        }
        if self.kept.iter().any(|folder| place.starts_with(folder)) {
            return Err(Failure::usage(
                format!("{} is in the folder of the run, whose files go on with it", path.display()),
                format!("give a file elsewhere with `{flag}`"),
            ));
        }
        if let Some((_, other)) =
            self.written.iter().find(|(other, _)| *other == place || is_same_file(other, path))
        {
            return Err(Failure::usage(
                format!("{} is where `{other}` and `{flag}` would both be written", path.display()),
                format!("give another file with `{flag}`"),
            ));
        }
        files::check_writable(path).map_err(|error| Failure::unwritable(path, &error))?;
        self.written.push((place, flag.to_owned()));
        Ok(Output { path: Some(path.to_owned()) })
    }
}

fn is_idx(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains("-ubyte"))
}

/// Whether a folder's reader takes a file for an image, by its name.
fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| pullback_data::IMAGE_ENDINGS.contains(&ending.as_str()))
}

/// Where a path leads to, whether there is a file or not.
pub(crate) fn target(path: &Path) -> PathBuf {
    let beside = || {
        let folder = or_here(path.parent()?).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
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
            let mut files = Files::reading([source]);
            assert!(files.output(Some(&at("train-labels-idx1-ubyte")), "--out").is_err());
            assert!(files.output(Some(&at("model")), "--out").is_ok());
        }
    }

    #[test]
    fn images_of_a_folder_and_the_folder_of_a_run_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["imgs/cat", "imgs/dog", "run"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["imgs/cat/1.png", "imgs/dog/2.JPG", "imgs/model", "run/run.json"] {
            fs::write(at(name), "1").unwrap();
        }
        let files = || Files::reading([&*at("imgs")]).keeping(Some(&at("run")));
        for name in ["imgs/cat/1.png", "imgs/dog/../dog/2.JPG", "run/run.json", "run/new"] {
            assert!(files().output(Some(&at(name)), "--out").is_err(), "{name}");
        }
        for name in ["imgs/model", "imgs/cat/new.png", "model"] {
            assert!(files().output(Some(&at(name)), "--out").is_ok(), "{name}");
        }
    }

    #[test]
    fn two_outputs_are_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        let mut files = Files::default();
        assert!(files.output(Some(&at("new")), "--out").is_ok());
        let refused = files.output(Some(&at("sub/../new")), "--save").unwrap_err();
        assert!(format!("{refused:?}").contains("`--out` and `--save`"), "{refused:?}");
        assert!(files.output(Some(&at("other")), "--save").is_ok());
        assert!(files.output(Some(Path::new("-")), "--svg").is_ok());
    }
}
