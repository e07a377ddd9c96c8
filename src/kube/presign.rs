//! The presigned GetCallerIdentity URL: what a token carries. The host is the region's own STS host whatever the
//! endpoint settings say, because a cluster accepts no other.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::aws::names::ClusterName;
use crate::commands::token::request::StsEndpoint;
use crate::say::error::Error;
use crate::say::secret::Secret;

/// The header that binds a token to one cluster; the server signs its own name into it.
pub const CLUSTER_ID_HEADER: &str = "x-k8s-aws-id";

/// X-Amz-Expires. The cluster counts 15 minutes from X-Amz-Date whatever it says; the peers write 60.
const EXPIRES_IN: Duration = Duration::from_secs(60);

/// A URL that whoever holds it can use to be this caller, for this cluster, for 15 minutes.
#[derive(Debug)]
pub struct PresignedUrl(Secret);

/// Credentials, and what is known of the clock of whoever issued them.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Their expiry is by the local clock.
    pub credentials: Credentials,
    /// How far STS's clock is ahead of the local one, in seconds.
    pub clock_skew: i64,
}

impl Signer {
    /// What STS's clock shows when the local one shows `now`.
    pub fn time_at_sts(&self, now: SystemTime) -> SystemTime {
        shift(now, self.clock_skew)
    }
}

/// A time some seconds later, or earlier.
pub fn shift(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let shifted = if seconds < 0 { time.checked_sub(by) } else { time.checked_add(by) };
    shifted.unwrap_or(time)
}

impl PresignedUrl {
    /// Signs the request for one cluster, with `signed_at` as X-Amz-Date (whole seconds, UTC).
    ///
    /// # Errors
    ///
    /// [`Error::NoEndpoint`] where the partition has no such host.
    pub fn get_caller_identity(
        cluster: &ClusterName,
        credentials: &Credentials,
        endpoint: &StsEndpoint,
        signed_at: SystemTime,
    ) -> Result<Self, Error> {
        let internal = |what: &'static str| move |_| Error::Internal(format!("presigning: {what}"));
        let url = format!("{}/?Action=GetCallerIdentity&Version=2011-06-15", sts_url(endpoint)?);
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(EXPIRES_IN);
        let identity = credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(endpoint.region.as_str())
            .name("sts")
            .time(signed_at)
            .settings(settings)
            .build()
            .map_err(|_| Error::Internal("presigning: incomplete parameters".into()))?
            .into();
        let headers = [(CLUSTER_ID_HEADER, cluster.as_str())];
        // The hash of an empty body, not UNSIGNED-PAYLOAD, is what the server's replay amounts to.
        let signable = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(&[]))
            .map_err(internal("the request"))?;
        let (instructions, _signature) = sign(signable, &params).map_err(internal("the signature"))?.into_parts();
        let mut request =
            http::Request::get(&url).body(()).map_err(|_| Error::Internal("presigning: the URL".into()))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(PresignedUrl(Secret::new(request.uri().to_string())))
    }

    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// `https://` and the STS host that the SDK's own rules give, without a slash at the end.
pub fn sts_url(endpoint: &StsEndpoint) -> Result<String, Error> {
    let no_endpoint = |why: String| Error::NoEndpoint { region: endpoint.region.to_string(), why };
    let params = Params::builder()
        .region(endpoint.region.as_str())
        .use_fips(endpoint.use_fips)
        .use_dual_stack(endpoint.use_dual_stack)
        .build()
        .map_err(|error| no_endpoint(error.to_string()))?;
    let resolver = DefaultResolver::new();
    // The SDK's interface is asynchronous; its rules compute and never wait.
    let mut future = pin!(ResolveEndpoint::resolve_endpoint(&resolver, &params));
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(endpoint)) => Ok(endpoint.url().to_owned()),
        Poll::Ready(Err(error)) => Err(no_endpoint(error.to_string())),
        Poll::Pending => Err(Error::Internal("the endpoint rules waited for something".into())),
    }
}
