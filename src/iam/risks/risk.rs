//! What may go wrong with a policy, and the sentences for it.

use std::fmt;

use crate::iam::names::AccountId;
use crate::iam::policy::Effect;

/// Something that may go wrong. As text it is one sentence, with what to do where there is a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Risk {
    /// The trust policy admits whoever has an account at AWS.
    Everyone,
    /// An account other than the role's own is trusted as a whole, and no external ID is demanded.
    ConfusedDeputy {
        /// The account that is trusted.
        account: AccountId,
    },
    /// MFA is demanded only of requests that say anything about MFA.
    MfaIfExists {
        /// The operator as it was written.
        operator: String,
    },
    /// The role may do anything in its account.
    Administrator {
        /// The managed policy's ARN, or the inline policy's name.
        policy: String,
    },
    /// The grant reaches more roles than those it names.
    WideGrant {
        /// The pattern in `Resource`; `None` where it is `NotResource`.
        resource: Option<String>,
    },
    /// A unique ID stands where an ARN was.
    DeletedPrincipal {
        /// `AIDA…` of a user, `AROA…` of a role.
        id: String,
        /// What the statement does to it.
        effect: Effect,
    },
    /// More than nine tenths of a quota are taken.
    NearQuota {
        /// The documents that share the quota.
        what: Counted,
        /// Characters that are taken, without whitespace.
        size: usize,
        /// Characters that there may be.
        quota: usize,
    },
    /// Something stands there that cannot be read as a policy.
    NotEvaluated {
        /// The document, in words: `the trust policy`, `policy NAME`.
        what: String,
        /// Where reading failed, and why.
        problem: String,
    },
    /// A risk of what stands there now, which goes when the plan is applied.
    UntilApplied(Box<Self>),
}

/// What has a quota of characters (IAM User Guide, "IAM and AWS STS quotas").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The trust policy of a role.
    TrustPolicy,
    /// All inline policies of the role.
    RolePolicies,
    /// All inline policies of the user.
    UserPolicies,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UntilApplied(risk) => write!(f, "until this is applied, {}", risk.problem()),
            risk => write!(f, "{}{}", risk.problem(), risk.remedy()),
        }
    }
}

impl Risk {
    fn problem(&self) -> String {
        match self {
            Self::Everyone => "the trust policy admits everyone (Principal *)".to_owned(),
            Self::ConfusedDeputy { account } => format!(
                "account {account} is trusted as a whole without an external ID: whoever can use it for others, such \
                 as a service, may be tricked into using the role (confused deputy)"
            ),
            Self::MfaIfExists { operator } => {
                format!("the trust policy demands MFA with {operator}, which lets access keys without MFA in")
            }
            Self::Administrator { policy } => {
                let policy = if is_administrator_access(policy) {
                    "AdministratorAccess".to_owned()
                } else {
                    format!("policy {policy}, which allows everything,")
                };
                format!(
                    "the role has {policy} and no permissions boundary: whoever assumes it may do anything in the account"
                )
            }
            Self::WideGrant { resource: Some(resource) } => {
                format!("the grant reaches every role that matches {resource}")
            }
            Self::WideGrant { resource: None } => "the grant reaches every role but those it names".to_owned(),
            Self::DeletedPrincipal { id, effect } => {
                let kind = match id.get(..4) {
                    Some("AIDA") => "user",
                    Some("AROA") => "role",
                    _ => "principal",
                };
                let outcome = if *effect == Effect::Allow { "let in" } else { "kept out" };
                format!("the trust policy names a deleted {kind} ({id}): whoever has its name now is not {outcome}")
            }
            Self::NearQuota { what, size, quota } => {
                let what = match what {
                    Counted::TrustPolicy => "the trust policy takes",
                    Counted::RolePolicies => "the role's inline policies take",
                    Counted::UserPolicies => "the user's inline policies take",
                };
                format!("{what} {size} of {quota} characters")
            }
            Self::NotEvaluated { what, problem } => format!("cannot evaluate {what} as it stands now: {problem}"),
            Self::UntilApplied(risk) => risk.problem(),
        }
    }

    /// Returns what can be done about it: the end of the sentence.
    fn remedy(&self) -> &'static str {
        match self {
            Self::Everyone => "; name accounts, or add a condition on aws:PrincipalOrgID",
            Self::ConfusedDeputy { .. } => "; --generate-external-id prevents that",
            Self::MfaIfExists { .. } => "; --require-mfa does not",
            Self::Administrator { .. } => ", unless --permissions-boundary caps it",
            Self::WideGrant { .. } => "; name the roles' ARNs",
            Self::NearQuota { what: Counted::TrustPolicy, .. } => {
                "; have the quota \"Role trust policy length\" raised before more is needed"
            }
            Self::NearQuota { what: Counted::RolePolicies, .. } => {
                "; make a managed policy of the larger ones and attach it with --policy-arn"
            }
            Self::NearQuota { what: Counted::UserPolicies, .. } => {
                "; make managed policies of the larger ones before another link is added"
            }
            Self::DeletedPrincipal { .. } | Self::NotEvaluated { .. } | Self::UntilApplied(_) => "",
        }
    }
}

/// Returns whether this is AWS's own policy AdministratorAccess, which allows everything.
pub(super) fn is_administrator_access(arn: &str) -> bool {
    arn.ends_with(":iam::aws:policy/AdministratorAccess")
}
