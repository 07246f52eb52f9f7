//! Diagnoses saved facts: offline as they are, or completed with credentials of the other account.

use std::path::Path;

use super::arguments::Diagnose;
use super::diagnosed::Diagnosed;
use super::links::with_options;
use super::{facts_file, message};
use crate::commands::command_line::Start;
use crate::config::{self, Link, Source};
use crate::diagnosis::{Diagnosis, Facts, diagnose, outdated, provenance};
use crate::error::{Error, Result};
use crate::operations::complete::{Completion, Means, own_link};
use crate::operations::explain::now;
use crate::operations::run::{Opening, Run};

const USUAL_FILE: &str = "xacct.toml";

/// Returns the run for saved facts: offline, they need no `xacct.toml`.
///
/// # Errors
/// When `xacct.toml` is needed and cannot be read, or options contradict each other.
pub fn start<'a>(args: &Diagnose, start: &Start<'a>) -> Result<Run<'a>> {
    if let Some(option) = args.typed.request.filter(|_| !args.typed.user_profile) {
        return Err(Error::usage(format!("{option} changes the request, but --facts uses the saved one"))
            .hint("to send it again, name the user's credentials: --user-profile NAME"));
    }
    if args.typed.credentials() { start.load() } else { Ok(start.without_file()) }
}

/// Diagnoses the facts in this file.
///
/// # Errors
/// When the file cannot be read, or credentials that an option names do not work or are not those of the link.
pub async fn diagnosed(path: &Path, args: &Diagnose, run: &Run<'_>) -> Result<Diagnosed> {
    let shown = path.display().to_string();
    let mut facts = facts_file::read(path, run)?;
    // The path is the sender's, and the fixes are for whoever reads this.
    facts.link.file = USUAL_FILE.to_owned();
    facts.link.lacks_config = !run.context.directory.join(USUAL_FILE).is_file();
    if let Some(out) = &args.save_facts {
        facts_file::check_overwrites(out, run)?;
        if args.redact && run.context.directory.join(out) == run.context.directory.join(path) {
            return Err(Error::usage(format!("--redact would remove the account IDs from `{shown}` for good"))
                .hint("save the redacted facts in another file"));
        }
    }
    if !args.typed.credentials() {
        let mut diagnosis = diagnose(&facts);
        diagnosis.warnings.extend(now(run).and_then(|now| outdated(&facts, now)));
        return Ok(reported(&facts, diagnosis, args, run));
    }
    facts.check_joinable(&shown)?;
    let mut source = Source::from(&run.file.source);
    let own = own(&facts, &source, args, run)?;
    if own.is_some() {
        facts.link.file = run.file.path.display().to_string();
    }
    source.user_profile = args.user.user_profile.clone().or(source.user_profile);
    source.profile = args.profile.clone().or(source.profile);
    let region = args.user.region.clone().or_else(|| own.as_ref()?.region.clone());
    let opening = Opening { user: &args.user, region, path_style: false, sts_rate: Some(args.report.sts_rate) };
    let connections = run.open_connections(opening)?;
    let completion = Completion {
        run,
        connections: &connections,
        own: own.as_ref(),
        source: &source,
        user: Means { is_asked: args.typed.user_profile, profile: source.user_profile.clone() },
        source_operator: Means { is_asked: args.typed.profile, profile: source.profile.clone() },
        target_operator: Means { is_asked: args.typed.target_profile, profile: args.target_profile.clone() },
        duration: args.request.duration,
    };
    let (mut facts, proof) = completion.complete(facts).await?;
    facts.link.lacks_config = own.is_none();
    let is_of_others = facts.target.role.present().is_some_and(|role| !role.is_ours);
    if let Some(out) = args.save_facts.as_ref().filter(|_| is_of_others && own.is_none()) {
        run.console.warn(&format!(
            "{} has the policies of role {}, which xacct did not create: check that you want to send them",
            out.display(),
            facts.link.role
        ));
    }
    let mut diagnosis = diagnose(&facts);
    diagnosis.notes.push(provenance(&facts));
    Ok(Diagnosed { proof, ..reported(&facts, diagnosis, args, run) })
}

/// Returns the link of the facts in the caller's own `xacct.toml`; `None` if there is no such file.
fn own(facts: &Facts, source: &Source, args: &Diagnose, run: &Run<'_>) -> Result<Option<Link>> {
    let is_absent = run.file.text.is_none() || run.file.targets.is_empty();
    if is_absent && run.file.path.as_os_str() == USUAL_FILE {
        return Ok(None);
    }
    let mut links = config::recorded_links(&run.file, &[], None)?;
    with_options(&mut links, args, run)?;
    let file = run.file.path.display().to_string();
    own_link(facts, links, &run.file.principals, source, &file).map(Some)
}

/// Returns the diagnosis of these facts, saved if an option says so.
fn reported(facts: &Facts, diagnosis: Diagnosis, args: &Diagnose, run: &Run<'_>) -> Diagnosed {
    let not_saved = facts_file::save_if_asked(Some(facts), args, run).err().inspect(|error| run.console.error(error));
    Diagnosed {
        name: facts.link.name.clone(),
        account: facts.link.role.account.to_string(),
        role_name: facts.link.role.name.to_string(),
        role: facts.link.role.to_string(),
        user: facts.link.of_link().label(),
        messages: message::messages(facts, &diagnosis.findings, args, not_saved.is_none(), run),
        proof: None,
        diagnosis: Some(diagnosis),
        not_saved,
    }
}
