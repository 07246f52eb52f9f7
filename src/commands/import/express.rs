//! Turns a role into the link that expresses it.

use super::wanted::Wanted;
use super::work::{Importing, Job};
use crate::cli::Probe;
use crate::config::{ExternalIdChoice, Link};
use crate::error::{Error, Kind, Result};
use crate::iam::admission::{Subject, names, of_trust};
use crate::iam::arn::{ManagedPolicy, PolicyArn, RoleArn};
use crate::iam::found_terms::FoundTerms;
use crate::iam::identity::{LINK_TAG, new_id};
use crate::iam::names::{MaxSessionDuration, Tag, TagValue};
use crate::iam::plan::Plan;
use crate::iam::policy::PolicyDocument;
use crate::iam::record::POLICIES_TAG;
use crate::iam::state::{BOUNDARY_TAG, FoundDocument, MANAGED_BY, OWN_POLICY_PREFIX, ObservedRole, SOURCE_TAG};
use crate::iam::templates::VERIFY_POLICY;
use crate::operations::accounts::{SourceSide, TargetSide, boundary_of};
use crate::operations::keep::Kept;
use crate::operations::run::Run;
use crate::operations::settle::{self, InlinePolicies, own_description};
use crate::proof::Foresight;
use crate::text::shell::ShellCommand;

/// The most tags that a link can declare.
const MOST_TAGS: usize = 45;

/// Returns the link that expresses this role.
///
/// # Errors
/// When there is no such role, or it is another, or its trust policy has what a link can neither express nor keep.
pub fn express(mut link: Link, wanted: &Wanted, side: TargetSide, source: &SourceSide, run: &Run<'_>) -> Result<Job> {
    let TargetSide { operator, observed, versions, .. } = side;
    let role = observed.ok_or_else(|| {
        Error::new(Kind::Refused, format!("account {} has no role `{}`", link.account, link.role))
            .hint("list its roles: aws iam list-roles --query 'Roles[].Arn'")
    })?;
    let arn = arn_of(&role, wanted)?;
    link.role_path = arn.path.clone();
    link.region.get_or_insert_with(|| operator.access.region.clone());
    refuse_other_source(&role, &link, source)?;
    let mut notes = Vec::new();
    let mut kept = Vec::new();
    if let Some(statements) = read_trust(&mut link, &role, source, run)? {
        notes.push(statements.to_string());
        statements.add_to(&mut link);
        kept.push(statements);
    }
    if !link.old_external_ids.is_empty() {
        notes.push("it accepts several external IDs: in xacct.toml, the first one must be the new one".to_owned());
    }
    read_settings(&mut link, &role, &mut notes);
    read_identity(&mut link, &role, source, &mut notes)?;
    let files = read_policies(&mut link, &role, &mut kept, &mut notes, run)?;
    link.check(Some(arn.partition))?;
    let desired = settle::role(&link, &source.account, &source.principals_of(&link), arn.partition, &files);
    let foresight = Foresight { desired, shown: Some(role), versions };
    let state = Importing { kept, foresight, notes, needs_adoption: link.id.is_none() };
    Ok(Job { role: arn, link, operator: Some(operator), plan: Plan::default(), result: Ok(()), state })
}

/// Returns the role's ARN, which has the path.
fn arn_of(role: &ObservedRole, wanted: &Wanted) -> Result<RoleArn> {
    let arn: RoleArn = role.arn.parse()?;
    match &wanted.arn {
        Some(wanted) if *wanted != arn => {
            Err(Error::new(Kind::Refused, format!("the role exists as `{arn}`, not as `{wanted}`"))
                .hint(format!("import it by that ARN: {}", ShellCommand::new("xacct").arg("import").arg(&arn))))
        }
        _ => Ok(arn),
    }
}

fn refuse_other_source(role: &ObservedRole, link: &Link, source: &SourceSide) -> Result<()> {
    match role.tags.get(SOURCE_TAG).filter(|_| role.is_ours()) {
        Some(owner) if *owner != source.account.as_str() => Err(Error::new(
            Kind::Refused,
            format!("role `{}` in account {} belongs to the link from source account {owner}", link.role, link.account),
        )
        .hint(format!("use the xacct.toml of account {owner}: --config FILE"))),
        _ => Ok(()),
    }
}

/// Reads the terms of the trust policy into the link. Returns the statements that the link does not express.
fn read_trust(link: &mut Link, role: &ObservedRole, source: &SourceSide, run: &Run<'_>) -> Result<Option<Kept>> {
    let name = format!("role `{}` in account {}", link.role, link.account);
    let refuse = |problem: String| Error::new(Kind::Refused, format!("cannot import {name}: {problem}"));
    let trust = match &role.trust {
        FoundDocument::Policy(document) => document,
        FoundDocument::Unparsed { problem, .. } => {
            return Err(refuse(format!("its trust policy: {problem}")).hint("repair the trust policy"));
        }
    };
    let whose: Vec<_> = source.grantees_of(link).map(|grantee| grantee.arn.in_words().replace('`', "")).collect();
    let whose = whose.join(" or ");
    let Some(terms) = FoundTerms::of(trust, &source.principals_of(link)) else {
        let arn: RoleArn = role.arn.parse()?;
        let subject = Subject { source: Some(&source.account), tags: Some(&role.tags), ..Subject::from(&arn) };
        let admitted = names(&of_trust(trust, subject));
        let admits = if admitted.is_empty() { "nobody".to_owned() } else { admitted };
        return Err(refuse(format!(
            "no statement of its trust policy names account {} or {whose} as principal",
            source.account
        ))
        .note(format!("it admits {admits}"))
        .hint("add such a statement, or specify the user who may assume the role: --user NAME"));
    };
    if !terms.inexpressible.is_empty() {
        let parts = terms.inexpressible.join(" and ");
        return Err(refuse(format!("the statement that admits {whose} has {parts}, which xacct.toml cannot express"))
            .hint(remedy(&terms)));
    }
    let mut ids = terms.external_ids.into_iter();
    link.external_id = ids.next().map_or(ExternalIdChoice::None, ExternalIdChoice::Use);
    link.old_external_ids = ids.collect();
    link.require_mfa = terms.require_mfa;
    link.restrict_to_user = terms.is_restricted;
    link.allow_session_tags = terms.session_tags;
    Kept::of_statements(terms.others, link, run)
}

/// Returns what makes the statement one that a link can express.
fn remedy(terms: &FoundTerms) -> &'static str {
    let is_about = |what: &str| terms.inexpressible.iter().all(|part| part.to_ascii_lowercase().contains(what));
    if terms.only_other.is_some() {
        "add a statement for this user, or specify the user whom the role admits: --user NAME"
    } else if is_about("multifactorauthpresent") {
        "require MFA with \"Bool\": { \"aws:MultiFactorAuthPresent\": \"true\" }"
    } else if is_about("sts:externalid") {
        "require the external ID with StringEquals, without wildcards"
    } else if is_about("action\":") {
        "use the action sts:AssumeRole"
    } else {
        "move the condition to a Deny statement with the opposite condition, which xacct keeps"
    }
}

fn read_settings(link: &mut Link, role: &ObservedRole, notes: &mut Vec<String>) {
    link.max_session_duration = MaxSessionDuration::from_secs(role.max_session).unwrap_or(link.max_session_duration);
    link.permissions_boundary = boundary_of(link, Some(role));
    link.description = own_description(role);
    if link.description.is_none() && !role.description.starts_with("Lets ") {
        notes.push("xacct.toml cannot hold its description, so bootstrap replaces it".to_owned());
    }
    let own = [MANAGED_BY.0, SOURCE_TAG, LINK_TAG, BOUNDARY_TAG, POLICIES_TAG];
    let others = role.tags.iter().filter(|(key, _)| !own.iter().any(|own| own.eq_ignore_ascii_case(key)));
    let (tags, unusable): (Vec<_>, Vec<_>) = others.partition(|(key, value)| tag(key, value).is_some());
    let (tags, left) = match tags.len() > MOST_TAGS {
        true => (Vec::new(), tags.into_iter().chain(unusable).collect()),
        false => (tags, unusable),
    };
    link.tags = tags.into_iter().filter_map(|(key, value)| tag(key, value)).collect();
    if !left.is_empty() {
        let keys: Vec<_> = left.iter().map(|(key, _)| key.as_str()).collect();
        notes.push(format!("xacct.toml does not declare these tags, which stay: {}", keys.join(", ")));
    }
    if let Some(value) = role.tags.get(MANAGED_BY.0).filter(|_| !role.is_ours()) {
        notes.push(format!("bootstrap --adopt replaces the tag managed-by={value} with managed-by=xacct"));
    }
}

/// Returns the tag, if a link can declare it.
fn tag(key: &str, value: &str) -> Option<Tag> {
    Some(Tag { key: key.parse().ok()?, value: value.parse().ok()? })
}

/// Records the ID of the link, by which `bootstrap` knows a role of xacct's again.
fn read_identity(link: &mut Link, role: &ObservedRole, source: &SourceSide, notes: &mut Vec<String>) -> Result<()> {
    let Some(tag) = role.tags.get(LINK_TAG).filter(|_| role.is_ours()) else { return Ok(()) };
    match tag.parse() {
        Ok(id) if is_of_link(&id, link, source)? => link.id = Some(id),
        _ => notes.push(format!("it belongs to another link ({LINK_TAG}={tag}); bootstrap --adopt takes it over")),
    }
    Ok(())
}

/// Returns whether a new link for one of these principals has this ID.
fn is_of_link(id: &TagValue, link: &Link, source: &SourceSide) -> Result<bool> {
    for principal in source.references_of(link) {
        if new_id(&source.account, &principal)? == *id {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the policies into the link. Returns those that it declares as files.
fn read_policies(
    link: &mut Link,
    role: &ObservedRole,
    kept: &mut Vec<Kept>,
    notes: &mut Vec<String>,
    run: &Run<'_>,
) -> Result<InlinePolicies> {
    let mut files = InlinePolicies::new();
    for attached in &role.attachments {
        match attached.parse::<PolicyArn>() {
            Ok(arn) => link.policy_arns.push(ManagedPolicy::from(arn)),
            Err(_) => notes.push(format!("xacct.toml cannot name {attached}, which stays attached")),
        }
    }
    for (name, document) in &role.inline {
        let document = document.as_ref();
        if document.is_some_and(|found| found.revoked_before().is_some()) {
            notes.push(format!("inline policy {name} revokes sessions, and stays"));
        } else if !name.starts_with(OWN_POLICY_PREFIX) {
            notes.push(format!("xacct.toml cannot declare inline policy {name}, which stays"));
        } else if name != VERIFY_POLICY {
            let document = declared(name, document, link)?;
            let policy = Kept::of_policy(name, document.clone(), link, run)?;
            files.insert(name.parse()?, document);
            link.policy_files.push(policy.path.clone());
            kept.push(policy);
        }
    }
    let has_others = !link.policy_arns.is_empty() || !link.policy_files.is_empty();
    match (role.inline.contains_key(VERIFY_POLICY), has_others) {
        // Without this, bootstrap would remove the policy.
        (true, true) => link.probe = Probe::Bucket,
        (false, false) => notes.push(format!(
            "bootstrap adds policy {VERIFY_POLICY}, because the role has no policy that xacct.toml declares"
        )),
        _ => {}
    }
    Ok(files)
}

/// Returns a policy with a name of xacct's, which bootstrap would delete if no file declared it.
fn declared(name: &str, document: Option<&FoundDocument>, link: &Link) -> Result<PolicyDocument> {
    let problem = match document {
        Some(FoundDocument::Policy(document)) => return Ok(document.clone()),
        Some(FoundDocument::Unparsed { problem, .. }) => problem.to_string(),
        None => "AWS denied reading it".to_owned(),
    };
    Err(Error::new(
        Kind::Refused,
        format!("cannot import role `{}` in account {}: policy {name}: {problem}", link.role, link.account),
    )
    .hint("repair the policy, or rename it: bootstrap manages policies whose names begin with xacct-"))
}
