//! The user's own files.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::limits::check_file_size;

/// Overwrites a file in place, for contents that may be torn.
pub fn write_in_place(file: &File, contents: &[u8]) -> io::Result<()> {
    check_file_size(contents.len())?;
    file.write_at(contents, 0).map(drop)
}

/// Reads the start of a file into the buffer and returns the length.
pub fn read_start(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    file.read_at(buffer, 0)
}

/// Replaces a file with one that only the user can read, by writing a temporary file and renaming it, because another
/// program may be reading the old one.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    // A symbolic link stays a link.
    let path = &path.canonicalize()?;
    let mut temporary = path.to_owned().into_os_string();
    temporary.push(format!(".{:016x}", fastrand::u64(..)));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(contents))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
