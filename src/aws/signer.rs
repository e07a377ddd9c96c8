//! What signs a request.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;

/// Credentials, and what is known of the clock of whoever issued them.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Their expiry is by the local clock.
    pub credentials: Credentials,
    /// How far STS's clock is ahead of the local one, in seconds.
    pub clock_skew: i64,
}

impl Signer {
    /// What STS's clock shows when the local one shows `now`.
    pub fn time_at_sts(&self, now: SystemTime) -> SystemTime {
        shift(now, self.clock_skew)
    }
}

/// A time some seconds later, or earlier.
pub fn shift(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let shifted = if seconds < 0 { time.checked_sub(by) } else { time.checked_add(by) };
    shifted.unwrap_or(time)
}
