use crate::Account;
use crate::support::child::{ends, runs};
use crate::support::files::set_mode;
use crate::support::plugin::{error_and_hint, output, signed_by};

/// The two stderr lines of a failed process.
fn failure(why: &str) -> String {
    error_and_hint(
        &format!("no AWS credentials from profile `default`: its credential_process {why}"),
        "run this profile's `credential_process` by hand to see its output",
    )
}

#[test]
fn the_command_is_split_without_a_shell() {
    let account = Account::new();
    signed_by(&account.plugin_with_process("cat HOME/keys.json"), &[], &account.alice);
    signed_by(&account.plugin_with_process("sh -c 'cat \"$0\"; exit 0' HOME/keys.json"), &[], &account.alice);
    let spaced = account.plugin_with_process("\"HOME/my programs/get keys\" 'an argument' \"\"");
    let script = spaced.home().join("my programs/get keys");
    let text = "#!/bin/sh\n[ $# = 2 ] && [ \"$1\" = 'an argument' ] && [ -z \"$2\" ] && cat \"$HOME/keys.json\"\n";
    let spaced = spaced.write("my programs/get keys", text);
    set_mode(script, 0o700);
    signed_by(&spaced, &[], &account.alice);
    // A shell would run the second command and expand the variable.
    let stderr =
        account.plugin_with_process("cat /nonexistent/keys.json; cat $PATH").token(&[]).failed_with(3).to_owned();
    assert!(stderr.contains("/nonexistent/keys.json;") && stderr.contains("$PATH"), "{stderr}");
    assert_eq!(
        account.plugin_with_process("sh -c 'exit").token(&[]).failed_with(3),
        failure("has an unclosed quotation mark")
    );
    let why = "`no-such-program` could not be started: No such file or directory (os error 2)";
    assert_eq!(account.plugin_with_process("no-such-program secret").token(&[]).failed_with(3), failure(why));
}

#[test]
fn the_last_stderr_lines_are_shown_and_stdout_is_not() {
    let account = Account::new();
    let command = "sh -c 'echo secret-on-stdout; seq 1000 >&2; printf \"log\\033[31m in\\n\" >&2; exit 3'";
    let output = account.plugin_with_process(command).token(&[]);
    assert_eq!(output.failed_with(3), failure("failed (exit status: 3): 999; 1000; log\\u{1b}[31m in"));
    let output = account.plugin_with_process("sh -c 'echo secret-on-stdout; echo odd >&2'").token(&[]);
    assert_eq!(output.failed_with(3), failure("printed something other than credentials in JSON: odd"));
    let output = account.plugin_with_process("sh -c 'kill -9 $$'").token(&[]);
    assert_eq!(output.failed_with(3), failure("failed (signal: 9 (SIGKILL))"));
    let chatty = account.plugin_with_process("sh -c 'seq 100000 >&2; cat HOME/keys.json'");
    signed_by(&chatty, &[], &account.alice);
}

#[test]
fn endless_output_gets_the_process_group_killed() {
    let account = Account::new();
    let plugin = account.plugin_with_process("sh -c 'sleep 300 & echo $! > HOME/pid; yes secret-on-stdout'");
    let command = plugin.command_without_terminal(&["token", "--cluster", "demo"]);
    assert_eq!(output(command).failed_with(3), failure("printed more than 1 MiB"));
    ends(plugin.pid_in("pid"));
}

/// Such as an agent started along the way.
#[test]
fn background_processes_are_left_running() {
    let account = Account::new();
    let plugin = account.plugin_with_process("sh -c 'sleep 300 >/dev/null & echo $! > HOME/pid; cat HOME/keys.json'");
    signed_by(&plugin, &[], &account.alice);
    let left = plugin.pid_in("pid");
    assert!(runs(left), "nor is the end of its stderr waited for, which it holds open");
    rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_role_can_use_a_credential_process_as_its_source() {
    let account = Account::new();
    let plugin = account.plugin_with_process("false");
    let config = format!(
        "[profile dev]\nrole_arn = {}\nsource_profile = base\n[profile base]\ncredential_process = cat {}\n",
        account.dev,
        plugin.home().join("keys.json").display()
    );
    let signer = plugin.config(&config).token(&["--profile", "dev"]).signer();
    assert!(signer.starts_with("ASIA"), "{signer}");
    assert_eq!(account.counts().0, 1);
}

/// A process has lower precedence than keys in the credentials file and higher precedence than keys in the config file.
#[test]
fn the_precedence_of_keys_and_a_credential_process_matches_the_aws_cli() {
    let account = Account::new();
    let in_credentials = account.plugin_with_process("cat HOME/keys.json");
    signed_by(&in_credentials, &[], &account.alice);
    let in_credentials = in_credentials.write(".aws/credentials", &format!("[default]\n{}", account.bob.properties()));
    signed_by(&in_credentials, &[], &account.bob);
    let in_config = account.plugin_with_process(&format!("cat HOME/keys.json\n{}", account.bob.properties()));
    std::fs::remove_file(in_config.home().join(".aws/credentials")).ok();
    signed_by(&in_config, &[], &account.alice);
}
