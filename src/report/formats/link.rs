//! A link as reports show it: its state, and in a few words why.

use super::cases::{self, Case, Outcome};
use super::document::{Diagnosis, Document, Finding, Target};
use crate::answers::cause::Cause;
use crate::report::console::count;

/// The state of a link, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Works,
    /// Differs from `xacct.toml`.
    Differs,
    /// Could not be tested.
    Unclear,
    /// The command failed.
    Failed,
    /// S3 denies the session.
    Blocked,
    /// The role cannot be assumed.
    Refused,
    /// Accepts what it must reject.
    TooOpen,
}

impl State {
    /// All states, from bad to good.
    pub const ALL: [Self; 7] =
        [Self::TooOpen, Self::Refused, Self::Blocked, Self::Failed, Self::Unclear, Self::Differs, Self::Works];

    /// Returns its name in the page's classes.
    pub fn id(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Differs => "differs",
            Self::Unclear => "unclear",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Refused => "refused",
            Self::TooOpen => "open",
        }
    }
}

/// What a command found out about its links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether they work.
    Proof,
    /// Whether they match `xacct.toml`.
    Drift,
    /// Whether they deny a caller.
    Refusal,
    /// Whether the policies allow them.
    Evaluation,
    /// Whether they have problems.
    Diagnosis,
}

impl Question {
    /// Returns the question of a document.
    pub fn of(document: &Document) -> Self {
        let has = |what: fn(&Target) -> bool| document.targets.values().any(what);
        if has(|it| it.refusal.is_some()) {
            Self::Refusal
        } else if has(|it| it.diagnosis.as_ref().is_some_and(|it| it.evaluated.is_some())) {
            Self::Evaluation
        } else if document.command == "diagnose" {
            Self::Diagnosis
        } else if has(|it| it.verification.is_some()) || document.applied.is_none() {
            Self::Proof
        } else {
            Self::Drift
        }
    }

    /// Returns the words for a state: of one link, for a table.
    pub fn result(self, state: State) -> &'static str {
        match (self, state) {
            (_, State::Failed) => "error",
            (_, State::Differs) => "differs",
            (_, State::Blocked) => "S3 blocked",
            (Self::Drift, State::Works) => "matches",
            (Self::Refusal, State::Works) => "denied",
            (Self::Refusal, State::TooOpen) => "GOT IN",
            (Self::Evaluation, State::Works) => "allowed by evaluation",
            (Self::Evaluation, State::Refused) => "not allowed by evaluation",
            (Self::Evaluation, State::Unclear) => "not proven",
            (Self::Diagnosis, State::Works) => "no problems",
            (_, State::Works) => "works",
            (_, State::Unclear) => "inconclusive",
            (_, State::Refused) => "does not work",
            (_, State::TooOpen) => "TOO OPEN",
        }
    }

    /// Returns the predicate of links that are as they should be.
    pub fn predicate(self, number: usize) -> &'static str {
        match (self, number) {
            (Self::Proof, 1) => "works",
            (Self::Proof, _) => "work",
            (Self::Drift, 1) => "matches xacct.toml",
            (Self::Drift, _) => "match xacct.toml",
            (Self::Refusal, 1) => "denies this caller",
            (Self::Refusal, _) => "deny this caller",
            (Self::Evaluation, 1) => "is allowed by evaluation",
            (Self::Evaluation, _) => "are allowed by evaluation",
            (Self::Diagnosis, 1) => "has no problems",
            (Self::Diagnosis, _) => "have no problems",
        }
    }
}

/// A link, with all that reports show of it.
pub struct Link<'a> {
    pub name: &'a str,
    pub account: String,
    pub role: String,
    pub principals: Vec<&'a str>,
    pub state: State,
    pub result: &'static str,
    /// Why, in a few words; empty if there is nothing to explain.
    pub cause: String,
    /// When the test started.
    pub started_at: Option<&'a str>,
    /// When the first of the tests with the same result started, as far as earlier documents say.
    pub unchanged_since: Option<&'a str>,
    pub duration_ms: Option<u64>,
    pub cases: Vec<Case>,
    pub target: &'a Target,
}

impl<'a> Link<'a> {
    /// Returns the link of a target.
    pub fn of(name: &'a str, target: &'a Target, question: Question, document: &Document) -> Self {
        let cases = cases::of_target(target, document);
        let state = state(target, &cases, document);
        let test = target.test();
        let role = target.role_arn.as_deref().or(target.role.as_deref()).unwrap_or_default();
        let of_role = || role.split(':').nth(4).unwrap_or_default();
        let user = target.user.iter().flat_map(|user| user.split(", "));
        // Whom the command asked about, if it is not about the principals of the link.
        let evaluated = target.diagnosis.as_ref().and_then(|it| it.evaluated.as_ref()).map(|it| &*it.principal);
        let caller = target.refusal.as_ref().map(|it| it.caller.as_deref().unwrap_or("the caller"));
        Self {
            name,
            account: target.account.as_deref().unwrap_or_else(of_role).to_owned(),
            role: role.to_owned(),
            principals: match evaluated.or(caller) {
                Some(other) => vec![other],
                None => target.principals.iter().map(String::as_str).chain(user).collect(),
            },
            state,
            result: question.result(state),
            cause: if state == State::Works { String::new() } else { cause(target, &cases) },
            started_at: test.map(|it| &*it.started_at),
            unchanged_since: test.and_then(|it| it.unchanged_since.as_deref()),
            duration_ms: test.map(|it| it.duration_ms),
            cases,
            target,
        }
    }

    /// Returns the name of the role below its path.
    pub fn role_name(&self) -> &str {
        self.role.split_once(":role/").map_or(&self.role, |(_, name)| name)
    }

    /// Returns whether a problem of it counts as a failure.
    pub fn counts(&self) -> bool {
        self.cases.iter().any(|case| case.outcome.is_problem() && case.counts)
    }

    /// Returns the first case that somebody should look at.
    pub fn first_problem(&self) -> Option<&Case> {
        let is_problem = |case: &&Case| case.outcome.is_problem();
        self.cases.iter().filter(is_problem).find(|case| !case.why.is_empty()).or(self.cases.iter().find(is_problem))
    }
}

fn state(target: &Target, cases: &[Case], document: &Document) -> State {
    if let Some(verification) = &target.verification {
        let tested = match verification.test.outcome.as_str() {
            "works" => State::Works,
            "s3_blocked" => State::Blocked,
            "refused" => State::Refused,
            "too_open" => State::TooOpen,
            _ => State::Unclear,
        };
        let is_diagnosed = document.command == "diagnose" && tested == State::Works;
        return match &target.diagnosis {
            Some(diagnosis) if is_diagnosed => of_diagnosis(diagnosis),
            _ => tested,
        };
    }
    if let Some(refusal) = &target.refusal {
        return match refusal.test.outcome.as_str() {
            "denied" => State::Works,
            "accepted" => State::TooOpen,
            _ => State::Unclear,
        };
    }
    if let Some(diagnosis) = &target.diagnosis {
        let state = match &diagnosis.evaluated {
            None => of_diagnosis(diagnosis),
            Some(evaluated) => match evaluated.verdict.as_str() {
                "allowed" if document.command == "diagnose" => State::Works,
                "not_allowed" | "denied" => State::Refused,
                _ => State::Unclear,
            },
        };
        return if state == State::Works && target.error.is_some() { State::Failed } else { state };
    }
    if target.error.is_some() {
        return State::Failed;
    }
    if cases.iter().any(|case| case.outcome == Outcome::Failed) { State::Differs } else { State::Works }
}

fn of_diagnosis(diagnosis: &Diagnosis) -> State {
    // A cause that this version does not know is one of the link.
    let is = |what: fn(Cause) -> bool| move |finding: &Finding| Cause::with_id(&finding.cause).is_some_and(what);
    if diagnosis.findings.is_empty() {
        return if diagnosis.possible.is_empty() { State::Works } else { State::Unclear };
    }
    if diagnosis.findings.iter().any(is(Cause::ends_tests)) {
        State::Failed
    } else if diagnosis.findings.iter().all(is(Cause::says_nothing)) {
        State::Unclear
    } else {
        State::Refused
    }
}

/// Returns the first cause, or the case that failed.
fn cause(target: &Target, cases: &[Case]) -> String {
    if let Some(diagnosis) = target.diagnosis.as_ref().filter(|it| !it.findings.is_empty()) {
        let first = diagnosis.findings.first().map(|finding| finding.summary.split(": ").next().unwrap_or_default());
        let more = match diagnosis.findings.len() {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        return first.unwrap_or_default().to_owned() + &more;
    }
    let of = |outcome| cases.iter().find(|case| case.outcome == outcome);
    match of(Outcome::Failed).or_else(|| of(Outcome::Unclear)) {
        Some(case) if case.id == "error" => case.evidence.clone(),
        Some(case) if case.id == "drift" => match target.changes.as_deref() {
            Some([only]) => only.summary.clone(),
            changes => count(changes.map(<[_]>::len).unwrap_or_default(), "change"),
        },
        Some(case) if case.evidence.is_empty() => case.title.clone(),
        Some(case) => format!("{}: {}", case.title, case.evidence),
        None => String::new(),
    }
}
