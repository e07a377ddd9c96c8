//! The context shared by all credential providers, and their error messages.

use std::cell::RefCell;

use crate::aws::connection::Connection;
use crate::aws::endpoints::Endpoints;
use crate::aws::error::Error;
use crate::aws::keys::KeysOrigin;
use crate::aws::login::Login;
use crate::aws::refusal::Operation;
use crate::aws::region::Region;
use crate::aws::source::{Base, CredentialSource};
use crate::aws::source_file::SourceFile;
use crate::say::text::shown;
use crate::say::words;
use crate::sys::env::Env;

/// Provides base credentials.
pub struct Provider<'a> {
    pub(super) connection: &'a Connection,
    pub(super) source: &'a CredentialSource<'a>,
    pub(super) endpoints: &'a Endpoints,
    pub(super) region: &'a Region,
    pub(super) env: &'a Env,
    pub(super) login: Option<Login>,
    /// The token file of an SSO session, if it was refreshed.
    pub(super) refreshed: RefCell<Option<SourceFile>>,
}

impl<'a> Provider<'a> {
    pub fn new(
        connection: &'a Connection,
        source: &'a CredentialSource<'a>,
        endpoints: &'a Endpoints,
        region: &'a Region,
        env: &'a Env,
    ) -> Self {
        let (login, refreshed) = (Login::needed_by(source, env), RefCell::default());
        Provider { connection, source, endpoints, region, env, login, refreshed }
    }

    /// The token file of an SSO session as rewritten by a refresh, if there was one.
    pub fn refreshed_login(&self) -> Option<SourceFile> {
        self.refreshed.take()
    }

    pub(super) fn operation(&self) -> Operation {
        Operation::GetCredentials(self.source.name())
    }

    /// An error for a failed source, with a default hint if none is given.
    pub(super) fn failed(&self, why: String, hint: Option<String>) -> Error {
        let otherwise = || match (&self.source.base, self.source.is_from_profile()) {
            (Base::Process(_), _) => "run this profile's `credential_process` by hand to see its output".into(),
            (_, true) => {
                let profile = words::quoted(self.source.base_profile());
                format!(
                    "run `aws sts get-caller-identity --profile {}` to see whether the AWS CLI can use it",
                    shown(&profile)
                )
            }
            (_, false) => "run `aws sts get-caller-identity` to see whether the AWS CLI can use it".into(),
        };
        Error::CredentialsFailed {
            source_name: self.source.name(),
            why: why.trim().to_owned(),
            hint: hint.unwrap_or_else(otherwise),
        }
    }

    pub(super) fn needs_login(&self, why: &str) -> Error {
        let login = self.login.as_ref().map_or("aws sso login", Login::command);
        let command = format!("{login} --profile {}", words::quoted(self.source.base_profile()));
        Error::NeedsLogin { source_name: self.source.name(), why: why.to_owned(), command: shown(&command) }
    }

    pub(super) fn expired(&self, place: &KeysOrigin) -> Error {
        let why = "they have expired, or will expire within a minute";
        if self.login.is_some() {
            return self.needs_login(why);
        }
        let why = match &self.source.base {
            Base::Keys(_) => format!("{why}, according to {}", place.expiry_label()),
            _ => why.to_owned(),
        };
        self.failed(why, Some("get new credentials from the same source, then try again".into()))
    }
}
