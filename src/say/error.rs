//! Every sentence that a user can meet: what happened (`Display`), why (part of it, in AWS's own words where
//! there are some), what to do next (`hint`), and the exit code. client-go says nothing of its own about a
//! failed plugin, so these lines are all that a kubectl user gets.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::aws::names::Invalid;
use crate::kube::token::TokenRefused;

/// What went wrong. No variant holds a secret.
#[derive(Debug)]
pub enum Error {
    /// The command line could not be understood, mostly in clap's own words.
    Usage { words: String, hint: Option<String> },
    /// An input does not have the form that AWS or Kubernetes wants.
    /// `name` is where it is written: a flag, a variable, or a property, its profile and its line.
    Input { name: String, value: String, rule: Cow<'static, str>, hint: Option<String> },
    /// No flag, environment variable or profile names a region.
    NoRegion { profile: String },
    /// A variable that decides something is no text.
    NotUtf8 { variable: String },
    /// `KUBERNETES_EXEC_INFO` is not what client-go sends.
    ExecInfo { why: String },
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
    /// STS answered, and said no. The hint knows more than the code says.
    Refused { doing: Doing, code: String, message: String, hint: Option<String> },
    /// To all of several roles.
    AllRefused(Vec<Refusal>),
    /// The role asks for a code, and there is nobody to ask.
    NeedsMfa { serial: String, command: Command },
    /// AWS could not be reached, or did not answer in time.
    Unreachable { doing: Doing, why: String },
    /// AWS answered that it cannot, for now.
    Failing { doing: Doing, why: String },
    /// All the time there is was used up.
    Deadline { doing: Doing, after: Duration },
    /// STS answered with something that cannot be right.
    BadAnswer { doing: Doing, why: String },
    /// The token is one that no cluster would accept.
    Token(TokenRefused),
    /// What went wrong for another process that this one was waiting for.
    Shared { exit_code: u8, message: String, hint: Option<String> },
    /// The SDK's runtime panics where it cannot open a handful.
    TooFewFiles { limit: u64 },
    /// `cache path` has nothing to show.
    NoCacheDirectory,
    /// `cache clear` could not do it.
    NotRemoved { directory: String, names: usize },
    /// The result could not be handed over.
    Stdout(std::io::Error),
    /// Something that should not happen.
    Internal(String),
}

/// One role that may not be assumed.
#[derive(Debug)]
pub struct Refusal {
    pub doing: Doing,
    pub code: String,
    pub message: String,
    pub hint: Option<String>,
}

/// What to type to be asked for a code.
#[derive(Debug)]
pub struct Command {
    pub line: String,
    /// The variables that decide whose session it is, beside those that stand in the line; their values may be secrets.
    pub in_a_shell_with: Vec<String>,
    /// Why it serves no other call, where it does not.
    pub serves_only_itself: Option<&'static str>,
}

/// What was being done when AWS was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// From this source.
    GetCredentials(String),
    AskWhoIsCalling,
    /// By its ARN.
    AssumeRole(String),
    AssumeRoleWithWebIdentity,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doing::GetCredentials(source) => write!(f, "get credentials from {}", shown(source)),
            Doing::AskWhoIsCalling => f.write_str("ask STS who is calling"),
            Doing::AssumeRole(arn) => write!(f, "assume role `{}`", shown(arn)),
            Doing::AssumeRoleWithWebIdentity => f.write_str("assume a role with the web identity token"),
        }
    }
}

impl Error {
    /// An input error without a hint of its own: the rule says enough.
    pub fn input(name: impl Into<String>, value: &str, rule: &'static str) -> Self {
        Error::Input { name: name.into(), value: value.to_owned(), rule: rule.into(), hint: None }
    }

    /// A value that is written at this place.
    pub fn invalid(place: impl ToString) -> impl FnOnce(Invalid) -> Self {
        let name = place.to_string();
        move |Invalid { value, rule, hint }| Error::Input { name, value, rule, hint }
    }

    /// For the one role that there was, or for all of them.
    pub fn refused(mut refusals: Vec<Refusal>) -> Self {
        match refusals.pop() {
            Some(Refusal { doing, code, message, hint }) if refusals.is_empty() => {
                Error::Refused { doing, code, message, hint }
            }
            Some(last) => {
                refusals.push(last);
                Error::AllRefused(refusals)
            }
            None => Error::Internal("no role was asked for".into()),
        }
    }

    /// What clap found wrong, in its words up to where it starts to explain the usage.
    pub fn usage(error: &clap::Error) -> Self {
        if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Error::Usage { words: "a command is missing, such as `token`".into(), hint: None };
        }
        let context = error.get(clap::error::ContextKind::InvalidSubcommand).map(ToString::to_string);
        // `kubergrunt eks token`.
        let hint = (context.as_deref() == Some("token"))
            .then(|| "write `eks-group-auth token`, or as in the AWS CLI `eks-group-auth eks get-token`".to_owned());
        let text = error.to_string();
        let words = text.split("\n\nUsage:").next().unwrap_or_default();
        let words = words.split("\n\nFor more information").next().unwrap_or_default();
        let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let one_line = lines.join(" ").replace(" tip: ", "; ");
        Error::Usage { words: one_line.trim_start_matches("error: ").to_owned(), hint }
    }

    /// Whether the same call may well succeed a moment later.
    pub fn can_pass(&self) -> bool {
        matches!(
            self,
            Error::Unreachable { .. } | Error::Failing { .. } | Error::Deadline { .. } | Error::BadAnswer { .. }
        )
    }

    /// 0 ok, 1 other, 2 usage or bad input, 3 no base credentials, 4 STS refused, 5 AWS unreachable or failing,
    /// 6 needs a person.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage { .. }
            | Error::Input { .. }
            | Error::NoRegion { .. }
            | Error::NotUtf8 { .. }
            | Error::ExecInfo { .. }
            | Error::NoEndpoint { .. }
            | Error::SourceFile { .. }
            | Error::BrokenLine { .. }
            | Error::CaBundle { .. } => 2,
            Error::NoSuchProfile { .. } | Error::NoCredentials { .. } | Error::CredentialsFailed { .. } => 3,
            Error::NeedsLogin { .. } | Error::NeedsMfa { .. } => 6,
            Error::Refused { .. } | Error::AllRefused(_) => 4,
            Error::Unreachable { .. } | Error::Failing { .. } | Error::Deadline { .. } | Error::BadAnswer { .. } => 5,
            Error::Shared { exit_code, .. } => *exit_code,
            Error::Token(_)
            | Error::TooFewFiles { .. }
            | Error::NoCacheDirectory
            | Error::NotRemoved { .. }
            | Error::Stdout(_)
            | Error::Internal(_) => 1,
        }
    }

    /// What to do next, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Usage { hint, .. } => {
                let help = || "run `eks-group-auth --help` or `eks-group-auth token --help`".into();
                Some(hint.clone().unwrap_or_else(help))
            }
            Error::Input { hint, .. } => hint.clone(),
            Error::NoRegion { profile } => Some(format!(
                "add `--region` to the args of the exec block, or set AWS_REGION, or `region` in profile `{}`",
                shown(profile)
            )),
            Error::NotUtf8 { variable } => Some(format!("set {} again, or unset it", shown(variable))),
            Error::ExecInfo { .. } => Some(
                "kubectl sets this variable; unset it where you run the program yourself, and use \
                      `apiVersion: client.authentication.k8s.io/v1` in the exec block"
                    .into(),
            ),
            Error::NoEndpoint { .. } => Some(
                "check AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and the profile's \
                      `use_fips_endpoint` and `use_dualstack_endpoint`"
                    .into(),
            ),
            Error::SourceFile { .. } | Error::BrokenLine { .. } => {
                let what = match self {
                    Error::SourceFile { line: Some(line), .. } => format!("line {line}"),
                    _ => "it".into(),
                };
                Some(format!(
                    "correct {what}, or name another file with AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE"
                ))
            }
            Error::CaBundle { .. } => Some(
                "point AWS_CA_BUNDLE (or `ca_bundle` in the profile) at a PEM file of the certificate \
                      authorities to trust, or unset it to use the system's"
                    .into(),
            ),
            Error::NoSuchProfile { hint: Some(hint), .. } => Some(hint.clone()),
            Error::NoSuchProfile { .. } => Some("run `aws configure list-profiles` for the names that exist".into()),
            Error::NoCredentials { hint: Some(hint), .. } => Some(hint.clone()),
            Error::NoCredentials { hint: None, .. } => {
                Some("run `aws configure sso` or `aws configure`, or name a profile with `--profile`".into())
            }
            Error::CredentialsFailed { hint, .. } => Some(hint.clone()),
            Error::NeedsLogin { command, .. } => Some(format!("run `{command}`, then try again")),
            Error::NeedsMfa { command: Command { line, in_a_shell_with, serves_only_itself }, .. } => {
                let line = shown_up_to(line, usize::MAX);
                let with = match in_a_shell_with.as_slice() {
                    [] => String::new(),
                    names => format!(", in the shell that has {},", shown_up_to(&names.join(", "), 1000)),
                };
                let then = match serves_only_itself {
                    Some(why) => format!("; {why}, so that every call needs a code of its own"),
                    None => ", then try again".into(),
                };
                Some(format!("run `{line}` in a terminal{with} and enter the code{then}"))
            }
            Error::Refused { hint: Some(hint), .. } => Some(hint.clone()),
            Error::Refused { code, doing, message, hint: None } => Some(refusal_hint(code, doing, message)),
            Error::AllRefused(refusals) => {
                let hint =
                    |of: &Refusal| of.hint.clone().unwrap_or_else(|| refusal_hint(&of.code, &of.doing, &of.message));
                let hints: Vec<String> = refusals.iter().map(hint).collect();
                let is_one = hints.iter().all(|hint| *hint == hints[0]);
                Some(if is_one {
                    hints[0].clone()
                } else {
                    "ask whoever manages these roles which of them is meant for you".into()
                })
            }
            Error::Unreachable { .. } | Error::Deadline { .. } => Some(
                "check the region, the network, VPN and proxy settings (HTTPS_PROXY, NO_PROXY), then try again".into(),
            ),
            Error::Failing { .. } => Some("wait a little, then try again".into()),
            Error::BadAnswer { doing: Doing::GetCredentials(_), .. } => Some(
                "something in between may be answering: check the proxy, and AWS_ENDPOINT_URL_SSO if it is set".into(),
            ),
            Error::BadAnswer { .. } => Some(
                "something between here and STS may be answering for it: check AWS_ENDPOINT_URL_STS and the proxy"
                    .into(),
            ),
            Error::Token(refused) => Some(refused.hint().into()),
            Error::Shared { hint, .. } => hint.clone(),
            Error::TooFewFiles { .. } => Some("allow more, for example with `ulimit -n 256`".into()),
            Error::NoCacheDirectory => Some("let EKS_GROUP_AUTH_CACHE_DIR name one".into()),
            Error::NotRemoved { .. } => Some("look at the permissions of that directory".into()),
            Error::Stdout(_) => None,
            Error::Internal(_) => Some("this is a defect in eks-group-auth: please report it".into()),
        }
    }

    /// The lines for stderr, each with the program's name before it.
    pub fn report(&self) -> String {
        let mut lines = format!("eks-group-auth: error: {self}\n");
        if let Some(hint) = self.hint() {
            lines += &format!("eks-group-auth: hint: {hint}\n");
        }
        lines
    }
}

/// What to do about a refusal, by STS's error code.
fn refusal_hint(code: &str, doing: &Doing, message: &str) -> String {
    match code {
        "AccessDenied" => match doing {
            Doing::AssumeRole(arn) => denial_hint(message, arn),
            _ => "if AWS's reason above is not clear, show it to whoever manages the account".into(),
        },
        "ExpiredToken" | "ExpiredTokenException" => {
            "your AWS session has expired: log in again (`aws sso login`, or however you got it), then try again".into()
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" => {
            "AWS does not know this access key: it was deleted or deactivated, or belongs to another partition; make a new one, or name another profile with `--profile`".into()
        }
        "RequestExpired" | "RequestTimeTooSkewed" => "this machine's clock is wrong: set it".into(),
        "SignatureDoesNotMatch" | "InvalidSignatureException"
            if message.starts_with("Signature expired") || message.starts_with("Signature not yet current") =>
        {
            "this machine's clock is wrong: set it".into()
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            "the secret access key does not belong to the access key id: enter both anew".into()
        }
        "ForbiddenException" => {
            "the SSO user is not assigned this account and permission set: ask whoever assigns them".into()
        }
        "RegionDisabledException" => {
            "STS is not active in this region for the account: activate it, or use another `--region`".into()
        }
        "ValidationError" if message.contains("DurationSeconds") => {
            "lower `--duration`: to the role's maximum, or to 3600 where your own credentials are a role session, as with SSO".into()
        }
        "ValidationError" => {
            "AWS finds an argument wrong: compare `--role`, `--duration` and `--session-name` with the role's settings"
                .into()
        }
        _ => "if AWS's reason above is not clear, show it to whoever manages the account".into(),
    }
}

/// What to do about an AccessDenied, from the words in which STS says whose policy it was.
pub fn denial_hint(message: &str, role_arn: &str) -> String {
    let says = |words| message.contains(words);
    let hint = if says("must provide both MFA serial number and one time pass code") {
        "the role asks for MFA: add `--mfa-serial` with your device's ARN, as `aws iam list-mfa-devices` shows it"
    } else if says("invalid MFA one time pass code") {
        "wait for your device's next code (each is good once), then try again"
    } else if says("MultiFactorAuthentication failed") {
        "`--mfa-serial` (or the profile's `mfa_serial`) has to name a device of your own user, as `aws iam list-mfa-devices` shows it"
    } else if says("service control policy") || says("resource control policy") {
        "a policy of your organisation forbids it, whatever the account allows: ask those who manage the organisation"
    } else if says("explicit deny") {
        "a policy of the kind that AWS names denies it, which no permission outweighs: often for want of MFA \
         (`--mfa-serial`) or outside the company's network; ask whoever manages that policy"
    } else if says("permissions boundary") {
        "your user's permissions boundary leaves it out: ask whoever manages your user"
    } else if says("no session policy allows") {
        "the session that you came with is limited by a session policy: start from one that is not"
    } else if says("no identity-based policy allows") {
        "none of your groups allows sts:AssumeRole on this role: ask for membership in one that does"
    } else if says("no resource-based policy allows") || says("role trust policy") {
        "your groups are not the matter: the role's trust policy does not trust you; ask whoever manages the role"
    } else {
        return elsewhere_hint(message, role_arn).unwrap_or_else(|| {
            "either none of your groups allows sts:AssumeRole on this role, or the role's trust policy does not trust \
             you: ask whoever manages them for membership"
                .into()
        });
    };
    hint.into()
}

/// Where caller and role are of two accounts, which is a mistake, or needs the consent of both.
fn elsewhere_hint(message: &str, role_arn: &str) -> Option<String> {
    let account = |arn: &str| arn.split(':').nth(4).filter(|id| id.len() == 12).map(str::to_owned);
    let caller = account(message.split_once("User: ")?.1.split(' ').next()?)?;
    let role = account(role_arn)?;
    (caller != role).then(|| {
        format!(
            "the role is of account {}, and you are of {}: if that is right, both your group's policy and the role's \
             trust policy have to allow it; else correct `--role` or name another profile with `--profile`",
            shown(&role),
            shown(&caller)
        )
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage { words, .. } => f.write_str(&shown_up_to(words, 400)),
            Error::Input { name, value, rule, .. } => {
                write!(f, "{} `{}` is not valid: it must be {rule}", shown_up_to(name, 600), shown(value))
            }
            Error::NoRegion { .. } => f.write_str("no AWS region: nothing says in which one the cluster is"),
            Error::NotUtf8 { variable } => write!(f, "{} is not UTF-8", shown(variable)),
            Error::ExecInfo { why } => write!(f, "KUBERNETES_EXEC_INFO {}", shown(why)),
            Error::NoEndpoint { region, why } => {
                write!(f, "no STS endpoint in `{}` fits: {}", shown(region), shown(why))
            }
            Error::SourceFile { path, why, .. } => write!(f, "`{}` cannot be read: {}", shown(path), shown(why)),
            Error::BrokenLine { path, line, why } => {
                write!(f, "`{}` cannot be read at line {line}: {why}", shown(path))
            }
            Error::CaBundle { path, why } => write!(f, "CA bundle `{}` cannot be used: {}", shown(path), shown(why)),
            Error::NoSuchProfile { profile, files, .. } => {
                write!(f, "profile `{}` not found in {}", shown(profile), shown_up_to(files, 600))
            }
            Error::NoCredentials { source_name, .. } => {
                write!(
                    f,
                    "no AWS credentials: no keys in the environment, none from {}, and no other source",
                    shown(source_name)
                )
            }
            Error::NeedsLogin { source_name, why, .. } => {
                write!(f, "no AWS credentials from {}: {}", shown(source_name), shown(why))
            }
            Error::CredentialsFailed { source_name, why, .. } => {
                write!(f, "no AWS credentials from {}: {}", shown(source_name), shown_up_to(why, 600))
            }
            Error::Refused { doing, code, message, .. } => {
                write!(f, "could not {}: {}: {}", doing, shown(code), shown_up_to(message, 1200))
            }
            Error::AllRefused(refusals) => {
                write!(f, "none of {} roles could be assumed", refusals.len())?;
                refusals.iter().try_for_each(|Refusal { doing, code, message, .. }| {
                    write!(f, "\neks-group-auth: could not {doing}: {}: {}", shown(code), shown_up_to(message, 600))
                })
            }
            Error::NeedsMfa { serial, .. } => {
                write!(f, "a code of MFA device `{}` is needed, and there is no terminal to ask for it", shown(serial))
            }
            Error::Unreachable { doing, why } => {
                write!(f, "could not {}: {}", doing, shown_up_to(why, 400))
            }
            Error::Failing { doing, why } => write!(f, "could not {doing}: AWS is failing: {}", shown_up_to(why, 400)),
            Error::Deadline { doing, after } => {
                write!(f, "could not {}: no answer from AWS within {} s", doing, after.as_secs())
            }
            Error::BadAnswer { doing, why } => {
                let whose = if let Doing::GetCredentials(_) = doing { "the" } else { "STS's" };
                write!(f, "could not {doing}: {whose} answer cannot be used: {}", shown(why))
            }
            Error::Token(refused) => write!(f, "the token would be refused by every cluster: {refused}"),
            Error::TooFewFiles { limit } => write!(f, "only {limit} files may be open at a time, too few to ask AWS"),
            Error::NoCacheDirectory => f.write_str("nothing is kept: there is no home and no XDG_RUNTIME_DIR"),
            Error::NotRemoved { directory, names } => {
                write!(f, "{names} files in `{}` could not be removed", shown(directory))
            }
            // It went through `shown` when it was written.
            Error::Shared { message, .. } => f.write_str(message),
            Error::Stdout(source) => write!(f, "could not write to stdout: {source}"),
            Error::Internal(why) => write!(f, "internal error: {}", shown(why)),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::Stdout(source) => Some(source),
            _ => None,
        }
    }
}

/// Something worth a line on stderr that does not stop the call.
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

/// Text from outside as it may stand in a message: control characters escaped, cut at 200 characters.
pub fn shown(text: &str) -> String {
    shown_up_to(text, 200)
}

/// The same for text whose end matters, such as AWS's reasons.
pub fn shown_up_to(text: &str, most: usize) -> String {
    // Besides control characters, those that turn a line's direction or hide in it can make a message lie.
    let is_unprintable = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut out = String::with_capacity(text.len().min(most));
    for (count, c) in text.chars().enumerate() {
        if count == most {
            out.push('…');
            break;
        }
        if is_unprintable(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_control_a_terminal_or_flood_it() {
        assert_eq!(shown("a\u{1b}[31mb\n\r\u{202e}\u{9b}"), "a\\u{1b}[31mb\\n\\r\\u{202e}\\u{9b}");
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), 201);
        assert_eq!(shown("Zürich `日本`"), "Zürich `日本`");
    }
}
