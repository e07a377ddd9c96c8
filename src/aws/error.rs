//! Errors in the user's settings and credentials, and in AWS's responses.

use std::fmt;
use std::time::Duration;

use crate::aws::names::InvalidValue;
use crate::aws::refusal::{Operation, Refusal};
use crate::say::explain::{Exit, Explain, Explanation};
use crate::say::text::{shown, shown_up_to};

/// No variant contains a secret.
#[derive(Debug)]
pub enum Error {
    /// A value does not have the format that AWS or Kubernetes requires. `place` is where it is set: a flag, a
    /// variable, or a property with its profile and line.
    Input { place: String, invalid: InvalidValue },
    /// The partition has no STS endpoint of the requested kind (FIPS, dual-stack).
    NoEndpoint { region: String, why: String },
    /// A config or credentials file that cannot be read.
    SourceFile { path: String, line: Option<usize>, why: String },
    /// A line of such a file that cannot be parsed, in a section that is used.
    BrokenLine { path: String, line: u32, why: &'static str },
    /// A CA bundle that cannot be used.
    CaBundle { path: String, why: String },
    /// The requested profile is in neither file. The hint points out a header that is almost right.
    NoSuchProfile { profile: String, files: String, hint: Option<String> },
    /// No source had credentials; the profile was the last source that could have provided them.
    NoCredentials { source_name: String, hint: Option<String> },
    /// A source was found but failed.
    CredentialsFailed { source_name: String, why: String, hint: String },
    /// The user has to log in to use the source.
    NeedsLogin { source_name: String, why: String, command: String },
    /// AWS refused the request.
    Refused(Box<Refusal>),
    /// AWS could not be reached, or did not answer in time.
    Unreachable { operation: Operation, why: String },
    /// AWS reported a temporary failure.
    ServiceFailure { operation: Operation, why: String },
    /// The deadline passed.
    TimedOut { operation: Operation, after: Duration },
    /// AWS returned an invalid response.
    BadAnswer { operation: Operation, why: String },
    /// The open file limit is too low; the SDK's runtime panics if it cannot open a few files.
    TooFewFiles { limit: u64 },
    /// Something that should not happen.
    Internal(String),
}

impl Error {
    /// An error for a value set at this place, with no hint beyond the rule.
    pub fn input(place: impl Into<String>, value: &str, rule: &'static str) -> Self {
        Error::Input { place: place.into(), invalid: InvalidValue::new(value, rule) }
    }

    /// An error for an invalid value set at this place.
    pub fn invalid(place: impl ToString) -> impl FnOnce(InvalidValue) -> Self {
        let place = place.to_string();
        move |invalid| Error::Input { place, invalid }
    }

    /// An error for a profile whose settings cannot provide credentials.
    pub fn profile(name: &str, why: impl Into<String>, hint: impl Into<String>) -> Self {
        let source_name = format!("profile `{}`", shown(name));
        Error::CredentialsFailed { source_name, why: why.into(), hint: hint.into() }
    }

    pub fn refused(refusal: Refusal) -> Self {
        Error::Refused(Box::new(refusal))
    }

    /// Whether the same call may succeed if retried shortly.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Error::Unreachable { .. } | Error::ServiceFailure { .. } | Error::TimedOut { .. } | Error::BadAnswer { .. }
        )
    }
}

impl Explain for Error {
    fn explain(&self) -> Explanation {
        let bad_input = |what: String| Explanation::new(Exit::BadInput, what);
        let no_credentials = |what: String| Explanation::new(Exit::NoCredentials, what);
        let unreachable = |what: String| Explanation::new(Exit::Unreachable, what);
        let other_file = "or point AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE at another file";
        let network = "check the region, the network, VPN and proxy settings (HTTPS_PROXY, NO_PROXY), then try again";
        match self {
            Error::Input { place, invalid: InvalidValue { value, rule, hint } } => {
                let place = shown_up_to(place, 600);
                let what = format!("{place} `{}` is not valid: it must be {rule}", shown(value));
                Explanation { hint: hint.clone(), ..bad_input(what) }
            }
            Error::NoEndpoint { region, why } => {
                bad_input(format!("no suitable STS endpoint in `{}`: {}", shown(region), shown(why))).hint(
                    "check AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and the profile's \
                     `use_fips_endpoint` and `use_dualstack_endpoint`",
                )
            }
            Error::SourceFile { path, line, why } => {
                let what = line.map_or("it".into(), |line| format!("line {line}"));
                bad_input(format!("`{}` cannot be read: {}", shown(path), shown(why)))
                    .hint(format!("correct {what}, {other_file}"))
            }
            Error::BrokenLine { path, line, why } => {
                bad_input(format!("`{}` cannot be parsed at line {line}: {why}", shown(path)))
                    .hint(format!("correct it, {other_file}"))
            }
            Error::CaBundle { path, why } => {
                bad_input(format!("CA bundle `{}` cannot be used: {}", shown(path), shown(why))).hint(
                    "point AWS_CA_BUNDLE (or `ca_bundle` in the profile) at a PEM file with the certificate \
                     authorities to trust, or unset it to use the system's",
                )
            }
            Error::NoSuchProfile { profile, files, hint } => {
                let list = "run `aws configure list-profiles` to see the profiles that exist";
                let files = shown_up_to(files, 600);
                no_credentials(format!("profile `{}` not found in {files}", shown(profile)))
                    .hint(hint.as_deref().unwrap_or(list))
            }
            Error::NoCredentials { source_name, hint } => {
                let configure = "run `aws configure sso` or `aws configure`, or choose a profile with `--profile`";
                let source = shown(source_name);
                no_credentials(format!(
                    "no AWS credentials: none in the environment, none in {source}, and no other source"
                ))
                .hint(hint.as_deref().unwrap_or(configure))
            }
            Error::CredentialsFailed { source_name, why, hint } => {
                no_credentials(format!("no AWS credentials from {}: {}", shown(source_name), shown_up_to(why, 600)))
                    .hint(hint)
            }
            Error::NeedsLogin { source_name, why, command } => {
                let what = format!("no AWS credentials from {}: {}", shown(source_name), shown(why));
                Explanation::new(Exit::UserActionNeeded, what).hint(format!("run `{command}`, then try again"))
            }
            Error::Refused(refusal) => Explanation::new(Exit::Refused, refusal.describe(1200)).hint(refusal.advice()),
            Error::Unreachable { operation, why } => {
                unreachable(format!("could not {operation}: {}", shown_up_to(why, 400))).hint(network)
            }
            Error::ServiceFailure { operation, why } => {
                unreachable(format!("could not {operation}: temporary failure at AWS: {}", shown_up_to(why, 400)))
                    .hint("wait a moment, then try again")
            }
            Error::TimedOut { operation, after } => {
                unreachable(format!("could not {operation}: no answer from AWS within {} s", after.as_secs()))
                    .hint(network)
            }
            Error::BadAnswer { operation: operation @ Operation::GetCredentials(_), why } => {
                unreachable(format!("could not {operation}: invalid response: {}", shown(why))).hint(
                    "something between you and AWS may have answered instead: check the proxy, and \
                     AWS_ENDPOINT_URL_SSO if it is set",
                )
            }
            Error::BadAnswer { operation, why } => {
                unreachable(format!("could not {operation}: invalid response from STS: {}", shown(why))).hint(
                    "something between you and STS may have answered instead: check AWS_ENDPOINT_URL_STS and the proxy",
                )
            }
            Error::TooFewFiles { limit } => {
                Explanation::new(Exit::Other, format!("the limit of {limit} open files is too low to call AWS"))
                    .hint("raise the limit, for example with `ulimit -n 256`")
            }
            Error::Internal(why) => Explanation::bug(why),
        }
    }
}

/// The message without the hint.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain().what)
    }
}
