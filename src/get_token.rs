//! The story of one call: what is asked for, what is in the cache, what has to be fetched, what is printed. The only
//! file that knows the order.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{geteuid, getppid};
use rustix::system::uname;

use crate::cache::Cache;
use crate::cache::asked::{REFUSAL_WINDOW, Verdict};
use crate::cache::entry::{About, CallerEntry, FailureEntry, SessionEntry, SessionState, TokenEntry};
use crate::cache::key::Key;
use crate::cache::lock::{Lock, Turn, pause};
use crate::cli::{GlobalArgs, TokenArgs};
use crate::credentials::{Aws, CREDENTIAL_PROCESS_DEADLINE, DEADLINE};
use crate::env::Env;
use crate::error::{Error, Warning};
use crate::exec_credential::{self, ExecInfo};
use crate::http_client::PROXY_VARIABLES;
use crate::identity::{Fingerprint, Place, ProfileUse};
use crate::names::SessionName;
use crate::presign::{PresignedUrl, Signer};
use crate::request::{AnswerForm, CacheMode, NamedBy, ProfileChoice, RoleRequest, TokenRequest};
use crate::source_files::{SourceFiles, sso_token_files, workload_token_files};
use crate::sts::{Caller, CallerIdentity};
use crate::token::{self, Token};

/// What goes to stdout for `eks-group-auth token`.
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
    files.check()?;
    let request = TokenRequest::resolve(args, global, env, &exec_info, &profile, &files.profiles(), || files.paths())?;
    let identity = fingerprint(env, &profile, &files);
    let cache = Cache::open(env, request.cache, warnings);
    let key = Key::token(&identity, &request.endpoint, request.role.as_ref(), &request.cluster);
    let client = if exec_info.from_client_go { getppid() } else { None };
    let mut call = Call {
        request: &request,
        profile: &profile,
        files: &files,
        env,
        clock,
        identity,
        key,
        client: client.map(|parent| parent.as_raw_nonzero().get() as u32),
        accept: Accept {
            token: !request.refresh,
            session: if request.refresh { AcceptSession::Nothing } else { AcceptSession::Any },
        },
        cache,
        warnings,
    };
    let (token, expiration) = match call.cached_token(now) {
        Some(cached) => cached,
        None => call.new_token()?,
    };
    render(&request, &token, expiration)
}

/// What of the cache is good enough for this call.
#[derive(Clone, Copy)]
struct Accept {
    token: bool,
    session: AcceptSession,
}

#[derive(Clone, Copy)]
enum AcceptSession {
    Any,
    /// `--refresh`.
    Nothing,
    /// The cluster seems to refuse it: only one that is too young to be asked for again; another is better than none.
    UnlessRevoked,
}

/// One call, with all that is known before AWS is asked.
struct Call<'a> {
    request: &'a TokenRequest,
    profile: &'a ProfileChoice,
    files: &'a SourceFiles,
    env: &'a Env,
    clock: fn() -> SystemTime,
    identity: Fingerprint,
    /// Of the token.
    key: Key,
    /// The process that asks, where it is client-go's.
    client: Option<u32>,
    accept: Accept,
    cache: Cache,
    warnings: &'a mut Vec<Warning>,
}

/// What the cache has, looked at again while another process is asking.
enum Found {
    Token(Token, SystemTime),
    Signer(Signer),
    /// A session that another should replace, but that is better than none.
    InHand(SessionEntry),
    Nothing,
}

impl Call<'_> {
    /// The token in the cache, unless client-go seems to come back because the cluster refused it.
    fn cached_token(&mut self, now: SystemTime) -> Option<(Token, SystemTime)> {
        if !self.accept.token {
            return None;
        }
        let entry = self.cache.load(&self.key, |entry: TokenEntry| entry.is_good(now).then_some(entry))?;
        let Some(client) = self.client else { return entry.serve(now) };
        let session = match self.cache.judge(&self.key, client, entry.signed_at(), now) {
            Verdict::Serve => return entry.serve(now),
            Verdict::SignAnew => AcceptSession::Any,
            Verdict::AssumeAnew { say } => {
                if say {
                    self.warnings.push(Warning::AskedAgain {
                        cluster: self.request.cluster.to_string(),
                        role: self.request.role.as_ref().map(|role| role.arn.to_string()),
                    });
                }
                AcceptSession::UnlessRevoked
            }
        };
        // Where there is no session to sign with, another token would cost a call to AWS each time.
        if entry.is_younger_than(Duration::from_secs(REFUSAL_WINDOW), now) && !self.has_session() {
            return entry.serve(now);
        }
        self.accept = Accept { token: false, session };
        None
    }

    fn has_session(&self) -> bool {
        let role = self.request.role.as_ref();
        role.is_some_and(|role| self.cache.load(&self.session_key(role), Some::<SessionEntry>).is_some())
    }

    /// A token that is signed now, with a session from the cache or from AWS, or one that another process signed while
    /// this one waited for it.
    fn new_token(mut self) -> Result<(Token, SystemTime), Error> {
        token::check_endpoint(&self.request.endpoint)?;
        // The lock is held until the token is stored, for whoever waits to find it.
        let (found, lock) = self.wait_for_turn()?;
        let (signer, session) = match found {
            Found::Token(token, expiration) => return Ok((token, expiration)),
            Found::Signer(signer) => (signer, None),
            Found::InHand(_) | Found::Nothing => {
                self.fetch(found).inspect_err(|error| self.tell_those_who_wait(&lock, error))?
            }
        };
        let signed_at = (self.clock)();
        let (cluster, endpoint) = (&self.request.cluster, &self.request.endpoint);
        let time_at_sts = signer.time_at_sts(signed_at);
        token::check_session_token(&signer.credentials).map_err(Error::Token)?;
        let url = PresignedUrl::get_caller_identity(cluster, &signer.credentials, endpoint, time_at_sts)?;
        let token = Token::of(&url);
        token.check(&endpoint.region, time_at_sts).map_err(Error::Token)?;
        let expiration = token::expiration(signed_at, &signer.credentials);
        if let (Some(role), Some(session)) = (&self.request.role, session) {
            self.cache.store(&self.session_key(role), &session);
        }
        if signer.clock_skew == 0 {
            self.cache.store(&self.key, &TokenEntry::new(token.clone(), expiration, signed_at, self.about(true)));
        }
        if let Some(client) = self.client {
            self.cache.remember(&self.key, client, signed_at);
        }
        self.cache.sweep(signed_at);
        Ok((token, expiration))
    }

    /// Either something good from the cache, or this process's turn to ask AWS, with the lock that says so.
    fn wait_for_turn(&self) -> Result<(Found, Lock), Error> {
        let turn = self.turn();
        let waiting_since = (self.clock)();
        let started = Instant::now();
        let patience = self.patience();
        let mut found = self.look();
        let mut has_waited = false;
        loop {
            if self.request.refresh || matches!(found, Found::Token(..) | Found::Signer(_)) {
                return Ok((found, Lock::none()));
            }
            let lock = match self.cache.take_turn(&turn) {
                Turn::Ours(lock) => Some(lock),
                Turn::Anothers => None,
            };
            // Whoever had the turn until now may have left something.
            found = self.look();
            if let Found::Nothing = found
                && let Some(error) =
                    self.cache.load(&turn, |entry: FailureEntry| entry.since(waiting_since, (self.clock)()))
            {
                return Err(error);
            }
            match (lock, found) {
                (_, found @ (Found::Token(..) | Found::Signer(_))) => return Ok((found, Lock::none())),
                // Where nothing can be kept, those who wait would only stand in a line.
                (Some(lock), found) => {
                    let is_of_use = !has_waited || self.cache.can_keep();
                    return Ok((found, if is_of_use { lock } else { Lock::none() }));
                }
                (None, Found::InHand(entry)) => return Ok((Found::Signer(entry.signer()), Lock::none())),
                (None, Found::Nothing) if started.elapsed() > patience => return Ok((Found::Nothing, Lock::none())),
                (None, Found::Nothing) => found = Found::Nothing,
            }
            has_waited = true;
            std::thread::sleep(pause());
        }
    }

    /// How long to wait for another process that asks for the same: until it must have given up itself.
    fn patience(&self) -> Duration {
        let chain = self.files.profiles();
        let runs_a_process =
            chain.chain(&self.profile.name).iter().any(|section| section.get("credential_process").is_some());
        let process = if runs_a_process { CREDENTIAL_PROCESS_DEADLINE } else { Duration::ZERO };
        DEADLINE + process + Duration::from_secs(1)
    }

    fn look(&self) -> Found {
        let now = (self.clock)();
        if self.accept.token
            && let Some((token, expiration)) = self.cache.load(&self.key, |entry: TokenEntry| entry.serve(now))
        {
            return Found::Token(token, expiration);
        }
        let Some(role) = &self.request.role else { return Found::Nothing };
        let accepted = |entry: SessionEntry| match (self.accept.session, entry.state(now)) {
            (AcceptSession::Nothing, _) | (_, SessionState::Over) => None,
            (_, SessionState::Renew) => Some(Found::InHand(entry)),
            (AcceptSession::UnlessRevoked, SessionState::Fresh) if entry.may_be_revoked(now) => {
                Some(Found::InHand(entry))
            }
            (_, SessionState::Fresh) => Some(Found::Signer(entry.signer())),
        };
        self.cache.load(&self.session_key(role), accepted).unwrap_or(Found::Nothing)
    }

    /// What AWS gives: a session of the role, which is to be kept once its token has proved good, or the caller's own
    /// credentials, which never are.
    fn fetch(&mut self, found: Found) -> Result<(Signer, Option<SessionEntry>), Error> {
        let aws = Aws::connect(&self.request.endpoint, self.profile, self.files, self.env);
        let fetched = aws.and_then(|aws| {
            let base = aws.base_credentials(self.clock)?;
            match &self.request.role {
                Some(role) => self.assume_role(&Caller::new(&aws, base), role),
                None => Ok((Signer { credentials: base, clock_skew: 0 }, None)),
            }
        });
        self.forget_what_changed_meanwhile();
        match (fetched, found) {
            (Err(error), Found::InHand(entry))
                if error.can_pass() && entry.state((self.clock)()) != SessionState::Over =>
            {
                let left = entry.expiration().duration_since((self.clock)()).unwrap_or_default();
                self.warnings
                    .push(Warning::SessionNotRenewed { why: error.to_string(), minutes_left: left.as_secs() / 60 });
                Ok((entry.signer(), None))
            }
            (fetched, _) => fetched,
        }
    }

    /// The caller's name, AssumeRole; or neither, where the caller has a session of the role already, which would need
    /// a permission of its own to assume it once more.
    fn assume_role(&self, caller: &Caller, role: &RoleRequest) -> Result<(Signer, Option<SessionEntry>), Error> {
        let has_a_session = caller.credentials().session_token().is_some();
        let identity =
            if role.session_name.is_none() || has_a_session { Some(self.identity_of(caller)?) } else { None };
        if identity.as_ref().is_some_and(|identity| identity.has_role(role)) {
            return Ok((Signer { credentials: caller.credentials().clone(), clock_skew: 0 }, None));
        }
        let own_name = identity.map(|identity| SessionName::of_caller(identity.name()));
        let session_name = role.session_name.clone().or(own_name).expect("asked for where none is given");
        let signer = caller.assume_role(role, &session_name, self.clock)?;
        let entry = SessionEntry::new(&signer, (self.clock)(), self.about(false));
        Ok((signer, entry))
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
        let about = About { cluster: None, role: None, ..self.about(false) };
        self.cache.store(&key, &CallerEntry::new(identity.arn().to_owned(), now, about));
        Ok(identity)
    }

    /// The SDK reads token files itself, some time after they were fingerprinted. If they changed in between, what it
    /// found may be another identity's, and is kept under nobody's name.
    fn forget_what_changed_meanwhile(&mut self) {
        if fingerprint(self.env, self.profile, self.files) != self.identity {
            self.cache = Cache::none();
        }
    }

    /// What AWS or the user's login said, not what this process lacks; and not where nobody waits for this one.
    fn tell_those_who_wait(&self, lock: &Lock, error: &Error) {
        if lock.is_held() && (3..=6).contains(&error.exit_code()) {
            self.cache.store(&self.turn(), &FailureEntry::new(error, (self.clock)()));
        }
    }

    fn session_key(&self, role: &RoleRequest) -> Key {
        Key::session(&self.identity, &self.request.endpoint, role)
    }

    /// Whoever would make the same call to AWS waits for it: for a session of the role, whatever the cluster, where
    /// sessions are kept.
    fn turn(&self) -> Key {
        const OTHERS: [&str; 4] = ["NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"];
        let key = match &self.request.role {
            Some(role) if self.request.cache == CacheMode::All => self.session_key(role),
            _ => self.key,
        };
        Key::turn(&key, PROXY_VARIABLES.iter().chain(&OTHERS).map(|name| self.env.get_os(name).unwrap_or_default()))
    }

    fn about(&self, with_cluster: bool) -> About {
        let keys = self.env.get("AWS_ACCESS_KEY_ID").filter(|_| self.profile.named_by != NamedBy::Flag);
        About {
            cluster: with_cluster.then(|| self.request.cluster.to_string()),
            role: self.request.role.as_ref().map(|role| role.arn.to_string()),
            region: self.request.endpoint.region.to_string(),
            identity: keys.map_or(format!("profile {}", self.profile.name), |key| format!("key {key}")),
        }
    }
}

fn fingerprint(env: &Env, profile: &ProfileChoice, files: &SourceFiles) -> Fingerprint {
    let profiles = files.profiles();
    let workload = workload_token_files(env, &profiles, &profile.name);
    let tokens = [sso_token_files(env, &profiles, &profile.name), workload].concat();
    let all: Vec<_> = [&files.config, &files.credentials].into_iter().chain(&tokens).collect();
    let chain = profiles.chain(&profile.name);
    let processes: Vec<&str> = chain.iter().filter_map(|section| section.get("credential_process")).collect();
    let is_relative = processes.iter().any(|command| command.contains("./"));
    let place = Place {
        effective_uid: geteuid().as_raw(),
        host_name: OsString::from_vec(uname().nodename().to_bytes().to_vec()),
        working_directory: is_relative.then(|| std::env::current_dir().unwrap_or_default().into_os_string()),
    };
    let explicit = profile.named_by == NamedBy::Flag;
    let profile = ProfileUse { name: &profile.name, explicit, runs_a_process: !processes.is_empty() };
    Fingerprint::of(&place, env, &profile, &all)
}

fn render(request: &TokenRequest, token: &Token, expiration: SystemTime) -> Result<String, Error> {
    match request.answer {
        AnswerForm::ExecCredential(api_version) => Ok(exec_credential::render(api_version, token, expiration)? + "\n"),
        AnswerForm::BareToken => Ok(format!("{}\n", token.expose())),
    }
}
