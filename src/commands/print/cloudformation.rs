//! `xacct print-cloudformation`.

use super::out::{Form, emit, printed_by};
use super::{only_one, partition, user_arn};
use crate::cli::{PrintCloudformation, TemplateFormat};
use crate::config;
use crate::error::{ExitCode, Result};
use crate::operations::run::Run;
use crate::operations::settle;
use crate::print::cloudformation;

/// The longest template that a request may carry (CloudFormation API reference, `TemplateBody`).
const LONGEST_TEMPLATE: usize = 51_200;

/// Runs the command.
pub fn cloudformation(args: &PrintCloudformation, run: &Run<'_>) -> Result<ExitCode> {
    const COMMAND: &str = "print-cloudformation";
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    let link = only_one(&links, "a template makes one role")?;
    let partition = partition(&links, None, run)?;
    link.check(Some(partition))?;
    let user = user_arn(args.user_arn.as_ref(), partition, link.restrict_to_user, run)?;
    let files = settle::read_policy_files(&links, run)?.remove(&link.name).unwrap_or_default();
    let desired = settle::role(link, &user, partition, &files);
    let external_id = link.external_id.known();
    let template = cloudformation::template(&desired, external_id, &printed_by(COMMAND));
    let (form, text) = match args.format {
        TemplateFormat::Json => (Form::Json, format!("{template:#}")),
        TemplateFormat::Yaml => {
            let file = args.printed.out.as_ref().and_then(|out| out.to_str());
            let file = file.filter(|out| out.chars().all(|c| matches!(c, ' '..='~'))).unwrap_or("role.yaml");
            (Form::Commented, cloudformation::document(&template, &desired, file, external_id))
        }
    };
    if text.len() > LONGEST_TEMPLATE {
        run.console.say("The template is over 51,200 bytes: put it into a bucket and give its URL to CloudFormation");
    }
    emit(COMMAND, form, &text, &args.printed, run)
}
