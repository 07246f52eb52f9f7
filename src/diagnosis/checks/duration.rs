//! Session durations: requested and allowed.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::credentials::the_users_own;
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{BootstrapWith, Fix, Half, VerifyWith, is_foreign_role};
use crate::iam::arn::CallerArn;
use crate::iam::names::MaxSessionDuration;

/// Returns what AWS would reject next, once the other causes are fixed: it checks the session duration last.
pub fn foreseen(facts: &Facts, findings: &[Finding]) -> Vec<Finding> {
    let wanted = facts.request.duration_seconds.unwrap_or(3600);
    let limit = facts.target.role.present().map(|role| role.max_session_seconds);
    let is_chained = facts.caller.is_session;
    let is_new = |cause| findings.iter().all(|finding| finding.cause != cause);
    let mut foreseen: Vec<Finding> = Vec::new();
    if limit.is_some_and(|limit| wanted > limit) && is_new(Cause::DurationOverRoleLimit) {
        foreseen.push(over_role_limit(facts));
    }
    if is_chained && wanted > 3600 && is_new(Cause::DurationOverChainingLimit) {
        foreseen.push(over_an_hour(facts));
    }
    foreseen.into_iter().map(Finding::foreseen).collect()
}

pub fn over_role_limit(facts: &Facts) -> Finding {
    let wanted = facts.request.duration_seconds.unwrap_or(3600);
    let limit = facts.target.role.present().map(|role| role.max_session_seconds);
    let hours =
        |seconds| MaxSessionDuration::from_secs(seconds).map_or_else(|_| format!("{seconds}s"), |it| it.to_string());
    let allowed = limit.map_or_else(|| "less".to_owned(), |limit| format!("at most {}", hours(limit)));
    let role = &facts.link.role.name;
    let what = format!("the request asks for a session of {}, but role {role} allows {allowed}", hours(wanted));
    let mut finding = Finding::new(Cause::DurationOverRoleLimit, what);
    if let Some(limit) = limit {
        finding = finding.fact(format!("MaxSessionDuration of role {role} is {limit} seconds"));
    }
    let lengthen = Fix::bootstrap(Half::Target, facts, BootstrapWith::MaxSessionDuration(hours(wanted)));
    let shorten = Fix::by(Side::Request, facts).step_do(match limit {
        Some(limit) => format!("request a session of at most {}", hours(limit)),
        None => "request a shorter session".to_owned(),
    });
    // Adopting a role changes more than its session limit.
    if is_foreign_role(facts) { finding.fix(shorten).fix(lengthen) } else { finding.fix(lengthen).fix(shorten) }
}

pub fn over_an_hour(facts: &Facts) -> Finding {
    // Whose session it is, if the credentials are none, says AWS's answer: another tool's request, perhaps.
    let is_of_user = matches!(facts.caller.identity.present(), Some(CallerArn::User(_)));
    let (whose, why) = if is_of_user {
        (
            format!("session credentials of {} (GetSessionToken)", facts.link.whose()),
            "AWS limits role sessions to one hour if session credentials request them, including those of GetSessionToken; \
             the user's access key can request more, with the MFA code in AssumeRole itself",
        )
    } else {
        (
            match facts.caller.identity.present().and_then(CallerArn::session) {
                Some(_) if facts.link.principal.acts_as_role() => format!("a session of {}", facts.link.whose()),
                _ => "the credentials of another role session".to_owned(),
            },
            "role chaining (one role session assumes another role) limits sessions to one hour",
        )
    };
    let finding = Finding::new(
        Cause::DurationOverChainingLimit,
        format!("the request asks for a session of more than one hour with {whose}"),
    )
    .fact(why);
    let is_role = facts.link.principal.acts_as_role();
    let shorten = Fix::by(Side::Request, facts).step_do(match is_role {
        true => "request a session of at most 1h, and renew it before it ends: xacct exec --server renews it",
        false => "request a session of at most 1h",
    });
    if is_role {
        return finding.fact("MaxSessionDuration of the role does not raise this limit").fix(shorten);
    }
    // An access key that MFA was added to is the user's own already.
    if facts.caller.is_session {
        finding.fix(the_users_own(facts, VerifyWith::Nothing)).fix(shorten)
    } else {
        finding.fix(shorten)
    }
}
