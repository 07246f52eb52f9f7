//! Managed policies: customer managed and AWS managed. Their versions are in `versions`.

use super::call::{Call, Outcome};
use crate::clock::iso8601;
use crate::error::ApiError;
use crate::policy::{self, Use};
use crate::request::{Pattern, Validator};
use crate::world::{Account, ManagedPolicy, all_aws_managed};
use crate::xml::Xml;

pub(super) fn missing(arn: &str) -> ApiError {
    ApiError::no_such_entity(format!("Policy {arn} was not found."))
}

pub(super) fn write(xml: &mut Xml, account: &Account, policy: &ManagedPolicy, whole: bool) {
    xml.text("PolicyName", &policy.name);
    xml.text("PolicyId", &policy.id);
    xml.text("Arn", &policy.arn);
    xml.text("Path", &policy.path);
    xml.text("DefaultVersionId", format!("v{}", policy.default_version));
    xml.text("AttachmentCount", account.attachments(&policy.arn));
    xml.text("PermissionsBoundaryUsageCount", account.boundaries(&policy.arn));
    xml.text("IsAttachable", true);
    xml.text("CreateDate", iso8601(policy.created));
    let newest = policy.versions.values().map(|version| version.created).max();
    xml.text("UpdateDate", iso8601(newest.unwrap_or(policy.created)));
    // Lists of policies do not include the description.
    if whole {
        xml.optional("Description", policy.description.as_ref());
    }
}

/// Parses the document of a policy or of a policy version.
pub(super) fn document(call: &Call<'_>, text: &str) -> Result<serde_json::Value, ApiError> {
    let document = policy::parse(text, Use::Identity)?;
    let quota = call.current()?.quotas.policy_size;
    if policy::size(text) > quota {
        let message = format!("Cannot exceed quota for PolicySize: {quota}");
        return Err(ApiError::limit_exceeded(message));
    }
    Ok(document)
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let name = call.name("PolicyName", 128)?;
    let path = call.path()?;
    let text = call.document("PolicyDocument")?;
    let description = call.parameters.get("Description");
    let mut validator = Validator::default();
    validator.text("description", description, 0..=1000, Pattern::ANY);
    validator.finish()?;
    let arn = format!("arn:aws:iam::{}:policy{path}{name}", call.caller.account);
    call.authorize("iam:CreatePolicy", &arn)?;
    let document = document(call, &text)?;
    let mut others = call.current()?.policies.values();
    if others.any(|other| other.name.eq_ignore_ascii_case(&name)) {
        let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(ApiError::already_exists(message));
    }
    let policy =
        ManagedPolicy { description: description.map(str::to_owned), ..ManagedPolicy::new(&arn, call.now, document) };
    call.account_mut().policies.insert(arn, policy.clone());
    let account = call.current()?;
    Ok(Some(Xml::build(|xml| {
        xml.element("Policy", |xml| write(xml, account, &policy, true));
    })))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let arn = call.arn("PolicyArn")?;
    call.authorize("iam:GetPolicy", &arn)?;
    let account = call.account()?;
    let policy = account.policy(&arn).ok_or_else(|| missing(&arn))?;
    Ok(Some(Xml::build(|xml| {
        xml.element("Policy", |xml| write(xml, account, policy, true));
    })))
}

/// Authorizes the call, and returns a policy of the caller's own account for changes.
pub(super) fn own(call: &Call<'_>, action: &str) -> Result<ManagedPolicy, ApiError> {
    let arn = call.arn("PolicyArn")?;
    call.authorize(action, &arn)?;
    if arn.split(':').nth(4) != Some(call.caller.account.as_str()) {
        return Err(ApiError::access_denied("Policy is outside your own account."));
    }
    call.current()?.policies.get(&arn).cloned().ok_or_else(|| missing(&arn))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let policy = own(call, "iam:DeletePolicy")?;
    let account = call.current()?;
    if account.attachments(&policy.arn) + account.boundaries(&policy.arn) > 0 {
        let message = "Cannot delete a policy attached to entities.";
        return Err(ApiError::delete_conflict(message));
    }
    if policy.versions.len() > 1 {
        return Err(ApiError::delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
             The default version is deleted with the policy.",
        ));
    }
    call.account_mut().policies.remove(&policy.arn);
    Ok(None)
}

/// Returns an optional parameter that must have one of these values.
pub(super) fn one_of<'a>(call: &'a Call<'_>, parameter: &str, values: &[&str]) -> Result<Option<&'a str>, ApiError> {
    let value = call.parameters.get(parameter);
    let mut validator = Validator::default();
    if let Some(value) = value.filter(|value| !values.contains(value)) {
        let values = values.join(", ");
        validator.broken(format!(
            "Value '{value}' at '{}' failed to satisfy constraint: Member must satisfy enum value set: [{values}]",
            super::call::field(parameter)
        ));
    }
    validator.finish()?;
    Ok(value)
}

/// Lists the policies that match all given filters. AWS does not document whether `OnlyAttached` includes policies that
/// are used only as boundaries; here it does not.
pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    call.authorize("iam:ListPolicies", &format!("arn:aws:iam::{}:policy/", call.caller.account))?;
    let scope = one_of(call, "Scope", &["All", "AWS", "Local"])?;
    let usage = one_of(call, "PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"])?;
    let only_attached = one_of(call, "OnlyAttached", &["true", "false"])? == Some("true");
    let prefix = call.parameters.get("PathPrefix").unwrap_or("/");
    let account = call.account()?;
    let mut policies: Vec<&ManagedPolicy> = Vec::new();
    if scope != Some("AWS") {
        policies.extend(account.policies.values());
    }
    if scope != Some("Local") {
        policies.extend(all_aws_managed());
    }
    policies.retain(|policy| {
        let attached = account.attachments(&policy.arn) > 0;
        policy.path.starts_with(prefix)
            && (attached || !only_attached)
            && match usage {
                Some("PermissionsPolicy") => attached,
                Some(_) => account.boundaries(&policy.arn) > 0,
                None => true,
            }
    });
    call.list("Policies", policies, |xml, policy| write(xml, account, policy, false))
}
