//! Fills in the policy templates in `policies/`.
//!
//! Templates are data: parsed, filled in value by value, and never edited as text.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;
use time::OffsetDateTime;

use super::arn::{KmsKeyArn, Partition, PrincipalArn, RoleArn, RolePattern};
use super::names::{AccountId, ExternalId, OrganizationId, Region};
use super::policy::{Effect, Element, PolicyDocument, Statement};
use super::revocation;
use crate::iam::grant_names::grant_parts_arn;

/// The `Sid` by which xacct recognises its own statement in a trust policy and in a grant.
pub const LINK_SID: &str = "XacctAssumeRole";

/// The `Sid` of the statement that allows session tags and a source identity.
pub const SESSION_TAGS_SID: &str = "XacctSessionTags";

/// The `Sid` of the statement of a grant that covers the roles of one name in every account of an organization.
pub const ORGANIZATION_SID: &str = "XacctAssumeRoleInOrganization";

/// The `Sid` of the statement that allows session tags and a source identity for these roles.
pub const ORGANIZATION_TAGS_SID: &str = "XacctSessionTagsInOrganization";

/// Returns whether a `Sid` is one of those by which xacct recognises its own statements.
#[must_use]
pub fn is_own_sid(sid: &str) -> bool {
    [LINK_SID, SESSION_TAGS_SID, ORGANIZATION_SID, ORGANIZATION_TAGS_SID].contains(&sid)
}

/// The name of the inline policy that lets a role create the test bucket if it gets no other policy.
pub const VERIFY_POLICY: &str = "xacct-verify";

/// The name of the inline policy on the user that holds the grant.
pub const GRANT_POLICY: &str = "xacct";

/// Embeds templates, each parsed on first use.
macro_rules! embedded {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {$(
        $(#[$doc])*
        static $name: LazyLock<Value> = LazyLock::new(|| {
            // Invalid JSON would be null here, and the test that fills in every template would fail.
            serde_json::from_str(include_str!(concat!("../../policies/", $file))).unwrap_or_default()
        });
    )*};
}

embedded! {
    TRUST = "trust.json";
    TRUST_EXTERNAL_ID = "trust-external-id.json";
    TRUST_MFA = "trust-mfa.json";
    TRUST_RESTRICTED = "trust-restricted.json";
    TRUST_RESTRICTED_TO_PATTERNS = "trust-restricted-to-patterns.json";
    TRUST_SESSION_TAGS = "trust-session-tags.json";
    GRANT = "grant.json";
    GRANT_SESSION_TAGS = "grant-session-tags.json";
    GRANT_ORGANIZATION = "grant-organization.json";
    GRANT_ORGANIZATION_SESSION_TAGS = "grant-organization-session-tags.json";
    TRUST_HCP = "trust-hcp.json";
    VERIFY_BUCKET = "verify-bucket.json";
    REVOKE_SESSIONS = "revoke-sessions.json";
    OPERATOR_SOURCE = "operator-source.json";
    OPERATOR_SOURCE_GROUP = "operator-source-group.json";
    OPERATOR_SOURCE_PERMISSION_SET = "operator-source-permission-set.json";
    OPERATOR_SOURCE_PERMISSION_SET_POLICY = "operator-source-permission-set-policy.json";
    OPERATOR_SOURCE_ROLE = "operator-source-role.json";
    OPERATOR_SOURCE_ENTER = "operator-source-enter.json";
    OPERATOR_TARGET = "operator-target.json";
    AUDITOR_SOURCE = "auditor-source.json";
    READER = "reader.json";
    STATE_BUCKET = "state-bucket.json";
    STATE_LOCKFILE = "state-lockfile.json";
    STATE_WORKSPACES = "state-workspaces.json";
    STATE_WORKSPACES_LOCKFILE = "state-workspaces-lockfile.json";
    STATE_KMS_KEY = "state-kms-key.json";
    STATE_LOCK_TABLE = "state-lock-table.json";
}

/// What a role's trust policy requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustTerms {
    /// The partition of both accounts: AssumeRole never crosses partitions.
    pub partition: Partition,
    /// The trusted account.
    pub source: AccountId,
    /// The external IDs of which a request must send one; none if it need not.
    pub external_ids: Vec<ExternalId>,
    /// Whether the trust policy requires MFA.
    pub require_mfa: bool,
    /// The only trusted principals of the source account, all of it if there are none; by ARN in a condition, so that one
    /// that is created again is still trusted.
    pub only: BTreeSet<PrincipalArn>,
    /// Whether requests may send session tags and a source identity.
    pub session_tags: bool,
}

/// Returns the trust policy for these terms: each template in `policies/` adds its condition or its statement.
#[must_use]
pub fn trust(terms: &TrustTerms) -> PolicyDocument {
    let fills = |name: &str| {
        Some(Fill::One(match name {
            "Partition" => terms.partition.to_string(),
            "SourceAccount" => terms.source.to_string(),
            "ExternalId" => return Some(Fill::Many(terms.external_ids.iter().map(ToString::to_string).collect())),
            "PrincipalArns" => return Some(Fill::Many(terms.only.iter().map(ToString::to_string).collect())),
            _ => return None,
        }))
    };
    let has_pattern = terms.only.iter().any(|principal| matches!(principal, PrincipalArn::PermissionSet(_)));
    let restricted = if has_pattern { &TRUST_RESTRICTED_TO_PATTERNS } else { &TRUST_RESTRICTED };
    let variants = [
        (true, &TRUST),
        (!terms.external_ids.is_empty(), &TRUST_EXTERNAL_ID),
        (terms.require_mfa, &TRUST_MFA),
        (!terms.only.is_empty(), restricted),
        (terms.session_tags, &TRUST_SESSION_TAGS),
    ];
    merge(variants.into_iter().filter(|(wanted, _)| *wanted).map(|(_, template)| filled(template, &fills)))
}

/// The workspace of HCP Terraform or Terraform Enterprise whose runs may assume a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HcpTerms {
    /// The host that issues the tokens, such as `app.terraform.io`.
    pub host: String,
    /// The organization.
    pub organization: String,
    /// The project.
    pub project: String,
    /// The workspace.
    pub workspace: String,
}

/// Returns the statement that trusts the runs of a workspace by their tokens (HashiCorp's documentation, "Dynamic
/// credentials with the AWS provider"). External ID and MFA do not apply to it.
#[must_use]
pub fn trust_hcp(role: &RoleArn, terms: &HcpTerms) -> PolicyDocument {
    filled(&TRUST_HCP, &|name| {
        Some(Fill::One(match name {
            "Partition" => role.partition.to_string(),
            "TargetAccount" => role.account.to_string(),
            "Host" => terms.host.clone(),
            "Organization" => terms.organization.clone(),
            "Project" => terms.project.clone(),
            "Workspace" => terms.workspace.clone(),
            _ => return None,
        }))
    })
}

/// Returns the trust policy for these terms with further statements.
#[must_use]
pub fn trust_with(terms: &TrustTerms, statements: &PolicyDocument) -> PolicyDocument {
    let mut document = trust(terms);
    document.statements.extend(statements.statements.iter().cloned());
    document
}

/// Returns the grant: `sts:AssumeRole` on exactly these roles, and session tags on those that allow them.
///
/// One statement lists all roles, because the inline policies of a user share 2,048 characters.
#[must_use]
pub fn grant(roles: &BTreeSet<RoleArn>, with_session_tags: &BTreeSet<RoleArn>) -> PolicyDocument {
    let documents = [(roles, &GRANT), (with_session_tags, &GRANT_SESSION_TAGS)];
    merge(documents.into_iter().filter(|(roles, _)| !roles.is_empty()).map(|(roles, template)| {
        let arns: Vec<_> = roles.iter().map(ToString::to_string).collect();
        filled(template, &|name| (name == "RoleArns").then(|| Fill::Many(arns.clone())))
    }))
}

/// Returns the grant of the roles of one name in every account of an organization.
#[must_use]
pub fn grant_in_organization(
    organization: &OrganizationId,
    roles: &BTreeSet<RolePattern>,
    with_session_tags: &BTreeSet<RolePattern>,
) -> PolicyDocument {
    let documents = [(roles, &GRANT_ORGANIZATION), (with_session_tags, &GRANT_ORGANIZATION_SESSION_TAGS)];
    merge(documents.into_iter().filter(|(roles, _)| !roles.is_empty()).map(|(roles, template)| {
        filled(template, &|name| match name {
            "RolePatterns" => Some(Fill::Many(roles.iter().map(ToString::to_string).collect())),
            "Organization" => Some(Fill::One(organization.to_string())),
            _ => None,
        })
    }))
}

/// Returns the exact roles on which a statement of the grant allows `action`. Wildcards are drift, so they are left
/// out.
#[must_use]
pub fn granted_roles(policy: &PolicyDocument, sid: &str, action: &str) -> BTreeSet<RoleArn> {
    let allows = |statement: &&Statement| {
        let Element::Is(actions) = &statement.action else { return false };
        statement.effect == Effect::Allow
            && actions.iter().any(|listed| listed == "*" || listed == "sts:*" || listed.eq_ignore_ascii_case(action))
    };
    let statement = policy.statement(sid).filter(allows);
    let Some(Element::Is(resources)) = statement.and_then(|found| found.resource.as_ref()) else {
        return BTreeSet::new();
    };
    resources.iter().filter(|arn| !arn.contains(['*', '?', '$'])).filter_map(|arn| arn.parse().ok()).collect()
}

/// Returns the minimal policy for the test bucket: create, list, tag and delete buckets named `xacct-verify-*`.
#[must_use]
pub fn verify_bucket(partition: Partition) -> PolicyDocument {
    filled(&VERIFY_BUCKET, &|name| (name == "Partition").then(|| Fill::One(partition.to_string())))
}

/// Returns the policy that denies everything to each session of a role that was issued before this time.
#[must_use]
pub fn revoke_sessions(before: OffsetDateTime) -> PolicyDocument {
    filled(&REVOKE_SESSIONS, &|name| (name == "RevokedBefore").then(|| Fill::One(revocation::in_words(before))))
}

/// Returns the minimal policy of the source account's operator for `bootstrap` and `diagnose`.
#[must_use]
pub fn operator_source(principal: &PrincipalArn) -> PolicyDocument {
    let template = match principal {
        PrincipalArn::User(_) => &OPERATOR_SOURCE,
        PrincipalArn::Group(_) => &OPERATOR_SOURCE_GROUP,
        PrincipalArn::Role(_) => &OPERATOR_SOURCE_ROLE,
        PrincipalArn::PermissionSet(_) => &OPERATOR_SOURCE_PERMISSION_SET,
    };
    filled(template, &|name| {
        Some(Fill::One(match name {
            "Partition" => principal.partition().to_string(),
            "Account" => principal.account().to_string(),
            "UserArn" | "GroupArn" | "RoleArn" | "RolePattern" => principal.to_string(),
            "GrantPolicies" => grant_parts_arn(principal),
            _ => return None,
        }))
    })
}

/// Returns the minimal policy of the target account's operator for `bootstrap` and `diagnose`.
///
/// For a role that does not exist, IAM evaluates `iam:GetRole` with the ARN without path, so the policy names both
/// ARNs.
#[must_use]
pub fn operator_target(role: &RoleArn) -> PolicyDocument {
    filled(&OPERATOR_TARGET, &|name| {
        Some(Fill::One(match name {
            "Partition" => role.partition.to_string(),
            "RoleArn" => role.to_string(),
            "RoleArnWithoutPath" => role.without_path().to_string(),
            _ => return None,
        }))
    })
}

/// Returns what the source account's operator needs beside [`operator_source`], if the grant of a permission set is a managed
/// policy.
#[must_use]
pub fn operator_source_set_policy(set: &PrincipalArn) -> PolicyDocument {
    filled(&OPERATOR_SOURCE_PERMISSION_SET_POLICY, &|name| {
        (name == "GrantPolicies").then(|| Fill::One(grant_parts_arn(set)))
    })
}

/// Returns the same policy for several links. `referenced` are the permission sets whose grant is a managed policy, and
/// `entered` the roles that the operator assumes in target accounts.
#[must_use]
pub fn operator_source_entering(
    principals: &BTreeSet<PrincipalArn>,
    referenced: &BTreeSet<PrincipalArn>,
    entered: &BTreeSet<RoleArn>,
) -> PolicyDocument {
    let arns: Vec<_> = entered.iter().map(ToString::to_string).collect();
    let entering = (!arns.is_empty())
        .then(|| filled(&OPERATOR_SOURCE_ENTER, &|name| (name == "RoleArns").then(|| Fill::Many(arns.clone()))));
    let policies = principals.iter().map(operator_source).chain(referenced.iter().map(operator_source_set_policy));
    merge(policies.chain(entering))
}

/// Returns the minimal policy of a target account's operator for several roles.
#[must_use]
pub fn operator_target_of(roles: &BTreeSet<RoleArn>) -> PolicyDocument {
    merge(roles.iter().map(operator_target))
}

/// Returns the minimal policy of whoever runs `who` in the source account, beside [`operator_source`] or instead of it.
#[must_use]
pub fn auditor_source(partition: Partition) -> PolicyDocument {
    filled(&AUDITOR_SOURCE, &|name| (name == "Partition").then(|| Fill::One(partition.to_string())))
}

/// Returns the minimal policy of whoever reads both accounts and changes nothing, the same for each of them: the user's
/// ARN has no effect in a target account, nor a role's in the source account.
#[must_use]
pub fn reader(source: &AccountId, principals: &BTreeSet<PrincipalArn>, roles: &BTreeSet<RoleArn>) -> PolicyDocument {
    let partition = principals.first().map(PrincipalArn::partition).or(roles.first().map(|role| role.partition));
    let (mut users, mut groups, mut calling) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for principal in principals {
        match principal {
            PrincipalArn::User(user) => users.insert(user.to_string()),
            // Any user may be a member.
            PrincipalArn::Group(group) => {
                groups.insert(group.to_string());
                users.insert(format!("arn:{}:iam::{}:user/*", group.partition, group.account))
            }
            PrincipalArn::Role(_) | PrincipalArn::PermissionSet(_) => calling.insert(principal.to_string()),
        };
    }
    let arns = roles.iter().flat_map(|role| [role.to_string(), role.without_path().to_string()]);
    let arns: BTreeSet<_> = arns.chain(calling).collect();
    let mut value = fill_value(&READER, &|name| {
        Some(Fill::One(match name {
            "Partition" => partition.unwrap_or(Partition::Aws).to_string(),
            "SourceAccount" => source.to_string(),
            "GroupArns" => return Some(Fill::Many(groups.iter().cloned().collect())),
            "UserArns" => return Some(Fill::Many(users.iter().cloned().collect())),
            "RoleArns" => return Some(Fill::Many(arns.iter().cloned().collect())),
            _ => return None,
        }))
    });
    // Where there is no principal of a kind.
    if let Some(Value::Array(statements)) = value.get_mut("Statement") {
        statements
            .retain(|statement| statement.get("Resource").and_then(Value::as_array).is_none_or(|it| !it.is_empty()));
    }
    parsed(&value)
}

/// The location of Terraform's state.
#[derive(Debug, Clone)]
pub struct State {
    /// The partition of the bucket.
    pub partition: Partition,
    /// The bucket.
    pub bucket: String,
    /// The key of the state in the default workspace.
    pub key: String,
    /// Whether there are other workspaces, under `env:/`.
    pub workspaces: bool,
    /// The key that encrypts the state; `None` for S3's own.
    pub kms_key: Option<KmsKeyArn>,
    /// How Terraform locks the state.
    pub lock: StateLock,
}

/// How Terraform locks the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateLock {
    /// No lock.
    None,
    /// A lock file next to the state.
    File,
    /// An item in a DynamoDB table.
    Table {
        /// The table's name.
        name: String,
        /// Its account.
        account: AccountId,
        /// Its Region.
        region: Region,
    },
}

/// Returns the minimal policy for Terraform's state (Terraform's documentation, "Backend Type: s3").
#[must_use]
pub fn state(state: &State) -> PolicyDocument {
    let fills = |name: &str| {
        let (table, account, region) = match &state.lock {
            StateLock::Table { name, account, region } => (name.as_str(), account.as_str(), region.as_str()),
            _ => ("", "", ""),
        };
        Some(Fill::One(match name {
            "Partition" => state.partition.to_string(),
            "Bucket" => state.bucket.clone(),
            "Key" => state.key.clone(),
            "Table" => table.to_owned(),
            "Account" => account.to_owned(),
            "Region" => region.to_owned(),
            "KmsKey" => state.kms_key.as_ref()?.to_string(),
            _ => return None,
        }))
    };
    let has_lockfile = state.lock == StateLock::File;
    let parts = [
        (true, &STATE_BUCKET),
        (has_lockfile, &STATE_LOCKFILE),
        (state.workspaces, &STATE_WORKSPACES),
        (state.workspaces && has_lockfile, &STATE_WORKSPACES_LOCKFILE),
        (matches!(state.lock, StateLock::Table { .. }), &STATE_LOCK_TABLE),
        (state.kms_key.is_some(), &STATE_KMS_KEY),
    ];
    merge(parts.into_iter().filter(|(wanted, _)| *wanted).map(|(_, template)| filled(template, &fills)))
}

/// The value of a placeholder `${Name}`.
enum Fill {
    One(String),
    /// Only where the placeholder is the whole string.
    Many(Vec<String>),
}

fn filled(template: &Value, fill: &dyn Fn(&str) -> Option<Fill>) -> PolicyDocument {
    parsed(&fill_value(template, fill))
}

fn parsed(template: &Value) -> PolicyDocument {
    #[expect(clippy::expect_used, reason = "the templates are part of the program, and a test fills in every one")]
    PolicyDocument::from_value(template).expect("a policy template")
}

fn fill_value(value: &Value, fill: &dyn Fn(&str) -> Option<Fill>) -> Value {
    match value {
        Value::String(text) => fill_text(text, fill),
        Value::Array(list) => list.iter().map(|item| fill_value(item, fill)).collect(),
        Value::Object(object) => {
            let key = |key: &str| match fill_text(key, fill) {
                Value::String(key) => key,
                _ => key.to_owned(),
            };
            Value::Object(object.iter().map(|(name, value)| (key(name), fill_value(value, fill))).collect())
        }
        other => other.clone(),
    }
}

fn fill_text(text: &str, fill: &dyn Fn(&str) -> Option<Fill>) -> Value {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = placeholder(rest) {
        out.push_str(before);
        match fill(name) {
            Some(Fill::Many(many)) if before.is_empty() && after.is_empty() && out.is_empty() => return many.into(),
            Some(Fill::One(one)) => out.push_str(&one),
            _ => out.push_str(&format!("${{{name}}}")),
        }
        rest = after;
    }
    out.push_str(rest);
    out.into()
}

fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// Merges documents: statements with the same `Sid` become one, with all their conditions and resources.
fn merge(documents: impl Iterator<Item = PolicyDocument>) -> PolicyDocument {
    let mut merged = PolicyDocument::of(Vec::new());
    for statement in documents.flat_map(|document| document.statements) {
        match merged.statements.iter_mut().find(|known| known.sid == statement.sid) {
            None => merged.statements.push(statement),
            Some(known) => {
                if let (Some(Element::Is(known)), Some(Element::Is(more))) = (&mut known.resource, statement.resource) {
                    known.extend(more);
                }
                for (operator, keys) in statement.condition {
                    let known = known.condition.entry(operator).or_default();
                    for (key, values) in keys {
                        known.entry(key).or_default().extend(values);
                    }
                }
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests;
