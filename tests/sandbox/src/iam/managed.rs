//! Managed policies, the account's own and AWS's.

use super::{Call, Outcome, encoded};
use crate::clock::iso8601;
use crate::error::ApiError;
use crate::policy::{self, Use};
use crate::random::unique_id;
use crate::request::{Pattern, Validator};
use crate::world::{Account, ManagedPolicy, all_aws_managed};
use crate::xml::Xml;

/// Longest managed policy, in characters without whitespace.
pub(super) const POLICY_SIZE: usize = 6144;

fn missing(arn: &str) -> ApiError {
    ApiError::no_such_entity(format!("Policy {arn} was not found."))
}

fn write(xml: &mut Xml, account: &Account, policy: &ManagedPolicy, whole: bool) {
    xml.text("PolicyName", &policy.name);
    xml.text("PolicyId", &policy.id);
    xml.text("Arn", &policy.arn);
    xml.text("Path", &policy.path);
    xml.text("DefaultVersionId", "v1");
    xml.text("AttachmentCount", account.attachments(&policy.arn));
    xml.text("PermissionsBoundaryUsageCount", account.boundaries(&policy.arn));
    xml.text("IsAttachable", true);
    xml.text("CreateDate", iso8601(policy.created));
    xml.text("UpdateDate", iso8601(policy.created));
    // Lists of policies leave the description out.
    if whole {
        xml.optional("Description", policy.description.as_ref());
    }
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
    let document = policy::parse(&text, Use::Identity)?;
    if policy::size(&text) > POLICY_SIZE {
        let message = format!("Cannot exceed quota for PolicySize: {POLICY_SIZE}");
        return Err(ApiError::limit_exceeded(message));
    }
    let mut others = call.current()?.policies.values();
    if others.any(|other| other.name.eq_ignore_ascii_case(&name)) {
        let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(ApiError::already_exists(message));
    }
    let policy = ManagedPolicy {
        name,
        path,
        id: unique_id("ANPA"),
        arn: arn.clone(),
        description: description.map(str::to_owned),
        created: call.now,
        document,
    };
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

fn write_version(xml: &mut Xml, policy: &ManagedPolicy) {
    xml.text("VersionId", "v1");
    xml.text("IsDefaultVersion", true);
    xml.text("CreateDate", iso8601(policy.created));
}

pub(super) fn get_version(call: &mut Call<'_>) -> Outcome {
    let arn = call.arn("PolicyArn")?;
    call.authorize("iam:GetPolicyVersion", &arn)?;
    let version = call.parameters.get("VersionId").unwrap_or_default();
    let policy = call.account()?.policy(&arn).ok_or_else(|| missing(&arn))?;
    if version != "v1" {
        let message = format!("Policy {arn} version {version} does not exist or is not attachable.");
        return Err(ApiError::no_such_entity(message));
    }
    Ok(Some(Xml::build(|xml| {
        xml.element("PolicyVersion", |xml| {
            xml.text("Document", encoded(&policy.document, &call.readable));
            write_version(xml, policy);
        });
    })))
}

pub(super) fn list_versions(call: &mut Call<'_>) -> Outcome {
    let arn = call.arn("PolicyArn")?;
    call.authorize("iam:ListPolicyVersions", &arn)?;
    let policy = call.account()?.policy(&arn).ok_or_else(|| missing(&arn))?;
    call.list("Versions", vec![policy], write_version)
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let arn = call.arn("PolicyArn")?;
    call.authorize("iam:DeletePolicy", &arn)?;
    let account = call.current()?;
    if account.policy(&arn).is_none() {
        return Err(missing(&arn));
    }
    if account.attachments(&arn) + account.boundaries(&arn) > 0 {
        let message = "Cannot delete a policy attached to entities.";
        return Err(ApiError::delete_conflict(message));
    }
    call.account_mut().policies.remove(&arn);
    Ok(None)
}

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    call.authorize("iam:ListPolicies", &format!("arn:aws:iam::{}:policy/", call.caller.account))?;
    let account = call.account()?;
    let scope = call.parameters.get("Scope").unwrap_or("All");
    let only_attached = call.parameters.get("OnlyAttached") == Some("true");
    let mut policies: Vec<&ManagedPolicy> = Vec::new();
    if scope != "AWS" {
        policies.extend(account.policies.values());
    }
    if scope != "Local" {
        policies.extend(all_aws_managed());
    }
    policies.retain(|policy| !only_attached || account.attachments(&policy.arn) > 0);
    call.list("Policies", policies, |xml, policy| write(xml, account, policy, false))
}
