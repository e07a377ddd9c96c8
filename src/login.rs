//! Whether somebody is logged in, with `aws sso login` or `aws login`, as the token file says: known before anybody is
//! asked.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::env::Env;
use crate::profile_source::ProfileSource;
use crate::source_files::{FileState, SourceFile, login_token_path, sso_token_path};

/// The login that a profile needs.
pub struct Login {
    kind: Kind,
    token_file: PathBuf,
}

enum Kind {
    /// Of an `sso-session`, which can be refreshed; or in the older form of a start URL, which cannot.
    Sso { can_be_refreshed: bool },
    /// `aws login`.
    Console,
}

/// Why nothing can be had without a person.
#[derive(Debug, PartialEq, Eq)]
pub enum LoggedOut {
    /// There is no token file: never logged in, or logged out.
    NoToken,
    /// So long ago.
    Expired(Duration),
}

/// A token file of SSO, without its secrets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    expires_at: String,
    refresh_token: Option<IgnoredAny>,
    client_id: Option<IgnoredAny>,
    client_secret: Option<IgnoredAny>,
    registration_expires_at: Option<String>,
}

impl Login {
    pub fn of(source: &ProfileSource, env: &Env) -> Option<Self> {
        let (kind, token_file) = match *source {
            ProfileSource::Sso { session, start_url } => {
                let can_be_refreshed = session.is_some();
                (Kind::Sso { can_be_refreshed }, sso_token_path(env, session.or(start_url)?))
            }
            ProfileSource::Login(identity) => (Kind::Console, login_token_path(env, identity)),
            _ => return None,
        };
        Some(Login { kind, token_file })
    }

    /// What to run, but for the profile.
    pub fn command(&self) -> &'static str {
        match self.kind {
            Kind::Sso { .. } => "aws sso login",
            Kind::Console => "aws login",
        }
    }

    /// What one is logged in to.
    pub fn session(&self) -> &'static str {
        match self.kind {
            Kind::Sso { .. } => "its SSO session",
            Kind::Console => "its console session",
        }
    }

    /// Reads the file anew: a refresh or a login may have come since it was fingerprinted.
    pub fn logged_out(&self, now: SystemTime) -> Option<LoggedOut> {
        let file = SourceFile::read(self.token_file.clone());
        match (file.state, &self.kind) {
            (FileState::Contents(contents), Kind::Sso { can_be_refreshed }) => {
                expired(&contents, *can_be_refreshed, now)
            }
            // How long it can be refreshed is for AWS to know.
            (FileState::Contents(_), Kind::Console) => None,
            (FileState::Absent, _) => Some(LoggedOut::NoToken),
            // The SDK says why.
            (FileState::Unreadable(_), _) => None,
        }
    }
}

/// `None` also for what cannot be understood: the SDK's message about it is the better one.
fn expired(contents: &[u8], can_be_refreshed: bool, now: SystemTime) -> Option<LoggedOut> {
    let token: Token = serde_json::from_slice(contents).ok()?;
    let since = now.duration_since(time(&token.expires_at)?).ok()?;
    let has_all = token.refresh_token.is_some() && token.client_id.is_some() && token.client_secret.is_some();
    let registration_holds = match &token.registration_expires_at {
        Some(end) => time(end)? > now,
        None => false,
    };
    let refreshes = can_be_refreshed && has_all && registration_holds;
    (!refreshes).then_some(LoggedOut::Expired(since))
}

/// In the one form that the SDK takes.
fn time(text: &str) -> Option<SystemTime> {
    DateTime::from_str(text, Format::DateTime).ok()?.try_into().ok()
}

impl LoggedOut {
    pub fn why(&self, session: &str) -> String {
        match self {
            LoggedOut::NoToken => format!("nobody is logged in to {session}"),
            LoggedOut::Expired(since) => format!("{session} expired {}", ago(*since)),
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

    #[test]
    fn a_session_is_over_when_its_token_is_and_no_refresh_can_help() {
        let now = time("2026-01-01T12:00:00Z").expect("a date");
        let check = |text: &str, can_be_refreshed| expired(text.as_bytes(), can_be_refreshed, now);
        let over = Some(LoggedOut::Expired(Duration::from_secs(3 * 3600)));
        let token = |registration: &str| {
            format!(
                r#"{{"accessToken":"a","expiresAt":"2026-01-01T09:00:00Z","refreshToken":"r","clientId":"i","clientSecret":"s","registrationExpiresAt":"{registration}"}}"#
            )
        };
        assert_eq!(check(r#"{"accessToken":"a","expiresAt":"2026-01-01T09:00:00Z"}"#, true), over);
        assert_eq!(check(r#"{"accessToken":"a","expiresAt":"2026-01-01T13:00:00Z"}"#, true), None);
        assert_eq!(check(&token("2026-02-01T00:00:00Z"), true), None);
        assert_eq!(check(&token("2026-02-01T00:00:00Z"), false), over);
        assert_eq!(check(&token("2026-01-01T11:00:00Z"), true), over);
        assert_eq!(check(&token("2026-02-01T00:00:00Z").replace("clientSecret", "x"), true), over);
        assert_eq!(check(&token("soon"), true), None);
        assert_eq!(check("{}", true), None);
        assert_eq!(check("not json", true), None);
    }

    #[test]
    fn how_long_ago_is_said_in_the_unit_that_fits() {
        let of = |seconds| ago(Duration::from_secs(seconds));
        assert_eq!([of(5), of(120), of(7200), of(180_000)], ["just now", "2 min ago", "2 h ago", "2 days ago"]);
    }
}
