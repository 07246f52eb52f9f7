//! Conditions that a request does not meet or may not meet.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::mfa::{mfa_absent, with_mfa_from_now_on};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, VerifyWith, aws, is_foreign_role};
use crate::diagnosis::statement::StatementRef;
use crate::iam::names::{ExternalId, SessionName};
use crate::iam::policy::Effect;
use crate::text::shell::ShellCommand;

pub fn condition(facts: &Facts, (operator, key): (&str, &str), wanted: &[&str], found: &[String]) -> Finding {
    let (role, listed) = (&facts.link.role.name, format!("`{}`", wanted.join("` or `")));
    if key.eq_ignore_ascii_case("sts:ExternalId") {
        let right = wanted.first().filter(|id| wanted.len() == 1 && id.parse::<ExternalId>().is_ok());
        let local = Fix::by(Side::LocalConfiguration, facts);
        let here = match right {
            Some(id) => local.write(facts, "external_id", id).verify(facts, VerifyWith::Nothing),
            None => local.step_do(format!(
                "ask the operator of account {} for your external ID and set external_id in {}",
                facts.link.role.account, facts.link.file
            )),
        };
        let Some(sent) = found.first() else {
            // Removing the condition would open the role.
            let what = format!("role {role} requires external ID {listed}, but the request sent none");
            return Finding::new(Cause::ExternalIdMissing, what).fix(here);
        };
        let what = format!("role {role} requires external ID {listed}, but the request sent `{sent}`");
        let finding = Finding::new(Cause::ExternalIdWrong, what);
        // If the policy accepts several IDs or a pattern, the ID in the file is right.
        return if right.is_some() {
            finding.fix(here).allow(facts, BootstrapWith::Nothing)
        } else {
            finding.allow(facts, BootstrapWith::Nothing).fix(here)
        };
    }
    if key.to_ascii_lowercase().starts_with("aws:multifactorauth") {
        let what = format!("role {role} requires MFA, but the credentials lack it");
        return mfa_absent(facts, what);
    }
    let found = found_words(found);
    let what =
        format!("the trust policy of role {role} requires {operator} {key} {listed}, but the request has {found}");
    let finding = Finding::new(Cause::TrustCondition, what);
    let meet = meet(facts, operator, key, wanted);
    // On a role that xacct did not create, the condition may be intended.
    if is_foreign_role(facts) {
        meet.into_iter().fold(finding, Finding::fix).allow(facts, BootstrapWith::Nothing)
    } else {
        meet.into_iter().fold(finding.allow(facts, BootstrapWith::Nothing), Finding::fix)
    }
}

/// Returns the values of a condition key in the request, in words.
pub fn found_words(found: &[String]) -> String {
    if found.is_empty() { "no such key".to_owned() } else { format!("`{}`", found.join("`, `")) }
}

/// Meets a condition instead of removing it.
fn meet(facts: &Facts, operator: &str, key: &str, wanted: &[&str]) -> Option<Fix> {
    let is_negated = operator.to_ascii_lowercase().contains("not");
    if is_negated { None } else { set(facts, operator, key, wanted) }
}

/// Makes a statement that denies not apply, by meeting the opposite of one of its conditions: `StringNotEquals` on the
/// session name denies all sessions of another name.
pub fn escape(facts: &Facts, place: &StatementRef<'_>) -> Option<Fix> {
    let mut tests =
        place.statement.condition.iter().flat_map(|(operator, keys)| keys.iter().map(move |it| (operator, it)));
    tests.find_map(|(operator, (key, values))| {
        let lower = operator.to_ascii_lowercase();
        let is_simple = !lower.contains(':') && lower.contains("stringnot");
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        if is_simple { set(facts, operator, key, &values) } else { None }
    })
}

/// Sets what the session is called or carries, or tags the user, so that the condition key has one of the values.
fn set(facts: &Facts, operator: &str, key: &str, values: &[&str]) -> Option<Fix> {
    let lower = key.to_ascii_lowercase();
    let local = Fix::by(Side::LocalConfiguration, facts);
    let setting = match lower.as_str() {
        "sts:rolesessionname" => Some("session_name"),
        "sts:sourceidentity" => Some("source_identity"),
        _ => None,
    };
    if let Some(setting) = setting {
        let name = values.iter().find_map(|value| name_like(facts, operator, value))?;
        return Some(local.write(facts, setting, name.as_str()).verify(facts, VerifyWith::Nothing));
    }
    let [value] = values else { return None };
    if value.contains(['*', '?', '$']) {
        return None;
    }
    let (kind, tag) = key.split_once('/')?;
    if kind.eq_ignore_ascii_case("aws:RequestTag") {
        let mut tags = facts.request.tags.clone();
        tags.insert(tag.to_owned(), (*value).to_owned());
        return Some(local.write_table(facts, "session_tags", &tags).verify(facts, VerifyWith::Nothing));
    }
    if !kind.eq_ignore_ascii_case("aws:PrincipalTag") {
        return None;
    }
    let command = aws(&facts.source.operator, "iam", "tag-user")
        .option("--user-name", &facts.link.user)
        .option("--tags", format!("Key={tag},Value={value}"));
    Some(Fix::by(Side::Source, facts).run(command).verify(facts, VerifyWith::Nothing))
}

/// Returns a session name that equals or matches this value: `${aws:username}` is the user's name, and so is what `*`
/// stands for.
fn name_like(facts: &Facts, operator: &str, value: &str) -> Option<SessionName> {
    let user = facts.link.user.as_str();
    let value = value.replace("${aws:username}", user);
    let is_pattern = operator.to_ascii_lowercase().contains("like");
    let value = if is_pattern { value.replace('*', user) } else { value };
    value.parse().ok()
}

/// Returns the finding about a statement whose effect depends on condition keys that xacct does not know.
pub fn depends(facts: &Facts, place: &StatementRef<'_>, keys: &[String]) -> Finding {
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let is_mfa = keys.iter().any(|key| key.to_ascii_lowercase().starts_with("aws:multifactorauth"));
    let marks = keys.iter().flat_map(|key| place.marks_of_key(key)).collect();
    let evidence = Evidence::of(place, marks);
    let (role, listed) = (&facts.link.role.name, keys.join(", "));
    if is_mfa {
        let what = format!(
            "role {role} requires MFA, but the credentials ({}) belong to a session that may lack it",
            facts.caller.origin
        );
        return Finding::new(Cause::SessionWithoutMfa, what)
            .likely()
            .because(evidence)
            .fix(with_mfa_from_now_on(facts));
    }
    if place.statement.effect == Effect::Deny {
        let what = format!("the trust policy of role {role} may deny sts:AssumeRole, depending on {listed}");
        let finding = Finding::new(Cause::TrustDenies, what).likely().because(evidence);
        let finding = keys.iter().filter_map(|key| shown_by(facts, key)).fold(finding, Finding::fact);
        return guarded(finding, facts, &listed, |finding| finding.fix(Fix::bootstrap(facts, BootstrapWith::Nothing)));
    }
    let what = format!(
        "the trust policy of role {role} allows sts:AssumeRole only for some values of {listed}, and the request probably \
         has a different one"
    );
    let finding = Finding::new(Cause::TrustCondition, what).likely().because(evidence);
    let shown = keys.iter().filter_map(|key| shown_by(facts, key));
    guarded(shown.fold(finding, Finding::fact), facts, &listed, |finding| finding.allow(facts, BootstrapWith::Nothing))
}

/// Orders the two fixes of a condition: on a role that xacct created it is drift, so `repair` comes first; on another
/// role it may be intended, so meeting it comes first.
fn guarded(finding: Finding, facts: &Facts, keys: &str, repair: impl Fn(Finding) -> Finding) -> Finding {
    if is_foreign_role(facts) { repair(finding.fix(met(facts, keys))) } else { repair(finding).fix(met(facts, keys)) }
}

/// Returns the fix that meets a condition instead of removing it.
pub fn met(facts: &Facts, keys: &str) -> Fix {
    Fix::by(Side::Request, facts)
        .step_do(format!(
            "compare {keys} with the statement, and send the request from a place where the value matches:"
        ))
        .verify(facts, VerifyWith::Nothing)
}

/// Returns how to see the value of a condition key that xacct cannot know.
pub fn shown_by(facts: &Facts, key: &str) -> Option<String> {
    let command = match key.to_ascii_lowercase().as_str() {
        "aws:principalorgid" => {
            aws(&facts.source.operator, "organizations", "describe-organization").option("--query", "Organization.Id")
        }
        "aws:sourceip" => ShellCommand::new("curl").arg("https://checkip.amazonaws.com"),
        _ => return None,
    };
    Some(format!("to see the value of {key}: {command}"))
}
