//! An entry as bytes: a first line with format, kind, key and the SHA-256 of the rest, then JSON. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::key::Key;
use crate::secret::Secret;
use crate::token::{Token, unix_seconds};

/// The name of the format, with its version: another one is not read.
const FORMAT: &str = "eks-group-auth-cache-1";

/// No entry comes near this; anything larger is not one.
pub const MAX_LEN: u64 = 64 * 1024;

/// A cached token is served while at least this much of its claimed life remains, so that client-go, which asks again
/// at its end, does not come back at once.
const TOKEN_MARGIN: Duration = Duration::from_secs(2 * 60);

/// A session is renewed when a quarter of its life remains, or this much if that is less.
const RENEWAL_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Where it cannot be renewed, a session is used until this long before its end.
const SESSION_MARGIN: Duration = Duration::from_secs(60);

/// How long a caller's name is believed. (A user can be renamed; nothing else changes the name behind a key.)
const CALLER_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Token,
    Session,
    Caller,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Token => "token",
            Kind::Session => "session",
            Kind::Caller => "caller",
        }
    }
}

pub trait Entry: Serialize + DeserializeOwned {
    const KIND: Kind;
}

/// All times are whole seconds since 1970, UTC.
#[derive(Debug, Serialize, Deserialize)]
pub struct TokenEntry {
    token: Token,
    expiration: u64,
    signed_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SessionEntry {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Secret,
    expiration: u64,
    obtained_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct CallerEntry {
    pub arn: String,
    learned_at: u64,
}

impl Entry for TokenEntry {
    const KIND: Kind = Kind::Token;
}

impl Entry for SessionEntry {
    const KIND: Kind = Kind::Session;
}

impl Entry for CallerEntry {
    const KIND: Kind = Kind::Caller;
}

impl TokenEntry {
    pub fn new(token: Token, expiration: SystemTime, signed_at: SystemTime) -> Self {
        TokenEntry { token, expiration: seconds(expiration), signed_at: seconds(signed_at) }
    }

    /// The token and its expiration, while it is good to hand out. One from the future is not: the clock was set back,
    /// and what the entry says of its end would be wrong by as much.
    pub fn serve(self, now: SystemTime) -> Option<(Token, SystemTime)> {
        let expiration = time(self.expiration);
        let is_good = time(self.signed_at) <= now && now + TOKEN_MARGIN <= expiration;
        is_good.then_some((self.token, expiration))
    }
}

/// What a session in the cache is good for.
#[derive(Debug, PartialEq, Eq)]
pub enum SessionState {
    Fresh,
    /// To be renewed; good enough if that fails.
    Renew,
    Over,
}

impl SessionEntry {
    /// `None` for credentials that are not a role session's: those have a session token and an expiry.
    pub fn new(credentials: &Credentials, now: SystemTime) -> Option<Self> {
        Some(SessionEntry {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: Secret::new(credentials.secret_access_key()),
            session_token: Secret::new(credentials.session_token()?),
            expiration: seconds(credentials.expiry()?),
            obtained_at: seconds(now),
        })
    }

    pub fn state(&self, now: SystemTime) -> SessionState {
        let (obtained_at, expiration) = (time(self.obtained_at), time(self.expiration));
        let Ok(life) = expiration.duration_since(obtained_at) else { return SessionState::Over };
        if now < obtained_at || expiration < now + SESSION_MARGIN {
            SessionState::Over
        } else if expiration < now + RENEWAL_WINDOW.min(life / 4) {
            SessionState::Renew
        } else {
            SessionState::Fresh
        }
    }

    pub fn expiration(&self) -> SystemTime {
        time(self.expiration)
    }

    pub fn credentials(&self) -> Credentials {
        Credentials::new(
            self.access_key_id.as_str(),
            self.secret_access_key.expose(),
            Some(self.session_token.expose().to_owned()),
            Some(self.expiration()),
            "eks-group-auth cache",
        )
    }
}

impl CallerEntry {
    pub fn new(arn: String, now: SystemTime) -> Self {
        CallerEntry { arn, learned_at: seconds(now) }
    }

    pub fn is_fresh(&self, now: SystemTime) -> bool {
        now.duration_since(time(self.learned_at)).is_ok_and(|age| age < CALLER_LIFE)
    }
}

pub fn render<E: Entry>(key: &Key, entry: &E) -> Vec<u8> {
    let body = serde_json::to_string(entry).expect("strings and numbers are always JSON");
    format!("{}{body}\n", first_line::<E>(key, &body)).into_bytes()
}

/// `None` for anything that [`render`] did not make, under this key and for this kind.
pub fn parse<E: Entry>(key: &Key, bytes: &[u8]) -> Option<E> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, body) = text.strip_suffix('\n')?.split_once('\n')?;
    text.starts_with(&first_line::<E>(key, body)).then_some(())?;
    serde_json::from_str(body).ok()
}

fn first_line<E: Entry>(key: &Key, body: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(body).into();
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{FORMAT} {} {key} {digest}\n", E::KIND.as_str())
}

fn seconds(time: SystemTime) -> u64 {
    unix_seconds(time).max(0) as u64
}

/// A number that no clock reaches gives 1970, and so an entry that is over.
fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .filter(|_| seconds < u64::from(u32::MAX) * 4)
        .unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Fingerprint;
    use crate::region::Region;
    use crate::request::{ClusterName, StsEndpoint};
    use proptest::prelude::*;

    fn key(cluster: &str) -> Key {
        let endpoint =
            StsEndpoint { region: Region::parse("eu-west-1").unwrap(), use_fips: false, use_dual_stack: false };
        let identity = Fingerprint::of(0, &Default::default(), "default", false, &[]);
        Key::token(&identity, &endpoint, None, &ClusterName::parse(cluster).unwrap())
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn session(life: u64) -> SessionEntry {
        let credentials = Credentials::new("ASIA", "MARKER", Some("MARKER".into()), Some(at(life)), "test");
        SessionEntry::new(&credentials, at(0)).unwrap()
    }

    #[test]
    fn an_entry_comes_back_as_it_was() {
        let bytes = render(&key("a"), &session(3600));
        assert_eq!(parse::<SessionEntry>(&key("a"), &bytes).unwrap().credentials().secret_access_key(), "MARKER");
    }

    #[test]
    fn an_entry_under_another_key_or_of_another_kind_is_none() {
        let bytes = render(&key("a"), &session(3600));
        assert!(parse::<SessionEntry>(&key("b"), &bytes).is_none());
        assert!(parse::<CallerEntry>(&key("a"), &bytes).is_none());
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", session(3600)).contains("MARKER"));
    }

    #[test]
    fn a_session_is_renewed_in_the_last_quarter_but_not_before_the_last_15_minutes() {
        for (life, now, state) in [
            (3600, 0, SessionState::Fresh),
            (3600, 2700, SessionState::Fresh),
            (3600, 2701, SessionState::Renew),
            (3600, 3540, SessionState::Renew),
            (3600, 3541, SessionState::Over),
            (900, 675, SessionState::Fresh),
            (900, 676, SessionState::Renew),
            (43200, 42300, SessionState::Fresh),
            (43200, 42301, SessionState::Renew),
        ] {
            assert_eq!(session(life).state(at(now)), state, "{now} of {life} s");
        }
        assert_eq!(session(3600).state(at(0) - Duration::from_secs(1)), SessionState::Over, "the clock was set back");
    }

    #[test]
    fn a_number_that_is_no_time_makes_an_entry_that_is_over() {
        let entry = SessionEntry { expiration: u64::MAX, ..session(3600) };
        assert_eq!(entry.state(at(0)), SessionState::Over);
    }

    proptest! {
        #[test]
        fn no_damage_goes_unseen_and_none_makes_the_parser_panic(position in 0usize..2000, flip in 1u8..=255) {
            let mut bytes = render(&key("a"), &session(3600));
            let position = position % bytes.len();
            bytes[position] ^= flip;
            prop_assert!(parse::<SessionEntry>(&key("a"), &bytes).is_none());
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(parse::<TokenEntry>(&key("a"), &bytes).is_none());
        }

        #[test]
        fn a_cut_entry_is_none(at in 0usize..2000) {
            let bytes = render(&key("a"), &session(3600));
            prop_assert!(parse::<SessionEntry>(&key("a"), &bytes[..at % bytes.len()]).is_none());
        }
    }
}
