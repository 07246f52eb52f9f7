//! A class of callers while its conditions are applied.

use std::collections::{BTreeMap, BTreeSet};

use super::admitted::{Needs, OWN_ORGANIZATION, Who};
use super::keys::{Kind, Says, SharedIssuer, claim, issuer_of, of_role, says, shared_issuer};
use super::subject::Subject;
use crate::iam::evaluate::{Context, Known, Language, Met, Pattern, Test, Value};
use crate::iam::names::AccountId;
use crate::iam::policy::{Element, Principals, account_principal, is_unique_id};

/// Whom an element of a statement names, before its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// All principals of AWS, or those of an account.
    Aws(Option<AccountId>),
    /// One principal, by its ARN.
    Principal(AccountId, String),
    /// One principal, by the unique ID that is left when it is deleted.
    Deleted(String),
    /// An AWS service; `None` for all.
    Service(Option<String>),
    /// The bearers of tokens of a provider; `None` for all.
    Token(Option<String>),
    /// The users of a SAML provider; `None` for all.
    Assertion(Option<String>),
}

/// A condition: its operator, its key in lower case, and its values.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub test: Test,
    pub key: String,
    /// The key as written.
    pub written: String,
    pub wanted: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    known: Known,
    /// The key and the value for people, if they say who calls.
    shown: Option<String>,
}

/// A class of callers, narrowed by the conditions so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    pub base: Base,
    facts: BTreeMap<String, Fact>,
    pub needs: Needs,
    pub undecided: Option<String>,
}

const ARN: &str = "aws:principalarn";
const ACCOUNT: &str = "aws:principalaccount";
const ORGANIZATION: &str = "aws:principalorgid";

impl Class {
    pub fn new(base: Base) -> Self {
        let mut class = Self { base, facts: BTreeMap::new(), needs: Needs::default(), undecided: None };
        match class.base.clone() {
            Base::Aws(Some(account)) => class.set(ACCOUNT, Known::Is(account.to_string())),
            Base::Principal(account, arn) => {
                class.set(ACCOUNT, Known::Is(account.to_string()));
                // The ARN of a session lacks the path of its role.
                let role = arn.split_once(":assumed-role/").and_then(|(start, rest)| {
                    let (role, _) = rest.split_once('/')?;
                    Some(format!("{}:role/*{role}", start.replacen(":sts:", ":iam:", 1)))
                });
                class.set(ARN, role.map_or(Known::Is(arn), Known::Like));
            }
            Base::Service(Some(name)) => class.set("aws:principalservicename", Known::Is(name)),
            _ => {}
        }
        class
    }

    /// Returns a class of which it is undecided whether the statement names it.
    pub fn undecided(base: Base, reason: String) -> Self {
        Self { undecided: Some(reason), ..Self::new(base) }
    }

    fn set(&mut self, key: &str, known: Known) {
        self.facts.insert(key.to_owned(), Fact { known, shown: None });
    }

    fn is(&self, key: &str) -> Option<&str> {
        match self.facts.get(key)? {
            Fact { known: Known::Is(value), .. } => Some(value),
            _ => None,
        }
    }

    /// Returns the account, if the class is of one.
    fn account(&self) -> Option<AccountId> {
        self.is(ACCOUNT)?.parse().ok()
    }

    pub fn kind(&self, subject: &Subject<'_>) -> Kind {
        match &self.base {
            Base::Service(_) => Kind::Service,
            Base::Token(_) => Kind::Token,
            Base::Assertion(_) => Kind::Assertion,
            Base::Aws(_) | Base::Principal(..) | Base::Deleted(_) => match self.account() {
                Some(account) if account == subject.role.account || Some(&account) == subject.source => Kind::Known,
                _ => Kind::Foreign,
            },
        }
    }

    /// Returns the action by which callers of this class get the role.
    pub fn action(&self) -> &'static str {
        match self.base {
            Base::Token(_) => "sts:AssumeRoleWithWebIdentity",
            Base::Assertion(_) => "sts:AssumeRoleWithSAML",
            _ => "sts:AssumeRole",
        }
    }

    /// Returns the host of the issuer of a class of tokens.
    fn issuer(&self) -> Option<&str> {
        match &self.base {
            Base::Token(provider) => provider.as_deref().map(issuer_of),
            _ => None,
        }
    }

    fn says(&self, key: &str, subject: &Subject<'_>) -> Says {
        says(key, self.kind(subject), self.issuer())
    }

    fn known(&self, key: &str, subject: &Subject<'_>) -> Known {
        if let Some(known) = of_role(key, subject) {
            return known;
        }
        if let Some(fact) = self.facts.get(key) {
            return fact.known.clone();
        }
        match self.says(key, subject) {
            Says::Who => Known::Present,
            Says::WhoIfPresent | Says::Nothing => Known::Open,
            Says::Absent => Known::Absent,
            Says::Always(value) => Known::Is(value.to_owned()),
        }
    }

    /// Returns the values that are the same for all callers of the class, for policy variables.
    pub fn context(&self, subject: &Subject<'_>, variables: &BTreeSet<String>) -> Context {
        let mut context = Context::default();
        for key in variables {
            if let Known::Is(value) = self.known(&key.to_ascii_lowercase(), subject) {
                context.set(key, [value]);
            }
        }
        context
    }

    /// Returns whether the callers of the class meet a condition.
    pub fn meets(&self, condition: &Condition, subject: &Subject<'_>, language: &Language<'_>) -> Met {
        condition.test.met(&condition.wanted, &self.known(&condition.key, subject), language)
    }

    /// Returns whether a request of now meets a condition on the clock, if this is one.
    pub fn meets_now(&self, condition: &Condition, subject: &Subject<'_>, language: &Language<'_>) -> Option<bool> {
        condition.test.is_met_now(&condition.wanted, &self.known(&condition.key, subject), language)
    }

    /// Returns whether a `Principal` element matches the callers of the class.
    pub fn is_matched(&self, element: Option<&Element<Principals>>) -> Met {
        match element {
            None | Some(Element::Not(Principals::Everyone)) => Met::No,
            Some(Element::Is(Principals::Everyone)) => Met::Yes,
            Some(Element::Is(Principals::Listed(kinds))) => self.or_of_unknown_kind(self.is_named(kinds), kinds),
            Some(Element::Not(Principals::Listed(kinds))) => {
                self.or_of_unknown_kind(self.is_excepted(kinds), kinds).negated()
            }
        }
    }

    /// Returns the identifiers of the class's kind.
    fn identifiers<'a>(&self, kinds: &'a BTreeMap<String, BTreeSet<String>>) -> impl Iterator<Item = &'a String> {
        let kind = match self.base {
            Base::Service(_) => "Service",
            Base::Token(_) | Base::Assertion(_) => "Federated",
            _ => "AWS",
        };
        kinds.get(kind).into_iter().flatten()
    }

    /// Identifiers of a kind that xacct does not know, such as `CanonicalUser`, may name principals of AWS.
    fn or_of_unknown_kind(&self, met: Met, kinds: &BTreeMap<String, BTreeSet<String>>) -> Met {
        let is_aws = matches!(self.base, Base::Aws(_) | Base::Principal(..) | Base::Deleted(_));
        let unknown = kinds.keys().find(|kind| !["AWS", "Service", "Federated"].contains(&kind.as_str()));
        match unknown {
            Some(kind) if is_aws && met == Met::No => Met::Undecided(format!("xacct does not know who a {kind} is")),
            _ => met,
        }
    }

    fn is_named(&self, kinds: &BTreeMap<String, BTreeSet<String>>) -> Met {
        let name = match &self.base {
            Base::Service(name) | Base::Token(name) | Base::Assertion(name) => name.as_ref(),
            Base::Deleted(id) => Some(id),
            Base::Principal(_, arn) => Some(arn),
            Base::Aws(_) => None,
        };
        let is_aws = matches!(self.base, Base::Aws(_) | Base::Principal(..));
        let account = self.account();
        let arn = self.is(ARN);
        let is_all = |id: &String| {
            name == Some(id) || arn == Some(id) || is_aws && account.is_some() && account_principal(id) == account
        };
        if self.identifiers(kinds).any(is_all) {
            return Met::Yes;
        }
        match name {
            // An account that is not listed, and no ARN of it.
            None if !self.identifiers(kinds).any(|id| self.may_include(id)) => Met::No,
            Some(_) if !is_aws => Met::No,
            Some(_) if !self.identifiers(kinds).any(|id| self.may_include(id)) => Met::No,
            _ => Met::Open,
        }
    }

    /// Returns what a `Deny` with `NotPrincipal` leaves of a class of AWS principals: those whom it lists. `None` if that
    /// is not plain to see.
    pub fn excepted(&self, kinds: &BTreeMap<String, BTreeSet<String>>, subject: &Subject<'_>) -> Option<Vec<Self>> {
        let Base::Aws(_) = self.base else { return None };
        let listed = kinds.get("AWS")?;
        let account_of = |id: &str| id.split(':').nth(4)?.parse::<AccountId>().ok();
        let mut left = Vec::new();
        for id in listed {
            let (key, written, value) = match account_principal(id) {
                // With an account, its root user is meant, so that its users can be listed (IAM User Guide, NotPrincipal).
                // Without any of them, all of the account is left here: rather too many than too few.
                Some(account) => {
                    let is_of_account = |other: &&String| {
                        account_principal(other).is_none() && account_of(other).as_ref() == Some(&account)
                    };
                    if listed.iter().any(|other| is_of_account(&other)) {
                        continue;
                    }
                    (ACCOUNT, "aws:PrincipalAccount", account.to_string())
                }
                None => {
                    let is_plain =
                        [":user/", ":role/"].iter().any(|kind| id.contains(kind)) && !id.contains(['*', '?']);
                    account_of(id).filter(|_| is_plain)?;
                    (ARN, "aws:PrincipalArn", id.clone())
                }
            };
            let wanted = BTreeSet::from([value.clone()]);
            let condition = Condition {
                test: Test::parse("StringEquals")?,
                key: key.to_owned(),
                written: written.to_owned(),
                wanted,
            };
            left.extend(self.with(&condition, Value::Is(value), subject));
        }
        Some(left)
    }

    fn is_excepted(&self, kinds: &BTreeMap<String, BTreeSet<String>>) -> Met {
        let is_listed = match &self.base {
            Base::Service(Some(name)) | Base::Token(Some(name)) | Base::Assertion(Some(name)) => {
                return self.identifiers(kinds).any(|id| id == name).into();
            }
            // Of a role, its sessions must be listed too (IAM User Guide, NotPrincipal).
            Base::Principal(_, arn) if !arn.contains(":role/") && !arn.contains(":assumed-role/") => {
                self.identifiers(kinds).any(|id| id == arn)
            }
            _ => false,
        };
        if is_listed {
            Met::Yes
        } else if self.identifiers(kinds).any(|id| self.may_include(id) || account_principal(id) == self.account()) {
            Met::Open
        } else {
            Met::No
        }
    }

    /// Returns whether an identifier may name some of the class.
    fn may_include(&self, identifier: &String) -> bool {
        if is_unique_id(identifier) {
            return true;
        }
        if let Some(arn) = self.is(ARN).filter(|arn| !arn.contains(":role/")) {
            return arn == identifier;
        }
        let account = identifier.parse().ok().or_else(|| identifier.split(':').nth(4)?.parse().ok());
        match (&self.base, self.account(), account) {
            (Base::Aws(_) | Base::Principal(..), Some(own), Some(account)) => own == account,
            _ => true,
        }
    }

    /// Returns the classes to which a condition narrows this one: one for each value, or this one if the condition says
    /// nothing of the callers.
    pub fn narrowed(&self, condition: &Condition, subject: &Subject<'_>, language: &Language<'_>) -> Vec<Self> {
        let Condition { test, key, wanted, .. } = condition;
        let mut class = self.clone();
        class.add_needs(condition);
        let says = self.says(key, subject);
        if !test.requires_value(says == Says::Who) || wanted.is_empty() || of_role(key, subject).is_some() {
            return vec![class];
        }
        match says {
            Says::Who | Says::WhoIfPresent | Says::Nothing => {
                let with = |value: &String| {
                    if is_of_own_organization(condition, value, language) {
                        return class.clone().of_own_organization(condition);
                    }
                    class.with(condition, test.values(value, language), subject)
                };
                wanted.iter().filter_map(with).collect()
            }
            Says::Absent | Says::Always(_) => vec![class],
        }
    }

    /// Returns the part of the class that is in the organization of the role's account, whose ID is not known.
    fn of_own_organization(mut self, condition: &Condition) -> Option<Self> {
        let shown = Some(format!("{} {OWN_ORGANIZATION}", condition.written));
        let known = match self.facts.get(&condition.key).map(|fact| &fact.known) {
            None => Known::Present,
            Some(before) => both(before, &Known::Present)?,
        };
        // An ID says more.
        if !matches!(known, Known::Is(_)) {
            self.facts.insert(condition.key.clone(), Fact { known, shown });
        }
        Some(self)
    }

    /// Returns the part of the class whose key has a value; `None` if there is no such part.
    fn with(&self, condition: &Condition, value: Value, subject: &Subject<'_>) -> Option<Self> {
        let key = condition.key.as_str();
        let mut class = self.clone();
        let (known, text) = match value {
            Value::Any => return Some(class),
            Value::NoArn(text) => {
                class.undecided.get_or_insert_with(|| {
                    format!("{} is compared with {text}, which is not an ARN", condition.written)
                });
                return Some(class);
            }
            Value::Is(text) if !can_be(key, &text) => return None,
            Value::Is(text) => (Known::Is(text.clone()), text),
            Value::Like(text) => (Known::Like(text.clone()), text),
            Value::AnyCase(text) => (Known::Present, text),
        };
        // One of several values says nothing of the others.
        let known = if condition.test.is_on_any() { Known::Present } else { known };
        let says = self.says(key, subject);
        let is_who = matches!(says, Says::Who | Says::WhoIfPresent);
        if is_who && !self.is_narrow(key, &text, condition, subject) {
            return Some(class);
        }
        if matches!(class.base, Base::Token(None))
            && is_who
            && let Some((host, _)) = claim(key)
        {
            class.base = Base::Token(Some(host.to_owned()));
        }
        let known = match self.facts.get(key).map(|fact| &fact.known) {
            None => known,
            Some(before) => both(before, &known)?,
        };
        let shown = is_who.then(|| match claim(key) {
            Some((_, "sub")) => text.clone(),
            Some((_, claim)) if self.kind(subject) == Kind::Token => format!("{claim} {text}"),
            _ => format!("{} {text}", condition.written),
        });
        class.facts.insert(key.to_owned(), Fact { known, shown });
        // An ARN says the account as well, and a path of an organization the organization.
        let (implied, part) = match key {
            ARN if is_who => (ACCOUNT, fixed_account(&text, condition)),
            "aws:principalorgpaths" if is_who => ("aws:principalorgid", text.split('/').next().map(str::to_owned)),
            _ => return Some(class),
        };
        if let Some(part) = part {
            let value = Known::Is(part);
            let known = match class.facts.get(implied).map(|fact| &fact.known) {
                None => value,
                Some(before) => both(before, &value)?,
            };
            class.facts.insert(implied.to_owned(), Fact { known, shown: None });
        }
        Some(class)
    }

    /// Returns whether a value says who calls: `arn:aws:iam::*:role/admin` is a role that everybody can create.
    fn is_narrow(&self, key: &str, text: &str, condition: &Condition, subject: &Subject<'_>) -> bool {
        let has_wildcards =
            text.contains(['*', '?']) && !matches!(condition.test.values(text, &no_variables()), Value::Is(_));
        match key {
            ARN => self.kind(subject) == Kind::Known || fixed_account(text, condition).is_some(),
            ACCOUNT | "aws:principalorgid" | "aws:principalorgmasteraccountid" => !has_wildcards,
            "aws:principalorgpaths" => {
                !has_wildcards
                    || text.split('/').next().is_some_and(|id| id.starts_with("o-") && !id.contains(['*', '?']))
            }
            _ => match claim(key) {
                Some((host, claim)) => shared_issuer(host)
                    .is_none_or(|shared: &SharedIssuer| shared.names_customer(claim, text, has_wildcards)),
                None => true,
            },
        }
    }

    fn add_needs(&mut self, condition: &Condition) {
        let Condition { test, key, wanted, .. } = condition;
        let must_exist = test.requires_presence(wanted);
        let is_true = || wanted.iter().all(|wanted| wanted.eq_ignore_ascii_case("true"));
        match key.as_str() {
            "sts:externalid" => {
                let is_certain = wanted.iter().all(|value| value.chars().any(|c| !matches!(c, '*' | '?')));
                self.needs.external_id |= test.requires_value(false) && is_certain;
            }
            "aws:multifactorauthpresent" => {
                self.needs.mfa |= must_exist || test.is_bool() && test.requires_value(false) && is_true();
            }
            "aws:multifactorauthage" => {
                self.needs.mfa |= must_exist || test.is_limit() && test.requires_value(false);
            }
            _ => {}
        }
    }

    /// Returns the class for people.
    pub fn who(&self, subject: &Subject<'_>) -> Who {
        let shown = |start: &'static str| {
            let facts = self.facts.iter().filter(move |(key, _)| key.starts_with(start));
            facts.filter_map(|(_, fact)| fact.shown.as_deref())
        };
        let together = |parts: Vec<&str>| parts.join(", ");
        match &self.base {
            Base::Deleted(id) => Who::Deleted { id: id.clone() },
            Base::Principal(account, arn) => Who::Principal { account: account.clone(), arn: arn.clone() },
            Base::Service(name) => {
                let service = name.clone().or_else(|| self.is("aws:principalservicename").map(str::to_owned));
                let service = service.unwrap_or_else(|| "*".to_owned());
                let source: Vec<_> = shown("aws:source").collect();
                if source.is_empty() {
                    Who::Service(service)
                } else {
                    Who::ServiceFor { service, source: together(source) }
                }
            }
            Base::Token(provider) => {
                let subject: Vec<_> = self.facts.iter().filter(|(key, _)| claim(key).is_some()).collect();
                // The subject first.
                let (subjects, claims): (Vec<_>, Vec<_>) =
                    subject.into_iter().partition(|(key, _)| key.ends_with(":sub"));
                let parts = subjects.into_iter().chain(claims).filter_map(|(_, fact)| fact.shown.as_deref());
                let text = parts.collect::<Vec<_>>().join(" with ");
                // Some issuers are built into AWS, and everybody has an account there.
                if provider.is_none() && text.is_empty() {
                    return Who::Everyone;
                }
                Who::Tokens {
                    issuer: provider.clone().unwrap_or_else(|| "*".to_owned()),
                    subjects: if text.is_empty() { BTreeSet::new() } else { BTreeSet::from([text]) },
                }
            }
            Base::Assertion(provider) => Who::Saml { provider: provider.clone().unwrap_or_else(|| "*".to_owned()) },
            Base::Aws(_) => match (self.account(), self.is(ARN)) {
                (Some(account), Some(arn)) if !arn.ends_with(":root") => {
                    Who::Principal { account, arn: arn.to_owned() }
                }
                (Some(account), _) => {
                    let keys: &[&'static str] = match self.kind(subject) {
                        Kind::Known => &[ARN, "aws:principaltag/", "aws:principaltype", "aws:userid", "aws:username"],
                        _ => &[ARN],
                    };
                    let narrowed: Vec<_> = keys.iter().flat_map(|key| shown(key)).collect();
                    // `arn:aws:iam::111111111111:*` and `arn:aws:iam::111111111111*` are all of the account.
                    let is_all = self.facts.get(ARN).is_some_and(|fact| {
                        matches!(&fact.known,
                        Known::Like(pattern) if pattern.splitn(6, ':').nth(5).is_none_or(|rest| rest == "*"))
                    });
                    if narrowed.is_empty() || is_all && narrowed.len() == 1 {
                        Who::Account(account)
                    } else {
                        Who::Matching { account, narrowed: together(narrowed) }
                    }
                }
                (None, _) => {
                    let organization = self.facts.get("aws:principalorgpaths").and_then(|fact| fact.shown.as_deref());
                    let organization = organization.or_else(|| self.facts.get("aws:principalorgid")?.shown.as_deref());
                    let master =
                        self.facts.get("aws:principalorgmasteraccountid").and_then(|fact| fact.shown.as_deref());
                    let id = organization.and_then(|shown| Some(shown.split_once(' ')?.1));
                    match (id, master) {
                        (Some(id), _) => Who::Organization { id: id.to_owned() },
                        (None, Some(master)) => Who::Organization { id: master.to_owned() },
                        (None, None) => Who::Everyone,
                    }
                }
            },
        }
    }

    /// Says that it is undecided whether an account that the statement names is in the organization that it requires.
    pub fn note_organization(&mut self) {
        if let Some(account) = self.account()
            && let Some(organization) = self
                .facts
                .iter()
                .filter(|(key, _)| key.starts_with("aws:principalorg"))
                .find_map(|(_, fact)| fact.shown.clone())
        {
            self.undecided
                .get_or_insert_with(|| format!("xacct does not know whether account {account} matches {organization}"));
        }
    }
}

/// Returns whether a value requires the organization of the role's account, as a data perimeter does.
fn is_of_own_organization(condition: &Condition, value: &str, language: &Language<'_>) -> bool {
    language.variables
        && condition.key == ORGANIZATION
        && condition.test.is_on_text()
        && value.eq_ignore_ascii_case("${aws:ResourceOrgID}")
}

fn no_variables() -> Language<'static> {
    static NOTHING: std::sync::LazyLock<Context> = std::sync::LazyLock::new(Context::default);
    Language { variables: false, context: &NOTHING }
}

/// Returns the account of an ARN whose account has no wildcards. A star of `StringLike` before it could take colons: a
/// path of a role may have them.
fn fixed_account(arn: &str, condition: &Condition) -> Option<String> {
    let fields: Vec<_> = arn.splitn(6, ':').collect();
    let is_pattern = matches!(condition.test.values(arn, &no_variables()), Value::Like(_));
    let by_fields = condition.test.is_on_arns();
    match fields.as_slice() {
        // An account has twelve digits, so what the star of `arn:aws:iam::111111111111*` matches begins with a colon.
        [before @ .., account] if fields.len() == 5 && is_pattern && !by_fields => {
            let account = account.strip_suffix('*')?;
            let is_exact = |field: &&str| !field.contains(['*', '?']);
            (before.iter().all(is_exact) && account.parse::<AccountId>().is_ok()).then(|| account.to_owned())
        }
        [before @ .., account, _] if fields.len() == 6 => {
            let is_exact = |field: &&str| !field.contains(['*', '?']);
            let is_fixed = is_exact(account) && (!is_pattern || by_fields || before.iter().all(is_exact));
            (is_fixed && account.parse::<AccountId>().is_ok()).then(|| (*account).to_owned())
        }
        _ => None,
    }
}

/// Returns whether a key can have exactly this value: with `StringEquals`, a wildcard in an ARN is a character that
/// neither an account nor a name has (IAM API reference, CreateUser and CreateRole).
fn can_be(key: &str, value: &str) -> bool {
    let is_plain = |text: &str| !text.contains(['*', '?']);
    match key {
        ARN => match value.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            [_, _, _, _, account, resource] => {
                account.parse::<AccountId>().is_ok() && resource.rsplit('/').next().is_some_and(is_plain)
            }
            _ => false,
        },
        ACCOUNT => value.parse::<AccountId>().is_ok(),
        "aws:principalorgid" | "aws:principalorgpaths" | "aws:principalorgmasteraccountid" => is_plain(value),
        _ => true,
    }
}

/// Returns what is known if both are; `None` if both cannot be.
fn both(before: &Known, new: &Known) -> Option<Known> {
    let pattern = Pattern::with_wildcards;
    let matched = |wanted: &str, value: &str, known: &Known| pattern(wanted).matches(value).then(|| known.clone());
    match (before, new) {
        (Known::Is(a), Known::Is(b)) => (a == b).then(|| before.clone()),
        (Known::Is(value), Known::Like(wanted)) => matched(wanted, value, before),
        (Known::Like(wanted), Known::Is(value)) => matched(wanted, value, new),
        (Known::Like(a), Known::Like(b)) => {
            let (a, b) = (pattern(a), pattern(b));
            a.overlaps(&b).then(|| if a.covers(&b) { new.clone() } else { before.clone() })
        }
        (Known::Is(_) | Known::Like(_), _) => Some(before.clone()),
        _ => Some(new.clone()),
    }
}
