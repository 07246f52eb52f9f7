//! The data from which the page builds the details of a link when they are opened. What many links share is in it once.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::report::diagnosis::statement_lines;
use crate::report::formats::cases::Case;
use crate::report::formats::code::lines;
use crate::report::formats::document::{Change, Layer, Policy, Target};
use crate::report::formats::link::Link;
use crate::report::formats::view::View;
use crate::report::formats::words::{Part, time};

/// Stand for a link's own account and name in what links share: characters of the private use area.
const OWN_ACCOUNT: &str = "\u{f8ff}";
const OWN_NAME: &str = "\u{f8fe}";

/// The data of a page.
#[derive(Default, Serialize)]
pub struct Data {
    /// Titles and evidence of steps.
    strings: Strings,
    /// Everything else about links, as JSON in JSON.
    shared: Strings,
    links: Vec<Row>,
    /// Causes and fixes of what was checked beside the links.
    beside: Vec<Vec<Value>>,
}

/// Strings, each once.
#[derive(Default, Serialize)]
#[serde(into = "Vec<String>")]
struct Strings(HashMap<String, usize>);

impl From<Strings> for Vec<String> {
    fn from(Strings(numbers): Strings) -> Self {
        let mut all: Vec<_> = numbers.into_iter().collect();
        all.sort_by_key(|(_, number)| *number);
        all.into_iter().map(|(text, _)| text).collect()
    }
}

impl Clone for Strings {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Strings {
    fn number(&mut self, text: String) -> usize {
        let next = self.0.len();
        *self.0.entry(text).or_insert(next)
    }
}

#[derive(Serialize)]
struct Row {
    name: String,
    account: String,
    role: String,
    principals: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// When the first of the tests with the same result started.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    cases: Vec<Value>,
    more: usize,
}

impl Data {
    /// Returns the data of these links.
    pub fn of(view: &View<'_>) -> Self {
        let mut data = Self::default();
        for link in &view.links {
            let row = data.row(link);
            data.links.push(row);
        }
        let of_case = |case: &Case| {
            let changes = view.changes.iter().filter(|_| case.id == "drift").flat_map(documents);
            let changes = changes.flat_map(|policy| {
                [Part::Line(1, policy.policy), Part::Statement(statement_lines(&policy.document, &[]))]
            });
            case.why.iter().cloned().chain(changes).map(|it| part(&it, &lines)).collect()
        };
        data.beside = view.cases.iter().map(of_case).collect();
        data
    }

    /// Returns whether a case has causes or fixes.
    pub fn has_parts(&self, case: usize) -> bool {
        self.beside.get(case).is_some_and(|parts| !parts.is_empty())
    }

    fn row(&mut self, link: &Link<'_>) -> Row {
        let own = |text: &str| own(text, link);
        let case = |case: &Case| {
            let (title, evidence) = (own(&case.title), own(&case.evidence));
            let (title, evidence) = (self.strings.number(title), self.strings.number(evidence));
            let ids: Vec<_> = case.request_ids.iter().map(|id| lines(id)).collect();
            json!([case.outcome as u8, title, evidence, case.duration_ms, ids])
        };
        let cases = link.cases.iter().map(case).collect();
        Row {
            name: lines(link.name),
            account: lines(&link.account),
            role: lines(&link.role),
            principals: link.principals.iter().map(|principal| lines(principal)).collect(),
            at: link.started_at.map(|at| lines(&time(at))),
            since: link.unchanged_since.map(|at| lines(&time(at))),
            ms: link.duration_ms,
            cases,
            more: self.shared.number(more(link, &own).to_string()),
        }
    }

    /// Returns the data as JSON that ends no element of HTML.
    pub fn embedded(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    }
}

/// Returns a text with the link's own account and name replaced, so that links can share it.
fn own(text: &str, link: &Link<'_>) -> String {
    let (text, account, name) = (lines(text), lines(&link.account), lines(link.name));
    let text = if account.is_empty() { text } else { text.replace(&account, OWN_ACCOUNT) };
    if name.is_empty() { text } else { text.replace(&name, OWN_NAME) }
}

/// Returns everything about a link that the table of steps does not have.
fn more(link: &Link<'_>, own: &dyn Fn(&str) -> String) -> Value {
    let target = link.target;
    let verification = target.verification.as_ref();
    let why = link.cases.iter().flat_map(|case| &case.why).map(|it| part(it, own));
    let remarks = link.cases.iter().flat_map(|case| &case.remarks).map(|remark| own(remark));
    let layers = target.diagnosis.iter().flat_map(|diagnosis| &diagnosis.layers);
    let layers = layers.map(|layer| {
        let reasons: Vec<_> = layer.reasons.iter().map(|reason| own(reason)).collect();
        json!([own(&layer.name), layer.verdict.replace('_', " "), reasons])
    });
    let (policies, unread) = policies(target);
    json!({
        "tested_as": verification.and_then(|it| it.tested_as.as_deref()).map(own),
        "ready": verification.and_then(|it| it.ready_after_ms),
        "why": why.collect::<Vec<_>>(),
        "remarks": remarks.collect::<Vec<_>>(),
        "policies": policies.iter().map(|it| policy(it, own)).collect::<Vec<_>>(),
        "unread": unread,
        "layers": layers.collect::<Vec<_>>(),
    })
}

/// Returns the policies that the command read, and which it did not.
fn policies(target: &Target) -> (Vec<Policy>, Vec<&'static str>) {
    let is_trust = |policy: &Policy| policy.policy.starts_with("trust policy ");
    // The test knows which statements let others in; the diagnosis, which let the principal in.
    let mut policies: Vec<_> = target.trust_policy.iter().collect();
    let of_diagnosis = target.diagnosis.iter().flat_map(|diagnosis| &diagnosis.policies);
    policies.extend(of_diagnosis.filter(|policy| target.trust_policy.is_none() || !is_trust(policy)));
    let has_trust = policies.iter().any(|policy| is_trust(policy));
    let has_grant = policies.iter().any(|policy| !is_trust(policy));
    let is_compared = target.changes.is_some() || target.drift.is_some();
    let mut unread = Vec::new();
    if is_compared && !(has_trust && has_grant) {
        unread.push("Policies that match xacct.toml are not shown.");
    } else {
        unread.extend((!has_trust).then_some("Trust policy: not read."));
        let is_grant = |layer: &Layer| layer.name.starts_with("policies of ") && layer.name.ends_with("sts:AssumeRole");
        let mut layers = target.diagnosis.iter().flat_map(|diagnosis| &diagnosis.layers);
        let is_none = layers.any(|layer| is_grant(layer) && layer.verdict == "not_allowed");
        unread.extend((!has_grant).then_some(if is_none { "Grant: there is none." } else { "Grant: not read." }));
    }
    let drift = target.drift.iter().flat_map(|drift| &drift.changes);
    let changes = target.changes.iter().flatten().chain(drift).flat_map(documents);
    (policies.into_iter().cloned().chain(changes).collect(), unread)
}

/// Returns the policy that a change replaces, and the new one.
fn documents(change: &Change) -> impl Iterator<Item = Policy> {
    let document = |document: &Option<Value>, which: &str| {
        let document = document.clone().filter(Value::is_object)?;
        Some(Policy { policy: format!("{}: {which}", change.summary), document, deciding: Vec::new() })
    };
    [document(&change.replaces, "now"), document(&change.document, "after the change")].into_iter().flatten()
}

fn policy(policy: &Policy, own: &dyn Fn(&str) -> String) -> Value {
    let statements = match policy.document.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement) => vec![statement],
        None => vec![&policy.document],
    };
    let statement = |(index, statement): (usize, &Value)| {
        let lines = statement_lines(statement, &[]).into_iter().map(|(marked, line)| json!([marked, own(&line)]));
        json!({ "decides": policy.deciding.contains(&(index + 1)), "lines": lines.collect::<Vec<_>>() })
    };
    let statements: Vec<_> = statements.into_iter().enumerate().map(statement).collect();
    json!({ "policy": own(&policy.policy), "statements": statements })
}

/// Returns a part: its depth and a sentence, or the kind of a block and its lines.
fn part(part: &Part, own: &dyn Fn(&str) -> String) -> Value {
    match part {
        Part::Line(depth, text) => json!([depth, own(text)]),
        Part::Code(text) => json!(["code", text.lines().map(|line| json!([false, own(line)])).collect::<Vec<_>>()]),
        Part::Statement(all) => {
            json!(["json", all.iter().map(|(marked, line)| json!([marked, own(line)])).collect::<Vec<_>>()])
        }
    }
}
