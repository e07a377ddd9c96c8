//! The connection to AWS: one runtime, one HTTP client and one deadline for the base credentials and all calls to STS.

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::aws::endpoint::StsEndpoint;
use crate::aws::endpoints::{Endpoints, authority};
use crate::aws::error::Error;
use crate::aws::http;
use crate::aws::refusal::{Operation, Refusal};
use crate::aws::source::CredentialSource;
use crate::sys::clock::Clock;
use crate::sys::env::Env;
use crate::sys::limits;

/// The deadline for all network calls, except while the user is being prompted.
pub const DEADLINE: Duration = Duration::from_secs(15);

/// The timeout of one attempt, so that the deadline leaves time for another.
const ATTEMPT: Duration = Duration::from_secs(6);

/// How many files may need to be open at the same time: sockets, the runtime's own files, certificates, pipes.
const MIN_OPEN_FILES: u64 = 32;

/// Nothing is sent until it is used.
pub struct Connection {
    runtime: Option<tokio::runtime::Runtime>,
    sdk: SdkConfig,
    /// A custom STS endpoint, if one is set.
    sts_url: Option<String>,
    /// The STS endpoint as shown in messages.
    sts_display_url: String,
    /// The credential source, if the user may expect a different one.
    unexpected_source: Option<String>,
    clock: Clock,
    deadline: Cell<Instant>,
}

impl Connection {
    /// Sets up the SDK without its discovery mechanisms. Does not connect yet.
    pub fn open(
        endpoint: &StsEndpoint,
        endpoints: &Endpoints,
        source: &CredentialSource,
        env: &Env,
        clock: Clock,
    ) -> Result<Self, Error> {
        if let Some(limit) = limits::max_open_files().filter(|limit| *limit < MIN_OPEN_FILES) {
            return Err(Error::TooFewFiles { limit });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Internal(error.to_string()))?;
        let sts_url = endpoints.sts.as_ref().map(|url| url.text.clone());
        let sts_display_url = match &sts_url {
            Some(url) => authority(url),
            None => endpoint.url()?,
        };
        let http_client = http::aws_client(env, source.profile(), sts_display_url.starts_with("https://"))?;
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_config::Region::new(endpoint.region.as_str().to_owned()))
            .use_fips(endpoint.use_fips)
            .use_dual_stack(endpoint.use_dual_stack)
            .app_name(AppName::new("eks-group-auth").expect("letters and hyphens"))
            .retry_config(retries())
            .timeout_config(timeouts())
            .http_client(http_client);
        Ok(Connection {
            runtime: Some(runtime),
            sdk: sdk.build(),
            sts_url,
            sts_display_url,
            unexpected_source: source.overrides_selected_profile().then(|| source.name()),
            clock,
            deadline: Cell::new(clock.instant() + DEADLINE),
        })
    }

    /// Waits for `work`, but not beyond the deadline.
    pub fn wait<T>(&self, operation: impl Fn() -> Operation, work: impl Future<Output = T>) -> Result<T, Error> {
        let runtime = self.runtime.as_ref().expect("it is only taken on drop");
        let deadline = self.deadline.get().into();
        runtime
            .block_on(async { tokio::time::timeout_at(deadline, work).await })
            .map_err(|_| Error::TimedOut { operation: operation(), after: DEADLINE })
    }

    /// Restarts the deadline, as after waiting for the user.
    pub fn restart_deadline(&self) {
        self.set_deadline_in(DEADLINE);
    }

    /// Sets the deadline to this much time from now.
    pub fn set_deadline_in(&self, time: Duration) {
        self.deadline.set(self.clock.instant() + time);
    }

    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The SDK configuration shared by all clients.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The configuration for an STS client, with the custom endpoint if there is one.
    pub fn sts_config(&self) -> aws_sdk_sts::config::Builder {
        let mut config = aws_sdk_sts::config::Builder::from(&self.sdk);
        config.set_endpoint_url(self.sts_url.clone());
        config
    }

    /// The configuration for the SDK's own providers, with everything they would otherwise look up.
    pub fn provider_config(&self, http_client: Option<SharedHttpClient>) -> ProviderConfig {
        let http_client = http_client.or(self.sdk.http_client()).expect("the SDK config has an HTTP client");
        ProviderConfig::without_region()
            .with_region(self.sdk.region().cloned())
            .with_use_fips(self.sdk.use_fips())
            .with_use_dual_stack(self.sdk.use_dual_stack())
            .with_retry_config(retries())
            .with_timeout_config(timeouts())
            .with_http_client(http_client)
    }

    /// Adds the STS endpoint to an error, or the source of the refused credentials.
    pub fn with_context(&self, error: Error) -> Error {
        match (error, &self.unexpected_source) {
            (Error::Unreachable { operation, why }, _) => {
                Error::Unreachable { operation, why: format!("{why} (at {})", self.sts_display_url) }
            }
            (Error::Refused(refusal), Some(source_name)) => {
                let message = format!("{} (using {source_name})", refusal.message);
                Error::refused(Refusal { message, ..*refusal })
            }
            (other, _) => other,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Otherwise the process would wait for a DNS look-up that hangs.
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
