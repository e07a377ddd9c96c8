//! The house of `eks-group-auth`, a kubectl credential plugin for Amazon EKS. This library exists for the
//! binary and its tests; it promises no public API.
//!
//! One call, from the top:
//!
//! ```text
//! cli, env ─► exec_credential::ExecInfo ─► source_files, profile ─► request::TokenRequest ─► identity::Fingerprint
//!                                                                                               │
//!     get_token: cached token? ── hit ─► print                                                  ▼
//!                    │ miss                                                               cache::Cache
//!                cached role session? ── hit ─► presign ─► token (checked) ─► store ─► print
//!                    │ miss
//!                credentials (base, caller identity, AssumeRole) ─► store ─► presign ─► token ─► store ─► print
//! ```
//!
//! `get_token` is the only file that knows this order. Files that touch neither disk, network nor clock:
//! `request`, `exec_credential`, `identity`, `profile`, `region`, `cache::key`, `cache::entry`, `presign`, `token`.

#![forbid(unsafe_code)]

/// The cache on disk: keys, entries, and the directory that holds them.
pub mod cache;
/// What may be typed, in all its spellings.
pub mod cli;
/// The AWS SDK: base credentials, caller identity, AssumeRole. The only file that uses a network.
pub mod credentials;
/// The environment, read once.
pub mod env;
/// Every sentence that a user can meet, with its hint and its exit code.
pub mod error;
/// `ExecInfo` in, `ExecCredential` out: what client-go and a plugin say to each other.
pub mod exec_credential;
/// The story of one call.
pub mod get_token;
/// Who could be calling: the fingerprint of the credential source.
pub mod identity;
/// The presigned GetCallerIdentity URL.
pub mod presign;
/// The AWS shared config and credentials files, as far as they are needed before the SDK starts.
pub mod profile;
/// Regions and the partitions that they belong to.
pub mod region;
/// What is meant: arguments, environment and profile made into one checked request.
pub mod request;
/// A string that does not print.
pub mod secret;
/// Reading the files that decide who the caller is.
pub mod source_files;
/// The token, and the rules by which a cluster accepts one.
pub mod token;
