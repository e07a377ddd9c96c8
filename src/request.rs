//! What is meant: arguments, environment, client-go's information and the profile, made into one request in which
//! everything is checked. Pure: it reads no file and asks nobody.

use std::time::Duration;

use crate::cli::{GlobalArgs, TokenArgs};
use crate::env::Env;
use crate::error::Error;
use crate::exec_credential::{ApiVersion, ExecInfo};
use crate::names::{ClusterName, ExternalId, MfaSerial, NameTemplate, RoleArn};
use crate::profile::{ProfileFiles, Section};
use crate::region::Region;

/// One token, as asked for.
#[derive(Debug)]
pub struct TokenRequest {
    pub cluster: ClusterName,
    pub endpoint: StsEndpoint,
    /// Roles of the profile that are assumed on the way to the last one, first one first.
    pub via: Vec<RoleRequest>,
    /// The last one: of `--role`, or else of the profile.
    pub role: Option<RoleRequest>,
    /// The profile that base credentials come from.
    pub base_profile: ProfileChoice,
    pub cache: CacheMode,
    /// Whether what is cached is passed over.
    pub refresh: bool,
    pub answer: AnswerForm,
}

/// The roles that may be assumed, and all that the AssumeRole call says.
#[derive(Debug)]
pub struct RoleRequest {
    /// At least one; the first that STS lets the caller assume is meant.
    pub candidates: Vec<RoleArn>,
    /// `None`: the caller's own name.
    pub session_name: Option<NameTemplate>,
    pub source_identity: Option<NameTemplate>,
    pub external_id: Option<ExternalId>,
    /// `None`: what STS gives, one hour; with MFA, as long as the role grants.
    pub duration: Option<Duration>,
    pub mfa_serial: Option<MfaSerial>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileChoice {
    pub name: String,
    pub named_by: NamedBy,
    /// The profile that was named, where this is the one that its roles start from.
    pub source_of: Option<String>,
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
        Ok(ProfileChoice { name: name.to_owned(), named_by, source_of: None })
    }

    /// Whether keys in the environment come before this profile.
    pub fn is_outdone_by_keys(&self, env: &Env) -> bool {
        self.named_by != NamedBy::Flag && env.get("AWS_ACCESS_KEY_ID").is_some()
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
        let endpoint = StsEndpoint {
            region: resolve_region(global, env, exec_info, profile, &section)?,
            use_fips: switch(env, &section, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?,
            use_dual_stack: switch(env, &section, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?,
        };
        let answer =
            if args.token_only { AnswerForm::BareToken } else { AnswerForm::ExecCredential(exec_info.api_version) };
        let has_role = !profile.is_outdone_by_keys(env) && section.get("role_arn").is_some();
        let of_profile = if has_role { files.roles_on_the_way(&profile.name) } else { None };
        let (sections, base_profile) = of_profile.unwrap_or_else(|| (Vec::new(), profile.name.clone()));
        let steps = sections.iter().map(|section| RoleRequest::of_profile(section, &endpoint.region));
        let mut via = steps.collect::<Result<Vec<_>, _>>()?;
        let of_profile = if args.role.is_empty() { via.pop() } else { None };
        let role = RoleRequest::resolve(args, &endpoint.region, profile, &section, env, of_profile)?;
        check_endpoint_overrides(env, &section, &endpoint, role.is_some())?;
        Ok(TokenRequest {
            cluster,
            via,
            role,
            base_profile: ProfileChoice {
                source_of: (base_profile != profile.name).then(|| profile.name.clone()),
                name: base_profile,
                named_by: profile.named_by,
            },
            endpoint,
            cache: CacheMode::resolve(args, env)?,
            refresh: args.refresh,
            answer,
        })
    }
}

impl RoleRequest {
    /// What a profile with `role_arn` says.
    fn of_profile(section: &Section, region: &Region) -> Result<Self, Error> {
        let role_arn = "`role_arn` of the profile or its source";
        let session_name = "`role_session_name` of the profile or its source";
        let mfa_serial = "`mfa_serial` of the profile or its source";
        let arn = section.get("role_arn").unwrap_or_default();
        let external_id = section.get("external_id").map(ExternalId::parse).transpose();
        let duration = section.get("duration_seconds").map(parse_duration).transpose();
        Ok(RoleRequest {
            candidates: vec![named(role_arn, RoleArn::parse(arn, region))?],
            session_name: section.get("role_session_name").map(|n| NameTemplate::parse(session_name, n)).transpose()?,
            source_identity: None,
            external_id: named("`external_id` of the profile or its source", external_id)?,
            duration: named("`duration_seconds` of the profile or its source", duration)?,
            mfa_serial: section.get("mfa_serial").map(|serial| MfaSerial::parse(mfa_serial, serial)).transpose()?,
        })
    }

    /// `None` where no role is asked for. Where `--role` names none, the others say something about the profile's.
    fn resolve(
        args: &TokenArgs,
        region: &Region,
        profile: &ProfileChoice,
        section: &Section,
        env: &Env,
        of_profile: Option<Self>,
    ) -> Result<Option<Self>, Error> {
        let template =
            |option, value: &Option<String>| value.as_deref().map(|v| NameTemplate::parse(option, v)).transpose();
        let session_name = template("--session-name", &args.session_name)?;
        let source_identity = template("--source-identity", &args.source_identity)?;
        let external_id = args.external_id.as_deref().map(ExternalId::parse).transpose()?;
        let duration = args.duration.as_deref().map(parse_duration).transpose()?;
        let mut candidates = Vec::new();
        for arn in &args.role {
            let arn = RoleArn::parse(arn, region)?;
            if !candidates.contains(&arn) {
                candidates.push(arn);
            }
        }
        let given_serial =
            args.mfa_serial.as_deref().map(|serial| MfaSerial::parse("--mfa-serial", serial)).transpose()?;
        if let Some(role) = of_profile {
            return Ok(Some(RoleRequest {
                candidates: role.candidates,
                session_name: session_name.or(role.session_name),
                source_identity,
                external_id: external_id.or(role.external_id),
                duration: duration.or(role.duration),
                mfa_serial: given_serial.or(role.mfa_serial),
            }));
        }
        if candidates.is_empty() {
            let given = [
                ("--session-name", &args.session_name),
                ("--source-identity", &args.source_identity),
                ("--external-id", &args.external_id),
                ("--duration", &args.duration),
                ("--mfa-serial", &args.mfa_serial),
            ];
            return match given.iter().find(|(_, value)| value.is_some()) {
                Some((flag, _)) => {
                    Err(Error::Usage(format!("`{flag}` says something about a role, and there is no `--role`")))
                }
                None => Ok(None),
            };
        }
        // A profile's device is that of its user, unless the profile is a role, which has none.
        let is_a_users = !profile.is_outdone_by_keys(env) && section.get("role_arn").is_none();
        let of_profile = section.get("mfa_serial").filter(|_| is_a_users);
        let mfa_serial = match (given_serial, of_profile) {
            (None, Some(serial)) => Some(MfaSerial::parse("`mfa_serial` of the profile in use,", serial)?),
            (given, _) => given,
        };
        Ok(Some(RoleRequest { candidates, session_name, source_identity, external_id, duration, mfa_serial }))
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

/// An input error under the name of the property that it came from.
fn named<T>(name: &'static str, parsed: Result<T, Error>) -> Result<T, Error> {
    parsed.map_err(|error| match error {
        Error::Input { value, rule, hint, .. } => Error::Input { name, value, rule, hint },
        other => other,
    })
}

fn parse_duration(value: &str) -> Result<Duration, Error> {
    let is_digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    match value.parse() {
        Ok(seconds @ 900..=43_200) if is_digits => Ok(Duration::from_secs(seconds)),
        _ => Err(Error::input("--duration", value, "a number of seconds from 900 to 43200")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
