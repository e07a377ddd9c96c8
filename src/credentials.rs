//! Base credentials, from wherever the user keeps them: the SDK's providers, in the order of the AWS CLI. One runtime,
//! one HTTP client and one deadline serve this and the calls to STS.

use std::cell::Cell;
use std::error::Error as StdError;
use std::future::Future;
use std::time::{Duration, SystemTime};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_signin::operation::create_o_auth2_token::CreateOAuth2TokenError;
use aws_sdk_signin::types::OAuth2ErrorCode;
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rustix::process::{Resource, getrlimit};
use tokio::time::Instant;

use crate::credential_process::CredentialProcess;
use crate::env::Env;
use crate::error::{Doing, Error, shown};
use crate::http_client;
use crate::login::Login;
use crate::presign;
use crate::profile::{ProfileFiles, Section};
use crate::profile_source::ProfileSource;
use crate::request::{NamedBy, ProfileChoice, StsEndpoint};
use crate::sdk_files::{for_sdk, sdk_name};
use crate::source_files::SourceFiles;
use crate::sts::{are_well_formed, causes, failure, last_cause};
use crate::token;

/// For everything that waits on a network, when nobody is asked anything.
pub const DEADLINE: Duration = Duration::from_secs(15);

/// A `credential_process` may ask its user something, in a browser perhaps. What follows it has the time above.
pub const CREDENTIAL_PROCESS_DEADLINE: Duration = Duration::from_secs(60);

/// One try, so that the deadline leaves room for another.
const ATTEMPT: Duration = Duration::from_secs(6);

/// How many files may be needed at a time: sockets, the runtime's own, certificates, pipes.
const ENOUGH_FILES: u64 = 32;

/// A connection to AWS, before anything was sent over it.
pub struct Aws {
    runtime: Option<tokio::runtime::Runtime>,
    provider: SharedCredentialsProvider,
    config: SdkConfig,
    source: Source,
    /// Where STS is looked for, as far as messages go.
    sts_url: String,
    deadline: Cell<Instant>,
}

impl Aws {
    /// Sets up the SDK, with the files as they were read; asks nobody yet. The profile says how AWS is reached, and
    /// `base`, its source or itself, with which credentials.
    pub fn connect(
        endpoint: &StsEndpoint,
        profile: &ProfileChoice,
        base: &ProfileChoice,
        files: &SourceFiles,
        env: &Env,
    ) -> Result<Self, Error> {
        let limit = getrlimit(Resource::Nofile).current;
        if let Some(limit) = limit.filter(|limit| *limit < ENOUGH_FILES) {
            return Err(Error::TooFewFiles { limit });
        }
        let profiles = files.profiles();
        let section = profiles.profile(&profile.name).unwrap_or_default();
        let source = Source::of(base, &profiles, env)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Internal(error.to_string()))?;
        let overrides = [env.get("AWS_ENDPOINT_URL_STS"), env.get("AWS_ENDPOINT_URL"), section.get("endpoint_url")];
        let sts_url = match overrides.into_iter().flatten().next() {
            Some(url) => without_userinfo(url),
            None => presign::sts_url(endpoint)?,
        };
        let http_client = http_client::for_aws(env, &section, sts_url.starts_with("https://"))?;
        let region = aws_config::Region::new(endpoint.region.as_str().to_owned());
        let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(200));
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(DEADLINE).build();
        let provider_config = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_use_fips(Some(endpoint.use_fips))
            .with_use_dual_stack(Some(endpoint.use_dual_stack))
            .with_retry_config(retries.clone())
            .with_timeout_config(timeouts.clone())
            .with_http_client(http_client.clone());
        let base_section = profiles.profile(&base.name).unwrap_or_default();
        let provider = credentials_provider(&provider_config, base, &base_section, files, env)?;
        // Region, retries and time limits are given, so that loading asks neither IMDS nor the environment for them.
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(region)
            .use_fips(endpoint.use_fips)
            .use_dual_stack(endpoint.use_dual_stack)
            .profile_files(for_sdk(files))
            .profile_name(sdk_name(&profile.name))
            .app_name(AppName::new("eks-group-auth").expect("letters and hyphens"))
            .retry_config(retries)
            .timeout_config(timeouts)
            .http_client(http_client)
            .credentials_provider(provider.clone());
        let config = runtime.block_on(loader.load());
        let deadline = Cell::new(Instant::now() + DEADLINE);
        Ok(Aws { runtime: Some(runtime), provider, config, source, sts_url, deadline })
    }

    /// The caller's own credentials, good for longer than a token's margin.
    pub fn base_credentials(&self, clock: fn() -> SystemTime) -> Result<Credentials, Error> {
        self.source.check_login(clock())?;
        let doing = || Doing::GetCredentials(self.source.name.clone());
        if self.source.uses_credential_process {
            self.deadline.set(Instant::now() + CREDENTIAL_PROCESS_DEADLINE);
        }
        // Not through the SDK's identity cache, which has a time limit of its own.
        let answer =
            self.wait(doing, self.provider.provide_credentials()).map_err(|error| self.source.overran(error))?;
        let mut credentials = answer.map_err(|error| self.source.failure(&error))?;
        if self.source.uses_credential_process {
            self.deadline.set(Instant::now() + DEADLINE);
        }
        if let Some(expiry) = self.source.keys_expire {
            *credentials.expiry_mut() = Some(expiry);
        }
        if !are_well_formed(&credentials) {
            return Err(self.source.failed("they are empty, or have characters that no credentials have".into()));
        }
        match credentials.expiry() {
            Some(expiry) if expiry <= clock() + token::MARGIN => Err(self.source.expired()),
            _ => Ok(credentials),
        }
    }

    /// An error that lacks where AWS was looked for, or whose credentials it refused, with that.
    pub fn named(&self, error: Error) -> Error {
        match error {
            Error::Unreachable { doing, why } => {
                Error::Unreachable { doing, why: format!("{why} (at {})", self.sts_url) }
            }
            Error::Refused { doing, code, message } if self.source.is_unexpected => {
                Error::Refused { doing, code, message: format!("{message} (with {})", self.source.name) }
            }
            other => other,
        }
    }

    /// After a person was waited for.
    pub fn restart_deadline(&self) {
        self.deadline.set(Instant::now() + DEADLINE);
    }

    /// Where the base credentials come from, in the user's words.
    pub fn source(&self) -> &str {
        &self.source.name
    }

    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Works until the deadline.
    pub fn wait<T>(&self, doing: impl Fn() -> Doing, work: impl Future<Output = T>) -> Result<T, Error> {
        let runtime = self.runtime.as_ref().expect("it is taken out on drop only");
        let deadline = self.deadline.get();
        runtime
            .block_on(async { tokio::time::timeout_at(deadline, work).await })
            .map_err(|_| Error::Deadline { doing: doing(), after: DEADLINE })
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        // Otherwise a name look-up that hangs would be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The SDK's default chain, with the AWS CLI's ways where they differ: `--profile` comes before keys in the environment;
/// a web identity in the environment before all of a profile but its role; a profile that says where its credentials come from is not passed over when that fails; and the instance metadata
/// service is asked only on an EC2 instance, or where it was asked for, because elsewhere it costs seconds to learn
/// that it is not there.
fn credentials_provider(
    config: &ProviderConfig,
    profile: &ProfileChoice,
    section: &Section,
    files: &SourceFiles,
    env: &Env,
) -> Result<SharedCredentialsProvider, Error> {
    let local = config.clone().with_http_client(http_client::for_local_services()?);
    let ecs = || EcsCredentialsProvider::builder().configure(&local).build();
    let imds = || ImdsCredentialsProvider::builder().configure(&local).build();
    let from_profile = ProfileFileCredentialsProvider::builder()
        .configure(config)
        .profile_files(for_sdk(files))
        .profile_name(sdk_name(&profile.name))
        .with_custom_provider("Environment", environment_keys(env))
        .with_custom_provider("EcsContainer", ecs())
        .with_custom_provider("Ec2InstanceMetadata", imds())
        .build();
    match Winner::of(profile, section, env) {
        Winner::Keys => return Ok(environment_keys(env)),
        Winner::WebIdentity => {
            let provider = WebIdentityTokenCredentialsProvider::builder().configure(config).build();
            return Ok(SharedCredentialsProvider::new(provider));
        }
        Winner::Profile => {}
    }
    if let Some(provider) = own_provider(&ProfileSource::of(&files.profiles(), profile)) {
        return Ok(provider);
    }
    // Whoever names a source means that one.
    if says_where_credentials_are(section) || profile.source_of.is_some() {
        return Ok(SharedCredentialsProvider::new(from_profile));
    }
    let mut chain = CredentialsProviderChain::first_try("Profile", from_profile).or_else("EcsContainer", ecs());
    if env.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").is_some() || is_ec2_instance() {
        chain = chain.or_else("Ec2InstanceMetadata", imds());
    }
    Ok(SharedCredentialsProvider::new(chain))
}

/// Keys from the environment. The SDK does not know the old name of the session token, which the AWS CLI still reads.
fn environment_keys(env: &Env) -> SharedCredentialsProvider {
    let session_token = env.get("AWS_SESSION_TOKEN").filter(|token| !token.trim().is_empty());
    let id = env.get("AWS_ACCESS_KEY_ID");
    let secret = env.get("AWS_SECRET_ACCESS_KEY").or(env.get("SECRET_ACCESS_KEY"));
    match (session_token, env.get("AWS_SECURITY_TOKEN"), id, secret) {
        (None, Some(token), Some(id), Some(secret)) => {
            let keys = Credentials::new(id.trim(), secret.trim(), Some(token.trim().to_owned()), None, "environment");
            SharedCredentialsProvider::new(keys)
        }
        _ => SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()),
    }
}

/// Where this program knows better than the SDK, which runs a `credential_process` in a shell and without an end, and
/// prefers it to keys.
fn own_provider(source: &ProfileSource) -> Option<SharedCredentialsProvider> {
    match *source {
        ProfileSource::Keys { id, secret, session_token } => {
            let keys = Credentials::new(id, secret, session_token.map(str::to_owned), None, "profile");
            Some(SharedCredentialsProvider::new(keys))
        }
        ProfileSource::Process(command) => Some(SharedCredentialsProvider::new(CredentialProcess::new(command))),
        ProfileSource::Sso { .. } | ProfileSource::Login(_) | ProfileSource::Other => None,
    }
}

fn says_where_credentials_are(section: &Section) -> bool {
    const PROPERTIES: [&str; 9] = [
        "aws_access_key_id",
        "role_arn",
        "source_profile",
        "credential_source",
        "credential_process",
        "web_identity_token_file",
        "sso_session",
        "sso_start_url",
        "login_session",
    ];
    PROPERTIES.iter().any(|property| section.get(property).is_some())
}

/// A profile's name as one would type it in a shell.
fn as_argument(profile: &str) -> String {
    let name = shown(profile);
    if sdk_name(profile) == profile { name } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

/// Scheme, host and port: in front of the host there could be a password.
fn without_userinfo(url: &str) -> String {
    let uri: http::Uri = url.parse().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default())
}

/// What the firmware says: `Amazon EC2` on Nitro instances, a uuid that starts with ec2 on Xen ones.
fn is_ec2_instance() -> bool {
    let starts_with = |path, start: &str| {
        std::fs::read_to_string(path).is_ok_and(|text| text.trim_start().to_ascii_lowercase().starts_with(start))
    };
    starts_with("/sys/class/dmi/id/sys_vendor", "amazon ec2") || starts_with("/sys/hypervisor/uuid", "ec2")
}

/// What there is to choose from, the first one first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Winner {
    /// In the environment.
    Keys,
    /// In the environment.
    WebIdentity,
    Profile,
}

impl Winner {
    fn of(profile: &ProfileChoice, section: &Section, env: &Env) -> Self {
        let has_web_identity = env.get("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && env.get("AWS_ROLE_ARN").is_some();
        if profile.named_by == NamedBy::Flag {
            Winner::Profile
        } else if env.get("AWS_ACCESS_KEY_ID").is_some() {
            Winner::Keys
        } else if has_web_identity && section.get("role_arn").is_none() && profile.source_of.is_none() {
            Winner::WebIdentity
        } else {
            Winner::Profile
        }
    }
}

/// Where base credentials come from, in the user's words.
struct Source {
    /// "profile `x`", "AWS_ACCESS_KEY_ID in the environment".
    name: String,
    /// Another was named, and comes after it.
    is_unexpected: bool,
    profile: String,
    /// The profile whose role starts from this one.
    source_of: Option<String>,
    login: Option<Login>,
    uses_credential_process: bool,
    /// What `AWS_CREDENTIAL_EXPIRATION` says of keys in the environment; the SDK does not read it.
    keys_expire: Option<SystemTime>,
}

impl Source {
    fn of(profile: &ProfileChoice, files: &ProfileFiles, env: &Env) -> Result<Self, Error> {
        let winner = Winner::of(profile, &files.profile(&profile.name).unwrap_or_default(), env);
        let by_keys = winner == Winner::Keys;
        if by_keys && env.get("AWS_SECRET_ACCESS_KEY").or(env.get("SECRET_ACCESS_KEY")).is_none() {
            return Err(Error::CredentialsFailed {
                source_name: "the environment".into(),
                why: "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not".into(),
                hint: "set both, or unset both to use a profile".into(),
            });
        }
        let expiration = env.get("AWS_CREDENTIAL_EXPIRATION").filter(|_| by_keys);
        let expiration = expiration.and_then(|text| DateTime::from_str(text, Format::DateTimeWithOffset).ok());
        let of_profile = ProfileSource::of(files, profile);
        let of_profile = if winner == Winner::Profile { of_profile } else { ProfileSource::Other };
        let is_unexpected = winner != Winner::Profile && profile.named_by == NamedBy::Environment;
        let unexpected = |variable: &str| {
            let by = if env.get("AWS_DEFAULT_PROFILE").is_some() { "AWS_DEFAULT_PROFILE" } else { "AWS_PROFILE" };
            let over =
                if is_unexpected { format!(", which comes before {by} `{}`", profile.name) } else { String::new() };
            format!("{variable} in the environment{over}")
        };
        let name = match (winner, profile.named_by, &profile.source_of) {
            (Winner::Keys, ..) => unexpected("AWS_ACCESS_KEY_ID"),
            (Winner::WebIdentity, ..) => unexpected("AWS_WEB_IDENTITY_TOKEN_FILE"),
            (_, _, Some(of)) => format!("profile `{}` (source of `{of}`)", profile.name),
            (_, NamedBy::Flag, None) => format!("profile `{}`", profile.name),
            (_, NamedBy::Environment, None) => format!("profile `{}` (AWS_PROFILE)", profile.name),
            (_, NamedBy::Nobody, None) => "profile `default`".into(),
        };
        Ok(Source {
            name,
            is_unexpected,
            profile: profile.name.clone(),
            source_of: profile.source_of.clone(),
            login: Login::of(&of_profile, env),
            uses_credential_process: matches!(of_profile, ProfileSource::Process(_)),
            keys_expire: expiration.and_then(|expiration| SystemTime::try_from(expiration).ok()),
        })
    }

    /// Whether somebody has to log in first.
    fn check_login(&self, now: SystemTime) -> Result<(), Error> {
        let Some(login) = &self.login else { return Ok(()) };
        match login.logged_out(now) {
            Some(logged_out) => Err(self.needs_login(login, &logged_out.why(login.session()))),
            None => Ok(()),
        }
    }

    /// What the SDK's error means, found by type and not by text.
    fn failure(&self, error: &CredentialsError) -> Error {
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) && self.login.is_none() {
            // The profile's own reason, where it has one, is the innermost cause; a chain that ran out has none.
            let why = error.source().map(last_cause).filter(|why| why.starts_with("profile"));
            return match (why, &self.source_of) {
                (Some(why), _) => self.failed(why),
                (None, Some(of)) => Error::CredentialsFailed {
                    source_name: self.name.clone(),
                    why: "it does not say where they are".into(),
                    hint: format!(
                        "add keys, `sso_session` or another source to it, or correct `source_profile` of `{}`",
                        shown(of)
                    ),
                },
                (None, None) => Error::NoCredentials { source_name: self.name.clone() },
            };
        }
        let doing = || Doing::GetCredentials(self.name.clone());
        if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref::<SdkError<AssumeRoleError>>()) {
            return failure(Doing::AssumeRoleOfProfile(self.name.clone()), error);
        }
        if let Some(error) =
            causes(error).find_map(|cause| cause.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError>>())
        {
            return failure(Doing::AssumeRoleWithWebIdentity, error);
        }
        if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref::<SdkError<GetRoleCredentialsError>>()) {
            return match (error.as_service_error(), &self.login) {
                // Its token was withdrawn: logged out elsewhere.
                (Some(GetRoleCredentialsError::UnauthorizedException(_)), Some(login)) => {
                    self.needs_login(login, &format!("{} is over", login.session()))
                }
                _ => failure(doing(), error),
            };
        }
        if let (Some(error), Some(login)) =
            (causes(error).find_map(|cause| cause.downcast_ref::<CreateOAuth2TokenError>()), &self.login)
        {
            let message = || error.message().unwrap_or("no reason given").to_owned();
            match error {
                CreateOAuth2TokenError::AccessDeniedException(denied) => match denied.error {
                    // It has to be granted; logging in anew does not help.
                    OAuth2ErrorCode::InsufficientPermissions => {
                        let code = "AccessDeniedException".to_owned();
                        return Error::Refused { doing: doing(), code, message: message() };
                    }
                    _ => return self.needs_login(login, &format!("{} is over", login.session())),
                },
                CreateOAuth2TokenError::InternalServerException(_)
                | CreateOAuth2TokenError::TooManyRequestsError(_) => {
                    return Error::Failing { doing: doing(), why: message() };
                }
                _ => {}
            }
        }
        if causes(error).any(|cause| cause.is::<ConnectorError>()) {
            return Error::Unreachable { doing: doing(), why: last_cause(error) };
        }
        if let Some(login) = &self.login {
            return self.needs_login(login, &last_cause(error));
        }
        self.failed(last_cause(error))
    }

    fn failed(&self, why: String) -> Error {
        let hint = if self.uses_credential_process {
            "run the `credential_process` of this profile by hand to see what it says".into()
        } else {
            let profile = as_argument(&self.profile);
            format!("check it; `aws sts get-caller-identity --profile {profile}` shows whether the AWS CLI can use it")
        };
        Error::CredentialsFailed { source_name: self.name.clone(), why: why.trim().to_owned(), hint }
    }

    fn needs_login(&self, login: &Login, why: &str) -> Error {
        let command = format!("{} --profile {}", login.command(), as_argument(&self.profile));
        Error::NeedsLogin { source_name: self.name.clone(), why: why.to_owned(), command }
    }

    fn expired(&self) -> Error {
        let why = "they have expired, or will within a minute".to_owned();
        if let Some(login) = &self.login {
            return self.needs_login(login, &why);
        }
        let hint = "get new ones from where these came from, then try again".to_owned();
        Error::CredentialsFailed { source_name: self.name.clone(), why, hint }
    }

    /// A deadline that passed while credentials were awaited: of a process, if there is one.
    fn overran(&self, error: Error) -> Error {
        if !self.uses_credential_process {
            return error;
        }
        self.failed(format!("its credential_process did not answer within {} s", CREDENTIAL_PROCESS_DEADLINE.as_secs()))
    }
}
