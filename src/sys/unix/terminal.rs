//! The terminal on stdin.

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, tcgetattr, tcgetpgrp};

/// Whether stdin is a terminal in line mode (not taken over by a full-screen program) and this process may read from
/// it.
pub fn is_line_mode() -> bool {
    let stdin = std::io::stdin();
    let is_line_mode = tcgetattr(&stdin).is_ok_and(|terminal| terminal.local_modes.contains(LocalModes::ICANON));
    // A terminal that is not a controlling terminal has no foreground group.
    let is_ours = tcgetpgrp(&stdin).map_or(true, |foreground| foreground == getpgrp());
    is_line_mode && is_ours
}
