//! The clock as a value: code that needs the time takes it as an argument.

use std::time::{Instant, SystemTime};

/// Only `main` creates one.
#[derive(Clone, Copy)]
pub struct Clock {
    now: fn() -> SystemTime,
    instant: fn() -> Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    pub fn system() -> Self {
        Clock { now: SystemTime::now, instant: Instant::now }
    }

    /// The wall clock, which may be changed at any time.
    pub fn now(self) -> SystemTime {
        (self.now)()
    }

    /// For measuring how long something takes.
    pub fn instant(self) -> Instant {
        (self.instant)()
    }
}
