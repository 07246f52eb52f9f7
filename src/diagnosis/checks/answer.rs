//! Causes that AWS's answer names by itself.

use crate::diagnosis::cause::Cause;
use crate::diagnosis::cause::Side;
use crate::diagnosis::checks::credentials::the_users_own;
use crate::diagnosis::checks::meaning::{Asked, meant};
use crate::diagnosis::checks::mfa::{no_mfa_code, no_mfa_device};
use crate::diagnosis::checks::named::{in_organization, in_words, quarantined};
use crate::diagnosis::checks::not_assumed;
use crate::diagnosis::denial::{Denial, DeniedBy, is_quarantine};
use crate::diagnosis::facts::{Answer, Facts, Mfa, NotSent};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::iam::arn::RoleArn;

/// Returns findings that need only AWS's answer.
pub fn answered(facts: &Facts) -> Vec<Finding> {
    let answer = match &facts.answer {
        Answer::Accepted(_) => return Vec::new(),
        // The finding about the credentials covers it.
        Answer::NotSent(NotSent::NoMfaCode(_) | NotSent::NoMfaDevice(_))
            if facts.caller.is_session && facts.caller.mfa == Mfa::Absent =>
        {
            return Vec::new();
        }
        Answer::NotSent(NotSent::NoMfaCode(why)) => return vec![no_mfa_code(facts, why)],
        Answer::NotSent(NotSent::NoMfaDevice(why)) => return vec![no_mfa_device(facts, why)],
        Answer::NotSent(_) => return Vec::new(),
        Answer::Refused(answer) => answer,
    };
    let asked = Asked { answer, bucket: None, region: &facts.request.region };
    let finding = not_assumed::finding(facts, answer)
        .or_else(|| if answer.is_denial() { denied(facts, &asked) } else { meant(facts, &asked) });
    finding.map(|finding| finding.said(answer)).into_iter().collect()
}

fn denied(facts: &Facts, asked: &Asked<'_>) -> Option<Finding> {
    if let Some(finding) = meant(facts, asked) {
        return Some(finding);
    }
    let denial = Denial::of(asked.answer);
    if let Some(own) = own_role(facts, &denial) {
        return Some(own);
    }
    if let Some(policy) = denial.policy.filter(|policy| is_quarantine(policy.0)) {
        return Some(quarantined(facts, policy.0));
    }
    let (source, target, role) = (facts.source_account(), &facts.link.role.account, &facts.link.role);
    let action = denial.action.unwrap_or("sts:AssumeRole");
    let organization = |cause, kind: &str, account: &str, whose: &str| {
        let policy = in_words(&denial, kind);
        let what = format!("{policy} on account {account} denies {action} for {whose}");
        let exempt = format!("exempt {action} on {role} from the {kind}, or exempt accounts {source} and {target}");
        Finding::new(cause, what).named(&denial).fix(in_organization(facts, &denial, exempt))
    };
    Some(match denial.by? {
        DeniedBy::ServiceControl => {
            organization(Cause::ServiceControlPolicy, "service control policy", &source, "all principals")
        }
        DeniedBy::ResourceControl => organization(
            Cause::ResourceControlPolicy,
            "resource control policy",
            target.as_str(),
            "principals of other accounts",
        ),
        DeniedBy::VpcEndpoint => {
            let what = format!("the policy of the VPC endpoint for STS denies {action}");
            let fix = Fix::by(Side::Source, facts)
                .step_do(format!("allow {action} on {role} in the policy of the VPC endpoint"));
            Finding::new(Cause::VpcEndpointPolicy, what).fix(fix)
        }
        DeniedBy::Session => {
            let verb = if denial.is_explicit { "denies" } else { "does not allow" };
            let what = format!("the session policy of the credentials {verb} {action}");
            let allow = Fix::by(Side::Source, facts)
                .step_do(format!("allow {action} on {role} in the session policy, or open the session without one"));
            let finding = Finding::new(Cause::SessionPolicyCuts, what);
            match facts.link.principal.acts_as_role() {
                true => finding.fix(allow),
                false => finding.fix(the_users_own(facts, VerifyWith::Nothing)).fix(allow),
            }
        }
        // The policies decide these.
        DeniedBy::Trust | DeniedBy::Identity | DeniedBy::Boundary | DeniedBy::Resource => return None,
    })
}

/// Returns the finding for credentials whose own role could not be assumed: a profile with `role_arn` assumes it before the
/// link's role.
fn own_role(facts: &Facts, denial: &Denial<'_>) -> Option<Finding> {
    let own: RoleArn = denial.resource?.parse().ok()?;
    let role = &facts.link.role;
    let is_source = facts.link.source_account.as_ref().is_none_or(|source| *source == own.account);
    // The path of the link's role may be wrong in the file.
    let is_of_link = own.account == role.account && own.name == role.name;
    if denial.action != Some("sts:AssumeRole") || is_of_link || !is_source {
        return None;
    }
    let what = format!("the credentials' own role {own} cannot be assumed, so the request for {role} was not sent");
    let fix = Fix::by(Side::Source, facts)
        .step_do(format!(
            "allow the caller in the trust policy of {own}, and sts:AssumeRole on it in the caller's policies; a role's trust \
             policy must allow even the role itself"
        ))
        .verify(facts, VerifyWith::Nothing);
    Some(Finding::new(Cause::OwnRoleRefused, what).fix(fix))
}
