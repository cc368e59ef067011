//! How files are written: whole or not at all.
//!
//! Bytes go to a temporary file beside the place, are synced, and the file is renamed to its name: a crash or a full
//! disk leaves the old file or the new one, never half of one. The one rule for each kind of place:
//! - a file that exists keeps its mode; one that is read-only is refused;
//! - a link is followed: the file that it leads to is replaced, and the link stays; a link to nothing is refused;
//! - a pipe, a terminal or another device is written to directly;
//! - a folder is refused.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::{Builder, NamedTempFile};

/// What the names of temporary files begin and end with; between them are random letters, so that neither two
/// processes of the same number nor anyone's guess meet.
const PREFIX: &str = ".pullback-";
const SUFFIX: &str = ".tmp";
/// A temporary file that is older than another by this much was left behind by a process that was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// Writes a file whole or not at all.
///
/// # Errors
/// What the system says; an old file is then untouched, and nothing is left behind.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match Place::of(path)? {
        Place::Device => fs::OpenOptions::new().write(true).open(path)?.write_all(bytes),
        Place::File { path, permissions } => {
            let mut temporary = temporary(&path)?;
            temporary.as_file_mut().write_all(bytes)?;
            if let Some(permissions) = permissions {
                temporary.as_file().set_permissions(permissions)?;
            }
            temporary.as_file().sync_all()?;
            temporary.persist(&path).map_err(|error| error.error)?;
            // The new name, too, should outlive a crash; a system that cannot sync a folder has renamed all the same.
            if let Ok(folder) = File::open(folder_of(&path)) {
                let _ = folder.sync_all();
            }
            Ok(())
        }
    }
}

/// Whether a file could be written there, found out before the work whose result it is to hold.
///
/// # Errors
/// As [`write()`] would end.
pub fn check_writable(path: &Path) -> io::Result<()> {
    match Place::of(path)? {
        // A device tells only when it is written to.
        Place::Device => Ok(()),
        // Whether a folder takes files is seen by giving it one.
        Place::File { path, .. } => temporary(&path)?.close().map_err(bare),
    }
}

/// Removes what killed processes left half-written in a folder, however new it is. For a folder that no other process
/// is writing to.
pub fn remove_left(folder: &Path) {
    remove_temporaries(folder, |_| true);
}

/// What stands where a file is to be written.
enum Place {
    Device,
    File {
        /// Where links lead.
        path: PathBuf,
        /// Those of the file that is replaced.
        permissions: Option<Permissions>,
    },
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let refused = |kind: ErrorKind, why: &str| Err(io::Error::new(kind, why));
        if path.file_name().is_none() {
            return refused(ErrorKind::InvalidInput, "it has no file name");
        }
        let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                refused(ErrorKind::IsADirectory, "it is a directory; give a file name")
            }
            Ok(found) if !found.is_file() => Ok(Place::Device),
            Ok(found) if found.permissions().readonly() => refused(
                ErrorKind::PermissionDenied,
                "it is read-only; make it writable, or give another name",
            ),
            Ok(found) => {
                let path = if is_link { path.canonicalize()? } else { path.to_owned() };
                Ok(Place::File { path, permissions: Some(found.permissions()) })
            }
            Err(error) if is_link && error.kind() == ErrorKind::NotFound => {
                refused(ErrorKind::NotFound, "it is a link to nothing; remove it, or give another name")
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Place::File { path: path.to_owned(), permissions: None })
            }
            Err(error) => Err(error),
        }
    }
}

/// A temporary file beside a place, which goes away unless it is kept. Stale ones of ours go too.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let folder = folder_of(path);
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(12);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file: the system takes off what the user's mask says.
        builder.permissions(Permissions::from_mode(0o666));
    }
    let temporary = builder.tempfile_in(folder).map_err(bare)?;
    remove_stale(folder, &temporary);
    Ok(temporary)
}

/// What the system said, without the name of a temporary file, which says nothing to anyone.
fn bare(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((what, _)) => io::Error::new(error.kind(), what),
        None => error,
    }
}

/// Removes what killed processes left in a folder. What cannot be removed stays: it is in nobody's way.
fn remove_stale(folder: &Path, new: &NamedTempFile) {
    let Some(now) = new.as_file().metadata().and_then(|found| found.modified()).ok() else { return };
    remove_temporaries(folder, |found| {
        found.modified().is_ok_and(|then| now.duration_since(then).is_ok_and(|age| age > STALE))
    });
}

fn remove_temporaries(folder: &Path, is_left: impl Fn(&fs::Metadata) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let is_ours = |name: &OsStr| {
        name.to_str().is_some_and(|name| {
            name.len() == PREFIX.len() + 12 + SUFFIX.len()
                && name.starts_with(PREFIX)
                && name.ends_with(SUFFIX)
        })
    };
    for entry in entries.flatten().filter(|entry| is_ours(&entry.file_name())) {
        if entry.metadata().is_ok_and(|found| found.is_file() && is_left(&found)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        check_writable(&path).unwrap();
        assert!(names(folder.path()).is_empty());
        for bytes in [&b"old, and longer"[..], b"new"] {
            write(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(names(folder.path()), ["a"]);
        for nowhere in [folder.path(), &folder.path().join("none/a"), Path::new(".."), Path::new("/")] {
            assert!(write(nowhere, b"x").is_err(), "{}", nowhere.display());
            assert!(check_writable(nowhere).is_err(), "{}", nowhere.display());
        }
        assert_eq!(names(folder.path()), ["a"]);
        // The longest name that there may be.
        let path = folder.path().join("n".repeat(255));
        write(&path, b"x").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn modes_are_kept_and_links_are_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
        write(&at("a"), b"1").unwrap();
        fs::write(at("as_any"), b"1").unwrap();
        assert_eq!(mode("a"), mode("as_any"));
        for kept in [0o600, 0o664, 0o755] {
            fs::set_permissions(at("a"), Permissions::from_mode(kept)).unwrap();
            write(&at("a"), b"2").unwrap();
            assert_eq!(mode("a"), kept);
        }
        symlink("a", at("link")).unwrap();
        symlink("none", at("dangling")).unwrap();
        write(&at("link"), b"3").unwrap();
        assert_eq!(fs::read(at("a")).unwrap(), b"3");
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert!(write(&at("dangling"), b"4").unwrap_err().to_string().contains("link to nothing"));
        fs::set_permissions(at("a"), Permissions::from_mode(0o444)).unwrap();
        assert!(write(&at("a"), b"5").unwrap_err().to_string().contains("read-only"));
        assert_eq!(fs::read(at("a")).unwrap(), b"3");
        assert_eq!(names(folder.path()), ["a", "as_any", "dangling", "link"]);
        write(Path::new("/dev/null"), b"6").unwrap();
    }

    #[test]
    fn only_what_is_stale_and_ours_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let old = |name: &str| {
            let file = File::create(folder.path().join(name)).unwrap();
            let now = file.metadata().unwrap().modified().unwrap();
            file.set_modified(now - 2 * STALE).unwrap();
        };
        old(".pullback-abcdefABCDEF.tmp");
        for kept in ["data.tmp", ".pullback-x.tmp", ".pullback-abcdefABCDEF.csv"] {
            old(kept);
        }
        fs::write(folder.path().join(".pullback-123456123456.tmp"), "being written").unwrap();
        write(&folder.path().join("a"), b"1").unwrap();
        let kept =
            [".pullback-123456123456.tmp", ".pullback-abcdefABCDEF.csv", ".pullback-x.tmp", "a", "data.tmp"];
        assert_eq!(names(folder.path()), kept);
        remove_left(folder.path());
        assert_eq!(names(folder.path()), kept[1..]);
    }
}
