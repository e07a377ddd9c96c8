//! Platform-independent access to the operating system. No other module depends on the platform, and this one does not
//! depend on any other.

/// The clock as a value.
pub mod clock;
/// The environment as a value.
pub mod env;
/// Paths as users write them.
pub mod path;
/// Reading from the user, with a time limit.
pub mod terminal;
/// The arguments, environment and working directory of this process.
pub mod this_process;
/// Every environment variable this program knows.
pub mod vars;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;

pub use platform::{child, directory, file, limits, machine, process, user};
