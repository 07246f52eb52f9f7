//! Versions of managed policies ("IAM User Guide, Versioning IAM policies").

use super::call::{Call, Outcome, encoded};
use super::managed::{self, missing};
use crate::clock::iso8601;
use crate::error::ApiError;
use crate::world::{Accounts, ManagedPolicy, PolicyVersion};
use crate::xml::Xml;

fn write(xml: &mut Xml, policy: &ManagedPolicy, number: u32, version: &PolicyVersion) {
    xml.text("VersionId", format!("v{number}"));
    xml.text("IsDefaultVersion", number == policy.default_version);
    xml.text("CreateDate", iso8601(version.created));
}

/// Writes every version with its document, newest first.
pub(super) fn write_all(xml: &mut Xml, policy: &ManagedPolicy, accounts: &Accounts) {
    xml.members("PolicyVersionList", policy.versions.iter().rev(), |xml, (number, version)| {
        xml.text("Document", encoded(&version.document, accounts));
        write(xml, policy, *number, version);
    });
}

/// Returns the number of the requested version, in the format `v12`.
fn number(call: &Call<'_>, policy: &ManagedPolicy) -> Result<u32, ApiError> {
    let id = call.parameters.get("VersionId").unwrap_or_default();
    let known = policy.versions.keys().find(|number| id == format!("v{number}"));
    known.copied().ok_or_else(|| {
        let arn = &policy.arn;
        let message = format!("Policy {arn} version {id} does not exist or is not attachable.");
        ApiError::no_such_entity(message)
    })
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let arn = call.arn("PolicyArn")?;
    call.authorize("iam:GetPolicyVersion", &arn)?;
    let policy = call.account()?.policy(&arn).ok_or_else(|| missing(&arn))?;
    let number = number(call, policy)?;
    let version = &policy.versions[&number];
    Ok(Some(Xml::build(|xml| {
        xml.element("PolicyVersion", |xml| {
            xml.text("Document", encoded(&version.document, &call.readable));
            write(xml, policy, number, version);
        });
    })))
}

/// Lists the versions, newest first.
pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let arn = call.arn("PolicyArn")?;
    call.authorize("iam:ListPolicyVersions", &arn)?;
    let policy = call.account()?.policy(&arn).ok_or_else(|| missing(&arn))?;
    call.list("Versions", policy.versions.iter().rev().collect(), |xml, (number, version)| {
        write(xml, policy, *number, version);
    })
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let text = call.document("PolicyDocument")?;
    let mut policy = managed::own(call, "iam:CreatePolicyVersion")?;
    let document = managed::document(call, &text)?;
    let quota = call.current()?.quotas.versions_per_policy;
    if policy.versions.len() >= quota {
        return Err(ApiError::limit_exceeded(format!(
            "A managed policy can have up to {quota} versions. Before you create a new version, you must \
             delete an existing version."
        )));
    }
    let number = policy.add_version(call.now, document);
    if call.parameters.get("SetAsDefault") == Some("true") {
        policy.default_version = number;
    }
    let answer = Xml::build(|xml| {
        xml.element("PolicyVersion", |xml| write(xml, &policy, number, &policy.versions[&number]));
    });
    keep(call, policy);
    Ok(Some(answer))
}

pub(super) fn set_default(call: &mut Call<'_>) -> Outcome {
    let mut policy = managed::own(call, "iam:SetDefaultPolicyVersion")?;
    policy.default_version = number(call, &policy)?;
    keep(call, policy);
    Ok(None)
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let mut policy = managed::own(call, "iam:DeletePolicyVersion")?;
    let number = number(call, &policy)?;
    if number == policy.default_version {
        return Err(ApiError::delete_conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.remove(&number);
    keep(call, policy);
    Ok(None)
}

fn keep(call: &mut Call<'_>, policy: ManagedPolicy) {
    call.account_mut().policies.insert(policy.arn.clone(), policy);
}
