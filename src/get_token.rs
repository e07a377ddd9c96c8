//! The story of one call: what is asked for, what is in the cache, what has to be fetched, what is printed. The only
//! file that knows the order.

use std::time::SystemTime;

use aws_credential_types::Credentials;

use crate::cache::Cache;
use crate::cache::entry::{CallerEntry, SessionEntry, SessionState, TokenEntry};
use crate::cache::key::Key;
use crate::cli::{GlobalArgs, TokenArgs};
use crate::credentials::{Aws, CallerIdentity};
use crate::env::Env;
use crate::error::{Error, Warning};
use crate::exec_credential::{self, ExecInfo};
use crate::identity::Fingerprint;
use crate::presign::PresignedUrl;
use crate::request::{AnswerForm, NamedBy, ProfileChoice, RoleRequest, SessionName, TokenRequest};
use crate::source_files::{SourceFiles, sso_token_files};
use crate::token::{self, Token};

/// What goes to stdout for `eks-group-auth token`.
///
/// `clock` is read once at the start and once when something is signed after the network was asked.
pub fn get_token(
    args: &TokenArgs,
    global: &GlobalArgs,
    env: &Env,
    clock: fn() -> SystemTime,
    warnings: &mut Vec<Warning>,
) -> Result<String, Error> {
    let now = clock();
    let exec_info = ExecInfo::parse(env.get_os("KUBERNETES_EXEC_INFO"))?;
    let profile = ProfileChoice::resolve(global, env)?;
    let files = SourceFiles::read(env);
    let request = TokenRequest::resolve(args, global, env, &exec_info, &profile, &files.profiles(), || files.paths())?;
    let identity = fingerprint(env, &profile, &files);
    let cache = Cache::open(env, request.cache, warnings);

    let key = Key::token(&identity, &request.endpoint, request.role.as_ref(), &request.cluster);
    if !request.refresh
        && let Some((token, expiration)) = cache.load::<TokenEntry>(&key).and_then(|entry| entry.serve(now))
    {
        return render(&request, &token, expiration);
    }

    let mut call = Call { request: &request, profile: &profile, files: &files, env, clock, identity, cache, warnings };
    let credentials = match &request.role {
        Some(role) => call.role_session(role, now)?,
        None => call.own_credentials()?,
    };
    let signed_at = clock();
    let url = PresignedUrl::get_caller_identity(&request.cluster, &credentials, &request.endpoint, signed_at)?;
    let token = Token::of(&url);
    token.check(&request.endpoint.region, signed_at).map_err(Error::Token)?;
    let expiration = token::expiration(signed_at, &credentials);
    call.cache.store(&key, &TokenEntry::new(token.clone(), expiration, signed_at));
    render(&request, &token, expiration)
}

/// What a call that found no token in the cache goes on with.
struct Call<'a> {
    request: &'a TokenRequest,
    profile: &'a ProfileChoice,
    files: &'a SourceFiles,
    env: &'a Env,
    clock: fn() -> SystemTime,
    identity: Fingerprint,
    cache: Cache,
    warnings: &'a mut Vec<Warning>,
}

impl Call<'_> {
    /// A session of the role, from the cache while it is good, else from STS.
    fn role_session(&mut self, role: &RoleRequest, now: SystemTime) -> Result<Credentials, Error> {
        let key = Key::session(&self.identity, &self.request.endpoint, role);
        let cached = self.cache.load::<SessionEntry>(&key).filter(|_| !self.request.refresh);
        let in_hand = match cached.as_ref().map(|entry| (entry, entry.state(now))) {
            Some((entry, SessionState::Fresh)) => return Ok(entry.credentials()),
            Some((entry, SessionState::Renew)) => Some(entry),
            Some((_, SessionState::Over)) | None => None,
        };
        match (self.assume_role(role), in_hand) {
            (Ok(credentials), _) => {
                if let Some(entry) = SessionEntry::new(&credentials, (self.clock)()) {
                    self.cache.store(&key, &entry);
                }
                Ok(credentials)
            }
            (Err(error), Some(entry)) if error.can_pass() => {
                let left = entry.expiration().duration_since(now).unwrap_or_default();
                self.warnings
                    .push(Warning::SessionNotRenewed { why: error.to_string(), minutes_left: left.as_secs() / 60 });
                Ok(entry.credentials())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Base credentials, the caller's name, AssumeRole.
    fn assume_role(&mut self, role: &RoleRequest) -> Result<Credentials, Error> {
        let aws = Aws::connect(&self.request.endpoint, self.profile, &self.files.profiles(), self.env)?;
        let base = aws.base_credentials()?;
        let session_name = match &role.session_name {
            Some(name) => name.clone(),
            None => SessionName::of_caller(self.caller(&aws, &base)?.name()),
        };
        let credentials = aws.assume_role(&base, role, &session_name, self.clock)?;
        self.forget_what_changed_meanwhile();
        Ok(credentials)
    }

    /// Who the base credentials belong to: remembered per access key, else asked.
    fn caller(&self, aws: &Aws, base: &Credentials) -> Result<CallerIdentity, Error> {
        let key = Key::caller(&self.identity, &self.request.endpoint, base.access_key_id());
        let now = (self.clock)();
        let known = self.cache.load::<CallerEntry>(&key).filter(|entry| entry.is_fresh(now) && !self.request.refresh);
        if let Some(caller) = known.and_then(|entry| CallerIdentity::parse(&entry.arn)) {
            return Ok(caller);
        }
        let caller = aws.caller_identity(base)?;
        self.cache.store(&key, &CallerEntry::new(caller.arn().to_owned(), now));
        Ok(caller)
    }

    /// The caller's own credentials, where there is no role.
    fn own_credentials(&mut self) -> Result<Credentials, Error> {
        let aws = Aws::connect(&self.request.endpoint, self.profile, &self.files.profiles(), self.env)?;
        let credentials = aws.base_credentials()?;
        self.forget_what_changed_meanwhile();
        Ok(credentials)
    }

    /// The SDK reads the files again, some time after they were fingerprinted. If they changed in between, what it
    /// found may be another identity's, and is kept under nobody's name.
    fn forget_what_changed_meanwhile(&mut self) {
        if fingerprint(self.env, self.profile, &SourceFiles::read(self.env)) != self.identity {
            self.cache = Cache::none();
        }
    }
}

fn fingerprint(env: &Env, profile: &ProfileChoice, files: &SourceFiles) -> Fingerprint {
    let tokens = sso_token_files(env, &files.profiles(), &profile.name);
    let all: Vec<_> = [&files.config, &files.credentials].into_iter().chain(&tokens).collect();
    let effective_uid = rustix::process::geteuid().as_raw();
    Fingerprint::of(effective_uid, env, &profile.name, profile.named_by == NamedBy::Flag, &all)
}

fn render(request: &TokenRequest, token: &Token, expiration: SystemTime) -> Result<String, Error> {
    match request.answer {
        AnswerForm::ExecCredential(api_version) => Ok(exec_credential::render(api_version, token, expiration)? + "\n"),
        AnswerForm::BareToken => Ok(format!("{}\n", token.expose())),
    }
}
