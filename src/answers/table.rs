//! The table of AWS's error responses.

use super::cause::Cause as C;
use super::meaning::{Meaning as M, Passes as P};

/// The service that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Every service.
    Any,
    /// IAM and STS, which share a protocol.
    Query,
    /// STS.
    Sts,
    /// IAM.
    Iam,
    /// S3.
    S3,
    /// The administration of IAM Identity Center.
    IdentityCenter,
}

impl Service {
    /// Returns the name of the service that most often answers so.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any | Self::Query | Self::Sts => "sts",
            Self::Iam => "iam",
            Self::S3 => "s3",
            Self::IdentityCenter => "sso-admin",
        }
    }

    fn is(self, service: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Query => matches!(service, "iam" | "sts"),
            Self::Sts => service == "sts",
            Self::Iam => service == "iam",
            Self::S3 => service == "s3",
            Self::IdentityCenter => service == "sso-admin",
        }
    }
}

/// One error response and its meaning.
#[derive(Debug)]
pub struct Row {
    /// The service that answers so.
    pub service: Service,
    /// The error code; empty for the reason of a failed status, which has none.
    pub code: &'static str,
    /// The part of the message that identifies it; empty if the code alone does.
    pub says: &'static str,
    /// The meaning.
    pub meaning: M,
    /// Whether the same request can succeed later.
    pub passes: P,
    /// The source.
    pub source: &'static str,
    /// The cause, if the answer names it, and it concerns policies and permission sets rather than a test.
    pub cause: Option<C>,
}

impl Row {
    const fn names(self, cause: C) -> Self {
        Self { cause: Some(cause), ..self }
    }
}

const fn row(
    service: Service,
    code: &'static str,
    says: &'static str,
    meaning: M,
    passes: P,
    source: &'static str,
) -> Row {
    Row { service, code, says, meaning, passes, source, cause: None }
}

/// Returns the first row that fits an answer. Messages are compared without regard to case.
#[must_use]
pub fn look_up(service: &str, code: &str, message: &str) -> Option<&'static Row> {
    let message = message.to_ascii_lowercase();
    let fits = |row: &&Row| row.code == code && row.service.is(service) && message.contains(row.says);
    ALL.iter().find(fits)
}

const DENIED: &str = "IAM User Guide, Troubleshoot access denied error messages";
const COMMON: &str = "IAM API reference, Common error types";
const ASSUME: &str = "STS API reference, AssumeRole";
const IAM: &str = "IAM API reference, errors of the operation";
const S3: &str = "S3 API reference, Error responses";
const S3_BUCKETS: &str = "S3 User Guide, General purpose bucket naming rules";
const SDK: &str = "AWS SDKs and Tools Reference Guide, Retry behavior";
const PROBED: &str = "AWS itself in July 2026, as recorded by justincormack/argmin";
const RECORDED: &str = "AWS itself, as recorded by localstack (tests/aws/services, snapshots of 2025 and 2026)";
const MFA: &str = "AWS itself, as pasted in public issues of aws-cli and aws-vault";
const PASTED: &str = "AWS itself, as pasted in terraform-provider-aws#9234, aws-vault#512 and aws-cli#8413";
const PASTED_POLICY: &str = "AWS itself, as pasted in public issues of terraform-provider-aws (AttachRolePolicy)";
const NEW_ACCOUNT: &str = "AWS itself, as pasted in org-formation-cli#192; S3 API reference, Error responses";
const PASTED_QUOTA: &str =
    "AWS itself, as pasted in mapsnap#483, analytical-platform#6873, kubeflow#6687, eks-hybrid#741 and iamy#21";
const PASTED_PRINCIPAL: &str = "AWS itself, as pasted in aws-cdk#11505 and terraform-provider-aws#10419";
const PASTED_RESERVED: &str = "AWS itself, as pasted in cloud-access-bot#11, aws-nuke#1028 and kubefirst#855";
const PASTED_ATTACHED: &str = "AWS itself, as pasted in metastructure#18";
const PASTED_SET: &str = "AWS itself, as pasted in cloudformation-coverage-roadmap#660, aws-resource-providers#66 and iam-identity-center-team#59";
const PASTED_STATUS: &str = "terraform-provider-aws, account_assignment_test.go, which runs against AWS; public issues";
const PASTED_SIMULATION: &str = "AWS itself, as pasted in amazon-ecs-exec-checker#10; cloud-custodian (2021)";
const PASTED_TAGS: &str = "AWS itself, as pasted in containers-roadmap#2413 and configure-aws-credentials#1803";
const TERRAFORM: &str = "terraform-provider-aws, internal/service/iam (wait.go, role.go)";

/// All rows. The first that fits counts, so messages come before codes.
pub static ALL: &[Row] = &[
    // Denials. The organization's policies and those of VPC endpoints are never written by xacct, so no wait helps.
    row(Service::Any, "AccessDenied", "explicit deny in a service control policy", M::DeniedByOthers, P::Never, DENIED),
    row(
        Service::Any,
        "AccessDenied",
        "explicit deny in a resource control policy",
        M::DeniedByOthers,
        P::Never,
        DENIED,
    ),
    row(Service::Any, "AccessDenied", "explicit deny in a vpc endpoint policy", M::DeniedByOthers, P::Never, DENIED),
    row(Service::Any, "AccessDenied", "no service control policy allows", M::DeniedByOthers, P::Never, DENIED),
    row(Service::Any, "AccessDenied", "no resource control policy allows", M::DeniedByOthers, P::Never, DENIED),
    row(Service::Any, "AccessDenied", "no vpc endpoint policy allows", M::DeniedByOthers, P::Never, DENIED),
    row(Service::Sts, "AccessDenied", "may not be assumed by root", M::CallerIsRoot, P::Never, PROBED),
    row(Service::Sts, "AccessDenied", "invalid mfa one time pass code", M::MfaCodeWrong, P::Never, MFA),
    row(Service::Sts, "AccessDenied", "verify your mfa serial number", M::MfaSerialWrong, P::Never, MFA),
    row(Service::Sts, "AccessDenied", "with session credentials", M::Denied, P::Never, PROBED),
    row(Service::Any, "AccessDenied", "", M::Denied, P::AfterWrite, DENIED),
    row(Service::IdentityCenter, "AccessDeniedException", ":permissionset/", M::Denied, P::Never, PASTED_SET)
        .names(C::PermissionSetOfManagementAccount),
    row(Service::Any, "AccessDeniedException", "", M::Denied, P::AfterWrite, COMMON),
    row(Service::Any, "UnauthorizedOperation", "", M::Denied, P::AfterWrite, DENIED),
    // Credentials, clock and signature.
    row(Service::S3, "InvalidAccessKeyId", "", M::S3Session, P::Never, S3),
    row(Service::S3, "InvalidToken", "", M::S3Session, P::Never, PASTED),
    row(Service::S3, "InvalidSecurity", "", M::S3Session, P::Never, S3),
    row(Service::S3, "ExpiredToken", "", M::S3Session, P::Never, S3),
    row(Service::S3, "TokenRefreshRequired", "", M::S3Session, P::Never, S3),
    row(Service::Query, "InvalidClientTokenId", "", M::UnknownKey, P::Never, PROBED),
    row(Service::Query, "InvalidAccessKeyId", "", M::UnknownKey, P::Never, COMMON),
    row(Service::Query, "InvalidToken", "", M::UnknownKey, P::Never, COMMON),
    row(Service::Query, "UnrecognizedClientException", "", M::UnknownKey, P::Never, COMMON),
    row(Service::Any, "IncompleteSignature", "", M::MalformedKey, P::Never, COMMON),
    row(Service::Any, "IncompleteSignatureException", "", M::MalformedKey, P::Never, COMMON),
    row(Service::Any, "MissingAuthenticationToken", "", M::Unsigned, P::Never, COMMON),
    row(Service::Any, "MissingAuthenticationTokenException", "", M::Unsigned, P::Never, COMMON),
    row(Service::Any, "AuthFailure", "", M::UnknownKey, P::Never, COMMON),
    row(Service::Query, "ExpiredToken", "", M::SessionExpired, P::Never, COMMON),
    row(Service::Query, "ExpiredTokenException", "", M::SessionExpired, P::Never, COMMON),
    row(Service::Any, "RequestTimeTooSkewed", "", M::Clock, P::Never, S3),
    row(Service::Any, "RequestExpired", "", M::Clock, P::Never, COMMON),
    row(Service::Any, "RequestInTheFuture", "", M::Clock, P::Never, SDK),
    row(Service::Any, "SignatureDoesNotMatch", "signature expired", M::Clock, P::Never, PROBED),
    row(Service::Any, "SignatureDoesNotMatch", "not yet current", M::Clock, P::Never, PROBED),
    row(Service::Any, "SignatureDoesNotMatch", "date in credential scope", M::Clock, P::Never, PROBED),
    row(Service::Any, "SignatureDoesNotMatch", "should be scoped to", M::SigningRegion, P::Never, PROBED),
    // The secret of the session comes from STS, so it is not the user's secret that is wrong.
    row(Service::S3, "SignatureDoesNotMatch", "", M::S3Session, P::Never, S3),
    row(Service::Query, "SignatureDoesNotMatch", "", M::WrongSecret, P::Never, PROBED),
    row(Service::Any, "InvalidSignatureException", "signature expired", M::Clock, P::Never, SDK),
    row(Service::Any, "InvalidSignatureException", "not yet current", M::Clock, P::Never, SDK),
    row(Service::Any, "InvalidSignatureException", "date in credential scope", M::Clock, P::Never, SDK),
    row(Service::Any, "InvalidSignatureException", "should be scoped to", M::SigningRegion, P::Never, SDK),
    row(Service::Query, "InvalidSignatureException", "", M::WrongSecret, P::Never, SDK),
    // The state of an account.
    row(Service::Sts, "RegionDisabledException", "", M::StsInactive, P::Never, ASSUME),
    row(Service::Any, "NotSignedUp", "", M::AccountNotReady, P::Never, NEW_ACCOUNT),
    // Suspended and unpaid accounts get this as well.
    row(Service::Any, "OptInRequired", "", M::AccountNotReady, P::Never, COMMON),
    row(Service::Any, "SubscriptionRequiredException", "", M::AccountNotReady, P::Never, COMMON),
    // Rules for the request.
    row(Service::Sts, "ValidationError", "maxsessionduration set for this role", M::DurationOverRole, P::Never, PROBED),
    row(Service::Sts, "ValidationError", "roles assumed by role chaining", M::DurationOverChain, P::Never, PROBED),
    row(Service::Any, "ValidationError", "", M::Invalid, P::Never, COMMON),
    row(Service::Any, "ValidationException", "", M::Invalid, P::Never, COMMON),
    row(Service::Sts, "PackedPolicyTooLarge", "session tags", M::Invalid, P::Never, PASTED_TAGS)
        .names(C::SessionTagsTooLarge),
    row(Service::Sts, "PackedPolicyTooLarge", "", M::Invalid, P::Never, ASSUME),
    row(Service::Sts, "InvalidParameterValue", "", M::Invalid, P::Never, RECORDED),
    row(Service::Sts, "MalformedInput", "", M::Invalid, P::Never, PROBED),
    row(Service::Iam, "MalformedPolicyDocument", "invalid principal in policy", M::Invalid, P::Never, PASTED_PRINCIPAL)
        .names(C::PrincipalAbsent),
    row(
        Service::Iam,
        "MalformedPolicyDocument",
        "should not specify a principal",
        M::Invalid,
        P::Never,
        PASTED_PRINCIPAL,
    )
    .names(C::PrincipalInGrant),
    row(Service::Query, "MalformedPolicyDocument", "", M::Invalid, P::Never, IAM),
    row(Service::Iam, "InvalidInput", "invalid entity arn", M::Invalid, P::Never, PASTED_SIMULATION)
        .names(C::SimulatedArn),
    row(Service::Iam, "InvalidInput", "", M::Invalid, P::Never, IAM),
    row(Service::Query, "InvalidParameterCombination", "", M::Invalid, P::Never, COMMON),
    row(Service::Query, "InvalidQueryParameter", "", M::Invalid, P::Never, COMMON),
    row(Service::Query, "MalformedQueryString", "", M::Invalid, P::Never, COMMON),
    row(Service::Query, "MissingParameter", "", M::Invalid, P::Never, COMMON),
    row(Service::Query, "MissingAction", "", M::Invalid, P::Never, COMMON),
    row(Service::Query, "InvalidAction", "", M::Invalid, P::Never, COMMON),
    row(Service::S3, "MalformedXML", "", M::Invalid, P::Never, S3),
    row(Service::S3, "InvalidArgument", "", M::Invalid, P::Never, S3),
    row(Service::S3, "InvalidRequest", "", M::Invalid, P::Never, S3),
    row(Service::S3, "InvalidBucketName", "", M::Invalid, P::Never, S3_BUCKETS),
    row(Service::S3, "NotImplemented", "", M::Invalid, P::Never, S3),
    row(Service::S3, "MethodNotAllowed", "", M::Invalid, P::Never, S3),
    // AWS is busy or fails.
    row(Service::IdentityCenter, "ConflictException", "", M::InProgress, P::InMoments, PASTED_SET)
        .names(C::PermissionSetBusy),
    row(Service::IdentityCenter, "ThrottlingException", "", M::Throttled, P::InMoments, PASTED_SET)
        .names(C::PermissionSetBusy),
    row(Service::Any, "Throttling", "", M::Throttled, P::InMoments, COMMON),
    row(Service::Any, "ThrottlingException", "", M::Throttled, P::InMoments, SDK),
    row(Service::Any, "ThrottledException", "", M::Throttled, P::InMoments, SDK),
    row(Service::Any, "RequestThrottled", "", M::Throttled, P::InMoments, SDK),
    row(Service::Any, "RequestThrottledException", "", M::Throttled, P::InMoments, SDK),
    row(Service::Any, "TooManyRequestsException", "", M::Throttled, P::InMoments, SDK),
    row(Service::Any, "RequestLimitExceeded", "", M::Throttled, P::InMoments, SDK),
    row(Service::Any, "BandwidthLimitExceeded", "", M::Throttled, P::InMoments, SDK),
    row(Service::Any, "PriorRequestNotComplete", "", M::Throttled, P::InMoments, SDK),
    row(Service::S3, "SlowDown", "", M::Throttled, P::InMoments, S3),
    row(Service::Any, "InternalError", "", M::Failed, P::InMoments, S3),
    row(Service::Any, "InternalFailure", "", M::Failed, P::InMoments, COMMON),
    row(Service::Any, "ServiceUnavailable", "", M::Failed, P::InMoments, COMMON),
    row(Service::Iam, "ServiceFailure", "", M::Failed, P::InMoments, IAM),
    row(Service::Any, "RequestTimeout", "", M::Unsettled, P::InMoments, S3),
    row(Service::Any, "RequestTimeoutException", "", M::Unsettled, P::InMoments, SDK),
    row(Service::S3, "OperationAborted", "", M::Unsettled, P::InMoments, S3),
    // Resources of IAM.
    row(Service::Iam, "ConcurrentModification", "", M::InProgress, P::InMoments, TERRAFORM),
    row(Service::Iam, "EntityTemporarilyUnmodifiable", "", M::InProgress, P::InMoments, IAM),
    // xacct creates no managed policies, so one that IAM does not know will not appear.
    row(Service::Iam, "NoSuchEntity", "is not attachable", M::Absent, P::Never, PASTED_POLICY)
        .names(C::ManagedPolicyAbsent),
    row(
        Service::Iam,
        "NoSuchEntity",
        "unable to retrieve specified iam entity",
        M::Absent,
        P::Never,
        PASTED_SIMULATION,
    )
    .names(C::SimulatedArn),
    row(Service::Iam, "NoSuchEntity", "", M::Absent, P::AfterWrite, TERRAFORM),
    row(Service::Iam, "DeleteConflict", "a policy attached to entities", M::InUse, P::AfterWrite, PASTED_ATTACHED)
        .names(C::PolicyInUse),
    row(Service::Iam, "DeleteConflict", "", M::InUse, P::AfterWrite, IAM),
    row(Service::Iam, "EntityAlreadyExists", "a policy called", M::Exists, P::Never, PASTED_RESERVED)
        .names(C::PolicyNameTaken),
    row(Service::Iam, "EntityAlreadyExists", "", M::Exists, P::Never, IAM),
    row(Service::Iam, "LimitExceeded", "maximum policy size of", M::Quota, P::Never, PASTED_QUOTA)
        .names(C::InlinePoliciesTooLong),
    row(Service::Iam, "LimitExceeded", "quota for policysize", M::Quota, P::Never, PASTED_QUOTA)
        .names(C::ManagedPolicyTooLong),
    row(Service::Iam, "LimitExceeded", "quota for aclsizeperrole", M::Quota, P::Never, PASTED_QUOTA)
        .names(C::TrustPolicyTooLong),
    row(Service::Iam, "LimitExceeded", "quota for policiesper", M::Quota, P::Never, PASTED_QUOTA)
        .names(C::TooManyAttachedPolicies),
    row(Service::Iam, "LimitExceeded", "before you create a new version", M::Quota, P::Never, PASTED_QUOTA)
        .names(C::TooManyPolicyVersions),
    row(Service::Iam, "LimitExceeded", "", M::Quota, P::Never, IAM),
    // AWS changed the spelling of the next word in 2017.
    row(Service::Iam, "UnmodifiableEntity", "is only modif", M::Fixed, P::Never, PASTED_RESERVED)
        .names(C::ReservedRole),
    row(Service::Iam, "UnmodifiableEntity", "", M::Fixed, P::Never, IAM),
    row(Service::Iam, "PolicyNotAttachable", "", M::Fixed, P::Never, IAM),
    // Reasons of a failed change in IAM Identity Center.
    row(Service::IdentityCenter, "", "not supported policy", M::Absent, P::Never, PASTED_STATUS)
        .names(C::PermissionSetPolicyAbsent),
    row(Service::IdentityCenter, "", "access denied by iam", M::Denied, P::Never, PASTED_SET)
        .names(C::ProvisioningDenied),
    row(Service::IdentityCenter, "", "takes longer than usual", M::Failed, P::Never, PASTED_STATUS)
        .names(C::AccountSuspended),
    row(Service::IdentityCenter, "", "was not found in directory", M::Absent, P::Never, PASTED_STATUS)
        .names(C::AssigneeAbsent),
    // Buckets.
    row(Service::S3, "TooManyBuckets", "", M::S3Quota, P::Never, RECORDED),
    row(Service::S3, "InvalidLocationConstraint", "", M::S3Region, P::Never, RECORDED),
    row(Service::S3, "IllegalLocationConstraintException", "", M::S3Region, P::Never, RECORDED),
    row(Service::S3, "AuthorizationHeaderMalformed", "", M::S3Region, P::Never, PROBED),
    row(Service::S3, "PermanentRedirect", "", M::S3Region, P::Never, S3),
    row(Service::S3, "TemporaryRedirect", "", M::S3Region, P::Never, S3),
    row(Service::S3, "IncorrectEndpoint", "", M::S3Region, P::Never, S3),
    row(Service::S3, "InvalidTag", "", M::S3Tags, P::Never, RECORDED),
    row(Service::S3, "BadRequest", "tag count", M::S3Tags, P::Never, S3),
    row(Service::S3, "InvalidNamespaceHeader", "", M::S3Namespace, P::Never, RECORDED),
    row(Service::S3, "InvalidBucketNamespace", "", M::S3Namespace, P::Never, PROBED),
    row(Service::S3, "MissingNamespaceHeader", "", M::S3Namespace, P::Never, PROBED),
    row(Service::S3, "NoSuchBucket", "", M::Absent, P::AfterWrite, S3),
    row(Service::S3, "NotFound", "", M::Absent, P::AfterWrite, S3),
    row(Service::S3, "BucketNotEmpty", "", M::InUse, P::Never, S3),
    row(Service::S3, "BucketAlreadyExists", "", M::Exists, P::Never, S3),
    row(Service::S3, "BucketAlreadyOwnedByYou", "", M::Exists, P::Never, RECORDED),
];
