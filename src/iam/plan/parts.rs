//! Plans the managed policies of a grant that does not fit into the inline policy.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, Note};
use super::contents::{Contents, covers, in_words};
use super::places::{self, Distribution, Place, Room};
use crate::iam::arn::{PrincipalArn, RoleArn};
use crate::iam::grant_names::grant_part_name;
use crate::iam::policy::{PolicyDocument, Statement};
use crate::iam::state::{FoundDocument, GrantPart, ManagedPolicies, ObservedPrincipal};
use crate::iam::templates;

/// Returns the managed policies of a grant that an account has.
fn parts(observed: &ObservedPrincipal) -> impl Iterator<Item = (u32, &GrantPart)> {
    observed.managed.iter().flat_map(|managed| managed.parts.iter().map(|(number, part)| (*number, part)))
}

/// Returns what the managed policies of a grant contain, whether attached or not.
#[must_use]
pub fn contents(observed: &ObservedPrincipal) -> BTreeMap<u32, Contents> {
    parts(observed).map(|(number, part)| (number, Contents::of(&part.document))).collect()
}

/// Returns the roles that the attached managed policies of a grant allow to be assumed.
#[must_use]
pub fn granted(observed: &ObservedPrincipal) -> BTreeSet<RoleArn> {
    let attached = parts(observed).filter(|(_, part)| part.is_attached);
    attached.flat_map(|(_, part)| Contents::of(&part.document).roles).collect()
}

/// Returns where the roles of a grant are.
#[must_use]
pub fn found_places(inline: &Contents, parts: &BTreeMap<u32, Contents>) -> Distribution {
    let parts = parts.iter().map(|(number, part)| (Place::Managed(*number), part.roles.clone()));
    [(Place::Inline, inline.roles.clone())].into_iter().chain(parts).collect()
}

/// Returns how much of a grant fits where. `foreign` are the statements of others that stay in the inline policy.
#[must_use]
pub fn room(observed: &ObservedPrincipal, managed: &ManagedPolicies, foreign: &[Statement]) -> Room {
    let kept = match foreign {
        [] => 0,
        foreign => PolicyDocument::of(foreign.to_vec()).size(),
    };
    let used = observed.other_policies_size.unwrap_or(0) + kept;
    Room {
        inline: observed.quota.most.saturating_sub(used),
        managed: managed.size.most,
        policies: managed.attachments.most.saturating_sub(managed.others),
    }
}

/// A grant as it will be.
pub struct Spread {
    /// The roles in each place.
    pub places: Distribution,
    /// The roles that allow session tags.
    pub with_session_tags: BTreeSet<RoleArn>,
    /// The roles that it did not cover before.
    pub added: BTreeSet<RoleArn>,
    /// The roles that it will no longer cover.
    pub removed: BTreeSet<RoleArn>,
    /// How much fits where.
    pub room: Room,
}

impl Spread {
    /// Returns the roles of the inline policy.
    #[must_use]
    pub fn inline(&self) -> BTreeSet<RoleArn> {
        self.places.get(&Place::Inline).cloned().unwrap_or_default()
    }

    /// Returns the document with these roles.
    #[must_use]
    pub fn document(&self, roles: &BTreeSet<RoleArn>) -> PolicyDocument {
        templates::grant(roles, &self.with_session_tags.intersection(roles).cloned().collect())
    }

    /// Returns everything that the grant covers.
    #[must_use]
    pub fn covered(&self) -> BTreeSet<String> {
        self.places.values().flatten().map(ToString::to_string).collect()
    }

    /// Returns the changes to the managed policies. `others` says what happens to statements of others.
    ///
    /// # Errors
    /// When a policy needs a change, others wrote something into it, and it may be neither kept nor replaced.
    pub fn changes(&self, observed: &ObservedPrincipal, others: Others) -> Result<Vec<Change>, ForeignPart> {
        let principal = &observed.arn;
        let found: BTreeMap<_, _> = parts(observed).collect();
        let wanted = self.places.keys().filter_map(|place| match place {
            Place::Managed(number) => Some(*number),
            Place::Inline => None,
        });
        let numbers: BTreeSet<_> = found.keys().copied().chain(wanted).collect();
        let mut changes = Vec::new();
        for number in numbers {
            let roles = self.places.get(&Place::Managed(number)).cloned().unwrap_or_default();
            let before = found.get(&number).copied();
            let contents = before.map(|part| Contents::of(&part.document)).unwrap_or_default();
            let mut to = self.document(&roles);
            if others == Others::Keep {
                to.statements.extend(contents.foreign.clone());
            }
            if before.is_some_and(|part| part.is_attached && part.document.matches(&to)) {
                continue;
            }
            if others == Others::Refuse
                && let Some(part) = before.filter(|part| !is_plain(&part.document, &contents))
            {
                return Err(foreign_part(principal, number, part, &contents));
            }
            // Left alone: nobody can tell what it does.
            if others == Others::Keep && before.is_some_and(|part| part.document.policy().is_none()) {
                continue;
            }
            changes.push(self.change(principal, number, &contents.roles, before, to));
        }
        Ok(changes)
    }

    fn change(
        &self,
        principal: &PrincipalArn,
        number: u32,
        held: &BTreeSet<RoleArn>,
        before: Option<&GrantPart>,
        to: PolicyDocument,
    ) -> Change {
        let (principal, name) = (principal.clone(), grant_part_name(principal, number));
        let from = before.map(|part| Box::new(part.document.clone()));
        let removed = self.removed.intersection(held).cloned().collect();
        match from {
            Some(from) if to.statements.is_empty() => Change::DeleteGrantPart { principal, name, removed, from },
            from => {
                let all = self.covered();
                let was = from.as_ref().and_then(|from| from.policy()).map(covers).unwrap_or_default();
                Change::PutGrantPart {
                    principal,
                    name,
                    added: self
                        .places
                        .get(&Place::Managed(number))
                        .into_iter()
                        .flatten()
                        .filter(|role| self.added.contains(*role))
                        .cloned()
                        .collect(),
                    removes: was.into_iter().filter(|arn| !all.contains(arn)).collect(),
                    attaches: before.is_none_or(|part| !part.is_attached),
                    from,
                    to: Box::new(to),
                }
            }
        }
    }

    /// Returns the arithmetic in words; `None` if no managed policy is needed.
    #[must_use]
    pub fn note(&self, observed: &ObservedPrincipal) -> Option<Note> {
        let inline = self.inline();
        let policies = self.places.keys().filter(|place| **place != Place::Inline).count();
        (policies > 0).then(|| Note::Spread {
            principal: observed.arn.clone(),
            inline: inline.len(),
            size: self.document(&inline).size(),
            quota: self.room.inline,
            managed: self.places.values().map(BTreeSet::len).sum::<usize>() - inline.len(),
            policies,
            each: self.room.managed,
            most: self.room.policies,
            left: places::left(&self.places, &self.with_session_tags, self.room),
        })
    }
}

/// A managed policy of a grant into which others wrote something.
#[derive(Debug)]
pub struct ForeignPart {
    /// Its name.
    pub name: String,
    /// What they wrote.
    pub statements: BTreeSet<String>,
}

/// What happens to statements of others in a managed policy of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They stay.
    Keep,
    /// They go.
    Replace,
    /// xacct does not change the policy.
    Refuse,
}

fn is_plain(document: &FoundDocument, contents: &Contents) -> bool {
    document.policy().is_some() && contents.foreign.is_empty()
}

fn foreign_part(principal: &PrincipalArn, number: u32, part: &GrantPart, contents: &Contents) -> ForeignPart {
    let statements = match &part.document {
        FoundDocument::Policy(_) => contents.foreign.iter().map(in_words).collect(),
        FoundDocument::Unparsed { text, .. } => BTreeSet::from([text.clone()]),
    };
    ForeignPart { name: grant_part_name(principal, number), statements }
}

/// Orders the changes of a grant: first those by which it grows.
#[must_use]
pub fn growing_first(mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_by_key(|change| !change.grows_grant());
    changes
}
