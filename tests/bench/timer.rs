//! Measures whole processes, with hyperfine if it is installed. It is not used for processes of about a millisecond:
//! hyperfine forks, which adds 0.3 ms to each of them (an empty static program took 0.49 ms with it, 0.21 without), and
//! it measures one program after the other. For these, and without hyperfine, processes are spawned without a fork and
//! programs take turns. Results are medians. It also measures what time does not show: peak memory, page faults and
//! instructions.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde_json::Value;

use crate::which;

/// Something to measure: a command with its environment that can be run repeatedly.
pub struct Subject {
    pub name: String,
    program: OsString,
    args: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    prepare: Prepare,
}

/// What is done before each run.
#[derive(Clone)]
pub enum Prepare {
    Nothing,
    /// Removes the files in a directory whose names start with this prefix.
    Remove {
        directory: PathBuf,
        prefix: &'static str,
    },
}

impl Prepare {
    pub fn run(&self) {
        let Prepare::Remove { directory, prefix } = self else { return };
        for file in directory.read_dir().into_iter().flatten().flatten() {
            if file.file_name().to_string_lossy().starts_with(prefix) {
                std::fs::remove_file(file.path()).expect("a file of the cache can be removed");
            }
        }
    }
}

impl Subject {
    /// Runs with only the command's own environment.
    pub fn of(name: &str, command: Command) -> Self {
        let set = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        Subject {
            name: name.to_owned(),
            environment: set.collect(),
            program: command.get_program().to_owned(),
            args: command.get_args().map(Into::into).collect(),
            prepare: Prepare::Nothing,
        }
    }

    pub fn after(self, prepare: Prepare) -> Self {
        Subject { prepare, ..self }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// How long one run takes.
    pub fn run(&self) -> Result<Duration, String> {
        self.prepare.run();
        let mut command = self.command();
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", self.name))?;
        let status = child.wait().map_err(|error| error.to_string())?;
        let time = started.elapsed();
        if status.success() {
            return Ok(time);
        }
        let mut stderr = String::new();
        let _ = child.stderr.take().expect("it is piped").read_to_string(&mut stderr);
        Err(format!("{} failed: {stderr}", self.name))
    }
}

/// The upper median if there are two.
pub fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
    values[values.len() / 2]
}

/// The minimum time that hyperfine measures well.
const LONG: Duration = Duration::from_millis(5);

pub enum Timer {
    Hyperfine(PathBuf),
    Own,
}

impl Timer {
    pub fn find() -> Self {
        which("hyperfine").map_or(Timer::Own, Timer::Hyperfine)
    }

    pub fn name(&self) -> &'static str {
        match self {
            Timer::Hyperfine(_) => "the benchmark's own timer, of what takes over 5 ms by hyperfine",
            Timer::Own => "the benchmark's own timer",
        }
    }

    /// The median of each subject over all rounds; every round runs all of them.
    pub fn medians(&self, subjects: &[Subject], rounds: usize, runs: usize) -> Result<Vec<Duration>, String> {
        let mut times = vec![Vec::new(); subjects.len()];
        let mut first = subjects.iter().map(Subject::run).collect::<Result<Vec<_>, _>>()?.into_iter();
        let are_long = first.all(|time| time > LONG);
        for _ in 0..rounds {
            match self {
                Timer::Hyperfine(hyperfine) if are_long => {
                    for (subject, times) in subjects.iter().zip(&mut times) {
                        times.extend(run_hyperfine(hyperfine, subject, runs)?);
                    }
                }
                _ => {
                    for _ in 0..runs {
                        for (subject, times) in subjects.iter().zip(&mut times) {
                            times.push(subject.run()?);
                        }
                    }
                }
            }
        }
        Ok(times.into_iter().map(median).collect())
    }
}

fn run_hyperfine(hyperfine: &PathBuf, subject: &Subject, runs: usize) -> Result<Vec<Duration>, String> {
    let answer = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let mut command = Command::new(hyperfine);
    command.env_clear().envs(subject.environment.iter().cloned());
    command.args(["--shell=none", "--style=none", "--warmup=2", "--runs", &runs.max(2).to_string(), "--export-json"]);
    command.arg(answer.path());
    if let Prepare::Remove { directory, prefix } = &subject.prepare {
        let find = which("find").ok_or("find is not in PATH")?;
        let line = [find.into_os_string(), directory.into(), "-type".into(), "f".into(), "-name".into()];
        command.arg("--prepare").arg(format!("{} '{prefix}*' -delete", quoted(&line)));
    }
    let line: Vec<OsString> = std::iter::once(&subject.program).chain(&subject.args).cloned().collect();
    command.arg(quoted(&line));
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("{}: {}", subject.name, String::from_utf8_lossy(&output.stderr)));
    }
    let answer = std::fs::read(answer.path()).map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let times = answer.pointer("/results/0/times").and_then(Value::as_array).ok_or("hyperfine gives no times")?;
    Ok(times.iter().filter_map(Value::as_f64).map(Duration::from_secs_f64).collect())
}

fn quoted(words: &[OsString]) -> String {
    words.iter().map(|word| format!("'{}'", word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// Its peak memory, in KiB, read at the very end, while it is blocked writing to a full pipe. `None` where it prints
/// nothing, or there is no /proc.
pub fn peak_memory(subject: &Subject) -> Option<u64> {
    subject.prepare.run();
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).ok()?;
    fcntl_setfl(&writer, OFlags::NONBLOCK).ok()?;
    let mut writer = std::fs::File::from(writer);
    while writer.write(&[0; 4096]).is_ok() {}
    fcntl_setfl(&writer, OFlags::empty()).ok()?;
    let mut child = subject.command().stdout(writer).spawn().ok()?;
    std::thread::sleep(Duration::from_secs(2));
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    drop(reader);
    let _ = child.kill();
    let _ = child.wait();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

/// The median number of minor page faults of each subject, over some alternating runs. The kernel reports it for a
/// process that has exited but has not been reaped. `None` where there is no /proc.
pub fn page_faults<const N: usize>(subjects: &[Subject; N], runs: usize) -> Result<[Option<u64>; N], String> {
    let mut counts = [const { Vec::new() }; N];
    for _ in 0..runs {
        for (subject, counts) in subjects.iter().zip(&mut counts) {
            subject.prepare.run();
            let mut child = subject.command().spawn().map_err(|error| error.to_string())?;
            let ended = waitid(WaitId::Pid(Pid::from_child(&child)), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            ended.map_err(|error| error.to_string())?;
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
            if !child.wait().is_ok_and(|status| status.success()) {
                return Err(format!("{} failed", subject.name));
            }
            // The program's name is the second field and may contain anything; the number is the eighth field after it.
            let faults = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(7));
            counts.extend(faults.and_then(|faults| faults.parse::<u64>().ok()));
        }
    }
    Ok(counts.map(|counts| (counts.len() == runs).then(|| median(counts))))
}

/// Instruction count from callgrind: the same every time for the same binary and path lengths.
pub fn instructions(subject: &Subject) -> Option<u64> {
    subject.prepare.run();
    let mut command = Command::new(which("valgrind")?);
    command.env_clear().envs(subject.environment.iter().cloned());
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(&subject.program).args(&subject.args);
    let output = command.stdin(Stdio::null()).output().ok()?;
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    words.lines().find_map(|line| line.split_once("refs:")?.1.trim().replace(',', "").parse().ok())
}
