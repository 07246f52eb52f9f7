//! The operator of an account, with its credentials.

use std::fmt::Write;

use crate::aws::client::access::Access;
use crate::aws::sts::Caller;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::CallerArn;
use crate::iam::state::Reading;
use crate::report::console::STRONG;
use crate::report::json;
use crate::report::several::{self, Own};

/// The operator of an account.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The credentials, ready to be used.
    pub access: Access,
    /// Their owner.
    pub caller: Caller,
}

impl Operator {
    /// Returns the value that was read, `None` if it does not exist.
    ///
    /// # Errors
    /// When AWS denied the read: an unreadable value must not count as absent.
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
            format!("AWS denied {permission} to the operator of account {} ({})", self.caller.account, self.caller.arn),
        )
        .hint(format!("allow {permission}; `xacct print policies` prints the minimal policies for both operators"))
        .note(format!("AWS response: {answer}"))
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
        format!("the credentials for the {side} account belong to the root user of account {}", caller.account),
    )
    .hint(format!("use credentials of an IAM user or role with IAM permissions: {option} NAME"))
    .hint("delete the root user's access keys; AWS advises against them"))
}

/// Writes the operator of an account, for people.
pub fn who(text: &mut String, side: &str, account: &str, operator: Option<&Operator>) {
    match operator {
        None => {
            let _ = writeln!(text, "{side:<8} {STRONG}{account}{STRONG:#}  not checked");
        }
        Some(operator) => {
            let _ = writeln!(text, "{side:<8} {STRONG}{account}{STRONG:#}  {}", operator.caller.arn);
            let _ = writeln!(text, "         {}", operator.access.origin);
            for endpoint in operator.access.endpoints() {
                let _ = writeln!(text, "         custom endpoint {endpoint}");
            }
        }
    }
}

/// Writes the operators of several targets, each with the number of its account: what they share once.
pub fn who_of_several<'a>(
    text: &mut String,
    names: &[&str],
    operators: impl Iterator<Item = (&'a str, Option<&'a Operator>)> + Clone,
    width: u16,
) {
    let callers = operators.clone().map(|(account, operator)| match operator {
        None => "not checked".to_owned(),
        // The rows have the account, and the line must fit.
        Some(operator) => {
            let arn = operator.caller.arn.to_string();
            let caller = arn.split_once(&format!(":{account}:")).map_or(arn.as_str(), |(_, caller)| caller);
            format!("accessed as {caller}")
        }
    });
    let callers = callers.map(Own::from);
    let origins = operators
        .clone()
        .map(|(account, operator)| {
            (account, operator.map(|operator| operator.access.origin.clone()).unwrap_or_default())
        })
        .map(|(account, origin)| Own::of(origin, account));
    let endpoints = operators.map(|(_, operator)| {
        let endpoints = operator.map(|operator| operator.access.endpoints()).unwrap_or_default();
        endpoints.iter().map(|endpoint| format!("custom endpoint {endpoint}")).collect::<Vec<_>>().join(", ").into()
    });
    let paragraphs = [several::said(names, callers), several::said(names, origins), several::said(names, endpoints)];
    write_paragraphs(text, "Targets", &paragraphs.concat(), width);
}

/// Writes paragraphs after one label.
pub fn write_paragraphs(text: &mut String, label: &str, paragraphs: &[String], width: u16) {
    for (number, paragraph) in paragraphs.iter().enumerate() {
        let label = if number == 0 { label } else { "" };
        let _ = writeln!(text, "{}", several::filled(paragraph, &format!("{label:<9}"), "           ", width));
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
