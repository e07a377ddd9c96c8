//! What can go wrong between a person and AWS: their settings, their credentials, and AWS's answers.

use std::fmt;
use std::time::Duration;

use crate::aws::names::Invalid;
use crate::aws::refusal::{Doing, Refusal};
use crate::say::explain::{Exit, Explain, Explanation};
use crate::say::text::{shown, shown_up_to};

/// No variant holds a secret.
#[derive(Debug)]
pub enum Error {
    /// A value does not have the form that AWS or Kubernetes wants. `place` is where it is written: a flag, a variable, or a
    /// property, its profile and its line.
    Input { place: String, invalid: Invalid },
    /// The partition has no STS endpoint of the wanted kind (FIPS, dual-stack).
    NoEndpoint { region: String, why: String },
    /// A config or credentials file that cannot be read.
    SourceFile { path: String, line: Option<usize>, why: String },
    /// A line of such a file that cannot be understood, in a section that is used.
    BrokenLine { path: String, line: u32, why: &'static str },
    /// A CA bundle that cannot be used.
    CaBundle { path: String, why: String },
    /// A profile was named that neither file has. The hint points at a header that is not quite its own.
    NoSuchProfile { profile: String, files: String, hint: Option<String> },
    /// No source had credentials; the profile was the last one that could have named one.
    NoCredentials { source_name: String, hint: Option<String> },
    /// A source was found and failed.
    CredentialsFailed { source_name: String, why: String, hint: String },
    /// A source whose owner has to log in.
    NeedsLogin { source_name: String, why: String, command: String },
    /// AWS answered, and said no.
    Refused(Box<Refusal>),
    /// AWS could not be reached, or did not answer in time.
    Unreachable { doing: Doing, why: String },
    /// AWS answered that it cannot, for now.
    Failing { doing: Doing, why: String },
    /// All the time there is was used up.
    Deadline { doing: Doing, after: Duration },
    /// AWS answered with something that cannot be right.
    BadAnswer { doing: Doing, why: String },
    /// The SDK's runtime panics where it cannot open a handful.
    TooFewFiles { limit: u64 },
    /// Something that should not happen.
    Internal(String),
}

impl Error {
    /// A value that is written at this place, and for which the rule says enough.
    pub fn input(place: impl Into<String>, value: &str, rule: &'static str) -> Self {
        Error::Input { place: place.into(), invalid: Invalid::new(value, rule) }
    }

    /// A value that is written at this place.
    pub fn invalid(place: impl ToString) -> impl FnOnce(Invalid) -> Self {
        let place = place.to_string();
        move |invalid| Error::Input { place, invalid }
    }

    /// A profile whose settings cannot give credentials.
    pub fn profile(name: &str, why: impl Into<String>, hint: impl Into<String>) -> Self {
        let source_name = format!("profile `{}`", shown(name));
        Error::CredentialsFailed { source_name, why: why.into(), hint: hint.into() }
    }

    pub fn refused(refusal: Refusal) -> Self {
        Error::Refused(Box::new(refusal))
    }

    /// Whether the same call may well succeed a moment later.
    pub fn can_pass(&self) -> bool {
        matches!(
            self,
            Error::Unreachable { .. } | Error::Failing { .. } | Error::Deadline { .. } | Error::BadAnswer { .. }
        )
    }
}

impl Explain for Error {
    fn explain(&self) -> Explanation {
        let bad_input = |what: String| Explanation::new(Exit::BadInput, what);
        let no_credentials = |what: String| Explanation::new(Exit::NoCredentials, what);
        let unreachable = |what: String| Explanation::new(Exit::Unreachable, what);
        let other_file = "or name another file with AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE";
        let network = "check the region, the network, VPN and proxy settings (HTTPS_PROXY, NO_PROXY), then try again";
        match self {
            Error::Input { place, invalid: Invalid { value, rule, hint } } => {
                let place = shown_up_to(place, 600);
                let what = format!("{place} `{}` is not valid: it must be {rule}", shown(value));
                Explanation { hint: hint.clone(), ..bad_input(what) }
            }
            Error::NoEndpoint { region, why } => {
                bad_input(format!("no STS endpoint in `{}` fits: {}", shown(region), shown(why))).hint(
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
                bad_input(format!("`{}` cannot be read at line {line}: {why}", shown(path)))
                    .hint(format!("correct it, {other_file}"))
            }
            Error::CaBundle { path, why } => {
                bad_input(format!("CA bundle `{}` cannot be used: {}", shown(path), shown(why))).hint(
                    "point AWS_CA_BUNDLE (or `ca_bundle` in the profile) at a PEM file of the certificate \
                     authorities to trust, or unset it to use the system's",
                )
            }
            Error::NoSuchProfile { profile, files, hint } => {
                let list = "run `aws configure list-profiles` for the names that exist";
                let files = shown_up_to(files, 600);
                no_credentials(format!("profile `{}` not found in {files}", shown(profile)))
                    .hint(hint.as_deref().unwrap_or(list))
            }
            Error::NoCredentials { source_name, hint } => {
                let configure = "run `aws configure sso` or `aws configure`, or name a profile with `--profile`";
                let source = shown(source_name);
                no_credentials(format!(
                    "no AWS credentials: no keys in the environment, none from {source}, and no other source"
                ))
                .hint(hint.as_deref().unwrap_or(configure))
            }
            Error::CredentialsFailed { source_name, why, hint } => {
                no_credentials(format!("no AWS credentials from {}: {}", shown(source_name), shown_up_to(why, 600)))
                    .hint(hint)
            }
            Error::NeedsLogin { source_name, why, command } => {
                let what = format!("no AWS credentials from {}: {}", shown(source_name), shown(why));
                Explanation::new(Exit::NeedsPerson, what).hint(format!("run `{command}`, then try again"))
            }
            Error::Refused(refusal) => Explanation::new(Exit::Refused, refusal.words(1200)).hint(refusal.advice()),
            Error::Unreachable { doing, why } => {
                unreachable(format!("could not {doing}: {}", shown_up_to(why, 400))).hint(network)
            }
            Error::Failing { doing, why } => {
                unreachable(format!("could not {doing}: AWS is failing: {}", shown_up_to(why, 400)))
                    .hint("wait a little, then try again")
            }
            Error::Deadline { doing, after } => {
                unreachable(format!("could not {doing}: no answer from AWS within {} s", after.as_secs())).hint(network)
            }
            Error::BadAnswer { doing: doing @ Doing::GetCredentials(_), why } => {
                unreachable(format!("could not {doing}: the answer cannot be used: {}", shown(why))).hint(
                    "something in between may be answering: check the proxy, and AWS_ENDPOINT_URL_SSO if it is set",
                )
            }
            Error::BadAnswer { doing, why } => {
                unreachable(format!("could not {doing}: STS's answer cannot be used: {}", shown(why))).hint(
                    "something between here and STS may be answering for it: check AWS_ENDPOINT_URL_STS and the proxy",
                )
            }
            Error::TooFewFiles { limit } => {
                Explanation::new(Exit::Other, format!("only {limit} files may be open at a time, too few to ask AWS"))
                    .hint("allow more, for example with `ulimit -n 256`")
            }
            Error::Internal(why) => Explanation::defect(why),
        }
    }
}

/// What happened.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain().what)
    }
}
