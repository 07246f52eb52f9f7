//! Turns a link from `xacct.toml` and the options into the desired role and grant, whether they are created or printed.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::Probe;
use crate::config::{self, ConfigFile, ExternalIdChoice, GrantSettings, Link};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{ManagedPolicy, Partition, PrincipalArn, RoleArn};
use crate::iam::found_terms::FoundTerms;
use crate::iam::identity::{Identity, new_id};
use crate::iam::names::{AccountId, Description, ExternalId, MaxSessionDuration, PolicyName};
use crate::iam::organization_grant::OrganizationGrant;
use crate::iam::orphans::Named;
use crate::iam::policy::PolicyDocument;
use crate::iam::risks::Risk;
use crate::iam::state::{DEFAULT_ROLE_POLICIES_QUOTA, DesiredGrant, DesiredRole, ObservedPrincipal, ObservedRole};
use crate::iam::templates::{self, GRANT_POLICY, TrustTerms, VERIFY_POLICY};
use crate::iam::trust_statements;
use crate::operations::accounts::{Grantee, SourceSide, TargetSide, boundary_of};
use crate::operations::run::Run;

/// The most members of a group that a message names.
const MOST_MEMBERS: usize = 10;

/// Inline policies of a role, by name.
pub type InlinePolicies = BTreeMap<PolicyName, PolicyDocument>;

/// Returns the desired role of the link.
pub fn role(
    link: &Link,
    source: &AccountId,
    principals: &BTreeSet<PrincipalArn>,
    partition: Partition,
    files: &InlinePolicies,
) -> DesiredRole {
    let usual_description = || usual_description(principals, source);
    let terms = TrustTerms {
        partition,
        source: source.clone(),
        external_ids: link.external_ids().cloned().collect(),
        require_mfa: link.require_mfa,
        only: if link.restrict_to_user { principals.clone() } else { BTreeSet::new() },
        session_tags: link.allow_session_tags,
    };
    let mut inline = files.clone();
    let has_others = !link.policy_arns.is_empty() || !inline.is_empty();
    if (link.probe == Probe::Bucket || !has_others)
        && let Ok(name) = VERIFY_POLICY.parse()
    {
        inline.insert(name, templates::verify_bucket(partition));
    }
    let resolved =
        |policies: &[ManagedPolicy]| policies.iter().map(|policy| policy.resolve(partition)).collect::<BTreeSet<_>>();
    let attachments = resolved(&link.policy_arns);
    DesiredRole {
        arn: link.role_arn(partition),
        source: source.clone(),
        identity: Identity { id: link.id.clone(), ..Identity::default() },
        description: link.description.as_ref().map_or_else(usual_description, ToString::to_string),
        max_session: link.max_session_duration,
        boundary: link.permissions_boundary.as_ref().map(|policy| policy.resolve(partition)),
        boundary_version: None,
        tags: link.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
        trust: templates::trust_with(&terms, &link.trust_statements),
        replaced: resolved(&link.policy_arns_on_record).difference(&attachments).cloned().collect(),
        attachments,
        inline,
        exclusive: link.exclusive,
        accepted: link.accept.clone(),
        rotates_to: link.external_id.known().filter(|_| link.begins_rotation).cloned(),
        gives_to: link
            .gives_to
            .as_ref()
            .and_then(|new| principals.iter().find(|principal| principal.reference().label() == new.label()).cloned()),
    }
}

/// Returns the desired grant of all these links: they share one policy on the principal.
///
/// # Errors
/// Never in practice: the policy's name is fixed.
pub fn grant<'a>(
    principal: &PrincipalArn,
    settings: &GrantSettings,
    links: impl Iterator<Item = (&'a Link, RoleArn)>,
) -> Result<DesiredGrant> {
    let mut roles = BTreeSet::new();
    let mut with_session_tags = BTreeSet::new();
    for (link, role) in links {
        if link.allow_session_tags {
            with_session_tags.insert(role.clone());
        }
        roles.insert(role);
    }
    Ok(DesiredGrant {
        principal: principal.clone(),
        policy_name: GRANT_POLICY.parse()?,
        declared: roles.clone(),
        own: roles.clone(),
        roles,
        with_session_tags,
        is_referenced: settings.is_referenced(&principal.reference()),
        organization: settings.organization_of(&principal.reference()).cloned(),
    })
}

/// Returns the desired grant of these links, which the other links of the file share.
///
/// # Errors
/// Never in practice, as for [`grant`].
pub fn grant_beside<'a>(
    file: &ConfigFile,
    source: &SourceSide,
    grantee: &Grantee,
    links: impl Iterator<Item = (&'a Link, RoleArn)>,
) -> Result<DesiredGrant> {
    let mut desired = grant(&grantee.arn, &source.grant, links)?;
    let recorded = config::all_links(file)?;
    desired.declared.extend(recorded.iter().flat_map(|link| roles_of(link, grantee.arn.partition())));
    desired.own.extend(recorded_roles(&recorded, source, grantee));
    Ok(desired)
}

/// Returns the roles of a link: two while it is moved.
fn roles_of(link: &Link, partition: Partition) -> impl Iterator<Item = RoleArn> {
    let other = link.other_role.as_ref().map(|other| other.arn().clone());
    [link.role_arn(partition)].into_iter().chain(other)
}

/// Returns the roles that recorded links give to a principal.
pub fn recorded_roles(recorded: &[Link], source: &SourceSide, grantee: &Grantee) -> BTreeSet<RoleArn> {
    let partition = grantee.arn.partition();
    let links = recorded.iter().flat_map(|link| roles_of(link, partition).map(move |role| (link, role)));
    source.links_of(grantee, links).into_iter().map(|(_, role)| role).collect()
}

/// Returns what the `xacct.toml` files name; nothing if no principal has a grant for an organization, the only one on which
/// other links depend.
///
/// # Errors
/// When one of `other_files` cannot be used.
pub fn named_beside<'a>(run: &Run<'_>, grantees: impl IntoIterator<Item = &'a Grantee>) -> Result<Named> {
    let any = grantees.into_iter().any(|grantee| {
        let own = grantee.observed.iter().flat_map(ObservedPrincipal::policies);
        let of_set = grantee.set.iter().flat_map(|set| &set.roles).filter_map(|role| role.inline.as_ref()?.policy());
        own.chain(of_set).any(|policy| OrganizationGrant::of(policy).is_some())
    });
    if any { run.file.named(run.context) } else { Ok(Named::default()) }
}

/// Reads the inline policies of each link, by the link's name.
///
/// # Errors
/// When a file cannot be read or used, or they exceed the quota together.
pub fn read_policy_files(links: &[Link], run: &Run<'_>) -> Result<BTreeMap<String, InlinePolicies>> {
    let base = run.file.folder(run.context);
    let mut files = BTreeMap::new();
    for link in links {
        let mut own = BTreeMap::new();
        for path in &link.policy_files {
            let (name, document) = config::read_policy_file(&base, path)?;
            if own.insert(name.clone(), document).is_some() {
                return Err(Error::usage(format!("two policy files of target `{}` have the name `{name}`", link.name))
                    .hint("rename one of them"));
            }
        }
        let size: usize = own.values().map(PolicyDocument::size).sum();
        if size > DEFAULT_ROLE_POLICIES_QUOTA {
            let limit = format!(
                "a role's inline policies may have at most {DEFAULT_ROLE_POLICIES_QUOTA}, not counting whitespace"
            );
            return Err(Error::usage(format!(
                "the policy files of target `{}` have {size} characters, but {limit}",
                link.name
            ))
            .hint("move the larger files to a managed policy and attach it: --policy-arn ARN"));
        }
        files.insert(link.name.clone(), own);
    }
    Ok(files)
}

/// Reads the files with further statements of the trust policies into the links.
///
/// # Errors
/// When a file cannot be read or used, or two files of a link have statements with the same `Sid`.
pub fn read_trust_statements(links: &mut [Link], run: &Run<'_>) -> Result<()> {
    let base = run.file.folder(run.context);
    for link in links {
        let mut statements = Vec::new();
        for path in &link.trust_statement_files {
            statements.extend(config::read_trust_statements(&base, path)?.statements);
        }
        link.trust_statements = PolicyDocument::of(statements);
        trust_statements::check(&link.trust_statements).map_err(|error| {
            Error::usage(format!("the trust statement files of target `{}` together: {error}", link.name))
                .hint(error.fix)
        })?;
    }
    Ok(())
}

/// How the link knows its role again: to be asked before it takes anything from the role that was found.
///
/// # Errors
/// Never in practice: an ID is a tag's value.
pub fn identity(link: &Link, source: &SourceSide) -> Result<Identity> {
    let first = source.references_of(link).into_iter().next();
    let first = first.ok_or_else(|| Error::new(Kind::Internal, format!("target `{}` has no principal", link.name)))?;
    let id = link.id.clone().map_or_else(|| new_id(&source.account, &first), Ok)?;
    let on_record = link.external_ids_on_record.as_ref();
    Ok(Identity {
        id: Some(id),
        is_without_external_id: on_record.is_some_and(Vec::is_empty),
        external_ids: on_record.into_iter().flatten().chain(link.external_ids()).cloned().collect(),
        principals: source.principals_of(link),
    })
}

/// Settles what depends on the existing role. Returns the conditions of its trust policy that no link can express, and
/// that a new link therefore does not keep.
///
/// # Errors
/// When the role is restricted to another user and no setting changes that, or the system has no random bytes.
pub fn complete(
    link: &mut Link,
    source: &SourceSide,
    observed: Option<&ObservedRole>,
    context: &Context,
) -> Result<Vec<Risk>> {
    let keeps = link.keeps;
    let trust = observed.and_then(|role| role.trust.policy());
    let terms = trust.and_then(|trust| FoundTerms::of(trust, &source.principals_of(link)));
    if let Some(terms) = &terms {
        link.require_mfa |= keeps.mfa && terms.require_mfa;
        link.restrict_to_user |= keeps.user && terms.is_restricted;
        link.allow_session_tags |= keeps.session_tags && terms.session_tags;
        if keeps.user
            && !link.restrict_to_user
            && let Some(other) = &terms.only_other
        {
            return Err(Error::new(
                Kind::Refused,
                format!("role `{}` in account {} trusts only `{other}`", link.role, link.account),
            )
            .hint("create another role for this link: --role-name NAME")
            .hint("or trust every principal that the source account allows: --restrict-to-user=false"));
        }
    }
    refuse_restricted_group(link, source)?;
    link.permissions_boundary = boundary_of(link, observed);
    if let Some(role) = observed {
        let found = MaxSessionDuration::from_secs(role.max_session).ok().filter(|_| keeps.duration);
        link.max_session_duration = found.unwrap_or(link.max_session_duration);
        if keeps.description {
            link.description = own_description(role);
        }
    }
    // Those on record are no new ones.
    let found = terms.iter().flat_map(|terms| terms.external_ids.clone());
    let mut found: Vec<_> = found.filter(|id| !link.old_external_ids.contains(id)).collect();
    let is_new_to_the_file = link.external_ids_on_record.is_none();
    if let Some(at) = found.iter().position(|id| link.external_id.known() == Some(id)).filter(|_| is_new_to_the_file) {
        // A rotation is under way that another file records.
        found.remove(at);
        link.old_external_ids.append(&mut found);
    }
    let is_unordered = link.external_id == ExternalIdChoice::AsFound && found.len() > 1;
    let mut found = found.into_iter();
    link.external_id = match (&link.external_id, found.next()) {
        (ExternalIdChoice::Generate | ExternalIdChoice::AsFound, Some(first)) => {
            link.old_external_ids.extend(found);
            ExternalIdChoice::Use(first)
        }
        (ExternalIdChoice::Generate, None) => {
            let mut bytes = [0; ExternalId::RANDOM_BYTES];
            (context.random)(&mut bytes)
                .map_err(|error| Error::new(Kind::Internal, format!("cannot get random bytes: {error}")))?;
            ExternalIdChoice::Use(ExternalId::from_random_bytes(&bytes))
        }
        (ExternalIdChoice::AsFound, None) => ExternalIdChoice::None,
        (settled, _) => settled.clone(),
    };
    let lost = terms.filter(|_| is_new_to_the_file).map(|terms| terms.inexpressible).unwrap_or_default();
    let lost = lost.into_iter().map(|condition| Risk::NotKept { condition });
    let unordered = is_unordered.then(|| Risk::SeveralExternalIds { first: link.external_id.known().cloned() });
    Ok(lost.chain(unordered).collect())
}

/// Refuses to restrict a role to a group: no trust policy can name one.
fn refuse_restricted_group(link: &Link, source: &SourceSide) -> Result<()> {
    let is_group = |grantee: &&Grantee| matches!(grantee.arn, PrincipalArn::Group(_));
    let Some(group) = source.grantees_of(link).find(is_group).filter(|_| link.restrict_to_user) else {
        return Ok(());
    };
    let error = link.restricted_to(&group.arn.reference());
    let members: Vec<_> = group.members.iter().take(MOST_MEMBERS).map(|name| format!("\"user/{name}\"")).collect();
    let more = if group.members.len() > MOST_MEMBERS { ", …" } else { "" };
    Err(match members.is_empty() {
        true => error.hint("or name its members instead of the group"),
        false => {
            error.hint(format!("or name its members instead of the group: principals = [{}{more}]", members.join(", ")))
        }
    })
}

/// Returns the description that xacct writes.
fn usual_description(principals: &BTreeSet<PrincipalArn>, account: &AccountId) -> String {
    let labels: Vec<_> = principals.iter().map(|principal| principal.reference().label()).collect();
    format!("Lets {} of account {account} work in this account", labels.join(", "))
}

/// Returns the description of a role, unless xacct wrote it, or cannot record it.
#[must_use]
pub fn own_description(role: &ObservedRole) -> Option<Description> {
    let is_usual = role.description.starts_with("Lets ") && role.description.ends_with(" work in this account");
    role.description.parse().ok().filter(|_| !is_usual)
}

/// Returns the partition of both accounts.
#[must_use]
pub fn partition(source: &SourceSide, target: Option<&TargetSide>) -> Partition {
    let of_target = target.and_then(|target| target.operator.caller.arn.partition());
    of_target.unwrap_or(source.partition)
}
