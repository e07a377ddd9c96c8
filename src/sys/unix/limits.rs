//! Resource limits of this process.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Disables core dumps, which would contain secrets. The limit alone does not stop the kernel from piping a core dump
/// to a program.
pub fn disable_core_dumps() {
    let core = getrlimit(Resource::Core);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..core });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// The limit on open files, if there is one.
pub fn max_open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Checks the file size limit (`ulimit -f`): exceeding it would kill the process.
pub(super) fn check_file_size(len: usize) -> io::Result<()> {
    let most = getrlimit(Resource::Fsize).current;
    if most.is_some_and(|most| most < len as u64) { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(()) }
}
