//! The step that reads whom else the trust policy admits, which the user's own session cannot try.

use std::cell::Cell;
use std::collections::BTreeSet;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::claim::{Claim, Extent};
use super::step::{Step, StepId, StepOutcome, answer_code};
use super::watch::Watch;
use crate::aws::client::access::Access;
use crate::aws::iam::observe;
use crate::aws::iam::read::FoundRole;
use crate::error::{Error, Kind, Result};
use crate::iam::admission::{Admitted, Declared, Review, Standing, Subject, of_trust};
use crate::iam::last_use::Used;
use crate::iam::names::AccountId;
use crate::iam::state::{FoundDocument, Reading, is_ours};

/// A session of the role, and the account of the principal that opened it.
pub(super) type Arrived = (Access, AccountId);

/// What was read beside the other steps.
#[derive(Default)]
pub(super) struct Read {
    /// `None` if there is no session to test.
    pub step: Option<Step>,
    /// The role, if it could be read.
    pub role: Option<FoundRole>,
    /// As [`Proof::deciding`](super::Proof::deciding).
    pub deciding: Vec<usize>,
    /// The last use of the role by the first read. Assumed: AWS does not report a use within seconds, so it is not this
    /// proof's.
    pub used_before: Option<Used>,
}

/// Reads the trust policy with the target operator's credentials, beside the other steps, or else with the session's own
/// permissions. `None` if there is no session to test: then a diagnosis reads both halves.
pub(super) async fn step(
    claim: &Claim,
    operator: impl Future<Output = Result<Access>>,
    session: oneshot::Receiver<Arrived>,
    watch: &dyn Watch,
) -> Option<Read> {
    if matches!(claim.extent, Extent::Session) {
        return None;
    }
    let start = Instant::now();
    let by_operator = async {
        let read = match operator.await {
            Ok(access) => {
                let read = new_role(&access, claim).await;
                read.map(|role| (access.clone(), role)).map_err(|why| (why, Some(access)))
            }
            Err(why) => Err((why, None)),
        };
        Ok((read, start.elapsed()))
    };
    let session = async { session.await.map_err(|_| ()) };
    let ((by_operator, duration), (session, source)) = tokio::try_join!(by_operator, session).ok()?;
    let start = Instant::now();
    let (access, first) = match by_operator {
        Ok(read) => read,
        Err((why, operator)) => match role(&session, claim).await {
            Ok(role) => (session, role),
            Err(also) => {
                // The session's own answer counts only if it may be another in moments.
                let why = if also.is_busy() { also } else { why };
                let step = not_checked(claim, &why, operator.as_ref()).took(duration + start.elapsed());
                return Some(Read { step: Some(step), ..Read::default() });
            }
        },
    };
    let used_before = Some(first.last_used.clone().into());
    let declared = claim.declaration.of(source);
    // Right after a write the old policy may still be shown.
    let first = Cell::new(Some(first));
    let attempt = async || match first.take() {
        Some(role) => Ok(role),
        None => role(&access, claim).await,
    };
    let is_clean = |read: &Result<FoundRole>| match read {
        Ok(role @ FoundRole { trust: FoundDocument::Policy(document), .. }) => {
            declared.review(document, claim.subject(&role.tags)).is_clean() || !must_be_clean(claim, role)
        }
        _ => true,
    };
    let waiting = |waited| watch.waiting(claim.freshness.words(None, waited));
    let settled = claim.freshness.settle(1, attempt, is_clean, Result::is_ok, waiting).await;
    let (step, role) = match settled.answer {
        Ok(role) => (judged(&role, claim, &declared), Some(role)),
        Err(why) => (not_checked(claim, &why, Some(&access)), None),
    };
    let deciding = role.as_ref().map(|role| deciding(role, claim, &declared)).unwrap_or_default();
    Some(Read { step: Some(step.took(duration + start.elapsed())), role, deciding, used_before })
}

/// Reads the role of the claim. Right after a write AWS may not show it yet.
async fn new_role(access: &Access, claim: &Claim) -> Result<FoundRole> {
    let find = async || observe::found_role(access, &claim.role.name).await;
    let is_there = |found: &Result<Reading<FoundRole>>| !matches!(found, Ok(Reading::Absent));
    let found = claim.freshness.settle(1, find, is_there, Result::is_ok, |_| ()).await;
    of_claim(found.answer?, access, claim)
}

/// Reads the role of the claim; no other counts.
async fn role(access: &Access, claim: &Claim) -> Result<FoundRole> {
    of_claim(observe::found_role(access, &claim.role.name).await?, access, claim)
}

fn of_claim(found: Reading<FoundRole>, access: &Access, claim: &Claim) -> Result<FoundRole> {
    let wanted = &claim.role;
    match found {
        Reading::Present(role) if role.arn == wanted.to_string() => Ok(role),
        Reading::Present(_) => {
            let words =
                format!("the credentials ({}) belong to an account other than {}", access.origin, wanted.account);
            Err(Error::new(Kind::Credentials, words))
        }
        Reading::Absent => {
            let words = format!("the account of the credentials ({}) has no role `{}`", access.origin, wanted.name);
            Err(Error::new(Kind::Credentials, words))
        }
        Reading::Unreadable { permission, answer } => {
            Err(Error::new(Kind::Refused, format!("AWS denied {permission}: {answer}")))
        }
    }
}

/// Returns whether xacct manages the role, or `xacct.toml` says that nobody else may be admitted. The tag alone does not
/// decide: whoever may change the trust policy may remove it.
fn must_be_clean(claim: &Claim, role: &FoundRole) -> bool {
    claim.declaration.exclusive || claim.declaration.is_recorded || is_ours(&role.tags)
}

/// Returns the step of a policy that could not be read, with what xacct needs to read it.
fn not_checked(claim: &Claim, why: &Error, operator: Option<&Access>) -> Step {
    let name = &claim.role.name;
    if why.is_busy() {
        // At any other time, xacct can read it: a test that leaves it out would pass for a whole one.
        let error = why.clone().context(format!("cannot read the trust policy of role `{name}`"));
        return Step::new(StepId::NobodyElseAdmitted, StepOutcome::NotProven, answer_code(why)).because(error);
    }
    let lacks = match operator {
        Some(access) => format!("needs iam:GetRole for {}", access.origin),
        None => "needs a target profile, or iam:GetRole for the role".to_owned(),
    };
    let evidence = format!("not checked: {lacks}");
    if !claim.declaration.require_read {
        let step = Step::new(StepId::NobodyElseAdmitted, StepOutcome::Skipped, evidence);
        return step.note(why.own_message());
    }
    let words = format!("cannot read the trust policy of role `{name}`: {}", why.own_message());
    let error = Error::new(Kind::Credentials, words)
        .hint(format!("set `profile` of the target to a profile with iam:GetRole in account {}", claim.role.account))
        .hint("or allow the role iam:GetRole on itself");
    Step::new(StepId::NobodyElseAdmitted, StepOutcome::NotProven, evidence).because(error)
}

/// Returns the step of a policy that was read.
fn judged(role: &FoundRole, claim: &Claim, declared: &Declared) -> Step {
    let name = &claim.role.name;
    let must = must_be_clean(claim, role);
    let step = |outcome, evidence: String| Step::new(StepId::NobodyElseAdmitted, outcome, evidence);
    let document = match &role.trust {
        FoundDocument::Policy(document) => document,
        FoundDocument::Unparsed { problem, .. } => {
            let words = format!(
                "xacct cannot evaluate the trust policy of role `{name}`: {}: {}",
                problem.place, problem.problem
            );
            let evidence = "cannot evaluate the trust policy".to_owned();
            return match must {
                true => step(StepOutcome::NotProven, evidence)
                    .because(Error::new(Kind::Refused, words).hint("check the trust policy manually")),
                false => step(StepOutcome::Warning, evidence).warning(words),
            };
        }
    };
    let review = declared.review(document, claim.subject(&role.tags));
    let step = match (&review, must) {
        (review, _) if review.is_clean() => step(StepOutcome::Ok, whom(declared)),
        (review, false) => {
            let others = review.in_words();
            let words = format!("role `{name}`, which xacct does not manage, {others}; {}", Review::ACCEPT);
            step(StepOutcome::Warning, others).warning(words)
        }
        (Review { undeclared, .. }, true) if undeclared.is_empty() => {
            let error = Error::new(Kind::Refused, format!("role `{name}` {}", review.in_words()));
            let error =
                review.undecided.iter().filter_map(|admitted| admitted.undecided.clone()).fold(error, Error::note);
            step(StepOutcome::NotProven, review.in_words()).because(repair(error, role))
        }
        (_, true) => {
            let words = format!("role `{name}` {}, which the link does not declare", review.in_words());
            step(StepOutcome::Failed, review.in_words()).because(repair(Error::new(Kind::Refused, words), role))
        }
    };
    let step = review.warnings().fold(step, Step::warning);
    review.notes().fold(step, Step::note)
}

/// Returns the statements that decide who is admitted, by their numbers.
fn deciding(role: &FoundRole, claim: &Claim, declared: &Declared) -> Vec<usize> {
    let FoundDocument::Policy(document) = &role.trust else { return Vec::new() };
    let subject = Subject { source: Some(&declared.source), ..claim.subject(&role.tags) };
    let all = of_trust(document, subject);
    let of = |standing: Standing| {
        let is_it = |admitted: &&Admitted| declared.standing(admitted, subject) == standing;
        all.iter().filter(is_it).map(|admitted| admitted.statement + 1).collect::<BTreeSet<_>>()
    };
    let others = of(Standing::Undeclared);
    if others.is_empty() { of(Standing::Declared) } else { others }.into_iter().collect()
}

fn repair(error: Error, role: &FoundRole) -> Error {
    let adopt = if is_ours(&role.tags) { "" } else { " --adopt" };
    error.hint(format!("repair the trust policy: xacct bootstrap{adopt}")).hint(Review::ACCEPT)
}

/// Returns whom the link declares, and which policies of the organizations were not read.
fn whom(declared: &Declared) -> String {
    let only: Vec<_> = declared.only.iter().map(|principal| principal.in_words().replace('`', "")).collect();
    let whom = if only.is_empty() { format!("account {}", declared.source) } else { only.join(" and ") };
    format!("{whom}; SCPs/RCPs unread")
}
