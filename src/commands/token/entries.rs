//! The cache entries that belong to one call: their identity and their keys.

use std::ffi::OsStr;
use std::path::Path;
use std::time::SystemTime;

use crate::aws::directory_words::depends_on_directory;
use crate::aws::files::token_files;
use crate::aws::fingerprint::{Fingerprint, Place};
use crate::aws::role::RoleRequest;
use crate::aws::source::Base;
use crate::cache::Cache;
use crate::cache::asked::Verdict;
use crate::cache::entry::{CallerEntry, Description, FailureEntry, SessionEntry, TokenEntry};
use crate::cache::key::Key;
use crate::cache::lock::Turn;
use crate::cache::policy::CacheMode;
use crate::commands::token::ask::Ask;
use crate::commands::token::session::{Session, SessionIdentity};
use crate::commands::world::World;
use crate::kube::exec::Status;
use crate::say::Say;
use crate::say::explain::Explanation;
use crate::say::secret::Secret;
use crate::sys::{this_process, vars};

pub struct Entries<'a> {
    ask: &'a Ask<'a>,
    world: &'a World,
    cache: Cache,
    identity: Fingerprint,
    token_key: Key,
}

impl<'a> Entries<'a> {
    pub fn open(ask: &'a Ask<'a>, world: &'a World, say: &Say) -> Self {
        let (cache, identity) = (Cache::open(&world.env, ask.cache, say), fingerprint(ask, world));
        Entries { ask, world, cache, identity, token_key: token_key(ask, &identity) }
    }

    /// The cached token, if it is still valid.
    pub fn token(&self, now: SystemTime) -> Option<TokenEntry> {
        self.cache.load(&self.token_key, |entry: TokenEntry| entry.is_good(now).then_some(entry))
    }

    /// What `accept` makes of the role's session, from the first directory with an acceptable one.
    pub fn session<T>(&self, role: &RoleRequest, accept: impl Fn(SessionEntry) -> Option<T>) -> Option<T> {
        self.cache.load(&self.session_key(role), accept)
    }

    /// The cached ARN of this access key's owner.
    pub fn caller_arn(&self, access_key_id: &str) -> Option<String> {
        let now = self.world.clock.now();
        self.cache.load(&self.caller_key(access_key_id), |entry: CallerEntry| entry.is_fresh(now).then_some(entry.arn))
    }

    pub fn store_caller_arn(&self, access_key_id: &str, arn: &str) {
        let about = self.about(None, SessionIdentity::default());
        let entry = CallerEntry::new(arn.to_owned(), self.world.clock.now(), about);
        self.cache.store(&self.caller_key(access_key_id), &entry);
    }

    pub fn store_session(&self, role: &RoleRequest, entry: &SessionEntry) {
        self.cache.store(&self.session_key(role), entry);
    }

    /// Stores the session and token, which have been checked, and records which process they are given to.
    pub fn store(&self, session: &Session, status: &Status, signed_at: SystemTime) {
        if let (Some(role), Some(entry)) = (&self.ask.roles.last, &session.to_store) {
            self.store_session(role, entry);
        }
        // If the local clock is wrong, the token's expiry would be wrong once the clock is corrected.
        if session.signer.clock_skew == 0 {
            let about = self.about(Some(self.ask.cluster.to_string()), session.identity.clone());
            let entry = TokenEntry::new(status, signed_at, about);
            self.cache.store(&self.token_key, &entry);
        }
        if let Some(client) = self.world.client {
            self.cache.record(&self.token_key, client, signed_at);
        }
        self.cache.sweep(signed_at);
    }

    /// Decides what to do with the token that client-go would get.
    pub fn judge(&self, entry: &TokenEntry, now: SystemTime) -> Verdict {
        let Some(client) = self.world.client else { return Verdict::Serve };
        self.cache.judge(&self.token_key, client, entry.signed_at(), now)
    }

    /// Tries to get the lock to call AWS for this key.
    pub fn take_turn(&self, turn: &Key) -> Turn {
        self.cache.take_turn(turn)
    }

    /// Whether anything can be stored at all.
    pub fn can_store(&self) -> bool {
        self.cache.can_store()
    }

    /// The key of the lock shared by processes that would make the same call to AWS: for a session of the same role,
    /// regardless of the cluster, if sessions are cached; and by processes that would ask for the same MFA code,
    /// regardless of what follows.
    pub fn turn_key(&self) -> Key {
        let roles = &self.ask.roles;
        self.turn_key_for(roles.with_mfa().or(roles.last.as_ref()))
    }

    /// The error of another process that asked for the same role since then.
    pub fn failure_since(&self, waiting_since: SystemTime) -> Option<Explanation> {
        let now = self.world.clock.now();
        self.cache.load(&self.failure_key(), |entry: FailureEntry| entry.since(waiting_since, now))
    }

    pub fn store_failure(&self, failure: Explanation) {
        let entry = FailureEntry::new(failure, self.world.clock.now());
        self.cache.store(&self.failure_key(), &entry);
    }

    /// Token files are read again some time after they were fingerprinted. If they changed in between, the result may
    /// belong to another identity, so nothing is stored.
    pub fn disable_cache_if_login_changed(&mut self) {
        if !self.is_login_unchanged() {
            self.cache = Cache::none();
        }
    }

    /// Continues with the current login.
    pub fn refresh_fingerprint(&mut self) {
        self.identity = fingerprint(self.ask, self.world);
        self.token_key = token_key(self.ask, &self.identity);
    }

    pub fn is_login_unchanged(&self) -> bool {
        fingerprint(self.ask, self.world) == self.identity
    }

    /// Describes an entry to its owner.
    pub fn about(&self, cluster: Option<String>, who: SessionIdentity) -> Description {
        let source = &self.ask.source;
        let identity = match &source.base {
            Base::Keys(keys) if source.is_environment_keys() => format!("key {}", keys.id()),
            _ if source.is_from_profile() => format!("profile {}", source.choice.name),
            _ => source.name(),
        };
        let (role, session_name) = (who.role, who.session_name);
        Description { cluster, role, session_name, region: self.ask.endpoint.region.to_string(), identity }
    }

    fn session_key(&self, role: &RoleRequest) -> Key {
        Key::session(&self.identity, &self.ask.endpoint, role)
    }

    fn caller_key(&self, access_key_id: &str) -> Key {
        Key::caller(&self.identity, &self.ask.endpoint, access_key_id)
    }

    /// A failure is shared only with processes that want the same role.
    fn failure_key(&self) -> Key {
        self.turn_key_for(self.ask.roles.last.as_ref())
    }

    fn turn_key_for(&self, role: Option<&RoleRequest>) -> Key {
        let key = match role {
            Some(role) if self.ask.cache == CacheMode::All => self.session_key(role),
            _ => self.token_key,
        };
        let variables = [&vars::PROXIES[..], &vars::NO_PROXY, &vars::SYSTEM_CERTIFICATES, &[vars::AWS_CA_BUNDLE]];
        let network = variables.into_iter().flatten();
        Key::turn(&key, network.map(|name| self.world.env.get_os(name).unwrap_or_default()))
    }
}

fn token_key(ask: &Ask, identity: &Fingerprint) -> Key {
    let Ask { endpoint, roles, cluster, .. } = ask;
    Key::token(identity, endpoint, roles.last.as_ref(), cluster)
}

fn fingerprint(ask: &Ask, world: &World) -> Fingerprint {
    let World { env, user_id, host_name, .. } = world;
    let path = env.get_os(vars::PATH).map(OsStr::to_string_lossy);
    let is_file = |name: &str| Path::new(name).is_file();
    let depends = |command: &Secret| depends_on_directory(command.expose(), path.as_deref(), is_file);
    let depends_on_directory = ask.source.process().is_some_and(depends);
    let place = Place {
        effective_uid: *user_id,
        host_name: host_name.clone(),
        working_directory: depends_on_directory
            .then(|| this_process::working_directory().unwrap_or_default().into_os_string()),
    };
    Fingerprint::new(&place, env, &ask.source, &ask.endpoints, &token_files(env, &ask.source))
}
