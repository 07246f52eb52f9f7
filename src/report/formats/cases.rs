//! Test cases: what a command checked, one by one.

use super::document::{Document, Drift, Orphans, Problem, Refusal, Step, Target, Verification};
use super::words::{self, Part};
use crate::proof::StepId;
use crate::report::console::count;

/// The outcome of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// Passed, with something that should be changed.
    Warned,
    Failed,
    /// Could not be tested.
    Unclear,
    Skipped,
}

impl Outcome {
    /// Returns the mark of the outcome, as in text reports.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Warned => "!",
            Self::Failed => "FAIL",
            Self::Unclear => "?",
            Self::Skipped => "-",
        }
    }

    /// Returns whether somebody should look at it.
    pub fn is_problem(self) -> bool {
        matches!(self, Self::Failed | Self::Unclear)
    }

    fn of(id: &str) -> Self {
        match id {
            "ok" => Self::Passed,
            "warning" => Self::Warned,
            "skipped" => Self::Skipped,
            "failed" => Self::Failed,
            _ => Self::Unclear,
        }
    }
}

/// One test case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What the case is called in JUnit's `type`: the ID of a step, or of another check.
    pub id: String,
    pub title: String,
    pub outcome: Outcome,
    /// Whether a problem of it counts as a failure (`--fail-on`).
    pub counts: bool,
    pub duration_ms: Option<u64>,
    pub evidence: String,
    pub request_ids: Vec<String>,
    /// The error, or the causes and fixes.
    pub why: Vec<Part>,
    /// Warnings and notes.
    pub remarks: Vec<String>,
}

impl Case {
    fn new(id: &str, title: impl Into<String>, outcome: Outcome, evidence: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            title: title.into(),
            outcome,
            counts: true,
            duration_ms: None,
            evidence: evidence.into(),
            request_ids: Vec::new(),
            why: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Returns a problem beside the links in a few words.
    pub fn problem(&self) -> String {
        match self.id.as_str() {
            "drift" => "the grant differs from xacct.toml".to_owned(),
            "error" => "the command failed".to_owned(),
            "orphans" => self.evidence.clone(),
            "permission_set" => self.title.replace(" has the grant", " lacks the grant"),
            _ => format!("{}: {}", self.title, self.outcome.mark()),
        }
    }

    fn because(self, why: Vec<Part>) -> Self {
        Self { why, ..self }
    }

    fn counting(self, counts: bool) -> Self {
        Self { counts, ..self }
    }
}

/// Returns the case of something that ended with an error.
pub fn of_error(id: &str, title: &str, problem: &Problem) -> Case {
    Case::new(id, title, Outcome::Failed, problem.message.clone()).because(words::problem(problem))
}

/// Returns the cases of a target.
pub fn of_target(target: &Target, document: &Document) -> Vec<Case> {
    let mut cases = Vec::new();
    if target.verification.is_none()
        && target.diagnosis.is_none()
        && target.refusal.is_none()
        && let Some(problem) = &target.error
    {
        cases.push(of_error("error", "the command completes", problem));
        return cases;
    }
    if let Some(changes) = &target.changes {
        let what =
            if document.applied == Some(true) { "both halves are as declared" } else { "role matches xacct.toml" };
        let differs = target.differs.unwrap_or(!changes.is_empty()) && document.applied == Some(false);
        let found = if differs { Outcome::Failed } else { Outcome::Passed };
        let case = Case::new("drift", what, found, count(changes.len(), "change"));
        let mut case = case.because(words::changes(changes)).counting(document.exit_code != 0);
        case.remarks = target.warnings.iter().map(|it| format!("warning: {it}")).chain(target.notes.clone()).collect();
        cases.push(case);
    }
    cases.extend(target.drift.as_ref().map(of_drift));
    cases.extend(target.verification.iter().flat_map(|it| of_verification(it, document)));
    cases.extend(target.refusal.as_ref().map(|it| of_refusal(it, document)));
    if let Some(diagnosis) = &target.diagnosis {
        if document.command == "diagnose" || diagnosis.evaluated.is_some() {
            cases.push(of_diagnosis(target, document));
        } else if let Some(first) = cases.iter_mut().find(|case| case.outcome.is_problem() && case.id != "drift") {
            // The diagnosis explains the error of the step.
            let why = words::diagnosis(diagnosis);
            if !why.is_empty() {
                first.why = why;
            }
        }
    }
    cases
}

/// Returns whether outcomes of this group count as failures.
fn counts(document: &Document, group: &str) -> bool {
    document.fail_on.as_ref().is_none_or(|groups| groups.iter().any(|it| it == group))
}

/// Returns the steps of a test.
fn of_verification(verification: &Verification, document: &Document) -> Vec<Case> {
    let mut told: Option<&Problem> = None;
    let case = |step: &Step, is_new: bool| {
        let id = StepId::ALL.into_iter().find(|id| id.id() == step.id);
        let outcome = Outcome::of(&step.outcome);
        let is_open = id.is_some_and(|id| id.is_refusal() || id == StepId::NobodyElseAdmitted);
        let group = match outcome {
            Outcome::Unclear => "unproven",
            _ if is_open => "open",
            _ => "broken",
        };
        Case {
            duration_ms: Some(step.duration_ms),
            request_ids: step.request_ids.clone(),
            // Two requests that were accepted have one cause.
            why: step.error.as_ref().filter(|_| is_new).map(words::problem).unwrap_or_default(),
            remarks: step.warnings.iter().map(|it| format!("warning: {it}")).chain(step.notes.clone()).collect(),
            ..Case::new(&step.id, title(id, verification, &step.id), outcome, step.evidence.clone())
        }
        .counting(counts(document, group))
    };
    let mut cases = Vec::new();
    for step in &verification.steps {
        let is_new = step.error.is_some() && told != step.error.as_ref();
        told = step.error.as_ref().or(told);
        cases.push(case(step, is_new));
    }
    cases
}

fn title(id: Option<StepId>, verification: &Verification, fallback: &str) -> String {
    let user = verification.tested_as.as_deref().unwrap_or("the user");
    match id {
        Some(StepId::WhoAmI) => format!("credentials belong to {user}"),
        Some(StepId::AssumeRole) => format!("{user} assumes the role"),
        Some(id) => id.title().to_owned(),
        None => fallback.replace('_', " "),
    }
}

fn of_drift(drift: &Drift) -> Case {
    let title = "both halves match xacct.toml";
    match &drift.error {
        Some(problem) => Case::new("drift", title, Outcome::Skipped, problem.message.clone()),
        // `list` does not fail because of differences.
        None if drift.differs.unwrap_or_default() => {
            let case = Case::new("drift", title, Outcome::Warned, count(drift.changes.len(), "change"));
            Case { remarks: drift.changes.iter().map(|it| it.summary.clone()).collect(), ..case }
        }
        None => Case::new("drift", title, Outcome::Passed, ""),
    }
}

fn of_refusal(refusal: &Refusal, document: &Document) -> Case {
    let (outcome, group) = match refusal.test.outcome.as_str() {
        "denied" => (Outcome::Passed, "open"),
        "accepted" => (Outcome::Failed, "open"),
        _ => (Outcome::Unclear, "unproven"),
    };
    let caller = refusal.caller.as_deref().unwrap_or("the caller");
    Case {
        duration_ms: Some(refusal.test.duration_ms),
        request_ids: refusal.request_ids.clone(),
        why: refusal.error.as_ref().map(words::problem).unwrap_or_default(),
        remarks: refusal.notes.clone(),
        ..Case::new("must_refuse", format!("denied to {caller}"), outcome, refusal.evidence.clone())
    }
    .counting(counts(document, group))
}

fn of_diagnosis(target: &Target, document: &Document) -> Case {
    let Some(diagnosis) = &target.diagnosis else {
        return Case::new("diagnosis", "no problems", Outcome::Skipped, "");
    };
    let why = words::diagnosis(diagnosis);
    let remarks = diagnosis.warnings.iter().map(|it| format!("warning: {it}")).chain(diagnosis.notes.clone()).collect();
    let case = match &diagnosis.evaluated {
        Some(evaluated) => {
            let (outcome, words) = match evaluated.verdict.as_str() {
                "allowed" if document.command == "diagnose" => (Outcome::Passed, "allowed by evaluation"),
                "allowed" => (Outcome::Unclear, "allowed by evaluation, which is no proof"),
                "not_allowed" | "denied" => (Outcome::Failed, "not allowed by evaluation"),
                _ => (Outcome::Unclear, "not decided by evaluation"),
            };
            let group = if outcome == Outcome::Failed { "broken" } else { "unproven" };
            let title = format!("policies allow the link for {}", evaluated.principal);
            Case::new("evaluation", title, outcome, words).counting(counts(document, group))
        }
        None => {
            let (outcome, evidence) = match (diagnosis.findings.len(), diagnosis.possible.is_empty()) {
                (0, true) => match &target.error {
                    None => (Outcome::Passed, "no problems found".to_owned()),
                    Some(problem) => (Outcome::Unclear, problem.message.clone()),
                },
                (0, false) => (Outcome::Unclear, "the cause is not certain".to_owned()),
                (number, _) => (Outcome::Failed, count(number, "problem")),
            };
            Case::new("diagnosis", "no problems", outcome, evidence)
        }
    };
    Case { why, remarks, ..case }
}

/// Returns the cases of the source account, and of what no target has.
pub fn of_source(document: &Document) -> Vec<Case> {
    let source = &document.source;
    let mut cases = Vec::new();
    if let Some(problem) = &source.error {
        cases.push(of_error("grant", "grant is as declared", problem));
    } else if document.applied.is_some() {
        let differs = source.differs.unwrap_or(!source.changes.is_empty()) && document.applied == Some(false);
        let found = if differs { Outcome::Failed } else { Outcome::Passed };
        let case = Case::new("drift", "grant matches xacct.toml", found, count(source.changes.len(), "change"));
        let mut case = case.because(words::changes(&source.changes)).counting(document.exit_code != 0);
        case.remarks = source.warnings.iter().map(|it| format!("warning: {it}")).chain(source.notes.clone()).collect();
        cases.push(case);
    }
    for set in &document.permission_sets {
        let title = format!("{} has the grant", set.permission_set);
        let mut why = vec![Part::Line(0, format!("Its administrator must add: {}", set.missing.join(", ")))];
        why.extend(set.commands.iter().map(|command| Part::Code(command.clone())));
        let case = Case::new("permission_set", title, Outcome::Failed, count(set.missing.len(), "role")).because(why);
        cases.push(case.counting(document.exit_code != 0));
    }
    cases.extend(document.orphans.as_ref().map(|orphans| of_orphans(orphans, document)));
    cases
}

fn of_orphans(orphans: &Orphans, document: &Document) -> Case {
    let roles = orphans.roles.iter().map(|role| role.role_arn.clone());
    let grants =
        orphans.grants.iter().map(|grant| format!("grant of {}: {}", grant.principal, grant.role_arns.join(", ")));
    let found: Vec<_> = roles.chain(grants).collect();
    // Only --check fails because of orphans.
    let outcome = match (found.is_empty(), document.command == "list") {
        (true, _) => Outcome::Passed,
        (false, true) => Outcome::Warned,
        (false, false) => Outcome::Failed,
    };
    let unchecked = orphans.unchecked.iter().map(|it| format!("not checked: {}: {}", it.account, it.reason));
    Case {
        why: found.iter().map(|orphan| Part::Line(1, orphan.clone())).collect(),
        remarks: unchecked.collect(),
        ..Case::new("orphans", "no orphans", outcome, count(found.len(), "orphan"))
    }
}
