//! `xacct diagnose --action`: whether sessions of the role may do something.

use serde::Serialize;

use super::arguments::Diagnose;
use super::links::with_options;
use crate::config::{Link, Source};
use crate::diagnosis::Verdict;
use crate::diagnosis::permission::{Permission, permission};
use crate::error::{Error, ExitCode, Kind, Result};
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::proving;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::report::console::{BAD, GOOD, WARN, capitalised};
use crate::report::json::{self, ByName, JsonError};
use crate::report::several::filled;
use crate::text::shell::ShellCommand;

/// An action that can be evaluated: `SERVICE:NAME`.
pub fn action(text: &str) -> std::result::Result<String, String> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match text.split_once(':') {
        Some((service, name)) if is_word(service) && is_word(name) => Ok(text.to_owned()),
        _ => Err("is not one action in the form SERVICE:NAME, without wildcards\n  hint: use an action such as \
                  `sns:CreateTopic`"
            .to_owned()),
    }
}

/// A resource that can be evaluated: an ARN of one resource.
pub fn resource(text: &str) -> std::result::Result<String, String> {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let is_arn = matches!(parts.as_slice(), ["arn", partition, service, _, _, name]
        if [partition, service, name].iter().all(|part| !part.is_empty()));
    if is_arn && !text.contains(['*', '?']) && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(text.to_owned());
    }
    Err("is not the ARN of one resource, without wildcards\n  hint: use an ARN such as \
         `arn:aws:sns:eu-west-1:222222222222:alerts`"
        .to_owned())
}

/// A link, and what its role may do; an error if that could not be evaluated.
struct Evaluated {
    name: String,
    role: String,
    result: Result<Permission>,
}

/// Runs `xacct diagnose --action`.
pub async fn evaluate(args: &Diagnose, action: &str, run: &Run<'_>) -> Result<ExitCode> {
    let mut links = run.links(args.target.as_slice())?;
    with_options(&mut links, args, run)?;
    let mut source = Source::from(&run.file.source);
    source.profile = args.profile.clone().or(source.profile);
    let principals = proving::principals_on_record(run)?;
    let region = links.iter().find_map(|link| link.region.clone());
    let opening = Opening { user: &args.user, region, path_style: false, sts_rate: Some(args.report.sts_rate) };
    let connections = run.open_connections(opening)?;
    let diagnostician = Diagnostician::new(run, &connections, &source, &principals, None);
    let evaluated = side_by_side(&links, args.report.concurrency, async |link: &Link| {
        let role = link.role_arn(run.file.partition_of(link.region.as_ref()));
        let case = Case { link, role: &role, target: None, written: None, made: None };
        let result = match diagnostician.role_alone(&case).await {
            Ok(facts) => {
                permission(&facts, action, args.resource.as_deref()).ok_or_else(|| absent(&role.to_string(), link))
            }
            Err(error) => Err(error),
        };
        Evaluated { name: link.name.clone(), role: role.to_string(), result }
    })
    .await;
    let exit_code = ExitCode::worst(evaluated.iter().map(Evaluated::exit_code));
    if run.console.is_json() {
        let targets = evaluated.iter().map(|it| (it.name.clone(), JsonEvaluated::from(it))).collect();
        run.console.result(&json::document("diagnose", exit_code, JsonDiagnose { targets }));
    } else {
        let blocks: Vec<_> = evaluated.iter().map(|it| it.text(run.console.width())).collect();
        run.console.result(&blocks.join("\n\n"));
    }
    Ok(exit_code)
}

fn absent(role: &str, link: &Link) -> Error {
    let create = ShellCommand::new("xacct").arg("bootstrap").arg(&link.name);
    Error::new(Kind::NoAccess, format!("`{role}` does not exist")).hint(format!("create it: {create}"))
}

impl Evaluated {
    fn exit_code(&self) -> ExitCode {
        match &self.result {
            Err(error) => error.kind.exit_code(),
            Ok(permission) => match permission.verdict {
                Verdict::Allowed => ExitCode::Done,
                Verdict::NotAllowed | Verdict::Denied => ExitCode::BrokenOrOpen,
                Verdict::AllowedAsFarAsRead | Verdict::Unknown => ExitCode::Unproven,
            },
        }
    }

    fn text(&self, width: u16) -> String {
        let permission = match &self.result {
            Ok(permission) => permission,
            Err(error) => return format!("{}\n{}", self.role, crate::report::console::error_text(error)),
        };
        let Permission { action, resource, region, .. } = permission;
        let (style, verdict) = match permission.verdict {
            Verdict::Allowed => (GOOD, "Allowed"),
            Verdict::AllowedAsFarAsRead => (WARN, "Allowed, as far as xacct knows"),
            Verdict::Unknown => (WARN, "Undecided"),
            Verdict::NotAllowed => (BAD, "Not allowed"),
            Verdict::Denied => (BAD, "Denied"),
        };
        let any = if permission.verdict.refuses() { "any resource" } else { "every resource" };
        let on = resource.as_deref().unwrap_or(any);
        let mut lines = vec![self.role.clone(), format!("{style}{verdict}{style:#}: {action}, in {region}")];
        lines.push(filled(&format!("on {on}"), "  ", "    ", width));
        lines.extend(permission.reasons.iter().map(|reason| filled(&capitalised(reason), "  ", "    ", width)));
        for possibility in &permission.possible {
            let to_check = format!("To check: {}", possibility.decided_by);
            lines.push(filled(&to_check, "  ", "    ", width));
        }
        if resource.is_none() && permission.verdict == Verdict::Unknown {
            lines.push(filled("To evaluate one resource: --resource ARN", "  ", "    ", width));
        }
        let of_policies = permission.layers.first().map(|layer| layer.verdict);
        if of_policies == Some(Verdict::NotAllowed) {
            let add = ShellCommand::new("xacct").arg("bootstrap").arg(&self.name).option("--policy-file", "FILE");
            lines.push(filled(&format!("To allow it: {add}"), "  ", "    ", width));
        }
        lines.extend(permission.notes.iter().map(|note| filled(&capitalised(note), "  ", "    ", width)));
        lines.join("\n")
    }
}

#[derive(Serialize)]
struct JsonDiagnose {
    targets: ByName,
}

#[derive(Serialize)]
struct JsonEvaluated {
    role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<Permission>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl From<&Evaluated> for JsonEvaluated {
    fn from(evaluated: &Evaluated) -> Self {
        Self {
            role_arn: evaluated.role.clone(),
            permission: evaluated.result.as_ref().ok().cloned(),
            error: evaluated.result.as_ref().err().map(JsonError::from),
        }
    }
}
