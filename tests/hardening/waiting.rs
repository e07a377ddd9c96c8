use std::time::Duration;

use crate::Account;
use crate::support::sts::{ACCOUNT, Role};
use crate::support::terminal::AtTerminal;

/// The deadline for AWS is 15 s, and whoever waits for another waits a second more. The rest is for a busy machine.
const LONGER_THAN_THE_DEADLINE: Duration = Duration::from_secs(18);

#[test]
fn a_person_may_take_longer_than_the_deadline_and_whoever_waits_for_the_code_waits_on() {
    let account = Account::new();
    let serial = format!("arn:aws:iam::{ACCOUNT}:mfa/alice");
    account.sts.add_role("dev", Role { mfa_serial: Some(serial.clone()), ..Role::of_group("developers") });
    account.sts.add_mfa_code("123456");
    let plugin = account.alices_plugin();
    let args = ["--role", &account.dev, "--mfa-serial", &serial, "--duration", "3600"];
    let mut asked = AtTerminal::start(&plugin, &args);
    asked.wait_for(&format!("eks-group-auth: MFA code of {serial}: "));
    std::thread::scope(|scope| {
        let other = scope.spawn(|| plugin.token(&args));
        std::thread::sleep(LONGER_THAN_THE_DEADLINE);
        asked.enter("123456");
        let (code, _, stderr) = asked.end();
        assert_eq!((code, stderr.as_str()), (0, ""), "the time at the terminal is not STS's");
        // It has no terminal, and would have had no code.
        other.join().unwrap().good_token();
    });
    assert_eq!(account.counts().0, 1);
}

/// It may have opened a browser, and nobody wants a second window.
#[test]
fn a_credential_process_may_take_longer_than_the_deadline_and_whoever_waits_starts_no_other() {
    let account = Account::new();
    let keys = &account.alice;
    let document =
        serde_json::json!({"Version": 1, "AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key});
    let plugin = account.plugin().write("credentials.json", &document.to_string()).env("PATH", "/usr/bin:/bin");
    let home = plugin.home();
    let script = "echo >> starts; until test -e end; do sleep 0.1; done; cat credentials.json";
    let config = format!("[default]\ncredential_process = sh -c 'cd {}; {script}'\n", home.display());
    let plugin = plugin.clone().config(&config);
    let starts = || std::fs::read_to_string(home.join("starts")).unwrap_or_default().lines().count();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| plugin.role_token(&account.dev, &[]));
        while starts() == 0 && !first.is_finished() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let other = scope.spawn(|| plugin.role_token(&account.dev, &[]));
        std::thread::sleep(LONGER_THAN_THE_DEADLINE);
        std::fs::write(home.join("end"), "").unwrap();
        for run in [first, other] {
            run.join().unwrap().good_token();
        }
    });
    assert_eq!(starts(), 1);
    assert_eq!(account.counts(), (1, 1));
}
