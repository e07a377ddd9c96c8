//! The system that the program runs on, behind names that do not say which one it is. Nothing else in the house asks for
//! the platform, and nothing here knows the rest of the house.

/// The clock, as a value.
pub mod clock;
/// The environment, as a value.
pub mod env;
/// Paths as people write them.
pub mod path;
/// Asking a person, with a time limit.
pub mod terminal;
/// What this process was started with.
pub mod this_process;
/// Every environment variable that this program knows.
pub mod vars;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;

pub use platform::{child, directory, file, limits, machine, process, user};
