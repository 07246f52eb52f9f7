//! Policy documents: parsing, writing, comparison, and evaluation.

use std::collections::{BTreeMap, BTreeSet};

use xacct::iam::admission::{self, Subject};
use xacct::iam::evaluate::{self, Context, Decision, Principal, Request};
use xacct::iam::policy::{Effect, Element, PolicyDocument, Principals, Statement, account_principal};
use xacct::iam::risks;

use super::{assert_bearable, text};

const ACCOUNT: &str = "111111111111";
const USER: &str = "arn:aws:iam::111111111111:user/alice";
const ROLE: &str = "arn:aws:iam::222222222222:role/xacct";

/// A document round-trips in every format, and equivalent documents give the same decision. Returns whether it was
/// evaluated.
pub fn policy(data: &[u8]) -> bool {
    let text = text(data);
    let document = match PolicyDocument::parse(&text) {
        Ok(document) => document,
        Err(error) => {
            assert_bearable(&error.into());
            return false;
        }
    };
    for written in [document.minified(), document.to_string()] {
        assert_eq!(PolicyDocument::parse(&written).as_ref(), Ok(&document), "{written}");
    }
    assert!(document.size() <= document.minified().chars().count());

    let again = rewritten(&document);
    let twice = rewritten(&again);
    let documents = [&document, &again, &twice];
    for (one, other) in documents.iter().flat_map(|one| documents.map(|other| (one, other))) {
        assert!(one.means_the_same_as(other), "{one}\n{other}");
    }
    // An additional Deny makes it a different document, which allows nothing more.
    let stricter = denying(&document);
    assert!(!document.means_the_same_as(&stricter) && !stricter.means_the_same_as(&again));

    for request in requests(&document) {
        for judge in [evaluate::identity_policy, evaluate::resource_policy] {
            let finding = judge(&document, &request);
            assert_eq!(finding.statements.len(), document.statements.len());
            assert_eq!(evaluate::together([&finding]), finding.decision);
            assert_eq!(judge(&again, &request).decision, finding.decision, "{request:?}\n{document}\n{again}");
            assert_eq!(judge(&stricter, &request).decision, Decision::ExplicitlyDenied);
        }
    }
    let role = ROLE.parse().unwrap();
    let subject = Subject::from(&role);
    let _ = (risks::of_trust(&document, subject), risks::of_grant(&document), admission::of_trust(&document, subject));
    true
}

/// Returns an equivalent document: statements in reverse order, actions and condition keys in upper case, accounts in
/// their other form.
fn rewritten(document: &PolicyDocument) -> PolicyDocument {
    let mut document = document.clone();
    document.statements.reverse();
    for statement in &mut document.statements {
        let (Element::Is(actions) | Element::Not(actions)) = &mut statement.action;
        *actions = actions.iter().map(|action| action.to_ascii_uppercase()).collect();
        if let Some(Element::Is(Principals::Listed(kinds)) | Element::Not(Principals::Listed(kinds))) =
            &mut statement.principal
        {
            for ids in kinds.values_mut() {
                *ids = ids.iter().map(|id| other_form(id)).collect();
            }
        }
        statement.condition = std::mem::take(&mut statement.condition).into_iter().collect();
        for keys in statement.condition.values_mut() {
            *keys = in_capitals(keys);
        }
    }
    document
}

fn other_form(id: &str) -> String {
    match account_principal(id) {
        None => id.to_owned(),
        Some(account) if id == account.as_str() => format!("arn:aws:iam::{account}:root"),
        Some(account) => account.to_string(),
    }
}

/// Keys that differ only in case are unchanged, because one would replace the other.
fn in_capitals<T: Clone>(keys: &BTreeMap<String, T>) -> BTreeMap<String, T> {
    let changed: BTreeMap<_, _> = keys.iter().map(|(key, values)| (key.to_ascii_uppercase(), values.clone())).collect();
    if changed.len() == keys.len() { changed } else { keys.clone() }
}

fn denying(document: &PolicyDocument) -> PolicyDocument {
    let everything = || Element::Is(BTreeSet::from(["*".to_owned()]));
    let mut document = document.clone();
    document.statements.push(Statement {
        sid: None,
        effect: Effect::Deny,
        principal: Some(Element::Is(Principals::Everyone)),
        action: everything(),
        resource: Some(everything()),
        condition: BTreeMap::new(),
    });
    document
}

/// Returns the request of xacct itself, and one for each statement.
fn requests(document: &PolicyDocument) -> Vec<Request> {
    let principal = || Principal {
        account: ACCOUNT.parse().unwrap(),
        arns: BTreeSet::from([USER.to_owned()]),
        unique_id: Some("AIDACKCEVSQ6C2EXAMPLE".to_owned()),
    };
    let request = |action: &str, resource: &str, context| Request {
        principal: principal().into(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        context,
    };
    let mut requests = vec![request("sts:AssumeRole", ROLE, Context::default())];
    for statement in document.statements.iter().take(8) {
        let (Element::Is(actions) | Element::Not(actions)) = &statement.action;
        let resources = match &statement.resource {
            Some(Element::Is(resources) | Element::Not(resources)) => resources.first(),
            None => None,
        };
        let mut context = Context::default();
        for (key, values) in statement.condition.values().flatten() {
            context.set(key, values.iter().take(3).map(|value| filled(value)));
        }
        let action = actions.first().map_or_else(String::new, |action| filled(action));
        requests.push(request(&action, &resources.map_or_else(|| ROLE.to_owned(), |text| filled(text)), context));
    }
    requests
}

/// Returns a text that a pattern may match.
fn filled(pattern: &str) -> String {
    pattern.replace('*', "xy").replace('?', "z")
}
