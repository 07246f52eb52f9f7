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
    /// IAM Identity Center, which its administrator changes.
    IdentityCenter,
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
            Self::IdentityCenter => "IAM Identity Center",
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

impl Cause {
    /// Returns the cause with this id.
    #[must_use]
    pub fn with_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.id() == id)
    }

    /// Returns whether it is on this machine, and ends a test with an error whatever the link is like.
    #[must_use]
    pub fn ends_tests(self) -> bool {
        matches!(self, Self::NoCredentials | Self::ExpiredToken | Self::ClockSkew)
    }

    /// Returns whether it says nothing about the link.
    #[must_use]
    pub fn says_nothing(self) -> bool {
        matches!(self, Self::AwsUnavailable | Self::AccountNotReady | Self::UnknownAnswer)
    }

    /// Returns whether the same request can succeed later, with nothing changed.
    #[must_use]
    pub fn waiting_helps(self) -> bool {
        matches!(
            self,
            Self::Propagating
                | Self::AwsUnavailable
                | Self::AccountNotReady
                | Self::ManagedPolicyAbsent
                | Self::PrincipalAbsent
                | Self::PermissionSetBusy
        )
    }
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
    /// The credentials belong to the role of this machine or container, although a profile is meant.
    MachineRoleHidesProfile, "machine_role_hides_profile", LocalConfiguration;
    /// The role whose session is to assume the link's role cannot be assumed itself.
    OwnRoleRefused, "own_role_refused", Source;
    /// The root user cannot assume roles.
    CallerIsRoot, "caller_is_root", LocalConfiguration;
    /// The credentials belong to another user.
    CallerIsAnotherUser, "caller_is_another_user", LocalConfiguration;
    /// The credentials belong to a role session.
    CallerIsRoleSession, "caller_is_role_session", LocalConfiguration;
    /// The credentials belong to a session of the role itself, which cannot assume itself.
    CallerIsTheRole, "caller_is_the_role", LocalConfiguration;
    /// Another tool sent its request with the user's own credentials, not with a session of the role.
    RoleNotAssumed, "role_not_assumed", LocalConfiguration;
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
    /// Session tags, with those that the session inherits, exceed AWS's limit.
    SessionTagsTooLarge, "session_tags_too_large", Request;
    /// The IAM policy simulator knows no user, group or role with this ARN, such as that of a session.
    SimulatedArn, "simulated_arn", Request;
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
    /// The trust policy names one session of the role, and every session has another name.
    TrustNamesOneSession, "trust_names_one_session", Target;
    /// The trust policy names the principal with another path, or without it.
    TrustOtherPath, "trust_other_path", Target;
    /// The trust policy names a former role of the permission set, which IAM Identity Center has created again.
    ReservedRoleRecreated, "reserved_role_recreated", Target;
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
    /// The session inherits session tags, and one side does not allow `sts:TagSession`.
    InheritedSessionTags, "inherited_session_tags", Target;
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
    /// The grant names the role with another path, or without it.
    GrantOtherPath, "grant_other_path", Source;
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
    /// A trust policy names a group, which cannot be a principal.
    GroupAsPrincipal, "group_as_principal", Target;
    /// A trust policy names a user or role that does not exist.
    PrincipalAbsent, "principal_absent", Target;
    /// The trust policy exceeds its quota.
    TrustPolicyTooLong, "trust_policy_too_long", Target;
    /// A policy of a user, group or role has a `Principal` element.
    PrincipalInGrant, "principal_in_grant", Source;
    /// The inline policies of a user, group or role exceed their quota together.
    InlinePoliciesTooLong, "inline_policies_too_long", Source;
    /// A managed policy exceeds its quota.
    ManagedPolicyTooLong, "managed_policy_too_long", Source;
    /// A managed policy has as many versions as IAM keeps.
    TooManyPolicyVersions, "too_many_policy_versions", Source;
    /// A user, group or role has as many managed policies as it may.
    TooManyAttachedPolicies, "too_many_attached_policies", Source;
    /// A managed policy of this name exists.
    PolicyNameTaken, "policy_name_taken", Source;
    /// The account has no managed policy of this ARN.
    ManagedPolicyAbsent, "managed_policy_absent", Source;
    /// A managed policy is still attached, or a permission set refers to it.
    PolicyInUse, "policy_in_use", Source;
    /// Only AWS may change the role: it is that of a permission set, or of a service.
    ReservedRole, "reserved_role", IdentityCenter;
    /// The permission set is also provisioned in the management account, where a delegated administrator cannot change it.
    PermissionSetOfManagementAccount, "permission_set_of_management_account", IdentityCenter;
    /// Another change of the permission set is in progress.
    PermissionSetBusy, "permission_set_busy", IdentityCenter;
    /// The account has no managed policy of the name that the permission set refers to.
    PermissionSetPolicyAbsent, "permission_set_policy_absent", IdentityCenter;
    /// The caller lacks IAM permissions that IAM Identity Center uses in its name.
    ProvisioningDenied, "provisioning_denied", IdentityCenter;
    /// IAM Identity Center gets no access to the account, which is suspended.
    AccountSuspended, "account_suspended", Organization;
    /// The directory has no such user or group.
    AssigneeAbsent, "assignee_absent", IdentityCenter;
}
