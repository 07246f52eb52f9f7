//! What `xacct exec` and `xacct credentials` take.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::{RequestOptions, UserOptions};

/// What `xacct exec` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct exec -- terraform plan
  xacct exec dev --duration 4h -- aws s3 ls
  xacct exec dev -- bash

The command does not see AWS_PROFILE and other variables that would win over the
session, nor XACCT_MFA_CODE. Its exit code is passed on: 128 and the signal if
one ended it, 127 if there is no such command, 126 if it cannot be run.

A signal to xacct is passed on to the command; Ctrl-C reaches it by itself. What
another program sends to the whole process group arrives twice, because nothing
tells it from a signal to xacct alone, and Terraform gives up at the second: use
timeout --foreground, and send signals to xacct, not to its group.")]
pub struct Exec {
    /// The target, by name in xacct.toml or account ID (default: the only one)
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// The command and its arguments, after `--`
    #[arg(value_name = "COMMAND", last = true, required = true, num_args = 1..)]
    pub command: Vec<OsString>,
    /// Which session.
    #[command(flatten)]
    pub session: SessionOptions,
}

/// What `xacct credentials` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  In the AWS config file, for every AWS tool:
    [profile dev]
    credential_process = /usr/local/bin/xacct --config /home/me/xacct.toml credentials dev
  In a shell:
    eval \"$(xacct credentials dev --format env)\"
    xacct credentials dev --format fish | source
  For Terragrunt:
    TG_AUTH_PROVIDER_CMD='xacct credentials dev --format terragrunt'
  Forget every session that is kept:
    xacct credentials --forget")]
pub struct Credentials {
    /// The target, by name in xacct.toml or account ID (default: the only one)
    #[arg(value_name = "TARGET", conflicts_with_all = ["session_token", "forget"])]
    pub target: Option<String>,
    /// The form of the credentials
    #[arg(long, value_name = "FORMAT", default_value = "process")]
    pub format: Format,
    /// The user's own session in place of the role's: GetSessionToken, with MFA if the user has a device
    #[arg(long)]
    pub session_token: bool,
    /// Remove every session that is kept, and print nothing
    #[arg(long, conflicts_with = "session_token")]
    pub forget: bool,
    /// Which session.
    #[command(flatten)]
    pub session: SessionOptions,
}

/// Whose session of which kind is opened.
#[derive(Debug, Clone, Args)]
pub struct SessionOptions {
    /// AWS profile to fall back on where no user profile is known
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE", help_heading = "Credentials")]
    pub profile: Option<String>,
    /// Keep the role's session, too, and use a kept one
    #[arg(long, help_heading = "Credentials")]
    pub cache: bool,
    /// As whom, where and with what.
    #[command(flatten)]
    pub user: UserOptions,
    /// What the request has besides.
    #[command(flatten)]
    pub request: RequestOptions,
}

/// The forms of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// credential_process in the AWS config file
    Process,
    /// sh, bash and zsh
    Env,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
    /// One JSON document
    Json,
    /// What Terragrunt's --auth-provider-cmd reads
    Terragrunt,
}
