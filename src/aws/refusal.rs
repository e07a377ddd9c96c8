//! What AWS says no to, and why: its code and its words, read once, so that policies and hints go by the same reason.

use std::fmt;

use crate::say::text::{shown, shown_up_to};

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

/// AWS answered, and said no.
#[derive(Debug)]
pub struct Refusal {
    pub doing: Doing,
    pub code: String,
    pub message: String,
    pub reason: Reason,
    /// Knows more than the reason.
    pub hint: Option<String>,
}

/// Why, as far as the code and the words tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The role may not be assumed.
    Denied(Denial),
    /// The code of an MFA device is not the one of now, or was used before.
    WrongMfaCode,
    SessionExpired,
    UnknownKey,
    WrongClock,
    WrongSecret,
    /// SSO: this account and permission set are not the user's.
    NotAssigned,
    RegionDisabled,
    TooLong,
    BadArgument,
    Unclear,
}

/// Whose policy it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    MfaRequired,
    WrongMfaDevice,
    Organisation,
    ExplicitDeny,
    PermissionsBoundary,
    SessionPolicy,
    NoIdentityPolicy,
    NotTrusted,
    /// Caller and role are of two accounts, which is a mistake, or needs the consent of both.
    OtherAccount {
        caller: String,
        role: String,
    },
    Unclear,
}

impl Refusal {
    pub fn new(doing: Doing, code: String, message: String) -> Self {
        let reason = Reason::parse(&doing, &code, &message);
        Refusal { doing, code, message, reason, hint: None }
    }

    /// What was refused and why, in AWS's words, of which no more than so many characters.
    pub fn words(&self, most: usize) -> String {
        let Refusal { doing, code, message, .. } = self;
        format!("could not {doing}: {}: {}", shown(code), shown_up_to(message, most))
    }

    /// What to do about it.
    pub fn advice(&self) -> String {
        self.hint.clone().unwrap_or_else(|| self.reason.hint())
    }
}

impl Reason {
    fn parse(doing: &Doing, code: &str, message: &str) -> Self {
        match code {
            "AccessDenied" if message.contains("invalid MFA one time pass code") => Reason::WrongMfaCode,
            "AccessDenied" => match doing {
                Doing::AssumeRole(arn) => Reason::Denied(Denial::parse(message, arn)),
                _ => Reason::Unclear,
            },
            "ExpiredToken" | "ExpiredTokenException" => Reason::SessionExpired,
            "InvalidClientTokenId" | "UnrecognizedClientException" => Reason::UnknownKey,
            "RequestExpired" | "RequestTimeTooSkewed" => Reason::WrongClock,
            "SignatureDoesNotMatch" | "InvalidSignatureException"
                if message.starts_with("Signature expired") || message.starts_with("Signature not yet current") =>
            {
                Reason::WrongClock
            }
            "SignatureDoesNotMatch" | "InvalidSignatureException" => Reason::WrongSecret,
            "ForbiddenException" => Reason::NotAssigned,
            "RegionDisabledException" => Reason::RegionDisabled,
            "ValidationError" if message.contains("DurationSeconds") => Reason::TooLong,
            "ValidationError" => Reason::BadArgument,
            _ => Reason::Unclear,
        }
    }

    pub fn hint(&self) -> String {
        match self {
            Reason::Denied(denial) => return denial.hint(),
            Reason::WrongMfaCode => "wait for your device's next code (each is good once), then try again",
            Reason::SessionExpired => {
                "your AWS session has expired: log in again (`aws sso login`, or however you got it), then try again"
            }
            Reason::UnknownKey => {
                "AWS does not know this access key: it was deleted or deactivated, or belongs to another partition; make a new one, or name another profile with `--profile`"
            }
            Reason::WrongClock => "this machine's clock is wrong: set it",
            Reason::WrongSecret => "the secret access key does not belong to the access key id: enter both anew",
            Reason::NotAssigned => {
                "the SSO user is not assigned this account and permission set: ask whoever assigns them"
            }
            Reason::RegionDisabled => {
                "STS is not active in this region for the account: activate it, or use another `--region`"
            }
            Reason::TooLong => {
                "lower `--duration`: to the role's maximum, or to 3600 where your own credentials are a role session, as with SSO"
            }
            Reason::BadArgument => {
                "AWS finds an argument wrong: compare `--role`, `--duration` and `--session-name` with the role's settings"
            }
            Reason::Unclear => "if AWS's reason above is not clear, show it to whoever manages the account",
        }
        .into()
    }
}

impl Denial {
    /// From the words in which STS says whose policy it was.
    fn parse(message: &str, role_arn: &str) -> Self {
        let says = |words| message.contains(words);
        if says("must provide both MFA serial number and one time pass code") {
            Denial::MfaRequired
        } else if says("MultiFactorAuthentication failed") {
            Denial::WrongMfaDevice
        } else if says("service control policy") || says("resource control policy") {
            Denial::Organisation
        } else if says("explicit deny") {
            Denial::ExplicitDeny
        } else if says("permissions boundary") {
            Denial::PermissionsBoundary
        } else if says("no session policy allows") {
            Denial::SessionPolicy
        } else if says("no identity-based policy allows") {
            Denial::NoIdentityPolicy
        } else if says("no resource-based policy allows") || says("role trust policy") {
            Denial::NotTrusted
        } else {
            Denial::between_accounts(message, role_arn).unwrap_or(Denial::Unclear)
        }
    }

    fn between_accounts(message: &str, role_arn: &str) -> Option<Self> {
        let account = |arn: &str| arn.split(':').nth(4).filter(|id| id.len() == 12).map(str::to_owned);
        let caller = account(message.split_once("User: ")?.1.split(' ').next()?)?;
        let role = account(role_arn)?;
        (caller != role).then_some(Denial::OtherAccount { caller, role })
    }

    fn hint(&self) -> String {
        match self {
            Denial::MfaRequired => {
                "the role asks for MFA: add `--mfa-serial` with your device's ARN, as `aws iam list-mfa-devices` shows it"
            }
            Denial::WrongMfaDevice => {
                "`--mfa-serial` (or the profile's `mfa_serial`) has to name a device of your own user, as `aws iam list-mfa-devices` shows it"
            }
            Denial::Organisation => {
                "a policy of your organisation forbids it, whatever the account allows: ask those who manage the organisation"
            }
            Denial::ExplicitDeny => {
                "a policy of the kind that AWS names denies it, which no permission outweighs: often for want of MFA \
                 (`--mfa-serial`) or outside the company's network; ask whoever manages that policy"
            }
            Denial::PermissionsBoundary => {
                "your user's permissions boundary leaves it out: ask whoever manages your user"
            }
            Denial::SessionPolicy => {
                "the session that you came with is limited by a session policy: start from one that is not"
            }
            Denial::NoIdentityPolicy => {
                "none of your groups allows sts:AssumeRole on this role: ask for membership in one that does"
            }
            Denial::NotTrusted => {
                "your groups are not the matter: the role's trust policy does not trust you; ask whoever manages the role"
            }
            Denial::OtherAccount { caller, role } => {
                return format!(
                    "the role is of account {}, and you are of {}: if that is right, both your group's policy and the \
                     role's trust policy have to allow it; else correct `--role` or name another profile with `--profile`",
                    shown(role),
                    shown(caller)
                );
            }
            Denial::Unclear => {
                "either none of your groups allows sts:AssumeRole on this role, or the role's trust policy does not \
                 trust you: ask whoever manages them for membership"
            }
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/dev";
    const USER: &str = "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/dev";

    fn reason(code: &str, message: &str) -> Reason {
        Reason::parse(&Doing::AssumeRole(ROLE.into()), code, message)
    }

    /// The words are STS's.
    #[test]
    fn a_denial_is_known_by_the_words_of_sts() {
        let because = |why: &str| format!("{USER} because {why} the sts:AssumeRole action");
        let elsewhere = USER.replacen("111122223333:user", "444455556666:user", 1);
        let (caller, role) = ("444455556666".to_owned(), "111122223333".to_owned());
        for (message, denial) in [
            (because("no identity-based policy allows"), Denial::NoIdentityPolicy),
            (because("no resource-based policy allows"), Denial::NotTrusted),
            (because("no session policy allows"), Denial::SessionPolicy),
            (because("no permissions boundary allows"), Denial::PermissionsBoundary),
            (format!("{USER} with an explicit deny in an identity-based policy"), Denial::ExplicitDeny),
            (format!("{USER} with an explicit deny in a service control policy"), Denial::Organisation),
            (format!("{USER} with an explicit deny in a resource control policy"), Denial::Organisation),
            (
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.".into(),
                Denial::MfaRequired,
            ),
            ("MultiFactorAuthentication failed, unable to validate MFA code.".into(), Denial::WrongMfaDevice),
            (USER.to_owned(), Denial::Unclear),
            (elsewhere, Denial::OtherAccount { caller, role }),
        ] {
            assert_eq!(reason("AccessDenied", &message), Reason::Denied(denial), "{message}");
        }
    }

    #[test]
    fn a_refusal_is_known_by_its_code_and_some_by_their_words() {
        for (code, message, expected) in [
            (
                "AccessDenied",
                "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
                Reason::WrongMfaCode,
            ),
            ("ExpiredToken", "", Reason::SessionExpired),
            ("ExpiredTokenException", "", Reason::SessionExpired),
            ("InvalidClientTokenId", "", Reason::UnknownKey),
            ("UnrecognizedClientException", "", Reason::UnknownKey),
            ("RequestExpired", "", Reason::WrongClock),
            ("RequestTimeTooSkewed", "", Reason::WrongClock),
            ("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than …", Reason::WrongClock),
            ("SignatureDoesNotMatch", "Signature not yet current: 20260101T000000Z …", Reason::WrongClock),
            ("SignatureDoesNotMatch", "The request signature we calculated does not match …", Reason::WrongSecret),
            ("InvalidSignatureException", "", Reason::WrongSecret),
            ("ForbiddenException", "No access", Reason::NotAssigned),
            ("RegionDisabledException", "", Reason::RegionDisabled),
            ("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration …", Reason::TooLong),
            ("ValidationError", "1 validation error detected", Reason::BadArgument),
            ("PackedPolicyTooLarge", "", Reason::Unclear),
        ] {
            assert_eq!(reason(code, message), expected, "{code} {message}");
        }
        assert_eq!(Reason::parse(&Doing::AskWhoIsCalling, "AccessDenied", USER), Reason::Unclear);
    }
}
