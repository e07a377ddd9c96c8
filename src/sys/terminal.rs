//! Reading from the user, with a time limit.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub use super::platform::terminal::is_line_mode;

/// Reads a line from stdin. `None` at the end of input, or if no line arrives in time. A thread does the reading,
/// because poll(2) does not support terminals on every system; if no line arrives, the thread ends with the process.
pub fn read_line(timeout: Duration) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    let read = move || {
        let mut line = String::new();
        let len = std::io::stdin().read_line(&mut line);
        // The receiver may be gone by now.
        let _ = sender.send(len.map(|len| (len, line)));
    };
    thread::Builder::new().spawn(read).ok()?;
    match receiver.recv_timeout(timeout) {
        Ok(Ok((len, line))) if len > 0 => Some(line),
        _ => None,
    }
}
