//! Credentials of a console session started by `aws login`.

use aws_config::login::LoginCredentialsProvider;
use aws_credential_types::Credentials;

use super::provider::Provider;
use super::sdk;
use crate::aws::error::Error;
use crate::sys::vars;

/// Uses the SDK's provider, which finds its files on its own.
pub fn credentials(provider: &Provider, identity: &str) -> Result<Credentials, Error> {
    if provider.env.get_os(vars::HOME).is_none() && provider.env.get_raw(vars::AWS_LOGIN_CACHE_DIRECTORY).is_none() {
        return Err(provider.failed("HOME is not set".into(), Some("set HOME, or AWS_LOGIN_CACHE_DIRECTORY".into())));
    }
    let config = provider.connection.provider_config(None);
    sdk::fetch(provider, &LoginCredentialsProvider::builder(identity).configure(&config).build())
}
