//! The arguments of `xacct verify`.

use clap::Args;

use crate::cli::{FailOptions, ProofOptions, RedactOption, RefusalOptions, ReportFiles, ReportOptions, valid};
use crate::iam::arn::PrincipalRef;

/// Test that a link works and rejects what it should.
///
/// Tests as the user, never as an administrator. Assumes the role, creates a bucket in the target account, checks its
/// owner, and deletes it. Then sends requests that the role must deny: without external ID, with a wrong one, without MFA.
/// Also reads the trust policy to find out who else may assume the role.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct verify
  xacct verify dev --user-profile alice
  xacct verify 222222222222 --mfa-code 123456
  xacct verify --probe identity --output json
  xacct verify --fail-on broken,open
  Evaluate the link for another principal of it:
    xacct verify prod --as role/ci/terraform
  Prove that somebody else does not get in:
    xacct verify prod --must-refuse --user-profile dev")]
pub struct Verify {
    /// Targets, by name in xacct.toml or account ID (default: XACCT_TARGET, else all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// AWS profile used if no user profile is set
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE")]
    pub profile: Option<String>,
    /// Prove that AWS denies the role to these credentials, whoever they belong to
    ///
    /// Sends AssumeRole as a user of the link would, with its external ID, and nothing else. The credentials are those of
    /// --user-profile or --profile, or else of the usual credential chain. Exits with 0 if AWS denies the request, with 3
    /// if it does not, and with 5 if AWS's answer is no decision.
    #[arg(long, conflicts_with_all = ["bucket_tag", "bucket_namespace", "refusals"])]
    pub must_refuse: bool,
    /// Evaluate the links for this principal instead, without its credentials: user/NAME, group/NAME, role/PATH/NAME, permission-set/NAME or an ARN
    ///
    /// Reads the policies of both accounts with the operators' credentials, and tests nothing. Exits with 3 if the policies
    /// do not allow it. If they do, exits with 5, because an evaluation is no proof.
    #[arg(long = "as", value_name = "PRINCIPAL", value_parser = valid::<PrincipalRef>, conflicts_with_all = ["must_refuse", "bucket_tag", "bucket_namespace", "refusals"])]
    pub as_principal: Option<PrincipalRef>,
    /// What counts as a failure.
    #[command(flatten)]
    pub fail: FailOptions,
    /// How often requests that must be denied are sent.
    #[command(flatten)]
    pub refusals: RefusalOptions,
    /// Options of the proof.
    #[command(flatten)]
    pub proof: ProofOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
    /// Reports in further formats.
    #[command(flatten)]
    pub files: ReportFiles,
    /// Whether to hide account IDs.
    #[command(flatten)]
    pub redact: RedactOption,
}
