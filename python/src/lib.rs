//! The extension module `pullback._engine`, of functions that stand in a crate of their own: how the crate that is linked
//! is optimized says how all of it is, once more, and this one has to be fast where that one has to be small.

use pyo3::prelude::*;

/// The engine of the package `pullback`; not for direct use.
#[pymodule(gil_used = false)]
mod _engine {
    #[pymodule_export]
    use pullback_python_functions::run::{initialize, predict, train};

    #[pymodule_export]
    use pullback_python_functions::tabular::{fit_table, predict_table, table_model};

    #[pymodule_export]
    use pullback_python_functions::show::{
        attributions, check, explain, main, model_bytes, model_parts, page_file,
    };
}
