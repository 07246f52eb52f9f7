//! `xacct print-…`: settings for the tools that will use the link. Offline.

use super::Run;
use crate::cli::PrintProviderHcl;
use crate::config::{self, Link};
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::{Partition, RoleArn};
use crate::iam::names::{AccountId, Region, SessionDuration, SessionName};
use crate::print::hcl::{self, Provider};

/// Runs `xacct print-provider-hcl`.
pub fn provider_hcl(args: &PrintProviderHcl, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &args.targets, None)?;
    let ambient = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| run.context.variable(name));
    let ambient: Option<Region> = ambient.map(str::parse).transpose()?;
    let constraint = args.version_constraint.as_deref().map(hcl::check_version_constraint).transpose()?;
    let source = &run.file.source;
    let session_name = source.user.as_ref().and_then(|user| user.name().as_str().parse::<SessionName>().ok());
    let alone = links.len() == 1;
    let aliases = hcl::aliases(links.iter().map(|link| link.name.as_str()));

    let mut providers = Vec::new();
    for (link, alias) in links.iter().zip(aliases) {
        let region = args.region.clone().or_else(|| link.region.clone()).or_else(|| ambient.clone());
        if let Some(found) = &ambient
            && region.as_ref() == Some(found)
            && link.region.is_none()
            && args.region.is_none()
        {
            run.console.say(&format!(
                "Region {found} of target {} comes from the environment; record it with region = \"{found}\" in {}",
                link.name,
                run.file.path.display()
            ));
        }
        let role = link.role_arn(region.as_ref().map_or(Partition::Aws, Region::partition));
        providers.push(Provider {
            alias: (!alone).then_some(alias),
            role: role.clone(),
            needs_mfa: link.require_mfa,
            region,
            external_id: link.external_id.known().cloned(),
            session_name: session_name.clone(),
            duration: duration(args.duration, link)?,
            profile: source.user_profile.clone(),
            user: source.user.as_ref().map(|user| user.name().clone()),
        });
        if link.require_mfa {
            warn_of_mfa(link, &role, run);
        }
    }
    run.console.result(&hcl::document(&providers, constraint));
    Ok(ExitCode::Done)
}

fn duration(asked: Option<SessionDuration>, link: &Link) -> Result<SessionDuration> {
    let limit = link.max_session_duration;
    match asked {
        None => Ok(SessionDuration::from_secs(limit.as_secs())?),
        Some(asked) if asked.as_secs() <= limit.as_secs() => Ok(asked),
        Some(asked) => Err(Error::usage(format!(
            "sessions of {asked} are longer than role `{}` of target `{}` allows ({limit})",
            link.role, link.name
        ))
        .hint(format!(
            "give at most --duration {limit}, or raise the role's limit: xacct bootstrap --max-session-duration {asked}"
        ))),
    }
}

fn warn_of_mfa(link: &Link, role: &RoleArn, run: &Run<'_>) {
    let source = &run.file.source;
    let user = source.user.as_ref().map_or("USER", |user| user.name().as_str());
    let account = source.account.as_ref().map_or("ACCOUNT", AccountId::as_str);
    let serial = format!("arn:{}:iam::{account}:mfa/{user}", role.partition);
    run.console.say(&format!(
        "Target {} demands MFA, and Terraform cannot ask for a code. Before running it, make a session that has one:\n  \
         aws sts get-session-token --serial-number {serial} --token-code CODE\n\
         and put its values into AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. If the device has another \
         name: aws iam list-mfa-devices",
        link.name
    ));
}
