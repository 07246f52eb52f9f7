//! `xacct print-…`: settings for the tools that will use the link. Offline.

mod backend;
mod cloudformation;
mod hcp;
mod out;
mod policies;
mod profile;
mod provider;
mod role_hcl;
mod terragrunt;

pub(super) use backend::backend_hcl;
pub(super) use cloudformation::cloudformation;
pub(super) use hcp::hcp;
pub(super) use policies::policies;
pub(super) use profile::profile;
pub(super) use provider::provider_hcl;
pub(super) use role_hcl::role_hcl;
pub(super) use terragrunt::terragrunt_hcl;

use super::Run;
use crate::config::Link;
use crate::error::{Error, Result};
use crate::iam::arn::{Partition, RoleArn, UserArn, UserRef};
use crate::iam::names::{IamPath, MfaSerial, Region, SessionDuration, SessionName};
use crate::print::Access;

/// What every tool is told of a link.
fn access(link: &Link, region: Option<&Region>, duration: Option<SessionDuration>, run: &Run<'_>) -> Result<Access> {
    let source = &run.file.source;
    let region = region.or(link.region.as_ref());
    Ok(Access {
        target: link.name.clone(),
        role: role(link, region, run),
        region: region.cloned(),
        external_id: link.external_id.known().cloned(),
        needs_mfa: link.require_mfa,
        session_name: session_name(run),
        duration: limited(duration, link)?,
        profile: source.user_profile.clone(),
        user: source.user.as_ref().map(|user| user.name().clone()),
    })
}

/// The role, in the partition of the region or of the user.
fn role(link: &Link, region: Option<&Region>, run: &Run<'_>) -> RoleArn {
    let of_user = match &run.file.source.user {
        Some(UserRef::Arn(arn)) => Some(arn.partition),
        _ => None,
    };
    link.role_arn(region.map(Region::partition).or(of_user).unwrap_or(Partition::Aws))
}

/// Sessions are called as the user, so that the target account's logs say who came.
fn session_name(run: &Run<'_>) -> Option<SessionName> {
    run.file.source.user.as_ref().and_then(|user| user.name().as_str().parse().ok())
}

/// The length of sessions that was asked for, if the role allows it; else the longest that it allows.
fn limited(asked: Option<SessionDuration>, link: &Link) -> Result<SessionDuration> {
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

/// The only link of those that were named, for a tool that takes one.
fn only_one<'a>(links: &'a [Link], why: &str) -> Result<&'a Link> {
    match links {
        [link] => Ok(link),
        _ => {
            let names: Vec<_> = links.iter().map(|link| format!("`{}`", link.name)).collect();
            Err(Error::usage(format!("{why}, and these are {} targets", links.len()))
                .hint(format!("name one of {}", names.join(", "))))
        }
    }
}

/// The user's ARN: as it was typed or recorded, else at the root path of the source account.
fn user_arn(typed: Option<&UserArn>, partition: Partition, run: &Run<'_>) -> Result<UserArn> {
    let source = &run.file.source;
    if let Some(arn) = typed {
        return Ok(arn.clone());
    }
    match (&source.user, &source.account) {
        (Some(UserRef::Arn(arn)), _) => Ok(arn.clone()),
        (Some(UserRef::Name(name)), Some(account)) => {
            Ok(UserArn::new(partition, account.clone(), IamPath::root(), name.clone()))
        }
        (user, _) => {
            let missing = if user.is_none() { "user" } else { "account" };
            Err(Error::usage(format!("[source] of `{}` has no `{missing}`", run.file.path.display()))
                .hint("record it there, or give the user's ARN: --user-arn ARN"))
        }
    }
}

/// The user's MFA device, if it is called as the user is: that is what the console proposes.
fn usual_mfa_serial(role: &RoleArn, run: &Run<'_>) -> Option<MfaSerial> {
    let source = &run.file.source;
    let (user, account) = (source.user.as_ref()?, source.account.as_ref());
    let account = user.account().or(account)?;
    format!("arn:{}:iam::{account}:mfa/{}", role.partition, user.name()).parse().ok()
}

/// Says how to use a link that demands MFA with a tool that cannot ask for a code.
fn warn_of_mfa(tool: &str, target: &str, role: &RoleArn, run: &Run<'_>) {
    let serial = usual_mfa_serial(role, run)
        .map_or_else(|| format!("arn:{}:iam::ACCOUNT:mfa/USER", role.partition), |serial| serial.to_string());
    run.console.say(&format!(
        "Target {target} demands MFA, and {tool} cannot ask for a code. Before running it, make a session that has one:\n  \
         aws sts get-session-token --serial-number {serial} --token-code CODE\n\
         and put its values into AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. If the device has another \
         name: aws iam list-mfa-devices"
    ));
}
