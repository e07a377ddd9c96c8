use std::time::Duration;

use crate::Account;
use crate::support::account::MFA_SERIAL as SERIAL;
use crate::support::plugin::Output;
use crate::support::sts::Role;
use crate::support::terminal::AtTerminal;

/// The deadline for AWS is 15 s, and waiting processes wait a second longer. The rest allows for a busy machine.
const LONGER_THAN_THE_DEADLINE: Duration = Duration::from_secs(18);

#[test]
fn an_mfa_prompt_may_outlast_the_deadline_and_other_processes_keep_waiting() {
    let account = Account::new();
    account.sts.add_role("dev", Role { mfa_serial: Some(SERIAL.into()), ..Role::for_group("developers") });
    account.sts.add_mfa_code("123456");
    let plugin = account.alices_plugin();
    let args = ["--role", &account.dev, "--mfa-serial", SERIAL, "--duration", "3600"];
    let mut asked = AtTerminal::start(&plugin, &args);
    asked.wait_for(&format!("eks-group-auth: MFA code for {SERIAL}: "));
    let other = plugin.start_token(&args);
    std::thread::sleep(LONGER_THAN_THE_DEADLINE);
    asked.enter("123456");
    let (code, _, stderr) = asked.end();
    assert_eq!((code, stderr.as_str()), (0, ""), "the time at the prompt does not count against the deadline");
    // It has no terminal, so it could not have asked for a code itself.
    Output::from(other.output()).good_token();
    assert_eq!(account.counts().0, 1);
}

/// The process may have opened a browser, and a second window would be a nuisance.
#[test]
fn a_credential_process_may_outlast_the_deadline_and_other_processes_do_not_start_another() {
    let account = Account::new();
    let script = "cd HOME; echo >> starts; until test -e end; do sleep 0.1; done; cat keys.json";
    let plugin = account.plugin_with_process(&format!("sh -c '{script}'"));
    let starts = || std::fs::read_to_string(plugin.home().join("starts")).unwrap_or_default().lines().count();
    let mut first = plugin.start_token(&["--role", &account.dev]);
    first.runs_until(|| starts() > 0);
    let other = plugin.start_token(&["--role", &account.dev]);
    std::thread::sleep(LONGER_THAN_THE_DEADLINE);
    std::fs::write(plugin.home().join("end"), "").unwrap();
    for run in [first, other] {
        Output::from(run.output()).good_token();
    }
    assert_eq!(starts(), 1);
    assert_eq!(account.counts(), (1, 1));
}
