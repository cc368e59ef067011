//! The extension module `pullback._engine`: arrays and JSON in, arrays and JSON out. Everything that a person sees is in
//! the Python files beside it; this crate only leads to the library.

mod arrays;
mod observe;
mod run;
mod show;
mod tabular;

use pyo3::prelude::*;

/// What the library says went wrong, as the exception that Python's people expect.
fn raised(error: pullback::Error) -> PyErr {
    pyo3::exceptions::PyValueError::new_err(error.to_string())
}

/// The engine of the package `pullback`; not for direct use.
#[pymodule(gil_used = false)]
mod _engine {
    #[pymodule_export]
    use super::run::{initialize, predict, train};

    #[pymodule_export]
    use super::tabular::{fit_table, predict_table, table_model};

    #[pymodule_export]
    use super::show::{attributions, check, explain, main, model_bytes, model_parts, page_file};
}
