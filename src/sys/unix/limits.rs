//! What this process may use, and what it gives up.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A core file would hold what this process knows. The limit alone does not keep the kernel from piping it to a program.
pub fn leave_no_core() {
    let core = getrlimit(Resource::Core);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..core });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// How many files may be open at a time, where there is a limit.
pub fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// What a limit on the size of files (`ulimit -f`) forbids would end the process.
pub(super) fn check_file_size(len: usize) -> io::Result<()> {
    let most = getrlimit(Resource::Fsize).current;
    if most.is_some_and(|most| most < len as u64) { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(()) }
}
