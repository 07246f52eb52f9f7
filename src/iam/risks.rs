//! What may go wrong with the policies of a link: those that will be in force, and those that stand until then.
//!
//! A risk stops nothing. It is said before anything is written, so that whoever applies a plan knows what it opens.

use std::collections::BTreeSet;
use std::fmt;

use super::evaluate::action_matches;
use super::names::AccountId;
use super::policy::{Effect, Element, PolicyDocument, Principals, Statement, account_principal, is_unique_id};
use crate::iam::state::{DesiredRole, FoundDocument, ObservedRole, ObservedUser, RoleQuotas};

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
        /// What is counted.
        what: Counted,
        /// Its characters.
        size: usize,
        /// How many it may have.
        quota: usize,
    },
    /// Something stands there that cannot be read as a policy.
    NotEvaluated {
        /// What it is.
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

    /// What can be done about it: the end of the sentence.
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

/// The risks of a role as it will be, and of what stands in its place until then.
#[must_use]
pub fn of_role(desired: &DesiredRole, observed: Option<&ObservedRole>, quotas: &RoleQuotas) -> Vec<Risk> {
    let own = &desired.arn.account;
    let mut risks = of_trust(&desired.trust, own);
    risks.extend(of_size(Counted::TrustPolicy, desired.trust.size(), quotas.trust_policy));
    let size = desired.inline.values().map(PolicyDocument::size).sum();
    risks.extend(of_size(Counted::RolePolicies, size, quotas.inline_policies));
    risks.extend(of_permissions(desired, observed));

    let Some(observed) = observed else { return risks };
    if !observed.trust.matches(&desired.trust) {
        // Access keys without MFA stay let in where MFA is no longer demanded at all.
        let without_mfa = !desired.trust.statements.iter().any(demands_mfa);
        let stays = |risk: &Risk| without_mfa && matches!(risk, Risk::MfaIfExists { .. });
        let replaced = of_replaced(&observed.trust, "the trust policy", &risks, |found| of_trust(found, own), stays);
        risks.extend(replaced);
    }
    for (name, found) in &observed.inline {
        if let Some(FoundDocument::Unparsed { problem, .. }) = found {
            risks.push(Risk::NotEvaluated { what: format!("policy {name}"), problem: problem.to_string() });
        }
    }
    risks
}

/// The risks of the grant as it will be, and of what stands in its place until then.
#[must_use]
pub fn of_user(grant: &PolicyDocument, observed: &ObservedUser) -> Vec<Risk> {
    let mut risks = of_grant(grant);
    let size = grant.size() + observed.other_policies_size.unwrap_or(0);
    risks.extend(of_size(Counted::UserPolicies, size, observed.quota));
    if let Some(found) = observed.grant.as_ref().filter(|found| !found.matches(grant)) {
        let replaced = of_replaced(found, "the user's grant", &risks, of_grant, |_| false);
        risks.extend(replaced);
    }
    risks
}

/// The risks of a found document that are not among those of the one that takes its place.
fn of_replaced(
    found: &FoundDocument,
    what: &str,
    known: &[Risk],
    look: impl FnOnce(&PolicyDocument) -> Vec<Risk>,
    stays: impl Fn(&Risk) -> bool,
) -> Vec<Risk> {
    match found {
        FoundDocument::Policy(document) => {
            let new = look(document).into_iter().filter(|risk| !known.contains(risk));
            new.map(|risk| if stays(&risk) { risk } else { Risk::UntilApplied(Box::new(risk)) }).collect()
        }
        FoundDocument::Unparsed { problem, .. } => {
            vec![Risk::NotEvaluated { what: what.to_owned(), problem: problem.to_string() }]
        }
    }
}

/// The risks of a trust policy of a role in account `own`.
#[must_use]
pub fn of_trust(document: &PolicyDocument, own: &AccountId) -> Vec<Risk> {
    let mut risks = Vec::new();
    let mut add = |risk: Risk| {
        if !risks.contains(&risk) {
            risks.push(risk);
        }
    };
    for statement in &document.statements {
        for id in identifiers(statement).filter(|id| is_unique_id(id)) {
            add(Risk::DeletedPrincipal { id: id.clone(), effect: statement.effect });
        }
        if statement.effect == Effect::Deny || !may_assume(statement) {
            continue;
        }
        if is_for_everyone(statement) && !KEYS_OF_WHO.iter().any(|key| demands(document, statement, key, is_exact)) {
            add(Risk::Everyone);
        }
        for account in whole_accounts(document, statement).into_iter().filter(|account| account != own) {
            add(Risk::ConfusedDeputy { account });
        }
        if let Some(operator) = mfa_if_exists(document, statement) {
            add(Risk::MfaIfExists { operator });
        }
    }
    risks
}

/// The risks of a policy that lets a user assume roles.
#[must_use]
pub fn of_grant(document: &PolicyDocument) -> Vec<Risk> {
    let allows = |statement: &&Statement| {
        statement.effect == Effect::Allow && action_matches(&statement.action, "sts:AssumeRole")
    };
    let wide = document.statements.iter().filter(allows).flat_map(|statement| match &statement.resource {
        Some(Element::Is(resources)) => {
            resources.iter().filter(|arn| arn.contains(['*', '?'])).map(|arn| Some(arn.clone())).collect()
        }
        Some(Element::Not(_)) => vec![None],
        None => Vec::new(),
    });
    wide.map(|resource| Risk::WideGrant { resource }).collect()
}

/// The risk of having no room left, once nine tenths are taken.
#[must_use]
pub fn of_size(what: Counted, size: usize, quota: usize) -> Option<Risk> {
    (size * 10 > quota * 9).then_some(Risk::NearQuota { what, size, quota })
}

/// The risks of what the role may do, with what others attached to it.
fn of_permissions(desired: &DesiredRole, observed: Option<&ObservedRole>) -> Vec<Risk> {
    let boundary = desired.boundary.as_ref().map(ToString::to_string);
    let boundary = boundary.or_else(|| observed?.boundary.clone());
    // A boundary that allows everything caps nothing.
    if boundary.is_some_and(|arn| !is_administrator_access(&arn)) {
        return Vec::new();
    }
    let wanted = desired.attachments.iter().map(ToString::to_string);
    let found = observed.into_iter().flat_map(|role| role.attachments.iter().cloned());
    let attached: BTreeSet<_> = wanted.chain(found).filter(|arn| is_administrator_access(arn)).collect();
    let inline = desired.inline.iter().filter(|(_, document)| allows_everything(document));
    let all = attached.into_iter().chain(inline.map(|(name, _)| name.to_string()));
    all.map(|policy| Risk::Administrator { policy }).collect()
}

/// Condition keys that say who asks (IAM User Guide, "AWS global condition context keys").
const KEYS_OF_WHO: [&str; 4] =
    ["aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"];

/// Whether a trust policy's statement speaks of assuming the role: one with `sts:TagSession` alone does not.
fn may_assume(statement: &Statement) -> bool {
    let actions = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];
    actions.iter().any(|action| action_matches(&statement.action, action))
}

/// `Principal: *`; what `NotPrincipal` leaves is everyone but a few.
fn is_for_everyone(statement: &Statement) -> bool {
    matches!(statement.principal, Some(Element::Is(Principals::Everyone) | Element::Not(Principals::Listed(_))))
}

/// What a statement lists under `AWS`.
fn identifiers(statement: &Statement) -> impl Iterator<Item = &String> {
    let listed = match &statement.principal {
        Some(Element::Is(Principals::Listed(kinds)) | Element::Not(Principals::Listed(kinds))) => kinds.get("AWS"),
        _ => None,
    };
    listed.into_iter().flatten()
}

/// Accounts of which anyone is let in without an external ID, as far as the account itself allows it.
fn whole_accounts(document: &PolicyDocument, statement: &Statement) -> BTreeSet<AccountId> {
    let demands = |key, is_narrow: fn(&str) -> bool| demands(document, statement, key, is_narrow);
    if demands("sts:ExternalId", is_not_just_wildcards)
        || demands("aws:PrincipalArn", is_part_of_an_account)
        || demands("aws:PrincipalOrgID", is_exact)
    {
        return BTreeSet::new();
    }
    if is_for_everyone(statement) {
        let accounts = tests(statement).filter(|(_, key, _)| key.eq_ignore_ascii_case("aws:PrincipalAccount"));
        return accounts.flat_map(|(.., values)| values).filter_map(|account| account.parse().ok()).collect();
    }
    identifiers(statement).filter_map(|id| account_principal(id)).collect()
}

/// Whether requests come through only if this key has a value that is narrow enough: because the statement asks for
/// it, or because another one denies the rest.
fn demands(document: &PolicyDocument, statement: &Statement, key: &str, is_narrow: fn(&str) -> bool) -> bool {
    let is_narrowed_by = |operators: [&str; 5], (operator, tested, values): &Test<'_>| {
        operators.contains(&operator.name.as_str())
            && tested.eq_ignore_ascii_case(key)
            && !values.is_empty()
            && values.iter().all(|value| is_narrow(value))
    };
    let asks = ["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"];
    let denies = ["stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike"];
    // A key that is absent meets a negated operator, with or without IfExists (IAM User Guide, "Condition operators").
    let denies_the_rest = |other: &Statement| {
        let is_met = |test: Test<'_>| !test.0.is_quantified && is_narrowed_by(denies, &test);
        is_denial_for(other, statement) && tests(other).all(is_met)
    };
    tests(statement).any(|test| !test.0.passes_absent && is_narrowed_by(asks, &test))
        || document.statements.iter().any(denies_the_rest)
}

/// Whether a statement denies on one condition, to all whom the other one speaks of. A second condition would let
/// through whatever does not meet it.
fn is_denial_for(denial: &Statement, statement: &Statement) -> bool {
    let is_everyone = denial.principal == Some(Element::Is(Principals::Everyone));
    denial.effect == Effect::Deny
        && (is_everyone || denial.principal == statement.principal)
        && action_matches(&denial.action, "sts:AssumeRole")
        && tests(denial).count() == 1
}

/// A condition operator, as far as it matters here.
struct Operator<'a> {
    written: &'a str,
    /// In lower case, without prefix and suffix.
    name: String,
    is_quantified: bool,
    /// Whether a request without the key comes through, if the operator is no negated one: `ForAllValues` is true of
    /// no values, and so is `IfExists` (IAM User Guide, "Condition operators").
    passes_absent: bool,
}

impl<'a> Operator<'a> {
    fn read(written: &'a str) -> Self {
        let lower = written.to_ascii_lowercase();
        let (quantifier, rest) = lower.split_once(':').map_or((None, lower.as_str()), |(q, rest)| (Some(q), rest));
        let (name, if_exists) = rest.strip_suffix("ifexists").map_or((rest, false), |name| (name, true));
        let passes_absent = quantifier == Some("forallvalues") || if_exists && quantifier.is_none();
        Self { written, name: name.to_owned(), is_quantified: quantifier.is_some(), passes_absent }
    }
}

/// Operator, key and values of a condition.
type Test<'a> = (Operator<'a>, &'a String, &'a BTreeSet<String>);

fn tests(statement: &Statement) -> impl Iterator<Item = Test<'_>> {
    let conditions = statement.condition.iter();
    conditions.flat_map(|(operator, keys)| keys.iter().map(|(key, values)| (Operator::read(operator), key, values)))
}

/// No wildcard where the value says whose it is: the account of an ARN, the organization of a path in one.
fn is_exact(value: &str) -> bool {
    let owner = if value.starts_with("arn:") { value.split(':').nth(4) } else { value.split('/').next() };
    owner.is_some_and(|owner| !owner.is_empty() && !owner.contains(['*', '?']))
}

fn is_not_just_wildcards(value: &str) -> bool {
    !value.chars().all(|c| matches!(c, '*' | '?'))
}

/// Whether an ARN leaves out some of its account: `arn:aws:iam::111111111111:*` does not.
fn is_part_of_an_account(arn: &str) -> bool {
    arn.splitn(6, ':').nth(5).is_some_and(is_not_just_wildcards)
}

/// Whether a statement lets nobody in without MFA.
fn demands_mfa(statement: &Statement) -> bool {
    tests(statement).any(|(operator, key, values)| {
        let must_exist = operator.name == "null" && is_of_mfa(key) && all_are(values, "false");
        must_exist || !operator.passes_absent && is_about_mfa(&operator, key, values)
    })
}

/// The operator with which a statement means to demand MFA and does not: the keys are absent where long-term access
/// keys are used, and then `IfExists` lets the request through (IAM User Guide, "AWS global condition context keys",
/// aws:MultiFactorAuthPresent).
fn mfa_if_exists(document: &PolicyDocument, statement: &Statement) -> Option<String> {
    // `BoolIfExists` with `false` is right in a Deny, as the same page says.
    let denies_the_rest = |other: &Statement| {
        let is_met = |(operator, key, values): Test<'_>| {
            let is_absent = operator.name == "null" && is_of_mfa(key) && all_are(values, "true");
            let is_false = operator.name == "bool" && operator.passes_absent && is_present(key);
            is_absent || is_false && all_are(values, "false")
        };
        is_denial_for(other, statement) && tests(other).all(is_met)
    };
    if demands_mfa(statement) || document.statements.iter().any(denies_the_rest) {
        return None;
    }
    let mut asking = tests(statement).filter(|(operator, key, values)| is_about_mfa(operator, key, values));
    asking.next().map(|(operator, ..)| operator.written.to_owned())
}

fn is_present(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent")
}

fn is_age(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:MultiFactorAuthAge")
}

fn is_of_mfa(key: &str) -> bool {
    is_present(key) || is_age(key)
}

/// Whether a condition asks for MFA, strictly or not.
fn is_about_mfa(operator: &Operator<'_>, key: &str, values: &BTreeSet<String>) -> bool {
    is_present(key) && operator.name == "bool" && all_are(values, "true")
        || is_age(key) && operator.name.starts_with("numericless")
}

fn all_are(values: &BTreeSet<String>, text: &str) -> bool {
    values.iter().all(|value| value.eq_ignore_ascii_case(text))
}

/// AWS's own policy of that name, which allows everything.
fn is_administrator_access(arn: &str) -> bool {
    arn.ends_with(":iam::aws:policy/AdministratorAccess")
}

/// Whether a statement allows `*` on `*`, whatever the request.
fn allows_everything(document: &PolicyDocument) -> bool {
    let has = |element: &Element<BTreeSet<String>>, all: &[&str]| {
        let Element::Is(listed) = element else { return false };
        listed.iter().any(|one| all.contains(&one.as_str()))
    };
    document.statements.iter().any(|statement| {
        statement.effect == Effect::Allow
            && statement.condition.is_empty()
            && has(&statement.action, &["*", "*:*"])
            && statement.resource.as_ref().is_some_and(|resource| has(resource, &["*"]))
    })
}

#[cfg(test)]
mod tests;
