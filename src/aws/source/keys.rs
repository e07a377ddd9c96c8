//! Keys in the environment or in a file.

use crate::aws::error::Error;
use crate::aws::keys::{Keys, KeysOrigin};
use crate::aws::profile::{KeyProperties, Profile};
use crate::sys::env::Env;
use crate::sys::vars;

/// A secret without an id is ignored; the session token's old name takes precedence over the new one.
pub(super) fn environment_keys(env: &Env) -> Result<Option<Keys>, Error> {
    let Some(id) = env.get(vars::AWS_ACCESS_KEY_ID) else { return Ok(None) };
    let Some(secret) = env.get(vars::AWS_SECRET_ACCESS_KEY) else {
        return Err(Error::CredentialsFailed {
            source_name: "the environment".into(),
            why: "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not".into(),
            hint: "set both, or unset both to use a profile".into(),
        });
    };
    let token_names = [vars::AWS_SECURITY_TOKEN, vars::AWS_SESSION_TOKEN];
    let token = token_names.into_iter().find_map(|name| Some((name, env.get_raw(name)?.to_str()?)));
    let (session_token, value) = token.map_or((token_names[1], None), |(name, value)| (name, Some(value)));
    let expiry = env.get(vars::AWS_CREDENTIAL_EXPIRATION);
    Ok(Some(Keys::new(KeysOrigin::Environment { session_token }, id, secret, value, expiry)))
}

/// Keys in one file. An id without a secret is an error, even if it is empty.
pub(super) fn keys_of(profile: &Profile, found: Option<KeyProperties>) -> Result<Option<Keys>, Error> {
    let Some(KeyProperties { in_credentials_file, id, secret, session_token, expiry }) = found else { return Ok(None) };
    let secret = secret.filter(|secret| !secret.text.is_empty());
    let (Some(secret), false) = (secret, id.text.is_empty()) else {
        let why =
            format!("{} and `aws_secret_access_key` must both be set, in the same file, and not be empty", id.place);
        return Err(Error::profile(profile.name(), why, "add the missing one, or remove the other"));
    };
    let place = KeysOrigin::Profile {
        name: profile.name().to_owned(),
        in_credentials_file,
        session_token: session_token.as_ref().map_or("aws_session_token", |token| token.place.property),
        expiry: expiry.as_ref().map_or("aws_expiration", |expiry| expiry.place.property),
    };
    let (session_token, expiry) = (session_token.map(|value| value.text), expiry.map(|value| value.text));
    Ok(Some(Keys::new(place, id.text, secret.text, session_token, expiry)))
}
