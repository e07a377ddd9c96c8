//! Errors of the `cache` subcommand. Problems with the cache never fail a token call.

use crate::say::explain::{Exit, Explain, Explanation};
use crate::say::text::shown;

#[derive(Debug)]
pub enum Error {
    /// There is no directory for the cache.
    NoDirectory,
    /// Files that could not be removed.
    NotRemoved { directory: String, files: usize },
}

impl Explain for Error {
    fn explain(&self) -> Explanation {
        match self {
            Error::NoDirectory => Explanation::new(
                Exit::Other,
                "no cache directory: there is no home directory, and XDG_RUNTIME_DIR is not set",
            )
            .hint("set EKS_GROUP_AUTH_CACHE_DIR to a directory"),
            Error::NotRemoved { directory, files } => {
                let files = if *files == 1 { "1 file".to_owned() } else { format!("{files} files") };
                let what = format!("could not remove {files} in `{}`", shown(directory));
                Explanation::new(Exit::Other, what).hint("check the permissions of that directory")
            }
        }
    }
}
