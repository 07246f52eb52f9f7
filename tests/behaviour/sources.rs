//! Where it is written what AWS does.

pub const CROSS_ACCOUNT: &str = "IAM User Guide, Cross-account policy evaluation logic";
pub const EVALUATION: &str = "IAM User Guide, Policy evaluation logic";
pub const BOUNDARIES: &str = "IAM User Guide, Permissions boundaries for IAM entities";
pub const EXTERNAL_ID: &str = "IAM User Guide, Access to AWS accounts owned by third parties";
pub const PRINCIPAL: &str = "IAM User Guide, IAM JSON policy elements: Principal";
pub const CONDITION_OPERATORS: &str = "IAM User Guide, IAM JSON policy elements: Condition operators";
pub const CONDITION_KEYS: &str = "IAM User Guide, AWS global condition context keys";
pub const STS_KEYS: &str = "IAM User Guide, IAM and AWS STS condition context keys";
pub const MFA: &str = "IAM User Guide, Secure API access with MFA";
pub const SESSION_TAGS: &str = "IAM User Guide, Pass session tags in AWS STS";
pub const SOURCE_IDENTITY: &str = "IAM User Guide, Monitor and control actions taken with assumed roles";
pub const SESSION_POLICIES: &str = "IAM User Guide, Policies and permissions in IAM: Session policies";
pub const CHAINING: &str = "IAM User Guide, Roles terms and concepts: Role chaining";
pub const TROUBLESHOOTING_ROLES: &str = "IAM User Guide, Troubleshoot IAM roles";
pub const TROUBLESHOOTING_DENIED: &str = "IAM User Guide, Troubleshoot access denied error messages";
pub const MANAGED_POLICIES: &str = "AWS Managed Policy Reference Guide";
pub const ARNS: &str = "IAM User Guide, IAM identifiers";
pub const QUOTAS: &str = "IAM User Guide, IAM and AWS STS quotas";
pub const GRAMMAR: &str = "IAM User Guide, Grammar of the IAM JSON policy language";
pub const TAGS: &str = "IAM User Guide, Tags for IAM resources";
pub const ASSUME_ROLE: &str = "STS API reference, AssumeRole";
pub const GET_SESSION_TOKEN: &str = "STS API reference, GetSessionToken";
pub const GET_CALLER_IDENTITY: &str = "STS API reference, GetCallerIdentity";
pub const COMMON_ERRORS: &str = "IAM API reference, Common error types";
pub const CREATE_ROLE: &str = "IAM API reference, CreateRole";
pub const UPDATE_ROLE: &str = "IAM API reference, UpdateRole";
pub const GET_ROLE: &str = "IAM API reference, GetRole";
pub const DELETE_ROLE: &str = "IAM API reference, DeleteRole";
pub const DELETE_USER: &str = "IAM API reference, DeleteUser";
pub const GET_USER: &str = "IAM API reference, GetUser";
pub const ATTACH_ROLE_POLICY: &str = "IAM API reference, AttachRolePolicy";
pub const CREATE_BUCKET: &str = "S3 API reference, CreateBucket";
pub const HEAD_BUCKET: &str = "S3 API reference, HeadBucket";
pub const DELETE_BUCKET: &str = "S3 API reference, DeleteBucket";
pub const BUCKET_OWNER: &str = "S3 User Guide, Verifying bucket ownership with bucket owner condition";
pub const BUCKET_NAMES: &str = "S3 User Guide, General purpose bucket naming rules";
pub const S3_ERRORS: &str = "S3 API reference, Error responses";
/// The notes of an S3 and STS server of others, whose author asked AWS itself.
pub const LIVE: &str = "AWS itself in July 2026, as recorded by justincormack/argmin";
/// What others saw where the documents are silent.
pub const LIVE_S3: &str = "AWS itself, as recorded by ceph (commit db135923) and ministack (services/s3.py)";
