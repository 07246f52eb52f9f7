//! Changes in words. Preview and result are written by the same function, so that they cannot drift apart.

use std::collections::BTreeSet;

use crate::iam::arn::RoleArn;
use crate::iam::names::MaxSessionDuration;
use crate::iam::plan::{Change, Note, Plan};
use crate::iam::state::FoundDocument;
use crate::report::console::{WARN, borderless, count, trimmed};

/// Whether a change is still to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// `create role …`
    Would,
    /// `created role …`
    Done,
}

/// Returns the sign before a change: `+` makes, `~` alters, `-` removes.
#[must_use]
pub fn sign(change: &Change) -> char {
    match change {
        Change::CreateRole(_) | Change::AttachPolicy { .. } => '+',
        Change::PutRolePolicy { from, .. } | Change::PutGrant { from, .. } if from.is_none() => '+',
        Change::DeleteRolePolicy { .. }
        | Change::DetachPolicy { .. }
        | Change::DeleteRole { .. }
        | Change::DeleteGrant { .. } => '-',
        _ => '~',
    }
}

/// Returns the name of a change in JSON.
#[must_use]
pub fn action(change: &Change) -> &'static str {
    match change {
        Change::CreateRole(_) => "create_role",
        Change::ReplaceTrustPolicy { .. } => "replace_trust_policy",
        Change::UpdateRole { .. } => "update_role",
        Change::SetBoundary { .. } => "set_permissions_boundary",
        Change::TagRole { .. } => "tag_role",
        Change::AttachPolicy { .. } => "attach_policy",
        Change::PutRolePolicy { .. } => "put_role_policy",
        Change::DeleteRolePolicy { .. } => "delete_role_policy",
        Change::PutGrant { .. } => "put_grant",
        Change::DetachPolicy { .. } => "detach_policy",
        Change::DeleteRole { .. } => "delete_role",
        Change::ShrinkGrant { .. } => "shrink_grant",
        Change::DeleteGrant { .. } => "delete_grant",
    }
}

/// Returns a change as a fragment of a sentence. `role` is the name of the role it is about.
#[must_use]
pub fn sentence(change: &Change, role: &str, mood: Mood) -> String {
    let verb = |would: &'static str, done: &'static str| if mood == Mood::Would { would } else { done };
    match change {
        Change::CreateRole(desired) => {
            let path = if desired.arn.path.is_root() { String::new() } else { format!(" under {}", desired.arn.path) };
            format!("{} role {role}{path}, trusting account {}", verb("create", "created"), desired.source)
        }
        Change::ReplaceTrustPolicy { .. } => format!("{} the trust policy of role {role}", verb("replace", "replaced")),
        Change::UpdateRole { from: (description, seconds), description: wanted, max_session } => {
            let mut parts = Vec::new();
            if *seconds != max_session.as_secs() {
                let now = MaxSessionDuration::from_secs(*seconds);
                let now = now.map_or_else(|_| format!("{seconds} s"), |now| now.to_string());
                parts.push(format!("sessions up to {max_session} (now {now})"));
            }
            if description != wanted {
                parts.push("description".to_owned());
            }
            format!("{} on role {role}: {}", verb("set", "set"), parts.join(", "))
        }
        Change::SetBoundary { from, to } => {
            let now = from.as_ref().map_or_else(String::new, |arn| format!(" (was {arn})"));
            format!("{} role {role} with boundary {to}{now}", verb("cap", "capped"))
        }
        Change::TagRole { tags } => {
            let tags: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{} role {role}: {}", verb("tag", "tagged"), tags.join(", "))
        }
        Change::AttachPolicy { policy } => format!("{} {policy} to role {role}", verb("attach", "attached")),
        Change::PutRolePolicy { name, from, .. } => {
            let (would, done) = if from.is_some() { ("replace", "replaced") } else { ("put", "put") };
            let what = if name.as_str() == crate::iam::templates::VERIFY_POLICY {
                ": make and delete buckets xacct-verify-*"
            } else {
                ""
            };
            format!("{} policy {name} on role {role}{what}", verb(would, done))
        }
        Change::DeleteRolePolicy { name } => format!("{} policy {name} from role {role}", verb("remove", "removed")),
        Change::PutGrant { user, name, added, from, .. } => {
            let (would, done) = if from.is_some() { ("rewrite", "rewrote") } else { ("put", "put") };
            let what = match added.len() {
                0 => "sts:AssumeRole on exactly the linked roles".to_owned(),
                1 => added.iter().map(|arn| format!("sts:AssumeRole on {arn}")).collect(),
                more => format!("sts:AssumeRole on {}", count(more, "role")),
            };
            format!("{} policy {name} on user {}: {what}", verb(would, done), user.name)
        }
        Change::DetachPolicy { policy } => format!("{} {policy} from role {role}", verb("detach", "detached")),
        Change::DeleteRole { role } => format!("{} role {}", verb("delete", "deleted"), role.name),
        Change::ShrinkGrant { user, name, removed, .. } => {
            format!("{} {} out of policy {name} on user {}", verb("take", "took"), roles(removed), user.name)
        }
        Change::DeleteGrant { user, name, removed, .. } => {
            let verb = verb("delete", "deleted");
            format!("{verb} policy {name} of user {}, which covers nothing but {}", user.name, roles(removed))
        }
    }
}

/// Returns one role by its ARN, several by their number.
fn roles(roles: &BTreeSet<RoleArn>) -> String {
    match roles.first() {
        Some(role) if roles.len() == 1 => role.to_string(),
        _ => count(roles.len(), "role"),
    }
}

/// Returns what was seen and left alone.
#[must_use]
pub fn note(note: &Note) -> String {
    let list = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
    match note {
        Note::OtherAttachments(arns) => format!("left alone: attached by others: {}", list(arns)),
        Note::OtherInlinePolicies(names) => format!("left alone: inline policies of others: {}", list(names)),
        Note::OtherTags(keys) => format!("left alone: tags of others: {}", list(keys)),
        Note::OtherBoundary(arn) => format!("left alone: boundary set by others: {arn}"),
        Note::QuotaNotCounted => {
            "the user's other inline policies cannot be read (iam:ListUserPolicies, iam:GetUserPolicy), so the 2,048 characters they share were not counted".to_owned()
        }
        Note::OtherStatements(statements) => format!("left alone: statements of others in the grant: {}", list(statements)),
        Note::ReplacedStatements(statements) => {
            format!("replaced because of --adopt: statements of others in the grant: {}", list(statements))
        }
        Note::OtherGrant(name) => format!("left alone: policy {name} of the user, which xacct did not write"),
    }
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    /// What stands before each change: `source`, `target`, or the target's name.
    pub side: &'a str,
    /// How wide that is in the widest of the plans shown together.
    pub pad: usize,
    /// The name of the role that the changes are about.
    pub role: &'a str,
    /// Whether the policy documents are shown.
    pub documents: bool,
    /// Columns that a line may take.
    pub width: u16,
}

/// Returns the changes of one side, what was left alone and what may go wrong, as they are shown before anything is
/// done.
#[must_use]
pub fn preview(plan: &Plan, style: &Style<'_>) -> String {
    let mut blocks = Vec::new();
    for change in &plan.changes {
        blocks.push(line(sign(change), &sentence(change, style.role, Mood::Would), style));
        if style.documents {
            let label = if change.replaced().is_some() { "then" } else { "document" };
            blocks.extend(change.replaced().map(|replaced| indented("now", &found_text(replaced))));
            blocks.extend(change.document().map(|document| indented(label, &document.to_string())));
        }
    }
    blocks.extend(plan.notes.iter().map(|seen| line(' ', &note(seen), style)));
    let warnings = plan.warnings.iter().map(|risk| line('!', &risk.to_string(), style));
    blocks.extend(warnings.map(|text| format!("{WARN}{text}{WARN:#}")));
    blocks.join("\n")
}

fn line(sign: char, text: &str, style: &Style<'_>) -> String {
    let mut table = borderless(style.width);
    table.add_row([format!(" {sign}"), format!("{:<pad$}", style.side, pad = style.pad), text.to_owned()]);
    trimmed(&table)
}

fn found_text(found: &FoundDocument) -> String {
    match found {
        FoundDocument::Policy(document) => document.to_string(),
        FoundDocument::Unparsed { text, problem } => format!("(not a policy: {problem})\n{text}"),
    }
}

fn indented(label: &str, text: &str) -> String {
    let body: Vec<_> = text.lines().map(|line| format!("              {line}")).collect();
    format!("            {label}:\n{}", body.join("\n"))
}
