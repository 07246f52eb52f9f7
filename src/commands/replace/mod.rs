//! `xacct replace`: gives links to another principal, with a time in between in which both have them.

mod arguments;

use super::bootstrap::{self, Bootstrap, Settings, Work};
use super::command_line::{Start, Verb};
use crate::config::{self, Link};
use crate::error::{Ended, Error, ExitCode, Result};
use crate::iam::arn::PrincipalRef;
use crate::operations::interrupt;
use crate::operations::run::Run;
use crate::text::shell::ShellCommand;
pub use arguments::Replace;

impl Verb for Replace {
    const NAME: &'static str = "replace";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, replace(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct replace`.
async fn replace(args: &Replace, run: &Run<'_>) -> Result<ExitCode> {
    if args.old.is_same(&args.new) {
        return Err(Error::usage(format!("{} cannot replace itself", args.old.in_words()))
            .hint("specify another principal: --with NEW"));
    }
    let links = links(args, run)?;
    let making = args.as_bootstrap(links.iter().map(|link| link.name.clone()).collect());
    let mut settings = Settings::resolve(&making, run)?;
    // Targets without principals of their own have those of the source, which change if all of them do.
    let of_source = |links: &[Link]| links.iter().filter(|link| !link.has_own_principals).count();
    let changes_source = of_source(&settings.links) == of_source(&config::all_links(&run.file)?);
    for link in &mut settings.links {
        link.principals = changed(link.principals.clone(), args, &link.name, run)?;
        link.has_own_principals |= !changes_source;
        link.gives_to = Some(args.new.clone());
        link.check_principals()?;
        if !link.has_own_principals {
            settings.source.principals.clone_from(&link.principals);
        }
    }
    settings.source.grant.check_roles(&settings.links, &run.file)?;
    if args.finish {
        settings.source.leaving = Some(args.old.clone());
    }
    settings.source.tested_as = Some(args.new.clone());
    // The file's may still be the old one's.
    settings.source.user_profile.clone_from(&args.proof.user.user_profile);
    settings.source.profile_to_try.clone_from(&run.file.source.user_profile);
    let made = bootstrap::make(settings, &making, run).await?;
    bootstrap::tell(&made, Replace::NAME, &making, run);
    if made.recorded.is_some() && made.exit_code == ExitCode::Done {
        next(&made.work, args, run);
    }
    Ok(made.exit_code)
}

/// Returns the links that the old principal has.
fn links(args: &Replace, run: &Run<'_>) -> Result<Vec<Link>> {
    let has = |link: &Link, wanted: &PrincipalRef| link.principals.iter().any(|it| it.is_same(wanted));
    let asked = config::recorded_links(&run.file, &args.targets, None)?;
    // What an interrupted run has finished is only tested again.
    let is_finished = |link: &Link| args.finish && has(link, &args.new);
    let any_left = asked.iter().any(|link| has(link, &args.old));
    let is_meant = |link: &Link| has(link, &args.old) || is_finished(link) && (!args.targets.is_empty() || !any_left);
    let (links, others): (Vec<_>, Vec<_>) = asked.into_iter().partition(is_meant);
    links.iter().try_for_each(|link| link.check_unmanaged("the principals"))?;
    if let Some(moving) = links.iter().find(|link| link.other_role.is_some()) {
        let finish = run.file.xacct().arg("move").arg(&moving.name);
        return Err(Error::usage(format!("target `{}` is being moved to another role", moving.name))
            .hint(format!("finish that first: {} or {finish}", finish.clone().flag("--finish"))));
    }
    // Without targets, only its own ones are meant.
    let unmet = others.first().filter(|_| !args.targets.is_empty() || links.is_empty());
    let Some(other) = unmet else { return Ok(links) };
    let error = Error::usage(format!(
        "{} does not have target `{}`, which is for {}",
        args.old.in_words(),
        other.name,
        other.principals_in_words()
    ));
    Err(match has(other, &args.new) {
        true => error.note(format!("{} has it already", args.new.in_words())),
        false => error.hint("specify a principal that has it"),
    })
}

/// Returns the principals with the new one beside the old one, or in its place.
fn changed(mut own: Vec<PrincipalRef>, args: &Replace, target: &str, run: &Run<'_>) -> Result<Vec<PrincipalRef>> {
    let has_new = own.iter().any(|principal| principal.is_same(&args.new));
    match (args.finish, has_new) {
        (true, false) => {
            let begin = run.file.xacct().arg("replace").arg(args.old.label()).option("--with", args.new.label());
            let begin = begin.args(Some(target).filter(|target| !target.is_empty()));
            Err(Error::usage(format!("{} does not have the links yet", args.new.in_words()))
                .hint(format!("give them to it first: {begin}")))
        }
        (true, true) => {
            own.retain(|principal| !principal.is_same(&args.old));
            Ok(own)
        }
        (false, true) => Ok(own),
        (false, false) => {
            own.insert(0, args.new.clone());
            Ok(own)
        }
    }
}

/// Says what to do before the old principal loses the links, or what it may still do.
fn next(work: &Work, args: &Replace, run: &Run<'_>) {
    let (old, new) = (args.old.label(), args.new.label());
    let console = run.console;
    if args.finish {
        let revoke = run.file.xacct().arg("revoke").args(work.names());
        console.say(&format!("The grant of {old} for these roles is gone"));
        if work.jobs.iter().any(|job| !job.link.restrict_to_user) {
            let who = run.file.xacct().arg("who").args(work.names());
            console.say(&format!("Other policies of {old} may still allow it; to see who gets in: {who}"));
        }
        let left = run.file.local.user_profile.as_ref().filter(|_| args.proof.user.user_profile.is_none());
        if let Some(profile) = left {
            console.say(&format!("{} still has user_profile = \"{profile}\"", run.file.local.path.display()));
        }
        console
            .say(&format!("Sessions that {old} has opened last until they expire; to end all current ones: {revoke}"));
        return;
    }
    let audit = run.file.xacct().args(["print", "audit-query"]).args(work.names());
    console.say(&format!("{new} and {old} may assume the roles"));
    console.say(&format!("Who still uses them, by CloudTrail: {audit}"));
    console.say(&format!("When {old} does not need them anymore: {}", command(args, run).flag("--finish")));
}

/// Returns this command.
fn command(args: &Replace, run: &Run<'_>) -> ShellCommand {
    let command = run.file.xacct().arg("replace").arg(args.old.label()).option("--with", args.new.label());
    command.args(args.targets.clone()).option_if("--user-profile", args.proof.user.user_profile.as_ref())
}

impl Replace {
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
