//! MFA: asking for a code on the terminal, and how long a session to request.

use std::time::Duration;

use crate::aws::error::Error as AwsError;
use crate::aws::names::{MfaCode, MfaSerial, RoleArn, SessionDuration};
use crate::aws::refusal::Reason;
use crate::aws::role::RoleRequest;
use crate::aws::signer::Signer;
use crate::aws::sts::{Caller, SessionParams};
use crate::commands::error::Error;
use crate::kube::exec::ExecInfo;
use crate::say::Say;
use crate::say::text::shown;
use crate::sys::terminal;

/// How many times a code is asked for: after a wrong one, the user can try twice more.
const TRIES: usize = 3;

/// How long the user may take to answer. Processes that wait for the answer wait just as long.
pub const PROMPT_TIMEOUT: Duration = Duration::from_secs(2 * 60);

/// MFA state that is kept from one candidate to the next.
pub struct Mfa<'a> {
    serial: &'a MfaSerial,
    requested_duration: Option<Duration>,
    /// The last code that STS did not reject as wrong.
    code: Option<MfaCode>,
    wrong_codes: usize,
}

impl<'a> Mfa<'a> {
    /// `None` if no code is needed. Only a user has a device: for a session, MFA was either given when the session
    /// began or can no longer be given. But a profile that asks for MFA is obeyed, as in the AWS CLI.
    pub fn required(role: &'a RoleRequest, is_iam_user: bool) -> Option<Self> {
        let serial = role.mfa_serial.as_ref().filter(|_| is_iam_user || role.origin.profile_sets_mfa_serial)?;
        Some(Mfa { serial, requested_duration: role.duration.map(SessionDuration::get), code: None, wrong_codes: 0 })
    }

    pub fn serial(&self) -> &MfaSerial {
        self.serial
    }

    /// Assumes a role with a code, which is asked for once for all candidates, and again if STS says it is wrong.
    pub fn assume_role(
        &mut self,
        caller: &Caller,
        arn: &RoleArn,
        wanted: &mut SessionParams,
        new_code: impl Fn(&Self) -> Result<MfaCode, Error>,
    ) -> Result<Signer, Error> {
        let mut durations = durations(self.requested_duration);
        loop {
            let (code, was_shown) = match self.code.take() {
                Some(code) => (code, true),
                None => (new_code(self)?, false),
            };
            wanted.duration = durations.first().copied();
            let session = caller.assume_role(arn, wanted, Some((self.serial, &code)));
            let Err(AwsError::Refused(refusal)) = &session else { return Ok(session?) };
            if refusal.reason == Reason::WrongMfaCode {
                // A code that STS already saw in a refused request may be used up.
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

    /// Prompts on stderr, because stdout is for kubectl, and reads a line from stdin. `None` if there is no one to ask,
    /// at the end of stdin, or if no one answers. For plugins it runs, client-go says whether there is a user.
    pub fn prompt(&self, exec_info: &ExecInfo, say: &Say) -> Option<MfaCode> {
        if (exec_info.from_client_go && !exec_info.interactive) || !terminal::is_line_mode() {
            return None;
        }
        match self.wrong_codes {
            0 => say.prompt(&format!("MFA code for {}", shown(self.serial.as_str()))),
            _ => say.prompt("STS rejected that code; wait for the next one and enter it"),
        }
        for _ in 0..TRIES {
            if let Some(code) = MfaCode::parse(&terminal::read_line(PROMPT_TIMEOUT)?) {
                return Some(code);
            }
            say.prompt("a code has six digits; try again");
        }
        None
    }
}

/// The durations to request from STS, longest first, to ask for a code as rarely as possible. If STS says that one is
/// too long, the next is tried.
fn durations(requested_duration: Option<Duration>) -> Vec<Duration> {
    const HOURS: [u64; 5] = [12, 8, 4, 2, 1];
    let all = HOURS.map(|hours| Duration::from_secs(hours * 3600));
    let longest = requested_duration.unwrap_or(all[0]);
    [longest].into_iter().chain(all.into_iter().filter(|&duration| duration < longest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_duration_is_tried_first() {
        let hours = |requested_duration: Option<u64>| -> Vec<u64> {
            let tried = durations(requested_duration.map(|hours| Duration::from_secs(hours * 3600)));
            tried.into_iter().map(|duration| duration.as_secs() / 3600).collect()
        };
        assert_eq!(hours(None), [12, 8, 4, 2, 1]);
        assert_eq!(hours(Some(3)), [3, 2, 1]);
        assert_eq!(durations(Some(Duration::from_secs(900))), [Duration::from_secs(900)]);
    }
}
