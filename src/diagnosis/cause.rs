//! Every cause that a diagnosis can name.

use serde::Serialize;

/// Where a cause lies, and so who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The source account: the user and what it may do.
    Source,
    /// The target account: the role, who may assume it, and what it may do.
    Target,
    /// The organization that one of the accounts is in.
    Organization,
    /// The request, as it was made.
    Request,
    /// This machine: credentials, variables, clock, `xacct.toml`.
    LocalConfiguration,
}

impl Side {
    /// In words.
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
        /// Why a link does not work, or works where it must not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Cause {
            $($(#[$doc])* $name,)*
        }

        impl Cause {
            /// All causes, in the order of the README's table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in JSON.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// The side on which it lies.
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
    /// There are no credentials to be had.
    NoCredentials, "no_credentials", LocalConfiguration;
    /// Variables with keys win over the profile that `AWS_PROFILE` names.
    EnvironmentHidesProfile, "environment_hides_profile", LocalConfiguration;
    /// The session of the credentials has expired.
    ExpiredToken, "expired_token", LocalConfiguration;
    /// The access key is unknown, or the session token malformed or of another key.
    UnknownCredentials, "unknown_credentials", LocalConfiguration;
    /// The secret does not belong to the access key.
    WrongSecret, "wrong_secret", LocalConfiguration;
    /// The machine's clock is off.
    ClockSkew, "clock_skew", LocalConfiguration;
    /// The root user cannot assume roles.
    CallerIsRoot, "caller_is_root", LocalConfiguration;
    /// The credentials are those of another user.
    CallerIsAnotherUser, "caller_is_another_user", LocalConfiguration;
    /// The credentials are of a session of a role.
    CallerIsRoleSession, "caller_is_role_session", LocalConfiguration;
    /// The credentials are of a federated user, who cannot assume roles.
    CallerIsFederated, "caller_is_federated", LocalConfiguration;
    /// The credentials come from GetSessionToken without MFA.
    SessionWithoutMfa, "session_without_mfa", LocalConfiguration;
    /// The role that the file names is in another account than the one with the role.
    WrongAccount, "wrong_account", LocalConfiguration;
    /// The accounts are in different partitions.
    WrongPartition, "wrong_partition", LocalConfiguration;
    /// No external ID was sent, and the role demands one.
    ExternalIdMissing, "external_id_missing", Request;
    /// Another external ID was sent than the role demands.
    ExternalIdWrong, "external_id_wrong", Request;
    /// MFA is demanded, and was not there.
    MfaAbsent, "mfa_absent", Request;
    /// The MFA code is wrong or was used before.
    MfaCodeWrong, "mfa_code_wrong", Request;
    /// The MFA device is not the user's.
    MfaSerialWrong, "mfa_serial_wrong", Request;
    /// The session would be longer than the role allows.
    DurationOverRoleLimit, "duration_over_role_limit", Request;
    /// The session would be longer than an hour, from the session of another role.
    DurationOverChainingLimit, "duration_over_chaining_limit", Request;
    /// Something in the request has not the form that AWS demands.
    InvalidRequest, "invalid_request", Request;
    /// AWS was busy or broken, which says nothing about the link.
    AwsUnavailable, "aws_unavailable", Request;
    /// STS is switched off in the region for the account that has the role.
    StsInactive, "sts_inactive", Target;
    /// The region must be switched on by each account, and the source account has not done so.
    RegionNotEnabled, "region_not_enabled", Source;
    /// There is no such role.
    RoleAbsent, "role_absent", Target;
    /// The role stands under another path.
    RoleOtherPath, "role_other_path", LocalConfiguration;
    /// The role's name is spelt with other capitals.
    RoleOtherCase, "role_other_case", LocalConfiguration;
    /// The trust policy names other accounts only.
    TrustOtherAccount, "trust_other_account", Target;
    /// The trust policy names other users or roles of the source account.
    TrustOtherPrincipal, "trust_other_principal", Target;
    /// The trust policy names a user or role that was deleted.
    TrustDanglingPrincipal, "trust_dangling_principal", Target;
    /// The trust policy does not speak of `sts:AssumeRole`.
    TrustOtherAction, "trust_other_action", Target;
    /// A condition of the trust policy is not met.
    TrustCondition, "trust_condition", Target;
    /// The trust policy denies it.
    TrustDenies, "trust_denies", Target;
    /// Session tags were sent, and one side does not allow `sts:TagSession`.
    SessionTagsNotAllowed, "session_tags_not_allowed", Target;
    /// A source identity was sent, and one side does not allow `sts:SetSourceIdentity`.
    SourceIdentityNotAllowed, "source_identity_not_allowed", Target;
    /// The trust policy asks for no external ID, though the link has one.
    ExternalIdNotDemanded, "external_id_not_demanded", Target;
    /// The trust policy takes other external IDs besides the link's.
    ExternalIdPattern, "external_id_pattern", Target;
    /// The trust policy asks for no MFA, though the link demands it.
    MfaNotDemanded, "mfa_not_demanded", Target;
    /// The MFA condition is written with `…IfExists`, which lets access keys without MFA in.
    MfaIfExists, "mfa_if_exists", Target;
    /// There is no such user.
    UserAbsent, "user_absent", Source;
    /// No policy of the user speaks of assuming a role.
    GrantAbsent, "grant_absent", Source;
    /// The user may assume other roles only.
    GrantOtherArn, "grant_other_arn", Source;
    /// A condition of the grant is not met.
    GrantCondition, "grant_condition", Source;
    /// A policy of the user denies it.
    SourceDenies, "source_denies", Source;
    /// The user's permissions boundary does not allow it.
    BoundaryCuts, "boundary_cuts", Source;
    /// The policy of the session does not allow it.
    SessionPolicyCuts, "session_policy_cuts", Source;
    /// A service control policy refuses it.
    ServiceControlPolicy, "service_control_policy", Organization;
    /// A resource control policy refuses it.
    ResourceControlPolicy, "resource_control_policy", Organization;
    /// The policy of a VPC endpoint refuses it.
    VpcEndpointPolicy, "vpc_endpoint_policy", Source;
    /// It was made a moment ago, and AWS does not honour it everywhere yet.
    Propagating, "propagating", Target;
    /// A policy has a form that xacct cannot evaluate.
    UnreadablePolicy, "unreadable_policy", Target;
    /// The role may not do in S3 what the check does.
    S3NotAllowed, "s3_not_allowed", Target;
    /// A policy of the role denies it.
    S3Denied, "s3_denied", Target;
    /// The role's permissions boundary does not allow it.
    S3Boundary, "s3_boundary", Target;
    /// The organization forbids it.
    S3Organization, "s3_organization", Organization;
    /// The account has as many buckets as it may have.
    S3Quota, "s3_quota", Target;
    /// S3 expects another region.
    S3Region, "s3_region", LocalConfiguration;
}
