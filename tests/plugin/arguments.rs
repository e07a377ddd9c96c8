use crate::Account;

const GET_TOKEN: [&str; 4] = ["eks", "get-token", "--cluster-name", "demo"];

#[test]
fn harmless_options_of_other_tools_are_ignored() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let plain = plugin.run(&GET_TOKEN).good_token();
    let passed_over: [&[&str]; 13] = [
        &["--debug"],
        &["--no-cli-pager"],
        &["--color", "off"],
        &["--cli-read-timeout", "5"],
        &["--cli-connect-timeout=5"],
        &["--cli-binary-format", "base64"],
        &["--cli-auto-prompt"],
        &["--no-cli-auto-prompt"],
        &["--cli-error-format", "json"],
        &["--no-paginate"],
        &["--v2-debug"],
        &["--output", "json"],
        &["--debug", "--no-cli-pager", "--color", "on"],
    ];
    for words in passed_over {
        for args in [[words, &GET_TOKEN].concat(), [&GET_TOKEN, words].concat()] {
            assert_eq!(plugin.run(&args).good_token(), plain, "{words:?} is another request");
            // Also with an empty cache.
            account.alices_plugin().run(&args).good_token();
        }
    }
    for words in
        [&["-l", "json"][..], &["--log-format", "text"], &["--feature-gates", "x=true"], &["--log-format=json"]]
    {
        assert_eq!(plugin.run(&[&["token", "-i", "demo"], words].concat()).good_token(), plain, "{words:?}");
    }
}

#[test]
fn unsupported_options_are_rejected_by_name() {
    let account = Account::new();
    for (words, hint) in [
        (&["--query", "status.token"][..], "--token-only"),
        (&["--output", "text"], "--token-only"),
        (&["--output", "yaml"], "--token-only"),
        (&["--output=table"], "--token-only"),
        (&["--no-verify-ssl"], "--ca-bundle"),
        (&["--no-sign-request"], "remove it"),
    ] {
        for args in [[words, &GET_TOKEN].concat(), [&GET_TOKEN, words].concat()] {
            let output = account.alices_plugin().run(&args);
            let stderr = output.failed_with(2);
            let name = words[0].split('=').next().unwrap();
            assert!(stderr.starts_with(&format!("eks-group-auth: error: `{name}")), "{stderr}");
            assert!(stderr.lines().nth(1).is_some_and(|line| line.contains(hint)), "{stderr}");
        }
    }
    let stderr = account.alices_plugin().run(&["eks", "token", "--cluster-id", "demo"]).failed_with(2).to_owned();
    assert!(stderr.contains("hint: run `eks-group-auth token`, or `eks-group-auth eks get-token` as with"), "{stderr}");
}

#[test]
fn argument_errors_come_before_file_errors() {
    let account = Account::new();
    let plugin = account.plugin().env("AWS_PROFILE", "nobody");
    for args in
        [&["token"][..], &["token", "-i", "de mo"], &["--query", "x", "eks", "get-token", "--cluster-name", "demo"]]
    {
        plugin.run(args).failed_with(2);
    }
    plugin.run(&GET_TOKEN).failed_with(3);
}

/// A cached call prints nothing: the warning was already printed.
#[test]
fn ignored_arguments_warn_once() {
    let account = Account::new();
    let warning = |argument: &str, why: &str| format!("eks-group-auth: warning: `{argument}` has no effect: {why}\n");
    let no_role = "no role is assumed without `--role`";
    let no_call =
        "it redirects no call in the AWS CLI's get-token either; set AWS_ENDPOINT_URL_STS to redirect calls to STS";
    for (words, expected) in [
        (&["--session-name", "night"][..], warning("--session-name", no_role)),
        (&["-e", "external"], warning("--external-id", no_role)),
        (&["--endpoint-url", "http://127.0.0.1:1"], warning("--endpoint-url", no_call)),
    ] {
        let plugin = account.alices_plugin();
        let first = plugin.token(words);
        assert_eq!((first.code, first.stderr.as_str()), (0, expected.as_str()));
        plugin.token(words).good_token();
    }
    let profiles = account.alices_plugin().config("[profile one]\n[profile two]\n");
    let both = profiles.env("AWS_PROFILE", "one").env("AWS_DEFAULT_PROFILE", "two");
    let expected = "eks-group-auth: warning: AWS_PROFILE is `one` and AWS_DEFAULT_PROFILE is `two`: AWS_PROFILE is \
                    used; unset the one you do not want\n";
    assert_eq!(both.token(&[]).stderr, expected);
    both.token(&[]).good_token();
    both.token(&["--profile", "one", "--refresh"]);
    assert_eq!(both.env("AWS_DEFAULT_PROFILE", "one").token(&[]).stderr, "");
}

#[test]
fn the_authenticators_variable_sets_the_cluster() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let named = plugin.token(&[]).good_token();
    let by_variable = plugin.clone().env("KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID", "demo");
    assert_eq!(by_variable.run(&["token"]).good_token(), named);
    assert_ne!(by_variable.run(&["token", "-i", "other"]).good_token(), named);
    let bad = plugin.env("KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID", "de mo").run(&["token"]);
    assert!(
        bad.failed_with(2).starts_with("eks-group-auth: error: KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID `de mo`"),
        "{}",
        bad.stderr
    );
}

/// The equivalent variable is not set in the user's shell, so the MFA hint must not mention it.
#[test]
fn the_ca_bundle_argument_works() {
    use crate::support::account::MFA_SERIAL;
    use crate::support::http::Tls;
    use crate::support::sts::{Role, Sts};
    let tls = Tls::for_loopback();
    let account = Account::on(Sts::start_tls(&tls));
    let plugin = account.alices_plugin().write("ca.pem", &tls.ca_pem);
    let file = plugin.home().join("ca.pem").display().to_string();
    plugin.role_token(&account.dev, &["--refresh"]).failed_with(5);
    plugin.role_token(&account.dev, &["--ca-bundle", &file]).good_token();
    let mfa =
        account.sts.add_role("mfa", Role { mfa_serial: Some(MFA_SERIAL.into()), ..Role::for_group("developers") });
    let stderr = plugin.role_token(&mfa, &["--ca-bundle", &file, "--mfa-serial", MFA_SERIAL]).failed_with(6).to_owned();
    assert!(stderr.contains(&format!("--ca-bundle {file}")) && !stderr.contains("AWS_CA_BUNDLE"), "{stderr}");
    plugin.role_token(&account.dev, &["--ca-bundle", "/nonexistent", "--refresh"]).failed_with(2);
}
