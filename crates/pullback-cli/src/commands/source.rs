//! Where rows come from: a built-in data set, a file or a folder.

use crate::failure::{Failure, Result};
use pullback::data::builtin;
use pullback::error::nearest_name;
use pullback_data::{Parts, ReadOptions, read};
use std::path::Path;

/// Reads what `data` names. A file goes before a built-in set of the same name.
pub(super) fn load(data: &str, seed: u64, options: &ReadOptions) -> Result<Parts> {
    let path = Path::new(data);
    if !path.exists()
        && let Some(set) = builtin::find(data)
    {
        return Ok(Parts { train: set.load(seed)?, test: None });
    }
    let looks_like_a_name = !data.contains(['/', '\\', '.']);
    if !path.exists() && looks_like_a_name {
        let help = match nearest_name(data, builtin::ALL.iter().map(|set| set.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "give a path, or a name that `pullback datasets` lists".to_owned(),
        };
        return Err(Failure::usage(format!("there is no file and no built-in data set `{data}`"), help));
    }
    Ok(read(path, options)?)
}
