//! Policies and a request, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use xacct::iam::evaluate::{self, Context, Finding, Mismatch, Principal, Request};
use xacct::iam::policy::PolicyDocument;

/// Policies of each type; each given type is evaluated separately.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identity: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<Value>,
}

/// A request. By default user alice of one account assumes a role of another.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// The ARNs of the principal, first the user, root user or session, then the session's role.
    pub principal: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_id: Option<String>,
    pub action: String,
    pub resource: String,
    pub context: BTreeMap<String, Values>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            principal: vec![crate::ALICE.to_owned()],
            unique_id: None,
            action: "sts:AssumeRole".to_owned(),
            resource: crate::ROLE.to_owned(),
            context: BTreeMap::new(),
        }
    }
}

impl Asked {
    /// Returns the account of the principal.
    pub fn account(&self) -> &str {
        self.principal[0].split(':').nth(4).unwrap()
    }
}

/// The value of a condition key, or the values of a multivalued one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Values {
    One(String),
    Many(Vec<String>),
}

impl Values {
    pub fn all(&self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::Many(many) => many.clone(),
        }
    }
}

/// Policies, and a request to evaluate.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    pub policies: Policies,
    #[serde(default)]
    pub request: Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Decision {
    Allowed,
    ImplicitlyDenied,
    ExplicitlyDenied,
}

impl From<evaluate::Decision> for Decision {
    fn from(decision: evaluate::Decision) -> Self {
        match decision {
            evaluate::Decision::Allowed => Self::Allowed,
            evaluate::Decision::ImplicitlyDenied => Self::ImplicitlyDenied,
            evaluate::Decision::ExplicitlyDenied => Self::ExplicitlyDenied,
        }
    }
}

/// The decision of each given policy type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Decisions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<Decision>,
}

impl Decisions {
    /// Returns the cross-account decision: one deny denies, otherwise all types must allow.
    pub fn overall(self) -> Decision {
        let all = [self.identity, self.boundary, self.session, self.trust];
        all.into_iter().flatten().max().expect("a policy")
    }
}

/// Returns xacct's decision for each given policy type.
pub struct Findings {
    pub identity: Vec<Finding>,
    pub boundary: Option<Finding>,
    pub session: Option<Finding>,
    pub trust: Option<Finding>,
}

impl Findings {
    pub fn of(scene: &Scene) -> Self {
        let request = request(&scene.request);
        let of_identity = |policy: &Value| evaluate::identity_policy(&document(policy), &request);
        Self {
            identity: scene.policies.identity.iter().map(of_identity).collect(),
            boundary: scene.policies.boundary.as_ref().map(of_identity),
            session: scene.policies.session.as_ref().map(of_identity),
            trust: scene.policies.trust.as_ref().map(|policy| evaluate::resource_policy(&document(policy), &request)),
        }
    }

    pub fn decisions(&self) -> Decisions {
        let of_one = |finding: &Option<Finding>| finding.as_ref().map(|finding| finding.decision.into());
        let is_there = !self.identity.is_empty();
        Decisions {
            identity: is_there.then(|| evaluate::together(&self.identity).into()),
            boundary: of_one(&self.boundary),
            session: of_one(&self.session),
            trust: of_one(&self.trust),
        }
    }

    /// Returns the mismatches of every statement as text, by policy type.
    pub fn mismatches(&self) -> BTreeMap<&'static str, Vec<Vec<String>>> {
        let kinds = [
            ("identity", self.identity.iter().collect::<Vec<_>>()),
            ("boundary", self.boundary.iter().collect()),
            ("session", self.session.iter().collect()),
            ("trust", self.trust.iter().collect()),
        ];
        let of_findings = |findings: Vec<&Finding>| {
            let statements = findings.into_iter().flat_map(|finding| &finding.statements);
            statements.map(|statement| statement.mismatches.iter().map(in_words).collect()).collect()
        };
        kinds.into_iter().map(|(kind, findings)| (kind, of_findings(findings))).collect()
    }
}

fn in_words(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Principal => "principal".to_owned(),
        Mismatch::Action => "action".to_owned(),
        Mismatch::Resource => "resource".to_owned(),
        Mismatch::Condition { operator, key, .. } => format!("condition {operator} {key}"),
        Mismatch::UnknownOperator { operator } => format!("unknown operator {operator}"),
    }
}

/// Parses a policy of a case.
pub fn document(policy: &Value) -> PolicyDocument {
    PolicyDocument::from_value(policy).unwrap_or_else(|error| panic!("{error}: {policy}"))
}

/// Parses a request of a case.
pub fn request(asked: &Asked) -> Request {
    let mut context = Context::default();
    for (key, values) in &asked.context {
        context.set(key, values.all());
    }
    Request {
        principal: Principal {
            account: asked.account().parse().expect("an account ID"),
            arns: asked.principal.iter().cloned().collect(),
            unique_id: asked.unique_id.clone(),
        }
        .into(),
        action: asked.action.clone(),
        resource: asked.resource.clone(),
        context,
    }
}
