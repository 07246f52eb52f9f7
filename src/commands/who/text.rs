//! The report of `who` for people.

use std::collections::BTreeSet;
use std::fmt::Write;

use comfy_table::Cell;

use super::answer::{Answer, Answered, Entry, Shown};
use crate::iam::admission::Standing;
use crate::iam::who::{Holder, Index, Place};
use crate::report::console::{BAD, STRONG, WARN, borderless, error_text, styled_mark, trimmed};
use crate::text::on_one_line;

/// How many names a line shows; the JSON document has all.
const NAMES: usize = 5;

/// Returns the report.
pub(super) fn report(shown: &Shown<'_>, width: u16) -> String {
    let mut text = String::new();
    for answered in shown.answers {
        match &answered.answer {
            Err(error) => {
                let _ =
                    writeln!(text, "{STRONG}{}{STRONG:#}\n{}\n", on_one_line(&answered.link.name), error_text(error));
            }
            Ok(answer) => one(&mut text, answered, answer, shown, width),
        }
    }
    end(&mut text, shown, width);
    text
}

fn one(text: &mut String, answered: &Answered, answer: &Answer, shown: &Shown<'_>, width: u16) {
    let index = shown.index;
    let _ = writeln!(text, "{STRONG}{}{STRONG:#}  {}", on_one_line(&answered.link.name), answer.role);
    if answer.is_absent {
        text.push_str("  The role does not exist\n\n");
        return;
    }
    if let Some(unread) = &answer.unread {
        let line = format!("  {WARN}?{WARN:#}  The trust policy could not be read: {unread}");
        let _ = writeln!(text, "{}", wrapped(&line, width, "     "));
    }
    let mut table = borderless(width);
    for entry in &answer.principals {
        let who = index.holder(entry.who).map(Holder::in_words).unwrap_or_default();
        table.add_row(row(entry, &who, how(entry, index)));
    }
    for entry in &answer.elsewhere {
        table.add_row(row(entry, &entry.who, how_from_elsewhere(entry, index)));
    }
    let unread = unread_in_words(answer, index);
    if table.is_empty() && shown.only.is_none() && !unread.is_empty() {
        let who = if shown.is_filtered { "anybody undeclared" } else { "anybody" };
        let line = format!("  {WARN}?{WARN:#}  Not known whether {who} gets in: {} not read", unread.join(" and "));
        let _ = writeln!(text, "{}", wrapped(&line, width, "     "));
    } else if table.is_empty() {
        text.push_str(match (shown.only, shown.is_filtered) {
            (Some(_), false) if !answer.kept_out.is_empty() => {
                "  Does not get in: the trust policy does not admit it\n"
            }
            (Some(_), false) => "  Does not get in\n",
            (_, true) => "  Nobody undeclared gets in\n",
            (None, false) => "  Nobody gets in\n",
        });
    } else {
        let lines = trimmed(&table);
        text.push_str(&lines.lines().map(marked).collect::<Vec<_>>().join("\n"));
        text.push('\n');
    }
    if shown.only.is_none() && !answer.kept_out.is_empty() {
        let names = answer.kept_out.keys().filter_map(|number| Some(index.holder(*number)?.in_words()));
        let line = format!("  Kept out by the trust policy: {}", some(names.collect()));
        let _ = writeln!(text, "{}", wrapped(&line, width, "    "));
    }
    for who in &answer.unmatched {
        let line = format!("  {WARN}warning:{WARN:#} accept names {}, who does not get in", on_one_line(who));
        let _ = writeln!(text, "{}", wrapped(&line, width, "    "));
    }
    text.push('\n');
}

/// Names what was not read and may let somebody in.
fn unread_in_words(answer: &Answer, index: &Index<'_>) -> Vec<String> {
    let trust = (!answer.is_complete()).then(|| "the trust policy".to_owned());
    let account = (!index.account.is_read).then(|| format!("the users and roles of account {}", index.account.id));
    trust.into_iter().chain(account).collect()
}

fn row<T>(entry: &Entry<T>, who: &str, how: String) -> [Cell; 3] {
    let is_certain = entry.undecided.is_empty();
    let mark = match (&entry.standing, is_certain) {
        (Standing::Undeclared, true) => "!",
        (Standing::Undeclared, false) => "!?",
        (_, false) => "?",
        _ => "",
    };
    [Cell::new(format!(" {mark:<2}")), Cell::new(on_one_line(who)), Cell::new(on_one_line(&how))]
}

/// Returns a line with its mark in the mark's style.
fn marked(line: &str) -> String {
    let style = match line.trim_start().split(' ').next() {
        Some("!" | "!?") => BAD,
        Some("?") => WARN,
        _ => return line.to_owned(),
    };
    styled_mark(line, style)
}

/// Returns how a user or role gets in: the way, the statement, what it needs, and what is undecided.
fn how(entry: &Entry<usize>, index: &Index<'_>) -> String {
    let next = entry.via.first().and_then(|number| index.holder(*number));
    let way = next.map_or_else(String::new, |role| format!("as {}: ", role.in_words()));
    format!("{way}{}", terms(entry))
}

fn how_from_elsewhere(entry: &Entry<String>, index: &Index<'_>) -> String {
    let via: Vec<_> = entry.via.iter().filter_map(|number| Some(index.holder(*number)?.in_words())).collect();
    let way = if via.len() > 1 { format!("as {}: ", some(via)) } else { String::new() };
    format!("{way}{}", terms(entry))
}

fn place(place: &Place) -> String {
    let sid = place.sid.as_ref().map_or_else(String::new, |sid| format!(" ({sid})"));
    format!("{}, statement {}{sid}", place.policy, place.statement)
}

/// Returns the statement, what the caller needs, what is undecided, and why it is accepted.
fn terms<T>(entry: &Entry<T>) -> String {
    let mut terms: Vec<_> = entry.place.iter().map(place).collect();
    match (entry.needs.external_id, entry.needs.mfa) {
        (true, true) => terms.push("needs external ID and MFA".to_owned()),
        (true, false) => terms.push("needs external ID".to_owned()),
        (false, true) => terms.push("needs MFA".to_owned()),
        (false, false) => {}
    }
    if !entry.undecided.is_empty() {
        let undecided: Vec<_> = entry.undecided.iter().map(String::as_str).collect();
        terms.push(format!("perhaps: {}", undecided.join(", ")));
    }
    if let Standing::Accepted(reason) = &entry.standing {
        terms.push(format!("accepted: {reason}"));
    }
    terms.join("; ")
}

fn some(names: Vec<String>) -> String {
    let shown = names.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
    match names.len() {
        ..=NAMES => shown,
        all => format!("{all} ({shown}, …)"),
    }
}

/// Appends what is true of all links.
fn end(text: &mut String, shown: &Shown<'_>, width: u16) {
    let Shown { index, half, answers, only, .. } = shown;
    let mut line = |line: String, indent: &str| {
        let _ = writeln!(text, "{}", wrapped(&line, width, indent));
    };
    if let Some(holder) = only.and_then(|number| index.holder(number)) {
        let roles = index.named_roles(holder);
        let targets: BTreeSet<_> =
            answers.iter().filter_map(|it| Some(it.answer.as_ref().ok()?.role.to_string())).collect();
        let others: Vec<_> = roles.difference(&targets).map(|role| on_one_line(role).into_owned()).collect();
        if !others.is_empty() {
            line(format!("The policies of {} also name: {}", holder.in_words(), some(others)), "  ");
        }
    }
    let writers = index.writers().map(|(holder, _)| holder);
    let of_only = |arn: &str| only.and_then(|number| index.holder(number)).is_none_or(|holder| holder.arn == arn);
    let writers: Vec<_> = writers.filter(|holder| of_only(&holder.arn)).map(Holder::in_words).collect();
    if !writers.is_empty() && !shown.is_filtered {
        line(format!("May write IAM in {}, so could let themselves in: {}", index.account.id, some(writers)), "  ");
    }
    for unread in half.unread().into_iter().chain(index.account.unread()) {
        line(format!("{WARN}?{WARN:#} Not read in {}: {}", index.account.id, on_one_line(&unread)), "  ");
    }
    let admits = |found: fn(&Answer) -> bool| answers.iter().filter_map(|it| it.answer.as_ref().ok()).any(found);
    if admits(Answer::admits_undeclared) {
        line("!  not declared in xacct.toml".to_owned(), "   ");
    }
    if admits(Answer::has_undecided) {
        line("?  depends on more than the policies".to_owned(), "   ");
    }
    line(
        "Not read: service control policies, resource control policies, session policies, Identity Center assignments"
            .to_owned(),
        "  ",
    );
}

fn wrapped(line: &str, width: u16, indent: &str) -> String {
    let options = textwrap::Options::new(width.into()).subsequent_indent(indent);
    textwrap::fill(line, options.word_splitter(textwrap::WordSplitter::NoHyphenation).break_words(false))
}
