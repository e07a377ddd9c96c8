//! Runs the program on a terminal and answers its prompts.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::child::WatchedChild;
use super::plugin::{Output, Plugin};

/// Both ends of a pseudo-terminal.
pub struct Terminal {
    pub terminal: File,
    pub stdin: File,
}

impl Terminal {
    pub fn open() -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).expect("it is ours");
        unlockpt(&terminal).expect("it is ours");
        let name = ptsname(&terminal, Vec::new()).expect("it has a name");
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let stdin = File::options().read(true).write(true).open(path).expect("its other end");
        Terminal { terminal: terminal.into(), stdin }
    }
}

/// A program with a terminal as stdin, to which the test can type.
pub struct AtTerminal {
    child: WatchedChild,
    terminal: File,
    /// Keeps the home directory until the program exits, or the program would create one that is never removed.
    _home: Option<Plugin>,
}

impl AtTerminal {
    /// `token --cluster demo` and these arguments.
    pub fn start(plugin: &Plugin, args: &[&str]) -> Self {
        let run = Self::run(plugin.token_command(args));
        AtTerminal { _home: Some(plugin.clone()), ..run }
    }

    pub fn run(command: Command) -> Self {
        Self::run_at(Terminal::open(), command)
    }

    pub fn run_at(Terminal { terminal, stdin }: Terminal, mut command: Command) -> Self {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        AtTerminal { child: WatchedChild::start(command), terminal, _home: None }
    }

    /// Waits for a prompt on stderr.
    #[track_caller]
    pub fn wait_for(&mut self, question: &str) {
        self.child.stderr_up_to(question);
    }

    pub fn enter(&mut self, line: &str) {
        self.terminal.write_all(format!("{line}\n").as_bytes()).expect("its other end is open");
    }

    /// Waits for a prompt and answers it.
    #[track_caller]
    pub fn answer(&mut self, question: &str, line: &str) {
        self.wait_for(question);
        self.enter(line);
    }

    /// The exit code, stdout, and the rest of stderr.
    #[track_caller]
    pub fn end(self) -> (i32, String, String) {
        let Output { code, stdout, stderr } = self.child.output().into();
        (code, stdout, stderr)
    }
}
