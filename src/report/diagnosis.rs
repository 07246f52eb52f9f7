//! Writes a diagnosis as text.

use serde_json::Value;

use super::console::{BAD, GOOD, STRONG, WARN, capitalised};
use super::several::of_any_account;
use crate::diagnosis::facts::Answer;
use crate::diagnosis::{
    Attempt, Certainty, Diagnosis, Evaluated, Evidence, Finding, Fix, FixStep, Layer, Message, Unread, Verdict, said,
};

/// Returns the diagnosis as text: problems, evidence and fixes.
#[must_use]
pub fn text(diagnosis: &Diagnosis, width: u16) -> String {
    let width = usize::from(width);
    let mut blocks = match &diagnosis.evaluated {
        Some(evaluated) => vec![evaluated_text(evaluated, width)],
        None => vec![attempt_text(&diagnosis.attempt, width)],
    };
    for (index, finding) in diagnosis.findings.iter().enumerate() {
        blocks.push(finding_text(finding, &diagnosis.attempt, &format!("{}.", index + 1), width));
    }
    if !diagnosis.possible.is_empty() {
        let heading = if diagnosis.findings.is_empty() { "Possible causes:" } else { "Other possible causes:" };
        let mut lines = vec![format!("{WARN}{heading}{WARN:#}")];
        for possibility in &diagnosis.possible {
            lines.extend(wrapped(&possibility.what, "  - ", width));
            lines.extend(wrapped(&format!("to check: {}", possibility.decided_by), "    ", width));
        }
        blocks.push(lines.join("\n"));
    } else if diagnosis.findings.is_empty() && diagnosis.evaluated.is_none() {
        blocks.push(format!("{GOOD}No problems found.{GOOD:#}"));
    }
    let warnings = diagnosis.warnings.iter().map(|it| format!("Warning: {it}"));
    let notes = diagnosis.notes.iter().map(|it| capitalised(it));
    let lines: Vec<_> = warnings.chain(notes).flat_map(|text| wrapped(&text, "", width)).collect();
    if !lines.is_empty() {
        blocks.push(lines.join("\n"));
    }
    if !diagnosis.layers.is_empty() {
        let lines: Vec<_> = diagnosis.layers.iter().flat_map(|layer| layer_lines(layer, width)).collect();
        blocks.push(format!("Policy evaluation:\n{}", lines.join("\n")));
    }
    if !diagnosis.unread.is_empty() {
        let mut lines = vec!["Could not read:".to_owned()];
        lines.extend(diagnosis.unread.iter().flat_map(|unread| wrapped(&unread_text(unread), "  ", width)));
        blocks.push(lines.join("\n"));
    }
    blocks.join("\n\n")
}

/// Returns the first cause in a few words, for tables; `None` if there is none. The part of a summary before a colon stands
/// alone; a test over all cases of `tests/cases/diagnose` checks that.
#[must_use]
pub fn cause_in_short(diagnosis: &Diagnosis) -> Option<String> {
    let finding = diagnosis.findings.first()?;
    let summary = plain(finding.summary.split(": ").next().unwrap_or_default());
    let likely = if finding.certainty == Certainty::Certain { "" } else { "likely: " };
    let more = match diagnosis.findings.len() {
        1 => String::new(),
        all => format!(" (and {} more)", all - 1),
    };
    Some(format!("{likely}{summary}{more}"))
}

/// Returns what a table of links without problems does not say: warnings, notes, what could not be read.
#[must_use]
pub fn remarks(diagnosis: &Diagnosis) -> Vec<String> {
    let warnings = diagnosis.warnings.iter().map(|it| format!("{WARN}warning:{WARN:#} {}", plain(it)));
    let unread = diagnosis.unread.iter().map(|it| format!("could not read {}", plain(&unread_text(it))));
    warnings.chain(unread).chain(diagnosis.notes.iter().map(|it| plain(it))).collect()
}

fn unread_text(unread: &Unread) -> String {
    let why = match unread.permission.as_str() {
        "" => unread.answer.clone(),
        permission => format!("allow {permission}"),
    };
    format!("{}: {why}", unread.what)
}

/// Returns what tells this diagnosis from those of other targets: everything but the answer, which has an ID of its own, the
/// fixes, which name the target, and the account.
#[must_use]
pub fn essence(diagnosis: &Diagnosis, account: &str) -> String {
    let findings = diagnosis.findings.iter().map(|finding| {
        let mut finding = Finding { fixes: Vec::new(), ..finding.clone() };
        finding.evidence.retain(|evidence| !matches!(evidence, Evidence::Answer(_)));
        finding.evidence.iter_mut().for_each(|evidence| leave_own_resources(evidence, account));
        finding
    });
    let Diagnosis { possible, warnings, notes, unread, .. } = diagnosis;
    let rest = (findings.collect::<Vec<_>>(), possible, warnings, notes, unread);
    of_any_account(&format!("{rest:?}"), account)
}

/// Leaves only the target's own resources in a statement of a policy that several targets share, such as the grant.
fn leave_own_resources(evidence: &mut Evidence, account: &str) {
    let Evidence::Statement { statement, .. } = evidence else { return };
    let Some(Value::Array(resources)) = statement.get_mut("Resource") else { return };
    let is_own = |resource: &Value| resource.as_str().is_some_and(|arn| arn.contains(account));
    if let Some(own) = resources.iter().find(|resource| is_own(resource)).cloned() {
        *resources = vec![own];
    }
}

/// Returns messages to send as text, each with a heading for the sender.
#[must_use]
pub fn messages_text(messages: &[Message], width: u16) -> String {
    let first = messages.first().and_then(|first| Some((&first.file, first.save.as_ref()?)));
    let save = first.map(|(file, save)| {
        let mut lines = wrapped(
            &format!("To get messages that you can send, save the facts in {file} first:"),
            "",
            usize::from(width),
        );
        // A command to paste stays on one line.
        lines.push(format!("  {STRONG}{}{STRONG:#}", plain(&save.to_string())));
        lines.join("\n")
    });
    let messages = messages.iter().map(|message| message_text(message, usize::from(width)));
    save.into_iter().chain(messages).collect::<Vec<_>>().join("\n\n")
}

fn message_text(message: &Message, width: usize) -> String {
    let Message { to, save: _, file, report, request, command, then } = message;
    let heading = wrapped(&format!("Message to the {to}, to send with {file}:"), "", width);
    // Only the heading has a style: the rest is copied.
    let mut lines: Vec<_> = heading.into_iter().map(|line| format!("{WARN}{line}{WARN:#}")).collect();
    lines.extend(wrapped(report, "  ", width));
    lines.extend(wrapped(request, "  ", width));
    lines.push(format!("    {}", plain(&command.to_string())));
    lines.extend(wrapped(then, "  ", width));
    lines.join("\n")
}

/// Returns the decision of the policies in a few words, for headings and tables. It is never that of a proof.
#[must_use]
pub fn evaluated_in_short(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "allowed by evaluation",
        Verdict::AllowedAsFarAsRead => "allowed by evaluation, as far as read",
        Verdict::Unknown => "not decided by evaluation",
        Verdict::NotAllowed => "not allowed by evaluation",
        Verdict::Denied => "denied by evaluation",
    }
}

fn evaluated_text(evaluated: &Evaluated, width: usize) -> String {
    let Evaluated { principal, verdict, .. } = evaluated;
    let style = match verdict {
        Verdict::Allowed => GOOD,
        Verdict::AllowedAsFarAsRead | Verdict::Unknown => WARN,
        Verdict::NotAllowed | Verdict::Denied => BAD,
    };
    let mut lines = vec![format!("{style}{}{style:#}", capitalised(evaluated_in_short(*verdict)))];
    let words = format!(
        "Evaluated for {principal} with the policies that were read. Nothing is proven: no request was sent as {principal}, and \
         policies of the organization, session policies and VPC endpoints are not read."
    );
    lines.extend(wrapped(&words, "  ", width));
    lines.join("\n")
}

fn attempt_text(attempt: &Attempt, width: usize) -> String {
    let Attempt { caller, credentials, region, answer } = attempt;
    let caller = caller.as_deref().unwrap_or("unknown caller");
    let mut lines = wrapped(&format!("Tested as {caller} ({credentials}) in {region}:"), "", width);
    lines.extend(wrapped(&answer.to_string(), "  ", width));
    lines.join("\n")
}

/// How much evidence of a finding, and how many steps of a fix, are shown: nobody reads thousands.
const MOST: usize = 50;

fn finding_text(finding: &Finding, attempt: &Attempt, number: &str, width: usize) -> String {
    let (style, certainty) = if finding.certainty == Certainty::Certain { (BAD, "") } else { (WARN, ", likely") };
    let mut summary = wrapped(&capitalised(&finding.summary), "   ", width).into_iter();
    let first = summary.next().unwrap_or_default();
    let mut lines = vec![format!("{style}{number:<3}{}{style:#}", first.trim_start())];
    lines.extend(summary.map(|line| format!("{style}{line}{style:#}")));
    let tested = if finding.foreseen { ", not tested" } else { "" };
    let waiting = if finding.waiting_helps { ", waiting may help" } else { "" };
    lines.push(format!("   [{}: {}{certainty}{tested}{waiting}]", finding.side.words(), finding.cause.id()));
    for evidence in finding.evidence.iter().take(MOST) {
        match evidence {
            // The attempt above shows it already.
            Evidence::Answer(answer) if attempt.answer == Answer::Refused(answer.clone()) => {}
            Evidence::Answer(answer) => lines.extend(wrapped(&said(answer), "   - ", width)),
            Evidence::Fact(fact) => lines.extend(wrapped(fact, "   - ", width)),
            Evidence::Statement { policy, number, statement, marked } => {
                lines.extend(wrapped(&format!("{policy}, statement {number}:"), "   - ", width));
                lines.extend(marked_lines(statement, marked));
            }
        }
    }
    lines.extend(more(finding.evidence.len(), "   - "));
    for (index, fix) in finding.fixes.iter().enumerate() {
        lines.extend(fix_lines(fix, if index == 0 { "Fix" } else { "Or" }, width));
    }
    lines.join("\n")
}

fn fix_lines(fix: &Fix, title: &str, width: usize) -> Vec<String> {
    let mut lines = wrapped(&format!("{title} ({}):", fix.who), "   ", width);
    for step in fix.steps.iter().take(MOST) {
        match step {
            // A command to paste stays on one line.
            FixStep::Run(command) => lines.push(format!("     {STRONG}{}{STRONG:#}", plain(&command.to_string()))),
            FixStep::Write { file, section, line } => {
                lines.extend(wrapped(&format!("in {file}, under {section}, set:"), "     ", width));
                lines.push(format!("       {STRONG}{}{STRONG:#}", plain(line)));
            }
            FixStep::Put { into, statement } => {
                lines.extend(wrapped(&format!("add this statement to {into}:"), "     ", width));
                let text = serde_json::to_string_pretty(statement).unwrap_or_default();
                lines.extend(text.lines().map(|line| format!("       {}", plain(line))));
            }
            FixStep::Do(words) => lines.extend(wrapped(words, "     ", width)),
        }
    }
    lines.extend(more(fix.steps.len(), "     "));
    lines
}

/// Returns a line for what is left out of so many.
fn more(all: usize, indent: &str) -> Option<String> {
    let left_out = all.checked_sub(MOST).filter(|left_out| *left_out > 0)?;
    Some(format!("{indent}and {left_out} more: see --output json"))
}

fn layer_lines(layer: &Layer, width: usize) -> Vec<String> {
    let (style, word) = match layer.verdict {
        Verdict::Allowed => (GOOD, "allows"),
        Verdict::AllowedAsFarAsRead => (WARN, "allows?"),
        Verdict::Unknown => (WARN, "unknown"),
        Verdict::NotAllowed | Verdict::Denied => (BAD, "denies"),
    };
    let mut lines = vec![format!("  {style}{word:<8}{style:#} {}", plain(&layer.name))];
    if layer.verdict != Verdict::Allowed {
        lines.extend(layer.reasons.iter().flat_map(|reason| wrapped(reason, "           ", width)));
    }
    lines
}

/// Returns a statement as JSON, with `>` before each line of the elements at fault.
fn marked_lines(statement: &Value, marked: &[Vec<String>]) -> Vec<String> {
    let line = |(is_marked, text): (bool, String)| {
        let text = plain(&text);
        if is_marked { format!("   {BAD}>{BAD:#} {text}") } else { format!("     {text}") }
    };
    statement_lines(statement, marked).into_iter().map(line).collect()
}

/// Returns the lines of a statement as JSON, and whether each belongs to an element at fault.
#[must_use]
pub fn statement_lines(statement: &Value, marked: &[Vec<String>]) -> Vec<(bool, String)> {
    let mut lines = Vec::new();
    write_value(statement, &mut Vec::new(), ("", ""), marked, &mut lines);
    lines
}

fn write_value(
    value: &Value,
    path: &mut Vec<String>,
    (before, after): (&str, &str),
    marked: &[Vec<String>],
    lines: &mut Vec<(bool, String)>,
) {
    let indent = "  ".repeat(path.len());
    let is_marked = marked.iter().any(|mark| !mark.is_empty() && path.starts_with(mark));
    match value {
        Value::Object(object) if !object.is_empty() => {
            lines.push((is_marked, format!("{indent}{before}{{")));
            let last = object.len() - 1;
            for (index, (key, value)) in object.iter().enumerate() {
                path.push(key.clone());
                let key = format!("{}: ", Value::String(key.clone()));
                write_value(value, path, (&key, if index == last { "" } else { "," }), marked, lines);
                path.pop();
            }
            lines.push((is_marked, format!("{indent}}}{after}")));
        }
        Value::Array(list) if list.len() > 1 => {
            lines.push((is_marked, format!("{indent}{before}[")));
            let last = list.len() - 1;
            for (index, item) in list.iter().enumerate() {
                let comma = if index == last { "" } else { "," };
                lines.push((is_marked, format!("{indent}  {item}{comma}")));
            }
            lines.push((is_marked, format!("{indent}]{after}")));
        }
        other => lines.push((is_marked, format!("{indent}{before}{other}{after}"))),
    }
}

/// Returns text without control characters: it may come from an untrusted file.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Wraps text to this width, the first line after `start`, the others with the same indent. Longer words stay whole.
fn wrapped(text: &str, start: &str, width: usize) -> Vec<String> {
    let indent = " ".repeat(start.chars().count());
    let mut lines: Vec<String> = Vec::new();
    let mut line = start.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace().map(plain) {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::text::shell::ShellCommand;

    /// Names come from anyone with write access to the accounts, and a facts file from anyone.
    #[test]
    fn untrusted_text_cannot_control_the_terminal() {
        let hostile = "a\r\n\u{1b}[2J\u{9b}1m\u{85}b".to_owned();
        let steps = vec![
            FixStep::Run(ShellCommand::new("xacct").arg(&hostile)),
            FixStep::Write { file: hostile.clone(), section: hostile.clone(), line: hostile.clone() },
            FixStep::Put { into: hostile.clone(), statement: json!({"Sid": hostile}) },
            FixStep::Do(hostile.clone()),
        ];
        let mut lines = fix_lines(&Fix { who: hostile.clone(), steps }, "Fix", 80);
        lines.extend(marked_lines(&json!({"Sid": hostile}), &[]));
        let layer = Layer { name: hostile.clone(), verdict: Verdict::Denied, reasons: vec![hostile] };
        lines.extend(layer_lines(&layer, 80));
        for line in lines {
            let bare = [BAD, STRONG].iter().fold(line, |line, style| line.replace(&format!("{style}"), ""));
            assert!(!bare.replace("\u{1b}[0m", "").contains(char::is_control), "{bare:?}");
        }
    }
}
