//! The AWS SDK: base credentials, caller identity, AssumeRole. The only file that uses a network, and one runtime, one
//! HTTP client and one deadline serve all that a call needs from it.

use std::error::Error as StdError;
use std::future::Future;
use std::path::Path;
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
use aws_sdk_sts::Client;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::{AssumeRoleError, AssumeRoleOutput};
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::time::Instant;

use crate::env::Env;
use crate::error::Error;
use crate::profile::ProfileFiles;
use crate::request::{NamedBy, ProfileChoice, RoleRequest, SessionName, StsEndpoint};

/// For everything that waits on a network, when nobody is asked anything.
const DEADLINE: Duration = Duration::from_secs(15);

/// A `credential_process` may ask its user something, in a browser perhaps.
const CREDENTIAL_PROCESS_DEADLINE: Duration = Duration::from_secs(60);

/// One try, so that the deadline leaves room for another.
const ATTEMPT: Duration = Duration::from_secs(6);

/// A connection to AWS, before anything was sent over it.
pub struct Aws {
    runtime: Option<tokio::runtime::Runtime>,
    provider: SharedCredentialsProvider,
    config: SdkConfig,
    source: Source,
    deadline: Instant,
}

/// Where base credentials are looked for, in the user's words.
struct Source {
    /// "profile `x`", or what was gone through.
    name: String,
    uses_sso: bool,
    uses_credential_process: bool,
    profile: String,
}

/// Who credentials belong to.
#[derive(Debug)]
pub struct CallerIdentity {
    arn: String,
}

impl CallerIdentity {
    /// `None` where this is not the ARN of a user, role session, federated user or account.
    pub fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let is_arn = parts.next() == Some("arn") && parts.nth(4).is_some_and(|resource| !resource.is_empty());
        is_arn.then(|| CallerIdentity { arn: arn.to_owned() })
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The IAM user's name, or the session name of the role or SSO user: the last part of the ARN.
    pub fn name(&self) -> &str {
        self.arn.rsplit(['/', ':']).next().expect("splitting gives at least one part")
    }
}

impl Aws {
    /// Sets up the SDK; asks nobody yet.
    pub fn connect(
        endpoint: &StsEndpoint,
        profile: &ProfileChoice,
        files: &ProfileFiles,
        env: &Env,
    ) -> Result<Self, Error> {
        let internal = |error: &dyn StdError| Error::Internal(error.to_string());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| internal(&error))?;
        let http_client = http_client(env, files, &profile.name)?;
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
        let provider = credentials_provider(&provider_config, profile, env);
        // Region, retries and time limits are given, so that loading asks neither IMDS nor the environment for them.
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(region)
            .use_fips(endpoint.use_fips)
            .use_dual_stack(endpoint.use_dual_stack)
            .profile_name(&profile.name)
            .app_name(AppName::new("eks-group-auth").expect("letters and hyphens"))
            .retry_config(retries)
            .timeout_config(timeouts)
            .http_client(http_client)
            .credentials_provider(provider.clone());
        let config = runtime.block_on(loader.load());
        let deadline = Instant::now() + DEADLINE;
        Ok(Aws { runtime: Some(runtime), provider, config, source: Source::of(profile, files, env), deadline })
    }

    /// The caller's own credentials, from wherever they are kept.
    pub fn base_credentials(&self) -> Result<Credentials, Error> {
        let doing = || format!("get credentials from {}", self.source.name);
        let patience =
            if self.source.uses_credential_process { CREDENTIAL_PROCESS_DEADLINE - DEADLINE } else { Duration::ZERO };
        // Not through the SDK's identity cache, which has a time limit of its own.
        self.wait(&doing, patience, self.provider.provide_credentials())?
            .map_err(|error| self.source.failure(&doing(), &error))
    }

    /// Asks STS whose credentials these are.
    pub fn caller_identity(&self, base: &Credentials) -> Result<CallerIdentity, Error> {
        let doing = || "ask STS who is calling".to_owned();
        let call = self.client(base).get_caller_identity();
        let output = self.wait(&doing, Duration::ZERO, call.send())?.map_err(|error| sts_failure(doing(), &error))?;
        output
            .arn()
            .and_then(CallerIdentity::parse)
            .ok_or_else(|| Error::BadAnswer { doing: doing(), why: "it names no caller".into() })
    }

    /// A session of the role, whose credentials have a session token and an expiry.
    pub fn assume_role(
        &self,
        base: &Credentials,
        role: &RoleRequest,
        session_name: &SessionName,
        clock: fn() -> SystemTime,
    ) -> Result<Credentials, Error> {
        let doing = || format!("assume role `{}`", role.arn);
        let call = self
            .client(base)
            .assume_role()
            .role_arn(role.arn.as_str())
            .role_session_name(session_name.as_str())
            .set_external_id(role.external_id.as_ref().map(|id| id.as_str().to_owned()))
            .set_duration_seconds(role.duration.map(|duration| duration.as_secs() as i32));
        let output = self.wait(&doing, Duration::ZERO, call.send())?.map_err(|error| sts_failure(doing(), &error))?;
        session_credentials(output, role, session_name, clock())
            .map_err(|why| Error::BadAnswer { doing: doing(), why: why.into() })
    }

    fn client(&self, credentials: &Credentials) -> Client {
        let config = aws_sdk_sts::config::Builder::from(&self.config).credentials_provider(credentials.clone());
        Client::from_conf(config.build())
    }

    fn wait<T>(
        &self,
        doing: &dyn Fn() -> String,
        patience: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let runtime = self.runtime.as_ref().expect("it is taken out on drop only");
        runtime
            .block_on(async { tokio::time::timeout_at(self.deadline + patience, work).await })
            .map_err(|_| Error::Deadline { doing: doing(), after: DEADLINE + patience })
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

/// The credentials in STS's answer, if it is an answer to what was asked.
fn session_credentials(
    output: AssumeRoleOutput,
    role: &RoleRequest,
    session_name: &SessionName,
    now: SystemTime,
) -> Result<Credentials, &'static str> {
    let assumed = output.assumed_role_user.map(|user| user.arn).unwrap_or_default();
    // STS leaves out the role's path.
    let expected = format!(":{}:assumed-role/{}/{session_name}", role.arn.account(), role.arn.name());
    if !assumed.ends_with(&expected) {
        return Err("it is for another role than the one asked for");
    }
    let credentials = output.credentials.ok_or("it has no credentials")?;
    let parts = [&credentials.access_key_id, &credentials.secret_access_key, &credentials.session_token];
    if !parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic())) {
        return Err("its credentials are empty or have characters that none have");
    }
    let expiry = SystemTime::try_from(credentials.expiration).map_err(|_| "its credentials' expiry is no time")?;
    if expiry <= now {
        return Err("its credentials have already expired; if this machine's clock is right, STS's is not");
    }
    Ok(Credentials::new(
        credentials.access_key_id,
        credentials.secret_access_key,
        Some(credentials.session_token),
        Some(expiry),
        "AssumeRole",
    ))
}

/// The SDK's default chain, with two differences: `--profile` comes before keys in the environment, as with the AWS
/// CLI; and the instance metadata service is asked only on an EC2 instance, or where it was asked for, because
/// elsewhere it costs seconds to learn that it is not there.
fn credentials_provider(config: &ProviderConfig, profile: &ProfileChoice, env: &Env) -> SharedCredentialsProvider {
    // A proxy cannot reach what is local to this machine.
    let local = config.clone().with_http_client(Builder::new().build_http());
    let ecs = || EcsCredentialsProvider::builder().configure(&local).build();
    let imds = || ImdsCredentialsProvider::builder().configure(&local).build();
    let from_profile = ProfileFileCredentialsProvider::builder()
        .configure(config)
        .profile_name(&profile.name)
        .with_custom_provider("EcsContainer", ecs())
        .with_custom_provider("Ec2InstanceMetadata", imds())
        .build();
    if profile.named_by == NamedBy::Flag {
        return SharedCredentialsProvider::new(from_profile);
    }
    let chain = CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("Profile", from_profile)
        .or_else("WebIdentityToken", WebIdentityTokenCredentialsProvider::builder().configure(config).build())
        .or_else("EcsContainer", ecs());
    if env.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").is_some() || is_ec2_instance() {
        return SharedCredentialsProvider::new(chain.or_else("Ec2InstanceMetadata", imds()));
    }
    SharedCredentialsProvider::new(chain)
}

/// What the firmware says: `Amazon EC2` on Nitro instances, a uuid that starts with ec2 on Xen ones.
fn is_ec2_instance() -> bool {
    let starts_with = |path, start: &str| {
        std::fs::read_to_string(path).is_ok_and(|text| text.trim_start().to_ascii_lowercase().starts_with(start))
    };
    starts_with("/sys/class/dmi/id/sys_vendor", "amazon ec2") || starts_with("/sys/hypervisor/uuid", "ec2")
}

/// One client for all calls: TLS by ring, proxies from the environment, and the authorities that `AWS_CA_BUNDLE` or
/// the profile's `ca_bundle` names instead of the system's.
fn http_client(env: &Env, files: &ProfileFiles, profile: &str) -> Result<SharedHttpClient, Error> {
    let section = files.profile(profile).unwrap_or_default();
    let trust_store = match env.get("AWS_CA_BUNDLE").or(section.get("ca_bundle")) {
        Some(path) => trust_store(env, path)?,
        None => TrustStore::default(),
    };
    let tls = TlsContext::builder()
        .with_trust_store(trust_store)
        .build()
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).build()
    }))
}

/// The certificates of a PEM file. The SDK's client panics on one that cannot be parsed, so only those that can are
/// handed to it; like OpenSSL, this passes over the others as long as one is left.
fn trust_store(env: &Env, path: &str) -> Result<TrustStore, Error> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;

    let refuse = |why: String| Error::CaBundle { path: path.to_owned(), why };
    let full_path = match (path.strip_prefix("~/"), env.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => Path::new(path).to_owned(),
    };
    let pem = std::fs::read(full_path).map_err(|error| refuse(error.to_string()))?;
    let certificates: Vec<CertificateDer> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    let mut store = TrustStore::empty();
    let mut found = false;
    for certificate in certificates {
        if webpki::anchor_from_trusted_cert(&certificate).is_ok() {
            found = true;
            store.add_pem_certificate(to_pem(&certificate));
        }
    }
    if found { Ok(store) } else { Err(refuse("it holds no certificate in PEM form".into())) }
}

fn to_pem(certificate: &[u8]) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")
}

impl Source {
    fn of(profile: &ProfileChoice, files: &ProfileFiles, env: &Env) -> Self {
        let chain = files.chain(&profile.name);
        let uses = |key: &str| chain.iter().any(|section| section.get(key).is_some());
        let name = match profile.named_by {
            NamedBy::Flag => format!("profile `{}`", profile.name),
            _ if env.get("AWS_ACCESS_KEY_ID").is_some() => "AWS_ACCESS_KEY_ID".into(),
            NamedBy::Environment => format!("profile `{}` (AWS_PROFILE)", profile.name),
            NamedBy::Nobody => "the environment and the default profile".into(),
        };
        Source {
            name,
            uses_sso: uses("sso_session") || uses("sso_start_url"),
            uses_credential_process: uses("credential_process"),
            profile: profile.name.clone(),
        }
    }

    /// What the SDK's error means, found by type and not by text.
    fn failure(&self, doing: &str, error: &CredentialsError) -> Error {
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
            let others = "AWS_ACCESS_KEY_ID, profile, AWS_WEB_IDENTITY_TOKEN_FILE, container, EC2 instance";
            return Error::NoCredentials { looked_in: format!("{} ({others})", self.name) };
        }
        if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref::<SdkError<AssumeRoleError>>()) {
            return sts_failure(format!("assume the role of {}", self.name), error);
        }
        if let Some(error) =
            causes(error).find_map(|cause| cause.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError>>())
        {
            return sts_failure("assume a role with the web identity token".into(), error);
        }
        if causes(error).any(|cause| cause.is::<aws_smithy_runtime_api::client::result::ConnectorError>()) {
            return Error::Unreachable { doing: doing.to_owned(), why: last_cause(error) };
        }
        let hint = if self.uses_sso {
            format!("run `aws sso login --profile {}`, then try again", crate::error::shown(&self.profile))
        } else if self.uses_credential_process {
            "run the `credential_process` of this profile by hand to see what it says".into()
        } else {
            "check this profile in the AWS config files; `aws sts get-caller-identity` shows whether the AWS CLI can use it".into()
        };
        Error::CredentialsFailed { source_name: self.name.clone(), why: last_cause(error), hint }
    }
}

/// A failed STS call: refused, failing, out of reach, or answered by something else.
fn sts_failure<E: ProvideErrorMetadata + StdError + 'static>(doing: String, error: &SdkError<E>) -> Error {
    const PASSING: [&str; 8] = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "ServiceUnavailable",
        "InternalFailure",
    ];
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status();
            let message = context.err().message().unwrap_or("no reason given").to_owned();
            match context.err().code() {
                Some(code) if PASSING.contains(&code) || status.is_server_error() => {
                    Error::Unreachable { doing, why: format!("STS is failing: {code}: {message}") }
                }
                Some(code) => Error::Refused { doing, code: code.to_owned(), message },
                None if status.is_server_error() => {
                    Error::Unreachable { doing, why: format!("STS is failing: HTTP {}", status.as_u16()) }
                }
                None => Error::BadAnswer { doing, why: format!("HTTP {} without an AWS error code", status.as_u16()) },
            }
        }
        SdkError::ResponseError(_) => Error::BadAnswer { doing, why: last_cause(error) },
        SdkError::TimeoutError(_) => {
            Error::Unreachable { doing, why: format!("no answer within {} s, in several tries", ATTEMPT.as_secs()) }
        }
        SdkError::DispatchFailure(_) => Error::Unreachable { doing, why: last_cause(error) },
        _ => Error::Internal(last_cause(error)),
    }
}

/// An error and what it was caused by, outermost first.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause: what the SDK wraps around it repeats itself and says little.
fn last_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().expect("the error itself is one of them").to_string()
}
