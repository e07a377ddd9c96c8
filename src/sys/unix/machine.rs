//! Identifies this machine.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use rustix::system::uname;

pub fn host_name() -> OsString {
    OsString::from_vec(uname().nodename().to_bytes().to_vec())
}

/// The vendor from the firmware, and the id assigned by a Xen hypervisor. Linux only.
pub fn firmware() -> [Option<String>; 2] {
    ["/sys/class/dmi/id/sys_vendor", "/sys/hypervisor/uuid"].map(|path| std::fs::read_to_string(path).ok())
}
