//! Generated configurations, each given to the program and to the AWS CLI: both must use the same identity, or both
//! must fail.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use regex::Regex;
use serde_json::Value;

/// The program's deliberate differences.
mod exceptions;
/// Structured config and credentials files.
mod ini;
/// Generating worlds from a seed.
mod make;

use self::exceptions::EXCEPTIONS;
use self::make::{FEATURES, World, make, settle};
use crate::support::aws_cli::{AwsCli, python};
use crate::support::cluster::prove;
use crate::support::plugin::Plugin;
use crate::support::world;

/// Enough for every feature to occur.
const WORLDS: u64 = 600;
const SEED: u64 = 20_261_125;

/// The signer's identity according to STS, or why there is none.
type Answer = Result<String, String>;

/// How the answers to one world compare.
struct Judgement {
    number: u64,
    world: World,
    ours: Answer,
    theirs: Answer,
    /// The exceptions needed for them to agree; `None` if they disagree.
    exceptions: Option<Vec<&'static str>>,
}

/// A number from the environment, to select other worlds.
fn number_in(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

#[test]
fn the_aws_cli_finds_the_same_identity_in_the_same_world() {
    let Some(python) = python() else { return };
    let seed = number_in("WORLDS_SEED").unwrap_or(SEED);
    let worlds: Vec<u64> = match number_in("WORLD") {
        Some(number) => vec![number],
        None => (0..number_in("WORLDS").unwrap_or(WORLDS)).collect(),
    };
    let judged = judge_all(&python, seed, &worlds);
    let report = report(&judged);
    println!("{report}");
    let apart = judged.iter().filter(|judgement| judgement.exceptions.is_none());
    let shown: Vec<String> = apart.clone().take(if worlds.len() == 1 { 1 } else { 5 }).map(describe).collect();
    assert!(
        shown.is_empty(),
        "the AWS CLI and the program disagree in {} of {} worlds; one alone: WORLDS_SEED={seed} WORLD=n\n{}",
        apart.count(),
        judged.len(),
        shown.join("\n")
    );
    // A subset of the worlds does not have to cover everything.
    if judged.len() as u64 >= WORLDS {
        is_worth_it(&judged);
    }
}

/// Checks that every feature occurs, and that the tools agree both on identities and on failures.
fn is_worth_it(judged: &[Judgement]) {
    let occurs = |feature: &&&str| judged.iter().any(|judgement| judgement.world.features.contains(**feature));
    let missing: Vec<&&str> = FEATURES.iter().filter(|feature| !occurs(feature)).collect();
    assert!(missing.is_empty(), "no world has {missing:?}");
    let is_used = |name: &str| judged.iter().flat_map(|one| &one.exceptions).any(|names| names.contains(&name));
    let idle: Vec<&str> = EXCEPTIONS.iter().map(|one| one.name).filter(|name| !is_used(name)).collect();
    assert!(idle.is_empty(), "no world needs these exceptions: {idle:?}");
    let share = |agree: fn(&Judgement) -> bool| judged.iter().filter(|one| agree(one)).count() * 100 / judged.len();
    let of_identity = share(|one| one.theirs.is_ok() && one.ours.is_ok());
    let of_refusal = share(|one| one.theirs.is_err() && one.ours.is_err());
    assert!(of_identity >= 30, "there is a signer in only {of_identity} of 100 worlds");
    assert!(of_refusal >= 20, "there is no signer in only {of_refusal} of 100 worlds");
}

/// Two at a time, because a world mostly waits for the AWS CLI.
fn judge_all(python: &Path, seed: u64, worlds: &[u64]) -> Vec<Judgement> {
    let account = world::World::new();
    settle(&account.sts);
    // One cache for all worlds: no world may be served another one's entries.
    let cache = tempfile::tempdir().expect("a temporary directory");
    let next = AtomicUsize::new(0);
    let judged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..worlds.len().min(2) {
            scope.spawn(|| {
                let mut cli = AwsCli::start(python);
                while let Some(number) = worlds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let judgement = judge(&account, &mut cli, cache.path(), seed, *number);
                    judged.lock().expect("no judge panics").push(judgement);
                }
            });
        }
    });
    let mut judged = judged.into_inner().expect("no judge panics");
    judged.sort_by_key(|judgement: &Judgement| judgement.number);
    judged
}

fn judge(account: &world::World, cli: &mut AwsCli, cache: &Path, seed: u64, number: u64) -> Judgement {
    let world = make(seed.wrapping_mul(1_000_003).wrapping_add(number));
    let ours = ours(account, cache, &world);
    let their_answer = theirs(account, cli, &world);
    let exceptions = if agree(&ours, &their_answer) {
        Some(Vec::new())
    } else {
        explanation(&world, &ours, |translated| theirs(account, cli, translated))
    };
    Judgement { number, world, ours, theirs: their_answer, exceptions }
}

/// The exceptions that make the AWS CLI agree with us: a single one, or all that apply.
fn explanation(world: &World, ours: &Answer, mut theirs: impl FnMut(&World) -> Answer) -> Option<Vec<&'static str>> {
    let mut by_all = world.clone();
    let mut applied = Vec::new();
    for exception in EXCEPTIONS {
        let mut by_one = world.clone();
        if (exception.translate)(&mut by_one) && agree(ours, &theirs(&by_one)) {
            return Some(vec![exception.name]);
        }
        if (exception.translate)(&mut by_all) {
            applied.push(exception.name);
        }
    }
    (applied.len() > 1 && agree(ours, &theirs(&by_all))).then_some(applied)
}

/// The session name is only compared if it was set: by default, each tool generates its own.
fn agree(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => match theirs.split_once("/botocore-session-") {
            Some((role, _)) => ours.rsplit_once('/').is_some_and(|(our_role, _)| our_role == role),
            None => ours == theirs,
        },
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

/// A machine with everything in this world.
fn furnish(account: &world::World, world: &World) -> Plugin {
    let mut plugin = account.plugin();
    let home = plugin.home().to_owned();
    for directory in &world.directories {
        std::fs::create_dir_all(home.join(directory)).expect("a directory");
    }
    for (path, text) in &world.files {
        plugin = plugin.write(path, &account.fill_in(text, &home));
    }
    let inis = [(&world.config, &world.config_path), (&world.credentials, &world.credentials_path)];
    for (ini, path) in inis {
        if let Some(ini) = ini {
            plugin = plugin.write_bytes(path, &filled_in(account, &ini.text(), &home));
        }
    }
    let url = account.sts.url();
    plugin = plugin.env("AWS_ENDPOINT_URL_SSO", &url).env("AWS_ENDPOINT_URL_SSO_OIDC", &url);
    world.env.iter().fold(plugin, |plugin, (name, value)| plugin.env(name, account.fill_in(value, &home)))
}

/// Fills in the placeholders in a file that may not be valid text.
fn filled_in(account: &world::World, bytes: &[u8], home: &Path) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => account.fill_in(text, home).into_bytes(),
        Err(error) => {
            let (text, rest) = bytes.split_at(error.valid_up_to());
            let text = std::str::from_utf8(text).expect("it is valid up to there");
            [account.fill_in(text, home).as_bytes(), rest].concat()
        }
    }
}

fn ours(account: &world::World, cache: &Path, world: &World) -> Answer {
    let plugin = furnish(account, world).env("EKS_GROUP_AUTH_CACHE_DIR", cache);
    let mut args = vec!["--region", "eu-west-1"];
    if let Some(profile) = &world.profile {
        args.extend(["--profile", profile]);
    }
    let output = plugin.token(&args);
    if output.code != 0 {
        // A panic or a partial answer does not count as a refusal, so it agrees with nothing.
        if !(2..=6).contains(&output.code) || !output.stdout.is_empty() {
            return Ok(format!("a defect: ended with {}: {}{}", output.code, output.stdout, output.stderr));
        }
        return Err(in_general(&output.stderr, &plugin, account));
    }
    let document: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    let token = document.pointer("/status/token").and_then(Value::as_str).unwrap_or_default();
    prove(&account.sts, "demo", token).map(|proof| proof.arn).map_err(|why| format!("a token that is not good: {why}"))
}

fn theirs(account: &world::World, cli: &mut AwsCli, world: &World) -> Answer {
    let plugin = furnish(account, world);
    let mut args = vec!["sts", "get-caller-identity", "--region", "eu-west-1", "--output", "json"];
    if let Some(profile) = &world.profile {
        args.extend(["--profile", profile]);
    }
    let output = cli.call(&plugin, &args);
    if output.code != 0 {
        return Err(in_general(&output.stderr, &plugin, account));
    }
    let document: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    Ok(document["Arn"].as_str().unwrap_or("nobody").to_owned())
}

/// The message without the parts that differ from run to run.
fn in_general(said: &str, plugin: &Plugin, account: &world::World) -> String {
    let home = plugin.home().display().to_string();
    said.trim().replace(&home, "{home}").replace(&account.sts.url(), "{sts}")
}

/// The first line of an answer without the parts that differ from world to world.
fn kind_of(answer: &Answer) -> String {
    static NAMES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"`[^`]*`|"[^"]*"|'[^']*'|\([^)]*\)|[0-9]+"#).expect("a pattern"));
    match answer {
        Ok(defect) if defect.starts_with("a defect") => defect.chars().take(110).collect(),
        Ok(arn) => arn.split([':', '/']).nth(5).unwrap_or("somebody").to_owned(),
        Err(why) => {
            let line = why.lines().rfind(|line| line.contains("error: ")).or(why.lines().last()).unwrap_or_default();
            NAMES.replace_all(line.trim_start_matches("eks-group-auth: error: "), "_").chars().take(110).collect()
        }
    }
}

/// Reports how many agree, which exceptions were needed, and the kinds of disagreement.
fn report(judged: &[Judgement]) -> String {
    let mut agreed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut used: BTreeMap<&str, usize> = EXCEPTIONS.iter().map(|exception| (exception.name, 0)).collect();
    let mut apart: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    for one in judged {
        match &one.exceptions {
            Some(exceptions) => {
                let kind = match (exceptions.is_empty(), one.ours.is_ok()) {
                    (true, true) => "both sign as the same",
                    (true, false) => "both refuse",
                    (false, _) => "by an exception",
                };
                *agreed.entry(kind).or_default() += 1;
                for name in exceptions {
                    *used.entry(name).or_default() += 1;
                }
            }
            None => apart.entry((kind_of(&one.theirs), kind_of(&one.ours))).or_default().push(one.number),
        }
    }
    let mut apart: Vec<_> = apart.into_iter().collect();
    apart.sort_by_key(|(_, numbers)| std::cmp::Reverse(numbers.len()));
    let mut lines: Vec<String> = agreed.iter().map(|(kind, count)| format!("{count:5} {kind}")).collect();
    lines.extend(used.iter().map(|(name, count)| format!("{count:5} exception: {name}")));
    for ((theirs, ours), numbers) in apart {
        let some: Vec<String> = numbers.iter().take(6).map(u64::to_string).collect();
        lines.push(format!(
            "{:5} disagree: the CLI: {theirs}\n                we: {ours}\n                worlds {}",
            numbers.len(),
            some.join(", ")
        ));
    }
    lines.join("\n")
}

/// A file's text, with invisible characters made visible.
fn visible(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.replace('\t', "<tab>").replace('\r', "<CR>").replace('\u{a0}', "<no-break space>").replace('\u{feff}', "<BOM>")
}

/// A world described so that it can be recreated by hand.
fn describe(judgement: &Judgement) -> String {
    let world = &judgement.world;
    let mut text = format!("---- world {}\nfeatures: {:?}\n", judgement.number, world.features);
    for (ini, path) in [(&world.config, &world.config_path), (&world.credentials, &world.credentials_path)] {
        if let Some(ini) = ini {
            text.push_str(&format!("-- {path}\n{}", visible(&ini.text())));
        }
    }
    for (path, content) in &world.files {
        text.push_str(&format!("-- {path}: {content:?}\n"));
    }
    text.push_str(&format!("-- directories {:?}\n", world.directories));
    for (name, value) in &world.env {
        text.push_str(&format!("-- {name}={value:?}\n"));
    }
    text.push_str(&format!("-- --profile {:?}\n", world.profile));
    text.push_str(&format!("the CLI: {:?}\nwe:      {:?}\n", judgement.theirs, judgement.ours));
    text
}
