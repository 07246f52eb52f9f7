//! Errors, causes and fixes of a document in plain text.

use serde_json::Value;

use super::document::{Answer, Change, Diagnosis, Finding, Fix, FixStep, Problem};
use crate::report::console::capitalised;
use crate::report::diagnosis::statement_lines;

/// A line of plain text, or a block that keeps its lines: a command, a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A sentence, below a heading of this depth.
    Line(usize, String),
    /// A command or a line of a file.
    Code(String),
    /// A statement of a policy, and which lines are at fault.
    Statement(Vec<(bool, String)>),
}

/// Returns parts as plain text.
pub fn plain(parts: &[Part]) -> String {
    let indented = |text: &str| text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n");
    let part = |part: &Part| match part {
        Part::Line(depth, text) => format!("{}{text}", "  ".repeat(*depth)),
        Part::Code(text) => indented(text),
        Part::Statement(lines) => indented(&marked(lines)),
    };
    parts.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// Returns the lines of a statement, with `>` before those at fault.
pub fn marked(lines: &[(bool, String)]) -> String {
    let line = |(is_marked, text): &(bool, String)| format!("{} {text}", if *is_marked { '>' } else { ' ' });
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns AWS's answer in words.
pub fn answer(answer: &Answer) -> String {
    let Answer { service, operation, code, message, request_id } = answer;
    let mut text = if operation.is_empty() { service.clone() } else { format!("{service}:{operation}") };
    text.extend(code.iter().map(|code| format!(" returned {code}")));
    text.extend(message.iter().map(|message| format!(": {message}")));
    text.extend(request_id.iter().map(|id| format!(" (request {id})")));
    text
}

/// Returns an error with AWS's answer, notes and hints.
pub fn problem(problem: &Problem) -> Vec<Part> {
    let mut parts = vec![Part::Line(0, capitalised(&problem.message))];
    parts.extend(problem.aws.iter().map(|it| Part::Line(1, answer(it))));
    parts.extend(problem.notes.iter().map(|note| Part::Line(1, format!("note: {note}"))));
    parts.extend(problem.hints.iter().map(|hint| Part::Line(1, format!("hint: {hint}"))));
    parts
}

/// Returns the causes with evidence and fixes.
pub fn diagnosis(diagnosis: &Diagnosis) -> Vec<Part> {
    let findings = diagnosis.findings.iter().enumerate();
    let mut parts: Vec<_> = findings.flat_map(|(index, it)| finding(it, index + 1)).collect();
    if !diagnosis.possible.is_empty() {
        parts.push(Part::Line(0, "Possible causes:".to_owned()));
        parts.extend(
            diagnosis.possible.iter().map(|it| Part::Line(1, format!("{}; to check: {}", it.what, it.decided_by))),
        );
    }
    parts.extend(diagnosis.unread.iter().map(|unread| {
        let why =
            if unread.permission.is_empty() { unread.answer.clone() } else { format!("allow {}", unread.permission) };
        Part::Line(0, format!("Could not read {}: {why}", unread.what))
    }));
    parts
}

fn finding(finding: &Finding, number: usize) -> Vec<Part> {
    let certainty = if finding.certainty == "likely" { ", likely" } else { "" };
    let side = finding.side.replace('_', " ");
    let summary = capitalised(&finding.summary);
    let mut parts = vec![Part::Line(0, format!("{number}. {summary} ({side}: {}{certainty})", finding.cause))];
    for evidence in &finding.evidence {
        parts.extend(evidence.fact.iter().map(|fact| Part::Line(1, fact.clone())));
        if let Some(statement) = &evidence.statement {
            parts.push(Part::Line(1, format!("{}, statement {}:", statement.policy, statement.number)));
            parts.push(Part::Statement(statement_lines(&statement.statement, &statement.marked)));
        }
    }
    for (index, fix) in finding.fixes.iter().enumerate() {
        parts.extend(fixed(fix, if index == 0 { "Fix" } else { "Or" }));
    }
    parts
}

fn fixed(fix: &Fix, title: &str) -> Vec<Part> {
    let mut parts = vec![Part::Line(1, format!("{title} ({}):", fix.who))];
    for FixStep { run, write, put, manual } in &fix.steps {
        parts.extend(run.iter().map(|command| Part::Code(command.clone())));
        if let Some(line) = write {
            parts.push(Part::Line(1, format!("in {}, under {}, set:", line.file, line.section)));
            parts.push(Part::Code(line.line.clone()));
        }
        if let Some(put) = put {
            parts.push(Part::Line(1, format!("add this statement to {}:", put.into)));
            parts.push(Part::Code(pretty(&put.statement)));
        }
        parts.extend(manual.iter().map(|words| Part::Line(1, words.clone())));
    }
    parts
}

/// Returns changes, one per line.
pub fn changes<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<Part> {
    changes.into_iter().map(|change| Part::Line(1, format!("{} {}", sign(change), change.summary))).collect()
}

/// Returns the mark of a change: `+` creates, `~` changes, `-` removes.
pub fn sign(change: &Change) -> char {
    let action = change.action.as_str();
    if action.starts_with("delete_") || action.starts_with("detach_") {
        '-'
    } else if matches!(action, "create_role" | "attach_policy")
        || action.starts_with("put_") && change.replaces.is_none()
    {
        '+'
    } else {
        '~'
    }
}

/// Returns a value as JSON in several lines.
pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Returns a time without the letters of RFC 3339.
pub fn time(text: &str) -> String {
    let text = text.replacen('T', " ", 1);
    text.strip_suffix('Z').map_or(text.clone(), |time| format!("{time} UTC"))
}

/// Writes `31 ms`, `2.8 s` or `12 s`.
pub fn duration(milliseconds: u64) -> String {
    crate::report::console::seconds(std::time::Duration::from_millis(milliseconds))
}
