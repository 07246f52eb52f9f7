//! The roles that policies let a principal assume.

use std::collections::BTreeSet;

use super::arn::RoleArn;
use super::evaluate::action_matches;
use super::policy::{Effect, Element, PolicyDocument};

/// The resources on which policies allow `sts:AssumeRole`. What other statements deny is not subtracted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Granted {
    /// Roles that are named one by one.
    pub roles: BTreeSet<RoleArn>,
    /// What names no single role, as it is written.
    pub patterns: BTreeSet<String>,
}

impl Granted {
    /// Adds what this policy allows.
    pub fn add(&mut self, policy: &PolicyDocument) {
        let allowing = policy.statements.iter().filter(|statement| {
            statement.effect == Effect::Allow && action_matches(&statement.action, "sts:AssumeRole")
        });
        for resource in allowing.filter_map(|statement| statement.resource.as_ref()) {
            match resource {
                Element::Is(resources) => resources.iter().for_each(|resource| self.add_resource(resource)),
                Element::Not(resources) => {
                    let listed: Vec<_> = resources.iter().map(String::as_str).collect();
                    self.patterns.insert(format!("everything except {}", listed.join(", ")));
                }
            }
        }
    }

    fn add_resource(&mut self, resource: &str) {
        match resource.parse() {
            Ok(role) if !resource.contains(['*', '?', '$']) => drop(self.roles.insert(role)),
            // One of another kind is no role at all.
            _ if resource.contains(['*', '?', '$']) => drop(self.patterns.insert(resource.to_owned())),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exact_roles_are_told_from_patterns() {
        let role = "arn:aws:iam::222222222222:role/team/deploy";
        let document = json!({ "Statement": [
            { "Effect": "Allow", "Action": ["STS:Assume*"], "Resource": [role, "arn:aws:iam::*:role/x", "arn:aws:s3:::b"] },
            { "Effect": "Allow", "Action": "*", "NotResource": "arn:aws:iam::1:role/*" },
            { "Effect": "Allow", "Action": "s3:*", "Resource": "*" },
            { "Effect": "Deny", "Action": "*", "Resource": "arn:aws:iam::333333333333:role/denied" },
        ]});
        let mut granted = Granted::default();
        granted.add(&PolicyDocument::from_value(&document).unwrap());
        assert_eq!(granted.roles, [role.parse().unwrap()].into());
        let patterns = ["arn:aws:iam::*:role/x", "everything except arn:aws:iam::1:role/*"];
        assert_eq!(granted.patterns, patterns.map(str::to_owned).into());
    }
}
