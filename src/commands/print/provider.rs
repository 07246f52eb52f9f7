//! `xacct print-provider-hcl`.

use super::out::{Form, emit};
use super::{access, warn_of_mfa};
use crate::cli::PrintProviderHcl;
use crate::commands::Run;
use crate::config;
use crate::error::{ExitCode, Result};
use crate::iam::names::Region;
use crate::print::hcl::{self, Provider};

/// Runs the command.
pub fn provider_hcl(args: &PrintProviderHcl, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    let constraint = args.version_constraint.as_deref().map(hcl::check_version_constraint).transpose()?;
    let alone = links.len() == 1;
    let aliases = hcl::aliases(links.iter().map(|link| link.name.as_str()));
    let mut providers = Vec::new();
    for (link, alias) in links.iter().zip(aliases) {
        let region = region(args.region.as_ref(), link, run)?;
        let access = access(link, region.as_ref(), args.duration, run)?;
        if link.require_mfa {
            warn_of_mfa("Terraform", &link.name, &access.role, run);
        }
        providers.push(Provider { alias: (!alone).then_some(alias), access });
    }
    emit("print-provider-hcl", Form::Commented, &hcl::document(&providers, constraint), &args.printed, run)
}

/// The region that was asked for or recorded, else that of the environment, which is said.
pub fn region(asked: Option<&Region>, link: &config::Link, run: &Run<'_>) -> Result<Option<Region>> {
    if let Some(region) = asked.or(link.region.as_ref()) {
        return Ok(Some(region.clone()));
    }
    let ambient = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| run.context.variable(name));
    let ambient: Option<Region> = ambient.map(str::parse).transpose()?;
    if let Some(found) = &ambient {
        run.console.say(&format!(
            "Region {found} of target {} comes from the environment; record it with region = \"{found}\" in {}",
            link.name,
            run.file.path.display()
        ));
    }
    Ok(ambient)
}
