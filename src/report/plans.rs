//! The plans of several targets: a row for each, and below them every change, note and warning once, with its targets.

use std::collections::BTreeSet;

use super::changes::{Mood, line, note, sentence, sign, styled_symbols, warning};
use super::console::{STRONG, count};
use super::several::{Field, Sheet, filled, grouped, names_of, of_any_account, shown};
use crate::iam::arn::RoleArn;
use crate::iam::plan::{Change, Plan};

/// A target with its plan.
pub struct Planned<'a> {
    /// The target's name.
    pub name: &'a str,
    /// Its account.
    pub account: &'a str,
    /// Its role and the plan; `None` if there is no plan because of an error.
    pub plan: Option<(&'a RoleArn, &'a Plan)>,
}

/// Returns a row for each target: what changes there, by kinds. `grant` is the plan in the source account. Roles with
/// different names are named if there is room.
#[must_use]
pub fn table(targets: &[Planned<'_>], grant: &Plan, width: u16) -> String {
    let of_plan = |name, cell: &dyn Fn(&RoleArn, &Plan) -> String| {
        Field::of(name, targets, |it| it.plan.map(|(role, plan)| cell(role, plan)).unwrap_or_default()).column()
    };
    let role_names: BTreeSet<_> = targets.iter().filter_map(|it| it.plan).map(|(role, _)| role.name.as_str()).collect();
    let sheet = |has_role_names: bool| {
        let role_names = has_role_names.then(|| of_plan("Role name", &|role, _| role.name.to_string()));
        let target = [
            Field::of("Target", targets, |it| it.name.to_owned()),
            Field::of("Account", targets, |it| it.account.to_owned()),
        ];
        let changes = [
            Field::of("Role", targets, |it| role_cell(it, grant)).column(),
            of_plan("Trust", &|_, plan| trust_cell(plan)),
            of_plan("Policies", &|_, plan| policies_cell(plan)),
            of_plan("Settings", &|_, plan| settings_cell(plan)),
            of_plan("Grant", &|role, _| grant_cell(role, grant).to_owned()),
            of_plan("Warnings", &|_, plan| match plan.warnings.len() {
                0 => String::new(),
                warnings => format!("! {warnings}"),
            }),
        ];
        Sheet::new(target.into_iter().chain(role_names).chain(changes).collect())
    };
    let named = sheet(role_names.len() > 1);
    styled_symbols(&if named.fits(width) { named } else { sheet(false) }.table(width))
}

fn role_cell(target: &Planned<'_>, grant: &Plan) -> String {
    let Some((role, plan)) = target.plan else { return "! error".to_owned() };
    match plan.changes.iter().find_map(|change| match change {
        Change::CreateRole(_) => Some("+ create"),
        Change::DeleteRole { .. } => Some("- delete"),
        _ => None,
    }) {
        Some(cell) => cell,
        None if plan.is_empty() && grant_cell(role, grant).is_empty() => "unchanged",
        None => "",
    }
    .to_owned()
}

fn trust_cell(plan: &Plan) -> String {
    let is_it = plan.changes.iter().any(|change| matches!(change, Change::ReplaceTrustPolicy { .. }));
    if is_it { "~ replace".to_owned() } else { String::new() }
}

fn policies_cell(plan: &Plan) -> String {
    let of_policies = plan.changes.iter().filter(|change| {
        matches!(
            change,
            Change::AttachPolicy { .. }
                | Change::PutRolePolicy { .. }
                | Change::DetachPolicy { .. }
                | Change::DeleteRolePolicy { .. }
        )
    });
    let signs: Vec<_> = of_policies.map(sign).collect();
    let number = |(wanted, verb): (char, &str)| match signs.iter().filter(|sign| **sign == wanted).count() {
        0 => None,
        number => Some(format!("{wanted} {verb} {number}")),
    };
    [('+', "add"), ('~', "replace"), ('-', "remove")].into_iter().filter_map(number).collect::<Vec<_>>().join("\n")
}

fn settings_cell(plan: &Plan) -> String {
    let settings = |change: &Change| match change {
        Change::SetBoundary { .. } => vec!["~ boundary"],
        Change::TagRole { .. } => vec!["~ tags"],
        Change::UpdateRole { from: (text, seconds), description, max_session } => {
            let session = (*seconds != max_session.as_secs()).then_some("~ session");
            session.into_iter().chain((text != description).then_some("~ text")).collect()
        }
        _ => Vec::new(),
    };
    plan.changes.iter().flat_map(settings).collect::<Vec<_>>().join("\n")
}

fn grant_cell(role: &RoleArn, grant: &Plan) -> &'static str {
    let cell = |change: &Change| match change {
        Change::PutGrant { added, .. } | Change::PutGrantPart { added, .. } if added.contains(role) => Some("+ add"),
        Change::ShrinkGrant { removed, .. }
        | Change::DeleteGrant { removed, .. }
        | Change::DeleteGrantPart { removed, .. }
            if removed.contains(role) =>
        {
            Some("- remove")
        }
        Change::PutGrant { removes, .. } | Change::PutGrantPart { removes, .. }
            if removes.contains(&role.to_string()) =>
        {
            Some("- remove")
        }
        _ => None,
    };
    grant.changes.iter().find_map(cell).unwrap_or_default()
}

/// What a plan says: each line with its symbol.
type Lines = Vec<(char, String)>;

fn said(plan: &Plan, role: &str) -> Lines {
    let changes = plan.changes.iter().map(|change| (sign(change), sentence(change, role, Mood::Would)));
    let notes = plan.notes.iter().map(|it| (' ', note(it)));
    let warnings = plan.warnings.iter().map(|it| ('!', warning(it)));
    changes.chain(notes).chain(warnings).collect()
}

/// Returns every change, note and warning: those that several targets share once, the most frequent ones last, and
/// those of the source account at the end.
#[must_use]
pub fn details(targets: &[Planned<'_>], grant: &Plan, width: u16) -> String {
    let names: Vec<_> = targets.iter().map(|target| target.name).collect();
    let own = targets.iter().map(|target| match target.plan {
        Some((role, plan)) => said(plan, role.name.as_str()),
        None => Vec::new(),
    });
    let own: Vec<_> = own.collect();
    let role_name = |number: usize| targets.get(number).and_then(|it| it.plan).map(|(role, _)| role.name.as_str());
    let masked = own.iter().zip(targets).map(|(lines, target)| {
        let of_any = |text: &str| {
            let text = of_any_account(text, target.account);
            target.plan.map_or_else(|| text.clone(), |(role, _)| of_any_role(&text, role.name.as_str()))
        };
        lines.iter().map(|(sign, text)| (*sign, of_any(text))).collect::<Lines>()
    });
    let mut groups = grouped(masked);
    groups.retain(|(lines, _)| !lines.is_empty());
    // Stable: the most frequent of equals is the last one.
    let common = groups.iter().map(|(_, members)| members.len()).max().unwrap_or_default();
    groups.sort_by_key(|(_, members)| members.len() == common && common > 1);
    let planned = targets.iter().filter(|target| target.plan.is_some()).count();
    let is_all = groups.iter().map(|(_, members)| members.len()).sum::<usize>() == planned;
    let last = groups.len().saturating_sub(1);
    let mut blocks = Vec::new();
    for (number, (masked, members)) in groups.iter().enumerate() {
        let rest = match (number == last && members.len() > 1 && is_all, number == 0) {
            (false, _) => Rest::No,
            (true, false) => Rest::Others,
            (true, true) => Rest::All,
        };
        let lines = match members.as_slice() {
            // Its own words, with the account's number.
            [only] => own.get(*only).cloned().unwrap_or_default(),
            _ => {
                let first = members.first().and_then(|first| role_name(*first));
                let shared = first.filter(|_| members.iter().all(|member| role_name(*member) == first));
                masked.iter().map(|(sign, text)| (*sign, with_role(&shown(text), shared))).collect()
            }
        };
        blocks.push(block(&heading(&lines, members, rest, &names), &lines, width));
    }
    let lines = said(grant, "");
    if !lines.is_empty() {
        blocks.push(block("source account", &lines, width));
    }
    blocks.join("\n")
}

/// Stands for the name of a target's own role; no text of AWS has this character of the private use area.
const OWN_ROLE: &str = "\u{f8fe}";

/// Returns a text without the name of the target's own role, so that targets can be compared.
fn of_any_role(text: &str, name: &str) -> String {
    let before = ["role ", "role `", "role/", "--role-name "];
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (head, from) = rest.split_at(at);
        let tail = from.get(name.len()..).unwrap_or_default();
        masked.push_str(head);
        // A sign at its end may belong to the sentence.
        let ends = !tail.trim_start_matches(['.', ',']).starts_with(is_of_name);
        let is_below_path =
            masked.ends_with('/') && masked.rsplit(' ').next().is_some_and(|word| word.contains(":role/"));
        let is_role = ends && (is_below_path || before.iter().any(|before| masked.ends_with(before)));
        masked.push_str(if is_role { OWN_ROLE } else { name });
        rest = tail;
    }
    masked + rest
}

/// Returns such a text for people: with the name that all targets share, if there is one.
fn with_role(text: &str, shared: Option<&str>) -> String {
    match shared {
        Some(name) => text.replace(OWN_ROLE, name),
        None => text.replace(&format!("role {OWN_ROLE}"), "the role").replace(OWN_ROLE, "ROLE"),
    }
}

/// Whether a group has all targets with a plan, or all that are in no other group.
enum Rest {
    No,
    Others,
    All,
}

/// Returns the heading of a group of targets. The others need no names, unless there is a warning.
fn heading(lines: &Lines, members: &[usize], rest: Rest, names: &[&str]) -> String {
    let number = match members {
        [_] => return names_of(members, names),
        members => members.len(),
    };
    let who = match rest {
        Rest::No => format!("{number} targets"),
        Rest::Others => format!("{number} others"),
        Rest::All if number == names.len() && number == 2 => "both targets".to_owned(),
        Rest::All if number == names.len() => format!("all {number} targets"),
        Rest::All => format!("the other {number} targets"),
    };
    let changes = lines.iter().filter(|(sign, _)| "+~-".contains(*sign)).count();
    let same = if changes == 0 { who } else { format!("{who}: the same {} each", count(changes, "change")) };
    let has_warning = lines.iter().any(|(sign, _)| *sign == '!');
    match rest {
        Rest::All => same,
        Rest::Others if !has_warning => same,
        _ => format!("{same} ({})", names_of(members, names)),
    }
}

fn block(heading: &str, lines: &Lines, width: u16) -> String {
    let heading = filled(heading, "", "  ", width);
    let heading = heading.lines().map(|line| format!("{STRONG}{line}{STRONG:#}"));
    let lines = lines.iter().map(|(sign, text)| line(*sign, None, text, width));
    heading.chain(lines).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
