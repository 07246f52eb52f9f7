//! Applies the change to one role, then reads it back.

use std::time::Duration;

use tokio::time::sleep;

use super::arguments::Revoke;
use super::plan::{now, planned, refused, until};
use super::work::Job;
use crate::aws::iam::apply;
use crate::config::Link;
use crate::error::Result;
use crate::iam::plan::order::phases;
use crate::iam::revocation::REVOKE_POLICY;
use crate::iam::state::RoleQuotas;
use crate::operations::accounts;
use crate::operations::apply::{check_unchanged, outcome, read_until_done};
use crate::operations::run::Run;
use crate::report::changes::{Mood, sentence};
use crate::report::console::Progress;
use crate::text::shell::ShellCommand;

/// Revokes the sessions of a role, or lifts the revocation.
pub async fn apply(job: &mut Job, args: &Revoke, run: &Run<'_>, progress: &Progress<'_>) -> Result<()> {
    let Some(operator) = &job.operator else { return Ok(()) };
    let place = format!("target account {}", job.link.account);
    let name = job.role.name.clone();
    let read = async || accounts::role_to_revoke(operator, &name).await;
    let role = read().await.map_err(|error| error.context(&place))?;
    if let (Some(role), Some(shown)) = (&role, &job.state.shown) {
        let next = command(args, &job.link).flag("--dry-run");
        let changed = role.fingerprint().changed_since(&shown.fingerprint());
        check_unchanged(&format!("{place}: role `{name}`"), &changed, &next)?;
    }
    // As of now, so that no session that was opened during the confirmation stays.
    let at = now(job.state.ahead, run);
    let before = until(at);
    let fresh = planned(&job.state.revocation, role.as_ref(), at, args);
    job.plan = fresh.map_err(|refusal| refused(&refusal, &job.link))?;
    for phase in phases(&job.plan.changes, role.as_ref(), &RoleQuotas::default()) {
        let applied = apply::to_role(&operator.access, &job.role, &phase, false, args.timeout).await;
        outcome(&applied, &job.plan, name.as_str(), &place)?;
    }
    let expected = job.plan.changes.first().and_then(|change| change.document());
    let read_left = async || {
        let found = read().await?.and_then(|role| role.inline.get(REVOKE_POLICY).cloned().flatten());
        let is_shown = match (&found, expected) {
            (Some(found), Some(expected)) => found.matches(expected),
            (None, None) => true,
            _ => false,
        };
        let left = job.plan.changes.iter().map(|change| sentence(change, name.as_str(), Mood::Would));
        Ok(if is_shown { Vec::new() } else { left.collect() })
    };
    read_until_done(read_left, &place, args.timeout, progress).await?;
    if args.lift {
        return Ok(());
    }
    // The next session must not be one of those revoked.
    while let Ok(left) = Duration::try_from(before - now(job.state.ahead, run)) {
        sleep(left.max(Duration::from_millis(10))).await;
    }
    job.state.before = Some(before);
    Ok(())
}

/// Returns this command for one target.
fn command(args: &Revoke, link: &Link) -> ShellCommand {
    let command = ShellCommand::new("xacct").arg("revoke").arg(&link.name);
    if args.lift { command.flag("--lift") } else { command }
}
