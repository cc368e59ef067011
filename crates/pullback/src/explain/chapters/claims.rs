//! The published numbers of worked examples beside ours.

use crate::explain::examples::Claim;
use crate::explain::{Block, Catalog, Document, Expected};
use crate::report::number::significant;

/// A page with the expected numbers of worked examples beside ours: the name of each, its source, its numbers.
pub fn describe_claims(examples: &[(&str, &str, &[Claim])], catalog: &Catalog) -> Document {
    let name = |key: &str| catalog.get(key).to_owned();
    let mut rows = Vec::new();
    let mut has_kinds = false;
    let mut errata = Vec::new();
    let mut blocks = vec![Block::Heading(2, name("checked_against"))];
    for (example, _, claims) in examples {
        for claim in *claims {
            let expected = match &claim.expected {
                Expected::Digits(digits) => digits.clone(),
                Expected::Below(bound) => format!("< {bound}"),
                Expected::AtLeast(bound) => format!(">= {bound}"),
            };
            let verdict = match (claim.agrees(), &claim.erratum) {
                (true, _) => name("pass"),
                (false, Some(why)) => {
                    let place = if example.is_empty() { String::new() } else { format!("{example}, ") };
                    let quantity = catalog.quantity(&claim.quantity);
                    let why = catalog.erratum(why);
                    errata.push(format!("{}: {place}{quantity}: {why}", name("erratum")));
                    name("erratum")
                }
                (false, None) => name("fail"),
            };
            let mut row = if examples.len() > 1 { vec![(*example).to_owned()] } else { Vec::new() };
            // The kinds of the shipped examples have a word in each language.
            let key = format!("source.{}", claim.source);
            let source = if catalog.get(&key) == key { claim.source.clone() } else { name(&key) };
            has_kinds |= !source.is_empty();
            row.extend([
                catalog.quantity(&claim.quantity),
                expected,
                significant(claim.computed, 10),
                source,
            ]);
            row.push(verdict);
            rows.push(row);
        }
    }
    let mut columns = if examples.len() > 1 { vec![name("example_name")] } else { Vec::new() };
    columns.extend(["quantity", "expected", "ours", "from"].map(name));
    columns.push(name("verdict"));
    if let [(_, source, _)] = examples
        && !source.is_empty()
    {
        blocks.push(Block::Text(catalog.say("source", &[("source", source)])));
    }
    if has_kinds && examples.len() > 1 {
        blocks.push(Block::Text(name("source_kinds")));
    }
    blocks.push(Block::Table { columns, rows });
    blocks.extend(errata.into_iter().map(Block::Text));
    Document { language: catalog.language, blocks }
}
