//! Orphans, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::changes::{line, name_of_orphan};
use super::console::{STRONG, count};
use crate::iam::arn::PrincipalArn;
use crate::iam::orphans::{OrphanedGrant, OrphanedRole, Orphans, Unchecked};
use crate::text::shell::ShellCommand;

/// Returns the orphans, the commands that remove them, and the accounts that could not be checked; `None` if there is
/// nothing to say. `xacct` is the command with the file's `--config`.
#[must_use]
pub fn text(orphans: &Orphans, xacct: &ShellCommand, width: u16) -> Option<String> {
    let Orphans { roles, grants, unchecked } = orphans;
    let row = |sign, text: &str| line(sign, None, text, width);
    let mut rows = Vec::new();
    let mut removals = BTreeSet::new();
    if orphans.are_any() {
        rows.push(format!("{STRONG}Orphans: xacct made them, but no xacct.toml names them{STRONG:#}"));
    }
    for OrphanedRole { role, link } in roles {
        let link = link.as_ref().map_or_else(String::new, |link| format!(" (link {link})"));
        let covering = grants.iter().filter(|grant| grant.roles.contains(role));
        let whom: Vec<_> = covering.map(|grant| plainly(&grant.principal)).collect();
        let granted = if whom.is_empty() { String::new() } else { format!("; granted to {}", whom.join(", ")) };
        rows.push(row('!', &format!("role {role}{link}{granted}")));
        removals.insert(role.to_string());
    }
    let gone: BTreeSet<_> = roles.iter().map(|orphan| &orphan.role).collect();
    for grant in grants {
        let OrphanedGrant { principal, is_named, roles, patterns } = grant;
        let whose = plainly(principal);
        // Those go with their roles.
        let roles = roles.iter().filter(|role| !is_named || !gone.contains(role)).map(ToString::to_string);
        let roles: BTreeSet<_> = roles.chain(patterns.iter().map(ToString::to_string)).collect();
        match is_named {
            true if roles.is_empty() => continue,
            true => rows.push(row('!', &format!("in the grant of {whose}: {}", in_words(&roles)))),
            false if roles.is_empty() => rows.push(row('!', &format!("the grant of {whose}"))),
            false => rows.push(row('!', &format!("the grant of {whose}: {}", in_words(&roles)))),
        }
        removals.insert(name_of_orphan(principal));
    }
    if !removals.is_empty() {
        rows.push("Remove them, or list the xacct.toml that names them in other_files of [source]:".to_owned());
        let commands = removals.iter().map(|what| xacct.clone().arg("teardown").option("--orphan", what));
        rows.extend(commands.map(|command| format!("  {command}")));
    }
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Unchecked { account, why } in unchecked {
        reasons.entry(why).or_default().push(account.as_str());
    }
    rows.extend(reasons.into_iter().map(|(why, accounts)| {
        let accounts = format!("{} {}", if accounts.len() == 1 { "account" } else { "accounts" }, accounts.join(", "));
        row('?', &format!("not checked for orphans: {accounts} ({why})"))
    }));
    (!rows.is_empty()).then(|| rows.join("\n"))
}

fn plainly(principal: &PrincipalArn) -> String {
    principal.in_words().replace('`', "")
}

fn in_words(roles: &BTreeSet<String>) -> String {
    match roles.first() {
        Some(role) if roles.len() == 1 => role.clone(),
        Some(role) => format!("{}, such as {role}", count(roles.len(), "role")),
        None => String::new(),
    }
}

/// The orphans of a source account.
#[derive(Debug, Serialize)]
pub struct JsonOrphans {
    roles: Vec<JsonRole>,
    grants: Vec<JsonGrant>,
    unchecked: Vec<JsonUnchecked>,
}

#[derive(Debug, Serialize)]
struct JsonRole {
    account: String,
    role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

#[derive(Debug, Serialize)]
struct JsonGrant {
    principal: String,
    /// Whether links are for the principal, so that only these roles are orphaned.
    is_named: bool,
    role_arns: Vec<String>,
    /// The roles that it covers in every account of an organization.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    role_patterns: Vec<String>,
}

#[derive(Debug, Serialize)]
struct JsonUnchecked {
    account: String,
    reason: String,
}

impl From<&Orphans> for JsonOrphans {
    fn from(Orphans { roles, grants, unchecked }: &Orphans) -> Self {
        let role = |orphan: &OrphanedRole| JsonRole {
            account: orphan.role.account.to_string(),
            role_arn: orphan.role.to_string(),
            link: orphan.link.clone(),
        };
        let grant = |orphan: &OrphanedGrant| JsonGrant {
            principal: orphan.principal.to_string(),
            is_named: orphan.is_named,
            role_arns: orphan.roles.iter().map(ToString::to_string).collect(),
            role_patterns: orphan.patterns.iter().map(ToString::to_string).collect(),
        };
        let unchecked = unchecked
            .iter()
            .map(|Unchecked { account, why }| JsonUnchecked { account: account.to_string(), reason: why.clone() });
        Self {
            roles: roles.iter().map(role).collect(),
            grants: grants.iter().map(grant).collect(),
            unchecked: unchecked.collect(),
        }
    }
}
