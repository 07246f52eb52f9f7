//! Managed policies and their versions. AWS managed policies are shortened: representative, but not complete.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::random::unique_id;

/// A managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// Name.
    pub name: String,
    /// IAM path.
    pub path: String,
    /// Unique ID, `ANPA…`.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// Description.
    pub description: Option<String>,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// Its versions by number, which always include the default one.
    pub(crate) versions: BTreeMap<u32, PolicyVersion>,
    /// Number of the default version.
    pub(crate) default_version: u32,
    /// Number of the newest version ever created. Numbers continue from it even if versions were deleted ("IAM User Guide,
    /// Versioning IAM policies").
    pub(crate) newest_version: u32,
}

/// A version of a managed policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// Its document.
    pub document: Value,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
}

impl ManagedPolicy {
    /// Returns a policy with one version, `v1`, and the path and name in the ARN.
    pub(crate) fn new(arn: &str, created: OffsetDateTime, document: Value) -> Self {
        let resource = arn.split_once(":policy").map_or(arn, |(_, resource)| resource);
        let (path, name) = resource.split_at(resource.rfind('/').map_or(0, |slash| slash + 1));
        ManagedPolicy {
            name: name.to_owned(),
            path: path.to_owned(),
            id: unique_id("ANPA"),
            arn: arn.to_owned(),
            description: None,
            created,
            versions: BTreeMap::from([(1, PolicyVersion { document, created })]),
            default_version: 1,
            newest_version: 1,
        }
    }

    /// Returns the document of the default version.
    pub fn document(&self) -> &Value {
        &self.versions[&self.default_version].document
    }

    /// Adds a version that is not the default, and returns its number.
    pub(crate) fn add_version(&mut self, created: OffsetDateTime, document: Value) -> u32 {
        self.newest_version += 1;
        self.versions.insert(self.newest_version, PolicyVersion { document, created });
        self.newest_version
    }
}

/// The creation time of most AWS managed policies.
const CREATED: OffsetDateTime = datetime!(2015-02-06 18:39:46 UTC);

static POLICIES: LazyLock<BTreeMap<String, ManagedPolicy>> = LazyLock::new(|| {
    let read_only = [
        "cloudwatch:Describe*",
        "cloudwatch:Get*",
        "cloudwatch:List*",
        "ec2:Describe*",
        "iam:Generate*",
        "iam:Get*",
        "iam:List*",
        "iam:Simulate*",
        "lambda:Get*",
        "lambda:List*",
        "s3:Get*",
        "s3:List*",
        "sts:GetAccessKeyInfo",
        "sts:GetCallerIdentity",
        "sts:GetSessionToken",
    ];
    let audit = [
        "cloudtrail:Describe*",
        "cloudtrail:Get*",
        "ec2:Describe*",
        "iam:GenerateCredentialReport",
        "iam:Get*",
        "iam:List*",
        "iam:SimulateCustomPolicy",
        "iam:SimulatePrincipalPolicy",
        "s3:GetAccountPublicAccessBlock",
        "s3:GetBucket*",
        "s3:GetEncryptionConfiguration",
        "s3:ListAllMyBuckets",
    ];
    let view_only = [
        "cloudwatch:Describe*",
        "ec2:Describe*",
        "iam:GetAccountSummary",
        "iam:List*",
        "lambda:List*",
        "s3:ListAllMyBuckets",
        "s3:ListBucket",
    ];
    [
        policy("/AdministratorAccess", 1, "ANPAIWMBCKSKIEE64ZLYK", "Provides full access to AWS services and resources.",
            &json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}])),
        policy("/PowerUserAccess", 6, "ANPAJYRXTHIB4FOVS3ZXS",
            "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
            &json!([
                {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
                {"Effect": "Allow", "Action": ["iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles",
                    "organizations:DescribeOrganization", "account:ListRegions", "account:GetAccountInformation"],
                    "Resource": "*"},
            ])),
        policy("/ReadOnlyAccess", 152, "ANPAILL3HVNFSB6DCOWYQ", "Provides read-only access to AWS services and resources.",
            &json!([{"Effect": "Allow", "Action": read_only, "Resource": "*"}])),
        policy("/AmazonS3FullAccess", 2, "ANPAIFIR6V6BVTRAHWINE", "Provides full access to all buckets.",
            &json!([{"Effect": "Allow", "Action": ["s3:*", "s3-object-lambda:*"], "Resource": "*"}])),
        policy("/AmazonS3ReadOnlyAccess", 3, "ANPAIZTJ4DXE7G6AGAE6M", "Provides read only access to all buckets.",
            &json!([{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*", "s3:Describe*"], "Resource": "*"}])),
        policy("/IAMFullAccess", 2, "ANPAI7XKCFMBPM3QQRRVQ", "Provides full access to IAM.",
            &json!([{"Effect": "Allow", "Action": ["iam:*", "organizations:DescribeAccount"], "Resource": "*"}])),
        policy("/IAMReadOnlyAccess", 4, "ANPAJKSO7NDY4T57MWDSQ", "Provides read only access to IAM.",
            &json!([{"Effect": "Allow", "Action": ["iam:Get*", "iam:List*", "iam:Simulate*"], "Resource": "*"}])),
        policy("/AWSDenyAll", 1, "ANPAZKAPJZG4GTUZ3DLQB", "Deny all access.",
            &json!([{"Sid": "DenyAll", "Effect": "Deny", "Action": ["*"], "Resource": "*"}])),
        policy("/SecurityAudit", 93, "ANPAIX2T3QCXHR2OGGCTO", "Grants access to read security configuration metadata.",
            &json!([{"Effect": "Allow", "Action": audit, "Resource": "*"}])),
        policy("/job-function/ViewOnlyAccess", 22, "ANPAID22R6XPJATWOFDK6",
            "Grants permissions to view resources and basic metadata across all AWS services.",
            &json!([{"Effect": "Allow", "Action": view_only, "Resource": "*"}])),
    ]
    .into_iter()
    .map(|policy| (policy.arn.clone(), policy))
    .collect()
});

/// Returns an AWS managed policy. Its only version has approximately the number of AWS's current version, so that clients
/// that assume `v1` fail.
fn policy(path_and_name: &str, version: u32, id: &str, description: &str, statements: &Value) -> ManagedPolicy {
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    // The account field is literally `aws` ("IAM User Guide, AWS managed policies").
    let arn = format!("arn:aws:iam::aws:policy{path_and_name}");
    ManagedPolicy {
        id: id.to_owned(),
        description: Some(description.to_owned()),
        versions: BTreeMap::from([(version, PolicyVersion { document, created: CREATED })]),
        default_version: version,
        newest_version: version,
        ..ManagedPolicy::new(&arn, CREATED, Value::Null)
    }
}

/// Returns the AWS managed policy with that ARN.
pub(crate) fn aws_managed(arn: &str) -> Option<&'static ManagedPolicy> {
    POLICIES.get(arn)
}

/// Returns all AWS managed policies in the sandbox.
pub(crate) fn all_aws_managed<'a>() -> impl Iterator<Item = &'a ManagedPolicy> {
    POLICIES.values()
}
