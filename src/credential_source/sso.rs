//! An SSO session, as a profile and the section that it refers to describe it together.

use super::{Located, profile_failed};
use crate::error::{Error, shown};
use crate::profile_files::{Kind, Profile, ProfileFiles};

#[derive(Debug)]
pub struct Sso<'a> {
    /// `None`: the older form, without a session's name.
    pub session: Option<Profile<'a>>,
    pub start_url: String,
    pub region: Located,
    pub account_id: String,
    pub role_name: String,
}

impl Sso<'_> {
    /// What the token file is named after.
    pub fn token_name(&self) -> &str {
        self.session.as_ref().map_or(&self.start_url, |session| session.name())
    }
}

/// A profile with an account or a role name is an SSO profile, whatever else it lacks.
pub(super) fn sso<'a>(profile: &Profile<'a>, files: &ProfileFiles<'a>) -> Result<Option<Sso<'a>>, Error> {
    if profile.word("sso_account_id")?.is_none() && profile.word("sso_role_name")?.is_none() {
        return Ok(None);
    }
    let session = match profile.word("sso_session")? {
        None => None,
        Some(name) => match files.section(Kind::SsoSession, name.text)? {
            Some(session) => Some(session),
            None => {
                let why = format!("there is no section `[sso-session {}]` in the config file", shown(name.text));
                return Err(profile_failed(profile.name(), &why, &format!("add it, or correct {}", name.place)));
            }
        },
    };
    if let Some(session) = &session
        && let Some(property) = contradiction(profile, session)
    {
        let why = format!("its `{property}` is not that of `[sso-session {}]`", shown(session.name()));
        return Err(profile_failed(profile.name(), &why, &format!("remove `{property}` from one of them")));
    }
    let mut missing = Vec::new();
    let mut part = |property: &'static str, is_free: bool| -> Result<Located, Error> {
        for section in [Some(profile), session.as_ref()].into_iter().flatten() {
            let value = if is_free { section.text(property)? } else { section.word(property)? };
            if let Some(value) = value {
                return Ok(Located { text: value.text.to_owned(), place: value.place.to_string() });
            }
        }
        missing.push(format!("`{property}`"));
        Ok(Located { text: String::new(), place: String::new() })
    };
    let account_id = part("sso_account_id", false)?.text;
    let role_name = part("sso_role_name", false)?.text;
    let start_url = part("sso_start_url", true)?.text;
    let region = part("sso_region", false)?;
    if missing.is_empty() {
        return Ok(Some(Sso { session, start_url, region, account_id, role_name }));
    }
    let names = missing.join(", ");
    let place = session.map_or(String::new(), |session| format!(" and `[sso-session {}]`", shown(session.name())));
    let why = format!("its SSO settings{place} lack {names}");
    Err(profile_failed(profile.name(), &why, "add what is missing, or run `aws configure sso`"))
}

/// A property that both have, with different values.
fn contradiction(profile: &Profile, session: &Profile) -> Option<String> {
    let differs =
        |(key, value): &(&str, &str)| profile.written(key).is_some_and(|own| !own.is_empty() && own != *value);
    session.properties().find(differs).map(|(key, _)| key.to_ascii_lowercase())
}
