use crate::Account;
use crate::support::account::DEV;
use crate::support::child::WatchedChild;
use crate::support::client_go::EXEC_INFO;
use crate::support::plugin::{Output, Plugin, error_and_hint};
use crate::support::sts::{Role, error_reply};

/// Checks the exit code, that stdout is empty, the entire stderr, and the number of calls to STS.
#[track_caller]
fn fails(account: &Account, output: &Output, code: i32, sts_calls: usize, stderr: &str) {
    assert_eq!(output.failed_with(code), stderr);
    assert_eq!(account.sts.calls().len(), sts_calls, "calls to STS");
}

#[test]
fn a_role_that_no_group_allows_is_denied() {
    let account = Account::new();
    let output = account.plugin().keys(&account.bob).role_token(&account.dev, &[]);
    let error = format!(
        "could not assume role `{DEV}`: AccessDenied: User: arn:aws:iam::111122223333:user/bob is not authorized to perform: \
         sts:AssumeRole on resource: {DEV}"
    );
    let hint = "either none of your groups allows sts:AssumeRole on this role, or the role's trust policy does not \
                trust you: ask your administrator for access";
    fails(&account, &output, 4, 2, &error_and_hint(&error, hint));
}

#[test]
fn an_unknown_access_key_is_reported() {
    let account = Account::new();
    let plugin = account.alices_plugin().env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN");
    let output = plugin.role_token(&account.dev, &[]);
    let error = "could not get your identity from STS: InvalidClientTokenId: The security token included in the \
                 request is invalid.";
    let hint = "AWS does not know this access key: it was deleted or deactivated, or belongs to another partition; \
                create a new key, or choose another profile with `--profile`";
    fails(&account, &output, 4, 1, &error_and_hint(error, hint));
}

/// People who set AWS_PROFILE forget about stale keys in the environment.
#[test]
fn environment_keys_overriding_aws_profile_are_named() {
    let account = Account::new();
    let plugin = account.plugin().config("[profile x]\nregion = eu-west-1\n").keys(&account.bob);
    let refused = |plugin: &Plugin| plugin.role_token(&account.dev, &[]).failed_with(4).to_owned();
    let words = " (using AWS_ACCESS_KEY_ID in the environment, which takes precedence over";
    let stderr = refused(&plugin.clone().env("AWS_PROFILE", "x"));
    assert!(stderr.contains(&format!("role/dev{words} AWS_PROFILE `x`)\n")), "{stderr}");
    let stderr = refused(&plugin.clone().env("AWS_DEFAULT_PROFILE", "x"));
    assert!(stderr.contains(&format!("role/dev{words} AWS_DEFAULT_PROFILE `x`)\n")), "{stderr}");
    assert!(!refused(&plugin).contains("which takes precedence over"));
    let expired = plugin.env("AWS_PROFILE", "x").env("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z");
    let error = "no AWS credentials from AWS_ACCESS_KEY_ID in the environment, which takes precedence over AWS_PROFILE \
                 `x`: they have expired, or will expire within a minute, according to AWS_CREDENTIAL_EXPIRATION";
    let hint = "get new credentials from the same source, then try again";
    assert_eq!(expired.token(&["--refresh"]).failed_with(3), error_and_hint(error, hint));
}

#[test]
fn a_secret_of_another_key_is_reported() {
    let account = Account::new();
    let plugin = account.alices_plugin().env("AWS_SECRET_ACCESS_KEY", "wrong");
    let stderr = plugin.role_token(&account.dev, &[]).stderr;
    assert!(stderr.contains("SignatureDoesNotMatch: The request signature we calculated does not match"), "{stderr}");
    assert!(
        stderr.contains("hint: the secret access key does not belong to the access key id: enter both again\n"),
        "{stderr}"
    );
}

#[test]
fn a_duration_longer_than_the_role_allows_is_reported() {
    let account = Account::new();
    let output = account.alices_plugin().role_token(&account.dev, &["--duration", "43200"]);
    let error = format!(
        "could not assume role `{DEV}`: ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for \
         this role."
    );
    let hint =
        "lower `--duration` to the role's maximum, or to 3600 if your own credentials are a role session, as with SSO";
    fails(&account, &output, 4, 2, &error_and_hint(&error, hint));
}

#[test]
fn a_session_token_that_makes_the_token_too_long() {
    let account = Account::new();
    let heavy = account.sts.add_role("heavy", Role { session_token_len: 2700, ..Role::for_group("developers") });
    let output = account.alices_plugin().role_token(&heavy, &["--session-name", "alice"]);
    let stderr = output.failed_with(1);
    assert!(
        stderr.starts_with("eks-group-auth: error: every cluster would refuse the token: it is at least 41"),
        "{stderr}"
    );
    assert!(
        stderr.contains(
            "characters long, but clusters accept at most 4095\neks-group-auth: hint: the session token in it is \
             too long"
        ),
        "{stderr}"
    );
}

/// Long enough to make the signer itself fail.
#[test]
fn a_session_token_of_any_length_is_an_error_without_a_panic() {
    let account = Account::new();
    let plugin =
        account.alices_plugin().env("AWS_ACCESS_KEY_ID", "ASIALOOPBACK").env("AWS_SESSION_TOKEN", "x".repeat(70_000));
    assert!(plugin.token(&[]).failed_with(1).contains("characters long, but clusters accept at most 4095"));
    let heavy = account.sts.add_role("heavy", Role { session_token_len: 100_000, ..Role::for_group("developers") });
    let plugin = account.alices_plugin();
    plugin.role_token(&heavy, &[]).failed_with(1);
    assert!(
        plugin.entries().iter().all(|path| !path.to_string_lossy().contains("session-")),
        "once the problem is fixed, the next call succeeds"
    );
}

#[test]
fn no_region() {
    let account = Account::new();
    let output = account.alices_plugin().env_remove("AWS_REGION").role_token(&account.dev, &[]);
    fails(
        &account,
        &output,
        2,
        0,
        &error_and_hint(
            "no AWS region: nothing says which region the cluster is in",
            "add `--region` to the exec block's args, or set AWS_REGION or `region` in profile `default`",
        ),
    );
}

#[test]
fn a_profile_that_does_not_exist() {
    let account = Account::new();
    for output in [
        account.alices_plugin().role_token(&account.dev, &["--profile", "nobody"]),
        account.alices_plugin().env("AWS_PROFILE", "nobody").role_token(&account.dev, &[]),
    ] {
        let stderr = output.failed_with(3);
        assert!(stderr.starts_with("eks-group-auth: error: profile `nobody` not found in /"), "{stderr}");
        assert!(stderr.contains(".aws/config or /"), "{stderr}");
        assert!(
            stderr.ends_with(
                "\neks-group-auth: hint: run `aws configure list-profiles` to see the profiles that exist\n"
            ),
            "{stderr}"
        );
    }
    assert_eq!(account.sts.calls().len(), 0);
}

#[test]
fn no_credentials_anywhere() {
    let account = Account::new();
    // Outside EC2, the metadata service is not called even if it is not disabled: it would take seconds and fail with
    // an error of its own.
    let is_ec2 =
        std::fs::read_to_string("/sys/class/dmi/id/sys_vendor").is_ok_and(|vendor| vendor.starts_with("Amazon"));
    let plugin = if is_ec2 { account.plugin() } else { account.plugin().env_remove("AWS_EC2_METADATA_DISABLED") };
    let output = plugin.role_token(&account.dev, &[]);
    let error = "no AWS credentials: none in the environment, none in profile `default`, and no other source";
    let hint = "run `aws configure sso` or `aws configure`, or choose a profile with `--profile`";
    fails(&account, &output, 3, 0, &error_and_hint(error, hint));
}

#[test]
fn a_credential_process_that_fails() {
    let account = Account::new();
    let plugin = account.plugin().config("[profile p]\ncredential_process = false\n").env("PATH", "/usr/bin:/bin");
    let output = plugin.token(&["--profile", "p"]);
    let stderr = output.failed_with(3);
    assert!(stderr.starts_with("eks-group-auth: error: no AWS credentials from profile `p`: "), "{stderr}");
    assert!(stderr.ends_with("hint: run this profile's `credential_process` by hand to see its output\n"), "{stderr}");
}

#[test]
fn a_malformed_exec_info_is_rejected_before_any_call() {
    let account = Account::new();
    let good = EXEC_INFO;
    assert_eq!(account.alices_plugin().env("KUBERNETES_EXEC_INFO", good).token(&[]).code, 0);
    let v1 = r#""kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1""#;
    let bad = [
        "{".to_owned(),
        "null".into(),
        "[]".into(),
        "true".into(),
        " ".into(),
        "not json".into(),
        format!("{good}{good}"),
        format!("{good} x"),
        "{}".into(),
        r#"{"kind":"ExecCredential"}"#.into(),
        r#"{"apiVersion":"client.authentication.k8s.io/v1"}"#.into(),
        r#"["ExecCredential","client.authentication.k8s.io/v1",null]"#.into(),
        good.replace("ExecCredential", "Pod"),
        good.replace("ExecCredential", "ExecCredentialss"),
        good.replace("/v1\"", "/v1alpha1\""),
        good.replace("/v1\"", "/v2\""),
        good.replace("client.authentication.k8s.io/v1", ""),
        good.replace("false", "\"no\""),
        format!("{{{v1},\"spec\":[]}}"),
        format!("{{{v1},\"spec\":{{\"cluster\":\"x\"}}}}"),
        format!("{{{v1},\"spec\":{{\"cluster\":{{\"server\":1}}}}}}"),
        format!("{{{v1},\"spec\":{{\"cluster\":{{\"config\":{{\"region\":[]}}}}}}}}"),
        format!("{{{v1},\"spec\":{{\"cluster\":{{\"config\":{{\"region\":\"Mars\"}}}}}}}}"),
        format!("{{{v1},{v1}}}"),
    ];
    for info in bad {
        let output = account.alices_plugin().env("KUBERNETES_EXEC_INFO", &info).role_token(&account.dev, &[]);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{info}");
        assert!(output.stderr.starts_with("eks-group-auth: error: "), "{info}: {}", output.stderr);
        assert!(output.stderr.lines().count() <= 2, "{info}: {}", output.stderr);
    }
    let output = account
        .alices_plugin()
        .env("KUBERNETES_EXEC_INFO", good.replace("/v1\"", "/v1alpha1\""))
        .role_token(&account.dev, &[]);
    let error = "KUBERNETES_EXEC_INFO asks for apiVersion `client.authentication.k8s.io/v1alpha1`, which is neither v1 nor v1beta1";
    let hint = "kubectl sets this variable: use `apiVersion: client.authentication.k8s.io/v1` in the exec block, or unset the variable if you run eks-group-auth yourself";
    fails(&account, &output, 2, 0, &error_and_hint(error, hint));
}

#[test]
fn an_exec_info_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let account = Account::new();
    let info = std::ffi::OsString::from_vec(b"{\"kind\":\"\xff\"}".to_vec());
    account.alices_plugin().env("KUBERNETES_EXEC_INFO", info).token(&[]).failed_with(2);
}

#[test]
fn invalid_arguments_are_rejected_before_any_call() {
    let account = Account::new();
    let role = account.dev.as_str();
    let long_name = "x".repeat(65);
    let bad: [&[&str]; 32] = [
        &[],
        &["token"],
        &["token", "--cluster"],
        &["token", "--cluster", ""],
        &["token", "--cluster", "-demo"],
        &["token", "--cluster", "_demo"],
        &["token", "--cluster", "de mo"],
        &["token", "--cluster", "demo\n"],
        &["token", "--cluster", "d\u{e9}mo"],
        &["token", "--cluster", "arn:aws:iam::111122223333:role/demo"],
        &["token", "--cluster", "demo", "--cluster", "other"],
        &["token", "--cluster", "demo", "extra"],
        &["token", "--cluster", "demo", "--nonsense"],
        &["token", "--cluster", "demo", "--role", ""],
        &["token", "--cluster", "demo", "--role", "dev"],
        &["token", "--cluster", "demo", "--role", "arn:aws-cn:iam::111122223333:role/dev"],
        &["token", "--cluster", "demo", "--role", "arn:aws:iam::111122223333:group/developers"],
        &["token", "--cluster", "demo", "--role", "arn:aws:sts::111122223333:assumed-role/dev/alice"],
        &["token", "--cluster", "demo", "--region", ""],
        &["token", "--cluster", "demo", "--region", "eu-west-1a"],
        &["token", "--cluster", "demo", "--region", "sts.evil.com/?"],
        &["token", "--cluster", "demo", "--profile", ""],
        &["token", "--cluster", "demo", "--role", role, "--session-name", "a"],
        &["token", "--cluster", "demo", "--role", role, "--session-name", "a b"],
        &["token", "--cluster", "demo", "--role", role, "--session-name", &long_name],
        &["token", "--cluster", "demo", "--role", role, "--external-id", "x"],
        &["token", "--cluster", "demo", "--role", role, "--external-id", "a;b"],
        &["token", "--cluster", "demo", "--role", role, "--duration", "899"],
        &["token", "--cluster", "demo", "--role", role, "--duration", "1h"],
        &["token", "--cluster", "demo", "--source-identity", "alice"],
        &["token", "--cluster", "demo", "--cache", "some"],
        &["--output", "text", "eks", "get-token", "--cluster-name", "demo"],
    ];
    for args in bad {
        let named = [args, &["--role", role]].concat();
        let with_a_role = !args.is_empty()
            && args != ["token"]
            && !args.iter().any(|arg| ["--role", "eks", "--source-identity"].contains(arg));
        let output = account.alices_plugin().run(if with_a_role { &named } else { args });
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{args:?}: {}", output.stderr);
        assert!(output.stderr.starts_with("eks-group-auth: error: "), "{args:?}: {}", output.stderr);
        assert!(output.stderr.lines().count() <= 2 && output.stderr.ends_with('\n'), "{args:?}: {}", output.stderr);
    }
    let bad_environment = [
        ("AWS_REGION", "Ireland"),
        ("AWS_USE_FIPS_ENDPOINT", "yes"),
        ("EKS_GROUP_AUTH_CACHE", "disk"),
        ("AWS_CA_BUNDLE", "/nonexistent"),
    ];
    let endpoints =
        ["sts.corp", "http://a b", "ftp://sts.corp", "http://"].map(|value| ("AWS_ENDPOINT_URL_STS", value));
    let others = [("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_USE_DUALSTACK_ENDPOINT", "true")];
    for (name, value) in bad_environment.into_iter().chain(endpoints).chain(others) {
        let output = account.alices_plugin().env(name, value).role_token(role, &[]);
        assert!(output.failed_with(2).starts_with("eks-group-auth: error: "), "{name}: {}", output.stderr);
    }
    let config = "[default]\nendpoint_url = sts.corp\n";
    account.alices_plugin().env_remove("AWS_ENDPOINT_URL_STS").config(config).role_token(role, &[]).failed_with(2);
    // A partition whose clusters do not accept dual-stack hosts.
    let iso = account.alices_plugin().env_remove("AWS_ENDPOINT_URL_STS").env("AWS_USE_DUALSTACK_ENDPOINT", "true");
    iso.role_token("arn:aws-iso:iam::111122223333:role/dev", &["--region", "us-iso-east-1"]).failed_with(2);
    assert_eq!(account.sts.calls().len(), 0);
}

#[test]
fn invalid_arguments_have_exact_messages() {
    let account = Account::new();
    let hint_about_help = "run `eks-group-auth --help` or `eks-group-auth token --help`";
    for (args, stderr) in [
        (
            &["token", "--cluster", "de/mo"][..],
            "eks-group-auth: error: --cluster `de/mo` is not valid: it must be a cluster name: up to 100 letters, \
             digits, `-` and `_`, starting with a letter or digit\n".into(),
        ),
        (&[], error_and_hint("a command is required, such as `token`", hint_about_help)),
        (&["token", "-i"], error_and_hint("a value is required for '--cluster <NAME>' but none was supplied", hint_about_help)),
        (
            &["token", "-i", "demo", "-r", "arn:aws-cn:iam::111122223333:role/dev"],
            error_and_hint(
                "--role `arn:aws-cn:iam::111122223333:role/dev` is not valid: it must be in partition `aws`, the \
                 partition of region `eu-west-1`",
                "correct the role or the region",
            ),
        ),
        (&["token"], error_and_hint("the following required arguments were not provided: --cluster <NAME>", hint_about_help)),
        (&["token", "-i", "demo", "--rol", "x"], error_and_hint("unexpected argument '--rol' found; a similar argument exists: '--role'", hint_about_help)),
        (
            &["token", "-i", "demo", "--duration", "\u{1b}[31m"],
            "eks-group-auth: error: --duration `\\u{1b}[31m` is not valid: it must be a number of seconds from 900 to 43200\n".to_owned(),
        ),
        (&["token", "-i", "demo", "--duration", "900"], error_and_hint("`--duration` only applies to a role, and no `--role` is given", hint_about_help)),
        (
            &["token", "-i", "demo", "-r", "arn:aws:iam::111122223333:group/developers"],
            error_and_hint(
                "--role `arn:aws:iam::111122223333:group/developers` is not valid: it must be a role ARN, such as \
                 `arn:aws:iam::111122223333:role/developers`",
                "only a role can be assumed: use the role that your group's policy lets you assume",
            ),
        ),
    ] {
        assert_eq!(account.alices_plugin().run(args).failed_with(2), stderr);
    }
}

#[test]
fn a_closed_or_full_stdout_is_an_error_without_a_panic() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let stderr_of_run_into = |stdout: std::process::Stdio| {
        let mut command = plugin.command(&["token", "--cluster", "demo"]);
        command.stdout(stdout).stderr(std::process::Stdio::piped());
        let output = Output::from(WatchedChild::start(command).output());
        assert_eq!(output.code, 1);
        output.stderr
    };
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let stderr = stderr_of_run_into(full.into());
        assert!(stderr.starts_with("eks-group-auth: error: could not write to stdout: No space left"), "{stderr}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let stderr = stderr_of_run_into(writer.into());
    assert!(stderr.contains("could not write to stdout: Broken pipe"), "{stderr}");
}

/// Names are resolved in a separate thread, and no machine has room for a stack of this size. Any other panic in the
/// future could reveal a secret.
#[test]
fn a_panic_shows_its_location_and_not_its_message() {
    let account = Account::new();
    let url = account.sts.url().replace("127.0.0.1", "localhost");
    let plugin =
        account.alices_plugin().env("AWS_ENDPOINT_URL_STS", url).env("RUST_MIN_STACK", (1_u64 << 50).to_string());
    let output = plugin.role_token(&account.dev, &[]);
    let expected = regex::Regex::new(&format!(
        "^{}$",
        error_and_hint(r"internal error: panic at \S+\.rs:[0-9]+", "this is a bug in eks-group-auth: please report it")
    ))
    .unwrap();
    assert!(expected.is_match(output.failed_with(1)), "{}", output.stderr);
}

#[test]
fn aws_messages_cannot_control_the_terminal() {
    let account = Account::new();
    account.sts.override_replies(|_| Some(error_reply(403, "AccessDenied", "&#27;[2J\u{9b}31m\u{202e}gone")));
    let output = account.alices_plugin().role_token(&account.dev, &[]);
    assert!(output.failed_with(4).bytes().all(|b| b == b'\n' || (0x20..0x7f).contains(&b)), "{:?}", output.stderr);
}

/// STS's messages and the resulting hints. The messages are AWS's own (IAM User Guide, "Access denied error messages";
/// STS API).
#[test]
fn each_kind_of_refusal_has_its_own_hint() {
    let user = format!(
        "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: sts:AssumeRole on resource: {DEV}"
    );
    let of = |rest: &str| format!("{user} {rest}");
    let organisation =
        "a policy of your organisation denies it, even if the account allows it: ask the organisation's administrators";
    let denied = "a policy of the kind named above explicitly denies it, and no permission can override that; often MFA is missing (`--mfa-serial`), or you are outside the company's network: ask the owner of that policy";
    let untrusted = "this is not about your groups: the role's trust policy does not trust you; ask the role's owner";
    let clock = "this machine's clock is wrong: correct it";
    for (status, code, message, exit_code, hint) in [
        (
            403,
            "AccessDenied",
            of("because no identity-based policy allows the sts:AssumeRole action"),
            4,
            "none of your groups allows sts:AssumeRole on this role: ask to be added to one that does",
        ),
        (403, "AccessDenied", of("because no resource-based policy allows the sts:AssumeRole action"), 4, untrusted),
        (403, "AccessDenied", of("because no role trust policy allows the sts:AssumeRole action"), 4, untrusted),
        (403, "AccessDenied", of("with an explicit deny in an identity-based policy"), 4, denied),
        (403, "AccessDenied", of("with an explicit deny in a service control policy"), 4, organisation),
        (403, "AccessDenied", of("because no service control policy allows the sts:AssumeRole action"), 4, organisation),
        (
            403,
            "AccessDenied",
            of("because no permissions boundary allows the sts:AssumeRole action"),
            4,
            "your user's permissions boundary does not allow it: ask your IAM administrator",
        ),
        (
            403,
            "AccessDenied",
            of("because no session policy allows the sts:AssumeRole action"),
            4,
            "your current session is limited by a session policy: use a session that is not",
        ),
        (
            403,
            "AccessDenied",
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.".into(),
            4,
            "the role requires MFA: add `--mfa-serial` with your device's ARN, as shown by `aws iam list-mfa-devices`",
        ),
        (
            403,
            "AccessDenied",
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.".into(),
            4,
            "set `--mfa-serial` (or the profile's `mfa_serial`) to one of your own user's devices, as shown by `aws \
             iam list-mfa-devices`",
        ),
        (
            403,
            "AccessDenied",
            user.replacen("111122223333", "444455556666", 1),
            4,
            "the role is in account 111122223333, but you are in 444455556666: if that is correct, both your group's \
             policy and the role's trust policy must allow it; otherwise correct `--role` or choose another profile \
             with `--profile`",
        ),
        (
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.".into(),
            4,
            "AWS does not know this access key: it was deleted or deactivated, or belongs to another partition; create \
             a new key, or choose another profile with `--profile`",
        ),
        (
            403,
            "ExpiredToken",
            "The security token included in the request is expired".into(),
            4,
            "your AWS session has expired: log in again (with `aws sso login`, or the way you did before), then try \
             again",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "Signature expired: 20261122T120000Z is now earlier than 20261122T121500Z (20261122T122000Z - 5 min.)".into(),
            4,
            clock,
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "Signature not yet current: 20261122T130000Z is still later than 20261122T122500Z (20261122T122000Z + 5 min.)".into(),
            4,
            clock,
        ),
        (
            403,
            "RegionDisabledException",
            "STS is not activated in this region for account:111122223333. Your account administrator can activate STS in this region using the IAM Console.".into(),
            4,
            "STS is not activated in this region for the account: activate it, or use another `--region`",
        ),
    ] {
        let account = Account::new();
        let words = message.clone();
        account.sts.override_replies(move |call| (call.action == "AssumeRole").then(|| error_reply(status, code, &words)));
        let output = account.alices_plugin().role_token(&account.dev, &[]);
        let error = format!("could not assume role `{DEV}`: {code}: {message}");
        assert_eq!(output.failed_with(exit_code), error_and_hint(&error, hint), "{message}");
    }
    let account = Account::new();
    account.sts.override_replies(|call| {
        (call.action == "AssumeRole").then(|| error_reply(400, "Throttling", "Rate exceeded"))
    });
    let output = account.alices_plugin().role_token(&account.dev, &[]);
    let error = format!("could not assume role `{DEV}`: temporary failure at AWS: Throttling: Rate exceeded");
    assert_eq!(output.failed_with(5), error_and_hint(&error, "wait a moment, then try again"));
}

#[test]
fn an_invalid_profile_role_error_names_its_property() {
    let account = Account::new();
    for (property, value, rule) in [
        ("role_arn", "dev", "a role ARN, such as `arn:aws:iam::111122223333:role/developers`"),
        ("external_id", "?", "2 to 1224 letters, digits and `_+=,.@:/-`"),
        ("duration_seconds", "1h", "a number of seconds from 900 to 43200"),
    ] {
        let role = if property == "role_arn" { String::new() } else { format!("role_arn = {}\n", account.dev) };
        let config = format!("[profile dev]\n{role}{property} = {value}\nsource_profile = keys\n[profile keys]\n");
        let plugin = account.plugin().config(&config);
        let stderr = plugin.token(&["--profile", "dev"]).failed_with(2).to_owned();
        let line = if property == "role_arn" { 2 } else { 3 };
        let path = plugin.home().join(".aws/config");
        let place = format!("`{property}` in profile `dev` (line {line} of {})", path.display());
        assert_eq!(stderr, format!("eks-group-auth: error: {place} `{value}` is not valid: it must be {rule}\n"));
    }
}
