//! The credentials that sign a token, and their identity.

use crate::aws::signer::Signer;
use crate::cache::entry::{Description, SessionEntry};

/// A role session, or the caller's own credentials.
pub struct Session {
    pub signer: Signer,
    pub identity: SessionIdentity,
    /// Set if the session is new and should be cached once its token has passed the check. Never set for the caller's
    /// own credentials.
    pub to_store: Option<SessionEntry>,
}

/// The assumed role, if any, and the session name.
#[derive(Clone, Default)]
pub struct SessionIdentity {
    pub role: Option<String>,
    pub session_name: Option<String>,
}

impl Session {
    /// A session from the cache.
    pub fn from_entry(entry: &SessionEntry) -> Self {
        let Description { role, session_name, .. } = entry.about().clone();
        Session { signer: entry.signer(), identity: SessionIdentity { role, session_name }, to_store: None }
    }
}
