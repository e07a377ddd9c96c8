//! A child process, and all that it starts.

use std::fs::File;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// The process group of a child.
pub struct Group(Pid);

/// Whether this process has a terminal that a child may ask somebody on.
pub fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Puts a child into a group of its own, which can be killed as one.
pub fn separate(command: &mut Command) {
    command.process_group(0);
}

impl Group {
    /// That of a child which was put into one of its own.
    pub fn led_by(child: &Child) -> Option<Self> {
        child.id().and_then(|id| Pid::from_raw(id.cast_signed())).map(Group)
    }

    /// Kills all processes in it; it may be gone by now.
    pub fn kill(&self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}
