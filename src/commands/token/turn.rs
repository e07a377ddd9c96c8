//! Single flight: if several processes miss the same entry at the same time, one calls AWS and the others wait for its
//! result.

use std::time::Duration;

use crate::aws::connection::DEADLINE;
use crate::aws::providers::CREDENTIAL_PROCESS_DEADLINE;
use crate::cache::entry::SessionEntry;
use crate::cache::lock::{self, Lock, poll_interval};
use crate::commands::error::Error;
use crate::commands::token::ask::Ask;
use crate::commands::token::cached::{Accept, Found, look_up};
use crate::commands::token::entries::Entries;
use crate::commands::token::mfa;
use crate::commands::token::session::Session;
use crate::commands::world::World;
use crate::kube::exec::Status;
use crate::say::Say;

/// What to do next.
pub enum Turn {
    /// There is a token.
    Done(Status),
    /// There is a session to sign with.
    Session(Session),
    /// This process calls AWS, possibly with a fallback session. The lock is held until the token is stored, so that
    /// waiting processes find it.
    Ours(Lock, Option<SessionEntry>),
}

/// What a waiting process observes.
#[derive(Clone, Copy, Debug)]
struct Observation {
    found: Usefulness,
    /// This process has the lock.
    has_lock: bool,
    /// The process that had the lock reported an error.
    has_failed: bool,
    /// The process with the lock should have given up by now.
    is_late: bool,
}

/// How useful a cache look-up was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usefulness {
    Nothing,
    Fallback,
    Enough,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// Take what was found.
    Use,
    /// Fail with the other process's error.
    Fail,
    /// Call AWS, with the lock or, if the wait is over, without it.
    Ask,
    /// Look again.
    Wait,
}

fn decide(seen: Observation) -> Decision {
    match seen {
        Observation { found: Usefulness::Enough, .. } => Decision::Use,
        Observation { found: Usefulness::Nothing, has_failed: true, .. } => Decision::Fail,
        Observation { has_lock: true, .. } => Decision::Ask,
        Observation { found: Usefulness::Fallback, .. } => Decision::Use,
        Observation { is_late: true, .. } => Decision::Ask,
        Observation { .. } => Decision::Wait,
    }
}

impl Turn {
    /// Waits until the cache has something usable or it is this process's turn to call AWS.
    pub fn wait(entries: &mut Entries, ask: &Ask, world: &World, accept: Accept, say: &Say) -> Result<Self, Error> {
        let turn = entries.turn_key();
        let timeout = wait_timeout(ask.source.process().is_some(), ask.may_prompt_for_mfa());
        let (waiting_since, began) = (world.clock.now(), world.clock.instant());
        match look_up(entries, ask, world, accept) {
            found if ask.refresh => return Ok(Turn::ours(Lock::none(), found)),
            Found::Token(status) => return Ok(Turn::Done(status)),
            Found::Session(session) => return Ok(Turn::Session(session)),
            Found::Fallback(_) | Found::Nothing => {}
        }
        let mut has_waited = false;
        loop {
            let lock = match entries.take_turn(&turn) {
                lock::Turn::Ours(lock) => Some(lock),
                lock::Turn::Anothers => None,
            };
            // The process that just released the lock may have stored something under a login it refreshed.
            if has_waited && lock.is_some() {
                entries.refresh_fingerprint();
            }
            let found = look_up(entries, ask, world, accept);
            let failure = match found {
                Found::Nothing => entries.failure_since(waiting_since),
                _ => None,
            };
            let seen = Observation {
                found: Usefulness::from(&found),
                has_lock: lock.is_some(),
                has_failed: failure.is_some(),
                is_late: world.clock.instant() - began > timeout,
            };
            match decide(seen) {
                Decision::Use => return Ok(Turn::from_found(found)),
                Decision::Fail => {
                    return Err(Error::Shared(failure.expect("`Fail` is only decided when there is a failure")));
                }
                Decision::Ask => {
                    // If nothing can be stored, waiting processes would only queue up.
                    let is_of_use = !has_waited || entries.can_store();
                    return Ok(Turn::ours(lock.filter(|_| is_of_use).unwrap_or_else(Lock::none), found));
                }
                Decision::Wait => {}
            }
            if !has_waited {
                say.step(|| "waiting for another process that is making the same request".into());
            }
            has_waited = true;
            std::thread::sleep(poll_interval());
        }
    }

    fn ours(lock: Lock, found: Found) -> Self {
        let fallback = if let Found::Fallback(entry) = found { Some(entry) } else { None };
        Turn::Ours(lock, fallback)
    }

    fn from_found(found: Found) -> Self {
        match found {
            Found::Token(status) => Turn::Done(status),
            Found::Session(session) => Turn::Session(session),
            Found::Fallback(entry) => Turn::Session(Session::from_entry(&entry)),
            Found::Nothing => unreachable!("`Use` is only decided when something was found"),
        }
    }
}

impl From<&Found> for Usefulness {
    fn from(found: &Found) -> Self {
        match found {
            Found::Token(_) | Found::Session(_) => Usefulness::Enough,
            Found::Fallback(_) => Usefulness::Fallback,
            Found::Nothing => Usefulness::Nothing,
        }
    }
}

/// How long to wait for another process: until it must have given up itself.
fn wait_timeout(runs_process: bool, may_prompt: bool) -> Duration {
    let process = if runs_process { CREDENTIAL_PROCESS_DEADLINE } else { Duration::ZERO };
    let person = if may_prompt { mfa::PROMPT_TIMEOUT } else { Duration::ZERO };
    DEADLINE + process + person + Duration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_process_outwaits_everything_the_other_one_may_wait_for() {
        let seconds = |(runs_process, may_prompt)| wait_timeout(runs_process, may_prompt).as_secs();
        let all = [(false, false), (true, false), (false, true), (true, true)];
        assert_eq!(all.map(seconds), [16, 76, 136, 196]);
    }

    /// Every combination of what was found, the lock, an error and the timeout, with the expected decision.
    #[test]
    fn one_process_calls_and_the_others_wait() {
        use Decision::{Ask, Fail, Use, Wait};
        for (found, has_lock, has_failed, is_late, decision) in [
            (Usefulness::Enough, false, false, false, Use),
            (Usefulness::Enough, false, false, true, Use),
            (Usefulness::Enough, false, true, false, Use),
            (Usefulness::Enough, false, true, true, Use),
            (Usefulness::Enough, true, false, false, Use),
            (Usefulness::Enough, true, false, true, Use),
            (Usefulness::Enough, true, true, false, Use),
            (Usefulness::Enough, true, true, true, Use),
            (Usefulness::Fallback, false, false, false, Use),
            (Usefulness::Fallback, false, false, true, Use),
            (Usefulness::Fallback, false, true, false, Use),
            (Usefulness::Fallback, false, true, true, Use),
            (Usefulness::Fallback, true, false, false, Ask),
            (Usefulness::Fallback, true, false, true, Ask),
            (Usefulness::Fallback, true, true, false, Ask),
            (Usefulness::Fallback, true, true, true, Ask),
            (Usefulness::Nothing, false, false, false, Wait),
            (Usefulness::Nothing, false, false, true, Ask),
            (Usefulness::Nothing, false, true, false, Fail),
            (Usefulness::Nothing, false, true, true, Fail),
            (Usefulness::Nothing, true, false, false, Ask),
            (Usefulness::Nothing, true, false, true, Ask),
            (Usefulness::Nothing, true, true, false, Fail),
            (Usefulness::Nothing, true, true, true, Fail),
        ] {
            let seen = Observation { found, has_lock, has_failed, is_late };
            assert_eq!(decide(seen), decision, "{seen:?}");
        }
    }
}
