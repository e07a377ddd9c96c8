//! A profile's own sources of credentials, and their precedence.

use crate::aws::error::Error;
use crate::aws::profile::{Profile, ProfileFiles};
use crate::aws::source::base::Base;
use crate::aws::source::keys::keys_of;
use crate::aws::source::sso::sso;
use crate::aws::source::web_identity::web_identity;
use crate::say::secret::Secret;
use crate::sys::env::Env;

/// The sources a profile without a role can have, in order of precedence. There are two kinds of keys because other
/// sources come between them.
pub(super) const PROFILE_SOURCES: [ProfileSource; 6] = [
    ProfileSource::WebIdentity,
    ProfileSource::Sso,
    ProfileSource::KeysInCredentialsFile,
    ProfileSource::ConsoleSession,
    ProfileSource::Process,
    ProfileSource::KeysInConfigFile,
];

#[derive(Clone, Copy)]
pub(super) enum ProfileSource {
    WebIdentity,
    Sso,
    KeysInCredentialsFile,
    ConsoleSession,
    Process,
    KeysInConfigFile,
}

impl ProfileSource {
    pub(super) fn find<'a>(
        self,
        profile: Option<&Profile<'a>>,
        env: Option<&Env>,
        files: &ProfileFiles<'a>,
    ) -> Result<Option<(Base<'a>, bool)>, Error> {
        if let ProfileSource::WebIdentity = self {
            let found = web_identity(profile, env)?;
            return Ok(found.map(|(identity, is_in_environment)| (Base::WebIdentity(identity), is_in_environment)));
        }
        let Some(profile) = profile else { return Ok(None) };
        let base = match self {
            ProfileSource::WebIdentity => None,
            ProfileSource::Sso => sso(profile, files)?.map(Base::Sso),
            ProfileSource::KeysInCredentialsFile => {
                keys_of(profile, profile.keys_in_credentials_file()?)?.map(Base::Keys)
            }
            ProfileSource::ConsoleSession => {
                profile.get("login_session")?.map(|value| Base::ConsoleSession(value.text.to_owned()))
            }
            ProfileSource::Process => {
                profile.get("credential_process")?.map(|value| Base::Process(Secret::new(value.text)))
            }
            ProfileSource::KeysInConfigFile => keys_of(profile, profile.keys_in_config_file()?)?.map(Base::Keys),
        };
        Ok(base.map(|base| (base, false)))
    }

    pub(super) fn is(self, base: &Base) -> bool {
        match base {
            Base::WebIdentity(_) => matches!(self, ProfileSource::WebIdentity),
            Base::Sso(_) => matches!(self, ProfileSource::Sso),
            Base::ConsoleSession(_) => matches!(self, ProfileSource::ConsoleSession),
            Base::Process(_) => matches!(self, ProfileSource::Process),
            Base::Keys(keys) => match self {
                ProfileSource::KeysInCredentialsFile => keys.place().is_credentials_file(),
                ProfileSource::KeysInConfigFile => !keys.place().is_credentials_file(),
                _ => false,
            },
            Base::Container(_) | Base::Instance | Base::Nothing => false,
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            ProfileSource::WebIdentity => "the web identity",
            ProfileSource::Sso => "the SSO session",
            ProfileSource::KeysInCredentialsFile => "the credentials file's keys",
            ProfileSource::ConsoleSession => "the `login_session`",
            ProfileSource::Process => "the `credential_process`",
            ProfileSource::KeysInConfigFile => "the keys in the config file",
        }
    }
}

/// The first source that is present, and whether it comes from the environment rather than the profile.
pub(super) fn own<'a>(
    profile: Option<&Profile<'a>>,
    env: Option<&Env>,
    files: &ProfileFiles<'a>,
) -> Result<Option<(Base<'a>, bool)>, Error> {
    for own in PROFILE_SOURCES {
        if let Some(found) = own.find(profile, env, files)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
