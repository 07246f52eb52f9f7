//! `xacct print role-hcl`.

use clap::Args;

use super::consumer::{Consumer, partition, user_arn};
use super::out::{Form, emit};
use crate::cli::{Printed, valid};
use crate::config::{self, Link};
use crate::environment;
use crate::error::{ExitCode, Result};
use crate::iam::arn::{Partition, RoleArn, UserArn};
use crate::iam::names::{IamPath, Region};
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
  terraform plan")]
pub struct RoleHcl {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// The user's ARN, if the user has a path (default: the user in xacct.toml)
    #[arg(long, value_name = "ARN", value_parser = valid::<UserArn>)]
    pub user_arn: Option<UserArn>,
}

impl Consumer for RoleHcl {
    const NAME: &'static str = "role-hcl";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let mut links = run.links(&self.printed.targets)?;
        let all = config::recorded_links(&run.file, &[], None)?;
        let partition = partition(&all, None, run)?;
        let has_user = links.iter().any(|link| link.restrict_to_user);
        let user = user_arn(self.user_arn.as_ref(), partition, has_user, run)?;
        let files = settle::read_policy_files(&links, run)?;
        settle::read_trust_statements(&mut links, run)?;
        let mut targets = Vec::new();
        for link in &links {
            link.check(Some(partition))?;
            let own = files.get(&link.name).cloned().unwrap_or_default();
            targets.push(Target {
                name: link.name.clone(),
                role: settle::role(link, &user, partition, &own),
                way_in: way_in(link, partition, run)?,
            });
        }
        // The grant is one policy for all links, even if only some are printed.
        let all = Link::with_other_roles(all);
        let grant = settle::grant(&user, all.iter().map(|link| (link, link.role_arn(partition))))?;
        run.console.say(&format!(
            "The grant contains only the roles in {}. If user {} may assume roles from another xacct.toml, add them, or \
             `terraform apply` removes them from the grant",
            run.file.path.display(),
            user.name
        ));
        let profile = run.file.source.profile.clone().filter(|name| name != environment::PROFILE);
        let source = WayIn { region: region(None, partition)?, profile, enter_role: None };
        let text = role_hcl::document(&grant, &source, &targets);
        emit::<Self>(Form::Commented, &text, &self.printed, run)
    }
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
