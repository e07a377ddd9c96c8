//! What a person sees: errors with their hints, warnings, the steps of `-v`, and questions. All of it goes to stderr;
//! stdout is for the answer.

/// What happened, what to do next, and how the program ends.
pub mod explain;
/// A string that does not print.
pub mod secret;
/// Text from outside, as it may stand in a message.
pub mod text;
/// Moments, as they are written.
pub mod time;
/// What is worth a line and does not stop a call.
pub mod warning;
/// Words as a shell splits them.
pub mod words;

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::time::Instant;

use crate::sys::clock::Clock;
use warning::Warning;

/// The one way from a command to its user.
pub struct Say {
    clock: Clock,
    /// Since when the step lasts that is being done; nobody wants to know without `-v`.
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

    /// With `-v`, a step has ended: what it was, and how long it took. The words are made only where somebody reads them.
    pub fn step(&self, words: impl FnOnce() -> String) {
        if let Some(step_began) = &self.step_began {
            let now = self.clock.instant();
            let took = now.duration_since(step_began.replace(now)).as_secs_f64() * 1000.0;
            let _ = writeln!(std::io::stderr(), "eks-group-auth: {took:7.1} ms: {}", words());
        }
    }

    /// Kept until the end, so as not to stand between a question and its answer.
    pub fn warn(&self, warning: Warning) {
        self.warnings.borrow_mut().push(warning);
    }

    /// Asks for a line, without one of its own.
    pub fn prompt(&self, question: &str) {
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "eks-group-auth: {question}: ").and_then(|()| stderr.flush());
    }

    /// Says the warnings that there were.
    pub fn finish(self) {
        for warning in self.warnings.into_inner() {
            let _ = writeln!(std::io::stderr(), "{warning}");
        }
    }
}
