//! Runs the plugin in a clean environment: its own home directory, and only the AWS settings from the test.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::process::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::child::WatchedChild;
use super::sts::{Keys, Sts, parse_timestamp};

pub const REGION: &str = "eu-west-1";

/// One user's machine: a home directory, an environment and a program to run. Clones share the home directory.
#[derive(Clone)]
pub struct Plugin {
    binary: PathBuf,
    home: std::sync::Arc<TempDir>,
    environment: Vec<(OsString, OsString)>,
}

pub struct Output {
    /// 128 + the signal, if a signal killed it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Plugin {
    /// Talks to this STS, in [`REGION`], with no credentials yet.
    pub fn new(binary: impl Into<PathBuf>, sts: &Sts) -> Self {
        let home = tempfile::Builder::new().prefix("eks-group-auth-test-").tempdir().expect("a temporary directory");
        let plugin = Plugin { binary: binary.into(), home: std::sync::Arc::new(home), environment: Vec::new() };
        let home = plugin.home().to_owned();
        // Disable the metadata service, or these tests would find a build machine's own role.
        let plugin = plugin.env("HOME", home).env("AWS_EC2_METADATA_DISABLED", "true");
        plugin.env("AWS_ENDPOINT_URL_STS", sts.url()).env("AWS_REGION", REGION)
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn binary(&self) -> &Path {
        &self.binary
    }

    pub fn cache_directory(&self) -> PathBuf {
        self.home().join(".cache/eks-group-auth")
    }

    /// The token, session and caller entries in a cache directory, without lock files and other state files.
    pub fn entries_in(directory: &Path) -> Vec<PathBuf> {
        let paths = directory.read_dir().into_iter().flatten().map(|entry| entry.expect("a readable directory").path());
        let is_entry = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            ["token-", "session-", "caller-", "."].iter().any(|start| name.starts_with(start))
        };
        let mut entries: Vec<PathBuf> = paths.filter(is_entry).collect();
        entries.sort();
        entries
    }

    pub fn entries(&self) -> Vec<PathBuf> {
        Self::entries_in(&self.cache_directory())
    }

    /// Those whose names start so: `token-`, `session-`, `caller-`, and `.` for what is not whole yet.
    pub fn entries_of(&self, start: &str) -> Vec<PathBuf> {
        let starts = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().starts_with(start);
        self.entries().into_iter().filter(starts).collect()
    }

    /// The first of the tokens.
    #[track_caller]
    pub fn token_entry(&self) -> PathBuf {
        self.entries_of("token-").remove(0)
    }

    /// Makes all those older by so many seconds.
    pub fn age_entries(&self, start: &str, seconds: i64) {
        for path in self.entries_of(start) {
            age_entry(&path, seconds);
        }
    }

    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.retain(|(n, _)| n != name);
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn env_remove(mut self, name: &str) -> Self {
        self.environment.retain(|(n, _)| n != name);
        self
    }

    pub fn keys(self, keys: &Keys) -> Self {
        let plugin =
            self.env("AWS_ACCESS_KEY_ID", &keys.access_key_id).env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key);
        match &keys.session_token {
            Some(token) => plugin.env("AWS_SESSION_TOKEN", token),
            None => plugin.env_remove("AWS_SESSION_TOKEN"),
        }
    }

    /// Writes `~/.aws/config`.
    pub fn config(self, text: &str) -> Self {
        self.write(".aws/config", text)
    }

    /// Writes a file under the home directory.
    pub fn write(self, path: &str, text: &str) -> Self {
        self.write_bytes(path, text.as_bytes())
    }

    /// The same for binary contents.
    pub fn write_bytes(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.home().join(path);
        std::fs::create_dir_all(path.parent().expect("it is under the home")).expect("a directory");
        std::fs::write(path, bytes).expect("a file");
        self
    }

    /// What this certificate authority signs is trusted.
    pub fn trusting(self, ca_pem: &str) -> Self {
        let plugin = self.write("ca.pem", ca_pem);
        let bundle = plugin.home().join("ca.pem");
        plugin.env("AWS_CA_BUNDLE", bundle)
    }

    /// Writes a program under the home directory, using another process: if this one wrote it, another thread's child
    /// could briefly inherit the open file, and the kernel does not run a file that is open for writing.
    pub fn write_program(self, path: &str, text: &str) -> Self {
        let plugin = self.write(path, "");
        let mut shell = Command::new("sh");
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(plugin.home().join(path)).stdin(Stdio::piped());
        let mut shell = WatchedChild::start(shell);
        shell.write(text.as_bytes());
        assert!(shell.output().status.success(), "{path} was not written");
        plugin
    }

    /// The process that wrote its number into this file under the home directory.
    #[track_caller]
    pub fn pid_in(&self, path: &str) -> Pid {
        let text = std::fs::read_to_string(self.home().join(path)).expect("it wrote its number");
        Pid::from_raw(text.trim().parse().expect("a number")).expect("a pid")
    }

    pub fn environment(&self) -> &[(OsString, OsString)] {
        &self.environment
    }

    /// The program, ready to be started with these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.command_of(&self.binary);
        command.args(args);
        command
    }

    /// Another program on this machine.
    pub fn command_of(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// `token --cluster demo` and these arguments, ready to be started.
    pub fn token_command(&self, args: &[&str]) -> Command {
        self.command(&[&["token", "--cluster", "demo"], args].concat())
    }

    /// A shell that does something first, such as to set a limit, and then becomes the program.
    pub fn command_after(&self, shell: &str, first: &str, args: &[&str]) -> Command {
        let mut command = self.command_of(shell);
        command.args(["-c", &format!("{first}; exec \"$0\" \"$@\"")]).arg(&self.binary).args(args);
        command
    }

    /// The program in a session without a terminal: with one, what it starts has to stay in the group that may read from
    /// that.
    pub fn command_without_terminal(&self, args: &[&str]) -> Command {
        let mut command = self.command_of("setsid");
        command.arg("--wait").arg(&self.binary).args(args);
        command
    }

    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Output {
        output(self.command(args))
    }

    /// `token --cluster demo` and these arguments.
    #[track_caller]
    pub fn token(&self, args: &[&str]) -> Output {
        output(self.token_command(args))
    }

    /// The same, while the test goes on.
    #[track_caller]
    pub fn start_token(&self, args: &[&str]) -> WatchedChild {
        start(self.token_command(args))
    }

    /// `token --cluster demo --role ARN` and these arguments.
    #[track_caller]
    pub fn role_token(&self, role: &str, args: &[&str]) -> Output {
        self.token(&[&["--role", role], args].concat())
    }
}

/// Runs it to its end, with nothing on its stdin.
#[track_caller]
pub fn output(command: Command) -> Output {
    start(command).output().into()
}

/// Starts it, with nothing on its stdin.
#[track_caller]
pub fn start(mut command: Command) -> WatchedChild {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    WatchedChild::start(command)
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        Output {
            code: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Output {
    /// The token of a successful ExecCredential; stderr must be empty.
    #[track_caller]
    pub fn good_token(&self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "stdout has {} bytes", self.stdout.len());
        let document = self.document();
        document.pointer("/status/token").and_then(Value::as_str).expect("status.token").to_owned()
    }

    /// The access key id in a good token.
    #[track_caller]
    pub fn signer(&self) -> String {
        let url = url_of(&self.good_token());
        let (_, credential) = url.split_once("X-Amz-Credential=").expect("a credential");
        credential.split("%2F").next().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("stdout is one JSON document")
    }

    #[track_caller]
    pub fn expiration(&self) -> SystemTime {
        let document = self.document();
        let timestamp =
            document.pointer("/status/expirationTimestamp").and_then(Value::as_str).expect("expirationTimestamp");
        parse_timestamp(&timestamp.replace(['-', ':'], "")).expect("RFC 3339 in whole seconds, UTC")
    }

    /// The time until expiration.
    #[track_caller]
    pub fn remaining(&self) -> Duration {
        self.expiration().duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// The entire stderr of a run that failed as expected, with this code and an empty stdout.
    #[track_caller]
    pub fn failed_with(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "stderr: {}", self.stderr);
        &self.stderr
    }
}

#[track_caller]
pub fn signed_by(plugin: &Plugin, args: &[&str], keys: &Keys) {
    assert_eq!(plugin.token(args).signer(), keys.access_key_id);
}

/// One error line and one hint line.
pub fn error_and_hint(error: &str, hint: &str) -> String {
    format!("eks-group-auth: error: {error}\neks-group-auth: hint: {hint}\n")
}

/// Ages an entry by this many seconds, as if it had been written earlier. Knows the format of entries: a first line
/// that ends in the SHA-256 of the second, which is JSON.
pub fn age_entry(path: &Path, seconds: i64) {
    use sha2::Digest as _;
    let text = std::fs::read_to_string(path).expect("an entry");
    let (first, body) = text.split_once('\n').expect("two lines");
    let mut body: Value = serde_json::from_str(body).expect("JSON");
    for time in ["expiration", "obtained_at", "signed_at", "learned_at"] {
        if let Some(value) = body.get(time).and_then(Value::as_i64) {
            body[time] = (value - seconds).into();
        }
    }
    let body = body.to_string();
    let (head, _) = first.rsplit_once(' ').expect("a digest at the end");
    let digest = super::sigv4::hex(&sha2::Sha256::digest(&body));
    std::fs::write(path, format!("{head} {digest}\n{body}\n")).expect("a file");
}

/// The URL in a token.
#[track_caller]
pub fn url_of(token: &str) -> String {
    use base64::Engine as _;
    let encoded = token.strip_prefix("k8s-aws-v1.").expect("the prefix");
    let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(encoded).expect("unpadded base64url");
    String::from_utf8(decoded).expect("text")
}
