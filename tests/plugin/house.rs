//! Enforces the architecture rules: which module may import which, which files are pure, and where platform-specific
//! code is allowed. Each violation shows the offending line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// Which other modules a module may import from.
const ROOMS: [(&str, &[&str]); 8] = [
    ("main", &["cli", "commands", "say", "sys"]),
    ("commands", &["cli", "aws", "kube", "cache", "say", "sys"]),
    ("cache", &["aws", "kube", "say", "sys"]),
    ("kube", &["aws", "say", "sys"]),
    ("aws", &["say", "sys"]),
    ("say", &["sys"]),
    ("cli", &[]),
    ("sys", &[]),
];

/// Files that do not access disk, network, clock or environment, and do not import files that do. `cache` and `kube`
/// may import only these files from `aws`.
const PURE: [&str; 51] = [
    "aws/caller_identity.rs",
    "aws/dates.rs",
    "aws/directory_words.rs",
    "aws/endpoint.rs",
    "aws/endpoints.rs",
    "aws/error.rs",
    "aws/fingerprint.rs",
    "aws/keys.rs",
    "aws/names.rs",
    "aws/profile/grammar.rs",
    "aws/profile/mod.rs",
    "aws/refusal.rs",
    "aws/region.rs",
    "aws/role.rs",
    "aws/signer.rs",
    "aws/source/base.rs",
    "aws/source/choice.rs",
    "aws/source/container.rs",
    "aws/source/describe.rs",
    "aws/source/keys.rs",
    "aws/source/mod.rs",
    "aws/source/own.rs",
    "aws/source/sso.rs",
    "aws/source/web_identity.rs",
    "aws/source_file.rs",
    "aws/sso_token.rs",
    "cache/asked.rs",
    "cache/entry.rs",
    "cache/error.rs",
    "cache/key.rs",
    "cache/policy.rs",
    "cli/aws_cli.rs",
    "cli/cache.rs",
    "cli/mod.rs",
    "cli/token.rs",
    "commands/error.rs",
    "commands/token/arguments.rs",
    "commands/token/ask.rs",
    "commands/token/roles.rs",
    "kube/error.rs",
    "kube/exec.rs",
    "kube/presign.rs",
    "kube/token.rs",
    "say/explain.rs",
    "say/secret.rs",
    "say/text.rs",
    "say/time.rs",
    "say/warning.rs",
    "say/words.rs",
    "sys/env.rs",
    "sys/vars.rs",
];

/// What pure files may not use.
const IMPURE_WORDS: &str = r"\bstd::(fs|env|process|thread)\b|\b(Tcp|Udp|Unix)\w*(Stream|Socket|Listener)|\btokio\b|\bstdin\(|\bstderr\(|\bstdout\(|::now\(\)|\.is_file\(\)|\.exists\(\)|\.metadata\(\)";

/// What only `sys` may use. (The allocator in `main` depends on `target_env`.)
const PLATFORM_WORDS: &str =
    r"\bcfg!?\s*\(.*\b(unix|windows|target_os|target_family)\b|\brustix\b|\bnix::|\bstd::os::|\bdirs::";

/// Environment variable names, allowed only in `sys/vars.rs`.
const VARIABLE: &str = r#""(AWS_[A-Z0-9_]+|EKS_GROUP_AUTH_[A-Z_]*|KUBERNETES_[A-Z_]+|XDG_[A-Z_]+|HOME|PATH|PWD|OLDPWD|SHLVL|[A-Za-z]+_(PROXY|proxy)|SSL_CERT_[A-Z]+)""#;

/// Where the tests of a file begin.
const TESTS: &str = "\n#[cfg(test)]\n";

const MOST_FILES_AT_THE_TOP: usize = 4;
const MOST_LINES: usize = 500;
const MOST_FIELDS: usize = 8;

/// The source files, by path relative to `src`.
struct House(BTreeMap<String, Source>);

struct Source {
    text: String,
    /// Without comments, string contents and the tests at the end.
    code: String,
}

/// One use of another module.
#[derive(Debug)]
struct Import {
    line: usize,
    /// From the root, without `crate`.
    path: Vec<String>,
}

impl House {
    fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let is_test = |path: &str| path.ends_with("/tests.rs");
        let files = files.into_iter().filter(|(path, _)| !is_test(path));
        House(files.map(|(path, text)| (path, Source { code: code(&text), text })).collect())
    }

    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        House::new(files)
    }

    fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = Vec::new();
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (file, source) in &self.0 {
            let room = room(file);
            let allowed = ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
            for import in self.imports(file, source) {
                let Some(target) = self.target(&import.path) else { continue };
                if target == file {
                    continue;
                }
                let mut fault = |why: String| {
                    let line = source.text.lines().nth(import.line - 1).unwrap_or_default().trim();
                    faults.push(format!("src/{file}:{}: {why}: `{line}`", import.line));
                };
                let other = self::room(target);
                if other != room && file != "lib.rs" && !allowed.is_some_and(|allowed| allowed.contains(&other)) {
                    fault(format!("`{room}` must not import from `{other}`"));
                }
                if matches!(room, "cache" | "kube") && other == "aws" && !is_pure(target) {
                    fault(format!("`{room}` may import only pure files from `aws`, and {target} is not pure"));
                }
                if is_pure(file) && !is_pure(target) && !is_module_list(target) {
                    fault(format!("a pure file must not import {target}, which is not pure"));
                }
                edges.entry(file).or_default().insert(target);
            }
            faults.extend(self.words(file, source));
        }
        faults.extend(import_cycles(&edges));
        faults.extend(self.sizes());
        // A `use` is found twice: as a tree and as a path.
        faults.dedup();
        faults
    }

    /// Words used in files where they are not allowed.
    fn words(&self, file: &str, source: &Source) -> Vec<String> {
        static IMPURE: LazyLock<Regex> = LazyLock::new(|| Regex::new(IMPURE_WORDS).unwrap());
        static PLATFORM: LazyLock<Regex> = LazyLock::new(|| Regex::new(PLATFORM_WORDS).unwrap());
        static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(VARIABLE).unwrap());
        let mut faults = Vec::new();
        if let Some((_, tests)) = source.text.split_once(TESTS) {
            // Otherwise code after them would escape every other rule.
            let at_the_margin = tests.lines().filter(|line| line.starts_with(|c: char| !c.is_whitespace()));
            let are_last = match tests.lines().next() {
                Some("mod tests;" | "pub mod tests;") => at_the_margin.count() == 1,
                Some("mod tests {") => tests.ends_with("\n}\n") && at_the_margin.count() == 2,
                _ => false,
            };
            if !are_last {
                faults.push(format!("src/{file}: code after `#[cfg(test)]`, which must be the tests at the end"));
            }
        }
        let lines = source.code.lines().zip(source.text.lines()).enumerate();
        for (at, (code, text)) in lines {
            let mut fault = |why: &str| faults.push(format!("src/{file}:{}: {why}: `{}`", at + 1, text.trim()));
            if is_pure(file) && IMPURE.is_match(code) {
                fault("a pure file must not do this");
            }
            if room(file) != "sys" && PLATFORM.is_match(code) {
                fault("platform-specific code belongs in sys/");
            }
            // If any code is left, the line is neither a comment nor a test.
            if file != "sys/vars.rs" && !code.trim().is_empty() && NAME.is_match(text) {
                fault("variable names belong in sys/vars.rs");
            }
        }
        faults
    }

    fn sizes(&self) -> Vec<String> {
        static STRUCT: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(?ms)^pub struct (\w+)[^;{(]*\{\n(.*?)^\}").unwrap());
        static FIELD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^    (pub(\(\w+\))? )?\w+: ").unwrap());
        let mut faults = Vec::new();
        let top = self.0.keys().filter(|file| !file.contains('/')).count();
        if top > MOST_FILES_AT_THE_TOP {
            faults.push(format!("src: {top} files at the top"));
        }
        for (file, source) in &self.0 {
            let lines = source.text.lines().count();
            if lines > MOST_LINES {
                faults.push(format!("src/{file}: {lines} lines"));
            }
            for found in STRUCT.captures_iter(&source.code) {
                let fields = FIELD.find_iter(&found[2]).count();
                if fields > MOST_FIELDS {
                    faults.push(format!("src/{file}: `{}` has {fields} fields", &found[1]));
                }
            }
        }
        faults
    }

    /// All references to other files: `use` trees, re-exports and inline paths.
    fn imports(&self, file: &str, source: &Source) -> Vec<Import> {
        static USE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(?s)\b(?:pub(?:\([^)]*\))? )?use\s+([^;]+);").unwrap());
        static INLINE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\b(?:crate|super|self|eks_group_auth)(?:::\w+)+").unwrap());
        let module = module_of(file);
        let line_of = |at: usize| 1 + source.code[..at].matches('\n').count();
        let mut found = Vec::new();
        for statement in USE.captures_iter(&source.code) {
            let tree = statement.get(1).expect("the tree");
            for path in expand(tree.as_str()) {
                found.push((tree.start(), path));
            }
        }
        found.extend(INLINE.find_iter(&source.code).map(|path| (path.start(), path.as_str().to_owned())));
        let resolved = found.into_iter().filter_map(|(at, path)| {
            let path = self.resolve(&module, &path)?;
            Some(Import { line: line_of(at), path })
        });
        resolved.collect()
    }

    /// A path from the root; `None` for other crates.
    fn resolve(&self, module: &[String], path: &str) -> Option<Vec<String>> {
        let mut words = path.split("::").map(str::trim).peekable();
        let mut root: Vec<String> = match words.next()? {
            "crate" | "eks_group_auth" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len().saturating_sub(1)].to_vec(),
            // A child of this module.
            child => {
                let path: Vec<String> = module.iter().cloned().chain([child.to_owned()]).collect();
                if module.is_empty() || !self.is_module(&path) {
                    return None;
                }
                path
            }
        };
        while words.next_if_eq(&"super").is_some() {
            root.pop();
        }
        root.extend(words.map(str::to_owned));
        Some(root)
    }

    fn is_module(&self, path: &[String]) -> bool {
        self.file(path).is_some()
    }

    fn file(&self, path: &[String]) -> Option<&str> {
        let joined = path.join("/");
        [format!("{joined}.rs"), format!("{joined}/mod.rs")]
            .into_iter()
            .find_map(|file| self.0.get_key_value(&file).map(|(file, _)| file.as_str()))
    }

    /// The file for the longest matching prefix of a path.
    fn target(&self, path: &[String]) -> Option<&str> {
        (1..=path.len()).rev().find_map(|len| self.file(&path[..len]))
    }
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn room(file: &str) -> &str {
    file.split_once('/').map_or(file.trim_end_matches(".rs"), |(room, _)| room)
}

fn is_pure(file: &str) -> bool {
    PURE.contains(&file)
}

/// Whether the file is only a list of submodules.
fn is_module_list(file: &str) -> bool {
    matches!(file, "aws/mod.rs" | "kube/mod.rs")
}

fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if matches!(path, "lib" | "main") { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// Every path in the tree of a `use`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let (prefix, inside) = (&tree[..open], &tree[open + 1..tree.rfind('}').expect("a closing brace")]);
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in inside.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().expect("there is one").push(c);
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expand(part)).map(|part| format!("{prefix}{part}").replace("::self", "")).collect()
}

/// Replaces comments, string contents and the tests at the end with blanks, keeping the line structure.
fn code(text: &str) -> String {
    static NOT_CODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r##"(?s)//[^\n]*|r#".*?"#|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^\n]|[^'\\\n])'"##).unwrap()
    });
    let text = text.split(TESTS).next().unwrap_or_default();
    let blanked = NOT_CODE.replace_all(text, |found: &regex::Captures| {
        let kept: String = found[0].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        // A string must not disappear completely.
        if found[0].starts_with('/') { kept } else { kept.replacen(' ', "_", 1) }
    });
    blanked.into_owned()
}

/// Import cycles, direct or indirect.
fn import_cycles(edges: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut faults = BTreeSet::new();
    for start in edges.keys() {
        let mut way = vec![*start];
        let mut seen = BTreeSet::new();
        if let Some(circle) = path_back_to(edges, start, &mut way, &mut seen) {
            // The same cycle is found from each of its files.
            let first = circle.iter().min().expect("it has files");
            if first == start {
                faults.insert(format!("a circle: {}", circle.join(" → ")));
            }
        }
    }
    faults.into_iter().collect()
}

fn path_back_to<'a>(
    edges: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    start: &str,
    way: &mut Vec<&'a str>,
    seen: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a str>> {
    let here = *way.last()?;
    for next in edges.get(here).into_iter().flatten() {
        if *next == start {
            return Some(way.clone());
        }
        if seen.insert(next) {
            way.push(next);
            if let Some(circle) = path_back_to(edges, start, way, seen) {
                return Some(circle);
            }
            way.pop();
        }
    }
    None
}

#[test]
fn the_source_follows_the_architecture_rules() {
    let house = House::read();
    for file in PURE {
        assert!(house.0.contains_key(file), "{file} is in the list of pure files, but not in src");
    }
    let faults = house.faults();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn each_rule_reports_the_offending_line() {
    let faults_of = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        House::new(files).faults().join("\n")
    };
    let aws = ("aws/names.rs", "pub struct Name;\n");
    for (files, fault) in [
        (
            vec![aws, ("sys/x.rs", "use crate::aws::names::Name;\n")],
            "src/sys/x.rs:1: `sys` must not import from `aws`: `use crate::aws::names::Name;`",
        ),
        (
            vec![aws, ("say/x.rs", "fn f() {\n    crate::aws::names::f();\n}\n")],
            "src/say/x.rs:2: `say` must not import",
        ),
        (
            vec![aws, ("say/x.rs", "pub use crate::{\n    aws::names::Name,\n};\n")],
            "src/say/x.rs:1: `say` must not import",
        ),
        (vec![aws, ("say/a/b.rs", "use super::super::super::aws::names::Name;\n")], "src/say/a/b.rs:1: `say` must not"),
        (
            vec![("aws/io.rs", ""), ("cache/x.rs", "use crate::aws::io;\n")],
            "`cache` may import only pure files from `aws`",
        ),
        (vec![("aws/io.rs", ""), ("aws/names.rs", "use super::io;\n")], "a pure file must not import aws/io.rs"),
        (vec![("aws/names.rs", "use std::fs::File;\n")], "src/aws/names.rs:1: a pure file must not do this"),
        (
            vec![("aws/a.rs", "use super::b::B;\n"), ("aws/b.rs", "use crate::aws::a::A;\n")],
            "a circle: aws/a.rs → aws/b.rs",
        ),
        (
            vec![("aws/a/mod.rs", "mod b;\npub use b::B;\n"), ("aws/a/b.rs", "use super::A;\n")],
            "a circle: aws/a/b.rs → aws/a/mod.rs",
        ),
        (
            vec![("cache/x.rs", "#[cfg(target_os = \"linux\")]\nfn f() {}\n")],
            "src/cache/x.rs:1: platform-specific code belongs in sys/",
        ),
        (vec![("cache/x.rs", "use rustix::fs::open;\n")], "platform-specific code belongs"),
        (vec![("aws/x.rs", "let home = env.get(\"HOME\");\n")], "src/aws/x.rs:1: variable names belong in sys/vars.rs"),
        (
            vec![("aws/x.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n}\nuse crate::commands;\n")],
            "src/aws/x.rs: code after `#[cfg(test)]`",
        ),
        (vec![("aws/x.rs", &"x\n".repeat(501))], "src/aws/x.rs: 501 lines"),
        (vec![("aws/x.rs", &format!("pub struct Big {{\n{}}}\n", "    a: u8,\n".repeat(9)))], "`Big` has 9 fields"),
        (vec![("a.rs", ""), ("b.rs", ""), ("c.rs", ""), ("d.rs", ""), ("e.rs", "")], "5 files at the top"),
    ] {
        let found = faults_of(&files);
        assert!(found.contains(fault), "{files:?}: {found}");
    }
    let fine = "//! use crate::aws::names::Name;\nfn f() { g(\"use crate::aws::x; HOME is unset\") }\n\n#[cfg(test)]\nmod tests {\n    use crate::aws::names::Name;\n}\n";
    assert_eq!(faults_of(&[aws, ("say/x.rs", fine)]), "");
}
