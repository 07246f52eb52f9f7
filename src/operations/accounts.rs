//! Observes both accounts side by side, and checks that they are what they should be. Reads only.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::iam::observe;
use crate::aws::sts::{self, Caller};
use crate::config::{Link, Source};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{CallerArn, Partition, UserArn, UserRef};
use crate::iam::names::{AccountId, IamPath, PolicyName, UserName};
use crate::iam::state::{DesiredRole, ObservedRole, ObservedUser, Reading, RoleQuotas};
use crate::iam::templates::GRANT_POLICY;
use crate::operations::entry::enter;
use crate::report::console::STRONG;
use crate::report::json;

/// Who is at work in an account.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The credentials, ready to be used.
    pub access: Access,
    /// Who they belong to.
    pub caller: Caller,
}

/// The source account: the operator there, if there is one, and the user.
#[derive(Debug, Clone)]
pub struct SourceSide {
    /// `None` when only the half in the target account is made.
    pub operator: Option<Operator>,
    /// The account.
    pub account: AccountId,
    /// The user who is granted.
    pub user: UserArn,
    /// The user's policies; `None` as for `operator`.
    pub observed: Option<ObservedUser>,
}

/// The target account: the operator there, and the role, if there is one.
#[derive(Debug, Clone)]
pub struct TargetSide {
    /// The credentials, and who they belong to.
    pub operator: Operator,
    /// The role as it is.
    pub observed: Option<ObservedRole>,
    /// What the account allows.
    pub quotas: RoleQuotas,
}

/// The credentials of the source operator. Asks AWS nothing about them yet.
///
/// # Errors
/// When there are none.
pub async fn source_access(connections: &Connections, source: &Source) -> Result<Access> {
    connections.access(source.profile.as_deref()).await.map_err(|error| error.context("source account"))
}

/// Asks who the source operator is, and observes the user: side by side, if the user was named.
///
/// # Errors
/// When the credentials are of the wrong account or of the root user, there is no such user, or the user's policies
/// cannot be read.
pub async fn source_side(access: &Access, source: &Source) -> Result<SourceSide> {
    let wanted = source.user.as_ref();
    let (operator, (user, policies)) = match wanted {
        Some(user) => {
            let (operator, observed) = tokio::join!(source_operator(access, source), observe_user(access, user.name()));
            // Who it is decides before anything else that went wrong.
            (operator?, observed?)
        }
        None => {
            let operator = source_operator(access, source).await?;
            let Some(caller) = operator.caller.arn.user() else {
                return Err(Error::usage(format!(
                    "which user of account {} may assume the role? The operator ({}) is no user",
                    operator.caller.account, operator.caller.arn
                ))
                .hint("name the user: --user NAME"));
            };
            let observed = observe_user(access, &caller.name).await?;
            (operator, observed)
        }
    };
    let account = operator.caller.account.clone();
    let absent = || {
        let name = wanted.map(UserRef::name).or_else(|| operator.caller.arn.user().map(|caller| &caller.name));
        let name = name.map_or_else(String::new, ToString::to_string);
        Error::new(Kind::Refused, format!("account {account} has no user `{name}`"))
            .hint("see which there are: aws iam list-users --query 'Users[].UserName'")
    };
    let user = match user {
        Reading::Present(user) => user,
        Reading::Absent => return Err(absent()),
        Reading::Unreadable { permission, answer } => return Err(unreadable(&operator, &permission, &answer)),
    };
    if let Some(UserRef::Arn(wanted)) = wanted
        && *wanted != user
    {
        return Err(Error::new(Kind::Refused, format!("the user is `{user}`, not `{wanted}`"))
            .hint(format!("give --user {user}")));
    }
    let policies = match policies {
        Reading::Present(policies) => policies,
        Reading::Unreadable { permission, answer } => return Err(unreadable(&operator, &permission, &answer)),
        Reading::Absent => return Err(absent()),
    };
    let observed = Some(policies.of(user.clone()));
    Ok(SourceSide { operator: Some(operator), account, user, observed })
}

/// Asks who the credentials of the source operator belong to.
///
/// # Errors
/// When they are not in force, of another account than the one on record, or of the root user.
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
                "the source account is {account}{place}, and the credentials ({}) are of account {}",
                access.origin, caller.account
            ),
        )
        .hint(format!("give credentials of account {account}: --profile NAME"))
        .hint("or, if the source account is another one now, change it where it is written"));
    }
    Ok(Operator { access: access.clone(), caller })
}

/// The user, and the policies that bear on the grant, side by side.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that is neither absence nor refusal.
pub async fn observe_user(
    access: &Access,
    name: &UserName,
) -> Result<(Reading<UserArn>, Reading<observe::UserPolicies>)> {
    let grant: PolicyName = GRANT_POLICY.parse()?;
    let look = async || tokio::try_join!(observe::user(access, name), observe::user_policies(access, name, &grant));
    let what = format!("user `{name}` or its policy {grant}");
    let found = observe::consistent(&what, look, |(user, policies)| {
        let Some(policies) = policies.present() else { return false };
        policies.contradict_themselves() || (user.is_absent() && policies.show_the_user())
    });
    found.await.map_err(|error| error.context(source_place(access)))
}

/// The source account has no number before the first answer; whose credentials were used is known.
fn source_place(access: &Access) -> String {
    format!("source account ({})", access.origin)
}

/// The source account as it was told, where nobody can look: only the half in the target account is made.
///
/// # Errors
/// When account or user were not told.
pub fn source_as_told(source: &Source, partition: Partition, needs_path: bool) -> Result<SourceSide> {
    let hint = "give the user's ARN: --user arn:aws:iam::ACCOUNT:user/NAME";
    let account = source.account.clone();
    let account = account.ok_or_else(|| {
        Error::usage("which account is the source? It is not looked at with --only target").hint(hint)
    })?;
    let user = match &source.user {
        None => {
            return Err(Error::usage(
                "which user may assume the role? The source account is not looked at with --only target",
            )
            .hint(hint));
        }
        Some(UserRef::Arn(arn)) => arn.clone(),
        Some(UserRef::Name(_)) if needs_path => {
            return Err(Error::usage("--restrict-to-user needs the user's full ARN, and the source account is not looked at with --only target").hint(hint));
        }
        Some(UserRef::Name(name)) => {
            UserArn { partition, account: account.clone(), path: IamPath::root(), name: name.clone() }
        }
    };
    Ok(SourceSide { operator: None, account, user, observed: None })
}

/// Observes one target account.
///
/// # Errors
/// When the account cannot be entered, is not the one it should be, or something in it cannot be read.
pub async fn target_side(
    connections: &Connections,
    link: &Link,
    source: Option<&Access>,
    own_policies: &BTreeSet<String>,
) -> Result<TargetSide> {
    let place = format!("target account {}", link.account);
    let access = enter(connections, link, source).await.map_err(|error| error.context(&place))?;
    let access = link.region.as_ref().map_or_else(|| access.clone(), |region| access.in_region(region));
    link.check(Some(access.partition()))?;
    let policies: Vec<_> = link
        .policy_arns
        .iter()
        .map(|policy| (policy.resolve(access.partition()), "managed policy"))
        .chain(
            link.permissions_boundary.iter().map(|policy| (policy.resolve(access.partition()), "permissions boundary")),
        )
        .collect();
    let policies: Vec<_> = policies.iter().map(|(arn, role)| (arn, *role)).collect();
    let (caller, role, quotas, policies) = tokio::join!(
        sts::caller(&access),
        observe::role(&access, &link.role, own_policies),
        observe::role_quotas(&access),
        observe::managed_policies(&access, &policies),
    );
    // Who it is decides before anything else that went wrong.
    let operator = operator_of(link, access, caller)?;
    let observed = match role.map_err(|error| error.context(&place))? {
        Reading::Present(role) => Some(role),
        Reading::Absent => None,
        Reading::Unreadable { permission, answer } => return Err(unreadable(&operator, &permission, &answer)),
    };
    policies.map_err(|error| error.context(&place))?;
    Ok(TargetSide { operator, observed, quotas })
}

/// The operator of a target account, who must be of that account.
///
/// # Errors
/// When the credentials are not in force, of another account, or of the root user.
pub fn operator_of(link: &Link, access: Access, caller: Result<Caller>) -> Result<Operator> {
    let caller = caller.map_err(|error| error.context(format!("target account {}", link.account)))?;
    refuse_root(&caller, "target", "--target-profile")?;
    if caller.account != link.account {
        return Err(Error::new(
            Kind::Credentials,
            format!(
                "the target account is {}, and the credentials ({}) are of account {}",
                link.account, access.origin, caller.account
            ),
        )
        .hint(format!("give credentials of account {}: --target-profile NAME", link.account)));
    }
    Ok(Operator { access, caller })
}

/// The role as it is now.
///
/// # Errors
/// When it cannot be read.
pub async fn role_again(target: &TargetSide, desired: &DesiredRole) -> Result<Option<ObservedRole>> {
    let own_policies = desired.inline.keys().map(ToString::to_string).collect();
    match observe::role(&target.operator.access, &desired.arn.name, &own_policies).await? {
        Reading::Present(role) => Ok(Some(role)),
        Reading::Absent => Ok(None),
        Reading::Unreadable { permission, answer } => Err(unreadable(&target.operator, &permission, &answer)),
    }
}

fn refuse_root(caller: &Caller, side: &str, option: &str) -> Result<()> {
    if !matches!(caller.arn, CallerArn::Root { .. }) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Refused,
        format!("the credentials for the {side} account are the root user's of account {}", caller.account),
    )
    .hint(format!("give those of an IAM user or role with IAM rights: {option} NAME"))
    .hint("delete the root user's access keys; AWS advises against having any"))
}

/// Checks that two accounts can be linked.
///
/// # Errors
/// When they are one account, or of different partitions.
pub fn check_pair(source: &Caller, target: &Caller) -> Result<()> {
    if source.account == target.account {
        return Err(Error::new(Kind::Refused, format!("source and target are the same account, {}", source.account))
            .hint("name another account with --target-account, or other credentials with --target-profile"));
    }
    if let (Some(from), Some(to)) = (source.arn.partition(), target.arn.partition())
        && from != to
    {
        return Err(Error::new(
            Kind::Refused,
            format!("the source account is in partition {from}, the target account in {to}"),
        )
        .note("roles cannot be assumed across partitions")
        .hint("create a user in the target's partition"));
    }
    Ok(())
}

/// What is said of a read that AWS refused.
pub fn unreadable(operator: &Operator, permission: &str, answer: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!(
            "the operator of account {} ({}) may not read what there is: {permission} was refused",
            operator.caller.account, operator.caller.arn
        ),
    )
    .hint(format!(
        "allow {permission}; policies/ has the least that an operator needs, for the source and for the target account"
    ))
    .note(format!("AWS said: {answer}"))
}

/// Who is at work in an account, for people.
pub fn who(text: &mut String, side: &str, account: &str, operator: Option<&Operator>) {
    match operator {
        None => {
            let _ = writeln!(text, "{side:<8} {STRONG}{account}{STRONG:#}  not looked at");
        }
        Some(operator) => {
            let _ = writeln!(text, "{side:<8} {STRONG}{account}{STRONG:#}  {}", operator.caller.arn);
            let _ = writeln!(text, "         {}", operator.access.origin);
            for endpoint in operator.access.endpoints() {
                let _ = writeln!(text, "         endpoint {endpoint} (not AWS's own)");
            }
        }
    }
}

impl From<&Operator> for json::Operator {
    fn from(operator: &Operator) -> Self {
        Self {
            account: operator.caller.account.to_string(),
            arn: operator.caller.arn.to_string(),
            credentials: operator.access.origin.clone(),
            endpoints: operator.access.endpoints(),
        }
    }
}
