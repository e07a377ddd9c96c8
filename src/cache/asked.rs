//! Detects whether client-go asks again because the cluster refused the token. After a 401, client-go runs the plugin
//! again with an identical environment and does not say why; a cache that returned the same token would lock the user
//! out until that token expires. So for each token entry, the cache records which processes were given which token: a
//! process that would get the same token twice was probably refused.
//!
//! The file is written in place: it is only a hint, and a torn one is ignored. Pure. A process that keeps reloading its
//! kubeconfig looks like a refusal; it costs a signature, and at most one role session per minute.

use crate::cache::policy::REFUSAL_WINDOW;

/// The maximum size of such a file.
pub const MAX_LEN: usize = 2048;

/// How many processes are remembered: enough for `kubectl` run in parallel.
const SLOTS: usize = 16;

/// One process that was given a token. Times are whole seconds since 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Handout {
    process: u32,
    at: u64,
    /// When the token was signed, which distinguishes it from earlier and later tokens.
    signed_at: u64,
    /// Whether a repeated request was already excused once.
    excused: bool,
}

/// The tokens handed out recently, latest first, and the suspected refusals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestLog {
    refusals: u64,
    refused_at: u64,
    said_at: u64,
    given: Vec<Handout>,
}

/// What to do with the token in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Serve,
    /// The cluster may have refused it: sign a new one with the same session.
    SignAgain,
    /// The cluster may have refused that one too: its session may have been revoked. `say`: warn the user, if there was
    /// no warning recently.
    AssumeAgain {
        say: bool,
    },
}

impl RequestLog {
    /// Decides whether to give `process` the token signed at `signed_at`. `is_another` tells whether its process id
    /// belonged to another process at a time in the past, `may_repeat` whether it is the kind of process that may ask a
    /// second time.
    pub fn judge(
        &mut self,
        process: u32,
        signed_at: u64,
        now: u64,
        is_another: impl Fn(u64) -> bool,
        may_repeat: impl Fn() -> bool,
    ) -> Verdict {
        let before = self.given.iter_mut().find(|given| given.process == process && given.signed_at == signed_at);
        let Some(before) = before.filter(|given| !is_another(given.at)) else {
            self.record(process, signed_at, now);
            return Verdict::Serve;
        };
        if !before.excused && may_repeat() {
            before.excused = true;
            return Verdict::Serve;
        }
        let is_recent = |then: u64| then <= now && now - then < REFUSAL_WINDOW.as_secs();
        self.refusals = if is_recent(self.refused_at) { self.refusals.saturating_add(1) } else { 1 };
        self.refused_at = now;
        if self.refusals == 1 {
            return Verdict::SignAgain;
        }
        let say = !is_recent(self.said_at);
        if say {
            self.said_at = now;
        }
        Verdict::AssumeAgain { say }
    }

    /// Records that `process` is given a new token.
    pub fn record(&mut self, process: u32, signed_at: u64, now: u64) {
        self.given.retain(|given| given.process != process);
        self.given.insert(0, Handout { process, at: now, signed_at, excused: false });
        self.given.truncate(SLOTS);
    }

    /// `None` for anything that [`RequestLog::render`] did not write.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (text, _) = text.split_once('\0').unwrap_or((text, ""));
        let mut lines = text.strip_suffix('\n')?.lines();
        let numbers = |line: &str| line.split(' ').map(|number| number.parse().ok()).collect::<Option<Vec<u64>>>();
        let &[refusals, refused_at, said_at] = numbers(lines.next()?)?.as_slice() else { return None };
        let given = lines.map(|line| match numbers(line)?.as_slice() {
            &[process, at, signed_at, excused] => {
                Some(Handout { process: process.try_into().ok()?, at, signed_at, excused: excused != 0 })
            }
            _ => None,
        });
        Some(RequestLog { refusals, refused_at, said_at, given: given.collect::<Option<_>>()? })
    }

    pub fn render(&self) -> String {
        let mut text = format!("{} {} {}\n", self.refusals, self.refused_at, self.said_at);
        for Handout { process, at, signed_at, excused } in &self.given {
            text += &format!("{process} {at} {signed_at} {}\n", u8::from(*excused));
        }
        // The previous contents may be longer.
        text.push('\0');
        text
    }
}

/// Whether a process with these arguments asks twice without having been refused. Like every command that reads its
/// manifest from stdin, `kubectl apply -f -` builds a second client, whose stdin is in use, and that client asks for
/// its own token.
pub fn reads_stdin(arguments: &[Vec<u8>]) -> bool {
    arguments.iter().any(|argument| argument == b"-" || argument == b"-f-" || argument.ends_with(b"=-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl RequestLog {
        fn ask(&mut self, process: u32, signed_at: u64, now: u64) -> Verdict {
            self.judge(process, signed_at, now, |_| false, || false)
        }
    }

    #[test]
    fn a_repeated_request_for_the_same_token_escalates() {
        let mut asked = RequestLog::default();
        assert_eq!(asked.ask(7, 100, 1000), Verdict::Serve);
        assert_eq!(asked.ask(7, 100, 1001), Verdict::SignAgain);
        asked.record(7, 1001, 1001);
        assert_eq!(asked.ask(7, 1001, 1002), Verdict::AssumeAgain { say: true });
        asked.record(7, 1002, 1002);
        assert_eq!(asked.ask(7, 1002, 1003), Verdict::AssumeAgain { say: false });
        assert_eq!(asked.ask(8, 1002, 1004), Verdict::Serve, "the next kubectl");
        assert_eq!(asked.ask(8, 1002, 1005), Verdict::AssumeAgain { say: false }, "the series goes on");
        assert_eq!(asked.ask(8, 1002, 1005 + REFUSAL_WINDOW.as_secs()), Verdict::SignAgain, "and ends");
    }

    #[test]
    fn alternating_processes_are_distinguished() {
        let mut asked = RequestLog::default();
        for process in 1..=10 {
            assert_eq!(asked.ask(process, 100, 1000), Verdict::Serve);
        }
        assert_eq!(asked.ask(3, 100, 1001), Verdict::SignAgain);
        assert_eq!(asked.ask(4, 101, 1001), Verdict::Serve, "another token by now");
    }

    #[test]
    fn one_repeated_request_per_token_is_excused() {
        let mut asked = RequestLog::default();
        let verdicts: Vec<Verdict> =
            (0..3).map(|second| asked.judge(7, 100, 1000 + second, |_| false, || true)).collect();
        assert_eq!(verdicts, [Verdict::Serve, Verdict::Serve, Verdict::SignAgain]);
    }

    #[test]
    fn a_reused_process_id_is_not_a_repeat() {
        let mut asked = RequestLog::default();
        asked.ask(1, 100, 1000);
        assert_eq!(asked.judge(1, 100, 1010, |then| then == 1000, || false), Verdict::Serve);
    }

    #[test]
    fn the_file_round_trips_and_damage_is_ignored() {
        let mut asked = RequestLog::default();
        for process in 0..40 {
            asked.record(u32::MAX - process, u64::MAX, u64::MAX);
        }
        let longer = asked.render();
        assert!(longer.len() <= MAX_LEN);
        assert_eq!(RequestLog::parse(longer.as_bytes()), Some(asked.clone()));
        asked.given.truncate(1);
        let shorter = asked.render();
        let over_it = format!("{shorter}{}", &longer[shorter.len()..]);
        assert_eq!(RequestLog::parse(over_it.as_bytes()), Some(asked), "nothing of the longer text is left");
        for damaged in ["", "1 2\n", "1 2 3", "1 2 x\n", "1 2 3\n4 5 6\n", "1 2 3\n4294967296 1 1 0\n"] {
            assert_eq!(RequestLog::parse(damaged.as_bytes()), None, "{damaged:?}");
        }
        assert_eq!(RequestLog::parse(b"1 2 \xff\n"), None);
    }

    #[test]
    fn reading_stdin_is_detected_from_the_arguments() {
        let reads = |line: &str| {
            let arguments: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
            reads_stdin(&arguments)
        };
        for line in ["kubectl apply -f -", "kubectl apply -f-", "kubectl apply --filename=-"] {
            assert!(reads(line), "{line}");
        }
        assert!(!reads("kubectl apply -f x.yaml") && !reads("kubectl get --output=json-"));
    }
}
