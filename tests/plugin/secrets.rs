use crate::Account;
use crate::support::http::Reply;
use crate::support::sts::Keys;

const MARKER: &str = "MARKERmarkerMARKER";

fn marked() -> Keys {
    Keys {
        access_key_id: "AKIAMARKED".into(),
        secret_access_key: format!("{MARKER}/secret"),
        session_token: Some(format!("{MARKER}/token")),
    }
}

#[test]
fn no_error_shows_a_secret() {
    let account = Account::new();
    let exec_info = format!(
        r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{{"cluster":{{"config":["{MARKER}"]}}}}}}"#
    );
    let outputs = [
        account.plugin().keys(&marked()).role_token(&account.dev, &[]),
        account.plugin().keys(&marked()).env("KUBERNETES_EXEC_INFO", exec_info).token(&[]),
        account
            .plugin()
            .config(&format!("[default]\naws_access_key_id = AKIA\naws_secret_access_key {MARKER}\n"))
            .token(&[]),
        account.plugin().config(&format!("[default]\ncredential_process = echo {MARKER}\n")).token(&[]),
        account
            .plugin()
            .config(&format!("[default]\ncredential_process = sh -c 'echo {MARKER}; exit 1'\n"))
            .env("PATH", "/usr/bin:/bin")
            .token(&[]),
    ];
    for output in outputs {
        assert_ne!(output.code, 0);
        assert_eq!(output.stdout, "");
        assert!(!output.stderr.contains(MARKER), "{}", output.stderr);
    }
}

#[test]
fn an_answer_of_sts_that_cannot_be_parsed_is_not_shown() {
    let account = Account::new();
    account.sts.answer_instead(|_| {
        Some(Reply::xml(
            200,
            format!("<AssumeRoleResponse><AssumeRoleResult><Credentials><SecretAccessKey>{MARKER}</Secret"),
        ))
    });
    let output = account.alices_plugin().role_token(&account.dev, &["--session-name", "alice"]);
    assert!(!output.failed_with(5).contains(MARKER), "{}", output.stderr);
}

/// Tokens and secret keys are in the entries (mode 0600) and nowhere else under the home directory.
#[test]
fn secrets_are_in_no_file_but_the_entries_and_base_credentials_in_none() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    for entry in plugin.cache_directory().read_dir().unwrap() {
        let contents = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!contents.contains(&account.alice.secret_access_key));
    }
    let beside: Vec<_> = plugin.home().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, [".cache"]);
}
