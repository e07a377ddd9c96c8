//! The program at a terminal, and a person who answers what it asks there.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::plugin::Plugin;

/// Both ends of one.
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

/// A program with a terminal as stdin, and what one types there.
pub struct AtTerminal {
    child: Child,
    terminal: File,
    /// Its home has to be there as long as it runs, or it makes one that nobody removes.
    _home: Option<Plugin>,
}

impl AtTerminal {
    /// `token --cluster demo` and these arguments.
    pub fn start(plugin: &Plugin, args: &[&str]) -> Self {
        let run = Self::run(plugin.command(&[&["token", "--cluster", "demo"], args].concat()));
        AtTerminal { _home: Some(plugin.clone()), ..run }
    }

    pub fn run(mut command: Command) -> Self {
        let Terminal { terminal, stdin } = Terminal::open();
        let child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a program");
        AtTerminal { child, terminal, _home: None }
    }

    /// Waits for a question on stderr.
    #[track_caller]
    pub fn wait_for(&mut self, question: &str) {
        let mut seen = String::new();
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        while !seen.ends_with(question) {
            let mut byte = [0];
            assert_eq!(stderr.read(&mut byte).expect("a pipe"), 1, "it ended after {seen:?}");
            seen.push(char::from(byte[0]));
        }
    }

    pub fn enter(&mut self, line: &str) {
        self.terminal.write_all(format!("{line}\n").as_bytes()).expect("its other end is open");
    }

    /// Waits for a question, and answers it.
    #[track_caller]
    pub fn answer(&mut self, question: &str, line: &str) {
        self.wait_for(question);
        self.enter(line);
    }

    /// Exit code, stdout, and what is left of stderr.
    pub fn end(self) -> (i32, String, String) {
        let output = self.child.wait_with_output().expect("it is our child");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code().expect("no signal ended it"), text(output.stdout), text(output.stderr))
    }
}
