//! `xacct diagnose`: says which side of a link is wrong, why, and what to change; also below every link that verify or
//! bootstrap finds wanting.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::command_line::{Start, Verb};
use super::entry::enter;
use super::{Run, interrupt, side_by_side, verify};
use crate::aws::access::Access;
use crate::aws::connections::Connections;
use crate::cli::{self, Probe, ReportOptions, UserOptions};
use crate::config::{self, Link, Source, WayIn};
use crate::diagnosis::collect::{self, Tried};
use crate::diagnosis::facts::{CallerFacts, LinkFacts, Mfa, RequestFacts, SCHEMA_VERSION, SourceFacts, TargetFacts};
use crate::diagnosis::{Diagnosis, Facts, diagnose as judge};
use crate::error::{Ended, Error, ExitCode, Kind, Result};
use crate::files::{self, Readers};
use crate::iam::arn::{Partition, RoleArn, UserRef};
use crate::iam::names::{AccountId, Region, UserName};
use crate::proof::{Claim, Extent, Freshness, Proof, Prover, RequestOptions, Watch};
use crate::report::json::{self, JsonError};
use crate::report::{diagnosis as words, proof::step_table};
use crate::text::word;

/// Say which side of a link is wrong, why, and what to change.
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

/// What is needed to look into both accounts. The source account is entered once, however many links there are.
pub struct Diagnostician<'a> {
    run: &'a Run<'a>,
    connections: &'a Connections,
    user: UserName,
    account: Option<AccountId>,
    profile: Option<String>,
    operator: OnceCell<Result<Access>>,
}

/// What is looked into: a link, and what came of trying it.
pub struct Case<'a> {
    /// The link.
    pub link: &'a Link,
    /// Its role.
    pub role: &'a RoleArn,
    /// The credentials of the target's operator, where they are at hand.
    pub target: Option<Access>,
    /// When xacct wrote either half, if this run did.
    pub written: Option<Instant>,
}

impl<'a> Diagnostician<'a> {
    /// For the links of this user. `operator` are the credentials of the source's operator, where they are at hand.
    pub fn new(
        run: &'a Run<'a>,
        connections: &'a Connections,
        source: &Source,
        user: &UserRef,
        operator: Option<Access>,
    ) -> Self {
        Self {
            run,
            connections,
            user: user.name().clone(),
            account: source.account.clone().or_else(|| user.account().cloned()),
            profile: source.profile.clone(),
            operator: OnceCell::new_with(operator.map(Ok)),
        }
    }

    async fn operator(&self) -> Result<Access> {
        self.operator.get_or_init(|| self.connections.access(self.profile.as_deref())).await.clone()
    }

    /// Learns everything about a link whose proof came out so. `None` where AWS could not be asked.
    pub async fn facts(&self, case: &Case<'_>, prover: &Prover, claim: &Claim, proof: &Result<Proof>) -> Option<Facts> {
        let tried = Tried::of(proof, prover.region(claim))?;
        let halves = self.halves(case);
        let caller = self.caller(prover, claim);
        let (halves, caller) = tokio::join!(halves, caller);
        self.together(case, (prover, claim), tried, halves, caller)
    }

    /// The same where the link is still to be tried: beside everything else.
    async fn try_and_learn(&self, case: &Case<'_>, prover: &Prover, claim: &Claim) -> (Result<Proof>, Option<Facts>) {
        let (proof, halves, caller) =
            tokio::join!(prover.prove(claim, &()), self.halves(case), self.caller(prover, claim));
        let caller = CallerFacts { mfa: if prover.has_mfa(claim) { Mfa::Present } else { caller.mfa }, ..caller };
        let tried = Tried::of(&proof, prover.region(claim));
        let facts = tried.and_then(|tried| self.together(case, (prover, claim), tried, halves, caller));
        (proof, facts)
    }

    async fn halves(&self, case: &Case<'_>) -> (LinkFacts, SourceFacts, TargetFacts) {
        let link = self.link(case);
        let source = async { collect::source(self.operator().await, &link).await };
        let target = async {
            let access = match &case.target {
                Some(access) => Ok(access.clone()),
                None => match &case.link.way_in {
                    WayIn::EnterRole(_) => {
                        let source = self.operator().await;
                        enter(self.connections, case.link, source.as_ref().ok()).await
                    }
                    _ => enter(self.connections, case.link, None).await,
                },
            };
            collect::target(access, &link).await
        };
        let (source, target) = tokio::join!(source, target);
        (link, source, target)
    }

    async fn caller(&self, prover: &Prover, claim: &Claim) -> CallerFacts {
        let mut caller = collect::caller(prover, claim).await;
        self.surroundings(&mut caller);
        caller
    }

    /// What the variables and the AWS config files have to do with the credentials.
    fn surroundings(&self, caller: &mut CallerFacts) {
        let variable = |name| self.run.context.variable(name);
        let from_environment = caller.origin == "environment" && variable("AWS_ACCESS_KEY_ID").is_some();
        caller.hidden_profile = variable("AWS_PROFILE").filter(|_| from_environment).map(str::to_owned);
        let user = self.user.to_string();
        let is_another = caller.profile.as_ref() != Some(&user);
        caller.profile_of_user = Some(user).filter(|user| is_another && self.connections.require(user).is_ok());
    }

    fn link(&self, case: &Case<'_>) -> LinkFacts {
        let link = case.link;
        LinkFacts {
            name: link.name.clone(),
            file: self.run.file.path.display().to_string(),
            role: case.role.clone(),
            source_account: self.account.clone(),
            user: self.user.clone(),
            external_id: link.external_id.known().cloned(),
            require_mfa: link.require_mfa,
            restrict_to_user: link.restrict_to_user,
            has_policies: !link.policy_arns.is_empty() || !link.policy_files.is_empty(),
            checks_s3: link.probe == Probe::Bucket,
        }
    }

    fn together(
        &self,
        case: &Case<'_>,
        (prover, claim): (&Prover, &Claim),
        tried: Tried,
        (link, source, target): (LinkFacts, SourceFacts, TargetFacts),
        caller: CallerFacts,
    ) -> Option<Facts> {
        let request = prover.request(claim).ok()?;
        Some(Facts {
            schema_version: SCHEMA_VERSION,
            asked_at: now(self.run),
            link,
            caller,
            request: RequestFacts::from((&request, prover.region(claim))),
            answer: tried.answer,
            let_through: tried.let_through,
            s3: tried.s3,
            written_seconds_ago: case.written.map(|at| at.elapsed().as_secs()),
            source,
            target,
        })
    }
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
    let mfa = verify::mfa(&args.user, run)?;
    let mut source = Source::from(&run.file.source);
    source.profile = args.profile.clone().or(source.profile);
    source.user_profile = args.user.user_profile.clone().or(source.user_profile);
    let user = verify::user_on_record(run)?;
    let region = links.iter().find_map(|link| link.region.clone());
    let connections =
        Connections::open(region, false, verify::saying(run)).await?.with_mfa(mfa).with_sts_rate(args.report.sts_rate);
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
            Ok(verify::prover(&connections, access, source.user_profile.is_some(), user.clone(), account, run)?)
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
                    ..verify::claim(link, role.clone(), link.external_id.known().cloned(), Freshness::Settled, run)
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
    let option = word(&shown.to_string());
    run.console.say(&format!("Wrote {shown}; judge it again with xacct diagnose --facts {option}"));
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Kind::File, format!("cannot write facts file `{}`: {error}", path.display()))
}

impl Diagnostician<'_> {
    /// What can be learned where there are no credentials to try the link with.
    async fn without_caller(&self, case: &Case<'_>, error: &Error) -> Option<Facts> {
        let (link, source, target) = self.halves(case).await;
        let mut caller = collect::no_caller(error);
        self.surroundings(&mut caller);
        let tried = Tried::of(&Err(error.clone()), case.link.region.as_ref()?)?;
        Some(Facts {
            schema_version: SCHEMA_VERSION,
            asked_at: now(self.run),
            request: RequestFacts {
                region: case.link.region.clone()?,
                session_name: self.user.to_string(),
                external_id: link.external_id.as_ref().map(ToString::to_string),
                duration_seconds: None,
                tags: BTreeMap::new(),
                source_identity: None,
            },
            link,
            caller,
            answer: tried.answer,
            let_through: tried.let_through,
            s3: None,
            written_seconds_ago: None,
            source,
            target,
        })
    }
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

/// Seconds since 1970.
fn now(run: &Run<'_>) -> Option<i64> {
    let elapsed = (run.context.now)().duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(elapsed.as_secs()).ok()
}
