//! What takes a link away again: the changes that remove a role and take it out of the grant. Pure, as [`crate::iam::plan::bootstrap`].
//!
//! Planning again after applying gives no changes, and nothing that others made is in a plan unless it was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::change::{Change, Note, Plan};
use crate::iam::arn::{PolicyArn, RoleArn, UserArn};
use crate::iam::identity::{Identity, found_in_words};
use crate::iam::names::{AccountId, PolicyName};
use crate::iam::policy::{Effect, Element, PolicyDocument, Statement};
use crate::iam::state::{Fingerprint, FoundDocument, MANAGED_BY, OWN_POLICY_PREFIX, ObservedUser, SOURCE_TAG};
use crate::iam::templates::{LINK_SID, SESSION_TAGS_SID};

/// A role that was used within this time may be in use. AWS shows a use within four hours (IAM User Guide, "Refining
/// permissions using last accessed information"), so a nightly job is seen as well.
pub const LATELY: Duration = Duration::from_secs(48 * 3600);

/// A role that is to go, as far as its removal is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingRole {
    /// `RoleId`: another role of the same name has another one.
    pub id: String,
    /// The ARN as IAM gives it, also where no [`RoleArn`] could be like it.
    pub arn: String,
    /// All its tags, which tell whose it is.
    pub tags: BTreeMap<String, String>,
    /// The trust policy.
    pub trust: FoundDocument,
    /// The ARN of the permissions boundary. It goes with the role.
    pub boundary: Option<String>,
    /// ARNs of attached managed policies, which must be detached first.
    pub attachments: BTreeSet<String>,
    /// Names of inline policies, which must be deleted first.
    pub inline: BTreeSet<String>,
    /// Names of the instance profiles that it is in.
    pub instance_profiles: BTreeSet<String>,
    /// When a session of it last asked AWS for something.
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

/// The last use of a role, as IAM knows it: neither by whom nor for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    /// The time since then, when the role was read.
    pub ago: Duration,
    /// The AWS Region of the request.
    pub region: String,
}

/// The link whose role is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The role on record.
    pub role: RoleArn,
    /// The account whose link it is.
    pub source: AccountId,
    /// The link.
    pub identity: Identity,
    /// The managed policies that the link's settings name.
    pub attachments: BTreeSet<PolicyArn>,
    /// The boundary that they name.
    pub boundary: Option<PolicyArn>,
    /// Whether a role goes that was used lately.
    pub even_if_used: bool,
    /// Whether a role goes on which others put something.
    pub even_if_extended: bool,
}

/// Why a role is not removed.
///
/// `owner` is the source account that the role's tag names; `attachments` and `boundary` are ARNs.
#[expect(missing_docs, reason = "the messages show what the fields are")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// xacct did not make it.
    #[error("role `{}` in account {} does not carry xacct's tag: xacct did not make it", .0.name, .0.account)]
    Foreign(RoleArn),
    /// It belongs to the link of another source account.
    #[error("role `{}` in account {} belongs to the link from account {owner}", .role.name, .role.account)]
    OtherSource { role: RoleArn, owner: String },
    /// It belongs to another link of the same source account. `found` and `wanted` say to which.
    #[error("role `{}` in account {} belongs to another link: it is that of {found}, and on record is {wanted}", .role.name, .role.account)]
    OtherLink { role: RoleArn, found: String, wanted: String },
    /// It is not the one on record.
    #[error("the role is `{found}`, and on record is `{wanted}`")]
    OtherArn { found: String, wanted: RoleArn },
    /// It is in instance profiles, from which xacct takes nothing.
    #[error("role `{}` in account {} is in instance profiles ({}), and AWS deletes no such role", .role.name, .role.account, list(.profiles))]
    InstanceProfiles { role: RoleArn, profiles: BTreeSet<String> },
    /// Others put something on it.
    #[error("role `{}` in account {} has what the link's settings do not name: {}", .role.name, .role.account, extensions(.attachments, .inline, .boundary.as_ref()))]
    Extended { role: RoleArn, attachments: BTreeSet<String>, inline: BTreeSet<String>, boundary: Option<String> },
    /// It was used a short while ago.
    #[error("role `{}` in account {} was used {} ago, in region {}", .role.name, .role.account, rough(.last.ago), .last.region)]
    UsedLately { role: RoleArn, last: LastUse },
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().cloned().collect::<Vec<_>>().join(", ")
}

fn extensions(attachments: &BTreeSet<String>, inline: &BTreeSet<String>, boundary: Option<&String>) -> String {
    let attached = attachments.iter().map(|arn| format!("managed policy {arn}"));
    let inline = inline.iter().map(|name| format!("inline policy {name}"));
    let boundary = boundary.map(|arn| format!("boundary {arn}"));
    attached.chain(inline).chain(boundary).collect::<Vec<_>>().join(", ")
}

/// Writes `3 hours`: AWS is not more exact than that.
fn rough(ago: Duration) -> String {
    match ago.as_secs() / 3600 {
        0 => "less than an hour".to_owned(),
        1 => "an hour".to_owned(),
        hours => format!("{hours} hours"),
    }
}

/// Returns the changes that remove the role, in the order that AWS demands: its inline policies, its attachments,
/// itself.
///
/// # Errors
/// Every [`Objection`] that stands, so that one run tells all of them.
pub fn plan_role_removal(removal: &Removal, standing: Option<&StandingRole>) -> Result<Plan, Vec<Objection>> {
    let Some(standing) = standing else { return Ok(Plan::default()) };
    let objections = objections(removal, standing);
    if !objections.is_empty() {
        return Err(objections);
    }
    let inline = standing.inline.iter().map(|name| Change::DeleteRolePolicy { name: name.clone() });
    let detach = standing.attachments.iter().map(|policy| Change::DetachPolicy { policy: policy.clone() });
    let role = Change::DeleteRole { role: removal.role.clone() };
    Ok(Plan { changes: inline.chain(detach).chain([role]).collect(), ..Plan::default() })
}

fn objections(removal: &Removal, standing: &StandingRole) -> Vec<Objection> {
    let role = &removal.role;
    if standing.arn != role.to_string() {
        return vec![Objection::OtherArn { found: standing.arn.clone(), wanted: role.clone() }];
    }
    // The rest is nobody's business but the owner's.
    if standing.tags.get(MANAGED_BY.0).is_none_or(|value| value != MANAGED_BY.1) {
        return vec![Objection::Foreign(role.clone())];
    }
    if let Some(owner) = standing.tags.get(SOURCE_TAG).filter(|owner| **owner != removal.source.as_str()) {
        return vec![Objection::OtherSource { role: role.clone(), owner: owner.clone() }];
    }
    if !removal.identity.owns(&standing.tags, standing.trust.policy()) {
        let found = found_in_words(&standing.tags, standing.trust.policy());
        return vec![Objection::OtherLink { role: role.clone(), found, wanted: removal.identity.in_words() }];
    }
    let mut objections = Vec::new();
    if !standing.instance_profiles.is_empty() {
        let profiles = standing.instance_profiles.clone();
        objections.push(Objection::InstanceProfiles { role: role.clone(), profiles });
    }
    let named: BTreeSet<_> = removal.attachments.iter().map(ToString::to_string).collect();
    let attachments: BTreeSet<_> = standing.attachments.difference(&named).cloned().collect();
    let inline: BTreeSet<_> =
        standing.inline.iter().filter(|name| !name.starts_with(OWN_POLICY_PREFIX)).cloned().collect();
    let ours = removal.boundary.as_ref().map(ToString::to_string);
    let boundary = standing.boundary.clone().filter(|found| Some(found) != ours.as_ref());
    let is_extended = !attachments.is_empty() || !inline.is_empty() || boundary.is_some();
    if is_extended && !removal.even_if_extended {
        objections.push(Objection::Extended { role: role.clone(), attachments, inline, boundary });
    }
    if let Some(last) = standing.last_used.as_ref().filter(|last| last.ago < LATELY)
        && !removal.even_if_used
    {
        objections.push(Objection::UsedLately { role: role.clone(), last: last.clone() });
    }
    objections
}

/// Returns the change that takes these roles out of the grant: rewritten without them, or deleted when nothing is left
/// of it.
///
/// What others wrote into the policy stays, and so does a policy of that name that xacct did not write.
#[must_use]
pub fn plan_grant_removal(
    user: &UserArn,
    name: &PolicyName,
    roles: &BTreeSet<RoleArn>,
    observed: Option<&ObservedUser>,
) -> Plan {
    let Some(found) = observed.and_then(|observed| observed.grant.as_ref()) else { return Plan::default() };
    let Some(policy) = found.policy().filter(|policy| policy.statements.iter().any(is_own)) else {
        return Plan { notes: vec![Note::OtherGrant(name.to_string())], ..Plan::default() };
    };
    let (rest, removed) = without(policy, roles);
    if removed.is_empty() {
        return Plan::default();
    }
    let (user, name, from) = (user.clone(), name.clone(), Box::new(found.clone()));
    let change = if rest.statements.is_empty() {
        Change::DeleteGrant { user, name, removed, from }
    } else {
        Change::ShrinkGrant { user, name, removed, from, to: Box::new(rest) }
    };
    Plan { changes: vec![change], ..Plan::default() }
}

/// Returns whether xacct wrote this statement. One that denies is somebody else's, whatever it is called: without it,
/// more would be allowed.
fn is_own(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && statement.sid.as_deref().is_some_and(|sid| [LINK_SID, SESSION_TAGS_SID].contains(&sid))
}

fn without(policy: &PolicyDocument, roles: &BTreeSet<RoleArn>) -> (PolicyDocument, BTreeSet<RoleArn>) {
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
        !resources.is_empty()
    });
    (rest, removed)
}

#[cfg(test)]
mod tests;
