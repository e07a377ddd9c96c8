//! Where the caller's credentials come from: the one answer to that question, which providers, fingerprint, deadlines,
//! hints and messages all go by. The order and the conditions are the AWS CLI's. Pure: it reads no file, starts nothing
//! and asks nobody.

mod container;
mod keys;
mod sso;
mod web_identity;

use crate::aws::keys::Keys;
use crate::aws::profile::{Profile, ProfileFiles, Value};
use crate::say::error::{Error, shown};
use crate::say::secret::Secret;
use crate::sys::env::Env;
use crate::sys::vars;
use container::container;
pub use container::{Authorization, Container};
use keys::{environment_keys, keys_of};
pub use sso::Sso;
use sso::sso;
pub use web_identity::WebIdentity;
use web_identity::web_identity;

/// The profile in use, and how it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileChoice {
    pub name: String,
    pub named_by: NamedBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// `--profile`: comes before keys and web identities in the environment.
    Flag,
    /// `AWS_PROFILE` or `AWS_DEFAULT_PROFILE`: comes after them.
    Variable(&'static str),
    Nobody,
}

impl ProfileChoice {
    /// AWS CLI v2, the Go SDK and aws-iam-authenticator prefer AWS_PROFILE, which is also what `update-kubeconfig` writes;
    /// AWS CLI v1 prefers the other.
    pub fn resolve(flag: Option<&str>, env: &Env) -> Result<Self, Error> {
        let from = |name: &'static str| env.get(name).map(|value| (value, NamedBy::Variable(name)));
        let (name, named_by) = match flag {
            Some("") => return Err(Error::input("--profile", "", "the name of a profile")),
            Some(name) => (name, NamedBy::Flag),
            None => from(vars::AWS_PROFILE)
                .or_else(|| from(vars::AWS_DEFAULT_PROFILE))
                .unwrap_or(("default", NamedBy::Nobody)),
        };
        Ok(ProfileChoice { name: name.to_owned(), named_by })
    }
}

/// The source that wins, and what was gone through to find it.
#[derive(Debug)]
pub struct CredentialSource<'a> {
    pub choice: ProfileChoice,
    /// The profile in use, where there is one; it says how AWS is reached, even where other keys sign.
    profile: Option<Profile<'a>>,
    /// Its source, the source of that, and so on.
    sources: Vec<Profile<'a>>,
    /// Of the profile in use and its sources, how many have a role that is assumed.
    roles: usize,
    pub base: Base<'a>,
    /// Where there was nothing: a header that is perhaps meant, and not right.
    pub mistaken_header: Option<String>,
    /// How the winner came to be looked at.
    found: Found,
}

/// What the credentials are that everything starts from.
#[derive(Debug)]
pub enum Base<'a> {
    Keys(Keys),
    WebIdentity(WebIdentity),
    Sso(Sso<'a>),
    /// The identity that `aws login` logged in as.
    Login(String),
    /// A `credential_process`. It may hold secrets.
    Process(Secret),
    Container(Container),
    /// The metadata service, where this is an EC2 instance.
    Instance,
    /// The profile that a role starts from has none of its own; the container's or the machine's are not meant.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    InEnvironment,
    /// In the profile in use, or the last of its sources.
    InProfile,
    /// Its role names it: `credential_source`.
    ByCredentialSource,
    /// Nothing else was there.
    AtLast,
}

/// What a profile without a role can have, the first one first; keys are of two kinds because other sources stand between.
const OWN: [Own; 6] =
    [Own::WebIdentity, Own::Sso, Own::KeysInCredentialsFile, Own::Login, Own::Process, Own::KeysInConfigFile];

#[derive(Clone, Copy)]
enum Own {
    WebIdentity,
    Sso,
    KeysInCredentialsFile,
    Login,
    Process,
    KeysInConfigFile,
}

impl<'a> CredentialSource<'a> {
    /// # Errors
    ///
    /// [`Error::NoSuchProfile`], [`Error::CredentialsFailed`] for settings that cannot give good keys, [`Error::Input`] for
    /// a setting that is no valid value, and [`Error::BrokenLine`].
    pub fn resolve(choice: ProfileChoice, env: &Env, files: &ProfileFiles<'a>) -> Result<Self, Error> {
        files.check()?;
        let profile = files.profile(&choice.name)?;
        if profile.is_none() && choice.named_by != NamedBy::Nobody {
            let hint = files.mistaken_header(&choice.name).map(|mistaken| mistaken.to_string());
            return Err(Error::NoSuchProfile { profile: choice.name, files: files.paths(), hint });
        }
        // What the environment says counts where no flag says otherwise.
        let consulted = Some(env).filter(|_| choice.named_by != NamedBy::Flag);
        let (sources, base, found) = (Vec::new(), Base::Instance, Found::AtLast);
        let mistaken_header = None;
        let mut source = CredentialSource { choice, profile, sources, roles: 0, base, mistaken_header, found };
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
        if let Some((base, found)) = own(last, consulted, files)? {
            (source.base, source.found) = (base, found);
        } else if has_role {
            (source.base, source.found) = (Base::Nothing, Found::InProfile);
        } else if let Some(container) = container(env)? {
            source.base = Base::Container(container);
        } else if source.profile.is_none() {
            let mistaken = files.mistaken_header(&source.choice.name);
            source.mistaken_header = mistaken.map(|mistaken| mistaken.to_string());
        }
        Ok(source)
    }

    /// From a profile with a role to the one that its role starts from, and so on.
    fn follow_roles(&mut self, env: &Env, files: &ProfileFiles<'a>) -> Result<(), Error> {
        loop {
            let is_source = !self.sources.is_empty();
            let Some(profile) = self.sources.last().or(self.profile.as_ref()) else { return Ok(()) };
            // Where another role starts from it, a profile's keys are meant, and not its role.
            let has_keys = profile.has("aws_access_key_id") || profile.has("aws_secret_access_key");
            if !has_role(profile)? || (is_source && has_keys) {
                return Ok(());
            }
            match (profile.get("source_profile")?, profile.get("credential_source")?) {
                (Some(_), Some(_)) => {
                    let why =
                        "it has both `source_profile` and `credential_source`, and its role can start from only one";
                    return Err(profile_failed(profile.name(), why, "remove one of them"));
                }
                (None, None) => {
                    let why = "it has a `role_arn` and does not say whose credentials assume it";
                    return Err(profile_failed(
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
                        return Err(profile_failed(
                            profile.name(),
                            &why,
                            "let the last of them have credentials of its own",
                        ));
                    }
                    let Some(source) = files.profile(next.text)? else {
                        let why =
                            format!("there is no profile `{}`, which its `source_profile` names", shown(next.text));
                        let mistaken = files.mistaken_header(next.text).map(|mistaken| mistaken.to_string());
                        let hint = mistaken.unwrap_or_else(|| format!("correct {}", next.place));
                        return Err(profile_failed(profile.name(), &why, &hint));
                    };
                    self.roles += 1;
                    self.sources.push(source);
                }
            }
        }
    }

    /// The profile in use, where there is one.
    pub fn profile(&self) -> Option<&Profile<'a>> {
        self.profile.as_ref()
    }

    /// The profiles whose roles are assumed one after the other, first one first.
    pub fn roles(&self) -> impl DoubleEndedIterator<Item = &Profile<'a>> {
        self.chain().take(self.roles).collect::<Vec<_>>().into_iter().rev()
    }

    /// The profile in use and its sources.
    fn chain(&self) -> impl Iterator<Item = &Profile<'a>> {
        self.profile.iter().chain(&self.sources)
    }

    /// The sections that decide who signs: none where the environment does, the keys in which come before all profiles.
    pub fn sections(&self) -> impl Iterator<Item = &Profile<'a>> {
        let is_by_keys = self.is_environment_keys();
        let session = match &self.base {
            Base::Sso(sso) => sso.session.as_ref(),
            _ => None,
        };
        self.chain().filter(move |_| !is_by_keys).chain(session)
    }

    /// The device of a profile in the chain, for the hint that it counts only in the one with the role.
    pub fn mfa_serial_elsewhere(&self) -> Result<Option<String>, Error> {
        for profile in self.chain() {
            if let Some(serial) = profile.get("mfa_serial")? {
                return Ok(Some(serial.place.to_string()));
            }
        }
        Ok(None)
    }

    /// Which of its kind the source is: with the environment and the sections, all that decides who signs.
    pub fn kind(&self) -> &'static str {
        match (&self.base, self.found) {
            (Base::Keys(_), Found::InEnvironment) => "keys in the environment",
            (Base::Keys(_), Found::ByCredentialSource) => "keys in the environment, named by a profile",
            (Base::Keys(keys), _) if keys.place().is_credentials_file() => "keys in the credentials file",
            (Base::Keys(_), _) => "keys in the config file",
            (Base::WebIdentity(_), _) => "web identity",
            (Base::Sso(_), _) => "SSO session",
            (Base::Login(_), _) => "console session",
            (Base::Process(_), _) => "process",
            (Base::Container(_), _) => "container",
            (Base::Instance, _) => "instance",
            (Base::Nothing, _) => "nothing",
        }
    }

    /// Whether keys in the environment come before the profile in use.
    pub fn is_environment_keys(&self) -> bool {
        matches!((&self.base, self.found), (Base::Keys(_), Found::InEnvironment))
    }

    /// Whether there is nothing but what the machine itself may have.
    pub fn is_last_resort(&self) -> bool {
        self.found == Found::AtLast
    }

    /// Whether a profile says what these credentials are.
    pub fn is_in_profile(&self) -> bool {
        self.found == Found::InProfile
    }

    pub fn process(&self) -> Option<&Secret> {
        match &self.base {
            Base::Process(command) => Some(command),
            _ => None,
        }
    }

    /// The profile that the credentials are those of, and that a person would look at.
    pub fn base_profile(&self) -> &str {
        self.chain().last().map_or(&self.choice.name, |profile| profile.name())
    }

    /// The profile in use, where its roles start from another one.
    pub fn source_of(&self) -> Option<&str> {
        (!self.sources.is_empty()).then(|| self.name_in_use())
    }

    fn name_in_use(&self) -> &str {
        &self.choice.name
    }

    /// A source that somebody who named a profile in the environment does not expect.
    pub fn is_unexpected(&self) -> bool {
        self.found == Found::InEnvironment && matches!(self.choice.named_by, NamedBy::Variable(_))
    }

    /// In the user's words: the variable, property or profile that it comes from.
    pub fn name(&self) -> String {
        let base = shown(self.base_profile());
        let named = match (&self.base, self.found) {
            (Base::Keys(_), Found::InEnvironment) => "AWS_ACCESS_KEY_ID in the environment".to_owned(),
            (_, Found::InEnvironment) => "AWS_WEB_IDENTITY_TOKEN_FILE in the environment".to_owned(),
            (of_source, Found::ByCredentialSource) => {
                format!("`credential_source = {}` of profile `{base}`", of_source.canonical_name())
            }
            (Base::Container(container), _) => format!("{} in the environment", container.variable),
            (Base::Instance, _) => "the EC2 instance metadata service".to_owned(),
            (_, Found::InProfile | Found::AtLast) => match (self.source_of(), self.choice.named_by) {
                (Some(of), _) => format!("profile `{base}` (source of `{}`)", shown(of)),
                (None, NamedBy::Variable(variable)) => format!("profile `{base}` ({variable})"),
                (None, NamedBy::Flag | NamedBy::Nobody) => format!("profile `{base}`"),
            },
        };
        match self.choice.named_by {
            NamedBy::Variable(variable) if self.is_unexpected() => {
                format!("{named}, which comes before {variable} `{}`", shown(&self.choice.name))
            }
            _ => named,
        }
    }

    /// What else could have signed, and comes after the winner; for those who want to know.
    pub fn shadows(&self, env: &Env, files: &ProfileFiles<'a>) -> Vec<String> {
        let mut shadows = Vec::new();
        let environment = Some(env).filter(|_| self.choice.named_by != NamedBy::Flag);
        let profile = self.chain().last();
        if self.is_environment_keys() {
            let role = self.profile.as_ref().filter(|profile| has_role(profile).unwrap_or(true));
            shadows.extend(role.map(|profile| format!("the role of profile `{}`", shown(profile.name()))));
        } else if environment.is_none() && env.get(vars::AWS_ACCESS_KEY_ID).is_some() {
            shadows.push("AWS_ACCESS_KEY_ID in the environment".to_owned());
        }
        let consulted = environment.filter(|_| self.roles == 0);
        let is_winner =
            |own: &Own| !self.is_environment_keys() && self.found != Found::ByCredentialSource && own.is(&self.base);
        let after = OWN.iter().position(is_winner).map_or(0, |at| at + 1);
        for own in &OWN[after..] {
            if !matches!(own.find(profile, consulted, files), Ok(None)) && !is_winner(own) {
                let of = profile.map_or(String::new(), |profile| format!(" of profile `{}`", shown(profile.name())));
                shadows.push(format!("{}{of}", own.in_words()));
            }
        }
        if !matches!(self.base, Base::Container(_)) && self.roles == 0 && !matches!(container(env), Ok(None)) {
            shadows.push("the container's credentials".to_owned());
        }
        shadows
    }
}

impl Base<'_> {
    /// What `credential_source` calls it.
    fn canonical_name(&self) -> &'static str {
        match self {
            Base::Container(_) => "EcsContainer",
            Base::Instance => "Ec2InstanceMetadata",
            _ => "Environment",
        }
    }
}

impl Own {
    fn find<'a>(
        self,
        profile: Option<&Profile<'a>>,
        env: Option<&Env>,
        files: &ProfileFiles<'a>,
    ) -> Result<Option<(Base<'a>, Found)>, Error> {
        if let Own::WebIdentity = self {
            return web_identity(profile, env);
        }
        let Some(profile) = profile else { return Ok(None) };
        let base = match self {
            Own::WebIdentity => None,
            Own::Sso => sso(profile, files)?.map(Base::Sso),
            Own::KeysInCredentialsFile => keys_of(profile, profile.keys_in_credentials_file()?)?.map(Base::Keys),
            Own::Login => profile.get("login_session")?.map(|value| Base::Login(value.text.to_owned())),
            Own::Process => profile.get("credential_process")?.map(|value| Base::Process(Secret::new(value.text))),
            Own::KeysInConfigFile => keys_of(profile, profile.keys_in_config_file()?)?.map(Base::Keys),
        };
        Ok(base.map(|base| (base, Found::InProfile)))
    }

    fn is(self, base: &Base) -> bool {
        match base {
            Base::WebIdentity(_) => matches!(self, Own::WebIdentity),
            Base::Sso(_) => matches!(self, Own::Sso),
            Base::Login(_) => matches!(self, Own::Login),
            Base::Process(_) => matches!(self, Own::Process),
            Base::Keys(keys) => match self {
                Own::KeysInCredentialsFile => keys.place().is_credentials_file(),
                Own::KeysInConfigFile => !keys.place().is_credentials_file(),
                _ => false,
            },
            Base::Container(_) | Base::Instance | Base::Nothing => false,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Own::WebIdentity => "the web identity",
            Own::Sso => "the SSO session",
            Own::KeysInCredentialsFile => "the keys in the credentials file",
            Own::Login => "the `login_session`",
            Own::Process => "the `credential_process`",
            Own::KeysInConfigFile => "the keys in the config file",
        }
    }
}

fn own<'a>(
    profile: Option<&Profile<'a>>,
    env: Option<&Env>,
    files: &ProfileFiles<'a>,
) -> Result<Option<(Base<'a>, Found)>, Error> {
    for own in OWN {
        if let Some(found) = own.find(profile, env, files)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// A role that starts from other credentials. With a token file beside it, it starts from the web identity.
fn has_role(profile: &Profile) -> Result<bool, Error> {
    Ok(profile.get("role_arn")?.is_some() && profile.get("web_identity_token_file")?.is_none())
}

/// What a `credential_source` names.
fn named_source<'a>(Value { text: name, place }: Value, profile: &str, env: &Env) -> Result<Base<'a>, Error> {
    let failed = |why: &str| Error::CredentialsFailed {
        source_name: format!("`credential_source = {}` of profile `{}`", shown(name), shown(profile)),
        why: why.to_owned(),
        hint: format!("set them where kubectl runs, or correct {place}"),
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

fn profile_failed(profile: &str, why: &str, hint: &str) -> Error {
    Error::CredentialsFailed {
        source_name: format!("profile `{}`", shown(profile)),
        why: why.to_owned(),
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests;
