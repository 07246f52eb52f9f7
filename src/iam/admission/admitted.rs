//! A class of callers whom a trust policy admits.

use std::collections::BTreeSet;
use std::fmt;

use crate::iam::names::AccountId;

/// A class of callers whom one statement of a trust policy admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The class.
    pub who: Who,
    /// The index of the statement in the document, from 0.
    pub statement: usize,
    /// The `Sid` of the statement.
    pub sid: Option<String>,
    /// What these callers must send or have, and can.
    pub needs: Needs,
    /// Why it is undecided whether they are admitted; `None` if they certainly are.
    pub undecided: Option<String>,
}

impl Admitted {
    /// Returns whether whoever gets in as `other` certainly gets in as this class too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.who.covers(&other.who)
            && self.needs.are_within(other.needs)
            && (self.undecided.is_none() || self.undecided == other.undecided)
    }
}

/// Conditions that say nothing of who calls, which a caller of the class can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The request must send a certain external ID.
    pub external_id: bool,
    /// The session must have MFA.
    pub mfa: bool,
}

impl Needs {
    /// Returns whether whoever has `others` has these too.
    #[must_use]
    pub fn are_within(self, others: Self) -> bool {
        (!self.external_id || others.external_id) && (!self.mfa || others.mfa)
    }
}

/// A class of callers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// One IAM user, role (with its sessions), session or federated user.
    Principal {
        /// The account of the principal.
        account: AccountId,
        /// Its ARN.
        arn: String,
    },
    /// The principals of an account whose ARN, or another attribute that the account controls, matches.
    Matching {
        /// The account.
        account: AccountId,
        /// The narrowing condition in words: `aws:PrincipalArn arn:aws:iam::111111111111:role/ci-*`.
        narrowed: String,
    },
    /// Every principal of an account.
    Account(AccountId),
    /// Every principal of an organization, or of a part of it.
    Organization {
        /// The ID, such as `o-a1b2c3d4e5`, or the path, or `of the role's account`.
        id: String,
    },
    /// Every principal of every account.
    Everyone,
    /// An AWS service, or `*` for all of them.
    Service(String),
    /// An AWS service that acts for a resource, an account or an organization.
    ServiceFor {
        /// The service, or `*`.
        service: String,
        /// The narrowing condition in words: `aws:SourceAccount 111111111111`.
        source: String,
    },
    /// The bearers of tokens of an issuer.
    Tokens {
        /// The OIDC provider: its ARN, or the host of an issuer that is built into AWS.
        issuer: String,
        /// The admitted subjects, or the claims that say whose tokens; empty if all tokens are admitted.
        subjects: BTreeSet<String>,
    },
    /// The users of a SAML provider.
    Saml {
        /// The ARN of the provider, or `*` for any.
        provider: String,
    },
    /// Nobody now: a unique ID of a principal that was deleted.
    Deleted {
        /// The unique ID.
        id: String,
    },
}

/// The ID of the organization that is not known: `aws:PrincipalOrgID` must be `${aws:ResourceOrgID}`.
pub(super) const OWN_ORGANIZATION: &str = "of the role's account";

impl Who {
    /// Returns whether nobody is of this class now.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        matches!(self, Self::Deleted { .. })
    }

    /// Returns the classes that make up this one: the tokens for each of its subjects, or this one.
    #[must_use]
    pub fn parts(&self) -> Vec<Self> {
        match self {
            Self::Tokens { issuer, subjects } if subjects.len() > 1 => {
                let part = |subject: &String| Self::Tokens {
                    issuer: issuer.clone(),
                    subjects: BTreeSet::from([subject.clone()]),
                };
                subjects.iter().map(part).collect()
            }
            _ => vec![self.clone()],
        }
    }

    /// Returns whether this class certainly includes the other one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let includes_service = |service: &String, other: &String| service == "*" || service == other;
        self == other
            || match (self, other) {
                (Self::Everyone, _) => true,
                (
                    Self::Account(account),
                    Self::Principal { account: other, .. } | Self::Matching { account: other, .. },
                ) => account == other,
                (Self::Principal { account, arn }, Self::Principal { account: other, arn: session }) => {
                    account == other && role_of_session(session).is_some_and(|name| is_role(arn, name))
                }
                (Self::Organization { id }, Self::Organization { id: path }) => {
                    path.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('/'))
                }
                (Self::Service(service), Self::Service(other) | Self::ServiceFor { service: other, .. }) => {
                    includes_service(service, other)
                }
                (Self::Saml { provider }, Self::Saml { .. }) => provider == "*",
                (Self::Tokens { issuer, subjects }, Self::Tokens { issuer: other, subjects: narrowed }) => {
                    issuer == other && (subjects.is_empty() || !narrowed.is_empty() && narrowed.is_subset(subjects))
                }
                _ => false,
            }
    }
}

/// Returns the name of the role of a session.
fn role_of_session(arn: &str) -> Option<&str> {
    Some(arn.split_once(":assumed-role/")?.1.split_once('/')?.0)
}

/// Returns whether this is the ARN of a role with this name. The names of an account differ, whatever their path is.
fn is_role(arn: &str, name: &str) -> bool {
    arn.split_once(":role/").is_some_and(|(_, path)| path.rsplit('/').next() == Some(name))
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal { arn, .. } => f.write_str(arn),
            Self::Matching { account, narrowed } => write!(f, "account {account} ({narrowed})"),
            Self::Account(account) => write!(f, "account {account}"),
            Self::Organization { id } => write!(f, "organization {id}"),
            Self::Everyone => f.write_str("everyone"),
            Self::Service(name) => write!(f, "service {name}"),
            Self::ServiceFor { service, source } => write!(f, "service {service} for {source}"),
            Self::Tokens { issuer, subjects } if subjects.is_empty() => write!(f, "any token of {issuer}"),
            Self::Tokens { issuer, subjects } => {
                let subjects: Vec<_> = subjects.iter().map(String::as_str).collect();
                write!(f, "tokens of {issuer} for {}", subjects.join(", "))
            }
            Self::Saml { provider } => write!(f, "users of {provider}"),
            Self::Deleted { id } => write!(f, "nobody (deleted principal {id})"),
        }
    }
}
