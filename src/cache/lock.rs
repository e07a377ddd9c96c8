//! Single flight: if several processes miss the same entry at the same time, one calls AWS and the others wait for its
//! result. The kernel owns the lock, so it is released however its process ends. A process that cannot lock, or has
//! waited long enough, continues without the lock.

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
    /// This process calls AWS.
    Ours(Lock),
    /// Another process is calling AWS.
    Anothers,
}

impl Lock {
    /// Tries to get the lock for a key, in the first directory that supports locks. If none does, as on some network
    /// file systems, every process goes ahead.
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

    /// Whether other processes may be waiting for this lock.
    pub fn is_held(&self) -> bool {
        self.file.is_some()
    }
}

/// A lock file is never deleted, or two processes could hold "the same" lock. To avoid one file per key ever used, 64
/// files serve all keys: two keys that share a file wait for each other, which is only slower.
fn lock_name(key: &Key) -> String {
    format!("lock-{:02}", key.as_bytes()[0] % 64)
}

/// How long to sleep before checking again: long enough that fifty processes do not keep two cores busy, and random so
/// that they do not run in step.
pub fn poll_interval() -> Duration {
    Duration::from_millis(fastrand::u64(4..=12))
}
