//! Asking a person, with a time limit.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub use super::platform::terminal::gives_lines;

/// A line of stdin. `None` at its end, and where nobody answers in time. It is read by a thread, because poll(2) does not
/// serve terminals on every system; where nobody answers, the thread ends with the process.
pub fn read_line(patience: Duration) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    let read = move || {
        let mut line = String::new();
        let len = std::io::stdin().read_line(&mut line);
        // Nobody may be waiting for it any more.
        let _ = sender.send(len.map(|len| (len, line)));
    };
    thread::Builder::new().spawn(read).ok()?;
    match receiver.recv_timeout(patience) {
        Ok(Ok((len, line))) if len > 0 => Some(line),
        _ => None,
    }
}
