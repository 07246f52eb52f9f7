//! The output of bootstrap: the plan, the result, and what the owner of the other account needs.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use super::arguments::Bootstrap;
use super::json::JsonBootstrap;
use super::other_half::{OtherHalf, other_half};
use super::permission_set;
use super::work::{Job, Made, Work};
use crate::cli::{Half, Probe};
use crate::commands::command_line::Verb;
use crate::config::Link;
use crate::error::{Error, ExitCode, Result};
use crate::iam::orphans::Orphans;
use crate::operations::accounts::{who, who_of_several, write_paragraphs};
use crate::operations::apply::{ask, check_can_ask, declined};
use crate::operations::grant_writer::repaired;
use crate::operations::run::Run;
use crate::proof::Outcome;
use crate::report::console::{self, GOOD, STRONG, count};
use crate::report::several::{self, Field, Own, Sheet};
use crate::report::{self, diagnosis, proof};

/// External IDs and roles that are different for each of more targets than this are not listed before the question. The
/// next steps do not name more targets, either.
const FEW: usize = 3;

/// Shows the operators, the links, and every change. `found_profile` is the user's, if xacct had to look for it.
pub fn preview(work: &Work, orphans: Option<&Orphans>, found_profile: Option<&str>, args: &Bootstrap, run: &Run<'_>) {
    let differs = work.differs() || orphans.is_some_and(Orphans::are_any);
    let mut text = String::new();
    let width = run.console.width();
    let documents = args.changes.show_policies;
    let is_shared = work.has_several() && !documents;
    who(&mut text, "Source", work.source.account.as_str(), work.source.operator.as_ref());
    if is_shared {
        links(&mut text, work, run);
    }
    for job in work.jobs.iter().filter(|_| !is_shared) {
        who(&mut text, "Target", job.link.account.as_str(), job.operator.as_ref());
        let _ = writeln!(text, "Link     {} may assume {}", work.source.labels_of(&job.link), job.role);
        let _ = writeln!(text, "         {}\n         {}", job.link.external_id_in_words(), job.link.terms_in_words());
        let remarks = [managed(job), old_role(job), bucket(job, run), kept(job)];
        for remark in remarks.into_iter().filter(|remark| !remark.is_empty()) {
            let _ = writeln!(text, "         {remark}");
        }
    }
    if let Some(profile) = found_profile {
        let arns: Vec<_> = work.source.staying().map(|grantee| grantee.arn.to_string()).collect();
        let _ = writeln!(text, "User     {}\n         profile {profile}", arns.join(", "));
    }
    let pending = work.pending();
    if work.jobs.is_empty() {
        text.push_str("\nNo target could be read\n");
    } else if pending == 0 && differs {
        let _ = writeln!(text, "\n{STRONG}No changes, but the accounts differ from xacct.toml{STRONG:#}");
    } else if pending == 0 {
        let _ = writeln!(text, "\nNo changes: both accounts match xacct.toml");
    } else if args.changes.check && !differs {
        text.push_str("\nBoth accounts match xacct.toml; bootstrap would only update tags that record the last run\n");
    } else {
        let _ = writeln!(text, "\n{STRONG}{}{STRONG:#}", count(pending, "change"));
    }
    let preview = work.preview(&args.changes, width);
    text.push_str(&preview);
    text.extend(work.grant.plan.lacking_grants().map(permission_set::instructions));
    if let Some(orphans) = orphans.and_then(|orphans| report::orphans::text(orphans, &run.file.xacct(), width)) {
        let gap = if preview.is_empty() { "\n" } else { "\n\n" };
        let _ = write!(text, "{gap}{orphans}");
    }
    run.console.tell(&text);
    work.tell_failed(run.console);
}

/// Returns whether the file says to test without a bucket, and bootstrap has now decided otherwise.
fn has_bucket_again(job: &Job, run: &Run<'_>) -> bool {
    let recorded = run.file.target(&job.link.name).and_then(|target| target.probe);
    job.link.probe == Probe::Auto && recorded == Some(Probe::Identity)
}

/// Writes the operators and the terms of several links: what they share once.
fn links(text: &mut String, work: &Work, run: &Run<'_>) {
    let (names, width) = (work.names(), run.console.width());
    let operators = work.jobs.iter().map(|job| (job.link.account.as_str(), job.operator.as_ref()));
    who_of_several(text, &names, operators, width);
    let said = |words: &dyn Fn(&Job) -> String| {
        let own = |job: &Job| Own::of(words(job), job.link.account.as_str());
        several::said(&names, work.jobs.iter().map(own))
    };
    let many = |different: usize| different == work.jobs.len() && different > FEW;
    let ids: BTreeSet<_> = work.jobs.iter().map(|job| job.link.external_id_in_words()).collect();
    // Many different ones say nothing: xacct.toml and the policies have them.
    let own_ids = many(ids.len());
    let roles: BTreeSet<_> = work.jobs.iter().map(|job| &job.role.name).collect();
    let own_roles = many(roles.len());
    let paragraphs = [
        said(&|job| match own_roles {
            true => format!("{} may assume a role of its own", work.source.labels_of(&job.link)),
            false => format!("{} may assume {}", work.source.labels_of(&job.link), job.role),
        }),
        said(&|job| match job.link.external_id.known() {
            Some(_) if own_ids => "an external ID of its own".to_owned(),
            _ => job.link.external_id_in_words(),
        }),
        said(&|job| job.link.terms_in_words()),
        said(&managed),
        said(&|job| bucket(job, run)),
        said(&old_role),
        said(&kept),
    ];
    write_paragraphs(text, "Links", &paragraphs.concat(), width);
}

/// Returns which other tool manages the role; empty if xacct does.
fn managed(job: &Job) -> String {
    job.link
        .managed_by
        .map_or_else(String::new, |manager| format!("managed by {manager}: xacct only compares and tests"))
}

/// Returns why the test has no bucket; empty if it has one.
fn bucket(job: &Job, run: &Run<'_>) -> String {
    match &job.state.no_bucket {
        Some(why) => format!("test without a bucket: {why}"),
        None if has_bucket_again(job, run) => {
            "test with a bucket: the role's policies now allow one; to test without one: --probe identity".to_owned()
        }
        None => String::new(),
    }
}

/// Returns which role stays beside the new one of a link that is moved.
fn old_role(job: &Job) -> String {
    let old = job.link.other_role.as_ref().filter(|_| job.link.begins_move);
    old.map_or_else(String::new, |old| format!("beside {}", old.arn()))
}

fn kept(job: &Job) -> String {
    job.state.kept.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Asks for confirmation; `d` shows the policy documents.
///
/// # Errors
/// When the answer is no, or there is no terminal to ask on.
pub async fn confirm(work: &Work, run: &Run<'_>) -> Result<()> {
    let changes = count(work.pending(), "change");
    let is_weaker = work.jobs.iter().any(|job| job.plan.weaker().next().is_some());
    let apply = match (is_weaker, work.grant.plan.weaker().next()) {
        (true, _) => "apply without asking, though a role gets weaker: --yes --allow-weaker",
        (false, Some(_)) => "apply without asking, though the grant gets wider: --yes --allow-weaker",
        (false, None) => "apply without asking: --yes",
    };
    let hints = [apply, "or show the changes and stop: --dry-run, or --check to fail if there are any"];
    check_can_ask(&format!("{changes} to apply"), hints, run)?;
    loop {
        let answer = ask(format!("Apply {changes}? [y/N, d = show policies]"), run).await;
        match answer.to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(()),
            "d" => run.console.warn(&work.plans(true, run.console.width())),
            _ => return Err(declined()),
        }
    }
}

/// Shows the result, and what comes next.
pub fn finish(made: &Made, args: &Bootstrap, run: &Run<'_>) {
    tell(made, Bootstrap::NAME, args, run);
    if made.recorded.is_some() {
        next(&made.work, made.exit_code, args, run);
    }
}

/// Shows the result of this command.
pub fn tell(made: &Made, command: &'static str, args: &Bootstrap, run: &Run<'_>) {
    let Made { work, exit_code, orphans, recorded, other_profiles } = made;
    let console = run.console;
    run.publish(command, *exit_code, || JsonBootstrap::new(work, orphans.as_ref(), args, run, recorded.as_ref()));
    let Some(recorded) = recorded else {
        if work.pending() > 0 {
            console.say("Nothing was changed");
        }
        return;
    };
    if !console.is_json() {
        results(work, args, run);
    }
    if let Some(text) = repaired(work.grant.repairs) {
        console.say(&text);
    }
    for error in errors(work) {
        console.error(error);
    }
    match recorded {
        Err(error) => console.error(error),
        Ok(true) => console.say(&format!("Wrote {}", run.file.path.display())),
        Ok(false) => {}
    }
    if let (Ok(_), Some(text)) = (recorded, other_profiles) {
        let local = run.file.local.path.display();
        console.say(&format!(
            "The recorded profiles stay, and this run used others. To record yours, write to\n{local}, and list that \
             file in .gitignore:\n{}",
            indented(text)
        ));
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Says what comes next.
fn next(work: &Work, exit_code: ExitCode, args: &Bootstrap, run: &Run<'_>) {
    let console = run.console;
    if let Some(only) = args.only {
        console.tell(&for_the_other_owners(work, only));
    } else if exit_code == ExitCode::Done && !args.no_verify {
        let names = work.names();
        let target = match names.as_slice() {
            [name] => name,
            _ => "TARGET",
        };
        let exec = run.file.xacct().arg("exec").arg(target);
        // Without a target, xacct prints a provider for each target in the file.
        let has_others = run.file.targets.iter().any(|(name, _)| !names.contains(&name.as_str()));
        let targets = match (has_others, names.len() > FEW) {
            (false, _) => Vec::new(),
            (true, true) => vec!["TARGET"],
            (true, false) => names,
        };
        let print = run.file.xacct().arg("print-provider-hcl").args(targets);
        console.say("Next, one of these:");
        // In Windows PowerShell 5, `>` writes UTF-16, which Terraform cannot read.
        let into = if run.context.is_powershell() { "--out" } else { ">" };
        console.say(&format!("  {print} {into} provider.tf    and run Terraform as the user"));
        console.say(&format!("  {exec} -- COMMAND"));
    } else if exit_code == ExitCode::Done {
        console.say(&format!("Next: {}", run.file.xacct().arg("verify")));
    }
}

fn results(work: &Work, args: &Bootstrap, run: &Run<'_>) {
    let only = args.only.map(|_| "target");
    let console = run.console;
    let width = console.width();
    let user = work.source.labels();
    let user = user.as_str();
    let several = work.has_several();
    let essence = |job: &Job| {
        let proof = job.state.proof.as_ref().and_then(|proof| proof.as_ref().ok());
        proof::essence(proof, job.state.diagnosis.as_ref(), job.link.account.as_str())
    };
    for (job, same) in several::distinct(&work.jobs, essence, |job| &job.link.name) {
        if let Some(Ok(proof)) = &job.state.proof
            && (!several || proof.outcome != Outcome::Works)
        {
            let heading = proof::heading(proof);
            let title = match several {
                true => several::titled(&job.link.name, job.link.account.as_str(), &heading),
                false => heading,
            };
            console.result(&format!("\n{title}\n{}", proof::steps(proof, job.state.diagnosis.as_ref(), user, width)));
        } else if let Some(diagnosis) = &job.state.diagnosis {
            console.result(&format!("\n{}", diagnosis::text(diagnosis, width)));
        }
        if let Some(text) = several::the_same_problem(&same, width) {
            console.result(&format!("\n{text}"));
        }
    }
    if several {
        console.result(&format!("\n{}", table(work, width)));
        return;
    }
    for job in work.done() {
        let mut text = format!("\nRole         {}", job.role);
        if let Some(id) = job.link.external_id.known() {
            let _ = write!(text, "\nExternal ID  {id}");
        }
        if job.operator.is_some() && job.link.managed_by.is_none() && job.state.has_only_verify_policy() {
            text.push_str("\nSo far the role can only create xacct-verify-* buckets.\nAttach the permissions that Terraform needs:");
            let attach = run.file.xacct().arg("bootstrap").arg(&job.link.name).option_if("--only", only);
            let _ = write!(text, "\n  {}", attach.option("--policy-arn", "PowerUserAccess"));
        }
        console.result(&text);
    }
}

/// Returns a table with one row per target, and below it how many work.
fn table(work: &Work, width: u16) -> String {
    let failed = work.failed.iter().map(|failed| Row {
        link: &failed.link,
        changes: 0,
        result: "error",
        cause: proof::error_in_short(&failed.error),
        ready: None,
    });
    let rows: Vec<_> = work.jobs.iter().map(|job| Row::of(job, work)).chain(failed).collect();
    let sheet = Sheet::new(vec![
        Field::of("Target", &rows, |row| row.link.name.clone()),
        Field::of("Account", &rows, |row| row.link.account.to_string()),
        Field::of("Changes", &rows, |row| row.changes.to_string()).column(),
        Field::of("Result", &rows, |row| row.result.to_owned()).column().wrapping(),
        Field::of("Cause", &rows, |row| row.cause.clone()).column().wrapping(),
        Field::of("Ready after", &rows, |row| row.ready.map_or_else(String::new, console::seconds)).column(),
    ]);
    let proofs = || work.jobs.iter().filter_map(|job| job.state.proof.as_ref());
    let works = proofs().filter(|proof| matches!(proof, Ok(proof) if proof.outcome == Outcome::Works)).count();
    let last = proofs().next().map(|_| several::result(works, rows.len(), "work"));
    let proven =
        work.jobs.iter().filter_map(|job| Some((job.link.name.as_str(), job.state.proof.as_ref()?.as_ref().ok()?)));
    let remarks = proof::remarks_on_several(proven, width);
    [Some(sheet.table(width)), remarks, last].into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// The result of one target.
struct Row<'a> {
    link: &'a Link,
    changes: usize,
    result: &'static str,
    cause: String,
    ready: Option<Duration>,
}

impl<'a> Row<'a> {
    fn of(job: &'a Job, work: &Work) -> Self {
        let state = &job.state;
        let why = |proof| proof::cause_in_short(proof, state.diagnosis.as_ref());
        let (result, cause, ready) = match (&job.result, &state.proof) {
            (Err(error), _) => ("error", proof::error_in_short(error), None),
            (Ok(()), Some(proof)) => match proof {
                Ok(proven) => (proof::verdict_in_short(proven.outcome), why(proof), proven.ready_after),
                Err(_) => ("applied; error while verifying", why(proof), None),
            },
            (Ok(()), None) if work.grant.result.is_err() => ("applied; the grant failed", String::new(), None),
            (Ok(()), None) => ("applied; not verified", String::new(), None),
        };
        Self { link: &job.link, changes: job.plan.changes.len(), result, cause, ready }
    }
}

fn errors(work: &Work) -> impl Iterator<Item = &Error> {
    let proofs = work.jobs.iter().filter_map(|job| job.state.proof.as_ref()?.as_ref().err());
    work.grant
        .result
        .as_ref()
        .err()
        .into_iter()
        .chain(work.jobs.iter().filter_map(|job| job.result.as_ref().err()))
        .chain(proofs)
}

/// Returns what the owners of the other accounts need.
fn for_the_other_owners(work: &Work, only: Half) -> String {
    let mut text = String::new();
    for job in work.done() {
        let OtherHalf { owner, command, document } = other_half(work, job, only);
        let what = if only == Half::Source { "a role with this trust policy" } else { "this policy on the user" };
        let _ = writeln!(text, "\n{GOOD}This half is done.{GOOD:#} Next, the owner of {owner} creates the other half:");
        let _ = writeln!(text, "  {command}\nor, with any other tool, {what}:\n{document}");
        let _ = writeln!(text, "Then test the link: xacct verify");
    }
    text
}
