//! Conditions that a request does not meet or may not meet.

use std::collections::BTreeMap;

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::mfa::{mfa_absent, with_mfa_from_now_on};
use crate::diagnosis::checks::other_name::named_otherwise;
use crate::diagnosis::context::{self, BUCKET_NAMESPACE};
use crate::diagnosis::facts::{Answer, Facts};
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, Half, VerifyWith, aws, is_foreign_role};
use crate::diagnosis::statement::StatementRef;
use crate::diagnosis::verdict::{self, Verdict};
use crate::iam::arn::PrincipalRef;
use crate::iam::evaluate::Mismatch;
use crate::iam::names::{ExternalId, Region, SessionName};
use crate::iam::policy::Effect;
use crate::text::shell::ShellCommand;

pub fn condition(facts: &Facts, (operator, key): (&str, &str), wanted: &[&str], found: &[String]) -> Finding {
    let (role, listed) = (&facts.link.role.name, format!("`{}`", wanted.join("` or `")));
    if key.eq_ignore_ascii_case("sts:ExternalId") {
        let here = set_external_id(facts, wanted);
        let Some(sent) = found.first() else {
            // Removing the condition would open the role.
            let what = format!("role {role} requires external ID {listed}, but the request sent none");
            return Finding::new(Cause::ExternalIdMissing, what).fix(here);
        };
        let what = format!("role {role} requires external ID {listed}, but the request sent `{sent}`");
        let finding = Finding::new(Cause::ExternalIdWrong, what);
        // If the policy accepts several IDs or a pattern, the ID in the file is right.
        return if only_external_id(wanted).is_some() {
            finding.fix(here).allow(facts, BootstrapWith::Nothing)
        } else {
            finding.allow(facts, BootstrapWith::Nothing).fix(here)
        };
    }
    if key.to_ascii_lowercase().starts_with("aws:multifactorauth") {
        let what = format!("role {role} requires MFA, but the credentials lack it");
        return mfa_absent(facts, what);
    }
    // `*` in a session's ARN does not make it the role's, so the condition admits nobody.
    if key.eq_ignore_ascii_case("aws:PrincipalArn")
        && !operator.to_ascii_lowercase().contains("not")
        && let Some(finding) = named_otherwise(facts, wanted)
    {
        return finding.allow(facts, BootstrapWith::Nothing);
    }
    let found = found_words(found);
    let what =
        format!("the trust policy of role {role} requires {operator} {key} {listed}, but the request has {found}");
    let finding = Finding::new(Cause::TrustCondition, what);
    let is_required_name =
        key.eq_ignore_ascii_case("sts:RoleSessionName") && !operator.to_ascii_lowercase().contains("not");
    let finding = if is_required_name { finding.fact(CONSOLE_ONLY) } else { finding };
    let of_request = match key.to_ascii_lowercase().as_str() {
        "sts:sourceidentity" => may_set_source_identity(facts, wanted),
        key => !key.starts_with("aws:principaltag/"),
    };
    match meet(facts, (operator, key), wanted) {
        // A condition that the request can meet is a guard, and stays.
        Some(fix) if of_request => finding.fix(fix),
        // Tags of the user are not the request's.
        Some(fix) if is_foreign_role(facts) => finding.fix(fix).allow(facts, BootstrapWith::Nothing),
        Some(fix) => finding.allow(facts, BootstrapWith::Nothing).fix(fix),
        None => finding.allow(facts, BootstrapWith::Nothing),
    }
}

/// Why such a condition often admits only the console.
const CONSOLE_ONLY: &str = "the AWS console names the session after the caller, and the AWS CLI, the SDKs and Terraform \
                            choose a name of their own unless role_session_name or session_name is set: such a condition \
                            may work in the console only";

/// Returns whether the trust policy lets the request set a source identity.
fn may_set_source_identity(facts: &Facts, wanted: &[&str]) -> bool {
    let mut other = facts.clone();
    other.request.source_identity = wanted.first().map(|&identity| identity.to_owned());
    let asked = context::of_assume_role(&other, "sts:SetSourceIdentity");
    verdict::trust(&other, &asked).is_some_and(|trust| trust.verdict() == Verdict::Allowed)
}

/// Returns the values of a condition key in the request, in words.
pub fn found_words(found: &[String]) -> String {
    if found.is_empty() { "no such key".to_owned() } else { format!("`{}`", found.join("`, `")) }
}

/// Meets a condition instead of removing it; `None` if no option of the request can.
pub fn meet(facts: &Facts, (operator, key): (&str, &str), wanted: &[&str]) -> Option<Fix> {
    let lower = operator.to_ascii_lowercase();
    if lower.starts_with("null") {
        return if wanted == ["false"] { set_any(facts, key) } else { None };
    }
    if !lower.contains("not") {
        return set(facts, operator, key, wanted);
    }
    if is_region(key) { Some(another_region(facts, wanted)) } else { None }
}

/// Meets the only condition that the request does not meet, if the key is one of `keys`.
pub fn meet_all(facts: &Facts, mismatches: &[Mismatch], keys: impl Fn(&str) -> bool) -> Option<Fix> {
    let [Mismatch::Condition { operator, key, wanted, .. }] = mismatches else { return None };
    if !keys(key) {
        return None;
    }
    let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
    meet(facts, (operator, key), &wanted)
}

/// Makes a statement that denies not apply, by not meeting one of its conditions: `StringNotEquals` on the session name
/// denies all sessions of another name, and that on the Region all other Regions. Considers only the keys in `keys`.
pub fn escapes(facts: &Facts, place: &StatementRef<'_>, keys: impl Fn(&str) -> bool) -> Vec<Fix> {
    let of_test = |operator: &str, key: &str, values: &[&str]| {
        let lower = operator.to_ascii_lowercase();
        if lower.starts_with("null") {
            return if values == ["true"] { set_any(facts, key) } else { None };
        }
        match (lower.contains("stringnot"), lower.contains("string")) {
            (true, _) => set(facts, operator, key, values),
            (false, true) if is_region(key) => Some(another_region(facts, values)),
            _ => None,
        }
    };
    let mut fixes = Vec::new();
    for (operator, tests) in &place.statement.condition {
        for (key, values) in tests.iter().filter(|(key, _)| keys(key)) {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            fixes.extend(of_test(operator, key, &values));
        }
    }
    fixes
}

/// Returns the Regions that a statement spares, in words for the end of a sentence; empty if it does not limit them.
pub fn limits(facts: &Facts, place: &StatementRef<'_>) -> String {
    let region = facts.asked_region();
    for (operator, keys) in &place.statement.condition {
        let Some((_, values)) = keys.iter().find(|(key, _)| is_region(key)) else { continue };
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        let lower = operator.to_ascii_lowercase();
        if lower.contains("stringnot") {
            return format!(" in Region {region}: it allows only {}", values.join(", "));
        }
        if lower.contains("string") {
            return format!(" in Region {region}");
        }
    }
    String::new()
}

/// Accepts every condition key.
pub fn any(_: &str) -> bool {
    true
}

/// Returns whether a condition is on the Region.
pub fn is_region(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:RequestedRegion")
}

/// Returns whether a condition is on what `xacct.toml` says of the test bucket.
pub fn is_of_bucket(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    is_region(&key) || key.starts_with("aws:requesttag/") || key == "aws:tagkeys" || key == BUCKET_NAMESPACE
}

/// Returns the setting for the tags of the denied request, and its present value.
fn tags_of_request(facts: &Facts) -> (&'static str, BTreeMap<String, String>) {
    match facts.answer {
        Answer::Accepted(_) => ("bucket_tags", facts.link.bucket_tags.clone()),
        _ => ("session_tags", facts.request.tags.clone()),
    }
}

/// Sends a tag with the denied request.
fn with_tag(facts: &Facts, fix: Fix, tag: &str, value: &str) -> Fix {
    let (setting, mut tags) = tags_of_request(facts);
    tags.insert(tag.to_owned(), value.to_owned());
    fix.write_table(facts, setting, &tags).verify(facts, VerifyWith::Nothing)
}

/// Sends a tag whose value may be anything.
fn with_any_tag(facts: &Facts, tag: &str) -> Fix {
    let whose = if tags_of_request(facts).0 == "bucket_tags" { "tag the test bucket with" } else { "send session tag" };
    let fix = Fix::by(Side::LocalConfiguration, facts).step_do(format!("{whose} {tag} and a value of your choice:"));
    with_tag(facts, fix, tag, "VALUE")
}

/// Sends the request to a Region other than these.
fn another_region(facts: &Facts, not: &[&str]) -> Fix {
    Fix::by(Side::Request, facts)
        .step_do(format!("use another Region than {}:", not.join(", ")))
        .verify(facts, VerifyWith::OtherRegion)
}

/// Sends the request to one of these Regions.
fn in_region(facts: &Facts, values: &[&str]) -> Fix {
    let fix = Fix::by(Side::Request, facts);
    let partition = facts.link.role.partition;
    let regions = values.iter().filter_map(|value| value.parse::<Region>().ok());
    let region = regions.filter(|region| region.partition() == partition).map(|region| region.to_string()).next();
    match region {
        Some(region) => {
            let fix = fix.step_do(format!("use Region {region}:")).verify_in(facts, &region);
            fix.step_do("to use it from now on:").write(facts, "region", &region)
        }
        None => fix
            .step_do(format!("use a Region that matches {}:", values.join(" or ")))
            .verify(facts, VerifyWith::OtherRegion),
    }
}

/// Sets what the request carries, or tags the user, so that the condition key exists.
fn set_any(facts: &Facts, key: &str) -> Option<Fix> {
    let lower = key.to_ascii_lowercase();
    let user = facts.link.principal.name();
    if let Some((kind, tag)) = key.split_once('/')
        && kind.eq_ignore_ascii_case("aws:RequestTag")
    {
        return Some(with_any_tag(facts, tag));
    }
    match lower.as_str() {
        "sts:sourceidentity" | "sts:rolesessionname" => set(facts, "StringEquals", key, &[user]),
        "sts:externalid" => Some(ask_for_external_id(facts)),
        BUCKET_NAMESPACE => set(facts, "StringEquals", key, &["account-regional"]),
        _ => None,
    }
}

/// Returns the external ID that a condition requires; `None` if it accepts several, or a pattern.
fn only_external_id<'a>(values: &[&'a str]) -> Option<&'a str> {
    values.first().copied().filter(|id| values.len() == 1 && id.parse::<ExternalId>().is_ok())
}

/// Sets the external ID that a condition requires.
fn set_external_id(facts: &Facts, values: &[&str]) -> Fix {
    match only_external_id(values) {
        Some(id) => {
            Fix::by(Side::LocalConfiguration, facts).write(facts, "external_id", id).verify(facts, VerifyWith::Nothing)
        }
        None => ask_for_external_id(facts),
    }
}

fn ask_for_external_id(facts: &Facts) -> Fix {
    Fix::by(Side::LocalConfiguration, facts).step_do(format!(
        "ask the operator of account {} for your external ID and set external_id in {}",
        facts.link.role.account, facts.link.file
    ))
}

/// Sets the Region, what the session is called or carries, or tags the user, so that the condition key has one of the
/// values.
fn set(facts: &Facts, operator: &str, key: &str, values: &[&str]) -> Option<Fix> {
    let lower = key.to_ascii_lowercase();
    let local = Fix::by(Side::LocalConfiguration, facts);
    if is_region(key) {
        return Some(in_region(facts, values));
    }
    let setting = match lower.as_str() {
        "sts:rolesessionname" => Some("session_name"),
        "sts:sourceidentity" => Some("source_identity"),
        _ => None,
    };
    if let Some(setting) = setting {
        let name = values.iter().find_map(|value| name_like(facts, operator, value))?;
        return Some(local.write(facts, setting, name.as_str()).verify(facts, VerifyWith::Nothing));
    }
    if lower == "sts:externalid" {
        return Some(set_external_id(facts, values));
    }
    if lower == BUCKET_NAMESPACE {
        let is_known = values.contains(&"account-regional");
        let fix = local.write(facts, "bucket_namespace", "account-regional");
        return is_known.then(|| fix.verify(facts, VerifyWith::Nothing));
    }
    if lower == "aws:tagkeys" {
        return values.iter().find(|tag| !tag.contains(['*', '?', '$'])).map(|tag| with_any_tag(facts, tag));
    }
    let (kind, tag) = key.split_once('/')?;
    if kind.eq_ignore_ascii_case("aws:RequestTag") && values == ["*"] {
        return Some(with_any_tag(facts, tag));
    }
    let value = values.iter().map(|value| value.replace("${aws:username}", facts.link.principal.name()));
    let value = value.into_iter().find(|value| !value.contains(['*', '?', '$']))?;
    if kind.eq_ignore_ascii_case("aws:RequestTag") {
        return Some(with_tag(facts, local, tag, &value));
    }
    if !kind.eq_ignore_ascii_case("aws:PrincipalTag") {
        return None;
    }
    let (command, option) = match facts.link.principal {
        PrincipalRef::User(_) => ("tag-user", "--user-name"),
        // A group has no tags, and nobody may tag the role of a permission set.
        PrincipalRef::Group(_) | PrincipalRef::PermissionSet(_) => return None,
        PrincipalRef::Role(_) if facts.link.through.is_some() => return None,
        PrincipalRef::Role(_) => ("tag-role", "--role-name"),
    };
    let command = aws(&facts.source.operator, "iam", command)
        .option(option, facts.link.principal.name())
        .option("--tags", format!("Key={tag},Value={value}"));
    Some(Fix::by(Side::Source, facts).run(command).verify(facts, VerifyWith::Nothing))
}

/// Returns a session name that equals or matches this value: `${aws:username}` is the user's name, and so is what `*`
/// stands for. A role has no user name, so that no name fits the variable.
fn name_like(facts: &Facts, operator: &str, value: &str) -> Option<SessionName> {
    let user = facts.link.principal.name();
    let value = match facts.link.principal.user_name() {
        Some(user) => value.replace("${aws:username}", user.as_str()),
        None => value.to_owned(),
    };
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
        return finding.fix(met(facts, place, &keys)).fix(Fix::bootstrap(Half::Target, facts, BootstrapWith::Nothing));
    }
    let what = format!(
        "the trust policy of role {role} allows sts:AssumeRole only for some values of {listed}, and the request probably \
         has a different one"
    );
    let finding = Finding::new(Cause::TrustCondition, what).likely().because(evidence);
    let shown = keys.iter().filter_map(|key| shown_by(facts, key));
    let (finding, meet) = (shown.fold(finding, Finding::fact), met(facts, place, &keys));
    // On a role that xacct created, the condition is drift.
    if is_foreign_role(facts) {
        finding.fix(meet).allow(facts, BootstrapWith::Nothing)
    } else {
        finding.allow(facts, BootstrapWith::Nothing).fix(meet)
    }
}

/// Returns the fix that meets a condition instead of removing it.
pub fn met(facts: &Facts, place: &StatementRef<'_>, keys: &[&str]) -> Fix {
    let fix = Fix::by(Side::Request, facts);
    let values: Vec<_> = place.values_of("aws:SourceIp").collect();
    let is_ip = keys.iter().any(|key| key.eq_ignore_ascii_case("aws:SourceIp"));
    // Operators with `Not` in a denial spare the values, and so do the others in a permission.
    let is_spared = place.statement.condition.keys().any(|operator| operator.to_ascii_lowercase().contains("notip"))
        == (place.statement.effect == Effect::Deny);
    let words = if is_ip && is_spared && !values.is_empty() {
        format!(
            "send the request from an address in {}, such as from the office or through the VPN:",
            values.join(", ")
        )
    } else {
        format!(
            "compare {} with the statement, and send the request from a place where the value matches:",
            keys.join(", ")
        )
    };
    fix.step_do(words).verify(facts, VerifyWith::Nothing)
}

/// Returns how to see the value of a condition key that xacct cannot know.
pub fn shown_by(facts: &Facts, key: &str) -> Option<String> {
    let command =
        match key.to_ascii_lowercase().as_str() {
            "aws:principalorgid" => aws(&facts.source.operator, "organizations", "describe-organization")
                .option("--query", "Organization.Id"),
            "aws:resourceorgid" => aws(&facts.target.operator, "organizations", "describe-organization")
                .option("--query", "Organization.Id"),
            "aws:sourceip" => ShellCommand::new("curl").arg("https://checkip.amazonaws.com"),
            _ => return None,
        };
    Some(format!("to see the value of {key}: {command}"))
}
