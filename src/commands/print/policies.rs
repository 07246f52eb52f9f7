//! `xacct print policies`.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};

use super::consumer::{Consumer, account_of, partition, principals};
use super::out::{Form, emit};
use crate::cli::{GrantScope, Printed, valid};
use crate::config::{Link, WayIn};
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::{Partition, PrincipalArn, RoleArn, RolePattern, UserArn};
use crate::iam::names::{AccountId, IamPath};
use crate::iam::policy::PolicyDocument;
use crate::iam::state::DEFAULT_USER_POLICIES_QUOTA;
use crate::iam::templates;
use crate::operations::run::Run;

/// Print the minimal IAM policies for operators and users.
///
/// Prints an IAM policy in JSON, filled in for the links in xacct.toml. bootstrap needs no other
/// permissions; `xacct who` also needs those of source-auditor.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print policies --for source-operator > operator-a.json
  xacct print policies dev --for target-operator
  xacct print policies --for reader --out reader.json
  xacct print policies --for user")]
pub struct Policies {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// Whose permissions to print
    #[arg(long = "for", value_name = "WHO")]
    pub party: Party,
    /// The user's ARN, if the user has a path (default: the user in xacct.toml)
    #[arg(long, value_name = "ARN", value_parser = valid::<UserArn>)]
    pub user_arn: Option<UserArn>,
}

/// Whose permissions to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Party {
    /// Creates the grant in the source account
    SourceOperator,
    /// Creates the role in the target account
    TargetOperator,
    /// Lists who gets through the links (xacct who), in the source account
    SourceAuditor,
    /// Reads both accounts and changes nothing (--check, diagnose, who, list --live); the same policy for each account
    Reader,
    /// Assumes the role; this policy is the grant itself
    User,
}

impl Consumer for Policies {
    const NAME: &'static str = "policies";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let links = run.links(&self.printed.targets)?;
        let partition = partition(&links, None, run)?;
        let links = Link::with_other_roles(links);
        for link in &links {
            link.check(Some(partition))?;
            link.check_principals()?;
            link.check_restriction()?;
        }
        let roles: BTreeSet<RoleArn> = links.iter().map(|link| link.role_arn(partition)).collect();
        let document: PolicyDocument = match self.party {
            Party::SourceOperator => {
                let all = all_principals(&links, self.user_arn.as_ref(), partition, run)?;
                let entered = links.iter().filter_map(|link| match &link.way_in {
                    WayIn::EnterRole(name) => {
                        Some(RoleArn::new(partition, link.account.clone(), IamPath::root(), name.clone()))
                    }
                    _ => None,
                });
                let is_referenced = |it: &&PrincipalArn| run.file.source.grant.is_referenced(&it.reference());
                let referenced = all.iter().filter(is_referenced).cloned().collect();
                templates::operator_source_entering(&all, &referenced, &entered.collect())
            }
            Party::TargetOperator => {
                let accounts: BTreeSet<&AccountId> = roles.iter().map(|role| &role.account).collect();
                if accounts.len() > 1 {
                    return Err(Error::usage(format!(
                        "each target account has its own operator, and these targets are in {} accounts",
                        accounts.len()
                    ))
                    .hint("specify only the targets in one account"));
                }
                templates::operator_target_of(&roles)
            }
            Party::SourceAuditor => templates::auditor_source(partition),
            Party::Reader => {
                if links.iter().any(|link| matches!(link.way_in, WayIn::EnterRole(_))) {
                    run.console.say(
                        "--enter-role enters a target account with more than these permissions; a reader needs a profile \
                         there: --target-profile NAME",
                    );
                }
                let all = all_principals(&links, self.user_arn.as_ref(), partition, run)?;
                templates::reader(&account_of(&all, run)?, &all, &roles)
            }
            Party::User => {
                for link in &links {
                    principals(self.user_arn.as_ref(), link, partition, false, run)?;
                }
                if links.iter().any(|link| link.require_mfa) {
                    run.console.say(
                        "If the user's profile has no mfa_serial, xacct verify also needs iam:ListMFADevices on the user",
                    );
                }
                let arns = links.iter().map(|link| (link, link.role_arn(partition)));
                let roles = roles.clone();
                let with_session_tags = arns.filter(|(link, _)| link.allow_session_tags).map(|(_, role)| role);
                let grant = grant_of_user(&roles, &with_session_tags.collect(), run);
                if grant.size() > DEFAULT_USER_POLICIES_QUOTA {
                    run.console.say(&format!(
                        "This policy has {} characters, and the inline policies of a user at most \
                         {DEFAULT_USER_POLICIES_QUOTA}: xacct bootstrap keeps the rest in managed policies",
                        grant.size()
                    ));
                }
                grant
            }
        };
        emit::<Self>(Form::Json, &document.to_string(), &self.printed, run)
    }
}

/// Returns the grant of the links, as the settings say.
fn grant_of_user(roles: &BTreeSet<RoleArn>, with_session_tags: &BTreeSet<RoleArn>, run: &Run<'_>) -> PolicyDocument {
    let settings = &run.file.source.grant;
    let organization = settings.organization.clone().filter(|_| settings.scope == Some(GrantScope::Organization));
    let patterns = |roles: &BTreeSet<RoleArn>| roles.iter().map(RolePattern::from).collect();
    match organization {
        Some(organization) => {
            templates::grant_in_organization(&organization, &patterns(roles), &patterns(with_session_tags))
        }
        None => templates::grant(roles, with_session_tags),
    }
}

/// Returns the principals of all links, each with the note about its path once.
fn all_principals(
    links: &[Link],
    typed: Option<&UserArn>,
    partition: Partition,
    run: &Run<'_>,
) -> Result<BTreeSet<PrincipalArn>> {
    let (mut all, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for link in links.iter().filter(|link| seen.insert(link.principals_in_words())) {
        all.extend(principals(typed, link, partition, true, run)?);
    }
    Ok(all)
}
