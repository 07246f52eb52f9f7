//! `xacct print terragrunt-hcl`.

use clap::Args;

use super::consumer::{
    Consumer, access, narrow, only_one, own_credentials, region, warn_of_mfa, warn_of_own_role, without_prompt,
};
use super::out::{Form, emit};
use crate::cli::{Printed, ToolOptions, valid};
use crate::error::{Error, ExitCode, Result};
use crate::iam::names::{Region, SessionDuration};
use crate::operations::run::Run;
use crate::print::backend::check_bucket;
use crate::print::terragrunt::{self, Names, Version};
use crate::print::versions::Argument;
use crate::text::shell::{ShellCommand, quoted};

/// Print Terragrunt settings that use a link.
///
/// With iam_role, Terragrunt assumes the role itself, but supports neither an external ID nor MFA. For a link that
/// requires either, prints a generated provider and, with --bucket, remote_state.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print terragrunt-hcl dev
  xacct print terragrunt-hcl dev --bucket my-state --out root.hcl")]
pub struct TerragruntHcl {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// Whose credentials the tool uses.
    #[command(flatten)]
    pub tool: ToolOptions,
    /// Print settings for this version (default: settings that every version accepts)
    #[arg(long, value_name = "VERSION")]
    pub terragrunt_version: Option<String>,
    /// Bucket for the state, if the link requires an external ID or MFA
    #[arg(long, value_name = "BUCKET")]
    pub bucket: Option<String>,
    /// Region of the provider and of the bucket (default: the target's in xacct.toml, else AWS_REGION)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// How long sessions last, 15m to 12h (default: the role's limit)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>)]
    pub duration: Option<SessionDuration>,
}

impl Consumer for TerragruntHcl {
    const NAME: &'static str = "terragrunt-hcl";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let mut links = run.links_with_external_ids(&self.printed.targets)?;
        narrow(&mut links, &self.tool)?;
        let link = only_one(&links, "a Terragrunt unit can assume only one role")?;
        let version: Option<Version> = self.terragrunt_version.as_deref().map(str::parse).transpose()?;
        if let Some((version, known)) = version.and_then(|version| Some((version, version.as_known()?))) {
            run.console.say(&format!(
                "{version} is newer than the versions that xacct supports: printed the settings for {known}"
            ));
        }
        self.bucket.as_deref().map_or(Ok(()), check_bucket)?;
        let region = region(self.region.as_ref(), link, run)?;
        let access = access(link, region.as_ref(), without_prompt(self.duration, link)?, run)?;
        if version.is_some_and(Version::has_a_role_assume_itself) {
            run.console
                .say("Terragrunt 1.1.1 has a bug: the role tries to assume itself, which fails. Use 1.1.2 or later");
        }
        let text = if terragrunt::can_assume(&access) {
            if self.bucket.is_some() {
                return Err(Error::usage(format!(
                    "Terragrunt itself assumes the role of target `{}`, also to access the state",
                    link.name
                ))
                .hint("omit --bucket, and configure the bucket in remote_state without assume_role"));
            }
            run.console.say(&format!(
                "Don't use assume_role in providers or remote_state, and run Terragrunt with {}: a role cannot assume itself",
                own_credentials(&link.principals)
            ));
            terragrunt::assuming(&access, version.map_or(Names::Both, Version::names))
        } else {
            let what = if access.needs_mfa {
                "MFA"
            } else if access.external_id.is_some() {
                "an external ID"
            } else {
                "session tags or a source identity"
            };
            run.console.say(&format!(
                "Target {} requires {what}, which Terragrunt's iam_role does not support: with these settings Terraform \
                 assumes the role instead",
                link.name
            ));
            if self.bucket.is_some() && access.region.is_none() {
                return Err(Error::usage("the Region of the bucket is unknown, and Terragrunt requires it")
                    .hint("set it: --region REGION"));
            }
            if let (Some(version), true) = (version, self.bucket.is_some()) {
                version
                    .versions()
                    .require(Argument::RemoteStateRole, ", or omit --bucket and configure the state yourself")?;
                let has_attributes = !access.session_tags.is_empty() || access.source_identity.is_some();
                if has_attributes && !version.versions().have(Argument::RemoteStateRoleInFull) {
                    run.console.say(
                        "Before 0.75.3, Terragrunt's own requests to the bucket have neither session tags nor a source \
                         identity: if the role requires them, create the bucket first",
                    );
                }
            }
            if self.bucket.is_none() {
                run.console.say("To print remote_state too, specify the bucket: --bucket BUCKET");
            }
            if access.needs_mfa {
                warn_of_mfa("Terraform", &link.name, run);
            }
            warn_of_own_role("Terragrunt", Some(link), run);
            let has_several = run.file.targets.len() > 1;
            let note = match has_several {
                true => format!(
                    "Each unit uses the target that its directory, or one above it, is named after. If all units work in {0}, \
                     use {0} in place of --target-from-directory; see `xacct help sessions`",
                    link.name
                ),
                false => "See `xacct help sessions`".to_owned(),
            };
            let target = (!has_several).then_some(link.name.as_str());
            run.console.say(&format!(
                "Instead of these settings, Terragrunt can get the session from xacct:\n  export TG_AUTH_PROVIDER_CMD={}\n{note}",
                quoted(&auth_provider(target, run).to_string())
            ));
            terragrunt::generating(&access, self.bucket.as_deref())?
        };
        emit::<Self>(Form::Commented, &text, &self.printed, run)
    }
}

/// Returns the command for `TG_AUTH_PROVIDER_CMD`; without a target, the directory of a unit decides. Terragrunt runs it in
/// the directory of each unit, and several times.
fn auth_provider(target: Option<&str>, run: &Run<'_>) -> ShellCommand {
    let config = run.context.directory.join(&run.file.path);
    let xacct = ShellCommand::new("xacct").option("--config", config.display()).arg("credentials");
    let xacct = match target {
        Some(target) => xacct.arg(target),
        None => xacct.flag("--target-from-directory"),
    };
    xacct.flag("--cache").option("--format", "terragrunt")
}
