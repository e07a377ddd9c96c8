//! Credentials, and calls to AWS.

/// The owner of credentials, according to STS.
pub mod caller_identity;
/// The connection to AWS: runtime, HTTP client, deadline.
pub mod connection;
/// Date formats.
pub mod dates;
/// Whether a credential_process depends on the working directory.
pub mod directory_words;
/// The STS host in a token.
pub mod endpoint;
/// Custom AWS endpoints.
pub mod endpoints;
/// Errors in settings and credentials, and in AWS's responses.
pub mod error;
/// Interpreting failed calls.
pub mod failure;
/// Reads the files that determine the caller.
pub mod files;
/// The fingerprint of the credential source.
pub mod fingerprint;
/// TLS, proxies, certificate authorities.
pub mod http;
/// Access keys, and checks for keys that cannot be right.
pub mod keys;
/// Checks whether the user is logged in.
pub mod login;
/// Cluster names, role ARNs, session names, external ids.
pub mod names;
/// Profiles in the AWS files.
pub mod profile;
/// Base credentials from the credential source.
pub mod providers;
/// Refusals by AWS, and their reasons.
pub mod refusal;
/// Regions and their partitions.
pub mod region;
/// A role to assume, with the parameters of the AssumeRole call.
pub mod role;
/// Credentials for signing requests.
pub mod signer;
/// The source of the caller's credentials.
pub mod source;
/// A file as found on disk.
pub mod source_file;
/// The token file written by `aws sso login`.
pub mod sso_token;
/// GetCallerIdentity and AssumeRole.
pub mod sts;
