//! Compares this project's parser for the AWS files with botocore's, whose grammar it follows: both parse generated
//! pairs of files, and the results are compared section by section and value by value.
//!
//! Set `READER_CASES` for the number of pairs (200000 take a while) and `READER_SEED` in the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use eks_group_auth::aws::error::Error;
use eks_group_auth::aws::profile::grammar::{AwsFile, Property, Section};
use eks_group_auth::aws::profile::{Kind, Profile, ProfileFiles};
use eks_group_auth::say::words;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::aws_cli::{JsonLines, python};
use generator::{Document, FEATURES};

#[test]
fn the_reader_agrees_with_botocore() {
    let Some(python) = python() else { return };
    let cases = from_environment("READER_CASES").unwrap_or(2500);
    let seed = from_environment("READER_SEED").unwrap_or(20_261_105);
    let directory = tempfile::tempdir().expect("a directory");
    let botocore = JsonLines::start(&python, "tests/plugin/botocore_reader.py", &[directory.path()]);
    let state = Mutex::new((botocore, Counts::default()));

    let config = Config {
        cases: u32::try_from(cases).expect("the number of cases fits in 32 bits"),
        failure_persistence: None,
        ..Config::default()
    };
    // Every choice creates its own generator, and ChaCha, the default, would take half of the time. The seed must not
    // be zero.
    let seed_bytes = (u128::from(seed) + (1 << 64)).to_le_bytes();
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::XorShift, &seed_bytes));
    let run = runner.run(&generator::pair(), |(config, credentials)| {
        let (botocore, counts) = &mut *state.lock().expect("one thread");
        let answer = botocore.ask(&json!({"config": config.text, "credentials": credentials.text}));
        counts.add(&config, &answer["config"]);
        counts.add(&credentials, &answer["credentials"]);
        counts.add_pair(&answer);
        compare(&config.text, &credentials.text, &answer).map_err(TestCaseError::fail)
    });
    if let Err(TestError::Fail(why, (config, credentials))) = run {
        panic!(
            "READER_SEED={seed} READER_CASES={cases}: {why}\nthe config file:      {:?}\nthe credentials file: {:?}",
            config.text, credentials.text
        );
    }
    assert_eq!(run.map_err(|error| error.to_string()), Ok(()), "READER_SEED={seed}");
    let (_, counts) = &*state.lock().expect("one thread");
    println!("READER_SEED={seed} READER_CASES={cases}\n{counts}");
    // A small number of cases does not cover every feature.
    if cases >= 1000 {
        counts.check();
    }
}

fn from_environment(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value}")))
}

/// Counts what was generated, to make sure that the test covers it.
#[derive(Default)]
struct Counts {
    files: usize,
    accepted: usize,
    refused: BTreeMap<String, usize>,
    pairs_accepted: usize,
    features: BTreeMap<&'static str, usize>,
    /// In files that botocore accepts.
    features_accepted: BTreeMap<&'static str, usize>,
}

impl Counts {
    fn add(&mut self, document: &Document, answer: &Value) {
        self.files += 1;
        match Refusal::of(answer) {
            None => self.accepted += 1,
            Some(refusal) => *self.refused.entry(refusal.kind).or_default() += 1,
        }
        for feature in document.features.iter().collect::<BTreeSet<_>>() {
            *self.features.entry(feature).or_default() += 1;
            *self.features_accepted.entry(feature).or_default() += usize::from(answer["refused"].is_null());
        }
    }

    fn add_pair(&mut self, answer: &Value) {
        self.pairs_accepted += usize::from(!answer["both"].is_null());
        let of_config = rough_names(&answer["config"]["meant"]["sections"]);
        let in_both = object(&answer["credentials"]["meant"]["sections"]).keys().any(|name| of_config.contains(name));
        if in_both {
            *self.features.entry(IN_BOTH).or_default() += 1;
            *self.features_accepted.entry(IN_BOTH).or_default() += usize::from(!answer["both"].is_null());
        }
    }

    fn check(&self) {
        for feature in FEATURES.iter().chain([&IN_BOTH]) {
            assert!(self.features.contains_key(feature), "no file had this: {feature}");
        }
        for feature in self.features.keys() {
            assert!(FEATURES.contains(feature) || *feature == IN_BOTH, "not in the list: {feature}");
        }
        let refused: usize = self.refused.values().sum();
        assert!(self.accepted * 10 >= self.files * 3, "botocore accepts {} of {}", self.accepted, self.files);
        assert!(refused * 10 >= self.files * 2, "botocore refuses {refused} of {}", self.files);
    }
}

const IN_BOTH: &str = "a profile in both files";

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts { files, accepted, pairs_accepted, refused, .. } = self;
        writeln!(f, "{files} files, accepted: {accepted} ({pairs_accepted} pairs), refused: {refused:?}")?;
        for (feature, count) in &self.features {
            writeln!(f, "{count:7} ({:6} accepted) {feature}", self.features_accepted[feature])?;
        }
        Ok(())
    }
}

/// The approximate profile names in the config file, used only for counting.
fn rough_names(sections: &Value) -> BTreeSet<String> {
    let second_word = |header: &String| Some(words::split(header)?.get(1)?.clone());
    object(sections).keys().map(|header| second_word(header).unwrap_or_else(|| header.clone())).collect()
}

/// Why botocore rejects a file.
struct Refusal {
    kind: String,
    lines: Vec<u32>,
}

impl Refusal {
    fn of(answer: &Value) -> Option<Self> {
        let refused = answer["refused"].as_object()?;
        let kind = refused["kind"].as_str().expect("the name of an exception").to_owned();
        Some(Refusal { kind, lines: numbers(&refused["lines"]) })
    }
}

/// Deliberate difference: a byte order mark is ignored. botocore treats it as a line before the first section.
fn is_refused_for_its_byte_order_mark(text: &str, refusal: &Refusal) -> bool {
    text.starts_with('\u{feff}') && refusal.kind == "MissingSectionHeaderError" && refusal.lines == [1]
}

/// Deliberate difference: repeated sections and options are merged. botocore reports the line of the second one.
fn is_refused_for_what_stands_twice(text: &str, refusal: &Refusal) -> bool {
    let [line] = refusal.lines[..] else { return false };
    let lines: Vec<String> = lines_trimmed(text).take(line as usize).collect();
    let (second, before) = lines.split_last().expect("a line has a number from 1");
    match refusal.kind.as_str() {
        "DuplicateSectionError" => {
            let to_last_bracket = |line: &str| line.rfind(']').map(|end| line[..end].to_owned());
            before.iter().any(|line| to_last_bracket(line) == to_last_bracket(second))
        }
        "DuplicateOptionError" => before.iter().any(|line| key(line) == key(second)),
        _ => false,
    }
}

/// Every broken table in `[DEFAULT]` is reported. botocore only checks those that some section does not override.
fn may_have_a_broken_table_in_defaults(text: &str) -> bool {
    text.contains("[DEFAULT")
}

/// If an option is repeated, which botocore rejects anyway, a broken table is reported even if it is overridden.
fn has_an_option_twice(text: &str) -> bool {
    let keys: Vec<String> =
        lines_trimmed(text).filter(|line| line.contains(['=', ':'])).map(|line| key(&line)).collect();
    keys.iter().collect::<BTreeSet<_>>().len() < keys.len()
}

fn lines_trimmed(text: &str) -> impl Iterator<Item = String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split('\n').map(|line| line.trim_matches(is_space).to_owned()).collect::<Vec<_>>().into_iter()
}

/// In lower case, as options are compared.
fn key(line: &str) -> String {
    line.split(['=', ':']).next().unwrap_or_default().trim_end_matches(is_space).to_lowercase()
}

/// Deliberate difference: blanks just inside the brackets are trimmed. botocore treats them as part of the section
/// name.
fn has_blanks_inside_brackets(text: &str) -> bool {
    text.split(['\n', '\r']).any(|line| {
        let line = line.trim_matches(is_space);
        let inside = line.strip_prefix('[').and_then(|rest| Some(&rest[..rest.rfind(']')?]));
        inside.is_some_and(|inside| inside.starts_with([' ', '\t']) || inside.ends_with([' ', '\t']))
    })
}

/// Whitespace as defined by Python.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Deliberate difference: an empty property counts as unset, and the config file's value is used.
fn is_unset_for_us(value: &Value) -> bool {
    value == ""
}

/// Deliberate difference: a comment after the value of a single-word property is removed.
fn may_have_a_comment(value: &str) -> bool {
    value.contains(['#', ';'])
}

/// The script's marker for lines that cannot be parsed; it is not a valid option name.
fn is_marker(option: &str) -> bool {
    option.starts_with('\0')
}

fn compare(config: &str, credentials: &str, answer: &Value) -> Result<(), String> {
    for (file, text) in [("config", config), ("credentials", credentials)] {
        compare_file(text, &answer[file]).map_err(|why| format!("{file}: {why}"))?;
    }
    let files = ProfileFiles::new((Path::new("config"), config), (Path::new("credentials"), credentials));
    let is_strict = !answer["both"].is_null();
    if is_strict && ![config, credentials].into_iter().any(has_blanks_inside_brackets) {
        compare_profiles(&files, &answer["both"], answer)?;
    }
    compare_profiles(&files, &answer["both_meant"], answer).map_err(|why| format!("as meant: {why}"))?;
    let broken: Vec<_> = files.broken_lines().collect();
    for (file, text) in [("config", config), ("credentials", credentials)] {
        let of_file: Vec<u32> =
            broken.iter().filter(|(path, _)| *path == Path::new(file)).map(|(_, broken)| broken.line).collect();
        compare_broken_lines(text, &of_file, &answer[file]).map_err(|why| format!("{file}: {why}"))?;
    }
    Ok(())
}

/// Compares the lines reported as broken with botocore's result.
fn compare_broken_lines(text: &str, ours: &[u32], answer: &Value) -> Result<(), String> {
    match Refusal::of(answer) {
        None if !ours.is_empty() && !may_have_a_broken_table_in_defaults(text) => {
            return Err(format!("botocore accepts it, and these lines are broken: {ours:?}"));
        }
        Some(refusal)
            if ours.is_empty()
                && !is_refused_for_its_byte_order_mark(text, &refusal)
                && !is_refused_for_what_stands_twice(text, &refusal) =>
        {
            return Err(format!("botocore refuses it ({} {:?}), and no line is broken", refusal.kind, refusal.lines));
        }
        _ => {}
    }
    // Only the first broken line of each section has to match, and botocore's parser does not know tables.
    let theirs = numbers(&answer["meant"]["broken"]);
    let broken_tables = object(&answer["meant"]["sections"]).values().any(has_broken_table);
    if let Some(first) = theirs.iter().min()
        && !ours.contains(first)
    {
        return Err(format!("line {first} is broken, but only these are reported: {ours:?}"));
    }
    let others: Vec<_> = ours.iter().filter(|line| !theirs.contains(line)).collect();
    let is_right = match others.as_slice() {
        [] => !broken_tables,
        _ => broken_tables || may_have_a_broken_table_in_defaults(text) || has_an_option_twice(text),
    };
    if !is_right {
        return Err(format!("broken tables: {broken_tables}, lines said to be in some: {others:?}"));
    }
    Ok(())
}

fn has_broken_table(options: &Value) -> bool {
    object(options).values().any(Value::is_null)
}

/// Compares the sections of one file, regardless of their kind.
fn compare_file(text: &str, answer: &Value) -> Result<(), String> {
    let ours = sections(text)?;
    if !answer["sections"].is_null() && !has_blanks_inside_brackets(text) {
        compare_objects(&ours, object(&answer["sections"]))?;
    }
    compare_objects(&ours, object(&answer["meant"]["sections"])).map_err(|why| format!("as meant: {why}"))
}

fn compare_objects(ours: &Map<String, Value>, theirs: &Map<String, Value>) -> Result<(), String> {
    for name in ours.keys().chain(theirs.keys()) {
        let (of_ours, of_theirs) = (ours.get(name), theirs.get(name));
        if of_ours.zip(of_theirs).is_none_or(|(ours, theirs)| {
            is_broken(ours) != is_broken(theirs) || without_markers(ours) != without_markers(theirs)
        }) {
            let shown = |value: Option<&Value>| value.map_or("none".to_owned(), Value::to_string);
            return Err(format!("section {name:?}: ours {}, botocore's {}", shown(of_ours), shown(of_theirs)));
        }
    }
    Ok(())
}

fn is_broken(options: &Value) -> bool {
    object(options).keys().any(|option| is_marker(option))
}

fn without_markers(options: &Value) -> Map<String, Value> {
    object(options).clone().into_iter().filter(|(option, _)| !is_marker(option)).collect()
}

/// All sections of one file as parsed by our reader, in the format of botocore's answers.
fn sections(text: &str) -> Result<Map<String, Value>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file = AwsFile::new(text);
    let mut last_line = 0;
    let mut sections = Map::new();
    for (name, line) in file.headers() {
        if line <= last_line {
            return Err(format!("the header {name:?} is in line {line}, behind line {last_line}"));
        }
        last_line = line;
        let Some(section) = file.section(name) else { return Err(format!("a header without a section: {name:?}")) };
        sections.insert(name.to_owned(), options(&section)?);
    }
    Ok(sections)
}

fn options(section: &Section) -> Result<Value, String> {
    let mut options = Map::new();
    for property in section.properties() {
        let key = property.key().to_lowercase();
        for spelling in [&key, &key.to_uppercase()] {
            // Some letters do not survive a round trip through upper case.
            let comes_back = spelling.to_lowercase() == key;
            let found = section.property(spelling);
            if comes_back && !found.is_some_and(|found| std::ptr::eq(found, property)) {
                let shown = found.map(|found| (found.key(), &found.value, found.line));
                return Err(format!("{spelling:?} finds {shown:?}, not the one of line {}", property.line));
            }
        }
        if options.insert(key, value(property)).is_some() {
            return Err(format!("{:?} is there twice", property.key()));
        }
    }
    if let Some(broken) = section.broken() {
        options.insert("\0broken".to_owned(), json!([broken.line]));
    }
    Ok(Value::Object(options))
}

fn value(property: &Property) -> Value {
    match property.table() {
        _ if property.broken().is_some() => Value::Null,
        Some(pairs) => pairs.map(|(key, value)| (key.to_owned(), json!(value))).collect::<Map<_, _>>().into(),
        None => json!(property.value),
    }
}

/// Compares profiles, SSO sessions and services sections and their contents.
fn compare_profiles(files: &ProfileFiles, expected: &Value, answer: &Value) -> Result<(), String> {
    let mut candidates: BTreeSet<String> = ["", "default", "DEFAULT", "profile"].map(str::to_owned).into();
    for kind in ["profiles", "sso_sessions", "services"] {
        candidates.extend(object(&expected[kind]).keys().cloned());
    }
    for file in ["config", "credentials"] {
        for header in object(&answer[file]["meant"]["sections"]).keys() {
            candidates.insert(header.clone());
            candidates.extend(words::split(header).into_iter().flatten());
            candidates.extend(header.split([' ', '\t', '"', '\'', ']']).map(str::to_owned));
            candidates.extend(header.split_once([' ', '\t']).map(|(_, rest)| rest.to_owned()));
        }
    }
    for name in &candidates {
        for (kind, key) in
            [(Kind::Profile, "profiles"), (Kind::SsoSession, "sso_sessions"), (Kind::Services, "services")]
        {
            let found = match kind {
                Kind::Profile => files.profile(name),
                Kind::SsoSession | Kind::Services => files.section(kind, name),
            };
            compare_profile(found, expected[key].get(name)).map_err(|why| format!("{key} {name:?}: {why}"))?;
        }
    }
    Ok(())
}

fn compare_profile(found: Result<Option<Profile>, Error>, expected: Option<&Value>) -> Result<(), String> {
    let broken: Vec<(&str, Vec<u32>)> = expected
        .into_iter()
        .flat_map(object)
        .filter_map(|(option, lines)| Some((option.strip_prefix("\0broken lines of ")?, numbers(lines))))
        .collect();
    let profile = match (found, expected) {
        (Err(Error::BrokenLine { path, line, .. }), _) => {
            let is_known = broken.iter().any(|(file, lines)| *file == path && lines.contains(&line));
            return if is_known { Ok(()) } else { Err(format!("line {line} of {path}, but botocore: {broken:?}")) };
        }
        (Err(error), _) => return Err(format!("another error: {error}")),
        (Ok(_), _) if !broken.is_empty() => return Err(format!("broken lines are overlooked: {broken:?}")),
        (Ok(None), None) => return Ok(()),
        (Ok(Some(profile)), None) => return Err(format!("botocore has none, ours is {profile:?}")),
        (Ok(None), Some(theirs)) => return Err(format!("ours has none, botocore {theirs}")),
        (Ok(Some(profile)), Some(_)) => profile,
    };
    let expected = object(expected.expect("it is there"));
    let mut ours: BTreeMap<String, &str> = BTreeMap::new();
    for (key, value) in profile.properties() {
        // The credentials file takes precedence.
        ours.entry(key.to_lowercase()).or_insert(value);
    }
    if let Some(key) = ours.keys().find(|key| !expected.contains_key(*key)) {
        return Err(format!("botocore has no {key:?}"));
    }
    for (key, theirs) in expected {
        let Some(&ours) = ours.get(key) else { return Err(format!("ours has no {key:?}")) };
        compare_value(&profile, key, ours, theirs).map_err(|why| format!("{key:?}: {why}"))?;
    }
    Ok(())
}

fn compare_value(profile: &Profile, key: &str, raw: &str, theirs: &Value) -> Result<(), String> {
    let name = leaked(key);
    if !profile.has(name) {
        return Err("it is not set".to_owned());
    }
    let text = profile.get(name).map(|value| value.map(|value| value.text));
    match theirs {
        Value::Null => {
            let is_said = matches!(text, Err(Error::BrokenLine { .. }));
            if is_said { Ok(()) } else { Err(format!("a broken table is taken for {text:?}")) }
        }
        Value::Object(pairs) => {
            if !raw.starts_with('\n') {
                return Err(format!("it is a table, not {raw:?}"));
            }
            for (inner, theirs) in pairs {
                let ours = profile.in_table(name, leaked(inner));
                let ours = ours.map_err(|error| error.to_string())?.map(|value| json!(value.text));
                let expected = Some(theirs.clone()).filter(|theirs| !is_unset_for_us(theirs));
                if ours != expected {
                    return Err(format!("{inner:?} in the table is {ours:?}, not {theirs}"));
                }
            }
            Ok(())
        }
        theirs => {
            let theirs = theirs.as_str().expect("a value is a string or a table");
            if raw != theirs {
                return Err(format!("it is {raw:?}, not {theirs:?}"));
            }
            if is_unset_for_us(&json!(theirs)) {
                return Ok(());
            }
            let text = text.map_err(|error| error.to_string())?.unwrap_or_default();
            let is_right = if may_have_a_comment(theirs) { theirs.starts_with(text) } else { theirs == text };
            if is_right { Ok(()) } else { Err(format!("its text is {text:?}, not {theirs:?}")) }
        }
    }
}

/// The reader takes `'static` names, of which there are only a few here.
fn leaked(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().expect("nothing panics with it");
    if let Some(known) = names.get(name) {
        return known;
    }
    let leaked: &'static str = Box::leak(name.into());
    names.insert(leaked);
    leaked
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

fn numbers(value: &Value) -> Vec<u32> {
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok()).expect("a line's number");
    value.as_array().expect("a list").iter().map(number).collect()
}

/// Generates realistic and unrealistic files.
mod generator;
