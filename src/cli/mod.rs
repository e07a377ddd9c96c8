//! The command line: this program's own arguments and those of `aws eks get-token` and `aws-iam-authenticator token`,
//! so that in a kubeconfig written for either, only `command:` has to change. Values are plain strings here; the
//! commands interpret them.

/// Options of the AWS CLI.
pub mod aws_cli;
/// `cache`.
pub mod cache;
/// A fast path that parses the arguments found in kubeconfigs without clap.
pub mod plain;
/// `token`.
pub mod token;

use clap::{Args, Parser, Subcommand};

use aws_cli::AwsCliArgs;
use cache::CacheCommand;
use token::TokenArgs;

#[derive(Debug, PartialEq, Eq, Parser)]
#[command(
    name = "eks-group-auth",
    version,
    about = "kubectl credential plugin for Amazon EKS: assumes the role your IAM group gives you access to",
    after_help = "kubectl calls `eks-group-auth token` through the exec block of your kubeconfig."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Options that may appear before or after the subcommand.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct GlobalArgs {
    /// AWS region of the cluster [default: from kubectl's cluster info, AWS_REGION, or the profile]
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,

    /// Profile in the AWS config files; takes precedence over keys in the environment
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Print each step, and how long it took, to stderr
    #[arg(short, long, global = true)]
    pub verbose: bool,

    #[command(flatten)]
    pub aws_cli: AwsCliArgs,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Print a token for a cluster, as an ExecCredential
    Token(TokenArgs),

    /// Inspect or clear the cache on disk
    #[command(subcommand)]
    Cache(CacheCommand),

    /// The AWS CLI's spelling of `token`: `eks get-token`
    #[command(hide = true, subcommand)]
    Eks(EksCommand),
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum EksCommand {
    /// Print a token for a cluster, as an ExecCredential
    GetToken(TokenArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_clap_definition_is_valid() {
        Cli::command().debug_assert();
    }
}
