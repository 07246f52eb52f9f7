//! Names of the managed policies that hold what does not fit into the inline policy of a grant.

use crate::iam::arn::PrincipalArn;

/// The path of the managed policies that hold parts of grants. IAM can change neither path nor name of a policy, so the
/// path marks those of xacct.
pub const GRANT_PATH: &str = "/xacct/";

/// Returns the start of the names of the managed policies that hold a principal's grant; a number follows.
///
/// Names are unique in an account whatever the path (IAM API reference, CreatePolicy), so they name the principal.
#[must_use]
pub fn grant_part_prefix(kind: &str, name: &str) -> String {
    format!("xacct-{}-{name}-", kind.replace(' ', "-"))
}

/// Returns the number of one of them, by its ARN; `None` for any other policy.
#[must_use]
pub fn grant_part_number(kind: &str, name: &str, arn: &str) -> Option<u32> {
    let (_, path_and_name) = arn.split_once(":policy")?;
    path_and_name.strip_prefix(GRANT_PATH)?.strip_prefix(&grant_part_prefix(kind, name))?.parse().ok()
}

/// The number of the only managed policy of a permission set: its administrator refers to it once.
pub const SET_PART: u32 = 1;

/// Returns the name of one of them.
#[must_use]
pub fn grant_part_name(principal: &PrincipalArn, number: u32) -> String {
    format!("{}{number}", grant_part_prefix(principal.kind(), principal.name()))
}

/// Returns the ARN of the only managed policy of a permission set.
#[must_use]
pub fn set_policy_arn(set: &PrincipalArn) -> String {
    grant_part_arn(set, &grant_part_name(set, SET_PART))
}

/// Returns the pattern of the ARNs of all of them.
#[must_use]
pub fn grant_parts_arn(principal: &PrincipalArn) -> String {
    grant_part_arn(principal, &format!("{}*", grant_part_prefix(principal.kind(), principal.name())))
}

/// Returns the ARN of one of them.
#[must_use]
pub fn grant_part_arn(principal: &PrincipalArn, name: &str) -> String {
    format!("arn:{}:iam::{}:policy{GRANT_PATH}{name}", principal.partition(), principal.account())
}
