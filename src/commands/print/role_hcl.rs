//! `xacct print role-hcl`.

use clap::Args;

use std::collections::{BTreeMap, BTreeSet};

use super::consumer::{Consumer, account_of, partition, principals};
use super::out::{Form, emit};
use crate::cli::{Printed, valid};
use crate::config::{self, Link};
use crate::environment;
use crate::error::{Error, ExitCode, Kind, Result};
use crate::iam::arn::{Partition, PrincipalArn, PrincipalRef, RoleArn, UserArn};
use crate::iam::names::{IamPath, Region};
use crate::iam::state::{
    DEFAULT_GROUP_POLICIES_QUOTA, DEFAULT_ROLE_POLICIES_QUOTA, DEFAULT_USER_POLICIES_QUOTA, DesiredGrant,
};
use crate::operations::run::Run;
use crate::operations::settle;
use crate::print::role_hcl::{self, Target, WayIn};

/// Print the role and the grant as Terraform resources.
///
/// Includes import blocks, so that Terraform 1.5 or later imports what bootstrap created, without changing it.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print role-hcl --out link.tf
  terraform init
  terraform plan
  Let xacct manage the role again:
    xacct print role-hcl --removed --out link.tf
    terraform apply

Set managed_by = \"terraform\" in xacct.toml after the import: then bootstrap only
compares, and teardown refuses.")]
pub struct RoleHcl {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// The user's ARN, if the user has a path (default: the user in xacct.toml)
    #[arg(long, value_name = "ARN", value_parser = valid::<UserArn>)]
    pub user_arn: Option<UserArn>,
    /// Print removed blocks instead: Terraform forgets the resources, and xacct manages them again
    ///
    /// For the targets that you printed before: their number and names decide the names of the resources. Needs
    /// Terraform 1.7 or later.
    #[arg(long)]
    pub removed: bool,
}

impl Consumer for RoleHcl {
    const NAME: &'static str = "role-hcl";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let mut links = match self.removed {
            true => run.links(&self.printed.targets)?,
            false => run.links_with_external_ids(&self.printed.targets)?,
        };
        let all = config::recorded_links(&run.file, &[], None)?;
        let partition = partition(&all, None, run)?;
        let files = settle::read_policy_files(&links, run)?;
        settle::read_trust_statements(&mut links, run)?;
        let mut targets = Vec::new();
        for link in &links {
            link.check(Some(partition))?;
            let principals = principals(self.user_arn.as_ref(), link, partition, link.restrict_to_user, run)?;
            let source = account_of(&principals, run)?;
            let own = files.get(&link.name).cloned().unwrap_or_default();
            targets.push(Target {
                name: link.name.clone(),
                role: settle::role(link, &source, &principals, partition, &own),
                way_in: way_in(link, partition, run)?,
            });
        }
        // A grant is one policy for all links of a principal, even if only some are printed.
        let all = Link::with_other_roles(all);
        let grants = grants(&all, self.user_arn.as_ref(), partition, run)?;
        grants.iter().try_for_each(|grant| check_fits(grant, run))?;
        let names: Vec<_> = grants.iter().map(|grant| grant.principal.in_words().replace('`', "")).collect();
        if self.removed {
            run.console.say(
                "Replace the file that `xacct print role-hcl` printed, and apply it. Then delete it, and remove \
                 `managed_by` from xacct.toml",
            );
        } else if !names.is_empty() {
            run.console.say(&format!(
                "The grant contains only the roles in {}. If {} may assume roles from another xacct.toml, add them, or \
             `terraform apply` removes them from the grant",
                run.file.path.display(),
                names.join(" or ")
            ));
        }
        let sets: BTreeSet<_> = all
            .iter()
            .flat_map(|link| &link.principals)
            .filter(|it| matches!(it, PrincipalRef::PermissionSet(_)))
            .collect();
        for set in sets.into_iter().filter(|_| !self.removed) {
            run.console.say(&format!(
                "Contains no grant for {}: its administrator adds the statement that `xacct bootstrap` prints",
                set.in_words().replace('`', "")
            ));
        }
        let profile = run.file.source.profile.clone().filter(|name| name != environment::PROFILE);
        let source = WayIn { region: region(None, partition)?, profile, enter_role: None };
        let text = match self.removed {
            true => role_hcl::removed(&grants, &source, &targets),
            false => role_hcl::document(&grants, &source, &targets),
        };
        emit::<Self>(Form::Commented, &text, &self.printed, run)
    }
}

/// Refuses a grant that needs managed policies: which roles each of them has is known in AWS alone.
fn check_fits(grant: &DesiredGrant, run: &Run<'_>) -> Result<()> {
    let size = grant.document().size();
    let most = match grant.principal {
        PrincipalArn::User(_) => DEFAULT_USER_POLICIES_QUOTA,
        PrincipalArn::Group(_) => DEFAULT_GROUP_POLICIES_QUOTA,
        PrincipalArn::Role(_) | PrincipalArn::PermissionSet(_) => DEFAULT_ROLE_POLICIES_QUOTA,
    };
    if size <= most {
        return Ok(());
    }
    let message = format!(
        "the grant of {} needs {size} characters, but its inline policies have at most {most}: print role-hcl writes no \
         managed policies",
        grant.principal.in_words()
    );
    Err(Error::new(Kind::Refused, message)
        .note("xacct bootstrap keeps the rest in managed policies")
        .hint(format!("give links to another principal, or fewer links to this one, in {}", run.file.path.display())))
}

/// Returns the grant of each principal.
fn grants(links: &[Link], typed: Option<&UserArn>, partition: Partition, run: &Run<'_>) -> Result<Vec<DesiredGrant>> {
    let mut of_each: BTreeMap<PrincipalArn, Vec<&Link>> = BTreeMap::new();
    for link in links {
        // The grant of a permission set belongs to it, in another account.
        let is_in_iam = |principal: &PrincipalArn| !matches!(principal, PrincipalArn::PermissionSet(_));
        for principal in principals(typed, link, partition, false, run)?.into_iter().filter(is_in_iam) {
            of_each.entry(principal).or_default().push(link);
        }
    }
    let grants = of_each.iter().map(|(principal, links)| {
        settle::grant(principal, &run.file.source.grant, links.iter().map(|link| (*link, link.role_arn(partition))))
    });
    grants.collect()
}

fn way_in(link: &Link, partition: Partition, run: &Run<'_>) -> Result<WayIn> {
    let of_source = run.file.source.profile.clone().filter(|name| name != environment::PROFILE);
    let (profile, enter_role) = match &link.way_in {
        config::WayIn::Profile(name) if name == environment::PROFILE => (None, None),
        config::WayIn::Profile(profile) => (Some(profile.clone()), None),
        config::WayIn::EnterRole(name) => {
            let role = RoleArn::new(partition, link.account.clone(), IamPath::root(), name.clone());
            (of_source, Some(role))
        }
        config::WayIn::Search => (None, None),
    };
    Ok(WayIn { region: region(link.region.as_ref(), partition)?, profile, enter_role })
}

fn region(recorded: Option<&Region>, partition: Partition) -> Result<Region> {
    match recorded {
        Some(region) => Ok(region.clone()),
        None => Ok(partition.default_region().parse()?),
    }
}
