//! What is worth a line and does not stop a call.

use std::fmt;

use super::text::shown;

/// Said once, after all else.
#[derive(Debug)]
pub enum Warning {
    /// A cache directory that others could have prepared, or that depends on where one stands.
    CacheNotUsed { directory: String, why: String },
    /// STS could not be asked, but the session in hand is still good.
    SessionNotRenewed { why: String, minutes_left: u64 },
    /// The region that was asked for is not the one in the host of the cluster that client-go told.
    OtherRegion { asked: String, of_server: String },
    /// Two variables name two profiles.
    TwoProfiles { used: String, passed_over: String },
    /// An argument that another program takes and that does nothing here.
    NoEffect { argument: &'static str, why: &'static str },
    /// client-go came back for what it had just been given.
    AskedAgain { cluster: String, role: Option<String> },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("eks-group-auth: warning: ")?;
        match self {
            Warning::CacheNotUsed { directory, why } => {
                write!(
                    f,
                    "cache directory `{}` is not used: {}; let EKS_GROUP_AUTH_CACHE_DIR name a directory of your own, mode 0700",
                    shown(directory),
                    shown(why)
                )
            }
            Warning::OtherRegion { asked, of_server } => {
                write!(
                    f,
                    "the region asked for is `{}` and the cluster's server is in `{}`: correct `--region` in the args of the exec block, or leave it out",
                    shown(asked),
                    shown(of_server)
                )
            }
            Warning::TwoProfiles { used, passed_over } => {
                write!(
                    f,
                    "AWS_PROFILE is `{}` and AWS_DEFAULT_PROFILE is `{}`: the former is used; unset the one that is not meant",
                    shown(used),
                    shown(passed_over)
                )
            }
            Warning::NoEffect { argument, why } => write!(f, "`{argument}` has no effect: {why}"),
            Warning::AskedAgain { cluster, role } => {
                let who = role.as_ref().map_or("your own identity".into(), |role| format!("`{}`", shown(role)));
                write!(
                    f,
                    "kubectl came back for another token, so the cluster probably refuses it: is `{}` exactly the \
                     cluster's name, and does the cluster map {who}?",
                    shown(cluster)
                )
            }
            Warning::SessionNotRenewed { why, minutes_left } => {
                write!(
                    f,
                    "the role session could not be renewed and is good for {minutes_left} more minutes: {}",
                    shown(why)
                )
            }
        }
    }
}
