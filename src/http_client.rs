//! The HTTP client under the SDK: TLS by ring, proxies from the environment, and the certificate authorities that the
//! user names instead of the system's.

use std::path::Path;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::env::Env;
use crate::error::Error;
use crate::profile::Section;
use crate::source_files::{MAX_LEN, expand_home, read_up_to};

/// For AWS: authorities from `AWS_CA_BUNDLE` or the profile's `ca_bundle`, else the system's; proxies from the
/// environment.
pub fn for_aws(env: &Env, section: &Section) -> Result<SharedHttpClient, Error> {
    let trust_store = match env.get("AWS_CA_BUNDLE").or(section.get("ca_bundle")) {
        Some(path) => trust_store(env, path)?,
        None => TrustStore::default(),
    };
    client(trust_store, ProxyConfig::from_env())
}

/// For what is local to this machine, such as its metadata service, which no proxy can reach.
pub fn for_local_services() -> Result<SharedHttpClient, Error> {
    client(TrustStore::default(), ProxyConfig::disabled())
}

fn client(trust_store: TrustStore, proxies: ProxyConfig) -> Result<SharedHttpClient, Error> {
    let tls = TlsContext::builder().with_trust_store(trust_store).build();
    let tls = tls.map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxies.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).build()
    }))
}

/// The certificates of a PEM file. The SDK's client panics on one that cannot be parsed, so only those that can are
/// handed to it; like OpenSSL, this passes over the others as long as one is left.
fn trust_store(env: &Env, path: &str) -> Result<TrustStore, Error> {
    let refuse = |why: String| Error::CaBundle { path: path.to_owned(), why };
    let pem = read_up_to(&expand_home(env, Path::new(path)), MAX_LEN).map_err(|error| refuse(error.to_string()))?;
    let mut store = TrustStore::empty();
    let mut is_empty = true;
    for certificate in CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok) {
        if webpki::anchor_from_trusted_cert(&certificate).is_ok() {
            is_empty = false;
            store.add_pem_certificate(to_pem(&certificate));
        }
    }
    if is_empty { Err(refuse("it holds no certificate in PEM form".into())) } else { Ok(store) }
}

fn to_pem(certificate: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate))
}
