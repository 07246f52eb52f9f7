//! Conditions that a request does not meet, or may not meet.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::mfa::{mfa_absent, with_mfa_from_now_on};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, VerifyWith, aws, is_foreign_role};
use crate::diagnosis::statement::StatementRef;
use crate::iam::names::ExternalId;
use crate::iam::policy::Effect;
use crate::text::shell::ShellCommand;

pub fn condition(facts: &Facts, (operator, key): (&str, &str), wanted: &[&str], found: &[String]) -> Finding {
    let listed = format!("`{}`", wanted.join("` or `"));
    if key.eq_ignore_ascii_case("sts:ExternalId") {
        let right = wanted.first().filter(|id| wanted.len() == 1 && id.parse::<ExternalId>().is_ok());
        let local = Fix::by(Side::LocalConfiguration, facts);
        let here = match right {
            Some(id) => local.write(facts, "external_id", id).verify(facts, VerifyWith::Nothing),
            None => local.step_do(format!(
                "ask the operator of account {} which external ID is yours, and write it as external_id into {}",
                facts.link.role.account, facts.link.file
            )),
        };
        let Some(sent) = found.first() else {
            // To take the demand away would open the role.
            let what = format!("the role demands external ID {listed}, and none was sent");
            return Finding::new(Cause::ExternalIdMissing, what).fix(here);
        };
        let what = format!("the role demands external ID {listed}, and `{sent}` was sent");
        let finding = Finding::new(Cause::ExternalIdWrong, what);
        // Where it is not plain which one is right, the one in the file is.
        return if right.is_some() {
            finding.fix(here).allow(facts, BootstrapWith::Nothing)
        } else {
            finding.allow(facts, BootstrapWith::Nothing).fix(here)
        };
    }
    if key.to_ascii_lowercase().starts_with("aws:multifactorauth") {
        let what = format!("role {} demands MFA, and the credentials carry none", facts.link.role.name);
        return mfa_absent(facts, what);
    }
    let found = if found.is_empty() { "absent".to_owned() } else { format!("`{}`", found.join("`, `")) };
    let what = format!("the trust policy demands {operator} {key} {listed}, and it is {found}");
    meet(facts, key, wanted)
        .into_iter()
        .fold(Finding::new(Cause::TrustCondition, what).allow(facts, BootstrapWith::Nothing), Finding::fix)
}

/// Meets a condition rather than taking it away.
fn meet(facts: &Facts, key: &str, wanted: &[&str]) -> Option<Fix> {
    let [value] = wanted else { return None };
    if value.contains(['*', '?', '$']) {
        return None;
    }
    let lower = key.to_ascii_lowercase();
    let words = match lower.as_str() {
        "sts:rolesessionname" => format!("name the session {value}, wherever the role is assumed"),
        "sts:sourceidentity" => format!("set source identity {value}, wherever the role is assumed"),
        _ => {
            let tag = key.split_once('/').filter(|_| lower.starts_with("aws:principaltag/"))?.1;
            let command = aws(&facts.source.operator, "iam", "tag-user")
                .option("--user-name", &facts.link.user)
                .option("--tags", format!("Key={tag},Value={value}"));
            return Some(Fix::by(Side::Source, facts).run(command).verify(facts, VerifyWith::Nothing));
        }
    };
    Some(Fix::by(Side::Request, facts).step_do(words))
}

/// A statement that applies or not by something that is not known here.
pub fn depends(facts: &Facts, place: &StatementRef<'_>, keys: &[String]) -> Finding {
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let is_mfa = keys.iter().any(|key| key.to_ascii_lowercase().starts_with("aws:multifactorauth"));
    let marks = keys.iter().flat_map(|key| place.marks_of_key(key)).collect();
    let evidence = Evidence::of(place, marks);
    let listed = keys.join(", ");
    if is_mfa {
        let what = format!(
            "role {} demands MFA, and these credentials ({}) are of a session that may lack it",
            facts.link.role.name, facts.caller.origin
        );
        return Finding::new(Cause::SessionWithoutMfa, what)
            .likely()
            .because(evidence)
            .fix(with_mfa_from_now_on(facts));
    }
    if place.statement.effect == Effect::Deny {
        let what = format!("the trust policy may deny it, depending on {listed}");
        let finding = Finding::new(Cause::TrustDenies, what).likely().because(evidence);
        let finding = keys.iter().filter_map(|key| shown_by(facts, key)).fold(finding, Finding::fact);
        return guarded(finding, facts, &listed, |finding| finding.fix(Fix::bootstrap(facts, BootstrapWith::Nothing)));
    }
    let what =
        format!("the trust policy allows it only depending on {listed}, and the request seems to have another value");
    let finding = Finding::new(Cause::TrustCondition, what).likely().because(evidence);
    let shown = keys.iter().filter_map(|key| shown_by(facts, key));
    guarded(shown.fold(finding, Finding::fact), facts, &listed, |finding| finding.allow(facts, BootstrapWith::Nothing))
}

/// A condition on a role that xacct made is drift, and goes; on another it may be a guard, and is met first.
fn guarded(finding: Finding, facts: &Facts, keys: &str, mend: impl Fn(Finding) -> Finding) -> Finding {
    if is_foreign_role(facts) { mend(finding.fix(met(facts, keys))) } else { mend(finding).fix(met(facts, keys)) }
}

/// Looks what the value is before a guard is taken away.
pub fn met(facts: &Facts, keys: &str) -> Fix {
    Fix::by(Side::Request, facts)
        .step_do(format!("see whether {keys} has the value that the statement demands, and ask from where it has:"))
        .verify(facts, VerifyWith::Nothing)
}

/// Where to see the value of a condition key that xacct cannot know.
pub fn shown_by(facts: &Facts, key: &str) -> Option<String> {
    let command = match key.to_ascii_lowercase().as_str() {
        "aws:principalorgid" => {
            aws(&facts.source.operator, "organizations", "describe-organization").option("--query", "Organization.Id")
        }
        "aws:sourceip" => ShellCommand::new("curl").arg("https://checkip.amazonaws.com"),
        _ => return None,
    };
    Some(format!("what {key} is: {command}"))
}
