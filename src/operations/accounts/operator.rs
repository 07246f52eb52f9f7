//! Who works in an account, and with which credentials.

use std::fmt::Write;

use crate::aws::client::access::Access;
use crate::aws::sts::Caller;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::CallerArn;
use crate::iam::state::Reading;
use crate::report::console::STRONG;
use crate::report::json;

/// Who works in an account.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The credentials, ready to be used.
    pub access: Access,
    /// Who they belong to.
    pub caller: Caller,
}

impl Operator {
    /// What was read, `None` where nothing is there.
    ///
    /// # Errors
    /// When AWS denied the read: what cannot be read must not be taken for absent.
    pub fn readable<T>(&self, reading: Reading<T>) -> Result<Option<T>> {
        match reading {
            Reading::Present(found) => Ok(Some(found)),
            Reading::Absent => Ok(None),
            Reading::Unreadable { permission, answer } => Err(self.denied(&permission, &answer)),
        }
    }

    fn denied(&self, permission: &str, answer: &str) -> Error {
        Error::new(
        Kind::Refused,
        format!(
            "the operator of account {} ({}) may not read what there is: {permission} was refused",
            self.caller.account, self.caller.arn
        ),
    )
    .hint(format!(
        "allow {permission}; policies/ has the least that an operator needs, for the source and for the target account"
    ))
    .note(format!("AWS said: {answer}"))
    }
}

/// Refuses credentials of the root user, which no IAM policy limits.
///
/// # Errors
/// When they are the root user's.
pub fn refuse_root(caller: &Caller, side: &str, option: &str) -> Result<()> {
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

/// Writes who works in an account, for people.
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
