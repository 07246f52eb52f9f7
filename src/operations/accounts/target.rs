//! The target account: its operator, and the role.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use time::OffsetDateTime;

use super::operator::{Operator, refuse_root};
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::iam::observe;
use crate::aws::sts::{self, AssumeRole, Caller};
use crate::config::{Link, WayIn};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{ManagedPolicy, PolicyArn, RoleArn};
use crate::iam::names::{IamPath, RoleName};
use crate::iam::plan::teardown::StandingRole;
use crate::iam::revocation::REVOKE_POLICY;
use crate::iam::state::{
    BOUNDARY_TAG, DesiredRole, ObservedBoundary, ObservedRole, PolicyVersion, Reading, RoleQuotas,
};
use crate::report::proof::place;

/// The observed state of the target account.
#[derive(Debug, Clone)]
pub struct TargetSide {
    pub operator: Operator,
    /// The role, if there is one.
    pub observed: Option<ObservedRole>,
    /// The role from which this run moves the link, if there is one.
    pub moved_from: Option<ObservedRole>,
    pub quotas: RoleQuotas,
    /// The boundary that the role is to have; `None` if no setting decides and it has none.
    pub boundary: Option<ObservedBoundary>,
    /// The default versions of the declared managed policies, by ARN.
    pub versions: BTreeMap<String, String>,
}

/// Returns the target operator's access.
///
/// # Errors
/// When there is none, or the role that leads there cannot be assumed.
pub async fn enter(connections: &Connections, link: &Link, source: Option<&Access>) -> Result<Access> {
    match &link.way_in {
        WayIn::Profile(name) => connections.access(Some(name)).await,
        WayIn::Search => connections.access(Some(&connections.profiles().of_account(&link.account, &link.role)?)).await,
        WayIn::EnterRole(role) => {
            let source = source.ok_or_else(|| {
                Error::usage("--enter-role needs the source operator, which --only target does not use")
                    .hint("set the profile of the target operator: --target-profile NAME")
            })?;
            let arn = RoleArn::new(source.partition(), link.account.clone(), IamPath::root(), role.clone());
            let request = AssumeRole::new(arn, "xacct-bootstrap".parse()?);
            let session = sts::assume(source, &request).await.map_err(|error| {
                error.context(format!("cannot assume role `{role}`")).hint(format!(
                    "allow the source operator ({}) sts:AssumeRole on {}, and have that role trust the operator's account",
                    source.origin, request.role
                ))
            })?;
            Ok(source.with_session(&session.credentials, format!("role {role}, assumed with {}", source.origin)))
        }
    }
}

/// Returns the target operator's access, in the Region of the link.
///
/// # Errors
/// As [`enter`]; the error names the account.
pub async fn enter_in_region(connections: &Connections, link: &Link, source: Option<&Access>) -> Result<Access> {
    let access = enter(connections, link, source).await.map_err(|error| error.context(place(&link.account)))?;
    Ok(link.region.as_ref().map_or_else(|| access.clone(), |region| access.in_region(region)))
}

/// Reads one target account.
///
/// # Errors
/// When there is no access, the account is the wrong one, or something in it cannot be read.
pub async fn target_side(
    connections: &Connections,
    link: &Link,
    source: Option<&Access>,
    own_policies: &BTreeSet<String>,
) -> Result<TargetSide> {
    target_side_with(enter_in_region(connections, link, source).await?, link, own_policies).await
}

/// Does the same with this access.
///
/// # Errors
/// As [`target_side`].
pub async fn target_side_with(access: Access, link: &Link, own_policies: &BTreeSet<String>) -> Result<TargetSide> {
    let partition = access.partition();
    link.check(Some(partition))?;
    let attached = link.policy_arns.iter().map(|policy| (policy.resolve(partition), "managed policy"));
    let boundary = link.permissions_boundary.iter().map(|policy| (policy.resolve(partition), "permissions boundary"));
    let declared: Vec<_> = attached.chain(boundary).collect();
    let policies: Vec<_> = declared.iter().map(|(arn, use_as)| (arn, *use_as)).collect();
    let old = link.before_move().map(|before| before.role);
    let old_role = async {
        match &old {
            Some(name) => observe::role(&access, name, own_policies).await,
            None => Ok(Reading::Absent),
        }
    };
    let (caller, role, old_role, quotas, policies) = tokio::join!(
        sts::caller(&access),
        observe::role(&access, &link.role, own_policies),
        old_role,
        observe::role_quotas(&access),
        observe::managed_policies(&access, &policies),
    );
    // Wrong credentials are reported before any other error.
    let operator = operator_of(link, access, caller)?;
    let observed = operator.readable(role.map_err(|error| error.context(place(&link.account)))?)?;
    let moved_from = operator.readable(old_role.map_err(|error| error.context(place(&link.account)))?)?;
    let mut found = policies.map_err(|error| error.context(place(&link.account)))?;
    let versions = versions_by_arn(&declared, &found);
    let boundary = boundary_of(link, observed.as_ref().or(moved_from.as_ref())).map(|policy| policy.resolve(partition));
    if let (Some(arn), None) = (&boundary, &link.permissions_boundary) {
        let read = observe::managed_policies(&operator.access, &[(arn, "permissions boundary")]).await;
        found.extend(read.map_err(|error| error.context(place(&link.account)))?);
    }
    let boundary = match boundary.zip(found.pop()) {
        Some((arn, version)) => {
            let tag = observed.as_ref().and_then(|role| role.tags.get(BOUNDARY_TAG));
            let recorded = tag.and_then(|tag| PolicyVersion::from_tag(tag));
            let read = observe::boundary(&operator.access, &arn, version, recorded.as_ref()).await;
            Some(read.map_err(|error| error.context(place(&link.account)))?)
        }
        None => None,
    };
    Ok(TargetSide { operator, observed, moved_from, quotas, boundary, versions })
}

/// Returns the boundary that the role is to have: the declared one, or that of the role if nothing decides about it.
#[must_use]
pub fn boundary_of(link: &Link, observed: Option<&ObservedRole>) -> Option<ManagedPolicy> {
    let found = || observed.filter(|_| link.keeps.boundary)?.boundary.as_ref()?.parse::<PolicyArn>().ok();
    link.permissions_boundary.clone().or_else(|| found().map(ManagedPolicy::from))
}

/// Returns the default versions that were read.
fn versions_by_arn(policies: &[(PolicyArn, &str)], versions: &[Reading<PolicyVersion>]) -> BTreeMap<String, String> {
    let read = policies.iter().zip(versions);
    read.filter_map(|((arn, _), version)| Some((arn.to_string(), version.present()?.version.clone()))).collect()
}

/// Reads one target account for a teardown: the role, and everything that is deleted with it.
///
/// # Errors
/// When there is no access, the account is the wrong one, or something in it cannot be read.
pub async fn target_side_to_remove(
    connections: &Connections,
    link: &Link,
    source: Option<&Access>,
) -> Result<(Operator, Option<StandingRole>)> {
    let access = enter_in_region(connections, link, source).await?;
    let (caller, role) = tokio::join!(sts::caller(&access), observe::role_to_remove(&access, &link.role));
    let operator = operator_of(link, access, caller)?;
    let role = operator.readable(role.map_err(|error| error.context(place(&link.account)))?)?;
    Ok((operator, role))
}

/// Reads one target account to revoke the sessions of its role: the role, and how far AWS's clock is ahead of this
/// machine's, in seconds.
///
/// # Errors
/// When there is no access, the account is the wrong one, or something in it cannot be read.
pub async fn target_side_to_revoke(
    connections: &Connections,
    link: &Link,
    source: Option<&Access>,
    now: fn() -> SystemTime,
) -> Result<(Operator, Option<ObservedRole>, i64)> {
    let access = enter_in_region(connections, link, source).await?;
    let caller = async {
        let answer = sts::caller_and_time(&access).await;
        (answer, OffsetDateTime::from(now()))
    };
    let expected = BTreeSet::from([REVOKE_POLICY.to_owned()]);
    let ((caller, here), role) = tokio::join!(caller, observe::role(&access, &link.role, &expected));
    let (caller, there) = match caller {
        Ok((caller, there)) => (Ok(caller), there),
        Err(error) => (Err(error), None),
    };
    let operator = operator_of(link, access, caller)?;
    let role = operator.readable(role.map_err(|error| error.context(place(&link.account)))?)?;
    let ahead = there.map_or(0, |there| OffsetDateTime::from(there).unix_timestamp() - here.unix_timestamp());
    Ok((operator, role, ahead))
}

/// Reads the role again, right before its sessions are revoked, or the revocation is lifted.
///
/// # Errors
/// When it cannot be read.
pub async fn role_to_revoke(operator: &Operator, name: &RoleName) -> Result<Option<ObservedRole>> {
    operator.readable(observe::role_as_shown(&operator.access, name, &[REVOKE_POLICY.to_owned()].into()).await?)
}

/// Returns the operator of a target account, whose credentials must belong to that account.
///
/// # Errors
/// When the credentials are invalid, or belong to another account or to the root user.
pub fn operator_of(link: &Link, access: Access, caller: Result<Caller>) -> Result<Operator> {
    let caller = caller.map_err(|error| error.context(place(&link.account)))?;
    refuse_root(&caller, "target", "--target-profile")?;
    if caller.account != link.account {
        return Err(Error::new(
            Kind::Credentials,
            format!(
                "the target account is {}, but the credentials ({}) belong to account {}",
                link.account, access.origin, caller.account
            ),
        )
        .hint(format!("use credentials of account {}: --target-profile NAME", link.account)));
    }
    Ok(Operator { access, caller })
}

/// Reads the role again, right before it is written.
///
/// # Errors
/// When it cannot be read.
pub async fn observe_role(operator: &Operator, desired: &DesiredRole) -> Result<Option<ObservedRole>> {
    operator.readable(observe::role(&operator.access, &desired.arn.name, &own_policies(desired)).await?)
}

/// Reads the role back, after it was written.
///
/// # Errors
/// When it cannot be read.
pub async fn read_role_back(operator: &Operator, desired: &DesiredRole) -> Result<Option<ObservedRole>> {
    operator.readable(observe::role_as_shown(&operator.access, &desired.arn.name, &own_policies(desired)).await?)
}

fn own_policies(desired: &DesiredRole) -> BTreeSet<String> {
    desired.inline.keys().map(ToString::to_string).collect()
}

/// Observes the role again, right before it is removed.
///
/// # Errors
/// When it cannot be read.
pub async fn role_to_remove(operator: &Operator, name: &RoleName) -> Result<Option<StandingRole>> {
    operator.readable(observe::role_to_remove(&operator.access, name).await?)
}
