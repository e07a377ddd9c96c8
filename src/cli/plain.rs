//! Parses the arguments found in kubeconfigs without clap, because building clap's command definition takes a seventh
//! of a cached call's time. Only the plain case is handled here: `token` or `eks get-token`, and options whose value is
//! a separate word or follows `=`. Everything else, and every error, goes to clap; a test checks that both agree.

use std::ffi::OsString;

use clap::Parser as _;

use crate::cli::token::TokenArgs;
use crate::cli::{Cli, Command, EksCommand, GlobalArgs};

/// Parses `argv`, which starts with the program's name.
///
/// # Errors
///
/// clap's error or help output.
pub fn parse(argv: Vec<OsString>) -> Result<Cli, clap::Error> {
    match parse_plain(&argv) {
        Some(cli) => Ok(cli),
        None => Cli::try_parse_from(argv),
    }
}

/// Returns `None` for anything that is not plain.
fn parse_plain(argv: &[OsString]) -> Option<Cli> {
    let words = argv.iter().skip(1).map(|word| word.to_str()).collect::<Option<Vec<&str>>>()?;
    // `aws eks update-kubeconfig` writes the region, and the profile, before the subcommand.
    let verb_at = match &words[..] {
        ["--region" | "--profile", _, "--region" | "--profile", _, ..] => 4,
        ["--region" | "--profile", _, ..] => 2,
        _ => 0,
    };
    let (is_eks, rest) = match &words[verb_at..] {
        ["token", rest @ ..] => (false, rest),
        ["eks", "get-token", rest @ ..] => (true, rest),
        _ => return None,
    };
    let options = [&words[..verb_at], rest].concat();
    let mut args = TokenArgs::default();
    let mut global = GlobalArgs::default();
    let mut cluster = None;
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if *option == "--token-only" && !args.token_only {
            args.token_only = true;
            continue;
        }
        let (name, value) = match option.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, value),
            _ => (*option, *options.next()?),
        };
        if value.is_empty() || value.starts_with('-') {
            return None;
        }
        let place = match name {
            "--cluster" | "--cluster-name" | "--cluster-id" | "-i" => &mut cluster,
            "--role" | "--role-arn" | "-r" => {
                args.role.role.push(value.to_owned());
                continue;
            }
            "--session-name" | "-s" => &mut args.role.session_name,
            "--external-id" | "-e" => &mut args.role.external_id,
            "--source-identity" => &mut args.role.source_identity,
            "--mfa-serial" => &mut args.role.mfa_serial,
            "--region" => &mut global.region,
            "--profile" => &mut global.profile,
            "--output" if value == "json" => &mut global.aws_cli.output,
            _ => return None,
        };
        if place.replace(value.to_owned()).is_some() {
            return None;
        }
    }
    args.cluster = Some(cluster?);
    let command = if is_eks { Command::Eks(EksCommand::GetToken(args)) } else { Command::Token(args) };
    Some(Cli { command, global })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn argv(words: &[&str]) -> Vec<OsString> {
        [&["eks-group-auth"], words].concat().iter().map(OsString::from).collect()
    }

    #[test]
    fn kubeconfig_arguments_take_the_fast_path() {
        for words in [
            &["token", "--cluster", "demo", "--role", "arn", "--region", "eu-west-1"][..],
            &["token", "-i", "demo", "-r", "arn", "-r", "other"],
            &["token", "--cluster-id=demo", "--profile=x", "--token-only"],
            &["eks", "get-token", "--cluster-name", "demo", "--role-arn", "arn", "--output", "json"],
            &["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "demo", "--output", "json"],
            &["--profile", "x", "--region", "eu-west-1", "token", "-i", "demo"],
        ] {
            let found = parse_plain(&argv(words));
            assert_eq!(found, Cli::try_parse_from(argv(words)).ok(), "{words:?}");
            assert!(found.is_some(), "{words:?}");
        }
    }

    const VOCABULARY: [&str; 39] = [
        "token",
        "eks",
        "get-token",
        "cache",
        "path",
        "--cluster",
        "--cluster-name",
        "--cluster-id",
        "--role",
        "--role-arn",
        "--session-name",
        "--external-id",
        "--region",
        "--profile",
        "--output",
        "--debug",
        "--query",
        "--ca-bundle",
        "--endpoint-url",
        "--log-format",
        "-l",
        "--token-only",
        "--refresh",
        "--cache",
        "--duration",
        "--forward-session-name",
        "-i",
        "-r",
        "-s",
        "-e",
        "--source-identity",
        "--mfa-serial",
        "-v",
        "--help",
        "--",
        "-",
        "json",
        "--cluster=a",
        "--role=",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_fast_path_agrees_with_clap(
            (is_eks, names_cluster, region_first) in any::<(bool, bool, bool)>(),
            words in proptest::collection::vec(
                prop_oneof![
                    3 => (0..VOCABULARY.len()).prop_map(|at| vec![VOCABULARY[at].to_owned()]),
                    5 => (5..34usize, "[a-z=-]{0,3}").prop_map(|(at, value)| vec![VOCABULARY[at].to_owned(), value]),
                    1 => (5..34usize, "[a-z=-]{0,3}").prop_map(|(at, value)| vec![format!("{}={value}", VOCABULARY[at])]),
                ],
                0..6,
            ),
        ) {
            let verb: &[&str] = if is_eks { &["eks", "get-token"] } else { &["token"] };
            let cluster: &[&str] = if names_cluster { &["-i", "a"] } else { &[] };
            let before: &[&str] = if region_first { &["--region", "x"] } else { &[] };
            let words = words.iter().flatten().map(String::as_str);
            let words: Vec<&str> = before.iter().chain(verb).chain(cluster).copied().chain(words).collect();
            if let Some(plain) = parse_plain(&argv(&words)) {
                let clap = Cli::try_parse_from(argv(&words));
                prop_assert!(clap.is_ok(), "{words:?} is a mistake to clap");
                prop_assert_eq!(plain, clap.expect("it is"), "{:?}", words);
            }
        }
    }
}
