//! The library behind `eks-group-auth`, a kubectl credential plugin for Amazon EKS. It exists for the binary and its
//! tests and has no stable public API.
//!
//! | module | purpose |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`commands`] | one module per subcommand |
//! | [`cache`] | the on-disk cache |
//! | [`kube`] | the formats and rules of kubectl and the cluster |
//! | [`aws`] | credentials, and calls to AWS |
//! | [`say`] | user-facing output |
//! | [`sys`] | the operating system |
//!
//! Imports only go down: `commands` may use every module, `cache` and `kube` may use the value types of `aws`, and all
//! of them may use `say` and `sys`; `cli` and `sys` depend on no other module. `tests/plugin/house.rs` enforces this
//! and lists the pure files.
//!
//! The flow of one call, implemented in [`commands::token`]:
//!
//! ```text
//! World::read ─► Ask::resolve ─► cached? ── hit ─► print
//!                                   │ miss
//!                             Turn::wait ── another process got it ─► print
//!                                   │ ours
//!                                 obtain (credentials, roles) ─► sign ─► store ─► print
//! ```

#![forbid(unsafe_code)]

pub mod aws;
pub mod cache;
pub mod cli;
pub mod commands;
pub mod kube;
pub mod say;
pub mod sys;
