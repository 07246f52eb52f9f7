//! Causes that S3's answer names by itself.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::iam::names::Region;

/// Returns the finding for credentials that STS issued for the role and that S3 does not accept. The user's own
/// credentials are not the problem: STS accepted them.
pub fn session(facts: &Facts) -> Finding {
    let role = &facts.link.role.name;
    let fix = Fix::by(Side::Request, facts)
        .step_do(
            "check that STS and S3 are reached at endpoints of AWS (AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL_S3, \
             endpoint_url), and that no proxy changes requests",
        )
        .verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::S3Session, format!("S3 does not accept the credentials of the session of role {role}"))
        .fact("STS accepted the user's credentials and issued the session")
        .fix(fix)
        .fix(without_bucket(facts))
}

pub fn quota(facts: &Facts) -> Finding {
    let account = &facts.link.role.account;
    let quota = Fix::by(Side::Target, facts)
        .step_do("delete unneeded buckets, or request a higher quota in the Service Quotas console");
    Finding::new(Cause::S3Quota, format!("account {account} has reached its bucket quota"))
        .fix(without_bucket(facts))
        .fix(quota)
}

/// Returns the finding for another Region than S3 expects. Some messages name the right one.
pub fn region(facts: &Facts, asked: &Region, message: &str) -> Finding {
    let expected = message.split_once("expecting '").and_then(|(_, rest)| rest.split_once('\''));
    let fix = Fix::by(Side::LocalConfiguration, facts);
    match expected {
        Some((region, _)) => {
            let fix = fix.write(facts, "region", region).verify(facts, VerifyWith::Nothing);
            Finding::new(Cause::S3Region, format!("S3 expects Region {region}, not {asked}")).fix(fix)
        }
        None => Finding::new(Cause::S3Region, format!("S3 expects a Region other than {asked}"))
            .fix(fix.verify(facts, VerifyWith::OtherRegion)),
    }
}

pub fn tags(facts: &Facts) -> Finding {
    let fix = Fix::by(Side::Request, facts)
        .step_do("correct the tags of the test bucket: bucket_tags in xacct.toml, or --bucket-tag KEY=VALUE")
        .verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::S3Tags, "S3 rejects the tags of the test bucket").fix(fix).fix(without_bucket(facts))
}

pub fn namespace(facts: &Facts, region: &Region) -> Finding {
    let fix = Fix::by(Side::Request, facts)
        .step_do("use the other namespace for the test bucket, global or account-regional:")
        .write(facts, "bucket_namespace", "global")
        .verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::S3Namespace, format!("S3 rejects the namespace of the test bucket in Region {region}"))
        .fact("account-regional namespaces do not exist in every Region and at every endpoint")
        .fix(fix)
        .fix(without_bucket(facts))
}

/// Tests the link without a bucket.
pub fn without_bucket(facts: &Facts) -> Fix {
    Fix::by(Side::LocalConfiguration, facts)
        .step_do("if the role does not need to create buckets, test only the session:")
        .write(facts, "probe", "identity")
        .verify(facts, VerifyWith::Nothing)
}
