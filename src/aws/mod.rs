//! Who am I, and what does AWS say?

/// Who credentials belong to, as STS says.
pub mod caller_identity;
/// The way to AWS: runtime, HTTP client, deadline.
pub mod connection;
/// Dates in all their spellings.
pub mod dates;
/// Whether a credential_process depends on the working directory.
pub mod directory_words;
/// The host of STS that stands in a token.
pub mod endpoint;
/// Where AWS is asked, if elsewhere than at its own addresses.
pub mod endpoints;
/// What can go wrong between a person and AWS.
pub mod error;
/// What a call that failed means.
pub mod failure;
/// Reading the files that decide who the caller is.
pub mod files;
/// Who could be calling: the fingerprint of the credential source.
pub mod fingerprint;
/// TLS, proxies, certificate authorities.
pub mod http;
/// Access keys, and what shows that they cannot be right.
pub mod keys;
/// Whether somebody is logged in.
pub mod login;
/// Cluster names, role ARNs, session names, external ids.
pub mod names;
/// Which sections of the AWS files are which profile, and what it says.
pub mod profile;
/// Base credentials from the source; runtime and deadline for all that uses a network.
pub mod providers;
/// What AWS says no to, and why.
pub mod refusal;
/// Regions and the partitions that they belong to.
pub mod region;
/// A role to assume, and all that the AssumeRole call says of it.
pub mod role;
/// What signs a request.
pub mod signer;
/// Where the caller's credentials come from: the one answer.
pub mod source;
/// A file as it was found.
pub mod source_file;
/// What is in a token file of `aws sso login`.
pub mod sso_token;
/// GetCallerIdentity and AssumeRole.
pub mod sts;
