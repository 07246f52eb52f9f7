//! The source half of a link: the user and its permissions.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::attribute;
use crate::diagnosis::checks::condition::{any, escapes, found_words, limits, meet, meet_all, met, shown_by};
use crate::diagnosis::checks::mfa::{mfa_absent, needs_mfa};
use crate::diagnosis::checks::named::quarantined;
use crate::diagnosis::denial::{Denial, is_quarantine};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, VerifyWith, is_of_aws};
use crate::diagnosis::statement::{Attachment, Identity, StatementRef};
use crate::diagnosis::verdict::{Evaluation, Evaluations, Verdict};
use crate::iam::arn::CallerArn;
use crate::iam::evaluate::Mismatch;
use crate::iam::policy::{Effect, PolicyDocument};
use crate::iam::state::Reading;
use crate::iam::templates;

/// Returns why the user may not assume the role.
pub fn refusals(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Finding> {
    if facts.source.user == Reading::Absent {
        return vec![user_absent(facts)];
    }
    let mut findings = Vec::new();
    let mut assume_refused = false;
    let denial = Denial::of_assume_role(facts);
    for evaluation in &evaluations.assume {
        let action = evaluation.action;
        // A denial of AssumeRole covers these as well, unless AWS names them.
        if action != "sts:AssumeRole" && assume_refused && denial.action != Some(action) {
            continue;
        }
        let refused = evaluation.grant.verdict().refuses();
        assume_refused |= refused;
        // Within one account a trust policy that names the user is enough (STS API reference, AssumeRole).
        let is_enough = is_named_directly(facts, evaluation.trust.as_ref());
        if !(refused && evaluation.grant.denies.is_empty() && is_enough) {
            findings.extend(of_grant(facts, &evaluation.grant, action));
        }
        // Nor does a boundary limit what a policy grants the user directly (IAM User Guide, permissions boundaries).
        if let Some(boundary) = evaluation.boundary.as_ref().filter(|it| !(is_enough && it.denies.is_empty())) {
            findings.extend(of_boundary(facts, boundary, action));
        }
    }
    findings
}

fn user_absent(facts: &Facts) -> Finding {
    let (user, account, file) = (&facts.link.user, facts.source_account(), &facts.link.file);
    let finding = Finding::new(Cause::UserAbsent, format!("account {account} has no user {user}"));
    let create = Fix::by(Side::Source, facts)
        .step_do(format!("create user {user}, or correct the name in {file}: user = \"NAME\" under [source]"));
    // The user whose credentials are used is likely the one meant.
    let asked =
        facts.caller.identity.present().filter(|asked| asked.account().map(ToString::to_string) == Some(account));
    match asked.and_then(CallerArn::user) {
        Some(asked) => {
            let named = Fix::by(Side::LocalConfiguration, facts).write_source(facts, "user", asked.name.as_str());
            let whose = format!("the credentials ({}) belong to user {}", facts.caller.origin, asked.name);
            finding.fact(whose).fix(named.verify(facts, VerifyWith::Nothing)).fix(create)
        }
        None => finding.fix(create),
    }
}

fn is_named_directly(facts: &Facts, trust: Option<&Evaluation<'_>>) -> bool {
    let is_one_account = facts.link.source_account.as_ref() == Some(&facts.link.role.account);
    let user = facts.source.user.present().map(|user| user.arn.as_str());
    let names = |place: &StatementRef<'_>| user.is_some_and(|user| place.listed_principals().contains(&user));
    is_one_account && trust.is_some_and(|trust| trust.allows.iter().any(names))
}

fn of_grant(facts: &Facts, grant: &Evaluation<'_>, action: &str) -> Vec<Finding> {
    match grant.verdict() {
        Verdict::Denied => grant.denies.iter().map(|place| denies(facts, place, action)).collect(),
        Verdict::NotAllowed if action != "sts:AssumeRole" => lacks_action(facts, grant, action).into_iter().collect(),
        Verdict::NotAllowed => match grant.nearest() {
            Some((place, mismatches)) if !mismatches.contains(&Mismatch::Action) => {
                mismatches.iter().map(|mismatch| mismatched(facts, place, mismatch)).collect()
            }
            _ => vec![absent(facts, grant)],
        },
        Verdict::Unknown | Verdict::AllowedAsFarAsRead => {
            let may_apply = grant.deciding(Effect::Allow).chain(grant.deciding(Effect::Deny));
            may_apply.map(|(place, keys)| depends(facts, place, keys)).collect()
        }
        Verdict::Allowed => Vec::new(),
    }
}

fn absent(facts: &Facts, grant: &Evaluation<'_>) -> Finding {
    let (user, role) = (&facts.link.user, &facts.link.role);
    let what = format!("user {user} has no grant: no policy allows sts:AssumeRole on {role}");
    let fact = match grant.misses.len() {
        0 => format!("user {user} and its groups have no policies"),
        1 => format!("the only statement in the policies of user {user} and its groups does not cover sts:AssumeRole"),
        count => {
            format!(
                "none of the {count} statements in the policies of user {user} and its groups covers sts:AssumeRole"
            )
        }
    };
    Finding::new(Cause::GrantAbsent, what).fact(fact).fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
}

fn mismatched(facts: &Facts, place: &StatementRef<'_>, mismatch: &Mismatch) -> Finding {
    let (user, role) = (&facts.link.user, &facts.link.role);
    let finding = match mismatch {
        Mismatch::Condition { key, .. } if key.to_ascii_lowercase().starts_with("aws:multifactorauth") => {
            let what = format!("the grant of user {user} requires MFA, but the credentials lack it");
            mfa_absent(facts, what).on(Side::Source)
        }
        Mismatch::Condition { operator, key, wanted, found } => {
            let values: Vec<_> = wanted.iter().map(String::as_str).collect();
            let (wanted, found) = (values.join("` or `"), found_words(found));
            let what =
                format!("the grant of user {user} requires {operator} {key} `{wanted}`, but the request has {found}");
            let finding = Finding::new(Cause::GrantCondition, what);
            // A condition that the request can meet is a guard, and stays. Tags of the user are not the request's.
            let of_request = !key.to_ascii_lowercase().starts_with("aws:principaltag/");
            match meet(facts, (operator, key), &values).filter(|_| of_request) {
                Some(fix) => finding.fix(fix),
                None => finding.fix(Fix::bootstrap(facts, BootstrapWith::Nothing)),
            }
        }
        _ => {
            let what = format!("user {user} may assume other roles, but not {role}");
            Finding::new(Cause::GrantOtherArn, what)
                .fact(format!("the grant is in the {}", place.policy.words()))
                .fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
        }
    };
    finding.because(Evidence::mismatched(place, std::slice::from_ref(mismatch)))
}

fn depends(facts: &Facts, place: &StatementRef<'_>, keys: &[String]) -> Finding {
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let marks = keys.iter().flat_map(|key| place.marks_of_key(key)).collect();
    let listed = keys.join(", ");
    let evidence = Evidence::of(place, marks);
    if keys.iter().any(|key| key.to_ascii_lowercase().starts_with("aws:multifactorauth")) {
        let what = format!("the {} requires MFA, but the credentials may lack it", place.policy.words());
        return Finding { evidence: vec![evidence], ..mfa_absent(facts, what) }.on(Side::Source).likely();
    }
    let finding = if place.statement.effect == Effect::Deny {
        let what = format!("the {} may deny sts:AssumeRole, depending on {listed}", place.policy.words());
        Finding::new(Cause::SourceDenies, what).fix(met(facts, place, &keys)).fix(spare(facts, place))
    } else {
        let what = format!(
            "the {} allows sts:AssumeRole only for some values of {listed}, and the request probably has a different one",
            place.policy.words()
        );
        let finding = Finding::new(Cause::GrantCondition, what);
        finding.fix(met(facts, place, &keys)).fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
    };
    keys.iter().filter_map(|key| shown_by(facts, key)).fold(finding.likely().because(evidence), Finding::fact)
}

/// Exempts the role from a denial or removes the denial, and says whom else that affects.
fn spare(facts: &Facts, place: &StatementRef<'_>) -> Fix {
    let is_of_aws = matches!(&place.policy.attachment, Attachment::Attached(arn) if is_of_aws(arn));
    let also = match (&place.policy.identity, &place.policy.attachment) {
        (_, Attachment::Attached(_)) if is_of_aws => {
            " (it is in an AWS managed policy: detaching the policy removes all its denials)"
        }
        (_, Attachment::Attached(_)) => {
            " (this affects everyone the policy is attached to; IAM keeps five versions, so you may have to delete an old \
             one first)"
        }
        (Identity::Group(_), _) => " (this affects every user in the group)",
        _ => "",
    };
    let fix = Fix::by(Side::Source, facts);
    match place.document_sparing(&facts.link.role.to_string()) {
        Some(sparing) if !is_of_aws => fix
            .step_do(format!("if the denial is not meant for this role, exempt the role{also}:"))
            .replace(facts, &place.policy, Some(&sparing)),
        _ => fix.step_do(format!("if the denial is not meant for this role, remove the statement{also}:")).replace(
            facts,
            &place.policy,
            place.document_without().as_ref(),
        ),
    }
}

fn denies(facts: &Facts, place: &StatementRef<'_>, action: &str) -> Finding {
    if needs_mfa(facts, place) {
        let what = format!("the {} denies requests without MFA", place.policy.words());
        return mfa_absent(facts, what)
            .on(Side::Source)
            .because(Evidence::of(place, place.marks_of_key("aws:multifactorauth")));
    }
    let denial = Denial::of_assume_role(facts);
    if let Some(arn) = place.policy.arn().filter(|arn| is_quarantine(arn)) {
        return quarantined(facts, arn);
    }
    let what = format!("{} of the {} denies {action}{}", place.numbered(), place.policy.words(), limits(facts, place));
    let finding = Finding::new(Cause::SourceDenies, what).because(Evidence::denial(place));
    let finding =
        if place.policy.arn().is_some_and(|arn| denial.is_of(arn)) { finding.named(&denial) } else { finding };
    let escapes = escapes(facts, place, any);
    // A denial that the request can avoid is a guard, and stays.
    if escapes.is_empty() { finding.fix(spare(facts, place)) } else { escapes.into_iter().fold(finding, Finding::fix) }
}

fn of_boundary(facts: &Facts, boundary: &Evaluation<'_>, action: &str) -> Option<Finding> {
    if !boundary.verdict().refuses() {
        return None;
    }
    let user = &facts.link.user;
    let arn = facts.source.user.present().and_then(|user| user.boundary.clone()).unwrap_or_default();
    if let Some(place) = boundary.denies.first() {
        if needs_mfa(facts, place) {
            return Some(denies(facts, place, action));
        }
        let limits = limits(facts, place);
        let what = format!("{} of the {} denies {action}{limits}", place.numbered(), place.policy.words());
        let finding = Finding::new(Cause::BoundaryCuts, what).because(Evidence::denial(place));
        let escapes = escapes(facts, place, any);
        if !escapes.is_empty() {
            return Some(escapes.into_iter().fold(finding, Finding::fix));
        }
        // An empty boundary would allow nothing, and removing the boundary would allow everything.
        let rest = place.document_without().unwrap_or_else(|| grant(facts, action));
        let fix = Fix::by(Side::Source, facts)
            .step_do("if the denial is not meant for this role, remove the statement:")
            .replace(facts, &place.policy, Some(&rest));
        return Some(finding.fix(fix));
    }
    let what = format!("the permissions boundary of user {user} does not allow {action}, so the grant has no effect");
    let mut finding = Finding::new(Cause::BoundaryCuts, what);
    let nearest = boundary.nearest();
    finding = match nearest {
        Some((place, mismatches)) => finding.because(Evidence::mismatched(place, mismatches)),
        None => finding.fact(format!("the boundary policy {arn} does not exist, so the boundary allows nothing")),
    };
    // A boundary that allows the request under a condition stays as it is.
    if let Some(fix) = nearest.and_then(|(_, mismatches)| meet_all(facts, mismatches, any)) {
        return Some(finding.fix(fix));
    }
    let fix = Fix::by(Side::Source, facts);
    let fix = match nearest {
        Some((place, _)) => {
            let mut document = place.document.clone();
            document.statements.extend(grant(facts, action).statements);
            fix.replace(facts, &place.policy, Some(&document))
        }
        None => {
            fix.step_do(format!("recreate {arn} with a statement that allows sts:AssumeRole on {}", facts.link.role))
        }
    };
    Some(finding.fix(fix))
}

/// Returns the statements that a boundary needs for the grant to take effect.
fn grant(facts: &Facts, action: &str) -> PolicyDocument {
    let roles = [facts.link.role.clone()].into();
    let with_tags = if action == "sts:AssumeRole" { [].into() } else { [facts.link.role.clone()].into() };
    templates::grant(&roles, &with_tags)
}

fn lacks_action(facts: &Facts, grant: &Evaluation<'_>, action: &str) -> Option<Finding> {
    let (cause, what) = attribute::needing(action)?;
    let user = &facts.link.user;
    let what = format!("the request sends {what}, but no policy allows {action} for user {user}");
    let finding = Finding::new(cause, what).on(Side::Source);
    let evidence = grant.nearest().map(|(place, why)| Evidence::mismatched(place, why));
    Some(evidence.into_iter().fold(finding, Finding::because).fix(Fix::bootstrap(facts, BootstrapWith::SessionTags)))
}
