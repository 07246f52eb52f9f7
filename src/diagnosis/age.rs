//! How old the facts are, if several runs read them: what AWS denied may have been changed before or after.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::facts::{Answer, Facts};
use crate::text::shell::ShellCommand;

/// From how many seconds between the request and a reading a change in between is worth a warning: more than one run takes.
const APART: i64 = 60;

/// From how many seconds on facts are old.
const OLD: i64 = 2 * 86_400;

/// How many seconds the clocks of the machines and of AWS may differ.
const CLOCKS: i64 = 300;

/// One half, as it was read.
struct Half {
    what: String,
    is_a: &'static str,
    is_of: &'static str,
    read_at: Option<i64>,
    age_seconds: Option<u64>,
    changed_at: BTreeMap<String, i64>,
    read_again: &'static str,
}

/// Returns what is older or newer than the request that it explains.
pub fn warnings(facts: &Facts) -> Vec<String> {
    // Without an answer of AWS there is nothing to explain.
    let (Answer::Accepted(_) | Answer::Refused(_), Some(asked)) = (&facts.answer, facts.asked_at) else {
        return Vec::new();
    };
    halves(facts).iter().filter_map(|half| warning(half, asked)).collect()
}

fn halves(facts: &Facts) -> [Half; 2] {
    let user = facts.source.user.present();
    let role = facts.target.role.present();
    [
        Half {
            what: facts.link.whose(),
            is_a: "user",
            is_of: "source account",
            read_at: facts.source.read_at,
            age_seconds: user.and_then(|user| user.age_seconds),
            changed_at: facts.source.changed_at.clone(),
            read_again: "--profile",
        },
        Half {
            what: format!("role {}", facts.link.role.name),
            is_a: "role",
            is_of: "target account",
            read_at: facts.target.read_at,
            age_seconds: role.and_then(|role| role.age_seconds),
            changed_at: facts.target.changed_at.clone(),
            read_again: "--target-profile",
        },
    ]
}

fn warning(half: &Half, asked: i64) -> Option<String> {
    let read = half.read_at?;
    let Half { what, is_a, is_of, read_again, .. } = half;
    let again = |option| ShellCommand::new("xacct").arg("diagnose").option("--facts", "FILE").option(option, "PROFILE");
    let test_again = again("--user-profile");
    let created = half.age_seconds.and_then(|age| read.checked_sub(i64::try_from(age).ok()?));
    let later = read.saturating_sub(asked);
    let born = created.map(|created| created.saturating_sub(asked)).filter(|after| *after > CLOCKS);
    if let Some(after) = born {
        let after = in_words(after);
        return Some(format!(
            "{what} was created {after} after the request: AWS saw an earlier {is_a} of that name, or none; test the link \
             again: {test_again}"
        ));
    }
    let changed = half.changed_at.iter().map(|(policy, at)| (at.saturating_sub(asked), policy)).max();
    if let Some((after, policy)) = changed.filter(|(after, _)| *after > CLOCKS) {
        let after = in_words(after);
        return Some(format!(
            "policy {policy} was changed {after} after the request, which AWS evaluated against the earlier version; test the link \
             again: {test_again}"
        ));
    }
    let (apart, order, next) = match later >= 0 {
        true => (later, "after", format!("test the link again: {test_again}")),
        false => (later.saturating_neg(), "before", format!("read it again: {}", again(read_again))),
    };
    (apart >= APART).then(|| {
        let apart = in_words(apart);
        format!("the {is_of} was read {apart} {order} the request, and may have changed in between; to be sure, {next}")
    })
}

/// Returns a warning if the request was sent long before this time.
#[must_use]
pub fn outdated(facts: &Facts, now: i64) -> Option<String> {
    let ago = now.saturating_sub(facts.asked_at?);
    (ago >= OLD)
        .then(|| format!("these facts are {} old; both accounts and the answer may be different now", in_words(ago)))
}

/// Returns when each part was read, for facts that several runs collected.
#[must_use]
pub fn provenance(facts: &Facts) -> String {
    let part = |what: &str, at: Option<i64>| match at.and_then(written) {
        Some(at) => format!("{what}: {at}"),
        None => format!("{what}: not read"),
    };
    let request = match facts.answer {
        Answer::NotSent(_) => "request: not sent".to_owned(),
        _ => part("request", facts.asked_at),
    };
    let parts = [request, part("source account", facts.source.read_at), part("target account", facts.target.read_at)];
    format!("times of these facts: {}", parts.join(", "))
}

/// Returns a time as text.
pub fn written(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

/// Returns a duration, rounded to a unit of which it has several.
fn in_words(seconds: i64) -> String {
    let units = [(86_400, "days", 2 * 86_400), (3600, "hours", 2 * 3600), (60, "minutes", 0)];
    let unit = units.into_iter().find(|(_, _, from)| seconds >= *from).unwrap_or((60, "minutes", 0));
    format!("{} {}", seconds.saturating_add(unit.0 / 2) / unit.0, unit.1)
}

#[cfg(test)]
mod tests;
