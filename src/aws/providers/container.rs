//! Container credentials from a local address: ECS tasks, EKS Pod Identity, and other programs that implement their
//! protocol.

use std::time::Duration;

use aws_credential_types::Credentials;
use serde::Deserialize;

use super::provider::Provider;
use crate::aws::dates;
use crate::aws::endpoints::authority;
use crate::aws::error::Error;
use crate::aws::files::{MAX_LEN, read_up_to};
use crate::aws::http::{self, Response};
use crate::aws::source::{Authorization, Container};
use crate::say::secret::Secret;
use crate::say::text::shown;
use crate::sys::vars;

/// The same number as in the AWS CLI.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    access_key_id: String,
    secret_access_key: Secret,
    token: Option<Secret>,
    expiration: Option<String>,
}

/// The body of an error response.
#[derive(Default, Deserialize)]
struct Reason {
    #[serde(alias = "Message")]
    message: Option<String>,
}

pub async fn credentials(provider: &Provider<'_>, container: &Container) -> Result<Credentials, Error> {
    let authorization = authorization(provider, container)?;
    let mut tries_left = TRIES;
    loop {
        tries_left -= 1;
        let answer = http::get_local(container.url.expose(), authorization.as_ref()).await;
        let failing = match answer {
            Ok(Response { status: 200, body }) => return read(provider, &body),
            Ok(Response { status: status @ 500.., body }) => Error::ServiceFailure {
                operation: provider.operation(),
                why: format!("HTTP {status}{}", reason(&body)),
            },
            Ok(Response { status, body }) => {
                return Err(provider.failed(format!("it answered with HTTP {status}{}", reason(&body)), None));
            }
            Err(why) => Error::Unreachable {
                operation: provider.operation(),
                why: format!("{why} (at {})", authority(container.url.expose())),
            },
        };
        if tries_left == 0 {
            return Err(failing);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn authorization(provider: &Provider, container: &Container) -> Result<Option<Secret>, Error> {
    let token = match &container.authorization {
        None => return Ok(None),
        Some(Authorization::Token(token)) => token.clone(),
        Some(Authorization::File(path)) => {
            let path_shown = shown(&path.display().to_string());
            let variable = vars::AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
            let unusable =
                |why: &str| provider.failed(format!("the token file `{path_shown}` from {variable} {why}"), None);
            let contents = read_up_to(path, MAX_LEN).map_err(|error| unusable(&format!("cannot be read: {error}")))?;
            let token = String::from_utf8(contents).map_err(|_| unusable("is not UTF-8"))?;
            // Editors and `echo` append a newline.
            Secret::new(token.trim())
        }
    };
    if token.expose().bytes().any(|b| !(b' '..=b'~').contains(&b)) {
        return Err(provider
            .failed("the authorization token contains characters that are not allowed in a header".into(), None));
    }
    Ok(Some(token))
}

/// serde's own errors would quote the response.
fn read(provider: &Provider, body: &[u8]) -> Result<Credentials, Error> {
    let body: Body =
        serde_json::from_slice(body).map_err(|_| provider.failed("it did not answer with credentials".into(), None))?;
    let unreadable = || provider.failed("it answered with an `Expiration` that is not a date".into(), None);
    let expiration = body.expiration.filter(|text| !text.is_empty());
    let expiry = expiration.map(|text| dates::parse(&text).ok_or_else(unreadable)).transpose()?;
    let token = body.token.map(|token| token.expose().to_owned()).filter(|token| !token.is_empty());
    Ok(Credentials::new(body.access_key_id, body.secret_access_key.expose(), token, expiry, "container"))
}

fn reason(body: &[u8]) -> String {
    let reason: Reason = serde_json::from_slice(body).unwrap_or_default();
    reason.message.map_or(String::new(), |message| format!(": {message}"))
}
