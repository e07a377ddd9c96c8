//! Checks that need only the arguments. Pure.

use crate::aws::error::Error as AwsError;
use crate::aws::names::ClusterName;
use crate::aws::source::ProfileChoice;
use crate::cache::policy::CacheMode;
use crate::cli::GlobalArgs;
use crate::cli::aws_cli::AwsCliArgs;
use crate::cli::token::TokenArgs;
use crate::commands::error::Error;
use crate::say::warning::Warning;
use crate::sys::env::Env;
use crate::sys::vars;

/// What the token is for, and the profile to use.
pub struct Target {
    pub cluster: ClusterName,
    pub profile: ProfileChoice,
}

/// Checks the arguments alone, so that their errors are reported before those in the files.
///
/// # Errors
///
/// [`Error::Usage`], and [`AwsError::Input`].
pub fn check(args: &TokenArgs, global: &GlobalArgs, env: &Env) -> Result<Target, Error> {
    check_aws_cli_args(&global.aws_cli)?;
    Ok(Target { cluster: cluster(args, env)?, profile: ProfileChoice::resolve(global.profile.as_deref(), env)? })
}

/// Warnings for arguments that have no effect.
pub fn warnings(has_role: bool, args: &TokenArgs, global: &GlobalArgs, env: &Env) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let (None, Some(used), Some(ignored)) =
        (&global.profile, env.get(vars::AWS_PROFILE), env.get(vars::AWS_DEFAULT_PROFILE))
        && used != ignored
    {
        warnings.push(Warning::ConflictingProfiles { used: used.to_owned(), ignored: ignored.to_owned() });
    }
    let without_role = [("--session-name", &args.role.session_name), ("--external-id", &args.role.external_id)];
    for (argument, value) in without_role {
        if !has_role && value.is_some() {
            warnings.push(Warning::NoEffect { argument, why: "no role is assumed without `--role`" });
        }
    }
    if global.aws_cli.endpoint_url.is_some() {
        let why =
            "it redirects no call in the AWS CLI's get-token either; set AWS_ENDPOINT_URL_STS to redirect calls to STS";
        warnings.push(Warning::NoEffect { argument: "--endpoint-url", why });
    }
    warnings
}

fn cluster(args: &TokenArgs, env: &Env) -> Result<ClusterName, Error> {
    let of_authenticator = vars::KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID;
    let variable = env.get(of_authenticator).map(|value| (of_authenticator, value));
    match args.cluster.as_deref().map(|value| ("--cluster", value)).or(variable) {
        Some((name, value)) => Ok(ClusterName::parse(value).map_err(AwsError::invalid(name))?),
        // Worded like clap's own error; clap itself treats the argument as optional.
        None => Err(Error::Usage {
            words: "the following required arguments were not provided: --cluster <NAME>".into(),
            hint: None,
        }),
    }
}

/// Rejects AWS CLI options that would change the output or make it insecure.
fn check_aws_cli_args(args: &AwsCliArgs) -> Result<(), Error> {
    let refuse = |argument: &str, hint: &str| {
        Err(Error::Usage { words: format!("`{argument}` is not supported"), hint: Some(hint.to_owned()) })
    };
    let bare =
        "the output is always an ExecCredential in JSON, as kubectl expects; use `--token-only` for the bare token";
    if args.query.is_some() {
        return refuse("--query", bare);
    }
    if let Some(output) = args.output.as_deref().filter(|output| *output != "json") {
        return refuse(&format!("--output {output}"), bare);
    }
    if args.no_verify_ssl {
        return refuse(
            "--no-verify-ssl",
            "set the certificate authorities to trust with `--ca-bundle` or AWS_CA_BUNDLE",
        );
    }
    if args.no_sign_request {
        return refuse("--no-sign-request", "remove it: a token is a signed request");
    }
    Ok(())
}

pub fn cache_mode(args: &TokenArgs, env: &Env) -> Result<CacheMode, Error> {
    let (name, value) = match (&args.cache, env.get(vars::EKS_GROUP_AUTH_CACHE)) {
        (Some(value), _) => ("--cache", value.as_str()),
        (None, Some(value)) => (vars::EKS_GROUP_AUTH_CACHE, value),
        (None, None) => return Ok(CacheMode::All),
    };
    match value {
        // In aws-iam-authenticator, `--cache` is a flag.
        "all" | "true" => Ok(CacheMode::All),
        "token" => Ok(CacheMode::Token),
        "off" | "false" => Ok(CacheMode::Off),
        _ => Err(AwsError::input(name, value, "`all`, `token` or `off`").into()),
    }
}
