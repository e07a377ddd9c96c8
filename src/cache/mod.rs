//! The on-disk cache. It has three kinds of entry:
//!
//! - a **token**, per identity, role and cluster: reusing it makes the next kubectl instant here and at the API server;
//! - a **role session**, per identity and role: one AssumeRole serves every cluster, and the next token needs no
//!   network call;
//! - a **caller**, per access key: the name for the session, so that STS is not asked for it again when a session
//!   expires.
//!
//! In addition, there are lock files, records of what client-go asked for last (`asked`), and errors of processes that
//! others were waiting for.
//!
//! Nothing that goes wrong here fails a call: an entry that cannot be read is a miss, and one that cannot be written is
//! not stored.

/// Detects whether client-go asks again because the cluster refused the token.
pub mod asked;
/// The serialized form of an entry.
pub mod entry;
/// Errors of the `cache` subcommand.
pub mod error;
/// The key of an entry.
pub mod key;
/// The lock for calling AWS.
pub mod lock;
/// How long entries are valid.
pub mod policy;

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::say::Say;
use crate::say::warning::Warning;
use crate::sys::directory::{PrivateDirectory, UnsafeDirectory};
use crate::sys::env::Env;
use crate::sys::file::{read_start, write_in_place};
use crate::sys::process::Process;
use crate::sys::{user, vars};
use asked::{RequestLog, Verdict};
use entry::{Entry, Kind};
use key::Key;
use lock::{Lock, Turn};
use policy::CacheMode;

/// The directories that may contain entries, in order of preference.
pub struct Cache {
    mode: CacheMode,
    stores: Vec<PrivateDirectory>,
}

impl Cache {
    /// Opens the existing directories and creates none yet. An unsafe directory is skipped with a warning.
    pub fn open(env: &Env, mode: CacheMode, say: &Say) -> Self {
        let mut stores = Vec::new();
        if mode != CacheMode::Off {
            for directory in directories(env) {
                if !directory.is_absolute() {
                    let why = "it is not an absolute path".into();
                    say.warn(Warning::CacheNotUsed { directory: directory.display().to_string(), why });
                    continue;
                }
                match PrivateDirectory::open(directory) {
                    Ok(store) => stores.push(store),
                    Err(UnsafeDirectory { directory, why }) => {
                        say.warn(Warning::CacheNotUsed { directory: directory.display().to_string(), why });
                    }
                }
            }
        }
        Cache { mode, stores }
    }

    /// A cache that is always empty.
    pub fn none() -> Self {
        Cache { mode: CacheMode::Off, stores: Vec::new() }
    }

    /// What `accept` makes of the entry under this key, from the first directory with an acceptable one: an old entry
    /// in a directory that has become read-only must not hide a valid one in the next.
    pub fn load<E: Entry, T>(&self, key: &Key, accept: impl Fn(E) -> Option<T>) -> Option<T> {
        let name = file_name::<E>(key);
        self.stores.iter().find_map(|store| accept(entry::parse(key, &store.read(&name, entry::MAX_LEN)?)?))
    }

    /// Stores an entry, if its kind may be cached, in the first directory that accepts it.
    pub fn store<E: Entry>(&self, key: &Key, entry: &E) {
        if E::KIND == Kind::Session && self.mode != CacheMode::All {
            return;
        }
        let bytes = entry::render(key, entry);
        let name = file_name::<E>(key);
        let _kept = self.stores.iter().any(|store| store.write(&name, &bytes).is_ok());
    }

    /// Tries to get the lock for calling AWS on behalf of this key.
    pub fn take_turn(&self, key: &Key) -> Turn {
        Lock::try_take(&self.stores, key)
    }

    /// Decides what to do with the token under this key, signed at `signed_at`, that a client process would get.
    pub fn judge(&self, key: &Key, client: Process, signed_at: u64, now: SystemTime) -> Verdict {
        let Some(file) = self.asked_file(key) else { return Verdict::Serve };
        let mut asked = read_asked(&file);
        // One second of tolerance: both times are truncated.
        let latest = |then| UNIX_EPOCH + Duration::from_secs(then) + Duration::from_secs(1);
        // In a container, every command may have process id 1.
        let is_another = |then| client.started(now).is_some_and(|start| start > latest(then));
        // If its arguments are unknown, a command that reads stdin costs one extra signature.
        let may_repeat = || client.arguments().is_some_and(|arguments| asked::reads_stdin(&arguments));
        let verdict = asked.judge(client.id(), signed_at, entry::seconds(now), is_another, may_repeat);
        write_asked(&file, &asked);
        verdict
    }

    /// Records that a client process is given a new token.
    pub fn record(&self, key: &Key, client: Process, signed_at: SystemTime) {
        if let Some(file) = self.asked_file(key) {
            let mut asked = read_asked(&file);
            asked.record(client.id(), entry::seconds(signed_at), entry::seconds(signed_at));
            write_asked(&file, &asked);
        }
    }

    /// Whether anything can be stored at all: a full disk may support locks but nothing else.
    pub fn can_store(&self) -> bool {
        self.stores.iter().any(|store| store.write("probe", b"x").is_ok())
    }

    fn asked_file(&self, key: &Key) -> Option<File> {
        self.stores.iter().find_map(|store| store.open_private(&format!("asked-{key}")).ok())
    }

    /// Removes long-expired files, at most once an hour and not too many at once.
    pub fn sweep(&self, now: SystemTime) {
        for store in self.stores.iter().filter(|store| store.exists()) {
            let Ok(marker) = store.open_private("swept") else { continue };
            let last = marker
                .metadata()
                .ok()
                .filter(|metadata| metadata.len() > 0)
                .and_then(|metadata| metadata.modified().ok());
            if !policy::is_sweep_due(last, now) {
                continue;
            }
            let is_stale =
                |name: &String| store.modified(name).is_some_and(|written| policy::is_stale(name, written, now));
            let stale: Vec<String> = store.names().into_iter().filter(is_stale).collect();
            let removed = stale.iter().take(policy::SWEEP_AT_ONCE).filter(|name| store.remove(name)).count();
            if stale.len() <= policy::SWEEP_AT_ONCE || removed == 0 {
                let _ = write_in_place(&marker, b"1").and_then(|()| marker.set_modified(now));
            }
        }
    }

    pub fn stores(&self) -> &[PrivateDirectory] {
        &self.stores
    }
}

/// The default value if the file is empty or invalid.
fn read_asked(file: &File) -> RequestLog {
    let mut buffer = [0; asked::MAX_LEN];
    let len = read_start(file, &mut buffer).unwrap_or(0);
    RequestLog::parse(&buffer[..len]).unwrap_or_default()
}

fn write_asked(file: &File, asked: &RequestLog) {
    let _ = write_in_place(file, asked.render().as_bytes());
}

/// The name contains the whole digest, so two keys never share a file.
fn file_name<E: Entry>(key: &Key) -> String {
    format!("{}-{key}", E::KIND.as_str())
}

/// Only the directory set by the user, or else the user's cache directory and, if that cannot be written or there is no
/// home directory, the login's runtime directory. Never a directory that other users can write to, such as /tmp.
pub fn directories(env: &Env) -> Vec<PathBuf> {
    if let Some(directory) = env.get_os(vars::EKS_GROUP_AUTH_CACHE_DIR) {
        return vec![PathBuf::from(directory)];
    }
    let own = |directory: PathBuf| directory.join("eks-group-auth");
    // The user database has a home directory even if HOME is empty, but an empty HOME means no home directory.
    let has_home = env.home().is_some_and(|home| home.is_absolute()) || env.get_os(vars::XDG_CACHE_HOME).is_some();
    let cache = has_home.then(user::cache_directory).flatten().map(own);
    let runtime = env.get_os(vars::XDG_RUNTIME_DIR).map(PathBuf::from).filter(|path| path.is_absolute()).map(own);
    cache.into_iter().chain(runtime).collect()
}
