//! Compares both accounts with `xacct.toml`, and tests the links.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::OnceCell;

use super::arguments::List;
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::cli::FailOptions;
use crate::config::{self, Link, Source};
use crate::diagnosis::Diagnosis;
use crate::error::{Error, ExitCode, Kind, Result};
use crate::iam::arn::PrincipalArn;
use crate::iam::last_use::Used;
use crate::iam::names::AccountId;
use crate::iam::orphans::Orphans;
use crate::iam::plan::Plan;
use crate::iam::plan::bootstrap::{Refusal, plan_grant, plan_role};
use crate::iam::risks::of_permission_set;
use crate::iam::state::{DesiredRole, ObservedRole, RoleQuotas};
use crate::iam::templates::VERIFY_POLICY;
use crate::operations::accounts::{self, Grantee, SourceSide, TargetSide};
use crate::operations::orphans::Search;
use crate::operations::run::{Run, side_by_side};
use crate::operations::settle::{self, InlinePolicies};
use crate::operations::verification::Verification;
use crate::operations::{planning, proving};
use crate::proof::Proof;

/// A link as it is now.
pub struct Live {
    pub drift: Result<Drift>,
    pub proof: Result<Proof>,
    /// Set if the link does not work.
    pub diagnosis: Option<Diagnosis>,
}

/// What `bootstrap` would change.
pub struct Drift {
    pub role: Plan,
    pub grant: Plan,
    /// The last use of the role.
    pub used_before: Used,
}

impl Live {
    pub fn exit_code(&self, options: &FailOptions) -> ExitCode {
        proving::exit_code_of(&self.proof, options)
    }
}

impl Drift {
    pub fn changes(&self) -> usize {
        self.role.changes.len() + self.grant.changes.len()
    }

    /// Returns whether either half differs, be it in what xacct would change or not.
    pub fn differs(&self) -> bool {
        self.role.is_difference() || self.grant.is_difference()
    }
}

/// Looks at each link. An account that cannot be read, or credentials that are missing, are results.
pub async fn of(links: &[Link], args: &List, run: &Run<'_>) -> Result<(Vec<Live>, Option<Orphans>)> {
    let mut links: Vec<_> = links.iter().map(|link| link.clone().with_access(&args.access)).collect();
    settle::read_trust_statements(&mut links, run)?;
    // The options of the test do not change what the role should be.
    let tested: Vec<_> = links.iter().map(|link| link.clone().with_proof_options(&args.proof)).collect();
    let profile = args.access.profile.as_deref();
    let source = config::recorded_source(&run.file, &args.access)?;
    let verification = Verification {
        options: &args.proof,
        profile,
        source: source.clone(),
        report: args.report,
        refusals: args.refusals.refusals,
        run,
    };
    // One for both, because an MFA code is good for one session.
    let connections = verification.connect(&tested)?;
    let files = settle::read_policy_files(&links, run)?;
    let search = Search::new(&links, None, run)?;
    let principals = proving::principals_on_record(run);
    let bench = async { verification.bench(principals.as_ref().map_err(Error::clone)?, &connections).await };
    let (bench, operator) = tokio::join!(bench, accounts::source_access(&connections, &source));
    let comparison = Comparison {
        connections: &connections,
        run,
        source,
        links: links.clone(),
        files,
        operator,
        search,
        read: OnceCell::new(),
        complete: std::cell::OnceCell::new(),
    };
    let tally = run.console.tally("list", links.len(), "tested");
    let live = side_by_side(links.iter().zip(&tested), args.report.concurrency, async |(link, tested)| {
        // First, so that the test finds the MFA session of the target operator in the cache, and does not hide who used
        // the role before.
        let drift = comparison.drift(link).await;
        let used_before = drift.as_ref().ok().map(|drift| drift.used_before.clone());
        let (proof, diagnosis) = match &bench {
            Ok(bench) => {
                let proven = bench.prove(tested, used_before).await;
                (proven.result, proven.diagnosis)
            }
            Err(error) => (Err(error.clone()), None),
        };
        tally.one_more();
        Live { drift, proof, diagnosis }
    });
    let live = live.await;
    let read = links.iter().zip(&live).filter(|(_, live)| live.drift.is_ok()).map(|(link, _)| link.account.clone());
    let orphans = comparison.orphans(&read.collect());
    Ok((live, orphans))
}

/// Compares links with `xacct.toml`.
struct Comparison<'a> {
    connections: &'a Connections,
    run: &'a Run<'a>,
    source: Source,
    links: Vec<Link>,
    files: BTreeMap<String, InlinePolicies>,
    /// The source operator's access.
    operator: Result<Access>,
    search: Search,
    /// The source account, read once, for all links.
    read: OnceCell<Result<SourceSide>>,
    /// The grants that are as all links together need them, by principal.
    complete: std::cell::OnceCell<BTreeMap<PrincipalArn, Plan>>,
}

impl Comparison<'_> {
    /// Plans what `bootstrap` would change for this link.
    async fn drift(&self, link: &Link) -> Result<Drift> {
        let operator = self.operator.as_ref().map_err(Error::clone)?;
        let mut link = link.clone();
        let own = self.files.get(&link.name).cloned().unwrap_or_default();
        let names = own.keys().map(ToString::to_string).chain([VERIFY_POLICY.to_owned()]).collect();
        let (source, target) = tokio::join!(
            self.read.get_or_init(async || {
                let source = accounts::source_side(operator, &self.source, &self.links);
                tokio::join!(source, self.search.look_in_source(operator)).0
            }),
            self.target(&link, operator, &names),
        );
        let (source, target) = (source.as_ref().map_err(Error::clone)?, target?);
        let observed = target.observed.as_ref();
        let (declares_tags, declared) = (link.allow_session_tags, link.role_arn(source.partition));
        let identity = settle::identity(&link, source)?;
        link.id.clone_from(&identity.id);
        settle::complete(&mut link, source, observed, self.run.context)?;
        let plan = |desired: &DesiredRole, observed: Option<&ObservedRole>, quotas: &RoleQuotas| {
            plan_role(desired, observed, quotas, true).map_err(refused)
        };
        let (desired, role) = planning::role(&link, identity, source, Some(&target), &own, plan)?;
        let mut grant = Plan::default();
        let is_as_declared = link.allow_session_tags == declares_tags && desired.arn == declared;
        for grantee in source.grantees_of(&link) {
            if let Some(plan) = self.complete(source).get(&grantee.arn).filter(|_| is_as_declared) {
                grant = grant.and(plan.clone());
                continue;
            }
            let alone = std::iter::once((&link, desired.arn.clone()));
            let wanted = settle::grant_beside(&self.run.file, source, grantee, alone)?;
            if let Some(set) = &grantee.set {
                grant.warnings.extend(of_permission_set(&wanted, set));
            }
            if let Some(observed) = &grantee.observed {
                grant = grant.and(plan_grant(&wanted, observed, true).map_err(refused)?);
            }
        }
        let used_before = observed.and_then(|role| role.last_used.clone()).into();
        Ok(Drift { role, grant, used_before })
    }

    /// Returns the grants that need no change for any link. Their plan is that of each link, which need not be made for each:
    /// that would take time in proportion to the square of their number.
    fn complete(&self, source: &SourceSide) -> &BTreeMap<PrincipalArn, Plan> {
        let plan = |grantee: &Grantee| {
            let observed = grantee.observed.as_ref().filter(|_| grantee.set.is_none())?;
            let links = self.links.iter().map(|link| (link, link.role_arn(source.partition)));
            let links = source.links_of(grantee, links).into_iter();
            let wanted = settle::grant_beside(&self.run.file, source, grantee, links).ok()?;
            plan_grant(&wanted, observed, true).ok().filter(Plan::is_empty)
        };
        let grantees = || source.staying().filter_map(|grantee| Some((grantee.arn.clone(), plan(grantee)?))).collect();
        self.complete.get_or_init(grantees)
    }

    async fn target(&self, link: &Link, operator: &Access, own_policies: &BTreeSet<String>) -> Result<TargetSide> {
        let access = accounts::enter_in_region(self.connections, link, Some(operator)).await?;
        let look = self.search.look_in_target(&access, &link.account);
        tokio::join!(accounts::target_side_with(access.clone(), link, own_policies), look).0
    }

    /// Returns the orphans in the source account and these target accounts; `None` if the source account could not be
    /// read.
    fn orphans(self, accounts: &BTreeSet<AccountId>) -> Option<Orphans> {
        let source = self.read.into_inner()?.ok()?;
        Some(self.search.found(&source, accounts))
    }
}

fn refused(refusal: Box<Refusal>) -> Error {
    Error::new(Kind::Refused, refusal.to_string()).hint("show the difference: xacct bootstrap --check")
}
