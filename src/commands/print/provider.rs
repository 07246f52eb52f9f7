//! `xacct print provider-hcl`, which is also `xacct print-provider-hcl`.

use clap::Args;

use super::consumer::{
    Consumer, access, narrow, partition, region, warn_of_mfa, warn_of_own_role, within_an_hour, without_prompt,
};
use super::out::{Form, emit};
use crate::cli::{Printed, SessionAttributes, ToolOptions, valid};
use crate::config::Link;
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::{PrincipalRef, RoleArn, RoleRef};
use crate::iam::names::{Region, SessionDuration, TagKey};
use crate::operations::run::Run;
use crate::print::Access;
use crate::print::provider::{self, Extras, Provider};

/// Print the Terraform provider block that uses a link.
///
/// Works offline and without credentials, from xacct.toml. With several targets, each provider gets an alias. Run
/// Terraform with the user's own credentials, not in xacct exec: a role cannot assume itself.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print-provider-hcl > provider.tf
  xacct print-provider-hcl --out provider.tf     (in PowerShell 5, whose > writes UTF-16)
  xacct print-provider-hcl dev prod --version-constraint '~> 5.67'
  xacct print-provider-hcl dev --session-tag project=x --source-identity alice
  xacct print-provider-hcl dev --through arn:aws:iam::111111111111:role/ci")]
pub struct ProviderHcl {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// Whose credentials the tool uses.
    #[command(flatten)]
    pub tool: ToolOptions,
    /// Print required_providers with this constraint, such as '~> 5.67', and only what these versions have
    #[arg(long, value_name = "CONSTRAINT")]
    pub version_constraint: Option<String>,
    /// Region of the provider (default: the target's in xacct.toml, else AWS_REGION)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// How long Terraform's sessions last, 15m to 12h (default: the role's limit)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>)]
    pub duration: Option<SessionDuration>,
    /// Make this session tag transitive (can be repeated)
    #[arg(long, value_name = "KEY", value_parser = valid::<TagKey>)]
    pub transitive_tag_key: Vec<TagKey>,
    /// Assume this role first, and the link's role from it; sessions last at most 1h
    #[arg(long, value_name = "ROLE_ARN", value_parser = valid::<RoleArn>)]
    pub through: Option<RoleArn>,
    /// The sessions. Last, because its heading applies to all options that follow.
    #[command(flatten)]
    pub session: SessionAttributes,
}

impl Consumer for ProviderHcl {
    const NAME: &'static str = "provider-hcl";

    /// Returns the name at the top level, which this command has too.
    fn command() -> String {
        format!("print-{}", Self::NAME)
    }

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let mut links = run.links_with_external_ids(&self.printed.targets)?;
        links.iter_mut().for_each(|link| link.override_session(&self.session));
        narrow(&mut links, &self.tool)?;
        // One user cannot use all of them.
        partition(&links, self.region.as_ref(), run)?;
        let constraint = self.version_constraint.as_deref().map(provider::check_version_constraint).transpose()?;
        let alone = links.len() == 1;
        let aliases = provider::aliases(links.iter().map(|link| link.name.as_str()));
        let extras = Extras {
            transitive_tag_keys: self.transitive_tag_key.clone(),
            through: self.through.clone(),
            duration_in_seconds: false,
        };
        let mut providers = Vec::new();
        for (link, alias) in links.iter().zip(aliases) {
            let region = region(self.region.as_ref(), link, run)?;
            let access = access(link, region.as_ref(), duration(self, link)?, run)?;
            check_extras(self, link, &access, run)?;
            if link.require_mfa {
                warn_of_mfa("Terraform", &link.name, run);
            }
            let provider = Provider { alias: (!alone).then_some(alias), access, extras: extras.clone() };
            providers.push(match constraint {
                Some(constraint) => provider.for_versions(constraint.versions)?,
                None => provider,
            });
        }
        warn_of_own_role("Terraform", links.first(), run);
        emit::<Self>(Form::Commented, &provider::document(&providers, constraint), &self.printed, run)
    }
}

fn duration(args: &ProviderHcl, link: &Link) -> Result<Option<SessionDuration>> {
    match args.through {
        Some(_) => within_an_hour(args.duration, link, "one role assumes another", ", or omit --through"),
        None => without_prompt(args.duration, link),
    }
}

/// Refuses settings that the role's trust policy would deny.
fn check_extras(args: &ProviderHcl, link: &Link, access: &Access, run: &Run<'_>) -> Result<()> {
    let has_tags = !link.session_tags.is_empty() || link.source_identity.is_some();
    if has_tags && !link.allow_session_tags {
        return Err(Error::usage(format!(
            "the role of target `{}` does not allow session tags or a source identity",
            link.name
        ))
        .hint("to allow them: xacct bootstrap --allow-session-tags"));
    }
    let is_set = |key: &TagKey| link.session_tags.iter().any(|tag| tag.key.as_str().eq_ignore_ascii_case(key.as_str()));
    if let Some(key) = args.transitive_tag_key.iter().find(|key| !is_set(key)) {
        return Err(Error::usage(format!("transitive tag key `{key}` is not a session tag"))
            .hint(format!("add the tag: --session-tag {key}=VALUE")));
    }
    let Some(first) = &args.through else { return Ok(()) };
    let source = run.file.source.account();
    let through = PrincipalRef::Role(RoleRef::Arn(first.clone()));
    let is_principal = link.principals.iter().any(|principal| principal.is_same(&through));
    if *first == access.role {
        return Err(Error::usage(format!(
            "`{first}` is the role of target `{}`, and a role cannot assume itself",
            link.name
        ))
        .hint("omit --through, or use another role"));
    }
    let obstacle = if source.is_some_and(|source| *source != first.account) {
        Some(format!("trusts only account {}", source.map_or("", |source| source.as_str())))
    } else if link.restrict_to_user && !is_principal {
        Some("trusts only the user, not roles".to_owned())
    } else if link.require_mfa {
        Some("requires MFA, which chained sessions never have".to_owned())
    } else {
        None
    };
    match obstacle {
        Some(what) => Err(Error::usage(format!("the role of target `{}` {what}", link.name)).hint("omit --through")),
        None if is_principal => {
            run.console.say(&format!("With --through, whoever runs Terraform needs sts:AssumeRole on {first}"));
            Ok(())
        }
        None => {
            run.console.say(&format!(
                "xacct bootstrap lets the user assume {0}. With --through, {first} needs sts:AssumeRole on {0}, and the user \
                 needs it on {first}",
                access.role
            ));
            Ok(())
        }
    }
}
