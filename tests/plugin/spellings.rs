use crate::Account;

#[test]
fn all_spellings_are_equivalent() {
    let account = Account::new();
    let plugin = account.alices_plugin().config("[profile p]\n");
    let role = account.dev.as_str();
    let asks_for_the_role: [&[&str]; 8] = [
        &["token", "--cluster", "demo", "--role", role],
        &["token", "-i", "demo", "-r", role],
        &["token", "-i", "demo", "-r", role, "--forward-session-name"],
        &["token", "--cluster-id", "demo", "--role", role, "--cache", "--region", "eu-west-1"],
        &["token", "--role-arn", role, "--cluster-name=demo", "--region=eu-west-1"],
        &["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "demo", "--output", "json", "--role", role],
        &["eks", "get-token", "--cluster-name", "demo", "--role-arn", role, "--region", "eu-west-1"],
        &["eks", "get-token", "--cluster-id", "demo", "--role-arn", role, "--output", "json"],
    ];
    let tokens: Vec<String> = asks_for_the_role.iter().map(|args| plugin.run(args).good_token()).collect();
    assert!(tokens.iter().all(|token| token == &tokens[0]), "the same request in every spelling");
    assert_eq!(account.counts(), (1, 1));
    let more: [&[&str]; 3] = [
        &["token", "-i", "demo", "-r", role, "-s", "night", "-e", "external"],
        &["--region", "eu-west-1", "token", "-i", "demo", "--cache"],
        &["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "demo", "--output", "json"],
    ];
    for args in more {
        plugin.run(args).good_token();
    }
    assert_eq!(
        plugin.run(&["token", "-i", "demo", "--token-only"]).stdout,
        plugin.run(&["--region", "eu-west-1", "token", "--token-only", "-i", "demo"]).stdout
    );
}
