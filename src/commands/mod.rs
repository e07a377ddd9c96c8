//! One story a verb.

/// `eks-group-auth cache`: path, list, clear.
pub mod cache;
/// The story of one call.
pub mod token;
