//! Where credentials come from: no environment or file makes the resolver panic, its description of the source cannot
//! control the terminal or contain a secret, and the same input gives the same source and fingerprint.
#![no_main]

use std::path::Path;

use eks_group_auth::aws::source::{Base, CredentialSource, ProfileChoice};
use eks_group_auth::aws::directory_words::depends_on_directory;
use eks_group_auth::aws::endpoints::Endpoints;
use eks_group_auth::sys::env::Env;
use eks_group_auth::aws::error::Error;
use eks_group_auth::say::explain::Explain as _;
use eks_group_auth::aws::fingerprint::{Fingerprint, Place};
use eks_group_auth::aws::profile::ProfileFiles;
use libfuzzer_sys::fuzz_target;

const VARIABLES: [&str; 16] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "HOME",
];

/// The source's name and fingerprint, or why there is none.
fn resolve(flag: Option<&str>, env: &Env, config: &str, credentials: &str) -> Result<(String, Fingerprint), Error> {
    let files = ProfileFiles::new((Path::new("config"), config), (Path::new("credentials"), credentials));
    let source = CredentialSource::resolve(ProfileChoice::resolve(flag, env)?, env, &files)?;
    if let Base::Process(command) = &source.base {
        let _ = depends_on_directory(command.expose(), env.get("PATH"), |_| false);
    }
    if let Base::Keys(keys) = &source.base {
        let credentials = keys.credentials()?;
        if let Err(unfit) = keys.place().check(&credentials) {
            let secret = credentials.secret_access_key();
            assert!(secret.len() < 24 || !format!("{} {}", unfit.why, unfit.hint).contains(secret));
        }
    }
    let _ = source.lower_precedence_sources(env, &files);
    let endpoints = Endpoints::resolve(env, source.profile(), &files, true)?;
    let place = Place { effective_uid: 0, host_name: "host".into(), working_directory: None };
    Ok((source.name(), Fingerprint::new(&place, env, &source, &endpoints, &[])))
}

fuzz_target!(|world: (Option<&str>, Vec<(u8, &str)>, &str, &str)| {
    let (flag, variables, config, credentials) = world;
    let named = variables.iter().map(|(which, value)| (VARIABLES[usize::from(*which) % VARIABLES.len()], *value));
    let env: Env = named.collect();
    let [one, other] = [(); 2].map(|()| resolve(flag, &env, config, credentials));
    match (one, other) {
        (Ok((name, fingerprint)), Ok(again)) => {
            assert!(!name.chars().any(char::is_control), "{name:?}");
            assert!((name, fingerprint) == again);
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.explain().report(), again.explain().report());
            assert!(!error.explain().report().replace('\n', "").chars().any(char::is_control), "{:?}", error.explain().report());
            assert!(matches!(error.explain().exit.code(), 2 | 3), "{error}");
        }
        _ => panic!("the same world has two answers"),
    }
});
