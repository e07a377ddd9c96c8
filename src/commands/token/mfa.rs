//! MFA: asking for a code on the terminal, and how long the session that it buys should last.

use std::time::Duration;

use crate::aws::error::Error as AwsError;
use crate::aws::names::{MfaCode, MfaSerial, RoleArn, SessionDuration};
use crate::aws::refusal::Reason;
use crate::aws::role::RoleRequest;
use crate::aws::signer::Signer;
use crate::aws::sts::{Caller, SessionWanted};
use crate::commands::error::Error;
use crate::kube::exec::ExecInfo;
use crate::say::Say;
use crate::say::text::shown;
use crate::sys::terminal;

/// How often a code is asked for: a wrong one can be entered again twice.
const TRIES: usize = 3;

/// How long a person may take. Those who wait for one to answer wait as long.
pub const PATIENCE: Duration = Duration::from_secs(2 * 60);

/// What of MFA lasts from one candidate to the next.
pub struct Mfa<'a> {
    serial: &'a MfaSerial,
    wished: Option<Duration>,
    /// The last one that STS did not call wrong.
    code: Option<MfaCode>,
    wrong_codes: usize,
}

impl<'a> Mfa<'a> {
    /// `None` where no code is asked for. Only a user has a device: with a session, MFA was either shown when that began,
    /// or cannot be any more. But a profile that asks for it is obeyed, as by the AWS CLI.
    pub fn wanted(role: &'a RoleRequest, is_iam_user: bool) -> Option<Self> {
        let serial = role.mfa_serial.as_ref().filter(|_| is_iam_user || role.written.mfa_serial_is_of_role)?;
        Some(Mfa { serial, wished: role.duration.map(SessionDuration::get), code: None, wrong_codes: 0 })
    }

    pub fn serial(&self) -> &MfaSerial {
        self.serial
    }

    /// A session of a role for a code, which is asked for once for all candidates, and again where STS says that it is
    /// wrong.
    pub fn assume_role(
        &mut self,
        caller: &Caller,
        arn: &RoleArn,
        wanted: &mut SessionWanted,
        new_code: impl Fn(&Self) -> Result<MfaCode, Error>,
    ) -> Result<Signer, Error> {
        let mut durations = durations(self.wished);
        loop {
            let (code, was_shown) = match self.code.take() {
                Some(code) => (code, true),
                None => (new_code(self)?, false),
            };
            wanted.duration = durations.first().copied();
            let session = caller.assume_role(arn, wanted, Some((self.serial, &code)));
            let Err(AwsError::Refused(refusal)) = &session else { return Ok(session?) };
            if refusal.reason == Reason::WrongMfaCode {
                // One that STS saw before, with a duration or a role that it refused, may be used up.
                self.wrong_codes += usize::from(!was_shown);
                if self.wrong_codes == TRIES {
                    return Ok(session?);
                }
            } else {
                self.code = Some(code);
                if refusal.reason != Reason::TooLong || durations.len() == 1 {
                    return Ok(session?);
                }
                durations.remove(0);
            }
        }
    }

    /// Asks on stderr, because stdout is for the answer to kubectl, and reads a line of stdin. `None` where there is nobody
    /// to ask, at the end of stdin, and where nobody answers. client-go says whether there is somebody, for what it runs.
    pub fn ask(&self, exec_info: &ExecInfo, say: &Say) -> Option<MfaCode> {
        if (exec_info.from_client_go && !exec_info.interactive) || !terminal::gives_lines() {
            return None;
        }
        match self.wrong_codes {
            0 => say.prompt(&format!("MFA code of {}", shown(self.serial.as_str()))),
            _ => say.prompt("STS did not take that code; wait for the next one and enter it"),
        }
        for _ in 0..TRIES {
            if let Some(code) = MfaCode::parse(&terminal::read_line(PATIENCE)?) {
                return Some(code);
            }
            say.prompt("a code has six digits; again");
        }
        None
    }
}

/// What to ask STS for, longest first, so that a code is asked for as seldom as possible: the next one is tried where
/// STS says that this one is too long.
fn durations(wished: Option<Duration>) -> Vec<Duration> {
    const HOURS: [u64; 5] = [12, 8, 4, 2, 1];
    let all = HOURS.map(|hours| Duration::from_secs(hours * 3600));
    let longest = wished.unwrap_or(all[0]);
    [longest].into_iter().chain(all.into_iter().filter(|&duration| duration < longest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
