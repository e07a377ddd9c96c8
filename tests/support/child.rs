//! Child processes that end: what they print is read as it comes, and one that hangs is killed and named.

use std::io::{self, Read, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Twice what anything may take that the program does, which is a `credential_process` that is given a minute.
pub const LIMIT: Duration = Duration::from_secs(120);

/// A child process that gets no more than its limit for each thing that is waited for: its end, a line, a question. Past
/// it, the child is killed and the test fails.
pub struct WatchedChild {
    child: Child,
    /// The program and its arguments; not its environment, which has secrets in it.
    line: String,
    limit: Duration,
    stdout: Printed,
    stderr: Printed,
}

impl WatchedChild {
    /// Its standard streams are as the command says, where `spawn` would leave them.
    #[track_caller]
    pub fn start(command: Command) -> Self {
        let line = line_of(&command);
        Self::try_start(command).unwrap_or_else(|error| panic!("{line} does not start: {error}"))
    }

    /// The same for a program that need not be there.
    pub fn try_start(mut command: Command) -> io::Result<Self> {
        let line = line_of(&command);
        let mut child = command.spawn()?;
        let (stdout, stderr) = (Printed::through(child.stdout.take()), Printed::through(child.stderr.take()));
        Ok(WatchedChild { child, line, limit: LIMIT, stdout, stderr })
    }

    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn kill(&mut self) {
        // One that has ended already needs no killing.
        let _ = self.child.kill();
    }

    /// What is written there, it reads; when this is dropped, that was all.
    #[track_caller]
    pub fn take_stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("its stdin is a pipe")
    }

    /// Its whole stdin.
    #[track_caller]
    pub fn write(&mut self, text: &[u8]) {
        let written = self.take_stdin().write_all(text);
        written.unwrap_or_else(|error| panic!("{} does not read: {error}", self.line));
    }

    /// Waits until it has printed this on stdout: that and what came before it, which is then no part of the rest.
    #[track_caller]
    pub fn stdout_up_to(&mut self, text: &str) -> String {
        let deadline = self.deadline();
        let found = self.stdout.take_up_to(text.as_bytes(), deadline);
        self.found(found, text)
    }

    /// The same on stderr.
    #[track_caller]
    pub fn stderr_up_to(&mut self, text: &str) -> String {
        let deadline = self.deadline();
        let found = self.stderr.take_up_to(text.as_bytes(), deadline);
        self.found(found, text)
    }

    #[track_caller]
    fn found(&mut self, found: Result<Vec<u8>, Missing>, text: &str) -> String {
        match found {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(Missing::Yet) => self.hangs(&format!("has not printed {text:?}")),
            Err(Missing::Forever) => self.fails(&format!("ended and did not print {text:?}")),
        }
    }

    /// Waits until this is so, for which the child has to be running.
    #[track_caller]
    pub fn runs_until(&mut self, is_so: impl Fn() -> bool) {
        let deadline = self.deadline();
        while !is_so() {
            let status = self.child.try_wait().expect("it is our child");
            if status.is_some() {
                self.fails("ended too early");
            }
            if Instant::now() >= deadline {
                self.hangs("is not where the test waits for it");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end, and for the end of what it prints: everything that was not taken before.
    #[track_caller]
    pub fn output(mut self) -> Output {
        let deadline = self.deadline();
        let all = self.stdout.read_to_end(deadline) && self.stderr.read_to_end(deadline);
        let Some(status) = self.status_by(deadline) else { self.hangs("did not end") };
        if !all {
            self.fails(&format!(
                "ended, and not within {:?} its output: something that it started holds that open",
                self.limit
            ));
        }
        let (stdout, stderr) = (std::mem::take(&mut self.stdout.bytes), std::mem::take(&mut self.stderr.bytes));
        Output { status, stdout, stderr }
    }

    /// Waits for its end, where nobody asks how it went.
    pub fn leave(&mut self) {
        let deadline = self.deadline();
        self.status_by(deadline);
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.limit
    }

    /// How it ended, if it has by then.
    fn status_by(&mut self, deadline: Instant) -> Option<ExitStatus> {
        let mut pause = Duration::from_micros(50);
        loop {
            let status = self.child.try_wait().expect("it is our child");
            if status.is_some() || Instant::now() >= deadline {
                return status;
            }
            std::thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn hangs(&mut self, how: &str) -> ! {
        self.end();
        self.fails(&format!("{how} within {:?}, and was killed", self.limit))
    }

    /// With what it has printed so far, and what is still on its way.
    #[track_caller]
    fn fails(&mut self, how: &str) -> ! {
        let deadline = Instant::now() + Duration::from_secs(1);
        self.stdout.read_to_end(deadline);
        self.stderr.read_to_end(deadline);
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(|printed| String::from_utf8_lossy(&printed.bytes));
        panic!("{} {how}\nstdout: {stdout}\nstderr: {stderr}", self.line)
    }

    /// Kills it and, where /proc tells what that is, whatever it has started: a shell's or kubectl's child would go on.
    /// Not its process group, which is that of the tests: in one of its own, a program finds its terminal closed to it.
    fn end(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let mut started = vec![self.child.id()];
        let mut next = 0;
        while let Some(pid) = started.get(next) {
            started.extend(children_of(*pid));
            next += 1;
        }
        for pid in started.into_iter().filter_map(|pid| Pid::from_raw(pid.try_into().ok()?)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// A test that fails leaves nothing running.
impl Drop for WatchedChild {
    fn drop(&mut self) {
        self.end();
    }
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    format!("`{}`", words.join(" "))
}

/// Any of its threads may have started some.
fn children_of(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    lists.flat_map(|list| list.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()).collect()
}

/// What comes out of a pipe, which a thread reads, so that it is never full.
struct Printed {
    chunks: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
}

/// Whether what is not there can still come.
enum Missing {
    Yet,
    Forever,
}

impl Printed {
    /// Nothing comes out of what is no pipe.
    fn through(pipe: Option<impl Read + Send + 'static>) -> Self {
        let (sender, chunks) = channel();
        if let Some(mut pipe) = pipe {
            std::thread::spawn(move || {
                let mut chunk = [0; 8192];
                loop {
                    match pipe.read(&mut chunk) {
                        Ok(0) => return,
                        Ok(len) if sender.send(chunk[..len].to_vec()).is_err() => return,
                        Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
                        Ok(_) | Err(_) => {}
                    }
                }
            });
        }
        Printed { chunks, bytes: Vec::new() }
    }

    fn read(&mut self, deadline: Instant) -> Result<(), Missing> {
        let chunk = self.chunks.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        self.bytes.extend(chunk.map_err(|error| match error {
            RecvTimeoutError::Timeout => Missing::Yet,
            RecvTimeoutError::Disconnected => Missing::Forever,
        })?);
        Ok(())
    }

    /// Whether the end is there in time.
    fn read_to_end(&mut self, deadline: Instant) -> bool {
        loop {
            match self.read(deadline) {
                Ok(()) => {}
                Err(missing) => return matches!(missing, Missing::Forever),
            }
        }
    }

    fn take_up_to(&mut self, text: &[u8], deadline: Instant) -> Result<Vec<u8>, Missing> {
        loop {
            if let Some(at) = self.bytes.windows(text.len()).position(|window| window == text) {
                let rest = self.bytes.split_off(at + text.len());
                return Ok(std::mem::replace(&mut self.bytes, rest));
            }
            self.read(deadline)?;
        }
    }
}

/// Whether there is such a process. One that has ended and was not buried yet is none.
pub fn runs(pid: Pid) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !state.contains(") Z ")
}

/// Waits for the end of a process that is nobody's child here.
#[track_caller]
pub fn ends(pid: Pid) {
    let deadline = Instant::now() + LIMIT;
    while runs(pid) {
        assert!(Instant::now() < deadline, "process {} still runs after {LIMIT:?}", pid.as_raw_nonzero());
        std::thread::sleep(Duration::from_millis(10));
    }
}
