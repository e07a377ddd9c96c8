//! Whether client-go asks again because the cluster refused what it was given. After a 401 it runs the plugin a second
//! time with an identical environment and does not say why; a cache that answered with the same token would trap its
//! user until that token's end. So the process that a token was handed to is remembered, per token entry, in a file
//! that is written in place: it is advice, and a torn one is none.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;

use super::store::write_in_place;

/// How long refusals count as a series, and how often at most a role is assumed anew for them, in seconds.
pub const REFUSAL_WINDOW: u64 = 60;

/// What was handed out last. Times are whole seconds since 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The process id of the client.
    parent: u32,
    /// How many times in a row it looked like a refusal.
    refusals: u32,
    refused_at: u64,
    said_at: u64,
}

/// What to do with the token in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Serve,
    /// The cluster may have refused it: sign another one with the same session.
    SignAnew,
    /// And that one too: its session may have been revoked. `say`: tell the user, who was not told for a while.
    AssumeAnew {
        say: bool,
    },
}

impl Asked {
    /// `parent` asks at `now` and would be served from the cache.
    pub fn judge(self, parent: u32, now: u64) -> (Verdict, Asked) {
        if self.parent != parent {
            return (Verdict::Serve, Asked { parent, ..self });
        }
        let is_recent = |then: u64| then <= now && now - then < REFUSAL_WINDOW;
        let refusals = if is_recent(self.refused_at) { self.refusals.saturating_add(1) } else { 1 };
        let next = Asked { refusals, refused_at: now, ..self };
        if refusals == 1 {
            return (Verdict::SignAnew, next);
        }
        let say = !is_recent(self.said_at);
        (Verdict::AssumeAnew { say }, Asked { said_at: if say { now } else { self.said_at }, ..next })
    }

    /// `parent` asks and is given something that was not in the cache.
    pub fn given_anew(self, parent: u32) -> Asked {
        Asked { parent, ..self }
    }

    /// What the file says; nothing where it says nothing.
    pub fn read(file: &File) -> Asked {
        let mut buffer = [0; 80];
        let len = file.read_at(&mut buffer, 0).unwrap_or(0);
        let text = std::str::from_utf8(&buffer[..len]).unwrap_or_default();
        let numbers: Option<Vec<u64>> = text.split_whitespace().map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[parent, refusals, refused_at, said_at]) => Asked {
                parent: u32::try_from(parent).unwrap_or(0),
                refusals: u32::try_from(refusals).unwrap_or(0),
                refused_at,
                said_at,
            },
            _ => Asked::default(),
        }
    }

    /// Of one length whatever the numbers, so that nothing of an earlier text remains behind it.
    pub fn write(self, file: &File) {
        let Asked { parent, refusals, refused_at, said_at } = self;
        let mut text = [b' '; 66];
        let _ = writeln!(&mut text[..], "{parent:010} {refusals:010} {refused_at:020} {said_at:020}");
        let _ = write_in_place(file, &text);
    }
}

/// Whether a client is one that asks twice without having been refused: `kubectl apply -f -`, like every command that
/// reads its manifest from stdin, builds a second client whose stdin is taken, and that one asks for itself. Known on
/// Linux only; elsewhere such a command costs one signature more.
pub fn asks_twice(parent: u32) -> bool {
    let Ok(command_line) = std::fs::read(format!("/proc/{parent}/cmdline")) else { return false };
    command_line.split(|&byte| byte == 0).any(|arg| arg == b"-" || arg == b"-f-" || arg.ends_with(b"=-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_is_served_and_the_same_one_escalates() {
        let (verdict, asked) = Asked::default().judge(7, 1000);
        assert_eq!(verdict, Verdict::Serve);
        let (verdict, asked) = asked.judge(7, 1001);
        assert_eq!(verdict, Verdict::SignAnew);
        let (verdict, asked) = asked.judge(7, 1002);
        assert_eq!(verdict, Verdict::AssumeAnew { say: true });
        let (verdict, asked) = asked.judge(7, 1003);
        assert_eq!(verdict, Verdict::AssumeAnew { say: false });
        let (verdict, asked) = asked.judge(8, 1004);
        assert_eq!(verdict, Verdict::Serve, "the next kubectl");
        let (verdict, _) = asked.judge(8, 1005);
        assert_eq!(verdict, Verdict::AssumeAnew { say: false }, "a series goes on from one kubectl to the next");
        let (verdict, _) = asked.judge(8, 1003 + REFUSAL_WINDOW);
        assert_eq!(verdict, Verdict::SignAnew, "and ends");
    }

    #[test]
    fn what_is_written_is_read_and_damage_is_nothing() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(Asked::read(&file), Asked::default());
        let asked = Asked { parent: u32::MAX, refusals: 3, refused_at: u64::MAX, said_at: 12 };
        asked.write(&file);
        Asked { refused_at: 5, ..asked }.write(&file);
        assert_eq!(Asked::read(&file), Asked { refused_at: 5, ..asked });
        file.write_at(b"\xff", 3).unwrap();
        assert_eq!(Asked::read(&file), Asked::default());
    }
}
