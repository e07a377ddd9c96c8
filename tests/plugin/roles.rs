use crate::Account;
use crate::support::account::DEV;
use crate::support::http::Reply;
use crate::support::plugin::{Output, Plugin};
use crate::support::sts::{ACCOUNT, Role, error_reply};

/// Two roles, `ops` for the group `operators` and `dev` for `developers`, requested in that order.
struct Team {
    account: Account,
    ops: String,
}

impl Team {
    fn new() -> Self {
        let account = Account::new();
        let ops = account.sts.add_role("ops", Role::for_group("operators"));
        Team { account, ops }
    }

    fn run(&self, plugin: &Plugin, args: &[&str]) -> Output {
        plugin.token(&[&["--role", &self.ops, "--role", &self.account.dev], args].concat())
    }

    /// The roles requested from STS, each with its result.
    fn asked(&self) -> Vec<(String, bool)> {
        let calls = self.account.sts.calls();
        let calls = calls.iter().filter(|call| call.action == "AssumeRole");
        let role = |arn: Option<&str>| arn.unwrap().rsplit('/').next().unwrap().to_owned();
        calls.map(|call| (role(call.parameter("RoleArn")), call.refused.is_none())).collect()
    }
}

fn owned(asked: &[(&str, bool)]) -> Vec<(String, bool)> {
    asked.iter().map(|(role, permitted)| ((*role).to_owned(), *permitted)).collect()
}

#[test]
fn the_first_permitted_role_is_used_and_cached() {
    let team = Team::new();
    let alice = team.account.alices_plugin();
    let token = team.run(&alice, &[]).good_token();
    assert_eq!(team.asked(), owned(&[("ops", false), ("dev", true)]));
    assert_eq!(team.run(&alice, &[]).good_token(), token);
    // A different cluster: a different token from the same session.
    team.run(&alice, &["--cluster-id=other"]).failed_with(2);
    let other = alice.run(&["token", "-i", "other", "-r", &team.ops, "-r", &team.account.dev]);
    assert_ne!(other.good_token(), token);
    assert_eq!(team.asked().len(), 2, "the denied role is not requested again while the session is valid");
    let list = alice.run(&["cache", "list"]).stdout;
    assert!(list.contains(":role/dev") && !list.contains(":role/ops"), "{list}");
}

#[test]
fn another_list_of_roles_is_another_session() {
    let team = Team::new();
    let alice = team.account.alices_plugin();
    team.run(&alice, &[]).good_token();
    alice.token(&["--role", &team.ops]).failed_with(4);
}

#[test]
fn a_better_role_is_used_after_a_refresh_or_at_expiry() {
    let team = Team::new();
    let alice = team.account.alices_plugin();
    team.run(&alice, &[]).good_token();
    team.account.sts.add_to_group("alice", "operators");
    team.run(&alice, &[]).good_token();
    assert_eq!(team.asked().len(), 2);
    team.run(&alice, &["--refresh"]).good_token();
    assert_eq!(team.asked()[2..], owned(&[("ops", true)]));

    let team = Team::new();
    let alice = team.account.alices_plugin();
    team.run(&alice, &[]).good_token();
    team.account.sts.add_to_group("alice", "operators");
    alice.age_entries("", 3000);
    team.run(&alice, &[]).good_token();
    assert_eq!(team.asked()[2..], owned(&[("ops", true)]));
}

#[test]
fn a_lost_role_is_replaced_on_refresh() {
    let team = Team::new();
    team.account.sts.add_to_group("alice", "operators");
    let alice = team.account.alices_plugin();
    team.run(&alice, &[]).good_token();
    team.account.sts.remove_from_groups("alice");
    team.account.sts.add_to_group("alice", "developers");
    team.run(&alice, &["--refresh"]).good_token();
    assert_eq!(team.asked(), owned(&[("ops", true), ("ops", false), ("dev", true)]));
}

#[test]
fn only_access_denied_tries_the_next_role() {
    for (code, exit_code) in [("Throttling", 5), ("ValidationError", 4), ("ExpiredToken", 4)] {
        let team = Team::new();
        team.account.sts.override_replies(move |call| -> Option<Reply> {
            (call.action == "AssumeRole").then(|| error_reply(400, code, "no"))
        });
        let output = team.run(&team.account.alices_plugin(), &[]);
        assert!(output.failed_with(exit_code).contains(":role/ops"), "{}", output.stderr);
        assert!(team.asked().iter().all(|(role, _)| role == "ops"), "{code}");
    }
    let team = Team::new();
    let malformed = team.account.alices_plugin().token(&["-r", &team.account.dev, "-r", "arn:aws:iam::1:role/x"]);
    malformed.failed_with(2);
    assert_eq!(team.asked().len(), 0);
}

#[test]
fn all_denied_roles_are_listed_with_reasons() {
    let team = Team::new();
    let output = team.run(&team.account.plugin().keys(&team.account.bob), &[]);
    let denied = |role: &str| {
        format!(
            "eks-group-auth: could not assume role `arn:aws:iam::{ACCOUNT}:role/{role}`: AccessDenied: User: \
             arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::{ACCOUNT}:role/{role}\n"
        )
    };
    let expected = format!(
        "eks-group-auth: error: could not assume any of 2 roles\n{}{}eks-group-auth: hint: either none of your groups \
         allows sts:AssumeRole on this role, or the role's trust policy does not trust you: ask your administrator for \
         access\n",
        denied("ops"),
        denied("dev")
    );
    assert_eq!(output.failed_with(4), expected);
}

#[test]
fn an_existing_session_of_a_later_role_is_used() {
    let team = Team::new();
    let in_dev = team.account.sts.add_principal(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/dev/alice"), &[]);
    let keys = crate::support::sts::Keys { session_token: None, ..in_dev };
    let plugin = team.account.plugin().keys(&keys).env("AWS_SESSION_TOKEN", "");
    let output = team.run(&plugin, &["--verbose"]);
    assert_eq!((output.code, team.asked()), (0, owned(&[("ops", false)])), "{}", output.stderr);
    assert!(output.stderr.contains(": not assuming it again"), "{}", output.stderr);
}

#[test]
fn names_may_contain_user_and_account() {
    let account = Account::new();
    let args = ["--session-name", "{user}@{account}", "--source-identity", "{user}"];
    account.alices_plugin().role_token(&account.dev, &args).good_token();
    let calls = account.sts.calls();
    let call = calls.iter().find(|call| call.action == "AssumeRole").unwrap();
    assert_eq!(call.parameter("RoleSessionName"), Some("alice@111122223333"));
    assert_eq!(call.parameter("SourceIdentity"), Some("alice"));
    for bad in ["{name}", "{user", "a{user}b c", "x"] {
        account.alices_plugin().role_token(&account.dev, &["--session-name", bad]).failed_with(2);
        account.alices_plugin().role_token(&account.dev, &["--source-identity", bad]).failed_with(2);
    }
}

#[test]
fn arns_are_accepted_as_names() {
    let account = Account::new();
    let alice = account.alices_plugin();
    let plain = alice.role_token(&account.dev, &["--session-name", "dev"]).good_token();
    let arn = "arn:aws:eks:eu-west-1:111122223333:cluster/demo";
    let args = ["token", "--cluster", arn, "--role", &account.dev, "--session-name", &account.dev];
    assert_eq!(alice.run(&args).good_token(), plain);
    let stderr = alice.run(&[&args[..], &["-v"]].concat()).stderr;
    assert!(stderr.contains(&format!("`{arn}` is an ARN: using its last part, `demo`\n")), "{stderr}");
}

#[test]
fn verbose_output_shows_steps_and_no_secrets() {
    let team = Team::new();
    let alice = team.account.alices_plugin();
    let first = team.run(&alice, &["-v"]);
    assert_eq!(first.code, 0);
    for words in [
        "requested a token for cluster `demo` in eu-west-1, using AWS_ACCESS_KEY_ID in the environment\n",
        "got credentials from AWS_ACCESS_KEY_ID",
        "the caller is arn:aws:iam::111122223333:user/alice\n",
        "not allowed to assume `arn:aws:iam::111122223333:role/ops`: ",
        &format!("assumed `{DEV}` as `alice`\n"),
        "signed a new token\n",
    ] {
        assert_eq!(first.stderr.matches(words).count(), 1, "{words} in {}", first.stderr);
    }
    let is_timed = |line: &str| line.starts_with("eks-group-auth: ") && line.contains(" ms: ");
    assert!(first.stderr.lines().all(is_timed), "{}", first.stderr);
    let second = team.run(&alice, &["-v"]);
    let words = format!("found a cached token for role `{DEV}`, session `alice`\n");
    assert!(second.stderr.contains(&words), "{}", second.stderr);
    assert_eq!(second.stdout, first.stdout);
    let token = second.document().pointer("/status/token").unwrap().as_str().unwrap().to_owned();
    for secret in [&token, &team.account.alice.secret_access_key] {
        assert!(!format!("{}{}", first.stderr, second.stderr).contains(secret.as_str()));
    }
}

#[test]
fn a_region_mismatch_causes_a_warning() {
    let account = Account::new();
    let info = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false,
        "cluster":{"server":"https://0123.gr7.eu-north-1.eks.amazonaws.com"}}}"#;
    let plugin = account.alices_plugin().env("KUBERNETES_EXEC_INFO", info);
    let output = plugin.role_token(&account.dev, &["--region", "eu-west-1"]);
    let expected = "eks-group-auth: warning: the requested region is `eu-west-1`, but the cluster's API server is in \
                    `eu-north-1`: correct `--region` in the exec block's args, or remove it\n";
    assert_eq!((output.code, output.stderr.as_str()), (0, expected));
    assert_eq!(plugin.role_token(&account.dev, &["--region", "eu-north-1"]).stderr, "");
}
