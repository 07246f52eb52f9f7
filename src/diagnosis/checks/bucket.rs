//! S3 denies the session of the role.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::condition::{escapes, is_of_bucket, limits, meet_all, met};
use crate::diagnosis::checks::meaning::{Asked, meant};
use crate::diagnosis::checks::named::{self, in_account, in_organization};
use crate::diagnosis::checks::propagation::propagating;
use crate::diagnosis::checks::s3_answer::without_bucket;
use crate::diagnosis::checks::tail::{contradiction, contradicts, is_shown};
use crate::diagnosis::denial::{Denial, DeniedBy};
use crate::diagnosis::facts::{Facts, S3Facts};
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, VerifyWith};
use crate::diagnosis::statement::{Attachment, Identity, PolicyRef, StatementRef};
use crate::diagnosis::verdict::{Evaluation, Evaluations, Verdict, s3_action};
use crate::iam::policy::{Effect, PolicyDocument};
use crate::iam::revocation::{in_words, revoked_before};
use crate::iam::templates;
use crate::text::shell::ShellCommand;

/// Returns why S3 denies the session.
pub fn findings(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Finding> {
    let Some((policies, boundary)) = &evaluations.s3 else { return Vec::new() };
    let refused = facts.s3.as_ref();
    if let Some(finding) = refused.and_then(|s3| answered(facts, s3)) {
        return vec![finding];
    }
    let mut findings = Vec::new();
    if policies.verdict().refuses() {
        findings.push(of_policies(facts, policies));
    }
    if let Some(boundary) = boundary.as_ref().filter(|boundary| boundary.verdict().refuses()) {
        findings.push(of_boundary(facts, boundary));
    }
    let denial = Denial::of_s3(facts);
    if let (Some(s3), Some(by @ (DeniedBy::Identity | DeniedBy::Boundary))) = (refused, denial.by) {
        let is_it = |finding: &Finding| (finding.cause == Cause::S3Boundary) == (by == DeniedBy::Boundary);
        if findings.iter().any(is_it) {
            findings.sort_by_key(|finding| !is_it(finding));
        } else {
            findings.insert(0, from_tail(facts, evaluations, (by, &denial)).said(&s3.answer));
        }
        return findings;
    }
    let all_read = [Some(policies), boundary.as_ref()].into_iter().flatten().all(|it| it.verdict() == Verdict::Allowed);
    let refused = refused.filter(|_| findings.is_empty());
    if let Some(finding) = refused.and_then(|_| propagating(facts, evaluations)) {
        findings.push(finding);
    } else if let Some(s3) = refused.filter(|_| all_read) {
        let (role, action) = (&facts.link.role.name, s3_action(facts));
        let what =
            format!("the policies of role {role} allow {action}, so a policy of the organization probably denies it");
        let finding = Finding::new(Cause::S3Organization, what).likely().said(&s3.answer);
        findings.push(finding.fix(without_bucket(facts)).fix(organization(facts, &denial)));
    }
    findings
}

/// Returns why the policies of the role do not allow the call.
fn of_policies(facts: &Facts, policies: &Evaluation<'_>) -> Finding {
    let (role, action) = (&facts.link.role.name, s3_action(facts));
    if let Some(place) = policies.denies.first() {
        if let Some(before) = revoked_before(&PolicyDocument::of(vec![place.statement.clone()])) {
            let before = in_words(before);
            let what = format!("the {} revokes all sessions from before {before}", place.policy.words());
            let later = Fix::by(Side::Request, facts)
                .step_do(format!("use a session that is opened later than {before}, by AWS's clock:"))
                .verify(facts, VerifyWith::Nothing);
            return Finding::new(Cause::S3Denied, what).because(Evidence::denial(place)).fix(later);
        }
        let limits = limits(facts, place);
        let what = format!("{} of the {} denies {action}{limits}", place.numbered(), place.policy.words());
        let finding = Finding::new(Cause::S3Denied, what).because(Evidence::denial(place));
        let denial = Denial::of_s3(facts);
        let is_named = place.policy.arn().is_some_and(|arn| denial.is_of(arn));
        let finding = if is_named { finding.named(&denial) } else { finding };
        let escapes = escapes(facts, place, is_of_bucket);
        if !escapes.is_empty() {
            return escapes.into_iter().fold(finding, Finding::fix).fix(without_bucket(facts));
        }
        let fix = Fix::by(Side::Target, facts)
            .step_do("if the denial is not meant for the test bucket, remove the statement:")
            .replace(facts, &place.policy, place.document_without().as_ref());
        return finding.fix(fix).fix(without_bucket(facts));
    }
    let what = format!("no policy of role {role} allows {action}");
    let finding = Finding::new(Cause::S3NotAllowed, what);
    let nearest = policies.nearest();
    let finding = match nearest {
        Some((place, why)) => finding.because(Evidence::mismatched(place, why)),
        None => finding.fact(format!("role {role} has no policies")),
    };
    // A permission under a condition that the request can meet stays as it is.
    let met = nearest.and_then(|(_, mismatches)| meet_all(facts, mismatches, is_of_bucket));
    finding.fix(met.unwrap_or_else(|| allow(facts))).fix(without_bucket(facts))
}

/// Returns why the boundary of the role does not allow the call.
fn of_boundary(facts: &Facts, boundary: &Evaluation<'_>) -> Finding {
    let (role, action) = (&facts.link.role.name, s3_action(facts));
    let limits = boundary.denies.first().map(|place| limits(facts, place)).unwrap_or_default();
    let what = format!("the permissions boundary of role {role} does not allow {action}{limits}");
    let finding = Finding::new(Cause::S3Boundary, what);
    let place = boundary.denies.first().map(|place| (place, Evidence::denial(place)));
    let nearest = boundary.nearest();
    let place = place.or_else(|| nearest.map(|(place, why)| (place, Evidence::mismatched(place, why))));
    let Some((place, evidence)) = place else {
        let arn = facts.target.role.present().and_then(|role| role.boundary.clone()).unwrap_or_default();
        let fix = Fix::by(Side::Target, facts)
            .step_do(format!("recreate {arn}, or set another permissions boundary on the role"));
        return finding
            .fact(format!("the boundary policy {arn} does not exist, so the boundary allows nothing"))
            .fix(fix)
            .fix(without_bucket(facts));
    };
    let finding = finding.because(evidence);
    let met = match boundary.denies.first() {
        Some(place) => escapes(facts, place, is_of_bucket),
        None => nearest.and_then(|(_, mismatches)| meet_all(facts, mismatches, is_of_bucket)).into_iter().collect(),
    };
    if !met.is_empty() {
        return met.into_iter().fold(finding, Finding::fix).fix(without_bucket(facts));
    }
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
    finding.fix(fix).fix(without_bucket(facts))
}

/// Returns the finding for the kind of policy that S3 names, if the policies that were read do not show it.
fn from_tail(facts: &Facts, evaluations: &Evaluations<'_>, (by, denial): (DeniedBy, &Denial<'_>)) -> Finding {
    let (role, action) = (&facts.link.role.name, s3_action(facts));
    let (policies, boundary) = match &evaluations.s3 {
        Some((policies, boundary)) => (Some(policies), boundary.as_ref()),
        None => (None, None),
    };
    let layer = if by == DeniedBy::Boundary { boundary } else { policies };
    if let Some(finding) = layer.filter(|_| denial.is_explicit).and_then(|layer| undecided(facts, (by, denial), layer))
    {
        return finding;
    }
    let is_read = facts.target.role.present().is_some();
    let is_contradicted = contradicts(layer) || by == DeniedBy::Boundary && layer.is_none() && is_read;
    let said = contradiction(by, denial, &action);
    if let Some(finding) = propagating(facts, evaluations).filter(|_| is_contradicted) {
        return finding.fact(said).named(denial);
    }
    let exempt = format!("exempt the test bucket (xacct-verify-*) from the statement that denies {action}");
    let (cause, what, fix) = match by {
        DeniedBy::Boundary => {
            let verb = if denial.is_explicit { "denies" } else { "does not allow" };
            let what = format!("the permissions boundary of role {role} {verb} {action}");
            let allow = format!("allow {action} on xacct-verify-* in the permissions boundary of role {role}");
            let change = if denial.is_explicit { exempt } else { allow };
            (Cause::S3Boundary, what, in_account(facts, Side::Target, denial, change))
        }
        _ if denial.is_explicit => {
            let what = format!("a policy of role {role} denies {action}");
            let exempt = if denial.policy.is_some() { exempt } else { format!("find the policy, and {exempt}") };
            (Cause::S3Denied, what, in_account(facts, Side::Target, denial, exempt))
        }
        _ => (Cause::S3NotAllowed, format!("no policy of role {role} allows {action}"), allow(facts)),
    };
    let what = if is_contradicted { format!("according to AWS, {what}") } else { what };
    let finding = Finding::new(cause, what);
    let again = ShellCommand::new("xacct").arg("verify").arg(&facts.link.name);
    let wait = Fix::by(Side::Request, facts).step_do("wait a minute, then test the link again:").run(again);
    let finding = match (is_contradicted, is_shown(by, denial, layer)) {
        (false, _) => finding.named(denial).fix(fix),
        (true, true) => finding.fact(said).named(denial).fix(fix).fix(wait),
        (true, false) => finding.likely().fact(said).named(denial).fix(wait).fix(fix),
    };
    finding.fix(without_bucket(facts))
}

/// Returns the finding about a statement that denies, depending on condition keys that xacct does not know, where AWS says
/// that one does.
fn undecided(facts: &Facts, (by, denial): (DeniedBy, &Denial<'_>), layer: &Evaluation<'_>) -> Option<Finding> {
    let is_denial = |(place, _): &&(StatementRef<'_>, Vec<String>)| place.statement.effect == Effect::Deny;
    let (place, keys) = layer.may_apply.iter().find(is_denial)?;
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let marks = keys.iter().flat_map(|key| place.marks_of_key(key)).collect();
    let cause = if by == DeniedBy::Boundary { Cause::S3Boundary } else { Cause::S3Denied };
    let (action, listed) = (s3_action(facts), keys.join(", "));
    let what = format!("{} of the {} denies {action}, depending on {listed}", place.numbered(), place.policy.words());
    let finding = Finding::new(cause, what).likely().because(Evidence::of(place, marks)).named(denial);
    Some(finding.fix(met(facts, place, &keys)).fix(without_bucket(facts)))
}

/// Returns the cause that S3's answer names by itself.
fn answered(facts: &Facts, s3: &S3Facts) -> Option<Finding> {
    let asked = Asked { answer: &s3.answer, bucket: Some(&s3.bucket), region: &s3.region };
    if !s3.answer.is_denial() {
        return meant(facts, &asked).map(|finding| finding.said(&s3.answer));
    }
    let denial = Denial::of(&s3.answer);
    let (action, role, account) = (s3_action(facts), &facts.link.role, &facts.link.role.account);
    let finding = match denial.by? {
        DeniedBy::ServiceControl | DeniedBy::ResourceControl | DeniedBy::VpcEndpoint => {
            let policy = match denial.by? {
                DeniedBy::ServiceControl => named::in_words(&denial, "service control policy"),
                DeniedBy::ResourceControl => named::in_words(&denial, "resource control policy"),
                _ => "the policy of the VPC endpoint for S3".to_owned(),
            };
            let what = format!("{policy} denies {action} in account {account}");
            Finding::new(Cause::S3Organization, what).fix(without_bucket(facts)).fix(organization(facts, &denial))
        }
        DeniedBy::Session => {
            let what = format!("the session policy of the session of role {} does not allow {action}", role.name);
            let fix = Fix::by(Side::Request, facts)
                .step_do(format!("allow {action} in the session policy that was sent with AssumeRole, or send none"));
            Finding::new(Cause::SessionPolicyCuts, what).on(Side::Request).fix(fix).fix(without_bucket(facts))
        }
        DeniedBy::Resource => {
            let what = format!("the policy of bucket {} does not allow {action}", s3.bucket);
            let fix = Fix::by(Side::Target, facts).step_do(format!(
                "find out who gives new buckets in account {account} a bucket policy, and exempt xacct-verify-* from it"
            ));
            Finding::new(Cause::S3Denied, what).fix(fix).fix(without_bucket(facts))
        }
        DeniedBy::Trust | DeniedBy::Identity | DeniedBy::Boundary => return None,
    };
    Some(finding.named(&denial).said(&s3.answer))
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

fn organization(facts: &Facts, denial: &Denial<'_>) -> Fix {
    let change = format!(
        "allow role {} to create and delete buckets named xacct-verify-*, or set the required \
         tags or namespace with --bucket-tag or --bucket-namespace",
        facts.link.role
    );
    in_organization(facts, denial, change)
}
