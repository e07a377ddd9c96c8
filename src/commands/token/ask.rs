//! Combines the arguments, the environment, client-go's information and the profile into one fully validated request.
//! Pure: no file or network access.

use crate::aws::endpoint::StsEndpoint;
use crate::aws::endpoints::Endpoints;
use crate::aws::error::Error as AwsError;
use crate::aws::names::{ClusterName, SessionName};
use crate::aws::profile::{Located, Profile, ProfileFiles};
use crate::aws::region::Region;
use crate::aws::source::{Base, CredentialSource};
use crate::cache::policy::CacheMode;
use crate::cli::GlobalArgs;
use crate::cli::token::TokenArgs;
use crate::commands::error::Error;
use crate::commands::token::arguments::{self, Target};
use crate::commands::token::roles::Roles;
use crate::kube::exec::{ApiVersion, ExecInfo};
use crate::sys::env::Env;
use crate::sys::vars;

/// A resolved request for one token.
#[derive(Debug)]
pub struct Ask<'a> {
    pub cluster: ClusterName,
    /// The STS host in the token.
    pub endpoint: StsEndpoint,
    /// Endpoints that override AWS's own.
    pub endpoints: Endpoints,
    /// Where the caller's own credentials come from.
    pub source: CredentialSource<'a>,
    pub roles: Roles,
    pub cache: CacheMode,
    /// Whether cached entries are ignored.
    pub refresh: bool,
    pub form: OutputFormat,
}

/// What is printed to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    ExecCredential(ApiVersion),
    BareToken,
}

impl<'a> Ask<'a> {
    /// # Errors
    ///
    /// For the first invalid input.
    pub fn resolve(
        target: Target,
        args: &TokenArgs,
        global: &GlobalArgs,
        env: &Env,
        exec_info: &ExecInfo,
        files: &ProfileFiles<'a>,
    ) -> Result<Self, Error> {
        let source = CredentialSource::resolve(target.profile, env, files)?;
        let profile = source.profile();
        let endpoint = StsEndpoint {
            region: resolve_region(global, env, exec_info, &source)?,
            use_fips: switch(env, profile, vars::AWS_USE_FIPS_ENDPOINT, "use_fips_endpoint")?,
            use_dual_stack: switch(env, profile, vars::AWS_USE_DUALSTACK_ENDPOINT, "use_dualstack_endpoint")?,
        };
        check_source(&source)?;
        let roles = Roles::resolve(&args.role, &source, &endpoint.region)?;
        let endpoints = Endpoints::resolve(env, profile, files, matches!(source.base, Base::Sso(_)))?;
        if roles.last.is_some() || matches!(source.base, Base::WebIdentity(_)) {
            check_custom_endpoint(&endpoint, &endpoints)?;
        }
        Ok(Ask {
            cluster: target.cluster,
            endpoint,
            endpoints,
            source,
            roles,
            cache: arguments::cache_mode(args, env)?,
            refresh: args.refresh,
            form: if args.token_only {
                OutputFormat::BareToken
            } else {
                OutputFormat::ExecCredential(exec_info.api_version)
            },
        })
    }

    /// Whether the user may have to be asked for an MFA code.
    pub fn may_prompt_for_mfa(&self) -> bool {
        self.roles.with_mfa().is_some()
    }
}

/// A custom STS endpoint cannot be combined with FIPS or dual-stack.
fn check_custom_endpoint(endpoint: &StsEndpoint, endpoints: &Endpoints) -> Result<(), AwsError> {
    match &endpoints.sts {
        Some(Located { place, .. }) if endpoint.use_fips || endpoint.use_dual_stack => {
            let why = format!("{place} sets a custom endpoint, which cannot be combined with FIPS or dual-stack");
            Err(AwsError::NoEndpoint { region: endpoint.region.to_string(), why })
        }
        _ => Ok(()),
    }
}

/// Checks the parts of a source that have a fixed format.
fn check_source(source: &CredentialSource) -> Result<(), AwsError> {
    match &source.base {
        Base::WebIdentity(identity) => {
            if let Some(Located { text, place }) = &identity.session_name {
                SessionName::parse(text).map_err(AwsError::invalid(place))?;
            }
            Ok(())
        }
        Base::Sso(sso) => parse_region(&sso.region.place, &sso.region.text).map(drop),
        _ => Ok(()),
    }
}

/// Takes the region from the flag, client-go's cluster information, the environment or the profile, in this order.
fn resolve_region(
    global: &GlobalArgs,
    env: &Env,
    exec_info: &ExecInfo,
    source: &CredentialSource,
) -> Result<Region, Error> {
    if let Some(region) = &global.region {
        return Ok(parse_region("--region", region)?);
    }
    if let Some(region) = &exec_info.region {
        return Ok(parse_region("`region` in the cluster's exec extension", region)?);
    }
    if let Some(region) = exec_info.server.as_deref().and_then(Region::from_eks_server) {
        return Ok(region);
    }
    for name in [vars::AWS_REGION, vars::AWS_DEFAULT_REGION] {
        if let Some(region) = env.get(name) {
            return Ok(parse_region(name, region)?);
        }
    }
    match source.profile().map(|profile| profile.get("region")).transpose()?.flatten() {
        Some(region) => Ok(parse_region(&region.place.to_string(), region.text)?),
        None => Err(Error::NoRegion { profile: source.choice.name.clone() }),
    }
}

fn parse_region(place: &str, value: &str) -> Result<Region, AwsError> {
    Region::parse(value).ok_or_else(|| AwsError::input(place, value, "a region name, such as `eu-west-1`"))
}

/// A boolean from the environment or, if unset there, from the profile.
fn switch(
    env: &Env,
    profile: Option<&Profile>,
    variable: &'static str,
    property: &'static str,
) -> Result<bool, AwsError> {
    let parse = |value: &str| match value {
        _ if value.eq_ignore_ascii_case("true") => Some(true),
        _ if value.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    if let Some(value) = env.get(variable) {
        return parse(value).ok_or_else(|| AwsError::input(variable, value, "`true` or `false`"));
    }
    let Some(value) = profile.map(|profile| profile.get(property)).transpose()?.flatten() else { return Ok(false) };
    parse(value.text).ok_or_else(|| AwsError::input(value.place.to_string(), value.text, "`true` or `false`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::profile::tests::files;
    use crate::aws::source::ProfileChoice;

    #[test]
    fn the_region_comes_from_the_source_with_the_highest_precedence() {
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
        assert!(matches!(
            resolve(None, &[("AWS_REGION", "Frankfurt")], info(None, None)),
            Err(Error::Aws(AwsError::Input { .. }))
        ));
    }
}
