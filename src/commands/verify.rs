//! `xacct verify`: tests every link in `xacct.toml`.

mod arguments;
mod evaluated;
mod must_refuse;

use serde::Serialize;

use super::command_line::{Start, Verb};
use crate::config::{self, OtherRole, Source};
use crate::diagnosis::Diagnosis;
use crate::error::{Ended, ExitCode, Result};
use crate::iam::arn::PrincipalRef;
use crate::iam::names::Region;
use crate::operations::interrupt;
use crate::operations::proving;
use crate::operations::run::Run;
use crate::operations::settle;
use crate::operations::verification::{Proven, Verification};
use crate::proof::Proof;
use crate::report::json::{self, ByName, JsonError, JsonProof, JsonTrust};
use crate::report::several::{self, Field, Sheet};
use crate::report::{console, diagnosis, proof};
pub use arguments::Verify;

impl Verb for Verify {
    const NAME: &'static str = "verify";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, verify(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct verify`.
async fn verify(args: &Verify, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &run.wanted(&args.targets)?, Some(&args.proof))?;
    let mut links = config::usable(links, &run.file)?;
    settle::read_trust_statements(&mut links, run)?;
    links.iter().try_for_each(|link| link.check(link.region.as_ref().map(Region::partition)))?;
    if args.must_refuse {
        return must_refuse::must_refuse(args, &links, run).await;
    }
    if let Some(principal) = &args.as_principal {
        return evaluated::evaluated(args, principal, &links, run).await;
    }
    let principals = proving::principals_on_record(run)?;
    let mut source = Source::from(&run.file.source);
    source.profile = source.profile.or_else(|| args.profile.clone());
    let profile = args.profile.as_deref();
    let verification = Verification {
        options: &args.proof,
        profile,
        source,
        report: args.report,
        refusals: args.refusals.refusals,
        run,
    };
    let connections = verification.connect(&links)?;
    let proofs = verification.prove(&links, &principals, &connections).await?;
    let exit_code = ExitCode::worst(proofs.iter().map(|proven| proving::exit_code_of(&proven.result, &args.fail)));
    run.publish("verify", exit_code, || {
        let targets = proofs.iter().map(|proven| (proven.link.name.clone(), JsonVerified::from(proven))).collect();
        JsonVerify { fail_on: args.fail.ids(), targets }
    });
    if !run.console.is_json() {
        report(&proofs, run);
    }
    Ok(exit_code)
}

fn report(proofs: &[Proven<'_>], run: &Run<'_>) {
    let console = run.console;
    let width = console.width();
    let shown: Vec<_> = proofs.iter().filter(|proven| proofs.len() == 1 || proven.works().is_none()).collect();
    let mut blocks = Vec::new();
    for (proven, same) in several::distinct(&shown, |it| it.essence(), |it| &it.link.name) {
        let user = &proven.link.principals_in_words();
        let title = format!("{user} → {}", proven.role);
        let title = match proofs.len() {
            1 => title,
            _ => several::titled(&proven.link.name, proven.link.account.as_str(), &title),
        };
        blocks.push(match &proven.result {
            Ok(proof) => {
                let heading = proof::heading(proof);
                format!("{title}\n{heading}\n{}", proof::steps(proof, proven.diagnosis.as_ref(), user, width))
            }
            Err(_) => format!("{title}\nNot verified{}", why(proven, width)),
        });
        blocks.extend(several::the_same_problem(&same, width));
    }
    proofs.iter().filter_map(|proven| proven.result.as_ref().err()).for_each(|error| console.error(error));
    if proofs.len() > 1 {
        blocks.extend(table(proofs, width));
        let proven = proofs.iter().filter_map(|it| Some((it.link.name.as_str(), it.result.as_ref().ok()?)));
        blocks.extend(proof::remarks_on_several(proven, width));
        let works = proofs.iter().filter(|proven| proven.works().is_some()).count();
        blocks.push(several::result(works, proofs.len(), "work"));
    }
    console.result(&blocks.join("\n\n"));
    for link in proofs.iter().map(|proven| proven.link).filter(|link| !link.old_external_ids.is_empty()) {
        let old: Vec<_> = link.old_external_ids.iter().map(ToString::to_string).collect();
        let finish = run.file.xacct().args(["rotate", "external-id"]).arg(&link.name).flag("--finish");
        console.say(&format!(
            "{} still accepts the old external ID {}; to end that: {finish}",
            link.name,
            old.join(", ")
        ));
    }
    for link in proofs.iter().map(|proven| proven.link) {
        let moving = || run.file.xacct().arg("move").arg(&link.name);
        match &link.other_role {
            Some(OtherRole::Old(old)) => {
                let finish = moving().flag("--finish");
                console.say(&format!("{} still has its old role {old}; to remove it: {finish}", link.name));
            }
            Some(OtherRole::New(new)) => console.say(&format!(
                "{} is being moved to {new}, which has not been tested; to continue: {}",
                link.name,
                moving()
            )),
            None => {}
        }
    }
}

/// Returns the diagnosis as text, if there is one.
fn why(proven: &Proven<'_>, width: u16) -> String {
    let diagnosis = proven.diagnosis.as_ref().map(|diagnosis| diagnosis::text(diagnosis, width));
    diagnosis.map_or_else(String::new, |text| format!("\n\n{text}"))
}

/// Returns the time of a proof; all have one width, so that it does not decide how the other columns wrap.
fn time(proof: &Proof) -> String {
    format!("{:<6}", console::seconds(proof.duration))
}

/// Returns what the links share, and a row for each, with the cause of a failure.
fn table(proofs: &[Proven<'_>], width: u16) -> Vec<String> {
    let sheet = Sheet::new(vec![
        Field::of("Target", proofs, |it| it.link.name.clone()),
        Field::of("Account", proofs, |it| it.link.account.to_string()),
        Field::of("User", proofs, |it| {
            let tested = it.result.as_ref().ok().and_then(|proof| proof.tested_as.as_ref());
            tested.map_or_else(|| it.link.principals_in_words(), PrincipalRef::label)
        }),
        Field::of("Role", proofs, |it| it.link.role_below_its_path()),
        Field::of("Region", proofs, |it| it.link.region_in_words()),
        Field::of("Result", proofs, |it| match &it.result {
            Ok(proof) => proof::verdict_in_short(proof.outcome).to_owned(),
            Err(_) => "error".to_owned(),
        })
        .column(),
        Field::of("Cause", proofs, |it| proof::cause_in_short(&it.result, it.diagnosis.as_ref())).column().wrapping(),
        Field::of("Time", proofs, |it| it.result.as_ref().map_or_else(|_| String::new(), time)).column(),
    ]);
    sheet.shared(width).into_iter().chain([sheet.table(width)]).collect()
}

#[derive(Serialize)]
struct JsonVerify {
    /// Absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_on: Option<Vec<&'static str>>,
    targets: ByName,
}

#[derive(Serialize)]
struct JsonVerified {
    account: String,
    role_arn: String,
    principals: Vec<String>,
    /// What `xacct rotate external-id --finish` ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    old_external_ids: Vec<String>,
    /// What `xacct move --finish` removes.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_policy: Option<JsonTrust>,
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
            principals: proven.link.principal_names(),
            old_external_ids: proven.link.old_external_ids.iter().map(ToString::to_string).collect(),
            moved_from: proven.link.old_role().map(ToString::to_string),
            trust_policy: json::trust_policy(&proven.result, proven.role.name.as_str()),
            verification: proven.result.as_ref().ok().map(JsonProof::from),
            diagnosis: proven.diagnosis.clone(),
            error: proven.result.as_ref().err().map(JsonError::from),
        }
    }
}
