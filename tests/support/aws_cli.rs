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

/// One AWS CLI that is started once and called many times.
pub struct AwsCli {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl AwsCli {
    pub fn start(python: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/aws_cli.py");
        let mut command = Command::new(python);
        // Nothing of whoever runs the tests: what the CLI is to see comes with each call.
        command.arg(script).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("it was started before");
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        AwsCli { process, requests, answers }
    }

    /// `aws` with these arguments, in a plugin's environment and home.
    pub fn call(&mut self, plugin: &Plugin, args: &[&str]) -> Output {
        let text = |text: &std::ffi::OsStr| text.to_str().expect("tests set text").to_owned();
        let set = plugin.environment().iter().map(|(name, value)| (text(name), json!(text(value))));
        // No pager: nobody reads.
        let env: serde_json::Map<String, Value> =
            [("AWS_PAGER".to_owned(), json!(""))].into_iter().chain(set).collect();
        let request = json!({"args": args, "env": env});
        let requests = self.requests.as_mut().expect("it is open until the end");
        writeln!(requests, "{request}").expect("the AWS CLI reads");
        requests.flush().expect("the AWS CLI reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the AWS CLI answers");
        let answer: Value = serde_json::from_str(&line).expect("an answer is a line of JSON");
        let text = |name: &str| answer[name].as_str().expect("a text").to_owned();
        let code = answer["code"].as_i64().and_then(|code| i32::try_from(code).ok()).expect("an exit code");
        Output { code, stdout: text("stdout"), stderr: text("stderr") }
    }
}

impl Drop for AwsCli {
    fn drop(&mut self) {
        // The end of its requests is the end of it.
        self.requests.take();
        let _ = self.process.wait();
    }
}
