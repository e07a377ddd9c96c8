use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use crate::Account;
use crate::support::http::{Reply, Request, Server};
use crate::support::plugin::{Plugin, url_of};
use crate::support::sts::{Keys, Role, rfc3339};

/// The keys as the properties of a profile.
fn properties(keys: &Keys) -> String {
    format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", keys.access_key_id, keys.secret_access_key)
}

#[track_caller]
fn signed_by(plugin: &Plugin, args: &[&str], keys: &Keys) {
    let url = url_of(&plugin.token(args).good_token());
    assert!(
        url.contains(&format!("X-Amz-Credential={}%2F", keys.access_key_id)),
        "not signed by {}",
        keys.access_key_id
    );
}

#[test]
fn keys_in_the_environment_with_and_without_a_session_token() {
    let account = Account::new();
    signed_by(&account.alices_plugin(), &[], &account.alice);
    let with_token = Keys { session_token: Some("session/token+of=alice".into()), ..account.alice.clone() };
    let url = url_of(&account.plugin().keys(&with_token).token(&[]).good_token());
    assert!(url.contains("X-Amz-Security-Token=session%2Ftoken%2Bof%3Dalice"));
}

#[test]
fn the_default_profile_in_either_file() {
    let account = Account::new();
    let text = format!("[default]\n{}", properties(&account.alice));
    signed_by(&account.plugin().config(&text), &[], &account.alice);
    signed_by(&account.plugin().write(".aws/credentials", &text), &[], &account.alice);
}

#[test]
fn an_explicit_profile_comes_before_keys_in_the_environment_and_aws_profile_does_not() {
    let account = Account::new();
    let plugin = account.alices_plugin().config(&format!("[profile bob]\n{}", properties(&account.bob)));
    signed_by(&plugin, &["--profile", "bob"], &account.bob);
    signed_by(&plugin.clone().env("AWS_PROFILE", "bob"), &[], &account.alice);
    let without_keys = plugin.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    signed_by(&without_keys.clone().env("AWS_PROFILE", "bob"), &[], &account.bob);
    signed_by(&without_keys.env("AWS_DEFAULT_PROFILE", "bob"), &[], &account.bob);
}

#[test]
fn files_elsewhere_are_read() {
    let account = Account::new();
    let plugin = account
        .plugin()
        .write("etc/config", "[profile x]\nregion = eu-central-1\n")
        .write("etc/credentials", &format!("[x]\n{}", properties(&account.alice)));
    let home = plugin.home().to_owned();
    let plugin = plugin
        .env("AWS_CONFIG_FILE", "~/etc/config")
        .env("AWS_SHARED_CREDENTIALS_FILE", home.join("etc/credentials"))
        .env_remove("AWS_REGION");
    signed_by(&plugin, &["--profile", "x"], &account.alice);
    assert!(url_of(&plugin.token(&["--profile", "x"]).good_token()).contains("sts.eu-central-1."));
}

#[test]
fn a_profile_with_a_role_and_a_source_profile() {
    let account = Account::new();
    let mut ops = Role::of_group("nobody");
    ops.roles = vec![account.dev.clone()];
    let ops = account.sts.add_role("path/ops", ops);
    let config = format!(
        "[profile keys]\n{}[profile dev]\nrole_arn = {}\nsource_profile = keys\nrole_session_name = from-profile\nexternal_id = profiles-id\n",
        properties(&account.alice),
        account.dev
    );
    account.plugin().config(&config).role_token(&ops, &["--profile", "dev"]).good_token();
    let calls = account.sts.calls();
    let first = &calls[0];
    assert_eq!(
        (first.parameter("RoleArn"), first.parameter("RoleSessionName")),
        (Some(account.dev.as_str()), Some("from-profile"))
    );
    assert_eq!(first.parameter("ExternalId"), Some("profiles-id"));
    let last = calls.last().unwrap();
    assert_eq!(
        (last.parameter("RoleArn"), last.parameter("RoleSessionName")),
        (Some(ops.as_str()), Some("from-profile"))
    );
}

#[test]
fn a_credential_process() {
    let account = Account::new();
    let document = json!({"Version": 1, "AccessKeyId": account.alice.access_key_id, "SecretAccessKey": account.alice.secret_access_key});
    let plugin = account.plugin().write("credentials.json", &document.to_string());
    let config = format!("[default]\ncredential_process = cat {}\n", plugin.home().join("credentials.json").display());
    signed_by(&plugin.config(&config).env("PATH", "/usr/bin:/bin"), &[], &account.alice);
}

#[test]
fn a_web_identity_token() {
    let account = Account::new();
    account.sts.trust_web_identity("web-identity-token", &account.dev);
    let plugin = account.plugin().write("token", "web-identity-token");
    let plugin = plugin
        .clone()
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", plugin.home().join("token"))
        .env("AWS_ROLE_ARN", &account.dev)
        .env("AWS_ROLE_SESSION_NAME", "pod");
    plugin.token(&[]).good_token();
    assert_eq!(account.sts.calls()[0].parameter("RoleSessionName"), Some("pod"));
}

/// A server that answers with credentials at one path, to those who show what it asks for; and what it was asked.
fn credentials_server(
    keys: &Keys,
    path: &'static str,
    allowed: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> (Server, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let document = json!({
        "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z",
        "AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key, "Token": "token",
        "Expiration": rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 3600)),
    });
    let head =
        "HTTP/1.1 200 OK\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\nContent-Length: 10\r\nConnection: close";
    let imds_token = format!("{head}\r\n\r\nimds-token").into_bytes();
    let server = Server::start(None, move |request| {
        log.lock().unwrap().push(format!("{} {}", request.method, request.path()));
        match request.path() {
            "/latest/api/token" => Reply::Raw(imds_token.clone()),
            "/latest/meta-data/iam/security-credentials/" => {
                Reply::Response { status: 200, content_type: "text/plain", body: b"node-role".to_vec() }
            }
            asked if asked == path && allowed(request) => Reply::json(200, &document),
            _ => Reply::json(404, &json!({})),
        }
    });
    (server, seen)
}

#[test]
fn a_container() {
    let account = Account::new();
    let (server, _) = credentials_server(&account.alice, "/creds", |request| {
        request.header("authorization") == Some("container-token")
    });
    let plugin = account
        .plugin()
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{}/creds", server.address))
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token");
    signed_by(&plugin, &[], &account.alice);
}

#[test]
fn instance_metadata_where_it_is_asked_for_and_never_through_a_proxy() {
    let account = Account::new();
    let (server, seen) =
        credentials_server(&account.alice, "/latest/meta-data/iam/security-credentials/node-role", |request| {
            request.header("x-aws-ec2-metadata-token") == Some("imds-token")
        });
    let plugin = account
        .plugin()
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", server.address))
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("HTTPS_PROXY", "http://127.0.0.1:1");
    signed_by(&plugin, &[], &account.alice);
    assert_eq!(seen.lock().unwrap()[0], "PUT /latest/api/token");
    let disabled = plugin.env("AWS_EC2_METADATA_DISABLED", "true");
    disabled.token(&["--refresh"]).failed_with(3);
}

/// Off EC2 the SDK's own chain would wait three to four seconds for an address that nobody has.
#[test]
fn instance_metadata_is_not_asked_off_ec2() {
    let account = Account::new();
    let started = Instant::now();
    account.plugin().token(&[]).failed_with(3);
    // Not a matter of speed: the SDK's shortest wait for the metadata service is a second.
    assert!(started.elapsed() < Duration::from_millis(900));
}

#[test]
fn an_sso_session() {
    let account = Account::new();
    let keys = account.alice.clone();
    let server = Server::start(None, move |request| {
        if request.path() != "/federation/credentials"
            || request.header("x-amz-sso_bearer_token") != Some("sso-access-token")
        {
            return Reply::json(401, &json!({"message": "Session token not found or invalid"}));
        }
        Reply::json(
            200,
            &json!({"roleCredentials": {"accessKeyId": keys.access_key_id, "secretAccessKey": keys.secret_access_key, "sessionToken": "", "expiration": 4_000_000_000_000_u64}}),
        )
    });
    let config = "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n";
    let token = json!({"accessToken": "sso-access-token", "expiresAt": "2099-01-01T00:00:00Z", "region": "eu-west-1", "startUrl": "https://corp.awsapps.com/start"});
    // SHA-1 of "corp".
    let file = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let plugin = account.plugin().config(config).env("AWS_ENDPOINT_URL_SSO", format!("http://{}", server.address));
    let output = plugin.token(&[]);
    assert!(
        output.failed_with(3).contains("hint: run `aws sso login --profile default`, then try again\n"),
        "{}",
        output.stderr
    );
    signed_by(&plugin.clone().write(file, &token.to_string()), &[], &account.alice);
    // Logging out removes the file; what was obtained with it is then out of reach.
    std::fs::remove_file(plugin.home().join(file)).unwrap();
    plugin.token(&[]).failed_with(3);
}
