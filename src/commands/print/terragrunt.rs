//! `xacct print terragrunt-hcl`.

use clap::Args;

use super::consumer::{
    Consumer, access, narrow, only_one, own_credentials, region, warn_of_mfa, warn_of_own_role, without_prompt,
};
use super::out::{Form, emit};
use crate::cli::{Printed, ToolOptions, valid};
use crate::config::Link;
use crate::error::{Error, ExitCode, Result};
use crate::iam::names::{Region, SessionDuration};
use crate::operations::run::Run;
use crate::print::Access;
use crate::print::backend::check_bucket;
use crate::print::terragrunt::{self, Names, State, Version};
use crate::print::versions::Argument;
use crate::text::shell::{ShellCommand, quoted};

/// Print Terragrunt settings that use a link.
///
/// With iam_role, Terragrunt assumes the role itself, but supports neither an external ID nor MFA. For a link that
/// requires either, prints a generated provider and, with --bucket, remote_state, with which Terraform assumes the role.
/// With --auth-provider-cmd, the settings assume no role, because xacct opens the session.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print terragrunt-hcl dev
  xacct print terragrunt-hcl dev --bucket my-state --out root.hcl
  In a pipeline, for every link:
    xacct print terragrunt-hcl dev --bucket my-state --auth-provider-cmd")]
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
    /// Bucket for the state; Terragrunt creates it
    #[arg(long, value_name = "BUCKET")]
    pub bucket: Option<String>,
    /// Print settings without a role, for Terragrunt's --auth-provider-cmd or xacct exec
    #[arg(long)]
    pub auth_provider_cmd: bool,
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
        let text = if self.auth_provider_cmd {
            self.handed_over(link, &access, version, run)?
        } else if terragrunt::can_assume(&access) {
            self.assumed(link, &access, version, run)?
        } else {
            self.generated(link, &access, version, run)?
        };
        emit::<Self>(Form::Commented, &text, &self.printed, run)
    }
}

impl TerragruntHcl {
    fn state<'a>(&'a self, access: &'a Access) -> Result<Option<State<'a>>> {
        let Some(bucket) = &self.bucket else { return Ok(None) };
        let region = access.region.as_ref().ok_or_else(|| {
            Error::usage("the Region of the bucket is unknown, and Terragrunt requires it")
                .hint("set it: --region REGION")
        })?;
        Ok(Some(State { bucket, region }))
    }

    /// Returns settings for a session that xacct opens.
    fn handed_over(&self, link: &Link, access: &Access, version: Option<Version>, run: &Run<'_>) -> Result<String> {
        version.map_or(Ok(()), |version| {
            version.versions().require(Argument::AuthProviderCmd, ", or run it in xacct exec")
        })?;
        if link.require_mfa {
            run.console.say(&format!(
                "Target {} requires MFA, and Terragrunt cannot prompt for a code. Open an MFA session first:\n  {}",
                link.name,
                run.file.xacct().args(["exec", &link.name]).option("--duration", "1h").command(["true"])
            ));
        }
        self.tell_auth_provider("Terragrunt gets the session from xacct", link, version, run);
        Ok(terragrunt::handed_over(access, self.state(access)?))
    }

    /// Returns settings with which Terragrunt assumes the role.
    fn assumed(&self, link: &Link, access: &Access, version: Option<Version>, run: &Run<'_>) -> Result<String> {
        if version.is_some_and(Version::has_a_role_assume_itself) {
            run.console
                .say("Terragrunt 1.1.1 has a bug: the role tries to assume itself, which fails. Use 1.1.2 or later");
        }
        run.console.say(&format!(
            "Don't use assume_role in providers or remote_state, and run Terragrunt with {}: a role cannot assume itself",
            own_credentials(&link.principals)
        ));
        Ok(terragrunt::assuming(access, version.map_or(Names::Both, Version::names), self.state(access)?))
    }

    /// Returns settings with which Terraform assumes the role.
    fn generated(&self, link: &Link, access: &Access, version: Option<Version>, run: &Run<'_>) -> Result<String> {
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
        let state = self.state(access)?;
        let may_lack_role = version.is_none_or(|version| !version.versions().have(Argument::RemoteStateRoleWithKeys));
        if state.is_some() {
            check_remote_state(access, version)?;
            if !access.session_tags.is_empty() || access.source_identity.is_some() {
                run.console.say(
                    "Terragrunt's own requests to the bucket have neither session tags nor a source identity: if the role \
                     requires them, create the bucket first, or use --auth-provider-cmd",
                );
            }
            if may_lack_role {
                run.console.say(
                    "Terragrunt 0.86.3 to 1.1.0 sends its own requests to the bucket without the role if AWS_ACCESS_KEY_ID \
                     is set (CI, aws-vault exec, MFA sessions), and may create the bucket in the source account: then use \
                     --auth-provider-cmd",
                );
            }
        } else {
            run.console.say("To print remote_state too, specify the bucket: --bucket BUCKET");
        }
        if access.needs_mfa {
            warn_of_mfa("Terraform", &link.name, run);
        }
        warn_of_own_role("Terragrunt", Some(link), run);
        let instead = "Instead, with the settings of --auth-provider-cmd, Terragrunt can get the session from xacct";
        self.tell_auth_provider(instead, link, version, run);
        terragrunt::generating(access, state, may_lack_role)
    }

    /// Tells the command with which Terragrunt gets the session. Terragrunt runs it in the directory of each unit, and several
    /// times.
    fn tell_auth_provider(&self, what: &str, link: &Link, version: Option<Version>, run: &Run<'_>) {
        let has_several = run.file.targets.len() > 1;
        let note = match has_several {
            true => format!(
                "Each unit uses the target that its directory, or one above it, is named after. If all units work in {0}, \
                 use {0} in place of --target-from-directory; see `xacct help sessions`",
                link.name
            ),
            false => "See `xacct help sessions`".to_owned(),
        };
        let config = run.context.directory.join(&run.file.path);
        let xacct = ShellCommand::new("xacct").option("--config", config.display()).arg("credentials");
        let xacct = match has_several {
            true => xacct.flag("--target-from-directory"),
            false => xacct.arg(&link.name),
        };
        let xacct = xacct.option_if("--duration", self.duration).flag("--cache").option("--format", "terragrunt");
        let variable = match version.map(Version::names) {
            Some(Names::Old) => "TERRAGRUNT_AUTH_PROVIDER_CMD",
            _ => "TG_AUTH_PROVIDER_CMD",
        };
        run.console.say(&format!("{what}:\n  export {variable}={}\n{note}", quoted(&xacct.to_string())));
    }
}

/// Checks that the version reads the role in `remote_state`.
fn check_remote_state(access: &Access, version: Option<Version>) -> Result<()> {
    let Some(version) = version.map(Version::versions) else { return Ok(()) };
    let otherwise = ", or use --auth-provider-cmd";
    version.require(Argument::RemoteStateRole, otherwise)?;
    if access.session_tags.is_empty() { Ok(()) } else { version.require(Argument::RemoteStateTags, otherwise) }
}
