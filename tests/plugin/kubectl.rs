//! kubectl → eks-group-auth → STS → token → API server → pods.

use crate::Account;
use crate::support::cluster::{Cluster, VIEWERS};
use crate::support::kubectl::{self, ExecBlock, Kubectl, kubeconfig};
use crate::support::plugin::{Output, Plugin, output};
use crate::support::sts::Role;

struct World {
    account: Account,
    cluster: Cluster,
}

impl World {
    fn new() -> Self {
        let account = Account::new();
        let cluster = account.cluster("dev:{{SessionName}}");
        World { account, cluster }
    }

    fn exec(&self) -> ExecBlock {
        ExecBlock::new(&["token", "--cluster", "demo", "--role", &self.account.dev])
    }

    fn run(&self, kubectl: &Kubectl, plugin: &Plugin, exec: &ExecBlock, args: &[&str]) -> Output {
        output(kubectl.command(&kubeconfig(&self.cluster, plugin, exec), plugin, args))
    }

    fn pods(&self, kubectl: &Kubectl, plugin: &Plugin, exec: &ExecBlock) -> Output {
        self.run(kubectl, plugin, exec, &["get", "pods"])
    }
}

#[track_caller]
fn lists_pods(output: &Output, kubectl: &Kubectl) {
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", kubectl.version);
    assert!(
        output.stdout.contains("web-0") && output.stdout.contains("Running"),
        "{}: {}",
        kubectl.version,
        output.stdout
    );
}

#[test]
fn every_kubectl_lists_pods_cold_and_warm_in_both_versions_of_the_protocol() {
    for kubectl in kubectl::all() {
        let world = World::new();
        for (version, interactive_mode) in
            [("v1", "Never"), ("v1", "IfAvailable"), ("v1beta1", "Never"), ("v1beta1", "IfAvailable")]
        {
            let exec = ExecBlock { version, interactive_mode, ..world.exec() };
            // A new machine each time, so that each starts cold.
            let plugin = world.account.alices_plugin();
            let before = world.account.counts().0;
            lists_pods(&world.pods(kubectl, &plugin, &exec), kubectl);
            lists_pods(&world.pods(kubectl, &plugin, &exec), kubectl);
            assert_eq!(world.account.counts().0, before + 1, "{}: cold, then warm", kubectl.version);
        }
        assert!(
            world.cluster.seen().iter().all(|seen| seen.username.as_deref() == Some("dev:alice")),
            "{:?}",
            world.cluster.seen()
        );
    }
}

#[test]
fn auth_whoami_shows_the_users_own_name() {
    for kubectl in kubectl::all() {
        let world = World::new();
        let output =
            world.run(kubectl, &world.account.alices_plugin(), &world.exec(), &["auth", "whoami", "-o", "json"]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", kubectl.version);
        assert!(
            output.stdout.contains("dev:alice") && output.stdout.contains(VIEWERS),
            "{}: {}",
            kubectl.version,
            output.stdout
        );
    }
}

#[test]
fn a_denied_role_is_explained_and_never_reaches_the_cluster() {
    for kubectl in kubectl::all() {
        let world = World::new();
        let plugin = world.account.plugin().keys(&world.account.bob);
        let output = world.pods(kubectl, &plugin, &world.exec());
        assert_ne!(output.code, 0);
        assert!(
            output.stderr.contains("eks-group-auth: error: could not assume role"),
            "{}: {}",
            kubectl.version,
            output.stderr
        );
        assert!(output.stderr.contains("failed with exit code 4"), "{}: {}", kubectl.version, output.stderr);
        assert!(world.cluster.seen().is_empty(), "nothing goes to the cluster without a token");
    }
}

#[test]
fn an_unmapped_role_is_refused_by_the_cluster() {
    for kubectl in kubectl::all() {
        let world = World::new();
        let ops = world.account.sts.add_role("ops", Role::for_group("developers"));
        let exec = ExecBlock::new(&["token", "--cluster", "demo", "--role", &ops]);
        let output = world.pods(kubectl, &world.account.alices_plugin(), &exec);
        assert_ne!(output.code, 0, "{}", kubectl.version);
        assert!(world.cluster.seen().iter().any(|seen| {
            seen.refused.as_deref().is_some_and(|why| why.ends_with("assumed-role/ops/alice is not mapped"))
        }));
    }
}

#[test]
fn a_token_for_another_cluster_has_a_signature_mismatch() {
    for kubectl in kubectl::all() {
        let world = World::new();
        let exec = ExecBlock::new(&["token", "--cluster", "other", "--role", &world.account.dev]);
        let output = world.pods(kubectl, &world.account.alices_plugin(), &exec);
        assert_ne!(output.code, 0, "{}", kubectl.version);
        let refused: Vec<_> = world.cluster.seen().into_iter().filter_map(|seen| seen.refused).collect();
        assert!(!refused.is_empty() && refused.iter().all(|why| why.contains("SignatureDoesNotMatch")), "{refused:?}");
    }
}

/// With a terminal, `spec.interactive` is true and the plugin's stdin is the terminal.
#[test]
fn kubectl_lists_pods_with_a_terminal() {
    let Some(script) = ["/usr/bin/script", "/bin/script"].into_iter().find(|path| std::path::Path::new(path).exists())
    else {
        eprintln!("SKIPPED: there is no script(1) to make a terminal");
        return;
    };
    for kubectl in kubectl::all() {
        let world = World::new();
        let plugin = world.account.alices_plugin();
        let inner = kubectl.command(&kubeconfig(&world.cluster, &plugin, &world.exec()), &plugin, &[]);
        let mut command = std::process::Command::new(script);
        command
            .args(["-qec", &format!("{} get pods", kubectl.path.display()), "/dev/null"])
            .env_clear()
            .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
            .env("PATH", "/usr/bin:/bin")
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm")
            .stdin(std::process::Stdio::null());
        let got = output(command);
        assert!(got.code == 0 && got.stdout.contains("web-0"), "{}: {}{}", kubectl.version, got.stdout, got.stderr);
    }
}

#[test]
fn a_kubeconfig_made_by_the_aws_cli_works_with_only_the_command_replaced() {
    for kubectl in kubectl::all() {
        let world = World::new();
        let args = [
            "--region",
            "eu-west-1",
            "eks",
            "get-token",
            "--cluster-name",
            "demo",
            "--output",
            "json",
            "--role",
            &world.account.dev,
        ];
        let exec = ExecBlock { version: "v1beta1", ..ExecBlock::new(&args) };
        lists_pods(&world.pods(kubectl, &world.account.alices_plugin(), &exec), kubectl);
    }
}

#[test]
fn with_cluster_info_on_the_region_may_come_from_the_extension() {
    for kubectl in kubectl::all() {
        let world = World::new();
        let plugin = world.account.alices_plugin().env_remove("AWS_REGION");
        let exec = ExecBlock { provide_cluster_info: true, ..world.exec() };
        let text = kubeconfig(&world.cluster, &plugin, &exec);
        let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
        config["clusters"][0]["cluster"]["extensions"] = serde_json::json!([{"name": "client.authentication.k8s.io/exec", "extension": {"region": "eu-west-1", "audience": ["x"]}}]);
        let got = output(kubectl.command(&config.to_string(), &plugin, &["get", "pods"]));
        lists_pods(&got, kubectl);
    }
}

/// Checks that the test cluster is strict: each rule refuses what it should.
#[test]
fn the_loopback_cluster_rejects_invalid_tokens() {
    use base64::Engine as _;
    let world = World::new();
    let token = world.account.alices_plugin().role_token(&world.account.dev, &[]).good_token();
    assert_eq!(world.cluster.authenticate(&token), Ok("dev:alice".to_owned()));
    let url = crate::support::plugin::url_of(&token);
    let encode = |url: &str| format!("k8s-aws-v1.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(url));
    assert_eq!(encode(&url), token);
    let host = "sts.eu-west-1.amazonaws.com";
    let rule = "unexpected hostname in pre-signed URL";
    let path = "unexpected path";
    let parameter = "non-whitelisted query parameter";
    for (bad, why) in [
        (format!(" {token}"), "token is missing expected"),
        (token.replace("k8s-aws-v1", "K8S-AWS-V1"), "token is missing expected"),
        (format!("{token}="), "Invalid"),
        (format!("{token}{}", "A".repeat(4096)), "token is too large"),
        (encode(&url.replace("https:", "http:")), "unexpected scheme"),
        (encode(&url.replace(host, "sts.eu-west-1.amazonaws.com:443")), rule),
        (encode(&url.replace(host, "STS.eu-west-1.amazonaws.com")), rule),
        (encode(&url.replace(host, "sts.eu-west-2.amazonaws.com")), rule),
        (encode(&url.replace(host, "sts.amazonaws.com.evil.com")), rule),
        (encode(&url.replace("/?", "?")), path),
        (encode(&url.replace("/?", "//?")), path),
        (encode(&format!("{url}&x-id=GetCallerIdentity")), parameter),
        (encode(&format!("{url}&action=GetCallerIdentity")), "query parameter with multiple values"),
        (encode(&url.replace("GetCallerIdentity", "AssumeRole")), "unexpected action"),
        (encode(&url.replace("host%3Bx-k8s-aws-id", "host")), "client did not sign"),
        (encode(&url.replace("host%3Bx", "host;x")), "raw semicolon"),
        (encode(&url.replace("Expires=60", "Expires=901")), "invalid X-Amz-Expires"),
        (encode(&url.replace("Expires=60", "Expires=61")), "SignatureDoesNotMatch"),
        (encode(&url.replace("X-Amz-Date=2", "X-Amz-Date=1")), "X-Amz-Date parameter is expired"),
    ] {
        let refused = world.cluster.authenticate(&bad).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}
