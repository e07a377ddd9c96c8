//! What a person sees.

/// Every sentence that a user can meet, with its hint and its exit code.
pub mod error;
/// A string that does not print.
pub mod secret;
/// What `-v` says.
pub mod verbose;
/// Words as a shell splits them.
pub mod words;
