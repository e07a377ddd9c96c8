//! The cache on disk. Three kinds of entry, each with its reason:
//!
//! - a **token**, per identity, role and cluster: reusing it makes the next kubectl instant here and at the API server;
//! - a **role session**, per identity and role: one AssumeRole serves every cluster, and the next token needs no network;
//! - a **caller**, per access key: the name for the session, so that it is not asked for again when a session ends.
//!
//! Nothing that goes wrong here fails a call: what cannot be read is a miss, what cannot be written is not kept.

pub mod entry;
pub mod key;
pub mod store;

use std::path::PathBuf;

use crate::env::Env;
use crate::error::Warning;
use crate::request::CacheMode;
use entry::{Entry, Kind};
use key::Key;
use store::{Store, Unusable};

/// The directories that may hold entries, best first.
pub struct Cache {
    mode: CacheMode,
    stores: Vec<Store>,
}

impl Cache {
    /// Opens what is there; creates nothing yet. A directory that is unsafe to use is left out, with a warning.
    pub fn open(env: &Env, mode: CacheMode, warnings: &mut Vec<Warning>) -> Self {
        let mut stores = Vec::new();
        if mode != CacheMode::Off {
            for directory in directories(env) {
                match Store::open(directory) {
                    Ok(store) => stores.push(store),
                    Err(Unusable { directory, why }) => {
                        warnings.push(Warning::CacheNotUsed { directory: directory.display().to_string(), why });
                    }
                }
            }
        }
        Cache { mode, stores }
    }

    /// One that has nothing and keeps nothing.
    pub fn none() -> Self {
        Cache { mode: CacheMode::Off, stores: Vec::new() }
    }

    /// The entry under this key, from the first directory that has a sound one.
    pub fn load<E: Entry>(&self, key: &Key) -> Option<E> {
        let name = file_name::<E>(key);
        self.stores.iter().find_map(|store| entry::parse(key, &store.read(&name)?))
    }

    /// Keeps an entry, if it is of a kind that may be kept, in the first directory that takes it.
    pub fn store<E: Entry>(&self, key: &Key, entry: &E) {
        if E::KIND == Kind::Session && self.mode != CacheMode::All {
            return;
        }
        let bytes = entry::render(key, entry);
        let name = file_name::<E>(key);
        let _kept = self.stores.iter().any(|store| store.write(&name, &bytes).is_ok());
    }
}

/// Named after the whole digest: two keys never share a file.
fn file_name<E: Entry>(key: &Key) -> String {
    format!("{}-{key}", E::KIND.as_str())
}

/// The directory that the user names, alone; or the user's cache directory and, where that cannot be written or there
/// is no home, the runtime directory of the login. Never one that others can write, such as /tmp.
fn directories(env: &Env) -> Vec<PathBuf> {
    if let Some(directory) = env.get_os("EKS_GROUP_AUTH_CACHE_DIR") {
        return vec![PathBuf::from(directory)];
    }
    let own = |directory: PathBuf| directory.join("eks-group-auth");
    // `dirs` finds a home in the user database where HOME is empty; an empty HOME means that there is to be none.
    let has_home = env.home().is_some() || env.get_os("XDG_CACHE_HOME").is_some();
    let cache = has_home.then(dirs::cache_dir).flatten().map(own);
    let runtime = env.get_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute()).map(own);
    cache.into_iter().chain(runtime).collect()
}
