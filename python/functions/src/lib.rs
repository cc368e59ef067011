//! The functions of the extension module `pullback._engine`: arrays and JSON in, arrays and JSON out. Everything that a
//! person sees is in the Python files beside it; this crate only leads to the library.

mod arrays;
mod observe;
pub mod run;
pub mod show;
pub mod tabular;

use pyo3::prelude::*;

/// What the library says went wrong, as the exception that Python's people expect.
fn raised(error: pullback::Error) -> PyErr {
    pyo3::exceptions::PyValueError::new_err(error.to_string())
}
