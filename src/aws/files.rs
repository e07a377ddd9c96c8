//! Reads the files that determine the caller: the AWS config and credentials files, and the credential source's token
//! files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};
use sha2::{Digest as _, Sha256};

use crate::aws::error::Error;
use crate::aws::profile::ProfileFiles;
use crate::aws::source::{Authorization, Base, CredentialSource};
use crate::aws::source_file::{FileState, SourceFile};
use crate::sys::env::Env;
use crate::sys::path::expand;
use crate::sys::vars;

/// No config file comes close to this size, but a device could be endless.
pub const MAX_LEN: u64 = 64 << 20;

/// The config file and the credentials file, as found.
pub struct SourceFiles {
    config: SourceFile,
    credentials: SourceFile,
}

impl SourceFiles {
    /// Reads both from where the AWS CLI reads them.
    pub fn read(env: &Env) -> Self {
        let at = |variable, default: &str| {
            let path = env.get(variable).unwrap_or(default);
            let absent = || SourceFile { path: path.into(), state: FileState::Absent };
            expand(env, path).map_or_else(absent, read)
        };
        SourceFiles {
            config: at(vars::AWS_CONFIG_FILE, "~/.aws/config"),
            credentials: at(vars::AWS_SHARED_CREDENTIALS_FILE, "~/.aws/credentials"),
        }
    }

    /// # Errors
    ///
    /// [`Error::SourceFile`] for a file that exists but cannot be read or is not UTF-8. It must not be ignored: another
    /// identity would sign.
    pub fn profiles(&self) -> Result<ProfileFiles<'_>, Error> {
        let SourceFiles { config, credentials } = self;
        Ok(ProfileFiles::new((&config.path, text(config)?), (&credentials.path, text(credentials)?)))
    }
}

fn text(SourceFile { path, state }: &SourceFile) -> Result<&str, Error> {
    let refuse =
        |line, why: &str| Err(Error::SourceFile { path: path.display().to_string(), line, why: why.to_owned() });
    match state {
        FileState::Absent => Ok(""),
        FileState::Unreadable(why) => refuse(None, why),
        FileState::Contents(contents) => std::str::from_utf8(contents).or_else(|error| {
            let good = &contents[..error.valid_up_to()];
            let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
            refuse(Some(line), "it is not UTF-8")
        }),
    }
}

/// Reads a file. A directory counts as a missing file, as in the AWS CLI, and so does anything in a directory that
/// cannot be entered, as with another user's HOME. Pipes and devices are read.
pub fn read(path: PathBuf) -> SourceFile {
    let state = match read_up_to(&path, MAX_LEN) {
        Ok(contents) => FileState::Contents(contents),
        Err(error) => match path.metadata() {
            Ok(found) if !found.is_dir() => FileState::Unreadable(error.to_string()),
            _ => FileState::Absent,
        },
    };
    SourceFile { path, state }
}

/// Reads a file of at most `max_len` bytes.
pub fn read_up_to(path: &Path, max_len: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // Allocated at once, not by doubling: some config files are a megabyte in size.
    let expected = file.metadata().map_or(0, |metadata| metadata.len().min(max_len));
    let mut contents = Vec::with_capacity(usize::try_from(expected).unwrap_or_default() + 1);
    let len = file.take(max_len + 1).read_to_end(&mut contents)?;
    if len as u64 > max_len { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(contents) }
}

/// The files that identify the login, pod or job, reduced to what distinguishes one login from another: with a shared
/// home directory, nothing else may differ.
pub fn token_files(env: &Env, source: &CredentialSource) -> Vec<SourceFile> {
    match &source.base {
        Base::Sso(sso) => {
            let file = read(sso_token_path(env, sso.token_name()));
            // The older format is never refreshed.
            vec![if sso.session.is_some() { file.without_refreshed_fields() } else { file }]
        }
        Base::ConsoleSession(identity) => {
            let file = read(login_token_path(env, identity));
            vec![file.without_refreshed_console_fields()]
        }
        Base::WebIdentity(identity) => vec![read(identity.token_file.clone())],
        Base::Container(container) => match &container.authorization {
            Some(Authorization::File(path)) => vec![read(path.clone())],
            Some(Authorization::Token(_)) | None => Vec::new(),
        },
        Base::Keys(_) | Base::Process(_) | Base::Instance | Base::Nothing => Vec::new(),
    }
}

/// The path of the token file of the SSO session or start URL with this name.
pub fn sso_token_path(env: &Env, name: &str) -> PathBuf {
    let directory = home(env).join(".aws/sso/cache");
    directory.join(format!("{:x}.json", Sha1::digest(name)))
}

/// The path of the file in which `aws login` stores this identity's session.
pub fn login_token_path(env: &Env, identity: &str) -> PathBuf {
    let directory = match env.get_raw(vars::AWS_LOGIN_CACHE_DIRECTORY) {
        Some(directory) => PathBuf::from(directory),
        None => home(env).join(".aws/login/cache"),
    };
    let digest: String = Sha256::digest(identity.trim()).iter().map(|byte| format!("{byte:02x}")).collect();
    directory.join(digest + ".json")
}

/// If there is no home directory, this is never the working directory.
fn home(env: &Env) -> PathBuf {
    env.home().unwrap_or_else(|| PathBuf::from("/"))
}
