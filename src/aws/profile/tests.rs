use super::*;
use proptest::prelude::*;

/// Both files at the paths `config` and `credentials`.
pub fn files<'a>(config: &'a str, credentials: &'a str) -> ProfileFiles<'a> {
    ProfileFiles::new((Path::new("config"), config), (Path::new("credentials"), credentials))
}

const CONFIG: &str = "\
[default]
region = us-east-1 # where most things are
[profile dev]   ; a comment
REGION=eu-west-1
external_id = a#b;c #d
s3 =
  region = not-this-one
source_profile = base
[plain]
region = ignored
[profile dev]
output = json
[profilefoo bar]
region = eu-west-3
[profile empty]
region =
";

#[test]
fn profile_properties_match_the_aws_cli() {
    let files = files(CONFIG, "[dev]\nregion = eu-west-2\n[default]\n[profile x]\n[empty]\nregion = eu-west-1\n");
    let get = |profile: &str, property| {
        let profile = files.profile(profile).unwrap()?;
        profile.get(property).unwrap().map(|value| value.text.to_owned())
    };
    assert_eq!(get("default", "region").as_deref(), Some("us-east-1"));
    assert_eq!(get("dev", "region").as_deref(), Some("eu-west-2"), "the credentials file comes first");
    assert_eq!(get("dev", "output").as_deref(), Some("json"), "a section may be continued later in the file");
    assert_eq!(get("bar", "region").as_deref(), Some("eu-west-3"));
    assert_eq!(get("empty", "region").as_deref(), Some("eu-west-1"));
    let dev = files.profile("dev").unwrap().unwrap();
    let id = dev.get("external_id").unwrap().unwrap();
    assert_eq!(id.text, "a#b;c #d", "a free-text value has no comment");
    assert_eq!(id.place.to_string(), "`external_id` in profile `dev` (line 5 of config)");
    assert!(files.profile("plain").unwrap().is_none());
    assert!(files.profile("x").unwrap().is_none());
    assert!(files.profile("profile x").unwrap().is_some(), "the AWS CLI uses this name too");
}

#[test]
fn names_are_split_like_shell_words() {
    for (header, name) in [
        ("profile x", "x"),
        ("profile \"my team\"", "my team"),
        ("profile 'x'", "x"),
        ("profile team#1", "team#1"),
        ("profile a;b", "a;b"),
        ("profile  x", "x"),
        ("profile\tx", "x"),
        ("profile \"Someone's\"", "Someone's"),
    ] {
        assert!(header_matches(header, Kind::Profile, name), "{header}");
        assert!(!header_matches(header, Kind::SsoSession, name), "{header}");
    }
    for (header, name) in [
        ("profile two words", "two words"),
        ("profile \"y", "y"),
        ("profile", ""),
        ("x", "x"),
        ("profile a] # [x", "a"),
    ] {
        assert!(!header_matches(header, Kind::Profile, name), "{header}");
    }
}

#[test]
fn the_later_spelling_replaces_the_earlier() {
    let region = |config: &str, name: &str| {
        let files = files(config, "");
        let profile = files.profile(name).unwrap().unwrap();
        let region = profile.get("region").unwrap().map(|value| value.text.to_owned());
        region.unwrap_or_default()
    };
    assert_eq!(region("[default]\nregion = a\n[profile default]\noutput = c\n", "default"), "");
    assert_eq!(region("[profile default]\nregion = a\n[default]\nregion = c\n", "default"), "c");
    assert_eq!(region("[profile x]\nregion = a\n[profile \"x\"]\nregion = b\n", "x"), "b");
}

#[test]
fn a_broken_line_affects_only_its_section() {
    let files = files("[profile a]\nno delimiter\n[profile b]\ns3 =\n  x\nregion = r\n", "");
    let error = files.profile("a").unwrap_err().to_string();
    assert!(error.contains("config") && error.contains("line 2"), "{error}");
    let b = files.profile("b").unwrap().unwrap();
    assert_eq!(b.get("region").unwrap().map(|value| value.text), Some("r"));
    assert!(b.get("s3").is_err());
    assert_eq!(files.broken_lines().map(|(_, broken)| broken.line).collect::<Vec<_>>(), [2, 5]);
}

#[test]
fn the_later_duplicate_in_a_table_wins_even_if_empty() {
    let files = files("[default]\ns3 =\n  a = b\n  a =\n  c = d\n  c = e\n", "");
    let default = files.profile("default").unwrap().unwrap();
    let inner = |property| default.in_table("s3", property).unwrap().map(|value| value.text);
    assert_eq!((inner("a"), inner("c")), (None, Some("e")));
}

#[test]
fn a_wrong_section_header_is_detected() {
    let files = files("[dev]\n[profile a b]\n", "[profile ops]\n");
    let mistaken = |name: &str| files.similar_header(name).map(|found| (found.written, found.meant));
    assert_eq!(mistaken("dev"), Some(("[dev]".into(), "[profile dev]".into())));
    assert_eq!(mistaken("ops"), Some(("[profile ops]".into(), "[ops]".into())));
    assert_eq!(mistaken("a b"), Some(("[profile a b]".into(), "[profile \"a b\"]".into())));
    assert_eq!(mistaken("other"), None);
}

#[test]
fn comments_need_preceding_whitespace() {
    for (value, expected) in [("a # b", "a"), ("a#b", "a#b"), ("a\t; b", "a"), ("# b", ""), ("a", "a")] {
        assert_eq!(without_comment("region", value), expected, "{value}");
        assert_eq!(without_comment("External_ID", value), value);
    }
}

proptest! {
    #[test]
    fn the_fast_path_for_plain_headers_matches_shell_splitting(header in "[a-c =:#;.,\"'\\\\\u{e9}]{0,12}") {
        let slow = words::split(&header).filter(|words| words.len() == 2).map(|words| words[1].clone());
        prop_assert_eq!(second_word(&header).map(Cow::into_owned), slow);
    }

    #[test]
    fn the_reader_never_panics(text in "([\\[\\]# ;=\ta-c\n]|\\PC){0,200}", name in "[a-c]{0,2}") {
        let files = files(&text, &text);
        let _ = files.profile(&name).map(|profile| profile.map(|profile| profile.properties().count()));
        let _ = (files.section(Kind::SsoSession, &name).is_ok(), files.similar_header(&name));
    }
}

#[test]
fn text_before_the_first_header_of_either_file_is_an_error() {
    assert!(files("[a]\n", "# a comment\n[a]\n").check().is_ok());
    for (config, credentials, file) in [("x\n[a]\n", "", "`config`"), ("", "[a\nk = v\n[b]\n", "`credentials`")] {
        let error = files(config, credentials).check().unwrap_err().to_string();
        assert!(error.starts_with(file), "{error}");
    }
}

#[test]
fn a_message_names_both_files_and_the_header_to_change() {
    let files = files("[dev]\n", "[profile ops]\n");
    assert_eq!(files.paths(), "config or credentials");
    let header = |name: &str| files.similar_header(name).map(|similar| similar.to_string());
    let change = |line: &str| Some(format!("change {line}: only that header defines this profile in that file"));
    assert_eq!(header("dev"), change("`[dev]` (line 1 of config) to `[profile dev]`"));
    assert_eq!(header("ops"), change("`[profile ops]` (line 1 of credentials) to `[ops]`"));
    assert_eq!(header("other"), None);
}

#[test]
fn an_empty_expiry_property_does_not_hide_the_other_one() {
    let text = "[a]\naws_access_key_id = AKIA\nx_security_token_expires =\naws_expiration = 2030\n";
    let files = files("", text);
    let profile = files.profile("a").unwrap().unwrap();
    let keys = profile.keys_in_credentials_file().unwrap().unwrap();
    assert_eq!(keys.expiry.map(|value| (value.text, value.place.property)), Some(("2030", "aws_expiration")));
    assert!(keys.in_credentials_file && keys.secret.is_none());
    assert!(profile.keys_in_config_file().unwrap().is_none());
}

#[test]
fn debug_output_of_a_value_shows_only_where_it_is() {
    let value = Located { text: "MARKER".into(), place: "AWS_ENDPOINT_URL".into() };
    assert_eq!(format!("{value:?}"), "AWS_ENDPOINT_URL");
}
