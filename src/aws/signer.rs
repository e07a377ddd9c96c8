//! Credentials for signing requests.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;

/// Credentials, and the clock skew of their issuer.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Their expiry is in local clock time.
    pub credentials: Credentials,
    /// How far STS's clock is ahead of the local one, in seconds.
    pub clock_skew: i64,
}

impl Signer {
    /// STS's time when the local clock shows `now`.
    pub fn time_at_sts(&self, now: SystemTime) -> SystemTime {
        shift(now, self.clock_skew)
    }
}

/// Shifts a time forwards or backwards by some seconds.
pub fn shift(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let shifted = if seconds < 0 { time.checked_sub(by) } else { time.checked_add(by) };
    shifted.unwrap_or(time)
}
