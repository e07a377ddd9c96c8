//! `cargo bench`: measures the cost of a call in time, memory, instructions and calls to STS, compared with other
//! programs. Builds the binary as `install.sh` does, runs an STS on loopback, and prints one table; `cargo bench --
//! --write-readme` puts it into README.md as well, and `-- --against BINARY` compares with another binary instead. It
//! does not pass or fail: on a shared machine, only the ratios within one run are meaningful.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and the environment itself")]

mod against;
mod pairs;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod timer;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use support::cluster::Cluster;
use support::http::Tls;
use support::kubectl::{ExecBlock, find_all, kubeconfig};
use support::plugin::Plugin;
use support::sts::{Role, Sts};
use table::{Row, Table};
use timer::{Prepare, Subject, Timer};

/// The delay of STS in the second measurement.
const FAR: Duration = Duration::from_millis(100);

/// The number of parallel processes.
const PARALLEL: usize = 50;
const TRIES: usize = 3;

const MANY: usize = 10_000;

fn main() -> ExitCode {
    let other = against::other(std::env::args_os());
    match other.and_then(|other| other.map_or_else(bench, |other| against::compare(&other))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("the benchmark failed: {why}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let installed = install(scratch.path())?;
    let timer = Timer::find();
    let tls = Tls::for_loopback();
    let sts = Sts::start_tls(&tls);
    let role = sts.add_role("dev", Role::for_group("developers"));
    let alice = sts.add_user("alice", &["developers"]);
    let ca_bundle = scratch.path().join("ca.pem");
    std::fs::write(&ca_bundle, &tls.ca_pem).map_err(|error| error.to_string())?;
    let machine = || Plugin::new(&installed.binary, &sts).keys(&alice);
    let plugin = machine().env("AWS_CA_BUNDLE", &ca_bundle);
    let args = ["token", "--cluster", "demo", "--role", &role];
    let ours = |name: &str, plugin: &Plugin| Subject::of(name, plugin.command(&args));
    let first = plugin.run(&args);
    if first.code != 0 {
        return Err(first.stderr);
    }

    let everything = Prepare::Remove { directory: plugin.cache_directory(), prefix: "" };
    let tokens = Prepare::Remove { directory: plugin.cache_directory(), prefix: "token-" };
    let truth = || Subject::of("`/bin/true`", command_in_path("true"));
    let empty = || Subject::of(&format!("an empty Rust program, {}", installed.kind), Command::new(&installed.empty));
    let cached = ours("cached token", &plugin);
    let new_token = ours("cached session, new token", &plugin).after(tokens);
    let cold = || ours("cold: GetCallerIdentity, AssumeRole", &plugin).after(everything.clone());

    let mut table = Table::new(&timer, &installed.size, &yardstick()?);
    // Subjects that take about a millisecond take turns, so that other load on the machine affects all of them.
    let mut fast = vec![truth(), empty(), cached, new_token];
    let machines = grown_machines(|| machine().env("AWS_CA_BUNDLE", &ca_bundle), &args)?;
    for (name, plugin) in &machines {
        // Remove the record of who asked, or this process would look like one whose token was refused.
        let marks = Prepare::Remove { directory: plugin.cache_directory(), prefix: "asked-" };
        fast.push(ours(name, plugin).after(marks));
    }
    let times = timer.medians(&fast, 10, 60)?;
    let base = times[0];
    for (subject, time) in fast.iter().zip(times) {
        let asked = calls(&sts, subject)?;
        table.add(Row { near: Some(time), ratio: Some(ratio(time, base)), ..row(subject, asked) });
    }

    let with_roots = system_roots().map(|roots| {
        let bundle = scratch.path().join("roots.pem");
        std::fs::write(&bundle, format!("{roots}{}", tls.ca_pem)).expect("a file");
        let plugin = plugin.clone().env_remove("AWS_CA_BUNDLE").env("SSL_CERT_FILE", bundle);
        ours("the same, trusting the system's authorities", &plugin).after(everything.clone())
    });
    let mut slow = vec![cold()];
    slow.extend(with_roots);
    let peers = [
        (
            "`aws eks get-token`",
            &["aws", "--region", "eu-west-1", "eks", "get-token", "--cluster-name", "demo", "--role-arn", &role][..],
        ),
        ("`aws-iam-authenticator token`", &["aws-iam-authenticator", "token", "-i", "demo", "-r", &role]),
    ];
    let mut others = Vec::new();
    let mut absent = Vec::new();
    for (name, line) in peers {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = command_in_path(line[0]);
        command.args(&line[1..]).envs(plugin.environment().iter().cloned()).env("PATH", path);
        let subject = Subject::of(name, command);
        match subject.run() {
            Ok(_) => others.push(subject),
            Err(why) => {
                eprintln!("{why}");
                absent.push(name);
            }
        }
    }
    for (subjects, rounds, runs) in [(slow, 5, 12), (others, 1, 6)] {
        let near = timer.medians(&subjects, rounds, runs)?;
        let base = timer.medians(&[truth()], rounds, 5 * runs)?[0];
        sts.set_delay(FAR);
        let far = timer.medians(&subjects, 1, 5)?;
        sts.set_delay(Duration::ZERO);
        for ((subject, near), far) in subjects.iter().zip(&near).zip(far) {
            let asked = calls(&sts, subject)?;
            table.add(Row {
                near: Some(*near),
                ratio: Some(ratio(*near, base)),
                far: Some(far),
                ..row(subject, asked)
            });
        }
    }
    for name in absent {
        table.add(Row { name: format!("{name} (not installed)"), ..Row::default() });
    }

    let before = sts.count("AssumeRole");
    let near = parallel(&plugin, &args)?;
    let asked = (sts.count("AssumeRole") - before) / TRIES;
    sts.set_delay(FAR);
    let far = parallel(&plugin, &args)?;
    sts.set_delay(Duration::ZERO);
    let name = format!("{PARALLEL} cold at once, until the last one exits, best of {TRIES}");
    table.add(Row { name, near: Some(near), far: Some(far), assume_roles: Some(asked), ..Row::default() });

    kubectl(&installed.binary, &timer, &mut table)?;
    let text = table.render();
    println!("\n{text}");
    if std::env::args().any(|arg| arg == "--write-readme") {
        table::write_readme(&text)?;
    }
    Ok(())
}

/// Machines on which something the cached path reads or is stored in is large.
fn grown_machines(machine: impl Fn() -> Plugin, args: &[&str]) -> Result<[(&'static str, Plugin); 3], String> {
    let many_profiles = machine().config(&(0..MANY).map(profile).collect::<String>());
    let many_entries = machine();
    let filler = "x".repeat(100_000);
    let exec_info = format!(
        r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{{"interactive":false,
        "cluster":{{"server":"https://localhost","config":{{"filler":"{filler}"}}}}}}}}"#
    );
    let large_exec_info = machine().env("KUBERNETES_EXEC_INFO", exec_info);
    for plugin in [&many_profiles, &many_entries, &large_exec_info] {
        let output = plugin.run(args);
        if output.code != 0 {
            return Err(output.stderr);
        }
    }
    for n in 0..MANY {
        let entry = many_entries.cache_directory().join(format!("token-{n:064x}"));
        std::fs::write(entry, "").map_err(|error| error.to_string())?;
    }
    Ok([
        ("cached token, among 10,000 entries", many_entries),
        ("cached token, 10,000 profiles in the config file", many_profiles),
        ("cached token, 100 kB in KUBERNETES_EXEC_INFO", large_exec_info),
    ])
}

/// One of many in a config file.
fn profile(n: usize) -> String {
    format!("[profile team-{n}]\nregion = eu-west-1\nrole_arn = arn:aws:iam::111122223333:role/r{n}\n\n")
}

fn ratio(time: Duration, base: Duration) -> f64 {
    time.as_secs_f64() / base.as_secs_f64()
}

fn row(subject: &Subject, assume_roles: usize) -> Row {
    Row {
        name: subject.name.clone(),
        assume_roles: Some(assume_roles),
        memory: timer::peak_memory(subject),
        instructions: timer::instructions(subject),
        ..Row::default()
    }
}

/// AssumeRole calls of one run.
fn calls(sts: &Sts, subject: &Subject) -> Result<usize, String> {
    let before = sts.count("AssumeRole");
    subject.run()?;
    Ok(sts.count("AssumeRole") - before)
}

/// The best of several tries, because each has to wait for the slowest of many processes.
fn parallel(plugin: &Plugin, args: &[&str]) -> Result<Duration, String> {
    let mut times = Vec::new();
    for _ in 0..TRIES {
        Prepare::Remove { directory: plugin.cache_directory(), prefix: "" }.run();
        let started = Instant::now();
        let spawn = |_| plugin.command(args).stdout(Stdio::null()).spawn().expect("it starts");
        let children: Vec<_> = (0..PARALLEL).map(spawn).collect();
        for mut child in children {
            if !child.wait().is_ok_and(|status| status.success()) {
                return Err("one of many failed".into());
            }
        }
        times.push(started.elapsed());
    }
    Ok(times.into_iter().min().expect("some"))
}

/// The time kubectl takes with the plugin, and with a given token.
fn kubectl(binary: &Path, timer: &Timer, table: &mut Table) -> Result<(), String> {
    let Some(kubectl) = find_all().into_iter().next_back() else { return Ok(()) };
    let sts = Sts::start();
    let cluster = Cluster::start("demo", "eu-west-1", &sts);
    let role = sts.add_role("dev", Role::for_group("developers"));
    cluster.map_role(&role, "{{SessionName}}");
    let plugin = Plugin::new(binary, &sts).keys(&sts.add_user("alice", &["developers"]));
    let args = ["token", "--cluster", "demo", "--role", &role];
    let text = kubeconfig(&cluster, &plugin, &ExecBlock::new(&args));
    let token = plugin.run(&[&args[..], &["--token-only"]].concat()).stdout;
    let ca = plugin.clone().write("cluster.pem", &cluster.ca_pem).home().join("cluster.pem");
    let authority = format!("--certificate-authority={}", ca.display());
    let (server, bearer) = (format!("--server={}", cluster.url()), format!("--token={}", token.trim()));
    let bare = [&server, &authority, &bearer, "get", "pods"];
    let subjects = [
        Subject::of(&format!("kubectl {} get pods, with the plugin", kubectl.version), {
            kubectl.command(&text, &plugin, &["get", "pods"])
        }),
        Subject::of("… with `--token` and no plugin", kubectl.command(&text, &plugin, &bare)),
    ];
    let times = timer.medians(&subjects, 5, 6)?;
    for (subject, time) in subjects.into_iter().zip(times) {
        table.add(Row { name: subject.name, near: Some(time), ..Row::default() });
    }
    Ok(())
}

struct Installed {
    binary: PathBuf,
    /// A program that does nothing, linked like it.
    empty: PathBuf,
    /// `static` or `dynamic`
    kind: &'static str,
    size: String,
}

fn install(scratch: &Path) -> Result<Installed, String> {
    let mut install = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh"));
    // Variables that cargo sets for a benchmark would cause some dependencies to be rebuilt.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_")) {
        if name != "CARGO_HOME" {
            install.env_remove(name);
        }
    }
    let output = install.arg("--prefix").arg(scratch).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err("install.sh failed".into());
    }
    let is_static = String::from_utf8_lossy(&output.stdout).contains(", static (musl");
    let source = scratch.join("empty.rs");
    let empty = scratch.join("empty");
    std::fs::write(&source, "fn main() {}\n").map_err(|error| error.to_string())?;
    let mut rustc = Command::new("rustc");
    rustc.args(["-O", "-C", "strip=symbols", "-C", "panic=abort", "-o"]).arg(&empty).arg(&source);
    if is_static {
        rustc.args(["--target", &format!("{}-unknown-linux-musl", std::env::consts::ARCH)]);
    }
    if !rustc.status().is_ok_and(|status| status.success()) {
        return Err("rustc cannot build an empty program".into());
    }
    let binary = scratch.join("bin/eks-group-auth");
    let kind = if is_static { "static" } else { "dynamic" };
    let size = size(&binary, kind)?;
    Ok(Installed { binary, empty, kind, size })
}

fn size(binary: &Path, kind: &str) -> Result<String, String> {
    let len = binary.metadata().map_err(|error| error.to_string())?.len();
    Ok(format!("{:.2} MiB, {kind}", len as f64 / (1 << 20) as f64))
}

fn system_roots() -> Option<String> {
    let places = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    places.iter().find_map(|path| std::fs::read_to_string(path).ok())
}

fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// The `true` that the ratios refer to, and how it is linked: one from another distribution may be twice as fast.
fn yardstick() -> Result<String, String> {
    let path = which("true").ok_or("`true` is not in PATH")?;
    let path = path.canonicalize().map_err(|error| error.to_string())?;
    let kind = against::kind(&path).map_err(|error| error.to_string())?;
    Ok(format!("`/bin/true` is `{}`, {kind}", path.display()))
}

fn command_in_path(name: &str) -> Command {
    Command::new(which(name).unwrap_or_else(|| name.into()))
}
