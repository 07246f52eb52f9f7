//! `xacct print-policies`.

use std::collections::BTreeSet;

use super::out::{Form, emit};
use super::{partition, user_arn};
use crate::cli::{Party, PrintPolicies};
use crate::config::{self, WayIn};
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::RoleArn;
use crate::iam::names::{AccountId, IamPath};
use crate::iam::policy::PolicyDocument;
use crate::iam::templates;
use crate::operations::run::Run;
use crate::operations::settle;

/// Runs the command.
pub fn policies(args: &PrintPolicies, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    let partition = partition(&links, None, run)?;
    for link in &links {
        link.check(Some(partition))?;
    }
    let roles: BTreeSet<RoleArn> = links.iter().map(|link| link.role_arn(partition)).collect();
    let document: PolicyDocument = match args.party {
        Party::SourceOperator => {
            let user = user_arn(args.user_arn.as_ref(), partition, true, run)?;
            let entered = links.iter().filter_map(|link| match &link.way_in {
                WayIn::EnterRole(name) => {
                    Some(RoleArn::new(partition, link.account.clone(), IamPath::root(), name.clone()))
                }
                _ => None,
            });
            templates::operator_source_entering(&user, &entered.collect())
        }
        Party::TargetOperator => {
            let accounts: BTreeSet<&AccountId> = roles.iter().map(|role| &role.account).collect();
            if accounts.len() > 1 {
                return Err(Error::usage(format!(
                    "each target account has its own operator, and these are {}",
                    accounts.len()
                ))
                .hint("name the targets of one account"));
            }
            templates::operator_target_of(&roles)
        }
        Party::User => {
            let user = user_arn(args.user_arn.as_ref(), partition, false, run)?;
            if links.iter().any(|link| link.require_mfa) {
                run.console.say(
                    "Where the user's profile has no mfa_serial, verify also needs iam:ListMFADevices on the user",
                );
            }
            let arns = links.iter().map(|link| (link, link.role_arn(partition)));
            let grant = settle::grant(&user, arns)?;
            templates::grant(&grant.roles, &grant.with_session_tags)
        }
    };
    emit("print-policies", Form::Json, &document.to_string(), &args.printed, run)
}
