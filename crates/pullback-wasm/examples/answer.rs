//! Answers questions, a line each, as the page's engine does; the page's tests hold both answers against each other.

use pullback_wasm::Lab;
use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let mut lab = Lab::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let (json, numbers) = lab.answer(&line?, &[]);
        let bits: Vec<u32> = numbers.iter().map(|number| number.to_bits()).collect();
        writeln!(out, "{}", serde_json::json!([json, bits]))?;
    }
    Ok(())
}
