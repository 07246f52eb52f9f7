//! The source account: its operator, and the principals with a grant.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::operator::{Operator, refuse_root};
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::iam::observe::{self, FoundPrincipal, GrantPolicies};
use crate::aws::iam::read;
use crate::aws::sts;
use crate::config::{GrantSettings, Link, Source, WayIn};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{
    CallerArn, GroupRef, Partition, PrincipalArn, PrincipalRef, RESERVED_PATH, RoleArn, RoleRef, UserArn, UserRef,
    set_of_role,
};
use crate::iam::grant_names::{grant_part_arn, grant_part_name};
use crate::iam::names::{AccountId, PermissionSetName, PolicyName};
use crate::iam::permission_set::ObservedPermissionSet;
use crate::iam::state::{ManagedPolicies, ObservedPrincipal, Quota, Reading};
use crate::iam::templates::GRANT_POLICY;

/// The observed state of the source account.
#[derive(Debug, Clone)]
pub struct SourceSide {
    /// `None` when only the half in the target account is changed.
    pub operator: Option<Operator>,
    pub account: AccountId,
    pub partition: Partition,
    /// The principals that have, or had, a grant: those of all links.
    pub grantees: Vec<Grantee>,
    /// How they get the grant.
    pub grant: GrantSettings,
}

/// A principal that has, or had, a grant.
#[derive(Debug, Clone)]
pub struct Grantee {
    pub arn: PrincipalArn,
    /// The names of the users in a group.
    pub members: Vec<String>,
    /// Its policies; `None` if they are not read, or it does not exist. Those of a permission set are read only if its grant
    /// is a managed policy, or goes.
    pub observed: Option<ObservedPrincipal>,
    /// The roles of a permission set; `None` if they are not read, there are none, or it is no permission set.
    pub set: Option<ObservedPermissionSet>,
    pub standing: Standing,
}

/// Which links a principal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Those that name no principals of their own.
    Default,
    /// Those that name it.
    Own,
    /// None anymore.
    Leaving,
}

impl Grantee {
    /// Returns whether the caller is this principal, a session of it, or a member of it.
    pub fn is(&self, caller: &CallerArn) -> bool {
        let is_member = match (&self.arn, caller.user()) {
            (PrincipalArn::Group(_), Some(user)) => self.members.iter().any(|member| member == user.name.as_str()),
            _ => true,
        };
        is_member && self.arn.is(caller)
    }
}

impl SourceSide {
    /// Returns the principals that have links after this run, too.
    pub fn staying(&self) -> impl Iterator<Item = &Grantee> {
        self.grantees.iter().filter(|grantee| grantee.standing != Standing::Leaving)
    }

    /// Returns the principal whose grant goes.
    pub fn leaving(&self) -> impl Iterator<Item = &Grantee> {
        self.grantees.iter().filter(|grantee| grantee.standing == Standing::Leaving)
    }

    /// Returns the principals of a link that have, or had, the grant.
    pub fn grantees_of<'a>(&'a self, link: &'a Link) -> impl Iterator<Item = &'a Grantee> {
        self.staying().filter(move |grantee| match link.has_own_principals {
            false => grantee.standing == Standing::Default,
            true => link.principals.iter().any(|own| own.is_same(&grantee.arn.reference())),
        })
    }

    /// Returns those of these links, with their roles, that a principal is to have.
    pub fn links_of<'a>(
        &self,
        grantee: &Grantee,
        links: impl Iterator<Item = (&'a Link, RoleArn)>,
    ) -> Vec<(&'a Link, RoleArn)> {
        links.filter(|(link, _)| self.grantees_of(link).any(|own| own.arn == grantee.arn)).collect()
    }

    /// Returns the principals of a link.
    pub fn principals_of(&self, link: &Link) -> BTreeSet<PrincipalArn> {
        self.grantees_of(link).map(|grantee| grantee.arn.clone()).collect()
    }

    /// Returns the user, if the links are for one user alone.
    pub fn the_user(&self) -> Option<&UserArn> {
        let mut all = self.staying();
        match (all.next(), all.next()) {
            (Some(one), None) => one.arn.user(),
            _ => None,
        }
    }

    /// Returns all principals, for a table or a sentence.
    pub fn labels(&self) -> String {
        labels(self.staying().map(|grantee| grantee.arn.reference()))
    }

    /// Returns the principals of a link, for a table or a sentence.
    pub fn labels_of(&self, link: &Link) -> String {
        labels(self.grantees_of(link).map(|grantee| grantee.arn.reference()))
    }

    /// Returns a link's principals as typed, which identify a new link.
    pub fn references_of(&self, link: &Link) -> Vec<PrincipalRef> {
        self.grantees_of(link).map(|grantee| grantee.arn.reference()).collect()
    }
}

/// Returns principals for a table or a sentence.
pub fn labels(principals: impl IntoIterator<Item = PrincipalRef>) -> String {
    principals.into_iter().map(|principal| principal.label()).collect::<Vec<_>>().join(", ")
}

/// Returns the source operator's access; sends no request yet.
///
/// # Errors
/// When there are none.
pub async fn source_access(connections: &Connections, source: &Source) -> Result<Access> {
    let of_account = || connections.profiles().of_unnamed(source.account.as_ref()?);
    let profile = source.profile.as_deref().or_else(of_account);
    connections.access(profile).await.map_err(|error| error.context("source account"))
}

/// Returns the source operator's access if that operator enters a target of these links.
///
/// # Errors
/// As [`source_access`].
pub async fn source_access_to_enter(
    connections: &Connections,
    links: &[Link],
    source: &Source,
) -> Result<Option<Access>> {
    match links.iter().any(|link| matches!(link.way_in, WayIn::EnterRole(_))) {
        true => source_access(connections, source).await.map(Some),
        false => Ok(None),
    }
}

/// Reads the principals of these links, which are to get the grant.
///
/// # Errors
/// When the credentials belong to the wrong account or to the root user, a principal does not exist, or its policies
/// cannot be read.
pub async fn source_side(access: &Access, source: &Source, links: &[Link]) -> Result<SourceSide> {
    let (operator, found) = find_principals(access, source, links, false).await?;
    let account = operator.caller.account.clone();
    let partition = operator.caller.arn.partition().unwrap_or(access.partition());
    let mut grantees = Vec::new();
    for found in found {
        grantees.push(match found.standing {
            Standing::Leaving => to_remove(found, &operator, partition)?,
            Standing::Default | Standing::Own => to_grant(found, &operator, partition)?,
        });
    }
    Ok(SourceSide { operator: Some(operator), account, partition, grantees, grant: source.grant.clone() })
}

/// Reads the principals whose grants are to be removed. One that does not exist has no grant.
///
/// # Errors
/// As [`source_side`], except that the principals may be absent.
pub async fn source_side_to_remove(access: &Access, source: &Source, links: &[Link]) -> Result<SourceSide> {
    let (operator, found) = find_principals(access, source, links, true).await?;
    let account = operator.caller.account.clone();
    let partition = operator.caller.arn.partition().unwrap_or(access.partition());
    let mut grantees = Vec::new();
    for found in found {
        grantees.push(to_remove(found, &operator, partition)?);
    }
    Ok(SourceSide { operator: Some(operator), account, partition, grantees, grant: source.grant.clone() })
}

/// Returns a principal that is to get the grant.
fn to_grant(found: Found, operator: &Operator, partition: Partition) -> Result<Grantee> {
    let Found { wanted, standing, found } = found;
    let absent = || absent(&wanted, &operator.caller.account);
    let (found, policies) = match found {
        FoundGrant::InIam(both) => *both,
        FoundGrant::OfSet(set, policy) => {
            let set = operator.readable(set)?.ok_or_else(absent)?;
            let arn = wanted.at_root(partition, &operator.caller.account);
            let observed = policy.map(|policy| policy_of_set(&arn, Some(&set), policy));
            return Ok(Grantee { arn, members: Vec::new(), observed, set: Some(set), standing });
        }
    };
    let FoundPrincipal { arn, members } = operator.readable(found)?.ok_or_else(absent)?;
    if let Some(error) = other_path(&wanted, &arn) {
        let option =
            if wanted.user().is_some() { format!("--user {arn}") } else { format!("--principal {}", arn.reference()) };
        return Err(error.hint(format!("use {option}")));
    }
    let policies = operator.readable(policies)?.ok_or_else(absent)?;
    Ok(Grantee { observed: Some(policies.of(arn.clone())), arn, members, set: None, standing })
}

/// Returns a principal that is to lose the grant, and may be absent.
fn to_remove(found: Found, operator: &Operator, partition: Partition) -> Result<Grantee> {
    let Found { wanted, standing, found } = found;
    let (found, policies) = match found {
        FoundGrant::InIam(both) => *both,
        FoundGrant::OfSet(set, policy) => {
            let set = operator.readable(set)?;
            let arn = wanted.at_root(partition, &operator.caller.account);
            let observed = policy.map(|policy| policy_of_set(&arn, set.as_ref(), policy));
            return Ok(Grantee { arn, members: Vec::new(), observed, set, standing });
        }
    };
    let (arn, observed) = match (operator.readable(found)?, operator.readable(policies)?) {
        (Some(FoundPrincipal { arn, .. }), Some(policies)) => (arn.clone(), Some(policies.of(arn))),
        _ => (wanted.at_root(partition, &operator.caller.account), None),
    };
    Ok(Grantee { arn, members: Vec::new(), observed, set: None, standing })
}

fn absent(principal: &PrincipalRef, account: &AccountId) -> Error {
    let error = Error::new(Kind::Refused, format!("account {account} has no {}", principal.in_words()));
    match principal {
        PrincipalRef::User(_) => error.hint("list the users: aws iam list-users --query 'Users[].UserName'"),
        PrincipalRef::Group(_) => error.hint("list the groups: aws iam list-groups --query 'Groups[].GroupName'"),
        PrincipalRef::Role(_) => error.hint("list the roles: aws iam list-roles --query 'Roles[].Arn'"),
        PrincipalRef::PermissionSet(_) => Error::new(
            Kind::Refused,
            format!("account {account} has no role of {}", principal.in_words()),
        )
        .hint(format!(
            "assign the permission set to account {account} in IAM Identity Center, then run the command again"
        ))
        .hint(format!(
            "list those that are assigned: aws iam list-roles --path-prefix {RESERVED_PATH} --query 'Roles[].RoleName'"
        )),
    }
}

/// Returns the error of a principal with another path than the one in its ARN, or in `role/PATH/NAME`; `None` if it has this
/// one.
pub fn other_path(wanted: &PrincipalRef, found: &PrincipalArn) -> Option<Error> {
    let has_other_path = match (wanted, found) {
        (PrincipalRef::User(UserRef::Name(_)) | PrincipalRef::Group(GroupRef::Name(_)), _) => false,
        (PrincipalRef::Role(RoleRef::Name { path, .. }), PrincipalArn::Role(role)) => role.path != *path,
        _ => wanted.to_string() != found.to_string(),
    };
    let what = match wanted {
        PrincipalRef::User(_) => format!("the user's ARN is `{found}`, not `{wanted}`"),
        _ => format!("the {}'s ARN is `{found}`, which is not `{wanted}`", found.kind()),
    };
    has_other_path.then(|| Error::new(Kind::Refused, what))
}

/// A principal as AWS reports it.
struct Found {
    wanted: PrincipalRef,
    standing: Standing,
    found: FoundGrant,
}

/// A principal and its grant, wherever that is.
enum FoundGrant {
    /// In a policy of the principal.
    InIam(Box<(Reading<FoundPrincipal>, Reading<GrantPolicies>)>),
    /// In a permission set, which the roles of the account show, or in a managed policy to which the set refers.
    OfSet(Reading<ObservedPermissionSet>, Option<ManagedPolicies>),
}

/// Returns the managed policy with the grant of a permission set. It counts as attached while a role of the set has it.
fn policy_of_set(
    arn: &PrincipalArn,
    set: Option<&ObservedPermissionSet>,
    mut managed: ManagedPolicies,
) -> ObservedPrincipal {
    for (number, part) in &mut managed.parts {
        let policy = grant_part_arn(arn, &grant_part_name(arn, *number));
        part.is_attached = set.is_some_and(|set| set.roles.iter().any(|role| role.policies.contains(&policy)));
    }
    // xacct writes no inline policy of a set.
    let quota = Quota { most: 0, is_read: true };
    ObservedPrincipal { arn: arn.clone(), grant: None, other_policies_size: Some(0), quota, managed: Some(managed) }
}

/// Reads the managed policy with the grant of a permission set, if it is to have or to lose one.
///
/// # Errors
/// When a read fails, or one that the grant needs is denied.
async fn read_policy_of_set(
    access: &Access,
    set: &PermissionSetName,
    is_wanted: bool,
    is_removed: bool,
) -> Result<Option<ManagedPolicies>> {
    if !is_wanted && !is_removed {
        return Ok(None);
    }
    let found = observe::set_policy(access, set).await?;
    match found {
        None if is_wanted => Err(Error::new(
            Kind::Refused,
            format!("cannot read the managed policy with the grant of permission set `{set}`"),
        )
        .hint("allow iam:ListPolicies and iam:GetPolicyVersion to the operator of the source account")
        .hint("print the operator's policy: xacct print policies")),
        found => Ok(found),
    }
}

/// Identifies the operator and reads the principals of these links, concurrently if they are named. `removes` says that they
/// lose the grant.
async fn find_principals(
    access: &Access,
    source: &Source,
    links: &[Link],
    removes: bool,
) -> Result<(Operator, Vec<Found>)> {
    let read = async |wanted: Vec<(PrincipalRef, Standing)>| {
        let found = wanted.into_iter().map(async |(wanted, standing)| {
            let found = match &wanted {
                PrincipalRef::PermissionSet(name) => {
                    let is_wanted = source.grant.is_referenced(&wanted);
                    let removes = removes || standing == Standing::Leaving;
                    let read = tokio::try_join!(
                        observe::permission_set(access, name),
                        read_policy_of_set(access, name, is_wanted, removes)
                    );
                    let (set, policy) = read.map_err(|error| error.context(source_place(access)))?;
                    FoundGrant::OfSet(set, policy)
                }
                _ => FoundGrant::InIam(observe_principal(access, &wanted).await?.into()),
            };
            Ok::<_, Error>(Found { wanted, standing, found })
        });
        join_all(found).await.into_iter().collect::<Result<Vec<_>>>()
    };
    let wanted = principals(source, links);
    let uses_default = links.is_empty() || links.iter().any(|link| !link.has_own_principals);
    if !source.principals.is_empty() || !uses_default {
        let (operator, found) = tokio::join!(source_operator(access, source), read(wanted));
        // Wrong credentials are reported before any other error.
        return Ok((operator?, found?));
    }
    let operator = source_operator(access, source).await?;
    let Some(caller) = operator.caller.arn.user() else {
        return Err(no_principal(&operator).await);
    };
    let caller = PrincipalRef::User(UserRef::Name(caller.name.clone()));
    let found = read([(caller, Standing::Default)].into_iter().chain(wanted).collect()).await?;
    Ok((operator, found))
}

/// Returns the error for links without principals if the operator is not a user, who would be the default. A session's
/// role is offered, never taken: most operators' roles are not for work in other accounts.
async fn no_principal(operator: &Operator) -> Error {
    let error = Error::usage(format!(
        "no user specified for account {}, and the operator ({}) is not an IAM user",
        operator.caller.account, operator.caller.arn
    ))
    .hint("specify the user: --user NAME");
    match &operator.caller.arn {
        CallerArn::AssumedRole { role, .. } if let Some(set) = set_of_role(role.as_str()) => error.hint(format!(
            "or give the links to a permission set, such as the operator's: --principal permission-set/{set}"
        )),
        CallerArn::AssumedRole { role, .. } => {
            // The ARN of a session does not tell the role's path.
            let found = read::role(&operator.access, role).await.ok();
            let arn = found.and_then(|role| role.present()?.arn.parse::<PrincipalArn>().ok());
            let role = arn.map_or_else(|| format!("role/PATH/{role}"), |arn| arn.reference().to_string());
            error.hint(format!("or give the links to a role, such as the operator's: --principal {role}"))
        }
        _ => error.hint("or specify a role: --principal role/NAME"),
    }
}

/// Returns the principals that `xacct.toml` and the options name for these links, and which links have them.
fn principals(source: &Source, links: &[Link]) -> Vec<(PrincipalRef, Standing)> {
    let uses_default = links.is_empty() || links.iter().any(|link| !link.has_own_principals);
    let default = source.principals.iter().filter(|_| uses_default);
    let mut all: Vec<_> = default.map(|principal| (principal.clone(), Standing::Default)).collect();
    for principal in links.iter().filter(|link| link.has_own_principals).flat_map(|link| &link.principals) {
        if !all.iter().any(|(known, _)| known.is_same(principal)) {
            all.push((principal.clone(), Standing::Own));
        }
    }
    all.extend(source.leaving.iter().map(|principal| (principal.clone(), Standing::Leaving)));
    all
}

/// Identifies the source operator.
///
/// # Errors
/// When the credentials are invalid, or belong to another account than `xacct.toml` says or to the root user.
pub async fn source_operator(access: &Access, source: &Source) -> Result<Operator> {
    let caller = sts::caller(access).await.map_err(|error| error.context(source_place(access)))?;
    refuse_root(&caller, "source", "--profile")?;
    if let Some(account) = &source.account
        && *account != caller.account
    {
        let place = source.account_place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
        return Err(Error::new(
            Kind::Credentials,
            format!(
                "the source account is {account}{place}, but the credentials ({}) belong to account {}",
                access.origin, caller.account
            ),
        )
        .hint(format!("use credentials of account {account}: --profile NAME"))
        .hint("or, if the source account has changed, correct that setting"));
    }
    Ok(Operator { access: access.clone(), caller })
}

/// Reads a principal, and the policies that affect the grant, concurrently.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error other than absence or denial.
async fn observe_principal(
    access: &Access,
    principal: &PrincipalRef,
) -> Result<(Reading<FoundPrincipal>, Reading<GrantPolicies>)> {
    let grant: PolicyName = GRANT_POLICY.parse()?;
    let read = async || {
        tokio::try_join!(observe::principal(access, principal), observe::grant_policies(access, principal, &grant))
    };
    let what = format!("{} or its policy {grant}", principal.in_words());
    let found = observe::consistent(&what, read, |(arn, policies)| {
        let Some(policies) = policies.present() else { return false };
        policies.contradict_themselves() || (arn.is_absent() && policies.show_the_principal())
    });
    found.await.map_err(|error| error.context(source_place(access)))
}

/// Names the source account by its credentials: its ID is unknown before the first answer.
fn source_place(access: &Access) -> String {
    format!("source account ({})", access.origin)
}

/// Returns the source account as configured, without reading it: only the half in the target account is changed.
///
/// # Errors
/// When the account or a principal is not set.
pub fn source_as_told(source: &Source, links: &[Link], partition: Partition, needs_path: bool) -> Result<SourceSide> {
    let account = source.account.clone().ok_or_else(|| {
        Error::usage("the source account is not set")
            .hint("set it: --source-account ID, or `account` in [source] of xacct.toml")
    })?;
    let wanted = principals(source, links);
    if wanted.is_empty() {
        return Err(Error::usage("the user is not set").hint("set `user` in [source] of xacct.toml"));
    }
    if needs_path && wanted.iter().any(|(principal, _)| principal.lacks_path()) {
        return Err(Error::usage("a role that is restricted to the user needs the user's full ARN")
            .hint("set `user` in [source] of xacct.toml to the ARN"));
    }
    let grantees = wanted.into_iter().map(|(principal, standing)| {
        let arn = principal.at_root(partition, &account);
        Grantee { arn, members: Vec::new(), observed: None, set: None, standing }
    });
    let grantees = grantees.collect();
    Ok(SourceSide { operator: None, account, partition, grantees, grant: source.grant.clone() })
}

/// Refuses `--enter-role`: the source operator would have to assume that role.
///
/// # Errors
/// When the link uses it.
pub fn refuse_entering_without_source(link: &Link) -> Result<()> {
    match &link.way_in {
        WayIn::EnterRole(_) => Err(Error::usage(format!(
            "target `{}` uses enter_role, which needs the source operator; --only target does not use that operator",
            link.name
        ))
        .hint("set the profile of the target operator: --target-profile NAME")),
        _ => Ok(()),
    }
}
