use crate::Account;
use crate::support::account::DEV;
use crate::support::plugin::{Plugin, error_and_hint, signed_by};

/// The AWS CLI rejects the whole file; here, a broken line only matters if something in use depends on it.
#[test]
fn a_broken_line_is_an_error_if_used_and_shown_with_v_otherwise() {
    let account = Account::new();
    let config = format!(
        "[profile good]\n{}[profile bad]\nregion eu-west-1\n{}",
        account.alice.properties(),
        account.bob.properties()
    );
    let plugin = account.plugin().config(&config);
    signed_by(&plugin, &["--profile", "good"], &account.alice);
    let path = plugin.home().join(".aws/config").display().to_string();
    let why = "it has no `=` or `:`, and is neither a `[section]` nor a comment";
    let verbose = plugin.token(&["--profile", "good", "-v"]);
    assert!(verbose.stderr.contains(&format!("skipped line 5 of `{path}`: {why}\n")), "{}", verbose.stderr);
    let hint = "correct it, or point AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE at another file";
    let expected = error_and_hint(&format!("`{path}` cannot be parsed at line 5: {why}"), hint);
    assert_eq!(plugin.token(&["--profile", "bad"]).failed_with(2), expected);
    let as_source = format!("[profile dev]\nrole_arn = {DEV}\nsource_profile = bad\n");
    let plugin = account.plugin().config(&format!("{as_source}{config}"));
    assert!(plugin.token(&["--profile", "dev"]).failed_with(2).contains("at line 8: "));
}

/// Its keys would otherwise belong to the profile above it.
#[test]
fn a_header_with_a_missing_bracket_is_an_error() {
    let account = Account::new();
    let text = format!("[default]\n{}[other\n{}", account.alice.properties(), account.bob.properties());
    let plugin = account.plugin().write(".aws/credentials", &text);
    assert!(plugin.token(&[]).failed_with(2).contains("cannot be parsed at line 4: "));
    // The same for the first header, where the machine's own identity or another source would be used instead.
    let text = format!("[default\n{}", account.alice.properties());
    let plugin = account.plugin().write(".aws/credentials", &text);
    for plugin in [plugin.clone(), plugin.keys(&account.bob)] {
        assert!(plugin.token(&[]).failed_with(2).contains("cannot be parsed at line 1: it comes before the first"));
    }
}

#[test]
fn a_value_on_the_next_line_is_an_error_if_used() {
    let account = Account::new();
    let config = format!("[default]\noutput =\n  json\n{}", account.alice.properties());
    signed_by(&account.plugin().config(&config), &[], &account.alice);
    let plugin = account.plugin().config("[default]\ncredential_process =\n  cat keys.json\n");
    let stderr = plugin.token(&[]).failed_with(2).to_owned();
    assert!(stderr.contains("cannot be parsed at line 3: in a value that starts on the next line"), "{stderr}");
}

#[test]
fn an_invalid_value_error_gives_its_location() {
    let account = Account::new();
    let role = format!("[profile dev]\nrole_arn = {DEV}\ncredential_source = ");
    for (config, property, line, value) in [
        ("[profile dev]\nregion = Ireland\n", "region", 2, "Ireland"),
        ("[profile dev]\nuse_fips_endpoint = yes\n", "use_fips_endpoint", 2, "yes"),
        (&format!("{role}Moon\n"), "credential_source", 3, "Moon"),
        ("[profile dev]\n\nendpoint_url = sts.corp\n", "endpoint_url", 3, "sts.corp"),
        ("[profile dev]\nservices = lab\n", "services", 2, "lab"),
    ] {
        let plugin = account.alices_plugin().config(config).env_remove("AWS_REGION").env_remove("AWS_ENDPOINT_URL_STS");
        let plugin = if property == "region" { plugin } else { plugin.env("AWS_REGION", "eu-west-1") };
        let path = plugin.home().join(".aws/config");
        let stderr = plugin.token(&["--profile", "dev"]).failed_with(2).to_owned();
        let place = format!("`{property}` in profile `dev` (line {line} of {})", path.display());
        assert!(
            stderr.starts_with(&format!("eks-group-auth: error: {place} `{value}` is not valid: it must be ")),
            "{stderr}"
        );
    }
    let stderr = account.alices_plugin().env("AWS_CREDENTIAL_EXPIRATION", "soon").token(&[]).failed_with(2).to_owned();
    assert!(stderr.starts_with("eks-group-auth: error: AWS_CREDENTIAL_EXPIRATION `soon` is not valid: "), "{stderr}");
}

#[test]
fn a_default_profile_with_the_wrong_header_gets_a_hint() {
    let account = Account::new();
    let plugin =
        account.plugin().write(".aws/credentials", &format!("[profile default]\n{}", account.alice.properties()));
    let stderr = plugin.token(&[]).failed_with(3).to_owned();
    assert!(stderr.contains("hint: change `[profile default]` (line 1 of "), "{stderr}");
}

/// People write comments after values, although the AWS CLI reads them as part of the value.
#[test]
fn trailing_comments_are_removed_wherever_the_value_is_used() {
    let account = Account::new();
    account.sts.trust_web_identity("jwt", &account.dev);
    let plugin = account.plugin().write("token", "jwt");
    let token = plugin.home().join("token");
    let config =
        format!("[default]\nrole_arn = {} # ours\nweb_identity_token_file = {}\n", account.dev, token.display());
    plugin.config(&config).token(&[]).good_token();
    let config = "[default]\nsso_session = corp ; ours\nsso_account_id = 1 # dev\nsso_role_name = Dev\nsso_region = eu-west-1 # x\n\
                  [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start/#\n";
    account.plugin().config(config).token(&[]).failed_with(6);
}

/// Passwords and tokens in URLs, and in variable assignments before the program if a `credential_process` is mistaken
/// for a shell command.
#[test]
fn possible_secrets_in_settings_are_not_shown() {
    let account = Account::new();
    let said = |plugin: Plugin| {
        let output = plugin.token(&["--role", &account.dev]);
        assert_eq!(output.stdout, "");
        assert!(!output.stderr.contains("MARKER") && output.stderr.contains("error: "), "{}", output.stderr);
        output.stderr
    };
    said(account.alices_plugin().env("AWS_ENDPOINT_URL_STS", "user:MARKER@sts.corp"));
    said(account.alices_plugin().env("AWS_ENDPOINT_URL_STS", "http://user:MARKER@127.0.0.1:1/?MARKER"));
    for url in ["http://user:MARKER@127.0.0.1:1/x?token=MARKER", "http://user:MARKER@example.com/x?token=MARKER"] {
        said(account.plugin().env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url));
    }
    let stderr = said(account.plugin().config("[default]\ncredential_process = PASSWORD=MARKER corp-creds\n"));
    assert!(stderr.contains("write `env PASSWORD=…`"), "{stderr}");
}

#[test]
fn verbose_output_shows_precedence() {
    let account = Account::new();
    let credentials = format!("[default]\n{}", account.alice.properties());
    let plugin =
        account.plugin().config("[default]\ncredential_process = false\n").write(".aws/credentials", &credentials);
    let stderr = plugin.token(&["-v"]).stderr;
    let passed_over = "not used, because another source takes precedence: ";
    assert!(stderr.contains(&format!("{passed_over}the `credential_process` in profile `default`\n")), "{stderr}");
    let stderr = plugin.clone().keys(&account.bob).token(&["-v"]).stderr;
    assert!(stderr.contains(&format!("{passed_over}the credentials file's keys in profile `default`\n")), "{stderr}");
    let stderr = plugin.keys(&account.bob).token(&["--profile", "default", "-v"]).stderr;
    assert!(stderr.contains(&format!("{passed_over}AWS_ACCESS_KEY_ID in the environment\n")), "{stderr}");
}

#[test]
fn config_variables_work_without_a_home() {
    let account = Account::new();
    let plugin = account.plugin();
    let config = plugin.home().join("config");
    let plugin = plugin.write("config", &format!("[default]\n{}", account.alice.properties()));
    let cache = plugin.home().join("cache");
    let plugin = plugin.env("AWS_CONFIG_FILE", config).env("EKS_GROUP_AUTH_CACHE_DIR", cache);
    let elsewhere = plugin.clone().env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    signed_by(&elsewhere.clone().env_remove("HOME"), &[], &account.alice);
    signed_by(&elsewhere.env("HOME", ""), &[], &account.alice);
}

#[test]
fn broken_role_chains_are_errors_of_their_profile() {
    let account = Account::new();
    let role = format!("role_arn = {DEV}\n");
    for (config, why) in [
        (format!("[profile dev]\n{role}"), "it has a `role_arn`, but does not say which credentials to assume it with"),
        (
            format!("[profile dev]\n{role}source_profile = a\ncredential_source = Environment\n"),
            "it has both `source_profile` and `credential_source`, but its role can use only one",
        ),
        (format!("[profile dev]\n{role}source_profile = dev\n"), "it has no source of credentials"),
        (
            format!("[profile dev]\n{role}source_profile = a\n[profile a]\n{role}source_profile = dev\n"),
            "profile `a`: its `source_profile` leads back to `dev`",
        ),
        (
            "[profile dev]\naws_access_key_id = AKIA\n".to_owned(),
            "must both be set, in the same file, and not be empty",
        ),
    ] {
        let stderr = account.plugin().config(&config).token(&["--profile", "dev"]).failed_with(3).to_owned();
        assert!(
            stderr.starts_with("eks-group-auth: error: no AWS credentials from profile `") && stderr.contains(why),
            "{stderr}"
        );
        assert!(stderr.lines().nth(1).is_some_and(|line| line.starts_with("eks-group-auth: hint: ")), "{stderr}");
    }
    assert_eq!(account.sts.calls().len(), 0);
}
