//! Parse, run, print, exit. Nothing else prints, but `verbose` and the question of `mfa`.

use std::io::Write as _;
use std::process::ExitCode;

use eks_group_auth::cli::plain;
use eks_group_auth::cli::{Command, EksCommand};
use eks_group_auth::commands::cache::cache_command;
use eks_group_auth::commands::token::get_token;
use eks_group_auth::say::error::{Error, Warning};
use eks_group_auth::sys::clock::Clock;
use eks_group_auth::sys::env::{Env, NotUtf8};
use eks_group_auth::sys::limits;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    limits::leave_no_core();
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

/// What is to be printed on stdout.
fn run(warnings: &mut Vec<Warning>) -> Result<String, Error> {
    let cli = match plain::parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(wanted) if wanted.exit_code() == 0 => return Ok(wanted.to_string()),
        Err(error) => return Err(Error::usage(&error)),
    };
    let env = Env::from_process();
    env.check().map_err(|NotUtf8 { variable }| Error::NotUtf8 { variable })?;
    let clock = Clock::of_system();
    match &cli.command {
        Command::Token(args) | Command::Eks(EksCommand::GetToken(args)) => {
            get_token(args, &cli.global, &env, clock, warnings)
        }
        Command::Cache(command) => cache_command(command, &env, clock.now(), warnings),
    }
}

fn print(output: String) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(output.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Stdout)
}

fn report(error: &Error) {
    let _ = std::io::stderr().write_all(error.report().as_bytes());
}
