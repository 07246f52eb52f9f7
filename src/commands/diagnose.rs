//! `xacct diagnose`: reports which side of a link is wrong, why, and how to fix it. verify and bootstrap show the same
//! diagnosis for a link that does not work.

mod facts_file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::command_line::{Start, Verb};
use crate::aws::client::access::Access;
use crate::cli::{ReportOptions, RequestOptions, UserOptions};
use crate::config::{self, Link, Source, WayIn};
use crate::diagnosis::{Diagnosis, Facts, diagnose as diagnosis_of};
use crate::error::{Ended, Error, ExitCode, Kind, Result};
use crate::iam::arn::Partition;
use crate::iam::names::{Region, SessionDuration};
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::interrupt;
use crate::operations::proving;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::operations::settle;
use crate::proof::{Claim, Extent, Freshness, Proof, Prover, Watch};
use crate::report::json::{self, JsonError};
use crate::report::{diagnosis, proof};

/// Find out which side of a link is wrong, and how to fix it.
///
/// AWS reports most failures with the same AccessDenied. diagnose tries to assume the role as the user, reads both halves
/// with the operators' credentials, and evaluates the policies as AWS does. It changes nothing. verify and bootstrap show
/// the same diagnosis for a link that does not work.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct diagnose
  xacct diagnose dev --user-profile alice
  Find out why AWS denies a tool's request:
    xacct diagnose dev --duration 4h --session-tag project=x
  Save the facts for a bug report, and replay them offline:
    xacct diagnose dev --save-facts facts.json --redact
    xacct diagnose --facts facts.json")]
pub struct Diagnose {
    /// The target, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET", conflicts_with = "facts")]
    pub target: Option<String>,
    /// Diagnose offline from a saved facts file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["save_facts", "user_profile", "mfa_code", "profile", "target_profile"])]
    pub facts: Option<PathBuf>,
    /// Save the facts to this file; it contains no secrets
    #[arg(long, value_name = "FILE")]
    pub save_facts: Option<PathBuf>,
    /// Replace account IDs with placeholders in that file
    #[arg(long, requires = "save_facts")]
    pub redact: bool,
    /// AWS profile of the operator in the source account (default: from xacct.toml, else the usual credential chain)
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE", help_heading = "Credentials")]
    pub profile: Option<String>,
    /// AWS profile of the operator in the target account (default: from xacct.toml)
    #[arg(long, value_name = "NAME", env = "XACCT_TARGET_PROFILE", help_heading = "Credentials")]
    pub target_profile: Option<String>,
    /// User, Region and MFA.
    #[command(flatten)]
    pub user: UserOptions,
    /// Optional parameters of the AssumeRole request.
    #[command(flatten)]
    pub request: RequestOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// The result of diagnosing one link.
struct Diagnosed {
    name: String,
    role: String,
    user: String,
    proof: Option<Result<Proof>>,
    diagnosis: Option<Diagnosis>,
    /// Why the facts file could not be written.
    not_saved: Option<Error>,
}

impl Verb for Diagnose {
    const NAME: &'static str = "diagnose";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        // Saved facts need no xacct.toml.
        let run = if self.facts.is_some() { start.without_file() } else { start.load()? };
        interrupt::guarded(&run, diagnose(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct diagnose`.
async fn diagnose(args: &Diagnose, run: &Run<'_>) -> Result<ExitCode> {
    let diagnosed = match &args.facts {
        Some(path) => vec![replay(path, run)?],
        None => live(args, run).await?,
    };
    let exit_code = ExitCode::worst(diagnosed.iter().map(Diagnosed::exit_code));
    if run.console.is_json() {
        let targets = diagnosed.iter().map(|it| (it.name.clone(), it.into())).collect();
        run.console.result(&json::document("diagnose", exit_code, JsonDiagnose { targets }));
    } else {
        let blocks: Vec<_> = diagnosed.iter().map(|it| it.text(run.console.width())).collect();
        run.console.result(&blocks.join("\n\n"));
    }
    Ok(exit_code)
}

/// Diagnoses offline from saved facts.
fn replay(path: &Path, run: &Run<'_>) -> Result<Diagnosed> {
    let facts = facts_file::read(path, run)?;
    Ok(Diagnosed {
        name: facts.link.name.clone(),
        role: facts.link.role.to_string(),
        user: facts.link.user.to_string(),
        proof: None,
        diagnosis: Some(diagnosis_of(&facts)),
        not_saved: None,
    })
}

/// Tries every link and reads both its halves.
async fn live(args: &Diagnose, run: &Run<'_>) -> Result<Vec<Diagnosed>> {
    let links = links(args, run)?;
    let mut source = Source::from(&run.file.source);
    source.profile = args.profile.clone().or(source.profile);
    source.user_profile = args.user.user_profile.clone().or(source.user_profile);
    let user = proving::user_on_record(run)?;
    let region = links.iter().find_map(|link| link.region.clone());
    let of_region = region.as_ref().map_or(Partition::Aws, Region::partition);
    let opening = Opening { user: &args.user, region, path_style: false, sts_rate: Some(args.report.sts_rate) };
    let connections = run.open_connections(opening)?;
    let access = connections.access(source.user_profile.as_deref().or(source.profile.as_deref())).await;
    let partition = access.as_ref().map_or(of_region, Access::partition);
    let diagnostician = Diagnostician::new(run, &connections, &source, &user, None);
    let (named, account) = (source.user_profile.is_some(), diagnostician.account.clone());
    let prover = match access {
        Ok(access) => Ok(proving::prover(&connections, access, named, user.clone(), account, run)?),
        Err(error) => Err(error),
    };
    let tally = run.console.tally("diagnose", links.len(), "diagnosed");
    let diagnosed = side_by_side(&links, args.report.concurrency, async |link| {
        let role = link.role_arn(partition);
        let case = Case { link, role: &role, target: None, written: None, made: None };
        let (proof, facts) = investigate(&case, prover.as_ref(), &diagnostician, args, run).await;
        tally.one_more();
        Diagnosed {
            name: link.name.clone(),
            role: role.to_string(),
            user: user.name().to_string(),
            diagnosis: facts.as_ref().map(diagnosis_of),
            proof: Some(proof),
            // The diagnosis is reported even if the file cannot be written.
            not_saved: save(facts.as_ref(), args, run).err().inspect(|error| run.console.error(error)),
        }
    });
    Ok(diagnosed.await)
}

/// The links to diagnose, with the options applied.
fn links(args: &Diagnose, run: &Run<'_>) -> Result<Vec<Link>> {
    let wanted: Vec<_> = args.target.iter().cloned().collect();
    let mut links = config::recorded_links(&run.file, &wanted, None)?;
    settle::read_trust_statements(&mut links, run)?;
    for link in &mut links {
        link.region = args.user.region.clone().or(link.region.take());
        link.way_in = args.target_profile.clone().map_or_else(|| link.way_in.clone(), WayIn::Profile);
        link.override_session(&args.request.session);
        link.check(link.region.as_ref().map(Region::partition))?;
    }
    if args.save_facts.is_some() && links.len() > 1 {
        return Err(Error::usage(format!(
            "a facts file can contain only one target, but {} are selected",
            links.len()
        ))
        .hint("specify the target: xacct diagnose TARGET --save-facts FILE"));
    }
    let with_mfa = links.iter().filter(|link| link.require_mfa).count();
    if with_mfa > 1 && args.request.duration.is_some_and(SessionDuration::needs_access_key) {
        let longest = SessionDuration::LONGEST_OF_A_SESSION;
        return Err(Error::usage(format!(
            "sessions of more than {longest} need an MFA code for each target, and {with_mfa} of these targets require MFA"
        ))
        .hint(format!("specify one target, or use at most --duration {longest}")));
    }
    args.save_facts.iter().try_for_each(|path| facts_file::check_overwrites(path, run))?;
    Ok(links)
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

/// Saves the facts, if `--save-facts` was given.
fn save(facts: Option<&Facts>, args: &Diagnose, run: &Run<'_>) -> Result<()> {
    let Some(path) = &args.save_facts else { return Ok(()) };
    let facts = facts.ok_or_else(|| {
        let nothing = format!("no facts to write to `{}`: AWS could not be reached", path.display());
        Error::new(Kind::File, nothing)
    })?;
    facts_file::save(path, facts, args.redact, run)
}

impl Diagnosed {
    fn exit_code(&self) -> ExitCode {
        if let Some(error) = &self.not_saved {
            return error.kind.exit_code();
        }
        match (&self.diagnosis, &self.proof) {
            (None, Some(Err(error))) => error.kind.exit_code(),
            (Some(diagnosis), proof) => {
                let is_proven = !matches!(proof, Some(Err(_)));
                let is_fine = diagnosis.findings.is_empty() && diagnosis.possible.is_empty();
                if is_fine && is_proven { ExitCode::Done } else { ExitCode::NotProven }
            }
            (None, _) => ExitCode::NotProven,
        }
    }

    fn text(&self, width: u16) -> String {
        let mut text = format!("{} → {}\n", self.user, self.role);
        match (&self.diagnosis, &self.proof) {
            (Some(diagnosis), proof) => {
                if let Some(Ok(proof)) = proof {
                    text.push_str(&format!("{}\n\n", proof::step_table(proof, &self.user, width)));
                }
                text.push_str(&diagnosis::text(diagnosis, width));
            }
            (None, Some(Err(error))) => text.push_str(&crate::report::console::error_text(error)),
            (None, _) => {}
        }
        text
    }
}

#[derive(Serialize)]
struct JsonDiagnose {
    targets: BTreeMap<String, JsonDiagnosed>,
}

#[derive(Serialize)]
struct JsonDiagnosed {
    role_arn: String,
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Diagnosis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl From<&Diagnosed> for JsonDiagnosed {
    fn from(diagnosed: &Diagnosed) -> Self {
        let error = diagnosed.proof.as_ref().and_then(|proof| proof.as_ref().err());
        Self {
            role_arn: diagnosed.role.clone(),
            user: diagnosed.user.clone(),
            diagnosis: diagnosed.diagnosis.clone(),
            error: error.map(JsonError::from),
        }
    }
}
