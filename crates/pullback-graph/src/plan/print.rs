//! A plan as text: one line an instruction, for people and snapshots.

use super::{Named, Place, Plan, Stage};
use std::fmt;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Buffer(index) => write!(f, "b{index}"),
            Place::Input(index) => write!(f, "i{index}"),
            Place::Constant(index) => write!(f, "c{index}"),
            Place::Resident(index) => write!(f, "r{index}"),
        }
    }
}

impl fmt::Display for Plan {
    /// The places, then a line for each instruction: `b0 [7, 5] = matrix product, add row, relu: i0, r0, r1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (letter, named) in [("i", &self.inputs), ("r", &self.residents)] {
            for (index, Named { name, shape }) in named.iter().enumerate() {
                writeln!(f, "{letter}{index} {shape} {name}")?;
            }
        }
        for (index, (value, elements)) in self.constants.iter().enumerate() {
            writeln!(f, "c{index} [{elements}] all {value}")?;
        }
        for (at, instruction) in self.instructions.iter().enumerate() {
            if at == self.outputs_after && at > 0 {
                writeln!(f, "-- all outputs are known --")?;
            }
            let writes: Vec<String> =
                instruction.writes.iter().map(|(place, shape)| format!("{place} {shape}")).collect();
            let others = instruction.epilogue.iter().filter_map(|Stage { other, .. }| *other);
            let reads =
                instruction.reads.iter().map(|(place, _)| *place).chain(others.map(|(place, ..)| place));
            let reads: Vec<String> = reads.map(|place| place.to_string()).collect();
            let names: Vec<&str> = instruction.names().collect();
            writeln!(f, "{} = {}: {}", writes.join(", "), names.join(", "), reads.join(", "))?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(|(place, _)| place.to_string()).collect();
        writeln!(f, "outputs {}", outputs.join(", "))
    }
}
