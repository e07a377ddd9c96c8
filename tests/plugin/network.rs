use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::Account;
use crate::support::http::{Reply, Server, Tls};
use crate::support::plugin::{Output, error_and_hint, url_of};
use crate::support::sts::{Sts, error_reply};

/// Both other tools sign the overridden host, which every real cluster refuses.
#[test]
fn custom_endpoints_redirect_assume_role_and_never_change_the_presigned_host() {
    for variable in ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"] {
        let account = Account::new();
        let url = account.sts.url();
        let plugin = account.alices_plugin().env_remove("AWS_ENDPOINT_URL_STS").env(variable, url);
        let token = plugin.role_token(&account.dev, &[]).good_token();
        assert!(url_of(&token).starts_with("https://sts.eu-west-1.amazonaws.com/?"), "{variable}");
        assert_eq!(account.counts(), (1, 1), "{variable}");
    }
    let account = Account::new();
    let url = account.sts.url();
    for config in [
        format!("[default]\nendpoint_url = {url}\n"),
        format!("[default]\nservices = here\n[services here]\nsts =\n  endpoint_url = {url}\n"),
    ] {
        let plugin = account.alices_plugin().env_remove("AWS_ENDPOINT_URL_STS").config(&config);
        let token = plugin.role_token(&account.dev, &[]).good_token();
        assert!(url_of(&token).starts_with("https://sts.eu-west-1.amazonaws.com/?"), "{config}");
    }
    assert_eq!(account.counts().0, 2);
}

#[test]
fn sts_over_tls_is_trusted_through_either_ca_bundle_and_needs_one_connection() {
    let tls = Tls::for_loopback();
    for by_profile in [false, true] {
        let account = Account::on(Sts::start_tls(&tls));
        let (plugin, bundle) = (account.alices_plugin(), format!("some words before\n{}", tls.ca_pem));
        let plugin = match by_profile {
            true => plugin.write("ca.pem", &bundle).config("[default]\nca_bundle = ~/ca.pem\n"),
            false => plugin.trusting(&bundle),
        };
        plugin.role_token(&account.dev, &[]).good_token();
        assert_eq!(account.counts(), (1, 1));
        assert_eq!(account.sts.connections(), 1, "both calls go over one connection");
    }
}

#[test]
fn network_settings_come_from_the_selected_profile() {
    let tls = Tls::for_loopback();
    let account = Account::on(Sts::start_tls(&tls));
    let config = account.profile_with_role("ca_bundle = ~/ca.pem\n") + "endpoint_url =\n";
    let plugin = account.plugin().write("ca.pem", &tls.ca_pem).config(&config);
    plugin.token(&["--profile", "dev"]).good_token();
    assert_eq!(account.counts(), (1, 1));
}

#[test]
fn an_unknown_certificate_authority_is_reported() {
    let account = Account::on(Sts::start_tls(&Tls::for_loopback()));
    let output = account.alices_plugin().trusting(&Tls::for_loopback().ca_pem).role_token(&account.dev, &[]);
    let stderr = output.failed_with(5);
    assert!(
        stderr.starts_with("eks-group-auth: error: could not get your identity from STS: invalid peer certificate"),
        "{stderr}"
    );
}

#[test]
fn an_invalid_ca_bundle_is_an_error_without_a_panic() {
    let account = Account::new();
    let good = Tls::for_loopback().ca_pem;
    let not_a_certificate = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    for (contents, works) in
        [("", false), ("hello", false), (not_a_certificate, false), (&format!("{not_a_certificate}{good}"), true)]
    {
        let plugin = account.alices_plugin().trusting(contents);
        let output = plugin.role_token(&account.dev, &["--refresh"]);
        if works {
            output.good_token();
        } else {
            let expected = format!(
                "eks-group-auth: error: CA bundle `{}` cannot be used: it contains no certificate in PEM format\n",
                plugin.home().join("ca.pem").display()
            );
            assert!(output.failed_with(2).starts_with(&expected), "{}", output.stderr);
        }
    }
}

/// A plain HTTP proxy, which receives full URLs and forwards everything to STS.
#[test]
fn proxies_and_no_proxy_are_respected() {
    let account = Account::new();
    let sts = account.sts.address();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let proxy = Server::start(None, move |request| {
        log.lock().unwrap().push(request.target.clone());
        forward(sts, request)
    });
    let plugin = account.alices_plugin().env("HTTP_PROXY", proxy.url());
    plugin.role_token(&account.dev, &[]).good_token();
    assert!(seen.lock().unwrap()[0].starts_with(&account.sts.url()), "{:?}", seen.lock().unwrap());
    let asked = seen.lock().unwrap().len();
    assert_eq!(asked, 2);
    plugin.env("NO_PROXY", "127.0.0.1").role_token(&account.dev, &["--refresh"]).good_token();
    assert_eq!(seen.lock().unwrap().len(), asked);
}

/// A failure with one set of network settings may not occur with another: only processes with the same settings wait
/// for each other.
#[test]
fn processes_with_other_network_settings_make_their_own_call() {
    let account = Account::new();
    let plugin = account.plugin().keys(&account.bob).env("NO_PROXY", "127.0.0.1");
    let plugin = plugin.write("ca.pem", &Tls::for_loopback().ca_pem);
    let ca = plugin.home().join("ca.pem");
    let args = ["--role", &account.dev, "--session-name", "bob"];
    // The first process is refused late enough for all others to start; the others are answered at once.
    account.sts.set_delay(Duration::from_millis(1500));
    let others = [
        ("HTTP_PROXY", "http://127.0.0.1:1".into()),
        ("HTTPS_PROXY", "http://127.0.0.1:1".into()),
        ("ALL_PROXY", "http://127.0.0.1:1".into()),
        ("http_proxy", "http://127.0.0.1:1".into()),
        ("https_proxy", "http://127.0.0.1:1".into()),
        ("all_proxy", "http://127.0.0.1:1".into()),
        ("NO_PROXY", "127.0.0.1,localhost".into()),
        ("no_proxy", "127.0.0.1".into()),
        ("SSL_CERT_FILE", ca.clone().into_os_string()),
        ("SSL_CERT_DIR", plugin.home().into()),
        ("AWS_CA_BUNDLE", ca.into_os_string()),
    ]
    .map(|(name, value)| plugin.clone().env(name, value));
    let mut first = plugin.start_token(&args);
    first.runs_until(|| !account.sts.calls().is_empty());
    account.sts.set_delay(Duration::ZERO);
    let runs = others.each_ref().map(|other| other.start_token(&args));
    for run in runs.into_iter().chain([first]) {
        Output::from(run.output()).failed_with(4);
    }
    assert_eq!(account.counts().0, 1 + others.len());
}

fn forward(to: std::net::SocketAddr, request: &crate::support::http::Request) -> Reply {
    use std::io::{Read as _, Write as _};
    let path = request.target.splitn(4, '/').nth(3).unwrap_or_default();
    let mut text = format!("{} /{path} HTTP/1.1\r\n", request.method);
    for (name, value) in &request.headers {
        text += &format!("{name}: {value}\r\n");
    }
    let mut stream = std::net::TcpStream::connect(to).unwrap();
    stream.write_all(&[text.as_bytes(), b"\r\n", &request.body].concat()).unwrap();
    // There is no next request, so the end of its answer is the end of the connection.
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Reply::Raw(answer)
}

/// As with the real STS: TLS inside a tunnel.
#[test]
fn a_proxy_for_https_is_asked_for_a_tunnel() {
    use std::io::{Read as _, Write as _};
    let tls = Tls::for_loopback();
    let account = Account::on(Sts::start_tls(&tls));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap();
    let (tell, head) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let target = head.split(' ').nth(1).unwrap().to_owned();
        tell.send(head).unwrap();
        let mut server = std::net::TcpStream::connect(target).unwrap();
        client.write_all(b"HTTP/1.1 200 -\r\n\r\n").unwrap();
        let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
        let _ = std::io::copy(&mut server, &mut client);
    });
    let plugin = account.alices_plugin().trusting(&tls.ca_pem).env("HTTPS_PROXY", format!("http://user:pass@{proxy}"));
    plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts(), (1, 1));
    let head = head.recv().unwrap();
    assert!(head.starts_with("CONNECT 127.0.0.1:"), "{head}");
    assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpwyxnz"), "{head}");
}

#[test]
fn transient_errors_are_retried() {
    for (status, code) in [(400, "Throttling"), (500, "InternalFailure"), (503, "ServiceUnavailable")] {
        let account = Account::new();
        let failures = Mutex::new(2);
        account.sts.override_replies(move |_| {
            let mut left = failures.lock().unwrap();
            *left -= 1;
            (*left >= 0).then(|| error_reply(status, code, "Rate exceeded"))
        });
        account.alices_plugin().role_token(&account.dev, &["--session-name", "alice"]).good_token();
        assert_eq!(account.counts().0, 3, "{code}");
    }
}

#[test]
fn permanent_errors_are_not_retried() {
    let account = Account::new();
    account.plugin().keys(&account.bob).role_token(&account.dev, &["--session-name", "bob"]).failed_with(4);
    assert_eq!(account.counts().0, 1);
    account.sts.override_replies(|_| Some(error_reply(400, "Throttling", "Rate exceeded")));
    let output = account.alices_plugin().role_token(&account.dev, &["--session-name", "alice"]);
    let error = format!("could not assume role `{}`: temporary failure at AWS: Throttling: Rate exceeded", account.dev);
    assert_eq!(output.failed_with(5), error_and_hint(&error, "wait a moment, then try again"));
    assert_eq!(account.counts().0, 4);
}

#[test]
fn a_refused_connection_is_reported() {
    let account = Account::new();
    // A port that was just released.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output =
        account.alices_plugin().env("AWS_ENDPOINT_URL_STS", format!("http://{free}")).role_token(&account.dev, &[]);
    let stderr = output.failed_with(5);
    assert!(
        stderr.starts_with("eks-group-auth: error: could not get your identity from STS: Connection refused"),
        "{stderr}"
    );
    assert!(
        stderr.contains("\neks-group-auth: hint: check the region, the network, VPN and proxy settings"),
        "{stderr}"
    );
}

#[test]
fn an_invalid_sts_response_is_an_error_and_not_cached() {
    use crate::support::sts::{Keys, session_xml};
    let in_an_hour = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    let keys =
        Keys { access_key_id: "ASIA".into(), secret_access_key: "secret".into(), session_token: Some("token".into()) };
    let dev = "arn:aws:sts::111122223333:assumed-role/dev/alice";
    let xml = |keys: &Keys, arn: &str, expiration| Reply::xml(200, session_xml(keys, arn, "AROA:alice", expiration));
    let with_control = Keys { session_token: Some("to&#10;ken".into()), ..keys.clone() };
    let without_key = Keys { access_key_id: String::new(), ..keys.clone() };
    for (what, reply) in [
        ("another role's", xml(&keys, "arn:aws:sts::111122223333:assumed-role/admin/alice", in_an_hour)),
        ("another account's", xml(&keys, "arn:aws:sts::999999999999:assumed-role/dev/alice", in_an_hour)),
        ("another name", xml(&keys, "arn:aws:sts::111122223333:assumed-role/dev/mallory", in_an_hour)),
        ("expired", xml(&keys, dev, std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))),
        ("control characters", xml(&with_control, dev, in_an_hour)),
        ("no key", xml(&without_key, dev, in_an_hour)),
        (
            "a captive portal",
            Reply::Response {
                status: 200,
                content_type: "text/html",
                body: b"<html><body>Log in to the Wi-Fi</body></html>".to_vec(),
            },
        ),
        (
            "a forbidding proxy",
            Reply::Response { status: 403, content_type: "text/html", body: b"<html>blocked</html>".to_vec() },
        ),
        ("nothing", Reply::Response { status: 200, content_type: "text/xml", body: Vec::new() }),
    ] {
        let account = Account::new();
        let plugin = account.alices_plugin();
        account.sts.override_replies(move |_| Some(reply.clone()));
        let output = plugin.role_token(&account.dev, &["--session-name", "alice"]);
        assert!(
            output.failed_with(5).starts_with("eks-group-auth: error: could not assume role"),
            "{what}: {}",
            output.stderr
        );
        assert!(plugin.entries().is_empty(), "{what}");
    }
}

#[test]
fn invalid_sdk_settings_do_not_cause_a_panic() {
    let account = Account::new();
    for (name, value) in [("AWS_MAX_ATTEMPTS", "many"), ("AWS_MAX_ATTEMPTS", "0"), ("AWS_RETRY_MODE", "sometimes")] {
        account.alices_plugin().env(name, value).role_token(&account.dev, &[]).good_token();
    }
}
