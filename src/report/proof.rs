//! A proof in words.

use comfy_table::Cell;

use super::console::{BAD, GOOD, WARN, append_details, borderless, capitalised, seconds, styled_mark, trimmed};
use super::several::{self, filled, of_any_account};
use crate::diagnosis::Diagnosis;
use crate::error::{Error, Result};
use crate::iam::arn::PrincipalRef;
use crate::iam::names::AccountId;
use crate::proof::{Outcome, Proof, Step, StepId, StepOutcome};
use crate::text::on_one_line;

/// The marks of steps.
const OK: &str = "ok";
const FAIL: &str = "FAIL";
const UNKNOWN: &str = "?";
const WARNING: &str = "!";
/// The verdict on a role that admits others.
const ADMITS_OTHERS: &str = "TOO OPEN: admits callers whom the link does not declare";
/// Stands before the account that is the context of an error.
const TARGET_ACCOUNT: &str = "target account ";
/// The column of the marks.
const MARK: usize = 2;

/// Returns the verdict in a few words, for headings and tables.
#[must_use]
pub fn verdict(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Works => "works",
        Outcome::NotProven => "inconclusive",
        Outcome::S3Blocked => "S3 blocked: the role can be assumed, but S3 denies the session",
        Outcome::Refused => "does not work",
        Outcome::TooOpen => "TOO OPEN: accepted a request it must reject",
    }
}

/// Returns the verdict in one or two words, for tables.
#[must_use]
pub fn verdict_in_short(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Works => "works",
        Outcome::NotProven => "inconclusive",
        Outcome::S3Blocked => "S3 blocked",
        Outcome::Refused => "does not work",
        Outcome::TooOpen => "TOO OPEN",
    }
}

/// Returns in a few words why a link does not work, for tables: the first cause, or the step that failed. Empty if it
/// works.
#[must_use]
pub fn cause_in_short(proof: &Result<Proof>, diagnosis: Option<&Diagnosis>) -> String {
    if matches!(proof, Ok(proof) if proof.outcome == Outcome::Works) {
        return String::new();
    }
    if let Some(cause) = diagnosis.and_then(super::diagnosis::cause_in_short) {
        return cause;
    }
    let proof = match proof {
        Ok(proof) => proof,
        Err(error) => return error_in_short(error),
    };
    let of = |outcome| proof.steps.iter().find(|step| step.outcome == outcome);
    let step = of(StepOutcome::Failed).or_else(|| of(StepOutcome::NotProven));
    step.map(|step| format!("{}: {}", step.id.title(), step.evidence)).unwrap_or_default()
}

/// Returns what tells this proof and its diagnosis from those of other targets; `None` without a diagnosis.
#[must_use]
pub fn essence(proof: Option<&Proof>, diagnosis: Option<&Diagnosis>, account: &str) -> Option<String> {
    let steps = proof.map(|proof| proof.steps.iter().map(|step| (step.id, step.outcome)).collect::<Vec<_>>());
    let remarks = proof.map(remarks).map(|remarks| of_any_account(&format!("{remarks:?}"), account));
    Some(format!("{steps:?} {remarks:?} {}", super::diagnosis::essence(diagnosis?, account)))
}

/// Returns an error for tables, whose rows name the account.
#[must_use]
pub fn error_in_short(error: &Error) -> String {
    let message = on_one_line(&error.message);
    match message.split_once(": ") {
        Some((context, message)) if is_place(context) => message.to_owned(),
        _ => message.into_owned(),
    }
}

/// Names a target account, as the context of an error.
#[must_use]
pub fn place(account: &AccountId) -> String {
    format!("{TARGET_ACCOUNT}{account}")
}

/// Returns whether this is such a context.
fn is_place(text: &str) -> bool {
    text.strip_prefix(TARGET_ACCOUNT).is_some_and(|account| account.parse::<AccountId>().is_ok())
}

/// Returns every step of one proof.
#[must_use]
pub fn step_table(proof: &Proof, user: &str, width: u16) -> String {
    let tested_as = proof.tested_as.as_ref().map(PrincipalRef::label);
    let user = tested_as.as_deref().unwrap_or(user);
    let mut table = borderless(width);
    for step in &proof.steps {
        let title = match step.id {
            StepId::WhoAmI => format!("credentials belong to {user}"),
            StepId::AssumeRole => format!("{user} assumes the role"),
            id => id.title().to_owned(),
        };
        table.add_row([Cell::new(format!(" {}", word(step.outcome))), Cell::new(title), Cell::new(&step.evidence)]);
    }
    // The marks get their styles after the layout, which would count the escape sequences.
    let lines = trimmed(&table);
    lines.lines().map(marked).collect::<Vec<_>>().join("\n")
}

/// Returns a line of the table with its mark in the mark's style. Continued lines have none.
fn marked(line: &str) -> String {
    let style = match line.get(MARK..).and_then(|text| text.split(' ').next()) {
        Some(OK) => GOOD,
        Some(FAIL) => BAD,
        Some(UNKNOWN | WARNING) => WARN,
        _ => return line.to_owned(),
    };
    styled_mark(line, style)
}

/// Returns every step of one proof, and below them the causes and fixes: the diagnosis, if there is one, else each
/// step's error.
#[must_use]
pub fn steps(proof: &Proof, diagnosis: Option<&Diagnosis>, user: &str, width: u16) -> String {
    let mut text = step_table(proof, user, width);
    for remark in remarks(proof) {
        text.push_str(&format!("\n{}", filled(&remark, "  ", "    ", width)));
    }
    if let Some(diagnosis) = diagnosis.filter(|it| !it.findings.is_empty() || !it.possible.is_empty()) {
        text.push_str(&format!("\n\n{}", super::diagnosis::text(diagnosis, width)));
        return text;
    }
    let mut told: Option<&Error> = None;
    for step in &proof.steps {
        // Two requests that were accepted have one cause.
        if let Some(error) = step.error.as_ref().filter(|error| told != Some(*error)) {
            told = Some(error);
            let (style, what) = match step.outcome {
                StepOutcome::Failed => (BAD, "failed"),
                _ => (WARN, "inconclusive"),
            };
            text.push_str(&format!("\n  {style}{what}:{style:#} {}", error.message));
            append_details(&mut text, error, "    ");
        }
    }
    text
}

/// Returns the warnings and notes of a proof, such as accepted callers, one per line.
#[must_use]
pub fn remarks(proof: &Proof) -> Vec<String> {
    let of_step = |step: &Step| {
        let warnings = step.warnings.iter().map(|words| format!("{WARN}warning:{WARN:#} {words}"));
        warnings.chain(step.notes.clone()).collect::<Vec<_>>()
    };
    // The evidence says what a step lacks that was not checked.
    proof.steps.iter().filter(|step| step.outcome != StepOutcome::Skipped).flat_map(of_step).collect()
}

/// Returns what was not checked: whom else the role admits, and requests that must be denied.
pub fn not_checked(proof: &Proof) -> impl Iterator<Item = String> {
    let is_it = |step: &&Step| step.id == StepId::NobodyElseAdmitted && step.outcome == StepOutcome::Skipped;
    let others = proof.steps.iter().filter(is_it);
    others.map(|step| format!("{}: {}", step.id.title(), step.evidence)).chain(unsent_refusals(proof))
}

/// Returns why requests that must be denied were not sent, if they were not. All have one reason.
#[must_use]
pub fn unsent_refusals(proof: &Proof) -> Option<String> {
    let is_unsent = |step: &&Step| step.id.is_refusal() && step.outcome == StepOutcome::Skipped;
    proof.steps.iter().find(is_unsent).map(|step| format!("requests that must be denied: {}", step.evidence))
}

/// Returns what is to be said of links that work, if there are several: warnings, accepted callers, what was not checked.
pub fn remarks_on_several<'a>(proofs: impl Iterator<Item = (&'a str, &'a Proof)>, width: u16) -> Option<String> {
    let work: Vec<_> = proofs.filter(|(_, proof)| proof.outcome == Outcome::Works).collect();
    let of = |(name, proof): &(&str, &Proof)| {
        let name = (*name).to_owned();
        remarks(proof)
            .into_iter()
            .chain(not_checked(proof))
            .map(move |remark| (name.clone(), remark.into()))
            .collect::<Vec<_>>()
    };
    several::remarks(work.iter().flat_map(of), (work.len(), "all that work"), width)
}

/// Returns `Verified in 4.1 s (usable 2.8 s after the last write)`, or the verdict.
#[must_use]
pub fn heading(proof: &Proof) -> String {
    let took = seconds(proof.duration);
    let ready = proof
        .ready_after
        .map_or_else(String::new, |ready| format!(" (usable {} after the last write)", seconds(ready)));
    match proof.outcome {
        Outcome::Works if is_grant_unknown(proof) => {
            format!("{WARN}Works, maybe by another grant{WARN:#} ({took}){ready}")
        }
        Outcome::Works => format!("{GOOD}Verified{GOOD:#} in {took}{ready}"),
        Outcome::NotProven => format!("{WARN}Inconclusive{WARN:#} ({took})"),
        Outcome::TooOpen if only_others(proof) => format!("{BAD}{ADMITS_OTHERS}{BAD:#} ({took})"),
        outcome => format!("{BAD}{}{BAD:#} ({took})", capitalised(verdict(outcome))),
    }
}

/// Returns whether nobody could tell if the caller is one of the principals, a member of the group.
fn is_grant_unknown(proof: &Proof) -> bool {
    proof.steps.iter().any(|step| step.id == StepId::WhoAmI && step.outcome == StepOutcome::Warning)
}

/// Returns whether every request was denied that must be, and only the trust policy admits too many.
fn only_others(proof: &Proof) -> bool {
    let mut failed = proof.steps.iter().filter(|step| step.outcome == StepOutcome::Failed);
    failed.all(|step| step.id == StepId::NobodyElseAdmitted)
}

fn word(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Ok => OK,
        StepOutcome::Failed => FAIL,
        StepOutcome::NotProven => UNKNOWN,
        StepOutcome::Skipped => "-",
        StepOutcome::Warning => WARNING,
    }
}
