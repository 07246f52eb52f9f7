//! The risks of a policy and their sentences.

use std::fmt;

use crate::iam::names::AccountId;
use crate::iam::policy::Effect;

/// A risk of a policy. As text it is one sentence, with a remedy if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Risk {
    /// The trust policy trusts every AWS account.
    Everyone,
    /// The trust policy trusts a whole other account and requires no external ID.
    ConfusedDeputy {
        /// The trusted account.
        account: AccountId,
    },
    /// The trust policy requires MFA only of requests with an MFA condition key.
    MfaIfExists {
        /// The operator as written.
        operator: String,
    },
    /// The role may do anything in its account.
    Administrator {
        /// The managed policy's ARN, or the inline policy's name.
        policy: String,
    },
    /// The grant covers more roles than it names.
    WideGrant {
        /// The pattern in `Resource`; `None` if the statement has `NotResource`.
        resource: Option<String>,
    },
    /// The trust policy has a unique ID in place of an ARN.
    DeletedPrincipal {
        /// `AIDA…` of a user, `AROA…` of a role.
        id: String,
        /// The effect of the statement.
        effect: Effect,
    },
    /// More than nine tenths of a quota are used.
    NearQuota {
        /// The documents that share the quota.
        what: Counted,
        /// The used characters, without whitespace.
        size: usize,
        /// The maximum characters.
        quota: usize,
    },
    /// xacct cannot parse a current document as a policy.
    NotEvaluated {
        /// The document, in words: `the trust policy`, `policy NAME`.
        what: String,
        /// Where parsing failed, and why.
        problem: String,
    },
    /// A risk of the current policy, which the plan removes.
    UntilApplied(Box<Self>),
}

/// The documents with a quota of characters (IAM User Guide, "IAM and AWS STS quotas").
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
            Self::UntilApplied(risk) => write!(f, "until this plan is applied, {}", risk.problem()),
            risk => write!(f, "{}{}", risk.problem(), risk.remedy()),
        }
    }
}

impl Risk {
    fn problem(&self) -> String {
        match self {
            Self::Everyone => "the trust policy trusts everyone (Principal *)".to_owned(),
            Self::ConfusedDeputy { account } => format!(
                "the trust policy trusts all of account {account} without an external ID: a service in that account may be \
                 tricked into assuming the role for someone else (confused deputy)"
            ),
            Self::MfaIfExists { operator } => {
                format!("the trust policy requires MFA with {operator}, which accepts access keys without MFA")
            }
            Self::Administrator { policy } => {
                let policy = if is_administrator_access(policy) {
                    "AdministratorAccess".to_owned()
                } else {
                    format!("policy {policy}, which allows everything,")
                };
                format!(
                    "the role has {policy} and no permissions boundary: anyone who assumes it may do anything in the account"
                )
            }
            Self::WideGrant { resource: Some(resource) } => {
                format!("the grant covers every role that matches {resource}")
            }
            Self::WideGrant { resource: None } => "the grant covers every role except those it names".to_owned(),
            Self::DeletedPrincipal { id, effect } => {
                let kind = match id.get(..4) {
                    Some("AIDA") => "user",
                    Some("AROA") => "role",
                    _ => "principal",
                };
                let outcome = if *effect == Effect::Allow { "trusted" } else { "denied" };
                format!(
                    "the trust policy names a deleted {kind} ({id}): a new {kind} with the same name is not {outcome}"
                )
            }
            Self::NearQuota { what, size, quota } => {
                let what = match what {
                    Counted::TrustPolicy => "the trust policy uses",
                    Counted::RolePolicies => "the role's inline policies use",
                    Counted::UserPolicies => "the user's inline policies use",
                };
                format!("{what} {size} of {quota} characters")
            }
            Self::NotEvaluated { what, problem } => {
                format!("xacct cannot evaluate {what} in its current form: {problem}")
            }
            Self::UntilApplied(risk) => risk.problem(),
        }
    }

    /// Returns the remedy: the end of the sentence.
    fn remedy(&self) -> &'static str {
        match self {
            Self::Everyone => "; name accounts, or add a condition on aws:PrincipalOrgID",
            Self::ConfusedDeputy { .. } => "; use --generate-external-id",
            Self::MfaIfExists { .. } => "; use --require-mfa",
            Self::Administrator { .. } => "; limit it with --permissions-boundary",
            Self::WideGrant { .. } => "; list exact role ARNs",
            Self::NearQuota { what: Counted::TrustPolicy, .. } => {
                "; request a higher quota for \"Role trust policy length\""
            }
            Self::NearQuota { what: Counted::RolePolicies, .. } => {
                "; move the larger ones to a managed policy and attach it with --policy-arn"
            }
            Self::NearQuota { what: Counted::UserPolicies, .. } => {
                "; move the larger ones to managed policies before you add a link"
            }
            Self::DeletedPrincipal { .. } | Self::NotEvaluated { .. } | Self::UntilApplied(_) => "",
        }
    }
}

/// Returns whether this is the AWS managed policy AdministratorAccess, which allows everything.
pub(super) fn is_administrator_access(arn: &str) -> bool {
    arn.ends_with(":iam::aws:policy/AdministratorAccess")
}
