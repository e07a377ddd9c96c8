//! A directory of the user's own: files of mode 0600 in a directory of mode 0700, reached through one descriptor of that
//! directory and never through a link.

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

/// A directory that is safe to use, or that does not exist yet.
pub struct PrivateDirectory {
    directory: PathBuf,
    /// Empty while there is no directory: another process may make it at any time.
    descriptor: OnceCell<OwnedFd>,
}

/// A directory that others could have prepared.
#[derive(Debug)]
pub struct Unusable {
    pub directory: PathBuf,
    pub why: String,
}

impl PrivateDirectory {
    pub fn open(directory: PathBuf) -> Result<Self, Unusable> {
        // Without a slash at its end, behind which a link would be followed.
        let directory: PathBuf = directory.components().collect();
        match open_directory(&directory) {
            Ok(descriptor) => Ok(PrivateDirectory { directory, descriptor: OnceCell::from(descriptor) }),
            Err(Refusal::Io(_)) => Ok(PrivateDirectory { directory, descriptor: OnceCell::new() }),
            Err(Refusal::Unsafe(why)) => Err(Unusable { directory, why }),
        }
    }

    /// The contents of a file of no more than so many bytes; anything but a regular file of the caller's own, which
    /// nobody else can read, is as good as none.
    pub fn read(&self, name: &str, most: u64) -> Option<Vec<u8>> {
        // NONBLOCK, so that a FIFO in its place does not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.descriptor()?, name, flags, Mode::empty()).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        let is_small = u64::try_from(stat.st_size).is_ok_and(|size| size <= most);
        if !is_own_regular_file(&stat) || !is_small {
            return None;
        }
        let mut contents = Vec::with_capacity(stat.st_size as usize);
        File::from(file).take(most).read_to_end(&mut contents).ok()?;
        Some(contents)
    }

    /// Opens a file of the caller's own for reading and writing, and makes it where it is missing.
    pub fn open_private(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file =
            self.in_directory(|directory| rustix::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR))?;
        let stat = rustix::fs::fstat(&file)?;
        let is_own = stat.st_uid == geteuid().as_raw() && stat.st_nlink == 1;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_own {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if mode_of(&stat) & 0o777 != 0o600 {
            // Just made under an odd umask, or opened to others since. It holds no secret.
            rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
        }
        Ok(File::from(file))
    }

    /// Writes a file beside its place and renames it there, so that a reader sees the old one or the new one. Not
    /// flushed to the disk: what a crash loses can be had again.
    pub fn write(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        check_file_size(contents.len())?;
        let temporary = format!(".{name}.{:016x}", fastrand::u64(..));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        self.in_directory(|directory| {
            let file = rustix::fs::openat(directory, temporary.as_str(), flags, mode)?;
            // The umask may have taken something away.
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

    /// The names in the directory; none where there is no directory.
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

    /// Removes a name, not what it may link to. Whether it is gone.
    pub fn remove(&self, name: &str) -> bool {
        self.descriptor().is_some_and(|directory| match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => true,
            Err(_) => false,
        })
    }

    /// The directory, if it is there by now.
    fn descriptor(&self) -> Option<&OwnedFd> {
        if self.descriptor.get().is_none()
            && let Ok(descriptor) = open_directory(&self.directory)
        {
            return Some(self.descriptor.get_or_init(|| descriptor));
        }
        self.descriptor.get()
    }

    /// Does something in the directory, which is made if it was not there when it was opened.
    fn in_directory<T>(&self, work: impl FnOnce(&OwnedFd) -> rustix::io::Result<T>) -> io::Result<T> {
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

/// Why a directory could not be opened: it is not there (or the like), or it is not to be trusted.
enum Refusal {
    Io(io::Error),
    Unsafe(String),
}

fn open_directory(directory: &Path) -> Result<OwnedFd, Refusal> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let descriptor = rustix::fs::open(directory, flags, Mode::empty()).map_err(|error| match error {
        rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP if is_link(directory) => {
            Refusal::Unsafe("it is a link".into())
        }
        error => Refusal::Io(error.into()),
    })?;
    let stat = rustix::fs::fstat(&descriptor).map_err(|error| Refusal::Io(error.into()))?;
    if !is_own_and_without(&stat, 0o022) {
        return Err(Refusal::Unsafe(if stat.st_uid == geteuid().as_raw() {
            format!("others can write to it (mode {:04o})", mode_of(&stat) & 0o7777)
        } else {
            format!("it belongs to another user (uid {})", stat.st_uid)
        }));
    }
    Ok(descriptor)
}

fn create_directory(directory: &Path) -> io::Result<OwnedFd> {
    // As root with somebody else's HOME, as under sudo: what root created there would shut its owner out.
    let nearest = directory.ancestors().skip(1).find_map(|ancestor| ancestor.metadata().ok());
    let owner = nearest.map(|metadata| metadata.uid());
    if geteuid().is_root() && owner.is_some_and(|uid| uid != 0) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    // One by one, so that a umask cannot leave one behind that nobody can enter.
    let missing: Vec<&Path> = directory.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    for path in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(0o700))?,
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    open_directory(directory).map_err(|refusal| match refusal {
        Refusal::Io(error) => error,
        Refusal::Unsafe(why) => io::Error::other(why),
    })
}

/// Permission bits and file type, which are 16 bits wide on some systems and 32 on others.
#[allow(clippy::useless_conversion, reason = "it is one on macOS")]
fn mode_of(stat: &Stat) -> u32 {
    stat.st_mode.into()
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

/// One file under one name, which nobody else can read or write.
fn is_own_regular_file(stat: &Stat) -> bool {
    let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    is_regular && stat.st_nlink == 1 && is_own_and_without(stat, 0o077)
}

fn is_own_and_without(stat: &Stat, forbidden: u32) -> bool {
    stat.st_uid == geteuid().as_raw() && mode_of(stat) & forbidden == 0
}
