//! Which profile of a chain has the credentials that all others start from, and in what form, as the AWS CLI sees it.

use crate::profile::{ProfileFiles, Section};

/// The end of a chain of profiles.
pub struct Origin<'a> {
    /// Its name.
    pub profile: String,
    pub section: Section<'a>,
    pub kind: Kind,
}

/// What it has; the first one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sso,
    /// In the credentials file, where they come before a `credential_process`; in the config file they come after it.
    Keys,
    Process,
    /// Keys in the config file, a web identity, the environment, a container, an instance; or nothing.
    Other,
}

impl<'a> Origin<'a> {
    /// `None` where a profile of the chain is missing, or the chain is a circle: the SDK has words for that.
    pub fn of(profiles: &'a ProfileFiles, profile: &str) -> Option<Self> {
        let mut visited: Vec<String> = Vec::new();
        let mut name = profile;
        loop {
            let section = profiles.profile(name)?;
            if visited.iter().any(|visited| visited == name) {
                return None;
            }
            visited.push(name.to_owned());
            // Keys of a profile that others start from come before all else that it has.
            let has_keys = |section: &Section| section.get("aws_access_key_id").is_some();
            let starts_from_keys =
                visited.len() > 1 && has_keys(&section) && section.get("aws_secret_access_key").is_some();
            let has_role = section.get("role_arn").is_some() && section.get("web_identity_token_file").is_none();
            match section.get("source_profile").filter(|next| *next != name) {
                Some(next) if has_role && !starts_from_keys => name = next,
                _ => {
                    let in_credentials_file = profiles.in_credentials_file(name);
                    let kind = match Kind::of(&section) {
                        _ if starts_from_keys => Kind::Other,
                        Kind::Process if in_credentials_file.is_some_and(|section| has_keys(&section)) => Kind::Keys,
                        kind => kind,
                    };
                    return Some(Origin { profile: name.to_owned(), section, kind });
                }
            }
        }
    }
}

impl Kind {
    fn of(section: &Section) -> Self {
        let has = |key: &str| section.get(key).is_some();
        if has("credential_source") || has("role_arn") && has("web_identity_token_file") {
            Kind::Other
        } else if has("sso_session") || has("sso_start_url") {
            Kind::Sso
        } else if has("credential_process") {
            Kind::Process
        } else {
            Kind::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
[profile sso]
sso_session = corp
[profile of-sso]
role_arn = arn
source_profile = sso
[profile of-that]
role_arn = arn
source_profile = of-sso
[profile without-a-role]
source_profile = sso
[profile both]
credential_process = x
aws_access_key_id = AKIA
aws_secret_access_key = x
[profile of-both]
role_arn = arn
source_profile = both
[profile environment]
role_arn = arn
credential_source = Environment
sso_session = corp
[profile one]
role_arn = arn
source_profile = other
[profile other]
role_arn = arn
source_profile = one
[profile typo]
role_arn = arn
source_profile = soo
";

    #[test]
    fn a_chain_ends_where_no_role_leads_on() {
        let files = ProfileFiles::new(CONFIG.as_bytes(), b"");
        let origin = |name: &str| Origin::of(&files, name).map(|origin| (origin.profile, origin.kind));
        let sso = |name: &str| Some((name.to_owned(), Kind::Sso));
        assert_eq!(origin("sso"), sso("sso"));
        assert_eq!(origin("of-sso"), sso("sso"));
        assert_eq!(origin("of-that"), sso("sso"));
        assert_eq!(origin("without-a-role"), Some(("without-a-role".into(), Kind::Other)));
        assert_eq!(origin("both"), Some(("both".into(), Kind::Process)));
        assert_eq!(origin("of-both"), Some(("both".into(), Kind::Other)));
        assert_eq!(origin("environment"), Some(("environment".into(), Kind::Other)));
        assert_eq!(origin("one"), None);
        assert_eq!(origin("typo"), None);
        let files = ProfileFiles::new(CONFIG.as_bytes(), b"[both]\naws_access_key_id = AKIA\n");
        assert_eq!(Origin::of(&files, "both").map(|origin| origin.kind), Some(Kind::Keys));
        assert_eq!(origin("nobody"), None);
    }
}
