//! MFA: asking for a code on the terminal, and how long the session that it buys should last.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use crate::exec_credential::ExecInfo;
use crate::secret::Secret;

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

/// Whether there is somebody to ask: client-go says so for what it runs, and stdin has to be a terminal.
pub fn can_ask(exec_info: &ExecInfo) -> bool {
    (!exec_info.from_client_go || exec_info.interactive) && std::io::stdin().is_terminal()
}

/// Asks on stderr, because stdout is for the answer to kubectl, and reads a line of stdin. `None` at its end.
pub fn ask(question: &str) -> Option<MfaCode> {
    let mut prompt = format!("eks-group-auth: {question}: ");
    for _ in 0..TRIES {
        let mut stderr = std::io::stderr();
        let _ = stderr.write_all(prompt.as_bytes()).and_then(|()| stderr.flush());
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line).ok()? == 0 {
            return None;
        }
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
pub fn durations(wished: Option<Duration>, is_iam_user: bool) -> Vec<Option<Duration>> {
    const HOURS: [u64; 5] = [12, 8, 4, 2, 1];
    let longest = wished.unwrap_or(Duration::from_secs(if is_iam_user { 12 * 3600 } else { 3600 }));
    let shorter = HOURS.iter().map(|hours| Duration::from_secs(hours * 3600)).filter(|&duration| duration < longest);
    [longest].into_iter().chain(shorter).map(Some).collect()
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
        let hours = |wished: Option<u64>, is_user| -> Vec<u64> {
            let tried = durations(wished.map(|hours| Duration::from_secs(hours * 3600)), is_user);
            tried.into_iter().map(|duration| duration.expect("one").as_secs() / 3600).collect()
        };
        assert_eq!(hours(None, true), [12, 8, 4, 2, 1]);
        assert_eq!(hours(None, false), [1]);
        assert_eq!(hours(Some(3), true), [3, 2, 1]);
    }
}
