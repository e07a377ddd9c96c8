//! Warnings: problems worth a line that do not fail a call.

use std::fmt;

use super::text::shown;

/// Printed once, after everything else.
#[derive(Debug)]
pub enum Warning {
    /// The cache directory is not trustworthy, or its path is relative.
    CacheNotUsed { directory: String, why: String },
    /// STS could not be reached, but the cached session is still valid.
    SessionNotRenewed { why: String, minutes_left: u64 },
    /// The requested region differs from the one in the host name of the API server given by client-go.
    RegionMismatch { requested: String, server: String },
    /// Two variables name different profiles.
    ConflictingProfiles { used: String, ignored: String },
    /// An argument of another program that has no effect here.
    NoEffect { argument: &'static str, why: &'static str },
    /// client-go asked again for the token it had just been given.
    TokenRequestedAgain { cluster: String, role: Option<String> },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("eks-group-auth: warning: ")?;
        match self {
            Warning::CacheNotUsed { directory, why } => {
                write!(
                    f,
                    "cache directory `{}` is not used: {}; set EKS_GROUP_AUTH_CACHE_DIR to a directory of your own \
                     with mode 0700",
                    shown(directory),
                    shown(why)
                )
            }
            Warning::RegionMismatch { requested, server } => {
                write!(
                    f,
                    "the requested region is `{}`, but the cluster's API server is in `{}`: correct `--region` in the \
                     exec block's args, or remove it",
                    shown(requested),
                    shown(server)
                )
            }
            Warning::ConflictingProfiles { used, ignored } => {
                write!(
                    f,
                    "AWS_PROFILE is `{}` and AWS_DEFAULT_PROFILE is `{}`: AWS_PROFILE is used; unset the one you do \
                     not want",
                    shown(used),
                    shown(ignored)
                )
            }
            Warning::NoEffect { argument, why } => write!(f, "`{argument}` has no effect: {why}"),
            Warning::TokenRequestedAgain { cluster, role } => {
                let who = role.as_ref().map_or("your own identity".into(), |role| format!("`{}`", shown(role)));
                write!(
                    f,
                    "kubectl asked for another token, so the cluster probably refused the last one: is `{}` exactly \
                     the cluster's name, and does the cluster map {who}?",
                    shown(cluster)
                )
            }
            Warning::SessionNotRenewed { why, minutes_left } => {
                write!(
                    f,
                    "could not renew the role session, which is valid for another {minutes_left} min: {}",
                    shown(why)
                )
            }
        }
    }
}
