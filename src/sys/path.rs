//! Paths as users write them.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::env::Env;
use super::user;

/// Expands a path from a variable or property as the AWS CLI does: first `$NAME` and `${NAME}`, if the variable is set,
/// then a leading `~` or `~user`. In a kubeconfig's `env`, nothing else would expand them. `None` if that user has no
/// home directory; the path is then not relative to the working directory.
pub fn expand(env: &Env, path: &str) -> Option<PathBuf> {
    expand_home(env, &with_variables(env, path))
}

/// Like [`expand`], but without replacing variables.
pub fn expand_home(env: &Env, path: &str) -> Option<PathBuf> {
    let Some(rest) = path.strip_prefix('~') else { return Some(PathBuf::from(path)) };
    let (user, rest) = rest.split_once('/').map_or((rest, None), |(user, rest)| (user, Some(rest)));
    let home = if user.is_empty() { env.home()? } else { user::home_of_user(user)? };
    Some(match rest {
        Some(rest) => home.join(rest.trim_start_matches('/')),
        None => home,
    })
}

fn with_variables(env: &Env, text: &str) -> String {
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
        match env.get_raw(name).and_then(OsStr::to_str).filter(|_| len > 0) {
            Some(value) => out.push_str(value),
            None => out.push_str(reference),
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values are the results of Python's `expanduser(expandvars(…))`.
    #[test]
    fn paths_are_expanded_like_the_aws_cli() {
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
            assert_eq!(expand(&env, path), Some(PathBuf::from(expected)), "{path}");
        }
        assert!(expand(&env, "~root/c").is_some_and(|path| path.is_absolute()));
        assert_eq!(expand(&env, "~nobody-of-this-name/c"), None);
        let homeless: Env = [("HOME", "")].into_iter().collect();
        assert_eq!(expand(&homeless, "~/c"), None);
    }
}
