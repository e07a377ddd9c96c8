//! Finding kubectl, and kubeconfigs for it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::child::WatchedChild;
use super::cluster::Cluster;
use super::plugin::Plugin;

#[derive(Clone, Debug)]
pub struct Kubectl {
    pub path: PathBuf,
    /// Such as `v1.33.1`.
    pub version: String,
}

/// Every kubectl in PATH, and those next to it with a version in their name. Skips the dispatcher that some
/// distributions install: it runs another kubectl, and so runs a plugin twice.
pub fn find_all() -> Vec<Kubectl> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates: Vec<PathBuf> = Vec::new();
    for directory in std::env::split_paths(&path) {
        let Ok(kubectl) = directory.join("kubectl").canonicalize() else { continue };
        let siblings = kubectl.parent().and_then(|parent| parent.read_dir().ok()).into_iter().flatten();
        let named = |path: &Path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.strip_prefix("kubectl.").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        candidates.extend(siblings.flatten().map(|entry| entry.path()).filter(|path| named(path)));
        candidates.push(kubectl);
    }
    let mut found: Vec<Kubectl> = Vec::new();
    candidates.sort();
    candidates.dedup();
    for path in candidates.into_iter().filter(|path| is_executable(path)) {
        if let Some(version) = version(&path)
            && !version.contains("dispatcher")
            && !found.iter().any(|kubectl| kubectl.version == version)
        {
            found.push(Kubectl { path, version });
        }
    }
    found
}

/// All that there are, by version; looking for them takes a moment each, so once. With `REQUIRE_KUBECTL=1` there must be
/// one.
pub fn all() -> &'static [Kubectl] {
    static FOUND: std::sync::LazyLock<Vec<Kubectl>> = std::sync::LazyLock::new(find_all);
    if FOUND.is_empty() {
        assert!(
            std::env::var_os("REQUIRE_KUBECTL").is_none_or(|value| value != "1"),
            "REQUIRE_KUBECTL=1, and there is no kubectl in PATH"
        );
        eprintln!("SKIPPED: there is no kubectl in PATH");
    }
    &FOUND
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn version(path: &Path) -> Option<String> {
    let mut command = Command::new(path);
    command.args(["version", "--client", "-o", "json"]).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let output = WatchedChild::try_start(command).ok()?.output();
    let version: Value = serde_json::from_slice(&output.stdout).ok()?;
    version.pointer("/clientVersion/gitVersion").and_then(Value::as_str).map(str::to_owned)
}

/// How the exec block is written.
#[derive(Clone)]
pub struct ExecBlock {
    /// `v1` or `v1beta1`
    pub version: &'static str,
    /// `Never`, `IfAvailable`, `Always`
    pub interactive_mode: &'static str,
    pub provide_cluster_info: bool,
    pub args: Vec<String>,
}

impl ExecBlock {
    pub fn new(args: &[&str]) -> Self {
        ExecBlock {
            version: "v1",
            interactive_mode: "IfAvailable",
            provide_cluster_info: false,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        }
    }
}

/// A kubeconfig for one user of one cluster, as JSON, which is also valid YAML.
pub fn kubeconfig(cluster: &Cluster, plugin: &Plugin, exec: &ExecBlock) -> String {
    use base64::Engine as _;
    let ca = base64::engine::general_purpose::STANDARD.encode(&cluster.ca_pem);
    let environment: Vec<Value> = plugin
        .environment()
        .iter()
        .map(|(name, value)| json!({"name": name.to_string_lossy(), "value": value.to_string_lossy()}))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test", "preferences": {},
        "clusters": [{"name": "test", "cluster": {"server": cluster.url(), "certificate-authority-data": ca}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "users": [{"name": "test", "user": {"exec": {
            "apiVersion": format!("client.authentication.k8s.io/{}", exec.version),
            "command": plugin.binary(),
            "args": exec.args,
            "env": environment,
            "interactiveMode": exec.interactive_mode,
            "provideClusterInfo": exec.provide_cluster_info,
        }}}],
    })
    .to_string()
}

impl Kubectl {
    /// This kubectl with a kubeconfig, which is written into the plugin's home.
    pub fn command(&self, kubeconfig: &str, plugin: &Plugin, args: &[&str]) -> Command {
        let path = plugin.home().join("kubeconfig");
        std::fs::write(&path, kubeconfig).expect("a file");
        let mut command = Command::new(&self.path);
        command.env_clear().env("HOME", plugin.home()).env("KUBECONFIG", path).args(args).stdin(Stdio::null());
        command
    }
}
