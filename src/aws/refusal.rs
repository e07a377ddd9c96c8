//! Refusals by AWS. The error code and message are interpreted once, so that decisions and hints rely on the same
//! reason.

use std::fmt;

use crate::say::text::{shown, shown_up_to};

/// The operation that was attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// With the name of the source.
    GetCredentials(String),
    GetCallerIdentity,
    /// With the role's ARN.
    AssumeRole(String),
    AssumeRoleWithWebIdentity,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::GetCredentials(source) => write!(f, "get credentials from {}", shown(source)),
            Operation::GetCallerIdentity => f.write_str("get your identity from STS"),
            Operation::AssumeRole(arn) => write!(f, "assume role `{}`", shown(arn)),
            Operation::AssumeRoleWithWebIdentity => f.write_str("assume a role with the web identity token"),
        }
    }
}

/// AWS refused the request.
#[derive(Debug)]
pub struct Refusal {
    pub operation: Operation,
    pub code: String,
    pub message: String,
    pub reason: Reason,
    /// A more specific hint than the reason's.
    pub hint: Option<String>,
}

/// The reason, as far as the code and message tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller is not allowed to assume the role.
    Denied(Denial),
    /// The MFA code is not the current one, or was already used.
    WrongMfaCode,
    SessionExpired,
    UnknownKey,
    WrongClock,
    WrongSecret,
    /// SSO: the user is not assigned this account and permission set.
    NotAssigned,
    RegionDisabled,
    TooLong,
    BadArgument,
    Unclear,
}

/// Which policy denied it.
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
    /// Caller and role are in different accounts, which is either a mistake or requires both accounts to allow it.
    OtherAccount {
        caller: String,
        role: String,
    },
    Unclear,
}

impl Refusal {
    pub fn new(operation: Operation, code: String, message: String) -> Self {
        let reason = Reason::parse(&operation, &code, &message);
        Refusal { operation, code, message, reason, hint: None }
    }

    /// What was refused and why, with at most `most` characters of AWS's message.
    pub fn describe(&self, most: usize) -> String {
        let Refusal { operation, code, message, .. } = self;
        format!("could not {operation}: {}: {}", shown(code), shown_up_to(message, most))
    }

    /// The hint for the user.
    pub fn advice(&self) -> String {
        self.hint.clone().unwrap_or_else(|| self.reason.hint())
    }
}

impl Reason {
    fn parse(operation: &Operation, code: &str, message: &str) -> Self {
        match code {
            "AccessDenied" if message.contains("invalid MFA one time pass code") => Reason::WrongMfaCode,
            "AccessDenied" => match operation {
                Operation::AssumeRole(arn) => Reason::Denied(Denial::parse(message, arn)),
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
            Reason::WrongMfaCode => "wait for your device's next code (each works only once), then try again",
            Reason::SessionExpired => {
                "your AWS session has expired: log in again (with `aws sso login`, or the way you did before), then \
                 try again"
            }
            Reason::UnknownKey => {
                "AWS does not know this access key: it was deleted or deactivated, or belongs to another partition; \
                 create a new key, or choose another profile with `--profile`"
            }
            Reason::WrongClock => "this machine's clock is wrong: correct it",
            Reason::WrongSecret => "the secret access key does not belong to the access key id: enter both again",
            Reason::NotAssigned => {
                "the SSO user is not assigned to this account and permission set: ask your administrator to assign them"
            }
            Reason::RegionDisabled => {
                "STS is not activated in this region for the account: activate it, or use another `--region`"
            }
            Reason::TooLong => {
                "lower `--duration` to the role's maximum, or to 3600 if your own credentials are a role session, as \
                 with SSO"
            }
            Reason::BadArgument => {
                "AWS rejected an argument: check `--role`, `--duration` and `--session-name` against the role's \
                 settings"
            }
            Reason::Unclear => "if AWS's reason above is unclear, show it to your account's administrator",
        }
        .into()
    }
}

impl Denial {
    /// Determines the policy from STS's error message.
    fn parse(message: &str, role_arn: &str) -> Self {
        let contains = |words| message.contains(words);
        if contains("must provide both MFA serial number and one time pass code") {
            Denial::MfaRequired
        } else if contains("MultiFactorAuthentication failed") {
            Denial::WrongMfaDevice
        } else if contains("service control policy") || contains("resource control policy") {
            Denial::Organisation
        } else if contains("explicit deny") {
            Denial::ExplicitDeny
        } else if contains("permissions boundary") {
            Denial::PermissionsBoundary
        } else if contains("no session policy allows") {
            Denial::SessionPolicy
        } else if contains("no identity-based policy allows") {
            Denial::NoIdentityPolicy
        } else if contains("no resource-based policy allows") || contains("role trust policy") {
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
                "the role requires MFA: add `--mfa-serial` with your device's ARN, as shown by `aws iam \
                 list-mfa-devices`"
            }
            Denial::WrongMfaDevice => {
                "set `--mfa-serial` (or the profile's `mfa_serial`) to one of your own user's devices, as shown by \
                 `aws iam list-mfa-devices`"
            }
            Denial::Organisation => {
                "a policy of your organisation denies it, even if the account allows it: ask the organisation's \
                 administrators"
            }
            Denial::ExplicitDeny => {
                "a policy of the kind named above explicitly denies it, and no permission can override that; often MFA is missing (`--mfa-serial`), or you are outside the company's network: ask the owner of \
                 that policy"
            }
            Denial::PermissionsBoundary => {
                "your user's permissions boundary does not allow it: ask your IAM administrator"
            }
            Denial::SessionPolicy => "your current session is limited by a session policy: use a session that is not",
            Denial::NoIdentityPolicy => {
                "none of your groups allows sts:AssumeRole on this role: ask to be added to one that does"
            }
            Denial::NotTrusted => {
                "this is not about your groups: the role's trust policy does not trust you; ask the role's owner"
            }
            Denial::OtherAccount { caller, role } => {
                return format!(
                    "the role is in account {}, but you are in {}: if that is correct, both your group's policy and \
                     the role's trust policy must allow it; otherwise correct `--role` or choose another profile with \
                     `--profile`",
                    shown(role),
                    shown(caller)
                );
            }
            Denial::Unclear => {
                "either none of your groups allows sts:AssumeRole on this role, or the role's trust policy does not \
                 trust you: ask your administrator for access"
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
        Reason::parse(&Operation::AssumeRole(ROLE.into()), code, message)
    }

    /// The messages are STS's own.
    #[test]
    fn denials_are_classified_by_message() {
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
    fn refusals_are_classified_by_code_and_message() {
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
        assert_eq!(Reason::parse(&Operation::GetCallerIdentity, "AccessDenied", USER), Reason::Unclear);
    }
}
