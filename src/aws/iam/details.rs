//! Everything that IAM knows of an account's permissions, from `GetAccountAuthorizationDetails`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput;
use aws_sdk_iam::types::{
    AttachedPolicy, EntityType, GroupDetail, ManagedPolicyDetail, PolicyDetail, RoleDetail, UserDetail,
};
use futures_util::{StreamExt, stream};

use super::read::{self, document, tags, unread};
use crate::aws::client::access::Access;
use crate::aws::client::bounds::{MOST_DETAIL_PAGES, MOST_DETAILS};
use crate::aws::client::error::Call;
use crate::error::Result;
use crate::iam::arn::{RoleArn, UserArn};
use crate::iam::names::AccountId;
use crate::iam::state::{FoundDocument, Reading};
use crate::iam::who::{Account, Group, Holder, HolderKind, Policies, Text};

const CALL: Call = Call::iam("GetAccountAuthorizationDetails");

/// Items of a page. With more, a page of managed policies with five versions each, or of roles with long policies, could
/// exceed the limit for responses.
const PAGE: i32 = 200;

/// Managed policies that are read at a time, if the details lack their text.
const AT_ONCE: usize = 8;

/// Reads all users, roles, groups and policies of an account. Users, roles and the rest are separate lists, read
/// concurrently. Managed policies without text, such as AWS's own that are only a permissions boundary, are read one by
/// one.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error other than a denial.
pub async fn account(access: &Access, id: &AccountId) -> Result<Reading<Account>> {
    let rest = vec![EntityType::Group, EntityType::LocalManagedPolicy, EntityType::AwsManagedPolicy];
    let found = Found::default();
    let read = tokio::try_join!(
        list(access, vec![EntityType::User], &found),
        list(access, vec![EntityType::Role], &found),
        list(access, rest, &found),
    );
    if let Err(error) = read {
        return unread(error);
    }
    let Parts { holders, groups, mut managed, .. } = found.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut holders: Vec<_> = holders.into_values().collect();
    holders.sort_by_key(|holder| holder.kind);
    let mut account = Account { id: id.clone(), is_read: true, holders, groups, managed: BTreeMap::new() };
    let wanted = wanted(&account);
    let missing: Vec<_> = wanted.iter().filter(|arn| !managed.contains_key(*arn)).cloned().collect();
    let missing = stream::iter(missing).map(async |arn| {
        let read = read::managed(access, &arn, &BTreeMap::new()).await;
        let read = read.unwrap_or_else(|error| Reading::Unreadable {
            permission: String::new(),
            answer: error.own_message_and_answer(),
        });
        (arn, read.map(Arc::new))
    });
    managed.extend(missing.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
    managed.retain(|arn, _| wanted.contains(arn));
    account.managed = managed;
    Ok(Reading::Present(account))
}

/// Reads all roles of an account, without the text of managed policies.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error other than a denial.
pub async fn roles(access: &Access) -> Result<Reading<Principals>> {
    one_list(access, vec![EntityType::Role]).await
}

/// Reads all principals of an account, with the text of its own managed policies.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error other than a denial.
pub async fn principals(access: &Access) -> Result<Reading<Principals>> {
    let kinds = [EntityType::User, EntityType::Role, EntityType::Group, EntityType::LocalManagedPolicy];
    one_list(access, kinds.into()).await
}

async fn one_list(access: &Access, filter: Vec<EntityType>) -> Result<Reading<Principals>> {
    let found = Found::default();
    if let Err(error) = list(access, filter, &found).await {
        return unread(error);
    }
    let Parts { holders, groups, managed, .. } = found.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Reading::Present(Principals { holders: holders.into_values().collect(), groups, managed }))
}

/// Principals of an account.
#[derive(Debug, Clone)]
pub struct Principals {
    /// Users and roles.
    pub holders: Vec<Holder>,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// The documents of managed policies, by ARN.
    pub managed: BTreeMap<String, Reading<Text>>,
}

/// Returns the ARNs of managed policies that are attached or a boundary.
fn wanted(account: &Account) -> BTreeSet<String> {
    let attached = |policies: &Policies| policies.attached.iter().cloned().collect::<Vec<_>>();
    let of_holders =
        account.holders.iter().flat_map(|holder| attached(&holder.policies).into_iter().chain(holder.boundary.clone()));
    of_holders.chain(account.groups.values().flat_map(|group| attached(&group.policies))).collect()
}

/// What was read so far.
#[derive(Default)]
struct Found(Mutex<Parts>);

#[derive(Default)]
struct Parts {
    /// By ARN, because a list that changes while it is read may show an item twice.
    holders: BTreeMap<String, Holder>,
    groups: BTreeMap<String, Group>,
    managed: BTreeMap<String, Reading<Text>>,
    /// Documents by their text: the policies of many roles are equal.
    texts: HashMap<String, Text>,
}

/// Reads all pages of a list.
async fn list(access: &Access, filter: Vec<EntityType>, found: &Found) -> Result<()> {
    let mut marker: Option<String> = None;
    for _ in 0..MOST_DETAIL_PAGES {
        let request = access.iam().get_account_authorization_details();
        let request = request.set_filter(Some(filter.clone())).max_items(PAGE).set_marker(marker);
        let page = request.send().await.map_err(|error| CALL.failed(error))?;
        let mut parts = found.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.add(&page)?;
        if parts.holders.len() + parts.groups.len() + parts.managed.len() > MOST_DETAILS {
            break;
        }
        match page.marker().filter(|_| page.is_truncated()) {
            None => return Ok(()),
            Some(next) => marker = Some(next.to_owned()),
        }
    }
    Err(CALL.exceeds(MOST_DETAIL_PAGES, MOST_DETAILS))
}

impl Parts {
    fn add(&mut self, page: &GetAccountAuthorizationDetailsOutput) -> Result<()> {
        for user in page.user_detail_list() {
            let holder = self.user(user)?;
            self.holders.insert(holder.arn.clone(), holder);
        }
        for role in page.role_detail_list() {
            let holder = self.role(role)?;
            self.holders.insert(holder.arn.clone(), holder);
        }
        for group in page.group_detail_list() {
            let (name, group) = self.group(group)?;
            self.groups.insert(name, group);
        }
        for policy in page.policies() {
            self.policy(policy);
        }
        Ok(())
    }

    fn user(&mut self, user: &UserDetail) -> Result<Holder> {
        let arn: UserArn = valid(user.arn())?;
        Ok(Holder {
            kind: HolderKind::User,
            name: arn.name.to_string(),
            arn: arn.to_string(),
            unique_id: user.user_id().unwrap_or_default().to_owned(),
            tags: tags(user.tags()),
            policies: self.policies(user.user_policy_list(), user.attached_managed_policies()),
            groups: user.group_list().to_vec(),
            boundary: user.permissions_boundary().and_then(|it| it.permissions_boundary_arn()).map(str::to_owned),
            trust: None,
        })
    }

    fn role(&mut self, role: &RoleDetail) -> Result<Holder> {
        let arn: RoleArn = valid(role.arn())?;
        Ok(Holder {
            kind: HolderKind::Role,
            name: arn.name.to_string(),
            arn: arn.to_string(),
            unique_id: role.role_id().unwrap_or_default().to_owned(),
            tags: tags(role.tags()),
            policies: self.policies(role.role_policy_list(), role.attached_managed_policies()),
            groups: Vec::new(),
            boundary: role.permissions_boundary().and_then(|it| it.permissions_boundary_arn()).map(str::to_owned),
            trust: Some(self.text(role.assume_role_policy_document().unwrap_or_default())),
        })
    }

    fn group(&mut self, group: &GroupDetail) -> Result<(String, Group)> {
        let name = group.group_name().ok_or_else(|| CALL.lacks("name of a group"))?.to_owned();
        let policies = self.policies(group.group_policy_list(), group.attached_managed_policies());
        Ok((name, Group { arn: group.arn().unwrap_or_default().to_owned(), policies }))
    }

    /// Adds a managed policy, if its current text is there; otherwise it is read later.
    fn policy(&mut self, policy: &ManagedPolicyDetail) {
        let mut versions = policy.policy_version_list().iter();
        let is_current = |id: Option<&str>| id.is_some() && id == policy.default_version_id();
        let current = versions.find(|version| version.is_default_version() || is_current(version.version_id()));
        if let (Some(arn), Some(text)) = (policy.arn(), current.and_then(|version| version.document())) {
            let text = self.text(text);
            self.managed.insert(arn.to_owned(), Reading::Present(text));
        }
    }

    /// Returns policies. One without text is kept as one that cannot be parsed.
    fn policies(&mut self, inline: &[PolicyDetail], attached: &[AttachedPolicy]) -> Policies {
        let inline = inline.iter().map(|policy| {
            let name = policy.policy_name().unwrap_or_default().to_owned();
            (name, self.text(policy.policy_document().unwrap_or_default()))
        });
        let inline = inline.collect();
        Policies { inline, attached: attached.iter().filter_map(|it| it.policy_arn().map(str::to_owned)).collect() }
    }

    fn text(&mut self, encoded: &str) -> Text {
        if let Some(known) = self.texts.get(encoded) {
            return Arc::clone(known);
        }
        let parsed: FoundDocument = document(encoded);
        let text = Arc::new(parsed);
        self.texts.insert(encoded.to_owned(), Arc::clone(&text));
        text
    }
}

/// Parses an ARN: without one, nothing can be said of the item.
fn valid<T: std::str::FromStr>(arn: Option<&str>) -> Result<T> {
    arn.and_then(|arn| arn.parse().ok()).ok_or_else(|| CALL.lacks("valid ARN for a user or role"))
}
