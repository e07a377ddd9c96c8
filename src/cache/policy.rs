//! What may be cached and for how long: every duration of the cache and the decisions based on it. Pure.

use std::time::{Duration, SystemTime};

/// What may be cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMode {
    /// Tokens and role sessions.
    All,
    /// Tokens only: nothing more powerful than 15 minutes of Kubernetes access is written to disk.
    Token,
    Off,
}

/// A cached token is served as long as at least this much of its stated lifetime remains, so that client-go, which asks
/// again when it expires, does not come back immediately.
const TOKEN_MARGIN: Duration = Duration::from_secs(2 * 60);

/// A session is renewed when a quarter of its life remains, or this much if that is less.
const RENEWAL_WINDOW: Duration = Duration::from_secs(15 * 60);

/// If it cannot be renewed, a session is used until this long before it expires.
const SESSION_MARGIN: Duration = Duration::from_secs(60);

/// How long to trust a session that was obtained while the local clock was wrong.
const SKEWED_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// How long refusals by a cluster count as a series. A session is discarded as possibly revoked only if it is at least
/// this old, so STS is called at most once in this time.
pub const REFUSAL_WINDOW: Duration = Duration::from_secs(60);

/// How long to trust a cached caller name. (A user can be renamed; nothing else changes the name behind a key.)
pub const CALLER_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// How long after its last write a token's file can be useful: a token is valid for a quarter of an hour.
const TOKEN_FILE_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The same for the file of a session or a caller: sessions last at most twelve hours.
const SESSION_FILE_LIFETIME: Duration = Duration::from_secs(13 * 60 * 60);

/// Temporary files exist for less than this, unless their writer was killed.
pub const TEMPORARY_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How often the directory is swept.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How many files a sweep removes at most.
pub const SWEEP_AT_ONCE: usize = 2000;

/// Whether a token may be handed out. One from the future may not: the clock was set back, and the expiry in its entry
/// would be wrong by the same amount.
pub fn is_token_valid(signed_at: SystemTime, expiration: SystemTime, now: SystemTime) -> bool {
    signed_at <= now && now + TOKEN_MARGIN <= expiration
}

/// Whether a token is so new that signing another one would not help.
pub fn is_token_new(signed_at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(signed_at).is_ok_and(|age| age < REFUSAL_WINDOW)
}

/// The state of a cached session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    Fresh,
    /// Should be renewed, but can be used if that fails.
    Renew,
    Expired,
}

/// `is_skewed`: the session was obtained while the local clock was wrong.
pub fn session_state(
    obtained_at: SystemTime,
    expiration: SystemTime,
    is_skewed: bool,
    now: SystemTime,
) -> SessionState {
    let Ok(life) = expiration.duration_since(obtained_at) else { return SessionState::Expired };
    // A wrong clock may have been corrected since, and then all times here are wrong.
    let is_doubtful = is_skewed && obtained_at + SKEWED_LIFETIME < now;
    if now < obtained_at || expiration < now + SESSION_MARGIN || is_doubtful {
        SessionState::Expired
    } else if expiration < now + RENEWAL_WINDOW.min(life / 4) {
        SessionState::Renew
    } else {
        SessionState::Fresh
    }
}

/// Whether a session is old enough to be replaced if the cluster seems to refuse it.
pub fn may_be_revoked(obtained_at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(obtained_at).is_ok_and(|age| age >= REFUSAL_WINDOW)
}

pub fn is_caller_fresh(learned_at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(learned_at).is_ok_and(|age| age < CALLER_LIFETIME)
}

/// Whether to sweep, given the time of the last complete sweep. A time in the future does not count.
pub fn is_sweep_due(last: Option<SystemTime>, now: SystemTime) -> bool {
    last.is_none_or(|last| now.duration_since(last).map_or(true, |age| age >= SWEEP_INTERVAL))
}

/// Whether a file with this name, last written at this time, is of no more use.
pub fn is_stale(name: &str, written: SystemTime, now: SystemTime) -> bool {
    let age = now.duration_since(written).ok();
    max_age(name).zip(age).is_some_and(|(max_age, age)| age > max_age)
}

/// Whether this file can be removed because AWS can provide its contents again. Lock files are never removed, or two
/// processes could hold "the same" lock.
pub fn is_removable(name: &str) -> bool {
    max_age(name).is_some()
}

/// How long after its last write a file can still be useful; `None` for files that are kept forever.
fn max_age(name: &str) -> Option<Duration> {
    // The user may have chosen a directory with other files in it: only names that match ours exactly are considered.
    let is_hex = |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_hexdigit());
    let (name, is_temporary) = match name.strip_prefix('.').and_then(|name| name.split_once('.')) {
        Some((name, random)) if is_hex(random, 16) => (name, true),
        _ => (name, false),
    };
    let (kind, key) = name.split_once('-')?;
    let life = match kind {
        "token" | "asked" | "failure" => TOKEN_FILE_LIFETIME,
        "session" | "caller" => SESSION_FILE_LIFETIME,
        _ => return None,
    };
    is_hex(key, 64).then_some(if is_temporary { TEMPORARY_LIFETIME } else { life })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    #[test]
    fn a_token_is_served_until_two_minutes_before_expiry() {
        let is_good = |now: u64| is_token_valid(at(100), at(940), at(now));
        assert_eq!([99, 100, 820, 821].map(is_good), [false, true, true, false]);
    }

    #[test]
    fn a_token_is_new_for_a_minute() {
        assert_eq!([99, 100, 159, 160].map(|now| is_token_new(at(100), at(now))), [false, true, true, false]);
    }

    #[test]
    fn a_session_is_renewed_in_the_last_quarter_but_not_before_the_last_15_minutes() {
        for (life, now, state) in [
            (3600, 0, SessionState::Fresh),
            (3600, 2700, SessionState::Fresh),
            (3600, 2701, SessionState::Renew),
            (3600, 3540, SessionState::Renew),
            (3600, 3541, SessionState::Expired),
            (900, 675, SessionState::Fresh),
            (900, 676, SessionState::Renew),
            (43200, 42300, SessionState::Fresh),
            (43200, 42301, SessionState::Renew),
        ] {
            assert_eq!(session_state(at(0), at(life), false, at(now)), state, "{now} of {life} s");
        }
        assert_eq!(session_state(at(1), at(3601), false, at(0)), SessionState::Expired, "the clock was set back");
        assert_eq!(session_state(at(1), at(0), false, at(1)), SessionState::Expired, "it ends before it begins");
    }

    #[test]
    fn a_session_from_a_skewed_clock_is_trusted_for_five_minutes() {
        let state = |now| session_state(at(0), at(3600), true, at(now));
        assert_eq!((state(300), state(301)), (SessionState::Fresh, SessionState::Expired));
    }

    #[test]
    fn a_session_may_be_revoked_after_a_minute_and_a_caller_is_trusted_for_twelve_hours() {
        assert_eq!([0, 59, 60].map(|now| may_be_revoked(at(0), at(now))), [false, false, true]);
        assert_eq!([0, 43199, 43200].map(|now| is_caller_fresh(at(0), at(now))), [true, true, false]);
        assert!(!may_be_revoked(at(1), at(0)) && !is_caller_fresh(at(1), at(0)), "from the future");
    }

    #[test]
    fn the_cache_is_swept_once_an_hour() {
        assert!(is_sweep_due(None, at(0)) && is_sweep_due(Some(at(1)), at(0)));
        assert_eq!([0, 3599, 3600].map(|now| is_sweep_due(Some(at(0)), at(now))), [false, false, true]);
    }

    #[test]
    fn a_file_is_stale_after_its_max_age() {
        let token = format!("token-{}", "0f".repeat(32));
        assert_eq!([0, 3600, 3601].map(|now| is_stale(&token, at(0), at(now))), [false, false, true]);
        assert!(!is_stale(&token, at(10_000), at(0)) && !is_stale("lock-07", at(0), at(1_000_000)));
    }

    #[test]
    fn each_kind_of_file_has_a_maximum_age() {
        let key = "0f".repeat(32);
        let seconds = |name: String| max_age(&name).map(|life| life.as_secs());
        for kind in ["token", "asked", "failure"] {
            assert_eq!(seconds(format!("{kind}-{key}")), Some(3600), "{kind}");
        }
        for kind in ["session", "caller"] {
            assert_eq!(seconds(format!("{kind}-{key}")), Some(46800), "{kind}");
            assert_eq!(seconds(format!(".{kind}-{key}.0123456789abcdef")), Some(600), "{kind}");
        }
    }

    #[test]
    fn only_our_own_files_are_removable() {
        let key = "0f".repeat(32);
        for ours in [format!("token-{key}"), format!("asked-{key}"), format!(".session-{key}.0123456789abcdef")] {
            assert!(is_removable(&ours), "{ours}");
        }
        for other in [
            "token-notes.txt",
            ".ssh-keys",
            "session-1",
            "lock-07",
            "swept",
            &key,
            &format!("token-{key}.bak"),
            &format!(".token-{key}"),
        ] {
            assert!(!is_removable(other), "{other}");
        }
    }
}
