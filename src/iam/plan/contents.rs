//! Reads the policies of a grant.

use std::collections::BTreeSet;

use crate::iam::arn::RoleArn;
use crate::iam::evaluate::action_matches;
use crate::iam::organization_grant::{self, OrganizationGrant};
use crate::iam::policy::{Effect, Element, PolicyDocument, Statement};
use crate::iam::state::FoundDocument;
use crate::iam::templates;

/// What a policy of a grant allows, and what others wrote into it.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The roles that may be assumed.
    pub roles: BTreeSet<RoleArn>,
    /// Those of them that allow session tags.
    pub with_session_tags: BTreeSet<RoleArn>,
    /// What may be assumed in every account of an organization.
    pub organization: Option<OrganizationGrant>,
    /// Statements of others.
    pub foreign: Vec<Statement>,
}

impl Contents {
    /// Returns the contents of a document; nothing if it cannot be parsed.
    #[must_use]
    pub fn of(found: &FoundDocument) -> Self {
        let statements = found.policy().into_iter().flat_map(|policy| policy.statements.clone());
        let (own, foreign): (Vec<_>, Vec<_>) = statements.partition(is_own_statement);
        let own = PolicyDocument::of(own);
        Self {
            roles: templates::granted_roles(&own, templates::LINK_SID, "sts:AssumeRole"),
            with_session_tags: templates::granted_roles(&own, templates::SESSION_TAGS_SID, "sts:TagSession"),
            organization: OrganizationGrant::of(&own),
            foreign,
        }
    }
}

impl Contents {
    /// Returns whether a role is covered in every account of an organization.
    #[must_use]
    pub fn covers_in_organization(&self, role: &RoleArn) -> bool {
        self.organization.as_ref().is_some_and(|wide| wide.covers(role))
    }
}

/// Returns the roles and patterns that any statement of the policy allows to be assumed.
#[must_use]
pub fn covers(policy: &PolicyDocument) -> BTreeSet<String> {
    let allows = |statement: &&Statement| {
        statement.effect == Effect::Allow && action_matches(&statement.action, "sts:AssumeRole")
    };
    let resources = policy.statements.iter().filter(allows).filter_map(|statement| statement.resource.as_ref());
    let resources = resources.flat_map(|resource| match resource {
        Element::Is(arns) => arns.clone(),
        Element::Not(arns) => arns.iter().map(|arn| format!("everything except {arn}")).collect(),
    });
    resources.collect()
}

/// Returns whether xacct wrote this statement of a grant, though others may have changed which roles and actions it
/// allows. One that denies, or allows under conditions, is somebody else's, whatever it is called: without it, more would
/// be allowed. The condition on the organization is xacct's own.
#[must_use]
pub fn is_own_statement(statement: &Statement) -> bool {
    organization_grant::is_own_statement(statement) || is_own_list(statement)
}

fn is_own_list(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && statement.sid.as_deref().is_some_and(templates::is_own_sid)
        && statement.condition.is_empty()
        && matches!(statement.action, Element::Is(_))
        && matches!(statement.resource, Some(Element::Is(_)))
}

/// Returns a statement as it stands in the policy.
#[must_use]
pub fn in_words(statement: &Statement) -> String {
    statement.to_value().to_string()
}
