//! S3 denies the session of the role.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::meaning::{Asked, meant};
use crate::diagnosis::checks::propagation::propagating;
use crate::diagnosis::checks::s3_answer::without_bucket;
use crate::diagnosis::denial::DeniedBy;
use crate::diagnosis::facts::{Facts, S3Facts};
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix};
use crate::diagnosis::statement::{Attachment, Identity, PolicyRef};
use crate::diagnosis::verdict::{Evaluations, Verdict, s3_action};
use crate::iam::templates;

/// Returns why S3 denies the session.
pub fn findings(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Finding> {
    let Some((policies, boundary)) = &evaluations.s3 else { return Vec::new() };
    let refused = facts.s3.as_ref();
    if let Some(finding) = refused.and_then(|s3| answered(facts, s3)) {
        return vec![finding];
    }
    let (role, action) = (&facts.link.role.name, s3_action(facts));
    let mut findings = Vec::new();
    if policies.verdict().refuses() {
        findings.push(match policies.denies.first() {
            Some(place) => {
                let what = format!("{} of the {} denies {action}", place.numbered(), place.policy.words());
                let fix = Fix::by(Side::Target, facts)
                    .step_do("if the denial is not meant for the test bucket, remove the statement:")
                    .replace(facts, &place.policy, place.document_without().as_ref());
                let evidence = Evidence::denial(place);
                Finding::new(Cause::S3Denied, what).because(evidence).fix(fix).fix(without_bucket(facts))
            }
            None => {
                let what = format!("no policy of role {role} allows {action}");
                let finding = Finding::new(Cause::S3NotAllowed, what);
                let finding = match policies.nearest() {
                    Some((place, why)) => finding.because(Evidence::mismatched(place, why)),
                    None => finding.fact(format!("role {role} has no policies")),
                };
                finding.fix(allow(facts)).fix(without_bucket(facts))
            }
        });
    }
    if let Some(boundary) = boundary.as_ref().filter(|boundary| boundary.verdict().refuses()) {
        let what = format!("the permissions boundary of role {role} does not allow {action}");
        let finding = Finding::new(Cause::S3Boundary, what);
        let place = boundary.denies.first().map(|place| (place, Evidence::denial(place)));
        let place = place.or_else(|| boundary.nearest().map(|(place, why)| (place, Evidence::mismatched(place, why))));
        findings.push(match place {
            Some((place, evidence)) => {
                let check = templates::verify_bucket(facts.link.role.partition);
                let document = if boundary.denies.is_empty() {
                    let mut wider = place.document.clone();
                    wider.statements.extend(check.statements);
                    wider
                } else {
                    // Removing a boundary would allow everything.
                    place.document_without().unwrap_or(check)
                };
                let fix = Fix::by(Side::Target, facts).replace(facts, &place.policy, Some(&document));
                finding.because(evidence).fix(fix).fix(without_bucket(facts))
            }
            None => {
                let arn = facts.target.role.present().and_then(|role| role.boundary.clone()).unwrap_or_default();
                let fix = Fix::by(Side::Target, facts)
                    .step_do(format!("recreate {arn}, or set another permissions boundary on the role"));
                finding
                    .fact(format!("the boundary policy {arn} does not exist, so the boundary allows nothing"))
                    .fix(fix)
                    .fix(without_bucket(facts))
            }
        });
    }
    let all_read = [Some(policies), boundary.as_ref()].into_iter().flatten().all(|it| it.verdict() == Verdict::Allowed);
    let refused = refused.filter(|_| findings.is_empty());
    if let Some(finding) = refused.and_then(|_| propagating(facts, evaluations)) {
        findings.push(finding);
    } else if let Some(s3) = refused.filter(|_| all_read) {
        let what =
            format!("the policies of role {role} allow {action}, so a policy of the organization probably denies it");
        let finding = Finding::new(Cause::S3Organization, what).likely().said(&s3.answer);
        findings.push(finding.fix(without_bucket(facts)).fix(organization(facts)));
    }
    findings
}

/// Returns the cause that S3's answer names by itself.
fn answered(facts: &Facts, s3: &S3Facts) -> Option<Finding> {
    let asked = Asked { answer: &s3.answer, bucket: Some(&s3.bucket), region: &s3.region };
    if !s3.answer.is_denial() {
        return meant(facts, &asked).map(|finding| finding.said(&s3.answer));
    }
    let kind = match DeniedBy::of(s3.answer.message.as_deref()?)? {
        DeniedBy::ServiceControl => "a service control policy",
        DeniedBy::ResourceControl => "a resource control policy",
        DeniedBy::VpcEndpoint => "the policy of the VPC endpoint for S3",
        _ => return None,
    };
    let what = format!("{kind} denies {} in account {}", s3_action(facts), facts.link.role.account);
    let finding = Finding::new(Cause::S3Organization, what).fix(without_bucket(facts)).fix(organization(facts));
    Some(finding.said(&s3.answer))
}

fn allow(facts: &Facts) -> Fix {
    let is_ours = facts.target.role.present().is_none_or(|role| role.is_ours);
    if is_ours {
        let is_default = !facts.link.has_policies;
        return Fix::bootstrap(facts, if is_default { BootstrapWith::Nothing } else { BootstrapWith::TestBucket });
    }
    let policy = PolicyRef {
        identity: Identity::Role(facts.link.role.name.to_string()),
        attachment: Attachment::Inline(templates::VERIFY_POLICY.to_owned()),
    };
    Fix::by(Side::Target, facts).replace(facts, &policy, Some(&templates::verify_bucket(facts.link.role.partition)))
}

fn organization(facts: &Facts) -> Fix {
    Fix::by(Side::Organization, facts).step_do(format!(
        "allow role {} to create and delete buckets named xacct-verify-*, or set the required \
         tags or namespace with --bucket-tag or --bucket-namespace",
        facts.link.role
    ))
}
