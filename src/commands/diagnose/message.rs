//! The messages to send to those who can read, test or repair what this run cannot.

use std::path::PathBuf;

use super::arguments::Diagnose;
use crate::diagnosis::{Facts, Finding, Message, Part, Saved, messages as messages_of, operated};
use crate::operations::run::Run;
use crate::text::shell::ShellCommand;

/// The facts file that a message asks for, if none was saved.
const FILE: &str = "facts.json";

/// Returns the messages to send about these facts.
pub fn messages(facts: &Facts, findings: &[Finding], args: &Diagnose, is_saved: bool, run: &Run<'_>) -> Vec<Message> {
    // Only joinable facts are worth sending.
    if facts.redacted {
        return Vec::new();
    }
    let is_read = args.facts.is_some() && !args.typed.credentials();
    let written = args.save_facts.as_ref().filter(|_| is_saved && !args.redact);
    let path = if is_read { args.facts.as_ref() } else { written };
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let own = own(facts, args);
    match path.and_then(name) {
        Some(name) => messages_of(facts, findings, &own, &Saved::As(&name)),
        None => messages_of(facts, findings, &own, &Saved::With(&save(facts, args, run), FILE)),
    }
}

/// Returns the accounts whose operator runs this command. Whoever completed saved facts has seen the diagnosis, so that
/// nobody needs a message about it from somebody who only reads them.
fn own(facts: &Facts, args: &Diagnose) -> Vec<Part> {
    match &args.facts {
        None => operated(facts),
        Some(_) if !args.typed.credentials() => vec![Part::Source, Part::Target],
        Some(_) => {
            let named = [(args.typed.profile, Part::Source), (args.typed.target_profile, Part::Target)];
            named.into_iter().filter_map(|(is_named, part)| is_named.then_some(part)).collect()
        }
    }
}

/// Returns this command with an option that saves the facts.
fn save(facts: &Facts, args: &Diagnose, run: &Run<'_>) -> ShellCommand {
    let config = Some(run.file.path.display().to_string()).filter(|path| path != "xacct.toml");
    let command = ShellCommand::new("xacct").arg("diagnose");
    let command = match &args.facts {
        Some(path) => command.option("--facts", path.display()),
        None => command.arg(&facts.link.name),
    };
    command
        .option_if("--profile", args.profile.as_ref().filter(|_| args.typed.profile))
        .option_if("--target-profile", args.target_profile.as_ref().filter(|_| args.typed.target_profile))
        .option_if("--user-profile", args.user.user_profile.as_ref().filter(|_| args.typed.user_profile))
        .option_if("--config", config)
        .option("--save-facts", FILE)
}
