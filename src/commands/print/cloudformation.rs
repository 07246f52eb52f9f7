//! `xacct print cloudformation`.

use clap::{Args, ValueEnum};

use super::consumer::{Consumer, account_of, only_one, partition, principals};
use super::out::{Form, emit, printed_by};
use crate::cli::{Printed, valid};
use crate::error::{ExitCode, Result};
use crate::iam::arn::UserArn;
use crate::operations::run::Run;
use crate::operations::settle;
use crate::print::cloudformation;

/// Print the role as a CloudFormation template.
///
/// Parameters hold the values that differ between accounts. Comments show the commands that deploy it to one
/// account, or to an organizational unit as a stack set.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print cloudformation dev --out role.yaml
  xacct print cloudformation dev --format json")]
pub struct Cloudformation {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// Format of the template
    #[arg(long, value_name = "FORMAT", default_value = "yaml")]
    pub format: TemplateFormat,
    /// The user's ARN, if the user has a path (default: the user in xacct.toml)
    #[arg(long, value_name = "ARN", value_parser = valid::<UserArn>)]
    pub user_arn: Option<UserArn>,
}

/// The format of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TemplateFormat {
    /// With comments that show how to deploy it
    Yaml,
    /// Without comments
    Json,
}

/// The maximum size of a template in a request (CloudFormation API reference, `TemplateBody`).
const LONGEST_TEMPLATE: usize = 51_200;

impl Consumer for Cloudformation {
    const NAME: &'static str = "cloudformation";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let mut links = run.links_with_external_ids(&self.printed.targets)?;
        settle::read_trust_statements(&mut links, run)?;
        let link = only_one(&links, "a template can create only one role")?;
        let partition = partition(&links, None, run)?;
        link.check(Some(partition))?;
        let principals = principals(self.user_arn.as_ref(), link, partition, link.restrict_to_user, run)?;
        let source = account_of(&principals, run)?;
        let files = settle::read_policy_files(&links, run)?.remove(&link.name).unwrap_or_default();
        let desired = settle::role(link, &source, &principals, partition, &files);
        let external_id = link.external_id.known();
        let template = cloudformation::template(&desired, external_id, &printed_by::<Self>());
        let (form, text) = match self.format {
            TemplateFormat::Json => (Form::Json, format!("{template:#}")),
            TemplateFormat::Yaml => {
                let file = self.printed.out.as_ref().and_then(|out| out.to_str());
                let file = file.filter(|out| out.chars().all(|c| matches!(c, ' '..='~'))).unwrap_or("role.yaml");
                (Form::Commented, cloudformation::document(&template, &desired, file, external_id))
            }
        };
        if text.len() > LONGEST_TEMPLATE {
            run.console.say(
                "The template is larger than 51,200 bytes: upload it to a bucket and pass its URL to CloudFormation",
            );
        }
        emit::<Self>(form, &text, &self.printed, run)
    }
}
