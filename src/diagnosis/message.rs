//! Messages to people who can read, test or repair what the credentials of this run cannot.

use serde::Serialize;

use super::age;
use super::cause::Side;
use super::facts::{Answer, Facts};
use super::finding::{Certainty, Finding};
use super::join::Part;
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

/// Returns the messages to send, if these facts alone do not show the cause, or it lies in an account that is not in `own`:
/// the parts of the facts whose operator runs xacct.
#[must_use]
pub fn messages(facts: &Facts, findings: &[Finding], own: &[Part], saved: &Saved<'_>) -> Vec<Message> {
    let is_settled = findings.iter().any(|finding| finding.certainty == Certainty::Certain);
    let parts: &[Part] = match &facts.answer {
        // The operator saves the facts to send them.
        Answer::NotSent(_) if facts.lacks(Part::Request) && matches!(saved, Saved::As(_)) => &[Part::Request],
        Answer::Refused(answer) if answer.is_denial() && !is_settled => &[Part::Target, Part::Source],
        _ => &[],
    };
    let wanted = parts.iter().filter(|part| facts.lacks(**part) && !facts.was_read_by_operator(**part));
    let asked = wanted.map(|part| message(facts, *part, saved));
    let told = to_repair(findings, own).into_iter().map(|(part, causes)| repair(facts, part, &causes, saved));
    asked.chain(told).collect()
}

/// Returns the accounts that are not in `own` and in which a cause certainly lies, with the causes.
fn to_repair(findings: &[Finding], own: &[Part]) -> Vec<(Part, Vec<&'static str>)> {
    let parts = [(Part::Target, Side::Target), (Part::Source, Side::Source)];
    let others = parts.into_iter().filter(|(part, _)| !own.contains(part));
    let with_causes = others.map(|(part, side)| {
        let is_there = |it: &&Finding| it.side == side && it.certainty == Certainty::Certain && !it.foreseen;
        (part, findings.iter().filter(is_there).map(|it| it.cause.id()).collect::<Vec<_>>())
    });
    with_causes.filter(|(_, causes)| !causes.is_empty()).collect()
}

/// Returns the accounts whose operators read these facts.
#[must_use]
pub fn operated(facts: &Facts) -> Vec<Part> {
    [Part::Source, Part::Target].into_iter().filter(|part| facts.was_read_by_operator(*part)).collect()
}

/// Says where to get the messages about a cause in the account of somebody else, if there is one.
#[must_use]
pub fn note(facts: &Facts, findings: &[Finding]) -> Option<String> {
    let to: Vec<_> =
        to_repair(findings, &operated(facts)).into_iter().map(|(part, _)| recipient(facts, part)).collect();
    (!to.is_empty()).then(|| format!("xacct diagnose writes a message for the {}", to.join(" and the ")))
}

/// Returns who can add this part.
fn recipient(facts: &Facts, part: Part) -> String {
    match part {
        Part::Request => format!("{} of account {}", facts.link.whose(), facts.source_account()),
        Part::Source => format!("operator of source account {}", facts.source_account()),
        Part::Target => format!("operator of target account {}", facts.link.role.account),
    }
}

impl Saved<'_> {
    /// Returns the command that saves the file, if it is not saved, and the file.
    fn command_and_file(&self) -> (Option<ShellCommand>, &str) {
        match self {
            Saved::As(file) => (None, file),
            Saved::With(command, file) => (Some((*command).clone()), file),
        }
    }
}

/// Returns the message to the operator of the account in which these causes lie.
fn repair(facts: &Facts, part: Part, causes: &[&str], saved: &Saved<'_>) -> Message {
    let (save, file) = saved.command_and_file();
    Message {
        to: recipient(facts, part),
        save,
        file: file.to_owned(),
        report: format!("{} The cause is in your account: {}.", report(facts), causes.join(", ")),
        request: "To see the evidence and the fix, run this; it needs no credentials:".to_owned(),
        command: ShellCommand::new("xacct").arg("diagnose").option("--facts", file),
        then: format!("Please make the fix, and tell me when it is done. {file} contains no secrets."),
    }
}

/// Returns the message to whoever can add this part.
fn message(facts: &Facts, part: Part, saved: &Saved<'_>) -> Message {
    let (save, file) = saved.command_and_file();
    let (what, option) = match part {
        Part::Request => {
            ("in the directory of your xacct.toml, with your own credentials; it tests the link", "--user-profile")
        }
        Part::Source => ("with credentials that can read this user and its policies; it changes nothing", "--profile"),
        Part::Target => ("with credentials that can read this role; it changes nothing", "--target-profile"),
    };
    let command = ShellCommand::new("xacct")
        .arg("diagnose")
        .option("--facts", file)
        .option(option, "PROFILE")
        .option("--save-facts", file);
    Message {
        to: recipient(facts, part),
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
    let user = capitalized(&format!("{} of account {}", facts.link.whose(), facts.source_account()));
    let answer = match &facts.answer {
        Answer::Refused(answer) => answer,
        Answer::NotSent(_) => return format!("{user} should be able to assume {role}."),
        Answer::Accepted(_) => return format!("{user} can assume {role}, but there is a problem."),
    };
    let caller = match facts.caller.identity.present() {
        Some(caller) => caller.to_string(),
        None => format!("{} of account {}", facts.link.whose(), facts.source_account()),
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

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
