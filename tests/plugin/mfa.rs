use std::time::Duration;

use crate::Account;
use crate::support::account::MFA_SERIAL as SERIAL;
use crate::support::client_go::EXEC_INFO;
use crate::support::kubectl::{self, ExecBlock, kubeconfig};
use crate::support::plugin::{Output, Plugin, error_and_hint};
use crate::support::sts::{ACCOUNT, Role};
use crate::support::terminal::{AtTerminal, Terminal};

/// An account whose role `dev` requires MFA and allows sessions of this many hours.
fn account(hours: u64) -> Account {
    let account = Account::new();
    let role = Role { mfa_serial: Some(SERIAL.into()), max_duration: hours * 3600, ..Role::for_group("developers") };
    account.sts.add_role("dev", role);
    account
}

/// A run at a terminal at which the right code is entered, when it is asked for, and that goes well: its stdout.
#[track_caller]
fn enter_code(account: &Account, plugin: &Plugin, args: &[&str]) -> String {
    account.sts.add_mfa_code("123456");
    let mut run = AtTerminal::start(plugin, args);
    run.answer(QUESTION, "123456");
    let (code, stdout, stderr) = run.end();
    assert_eq!((code, stderr.as_str()), (0, ""));
    stdout
}

/// A run at a terminal at which one wrong code after the other is entered: its stderr after them.
#[track_caller]
fn enter_wrong_codes(account: &Account, args: &[&str]) -> String {
    let mut run = AtTerminal::start(&account.alices_plugin(), args);
    run.answer(QUESTION, "000000");
    run.answer(AGAIN, "000000");
    run.answer(AGAIN, "000000");
    let (code, stdout, stderr) = run.end();
    assert_eq!((code, stdout.as_str()), (4, ""), "{stderr}");
    stderr
}

fn durations(account: &Account) -> Vec<(String, bool)> {
    let calls = account.sts.calls();
    let calls = calls.iter().filter(|call| call.action == "AssumeRole");
    calls.map(|call| (call.parameter("DurationSeconds").unwrap_or("-").to_owned(), call.refused.is_none())).collect()
}

const QUESTION: &str = "eks-group-auth: MFA code for arn:aws:iam::111122223333:mfa/alice: ";
const AGAIN: &str = "eks-group-auth: STS rejected that code; wait for the next one and enter it: ";

#[test]
fn a_code_is_asked_for_once_for_the_longest_session() {
    let account = account(8);
    let plugin = account.alices_plugin();
    let args = ["--role", &account.dev, "--mfa-serial", SERIAL];
    let stdout = enter_code(&account, &plugin, &args);
    let asked: Vec<(String, bool)> = vec![("43200".into(), false), ("28800".into(), true)];
    assert_eq!(durations(&account), asked);
    // No code is needed for the rest of the session.
    assert_eq!(plugin.token(&args).stdout, stdout);
    plugin.run(&["token", "-i", "other", "--role", &account.dev, "--mfa-serial", SERIAL]).good_token();
    assert_eq!(account.counts().0, 2);
}

#[test]
fn the_profiles_mfa_device_is_used() {
    let account = account(1);
    let config = format!("[profile me]\nmfa_serial = {SERIAL}\n{}", account.alice.properties());
    let plugin = account.plugin().config(&config);
    enter_code(&account, &plugin, &["--role", &account.dev, "--profile", "me"]);
}

#[test]
fn a_wrong_code_can_be_retried_twice() {
    let account = account(1);
    account.sts.add_mfa_code("123456");
    let args = ["--role", &account.dev, "--mfa-serial", SERIAL, "--duration", "3600"];
    let mut run = AtTerminal::start(&account.alices_plugin(), &args);
    run.answer(QUESTION, "000000");
    run.answer(AGAIN, "12345");
    run.answer("eks-group-auth: a code has six digits; try again: ", "111111");
    run.answer(AGAIN, "123456");
    assert_eq!(run.end().0, 0);

    let stderr = enter_wrong_codes(&account, &args);
    assert!(
        stderr.contains("hint: wait for your device's next code (each works only once), then try again\n"),
        "{stderr}"
    );
}

#[test]
fn one_code_is_reused_for_the_next_role() {
    let account = account(1);
    let ops = account.sts.add_role("ops", Role::for_group("operators"));
    let args = ["--role", &ops, "--role", &account.dev, "--mfa-serial", SERIAL, "--duration", "3600"];
    enter_code(&account, &account.alices_plugin(), &args);
    assert_eq!(account.counts().0, 2);
}

#[test]
fn without_a_terminal_the_command_to_run_is_shown() {
    let account = account(1);
    let args = ["--role", &account.dev, "--mfa-serial", SERIAL];
    let plugin = account.alices_plugin();
    let line = format!(
        "AWS_REGION=eu-west-1 {} token --cluster demo --role arn:aws:iam::{ACCOUNT}:role/dev --mfa-serial {SERIAL} --region \
         eu-west-1 >/dev/null",
        plugin.binary().display()
    );
    let expected = error_and_hint(
        &format!("a code from MFA device `{SERIAL}` is needed, but there is no terminal to ask for it"),
        &format!(
            "run `{line}` in a terminal, with AWS_ACCESS_KEY_ID, AWS_EC2_METADATA_DISABLED, \
             AWS_ENDPOINT_URL_STS, AWS_SECRET_ACCESS_KEY set, and enter the code, then try again"
        ),
    );
    assert_eq!(plugin.token(&args).failed_with(6), expected);
    // A terminal that the plugin may not use, according to client-go.
    let run = AtTerminal::start(&account.alices_plugin().env("KUBERNETES_EXEC_INFO", EXEC_INFO), &args);
    assert_eq!(run.end(), (6, String::new(), expected));
    assert_eq!(account.counts().0, 0);

    // The suggested command works.
    account.sts.add_mfa_code("123456");
    let mut shell = plugin.command_of("/bin/sh");
    shell.args(["-c", &line]);
    let mut run = AtTerminal::run(shell);
    run.answer(QUESTION, "123456");
    assert_eq!(run.end(), (0, String::new(), String::new()));
    plugin.token(&args).good_token();
}

/// eksctl and other tools write variables into exec blocks that the user's shell does not have. Variables that do not
/// select an identity do not matter; the others are listed by name, without values that could be secret.
#[test]
fn the_suggested_command_works_for_any_exec_block() {
    let account = account(1);
    let config = account.profile_with_role(&format!("mfa_serial = {SERIAL}\n"));
    let shell_of_alice = account.plugin().config(&config);
    let kubectls = shell_of_alice
        .clone()
        .env("AWS_PROFILE", "dev")
        .env("AWS_STS_REGIONAL_ENDPOINTS", "regional")
        .env("AWS_SDK_LOAD_CONFIG", "1")
        .env("AWS_REGION", "eu-west-1");
    let stderr = kubectls.token(&[]).failed_with(6).to_owned();
    let line = stderr.split('`').nth(3).unwrap();
    assert!(line.starts_with("AWS_PROFILE=dev AWS_REGION=eu-west-1 "), "{stderr}");
    assert!(
        stderr.contains("` in a terminal, with AWS_EC2_METADATA_DISABLED, AWS_ENDPOINT_URL_STS set, and"),
        "{stderr}"
    );
    account.sts.add_mfa_code("123456");
    let mut shell = shell_of_alice.command_of("/bin/sh");
    shell.args(["-c", line]);
    let mut run = AtTerminal::run(shell);
    run.answer(QUESTION, "123456");
    assert_eq!(run.end().0, 0);
    kubectls.token(&[]).good_token();
    let secrets = kubectls.clone().env("AWS_VAULT", "MARKER").env("AWS_SECRET_ACCESS_KEY", "MARKER").token(&[]);
    let stderr = secrets.failed_with(6);
    assert!(stderr.contains("AWS_SECRET_ACCESS_KEY, AWS_VAULT set, and") && !stderr.contains("MARKER"), "{stderr}");
    let refresh = kubectls.token(&["--refresh"]);
    assert!(refresh.failed_with(6).contains("; `--refresh` ignores the cache, so"), "{}", refresh.stderr);
    let relative = kubectls.clone().env("EKS_GROUP_AUTH_CACHE_DIR", "relative").token(&[]);
    assert!(relative.failed_with(6).contains("; no cache directory can be used, so"), "{}", relative.stderr);
    let kept = kubectls.env("EKS_GROUP_AUTH_CACHE", "off").token(&[]);
    assert!(
        kept.failed_with(6).contains(
            "; the cache is off (`--cache off` or EKS_GROUP_AUTH_CACHE=off), so every call needs its own code"
        ),
        "{}",
        kept.stderr
    );
}

/// As in the AWS CLI, regardless of the caller; a device configured for a user's own calls is not used.
#[test]
fn the_mfa_setting_of_an_intermediate_profile_is_respected() {
    let account = Account::new();
    let ops = account.add_role_after_dev("ops");
    let dev = account.profile_with_role("");
    let config = |mfa: &str| format!("[profile ops]\nrole_arn = {ops}\nsource_profile = dev\n{mfa}{dev}");
    let asks = account.plugin().config(&config(&format!("mfa_serial = {SERIAL}\n")));
    assert!(asks.token(&["--profile", "ops"]).failed_with(6).contains(SERIAL));
    let does_not = account.plugin().config(&config(""));
    does_not.token(&["--profile", "ops", "--mfa-serial", SERIAL]).good_token();
}

#[test]
fn other_processes_wait_for_the_prompt() {
    let account = account(1);
    account.sts.add_mfa_code("123456");
    let plugin = account.alices_plugin();
    let args = ["--role", &account.dev, "--mfa-serial", SERIAL, "--duration", "3600"];
    let mut first = AtTerminal::start(&plugin, &args);
    first.wait_for(QUESTION);
    let others = [(); 10].map(|()| plugin.start_token(&args));
    std::thread::sleep(Duration::from_millis(300));
    first.enter("123456");
    for other in others {
        Output::from(other.output()).good_token();
    }
    assert_eq!(first.end().0, 0);
    assert_eq!(account.counts().0, 1);
}

/// One process may have a terminal even if another does not.
#[test]
fn a_process_that_waited_for_one_without_a_terminal_prompts_on_its_own() {
    let account = account(1);
    let plugin = account.alices_plugin();
    let args = ["--role", &account.dev, "--mfa-serial", SERIAL, "--duration", "3600"];
    // The first call is GetCallerIdentity, which takes long enough for the other process to start.
    account.sts.set_delay(Duration::from_secs(1));
    let mut without = plugin.start_token(&args);
    without.runs_until(|| !account.sts.calls().is_empty());
    account.sts.set_delay(Duration::ZERO);
    let mut with = AtTerminal::start(&plugin, &args);
    Output::from(without.output()).failed_with(6);
    account.sts.add_mfa_code("123456");
    with.answer(QUESTION, "123456");
    assert_eq!(with.end().0, 0);
}

/// A profile with a role that requires MFA, which the SDK would try to assume without a code.
fn profile_with_mfa(account: &Account) -> Plugin {
    account.plugin().config(&account.profile_with_role(&format!("mfa_serial = {SERIAL}\nduration_seconds = 1800\n")))
}

#[test]
fn a_profile_role_needs_one_code_for_all_clusters() {
    let account = account(1);
    let plugin = profile_with_mfa(&account);
    enter_code(&account, &plugin, &["--profile", "dev"]);
    assert_eq!(durations(&account), [("1800".to_owned(), true)]);
    plugin.run(&["token", "-i", "other", "--profile", "dev"]).good_token();
    assert_eq!(account.counts().0, 1);
    assert_eq!(account.session_names(), ["alice"], "the user's name, not a generated one");
}

#[test]
fn an_intermediate_role_needs_one_code() {
    let account = account(1);
    let (blue, green) = (account.add_role_after_dev("blue"), account.add_role_after_dev("green"));
    let plugin = profile_with_mfa(&account);
    enter_code(&account, &plugin, &["--profile", "dev", "--role", &blue]);
    plugin.token(&["--profile", "dev", "--role", &green]).good_token();
    assert_eq!(account.counts().0, 3);
    // A new session of the last role starts from the cached intermediate session; --refresh starts from the beginning.
    plugin.token(&["--profile", "dev", "--role", &green, "--refresh"]).failed_with(6);
}

#[test]
fn a_denial_after_an_mfa_role_does_not_ask_for_another_code() {
    let account = account(1);
    let permitted = account.add_role_after_dev("permitted");
    let forbidden = account.sts.add_role("forbidden", Role::for_group("nobody"));
    let plugin = profile_with_mfa(&account);
    enter_code(&account, &plugin, &["--profile", "dev", "--role", &permitted]);
    let denied = [&forbidden, "--role", &account.sts.add_role("other", Role::for_group("nobody"))];
    for roles in [&denied[..1], &denied[..]] {
        plugin.token(&[&["--profile", "dev", "--role"], roles].concat()).failed_with(4);
    }
}

#[test]
fn kubectl_passes_its_terminal_on() {
    for kubectl in kubectl::all() {
        let account = account(1);
        account.sts.add_mfa_code("123456");
        let cluster = account.cluster("{{SessionName}}");
        let args = ["token", "--cluster", "demo", "--role", &account.dev, "--mfa-serial", SERIAL];
        let plugin = account.alices_plugin();
        let text = kubeconfig(&cluster, &plugin, &ExecBlock::new(&args));
        let mut run = AtTerminal::run(kubectl.command(&text, &plugin, &["get", "pods"]));
        run.answer(QUESTION, "123456");
        let (code, stdout, stderr) = run.end();
        assert_eq!((code, stderr.as_str()), (0, ""), "{}", kubectl.version);
        assert!(stdout.contains("web-0"), "{}: {stdout}", kubectl.version);
    }
}

#[test]
fn an_mfa_session_is_used_until_it_expires() {
    let account = account(1);
    let plugin = account.alices_plugin();
    let args = ["--role", &account.dev, "--mfa-serial", SERIAL, "--duration", "3600"];
    enter_code(&account, &plugin, &args);
    plugin.age_entries("", 3400);
    plugin.token(&args).good_token();
    plugin.age_entries("", 150);
    plugin.token(&args).failed_with(6);
}

#[test]
fn a_wrong_code_does_not_fall_back_to_the_next_role() {
    let account = account(1);
    let lesser = account.sts.add_role("lesser", Role::for_group("developers"));
    let args = ["--role", &account.dev, "--role", &lesser, "--mfa-serial", SERIAL, "--duration", "3600"];
    let stderr = enter_wrong_codes(&account, &args);
    assert!(stderr.contains(":role/dev`: AccessDenied: MultiFactorAuthentication failed"), "{stderr}");
}

#[test]
fn session_callers_are_not_asked_for_a_code() {
    let account = Account::new();
    let sso = account.sts.add_principal(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/sso/alice"), &["developers"]);
    account.plugin().keys(&sso).token(&["--role", &account.dev, "--mfa-serial", SERIAL]).good_token();
}

#[test]
fn a_full_screen_terminal_is_not_used_for_the_prompt() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let account = account(1);
    let args = ["--role", &account.dev, "--mfa-serial", SERIAL];
    let terminal = Terminal::open();
    let mut modes = tcgetattr(&terminal.stdin).unwrap();
    modes.local_modes.remove(LocalModes::ICANON);
    tcsetattr(&terminal.stdin, OptionalActions::Now, &modes).unwrap();
    let plugin = account.alices_plugin();
    let command = plugin.token_command(&args);
    assert_eq!(AtTerminal::run_at(terminal, command).end().0, 6);
}
