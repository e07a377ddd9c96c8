//! What is meant: arguments, environment, client-go's information and the profile, made into one request in which
//! everything is checked. Pure: it reads no file and asks nobody.

use std::fmt;
use std::time::Duration;

use crate::cli::{GlobalArgs, TokenArgs};
use crate::env::Env;
use crate::error::Error;
use crate::exec_credential::{ApiVersion, ExecInfo};
use crate::profile::{ProfileFiles, Section};
use crate::region::Region;

/// One token, as asked for.
#[derive(Debug)]
pub struct TokenRequest {
    pub cluster: ClusterName,
    pub endpoint: StsEndpoint,
    /// `None`: the caller's own identity signs.
    pub role: Option<RoleRequest>,
    pub cache: CacheMode,
    /// Whether what is cached is passed over.
    pub refresh: bool,
    pub answer: AnswerForm,
}

/// The role to assume, and all that the AssumeRole call says.
#[derive(Debug)]
pub struct RoleRequest {
    pub arn: RoleArn,
    /// `None`: the caller's own name.
    pub session_name: Option<SessionName>,
    pub external_id: Option<ExternalId>,
    /// `None`: what STS gives, one hour.
    pub duration: Option<Duration>,
}

/// Which of the region's STS hosts is meant. Overrides of the endpoint are the SDK's business: they move the calls,
/// never the presigned host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsEndpoint {
    pub region: Region,
    pub use_fips: bool,
    pub use_dual_stack: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMode {
    /// Tokens and role sessions.
    All,
    /// Tokens only: nothing stronger than 15 minutes of Kubernetes touches the disk.
    Token,
    Off,
}

/// What goes to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    ExecCredential(ApiVersion),
    BareToken,
}

/// The profile in use, and how it was named.
#[derive(Debug, PartialEq, Eq)]
pub struct ProfileChoice {
    pub name: String,
    pub named_by: NamedBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// `--profile`: comes before keys in the environment.
    Flag,
    /// `AWS_PROFILE` or `AWS_DEFAULT_PROFILE`: comes after them.
    Environment,
    Nobody,
}

impl ProfileChoice {
    pub fn resolve(global: &GlobalArgs, env: &Env) -> Result<Self, Error> {
        let variable = env.get("AWS_DEFAULT_PROFILE").or_else(|| env.get("AWS_PROFILE"));
        let (name, named_by) = match (&global.profile, variable) {
            (Some(name), _) if name.is_empty() => {
                return Err(Error::input("--profile", name, "the name of a profile"));
            }
            (Some(name), _) => (name.as_str(), NamedBy::Flag),
            (None, Some(name)) => (name, NamedBy::Environment),
            (None, None) => ("default", NamedBy::Nobody),
        };
        Ok(ProfileChoice { name: name.to_owned(), named_by })
    }
}

impl TokenRequest {
    /// # Errors
    ///
    /// [`Error::Input`], [`Error::NoRegion`] and [`Error::NoSuchProfile`], for the first input that is wrong.
    pub fn resolve(
        args: &TokenArgs,
        global: &GlobalArgs,
        env: &Env,
        exec_info: &ExecInfo,
        profile: &ProfileChoice,
        files: &ProfileFiles,
        file_paths: impl Fn() -> String,
    ) -> Result<Self, Error> {
        let section = files.profile(&profile.name);
        if section.is_none() && profile.named_by != NamedBy::Nobody {
            return Err(Error::NoSuchProfile { profile: profile.name.clone(), files: file_paths() });
        }
        let section = section.unwrap_or_default();
        let cluster = ClusterName::parse(&args.cluster)?;
        let role_is_given = args.role.is_some();
        let endpoint = StsEndpoint {
            region: resolve_region(global, env, exec_info, profile, &section)?,
            use_fips: switch(env, &section, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?,
            use_dual_stack: switch(env, &section, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?,
        };
        check_endpoint_overrides(env, &section, &endpoint, role_is_given)?;
        let answer =
            if args.token_only { AnswerForm::BareToken } else { AnswerForm::ExecCredential(exec_info.api_version) };
        Ok(TokenRequest {
            cluster,
            role: RoleRequest::resolve(args, &endpoint.region)?,
            endpoint,
            cache: CacheMode::resolve(args, env)?,
            refresh: args.refresh,
            answer,
        })
    }
}

impl RoleRequest {
    fn resolve(args: &TokenArgs, region: &Region) -> Result<Option<Self>, Error> {
        let session_name = args.session_name.as_deref().map(SessionName::parse).transpose()?;
        let external_id = args.external_id.as_deref().map(ExternalId::parse).transpose()?;
        let duration = args.duration.as_deref().map(parse_duration).transpose()?;
        let Some(arn) = &args.role else {
            let given = [
                ("--session-name", &args.session_name),
                ("--external-id", &args.external_id),
                ("--duration", &args.duration),
            ];
            return match given.iter().find(|(_, value)| value.is_some()) {
                Some((flag, _)) => {
                    Err(Error::Usage(format!("`{flag}` says something about a role, and there is no `--role`")))
                }
                None => Ok(None),
            };
        };
        Ok(Some(RoleRequest { arn: RoleArn::parse(arn, region)?, session_name, external_id, duration }))
    }
}

impl CacheMode {
    fn resolve(args: &TokenArgs, env: &Env) -> Result<Self, Error> {
        let (name, value) = match (&args.cache, env.get("EKS_GROUP_AUTH_CACHE")) {
            (Some(value), _) => ("--cache", value.as_str()),
            (None, Some(value)) => ("EKS_GROUP_AUTH_CACHE", value),
            (None, None) => return Ok(CacheMode::All),
        };
        match value {
            // aws-iam-authenticator's `--cache` is a switch.
            "all" | "true" => Ok(CacheMode::All),
            "token" => Ok(CacheMode::Token),
            "off" | "false" => Ok(CacheMode::Off),
            _ => Err(Error::input(name, value, "`all`, `token` or `off`")),
        }
    }
}

/// The flag, what client-go knows of the cluster, the environment, the profile: the first that says something.
fn resolve_region(
    global: &GlobalArgs,
    env: &Env,
    exec_info: &ExecInfo,
    profile: &ProfileChoice,
    section: &Section,
) -> Result<Region, Error> {
    let parse = |name, value: &str| {
        Region::parse(value).ok_or_else(|| Error::input(name, value, "the name of a region, such as `eu-west-1`"))
    };
    if let Some(region) = &global.region {
        return parse("--region", region);
    }
    if let Some(region) = &exec_info.region {
        return parse("`region` in the cluster's exec extension", region);
    }
    if let Some(region) = exec_info.server.as_deref().and_then(Region::of_eks_server) {
        return Ok(region);
    }
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if let Some(region) = env.get(name) {
            return parse(name, region);
        }
    }
    match section.get("region") {
        Some(region) => parse("`region` of the profile in use,", region),
        None => Err(Error::NoRegion { profile: profile.name.clone() }),
    }
}

/// A yes or no from the environment or, that being silent, the profile.
fn switch(env: &Env, section: &Section, variable: &'static str, property: &'static str) -> Result<bool, Error> {
    let given = env.get(variable).map(|value| (variable, value));
    match given.or_else(|| section.get(property).map(|value| (property, value))) {
        None => Ok(false),
        Some((_, value)) if value.eq_ignore_ascii_case("true") => Ok(true),
        Some((_, value)) if value.eq_ignore_ascii_case("false") => Ok(false),
        Some((name, value)) => Err(Error::input(name, value, "`true` or `false`")),
    }
}

/// Overrides of the endpoint are the SDK's business, which panics on an empty one and takes other mistakes for a
/// network that is down.
fn check_endpoint_overrides(
    env: &Env,
    section: &Section,
    endpoint: &StsEndpoint,
    role_is_given: bool,
) -> Result<(), Error> {
    let from_env = |name| env.given(name).map(|value| (name, value.to_string_lossy().into_owned()));
    let from_profile = section.given("endpoint_url").map(|value| ("endpoint_url", value.to_owned()));
    for (name, value) in
        [from_env("AWS_ENDPOINT_URL_STS"), from_env("AWS_ENDPOINT_URL"), from_profile].into_iter().flatten()
    {
        let url: Option<http::Uri> = value.parse().ok();
        let is_url = url.is_some_and(|url| {
            matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty())
        });
        if !is_url {
            return Err(Error::input(name, &value, "a URL, such as `https://sts.example.com`, or not be there at all"));
        }
        if role_is_given && (endpoint.use_fips || endpoint.use_dual_stack) {
            let why = format!("{name} names another endpoint, which cannot be combined with FIPS or dual-stack");
            return Err(Error::NoEndpoint { region: endpoint.region.to_string(), why });
        }
    }
    Ok(())
}

fn parse_duration(value: &str) -> Result<Duration, Error> {
    let is_digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    match value.parse() {
        Ok(seconds @ 900..=43_200) if is_digits => Ok(Duration::from_secs(seconds)),
        _ => Err(Error::input("--duration", value, "a number of seconds from 900 to 43200")),
    }
}

/// A string of a certain form, so that no two can be mistaken for each other.
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
    /// The name of an EKS cluster, `^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$` (EKS API); of an Outposts local cluster its id.
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

impl ClusterName {
    pub fn parse(value: &str) -> Result<Self, Error> {
        let is_inner = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let fits =
            value.len() <= 100 && value.bytes().all(is_inner) && value.starts_with(|c: char| c.is_ascii_alphanumeric());
        if fits {
            return Ok(ClusterName(value.to_owned()));
        }
        let hint = value
            .rsplit_once(":cluster/")
            .filter(|_| value.starts_with("arn:"))
            .map(|(_, name)| format!("`--cluster {name}`"));
        Err(Error::Input {
            name: "--cluster",
            value: value.to_owned(),
            rule: "a cluster's name: up to 100 letters, digits, `-` and `_`, starting with a letter or digit".into(),
            hint: hint
                .map(|command| format!("this is an ARN; the name alone is wanted: {}", crate::error::shown(&command))),
        })
    }
}

impl RoleArn {
    fn parse(value: &str, region: &Region) -> Result<Self, Error> {
        let wrong = |hint: Option<String>| Error::Input {
            name: "--role",
            value: value.to_owned(),
            rule: "a role's ARN, such as `arn:aws:iam::111122223333:role/developers`".into(),
            hint,
        };
        let parts: Vec<&str> = value.splitn(6, ':').collect();
        let &["arn", partition, service, "", account, resource] = parts.as_slice() else { return Err(wrong(None)) };
        if service == "sts" && resource.starts_with("assumed-role/") {
            return Err(wrong(Some(
                "this names a session of a role; the role's own ARN is wanted, as `aws iam get-role` shows it".into(),
            )));
        }
        if service == "iam" && (resource.starts_with("group/") || resource.starts_with("user/")) {
            return Err(wrong(Some("only a role can be assumed: name the role that the group's policy allows".into())));
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
            return Err(Error::Input {
                name: "--role",
                value: value.to_owned(),
                rule: format!("of partition `{expected}`, that of region `{region}`").into(),
                hint: Some("correct `--role` or `--region`".into()),
            });
        }
        Ok(RoleArn(value.to_owned()))
    }

    pub fn partition(&self) -> &str {
        self.0.split(':').nth(1).expect("six parts were checked when it was parsed")
    }

    /// The account that the role is in.
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).expect("six parts were checked when it was parsed")
    }

    /// The last part, without the path: what STS shows in the ARN of a session.
    pub fn name(&self) -> &str {
        self.0.rsplit(['/', ':']).next().expect("splitting gives at least one part")
    }
}

impl SessionName {
    fn parse(value: &str) -> Result<Self, Error> {
        let fits = (2..=64).contains(&value.len()) && value.bytes().all(is_name_byte);
        fits.then(|| SessionName(value.to_owned()))
            .ok_or_else(|| Error::input("--session-name", value, "2 to 64 letters, digits and `_+=,.@-`"))
    }

    /// The caller's own name made fit: IAM user names are of the same alphabet, but may be a single letter; names
    /// from elsewhere may be anything.
    pub fn of_caller(name: &str) -> Self {
        let mut fit: String =
            name.chars().map(|c| if c.is_ascii() && is_name_byte(c as u8) { c } else { '-' }).take(64).collect();
        while fit.len() < 2 {
            fit.push('-');
        }
        SessionName(fit)
    }
}

impl ExternalId {
    fn parse(value: &str) -> Result<Self, Error> {
        let is_fit = |b: u8| is_name_byte(b) || b == b':' || b == b'/';
        let fits = (2..=1224).contains(&value.len()) && value.bytes().all(is_fit);
        fits.then(|| ExternalId(value.to_owned()))
            .ok_or_else(|| Error::input("--external-id", value, "2 to 1224 letters, digits and `_+=,.@:/-`"))
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
    fn role_arns_are_told_from_other_strings() {
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
    fn durations_are_plain_numbers_of_seconds_within_what_sts_takes() {
        assert_eq!(parse_duration("900").unwrap().as_secs(), 900);
        assert_eq!(parse_duration("43200").unwrap().as_secs(), 43200);
        for bad in ["", "899", "43201", "1h", "+3600", "-1", "3600.0", " 3600", "99999999999999999999999"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn region_comes_from_the_nearest_that_names_one() {
        let files = ProfileFiles::new(b"[default]\nregion = eu-north-1\n", b"");
        let info = |server: Option<&str>, region: Option<&str>| ExecInfo {
            api_version: ApiVersion::V1,
            from_client_go: true,
            interactive: false,
            server: server.map(Into::into),
            region: region.map(Into::into),
        };
        let server = Some("https://x.gr7.eu-west-2.eks.amazonaws.com");
        let resolve = |flag: Option<&str>, env: &[(&str, &str)], info: ExecInfo| {
            let global = GlobalArgs { region: flag.map(Into::into), ..Default::default() };
            let env: Env = env.iter().copied().collect();
            let profile = ProfileChoice::resolve(&global, &env).unwrap();
            let section = files.profile(&profile.name).unwrap_or_default();
            resolve_region(&global, &env, &info, &profile, &section).map(|region| region.as_str().to_owned())
        };
        let env = [("AWS_REGION", "eu-central-1"), ("AWS_DEFAULT_REGION", "eu-south-1")];
        assert_eq!(resolve(Some("us-east-1"), &env, info(server, Some("eu-west-3"))).unwrap(), "us-east-1");
        assert_eq!(resolve(None, &env, info(server, Some("eu-west-3"))).unwrap(), "eu-west-3");
        assert_eq!(resolve(None, &env, info(server, None)).unwrap(), "eu-west-2");
        assert_eq!(resolve(None, &env, info(Some("https://10.0.0.1"), None)).unwrap(), "eu-central-1");
        assert_eq!(resolve(None, &env[1..], info(None, None)).unwrap(), "eu-south-1");
        assert_eq!(resolve(None, &[], info(None, None)).unwrap(), "eu-north-1");
        assert!(matches!(resolve(None, &[("AWS_PROFILE", "other")], info(None, None)), Err(Error::NoRegion { .. })));
        assert!(matches!(resolve(None, &[("AWS_REGION", "Frankfurt")], info(None, None)), Err(Error::Input { .. })));
    }

    proptest! {
        #[test]
        fn any_name_of_a_caller_becomes_a_session_name(name in "\\PC{0,80}") {
            let fit = SessionName::of_caller(&name);
            prop_assert!(SessionName::parse(fit.as_str()).is_ok());
        }

        #[test]
        fn a_fit_name_of_a_caller_stays_as_it_is(name in "[A-Za-z0-9_+=,.@-]{2,64}") {
            let fit = SessionName::of_caller(&name);
            prop_assert_eq!(fit.as_str(), name);
        }
    }
}
