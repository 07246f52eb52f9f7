//! The second step: removes the old roles.

use super::super::teardown::{self, Report, Teardown, Work};
use super::arguments::Move;
use super::hints::{NAME, audit, command};
use crate::cli::CodeOptions;
use crate::config::{self, Link, OtherRole, Source};
use crate::error::{Error, ExitCode, Kind, Result};
use crate::operations::consumers::{Sought, places};
use crate::operations::proving;
use crate::operations::run::Run;
use crate::operations::verification::{Bench, Verification};
use crate::report::json;

/// Removes the old roles, once the new ones are seen to work. Those that an earlier run has removed are left out.
pub async fn finish(recorded: Vec<Link>, args: &Move, run: &Run<'_>) -> Result<ExitCode> {
    let (links, done) = begun(recorded, run)?;
    let removing = args.as_teardown(links.iter().map(|link| link.name.clone()).collect());
    let report = Report { verb: NAME, args: &removing, run, orphan: None, unknown: Vec::new() };
    if links.is_empty() {
        report.nothing_to_do(&format!("Nothing to do: {} has no old role", done.join(", ")));
        return Ok(ExitCode::Done);
    }
    for name in done {
        run.console.say(&format!("Target {name} has no old role"));
    }
    let links: Vec<_> =
        links.into_iter().map(|link| link.with_proof_options(&args.proof).with_access(&args.access)).collect();
    for link in &links {
        let Some(old) = link.old_role() else { continue };
        let places = places(Sought::Role(old), run)?;
        if !places.is_empty() {
            run.console.warn(&format!("Still with the old role {old}:\n  {}", places.join("\n  ")));
        }
    }
    let names = links.iter().map(|link| &link.name);
    run.console.say(&format!("Who uses which role, by CloudTrail: {}", audit(run).args(names)));

    let principals = proving::principals_on_record(run)?;
    let source = config::recorded_source(&run.file, &args.access)?;
    let verification = Verification {
        options: &args.proof,
        profile: args.access.profile.as_deref(),
        source: Source::from(&run.file.source),
        report: args.report,
        refusals: None,
        run,
    };
    let connections = verification.connect(&links)?;
    let old = links.iter().filter_map(Link::of_other_role).collect();
    let mut work = teardown::shown(&source, old, Vec::new(), &report, &connections).await?;
    if args.changes.only_shown() {
        let exit_code = work.preview_exit_code(args.changes.check);
        report.finish(&work, exit_code, None);
        return Ok(exit_code);
    }
    let bench = match args.no_verify {
        true => None,
        false => Some(verification.bench(&principals, &connections).await?),
    };
    if let Some(bench) = &bench
        && let Some((exit_code, error)) = first_broken(&links, bench, run).await
    {
        run.console.error(&error);
        if run.console.is_json() {
            run.console.result(&json::document(NAME, exit_code, json::Failure { error: (&error).into() }));
        }
        return Ok(exit_code);
    }
    teardown::apply(&mut work, &report).await?;
    let mut proofs = Vec::new();
    if let Some(bench) = &bench {
        proofs = prove_denied(&mut work, bench, args).await;
    }
    let recorded = record(&links, &work, args.no_verify, run);
    let denied = proofs.iter().map(|(exit_code, _)| *exit_code);
    let exit_code = ExitCode::worst(denied.chain([teardown::exit_code(&work, &recorded)]));
    report.finish(&work, exit_code, Some(&recorded));
    proofs.iter().for_each(|(_, error)| run.console.error(error));
    for job in work.jobs.iter().filter(|job| job.state.is_denied) {
        run.console.say(&format!("{} can no longer assume {}", job.link.principals_in_words(), job.role));
    }
    if matches!(recorded, Ok(true)) {
        run.console.say(&format!("Wrote {}", run.file.path.display()));
    }
    Ok(exit_code)
}

/// Returns the links with an old role, and the names of those without one: an earlier run has finished them.
fn begun(links: Vec<Link>, run: &Run<'_>) -> Result<(Vec<Link>, Vec<String>)> {
    for link in &links {
        if let Some(OtherRole::New(new)) = &link.other_role {
            let again = || command(run).arg(&link.name);
            let problem = format!("the new role `{}` of target `{}` has not been tested", new.name, link.name);
            return Err(Error::usage(problem)
                .hint(format!("continue the move: {}", again()))
                .hint(format!("or go back: {}", again().option("--role-name", &link.role))));
        }
    }
    let (begun, done): (Vec<_>, Vec<_>) = links.into_iter().partition(|link| link.old_role().is_some());
    Ok((begun, done.into_iter().map(|link| link.name).collect()))
}

/// Tests the new roles, and returns the exit code and the error for the first that does not work.
async fn first_broken(links: &[Link], bench: &Bench<'_>, run: &Run<'_>) -> Option<(ExitCode, Error)> {
    for link in links {
        let proven = bench.prove(link, None).await;
        if proven.works().is_some() {
            continue;
        }
        let kind = proven.result.as_ref().err().map_or(Kind::NoAccess, |error| error.kind);
        let why = proven.result.as_ref().err().map(ToString::to_string);
        let problem = format!("the test of {} did not pass, so xacct does not remove the old role", proven.role);
        let error = why.into_iter().fold(Error::new(kind, problem), Error::note);
        let verify = run.file.xacct().arg("verify").arg(&link.name);
        let error =
            error.hint(format!("find the cause: {verify}")).hint("or remove the old role untested: --no-verify");
        return Some((proving::exit_code(&proven.result), error));
    }
    None
}

/// Tests that the user can no longer assume the removed roles. Returns the errors of those that do not pass.
async fn prove_denied(work: &mut Work, bench: &Bench<'_>, args: &Move) -> Vec<(ExitCode, Error)> {
    let mut errors = Vec::new();
    let is_revoked = work.grant.result.is_ok();
    for job in work.jobs.iter_mut().filter(|job| job.result.is_ok() && is_revoked) {
        match bench.prove_denied(&job.link, args.timeout).await {
            Ok(()) => job.state.is_denied = true,
            Err(error) => errors.push(error),
        }
    }
    errors
}

/// Records that the old roles are gone.
fn record(links: &[Link], work: &Work, unproven: bool, run: &Run<'_>) -> Result<bool> {
    let gone = work.gone();
    let is_done = |link: &Link| {
        let mut jobs = work.jobs.iter().filter(|job| job.link.name == link.name);
        gone.contains(&link.name.as_str()) && (unproven || jobs.all(|job| job.state.is_denied))
    };
    let done: Vec<_> = links.iter().filter(|link| is_done(link)).map(|link| link.name.clone()).collect();
    if done.is_empty() {
        return Ok(false);
    }
    // As they are in the file: options of this run are not for the next one.
    let mut links = config::recorded_links(&run.file, &done, None)?;
    links.iter_mut().for_each(|link| link.other_role = None);
    config::record(&run.file, &Source::from(&run.file.source), &links.iter().collect::<Vec<_>>())
}

impl Move {
    /// Returns the teardown of the old roles.
    fn as_teardown(&self, targets: Vec<String>) -> Teardown {
        Teardown {
            targets,
            all: false,
            orphan: None,
            gone: false,
            only: None,
            even_if_used: self.even_if_used,
            even_if_extended: self.even_if_extended,
            changes: self.changes.clone(),
            timeout: self.timeout,
            access: self.access.clone(),
            code: CodeOptions { mfa_code: self.proof.user.mfa_code.clone(), no_cache: self.proof.user.no_cache },
            report: self.report,
        }
    }
}
