//! After a 401, client-go runs the plugin again without saying why. Measured with kubectl 1.27 to 1.33.

use crate::age_session;
use crate::support::account::Account;
use crate::support::child::WatchedChild;
use crate::support::client_go::EXEC_INFO;
use crate::support::cluster::Cluster;
use crate::support::kubectl::{self, ExecBlock, Kubectl, kubeconfig};
use crate::support::plugin::{Output, Plugin, output};

/// The oldest and the newest; the others behave as one of them.
fn kubectls() -> Vec<Kubectl> {
    let all = kubectl::all();
    let mut chosen: Vec<Kubectl> = all.iter().take(1).chain(all.last()).cloned().collect();
    chosen.dedup_by(|one, other| one.version == other.version);
    chosen
}

struct World {
    account: Account,
    cluster: Cluster,
    plugin: Plugin,
}

impl World {
    /// A world in which `kubectl get pods` has succeeded once.
    fn warm(kubectl: &Kubectl) -> Self {
        let account = Account::new();
        let cluster = account.cluster("{{SessionName}}");
        let plugin = account.alices_plugin();
        let world = World { account, cluster, plugin };
        assert_eq!(world.pods(kubectl).code, 0);
        world
    }

    fn pods(&self, kubectl: &Kubectl) -> Output {
        let exec = ExecBlock::new(&["token", "--cluster", "demo", "--role", &self.account.dev]);
        output(kubectl.command(&kubeconfig(&self.cluster, &self.plugin, &exec), &self.plugin, &["get", "pods"]))
    }

    fn forget_discovery(&self) {
        let _ = std::fs::remove_dir_all(self.plugin.home().join(".kube"));
    }
}

fn our_lines(output: &Output) -> Vec<&str> {
    output.stderr.lines().filter(|line| line.starts_with("eks-group-auth: ")).collect()
}

#[test]
fn a_refused_token_is_replaced_within_two_commands() {
    for kubectl in kubectls() {
        let world = World::warm(&kubectl);
        world.forget_discovery();
        world.cluster.refuse(1);
        let output = world.pods(&kubectl);
        assert_eq!((output.code, our_lines(&output).len()), (0, 0), "{}, cold: {}", kubectl.version, output.stderr);
        world.cluster.refuse(1);
        world.pods(&kubectl);
        let output = world.pods(&kubectl);
        assert_eq!(output.code, 0, "{}, warm: {}", kubectl.version, output.stderr);
        assert_eq!(world.account.counts().0, 1, "{}", kubectl.version);
    }
}

#[test]
fn a_permanent_refusal_costs_one_warning_and_at_most_one_session_a_minute() {
    for kubectl in kubectls() {
        let world = World::warm(&kubectl);
        age_session(&world.plugin, 120);
        world.forget_discovery();
        world.cluster.refuse(usize::MAX);
        let mut lines = Vec::new();
        for _ in 0..4 {
            let output = world.pods(&kubectl);
            assert_ne!(output.code, 0);
            lines.extend(our_lines(&output).into_iter().map(str::to_owned));
        }
        let expected = format!(
            "eks-group-auth: warning: kubectl asked for another token, so the cluster probably refused the last one: \
             is `demo` exactly the cluster's name, and does the cluster map `{}`?",
            world.account.dev
        );
        assert_eq!(lines, [expected], "{}", kubectl.version);
        assert_eq!(world.account.counts().0, 2, "{}", kubectl.version);
    }
}

#[test]
fn a_revoked_session_is_replaced() {
    for kubectl in kubectls() {
        let world = World::warm(&kubectl);
        age_session(&world.plugin, 120);
        world.account.sts.revoke_sessions(&world.account.dev);
        world.forget_discovery();
        let cold = world.pods(&kubectl);
        assert_eq!(cold.code, 0, "{}, cold, within one command: {}", kubectl.version, cold.stderr);
        assert_eq!(world.account.counts().0, 2);

        age_session(&world.plugin, 120);
        world.account.sts.revoke_sessions(&world.account.dev);
        let codes: Vec<i32> = (0..3).map(|_| world.pods(&kubectl).code).collect();
        assert_eq!(codes[2], 0, "{}, warm, where kubectl gives up after two calls: {codes:?}", kubectl.version);
        assert_eq!(world.account.counts().0, 3);
    }
}

/// Several kubectl at a time: each refusal counts, no matter which process was given the token in between.
#[test]
fn a_revoked_session_is_replaced_with_parallel_clients() {
    for kubectl in kubectls() {
        let world = World::warm(&kubectl);
        age_session(&world.plugin, 120);
        world.account.sts.revoke_sessions(&world.account.dev);
        for _ in 0..2 {
            crate::at_once(5, |_| world.pods(&kubectl));
        }
        for output in crate::at_once(5, |_| world.pods(&kubectl)) {
            assert_eq!(output.code, 0, "{}: {}", kubectl.version, output.stderr);
        }
        assert_eq!(world.account.counts().0, 2, "{}", kubectl.version);
    }
}

/// The command builds a second client, which requests its own token.
#[test]
fn a_command_reading_stdin_is_not_mistaken_for_a_refusal() {
    for kubectl in kubectls() {
        let world = World::warm(&kubectl);
        let exec = ExecBlock::new(&["token", "--cluster", "demo", "--role", &world.account.dev]);
        let entry = |world: &World| std::fs::read(&world.plugin.entries_of("token-")[0]).unwrap();
        let before = entry(&world);
        for _ in 0..3 {
            let text = kubeconfig(&world.cluster, &world.plugin, &exec);
            let mut command = kubectl.command(&text, &world.plugin, &["apply", "-f", "-", "--validate=false"]);
            command
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped());
            let mut child = WatchedChild::start(command);
            child.write(br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"new-0","namespace":"default"}}"#);
            let output = Output::from(child.output());
            assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", kubectl.version);
        }
        assert_eq!(world.account.counts().0, 1, "{}", kubectl.version);
        let asked = world.cluster.seen().iter().filter(|seen| seen.path.ends_with("/pods/new-0")).count();
        assert_eq!(asked, 3, "{}", kubectl.version);
        if cfg!(target_os = "linux") {
            assert!(entry(&world) == before, "{}: the token was served each time", kubectl.version);
        }
    }
}

/// Like k9s: one process that asks again when its token expires.
#[test]
fn a_request_after_expiry_is_not_mistaken_for_a_refusal() {
    let account = Account::new();
    let plugin = account.alices_plugin().env("KUBERNETES_EXEC_INFO", EXEC_INFO);
    for _ in 0..4 {
        plugin.role_token(&account.dev, &[]).good_token();
        plugin.age_entries("token-", 840);
    }
    assert_eq!(account.counts().0, 1);
}

#[test]
fn repeated_manual_calls_get_the_cached_token() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let token = plugin.role_token(&account.dev, &[]).good_token();
    for _ in 0..5 {
        assert_eq!(plugin.role_token(&account.dev, &[]).good_token(), token);
    }
}
