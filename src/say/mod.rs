//! User-facing output: errors with their hints, warnings, `-v` steps and prompts. All of it goes to stderr; stdout is
//! for the result.

/// Error messages, hints and exit codes.
pub mod explain;
/// A string that is never printed.
pub mod secret;
/// Making external text safe to show in messages.
pub mod text;
/// Formatting times.
pub mod time;
/// Warnings.
pub mod warning;
/// Shell word splitting.
pub mod words;

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::time::Instant;

use crate::sys::clock::Clock;
use warning::Warning;

/// The only channel from a command to its user.
pub struct Say {
    clock: Clock,
    /// When the current step began; only set with `-v`.
    step_began: Option<Cell<Instant>>,
    warnings: RefCell<Vec<Warning>>,
}

impl Say {
    pub fn new(is_verbose: bool, clock: Clock) -> Self {
        let step_began = is_verbose.then(|| Cell::new(clock.instant()));
        Say { clock, step_began, warnings: RefCell::default() }
    }

    pub fn is_verbose(&self) -> bool {
        self.step_began.is_some()
    }

    /// With `-v`, prints a finished step and how long it took. The message is only built if it is printed.
    pub fn step(&self, words: impl FnOnce() -> String) {
        if let Some(step_began) = &self.step_began {
            let now = self.clock.instant();
            let took = now.duration_since(step_began.replace(now)).as_secs_f64() * 1000.0;
            let _ = writeln!(std::io::stderr(), "eks-group-auth: {took:7.1} ms: {}", words());
        }
    }

    /// Warnings are held back until the end, so that they do not appear between a prompt and its answer.
    pub fn warn(&self, warning: Warning) {
        self.warnings.borrow_mut().push(warning);
    }

    /// Prints a prompt without a newline.
    pub fn prompt(&self, question: &str) {
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "eks-group-auth: {question}: ").and_then(|()| stderr.flush());
    }

    /// Prints all warnings.
    pub fn print_warnings(self) {
        for warning in self.warnings.into_inner() {
            let _ = writeln!(std::io::stderr(), "{warning}");
        }
    }
}
