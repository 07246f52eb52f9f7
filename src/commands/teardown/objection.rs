//! The error for a role that teardown refuses to remove.

use super::orphan::Orphan;
use crate::config::Link;
use crate::error::{Error, Kind};
use crate::iam::plan::teardown::Objection;
use crate::operations::objection::with_hints;
use crate::operations::run::Run;
use crate::text::shell::ShellCommand;

/// Returns one error for all objections to a role, with hints for each.
pub fn refused(objections: &[Objection], link: &Link, orphan: Option<&Orphan>) -> Error {
    if let Some(orphan) = orphan {
        return orphan.refused(objections);
    }
    let said = objections.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let teardown = ShellCommand::new("xacct").arg("teardown").arg(&link.name).option("--only", "source");
    let instead = format!("keep the role and remove only the grant: {teardown}");
    let error = Error::new(Kind::Refused, said);
    objections.iter().fold(error, |error, objection| match objection {
        // The target has another role, which these hints would be about.
        Objection::Foreign(_)
        | Objection::OtherSource { .. }
        | Objection::OtherLink { .. }
        | Objection::OtherArn { .. }
            if link.is_other_role =>
        {
            error.hint(format!("to keep that role, remove `moved_from` or `moving_to` from [targets.{}]", link.name))
        }
        _ => with_hints(error, objection, link, Some(instead.clone())),
    })
}

/// Returns the error for a link that another tool manages.
pub fn managed_elsewhere(link: &Link, run: &Run<'_>) -> Error {
    let manager = link.managed_by.map(|manager| manager.to_string()).unwrap_or_default();
    let forget = run.file.xacct().arg("forget").arg(&link.name);
    let removed = run.file.xacct().args(["print", "role-hcl"]).flag("--removed");
    Error::new(Kind::Refused, format!("{manager} manages target `{}`, so xacct does not delete its role", link.name))
        .hint(format!("delete the role with {manager}, then remove the target: {}", forget))
        .hint(format!("or take it back: apply the output of {removed}, and remove `managed_by` from the target"))
}
