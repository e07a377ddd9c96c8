//! Black-box tests: the real binary, and the real kubectl if there is one, against a loopback STS and cluster.

#![allow(clippy::disallowed_methods, reason = "tests read the clock and the environment themselves")]

#[path = "../support/mod.rs"]
mod support;

/// The output on stdout: ExecCredential, bare token, versions, expiration.
mod answers;
/// Other programs' options that occur in kubeconfigs.
mod arguments;
/// What is cached, for how long, and in which files.
mod cache;
/// Real-world files, arguments and environments, as data.
mod cases;
/// The tests' own children: one that hangs is killed and named.
mod children;
/// Messages about the config and credentials files and the sources in them.
mod config_files;
/// A profile's credential_process: its arguments, its output and its termination.
mod credential_process;
/// Where base credentials come from.
mod credentials;
/// Each error: exact stderr, empty stdout, exit code.
mod errors;
/// Architecture rules: imports, purity, platform.
mod house;
/// A cached token is never served to another identity, role or cluster.
mod identity;
/// install.sh: its checks, its messages and the files it installs.
mod install;
/// Tokens and URLs, compared byte for byte with other tools; every partition's hosts.
mod known_answers;
/// The whole chain with every kubectl on the machine.
mod kubectl;
/// Console sessions of `aws login`.
mod login;
/// MFA codes, asked for on a terminal.
mod mfa;
/// Endpoint overrides, CA bundles, proxies, deadlines.
mod network;
/// Parsing the config and credentials files, compared with botocore.
mod reader;
/// Several roles: the first permitted one is used.
mod roles;
/// The name that the cluster's audit log shows.
mod session_name;
/// The arguments of the AWS CLI and of aws-iam-authenticator.
mod spellings;
/// Detecting a missing SSO login without any network call.
mod sso;

use support::account::Account;
