use serde_json::json;

use crate::Account;
use crate::support::client_go::EXEC_INFO;
use crate::support::plugin::signed_by;
use crate::support::sts::from_now;

#[test]
fn an_exec_credential_has_exactly_the_expected_fields() {
    let account = Account::new();
    let output = account.alices_plugin().env("KUBERNETES_EXEC_INFO", EXEC_INFO).role_token(&account.dev, &[]);
    let token = output.good_token();
    let timestamp = output.document()["status"]["expirationTimestamp"].clone();
    let expected = json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "spec": {},
        "status": {"expirationTimestamp": timestamp, "token": token},
    });
    assert_eq!(output.document(), expected);
    assert_eq!(output.stdout.lines().count(), 1);
    assert!(timestamp.as_str().unwrap().ends_with('Z') && !timestamp.as_str().unwrap().contains('.'));
}

#[test]
fn the_output_uses_the_requested_api_version() {
    let account = Account::new();
    for (info, version) in [
        (EXEC_INFO.to_owned(), "v1"),
        (EXEC_INFO.replace("/v1\"", "/v1beta1\""), "v1beta1"),
        (String::new(), "v1beta1"),
    ] {
        let output = account.alices_plugin().env("KUBERNETES_EXEC_INFO", info).token(&[]);
        output.good_token();
        assert_eq!(output.document()["apiVersion"], format!("client.authentication.k8s.io/{version}"));
    }
}

#[test]
fn token_only_prints_the_bare_token_and_a_newline() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let output = plugin.role_token(&account.dev, &["--token-only"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(
        output.stdout,
        format!("{}\n", plugin.role_token(&account.dev, &[]).good_token()),
        "the cached one, bare"
    );
}

#[test]
fn a_token_states_its_expiry_a_minute_early() {
    let account = Account::new();
    let output = account.alices_plugin().role_token(&account.dev, &[]);
    let seconds = output.remaining().as_secs();
    assert!((800..=840).contains(&seconds), "{seconds}");
}

/// Both other tools claim 14 minutes, regardless of the credentials' expiry.
#[test]
fn a_token_never_outlives_its_credentials() {
    let account = Account::new();
    let mut document = account.alice.document();
    document["Expiration"] = from_now(300).into();
    let plugin = account.plugin_with_process("cat HOME/keys.json").write("keys.json", &document.to_string());
    let output = plugin.token(&[]);
    output.good_token();
    let seconds = output.remaining().as_secs();
    assert!((200..=240).contains(&seconds), "{seconds}");
}

#[test]
fn without_a_role_the_callers_own_keys_sign() {
    let account = Account::new();
    signed_by(&account.alices_plugin(), &[], &account.alice);
    assert_eq!(account.counts(), (0, 0));
}

#[test]
fn the_assume_role_call_has_only_the_requested_parameters() {
    let account = Account::new();
    let args = ["--session-name", "night-shift", "--external-id", "x/1", "--duration", "1200"];
    account.alices_plugin().role_token(&account.dev, &args).good_token();
    account.alices_plugin().role_token(&account.dev, &["--session-name", "plain"]).good_token();
    let calls = account.sts.calls();
    let said = |at: usize| {
        let mut said: Vec<_> = calls[at].parameters.iter().map(|(k, v)| format!("{k}={v}")).collect();
        said.sort();
        said
    };
    let role = format!("RoleArn={}", account.dev);
    assert_eq!(
        said(0),
        [
            "Action=AssumeRole",
            "DurationSeconds=1200",
            "ExternalId=x/1",
            &role,
            "RoleSessionName=night-shift",
            "Version=2011-06-15"
        ]
    );
    assert_eq!(said(1), ["Action=AssumeRole", &role, "RoleSessionName=plain", "Version=2011-06-15"]);
    assert_eq!(calls.len(), 2, "a given session name needs no GetCallerIdentity");
    assert_eq!(calls[0].region, "eu-west-1");
}

#[test]
fn help_and_version_go_to_stdout() {
    let account = Account::new();
    for args in [&["--help"][..], &["--version"], &["token", "--help"]] {
        let output = account.plugin().run(args);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        assert!(output.stdout.contains("eks-group-auth"));
    }
}

#[test]
fn verbose_output_names_the_process_that_asked_if_it_uses_client_go() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let asked = format!("requested by process {} (`", std::process::id());
    assert!(!plugin.token(&["-v"]).stderr.contains(&asked), "without KUBERNETES_EXEC_INFO nobody asked");
    let stderr = plugin.env("KUBERNETES_EXEC_INFO", EXEC_INFO).token(&["-v"]).stderr;
    assert!(stderr.contains(&asked), "{stderr}");
}
