//! The environment, read once, so that everything after it is a function of its arguments.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::PathBuf;

use super::user;
use super::vars;

/// A variable that is no text.
#[derive(Debug)]
pub struct NotUtf8 {
    pub variable: String,
}

/// A snapshot of the environment variables, sorted by name.
#[derive(Clone, Default)]
pub struct Env {
    variables: BTreeMap<OsString, OsString>,
    /// Where the user database says that this user is at home; looked up only where no variable says so.
    home_of_user: Option<PathBuf>,
}

impl Env {
    /// The environment of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    pub fn from_process() -> Self {
        let mut env: Env = std::env::vars_os().collect();
        if env.given(vars::HOME).is_none() {
            env.home_of_user = user::home();
        }
        env
    }

    /// # Errors
    ///
    /// For a variable of AWS's or of this program's that is no text: passed over, it could let another identity sign.
    pub fn check(&self) -> Result<(), NotUtf8> {
        let ours = [vars::AWS_PREFIX, vars::OWN_PREFIX, vars::AUTHENTICATOR_PREFIX]
            .into_iter()
            .flat_map(|prefix| self.starting_with(prefix));
        for (name, value) in ours {
            if name.to_str().is_none() || value.to_str().is_none() {
                return Err(NotUtf8 { variable: name.to_string_lossy().into_owned() });
            }
        }
        Ok(())
    }

    /// The same with another value for one variable.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut env = self.clone();
        env.variables.insert(name.into(), value.into());
        env
    }

    /// All of them, for a child.
    pub fn all(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
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
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// All variables whose name starts with `prefix`, sorted by name.
    pub fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a OsStr, &'a OsStr)> {
        self.variables
            .range::<OsStr, _>((Bound::Included(OsStr::new(prefix)), Bound::Unbounded))
            .take_while(move |(name, _)| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The home directory: `HOME`, or where that is unset what the user database says. An empty one means that there is
    /// to be none.
    pub fn home(&self) -> Option<PathBuf> {
        self.get_os(vars::HOME).map(PathBuf::from).or_else(|| self.home_of_user.clone())
    }

    /// A path as the AWS CLI takes it from a variable or property: `$NAME` and `${NAME}` are replaced where there is such a
    /// variable, and then a leading `~` or `~user`. Nothing else expands them in a kubeconfig's `env`. `None` for a path in
    /// the home of somebody who has none, which is not one in the working directory.
    pub fn expand(&self, path: &str) -> Option<PathBuf> {
        self.expand_home(&self.with_variables(path))
    }

    /// The same for one in which no variables are replaced.
    pub fn expand_home(&self, path: &str) -> Option<PathBuf> {
        let Some(rest) = path.strip_prefix('~') else { return Some(PathBuf::from(path)) };
        let (user, rest) = rest.split_once('/').map_or((rest, None), |(user, rest)| (user, Some(rest)));
        let home = if user.is_empty() { self.home()? } else { user::home_of(user)? };
        Some(match rest {
            Some(rest) => home.join(rest.trim_start_matches('/')),
            None => home,
        })
    }

    fn with_variables(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, from_dollar) = rest.split_at(at);
            out.push_str(before);
            let after = &from_dollar[1..];
            let word_len = after.bytes().take_while(|&b| b.is_ascii_alphanumeric() || b == b'_').count();
            let (name, len) = match after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
                Some((name, _)) => (name, name.len() + 2),
                None => (&after[..word_len], word_len),
            };
            let (reference, after) = from_dollar.split_at(1 + len);
            match self.given(name).and_then(OsStr::to_str).filter(|_| len > 0) {
                Some(value) => out.push_str(value),
                None => out.push_str(reference),
            }
            rest = after;
        }
        out + rest
    }
}

/// Of a variable that stands twice the first counts, as for C's `getenv`.
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
    fn of_a_variable_that_stands_twice_the_first_counts() {
        let env: Env = [("A", "1"), ("A", "2"), ("B", "3")].into_iter().collect();
        assert_eq!((env.get("A"), env.get("B")), (Some("1"), Some("3")));
    }

    /// The right sides are what Python's `expanduser(expandvars(…))` gives.
    #[test]
    fn paths_are_expanded_as_by_the_aws_cli() {
        let env: Env = [("HOME", "/home/x"), ("A", "a"), ("B_1", "$A"), ("EMPTY", "")].into_iter().collect();
        for (path, expected) in [
            ("$HOME/.aws/config", "/home/x/.aws/config"),
            ("${HOME}/c", "/home/x/c"),
            ("~/c", "/home/x/c"),
            ("~", "/home/x"),
            ("$A$B_1-$C/${C}/$/${}", "a$A-$C/${C}/$/${}"),
            ("x$EMPTY/${A", "x/${A"),
            ("/a/~/b", "/a/~/b"),
        ] {
            assert_eq!(env.expand(path), Some(PathBuf::from(expected)), "{path}");
        }
        assert!(env.expand("~root/c").is_some_and(|path| path.is_absolute()));
        assert_eq!(env.expand("~nobody-of-this-name/c"), None);
        let homeless: Env = [("HOME", "")].into_iter().collect();
        assert_eq!(homeless.expand("~/c"), None);
    }
}
