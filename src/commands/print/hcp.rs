//! `xacct print-hcp`.

use super::out::{Form, emit};
use super::{access, only_one, user_arn};
use crate::cli::{HcpAuth, PrintHcp};
use crate::config;
use crate::error::{Error, ExitCode, Result};
use crate::iam::templates::{self, TrustTerms};
use crate::operations::run::Run;
use crate::print::hcp;

/// Runs the command.
pub fn hcp(args: &PrintHcp, run: &Run<'_>) -> Result<ExitCode> {
    const COMMAND: &str = "print-hcp";
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    let link = only_one(&links, "a workspace has one role")?;
    let access = access(link, args.region.as_ref(), None, run)?;
    let workspace = hcp::workspace(&args.hostname, &args.organization, &args.project, &args.workspace)?;
    if args.auth == HcpAuth::Static {
        if args.trust_policy {
            return Err(Error::usage("with keys of the user the role's trust policy stays as it is")
                .hint("leave out --trust-policy or --auth static"));
        }
        return emit(COMMAND, Form::Commented, &hcp::with_keys(&access, &workspace)?, &args.printed, run);
    }
    run.console.say(
        "bootstrap writes the whole trust policy, and would take the workspace's statement out again: give the workspace a \
         role of its own, or do not run bootstrap for this one any more",
    );
    let demands = [
        (access.external_id.is_some(), "external ID"),
        (link.require_mfa, "MFA"),
        (link.restrict_to_user, "restriction to the user"),
    ];
    let demands: Vec<_> = demands.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect();
    if !demands.is_empty() {
        run.console.say(&format!(
            "Runs of the workspace pass by the link's {}: whoever may start one has the role",
            demands.join(" and "),
        ));
    }
    if args.trust_policy {
        link.check(Some(access.role.partition))?;
        let user = user_arn(args.user_arn.as_ref(), access.role.partition, link.restrict_to_user, run)?;
        let terms = TrustTerms {
            partition: access.role.partition,
            source: user.account.clone(),
            external_id: access.external_id.clone(),
            require_mfa: link.require_mfa,
            only_user: link.restrict_to_user.then_some(user),
            session_tags: link.allow_session_tags,
        };
        let document = templates::trust_with_hcp(&terms, &access.role, &workspace);
        return emit(COMMAND, Form::Json, &document.to_string(), &args.printed, run);
    }
    run.console.say(
        "Leave assume_role out of the workspace's providers: a run is the role already, which would have to assume itself",
    );
    let statement = templates::trust_hcp(&access.role, &workspace);
    emit(COMMAND, Form::Commented, &hcp::with_tokens(&access, &workspace, &statement), &args.printed, run)
}
