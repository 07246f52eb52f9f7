//! The JSON document of `who`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::answer::{Answer, Answered, Entry, Shown};
use crate::error::ExitCode;
use crate::iam::admission::{Needs, Standing};
use crate::iam::who::{Index, Place};
use crate::report::json::{self, ByName, JsonError};

/// What `who` never reads.
const NOT_READ: [&str; 4] =
    ["service_control_policies", "resource_control_policies", "session_policies", "identity_center_assignments"];

#[derive(Serialize)]
struct Document {
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    targets: ByName,
    not_read: [&'static str; 4],
}

#[derive(Serialize)]
struct Source {
    account: String,
    operator: json::Operator,
    /// Who could let themselves in.
    may_write_iam: Vec<Writer>,
    unread: Vec<String>,
}

#[derive(Serialize)]
struct Writer {
    #[serde(flatten)]
    principal: Principal,
    actions: Vec<&'static str>,
}

#[derive(Serialize)]
struct Principal {
    arn: String,
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_set: Option<String>,
    /// With `--principal`: the roles that its policies name, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    named_roles: Option<BTreeSet<String>>,
}

#[derive(Serialize)]
struct Target {
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<json::Operator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_exists: Option<bool>,
    /// `null` in these lists is unknown: nobody was found, but not everything was read.
    principals: Option<Vec<Admitted<Principal>>>,
    elsewhere: Option<Vec<Admitted<Class>>>,
    kept_out: Option<Vec<KeptOut>>,
    /// Entries of `accept` that match nobody.
    unmatched_accept: Option<Vec<String>>,
    unread: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

#[derive(Serialize)]
struct Class {
    who: String,
}

#[derive(Serialize)]
struct Admitted<T> {
    #[serde(flatten)]
    who: T,
    certainty: &'static str,
    undecided: BTreeSet<String>,
    standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    needs: JsonNeeds,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<Statement>,
    via: Vec<String>,
}

#[derive(Serialize)]
struct JsonNeeds {
    external_id: bool,
    mfa: bool,
}

#[derive(Serialize)]
struct Statement {
    policy: String,
    number: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

#[derive(Serialize)]
struct KeptOut {
    #[serde(flatten)]
    principal: Principal,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<Statement>,
}

/// Returns the document.
pub(super) fn document(shown: &Shown<'_>, exit_code: ExitCode) -> String {
    let Shown { index, half, answers, only, is_filtered: _ } = shown;
    let writers = index.writers().map(|(holder, actions)| Writer { principal: Principal::from(holder), actions });
    let only_writers = |writer: &Writer| {
        only.and_then(|number| index.holder(number)).is_none_or(|holder| holder.arn == writer.principal.arn)
    };
    let document = Document {
        source: Source {
            account: index.account.id.to_string(),
            operator: (&half.operator).into(),
            may_write_iam: writers.filter(only_writers).collect(),
            unread: half.unread().into_iter().chain(index.account.unread()).collect(),
        },
        principal: only
            .and_then(|number| index.holder(number))
            .map(|holder| Principal { named_roles: Some(index.named_roles(holder)), ..Principal::from(holder) }),
        targets: answers.iter().map(|answered| (answered.link.name.clone(), target(answered, index))).collect(),
        not_read: NOT_READ,
    };
    json::document("who", exit_code, document)
}

fn target(answered: &Answered, index: &Index<'_>) -> Target {
    let mut target = Target {
        account: answered.link.account.to_string(),
        role_arn: None,
        operator: None,
        role_exists: None,
        principals: None,
        elsewhere: None,
        kept_out: None,
        unmatched_accept: None,
        unread: Vec::new(),
        error: None,
    };
    match &answered.answer {
        Err(error) => target.error = Some(error.into()),
        Ok(answer) => target.fill(answer, index),
    }
    target
}

impl Target {
    fn fill(&mut self, answer: &Answer, index: &Index<'_>) {
        let principal = |number: usize| index.holder(number).map(Principal::from);
        self.role_arn = Some(answer.role.to_string());
        self.operator = Some((&answer.operator).into());
        self.role_exists = answer.role_is_known().then_some(!answer.is_absent);
        let is_account_read = answer.is_absent || index.account.is_read;
        let is_all_read = is_account_read && answer.is_complete();
        let principals = answer.principals.iter().filter_map(|it| Some(admitted(principal(it.who)?, it, index)));
        self.principals = known(principals.collect(), is_account_read);
        let elsewhere = answer.elsewhere.iter().map(|it| admitted(Class { who: it.who.clone() }, it, index));
        self.elsewhere = known(elsewhere.collect(), is_all_read);
        let kept_out = answer.kept_out.iter().filter_map(|(number, place)| {
            Some(KeptOut { principal: principal(*number)?, statement: place.as_ref().map(Statement::from) })
        });
        self.kept_out = known(kept_out.collect(), is_all_read);
        self.unmatched_accept = known(answer.unmatched.clone(), is_all_read);
        self.unread = answer.unread.iter().cloned().collect();
    }
}

/// Returns a list, unless it is empty only because not everything was read.
fn known<T>(found: Vec<T>, is_all_read: bool) -> Option<Vec<T>> {
    (is_all_read || !found.is_empty()).then_some(found)
}

fn admitted<T, U>(who: T, entry: &Entry<U>, index: &Index<'_>) -> Admitted<T> {
    let Needs { external_id, mfa } = entry.needs;
    let (standing, reason) = match &entry.standing {
        Standing::Accepted(reason) => ("accepted", Some(reason.clone())),
        Standing::Undeclared => ("undeclared", None),
        _ => ("declared", None),
    };
    Admitted {
        who,
        certainty: if entry.undecided.is_empty() { "certain" } else { "perhaps" },
        undecided: entry.undecided.clone(),
        standing,
        reason,
        needs: JsonNeeds { external_id, mfa },
        statement: entry.place.as_ref().map(Statement::from),
        via: entry.via.iter().filter_map(|number| Some(index.holder(*number)?.arn.clone())).collect(),
    }
}

impl From<&Place> for Statement {
    fn from(place: &Place) -> Self {
        Self { policy: place.policy.clone(), number: place.statement, sid: place.sid.clone() }
    }
}

impl From<&crate::iam::who::Holder> for Principal {
    fn from(holder: &crate::iam::who::Holder) -> Self {
        Self {
            arn: holder.arn.clone(),
            kind: holder.kind.word(),
            name: holder.name.clone(),
            permission_set: holder.permission_set().map(str::to_owned),
            named_roles: None,
        }
    }
}
