//! What may be typed, in all its spellings: this program's own, and those of `aws eks get-token` and
//! `aws-iam-authenticator token`, so that in a kubeconfig made for either only `command:` need change.
//! Values are strings here; what they mean is for the commands to say.

/// Options of the AWS CLI.
pub mod aws_cli;
/// `cache`.
pub mod cache;
/// The arguments that kubeconfigs hold, understood without clap.
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
    about = "kubectl credential plugin for Amazon EKS: assumes the role that your IAM group permits",
    after_help = "kubectl calls `eks-group-auth token` through the exec block of your kubeconfig."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Options that may stand before or after the verb.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct GlobalArgs {
    /// AWS region of the cluster [default: from kubectl's cluster info, AWS_REGION, or the profile]
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,

    /// Profile in the AWS config files; comes before keys in the environment
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Say on stderr what is done, and how long each step takes
    #[arg(short, long, global = true)]
    pub verbose: bool,

    #[command(flatten)]
    pub aws_cli: AwsCliArgs,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Print a token for a cluster, as an ExecCredential
    Token(TokenArgs),

    /// Look at or clear what is kept on disk
    #[command(subcommand)]
    Cache(CacheCommand),

    /// The AWS CLI's spelling: `eks get-token`
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
    fn clap_finds_no_fault_with_the_definition() {
        Cli::command().debug_assert();
    }
}
