//! Runs the AWS CLI with the same files and environment, to compare the identity it finds.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::child::WatchedChild;
use super::plugin::{Output, Plugin};

/// A Python that can `import awscli`: the one in AWS_CLI_PYTHON, or else the one in the virtual environment created by
/// `.ci/run`. Without one, the caller skips its test, or fails with `REQUIRE_AWS_CLI=1`.
pub fn python() -> Option<PathBuf> {
    static FOUND: LazyLock<Option<PathBuf>> = LazyLock::new(find);
    if FOUND.is_none() {
        assert!(
            std::env::var_os("REQUIRE_AWS_CLI").is_none_or(|value| value != "1"),
            "REQUIRE_AWS_CLI=1, and no Python has it: neither AWS_CLI_PYTHON nor target/aws-cli/bin/python"
        );
        eprintln!("SKIPPED: neither AWS_CLI_PYTHON nor target/aws-cli/bin/python is a Python with the AWS CLI");
    }
    FOUND.clone()
}

fn find() -> Option<PathBuf> {
    let named = std::env::var_os("AWS_CLI_PYTHON").filter(|path| !path.is_empty()).map(PathBuf::from);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/aws-cli/bin/python");
    let python = named.unwrap_or(own);
    let mut import = Command::new(&python);
    import.args(["-c", "import awscli.clidriver"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let import = WatchedChild::try_start(import).ok()?.output();
    import.status.success().then_some(python)
}

/// A Python script that is started once and handles many requests: one line of JSON in, one line of JSON out.
pub struct JsonLines {
    process: WatchedChild,
    requests: Option<ChildStdin>,
}

impl JsonLines {
    /// The script's path is relative to the project root.
    pub fn start(python: &Path, script: &str, args: &[&Path]) -> Self {
        let mut command = Command::new(python);
        // Without the environment of the user running the tests.
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script)).args(args).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = WatchedChild::start(command);
        let requests = Some(process.take_stdin());
        JsonLines { process, requests }
    }

    pub fn ask(&mut self, request: &Value) -> Value {
        let requests = self.requests.as_mut().expect("it is open until the end");
        writeln!(requests, "{request}").expect("the script reads");
        requests.flush().expect("the script reads");
        let line = self.process.stdout_up_to("\n");
        serde_json::from_str(&line).expect("an answer is a line of JSON")
    }
}

impl Drop for JsonLines {
    fn drop(&mut self) {
        // Closing its input makes it exit.
        self.requests.take();
        self.process.leave();
    }
}

/// An AWS CLI that is started once and called many times.
pub struct AwsCli(JsonLines);

impl AwsCli {
    pub fn start(python: &Path) -> Self {
        // Each call provides the CLI's environment.
        AwsCli(JsonLines::start(python, "tests/support/aws_cli.py", &[]))
    }

    /// `aws` with these arguments, in a plugin's environment and home.
    pub fn call(&mut self, plugin: &Plugin, args: &[&str]) -> Output {
        let text = |text: &std::ffi::OsStr| text.to_str().expect("tests set text").to_owned();
        let set = plugin.environment().iter().map(|(name, value)| (text(name), json!(text(value))));
        // No pager: there is no one to read it.
        let env: serde_json::Map<String, Value> =
            [("AWS_PAGER".to_owned(), json!(""))].into_iter().chain(set).collect();
        let answer = self.0.ask(&json!({"args": args, "env": env}));
        let text = |name: &str| answer[name].as_str().expect("a text").to_owned();
        let code = answer["code"].as_i64().and_then(|code| i32::try_from(code).ok()).expect("an exit code");
        Output { code, stdout: text("stdout"), stderr: text("stderr") }
    }
}
