//! The error for a role that teardown refuses to remove.

use super::orphan::Orphan;
use crate::config::Link;
use crate::error::{Error, Kind};
use crate::iam::plan::teardown::Objection;
use crate::operations::objection::with_hints;
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
    objections.iter().fold(error, |error, objection| with_hints(error, objection, link, Some(instead.clone())))
}
