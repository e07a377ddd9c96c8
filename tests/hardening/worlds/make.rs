//! Generates worlds from a seed: a user's files, environment and arguments.

use std::collections::BTreeSet;

use serde_json::json;
use sha1::{Digest as _, Sha1};

use super::ini::{Ini, Line, Property, Section};
use crate::support::sigv4::hex;
use crate::support::sts::{Keys, Role, Sts};
use crate::support::world::{GROUP, permission_set_arn, role_arn};

/// One user's configuration. Texts contain the same placeholders as the cases.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub config: Option<Ini>,
    pub credentials: Option<Ini>,
    /// Below the home.
    pub config_path: String,
    pub credentials_path: String,
    /// All other files, by path relative to the home directory.
    pub files: Vec<(String, String)>,
    pub directories: Vec<String>,
    pub env: Vec<(String, String)>,
    /// The value of `--profile`.
    pub profile: Option<String>,
    pub features: BTreeSet<&'static str>,
}

impl World {
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The name of the requested profile, however it was requested.
    pub fn chosen(&self) -> &str {
        let set = |name| self.variable(name).filter(|value| !value.is_empty());
        let by_variable = || set("AWS_DEFAULT_PROFILE").or(set("AWS_PROFILE"));
        self.profile.as_deref().or_else(by_variable).unwrap_or("default")
    }

    /// Whether keys in the environment take precedence over every profile.
    pub fn has_keys_in_environment(&self) -> bool {
        self.profile.is_none() && self.variable("AWS_ACCESS_KEY_ID").is_some_and(|id| !id.is_empty())
    }

    /// Whether a profile has a property, in either file.
    pub fn has(&self, profile: &str, key: &str) -> bool {
        let of_config = self.config.iter().flat_map(|ini| &ini.sections);
        let of_credentials = self.credentials.iter().flat_map(|ini| &ini.sections);
        of_config
            .filter(|section| section.profile_in_config().is_some_and(|name| name == profile))
            .chain(of_credentials.filter(|section| section.header == profile))
            .any(|section| section.has(key))
    }

    /// All sections of both files.
    pub fn sections_mut(&mut self) -> impl Iterator<Item = &mut Section> {
        self.config.iter_mut().chain(&mut self.credentials).flat_map(|ini| &mut ini.sections)
    }

    pub fn inis_mut(&mut self) -> impl Iterator<Item = &mut Ini> {
        self.config.iter_mut().chain(&mut self.credentials)
    }
}

/// What may be set to nothing.
const VARIABLES: [&str; 14] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
];

/// Of a profile, the same.
const PROPERTIES: [&str; 14] = [
    "role_arn",
    "source_profile",
    "credential_source",
    "mfa_serial",
    "external_id",
    "role_session_name",
    "sso_session",
    "sso_account_id",
    "credential_process",
    "web_identity_token_file",
    "aws_session_token",
    "aws_security_token",
    "region",
    "aws_access_key_id",
];

/// All features of worlds; the test checks that each occurs.
pub const FEATURES: &[&str] = &[
    "--profile",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "both variables for a profile",
    "no profile is named",
    "a profile that does not exist",
    "keys in the credentials file",
    "keys in the config file",
    "keys in both files",
    "half a pair of keys",
    "a session token by its new name",
    "a session token by its old name",
    "a session token by both names",
    "a session token left over",
    "a role with a source profile",
    "a role of itself",
    "a role in a chain",
    "a role with a missing source",
    "a role with a credential source",
    "a role without a source",
    "a role with two sources",
    "an external id",
    "an MFA device",
    "a duration",
    "a session name",
    "web identity",
    "an SSO session",
    "an SSO start URL",
    "an SSO session with a missing section",
    "an SSO profile that lacks something",
    "an idle SSO session",
    "a region in an SSO session",
    "SSO that says a thing twice",
    "an expired SSO token",
    "an SSO token that is renewed",
    "an SSO token that is missing",
    "a credential process",
    "a credential process over two lines",
    "a credential process with odd characters",
    "a credential process that fails",
    "a profile with nothing",
    "a profile of two kinds",
    "a role in the credentials file",
    "quotation marks around a profile's name",
    "a profile's name with blanks",
    "a profile's name with odd characters",
    "[profile default]",
    "[DEFAULT]",
    "a section of the wrong kind",
    "a section twice",
    "a profile in two spellings",
    "a section of services",
    "one file for both",
    "an option twice",
    "blanks inside brackets",
    "text after a header",
    "a broken line",
    "a broken line in what is used",
    "an empty property",
    "a comment",
    "a comment after a value",
    "a colon",
    "capitals in a key",
    "indentation",
    "a no-break space",
    "a staircase",
    "a header that continues a value",
    "a nested value",
    "a nested value without a delimiter",
    "blank lines",
    "a byte order mark",
    "bytes that are not UTF-8",
    "CR LF",
    "CR",
    "no config file",
    "no credentials file",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "$HOME in a path",
    "~ in a path",
    "an unknown variable in a path",
    "a directory for a file",
    "keys in the environment",
    "half a pair in the environment",
    "a session token in the environment",
    "an expiration in the environment",
    "web identity in the environment",
    "web identity in the environment and in a profile",
    "half of web identity in the environment",
    "a session name in the environment",
    "a container",
    "a container's token",
    "a container's token file",
    "a container's token file that is missing",
    "an empty variable",
    "blanks around values in the environment",
    "a date that is read",
    "a date that is not",
    "the expiry of another tool",
    "keys of old tools",
    "an invalid number",
    "a credential source in lower case",
];

const USERS: usize = 16;
const TEMPORARY: usize = 8;
const ROLES: [&str; 10] = ["r0", "r1", "r2", "r3", "team/r4", "r5.eks-access.role", "ext", "mfa", "short", "closed"];
const WEB_ROLES: [&str; 2] = ["w0", "w1"];
const ACCOUNTS: [&str; 2] = ["123456789012", "012345678901"];
const PERMISSION_SETS: [&str; 2] = ["Dev", "Ops"];
const START_URLS: [&str; 3] =
    ["https://corp.awsapps.com/start", "https://d-0123456789.awsapps.com/start/#", "https://other.awsapps.com/start"];

fn user_keys(number: usize) -> Keys {
    Keys {
        access_key_id: format!("AKIAWORLDS{number:010}"),
        secret_access_key: format!("secret/of+user{number:026}"),
        session_token: None,
    }
}

fn temporary_keys(number: usize) -> Keys {
    Keys {
        access_key_id: format!("ASIAWORLDS{number:010}"),
        secret_access_key: format!("secret/of+temporary{number:021}"),
        session_token: Some(format!("IQoJb3JpZ2luX2VjWorlds{number}==")),
    }
}

/// Registers all users and roles of the worlds with STS.
pub fn settle(sts: &Sts) {
    for number in 0..USERS {
        sts.add_principal_with(&format!("arn:aws:iam::123456789012:user/u{number}"), user_keys(number), &[GROUP]);
    }
    for number in 0..TEMPORARY {
        let arn = format!("arn:aws:sts::123456789012:assumed-role/temporary/t{number}");
        sts.add_principal_with(&arn, temporary_keys(number), &[GROUP]);
    }
    let sets = ACCOUNTS.iter().flat_map(|account| PERMISSION_SETS.iter().map(|set| permission_set_arn(account, set)));
    let others = ROLES.iter().chain(&WEB_ROLES).chain(&["task"]).map(|name| role_arn(name));
    let everybody: Vec<String> = sets.chain(others).collect();
    for name in ROLES {
        let open = Role { roles: everybody.clone(), max_duration: 12 * 3600, ..Role::for_group(GROUP) };
        let role = match name {
            "ext" => Role { external_id: Some("ext-42".to_owned()), ..open },
            "mfa" => Role { mfa_serial: Some("arn:aws:iam::123456789012:mfa/u0".to_owned()), ..open },
            "short" => Role { max_duration: 3600, ..open },
            "closed" => Role { groups: Vec::new(), roles: Vec::new(), ..open },
            _ => open,
        };
        sts.add_role_by_arn(&role_arn(name), role);
    }
    for name in WEB_ROLES {
        sts.trust_web_identity("web-token-1", &role_arn(name));
        sts.trust_web_identity("web-token-2", &role_arn(name));
    }
}

pub fn make(seed: u64) -> World {
    let mut maker =
        Maker { rng: fastrand::Rng::with_seed(seed), world: World::default(), users: 0, temporary: 0, files: 0 };
    maker.choose_profiles();
    maker.furnish_environment();
    maker.season();
    maker.world
}

struct Maker {
    rng: fastrand::Rng,
    world: World,
    users: usize,
    temporary: usize,
    files: usize,
}

type Properties = Vec<Property>;

/// Where a profile's properties go.
#[derive(Default)]
struct Halves {
    config: Properties,
    credentials: Properties,
}

impl Halves {
    fn of(&mut self, credentials: bool) -> &mut Properties {
        if credentials { &mut self.credentials } else { &mut self.config }
    }
}

impl Maker {
    fn note(&mut self, feature: &'static str) {
        assert!(FEATURES.contains(&feature), "{feature} is not in the list");
        self.world.features.insert(feature);
    }

    /// Returns true this many times in a thousand, and then records the feature.
    fn at_times(&mut self, in_thousand: u32, feature: &'static str) -> bool {
        let happens = self.chance(in_thousand);
        if happens {
            self.note(feature);
        }
        happens
    }

    fn chance(&mut self, in_thousand: u32) -> bool {
        self.rng.u32(0..1000) < in_thousand
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.rng.usize(0..choices.len())]
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.world.env.retain(|(known, _)| known != name);
        self.world.env.push((name.to_owned(), value.into()));
    }

    /// A new file with this text.
    fn file(&mut self, text: impl Into<String>) -> String {
        self.files += 1;
        let path = format!("file-{}", self.files);
        self.world.files.push((path.clone(), text.into()));
        format!("{{home}}/{path}")
    }

    /// Unique keys, so that it is clear which ones were used.
    fn keys(&mut self) -> Keys {
        self.users = (self.users + 1) % USERS;
        user_keys(self.users)
    }

    fn temporary_keys(&mut self) -> Keys {
        self.temporary = (self.temporary + 1) % TEMPORARY;
        temporary_keys(self.temporary)
    }

    fn choose_profiles(&mut self) {
        let mut names = vec!["default", "dev", "base", "other"];
        if self.chance(300) {
            let odd = ["team#1", "a@b.c", "a/b", "x+y;z", "arn:aws:iam::1:role/x", "b\u{fc}ro"];
            names[1] = self.one_of(&odd);
            self.note("a profile's name with odd characters");
        } else if self.chance(150) {
            names[1] = self.one_of(&["my team", "Someone's Mac", "a  b"]);
            self.note("a profile's name with blanks");
        }
        if self.chance(200) {
            names.remove(0);
        }
        let (mut config, mut credentials) = (Vec::new(), Vec::new());
        for (index, name) in names.iter().enumerate() {
            let halves = self.profile(name, &names, index);
            let with = self.chance(300);
            if !halves.config.is_empty() || with {
                let header = self.header(name);
                config.push(Section::new(header, halves.config));
            }
            if !halves.credentials.is_empty() {
                credentials.push(Section::new(*name, halves.credentials));
            }
        }
        config.extend(self.sso_sessions());
        if self.at_times(30, "a profile in two spellings") {
            // The later one replaces the earlier, as a whole.
            let name = if self.chance(500) { "default" } else { "base" };
            let header = if name == "default" { "profile default".to_owned() } else { format!("profile '{name}'") };
            if !config.iter().any(|section| section.header == header) {
                let properties = self.key_pair();
                config.push(Section::new(header, properties));
            }
        }
        if self.at_times(40, "a section of services") {
            let table =
                Property { written: "sts =".to_owned(), ..Property::new("sts", "\nendpoint_url = http://127.0.0.1:1") };
            config.push(Section::new("services lab", vec![table]));
            config[0].set("services", "lab");
        }
        if self.at_times(60, "[DEFAULT]") {
            let keys = self.keys();
            let common = match self.rng.usize(0..4) {
                0 => vec![Property::new("region", "eu-west-1")],
                1 => key_properties(&keys),
                2 => vec![Property::new("sso_region", "eu-west-1"), Property::new("sso_start_url", START_URLS[0])],
                _ => vec![Property::new("role_session_name", "from-default")],
            };
            let section = Section::new("DEFAULT", common);
            if self.chance(500) { config.insert(0, section) } else { credentials.insert(0, section) }
        }
        if self.chance(500) {
            self.rng.shuffle(&mut config);
        }
        let ini = |sections: Vec<Section>| Ini { sections, ..Ini::default() };
        // Most worlds have one; the others have only the environment.
        self.world.config = Some(config).filter(|_| !self.chance(30)).map(ini);
        self.world.credentials = Some(credentials).filter(|sections| !sections.is_empty()).map(ini);
        self.choose(&names);
    }

    /// How the user selects the profile.
    fn choose(&mut self, names: &[&'static str]) {
        let mut name = if self.chance(600) { names[self.rng.usize(0..names.len().min(2))] } else { self.one_of(names) };
        if self.at_times(25, "a profile that does not exist") {
            name = "nowhere";
        }
        match self.rng.u32(0..100) {
            0..50 => {
                self.note("--profile");
                self.world.profile = Some(name.to_owned());
            }
            50..68 => {
                self.note("AWS_PROFILE");
                self.set("AWS_PROFILE", name);
            }
            68..75 => {
                self.note("AWS_DEFAULT_PROFILE");
                self.set("AWS_DEFAULT_PROFILE", name);
            }
            75..80 => {
                self.note("both variables for a profile");
                self.set("AWS_PROFILE", name);
                self.set("AWS_DEFAULT_PROFILE", name);
            }
            _ => self.note("no profile is named"),
        }
    }

    fn header(&mut self, name: &str) -> String {
        if name == "default" {
            return match self.at_times(200, "[profile default]") {
                true => "profile default".to_owned(),
                false => "default".to_owned(),
            };
        }
        if name.contains('\'') {
            return format!("profile \"{name}\"");
        }
        if name.contains(' ') || self.chance(100) {
            self.note("quotation marks around a profile's name");
            return if self.chance(500) { format!("profile \"{name}\"") } else { format!("profile '{name}'") };
        }
        match self.rng.u32(0..60) {
            0 => format!("profile  {name}"),
            1 => format!("profile\t{name}"),
            2 => format!("profiles {name}"),
            _ => format!("profile {name}"),
        }
    }

    fn profile(&mut self, name: &'static str, names: &[&'static str], index: usize) -> Halves {
        let mut halves = Halves::default();
        self.add_kind(&mut halves, name, names, index);
        if self.at_times(120, "a profile of two kinds") {
            let mut more = Halves::default();
            self.add_kind(&mut more, name, names, index);
            // If both have a key, the first one wins.
            let add = |to: &mut Properties, from: Properties| {
                for property in from {
                    if !to.iter().any(|known| known.key == property.key) {
                        to.push(property);
                    }
                }
            };
            add(&mut halves.config, more.config);
            add(&mut halves.credentials, more.credentials);
        }
        if self.chance(500) {
            halves.config.push(Property::new("region", "eu-west-1"));
        }
        if self.chance(100) {
            halves.config.insert(0, Property::new("output", "json"));
        }
        if self.chance(200) {
            self.rng.shuffle(&mut halves.config);
        }
        halves
    }

    fn add_kind(&mut self, halves: &mut Halves, name: &'static str, names: &[&'static str], index: usize) {
        // Later profiles are the sources of earlier ones, and have keys more often.
        let kind = if index >= 2 { self.one_of(&[0, 0, 0, 0, 1, 1, 2, 6, 8, 9, 10, 4]) } else { self.rng.usize(0..14) };
        match kind {
            0 => {
                self.note("keys in the credentials file");
                let properties = self.key_pair();
                halves.credentials.extend(properties);
            }
            1 => {
                self.note("keys in the config file");
                let properties = self.key_pair();
                halves.config.extend(properties);
            }
            2 => {
                self.note("keys in both files");
                let (one, other) = (self.key_pair(), self.key_pair());
                halves.config.extend(one);
                halves.credentials.extend(other);
            }
            3 => {
                self.note("half a pair of keys");
                let keys = self.keys();
                let half = key_properties(&keys).remove(self.rng.usize(0..2));
                let in_credentials = self.chance(500);
                halves.of(in_credentials).push(half);
                if self.chance(400) {
                    let properties = self.key_pair();
                    halves.of(!in_credentials).extend(properties);
                }
            }
            4 | 5 => self.add_role_with_source(halves, name, names, index),
            6 => self.add_role_with_credential_source(halves),
            7 => {
                let mut role = self.role();
                if self.chance(500) {
                    self.note("a role without a source");
                } else {
                    self.note("a role with two sources");
                    role.push(Property::new("source_profile", self.one_of(names)));
                    role.push(Property::new("credential_source", "Environment"));
                }
                halves.config.extend(role);
            }
            8 => {
                self.note("web identity");
                let token = self.web_token_file();
                let role = role_arn(self.one_of(&WEB_ROLES));
                halves.config.push(Property::new("web_identity_token_file", token));
                if !self.chance(150) {
                    halves.config.push(Property::new("role_arn", role));
                }
                if self.at_times(250, "a session name") {
                    halves.config.push(Property::new("role_session_name", "from-the-profile"));
                }
            }
            9 => self.add_sso(halves),
            10 | 11 => self.add_process(halves),
            12 => {
                self.note("an idle SSO session");
                let properties = self.key_pair();
                let in_credentials = self.chance(500);
                halves.of(in_credentials).extend(properties);
                let idle = match self.rng.usize(0..3) {
                    0 => Property::new("sso_start_url", START_URLS[0]),
                    1 => Property::new("sso_session", "corp"),
                    _ => {
                        self.note("an SSO session with a missing section");
                        Property::new("sso_session", "gone")
                    }
                };
                halves.config.push(idle);
            }
            _ => {
                self.note("a profile with nothing");
                if self.chance(120) {
                    self.leave_old_keys();
                }
                halves.config.push(Property::new("max_attempts", "2"));
            }
        }
    }

    /// A pair of keys, sometimes of a session.
    fn key_pair(&mut self) -> Properties {
        if !self.chance(250) {
            let keys = self.keys();
            let mut properties = key_properties(&keys);
            if self.at_times(60, "a session token left over") {
                properties.push(Property::new("aws_session_token", "IQoJb3JpZ2luX2VjEOld"));
            } else if self.at_times(100, "the expiry of another tool") {
                let name = self.one_of(&["x_security_token_expires", "aws_expiration"]);
                properties.push(Property::new(name, self.one_of(&["2020-01-01T09:00:00Z", "2037-01-01T09:00:00Z"])));
            }
            return properties;
        }
        let keys = self.temporary_keys();
        let token = keys.session_token.clone().expect("temporary keys have a token");
        let mut properties = key_properties(&keys);
        match self.rng.usize(0..5) {
            0 | 1 => {
                self.note("a session token by its new name");
                properties.push(Property::new("aws_session_token", token));
            }
            2 => {
                self.note("a session token by its old name");
                properties.push(Property::new("aws_security_token", token));
            }
            number => {
                self.note("a session token by both names");
                let old = "IQoJb3JpZ2luX2VjEOld";
                let (first, second) = if number == 3 { (token.as_str(), old) } else { (old, token.as_str()) };
                properties.push(Property::new("aws_security_token", first));
                properties.push(Property::new("aws_session_token", second));
            }
        }
        properties
    }

    fn role(&mut self) -> Properties {
        let name = if self.chance(750) { ROLES[self.rng.usize(0..6)] } else { self.one_of(&ROLES) };
        let mut properties = vec![Property::new("role_arn", role_arn(name))];
        if name == "ext" || self.chance(40) {
            self.note("an external id");
            properties.push(Property::new("external_id", if self.chance(850) { "ext-42" } else { "ext-43" }));
        }
        if self.at_times(if name == "mfa" { 500 } else { 25 }, "an MFA device") {
            properties.push(Property::new("mfa_serial", "arn:aws:iam::123456789012:mfa/u0"));
        }
        if self.at_times(if name == "short" { 500 } else { 120 }, "a duration") {
            properties.push(Property::new("duration_seconds", self.one_of(&["900", "3600", "7200", "43200", "60"])));
        } else if self.at_times(50, "an invalid number") {
            properties.push(Property::new("duration_seconds", self.one_of(&["1h", "3600s", "an hour"])));
        }
        if self.at_times(200, "a session name") {
            properties.push(Property::new("role_session_name", self.one_of(&["from-the-profile", "a.b@c", "x"])));
        }
        properties
    }

    fn add_role_with_source(&mut self, halves: &mut Halves, name: &'static str, names: &[&'static str], index: usize) {
        let mut role = self.role();
        let later: Vec<&'static str> = names[index + 1..].to_vec();
        let source = if self.at_times(200, "a role of itself") {
            if self.chance(500) {
                let keys = self.key_pair();
                let in_credentials = self.chance(700);
                halves.of(in_credentials).extend(keys);
            } else if self.chance(500) {
                self.add_process(halves);
            } else if self.chance(600) {
                self.add_sso(halves);
            }
            name
        } else if self.at_times(50, "a role with a missing source") {
            "nowhere"
        } else if later.is_empty() || self.chance(50) {
            self.one_of(names)
        } else {
            self.one_of(&later)
        };
        self.note("a role with a source profile");
        if index > 0 {
            self.note("a role in a chain");
        }
        role.push(Property::new("source_profile", source));
        if self.at_times(80, "a role in the credentials file") {
            halves.credentials.extend(role);
        } else {
            halves.config.extend(role);
        }
    }

    fn add_role_with_credential_source(&mut self, halves: &mut Halves) {
        self.note("a role with a credential source");
        let mut source =
            self.one_of(&["Environment", "Environment", "EcsContainer", "EcsContainer", "Ec2InstanceMetadata"]);
        if self.at_times(330, "a credential source in lower case") {
            source = self.one_of(&["environment", "ecscontainer"]);
        } else if self.chance(40) {
            source = "Somewhere";
        }
        let role = self.role();
        halves.config.extend(role);
        halves.config.push(Property::new("credential_source", source));
        // Usually the source it names exists.
        if self.chance(600) {
            match source.to_lowercase().as_str() {
                "environment" => self.set_keys(),
                "ecscontainer" => self.set_container(),
                _ => {}
            }
        }
    }

    fn web_token_file(&mut self) -> String {
        let text = self.one_of(&[
            "web-token-1",
            "web-token-1",
            "web-token-1",
            "web-token-2",
            "web-token-2",
            "web-token-2",
            "web-token-9",
        ]);
        if self.chance(50) { "{home}/nowhere".to_owned() } else { self.file(text) }
    }

    fn add_sso(&mut self, halves: &mut Halves) {
        let mut properties = vec![
            Property::new("sso_account_id", self.one_of(&ACCOUNTS)),
            Property::new("sso_role_name", self.one_of(&PERMISSION_SETS)),
        ];
        if self.chance(600) {
            self.note("an SSO session");
            let name = self.one_of(&["corp", "corp", "my org"]);
            properties.push(Property::new("sso_session", name));
            if self.at_times(80, "an SSO session with a missing section") {
                properties.last_mut().expect("it was pushed").value = "gone".to_owned();
            } else if self.at_times(60, "SSO that says a thing twice") {
                let region = self.one_of(&["eu-west-1", "us-east-1"]);
                properties.push(Property::new("sso_region", region));
            }
            self.write_sso_token(name, true);
        } else {
            self.note("an SSO start URL");
            let url = self.one_of(&START_URLS);
            properties.push(Property::new("sso_region", "eu-west-1"));
            properties.push(Property::new("sso_start_url", url));
            self.write_sso_token(url, false);
        }
        if self.at_times(100, "an SSO profile that lacks something") {
            let lost = self.rng.usize(0..properties.len());
            properties.remove(lost);
        }
        halves.config.extend(properties);
    }

    /// The sections that [`Maker::add_sso`] names, in every world.
    fn sso_sessions(&mut self) -> Vec<Section> {
        let lacks = self.chance(40);
        let session = |name: &str, url: &str| {
            Section::new(name, vec![Property::new("sso_region", "eu-west-1"), Property::new("sso_start_url", url)])
        };
        let mut sessions =
            vec![session("sso-session corp", START_URLS[0]), session("sso-session \"my org\"", START_URLS[1])];
        if lacks {
            self.note("an SSO profile that lacks something");
            sessions[0].remove(|property| property.key == "sso_start_url");
        }
        if self.at_times(60, "a region in an SSO session") {
            sessions[0].set("region", self.one_of(&["eu-west-1", "us-east-1"]));
        }
        sessions
    }

    fn write_sso_token(&mut self, name: &str, can_be_renewed: bool) {
        if self.at_times(120, "an SSO token that is missing") {
            return;
        }
        let path = format!(".aws/sso/cache/{}.json", hex(&Sha1::digest(name)));
        if self.world.files.iter().any(|(known, _)| *known == path) {
            return;
        }
        let mut token = json!({"accessToken": self.one_of(&["sso-token-1", "sso-token-2", "sso-token-3", "revoked"]),
            "expiresAt": self.date(), "region": "eu-west-1", "startUrl": name});
        if self.at_times(150, "an expired SSO token") {
            token["expiresAt"] = json!("2020-01-01T00:00:00Z");
            if can_be_renewed && self.chance(600) {
                self.note("an SSO token that is renewed");
                token["refreshToken"] = json!(self.one_of(&["sso-refresh-2", "sso-refresh-3", "revoked"]));
                token["clientId"] = json!("client");
                token["clientSecret"] = json!("secret-of-client");
                token["registrationExpiresAt"] = json!(self.one_of(&["2037-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]));
            }
        }
        self.world.files.push((path, token.to_string()));
    }

    /// A date in the future, in one of many spellings.
    fn date(&mut self) -> &'static str {
        if self.at_times(60, "a date that is not") {
            return self.one_of(&[
                "2037-01-01T00:00:00",
                "2037-01-01T00:00:00 CET",
                "2037-01-01",
                "4102444800",
                "soon",
                "",
            ]);
        }
        if self.chance(600) {
            return "2037-01-01T00:00:00Z";
        }
        self.note("a date that is read");
        self.one_of(&[
            "2037-01-01T00:00:00+00:00",
            "2037-01-01T00:00:00+0000",
            "2037-01-01T00:00:00-05:00",
            "2037-01-01T00:00:00UTC",
            "2037-01-01 00:00:00+00:00",
            "2037-01-01T00:00Z",
            "2037-01-01T00:00:00.123456Z",
            "20370101T000000Z",
            "Thu, 01 Jan 2037 00:00:00 GMT",
            "Thu, 01 Jan 2037 00:00:00 +0000",
            "2037-01-01T00:00:00z",
            "2037-01-01T00:00:00.123456789Z",
            "2037-01-01T00:00:00+00",
        ])
    }

    fn add_process(&mut self, halves: &mut Halves) {
        self.note("a credential process");
        let temporary = self.chance(300);
        let keys = if temporary { self.temporary_keys() } else { self.keys() };
        let mut document = keys.document();
        if let Some(token) = keys.session_token {
            document["SessionToken"] = json!(token);
        } else if self.chance(100) {
            document["SessionToken"] = json!(null);
        }
        if self.chance(500) {
            document["Expiration"] = json!(self.date());
        } else if self.chance(60) {
            document["Expiration"] = json!("2020-01-01T00:00:00Z");
        } else if self.chance(60) {
            document["Expiration"] = json!(null);
        }
        if self.chance(30) {
            document["Version"] = self.one_of(&["2", "1.0", "\"1\""]).parse().expect("JSON");
        } else if self.chance(30) {
            document.as_object_mut().expect("it is one").remove("SecretAccessKey");
        }
        let file = self.file(document.to_string());
        let mut command = format!("cat {file}");
        if self.at_times(60, "a credential process that fails") {
            command = self.one_of(&["false", "/nonexistent/program", "echo no JSON", "sh -c 'exit", "true"]).to_owned();
        } else if self.at_times(150, "a credential process over two lines") {
            command = self.one_of(&["cat\nFILE", "cat\n\nFILE", "cat\n# not this\nFILE"]).replace("FILE", &file);
        } else if self.at_times(250, "a credential process with odd characters") {
            command = match self.rng.usize(0..7) {
                6 => format!("sh -c 'cat \"$0\"' {file} 100% $HOME"),
                0 => format!("sh -c 'test -r {file} ; cat {file}'"),
                1 => format!("sh -c 'cat \"$0\"' {file} # ;"),
                2 => format!("sh -c \"cat \\\"$0\\\"\" '{file}' \"AWS key #1\""),
                3 => format!("cat \"{file}\""),
                4 => format!("cat {file} ; echo"),
                _ => format!("/usr/bin/env  cat\t{file}"),
            };
        }
        halves.config.push(Property::new("credential_process", command));
    }

    fn set_keys(&mut self) {
        if self.world.variable("AWS_ACCESS_KEY_ID").is_some() {
            return;
        }
        self.note("keys in the environment");
        let temporary = self.at_times(350, "a session token in the environment");
        let keys = if temporary { self.temporary_keys() } else { self.keys() };
        self.set("AWS_ACCESS_KEY_ID", keys.access_key_id);
        self.set("AWS_SECRET_ACCESS_KEY", keys.secret_access_key);
        if let Some(token) = keys.session_token {
            match self.rng.usize(0..4) {
                0 => self.set("AWS_SECURITY_TOKEN", token),
                1 => {
                    self.set("AWS_SECURITY_TOKEN", "IQoJb3JpZ2luX2VjEOld");
                    self.set("AWS_SESSION_TOKEN", token);
                }
                _ => self.set("AWS_SESSION_TOKEN", token),
            }
        }
        if self.at_times(150, "an expiration in the environment") {
            let date = if self.chance(800) { self.date() } else { "2020-01-01T00:00:00Z" };
            self.set("AWS_CREDENTIAL_EXPIRATION", date);
        }
    }

    fn set_container(&mut self) {
        if self.world.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some() {
            return;
        }
        self.note("a container");
        let path = if self.chance(930) { "__creds/named" } else { "nowhere" };
        self.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{{sts}}/{path}"));
        if self.at_times(300, "a container's token") {
            self.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "variable");
        }
        if self.at_times(300, "a container's token file") {
            let file = if self.at_times(100, "a container's token file that is missing") {
                "{home}/nowhere".to_owned()
            } else {
                self.file("from-file")
            };
            self.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file);
        }
    }

    fn furnish_environment(&mut self) {
        if self.chance(120) {
            self.set_keys();
        } else if self.at_times(40, "half a pair in the environment") {
            let keys = self.keys();
            let half = self.one_of(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
            let value = if half == "AWS_ACCESS_KEY_ID" { keys.access_key_id } else { keys.secret_access_key };
            if self.world.variable("AWS_ACCESS_KEY_ID").is_none() {
                self.set(half, value);
            }
        }
        if self.at_times(80, "web identity in the environment") {
            let file = self.web_token_file();
            self.set("AWS_WEB_IDENTITY_TOKEN_FILE", file);
            let role = role_arn(self.one_of(&WEB_ROLES));
            self.set("AWS_ROLE_ARN", role);
            self.meet_web_identity();
        } else if self.at_times(60, "half of web identity in the environment") {
            if self.chance(500) {
                let file = self.web_token_file();
                self.set("AWS_WEB_IDENTITY_TOKEN_FILE", file);
            } else {
                let role = role_arn(self.one_of(&WEB_ROLES));
                self.set("AWS_ROLE_ARN", role);
            }
            self.meet_web_identity();
        }
        if self.at_times(50, "a session name in the environment") {
            self.set("AWS_ROLE_SESSION_NAME", "from-the-environment");
        }
        if self.chance(120) {
            self.set_container();
        }
        self.choose_paths();
        if self.at_times(60, "an empty variable") {
            let name = self.one_of(&VARIABLES);
            self.set(name, "");
        }
        if self.at_times(130, "blanks around values in the environment") {
            let blank = self.one_of(&["\r", " ", "\n"]);
            let names = [
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            ];
            for (name, value) in &mut self.world.env {
                if names.contains(&name.as_str()) && !value.is_empty() {
                    value.push_str(blank);
                }
            }
            for (_, text) in self.world.files.iter_mut().filter(|(_, text)| text == "from-file") {
                text.push('\n');
            }
        }
        if self.chance(20) {
            self.leave_old_keys();
        }
    }

    /// Keys that the AWS CLI would use as a last resort.
    fn leave_old_keys(&mut self) {
        self.note("keys of old tools");
        let keys = self.keys();
        let (id, secret) = (keys.access_key_id, keys.secret_access_key);
        if self.chance(500) {
            let file = self.file(format!("AWSAccessKeyId={id}\nAWSSecretKey={secret}\n"));
            self.set("AWS_CREDENTIAL_FILE", file);
        } else {
            let text = format!("[Credentials]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
            self.world.files.push((".boto".to_owned(), text));
        }
    }

    /// Gives the requested profile a source that competes with the environment's web identity.
    fn meet_web_identity(&mut self) {
        if self.chance(300) {
            return;
        }
        let chosen = self.world.chosen().to_owned();
        let web_role = role_arn(self.one_of(&WEB_ROLES));
        let role = role_arn(ROLES[0]);
        let file = self.web_token_file();
        let kind = self.rng.usize(0..6);
        let sections = self.world.config.iter_mut().flat_map(|ini| &mut ini.sections);
        let Some(section) = sections.into_iter().find(|section| section.profile_in_config().as_ref() == Some(&chosen))
        else {
            return;
        };
        section.remove(|property| property.key != "region");
        match kind {
            0 => section.set("role_arn", &role),
            1 => section.set("role_arn", &web_role),
            2 => section.set("web_identity_token_file", &file),
            3 => {
                section.set("role_arn", &web_role);
                section.set("web_identity_token_file", &file);
            }
            4 => {
                section.set("role_arn", &role);
                section.set("source_profile", "base");
            }
            _ => {
                section.set("role_arn", &role);
                section.set("credential_source", "Environment");
            }
        }
        self.note("web identity in the environment and in a profile");
    }

    fn choose_paths(&mut self) {
        self.world.config_path = ".aws/config".to_owned();
        self.world.credentials_path = ".aws/credentials".to_owned();
        for (variable, of_config) in [("AWS_CONFIG_FILE", true), ("AWS_SHARED_CREDENTIALS_FILE", false)] {
            if !self.chance(80) {
                continue;
            }
            self.note(variable);
            let path = format!("elsewhere/{}", if of_config { "config" } else { "keys" });
            let written = match self.rng.usize(0..if of_config { 7 } else { 8 }) {
                0 => format!("{{home}}/{path}"),
                1 => {
                    self.note("$HOME in a path");
                    format!("$HOME/{path}")
                }
                2 => {
                    self.note("$HOME in a path");
                    format!("${{HOME}}/{path}")
                }
                3 | 4 => {
                    self.note("~ in a path");
                    format!("~/{path}")
                }
                5 => {
                    self.note("an unknown variable in a path");
                    format!("{{home}}/$NO_SUCH_VARIABLE/{path}")
                }
                6 => {
                    self.note("a directory for a file");
                    self.world.directories.push("folder".to_owned());
                    "{home}/folder".to_owned()
                }
                _ => {
                    self.note("one file for both");
                    format!("{{home}}/{}", self.world.config_path)
                }
            };
            self.set(variable, written);
            *if of_config { &mut self.world.config_path } else { &mut self.world.credentials_path } = path;
        }
        if self.world.credentials.is_none() && self.chance(100) {
            self.note("a directory for a file");
            let path = self.world.credentials_path.clone();
            self.world.directories.push(path);
        }
    }

    /// Applies the effects of text editors, other tools and mistakes.
    fn season(&mut self) {
        for of_config in [true, false] {
            let taken = if of_config { self.world.config.take() } else { self.world.credentials.take() };
            let Some(mut ini) = taken else {
                self.note(if of_config { "no config file" } else { "no credentials file" });
                continue;
            };
            self.season_sections(&mut ini, of_config);
            self.season_text(&mut ini);
            if of_config { self.world.config = Some(ini) } else { self.world.credentials = Some(ini) }
        }
    }

    fn season_sections(&mut self, ini: &mut Ini, of_config: bool) {
        let chosen = self.world.chosen().to_owned();
        let is_used = |section: &Section| match of_config {
            true => section.profile_in_config().is_some_and(|name| name == chosen),
            false => section.header == chosen,
        };
        // Usually in the requested profile, because elsewhere most changes make no difference.
        let of_chosen = ini.sections.iter().position(is_used).filter(|_| self.chance(600));
        let number = of_chosen.unwrap_or_else(|| self.rng.usize(0..ini.sections.len()));
        let section = &mut ini.sections[number];
        if section.header == "DEFAULT" {
            return;
        }
        if self.at_times(20, "a section of the wrong kind") {
            let name = section.profile_in_config().unwrap_or_else(|| section.header.clone());
            section.header = match self.rng.usize(0..if of_config { 4 } else { 1 }) {
                0 if of_config => name,
                0 => format!("profile {name}"),
                1 => format!("profile \"{name}"),
                2 => format!("Profile {name}"),
                _ => format!("profile {name} more"),
            };
        } else if self.at_times(35, "blanks inside brackets") {
            section.header = self
                .one_of(&[format!(" {}", section.header).as_str(), format!("{} ", section.header).as_str()])
                .to_owned();
        } else if self.at_times(40, "text after a header") {
            section.behind = self.one_of(&[" # mine", " ; mine", " /* mine", "mine"]);
        }
        if self.at_times(40, "an empty property") {
            let key = self.one_of(&PROPERTIES);
            section.set(key, "");
        }
        if self.at_times(15, "an option twice") {
            let repeated = section.properties().nth(0).cloned();
            if let Some(mut property) = repeated {
                if property.key == "region" {
                    property.value = "us-east-1".to_owned();
                }
                section.lines.push(Line::Property(property));
            }
        }
        if self.at_times(80, "a comment after a value") {
            let structured = [
                "region",
                "role_arn",
                "source_profile",
                "mfa_serial",
                "duration_seconds",
                "sso_account_id",
                "sso_role_name",
            ];
            let comment = self.one_of(&[" # mine", " ; mine", "\t# mine"]);
            for property in section.properties_mut().filter(|property| structured.contains(&property.key.as_str())) {
                property.value.push_str(comment);
            }
        }
        if self.at_times(60, "a nested value") {
            let value = "\nmax_concurrent_requests = 20\nsignature_version = s3v4";
            section
                .lines
                .insert(0, Line::Property(Property { written: "s3 =".to_owned(), ..Property::new("s3", value) }));
        } else if self.at_times(8, "a nested value without a delimiter") {
            section
                .lines
                .push(Line::Property(Property { written: "s3 =".to_owned(), ..Property::new("s3", "\njson\ntext") }));
        }
        if self.at_times(40, "a staircase") {
            // Indented more than the property, then less, but still more than the property.
            let value = "one\n      two\n three";
            section.lines.push(Line::Property(Property::new("cli_pager", value)));
        }
        if self.at_times(25, "a broken line") {
            if is_used(section) {
                self.note("a broken line in what is used");
            }
            let at = self.rng.usize(0..=section.lines.len());
            section.lines.insert(
                at.min(section.lines.len()),
                Line::Broken(self.one_of(&["just words", "= value", ": value"]).to_owned()),
            );
        }
        if self.at_times(8, "a section twice") {
            let mut again = ini.sections[number].clone();
            again.remove(|property| property.key != "region");
            again.set("cli_pager", "less");
            ini.sections.push(again);
        }
    }

    /// Indents a header so far that it continues the property above, so that the lines below belong to that section.
    /// Only if this creates no duplicates.
    fn deepen_header(&mut self, ini: &mut Ini) {
        for number in 1..ini.sections.len() {
            let (above, below) = (&ini.sections[number - 1], &ini.sections[number]);
            let idle = ["region", "output"];
            let ends_idly =
                matches!(above.lines.last(), Some(Line::Property(last)) if idle.contains(&last.key.as_str()));
            if ends_idly && below.properties().all(|property| !above.has(&property.key)) {
                ini.sections[number].is_deep = true;
                self.note("a header that continues a value");
                return;
            }
        }
    }

    fn season_text(&mut self, ini: &mut Ini) {
        if self.at_times(10, "a byte order mark") {
            ini.bom = true;
        }
        if self.at_times(5, "bytes that are not UTF-8") {
            ini.latin = true;
        }
        if self.at_times(60, "CR LF") {
            ini.line_end = "\r\n";
        } else if self.at_times(15, "CR") {
            ini.line_end = "\r";
        }
        if self.at_times(150, "indentation") {
            ini.indents = self.one_of(&[("", "  "), ("", "\t"), ("    ", "    "), ("  ", "    "), ("", " ")]);
        } else if self.at_times(15, "a no-break space") {
            ini.indents = ("", "\u{a0}");
        }
        if self.chance(30) {
            self.deepen_header(ini);
        }
        let (colon, capitals) = (self.at_times(60, "a colon"), self.at_times(60, "capitals in a key"));
        let tight = self.chance(200);
        for property in ini.sections.iter_mut().flat_map(Section::properties_mut) {
            let mut key = property.key.clone();
            if capitals {
                key = key.to_uppercase();
            }
            let nested = property.value.starts_with('\n');
            property.written = match (colon, tight, nested) {
                (_, _, true) => format!("{key} ="),
                (true, false, _) => format!("{key}: "),
                (true, true, _) => format!("{key}:"),
                (false, true, _) => format!("{key}="),
                (false, false, _) => format!("{key} = "),
            };
        }
        if self.at_times(200, "a comment") {
            let comment = self.one_of(&["# [profile dev]", "; aws_access_key_id = no", "   # indented", "#"]);
            ini.head.push(comment.to_owned());
            for section in &mut ini.sections {
                let at = self.rng.usize(0..=section.lines.len());
                section.lines.insert(at, Line::Idle(comment.to_owned()));
            }
        }
        if self.at_times(200, "blank lines") {
            for section in &mut ini.sections {
                section.lines.push(Line::Idle(self.one_of(&["", " ", "\t"]).to_owned()));
            }
        }
    }
}

fn key_properties(keys: &Keys) -> Properties {
    vec![
        Property::new("aws_access_key_id", &keys.access_key_id),
        Property::new("aws_secret_access_key", &keys.secret_access_key),
    ]
}
