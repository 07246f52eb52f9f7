//! The list for people: what all targets share is said once.

use std::time::SystemTime;

use super::listed::Listed;
use super::live::{Drift, Live};
use crate::config::Link;
use crate::error::Result;
use crate::operations::run::Run;
use crate::proof::Outcome;
use crate::report::console::{count, error_text};
use crate::report::proof::verdict_in_short;
use crate::report::several::{Field, Sheet, lines, result};
use crate::text::shell::ShellCommand;

/// Returns the list as text.
pub fn text(listed: &[Listed<'_>], run: &Run<'_>) -> String {
    let width = run.console.width();
    let fields = fields(listed, run);
    let mut blocks = match listed {
        [_] => vec![lines(fields.iter().flat_map(Field::entries))],
        _ => several(fields, width),
    };
    blocks.extend(problems(listed, width));
    if listed.len() > 1 && listed.iter().any(|it| it.live.is_some()) {
        let live = listed.iter().filter_map(|it| it.live.as_ref());
        let works = live.filter(|live| matches!(&live.proof, Ok(proof) if proof.outcome == Outcome::Works)).count();
        blocks.push(result(works, listed.len(), "work"));
    }
    blocks.join("\n\n")
}

fn fields(listed: &[Listed<'_>], run: &Run<'_>) -> Vec<Field> {
    let now = (run.context.now)();
    let field = |name, value: &dyn Fn(&Listed<'_>) -> String| Field::of(name, listed, value);
    let mut fields = vec![
        field("Target", &|it| it.link.name.clone()),
        field("Account", &|it| it.link.account.to_string()),
        field("Role", &|it| it.link.role_below_its_path()),
        field("User", &|_| user(run)),
        field("External ID", &|it| it.link.external_id.known().map_or_else(|| "none".to_owned(), ToString::to_string)),
        field("Region", &|it| it.link.region_in_words()),
        field("Policies", &|it| policies(it.link).join(", ")),
    ];
    if listed.iter().any(|it| it.link.require_mfa) {
        fields.push(field("MFA", &|it| if it.link.require_mfa { "required" } else { "not required" }.to_owned()));
    }
    if listed.iter().any(|it| it.live.is_some()) {
        fields.push(field("Drift", &|it| it.live.as_ref().map(|live| drift(&live.drift)).unwrap_or_default()));
        fields.push(field("Test", &|it| it.live.as_ref().map(tested).unwrap_or_default()));
    } else {
        fields.push(field("Last test", &|it| last(it, now)));
    }
    fields
}

fn user(run: &Run<'_>) -> String {
    let source = &run.file.source;
    let name = source.user.as_ref().map_or_else(|| "not recorded".to_owned(), |user| user.name().to_string());
    match source.account() {
        Some(account) => format!("{name} of account {account}"),
        None => name,
    }
}

/// Returns the policies that the role has by `xacct.toml`.
fn policies(link: &Link) -> Vec<String> {
    let managed = link.policy_arns.iter().map(ToString::to_string);
    let files = link.policy_files.iter().map(|path| path.display().to_string());
    let declared: Vec<_> = managed.chain(files).collect();
    if declared.is_empty() { vec![crate::iam::templates::VERIFY_POLICY.to_owned()] } else { declared }
}

fn last(it: &Listed<'_>, now: SystemTime) -> String {
    let Some(last) = &it.last else { return "none on this machine".to_owned() };
    let settings = if last.of_other_settings { ", with other settings" } else { "" };
    format!("{} ({}{settings})", verdict_in_short(last.outcome), ago(last.at, now))
}

/// Returns how long ago it was. A clock that was set back makes it no longer than just now.
fn ago(at: SystemTime, now: SystemTime) -> String {
    let seconds = now.duration_since(at).unwrap_or_default().as_secs();
    match seconds {
        ..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

fn drift(drift: &Result<Drift>) -> String {
    match drift {
        Ok(drift) if drift.changes() > 0 => count(drift.changes(), "change"),
        Ok(drift) if drift.differs() => "differs".to_owned(),
        Ok(_) => "none".to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}

fn tested(live: &Live) -> String {
    match &live.proof {
        Ok(proof) => verdict_in_short(proof.outcome),
        Err(_) => "error",
    }
    .to_owned()
}

/// Returns what all targets share, and a table with the rest; blocks for each target if the table is too wide.
fn several(fields: Vec<Field>, width: u16) -> Vec<String> {
    let sheet = Sheet::new(fields);
    let rest = if sheet.fits(width) { vec![sheet.table(width)] } else { sheet.blocks() };
    sheet.shared().into_iter().chain(rest).collect()
}

/// Returns why something was not read or does not work, with the command that tells more.
fn problems(listed: &[Listed<'_>], width: u16) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    for Listed { link, live, .. } in listed {
        let Some(live) = live else { continue };
        let name = &link.name;
        let command = |verb| ShellCommand::new("xacct").arg(verb).arg(name);
        match &live.drift {
            Ok(drift) if drift.differs() => {
                lines.push(format!("{name}: show the differences: {}", command("bootstrap").flag("--check")));
            }
            Ok(_) => {}
            Err(error) => lines.push(format!("{name}: cannot compare: {}", error_text(error))),
        }
        match (&live.proof, &live.diagnosis) {
            (Ok(proof), _) if proof.outcome == Outcome::Works => {}
            (Ok(_), Some(diagnosis)) if !diagnosis.findings.is_empty() => {
                lines.extend(diagnosis.findings.iter().map(|finding| format!("{name}: {}", finding.summary)));
                lines.push(format!("{name}: show the fix: {}", command("diagnose")));
            }
            (Ok(_), _) => lines.push(format!("{name}: find out why: {}", command("diagnose"))),
            (Err(error), _) => lines.push(format!("{name}: not tested: {}", error_text(error))),
        }
    }
    let options = textwrap::Options::new(width.into()).subsequent_indent("  ").break_words(false);
    let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
    let lines: Vec<_> = lines.iter().map(|line| textwrap::fill(line, &options)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
