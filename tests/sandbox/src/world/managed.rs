//! AWS's own managed policies, shortened: what a policy allows is right in kind, not complete.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::ManagedPolicy;

/// When AWS says that it made most of them.
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
        policy("/", "AdministratorAccess", "ANPAIWMBCKSKIEE64ZLYK", "Provides full access to AWS services and resources.",
            &json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}])),
        policy("/", "PowerUserAccess", "ANPAJYRXTHIB4FOVS3ZXS",
            "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
            &json!([
                {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
                {"Effect": "Allow", "Action": ["iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles",
                    "organizations:DescribeOrganization", "account:ListRegions", "account:GetAccountInformation"],
                    "Resource": "*"},
            ])),
        policy("/", "ReadOnlyAccess", "ANPAILL3HVNFSB6DCOWYQ", "Provides read-only access to AWS services and resources.",
            &json!([{"Effect": "Allow", "Action": read_only, "Resource": "*"}])),
        policy("/", "AmazonS3FullAccess", "ANPAIFIR6V6BVTRAHWINE", "Provides full access to all buckets.",
            &json!([{"Effect": "Allow", "Action": ["s3:*", "s3-object-lambda:*"], "Resource": "*"}])),
        policy("/", "AmazonS3ReadOnlyAccess", "ANPAIZTJ4DXE7G6AGAE6M", "Provides read only access to all buckets.",
            &json!([{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*", "s3:Describe*"], "Resource": "*"}])),
        policy("/", "IAMFullAccess", "ANPAI7XKCFMBPM3QQRRVQ", "Provides full access to IAM.",
            &json!([{"Effect": "Allow", "Action": ["iam:*", "organizations:DescribeAccount"], "Resource": "*"}])),
        policy("/", "IAMReadOnlyAccess", "ANPAJKSO7NDY4T57MWDSQ", "Provides read only access to IAM.",
            &json!([{"Effect": "Allow", "Action": ["iam:Get*", "iam:List*", "iam:Simulate*"], "Resource": "*"}])),
        policy("/", "SecurityAudit", "ANPAIX2T3QCXHR2OGGCTO", "Grants access to read security configuration metadata.",
            &json!([{"Effect": "Allow", "Action": audit, "Resource": "*"}])),
        policy("/job-function/", "ViewOnlyAccess", "ANPAID22R6XPJATWOFDK6",
            "Grants permissions to view resources and basic metadata across all AWS services.",
            &json!([{"Effect": "Allow", "Action": view_only, "Resource": "*"}])),
    ]
    .into_iter()
    .map(|policy| (policy.arn.clone(), policy))
    .collect()
});

fn policy(path: &str, name: &str, id: &str, description: &str, statements: &Value) -> ManagedPolicy {
    ManagedPolicy {
        name: name.to_owned(),
        path: path.to_owned(),
        id: id.to_owned(),
        // The account field is literally `aws` ("IAM User Guide, AWS managed policies").
        arn: format!("arn:aws:iam::aws:policy{path}{name}"),
        description: Some(description.to_owned()),
        created: CREATED,
        document: json!({"Version": "2012-10-17", "Statement": statements}),
    }
}

/// AWS's policy of that ARN.
pub(crate) fn aws_managed(arn: &str) -> Option<&'static ManagedPolicy> {
    POLICIES.get(arn)
}

/// All of AWS's policies that the sandbox has.
pub(crate) fn all_aws_managed<'a>() -> impl Iterator<Item = &'a ManagedPolicy> {
    POLICIES.values()
}
