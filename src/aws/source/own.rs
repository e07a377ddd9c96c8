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
pub(super) const OWN: [Own; 6] =
    [Own::WebIdentity, Own::Sso, Own::KeysInCredentialsFile, Own::ConsoleSession, Own::Process, Own::KeysInConfigFile];

#[derive(Clone, Copy)]
pub(super) enum Own {
    WebIdentity,
    Sso,
    KeysInCredentialsFile,
    ConsoleSession,
    Process,
    KeysInConfigFile,
}

impl Own {
    pub(super) fn find<'a>(
        self,
        profile: Option<&Profile<'a>>,
        env: Option<&Env>,
        files: &ProfileFiles<'a>,
    ) -> Result<Option<(Base<'a>, bool)>, Error> {
        if let Own::WebIdentity = self {
            let found = web_identity(profile, env)?;
            return Ok(found.map(|(identity, is_in_environment)| (Base::WebIdentity(identity), is_in_environment)));
        }
        let Some(profile) = profile else { return Ok(None) };
        let base = match self {
            Own::WebIdentity => None,
            Own::Sso => sso(profile, files)?.map(Base::Sso),
            Own::KeysInCredentialsFile => keys_of(profile, profile.keys_in_credentials_file()?)?.map(Base::Keys),
            Own::ConsoleSession => {
                profile.get("login_session")?.map(|value| Base::ConsoleSession(value.text.to_owned()))
            }
            Own::Process => profile.get("credential_process")?.map(|value| Base::Process(Secret::new(value.text))),
            Own::KeysInConfigFile => keys_of(profile, profile.keys_in_config_file()?)?.map(Base::Keys),
        };
        Ok(base.map(|base| (base, false)))
    }

    pub(super) fn is(self, base: &Base) -> bool {
        match base {
            Base::WebIdentity(_) => matches!(self, Own::WebIdentity),
            Base::Sso(_) => matches!(self, Own::Sso),
            Base::ConsoleSession(_) => matches!(self, Own::ConsoleSession),
            Base::Process(_) => matches!(self, Own::Process),
            Base::Keys(keys) => match self {
                Own::KeysInCredentialsFile => keys.place().is_credentials_file(),
                Own::KeysInConfigFile => !keys.place().is_credentials_file(),
                _ => false,
            },
            Base::Container(_) | Base::Instance | Base::Nothing => false,
        }
    }

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Own::WebIdentity => "the web identity",
            Own::Sso => "the SSO session",
            Own::KeysInCredentialsFile => "the credentials file's keys",
            Own::ConsoleSession => "the `login_session`",
            Own::Process => "the `credential_process`",
            Own::KeysInConfigFile => "the keys in the config file",
        }
    }
}

/// The first source that is present, and whether it comes from the environment rather than the profile.
pub(super) fn own<'a>(
    profile: Option<&Profile<'a>>,
    env: Option<&Env>,
    files: &ProfileFiles<'a>,
) -> Result<Option<(Base<'a>, bool)>, Error> {
    for own in OWN {
        if let Some(found) = own.find(profile, env, files)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
