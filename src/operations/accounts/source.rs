//! The source account: its operator, and the user.

use super::operator::{Operator, refuse_root};
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::iam::observe::{self, UserPolicies};
use crate::aws::sts;
use crate::config::{Link, Source, WayIn};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{Partition, UserArn, UserRef};
use crate::iam::names::{AccountId, IamPath, PolicyName, UserName};
use crate::iam::state::{ObservedUser, Reading};
use crate::iam::templates::GRANT_POLICY;

/// The observed state of the source account.
#[derive(Debug, Clone)]
pub struct SourceSide {
    /// `None` when only the half in the target account is changed.
    pub operator: Option<Operator>,
    pub account: AccountId,
    /// The user who has, or had, the grant.
    pub user: UserArn,
    /// The user's policies; `None` as for `operator`, and for a user that does not exist.
    pub observed: Option<ObservedUser>,
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

/// Reads the user who is to get the grant.
///
/// # Errors
/// When the credentials belong to the wrong account or to the root user, the user does not exist, or its policies
/// cannot be read.
pub async fn source_side(access: &Access, source: &Source) -> Result<SourceSide> {
    let Found { operator, name, user, policies } = find_user(access, source).await?;
    let account = operator.caller.account.clone();
    let absent = || {
        Error::new(Kind::Refused, format!("account {account} has no user `{name}`"))
            .hint("list the users: aws iam list-users --query 'Users[].UserName'")
    };
    let user = operator.readable(user)?.ok_or_else(absent)?;
    if let Some(UserRef::Arn(wanted)) = &source.user
        && *wanted != user
    {
        return Err(Error::new(Kind::Refused, format!("the user's ARN is `{user}`, not `{wanted}`"))
            .hint(format!("use --user {user}")));
    }
    let policies = operator.readable(policies)?.ok_or_else(absent)?;
    let observed = Some(policies.of(user.clone()));
    Ok(SourceSide { operator: Some(operator), account, user, observed })
}

/// Reads the user whose grant is to be removed. A user that does not exist has no grant.
///
/// # Errors
/// As [`source_side`], except that the user may be absent.
pub async fn source_side_to_remove(access: &Access, source: &Source) -> Result<SourceSide> {
    let Found { operator, name, user, policies } = find_user(access, source).await?;
    let account = operator.caller.account.clone();
    let (user, observed) = match (operator.readable(user)?, operator.readable(policies)?) {
        (Some(user), Some(policies)) => (user.clone(), Some(policies.of(user))),
        _ => {
            let partition = operator.caller.arn.partition().unwrap_or(access.partition());
            (UserArn { partition, account: account.clone(), path: IamPath::root(), name }, None)
        }
    };
    Ok(SourceSide { operator: Some(operator), account, user, observed })
}

/// The operator, and the user as AWS reports it.
struct Found {
    operator: Operator,
    name: UserName,
    user: Reading<UserArn>,
    policies: Reading<UserPolicies>,
}

/// Identifies the operator and reads the user, concurrently if the user is named.
async fn find_user(access: &Access, source: &Source) -> Result<Found> {
    if let Some(name) = source.user.as_ref().map(UserRef::name) {
        let (operator, observed) = tokio::join!(source_operator(access, source), observe_user(access, name));
        // Wrong credentials are reported before any other error.
        let (operator, (user, policies)) = (operator?, observed?);
        return Ok(Found { operator, name: name.clone(), user, policies });
    }
    let operator = source_operator(access, source).await?;
    let Some(caller) = operator.caller.arn.user() else {
        return Err(Error::usage(format!(
            "no user specified for account {}, and the operator ({}) is not an IAM user",
            operator.caller.account, operator.caller.arn
        ))
        .hint("specify the user: --user NAME"));
    };
    let name = caller.name.clone();
    let (user, policies) = observe_user(access, &name).await?;
    Ok(Found { operator, name, user, policies })
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

/// Reads the user, and the policies that affect the grant, concurrently.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error other than absence or denial.
async fn observe_user(access: &Access, name: &UserName) -> Result<(Reading<UserArn>, Reading<UserPolicies>)> {
    let grant: PolicyName = GRANT_POLICY.parse()?;
    let read = async || tokio::try_join!(observe::user(access, name), observe::user_policies(access, name, &grant));
    let what = format!("user `{name}` or its policy {grant}");
    let found = observe::consistent(&what, read, |(user, policies)| {
        let Some(policies) = policies.present() else { return false };
        policies.contradict_themselves() || (user.is_absent() && policies.show_the_user())
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
/// When the account or the user is not set.
pub fn source_as_told(source: &Source, partition: Partition, needs_path: bool) -> Result<SourceSide> {
    let account = source.account.clone().ok_or_else(|| {
        Error::usage("the source account is not set")
            .hint("set it: --source-account ID, or `account` in [source] of xacct.toml")
    })?;
    let user = match &source.user {
        None => return Err(Error::usage("the user is not set").hint("set `user` in [source] of xacct.toml")),
        Some(UserRef::Arn(arn)) => arn.clone(),
        Some(UserRef::Name(_)) if needs_path => {
            return Err(Error::usage("a role that is restricted to the user needs the user's full ARN")
                .hint("set `user` in [source] of xacct.toml to the ARN"));
        }
        Some(UserRef::Name(name)) => {
            UserArn { partition, account: account.clone(), path: IamPath::root(), name: name.clone() }
        }
    };
    Ok(SourceSide { operator: None, account, user, observed: None })
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
