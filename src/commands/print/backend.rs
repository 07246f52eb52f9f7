//! `xacct print-backend-hcl`.

use super::out::{Form, emit};
use super::{access, only_one, region, warn_of_mfa, warn_of_own_role};
use crate::cli::PrintBackendHcl;
use crate::config;
use crate::error::{Error, ExitCode, Result};
use crate::iam::templates::{self, State, StateLock};
use crate::operations::run::Run;
use crate::print::backend::{self, Backend, Version};

/// Runs the command.
pub fn backend_hcl(args: &PrintBackendHcl, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    let link = only_one(&links, "a configuration has one backend")?;
    let version = args.terraform_version.as_deref().map_or(Ok(Version::USUAL), str::parse)?;
    if let Some(known) = version.as_known() {
        run.console.say(&format!("{version} is newer than xacct knows: printed as for {known}"));
    }
    backend::check_bucket(&args.bucket)?;
    backend::check_key(&args.key)?;
    if let Some(table) = &args.lock_table {
        backend::check_table(table)?;
        if version.has_lockfile() {
            return Err(Error::usage(format!("{version} keeps its lock beside the state, and needs no table"))
                .hint("leave out --lock-table"));
        }
    }
    let region = region(args.region.as_ref(), link, run)?;
    let access = access(link, region.as_ref(), args.duration, run)?;
    if args.policy {
        let lock = match (&args.lock_table, region) {
            _ if version.has_lockfile() => StateLock::File,
            (None, _) => StateLock::None,
            (Some(name), Some(region)) => {
                StateLock::Table { name: name.clone(), account: link.account.clone(), region }
            }
            (Some(_), None) => {
                return Err(Error::usage("the region of the table is not known").hint("give it: --region REGION"));
            }
        };
        return policy(args, access.role.partition, lock, run);
    }
    if link.require_mfa {
        warn_of_mfa(&version.tool.to_string(), &link.name, run);
    }
    if !version.has_lockfile() && args.lock_table.is_none() {
        run.console.say(&format!(
            "{version} has no lock file: two runs at a time would spoil the state. Name a DynamoDB table: --lock-table NAME"
        ));
    }
    warn_of_own_role(&version.tool.to_string(), run);
    let backend = Backend {
        version,
        access,
        region: args.region.clone().or_else(|| link.region.clone()),
        bucket: args.bucket.clone(),
        key: args.key.clone(),
        lock_table: args.lock_table.clone(),
    };
    emit("print-backend-hcl", Form::Commented, &backend::document(&backend), &args.printed, run)
}

fn policy(
    args: &PrintBackendHcl,
    partition: crate::iam::arn::Partition,
    lock: StateLock,
    run: &Run<'_>,
) -> Result<ExitCode> {
    if args.key.contains(['*', '?', '$']) {
        return Err(Error::usage(format!("a policy on key `{}` would mean other keys too", args.key))
            .hint("give a key without `*`, `?` and `$`"));
    }
    let state =
        State { partition, bucket: args.bucket.clone(), key: args.key.clone(), workspaces: args.workspaces, lock };
    run.console.say(
        "Give it to the role: xacct bootstrap --policy-file FILE. Then the role may no longer make test buckets; have \
         it checked with --probe identity",
    );
    emit("print-backend-hcl", Form::Json, &templates::state(&state).to_string(), &args.printed, run)
}
