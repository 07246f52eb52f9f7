//! The first step: which role each link gets.

use std::collections::BTreeSet;

use super::arguments::Move;
use super::hints::command;
use crate::config::{self, Link, OtherRole};
use crate::error::{Error, Result};
use crate::iam::arn::RoleArn;
use crate::operations::run::Run;

/// Gives each link its new role.
///
/// # Errors
/// When no name is given, or it is taken or not a new one, or the link is moved to another role.
pub fn begin(links: &mut [Link], args: &Move, run: &Run<'_>) -> Result<()> {
    let mut wanted = BTreeSet::new();
    for link in links {
        *link = moved(link, args, run)?;
        link.check(None)?;
        if !wanted.insert((link.account.clone(), link.role.as_str().to_ascii_lowercase())) {
            return Err(Error::usage(format!(
                "two targets in account {} cannot have the one role `{}`",
                link.account, link.role
            ))
            .hint("move one target, and then the other with another --role-name"));
        }
        if let Some(taken) = config::target_with(&run.file, &link.account, &link.role).filter(|name| *name != link.name)
        {
            return Err(Error::usage(format!(
                "role `{}` in account {} belongs to target `{taken}`",
                link.role, link.account
            ))
            .hint("use another name: --role-name NAME"));
        }
    }
    Ok(())
}

fn moved(link: &Link, args: &Move, run: &Run<'_>) -> Result<Link> {
    let own = link.role_arn(run.file.partition_of(link.region.as_ref()));
    let again = || command(run).arg(&link.name);
    let (new, old) = match &link.other_role {
        Some(OtherRole::New(new)) => (Some(new), None),
        Some(OtherRole::Old(old)) => (None, Some(old)),
        None => (None, None),
    };
    let Some(name) = &args.role_name else {
        return match (&args.role_path, new, old) {
            (None, Some(new), _) => Ok(moves(link, new)),
            (None, _, Some(_)) => Ok(link.clone()),
            (Some(_), _, _) => Err(no_name(&own)),
            (None, None, None) => Err(Error::usage("xacct move needs the name of the new role")
                .hint(again().option("--role-name", "NAME").to_string())),
        };
    };
    let is = |role: &RoleArn| role.name.as_str().eq_ignore_ascii_case(name.as_str());
    let other = link.other_role.as_ref().map(OtherRole::arn);
    if let Some(known) = [Some(&own), other].into_iter().flatten().find(|role| is(role)) {
        let is_same = known.name == *name && args.role_path.as_ref().is_none_or(|path| *path == known.path);
        return match (is_same, other) {
            (false, _) => Err(no_name(known)),
            (true, Some(other)) if known == other => Ok(moves(link, other)),
            // Back, before the other role has worked.
            (true, Some(other)) if new.is_some() => {
                Ok(Link { other_role: Some(OtherRole::Old(other.clone())), ..link.clone() })
            }
            (true, Some(_)) => Ok(link.clone()),
            (true, None) => Err(Error::usage(format!("target `{}` has role `{name}` already", link.name))
                .hint("use another name: --role-name NAME")),
        };
    }
    match (new, old) {
        (Some(new), _) => Err(Error::usage(format!("target `{}` is being moved to role `{}`", link.name, new.name))
            .hint(format!("to continue: {}", again()))
            .hint(format!("to go back first: {}", again().option("--role-name", &own.name)))),
        (_, Some(old)) => Err(Error::usage(format!("target `{}` still has its old role `{}`", link.name, old.name))
            .hint(format!("remove it first: {}", again().flag("--finish")))),
        (None, None) => {
            let path = args.role_path.clone().unwrap_or_else(|| own.path.clone());
            Ok(moves(link, &RoleArn { path, name: name.clone(), ..own }))
        }
    }
}

/// Returns the link with its new role, which keeps a boundary of the old one that no setting declares.
fn moves(link: &Link, new: &RoleArn) -> Link {
    let mut link = link.moved_to(new);
    link.keeps.boundary = true;
    link
}

fn no_name(role: &RoleArn) -> Error {
    Error::usage(format!("role `{}` in account {} exists as {role}", role.name, role.account))
        .note("AWS cannot change its path, and names are unique in an account, whatever path or case they have")
        .hint("choose a name that differs: --role-name NAME")
}
