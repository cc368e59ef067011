//! How a run is ended from outside: the first interrupt or termination lets it finish the step and keep what it has
//! come to, the second one ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether a signal has come, and which; seen by all who hold it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Catches the signals from now on. One that is ignored, as in a script's background jobs, stays so: by convention
    /// a program does not change that.
    pub(crate) fn caught() -> Self {
        let interrupt = Self::default();
        #[cfg(unix)]
        interrupt.catch();
        interrupt
    }

    #[cfg(unix)]
    fn catch(&self) {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::flag;
        let is_second = Arc::new(std::sync::atomic::AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal)) {
            // In this order: what the first one sets, the second one finds. Without a handler, the signal does what it
            // does by itself, so nothing is to be said of a failure.
            let _ = flag::register_conditional_default(signal, Arc::clone(&is_second));
            let _ = flag::register(signal, Arc::clone(&is_second));
            let _ = flag::register_usize(signal, Arc::clone(&self.signal), signal as usize);
        }
    }

    /// The exit code by which a shell tells that a signal ended a program, once one has come.
    pub(crate) fn code(&self) -> Option<u8> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(128 + signal as u8),
        }
    }
}

/// Whether the process was started with a signal ignored; told on Linux only.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
