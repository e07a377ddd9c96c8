//! Base credentials, from the source the AWS CLI would use.

mod console;
mod container;
mod instance;
mod process;
mod provider;
mod sdk;
mod sso;
mod web_identity;

use std::time::Duration;

use aws_credential_types::Credentials;

use crate::aws::error::Error;
use crate::aws::keys::{KeysOrigin, are_expired};
use crate::aws::source::Base;
use crate::say::text::shown;
use process::CredentialProcess;
pub use provider::Provider;

/// A `credential_process` may prompt the user, perhaps in a browser. The calls after it get the usual deadline.
pub const CREDENTIAL_PROCESS_DEADLINE: Duration = Duration::from_secs(60);

/// The caller's own credentials, valid for longer than this margin.
pub fn base_credentials(provider: &Provider, margin: Duration) -> Result<Credentials, Error> {
    let now = provider.connection.now();
    if let Some(login) = &provider.login
        && let Some(logged_out) = login.logged_out(now)
    {
        return Err(provider.needs_login(&logged_out.why(login.session())));
    }
    let (credentials, place) = fetch(provider)?;
    if let Err(unfit) = place.check(&credentials) {
        return Err(provider.failed(unfit.why, Some(unfit.hint)));
    }
    if are_expired(&credentials, provider.connection.now() + margin) {
        return Err(provider.expired(&place));
    }
    Ok(credentials)
}

fn fetch(provider: &Provider) -> Result<(Credentials, KeysOrigin), Error> {
    let connection = provider.connection;
    let operation = || provider.operation();
    let credentials = match &provider.source.base {
        Base::Keys(keys) => return Ok((keys.credentials()?, keys.place().clone())),
        Base::WebIdentity(identity) => connection.wait(operation, web_identity::credentials(provider, identity))?,
        Base::Sso(sso) => connection.wait(operation, sso::credentials(provider, sso))?,
        Base::ConsoleSession(identity) => console::credentials(provider, identity),
        Base::Container(container) => connection.wait(operation, container::credentials(provider, container))?,
        Base::Instance => instance::credentials(provider),
        Base::Nothing => Err(missing_source_error(provider)),
        Base::Process(command) => {
            connection.set_deadline_in(CREDENTIAL_PROCESS_DEADLINE);
            let process = CredentialProcess::new(command.clone(), provider.env);
            let answer = connection.wait(operation, process.credentials());
            connection.restart_deadline();
            let seconds = CREDENTIAL_PROCESS_DEADLINE.as_secs();
            let too_late =
                |_| provider.failed(format!("its credential_process did not answer within {seconds} s"), None);
            answer.map_err(too_late)?.map_err(|why| provider.failed(why.to_string(), None))
        }
    };
    Ok((credentials?, KeysOrigin::Output))
}

fn missing_source_error(provider: &Provider) -> Error {
    let hint = match provider.source.requesting_profile() {
        Some(of) => {
            format!(
                "add keys, `sso_session` or another source to it, or correct `source_profile` in profile `{}`",
                shown(of)
            )
        }
        None => "add keys, `sso_session` or another source to it: it is its own `source_profile`".into(),
    };
    provider.failed("it has no source of credentials".into(), Some(hint))
}
