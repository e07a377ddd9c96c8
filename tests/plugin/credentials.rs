use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

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
    let session_token = Some("session/token+of=alice".into());
    let with_token = Keys { access_key_id: "ASIALOOPBACK".into(), session_token, ..account.alice.clone() };
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

/// A typing error in a profile must not make the machine's or pod's own role sign instead.
#[test]
fn a_profile_that_fails_is_not_passed_over_for_another_source() {
    let account = Account::new();
    let (server, _) = credentials_server(&account.bob, "/creds", |_| true);
    let plugin = account.plugin().env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{}/creds", server.address));
    let config = "[profile empty]\nregion = eu-west-1\n[profile typo]\nrole_arn = arn:aws:iam::111122223333:role/dev\nsource_profile = bsae\n[profile half]\naws_access_key_id = AKIA\n";
    let plugin = plugin.config(config);
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
    assert!(stderr.contains("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not"), "{stderr}");
}

#[test]
fn the_end_of_keys_in_the_environment_is_heeded() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let ending_in = |seconds: u64| {
        rfc3339(
            SystemTime::UNIX_EPOCH
                + Duration::from_secs(
                    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + seconds,
                ),
        )
    };
    let output = plugin.clone().env("AWS_CREDENTIAL_EXPIRATION", ending_in(300)).token(&[]);
    output.good_token();
    assert!((200..=240).contains(&output.remaining().as_secs()));
    let output = plugin.env("AWS_CREDENTIAL_EXPIRATION", ending_in(30)).token(&[]);
    assert!(output.failed_with(3).contains("they have expired, or will within a minute"), "{}", output.stderr);
}

#[test]
fn expired_credentials_of_a_process_are_refused() {
    let account = Account::new();
    let document =
        json!({"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "x", "Expiration": "2020-01-01T00:00:00Z"});
    let plugin = account.plugin().write("credentials.json", &document.to_string());
    let config = format!("[default]\ncredential_process = cat {}\n", plugin.home().join("credentials.json").display());
    plugin.config(&config).env("PATH", "/usr/bin:/bin").token(&[]).failed_with(3);
}

/// As with `AWS_CONFIG_FILE=<(sops -d config)`.
#[test]
fn a_config_file_that_can_be_read_only_once_is_read_only_once() {
    let account = Account::new();
    let plugin = account.plugin();
    let fifo = plugin.home().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let text = format!("[default]\n{}", properties(&account.alice));
    let path = fifo.clone();
    let writer = std::thread::spawn(move || std::fs::write(path, text).unwrap());
    signed_by(&plugin.env("AWS_CONFIG_FILE", fifo), &[], &account.alice);
    writer.join().unwrap();
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
fn profiles_whose_names_the_config_file_has_to_quote() {
    let account = Account::new();
    let role = format!("role_arn = {}\nsource_profile = the keys, ours\n", account.dev);
    let config = format!("[profile \"my team\"]\n{role}[profile 'the keys, ours']\n{}", properties(&account.alice));
    let plugin =
        account.plugin().config(&config).write(".aws/credentials", &format!("[bob %20]\n{}", properties(&account.bob)));
    signed_by(&plugin, &["--profile", "the keys, ours"], &account.alice);
    signed_by(&plugin, &["--profile", "bob %20"], &account.bob);
    let url = url_of(&plugin.token(&["--profile", "my team"]).good_token());
    assert!(url.contains("X-Amz-Credential=ASIA"), "{url}");
    assert!(plugin.token(&["--profile", "my%20team"]).failed_with(3).contains("profile `my%20team` not found"));
    let sso = "[profile \"it's ours\"]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n\
               [sso-session \"corp\"]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n";
    let portal = sso_portal(&account.alice, || {});
    let plugin = sso_plugin(&account, &portal).config(sso);
    let output = plugin.token(&["--profile", "it's ours"]);
    assert!(output.failed_with(6).contains(r"run `aws sso login --profile 'it'\''s ours'`, then"), "{}", output.stderr);
    let plugin = plugin.write(SSO_TOKEN_FILE, &sso_token("sso-access-token", "one"));
    signed_by(&plugin, &["--profile", "it's ours"], &account.alice);
}

#[test]
fn the_old_name_of_the_session_token() {
    let account = Account::new();
    let has = |plugin: &Plugin, token: &str| {
        let url = url_of(&plugin.token(&[]).good_token());
        assert!(url.contains(&format!("X-Amz-Security-Token={token}")), "{token}");
    };
    let session = Keys { access_key_id: "ASIALOOPBACK".into(), ..account.alice.clone() };
    let plugin = account.plugin().keys(&session).env("AWS_SECURITY_TOKEN", "old");
    has(&plugin, "old");
    // The AWS CLI takes the old name first.
    has(&plugin.clone().env("AWS_SESSION_TOKEN", "new"), "old");
    has(&plugin.env("AWS_SESSION_TOKEN", ""), "old");
    let config = format!("[default]\n{}aws_security_token = file\naws_session_token = new\n", properties(&session));
    has(&account.plugin().config(&config), "file");
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

/// As with the AWS CLI, which asks a profile's role only before it.
#[test]
fn a_web_identity_in_the_environment_comes_before_keys_in_a_profile() {
    let account = Account::new();
    account.sts.trust_web_identity("web-identity-token", &account.dev);
    let plugin = account
        .plugin()
        .write("token", "web-identity-token")
        .config(&format!("[default]\n{}", properties(&account.bob)));
    let token = plugin.home().join("token");
    let plugin = plugin
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        .env("AWS_ROLE_ARN", &account.dev)
        .env("AWS_ROLE_SESSION_NAME", "pod");
    assert!(url_of(&plugin.token(&[]).good_token()).contains("X-Amz-Credential=ASIA"));
    // Whose session this is: the role's own, which is not assumed once more.
    plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts().0, 0);
}

/// As with the AWS CLI: its keys are meant and not its role, which only whoever names it gets.
#[test]
fn a_source_profile_with_keys_and_a_role() {
    let account = Account::new();
    let ops = account.sts.add_role("ops", Role { roles: vec![account.dev.clone()], ..Role::of_group("nobody") });
    let config = format!(
        "[profile ops]\nrole_arn = {ops}\nsource_profile = dev\n[profile dev]\nrole_arn = {}\nsource_profile = keys\n{}\
         [profile keys]\n{}",
        account.dev,
        properties(&account.bob),
        properties(&account.alice)
    );
    let plugin = account.plugin().config(&config);
    let stderr = plugin.token(&["--profile", "ops"]).failed_with(4).to_owned();
    assert!(stderr.contains("user/bob"), "{stderr}");
    plugin.token(&["--profile", "dev"]).good_token();
}

/// It was revoked, or what it may do has changed; the caller's own credentials are as good as ever.
#[test]
fn a_refused_session_of_a_role_on_the_way_is_replaced_within_the_call() {
    let account = Account::new();
    let last = |name: &str| {
        let roles = vec![account.dev.clone()];
        account.sts.add_role(name, Role { roles, ..Role::of_group("nobody") })
    };
    let config = format!(
        "[profile keys]\n{}[profile dev]\nrole_arn = {}\nsource_profile = keys\n",
        properties(&account.alice),
        account.dev
    );
    let plugin = account.plugin().config(&config);
    let token = |role: &str| plugin.role_token(role, &["--profile", "dev"]);
    token(&last("one")).good_token();
    let calls_for_dev = || {
        let calls = account.sts.calls();
        calls.iter().filter(|call| call.parameter("RoleArn") == Some(&account.dev)).count()
    };
    assert_eq!((calls_for_dev(), account.counts().0), (1, 2));
    token(&last("two")).good_token();
    assert_eq!((calls_for_dev(), account.counts().0), (1, 3), "it serves while nobody refuses it");
    account.sts.revoke_sessions(&account.dev);
    token(&last("three")).good_token();
    assert_eq!((calls_for_dev(), account.counts().0), (2, 6));
    // A role that nobody may assume is refused a second time, and that is the answer; so are two.
    let forbidden = account.sts.add_role("forbidden", Role::of_group("nobody"));
    token(&forbidden).failed_with(4);
    assert_eq!((calls_for_dev(), account.counts().0), (3, 9));
    let other = account.sts.add_role("other", Role::of_group("nobody"));
    plugin.role_token(&forbidden, &["--role", &other, "--profile", "dev"]).failed_with(4);
    assert_eq!((calls_for_dev(), account.counts().0), (4, 14));
}

/// As with the AWS CLI: the profile's role comes first, and so does what it starts from.
#[test]
fn a_web_identity_in_the_environment_comes_after_a_profile_with_a_role() {
    let account = Account::new();
    let config = format!(
        "[profile keys]\n{}[profile dev]\nrole_arn = {}\nsource_profile = keys\n",
        properties(&account.alice),
        account.dev
    );
    let plugin = account.plugin().config(&config).env("AWS_PROFILE", "dev");
    let plugin = plugin.env("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent").env("AWS_ROLE_ARN", "not-asked-for");
    plugin.token(&[]).good_token();
    let stderr = plugin.env("AWS_PROFILE", "keys").token(&[]).failed_with(3).to_owned();
    let source = "AWS_WEB_IDENTITY_TOKEN_FILE in the environment, which comes before AWS_PROFILE `keys`";
    assert!(stderr.contains(source), "{stderr}");
}

#[test]
fn a_config_file_that_cannot_be_read_is_not_passed_over() {
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
        // As for the AWS CLI, a directory is no file.
        plugin.clone().env(name, plugin.home()).token(&[]).good_token();
        plugin.clone().env(name, "/dev/null").token(&[]).good_token();
    }
    plugin.clone().env("AWS_CONFIG_FILE", "/dev/zero").token(&[]).failed_with(2);
    plugin.clone().env("AWS_CONFIG_FILE", "/nonexistent/config").token(&[]).good_token();
}

#[test]
fn comments_anywhere_in_a_config_file_are_passed_over() {
    let account = Account::new();
    let text =
        format!("# one\n[default] ; two\ns3 =\n  # three\n  addressing_style = path\n{}", properties(&account.alice));
    signed_by(&account.plugin().config(&text), &[], &account.alice);
}

#[test]
fn keys_that_no_header_could_carry_are_refused() {
    let account = Account::new();
    account.alices_plugin().env("AWS_ACCESS_KEY_ID", "AKIA\u{1b}[31m").token(&[]).failed_with(3);
}

/// It would need a permission of its own.
#[test]
fn a_role_that_the_caller_already_has_is_not_assumed_once_more() {
    let account = Account::new();
    account.sts.trust_web_identity("jwt", &account.dev);
    let ops = account.sts.add_role("path/ops", Role { roles: vec![account.dev.clone()], ..Role::of_group("nobody") });
    let plugin = account.plugin().write("token", "jwt");
    let token = plugin.home().join("token");
    let plugin = plugin
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        .env("AWS_ROLE_ARN", &account.dev)
        .env("AWS_ROLE_SESSION_NAME", "pod");
    plugin.role_token(&account.dev, &["--session-name", "another"]).good_token();
    assert_eq!(account.counts().0, 0);
    plugin.role_token(&ops, &[]).good_token();
    assert_eq!(account.counts().0, 1);
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
fn a_source_profile_without_credentials_is_not_passed_over_for_the_machines() {
    let account = Account::new();
    let (server, seen) = credentials_server(&account.alice, "/creds", |_| true);
    let config = format!(
        "[profile dev]\nrole_arn = {}\nsource_profile = base\n[profile base]\nregion = eu-west-1\n",
        account.dev
    );
    let plugin = account.plugin().config(&config);
    let plugin = plugin.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{}/creds", server.address));
    let expected = "eks-group-auth: error: no AWS credentials from profile `base` (source of `dev`): it does not say where they are\n\
                    eks-group-auth: hint: add keys, `sso_session` or another source to it, or correct `source_profile` of `dev`\n";
    assert_eq!(plugin.env("AWS_PROFILE", "dev").token(&[]).failed_with(3), expected);
    assert_eq!(seen.lock().unwrap().len(), 0);
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
        .env_remove("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", server.address))
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

/// A portal of IAM Identity Center that gives alice's keys to whoever shows the access token, and does something first.
fn sso_portal(keys: &Keys, first: impl Fn() + Send + Sync + 'static) -> Server {
    let keys = keys.clone();
    Server::start(None, move |request| {
        first();
        match (request.path(), request.header("x-amz-sso_bearer_token")) {
            ("/federation/credentials", Some("sso-access-token")) => Reply::json(
                200,
                &json!({"roleCredentials": {"accessKeyId": keys.access_key_id, "secretAccessKey": keys.secret_access_key,
                    "sessionToken": "", "expiration": 4_000_000_000_000_u64}}),
            ),
            ("/federation/credentials", Some("unassigned")) => {
                Reply::Raw(sso_error(403, "ForbiddenException", "No access"))
            }
            ("/federation/credentials", Some("failing")) => {
                Reply::Raw(sso_error(500, "InternalServerException", "boom"))
            }
            _ => Reply::Raw(sso_error(401, "UnauthorizedException", "Session token not found or invalid")),
        }
    })
}

fn sso_error(status: u16, code: &str, message: &str) -> Vec<u8> {
    let body = json!({"message": message}).to_string();
    format!("HTTP/1.1 {status} -\r\nx-amzn-errortype: {code}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

const SSO_CONFIG: &str = "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n";

/// SHA-1 of "corp".
const SSO_TOKEN_FILE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

fn sso_token(access_token: &str, refresh_token: &str) -> String {
    json!({"accessToken": access_token, "expiresAt": "2099-01-01T00:00:00Z", "region": "eu-west-1",
        "startUrl": "https://corp.awsapps.com/start", "refreshToken": refresh_token})
    .to_string()
}

fn sso_plugin(account: &Account, portal: &Server) -> Plugin {
    account.plugin().config(SSO_CONFIG).env("AWS_ENDPOINT_URL_SSO", format!("http://{}", portal.address))
}

#[test]
fn an_sso_session() {
    let account = Account::new();
    let portal = sso_portal(&account.alice, || {});
    let plugin = sso_plugin(&account, &portal);
    let hint = "hint: run `aws sso login --profile default`, then try again\n";
    let output = plugin.token(&[]);
    assert!(output.failed_with(6).contains(hint), "{}", output.stderr);
    signed_by(&plugin.clone().write(SSO_TOKEN_FILE, &sso_token("sso-access-token", "one")), &[], &account.alice);
    // Logging out removes the file; what was obtained with it is then out of reach.
    std::fs::remove_file(plugin.home().join(SSO_TOKEN_FILE)).unwrap();
    plugin.token(&[]).failed_with(6);
    let output = plugin.clone().write(SSO_TOKEN_FILE, &sso_token("withdrawn", "two")).token(&[]);
    assert!(output.failed_with(6).contains(hint), "{}", output.stderr);
    let output = plugin.clone().write(SSO_TOKEN_FILE, &sso_token("unassigned", "one")).token(&["--refresh"]);
    assert!(
        output
            .failed_with(4)
            .contains("ForbiddenException: No access\neks-group-auth: hint: the SSO user is not assigned"),
        "{}",
        output.stderr
    );
    let output = plugin.clone().write(SSO_TOKEN_FILE, &sso_token("failing", "one")).token(&["--refresh"]);
    assert!(output.failed_with(5).contains("AWS is failing"), "{}", output.stderr);
}

#[test]
fn an_sso_access_token_that_is_renewed_is_the_same_login_and_another_login_is_not() {
    let account = Account::new();
    let portal = sso_portal(&account.alice, || {});
    let plugin = sso_plugin(&account, &portal);
    let login = |access: &str, refresh: &str| {
        plugin.clone().write(SSO_TOKEN_FILE, &sso_token(access, refresh)).role_token(&account.dev, &[])
    };
    let first = login("sso-access-token", "one").good_token();
    assert_eq!(login("renewed-and-not-asked-for", "one").good_token(), first);
    assert_ne!(login("sso-access-token", "two").good_token(), first);
    assert_eq!(account.counts().0, 2);
}

#[test]
fn what_was_obtained_while_the_login_changed_is_kept_under_nobodys_name() {
    let account = Account::new();
    let target = Arc::new(Mutex::new(None::<std::path::PathBuf>));
    let shared = target.clone();
    let portal = sso_portal(&account.alice, move || {
        if let Some(path) = shared.lock().unwrap().take() {
            std::fs::write(path, sso_token("sso-access-token", "another")).unwrap();
        }
    });
    let plugin = sso_plugin(&account, &portal).write(SSO_TOKEN_FILE, &sso_token("sso-access-token", "one"));
    *target.lock().unwrap() = Some(plugin.home().join(SSO_TOKEN_FILE));
    plugin.role_token(&account.dev, &["--session-name", "alice"]).good_token();
    // Who an access key belongs to is true whatever the login.
    let kept =
        plugin.entries().into_iter().filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with("caller-"));
    assert_eq!(kept.count(), 0);
}
