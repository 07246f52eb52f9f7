//! Every cause that a diagnosis can name.

use serde::Serialize;

/// Where a cause lies, and so who can fix it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The source account: the user and its permissions.
    Source,
    /// The target account: the role, its trust policy and its permissions.
    Target,
    /// The organization of one of the accounts.
    Organization,
    /// The request: AssumeRole, or that for the test bucket.
    Request,
    /// This machine: credentials, variables, clock, `xacct.toml`.
    LocalConfiguration,
}

impl Side {
    /// Returns the side in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Source => "source account",
            Self::Target => "target account",
            Self::Organization => "organization",
            Self::Request => "request",
            Self::LocalConfiguration => "local configuration",
        }
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident, $id:literal, $side:ident;)*) => {
        /// Why a link does not work, or accepts what it must reject.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Cause {
            $($(#[$doc])* $name,)*
        }

        impl Cause {
            /// All causes, in the order of the README's table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the id in JSON.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// Returns the side on which the cause usually lies.
            #[must_use]
            pub fn side(self) -> Side {
                match self {
                    $(Self::$name => Side::$side,)*
                }
            }
        }
    };
}

causes! {
    /// xacct found no credentials.
    NoCredentials, "no_credentials", LocalConfiguration;
    /// Access keys in the environment override the profile in `AWS_PROFILE`.
    EnvironmentHidesProfile, "environment_hides_profile", LocalConfiguration;
    /// The temporary credentials have expired.
    ExpiredToken, "expired_token", LocalConfiguration;
    /// The access key is unknown, or the session token is malformed or of another key.
    UnknownCredentials, "unknown_credentials", LocalConfiguration;
    /// The secret access key does not match the access key ID.
    WrongSecret, "wrong_secret", LocalConfiguration;
    /// The machine's clock is off.
    ClockSkew, "clock_skew", LocalConfiguration;
    /// The root user cannot assume roles.
    CallerIsRoot, "caller_is_root", LocalConfiguration;
    /// The credentials belong to another user.
    CallerIsAnotherUser, "caller_is_another_user", LocalConfiguration;
    /// The credentials belong to a role session.
    CallerIsRoleSession, "caller_is_role_session", LocalConfiguration;
    /// The credentials belong to a session of the role itself, which cannot assume itself.
    CallerIsTheRole, "caller_is_the_role", LocalConfiguration;
    /// The credentials belong to a federated user, who cannot assume roles.
    CallerIsFederated, "caller_is_federated", LocalConfiguration;
    /// The credentials come from GetSessionToken without MFA.
    SessionWithoutMfa, "session_without_mfa", LocalConfiguration;
    /// The role is in another account than the file says.
    WrongAccount, "wrong_account", LocalConfiguration;
    /// The accounts are in different partitions.
    WrongPartition, "wrong_partition", LocalConfiguration;
    /// The request was signed for another Region or service than that of the endpoint.
    SigningRegion, "signing_region", LocalConfiguration;
    /// The session comes from the global STS endpoint, and such sessions do not work in opt-in Regions.
    VersionOneToken, "version_1_token", LocalConfiguration;
    /// The role requires an external ID, and the request sent none.
    ExternalIdMissing, "external_id_missing", Request;
    /// The role requires another external ID than the request sent.
    ExternalIdWrong, "external_id_wrong", Request;
    /// A policy requires MFA, and the request had none.
    MfaAbsent, "mfa_absent", Request;
    /// The MFA code is wrong or was already used.
    MfaCodeWrong, "mfa_code_wrong", Request;
    /// The MFA device does not belong to the user.
    MfaSerialWrong, "mfa_serial_wrong", Request;
    /// The requested session is longer than the role allows.
    DurationOverRoleLimit, "duration_over_role_limit", Request;
    /// The requested session is longer than role chaining allows, which is one hour.
    DurationOverChainingLimit, "duration_over_chaining_limit", Request;
    /// The request is malformed.
    InvalidRequest, "invalid_request", Request;
    /// AWS throttled the request or was unavailable; the link is not tested.
    AwsUnavailable, "aws_unavailable", Request;
    /// AWS's answer is not known to xacct.
    UnknownAnswer, "unknown_answer", Request;
    /// The account is so new that AWS has not activated the service yet.
    AccountNotReady, "account_not_ready", Target;
    /// STS is not active in the Region for the role's account.
    StsInactive, "sts_inactive", Target;
    /// The Region is opt-in, and the source account has not enabled it.
    RegionNotEnabled, "region_not_enabled", Source;
    /// The role does not exist.
    RoleAbsent, "role_absent", Target;
    /// The role has another path.
    RoleOtherPath, "role_other_path", LocalConfiguration;
    /// The role's name differs in upper and lower case.
    RoleOtherCase, "role_other_case", LocalConfiguration;
    /// The trust policy trusts only other accounts.
    TrustOtherAccount, "trust_other_account", Target;
    /// The trust policy trusts only other users or roles of the source account.
    TrustOtherPrincipal, "trust_other_principal", Target;
    /// The trust policy names a deleted user or role.
    TrustDanglingPrincipal, "trust_dangling_principal", Target;
    /// No statement of the trust policy covers `sts:AssumeRole`.
    TrustOtherAction, "trust_other_action", Target;
    /// The request does not meet a condition of the trust policy.
    TrustCondition, "trust_condition", Target;
    /// The trust policy denies the request.
    TrustDenies, "trust_denies", Target;
    /// The request sends session tags, and one side does not allow `sts:TagSession`.
    SessionTagsNotAllowed, "session_tags_not_allowed", Target;
    /// The request sends a source identity, and one side does not allow `sts:SetSourceIdentity`.
    SourceIdentityNotAllowed, "source_identity_not_allowed", Target;
    /// The trust policy requires no external ID, but the link has one.
    ExternalIdNotDemanded, "external_id_not_demanded", Target;
    /// The trust policy accepts external IDs other than the link's.
    ExternalIdPattern, "external_id_pattern", Target;
    /// The trust policy does not require MFA, but the link does.
    MfaNotDemanded, "mfa_not_demanded", Target;
    /// The MFA condition uses `…IfExists`, which accepts access keys without MFA.
    MfaIfExists, "mfa_if_exists", Target;
    /// AWS accepts what the trust policy, as read, rejects.
    NotEnforced, "not_enforced", Target;
    /// The trust policy admits callers whom the link does not declare.
    OthersAdmitted, "others_admitted", Target;
    /// AWS does not know the access key, because it is inactive.
    AccessKeyInactive, "access_key_inactive", Source;
    /// AWS does not know the access key, because its user was deleted.
    UserDeleted, "user_deleted", Source;
    /// The user does not exist.
    UserAbsent, "user_absent", Source;
    /// No policy of the user covers `sts:AssumeRole`.
    GrantAbsent, "grant_absent", Source;
    /// The user is not a member of the group that has the grant.
    NotInGroup, "not_in_group", Source;
    /// The permission set has no grant.
    PermissionSetWithoutGrant, "permission_set_without_grant", Source;
    /// The role of the permission set shows an older grant: the set lacks the role, or was not provisioned again.
    PermissionSetNotProvisioned, "permission_set_not_provisioned", Source;
    /// The user may assume only other roles.
    GrantOtherArn, "grant_other_arn", Source;
    /// The request does not meet a condition of the grant.
    GrantCondition, "grant_condition", Source;
    /// A policy of the user denies the request.
    SourceDenies, "source_denies", Source;
    /// AWS has restricted the user because its access key was published.
    KeyQuarantined, "key_quarantined", Source;
    /// The user's permissions boundary does not allow the request.
    BoundaryCuts, "boundary_cuts", Source;
    /// The session policy does not allow the request.
    SessionPolicyCuts, "session_policy_cuts", Source;
    /// A service control policy denies the request.
    ServiceControlPolicy, "service_control_policy", Organization;
    /// A resource control policy denies the request.
    ResourceControlPolicy, "resource_control_policy", Organization;
    /// The policy of a VPC endpoint denies the request.
    VpcEndpointPolicy, "vpc_endpoint_policy", Source;
    /// IAM may still be propagating a recent change.
    Propagating, "propagating", Target;
    /// xacct cannot evaluate a policy.
    UnreadablePolicy, "unreadable_policy", Target;
    /// No policy of the role allows the S3 call.
    S3NotAllowed, "s3_not_allowed", Target;
    /// A policy of the role denies the S3 call.
    S3Denied, "s3_denied", Target;
    /// The role's permissions boundary does not allow the S3 call.
    S3Boundary, "s3_boundary", Target;
    /// A policy of the organization denies the S3 call.
    S3Organization, "s3_organization", Organization;
    /// The account has reached its bucket quota.
    S3Quota, "s3_quota", Target;
    /// S3 expects another Region.
    S3Region, "s3_region", LocalConfiguration;
    /// S3 does not accept the credentials of the role's session.
    S3Session, "s3_session", Request;
    /// S3 rejects the tags of the test bucket.
    S3Tags, "s3_tags", Request;
    /// S3 rejects the namespace of the test bucket.
    S3Namespace, "s3_namespace", Request;
}
