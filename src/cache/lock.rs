//! Single flight: of the processes that miss the same entry at the same time, one asks AWS and the others wait for
//! what it gets. A lock is the kernel's, so it ends with its process however that ends; whoever cannot lock, or has
//! waited long enough, goes on without.

use std::fs::{File, TryLockError};
use std::time::Duration;

use crate::cache::key::Key;
use crate::sys::directory::PrivateDirectory;

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: Option<File>,
}

#[derive(Debug)]
pub enum Turn {
    /// This process asks AWS.
    Ours(Lock),
    /// Another one is asking.
    Anothers,
}

impl Lock {
    /// Tries to get the lock for a key, in the first directory that has locks. Where none has, as on some network file
    /// systems, everybody's turn is now.
    pub fn try_take(stores: &[PrivateDirectory], key: &Key) -> Turn {
        let name = lock_name(key);
        for store in stores {
            let Ok(file) = store.open_private(&name) else { continue };
            match file.try_lock() {
                Ok(()) => return Turn::Ours(Lock { file: Some(file) }),
                Err(TryLockError::WouldBlock) => return Turn::Anothers,
                Err(TryLockError::Error(_)) => {}
            }
        }
        Turn::Ours(Lock::none())
    }

    pub fn none() -> Self {
        Lock { file: None }
    }

    /// Whether others wait while this lives.
    pub fn is_held(&self) -> bool {
        self.file.is_some()
    }
}

/// A lock file is never deleted, or two processes could hold "the same" lock. So that there are not as many as there
/// ever were keys, 64 files serve all keys: two that share one wait for each other, which is slower and nothing else.
fn lock_name(key: &Key) -> String {
    format!("lock-{:02}", key.as_bytes()[0] % 64)
}

/// How long to sleep before looking again. Apart enough that fifty processes do not keep two cores busy, and not in step.
pub fn pause() -> Duration {
    Duration::from_millis(fastrand::u64(4..=12))
}
