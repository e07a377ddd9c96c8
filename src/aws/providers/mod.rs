//! Base credentials, from the source that the AWS CLI would take. One runtime, one HTTP client and one deadline serve this
//! and the calls to STS.

mod container;
mod process;
mod sso;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::time::Duration;

use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::login::LoginCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_signin::operation::create_o_auth2_token::CreateOAuth2TokenError;
use aws_sdk_signin::types::OAuth2ErrorCode;
use aws_sdk_sts::error::ProvideErrorMetadata as _;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio::time::Instant;

use crate::aws::endpoints::{Endpoints, authority};
use crate::aws::files::{MAX_LEN, SourceFile, read_up_to};
use crate::aws::http;
use crate::aws::keys::{KeysPlace, have_expired};
use crate::aws::login::Login;
use crate::aws::names::RoleArn;
use crate::aws::region::Region;
use crate::aws::source::{Base, CredentialSource, WebIdentity};
use crate::aws::sts::{self, causes, last_cause};
use crate::commands::token::request::TokenRequest;
use crate::kube::presign;
use crate::kube::token;
use crate::say::error::{Doing, Error, shown};
use crate::say::words;
use crate::sys::clock::Clock;
use crate::sys::env::Env;
use crate::sys::vars;
use crate::sys::{limits, machine};
use process::CredentialProcess;

/// For everything that waits on a network, when nobody is asked anything.
pub const DEADLINE: Duration = Duration::from_secs(15);

/// A `credential_process` may ask its user something, in a browser perhaps. What follows it has the time above.
pub const CREDENTIAL_PROCESS_DEADLINE: Duration = Duration::from_secs(60);

/// One try, so that the deadline leaves room for another.
const ATTEMPT: Duration = Duration::from_secs(6);

/// How many files may be needed at a time: sockets, the runtime's own, certificates, pipes.
const ENOUGH_FILES: u64 = 32;

/// A connection to AWS, before anything was sent over it.
pub struct Aws<'a> {
    runtime: Option<tokio::runtime::Runtime>,
    config: SdkConfig,
    region: Region,
    source: &'a CredentialSource<'a>,
    env: &'a Env,
    login: Option<Login>,
    endpoints: &'a Endpoints,
    /// The token file of an SSO session, where it was refreshed.
    refreshed: RefCell<Option<SourceFile>>,
    /// Where STS is looked for, as far as messages go.
    sts_url: String,
    deadline: Cell<Instant>,
}

impl<'a> Aws<'a> {
    /// Sets up the SDK, without its ways of finding out anything; asks nobody yet.
    pub fn connect(request: &'a TokenRequest, source: &'a CredentialSource<'a>, env: &'a Env) -> Result<Self, Error> {
        let limit = limits::open_files();
        if let Some(limit) = limit.filter(|limit| *limit < ENOUGH_FILES) {
            return Err(Error::TooFewFiles { limit });
        }
        let endpoint = &request.endpoint;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Internal(error.to_string()))?;
        let sts_url = match &request.endpoints.sts {
            Some(url) => authority(&url.text),
            None => presign::sts_url(endpoint)?,
        };
        let http_client = http::for_aws(env, source.profile(), sts_url.starts_with("https://"))?;
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_config::Region::new(endpoint.region.as_str().to_owned()))
            .use_fips(endpoint.use_fips)
            .use_dual_stack(endpoint.use_dual_stack)
            .app_name(AppName::new("eks-group-auth").expect("letters and hyphens"))
            .retry_config(retries())
            .timeout_config(timeouts())
            .http_client(http_client);
        Ok(Aws {
            runtime: Some(runtime),
            config: config.build(),
            region: endpoint.region.clone(),
            source,
            env,
            login: Login::of(source, env),
            endpoints: &request.endpoints,
            refreshed: RefCell::default(),
            sts_url,
            deadline: Cell::new(Instant::now() + DEADLINE),
        })
    }

    /// The caller's own credentials, good for longer than a token's margin.
    pub fn base_credentials(&self, clock: Clock) -> Result<Credentials, Error> {
        if let Some(login) = &self.login
            && let Some(logged_out) = login.logged_out(clock.now())
        {
            return Err(self.needs_login(&logged_out.why(login.session())));
        }
        let (credentials, place) = self.obtain(clock)?;
        if let Err(unfit) = place.check(&credentials) {
            return Err(self.failed(unfit.why, Some(unfit.hint)));
        }
        if have_expired(&credentials, clock.now() + token::MARGIN) {
            return Err(self.expired(&place));
        }
        Ok(credentials)
    }

    fn obtain(&self, clock: Clock) -> Result<(Credentials, KeysPlace), Error> {
        let doing = || Doing::GetCredentials(self.source.name());
        let credentials = match &self.source.base {
            Base::Keys(keys) => return Ok((keys.credentials()?, keys.place().clone())),
            Base::WebIdentity(identity) => self.wait(doing, self.web_identity(identity, clock))?,
            Base::Sso(sso) => self.wait(doing, sso::credentials(self, sso, clock.now()))?,
            Base::Login(identity) => self.console_session(identity),
            Base::Container(container) => self.wait(doing, container::credentials(self, container))?,
            Base::Instance => self.instance(),
            Base::Nothing => Err(self.nothing()),
            Base::Process(command) => {
                self.deadline.set(Instant::now() + CREDENTIAL_PROCESS_DEADLINE);
                let process = CredentialProcess::new(command.clone(), self.env);
                let answer = self.wait(doing, process.credentials());
                self.restart_deadline();
                let seconds = CREDENTIAL_PROCESS_DEADLINE.as_secs();
                let too_late =
                    |_| self.failed(format!("its credential_process did not answer within {seconds} s"), None);
                answer.map_err(too_late)?.map_err(|why| self.failed(why.to_string(), None))
            }
        };
        Ok((credentials?, KeysPlace::Output))
    }

    fn nothing(&self) -> Error {
        let hint = match self.source.source_of() {
            Some(of) => format!(
                "add keys, `sso_session` or another source to it, or correct `source_profile` of `{}`",
                shown(of)
            ),
            None => "it is its own `source_profile`: add keys, `sso_session` or another source to it".into(),
        };
        self.failed("it does not say where they are".into(), Some(hint))
    }

    async fn web_identity(&self, identity: &WebIdentity, clock: Clock) -> Result<Credentials, Error> {
        let WebIdentity { token_file, token_file_place, role_arn, session_name } = identity;
        let unusable = |why: &str| {
            let why =
                format!("the token file `{}` of {token_file_place} {why}", shown(&token_file.display().to_string()));
            let hint = match token_file.exists() {
                true => "look at what made this file, and who may read it",
                false => "it is there in the pod or job that it was made for, and nowhere else",
            };
            self.failed(why, Some(hint.into()))
        };
        let contents =
            read_up_to(token_file, MAX_LEN).map_err(|error| unusable(&format!("cannot be read: {error}")))?;
        let token = String::from_utf8(contents).map_err(|_| unusable("is not UTF-8"))?;
        if token.trim().is_empty() {
            return Err(unusable("is empty"));
        }
        let role_arn = RoleArn::parse(&role_arn.text, &self.region).map_err(Error::invalid(&role_arn.place))?;
        let session_name = session_name.as_ref().map_or("eks-group-auth", |name| &name.text);
        sts::assume_role_with_web_identity(self, &role_arn, session_name, token.trim(), clock.now()).await
    }

    /// By the SDK's provider, which looks for its files by itself.
    fn console_session(&self, identity: &str) -> Result<Credentials, Error> {
        if self.env.get_os(vars::HOME).is_none() && self.env.given(vars::AWS_LOGIN_CACHE_DIRECTORY).is_none() {
            return Err(self.failed("HOME is not set".into(), Some("set HOME, or AWS_LOGIN_CACHE_DIRECTORY".into())));
        }
        let provider = LoginCredentialsProvider::builder(identity).configure(&self.provider_config(None)).build();
        self.ask_provider(&provider)
    }

    /// Off EC2 it would cost seconds to learn that the metadata service is not there. Its address is given, or the SDK would
    /// look for one in the config file.
    fn instance(&self) -> Result<Credentials, Error> {
        let is_off =
            self.env.get(vars::AWS_EC2_METADATA_DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let address = self.instance_address()?;
        if is_off || (address.is_none() && !is_ec2_instance()) {
            return Err(match self.source.is_last_resort() {
                true => {
                    let source_name = format!("profile `{}`", shown(self.source.base_profile()));
                    Error::NoCredentials { source_name, hint: self.source.mistaken_header.clone() }
                }
                false => self.failed("this is no EC2 instance, or its metadata service is switched off".into(), None),
            });
        }
        let config = self.provider_config(Some(http::for_local_services()?));
        let address = address.unwrap_or_else(|| "http://169.254.169.254".into());
        let client = imds::Client::builder().configure(&config).endpoint(address.as_str());
        let client = client.map_err(|error| self.failed(last_cause(&*error), None))?.build();
        self.ask_provider(&ImdsCredentialsProvider::builder().configure(&config).imds_client(client).build())
    }

    /// What the variable or the profile says, the address before the mode.
    fn instance_address(&self) -> Result<Option<String>, Error> {
        let setting = |variable: &str, property| match self.env.get(variable) {
            Some(value) => Ok(Some(value.to_owned())),
            None => match self.source.profile() {
                Some(profile) => Ok(profile.get(property)?.map(|value| value.text.to_owned())),
                None => Ok(None),
            },
        };
        if let Some(address) = setting(vars::AWS_EC2_METADATA_SERVICE_ENDPOINT, "ec2_metadata_service_endpoint")? {
            return Ok(Some(address));
        }
        let mode = setting(vars::AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE, "ec2_metadata_service_endpoint_mode")?;
        let is_ipv6 = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
        Ok(is_ipv6.then(|| "http://[fd00:ec2::254]".to_owned()))
    }

    /// For the SDK's own providers: nothing that they would have to look for.
    fn provider_config(&self, http_client: Option<SharedHttpClient>) -> ProviderConfig {
        let http_client = http_client.or(self.config.http_client()).expect("it was given");
        ProviderConfig::without_region()
            .with_region(self.config.region().cloned())
            .with_use_fips(self.config.use_fips())
            .with_use_dual_stack(self.config.use_dual_stack())
            .with_retry_config(retries())
            .with_timeout_config(timeouts())
            .with_http_client(http_client)
    }

    fn ask_provider(&self, provider: &impl ProvideCredentials) -> Result<Credentials, Error> {
        let doing = || Doing::GetCredentials(self.source.name());
        // Not through the SDK's identity cache, which has a time limit of its own.
        self.wait(doing, provider.provide_credentials())?.map_err(|error| self.failure(&error))
    }

    /// What an error of the SDK's providers means, found by type and not by text.
    fn failure(&self, error: &CredentialsError) -> Error {
        let doing = || Doing::GetCredentials(self.source.name());
        if let (Some(error), Some(login)) =
            (causes(error).find_map(|cause| cause.downcast_ref::<CreateOAuth2TokenError>()), &self.login)
        {
            let message = || error.message().unwrap_or("no reason given").to_owned();
            match error {
                CreateOAuth2TokenError::AccessDeniedException(denied) => match denied.error {
                    // It has to be granted; logging in again does not help.
                    OAuth2ErrorCode::InsufficientPermissions => {
                        let code = "AccessDeniedException".to_owned();
                        return Error::Refused { doing: doing(), code, message: message(), hint: None };
                    }
                    _ => return self.needs_login(&format!("{} is over", login.session())),
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
        if self.login.is_some() {
            return self.needs_login(&last_cause(error));
        }
        self.failed(last_cause(error), None)
    }

    /// The source failed. Without a hint of its own, what to look at next.
    fn failed(&self, why: String, hint: Option<String>) -> Error {
        let otherwise = || match (&self.source.base, self.source.is_in_profile()) {
            (Base::Process(_), _) => "run the `credential_process` of this profile by hand to see what it says".into(),
            (_, true) => {
                let profile = words::quoted(self.source.base_profile());
                format!(
                    "check it; `aws sts get-caller-identity --profile {}` shows whether the AWS CLI can use it",
                    shown(&profile)
                )
            }
            (_, false) => "check it; `aws sts get-caller-identity` shows whether the AWS CLI can use it".into(),
        };
        Error::CredentialsFailed {
            source_name: self.source.name(),
            why: why.trim().to_owned(),
            hint: hint.unwrap_or_else(otherwise),
        }
    }

    fn needs_login(&self, why: &str) -> Error {
        let login = self.login.as_ref().map_or("aws sso login", Login::command);
        let command = format!("{login} --profile {}", words::quoted(self.source.base_profile()));
        Error::NeedsLogin { source_name: self.source.name(), why: why.to_owned(), command: shown(&command) }
    }

    fn expired(&self, place: &KeysPlace) -> Error {
        let why = "they have expired, or will within a minute";
        if self.login.is_some() {
            return self.needs_login(why);
        }
        let why = match &self.source.base {
            Base::Keys(_) => format!("{why}, as {} says", place.expiry_label()),
            _ => why.to_owned(),
        };
        self.failed(why, Some("get new ones from where these came from, then try again".into()))
    }

    /// An error that lacks where AWS was looked for, or whose credentials it refused, with that.
    pub fn named(&self, error: Error) -> Error {
        match error {
            Error::Unreachable { doing, why } => {
                Error::Unreachable { doing, why: format!("{why} (at {})", self.sts_url) }
            }
            Error::Refused { doing, code, message, hint } if self.source.is_unexpected() => {
                Error::Refused { doing, code, message: format!("{message} (with {})", self.source.name()), hint }
            }
            other => other,
        }
    }

    /// The token file of an SSO session as it was written, where a refresh was needed.
    pub fn refreshed_login(&self) -> Option<SourceFile> {
        self.refreshed.take()
    }

    /// After a person was waited for.
    pub fn restart_deadline(&self) {
        self.deadline.set(Instant::now() + DEADLINE);
    }

    /// For a client of STS, at the address that is asked.
    pub fn sts_config(&self) -> aws_sdk_sts::config::Builder {
        let mut config = aws_sdk_sts::config::Builder::from(&self.config);
        config.set_endpoint_url(self.endpoints.sts.as_ref().map(|url| url.text.clone()));
        config
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

impl Drop for Aws<'_> {
    fn drop(&mut self) {
        // Otherwise a name look-up that hangs would be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(200))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(DEADLINE).build()
}

/// What the firmware says: `Amazon EC2` on Nitro instances, a uuid that starts with ec2 on Xen ones.
fn is_ec2_instance() -> bool {
    let starts_with = |text: Option<String>, start: &str| {
        text.is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with(start))
    };
    let [vendor, hypervisor_id] = machine::firmware();
    starts_with(vendor, "amazon ec2") || starts_with(hypervisor_id, "ec2")
}
