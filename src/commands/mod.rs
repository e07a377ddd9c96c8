//! One module per subcommand.

/// `eks-group-auth cache`: path, list, clear.
pub mod cache;
/// Errors of the commands.
pub mod error;
/// `eks-group-auth token`: an `ExecCredential` for a cluster.
pub mod token;
/// All input that is read before any decision is made.
pub mod world;

use std::io::Write;

use crate::cli::{Cli, Command, EksCommand};
use crate::say::Say;
use crate::sys::clock::Clock;
use crate::sys::env::Env;
use error::Error;
use world::World;

/// Runs the command. `out` receives the result, `say` everything else.
pub fn run(cli: &Cli, env: Env, clock: Clock, out: &mut dyn Write, say: &Say) -> Result<(), Error> {
    env.check()?;
    match &cli.command {
        Command::Token(args) | Command::Eks(EksCommand::GetToken(args)) => {
            let env = match &cli.global.aws_cli.ca_bundle {
                Some(path) => env.with(crate::sys::vars::AWS_CA_BUNDLE, path),
                None => env,
            };
            token::token(args, &cli.global, &World::read(env, clock)?, out, say)
        }
        Command::Cache(command) => cache::cache(command, &env, clock.now(), out, say),
    }
}
