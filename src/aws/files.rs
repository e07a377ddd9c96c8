//! Reading the files that decide who the caller is: the AWS config and credentials files, and the token files that the
//! credential source names.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha1::{Digest, Sha1};
use sha2::{Digest as _, Sha256};

use crate::aws::profile::ProfileFiles;
use crate::aws::source::{Authorization, Base, CredentialSource};
use crate::aws::sso_token::SsoToken;
use crate::say::error::Error;
use crate::say::secret::Secret;
use crate::sys::env::Env;
use crate::sys::vars;

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

/// The config file and the credentials file: their paths and their texts, empty where there is no such file.
pub struct SourceFiles {
    config: (PathBuf, String),
    credentials: (PathBuf, String),
}

impl SourceFiles {
    /// Reads both from where the AWS CLI reads them. A file that is there and cannot be read must not be passed over:
    /// another identity would sign.
    ///
    /// # Errors
    ///
    /// [`Error::SourceFile`], for one that cannot be read or is not UTF-8.
    pub fn read(env: &Env) -> Result<Self, Error> {
        let at = |variable, default| {
            let path = env.get(variable).unwrap_or(default);
            env.expand(path).map_or_else(|| Ok((PathBuf::from(path), String::new())), read_text)
        };
        Ok(SourceFiles {
            config: at(vars::AWS_CONFIG_FILE, "~/.aws/config")?,
            credentials: at(vars::AWS_SHARED_CREDENTIALS_FILE, "~/.aws/credentials")?,
        })
    }

    pub fn profiles(&self) -> ProfileFiles<'_> {
        let SourceFiles { config, credentials } = self;
        ProfileFiles::new((&config.0, &config.1), (&credentials.0, &credentials.1))
    }
}

fn read_text(path: PathBuf) -> Result<(PathBuf, String), Error> {
    let refuse = |path: &Path, line, why: &str| {
        Err(Error::SourceFile { path: path.display().to_string(), line, why: why.to_owned() })
    };
    let SourceFile { path, state } = SourceFile::read(path);
    match state {
        FileState::Absent => Ok((path, String::new())),
        FileState::Unreadable(why) => refuse(&path, None, &why),
        FileState::Contents(contents) => match String::from_utf8(contents) {
            Ok(text) => Ok((path, text)),
            Err(error) => {
                let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
                refuse(&path, Some(line), "it is not UTF-8")
            }
        },
    }
}

impl SourceFile {
    /// A directory is as good as no file, as for the AWS CLI; so is what is behind a directory that cannot be entered, as
    /// with somebody else's HOME. Pipes and devices are read.
    pub fn read(path: PathBuf) -> Self {
        let state = match read_up_to(&path, MAX_LEN) {
            Ok(contents) => FileState::Contents(contents),
            Err(error) => match path.metadata() {
                Ok(found) if !found.is_dir() => FileState::Unreadable(error.to_string()),
                _ => FileState::Absent,
            },
        };
        SourceFile { path, state }
    }

    /// An SSO session's access token is replaced every hour, in the same login.
    fn without_what_a_refresh_changes(self) -> Self {
        match SsoToken::parse(self.contents()).and_then(|token| token.login()) {
            Some(login) => SourceFile { state: FileState::Contents(login.into_bytes()), ..self },
            None => self,
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

/// The files that show who is logged in, or which pod or job this is, as far as they tell one login from another: with a
/// shared home, that may be all that does.
pub fn token_files(env: &Env, source: &CredentialSource) -> Vec<SourceFile> {
    match &source.base {
        Base::Sso(sso) => {
            let file = SourceFile::read(sso_token_path(env, sso.token_name()));
            // The older form is never refreshed.
            vec![if sso.session.is_some() { file.without_what_a_refresh_changes() } else { file }]
        }
        Base::Login(identity) => {
            let file = SourceFile::read(login_token_path(env, identity));
            vec![file.without_what_a_login_refresh_changes()]
        }
        Base::WebIdentity(identity) => vec![SourceFile::read(identity.token_file.clone())],
        Base::Container(container) => match &container.authorization {
            Some(Authorization::File(path)) => vec![SourceFile::read(path.clone())],
            Some(Authorization::Token(_)) | None => Vec::new(),
        },
        Base::Keys(_) | Base::Process(_) | Base::Instance | Base::Nothing => Vec::new(),
    }
}

/// Where the token of the SSO session, or of the start URL, of this name is.
pub fn sso_token_path(env: &Env, name: &str) -> PathBuf {
    let directory = home(env).join(".aws/sso/cache");
    directory.join(format!("{:x}.json", Sha1::digest(name)))
}

/// Where `aws login` keeps the session of this identity.
pub fn login_token_path(env: &Env, identity: &str) -> PathBuf {
    let directory = match env.given(vars::AWS_LOGIN_CACHE_DIRECTORY) {
        Some(directory) => PathBuf::from(directory),
        None => home(env).join(".aws/login/cache"),
    };
    let digest: String = Sha256::digest(identity.trim()).iter().map(|byte| format!("{byte:02x}")).collect();
    directory.join(digest + ".json")
}

/// Where there is none, never the working directory.
fn home(env: &Env) -> PathBuf {
    env.home().unwrap_or_else(|| PathBuf::from("/"))
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
