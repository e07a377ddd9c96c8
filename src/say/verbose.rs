//! What `-v` says: each step on stderr as it ends, with the time it took; never a secret.

use std::cell::Cell;
use std::io::Write as _;
use std::time::Instant;

pub struct Verbose {
    is_on: bool,
    step_began: Cell<Instant>,
}

impl Verbose {
    pub fn new(is_on: bool) -> Self {
        Verbose { is_on, step_began: Cell::new(Instant::now()) }
    }

    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// A step has ended. The words are made only where somebody reads them.
    pub fn say(&self, words: impl FnOnce() -> String) {
        if self.is_on {
            let began = self.step_began.replace(Instant::now());
            let took = began.elapsed().as_secs_f64() * 1000.0;
            let _ = writeln!(std::io::stderr(), "eks-group-auth: {took:7.1} ms: {}", words());
        }
    }
}
