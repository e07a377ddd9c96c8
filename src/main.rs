//! Parse, run, print, exit.

use std::io::Write as _;
use std::process::ExitCode;

use eks_group_auth::cli::plain;
use eks_group_auth::commands::error::Error;
use eks_group_auth::commands::run;
use eks_group_auth::say::Say;
use eks_group_auth::say::explain::{Explain as _, Explanation};
use eks_group_auth::sys::clock::Clock;
use eks_group_auth::sys::{limits, this_process};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    limits::disable_core_dumps();
    install_panic_hook();
    match run_command().and_then(|answer| print(&answer)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let explanation = error.explain();
            report(&explanation);
            ExitCode::from(explanation.exit.code())
        }
    }
}

/// A panic message could contain anything, even a secret, and would not help the user. The release profile does not
/// unwind, and there is nothing left to do after a panic.
fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
        let explanation = Explanation::bug(&format!("panic at {}", place.unwrap_or_default()));
        report(&explanation);
        std::process::exit(explanation.exit.code().into())
    }));
}

/// Returns what to print to stdout; everything else has already been printed.
fn run_command() -> Result<Vec<u8>, Error> {
    let cli = match plain::parse(this_process::arguments()) {
        Ok(cli) => cli,
        Err(wanted) if wanted.exit_code() == 0 => return Ok(wanted.to_string().into_bytes()),
        Err(error) => return Err(error.into()),
    };
    let clock = Clock::system();
    let say = Say::new(cli.global.verbose, clock);
    let mut out = Vec::new();
    let outcome = run(&cli, this_process::environment(), clock, &mut out, &say);
    say.print_warnings();
    outcome.map(|()| out)
}

fn print(answer: &[u8]) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(answer).and_then(|()| stdout.flush()).map_err(Error::Stdout)
}

fn report(explanation: &Explanation) {
    let _ = std::io::stderr().write_all(explanation.report().as_bytes());
}
