//! The SDK's own credential providers, and how their errors are mapped.

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_signin::operation::create_o_auth2_token::CreateOAuth2TokenError;
use aws_sdk_signin::types::OAuth2ErrorCode;
use aws_sdk_sts::error::ProvideErrorMetadata as _;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::provider::Provider;
use crate::aws::error::Error;
use crate::aws::failure::{causes, last_cause};
use crate::aws::refusal::Refusal;

pub fn fetch(provider: &Provider, sdk_provider: &impl ProvideCredentials) -> Result<Credentials, Error> {
    // Bypasses the SDK's identity cache, which has its own timeout.
    let credentials = provider.connection.wait(|| provider.operation(), sdk_provider.provide_credentials())?;
    credentials.map_err(|error| classify(provider, &error))
}

/// Maps an error from the SDK's providers, by type rather than by text.
fn classify(provider: &Provider, error: &CredentialsError) -> Error {
    if let (Some(error), Some(login)) =
        (causes(error).find_map(|cause| cause.downcast_ref::<CreateOAuth2TokenError>()), &provider.login)
    {
        let message = || error.message().unwrap_or("no reason given").to_owned();
        match error {
            CreateOAuth2TokenError::AccessDeniedException(denied) => match denied.error {
                // The permission has to be granted; logging in again does not help.
                OAuth2ErrorCode::InsufficientPermissions => {
                    let code = "AccessDeniedException".to_owned();
                    return Error::refused(Refusal::new(provider.operation(), code, message()));
                }
                _ => return provider.needs_login(&format!("{} has expired", login.session())),
            },
            CreateOAuth2TokenError::InternalServerException(_) | CreateOAuth2TokenError::TooManyRequestsError(_) => {
                return Error::ServiceFailure { operation: provider.operation(), why: message() };
            }
            _ => {}
        }
    }
    if causes(error).any(|cause| cause.is::<ConnectorError>()) {
        return Error::Unreachable { operation: provider.operation(), why: last_cause(error) };
    }
    if provider.login.is_some() {
        return provider.needs_login(&last_cause(error));
    }
    provider.failed(last_cause(error), None)
}
