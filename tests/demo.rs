//! `cargo run --example demo`: the whole chain on this machine, without an AWS account. It uses a loopback STS and API
//! server, two users, one of them in the group, a temporary kubeconfig and kubectl if there is one, and shows how long
//! it took. Fails if anything goes wrong.

#![allow(clippy::disallowed_methods, reason = "the demo reads the clock and the environment itself")]

#[path = "support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use support::child::WatchedChild;
use support::client_go;
use support::cluster::Cluster;
use support::kubectl::{ExecBlock, Kubectl, find_all, kubeconfig};
use support::plugin::{Output, Plugin, output};
use support::sts::{Role, Sts};

const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nThe demo failed: {why}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<(), String> {
    let binary = build()?;
    let sts = Sts::start();
    let cluster = Cluster::start("demo", "eu-west-1", &sts);
    let role = sts.add_role("kubernetes-developers", Role::for_group("developers"));
    cluster.map_role(&role, "{{SessionName}}");
    let alice = Plugin::new(&binary, &sts).keys(&sts.add_user("alice", &["developers"]));
    let bob = Plugin::new(&binary, &sts).keys(&sts.add_user("bob", &[]));
    println!("A loopback STS ({}) and API server ({}), cluster `demo`.", sts.url(), cluster.url());
    println!("The policy of group `developers` allows sts:AssumeRole on {role},");
    println!("and the cluster maps that role. alice is in the group, bob is not.\n");

    let kubectl = find_all().into_iter().next_back();
    match &kubectl {
        Some(kubectl) => println!("kubectl {} at {}", kubectl.version, kubectl.path.display()),
        None => println!("There is no kubectl in PATH; this program stands in for it."),
    }
    let client = Client { kubectl: kubectl.as_ref(), cluster: &cluster, role: &role };

    for (name, plugin) in [("alice", &alice), ("bob", &bob)] {
        println!("\n{name}$ kubectl get pods");
        let got = client.get_pods(plugin)?;
        print!("{}", indented(&got.stdout));
        print!("{}", explained(&got.stderr));
        let expected = name == "alice";
        if (got.code == 0) != expected {
            return Err(format!("{name} was {}let in", if expected { "not " } else { "" }));
        }
    }
    let users: Vec<String> = cluster.seen().into_iter().filter_map(|seen| seen.username).collect();
    let one = users.first().ok_or("nobody got in")?;
    if users.iter().any(|user| user != "alice") || users.len() != cluster.seen().len() {
        return Err(format!("the cluster saw {:?}", cluster.seen()));
    }
    println!("\nThe cluster's audit log names `{one}`. bob never reached the cluster: he got no token.");
    println!(
        "STS gave alice {} role session(s) and refused bob {} time(s).",
        sts.calls().iter().filter(|call| call.action == "AssumeRole" && call.refused.is_none()).count(),
        sts.calls().iter().filter(|call| call.action == "AssumeRole" && call.refused.is_some()).count(),
    );
    timings(&alice, &role, &sts)
}

/// Builds the binary next to this example, with the same profile.
fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").ok_or("run me with `cargo run --example demo`")?;
    let mut build = Command::new(cargo);
    build.args(["build", "--bin", "eks-group-auth"]);
    // Variables that cargo sets for this example would cause some dependencies to be rebuilt, now and next time.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&*name);
        }
    }
    if PROFILE == "release" {
        build.arg("--release");
    }
    let build = WatchedChild::try_start(build).map_err(|error| error.to_string())?;
    // It may have to build everything.
    if !build.within(Duration::from_secs(3600)).output().status.success() {
        return Err("cargo build failed".into());
    }
    let example = std::env::current_exe().map_err(|error| error.to_string())?;
    let directory = example.parent().and_then(|examples| examples.parent()).ok_or("no target directory")?;
    Ok(directory.join("eks-group-auth"))
}

struct Client<'a> {
    kubectl: Option<&'a Kubectl>,
    cluster: &'a Cluster,
    role: &'a str,
}

impl Client<'_> {
    fn get_pods(&self, plugin: &Plugin) -> Result<Output, String> {
        let args = ["token", "--cluster", "demo", "--role", self.role];
        if let Some(kubectl) = self.kubectl {
            let text = kubeconfig(self.cluster, plugin, &ExecBlock::new(&args));
            return Ok(output(kubectl.command(&text, plugin, &["get", "pods"])));
        }
        let mut got = client_go::run_plugin(plugin, &args);
        if got.code == 0 {
            let token = got.good_token();
            let (status, body) = client_go::get(self.cluster, "/api/v1/namespaces/default/pods", &token)
                .map_err(|error| error.to_string())?;
            let names = body["rows"].as_array().into_iter().flatten().filter_map(|row| row["cells"][0].as_str());
            got.stdout = names.map(|name| format!("{name}\n")).collect();
            got.code = if status == 200 { 0 } else { 1 };
        }
        Ok(got)
    }
}

fn timings(plugin: &Plugin, role: &str, sts: &Sts) -> Result<(), String> {
    let median = |runs: usize, args: &[&str]| -> Result<Duration, String> {
        let mut times = Vec::new();
        for _ in 0..runs {
            let started = Instant::now();
            let got = plugin.role_token(role, args);
            times.push(started.elapsed());
            if got.code != 0 {
                return Err(got.stderr);
            }
        }
        times.sort();
        Ok(times[runs / 2])
    };
    let before = sts.count("AssumeRole");
    let cached = median(50, &[])?;
    if sts.count("AssumeRole") != before {
        return Err("a cached call asked STS".into());
    }
    let cold = median(20, &["--refresh"])?;
    sts.set_delay(Duration::from_millis(100));
    let far = median(3, &["--refresh"])?;
    let ms = |time: Duration| format!("{:6.1} ms", time.as_secs_f64() * 1000.0);
    println!("\nOne call of eks-group-auth on this machine ({PROFILE} build, medians):");
    println!("  cached token                        {}   no calls", ms(cached));
    println!("  cold, STS answers at once           {}   GetCallerIdentity and AssumeRole", ms(cold));
    println!("  cold, STS answers after 100 ms      {}", ms(far));
    if PROFILE == "debug" {
        println!("  (`cargo run --release --example demo` shows the optimised one)");
    }
    Ok(())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// kubectl runs a failing plugin up to five times; show its lines once, and kubectl's own log lines not at all.
fn explained(stderr: &str) -> String {
    let is_log = |line: &str| line.starts_with(['E', 'W', 'I']) && line.contains(".go:");
    let mut lines: Vec<&str> = Vec::new();
    for line in stderr.lines().filter(|line| !is_log(line)) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let times = stderr.lines().filter(|line| line.starts_with("eks-group-auth: error:")).count();
    let note = if times > 1 { format!("  (kubectl asked {times} times; shown once)\n") } else { String::new() };
    indented(&lines.join("\n")) + &note
}
