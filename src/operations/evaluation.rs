//! Evaluates links for a principal without its credentials, for `--as`.

use crate::cli::{ReportOptions, UserOptions};
use crate::config::{Link, Source};
use crate::diagnosis::{Diagnosis, Facts, Fix, FixStep, Side, Verdict, diagnose};
use crate::error::{ExitCode, Result};
use crate::iam::arn::{PrincipalRef, RoleArn};
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::proving;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::text::shell::ShellCommand;

/// A link, and what the policies of both accounts decide for the principal.
pub struct Evaluated<'l> {
    pub link: &'l Link,
    pub role: RoleArn,
    pub facts: Facts,
    pub diagnosis: Diagnosis,
}

/// How to evaluate links.
pub struct Evaluation<'a> {
    pub principal: &'a PrincipalRef,
    /// The source account with its operator, who reads the principal's policies.
    pub source: Source,
    pub user: &'a UserOptions,
    pub report: ReportOptions,
    pub run: &'a Run<'a>,
}

impl Evaluation<'_> {
    /// Evaluates all links concurrently, with the policies that the operators can read. `prepare` completes the facts.
    ///
    /// # Errors
    /// When the principal is of another account, or xacct.toml names no principal.
    pub async fn of<'l>(&self, links: &'l [Link], prepare: impl Fn(&mut Facts)) -> Result<Vec<Evaluated<'l>>> {
        let Self { principal, user, run, report, .. } = *self;
        let principals = proving::principals_on_record(run)?;
        let region = links.iter().find_map(|link| link.region.clone());
        let opening = Opening { user, region, path_style: false, sts_rate: Some(report.sts_rate) };
        let connections = run.open_connections(opening)?;
        let diagnostician = Diagnostician::new(run, &connections, &self.source, &principals, None);
        let tally = run.console.tally("evaluate", links.len(), "evaluated");
        let evaluated = side_by_side(links, report.concurrency, async |link| {
            let role = link.role_arn(run.file.partition_of(link.region.as_ref()));
            let case = Case { link, role: &role, target: None, written: None, made: None };
            // On the heap: futures nested more deeply are too much for the compiler.
            let facts = Box::pin(diagnostician.evaluated(&case, principal)).await;
            tally.one_more();
            let mut facts = facts?;
            prepare(&mut facts);
            let mut diagnosis = diagnose(&facts);
            if !link.principals.iter().any(|known| known.is_same(principal)) {
                self.declare_first(link, &facts, &mut diagnosis);
            }
            Ok(Evaluated { link, role, facts, diagnosis })
        });
        evaluated.await.into_iter().collect()
    }

    /// Says that the link does not declare the principal, and adds to the fixes what makes bootstrap give it the grant.
    fn declare_first(&self, link: &Link, facts: &Facts, diagnosis: &mut Diagnosis) {
        let whose = self.principal.in_words().replace('`', "");
        diagnosis.notes.push(format!(
            "{whose} is not a principal of target {}, which is for {}",
            link.name,
            link.principals_in_words()
        ));
        let all = link.principals.iter().chain([self.principal]).map(|it| format!("\"{}\"", it.without_account()));
        let section = if link.has_own_principals { format!("[targets.{}]", link.name) } else { "[source]".to_owned() };
        let declare = format!(
            "add {whose} to the principals in {} of {}: principals = [{}]",
            section,
            self.run.file.path.display(),
            all.collect::<Vec<_>>().join(", ")
        );
        let group = link.principals.iter().find(|known| matches!(known, PrincipalRef::Group(_)));
        let user = self.principal.user_name();
        for finding in &mut diagnosis.findings {
            if !finding.fixes.iter().any(Fix::is_bootstrap) {
                continue;
            }
            for fix in finding.fixes.iter_mut().filter(|fix| fix.is_bootstrap()) {
                fix.steps.insert(0, FixStep::Do(declare.clone()));
            }
            if let (Some(group), Some(user)) = (group, user) {
                let add = ShellCommand::new("aws").args(["iam", "add-user-to-group"]);
                let add = add.option("--group-name", group.name()).option("--user-name", user);
                finding.fixes.insert(0, Fix::by(Side::Source, facts).run(add));
            }
        }
    }
}

/// Returns the exit code of an evaluation that says whether a principal gets in.
#[must_use]
pub fn exit_code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Allowed => ExitCode::Done,
        Verdict::NotAllowed | Verdict::Denied => ExitCode::BrokenOrOpen,
        Verdict::AllowedAsFarAsRead | Verdict::Unknown => ExitCode::Unproven,
    }
}
