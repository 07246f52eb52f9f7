//! The target's half: the role, and who may assume it.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::condition::{condition, depends};
use crate::diagnosis::checks::mfa::{mfa_absent, needs_mfa};
use crate::diagnosis::denial::DeniedBy;
use crate::diagnosis::facts::{Answer, Facts};
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, VerifyWith};
use crate::diagnosis::statement::StatementRef;
use crate::diagnosis::verdict::{Evaluation, Evaluations, Verdict};
use crate::iam::arn::{CallerArn, RoleArn};
use crate::iam::evaluate::Mismatch;
use crate::iam::policy::{Effect, Element, Principals, account_principal, is_unique_id};
use crate::iam::state::Reading;

/// Why the role refuses.
pub fn refusals(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Finding> {
    let role = &facts.link.role;
    if let Some(finding) = other_account(facts) {
        return vec![finding];
    }
    match &facts.target.role {
        Reading::Absent => return vec![absent(facts)],
        Reading::Unreadable { .. } => return from_tail(facts).into_iter().collect(),
        Reading::Present(found) if found.arn != role.to_string() => return vec![other_path(facts, &found.arn)],
        Reading::Present(_) => {}
    }
    let mut findings = Vec::new();
    let mut assume_refused = false;
    for evaluation in &evaluations.assume {
        let Some(trust) = &evaluation.trust else { continue };
        match evaluation.action {
            "sts:AssumeRole" => {
                assume_refused = trust.verdict().refuses();
                findings.extend(of_trust(facts, trust));
            }
            // What refuses the role itself refuses these as well.
            _ if assume_refused => {}
            action => findings.extend(lacks_action(facts, trust, action)),
        }
    }
    if findings.is_empty() { from_tail(facts).into_iter().collect() } else { findings }
}

/// The operator's credentials are of another account than the role's ARN.
fn other_account(facts: &Facts) -> Option<Finding> {
    let operator = facts.target.operator.identity.present()?;
    let (found, wanted) = (operator.account()?, &facts.link.role.account);
    if found == wanted {
        return None;
    }
    let meant = facts.target.look_alikes.first()?;
    let fix = Fix::by(Side::LocalConfiguration, facts)
        .write(facts, "account", found.as_str())
        .verify(facts, VerifyWith::Nothing);
    Some(
        Finding::new(
            Cause::WrongAccount,
            format!("the role is in account {found}, and {} says {wanted}", facts.link.file),
        )
        .fact(format!("the operator of the target is {operator}, and {meant} is there"))
        .fix(fix),
    )
}

/// The role that is meant, where the file names it not quite right.
pub fn meant(facts: &Facts) -> Option<RoleArn> {
    let found = match &facts.target.role {
        Reading::Present(found) => &found.arn,
        _ => facts.target.look_alikes.first()?,
    };
    found.parse().ok().filter(|found| *found != facts.link.role)
}

fn absent(facts: &Facts) -> Finding {
    let role = &facts.link.role;
    let here = Fix::by(Side::LocalConfiguration, facts);
    if let Some(twin) = facts.target.look_alikes.first() {
        let name = twin.rsplit('/').next().unwrap_or(twin);
        let what = format!("the role is called {name}, not {}: capitals count in AssumeRole", role.name);
        return Finding::new(Cause::RoleOtherCase, what)
            .fact(format!("the account has {twin}"))
            .fix(here.write(facts, "role", name).verify(facts, VerifyWith::Nothing));
    }
    Finding::new(Cause::RoleAbsent, format!("account {} has no role {}", role.account, role.name))
        .fact("iam:GetRole answered NoSuchEntity")
        .fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
}

fn other_path(facts: &Facts, found: &str) -> Finding {
    let role = &facts.link.role;
    let path = found.split_once(":role").map_or("/", |(_, resource)| resource.trim_end_matches(role.name.as_str()));
    let what = format!("role {} stands under path {path}, not {}", role.name, role.path);
    let fix =
        Fix::by(Side::LocalConfiguration, facts).write(facts, "role_path", path).verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::RoleOtherPath, what).fact(format!("it is {found}, and {role} is asked for")).fix(fix)
}

/// What the trust policy itself has to say against AssumeRole: what denies it, and why nothing allows it.
fn of_trust(facts: &Facts, trust: &Evaluation<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = trust.denies.iter().map(|place| denies(facts, place)).collect();
    let may_apply = trust.deciding(Effect::Allow).chain(trust.deciding(Effect::Deny));
    findings.extend(may_apply.map(|(place, keys)| depends(facts, place, keys)));
    if trust.allows.is_empty() && trust.deciding(Effect::Allow).next().is_none() && trust.is_whole() {
        match trust.nearest() {
            // What it demands of others is nothing to this user.
            Some((place, mismatches)) if mismatches.contains(&Mismatch::Principal) => {
                findings.push(mismatched(facts, place, &Mismatch::Principal));
            }
            Some((place, mismatches)) => {
                findings.extend(mismatches.iter().map(|mismatch| mismatched(facts, place, mismatch)));
            }
            None => {
                let what = "the trust policy has no statement that allows anything";
                findings.push(Finding::new(Cause::TrustOtherAction, what).allow(facts, BootstrapWith::Nothing));
            }
        }
    }
    findings
}

fn denies(facts: &Facts, place: &StatementRef<'_>) -> Finding {
    let role = &facts.link.role.name;
    if needs_mfa(facts, place) {
        let what = format!("the trust policy of role {role} denies whoever comes without MFA");
        return mfa_absent(facts, what).because(Evidence::of(place, place.marks_of_key("aws:multifactorauth")));
    }
    let what = format!("{} of the trust policy of role {role} denies it", place.numbered());
    Finding::new(Cause::TrustDenies, what)
        .because(Evidence::denial(place))
        .fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
}

/// One reason for which the nearest statement does not apply.
fn mismatched(facts: &Facts, place: &StatementRef<'_>, mismatch: &Mismatch) -> Finding {
    let finding = match mismatch {
        Mismatch::Principal => principal(facts, place),
        Mismatch::Action | Mismatch::Resource => {
            Finding::new(Cause::TrustOtherAction, "no statement of the trust policy speaks of sts:AssumeRole")
                .allow(facts, BootstrapWith::Nothing)
        }
        Mismatch::Condition { operator, key, wanted, found } => {
            let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
            condition(facts, (operator, key), &wanted, found)
        }
        Mismatch::UnknownOperator { operator } => {
            let what = format!("the trust policy has a condition operator that xacct does not know: {operator}");
            Finding::new(Cause::TrustCondition, what).likely().allow(facts, BootstrapWith::Nothing)
        }
    };
    finding.because(Evidence::mismatched(place, std::slice::from_ref(mismatch)))
}

fn principal(facts: &Facts, place: &StatementRef<'_>) -> Finding {
    let (role, source) = (&facts.link.role.name, facts.source_account());
    let user = facts.source.user.present();
    let listed: Vec<&str> = match &place.statement.principal {
        Some(Element::Is(Principals::Listed(kinds))) => {
            kinds.get("AWS").into_iter().flatten().map(String::as_str).collect()
        }
        _ => Vec::new(),
    };
    let finding = if let Some(id) = listed.iter().find(|id| is_unique_id(id)) {
        let what = format!("the trust policy of role {role} names {id}, a user or role that was deleted");
        let finding = Finding::new(Cause::TrustDanglingPrincipal, what).fact(
            "IAM keeps principals by unique ID: one made again under the same name has another, and is not let in",
        );
        let present = user.map(|user| format!("user {} is {}", facts.link.user, user.unique_id));
        present.into_iter().fold(finding, Finding::fact)
    } else if listed.is_empty() {
        let what = format!("the trust policy of role {role} lets in services or identity providers only");
        Finding::new(Cause::TrustOtherPrincipal, what)
    } else if listed.iter().any(|id| account_of(id).as_deref() == Some(source.as_str())) {
        let user = user.map_or_else(|| format!("user {}", facts.link.user), |user| user.arn.clone());
        let what = format!("the trust policy of role {role} admits {}, not {user}", listed.join(", "));
        Finding::new(Cause::TrustOtherPrincipal, what)
    } else {
        let what = format!("the trust policy of role {role} admits {}, not account {source}", listed.join(", "));
        Finding::new(Cause::TrustOtherAccount, what)
    };
    finding.allow(facts, BootstrapWith::Nothing)
}

fn account_of(principal: &str) -> Option<String> {
    let account = account_principal(principal).map(|account| account.to_string());
    account
        .or_else(|| CallerArn::parse(principal).account().map(ToString::to_string))
        .or_else(|| principal.split(':').nth(4).filter(|account| !account.is_empty()).map(str::to_owned))
}

/// The role may be assumed, but not with tags or a source identity.
fn lacks_action(facts: &Facts, trust: &Evaluation<'_>, action: &str) -> Option<Finding> {
    if !trust.verdict().refuses() {
        return None;
    }
    let (cause, what) = if action == "sts:TagSession" {
        (Cause::SessionTagsNotAllowed, "session tags were sent")
    } else {
        (Cause::SourceIdentityNotAllowed, "a source identity was sent")
    };
    let role = &facts.link.role.name;
    let finding = Finding::new(cause, format!("{what}, and the trust policy of role {role} does not allow {action}"));
    let evidence = trust.denies.first().map(|place| Evidence::denial(place));
    let evidence = evidence.or_else(|| trust.nearest().map(|(place, why)| Evidence::mismatched(place, why)));
    let finding = evidence.into_iter().fold(finding, Finding::because);
    Some(match trust.verdict() {
        // One more statement that allows is of no use.
        Verdict::Denied => finding.fix(Fix::bootstrap(facts, BootstrapWith::SessionTags)),
        _ => finding.allow(facts, BootstrapWith::SessionTags),
    })
}

/// AWS names the trust policy, and it could not be read or seems to allow it.
fn from_tail(facts: &Facts) -> Option<Finding> {
    let Answer::Refused(answer) = &facts.answer else { return None };
    if DeniedBy::of(answer.message.as_deref()?) != Some(DeniedBy::Trust) {
        return None;
    }
    let what = format!("the trust policy of role {} refuses it", facts.link.role.name);
    Some(Finding::new(Cause::TrustDenies, what).said(answer).fix(Fix::bootstrap(facts, BootstrapWith::Nothing)))
}
