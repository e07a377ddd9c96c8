//! Runs the cases in `tests/cases`, each in its own home directory: real configurations and their expected results. The
//! README there describes the keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use sha2::Digest as _;

use crate::support::cluster::prove;
use crate::support::plugin::{Output, Plugin, output};
use crate::support::sigv4::hex;
use crate::support::world::World;

/// Cases that do not pass yet. Remove a name once its case passes.
const KNOWN_FAILURES: &[&str] = &[];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "what")]
    _what: String,
    #[serde(rename = "should")]
    _should: String,
    #[serde(rename = "source")]
    _source: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    bytes_files: BTreeMap<String, String>,
    #[serde(default)]
    dirs: Vec<String>,
    setup: Option<String>,
    #[serde(default)]
    env: Environment,
    args: Option<Vec<String>>,
    runs: Option<Vec<Run>>,
    #[serde(default)]
    sts: Value,
    expect: Expectation,
}

/// `null` removes a variable.
type Environment = BTreeMap<String, Option<String>>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    args: Option<Vec<String>>,
    #[serde(default)]
    env: Environment,
    before: Option<String>,
    #[serde(default)]
    fresh: bool,
    cluster: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    rc: i32,
    arn: Option<String>,
    stderr: Option<String>,
    not_stderr: Option<String>,
    n_assume: Option<usize>,
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
}

/// The files of the cases, in order.
fn files() -> Vec<PathBuf> {
    let paths = directory().read_dir().expect("there are cases").map(|entry| entry.expect("a readable entry").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    files
}

fn name_of(path: &Path) -> String {
    path.file_stem().expect("a file has a name").to_string_lossy().into_owned()
}

fn read(path: &Path) -> Case {
    let text = std::fs::read(path).expect("a readable case");
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn cases_match_their_checksums() {
    let sums = std::fs::read_to_string(directory().join("SHA256SUMS")).expect("a list of checksums");
    let listed: BTreeSet<(String, String)> = sums
        .lines()
        .map(|line| line.split_once("  ").expect("a checksum, two blanks, a name"))
        .map(|(sum, name)| (name.to_owned(), sum.to_owned()))
        .collect();
    let sum = |path: &PathBuf| hex(&sha2::Sha256::digest(std::fs::read(path).expect("a readable case")));
    let present: BTreeSet<(String, String)> =
        files().iter().map(|path| (format!("{}.json", name_of(path)), sum(path))).collect();
    let differ: Vec<&(String, String)> = listed.symmetric_difference(&present).collect();
    assert!(differ.is_empty(), "SHA256SUMS and the cases differ in {differ:#?}");
}

#[test]
fn every_case_passes() {
    let paths = files();
    assert!(!paths.is_empty(), "there are no cases");
    let names: BTreeSet<String> = paths.iter().map(|path| name_of(path)).collect();
    let strangers: Vec<&&str> = KNOWN_FAILURES.iter().filter(|name| !names.contains(**name)).collect();
    assert!(strangers.is_empty(), "no such cases: {strangers:?}");
    let mut failures = Vec::new();
    for (path, faults) in paths.iter().zip(judge_all(&paths)) {
        let is_known = KNOWN_FAILURES.contains(&name_of(path).as_str());
        match (faults.is_empty(), is_known) {
            (true, true) => failures.push(format!("{}: passes, but is listed as a known failure", name_of(path))),
            (false, false) => failures.push(format!("{}: {}", name_of(path), faults.join("\n    "))),
            _ => {}
        }
    }
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), paths.len(), failures.join("\n"));
}

/// Returns the failures of each case. Runs a few at a time, because cases mostly wait for processes.
fn judge_all(paths: &[PathBuf]) -> Vec<Vec<String>> {
    let next = AtomicUsize::new(0);
    let judge_some = || {
        let mut judged = Vec::new();
        while let Some((number, path)) =
            Some(next.fetch_add(1, Ordering::SeqCst)).and_then(|n| Some((n, paths.get(n)?)))
        {
            judged.push((number, judge(path)));
        }
        judged
    };
    let mut judged: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(judge_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no case panics")).collect()
    });
    judged.sort_by_key(|(number, _)| *number);
    judged.into_iter().map(|(_, faults)| faults).collect()
}

/// All failures of one case.
fn judge(path: &Path) -> Vec<String> {
    let case = read(path);
    let world = World::with_changes(&case.sts);
    let plugin = furnish(&case, &world);
    let mut faults = Vec::new();
    let only = [Run::default()];
    let (last, earlier) = case.runs.as_deref().unwrap_or(&only).split_last().expect("a case has a run");
    for (number, run) in (1..).zip(earlier) {
        let output = call(&case, run, &world, &plugin);
        if output.code != 0 {
            faults.push(format!("run {number} of several ended with {}: {}", output.code, output.stderr));
        }
    }
    let output = call(&case, last, &world, &plugin);
    let expected = &case.expect;
    if output.code != expected.rc {
        faults.push(format!("rc is {}, not {}: {}", output.code, expected.rc, output.stderr));
    }
    if output.code != 0 && !output.stdout.is_empty() {
        faults.push(format!("failed with something on stdout: {}", output.stdout));
    }
    if output.code == 0 && expected.rc == 0 {
        faults.extend(fault_of_token(&output, last, &world, expected));
    }
    let fits = |pattern: &str| pattern_of(pattern).is_match(&output.stderr);
    if let Some(pattern) = expected.stderr.as_ref().filter(|pattern| !fits(pattern)) {
        faults.push(format!("stderr has no {pattern}: {}", output.stderr));
    }
    if let Some(pattern) = expected.not_stderr.as_ref().filter(|pattern| fits(pattern)) {
        faults.push(format!("stderr has {pattern}: {}", output.stderr));
    }
    let assumed = world.sts.count("AssumeRole") + world.sts.count("AssumeRoleWithWebIdentity");
    if let Some(expected) = expected.n_assume.filter(|expected| *expected != assumed) {
        faults.push(format!("assumed {assumed} times, not {expected}"));
    }
    faults.extend(fault_of_words(path, &output, &world, &plugin));
    faults
}

/// A home directory with everything in the case.
fn furnish(case: &Case, world: &World) -> Plugin {
    let mut plugin = world.plugin();
    let home = plugin.home().to_owned();
    for directory in &case.dirs {
        std::fs::create_dir_all(home.join(directory)).expect("a directory");
    }
    for (path, text) in &case.files {
        let text = world.fill_in(text, &home);
        plugin = if text.starts_with("#!") { plugin.write_program(path, &text) } else { plugin.write(path, &text) };
    }
    for (path, hexadecimal) in &case.bytes_files {
        plugin = plugin.write_bytes(path, &bytes_of(hexadecimal));
    }
    if let Some(script) = &case.setup {
        bash(script, &plugin);
    }
    with(plugin, &case.env, world)
}

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("two ASCII digits"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("two digits")).collect()
}

fn bash(script: &str, plugin: &Plugin) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(plugin.home()).env_clear().env("HOME", plugin.home()).env("PATH", path);
    let output = output(command);
    assert_eq!(output.code, 0, "`{script}` failed: {}", output.stderr);
}

fn with(plugin: Plugin, environment: &Environment, world: &World) -> Plugin {
    environment.iter().fold(plugin, |plugin, (name, value)| {
        let value = value.as_ref().map(|value| world.fill_in(value, plugin.home()));
        match value {
            Some(value) => plugin.env(name, value),
            None => plugin.env_remove(name),
        }
    })
}

fn call(case: &Case, run: &Run, world: &World, plugin: &Plugin) -> Output {
    if run.fresh && plugin.cache_directory().exists() {
        std::fs::remove_dir_all(plugin.cache_directory()).expect("a cache of ours");
    }
    if let Some(script) = &run.before {
        bash(script, plugin);
    }
    let usual = ["token", "--cluster", "demo", "--region", "eu-west-1"].map(str::to_owned);
    let args = run.args.as_deref().or(case.args.as_deref()).unwrap_or(&usual);
    let args: Vec<String> = args.iter().map(|arg| world.fill_in(arg, plugin.home())).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    with(plugin.clone(), &run.env, world).run(&args)
}

/// Patterns are searched in the whole text, across line endings.
fn pattern_of(pattern: &str) -> Regex {
    Regex::new(&format!("(?s){pattern}")).unwrap_or_else(|error| panic!("{error}"))
}

/// What is wrong with the token or its identity, according to STS.
fn fault_of_token(output: &Output, run: &Run, world: &World, expected: &Expectation) -> Option<String> {
    let document: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    // With --token-only, stdout is just the token.
    let token = document.pointer("/status/token").and_then(Value::as_str).unwrap_or(output.stdout.trim_end());
    let proof = match prove(&world.sts, run.cluster.as_deref().unwrap_or("demo"), token) {
        Ok(proof) => proof,
        Err(why) => return Some(format!("the token is not good: {why}")),
    };
    let whose = format!("{} via {}", proof.arn, proof.host);
    let pattern = expected.arn.as_ref().filter(|pattern| !pattern_of(pattern).is_match(&whose))?;
    Some(format!("the token is of {whose}, which has no {pattern}"))
}

/// Compares stderr with the file next to the case.
fn fault_of_words(path: &Path, output: &Output, world: &World, plugin: &Plugin) -> Option<String> {
    let expected = std::fs::read_to_string(path.with_extension("stderr")).ok()?;
    let home = plugin.home().display().to_string();
    let program = plugin.binary().display().to_string();
    let said = output.stderr.replace(&world.sts.url(), "{sts}").replace(&home, "{home}").replace(&program, "{program}");
    (said != expected).then(|| format!("stderr is\n{said}and not\n{expected}"))
}
