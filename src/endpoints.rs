//! Where AWS is asked, if elsewhere than at its own addresses: by variables, by the profile, by its `[services]` section.
//! These move calls, never the host in a token. Pure.

use crate::credential_source::{CredentialSource, Located};
use crate::env::Env;
use crate::error::Error;
use crate::profile_files::Profile;

/// A service that this program asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Sts,
    Sso,
    SsoOidc,
}

impl Service {
    fn variable(self) -> &'static str {
        match self {
            Service::Sts => "AWS_ENDPOINT_URL_STS",
            Service::Sso => "AWS_ENDPOINT_URL_SSO",
            Service::SsoOidc => "AWS_ENDPOINT_URL_SSO_OIDC",
        }
    }

    fn table(self) -> &'static str {
        match self {
            Service::Sts => "sts",
            Service::Sso => "sso",
            Service::SsoOidc => "sso_oidc",
        }
    }
}

/// The address that is asked in place of a service's own: the environment's before the profile's, and of each the one for
/// this service before the one for all.
///
/// # Errors
///
/// [`Error::Input`], for what is no URL: it would be taken for a network that is down.
pub fn endpoint_url(service: Service, env: &Env, source: &CredentialSource) -> Result<Option<Located>, Error> {
    if are_ignored(env, source.profile())? {
        return Ok(None);
    }
    let of_variable =
        |name: &str| env.get(name).map(|url| Located { text: url.trim().to_owned(), place: name.to_owned() });
    let of_property =
        |value: crate::profile_files::Value| Located { text: value.text.to_owned(), place: value.place.to_string() };
    let mut found = of_variable(service.variable()).or_else(|| of_variable("AWS_ENDPOINT_URL"));
    if found.is_none() {
        let of_service = source.services().map(|section| section.in_table(service.table(), "endpoint_url"));
        found = of_service.transpose()?.flatten().map(of_property);
    }
    if found.is_none() {
        let of_all = source.profile().map(|profile| profile.text("endpoint_url"));
        found = of_all.transpose()?.flatten().map(of_property);
    }
    match found {
        Some(Located { text, place }) if !is_url(&text) => {
            Err(Error::input(place, &text, "a URL, such as `https://sts.example.com`, or not be there at all"))
        }
        found => Ok(found),
    }
}

/// Only `true` counts, in any case.
fn are_ignored(env: &Env, profile: Option<&Profile>) -> Result<bool, Error> {
    let is_true = |value: &str| value.trim().eq_ignore_ascii_case("true");
    if let Some(value) = env.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        return Ok(is_true(value));
    }
    let property = profile.map(|profile| profile.word("ignore_configured_endpoint_urls")).transpose()?;
    Ok(property.flatten().is_some_and(|value| is_true(value.text)))
}

fn is_url(text: &str) -> bool {
    let url: Option<http::Uri> = text.parse().ok();
    url.is_some_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty())
    })
}

/// Scheme, host and port: in front of the host there could be a password.
pub fn without_userinfo(url: &str) -> String {
    let uri: http::Uri = url.parse().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential_source::ProfileChoice;
    use crate::profile_files::tests::files;

    fn url(service: Service, env: &[(&str, &str)], config: &str) -> Result<Option<String>, String> {
        let env: Env = env.iter().copied().collect();
        let choice = ProfileChoice::resolve(None, &env).expect("a good name");
        let files = files(config, "");
        let source = CredentialSource::resolve(choice, &env, &files).expect("a good source");
        endpoint_url(service, &env, &source).map(|found| found.map(|url| url.text)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_nearest_address_counts() {
        const CONFIG: &str = "[default]\nservices = lab\nendpoint_url = http://all\n[services lab]\nsts =\n  endpoint_url = http://sts\n";
        let of = |service, env: &[(&str, &str)]| url(service, env, CONFIG).expect("good URLs");
        assert_eq!(of(Service::Sts, &[]).as_deref(), Some("http://sts"));
        assert_eq!(of(Service::Sso, &[]).as_deref(), Some("http://all"));
        assert_eq!(of(Service::Sts, &[("AWS_ENDPOINT_URL", "http://env")]).as_deref(), Some("http://env"));
        let both = [("AWS_ENDPOINT_URL", "http://env"), ("AWS_ENDPOINT_URL_STS", "http://env-sts")];
        assert_eq!(of(Service::Sts, &both).as_deref(), Some("http://env-sts"));
        assert_eq!(of(Service::SsoOidc, &both).as_deref(), Some("http://env"));
        assert_eq!(of(Service::Sts, &[("AWS_ENDPOINT_URL_STS", "")]).as_deref(), Some("http://sts"));
    }

    #[test]
    fn all_are_ignored_where_that_is_said_with_true() {
        let ignore = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
        let of = |value: &str| {
            let env = [("AWS_ENDPOINT_URL_STS", "http://env"), (ignore, value)];
            url(Service::Sts, &env, "[default]\nendpoint_url = http://all\n").expect("good URLs").is_some()
        };
        assert_eq!(["true", "TRUE", "1", "yes", "false", ""].map(of), [false, false, true, true, true, true]);
        let config = "[default]\nignore_configured_endpoint_urls = true\nendpoint_url = http://all\n";
        assert_eq!(url(Service::Sts, &[], config), Ok(None));
    }

    #[test]
    fn what_is_no_url_is_an_error_that_says_where_it_is_written() {
        for bad in ["sts.corp", "http://a b", "ftp://sts.corp", "http://"] {
            let error = url(Service::Sts, &[("AWS_ENDPOINT_URL_STS", bad)], "").unwrap_err();
            assert!(error.starts_with("AWS_ENDPOINT_URL_STS `"), "{error}");
        }
        let error = url(Service::Sts, &[], "[default]\nservices = x\n[services x]\nsts =\n  endpoint_url = y\n");
        assert!(
            error.as_ref().is_err_and(|error| error.starts_with("`sts` of `[services x]` (line 4 of")),
            "{error:?}"
        );
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        assert_eq!(without_userinfo("https://user:secret@sts.corp:8443/x?y"), "https://sts.corp:8443");
    }
}
