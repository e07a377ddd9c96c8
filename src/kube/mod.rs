//! The formats and rules of kubectl and the cluster.

/// Errors between kubectl, this program and the cluster.
pub mod error;
/// The protocol between client-go and a plugin: `ExecInfo` in, `ExecCredential` out.
pub mod exec;
/// The presigned GetCallerIdentity URL.
pub mod presign;
/// The token, and the cluster's rules for accepting one.
pub mod token;
