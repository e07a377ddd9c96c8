//! Modes of files, and files that are none.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

#[track_caller]
pub fn set_mode(path: impl AsRef<Path>, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of ours");
}

#[track_caller]
pub fn mode_of(path: impl AsRef<Path>) -> u32 {
    path.as_ref().metadata().expect("a file of ours").permissions().mode() & 0o7777
}

/// With those above it, where they are not there.
#[track_caller]
pub fn make_private_directory(path: impl AsRef<Path>) {
    std::fs::create_dir_all(&path).expect("a directory");
    set_mode(path, 0o700);
}

#[track_caller]
pub fn make_fifo(path: impl AsRef<Path>) {
    mknodat(CWD, path.as_ref(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
}
