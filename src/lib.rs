//! The house of `eks-group-auth`, a kubectl credential plugin for Amazon EKS. This library exists for the
//! binary and its tests; it promises no public API.
//!
//! One call, from the top:
//!
//! ```text
//! cli, env ─► exec_credential::ExecInfo ─► source_files, profile_files ─► credential_source::CredentialSource
//!     ─► request::TokenRequest ─► identity::Fingerprint ─► cache::Cache
//!
//!     get_token: cached token? ── hit ─► print
//!                    │ miss
//!                cached role session? ── hit ─► presign ─► token (checked) ─► store ─► print
//!                    │ miss: take the lock, or wait for the process that has it and look again
//!                credentials, sts (caller identity, AssumeRole) ─► store ─► presign ─► token ─► store ─► print
//! ```
//!
//! `get_token` is the only module that knows this order, and `credential_source` the only one that knows where the caller's
//! credentials come from. Files that touch neither disk, network nor clock: `aws_file`, `aws_keys`, `credential_source`,
//! `dates`, `directory_words`, `endpoints`, `exec_credential`, `identity`, `names`, `profile_files`, `region`, `request`,
//! `sso_token`, `cache::key`, `cache::entry`, `presign`, `token`, `words`.

#![forbid(unsafe_code)]

/// The grammar of AWS's config and credentials files.
pub mod aws_file;
/// Access keys, and what shows that they cannot be right.
pub mod aws_keys;
/// The cache on disk: keys, entries, and the directory that holds them.
pub mod cache;
/// `eks-group-auth cache`: path, list, clear.
pub mod cache_command;
/// What may be typed, in all its spellings.
pub mod cli;
/// A profile's `credential_process`: its words, its time, its output.
pub mod credential_process;
/// Where the caller's credentials come from: the one answer.
pub mod credential_source;
/// Base credentials from that source; runtime and deadline for all that uses a network.
pub mod credentials;
/// Dates in all their spellings.
pub mod dates;
/// Whether a credential_process depends on the working directory.
pub mod directory_words;
/// Where AWS is asked, if elsewhere than at its own addresses.
pub mod endpoints;
/// The environment, read once.
pub mod env;
/// Every sentence that a user can meet, with its hint and its exit code.
pub mod error;
/// `ExecInfo` in, `ExecCredential` out: what client-go and a plugin say to each other.
pub mod exec_credential;
/// The story of one call.
pub mod get_token;
/// TLS, proxies, certificate authorities.
pub mod http_client;
/// Who could be calling: the fingerprint of the credential source.
pub mod identity;
/// Whether somebody is logged in.
pub mod login;
/// Asking for an MFA code.
pub mod mfa;
/// Cluster names, role ARNs, session names, external ids.
pub mod names;
/// The arguments that kubeconfigs hold, understood without clap.
pub mod plain_args;
/// The presigned GetCallerIdentity URL.
pub mod presign;
/// Which sections of the AWS files are which profile, and what it says.
pub mod profile_files;
/// Regions and the partitions that they belong to.
pub mod region;
/// What is meant: arguments, environment and profile made into one checked request.
pub mod request;
/// A string that does not print.
pub mod secret;
/// Reading the files that decide who the caller is.
pub mod source_files;
/// What is in a token file of `aws sso login`.
pub mod sso_token;
/// GetCallerIdentity and AssumeRole.
pub mod sts;
/// The token, and the rules by which a cluster accepts one.
pub mod token;
/// What `-v` says.
pub mod verbose;
/// Words as a shell splits them.
pub mod words;
