//! The sources for AWS's behaviour, each of a kind that says how far to trust it.

/// How an answer of AWS is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody asked AWS itself and wrote down the answer.
    Recorded,
    /// AWS's documentation says so.
    Documented,
    /// Neither: it follows from what is known, and AWS may answer otherwise.
    Assumed,
}

/// A source.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Its kind.
    pub kind: Kind,
    /// The page or the record; for an assumption, what it rests on.
    pub text: &'static str,
}

const fn recorded(text: &'static str) -> Source {
    Source { kind: Kind::Recorded, text }
}

const fn documented(text: &'static str) -> Source {
    Source { kind: Kind::Documented, text }
}

const fn assumed(text: &'static str) -> Source {
    Source { kind: Kind::Assumed, text }
}

pub const CROSS_ACCOUNT: Source = documented("IAM User Guide, Cross-account policy evaluation logic");
pub const EVALUATION: Source = documented("IAM User Guide, Policy evaluation logic");
pub const BOUNDARIES: Source = documented("IAM User Guide, Permissions boundaries for IAM entities");
pub const EXTERNAL_ID: Source = documented("IAM User Guide, Access to AWS accounts owned by third parties");
pub const PRINCIPAL: Source = documented("IAM User Guide, IAM JSON policy elements: Principal");
pub const CONDITION_OPERATORS: Source = documented("IAM User Guide, IAM JSON policy elements: Condition operators");
pub const CONDITION_KEYS: Source = documented("IAM User Guide, AWS global condition context keys");
pub const STS_KEYS: Source = documented("IAM User Guide, IAM and AWS STS condition context keys");
pub const MFA: Source = documented("IAM User Guide, Secure API access with MFA");
pub const SESSION_TAGS: Source = documented("IAM User Guide, Pass session tags in AWS STS");
pub const SOURCE_IDENTITY: Source = documented("IAM User Guide, Monitor and control actions taken with assumed roles");
pub const SESSION_POLICIES: Source = documented("IAM User Guide, Policies and permissions in IAM: Session policies");
pub const CHAINING: Source = documented("IAM User Guide, Roles terms and concepts: Role chaining");
pub const TROUBLESHOOTING_ROLES: Source = documented("IAM User Guide, Troubleshoot IAM roles");
pub const TROUBLESHOOTING_DENIED: Source = documented("IAM User Guide, Troubleshoot access denied error messages");
pub const VERSIONS: Source = documented("IAM User Guide, Versioning IAM policies");
pub const GROUPS: Source = documented("IAM User Guide, IAM user groups");
pub const MANAGED_POLICIES: Source = documented("AWS Managed Policy Reference Guide");
pub const ARNS: Source = documented("IAM User Guide, IAM identifiers");
pub const QUOTAS: Source = documented("IAM User Guide, IAM and AWS STS quotas");
pub const GRAMMAR: Source = documented("IAM User Guide, Grammar of the IAM JSON policy language");
pub const TAGS: Source = documented("IAM User Guide, Tags for IAM resources");
pub const ASSUME_ROLE: Source = documented("STS API reference, AssumeRole");
pub const GET_SESSION_TOKEN: Source = documented("STS API reference, GetSessionToken");
pub const GET_CALLER_IDENTITY: Source = documented("STS API reference, GetCallerIdentity");
pub const COMMON_ERRORS: Source = documented("IAM API reference, Common error types");
pub const CREATE_ROLE: Source = documented("IAM API reference, CreateRole");
pub const UPDATE_ROLE: Source = documented("IAM API reference, UpdateRole");
pub const GET_ROLE: Source = documented("IAM API reference, GetRole");
pub const DELETE_ROLE: Source = documented("IAM API reference, DeleteRole");
pub const DELETE_USER: Source = documented("IAM API reference, DeleteUser");
pub const GET_USER: Source = documented("IAM API reference, GetUser");
pub const ATTACH_ROLE_POLICY: Source = documented("IAM API reference, AttachRolePolicy");
pub const CREATE_POLICY_VERSION: Source = documented("IAM API reference, CreatePolicyVersion");
pub const DELETE_POLICY: Source = documented("IAM API reference, DeletePolicy");
pub const DELETE_POLICY_VERSION: Source = documented("IAM API reference, DeletePolicyVersion");
pub const LIST_POLICIES: Source = documented("IAM API reference, ListPolicies");
pub const ADD_USER_TO_GROUP: Source = documented("IAM API reference, AddUserToGroup");
pub const DELETE_GROUP: Source = documented("IAM API reference, DeleteGroup");
pub const GET_ACCOUNT_SUMMARY: Source = documented("IAM API reference, GetAccountSummary");
pub const LIST_ENTITIES: Source = documented("IAM API reference, ListEntitiesForPolicy");
pub const PERMISSION_SETS: Source =
    documented("IAM Identity Center User Guide, Referencing permission sets in resource policies");
pub const CREATE_BUCKET: Source = documented("S3 API reference, CreateBucket");
pub const HEAD_BUCKET: Source = documented("S3 API reference, HeadBucket");
pub const DELETE_BUCKET: Source = documented("S3 API reference, DeleteBucket");
pub const BUCKET_OWNER: Source = documented("S3 User Guide, Verifying bucket ownership with bucket owner condition");
pub const BUCKET_NAMES: Source = documented("S3 User Guide, General purpose bucket naming rules");
pub const S3_ERRORS: Source = documented("S3 API reference, Error responses");
/// The notes of a third-party S3 and STS server, whose author tested AWS itself.
pub const LIVE: Source = recorded("AWS itself in July 2026, as recorded by justincormack/argmin");
/// Third-party observations of what AWS does not document.
pub const LIVE_S3: Source =
    recorded("AWS itself, as recorded by ceph (commit db135923) and ministack (services/s3.py)");
/// Snapshots that localstack's tests took of AWS.
pub const SNAPSHOTS: Source = recorded("AWS itself, as recorded by localstack (tests/aws/services, 2025 and 2026)");
/// Messages of AWS that people pasted into public issues.
pub const PASTED: Source =
    recorded("AWS itself, as pasted in public issues of terraform-provider-aws, aws-cli and aws-vault");
/// Answers about principals other than users, whose cases are in `tests/cases/principals`.
pub const INLINE_SUMS: Source =
    recorded("AWS itself, as pasted in danvk/mapsnap#483, HumanCellAtlas/data-store#1963 and gchq/sleeper#1459");
pub const POLICY_SIZE: Source = recorded("AWS itself, as pasted in ministryofjustice/analytical-platform#6873");
pub const ATTACHMENTS: Source = recorded("AWS itself, as pasted in aws/eks-hybrid#741");
pub const GROUP_PRINCIPAL: Source = recorded("AWS itself, as pasted in hashicorp/terraform-provider-aws#10419");
pub const NAME_TAKEN: Source = recorded("AWS itself, as pasted in konstructio/kubefirst#855");
pub const BOUNDARY_IN_USE: Source = recorded("AWS itself, as pasted in gruntwork-io/cloud-nuke#972");
pub const ONE_SESSION: Source = recorded("AWS itself, as pasted in external-secrets/external-secrets#1794");
pub const SESSION_NAME: Source = recorded("AWS itself, as pasted in aws/aws-cli#7216");
pub const RECREATED_ROLE: Source = recorded(
    "AWS itself, as pasted in awslabs/aws-deployment-framework#235 and ministryofjustice/analytical-platform#4932",
);
pub const INHERITED_TAGS: Source = recorded("AWS itself, as pasted in mattrobinsonsre/terrapod#1546");
pub const PROTECTED_ROLES: Source = recorded(
    "AWS itself, as pasted in perkbox/cloud-access-bot#11, rebuy-de/aws-nuke#441 and #1028, and gruntwork-io/cloud-nuke#880",
);
/// Reads of one trust policy, fourteen times.
pub const READS: Source = recorded("AWS itself, as recorded by cloud-custodian (tests/data/placebo)");

/// The error codes in the two API references leave open which one a broken rule gets.
pub const ONLY_THE_RULE: Source = assumed("the API reference documents the rule, not the error");
/// Sessions of GetSessionToken are treated like those of roles.
pub const LIKE_CHAINING: Source = assumed("programs that cap such sessions (aws-vault), not AWS's answer");
/// No answer was found recorded.
pub const LIKE_OTHER_QUOTAS: Source = assumed("the words about other quotas of IAM");
/// No answer was found recorded.
pub const LIKE_ITS_POLICIES: Source = assumed("AWS's answer to changes of the role's policies");
/// In a Deny statement, the key is in wide use; no answer to an AssumeRole that a grant with it allows was found recorded.
pub const LIKE_OTHER_KEYS: Source =
    assumed("the documentation of aws:ResourceOrgID, and how other keys work in grants");
/// A name may be reserved for a while after a deletion, which the sandbox does not do.
pub const NAMES_FREE_AT_ONCE: Source = assumed("S3's strong consistency for the creator");
/// What `tests/real-aws` recorded.
pub const RECORDED_HERE: Source = recorded("AWS itself, as recorded by tests/real-aws");
