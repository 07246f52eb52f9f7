//! Messages to people who can read or test what the credentials of this run cannot.

use serde::Serialize;

use super::age;
use super::facts::{Answer, Facts};
use super::finding::{Certainty, Finding};
use super::join::Part;
use crate::iam::arn::CallerArn;
use crate::iam::state::Reading;
use crate::text::shell::ShellCommand;

/// A message to send, with a facts file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The recipient.
    pub to: String,
    /// The command that saves the file to send; absent if it is saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save: Option<ShellCommand>,
    /// The file to send.
    pub file: String,
    /// What happened.
    pub report: String,
    /// What to do with the command.
    pub request: String,
    /// The command for the recipient, in the directory of the file.
    pub command: ShellCommand,
    /// What to do then.
    pub then: String,
}

/// The facts file of this run.
pub enum Saved<'a> {
    /// It has this name, and can be completed.
    As(&'a str),
    /// None; this command writes one with this name.
    With(&'a ShellCommand, &'a str),
}

/// Returns the messages to send, if these facts alone do not show the cause.
#[must_use]
pub fn messages(facts: &Facts, findings: &[Finding], saved: &Saved<'_>) -> Vec<Message> {
    let is_settled = findings.iter().any(|finding| finding.certainty == Certainty::Certain);
    let parts: &[Part] = match &facts.answer {
        // The operator saves the facts to send them.
        Answer::NotSent(_) if facts.lacks(Part::Request) && matches!(saved, Saved::As(_)) => &[Part::Request],
        Answer::Refused(answer) if answer.is_denial() && !is_settled => &[Part::Target, Part::Source],
        _ => &[],
    };
    let wanted = parts.iter().filter(|part| facts.lacks(**part) && !was_read_by_operator(facts, **part));
    wanted.map(|part| message(facts, *part, saved)).collect()
}

/// Returns whether an operator of this account read it: then only a permission is missing.
fn was_read_by_operator(facts: &Facts, part: Part) -> bool {
    let is_of = |identity: &Reading<CallerArn>, account: &str| {
        let owner = identity.present();
        let is_user = owner.and_then(CallerArn::user).is_some_and(|user| user.name == facts.link.user);
        owner.and_then(CallerArn::account).is_some_and(|owner| owner.as_str() == account)
            && (part == Part::Target || !is_user)
    };
    match part {
        Part::Request => false,
        Part::Source => is_of(&facts.source.operator.identity, &facts.source_account()),
        Part::Target => is_of(&facts.target.operator.identity, facts.link.role.account.as_str()),
    }
}

fn message(facts: &Facts, part: Part, saved: &Saved<'_>) -> Message {
    let (save, file) = match saved {
        Saved::As(file) => (None, *file),
        Saved::With(command, file) => (Some((*command).clone()), *file),
    };
    let (user, role) = (&facts.link.user, &facts.link.role);
    let source = facts.source_account();
    let (to, what, option) = match part {
        Part::Request => {
            let directory = "in the directory of your xacct.toml, with your own credentials; it tests the link";
            (format!("user {user} of account {source}"), directory, "--user-profile")
        }
        Part::Source => {
            let what = "with credentials that can read this user and its policies; it changes nothing";
            (format!("operator of source account {source}"), what, "--profile")
        }
        Part::Target => {
            let what = "with credentials that can read this role; it changes nothing";
            (format!("operator of target account {}", role.account), what, "--target-profile")
        }
    };
    let command = ShellCommand::new("xacct")
        .arg("diagnose")
        .option("--facts", file)
        .option(option, "PROFILE")
        .option("--save-facts", file);
    Message {
        to,
        save,
        file: file.to_owned(),
        report: report(facts),
        request: format!("Please run this {what}:"),
        command,
        then: format!("It shows the cause, or what else is missing. Please send {file} back; it contains no secrets."),
    }
}

/// Returns what happened, with everything that identifies the request.
fn report(facts: &Facts) -> String {
    let role = &facts.link.role;
    let Answer::Refused(answer) = &facts.answer else {
        let user = &facts.link.user;
        return format!("User {user} of account {} should be able to assume {role}.", facts.source_account());
    };
    let caller = match facts.caller.identity.present() {
        Some(caller) => caller.to_string(),
        None => format!("user {} of account {}", facts.link.user, facts.source_account()),
    };
    let code = answer.code.as_deref().filter(|code| is_word(code)).unwrap_or("an error");
    let (service, operation) = (&answer.service, &answer.operation);
    let request_to =
        if is_word(service) && is_word(operation) { format!("{service}:{operation}") } else { "a request".to_owned() };
    let at = facts.asked_at.and_then(age::written).map_or_else(String::new, |at| format!(" at {at}"));
    let id = answer.request_id.as_ref().filter(|id| is_word(id));
    let id = id.map_or_else(String::new, |id| format!(", request ID {id}"));
    let request = &facts.request;
    let external_id = if request.external_id.is_some() { "with" } else { "without" };
    format!(
        "{caller} cannot assume {role}. AWS answered {code} to {request_to}{at} in Region {}{id}. The request was sent \
         {external_id} an external ID.",
        request.region
    )
}

/// Returns whether this can be a name or an ID of AWS's. Facts of others could have whole sentences in its place, and the
/// message is sent on.
fn is_word(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./+=".contains(c))
}

#[cfg(test)]
mod tests;
