//! Bytes from the cache directory: only rendered entries are parsed, and they survive a round trip.
#![no_main]

use std::path::Path;

use eks_group_auth::cache::entry::{self, CallerEntry, FailureEntry, ListedEntry, SessionEntry, TokenEntry};
use eks_group_auth::cache::key::Key;
use eks_group_auth::aws::source::{CredentialSource, ProfileChoice};
use eks_group_auth::sys::env::Env;
use eks_group_auth::aws::fingerprint::{Fingerprint, Place};
use eks_group_auth::aws::profile::ProfileFiles;
use eks_group_auth::aws::region::Region;
use eks_group_auth::aws::endpoint::StsEndpoint;
use libfuzzer_sys::fuzz_target;

fn key() -> Key {
    let place = Place { effective_uid: 0, host_name: "host".into(), working_directory: None };
    let (env, no_file) = (Env::default(), (Path::new(""), ""));
    let choice = ProfileChoice::resolve(None, &env).expect("nobody names one");
    let source = CredentialSource::resolve(choice, &env, &ProfileFiles::new(no_file, no_file)).expect("the machine's");
    let identity = Fingerprint::new(&place, &env, &source, &Default::default(), &[]);
    let region = Region::parse("eu-west-1").expect("a region");
    Key::caller(&identity, &StsEndpoint { region, use_fips: false, use_dual_stack: false }, "AKIA")
}

fuzz_target!(|bytes: &[u8]| {
    let key = key();
    let now = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
    // Skip the digest check here, to test the JSON after it.
    let body = String::from_utf8_lossy(bytes);
    for kind in ["token", "session", "caller", "failure"] {
        let text = entry::seal(kind, &key, &body);
        let _ = entry::parse::<TokenEntry>(&key, text.as_bytes()).map(|entry| (entry.is_good(now), entry.into_status()));
        if let Some(session) = entry::parse::<SessionEntry>(&key, text.as_bytes()) {
            let _ = (session.state(now), session.expiration(), session.may_be_revoked(now), session.signer());
            let again =
                entry::parse::<SessionEntry>(&key, &entry::render(&key, &session)).expect("what is rendered is parsed");
            assert_eq!(format!("{again:?}"), format!("{session:?}"));
        }
        let _ = entry::parse::<CallerEntry>(&key, text.as_bytes()).map(|entry| entry.is_fresh(now));
        let _ = entry::parse::<FailureEntry>(&key, text.as_bytes()).map(|entry| entry.since(now, now));
        let _ = ListedEntry::parse(&format!("{kind}-{key}"), text.as_bytes());
    }
    let _ = entry::parse::<TokenEntry>(&key, bytes);
    let _ = ListedEntry::parse("token-0", bytes);
});
