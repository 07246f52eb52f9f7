//! Plans the managed policy with the grant of a permission set, to which the set's administrator refers once.

use std::collections::BTreeSet;

use super::change::{Change, Note, Plan};
use super::contents::{Contents, covers, in_words};
use super::organization::{Lost, Wide, wide_without};
use super::places::Room;
use super::refusal::Refusal;
use crate::iam::arn::PrincipalArn;
use crate::iam::grant_names::{SET_PART, grant_part_name};
use crate::iam::organization_grant::OrganizationGrant;
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{DesiredGrant, FoundDocument, GrantPart, ObservedPrincipal};
use crate::iam::templates;

/// Returns the change, if any, that makes the policy cover the desired roles.
///
/// # Errors
/// [`Refusal`] when others wrote something into the policy and `adopt` is not set, or it would exceed the quota.
pub fn plan_set_policy(
    desired: &DesiredGrant,
    observed: &ObservedPrincipal,
    adopt: bool,
) -> Result<Plan, Box<Refusal>> {
    let principal = &desired.principal;
    let part = part(observed);
    let contents = part.map(|part| Contents::of(&part.document)).unwrap_or_default();
    let wide = Wide::of(desired, [&contents]);
    let roles = desired.listed(&contents.roles, wide.before.as_ref());
    let mut with_session_tags = contents.with_session_tags.clone();
    with_session_tags.retain(|role| !desired.roles.contains(role));
    with_session_tags.extend(desired.with_session_tags.iter().cloned());
    let to = desired.document_of(&roles, &with_session_tags, wide.after.as_ref());
    let mut plan = Plan::default();
    if !part.is_some_and(|part| part.document.matches(&to)) {
        let name = grant_part_name(principal, SET_PART);
        let most = observed.managed.as_ref().map_or(0, |managed| managed.size.most);
        if to.size() > most {
            let room = Room { inline: 0, managed: most, policies: 1 };
            let (principal, size, roles) = (principal.clone(), to.size(), roles.len());
            return Err(Box::new(Refusal::TooManyRoles { principal, roles, size, room }));
        }
        if let Some(part) = part.filter(|_| !adopt)
            && (!contents.foreign.is_empty() || part.document.policy().is_none())
        {
            let statements = match &part.document {
                FoundDocument::Policy(_) => contents.foreign.iter().map(in_words).collect(),
                FoundDocument::Unparsed { text, .. } => BTreeSet::from([text.clone()]),
            };
            return Err(Box::new(Refusal::ForeignPart { principal: principal.clone(), name, statements }));
        }
        let is_covered = |role: &&_| contents.roles.contains(*role) || wide.covers_now(role);
        let was = part.and_then(|part| part.document.policy()).map(covers).unwrap_or_default();
        let removes = &was - &covers(&to);
        plan.changes.push(Change::PutGrantPart {
            principal: principal.clone(),
            name,
            added: desired.roles.iter().filter(|role| !is_covered(role)).cloned().collect(),
            removes: removes.into_iter().filter(|arn| !wide.covers_text_later(arn)).collect(),
            from: part.map(|part| Box::new(part.document.clone())),
            to: Box::new(to),
            // Only the set's administrator can refer to it.
            attaches: false,
        });
    }
    Ok(wide.risks(desired, part.is_some(), plan))
}

/// Returns the change that removes these roles from the policy. While the set refers to it, AWS does not delete it.
#[must_use]
pub fn plan_set_policy_removal(principal: &PrincipalArn, lost: Lost<'_>, observed: &ObservedPrincipal) -> Plan {
    let Some(part) = part(observed) else { return Plan::default() };
    let Some(policy) = part.document.policy() else { return Plan::default() };
    let contents = Contents::of(&part.document);
    let roles: BTreeSet<_> = contents.roles.difference(lost.roles).cloned().collect();
    let with_session_tags = contents.with_session_tags.intersection(&roles).cloned().collect();
    let wide = wide_without(contents.organization.clone(), lost.gone);
    let mut statements = templates::grant(&roles, &with_session_tags).statements;
    statements.extend(wide.iter().flat_map(OrganizationGrant::statements));
    statements.extend(contents.foreign.clone());
    let to = PolicyDocument::of(statements);
    let is_gone = |role: &&_| contents.roles.contains(*role) || contents.covers_in_organization(role);
    let removed: BTreeSet<_> = lost.roles.iter().filter(is_gone).cloned().collect();
    let (name, from) = (grant_part_name(principal, SET_PART), Box::new(part.document.clone()));
    let mut plan = Plan::default();
    if part.document.matches(&to) {
        return plan;
    }
    if !to.statements.is_empty() {
        plan.changes.push(Change::PutGrantPart {
            principal: principal.clone(),
            name,
            added: BTreeSet::new(),
            removes: &covers(policy) - &covers(&to),
            from: Some(from),
            to: Box::new(to),
            attaches: false,
        });
    } else if part.is_attached {
        plan.notes.push(Note::PermissionSetRefers { set: principal.clone(), policy: name });
    } else {
        plan.changes.push(Change::DeleteGrantPart { principal: principal.clone(), name, removed, from });
    }
    plan
}

fn part(observed: &ObservedPrincipal) -> Option<&GrantPart> {
    observed.managed.as_ref()?.parts.get(&SET_PART)
}

#[cfg(test)]
mod tests;
