use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::child::LIMIT;
use crate::support::cluster::Cluster;
use crate::support::sts::Role;
use crate::{Account, age_session, at_once, forget_tokens};

#[test]
fn fifty_and_two_hundred_cold_processes_cost_one_assume_role() {
    for processes in [50, 200] {
        let account = Account::new();
        account.sts.set_delay(Duration::from_millis(200));
        let plugin = account.alices_plugin();
        for output in at_once(processes, |_| plugin.role_token(&account.dev, &[])) {
            output.good_token();
        }
        assert_eq!(account.counts(), (1, 1), "{processes} processes");
    }
}

#[test]
fn fifty_warm_processes_make_no_calls() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let token = plugin.role_token(&account.dev, &[]).good_token();
    for output in at_once(50, |_| plugin.role_token(&account.dev, &[])) {
        assert_eq!(output.good_token(), token);
    }
    assert_eq!(account.counts(), (1, 1));
}

#[test]
fn in_the_renewal_window_one_process_renews_and_the_others_do_not_wait() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    age_session(&plugin, 3000);
    forget_tokens(&plugin);
    // STS answers when all the others are done. If they waited, it would answer nobody in time, and the session could not
    // be renewed.
    account.sts.hold();
    let done = AtomicUsize::new(0);
    let outputs = at_once(50, |_| {
        let output = plugin.role_token(&account.dev, &[]);
        if done.fetch_add(1, Ordering::SeqCst) + 1 == 49 {
            account.sts.release();
        }
        output
    });
    for output in outputs {
        output.good_token();
    }
    assert_eq!(account.counts(), (2, 1));
}

#[test]
fn ten_roles_in_five_clusters_are_kept_apart() {
    let account = Account::new();
    account.sts.set_delay(Duration::from_millis(200));
    let roles: Vec<String> =
        (0..10).map(|number| account.sts.add_role(&format!("role-{number}"), Role::for_group("developers"))).collect();
    let clusters: Vec<Cluster> = (0..5)
        .map(|number| {
            let cluster = Cluster::start(&format!("cluster-{number}"), "eu-west-1", &account.sts);
            for (number, role) in roles.iter().enumerate() {
                cluster.map_role(role, &format!("role-{number}:{{{{SessionName}}}}"));
            }
            cluster
        })
        .collect();
    let plugin = account.alices_plugin();
    let outputs =
        at_once(250, |number| plugin.run(&["token", "-i", clusters[number % 5].name(), "-r", &roles[number / 5 % 10]]));
    account.sts.set_delay(Duration::ZERO);
    for (number, output) in outputs.iter().enumerate() {
        let who = clusters[number % 5].authenticate(&output.good_token());
        assert_eq!(who, Ok(format!("role-{}:alice", number / 5 % 10)));
    }
    assert_eq!(account.counts().0, 10);
}

#[test]
fn fifty_denied_processes_share_one_refusal_and_the_next_run_asks_again() {
    let account = Account::new();
    account.sts.set_delay(Duration::from_millis(500));
    let plugin = account.plugin().keys(&account.bob);
    let outputs = at_once(50, |_| plugin.role_token(&account.dev, &[]));
    for output in &outputs {
        assert_eq!(output.failed_with(4), outputs[0].stderr);
    }
    assert_eq!(account.counts(), (1, 1));
    plugin.role_token(&account.dev, &[]).failed_with(4);
    assert_eq!(account.counts(), (2, 1));
    // An old refusal is not shared with processes that wait for a request that succeeds.
    account.sts.add_to_group("bob", "developers");
    for output in at_once(20, |_| plugin.role_token(&account.dev, &[])) {
        output.good_token();
    }
    assert_eq!(account.counts(), (3, 1));
}

/// Sessions that expire after a few seconds, and processes killed at random: every process that survives gets a valid
/// token.
#[test]
fn chaos() {
    let account = Account::short_lived(Duration::from_secs(64));
    account.sts.set_delay(Duration::from_millis(20));
    let cluster = account.cluster("{{SessionName}}");
    let plugin = account.alices_plugin();
    let (survivors, killed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // For a while, and on a slow machine until something was tested.
    let started = Instant::now();
    let is_enough = || survivors.load(Ordering::SeqCst) > 50 && killed.load(Ordering::SeqCst) > 20;
    let goes_on = || started.elapsed() < if is_enough() { Duration::from_secs(20) } else { LIMIT };
    std::thread::scope(|scope| {
        for seed in 0..6 {
            let (plugin, account, cluster) = (&plugin, &account, &cluster);
            let (survivors, killed, goes_on) = (&survivors, &killed, &goes_on);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                while goes_on() {
                    let mut child = plugin.start_token(&["-r", &account.dev]);
                    if random.u8(..) < 100 {
                        std::thread::sleep(Duration::from_micros(random.u64(..40_000)));
                        child.kill();
                    }
                    let output = child.output();
                    if output.status.code().is_none() {
                        killed.fetch_add(1, Ordering::SeqCst);
                        continue;
                    }
                    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert!(output.status.success(), "{stderr}");
                    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                    let who = cluster.authenticate(document["status"]["token"].as_str().unwrap());
                    assert_eq!(who.as_deref(), Ok("alice"));
                    survivors.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert!(survivors.into_inner() > 50 && killed.into_inner() > 20, "something was tested");
    assert!(account.counts().0 > 1, "sessions ended meanwhile");
}
