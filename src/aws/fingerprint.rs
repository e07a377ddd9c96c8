//! A fingerprint of everything that determines which credentials will be found, computed without network or SDK.
//! Including too much costs a needless cache miss or, with MFA, the user's time. Including too little could give one
//! identity's session to another, the worst bug this program could have.
//!
//! It cannot detect a change behind a source that looks the same: a `credential_process` that starts to return another
//! identity without any change in its environment, or a different role attached to this machine.

use std::ffi::{OsStr, OsString};
use std::fmt;

use sha2::{Digest, Sha256};

use crate::aws::endpoints::Endpoints;
use crate::aws::source::{CredentialSource, SelectedBy};
use crate::aws::source_file::{FileState, SourceFile};
use crate::sys::env::Env;
use crate::sys::vars;

/// The machine, user and directory this runs in. Home directories can be shared between machines and pods that have
/// different credentials.
pub struct Place {
    pub effective_uid: u32,
    pub host_name: OsString,
    /// Only set if a `credential_process` depends on it.
    pub working_directory: Option<OsString>,
}

/// Most variables count as unset if they are empty. These do not: an empty AWS_SECURITY_TOKEN hides the variable's
/// other name, and an empty AWS_LOGIN_CACHE_DIRECTORY means the working directory.
const NOT_UNSET_WHEN_EMPTY: [&str; 2] = [vars::AWS_SECURITY_TOKEN, vars::AWS_LOGIN_CACHE_DIRECTORY];

/// The AWS variables that determine who signs.
pub fn identifying_variables(env: &Env) -> impl Iterator<Item = (&OsStr, &OsStr)> {
    let is_among = |names: &[&str], name: &OsStr| names.iter().any(|other| name == *other);
    env.with_prefix(vars::AWS_PREFIX).filter(move |(name, value)| {
        !is_among(&vars::NON_IDENTIFYING, name) && (!value.is_empty() || is_among(&NOT_UNSET_WHEN_EMPTY, name))
    })
}

/// Equal fingerprints mean the same credential source, as far as this program can tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// `endpoints` are custom AWS endpoints: other endpoints may have other identities. `tokens` are the files that
    /// identify the login.
    pub fn new(
        place: &Place,
        env: &Env,
        source: &CredentialSource,
        endpoints: &Endpoints,
        tokens: &[SourceFile],
    ) -> Self {
        let Place { effective_uid, host_name, working_directory } = place;
        let Endpoints { sts, sso, sso_oidc } = endpoints;
        let mut hash = FieldHash::new("identity");
        hash.field(&effective_uid.to_le_bytes());
        hash.field(host_name.as_encoded_bytes());
        hash.field(source.choice.name.as_bytes());
        // With `--profile`, no part of a web identity comes from the environment.
        hash.field(&[u8::from(source.choice.selected_by == SelectedBy::Flag)]);
        hash.field(source.kind().as_bytes());
        hash.list([sts, sso, sso_oidc].into_iter(), |hash, endpoint| {
            hash.field(endpoint.as_ref().map_or("", |url| &url.text).as_bytes());
        });
        let variable = |hash: &mut FieldHash, (name, value): (&OsStr, &OsStr)| {
            hash.field(name.as_encoded_bytes());
            hash.field(value.as_encoded_bytes());
        };
        if source.process().is_some() {
            let is_volatile = |name: &OsStr| vars::VOLATILE.iter().any(|volatile| name == *volatile);
            hash.list(env.all().filter(|(name, _)| !is_volatile(name)), variable);
            hash.field(working_directory.as_deref().unwrap_or_default().as_encoded_bytes());
        } else {
            hash.list(identifying_variables(env), variable);
        }
        hash.list(source.sections(), |hash, section| {
            hash.field(section.name().as_bytes());
            for properties in section.written_by_file() {
                hash.list(properties, |hash, (key, value)| {
                    hash.field(key.as_bytes());
                    hash.field(value.as_bytes());
                });
            }
        });
        hash.list(tokens.iter(), |hash, file| {
            hash.field(&[matches!(file.state, FileState::Contents(_)) as u8]);
            hash.field(match &file.state {
                FileState::Contents(contents) => contents,
                FileState::Absent => b"absent",
                FileState::Unreadable(_) => b"unreadable",
            });
        });
        Fingerprint(hash.finish())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}…", self.0[0], self.0[1])
    }
}

/// SHA-256 over length-prefixed fields, so that no two lists of fields produce the same bytes.
pub struct FieldHash(Sha256);

impl FieldHash {
    /// `domain` keeps hashes for different uses apart.
    pub fn new(domain: &str) -> Self {
        let mut hash = FieldHash(Sha256::new());
        hash.field(domain.as_bytes());
        hash
    }

    pub fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// A list of variable length: each element is prefixed with a marker, and so is the end.
    fn list<T>(&mut self, elements: impl Iterator<Item = T>, add: impl Fn(&mut Self, T)) {
        for element in elements {
            self.field(&[1]);
            add(self, element);
        }
        self.field(&[0]);
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::profile::Located;
    use crate::aws::profile::tests::files;
    use crate::aws::source::{Base, ProfileChoice};
    use proptest::prelude::*;

    /// Everything that can differ from call to call.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct World {
        flag: Option<String>,
        env: Vec<(String, String)>,
        config: String,
        credentials: String,
        token: String,
    }

    impl World {
        fn new(config: &str, credentials: &str) -> Self {
            let (config, credentials, token) = (config.to_owned(), credentials.to_owned(), String::new());
            World { flag: None, env: Vec::new(), config, credentials, token }
        }

        fn with(mut self, name: &str, value: &str) -> Self {
            self.env.push((name.to_owned(), value.to_owned()));
            self
        }

        /// A description of who signs, and the fingerprint; `None` if no one does.
        fn signer(&self) -> Option<(String, Fingerprint)> {
            let env: Env = self.env.iter().map(|(name, value)| (name, value)).collect();
            let files = files(&self.config, &self.credentials);
            let choice = ProfileChoice::resolve(self.flag.as_deref(), &env).ok()?;
            let source = CredentialSource::resolve(choice, &env, &files).ok()?;
            let base = match &source.base {
                Base::Keys(keys) => {
                    let keys = keys.credentials().ok()?;
                    let (id, secret) = (keys.access_key_id(), keys.secret_access_key());
                    format!("{id} {secret} {:?} {:?}", keys.session_token(), keys.expiry())
                }
                Base::WebIdentity(of) => format!("{:?} {:?} {}", of.role_arn.text, of.session_name, self.token),
                Base::Sso(of) => {
                    let of_session = (&of.start_url, &of.region.text, &of.account_id, &of.role_name);
                    format!("{} {of_session:?} {}", of.token_name(), self.token)
                }
                Base::ConsoleSession(identity) => format!("{identity} {}", self.token),
                Base::Process(command) => format!("{} {:?}", command.expose(), self.env),
                Base::Container(of) => format!("{} {}", of.url.expose(), self.token),
                Base::Instance => "instance".to_owned(),
                Base::Nothing => return None,
            };
            let kind = std::mem::discriminant(&source.base);
            let mut who = format!("{kind:?} {base}");
            for role in source.roles() {
                for property in ["role_arn", "external_id", "role_session_name"] {
                    who += &format!(" {:?}", role.get(property).ok()?.map(|value| value.text.to_owned()));
                }
            }
            let state = FileState::Contents(self.token.clone().into_bytes());
            let has_token_file = matches!(
                source.base,
                Base::WebIdentity(_) | Base::Sso(_) | Base::ConsoleSession(_) | Base::Container(_)
            );
            let tokens: Vec<_> =
                has_token_file.then(|| SourceFile { path: "token".into(), state }).into_iter().collect();
            let fingerprint = Fingerprint::new(&place(1000, "host"), &env, &source, &Endpoints::default(), &tokens);
            Some((who, fingerprint))
        }

        #[track_caller]
        fn fingerprint(&self) -> Fingerprint {
            self.signer().expect("somebody signs").1
        }
    }

    fn place(effective_uid: u32, host_name: &str) -> Place {
        Place { effective_uid, host_name: host_name.into(), working_directory: None }
    }

    const KEYS: &str = "[a]\naws_access_key_id = AKIA\naws_secret_access_key = s\n";

    #[test]
    fn user_machine_and_directory_change_the_fingerprint() {
        let (env, files) = (Env::default(), files("[default]\ncredential_process = creds\n", ""));
        let source = CredentialSource::resolve(ProfileChoice::resolve(None, &env).unwrap(), &env, &files).unwrap();
        let nowhere = Endpoints::default();
        let of = |place: &Place| Fingerprint::new(place, &env, &source, &nowhere, &[]);
        let one = of(&place(1000, "a"));
        assert_ne!(one, of(&place(1001, "a")));
        assert_ne!(one, of(&place(1000, "b")));
        assert_ne!(one, of(&Place { working_directory: Some("/a".into()), ..place(1000, "a") }));
        let sts = Some(Located { text: "http://127.0.0.1:1".into(), place: String::new() });
        let elsewhere = Endpoints { sts, ..Endpoints::default() };
        assert_ne!(one, Fingerprint::new(&place(1000, "a"), &env, &source, &elsewhere, &[]));
    }

    #[test]
    fn the_sso_session_section_is_part_of_it() {
        let profile = "[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = n\n";
        let with = |url: &str| {
            let session = format!("[sso-session s]\nsso_start_url = {url}\nsso_region = r\n");
            World::new(&format!("{profile}{session}"), "").fingerprint()
        };
        assert_ne!(with("http://x"), with("http://y"));
    }

    #[test]
    fn little_of_it_shows() {
        let fingerprint = Fingerprint([0xab; 32]);
        assert_eq!((format!("{fingerprint:?}"), fingerprint.as_bytes()), ("abab…".into(), &[0xab; 32][..]));
    }

    #[test]
    fn non_identifying_variables_do_not_change_it() {
        let world = World { flag: Some("a".into()), ..World::new("", KEYS) };
        let one = world.fingerprint();
        for name in vars::NON_IDENTIFYING.iter().chain(&["TERM", "PATH", "HOME", "KUBERNETES_EXEC_INFO"]) {
            assert_eq!(one, world.clone().with(name, "x").fingerprint(), "{name}");
        }
        let of = |config: &str, credentials: &str| World { flag: Some("a".into()), ..World::new(config, credentials) };
        assert_eq!(one, of("[profile other]\nregion = x\n[sso-session corp]\n", KEYS).fingerprint());
        assert_eq!(one, of("", &format!("# a comment\n{KEYS}\n\n[b]\naws_access_key_id = x\n")).fingerprint());
        assert_ne!(one, of("[profile a]\nregion = x\n", KEYS).fingerprint(), "in doubt, the whole section counts");
        assert_ne!(one, world.with("AWS_NEW_VARIABLE", "x").fingerprint());
    }

    /// Keys from two files are never combined.
    #[test]
    fn the_file_of_a_property_changes_it() {
        let of = |config: &str, credentials: &str| World::new(config, credentials).signer().expect("somebody signs");
        let keys = "aws_access_key_id = ASIA\naws_secret_access_key = s\n";
        let (apart, without_token) = of("[default]\naws_session_token = t\n", &format!("[default]\n{keys}"));
        let (together, with_token) = of("[default]\n", &format!("[default]\n{keys}aws_session_token = t\n"));
        assert_ne!(apart, together);
        assert_ne!(without_token, with_token);
    }

    /// The environment and the sections are the same, but the role differs.
    #[test]
    fn a_web_identity_selected_by_a_flag_ignores_the_environment() {
        let config = "[profile b]\nweb_identity_token_file = w\nrole_arn = r1\n";
        let by_variable = World::new(config, "").with("AWS_PROFILE", "b").with("AWS_ROLE_ARN", "r2");
        let by_flag = World { flag: Some("b".into()), ..by_variable.clone() };
        assert_ne!(by_variable.signer().unwrap().0, by_flag.signer().unwrap().0);
        assert_ne!(by_variable.fingerprint(), by_flag.fingerprint());
    }

    #[test]
    fn empty_variables_count_as_unset() {
        let world = World { flag: Some("a".into()), ..World::new("", KEYS) };
        for (name, counts) in [("AWS_PROFILE", false), ("AWS_CONFIG_FILE", false), ("AWS_SECURITY_TOKEN", true)] {
            assert_eq!(world.fingerprint() != world.clone().with(name, "").fingerprint(), counts, "{name}");
        }
    }

    #[test]
    fn the_readme_lists_non_identifying_variables() {
        let readme = include_str!("../../README.md");
        let (_, list) =
            readme.split_once("never select an identity, so they are not part of the key: ").expect("the list");
        let (list, _) = list.split_once(". (").expect("its end");
        let names: Vec<&str> = list.split(',').map(|name| name.trim().trim_matches('`')).collect();
        assert_eq!(names, vars::NON_IDENTIFYING);
    }

    #[test]
    fn a_credential_process_includes_the_whole_environment() {
        let process = World::new("[default]\ncredential_process = creds\n", "");
        for (name, counts) in [("CORP_USER", true), ("AWS_PAGER", true), ("HOME", true), ("PWD", false), ("_", false)] {
            let of = |value: &str| process.clone().with(name, value).fingerprint();
            assert_eq!(of("alice") != of("bob"), counts, "{name}");
        }
    }

    #[test]
    fn missing_and_empty_token_files_differ() {
        let (env, files) = (Env::default(), files("[default]\nlogin_session = arn\n", ""));
        let source = CredentialSource::resolve(ProfileChoice::resolve(None, &env).unwrap(), &env, &files).unwrap();
        let of = |state| {
            Fingerprint::new(
                &place(0, "a"),
                &env,
                &source,
                &Endpoints::default(),
                &[SourceFile { path: "f".into(), state }],
            )
        };
        assert_ne!(of(FileState::Absent), of(FileState::Contents(Vec::new())));
        assert_ne!(of(FileState::Absent), of(FileState::Contents(b"absent".to_vec())));
    }

    fn section() -> impl Strategy<Value = String> {
        const LINES: [&str; 19] = [
            "aws_access_key_id = AKIA1",
            "aws_access_key_id = AKIA2",
            "aws_secret_access_key = s1",
            "aws_secret_access_key = s2",
            "aws_session_token = t",
            "aws_security_token = u",
            "role_arn = r1",
            "role_arn = r2",
            "external_id = e",
            "source_profile = a",
            "source_profile = b",
            "credential_source = Environment",
            "credential_process = p1",
            "credential_process = p2",
            "web_identity_token_file = w",
            "sso_session = s\nsso_account_id = 1",
            "sso_role_name = n",
            "sso_start_url = http://x",
            "login_session = l",
        ];
        let header =
            prop_oneof![Just("default"), Just("profile a"), Just("profile b"), Just("a"), Just("b"), Just("DEFAULT")];
        let lines = proptest::collection::vec(proptest::sample::select(&LINES[..]), 0..5);
        (header, lines).prop_map(|(header, lines)| format!("[{header}]\n{}\n", lines.join("\n")))
    }

    fn world() -> impl Strategy<Value = World> {
        const SESSION: &str = "[sso-session s]\nsso_start_url = http://x\nsso_region = r\nsso_role_name = n\n";
        const VARIABLES: [&str; 8] = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_PROFILE",
            "AWS_DEFAULT_PROFILE",
            "AWS_ROLE_ARN",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        ];
        let name = prop_oneof![Just("a"), Just("b"), Just("/c")];
        let variable = (proptest::sample::select(&VARIABLES[..]), name);
        let flag = proptest::option::weighted(0.4, prop_oneof![Just("a".to_owned()), Just("b".to_owned())]);
        let sections = || proptest::collection::vec(section(), 0..4);
        let env = proptest::collection::vec(variable, 0..3);
        (flag, env, sections(), sections(), "[xy]").prop_map(|(flag, env, config, credentials, token)| World {
            flag,
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            config: format!("{SESSION}{}", config.concat()),
            credentials: credentials.concat(),
            token,
        })
    }

    /// A copy with one part taken from another world.
    fn changed(world: &World, other: &World, what: usize) -> World {
        let (world, other) = (world.clone(), other.clone());
        match what {
            0 => World { flag: other.flag, ..world },
            1 => World { env: other.env, ..world },
            2 => World { config: other.config, ..world },
            3 => World { credentials: other.credentials, ..world },
            4 => World { token: other.token, ..world },
            // The last line of one file, moved to the other.
            _ => {
                let (config, line) = world.config.trim_end().rsplit_once('\n').unwrap_or_default();
                let credentials = format!("{}{line}\n", world.credentials);
                World { config: format!("{config}\n"), credentials, ..world }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_change_of_signer_changes_it(one in world(), other in world(), what in 0usize..7) {
            let other = if what == 6 { other } else { changed(&one, &other, what) };
            if let (Some((who, fingerprint)), Some((other_who, other_fingerprint))) = (one.signer(), other.signer()) {
                prop_assert!(who == other_who || fingerprint != other_fingerprint, "{who} and {other_who}");
                prop_assert!(one != other || fingerprint == other_fingerprint);
            }
        }
    }
}
