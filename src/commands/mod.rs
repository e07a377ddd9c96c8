//! One story a verb.

/// `eks-group-auth cache`: path, list, clear.
pub mod cache;
/// What can go wrong in a command.
pub mod error;
/// `eks-group-auth token`: an `ExecCredential` for a cluster.
pub mod token;
/// All that is read before anything is decided.
pub mod world;

use std::io::Write;

use crate::cli::{Cli, Command, EksCommand};
use crate::say::Say;
use crate::sys::clock::Clock;
use crate::sys::env::Env;
use error::Error;
use world::World;

/// Does what was asked for. `out` is for the answer, `say` for all else.
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
