//! Credentials of an SSO session: the token stored by `aws sso login` is exchanged at the portal for the credentials of
//! an account and role, after a refresh if it has expired.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_ssooidc::operation::create_token::CreateTokenError;

use super::provider::Provider;
use crate::aws::error::Error;
use crate::aws::failure::classify;
use crate::aws::files::{self, sso_token_path};
use crate::aws::source::Sso;
use crate::aws::source_file::{FileState, SourceFile};
use crate::aws::sso_token::{Refreshed, Registration, SsoToken};
use crate::say::secret::Secret;
use crate::sys;

/// A token that expires sooner than this is refreshed, if possible.
const REFRESH_WINDOW: Duration = Duration::from_secs(5 * 60);

pub async fn credentials(provider: &Provider<'_>, sso: &Sso<'_>) -> Result<Credentials, Error> {
    let now = provider.connection.now();
    let path = sso_token_path(provider.env, sso.token_name());
    let token = access_token(provider, sso, &path, now).await?;
    let mut config =
        aws_sdk_sso::config::Builder::from(provider.connection.sdk()).region(Region::new(sso.region.text.clone()));
    if let Some(url) = &provider.endpoints.sso {
        config = config.endpoint_url(&url.text).use_fips(false).use_dual_stack(false);
    }
    let call = aws_sdk_sso::Client::from_conf(config.build())
        .get_role_credentials()
        .role_name(&sso.role_name)
        .account_id(&sso.account_id)
        .access_token(token.expose());
    let output = call.send().await.map_err(|error| match error.as_service_error() {
        // The token was revoked: the user logged out elsewhere.
        Some(GetRoleCredentialsError::UnauthorizedException(_)) => {
            provider.needs_login("its SSO session is no longer valid")
        }
        _ => with_portal_region(sso, classify(provider.operation(), &error)),
    })?;
    let no_credentials = || provider.failed("the SSO portal's response has no credentials".into(), None);
    let found = output.role_credentials.ok_or_else(no_credentials)?;
    let (Some(id), Some(secret)) = (found.access_key_id, found.secret_access_key) else { return Err(no_credentials()) };
    let expiry = u64::try_from(found.expiration).ok().filter(|milliseconds| *milliseconds > 0);
    let expiry = expiry.and_then(|milliseconds| UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds)));
    Ok(Credentials::new(id, secret, found.session_token.filter(|token| !token.is_empty()), expiry, "SSO"))
}

/// Returns the token in the file, or refreshes it and writes the new one there.
async fn access_token(provider: &Provider<'_>, sso: &Sso<'_>, path: &Path, now: SystemTime) -> Result<Secret, Error> {
    let file = files::read(path.to_owned());
    let damaged = || provider.needs_login("the token file of its SSO session cannot be parsed");
    let token = SsoToken::parse(file.contents()).ok_or_else(damaged)?;
    let ends_soon = sso.session.is_some() && token.ends < now + REFRESH_WINDOW;
    let Some(registration) = token.registration(now).filter(|_| ends_soon) else { return Ok(token.access_token) };
    match refresh(provider, sso, registration).await {
        Ok(refreshed) => {
            let contents = token.refreshed(&refreshed, now);
            // If it cannot be stored, the next call refreshes again.
            if sys::file::replace(path, &contents).is_ok() {
                let file = SourceFile { path: path.to_owned(), state: FileState::Contents(contents) };
                provider.refreshed.replace(Some(file));
            }
            Ok(refreshed.access_token)
        }
        Err(_) if token.ends > now => Ok(token.access_token),
        Err(error) => Err(error),
    }
}

async fn refresh(provider: &Provider<'_>, sso: &Sso<'_>, registration: Registration<'_>) -> Result<Refreshed, Error> {
    let Registration { client_id, client_secret, refresh_token } = registration;
    let mut config =
        aws_sdk_ssooidc::config::Builder::from(provider.connection.sdk()).region(Region::new(sso.region.text.clone()));
    if let Some(url) = &provider.endpoints.sso_oidc {
        config = config.endpoint_url(&url.text).use_fips(false).use_dual_stack(false);
    }
    let call = aws_sdk_ssooidc::Client::from_conf(config.build())
        .create_token()
        .client_id(client_id)
        .client_secret(client_secret)
        .grant_type("refresh_token")
        .refresh_token(refresh_token);
    let output = call.send().await.map_err(|error| match error.as_service_error() {
        Some(
            CreateTokenError::AccessDeniedException(_)
            | CreateTokenError::ExpiredTokenException(_)
            | CreateTokenError::InvalidClientException(_)
            | CreateTokenError::InvalidGrantException(_)
            | CreateTokenError::UnauthorizedClientException(_),
        ) => provider.needs_login("its SSO session has expired"),
        _ => with_portal_region(sso, classify(provider.operation(), &error)),
    })?;
    let access_token =
        output.access_token.ok_or_else(|| provider.needs_login("refreshing its SSO session returned no new token"))?;
    let life = Duration::from_secs(u64::try_from(output.expires_in).unwrap_or_default());
    let refresh_token = output.refresh_token.map(Secret::new);
    Ok(Refreshed { access_token: Secret::new(access_token), refresh_token, life })
}

/// Adds the portal's region to a connection error.
fn with_portal_region(sso: &Sso, error: Error) -> Error {
    match error {
        Error::Unreachable { operation, why } => {
            Error::Unreachable { operation, why: format!("{why} (at the SSO portal in {})", sso.region.text) }
        }
        other => other,
    }
}
