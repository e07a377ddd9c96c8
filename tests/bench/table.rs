//! The table, and its place in README.md.

use std::process::Command;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

use crate::timer::Timer;

#[derive(Default)]
pub struct Row {
    pub name: String,
    /// With an immediate response from STS.
    pub near: Option<Duration>,
    /// To `/bin/true`.
    pub ratio: Option<f64>,
    /// With a delayed response from STS.
    pub far: Option<Duration>,
    pub assume_roles: Option<usize>,
    /// In KiB.
    pub memory: Option<u64>,
    pub instructions: Option<u64>,
}

pub struct Table {
    rows: Vec<Row>,
    about: String,
}

const START: &str = "<!-- benchmark: written by `cargo bench -- --write-readme` -->\n";
const END: &str = "<!-- end of benchmark -->\n";

impl Table {
    pub fn new(timer: &Timer, binary: &str, yardstick: &str) -> Self {
        Table { rows: Vec::new(), about: format!("{} {yardstick}.", about(timer, binary)) }
    }

    pub fn add(&mut self, row: Row) {
        eprintln!("  {}", row.name);
        self.rows.push(row);
    }

    pub fn render(&self) -> String {
        let mut text = self.about.clone();
        text += "\n\n| | STS at once | × `/bin/true` | STS after 100 ms | AssumeRole | peak memory | instructions |\n";
        text += "|---|---:|---:|---:|---:|---:|---:|\n";
        for row in &self.rows {
            let cells = [
                row.near.map(milliseconds),
                row.ratio.map(|ratio| format!("{ratio:.2}")),
                row.far.map(milliseconds),
                row.assume_roles.map(|calls| calls.to_string()),
                row.memory.map(|kib| format!("{:.1} MiB", kib as f64 / 1024.0)),
                row.instructions.map(grouped),
            ];
            let cells: Vec<String> = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "–".into())).collect();
            text += &format!("| {} | {} |\n", row.name, cells.join(" | "));
        }
        text
    }
}

/// Describes what was measured, where, when and how.
pub fn about(timer: &Timer, binary: &str) -> String {
    let date = OffsetDateTime::from(SystemTime::now()).date();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{date}, {}, {cores} cores, {}; release binary {binary}; medians, times by {}.",
        processor(),
        first_line("uname", &["-srm"]),
        timer.name(),
    )
}

pub fn write_readme(text: &str) -> Result<(), String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let (before, rest) = readme.split_once(START).ok_or("README.md has no place for the table")?;
    let (_, after) = rest.split_once(END).ok_or("README.md's place for the table does not end")?;
    std::fs::write(path, format!("{before}{START}\n{text}\n{END}{after}")).map_err(|error| error.to_string())
}

fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).expect("digits")).collect();
    groups.join(",")
}

fn processor() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

fn first_line(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or_default().to_owned()
}
