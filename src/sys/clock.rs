//! The clock, as a value: what depends on the time gets it, and asks nobody else.

use std::time::{Instant, SystemTime};

/// Only `main` makes one.
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

    /// The date, which may be set at any time.
    pub fn now(self) -> SystemTime {
        (self.now)()
    }

    /// For measuring how long something takes.
    pub fn instant(self) -> Instant {
        (self.instant)()
    }
}
