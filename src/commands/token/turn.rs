//! Single flight: if several processes miss the same entry at the same time, one calls AWS and the others wait for its
//! result.

use std::time::Duration;

use crate::aws::connection::DEADLINE;
use crate::aws::providers::CREDENTIAL_PROCESS_DEADLINE;
use crate::cache::entry::SessionEntry;
use crate::cache::lock::{self, Lock, pause};
use crate::commands::error::Error;
use crate::commands::token::ask::Ask;
use crate::commands::token::cached::{Accept, Found, look};
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
struct Seen {
    found: Level,
    /// This process has the lock.
    has_lock: bool,
    /// The process that had the lock reported an error.
    has_failed: bool,
    /// The process with the lock should have given up by now.
    is_late: bool,
}

/// How useful a cache look-up was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Nothing,
    InHand,
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

fn decide(seen: Seen) -> Decision {
    match seen {
        Seen { found: Level::Enough, .. } => Decision::Use,
        Seen { found: Level::Nothing, has_failed: true, .. } => Decision::Fail,
        Seen { has_lock: true, .. } => Decision::Ask,
        Seen { found: Level::InHand, .. } => Decision::Use,
        Seen { is_late: true, .. } => Decision::Ask,
        Seen { .. } => Decision::Wait,
    }
}

impl Turn {
    /// Waits until the cache has something usable or it is this process's turn to call AWS.
    pub fn wait(entries: &mut Entries, ask: &Ask, world: &World, accept: Accept, say: &Say) -> Result<Self, Error> {
        let turn = entries.turn_key();
        let (waiting_since, began) = (world.clock.now(), world.clock.instant());
        match look(entries, ask, world, accept) {
            found if ask.refresh => return Ok(Turn::ours(Lock::none(), found)),
            Found::Token(status) => return Ok(Turn::Done(status)),
            Found::Session(session) => return Ok(Turn::Session(session)),
            Found::InHand(_) | Found::Nothing => {}
        }
        let mut has_waited = false;
        loop {
            let lock = match entries.take_turn(&turn) {
                lock::Turn::Ours(lock) => Some(lock),
                lock::Turn::Anothers => None,
            };
            // The process that just released the lock may have stored something under a login it refreshed.
            if has_waited && lock.is_some() {
                entries.follow_login();
            }
            let found = look(entries, ask, world, accept);
            let failure = match found {
                Found::Nothing => entries.failure_since(waiting_since),
                _ => None,
            };
            let seen = Seen {
                found: Level::from(&found),
                has_lock: lock.is_some(),
                has_failed: failure.is_some(),
                is_late: world.clock.instant() - began > patience(ask),
            };
            match decide(seen) {
                Decision::Use => return Ok(Turn::taking(found)),
                Decision::Fail => {
                    return Err(Error::Shared(failure.expect("`Fail` is only decided when there is a failure")));
                }
                Decision::Ask => {
                    // If nothing can be stored, waiting processes would only queue up.
                    let is_of_use = !has_waited || entries.can_keep();
                    return Ok(Turn::ours(lock.filter(|_| is_of_use).unwrap_or_else(Lock::none), found));
                }
                Decision::Wait => {}
            }
            if !has_waited {
                say.step(|| "waiting for another process that is making the same request".into());
            }
            has_waited = true;
            std::thread::sleep(pause());
        }
    }

    fn ours(lock: Lock, found: Found) -> Self {
        let in_hand = if let Found::InHand(entry) = found { Some(entry) } else { None };
        Turn::Ours(lock, in_hand)
    }

    fn taking(found: Found) -> Self {
        match found {
            Found::Token(status) => Turn::Done(status),
            Found::Session(session) => Turn::Session(session),
            Found::InHand(entry) => Turn::Session(Session::kept(&entry)),
            Found::Nothing => unreachable!("nothing is never taken"),
        }
    }
}

impl From<&Found> for Level {
    fn from(found: &Found) -> Self {
        match found {
            Found::Token(_) | Found::Session(_) => Level::Enough,
            Found::InHand(_) => Level::InHand,
            Found::Nothing => Level::Nothing,
        }
    }
}

/// How long to wait for another process: until it must have given up itself.
fn patience(ask: &Ask) -> Duration {
    let process = if ask.source.process().is_some() { CREDENTIAL_PROCESS_DEADLINE } else { Duration::ZERO };
    let person = if ask.may_ask_for_a_code() { mfa::PATIENCE } else { Duration::ZERO };
    DEADLINE + process + person + Duration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of what was found, the lock, an error and the timeout, with the expected decision.
    #[test]
    fn one_process_calls_and_the_others_wait() {
        use Decision::{Ask, Fail, Use, Wait};
        for (found, has_lock, has_failed, is_late, decision) in [
            (Level::Enough, false, false, false, Use),
            (Level::Enough, false, false, true, Use),
            (Level::Enough, false, true, false, Use),
            (Level::Enough, false, true, true, Use),
            (Level::Enough, true, false, false, Use),
            (Level::Enough, true, false, true, Use),
            (Level::Enough, true, true, false, Use),
            (Level::Enough, true, true, true, Use),
            (Level::InHand, false, false, false, Use),
            (Level::InHand, false, false, true, Use),
            (Level::InHand, false, true, false, Use),
            (Level::InHand, false, true, true, Use),
            (Level::InHand, true, false, false, Ask),
            (Level::InHand, true, false, true, Ask),
            (Level::InHand, true, true, false, Ask),
            (Level::InHand, true, true, true, Ask),
            (Level::Nothing, false, false, false, Wait),
            (Level::Nothing, false, false, true, Ask),
            (Level::Nothing, false, true, false, Fail),
            (Level::Nothing, false, true, true, Fail),
            (Level::Nothing, true, false, false, Ask),
            (Level::Nothing, true, false, true, Ask),
            (Level::Nothing, true, true, false, Fail),
            (Level::Nothing, true, true, true, Fail),
        ] {
            let seen = Seen { found, has_lock, has_failed, is_late };
            assert_eq!(decide(seen), decision, "{seen:?}");
        }
    }
}
