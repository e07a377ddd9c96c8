//! A web identity, each part of which can come from the environment or the profile.

use std::path::PathBuf;

use crate::aws::error::Error;
use crate::aws::profile::{Located, Profile};
use crate::sys::env::Env;
use crate::sys::vars;

#[derive(Debug)]
pub struct WebIdentity {
    pub token_file: PathBuf,
    /// The variable or property that sets the file.
    pub token_file_place: String,
    pub role_arn: Located,
    pub session_name: Option<Located>,
}

/// Takes each of the three parts from the environment or else from the profile; also returns whether the token file
/// comes from the environment.
pub(super) fn web_identity(profile: Option<&Profile>, env: Option<&Env>) -> Result<Option<(WebIdentity, bool)>, Error> {
    let part = |variable: &'static str, property: &'static str| -> Result<Option<(Located, bool)>, Error> {
        if let Some(text) = env.and_then(|env| env.get(variable)) {
            return Ok(Some((Located { text: text.to_owned(), place: variable.to_owned() }, true)));
        }
        let value = profile.map(|profile| profile.get(property)).transpose()?.flatten();
        Ok(value.map(|value| (value.into(), false)))
    };
    let Some((token_file, is_in_environment)) = part(vars::AWS_WEB_IDENTITY_TOKEN_FILE, "web_identity_token_file")?
    else {
        return Ok(None);
    };
    let Some((role_arn, _)) = part(vars::AWS_ROLE_ARN, "role_arn")? else {
        return Err(Error::CredentialsFailed {
            source_name: token_file.place,
            why: "no role is set for this token".into(),
            hint: "set AWS_ROLE_ARN, or `role_arn` in the profile".into(),
        });
    };
    let session_name = part(vars::AWS_ROLE_SESSION_NAME, "role_session_name")?.map(|(name, _)| name);
    let token_file_place = token_file.place;
    let identity = WebIdentity { token_file: token_file.text.into(), token_file_place, role_arn, session_name };
    Ok(Some((identity, is_in_environment)))
}
