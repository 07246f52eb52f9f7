//! Trust policies that name the principal in a way that does not fit it.

use crate::diagnosis::cause::Cause;
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::iam::arn::{CallerArn, PrincipalRef, set_of_role};

/// Returns the finding for names that mean the principal and do not fit it: one of its sessions, another path, or a former
/// role of the permission set.
pub fn named_otherwise(facts: &Facts, names: &[&str]) -> Option<Finding> {
    let (role, source) = (&facts.link.role.name, facts.probable_source_account()?);
    let whose = facts.link.whose();
    let own = facts.link.principal.name();
    let arn = facts.user_arn();
    let with_other_path = |path: &str| {
        let it = arn.as_ref().map_or_else(|| "it has another one".to_owned(), |arn| format!("it is {arn}"));
        let what = format!("the trust policy of role {role} names {whose} with path {path}, but {it}");
        Finding::new(Cause::TrustOtherPath, what).fact(
            "aws:PrincipalArn is the ARN of the user or role with its path; the ARN of a role's session does not show it",
        )
    };
    for name in names {
        match CallerArn::parse(name) {
            CallerArn::AssumedRole { account, role: of, session, .. } if account == *source && of.as_str() == own => {
                let what = format!("the trust policy of role {role} names session {session} of {whose}, not the role");
                return Some(Finding::new(Cause::TrustNamesOneSession, what).fact(
                    "as principal, a session's ARN admits only sessions of that name, and most programs give each session a new \
                     name; aws:PrincipalArn is the ARN of the role and never that of a session",
                ));
            }
            _ => {}
        }
        let Some((account, path, of)) = resource(name, facts.link.principal.acts_as_role()) else { continue };
        if account != source.as_str() {
            continue;
        }
        if of == own && arn.as_deref() != Some(name) {
            return Some(with_other_path(path));
        }
        let set = match (set_of_role(own), facts.link.of_link()) {
            (Some(set), _) => set,
            (None, PrincipalRef::PermissionSet(set)) => set.clone(),
            _ => continue,
        };
        let suffix = of.strip_prefix("AWSReservedSSO_").and_then(|of| of.strip_prefix(set.as_str())?.strip_prefix('_'));
        match suffix {
            Some(suffix) if suffix.contains(['*', '?']) => return Some(with_other_path(path)),
            Some(_) if set_of_role(of).is_some() => {
                let what = format!("the trust policy of role {role} names {of}, a former role of permission set {set}");
                return Some(Finding::new(Cause::ReservedRoleRecreated, what).fact(RECREATED));
            }
            _ => {}
        }
    }
    None
}

/// What happens to the role of a permission set.
pub const RECREATED: &str = "IAM Identity Center creates the role again, with another suffix, when the last assignment in the \
                         account is removed and a new one is made";

/// Returns account, path and name of a user's or a role's ARN.
fn resource(arn: &str, is_role: bool) -> Option<(&str, &str, &str)> {
    let mut fields = arn.splitn(6, ':').skip(2);
    let (service, _, account, resource) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let path_and_name = resource.strip_prefix(if is_role { "role" } else { "user" })?;
    let at = path_and_name.rfind('/')?;
    let (path, name) = path_and_name.split_at_checked(at + 1)?;
    (service == "iam" && !name.is_empty()).then_some((account, path, name))
}
