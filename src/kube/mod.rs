//! What kubectl and a cluster understand.

/// What can go wrong between kubectl, this program and a cluster.
pub mod error;
/// `ExecInfo` in, `ExecCredential` out: what client-go and a plugin say to each other.
pub mod exec;
/// The presigned GetCallerIdentity URL.
pub mod presign;
/// The token, and the rules by which a cluster accepts one.
pub mod token;
