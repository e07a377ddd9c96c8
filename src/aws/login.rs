//! Checks from the token file whether the user is logged in with `aws sso login` or `aws login`, before any network
//! call.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::aws::files::{self, login_token_path, sso_token_path};
use crate::aws::source::{Base, CredentialSource};
use crate::aws::source_file::FileState;
use crate::aws::sso_token::SsoToken;
use crate::sys::env::Env;

/// The login required by a credential source.
pub struct Login {
    kind: Kind,
    pub token_file: PathBuf,
}

enum Kind {
    /// An `sso-session`, which can be refreshed, or the older format with a start URL, which cannot.
    Sso { can_be_refreshed: bool },
    /// `aws login`.
    Console,
}

/// Why the user has to log in.
#[derive(Debug, PartialEq, Eq)]
pub enum LoggedOut {
    /// There is no token file: never logged in, or logged out.
    NoToken,
    /// Expired this long ago.
    Expired(Duration),
    /// The token file is not valid.
    Damaged,
}

impl Login {
    pub fn needed_by(source: &CredentialSource, env: &Env) -> Option<Self> {
        let (kind, token_file) = match &source.base {
            Base::Sso(sso) => {
                let can_be_refreshed = sso.session.is_some();
                (Kind::Sso { can_be_refreshed }, sso_token_path(env, sso.token_name()))
            }
            Base::ConsoleSession(identity) => (Kind::Console, login_token_path(env, identity)),
            _ => return None,
        };
        Some(Login { kind, token_file })
    }

    /// The login command, without the profile.
    pub fn command(&self) -> &'static str {
        match self.kind {
            Kind::Sso { .. } => "aws sso login",
            Kind::Console => "aws login",
        }
    }

    /// What the user logs in to, for messages.
    pub fn session(&self) -> &'static str {
        match self.kind {
            Kind::Sso { .. } => "its SSO session",
            Kind::Console => "its console session",
        }
    }

    /// Reads the file again: there may have been a refresh or a login since it was fingerprinted.
    pub fn logged_out(&self, now: SystemTime) -> Option<LoggedOut> {
        let file = files::read(self.token_file.clone());
        match (file.state, &self.kind) {
            (FileState::Contents(contents), Kind::Sso { can_be_refreshed }) => {
                expired(&contents, *can_be_refreshed, now)
            }
            // Only AWS knows how long it can be refreshed.
            (FileState::Contents(_), Kind::Console) => None,
            (FileState::Absent, _) => Some(LoggedOut::NoToken),
            (FileState::Unreadable(_), Kind::Sso { .. }) => Some(LoggedOut::Damaged),
            // The SDK reports why.
            (FileState::Unreadable(_), Kind::Console) => None,
        }
    }
}

fn expired(contents: &[u8], can_be_refreshed: bool, now: SystemTime) -> Option<LoggedOut> {
    let Some(token) = SsoToken::parse(contents) else { return Some(LoggedOut::Damaged) };
    let since = now.duration_since(token.ends).ok()?;
    let refreshes = can_be_refreshed && token.registration(now).is_some();
    (!refreshes).then_some(LoggedOut::Expired(since))
}

impl LoggedOut {
    pub fn why(&self, session: &str) -> String {
        match self {
            LoggedOut::NoToken => format!("not logged in to {session}"),
            LoggedOut::Expired(since) => format!("{session} expired {}", ago(*since)),
            LoggedOut::Damaged => format!("the token file of {session} cannot be parsed"),
        }
    }
}

fn ago(since: Duration) -> String {
    match since.as_secs() {
        0..60 => "just now".into(),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::dates;

    #[test]
    fn a_session_has_expired_if_its_token_has_and_cannot_be_refreshed() {
        let now = dates::parse("2026-01-01T12:00:00Z").expect("a date");
        let check = |text: &str, can_be_refreshed| expired(text.as_bytes(), can_be_refreshed, now);
        let over = Some(LoggedOut::Expired(Duration::from_secs(3 * 3600)));
        let token = |registration: &str| {
            format!(
                r#"{{"accessToken":"a","expiresAt":"2026-01-01T09:00:00UTC","refreshToken":"r","clientId":"i","clientSecret":"s","registrationExpiresAt":"{registration}"}}"#
            )
        };
        assert_eq!(check(r#"{"accessToken":"a","expiresAt":"2026-01-01T09:00:00Z"}"#, true), over);
        assert_eq!(check(r#"{"accessToken":"a","expiresAt":"2026-01-01T13:00:00UTC"}"#, true), None);
        assert_eq!(check(&token("2026-02-01T00:00:00Z"), true), None);
        assert_eq!(check(&token("2026-02-01T00:00:00Z"), false), over);
        assert_eq!(check(&token("2026-01-01T11:00:00Z"), true), over);
        assert_eq!(check(&token("2026-02-01T00:00:00Z").replace("clientSecret", "x"), true), over);
        assert_eq!(check(&token("soon"), true), over);
        assert_eq!(check("{}", true), Some(LoggedOut::Damaged));
        assert_eq!(check(r#"{"accessToken":"a","expiresAt":"soon"}"#, true), Some(LoggedOut::Damaged));
        assert_eq!(check("not json", true), Some(LoggedOut::Damaged));
    }

    #[test]
    fn the_age_is_shown_in_a_suitable_unit() {
        let of = |seconds| ago(Duration::from_secs(seconds));
        assert_eq!([of(5), of(120), of(7200), of(180_000)], ["just now", "2 min ago", "2 h ago", "2 days ago"]);
    }
}
