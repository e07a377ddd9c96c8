use crate::Account;
use crate::support::files::set_mode;
use crate::support::http::{Reply, Server};
use crate::support::plugin::{Output, Plugin, error_and_hint, output, signed_by};
use crate::support::sso;
use crate::support::sts::{Keys, Role};

/// Checks that two configurations on one machine never share a token or a session: each gets its own, and finds it in
/// the cache again after the other was used.
#[track_caller]
fn never_share(account: &Account, one: impl Fn() -> Output, other: impl Fn() -> Output, assume_roles: usize) {
    let of_one = one().good_token();
    let of_other = other().good_token();
    assert_ne!(of_one, of_other);
    assert_eq!(account.counts().0, assume_roles, "AssumeRole calls");
    assert_eq!(one().good_token(), of_one, "switching back is a hit");
    assert_eq!(other().good_token(), of_other, "and so is switching again");
    assert_eq!(account.counts().0, assume_roles, "AssumeRole calls after switching back and forth");
}

/// Two situations in each of which another one has to sign, also after the other.
#[track_caller]
fn sign_in_turn(one: (impl Fn() -> Output, &Keys), other: (impl Fn() -> Output, &Keys), what: &str) {
    assert_eq!(one.0().signer(), one.1.access_key_id, "{what}");
    assert_eq!(other.0().signer(), other.1.access_key_id, "{what}, the other");
    assert_eq!(one.0().signer(), one.1.access_key_id, "{what}, back again");
}

/// Profiles for alice and carol, both developers.
fn with_profiles(account: &Account) -> Plugin {
    let (alice, carol) = (account.alice.properties(), account.add_carol().properties());
    account.plugin().config(&format!("[profile alice]\n{alice}[profile carol]\n{carol}"))
}

#[test]
fn switching_profile_by_flag_never_reuses_a_token() {
    let account = Account::new();
    let plugin = with_profiles(&account);
    let token = |profile: &str| plugin.role_token(&account.dev, &["--profile", profile]);
    never_share(&account, || token("alice"), || token("carol"), 2);
    assert_eq!(account.session_names(), ["alice", "carol"]);
}

#[test]
fn switching_profile_by_environment_never_reuses_a_token() {
    let account = Account::new();
    let plugin = with_profiles(&account);
    let token = |profile: &str| plugin.clone().env("AWS_PROFILE", profile).role_token(&account.dev, &[]);
    never_share(&account, || token("alice"), || token("carol"), 2);
}

#[test]
fn switching_keys_never_reuses_a_token() {
    let account = Account::new();
    let carol = account.add_carol();
    let plugin = account.alices_plugin();
    never_share(
        &account,
        || plugin.role_token(&account.dev, &[]),
        || plugin.clone().keys(&carol).role_token(&account.dev, &[]),
        2,
    );
}

#[test]
fn switching_keys_without_a_role_never_reuses_a_token() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    never_share(&account, || plugin.token(&[]), || plugin.clone().keys(&account.bob).token(&[]), 0);
    signed_by(&plugin, &[], &account.alice);
    signed_by(&plugin.keys(&account.bob), &[], &account.bob);
}

/// The AWS CLI would serve one profile a session obtained by the other.
#[test]
fn rewriting_the_config_file_never_reuses_a_token() {
    let account = Account::new();
    let plugin = account.plugin();
    let write =
        |keys: &Keys| plugin.clone().config(&format!("[default]\n{}", keys.properties())).role_token(&account.dev, &[]);
    let carol = account.add_carol();
    never_share(&account, || write(&account.alice), || write(&carol), 2);
}

#[test]
fn a_non_member_is_not_served_a_members_entry() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    plugin.clone().keys(&account.bob).role_token(&account.dev, &[]).failed_with(4);
}

#[test]
fn every_part_of_the_request_has_its_own_token() {
    let account = Account::new();
    let ops = account.sts.add_role("ops", Role::for_group("developers"));
    let plugin = account.alices_plugin();
    let base = ["token", "--cluster", "demo", "--role", &account.dev];
    let others: [&[&str]; 8] = [
        &["token", "--cluster", "other", "--role", &account.dev],
        &["token", "--cluster", "demo", "--role", &ops],
        &["token", "--cluster", "demo"],
        &["token", "--cluster", "demo", "--role", &account.dev, "--external-id", "one"],
        &["token", "--cluster", "demo", "--role", &account.dev, "--external-id", "two"],
        &["token", "--cluster", "demo", "--role", &account.dev, "--session-name", "mallory"],
        &["token", "--cluster", "demo", "--role", &account.dev, "--region", "eu-west-2"],
        &["token", "--cluster", "demo", "--role", &account.dev, "--duration", "1800"],
    ];
    let all: Vec<&[&str]> = [&base[..]].into_iter().chain(others).collect();
    let first: Vec<String> = all.iter().map(|args| plugin.run(args).good_token()).collect();
    let calls = account.counts().0;
    for (at, token) in first.iter().enumerate() {
        assert!(!first[..at].contains(token), "{:?} was given another's token", all[at]);
        assert_eq!(&plugin.run(all[at]).good_token(), token, "{:?} again is a hit", all[at]);
    }
    assert_eq!(account.counts().0, calls);
    // base, ops, two external ids, a session name, a region, a duration; "other" shares the session of base.
    assert_eq!(calls, 7);
}

#[test]
fn fips_and_dual_stack_have_their_own_tokens() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let fips = plugin.clone().env("AWS_USE_FIPS_ENDPOINT", "true");
    never_share(&account, || plugin.token(&[]), || fips.token(&[]), 0);
    let both = fips.clone().env("AWS_USE_DUALSTACK_ENDPOINT", "true");
    never_share(&account, || fips.token(&[]), || both.token(&[]), 0);
}

#[test]
fn unrelated_variables_do_not_matter() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let token = plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(plugin.clone().env("TERM", "xterm").env("LANG", "C").role_token(&account.dev, &[]).good_token(), token);
}

/// Two EKS Pod Identity pods that share a home directory: same address, same path, different token.
#[test]
fn pods_that_share_a_home_do_not_share_a_token() {
    let account = Account::new();
    let carol = account.add_carol();
    let (alice, of_carol) = (account.alice.clone(), carol.clone());
    let server = Server::start(None, move |request| {
        let keys = if request.header("authorization") == Some("pod-a") { &alice } else { &of_carol };
        Reply::json(
            200,
            &serde_json::json!({"AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key, "Token": "", "Expiration": "2099-01-01T00:00:00Z"}),
        )
    });
    let plugin = account.plugin().env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/v1/credentials", server.url()));
    let file = plugin.home().join("pod-token");
    let plugin = plugin.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file);
    let in_pod = |token: &str| plugin.clone().write("pod-token", token).role_token(&account.dev, &[]);
    never_share(&account, || in_pod("pod-a"), || in_pod("pod-b"), 2);
}

/// Two jobs on a build machine that share a home directory: same profile, different token in the file.
#[test]
fn jobs_that_share_a_home_do_not_share_a_token() {
    let account = Account::new();
    for token in ["job-a", "job-b"] {
        account.sts.trust_web_identity(token, &account.dev);
    }
    let plugin = account.plugin();
    let config = format!(
        "[default]\nrole_arn = {}\nweb_identity_token_file = {}/jwt\nrole_session_name = job\n",
        account.dev,
        plugin.home().display()
    );
    let plugin = plugin.config(&config);
    let of_job = |token: &str| plugin.clone().write("jwt", token).token(&[]);
    let first = of_job("job-a").good_token();
    assert_ne!(of_job("job-b").good_token(), first);
    assert_eq!(of_job("job-a").good_token(), first);
}

/// While STS refuses the session that job A would continue from, job B's token is written to the file and used for a
/// new session. Job A must not use that session the next time.
#[test]
fn a_session_of_an_intermediate_role_is_not_cached_if_the_login_changed_meanwhile() {
    let account = Account::new();
    let job = account.sts.add_role("job", Role::for_group("nobody"));
    let on_the_way = account.add_role_after(&job, "on-the-way");
    let (one, two) = (account.add_role_after(&on_the_way, "one"), account.add_role_after(&on_the_way, "two"));
    for token in ["job-a", "job-b"] {
        account.sts.trust_web_identity(token, &job);
    }
    let plugin = account.plugin();
    let file = plugin.home().join("jwt");
    let plugin = plugin.config(&format!(
        "[default]\nrole_arn = {on_the_way}\nsource_profile = job\n\
         [profile job]\nrole_arn = {job}\nweb_identity_token_file = {}\n",
        file.display()
    ));
    let of_job_a = |role: &str| plugin.clone().write("jwt", "job-a").role_token(role, &[]);
    let shown = || -> Vec<String> {
        let calls = account.sts.calls();
        calls.iter().filter_map(|call| call.parameter("WebIdentityToken").map(str::to_owned)).collect()
    };
    of_job_a(&one).good_token();
    account.sts.revoke_sessions(&on_the_way);
    account.sts.override_replies(move |call| {
        if call.refused.is_some() {
            std::fs::write(&file, "job-b").unwrap();
        }
        None
    });
    of_job_a(&two).good_token();
    account.sts.reset_replies();
    assert_eq!(shown(), ["job-a", "job-b"]);
    of_job_a(&two).good_token();
    assert_eq!(shown(), ["job-a", "job-b", "job-a"], "the session obtained with the other token was not used");
}

/// A credential_process may depend on any variable.
#[test]
fn credential_process_variables_never_share_a_token() {
    let account = Account::new();
    let carol = account.add_carol();
    let plugin = account
        .plugin_with_process("sh -c 'cat HOME/$CORP_USER.json'")
        .write("alice.json", &account.alice.document().to_string())
        .write("carol.json", &carol.document().to_string());
    let of_user = |user: &str| plugin.clone().env("CORP_USER", user).role_token(&account.dev, &[]);
    never_share(&account, || of_user("alice"), || of_user("carol"), 2);
}

/// The one change that no fingerprint can detect; at least the session has the right name.
#[test]
fn a_credential_process_that_changes_identity_gets_the_new_name() {
    let account = Account::new();
    let carol = account.add_carol();
    let plugin = account.plugin_with_process("cat HOME/keys.json");
    for (keys, name) in [(&account.alice, "alice"), (&carol, "carol")] {
        // A different cluster and role, so that the session is not in the cache.
        let role = account.sts.add_role(&format!("for-{name}"), Role::for_group("developers"));
        plugin.clone().write("keys.json", &keys.document().to_string()).role_token(&role, &[]).good_token();
        assert_eq!(account.session_names().last().map(String::as_str), Some(name));
    }
}

/// Without a refresh token, only the access token distinguishes one user's login from another's.
#[test]
fn sso_logins_without_a_refresh_token_never_share_a_token() {
    let account = Account::new();
    let carol = account.add_carol();
    let (alice, of_carol) = (account.alice.clone(), carol.clone());
    let portal = Server::start(None, move |request| {
        sso::role_credentials(match request.header("x-amz-sso_bearer_token") {
            Some("alice") => &alice,
            _ => &of_carol,
        })
    });
    let plugin = account.plugin().config(&sso::config()).env("AWS_ENDPOINT_URL_SSO", portal.url());
    for refresh_token in ["", " "] {
        let logged_in = |access_token: &str| {
            let token = serde_json::json!({"accessToken": access_token, "expiresAt": "2099-01-01T00:00:00Z",
                "startUrl": "https://corp.awsapps.com/start", "refreshToken": refresh_token});
            plugin.clone().write(sso::TOKEN_FILE, &token.to_string()).token(&[])
        };
        let what = format!("refresh token {refresh_token:?}");
        sign_in_turn((|| logged_in("alice"), &account.alice), (|| logged_in("carol"), &carol), &what);
    }
}

/// In another checkout, the same command runs another program or reads another file.
#[test]
fn a_directory_dependent_credential_process_never_shares_a_token() {
    let account = Account::new();
    let carol = account.add_carol();
    for command in ["bin/creds", "sh creds.sh", "sh -c 'cat creds.json'", "sh -c 'cat<creds.json'", "sh -c ./bin/creds"]
    {
        let plugin = account.plugin_with_process(command);
        let checkout = |name: &str, keys: &Keys| {
            let document = keys.document();
            let script = format!("#!/bin/sh\necho '{document}'\n");
            let _ = plugin
                .clone()
                .write(&format!("{name}/creds.json"), &document.to_string())
                .write(&format!("{name}/creds.sh"), &script)
                .write(&format!("{name}/bin/creds"), &script);
            set_mode(plugin.home().join(name).join("bin/creds"), 0o700);
        };
        checkout("alices", &account.alice);
        checkout("carols", &carol);
        let token_in = |name: &str| {
            let mut call = plugin.command(&["token", "--cluster", "demo"]);
            call.current_dir(plugin.home().join(name));
            output(call)
        };
        sign_in_turn((|| token_in("alices"), &account.alice), (|| token_in("carols"), &carol), command);
    }
}

/// The fingerprint, the program and its child processes all use the value that `getenv` finds.
#[test]
fn the_first_of_duplicate_variables_wins() {
    let account = Account::new();
    let plugin = account.plugin();
    let config = format!(
        "[profile alice]\n{}[profile bob]\n{}[profile p]\ncredential_process = sh -c 'cat $WHO.json'\n",
        account.alice.properties(),
        account.bob.properties()
    );
    for (name, keys) in [("alice", &account.alice), ("bob", &account.bob)] {
        let _ = plugin.clone().write(&format!("{name}.json"), &keys.document().to_string());
    }
    let plugin = plugin.config(&config);
    // The standard library cannot start a program with a duplicate variable in its environment.
    let script = "import ctypes, sys\n\
        strings = lambda words: (ctypes.c_char_p * (len(words) + 1))(*[word.encode() for word in words], None)\n\
        argv, env = sys.argv[1].split('\\n'), sys.argv[2].split('\\n')\n\
        ctypes.CDLL(None).execve(argv[0].encode(), strings(argv), strings(env))\n";
    let run = |twice: [&str; 2], more: &str| {
        let binary = plugin.binary().display().to_string();
        let own = plugin.environment().iter().map(|(name, value)| format!("{}={}", name.display(), value.display()));
        let env: Vec<String> =
            own.chain(twice.map(str::to_owned)).chain([more.to_owned(), "PATH=/usr/bin:/bin".into()]).collect();
        let mut python = std::process::Command::new("python3");
        let argv = [&binary, "token", "--cluster", "demo"].join("\n");
        python.current_dir(plugin.home()).args(["-c", script, &argv, &env.join("\n")]);
        output(python).signer()
    };
    let (alice, bob) = (&account.alice.access_key_id, &account.bob.access_key_id);
    assert_eq!(&run(["AWS_PROFILE=alice", "AWS_PROFILE=bob"], "X=1"), alice);
    assert_eq!(&run(["AWS_PROFILE=bob", "AWS_PROFILE=alice"], "X=1"), bob);
    assert_eq!(&run(["WHO=alice", "WHO=bob"], "AWS_PROFILE=p"), alice);
    assert_eq!(&run(["WHO=bob", "WHO=alice"], "AWS_PROFILE=p"), bob);
}

/// If `AWS_PROFILE` were ignored, the default profile would sign.
#[test]
fn a_non_utf8_variable_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;
    let account = Account::new();
    for name in ["AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_ANYTHING", "EKS_GROUP_AUTH_CACHE_DIR"] {
        let value = std::ffi::OsString::from_vec(b"pr\xffd".to_vec());
        let output = account.alices_plugin().env(name, value).token(&[]);
        let expected =
            error_and_hint(&format!("{name} is not UTF-8"), &format!("set {name} to valid UTF-8, or unset it"));
        assert_eq!(output.failed_with(2), expected);
    }
    let value = std::ffi::OsString::from_vec(b"\xff".to_vec());
    account.alices_plugin().env("LS_COLORS", value).token(&[]).good_token();
}
