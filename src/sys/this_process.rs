//! The arguments, environment and working directory of this process.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use super::env::Env;
use super::{user, vars};

/// Its environment.
#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
pub fn environment() -> Env {
    let env: Env = std::env::vars_os().collect();
    let home = if env.get_raw(vars::HOME).is_none() { user::home() } else { None };
    env.with_home_of_user(home)
}

/// Its arguments, starting with the program's name.
#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
pub fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// Its working directory.
#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
pub fn working_directory() -> io::Result<PathBuf> {
    std::env::current_dir()
}
