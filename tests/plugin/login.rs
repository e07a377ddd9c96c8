use std::time::Duration;

use serde_json::{Value, json};

use crate::Account;
use crate::support::http::{Reply, Server};
use crate::support::plugin::{Plugin, error_and_hint, signed_by};
use crate::support::sts::{Keys, from_now};

const CONFIG: &str = "[default]\nlogin_session = arn:aws:iam::111122223333:user/alice\n";

/// SHA-256 of the identity.
const TOKEN_FILE: &str = ".aws/login/cache/5778c30d3fe8c123cb2ab0d5a82c81b6fdcedfb868a6625f6f5bf6f05a7f129b.json";

/// The key of the SDK's own example of such a file.
const KEY: &str = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIFDZHUzOG1Pzq+6F0mjMlOSp1syN9LRPBuHMoCFXTcXhoAoGCCqGSM49\nAwEHoUQDQgAE9qhj+KtcdHj1kVgwxWWWw++tqoh7H7UHs7oXh8jBbgF47rrYGC+t\ndjiIaHK3dBvvdE7MGj5HsepzLm3Kj91bqA==\n-----END EC PRIVATE KEY-----\n";

/// The file written by `aws login`: these keys, valid for this many seconds from now.
fn token(keys: &Keys, ends_in: i64, refresh_token: &str, key: &str) -> String {
    json!({
        "accessToken": {"accessKeyId": keys.access_key_id, "secretAccessKey": keys.secret_access_key, "sessionToken": "session",
            "accountId": "111122223333", "expiresAt": from_now(ends_in)},
        "tokenType": "aws_sigv4", "refreshToken": refresh_token, "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": key,
    })
    .to_string()
}

/// AWS Sign-In, which returns bob's keys for the refresh token `good` if the request proves possession of the key.
fn sign_in(account: &Account) -> Server {
    let bob = account.bob.clone();
    Server::start(None, move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let is_good = body["refreshToken"] == "good" && request.header("dpop").is_some();
        if request.path() == "/v1/token" && is_good {
            let keys = json!({"accessKeyId": bob.access_key_id, "secretAccessKey": bob.secret_access_key, "sessionToken": "new"});
            Reply::json(
                200,
                &json!({"accessToken": keys, "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": "next"}),
            )
        } else {
            let (status, kind, code) = match body["refreshToken"].as_str() {
                Some("unpermitted") => (403, "AccessDeniedException", "INSUFFICIENT_PERMISSIONS"),
                Some("failing") => (500, "InternalServerException", "server_error"),
                _ => (403, "AccessDeniedException", "TOKEN_EXPIRED"),
            };
            Reply::json_error(status, kind, &json!({"error": code, "message": "AWS says no"}))
        }
    })
}

fn plugin(account: &Account, url: &str) -> Plugin {
    account.plugin().config(CONFIG).env("AWS_ENDPOINT_URL_SIGNIN", url)
}

fn needs_login(why: &str) -> String {
    let error = format!("no AWS credentials from profile `default`: {why}");
    error_and_hint(&error, "run `aws login --profile default`, then try again")
}

#[test]
fn the_credentials_of_a_console_session() {
    let account = Account::new();
    let plugin = plugin(&account, "http://127.0.0.1:1");
    assert_eq!(plugin.token(&[]).failed_with(6), needs_login("not logged in to its console session"));
    let plugin = plugin.write(TOKEN_FILE, &token(&account.alice, 900, "good", KEY));
    signed_by(&plugin, &[], &account.alice);
    let elsewhere = plugin.home().join("elsewhere");
    std::fs::rename(plugin.home().join(".aws/login/cache"), &elsewhere).unwrap();
    plugin.token(&[]).failed_with(6);
    signed_by(&plugin.env("AWS_LOGIN_CACHE_DIRECTORY", elsewhere), &[], &account.alice);
}

#[test]
fn a_console_session_is_refreshed_until_it_expires() {
    let account = Account::new();
    let server = sign_in(&account);
    let plugin = plugin(&account, &server.url());
    let plugin = plugin.write(TOKEN_FILE, &token(&account.alice, -60, "good", KEY));
    signed_by(&plugin, &[], &account.bob);
    let kept = std::fs::read_to_string(plugin.home().join(TOKEN_FILE)).unwrap();
    assert!(kept.contains("\"next\""), "the next refresh token is kept");
    let with = |refresh_token: &str| {
        plugin.clone().write(TOKEN_FILE, &token(&account.alice, -60, refresh_token, KEY)).token(&["--refresh"])
    };
    assert_eq!(with("over").failed_with(6), needs_login("its console session has expired"));
    let stderr = with("unpermitted").failed_with(4).to_owned();
    assert!(stderr.contains("from profile `default`: AccessDeniedException: AWS says no\n"), "{stderr}");
    let stderr = with("failing").failed_with(5).to_owned();
    assert!(stderr.contains("temporary failure at AWS: AWS says no"), "{stderr}");
    let plugin = plugin.env("AWS_ENDPOINT_URL_SIGNIN", "http://127.0.0.1:1");
    assert!(plugin.token(&["--refresh"]).failed_with(5).contains("Connection refused"));
}

#[test]
fn renewed_tokens_are_the_same_login_and_a_new_login_is_not() {
    let account = Account::new();
    let plugin = plugin(&account, "http://127.0.0.1:1");
    let login = |ends_in, refresh_token: &str, key: &str| {
        plugin.clone().write(TOKEN_FILE, &token(&account.alice, ends_in, refresh_token, key)).token(&[]).good_token()
    };
    let first = login(900, "one", KEY);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(login(1800, "two", KEY), first);
    assert_ne!(login(900, "one", &KEY.replace("MHcCAQEEIFDZ", "MHcCAQEEIFDa")), first);
}
