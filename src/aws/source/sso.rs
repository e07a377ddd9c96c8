//! An SSO session, configured by a profile together with the section it refers to.

use crate::aws::error::Error;
use crate::aws::profile::{Kind, Located, Profile, ProfileFiles, without_comment};
use crate::say::text::shown;

#[derive(Debug)]
pub struct Sso<'a> {
    /// `None`: the older format, without a session name.
    pub session: Option<Profile<'a>>,
    pub start_url: String,
    pub region: Located,
    pub account_id: String,
    pub role_name: String,
}

impl Sso<'_> {
    /// The name from which the token file's name is derived.
    pub fn token_name(&self) -> &str {
        self.session.as_ref().map_or(&self.start_url, |session| session.name())
    }
}

/// A profile with an account or role name is an SSO profile, even if the rest is missing.
pub(super) fn sso<'a>(profile: &Profile<'a>, files: &ProfileFiles<'a>) -> Result<Option<Sso<'a>>, Error> {
    if profile.get("sso_account_id")?.is_none() && profile.get("sso_role_name")?.is_none() {
        return Ok(None);
    }
    let session = match profile.get("sso_session")? {
        None => None,
        Some(name) => match files.section(Kind::SsoSession, name.text)? {
            Some(session) => Some(session),
            None => {
                let why = format!("there is no section `[sso-session {}]` in the config file", shown(name.text));
                return Err(Error::profile(profile.name(), why, format!("add it, or correct {}", name.place)));
            }
        },
    };
    if let Some(session) = &session
        && let Some(property) = contradiction(profile, session)
    {
        let why = format!("its `{property}` differs from the one in `[sso-session {}]`", shown(session.name()));
        return Err(Error::profile(profile.name(), why, format!("remove `{property}` from one of them")));
    }
    let mut missing = Vec::new();
    let mut part = |property: &'static str| -> Result<Located, Error> {
        for section in [Some(profile), session.as_ref()].into_iter().flatten() {
            if let Some(value) = section.get(property)? {
                return Ok(value.into());
            }
        }
        missing.push(format!("`{property}`"));
        Ok(Located { text: String::new(), place: String::new() })
    };
    let account_id = part("sso_account_id")?.text;
    let role_name = part("sso_role_name")?.text;
    let start_url = part("sso_start_url")?.text;
    let region = part("sso_region")?;
    if missing.is_empty() {
        return Ok(Some(Sso { session, start_url, region, account_id, role_name }));
    }
    let names = missing.join(", ");
    let place = session.map_or(String::new(), |session| format!(" and `[sso-session {}]`", shown(session.name())));
    let why = format!("its SSO settings{place} lack {names}");
    Err(Error::profile(profile.name(), why, "add the missing settings, or run `aws configure sso`"))
}

/// A property that both set to different values.
fn contradiction(profile: &Profile, session: &Profile) -> Option<String> {
    let differs = |(key, value): &(&str, &str)| {
        let own = profile.written(key).map_or("", |own| without_comment(key, own));
        !own.is_empty() && own != without_comment(key, value)
    };
    session.properties().find(differs).map(|(key, _)| key.to_ascii_lowercase())
}
