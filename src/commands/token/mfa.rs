//! MFA: asking for a code on the terminal, what to type where nobody can be asked, and how long the session that a code
//! buys should last.

use std::time::Duration;

use crate::aws::error::Error as AwsError;
use crate::aws::fingerprint::identifying_variables;
use crate::aws::names::{MfaCode, MfaSerial, RoleArn, SessionDuration};
use crate::aws::refusal::Reason;
use crate::aws::role::RoleRequest;
use crate::aws::signer::Signer;
use crate::aws::sts::{Caller, SessionWanted};
use crate::cache::policy::CacheMode;
use crate::commands::error::{Command, Error};
use crate::commands::token::ask::Ask;
use crate::commands::token::entries::Entries;
use crate::commands::world::World;
use crate::kube::exec::ExecInfo;
use crate::say::Say;
use crate::say::text::shown;
use crate::say::words::quoted;
use crate::sys::{terminal, this_process, vars};

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

/// What to type in a terminal for the same session: what was typed, and what of the environment decides whose it is. The
/// token itself is of no use there.
pub fn code_command(ask: &Ask, world: &World, entries: &Entries) -> Command {
    // The only values that are shown: the others may be secrets.
    const SHOWN: [&str; 6] = [
        vars::AWS_PROFILE,
        vars::AWS_DEFAULT_PROFILE,
        vars::AWS_CONFIG_FILE,
        vars::AWS_SHARED_CREDENTIALS_FILE,
        vars::AWS_ROLE_ARN,
        vars::AWS_REGION,
    ];
    let shown = SHOWN.iter().filter_map(|name| Some((*name, world.env.get(name)?)));
    let ours = world.env.starting_with(vars::OWN_PREFIX).filter_map(|(name, value)| name.to_str().zip(value.to_str()));
    let mut line = String::new();
    for (name, value) in shown.chain(ours) {
        line += &format!("{name}={} ", quoted(value));
    }
    let arguments = this_process::arguments();
    let argv: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    let program = argv.first().filter(|program| program.contains('/')).map_or("eks-group-auth", |program| program);
    line += &quoted(program);
    for word in argv.iter().skip(1) {
        line += &format!(" {}", quoted(word));
    }
    if !argv.iter().any(|word| word.starts_with("--region")) {
        line += &format!(" --region {}", ask.endpoint.region);
    }
    let names = identifying_variables(&world.env).map(|(name, _)| name.to_string_lossy().into_owned());
    let mut in_a_shell_with: Vec<String> = names.filter(|name| !SHOWN.contains(&name.as_str())).collect();
    if ask.source.process().is_some() {
        in_a_shell_with.push("all else that `env` of the exec block sets".into());
    }
    let serves_only_itself = if ask.cache == CacheMode::Off {
        Some("nothing is kept with `--cache off` or EKS_GROUP_AUTH_CACHE=off")
    } else if ask.refresh {
        Some("what is kept is passed over with `--refresh`")
    } else if !entries.can_keep() {
        Some("nothing is kept, because no cache directory can be used")
    } else {
        None
    };
    Command { line: line + " >/dev/null", in_a_shell_with, serves_only_itself }
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
