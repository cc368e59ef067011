//! The published numbers of worked examples beside ours.

use crate::explain::examples::Claim;
use crate::explain::{Block, Catalog, Document, Expected};
use crate::report::number::significant;

/// A page with the expected numbers of worked examples beside ours: the name of each, its source, its numbers.
pub fn describe_claims(examples: &[(&str, &str, &[Claim])], catalog: &Catalog) -> Document {
    let name = |key: &str| catalog.get(key).to_owned();
    // Of several examples, a table a kind: published by their authors, found independently, and bounds.
    let mut tables: Vec<(String, Vec<Vec<String>>)> = Vec::new();
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
            row.extend([catalog.quantity(&claim.quantity), expected, significant(claim.computed, 10)]);
            let kind = if examples.len() == 1 {
                row.push(source);
                String::new()
            } else {
                source
            };
            row.push(verdict);
            match tables.iter_mut().find(|(own, _)| *own == kind) {
                Some((_, rows)) => rows.push(row),
                None => tables.push((kind, vec![row])),
            }
        }
    }
    let mut columns = if examples.len() > 1 { vec![name("example_name")] } else { Vec::new() };
    columns.extend(["quantity", "expected", "ours"].map(name));
    columns.extend((examples.len() == 1).then(|| name("from")));
    columns.push(name("verdict"));
    if let [(_, source, _)] = examples
        && !source.is_empty()
    {
        blocks.push(Block::Text(catalog.say("source", &[("source", source)])));
    }
    for (kind, rows) in tables {
        if !kind.is_empty() {
            let mut letters = kind.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            blocks.push(Block::Heading(2, first.chain(letters).collect()));
        }
        blocks.push(Block::Table { columns: columns.clone(), rows });
    }
    blocks.extend(errata.into_iter().map(Block::Text));
    Document { language: catalog.language, blocks }
}
