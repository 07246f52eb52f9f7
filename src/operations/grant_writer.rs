//! Writes grants: one document for all links of a principal, or several where one is not enough. IAM replaces each as a
//! whole and unconditionally.
//!
//! Concurrent runs can overwrite each other's grants. So xacct reads the grant right before it writes, again
//! afterwards, and from time to time while it waits for AWS. If another run overwrote it, xacct writes it again, with
//! the roles of both.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::aws::iam::observe::{self, ManagedGrant};
use crate::aws::iam::{apply, read};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::PrincipalRef;
use crate::iam::grant_names::grant_part_name;
use crate::iam::names::PolicyName;
use crate::iam::plan::{Change, Plan};
use crate::iam::state::{FoundDocument, ManagedPolicies, ObservedPrincipal};
use crate::operations::accounts::Operator;
use crate::operations::apply::{not_shown, outcome, waiting};
use crate::proof::Freshness;
use crate::report::changes::{Mood, sentence};
use crate::report::console::Progress;

/// Maximum writes by one run, so that it does not fight another program forever.
const MOST_WRITES: usize = 6;

/// Plans the changes to a grant as it was found.
type Planner = Box<dyn Fn(&ObservedPrincipal) -> Result<Plan>>;

/// The grant, as one run writes it.
pub struct GrantWriter {
    operator: Operator,
    principal: ObservedPrincipal,
    name: PolicyName,
    planner: Planner,
    random: fn(&mut [u8]) -> std::io::Result<()>,
    /// How long to wait for IAM.
    patience: Duration,
    /// Whether the grant has, or gets, managed policies. Otherwise they are not read again.
    has_parts: bool,
    /// Whether it was not read since it was written.
    is_unread: bool,
    /// How often this run wrote.
    writes: usize,
    /// What our writes replaced, by policy: stale reads still show it.
    replaced: Vec<(String, Option<Policy>)>,
    /// The last plan, applied unless it failed.
    pub plan: Plan,
    /// When it was last written, by this run or by another with the same roles.
    pub written: Option<Instant>,
}

/// The text of a policy of the grant, and whether it is attached.
type Policy = (FoundDocument, bool);

/// The grant as it was read.
struct Grant {
    inline: Option<FoundDocument>,
    managed: Option<ManagedPolicies>,
}

impl GrantWriter {
    /// Returns a writer of this principal's grant. `planner` plans the changes to a grant as it was found.
    pub fn new(
        operator: &Operator,
        principal: &ObservedPrincipal,
        name: &PolicyName,
        plan: &Plan,
        random: fn(&mut [u8]) -> std::io::Result<()>,
        planner: impl Fn(&ObservedPrincipal) -> Result<Plan> + 'static,
    ) -> Self {
        Self {
            operator: operator.clone(),
            principal: principal.clone(),
            name: name.clone(),
            planner: Box::new(planner),
            random,
            patience: Duration::ZERO,
            has_parts: principal.managed.as_ref().is_some_and(|managed| !managed.parts.is_empty())
                || plan.changes.iter().any(Change::is_of_grant_part),
            is_unread: false,
            writes: 0,
            replaced: Vec::new(),
            plan: plan.clone(),
            written: None,
        }
    }

    /// Returns how often it was written again because another run overwrote it.
    #[must_use]
    pub fn repairs(&self) -> usize {
        self.writes.saturating_sub(1)
    }

    /// Writes until reads show that nothing is left to do.
    ///
    /// # Errors
    /// When AWS denies a request, the existing policy may not be replaced, reads are stale for longer than `patience`,
    /// or another program keeps overwriting the grant.
    pub async fn write(&mut self, patience: Duration, progress: &Progress<'_>) -> Result<()> {
        while self.write_once(patience, progress).await? {}
        Ok(())
    }

    /// Reads, and writes unless nothing is left to do. Returns whether it wrote: then only another read shows whether the
    /// change is there, which is left to [`GrantWriters::guard_while`].
    ///
    /// # Errors
    /// As [`GrantWriter::write`].
    pub async fn write_once(&mut self, patience: Duration, progress: &Progress<'_>) -> Result<bool> {
        self.patience = patience;
        let mut found = self.read_past_lag(patience, progress).await?;
        if self.writes > 0 && !self.planned(&found)?.is_empty() {
            // Another run overwrote it, and may be doing the same.
            sleep(self.jitter(Duration::from_millis(300))).await;
            found = self.read_past_lag(patience, progress).await?;
        }
        let plan = self.planned(&found)?;
        self.is_unread = false;
        if !plan.is_empty() {
            self.put(found, plan).await?;
            self.is_unread = true;
        }
        self.written.get_or_insert_with(Instant::now);
        Ok(self.is_unread)
    }

    /// Writes, pauses and reads once more: another run may have read the grant before this write, and overwrite it. For
    /// callers that have nothing else to wait for.
    ///
    /// # Errors
    /// As [`GrantWriter::write`].
    pub async fn write_and_rest(&mut self, patience: Duration, progress: &Progress<'_>) -> Result<()> {
        loop {
            let (writes, start) = (self.writes, Instant::now());
            self.write(patience, progress).await?;
            if writes == self.writes {
                return Ok(());
            }
            // Twice the time of our three round trips; another run needs one between its read and its write.
            let rest = start.elapsed() * 2;
            sleep(rest.clamp(Duration::from_millis(200), Duration::from_secs(2))).await;
        }
    }

    /// Reads the grant back if that is left to do, then repairs it until `ended`.
    ///
    /// # Errors
    /// When AWS does not show the grant as it was written, or it cannot be repaired.
    async fn guard_until(
        &mut self,
        mut ended: watch::Receiver<()>,
        repaired: &impl Fn(Instant),
        progress: &Progress<'_>,
    ) -> Result<()> {
        if self.is_unread {
            let writes = self.writes;
            self.write(self.patience, progress).await?;
            if self.writes > writes {
                repaired(Instant::now());
            }
        }
        for seconds in [1, 1, 3, 5].into_iter().chain(std::iter::repeat(10)) {
            let pause = Duration::from_secs(seconds) + self.jitter(Duration::from_millis(100));
            let read = async {
                sleep(pause).await;
                self.read().await
            };
            let found = tokio::select! {
                _ = ended.changed() => return Ok(()),
                found = read => found,
            };
            // Errors are left to the diagnosis, if the link does not work in the end.
            let Ok(found) = found else { continue };
            let undone = self.planned(&found).ok().filter(|plan| !plan.is_empty() && !self.is_stale(&found));
            if let Some(plan) = undone {
                self.put(found, plan).await?;
                repaired(Instant::now());
            }
        }
        Ok(())
    }

    fn place(&self) -> String {
        format!("source account {}", self.principal.arn.account())
    }

    async fn read(&self) -> Result<Grant> {
        let principal = self.principal.arn.reference();
        let managed = async {
            match self.has_parts {
                true => observe::managed_grant(&self.operator.access, &principal).await,
                false => Ok(None),
            }
        };
        let (inline, managed) = tokio::join!(self.read_inline(&principal), managed);
        let shown = self.principal.managed.clone();
        let managed = match (managed?, shown) {
            (Some(ManagedGrant { mut parts, others }), Some(shown)) => {
                // Only the roles of a permission set show whether it refers to the policy.
                if matches!(principal, PrincipalRef::PermissionSet(_)) {
                    let refers = |number| shown.parts.get(number).is_some_and(|part| part.is_attached);
                    parts.iter_mut().for_each(|(number, part)| part.is_attached = refers(number));
                }
                Some(ManagedPolicies { parts, others, ..shown })
            }
            (_, shown) => shown,
        };
        Ok(Grant { inline: inline?, managed })
    }

    async fn read_inline(&self, principal: &PrincipalRef) -> Result<Option<FoundDocument>> {
        if matches!(principal, PrincipalRef::PermissionSet(_)) {
            return Ok(None);
        }
        let (access, holder) = (&self.operator.access, observe::holder(principal));
        let mut reading = read::inline(access, holder, self.name.as_str()).await?;
        if reading.is_absent() && self.principal.grant.is_some() && self.writes == 0 {
            // The grant existed, and this run did not delete it, so the read may be stale: do not overwrite what it
            // misses.
            let read_both = async || {
                let names = read::inline_names(access, holder).await?;
                Ok((names, read::inline(access, holder, self.name.as_str()).await?))
            };
            let what = format!("policy {} of {}", self.name, principal.in_words());
            let found = observe::consistent(&what, read_both, |(names, reading)| {
                let is_listed =
                    names.present().is_some_and(|names| names.iter().any(|name| *name == self.name.as_str()));
                is_listed && reading.is_absent()
            });
            (_, reading) = found.await?;
        }
        self.operator.readable(reading)
    }

    fn planned(&self, found: &Grant) -> Result<Plan> {
        let (grant, managed) = (found.inline.clone(), found.managed.clone());
        (self.planner)(&ObservedPrincipal { grant, managed, ..self.principal.clone() })
    }

    /// Returns a policy of the grant as it was read.
    fn policy(&self, found: &Grant, name: &str) -> Option<Policy> {
        if name == self.name.as_str() {
            return Some((found.inline.clone()?, true));
        }
        let mut parts = found.managed.iter().flat_map(|managed| &managed.parts);
        let (_, part) = parts.find(|(number, _)| grant_part_name(&self.principal.arn, **number) == name)?;
        Some((part.document.clone(), part.is_attached))
    }

    fn is_stale(&self, found: &Grant) -> bool {
        self.replaced.iter().any(|(name, before)| self.policy(found, name) == *before)
    }

    async fn put(&mut self, found: Grant, plan: Plan) -> Result<()> {
        if self.writes >= MOST_WRITES {
            return Err(Error::new(
                Kind::Aws,
                format!(
                    "{}: xacct wrote the grant of {} {MOST_WRITES} times, but another program overwrote it each time",
                    self.place(),
                    self.principal.arn.in_words()
                ),
            )
            .hint("wait until the other program has finished, then run the command again"));
        }
        self.plan = plan;
        self.has_parts |= self.plan.changes.iter().any(Change::is_of_grant_part);
        let names: Vec<_> = self.plan.changes.iter().filter_map(Change::grant_policy).map(str::to_owned).collect();
        let before = names.into_iter().map(|name| (self.policy(&found, &name), name));
        let before: Vec<_> = before.map(|(policy, name)| (name, policy)).collect();
        let applied = apply::to_principal(&self.operator.access, &self.plan.changes, self.patience).await;
        self.writes += 1;
        self.replaced.extend(before);
        self.written = Some(Instant::now());
        outcome(&applied, &self.plan, "", &self.place())
    }

    /// Reads until the answer is not stale: not one that our writes replaced.
    async fn read_past_lag(&self, patience: Duration, progress: &Progress<'_>) -> Result<Grant> {
        let place = self.place();
        let is_current = |found: &Grant| !self.is_stale(found) || self.planned(found).is_ok_and(|plan| plan.is_empty());
        let fresh = Freshness::JustWritten { at: Instant::now(), patience };
        let is_welcome = |found: &Result<Grant>| found.as_ref().is_ok_and(is_current);
        let found = fresh
            .settle(1, async || self.read().await, is_welcome, Result::is_ok, waiting(&place, progress))
            .await
            .answer;
        let found = found.map_err(|error| {
            let what = match self.writes {
                0 => "cannot read the grant; it was not changed",
                _ => "AWS accepted the changes, but they could not be read back",
            };
            error.context(format!("{place}: {what}"))
        })?;
        if is_current(&found) {
            return Ok(found);
        }
        let left = self.planned(&found)?;
        let left = left.changes.iter().map(|change| sentence(change, "", Mood::Would)).collect();
        Err(not_shown(&place, left))
    }

    /// Returns a random part of this duration, so that two runs do not stay in step.
    fn jitter(&self, most: Duration) -> Duration {
        let mut byte = [0];
        // Without random bytes, the whole duration will do.
        let part = (self.random)(&mut byte).map_or(255, |()| u32::from(byte[0]));
        most * part / 255
    }
}

/// How much of the work on a grant is done before what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// It is written, and read back beside what follows ([`GrantWriters::guard_while`]).
    Written,
    /// It is written and read back.
    ReadBack,
    /// It is read back once more after a pause, because nothing follows ([`GrantWriter::write_and_rest`]).
    Rested,
}

/// The grants of all principals, as one run writes them.
#[derive(Default)]
pub struct GrantWriters(Vec<GrantWriter>);

impl GrantWriters {
    /// Adds a grant.
    pub fn push(&mut self, writer: GrantWriter) {
        self.0.push(writer);
    }

    /// Returns whether there is no grant to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes all of them, concurrently. One that fails stops no other.
    ///
    /// # Errors
    /// As [`GrantWriter::write`].
    pub async fn write(&mut self, patience: Duration, until: Until, progress: &Progress<'_>) -> Result<()> {
        let writes = self.0.iter_mut().map(async |writer| match until {
            Until::Written => writer.write_once(patience, progress).await.map(|_| ()),
            Until::ReadBack => writer.write(patience, progress).await,
            Until::Rested => writer.write_and_rest(patience, progress).await,
        });
        join_all(writes).await.into_iter().collect()
    }

    /// Returns how often they were written again because another run overwrote them.
    #[must_use]
    pub fn repairs(&self) -> usize {
        self.0.iter().map(GrantWriter::repairs).sum()
    }

    /// Returns when the last of them was written.
    #[must_use]
    pub fn written(&self) -> Option<Instant> {
        self.0.iter().filter_map(|writer| writer.written).max()
    }

    /// Returns the plans as they were applied, in one.
    #[must_use]
    pub fn into_plan(self) -> Plan {
        self.0.into_iter().map(|writer| writer.plan).fold(Plan::default(), Plan::and)
    }

    /// Runs `work`, and checks the grants, at once if they were not read back, and from time to time: another run may have
    /// read one before this write, and overwrite it. If so, writes it again and calls `repaired` with the time. Never
    /// cancels a write that has begun.
    ///
    /// # Errors
    /// When a grant cannot be repaired; `work` is then dropped, because it would wait in vain.
    pub async fn guard_while<T>(
        &mut self,
        work: impl Future<Output = T>,
        repaired: impl Fn(Instant),
        progress: &Progress<'_>,
    ) -> Result<T> {
        let (running, ended) = watch::channel(());
        let guards = self.0.iter_mut().map(|writer| writer.guard_until(ended.clone(), &repaired, progress));
        let mut guards: FuturesUnordered<_> = guards.collect();
        let mut work = std::pin::pin!(work);
        let mut failed = None;
        let done = loop {
            tokio::select! {
                done = &mut work => break Some(done),
                Some(guarded) = guards.next() => if let Err(error) = guarded {
                    failed = Some(error);
                    break None;
                },
            }
        };
        drop(running);
        while let Some(guarded) = guards.next().await {
            failed = failed.or(guarded.err());
        }
        match (failed, done) {
            (None, Some(done)) => Ok(done),
            (failed, _) => Err(failed.unwrap_or_else(|| Error::new(Kind::Internal, "the guard of a grant ended"))),
        }
    }
}

/// Returns the message about a repaired grant.
#[must_use]
pub fn repaired(times: usize) -> Option<String> {
    let times = match times {
        0 => return None,
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    Some(format!("Another run overwrote the grant ({times}); xacct wrote it again, with the roles of both"))
}
