//! The part of the story that AWS is asked in: from base credentials, over the roles of the profile, to a session of the
//! first candidate that is permitted.

use std::time::Duration;

use super::{Call, Ready, Who, in_words};
use crate::cache::entry::{CallerEntry, SessionEntry, SessionState};
use crate::cache::key::Key;
use crate::credentials::Aws;
use crate::error::{Error, Refusal, shown};
use crate::mfa::{self, MfaCode};
use crate::names::{MfaSerial, NameTemplate, RoleArn, SessionName};
use crate::presign::Signer;
use crate::request::RoleRequest;
use crate::sts::{Caller, CallerIdentity, SessionWanted};

impl Call<'_> {
    /// Who assumes the last role: the base credentials' owner, or a session of the profile's role before it, from the
    /// cache or from AWS.
    pub(super) fn caller_on_the_way<'b>(&self, aws: &'b Aws) -> Result<Caller<'b>, Error> {
        let via = &self.request.via;
        let now = (self.clock)();
        let kept = |role: &RoleRequest| {
            let is_good = |entry: SessionEntry| (entry.state(now) == SessionState::Fresh).then_some(entry);
            self.cache.load(&self.session_key(role), is_good).filter(|_| !self.request.refresh)
        };
        let last_kept = (0..via.len()).rev().find_map(|at| Some((at, kept(&via[at])?)));
        let (mut caller, rest) = match last_kept {
            Some((at, entry)) => {
                self.verbose.say(|| format!("a session in the cache, {}", in_words(entry.about())));
                (Caller::new(aws, entry.signer().credentials), at + 1)
            }
            None => {
                let base = aws.base_credentials(self.clock)?;
                self.verbose.say(|| format!("credentials from {}", shown(aws.source())));
                (Caller::new(aws, base), 0)
            }
        };
        for role in &via[rest..] {
            let (Ready { signer, .. }, entry) = self.assume_role(&caller, role)?;
            if let Some(entry) = entry.filter(|_| self.is_same_identity()) {
                self.cache.store(&self.session_key(role), &entry);
            }
            caller = Caller::new(aws, signer.credentials);
        }
        Ok(caller)
    }

    /// A session of the first candidate that STS lets the caller assume; or what the caller has, where that is a
    /// session of the candidate already, which would need a permission of its own to assume it once more.
    pub(super) fn assume_role(
        &self,
        caller: &Caller,
        role: &RoleRequest,
    ) -> Result<(Ready, Option<SessionEntry>), Error> {
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
            duration: role.duration,
        };
        let mut mfa = role.mfa_serial.as_ref().map(|serial| Mfa {
            serial,
            code: None,
            durations: mfa::durations(role.duration, identity.as_ref().is_some_and(CallerIdentity::is_iam_user)),
        });
        let mut refusals = Vec::new();
        for arn in &role.candidates {
            if identity.as_ref().is_some_and(|identity| identity.has_role(arn)) {
                self.verbose.say(|| format!("the caller has a session of `{arn}` already, which is not assumed again"));
                let signer = Signer { credentials: caller.credentials().clone(), clock_skew: 0 };
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
                    let entry = SessionEntry::new(&signer, (self.clock)(), self.about(None, who.clone()));
                    return Ok((Ready { signer, who }, entry));
                }
                Err(Error::Refused { doing, code, message }) if code == "AccessDenied" => {
                    self.verbose.say(|| format!("may not assume `{arn}`: {}", shown(&message)));
                    refusals.push(Refusal { doing, code, message });
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
        let mut tries = 0;
        loop {
            let code = match mfa.code.take() {
                Some(code) => code,
                None => self.ask_for_code(caller, mfa.serial, tries)?,
            };
            tries += 1;
            wanted.duration = mfa.durations.first().copied().flatten();
            let session = caller.assume_role(arn, wanted, Some((mfa.serial, &code)), self.clock);
            match session {
                Err(Error::Refused { code: ref wrong, ref message, .. })
                    if wrong == "ValidationError" && message.contains("DurationSeconds") && mfa.durations.len() > 1 =>
                {
                    mfa.durations.remove(0);
                    mfa.code = Some(code);
                    tries -= 1;
                }
                Err(Error::Refused { ref message, .. }) if mfa::is_wrong_code(message) && tries < mfa::TRIES => {
                    self.verbose.say(|| "STS did not take the code".into());
                }
                session => {
                    mfa.code = Some(code);
                    return session;
                }
            }
        }
    }

    fn ask_for_code(&self, caller: &Caller, serial: &MfaSerial, tries: usize) -> Result<MfaCode, Error> {
        let needs_code = || Error::NeedsMfa { serial: serial.to_string(), command: self.command_line() };
        if !mfa::can_ask(self.exec_info) {
            return Err(needs_code());
        }
        let question = match tries {
            0 => format!("MFA code of {}", shown(serial.as_str())),
            _ => "STS did not take that code; wait for the next one and enter it".into(),
        };
        let code = mfa::ask(&question).ok_or_else(needs_code)?;
        caller.restart_deadline();
        Ok(code)
    }

    /// What to type in a terminal for the same session: what was typed, quoted.
    fn command_line(&self) -> String {
        let profile = self.env.get("AWS_PROFILE").map(|profile| format!("AWS_PROFILE={} ", quoted(profile)));
        let words: Vec<String> = std::env::args().skip(1).map(|word| quoted(&word)).collect();
        format!("{}eks-group-auth {}", profile.unwrap_or_default(), words.join(" "))
    }

    /// Who the base credentials belong to: remembered per access key, else asked.
    fn identity_of(&self, caller: &Caller) -> Result<CallerIdentity, Error> {
        let key = Key::caller(&self.identity, &self.request.endpoint, caller.credentials().access_key_id());
        let now = (self.clock)();
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

/// What of MFA changes from one candidate to the next.
struct Mfa<'a> {
    serial: &'a MfaSerial,
    /// Asked for once, and good for the candidate after one that is not permitted.
    code: Option<MfaCode>,
    durations: Vec<Option<Duration>>,
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
