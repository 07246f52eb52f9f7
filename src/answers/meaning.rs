//! The meanings of AWS's error responses.

/// What an error response of AWS means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A policy does not allow the request, or denies it.
    Denied,
    /// A policy denies the request that xacct never writes: of the organization, or of a VPC endpoint.
    DeniedByOthers,
    /// The root user tried to assume a role.
    CallerIsRoot,
    /// The MFA code is wrong or was already used.
    MfaCodeWrong,
    /// The MFA device does not belong to the user.
    MfaSerialWrong,
    /// The access key is unknown, or the session token is missing, malformed or of another key.
    UnknownKey,
    /// The access key ID contains characters that none has.
    MalformedKey,
    /// The request arrived without a signature that AWS can read.
    Unsigned,
    /// The session has expired.
    SessionExpired,
    /// The secret access key does not match the access key ID.
    WrongSecret,
    /// This machine's clock differs too much from AWS's.
    Clock,
    /// The request was signed for another Region or service than that of the endpoint.
    SigningRegion,
    /// S3 does not accept credentials that STS issued.
    S3Session,
    /// STS is not active in the Region for the account.
    StsInactive,
    /// The account is so new that the service is not activated yet.
    AccountNotReady,
    /// The session would be longer than the role allows.
    DurationOverRole,
    /// The session would be longer than role chaining allows.
    DurationOverChain,
    /// The request is malformed, or breaks a rule of the service.
    Invalid,
    /// AWS throttled the request.
    Throttled,
    /// AWS failed.
    Failed,
    /// Another change to the same resource is in progress.
    InProgress,
    /// AWS gave up on the request, or another one for the same bucket is in progress: it may have been performed.
    Unsettled,
    /// The resource does not exist.
    Absent,
    /// The resource already exists.
    Exists,
    /// A quota is exhausted, or a policy is too large.
    Quota,
    /// The resource still has parts that must be removed first.
    InUse,
    /// AWS does not let anyone change the resource, or attach the policy.
    Fixed,
    /// The account has reached its bucket quota.
    S3Quota,
    /// S3 expects another Region.
    S3Region,
    /// S3 rejects the bucket's tags.
    S3Tags,
    /// S3 rejects the bucket's namespace, or the name does not fit it.
    S3Namespace,
}

impl Meaning {
    /// Returns whether a permission is missing.
    #[must_use]
    pub fn is_denial(self) -> bool {
        matches!(
            self,
            Self::Denied | Self::DeniedByOthers | Self::CallerIsRoot | Self::MfaCodeWrong | Self::MfaSerialWrong
        )
    }

    /// Returns whether the answer says nothing about the link: AWS did not evaluate its policies.
    #[must_use]
    pub fn is_inconclusive(self) -> bool {
        matches!(
            self,
            Self::SigningRegion
                | Self::AccountNotReady
                | Self::S3Session
                | Self::Throttled
                | Self::Failed
                | Self::InProgress
                | Self::Unsettled
        )
    }

    /// Returns whether AWS may have performed the request nevertheless.
    #[must_use]
    pub fn may_have_been_done(self) -> bool {
        self == Self::Unsettled
    }
}

/// Whether the same request can succeed later, with nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// No.
    Never,
    /// After a write of this run: IAM may still be propagating it.
    AfterWrite,
    /// In moments: the request is retried.
    InMoments,
}
