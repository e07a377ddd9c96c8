//! HTTP/1.1 over TCP or TLS, one thread per connection: simple enough to misbehave in every way a test needs.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

#[derive(Clone, Debug)]
pub enum Reply {
    Response {
        status: u16,
        content_type: &'static str,
        body: Vec<u8>,
    },
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// The same, one byte at a time.
    Drip(Vec<u8>, Duration),
    /// The connection is reset.
    Reset,
    /// The head of a valid response, followed by an endless body.
    Endless,
    /// No response for this long, then the connection is closed.
    Stall(Duration),
}

impl Reply {
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Reply::Response { status, content_type: "application/json", body: value.to_string().into_bytes() }
    }

    /// An error as the AWS services with JSON say it, whose type stands in a header.
    pub fn json_error(status: u16, kind: &str, body: &serde_json::Value) -> Self {
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} -\r\nx-amzn-errortype: {kind}\r\nContent-Type: application/json");
        let text = format!("{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        Reply::Raw(text.into_bytes())
    }

    pub fn xml(status: u16, body: String) -> Self {
        Reply::Response { status, content_type: "text/xml", body: body.into_bytes() }
    }
}

/// A certificate authority created for one test run, and a loopback certificate issued by it.
pub struct Tls {
    pub ca_pem: String,
    config: Arc<rustls::ServerConfig>,
}

impl Tls {
    pub fn for_loopback() -> Self {
        let mut ca_params = rcgen::CertificateParams::new(Vec::new()).expect("no names");
        ca_params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        ca_params.distinguished_name.push(rcgen::DnType::CommonName, "loopback test authority");
        let ca_key = rcgen::KeyPair::generate().expect("ring makes keys");
        let ca = rcgen::CertifiedIssuer::self_signed(ca_params, ca_key).expect("a self-signed authority");
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let key = rcgen::KeyPair::generate().expect("ring makes keys");
        let leaf = rcgen::CertificateParams::new(names).expect("good names").signed_by(&key, &ca).expect("a leaf");
        let chain = vec![CertificateDer::from(leaf.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports them")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("key and certificate fit");
        Tls { ca_pem: ca.pem(), config: Arc::new(config) }
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub fn start(tls: Option<&Tls>, handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_dated(tls, || http_date(SystemTime::now()), handler)
    }

    /// With its own clock for the Date header of its responses.
    pub fn start_dated(
        tls: Option<&Tls>,
        date: impl Fn() -> String + Send + Sync + 'static,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let stop = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(AtomicUsize::new(0));
        let (stopped, counter) = (stop.clone(), connections.clone());
        let config = tls.map(|tls| tls.config.clone());
        let (date, handler) = (Arc::new(date), Arc::new(handler));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                counter.fetch_add(1, Ordering::SeqCst);
                let (config, date, handler) = (config.clone(), date.clone(), handler.clone());
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
                    let _ = stream.set_nodelay(true);
                    let _ = match config {
                        Some(config) => serve_tls(stream, config, &*date, &*handler),
                        None => stream.try_clone().and_then(|socket| serve(stream, &socket, &*date, &*handler)),
                    };
                });
            }
        });
        Server { address, connections, stop, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// In the format of the Date header.
pub fn http_date(time: SystemTime) -> String {
    let format = "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT";
    let format = time::format_description::parse_borrowed::<2>(format).expect("a format");
    time::OffsetDateTime::from(time).format(&format).expect("a year of four digits")
}

fn serve_tls(
    stream: TcpStream,
    config: Arc<rustls::ServerConfig>,
    date: &dyn Fn() -> String,
    handler: &dyn Fn(&Request) -> Reply,
) -> io::Result<()> {
    let connection = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
    let socket = stream.try_clone()?;
    serve(rustls::StreamOwned::new(connection, stream), &socket, date, handler)
}

fn serve(
    mut stream: impl Read + Write,
    socket: &TcpStream,
    date: &dyn Fn() -> String,
    handler: &dyn Fn(&Request) -> Reply,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer)? {
        match handler(&request) {
            Reply::Response { status, content_type, body } => {
                let head = format!(
                    "HTTP/1.1 {status} -\r\nDate: {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
                    date(),
                    body.len()
                );
                stream.write_all(&[head.as_bytes(), &body].concat())?;
                stream.flush()?;
            }
            Reply::Raw(bytes) => {
                stream.write_all(&bytes)?;
                return stream.flush();
            }
            Reply::Drip(bytes, pause) => {
                for byte in bytes {
                    stream.write_all(&[byte])?;
                    stream.flush()?;
                    std::thread::sleep(pause);
                }
                return Ok(());
            }
            Reply::Reset => {
                // Linger 0 turns the close into a reset.
                let _ = rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO));
                return Ok(());
            }
            Reply::Endless => {
                stream.write_all(b"HTTP/1.1 200 -\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
                loop {
                    stream.write_all(chunk.as_bytes())?;
                }
            }
            Reply::Stall(duration) => {
                std::thread::sleep(duration);
                return Ok(());
            }
        }
    }
    Ok(())
}

fn read_request(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let invalid = |_| io::Error::from(io::ErrorKind::InvalidData);
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(head_len) = head.parse(buffer).map_err(invalid)? {
            let headers: Vec<(String, String)> = head
                .headers
                .iter()
                .map(|h| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).into_owned()))
                .collect();
            let mut request = Request {
                method: head.method.unwrap_or_default().to_owned(),
                target: head.path.unwrap_or_default().to_owned(),
                headers,
                body: Vec::new(),
            };
            let body_len: usize = request.header("content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
            while buffer.len() < head_len + body_len {
                if fill(stream, buffer)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            request.body = buffer[head_len..head_len + body_len].to_vec();
            buffer.drain(..head_len + body_len);
            return Ok(Some(request));
        }
        if fill(stream, buffer)? == 0 {
            return Ok(None);
        }
    }
}

/// Reads the available bytes, even if a signal interrupts (such as when a child exits).
pub fn fill(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 8192];
    loop {
        match stream.read(&mut chunk) {
            Ok(len) => {
                buffer.extend_from_slice(&chunk[..len]);
                return Ok(len);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
