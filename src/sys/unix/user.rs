//! Which user this is, and where users are at home.

use std::path::PathBuf;

use rustix::process::geteuid;

/// The effective user id.
pub fn id() -> u32 {
    geteuid().as_raw()
}

/// Where the user database says that this user is at home.
pub fn home() -> Option<PathBuf> {
    dirs::home_dir()
}

/// Where it says that somebody else is.
pub fn home_of(name: &str) -> Option<PathBuf> {
    nix::unistd::User::from_name(name).ok().flatten().map(|user| user.dir)
}

/// Where this user's programs keep what they can get again.
pub fn cache_directory() -> Option<PathBuf> {
    dirs::cache_dir()
}
