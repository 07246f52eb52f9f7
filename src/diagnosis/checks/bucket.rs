//! S3 denies the session of the role.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::condition::{escapes, is_of_bucket, limits, meet_all, met};
use crate::diagnosis::checks::denials::{self, Denials};
use crate::diagnosis::checks::meaning::{Asked, meant};
use crate::diagnosis::checks::named::{self, in_account, in_organization};
use crate::diagnosis::checks::propagation::propagating;
use crate::diagnosis::checks::s3_answer::without_bucket;
use crate::diagnosis::checks::tail::{contradiction, contradicts, is_shown};
use crate::diagnosis::denial::{Denial, DeniedBy};
use crate::diagnosis::facts::{Facts, S3Facts};
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, Half, VerifyWith};
use crate::diagnosis::statement::{Attachment, Identity, PolicyRef, StatementRef, document_without};
use crate::diagnosis::verdict::{Evaluation, Evaluations, RoleEvaluation, Verdict, s3_action};
use crate::iam::policy::{Effect, PolicyDocument};
use crate::iam::revocation::{in_words, revoked_before};
use crate::iam::templates;
use crate::text::shell::ShellCommand;

/// Returns why S3 denies the session, or would deny it next.
pub fn findings(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Finding> {
    let Some((policies, boundary)) = evaluations.s3.first().map(RoleEvaluation::layers) else { return Vec::new() };
    let refused = facts.s3.as_ref();
    let mut findings = of_layer(facts, || evaluations.s3.iter().map(|it| &it.policies), of_policy_denial, lacks_allow);
    let boundaries = || evaluations.s3.iter().filter_map(|it| it.boundary.as_ref());
    findings.extend(of_layer(
        facts,
        boundaries,
        |facts, denials| of_boundary_denial(facts, denials, &evaluations.s3),
        |facts, boundary| boundary_lacks_allow(facts, boundary, &evaluations.s3),
    ));
    if let Some(finding) = refused.and_then(|s3| answered(facts, s3)) {
        // S3 has not evaluated the role's policies, or has passed them.
        let foreseen = findings.into_iter().map(Finding::foreseen);
        return [finding].into_iter().chain(foreseen).collect();
    }
    let denial = Denial::of_s3(facts);
    if let (Some(s3), Some(by @ (DeniedBy::Identity | DeniedBy::Boundary))) = (refused, denial.by) {
        let is_boundary = |finding: &Finding| finding.cause == Cause::S3Boundary;
        let is_it = |finding: &Finding| !finding.foreseen && is_boundary(finding) == (by == DeniedBy::Boundary);
        if findings.iter().any(is_it) {
            findings.sort_by_key(|finding| !is_it(finding));
        } else {
            findings.insert(0, from_tail(facts, evaluations, (by, &denial)).said(&s3.answer));
        }
        return findings;
    }
    let all_read = [Some(policies), boundary].into_iter().flatten().all(|it| it.verdict() == Verdict::Allowed);
    let refused = refused.filter(|_| findings.iter().all(|finding| finding.foreseen));
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

/// Returns why the policies of one kind do not allow the test bucket: those that deny it, and what they lack. The
/// evaluations are of the calls of the test, first that which was denied.
fn of_layer<'e, 'a: 'e, I: Iterator<Item = &'e Evaluation<'a>>>(
    facts: &Facts,
    layers: impl Fn() -> I,
    denied: impl Fn(&Facts, &Denials<'_, '_>) -> Finding,
    lacks: impl Fn(&Facts, &Evaluation<'_>) -> Finding,
) -> Vec<Finding> {
    let Some(asked) = layers().next() else { return Vec::new() };
    let is_reached = |action: &str| facts.s3.is_some() && action == asked.action;
    let reached = |finding: Finding, is_it: bool| if is_it { finding } else { finding.foreseen() };
    let mut findings = Vec::new();
    for denials in denials::by_policy(layers(), |place| !is_guard(facts, place)) {
        findings.push(reached(denied(facts, &denials), is_reached(&asked.action) && denials.are_of(&asked.action)));
    }
    let mut guards: Vec<&StatementRef<'_>> = Vec::new();
    for layer in layers() {
        for place in layer.denies.iter().filter(|place| is_guard(facts, place)) {
            let is_known = |known: &&StatementRef<'_>| known.policy == place.policy && known.number == place.number;
            if !guards.iter().any(is_known) {
                guards.push(place);
                findings.push(reached(guarded(facts, place, &layer.action), is_reached(&layer.action)));
            }
        }
    }
    // The fix allows all calls of the test, unless it meets a condition of one.
    let mut lacking: Vec<&Evaluation<'_>> = layers().filter(|it| it.lacks_allow()).collect();
    let meets = |layer: &Evaluation<'_>| {
        layer.nearest().is_some_and(|(_, mismatches)| meet_all(facts, mismatches, is_of_bucket).is_some())
    };
    let mut is_covered = false;
    lacking.retain(|layer| meets(layer) || !std::mem::replace(&mut is_covered, true));
    findings.extend(lacking.into_iter().map(|layer| reached(lacks(facts, layer), is_reached(&layer.action))));
    findings
}

/// Returns whether the test bucket can avoid a denial, which then stays.
fn is_guard(facts: &Facts, place: &StatementRef<'_>) -> bool {
    revocation(place).is_some() || !escapes(facts, place, is_of_bucket).is_empty()
}

/// Returns the time before which this statement revokes all sessions, in words, if it does.
fn revocation(place: &StatementRef<'_>) -> Option<String> {
    revoked_before(&PolicyDocument::of(vec![place.statement.clone()])).map(in_words)
}

/// Returns the finding for a denial that the test bucket can avoid.
fn guarded(facts: &Facts, place: &StatementRef<'_>, action: &str) -> Finding {
    if let Some(before) = revocation(place) {
        let what = format!("the {} revokes all sessions issued before {before}", place.policy.words());
        let later = Fix::by(Side::Request, facts)
            .step_do(format!("open a new session after {before} (AWS's clock):"))
            .verify(facts, VerifyWith::Nothing);
        return Finding::new(Cause::S3Denied, what).because(Evidence::denial(place)).fix(later);
    }
    let limits = limits(facts, place);
    let finding = if matches!(place.policy.attachment, Attachment::Boundary(_)) {
        let role = &facts.link.role.name;
        Finding::new(
            Cause::S3Boundary,
            format!("the permissions boundary of role {role} does not allow {action}{limits}"),
        )
    } else {
        let what = format!("{} of the {} denies {action}{limits}", place.numbered(), place.policy.words());
        Finding::new(Cause::S3Denied, what)
    };
    let finding = named_by_aws(facts, finding.because(Evidence::denial(place)), place);
    escapes(facts, place, is_of_bucket).into_iter().fold(finding, Finding::fix).fix(without_bucket(facts))
}

fn named_by_aws(facts: &Facts, finding: Finding, place: &StatementRef<'_>) -> Finding {
    let denial = Denial::of_s3(facts);
    if place.policy.arn().is_some_and(|arn| denial.is_of(arn)) { finding.named(&denial) } else { finding }
}

fn of_policy_denial(facts: &Facts, denials: &Denials<'_, '_>) -> Finding {
    let finding = denials.shown_by(Finding::new(Cause::S3Denied, denials.words()));
    let places = denials.places();
    let statements = if places.len() == 1 { "statement" } else { "statements" };
    let fix = Fix::by(Side::Target, facts)
        .step_do(format!("if the denial is not meant for the test bucket, remove the {statements}:"))
        .replace(facts, &denials.place.policy, document_without(&places).as_ref());
    named_by_aws(facts, finding, denials.place).fix(fix).fix(without_bucket(facts))
}

/// Returns the finding for policies of the role that do not allow the call.
fn lacks_allow(facts: &Facts, policies: &Evaluation<'_>) -> Finding {
    let (role, action) = (&facts.link.role.name, &policies.action);
    let what = format!("no policy of role {role} allows {action}");
    let finding = Finding::new(Cause::S3NotAllowed, what);
    let nearest = policies.nearest();
    let finding = match nearest {
        Some((place, why)) => finding.because(Evidence::mismatched(place, why)),
        None if policies.denies.is_empty() => finding.fact(format!("role {role} has no policies")),
        None => finding.fact(format!("the policies of role {role} have no Allow statement")),
    };
    // A permission under a condition that the request can meet stays as it is.
    let met = nearest.and_then(|(_, mismatches)| meet_all(facts, mismatches, is_of_bucket));
    finding.fix(met.unwrap_or_else(|| allow(facts))).fix(without_bucket(facts))
}

fn of_boundary_denial(facts: &Facts, denials: &Denials<'_, '_>, s3: &[RoleEvaluation<'_>]) -> Finding {
    let (role, action) = (&facts.link.role.name, denials.action());
    let what = format!("the permissions boundary of role {role} does not allow {action}");
    let finding = denials.shown_by(Finding::new(Cause::S3Boundary, what));
    let document = boundary_that_allows(facts, s3);
    let fix = Fix::by(Side::Target, facts).replace(facts, &denials.place.policy, document.as_ref());
    named_by_aws(facts, finding, denials.place).fix(fix).fix(without_bucket(facts))
}

/// Returns the finding for a boundary of the role that does not allow the call.
fn boundary_lacks_allow(facts: &Facts, boundary: &Evaluation<'_>, s3: &[RoleEvaluation<'_>]) -> Finding {
    let (role, action) = (&facts.link.role.name, &boundary.action);
    let what = format!("the permissions boundary of role {role} does not allow {action}");
    let finding = Finding::new(Cause::S3Boundary, what);
    let nearest = boundary.nearest();
    let place = nearest.map(|(place, _)| place).or(boundary.denies.first());
    let arn = facts.target.role.present().and_then(|role| role.boundary.clone()).unwrap_or_default();
    let Some(place) = place else {
        let fix = Fix::by(Side::Target, facts)
            .step_do(format!("recreate {arn}, or set another permissions boundary on the role"));
        return finding
            .fact(format!("the boundary policy {arn} does not exist, so the boundary allows nothing"))
            .fix(fix)
            .fix(without_bucket(facts));
    };
    let finding = match nearest {
        Some((place, why)) => finding.because(Evidence::mismatched(place, why)),
        None => finding.fact(format!("the boundary policy {arn} has no Allow statement")),
    };
    let met = nearest.and_then(|(_, mismatches)| meet_all(facts, mismatches, is_of_bucket));
    let fix = met.unwrap_or_else(|| {
        let document = boundary_that_allows(facts, s3);
        Fix::by(Side::Target, facts).replace(facts, &place.policy, document.as_ref())
    });
    finding.fix(fix).fix(without_bucket(facts))
}

/// Returns the document of the role's permissions boundary, changed so that it allows the test bucket: without the
/// statements that deny it, and with those that it lacks. `None` if the policy does not exist.
fn boundary_that_allows(facts: &Facts, s3: &[RoleEvaluation<'_>]) -> Option<PolicyDocument> {
    let boundaries = || s3.iter().filter_map(|it| it.boundary.as_ref());
    let mut document = match denials::by_policy(boundaries(), |place| !is_guard(facts, place)).first() {
        // A boundary has one policy.
        Some(denials) => document_without(&denials.places()).unwrap_or_else(|| PolicyDocument::of(Vec::new())),
        None => boundaries().next()?.nearest()?.0.document.clone(),
    };
    // An empty boundary would allow nothing, and removing the boundary would allow everything.
    if boundaries().any(Evaluation::lacks_allow) || document.statements.is_empty() {
        document.statements.extend(templates::verify_bucket(facts.link.role.partition).statements);
    }
    Some(document)
}

/// Returns the finding for the kind of policy that S3 names, if the policies that were read do not show it.
fn from_tail(facts: &Facts, evaluations: &Evaluations<'_>, (by, denial): (DeniedBy, &Denial<'_>)) -> Finding {
    let (role, action) = (&facts.link.role.name, s3_action(facts));
    let (policies, boundary) = match evaluations.s3.first().map(RoleEvaluation::layers) {
        Some((policies, boundary)) => (Some(policies), boundary),
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
        return Fix::bootstrap(
            Half::Target,
            facts,
            if is_default { BootstrapWith::Nothing } else { BootstrapWith::TestBucket },
        );
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
