//! The risks of a policy and their sentences.

use std::collections::BTreeSet;
use std::fmt;

use super::weaker::Weaker;
use crate::iam::admission::{Accepted, Who};
use crate::iam::arn::{PrincipalArn, RoleArn, RolePattern};
use crate::iam::grant_names::GRANT_PATH;
use crate::iam::last_use::RecentUse;
use crate::iam::names::{AccountId, ExternalId, OrganizationId, PolicyName};
use crate::iam::organization_grant::ORGANIZATION_KEY;
use crate::iam::permission_set::{Addition, LackingGrant};
use crate::iam::policy::Effect;
use crate::iam::state::BOUNDARY_TAG;

/// A risk of a policy. As text it is one sentence, with a remedy if there is one that is no command.
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
    /// The grant covers the roles of one name in every account of an organization, because the settings say so.
    GrantForOrganization {
        /// The principal with the grant.
        principal: PrincipalArn,
        /// The organization.
        organization: OrganizationId,
        /// The roles.
        roles: RolePattern,
        /// Whether a target of this `xacct.toml` has such a role.
        is_declared: bool,
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
        /// What shares the quota.
        what: Counted,
        /// The used characters, without whitespace, or the number of policies.
        size: usize,
        /// The maximum.
        quota: usize,
    },
    /// A change exceeds a quota that could not be read: AWS rejects it unless the account's quota is higher than IAM's
    /// default.
    OverQuota {
        /// What shares the quota.
        what: Counted,
        /// The needed characters, without whitespace, or the number of policies.
        size: usize,
        /// IAM's default.
        quota: usize,
        /// The change that AWS would reject: `attaching ARN`.
        change: String,
    },
    /// The role has a policy that `xacct.toml` does not declare.
    UndeclaredPolicy {
        /// The role.
        role: RoleArn,
        /// Which policy.
        policy: Undeclared,
        /// Whether `exclusive` says that nothing else may be on the role.
        exclusive: bool,
    },
    /// The trust policy admits callers whom `xacct.toml` does not declare.
    UndeclaredCaller(Who),
    /// Part of the statement that admits the user, which no link can express: the new trust policy does not have it.
    NotKept {
        /// The part, as JSON.
        condition: String,
    },
    /// The role from which a link is moved has what the new one does not get, because `xacct.toml` does not declare it.
    NotMoved {
        /// The old role.
        role: RoleArn,
        /// What it has, in words.
        what: Vec<String>,
    },
    /// The role accepts several external IDs, and nothing tells which of them is the new one.
    SeveralExternalIds {
        /// The one that xacct sends.
        first: Option<ExternalId>,
    },
    /// Callers lose access because a role is adopted.
    LosesAccess(Who),
    /// An entry of `accept` matches nobody whom the trust policy admits.
    AcceptedNobody {
        /// The entry.
        who: String,
    },
    /// The grant covers roles that `xacct.toml` does not declare, in the accounts of its targets.
    UndeclaredRoles {
        /// The principal with the grant.
        principal: PrincipalArn,
        /// The policy that holds the grant.
        policy: PolicyName,
        /// The roles.
        roles: BTreeSet<RoleArn>,
    },
    /// The grant policy has statements that xacct did not write and that allow something.
    UndeclaredStatements(BTreeSet<String>),
    /// A statement of others in the grant policy denies a role, so that the link cannot work.
    DeniedByGrant {
        /// The role.
        role: RoleArn,
        /// The statement.
        statement: String,
    },
    /// A statement in `trust_statement_files` denies a principal of the link, so that the link cannot work.
    DeniedByFile {
        /// The principal with the grant.
        principal: PrincipalArn,
        /// The statement.
        statement: String,
    },
    /// The declared boundary allows everything.
    BoundaryLimitsNothing {
        /// The ARN of the boundary.
        policy: String,
    },
    /// The role has no valid tag for the text of its boundary.
    BoundaryNotRecorded {
        /// The ARN of the boundary.
        policy: String,
    },
    /// The declared boundary has another text than at the last run.
    BoundaryChanged {
        /// The ARN of the boundary.
        policy: String,
        /// The version at the last run.
        from: String,
        /// The default version now.
        to: String,
        /// How the texts differ.
        change: BoundaryChange,
    },
    /// AWS denied reading the declared boundary.
    BoundaryUnread {
        /// The ARN of the boundary.
        policy: String,
        /// The missing permission; empty if there is another reason.
        permission: String,
    },
    /// xacct found no credentials of any principal of the links, so that nobody can test the link.
    NoUserCredentials {
        /// The principals, for a sentence.
        principals: String,
    },
    /// A permission set may not assume all roles of its links yet. Only its administrator can change that.
    PermissionSetLacksGrant(Box<LackingGrant>),
    /// The role to delete was used recently, perhaps by others.
    InUse(RecentUse),
    /// A manual change that only `--adopt` repairs.
    NeedsAdoption {
        /// The problem, as bootstrap would refuse it.
        problem: String,
    },
    /// A manual change that xacct cannot repair.
    NotRepairable {
        /// The problem, as bootstrap would refuse it.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// A difference in what another tool manages, so that xacct only reports it.
    ManagedElsewhere {
        /// The tool.
        manager: String,
        /// What xacct would do about it, such as `delete policy x`.
        difference: String,
    },
    /// xacct cannot parse a current document as a policy.
    NotEvaluated {
        /// The document, in words: `the trust policy`, `policy NAME`.
        what: String,
        /// Where parsing failed, and why.
        problem: String,
    },
    /// The plan makes the role weaker than it is now.
    Weaker(Weaker),
    /// A quota has no room for the new policies beside those that they replace.
    RemovesFirst(Counted),
    /// A risk of the current policy, which the plan removes.
    UntilApplied(Box<Self>),
}

/// A policy of the role that `xacct.toml` does not declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undeclared {
    /// An attached managed policy, by its ARN.
    Attached(String),
    /// An inline policy, by its name.
    Inline(String),
}

/// How the text of a boundary differs from that of the last run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundaryChange {
    /// It allows everything, so that the boundary limits nothing.
    Everything,
    /// It is another text.
    Other,
    /// It is another policy of the same name.
    Recreated,
    /// AWS changed its own policy.
    ByAws,
    /// AWS denied `iam:GetPolicyVersion`, or the old version is deleted, so that xacct cannot compare the texts.
    NotCompared,
}

/// What has a quota of characters or of policies (IAM User Guide, "IAM and AWS STS quotas").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The trust policy of a role.
    TrustPolicy,
    /// All inline policies of the role.
    RolePolicies,
    /// All inline policies of the principal.
    UserPolicies,
    /// The managed policies attached to the role.
    AttachedPolicies,
}

impl Counted {
    /// Returns the start of a sentence about the use of the quota.
    fn uses(self) -> &'static str {
        match self {
            Self::TrustPolicy => "the trust policy uses",
            Self::RolePolicies => "the role's inline policies use",
            Self::UserPolicies => "the principal's inline policies use",
            Self::AttachedPolicies => "the role has",
        }
    }

    /// Returns the start of a sentence about the quota itself.
    fn has(self) -> &'static str {
        if self == Self::AttachedPolicies {
            "the quota of attached managed policies has"
        } else {
            "the quota of inline policies has"
        }
    }

    fn unit(self) -> &'static str {
        if self == Self::AttachedPolicies { "attached managed policies" } else { "characters" }
    }
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
            Self::GrantForOrganization { principal, organization, roles, is_declared } => {
                let whose = principal.in_words().replace('`', "");
                let undeclared = if *is_declared { "" } else { "; no target of this xacct.toml has such a role" };
                format!(
                    "{whose} may assume {roles} in every account of organization {organization}, present or future, whose \
                     role of that name trusts account {}{undeclared}",
                    principal.account()
                )
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
            Self::NearQuota { what, size, quota } => format!("{} {size} of {quota} {}", what.uses(), what.unit()),
            Self::OverQuota { what, size, quota, change } => format!(
                "AWS rejects {change} if the account has the default quota of {quota} {}, because it would need {size}; \
                 xacct could not read the quota (iam:GetAccountSummary)",
                what.unit()
            ),
            Self::UndeclaredPolicy { policy, exclusive, .. } => {
                let policy = match policy {
                    Undeclared::Attached(arn) => format!("managed policy {arn}"),
                    Undeclared::Inline(name) => format!("inline policy {name}"),
                };
                let rule = if *exclusive { ", and the link is exclusive" } else { "" };
                format!("the role has {policy}, which xacct.toml does not declare{rule}")
            }
            Self::NoUserCredentials { principals } => format!(
                "the test will be inconclusive: xacct found no credentials of {principals}; specify a profile with \
                 --user-profile NAME, or apply without the test: --no-verify"
            ),
            Self::PermissionSetLacksGrant(lacking) => {
                let set = lacking.set.in_words().replace('`', "");
                if let Addition::Reference(policy) = &lacking.addition {
                    return format!(
                        "{set} lacks the grant, which only its administrator can add: a reference to managed policy \
                         {GRANT_PATH}{policy}; every account to which the set is assigned needs a policy of that name"
                    );
                }
                let what = match &lacking.desired.organization {
                    // The same as in the policy to add: one statement for all accounts.
                    Some(organization) => {
                        let patterns: BTreeSet<_> =
                            lacking.missing.iter().map(|role| RolePattern::from(role).to_string()).collect();
                        let patterns: Vec<_> = patterns.into_iter().collect();
                        format!(
                            "{} in organization {organization}; AWS documents {ORGANIZATION_KEY}, but no AssumeRole that it \
                             allows is on record: the test shows whether AWS allows it",
                            patterns.join(", ")
                        )
                    }
                    None => lacking.missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                };
                format!("{set} lacks the grant, which only its administrator can add: sts:AssumeRole on {what}")
            }
            Self::UndeclaredCaller(who) => format!("the trust policy admits {who}, which xacct.toml does not declare"),
            Self::NotKept { condition } => {
                format!("the new trust policy does not have {condition}, because xacct.toml cannot express it")
            }
            Self::NotMoved { role, what } => format!(
                "the new role does not get what xacct.toml does not declare of role {}: {}",
                role.name,
                what.join(", ")
            ),
            Self::SeveralExternalIds { first } => {
                let first = first.as_ref().map(ToString::to_string).unwrap_or_default();
                format!(
                    "the role accepts several external IDs, and xacct cannot know which is the new one: it sends {first}"
                )
            }
            Self::LosesAccess(who) => format!("{who} loses access, because xacct.toml does not declare it"),
            Self::AcceptedNobody { who } => Accepted::unmatched(who),
            Self::UndeclaredRoles { roles, .. } => {
                let arns: Vec<_> = roles.iter().map(ToString::to_string).collect();
                match arns.as_slice() {
                    [role] => format!("the grant also covers {role}, which this xacct.toml does not declare"),
                    _ => format!(
                        "the grant also covers {} roles that this xacct.toml does not declare: {}",
                        arns.len(),
                        arns.join(", ")
                    ),
                }
            }
            Self::UndeclaredStatements(statements) => {
                let statements: Vec<_> = statements.iter().map(String::as_str).collect();
                format!("the grant policy has statements that xacct did not write: {}", statements.join(", "))
            }
            Self::BoundaryChanged { policy, from, to, change } => {
                let versions = format!("since the last run ({from}, now {to})");
                match change {
                    BoundaryChange::Everything => {
                        format!(
                            "boundary {policy} was changed {versions} and now allows everything, so it limits nothing"
                        )
                    }
                    BoundaryChange::Other => format!("boundary {policy} was changed {versions}"),
                    BoundaryChange::Recreated => format!("boundary {policy} was deleted and created again {versions}"),
                    BoundaryChange::ByAws => format!("AWS changed boundary {policy} {versions}"),
                    BoundaryChange::NotCompared => {
                        format!(
                            "boundary {policy} has another version {versions}, and xacct could not compare the texts"
                        )
                    }
                }
            }
            Self::DeniedByFile { principal, statement } => {
                format!(
                    "trust_statement_files deny {}, so the link cannot work: {statement}",
                    principal.in_words().replace('`', "")
                )
            }
            Self::DeniedByGrant { role, statement } => {
                format!("the grant policy denies sts:AssumeRole on {role}, so the link cannot work: {statement}")
            }
            Self::BoundaryLimitsNothing { policy } => {
                format!("boundary {policy} allows everything, so it limits nothing")
            }
            Self::BoundaryNotRecorded { policy } => format!(
                "the role's tag {BOUNDARY_TAG} is missing or not valid, so the text of boundary {policy} may have changed \
                 since the last run"
            ),
            Self::BoundaryUnread { policy, permission } => {
                let permission = if permission.is_empty() { String::new() } else { format!(" ({permission})") };
                format!(
                    "xacct could not read boundary {policy}{permission}, so its text may have changed since the last run"
                )
            }
            Self::InUse(used) => used.to_string(),
            Self::NeedsAdoption { problem } => format!("{problem}: only bootstrap --adopt repairs this"),
            Self::NotRepairable { problem, .. } => problem.clone(),
            Self::ManagedElsewhere { manager, difference } => {
                format!("xacct would {difference}, but {manager} manages it")
            }
            Self::NotEvaluated { what, problem } => {
                format!("xacct cannot evaluate {what} in its current form: {problem}")
            }
            Self::Weaker(weaker) => format!("weaker: {weaker}"),
            Self::RemovesFirst(what) => format!(
                "{} no room for the new policies beside the old ones, so xacct removes these first: if AWS then rejects the \
                 new ones, the role has neither",
                what.has()
            ),
            Self::UntilApplied(risk) => risk.problem(),
        }
    }

    /// Returns the remedy: the end of the sentence.
    fn remedy(&self) -> String {
        let remedy = match self {
            Self::Everyone => "; name accounts, or add a condition on aws:PrincipalOrgID",
            Self::NotKept { .. } => "; to keep it, add a Deny statement with the opposite condition",
            Self::SeveralExternalIds { .. } => "; in xacct.toml, the first one must be the new one",
            Self::LosesAccess(_) => "; to keep its statement, use --keep-statements",
            Self::Weaker(Weaker::TrustDenialDropped { .. }) => "; to keep it, use bootstrap --keep-statements",
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
            Self::NearQuota { what: Counted::AttachedPolicies, .. } => {
                "; request a higher quota for \"Managed policies attached to an IAM role\""
            }
            Self::InUse(_) => "; CloudTrail in that account records the session names",
            Self::NotRepairable { remedy, .. } => return format!("; {remedy}"),
            Self::ManagedElsewhere { manager, .. } => return format!("; change {manager}'s files or xacct.toml"),
            _ => "",
        };
        remedy.to_owned()
    }

    /// Returns whether the accounts differ from `xacct.toml`, though the plan may have no change for it.
    #[must_use]
    pub fn is_difference(&self) -> bool {
        match self {
            Self::UndeclaredPolicy { exclusive, .. } => *exclusive,
            // AWS maintains its policies; nobody changed this account.
            Self::BoundaryChanged { change, .. } => *change != BoundaryChange::ByAws,
            Self::BoundaryNotRecorded { .. }
            | Self::NeedsAdoption { .. }
            | Self::NotRepairable { .. }
            | Self::PermissionSetLacksGrant(_)
            | Self::ManagedElsewhere { .. } => true,
            _ => false,
        }
    }
}

/// Returns whether this is the AWS managed policy AdministratorAccess, which allows everything.
pub(in crate::iam) fn is_administrator_access(arn: &str) -> bool {
    arn.ends_with(":iam::aws:policy/AdministratorAccess")
}
