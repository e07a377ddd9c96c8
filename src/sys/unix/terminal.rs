//! Whose terminal it is.

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, tcgetattr, tcgetpgrp};

/// Whether stdin is a terminal that gives whole lines (not one that a full-screen program has taken over), to this
/// process.
pub fn gives_lines() -> bool {
    let stdin = std::io::stdin();
    let gives_lines = tcgetattr(&stdin).is_ok_and(|terminal| terminal.local_modes.contains(LocalModes::ICANON));
    // A terminal that controls nothing has no foreground.
    let is_ours = tcgetpgrp(&stdin).map_or(true, |foreground| foreground == getpgrp());
    gives_lines && is_ours
}
