//! Looks for orphans beside the other reads of a run: one more list in each account.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::OnceCell;

use crate::aws::client::access::Access;
use crate::aws::iam::details;
use crate::cli::Half;
use crate::config::{Link, includes};
use crate::error::Result;
use crate::iam::names::AccountId;
use crate::iam::orphans::{Named, OrphanedGrant, OrphanedRole, Orphans, Unchecked};
use crate::iam::state::Reading;
use crate::iam::who::{Holder, HolderKind};
use crate::operations::accounts::SourceSide;
use crate::operations::run::Run;

/// Principals of an account.
type Holders = OnceCell<Reading<Vec<Holder>>>;

/// A search for orphans; the default looks nowhere.
#[derive(Default)]
pub struct Search {
    named: Named,
    /// `None` if the source account is not read.
    source: Option<Holders>,
    /// Read once for each account, whatever number of targets it has.
    targets: BTreeMap<AccountId, Holders>,
}

impl Search {
    /// Returns a search in the source account and the accounts of these links, or in one half only.
    ///
    /// # Errors
    /// When one of `other_files` cannot be used.
    pub fn new(links: &[Link], only: Option<Half>, run: &Run<'_>) -> Result<Self> {
        let mut named = run.file.named(run.context)?;
        links.iter().for_each(|link| named.add_role(&link.account, &link.role, &link.principals));
        let targets = links.iter().filter(|_| includes(only, Half::Target));
        let targets = targets.map(|link| (link.account.clone(), Holders::new())).collect();
        Ok(Self { named, source: includes(only, Half::Source).then(Holders::new), targets })
    }

    /// Reads the users and roles of the source account.
    pub async fn look_in_source(&self, access: &Access) {
        if let Some(cell) = &self.source {
            read(cell, access, &[HolderKind::User, HolderKind::Role]).await;
        }
    }

    /// Reads the roles of a target account.
    pub async fn look_in_target(&self, access: &Access, account: &AccountId) {
        if let Some(cell) = self.targets.get(account) {
            read(cell, access, &[HolderKind::Role]).await;
        }
    }

    /// Returns the orphans. `accounts` are the target accounts whose credentials were the right ones.
    #[must_use]
    pub fn found(mut self, source: &SourceSide, accounts: &BTreeSet<AccountId>) -> Orphans {
        let principals = source.grantees.iter().map(|grantee| grantee.arn.reference());
        principals.for_each(|principal| self.named.add_principal(&principal));
        let mut orphans = Orphans::default();
        for (account, cell) in &self.targets {
            match listed(cell.get().filter(|_| accounts.contains(account))) {
                Ok(holders) => {
                    let found = holders.iter().filter_map(|it| OrphanedRole::of(it, &source.account, &self.named));
                    orphans.roles.extend(found);
                }
                Err(why) => orphans.unchecked.push(Unchecked { account: account.clone(), why }),
            }
        }
        let Some(cell) = &self.source else { return orphans };
        // These principals' grants were read in any case.
        let read = source.grantees.iter().filter_map(|grantee| grantee.observed.as_ref());
        let own = read.filter_map(|it| OrphanedGrant::of(&it.arn, it.policies().next()?, &self.named));
        orphans.grants.extend(own);
        match listed(cell.get()) {
            Ok(holders) => {
                let is_read = |it: &Holder| source.grantees.iter().any(|grantee| grantee.arn.to_string() == it.arn);
                let others = holders.iter().filter(|it| !is_read(it));
                orphans.grants.extend(others.filter_map(|it| OrphanedGrant::of_holder(it, &self.named)));
            }
            Err(why) => orphans.unchecked.push(Unchecked { account: source.account.clone(), why }),
        }
        orphans
    }
}

async fn read(cell: &Holders, access: &Access, kinds: &[HolderKind]) {
    cell.get_or_init(async || {
        let read = details::holders(access, kinds).await;
        read.unwrap_or_else(|error| Reading::Unreadable {
            permission: String::new(),
            answer: error.own_message_and_answer(),
        })
    })
    .await;
}

/// Returns what was read, or why nothing was.
fn listed(read: Option<&Reading<Vec<Holder>>>) -> std::result::Result<&[Holder], String> {
    match read {
        Some(Reading::Present(holders)) => Ok(holders),
        Some(Reading::Unreadable { permission, .. }) if !permission.is_empty() => Err(format!("needs {permission}")),
        Some(Reading::Unreadable { answer, .. }) => Err(answer.clone()),
        Some(Reading::Absent) | None => Err("it could not be read".to_owned()),
    }
}
