//! The AWS config and credentials files.
#![no_main]

use eks_group_auth::profile::ProfileFiles;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|files: (&[u8], &[u8])| {
    let files = ProfileFiles::new(files.0, files.1);
    for name in ["default", "a", "dev", ""] {
        let _ = files.profile(name).map(|section| section.get("region").is_some());
        let _ = files.sso_session(name).map(|section| section.get("sso_start_url").is_some());
        assert!(files.chain(name).len() < 1000);
    }
});
