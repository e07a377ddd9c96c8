//! Which machine this is.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use rustix::system::uname;

pub fn host_name() -> OsString {
    OsString::from_vec(uname().nodename().to_bytes().to_vec())
}

/// Who made it, as its firmware says, and the id that a Xen hypervisor gives it. Linux only.
pub fn firmware() -> [Option<String>; 2] {
    ["/sys/class/dmi/id/sys_vendor", "/sys/hypervisor/uuid"].map(|path| std::fs::read_to_string(path).ok())
}
