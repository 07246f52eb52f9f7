//! Plans the changes that create or repair both halves of a link.
//!
//! [`plan_role`] and [`plan_grant`] are pure: `--dry-run` shows the changes that they return, and bootstrap applies the
//! same ones. A second plan after applying the first has no changes.

use std::collections::{BTreeMap, BTreeSet};

use super::callers;
use super::change::{Change, Note, Plan};
use super::contents::{Contents, covers, in_words, is_own_statement};
use super::order::{narrows_first, without_room};
use super::organization::Wide;
use super::parts::{self, ForeignPart, Others, Spread};
use super::places;
use super::quotas::{Excess, exceeded};
pub use super::refusal::Refusal;
use super::set_policy::plan_set_policy;
use super::weaker;
use crate::iam::admission::{Who, of_trust};
use crate::iam::arn::{PrincipalArn, RoleArn};
use crate::iam::effective::surely_denies;
use crate::iam::evaluate::{self, Context, Principal, Request, StatementFinding};
use crate::iam::identity::found_in_words;
use crate::iam::organization_grant::OrganizationGrant;
use crate::iam::policy::{Effect, PolicyDocument, Statement};
use crate::iam::record::POLICIES_TAG;
use crate::iam::revocation::REVOKE_POLICY;
use crate::iam::risks::{self, Counted, Risk};
use crate::iam::state::{
    BOUNDARY_TAG, DesiredGrant, DesiredRole, FoundDocument, ObservedPrincipal, ObservedRole, Quota, RoleQuotas,
    SOURCE_TAG,
};
use crate::iam::templates;

/// Returns the changes that create or repair the role.
///
/// # Errors
/// [`Refusal`] when xacct did not create the role and `adopt` is not set, or AWS would reject the result.
pub fn plan_role(
    desired: &DesiredRole,
    observed: Option<&ObservedRole>,
    quotas: &RoleQuotas,
    adopt: bool,
) -> Result<Plan, Box<Refusal>> {
    let found = observed.and_then(|role| role.trust.policy());
    let kept = found
        .map(|found| callers::accepted_statements(found, &desired.trust, &desired.accepted, desired.subject(observed)));
    let mut desired = desired.clone();
    desired.trust.statements.extend(kept.into_iter().flatten());
    let desired = &desired;
    let mut plan = match observed {
        None => {
            let mut changes = vec![Change::CreateRole(Box::new(desired.clone()))];
            changes.extend(permissions(desired, &BTreeSet::new(), &BTreeMap::new(), false));
            Plan { changes, ..Plan::default() }
        }
        Some(observed) if observed.arn != desired.arn.to_string() => {
            return Err(Box::new(Refusal::OtherPath { found: observed.arn.clone(), wanted: desired.arn.clone() }));
        }
        Some(observed) => repair_role(desired, observed),
    };
    if let Some(observed) = observed {
        plan.warnings.extend(weaker::of_changes(&plan.changes, desired, observed).into_iter().map(Risk::Weaker));
        let crowded = without_room(&plan.changes, observed, quotas);
        plan.warnings.extend(crowded.into_iter().map(Risk::RemovesFirst));
    }
    plan.warnings.extend(risks::of_role(desired, observed, quotas));
    if let Some(found) = found {
        let admitted = of_trust(found, desired.subject(observed));
        for entry in &desired.accepted {
            if admitted.iter().flat_map(|admitted| admitted.who.parts()).any(|who| entry.includes(&who)) {
                plan.notes.push(Note::Accepted(entry.clone()));
            } else {
                plan.warnings.push(Risk::AcceptedNobody { who: entry.who.clone() });
            }
        }
    }
    let removed = plan.changes.iter().filter_map(|change| match change {
        Change::ReplaceTrustPolicy { removes, .. } => Some(removes),
        _ => None,
    });
    let is_adopted = observed.is_some_and(|role| !role.is_ours());
    let removed: Vec<_> =
        removed.flatten().filter(|who| is_adopted || !is_named(who, &plan.warnings)).cloned().collect();
    plan.warnings.extend(removed.into_iter().map(|who| match is_adopted {
        true => Risk::LosesAccess(who),
        false => Risk::UntilApplied(Box::new(Risk::UndeclaredCaller(who))),
    }));
    for excess in exceeded(&plan.changes, desired, observed, quotas) {
        if excess.quota.is_read {
            return Err(Box::new(too_large(&desired.arn, excess)));
        }
        plan.warnings.push(excess.into_risk());
    }
    let Some(observed) = observed else { return Ok(plan) };
    if !observed.is_ours() && !adopt {
        return Err(Box::new(Refusal::ForeignRole { role: desired.arn.clone(), differences: plan }));
    }
    match observed.tags.get(SOURCE_TAG) {
        Some(owner) if *owner != desired.source.as_str() && !adopt => {
            Err(Box::new(Refusal::OtherSource { role: desired.arn.clone(), owner: owner.clone() }))
        }
        _ if !adopt && !desired.identity.owns(&observed.tags, observed.trust.policy()) => {
            Err(Box::new(Refusal::OtherLink {
                role: desired.arn.clone(),
                found: found_in_words(&observed.tags, observed.trust.policy()),
                wanted: desired.identity.in_words(),
            }))
        }
        _ => Ok(plan),
    }
}

/// Returns whether another warning names these callers.
fn is_named(who: &Who, warnings: &[Risk]) -> bool {
    let names = |risk: &Risk| match (risk, who) {
        (Risk::Everyone, Who::Everyone) => true,
        (Risk::ConfusedDeputy { account }, Who::Account(named)) => account == named,
        _ => false,
    };
    warnings.iter().any(|risk| matches!(risk, Risk::UntilApplied(risk) if names(risk)))
}

fn too_large(role: &RoleArn, excess: Excess) -> Refusal {
    let (role, Excess { what, size, quota, .. }) = (role.clone(), excess);
    match what {
        Counted::AttachedPolicies => Refusal::TooManyPolicies { role, count: size, quota: quota.most },
        Counted::TrustPolicy => Refusal::TrustPolicyTooLarge { role, size, quota: quota.most },
        Counted::RolePolicies | Counted::UserPolicies => {
            Refusal::RolePoliciesTooLarge { role, size, quota: quota.most }
        }
    }
}

/// Returns the changes to a role that exists.
fn repair_role(desired: &DesiredRole, observed: &ObservedRole) -> Plan {
    let mut changes = Vec::new();
    if !observed.trust.matches(&desired.trust) {
        let removed = observed
            .trust
            .policy()
            .map(|found| callers::removed(found, &desired.trust, desired.subject(Some(observed))));
        changes.push(Change::ReplaceTrustPolicy {
            from: Box::new(observed.trust.clone()),
            to: Box::new(desired.trust.clone()),
            removes: removed.unwrap_or_default(),
        });
    }
    if observed.description != desired.description || observed.max_session != desired.max_session.as_secs() {
        changes.push(Change::UpdateRole {
            from: (observed.description.clone(), observed.max_session),
            description: desired.description.clone(),
            max_session: desired.max_session,
        });
    }
    if let Some(boundary) = &desired.boundary
        && observed.boundary.as_deref() != Some(boundary.to_string().as_str())
    {
        changes.push(Change::SetBoundary { from: observed.boundary.clone(), to: boundary.clone() });
    }
    let permissions = permissions(desired, &observed.attachments, &observed.inline, narrows_first(&changes));
    let mut wanted_tags = desired.all_tags();
    if observed.tags.contains_key(POLICIES_TAG) {
        wanted_tags.entry(POLICIES_TAG.to_owned()).or_default();
    }
    let mut tags: BTreeMap<_, _> =
        wanted_tags.iter().filter(|(key, value)| observed.tags.get(*key) != Some(value)).map(owned).collect();
    // Until the policies are detached, only the old record says that xacct attached them.
    let detaches = permissions.iter().any(|change| matches!(change, Change::DetachPolicy { .. }));
    let record = if detaches { tags.remove_entry(POLICIES_TAG) } else { None };
    if !tags.is_empty() {
        changes.push(Change::TagRole { tags });
    }
    changes.extend(permissions);
    changes.extend(record.map(|record| Change::TagRole { tags: [record].into() }));

    let mut notes = Vec::new();
    let is_ours = |key: &str| wanted_tags.contains_key(key) || key == BOUNDARY_TAG;
    let others: BTreeSet<_> = observed.tags.keys().filter(|key| !is_ours(key)).cloned().collect();
    if !others.is_empty() {
        notes.push(Note::OtherTags(others));
    }
    if let (None, Some(boundary)) = (&desired.boundary, &observed.boundary) {
        notes.push(Note::OtherBoundary(boundary.clone()));
    }
    notes.extend(observed.inline.iter().filter_map(|(policy, found)| {
        let before = found.as_ref()?.revoked_before()?;
        Some(Note::Revoked { policy: policy.clone(), before, is_own: policy == REVOKE_POLICY })
    }));
    Plan { changes, notes, warnings: Vec::new() }
}

/// Returns how a role differs from a newly created `desired`, except in its policies; empty if it does not differ.
#[must_use]
pub fn unlike_created(desired: &DesiredRole, found: &ObservedRole) -> BTreeSet<&'static str> {
    let Plan { changes, notes, .. } = repair_role(desired, found);
    let changed = changes.iter().filter_map(|change| match change {
        Change::ReplaceTrustPolicy { .. } => Some("trust policy"),
        Change::UpdateRole { .. } => Some("description or session limit"),
        Change::SetBoundary { .. } => Some("boundary"),
        Change::TagRole { .. } => Some("tags"),
        _ => None,
    });
    let noted = notes.iter().filter_map(|note| match note {
        Note::OtherBoundary(_) => Some("boundary"),
        Note::OtherTags(_) => Some("tags"),
        _ => None,
    });
    let path = (found.arn != desired.arn.to_string()).then_some("path or spelling");
    changed.chain(noted).chain(path).collect()
}

/// Returns the changes to what the role may do. Where it is narrowed first, an inline policy that changes is removed and
/// put anew: whoever gets in between must have neither what it allows now nor what it will.
fn permissions(
    desired: &DesiredRole,
    attached: &BTreeSet<String>,
    inline: &BTreeMap<String, Option<FoundDocument>>,
    narrows_first: bool,
) -> Vec<Change> {
    let attach = desired.attachments.iter().filter(|policy| !attached.contains(&policy.to_string()));
    let found = |name: &str| inline.get(name).and_then(Option::as_ref);
    let changed: BTreeMap<_, _> = desired
        .inline
        .iter()
        .map(|(name, wanted)| (name.as_str(), (name, wanted)))
        .filter(|(name, (_, wanted))| !found(name).is_some_and(|found| found.matches(wanted)))
        .collect();
    let put = changed.values().map(|(name, wanted)| Change::PutRolePolicy {
        name: (*name).clone(),
        from: found(name.as_str()).filter(|_| !narrows_first).cloned().map(Box::new),
        to: Box::new((*wanted).clone()),
    });
    let goes = |name: &str| desired.removes_inline(name, found(name)) || (narrows_first && changed.contains_key(name));
    let delete = inline.keys().filter(|name| goes(name));
    let detach = attached.iter().filter(|policy| desired.detaches(policy));
    delete
        .map(|name| Change::DeleteRolePolicy { name: name.clone() })
        .chain(detach.map(|policy| Change::DetachPolicy { policy: policy.clone() }))
        .chain(attach.map(|policy| Change::AttachPolicy { policy: policy.clone() }))
        .chain(put)
        .collect()
}

/// Returns the change, if any, that makes the grant cover the desired roles.
///
/// Roles that the grant already covers stay in it: they belong to other links of the same user.
///
/// # Errors
/// [`Refusal`] when xacct did not write the policy and `adopt` is not set, or the grant would exceed the quota.
pub fn plan_grant(desired: &DesiredGrant, observed: &ObservedPrincipal, adopt: bool) -> Result<Plan, Box<Refusal>> {
    if desired.is_referenced {
        return plan_set_policy(desired, observed, adopt);
    }
    let inline = observed.grant.as_ref().map(Contents::of).unwrap_or_default();
    let parts = parts::contents(observed);
    let exists = observed.grant.is_some() || !parts.is_empty();
    let wide = Wide::of(desired, [&inline].into_iter().chain(parts.values()));
    let listed: BTreeSet<_> = inline.roles.union(&parts::granted(observed)).cloned().collect();
    let roles = desired.listed(&listed, wide.before.as_ref());
    let mut covered = listed.clone();
    covered.extend(desired.own.union(&desired.roles).filter(|role| wide.covers_now(role)).cloned());
    let mut with_session_tags = inline.with_session_tags.clone();
    with_session_tags.extend(parts.values().flat_map(|part| part.with_session_tags.iter().cloned()));
    with_session_tags.retain(|role| !desired.roles.contains(role));
    with_session_tags.extend(desired.with_session_tags.iter().cloned());
    let whole = desired.document_of(&roles, &with_session_tags, wide.after.as_ref());
    let size = whole.size() + observed.other_policies_size.unwrap_or(0);
    let Some(managed) =
        observed.managed.as_ref().filter(|managed| !managed.parts.is_empty() || size > observed.quota.most)
    else {
        return Ok(wide.risks(desired, exists, plan_inline(desired, observed, adopt, whole, &covered)?));
    };
    let mut kept = if adopt { Vec::new() } else { inline.foreign.clone() };
    kept.extend(wide.after.iter().flat_map(OrganizationGrant::statements));
    let room = parts::room(observed, managed, &kept);
    let spread = Spread {
        places: places::distribute(&parts::found_places(&inline, &parts), &roles, &with_session_tags, room)
            .ok_or_else(|| {
                let (principal, size, roles) = (desired.principal.clone(), whole.size(), roles.len());
                Refusal::TooManyRoles { principal, roles, size, room }
            })?,
        added: roles.difference(&covered).cloned().collect(),
        removed: listed.difference(&roles).cloned().collect(),
        with_session_tags,
        room,
    };
    let document = desired.document_of(&spread.inline(), &spread.with_session_tags, wide.after.as_ref());
    let mut plan = plan_inline(desired, observed, adopt, document, &covered)?;
    // Full on purpose.
    plan.warnings.retain(|risk| !matches!(risk, Risk::NearQuota { .. }));
    let elsewhere = spread.covered();
    for change in &mut plan.changes {
        if let Change::PutGrant { added, removes, to, .. } = change {
            let own = covers(to);
            added.retain(|role| own.contains(&role.to_string()) || wide.covers_later(role));
            removes.retain(|arn| !elsewhere.contains(arn));
        }
    }
    let others = if adopt { Others::Replace } else { Others::Refuse };
    plan.changes.extend(spread.changes(observed, others).map_err(|ForeignPart { name, statements }| {
        Refusal::ForeignPart { principal: desired.principal.clone(), name, statements }
    })?);
    for change in &mut plan.changes {
        if let Change::PutGrant { removes, .. } | Change::PutGrantPart { removes, .. } = change {
            removes.retain(|arn| !wide.covers_text_later(arn));
        }
    }
    plan.changes = parts::growing_first(plan.changes);
    plan.notes.extend(spread.note(observed));
    Ok(wide.risks(desired, exists, plan))
}

/// Returns the change, if any, that makes this the inline policy of the grant. `covered` are the roles that the grant
/// covers now.
fn plan_inline(
    desired: &DesiredGrant,
    observed: &ObservedPrincipal,
    adopt: bool,
    document: PolicyDocument,
    covered: &BTreeSet<RoleArn>,
) -> Result<Plan, Box<Refusal>> {
    let standing = observed.grant.as_ref().and_then(FoundDocument::policy);
    let (own, foreign): (Vec<_>, Vec<_>) =
        standing.into_iter().flat_map(|policy| &policy.statements).partition(|statement| is_own_statement(statement));
    let (allowing, denying): (Vec<&Statement>, Vec<_>) =
        foreign.iter().partition(|statement| statement.effect == Effect::Allow);
    let wide: Vec<_> = allowing.iter().copied().filter(|statement| is_wide(statement)).map(in_words).collect();
    let breaking: Vec<_> = denying.iter().filter_map(|statement| breaks(statement, desired)).collect();
    let [allowing, denying] = [allowing, denying].map(|some| some.into_iter().map(in_words).collect());
    let foreign: BTreeSet<_> = foreign.into_iter().map(in_words).collect();
    let own = PolicyDocument {
        statements: own.into_iter().cloned().collect(),
        ..templates::grant(&BTreeSet::new(), &BTreeSet::new())
    };
    let (principal, name) = (desired.principal.clone(), desired.policy_name.clone());
    let is_marked = [templates::LINK_SID, templates::ORGANIZATION_SID].iter().any(|sid| own.statement(sid).is_some());
    if observed.grant.is_some() && !is_marked && !adopt {
        return Err(Box::new(Refusal::ForeignGrant { principal, name, statements: foreign }));
    }
    let mut plan = Plan { warnings: risks::of_principal(&document, observed), ..Plan::default() };
    let accounts: BTreeSet<_> = desired.declared.iter().map(|role| &role.account).collect();
    let undeclared = |role: &&RoleArn| !desired.declared.contains(*role) && accounts.contains(&role.account);
    let undeclared: BTreeSet<_> = covered.iter().filter(undeclared).cloned().collect();
    if !undeclared.is_empty() {
        plan.warnings.push(Risk::UndeclaredRoles {
            principal: principal.clone(),
            policy: name.clone(),
            roles: undeclared,
        });
    }
    let is_needed = !document.statements.is_empty();
    if observed.grant.as_ref().map_or(!is_needed, |found| found.matches(&document)) {
        return Ok(plan);
    }
    if !foreign.is_empty() && !adopt {
        if own.means_the_same_as(&document) {
            let (allowing, denying): (BTreeSet<_>, BTreeSet<_>) = (allowing, denying);
            // Nothing is planned that would end them.
            plan.warnings.retain(|risk| !matches!(risk, Risk::UntilApplied(_)));
            if !wide.is_empty() {
                let problem = format!(
                    "inline policy `{name}` of {} was edited by hand and allows more roles: {}",
                    principal.in_words(),
                    wide.join(", ")
                );
                plan.warnings.push(Risk::NeedsAdoption { problem });
            }
            plan.warnings.extend(breaking);
            if !allowing.is_empty() {
                plan.warnings.push(Risk::UndeclaredStatements(allowing));
            }
            if !denying.is_empty() {
                plan.notes.push(Note::OtherStatements(denying));
            }
            return Ok(plan);
        }
        return Err(Box::new(Refusal::ForeignStatements { principal, name, statements: foreign }));
    }
    if !foreign.is_empty() {
        plan.notes.push(Note::ReplacedStatements(foreign));
    }
    if let Some(from) = observed.grant.clone().filter(|_| !is_needed).map(Box::new) {
        plan.changes.push(Change::DeleteGrant { principal, name, removed: BTreeSet::new(), from });
        return Ok(plan);
    }
    let size = document.size();
    let others = observed.other_policies_size.unwrap_or(0);
    let Quota { most: quota, is_read } = observed.quota;
    if size + others > quota {
        if is_read {
            return Err(Box::new(Refusal::GrantTooLarge { principal, size, others, quota }));
        }
        let (what, change) = (Counted::UserPolicies, format!("writing policy {name}"));
        plan.warnings.push(Risk::OverQuota { what, size: size + others, quota, change });
    }
    if observed.other_policies_size.is_none() {
        plan.notes.push(Note::QuotaNotCounted);
    }
    plan.changes.push(Change::PutGrant {
        principal,
        name,
        added: desired.roles.difference(covered).cloned().collect(),
        removes: standing.map_or_else(BTreeSet::new, |found| removed(found, &document)),
        from: observed.grant.clone().map(Box::new),
        to: Box::new(document),
    });
    Ok(plan)
}

/// Returns the roles and patterns that the grant no longer covers.
fn removed(found: &PolicyDocument, document: &PolicyDocument) -> BTreeSet<String> {
    let wide = OrganizationGrant::of(document);
    let is_covered = |arn: &String| {
        let role = arn.parse().ok();
        role.is_some_and(|role| wide.as_ref().is_some_and(|wide| wide.covers(&role)))
    };
    let removed = &covers(found) - &covers(document);
    removed.into_iter().filter(|arn| !is_covered(arn)).collect()
}

/// Returns whether a statement allows roles to be assumed that it does not name one by one.
fn is_wide(statement: &Statement) -> bool {
    !risks::of_grant(&PolicyDocument::of(vec![statement.clone()])).is_empty()
}

/// Returns the risk of a statement that certainly denies a role of the grant.
fn breaks(statement: &Statement, desired: &DesiredGrant) -> Option<Risk> {
    let document = PolicyDocument::of(vec![statement.clone()]);
    let holder = &desired.principal;
    let arns = [holder.to_string()].into_iter().collect();
    let principal = Principal { account: holder.account().clone(), arns, unique_id: None };
    let denies = |role: &&RoleArn| {
        let request = Request {
            principal: principal.clone().into(),
            action: "sts:AssumeRole".to_owned(),
            resource: role.to_string(),
            context: Context::default(),
        };
        surely_denies(&document, &request)
    };
    let role = desired.roles.iter().find(denies)?;
    Some(Risk::DeniedByGrant { role: role.clone(), statement: in_words(statement) })
}

/// Returns the risk of a statement that a file adds to the trust policy and that certainly denies the principal.
#[must_use]
pub fn denied_by_file(statements: &PolicyDocument, principal: &PrincipalArn, role: &RoleArn) -> Option<Risk> {
    let known = [
        ("aws:PrincipalArn", Some(principal.to_string())),
        ("aws:PrincipalAccount", Some(principal.account().to_string())),
        // Sessions of a role do not have it.
        ("aws:username", principal.user().map(|user| user.name.to_string())),
    ];
    let mut context = Context::default();
    for (key, value) in &known {
        context.set(key, value.clone());
    }
    let arns = [principal.to_string()].into_iter().collect();
    let request = Request {
        principal: Principal { account: principal.account().clone(), arns, unique_id: None }.into(),
        action: "sts:AssumeRole".to_owned(),
        resource: role.to_string(),
        context,
    };
    let is_known = |key: &String| known.iter().any(|(known, _)| known.eq_ignore_ascii_case(key));
    let denies = |statement: &&Statement| {
        let document = PolicyDocument::of(vec![(*statement).clone()]);
        let applies = evaluate::resource_policy(&document, &request).statements.iter().all(StatementFinding::applies);
        let is_plain =
            !document.minified().contains("${") && statement.condition.values().flat_map(BTreeMap::keys).all(is_known);
        statement.effect == Effect::Deny && applies && is_plain
    };
    let statement = statements.statements.iter().find(denies)?;
    Some(Risk::DeniedByFile { principal: principal.clone(), statement: in_words(statement) })
}

/// Returns whether this is exactly a grant that xacct would write, so that rewriting it loses nothing.
#[must_use]
pub fn is_plain_grant(found: &FoundDocument) -> bool {
    let Some(policy) = found.policy() else { return false };
    let roles = templates::granted_roles(policy, templates::LINK_SID, "sts:AssumeRole");
    let with_session_tags = templates::granted_roles(policy, templates::SESSION_TAGS_SID, "sts:TagSession");
    let mut plain = templates::grant(&roles, &with_session_tags);
    plain.statements.extend(OrganizationGrant::of(policy).iter().flat_map(OrganizationGrant::statements));
    found.matches(&plain)
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

#[cfg(test)]
mod tests;
