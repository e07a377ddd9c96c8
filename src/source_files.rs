//! Reading the files that decide who the caller is: the AWS config and credentials files, and the token files of
//! the SSO sessions that the profile uses.

use std::io;
use std::path::{Component, Path, PathBuf};

use sha1::{Digest, Sha1};

use crate::env::Env;
use crate::profile::ProfileFiles;

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
    Unreadable(io::ErrorKind),
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

    /// Both paths as one would name them in a message.
    pub fn paths(&self) -> String {
        format!("{} or {}", self.config.path.display(), self.credentials.path.display())
    }
}

impl SourceFile {
    pub fn read(path: PathBuf) -> Self {
        let state = match std::fs::read(&path) {
            Ok(contents) => FileState::Contents(contents),
            Err(error) if error.kind() == io::ErrorKind::NotFound => FileState::Absent,
            Err(error) => FileState::Unreadable(error.kind()),
        };
        SourceFile { path, state }
    }

    pub fn contents(&self) -> &[u8] {
        match &self.state {
            FileState::Contents(contents) => contents,
            FileState::Absent | FileState::Unreadable(_) => &[],
        }
    }
}

/// The files in which `aws sso login` keeps the sessions that a profile, or one that it takes its credentials from,
/// needs: named after the session, or in the older form after the start URL.
pub fn sso_token_files(env: &Env, profiles: &ProfileFiles, profile: &str) -> Vec<SourceFile> {
    let directory = env.home().unwrap_or_default().join(".aws/sso/cache");
    let chain = profiles.chain(profile);
    let names = chain.iter().filter_map(|section| section.get("sso_session").or(section.get("sso_start_url")));
    names.map(|name| SourceFile::read(directory.join(format!("{:x}.json", Sha1::digest(name))))).collect()
}

/// A path from the environment, or the default; a leading `~` is the home directory, as in the SDK.
fn aws_path(env: &Env, variable: &str, default: &str) -> PathBuf {
    let path = Path::new(env.get_os(variable).unwrap_or(default.as_ref()));
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
            FileState::Unreadable(kind) => write!(f, "unreadable: {kind}"),
        }
    }
}
