//! Validated strings, each with its own type so that they cannot be confused. The error here says what is wrong with a
//! value; the code that read it adds where it was set.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::aws::region::Region;
use crate::say::secret::Secret;

/// A value that does not have the format that AWS or Kubernetes requires.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidValue {
    pub value: String,
    /// What it must be.
    pub rule: Cow<'static, str>,
    /// What to do, if the rule is not enough.
    pub hint: Option<String>,
}

impl InvalidValue {
    pub fn new(value: &str, rule: impl Into<Cow<'static, str>>) -> Self {
        InvalidValue { value: value.to_owned(), rule: rule.into(), hint: None }
    }
}

macro_rules! checked_string {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_string! {
    /// The name of an EKS cluster, `^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$` (EKS API); the id for an Outposts local cluster.
    ClusterName
}
checked_string! {
    /// `arn:{partition}:iam::{account}:role/{path}{name}`, in the partition of the region.
    RoleArn
}
checked_string! {
    /// `[\w+=,.@-]{2,64}`, ASCII (STS API, RoleSessionName).
    SessionName
}
checked_string! {
    /// `[\w+=,.@:/-]{2,1224}`, ASCII (STS API, ExternalId).
    ExternalId
}
checked_string! {
    /// `[\w+=/:,.@-]{9,256}`, ASCII (STS API, SerialNumber): an MFA device's ARN, or a hardware token's serial number.
    MfaSerial
}
checked_string! {
    /// A requested session name or source identity: valid as it is, or a template with `{user}` and `{account}` to be
    /// filled in.
    NameTemplate
}

impl ClusterName {
    /// Parses a name, or an ARN that ends with one.
    pub fn parse(value: &str) -> Result<Self, InvalidValue> {
        let is_inner = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let fits =
            value.len() <= 100 && value.bytes().all(is_inner) && value.starts_with(|c: char| c.is_ascii_alphanumeric());
        if fits {
            return Ok(ClusterName(value.to_owned()));
        }
        // `arn:aws:eks:eu-west-1:111122223333:cluster/demo`, as shown in the console and used in kubeconfigs.
        if let Some((before, name)) = value.rsplit_once(":cluster/")
            && before.starts_with("arn:")
            && before.split(':').nth(2) == Some("eks")
        {
            return ClusterName::parse(name);
        }
        Err(InvalidValue::new(
            value,
            "a cluster name: up to 100 letters, digits, `-` and `_`, starting with a letter or digit",
        ))
    }
}

impl RoleArn {
    pub fn parse(value: &str, region: &Region) -> Result<Self, InvalidValue> {
        let wrong = |hint: Option<String>| InvalidValue {
            hint,
            ..InvalidValue::new(value, "a role ARN, such as `arn:aws:iam::111122223333:role/developers`")
        };
        let parts: Vec<&str> = value.splitn(6, ':').collect();
        let &["arn", partition, service, "", account, resource] = parts.as_slice() else { return Err(wrong(None)) };
        if service == "sts" && resource.starts_with("assumed-role/") {
            return Err(wrong(Some(
                "this is the ARN of a role session: use the ARN of the role itself, as shown by `aws iam get-role`"
                    .into(),
            )));
        }
        if service == "iam" && (resource.starts_with("group/") || resource.starts_with("user/")) {
            return Err(wrong(Some(
                "only a role can be assumed: use the role that your group's policy lets you assume".into(),
            )));
        }
        let path_and_name = resource.strip_prefix("role/").unwrap_or_default();
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
        let fits = service == "iam"
            && value.len() <= 2048
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && path.bytes().all(|b| b.is_ascii_graphic())
            && (1..=64).contains(&name.len())
            && name.bytes().all(is_name_byte);
        if !fits {
            return Err(wrong(None));
        }
        let expected = region.partition().id;
        if partition != expected {
            return Err(InvalidValue {
                hint: Some("correct the role or the region".into()),
                ..InvalidValue::new(value, format!("in partition `{expected}`, the partition of region `{region}`"))
            });
        }
        Ok(RoleArn(value.to_owned()))
    }

    fn partition(&self) -> &str {
        self.0.split(':').nth(1).expect("six parts were checked when it was parsed")
    }

    /// The account that the role is in.
    fn account(&self) -> &str {
        self.0.split(':').nth(4).expect("six parts were checked when it was parsed")
    }

    /// The prefix of the ARNs of this role's sessions. STS omits the role's path.
    pub fn session_arn_prefix(&self) -> String {
        format!("arn:{}:sts::{}:assumed-role/{}/", self.partition(), self.account(), self.name())
    }

    /// The last part, without the path, as in the ARN of a session.
    pub fn name(&self) -> &str {
        self.0.rsplit(['/', ':']).next().expect("splitting gives at least one part")
    }
}

impl SessionName {
    pub fn parse(value: &str) -> Result<Self, InvalidValue> {
        let fits = (2..=64).contains(&value.len()) && value.bytes().all(is_name_byte);
        fits.then(|| SessionName(value.to_owned()))
            .ok_or_else(|| InvalidValue::new(value, "2 to 64 letters, digits and `_+=,.@-`"))
    }

    /// The caller's own name, made valid: IAM user names use the same characters but may be a single letter; names from
    /// elsewhere may contain anything.
    pub fn from_caller(name: &str) -> Self {
        let mut fit: String =
            name.chars().map(|c| if c.is_ascii() && is_name_byte(c as u8) { c } else { '-' }).take(64).collect();
        while fit.len() < 2 {
            fit.push('-');
        }
        SessionName(fit)
    }
}

impl NameTemplate {
    /// For an ARN, the last part is used.
    pub fn parse(value: &str) -> Result<Self, InvalidValue> {
        let name = if value.starts_with("arn:") { value.rsplit('/').next().unwrap_or_default() } else { value };
        let fixed = name.replace("{user}", "").replace("{account}", "");
        let length_fits = fixed.len() < name.len() || (2..=64).contains(&name.len());
        if length_fits && fixed.len() <= 64 && fixed.bytes().all(is_name_byte) {
            return Ok(NameTemplate(name.to_owned()));
        }
        Err(InvalidValue::new(value, "2 to 64 letters, digits and `_+=,.@-`, or contain `{user}` or `{account}`"))
    }

    pub fn has_placeholders(&self) -> bool {
        self.0.contains('{')
    }

    /// Fills in the template, replacing invalid characters.
    pub fn fill(&self, user: &str, account: &str) -> SessionName {
        SessionName::from_caller(&self.0.replace("{user}", user).replace("{account}", account))
    }
}

impl MfaSerial {
    pub fn parse(value: &str) -> Result<Self, InvalidValue> {
        let is_allowed = |b: u8| is_name_byte(b) || b == b':' || b == b'/';
        let fits = (9..=256).contains(&value.len()) && value.bytes().all(is_allowed);
        fits.then(|| MfaSerial(value.to_owned())).ok_or_else(|| {
            InvalidValue::new(
                value,
                "an MFA device ARN, such as `arn:aws:iam::111122223333:mfa/alice`, or a serial number",
            )
        })
    }
}

/// Six digits, valid for one call.
pub struct MfaCode(Secret);

impl MfaCode {
    pub fn parse(line: &str) -> Option<Self> {
        let code = line.trim();
        (code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())).then(|| MfaCode(Secret::new(code)))
    }

    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The duration of a role session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionDuration(Duration);

impl SessionDuration {
    /// Parses a plain number of seconds, within the limits of STS.
    pub fn parse(value: &str) -> Result<Self, InvalidValue> {
        let is_digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        match value.parse() {
            Ok(seconds @ 900..=43_200) if is_digits => Ok(SessionDuration(Duration::from_secs(seconds))),
            _ => Err(InvalidValue::new(value, "a number of seconds from 900 to 43200")),
        }
    }

    pub fn get(self) -> Duration {
        self.0
    }
}

impl ExternalId {
    pub fn parse(value: &str) -> Result<Self, InvalidValue> {
        let is_allowed = |b: u8| is_name_byte(b) || b == b':' || b == b'/';
        let fits = (2..=1224).contains(&value.len()) && value.bytes().all(is_allowed);
        fits.then(|| ExternalId(value.to_owned()))
            .ok_or_else(|| InvalidValue::new(value, "2 to 1224 letters, digits and `_+=,.@:/-`"))
    }
}

/// The alphabet that IAM names share: `[\w+=,.@-]`, ASCII.
fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn region(name: &str) -> Region {
        Region::parse(name).unwrap()
    }

    #[test]
    fn only_role_arns_are_accepted() {
        let parse = |arn: &str| RoleArn::parse(arn, &region("eu-west-1"));
        let arn = parse("arn:aws:iam::111122223333:role/path/to/dev.team+x").unwrap();
        assert_eq!((arn.account(), arn.name()), ("111122223333", "dev.team+x"));
        for bad in [
            "",
            "dev",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::11112222333:role/dev",
            "arn:aws:iam::111122223333:user/dev",
            "arn:aws:iam:eu-west-1:111122223333:role/dev",
            "arn:aws:iam::111122223333:role/d v",
            "arn:aws:iam::111122223333:role/dév",
            "arn:aws-cn:iam::111122223333:role/dev",
            "ARN:aws:iam::111122223333:role/dev",
            "arn:aws:iam::111122223333:role/dev ",
            "arn:aws:iam::111122223333:role/a\nb/dev",
            "arn:aws:sts::111122223333:assumed-role/dev/me",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(RoleArn::parse("arn:aws-cn:iam::111122223333:role/dev", &region("cn-north-1")).is_ok());
    }

    #[test]
    fn a_code_is_six_digits() {
        assert_eq!(MfaCode::parse(" 012345\n").map(|code| code.expose().to_owned()).as_deref(), Some("012345"));
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(MfaCode::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn durations_are_seconds_within_sts_limits() {
        assert_eq!(SessionDuration::parse("900").unwrap().get().as_secs(), 900);
        assert_eq!(SessionDuration::parse("43200").unwrap().get().as_secs(), 43200);
        for bad in ["", "899", "43201", "1h", "+3600", "-1", "3600.0", " 3600", "99999999999999999999999"] {
            assert!(SessionDuration::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_caller_name_becomes_a_valid_session_name(name in "\\PC{0,80}") {
            let fit = SessionName::from_caller(&name);
            prop_assert!(NameTemplate::parse(fit.as_str()).is_ok());
        }

        #[test]
        fn a_valid_caller_name_is_unchanged(name in "[A-Za-z0-9_+=,.@-]{2,64}") {
            let fit = SessionName::from_caller(&name);
            prop_assert_eq!(fit.as_str(), name);
        }
    }
}
