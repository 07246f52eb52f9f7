//! `ListEntitiesForPolicy`: the users, groups and roles that have a managed policy.

use super::call::{Call, Outcome};
use super::managed::{missing, one_of};
use crate::world::Policies;
use crate::xml::Xml;

/// One entity: its kind, path, name and unique ID.
struct Entity<'a> {
    kind: &'static str,
    path: &'a str,
    name: &'a str,
    id: &'a str,
}

/// Lists the entities that have the policy as a permissions policy or as their boundary, unless a filter says which.
pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let arn = call.arn("PolicyArn")?;
    call.authorize("iam:ListEntitiesForPolicy", &arn)?;
    let kind = one_of(call, "EntityFilter", &["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"])?;
    let usage = one_of(call, "PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"])?;
    let prefix = call.parameters.get("PathPrefix").unwrap_or("/");
    let account = call.account()?;
    account.policy(&arn).ok_or_else(|| missing(&arn))?;
    let has = |policies: &Policies, boundary: Option<&str>| {
        let attached = policies.attached.contains(&arn) && usage != Some("PermissionsBoundary");
        attached || boundary == Some(&*arn) && usage != Some("PermissionsPolicy")
    };
    let groups = account.groups.values().filter(|group| has(&group.policies, None));
    let groups = groups.map(|it| Entity { kind: "Group", path: &it.path, name: &it.name, id: &it.id });
    let users = account.users.values().filter(|user| has(&user.policies, user.boundary.as_deref()));
    let users = users.map(|it| Entity { kind: "User", path: &it.path, name: &it.name, id: &it.id });
    let roles = account.roles.values().filter(|role| has(&role.policies, role.boundary.as_deref()));
    let roles = roles.map(|it| Entity { kind: "Role", path: &it.path, name: &it.name, id: &it.id });
    let all = groups.chain(users).chain(roles);
    let wanted = all.filter(|entity| entity.path.starts_with(prefix) && kind.is_none_or(|kind| kind == entity.kind));
    let (page, next) = call.page(wanted.collect())?;
    Ok(Some(Xml::build(|xml| {
        for kind in ["Group", "User", "Role"] {
            let found = page.iter().filter(|entity| entity.kind == kind);
            xml.members(&format!("Policy{kind}s"), found, |xml, entity| {
                xml.text(&format!("{kind}Name"), entity.name);
                xml.text(&format!("{kind}Id"), entity.id);
            });
        }
        xml.text("IsTruncated", next.is_some());
        xml.optional("Marker", next);
    })))
}
