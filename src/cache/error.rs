//! What can go wrong when somebody looks after the cache. Nothing that goes wrong with it fails a call.

use crate::say::explain::{Exit, Explain, Explanation};
use crate::say::text::shown;

#[derive(Debug)]
pub enum Error {
    /// There is nowhere to keep anything.
    NoDirectory,
    /// Files that are still there.
    NotRemoved { directory: String, files: usize },
}

impl Explain for Error {
    fn explain(&self) -> Explanation {
        match self {
            Error::NoDirectory => {
                Explanation::new(Exit::Other, "nothing is kept: there is no home and no XDG_RUNTIME_DIR")
                    .hint("let EKS_GROUP_AUTH_CACHE_DIR name one")
            }
            Error::NotRemoved { directory, files } => {
                let what = format!("{files} files in `{}` could not be removed", shown(directory));
                Explanation::new(Exit::Other, what).hint("look at the permissions of that directory")
            }
        }
    }
}
