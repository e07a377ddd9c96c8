//! The AWS shared config and credentials files, as far as they are needed before the SDK starts: which profiles
//! exist, a profile's own region and switches, and where its SSO session is kept. The SDK reads them again for
//! the credentials. Lenient where the SDK is strict: its message about a malformed file is the better one.

use std::borrow::Cow;

use crate::words;

/// The texts of both files; a missing file is an empty text.
pub struct ProfileFiles<'a> {
    config: Cow<'a, str>,
    credentials: Cow<'a, str>,
}

/// The properties of one profile or `sso-session`, in the order of the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Section<'a>(Vec<(&'a str, &'a str)>);

impl<'a> ProfileFiles<'a> {
    pub fn new(config: &'a [u8], credentials: &'a [u8]) -> Self {
        // `from_utf8_lossy` alone takes several times as long, on the path of every cached call.
        let text = |bytes| str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        ProfileFiles { config: text(config), credentials: text(credentials) }
    }

    /// A profile: what the credentials file says of it comes before what the config file says.
    pub fn profile(&self, name: &str) -> Option<Section<'_>> {
        let from_config = find(&self.config, name, |header| is_of_config(header, "profile", name))
            .or_else(|| if name == "default" { find(&self.config, name, |header| header == name) } else { None });
        let from_credentials = self.in_credentials_file(name);
        match (from_config, from_credentials) {
            (None, None) => None,
            (one, other) => {
                let properties = [one, other].into_iter().flatten().flat_map(|section| section.0).collect();
                Some(Section(properties))
            }
        }
    }

    /// The same as the credentials file alone has it.
    pub fn in_credentials_file(&self, name: &str) -> Option<Section<'_>> {
        find(&self.credentials, name, |header| header == name && !header.starts_with("profile "))
    }

    pub fn sso_session(&self, name: &str) -> Option<Section<'_>> {
        find(&self.config, name, |header| is_of_config(header, "sso-session", name))
    }

    /// The profile and those that it takes its credentials from, through `source_profile`, first one first.
    pub fn chain(&self, name: &str) -> Vec<Section<'_>> {
        let mut names = vec![name.to_owned()];
        let mut sections = Vec::new();
        // A profile may name itself as its source (its own keys are meant); the SDK reports longer circles.
        while let Some(section) = names.last().and_then(|name| self.profile(name)) {
            let next = section.get("source_profile").map(str::to_owned).filter(|next| !names.contains(next));
            sections.push(section);
            match next {
                Some(next) => names.push(next),
                None => break,
            }
        }
        sections
    }

    /// The profiles whose roles are assumed one after the other, first one first, and the profile whose own credentials
    /// that starts from. `None` where there is no such role, or something about it that the SDK should refuse.
    pub fn roles_on_the_way(&self, name: &str) -> Option<(Vec<Section<'_>>, String)> {
        let mut names = vec![name.to_owned()];
        let mut roles = Vec::new();
        loop {
            let section = self.profile(names.last().expect("there is one from the start"))?;
            let has_other_source =
                ["web_identity_token_file", "credential_source"].iter().any(|of| section.get(of).is_some());
            // Where another role starts from it, a profile's keys are meant, and not its role.
            let has_keys = ["aws_access_key_id", "aws_secret_access_key"].iter().any(|key| section.get(key).is_some());
            match (section.get("role_arn"), section.get("source_profile")) {
                _ if has_keys && !roles.is_empty() => {
                    return Some((roles, names.pop().expect("there is one from the start")));
                }
                (Some(_), Some(next)) if !has_other_source && !names.iter().any(|name| name == next) => {
                    names.push(next.to_owned());
                    roles.insert(0, section);
                }
                (Some(_), Some(_)) => return None,
                _ if roles.is_empty() => return None,
                _ => return Some((roles, names.pop().expect("there is one from the start"))),
            }
        }
    }
}

impl<'a> Section<'a> {
    /// The value of a property, the last one where it is given more than once; empty is none.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.given(key).filter(|value| !value.is_empty())
    }

    /// The same where an empty value is one.
    pub fn given(&self, key: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| *value)
    }
}

/// The properties of all sections whose header is `wanted` and ends in the name; `None` where there is no such section.
/// Looks for brackets and not at every line: some have ten thousand profiles.
fn find<'a>(text: &'a str, name: &str, wanted: impl Fn(&str) -> bool) -> Option<Section<'a>> {
    let begins_a_line = |&at: &usize| at == 0 || text.as_bytes()[at - 1] == b'\n';
    let mut starts = text.match_indices('[').map(|(at, _)| at).filter(begins_a_line).peekable();
    let mut found: Option<Section> = None;
    while let Some(start) = starts.next() {
        let end = starts.peek().copied().unwrap_or(text.len());
        let mut lines = text[start..end].lines();
        let is_wanted = |line: &&str| may_name(line, name) && header(line).is_some_and(&wanted);
        if lines.next().filter(is_wanted).is_none() {
            continue;
        }
        // A line that starts with white space continues the property above it.
        let properties = lines.filter(|line| !line.starts_with([' ', '\t', '#', ';'])).filter_map(property);
        found.get_or_insert_default().0.extend(properties);
    }
    found
}

/// Whether the header could be of this name: quickly no for most, which are as plain as `[profile other]`.
fn may_name(line: &str, name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_-/.@:+ ".contains(&b);
    match line.strip_suffix(']') {
        Some(rest) => rest.ends_with(name) || rest.ends_with(' ') || !rest.bytes().skip(1).all(is_plain),
        None => true,
    }
}

/// `[profile name] # comment` as `profile name`. In the credentials file this is the profile's name as it stands.
pub fn header(line: &str) -> Option<&str> {
    let line = line.split(['#', ';']).next()?.trim();
    Some(line.strip_prefix('[')?.strip_suffix(']')?.trim())
}

/// In the config file `profile "my team"` as `("profile", "my team")`, and `default` as `("", "default")`. A name of
/// several words must be quoted.
pub fn config_header(header: &str) -> Option<(&str, Cow<'_, str>)> {
    let Some((kind, name)) = header.split_once([' ', '\t']) else { return Some(("", header.into())) };
    let name = name.trim();
    if !name.contains([' ', '\t', '"', '\'', '\\']) {
        return Some((kind, name.into()));
    }
    match words::split(name)?.as_mut_slice() {
        [name] => Some((kind, std::mem::take(name).into())),
        _ => None,
    }
}

fn is_of_config(header: &str, kind: &str, name: &str) -> bool {
    config_header(header).is_some_and(|(k, n)| k == kind && n == name)
}

/// Name and value, without white space around them.
pub fn property(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    Some((key.trim(), without_comment(value).trim()))
}

/// In a value a comment needs white space before it.
fn without_comment(value: &str) -> &str {
    let starts = value.match_indices(['#', ';']).map(|(at, _)| at);
    let comment = starts.into_iter().find(|&at| value[..at].ends_with(char::is_whitespace));
    &value[..comment.unwrap_or(value.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONFIG: &str = "\
region = nowhere
[default]
region = us-east-1 # where most things are
[profile dev]   ; a comment
REGION=eu-west-1
secret = a#b;c
s3 =
  region = not-this-one
source_profile = base
[profile  base]
sso_session = corp
source_profile = dev
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
[plain]
region = ignored
[profile dev]
output = json
";

    #[test]
    fn a_profile_has_the_properties_that_the_aws_cli_sees() {
        let files = ProfileFiles::new(CONFIG.as_bytes(), b"[dev]\nregion = eu-west-2\n[default]\n[profile x]\n");
        let get = |profile: &str, key: &str| files.profile(profile).unwrap().get(key).map(str::to_owned);
        assert_eq!(get("default", "region").as_deref(), Some("us-east-1"));
        assert_eq!(get("dev", "region").as_deref(), Some("eu-west-2"), "the credentials file comes first");
        assert_eq!(get("dev", "secret").as_deref(), Some("a#b;c"));
        assert_eq!(get("dev", "output").as_deref(), Some("json"), "a section may be continued further down");
        assert_eq!(get("dev", "s3"), None);
        assert_eq!(files.profile("plain"), None);
        assert_eq!(files.profile("x"), None);
        assert_eq!(files.profile("profile x"), None);
        assert_eq!(files.sso_session("corp").unwrap().get("sso_start_url"), Some("https://corp.awsapps.com/start"));
    }

    #[test]
    fn names_of_several_words_are_quoted_in_the_config_file_and_not_in_the_credentials_file() {
        let config = "[profile \"my team\"]\nregion = a\n[profile 'x']\nregion = b\n[profile two words]\nregion = c\n\
                      [profile \"y]\nregion = d\n[sso-session \"my corp\"]\nsso_region = e\n";
        let files = ProfileFiles::new(config.as_bytes(), b"[my team]\noutput = json\n");
        let get = |profile: &str, key: &str| files.profile(profile)?.get(key).map(str::to_owned);
        assert_eq!(get("my team", "region").as_deref(), Some("a"));
        assert_eq!(get("my team", "output").as_deref(), Some("json"));
        assert_eq!(get("x", "region").as_deref(), Some("b"));
        assert_eq!(files.profile("two words"), None, "the AWS CLI does not see it either");
        assert_eq!(files.profile("y"), None);
        assert_eq!(files.sso_session("my corp").unwrap().get("sso_region"), Some("e"));
    }

    #[test]
    fn profile_default_with_its_prefix_replaces_the_one_without() {
        let files = ProfileFiles::new(b"[default]\nregion = a\noutput = b\n[profile default]\nregion = c\n", b"");
        assert_eq!(files.profile("default").unwrap().get("region"), Some("c"));
        assert_eq!(files.profile("default").unwrap().get("output"), None);
    }

    #[test]
    fn a_chain_follows_source_profile_and_ends_in_a_circle() {
        let files = ProfileFiles::new(CONFIG.as_bytes(), b"");
        assert_eq!(files.chain("dev").iter().filter_map(|s| s.get("sso_session")).collect::<Vec<_>>(), ["corp"]);
        assert_eq!(files.chain("dev").len(), 2);
        assert_eq!(files.chain("nobody").len(), 0);
    }

    #[test]
    fn white_space_in_a_header_does_not_hide_its_name() {
        for header in ["[profile dev ]", "[ profile  dev ]", "[profile dev]\t", "[profile dev] # x"] {
            assert!(ProfileFiles::new(header.as_bytes(), b"").profile("dev").is_some(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_of_a_name_is_passed_over(line in "\\[(profile )?[\"' ]?[ab .\\\\-]{1,4}[\"' ]?\\]( [#;]x)?", name in "[ab .-]{1,4}") {
            let is_of_it = header(&line).is_some_and(|header| is_of_config(header, "profile", &name) || header == name);
            prop_assert!(!is_of_it || may_name(&line, &name), "{line}");
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "([\\[\\]# ;=\ta-c\n]|\\PC){0,200}", name in "[a-c]{0,2}") {
            let files = ProfileFiles::new(text.as_bytes(), text.as_bytes());
            let _ = (files.profile(&name), files.sso_session(&name), files.chain(&name).len());
        }
    }
}
