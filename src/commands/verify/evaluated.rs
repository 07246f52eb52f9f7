//! `xacct verify --as`: evaluates links for a principal without its credentials, and proves nothing.

use serde::Serialize;

use super::arguments::Verify;
use crate::cli::{FailOn, FailOptions};
use crate::config::{Link, Source};
use crate::diagnosis::{Diagnosis, Verdict};
use crate::error::{ExitCode, Result};
use crate::iam::arn::PrincipalRef;
use crate::operations::evaluation::{Evaluated, Evaluation};
use crate::operations::run::Run;
use crate::report::diagnosis::{self, evaluated_in_short};
use crate::report::json::ByName;
use crate::report::several::{self, Field, Sheet};

/// Runs `xacct verify --as`.
pub async fn evaluated(args: &Verify, principal: &PrincipalRef, links: &[Link], run: &Run<'_>) -> Result<ExitCode> {
    let mut source = Source::from(&run.file.source);
    source.profile = args.profile.clone().or(source.profile);
    let evaluation = Evaluation { principal, source, user: &args.proof.user, report: args.report, run };
    let all = evaluation.of(links, |_| {}).await?;
    let exit_code = ExitCode::worst(all.iter().map(|it| exit_code(verdict(it), &args.fail)));
    run.publish("verify", exit_code, || {
        let targets = all.iter().map(|it| (it.link.name.clone(), JsonEvaluated::from(it))).collect();
        JsonVerify { fail_on: args.fail.ids(), targets }
    });
    if !run.console.is_json() {
        run.console.result(&text(&all, principal, run.console.width()));
    }
    Ok(exit_code)
}

fn verdict(evaluated: &Evaluated<'_>) -> Verdict {
    evaluated.diagnosis.evaluated.as_ref().map_or(Verdict::Unknown, |it| it.verdict)
}

/// Returns the exit code of one link: an evaluation that allows it is no proof.
fn exit_code(verdict: Verdict, options: &FailOptions) -> ExitCode {
    let (counts, code) = match verdict.refuses() {
        true => (FailOn::Broken, ExitCode::BrokenOrOpen),
        false => (FailOn::Unproven, ExitCode::Unproven),
    };
    if options.fail_on.contains(&counts) { code } else { ExitCode::Done }
}

fn text(all: &[Evaluated<'_>], principal: &PrincipalRef, width: u16) -> String {
    let mut blocks = Vec::new();
    for evaluated in all.iter().filter(|it| all.len() == 1 || verdict(it) != Verdict::Allowed) {
        let title = format!("{} → {}", principal.label(), evaluated.role);
        let title = match all.len() {
            1 => title,
            _ => several::titled(&evaluated.link.name, evaluated.link.account.as_str(), &title),
        };
        blocks.push(format!("{title}\n{}", diagnosis::text(&evaluated.diagnosis, width)));
    }
    if all.len() > 1 {
        let sheet = Sheet::new(vec![
            Field::of("Target", all, |it| it.link.name.clone()),
            Field::of("Account", all, |it| it.link.account.to_string()),
            Field::of("Evaluated for", all, |_| principal.label()),
            Field::of("Result", all, |it| evaluated_in_short(verdict(it)).to_owned()).column(),
            Field::of("Cause", all, |it| diagnosis::cause_in_short(&it.diagnosis).unwrap_or_default())
                .column()
                .wrapping(),
        ]);
        blocks.extend(sheet.shared(width).into_iter().chain([sheet.table(width)]));
        let allowed = all.iter().filter(|it| verdict(it) == Verdict::Allowed).count();
        blocks.push(format!("{allowed} of {} allowed by evaluation; nothing is proven", all.len()));
    }
    blocks.join("\n\n")
}

#[derive(Serialize)]
struct JsonVerify {
    /// Absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_on: Option<Vec<&'static str>>,
    targets: ByName,
}

#[derive(Serialize)]
struct JsonEvaluated {
    account: String,
    role_arn: String,
    principals: Vec<String>,
    /// With `evaluated`, which no proof has.
    diagnosis: Diagnosis,
}

impl From<&Evaluated<'_>> for JsonEvaluated {
    fn from(evaluated: &Evaluated<'_>) -> Self {
        Self {
            account: evaluated.link.account.to_string(),
            role_arn: evaluated.role.to_string(),
            principals: evaluated.link.principal_names(),
            diagnosis: evaluated.diagnosis.clone(),
        }
    }
}
