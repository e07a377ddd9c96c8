//! Files of the user's own.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::limits::check_file_size;

/// Writes to a file as it is: for what may be torn.
pub fn write_in_place(file: &File, contents: &[u8]) -> io::Result<()> {
    check_file_size(contents.len())?;
    file.write_at(contents, 0).map(drop)
}

/// What a file begins with, as far as the buffer reaches. How long that is.
pub fn read_start(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    file.read_at(buffer, 0)
}

/// Replaces a file by one that only the user can read: written beside its place and renamed there, because another program
/// may be reading it.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    // A link stays one.
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
