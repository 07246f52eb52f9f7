//! `xacct verify --must-refuse`: proves that a caller does not get in.

use serde::Serialize;

use super::arguments::Verify;
use crate::answers::Meaning;
use crate::cli::{FailOn, FailOptions};
use crate::config::Link;
use crate::error::{ExitCode, Kind, Result};
use crate::iam::arn::RoleArn;
use crate::iam::names::Region;
use crate::operations::must_refuse::{Attempt, Stranger, Verdict};
use crate::operations::run::{Opening, Run, side_by_side};
use crate::report::console::{BAD, GOOD, WARN, append_details, seconds};
use crate::report::json::{self, ByName, JsonError};
use crate::report::several::{self, Field, Sheet, filled};
use crate::text::shell::ShellCommand;

/// A link, and what became of the request.
struct Refused<'a> {
    link: &'a Link,
    role: RoleArn,
    result: Result<Attempt>,
}

/// Runs `xacct verify --must-refuse`.
pub async fn must_refuse(args: &Verify, links: &[Link], run: &Run<'_>) -> Result<ExitCode> {
    let user = &args.proof.user;
    let connections = run.open_connections(Opening {
        user,
        region: links.iter().find_map(|link| link.region.clone()),
        path_style: false,
        sts_rate: Some(args.report.sts_rate),
    })?;
    // Neither the link's user nor an operator, unless told: those of the file get in.
    let access = connections.access(user.user_profile.as_deref().or(args.profile.as_deref())).await?;
    let (partition, origin) = (access.partition(), access.origin.clone());
    let stranger = match Stranger::of(access, &connections, run).await {
        Err(error) if error.meaning() == Some(Meaning::SessionExpired) => return Err(error),
        Err(error) if error.aws.is_none() && error.kind != Kind::Network => return Err(error),
        stranger => stranger,
    };
    let all = side_by_side(links, args.report.concurrency, async |link| {
        let role = link.role_arn(partition);
        let result = match &stranger {
            Ok(stranger) => stranger.attempt(link, &role, run).await,
            Err(error) => Ok(Attempt::unmade(error, run)),
        };
        Refused { link, role, result }
    })
    .await;
    let caller = stranger.as_ref().ok().map(|stranger| stranger.arn.to_string());
    let exit_code = ExitCode::worst(all.iter().map(|refused| refused.exit_code(&args.fail)));
    run.publish("verify", exit_code, || {
        let targets = all.iter().map(|it| (it.link.name.clone(), it.json(caller.as_deref()))).collect();
        JsonVerify { fail_on: args.fail.ids(), targets }
    });
    if !run.console.is_json() {
        all.iter().filter_map(|it| it.result.as_ref().err()).for_each(|error| run.console.error(error));
        let shown = caller.map_or_else(|| origin.clone(), |arn| format!("{arn} ({origin})"));
        run.console.result(&text(&all, &shown, run));
    }
    Ok(exit_code)
}

impl Refused<'_> {
    fn exit_code(&self, options: &FailOptions) -> ExitCode {
        match &self.result {
            Err(error) => error.kind.exit_code(),
            Ok(attempt) => match attempt.verdict {
                Verdict::Accepted if options.fail_on.contains(&FailOn::Open) => ExitCode::BrokenOrOpen,
                Verdict::NotProven if options.fail_on.contains(&FailOn::Unproven) => ExitCode::Unproven,
                _ => ExitCode::Done,
            },
        }
    }

    fn verdict(&self) -> Option<Verdict> {
        self.result.as_ref().ok().map(|attempt| attempt.verdict)
    }

    /// Returns the result in a few words, for tables.
    fn in_short(&self) -> String {
        let words = match self.verdict() {
            Some(Verdict::Denied) => "denied",
            Some(Verdict::Accepted) => "GOT IN",
            Some(Verdict::NotProven) => "inconclusive",
            None => "error",
        };
        words.to_owned()
    }

    fn text(&self, width: u16) -> String {
        let Ok(attempt) = &self.result else { return format!("{}\nNot tested", self.role) };
        let time = seconds(attempt.duration);
        let heading = match attempt.verdict {
            Verdict::Denied => format!("{GOOD}Denied{GOOD:#} in {time}: {}", attempt.evidence),
            Verdict::Accepted => format!("{BAD}GOT IN{BAD:#}: AWS let this caller assume the role ({time})"),
            Verdict::NotProven => format!("{WARN}Inconclusive{WARN:#} ({time})"),
        };
        let mut text = format!("{}\n{heading}", self.role);
        if attempt.verdict == Verdict::Accepted {
            let who = ShellCommand::new("xacct").arg("who").arg(&self.link.name);
            for line in [attempt.evidence.clone(), format!("hint: find out who gets in, and by which policy: {who}")] {
                text.push_str(&format!("\n{}", filled(&line, "  ", "    ", width)));
            }
        }
        for note in &attempt.notes {
            text.push_str(&format!("\n{}", filled(note, "  ", "    ", width)));
        }
        if let Some(error) = &attempt.error {
            text.push_str(&format!("\n{}", filled(&error.message, "  ", "    ", width)));
            append_details(&mut text, error, "  ");
        }
        text
    }

    fn json(&self, caller: Option<&str>) -> JsonRefused {
        JsonRefused {
            account: self.link.account.to_string(),
            role_arn: self.role.to_string(),
            principals: self.link.principal_names(),
            refusal: self.result.as_ref().ok().map(|attempt| JsonRefusal {
                outcome: match attempt.verdict {
                    Verdict::Denied => "denied",
                    Verdict::Accepted => "accepted",
                    Verdict::NotProven => "not_proven",
                },
                caller: caller.map(str::to_owned),
                xacct_version: env!("CARGO_PKG_VERSION"),
                started_at: json::in_seconds(attempt.started_at),
                duration_ms: json::milliseconds(attempt.duration),
                evidence: attempt.evidence.clone(),
                request_ids: attempt.request_ids.clone(),
                notes: attempt.notes.clone(),
                error: attempt.error.as_ref().map(JsonError::from),
            }),
            error: self.result.as_ref().err().map(JsonError::from),
        }
    }
}

/// Returns the caller, what needs attention, and with several targets a row for each.
fn text(all: &[Refused<'_>], caller: &str, run: &Run<'_>) -> String {
    let width = run.console.width();
    let is_shown = |it: &&Refused<'_>| all.len() == 1 || it.verdict() != Some(Verdict::Denied);
    let mut blocks = vec![format!("Caller: {caller}")];
    blocks.extend(all.iter().filter(is_shown).map(|it| it.text(width)));
    if all.len() > 1 {
        let sheet = Sheet::new(vec![
            Field::of("Target", all, |it| it.link.name.clone()),
            Field::of("Account", all, |it| it.link.account.to_string()),
            Field::of("Role", all, |it| it.link.role_below_its_path()),
            Field::of("Region", all, |it| it.link.region.as_ref().map_or_else(String::new, Region::to_string)),
            Field::of("Result", all, Refused::in_short).column(),
            Field::of("Answer", all, |it| it.result.as_ref().map_or_else(|_| String::new(), |it| it.evidence.clone()))
                .column()
                .wrapping(),
        ]);
        blocks.extend(sheet.shared(width).into_iter().chain([sheet.table(width)]));
        let denied = all.iter().filter(|it| it.verdict() == Some(Verdict::Denied)).count();
        blocks.push(several::result(denied, all.len(), "deny this caller"));
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
struct JsonRefused {
    account: String,
    role_arn: String,
    principals: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<JsonRefusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

#[derive(Serialize)]
struct JsonRefusal {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    xacct_version: &'static str,
    started_at: String,
    duration_ms: u64,
    evidence: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    request_ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}
