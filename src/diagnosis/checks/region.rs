//! Regions in which the credentials do not work, or STS is not active.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::{Facts, OperatorFacts};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith, aws};
use crate::iam::names::Region;
use crate::iam::state::Reading;
use crate::text::shell::ShellCommand;

/// Returns the finding for a Region outside the partition of the credentials, which work only in their own.
pub fn wrong_partition(facts: &Facts) -> Option<Finding> {
    let identities =
        [facts.caller.elsewhere.as_ref(), Some(&facts.source.operator.identity), Some(&facts.target.operator.identity)];
    let known = identities.into_iter().flatten().find_map(Reading::present)?;
    let region = &facts.request.region;
    let (here, there) = (known.partition()?, region.partition());
    if here == there {
        return None;
    }
    let what = format!("Region {region} belongs to partition {there}, but the accounts are in partition {here}");
    Some(
        Finding::new(Cause::WrongPartition, what)
            .fact(format!("AWS identified the caller as {known}"))
            .fix(another_region(facts, here.default_region())),
    )
}

/// Returns the finding for a Region that the user's account must enable first.
pub fn region_not_enabled(facts: &Facts) -> Finding {
    let (region, account) = (&facts.request.region, facts.source_account());
    let first = region.partition().default_region();
    let what = format!("account {account} has not enabled Region {region}, so its credentials do not work there");
    let enable = Fix::by(Side::Source, facts)
        .run(enable(&facts.source.operator, region))
        .step_do("wait a few minutes until the Region is enabled");
    Finding::new(Cause::RegionNotEnabled, what)
        .fact(format!("the same credentials work in {first}"))
        .fix(another_region(facts, first))
        .fix(enable)
}

fn enable(operator: &OperatorFacts, region: &Region) -> ShellCommand {
    aws(operator, "account", "enable-region").option("--region-name", region)
}

/// Uses this Region from now on.
fn another_region(facts: &Facts, region: &str) -> Fix {
    Fix::by(Side::LocalConfiguration, facts).write(facts, "region", region).verify(facts, VerifyWith::Nothing)
}

pub fn sts_inactive(facts: &Facts, message: &str) -> Finding {
    let (region, source) = (&facts.request.region, facts.source_account());
    let first = region.partition().default_region();
    // AssumeRole needs STS in the role's account, GetSessionToken in the user's.
    let (side, account, operator) = if message.contains(&format!("account:{source}")) {
        (Side::Source, source, &facts.source.operator)
    } else {
        (Side::Target, facts.link.role.account.to_string(), &facts.target.operator)
    };
    let activate = Fix::by(side, facts);
    let activate = if region.is_opt_in() { activate.run(enable(operator, region)) } else { activate };
    let activate =
        activate.step_do(format!("activate STS for {region} in account {account}: IAM console, Account settings"));
    Finding::new(Cause::StsInactive, format!("STS is not active in Region {region} for account {account}"))
        .on(side)
        .fix(another_region(facts, first))
        .fix(activate)
}
