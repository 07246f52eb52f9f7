//! `xacct print-hcp`.

use super::out::{Form, emit};
use super::{access, only_one, user_arn};
use crate::cli::{HcpAuth, PrintHcp};
use crate::commands::Run;
use crate::config;
use crate::error::{ExitCode, Result};
use crate::iam::templates::{self, TrustTerms};
use crate::print::hcp;

/// Runs the command.
pub fn hcp(args: &PrintHcp, run: &Run<'_>) -> Result<ExitCode> {
    const COMMAND: &str = "print-hcp";
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    let link = only_one(&links, "a workspace has one role")?;
    let access = access(link, args.region.as_ref(), None, run)?;
    let workspace = hcp::workspace(&args.hostname, &args.organization, &args.project, &args.workspace)?;
    if args.auth == HcpAuth::Static {
        return emit(COMMAND, Form::Commented, &hcp::with_keys(&access, &workspace)?, &args.printed, run);
    }
    run.console.say(
        "bootstrap writes the whole trust policy, and would take the workspace's statement out again: give the workspace a \
         role of its own, or do not run bootstrap for this one any more",
    );
    if args.trust_policy {
        let user = user_arn(args.user_arn.as_ref(), access.role.partition, run)?;
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
    let statement = templates::trust_hcp(&access.role, &workspace);
    emit(COMMAND, Form::Commented, &hcp::with_tokens(&access, &workspace, &statement), &args.printed, run)
}
