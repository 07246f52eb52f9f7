//! `xacct forget`: removes targets from `xacct.toml`. Changes nothing in AWS.

use std::fmt::Write;

use clap::Args;
use serde::Serialize;

use super::command_line::{Start, Verb};
use crate::cli::{BucketNamespace, OutputFormat, Probe};
use crate::config::{self, Link, WayIn};
use crate::error::{Ended, ExitCode, Result};
use crate::iam::arn::{PrincipalRef, RoleArn};
use crate::operations::apply::confirm_removal;
use crate::operations::interrupt;
use crate::operations::run::Run;
use crate::operations::work::JsonConfig;
use crate::report::console::count;
use crate::report::json::{self, ByName};
use crate::report::several;
use crate::text::shell::ShellCommand;

/// Remove targets from xacct.toml without changing AWS.
///
/// Role and grant stay, so the user may still assume the role. For a role that another tool now manages. The way back is
/// `xacct import`. To remove role and grant, use `xacct teardown`.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct forget dev
  xacct import arn:aws:iam::222222222222:role/xacct --name dev \\
    --target-profile dev-admin

Works offline. Policy files that the target lists stay, too.")]
pub struct Forget {
    /// Targets, by name in xacct.toml or account ID (XACCT_TARGET has no effect)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// All targets in xacct.toml
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
    /// Show what would be removed and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Remove without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Format of the report
    #[arg(long, value_name = "FORMAT", default_value = "table", env = "XACCT_OUTPUT")]
    pub output: OutputFormat,
}

impl Verb for Forget {
    const NAME: &'static str = "forget";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, forget(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct forget`.
async fn forget(args: &Forget, run: &Run<'_>) -> Result<ExitCode> {
    run.check_chosen("forget", &args.targets, args.all)?;
    let links: Vec<_> = config::recorded_links(&run.file, &args.targets, None)?
        .into_iter()
        .map(|link| (link.role_arn(run.file.partition_of(link.region.as_ref())), link))
        .collect();
    let (console, names) = (run.console, links.iter().map(|(_, link)| link.name.as_str()).collect::<Vec<_>>());
    console.tell(&preview(&links, run));
    let recorded = match args.dry_run {
        true => None,
        false => {
            if !args.yes {
                let (question, pending) =
                    (format!("Remove {} from xacct.toml?", names.join(", ")), count(names.len(), "target"));
                let hint = "or show what would be removed and stop: --dry-run";
                confirm_removal(&question, &format!("{pending} to remove"), hint, run).await?;
            }
            Some(config::forget(&run.file, &names))
        }
    };
    let failure = recorded.as_ref().and_then(|recorded| recorded.as_ref().err());
    let exit_code = failure.map_or(ExitCode::Done, |error| error.kind.exit_code());
    if console.is_json() {
        let targets =
            links.iter().map(|(role, link)| (link.name.clone(), JsonForgotten::of(role, link, run))).collect();
        let body = JsonForget { targets, config: JsonConfig::new(&run.file.path, recorded.as_ref()) };
        console.result(&json::document("forget", exit_code, body));
    }
    let targets = if names.len() == 1 { "target" } else { "targets" };
    match &recorded {
        None => console.say("Nothing was changed"),
        Some(Err(error)) => console.error(error),
        Some(Ok(_)) => {
            let text = format!("Removed {targets} {} from {}", names.join(", "), run.file.path.display());
            console.say(&several::filled(&text, "", "  ", console.width()));
        }
    }
    Ok(exit_code)
}

/// Returns what is removed, what stays in AWS, and the way back.
fn preview(links: &[(RoleArn, Link)], run: &Run<'_>) -> String {
    let width = run.console.width();
    let mut text = format!("Removes from {}; AWS is not changed:\n", run.file.path.display());
    for (role, link) in links {
        let _ = writeln!(text, "  {}  {role}", link.name);
        if let Some(other) = &link.other_role {
            let _ = writeln!(text, "  {}  {}, its other role", link.name, other.arn());
        }
    }
    let principals: Vec<_> = run.file.principals.iter().map(PrincipalRef::label).collect();
    let user = if principals.is_empty() { "the user".to_owned() } else { principals.join(", ") };
    let (stays, teardown) = match links {
        [(_, link)] => (format!("The role and its grant stay: {user} may still assume it."), link.name.as_str()),
        _ => (format!("The roles and their grants stay: {user} may still assume them."), "TARGET"),
    };
    let teardown = run.file.xacct().arg("teardown").arg(teardown);
    let _ = writeln!(text, "\n{}", several::filled(&format!("{stays} To remove them, use: {teardown}"), "", "", width));
    text.push_str("The way back:");
    for (role, link) in links {
        let _ = write!(text, "\n  {}", way_back(role, link, run));
    }
    let unread: Vec<_> = links.iter().map(|(_, link)| (&link.name, unread(link))).collect();
    if unread.iter().any(|(_, settings)| !settings.is_empty()) {
        text.push_str("\nAWS does not store these settings, so note them and check them after the import:");
    }
    for (name, settings) in unread.into_iter().filter(|(_, settings)| !settings.is_empty()) {
        let line = format!("{name}: {}", settings.join(", "));
        let _ = write!(text, "\n{}", several::filled(&line, "  ", "    ", width));
    }
    text
}

/// Returns the command that records the target again.
fn way_back(role: &RoleArn, link: &Link, run: &Run<'_>) -> ShellCommand {
    let name = Some(&link.name).filter(|name| **name != link.account.as_str());
    let (profile, entered) = match &link.way_in {
        WayIn::Profile(profile) => (Some(profile), None),
        WayIn::EnterRole(role) => (None, Some(role)),
        WayIn::Search => (None, None),
    };
    let import = run.file.xacct().arg("import").arg(role).option_if("--name", name);
    import.option_if("--target-profile", profile).option_if("--enter-role", entered)
}

/// Returns the keys of the settings that `import` cannot read in AWS.
fn unread(link: &Link) -> Vec<&'static str> {
    let settings = [
        ("session_name", link.session_name.is_some()),
        ("session_tags", !link.session_tags.is_empty()),
        ("source_identity", link.source_identity.is_some()),
        ("region", link.region.is_some()),
        ("probe", link.probe != Probe::Auto),
        ("bucket_tags", !link.bucket_tags.is_empty()),
        ("bucket_namespace", link.bucket_namespace != BucketNamespace::Global),
        ("accept", !link.accept.is_empty()),
        ("exclusive", link.exclusive),
        ("managed_by", link.managed_by.is_some()),
    ];
    settings.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key).collect()
}

#[derive(Serialize)]
struct JsonForget {
    targets: ByName,
    config: JsonConfig,
}

#[derive(Serialize)]
struct JsonForgotten {
    account: String,
    role: String,
    role_arn: String,
    import: ShellCommand,
}

impl JsonForgotten {
    fn of(role: &RoleArn, link: &Link, run: &Run<'_>) -> Self {
        Self {
            account: link.account.to_string(),
            role: link.role.to_string(),
            role_arn: role.to_string(),
            import: way_back(role, link, run),
        }
    }
}
