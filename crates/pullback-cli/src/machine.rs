//! What the command tells the library of the machine: the instruction set that the environment asks for, and how
//! much memory is free.

use crate::failure::{Failure, Result};
use pullback::execute::{Isa, Machine};
use pullback::job::checked_threads;
use std::fs;
use std::str::FromStr;
use std::sync::OnceLock;

/// Which instruction set computes, instead of the best one; it changes no bit of the result.
const ISA: &str = "PULLBACK_ISA";

pub(crate) const ISA_HELP: &str = "\
PULLBACK_ISA=portable in the environment computes without vector instructions, avx2, avx512, avx512_bf16, amx or neon \
with those; the result is the same, bit for bit, unless --precision is not f32. PULLBACK_ISA=amx_emulated makes the \
model of a processor with AMX, slowly.";

/// What commands compute on.
pub(crate) fn machine(threads: usize) -> Result<Machine> {
    Ok(Machine { isa: instruction_set()?, ..Machine::with_threads(checked_threads(threads)?) })
}

/// The instruction set that the environment asks for, or the best one.
fn instruction_set() -> Result<Isa> {
    let name = std::env::var_os(ISA).unwrap_or_default();
    if name.is_empty() {
        return Ok(Isa::best());
    }
    let name = name.to_string_lossy();
    Isa::from_name(&name).ok_or_else(|| {
        let available: Vec<&str> = Isa::available().map(Isa::name).collect();
        Failure::usage(
            format!("{ISA} is `{name}`, an instruction set that this processor does not have"),
            format!("available are {}", available.join(", ")),
        )
    })
}

/// A number of bytes: `500MB`, `1GiB`, `2g`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const KILO: f64 = 1000.0;
        const KIBI: f64 = 1024.0;
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => Some(1.0),
            "k" | "kib" => Some(KIBI),
            "m" | "mib" => Some(KIBI.powi(2)),
            "g" | "gib" => Some(KIBI.powi(3)),
            "t" | "tib" => Some(KIBI.powi(4)),
            "kb" => Some(KILO),
            "mb" => Some(KILO.powi(2)),
            "gb" => Some(KILO.powi(3)),
            "tb" => Some(KILO.powi(4)),
            _ => None,
        };
        let bytes = factor.zip(number.parse::<f64>().ok()).map(|(factor, number)| factor * number);
        match bytes {
            Some(bytes) if (1.0..1e18).contains(&bytes) => Ok(Self(bytes as u64)),
            _ => Err(format!("`{text}` is no size: write one such as 500MB or 1GiB")),
        }
    }
}

/// What the user lets this process use: a fact of the process, like the limits that the system sets it.
static LIMIT: OnceLock<u64> = OnceLock::new();

/// Lets this process use so much memory at most.
pub(crate) fn limit_memory(limit: Bytes) {
    let _ = LIMIT.set(limit.0);
}

/// A part of what is free that is left alone: other programs grow, and what is needed is known only about.
const MARGIN: u64 = 16;

/// How many bytes this process may still use: what the user leaves it, or as far as the system says and but for a
/// margin, the least of what is available, what its control group leaves, and the limit of its address space.
pub(crate) fn free_memory() -> Option<u64> {
    let own = LIMIT.get().map(|limit| limit.saturating_sub(used_memory().unwrap_or(0)));
    let system = system_memory().map(|bytes| bytes - bytes / MARGIN);
    [own, system].into_iter().flatten().min()
}

/// How many bytes of memory this process uses.
fn used_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

/// How many bytes the system has for this process.
fn system_memory() -> Option<u64> {
    let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
    });
    let address_space = fs::read_to_string("/proc/self/limits").ok().and_then(|text| {
        text.lines()
            .find_map(|line| line.strip_prefix("Max address space"))?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    [available, address_space, group_memory()].into_iter().flatten().min()
}

/// What the control groups of this process leave, from its own up to the root.
fn group_memory() -> Option<u64> {
    let number = |path: String| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut least = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next(), fields.next()?, fields.next()?);
        let (root, limit, usage) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max", "memory.current"),
            list if list.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
            }
            _ => continue,
        };
        // In a container the path may be that of the host; its own group is then the root.
        for group in std::path::Path::new(path).ancestors() {
            let folder = format!("{root}{}", group.display());
            if let (Some(limit), Some(usage)) =
                (number(format!("{folder}/{limit}")), number(format!("{folder}/{usage}")))
            {
                let left = limit.saturating_sub(usage).saturating_add(cached(&folder));
                least = Some(least.map_or(left, |least: u64| least.min(left)));
            }
        }
    }
    least
}

/// What a control group uses for the contents of files, which is given up where it is needed.
fn cached(folder: &str) -> u64 {
    let text = fs::read_to_string(format!("{folder}/memory.stat")).unwrap_or_default();
    let counts = text.lines().filter_map(|line| line.split_once(' '));
    let sizes = counts.filter_map(|(name, size)| {
        let name = name.strip_prefix("total_").unwrap_or(name);
        matches!(name, "inactive_file" | "active_file").then(|| size.parse::<u64>().ok())?
    });
    sizes.sum()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn sizes_are_read() {
        use super::Bytes;
        for (text, bytes) in [("1GiB", 1 << 30), ("500MB", 500_000_000), ("1.5k", 1536), ("7", 7)] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "GiB", "0", "-1", "1 parsec", "1e3", "nan"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_system_says_how_much_memory_is_free() {
        assert!(super::free_memory().is_some_and(|free| free > 1 << 20));
    }
}
