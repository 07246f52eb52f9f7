//! `xacct diagnose`: says which side of a link is wrong, why, and what to change; also below every link that verify or
//! bootstrap finds wanting.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::command_line::{Start, Verb};
use crate::aws::connections::Connections;
use crate::cli::{self, ReportOptions, UserOptions};
use crate::config::{self, Source, WayIn};
use crate::diagnosis::{Diagnosis, Facts, diagnose as judge};
use crate::error::{Ended, Error, ExitCode, Kind, Result};
use crate::files::{self, Readers};
use crate::iam::arn::Partition;
use crate::iam::names::Region;
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::interrupt;
use crate::operations::proving;
use crate::operations::run::{Run, side_by_side};
use crate::proof::{Claim, Extent, Freshness, Proof, RequestOptions, Watch};
use crate::report::json::{self, JsonError};
use crate::report::{diagnosis as words, proof::step_table};
use crate::text::shell::ShellCommand;

/// Find out which side of a link is wrong, and how to fix it.
///
/// Tries to assume the role as the user, reads both halves with the operators' credentials, and evaluates them as AWS
/// does: AWS itself words every refusal the same. Writes nothing. The same analysis stands below every verify and
/// bootstrap whose link does not work.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct diagnose
  xacct diagnose dev --user-profile alice
  Why a tool that asks for more is refused:
    xacct diagnose dev --duration 4h --session-tag project=x
  A bug report that anybody can replay:
    xacct diagnose dev --save-facts facts.json --redact
    xacct diagnose --facts facts.json")]
pub struct Diagnose {
    /// The target, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET", conflicts_with = "facts")]
    pub target: Option<String>,
    /// Judge what was saved in this file; asks AWS nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["save_facts", "user_profile", "mfa_code", "profile", "target_profile"])]
    pub facts: Option<PathBuf>,
    /// Write all that was learned to this file; there is no secret in it
    #[arg(long, value_name = "FILE")]
    pub save_facts: Option<PathBuf>,
    /// Put other numbers in the place of account numbers in that file
    #[arg(long, requires = "save_facts")]
    pub redact: bool,
    /// AWS profile of the operator in the source account (default: the file's, else the usual credential chain)
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE", help_heading = "Credentials")]
    pub profile: Option<String>,
    /// AWS profile of the operator in the target account (default: the file's)
    #[arg(long, value_name = "NAME", env = "XACCT_TARGET_PROFILE", help_heading = "Credentials")]
    pub target_profile: Option<String>,
    /// As whom, where and with what.
    #[command(flatten)]
    pub user: UserOptions,
    /// What the request has besides.
    #[command(flatten)]
    pub request: cli::RequestOptions,
    /// How to report.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// What a diagnosis of one link came to.
struct Diagnosed {
    name: String,
    role: String,
    user: String,
    proof: Option<Result<Proof>>,
    diagnosis: Option<Diagnosis>,
    /// Why the facts file was not written, if it was to be.
    not_saved: Option<Error>,
}

impl Verb for Diagnose {
    const NAME: &'static str = "diagnose";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        // What was saved needs no xacct.toml to be judged.
        let run = if self.facts.is_some() { start.without_file() } else { start.load()? };
        interrupt::guarded(&run, diagnose(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct diagnose`.
async fn diagnose(args: &Diagnose, run: &Run<'_>) -> Result<ExitCode> {
    let diagnosed = match &args.facts {
        Some(path) => vec![replayed(path, run)?],
        None => live(args, run).await?,
    };
    let exit_code = diagnosed
        .iter()
        .map(Diagnosed::exit_code)
        .max_by_key(|code| (*code == ExitCode::Error, *code as u8))
        .unwrap_or(ExitCode::Done);
    if run.console.is_json() {
        let targets = diagnosed.iter().map(|it| (it.name.clone(), it.into())).collect();
        run.console.result(&json::document("diagnose", exit_code, JsonDiagnose { targets }));
    } else {
        let blocks: Vec<_> = diagnosed.iter().map(|it| it.text(run.console.width())).collect();
        run.console.result(&blocks.join("\n\n"));
    }
    Ok(exit_code)
}

fn replayed(path: &Path, run: &Run<'_>) -> Result<Diagnosed> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(run.context.directory.join(path))
        .map_err(|error| Error::new(Kind::File, format!("cannot read facts file `{shown}`: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| Error::usage(format!("facts file `{shown}`: it is not UTF-8: {}", error.utf8_error())))?;
    let facts = Facts::parse(&text, &shown)?;
    Ok(Diagnosed {
        name: facts.link.name.clone(),
        role: facts.link.role.to_string(),
        user: facts.link.user.to_string(),
        proof: None,
        diagnosis: Some(judge(&facts)),
        not_saved: None,
    })
}

async fn live(args: &Diagnose, run: &Run<'_>) -> Result<Vec<Diagnosed>> {
    let wanted: Vec<_> = args.target.iter().cloned().collect();
    let mut links = config::recorded_links(&run.file, &wanted, None)?;
    for link in &mut links {
        link.region = args.user.region.clone().or(link.region.take());
        link.way_in = args.target_profile.clone().map_or_else(|| link.way_in.clone(), WayIn::Profile);
        link.check(link.region.as_ref().map(Region::partition))?;
    }
    if args.save_facts.is_some() && links.len() > 1 {
        return Err(Error::usage(format!("{} targets, and a facts file is about one", links.len()))
            .hint("name the target: xacct diagnose TARGET --save-facts FILE"));
    }
    args.save_facts.iter().try_for_each(|path| check_overwrites(path, run))?;
    let mfa = proving::mfa(&args.user, run)?;
    let mut source = Source::from(&run.file.source);
    source.profile = args.profile.clone().or(source.profile);
    source.user_profile = args.user.user_profile.clone().or(source.user_profile);
    let user = proving::user_on_record(run)?;
    let region = links.iter().find_map(|link| link.region.clone());
    let connections =
        Connections::open(region, false, proving::saying(run)).await?.with_mfa(mfa).with_sts_rate(args.report.sts_rate);
    let profile = source.user_profile.as_deref().or(source.profile.as_deref());
    let access = connections.access(profile).await;
    let diagnostician = Diagnostician::new(run, &connections, &source, &user, None);
    let account = diagnostician.account.clone();
    let partition = match &access {
        Ok(access) => access.partition(),
        Err(_) => links.iter().find_map(|link| link.region.as_ref()).map_or(Partition::Aws, Region::partition),
    };
    let prover = match access {
        Ok(access) => {
            Ok(proving::prover(&connections, access, source.user_profile.is_some(), user.clone(), account, run)?)
        }
        Err(error) => Err(error),
    };
    let tally = run.console.tally("diagnose", links.len(), "looked at");
    let diagnosed = side_by_side(&links, args.report.concurrency, async |link| {
        let role = link.role_arn(partition);
        let case = Case { link, role: &role, target: None, written: None };
        let progress = run.console.progress(&link.name);
        progress.now("reading both halves");
        let (proof, facts) = match &prover {
            Ok(prover) => {
                let claim = Claim {
                    extent: Extent::Session,
                    request: RequestOptions {
                        session_name: args.request.session_name.clone(),
                        duration: args.request.duration,
                        tags: args.request.session_tag.clone(),
                        source_identity: args.request.source_identity.clone(),
                    },
                    ..proving::claim(link, role.clone(), link.external_id.known().cloned(), Freshness::Settled, run)
                };
                diagnostician.try_and_learn(&case, prover, &claim).await
            }
            Err(error) => (Err(error.clone()), diagnostician.without_caller(&case, error).await),
        };
        drop(progress);
        tally.one_more();
        let saved = match (&args.save_facts, &facts) {
            (None, _) => Ok(()),
            (Some(path), Some(facts)) => save(path, facts, args.redact, run),
            (Some(path), None) => Err(Error::new(
                Kind::File,
                format!("there is nothing to write to `{}`: AWS could not be asked", path.display()),
            )),
        };
        // What was learned is told all the same.
        let not_saved = saved.err().inspect(|error| run.console.error(error));
        Diagnosed {
            name: link.name.clone(),
            role: role.to_string(),
            user: user.name().to_string(),
            diagnosis: facts.as_ref().map(judge),
            proof: Some(proof),
            not_saved,
        }
    });
    Ok(diagnosed.await)
}

/// Whatever else has that name stays as it is.
fn check_overwrites(path: &Path, run: &Run<'_>) -> Result<()> {
    let place = run.context.directory.join(path);
    files::check_place(&place).map_err(|error| cannot_write(path, &error))?;
    match std::fs::read(place) {
        Ok(bytes) if !Facts::has_form(&bytes) => {
            let problem = format!("`{}` is there and is not a facts file", path.display());
            Err(Error::new(Kind::File, problem).hint("name another file"))
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(cannot_write(path, &error)),
        _ => Ok(()),
    }
}

fn save(path: &Path, facts: &Facts, redact: bool, run: &Run<'_>) -> Result<()> {
    let shown = path.display();
    files::replace(&run.context.directory.join(path), &facts.to_text(redact)?, Readers::Owner)
        .map_err(|error| cannot_write(path, &error))?;
    let again = ShellCommand::new("xacct").arg("diagnose").option("--facts", &shown);
    run.console.say(&format!("Wrote {shown}; judge it again with {again}"));
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Kind::File, format!("cannot write facts file `{}`: {error}", path.display()))
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
                    text.push_str(&format!("{}\n\n", step_table(proof, &self.user, width)));
                }
                text.push_str(&words::text(diagnosis, width));
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
