//! A child process and its descendants.

use std::fs::File;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// The process group of a child.
pub struct ProcessGroup(Pid);

/// Whether this process has a terminal on which a child can prompt the user.
pub fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Puts a child into its own process group, so that the whole group can be killed.
pub fn set_own_group(command: &mut Command) {
    command.process_group(0);
}

impl ProcessGroup {
    /// The group of a child that was put into its own group.
    pub fn from_child(child: &Child) -> Option<Self> {
        child.id().and_then(|id| Pid::from_raw(id.cast_signed())).map(ProcessGroup)
    }

    /// Kills all processes in the group, if it still exists.
    pub fn kill(&self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}
