//! The published numbers of worked examples beside ours.

use crate::explain::examples::{Example, Published};
use crate::explain::{Block, Catalog, Document};
use crate::report::number::significant;

/// A page with the published numbers of worked examples beside ours.
pub fn describe_claims(examples: &[&Example], catalog: &Catalog) -> Document {
    let name = |key: &str| catalog.get(key).to_owned();
    let mut rows = Vec::new();
    let mut errata = Vec::new();
    let mut blocks = vec![Block::Heading(2, name("checked_against"))];
    for example in examples {
        for claim in &example.claims {
            let published = match claim.published {
                Published::Digits(digits) => digits.to_owned(),
                Published::Below(bound) => format!("< {bound}"),
                Published::AtLeast(bound) => format!(">= {bound}"),
            };
            let verdict = match (claim.agrees(), claim.erratum) {
                (true, _) => name("pass"),
                (false, Some(why)) => {
                    errata.push(format!("{}: {}, {}: {why}", name("erratum"), example.name, claim.quantity));
                    name("erratum")
                }
                (false, None) => name("fail"),
            };
            let mut row = if examples.len() > 1 { vec![example.name.to_owned()] } else { Vec::new() };
            row.extend([claim.quantity.clone(), published, significant(claim.computed, 10), verdict]);
            rows.push(row);
        }
    }
    let mut columns = if examples.len() > 1 { vec![name("example_name")] } else { Vec::new() };
    columns.extend(["quantity", "published", "ours", "verdict"].map(name));
    if examples.len() == 1 {
        blocks.push(Block::Text(catalog.say("source", &[("source", &examples[0].source)])));
    }
    blocks.push(Block::Table { columns, rows });
    blocks.extend(errata.into_iter().map(Block::Text));
    Document { language: catalog.language, blocks }
}
