//! The language of what is printed for people: that of the flag, of a file, or of the locale.

use crate::failure::{Failure, Result};
use pullback::explain::{Catalog, LANGUAGES};

/// The messages: those of the flag, of the file, or of the locale.
pub(crate) fn catalog(flag: Option<&str>, of_file: Option<&str>) -> Result<Catalog> {
    let known = || LANGUAGES.iter().map(|(code, _)| *code).collect::<Vec<_>>().join(", ");
    match flag.or(of_file) {
        Some(code) => Catalog::find(code).ok_or_else(|| {
            Failure::usage(format!("there are no messages in `{code}`"), format!("known are {}", known()))
        }),
        None => {
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
            Ok(locale.and_then(|locale| Catalog::find(&locale)).unwrap_or_else(Catalog::english))
        }
    }
}
