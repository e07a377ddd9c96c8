//! The current user, and home directories.

use std::path::PathBuf;

use rustix::process::geteuid;

/// The effective user id.
pub fn id() -> u32 {
    geteuid().as_raw()
}

/// The current user's home directory, from the user database.
pub fn home() -> Option<PathBuf> {
    dirs::home_dir()
}

/// Another user's home directory, from the user database.
pub fn home_of_user(name: &str) -> Option<PathBuf> {
    nix::unistd::User::from_name(name).ok().flatten().map(|user| user.dir)
}

/// The user's cache directory.
pub fn cache_directory() -> Option<PathBuf> {
    dirs::cache_dir()
}
