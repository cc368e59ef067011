//! What `explain` draws: the steps of an example as a picture or an animation with subtitles.

use crate::failure::{Failure, Result};
use crate::files::{Files, Output};
use pullback::explain::{Catalog, Notation, Steps, Subject, WorkedExample, animation, picture};
use std::path::Path;

/// The steps of an example in the symbols that are asked for: those of another notation instead of the file's names.
///
/// # Errors
/// If a formula has no gate.
pub(crate) fn steps(worked: &WorkedExample, notation: Option<Notation>) -> Result<Steps> {
    let mut worked = worked.clone();
    if let Some(notation) = notation.filter(|notation| *notation != worked.notation) {
        worked.notation = notation;
        if let Subject::Network(example) = &mut worked.subject {
            example.names.units = Default::default();
            example.names.parameters = Default::default();
        }
    }
    if let Some(circuit) = worked.circuit()?
        && circuit.gates.is_empty()
    {
        return Err(Failure::new(
            "the formula has no gate, so there is nothing to draw",
            "write one that computes something, such as `x * y`",
        ));
    }
    // Four digits can be read in a picture.
    Ok(Steps::of(&worked)?.with_digits(4))
}

/// The place of the subtitles beside an animation; absent where it goes to standard output.
///
/// # Errors
/// If the animation itself has the name that the subtitles get, or they could not be written there.
pub(crate) fn subtitles(files: &mut Files, out: Option<&Path>) -> Result<Option<Output>> {
    let Some(out) = out.filter(|path| *path != Path::new("-")) else { return Ok(None) };
    let beside = out.with_extension("vtt");
    if beside == out {
        return Err(Failure::usage(
            format!("{} is the name of the subtitles beside the animation", out.display()),
            format!("write `--out {}`", out.with_extension("svg").display()),
        ));
    }
    Ok(Some(files.output(Some(&beside), "--out")?))
}

/// Draws one step, or the end of all.
pub(crate) fn write_picture(
    steps: &Steps,
    step: Option<usize>,
    catalog: &Catalog,
    out: &Output,
) -> Result<()> {
    out.write(picture(steps, step, catalog)?.as_bytes())
}

/// Draws all steps, one after another.
pub(crate) fn write_animation(
    steps: &Steps,
    catalog: &Catalog,
    (out, subtitles): (&Output, Option<&Output>),
) -> Result<()> {
    let animation = animation(steps, catalog);
    if let Some(subtitles) = subtitles {
        subtitles.write(animation.vtt().as_bytes())?;
    }
    out.write(animation.svg.as_bytes())
}
