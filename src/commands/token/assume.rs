//! The calls to AWS: from the base credentials, through the profile's roles, to a session of the first permitted
//! candidate.

use crate::aws::caller_identity::CallerIdentity;
use crate::aws::connection::Connection;
use crate::aws::error::Error as AwsError;
use crate::aws::names::{MfaCode, NameTemplate, RoleArn, SessionDuration, SessionName};
use crate::aws::providers::{Provider, base_credentials};
use crate::aws::refusal::{Reason, Refusal};
use crate::aws::role::{RoleOrigin, RoleRequest};
use crate::aws::signer::Signer;
use crate::aws::sts::{Caller, SessionParams};
use crate::cache::entry::SessionEntry;
use crate::cache::policy::SessionState;
use crate::commands::error::Error;
use crate::commands::token::ask::Ask;
use crate::commands::token::code_command::code_command;
use crate::commands::token::entries::Entries;
use crate::commands::token::mfa::Mfa;
use crate::commands::token::session::{Session, SessionIdentity};
use crate::commands::world::World;
use crate::kube::token::MARGIN;
use crate::say::Say;
use crate::say::text::{shown, shown_up_to};

/// The role chain from the caller's own credentials to a session of the last role.
pub struct Chain<'a> {
    pub ask: &'a Ask<'a>,
    pub world: &'a World,
    pub entries: &'a Entries<'a>,
    pub connection: &'a Connection,
    pub provider: &'a Provider<'a>,
    pub say: &'a Say,
}

impl<'a> Chain<'a> {
    /// The session that signs the token.
    pub fn session(&self) -> Result<Session, Error> {
        let (caller, is_cached) = self.intermediate_caller(!self.ask.refresh)?;
        let Some(role) = &self.ask.roles.last else {
            return Ok(Session { signer: caller.signer(), identity: SessionIdentity::default(), to_store: None });
        };
        match self.assume_role(&caller, role) {
            // The cached intermediate session may have been revoked, or its role's permissions may have changed.
            Err(error) if is_cached && self.should_restart_chain(&error) => {
                let (caller, _) = self.intermediate_caller(false)?;
                self.assume_role(&caller, role)
            }
            outcome => outcome,
        }
    }

    /// A plain denial is not worth asking the user for another MFA code.
    fn should_restart_chain(&self, error: &Error) -> bool {
        let is_mere_denial = match error {
            Error::Aws(AwsError::Refused(refusal)) => {
                matches!(refusal.reason, Reason::Denied(_) | Reason::WrongMfaCode)
            }
            Error::AllRefused(_) => true,
            _ => return false,
        };
        !is_mere_denial || !self.ask.may_prompt_for_mfa()
    }

    /// Returns the caller that assumes the last role (the owner of the base credentials, or a session of the preceding
    /// profile role, from the cache if allowed or else from AWS), and whether it came from the cache.
    fn intermediate_caller(&self, from_cache: bool) -> Result<(Caller<'a>, bool), Error> {
        let via = &self.ask.roles.via;
        let now = self.world.clock.now();
        let kept = |role: &RoleRequest| {
            let is_good = |entry: SessionEntry| (entry.state(now) != SessionState::Expired).then_some(entry);
            self.entries.session(role, is_good).filter(|_| from_cache)
        };
        let last_kept = (0..via.len()).rev().find_map(|at| Some((at, kept(&via[at])?)));
        let is_cached = last_kept.is_some();
        let (mut caller, rest) = match last_kept {
            Some((at, entry)) => {
                self.say.step(|| format!("found a cached session {}", entry.about().summary()));
                (Caller::new(self.connection, entry.signer()), at + 1)
            }
            None => {
                let credentials = base_credentials(self.provider, MARGIN)?;
                self.say.step(|| format!("got credentials from {}", self.ask.source.name()));
                (Caller::new(self.connection, Signer { credentials, clock_skew: 0 }), 0)
            }
        };
        for role in &via[rest..] {
            let Session { signer, to_store, .. } = self.assume_role(&caller, role)?;
            if let Some(entry) = to_store.filter(|_| self.entries.is_login_unchanged()) {
                self.entries.store_session(role, &entry);
            }
            caller = Caller::new(self.connection, signer);
        }
        Ok((caller, is_cached))
    }

    /// Returns a session of the first candidate that STS lets the caller assume, or the caller's own credentials if
    /// they already are a session of a candidate: a role needs an extra permission to assume itself again.
    fn assume_role(&self, caller: &Caller, role: &RoleRequest) -> Result<Session, Error> {
        let identity = self.identity_for(caller, role)?;
        let (user, account) = identity.as_ref().map_or(("", ""), |identity| (identity.name(), identity.account()));
        let mut wanted = session_params(role, user, account);
        let is_iam_user = identity.as_ref().is_some_and(CallerIdentity::is_iam_user);
        let mut mfa = Mfa::required(role, is_iam_user);
        let mut refusals = Vec::new();
        for arn in &role.candidates {
            if identity.as_ref().is_some_and(|identity| identity.is_session_of(arn)) {
                self.say.step(|| format!("the caller already has a session of `{arn}`: not assuming it again"));
                let identity = SessionIdentity { role: Some(arn.to_string()), session_name: Some(user.to_owned()) };
                return Ok(Session { signer: caller.signer(), identity, to_store: None });
            }
            let session = match &mut mfa {
                Some(mfa) => mfa.assume_role(caller, arn, &mut wanted, |mfa| self.code(caller, mfa)),
                None => caller.assume_role(arn, &wanted, None).map_err(Error::from),
            };
            match session {
                Ok(signer) => return Ok(self.assumed(signer, arn, &wanted.name)),
                Err(Error::Aws(AwsError::Refused(refusal))) => {
                    let refusal = Refusal { hint: hint(role, &refusal), ..*refusal };
                    if !matches!(refusal.reason, Reason::Denied(_)) {
                        return Err(Error::refused(vec![refusal]));
                    }
                    self.say.step(|| format!("not allowed to assume `{arn}`: {}", shown(&refusal.message)));
                    refusals.push(refusal);
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::refused(refusals))
    }

    fn assumed(&self, signer: Signer, arn: &RoleArn, name: &SessionName) -> Session {
        self.say.step(|| format!("assumed `{arn}` as `{name}`"));
        let identity = SessionIdentity { role: Some(arn.to_string()), session_name: Some(name.to_string()) };
        let about = self.entries.about(None, identity.clone());
        let to_store = SessionEntry::new(&signer, self.world.clock.now(), about);
        Session { signer, identity, to_store }
    }

    /// Asks the user for a code, then restarts the AWS deadline.
    fn code(&self, caller: &Caller, mfa: &Mfa) -> Result<MfaCode, Error> {
        let code = mfa.prompt(&self.world.exec_info, self.say).ok_or_else(|| Error::NeedsMfa {
            serial: mfa.serial().to_string(),
            command: code_command(self.ask, self.world, self.entries),
        })?;
        caller.restart_deadline();
        Ok(code)
    }

    /// The caller's identity, if it is needed: cached per access key, otherwise requested from STS.
    fn identity_for(&self, caller: &Caller, role: &RoleRequest) -> Result<Option<CallerIdentity>, Error> {
        let templates = [role.session_name.as_ref(), role.source_identity.as_ref()];
        let is_named_after_caller =
            role.session_name.is_none() || templates.into_iter().flatten().any(NameTemplate::has_placeholders);
        let has_a_session = caller.credentials().session_token().is_some();
        if !is_named_after_caller && !has_a_session && role.mfa_serial.is_none() {
            return Ok(None);
        }
        let access_key_id = caller.credentials().access_key_id();
        let known = self.entries.caller_arn(access_key_id).and_then(|arn| CallerIdentity::parse(&arn));
        if let Some(identity) = known.filter(|_| !self.ask.refresh) {
            return Ok(Some(identity));
        }
        let identity = caller.identity()?;
        self.say.step(|| format!("the caller is {}", shown(identity.arn())));
        self.entries.store_caller_arn(access_key_id, identity.arn());
        Ok(Some(identity))
    }
}

fn session_params(role: &RoleRequest, user: &str, account: &str) -> SessionParams {
    let fill = |template: &NameTemplate| template.fill(user, account);
    SessionParams {
        name: role.session_name.as_ref().map_or_else(|| SessionName::from_caller(user), fill),
        source_identity: role.source_identity.as_ref().map(fill),
        external_id: role.external_id.clone(),
        duration: role.duration.map(SessionDuration::get),
    }
}

/// The hint for a refusal, if it depends on how the role was configured.
fn hint(role: &RoleRequest, refusal: &Refusal) -> Option<String> {
    let RoleOrigin { profile, duration, unused_mfa_serial, .. } = &role.origin;
    match (&refusal.reason, duration, profile.as_ref().zip(unused_mfa_serial.as_ref())) {
        (Reason::TooLong, Some(place), _) => Some(format!(
            "lower {} to the role's maximum, or to 3600 if the role is assumed from a session, as with SSO or a web \
             identity",
            shown_up_to(place, 600)
        )),
        (Reason::Denied(_), _, Some((profile, place))) => Some(format!(
            "if the role requires MFA, add `mfa_serial` to profile `{}`: {} does not apply to its role; otherwise, {}",
            shown(profile),
            shown_up_to(place, 600),
            refusal.reason.hint()
        )),
        _ => None,
    }
}
