//! The house of `eks-group-auth`, a kubectl credential plugin for Amazon EKS. This library exists for the
//! binary and its tests; it promises no public API.
//!
//! | room | subject |
//! |---|---|
//! | [`cli`] | what may be typed |
//! | [`commands`] | one story a verb |
//! | [`cache`] | what is kept on disk |
//! | [`kube`] | what kubectl and a cluster understand |
//! | [`aws`] | who am I, and what does AWS say? |
//! | [`say`] | what a person sees |
//! | [`sys`] | the system that the program runs on |
//!
//! Imports run down: `commands` may use every room, `cache` and `kube` the values of `aws`, all of them `say` and `sys`;
//! `cli` and `sys` know nothing of the rest. `tests/plugin/house.rs` holds this, and the list of the files that are pure.
//!
//! One call, from the top; [`commands::token`] tells it on one screen:
//!
//! ```text
//! World::read ─► Ask::resolve ─► cached? ── hit ─► answer
//!                                   │ miss
//!                             Turn::wait ── another process got it ─► answer
//!                                   │ ours
//!                                 obtain (credentials, roles) ─► sign ─► keep ─► answer
//! ```

#![forbid(unsafe_code)]

pub mod aws;
pub mod cache;
pub mod cli;
pub mod commands;
pub mod kube;
pub mod say;
pub mod sys;
