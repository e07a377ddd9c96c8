//! The system that the program runs on.

/// The environment, read once.
pub mod env;
