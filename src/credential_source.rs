//! Where the caller's credentials come from: the one answer to that question, which providers, fingerprint, deadlines,
//! hints and messages all go by. The order and the conditions are the AWS CLI's. Pure: it reads no file, starts nothing
//! and asks nobody.

use std::path::PathBuf;

use crate::aws_keys::{Keys, KeysPlace};
use crate::env::Env;
use crate::error::{Error, shown};
use crate::profile_files::{KeyProperties, Kind, Profile, ProfileFiles};
use crate::secret::Secret;

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
            None => from("AWS_PROFILE").or_else(|| from("AWS_DEFAULT_PROFILE")).unwrap_or(("default", NamedBy::Nobody)),
        };
        Ok(ProfileChoice { name: name.to_owned(), named_by })
    }
}

/// The source that wins, and what was gone through to find it.
#[derive(Debug)]
pub struct CredentialSource<'a> {
    pub choice: ProfileChoice,
    /// The profile in use, where there is one; it says how AWS is reached, whoever's keys sign.
    profile: Option<Profile<'a>>,
    /// Its source, the source of that, and so on.
    sources: Vec<Profile<'a>>,
    /// The `[services]` section of the profile in use, which says where AWS is asked.
    services: Option<Profile<'a>>,
    /// Of the profile in use and its sources, how many have a role that is assumed.
    roles: usize,
    pub base: Base<'a>,
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

/// A text and where it is written, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub text: String,
    pub place: String,
}

#[derive(Debug)]
pub struct WebIdentity {
    pub token_file: PathBuf,
    /// The variable or property that names the file.
    pub token_file_place: String,
    pub role_arn: Located,
    pub session_name: Option<Located>,
}

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

/// Credentials of an ECS task, of EKS Pod Identity, and of whatever else speaks their protocol.
#[derive(Debug)]
pub struct Container {
    pub url: String,
    /// The variable that names it.
    pub variable: &'static str,
    pub authorization: Option<Authorization>,
}

#[derive(Debug)]
pub enum Authorization {
    File(PathBuf),
    Token(Secret),
}

pub const TOKEN_FILE_VARIABLE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

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
        let profile = files.profile(&choice.name)?;
        if profile.is_none() && choice.named_by != NamedBy::Nobody {
            let hint = files.mistaken_header(&choice.name).map(|mistaken| mistaken.to_string());
            return Err(Error::NoSuchProfile { profile: choice.name, files: files.paths(), hint });
        }
        // What the environment says counts where no flag says otherwise.
        let consulted = Some(env).filter(|_| choice.named_by != NamedBy::Flag);
        let services = profile.as_ref().map(|profile| services(profile, files)).transpose()?.flatten();
        let (sources, base, found) = (Vec::new(), Base::Instance, Found::AtLast);
        let mut source = CredentialSource { choice, profile, sources, services, roles: 0, base, found };
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
            match (profile.word("source_profile")?, profile.word("credential_source")?) {
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
                    self.base = named_source(named.text, &named.place.to_string(), env)?;
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

    /// Its `[services]` section, where it names one.
    pub fn services(&self) -> Option<&Profile<'a>> {
        self.services.as_ref()
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
        self.chain().filter(move |_| !is_by_keys).chain(session).chain(&self.services)
    }

    /// The device of a profile in the chain, for the hint that it counts only in the one with the role.
    pub fn mfa_serial_elsewhere(&self) -> Result<Option<String>, Error> {
        for profile in self.chain() {
            if let Some(serial) = profile.word("mfa_serial")? {
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
        } else if environment.is_none() && env.get("AWS_ACCESS_KEY_ID").is_some() {
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
            Own::Login => profile.text("login_session")?.map(|value| Base::Login(value.text.to_owned())),
            Own::Process => profile.text("credential_process")?.map(|value| Base::Process(Secret::new(value.text))),
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
    Ok(profile.word("role_arn")?.is_some() && profile.text("web_identity_token_file")?.is_none())
}

fn services<'a>(profile: &Profile<'a>, files: &ProfileFiles<'a>) -> Result<Option<Profile<'a>>, Error> {
    let Some(name) = profile.word("services")? else { return Ok(None) };
    match files.section(Kind::Services, name.text)? {
        Some(services) => Ok(Some(services)),
        None => {
            Err(Error::input(name.place.to_string(), name.text, "the name of a `[services …]` section that is there"))
        }
    }
}

/// What a `credential_source` names.
fn named_source<'a>(name: &str, place: &str, env: &Env) -> Result<Base<'a>, Error> {
    let failed = |why: &str| Error::CredentialsFailed {
        source_name: format!("`credential_source = {}`", shown(name)),
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
    Err(Error::input(place, name, "`Environment`, `EcsContainer` or `Ec2InstanceMetadata`"))
}

/// A secret without an id is nothing; of the session token's two names the old one comes first.
fn environment_keys(env: &Env) -> Result<Option<Keys>, Error> {
    let Some(id) = env.get("AWS_ACCESS_KEY_ID") else { return Ok(None) };
    let Some(secret) = env.get("AWS_SECRET_ACCESS_KEY") else {
        return Err(Error::CredentialsFailed {
            source_name: "the environment".into(),
            why: "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not".into(),
            hint: "set both, or unset both to use a profile".into(),
        });
    };
    let token_names = ["AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"];
    let token = token_names.into_iter().find_map(|name| Some((name, env.given(name)?.to_str()?)));
    let (session_token, value) = token.map_or((token_names[1], None), |(name, value)| (name, Some(value)));
    let expiry = env.get("AWS_CREDENTIAL_EXPIRATION");
    Ok(Some(Keys::new(KeysPlace::Environment { session_token }, id, secret, value, expiry)))
}

/// Keys of one file. An id without its secret is an error, an empty one too.
fn keys_of(profile: &Profile, found: Option<KeyProperties>) -> Result<Option<Keys>, Error> {
    let Some(KeyProperties { in_credentials_file, id, secret, session_token, expiry }) = found else { return Ok(None) };
    let secret = secret.filter(|secret| !secret.text.is_empty());
    let (Some(secret), false) = (secret, id.text.is_empty()) else {
        let why =
            format!("{} and `aws_secret_access_key` must both be there, in the same file, and not empty", id.place);
        return Err(profile_failed(profile.name(), &why, "add what is missing, or remove the other"));
    };
    let place = KeysPlace::Profile {
        name: profile.name().to_owned(),
        in_credentials_file,
        session_token: session_token.as_ref().map_or("aws_session_token", |token| token.place.property),
        expiry: expiry.as_ref().map_or("aws_expiration", |expiry| expiry.place.property),
    };
    let (session_token, expiry) = (session_token.map(|value| value.text), expiry.map(|value| value.text));
    Ok(Some(Keys::new(place, id.text, secret.text, session_token, expiry)))
}

/// Each of its three parts from the environment, else the profile.
fn web_identity<'a>(profile: Option<&Profile<'a>>, env: Option<&Env>) -> Result<Option<(Base<'a>, Found)>, Error> {
    let part = |variable: &'static str, property: &'static str| -> Result<Option<(Located, Found)>, Error> {
        if let Some(text) = env.and_then(|env| env.get(variable)) {
            return Ok(Some((Located { text: text.to_owned(), place: variable.to_owned() }, Found::InEnvironment)));
        }
        let value = profile.map(|profile| profile.text(property)).transpose()?.flatten();
        Ok(value.map(|value| {
            let located = Located { text: value.text.to_owned(), place: value.place.to_string() };
            (located, Found::InProfile)
        }))
    };
    let Some((token_file, found)) = part("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")? else {
        return Ok(None);
    };
    let Some((role_arn, _)) = part("AWS_ROLE_ARN", "role_arn")? else {
        return Err(Error::CredentialsFailed {
            source_name: token_file.place,
            why: "there is no role for this token".into(),
            hint: "set AWS_ROLE_ARN, or `role_arn` in the profile".into(),
        });
    };
    let session_name = part("AWS_ROLE_SESSION_NAME", "role_session_name")?.map(|(name, _)| name);
    let token_file_place = token_file.place;
    let identity = WebIdentity { token_file: token_file.text.into(), token_file_place, role_arn, session_name };
    Ok(Some((Base::WebIdentity(identity), found)))
}

/// A profile with an account or a role name is an SSO profile, whatever else it lacks.
fn sso<'a>(profile: &Profile<'a>, files: &ProfileFiles<'a>) -> Result<Option<Sso<'a>>, Error> {
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

/// The address is checked as by the AWS CLI, so that a token goes to nobody else.
fn container(env: &Env) -> Result<Option<Container>, Error> {
    const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let trimmed = |name| env.get(name).map(str::trim).filter(|value| !value.is_empty());
    let (variable, url) = match (trimmed(RELATIVE), trimmed(FULL)) {
        (Some(path), _) if path.starts_with('/') => (RELATIVE, format!("http://169.254.170.2{path}")),
        (Some(path), _) => return Err(Error::input(RELATIVE, path, "a path that starts with `/`")),
        (None, Some(url)) => (FULL, url.to_owned()),
        (None, None) => return Ok(None),
    };
    let uri: Option<http::Uri> = url.parse().ok();
    let is_http = |uri: &http::Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    let host =
        uri.as_ref().filter(|uri| is_http(uri)).and_then(|uri| uri.host()).map(|host| host.trim_matches(['[', ']']));
    let is_local = host.is_some_and(|host| {
        let is_loopback = host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        is_loopback || ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"].contains(&host)
    });
    if !is_local {
        return Err(Error::input(
            variable,
            &url,
            "an http URL of this machine, or of ECS's or EKS's credentials service",
        ));
    }
    let file = env.get(TOKEN_FILE_VARIABLE).map(|path| Authorization::File(path.into()));
    let token =
        || env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|token| Authorization::Token(Secret::new(token.trim())));
    Ok(Some(Container { url, variable, authorization: file.or_else(token) }))
}

fn profile_failed(profile: &str, why: &str, hint: &str) -> Error {
    Error::CredentialsFailed {
        source_name: format!("profile `{}`", shown(profile)),
        why: why.to_owned(),
        hint: hint.to_owned(),
    }
}
