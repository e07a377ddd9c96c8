//! Getting a session from AWS, and sharing the outcome with waiting processes.

use crate::aws::connection::Connection;
use crate::aws::files;
use crate::aws::providers::Provider;
use crate::aws::source_file::SourceFile;
use crate::cache::entry::SessionEntry;
use crate::cache::lock::Lock;
use crate::cache::policy::SessionState;
use crate::commands::error::Error;
use crate::commands::token::ask::Ask;
use crate::commands::token::assume::Chain;
use crate::commands::token::entries::Entries;
use crate::commands::token::session::Session;
use crate::commands::world::World;
use crate::say::Say;
use crate::say::explain::{Exit, Explain as _};
use crate::say::warning::Warning;

/// Returns a session of the role or the caller's own credentials, or the fallback session if that fails temporarily.
pub fn obtain_session(
    ask: &Ask,
    world: &World,
    entries: &mut Entries,
    fallback: Option<SessionEntry>,
    say: &Say,
) -> Result<Session, Error> {
    let (obtained, refreshed) = from_aws(ask, world, entries, say);
    match refreshed {
        // It is the same login, although its token file changed.
        Some(file) if files::read(file.path.clone()) == file => entries.refresh_fingerprint(),
        _ => entries.disable_cache_if_login_changed(),
    }
    let now = world.clock.now();
    match (obtained, fallback.filter(|entry| entry.state(now) != SessionState::Expired)) {
        (Err(error), Some(entry)) if error.is_transient() || matches!(error, Error::NeedsMfa { .. }) => {
            let left = entry.expiration().duration_since(now).unwrap_or_default();
            let why = error.explain().what;
            say.warn(Warning::SessionNotRenewed { why, minutes_left: left.as_secs() / 60 });
            Ok(Session::from_entry(&entry))
        }
        (obtained, _) => obtained,
    }
}

/// Also returns the token file of an SSO session, if it was refreshed.
fn from_aws(ask: &Ask, world: &World, entries: &Entries, say: &Say) -> (Result<Session, Error>, Option<SourceFile>) {
    let Ask { endpoint, endpoints, source, .. } = ask;
    let connection = match Connection::open(endpoint, endpoints, source, &world.env, world.clock) {
        Ok(connection) => connection,
        Err(error) => return (Err(error.into()), None),
    };
    let provider = Provider::new(&connection, source, endpoints, &endpoint.region, &world.env);
    let session = Chain { ask, world, entries, connection: &connection, provider: &provider, say }.session();
    (session, provider.refreshed_login())
}

/// Shares errors from AWS or the user's login, but not those specific to this process, and only if other processes may
/// be waiting.
pub fn share_failure(entries: &Entries, lock: &Lock, error: &Error) {
    // Another process may have a terminal even if this one does not.
    if !lock.is_held() || matches!(error, Error::NeedsMfa { .. }) {
        return;
    }
    let explanation = error.explain();
    match explanation.exit {
        Exit::NoCredentials | Exit::Refused | Exit::Unreachable | Exit::UserActionNeeded => {
            entries.store_failure(explanation)
        }
        Exit::Other | Exit::BadInput => {}
    }
}
