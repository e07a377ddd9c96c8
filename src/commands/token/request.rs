//! What is meant: arguments, environment, client-go's information and the profile, made into one request in which
//! everything is checked. Pure: it reads no file and asks nobody.

use crate::aws::endpoints::Endpoints;
use crate::aws::names::{
    ClusterName, ExternalId, Invalid, MfaSerial, NameTemplate, RoleArn, SessionDuration, SessionName,
};
use crate::aws::profile::{Located, Profile, ProfileFiles, Value};
use crate::aws::region::Region;
use crate::aws::source::{Base, CredentialSource};
use crate::cli::{AwsCliArgs, GlobalArgs, TokenArgs};
use crate::kube::exec::{ApiVersion, ExecInfo};
use crate::say::error::{Error, Warning};
use crate::sys::env::Env;
use crate::sys::vars;

/// One token, as asked for.
#[derive(Debug)]
pub struct TokenRequest {
    pub cluster: ClusterName,
    pub endpoint: StsEndpoint,
    /// Where AWS is asked, if elsewhere than at its own addresses.
    pub endpoints: Endpoints,
    /// Roles of the profile that are assumed on the way to the last one, first one first.
    pub via: Vec<RoleRequest>,
    /// The last one: of `--role`, or else of the profile.
    pub role: Option<RoleRequest>,
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
    pub duration: Option<SessionDuration>,
    pub mfa_serial: Option<MfaSerial>,
    pub written: Written,
}

/// What hints need to know of how a role was asked for.
#[derive(Debug, Default)]
pub struct Written {
    /// The profile whose `role_arn` it is.
    pub profile: Option<String>,
    /// The property that the duration is from, with its place.
    pub duration: Option<String>,
    /// Whether the role's own profile names the MFA device. Then a code is asked for, even from a role's session.
    pub mfa_serial_is_of_role: bool,
    /// Where the role has no MFA device: the one of a profile that its role starts from, which does not count for it.
    pub unused_mfa_serial: Option<String>,
}

/// Which of the region's STS hosts is meant: the one in the token, whatever address is asked.
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

impl TokenRequest {
    /// # Errors
    ///
    /// [`Error::Input`] and [`Error::NoRegion`], for the first input that is wrong.
    pub fn resolve(
        args: &TokenArgs,
        global: &GlobalArgs,
        env: &Env,
        exec_info: &ExecInfo,
        source: &CredentialSource,
        files: &ProfileFiles,
    ) -> Result<Self, Error> {
        let profile = source.profile();
        let endpoint = StsEndpoint {
            region: resolve_region(global, env, exec_info, source)?,
            use_fips: switch(env, profile, vars::AWS_USE_FIPS_ENDPOINT, "use_fips_endpoint")?,
            use_dual_stack: switch(env, profile, vars::AWS_USE_DUALSTACK_ENDPOINT, "use_dualstack_endpoint")?,
        };
        let answer =
            if args.token_only { AnswerForm::BareToken } else { AnswerForm::ExecCredential(exec_info.api_version) };
        check_source(source)?;
        let steps = source.roles().map(|profile| RoleRequest::of_profile(profile, source, &endpoint.region));
        let mut via = steps.collect::<Result<Vec<_>, _>>()?;
        let of_profile = if args.role.is_empty() { via.pop() } else { None };
        let role = RoleRequest::resolve(args, &endpoint.region, source, of_profile)?;
        let endpoints = Endpoints::resolve(env, profile, files, matches!(source.base, Base::Sso(_)))?;
        if role.is_some() || matches!(source.base, Base::WebIdentity(_)) {
            endpoint.check_override(&endpoints)?;
        }
        Ok(TokenRequest {
            cluster: resolve_cluster(args, env)?,
            endpoints,
            via,
            role,
            endpoint,
            cache: CacheMode::resolve(args, env)?,
            refresh: args.refresh,
            answer,
        })
    }

    /// What is wrong with the arguments alone, to be known before the files are read.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] and [`Error::Input`].
    pub fn check_arguments(args: &TokenArgs, global: &GlobalArgs, env: &Env) -> Result<(), Error> {
        check_aws_cli_args(&global.aws_cli)?;
        resolve_cluster(args, env).map(drop)
    }

    /// What was asked for and does nothing, to be said once a call.
    pub fn warnings(&self, args: &TokenArgs, global: &GlobalArgs, env: &Env) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let (None, Some(used), Some(passed_over)) =
            (&global.profile, env.get(vars::AWS_PROFILE), env.get(vars::AWS_DEFAULT_PROFILE))
            && used != passed_over
        {
            warnings.push(Warning::TwoProfiles { used: used.to_owned(), passed_over: passed_over.to_owned() });
        }
        let without_role = [("--session-name", &args.session_name), ("--external-id", &args.external_id)];
        for (argument, value) in without_role {
            if self.role.is_none() && value.is_some() {
                warnings.push(Warning::NoEffect { argument, why: "no role is assumed, because there is no `--role`" });
            }
        }
        if global.aws_cli.endpoint_url.is_some() {
            let why = "in the AWS CLI's get-token it moves no call; AWS_ENDPOINT_URL_STS moves those to STS";
            warnings.push(Warning::NoEffect { argument: "--endpoint-url", why });
        }
        warnings
    }
}

impl StsEndpoint {
    fn check_override(&self, endpoints: &Endpoints) -> Result<(), Error> {
        match &endpoints.sts {
            Some(Located { place, .. }) if self.use_fips || self.use_dual_stack => {
                let why = format!("{place} names another endpoint, which cannot be combined with FIPS or dual-stack");
                Err(Error::NoEndpoint { region: self.region.to_string(), why })
            }
            _ => Ok(()),
        }
    }
}

impl RoleRequest {
    /// What a profile with `role_arn` says.
    fn of_profile(profile: &Profile, source: &CredentialSource, region: &Region) -> Result<Self, Error> {
        let arn = profile.get("role_arn")?.expect("a role is one because it has this");
        let serial = profile.get("mfa_serial")?;
        let duration = profile.get("duration_seconds")?;
        let written = Written {
            profile: Some(profile.name().to_owned()),
            duration: duration.map(|value| value.place.to_string()),
            mfa_serial_is_of_role: serial.is_some(),
            unused_mfa_serial: if serial.is_none() { source.mfa_serial_elsewhere()? } else { None },
        };
        Ok(RoleRequest {
            candidates: vec![at_place(arn, |arn| RoleArn::parse(arn, region))?],
            session_name: profile
                .get("role_session_name")?
                .map(|name| at_place(name, NameTemplate::parse))
                .transpose()?,
            source_identity: None,
            external_id: profile.get("external_id")?.map(|id| at_place(id, ExternalId::parse)).transpose()?,
            duration: duration.map(|duration| at_place(duration, SessionDuration::parse)).transpose()?,
            mfa_serial: serial.map(|serial| at_place(serial, MfaSerial::parse)).transpose()?,
            written,
        })
    }

    /// `None` where no role is asked for. Where `--role` names none, the others say something about the profile's.
    fn resolve(
        args: &TokenArgs,
        region: &Region,
        source: &CredentialSource,
        of_profile: Option<Self>,
    ) -> Result<Option<Self>, Error> {
        let session_name = flag("--session-name", &args.session_name, NameTemplate::parse)?;
        let source_identity = flag("--source-identity", &args.source_identity, NameTemplate::parse)?;
        let external_id = flag("--external-id", &args.external_id, ExternalId::parse)?;
        let duration = flag("--duration", &args.duration, SessionDuration::parse)?;
        let given_serial = flag("--mfa-serial", &args.mfa_serial, MfaSerial::parse)?;
        let mut candidates = Vec::new();
        for arn in &args.role {
            let arn = RoleArn::parse(arn, region).map_err(Error::invalid("--role"))?;
            if !candidates.contains(&arn) {
                candidates.push(arn);
            }
        }
        if let Some(role) = of_profile {
            let duration_place = role.written.duration.filter(|_| duration.is_none());
            return Ok(Some(RoleRequest {
                candidates: role.candidates,
                session_name: session_name.or(role.session_name),
                source_identity,
                external_id: external_id.or(role.external_id),
                duration: duration.or(role.duration),
                mfa_serial: given_serial.or(role.mfa_serial),
                written: Written {
                    duration: duration_place,
                    mfa_serial_is_of_role: role.written.mfa_serial_is_of_role && args.mfa_serial.is_none(),
                    ..role.written
                },
            }));
        }
        if candidates.is_empty() {
            // aws-iam-authenticator passes over a session name and an external id; these are this program's own.
            let given = [
                ("--source-identity", &args.source_identity),
                ("--duration", &args.duration),
                ("--mfa-serial", &args.mfa_serial),
            ];
            return match given.iter().find(|(_, value)| value.is_some()) {
                Some((flag, _)) => {
                    let words = format!("`{flag}` says something about a role, and there is no `--role`");
                    Err(Error::Usage { words, hint: None })
                }
                None => Ok(None),
            };
        }
        // A profile's device is that of its user, unless the profile is a role, which has none.
        let of_user = source.profile().filter(|_| !source.is_environment_keys() && source.roles().next().is_none());
        let of_profile = of_user.map(|profile| profile.get("mfa_serial")).transpose()?.flatten();
        let mfa_serial = match (given_serial, of_profile) {
            (None, Some(serial)) => Some(at_place(serial, MfaSerial::parse)?),
            (given, _) => given,
        };
        let written = Written::default();
        Ok(Some(RoleRequest { candidates, session_name, source_identity, external_id, duration, mfa_serial, written }))
    }
}

fn flag<T>(
    name: &'static str,
    value: &Option<String>,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<Option<T>, Error> {
    value.as_deref().map(parse).transpose().map_err(Error::invalid(name))
}

/// A value of a profile, parsed; where it is not valid, with its place.
fn at_place<'a, T>(value: Value<'a>, parse: impl FnOnce(&'a str) -> Result<T, Invalid>) -> Result<T, Error> {
    parse(value.text).map_err(|invalid| Error::invalid(value.place)(invalid))
}

/// The parts of a source that have a form of their own.
fn check_source(source: &CredentialSource) -> Result<(), Error> {
    match &source.base {
        Base::WebIdentity(identity) => {
            if let Some(Located { text, place }) = &identity.session_name {
                SessionName::parse(text).map_err(Error::invalid(place))?;
            }
            Ok(())
        }
        Base::Sso(sso) => parse_region(&sso.region.place, &sso.region.text).map(drop),
        _ => Ok(()),
    }
}

fn resolve_cluster(args: &TokenArgs, env: &Env) -> Result<ClusterName, Error> {
    let of_authenticator = vars::KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID;
    let variable = env.get(of_authenticator).map(|value| (of_authenticator, value));
    match args.cluster.as_deref().map(|value| ("--cluster", value)).or(variable) {
        Some((name, value)) => ClusterName::parse(value).map_err(Error::invalid(name)),
        // In clap's words: for it the argument is optional.
        None => Err(Error::Usage {
            words: "the following required arguments were not provided: --cluster <NAME>".into(),
            hint: None,
        }),
    }
}

/// Options of the AWS CLI that would change the answer, or make it insecure.
fn check_aws_cli_args(args: &AwsCliArgs) -> Result<(), Error> {
    let refuse = |argument: &str, hint: &str| {
        Err(Error::Usage { words: format!("`{argument}` is not supported"), hint: Some(hint.to_owned()) })
    };
    let bare =
        "the answer is always an ExecCredential in JSON, as kubectl wants it; for the bare token use `--token-only`";
    if args.query.is_some() {
        return refuse("--query", bare);
    }
    if let Some(output) = args.output.as_deref().filter(|output| *output != "json") {
        return refuse(&format!("--output {output}"), bare);
    }
    if args.no_verify_ssl {
        return refuse(
            "--no-verify-ssl",
            "name the certificate authorities to trust with `--ca-bundle` or AWS_CA_BUNDLE",
        );
    }
    if args.no_sign_request {
        return refuse("--no-sign-request", "a token is a signed request: remove it");
    }
    Ok(())
}

impl CacheMode {
    fn resolve(args: &TokenArgs, env: &Env) -> Result<Self, Error> {
        let (name, value) = match (&args.cache, env.get(vars::EKS_GROUP_AUTH_CACHE)) {
            (Some(value), _) => ("--cache", value.as_str()),
            (None, Some(value)) => (vars::EKS_GROUP_AUTH_CACHE, value),
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
    source: &CredentialSource,
) -> Result<Region, Error> {
    if let Some(region) = &global.region {
        return parse_region("--region", region);
    }
    if let Some(region) = &exec_info.region {
        return parse_region("`region` in the cluster's exec extension", region);
    }
    if let Some(region) = exec_info.server.as_deref().and_then(Region::of_eks_server) {
        return Ok(region);
    }
    for name in [vars::AWS_REGION, vars::AWS_DEFAULT_REGION] {
        if let Some(region) = env.get(name) {
            return parse_region(name, region);
        }
    }
    match source.profile().map(|profile| profile.get("region")).transpose()?.flatten() {
        Some(region) => parse_region(&region.place.to_string(), region.text),
        None => Err(Error::NoRegion { profile: source.choice.name.clone() }),
    }
}

fn parse_region(place: &str, value: &str) -> Result<Region, Error> {
    Region::parse(value).ok_or_else(|| Error::input(place, value, "the name of a region, such as `eu-west-1`"))
}

/// A yes or no from the environment or, that being silent, the profile.
fn switch(env: &Env, profile: Option<&Profile>, variable: &'static str, property: &'static str) -> Result<bool, Error> {
    let parse = |value: &str| match value {
        _ if value.eq_ignore_ascii_case("true") => Some(true),
        _ if value.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    if let Some(value) = env.get(variable) {
        return parse(value).ok_or_else(|| Error::input(variable, value, "`true` or `false`"));
    }
    let Some(value) = profile.map(|profile| profile.get(property)).transpose()?.flatten() else { return Ok(false) };
    parse(value.text).ok_or_else(|| Error::input(value.place.to_string(), value.text, "`true` or `false`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::profile::tests::files;
    use crate::aws::source::ProfileChoice;

    #[test]
    fn region_comes_from_the_nearest_that_names_one() {
        let files = files("[default]\nregion = eu-north-1\n[profile other]\n", "");
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
            let choice = ProfileChoice::resolve(None, &env).unwrap();
            let source = CredentialSource::resolve(choice, &env, &files).unwrap();
            resolve_region(&global, &env, &info, &source).map(|region| region.as_str().to_owned())
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
