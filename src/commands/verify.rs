//! `xacct verify`: proves every link on record.

use std::collections::BTreeMap;

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;

use super::command_line::{Start, Verb};
use crate::aws::connections::Connections;
use crate::cli::{ProofOptions, ReportOptions};
use crate::config::{self, Link, Source};
use crate::diagnosis::{Diagnosis, diagnose};
use crate::error::{Ended, ExitCode, Result};
use crate::iam::arn::{RoleArn, UserRef};
use crate::iam::names::Region;
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::interrupt;
use crate::operations::proving;
use crate::operations::run::{Run, side_by_side};
use crate::proof::{Freshness, Outcome, Proof, Watch};
use crate::report::json::{self, JsonError, JsonProof};
use crate::report::{console, diagnosis as diagnosis_words, proof as words};

/// Test that a link works and rejects what it should.
///
/// As the user, never as an administrator: assumes the role, makes a bucket in the target account, proves whose it
/// is, deletes it, and tries what must be refused: no external ID, a wrong one, no MFA.
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
    /// AWS profile to fall back on where no user profile is known
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE")]
    pub profile: Option<String>,
    /// How to verify.
    #[command(flatten)]
    pub proof: ProofOptions,
    /// How to report.
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
    let links = config::recorded_links(&run.file, &args.targets, Some(&args.proof))?;
    links.iter().try_for_each(|link| link.check(link.region.as_ref().map(Region::partition)))?;
    let mfa = proving::mfa(&args.proof.user, run)?;
    let source = &run.file.source;
    let user = proving::user_on_record(run)?;
    // All links of a user are in one partition, and the file knows a region of it where the user's profile may not.
    let region = links.iter().find_map(|link| link.region.clone());
    let connections = Connections::open(region, args.proof.path_style, proving::saying(run))
        .await?
        .with_mfa(mfa)
        .with_sts_rate(args.report.sts_rate);
    let profile = args.proof.user.user_profile.as_deref().or(source.user_profile.as_deref());
    let profile = profile.or(args.profile.as_deref()).or(source.profile.as_deref());
    let access = connections.access(profile).await?;
    let account = source.account.clone().or_else(|| user.account().cloned());
    let partition = access.partition();
    let named = args.proof.user.user_profile.is_some() || source.user_profile.is_some();
    let prover = proving::prover(&connections, access, named, user.clone(), account, run)?;
    let mut operator = Source::from(source);
    operator.profile = operator.profile.or_else(|| args.profile.clone());
    let diagnostician = Diagnostician::new(run, &connections, &operator, &user, None);

    let tally = run.console.tally("verify", links.len(), "verified");
    let proofs = side_by_side(&links, args.report.concurrency, async |link| {
        let role = link.role_arn(partition);
        let claim = proving::claim(link, role.clone(), link.external_id.known().cloned(), Freshness::Settled, run);
        let progress = run.console.progress(&link.name);
        let result = prover.prove(&claim, &progress).await;
        let case = Case { link, role: &role, target: None, written: None };
        let diagnosis = match &result {
            Ok(proof) if proof.outcome == Outcome::Works => None,
            result => {
                progress.now("reading both halves");
                diagnostician.facts(&case, &prover, &claim, result).await.as_ref().map(diagnose)
            }
        };
        tally.one_more();
        Proven { link, role, result, diagnosis }
    });
    let proofs = proofs.await;
    drop(tally);

    let exit_code = worst(proofs.iter().map(|proven| &proven.result));
    if run.console.is_json() {
        let targets = proofs.iter().map(|proven| (proven.link.name.clone(), proven.into())).collect();
        run.console.result(&json::document("verify", exit_code, JsonVerify { targets }));
    } else {
        report(&proofs, &user, run);
    }
    Ok(exit_code)
}

struct Proven<'a> {
    link: &'a Link,
    role: RoleArn,
    result: Result<Proof>,
    /// Why it does not work, if it does not.
    diagnosis: Option<Diagnosis>,
}

/// An error is worse than a "no": it says nothing about the link.
fn worst<'a>(results: impl Iterator<Item = &'a Result<Proof>>) -> ExitCode {
    let codes = results.map(|result| match result {
        Ok(proof) => proof.outcome.exit_code(),
        Err(error) => error.kind.exit_code(),
    });
    codes
        .max_by_key(|code| match code {
            ExitCode::Done => 0,
            ExitCode::NotProven => 1,
            _ => 2,
        })
        .unwrap_or(ExitCode::Done)
}

fn report(proofs: &[Proven<'_>], user: &UserRef, run: &Run<'_>) {
    let console = run.console;
    let user = user.name().as_str();
    let mut blocks = Vec::new();
    for proven in proofs {
        let title = format!("{user} → {}", proven.role);
        match &proven.result {
            Ok(proof) if proofs.len() == 1 || proof.outcome != Outcome::Works => {
                let heading = words::heading(proof);
                let steps = words::steps(proof, proven.diagnosis.as_ref(), user, console.width());
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
    }
    console.result(&blocks.join("\n\n"));
}

/// The diagnosis, if there is one.
fn why(proven: &Proven<'_>, width: u16) -> String {
    let diagnosis = proven.diagnosis.as_ref().map(|diagnosis| diagnosis_words::text(diagnosis, width));
    diagnosis.map_or_else(String::new, |text| format!("\n\n{text}"))
}

fn table(proofs: &[Proven<'_>], width: u16) -> String {
    let mut table = console::borderless(width);
    table.set_header(["TARGET", "ACCOUNT", "ROLE", "RESULT", "TIME"]);
    for proven in proofs {
        let (result, time) = match &proven.result {
            Ok(proof) => (words::verdict_in_short(proof.outcome), console::seconds(proof.duration)),
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
