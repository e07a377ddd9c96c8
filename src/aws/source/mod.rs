//! Decides where the caller's credentials come from, in one place for providers, fingerprint, deadlines, hints and
//! messages. The order and conditions are the AWS CLI's. Pure: it reads no files, starts no processes and makes no
//! network calls.

mod base;
mod choice;
mod container;
mod describe;
mod keys;
mod own;
mod sso;
mod web_identity;

use crate::aws::error::Error;
use crate::aws::profile::{Profile, ProfileFiles, Value};
use crate::say::secret::Secret;
use crate::say::text::shown;
use crate::sys::env::Env;
pub use base::Base;
pub use choice::{ProfileChoice, SelectedBy};
use container::container;
pub use container::{Authorization, Container};
use keys::environment_keys;
use own::own;
pub use sso::Sso;
pub use web_identity::WebIdentity;

/// The chosen source, and the profiles that led to it.
#[derive(Debug)]
pub struct CredentialSource<'a> {
    pub choice: ProfileChoice,
    /// The profile in use, if there is one; it determines how AWS is reached, even if other keys sign.
    profile: Option<Profile<'a>>,
    /// Its source profile, the source profile of that one, and so on.
    sources: Vec<Profile<'a>>,
    /// How many of these profiles, including the one in use, have a role to assume.
    roles: usize,
    pub base: Base<'a>,
    /// If nothing was found: a wrong header that may have been intended.
    pub similar_header: Option<String>,
    /// How the source was found.
    found: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    InEnvironment,
    /// In the profile in use, or in the last of its source profiles.
    InProfile,
    /// Named by a role's `credential_source`.
    ByCredentialSource,
    /// The last resort: there was nothing else.
    LastResort,
}

impl<'a> CredentialSource<'a> {
    /// # Errors
    ///
    /// [`Error::NoSuchProfile`], [`Error::CredentialsFailed`] for settings that cannot provide valid keys,
    /// [`Error::Input`] for an invalid value, and [`Error::BrokenLine`].
    pub fn resolve(choice: ProfileChoice, env: &Env, files: &ProfileFiles<'a>) -> Result<Self, Error> {
        files.check()?;
        let profile = files.profile(&choice.name)?;
        if profile.is_none() && choice.selected_by != SelectedBy::Default {
            let hint = files.similar_header(&choice.name).map(|mistaken| mistaken.to_string());
            return Err(Error::NoSuchProfile { profile: choice.name, files: files.paths(), hint });
        }
        // The environment is only considered if no flag overrides it.
        let consulted = Some(env).filter(|_| choice.selected_by != SelectedBy::Flag);
        let (sources, base, found) = (Vec::new(), Base::Instance, Found::LastResort);
        let similar_header = None;
        let mut source = CredentialSource { choice, profile, sources, roles: 0, base, similar_header, found };
        if let Some(keys) = consulted.map(environment_keys).transpose()?.flatten() {
            (source.base, source.found) = (Base::Keys(keys), Found::InEnvironment);
            return Ok(source);
        }
        source.follow_roles(env, files)?;
        if source.found == Found::ByCredentialSource {
            return Ok(source);
        }
        let has_role = source.roles > 0;
        let consulted = consulted.filter(|_| !has_role);
        let last = source.sources.last().or(source.profile.as_ref());
        if let Some((base, is_in_environment)) = own(last, consulted, files)? {
            source.found = if is_in_environment { Found::InEnvironment } else { Found::InProfile };
            source.base = base;
        } else if has_role {
            (source.base, source.found) = (Base::Nothing, Found::InProfile);
        } else if let Some(container) = container(env)? {
            source.base = Base::Container(container);
        } else if source.profile.is_none() {
            let mistaken = files.similar_header(&source.choice.name);
            source.similar_header = mistaken.map(|mistaken| mistaken.to_string());
        }
        Ok(source)
    }

    /// Follows the chain from a profile with a role to its source profile, and so on.
    fn follow_roles(&mut self, env: &Env, files: &ProfileFiles<'a>) -> Result<(), Error> {
        loop {
            let is_source = !self.sources.is_empty();
            let Some(profile) = self.sources.last().or(self.profile.as_ref()) else { return Ok(()) };
            // If a profile is the source of another role, its keys take precedence over its own role.
            let has_keys = profile.has("aws_access_key_id") || profile.has("aws_secret_access_key");
            if !has_role(profile)? || (is_source && has_keys) {
                return Ok(());
            }
            match (profile.get("source_profile")?, profile.get("credential_source")?) {
                (Some(_), Some(_)) => {
                    let why = "it has both `source_profile` and `credential_source`, but its role can use only one";
                    return Err(Error::profile(profile.name(), why, "remove one of them"));
                }
                (None, None) => {
                    let why = "it has a `role_arn`, but does not say which credentials to assume it with";
                    return Err(Error::profile(
                        profile.name(),
                        why,
                        "add `source_profile` or `credential_source` to it",
                    ));
                }
                (None, Some(named)) => {
                    self.base = named_source(named, profile.name(), env)?;
                    self.roles += 1;
                    self.found = Found::ByCredentialSource;
                    return Ok(());
                }
                (Some(next), None) if next.text == profile.name() => {
                    self.roles += 1;
                    return Ok(());
                }
                (Some(next), None) => {
                    let is_known = self.profile.iter().chain(&self.sources).any(|known| known.name() == next.text);
                    if is_known {
                        let why = format!("its `source_profile` leads back to `{}`", shown(next.text));
                        return Err(Error::profile(
                            profile.name(),
                            &why,
                            "give the last profile in the chain its own credentials",
                        ));
                    }
                    let Some(source) = files.profile(next.text)? else {
                        let why =
                            format!("its `source_profile` names profile `{}`, which does not exist", shown(next.text));
                        let mistaken = files.similar_header(next.text).map(|mistaken| mistaken.to_string());
                        let hint = mistaken.unwrap_or_else(|| format!("correct {}", next.place));
                        return Err(Error::profile(profile.name(), why, hint));
                    };
                    self.roles += 1;
                    self.sources.push(source);
                }
            }
        }
    }

    /// The profile in use, if there is one.
    pub fn profile(&self) -> Option<&Profile<'a>> {
        self.profile.as_ref()
    }

    /// The profiles whose roles are assumed, in the order they are assumed.
    pub fn roles(&self) -> impl DoubleEndedIterator<Item = &Profile<'a>> {
        self.chain().take(self.roles).collect::<Vec<_>>().into_iter().rev()
    }

    /// The profile in use and its sources.
    fn chain(&self) -> impl Iterator<Item = &Profile<'a>> {
        self.profile.iter().chain(&self.sources)
    }

    /// The sections that determine who signs; none if there are keys in the environment, which take precedence over all
    /// profiles.
    pub fn sections(&self) -> impl Iterator<Item = &Profile<'a>> {
        let is_by_keys = self.is_environment_keys();
        let session = match &self.base {
            Base::Sso(sso) => sso.session.as_ref(),
            _ => None,
        };
        self.chain().filter(move |_| !is_by_keys).chain(session)
    }

    /// The MFA device of a profile in the chain, for the hint that it only applies in the profile with the role.
    pub fn mfa_serial_in_chain(&self) -> Result<Option<String>, Error> {
        for profile in self.chain() {
            if let Some(serial) = profile.get("mfa_serial")? {
                return Ok(Some(serial.place.to_string()));
            }
        }
        Ok(None)
    }

    /// The kind of the source; together with the environment and the sections, it determines who signs.
    pub fn kind(&self) -> &'static str {
        match (&self.base, self.found) {
            (Base::Keys(_), Found::InEnvironment) => "keys in the environment",
            (Base::Keys(_), Found::ByCredentialSource) => "keys in the environment, named by a profile",
            (Base::Keys(keys), _) if keys.place().is_credentials_file() => "keys in the credentials file",
            (Base::Keys(_), _) => "keys in the config file",
            (Base::WebIdentity(_), _) => "web identity",
            (Base::Sso(_), _) => "SSO session",
            (Base::ConsoleSession(_), _) => "console session",
            (Base::Process(_), _) => "process",
            (Base::Container(_), _) => "container",
            (Base::Instance, _) => "instance",
            (Base::Nothing, _) => "nothing",
        }
    }

    /// Whether keys in the environment take precedence over the profile in use.
    pub fn is_environment_keys(&self) -> bool {
        matches!((&self.base, self.found), (Base::Keys(_), Found::InEnvironment))
    }

    /// Whether only the machine's own credentials are left.
    pub fn is_last_resort(&self) -> bool {
        self.found == Found::LastResort
    }

    /// Whether these credentials come from a profile.
    pub fn is_from_profile(&self) -> bool {
        self.found == Found::InProfile
    }

    pub fn process(&self) -> Option<&Secret> {
        match &self.base {
            Base::Process(command) => Some(command),
            _ => None,
        }
    }

    /// The profile the credentials belong to, where a user would look for them.
    pub fn base_profile(&self) -> &str {
        self.chain().last().map_or(&self.choice.name, |profile| profile.name())
    }

    /// The profile in use, if its role's source is another profile.
    pub fn requesting_profile(&self) -> Option<&str> {
        (!self.sources.is_empty()).then(|| self.name_in_use())
    }

    fn name_in_use(&self) -> &str {
        &self.choice.name
    }

    /// Whether the source is one that a user who set a profile in the environment would not expect.
    pub fn overrides_selected_profile(&self) -> bool {
        self.found == Found::InEnvironment && matches!(self.choice.selected_by, SelectedBy::Variable(_))
    }
}

/// Whether the profile has a role that needs other credentials. With a token file, the role is assumed with the web
/// identity instead.
fn has_role(profile: &Profile) -> Result<bool, Error> {
    Ok(profile.get("role_arn")?.is_some() && profile.get("web_identity_token_file")?.is_none())
}

/// The source named by `credential_source`.
fn named_source<'a>(Value { text: name, place }: Value, profile: &str, env: &Env) -> Result<Base<'a>, Error> {
    let failed = |why: &str| Error::CredentialsFailed {
        source_name: format!("`credential_source = {}` in profile `{}`", shown(name), shown(profile)),
        why: why.to_owned(),
        hint: format!("set them in kubectl's environment, or correct {place}"),
    };
    if name.eq_ignore_ascii_case("Environment") {
        let nothing = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
        return environment_keys(env)?.map(Base::Keys).ok_or_else(|| failed(nothing));
    }
    if name.eq_ignore_ascii_case("EcsContainer") {
        let nothing = "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set";
        return container(env)?.map(Base::Container).ok_or_else(|| failed(nothing));
    }
    if name.eq_ignore_ascii_case("Ec2InstanceMetadata") {
        return Ok(Base::Instance);
    }
    Err(Error::input(place.to_string(), name, "`Environment`, `EcsContainer` or `Ec2InstanceMetadata`"))
}

#[cfg(test)]
mod tests;
