//! AWS names the kind of policy that denies AssumeRole.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::attribute;
use crate::diagnosis::checks::named::in_account;
use crate::diagnosis::checks::propagation::propagating;
use crate::diagnosis::denial::{Denial, DeniedBy};
use crate::diagnosis::facts::{Answer, Facts};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{BootstrapWith, Fix, Half};
use crate::diagnosis::verdict::{ActionEvaluation, Evaluation, Evaluations, Verdict};
use crate::text::shell::ShellCommand;

/// Compares what AWS says with what the policies show. AWS decides: what it names comes first, and if the policies that
/// were read do not show it, a finding says so.
pub fn compare(facts: &Facts, evaluations: &Evaluations<'_>, findings: &mut Vec<Finding>) {
    let Answer::Refused(answer) = &facts.answer else { return };
    let denial = Denial::of(answer);
    // The answer and the policies may both show the quarantine.
    let mut is_known = false;
    findings.retain(|finding| finding.cause != Cause::KeyQuarantined || !std::mem::replace(&mut is_known, true));
    if is_known {
        findings.sort_by_key(|finding| finding.cause != Cause::KeyQuarantined);
        return;
    }
    if let Some(by) = denial.by.filter(|by| is_in_accounts(*by)) {
        let is_it = |finding: &Finding| shows(by, finding);
        if findings.iter().any(is_it) {
            // The sort is stable.
            findings.sort_by_key(|finding| !is_it(finding));
            return;
        }
        findings.splice(0..0, of_kind(facts, evaluations, (by, &denial)).map(|finding| finding.said(answer)));
        return;
    }
    // The finding from the answer covers the organization's policies and the like.
    if denial.by.is_some() {
        return;
    }
    let is_it = |finding: &Finding| Some(finding.cause) == denial.action.and_then(|action| cause_of(facts, action));
    if findings.iter().any(is_it) {
        findings.sort_by_key(|finding| !is_it(finding));
    } else if let Some(finding) = of_action(facts, evaluations, &denial) {
        findings.insert(0, finding.said(answer));
    }
}

fn is_in_accounts(by: DeniedBy) -> bool {
    matches!(by, DeniedBy::Trust | DeniedBy::Resource | DeniedBy::Identity | DeniedBy::Boundary)
}

/// Returns whether a finding is about policies of this kind.
fn shows(by: DeniedBy, finding: &Finding) -> bool {
    let is_boundary = finding.cause == Cause::BoundaryCuts;
    match by {
        DeniedBy::Boundary => is_boundary,
        DeniedBy::Identity => finding.side == Side::Source && !is_boundary,
        _ => matches!(finding.side, Side::Target | Side::Request),
    }
}

/// Returns the cause of an action other than AssumeRole.
fn cause_of(facts: &Facts, action: &str) -> Option<Cause> {
    attribute::needing(facts, action).map(|(cause, _)| cause)
}

/// Returns the finding for the action that AWS names, if xacct could not read all policies that must allow it.
fn of_action(facts: &Facts, evaluations: &Evaluations<'_>, denial: &Denial<'_>) -> Option<Finding> {
    let action = denial.action?;
    let (cause, what) = attribute::needing(facts, action)?;
    let evaluation = of(evaluations, action)?;
    let is_read = evaluation.trust.as_ref().is_some_and(Evaluation::is_whole) && evaluation.grant.is_whole();
    if is_read {
        return None;
    }
    let (user, role) = (facts.link.whose(), &facts.link.role.name);
    let summary = format!("{what}, but AWS does not allow {action}");
    let sent = if cause == Cause::SourceIdentityNotAllowed { "source identity" } else { "session tags" };
    let finding = attribute::explained(Finding::new(cause, summary));
    let finding = Some(
        finding
            .fact(format!("both the policies of {user} and the trust policy of role {role} must allow {action}"))
            .fix(Fix::bootstrap(Half::Both, facts, BootstrapWith::SessionTags)),
    );
    finding.map(|finding| match cause {
        Cause::InheritedSessionTags => attribute::or_without(facts, finding),
        _ => finding.fix(Fix::by(Side::Request, facts).step_do(format!("send no {sent}"))),
    })
}

fn of<'a, 'b>(evaluations: &'a Evaluations<'b>, action: &str) -> Option<&'a ActionEvaluation<'b>> {
    evaluations.assume.iter().find(|evaluation| evaluation.action == action)
}

/// Returns the finding for the kind of policy that AWS names.
fn of_kind(facts: &Facts, evaluations: &Evaluations<'_>, (by, denial): (DeniedBy, &Denial<'_>)) -> Option<Finding> {
    let (user, role) = (facts.link.whose(), &facts.link.role);
    let action = denial.action.unwrap_or("sts:AssumeRole");
    let of_action = of(evaluations, action);
    let layer = of_action.and_then(|evaluation| match by {
        DeniedBy::Identity => Some(&evaluation.grant),
        DeniedBy::Boundary => evaluation.boundary.as_ref(),
        _ => evaluation.trust.as_ref(),
    });
    let is_contradicted = contradicts(layer) || by == DeniedBy::Boundary && layer.is_none();
    if let Some(finding) = propagating(facts, evaluations).filter(|_| is_contradicted) {
        return Some(finding.fact(contradiction(by, denial, action)).named(denial));
    }
    let with = if cause_of(facts, action).is_some() { BootstrapWith::SessionTags } else { BootstrapWith::Nothing };
    let exempt = format!("exempt {action} on {role} from the statement that denies it");
    let (cause, side, what, fix) = match by {
        DeniedBy::Identity if denial.is_explicit => {
            let what = match facts.link.principal.user() {
                Some(_) => format!("a policy of {user} or of one of its groups denies {action}"),
                None => format!("a policy of {user} denies {action}"),
            };
            let find = if denial.policy.is_some() {
                exempt
            } else {
                format!("find the policy that denies {action}, and {exempt}")
            };
            (Cause::SourceDenies, Side::Source, what, in_account(facts, Side::Source, denial, find))
        }
        DeniedBy::Identity => {
            let what = format!("no policy allows {action} for {user}");
            (
                cause_of(facts, action).unwrap_or(Cause::GrantAbsent),
                Side::Source,
                what,
                Fix::bootstrap(Half::Source, facts, with),
            )
        }
        DeniedBy::Boundary => {
            let verb = if denial.is_explicit { "denies" } else { "does not allow" };
            let what = format!("the permissions boundary of {user} {verb} {action}");
            let change = if denial.is_explicit {
                exempt
            } else {
                format!("allow {action} on {role} in the permissions boundary")
            };
            (Cause::BoundaryCuts, Side::Source, what, in_account(facts, Side::Source, denial, change))
        }
        _ => {
            let verb = if denial.is_explicit { "denies" } else { "does not allow" };
            let what = format!("the trust policy of role {} {verb} {action}", role.name);
            let cause = cause_of(facts, action).filter(|_| !denial.is_explicit).unwrap_or(Cause::TrustDenies);
            (cause, Side::Target, what, Fix::bootstrap(Half::Target, facts, with))
        }
    };
    if !is_contradicted {
        return Some(Finding::new(cause, what).on(side).named(denial).fix(fix));
    }
    let again = ShellCommand::new("xacct").arg("diagnose").arg(&facts.link.name);
    let wait = Fix::by(Side::Request, facts).step_do("wait a minute, then read the policies again:").run(again);
    let finding = Finding::new(cause, what).on(side).fact(contradiction(by, denial, action)).named(denial);
    Some(if is_shown(by, denial, layer) { finding.fix(fix).fix(wait) } else { finding.likely().fix(wait).fix(fix) })
}

/// Returns whether AWS's answer shows the policy at fault although it was not among those that were read: AWS names it, or
/// has evaluated a boundary where none was read.
pub fn is_shown(by: DeniedBy, denial: &Denial<'_>, layer: Option<&Evaluation<'_>>) -> bool {
    denial.policy.is_some() || by == DeniedBy::Boundary && layer.is_none()
}

/// Returns whether the policies were read and do not deny.
pub fn contradicts(layer: Option<&Evaluation<'_>>) -> bool {
    layer.is_some_and(|layer| {
        layer.is_whole() && matches!(layer.verdict(), Verdict::Allowed | Verdict::AllowedAsFarAsRead)
    })
}

/// Says that what was read is not what AWS says.
pub fn contradiction(by: DeniedBy, denial: &Denial<'_>, action: &str) -> String {
    let kind = match by {
        DeniedBy::Identity => "identity-based policies",
        DeniedBy::Boundary => "a permissions boundary",
        DeniedBy::Resource => "a resource-based policy",
        _ => "the trust policy",
    };
    let read = match denial.policy {
        _ if by == DeniedBy::Boundary => "xacct read no boundary that denies it",
        Some(_) if denial.is_explicit => "no policy that was read denies it",
        _ if denial.is_explicit => "no statement that was read denies it",
        _ => "the policies that xacct read allow it",
    };
    format!(
        "AWS says that {kind} caused the denial of {action}, but {read}: a policy was changed moments ago and IAM is still propagating it, or it \
         was changed after the request"
    )
}
