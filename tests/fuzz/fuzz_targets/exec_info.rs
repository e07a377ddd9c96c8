//! KUBERNETES_EXEC_INFO, and the region it may contain.
#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use eks_group_auth::kube::exec::ExecInfo;
use eks_group_auth::say::explain::Explain as _;
use eks_group_auth::aws::region::Region;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match ExecInfo::parse(Some(OsStr::from_bytes(bytes))) {
        Ok(info) => {
            let _ = info.server.as_deref().map(Region::from_eks_server);
            let _ = info.region.as_deref().map(Region::parse);
        }
        // The error message stays short and cannot control the terminal.
        Err(error) => {
            let report = error.explain().report();
            assert!(report.len() < 2000 && report.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
});
