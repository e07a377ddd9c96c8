//! Arguments of `token`.

use clap::Args;

#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct TokenArgs {
    /// Cluster name, or cluster id for an Outposts local cluster [env: KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID]
    #[arg(short = 'i', long, visible_aliases = ["cluster-name", "cluster-id"], value_name = "NAME")]
    pub cluster: Option<String>,

    #[command(flatten)]
    pub role: RoleArgs,

    /// Print the bare token instead of an ExecCredential
    #[arg(long)]
    pub token_only: bool,

    /// What to cache on disk [default: all] [env: EKS_GROUP_AUTH_CACHE]
    // In aws-iam-authenticator, `--cache` takes no value.
    #[arg(long, value_name = "all|token|off", num_args = 0..=1, default_missing_value = "all")]
    pub cache: Option<String>,

    /// Ignore cached entries and ask AWS again
    #[arg(long)]
    pub refresh: bool,

    #[command(flatten)]
    pub authenticator: AuthenticatorArgs,
}

/// Options for the role.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct RoleArgs {
    /// Role to assume; if repeated, the first one you are allowed to assume is used; if omitted, your own identity
    /// signs, or the profile's role
    #[arg(short, long, visible_alias = "role-arn", value_name = "ARN")]
    pub role: Vec<String>,

    /// Role session name, shown in the cluster's audit log; may contain {user} and {account} [default: {user}]
    #[arg(short, long, value_name = "NAME")]
    pub session_name: Option<String>,

    /// Source identity of the role session; may contain {user} and {account}
    #[arg(long, value_name = "NAME")]
    pub source_identity: Option<String>,

    /// Your MFA device, if the role requires MFA [default: mfa_serial from the profile]
    #[arg(long, value_name = "ARN")]
    pub mfa_serial: Option<String>,

    /// External id required by the role's trust policy
    #[arg(short, long, value_name = "ID")]
    pub external_id: Option<String>,

    /// Duration of the role session in seconds, 900 to 43200 [default: 3600; with MFA, the role's maximum]
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<String>,
}

/// aws-iam-authenticator options that are ignored.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct AuthenticatorArgs {
    /// For compatibility with aws-iam-authenticator; your session name is always forwarded
    #[arg(long, hide = true)]
    pub forward_session_name: bool,

    /// For compatibility with aws-iam-authenticator; ignored
    #[arg(short, long, hide = true)]
    pub log_format: Option<String>,

    /// For compatibility with aws-iam-authenticator; ignored
    #[arg(long, hide = true)]
    pub feature_gates: Option<String>,
}
