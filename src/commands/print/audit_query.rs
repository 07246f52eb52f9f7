//! `xacct print audit-query`.

use clap::{Args, ValueEnum};

use super::consumer::{Consumer, partition};
use super::out::{Form, emit};
use crate::cli::Printed;
use crate::config::{Link, WayIn};
use crate::environment;
use crate::error::{ExitCode, Result};
use crate::operations::run::Run;
use crate::print::audit_query::{Audit, Engine, Grant, Target};

/// Print CloudTrail queries: who assumed the roles, and who changed them or the grant.
///
/// For CloudTrail Lake, Athena and the AWS CLI. Sessions are recorded in both accounts: in the source account with the
/// caller's ARN, in the target account with the caller's account and unique ID.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print audit-query
  xacct print audit-query dev prod --engine lake --out audit.sql
  xacct print audit-query dev --engine cli")]
pub struct AuditQuery {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// Where to ask (default: queries for all three)
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<QueryEngine>,
}

/// Where to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueryEngine {
    /// CloudTrail Lake: SQL over an event data store
    Lake,
    /// Athena: SQL over the files of a trail
    Athena,
    /// AWS CLI: the event history, one account and Region at a time
    Cli,
}

impl Consumer for AuditQuery {
    const NAME: &'static str = "audit-query";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let links = run.links(&self.printed.targets)?;
        let partition = partition(&links, None, run)?;
        let own = |profile: &Option<String>| profile.clone().filter(|name| name != environment::PROFILE);
        let links = Link::with_other_roles(links);
        let targets = links.iter().map(|link| {
            link.check(Some(partition))?;
            let profile = match &link.way_in {
                WayIn::Profile(profile) => own(&Some(profile.clone())),
                _ => None,
            };
            let (name, region) = (link.name.clone(), link.region.clone());
            Ok(Target { name, role: link.role_arn(partition), region, profile })
        });
        let targets = targets.collect::<Result<Vec<_>>>()?;
        let source = &run.file.source;
        let grant = run.file.the_user().map(|user| Grant {
            user: user.name().clone(),
            account: source.account().cloned(),
            profile: own(&source.profile),
        });
        let audit = Audit { partition, targets, grant };
        let (form, text) = match self.engine {
            Some(QueryEngine::Lake) => (Form::Sql, audit.queries(Engine::Lake)),
            Some(QueryEngine::Athena) => (Form::Sql, audit.queries(Engine::Athena)),
            Some(QueryEngine::Cli) => (Form::Commented, audit.queries(Engine::Cli)),
            None => {
                let all = [Engine::Lake, Engine::Athena, Engine::Cli].map(|engine| audit.queries(engine));
                (Form::Commented, all.join("\n"))
            }
        };
        emit::<Self>(form, &text, &self.printed, run)
    }
}
