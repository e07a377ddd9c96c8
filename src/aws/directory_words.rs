//! Tells from its command line whether a `credential_process` depends on the working directory. If in doubt, it does: a
//! false positive only costs a cache miss, while a false negative could serve one user's session to another. Pure; the
//! check for whether a file exists is passed in.
//!
//! This cannot detect a program that looks for files on its own, such as one that asks git for the top of its checkout.

use crate::say::words;
use crate::sys::vars;

/// `is_file` tells whether a path, relative to the working directory, is a regular file.
pub fn depends_on_directory(command: &str, path: Option<&str>, is_file: impl Fn(&str) -> bool) -> bool {
    let is_relative = |directory: &str| !directory.starts_with('/');
    if path.is_some_and(|path| path.split(':').any(is_relative)) {
        return true;
    }
    // A command that cannot be split cannot be run either.
    let words = words::split(command).unwrap_or_default();
    let is_python = |word: &String| word.rsplit('/').next().is_some_and(|program| program.starts_with("python"));
    // Python searches the working directory for modules first.
    let runs_a_module = words.iter().any(|word| word == "-m") && words.iter().any(is_python);
    // The argument of `sh -c` contains words of its own, quoted again.
    let inner = words.iter().flat_map(|word| words::split(word).unwrap_or_default());
    runs_a_module || words.iter().cloned().chain(inner).any(|word| refers_to_directory(&word, &is_file))
}

/// Whether a word, or a part of it, refers to something relative to the working directory.
fn refers_to_directory(word: &str, is_file: impl Fn(&str) -> bool) -> bool {
    // An option's value follows `=`, and a file for curl follows `@`.
    let is_edge = |c: char| c.is_whitespace() || ";|&<>()`\"'={},@".contains(c);
    std::iter::once(word).chain(word.split(is_edge)).any(|part| part_refers_to_directory(part, &is_file))
}

fn part_refers_to_directory(part: &str, is_file: impl Fn(&str) -> bool) -> bool {
    // URLs that the AWS CLI and curl treat as files.
    let part = ["file://", "fileb://"].into_iter().find_map(|scheme| part.strip_prefix(scheme)).unwrap_or(part);
    if part.is_empty() || part.starts_with('/') {
        return false;
    }
    // Words that the shell replaces with the directory, that change it, or that tell a program where to start.
    let is_it = matches!(part, "." | ".." | "pwd" | "cd" | "pushd") || part.starts_with("~+") || part.starts_with("~-");
    if is_it || ["$PWD", "${PWD", vars::OLDPWD].iter().any(|name| part.contains(name)) {
        return true;
    }
    // These paths come from the environment, all of which is part of the fingerprint anyway.
    if part.starts_with(['$', '~']) {
        return false;
    }
    // A glob pattern matches files there; a URL or an ARN is not a path, unless such a file happens to exist.
    let is_pattern = part.contains(['*', '?', '[']) && !part.contains(char::is_whitespace);
    let is_address = part.contains("://") || part.starts_with("arn:");
    let is_path = part.contains('/') && !part.contains(char::is_whitespace) && !is_address;
    (is_pattern && !is_address) || is_path || is_file(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands that people use, and whether they depend on a directory that contains `creds.sh` and `creds.json`.
    #[test]
    fn a_command_depends_on_the_directory_if_a_word_refers_to_it() {
        for (command, counts) in [
            ("aws-vault export --format=json dev", false),
            ("/usr/local/bin/aws-vault exec dev --json --prompt=ykman", false),
            ("granted credential-process --profile dev", false),
            ("saml2aws script --credential-process --idp-account=default --profile dev", false),
            ("saml2aws login --credential-process --role arn:aws:iam::111122223333:role/path/dev", false),
            ("op read op://Private/aws/credentials.json", false),
            ("op inject -i creds.json", true),
            ("aws-sso-util credential-process --profile dev", false),
            ("aws configure export-credentials --profile dev", false),
            ("gimme-aws-creds --action-output-format=json --profile=dev", false),
            ("okta-aws-cli web --format process-credentials --org-domain corp.okta.com", false),
            ("direnv exec . aws-creds", true),
            ("direnv exec /srv/corp aws-creds", false),
            ("bin/creds", true),
            ("./creds.sh", true),
            ("../tools/creds --json", true),
            ("/opt/corp/bin/creds --config conf/aws.json", true),
            ("/opt/corp/bin/creds --config=creds.json", true),
            ("sh creds.sh", true),
            ("sh other.sh", false),
            ("sh -c 'cat creds.json'", true),
            ("sh -c 'cat<creds.json'", true),
            ("sh -c 'cat /etc/corp/creds.json'", false),
            ("sh -c 'cat ~/creds.json; cat $HOME/creds.json'", false),
            ("sh -c 'cat $PWD/creds'", true),
            ("sh -c \"$(pwd)/creds\"", true),
            ("sh -c 'bin/creds | jq .Credentials'", true),
            ("python3 -m corp.creds --account 111122223333", true),
            ("python3 creds.json", true),
            ("corp-creds -m 5", false),
            ("corp-creds --cli-input-json file://creds.json", true),
            ("corp-creds --cli-input-json file:///etc/creds.json", false),
            ("curl -sd @creds.json http://127.0.0.1:9911/creds", true),
            ("sh -c 'cat *.json'", true),
            ("sh -c 'cat creds.j?on'", true),
            ("sh -c 'cat creds\"\".json'", true),
            ("sh -c 'cat ~+/creds.json'", true),
            ("sh -c 'cd conf && cat x'", true),
            ("sh -c 'cat /etc/corp/*.json'", false),
            ("env AWS_PROFILE=base corp-creds", false),
        ] {
            let is_file = |name: &str| ["creds.sh", "creds.json", "./creds.sh"].contains(&name);
            assert_eq!(depends_on_directory(command, Some("/usr/bin:/bin"), is_file), counts, "{command}");
        }
    }

    #[test]
    fn a_relative_or_empty_path_element_makes_every_command_depend_on_the_directory() {
        for (path, counts) in [
            (Some("/usr/bin:/bin"), false),
            (None, false),
            (Some("bin:/bin"), true),
            (Some("/bin:"), true),
            (Some(":/bin"), true),
            (Some("/bin::/usr/bin"), true),
            (Some("/bin:."), true),
            (Some(""), true),
        ] {
            assert_eq!(depends_on_directory("creds", path, |_| false), counts, "{path:?}");
        }
    }
}
