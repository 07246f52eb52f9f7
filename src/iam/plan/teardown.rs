//! Plans the changes that delete a role and remove it from the grant. Pure, like [`crate::iam::plan::bootstrap`].
//!
//! A second plan after applying the first has no changes. A plan contains unmanaged resources only on request.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::change::{Change, Note, Plan};
use super::contents::Contents;
pub use super::organization::Lost;
use super::organization::wide_without;
use super::parts::{self, Others, Spread};
use super::places;
use super::places::Distribution;
use super::set_policy::plan_set_policy_removal;
use crate::iam::arn::{PolicyArn, PrincipalArn, RoleArn, RolePattern};
use crate::iam::identity::{Identity, found_in_words};
use crate::iam::last_use::{LastUse, RecentUse, TestUse};
use crate::iam::names::{AccountId, PolicyName};
use crate::iam::organization_grant::OrganizationGrant;
use crate::iam::policy::{Effect, Element, PolicyDocument, Statement};
use crate::iam::revocation::CONSOLE_POLICY;
use crate::iam::risks::Risk;
use crate::iam::state::{
    Fingerprint, FoundDocument, GrantPart, ManagedPolicies, OWN_POLICY_PREFIX, ObservedPrincipal, SOURCE_TAG, is_ours,
};
use crate::iam::templates::is_own_sid;

/// An existing role, as far as its removal needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingRole {
    /// `RoleId`: another role of the same name has another one.
    pub id: String,
    /// The ARN from IAM, even if it is not a valid [`RoleArn`].
    pub arn: String,
    /// All tags, which mark ownership.
    pub tags: BTreeMap<String, String>,
    /// The trust policy.
    pub trust: FoundDocument,
    /// The ARN of the permissions boundary, which AWS removes with the role.
    pub boundary: Option<String>,
    /// ARNs of attached managed policies, which must be detached first.
    pub attachments: BTreeSet<String>,
    /// Names of inline policies, which must be deleted first.
    pub inline: BTreeSet<String>,
    /// Names of the instance profiles that contain it.
    pub instance_profiles: BTreeSet<String>,
    /// The last use of the role; `None` if AWS knows of none.
    pub last_used: Option<LastUse>,
}

impl StandingRole {
    /// Returns what its removal rests on. Its last use is not part of it: AWS shows a use hours later.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let Self { id, arn, tags, trust, boundary, attachments, inline, instance_profiles, last_used: _ } = self;
        Fingerprint::of([
            ("role ID", id.clone()),
            ("path", arn.clone()),
            ("tags", format!("{tags:?}")),
            ("trust policy", format!("{trust:?}")),
            ("boundary", format!("{boundary:?}")),
            ("managed policies", format!("{attachments:?}")),
            ("inline policies", format!("{inline:?}")),
            ("instance profiles", format!("{instance_profiles:?}")),
        ])
    }
}

/// The link to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The role in `xacct.toml`.
    pub role: RoleArn,
    /// The source account.
    pub source: AccountId,
    /// The link.
    pub identity: Identity,
    /// The managed policies in the link's settings.
    pub attachments: BTreeSet<PolicyArn>,
    /// The boundary in the link's settings.
    pub boundary: Option<PolicyArn>,
    /// The tests of the role that this machine has on record.
    pub tests: Vec<TestUse>,
    /// The time.
    pub now: OffsetDateTime,
    /// Whether to delete a recently used role.
    pub even_if_used: bool,
    /// The last use that the operator was shown, and so confirms with the plan.
    pub shown_use: Option<LastUse>,
    /// Whether to delete a role with unmanaged policies.
    pub even_if_extended: bool,
}

impl Removal {
    /// Returns the recent use of the role, if it may be that of others.
    #[must_use]
    pub fn use_of_others(&self, standing: &StandingRole) -> Option<RecentUse> {
        RecentUse::of(&self.role, standing.last_used.as_ref()?, &self.tests, self.now)
    }
}

/// Why xacct refuses to delete a role.
///
/// `owner` is the source account in the role's tag; `attachments` and `boundary` are ARNs.
#[expect(missing_docs, reason = "the messages explain the fields")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// xacct did not create it.
    #[error("role `{}` in account {} does not have xacct's tag: xacct did not create it", .0.name, .0.account)]
    Foreign(RoleArn),
    /// It belongs to the link of another source account.
    #[error("role `{}` in account {} belongs to the link from source account {owner}", .role.name, .role.account)]
    OtherSource { role: RoleArn, owner: String },
    /// No tag says which source account it is for.
    #[error("role `{}` in account {} has no tag {SOURCE_TAG}, so xacct does not know whose it is", .0.name, .0.account)]
    NoSource(RoleArn),
    /// It belongs to another link of the same source account. `found` and `wanted` say to which.
    #[error("role `{}` in account {} belongs to another link: {found}, but xacct.toml has {wanted}", .role.name, .role.account)]
    OtherLink { role: RoleArn, found: String, wanted: String },
    /// It is not the role in `xacct.toml`.
    #[error("the role is `{found}`, but xacct.toml names `{wanted}`")]
    OtherArn { found: String, wanted: RoleArn },
    /// It is in instance profiles, which xacct does not change.
    #[error("role `{}` in account {} is in instance profiles ({}), and AWS cannot delete a role that is in one", .role.name, .role.account, list(.profiles))]
    InstanceProfiles { role: RoleArn, profiles: BTreeSet<String> },
    /// It has unmanaged policies or another boundary.
    #[error("role `{}` in account {} has policies not listed in xacct.toml: {}", .role.name, .role.account, extensions(.attachments, .inline, .boundary.as_ref()))]
    Extended { role: RoleArn, attachments: BTreeSet<String>, inline: BTreeSet<String>, boundary: Option<String> },
    /// It was used recently, perhaps by others.
    #[error("{0}")]
    UsedLately(RecentUse),
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().cloned().collect::<Vec<_>>().join(", ")
}

fn extensions(attachments: &BTreeSet<String>, inline: &BTreeSet<String>, boundary: Option<&String>) -> String {
    let attached = attachments.iter().map(|arn| format!("managed policy {arn}"));
    let inline = inline.iter().map(|name| format!("inline policy {name}"));
    let boundary = boundary.map(|arn| format!("permissions boundary {arn}"));
    attached.chain(inline).chain(boundary).collect::<Vec<_>>().join(", ")
}

/// Returns the changes that delete the role, in the order that AWS requires: its inline policies, its attachments, the
/// role itself.
///
/// # Errors
/// Every [`Objection`], so that one run reports all of them.
pub fn plan_role_removal(removal: &Removal, standing: Option<&StandingRole>) -> Result<Plan, Vec<Objection>> {
    let Some(standing) = standing else { return Ok(Plan::default()) };
    let objections = objections(removal, standing);
    if !objections.is_empty() {
        return Err(objections);
    }
    let inline = standing.inline.iter().map(|name| Change::DeleteRolePolicy { name: name.clone() });
    let detach = standing.attachments.iter().map(|policy| Change::DetachPolicy { policy: policy.clone() });
    let role = Change::DeleteRole { role: removal.role.clone() };
    let used = removal.use_of_others(standing).filter(|_| !removal.even_if_used);
    let warnings = used.map(Risk::InUse).into_iter().collect();
    Ok(Plan { changes: inline.chain(detach).chain([role]).collect(), warnings, ..Plan::default() })
}

/// The ARN, the tags and the trust policy of a role, by which xacct tells whose it is.
pub(super) type Marks<'a> = (&'a String, &'a BTreeMap<String, String>, &'a FoundDocument);

/// Returns why a role is not that of a link; `None` if it is.
pub(super) fn not_of_the_link(
    role: &RoleArn,
    source: &AccountId,
    identity: &Identity,
    (arn, tags, trust): Marks<'_>,
) -> Option<Objection> {
    if *arn != role.to_string() {
        return Some(Objection::OtherArn { found: arn.clone(), wanted: role.clone() });
    }
    if !is_ours(tags) {
        return Some(Objection::Foreign(role.clone()));
    }
    if let Some(owner) = tags.get(SOURCE_TAG).filter(|owner| **owner != source.as_str()) {
        return Some(Objection::OtherSource { role: role.clone(), owner: owner.clone() });
    }
    (!identity.owns(tags, trust.policy())).then(|| Objection::OtherLink {
        role: role.clone(),
        found: found_in_words(tags, trust.policy()),
        wanted: identity.in_words(),
    })
}

fn objections(removal: &Removal, standing: &StandingRole) -> Vec<Objection> {
    let role = &removal.role;
    let marks = (&standing.arn, &standing.tags, &standing.trust);
    // For a role that is not ours, xacct checks nothing else.
    if let Some(objection) = not_of_the_link(role, &removal.source, &removal.identity, marks) {
        return vec![objection];
    }
    let mut objections = Vec::new();
    if !standing.instance_profiles.is_empty() {
        let profiles = standing.instance_profiles.clone();
        objections.push(Objection::InstanceProfiles { role: role.clone(), profiles });
    }
    let named: BTreeSet<_> = removal.attachments.iter().map(ToString::to_string).collect();
    let attachments: BTreeSet<_> = standing.attachments.difference(&named).cloned().collect();
    // What revokes sessions goes with the role, which ends them all.
    let is_expected = |name: &&String| name.starts_with(OWN_POLICY_PREFIX) || *name == CONSOLE_POLICY;
    let inline: BTreeSet<_> = standing.inline.iter().filter(|name| !is_expected(name)).cloned().collect();
    let ours = removal.boundary.as_ref().map(ToString::to_string);
    let boundary = standing.boundary.clone().filter(|found| Some(found) != ours.as_ref());
    let is_extended = !attachments.is_empty() || !inline.is_empty() || boundary.is_some();
    if is_extended && !removal.even_if_extended {
        objections.push(Objection::Extended { role: role.clone(), attachments, inline, boundary });
    }
    let used = removal.use_of_others(standing).filter(|used| removal.shown_use.as_ref() != Some(&used.last));
    objections.extend(used.filter(|_| !removal.even_if_used).map(Objection::UsedLately));
    objections
}

/// Returns the change that removes these roles from the grant: it rewrites the policy, or deletes it if no statement
/// remains.
///
/// Unmanaged statements of the policy stay, and so does a policy with that name that xacct did not write. Of what the
/// grant covers in every account of an organization, only `gone` goes: no other link uses it.
#[must_use]
pub fn plan_grant_removal(
    principal: &PrincipalArn,
    name: &PolicyName,
    Lost { roles, gone }: Lost<'_>,
    observed: Option<&ObservedPrincipal>,
) -> Plan {
    if let (PrincipalArn::PermissionSet(_), Some(observed)) = (principal, observed) {
        return plan_set_policy_removal(principal, Lost { roles, gone }, observed);
    }
    let spread = observed.and_then(|observed| Some((observed, observed.managed.as_ref()?)));
    let plan = match spread.filter(|(_, managed)| !managed.parts.is_empty()) {
        Some((observed, managed)) => plan_spread_removal(name, roles, gone, observed, managed),
        None => plan_inline_removal(principal, name, roles, gone, observed),
    };
    let wide = observed.and_then(|observed| OrganizationGrant::of(observed.grant.as_ref()?.policy()?));
    let used = wide.into_iter().flat_map(|wide| wide.roles);
    let used = used.filter(|pattern| !gone.contains(pattern) && roles.iter().any(|role| pattern.covers(role)));
    let stays = used.map(|roles| Note::OrganizationGrantStays { principal: principal.clone(), roles });
    plan.and(Plan { notes: stays.collect(), ..Plan::default() })
}

/// Returns the changes that remove these roles from a grant with managed policies. What remains moves to fewer of them,
/// and in the end back to the inline policy.
fn plan_spread_removal(
    name: &PolicyName,
    roles: &BTreeSet<RoleArn>,
    gone: &BTreeSet<RolePattern>,
    observed: &ObservedPrincipal,
    managed: &ManagedPolicies,
) -> Plan {
    let inline = observed.grant.as_ref().map(Contents::of).unwrap_or_default();
    let parts = parts::contents(observed);
    let found = parts::found_places(&inline, &parts);
    let all: BTreeSet<_> = inline.roles.union(&parts::granted(observed)).cloned().collect();
    let removed: BTreeSet<_> = all.intersection(roles).cloned().collect();
    let is_left_over = |part: &GrantPart| !part.is_attached;
    let rest = wide_without(inline.organization.clone(), gone);
    let is_narrowed = rest != inline.organization;
    if removed.is_empty() && !is_narrowed && !managed.parts.values().any(is_left_over) {
        return Plan::default();
    }
    let wanted: BTreeSet<_> = all.difference(roles).cloned().collect();
    let tags = [&inline].into_iter().chain(parts.values()).flat_map(|part| part.with_session_tags.iter().cloned());
    let with_session_tags = tags.collect();
    let wide: Vec<_> = rest.iter().flat_map(OrganizationGrant::statements).collect();
    let room = parts::room(observed, managed, &[wide.as_slice(), &inline.foreign].concat());
    let places = places::distribute(&found, &wanted, &with_session_tags, room);
    // With less room than before, everything stays where it is.
    let places = places.unwrap_or_else(|| {
        let rest = found.iter().map(|(place, held)| (*place, held.intersection(&wanted).cloned().collect()));
        rest.filter(|(_, held): &(_, BTreeSet<_>)| !held.is_empty()).collect()
    });
    let spread = Spread { places, with_session_tags, added: BTreeSet::new(), removed, room };
    let mut to = spread.document(&spread.inline());
    to.statements.extend(wide);
    to.statements.extend(inline.foreign.clone());
    let principal = observed.arn.clone();
    let name = name.clone();
    let removed: BTreeSet<_> = spread.removed.intersection(&inline.roles).cloned().collect();
    let is_grown = !spread.inline().is_subset(&inline.roles);
    let mut changes = Vec::new();
    match observed.grant.clone().map(Box::new) {
        Some(from) if from.policy().is_none() || from.matches(&to) => {}
        None if to.statements.is_empty() => {}
        Some(from) if to.statements.is_empty() => {
            changes.push(Change::DeleteGrant { principal, name, removed, from });
        }
        Some(from) if !is_grown => {
            changes.push(Change::ShrinkGrant { principal, name, removed, from, to: Box::new(to) });
        }
        from => changes.push(Change::PutGrant {
            principal,
            name,
            added: BTreeSet::new(),
            removes: removed.iter().map(ToString::to_string).collect(),
            from,
            to: Box::new(to),
        }),
    }
    changes.extend(spread.changes(observed, Others::Keep).unwrap_or_default());
    Plan {
        changes: parts::growing_first(changes),
        notes: spread.note(observed).into_iter().collect(),
        ..Plan::default()
    }
}

fn plan_inline_removal(
    principal: &PrincipalArn,
    name: &PolicyName,
    roles: &BTreeSet<RoleArn>,
    gone: &BTreeSet<RolePattern>,
    observed: Option<&ObservedPrincipal>,
) -> Plan {
    let Some(found) = observed.and_then(|observed| observed.grant.as_ref()) else { return Plan::default() };
    let Some(policy) = found.policy().filter(|policy| has_own_statement(policy)) else {
        return Plan { notes: vec![Note::OtherGrant(name.to_string())], ..Plan::default() };
    };
    let (rest, removed) = without(policy, roles, gone);
    if rest == *policy {
        return Plan::default();
    }
    grant_removal(principal, name, found, rest, removed)
}

/// Returns the change that removes all of xacct's statements from the grant, whatever roles they cover. Unmanaged
/// statements stay, as in [`plan_grant_removal`].
#[must_use]
pub fn plan_whole_grant_removal(
    principal: &PrincipalArn,
    name: &PolicyName,
    observed: Option<&ObservedPrincipal>,
) -> Plan {
    let Some(observed) = observed else { return Plan::default() };
    if matches!(principal, PrincipalArn::PermissionSet(_)) {
        let roles = observed.policies().flat_map(granted_roles).collect();
        let gone = observed.policies().filter_map(OrganizationGrant::of).flat_map(|wide| wide.roles).collect();
        return plan_set_policy_removal(principal, Lost { roles: &roles, gone: &gone }, observed);
    }
    let parts = without_parts(observed);
    let Some(found) = &observed.grant else { return parts };
    let inline = match found.policy().filter(|policy| has_own_statement(policy)) {
        Some(policy) => {
            let mut rest = policy.clone();
            rest.statements.retain(|statement| !is_own(statement));
            grant_removal(principal, name, found, rest, granted_roles(policy))
        }
        None => Plan { notes: vec![Note::OtherGrant(name.to_string())], ..Plan::default() },
    };
    inline.and(parts)
}

/// Returns the changes that remove xacct's statements from the managed policies of a grant.
fn without_parts(observed: &ObservedPrincipal) -> Plan {
    let Some(managed) = &observed.managed else { return Plan::default() };
    let spread = Spread {
        places: Distribution::new(),
        with_session_tags: BTreeSet::new(),
        added: BTreeSet::new(),
        removed: parts::granted(observed),
        room: parts::room(observed, managed, &[]),
    };
    Plan { changes: spread.changes(observed, Others::Keep).unwrap_or_default(), ..Plan::default() }
}

fn grant_removal(
    principal: &PrincipalArn,
    name: &PolicyName,
    found: &FoundDocument,
    rest: PolicyDocument,
    removed: BTreeSet<RoleArn>,
) -> Plan {
    let (principal, name, from) = (principal.clone(), name.clone(), Box::new(found.clone()));
    let change = if rest.statements.is_empty() {
        Change::DeleteGrant { principal, name, removed, from }
    } else {
        Change::ShrinkGrant { principal, name, removed, from, to: Box::new(rest) }
    };
    Plan { changes: vec![change], ..Plan::default() }
}

/// Returns whether xacct wrote a statement of this grant.
#[must_use]
pub fn has_own_statement(grant: &PolicyDocument) -> bool {
    grant.statements.iter().any(is_own)
}

/// Returns the roles that xacct's statements name in all policies of a grant.
#[must_use]
pub fn roles_of_grant(observed: &ObservedPrincipal) -> BTreeSet<RoleArn> {
    observed.grant_policies().filter_map(FoundDocument::policy).flat_map(granted_roles).collect()
}

/// Returns the roles that xacct's statements of a policy name.
#[must_use]
pub fn granted_roles(grant: &PolicyDocument) -> BTreeSet<RoleArn> {
    let own = grant.statements.iter().filter(|statement| is_own(statement));
    let resources = own.filter_map(|statement| match &statement.resource {
        Some(Element::Is(resources)) => Some(resources),
        _ => None,
    });
    resources.flatten().filter_map(|resource| resource.parse().ok()).collect()
}

/// Returns whether xacct wrote this statement. A Deny statement is never xacct's, whatever its `Sid`: removing it would
/// allow more.
fn is_own(statement: &Statement) -> bool {
    statement.effect == Effect::Allow && statement.sid.as_deref().is_some_and(is_own_sid)
}

fn without(
    policy: &PolicyDocument,
    roles: &BTreeSet<RoleArn>,
    gone: &BTreeSet<RolePattern>,
) -> (PolicyDocument, BTreeSet<RoleArn>) {
    let (mut rest, mut removed) = (policy.clone(), BTreeSet::new());
    rest.statements.retain_mut(|statement| {
        if !is_own(statement) {
            return true;
        }
        let Some(Element::Is(resources)) = &mut statement.resource else { return true };
        for role in roles {
            if resources.remove(&role.to_string()) {
                removed.insert(role.clone());
            }
        }
        for pattern in gone {
            if resources.remove(&pattern.to_string()) {
                removed.extend(roles.iter().filter(|role| pattern.covers(role)).cloned());
            }
        }
        !resources.is_empty()
    });
    (rest, removed)
}

#[cfg(test)]
mod tests;
