use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Pid;

use crate::support::child::{WatchedChild, ends};

fn shell(script: &str) -> WatchedChild {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).env("SECRET", "MARKER");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    WatchedChild::start(command)
}

fn pid_printed_by(child: &mut WatchedChild) -> Pid {
    Pid::from_raw(child.stdout_up_to("\n").trim().parse().expect("a number")).expect("a pid")
}

/// What a test says that fails in this.
fn failure_of<T>(wait: impl FnOnce() -> T) -> String {
    let Err(why) = catch_unwind(AssertUnwindSafe(wait)) else { panic!("it did not fail") };
    why.downcast_ref::<String>().expect("a message with something in it").clone()
}

#[test]
fn a_hanging_child_is_killed_with_its_group_and_named_with_its_output() {
    let script = "echo $$; echo last words >&2; sleep 300 & echo $!; wait; echo $SECRET";
    let mut child = shell(script);
    let pids = [(); 2].map(|()| pid_printed_by(&mut child));
    let message = failure_of(|| child.within(Duration::from_millis(50)).output());
    let expected =
        format!("`/bin/sh -c {script}` did not end within 50ms, and was killed\nstdout: \nstderr: last words\n");
    assert_eq!(message, expected);
    for pid in pids {
        ends(pid);
    }
}

#[test]
fn a_child_that_does_not_print_the_expected_line_is_named() {
    let mut hangs = shell("printf 'what? '; sleep 300");
    hangs.stdout_up_to("what");
    let message = failure_of(|| hangs.within(Duration::from_millis(50)).stdout_up_to("who? "));
    assert!(message.contains("`/bin/sh -c printf 'what? '; sleep 300` has not printed \"who? \" within"), "{message}");
    assert!(message.contains("stdout: ? \n"), "{message}");
    let message = failure_of(|| shell("echo no >&2").stderr_up_to("yes"));
    assert_eq!(message, "`/bin/sh -c echo no >&2` ended and did not print \"yes\"\nstdout: \nstderr: no\n");
    let message = failure_of(|| shell("exit 3").runs_until(|| false));
    assert!(message.starts_with("`/bin/sh -c exit 3` ended too early\n"), "{message}");
}

#[test]
fn a_child_that_exited_with_its_output_held_open_is_named() {
    let mut child = shell("sleep 300 2>/dev/null & echo $!");
    let sleep = pid_printed_by(&mut child);
    // For the shell to end, which starts nothing more.
    let message = failure_of(|| child.within(Duration::from_secs(2)).output());
    rustix::process::kill_process(sleep, rustix::process::Signal::KILL).unwrap();
    assert!(message.contains("ended, and not within 2s its output: "), "{message}");
}

#[test]
fn pipes_are_drained_while_a_child_is_waited_for() {
    let mut child = shell("read line; seq 100000 >&2; seq 100000; echo $line");
    child.write(b"the end\n");
    let output = child.output();
    assert!(output.stdout.ends_with(b"\n100000\nthe end\n") && output.stderr.ends_with(b"\n100000\n"));
}
