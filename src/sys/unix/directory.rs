//! A private directory: files with mode 0600 in a directory with mode 0700, accessed through one descriptor of that
//! directory and never through a symbolic link.

use std::cell::OnceCell;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::process::geteuid;

use super::limits::check_file_size;

/// A directory that is safe to use or does not exist yet.
pub struct PrivateDirectory {
    directory: PathBuf,
    /// Empty while the directory does not exist: another process may create it at any time.
    descriptor: OnceCell<OwnedFd>,
}

/// A directory that another user could have prepared.
#[derive(Debug)]
pub struct UnsafeDirectory {
    pub directory: PathBuf,
    pub why: String,
}

impl PrivateDirectory {
    pub fn open(directory: PathBuf) -> Result<Self, UnsafeDirectory> {
        // Without a trailing slash, which would make the kernel follow a symbolic link.
        let directory: PathBuf = directory.components().collect();
        match open_directory(&directory) {
            Ok(descriptor) => Ok(PrivateDirectory { directory, descriptor: OnceCell::from(descriptor) }),
            Err(OpenError::Io(_)) => Ok(PrivateDirectory { directory, descriptor: OnceCell::new() }),
            Err(OpenError::Unsafe(why)) => Err(UnsafeDirectory { directory, why }),
        }
    }

    /// The contents of a file of at most `max_len` bytes; anything other than a regular file that the caller owns and
    /// no one else can read counts as missing.
    pub fn read(&self, name: &str, max_len: u64) -> Option<Vec<u8>> {
        // NONBLOCK, so that opening a FIFO does not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.descriptor()?, name, flags, Mode::empty()).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        let is_small = u64::try_from(stat.st_size).is_ok_and(|size| size <= max_len);
        if !is_own_regular_file(&stat) || !is_small {
            return None;
        }
        let mut contents = Vec::with_capacity(stat.st_size as usize);
        File::from(file).take(max_len).read_to_end(&mut contents).ok()?;
        Some(contents)
    }

    /// Opens a file owned by the caller for reading and writing, creating it if it is missing.
    pub fn open_private(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file =
            self.with_directory(|directory| rustix::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR))?;
        let stat = rustix::fs::fstat(&file)?;
        let is_own = stat.st_uid == geteuid().as_raw() && stat.st_nlink == 1;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_own {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if mode_of(&stat) & 0o777 != 0o600 {
            // Just created under an unusual umask, or made readable by others since. It contains no secret.
            rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
        }
        Ok(File::from(file))
    }

    /// Writes to a temporary file and renames it, so that a reader sees either the old file or the new one. Not flushed
    /// to disk: anything lost in a crash can be fetched again.
    pub fn write(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        check_file_size(contents.len())?;
        let temporary = format!(".{name}.{:016x}", fastrand::u64(..));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        self.with_directory(|directory| {
            let file = rustix::fs::openat(directory, temporary.as_str(), flags, mode)?;
            // The umask may have removed permissions.
            let written = rustix::fs::fchmod(&file, mode)
                .map_err(io::Error::from)
                .and_then(|()| File::from(file).write_all(contents))
                .and_then(|()| Ok(rustix::fs::renameat(directory, temporary.as_str(), directory, name)?));
            if written.is_err() {
                let _ = rustix::fs::unlinkat(directory, temporary.as_str(), AtFlags::empty());
            }
            Ok(written)
        })?
    }

    pub fn exists(&self) -> bool {
        self.descriptor().is_some()
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The names in the directory; empty if it does not exist.
    pub fn names(&self) -> Vec<String> {
        let entries = self.descriptor().and_then(|directory| rustix::fs::Dir::read_from(directory).ok());
        let names = entries
            .into_iter()
            .flatten()
            .map_while(Result::ok)
            .map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "." && name != "..").collect()
    }

    /// When a file was last written.
    pub fn modified(&self, name: &str) -> Option<SystemTime> {
        let stat = rustix::fs::statat(self.descriptor()?, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(stat.st_mtime).ok()?))
    }

    /// Removes a directory entry, not its link target. Returns whether it is gone.
    pub fn remove(&self, name: &str) -> bool {
        self.descriptor().is_some_and(|directory| match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => true,
            Err(_) => false,
        })
    }

    /// The directory's descriptor, if the directory exists by now.
    fn descriptor(&self) -> Option<&OwnedFd> {
        if self.descriptor.get().is_none()
            && let Ok(descriptor) = open_directory(&self.directory)
        {
            return Some(self.descriptor.get_or_init(|| descriptor));
        }
        self.descriptor.get()
    }

    /// Runs `work` in the directory, creating the directory first if it does not exist.
    fn with_directory<T>(&self, work: impl FnOnce(&OwnedFd) -> rustix::io::Result<T>) -> io::Result<T> {
        let directory = match self.descriptor() {
            Some(descriptor) => descriptor,
            None => {
                let created = create_directory(&self.directory)?;
                self.descriptor.get_or_init(|| created)
            }
        };
        Ok(work(directory)?)
    }
}

/// Why a directory could not be opened: it is missing (or similar), or it cannot be trusted.
enum OpenError {
    Io(io::Error),
    Unsafe(String),
}

fn open_directory(directory: &Path) -> Result<OwnedFd, OpenError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let descriptor = rustix::fs::open(directory, flags, Mode::empty()).map_err(|error| match error {
        rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP if is_link(directory) => {
            OpenError::Unsafe("it is a symbolic link".into())
        }
        error => OpenError::Io(error.into()),
    })?;
    let stat = rustix::fs::fstat(&descriptor).map_err(|error| OpenError::Io(error.into()))?;
    if !is_owned_without_mode(&stat, 0o022) {
        return Err(OpenError::Unsafe(if stat.st_uid == geteuid().as_raw() {
            format!("other users can write to it (mode {:04o})", mode_of(&stat) & 0o7777)
        } else {
            format!("it belongs to another user (uid {})", stat.st_uid)
        }));
    }
    Ok(descriptor)
}

fn create_directory(directory: &Path) -> io::Result<OwnedFd> {
    // Running as root with another user's HOME, as under sudo: a directory created by root would lock its owner out.
    let nearest = directory.ancestors().skip(1).find_map(|ancestor| ancestor.metadata().ok());
    let owner = nearest.map(|metadata| metadata.uid());
    if geteuid().is_root() && owner.is_some_and(|uid| uid != 0) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    // One by one, so that an unusual umask cannot leave behind an inaccessible directory.
    let missing: Vec<&Path> = directory.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    for path in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(0o700))?,
            // Another process created it first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    open_directory(directory).map_err(|refusal| match refusal {
        OpenError::Io(error) => error,
        OpenError::Unsafe(why) => io::Error::other(why),
    })
}

/// Permission bits and file type, which are 16 bits wide on some systems and 32 on others.
#[allow(clippy::useless_conversion, reason = "it is needed on macOS")]
fn mode_of(stat: &Stat) -> u32 {
    stat.st_mode.into()
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

/// A regular file with a single name that no other user can read or write.
fn is_own_regular_file(stat: &Stat) -> bool {
    let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    is_regular && stat.st_nlink == 1 && is_owned_without_mode(stat, 0o077)
}

fn is_owned_without_mode(stat: &Stat, forbidden: u32) -> bool {
    stat.st_uid == geteuid().as_raw() && mode_of(stat) & forbidden == 0
}
