//! The token in the cache; and what of the cache will do where that one will not.

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

/// What of the cache is good enough for this call.
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
    /// The cluster seems to refuse it: only one that is too young to be asked for again; another is better than none.
    UnlessRevoked,
}

/// What was found, when somebody looked.
pub enum Found {
    Token(Status),
    Session(Session),
    /// A session that another should replace, but that is better than none.
    InHand(SessionEntry),
    Nothing,
}

/// The token, unless client-go seems to come back because the cluster refused it. Else what will do instead.
pub fn cached(entries: &Entries, ask: &Ask, world: &World, say: &Say) -> Result<Status, Accept> {
    if ask.refresh {
        return Err(Accept { token: false, session: AcceptSession::Nothing });
    }
    let now = world.clock.now();
    let any = Accept { token: true, session: AcceptSession::Any };
    let entry = entries.token(now).ok_or(any)?;
    say.step(|| format!("a token in the cache, {}", entry.about().in_words()));
    let session = match entries.judge(&entry, now) {
        Verdict::Serve => return Ok(entry.into_status()),
        Verdict::SignAnew => AcceptSession::Any,
        Verdict::AssumeAnew { say: is_news } => {
            if is_news {
                say.warn(Warning::AskedAgain { cluster: ask.cluster.to_string(), role: entry.about().role.clone() });
            }
            AcceptSession::UnlessRevoked
        }
    };
    // Where there is no session to sign with, another token would cost a call to AWS each time.
    let has_session = || ask.roles.last.as_ref().is_some_and(|role| entries.session(role, Some).is_some());
    if entry.is_young(now) && !has_session() {
        return Ok(entry.into_status());
    }
    Err(Accept { token: false, session })
}

/// What there is now that will do.
pub fn look(entries: &Entries, ask: &Ask, world: &World, accept: Accept) -> Found {
    let now = world.clock.now();
    if accept.token
        && let Some(entry) = entries.token(now)
    {
        return Found::Token(entry.into_status());
    }
    let Some(role) = &ask.roles.last else { return Found::Nothing };
    let accepted = |entry: SessionEntry| match (accept.session, entry.state(now)) {
        (AcceptSession::Nothing, _) | (_, SessionState::Over) => None,
        // One that a person had to be asked for is not asked for before its end.
        (_, SessionState::Renew) if !ask.may_ask_for_a_code() => Some(Found::InHand(entry)),
        (AcceptSession::UnlessRevoked, SessionState::Fresh) if entry.may_be_revoked(now) => Some(Found::InHand(entry)),
        (_, SessionState::Fresh | SessionState::Renew) => Some(Found::Session(Session::kept(&entry))),
    };
    entries.session(role, accepted).unwrap_or(Found::Nothing)
}
