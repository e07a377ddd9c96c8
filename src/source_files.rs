//! Reading the files that decide who the caller is: the AWS config and credentials files, and the token files of
//! the SSO sessions that the profile uses.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use sha1::{Digest, Sha1};
use sha2::{Digest as _, Sha256};

use crate::env::Env;
use crate::error::Error;
use crate::profile::{ProfileFiles, Section};
use crate::secret::Secret;

/// No config file comes near this; a device would not end.
pub const MAX_LEN: u64 = 64 << 20;

/// One file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub path: PathBuf,
    pub state: FileState,
}

/// Its contents, or why there are none.
#[derive(Clone, PartialEq, Eq)]
pub enum FileState {
    Contents(Vec<u8>),
    Absent,
    Unreadable(String),
}

/// The config file and the credentials file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFiles {
    pub config: SourceFile,
    pub credentials: SourceFile,
}

impl SourceFiles {
    /// Reads both from where the AWS SDK reads them.
    pub fn read(env: &Env) -> Self {
        let at = |variable, default| SourceFile::read(aws_path(env, variable, default));
        SourceFiles {
            config: at("AWS_CONFIG_FILE", "~/.aws/config"),
            credentials: at("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        }
    }

    pub fn profiles(&self) -> ProfileFiles<'_> {
        ProfileFiles::new(self.config.contents(), self.credentials.contents())
    }

    /// A file that is there and cannot be read must not be passed over: another identity would sign.
    ///
    /// # Errors
    ///
    /// [`Error::SourceFile`], for one that cannot be read or is not UTF-8.
    pub fn check(&self) -> Result<(), Error> {
        for file in [&self.config, &self.credentials] {
            let why = match &file.state {
                FileState::Contents(contents) if std::str::from_utf8(contents).is_err() => "it is not UTF-8",
                FileState::Unreadable(why) => why,
                FileState::Contents(_) | FileState::Absent => continue,
            };
            return Err(Error::SourceFile { path: file.path.display().to_string(), why: why.to_owned() });
        }
        Ok(())
    }

    /// Both paths as one would name them in a message.
    pub fn paths(&self) -> String {
        format!("{} or {}", self.config.path.display(), self.credentials.path.display())
    }
}

impl SourceFile {
    pub fn read(path: PathBuf) -> Self {
        let is_absent = |error: &io::Error| {
            // Behind a directory that cannot be entered, as with somebody else's HOME, it is as good as absent.
            let hidden = || error.kind() == io::ErrorKind::PermissionDenied && path.metadata().is_err();
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) || hidden()
        };
        let state = match read_up_to(&path, MAX_LEN) {
            Ok(contents) => FileState::Contents(contents),
            Err(error) if is_absent(&error) => FileState::Absent,
            Err(error) => FileState::Unreadable(error.to_string()),
        };
        SourceFile { path, state }
    }

    /// An SSO session's access token is replaced every hour, in the same login. The refresh token tells logins apart.
    fn without_what_a_refresh_changes(self) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Login {
            start_url: Option<String>,
            refresh_token: Secret,
        }

        match serde_json::from_slice::<Login>(self.contents()) {
            Ok(Login { start_url, refresh_token }) => {
                let login = format!("{}\n{}", start_url.unwrap_or_default(), refresh_token.expose());
                SourceFile { state: FileState::Contents(login.into_bytes()), ..self }
            }
            Err(_) => self,
        }
    }

    /// A console session's tokens are all replaced every quarter of an hour. Its key, made for it, tells logins apart.
    fn without_what_a_login_refresh_changes(self) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Login {
            dpop_key: Secret,
        }

        match serde_json::from_slice::<Login>(self.contents()) {
            Ok(Login { dpop_key }) => {
                SourceFile { state: FileState::Contents(dpop_key.expose().as_bytes().to_vec()), ..self }
            }
            Err(_) => self,
        }
    }

    pub fn contents(&self) -> &[u8] {
        match &self.state {
            FileState::Contents(contents) => contents,
            FileState::Absent | FileState::Unreadable(_) => &[],
        }
    }
}

/// A file of no more than so many bytes.
pub fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // At once, and not by doubling: the config files of some have a megabyte.
    let expected = file.metadata().map_or(0, |metadata| metadata.len().min(most));
    let mut contents = Vec::with_capacity(usize::try_from(expected).unwrap_or_default() + 1);
    let len = file.take(most + 1).read_to_end(&mut contents)?;
    if len as u64 > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(contents) }
}

/// The token that a container, pod or job shows for its credentials: with a shared home, all that tells one from
/// another.
pub fn workload_token_files(env: &Env, chain: &[Section]) -> Vec<SourceFile> {
    let variables = ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"];
    let in_environment = variables.into_iter().filter_map(|name| env.get_os(name)).map(PathBuf::from);
    let in_profile = chain.iter().filter_map(|section| section.get("web_identity_token_file")).map(PathBuf::from);
    in_environment.chain(in_profile).map(SourceFile::read).collect()
}

/// The files in which `aws sso login` keeps the sessions that a profile, or one that it takes its credentials from,
/// needs: named after the session, or in the older form after the start URL.
pub fn sso_token_files(env: &Env, chain: &[Section]) -> Vec<SourceFile> {
    let names = chain.iter().filter_map(|section| section.get("sso_session").or(section.get("sso_start_url")));
    let files = names.map(|name| SourceFile::read(sso_token_path(env, name)));
    files.map(SourceFile::without_what_a_refresh_changes).collect()
}

/// Where the token of the SSO session, or of the start URL, of this name is.
pub fn sso_token_path(env: &Env, name: &str) -> PathBuf {
    let directory = env.home().unwrap_or_default().join(".aws/sso/cache");
    directory.join(format!("{:x}.json", Sha1::digest(name)))
}

/// The files in which `aws login` keeps the console sessions that a profile, or one that it takes its credentials from,
/// needs.
pub fn login_token_files(env: &Env, chain: &[Section]) -> Vec<SourceFile> {
    let identities = chain.iter().filter_map(|section| section.get("login_session"));
    let files = identities.map(|identity| SourceFile::read(login_token_path(env, identity)));
    files.map(SourceFile::without_what_a_login_refresh_changes).collect()
}

/// Where `aws login` keeps the session of this identity.
pub fn login_token_path(env: &Env, identity: &str) -> PathBuf {
    let directory = match env.given("AWS_LOGIN_CACHE_DIRECTORY") {
        Some(directory) => PathBuf::from(directory),
        None => env.home().unwrap_or_default().join(".aws/login/cache"),
    };
    let digest: String = Sha256::digest(identity.trim()).iter().map(|byte| format!("{byte:02x}")).collect();
    directory.join(digest + ".json")
}

/// A path from the environment, or the default.
fn aws_path(env: &Env, variable: &str, default: &str) -> PathBuf {
    expand_home(env, Path::new(env.get_os(variable).unwrap_or(default.as_ref())))
}

/// A leading `~` is the home directory, as in the SDK.
pub fn expand_home(env: &Env, path: &Path) -> PathBuf {
    match (path.components().next(), env.home()) {
        (Some(Component::Normal(first)), Some(home)) if first == "~" => {
            home.join(path.strip_prefix("~").expect("its first component is ~"))
        }
        _ => path.to_owned(),
    }
}

impl std::fmt::Debug for FileState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FileState::Contents(contents) => write!(f, "{} bytes", contents.len()),
            FileState::Absent => f.write_str("absent"),
            FileState::Unreadable(why) => write!(f, "unreadable: {why}"),
        }
    }
}
