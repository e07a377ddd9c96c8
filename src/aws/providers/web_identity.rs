//! Credentials for a web identity: the token in the file is exchanged at STS.

use aws_credential_types::Credentials;

use super::provider::Provider;
use crate::aws::error::Error;
use crate::aws::files::{MAX_LEN, read_up_to};
use crate::aws::names::RoleArn;
use crate::aws::source::WebIdentity;
use crate::aws::sts::assume_role_with_web_identity;
use crate::say::text::shown;

/// A session of the web identity's role.
pub async fn credentials(provider: &Provider<'_>, identity: &WebIdentity) -> Result<Credentials, Error> {
    let WebIdentity { token_file, token_file_place, role_arn, session_name } = identity;
    let unusable = |why: &str| {
        let why =
            format!("the token file `{}` from {token_file_place} {why}", shown(&token_file.display().to_string()));
        let hint = match token_file.exists() {
            true => "check what creates this file, and who may read it",
            false => "run this in the pod or job that the file was created for; it exists nowhere else",
        };
        provider.failed(why, Some(hint.into()))
    };
    let contents = read_up_to(token_file, MAX_LEN).map_err(|error| unusable(&format!("cannot be read: {error}")))?;
    let token = String::from_utf8(contents).map_err(|_| unusable("is not UTF-8"))?;
    if token.trim().is_empty() {
        return Err(unusable("is empty"));
    }
    let role_arn = RoleArn::parse(&role_arn.text, provider.region).map_err(Error::invalid(&role_arn.place))?;
    let session_name = session_name.as_ref().map_or("eks-group-auth", |name| &name.text);
    assume_role_with_web_identity(provider.connection, &role_arn, session_name, token.trim()).await
}
