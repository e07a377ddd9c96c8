//! The presigned GetCallerIdentity URL, the content of a token.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::aws::endpoint::StsEndpoint;
use crate::aws::names::ClusterName;
use crate::kube::error::Error;
use crate::kube::token::{CLUSTER_ID_HEADER, Token};
use crate::say::secret::Secret;

/// X-Amz-Expires. The cluster ignores it and counts 15 minutes from X-Amz-Date; other tools write 60.
const EXPIRES_IN: Duration = Duration::from_secs(60);

/// A URL that lets its holder act as this caller on this cluster for 15 minutes.
#[derive(Debug)]
pub struct PresignedUrl(Secret);

impl PresignedUrl {
    /// Signs the request for one cluster, with `signed_at` as X-Amz-Date (whole seconds, UTC).
    ///
    /// # Errors
    ///
    /// [`Error::Endpoint`] if the partition has no such host.
    pub fn get_caller_identity(
        cluster: &ClusterName,
        credentials: &Credentials,
        endpoint: &StsEndpoint,
        signed_at: SystemTime,
    ) -> Result<Self, Error> {
        let internal = |what: &'static str| move |_| Error::Internal(format!("presigning: {what}"));
        let url = format!("{}/?Action=GetCallerIdentity&Version=2011-06-15", endpoint.url()?);
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
        // The server's replay corresponds to the hash of an empty body, not to UNSIGNED-PAYLOAD.
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

    pub fn to_token(&self) -> Token {
        Token::encode(self.expose())
    }
}
