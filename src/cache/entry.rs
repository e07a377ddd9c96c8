//! The serialized form of an entry: a first line with format, kind, key and the SHA-256 of the rest, then JSON. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::aws::signer::Signer;
use crate::cache::key::{Key, hex};
use crate::cache::policy::{self, SessionState};
use crate::kube::exec::Status;
use crate::kube::token::Token;
use crate::say::explain::{Exit, Explanation};
use crate::say::secret::Secret;
use crate::say::text::shown;
use crate::say::time::unix_seconds;

/// The name and version of the format; entries in any other format are not read.
const FORMAT: &str = "eks-group-auth-cache-2";

/// No entry comes close to this size; anything larger is not an entry.
pub const MAX_LEN: u64 = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Token,
    Session,
    Caller,
    Failure,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Token => "token",
            Kind::Session => "session",
            Kind::Caller => "caller",
            Kind::Failure => "failure",
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
    about: Description,
}

/// A description of an entry for its owner. No decision depends on it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Description {
    pub cluster: Option<String>,
    /// The assumed role.
    pub role: Option<String>,
    #[serde(default)]
    pub session_name: Option<String>,
    pub region: String,
    /// Where the caller's credentials come from.
    pub identity: String,
}

impl Description {
    pub fn summary(&self) -> String {
        match (&self.role, &self.session_name) {
            (Some(role), Some(name)) => format!("for role `{}`, session `{}`", shown(role), shown(name)),
            (Some(role), None) => format!("for role `{}`", shown(role)),
            _ => "for the caller's own identity".into(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SessionEntry {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Secret,
    /// By the local clock.
    expiration: u64,
    obtained_at: u64,
    /// How far STS's clock was ahead of the local clock, in seconds.
    clock_skew: i64,
    about: Description,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct CallerEntry {
    pub arn: String,
    learned_at: u64,
    about: Description,
}

/// The error of the process that called AWS, for the processes that waited for it. No one else reads it.
#[derive(Debug, Serialize, Deserialize)]
pub struct FailureEntry {
    exit_code: u8,
    message: String,
    hint: Option<String>,
    /// Milliseconds since 1970, UTC.
    failed_at: u64,
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

impl Entry for FailureEntry {
    const KIND: Kind = Kind::Failure;
}

impl TokenEntry {
    pub fn new(status: &Status, signed_at: SystemTime, about: Description) -> Self {
        let Status { token, expiration } = status;
        TokenEntry { token: token.clone(), expiration: seconds(*expiration), signed_at: seconds(signed_at), about }
    }

    /// Whether it is so new that signing another one would not help.
    pub fn is_new(&self, now: SystemTime) -> bool {
        policy::is_token_new(time(self.signed_at), now)
    }

    pub fn signed_at(&self) -> u64 {
        self.signed_at
    }

    pub fn about(&self) -> &Description {
        &self.about
    }

    /// Whether it is valid long enough to hand out.
    pub fn is_good(&self, now: SystemTime) -> bool {
        policy::is_token_valid(time(self.signed_at), time(self.expiration), now)
    }

    pub fn into_status(self) -> Status {
        Status { token: self.token, expiration: time(self.expiration) }
    }
}

impl SessionEntry {
    /// `None` for credentials that are not from a role session, which always have a session token and an expiry.
    pub fn new(session: &Signer, now: SystemTime, about: Description) -> Option<Self> {
        let credentials = &session.credentials;
        Some(SessionEntry {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: Secret::new(credentials.secret_access_key()),
            session_token: Secret::new(credentials.session_token()?),
            expiration: seconds(credentials.expiry()?),
            obtained_at: seconds(now),
            clock_skew: session.clock_skew,
            about,
        })
    }

    /// Whether it is old enough to be replaced if the cluster seems to refuse it.
    pub fn may_be_revoked(&self, now: SystemTime) -> bool {
        policy::may_be_revoked(time(self.obtained_at), now)
    }

    pub fn state(&self, now: SystemTime) -> SessionState {
        policy::session_state(time(self.obtained_at), self.expiration(), self.clock_skew != 0, now)
    }

    pub fn expiration(&self) -> SystemTime {
        time(self.expiration)
    }

    pub fn about(&self) -> &Description {
        &self.about
    }

    pub fn signer(&self) -> Signer {
        let credentials = Credentials::new(
            self.access_key_id.as_str(),
            self.secret_access_key.expose(),
            Some(self.session_token.expose().to_owned()),
            Some(self.expiration()),
            "eks-group-auth cache",
        );
        Signer { credentials, clock_skew: self.clock_skew }
    }
}

impl CallerEntry {
    pub fn new(arn: String, now: SystemTime, about: Description) -> Self {
        CallerEntry { arn, learned_at: seconds(now), about }
    }

    pub fn is_fresh(&self, now: SystemTime) -> bool {
        policy::is_caller_fresh(time(self.learned_at), now)
    }
}

impl FailureEntry {
    pub fn new(Explanation { what, hint, exit }: Explanation, now: SystemTime) -> Self {
        FailureEntry { exit_code: exit.code(), message: what, hint, failed_at: milliseconds(now) }
    }

    /// The error, if it occurred while this process was waiting.
    pub fn since(self, waiting_since: SystemTime, now: SystemTime) -> Option<Explanation> {
        let is_ours = (milliseconds(waiting_since)..=milliseconds(now)).contains(&self.failed_at);
        let exit = Exit::from_code(self.exit_code).filter(|_| is_ours)?;
        Some(Explanation { what: self.message, hint: self.hint, exit })
    }
}

/// An entry of any kind, as shown to its owner.
pub struct ListedEntry {
    pub kind: Kind,
    pub about: Description,
    pub expiration: SystemTime,
}

impl ListedEntry {
    /// `None` for anything that is not an entry stored under its own name.
    pub fn parse(name: &str, bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let body = verified_body(text)?;
        let mut words = text.split(' ').skip(1);
        let (kind, key) = (words.next()?, words.next()?);
        (name == format!("{kind}-{key}")).then_some(())?;
        match kind {
            "token" => serde_json::from_str(body).ok().map(|entry: TokenEntry| ListedEntry {
                kind: Kind::Token,
                about: entry.about,
                expiration: time(entry.expiration),
            }),
            "session" => serde_json::from_str(body).ok().map(|entry: SessionEntry| ListedEntry {
                kind: Kind::Session,
                expiration: entry.expiration(),
                about: entry.about,
            }),
            "caller" => serde_json::from_str(body).ok().map(|entry: CallerEntry| ListedEntry {
                kind: Kind::Caller,
                about: entry.about,
                expiration: time(entry.learned_at) + policy::CALLER_LIFETIME,
            }),
            _ => None,
        }
    }
}

pub fn render<E: Entry>(key: &Key, entry: &E) -> Vec<u8> {
    let body = serde_json::to_string(entry).expect("strings and numbers are always JSON");
    seal(E::KIND.as_str(), key, &body).into_bytes()
}

/// Puts the first line in front of a body.
pub fn seal(kind: &str, key: &Key, body: &str) -> String {
    format!("{FORMAT} {kind} {key} {}\n{body}\n", hex_digest(body))
}

/// `None` for anything that [`render`] did not write for this key and kind.
pub fn parse<E: Entry>(key: &Key, bytes: &[u8]) -> Option<E> {
    let text = std::str::from_utf8(bytes).ok()?;
    let body = verified_body(text)?;
    text.starts_with(&format!("{FORMAT} {} {key} ", E::KIND.as_str())).then_some(())?;
    serde_json::from_str(body).ok()
}

/// The JSON, if it matches the digest in the first line.
fn verified_body(text: &str) -> Option<&str> {
    let (first, body) = text.strip_suffix('\n')?.split_once('\n')?;
    let mut words = first.split(' ');
    let is_sound = words.next() == Some(FORMAT) && words.nth(2) == Some(&hex_digest(body)) && words.next().is_none();
    is_sound.then_some(body)
}

fn hex_digest(body: &str) -> String {
    hex(&Sha256::digest(body).into())
}

fn milliseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

pub fn seconds(time: SystemTime) -> u64 {
    unix_seconds(time).max(0) as u64
}

/// An impossibly large number gives 1970, and so an expired entry.
fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .filter(|_| seconds < u64::from(u32::MAX) * 4)
        .unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::endpoint::StsEndpoint;
    use crate::aws::endpoints::Endpoints;
    use crate::aws::fingerprint::{Fingerprint, Place};
    use crate::aws::names::ClusterName;
    use crate::aws::profile::tests::files;
    use crate::aws::region::Region;
    use crate::aws::source::{CredentialSource, ProfileChoice};
    use crate::sys::env::Env;
    use proptest::prelude::*;

    fn key(cluster: &str) -> Key {
        let endpoint =
            StsEndpoint { region: Region::parse("eu-west-1").unwrap(), use_fips: false, use_dual_stack: false };
        let place = Place { effective_uid: 0, host_name: "host".into(), working_directory: None };
        let files = files("", "");
        let source =
            CredentialSource::resolve(ProfileChoice::resolve(None, &Env::default()).unwrap(), &Env::default(), &files);
        let identity = Fingerprint::new(&place, &Env::default(), &source.unwrap(), &Endpoints::default(), &[]);
        Key::token(&identity, &endpoint, None, &ClusterName::parse(cluster).unwrap())
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn session(life: u64) -> SessionEntry {
        let credentials = Credentials::new("ASIA", "MARKER", Some("MARKER".into()), Some(at(life)), "test");
        SessionEntry::new(&Signer { credentials, clock_skew: 0 }, at(0), Description::default()).unwrap()
    }

    #[test]
    fn an_entry_round_trips() {
        let bytes = render(&key("a"), &session(3600));
        assert_eq!(
            parse::<SessionEntry>(&key("a"), &bytes).unwrap().signer().credentials.secret_access_key(),
            "MARKER"
        );
    }

    #[test]
    fn an_entry_with_another_key_or_kind_is_rejected() {
        let bytes = render(&key("a"), &session(3600));
        assert!(parse::<SessionEntry>(&key("b"), &bytes).is_none());
        assert!(parse::<CallerEntry>(&key("a"), &bytes).is_none());
    }

    #[test]
    fn an_entry_is_listed_with_its_kind_its_owner_and_its_expiry() {
        let about = |cluster: &str| Description { cluster: Some(cluster.into()), ..Description::default() };
        let status = Status { token: Token::encode("https://x"), expiration: at(900) };
        let session = SessionEntry { about: about("session"), ..session(3600) };
        let caller = CallerEntry::new("arn".into(), at(0), about("caller"));
        let key = key("a");
        for (kind, bytes, expiration) in [
            (Kind::Token, render(&key, &TokenEntry::new(&status, at(0), about("token"))), at(900)),
            (Kind::Session, render(&key, &session), at(3600)),
            (Kind::Caller, render(&key, &caller), at(12 * 3600)),
        ] {
            let name = kind.as_str();
            let listed = ListedEntry::parse(&format!("{name}-{key}"), &bytes).expect(name);
            assert_eq!(
                (listed.kind, listed.about.cluster.as_deref(), listed.expiration),
                (kind, Some(name), expiration)
            );
            assert!(ListedEntry::parse(&format!("other-{key}"), &bytes).is_none(), "{name} under another name");
        }
        let failure = render(&key, &FailureEntry::new(Explanation::new(Exit::Refused, "no"), at(0)));
        assert!(ListedEntry::parse(&format!("failure-{key}"), &failure).is_none(), "a failure is not shown");
    }

    #[test]
    fn an_entry_says_for_whom_it_is() {
        let about = |role: Option<&str>, session_name: Option<&str>| {
            let (role, session_name) = (role.map(Into::into), session_name.map(Into::into));
            Description { role, session_name, ..Description::default() }.summary()
        };
        let all = [about(Some("r"), Some("s")), about(Some("r"), None), about(None, None)];
        assert_eq!(all, ["for role `r`, session `s`", "for role `r`", "for the caller's own identity"]);
    }

    #[test]
    fn a_token_is_judged_by_its_own_times() {
        let status = Status { token: Token::encode("https://x"), expiration: at(900) };
        let entry = TokenEntry::new(&status, at(100), Description::default());
        assert_eq!(entry.signed_at(), 1_800_000_100);
        assert_eq!([99, 100, 780, 781].map(|now| entry.is_good(at(now))), [false, true, true, false]);
        assert_eq!([100, 159, 160].map(|now| entry.is_new(at(now))), [true, true, false]);
        let served = entry.into_status();
        assert_eq!((served.token, served.expiration), (status.token, status.expiration));
    }

    #[test]
    fn a_session_is_judged_by_its_own_times() {
        let session = session(3600);
        assert_eq!([59, 60].map(|now| session.may_be_revoked(at(now))), [false, true]);
        assert_eq!([3540, 3541].map(|now| session.state(at(now))), [SessionState::Renew, SessionState::Expired]);
        let skewed = SessionEntry { clock_skew: -90, ..session };
        assert_eq!([300, 301].map(|now| skewed.state(at(now))), [SessionState::Fresh, SessionState::Expired]);
        assert_eq!((skewed.signer().clock_skew, skewed.expiration()), (-90, at(3600)));
    }

    #[test]
    fn a_caller_is_believed_for_twelve_hours() {
        let entry = CallerEntry::new("arn".into(), at(0), Description::default());
        assert_eq!([0, 43_199, 43_200].map(|now| entry.is_fresh(at(now))), [true, true, false]);
    }

    #[test]
    fn a_failure_is_for_those_who_were_waiting_when_it_happened() {
        let failure = |failed_at| FailureEntry::new(Explanation::new(Exit::Refused, "no").hint("ask"), failed_at);
        let shared = failure(at(10)).since(at(10), at(10)).expect("it happened while this one was waiting");
        assert_eq!(shared, Explanation::new(Exit::Refused, "no").hint("ask"));
        assert_eq!(failure(at(9)).since(at(10), at(11)), None, "before");
        assert_eq!(failure(at(12)).since(at(10), at(11)), None, "by a clock that was set back since");
        assert_eq!(FailureEntry { exit_code: 99, ..failure(at(10)) }.since(at(10), at(10)), None, "no such exit code");
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", session(3600)).contains("MARKER"));
    }

    #[test]
    fn an_impossible_time_means_expired() {
        let entry = SessionEntry { expiration: u64::MAX, ..session(3600) };
        assert_eq!(entry.state(at(0)), SessionState::Expired);
        let most = u64::from(u32::MAX) * 4;
        assert_eq!((time(most), time(most - 1)), (UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(most - 1)));
    }

    proptest! {
        #[test]
        fn damage_is_always_detected_without_a_panic(position in 0usize..2000, flip in 1u8..=255) {
            let mut bytes = render(&key("a"), &session(3600));
            let position = position % bytes.len();
            bytes[position] ^= flip;
            prop_assert!(parse::<SessionEntry>(&key("a"), &bytes).is_none());
        }

        #[test]
        fn the_parser_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(parse::<TokenEntry>(&key("a"), &bytes).is_none());
        }

        #[test]
        fn a_truncated_entry_is_rejected(at in 0usize..2000) {
            let bytes = render(&key("a"), &session(3600));
            prop_assert!(parse::<SessionEntry>(&key("a"), &bytes[..at % bytes.len()]).is_none());
        }
    }
}
