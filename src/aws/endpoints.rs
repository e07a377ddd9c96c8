//! Custom AWS endpoints, from variables, the profile or its `[services]` section. They redirect calls but never change
//! the host in a token. Pure.

use crate::aws::error::Error;
use crate::aws::profile::{Kind, Located, Profile, ProfileFiles, Value};
use crate::say::text::redact_url;
use crate::sys::env::Env;
use crate::sys::vars;

/// The endpoints to use instead of the services' own.
#[derive(Debug, Default)]
pub struct Endpoints {
    pub sts: Option<Located>,
    /// Only resolved if the credentials come from an SSO session.
    pub sso: Option<Located>,
    pub sso_oidc: Option<Located>,
}

impl Endpoints {
    /// # Errors
    ///
    /// [`Error::Input`] for an invalid URL (which would look like a network failure) and for a missing `[services]`
    /// section; [`Error::BrokenLine`].
    pub fn resolve(env: &Env, profile: Option<&Profile>, files: &ProfileFiles, uses_sso: bool) -> Result<Self, Error> {
        if endpoints_are_ignored(env, profile)? {
            return Ok(Endpoints::default());
        }
        let find = |variable, table| endpoint(env, profile, files, variable, table);
        let of_sso = |variable, table| if uses_sso { find(variable, table) } else { Ok(None) };
        Ok(Endpoints {
            sts: find(vars::AWS_ENDPOINT_URL_STS, "sts")?,
            sso: of_sso(vars::AWS_ENDPOINT_URL_SSO, "sso")?,
            sso_oidc: of_sso(vars::AWS_ENDPOINT_URL_SSO_OIDC, "sso_oidc")?,
        })
    }
}

/// The environment takes precedence over the profile; in each, the service's own endpoint takes precedence over the
/// general one.
fn endpoint(
    env: &Env,
    profile: Option<&Profile>,
    files: &ProfileFiles,
    variable: &'static str,
    table: &'static str,
) -> Result<Option<Located>, Error> {
    let of_variable =
        |name: &str| env.get(name).map(|url| Located { text: url.trim().to_owned(), place: name.to_owned() });
    let found = match (of_variable(variable).or_else(|| of_variable(vars::AWS_ENDPOINT_URL)), profile) {
        (Some(found), _) => Some(found),
        (None, None) => None,
        (None, Some(profile)) => match services_endpoint(profile, files, table)? {
            Some(found) => Some(found),
            None => profile.get("endpoint_url")?.map(Located::from),
        },
    };
    match found {
        Some(Located { text, place }) if !is_url(&text) => {
            let rule = "a URL, such as `https://sts.example.com`, or unset";
            Err(Error::input(place, &redact_url(&text), rule))
        }
        found => Ok(found),
    }
}

/// The endpoint from the section named by the profile's `services`.
fn services_endpoint(profile: &Profile, files: &ProfileFiles, table: &'static str) -> Result<Option<Located>, Error> {
    let Some(Value { text: name, place }) = profile.get("services")? else { return Ok(None) };
    let Some(services) = files.section(Kind::Services, name)? else {
        return Err(Error::input(place.to_string(), name, "the name of an existing `[services …]` section"));
    };
    Ok(services.in_table(table, "endpoint_url")?.map(Located::from))
}

/// Only `true` counts, in upper or lower case.
fn endpoints_are_ignored(env: &Env, profile: Option<&Profile>) -> Result<bool, Error> {
    let is_true = |value: &str| value.trim().eq_ignore_ascii_case("true");
    if let Some(value) = env.get(vars::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS) {
        return Ok(is_true(value));
    }
    let property = profile.map(|profile| profile.get("ignore_configured_endpoint_urls")).transpose()?;
    Ok(property.flatten().is_some_and(|value| is_true(value.text)))
}

fn is_url(text: &str) -> bool {
    let url: Option<http::Uri> = text.parse().ok();
    url.is_some_and(|url| {
        let has_host = url.host().is_some_and(|host| !host.is_empty());
        let behind_host = url.authority().and_then(|authority| authority.as_str().rsplit_once(authority.host()));
        let has_good_port = behind_host.is_none_or(|(_, port)| port.is_empty() || url.port_u16().is_some());
        matches!(url.scheme_str(), Some("http" | "https")) && has_host && has_good_port
    })
}

/// Scheme, host and port of a URL.
pub fn authority(url: &str) -> String {
    let uri: http::Uri = url.parse().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::profile::tests::files;

    fn endpoints(env: &[(&str, &str)], config: &str) -> Result<Endpoints, String> {
        let env: Env = env.iter().copied().collect();
        let files = files(config, "");
        let profile = files.profile("default").expect("no broken line");
        Endpoints::resolve(&env, profile.as_ref(), &files, true).map_err(|error| error.to_string())
    }

    fn sts(env: &[(&str, &str)], config: &str) -> Option<String> {
        endpoints(env, config).expect("good URLs").sts.map(|url| url.text)
    }

    #[test]
    fn the_most_specific_endpoint_wins() {
        const CONFIG: &str = "[default]\nservices = lab\nendpoint_url = http://all\n[services lab]\nsts =\n  endpoint_url = http://sts\n";
        assert_eq!(sts(&[], CONFIG).as_deref(), Some("http://sts"));
        assert_eq!(endpoints(&[], CONFIG).unwrap().sso.unwrap().text, "http://all");
        assert_eq!(sts(&[("AWS_ENDPOINT_URL", "http://env")], CONFIG).as_deref(), Some("http://env"));
        let both = [("AWS_ENDPOINT_URL", "http://env"), ("AWS_ENDPOINT_URL_STS", "http://env-sts")];
        assert_eq!(sts(&both, CONFIG).as_deref(), Some("http://env-sts"));
        assert_eq!(endpoints(&both, CONFIG).unwrap().sso_oidc.unwrap().text, "http://env");
        assert_eq!(sts(&[("AWS_ENDPOINT_URL_STS", "")], CONFIG).as_deref(), Some("http://sts"));
    }

    #[test]
    fn the_ignore_setting_disables_all_endpoints_if_true() {
        let ignore = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
        let is_asked = |value: &str| {
            sts(&[("AWS_ENDPOINT_URL_STS", "http://env"), (ignore, value)], "[default]\nendpoint_url = http://all\n")
                .is_some()
        };
        assert_eq!(["true", "TRUE", "1", "yes", "false", ""].map(is_asked), [false, false, true, true, true, true]);
        let config = "[default]\nignore_configured_endpoint_urls = true\nendpoint_url = http://all\n";
        assert_eq!(sts(&[], config), None);
    }

    #[test]
    fn a_missing_services_section_is_an_error_if_needed() {
        let lost = "[default]\nservices = lab\n";
        assert!(endpoints(&[], lost).is_err_and(|error| error.starts_with("`services` in profile `default`")));
        assert!(endpoints(&[("AWS_ENDPOINT_URL", "http://env")], lost).is_ok());
        assert!(endpoints(&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")], lost).is_ok());
    }

    #[test]
    fn an_invalid_url_error_names_its_source() {
        for bad in ["sts.corp", "http://a b", "ftp://sts.corp", "http://", "http://sts.corp:99999/"] {
            let error = endpoints(&[("AWS_ENDPOINT_URL_STS", bad)], "").unwrap_err();
            assert!(error.starts_with("AWS_ENDPOINT_URL_STS `"), "{error}");
        }
        let error = endpoints(&[], "[default]\nservices = x\n[services x]\nsts =\n  endpoint_url = y\n").unwrap_err();
        assert!(error.starts_with("`endpoint_url` in `[services x]` (line 4 of"), "{error}");
    }

    #[test]
    fn an_authority_has_scheme_host_and_port() {
        assert_eq!(authority("https://user:secret@sts.corp:8443/x?y"), "https://sts.corp:8443");
        for good in ["http://127.0.0.1:8080/x", "https://sts.corp", "http://[::1]:1/", "http://u:p@sts.corp:1"] {
            assert!(is_url(good), "{good}");
        }
    }
}
