//! `xacct verify`: tests every link in `xacct.toml`.

use std::collections::BTreeMap;

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;

use super::command_line::{Start, Verb};
use crate::aws::connections::Connections;
use crate::cli::{ProofOptions, ReportOptions};
use crate::config::{self, Link, Source};
use crate::diagnosis::Diagnosis;
use crate::error::{Ended, ExitCode, Result};
use crate::iam::arn::{RoleArn, UserRef};
use crate::iam::names::Region;
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::interrupt;
use crate::operations::last_test::Tested;
use crate::operations::operators::Operators;
use crate::operations::proving;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::operations::settle;
use crate::proof::{Freshness, Outcome, Proof};
use crate::report::json::{self, JsonError, JsonProof};
use crate::report::{console, diagnosis, proof};

/// Test that a link works and rejects what it should.
///
/// Tests as the user, never as an administrator. Assumes the role, creates a bucket in the target account, checks its
/// owner, and deletes it. Then sends requests that the role must deny: without external ID, with a wrong one, without MFA.
/// Also reads the trust policy to find out who else may assume the role.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct verify
  xacct verify dev --user-profile alice
  xacct verify 222222222222 --mfa-code 123456
  xacct verify --probe identity --output json")]
pub struct Verify {
    /// Targets, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// AWS profile used if no user profile is set
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE")]
    pub profile: Option<String>,
    /// Options of the proof.
    #[command(flatten)]
    pub proof: ProofOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
}

impl Verb for Verify {
    const NAME: &'static str = "verify";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, verify(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct verify`.
async fn verify(args: &Verify, run: &Run<'_>) -> Result<ExitCode> {
    let mut links = config::recorded_links(&run.file, &args.targets, Some(&args.proof))?;
    settle::read_trust_statements(&mut links, run)?;
    links.iter().try_for_each(|link| link.check(link.region.as_ref().map(Region::partition)))?;
    let user = proving::user_on_record(run)?;
    let connections = connections(&links, args, run)?;
    let proofs = prove(&links, &user, &connections, args, run).await?;
    let exit_code = ExitCode::worst(proofs.iter().map(|proven| proving::exit_code(&proven.result)));
    if run.console.is_json() {
        let targets = proofs.iter().map(|proven| (proven.link.name.clone(), proven.into())).collect();
        run.console.result(&json::document("verify", exit_code, JsonVerify { targets }));
    } else {
        report(&proofs, &user, run);
    }
    Ok(exit_code)
}

/// Opens connections for the tests of these links; sends no request yet.
fn connections(links: &[Link], args: &Verify, run: &Run<'_>) -> Result<Connections> {
    run.open_connections(Opening {
        user: &args.proof.user,
        // All links of a user are in one partition. The file may have a Region of it even if the user's profile has
        // none.
        region: links.iter().find_map(|link| link.region.clone()),
        path_style: args.proof.path_style,
        sts_rate: Some(args.report.sts_rate),
    })
}

/// Proves all links concurrently, and diagnoses those that do not work.
pub(super) async fn prove<'a>(
    links: &'a [Link],
    user: &UserRef,
    connections: &Connections,
    args: &Verify,
    run: &Run<'_>,
) -> Result<Vec<Proven<'a>>> {
    let source = &run.file.source;
    let own = args.proof.user.user_profile.as_deref().or(source.user_profile.as_deref());
    let access = connections.access(own.or(args.profile.as_deref()).or(source.profile.as_deref())).await?;
    let partition = access.partition();
    let account = source.account().cloned();
    let prover = proving::prover(connections, access, own.is_some(), user.clone(), account.clone(), run)?;
    let mut operator = Source::from(source);
    operator.profile = operator.profile.or_else(|| args.profile.clone());
    let diagnostician = Diagnostician::new(run, connections, &operator, user, None);

    let silent = Operators::new(&connections.that_ask_nobody(), operator.profile, None);
    let tally = run.console.tally("verify", links.len(), "verified");
    let proofs = side_by_side(links, args.report.concurrency, async |link| {
        let role = link.role_arn(partition);
        let claim = proving::claim(link, &role, Freshness::Settled, run);
        let progress = run.console.progress(&link.name);
        let result = prover.prove(&claim, silent.target(link), std::future::ready(None), &progress).await;
        if let Ok(proof) = &result {
            Tested { link, role: &role, user: user.name(), source: account.as_ref() }.keep(proof, run.context);
        }
        let case = Case { link, role: &role, target: None, written: None, made: None };
        let diagnosis = diagnostician.explain(&case, (&prover, &claim), &result, &progress).await;
        tally.one_more();
        Proven { link, role, result, diagnosis }
    });
    Ok(proofs.await)
}

/// A link and its test.
pub(super) struct Proven<'a> {
    link: &'a Link,
    role: RoleArn,
    pub result: Result<Proof>,
    /// Set if the link does not work.
    pub diagnosis: Option<Diagnosis>,
}

fn report(proofs: &[Proven<'_>], user: &UserRef, run: &Run<'_>) {
    let console = run.console;
    let user = user.name().as_str();
    let mut blocks = Vec::new();
    for proven in proofs {
        let title = format!("{user} → {}", proven.role);
        match &proven.result {
            Ok(proof) if proofs.len() == 1 || proof.outcome != Outcome::Works => {
                let heading = proof::heading(proof);
                let steps = proof::steps(proof, proven.diagnosis.as_ref(), user, console.width());
                blocks.push(format!("{title}\n{heading}\n{steps}"));
            }
            Ok(_) => {}
            Err(error) => {
                blocks.push(format!("{title}\nNot verified{}", why(proven, console.width())));
                console.error(error);
            }
        }
    }
    if proofs.len() > 1 {
        blocks.push(table(proofs, console.width()));
        blocks.extend(remarks(proofs));
    }
    console.result(&blocks.join("\n\n"));
}

/// Returns the diagnosis as text, if there is one.
fn why(proven: &Proven<'_>, width: u16) -> String {
    let diagnosis = proven.diagnosis.as_ref().map(|diagnosis| diagnosis::text(diagnosis, width));
    diagnosis.map_or_else(String::new, |text| format!("\n\n{text}"))
}

/// Returns what is to be said of links that work, if there are several: warnings, accepted callers, what was not checked.
fn remarks(proofs: &[Proven<'_>]) -> Option<String> {
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    for proven in proofs {
        let Some(proof) = proven.result.as_ref().ok().filter(|proof| proof.outcome == Outcome::Works) else { continue };
        for remark in proof::remarks(proof).into_iter().chain(proof::not_checked(proof)) {
            match lines.iter_mut().find(|(known, _)| *known == remark) {
                Some((_, names)) => names.push(&proven.link.name),
                None => lines.push((remark, vec![&proven.link.name])),
            }
        }
    }
    let lines: Vec<_> = lines.iter().map(|(remark, names)| format!("{}: {remark}", names.join(", "))).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn table(proofs: &[Proven<'_>], width: u16) -> String {
    let mut table = console::borderless(width);
    table.set_header(["TARGET", "ACCOUNT", "ROLE", "RESULT", "TIME"]);
    for proven in proofs {
        let (result, time) = match &proven.result {
            Ok(proof) => (proof::verdict_in_short(proof.outcome), console::seconds(proof.duration)),
            Err(_) => ("error", String::new()),
        };
        let link = proven.link;
        table.add_row([&link.name, link.account.as_str(), link.role.as_str(), result, &time].map(Cell::new));
    }
    console::trimmed(&table)
}

#[derive(Serialize)]
struct JsonVerify {
    targets: BTreeMap<String, JsonVerified>,
}

#[derive(Serialize)]
struct JsonVerified {
    account: String,
    role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<JsonProof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Diagnosis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl From<&Proven<'_>> for JsonVerified {
    fn from(proven: &Proven<'_>) -> Self {
        Self {
            account: proven.link.account.to_string(),
            role_arn: proven.role.to_string(),
            verification: proven.result.as_ref().ok().map(JsonProof::from),
            diagnosis: proven.diagnosis.clone(),
            error: proven.result.as_ref().err().map(JsonError::from),
        }
    }
}
