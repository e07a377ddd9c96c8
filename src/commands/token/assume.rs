//! The part of the story that AWS is asked in: from base credentials, over the roles of the profile, to a session of the
//! first candidate that is permitted.

use std::time::Duration;

use super::{Call, Ready, Who, in_words};
use crate::aws::fingerprint::identifying_variables;
use crate::aws::names::{MfaSerial, NameTemplate, RoleArn, SessionDuration, SessionName};
use crate::aws::providers::Aws;
use crate::aws::sts::{Caller, CallerIdentity, SessionWanted};
use crate::cache::entry::{CallerEntry, SessionEntry, SessionState};
use crate::cache::key::Key;
use crate::commands::token::mfa::{self, MfaCode};
use crate::commands::token::request::{CacheMode, RoleRequest, Written};
use crate::kube::presign::Signer;
use crate::say::error::{Command, Error, Refusal, denial_hint, shown, shown_up_to};
use crate::say::words::quoted;
use crate::sys::env::Env;
use crate::sys::vars;

impl Call<'_> {
    /// What signs the token, from AWS, and the session to keep, if it is one.
    pub(super) fn ask(&self, aws: &Aws) -> Result<(Ready, Option<SessionEntry>), Error> {
        let (caller, is_kept) = self.caller_on_the_way(aws, !self.request.refresh)?;
        let Some(role) = &self.request.role else {
            return Ok((Ready { signer: caller.signer(), who: Who::default() }, None));
        };
        match self.assume_role(&caller, role) {
            // The session on the way may have been revoked, or its role's permissions changed.
            Err(error) if is_kept && self.is_worth_a_new_start(&error) => {
                let (caller, _) = self.caller_on_the_way(aws, false)?;
                self.assume_role(&caller, role)
            }
            outcome => outcome,
        }
    }

    /// For a mere denial nobody is asked for another code.
    fn is_worth_a_new_start(&self, error: &Error) -> bool {
        match error {
            Error::Refused { code, .. } => code != "AccessDenied" || !self.may_ask_for_a_code(),
            Error::AllRefused(_) => !self.may_ask_for_a_code(),
            _ => false,
        }
    }

    /// Who assumes the last role: the base credentials' owner, or a session of the profile's role before it, from AWS or,
    /// if that will do, from the cache; and whether it is from there.
    fn caller_on_the_way<'b>(&self, aws: &'b Aws<'b>, from_cache: bool) -> Result<(Caller<'b>, bool), Error> {
        let via = &self.request.via;
        let now = self.clock.now();
        let kept = |role: &RoleRequest| {
            let is_good = |entry: SessionEntry| (entry.state(now) != SessionState::Over).then_some(entry);
            self.cache.load(&self.session_key(role), is_good).filter(|_| from_cache)
        };
        let last_kept = (0..via.len()).rev().find_map(|at| Some((at, kept(&via[at])?)));
        let is_kept = last_kept.is_some();
        let (mut caller, rest) = match last_kept {
            Some((at, entry)) => {
                self.verbose.say(|| format!("a session in the cache, {}", in_words(entry.about())));
                (Caller::new(aws, entry.signer()), at + 1)
            }
            None => {
                let base = aws.base_credentials(self.clock)?;
                self.verbose.say(|| format!("credentials from {}", self.source.name()));
                (Caller::new(aws, Signer { credentials: base, clock_skew: 0 }), 0)
            }
        };
        for role in &via[rest..] {
            let (Ready { signer, .. }, entry) = self.assume_role(&caller, role)?;
            if let Some(entry) = entry.filter(|_| self.is_same_identity()) {
                self.cache.store(&self.session_key(role), &entry);
            }
            caller = Caller::new(aws, signer);
        }
        Ok((caller, is_kept))
    }

    /// A session of the first candidate that STS lets the caller assume; or what the caller has, where that is a
    /// session of the candidate already, which would need a permission of its own to assume it once more.
    fn assume_role(&self, caller: &Caller, role: &RoleRequest) -> Result<(Ready, Option<SessionEntry>), Error> {
        let templates = [role.session_name.as_ref(), role.source_identity.as_ref()];
        let is_named_after_caller =
            role.session_name.is_none() || templates.into_iter().flatten().any(NameTemplate::names_the_caller);
        let has_a_session = caller.credentials().session_token().is_some();
        let is_asked = is_named_after_caller || has_a_session || role.mfa_serial.is_some();
        let identity = if is_asked { Some(self.identity_of(caller)?) } else { None };
        let (user, account) = identity.as_ref().map_or(("", ""), |identity| (identity.name(), identity.account()));
        let fill = |template: &NameTemplate| template.fill(user, account);
        let mut wanted = SessionWanted {
            name: role.session_name.as_ref().map_or_else(|| SessionName::of_caller(user), fill),
            source_identity: role.source_identity.as_ref().map(fill),
            external_id: role.external_id.clone(),
            duration: role.duration.map(SessionDuration::get),
        };
        // Only a user has a device: with a session, MFA was either shown when that began, or cannot be any more. But a
        // profile that asks for it is obeyed, as by the AWS CLI.
        let is_iam_user = identity.as_ref().is_some_and(CallerIdentity::is_iam_user);
        let serial = role.mfa_serial.as_ref().filter(|_| is_iam_user || role.written.mfa_serial_is_of_role);
        let mut mfa = serial.map(|serial| Mfa {
            serial,
            wished: role.duration.map(SessionDuration::get),
            code: None,
            wrong_codes: 0,
        });
        let mut refusals = Vec::new();
        for arn in &role.candidates {
            if identity.as_ref().is_some_and(|identity| identity.has_role(arn)) {
                self.verbose.say(|| format!("the caller has a session of `{arn}` already, which is not assumed again"));
                let signer = caller.signer();
                let who = Who { role: Some(arn.to_string()), session_name: Some(user.to_owned()) };
                return Ok((Ready { signer, who }, None));
            }
            let session = match &mut mfa {
                Some(mfa) => self.assume_with_mfa(caller, arn, &mut wanted, mfa),
                None => caller.assume_role(arn, &wanted, None, self.clock),
            };
            match session {
                Ok(signer) => {
                    self.verbose.say(|| format!("assumed `{arn}` as `{}`", wanted.name));
                    let who = Who { role: Some(arn.to_string()), session_name: Some(wanted.name.to_string()) };
                    let entry = SessionEntry::new(&signer, self.clock.now(), self.about(None, who.clone()));
                    return Ok((Ready { signer, who }, entry));
                }
                Err(Error::Refused { doing, code, message, .. }) => {
                    let is_denied = code == "AccessDenied" && !mfa::is_wrong_code(&message);
                    let refusal = Refusal { hint: hint(role, arn, &code, &message), doing, code, message };
                    if !is_denied {
                        return Err(Error::refused(vec![refusal]));
                    }
                    self.verbose.say(|| format!("may not assume `{arn}`: {}", shown(&refusal.message)));
                    refusals.push(refusal);
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::refused(refusals))
    }

    /// The same with a code, which is asked for once for all candidates, and again where STS says that it is wrong.
    fn assume_with_mfa(
        &self,
        caller: &Caller,
        arn: &RoleArn,
        wanted: &mut SessionWanted,
        mfa: &mut Mfa,
    ) -> Result<Signer, Error> {
        let mut durations = mfa::durations(mfa.wished);
        loop {
            let (code, was_shown) = match mfa.code.take() {
                Some(code) => (code, true),
                None => (self.ask_for_code(caller, mfa)?, false),
            };
            wanted.duration = durations.first().copied();
            let session = caller.assume_role(arn, wanted, Some((mfa.serial, &code)), self.clock);
            let Err(Error::Refused { code: refusal, message, .. }) = &session else { return session };
            if mfa::is_wrong_code(message) {
                // One that STS saw before, with a duration or a role that it refused, may be used up.
                mfa.wrong_codes += usize::from(!was_shown);
                if mfa.wrong_codes == mfa::TRIES {
                    return session;
                }
            } else {
                mfa.code = Some(code);
                if refusal != "ValidationError" || !message.contains("DurationSeconds") || durations.len() == 1 {
                    return session;
                }
                durations.remove(0);
            }
        }
    }

    fn ask_for_code(&self, caller: &Caller, mfa: &Mfa) -> Result<MfaCode, Error> {
        let needs_code = || Error::NeedsMfa { serial: mfa.serial.to_string(), command: self.command() };
        if !mfa::can_ask(self.exec_info) {
            return Err(needs_code());
        }
        let question = match mfa.wrong_codes {
            0 => format!("MFA code of {}", shown(mfa.serial.as_str())),
            _ => "STS did not take that code; wait for the next one and enter it".into(),
        };
        let code = mfa::ask(&question).ok_or_else(needs_code)?;
        caller.restart_deadline();
        Ok(code)
    }

    /// What to type in a terminal for the same session: what was typed, and what of the environment decides whose it is. The
    /// token itself is of no use there.
    fn command(&self) -> Command {
        // The only values that are shown: the others may be secrets.
        const SHOWN: [&str; 6] = [
            vars::AWS_PROFILE,
            vars::AWS_DEFAULT_PROFILE,
            vars::AWS_CONFIG_FILE,
            vars::AWS_SHARED_CREDENTIALS_FILE,
            vars::AWS_ROLE_ARN,
            vars::AWS_REGION,
        ];
        let shown = SHOWN.iter().filter_map(|name| Some((*name, self.env.get(name)?)));
        let ours =
            self.env.starting_with(vars::OWN_PREFIX).filter_map(|(name, value)| name.to_str().zip(value.to_str()));
        let mut line = String::new();
        for (name, value) in shown.chain(ours) {
            line += &format!("{name}={} ", quoted(value));
        }
        let argv = Env::argv();
        let program = argv.first().filter(|program| program.contains('/')).map_or("eks-group-auth", String::as_str);
        line += &quoted(program);
        for word in argv.iter().skip(1) {
            line += &format!(" {}", quoted(word));
        }
        if !argv.iter().any(|word| word.starts_with("--region")) {
            line += &format!(" --region {}", self.request.endpoint.region);
        }
        let names = identifying_variables(self.env).map(|(name, _)| name.to_string_lossy().into_owned());
        let mut in_a_shell_with: Vec<String> = names.filter(|name| !SHOWN.contains(&name.as_str())).collect();
        if self.source.process().is_some() {
            in_a_shell_with.push("all else that `env` of the exec block sets".into());
        }
        let serves_only_itself = if self.request.cache == CacheMode::Off {
            Some("nothing is kept with `--cache off` or EKS_GROUP_AUTH_CACHE=off")
        } else if self.request.refresh {
            Some("what is kept is passed over with `--refresh`")
        } else if !self.cache.can_keep() {
            Some("nothing is kept, because no cache directory can be used")
        } else {
            None
        };
        Command { line: line + " >/dev/null", in_a_shell_with, serves_only_itself }
    }

    /// Who this is: remembered per access key, else asked.
    fn identity_of(&self, caller: &Caller) -> Result<CallerIdentity, Error> {
        let key = Key::caller(&self.identity, &self.request.endpoint, caller.credentials().access_key_id());
        let now = self.clock.now();
        let known = self
            .cache
            .load(&key, |entry: CallerEntry| entry.is_fresh(now).then(|| CallerIdentity::parse(&entry.arn))?);
        if let Some(identity) = known.filter(|_| !self.request.refresh) {
            return Ok(identity);
        }
        let identity = caller.identity()?;
        self.verbose.say(|| format!("the caller is {}", shown(identity.arn())));
        let about = self.about(None, Who::default());
        self.cache.store(&key, &CallerEntry::new(identity.arn().to_owned(), now, about));
        Ok(identity)
    }
}

/// What of MFA lasts from one candidate to the next.
struct Mfa<'a> {
    serial: &'a MfaSerial,
    wished: Option<Duration>,
    /// The last one that STS did not call wrong.
    code: Option<MfaCode>,
    wrong_codes: usize,
}

/// What to do about a refusal, where that depends on how the role was asked for.
fn hint(role: &RoleRequest, arn: &RoleArn, code: &str, message: &str) -> Option<String> {
    let Written { profile, duration, unused_mfa_serial, .. } = &role.written;
    match (code, duration, profile.as_ref().zip(unused_mfa_serial.as_ref())) {
        ("ValidationError", Some(place), _) if message.contains("DurationSeconds") => Some(format!(
            "lower {}: to the role's maximum, or to 3600 where the role starts from a session, as with SSO or a web identity",
            shown_up_to(place, 600)
        )),
        ("AccessDenied", _, Some((profile, place))) => Some(format!(
            "if the role asks for MFA, add `mfa_serial` to profile `{}`: {} does not count for its role; otherwise, {}",
            shown(profile),
            shown_up_to(place, 600),
            denial_hint(message, arn.as_str())
        )),
        _ => None,
    }
}
