//! Errors of the commands, in addition to those of the modules below.

use clap::error::{ContextKind, ErrorKind};

use crate::aws::error::Error as AwsError;
use crate::aws::refusal::Refusal;
use crate::cache::error::Error as CacheError;
use crate::kube::error::Error as KubeError;
use crate::say::explain::{Exit, Explain, Explanation};
use crate::say::text::{shown, shown_up_to};
use crate::sys::env::NotUtf8;

/// No variant contains a secret.
#[derive(Debug)]
pub enum Error {
    /// The command line is invalid; the message is mostly clap's own.
    Usage {
        words: String,
        hint: Option<String>,
    },
    /// No flag, environment variable or profile sets a region.
    NoRegion {
        profile: String,
    },
    /// A relevant variable is not valid UTF-8.
    NotUtf8(NotUtf8),
    /// AWS refused every one of several roles.
    AllRefused(Vec<Refusal>),
    /// The role requires an MFA code, and there is no one to ask for it.
    NeedsMfa {
        serial: String,
        command: MfaCommand,
    },
    /// The error of another process that this one was waiting for.
    Shared(Explanation),
    /// The result could not be written.
    Stdout(std::io::Error),
    Aws(AwsError),
    Kube(KubeError),
    Cache(CacheError),
}

/// The command to run to be asked for a code.
#[derive(Debug)]
pub struct MfaCommand {
    pub line: String,
    /// The variables that determine whose session it is, other than those in the line; their values may be secrets.
    pub required_variables: Vec<String>,
    /// Why the code cannot be reused by other calls, if it cannot.
    pub not_cached_because: Option<&'static str>,
}

impl Error {
    /// The error for a single refused role, or for all of them.
    pub fn refused(mut refusals: Vec<Refusal>) -> Self {
        match refusals.pop() {
            Some(refusal) if refusals.is_empty() => AwsError::refused(refusal).into(),
            Some(last) => {
                refusals.push(last);
                Error::AllRefused(refusals)
            }
            None => AwsError::Internal("no role was requested".into()).into(),
        }
    }

    /// Whether the same call may succeed if retried shortly.
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Aws(error) if error.is_transient())
    }
}

impl Explain for Error {
    fn explain(&self) -> Explanation {
        let bad_input = |what: String| Explanation::new(Exit::BadInput, what);
        match self {
            Error::Usage { words, hint } => {
                let help = "run `eks-group-auth --help` or `eks-group-auth token --help`";
                bad_input(shown_up_to(words, 400)).hint(hint.as_deref().unwrap_or(help))
            }
            Error::NoRegion { profile } => {
                bad_input("no AWS region: nothing says which region the cluster is in".into()).hint(format!(
                    "add `--region` to the exec block's args, or set AWS_REGION or `region` in profile `{}`",
                    shown(profile)
                ))
            }
            Error::NotUtf8(NotUtf8 { variable }) => {
                let variable = shown(variable);
                bad_input(format!("{variable} is not UTF-8"))
                    .hint(format!("set {variable} to valid UTF-8, or unset it"))
            }
            Error::AllRefused(refusals) => {
                let mut what = format!("could not assume any of {} roles", refusals.len());
                for refusal in refusals {
                    what += &format!("\neks-group-auth: {}", refusal.describe(600));
                }
                let mut hints = refusals.iter().map(Refusal::advice);
                let first = hints.next().unwrap_or_default();
                let is_one = hints.all(|hint| hint == first);
                let several = "ask the administrator of these roles which one you should use";
                Explanation::new(Exit::Refused, what).hint(if is_one { &first } else { several })
            }
            Error::NeedsMfa { serial, command: MfaCommand { line, required_variables, not_cached_because } } => {
                let line = shown_up_to(line, usize::MAX);
                let with = match required_variables.as_slice() {
                    [] => String::new(),
                    names => format!(", with {} set,", shown_up_to(&names.join(", "), 1000)),
                };
                let then = match not_cached_because {
                    Some(why) => format!("; {why}, so every call needs its own code"),
                    None => ", then try again".into(),
                };
                let serial = shown(serial);
                let what =
                    format!("a code from MFA device `{serial}` is needed, but there is no terminal to ask for it");
                Explanation::new(Exit::UserActionNeeded, what)
                    .hint(format!("run `{line}` in a terminal{with} and enter the code{then}"))
            }
            Error::Shared(explanation) => explanation.clone(),
            Error::Stdout(why) => Explanation::new(Exit::Other, format!("could not write to stdout: {why}")),
            Error::Aws(error) => error.explain(),
            Error::Kube(error) => error.explain(),
            Error::Cache(error) => error.explain(),
        }
    }
}

/// clap's error message, up to the point where it explains the usage.
impl From<clap::Error> for Error {
    fn from(error: clap::Error) -> Self {
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Error::Usage { words: "a command is required, such as `token`".into(), hint: None };
        }
        let subcommand = error.get(ContextKind::InvalidSubcommand).map(ToString::to_string);
        // `kubergrunt eks token`.
        let hint = (subcommand.as_deref() == Some("token"))
            .then(|| "run `eks-group-auth token`, or `eks-group-auth eks get-token` as with the AWS CLI".to_owned());
        let text = error.to_string();
        let words = text.split("\n\nUsage:").next().unwrap_or_default();
        let words = words.split("\n\nFor more information").next().unwrap_or_default();
        let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let one_line = lines.join(" ").replace(" tip: ", "; ");
        Error::Usage { words: one_line.trim_start_matches("error: ").to_owned(), hint }
    }
}

impl From<NotUtf8> for Error {
    fn from(variable: NotUtf8) -> Self {
        Error::NotUtf8(variable)
    }
}

impl From<AwsError> for Error {
    fn from(error: AwsError) -> Self {
        Error::Aws(error)
    }
}

impl From<KubeError> for Error {
    fn from(error: KubeError) -> Self {
        Error::Kube(error)
    }
}

impl From<CacheError> for Error {
    fn from(error: CacheError) -> Self {
        Error::Cache(error)
    }
}
