//! Parse, run, print, exit. Nothing else prints, but `verbose` and the question of `mfa`.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use eks_group_auth::cli::plain;
use eks_group_auth::cli::{Command, EksCommand};
use eks_group_auth::commands::cache::cache_command;
use eks_group_auth::commands::token::get_token;
use eks_group_auth::say::error::{Error, Warning};
use eks_group_auth::sys::env::Env;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    leave_no_core();
    end_on_panic();
    let mut warnings = Vec::new();
    let outcome = run(&mut warnings);
    for warning in &warnings {
        let _ = writeln!(std::io::stderr(), "{warning}");
    }
    match outcome.and_then(print) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// A panic's own message could hold anything, a secret too; and nothing of it would help a user. The release profile
/// does not unwind, and after a panic nothing is left to do.
fn end_on_panic() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
        let error = Error::Internal(format!("panic at {}", place.unwrap_or_default()));
        report(&error);
        std::process::exit(error.exit_code().into())
    }));
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
    let cli = match plain::parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(wanted) if wanted.exit_code() == 0 => return Ok(wanted.to_string()),
        Err(error) => return Err(Error::usage(&error)),
    };
    let env = Env::from_process();
    env.check()?;
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
