//! The way to AWS: one runtime, one HTTP client and one deadline for base credentials and all calls to STS.

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
use crate::aws::refusal::{Doing, Refusal};
use crate::aws::source::CredentialSource;
use crate::sys::clock::Clock;
use crate::sys::env::Env;
use crate::sys::limits;

/// For everything that waits on a network, when nobody is asked anything.
pub const DEADLINE: Duration = Duration::from_secs(15);

/// One try, so that the deadline leaves room for another.
const ATTEMPT: Duration = Duration::from_secs(6);

/// How many files may be needed at a time: sockets, the runtime's own, certificates, pipes.
const ENOUGH_FILES: u64 = 32;

/// Before anything was sent over it.
pub struct Connection {
    runtime: Option<tokio::runtime::Runtime>,
    sdk: SdkConfig,
    /// Where STS is asked, if elsewhere than at its own address.
    sts_url: Option<String>,
    /// Where it is looked for, as far as messages go.
    sts_shown: String,
    /// Whose credentials they are, where somebody might expect others.
    unexpected: Option<String>,
    clock: Clock,
    deadline: Cell<Instant>,
}

impl Connection {
    /// Sets up the SDK, without its ways of finding out anything; asks nobody yet.
    pub fn open(
        endpoint: &StsEndpoint,
        endpoints: &Endpoints,
        source: &CredentialSource,
        env: &Env,
        clock: Clock,
    ) -> Result<Self, Error> {
        if let Some(limit) = limits::open_files().filter(|limit| *limit < ENOUGH_FILES) {
            return Err(Error::TooFewFiles { limit });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Internal(error.to_string()))?;
        let sts_url = endpoints.sts.as_ref().map(|url| url.text.clone());
        let sts_shown = match &sts_url {
            Some(url) => authority(url),
            None => endpoint.url()?,
        };
        let http_client = http::for_aws(env, source.profile(), sts_shown.starts_with("https://"))?;
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
            sts_shown,
            unexpected: source.is_unexpected().then(|| source.name()),
            clock,
            deadline: Cell::new(clock.instant() + DEADLINE),
        })
    }

    /// Works until the deadline.
    pub fn wait<T>(&self, doing: impl Fn() -> Doing, work: impl Future<Output = T>) -> Result<T, Error> {
        let runtime = self.runtime.as_ref().expect("it is taken out on drop only");
        let deadline = self.deadline.get().into();
        runtime
            .block_on(async { tokio::time::timeout_at(deadline, work).await })
            .map_err(|_| Error::Deadline { doing: doing(), after: DEADLINE })
    }

    /// From now on, as after a person was waited for.
    pub fn restart_deadline(&self) {
        self.give(DEADLINE);
    }

    /// So much time from now on.
    pub fn give(&self, time: Duration) {
        self.deadline.set(self.clock.instant() + time);
    }

    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// For the clients of all services.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// For a client of STS, at the address that is asked.
    pub fn sts_config(&self) -> aws_sdk_sts::config::Builder {
        let mut config = aws_sdk_sts::config::Builder::from(&self.sdk);
        config.set_endpoint_url(self.sts_url.clone());
        config
    }

    /// For the SDK's own providers: nothing that they would have to look for.
    pub fn provider_config(&self, http_client: Option<SharedHttpClient>) -> ProviderConfig {
        let http_client = http_client.or(self.sdk.http_client()).expect("it was given");
        ProviderConfig::without_region()
            .with_region(self.sdk.region().cloned())
            .with_use_fips(self.sdk.use_fips())
            .with_use_dual_stack(self.sdk.use_dual_stack())
            .with_retry_config(retries())
            .with_timeout_config(timeouts())
            .with_http_client(http_client)
    }

    /// An error of STS that lacks where it was looked for, or whose credentials it refused, with that.
    pub fn named(&self, error: Error) -> Error {
        match (error, &self.unexpected) {
            (Error::Unreachable { doing, why }, _) => {
                Error::Unreachable { doing, why: format!("{why} (at {})", self.sts_shown) }
            }
            (Error::Refused(refusal), Some(source_name)) => {
                let message = format!("{} (with {source_name})", refusal.message);
                Error::refused(Refusal { message, ..*refusal })
            }
            (other, _) => other,
        }
    }
}

impl Drop for Connection {
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
