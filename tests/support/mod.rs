//! What the tests and the demo stand on: a loopback STS, a loopback API server, and ways to run the real binary and
//! the real kubectl against them. None of it uses this project's own code or the AWS SDK: a signer that checks
//! itself proves nothing.

#![allow(dead_code, reason = "each of the targets that include this uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "tests read the clock and the environment themselves")]

/// The account that most tests are about.
pub mod account;
/// The AWS CLI, called many times.
pub mod aws_cli;
/// Child processes that end.
pub mod child;
/// client-go's part, where there is no kubectl.
pub mod client_go;
/// A Kubernetes API server on loopback, with the authenticator of an EKS cluster.
pub mod cluster;
/// Modes of files, and files that are none.
pub mod files;
/// HTTP/1.1 over TCP or TLS, one thread a connection.
pub mod http;
/// Finding kubectl, and kubeconfigs for it.
pub mod kubectl;
/// Running the plugin with a scrubbed environment.
pub mod plugin;
/// Signature Version 4, verifying side.
pub mod sigv4;
/// A profile of IAM Identity Center, and its portal's answer.
pub mod sso;
/// STS on loopback: users, groups, roles, sessions.
pub mod sts;
/// The program at a terminal, and a person who answers what it asks there.
pub mod terminal;
/// The account of the cases in `tests/cases`.
pub mod world;
