//! Runs a profile's `credential_process` as the AWS CLI does: split into a program and its arguments, without a shell.
//! It never outlives this call, and is killed if it prints too much.

use std::fmt;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use aws_credential_types::Credentials;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use crate::aws::dates;
use crate::say::secret::Secret;
use crate::say::text::redact_url;
use crate::say::words;
use crate::sys::child::{self, ProcessGroup};
use crate::sys::env::Env;

const MAX_OUTPUT: u64 = 1 << 20;

/// How much of the end of its stderr is kept and shown.
const MAX_STDERR: usize = 4096;
const STDERR_LINES: usize = 3;
const STDERR_CHARS: usize = 400;

/// How long to wait for a process it started that keeps its stderr open.
const STDERR_GRACE: Duration = Duration::from_millis(100);

/// The command may contain secrets. It runs with the environment that was fingerprinted.
pub struct CredentialProcess<'a> {
    command: Secret,
    env: &'a Env,
}

/// Why it failed; never contains its stdout.
#[derive(Debug)]
pub struct ProcessError(String);

/// Its output.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    /// `1`, or `1.0` as some programs write it.
    version: Option<f64>,
    access_key_id: Option<String>,
    secret_access_key: Option<Secret>,
    session_token: Option<Secret>,
    expiration: Option<String>,
}

impl<'a> CredentialProcess<'a> {
    pub fn new(command: Secret, env: &'a Env) -> Self {
        CredentialProcess { command, env }
    }

    pub async fn credentials(&self) -> Result<Credentials, ProcessError> {
        let failed = |why: &str| ProcessError(format!("its credential_process {why}"));
        let words = words::split(self.command.expose()).ok_or_else(|| failed("has an unclosed quotation mark"))?;
        let (program, arguments) = words.split_first().ok_or_else(|| failed("does not name a program"))?;
        let not_started = |error: io::Error| match program.split_once('=') {
            // An assignment meant for a shell may contain a password.
            Some((variable, _)) => failed(&format!(
                "starts with `{variable}=…`, but it runs without a shell, so this does not set a variable: write `env {variable}=…`"
            )),
            // The rest of a word that was meant as several words, or of a URL, is not shown either.
            None => {
                let program = redact_url(program.split_whitespace().next().unwrap_or_default());
                failed(&format!("`{program}` could not be started: {error}"))
            }
        };
        let mut process = Process::start(program, arguments, self.env).map_err(not_started)?;
        let child = &mut process.child;
        let stderr = tokio::spawn(read_last_lines(child.stderr.take().expect("it is piped")));
        let stdout = child.stdout.take().expect("it is piped");
        let mut printed = Vec::new();
        let read = stdout.take(MAX_OUTPUT + 1).read_to_end(&mut printed).await;
        read.map_err(|error| failed(&format!("ran, but its output could not be read: {error}")))?;
        if printed.len() as u64 > MAX_OUTPUT {
            return Err(failed("printed more than 1 MiB"));
        }
        let status = child.wait().await.map_err(|error| failed(&format!("could not be waited for: {error}")))?;
        process.has_ended = true;
        let outcome = if status.success() { parse(&printed) } else { Err(format!("failed ({status})")) };
        match outcome {
            Ok(credentials) => Ok(credentials),
            Err(why) => {
                let said = tokio::time::timeout(STDERR_GRACE, stderr).await;
                let said = said.ok().and_then(Result::ok).unwrap_or_default();
                Err(failed(&if said.is_empty() { why } else { format!("{why}: {said}") }))
            }
        }
    }
}

/// The running program, killed on drop if it has not exited.
struct Process {
    child: Child,
    /// The process group of the program and its descendants, if they have their own.
    group: Option<ProcessGroup>,
    has_ended: bool,
}

impl Process {
    /// If there is a terminal, the program stays in the foreground group, which may read from the terminal and receives
    /// Ctrl-C: it may ask for a password or a code.
    fn start(program: &str, arguments: &[String], env: &Env) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(env.all())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let has_terminal = child::has_terminal();
        if !has_terminal {
            child::set_own_group(&mut command);
        }
        let child = command.spawn()?;
        let group = if has_terminal { None } else { ProcessGroup::from_child(&child) };
        Ok(Process { child, group, has_ended: false })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = self.group.as_ref().filter(|_| !self.has_ended) {
            group.kill();
        }
    }
}

/// Reads to the end and keeps only the last lines.
async fn read_last_lines(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(len @ 1..) = stderr.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..len]);
        kept.drain(..kept.len().saturating_sub(MAX_STDERR));
    }
    last_lines(&String::from_utf8_lossy(&kept))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = lines[lines.len().saturating_sub(STDERR_LINES)..].join("; ");
    let too_many = said.chars().count().saturating_sub(STDERR_CHARS);
    said.chars().skip(too_many).collect()
}

/// serde's own errors would quote the output.
fn parse(printed: &[u8]) -> Result<Credentials, String> {
    let answer: Answer =
        serde_json::from_slice(printed).map_err(|_| "printed something other than credentials in JSON")?;
    if answer.version != Some(1.0) {
        return Err("printed credentials whose `Version` is not 1".into());
    }
    let (Some(access_key_id), Some(secret)) = (answer.access_key_id, answer.secret_access_key) else {
        return Err("printed no `AccessKeyId`, or no `SecretAccessKey`".into());
    };
    let unreadable = "printed an `Expiration` that is not a date with a time and a time zone";
    let expiry = answer.expiration.map(|text| dates::parse(&text).ok_or(unreadable));
    let session_token = answer.session_token.map(|token| token.expose().to_owned()).filter(|token| !token.is_empty());
    Ok(Credentials::new(access_key_id, secret.expose(), session_token, expiry.transpose()?, "credential_process"))
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_stderr_lines_are_shown() {
        assert_eq!(last_lines("one\n\n two \r\nthree\nfour\n"), "two; three; four");
        assert_eq!(last_lines(&"x".repeat(1000)).len(), STDERR_CHARS);
        assert_eq!(last_lines("\n"), "");
    }

    #[test]
    fn errors_do_not_quote_the_output() {
        let why = |text: &str| parse(text.as_bytes()).unwrap_err();
        for text in [
            "MARKER",
            r#"{"Version":"MARKER"}"#,
            r#"{"Version":2,"AccessKeyId":"MARKER"}"#,
            r#"{"Version":1,"AccessKeyId":"MARKER"}"#,
            r#"{"Version":1,"AccessKeyId":"MARKER","SecretAccessKey":"MARKER","Expiration":"MARKER"}"#,
            r#"{"Version":1,"AccessKeyId":"MARKER","SecretAccessKey":"MARKER"} MARKER"#,
        ] {
            assert!(why(text).starts_with("printed ") && !why(text).contains("MARKER"), "{}", why(text));
        }
        let good = r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"x","SessionToken":null,"Expiration":"2026-01-01T01:00:00+01:00"}"#;
        let credentials = parse(good.as_bytes()).expect("it is good");
        assert_eq!(credentials.expiry(), dates::parse("2026-01-01T00:00:00Z"));
    }
}
