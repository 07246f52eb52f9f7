//! The context that commands share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use tokio::time::Instant;

use crate::aws::client::notify::Warn;
use crate::aws::connections::Connections;
use crate::aws::credentials::mfa::{AskForCode, Mfa};
use crate::aws::credentials::session_cache::Cache;
use crate::aws::s3::test_bucket::Leftovers;
use crate::cli::{TypedCode, UserOptions};
use crate::config::{self, ConfigFile, Link, Source};
use crate::context::Context;
use crate::error::{ExitCode, Result};
use crate::iam::arn::RoleArn;
use crate::iam::names::{MfaSerial, Region};
use crate::operations::level::Level;
use crate::operations::reports::Reports;
use crate::report::{Console, json};

/// The context that commands share.
pub(crate) struct Run<'a> {
    pub context: &'a Context,
    pub console: &'a Console,
    pub reports: &'a Reports,
    pub file: ConfigFile,
    pub leftovers: Leftovers,
    /// Whether xacct waits for a confirmation: nothing has been changed so far.
    pub is_confirming: AtomicBool,
}

/// Options of the connections.
pub(crate) struct Opening<'a> {
    /// MFA and the session cache.
    pub user: &'a UserOptions,
    /// The Region; `None` for the profile's.
    pub region: Option<Region>,
    pub path_style: bool,
    /// Maximum STS requests per second; `None` is the default.
    pub sts_rate: Option<u16>,
}

/// The variable with the target of commands that name none.
pub(crate) const TARGET: &str = "XACCT_TARGET";

impl Run<'_> {
    /// Returns the targets on the command line, or the one of `XACCT_TARGET`, or none.
    ///
    /// # Errors
    /// When `xacct.toml` has no such target.
    pub fn wanted(&self, typed: &[String]) -> Result<Vec<String>> {
        config::wanted(&self.file, typed, self.context.variable(TARGET))
    }

    /// Returns the links of [`Run::wanted`], or all of them.
    ///
    /// # Errors
    /// When the file does not exist or lacks one of them.
    pub fn links(&self, typed: &[String]) -> Result<Vec<Link>> {
        config::recorded_links(&self.file, &self.wanted(typed)?, None)
    }

    /// Returns the links of [`Run::wanted`], or all of them, for a command that needs their external IDs: it uses them.
    ///
    /// # Errors
    /// As [`Run::links`], or when this machine does not have one of the IDs, or no principal of a link could use it.
    pub fn links_with_external_ids(&self, typed: &[String]) -> Result<Vec<Link>> {
        config::usable(self.links(typed)?, &self.file)
    }

    /// Records the source and these links in `xacct.toml`, and in `xacct.local.toml` what is to stay out of it. Returns
    /// whether `xacct.toml` changed.
    ///
    /// # Errors
    /// When a file cannot be written, or another program changed the source or these links.
    pub fn record(&self, file: &ConfigFile, source: &Source, links: &[&Link]) -> Result<bool> {
        // First, because it may have the only copy of an external ID.
        if config::record_local(file, source, links)? {
            self.console.say(&format!("Wrote {}; list it in .gitignore", file.local.path.display()));
        }
        config::record(file, source, links)
    }

    /// Prints the document of a command if JSON output was requested, and writes it as reports, if any were.
    pub fn publish<T: Serialize>(&self, command: &'static str, exit_code: ExitCode, body: impl FnOnce() -> T) {
        if self.console.is_json() || self.reports.are_any() {
            let mut document = json::value(command, exit_code, body());
            self.reports.say_since_when(&mut document);
            if self.console.is_json() {
                self.console.result(&json::text(&document));
            }
            self.reports.write(document, self.console);
        }
    }

    /// Refuses a command that deletes or revokes, and names no target.
    ///
    /// # Errors
    /// When it has no `--all` either, and the file has targets.
    pub fn check_chosen(&self, command: &'static str, typed: &[String], all: bool) -> Result<()> {
        config::check_chosen(&self.file, command, typed, all, self.context.variable(TARGET))
    }

    /// Opens connections; sends no request yet.
    ///
    /// # Errors
    /// When the MFA code is malformed, or the AWS config files cannot be read.
    pub fn open_connections(&self, opening: Opening<'_>) -> Result<Connections> {
        let mfa = self.mfa(opening.user)?;
        let console = self.console.clone();
        self.open(opening, mfa, Arc::new(move |text: &str| console.say(text)))
    }

    /// Opens connections once more while a command of the user runs: prompts for nothing, and repeats no warning.
    ///
    /// # Errors
    /// When the AWS config files cannot be read.
    pub fn reopen_connections(&self, opening: Opening<'_>) -> Result<Connections> {
        let mfa = self.mfa(opening.user)?.that_asks_nobody();
        self.open(opening, mfa, Arc::new(|_: &str| {}))
    }

    fn open(&self, opening: Opening<'_>, mfa: Mfa, say: Warn) -> Result<Connections> {
        let connections = Connections::open(opening.region, opening.path_style, self.file.roles()?, say)?.with_mfa(mfa);
        let connections = if self.console.is_verbose() { connections.with_trace(self.notify()) } else { connections };
        Ok(match opening.sts_rate {
            Some(rate) => connections.with_sts_rate(rate),
            None => connections,
        })
    }

    /// Returns the session cache; `None` for a user without a home folder.
    pub fn session_cache(&self) -> Option<Cache> {
        Some(Cache::new(self.context.cache_folder()?, self.context.now, self.notify()))
    }

    /// Removes cached sessions of roles that were created or deleted.
    pub fn forget_sessions(&self, roles: impl IntoIterator<Item = RoleArn>) {
        let roles: BTreeSet<_> = roles.into_iter().collect();
        if let Some(cache) = self.session_cache().filter(|_| !roles.is_empty()) {
            cache.forget_roles(&roles);
        }
    }

    /// Returns the sources of MFA: a code, a terminal to ask for one, cached sessions.
    fn mfa(&self, options: &UserOptions) -> Result<Mfa> {
        let code = options.mfa_code.as_ref().map(TypedCode::parse).transpose()?;
        let ask = self.context.terminal.can_ask.then(|| {
            let console = self.console.clone();
            Arc::new(move |device: &MfaSerial, why: Option<&str>| {
                let why = why.map(|why| format!("{why}\n")).unwrap_or_default();
                console.ask(&format!("{why}MFA code for {device}:"))
            }) as AskForCode
        });
        let cache = if options.no_cache { None } else { self.session_cache() };
        Ok(Mfa::new(code, ask, options.mfa_session_duration, cache))
    }

    /// Passes messages of lower layers to the console.
    fn notify(&self) -> Warn {
        let console = self.console.clone();
        Arc::new(move |text: &str| console.warn(text))
    }
}

/// Runs `work` on every item, at most `concurrency` at a time, or as many as AWS and this machine keep up with, and returns
/// the results in order. A slow item does not delay the others.
pub(crate) async fn side_by_side<T, R>(
    all: impl IntoIterator<Item = T>,
    concurrency: Option<u16>,
    work: impl AsyncFn(T) -> R,
) -> Vec<R> {
    let (start, mut level) = (Instant::now(), Level::new(concurrency));
    let mut waiting = all.into_iter().enumerate().map(async |(number, one)| (number, work(one).await));
    let (mut running, mut results) = (FuturesUnordered::new(), BTreeMap::new());
    loop {
        let room = level.now().saturating_sub(running.len());
        running.extend(waiting.by_ref().take(room));
        let Some((number, result)) = running.next().await else { break };
        results.insert(number, result);
        level.one_ended(start.elapsed());
    }
    results.into_values().collect()
}
