//! The parent process.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::process::getppid;

/// Another process, by its id. Everything else about it comes from /proc, which only Linux has.
#[derive(Clone, Copy)]
pub struct Process(u32);

impl Process {
    /// `None` if this process is the first one in its container.
    pub fn parent() -> Option<Self> {
        getppid().map(|parent| Process(parent.as_raw_nonzero().get() as u32))
    }

    pub fn id(self) -> u32 {
        self.0
    }

    /// Its arguments, starting with its name.
    pub fn arguments(self) -> Option<Vec<Vec<u8>>> {
        let words = std::fs::read(format!("/proc/{}/cmdline", self.0)).ok()?;
        Some(words.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect())
    }

    /// The path of its program, if this user may read it.
    pub fn executable(self) -> Option<PathBuf> {
        std::fs::read_link(format!("/proc/{}/exe", self.0)).ok()
    }

    /// When it started, to a hundredth of a second or so.
    pub fn started(self, now: SystemTime) -> Option<SystemTime> {
        let uptime: f64 = std::fs::read_to_string("/proc/uptime").ok()?.split(' ').next()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        // The name, in parentheses, may contain anything; the start time is the 20th field after it, in ticks since
        // boot.
        let start: f64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
        let life = (uptime - start / rustix::param::clock_ticks_per_second() as f64).max(0.0);
        now.checked_sub(Duration::from_secs_f64(life))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_started_before_now_and_long_after_1970() {
        #[expect(clippy::disallowed_methods, reason = "the start of this process is compared with it")]
        let now = SystemTime::now();
        let started = Process(std::process::id()).started(now).expect("/proc is there");
        assert!(started <= now && started > UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    }

    #[test]
    #[cfg(target_os = "linux")]
    #[expect(clippy::disallowed_methods, reason = "the arguments of this process are compared with it")]
    fn the_arguments_of_a_process_start_with_its_name() {
        let arguments = Process(std::process::id()).arguments().expect("/proc is there");
        assert_eq!(
            arguments.first().map(Vec::as_slice),
            std::env::args_os().next().map(|name| name.into_encoded_bytes()).as_deref()
        );
    }
}
