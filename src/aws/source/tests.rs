use super::*;
use crate::aws::profile::tests::files;
use crate::say::explain::Explain as _;
use proptest::prelude::*;

const KEYS: &str = "aws_access_key_id = AKIA\naws_secret_access_key = x\n";
const ENV_KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "x")];
const ENV_WEB: [(&str, &str); 2] = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "env-role")];

/// A summary of the chosen source: its kind, its profile, and the roles assumed from it.
fn wins(flag: Option<&str>, env: &[(&str, &str)], config: &str, credentials: &str) -> String {
    let env: Env = env.iter().copied().collect();
    let files = files(config, credentials);
    let choice = ProfileChoice::resolve(flag, &env).expect("a name");
    match CredentialSource::resolve(choice, &env, &files) {
        Ok(source) => {
            let roles: Vec<String> = source.roles().map(|profile| format!(" + role of {}", profile.name())).collect();
            format!("{} [{}]{}", source.kind(), source.base_profile(), roles.concat())
        }
        Err(error) => format!("error {}", error.explain().exit.code()),
    }
}

#[test]
fn the_precedence_of_sources_in_a_profile_matches_the_aws_cli() {
    let sso = "sso_account_id = 1\nsso_role_name = r\nsso_start_url = u\nsso_region = r\n";
    let (process, login) = ("credential_process = y\n", "login_session = arn\n");
    let web = "web_identity_token_file = /token\nrole_arn = r\n";
    for (config, credentials, expected) in [
        (KEYS, "", "keys in the config file"),
        (process, "", "process"),
        (&[KEYS, process].concat(), "", "process"),
        (process, KEYS, "keys in the credentials file"),
        (&[login, process, KEYS].concat(), "", "console session"),
        (login, KEYS, "keys in the credentials file"),
        (&[sso, process].concat(), KEYS, "SSO session"),
        (&[sso, web].concat(), KEYS, "web identity"),
        (&[web, "source_profile = other\n"].concat(), "", "web identity"),
        ("sso_session = corp\n", KEYS, "keys in the credentials file"),
        ("sso_start_url = u\n", KEYS, "keys in the credentials file"),
        ("", "aws_secret_access_key = x\n", "instance"),
        ("", "", "instance"),
    ] {
        let (config, credentials) = (format!("[default]\n{config}"), format!("[default]\n{credentials}"));
        let expected = format!("{expected} [default]");
        assert_eq!(wins(None, &[], &config, &credentials), expected, "{config}{credentials}");
    }
    for bad in
        ["aws_access_key_id = AKIA\n", "aws_access_key_id =\naws_secret_access_key = x\n", "sso_account_id = 1\n"]
    {
        assert_eq!(wins(None, &[], "", &format!("[default]\n{bad}{process}")), "error 3", "{bad}");
    }
    // Keys from two files are never combined.
    let (id, secret) = ("[default]\naws_access_key_id = AKIA\n", "[default]\naws_secret_access_key = x\n");
    assert_eq!(wins(None, &[], secret, id), "error 3");
    assert_eq!(wins(None, &[], id, secret), "error 3");
}

#[test]
fn the_environment_takes_precedence_unless_a_flag_selects_a_profile() {
    let config = format!("[profile a]\n{KEYS}[default]\n{KEYS}");
    let both = [&ENV_KEYS[..], &ENV_WEB].concat();
    let named = |env: &[(&'static str, &'static str)]| [env, &[("AWS_PROFILE", "a")]].concat();
    for (flag, env, expected) in [
        (None, &both[..], "keys in the environment [default]"),
        (None, &ENV_WEB, "web identity [default]"),
        (None, &named(&both), "keys in the environment [a]"),
        (None, &named(&ENV_WEB), "web identity [a]"),
        (None, &named(&[]), "keys in the config file [a]"),
        (Some("a"), &both, "keys in the config file [a]"),
        (Some("nobody"), &both, "error 3"),
        (None, &[&ENV_KEYS[..], &[("AWS_PROFILE", "nobody")]].concat(), "error 3"),
        (None, &[&ENV_KEYS[..], &[("AWS_PROFILE", "")]].concat(), "keys in the environment [default]"),
        (None, &[("AWS_PROFILE", "a"), ("AWS_DEFAULT_PROFILE", "b")], "keys in the config file [a]"),
        (None, &ENV_KEYS[..1], "error 3"),
        (None, &ENV_KEYS[1..], "keys in the config file [default]"),
        (None, &ENV_WEB[..1], "error 3"),
        (None, &ENV_WEB[1..], "keys in the config file [default]"),
    ] {
        assert_eq!(wins(flag, env, &config, ""), expected, "{flag:?} {env:?}");
    }
    assert_eq!(wins(None, &[("AWS_PROFILE", "default")], "", ""), "error 3", "a selected profile that does not exist");
    let container = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
    assert_eq!(wins(None, &container, "", ""), "container [default]");
    assert_eq!(wins(Some("a"), &container, "[profile a]\n", ""), "container [a]");
    assert_eq!(wins(Some("a"), &container, &config, ""), "keys in the config file [a]");
}

#[test]
fn web_identity_parts_come_from_environment_or_profile() {
    for (env, config, expected) in [
        (&ENV_WEB[1..], "web_identity_token_file = /t\n", "web identity [default]"),
        (&ENV_WEB[..], "web_identity_token_file = /t\nrole_arn = r\n", "web identity [default]"),
        (&ENV_WEB[..], "role_arn = r\n", "error 3"),
        (&ENV_WEB[..], "role_arn = r\nsource_profile = k\n", "keys in the config file [k] + role of default"),
        (&ENV_WEB[..], "role_arn =\n", "web identity [default]"),
    ] {
        let config = format!("[default]\n{config}[profile k]\n{KEYS}");
        assert_eq!(wins(None, env, &config, ""), expected, "{config}");
    }
    let env: Env = ENV_WEB.iter().copied().collect();
    let files = files("[default]\nweb_identity_token_file = /t\nrole_arn = r\n", "");
    let source = CredentialSource::resolve(ProfileChoice::resolve(None, &env).unwrap(), &env, &files).unwrap();
    assert!(matches!(source.base, Base::WebIdentity(of) if of.role_arn.text == "env-role"));
}

#[test]
fn role_chains_start_at_the_configured_source() {
    let role = "role_arn = r\n";
    let chain =
        format!("[profile a]\n{role}source_profile = b\n[profile b]\n{role}source_profile = c\n[profile c]\n{KEYS}");
    assert_eq!(wins(Some("a"), &[], &chain, ""), "keys in the config file [c] + role of b + role of a");
    let with_keys = format!("[profile a]\n{role}source_profile = b\n[profile b]\n{role}source_profile = c\n{KEYS}");
    assert_eq!(wins(Some("a"), &[], &with_keys, ""), "keys in the config file [b] + role of a");
    for (own, expected) in [
        (KEYS, "keys in the config file [a] + role of a"),
        ("credential_process = y\n", "process [a] + role of a"),
        ("", "nothing [a] + role of a"),
    ] {
        let config = format!("[profile a]\n{role}source_profile = a\n{own}");
        assert_eq!(wins(Some("a"), &ENV_WEB, &config, ""), expected, "{config}");
    }
    for (name, expected) in [
        ("Environment", "keys in the environment, named by a profile [a] + role of a"),
        ("environment", "keys in the environment, named by a profile [a] + role of a"),
        ("Ec2InstanceMetadata", "instance [a] + role of a"),
        ("EcsContainer", "error 3"),
        ("Moon", "error 2"),
    ] {
        let config = format!("[profile a]\n{role}credential_source = {name}\n");
        assert_eq!(wins(Some("a"), &ENV_KEYS, &config, ""), expected, "{config}");
    }
    for bad in ["", "source_profile = b\n", "source_profile = a2\ncredential_source = Environment\n"] {
        assert_eq!(wins(Some("a"), &[], &format!("[profile a]\n{role}{bad}"), ""), "error 3", "{bad}");
    }
}

#[test]
fn conflicting_sso_session_and_profile_are_an_error() {
    let session = "[sso-session s]\nsso_start_url = u\nsso_region = eu-west-1\nsso_role_name = r\nregion = eu-west-1\n";
    for (profile, expected) in [
        ("sso_session = s\nsso_account_id = 1\n", "SSO session [default]"),
        ("sso_session = s # corp\nsso_account_id = 1\nsso_role_name = r\n", "SSO session [default]"),
        ("sso_session = s\nsso_account_id = 1\nregion = eu-west-2\n", "error 3"),
        ("sso_session = s\nsso_account_id = 1\nsso_role_name = q\n", "error 3"),
        ("sso_session = t\nsso_account_id = 1\n", "error 3"),
    ] {
        assert_eq!(wins(None, &[], &format!("{session}[default]\n{profile}"), ""), expected, "{profile}");
    }
}

#[test]
fn a_container_token_is_only_sent_to_local_addresses() {
    let of = |url: &str| {
        let env = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)].into_iter().collect();
        container(&env).map(|found| found.is_some()).map_err(|error| error.explain().exit.code())
    };
    for good in [
        "http://127.0.0.1:8080/x",
        "http://localhost/x",
        "http://[::1]/x",
        "http://169.254.170.23/x",
        "http://[fd00:ec2::23]/x",
    ] {
        assert_eq!(of(good), Ok(true), "{good}");
    }
    for bad in [
        "http://example.com/x",
        "http://169.254.170.24/x",
        "ftp://127.0.0.1/",
        "127.0.0.1/x",
        "http://127.0.0.1.example.com/",
    ] {
        assert_eq!(of(bad), Err(2), "{bad}");
    }
    assert_eq!(of(" "), Ok(false));
}

proptest! {
    #[test]
    fn the_resolver_never_panics(
        config in "(\\[(default|profile a|sso-session s)\\]\n((role_arn|source_profile|sso_session|sso_account_id|credential_source) = (a|s|Environment|EcsContainer)\n){0,4}){0,3}",
        flag in proptest::option::of("a|b"),
        uri in "\\PC{0,12}",
    ) {
        let env = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str())];
        let _ = wins(flag.as_deref(), &env, &config, &config);
    }
}

/// Half a pair of keys is an error of the source profile; its role is not used instead.
#[test]
fn in_a_source_profile_even_half_a_pair_of_keys_takes_precedence_over_its_role() {
    let role = |source: &str| format!("role_arn = r\nsource_profile = {source}\n");
    for half in ["aws_access_key_id = AKIA\n", "aws_secret_access_key = x\n"] {
        let config = format!("[default]\n{}[profile b]\n{half}{}[profile c]\n{KEYS}", role("b"), role("c"));
        let found = wins(None, &[], &config, "");
        let expected = if half.contains("_id") { "error 3" } else { "nothing [b] + role of default" };
        assert_eq!(found, expected, "{half}");
    }
}

#[test]
fn a_source_knows_where_it_comes_from() {
    let chain = format!("[profile dev]\nrole_arn = r\nsource_profile = base\n[profile base]\n{KEYS}mfa_serial = m\n");
    let own = format!("[default]\n{KEYS}");
    // Environment keys; last resort; from a profile; the profile that requested it; another one was selected; MFA.
    for (flag, env, config, expected) in [
        (Some("dev"), &[][..], &*chain, (false, false, true, Some("dev"), false, true)),
        (None, &[("AWS_PROFILE", "dev")], &chain, (false, false, true, Some("dev"), false, true)),
        (None, &[("AWS_PROFILE", "dev"), ENV_KEYS[0], ENV_KEYS[1]], &chain, (true, false, false, None, true, false)),
        (None, &ENV_KEYS, &own, (true, false, false, None, false, false)),
        (None, &ENV_WEB, &own, (false, false, false, None, false, false)),
        (None, &[], &own, (false, false, true, None, false, false)),
        (None, &[], "", (false, true, false, None, false, false)),
    ] {
        let (env, files): (Env, _) = (env.iter().copied().collect(), files(config, ""));
        let choice = ProfileChoice::resolve(flag, &env).expect("a name");
        let source = CredentialSource::resolve(choice, &env, &files).expect("a source");
        let serial = source.mfa_serial_in_chain().unwrap();
        let found = (
            source.is_environment_keys(),
            source.is_last_resort(),
            source.is_from_profile(),
            source.requesting_profile(),
            source.overrides_selected_profile(),
            serial.as_deref().is_some_and(|place| place.starts_with("`mfa_serial` in profile `base`")),
        );
        assert_eq!(found, expected, "{flag:?} {config}");
    }
}
