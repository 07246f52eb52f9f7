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

/// Returns the finding for a request that was signed for another Region than that of the endpoint.
pub fn signing_region(facts: &Facts, region: &Region) -> Finding {
    let fix = Fix::by(Side::LocalConfiguration, facts)
        .step_do(
            "check the endpoint of STS (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS, endpoint_url): use the Region that it \
             belongs to, or unset it",
        )
        .verify(facts, VerifyWith::OtherRegion);
    let what = format!("the request was signed for Region {region}, but the endpoint is of another Region or service");
    Finding::new(Cause::SigningRegion, what).fact("neither the access key nor the clock is wrong").fix(fix)
}

/// Returns the finding for a session that is unknown in an opt-in Region although its owner is known: sessions of the
/// global STS endpoint have version-1 tokens, which work only in Regions that are enabled by default (IAM User Guide,
/// Managing AWS STS in an AWS Region). `None` in other Regions.
pub fn opt_in_session(facts: &Facts, region: &Region, service: &str) -> Option<Finding> {
    if !region.is_opt_in() {
        return None;
    }
    let (whose, account) = match service {
        "s3" => (format!("of role {}", facts.link.role.name), facts.link.role.account.to_string()),
        _ => (format!("({})", facts.caller.origin), facts.source_account()),
    };
    let regional = Fix::by(Side::LocalConfiguration, facts)
        .step_do(
            "get the session from a regional STS endpoint: set sts_regional_endpoints = regional for the program that \
             gets it (AWS_STS_REGIONAL_ENDPOINTS), and no endpoint https://sts.amazonaws.com",
        )
        .verify(facts, VerifyWith::Nothing);
    // The setting of the account that owns the session's user or role counts.
    let (side, operator) = match service {
        "s3" => (Side::Target, &facts.target.operator),
        _ => (Side::Source, &facts.source.operator),
    };
    let version_two =
        Fix::by(side, facts).step_do("let the global endpoint issue tokens that work in all Regions:").run(
            aws(operator, "iam", "set-security-token-service-preferences")
                .option("--global-endpoint-token-version", "v2Token"),
        );
    let what = format!(
        "the session {whose} is from the global STS endpoint: its token (version 1) does not work in Region {region}"
    );
    let finding = Finding::new(Cause::VersionOneToken, what).likely();
    let finding = match service {
        "s3" => finding,
        _ => finding.fact(format!("the same session works in {}", region.partition().default_region())),
    };
    Some(
        finding
            .fact(format!("AWS answers the same where account {account} has not enabled Region {region}"))
            .fix(regional)
            .fix(version_two)
            .fix(another_region(facts, region.partition().default_region())),
    )
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
