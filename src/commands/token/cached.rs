//! The cached token and, if it cannot be used, what else in the cache is acceptable.

use crate::cache::asked::Verdict;
use crate::cache::entry::SessionEntry;
use crate::cache::policy::SessionState;
use crate::commands::token::ask::Ask;
use crate::commands::token::entries::Entries;
use crate::commands::token::session::Session;
use crate::commands::world::World;
use crate::kube::exec::Status;
use crate::say::Say;
use crate::say::warning::Warning;

/// Which cached entries are acceptable for this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept {
    pub token: bool,
    pub session: AcceptSession,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptSession {
    Any,
    /// `--refresh`.
    Nothing,
    /// The cluster seems to refuse it: accept only a session too young to be replaced; an older one is only a fallback.
    UnlessRevoked,
}

/// The result of a cache look-up.
pub enum Found {
    Token(Status),
    Session(Session),
    /// A session that should be replaced, but can serve as a fallback.
    Fallback(SessionEntry),
    Nothing,
}

/// Returns the cached token, unless client-go seems to ask again because the cluster refused it. Otherwise returns what
/// is acceptable instead.
pub fn cached(entries: &Entries, ask: &Ask, world: &World, say: &Say) -> Result<Status, Accept> {
    if ask.refresh {
        return Err(Accept { token: false, session: AcceptSession::Nothing });
    }
    let now = world.clock.now();
    let any = Accept { token: true, session: AcceptSession::Any };
    let entry = entries.token(now).ok_or(any)?;
    say.step(|| format!("found a cached token {}", entry.about().summary()));
    let session = match entries.judge(&entry, now) {
        Verdict::Serve => return Ok(entry.into_status()),
        Verdict::SignAgain => AcceptSession::Any,
        Verdict::AssumeAgain { say: is_news } => {
            if is_news {
                say.warn(Warning::TokenRequestedAgain {
                    cluster: ask.cluster.to_string(),
                    role: entry.about().role.clone(),
                });
            }
            AcceptSession::UnlessRevoked
        }
    };
    // Without a session to sign with, every new token would cost a call to AWS.
    let has_session = || ask.roles.last.as_ref().is_some_and(|role| entries.session(role, Some).is_some());
    if entry.is_new(now) && !has_session() {
        return Ok(entry.into_status());
    }
    Err(Accept { token: false, session })
}

/// Looks up what is acceptable in the cache now.
pub fn look_up(entries: &Entries, ask: &Ask, world: &World, accept: Accept) -> Found {
    let now = world.clock.now();
    if accept.token
        && let Some(entry) = entries.token(now)
    {
        return Found::Token(entry.into_status());
    }
    let Some(role) = &ask.roles.last else { return Found::Nothing };
    let accepted = |entry: SessionEntry| match (accept.session, entry.state(now)) {
        (AcceptSession::Nothing, _) | (_, SessionState::Expired) => None,
        // A session that needed an MFA code is not renewed before it expires.
        (_, SessionState::Renew) if !ask.may_prompt_for_mfa() => Some(Found::Fallback(entry)),
        (AcceptSession::UnlessRevoked, SessionState::Fresh) if entry.may_be_revoked(now) => {
            Some(Found::Fallback(entry))
        }
        (_, SessionState::Fresh | SessionState::Renew) => Some(Found::Session(Session::from_entry(&entry))),
    };
    entries.session(role, accepted).unwrap_or(Found::Nothing)
}
