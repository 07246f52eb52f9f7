//! The list for people: what all targets share is said once.

use std::time::SystemTime;

use super::listed::Listed;
use super::live::{Drift, Live};
use crate::config::{ExternalIdChoice, Link};
use crate::error::Result;
use crate::iam::orphans::Orphans;
use crate::operations::run::Run;
use crate::proof::Outcome;
use crate::report;
use crate::report::console::{count, error_text};
use crate::report::proof::{cause_in_short, unsent_refusals, verdict_in_short};
use crate::report::several::{self, Field, Own, Sheet, filled, lines, result};
use crate::text::shell::ShellCommand;

/// Returns the list as text.
pub fn text(listed: &[Listed<'_>], orphans: Option<&Orphans>, run: &Run<'_>) -> String {
    let width = run.console.width();
    let fields = fields(listed, run);
    let is_live = listed.iter().any(|it| it.live.is_some());
    let mut blocks = match listed {
        [_] => vec![lines(fields.iter().flat_map(Field::entries), width)],
        _ => several(fields, is_live, run),
    };
    blocks.extend(problems(listed, width));
    blocks.extend(orphans.and_then(|orphans| report::orphans::text(orphans, &run.file.xacct(), width)));
    if listed.len() > 1 && is_live {
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
        field("Role", &|it| it.link.role_below_its_path()).optional(),
        field("User", &|it| user(it.link, run)),
        field("External ID", &|it| external_id(it.link)).optional(),
        field("Region", &|it| it.link.region_in_words()).optional(),
        field("Policies", &|it| policies(it.link).join(", ")).optional(),
    ];
    if listed.iter().any(|it| it.link.require_mfa) {
        fields.push(
            field("MFA", &|it| if it.link.require_mfa { "required" } else { "not required" }.to_owned()).optional(),
        );
    }
    if listed.iter().any(|it| it.link.managed_by.is_some()) {
        let manager = |link: &Link| link.managed_by.map_or_else(|| "xacct".to_owned(), |manager| manager.to_string());
        fields.push(field("Managed by", &|it| manager(it.link)).optional());
    }
    if listed.iter().any(|it| it.live.is_some()) {
        let live = |name, value: &dyn Fn(&Live) -> String| {
            field(name, &|it| it.live.as_ref().map(value).unwrap_or_default()).column()
        };
        fields.push(live("Drift", &|live| drift(&live.drift)));
        fields.push(live("Test", &tested));
        if listed.len() > 1 {
            fields.push(live("Cause", &|live| cause_in_short(&live.proof, live.diagnosis.as_ref())).wrapping());
        }
    } else {
        fields.push(field("Last test", &|it| last(it, now)));
    }
    fields
}

fn external_id(link: &Link) -> String {
    match &link.external_id {
        ExternalIdChoice::Missing => "not on this machine".to_owned(),
        id => id.known().map_or_else(|| "none".to_owned(), ToString::to_string),
    }
}

fn user(link: &Link, run: &Run<'_>) -> String {
    let name = if link.principals.is_empty() { "not recorded".to_owned() } else { link.principals_in_words() };
    match run.file.source.account() {
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
    let tested_as = last.tested_as.as_ref().filter(|_| it.link.principals.len() > 1);
    let tested_as = tested_as.map_or_else(String::new, |principal| format!(" as {}", principal.label()));
    // A test that did not send what must be denied.
    let denied = last.denied_at.filter(|at| *at < last.at);
    let denied = denied.map_or_else(String::new, |at| format!("; denials {}", ago(at, now)));
    format!("{}{tested_as} ({}{denied}{settings})", verdict_in_short(last.outcome), ago(last.at, now))
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

/// Returns what all targets share, and a table with the rest; blocks for each target if the table is too wide. With results
/// of tests, it is always a table, which may do without the account and settings.
fn several(fields: Vec<Field>, is_live: bool, run: &Run<'_>) -> Vec<String> {
    let (sheet, width) = (Sheet::new(fields), run.console.width());
    let (sheet, left_out) = if is_live { sheet.narrowed(width) } else { (sheet, Vec::new()) };
    let rest = if is_live || sheet.fits(width) { vec![sheet.table(width)] } else { sheet.blocks(width) };
    let more = (!left_out.is_empty()).then(|| {
        let list = run.file.xacct().arg("list");
        filled(
            &format!("Not shown, because there is no room: {}; to see them: {list}", left_out.join(", ")),
            "",
            "  ",
            width,
        )
    });
    sheet.shared(width).into_iter().chain(rest).chain(more).collect()
}

/// Returns why something was not read or does not work, with the command that tells more. The table of several targets has
/// the causes.
fn problems(listed: &[Listed<'_>], width: u16) -> Option<String> {
    let is_alone = listed.len() == 1;
    let of = |Listed { link, live, .. }: &Listed<'_>| {
        let texts = |target| live.as_ref().map(|live| problems_of(live, target, is_alone)).unwrap_or_default();
        let of_any = texts("TARGET").into_iter().map(|text| several::of_any_account(&text, link.account.as_str()));
        let own = texts(&link.name).into_iter().zip(of_any).map(|(text, of_any)| Own { text, of_any });
        own.map(|own| (link.name.clone(), own)).collect::<Vec<_>>()
    };
    several::remarks(listed.iter().flat_map(of), (listed.len(), "all"), width)
}

fn problems_of(live: &Live, target: &str, with_causes: bool) -> Vec<String> {
    let command = |verb| ShellCommand::new("xacct").arg(verb).arg(target);
    let mut texts = Vec::new();
    match &live.drift {
        Ok(drift) if drift.differs() => {
            texts.push(format!("show the differences: {}", command("bootstrap").flag("--check")));
        }
        Ok(_) => {}
        Err(error) => texts.push(format!("cannot compare: {}", error_text(error))),
    }
    match (&live.proof, &live.diagnosis) {
        (Ok(proof), _) if proof.outcome == Outcome::Works => {}
        (Ok(_), Some(diagnosis)) if !diagnosis.findings.is_empty() => {
            let causes = diagnosis.findings.iter().filter(|_| with_causes);
            texts.extend(causes.map(|finding| finding.summary.clone()));
            texts.push(format!("show the fix: {}", command("diagnose")));
        }
        (Ok(_), _) => texts.push(format!("find out why: {}", command("diagnose"))),
        (Err(error), _) => texts.push(format!("not tested: {}", error_text(error))),
    }
    texts.extend(live.proof.as_ref().ok().and_then(unsent_refusals));
    texts
}
