//! What may be typed, in all its spellings: this program's own, and those of `aws eks get-token` and
//! `aws-iam-authenticator token`, so that in a kubeconfig made for either only `command:` need change.
//! Values are strings here; `request` says what they mean.

pub mod plain;

use clap::{Args, Parser, Subcommand};

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

/// Options of the AWS CLI, of version 1 or 2, that may stand before or after the verb of a kubeconfig made for it. What
/// becomes of them is said in `request`; those that it never asks for are passed over.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct AwsCliArgs {
    #[arg(long, global = true, hide = true)]
    pub output: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub query: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub ca_bundle: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub endpoint_url: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub no_verify_ssl: bool,
    #[arg(long, global = true, hide = true)]
    pub no_sign_request: bool,
    #[arg(long, global = true, hide = true)]
    pub debug: bool,
    #[arg(long, global = true, hide = true)]
    pub v2_debug: bool,
    #[arg(long, global = true, hide = true)]
    pub no_paginate: bool,
    #[arg(long, global = true, hide = true)]
    pub no_cli_pager: bool,
    #[arg(long, global = true, hide = true)]
    pub cli_auto_prompt: bool,
    #[arg(long, global = true, hide = true)]
    pub no_cli_auto_prompt: bool,
    #[arg(long, global = true, hide = true)]
    pub color: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub cli_read_timeout: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub cli_connect_timeout: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub cli_binary_format: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub cli_error_format: Option<String>,
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
pub enum CacheCommand {
    /// Print the directory that entries are kept in
    Path,
    /// List entries: kind, cluster, role, whose credentials, end, size; no secrets
    List,
    /// Remove all entries; this revokes nothing at AWS
    Clear {
        /// Only those that are over or damaged
        #[arg(long)]
        expired: bool,
    },
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum EksCommand {
    /// Print a token for a cluster, as an ExecCredential
    GetToken(TokenArgs),
}

#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct TokenArgs {
    /// Name of the cluster (of an Outposts local cluster, its id) [default: KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID]
    #[arg(short = 'i', long, visible_aliases = ["cluster-name", "cluster-id"], value_name = "NAME")]
    pub cluster: Option<String>,

    /// Role to assume; given several times, the first that you may assume; without it your own identity signs
    #[arg(short, long, visible_alias = "role-arn", value_name = "ARN")]
    pub role: Vec<String>,

    /// Name of the role session, seen in the cluster's audit log; may hold {user} and {account} [default: {user}]
    #[arg(short, long, value_name = "NAME")]
    pub session_name: Option<String>,

    /// Source identity of the role session; may hold {user} and {account}
    #[arg(long, value_name = "NAME")]
    pub source_identity: Option<String>,

    /// Your MFA device, where the role asks for a code [default: mfa_serial of the profile]
    #[arg(long, value_name = "ARN")]
    pub mfa_serial: Option<String>,

    /// External id that the role's trust policy asks for
    #[arg(short, long, value_name = "ID")]
    pub external_id: Option<String>,

    /// Life of the role session in seconds, 900 to 43200 [default: 3600; with MFA the role's longest]
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<String>,

    /// Print the bare token instead of an ExecCredential
    #[arg(long)]
    pub token_only: bool,

    /// What may be kept on disk [default: all; also EKS_GROUP_AUTH_CACHE]
    // aws-iam-authenticator's `--cache` takes no value.
    #[arg(long, value_name = "all|token|off", num_args = 0..=1, default_missing_value = "all")]
    pub cache: Option<String>,

    /// Ask AWS anew, whatever is cached
    #[arg(long)]
    pub refresh: bool,

    /// aws-iam-authenticator's; your own session name is always forwarded
    #[arg(long, hide = true)]
    pub forward_session_name: bool,

    /// aws-iam-authenticator's; passed over
    #[arg(short, long, hide = true)]
    pub log_format: Option<String>,

    /// aws-iam-authenticator's; passed over
    #[arg(long, hide = true)]
    pub feature_gates: Option<String>,
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
