//! Regions that the credentials do not work in, and STS where it is not active.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::{Facts, OperatorFacts};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith, aws};
use crate::iam::names::Region;
use crate::iam::state::Reading;
use crate::text::shell::ShellCommand;

/// Credentials work in their own partition only, and a region belongs to one.
pub fn wrong_partition(facts: &Facts) -> Option<Finding> {
    let identities =
        [facts.caller.elsewhere.as_ref(), Some(&facts.source.operator.identity), Some(&facts.target.operator.identity)];
    let known = identities.into_iter().flatten().find_map(Reading::present)?;
    let region = &facts.request.region;
    let (here, there) = (known.partition()?, region.partition());
    if here == there {
        return None;
    }
    let what = format!("region {region} is of partition {there}, and the accounts are in partition {here}");
    Some(
        Finding::new(Cause::WrongPartition, what)
            .fact(format!("AWS knows {known}"))
            .fix(another_region(facts, here.default_region())),
    )
}

/// The account of the user must enable the region first.
pub fn region_not_enabled(facts: &Facts) -> Finding {
    let (region, account) = (&facts.request.region, facts.source_account());
    let first = region.partition().default_region();
    let what = format!("account {account} has not enabled region {region}, so its credentials are unknown there");
    let enable = Fix::by(Side::Source, facts)
        .run(enable(&facts.source.operator, region))
        .step_do("wait until it is enabled, which takes minutes");
    Finding::new(Cause::RegionNotEnabled, what)
        .fact(format!("the same credentials are accepted in {first}"))
        .fix(another_region(facts, first))
        .fix(enable)
}

fn enable(operator: &OperatorFacts, region: &Region) -> ShellCommand {
    aws(operator, "account", "enable-region").option("--region-name", region)
}

/// Goes to this region from now on.
fn another_region(facts: &Facts, region: &str) -> Fix {
    Fix::by(Side::LocalConfiguration, facts).write(facts, "region", region).verify(facts, VerifyWith::Nothing)
}

pub fn sts_inactive(facts: &Facts, message: &str) -> Finding {
    let (region, source) = (&facts.request.region, facts.source_account());
    let first = region.partition().default_region();
    // AssumeRole goes by the account of the role, GetSessionToken by that of the user.
    let (side, account, operator) = if message.contains(&format!("account:{source}")) {
        (Side::Source, source, &facts.source.operator)
    } else {
        (Side::Target, facts.link.role.account.to_string(), &facts.target.operator)
    };
    let activate = Fix::by(side, facts);
    let activate = if region.is_opt_in() { activate.run(enable(operator, region)) } else { activate };
    let activate = activate
        .step_do(format!("activate STS for {region} in the IAM console, Account settings, of account {account}"));
    Finding::new(Cause::StsInactive, format!("STS is not active in region {region} for account {account}"))
        .on(side)
        .fix(another_region(facts, first))
        .fix(activate)
}
