//! The role can be assumed, and S3 refuses its session.

use crate::diagnosis::checks::answer::{Tail, is_denial, propagating, said, unavailable};
use crate::diagnosis::facts::{Answer, Facts, S3Facts};
use crate::diagnosis::fix::Fix;
use crate::diagnosis::statement::{Held, Holder, Tie};
use crate::diagnosis::verdict::{self, Judged, Layers, Verdict};
use crate::diagnosis::{Cause, Finding, Possibility, Side};
use crate::iam::templates;

/// The inline policy that lets a role pass the check. Its name is not one of those that bootstrap takes for its own and
/// removes.
const CHECK_POLICY: &str = "verify-bucket";

/// What the role's policies say about the call that was refused, or about the first that the check makes.
pub fn layers(facts: &Facts) -> Option<(Judged<'_>, Option<Judged<'_>>)> {
    let is_asked = matches!(facts.answer, Answer::Accepted(_)) && (facts.s3.is_some() || facts.link.checks_s3);
    is_asked.then(|| verdict::of_role(facts, &verdict::asked_of_s3(facts, &action(facts), resource(facts))))
}

/// The action that was refused. Where none was tried, the first of the check's that the role's policies refuse.
fn action(facts: &Facts) -> String {
    match facts.s3.as_ref().map(|s3| s3.answer.operation.as_ref()) {
        Some("HeadBucket") => "s3:ListBucket".to_owned(),
        Some(operation) => format!("s3:{operation}"),
        None => {
            let is_refused = |action: &&str| {
                let (policies, boundary) =
                    verdict::of_role(facts, &verdict::asked_of_s3(facts, action, resource(facts)));
                policies.verdict().refuses() || boundary.is_some_and(|boundary| boundary.verdict().refuses())
            };
            let steps = ["s3:CreateBucket", "s3:DeleteBucket"];
            steps.into_iter().find(is_refused).unwrap_or("s3:CreateBucket").to_owned()
        }
    }
}

fn resource(facts: &Facts) -> String {
    let role = &facts.link.role;
    let check = || format!("xacct-verify-{}-check", role.account);
    format!("arn:{}:s3:::{}", role.partition, facts.s3.as_ref().map_or_else(check, |s3| s3.bucket.clone()))
}

/// Why S3 refuses.
pub fn findings(facts: &Facts, layers: &Layers<'_>) -> Vec<Finding> {
    let Some((policies, boundary)) = &layers.s3 else { return Vec::new() };
    let refused = facts.s3.as_ref();
    if let Some(finding) = refused.and_then(|s3| answered(facts, s3)) {
        return vec![finding];
    }
    let (role, action) = (&facts.link.role.name, action(facts));
    let mut findings = Vec::new();
    if policies.verdict().refuses() {
        findings.push(match policies.denies.first() {
            Some(place) => {
                let what = format!("{} of the {} denies {action}", place.numbered(), place.held.words());
                let fix = Fix::by(Side::Target, facts)
                    .step_do("if the denial is not meant for the check, take the statement out:")
                    .replace(facts, &place.held, place.document_without().as_ref());
                let evidence = place.evidence(vec![vec!["Effect".to_owned()]]);
                Finding::new(Cause::S3Denied, what).because(evidence).fix(fix).fix(without_bucket(facts))
            }
            None => {
                let what = format!("no policy of role {role} allows {action}");
                let finding = Finding::new(Cause::S3NotAllowed, what);
                let finding = match policies.nearest() {
                    Some((place, why)) => finding.because(place.mismatched(why)),
                    None => finding.fact(format!("role {role} has no policies")),
                };
                finding.fix(allow(facts)).fix(without_bucket(facts))
            }
        });
    }
    if let Some(boundary) = boundary.as_ref().filter(|boundary| boundary.verdict().refuses()) {
        let what = format!("the permissions boundary of role {role} does not allow {action}");
        let finding = Finding::new(Cause::S3Boundary, what);
        let place = boundary.denies.first().map(|place| (place, place.evidence(vec![vec!["Effect".to_owned()]])));
        let place = place.or_else(|| boundary.nearest().map(|(place, why)| (place, place.mismatched(why))));
        findings.push(match place {
            Some((place, evidence)) => {
                let check = templates::verify_bucket(facts.link.role.partition);
                let document = if boundary.denies.is_empty() {
                    let mut wider = place.document.clone();
                    wider.statements.extend(check.statements);
                    wider
                } else {
                    // A boundary that is taken away lets everything through.
                    place.document_without().unwrap_or(check)
                };
                let fix = Fix::by(Side::Target, facts).replace(facts, &place.held, Some(&document));
                finding.because(evidence).fix(fix).fix(without_bucket(facts))
            }
            None => {
                let arn = facts.target.role.present().and_then(|role| role.boundary.clone()).unwrap_or_default();
                let fix = Fix::by(Side::Target, facts)
                    .step_do(format!("make {arn} again, or give the role another boundary"));
                finding
                    .fact(format!("the boundary is {arn}, and there is no such policy: nothing gets through it"))
                    .fix(fix)
                    .fix(without_bucket(facts))
            }
        });
    }
    let all_read = [Some(policies), boundary.as_ref()].into_iter().flatten().all(|it| it.verdict() == Verdict::Allowed);
    let refused = refused.filter(|_| findings.is_empty());
    if let Some(finding) = refused.and_then(|_| propagating(facts, layers)) {
        findings.push(finding);
    } else if let Some(s3) = refused.filter(|_| all_read) {
        let what = "the role's policies allow it, so a policy of the organization must be what refuses it";
        let finding = said(Finding::new(Cause::S3Organization, what).likely(), &s3.answer);
        findings.push(finding.fix(without_bucket(facts)).fix(organization(facts)));
    }
    findings
}

/// S3 refused, and what could be read of the role's policies does not say why.
pub fn possible(facts: &Facts, layers: &Layers<'_>) -> Vec<Possibility> {
    let (Some((policies, boundary)), Some(_)) = (&layers.s3, &facts.s3) else { return Vec::new() };
    let mut possible = verdict::gaps([policies].into_iter().chain(boundary));
    let unknown = [policies].into_iter().chain(boundary).flat_map(|judged| &judged.may_apply);
    possible.extend(unknown.map(|(place, keys)| Possibility {
        what: format!("{} of the {}, depending on {}", place.numbered(), place.held.words(), keys.join(", ")),
        decided_by: format!("the value of {} where the call was made", keys.join(", ")),
    }));
    let account = &facts.link.role.account;
    possible.push(Possibility {
        what: format!("a service control policy on account {account}"),
        decided_by: format!(
            "in the management account of its organization: aws organizations list-policies-for-target --target-id {account} --filter SERVICE_CONTROL_POLICY"
        ),
    });
    possible
}

/// What S3's own answer settles.
fn answered(facts: &Facts, s3: &S3Facts) -> Option<Finding> {
    let (code, message) = (s3.answer.code.as_deref()?, s3.answer.message.as_deref().unwrap_or_default());
    let finding = match code {
        "TooManyBuckets" => {
            let account = &facts.link.role.account;
            let quota = Fix::by(Side::Target, facts)
                .step_do("delete buckets that are not needed, or have the quota raised in the Service Quotas console");
            Finding::new(Cause::S3Quota, format!("account {account} has as many buckets as it may have"))
                .fix(without_bucket(facts))
                .fix(quota)
        }
        "IllegalLocationConstraintException" | "AuthorizationHeaderMalformed" | "PermanentRedirect" => {
            let expected = message.split_once("expecting '").and_then(|(_, rest)| rest.split_once('\''));
            let fix = Fix::by(Side::LocalConfiguration, facts);
            match expected {
                Some((region, _)) => {
                    let fix = fix.write(facts, "region", region).verify(facts, "");
                    Finding::new(Cause::S3Region, format!("S3 expects region {region}, not {}", s3.region)).fix(fix)
                }
                None => Finding::new(Cause::S3Region, format!("S3 expects another region than {}", s3.region))
                    .fix(fix.verify(facts, "--region REGION")),
            }
        }
        _ if !is_denial(code) => unavailable(facts, &s3.answer),
        _ => {
            let kind = match Tail::of(message)? {
                Tail::ServiceControl => "a service control policy",
                Tail::ResourceControl => "a resource control policy",
                Tail::VpcEndpoint => "the policy of the VPC endpoint for S3",
                _ => return None,
            };
            let what = format!("{kind} refuses {} in account {}", action(facts), facts.link.role.account);
            Finding::new(Cause::S3Organization, what).fix(without_bucket(facts)).fix(organization(facts))
        }
    };
    Some(said(finding, &s3.answer))
}

fn allow(facts: &Facts) -> Fix {
    let is_ours = facts.target.role.present().is_none_or(|role| role.is_ours);
    if is_ours && !facts.link.has_policies {
        return Fix::bootstrap(facts, "");
    }
    let held =
        Held { holder: Holder::Role(facts.link.role.name.to_string()), tie: Tie::Inline(CHECK_POLICY.to_owned()) };
    Fix::by(Side::Target, facts).replace(facts, &held, Some(&templates::verify_bucket(facts.link.role.partition)))
}

fn without_bucket(facts: &Facts) -> Fix {
    Fix::by(Side::LocalConfiguration, facts)
        .step_do("if the role need not make buckets, prove the session only:")
        .write(facts, "probe", "identity")
        .verify(facts, "")
}

fn organization(facts: &Facts) -> Fix {
    Fix::by(Side::Organization, facts).step_do(format!(
        "let role {} make and delete buckets xacct-verify-*, or say which tags or namespace buckets need: --bucket-tag, --bucket-namespace",
        facts.link.role
    ))
}
