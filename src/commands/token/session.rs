//! What signs a token, and as whom.

use crate::aws::signer::Signer;
use crate::cache::entry::{About, SessionEntry};

/// A role's session, or the caller's own credentials.
pub struct Session {
    pub signer: Signer,
    pub who: Who,
    /// It is new, and to be kept once its token has proved good. The caller's own credentials never are.
    pub to_keep: Option<SessionEntry>,
}

/// The role that was assumed, if one was, and the session's name.
#[derive(Clone, Default)]
pub struct Who {
    pub role: Option<String>,
    pub session_name: Option<String>,
}

impl Session {
    /// One from the cache.
    pub fn kept(entry: &SessionEntry) -> Self {
        let About { role, session_name, .. } = entry.about().clone();
        Session { signer: entry.signer(), who: Who { role, session_name }, to_keep: None }
    }
}
