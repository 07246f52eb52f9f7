//! Compares the role from which a link is moved with the one that it is moved to. Pure.

use crate::config::Link;
use crate::error::{Error, Kind, Result};
use crate::iam::identity::Identity;
use crate::iam::plan::Note;
use crate::iam::plan::bootstrap::plan_role;
use crate::iam::risks::{Risk, Undeclared};
use crate::iam::state::DesiredRole;
use crate::operations::accounts::{SourceSide, TargetSide};
use crate::operations::planning;
use crate::operations::run::Run;
use crate::operations::settle::InlinePolicies;
use crate::report::changes::{Mood, sentence};

/// Checks that the old role is as `xacct.toml` says, because the new one gets nothing else, and that the name of the new
/// one is free. Returns what the new role will lack. `before` is the link before the move.
///
/// # Errors
/// When there is no old role, it is not the link's or differs from `xacct.toml`, or the name is taken.
pub fn check(
    before: &Link,
    link: &Link,
    identity: Identity,
    source: &SourceSide,
    target: &TargetSide,
    own: &InlinePolicies,
    run: &Run<'_>,
) -> Result<Vec<Risk>> {
    let bootstrap = || run.file.xacct().arg("bootstrap").arg(&link.name);
    let refuse = |problem: String| Error::new(Kind::Refused, problem);
    let on_record = run.file.target(&link.name).and_then(|target| target.other_role.as_ref());
    // xacct records the name before it creates the role.
    let is_begun = on_record.is_some_and(|other| other.arn().name == link.role);
    if target.observed.is_some() && !is_begun {
        return Err(refuse(format!("role `{}` in account {} exists already", link.role, link.account))
            .hint("use another name: --role-name NAME"));
    }
    let Some(old) = &target.moved_from else {
        return Err(refuse(format!("role `{}` in account {} does not exist", before.role, before.account))
            .hint(format!("create it: {}", bootstrap()))
            .hint(format!("or set role = \"{}\" in [targets.{}], and create that one", link.role, link.name)));
    };
    let side = TargetSide { observed: Some(old.clone()), ..target.clone() };
    let plan_as = |exclusive: bool| {
        planning::role(before, identity.clone(), source, Some(&side), own, |desired, observed, quotas| {
            let desired = DesiredRole { exclusive, ..desired.clone() };
            plan_role(&desired, observed, quotas, false).map_err(|refusal| {
                refuse(refusal.to_string()).hint(format!("repair the link first: {}", bootstrap().flag("--dry-run")))
            })
        })
    };
    let (old_role, plan) = plan_as(before.exclusive)?;
    let differences: Vec<_> = plan.changes.iter().filter(|change| change.repairs_drift()).collect();
    if !differences.is_empty() {
        let error = refuse(format!("role `{}` in account {} differs from xacct.toml", before.role, before.account));
        let sentences = differences.iter().map(|change| sentence(change, before.role.as_str(), Mood::Would));
        return Err(sentences
            .fold(error, |error, sentence| error.note(format!("bootstrap would {sentence}")))
            .note("the new role gets only what xacct.toml declares")
            .hint(format!("repair the role first: {}", bootstrap())));
    }
    let policies = plan.undeclared_policies().filter_map(|risk| match risk {
        Risk::UndeclaredPolicy { policy: Undeclared::Attached(arn), .. } => Some(format!("managed policy {arn}")),
        Risk::UndeclaredPolicy { policy: Undeclared::Inline(name), .. } => Some(format!("inline policy {name}")),
        _ => None,
    });
    let notes = plan.notes.iter().flat_map(|note| match note {
        Note::OtherTags(tags) => tags.iter().map(|tag| format!("tag {tag}")).collect(),
        Note::Accepted(accepted) => vec![format!("the trust in {}", accepted.who)],
        _ => Vec::new(),
    });
    let what: Vec<_> = policies.chain(notes).collect();
    if what.is_empty() {
        return Ok(Vec::new());
    }
    // What a link that is exclusive would lose, the new role does not have.
    let (_, without) = plan_as(true)?;
    let weaker = without.weaker().cloned().map(Risk::Weaker);
    Ok([Risk::NotMoved { role: old_role.arn, what }].into_iter().chain(weaker).collect())
}
