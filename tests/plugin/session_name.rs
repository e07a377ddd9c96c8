use crate::Account;
use crate::support::sts::{ACCOUNT, Role};

/// The session name that a caller with this ARN gets.
fn session_name_of(arn: &str) -> String {
    let account = Account::new();
    let keys = account.sts.add_principal(arn, &["developers"]);
    account.plugin().keys(&keys).role_token(&account.dev, &[]).good_token();
    let calls = account.sts.calls();
    let call = calls.iter().find(|call| call.action == "AssumeRole").unwrap();
    call.parameter("RoleSessionName").unwrap().to_owned()
}

#[test]
fn the_session_is_named_after_the_caller() {
    for (resource, name) in [
        ("iam::{}:user/alice", "alice"),
        ("iam::{}:user/division/team/alice.b+x=y,z@example.com", "alice.b+x=y,z@example.com"),
        ("sts::{}:assumed-role/AWSReservedSSO_Dev_0123/carol@example.com", "carol@example.com"),
        ("sts::{}:assumed-role/build/i-0123456789abcdef0", "i-0123456789abcdef0"),
        ("sts::{}:federated-user/dave", "dave"),
        ("iam::{}:root", "root"),
        ("iam::{}:user/x", "x-"),
    ] {
        let arn = format!("arn:aws:{}", resource.replace("{}", ACCOUNT));
        assert_eq!(session_name_of(&arn), name, "{arn}");
    }
}

#[test]
fn a_name_that_sts_would_refuse_is_made_fit() {
    let long = "x".repeat(80);
    assert_eq!(session_name_of(&format!("arn:aws:sts::{ACCOUNT}:federated-user/{long}")), "x".repeat(64));
    assert_eq!(session_name_of(&format!("arn:aws:sts::{ACCOUNT}:federated-user/Zo\u{eb} Q")), "Zo--Q");
}

#[test]
fn the_name_that_is_asked_for_is_the_name() {
    let account = Account::new();
    account.alices_plugin().role_token(&account.dev, &["--session-name", "pager@duty"]).good_token();
    assert_eq!(account.sts.calls()[0].parameter("RoleSessionName"), Some("pager@duty"));
}

#[test]
fn a_chained_role_keeps_the_name_of_the_person() {
    let account = Account::new();
    let mut ops = Role::of_group("nobody");
    ops.roles = vec![account.dev.clone()];
    let ops = account.sts.add_role("ops", ops);
    let config = format!(
        "[default]\nrole_arn = {}\nrole_session_name = alice\nsource_profile = keys\n[profile keys]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        account.dev, account.alice.access_key_id, account.alice.secret_access_key
    );
    account.plugin().config(&config).role_token(&ops, &[]).good_token();
    let calls = account.sts.calls();
    let names: Vec<_> = calls.iter().filter_map(|call| call.parameter("RoleSessionName")).collect();
    assert_eq!(names, ["alice", "alice"]);
}
