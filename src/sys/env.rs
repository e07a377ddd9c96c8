//! The environment as a value, so that everything that uses it is a function of its arguments.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::PathBuf;

use super::vars;

/// A variable that is not valid UTF-8.
#[derive(Debug)]
pub struct NotUtf8 {
    pub variable: String,
}

/// A snapshot of the environment variables, sorted by name.
#[derive(Clone, Default)]
pub struct Env {
    variables: BTreeMap<OsString, OsString>,
    /// The home directory from the user database; only looked up if HOME is not set.
    home_of_user: Option<PathBuf>,
}

impl Env {
    /// Adds the home directory from the user database, which is used if HOME is not set.
    pub fn with_home_of_user(self, home: Option<PathBuf>) -> Self {
        Env { home_of_user: home, ..self }
    }

    /// # Errors
    ///
    /// If an AWS variable, or one of this program's own, is not valid UTF-8: ignoring it could let another identity
    /// sign.
    pub fn check(&self) -> Result<(), NotUtf8> {
        let ours = [vars::AWS_PREFIX, vars::OWN_PREFIX, vars::AUTHENTICATOR_PREFIX]
            .into_iter()
            .flat_map(|prefix| self.with_prefix(prefix));
        for (name, value) in ours {
            if name.to_str().is_none() || value.to_str().is_none() {
                return Err(NotUtf8 { variable: name.to_string_lossy().into_owned() });
            }
        }
        Ok(())
    }

    /// A copy with one variable changed.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut env = self.clone();
        env.variables.insert(name.into(), value.into());
        env
    }

    /// All variables, for a child process.
    pub fn all(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The value of a variable; unset, empty and not UTF-8 are all `None`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// The value of a variable as the system has it; unset and empty are `None`.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.get_raw(name).filter(|value| !value.is_empty())
    }

    /// Like [`Env::get_os`], but an empty value counts.
    pub fn get_raw(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// All variables whose name starts with `prefix`, sorted by name.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a OsStr, &'a OsStr)> {
        self.variables
            .range::<OsStr, _>((Bound::Included(OsStr::new(prefix)), Bound::Unbounded))
            .take_while(move |(name, _)| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The home directory: `HOME` or, if it is unset, the one from the user database. An empty `HOME` means no home
    /// directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.get_os(vars::HOME).map(PathBuf::from).or_else(|| self.home_of_user.clone())
    }
}

/// If a variable appears twice, the first one wins, as in C's `getenv`.
impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        let mut first = BTreeMap::new();
        for (name, value) in variables {
            first.entry(name.into()).or_insert_with(|| value.into());
        }
        Env { variables: first, home_of_user: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_duplicate_variables_wins() {
        let env: Env = [("A", "1"), ("A", "2"), ("B", "3")].into_iter().collect();
        assert_eq!((env.get("A"), env.get("B")), (Some("1"), Some("3")));
    }
}
