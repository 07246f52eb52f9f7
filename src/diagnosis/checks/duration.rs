//! How long a session was asked for, and how long one may last.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::credentials::the_users_own;
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{BootstrapWith, Fix, VerifyWith, is_foreign_role};
use crate::iam::arn::CallerArn;
use crate::iam::names::MaxSessionDuration;

/// What AWS would refuse next, once what it refused is mended: it looks at the length of a session last.
pub fn foreseen(facts: &Facts, findings: &[Finding]) -> Vec<Finding> {
    let wanted = facts.request.duration_seconds.unwrap_or(3600);
    let limit = facts.target.role.present().map(|role| role.max_session_seconds);
    let is_chained = matches!(facts.caller.identity.present(), Some(CallerArn::AssumedRole { .. }));
    let is_new = |cause| findings.iter().all(|finding| finding.cause != cause);
    let mut foreseen = Vec::new();
    if limit.is_some_and(|limit| wanted > limit) && is_new(Cause::DurationOverRoleLimit) {
        foreseen.push(over_role_limit(facts));
    }
    if is_chained && wanted > 3600 && is_new(Cause::DurationOverChainingLimit) {
        foreseen.push(over_an_hour(facts));
    }
    foreseen
}

pub fn over_role_limit(facts: &Facts) -> Finding {
    let wanted = facts.request.duration_seconds.unwrap_or(3600);
    let limit = facts.target.role.present().map(|role| role.max_session_seconds);
    let hours =
        |seconds| MaxSessionDuration::from_secs(seconds).map_or_else(|_| format!("{seconds}s"), |it| it.to_string());
    let allowed = limit.map_or_else(String::new, |limit| format!(" of {}", hours(limit)));
    let what = format!("a session of {} was asked for, and the role's limit{allowed} is shorter", hours(wanted));
    let mut finding = Finding::new(Cause::DurationOverRoleLimit, what);
    if let Some(limit) = limit {
        finding = finding.fact(format!("MaxSessionDuration of role {} is {limit}", facts.link.role.name));
    }
    let lengthen = Fix::bootstrap(facts, BootstrapWith::MaxSessionDuration(hours(wanted)));
    let shorten = Fix::by(Side::Request, facts).step_do(match limit {
        Some(limit) => format!("ask for {} at most", hours(limit)),
        None => "ask for a shorter session".to_owned(),
    });
    // To adopt a role is more than to lengthen its sessions.
    if is_foreign_role(facts) { finding.fix(shorten).fix(lengthen) } else { finding.fix(lengthen).fix(shorten) }
}

pub fn over_an_hour(facts: &Facts) -> Finding {
    let what = "a session of more than an hour was asked for with the session of another role";
    Finding::new(Cause::DurationOverChainingLimit, what)
        .fact("roles that are assumed with the session of another give an hour at most (role chaining)")
        .fix(the_users_own(facts, VerifyWith::Nothing))
        .fix(Fix::by(Side::Request, facts).step_do("ask for an hour at most"))
}
