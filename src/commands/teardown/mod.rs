//! `xacct teardown`: removes both halves of each link.
//!
//! The role goes first, its policies before it. All power is in the role, and its trust policy admits the source account:
//! without the grant, whoever else may assume roles there could still use it. A grant without a role lets nobody in. So
//! wherever a run is interrupted, what is left can do less than before, and the next run takes the rest.

mod objection;
mod report;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;

use super::bootstrap::refuse_entering_without_source;
use super::command_line::{Start, Verb};
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::iam::apply::{self, Applied};
use crate::aws::iam::{observe, read};
use crate::aws::sts;
use crate::cli::{ChangeOptions, CodeOptions, Half, OperatorAccess, ReportOptions, UserOptions, timeout};
use crate::config::{self, Link, Source, includes};
use crate::error::{Ended, Error, ExitCode, Result};
use crate::iam::arn::{Partition, RoleArn, UserArn, UserRef};
use crate::iam::names::{AccountId, IamPath, PolicyName};
use crate::iam::plan::teardown::{Removal, StandingRole, plan_grant_removal, plan_role_removal};
use crate::iam::plan::{Change, Plan};
use crate::iam::state::{ObservedUser, Reading};
use crate::iam::templates::GRANT_POLICY;
use crate::operations::accounts::{self, Operator};
use crate::operations::apply::{nothing_left, outcome};
use crate::operations::entry::enter;
use crate::operations::grant_writer::Grant;
use crate::operations::interrupt;
use crate::operations::proving;
use crate::operations::run::{Run, side_by_side};
use crate::proof::Watch;
use crate::report::console::Progress;
use objection::refused;

/// Remove both halves of a link.
///
/// The role with its policies first, which ends its sessions, then its place in the grant. Takes the target out of
/// xacct.toml when both are gone, and removes nothing that xacct did not make.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct teardown dev
  See what would go:
    xacct teardown --dry-run
  Remove every link on record, without a question:
    xacct teardown --yes
  Remove only the half in the source account:
    xacct teardown dev --only source

xacct verify and xacct bootstrap use the role, too: after them, --even-if-used is
needed for two days.")]
pub struct Teardown {
    /// Targets, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Remove one half only; xacct.toml keeps the target
    #[arg(long, value_name = "HALF")]
    pub only: Option<Half>,
    /// Remove a role that was used within the last two days
    #[arg(long)]
    pub even_if_used: bool,
    /// Remove a role with policies or a boundary that xacct.toml does not name
    #[arg(long)]
    pub even_if_extended: bool,
    /// What is to be done with the changes.
    #[command(flatten)]
    pub changes: ChangeOptions,
    /// How long to wait for AWS to show that all is gone
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "2m", env = "XACCT_TIMEOUT")]
    pub timeout: Duration,
    /// Where the credentials are.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// How an operator passes MFA.
    #[command(flatten)]
    pub code: CodeOptions,
    /// How to report.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// The source account: the operator there, and the user, who may be gone.
struct SourceSide {
    /// `None` where only the half in the target account goes.
    operator: Option<Operator>,
    account: AccountId,
    user: UserArn,
    observed: Option<ObservedUser>,
}

/// One link on its way out.
struct Job {
    link: Link,
    role: RoleArn,
    /// `None` where only the half in the source account goes.
    operator: Option<Operator>,
    plan: Plan,
    result: Result<()>,
}

/// A link that is not removed, and why.
struct Failed {
    link: Link,
    error: Error,
}

/// Everything about one run.
struct Work {
    source: SourceSide,
    grant: PolicyName,
    grant_plan: Plan,
    grant_result: Result<()>,
    /// How often the grant was written again because another run had undone it.
    grant_repairs: usize,
    jobs: Vec<Job>,
    failed: Vec<Failed>,
    /// What was named and is not on record.
    unknown: Vec<String>,
}

impl Verb for Teardown {
    const NAME: &'static str = "teardown";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, teardown(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct teardown`.
async fn teardown(args: &Teardown, run: &Run<'_>) -> Result<ExitCode> {
    let (links, unknown) = config::links_found(&run.file, &args.targets, &args.access)?;
    if links.is_empty() {
        report::nothing_on_record(&unknown, run);
        return Ok(ExitCode::Done);
    }
    let source = config::recorded_source(&run.file, &args.access)?;
    let user = proving::user_on_record(run)?;
    if args.only == Some(Half::Target) {
        links.iter().try_for_each(refuse_entering_without_source)?;
        accounts::source_as_told(&source, Partition::Aws, false)?;
    }
    let mfa = proving::mfa(&UserOptions::from(&args.code), run)?;
    let connections =
        Connections::open(None, false, proving::saying(run)).await?.with_mfa(mfa).with_sts_rate(args.report.sts_rate);
    let mut work = look_and_plan(args, run, &connections, &source, &user, links).await?;
    work.unknown = unknown;
    if work.jobs.is_empty()
        && work.failed.len() == 1
        && let Some(only) = work.failed.pop()
    {
        return Err(only.error);
    }
    report::preview(&work, args, run);
    let pending = work.pending();
    if args.changes.only_shown() {
        let exit_code = match work.failed.first() {
            Some(failed) => failed.error.kind.exit_code(),
            None if args.changes.check && pending > 0 => ExitCode::ChangesPending,
            None => ExitCode::Done,
        };
        report::finish(&work, args, run, exit_code, None);
        return Ok(exit_code);
    }
    if pending > 0 {
        if !args.changes.yes {
            report::confirm(&work, pending, run).await?;
        }
        if args.only.is_none() {
            config::check_writable(&run.file)?;
        }
        let progress = run.console.progress("teardown");
        progress.now("removing");
        remove(&mut work, args, run, &progress).await;
    }
    let recorded = forget(&work, args, run);
    let exit_code = match &recorded {
        Ok(_) => work.exit_code(),
        Err(error) => error.kind.exit_code(),
    };
    report::finish(&work, args, run, exit_code, Some(recorded));
    Ok(exit_code)
}

impl Work {
    /// How many changes are to be made.
    fn pending(&self) -> usize {
        self.grant_plan.changes.len() + self.jobs.iter().map(|job| job.plan.changes.len()).sum::<usize>()
    }

    fn errors(&self) -> impl Iterator<Item = &Error> {
        let roles = self.jobs.iter().filter_map(|job| job.result.as_ref().err());
        roles.chain(self.grant_result.as_ref().err())
    }

    fn exit_code(&self) -> ExitCode {
        let error = self.failed.iter().map(|failed| &failed.error).chain(self.errors()).next();
        error.map_or(ExitCode::Done, |error| error.kind.exit_code())
    }

    /// The links of which nothing is left.
    fn gone(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.result.is_ok() && self.grant_result.is_ok())
    }

    fn roles(&self) -> BTreeSet<RoleArn> {
        self.jobs.iter().map(|job| job.role.clone()).collect()
    }
}

/// Observes both accounts side by side and plans.
async fn look_and_plan(
    args: &Teardown,
    run: &Run<'_>,
    connections: &Connections,
    source: &Source,
    user: &UserRef,
    links: Vec<Link>,
) -> Result<Work> {
    let progress = run.console.progress("teardown");
    progress.now("reading both accounts");
    let access = match includes(args.only, Half::Source) {
        true => Some(accounts::source_access(connections, source).await?),
        false => None,
    };
    let source_side = source_side(access.as_ref(), source, user);
    let targets = side_by_side(&links, args.report.concurrency, async |link| match includes(args.only, Half::Target) {
        true => target_side(connections, link, access.as_ref()).await.map(Some),
        false => Ok(None),
    });
    let (source, targets) = tokio::join!(source_side, targets);
    let source = source?;

    let (mut jobs, mut failed) = (Vec::new(), Vec::new());
    for (link, target) in links.into_iter().zip(targets) {
        let planned = target.and_then(|target| {
            let operator = target.as_ref().map(|(operator, _)| operator);
            let partition = operator.and_then(|operator| operator.caller.arn.partition());
            let partition = partition.unwrap_or(source.user.partition);
            let removal = Removal {
                role: link.role_arn(partition),
                source: source.account.clone(),
                attachments: link.policy_arns.iter().map(|policy| policy.resolve(partition)).collect(),
                boundary: link.permissions_boundary.as_ref().map(|policy| policy.resolve(partition)),
                even_if_used: args.even_if_used,
                even_if_extended: args.even_if_extended,
            };
            let standing = target.as_ref().and_then(|(_, standing)| standing.as_ref());
            let plan = plan_role_removal(&removal, standing).map_err(|objections| refused(&objections, &link))?;
            Ok((removal.role, target.map(|(operator, _)| operator), plan))
        });
        match planned {
            Ok((role, operator, plan)) => jobs.push(Job { link, role, operator, plan, result: Ok(()) }),
            Err(error) => failed.push(Failed { link, error }),
        }
    }
    let grant: PolicyName = GRANT_POLICY.parse()?;
    let roles = jobs.iter().map(|job: &Job| job.role.clone()).collect();
    let grant_plan = plan_grant_removal(&source.user, &grant, &roles, source.observed.as_ref());
    Ok(Work { source, grant, grant_plan, grant_result: Ok(()), grant_repairs: 0, jobs, failed, unknown: Vec::new() })
}

async fn source_side(access: Option<&Access>, source: &Source, user: &UserRef) -> Result<SourceSide> {
    let Some(access) = access else {
        let told = accounts::source_as_told(source, Partition::Aws, false)?;
        return Ok(SourceSide { operator: None, account: told.account, user: told.user, observed: None });
    };
    let (operator, observed) =
        tokio::join!(accounts::source_operator(access, source), accounts::observe_user(access, user.name()));
    let (operator, (found, policies)) = (operator?, observed?);
    let account = operator.caller.account.clone();
    let partition = operator.caller.arn.partition().unwrap_or(access.partition());
    let side =
        |user, observed| SourceSide { operator: Some(operator.clone()), account: account.clone(), user, observed };
    let unreadable = |permission: &str, answer: &str| Err(accounts::unreadable(&operator, permission, answer));
    match (found, policies) {
        (Reading::Unreadable { permission, answer }, _) | (_, Reading::Unreadable { permission, answer }) => {
            unreadable(&permission, &answer)
        }
        (Reading::Present(user), Reading::Present(policies)) => {
            let observed = policies.of(user.clone());
            Ok(side(user, Some(observed)))
        }
        // With the user went the grant.
        (Reading::Absent, _) | (_, Reading::Absent) => {
            let name = user.name().clone();
            Ok(side(UserArn { partition, account: account.clone(), path: IamPath::root(), name }, None))
        }
    }
}

async fn target_side(
    connections: &Connections,
    link: &Link,
    source: Option<&Access>,
) -> Result<(Operator, Option<StandingRole>)> {
    let place = format!("target account {}", link.account);
    let access = enter(connections, link, source).await.map_err(|error| error.context(&place))?;
    let access = link.region.as_ref().map_or_else(|| access.clone(), |region| access.in_region(region));
    let (caller, role) = tokio::join!(sts::caller(&access), observe::role_to_remove(&access, &link.role));
    let operator = accounts::operator_of(link, access, caller)?;
    match role.map_err(|error| error.context(&place))? {
        Reading::Present(role) => Ok((operator, Some(role))),
        Reading::Absent => Ok((operator, None)),
        Reading::Unreadable { permission, answer } => Err(accounts::unreadable(&operator, &permission, &answer)),
    }
}

/// Removes the roles side by side, then what the grant says of them. One role that cannot be removed stops no other, and
/// does not save its place in the grant: it was to go, and the next run takes the rest.
async fn remove(work: &mut Work, args: &Teardown, run: &Run<'_>, progress: &Progress<'_>) {
    let roles = work.jobs.iter_mut();
    side_by_side(roles, args.report.concurrency, async |job| job.result = remove_role(job, args, progress).await).await;
    work.grant_result = remove_grant(work, args, run, progress).await;
}

async fn remove_role(job: &Job, args: &Teardown, progress: &Progress<'_>) -> Result<()> {
    let Some(operator) = job.operator.as_ref().filter(|_| !job.plan.is_empty()) else { return Ok(()) };
    let applied = apply::remove_role(&operator.access, &job.role, &job.plan.changes).await;
    let place = format!("target account {}", job.role.account);
    outcome(&results(&applied), &job.plan, job.role.name.as_str(), &place)?;
    let look = async || match read::role(&operator.access, &job.role.name).await? {
        Reading::Absent => Ok(Vec::new()),
        _ => Ok(vec![format!("delete role {}", job.role.name)]),
    };
    nothing_left(look, &place, args.timeout, progress).await
}

/// Takes the roles out of the grant as it is now: others may have put theirs in since it was shown, and these stay.
async fn remove_grant(work: &mut Work, args: &Teardown, run: &Run<'_>, progress: &Progress<'_>) -> Result<()> {
    let Work { source, grant, grant_plan, .. } = &*work;
    let (Some(operator), Some(shown)) = (&source.operator, &source.observed) else { return Ok(()) };
    if grant_plan.is_empty() {
        return Ok(());
    }
    let (name, roles) = (grant.clone(), work.roles());
    let planner = move |user: &ObservedUser| Ok(plan_grant_removal(&user.arn, &name, &roles, Some(user)));
    let mut writer = Grant::new(operator, shown, grant, grant_plan, run.context.random, planner);
    let result = writer.write_and_rest(args.timeout, progress).await;
    work.grant_repairs = writer.repairs();
    work.grant_plan = writer.plan;
    result
}

fn results<'a>(applied: &'a [Applied<'_>]) -> Vec<(&'a Change, &'a Result<()>)> {
    applied.iter().map(|applied| (applied.change, &applied.result)).collect()
}

/// Takes the links of which nothing is left out of `xacct.toml`. After one half went, the file is needed for the other.
fn forget(work: &Work, args: &Teardown, run: &Run<'_>) -> Result<bool> {
    if args.only.is_some() {
        return Ok(false);
    }
    config::forget(&run.file, &work.gone().map(|job| job.link.name.as_str()).collect::<Vec<_>>())
}
