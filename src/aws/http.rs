//! HTTP for the SDK and for local services: TLS with ring, proxies from the environment, and the certificate
//! authorities chosen by the user instead of the system's.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Limited};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::aws::error::Error;
use crate::aws::failure::last_cause;
use crate::aws::files::{MAX_LEN, read_up_to};
use crate::aws::profile::Profile;
use crate::say::secret::Secret;
use crate::sys::env::Env;
use crate::sys::path::{expand, expand_home};
use crate::sys::vars;

/// Responses are a few kilobytes, but something else that answers instead of AWS may never stop.
pub const MAX_ANSWER_LEN: usize = 1 << 20;

/// The timeout for local services, the same as the AWS CLI's.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(2);

/// The SDK's default; attempts that fail for other reasons are limited by the deadlines of `credentials`.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// The HTTP client for AWS: certificate authorities from `AWS_CA_BUNDLE` or the profile's `ca_bundle`, otherwise the
/// system's; proxies from the environment. All clients share its connections. If TLS is expected, the authorities are
/// read in the background.
pub fn aws_client(env: &Env, profile: Option<&Profile>, expects_tls: bool) -> Result<SharedHttpClient, Error> {
    let of_profile = || profile.map(|profile| profile.get("ca_bundle")).transpose();
    let trust_store = match (env.get(vars::AWS_CA_BUNDLE), of_profile()?.flatten()) {
        (Some(path), _) => trust_store(path, expand(env, path))?,
        (None, Some(path)) => trust_store(path.text, expand_home(env, path.text))?,
        (None, None) => TrustStore::default(),
    };
    let timeouts = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let has_proxy = vars::PROXIES.iter().any(|name| env.get_os(name).is_some());
    let proxies = if has_proxy { ProxyConfig::from_env() } else { ProxyConfig::disabled() };
    let connector = LazyConnector::new(tls_context(trust_store)?, proxies, timeouts);
    if expects_tls {
        let connector = connector.clone();
        // If no thread can be started, the first request reads them.
        let _ = thread::Builder::new().spawn(move || _ = connector.tls());
    }
    Ok(http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone())))
}

/// The HTTP client for local services, such as the metadata service, which no proxy can reach. The SDK sets the
/// timeouts.
pub fn local_client() -> Result<SharedHttpClient, Error> {
    let tls_context = tls_context(TrustStore::default())?;
    Ok(http_client_fn(move |timeouts, _| {
        let connector = LazyConnector::new(tls_context.clone(), ProxyConfig::disabled(), timeouts.clone());
        SharedHttpConnector::new(connector)
    }))
}

/// A local service's response.
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Sends one request to a local service.
pub async fn get_local(url: &str, authorization: Option<&Secret>) -> Result<Response, String> {
    let timeouts = HttpConnectorSettings::builder().connect_timeout(LOCAL_TIMEOUT).read_timeout(LOCAL_TIMEOUT).build();
    let tls_context = tls_context(TrustStore::default()).map_err(|error| error.to_string())?;
    let connector = LazyConnector::new(tls_context, ProxyConfig::disabled(), timeouts);
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(url.to_owned()).map_err(|error| error.to_string())?;
    request.headers_mut().insert("accept", "application/json");
    if let Some(authorization) = authorization {
        request.headers_mut().insert("authorization", authorization.expose().to_owned());
    }
    let response = connector.call(request).await.map_err(|error| last_cause(&error))?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_ANSWER_LEN).collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes().to_vec();
    Ok(Response { status, body })
}

fn tls_context(trust_store: TrustStore) -> Result<TlsContext, Error> {
    let tls_context = TlsContext::builder().with_trust_store(trust_store).build();
    tls_context.map_err(|error| Error::Internal(error.to_string()))
}

/// A connector that is set up when first used: reading the system's certificate authorities takes longer than
/// everything else before the first request, and plain HTTP needs none.
#[derive(Clone, Debug)]
struct LazyConnector(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    tls_context: TlsContext,
    proxies: ProxyConfig,
    timeouts: HttpConnectorSettings,
    plain: OnceLock<Connector>,
    tls: OnceLock<Connector>,
}

impl LazyConnector {
    fn new(tls_context: TlsContext, proxies: ProxyConfig, timeouts: HttpConnectorSettings) -> Self {
        let (plain, tls) = (OnceLock::new(), OnceLock::new());
        LazyConnector(Arc::new(Parts { tls_context, proxies, timeouts, plain, tls }))
    }

    fn tls(&self) -> &Connector {
        let tls = || self.builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
        self.0.tls.get_or_init(|| tls().tls_context(self.0.tls_context.clone()).build())
    }

    fn plain(&self) -> &Connector {
        self.0.plain.get_or_init(|| self.builder().build_http())
    }

    fn builder(&self) -> ConnectorBuilder {
        Connector::builder().proxy_config(self.0.proxies.clone()).connector_settings(self.0.timeouts.clone())
    }
}

impl HttpConnector for LazyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // The proxy itself may need TLS.
        let is_plain = request.uri().starts_with("http://") && self.0.proxies.is_disabled();
        if is_plain { self.plain().call(request) } else { self.tls().call(request) }
    }
}

/// Reads the certificates in a PEM file. The SDK's client panics on one that cannot be parsed, so only valid ones are
/// passed to it; like OpenSSL, this skips the others as long as one is left.
fn trust_store(path: &str, file: Option<PathBuf>) -> Result<TrustStore, Error> {
    let refuse = |why: String| Error::CaBundle { path: path.to_owned(), why };
    let file = file.ok_or_else(|| refuse("that home directory does not exist".into()))?;
    let pem = read_up_to(&file, MAX_LEN).map_err(|error| refuse(error.to_string()))?;
    let mut store = TrustStore::empty();
    let mut is_empty = true;
    for certificate in CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok) {
        if webpki::anchor_from_trusted_cert(&certificate).is_ok() {
            is_empty = false;
            store.add_pem_certificate(to_pem(&certificate));
        }
    }
    if is_empty { Err(refuse("it contains no certificate in PEM format".into())) } else { Ok(store) }
}

fn to_pem(certificate: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate))
}
