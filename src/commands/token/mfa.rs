//! MFA: asking for a code on the terminal, and how long the session that it buys should last.

use std::io::Write as _;
use std::time::Duration;

use crate::kube::exec::ExecInfo;
use crate::say::secret::Secret;
use crate::sys::terminal;

/// Six digits, good for one call.
pub struct MfaCode(Secret);

impl MfaCode {
    fn parse(line: &str) -> Option<Self> {
        let code = line.trim();
        (code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())).then(|| MfaCode(Secret::new(code)))
    }

    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// How often a code is asked for: a wrong one can be entered again twice.
pub const TRIES: usize = 3;

/// How long a person may take. Those who wait for one to answer wait as long.
pub const PATIENCE: Duration = Duration::from_secs(2 * 60);

/// Whether there is somebody to ask: client-go says so for what it runs, and the terminal has to be free.
pub fn can_ask(exec_info: &ExecInfo) -> bool {
    (!exec_info.from_client_go || exec_info.interactive) && terminal::gives_lines()
}

/// Asks on stderr, because stdout is for the answer to kubectl, and reads a line of stdin. `None` at its end, and where
/// nobody answers.
pub fn ask(question: &str) -> Option<MfaCode> {
    let mut prompt = format!("eks-group-auth: {question}: ");
    for _ in 0..TRIES {
        let mut stderr = std::io::stderr();
        let _ = stderr.write_all(prompt.as_bytes()).and_then(|()| stderr.flush());
        let line = terminal::read_line(PATIENCE)?;
        if let Some(code) = MfaCode::parse(&line) {
            return Some(code);
        }
        prompt = "eks-group-auth: a code has six digits; again: ".into();
    }
    None
}

/// Whether STS says that the code is wrong or used up, not that the role may not be assumed.
pub fn is_wrong_code(message: &str) -> bool {
    message.contains("MultiFactorAuthentication failed with invalid MFA one time pass code")
}

/// What to ask STS for, longest first, so that a code is asked for as seldom as possible: the next one is tried where
/// STS says that this one is too long.
pub fn durations(wished: Option<Duration>) -> Vec<Duration> {
    const HOURS: [u64; 5] = [12, 8, 4, 2, 1];
    let all = HOURS.map(|hours| Duration::from_secs(hours * 3600));
    let longest = wished.unwrap_or(all[0]);
    [longest].into_iter().chain(all.into_iter().filter(|&duration| duration < longest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits() {
        assert_eq!(MfaCode::parse(" 012345\n").map(|code| code.expose().to_owned()).as_deref(), Some("012345"));
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(MfaCode::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_longest_session_is_tried_first() {
        let hours = |wished: Option<u64>| -> Vec<u64> {
            let tried = durations(wished.map(|hours| Duration::from_secs(hours * 3600)));
            tried.into_iter().map(|duration| duration.as_secs() / 3600).collect()
        };
        assert_eq!(hours(None), [12, 8, 4, 2, 1]);
        assert_eq!(hours(Some(3)), [3, 2, 1]);
        assert_eq!(durations(Some(Duration::from_secs(900))), [Duration::from_secs(900)]);
    }
}
