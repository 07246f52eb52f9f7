//! What the owner of the other account needs, if each owner creates one half.

use serde::Serialize;

use super::work::{Job, Work};
use crate::cli::{GrantScope, Half, SetGrant};
use crate::config::{DEFAULT_ROLE_NAME, Link};
use crate::iam::arn::{GroupRef, PrincipalArn, PrincipalRef, RoleRef, UserRef};
use crate::iam::policy::PolicyDocument;
use crate::operations::settle;
use crate::text::shell::ShellCommand;

/// The other half of a link, for the owner of that account.
#[derive(Debug, Serialize)]
pub struct OtherHalf {
    /// The account of that half, in words.
    pub owner: String,
    /// The command that creates it.
    pub command: ShellCommand,
    /// The trust policy of the role, or the policy on the user.
    pub document: PolicyDocument,
}

/// Adds the options that identify one link.
pub fn naming(command: ShellCommand, link: &Link) -> ShellCommand {
    let role = Some(&link.role).filter(|role| role.as_str() != DEFAULT_ROLE_NAME);
    command.option("--target-account", &link.account).option_if("--role-name", role)
}

/// Returns the half that `only` leaves to the other owner.
pub fn other_half(work: &Work, job: &Job, only: Half) -> OtherHalf {
    match only {
        Half::Source => role_for_the_target(work, job),
        Half::Target => grant_for_the_source(work, job),
    }
}

fn role_for_the_target(work: &Work, job: &Job) -> OtherHalf {
    let link = &job.link;
    let arns: Vec<_> = work.source.grantees_of(link).map(|grantee| with_account(&grantee.arn)).collect();
    let lacks_account = arns.iter().all(|principal| principal.account().is_none());
    let command = naming(ShellCommand::new("xacct").arg("bootstrap").option("--only", "target"), link);
    let command = for_principals(command, arns)
        .option_if("--source-account", Some(&work.source.account).filter(|_| lacks_account))
        .option_if("--role-path", Some(&link.role_path).filter(|path| !path.is_root()))
        .option_if("--external-id", link.external_id.known());
    let command = link.policy_arns.iter().fold(command, |command, policy| command.option("--policy-arn", policy));
    let longest = Some(link.max_session_duration.to_string()).filter(|longest| longest != "1h");
    let command = command
        .option_if("--permissions-boundary", link.permissions_boundary.as_ref())
        .option_if("--max-session-duration", longest);
    let command = with_flags(
        command,
        [
            (link.require_mfa, "--require-mfa"),
            (link.restrict_to_user, "--restrict-to-user"),
            (link.allow_session_tags, "--allow-session-tags"),
        ],
    );
    OtherHalf { owner: format!("target account {}", link.account), command, document: job.state.desired.trust.clone() }
}

fn grant_for_the_source(work: &Work, job: &Job) -> OtherHalf {
    let link = &job.link;
    let command = naming(ShellCommand::new("xacct").arg("bootstrap").option("--only", "source"), link);
    let command = for_principals(command, work.source.references_of(link))
        .option_if("--role-path", Some(&link.role_path).filter(|path| !path.is_root()))
        // The grant does not depend on it, but the owner's xacct.toml should record it.
        .option_if("--external-id", link.external_id.known());
    let flags = [(link.require_mfa, "--require-mfa"), (link.allow_session_tags, "--allow-session-tags")];
    let command = with_flags(command, flags);
    let grant = &work.source.grant;
    let command = command
        .option_if("--grant", grant.scope.map(GrantScope::id))
        .option_if("--set-grant", grant.set_grant.map(SetGrant::id))
        .option_if("--organization", grant.organization.as_ref());
    let first = work.source.grantees_of(link).next();
    let desired = first.and_then(|it| settle::grant(&it.arn, grant, [(link, job.role.clone())].into_iter()).ok());
    let document = desired.map_or_else(|| PolicyDocument::of(Vec::new()), |desired| desired.document());
    OtherHalf { owner: format!("source account {}", work.source.account), command, document }
}

/// Returns the principal as typed by its ARN, which includes account and path.
fn with_account(principal: &PrincipalArn) -> PrincipalRef {
    match principal {
        PrincipalArn::User(user) => PrincipalRef::User(UserRef::Arn(user.clone())),
        PrincipalArn::Group(group) => PrincipalRef::Group(GroupRef::Arn(group.clone())),
        PrincipalArn::Role(role) => PrincipalRef::Role(RoleRef::Arn(role.clone())),
        PrincipalArn::PermissionSet(set) => PrincipalRef::PermissionSet(set.name.clone()),
    }
}

/// Adds the options that name the principals.
fn for_principals(command: ShellCommand, principals: Vec<PrincipalRef>) -> ShellCommand {
    match principals.as_slice() {
        [PrincipalRef::User(user)] => command.option("--user", user),
        several => several.iter().fold(command, |command, it| command.option("--principal", it)),
    }
}

fn with_flags<const N: usize>(command: ShellCommand, flags: [(bool, &'static str); N]) -> ShellCommand {
    let wanted = flags.into_iter().filter(|(is_wanted, _)| *is_wanted);
    wanted.fold(command, |command, (_, name)| command.flag(name))
}
