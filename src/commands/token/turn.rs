//! Single flight: of the processes that miss the same entry at the same time, one asks AWS, and the others wait for what
//! it gets.

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

/// How it goes on.
pub enum Turn {
    /// There is a token.
    Done(Status),
    /// There is a session to sign with.
    Session(Session),
    /// This process asks AWS, perhaps with a session in hand that is better than none. The lock is held until the token is
    /// kept, for whoever waits to find it.
    Ours(Lock, Option<SessionEntry>),
}

/// What a process sees that waits.
#[derive(Clone, Copy, Debug)]
struct Seen {
    found: Level,
    /// The turn is nobody else's.
    has_lock: bool,
    /// The process that had the turn left an error.
    has_failed: bool,
    /// It should have given up by now.
    is_late: bool,
}

/// How good is what was found.
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
    /// Fail as the other did.
    Fail,
    /// Ask AWS, or try to: with the lock, or where nobody can be waited for any longer, without.
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
    /// Waits until something good is in the cache, or until it is this process's turn to ask AWS.
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
            // The process that had the turn until now may have left something, under a login that it refreshed.
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
                Decision::Fail => return Err(Error::Shared(failure.expect("it is why this was decided"))),
                Decision::Ask => {
                    // Where nothing can be kept, those who wait would only stand in a line.
                    let is_of_use = !has_waited || entries.can_keep();
                    return Ok(Turn::ours(lock.filter(|_| is_of_use).unwrap_or_else(Lock::none), found));
                }
                Decision::Wait => {}
            }
            if !has_waited {
                say.step(|| "another process is asking for the same: waiting for it".into());
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

/// How long to wait for another process that asks for the same: until it must have given up itself.
fn patience(ask: &Ask) -> Duration {
    let process = if ask.source.process().is_some() { CREDENTIAL_PROCESS_DEADLINE } else { Duration::ZERO };
    let person = if ask.may_ask_for_a_code() { mfa::PATIENCE } else { Duration::ZERO };
    DEADLINE + process + person + Duration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every case: what was found, and what is decided with and without the lock, an error, and patience.
    #[test]
    fn one_asks_and_the_others_wait_for_it() {
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
