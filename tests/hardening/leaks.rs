//! Markers in every secret: they appear only in the output and in the cache entries.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use crate::support::account::Account;
use crate::support::child::WatchedChild;
use crate::support::files::mode_of;
use crate::support::http::Reply;
use crate::support::plugin::{Output, Plugin, output};
use crate::support::sso;
use crate::support::sts::{Keys, error_reply};

const MARKER: &str = "MARKERmarkerMARKER";

/// What the loopback STS puts into the secrets of its sessions.
const SESSION_MARKERS: [&str; 2] = ["secret/of+session", "IQoJb3JpZ2luX2Vj"];

fn marked(account: &Account) -> Plugin {
    let keys = Keys {
        access_key_id: account.alice.access_key_id.clone(),
        secret_access_key: format!("{MARKER}/secret"),
        session_token: Some(format!("{MARKER}/token")),
    };
    account.plugin().keys(&keys)
}

#[track_caller]
fn says_no_secret(what: &str, output: &Output) {
    for marker in [MARKER].iter().chain(&SESSION_MARKERS) {
        assert!(!output.stderr.contains(marker), "{what}: {}", output.stderr);
        assert!(output.code == 0 || !output.stdout.contains(marker), "{what}");
    }
}

#[test]
fn no_outcome_shows_a_secret() {
    let account = Account::new();
    let role = account.dev.as_str();
    let config = |text: &str| account.plugin().config(text).env("PATH", "/usr/bin:/bin");
    let sso_token = |text: &str| account.plugin().config(&sso::config()).write(sso::TOKEN_FILE, text);
    let login = "[default]\nlogin_session = arn\n";
    let login_file = ".aws/login/cache/42e7ab5b52beca9d20fbc05fa6b72c0a48755ada50d340472ab6f1832cbf42ac.json";
    let info = |config: &str| {
        format!(
            r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{{"cluster":{{"config":{config}}}}}}}"#
        )
    };
    let proxy = "http://user:MARKERmarkerMARKER@127.0.0.1:1";
    for (what, output) in [
        ("refused by STS", marked(&account).role_token(role, &[])),
        (
            "an endpoint with a password",
            account
                .alices_plugin()
                .env("AWS_ENDPOINT_URL_STS", format!("http://user:{MARKER}@127.0.0.1:1"))
                .token(&["--role", role]),
        ),
        ("a good call", account.alices_plugin().role_token(role, &[])),
        ("no STS", marked(&account).env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1").role_token(role, &[])),
        ("no proxy", marked(&account).env("HTTP_PROXY", proxy).env("HTTPS_PROXY", proxy).role_token(role, &[])),
        (
            "control characters in a key",
            marked(&account).env("AWS_SECRET_ACCESS_KEY", format!("{MARKER}\n")).token(&[]),
        ),
        ("a session token that is too long", marked(&account).env("AWS_SESSION_TOKEN", MARKER.repeat(300)).token(&[])),
        ("exec info: array", marked(&account).env("KUBERNETES_EXEC_INFO", info(&format!("[\"{MARKER}\"]"))).token(&[])),
        (
            "exec info: number",
            marked(&account)
                .env("KUBERNETES_EXEC_INFO", info(&format!("{{\"region\":{{\"x\":\"{MARKER}\"}}}}")))
                .token(&[]),
        ),
        (
            "a config without =",
            config(&format!("[default]\naws_access_key_id = AKIA\naws_secret_access_key {MARKER}\n")).token(&[]),
        ),
        ("a key without its id", config(&format!("[default]\naws_secret_access_key = {MARKER}\n")).token(&[])),
        (
            "a process that prints no JSON",
            account.plugin_with_process(&format!("echo {MARKER}")).token(&[]),
        ),
        (
            "a process that prints half",
            account.plugin_with_process(&format!("printf '{{\"Version\":1,\"SecretAccessKey\":\"{MARKER}\"'")).token(&[]),
        ),
        (
            "a secret where a number was expected",
            account.plugin_with_process(&format!("echo '{{\"Version\":\"{MARKER}\"}}'")).token(&[]),
        ),
        (
            "an SSO token that is none",
            sso_token(&format!("{{\"accessToken\":[\"{MARKER}\"]}}")).token(&[]),
        ),
        (
            "an SSO token with a bad date",
            sso_token(&format!("{{\"accessToken\":\"{MARKER}\",\"expiresAt\":\"{MARKER}\"}}")).token(&[]),
        ),
        (
            "a console session that is none",
            config(login)
                .write(login_file, &format!("{{\"accessToken\":{{\"secretAccessKey\":\"{MARKER}\",\"expiresAt\":\"{MARKER}\"}},\"dpopKey\":\"{MARKER}\"}}"))
                .token(&[]),
        ),
        (
            "a console session with a key that is none",
            config(login)
                .write(login_file, &format!("{{\"accessToken\":{{\"accessKeyId\":\"AKIA\",\"secretAccessKey\":\"{MARKER}\",\"sessionToken\":\"{MARKER}\",\"accountId\":\"111122223333\",\"expiresAt\":\"2020-01-01T00:00:00Z\"}},\"clientId\":\"c\",\"refreshToken\":\"{MARKER}\",\"dpopKey\":\"{MARKER}\"}}"))
                .token(&[]),
        ),
        (
            "a web identity that is refused",
            account
                .plugin()
                .write("jwt", MARKER)
                .env("AWS_WEB_IDENTITY_TOKEN_FILE", "jwt")
                .env("AWS_ROLE_ARN", role)
                .token(&[]),
        ),
    ] {
        says_no_secret(what, &output);
    }
}

#[test]
fn invalid_sts_responses_are_not_shown() {
    let body = format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><SecretAccessKey>{MARKER}</SecretAccessKey><SessionToken>{MARKER}"
    );
    for reply in [
        Reply::xml(200, body.clone()),
        Reply::xml(
            200,
            format!(
                "{body}</SessionToken><Expiration>{MARKER}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            ),
        ),
        Reply::Raw(format!("HTTP/1.1 200 {MARKER}\r\n\r\n{body}").into_bytes()),
    ] {
        let account = Account::new();
        account.sts.override_replies(move |_| Some(reply.clone()));
        says_no_secret("a bad answer", &account.alices_plugin().role_token(&account.dev, &["--session-name", "alice"]));
    }
}

#[test]
fn only_cache_entries_contain_secrets() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    account.sts.override_replies(|_| Some(error_reply(503, "ServiceUnavailable", "down")));
    plugin.role_token(&account.dev, &["--refresh"]).failed_with(5);
    let mut seen = 0;
    visit(plugin.home(), &mut |path| {
        let contents = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!contents.contains(&account.alice.secret_access_key), "{name}: the user's own secret");
        let has_a_secret =
            contents.contains("k8s-aws-v1.") || SESSION_MARKERS.iter().any(|marker| contents.contains(marker));
        if has_a_secret {
            seen += 1;
            assert!(name.starts_with("token-") || name.starts_with("session-"), "{name}");
            assert_eq!(mode_of(path), 0o600, "{name}");
        }
    });
    assert_eq!(seen, 2);
}

fn visit(directory: &Path, look: &mut dyn FnMut(&Path)) {
    for entry in directory.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { visit(&path, look) } else { look(&path) }
    }
}

/// If too few files can be opened, the SDK's runtime panics: the only panic that can be triggered from outside.
#[test]
fn a_panic_shows_only_its_location() {
    let account = Account::new();
    let mut panics = 0;
    for limit in 32..48 {
        // Inherited descriptors leave fewer than the program expects.
        let held: String = (10..38).map(|number| format!("exec {number}</dev/null; ")).collect();
        let limited = format!("{held} ulimit -n {limit}");
        let args = ["token", "-i", "demo", "-r", &account.dev];
        let plugin = marked(&account);
        let command = plugin.command_after("/bin/bash", &limited, &args);
        if !Path::new("/bin/bash").exists() {
            eprintln!("SKIPPED: there is no bash, whose descriptors go beyond 9");
            return;
        }
        let output = output(command);
        says_no_secret("a panic", &output);
        assert!(output.code != 0 && output.stdout.is_empty(), "{limit}");
        if output.stderr.contains("internal error: panic at ") {
            panics += 1;
            assert_eq!((output.code, output.stderr.lines().count()), (1, 2), "{}", output.stderr);
        }
    }
    eprintln!("{panics} panics");
}

/// A `credential_process` gets its caller's environment, and nothing that this program knows or obtains.
#[test]
fn child_arguments_and_environment_contain_no_credentials() {
    let account = Account::new();
    let plugin = account.plugin_with_process(&format!(
        "sh -c 'env >> HOME/seen; cat /proc/$PPID/cmdline >> HOME/seen; cat HOME/keys.json'\n\
         [profile other]\naws_secret_access_key = {MARKER}"
    ));
    plugin.role_token(&account.dev, &[]).good_token();
    plugin.role_token(&account.dev, &["--refresh"]).good_token();
    let seen = String::from_utf8_lossy(&std::fs::read(plugin.home().join("seen")).unwrap()).into_owned();
    assert!(seen.contains("HOME=") && !seen.contains("k8s-aws-v1."));
    for marker in [MARKER, &account.alice.secret_access_key].iter().chain(&SESSION_MARKERS) {
        assert!(!seen.contains(marker), "{marker}");
    }
}

/// A core dump would contain the memory of the process.
#[test]
fn no_core_is_dumped() {
    let account = Account::new();
    account.sts.override_replies(|_| Some(Reply::Stall(Duration::from_secs(30))));
    let plugin = account.alices_plugin();
    let args = ["token", "--cluster", "demo", "--role", &account.dev];
    let mut command = plugin.command_after("/bin/sh", "ulimit -c unlimited 2>/dev/null; cd \"$HOME\"", &args);
    command.stdout(std::process::Stdio::null());
    let mut child = WatchedChild::start(command);
    child.runs_until(|| !account.sts.calls().is_empty());
    rustix::process::kill_process(child.pid(), rustix::process::Signal::ABORT).unwrap();
    let status = child.output().status;
    assert_eq!(status.signal(), Some(6));
    assert!(!status.core_dumped());
}
