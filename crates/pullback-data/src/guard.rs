//! A border that no panic of a decoder crosses.

use crate::malformed;
use pullback::error::{Place, Result};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What a decoder makes of a damaged file: a value, an error, or an error where it panics. Its panics are not reported
/// as panics: to whoever reads the file they are damage like any other.
pub(crate) fn guarded<T>(path: &Path, what: &str, decode: impl FnOnce() -> Result<T>) -> Result<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                report(panic);
            }
        }));
    });
    IS_GUARDED.set(true);
    // What was half decoded is dropped with the closure.
    let outcome = catch_unwind(AssertUnwindSafe(decode));
    IS_GUARDED.set(false);
    outcome.unwrap_or_else(|_| Err(damaged(path, what, "its parts contradict each other")))
}

/// What is said of a damaged file.
pub(crate) fn damaged(path: &Path, what: &str, why: impl std::fmt::Display) -> pullback::Error {
    let why: String = why.to_string();
    malformed(
        Place::file(path),
        format!("the {what} file is damaged: {}", crate::note::short_to(&why, 160)),
        "get the file again, or write it again with the program that it came from",
    )
}
