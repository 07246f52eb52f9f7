//! Changes in words. Preview and result are written by the same function, so that they cannot drift apart.

use std::collections::BTreeSet;

use crate::iam::admission::Accepted;
use crate::iam::arn::{PrincipalArn, RoleArn};
use crate::iam::grant_names::GRANT_PATH;
use crate::iam::names::{MaxSessionDuration, PolicyName};
use crate::iam::organization_grant::{ORGANIZATION_KEY, OrganizationGrant};
use crate::iam::plan::{Change, Note, Plan};
use crate::iam::policy::PolicyDocument;
use crate::iam::record::POLICIES_TAG;
use crate::iam::revocation::{REVOKE_POLICY, in_words};
use crate::iam::risks::{BoundaryChange, Risk, Undeclared};
use crate::iam::state::FoundDocument;
use crate::iam::templates::VERIFY_POLICY;
use crate::report::console::{BAD, GOOD, WARN, borderless, count, styled_mark, trimmed};
use crate::text::shell::ShellCommand;

/// Whether a change is planned or done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// `create role …`
    Would,
    /// `created role …`
    Done,
}

/// Returns the mark of a change: `+` creates, `~` changes, `-` removes.
#[must_use]
pub fn sign(change: &Change) -> char {
    match change {
        Change::CreateRole(_) | Change::AttachPolicy { .. } => '+',
        Change::PutRolePolicy { from, .. } | Change::PutGrant { from, .. } | Change::PutGrantPart { from, .. }
            if from.is_none() =>
        {
            '+'
        }
        Change::DeleteRolePolicy { .. }
        | Change::DetachPolicy { .. }
        | Change::DeleteRole { .. }
        | Change::DeleteGrant { .. }
        | Change::DeleteGrantPart { .. } => '-',
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
        Change::PutGrantPart { .. } => "put_grant_part",
        Change::DeleteGrantPart { .. } => "delete_grant_part",
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
        Change::ReplaceTrustPolicy { removes, .. } => {
            let start = format!("{} the trust policy of role {role}", verb("replace", "replaced"));
            let removed: Vec<_> = removes.iter().map(ToString::to_string).collect();
            with_removed(start, verb("removes", "removed"), &removed)
        }
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
            format!("{} role {role}: {}", verb("change", "changed"), parts.join(", "))
        }
        Change::SetBoundary { from, to } => {
            let now = from.as_ref().map_or_else(String::new, |arn| format!(" (was {arn})"));
            format!("{} boundary {to} on role {role}{now}", verb("set", "set"))
        }
        Change::TagRole { tags } => {
            let tag = |(key, value): (&String, &String)| match key.as_str() {
                POLICIES_TAG => format!("{key} ({})", count(value.split_whitespace().count(), "digest")),
                _ => format!("{key}={value}"),
            };
            let tags: Vec<_> = tags.iter().map(tag).collect();
            format!("{} role {role}: {}", verb("tag", "tagged"), tags.join(", "))
        }
        Change::AttachPolicy { policy } => format!("{} {policy} to role {role}", verb("attach", "attached")),
        Change::PutRolePolicy { name, from, .. } => {
            let start = match from {
                Some(_) => format!("{} policy {name} of", verb("replace", "replaced")),
                None => format!("{} policy {name} to", verb("add", "added")),
            };
            let what = match name.as_str() {
                VERIFY_POLICY => ": create and delete xacct-verify-* buckets",
                REVOKE_POLICY => ": deny everything to current sessions",
                _ => "",
            };
            format!("{start} role {role}{what}")
        }
        Change::DeleteRolePolicy { name } => format!("{} policy {name} from role {role}", verb("remove", "removed")),
        Change::PutGrant { principal, name, added, removes, from, to } => {
            let start = match from {
                Some(_) => format!("{} policy {name} of", verb("update", "updated")),
                None => format!("{} policy {name} to", verb("add", "added")),
            };
            let removed: Vec<_> = removes.iter().cloned().collect();
            let what = grants(added, to);
            with_removed(format!("{start} {}: {what}", plainly(principal)), verb("removes", "removed"), &removed)
        }
        Change::DetachPolicy { policy } => format!("{} {policy} from role {role}", verb("detach", "detached")),
        Change::DeleteRole { .. } => format!("{} role {role}", verb("delete", "deleted")),
        Change::ShrinkGrant { principal, name, removed, from, to } => {
            let what = roles_in_organization(from, Some(to)).unwrap_or_else(|| roles(removed));
            format!("{} {what} from policy {name} of {}", verb("remove", "removed"), plainly(principal))
        }
        Change::DeleteGrant { principal, name, removed, from } => {
            let verb = verb("delete", "deleted");
            let what = roles_in_organization(from, None).unwrap_or_else(|| emptied(removed));
            format!("{verb} policy {name} of {} ({what})", plainly(principal))
        }
        Change::PutGrantPart { principal, name, added, removes, from, to, attaches } => {
            let start = match (from, attaches) {
                (Some(from), true) if from.matches(to) => {
                    format!("{} managed policy {name} to", verb("attach", "attached"))
                }
                (None, true) => format!("{} managed policy {name} to", verb("add", "added")),
                // Only its administrator makes a permission set refer to it.
                (None, false) => format!("{} managed policy {name} for", verb("create", "created")),
                (Some(_), true) => format!("{} managed policy {name} and attach it to", verb("update", "updated")),
                (Some(_), false) => format!("{} managed policy {name} of", verb("update", "updated")),
            };
            let removed = match removes.len() {
                0..=3 => removes.iter().cloned().collect(),
                more => vec![count(more, "role")],
            };
            let what = grants(added, to);
            with_removed(format!("{start} {}: {what}", plainly(principal)), verb("removes", "removed"), &removed)
        }
        Change::DeleteGrantPart { principal, name, removed, from } => {
            let verb = verb("delete", "deleted");
            let what = roles_in_organization(from, None).unwrap_or_else(|| emptied(removed));
            format!("{verb} managed policy {name} of {} ({what})", plainly(principal))
        }
    }
}

/// Returns what a policy of the grant will newly allow.
fn grants(added: &BTreeSet<RoleArn>, to: &PolicyDocument) -> String {
    let wide = OrganizationGrant::of(to);
    let is_wide = |role: &RoleArn| wide.as_ref().is_some_and(|wide| wide.covers(role));
    if let Some(wide) = &wide
        && added.iter().all(is_wide)
    {
        let patterns: Vec<_> = wide.roles.iter().map(ToString::to_string).collect();
        return format!("sts:AssumeRole on {} in organization {}", patterns.join(", "), wide.organization);
    }
    match added.len() {
        0 => "sts:AssumeRole on exactly the linked roles".to_owned(),
        1 => added.iter().map(|arn| format!("sts:AssumeRole on {arn}")).collect(),
        more => format!("sts:AssumeRole on {}", count(more, "role")),
    }
}

/// Returns the roles in every account of an organization that go with a changed, or deleted, policy of the grant; `None` if
/// there are none.
fn roles_in_organization(from: &FoundDocument, to: Option<&PolicyDocument>) -> Option<String> {
    let before = OrganizationGrant::of(from.policy()?)?;
    let after = to.and_then(OrganizationGrant::of).map(|wide| wide.roles).unwrap_or_default();
    let gone: Vec<_> = before.roles.difference(&after).map(ToString::to_string).collect();
    let words = || format!("{} in every account of organization {}", gone.join(", "), before.organization);
    (!gone.is_empty()).then(words)
}

/// Returns which roles go with a policy of the grant. Roles that moved to another policy do not.
fn emptied(removed: &BTreeSet<RoleArn>) -> String {
    match removed.len() {
        0 => "other policies of the grant have its roles".to_owned(),
        1 => format!("its only role: {}", roles(removed)),
        _ => format!("its {}", roles(removed)),
    }
}

/// Returns kind and name of a principal, as a change names them.
fn plainly(principal: &PrincipalArn) -> String {
    principal.in_words().replace('`', "")
}

/// Adds who, or what, no longer has access.
fn with_removed(sentence: String, verb: &str, removed: &[String]) -> String {
    if removed.is_empty() { sentence } else { format!("{sentence}; {verb}: {}", removed.join("; ")) }
}

/// Returns one role by its ARN, several by their number.
fn roles(roles: &BTreeSet<RoleArn>) -> String {
    match roles.first() {
        Some(role) if roles.len() == 1 => role.to_string(),
        _ => count(roles.len(), "role"),
    }
}

/// Returns a note about unmanaged resources, which xacct leaves in place.
#[must_use]
pub fn note(note: &Note) -> String {
    let list = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
    match note {
        Note::Accepted(Accepted { who, reason }) => format!("accepted: the trust policy admits {who} ({reason})"),
        Note::OtherTags(keys) => format!("unmanaged, left in place: tags {}", list(keys)),
        Note::OtherBoundary(arn) => format!("unmanaged, left in place: boundary {arn}"),
        Note::Spread { principal, inline, size, quota, managed, policies, each, most, left } => {
            let inline_part = match inline {
                0 => "none in an inline policy".to_owned(),
                _ => format!("{inline} in its inline policy ({size} of {quota} characters)"),
            };
            format!(
                "the grant of {} lists {}: {inline_part}, {managed} in {policies} of at most {most} managed policies \
                 ({each} characters each); {}",
                plainly(principal),
                count(inline + managed, "role"),
                match left {
                    0 => "no more targets fit".to_owned(),
                    1 => "about 1 more target fits".to_owned(),
                    left => format!("about {left} more targets fit"),
                },
            )
        }
        Note::QuotaNotCounted => {
            "cannot read the principal's other inline policies, so their shared quota of characters was not checked"
                .to_owned()
        }
        Note::OtherStatements(statements) => {
            format!("unmanaged, left in place: statements in the grant: {}", list(statements))
        }
        Note::ReplacedStatements(statements) => {
            format!("replaced because of --adopt: unmanaged statements in the grant: {}", list(statements))
        }
        Note::Revoked { policy, before, is_own } => {
            let lift = if *is_own { "; xacct revoke TARGET --lift removes it" } else { "" };
            format!("sessions issued before {} are revoked by policy {policy}{lift}", in_words(*before))
        }
        Note::OrganizationKeyUntested => format!(
            "AWS documents {ORGANIZATION_KEY}, but no AssumeRole that it allows is on record: the test shows whether AWS \
             allows it; that AWS rejects roles outside the organization follows from the policy and is not tested"
        ),
        Note::OrganizationGrantStays { principal, roles } => format!(
            "the grant of {} still covers {roles} in the organization, because other targets use it",
            plainly(principal)
        ),
        Note::PermissionSetRefers { set, policy } => {
            let detach = ShellCommand::new("aws")
                .args(["sso-admin", "detach-customer-managed-policy-reference-from-permission-set"])
                .option("--instance-arn", "INSTANCE_ARN")
                .option("--permission-set-arn", "PERMISSION_SET_ARN")
                .option("--customer-managed-policy-reference", format!("Name={policy},Path={GRANT_PATH}"));
            format!(
                "managed policy {policy} stays, because {} refers to it, and AWS does not delete an attached policy; its \
                 administrator removes the reference with `{detach}` and provisions it again; then delete the policy with \
                 `xacct teardown --orphan {}`",
                plainly(set),
                name_of_orphan(set)
            )
        }
        Note::PermissionSetKeeps { set, statement, roles } => {
            let roles: Vec<_> = roles.iter().map(ToString::to_string).collect();
            format!(
                "{} keeps its grant, which only its administrator can remove from statement {statement} of its inline \
                 policy: {}",
                set.in_words().replace('`', ""),
                roles.join(", ")
            )
        }
        Note::OtherGrant(name) => format!("unmanaged, left in place: policy {name} in the source account"),
    }
}

/// Returns how `teardown --orphan` names the grant of a principal: a role by its ARN, because `role/NAME` is one of a target
/// account.
#[must_use]
pub fn name_of_orphan(principal: &PrincipalArn) -> String {
    match principal {
        PrincipalArn::Role(role) => role.to_string(),
        principal => principal.reference().to_string(),
    }
}

/// Returns the command that shows an inline policy of a principal.
#[must_use]
pub fn get_policy(principal: &PrincipalArn, policy: &PolicyName) -> ShellCommand {
    let (command, option) = match principal {
        PrincipalArn::User(_) => ("get-user-policy", "--user-name"),
        PrincipalArn::Group(_) => ("get-group-policy", "--group-name"),
        PrincipalArn::Role(_) | PrincipalArn::PermissionSet(_) => ("get-role-policy", "--role-name"),
    };
    ShellCommand::new("aws").args(["iam", command]).option(option, principal.name()).option("--policy-name", policy)
}

/// Returns a warning, with what ends the risk. xacct itself runs none of the commands: it did not create what they
/// remove.
#[must_use]
pub fn warning(risk: &Risk) -> String {
    let aws = |command: &'static str| ShellCommand::new("aws").arg("iam").arg(command);
    let remedy = match risk {
        Risk::UndeclaredPolicy { policy: Undeclared::Attached(_), exclusive: true, .. } => {
            "bootstrap detaches it, unless you declare it in policy_arns".to_owned()
        }
        Risk::UndeclaredPolicy { policy: Undeclared::Inline(_), exclusive: true, .. } => {
            "bootstrap removes it, unless you set exclusive = false".to_owned()
        }
        Risk::UndeclaredPolicy { role, policy: Undeclared::Attached(arn), .. } => {
            let command = aws("detach-role-policy").option("--role-name", &role.name).option("--policy-arn", arn);
            format!("declare it in policy_arns, or detach it: {command}")
        }
        Risk::UndeclaredPolicy { role, policy: Undeclared::Inline(name), .. } => {
            let command = aws("delete-role-policy").option("--role-name", &role.name).option("--policy-name", name);
            format!("delete it: {command}")
        }
        Risk::UndeclaredRoles { principal, roles, .. } => {
            let command = ShellCommand::new("xacct").arg("teardown").option("--orphan", name_of_orphan(principal));
            let it = if roles.len() == 1 { "it" } else { "them" };
            format!("if no other xacct.toml declares {it}, remove {it}: {command}")
        }
        Risk::BoundaryChanged { change: BoundaryChange::ByAws | BoundaryChange::Recreated, .. } => {
            "bootstrap accepts it".to_owned()
        }
        Risk::BoundaryChanged { policy, from, .. } => {
            let command = aws("set-default-policy-version").option("--policy-arn", policy).option("--version-id", from);
            format!("restore it: {command}, or accept it with bootstrap")
        }
        _ => return risk.to_string(),
    };
    format!("{risk}; {remedy}")
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    /// The label before each change: `source`, `target`, or the target's name.
    pub side: &'a str,
    /// Width of the labels of all plans that are shown together.
    pub pad: usize,
    /// The name of the changed role.
    pub role: &'a str,
    /// Whether to show the policy documents.
    pub documents: bool,
    /// Maximum width of a line.
    pub width: u16,
}

/// Returns the preview of one side: the changes, unmanaged resources and warnings.
#[must_use]
pub fn preview(plan: &Plan, style: &Style<'_>) -> String {
    let label = format!("{:<pad$}", style.side, pad = style.pad);
    let line = |sign, text: &str| line(sign, Some(&label), text, style.width);
    let mut blocks = Vec::new();
    for change in &plan.changes {
        blocks.push(line(sign(change), &sentence(change, style.role, Mood::Would)));
        if style.documents {
            let label = if change.replaced().is_some() { "new" } else { "document" };
            blocks.extend(change.replaced().map(|replaced| indented("current", &found_text(replaced))));
            blocks.extend(change.document().map(|document| indented(label, &document.to_string())));
        }
    }
    blocks.extend(plan.notes.iter().map(|seen| line(' ', &note(seen))));
    blocks.extend(plan.warnings.iter().map(|risk| line('!', &warning(risk))));
    blocks.join("\n")
}

/// Returns a change, note or warning after its symbol and label.
pub(super) fn line(sign: char, label: Option<&str>, text: &str, width: u16) -> String {
    let mut table = borderless(width);
    let label = label.map(str::to_owned);
    table.add_row([format!(" {sign}")].into_iter().chain(label).chain([text.to_owned()]));
    let text = trimmed(&table);
    match sign {
        '!' => format!("{WARN}{text}{WARN:#}"),
        sign => style_of(sign).map_or_else(|| text.clone(), |style| styled_mark(&text, style)),
    }
}

fn style_of(sign: char) -> Option<anstyle::Style> {
    match sign {
        '+' => Some(GOOD),
        '~' | '!' => Some(WARN),
        '-' => Some(BAD),
        _ => None,
    }
}

/// Returns a table with its symbols in their styles: each begins a cell, and two spaces are before it.
pub(super) fn styled_symbols(table: &str) -> String {
    ['+', '~', '-', '!'].into_iter().fold(table.to_owned(), |table, sign| {
        let style = style_of(sign).unwrap_or_default();
        table.replace(&format!("  {sign} "), &format!("  {style}{sign}{style:#} "))
    })
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
