//! Container credentials configured in the environment.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::aws::error::Error;
use crate::say::secret::Secret;
use crate::say::text::redact_url;
use crate::sys::env::Env;
use crate::sys::vars;

/// Credentials from an ECS task, EKS Pod Identity, or another program that implements their protocol.
#[derive(Debug)]
pub struct Container {
    /// May contain a password or a token.
    pub url: Secret,
    /// The variable it comes from.
    pub variable: &'static str,
    pub authorization: Option<Authorization>,
}

#[derive(Debug)]
pub enum Authorization {
    File(PathBuf),
    Token(Secret),
}

/// Checks the address as the AWS CLI does, so that the token is not sent to anyone else.
pub(super) fn container(env: &Env) -> Result<Option<Container>, Error> {
    let (relative, full) = (vars::AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, vars::AWS_CONTAINER_CREDENTIALS_FULL_URI);
    let trimmed = |name| env.get(name).map(str::trim).filter(|value| !value.is_empty());
    let (variable, url) = match (trimmed(relative), trimmed(full)) {
        (Some(path), _) if path.starts_with('/') => (relative, format!("http://169.254.170.2{path}")),
        (Some(path), _) => return Err(Error::input(relative, path, "a path that starts with `/`")),
        (None, Some(url)) => (full, url.to_owned()),
        (None, None) => return Ok(None),
    };
    let uri: Option<http::Uri> = url.parse().ok();
    let is_http = |uri: &http::Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    let host =
        uri.as_ref().filter(|uri| is_http(uri)).and_then(|uri| uri.host()).map(|host| host.trim_matches(['[', ']']));
    let is_local = host.is_some_and(|host| {
        let is_loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        is_loopback || ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"].contains(&host)
    });
    if !is_local {
        return Err(Error::input(
            variable,
            &redact_url(&url),
            "an http URL that points to this machine, or to the ECS or EKS credentials service",
        ));
    }
    let file = env.get(vars::AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE).map(|path| Authorization::File(path.into()));
    let token = || {
        env.get(vars::AWS_CONTAINER_AUTHORIZATION_TOKEN).map(|token| Authorization::Token(Secret::new(token.trim())))
    };
    Ok(Some(Container { url: Secret::new(url), variable, authorization: file.or_else(token) }))
}
