//! The source's half: the user, and what it may do.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::condition::{met, shown_by};
use crate::diagnosis::checks::mfa::{mfa_absent, needs_mfa};
use crate::diagnosis::denial::DeniedBy;
use crate::diagnosis::facts::{Answer, Facts};
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, VerifyWith, is_of_aws};
use crate::diagnosis::statement::{Attachment, Identity, StatementRef};
use crate::diagnosis::verdict::{Evaluation, Evaluations, Verdict};
use crate::iam::arn::CallerArn;
use crate::iam::evaluate::Mismatch;
use crate::iam::policy::{Effect, PolicyDocument};
use crate::iam::state::Reading;
use crate::iam::templates;

/// Why the user may not ask for the role.
pub fn refusals(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Finding> {
    if facts.source.user == Reading::Absent {
        return vec![user_absent(facts)];
    }
    let mut findings = Vec::new();
    let mut assume_refused = false;
    for evaluation in &evaluations.assume {
        let action = evaluation.action;
        if action != "sts:AssumeRole" && assume_refused {
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
    if findings.is_empty() { from_tail(facts).into_iter().collect() } else { findings }
}

fn user_absent(facts: &Facts) -> Finding {
    let (user, account, file) = (&facts.link.user, facts.source_account(), &facts.link.file);
    let finding = Finding::new(Cause::UserAbsent, format!("account {account} has no user {user}"));
    let make = Fix::by(Side::Source, facts)
        .step_do(format!("make user {user}, or name the right one in {file}: user = \"NAME\" below [source]"));
    // Who has credentials of that account is likely to be meant.
    let asked =
        facts.caller.identity.present().filter(|asked| asked.account().map(ToString::to_string) == Some(account));
    match asked.and_then(CallerArn::user) {
        Some(asked) => {
            let named = Fix::by(Side::LocalConfiguration, facts).write_source(facts, "user", asked.name.as_str());
            let whose = format!("the credentials ({}) are those of user {}", facts.caller.origin, asked.name);
            finding.fact(whose).fix(named.verify(facts, VerifyWith::Nothing)).fix(make)
        }
        None => finding.fix(make),
    }
}

fn is_named_directly(facts: &Facts, trust: Option<&Evaluation<'_>>) -> bool {
    let is_one_account = facts.link.source_account.as_ref() == Some(&facts.link.role.account);
    let user = facts.source.user.present().map(|user| user.arn.as_str());
    let names = |place: &StatementRef<'_>| {
        let principal = place.statement.to_value();
        user.is_some_and(|user| principal.get("Principal").is_some_and(|named| named.to_string().contains(user)))
    };
    is_one_account && trust.is_some_and(|trust| trust.allows.iter().any(names))
}

fn of_grant(facts: &Facts, grant: &Evaluation<'_>, action: &str) -> Vec<Finding> {
    match grant.verdict() {
        Verdict::Denied => grant.denies.iter().map(|place| denies(facts, place, action)).collect(),
        Verdict::NotAllowed if action != "sts:AssumeRole" => vec![lacks_action(facts, grant, action)],
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
    let looked_at = grant.misses.len();
    let what = format!("user {user} has no grant: nothing allows sts:AssumeRole on {role}");
    let fact = match looked_at {
        0 => format!("user {user} has no policies, nor have its groups"),
        _ => format!("none of the {looked_at} statements in its policies and those of its groups speaks of it"),
    };
    Finding::new(Cause::GrantAbsent, what).fact(fact).fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
}

fn mismatched(facts: &Facts, place: &StatementRef<'_>, mismatch: &Mismatch) -> Finding {
    let (user, role) = (&facts.link.user, &facts.link.role);
    let finding = match mismatch {
        Mismatch::Condition { key, .. } if key.to_ascii_lowercase().starts_with("aws:multifactorauth") => {
            let what = format!("the grant of user {user} demands MFA, and the credentials carry none");
            mfa_absent(facts, what).on(Side::Source)
        }
        Mismatch::Condition { operator, key, wanted, found } => {
            let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
            let found = if found.is_empty() { "absent".to_owned() } else { format!("`{}`", found.join("`, `")) };
            let what = format!("the grant demands {operator} {key} `{}`, and it is {found}", wanted.join("` or `"));
            Finding::new(Cause::GrantCondition, what).fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
        }
        _ => {
            let what = format!("user {user} may assume other roles, not {role}");
            Finding::new(Cause::GrantOtherArn, what)
                .fact(format!("the grant stands in the {}", place.policy.words()))
                .fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
        }
    };
    finding.because(Evidence::mismatched(place, std::slice::from_ref(mismatch)))
}

fn depends(facts: &Facts, place: &StatementRef<'_>, keys: &[String]) -> Finding {
    let marks = keys.iter().flat_map(|key| place.marks_of_key(key)).collect();
    let listed = keys.join(", ");
    let evidence = Evidence::of(place, marks);
    if keys.iter().any(|key| key.to_ascii_lowercase().starts_with("aws:multifactorauth")) {
        let what = format!("the {} demands MFA, and the credentials may lack it", place.policy.words());
        return Finding { evidence: vec![evidence], ..mfa_absent(facts, what) }.on(Side::Source).likely();
    }
    let finding = if place.statement.effect == Effect::Deny {
        let what = format!("the {} may deny it, depending on {listed}", place.policy.words());
        Finding::new(Cause::SourceDenies, what).fix(met(facts, &listed)).fix(spare(facts, place))
    } else {
        let what = format!("the {} allows it only depending on {listed}", place.policy.words());
        let finding =
            Finding::new(Cause::GrantCondition, format!("{what}, and the request seems to have another value"));
        // A condition on the grant that xacct wrote is drift, and goes; on another it may be a guard, and is met first.
        let (mend, meet) = (Fix::bootstrap(facts, BootstrapWith::Nothing), met(facts, &listed));
        let is_own = place.policy.attachment == Attachment::Inline(templates::GRANT_POLICY.to_owned());
        if is_own { finding.fix(mend).fix(meet) } else { finding.fix(meet).fix(mend) }
    };
    keys.iter().filter_map(|key| shown_by(facts, key)).fold(finding.likely().because(evidence), Finding::fact)
}

/// Spares the role from a denial, or takes the denial away; who else it binds is said.
fn spare(facts: &Facts, place: &StatementRef<'_>) -> Fix {
    let is_of_aws = matches!(&place.policy.attachment, Attachment::Attached(arn) if is_of_aws(arn));
    let also = match (&place.policy.identity, &place.policy.attachment) {
        (_, Attachment::Attached(_)) if is_of_aws => " (it is AWS's: detaching it lets go of all it denies)",
        (_, Attachment::Attached(_)) => {
            " (it binds everyone it is attached to; IAM keeps five versions, so an old one may have to be deleted first)"
        }
        (Identity::Group(_), _) => " (it binds every user of the group)",
        _ => "",
    };
    let fix = Fix::by(Side::Source, facts);
    match place.document_sparing(&facts.link.role.to_string()) {
        Some(sparing) if !is_of_aws => fix
            .step_do(format!("if the denial is not meant for this role, spare the role{also}:"))
            .replace(facts, &place.policy, Some(&sparing)),
        _ => fix.step_do(format!("if the denial is not meant for this role, take the statement out{also}:")).replace(
            facts,
            &place.policy,
            place.document_without().as_ref(),
        ),
    }
}

fn denies(facts: &Facts, place: &StatementRef<'_>, action: &str) -> Finding {
    if needs_mfa(facts, place) {
        let what = format!("the {} denies whatever is asked without MFA", place.policy.words());
        return mfa_absent(facts, what)
            .on(Side::Source)
            .because(Evidence::of(place, place.marks_of_key("aws:multifactorauth")));
    }
    let what = format!("{} of the {} denies {action}", place.numbered(), place.policy.words());
    let evidence = Evidence::denial(place);
    Finding::new(Cause::SourceDenies, what).because(evidence).fix(spare(facts, place))
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
        let what = format!("{} of the {} denies {action}", place.numbered(), place.policy.words());
        // A boundary of which nothing is left allows nothing, and one that is taken away lets everything through.
        let rest = place.document_without().unwrap_or_else(|| grant(facts, action));
        let fix = Fix::by(Side::Source, facts)
            .step_do("if the denial is not meant for this role, take the statement out:")
            .replace(facts, &place.policy, Some(&rest));
        let evidence = Evidence::denial(place);
        return Some(Finding::new(Cause::BoundaryCuts, what).because(evidence).fix(fix));
    }
    let what = format!("the permissions boundary of user {user} does not allow {action}: it cuts the grant");
    let mut finding = Finding::new(Cause::BoundaryCuts, what);
    let nearest = boundary.nearest();
    finding = match nearest {
        Some((place, mismatches)) => finding.because(Evidence::mismatched(place, mismatches)),
        None => finding.fact(format!("the boundary is {arn}, and there is no such policy: nothing gets through it")),
    };
    let fix = Fix::by(Side::Source, facts);
    let fix = match nearest {
        Some((place, _)) => {
            let mut document = place.document.clone();
            document.statements.extend(grant(facts, action).statements);
            fix.replace(facts, &place.policy, Some(&document))
        }
        None => fix.step_do(format!("make {arn} again, with sts:AssumeRole on {} in it", facts.link.role)),
    };
    Some(finding.fix(fix))
}

/// What a boundary lacks, so that the grant gets through.
fn grant(facts: &Facts, action: &str) -> PolicyDocument {
    let roles = [facts.link.role.clone()].into();
    let with_tags = if action == "sts:AssumeRole" { [].into() } else { [facts.link.role.clone()].into() };
    templates::grant(&roles, &with_tags)
}

fn lacks_action(facts: &Facts, grant: &Evaluation<'_>, action: &str) -> Finding {
    let (cause, what) = if action == "sts:TagSession" {
        (Cause::SessionTagsNotAllowed, "session tags were sent")
    } else {
        (Cause::SourceIdentityNotAllowed, "a source identity was sent")
    };
    let user = &facts.link.user;
    let finding = Finding::new(cause, format!("{what}, and nothing allows {action} to user {user}")).on(Side::Source);
    let evidence = grant.nearest().map(|(place, why)| Evidence::mismatched(place, why));
    evidence.into_iter().fold(finding, Finding::because).fix(Fix::bootstrap(facts, BootstrapWith::SessionTags))
}

/// AWS names the user's policies, and they could not be read or seem to allow it.
fn from_tail(facts: &Facts) -> Option<Finding> {
    let Answer::Refused(answer) = &facts.answer else { return None };
    let message = answer.message.as_deref()?;
    let (user, role) = (&facts.link.user, &facts.link.role);
    let by_hand = |words: String| Fix::by(Side::Source, facts).step_do(words);
    let (cause, what, fix) = match DeniedBy::of(message)? {
        DeniedBy::Identity if message.contains("explicit deny") => {
            let what = format!("a policy of user {user}, or of a group that it is in, denies it");
            let fix = format!("find the statement that denies sts:AssumeRole on {role}, and take it out");
            (Cause::SourceDenies, what, by_hand(fix))
        }
        DeniedBy::Identity => (
            Cause::GrantAbsent,
            format!("no policy allows it to user {user}"),
            Fix::bootstrap(facts, BootstrapWith::Nothing),
        ),
        DeniedBy::Boundary => {
            let what = format!("the permissions boundary of user {user} does not let it through");
            (Cause::BoundaryCuts, what, by_hand(format!("let the boundary allow sts:AssumeRole on {role}")))
        }
        _ => return None,
    };
    Some(Finding::new(cause, what).said(answer).fix(fix))
}
