//! Selects the links that a command works on, and their source.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use super::file::{ConfigFile, DEFAULT_ROLE_NAME, Recorded};
use super::link::{ExternalIdChoice, Link, Source};
use crate::cli::{Half, OperatorAccess, ProofOptions, RoleOptions};
use crate::error::{Error, Result};
use crate::iam::arn::{PrincipalRef, RoleArn};
use crate::iam::names::{AccountId, RoleName};
use crate::text::shell::ShellCommand;
use crate::text::some_of;

/// Returns the source for `bootstrap` and `import`.
///
/// # Errors
/// When options contradict each other.
pub fn source(
    file: &ConfigFile,
    principals: &[PrincipalRef],
    access: &OperatorAccess,
    user_profile: Option<&String>,
) -> Result<Source> {
    let recorded = &file.source.principals;
    let principals = if principals.is_empty() { recorded.clone() } else { principals.to_vec() };
    let account = access.source_account.clone().or_else(|| file.source.account.clone());
    let names = |principals: &[PrincipalRef]| principals.iter().map(PrincipalRef::label).collect::<BTreeSet<_>>();
    if !recorded.is_empty() && names(&principals) != names(recorded) && !file.targets.is_empty() {
        return Err(other_principals(file, &principals));
    }
    let own_account = principals.iter().find_map(|principal| principal.account().cloned());
    if let Some(account) = &account {
        refuse_other_account(&principals, account)?;
    }
    if let Some(account) = &own_account {
        refuse_other_account(&principals, account)?;
    }
    Ok(Source {
        account: account.or(own_account),
        principals,
        profile: access.profile.clone().or_else(|| file.source.profile.clone()),
        user_profile: user_profile.or(file.source.user_profile.as_ref()).cloned(),
        account_place: file.place_of_source("account"),
        grant: file.source.grant.clone(),
        ..Source::default()
    })
}

/// Refuses principals of another account than the source account.
fn refuse_other_account(principals: &[PrincipalRef], account: &AccountId) -> Result<()> {
    let other = principals.iter().find_map(|principal| {
        let own = principal.account().filter(|own| *own != account)?;
        Some((principal, own))
    });
    match other {
        None => Ok(()),
        Some((PrincipalRef::User(_), own)) => {
            Err(Error::usage(format!("the user is in account {own}, but the source account is {account}"))
                .hint("specify a user of the source account, or change the source account"))
        }
        Some((other, own)) => {
            let kind = other.kind();
            Err(Error::usage(format!("the {kind} is in account {own}, but the source account is {account}"))
                .hint("specify a principal of the source account, or change the source account"))
        }
    }
}

/// Returns the error for principals that are not those of the file: xacct neither grants nor takes a grant away in passing.
fn other_principals(file: &ConfigFile, asked: &[PrincipalRef]) -> Error {
    let place = file.place_of_source("user").or_else(|| file.place_of_source("principals")).unwrap_or_default();
    let listed =
        |principals: &[PrincipalRef]| principals.iter().map(PrincipalRef::in_words).collect::<Vec<_>>().join(" and ");
    let error = Error::usage(format!(
        "{place}: the links in this file are for {}, not {}",
        listed(&file.source.principals),
        listed(asked)
    ));
    let all: Vec<_> = file.source.principals.iter().chain(asked).map(|it| format!("{:?}", it.to_string())).collect();
    let name = asked.first().map(PrincipalRef::name).unwrap_or_default();
    error
        .hint(format!("record the links of `{name}` in another file: --config {name}.toml"))
        .hint(format!("or, to give the links to all of them, set in [source]: principals = [{}]", all.join(", ")))
}

/// The targets that `bootstrap` works on; all recorded ones if none is given.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Names of recorded targets, or account IDs.
    pub targets: &'a [String],
    /// Further accounts.
    pub accounts: &'a [AccountId],
    /// The name of a new target.
    pub name: Option<&'a str>,
}

/// Returns the links that `bootstrap` works on: the wanted ones, or all recorded ones.
///
/// # Errors
/// When there are none, or a name is unknown or taken.
pub fn links_to_make(
    file: &ConfigFile,
    wanted: &Wanted<'_>,
    access: &OperatorAccess,
    role: &RoleOptions,
    proof: &ProofOptions,
) -> Result<Vec<Link>> {
    let asked = role.role_name.as_ref();
    let mut links = Vec::new();
    if wanted.targets.is_empty() && wanted.accounts.is_empty() {
        links = all_links(file)?;
        links.iter().try_for_each(|link| refuse_other_role(link, asked))?;
        if links.is_empty() {
            let error = match file.text {
                Some(_) => {
                    Error::usage(format!("`{}` has no targets, and the command specifies none", file.path.display()))
                }
                None => no_file(file).note("without it, bootstrap needs a target"),
            };
            return Err(error.hint("specify the target account: xacct bootstrap ID --name NAME"));
        }
    }
    for text in wanted.targets {
        match (named(file, text), AccountId::typed(text)) {
            (Some((name, record)), _) => {
                let link = Link::from_record(name, record, &file.source)?;
                refuse_other_role(&link, asked)?;
                links.push(link);
            }
            (None, Ok(account)) => links.append(&mut links_in(file, &account, asked)?),
            // Digits and dashes are meant for an account ID.
            (None, Err(invalid)) if !text.contains(|c: char| !c.is_ascii_digit() && c != '-') => {
                return Err(invalid.into());
            }
            (None, Err(_)) => {
                let create = ShellCommand::new("xacct").args(["bootstrap", "ID"]).option("--name", text);
                return Err(no_target(file, text).hint(format!("create it, with the ID of its account: {create}")));
            }
        }
    }
    for account in wanted.accounts {
        links.append(&mut links_in(file, account, asked)?);
    }
    if let Some(name) = wanted.name {
        links = vec![under_name(links, name, file)?];
    }
    let of_this_person = |link: Link| match file.target(&link.name) {
        Some(_) => link,
        None => {
            let local = file.local.targets.get(&link.name);
            link.with_local(local)
        }
    };
    let links = links.into_iter().map(of_this_person);
    let links = links.map(|link| link.with_options(role, access).with_proof_options(proof));
    let mut seen = BTreeSet::new();
    let links = links.filter(|link| seen.insert((link.account.clone(), link.role.clone()))).collect();
    with_external_ids(links, file)
}

/// Returns the recorded links to an account, or a new one. Of several, `role` chooses one.
fn links_in(file: &ConfigFile, account: &AccountId, role: Option<&RoleName>) -> Result<Vec<Link>> {
    let of_account = file.targets.iter().filter(|(_, record)| record.account == *account);
    let has_role = |record: &Recorded| {
        let own = record.role.as_ref().map_or(DEFAULT_ROLE_NAME, RoleName::as_str);
        role.is_none_or(|role| role.as_str() == own)
    };
    let known: Vec<_> = of_account.filter(|(_, record)| has_role(record)).collect();
    match known.as_slice() {
        [] => Ok(vec![unused_name(Link::new(account.clone())?, file, &[])]),
        known => known.iter().map(|(name, record)| Link::from_record(name, record, &file.source)).collect(),
    }
}

/// Returns a new link for each of these roles, with the name that `bootstrap` would give it, or `name`.
///
/// # Errors
/// When `name` names several, or a target that there is.
pub fn links_to_import(
    file: &ConfigFile,
    roles: impl IntoIterator<Item = (AccountId, RoleName)>,
    name: Option<&str>,
    access: &OperatorAccess,
) -> Result<Vec<Link>> {
    let mut links: Vec<Link> = Vec::new();
    for (account, role) in roles {
        let link = Link { role, ..Link::new(account)? };
        let taken: Vec<_> = links.iter().map(|link| link.name.clone()).collect();
        links.push(unused_name(link, file, &taken));
    }
    if let Some(name) = name {
        links = vec![under_name(links, name, file)?];
    }
    let of_this_person = |link: Link| {
        let profile = file.local.targets.get(&link.name).and_then(|own| own.profile.clone());
        link.way_in_by(profile).with_access(access)
    };
    Ok(links.into_iter().map(of_this_person).collect())
}

/// Returns the name of the target that has this role, or is moved to it or from it.
#[must_use]
pub fn target_with<'a>(file: &'a ConfigFile, account: &AccountId, role: &RoleName) -> Option<&'a str> {
    // IAM's names are unique case-insensitively.
    let is_it = |name: &str| name.eq_ignore_ascii_case(role.as_str());
    let has_it = |record: &Recorded| {
        is_it(record.role.as_ref().map_or(DEFAULT_ROLE_NAME, RoleName::as_str))
            || record.other_role.as_ref().is_some_and(|other| is_it(other.arn().name.as_str()))
    };
    let found = file.targets.iter().find(|(_, record)| record.account == *account && has_it(record));
    found.map(|(name, _)| name.as_str())
}

fn refuse_other_role(link: &Link, asked: Option<&RoleName>) -> Result<()> {
    match asked {
        Some(name) if *name != link.role => Err(Error::usage(format!(
            "target `{}` has role `{}`, and AWS cannot rename it to `{name}`",
            link.name, link.role
        ))
        .hint(format!("move the link to a new role: xacct move {} --role-name {name}", link.name))
        .hint(format!("or create a second one: --target-account {} --role-name {name}", link.account))),
        _ => Ok(()),
    }
}

/// Returns the one link that `--name` names: a new one, or the one that has the name already.
fn under_name(mut links: Vec<Link>, name: &str, file: &ConfigFile) -> Result<Link> {
    if let Some(known) = links.iter().position(|link| link.name == name) {
        return Ok(links.swap_remove(known));
    }
    if let Some((_, taken)) = named(file, name) {
        let path = file.path.display();
        return Err(Error::usage(format!("`{path}` has a target `{name}` already, in account {}", taken.account))
            .hint("use another name: --name NAME"));
    }
    let count = links.len();
    let (Some(link), true) = (links.pop(), count <= 1) else {
        return Err(Error::usage(format!("--name names one new target, but {count} targets are selected"))
            .hint("specify one account: xacct bootstrap ID --name NAME"));
    };
    if named(file, &link.name).is_some() {
        return Err(Error::usage(format!(
            "--name names a new target, but account {} is target `{}`",
            link.account, link.name
        ))
        .hint(format!("to rename it, change [targets.{}] to [targets.{name}] in `{}`", link.name, file.path.display()))
        .hint("or create a second role there: --role-name NAME"));
    }
    if AccountId::typed(name).is_ok_and(|account| account != link.account) {
        return Err(Error::usage(format!(
            "`{name}` is the ID of an account, but the target is account {}",
            link.account
        ))
        .hint("use a name such as `dev`"));
    }
    Ok(Link { name: name.to_owned(), ..link })
}

/// Gives a second role in one account a name that differs from the account ID, and from names that are `taken`, too.
fn unused_name(mut link: Link, file: &ConfigFile, taken: &[String]) -> Link {
    let taken = |name: &str| file.target(name).is_some() || taken.iter().any(|known| known == name);
    let mut number = 2;
    while taken(&link.name) {
        link.name = format!("{}-{number}", link.account);
        number += 1;
    }
    link
}

/// Returns all recorded links; none if the file does not exist.
///
/// # Errors
/// Never in practice: the default name of a role is fixed.
pub fn all_links(file: &ConfigFile) -> Result<Vec<Link>> {
    file.targets.iter().map(|(name, record)| Link::from_record(name, record, &file.source)).collect()
}

/// Returns the target that a text on the command line names. An account ID names a target of that name, in either form.
fn named<'a>(file: &'a ConfigFile, text: &str) -> Option<&'a (String, Recorded)> {
    let account = AccountId::typed(text).ok();
    let account = account.as_ref().map(AccountId::as_str);
    let find = |wanted: &str| file.targets.iter().find(|(name, _)| name == wanted);
    find(text).or_else(|| find(account?))
}

/// Returns the names of the targets that a text on the command line selects: the target of that name, otherwise all of
/// that account.
fn selected<'a>(file: &'a ConfigFile, text: &str) -> Vec<&'a str> {
    if let Some((name, _)) = named(file, text) {
        return vec![name];
    }
    let Ok(account) = AccountId::typed(text) else { return Vec::new() };
    let of_account = file.targets.iter().filter(|(_, record)| record.account == account);
    of_account.map(|(name, _)| name.as_str()).collect()
}

/// Returns the names of the targets that a text selects, or the text itself: the name of a target that was recorded once.
#[must_use]
pub fn names_or_text(file: &ConfigFile, text: &str) -> Vec<String> {
    let names = selected(file, text);
    if names.is_empty() { vec![text.to_owned()] } else { names.into_iter().map(str::to_owned).collect() }
}

/// Returns the targets on the command line, or the usual one if there are none.
///
/// # Errors
/// When the file has no such target.
pub fn wanted(file: &ConfigFile, typed: &[String], usual: Option<&str>) -> Result<Vec<String>> {
    match usual.filter(|_| typed.is_empty()) {
        Some(usual) if file.text.is_some() && !is_on_record(file, usual) => Err(no_target(file, usual)
            .note("the variable XACCT_TARGET names it")
            .hint("set XACCT_TARGET to one of these targets, or unset it")),
        Some(usual) => Ok(vec![usual.to_owned()]),
        None => Ok(typed.to_vec()),
    }
}

/// Returns the target that has the name or the account of a directory between `xacct.toml` and `directory`. The one nearest to
/// `directory` counts.
///
/// # Errors
/// When `directory` is not below `xacct.toml`, or no target fits.
pub fn of_directory(file: &ConfigFile, directory: &Path) -> Result<String> {
    let path = file.path.display();
    if file.text.is_none() {
        return Err(no_file(file).note("Terragrunt, for example, needs its absolute path: --config FILE"));
    }
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = real(directory);
    let absolute = directory.join(&file.path);
    let top = real(absolute.parent().unwrap_or(&absolute));
    let Ok(below) = directory.strip_prefix(&top) else {
        return Err(Error::usage(format!("the directory `{}` is not below that of `{path}`", directory.display()))
            .hint("specify the target by its name in xacct.toml"));
    };
    // Below this are copies of modules, whose directories the unit's owner did not name.
    let own: Vec<_> = below.iter().take_while(|name| *name != ".terragrunt-cache").filter_map(OsStr::to_str).collect();
    own.into_iter().rev().map(str::to_owned).find(|name| is_on_record(file, name)).ok_or_else(|| {
        let targets = some_of(file.targets.iter().map(|(name, _)| name));
        Error::usage(format!("no directory in `{}` is the name or account ID of a target in `{path}`", below.display()))
            .note(format!("its targets: {targets}"))
            .hint("specify the target, or rename the directory or the target")
    })
}

/// Refuses to remove everything unless that is said: a command that removes needs targets, or `--all`. The usual target is
/// only part of the advice.
///
/// # Errors
/// When it has neither, and the file has targets.
pub fn check_chosen(
    file: &ConfigFile,
    command: &'static str,
    typed: &[String],
    all: bool,
    usual: Option<&str>,
) -> Result<()> {
    let Some((first, _)) = file.targets.first().filter(|_| typed.is_empty() && !all) else { return Ok(()) };
    let usual = usual.filter(|usual| is_on_record(file, usual));
    let first = usual.unwrap_or(first);
    let path = file.path.display().to_string();
    let names = some_of(file.targets.iter().map(|(name, _)| name));
    let xacct = command.split(' ').fold(file.xacct(), |xacct, word| match word.starts_with('-') {
        true => xacct.flag(word),
        false => xacct.arg(word),
    });
    let error = Error::usage(format!("xacct {command} needs a target, or --all"))
        .note(format!("the targets in `{path}` are {names}"));
    let error = match usual {
        Some(_) => error.note("commands that delete or revoke ignore XACCT_TARGET"),
        None => error,
    };
    Err(error
        .hint(format!("for one target: {}", xacct.clone().arg(first)))
        .hint(format!("for all of them: {}", xacct.flag("--all"))))
}

/// Returns the error for a missing file, with the one of a parent directory, which xacct does not use by itself.
fn no_file(file: &ConfigFile) -> Error {
    let path = file.path.display();
    let is_usual = file.path.as_os_str() == "xacct.toml";
    let error = match is_usual {
        true => Error::usage("there is no xacct.toml here"),
        false => Error::usage(format!("file `{path}` does not exist")),
    };
    let directory = std::env::current_dir().ok().filter(|_| is_usual);
    let above = directory.iter().flat_map(|directory| directory.ancestors().skip(1).enumerate());
    let found = above.map(|(steps, folder)| (steps, folder.join(&file.path))).find(|(_, path)| path.is_file());
    match found {
        Some((steps, _)) => {
            let path = format!("{}xacct.toml", "../".repeat(steps + 1));
            error.hint(format!("use the file of a parent directory: --config {path}"))
        }
        None => error,
    }
}

fn no_target(file: &ConfigFile, text: &str) -> Error {
    let path = file.path.display();
    if file.text.is_none() {
        return no_file(file).note(format!("`{text}` must be defined there as a target"));
    }
    let names = some_of(file.targets.iter().map(|(name, _)| name));
    let error = Error::usage(format!("`{path}` has no target `{text}`"));
    if names.is_empty() { error } else { error.note(format!("its targets: {names}")) }
}

/// Returns the recorded links that these texts select; all of them if none is given. A name wins over an account ID: of
/// two roles in one account, the ID selects the target that it is the name of, if there is one.
///
/// # Errors
/// When the file has no targets, or not one that a text selects.
pub fn recorded_links(file: &ConfigFile, wanted: &[String], proof: Option<&ProofOptions>) -> Result<Vec<Link>> {
    let path = file.path.display();
    if file.text.is_none() {
        return Err(no_file(file)
            .hint("create a link first: xacct bootstrap ID --name NAME")
            .hint("or specify the path of the file: --config FILE"));
    }
    if file.targets.is_empty() {
        return Err(Error::usage(format!("`{path}` has no targets"))
            .hint("create a link first: xacct bootstrap ID --name NAME"));
    }
    let mut names = BTreeSet::new();
    for text in wanted {
        let selected = selected(file, text);
        if selected.is_empty() {
            return Err(no_target(file, text).hint("use one of these targets"));
        }
        names.extend(selected);
    }
    let chosen = file.targets.iter().filter(|(name, _)| wanted.is_empty() || names.contains(name.as_str()));
    chosen
        .map(|(name, record)| {
            let link = Link::from_record(name, record, &file.source)?;
            Ok(match proof {
                Some(proof) => link.with_proof_options(proof),
                None => link,
            })
        })
        .collect()
}

/// Returns the recorded links with these names, or all of them, and the names that are not recorded.
///
/// # Errors
/// When the file does not exist: more likely the directory is wrong than the links removed.
pub fn links_found(file: &ConfigFile, wanted: &[String], access: &OperatorAccess) -> Result<(Vec<Link>, Vec<String>)> {
    let (known, unknown): (Vec<_>, Vec<_>) = wanted.iter().cloned().partition(|text| is_on_record(file, text));
    if file.text.is_some() && (file.targets.is_empty() || (known.is_empty() && !unknown.is_empty())) {
        return Ok((Vec::new(), unknown));
    }
    let links = recorded_links(file, &known, None)?;
    Ok((links.into_iter().map(|link| link.with_access(access)).collect(), unknown))
}

/// Returns these links for a command that needs their external IDs.
///
/// # Errors
/// When the file keeps one of them elsewhere, and this machine does not have it.
pub fn with_external_ids(links: Vec<Link>, file: &ConfigFile) -> Result<Vec<Link>> {
    match links.iter().find(|link| link.external_id == ExternalIdChoice::Missing) {
        Some(link) => Err(file.no_external_id(&link.name)),
        None => Ok(links),
    }
}

/// Returns these links for a command that assumes their roles, or tells other tools how to.
///
/// # Errors
/// As [`with_external_ids`], or when no bootstrap could make one of them: it requires of its principals what they cannot have.
pub fn usable(links: Vec<Link>, file: &ConfigFile) -> Result<Vec<Link>> {
    for link in &links {
        link.check_principals()?;
        link.check_restriction()?;
    }
    with_external_ids(links, file)
}

/// Returns whether a text selects a target of the file.
pub fn is_on_record(file: &ConfigFile, text: &str) -> bool {
    !selected(file, text).is_empty()
}

/// Returns the links in whose accounts `sweep` searches for test buckets. The accounts need not be recorded.
///
/// # Errors
/// When there are none.
pub fn links_to_sweep(file: &ConfigFile, wanted: &[String], access: &OperatorAccess) -> Result<Vec<Link>> {
    let mut accounts = Vec::new();
    let mut names = wanted.to_vec();
    names.retain(|text| match AccountId::typed(text) {
        Ok(account) if !is_on_record(file, text) => {
            accounts.push(account);
            false
        }
        _ => true,
    });
    let known = if names.is_empty() && !accounts.is_empty() { Vec::new() } else { recorded_links(file, &names, None)? };
    let others = accounts.into_iter().map(Link::new).collect::<Result<Vec<_>>>()?;
    Ok(known.into_iter().chain(others).map(|link| link.with_access(access)).collect())
}

/// Returns a role that no target has as a link, which is entered like the targets in its account, or as the options say.
///
/// # Errors
/// Never in practice: the default name of a role is fixed.
pub fn link_to_orphan(file: &ConfigFile, role: &RoleArn, access: &OperatorAccess) -> Result<Link> {
    let new = Link::new(role.account.clone())?;
    let neighbour =
        all_links(file)?.into_iter().find(|link| link.account == role.account).unwrap_or_else(|| new.clone());
    let Link { way_in, region, .. } = neighbour;
    let (name, role, role_path) = (role.to_string(), role.name.clone(), role.path.clone());
    Ok(Link { name, role, role_path, way_in, region, ..new }.with_access(access))
}

/// Returns the recorded source, with the options.
///
/// # Errors
/// When they give different accounts.
pub fn recorded_source(file: &ConfigFile, access: &OperatorAccess) -> Result<Source> {
    let recorded = Source::from(&file.source);
    if let (Some(typed), Some(known)) = (&access.source_account, &recorded.account)
        && typed != known
    {
        return Err(Error::usage(format!("the source account is {known}, not {typed}"))
            .hint("omit --source-account, or use the file for the other account: --config FILE"));
    }
    Ok(Source {
        account: recorded.account.or_else(|| access.source_account.clone()),
        profile: access.profile.clone().or(recorded.profile),
        account_place: file.place_of_source("account"),
        ..recorded
    })
}

/// Returns whether `--only` includes this half.
#[must_use]
pub fn includes(only: Option<Half>, half: Half) -> bool {
    only.is_none_or(|only| only == half)
}
