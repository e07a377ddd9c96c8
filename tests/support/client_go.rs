//! A stand-in for client-go if there is no kubectl: runs the plugin, takes its token and calls the API server.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;

use super::cluster::Cluster;
use super::http::fill;
use super::plugin::{Output, Plugin};

/// What client-go says of itself to a plugin that has no terminal.
pub const EXEC_INFO: &str =
    r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}"#;

/// Runs the plugin as client-go does.
pub fn run_plugin(plugin: &Plugin, args: &[&str]) -> Output {
    plugin.clone().env("KUBERNETES_EXEC_INFO", EXEC_INFO).run(args)
}

/// The API server's status and body for a request with this token.
pub fn get(cluster: &Cluster, path: &str, token: &str) -> std::io::Result<(u16, Value)> {
    let mut roots = rustls::RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(cluster.ca_pem.as_bytes()).map_err(std::io::Error::other)?;
    roots.add(ca).map_err(std::io::Error::other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(std::io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").map_err(std::io::Error::other)?;
    let connection = rustls::ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(cluster.address())?);
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    loop {
        let len = fill(&mut stream, &mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = answer.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
            return Ok((status, body));
        }
        if len == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}
