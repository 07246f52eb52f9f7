//! The roles to import: from the command line, or from the user's policies.

use std::collections::BTreeSet;

use super::arguments::Import;
use crate::aws::client::access::Access;
use crate::config::{self, DEFAULT_ROLE_NAME, Source};
use crate::diagnosis::collect;
use crate::diagnosis::facts::PolicyFacts;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{PrincipalRef, RoleArn};
use crate::iam::granted::Granted;
use crate::iam::names::{AccountId, RoleName};
use crate::iam::state::{FoundDocument, Reading};
use crate::operations::accounts::SourceSide;
use crate::operations::run::Run;

/// A role to import.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    pub account: AccountId,
    pub role: RoleName,
    /// The ARN, if the user named the role by it.
    pub arn: Option<RoleArn>,
}

impl From<RoleArn> for Wanted {
    fn from(arn: RoleArn) -> Self {
        Self { account: arn.account.clone(), role: arn.name.clone(), arn: Some(arn) }
    }
}

/// Returns the roles on the command line. Nothing has been sent so far.
///
/// # Errors
/// When a text names no role, or a role that is a target already.
pub fn typed(args: &Import, source: &Source, run: &Run<'_>) -> Result<Vec<Wanted>> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for text in &args.roles {
        let role = match text.starts_with("arn:") {
            true => text.parse::<RoleArn>()?.into(),
            false => of_account(text, args.role_name.as_ref())?,
        };
        if source.account.as_ref() == Some(&role.account) {
            return Err(Error::usage(format!("source and target are the same account, {}", role.account))
                .note("a link connects two accounts")
                .hint("import a role of another account"));
        }
        if let Some(name) = config::target_with(&run.file, &role.account, &role.role) {
            let (path, xacct) = (run.file.path.display(), || run.file.xacct());
            return Err(Error::usage(format!(
                "role `{}` in account {} is target `{name}` in `{path}` already",
                role.role, role.account
            ))
            .hint(format!("compare it: {}", xacct().arg("bootstrap").arg(name).flag("--check")))
            .hint(format!("or remove the target, then import it again: {}", xacct().arg("forget").arg(name))));
        }
        if !wanted.iter().any(|known| (&known.account, &known.role) == (&role.account, &role.role)) {
            wanted.push(role);
        }
    }
    if args.role_name.is_some() && wanted.iter().all(|wanted| wanted.arn.is_some()) {
        return Err(Error::usage("--role-name needs the ID of the role's account")
            .hint("specify it: xacct import ID --role-name NAME"));
    }
    Ok(wanted)
}

fn of_account(text: &str, name: Option<&RoleName>) -> Result<Wanted> {
    let account = AccountId::typed(text).map_err(|invalid| match text.contains(|c: char| c.is_ascii_alphabetic()) {
        true => Error::usage(format!("`{text}` is neither the ARN of a role nor the ID of an account"))
            .hint("use an ARN such as arn:aws:iam::222222222222:role/NAME, or ID --role-name NAME"),
        false => invalid.into(),
    })?;
    let role = name.cloned().map_or_else(|| DEFAULT_ROLE_NAME.parse(), Ok)?;
    Ok(Wanted { account, role, arn: None })
}

/// Returns the roles of other accounts that the user's policies name and that are no targets yet, and remarks on what else
/// they name.
///
/// # Errors
/// When the policies name no role.
pub async fn granted(access: &Access, source: &SourceSide, run: &Run<'_>) -> Result<(Vec<Wanted>, Vec<String>)> {
    let (mut found, mut remarks) = (Granted::default(), Vec::new());
    let principals: Vec<_> = source.grantees.iter().map(|grantee| grantee.arn.reference()).collect();
    for principal in &principals {
        let (own, groups) = collect::policies_of_principal(access, principal).await;
        read(&own, &principal.in_words().replace('`', ""), &mut found, &mut remarks);
        match groups {
            Reading::Present(groups) => {
                groups.iter().for_each(|(name, own)| read(own, &format!("group {name}"), &mut found, &mut remarks));
            }
            Reading::Absent => {}
            Reading::Unreadable { answer, .. } => remarks.push(format!("cannot read the groups of the user: {answer}")),
        }
    }
    remarks
        .extend(found.patterns.iter().map(|pattern| format!("{pattern} names no single role; import each by its ARN")));
    found.roles.retain(|role| role.account != source.account);
    if found.roles.is_empty() {
        let whose: Vec<_> = principals.iter().map(PrincipalRef::in_words).collect();
        let whose = whose.join(" and ");
        let error = Error::new(Kind::Refused, format!("no policy of {whose} names a role of another account"));
        return Err(remarks.into_iter().fold(error, Error::note).hint("specify the role by its ARN: xacct import ARN"));
    }
    let mut wanted = BTreeSet::new();
    for role in found.roles {
        match config::target_with(&run.file, &role.account, &role.name) {
            Some(name) => remarks.push(format!("{role} is target {name} already; it stays as it is")),
            None => drop(wanted.insert(Wanted::from(role))),
        }
    }
    Ok((wanted.into_iter().collect(), remarks))
}

/// Adds the roles that these policies name.
fn read(policies: &PolicyFacts, holder: &str, found: &mut Granted, remarks: &mut Vec<String>) {
    for (kind, list) in [("inline policies", &policies.inline), ("attached policies", &policies.attached)] {
        match list {
            Reading::Present(list) => {
                for (name, document) in list {
                    match document {
                        Reading::Present(FoundDocument::Policy(document)) => found.add(document),
                        Reading::Present(FoundDocument::Unparsed { problem, .. }) => {
                            remarks.push(format!("cannot evaluate policy {name} of {holder}: {problem}"));
                        }
                        Reading::Absent => {}
                        Reading::Unreadable { answer, .. } => {
                            remarks.push(format!("cannot read policy {name} of {holder}: {answer}"));
                        }
                    }
                }
            }
            Reading::Absent => {}
            Reading::Unreadable { answer, .. } => remarks.push(format!("cannot read the {kind} of {holder}: {answer}")),
        }
    }
}
