//! Shared infrastructure for the tests and the demo: a loopback STS, a loopback API server, and helpers to run the real
//! binary and the real kubectl against them. None of it uses this project's code or the AWS SDK: a signer that verifies
//! its own signatures proves nothing.

#![allow(dead_code, reason = "each target that includes this uses only part of it")]
#![allow(clippy::disallowed_methods, reason = "tests read the clock and the environment themselves")]

/// The account used by most tests.
pub mod account;
/// The AWS CLI, called many times.
pub mod aws_cli;
/// Child processes that end.
pub mod child;
/// A stand-in for client-go if there is no kubectl.
pub mod client_go;
/// A Kubernetes API server on loopback, with the authenticator of an EKS cluster.
pub mod cluster;
/// Modes of files, and files that are none.
pub mod files;
/// HTTP/1.1 over TCP or TLS, one thread per connection.
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
/// Running the program on a terminal and answering its prompts.
pub mod terminal;
/// The account of the cases in `tests/cases`.
pub mod world;
