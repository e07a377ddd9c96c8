use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::Account;
use crate::support::account::DEV;
use crate::support::files::make_fifo;
use crate::support::http::{Reply, Request, Server};
use crate::support::plugin::{Plugin, error_and_hint, signed_by, url_of};
use crate::support::sso;
use crate::support::sts::{Keys, Role, from_now};

#[test]
fn keys_in_the_environment_with_and_without_a_session_token() {
    let account = Account::new();
    signed_by(&account.alices_plugin(), &[], &account.alice);
    let session_token = Some("session/token+of=alice".into());
    let with_token = Keys { access_key_id: "ASIALOOPBACK".into(), session_token, ..account.alice.clone() };
    let url = url_of(&account.plugin().keys(&with_token).token(&[]).good_token());
    assert!(url.contains("X-Amz-Security-Token=session%2Ftoken%2Bof%3Dalice"));
}

#[test]
fn the_default_profile_in_either_file() {
    let account = Account::new();
    let text = format!("[default]\n{}", account.alice.properties());
    signed_by(&account.plugin().config(&text), &[], &account.alice);
    signed_by(&account.plugin().write(".aws/credentials", &text), &[], &account.alice);
}

#[test]
fn the_profile_flag_takes_precedence_over_environment_keys_and_aws_profile_does_not() {
    let account = Account::new();
    let plugin = account.alices_plugin().config(&format!("[profile bob]\n{}", account.bob.properties()));
    signed_by(&plugin, &["--profile", "bob"], &account.bob);
    signed_by(&plugin.clone().env("AWS_PROFILE", "bob"), &[], &account.alice);
    let without_keys = plugin.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    signed_by(&without_keys.clone().env("AWS_PROFILE", "bob"), &[], &account.bob);
    signed_by(&without_keys.env("AWS_DEFAULT_PROFILE", "bob"), &[], &account.bob);
}

/// A typo in a profile must not cause the machine's or pod's own role to sign instead.
#[test]
fn a_failing_profile_does_not_fall_back_to_another_source() {
    let account = Account::new();
    let (server, _) = credentials_server(&account.bob, "/creds", |_| true);
    let plugin = in_container(account.plugin(), &server);
    let config = format!(
        "[profile empty]\nregion = eu-west-1\n[profile typo]\nrole_arn = {DEV}\nsource_profile = bsae\n\
         [profile half]\naws_access_key_id = AKIA\n"
    );
    let plugin = plugin.config(&config);
    signed_by(&plugin, &["--profile", "empty"], &account.bob);
    let stderr = plugin.token(&["--profile", "typo"]).failed_with(3).to_owned();
    assert!(
        stderr.starts_with("eks-group-auth: error: no AWS credentials from profile `typo`: ")
            && stderr.contains("`bsae`"),
        "{stderr}"
    );
    plugin.token(&["--profile", "half"]).failed_with(3);
    plugin.clone().env("AWS_PROFILE", "typo").token(&[]).failed_with(3);
    let stderr = plugin.env("AWS_ACCESS_KEY_ID", "AKIA").token(&[]).failed_with(3).to_owned();
    assert!(stderr.contains("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not"), "{stderr}");
}

#[test]
fn the_expiry_of_environment_keys_is_respected() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let output = plugin.clone().env("AWS_CREDENTIAL_EXPIRATION", from_now(300)).token(&[]);
    output.good_token();
    assert!((200..=240).contains(&output.remaining().as_secs()));
    let output = plugin.env("AWS_CREDENTIAL_EXPIRATION", from_now(30)).token(&[]);
    assert!(output.failed_with(3).contains("they have expired, or will expire within a minute"), "{}", output.stderr);
}

#[test]
fn expired_credentials_of_a_process_are_refused() {
    let account = Account::new();
    let mut document = account.alice.document();
    document["Expiration"] = "2020-01-01T00:00:00Z".into();
    let plugin = account.plugin_with_process("cat HOME/keys.json").write("keys.json", &document.to_string());
    plugin.token(&[]).failed_with(3);
}

/// As with `AWS_CONFIG_FILE=<(sops -d config)`.
#[test]
fn a_config_file_that_can_be_read_only_once_is_read_only_once() {
    let account = Account::new();
    let plugin = account.plugin();
    let fifo = plugin.home().join("fifo");
    make_fifo(&fifo);
    let text = format!("[default]\n{}", account.alice.properties());
    let path = fifo.clone();
    let writer = std::thread::spawn(move || std::fs::write(path, text).unwrap());
    signed_by(&plugin.env("AWS_CONFIG_FILE", fifo), &[], &account.alice);
    writer.join().unwrap();
}

#[test]
fn config_files_can_be_elsewhere() {
    let account = Account::new();
    let plugin = account
        .plugin()
        .write("etc/config", "[profile x]\nregion = eu-central-1\n")
        .write("etc/credentials", &format!("[x]\n{}", account.alice.properties()));
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
    let ops = account.add_role_after_dev("path/ops");
    let config = account.profile_with_role("role_session_name = from-profile\nexternal_id = profiles-id\n");
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
fn quoted_profile_names_are_supported() {
    let account = Account::new();
    let role = format!("role_arn = {}\nsource_profile = the keys, ours\n", account.dev);
    let config = format!("[profile \"my team\"]\n{role}[profile 'the keys, ours']\n{}", account.alice.properties());
    let plugin =
        account.plugin().config(&config).write(".aws/credentials", &format!("[bob %20]\n{}", account.bob.properties()));
    signed_by(&plugin, &["--profile", "the keys, ours"], &account.alice);
    signed_by(&plugin, &["--profile", "bob %20"], &account.bob);
    assert!(plugin.token(&["--profile", "my team"]).signer().starts_with("ASIA"));
    assert!(plugin.token(&["--profile", "my%20team"]).failed_with(3).contains("profile `my%20team` not found"));
    let sso = sso::config().replace("[default]", "[profile \"it's ours\"]").replace(" corp]", " \"corp\"]");
    let portal = sso_portal(&account.alice, || {});
    let plugin = sso_plugin(&account, &portal).config(&sso);
    let output = plugin.token(&["--profile", "it's ours"]);
    assert!(output.failed_with(6).contains(r"run `aws sso login --profile 'it'\''s ours'`, then"), "{}", output.stderr);
    let plugin = plugin.write(sso::TOKEN_FILE, &sso_token("sso-access-token", "one"));
    signed_by(&plugin, &["--profile", "it's ours"], &account.alice);
}

#[test]
fn the_old_name_of_the_session_token_is_supported() {
    let account = Account::new();
    let has = |plugin: &Plugin, token: &str| {
        let url = url_of(&plugin.token(&[]).good_token());
        assert!(url.contains(&format!("X-Amz-Security-Token={token}")), "{token}");
    };
    let session = Keys { access_key_id: "ASIALOOPBACK".into(), ..account.alice.clone() };
    let plugin = account.plugin().keys(&session).env("AWS_SECURITY_TOKEN", "old");
    has(&plugin, "old");
    // In the AWS CLI, the old name takes precedence.
    has(&plugin.clone().env("AWS_SESSION_TOKEN", "new"), "old");
    has(&plugin.env("AWS_SESSION_TOKEN", ""), "old");
    let config = format!("[default]\n{}aws_security_token = file\naws_session_token = new\n", session.properties());
    has(&account.plugin().config(&config), "file");
}

#[test]
fn a_credential_process() {
    let account = Account::new();
    signed_by(&account.plugin_with_process("cat HOME/keys.json"), &[], &account.alice);
}

/// As in a pod that may assume the role `dev`.
fn in_pod(account: &Account) -> Plugin {
    account.sts.trust_web_identity("web-identity-token", &account.dev);
    let plugin = account.plugin().write("token", "web-identity-token");
    let token = plugin.home().join("token");
    plugin
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        .env("AWS_ROLE_ARN", &account.dev)
        .env("AWS_ROLE_SESSION_NAME", "pod")
}

#[test]
fn a_web_identity_token() {
    let account = Account::new();
    in_pod(&account).token(&[]).good_token();
    assert_eq!(account.session_names(), ["pod"]);
}

/// As with the AWS CLI, where only a profile's role takes precedence over it.
#[test]
fn an_environment_web_identity_takes_precedence_over_profile_keys() {
    let account = Account::new();
    let plugin = in_pod(&account).config(&format!("[default]\n{}", account.bob.properties()));
    assert!(plugin.token(&[]).signer().starts_with("ASIA"));
    // This already is a session of the role, which is not assumed again.
    plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts().0, 0);
}

/// As with the AWS CLI, its keys are used, not its role, which is only used if this profile itself is selected.
#[test]
fn a_source_profile_with_keys_and_a_role() {
    let account = Account::new();
    let ops = account.add_role_after_dev("ops");
    let config = format!(
        "[profile ops]\nrole_arn = {ops}\nsource_profile = dev\n[profile dev]\nrole_arn = {}\nsource_profile = keys\n{}\
         [profile keys]\n{}",
        account.dev,
        account.bob.properties(),
        account.alice.properties()
    );
    let plugin = account.plugin().config(&config);
    let stderr = plugin.token(&["--profile", "ops"]).failed_with(4).to_owned();
    assert!(stderr.contains("user/bob"), "{stderr}");
    plugin.token(&["--profile", "dev"]).good_token();
}

/// The session was revoked or its permissions changed; the caller's own credentials are still valid.
#[test]
fn a_refused_session_of_an_intermediate_role_is_replaced_within_the_call() {
    let account = Account::new();
    let plugin = account.plugin().config(&account.profile_with_role(""));
    let token = |role: &str| plugin.role_token(role, &["--profile", "dev"]);
    token(&account.add_role_after_dev("one")).good_token();
    let calls_for_dev = || {
        let calls = account.sts.calls();
        calls.iter().filter(|call| call.parameter("RoleArn") == Some(&account.dev)).count()
    };
    assert_eq!((calls_for_dev(), account.counts().0), (1, 2));
    token(&account.add_role_after_dev("two")).good_token();
    assert_eq!((calls_for_dev(), account.counts().0), (1, 3), "the session is reused until it is refused");
    account.sts.revoke_sessions(&account.dev);
    token(&account.add_role_after_dev("three")).good_token();
    assert_eq!((calls_for_dev(), account.counts().0), (2, 6));
    // A role that nobody may assume is refused again, and that is the result; the same goes for two such roles.
    let forbidden = account.sts.add_role("forbidden", Role::for_group("nobody"));
    token(&forbidden).failed_with(4);
    assert_eq!((calls_for_dev(), account.counts().0), (3, 9));
    let other = account.sts.add_role("other", Role::for_group("nobody"));
    plugin.role_token(&forbidden, &["--role", &other, "--profile", "dev"]).failed_with(4);
    assert_eq!((calls_for_dev(), account.counts().0), (4, 14));
}

/// As with the AWS CLI, the profile's role and its source take precedence.
#[test]
fn a_profiles_role_takes_precedence_over_an_environment_web_identity() {
    let account = Account::new();
    let plugin = account.plugin().config(&account.profile_with_role("")).env("AWS_PROFILE", "dev");
    let plugin = plugin.env("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent").env("AWS_ROLE_ARN", "not-asked-for");
    plugin.token(&[]).good_token();
    let stderr = plugin.env("AWS_PROFILE", "keys").token(&[]).failed_with(3).to_owned();
    let source = "AWS_WEB_IDENTITY_TOKEN_FILE in the environment, which takes precedence over AWS_PROFILE `keys`";
    assert!(stderr.contains(source), "{stderr}");
}

#[test]
fn an_unreadable_config_file_is_an_error() {
    let account = Account::new();
    let latin = b"# caf\xe9\n[default]\n";
    let plugin = account.alices_plugin();
    for (name, file) in [("AWS_CONFIG_FILE", ".aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")] {
        let path = plugin.home().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, latin).unwrap();
        let expected = format!("eks-group-auth: error: `{}` cannot be read: it is not UTF-8\n", path.display());
        let stderr = plugin.token(&[]).failed_with(2).to_owned();
        assert!(stderr.starts_with(&expected) && stderr.contains("hint: correct line 1, or"), "{stderr}");
        std::fs::remove_file(&path).unwrap();
        // As with the AWS CLI, a directory counts as a missing file.
        plugin.clone().env(name, plugin.home()).token(&[]).good_token();
        plugin.clone().env(name, "/dev/null").token(&[]).good_token();
    }
    plugin.clone().env("AWS_CONFIG_FILE", "/dev/zero").token(&[]).failed_with(2);
    plugin.clone().env("AWS_CONFIG_FILE", "/nonexistent/config").token(&[]).good_token();
}

#[test]
fn comments_in_config_files_are_ignored() {
    let account = Account::new();
    let text =
        format!("# one\n[default] ; two\ns3 =\n  # three\n  addressing_style = path\n{}", account.alice.properties());
    signed_by(&account.plugin().config(&text), &[], &account.alice);
}

#[test]
fn keys_with_invalid_characters_are_rejected() {
    let account = Account::new();
    account.alices_plugin().env("AWS_ACCESS_KEY_ID", "AKIA\u{1b}[31m").token(&[]).failed_with(3);
}

/// That would need an extra permission.
#[test]
fn a_role_the_caller_already_has_is_not_assumed_again() {
    let account = Account::new();
    let ops = account.add_role_after_dev("path/ops");
    let plugin = in_pod(&account);
    plugin.role_token(&account.dev, &["--session-name", "another"]).good_token();
    assert_eq!(account.counts().0, 0);
    plugin.role_token(&ops, &[]).good_token();
    assert_eq!(account.counts().0, 1);
}

/// A server that returns credentials at one path to permitted requests, and a log of its requests.
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
        "Expiration": from_now(3600),
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

/// As in a container whose credentials are there, at `/creds`.
fn in_container(plugin: Plugin, server: &Server) -> Plugin {
    plugin.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/creds", server.url()))
}

#[test]
fn a_container() {
    let account = Account::new();
    let (server, _) = credentials_server(&account.alice, "/creds", |request| {
        request.header("authorization") == Some("container-token")
    });
    let plugin = in_container(account.plugin(), &server).env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token");
    signed_by(&plugin, &[], &account.alice);
}

#[test]
fn a_source_profile_without_credentials_does_not_fall_back() {
    let account = Account::new();
    let (server, seen) = credentials_server(&account.alice, "/creds", |_| true);
    let config = format!(
        "[profile dev]\nrole_arn = {}\nsource_profile = base\n[profile base]\nregion = eu-west-1\n",
        account.dev
    );
    let plugin = in_container(account.plugin().config(&config), &server);
    let expected = error_and_hint(
        "no AWS credentials from profile `base` (source of `dev`): it has no source of credentials",
        "add keys, `sso_session` or another source to it, or correct `source_profile` in profile `dev`",
    );
    assert_eq!(plugin.env("AWS_PROFILE", "dev").token(&[]).failed_with(3), expected);
    assert_eq!(seen.lock().unwrap().len(), 0);
}

#[test]
fn instance_metadata_never_uses_a_proxy() {
    let account = Account::new();
    let (server, seen) =
        credentials_server(&account.alice, "/latest/meta-data/iam/security-credentials/node-role", |request| {
            request.header("x-aws-ec2-metadata-token") == Some("imds-token")
        });
    let plugin = account
        .plugin()
        .env_remove("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url())
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("HTTPS_PROXY", "http://127.0.0.1:1");
    signed_by(&plugin, &[], &account.alice);
    assert_eq!(seen.lock().unwrap()[0], "PUT /latest/api/token");
    let disabled = plugin.env("AWS_EC2_METADATA_DISABLED", "true");
    disabled.token(&["--refresh"]).failed_with(3);
}

#[test]
fn a_profile_with_a_role_and_a_credential_source() {
    let account = Account::new();
    let config = format!("[profile dev]\nrole_arn = {}\ncredential_source = Environment\n", account.dev);
    account.alices_plugin().config(&config).token(&["--profile", "dev"]).good_token();
    assert_eq!(account.counts().0, 1);
}

/// An IAM Identity Center portal that runs `first` and then returns alice's keys to anyone with the access token.
fn sso_portal(keys: &Keys, first: impl Fn() + Send + Sync + 'static) -> Server {
    let keys = keys.clone();
    let error = |status, kind, message| Reply::json_error(status, kind, &json!({"message": message}));
    Server::start(None, move |request| {
        first();
        match (request.path(), request.header("x-amz-sso_bearer_token")) {
            ("/federation/credentials", Some("sso-access-token")) => sso::role_credentials(&keys),
            ("/federation/credentials", Some("unassigned")) => error(403, "ForbiddenException", "No access"),
            ("/federation/credentials", Some("failing")) => error(500, "InternalServerException", "boom"),
            _ => error(401, "UnauthorizedException", "Session token not found or invalid"),
        }
    })
}

fn sso_token(access_token: &str, refresh_token: &str) -> String {
    json!({"accessToken": access_token, "expiresAt": "2099-01-01T00:00:00Z", "region": "eu-west-1",
        "startUrl": "https://corp.awsapps.com/start", "refreshToken": refresh_token})
    .to_string()
}

fn sso_plugin(account: &Account, portal: &Server) -> Plugin {
    account.plugin().config(&sso::config()).env("AWS_ENDPOINT_URL_SSO", portal.url())
}

#[test]
fn an_sso_session() {
    let account = Account::new();
    let portal = sso_portal(&account.alice, || {});
    let plugin = sso_plugin(&account, &portal);
    let hint = "hint: run `aws sso login --profile default`, then try again\n";
    let output = plugin.token(&[]);
    assert!(output.failed_with(6).contains(hint), "{}", output.stderr);
    signed_by(&plugin.clone().write(sso::TOKEN_FILE, &sso_token("sso-access-token", "one")), &[], &account.alice);
    // Logging out removes the file; entries obtained with it are then no longer found.
    std::fs::remove_file(plugin.home().join(sso::TOKEN_FILE)).unwrap();
    plugin.token(&[]).failed_with(6);
    let output = plugin.clone().write(sso::TOKEN_FILE, &sso_token("withdrawn", "two")).token(&[]);
    assert!(output.failed_with(6).contains(hint), "{}", output.stderr);
    let output = plugin.clone().write(sso::TOKEN_FILE, &sso_token("unassigned", "one")).token(&["--refresh"]);
    assert!(
        output
            .failed_with(4)
            .contains("ForbiddenException: No access\neks-group-auth: hint: the SSO user is not assigned"),
        "{}",
        output.stderr
    );
    let output = plugin.clone().write(sso::TOKEN_FILE, &sso_token("failing", "one")).token(&["--refresh"]);
    assert!(output.failed_with(5).contains("temporary failure at AWS"), "{}", output.stderr);
}

#[test]
fn a_renewed_sso_token_is_the_same_login_and_a_new_login_is_not() {
    let account = Account::new();
    let portal = sso_portal(&account.alice, || {});
    let plugin = sso_plugin(&account, &portal);
    let login = |access: &str, refresh: &str| {
        plugin.clone().write(sso::TOKEN_FILE, &sso_token(access, refresh)).role_token(&account.dev, &[])
    };
    let first = login("sso-access-token", "one").good_token();
    assert_eq!(login("renewed-and-not-asked-for", "one").good_token(), first);
    assert_ne!(login("sso-access-token", "two").good_token(), first);
    assert_eq!(account.counts().0, 2);
}

#[test]
fn nothing_is_stored_if_the_login_changes_meanwhile() {
    let account = Account::new();
    let target = Arc::new(Mutex::new(None::<std::path::PathBuf>));
    let shared = target.clone();
    let portal = sso_portal(&account.alice, move || {
        if let Some(path) = shared.lock().unwrap().take() {
            std::fs::write(path, sso_token("sso-access-token", "another")).unwrap();
        }
    });
    let plugin = sso_plugin(&account, &portal).write(sso::TOKEN_FILE, &sso_token("sso-access-token", "one"));
    *target.lock().unwrap() = Some(plugin.home().join(sso::TOKEN_FILE));
    plugin.role_token(&account.dev, &["--session-name", "alice"]).good_token();
    // The owner of an access key does not depend on the login.
    assert_eq!(plugin.entries(), plugin.entries_of("caller-"));
}
