//! What the credentials are that a profile itself has, without roles: by the rules of the AWS CLI, which differ from the
//! SDK's where there is more than one.

use crate::profile::{ProfileFiles, Section};
use crate::request::ProfileChoice;

/// The first one that it has counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileSource<'a> {
    Keys {
        id: &'a str,
        secret: &'a str,
        session_token: Option<&'a str>,
    },
    /// The session, or in the older form only the start URL.
    Sso {
        session: Option<&'a str>,
        start_url: Option<&'a str>,
    },
    /// The identity that `aws login` logged in as.
    Login(&'a str),
    /// Its command.
    Process(&'a str),
    /// Keys that have nothing beside them, a web identity, the environment, a container, an instance; or nothing: the
    /// SDK's own way is the AWS CLI's.
    Other,
}

impl<'a> ProfileSource<'a> {
    pub fn of(profiles: &'a ProfileFiles, profile: &ProfileChoice) -> Self {
        let section = profiles.profile(&profile.name).unwrap_or_default();
        let has = |key: &str| section.get(key).is_some();
        // Where roles start from a profile with keys, these are meant and not its role. Else this is a role that could not
        // be taken apart from its profile: the SDK's own business.
        let has_keys = has("aws_access_key_id") || has("aws_secret_access_key");
        let is_role = has("credential_source") || has("role_arn");
        if is_role && !(has_keys && profile.source_of.is_some()) {
            return ProfileSource::Other;
        }
        if has("sso_session") || has("sso_start_url") {
            return ProfileSource::Sso { session: section.get("sso_session"), start_url: section.get("sso_start_url") };
        }
        let of_login = section.get("login_session").map(ProfileSource::Login);
        let Some(other) = of_login.or(section.get("credential_process").map(ProfileSource::Process)) else {
            return Self::keys(&section).filter(|_| is_role).unwrap_or(ProfileSource::Other);
        };
        // Keys in the credentials file come before these, those in the config file after them.
        profiles.in_credentials_file(&profile.name).and_then(|own| Self::keys(&own)).unwrap_or(other)
    }

    fn keys(section: &Section<'a>) -> Option<Self> {
        let session_token = section.get("aws_session_token").or(section.get("aws_security_token"));
        let secret = section.get("aws_secret_access_key").unwrap_or_default();
        Some(ProfileSource::Keys { id: section.get("aws_access_key_id")?, secret, session_token })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::NamedBy;

    #[test]
    fn of_several_sources_in_one_profile_the_one_of_the_aws_cli_counts() {
        let keys = "aws_access_key_id = AKIA\naws_secret_access_key = x\n";
        let sso = "sso_session = corp\n";
        let process = "credential_process = y\n";
        let of = |config: &str, credentials: &str, source_of: Option<&str>| {
            let (config, credentials) = (format!("[default]\n{config}"), format!("[default]\n{credentials}"));
            let files = ProfileFiles::new(config.as_bytes(), credentials.as_bytes());
            let source_of = source_of.map(Into::into);
            let profile = ProfileChoice { name: "default".into(), named_by: NamedBy::Nobody, source_of };
            match ProfileSource::of(&files, &profile) {
                ProfileSource::Keys { .. } => "keys",
                ProfileSource::Sso { .. } => "sso",
                ProfileSource::Login(_) => "login",
                ProfileSource::Process(_) => "process",
                ProfileSource::Other => "other",
            }
        };
        assert_eq!(of(keys, "", None), "other");
        assert_eq!(of(process, "", None), "process");
        assert_eq!(of(&[keys, process].concat(), "", None), "process");
        assert_eq!(of(process, keys, None), "keys");
        assert_eq!(of(process, "aws_access_key_id = AKIA", None), "keys");
        assert_eq!(of(&["login_session = arn\n", process, keys].concat(), "", None), "login");
        assert_eq!(of("login_session = arn\n", keys, None), "keys");
        assert_eq!(of(&[keys, process].concat(), "", Some("dev")), "process");
        assert_eq!(of(&[sso, process].concat(), keys, None), "sso");
        let role = "role_arn = arn\nsource_profile = other\n";
        assert_eq!(of(&[keys, role].concat(), "", None), "other");
        assert_eq!(of(&[keys, role].concat(), "", Some("dev")), "keys");
        assert_eq!(of(&["role_arn = arn\nsource_profile = default\n", process].concat(), "", None), "other");
        assert_eq!(of(&["credential_source = Environment\n", sso].concat(), "", None), "other");
    }
}
