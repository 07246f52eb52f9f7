//! `xacct print-terragrunt-hcl`.

use super::out::{Form, emit};
use super::provider::region;
use super::{access, only_one, warn_of_mfa};
use crate::cli::PrintTerragruntHcl;
use crate::commands::Run;
use crate::config;
use crate::error::{Error, ExitCode, Result};
use crate::print::backend::check_bucket;
use crate::print::terragrunt::{self, Names};

/// Runs the command.
pub fn terragrunt_hcl(args: &PrintTerragruntHcl, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    let link = only_one(&links, "a unit of Terragrunt assumes one role")?;
    let names = args.terragrunt_version.as_deref().map_or(Ok(Names::Both), str::parse)?;
    args.bucket.as_deref().map_or(Ok(()), check_bucket)?;
    let region = region(args.region.as_ref(), link, run)?;
    let access = access(link, region.as_ref(), args.duration, run)?;
    if args.terragrunt_version.as_deref() == Some("1.1.1") {
        run.console.say("Terragrunt 1.1.1 lets a role assume itself, which fails; use 1.1.2 or later");
    }
    let text = if terragrunt::can_assume(&access) {
        if args.bucket.is_some() {
            return Err(Error::usage(format!(
                "Terragrunt assumes the role of target `{}` by itself, for the state too",
                link.name
            ))
            .hint("leave out --bucket, and name the bucket in remote_state without assume_role"));
        }
        run.console.say(
            "Leave assume_role out of providers and of remote_state: the role would have to assume itself, which it may not",
        );
        terragrunt::assuming(&access, names)
    } else {
        let what = if access.needs_mfa { "MFA" } else { "an external ID" };
        run.console.say(&format!(
            "Target {} demands {what}, which Terragrunt's iam_role cannot give: this lets Terraform assume the role instead",
            link.name
        ));
        if args.bucket.is_none() {
            run.console.say("For the state too, name its bucket: --bucket BUCKET");
        }
        if access.needs_mfa {
            warn_of_mfa("Terraform", &link.name, &access.role, run);
        }
        terragrunt::generating(&access, args.bucket.as_deref())?
    };
    emit("print-terragrunt-hcl", Form::Commented, &text, &args.printed, run)
}
