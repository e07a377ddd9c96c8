//! The house of `eks-group-auth`, a kubectl credential plugin for Amazon EKS. This library exists for the
//! binary and its tests; it promises no public API.
//!
//! One call, from the top:
//!
//! ```text
//! cli, sys::env ─► kube::exec::ExecInfo ─► aws::files, aws::profile ─► aws::source::CredentialSource
//!     ─► commands::token::request ─► aws::fingerprint ─► cache::Cache
//!
//!     token: cached token? ── hit ─► print
//!                │ miss
//!            cached role session? ── hit ─► presign ─► token (checked) ─► store ─► print
//!                │ miss: take the lock, or wait for the process that has it and look again
//!            aws::providers, aws::sts (caller identity, AssumeRole) ─► store ─► presign ─► token ─► store ─► print
//! ```
//!
//! `commands::token` is the only module that knows this order, and `aws::source` the only one that knows where the caller's
//! credentials come from.

#![forbid(unsafe_code)]

/// Who am I, and what does AWS say?
pub mod aws;
/// The cache on disk: keys, entries, and the directory that holds them.
pub mod cache;
/// What may be typed, in all its spellings.
pub mod cli;
/// One story a verb.
pub mod commands;
/// What kubectl and a cluster understand.
pub mod kube;
/// What a person sees.
pub mod say;
/// The system that the program runs on.
pub mod sys;
