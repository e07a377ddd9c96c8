//! Parse, run, print, exit. Nothing else prints.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser as _;
use eks_group_auth::cache_command::cache_command;
use eks_group_auth::cli::{Cli, Command, EksCommand};
use eks_group_auth::env::Env;
use eks_group_auth::error::{Error, Warning};
use eks_group_auth::get_token::get_token;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn main() -> ExitCode {
    leave_no_core();
    // A panic's own message could hold anything, a secret too; and nothing of it would help a user.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
        report(&Error::Internal(format!("panic at {}", place.unwrap_or_default())));
    }));
    let mut warnings = Vec::new();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&mut warnings)));
    for warning in &warnings {
        let _ = writeln!(std::io::stderr(), "{warning}");
    }
    match outcome.map(|output| output.and_then(print)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
        Err(_already_reported) => ExitCode::FAILURE,
    }
}

/// A core file would hold what this process knows. The limit alone does not keep the kernel from piping it to a program.
fn leave_no_core() {
    let core = getrlimit(Resource::Core);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..core });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// What is to be printed on stdout.
fn run(warnings: &mut Vec<Warning>) -> Result<String, Error> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wanted) if wanted.exit_code() == 0 => return Ok(wanted.to_string()),
        Err(error) => return Err(Error::usage(&error)),
    };
    let env = Env::from_process();
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    let clock = SystemTime::now;
    match &cli.command {
        Command::Token(args) | Command::Eks(EksCommand::GetToken(args)) => {
            get_token(args, &cli.global, &env, clock, warnings)
        }
        Command::Cache(command) => cache_command(command, &env, clock(), warnings),
    }
}

fn print(output: String) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(output.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Stdout)
}

fn report(error: &Error) {
    let _ = std::io::stderr().write_all(error.report().as_bytes());
}
