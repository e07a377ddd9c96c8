//! The environment, read once, so that everything after it is a function of its arguments.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::PathBuf;

/// A snapshot of the environment variables, sorted by name.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<OsString, OsString>);

impl Env {
    /// The environment of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    pub fn from_process() -> Self {
        Env(std::env::vars_os().collect())
    }

    /// What was typed to start this process, the program first, to be shown; odd bytes replaced.
    pub fn argv() -> Vec<String> {
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    /// The value of a variable; unset, empty and not UTF-8 are all `None`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// The value of a variable as the system has it; unset and empty are `None`.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The same where an empty value is one.
    pub fn given(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// All variables whose name starts with `prefix`, sorted by name.
    pub fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a OsStr, &'a OsStr)> {
        self.0
            .range::<OsStr, _>((Bound::Included(OsStr::new(prefix)), Bound::Unbounded))
            .take_while(move |(name, _)| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The home directory as the AWS SDK sees it: `HOME`, and nothing where that is unset or empty.
    pub fn home(&self) -> Option<PathBuf> {
        self.get_os("HOME").map(PathBuf::from)
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Env(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
