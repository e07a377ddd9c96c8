use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::Account;
use crate::support::child::{ends, runs};
use crate::support::plugin::{Plugin, output, url_of};
use crate::support::sts::Keys;

fn document(keys: &Keys) -> String {
    json!({"Version": 1, "AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key}).to_string()
}

/// A home with these keys in `keys.json`, and a default profile with this process.
fn plugin(account: &Account, command: &str) -> Plugin {
    let plugin = account.plugin().write("keys.json", &document(&account.alice)).env("PATH", "/usr/bin:/bin");
    let command = command.replace("HOME", &plugin.home().display().to_string());
    plugin.config(&format!("[default]\ncredential_process = {command}\n"))
}

/// The two lines of one that failed.
fn failure(why: &str) -> String {
    format!(
        "eks-group-auth: error: no AWS credentials from profile `default`: its credential_process {why}\n\
         eks-group-auth: hint: run the `credential_process` of this profile by hand to see what it says\n"
    )
}

#[track_caller]
fn signed_by(plugin: &Plugin, args: &[&str], keys: &Keys) {
    let url = url_of(&plugin.token(args).good_token());
    assert!(url.contains(&format!("X-Amz-Credential={}%2F", keys.access_key_id)), "{url}");
}

#[test]
fn its_words_are_a_program_and_arguments_with_quotes_and_without_a_shell() {
    let account = Account::new();
    signed_by(&plugin(&account, "cat HOME/keys.json"), &[], &account.alice);
    signed_by(&plugin(&account, "sh -c 'cat \"$0\"; exit 0' HOME/keys.json"), &[], &account.alice);
    let spaced = plugin(&account, "\"HOME/my programs/get keys\" 'an argument' \"\"");
    let script = spaced.home().join("my programs/get keys");
    let text = "#!/bin/sh\n[ $# = 2 ] && [ \"$1\" = 'an argument' ] && [ -z \"$2\" ] && cat \"$HOME/keys.json\"\n";
    let spaced = spaced.write("my programs/get keys", text);
    std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o700)).unwrap();
    signed_by(&spaced, &[], &account.alice);
    // A shell would run the second one, and find the variable.
    let stderr = plugin(&account, "cat /nonexistent/keys.json; cat $PATH").token(&[]).failed_with(3).to_owned();
    assert!(stderr.contains("/nonexistent/keys.json;") && stderr.contains("$PATH"), "{stderr}");
    assert_eq!(
        plugin(&account, "sh -c 'exit").token(&[]).failed_with(3),
        failure("has a quotation mark without its end")
    );
    let why = "`no-such-program` could not be started: No such file or directory (os error 2)";
    assert_eq!(plugin(&account, "no-such-program secret").token(&[]).failed_with(3), failure(why));
}

#[test]
fn what_it_says_last_is_shown_and_what_it_prints_is_not() {
    let account = Account::new();
    let command = "sh -c 'echo secret-on-stdout; seq 1000 >&2; printf \"log\\033[31m in\\n\" >&2; exit 3'";
    let output = plugin(&account, command).token(&[]);
    assert_eq!(output.failed_with(3), failure("failed (exit status: 3): 999; 1000; log\\u{1b}[31m in"));
    let output = plugin(&account, "sh -c 'echo secret-on-stdout; echo odd >&2'").token(&[]);
    assert_eq!(output.failed_with(3), failure("printed something else than the JSON of credentials: odd"));
    let output = plugin(&account, "sh -c 'kill -9 $$'").token(&[]);
    assert_eq!(output.failed_with(3), failure("failed (signal: 9 (SIGKILL))"));
    let chatty = plugin(&account, "sh -c 'seq 100000 >&2; cat HOME/keys.json'");
    signed_by(&chatty, &[], &account.alice);
}

#[test]
fn one_that_prints_without_end_is_killed_with_all_that_it_started() {
    let account = Account::new();
    let plugin = plugin(&account, "sh -c 'sleep 300 & echo $! > HOME/pid; yes secret-on-stdout'");
    // In a session without a terminal: with one, it would have to stay in the group that may read from that.
    let mut command = std::process::Command::new("setsid");
    command.arg("--wait").arg(plugin.binary()).args(["token", "--cluster", "demo"]);
    command.env_clear().envs(plugin.environment().iter().cloned());
    assert_eq!(output(command).failed_with(3), failure("printed more than 1 MiB"));
    ends(plugin.pid_in("pid"));
}

/// As agents do that are started on the way.
#[test]
fn what_it_leaves_running_is_left_running() {
    let account = Account::new();
    let plugin = plugin(&account, "sh -c 'sleep 300 >/dev/null & echo $! > HOME/pid; cat HOME/keys.json'");
    signed_by(&plugin, &[], &account.alice);
    let left = plugin.pid_in("pid");
    assert!(runs(left), "nor is the end of its stderr waited for, which it holds open");
    rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_role_may_start_from_a_profile_with_one() {
    let account = Account::new();
    let plugin = plugin(&account, "false");
    let config = format!(
        "[profile dev]\nrole_arn = {}\nsource_profile = base\n[profile base]\ncredential_process = cat {}\n",
        account.dev,
        plugin.home().join("keys.json").display()
    );
    let url = url_of(&plugin.config(&config).token(&["--profile", "dev"]).good_token());
    assert!(url.contains("X-Amz-Credential=ASIA"), "{url}");
    assert_eq!(account.counts().0, 1);
}

/// A process comes after the keys of the credentials file, and before those of the config file.
#[test]
fn keys_beside_one_count_as_with_the_aws_cli() {
    let account = Account::new();
    let keys = |keys: &Keys| {
        format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", keys.access_key_id, keys.secret_access_key)
    };
    let in_credentials = plugin(&account, "cat HOME/keys.json");
    signed_by(&in_credentials, &[], &account.alice);
    let in_credentials = in_credentials.write(".aws/credentials", &format!("[default]\n{}", keys(&account.bob)));
    signed_by(&in_credentials, &[], &account.bob);
    let in_config = plugin(&account, &format!("cat HOME/keys.json\n{}", keys(&account.bob)));
    std::fs::remove_file(in_config.home().join(".aws/credentials")).ok();
    signed_by(&in_config, &[], &account.alice);
}
