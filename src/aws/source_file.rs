//! A file as found on disk, and the parts of a token file that distinguish one login from another.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use crate::aws::sso_token::SsoToken;
use crate::say::secret::Secret;

/// A file as found on disk.
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

impl SourceFile {
    /// Keeps only what stays the same during an SSO login, whose access token is replaced every hour.
    pub fn without_refreshed_fields(self) -> Self {
        match SsoToken::parse(self.contents()).and_then(|token| token.login_id()) {
            Some(login) => SourceFile { state: FileState::Contents(login.into_bytes()), ..self },
            None => self,
        }
    }

    /// Keeps only what stays the same during a console login, whose tokens are all replaced every quarter of an hour:
    /// its key, which is generated for each login.
    pub fn without_refreshed_console_fields(self) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ConsoleToken {
            dpop_key: Secret,
        }

        match serde_json::from_slice::<ConsoleToken>(self.contents()) {
            Ok(ConsoleToken { dpop_key }) => {
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

impl fmt::Debug for FileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileState::Contents(contents) => write!(f, "{} bytes", contents.len()),
            FileState::Absent => f.write_str("absent"),
            FileState::Unreadable(why) => write!(f, "unreadable: {why}"),
        }
    }
}
