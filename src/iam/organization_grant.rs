//! The grant of the roles of one name in every account of an organization.

use std::collections::BTreeSet;

use super::arn::{RoleArn, RolePattern};
use super::names::OrganizationId;
use super::policy::{Effect, Element, PolicyDocument, Statement};
use super::templates::{self, ORGANIZATION_SID, ORGANIZATION_TAGS_SID};

/// The condition key with the organization of the role's account. Absent for an account in no organization, so that
/// `StringEquals` then rejects the request (IAM User Guide, "AWS global condition context keys").
pub const ORGANIZATION_KEY: &str = "aws:ResourceOrgID";

/// The statements of a grant that cover every account of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationGrant {
    /// The organization.
    pub organization: OrganizationId,
    /// The roles.
    pub roles: BTreeSet<RolePattern>,
    /// Those of them that allow session tags.
    pub with_session_tags: BTreeSet<RolePattern>,
}

impl OrganizationGrant {
    /// Returns what xacct's statements in a policy grant; `None` if there are none.
    #[must_use]
    pub fn of(policy: &PolicyDocument) -> Option<Self> {
        let own = |sid| policy.statement(sid).and_then(contents);
        let (organization, roles) = own(ORGANIZATION_SID)?;
        let with_session_tags = own(ORGANIZATION_TAGS_SID).filter(|(other, _)| *other == organization);
        let with_session_tags = with_session_tags.map(|(_, roles)| roles).unwrap_or_default();
        Some(Self { organization, roles, with_session_tags })
    }

    /// Returns whether it covers this role, if the role's account is in the organization.
    #[must_use]
    pub fn covers(&self, role: &RoleArn) -> bool {
        self.roles.iter().any(|pattern| pattern.covers(role))
    }

    /// Returns the policy that grants it.
    #[must_use]
    pub fn document(&self) -> PolicyDocument {
        templates::grant_in_organization(&self.organization, &self.roles, &self.with_session_tags)
    }

    /// Returns its statements.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        self.document().statements
    }
}

/// Returns whether xacct wrote this statement, with no other condition than that on the organization.
#[must_use]
pub fn is_own_statement(statement: &Statement) -> bool {
    let sids = [ORGANIZATION_SID, ORGANIZATION_TAGS_SID];
    statement.sid.as_deref().is_some_and(|sid| sids.contains(&sid)) && contents(statement).is_some()
}

/// Returns the organization and the roles of a statement, if it has the form of xacct's own.
fn contents(statement: &Statement) -> Option<(OrganizationId, BTreeSet<RolePattern>)> {
    let (Effect::Allow, Element::Is(_), Some(Element::Is(resources))) =
        (statement.effect, &statement.action, &statement.resource)
    else {
        return None;
    };
    let mut conditions =
        statement.condition.iter().flat_map(|(operator, keys)| keys.iter().map(move |it| (operator, it)));
    let (Some((operator, (key, values))), None) = (conditions.next(), conditions.next()) else { return None };
    let is_it = operator.eq_ignore_ascii_case("StringEquals") && key.eq_ignore_ascii_case(ORGANIZATION_KEY);
    let (Some(organization), 1) = (values.first().filter(|_| is_it), values.len()) else { return None };
    let roles = resources.iter().map(|resource| resource.parse().ok()).collect::<Option<_>>()?;
    Some((organization.parse().ok()?, roles))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(statement: &serde_json::Value) -> Option<OrganizationGrant> {
        OrganizationGrant::of(&PolicyDocument::from_value(&json!({ "Statement": [statement] })).unwrap())
    }

    #[test]
    fn a_grant_is_read_as_it_is_written() {
        let role: RoleArn = "arn:aws-cn:iam::222222222222:role/team/deploy".parse().unwrap();
        let roles: BTreeSet<RolePattern> = [RolePattern::from(&role)].into();
        let grant = OrganizationGrant {
            organization: "o-a1b2c3d4e5".parse().unwrap(),
            roles: roles.clone(),
            with_session_tags: roles,
        };
        let document = grant.document();
        assert!(document.minified().contains("arn:aws-cn:iam::*:role/team/deploy"));
        assert!(document.statements.iter().all(is_own_statement));
        assert_eq!(OrganizationGrant::of(&document), Some(grant.clone()));
        assert!(grant.covers(&role));
        assert!(!grant.covers(&"arn:aws-cn:iam::222222222222:role/deploy".parse().unwrap()));
    }

    #[test]
    fn an_edited_statement_is_not_xaccts_own() {
        let own = json!({
            "Sid": ORGANIZATION_SID, "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/xacct",
            "Condition": { "StringEquals": { "aws:resourceorgid": "o-a1b2c3d4e5" } },
        });
        assert!(read(&own).is_some());
        for (pointer, value) in [
            ("/Effect", json!("Deny")),
            ("/Resource", json!("arn:aws:iam::*:role/*")),
            ("/Resource", json!("*")),
            ("/Condition", json!({})),
            ("/Condition/StringEquals", json!({ "aws:ResourceOrgID": ["o-a1b2c3d4e5", "o-zzzzzzzzzz"] })),
            ("/Condition/StringEquals", json!({ "aws:PrincipalOrgID": "o-a1b2c3d4e5" })),
            ("/Condition/StringEquals", json!({ "aws:ResourceOrgID": "o-a1b2c3d4e5", "aws:SourceIp": "10.0.0.0/8" })),
            ("/Condition", json!({ "StringLike": { "aws:ResourceOrgID": "o-a1b2c3d4e5" } })),
        ] {
            let mut edited = own.clone();
            *edited.pointer_mut(pointer).unwrap() = value;
            assert_eq!(read(&edited), None, "{edited}");
        }
    }
}
