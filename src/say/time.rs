//! Formatting times: whole seconds since 1970, and RFC 3339.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// Whole seconds since 1970, UTC; before that, 0.
pub fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// `2026-01-02T03:04:05Z`. `None` if the year has more than four digits.
pub fn rfc3339(time: SystemTime) -> Option<String> {
    DateTime::from_secs(unix_seconds(time)).fmt(Format::DateTime).ok()
}
