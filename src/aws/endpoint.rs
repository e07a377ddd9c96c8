//! The STS host in a token. It is always the region's own, regardless of endpoint settings, because a cluster accepts
//! no other.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

use crate::aws::error::Error;
use crate::aws::region::Region;

/// Which of the region's STS hosts to use in the token, regardless of custom endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsEndpoint {
    pub region: Region,
    pub use_fips: bool,
    pub use_dual_stack: bool,
}

impl StsEndpoint {
    /// `https://` and the host from the SDK's own rules, without a trailing slash.
    ///
    /// # Errors
    ///
    /// [`Error::NoEndpoint`] if the partition has no such host.
    pub fn url(&self) -> Result<String, Error> {
        let no_endpoint = |why: String| Error::NoEndpoint { region: self.region.to_string(), why };
        let params = Params::builder()
            .region(self.region.as_str())
            .use_fips(self.use_fips)
            .use_dual_stack(self.use_dual_stack)
            .build()
            .map_err(|error| no_endpoint(error.to_string()))?;
        let resolver = DefaultResolver::new();
        // The SDK's interface is asynchronous, but its rules never wait.
        let mut future = pin!(ResolveEndpoint::resolve_endpoint(&resolver, &params));
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(endpoint)) => Ok(endpoint.url().to_owned()),
            Poll::Ready(Err(error)) => Err(no_endpoint(error.to_string())),
            Poll::Pending => Err(Error::Internal("the endpoint rules did not resolve at once".into())),
        }
    }
}
