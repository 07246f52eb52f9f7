//! Reads both accounts concurrently.

use std::collections::BTreeMap;

use super::arguments::Bootstrap;
use super::settings::Settings;
use crate::aws::connections::Connections;
use crate::cli::Half;
use crate::config::{WayIn, includes};
use crate::error::Result;
use crate::iam::templates::VERIFY_POLICY;
use crate::operations::accounts::{self, SourceSide, TargetSide};
use crate::operations::run::{Run, side_by_side};
use crate::proof::Watch;

/// The observed state of both accounts; `None` for a half that is not changed.
pub struct Observed {
    pub source: Option<SourceSide>,
    /// In the order of the links.
    pub targets: Vec<Result<Option<TargetSide>>>,
}

/// Reads the source account and every target.
pub async fn observe(
    settings: &Settings,
    args: &Bootstrap,
    run: &Run<'_>,
    connections: &Connections,
) -> Result<Observed> {
    let Settings { source, links, files, search } = settings;
    let progress = run.console.progress("bootstrap");
    progress.now("reading both accounts");
    let access = match includes(args.only, Half::Source) {
        true => Some(accounts::source_access(connections, source).await.map_err(|error| {
            let is_needed = args.only.is_some() || links.iter().any(|link| matches!(link.way_in, WayIn::EnterRole(_)));
            if is_needed { error } else { error.hint("or create only the half in the target account: --only target") }
        })?),
        false => None,
    };
    let source = async {
        match &access {
            Some(access) => {
                let (side, ()) =
                    tokio::join!(accounts::source_side(access, source, links), search.look_in_source(access));
                side.map(Some)
            }
            None => Ok(None),
        }
    };
    let tally = run.console.tally("bootstrap", links.len(), "read");
    let targets = side_by_side(links, args.report.concurrency, async |link| {
        if !includes(args.only, Half::Target) {
            return Ok(None);
        }
        let files = files.get(&link.name).into_iter().flat_map(BTreeMap::keys).map(ToString::to_string);
        let own_policies = files.chain([VERIFY_POLICY.to_owned()]).collect();
        let line = run.console.progress(&link.name);
        line.now("reading the account");
        let side = async {
            let access = accounts::enter_in_region(connections, link, access.as_ref()).await?;
            let look = search.look_in_target(&access, &link.account);
            let (side, ()) = tokio::join!(accounts::target_side_with(access.clone(), link, &own_policies), look);
            side
        };
        let side = side.await;
        tally.one_more();
        side.map(Some)
    });
    let (source, targets) = tokio::join!(source, targets);
    Ok(Observed { source: source?, targets })
}
