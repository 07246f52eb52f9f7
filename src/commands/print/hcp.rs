//! `xacct print hcp`.

use clap::{Args, ValueEnum};

use std::collections::BTreeSet;

use super::consumer::{Consumer, access, account_of, only_one, principals};
use super::out::{Form, emit};
use crate::cli::{Printed, valid};
use crate::config::Link;
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::UserArn;
use crate::iam::names::Region;
use crate::iam::templates::{self, TrustTerms};
use crate::operations::run::Run;
use crate::operations::settle;
use crate::print::hcp;

/// Print variables for an HCP Terraform or Terraform Enterprise workspace.
///
/// Runs use their own OIDC tokens, if the role trusts the workspace, or the user's access keys. Prints no secrets.
#[derive(Debug, Args)]
#[command(
    // clap would put it on one line, which is too long.
    override_usage = "xacct print hcp --organization <NAME> --workspace <NAME>\n                       [OPTIONS] [TARGET]...",
    after_long_help = "Examples:
  xacct print hcp dev --organization acme --workspace network
  xacct print hcp dev --organization acme --workspace network --auth static
  Let the role trust the workspace:
    xacct print hcp dev --organization acme --workspace network \\
        --trust-statement --out hcp.json
    xacct bootstrap dev --trust-statement-file hcp.json"
)]
pub struct Hcp {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// Name of the organization
    #[arg(long, value_name = "NAME")]
    pub organization: String,
    /// Name of the workspace's project
    #[arg(long, value_name = "NAME", default_value = "Default Project")]
    pub project: String,
    /// Name of the workspace
    #[arg(long, value_name = "NAME")]
    pub workspace: String,
    /// Hostname of HCP Terraform or Terraform Enterprise
    #[arg(long, value_name = "HOST", default_value = "app.terraform.io")]
    pub hostname: String,
    /// How runs get credentials
    #[arg(long, value_name = "HOW", default_value = "dynamic")]
    pub auth: HcpAuth,
    /// Print the statement that trusts the workspace, as JSON, for trust_statement_files
    #[arg(long)]
    pub trust_statement: bool,
    /// Print the role's whole trust policy, including the workspace, as JSON
    #[arg(long, conflicts_with = "trust_statement")]
    pub trust_policy: bool,
    /// The user's ARN, if the user has a path (default: the user in xacct.toml)
    #[arg(long, value_name = "ARN", value_parser = valid::<UserArn>, requires = "trust_policy")]
    pub user_arn: Option<UserArn>,
    /// Region of the runs (default: the target's in xacct.toml)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
}

/// How runs get credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HcpAuth {
    /// With their own OIDC token, which the role must trust
    Dynamic,
    /// With the user's access keys, stored in the workspace
    Static,
}

impl Consumer for Hcp {
    const NAME: &'static str = "hcp";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let mut links = run.links_with_external_ids(&self.printed.targets)?;
        settle::read_trust_statements(&mut links, run)?;
        let link = only_one(&links, "a workspace can have only one role")?;
        let access = access(link, self.region.as_ref(), None, run)?;
        let workspace = hcp::workspace(&self.hostname, &self.organization, &self.project, &self.workspace)?;
        if self.auth == HcpAuth::Static {
            if self.trust_policy || self.trust_statement {
                return Err(Error::usage("--auth static does not change the role's trust policy")
                    .hint("omit --auth static, or print no trust policy"));
            }
            return emit::<Self>(Form::Commented, &hcp::with_keys(&access, &workspace)?, &self.printed, run);
        }
        let statement = templates::trust_hcp(&access.role, &workspace);
        let is_declared = statement.statements.iter().all(|it| link.trust_statements.contains(it));
        if !is_declared {
            run.console.say(&self.how_to_declare(link, run));
        }
        let demands = [
            (access.external_id.is_some(), "external ID"),
            (link.require_mfa, "MFA"),
            (link.restrict_to_user, "restriction to the user"),
        ];
        let demands: Vec<_> = demands.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect();
        if !demands.is_empty() {
            run.console.say(&format!(
                "Runs in the workspace bypass the link's {}: anyone who can start a run can use the role",
                demands.join(" and "),
            ));
        }
        if self.trust_policy {
            link.check(Some(access.role.partition))?;
            let principals =
                principals(self.user_arn.as_ref(), link, access.role.partition, link.restrict_to_user, run)?;
            let terms = TrustTerms {
                partition: access.role.partition,
                source: account_of(&principals, run)?,
                external_ids: link.external_ids().cloned().collect(),
                require_mfa: link.require_mfa,
                only: if link.restrict_to_user { principals } else { BTreeSet::new() },
                session_tags: link.allow_session_tags,
            };
            let mut document = templates::trust_with(&terms, &link.trust_statements);
            if !is_declared {
                document.statements.extend(statement.statements);
            }
            return emit::<Self>(Form::Json, &document.to_string(), &self.printed, run);
        }
        if self.trust_statement {
            return emit::<Self>(Form::Json, &statement.to_string(), &self.printed, run);
        }
        run.console.say(
            "Don't use assume_role in the workspace's providers: runs already use the role, and a role cannot assume itself",
        );
        emit::<Self>(Form::Commented, &hcp::with_tokens(&access, &workspace, &statement), &self.printed, run)
    }
}

impl Hcp {
    /// Returns the commands that add the statement to the role, so that bootstrap keeps it.
    fn how_to_declare(&self, link: &Link, run: &Run<'_>) -> String {
        let file = self.printed.out.as_ref().filter(|_| self.trust_statement);
        let file = file.map_or_else(|| "hcp.json".to_owned(), |out| out.display().to_string());
        let other = |default: &str, value: &str| Some(value.to_owned()).filter(|value| value != default);
        let save = run
            .file
            .xacct()
            .args(["print", Self::NAME])
            .arg(&link.name)
            .option("--organization", &self.organization)
            .option_if("--project", other("Default Project", &self.project))
            .option("--workspace", &self.workspace)
            .option_if("--hostname", other("app.terraform.io", &self.hostname))
            .flag("--trust-statement")
            .option("--out", &file);
        let bootstrap = run.file.xacct().arg("bootstrap").arg(&link.name);
        // The option replaces the whole list.
        let folder = run.file.folder(run.context);
        let listed = link.trust_statement_files.iter().map(|path| match folder == run.context.directory {
            true => path.display().to_string(),
            false => folder.join(path).display().to_string(),
        });
        let declare =
            listed.chain([file]).fold(bootstrap, |command, file| command.option("--trust-statement-file", file));
        let save =
            if self.trust_statement && self.printed.out.is_some() { String::new() } else { format!("\n  {save}") };
        format!(
            "To let the role trust the workspace, save the statement to a file and run bootstrap with it:{save}\n  {declare}"
        )
    }
}
