use crate::Account;
use crate::support::sts::ACCOUNT;

/// The session name for a caller with this ARN.
fn session_name_of(arn: &str) -> String {
    let account = Account::new();
    let keys = account.sts.add_principal(arn, &["developers"]);
    account.plugin().keys(&keys).role_token(&account.dev, &[]).good_token();
    account.session_names().remove(0)
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
fn invalid_names_are_sanitized() {
    let long = "x".repeat(80);
    assert_eq!(session_name_of(&format!("arn:aws:sts::{ACCOUNT}:federated-user/{long}")), "x".repeat(64));
    assert_eq!(session_name_of(&format!("arn:aws:sts::{ACCOUNT}:federated-user/Zo\u{eb} Q")), "Zo--Q");
}

#[test]
fn the_requested_session_name_is_used() {
    let account = Account::new();
    account.alices_plugin().role_token(&account.dev, &["--session-name", "pager@duty"]).good_token();
    assert_eq!(account.session_names(), ["pager@duty"]);
}

#[test]
fn a_chained_role_keeps_the_users_name() {
    let account = Account::new();
    let ops = account.add_role_after_dev("ops");
    let config = account.profile_with_role("role_session_name = alice\n").replace("[profile dev]", "[default]");
    account.plugin().config(&config).role_token(&ops, &[]).good_token();
    assert_eq!(account.session_names(), ["alice", "alice"]);
}
