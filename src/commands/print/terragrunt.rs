//! `xacct print-terragrunt-hcl`.

use super::out::{Form, emit};
use super::{access, only_one, region, warn_of_mfa, warn_of_own_role};
use crate::cli::PrintTerragruntHcl;
use crate::config;
use crate::error::{Error, ExitCode, Result};
use crate::operations::run::Run;
use crate::print::backend::check_bucket;
use crate::print::terragrunt::{self, Names, Version};

/// Runs the command.
pub fn terragrunt_hcl(args: &PrintTerragruntHcl, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    let link = only_one(&links, "a unit of Terragrunt assumes one role")?;
    let version: Option<Version> = args.terragrunt_version.as_deref().map(str::parse).transpose()?;
    if let Some((version, known)) = version.and_then(|version| Some((version, version.as_known()?))) {
        run.console.say(&format!("{version} is newer than xacct knows: printed as for {known}"));
    }
    args.bucket.as_deref().map_or(Ok(()), check_bucket)?;
    let region = region(args.region.as_ref(), link, run)?;
    let access = access(link, region.as_ref(), args.duration, run)?;
    if version.is_some_and(Version::has_a_role_assume_itself) {
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
            "Leave assume_role out of providers and of remote_state, and run Terragrunt with the user's own credentials: the role \
             would have to assume itself, which it may not",
        );
        terragrunt::assuming(&access, version.map_or(Names::Both, Version::names))
    } else {
        let what = if access.needs_mfa { "MFA" } else { "an external ID" };
        run.console.say(&format!(
            "Target {} demands {what}, which Terragrunt's iam_role cannot give: this lets Terraform assume the role instead",
            link.name
        ));
        if args.bucket.is_some() && access.region.is_none() {
            return Err(Error::usage("the region of the bucket is not known, and Terragrunt demands it")
                .hint("give it: --region REGION"));
        }
        if args.bucket.is_none() {
            run.console.say("For the state too, name its bucket: --bucket BUCKET");
        }
        if access.needs_mfa {
            warn_of_mfa("Terraform", &link.name, run);
        }
        warn_of_own_role("Terragrunt", run);
        terragrunt::generating(&access, args.bucket.as_deref())?
    };
    emit("print-terragrunt-hcl", Form::Commented, &text, &args.printed, run)
}
