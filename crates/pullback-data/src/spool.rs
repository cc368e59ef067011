//! Temporary files for what memory does not hold. They have no name, so that nothing is left of them however the
//! process ends.

use crate::budget::Budget;
use crate::note::{Note, NoteKind};
use crate::sniff::ReadOptions;
use crate::text::Text;
use pullback::data::Store;
use pullback::error::{Error, ErrorKind, Result};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A part of a disk that is left alone: others write to it too.
const MARGIN: u64 = 16;

/// A temporary file as a [`Store`] of cells and of the numbers that are made of them.
#[derive(Debug)]
pub struct Spool {
    file: Positioned,
    end: AtomicU64,
    limit_bytes: u64,
    folder: PathBuf,
    buffer_bytes: usize,
}

impl Spool {
    /// Makes a file in a folder; `buffer_bytes` is what [`Store::buffer_bytes`] tells. It takes at most what the disk
    /// has free now, but for a part.
    ///
    /// # Errors
    /// If there is no such folder, or no file can be made in it.
    pub fn new(folder: &Path, buffer_bytes: usize) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).map_err(|cause| unusable(folder, cause))?;
        let limit_bytes = free_bytes(&file).map_or(u64::MAX, |free| free - free / MARGIN);
        let (file, folder) = (Positioned::new(file), folder.to_owned());
        Ok(Self { file, end: AtomicU64::new(0), limit_bytes, folder, buffer_bytes })
    }

    /// The file, and how many bytes are in it.
    pub(crate) fn into_file(self) -> (Positioned, u64) {
        (self.file, self.end.into_inner())
    }

    /// Refuses what the disk has no room for, before it is written.
    ///
    /// # Errors
    /// If so many bytes more are not free.
    pub fn check_room(&self, bytes: u64) -> Result<()> {
        let left = self.limit_bytes.saturating_sub(self.end.load(Ordering::Relaxed));
        if bytes <= left {
            return Ok(());
        }
        Err(no_room(&self.folder, format!("{} are needed, and {} are free", size(bytes), size(left))))
    }
}

impl Store for Spool {
    fn append(&self, bytes: &[u8]) -> Result<u64> {
        self.check_room(bytes.len() as u64)?;
        let at = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write(at, bytes).map_err(|cause| unusable(&self.folder, cause))?;
        Ok(at)
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        self.file.read(at, bytes).map_err(|cause| unusable(&self.folder, cause))
    }

    fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }
}

/// Where the cells of a text go that has about so many rows and columns; [`None`] if memory holds them. Their memory is
/// set aside, and who reads is told of the file.
pub(crate) fn for_cells(
    path: &Path,
    text: &Text<'_>,
    (rows, columns): (usize, usize),
    budget: &Budget,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Option<Arc<dyn Store>>> {
    let content = text.memory_bytes();
    let is_held = !text.is_in_file() && budget.holds(content, rows, columns);
    let Some(folder) = options.spool.as_deref().filter(|_| !is_held) else {
        return budget.cells(path, content, rows, columns).map(|()| None);
    };
    budget.rows(path, content.saturating_add(windows_bytes(options)), rows, columns)?;
    for_rows(folder, (rows, columns), options, notes).map(Some)
}

/// A file for the cells of about so many rows and columns, and for the numbers that are made of them; who reads is told
/// of it.
pub(crate) fn for_rows(
    folder: &Path,
    (rows, columns): (usize, usize),
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Arc<dyn Store>> {
    let spool = Spool::new(folder, (options.memory_bytes / BUFFER_PART) as usize)?;
    let bytes = (rows as u64).saturating_mul(columns as u64).saturating_mul(BYTES_PER_STORED_CELL);
    spool.check_room(bytes)?;
    notes.push(Note::new(
        NoteKind::Stored,
        rows,
        format!(
            "memory does not hold the table, so it is kept in a temporary file of about {} in {}",
            size(bytes),
            folder.display()
        ),
    ));
    Ok(Arc::new(spool))
}

/// What windows take while a table is read whose cells are in a store.
pub(crate) fn windows_bytes(options: &ReadOptions) -> usize {
    WINDOWS * window_bytes(options.memory_bytes)
}

/// Rows that are read ahead take at most such a part of the memory that is free.
const BUFFER_PART: u64 = 4;
/// A number of a table, and once more as what is trained on.
const BYTES_PER_STORED_CELL: u64 = 12;
/// A window, its cells while they are read, and as bytes of a store.
const WINDOWS: usize = 4;

/// How many bytes of a text are read at a time where so much memory is free: few are no faster, and many neither.
pub(crate) fn window_bytes(memory_bytes: u64) -> usize {
    (memory_bytes / 32).clamp(1 << 16, 32 << 20) as usize
}

/// What is said of a folder that takes no temporary file.
pub(crate) fn unusable(folder: &Path, cause: io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            no_room(folder, cause.to_string()).caused_by(cause)
        }
        _ => Error::new(
            ErrorKind::Io,
            format!(
                "{} takes no temporary file, which is needed as memory does not hold the table: {cause}",
                folder.display()
            ),
        )
        .help(ELSEWHERE)
        .caused_by(cause),
    }
}

fn no_room(folder: &Path, why: String) -> Error {
    let what = format!(
        "{} has no room for a temporary file, which is needed as memory does not hold the table: {why}",
        folder.display()
    );
    Error::new(ErrorKind::Io, what).help(ELSEWHERE)
}

const ELSEWHERE: &str = "make room, name a folder on another disk in the environment variable TMPDIR, or give more \
                         memory with `--memory`";

/// A number of bytes in the unit that fits.
pub(crate) fn size(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes >= 1e10 => format!("{:.0} GB", bytes / 1e9),
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes => format!("{:.0} MB", (bytes / 1e6).ceil()),
    }
}

/// How many bytes the disk that a file is on has for this user, as far as the system says.
fn free_bytes(file: &File) -> Option<u64> {
    #[cfg(unix)]
    {
        let found = rustix::fs::fstatvfs(file).ok()?;
        found.f_bavail.checked_mul(found.f_frsize)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        None
    }
}

/// A file that several threads read and write at any place.
#[derive(Debug)]
pub(crate) struct Positioned {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: std::sync::Mutex<File>,
}

#[cfg(unix)]
impl Positioned {
    pub(crate) fn new(file: File) -> Self {
        Self { file }
    }

    pub(crate) fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, at)
    }

    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, at)
    }
}

#[cfg(not(unix))]
impl Positioned {
    pub(crate) fn new(file: File) -> Self {
        Self { file: std::sync::Mutex::new(file) }
    }

    fn at(&self, at: u64) -> io::Result<std::sync::MutexGuard<'_, File>> {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        io::Seek::seek(&mut *file, io::SeekFrom::Start(at))?;
        Ok(file)
    }

    pub(crate) fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        io::Read::read_exact(&mut *self.at(at)?, bytes)
    }

    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut *self.at(at)?, bytes)
    }
}
