//! Black-box tests: the real binary, and the real kubectl where there is one, against a loopback STS and cluster.

#![allow(clippy::disallowed_methods, reason = "tests read the clock and the environment themselves")]

#[path = "../support/mod.rs"]
mod support;

/// What is printed on stdout: ExecCredential, bare token, versions, expiration.
mod answers;
/// Options of other programs that stand in kubeconfigs.
mod arguments;
/// What is kept, for how long, and in which files.
mod cache;
/// People's own files, arguments and environments, as data.
mod cases;
/// The tests' own children: one that hangs is killed and named.
mod children;
/// What is said of the config and credentials files, and of the sources in them.
mod config_files;
/// A profile's credential_process: its words, what it says, and its end.
mod credential_process;
/// Where base credentials come from.
mod credentials;
/// Each error: exact stderr, empty stdout, exit code.
mod errors;
/// The rules of the source: imports, purity, platform.
mod house;
/// Nobody is ever served what belongs to another identity, role or cluster.
mod identity;
/// install.sh: what it checks, says, and leaves behind.
mod install;
/// Tokens and URLs byte for byte, as other tools make them; every partition's hosts.
mod known_answers;
/// The whole chain with every kubectl on the machine.
mod kubectl;
/// Console sessions of `aws login`.
mod login;
/// MFA codes, asked for on a terminal.
mod mfa;
/// Endpoint overrides, CA bundles, proxies, deadlines.
mod network;
/// The config and credentials files, beside botocore.
mod reader;
/// Several roles, of which the first that is permitted is used.
mod roles;
/// The name that the cluster's audit log shows.
mod session_name;
/// The spellings of the AWS CLI and of aws-iam-authenticator.
mod spellings;
/// Who is told to log in to SSO, and that nobody is asked before.
mod sso;

use support::account::Account;
