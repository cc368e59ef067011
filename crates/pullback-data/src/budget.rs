//! The memory that reading a table may use, counted before it is used.

use crate::sniff::ReadOptions;
use pullback::error::{Error, ErrorKind, Place, Result};
use pullback::job::memory::BYTES_PER_STORED_ROW;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a distinct text takes beside its bytes: its place in two lists and two hash tables, while parts of a file are
/// joined.
const BYTES_PER_TEXT: u64 = 160;
/// What a cell takes: a number, and once more while parts of a file are joined column by column.
const BYTES_PER_CELL: u64 = 9;

/// How many bytes are left. Threads that read parts of a file share it.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU64,
    limit: u64,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self { left: AtomicU64::new(limit), limit }
    }

    /// For a format of which a few bytes can stand for many cells: where no folder takes what memory does not hold, a
    /// table is no larger than a few times the content that may be read.
    pub(crate) fn of(options: &ReadOptions) -> Self {
        const MOST_PER_BYTE: u64 = 3;
        match options.spool {
            Some(_) => Self::new(options.memory_bytes),
            None => Self::new(options.memory_bytes.min(options.limit_bytes.saturating_mul(MOST_PER_BYTE))),
        }
    }

    /// What the cells of a table in memory take.
    pub(crate) fn cell_bytes(rows: usize, columns: usize) -> u64 {
        (rows as u64).saturating_mul(columns as u64).saturating_mul(BYTES_PER_CELL)
    }

    /// Sets the memory of a table's cells aside, beside its content, if it is there.
    pub(crate) fn cells(&self, path: &Path, content: usize, rows: usize, columns: usize) -> Result<()> {
        let needed = Self::cell_bytes(rows, columns).saturating_add(content as u64);
        if self.take(needed) {
            return Ok(());
        }
        let what =
            format!("{rows} rows of {columns} columns need {} MB of memory", needed.div_ceil(1_000_000));
        Err(self.refused(path, what))
    }

    /// Whether [`Budget::cells`] would find the memory.
    pub(crate) fn holds(&self, content: usize, rows: usize, columns: usize) -> bool {
        Self::cell_bytes(rows, columns).saturating_add(content as u64) <= self.left.load(Ordering::Relaxed)
    }

    /// Sets the memory aside that a table takes whose cells are in a file, if it is there: for some of its content at a
    /// time, and for its rows, of which a column at a time is in memory.
    pub(crate) fn rows(&self, path: &Path, content: usize, rows: usize, columns: usize) -> Result<()> {
        let needed = (rows as u64).saturating_mul(BYTES_PER_STORED_ROW as u64).saturating_add(content as u64);
        if self.take(needed) {
            return Ok(());
        }
        let what = format!(
            "{rows} rows of {columns} columns need {} MB of memory even if their cells are in a file",
            needed.div_ceil(1_000_000)
        );
        Err(self.refused(path, what))
    }

    /// Takes the memory of a text that was not seen before; says whether it is there.
    pub(crate) fn text(&self, length: usize) -> bool {
        self.take(Self::text_bytes(length))
    }

    /// Gives the memory of a text back that turned out to be known.
    pub(crate) fn give_text(&self, length: usize) {
        self.give(Self::text_bytes(length));
    }

    fn text_bytes(length: usize) -> u64 {
        BYTES_PER_TEXT + 3 * length as u64
    }

    /// What is said of a table with more distinct texts than there is memory for.
    pub(crate) fn too_many_texts(&self, path: &Path, column: &str, texts: usize) -> Error {
        let what = format!(
            "the columns hold more different texts than there is memory for, column \"{column}\" over {texts}"
        );
        self.refused(path, what)
    }

    /// Sets memory aside, and says whether it is there.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    /// Gives memory back that was set aside.
    pub(crate) fn give(&self, bytes: u64) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What is said of what needs more memory than there is.
    pub(crate) fn refused(&self, path: &Path, what: String) -> Error {
        let free = self.limit.div_ceil(1_000_000);
        Error::new(ErrorKind::Memory, format!("{what}; {free} MB are free"))
            .at(Place::file(path))
            .help("give fewer rows or columns, or more memory with `--memory`")
    }
}
