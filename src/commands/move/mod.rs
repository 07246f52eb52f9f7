//! `xacct move`: gives a link a role with another name or path, with a time in between in which the user may assume both.

mod arguments;
mod begin;
mod finish;
mod hints;

use super::bootstrap::{self, Bootstrap, Settings};
use super::command_line::{Start, Verb};
use crate::config::{self, Link};
use crate::error::{Ended, ExitCode, Result};
use crate::operations::consumers::{Sought, places};
use crate::operations::interrupt;
use crate::operations::run::Run;
pub use arguments::Move;
use begin::begin;
use finish::finish;
use hints::{audit, command};

impl Verb for Move {
    const NAME: &'static str = hints::NAME;

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, move_links(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct move`.
async fn move_links(args: &Move, run: &Run<'_>) -> Result<ExitCode> {
    let recorded = config::recorded_links(&run.file, &args.targets, None)?;
    recorded.iter().try_for_each(|link| link.check_unmanaged("the role's name"))?;
    if args.finish {
        return finish(recorded, args, run).await;
    }
    let making = args.as_bootstrap(recorded.iter().map(|link| link.name.clone()).collect());
    let mut settings = Settings::resolve(&making, run)?;
    begin(&mut settings.links, args, run)?;
    settings.source.grant.check_roles(&settings.links, &run.file)?;
    let made = bootstrap::make(settings, &making, run).await?;
    bootstrap::tell(&made, Move::NAME, &making, run);
    if made.recorded.is_some() {
        let links: Vec<_> = made.work.jobs.iter().map(|job| &job.link).collect();
        match made.exit_code {
            ExitCode::Done => next(&links, run)?,
            _ => repeat(&links, run),
        }
    }
    Ok(made.exit_code)
}

/// Says what to change before the old roles are removed.
fn next(links: &[&Link], run: &Run<'_>) -> Result<()> {
    let console = run.console;
    for link in links {
        let Some(old) = link.old_role() else { continue };
        let new = link.role_arn(old.partition);
        console.say(&format!("Moved {} to {new}", link.name));
        console.say(&format!("{old} still works. Now change whatever uses it:"));
        for place in places(Sought::Role(old), run)? {
            console.say(&format!("  {place}"));
        }
        console.say("  settings that xacct printed: print them again");
    }
    let names = || links.iter().map(|link| &link.name);
    console.say(&format!("Who uses which role, by CloudTrail: {}", audit(run).args(names())));
    console.say(&format!("When nothing uses the old role anymore: {}", command(run).args(names()).flag("--finish")));
    Ok(())
}

/// Says how a move that is not complete goes on, or back.
fn repeat(links: &[&Link], run: &Run<'_>) {
    for (link, old) in links.iter().filter(|link| link.begins_move).filter_map(|link| Some((link, link.old_role()?))) {
        let again = command(run).arg(&link.name);
        run.console.say(&format!("{} keeps its old role until the new one works; to continue: {again}", link.name));
        run.console.say(&format!("To go back: {}", again.option("--role-name", &old.name)));
    }
}

impl Move {
    /// Returns the run of bootstrap that makes the change.
    fn as_bootstrap(&self, targets: Vec<String>) -> Bootstrap {
        Bootstrap {
            changes: self.changes.clone(),
            allow_weaker: self.allow_weaker,
            no_verify: self.no_verify,
            ..Bootstrap::of(targets, self.timeout, self.access.clone(), self.proof.clone(), self.report)
        }
    }
}
