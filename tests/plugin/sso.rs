use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Account;
use crate::support::files::mode_of;
use crate::support::http::{Reply, Server};
use crate::support::plugin::{Plugin, error_and_hint};
use crate::support::sso::{PROPERTIES, SESSION, TOKEN_FILE, role_credentials};
use crate::support::sts::from_now;

/// A profile with a session, a role that starts from it, and a profile as they were before there were sessions.
fn config(account: &Account) -> String {
    let old = "sso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 111122223333\n\
               sso_role_name = Dev\n";
    let dev = format!("role_arn = {}\nsource_profile = base\n", account.dev);
    format!("[profile base]\n{PROPERTIES}[profile dev]\n{dev}[profile old]\n{old}{SESSION}")
}

/// SHA-1 of the start URL.
const OLD_TOKEN_FILE: &str = ".aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json";

/// A portal that counts requests and exchanges the refresh token for an access token, and the access token for alice's
/// keys.
struct Portal {
    server: Server,
    asked: Arc<AtomicUsize>,
}

impl Portal {
    fn start(account: &Account) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let (counter, alice) = (asked.clone(), account.alice.clone());
        let server = Server::start(None, move |request| {
            counter.fetch_add(1, Ordering::SeqCst);
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            if request.path() == "/token" && body["refreshToken"] == "secret-refresh-token" {
                let next = "next-refresh-token";
                Reply::json(
                    200,
                    &json!({"accessToken": "new", "expiresIn": 3600, "tokenType": "Bearer", "refreshToken": next}),
                )
            } else if request.header("x-amz-sso_bearer_token") == Some("new") {
                role_credentials(&alice)
            } else {
                Reply::json(400, &json!({}))
            }
        });
        Portal { server, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn plugin(&self, account: &Account) -> Plugin {
        let url = self.server.url();
        account
            .plugin()
            .config(&config(account))
            .env("AWS_ENDPOINT_URL_SSO", &url)
            .env("AWS_ENDPOINT_URL_SSO_OIDC", &url)
    }
}

fn token(expires_in: i64, more: &Value) -> String {
    let mut token = json!({"accessToken": "secret-access-token", "expiresAt": from_now(expires_in), "region": "eu-west-1",
        "startUrl": "https://corp.awsapps.com/start"});
    let fields = more.as_object().unwrap().clone();
    token.as_object_mut().unwrap().extend(fields);
    token.to_string()
}

fn refreshable(registration_ends_in: i64) -> Value {
    json!({"refreshToken": "secret-refresh-token", "clientId": "id", "clientSecret": "secret-client-secret",
        "registrationExpiresAt": from_now(registration_ends_in)})
}

fn logged_out(source: &str, why: &str, login: &str) -> String {
    let error = format!("no AWS credentials from profile {source}: {why}");
    error_and_hint(&error, &format!("run `aws sso login --profile {login}`, then try again"))
}

#[test]
fn a_missing_login_is_reported_before_any_call() {
    let account = Account::new();
    let portal = Portal::start(&account);
    let plugin = portal.plugin(&account);
    let run = |profile: &str| plugin.token(&["--profile", profile]).failed_with(6).to_owned();
    assert_eq!(run("base"), logged_out("`base`", "not logged in to its SSO session", "base"));
    assert_eq!(run("dev"), logged_out("`base` (source of `dev`)", "not logged in to its SSO session", "base"));
    assert_eq!(run("old"), logged_out("`old`", "not logged in to its SSO session", "old"));
    assert_eq!((portal.asked(), account.sts.calls().len()), (0, 0));
}

#[test]
fn an_expired_session_is_detected_from_its_token_file() {
    let account = Account::new();
    let portal = Portal::start(&account);
    let three_hours = -3 * 3600 - 60;
    for (what, more) in [
        ("no refresh token", json!({})),
        ("no client", json!({"refreshToken": "secret-refresh-token"})),
        ("the client's registration has expired", refreshable(-10)),
    ] {
        let plugin = portal.plugin(&account).write(TOKEN_FILE, &token(three_hours, &more));
        let run = |profile: &str| plugin.token(&["--profile", profile]).failed_with(6).to_owned();
        assert_eq!(run("base"), logged_out("`base`", "its SSO session expired 3 h ago", "base"), "{what}");
        let source = "`base` (source of `dev`)";
        assert_eq!(run("dev"), logged_out(source, "its SSO session expired 3 h ago", "base"), "{what}");
    }
    let plugin = portal.plugin(&account).write(OLD_TOKEN_FILE, &token(-200_000, &refreshable(1000)));
    let stderr = plugin.token(&["--profile", "old"]).failed_with(6).to_owned();
    assert_eq!(stderr, logged_out("`old`", "its SSO session expired 2 days ago", "old"));
    assert_eq!((portal.asked(), account.sts.calls().len()), (0, 0));
}

#[test]
fn a_refreshable_session_is_refreshed() {
    let account = Account::new();
    let portal = Portal::start(&account);
    let plugin = portal.plugin(&account).write(TOKEN_FILE, &token(-60, &refreshable(1000)));
    plugin.token(&["--profile", "base"]).good_token();
    assert_eq!(portal.asked(), 2);
}

/// It is still the same login, so entries obtained with it are still found.
#[test]
fn a_new_refresh_token_does_not_cause_a_second_session() {
    let account = Account::new();
    let portal = Portal::start(&account);
    let mut more = refreshable(1000);
    more["other"] = json!("stays");
    let plugin = portal.plugin(&account).write(TOKEN_FILE, &token(-60, &more));
    let first = plugin.role_token(&account.dev, &["--profile", "base"]).good_token();
    assert_eq!(plugin.role_token(&account.dev, &["--profile", "base"]).good_token(), first);
    assert_eq!((account.counts().0, portal.asked()), (1, 2));
    let path = plugin.home().join(TOKEN_FILE);
    let kept: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!((&kept["refreshToken"], &kept["other"]), (&json!("next-refresh-token"), &json!("stays")));
    assert_eq!(mode_of(&path), 0o600);
    assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1, "nothing is left beside it");
}

/// Waiting processes find the entry stored by the process that refreshed.
#[test]
fn waiting_processes_share_the_refreshed_session() {
    let account = Account::new();
    let portal = Portal::start(&account);
    account.sts.set_delay(Duration::from_millis(150));
    let plugin = portal.plugin(&account).write(TOKEN_FILE, &token(-60, &refreshable(1000)));
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..8).map(|_| scope.spawn(|| plugin.role_token(&account.dev, &["--profile", "base"]))).collect();
        for run in runs {
            run.join().unwrap().good_token();
        }
    });
    // A process that starts after the refresh but before the session is stored requests its own.
    assert!(account.counts().0 <= 2, "{} AssumeRole", account.counts().0);
}

#[test]
fn keys_in_the_environment_need_no_login() {
    let account = Account::new();
    let portal = Portal::start(&account);
    portal.plugin(&account).keys(&account.alice).env("AWS_PROFILE", "base").token(&[]).good_token();
}
