//! `cargo bench -- --against BINARY`: compares the cost of a cached call with this tree's binary and with another one,
//! such as from an earlier commit. Each has its own home directory, because their caches may differ. The exit code does
//! not depend on the result; the output says which limits were met.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::pairs::Pairs;
use crate::support::plugin::Plugin;
use crate::support::sts::{Keys, Role, Sts};
use crate::table::about;
use crate::timer::{self, Prepare, Subject, Timer};
use crate::verdict::{Line, Verdict};
use crate::{MANY, install, profile, size};

/// Pairs per case; half of them in each order.
const PAIRS: usize = 1000;

/// Addresses are random, so the number of pages can vary by one.
const FAULT_RUNS: usize = 201;

const FEW: usize = 5;

/// The other binary, if the command line names one.
pub fn other(mut args: impl Iterator<Item = OsString>) -> Result<Option<PathBuf>, String> {
    let Some(arg) = args.find(|arg| arg == "--against" || arg.to_string_lossy().starts_with("--against=")) else {
        return Ok(None);
    };
    let file = match arg.to_string_lossy().split_once('=') {
        Some((_, file)) => Some(file.into()),
        // cargo appends its own --bench.
        None => args.next().filter(|next| !next.to_string_lossy().starts_with("--")),
    };
    let file = file.filter(|file| !file.is_empty());
    file.map(|file| Some(file.into())).ok_or_else(|| "--against needs the binary to compare with".into())
}

/// The arguments, and the machine to run them on.
type Case<'a> = (&'a str, &'a [&'a str], &'a dyn Fn(&Path) -> Plugin);

pub fn compare(named: &Path) -> Result<(), String> {
    check(named).map_err(|why| format!("--against {}: {why}", named.display()))?;
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    // Copied next to ours, with a path of the same length: the length of a path affects instructions, and the layout in
    // the page cache affects page faults.
    let other = scratch.path().join("old/eks-group-auth");
    std::fs::create_dir(scratch.path().join("old")).map_err(|error| error.to_string())?;
    std::fs::copy(named, &other).map_err(|error| error.to_string())?;
    let installed = install(scratch.path())?;
    let ours = installed.binary;

    let sts = Sts::start();
    let role = sts.add_role("dev", Role::for_group("developers"));
    let alice = sts.add_user("alice", &["developers"]);
    let by_keys = |binary: &Path| Plugin::new(binary, &sts).keys(&alice);
    let by_kubectl = |binary: &Path| {
        let exec_info =
            r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}"#;
        by_keys(binary).env("KUBERNETES_EXEC_INFO", exec_info)
    };
    let among = |count| {
        let (sts, role, alice) = (&sts, &role, &alice);
        move |binary: &Path| by_profile(Plugin::new(binary, sts), count, role, alice)
    };
    let args = ["token", "--cluster", "demo", "--role", &role];
    let cases: [Case; 4] = [
        ("cached token, keys in the environment", &args, &by_keys),
        ("the same, asked for by kubectl", &args, &by_kubectl),
        ("cached token, a profile with a role, 5 profiles", &args[..3], &among(FEW)),
        ("the same among 10,000 profiles", &args[..3], &among(MANY)),
    ];

    let mut lines = Vec::new();
    for (name, args, machine) in cases {
        let mut of_case = measure(&sts, args, &machine(&other), &machine(&ours))?;
        of_case[0].what = format!("{name}: {}", of_case[0].what);
        eprintln!("  {name}");
        lines.extend(of_case);
    }
    println!("\n{}", about(&Timer::Own, &installed.size));
    let kind = kind(&other).map_err(|error| error.to_string())?;
    println!(
        "The other is {}, {}; {PAIRS} pairs, of which ratio and difference are medians.",
        named.display(),
        size(&other, kind)?
    );
    if kind != installed.kind {
        println!("One is static and the other is not: that alone makes most of the difference.");
    }
    println!("\n| | other | this tree | ratio | difference (95 %) | bar |\n|---|---:|---:|---:|---:|---|");
    for line in &lines {
        println!("{}", line.render());
    }
    let count = |verdict| lines.iter().filter(|line| line.verdict() == Some(verdict)).count();
    let counts = Verdict::ALL.map(|verdict| format!("{} {}", verdict.words(), count(verdict)));
    println!("\nBars: {}.", counts.join(", "));
    Ok(())
}

/// Checks that the file is some version of this program, before spending minutes on a build.
fn check(file: &Path) -> Result<(), String> {
    // Not a bare name, which would be searched in PATH.
    let file = file.canonicalize().map_err(|error| error.to_string())?;
    let output = Command::new(file).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("it does not run: {error}"))?;
    if !output.status.success() {
        return Err(format!("it does not run: --version ends with {}", output.status));
    }
    let is_ours = output.stdout.starts_with(b"eks-group-auth ");
    is_ours.then_some(()).ok_or_else(|| "it is another program: its --version does not say eks-group-auth".into())
}

/// A machine with this many profiles, the last of which assumes a role with the keys of the one before it.
fn by_profile(machine: Plugin, count: usize, role: &str, keys: &Keys) -> Plugin {
    let others: String = (0..count - 2).map(profile).collect();
    let config = format!(
        "{others}[profile keys]\nregion = eu-west-1\n\n\
        [profile dev]\nregion = eu-west-1\nrole_arn = {role}\nsource_profile = keys\n"
    );
    let (id, secret) = (&keys.access_key_id, &keys.secret_access_key);
    let credentials = format!("[keys]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    machine.config(&config).write(".aws/credentials", &credentials).env("AWS_PROFILE", "dev")
}

/// Static or dynamic: a dynamic binary names its loader in its first page.
pub fn kind(binary: &Path) -> std::io::Result<&'static str> {
    let mut head = Vec::new();
    std::fs::File::open(binary)?.take(4096).read_to_end(&mut head)?;
    let names_loader = ["/ld-", "/dyld"].iter().any(|name| head.windows(name.len()).any(|at| at == name.as_bytes()));
    Ok(if names_loader { "dynamic" } else { "static" })
}

/// Time, instructions, page faults, memory of a case.
fn measure(sts: &Sts, args: &[&str], other: &Plugin, ours: &Plugin) -> Result<[Line; 4], String> {
    // Remove the record of who asked, or this process would look like one whose token was refused.
    let marks = |plugin: &Plugin| Prepare::Remove { directory: plugin.cache_directory(), prefix: "asked-" };
    let subject = |name, plugin: &Plugin| Subject::of(name, plugin.command(args)).after(marks(plugin));
    let answer = |plugin: &Plugin| {
        marks(plugin).run();
        let output = plugin.run(args);
        if output.code == 0 { Ok(output.stdout) } else { Err(output.stderr) }
    };
    let answers = || Ok::<_, String>([answer(other)?, answer(ours)?]);
    let warmed = answers()?;
    let calls = sts.calls().len();
    let subjects = [subject("the other binary", other), subject("this tree's binary", ours)];
    let [other, ours] = &subjects;

    let pairs = Pairs::measure(other, ours, PAIRS)?;
    let lines = [
        Line::time(&pairs),
        Line::instructions(subjects.each_ref().map(timer::instructions)),
        Line::page_faults(timer::page_faults(&subjects, FAULT_RUNS)?),
        Line::memory(subjects.each_ref().map(timer::peak_memory)),
    ];
    if sts.calls().len() != calls || answers()? != warmed {
        return Err("one of the two did not answer from its cache".into());
    }
    Ok(lines)
}
