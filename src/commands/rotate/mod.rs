//! `xacct rotate`: replaces a link's external ID, with a time in between in which the role accepts both.

mod arguments;

use std::fmt;

use super::bootstrap::{self, Bootstrap, Settings, Work};
use super::command_line::{Start, Verb};
use crate::cli::Half;
use crate::config::{self, ExternalIdChoice, Link, VARIABLE};
use crate::error::{Ended, Error, ExitCode, Result};
use crate::operations::consumers::{Sought, places};
use crate::operations::interrupt;
use crate::operations::run::Run;
use crate::text::shell::ShellCommand;
pub use arguments::Rotate;

impl Verb for Rotate {
    const NAME: &'static str = "rotate";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, rotate(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct rotate`.
async fn rotate(args: &Rotate, run: &Run<'_>) -> Result<ExitCode> {
    if args.only == Some(Half::Source) {
        return Err(Error::usage("rotate changes only the role in the target account").hint("use --only target"));
    }
    // A target that the file does not name would be a new one for bootstrap.
    let recorded = config::recorded_links(&run.file, &args.targets, None)?;
    recorded.iter().try_for_each(|link| check_is_ours(link, run))?;
    if let ([_, _, ..], Some(id)) = (recorded.as_slice(), &args.new_external_id) {
        return Err(Error::usage(format!("several targets cannot have the one external ID `{id}`"))
            .hint("name one target, or omit --new-external-id: xacct generates one for each"));
    }
    let making = args.as_bootstrap(recorded.iter().map(|link| link.name.clone()).collect());
    let mut settings = Settings::resolve(&making, run)?;
    if args.finish {
        finish(&mut settings.links, run)?;
        who_still_sends(&settings.links, run)?;
    } else {
        settings.links.iter_mut().try_for_each(|link| begin(link, args, run))?;
    }
    let made = bootstrap::make(settings, &making, run).await?;
    bootstrap::tell(&made, Rotate::NAME, &making, run);
    if made.recorded.is_some() && made.exit_code == ExitCode::Done {
        next(&made.work, args, run)?;
    }
    Ok(made.exit_code)
}

/// Refuses a link whose role or external ID is not for xacct to change.
fn check_is_ours(link: &Link, run: &Run<'_>) -> Result<()> {
    link.check_unmanaged("the external ID")?;
    let file = &run.file;
    let is_elsewhere = file.target(&link.name).is_some_and(|known| known.is_external_id_elsewhere);
    if is_elsewhere && file.local.variable.is_some() {
        let local = file.local.path.display();
        return Err(Error::usage(format!(
            "{VARIABLE} has the external ID of target `{}`, and rotate cannot change it",
            link.name
        ))
        .hint(format!("write the ID to `{local}`, and unset {VARIABLE}")));
    }
    Ok(())
}

/// Lets the role accept a new external ID beside those on record. If it does already, that is the one: an earlier run was
/// interrupted before it could record it.
fn begin(link: &mut Link, args: &Rotate, run: &Run<'_>) -> Result<()> {
    let Some(current) = link.external_id.known().cloned() else {
        return Err(Error::usage(format!("target `{}` has no external ID to replace", link.name)).hint(format!(
            "to require one: {}",
            run.file.xacct().arg("bootstrap").arg(&link.name).flag("--generate-external-id")
        )));
    };
    let is_begun = !link.old_external_ids.is_empty();
    match &args.new_external_id {
        None if is_begun => {}
        Some(new) if is_begun && *new == current => {}
        Some(new) if link.external_ids().any(|id| id == new) => {
            return Err(Error::usage(format!("target `{}` has the external ID `{new}` already", link.name))
                .hint("choose another one, or omit --new-external-id: xacct generates one"));
        }
        Some(_) if is_begun => {
            return Err(Error::usage(format!("target `{}` still accepts an old external ID", link.name))
                .hint(format!("remove it first: {}", command([&link.name], run).flag("--finish"))));
        }
        new => {
            link.begins_rotation = true;
            link.old_external_ids = vec![current];
            link.external_id = new.clone().map_or(ExternalIdChoice::Generate, ExternalIdChoice::Use);
        }
    }
    Ok(())
}

/// Lets the roles accept the new external ID only. Those that an earlier run has finished are left out.
fn finish(links: &mut Vec<Link>, run: &Run<'_>) -> Result<()> {
    let (mut begun, done): (Vec<_>, Vec<_>) = links.drain(..).partition(|link| !link.old_external_ids.is_empty());
    if let Some(first) = done.first().filter(|_| begun.is_empty()) {
        return Err(Error::usage(format!("target `{}` accepts no old external ID", first.name))
            .hint(format!("to replace its external ID: {}", command([&first.name], run))));
    }
    for link in done {
        run.console.say(&format!("Target {} accepts no old external ID", link.name));
    }
    begun.iter_mut().for_each(|link| link.old_external_ids.clear());
    *links = begun;
    Ok(())
}

/// Says what still has the IDs that are about to end, and how to find out who sends them.
fn who_still_sends(links: &[Link], run: &Run<'_>) -> Result<()> {
    for link in links {
        for id in link.former_external_ids() {
            let places = places(Sought::ExternalId(id), run)?;
            if !places.is_empty() {
                run.console.warn(&format!("Still with the old external ID {id}:\n  {}", places.join("\n  ")));
            }
        }
    }
    run.console.say(&format!(
        "Who sends which external ID, by CloudTrail: {}",
        audit(links.iter().map(|link| &link.name), run)
    ));
    Ok(())
}

/// Returns this command for these targets.
fn command<T: fmt::Display>(names: impl IntoIterator<Item = T>, run: &Run<'_>) -> ShellCommand {
    run.file.xacct().args(["rotate", "external-id"]).args(names)
}

/// Returns the command that prints queries for these targets.
fn audit<T: fmt::Display>(names: impl Iterator<Item = T>, run: &Run<'_>) -> ShellCommand {
    run.file.xacct().args(["print", "audit-query"]).args(names)
}

/// Says what to change before the old IDs end.
fn next(work: &Work, args: &Rotate, run: &Run<'_>) -> Result<()> {
    let console = run.console;
    if args.finish {
        for job in work.jobs.iter().filter(|job| job.state.rejects_wrong_external_id()) {
            console.say(&format!("{} rejects the old external ID", job.role));
        }
        let revoke = run.file.xacct().arg("revoke").args(work.names());
        console.say(&format!("Sessions opened with it last until they expire; to end all current sessions: {revoke}"));
        return Ok(());
    }
    for job in &work.jobs {
        let link = &job.link;
        for id in &link.old_external_ids {
            let new = link.external_id.known().map(ToString::to_string).unwrap_or_default();
            console.say(&format!("{} accepts {new}, and still {id}. Now change whatever sends the old one:", job.role));
            for place in places(Sought::ExternalId(id), run)? {
                console.say(&format!("  {place}"));
            }
            console.say("  settings that xacct printed: print them again");
        }
    }
    console.say(&format!("Who sends which external ID, by CloudTrail: {}", audit(work.names().into_iter(), run)));
    console.say(&format!("When nothing sends it anymore: {}", command(work.names(), run).flag("--finish")));
    Ok(())
}

impl Rotate {
    /// Returns the run of bootstrap that makes the change.
    fn as_bootstrap(&self, targets: Vec<String>) -> Bootstrap {
        Bootstrap {
            only: self.only,
            changes: self.changes.clone(),
            allow_weaker: self.allow_weaker,
            no_verify: self.no_verify,
            ..Bootstrap::of(targets, self.timeout, self.access.clone(), self.proof.clone(), self.report)
        }
    }
}
