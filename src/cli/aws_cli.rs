//! AWS CLI options (version 1 or 2) that may appear before or after the subcommand in a kubeconfig written for the AWS
//! CLI.

use clap::Args;

/// Options that have an effect here, or would change the output.
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
    #[command(flatten)]
    pub switches: AwsCliSwitches,

    #[command(flatten)]
    pub settings: AwsCliSettings,
}

/// Flags that are ignored.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct AwsCliSwitches {
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
}

/// Options with a value that are ignored.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct AwsCliSettings {
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
