//! Looks for the user's own credentials before anything is applied, because only they can test the link.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::arguments::Bootstrap;
use super::work::Work;
use crate::aws::connections::Connections;
use crate::aws::sts;
use crate::config::Source;
use crate::environment;
use crate::iam::arn::{CallerArn, PrincipalArn};
use crate::iam::risks::Risk;
use crate::operations::accounts::Grantee;

/// The most profiles whose owner xacct asks AWS for.
const MOST: usize = 20;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks for the user's credentials if the operator is somebody else and no setting names them. Sets the profile that has
/// them and returns it, or adds the warning that the test will be inconclusive.
pub async fn look_for(
    source: &mut Source,
    work: &mut Work,
    args: &Bootstrap,
    connections: &Connections,
) -> Option<String> {
    let is_needed = args.only.is_none() && !args.no_verify && !args.changes.check && !work.jobs.is_empty();
    let operator = work.source.operator.as_ref()?;
    let counts = |principal: &PrincipalArn| match &source.tested_as {
        Some(one) => principal.reference().label() == one.label(),
        None => true,
    };
    let principals: Vec<_> = work.source.staying().filter(|grantee| counts(&grantee.arn)).collect();
    let is_one = |caller: &CallerArn| principals.iter().any(|principal| principal.is(caller));
    if !is_needed || source.user_profile.is_some() || is_one(&operator.caller.arn) {
        return None;
    }
    let used = operator.access.profile.as_deref();
    match profile_of(&principals, used, source.profile_to_try.as_deref(), connections).await {
        Some(profile) => {
            source.user_profile = Some(profile.clone());
            Some(profile)
        }
        None => {
            let owner = |principal: &&Grantee| principal.arn.reference().owner_in_words().replace('`', "");
            let names: Vec<_> = principals.iter().map(owner).collect();
            work.grant.plan.warnings.push(Risk::NoUserCredentials { principals: names.join(" or ") });
            None
        }
    }
}

/// Returns the first profile with an access key of one of the users: AWS says whose each key is. Keys in the environment count, too,
/// if the operator uses a profile.
async fn profile_of(
    principals: &[&Grantee],
    used: Option<&str>,
    to_try: Option<&str>,
    connections: &Connections,
) -> Option<String> {
    let silent = connections.that_ask_nobody();
    let environment = (used.is_some() && environment::has_keys()).then_some(environment::PROFILE);
    let mut profiles: Vec<_> = silent.profiles().with_keys().filter(|name| Some(*name) != used).collect();
    // Most people name it after the user.
    profiles.sort_by_key(|name| !principals.iter().any(|principal| principal.arn.name() == *name));
    let to_try = to_try.filter(|name| !profiles.contains(name));
    let candidates: Vec<_> = to_try.into_iter().chain(profiles).chain(environment).take(MOST).collect();
    let owners = join_all(candidates.iter().map(async |name| {
        let owner = async { sts::caller(&silent.access(Some(name)).await?).await };
        timeout(PATIENCE, owner).await.ok()?.ok()
    }));
    let owners = owners.await;
    let is_ones = |caller: &sts::Caller| principals.iter().any(|principal| principal.is(&caller.arn));
    let is_the_users = |owner: &Option<sts::Caller>| owner.as_ref().is_some_and(is_ones);
    let found = candidates.iter().zip(&owners).find(|(_, owner)| is_the_users(owner));
    found.map(|(name, _)| (*name).to_owned())
}
