//! The story of one call: what is asked for, what is in the cache, what has to be fetched, what is printed. The only
//! module that knows the order.

mod assume;
pub mod mfa;
pub mod request;

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::aws::directory_words::depends_on_directory;
use crate::aws::files::{SourceFile, SourceFiles, token_files};
use crate::aws::fingerprint::{Fingerprint, Place};
use crate::aws::profile::ProfileFiles;
use crate::aws::providers::{Aws, CREDENTIAL_PROCESS_DEADLINE, DEADLINE};
use crate::aws::region::Region;
use crate::aws::source::{Base, CredentialSource, ProfileChoice};
use crate::cache::Cache;
use crate::cache::asked::{REFUSAL_WINDOW, Verdict};
use crate::cache::entry::{About, FailureEntry, SessionEntry, SessionState, TokenEntry};
use crate::cache::key::Key;
use crate::cache::lock::{Lock, Turn, pause};
use crate::cli::{GlobalArgs, TokenArgs};
use crate::kube::exec::{self, ExecInfo};
use crate::kube::presign::{PresignedUrl, Signer};
use crate::kube::token::{self, Token};
use crate::say::error::{Error, Warning, shown};
use crate::say::secret::Secret;
use crate::say::verbose::Verbose;
use crate::sys::clock::Clock;
use crate::sys::env::Env;
use crate::sys::process::Process;
use crate::sys::vars;
use crate::sys::{machine, user};
use request::{AnswerForm, CacheMode, RoleRequest, StsEndpoint, TokenRequest};

/// What goes to stdout for `eks-group-auth token`.
pub fn get_token(
    args: &TokenArgs,
    global: &GlobalArgs,
    env: &Env,
    clock: Clock,
    warnings: &mut Vec<Warning>,
) -> Result<String, Error> {
    let now = clock.now();
    let verbose = Verbose::new(global.verbose);
    let with_ca_bundle = global.aws_cli.ca_bundle.as_ref().map(|path| env.with(vars::AWS_CA_BUNDLE, path));
    let env = with_ca_bundle.as_ref().unwrap_or(env);
    let exec_info = ExecInfo::parse(env.get_os(vars::KUBERNETES_EXEC_INFO))?;
    TokenRequest::check_arguments(args, global, env)?;
    let choice = ProfileChoice::resolve(global.profile.as_deref(), env)?;
    let files = SourceFiles::read(env)?;
    let profiles = files.profiles();
    let source = CredentialSource::resolve(choice, env, &profiles)?;
    let request = TokenRequest::resolve(args, global, env, &exec_info, &source, &profiles)?;
    let identity = fingerprint(env, &source, &request);
    let cache = Cache::open(env, request.cache, warnings);
    let key = Key::token(&identity, &request.endpoint, request.role.as_ref(), &request.cluster);
    let client = if exec_info.from_client_go { Process::parent() } else { None };
    let say_if_arn = |given: &str, meant: &str| {
        if given != meant {
            verbose.say(|| format!("`{}` is an ARN: its last part, `{meant}`, is meant", shown(given)));
        }
    };
    say_if_arn(args.cluster.as_deref().unwrap_or(request.cluster.as_str()), request.cluster.as_str());
    let session_name = request.role.as_ref().and_then(|role| role.session_name.as_ref());
    if let (Some(given), Some(meant)) = (&args.session_name, session_name) {
        say_if_arn(given, meant.as_str());
    }
    verbose.say(|| {
        let StsEndpoint { region, .. } = &request.endpoint;
        format!("a token for cluster `{}` in {region}, by {}", request.cluster, source.name())
    });
    say_what_is_passed_over(&verbose, &source, env, &profiles);
    let mut call = Call {
        request: &request,
        source: &source,
        env,
        clock,
        identity,
        key,
        client,
        accept: Accept {
            token: !request.refresh,
            session: if request.refresh { AcceptSession::Nothing } else { AcceptSession::Any },
        },
        cache,
        exec_info: &exec_info,
        verbose,
        warnings,
    };
    let (token, expiration) = match call.cached_token(now) {
        Some(cached) => cached,
        None => {
            call.warnings.extend(request.warnings(args, global, env));
            call.new_token()?
        }
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
    source: &'a CredentialSource<'a>,
    env: &'a Env,
    clock: Clock,
    identity: Fingerprint,
    /// Of the token.
    key: Key,
    /// The process that asks, where it is client-go's.
    client: Option<Process>,
    accept: Accept,
    cache: Cache,
    exec_info: &'a ExecInfo,
    verbose: Verbose,
    warnings: &'a mut Vec<Warning>,
}

/// What signs a token, and as whom.
struct Ready {
    signer: Signer,
    /// The role that was assumed, if one was, and the session's name.
    who: Who,
}

#[derive(Clone, Default)]
struct Who {
    role: Option<String>,
    session_name: Option<String>,
}

/// What the cache has, looked at again while another process is asking.
enum Found {
    Token(Token, SystemTime),
    Signer(Ready),
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
        self.verbose.say(|| format!("a token in the cache, {}", in_words(entry.about())));
        let Some(client) = self.client else { return entry.serve(now) };
        let session = match self.cache.judge(&self.key, client, entry.signed_at(), now) {
            Verdict::Serve => return entry.serve(now),
            Verdict::SignAnew => AcceptSession::Any,
            Verdict::AssumeAnew { say } => {
                if say {
                    self.warnings.push(Warning::AskedAgain {
                        cluster: self.request.cluster.to_string(),
                        role: entry.about().role.clone(),
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
        if let Some(other) = self.exec_info.server.as_deref().and_then(Region::of_eks_server)
            && other != self.request.endpoint.region
        {
            let (asked, of_server) = (self.request.endpoint.region.to_string(), other.to_string());
            self.warnings.push(Warning::OtherRegion { asked, of_server });
        }
        // The lock is held until the token is stored, for whoever waits to find it.
        let (found, lock) = self.wait_for_turn()?;
        let (Ready { signer, who }, session) = match found {
            Found::Token(token, expiration) => return Ok((token, expiration)),
            Found::Signer(ready) => (ready, None),
            Found::InHand(_) | Found::Nothing => {
                self.fetch(found).inspect_err(|error| self.tell_those_who_wait(&lock, error))?
            }
        };
        let signed_at = self.clock.now();
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
            let about = self.about(Some(self.request.cluster.to_string()), who);
            self.cache.store(&self.key, &TokenEntry::new(token.clone(), expiration, signed_at, about));
        }
        if let Some(client) = self.client {
            self.cache.remember(&self.key, client, signed_at);
        }
        self.cache.sweep(signed_at);
        self.verbose.say(|| "signed a new token".into());
        Ok((token, expiration))
    }

    /// Either something good from the cache, or this process's turn to ask AWS, with the lock that says so.
    fn wait_for_turn(&mut self) -> Result<(Found, Lock), Error> {
        let turn = self.turn();
        let waiting_since = self.clock.now();
        let started = self.clock.instant();
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
            // The process that had the turn until now may have left something, under a login that it refreshed.
            if has_waited && lock.is_some() {
                self.follow_login();
            }
            found = self.look();
            if let Found::Nothing = found
                && let Some(error) = self
                    .cache
                    .load(&self.failures(), |entry: FailureEntry| entry.since(waiting_since, self.clock.now()))
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
                (None, Found::InHand(entry)) => return Ok((Found::Signer(ready(&entry)), Lock::none())),
                (None, Found::Nothing) if self.clock.instant() - started > patience => {
                    return Ok((Found::Nothing, Lock::none()));
                }
                (None, Found::Nothing) => found = Found::Nothing,
            }
            if !has_waited {
                self.verbose.say(|| "another process is asking for the same: waiting for it".into());
            }
            has_waited = true;
            std::thread::sleep(pause());
        }
    }

    /// How long to wait for another process that asks for the same: until it must have given up itself.
    fn patience(&self) -> Duration {
        let process = if self.source.process().is_some() { CREDENTIAL_PROCESS_DEADLINE } else { Duration::ZERO };
        let person = if self.may_ask_for_a_code() { mfa::PATIENCE } else { Duration::ZERO };
        DEADLINE + process + person + Duration::from_secs(1)
    }

    fn look(&self) -> Found {
        let now = self.clock.now();
        if self.accept.token
            && let Some((token, expiration)) = self.cache.load(&self.key, |entry: TokenEntry| entry.serve(now))
        {
            return Found::Token(token, expiration);
        }
        let Some(role) = &self.request.role else { return Found::Nothing };
        let accepted = |entry: SessionEntry| match (self.accept.session, entry.state(now)) {
            (AcceptSession::Nothing, _) | (_, SessionState::Over) => None,
            // One that a person had to be asked for is not asked for before its end.
            (_, SessionState::Renew) if !self.may_ask_for_a_code() => Some(Found::InHand(entry)),
            (AcceptSession::UnlessRevoked, SessionState::Fresh) if entry.may_be_revoked(now) => {
                Some(Found::InHand(entry))
            }
            (_, SessionState::Fresh | SessionState::Renew) => Some(Found::Signer(ready(&entry))),
        };
        self.cache.load(&self.session_key(role), accepted).unwrap_or(Found::Nothing)
    }

    /// What AWS gives: a session of the role, which is to be kept once its token has proved good, or the caller's own
    /// credentials, which never are.
    fn fetch(&mut self, found: Found) -> Result<(Ready, Option<SessionEntry>), Error> {
        let (fetched, refreshed) = match Aws::connect(self.request, self.source, self.env) {
            Ok(aws) => (self.ask(&aws), aws.refreshed_login()),
            Err(error) => (Err(error), None),
        };
        match refreshed {
            // The login is the same one, though its file is another.
            Some(file) if SourceFile::read(file.path.clone()) == file => self.follow_login(),
            _ => self.drop_cache_if_login_changed(),
        }
        match (fetched, found) {
            (Err(error), Found::InHand(entry))
                if (error.can_pass() || matches!(error, Error::NeedsMfa { .. }))
                    && entry.state(self.clock.now()) != SessionState::Over =>
            {
                let left = entry.expiration().duration_since(self.clock.now()).unwrap_or_default();
                self.warnings
                    .push(Warning::SessionNotRenewed { why: error.to_string(), minutes_left: left.as_secs() / 60 });
                Ok((ready(&entry), None))
            }
            (fetched, _) => fetched,
        }
    }

    /// Token files are read again some time after they were fingerprinted. If they changed in between, what was found may be
    /// another identity's, and is kept under nobody's name.
    fn drop_cache_if_login_changed(&mut self) {
        if !self.is_same_identity() {
            self.cache = Cache::none();
        }
    }

    /// Goes on under the login that there is now.
    fn follow_login(&mut self) {
        self.identity = fingerprint(self.env, self.source, self.request);
        let TokenRequest { endpoint, role, cluster, .. } = self.request;
        self.key = Key::token(&self.identity, endpoint, role.as_ref(), cluster);
    }

    fn is_same_identity(&self) -> bool {
        fingerprint(self.env, self.source, self.request) == self.identity
    }

    /// What AWS or the user's login said, not what this process lacks; and not where nobody waits for this one.
    fn tell_those_who_wait(&self, lock: &Lock, error: &Error) {
        // Another may have a terminal where this one had none.
        let is_shared = (3..=6).contains(&error.exit_code()) && !matches!(error, Error::NeedsMfa { .. });
        if lock.is_held() && is_shared {
            self.cache.store(&self.failures(), &FailureEntry::new(error, self.clock.now()));
        }
    }

    fn session_key(&self, role: &RoleRequest) -> Key {
        Key::session(&self.identity, &self.request.endpoint, role)
    }

    /// Whoever would make the same call to AWS waits for it: for a session of the role, whatever the cluster, where
    /// sessions are kept; and whoever would ask for the same code, whatever comes after it.
    fn turn(&self) -> Key {
        let asks = self.roles().find(|role| role.mfa_serial.is_some());
        self.turn_for(asks.or(self.request.role.as_ref()))
    }

    /// What goes wrong is shared only with those who want the same role.
    fn failures(&self) -> Key {
        self.turn_for(self.request.role.as_ref())
    }

    fn turn_for(&self, role: Option<&RoleRequest>) -> Key {
        let key = match role {
            Some(role) if self.request.cache == CacheMode::All => self.session_key(role),
            _ => self.key,
        };
        let network =
            vars::PROXIES.iter().chain(&vars::NO_PROXY).chain(&vars::SYSTEM_CERTIFICATES).chain([&vars::AWS_CA_BUNDLE]);
        Key::turn(&key, network.map(|name| self.env.get_os(name).unwrap_or_default()))
    }

    /// All that are assumed, one after the other.
    fn roles(&self) -> impl Iterator<Item = &RoleRequest> {
        self.request.via.iter().chain(&self.request.role)
    }

    fn may_ask_for_a_code(&self) -> bool {
        self.roles().any(|role| role.mfa_serial.is_some())
    }

    fn about(&self, cluster: Option<String>, who: Who) -> About {
        let identity = match &self.source.base {
            Base::Keys(keys) if self.source.is_environment_keys() => format!("key {}", keys.id()),
            _ if self.source.is_in_profile() => format!("profile {}", self.source.choice.name),
            _ => self.source.name(),
        };
        About {
            cluster,
            role: who.role,
            session_name: who.session_name,
            region: self.request.endpoint.region.to_string(),
            identity,
        }
    }
}

fn ready(entry: &SessionEntry) -> Ready {
    let About { role, session_name, .. } = entry.about().clone();
    Ready { signer: entry.signer(), who: Who { role, session_name } }
}

fn in_words(about: &About) -> String {
    match (&about.role, &about.session_name) {
        (Some(role), Some(name)) => format!("of role `{}`, session `{}`", shown(role), shown(name)),
        (Some(role), None) => format!("of role `{}`", shown(role)),
        _ => "of the caller's own identity".into(),
    }
}

/// What `-v` says of sources that come after the one in use, and of lines in the files that nobody can understand.
fn say_what_is_passed_over(verbose: &Verbose, source: &CredentialSource, env: &Env, profiles: &ProfileFiles) {
    if !verbose.is_on() {
        return;
    }
    for shadow in source.shadows(env, profiles) {
        verbose.say(|| format!("passed over, because something else comes before it: {shadow}"));
    }
    for (path, broken) in profiles.broken_lines() {
        let path = shown(&path.display().to_string());
        verbose.say(|| format!("passed over: line {} of `{path}`: {}", broken.line, broken.why));
    }
}

fn fingerprint(env: &Env, source: &CredentialSource, request: &TokenRequest) -> Fingerprint {
    let path = env.get_os(vars::PATH).map(OsStr::to_string_lossy);
    let is_file = |name: &str| Path::new(name).is_file();
    let depends = |command: &Secret| depends_on_directory(command.expose(), path.as_deref(), is_file);
    let place = Place {
        effective_uid: user::id(),
        host_name: machine::host_name(),
        working_directory: source
            .process()
            .filter(|command| depends(command))
            .map(|_| std::env::current_dir().unwrap_or_default().into_os_string()),
    };
    Fingerprint::of(&place, env, source, &request.endpoints, &token_files(env, source))
}

fn render(request: &TokenRequest, token: &Token, expiration: SystemTime) -> Result<String, Error> {
    match request.answer {
        AnswerForm::ExecCredential(api_version) => Ok(exec::render(api_version, token, expiration)? + "\n"),
        AnswerForm::BareToken => Ok(format!("{}\n", token.expose())),
    }
}
