//! The AWS CLI beside the program: the same files and environment, and whom it finds in them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::plugin::{Output, Plugin};

/// A Python that can `import awscli`: the one of AWS_CLI_PYTHON, else that of the virtual environment which `.ci/run`
/// makes. Without one the caller has nothing to do; with `REQUIRE_AWS_CLI=1` that is a failure.
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
    import.status().ok().filter(std::process::ExitStatus::success).map(|_| python)
}

/// A Python script that is started once and asked many times: a line of JSON in, a line of JSON out.
pub struct JsonLines {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl JsonLines {
    /// The script's path begins at the root of the project.
    pub fn start(python: &Path, script: &str, args: &[&Path]) -> Self {
        let mut command = Command::new(python);
        // Nothing of whoever runs the tests.
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script)).args(args).env_clear();
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it was started before");
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        JsonLines { process, requests, answers }
    }

    pub fn ask(&mut self, request: &Value) -> Value {
        let requests = self.requests.as_mut().expect("it is open until the end");
        writeln!(requests, "{request}").expect("the script reads");
        requests.flush().expect("the script reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the script answers");
        serde_json::from_str(&line).expect("an answer is a line of JSON")
    }
}

impl Drop for JsonLines {
    fn drop(&mut self) {
        // The end of its requests is the end of it.
        self.requests.take();
        let _ = self.process.wait();
    }
}

/// One AWS CLI that is started once and called many times.
pub struct AwsCli(JsonLines);

impl AwsCli {
    pub fn start(python: &Path) -> Self {
        // What the CLI is to see comes with each call.
        AwsCli(JsonLines::start(python, "tests/support/aws_cli.py", &[]))
    }

    /// `aws` with these arguments, in a plugin's environment and home.
    pub fn call(&mut self, plugin: &Plugin, args: &[&str]) -> Output {
        let text = |text: &std::ffi::OsStr| text.to_str().expect("tests set text").to_owned();
        let set = plugin.environment().iter().map(|(name, value)| (text(name), json!(text(value))));
        // No pager: nobody reads.
        let env: serde_json::Map<String, Value> =
            [("AWS_PAGER".to_owned(), json!(""))].into_iter().chain(set).collect();
        let answer = self.0.ask(&json!({"args": args, "env": env}));
        let text = |name: &str| answer[name].as_str().expect("a text").to_owned();
        let code = answer["code"].as_i64().and_then(|code| i32::try_from(code).ok()).expect("an exit code");
        Output { code, stdout: text("stdout"), stderr: text("stderr") }
    }
}
