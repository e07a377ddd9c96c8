use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::account::Account;
use crate::support::child::ends;
use crate::support::client_go::run_plugin;
use crate::support::http::Reply;
use crate::support::plugin::output;
use crate::support::sts::error_reply;
use crate::{age_session, forget_tokens};

/// The promise is 15 s, and to keep people waiting for longer is the defect. Twice as much is not for want of a fast
/// machine: then each try, or each call, has a deadline of its own, or there is none.
const AT_MOST: Duration = Duration::from_secs(30);

#[test]
fn every_bad_sts_response_is_a_clear_error_within_the_deadline() {
    let html = || Reply::Response { status: 200, content_type: "text/html", body: b"<html>Log in</html>".to_vec() };
    let good_start = "HTTP/1.1 200 -\r\nContent-Type: text/xml\r\nContent-Length: 5000\r\n\r\n<AssumeRoleResponse>";
    let redirect = "HTTP/1.1 302 -\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let huge = Reply::Response { status: 200, content_type: "text/xml", body: vec![b'x'; 20 << 20] };
    let cases: Vec<(&str, Reply)> = vec![
        ("throttling", error_reply(400, "Throttling", "Rate exceeded")),
        ("5xx", error_reply(503, "ServiceUnavailable", "no")),
        (
            "5xx without a body",
            Reply::Raw(b"HTTP/1.1 502 -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()),
        ),
        ("reset", Reply::Reset),
        ("end at once", Reply::Raw(Vec::new())),
        ("truncated", Reply::Raw(good_start.as_bytes().to_vec())),
        ("no HTTP", Reply::Raw(b"SSH-2.0-OpenSSH\r\n".to_vec())),
        ("garbage", Reply::Response { status: 200, content_type: "text/xml", body: (0..=255).collect() }),
        ("huge", huge),
        ("endless", Reply::Endless),
        ("captive portal", html()),
        ("redirect", Reply::Raw(redirect.as_bytes().to_vec())),
        ("a byte a second", Reply::Drip(good_start.as_bytes().to_vec(), Duration::from_secs(1))),
        ("a black hole", Reply::Stall(Duration::from_secs(60))),
    ];
    std::thread::scope(|scope| {
        for (what, reply) in cases {
            scope.spawn(move || {
                let account = Account::new();
                account.sts.override_replies(move |_| Some(reply.clone()));
                let plugin = account.alices_plugin();
                let started = Instant::now();
                let output = plugin.role_token(&account.dev, &[]);
                let stderr = output.failed_with(5);
                assert!(
                    stderr.starts_with("eks-group-auth: error: could not get your identity from STS: "),
                    "{what}: {stderr}"
                );
                assert!(stderr.lines().count() == 2 && stderr.contains("\neks-group-auth: hint: "), "{what}: {stderr}");
                assert!(started.elapsed() < AT_MOST, "{what}: {:?}", started.elapsed());
                if what == "huge" || what == "endless" {
                    assert!(stderr.contains("length limit exceeded"), "{what}: {stderr}");
                }
                assert!(plugin.entries().is_empty(), "{what}");
                account.sts.reset_replies();
                plugin.role_token(&account.dev, &[]).good_token();
            });
        }
    });
}

#[test]
fn all_calls_share_one_deadline() {
    let account = Account::new();
    account.sts.set_delay(Duration::from_secs(4));
    // The caller's name comes with the second try, after ten seconds and more; the role session never.
    let is_first = AtomicBool::new(true);
    account.sts.override_replies(move |call| {
        let stalls = is_first.swap(false, Ordering::SeqCst) || call.action == "AssumeRole";
        stalls.then(|| Reply::Stall(Duration::from_secs(60)))
    });
    let started = Instant::now();
    account.alices_plugin().role_token(&account.dev, &[]).failed_with(5);
    // With a deadline of its own, AssumeRole would be given up after 25 s.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(account.counts().0 > 0 && account.counts().1 == 2, "{:?}", account.counts());
}

#[test]
fn an_unresolvable_host_error_names_the_endpoint() {
    let account = Account::new();
    let plugin = account.alices_plugin().env("AWS_ENDPOINT_URL_STS", "http://sts.invalid");
    let output = plugin.role_token(&account.dev, &[]);
    assert!(output.failed_with(5).contains("(at http://sts.invalid)"), "{}", output.stderr);
}

#[test]
fn a_slow_credential_process_leaves_time_for_sts() {
    let account = Account::new();
    let plugin = account.plugin_with_process("sh -c 'sleep 17; cat HOME/keys.json'");
    plugin.role_token(&account.dev, &[]).good_token();
}

/// Its child processes are killed too, if there is no terminal they could be waiting for.
#[test]
fn a_process_that_never_answers_is_killed_after_a_minute() {
    let account = Account::new();
    let plugin = account.plugin_with_process("sh -c 'echo $$ > HOME/one; sleep 300 & echo $! > HOME/two; wait'");
    let started = Instant::now();
    let output = output(plugin.command_without_terminal(&["token", "--cluster", "demo"]));
    let why = "its credential_process did not answer within 60 s\n";
    assert!(output.failed_with(3).contains(why), "{}", output.stderr);
    assert!(started.elapsed() >= Duration::from_secs(60), "{:?}", started.elapsed());
    for file in ["one", "two"] {
        ends(plugin.pid_in(file));
    }
}

/// Calls after a process have the normal deadline, not the process's.
#[test]
fn the_sts_deadline_after_a_process_is_the_usual_one() {
    let account = Account::new();
    let plugin = account.plugin_with_process("cat HOME/keys.json");
    account.sts.override_replies(|_| Some(Reply::Drip(vec![b'x'; 100], Duration::from_secs(1))));
    let started = Instant::now();
    plugin.role_token(&account.dev, &[]).failed_with(5);
    assert!(started.elapsed() < AT_MOST, "{:?}", started.elapsed());
}

/// Processes that wait for one that times out share its error, instead of waiting for just as long themselves.
#[test]
fn waiting_processes_share_a_timeout() {
    let account = Account::new();
    account.sts.override_replies(|_| Some(Reply::Stall(Duration::from_secs(60))));
    let plugin = account.alices_plugin();
    let outputs = crate::at_once(10, |_| plugin.role_token(&account.dev, &["--session-name", "alice"]));
    for output in &outputs {
        assert_eq!(output.failed_with(5), outputs[0].stderr);
    }
    // One process tries at most three times.
    assert!(account.counts().0 <= 3, "{:?}", account.counts());
}

/// `--cache token` does not cache sessions: a cluster that always refuses must not cost one AssumeRole per refusal.
#[test]
fn a_refused_token_without_a_cached_session_is_not_replaced_immediately() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    for _ in 0..6 {
        let args = ["token", "--cluster", "demo", "--role", &account.dev, "--cache", "token"];
        assert_eq!(run_plugin(&plugin, &args).code, 0);
    }
    assert_eq!(account.counts().0, 1);
}

#[test]
fn a_cached_session_is_used_until_a_minute_before_expiry_while_sts_is_down() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    account.sts.override_replies(|_| Some(error_reply(503, "ServiceUnavailable", "down")));
    age_session(&plugin, 3000);
    forget_tokens(&plugin);
    let output = plugin.role_token(&account.dev, &[]);
    assert_eq!(output.code, 0);
    let warning = "eks-group-auth: warning: could not renew the role session, which is valid for another 9 min: could \
                   not assume role";
    assert!(output.stderr.starts_with(warning) && output.stderr.lines().count() == 1, "{}", output.stderr);
    age_session(&plugin, 545);
    forget_tokens(&plugin);
    plugin.role_token(&account.dev, &[]).failed_with(5);
}

/// A user who was removed from the group loses access when the session is due for renewal, not when it expires.
#[test]
fn a_revoked_permission_takes_effect_at_renewal() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    account.sts.remove_from_groups("alice");
    plugin.role_token(&account.dev, &[]).good_token();
    age_session(&plugin, 3000);
    forget_tokens(&plugin);
    plugin.role_token(&account.dev, &[]).failed_with(4);
}

#[test]
fn a_fifteen_minute_session_is_used_and_renewed() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let token = || plugin.role_token(&account.dev, &["--duration", "900"]);
    token().good_token();
    age_session(&plugin, 600);
    forget_tokens(&plugin);
    let output = token();
    output.good_token();
    assert!(output.remaining() <= Duration::from_secs(240), "no longer than the session: {:?}", output.remaining());
    assert_eq!(account.counts().0, 1);
    age_session(&plugin, 100);
    forget_tokens(&plugin);
    token().good_token();
    assert_eq!(account.counts().0, 2);
}
