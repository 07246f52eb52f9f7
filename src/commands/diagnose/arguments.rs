//! The arguments of `xacct diagnose`.

use std::path::PathBuf;

use clap::Args;

use super::permission;
use super::typed::Typed;
use crate::cli::{ReportFiles, ReportOptions, RequestOptions, UserOptions, valid};
use crate::iam::arn::PrincipalRef;

/// Find out which side of a link is wrong, and how to fix it.
///
/// AWS reports most failures with the same AccessDenied. diagnose tries to assume the role as the user, reads both halves
/// with the operators' credentials, and evaluates the policies as AWS does. It changes nothing. verify and bootstrap show
/// the same diagnosis for a link that does not work.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct diagnose
  xacct diagnose dev --user-profile alice
  Find out why AWS denies a tool's request:
    xacct diagnose dev --duration 4h --session-tag project=x
  Find out what an error of another tool means:
    xacct diagnose dev --message \"$(cat error.txt)\"
  Find out whether another principal may assume the role:
    xacct diagnose dev --as role/ci/terraform
  Find out whether sessions of the role may do something:
    xacct diagnose dev --action sns:CreateTopic
  Save what one account shows, and add what the other one shows:
    xacct diagnose dev --save-facts facts.json
    xacct diagnose --facts facts.json --target-profile ops
  Save the facts for a bug report, and replay them offline:
    xacct diagnose dev --save-facts facts.json --redact
    xacct diagnose --facts facts.json")]
pub struct Diagnose {
    /// Which options were typed. It must be the first field: parsing another one takes it from clap's matches.
    #[command(flatten)]
    pub typed: Typed,
    /// The target, by name in xacct.toml or account ID (default: XACCT_TARGET, else all)
    #[arg(value_name = "TARGET", conflicts_with = "facts")]
    pub target: Option<String>,
    /// Evaluate instead whether sessions of the role may perform this action, such as sns:CreateTopic
    ///
    /// Reads the role's policies and its permissions boundary with the target operator's credentials, and sends no request
    /// for the action. Exits with 0 if they allow it, with 3 if not, and with 5 if that depends on what xacct does not
    /// know.
    #[arg(long, value_name = "ACTION", value_parser = permission::action, conflicts_with_all = ["facts", "save_facts", "duration", "report"])]
    pub action: Option<String>,
    /// The resource of that action (default: every resource)
    #[arg(long, value_name = "ARN", value_parser = permission::resource, requires = "action")]
    pub resource: Option<String>,
    /// Evaluate the link for this principal, without its credentials: user/NAME, group/NAME, role/PATH/NAME, permission-set/NAME or an ARN
    ///
    /// Reads the principal's policies with the source operator's credentials and the role with the target operator's, and
    /// sends no request as the principal: the result is an evaluation, not a proof. Exits with 0 if the policies allow it,
    /// with 3 if not, and with 5 if that depends on what xacct could not read.
    #[arg(long = "as", value_name = "PRINCIPAL", value_parser = valid::<PrincipalRef>, conflicts_with_all = ["facts", "action"])]
    pub as_principal: Option<PrincipalRef>,
    /// Diagnose this error message of another tool, such as the AWS CLI or Terraform
    ///
    /// Takes AWS's answer and the caller from the message, and reads both halves with the operators' credentials. Sends no
    /// request as the caller. Also explains answers to changes of policies and permission sets.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["facts", "action"])]
    pub message: Option<String>,
    /// Diagnose from a saved facts file: offline, or with credentials that add what it lacks
    ///
    /// --profile reads the source account, --target-profile the target account, and --user-profile tests the link of
    /// xacct.toml again. xacct keeps everything in the file that it does not read again. Without one of these
    /// options it sends no requests, whatever variables and xacct.toml set.
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// Save the facts to this file; it contains no secrets
    #[arg(long, value_name = "FILE", group = "redactable")]
    pub save_facts: Option<PathBuf>,
    /// Replace account IDs with placeholders in that file, and in reports
    #[arg(long, requires = "redactable")]
    pub redact: bool,
    /// AWS profile of the operator in the source account (default: from xacct.toml, else the usual credential chain)
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE", help_heading = "Credentials")]
    pub profile: Option<String>,
    /// AWS profile of the operator in the target account (default: from xacct.toml)
    #[arg(long, value_name = "NAME", env = "XACCT_TARGET_PROFILE", help_heading = "Credentials")]
    pub target_profile: Option<String>,
    /// User, Region and MFA.
    #[command(flatten)]
    pub user: UserOptions,
    /// Optional parameters of the AssumeRole request.
    #[command(flatten)]
    pub request: RequestOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
    /// Reports in further formats.
    #[command(flatten)]
    pub files: ReportFiles,
}
