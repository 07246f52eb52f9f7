//! The reduction of a trust policy to the classes of callers whom it admits.
//!
//! For each statement that allows, the principals that it names are narrowed by its conditions, then by the statements
//! that deny all others. What is left is admitted, unless no caller of it can meet the statement, or a statement denies
//! all of it. Whatever only some callers meet counts as met in an `Allow`, and as not met in a `Deny`.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::admitted::{Admitted, Needs, Who};
use super::class::{Base, Class, Condition};
use super::subject::Subject;
use crate::iam::evaluate::{Language, Met, Test, action_matches, resource_matches, variables};
use crate::iam::policy::{
    Effect, Element, PolicyDocument, Principals, Statement, VERSION, account_principal, is_unique_id,
};

/// How many classes the values of conditions split the principals of a document into at most. Further conditions then
/// count as met, so that a document of thousands of values is as quick, and its classes are wider.
const MOST: usize = 1024;

/// Returns everybody whom the trust policy of a role admits, in the order of its statements.
#[must_use]
pub fn of_trust<'a>(document: &PolicyDocument, subject: impl Into<Subject<'a>>) -> Vec<Admitted> {
    let subject = subject.into();
    let read = |(index, statement)| Read::new(index, statement, document.version.as_deref() == Some(VERSION));
    let statements: Vec<_> = document.statements.iter().enumerate().map(read).collect();
    let (allows, denials): (Vec<_>, Vec<_>) =
        statements.iter().partition(|read| read.statement.effect == Effect::Allow);
    let left = Cell::new(MOST);
    allows.into_iter().flat_map(|allow| of_statement(allow, &denials, &subject, &left)).collect()
}

/// A statement with its parsed conditions.
struct Read<'a> {
    index: usize,
    statement: &'a Statement,
    conditions: Vec<Condition>,
    /// Operators that xacct does not know.
    unknown: Option<String>,
    /// Whether `${…}` is a variable, and the keys that are used so.
    variables: Option<BTreeSet<String>>,
}

impl<'a> Read<'a> {
    fn new(index: usize, statement: &'a Statement, has_variables: bool) -> Self {
        let (mut conditions, mut unknown) = (Vec::new(), None);
        for (operator, keys) in &statement.condition {
            let Some(test) = Test::parse(operator) else {
                unknown.get_or_insert_with(|| format!("xacct does not know the condition operator {operator}"));
                continue;
            };
            conditions.extend(keys.iter().map(|(key, wanted)| Condition {
                test,
                key: key.to_ascii_lowercase(),
                written: key.clone(),
                wanted: wanted.clone(),
            }));
        }
        // The account decides what other keys say.
        conditions.sort_by_key(|condition| match condition.key.as_str() {
            "aws:principalaccount" => 0,
            "aws:principalarn" => 1,
            _ => 2,
        });
        let texts = conditions.iter().flat_map(|condition| &condition.wanted);
        let variables = has_variables.then(|| texts.flat_map(|text| variables(text)).map(str::to_owned).collect());
        Self { index, statement, conditions, unknown, variables }
    }

    /// Does something with the policy variables that have the same value for all callers of a class.
    fn with_language<T>(&self, class: &Class, subject: &Subject<'_>, then: impl FnOnce(&Language<'_>) -> T) -> T {
        let nothing = BTreeSet::new();
        let context = class.context(subject, self.variables.as_ref().unwrap_or(&nothing));
        then(&Language { variables: self.variables.is_some(), context: &context })
    }

    /// Returns whether the statement is about the class, its conditions aside.
    fn covers(&self, class: &Class, subject: &Subject<'_>) -> Met {
        let resource = self.statement.resource.as_ref();
        let about = self
            .with_language(class, subject, |language| resource_matches(resource, &subject.role.to_string(), language));
        let by_unknown = self.unknown.clone().map_or(Met::Yes, Met::Undecided);
        Met::from(action_matches(&self.statement.action, class.action()) && about)
            .and(class.is_matched(self.statement.principal.as_ref()))
            .and(by_unknown)
    }

    fn meets(&self, condition: &Condition, class: &Class, subject: &Subject<'_>) -> Met {
        // Whoever gets in today is admitted, even if it ends. An Allow that begins and a Deny that ends are undecided.
        self.with_language(class, subject, |language| match class.meets_now(condition, subject, language) {
            Some(now) if now == (self.statement.effect == Effect::Allow) => now.into(),
            _ => class.meets(condition, subject, language),
        })
    }

    /// Returns whether the statement applies to the callers of a class.
    fn applies(&self, class: &Class, subject: &Subject<'_>) -> Met {
        let conditions = self.conditions.iter().map(|condition| self.meets(condition, class, subject));
        conditions.fold(self.covers(class, subject), Met::and)
    }

    fn narrow(
        &self,
        classes: Vec<Class>,
        condition: &Condition,
        subject: &Subject<'_>,
        left: &Cell<usize>,
    ) -> Vec<Class> {
        let Some(rest) = left.get().checked_sub(classes.len() * condition.wanted.len()) else { return classes };
        left.set(rest);
        let narrowed =
            |class: Class| self.with_language(&class, subject, |language| class.narrowed(condition, subject, language));
        classes.into_iter().flat_map(narrowed).collect()
    }
}

fn of_statement(allow: &Read<'_>, denials: &[&Read<'_>], subject: &Subject<'_>, left: &Cell<usize>) -> Vec<Admitted> {
    let mut found: Vec<Admitted> = Vec::new();
    for class in named(allow.statement) {
        let narrowed = allow
            .conditions
            .iter()
            .fold(vec![class], |classes, condition| allow.narrow(classes, condition, subject, left));
        for mut class in left_by(narrowed, denials, subject, left) {
            class.note_organization();
            match allow.applies(&class, subject) {
                Met::No => continue,
                Met::Undecided(reason) => {
                    class.undecided.get_or_insert(reason);
                }
                Met::Yes | Met::Open => {}
            }
            add(
                &mut found,
                Admitted {
                    who: class.who(subject),
                    statement: allow.index,
                    sid: allow.statement.sid.clone(),
                    needs: class.needs,
                    undecided: class.undecided,
                },
            );
        }
    }
    // `*` is about services and the federated too, which is worth a word only if not everyone is admitted.
    let all = found.clone();
    found.retain(|admitted| !all.iter().any(|wide| wide.who != admitted.who && wide.covers(admitted)));
    found
}

/// Adds a class, unless a statement admits it already; tokens of one issuer are one class.
fn add(found: &mut Vec<Admitted>, new: Admitted) {
    for known in &mut *found {
        let is_alike = known.needs == new.needs && known.undecided == new.undecided;
        match (&mut known.who, &new.who) {
            (Who::Tokens { issuer, subjects }, Who::Tokens { issuer: same, subjects: more })
                if is_alike && issuer == same && !subjects.is_empty() && !more.is_empty() =>
            {
                subjects.extend(more.iter().cloned());
                return;
            }
            (who, new_who) if *who == *new_who => {
                known.needs = Needs {
                    external_id: known.needs.external_id && new.needs.external_id,
                    mfa: known.needs.mfa && new.needs.mfa,
                };
                if new.undecided.is_none() {
                    known.undecided = None;
                }
                return;
            }
            _ => {}
        }
    }
    found.push(new);
}

/// Returns the classes that a statement names, its conditions aside.
fn named(statement: &Statement) -> Vec<Class> {
    let everyone = || {
        let all = [Base::Aws(None), Base::Service(None), Base::Token(None), Base::Assertion(None)];
        all.into_iter().map(Class::new).collect::<Vec<_>>()
    };
    let classes = match &statement.principal {
        None | Some(Element::Not(Principals::Everyone)) => Vec::new(),
        // NotPrincipal excludes only a few.
        Some(Element::Is(Principals::Everyone) | Element::Not(Principals::Listed(_))) => everyone(),
        Some(Element::Is(Principals::Listed(kinds))) => {
            let named = |kind: &str, name: &String| match kind {
                "AWS" => vec![of_aws(name)],
                "Service" => vec![Class::new(Base::Service(Some(name.clone())))],
                "Federated" if name == "*" => vec![Class::new(Base::Token(None)), Class::new(Base::Assertion(None))],
                "Federated" if name.contains(":saml-provider/") => {
                    vec![Class::new(Base::Assertion(Some(name.clone())))]
                }
                "Federated" => vec![Class::new(Base::Token(Some(name.clone())))],
                _ => vec![Class::undecided(
                    Base::Aws(None),
                    format!("xacct does not know which principal {kind} {name} is"),
                )],
            };
            kinds.iter().flat_map(|(kind, names)| names.iter().flat_map(move |name| named(kind, name))).collect()
        }
    };
    classes.into_iter().filter(|class| action_matches(&statement.action, class.action())).collect()
}

fn of_aws(name: &str) -> Class {
    if let Some(account) = account_principal(name) {
        return Class::new(Base::Aws(Some(account)));
    }
    if is_unique_id(name) {
        return Class::new(Base::Deleted(name.to_owned()));
    }
    let account = name.split(':').nth(4).and_then(|account| account.parse().ok());
    match account {
        Some(account) if name.starts_with("arn:") && !name.contains('*') => {
            Class::new(Base::Principal(account, name.to_owned()))
        }
        account => Class::undecided(
            Base::Aws(account),
            format!("AWS does not document which callers the principal {name} matches"),
        ),
    }
}

/// Returns what statements that deny leave of classes.
///
/// A `Deny` of all requests that do not meet one condition is a condition of every `Allow`: `Deny` with
/// `StringNotEquals aws:PrincipalOrgID`. With a second condition that some callers do not meet, it is none.
fn left_by(classes: Vec<Class>, denials: &[&Read<'_>], subject: &Subject<'_>, left: &Cell<usize>) -> Vec<Class> {
    let mut open: Vec<_> = classes.into_iter().map(|class| (class, BTreeSet::new())).collect();
    let mut passed = Vec::new();
    'classes: while let Some((mut class, mut applied)) = open.pop() {
        let mut undecided = None;
        for denial in denials {
            if applied.contains(&denial.index) {
                continue;
            }
            match denial.applies(&class, subject) {
                Met::Yes => continue 'classes,
                Met::No => {
                    applied.insert(denial.index);
                }
                Met::Undecided(reason) => undecided = undecided.or(Some(reason)),
                Met::Open if left.get() == 0 => {}
                Met::Open => {
                    let Some(narrowed) = narrowed_by(denial, &class, subject, left) else { continue };
                    applied.insert(denial.index);
                    open.extend(narrowed.into_iter().map(|class| (class, applied.clone())));
                    continue 'classes;
                }
            }
        }
        class.undecided = class.undecided.or(undecided);
        passed.push(class);
    }
    passed.reverse();
    passed
}

/// Returns what a `Deny` leaves of a class, if only one of its conditions is open and the opposite is a condition.
fn narrowed_by(denial: &Read<'_>, class: &Class, subject: &Subject<'_>, left: &Cell<usize>) -> Option<Vec<Class>> {
    if let Some(Element::Not(Principals::Listed(kinds))) = &denial.statement.principal
        && denial.covers(class, subject) == Met::Open
        && denial.conditions.iter().all(|condition| denial.meets(condition, class, subject) == Met::Yes)
    {
        let rest = left.get().checked_sub(kinds.get("AWS").map_or(0, BTreeSet::len))?;
        left.set(rest);
        return class.excepted(kinds, subject);
    }
    if denial.covers(class, subject) != Met::Yes {
        return None;
    }
    let mut open = denial.conditions.iter().filter(|condition| denial.meets(condition, class, subject) != Met::Yes);
    let (only, None) = (open.next()?, open.next()) else { return None };
    // A tag may have other values than a boolean.
    if only.test.is_bool() && only.key.starts_with("aws:principaltag/") {
        return None;
    }
    let (test, wanted) = only.test.opposite(&only.wanted)?;
    let opposite = Condition { test, wanted, ..only.clone() };
    Some(denial.narrow(vec![class.clone()], &opposite, subject, left))
}
