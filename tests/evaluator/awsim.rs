//! The decisions of awsim-iam-policy.

use std::collections::HashMap;

use awsim_iam_policy::{
    AuthzRequest, ContextValue, Decision as Theirs, EvalContext, PolicyDocument, evaluate, parse_value,
};
use serde_json::{Value, json};

use crate::scene::{Decision, Decisions, Scene, Values};

/// Returns the decision of each policy type; an error if it cannot parse one.
pub fn decisions(scene: &Scene) -> Result<Decisions, String> {
    let asked = &scene.request;
    let context = asked.context.iter().map(|(key, values)| {
        let value = match values {
            Values::One(one) => ContextValue::String(one.clone()),
            Values::Many(many) => ContextValue::StringList(many.clone()),
        };
        (key.clone(), value)
    });
    let context: HashMap<_, _> = context.collect();
    let request = AuthzRequest {
        principal_arn: &asked.principal[0],
        principal_account: asked.account(),
        action: &asked.action,
        resource_arn: &asked.resource,
        context: &context,
    };
    let of_identity = |policies: &[PolicyDocument]| {
        decision(evaluate(&request, &EvalContext { identity_policies: policies, ..EvalContext::default() }))
    };
    // The trust policy alone decides if the identity policies of another account allow everything, and if those of the
    // same account allow nothing.
    let everything = [read(&json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}))?];
    let owner = asked.resource.split(':').nth(4).unwrap_or_default();
    let is_same_account = owner.is_empty() || owner == asked.account();
    let of_trust = |policy: PolicyDocument| {
        let policies = EvalContext {
            identity_policies: if is_same_account { &[] } else { &everything },
            resource_policy: Some(&policy),
            ..EvalContext::default()
        };
        decision(evaluate(&request, &policies))
    };
    let identity = scene.policies.identity.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let one = |policy: &Option<Value>| policy.as_ref().map(read).transpose();
    Ok(Decisions {
        identity: (!identity.is_empty()).then(|| of_identity(&identity)),
        boundary: one(&scene.policies.boundary)?.map(|policy| of_identity(&[policy])),
        session: one(&scene.policies.session)?.map(|policy| of_identity(&[policy])),
        trust: one(&scene.policies.trust)?.map(of_trust),
    })
}

/// Not `parse`, which never frees a document.
fn read(policy: &Value) -> Result<PolicyDocument, String> {
    parse_value(policy).map_err(|error| error.to_string())
}

fn decision(theirs: Theirs) -> Decision {
    match theirs {
        Theirs::Allow => Decision::Allowed,
        Theirs::ImplicitDeny => Decision::ImplicitlyDenied,
        Theirs::ExplicitDeny => Decision::ExplicitlyDenied,
    }
}
