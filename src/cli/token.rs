//! What may be typed after `token`.

use clap::Args;

#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct TokenArgs {
    /// Name of the cluster (of an Outposts local cluster, its id) [default: KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID]
    #[arg(short = 'i', long, visible_aliases = ["cluster-name", "cluster-id"], value_name = "NAME")]
    pub cluster: Option<String>,

    #[command(flatten)]
    pub role: RoleArgs,

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

    #[command(flatten)]
    pub authenticator: AuthenticatorArgs,
}

/// What is said about the role.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct RoleArgs {
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
}

/// Options of aws-iam-authenticator that are passed over.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct AuthenticatorArgs {
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
