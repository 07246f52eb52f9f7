//! Reads what `who` evaluates: the source account once, and the role of every link.

use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::iam::details;
use crate::aws::iam::read::{self, FoundRole};
use crate::aws::sts;
use crate::config::{Link, Source};
use crate::error::Result;
use crate::iam::state::Reading;
use crate::iam::who::Account;
use crate::operations::accounts::{self, Operator};

/// The source account as read.
pub(super) struct SourceHalf {
    pub operator: Operator,
    pub account: Reading<Account>,
}

impl SourceHalf {
    /// Returns why the account could not be read, if so.
    pub fn unread(&self) -> Option<String> {
        match &self.account {
            Reading::Unreadable { permission, answer } => Some(denied(permission, answer)),
            _ => None,
        }
    }

    pub fn is_complete(&self) -> bool {
        self.account.present().is_some()
    }
}

/// The role of a link as read.
pub(super) struct TargetHalf {
    pub operator: Operator,
    pub role: Reading<FoundRole>,
}

/// Returns a denied read in words.
pub(super) fn denied(permission: &str, answer: &str) -> String {
    if permission.is_empty() { answer.to_owned() } else { format!("needs {permission} ({answer})") }
}

/// Reads the source account.
pub(super) async fn source(access: &Access, source: &Source) -> Result<SourceHalf> {
    let operator = accounts::source_operator(access, source).await?;
    let account = details::account(access, &operator.caller.account).await;
    let account = account.map_err(|error| error.context(format!("source account {}", operator.caller.account)))?;
    Ok(SourceHalf { operator, account })
}

/// Reads the role of a link.
pub(super) async fn target(connections: &Connections, link: &Link, source: &Access) -> Result<TargetHalf> {
    let access = accounts::enter_in_region(connections, link, Some(source)).await?;
    let (caller, role) = tokio::join!(sts::caller(&access), read::role(&access, &link.role));
    let operator = accounts::operator_of(link, access, caller)?;
    let role = role.map_err(|error| error.context(format!("target account {}", link.account)))?;
    Ok(TargetHalf { operator, role })
}
