//! `xacct diagnose`: reports which side of a link is wrong, why, and how to fix it. verify and bootstrap show the same
//! diagnosis for a link that does not work.

mod arguments;
mod diagnosed;
mod evaluated;
mod facts_file;
mod links;
mod message;
mod permission;
mod saved;
mod several;
mod typed;

use serde::Serialize;

use super::command_line::{Start, Verb};
use crate::aws::client::access::Access;
use crate::config::Source;
use crate::diagnosis::{Facts, diagnose as diagnosis_of};
use crate::error::{Ended, Error, ExitCode, Result};
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::interrupt;
use crate::operations::proving;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::proof::{Claim, Extent, Freshness, Proof, Prover, Watch};
use crate::report::json::ByName;
pub use arguments::Diagnose;
use diagnosed::{Diagnosed, JsonDiagnosed};

impl Verb for Diagnose {
    const NAME: &'static str = "diagnose";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = if self.facts.is_some() { saved::start(self, start)? } else { start.load()? };
        interrupt::guarded(&run, diagnose(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct diagnose`.
async fn diagnose(args: &Diagnose, run: &Run<'_>) -> Result<ExitCode> {
    if let Some(action) = &args.action {
        return permission::evaluate(args, action, run).await;
    }
    let diagnosed = match &args.facts {
        Some(path) => vec![saved::diagnosed(path, args, run).await?],
        None if args.as_principal.is_some() || args.message.is_some() => evaluated::diagnosed(args, run).await?,
        None => live(args, run).await?,
    };
    let exit_code = ExitCode::worst(diagnosed.iter().map(Diagnosed::exit_code));
    run.publish("diagnose", exit_code, || JsonDiagnose {
        targets: diagnosed.iter().map(|it| (it.name.clone(), JsonDiagnosed::from(it))).collect(),
    });
    if !run.console.is_json() {
        let width = run.console.width();
        let blocks = match diagnosed.as_slice() {
            [one] => vec![one.text(width)],
            several => several::of_several(several, width),
        };
        run.console.result(&blocks.join("\n\n"));
    }
    Ok(exit_code)
}

/// Tries every link and reads both its halves.
async fn live(args: &Diagnose, run: &Run<'_>) -> Result<Vec<Diagnosed>> {
    let links = links::links(args, run)?;
    let mut source = Source::from(&run.file.source);
    source.profile = args.profile.clone().or(source.profile);
    source.user_profile = args.user.user_profile.clone().or(source.user_profile);
    let principals = proving::principals_on_record(run)?;
    let region = links.iter().find_map(|link| link.region.clone());
    let opening = Opening { user: &args.user, region, path_style: false, sts_rate: Some(args.report.sts_rate) };
    let connections = run.open_connections(opening)?;
    let access = connections.access(source.user_profile.as_deref().or(source.profile.as_deref())).await;
    let partition = access.as_ref().ok().map(Access::partition);
    let diagnostician = Diagnostician::new(run, &connections, &source, &principals, None);
    let (named, account) = (source.user_profile.is_some(), diagnostician.account.clone());
    let prover = match access {
        Ok(access) => Ok(proving::prover(&connections, access, named, principals, account, run)?),
        Err(error) => Err(error),
    };
    let tally = run.console.tally("diagnose", links.len(), "diagnosed");
    let diagnosed = side_by_side(&links, args.report.concurrency, async |link| {
        let role = link.role_arn(partition.unwrap_or_else(|| run.file.partition_of(link.region.as_ref())));
        let case = Case { link, role: &role, target: None, written: None, made: None };
        let (proof, facts) = investigate(&case, prover.as_ref(), &diagnostician, args, run).await;
        tally.one_more();
        let diagnosis = facts.as_ref().map(diagnosis_of);
        // The diagnosis is reported even if the file cannot be written.
        let not_saved =
            facts_file::save_if_asked(facts.as_ref(), args, run).err().inspect(|error| run.console.error(error));
        let messages = facts
            .as_ref()
            .zip(diagnosis.as_ref())
            .map(|(facts, diagnosis)| message::messages(facts, &diagnosis.findings, args, not_saved.is_none(), run));
        Diagnosed {
            name: link.name.clone(),
            account: link.account.to_string(),
            role_name: link.role_below_its_path(),
            role: role.to_string(),
            user: link.principals_in_words(),
            messages: messages.unwrap_or_default(),
            diagnosis,
            proof: Some(proof),
            not_saved,
        }
    });
    Ok(diagnosed.await)
}

/// Tries one link and collects its facts; without the user's credentials, collects only what the operators can read.
async fn investigate(
    case: &Case<'_>,
    prover: std::result::Result<&Prover, &Error>,
    diagnostician: &Diagnostician<'_>,
    args: &Diagnose,
    run: &Run<'_>,
) -> (Result<Proof>, Option<Facts>) {
    let progress = run.console.progress(&case.link.name);
    progress.now("reading both halves");
    match prover {
        Ok(prover) => {
            let mut claim =
                Claim { extent: Extent::Session, ..proving::claim(case.link, case.role, Freshness::Settled, run) };
            claim.request.duration = args.request.duration;
            diagnostician.try_and_collect(case, prover, &claim).await
        }
        Err(error) => (Err(error.clone()), diagnostician.without_caller(case, error).await),
    }
}

#[derive(Serialize)]
struct JsonDiagnose {
    targets: ByName,
}
