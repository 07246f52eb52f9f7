//! The target half of a link: the role and its trust policy.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::attribute;
use crate::diagnosis::checks::condition::{any, condition, depends, escapes, limits};
use crate::diagnosis::checks::grant::is_covered;
use crate::diagnosis::checks::mfa::{mfa_absent, needs_mfa};
use crate::diagnosis::checks::other_name::{RECREATED, named_otherwise};
use crate::diagnosis::denial::Denial;
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, Half, VerifyWith};
use crate::diagnosis::statement::StatementRef;
use crate::diagnosis::verdict::{Evaluation, Evaluations, Verdict};
use crate::iam::arn::{CallerArn, PrincipalRef, RoleArn};
use crate::iam::evaluate::Mismatch;
use crate::iam::policy::{Effect, account_principal, is_unique_id};
use crate::iam::state::{FoundDocument, Reading};

/// Returns why the role cannot be assumed.
pub fn refusals(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Finding> {
    let role = &facts.link.role;
    if let Some(finding) = other_account(facts) {
        return vec![finding];
    }
    match &facts.target.role {
        Reading::Absent => return vec![absent(facts)],
        Reading::Unreadable { .. } => return Vec::new(),
        // IAM shows the unique ID for a moment after the role was created.
        Reading::Present(found) if found.arn != role.to_string() && !is_unique_id(&found.arn) => {
            return vec![other_path(facts, &found.arn)];
        }
        Reading::Present(_) => {}
    }
    let mut findings = Vec::new();
    let denial = Denial::of_assume_role(facts);
    let mut before: Vec<&Evaluation<'_>> = Vec::new();
    for evaluation in &evaluations.assume {
        let Some(trust) = &evaluation.trust else { continue };
        let is_denied = before.iter().any(|before| before.verdict() == Verdict::Denied);
        match evaluation.action {
            "sts:AssumeRole" => findings.extend(of_trust(facts, trust)),
            // A denial of AssumeRole covers these as well, unless AWS names them.
            action if is_denied && denial.action != Some(action) => {}
            action if !is_covered(facts, &before, trust) => findings.extend(lacks_action(facts, trust, action)),
            _ => {}
        }
        before.push(trust);
    }
    // One fix that replaces the trust policy repairs all of it, and one that follows the old policy would contradict it.
    if findings.iter().any(|finding| finding.fixes.first().is_some_and(Fix::is_bootstrap)) {
        for finding in &mut findings {
            finding.fixes.sort_by_key(|fix| !fix.is_bootstrap());
        }
    }
    findings
}

/// Returns the finding for a file that names another account than that of the target operator, who sees the role.
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
            format!("the role is in account {found}, but {} names account {wanted}", facts.link.file),
        )
        .fact(format!("the target operator is {operator}, and that account has {meant}"))
        .fix(fix),
    )
}

/// Returns the role that is probably meant, if the file names it slightly wrong.
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
        let what = format!("the role is named {name}, not {}, and AssumeRole is case-sensitive", role.name);
        return Finding::new(Cause::RoleOtherCase, what)
            .fact(format!("the account has {twin}"))
            .fix(here.write(facts, "role", name).verify(facts, VerifyWith::Nothing));
    }
    Finding::new(Cause::RoleAbsent, format!("account {} has no role {}", role.account, role.name))
        .fact("iam:GetRole returned NoSuchEntity")
        .fix(Fix::bootstrap(Half::Target, facts, BootstrapWith::Nothing))
}

fn other_path(facts: &Facts, found: &str) -> Finding {
    let role = &facts.link.role;
    let path = found.split_once(":role").map_or("/", |(_, resource)| resource.trim_end_matches(role.name.as_str()));
    let what = format!("role {} has path {path}, not {}", role.name, role.path);
    let fix =
        Fix::by(Side::LocalConfiguration, facts).write(facts, "role_path", path).verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::RoleOtherPath, what).fact(format!("the role is {found}, but the request names {role}")).fix(fix)
}

/// Returns why the trust policy does not allow AssumeRole: what denies it, and why nothing allows it.
fn of_trust(facts: &Facts, trust: &Evaluation<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = trust.denies.iter().map(|place| denies(facts, place)).collect();
    let may_apply = trust.deciding(Effect::Allow).chain(trust.deciding(Effect::Deny));
    findings.extend(may_apply.map(|(place, keys)| depends(facts, place, keys)));
    if trust.lacks_allow() {
        match trust.nearest() {
            // The conditions of a statement about other principals do not matter to this user.
            Some((place, mismatches)) if mismatches.contains(&Mismatch::Principal) => {
                findings.push(mismatched(facts, place, &Mismatch::Principal));
            }
            Some((place, mismatches)) => {
                findings.extend(mismatches.iter().map(|mismatch| mismatched(facts, place, mismatch)));
            }
            None => {
                let what = format!("the trust policy of role {} has no Allow statement", facts.link.role.name);
                findings.push(Finding::new(Cause::TrustOtherAction, what).allow(facts, BootstrapWith::Nothing));
            }
        }
    }
    findings
}

fn denies(facts: &Facts, place: &StatementRef<'_>) -> Finding {
    let role = &facts.link.role.name;
    if needs_mfa(facts, place) {
        let what = format!("the trust policy of role {role} denies requests without MFA");
        return mfa_absent(facts, what).because(Evidence::of(place, place.marks_of_key("aws:multifactorauth")));
    }
    let limits = limits(facts, place);
    let what = format!("{} of the trust policy of role {role} denies sts:AssumeRole{limits}", place.numbered());
    let finding = Finding::new(Cause::TrustDenies, what).because(Evidence::denial(place));
    let escapes = escapes(facts, place, any);
    // A denial that the request can avoid is a guard, and stays.
    if !escapes.is_empty() {
        return escapes.into_iter().fold(finding, Finding::fix);
    }
    let declared = facts.link.trust_statements.as_ref().and_then(FoundDocument::policy);
    if declared.is_some_and(|declared| declared.contains(place.statement)) {
        let (file, statement) = (&facts.link.file, place.statement.sid.as_deref().map(|sid| format!(" ({sid})")));
        let remove = Fix::by(Side::LocalConfiguration, facts).step_do(format!(
            "the statement{} is in one of the trust_statement_files in {file}, so bootstrap keeps it: remove it there, or exempt user \
             {} from it, then:",
            statement.unwrap_or_default(),
            facts.link.label()
        ));
        return finding.fix(remove.also(Fix::bootstrap(Half::Target, facts, BootstrapWith::Nothing)));
    }
    finding.fix(Fix::bootstrap(Half::Target, facts, BootstrapWith::Nothing))
}

/// Returns the finding for one reason why the nearest statement does not apply.
fn mismatched(facts: &Facts, place: &StatementRef<'_>, mismatch: &Mismatch) -> Finding {
    let role = &facts.link.role.name;
    let finding = match mismatch {
        Mismatch::Principal => principal(facts, place),
        Mismatch::Action | Mismatch::Resource => {
            let what = format!("no statement of the trust policy of role {role} covers sts:AssumeRole");
            Finding::new(Cause::TrustOtherAction, what).allow(facts, BootstrapWith::Nothing)
        }
        Mismatch::Condition { operator, key, wanted, found } => {
            let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
            condition(facts, (operator, key), &wanted, found)
        }
        Mismatch::UnknownOperator { operator } => {
            let what =
                format!("the trust policy of role {role} has condition operator {operator}, which xacct does not know");
            Finding::new(Cause::TrustCondition, what).likely().allow(facts, BootstrapWith::Nothing)
        }
    };
    finding.because(Evidence::mismatched(place, std::slice::from_ref(mismatch)))
}

fn principal(facts: &Facts, place: &StatementRef<'_>) -> Finding {
    let (role, source) = (&facts.link.role.name, facts.source_account());
    let user = facts.source.user.present();
    let listed = place.listed_principals();
    let finding = if let Some(finding) = named_otherwise(facts, &listed) {
        finding
    } else if let Some(id) = listed.iter().find(|id| is_unique_id(id)) {
        let what = format!("the trust policy of role {role} names {id}, a deleted user or role");
        let finding = Finding::new(Cause::TrustDanglingPrincipal, what).fact(
            "IAM stores principals by unique ID: a recreated user or role has a new ID, and the policy does not trust it",
        );
        let present = user.map(|user| format!("{} has unique ID {}", facts.link.whose(), user.unique_id));
        let finding = present.into_iter().fold(finding, Finding::fact);
        match facts.link.of_link() {
            PrincipalRef::PermissionSet(_) => {
                Finding { cause: Cause::ReservedRoleRecreated, ..finding }.fact(RECREATED)
            }
            _ => finding,
        }
    } else if listed.is_empty() {
        let what = format!("the trust policy of role {role} trusts only services or identity providers");
        Finding::new(Cause::TrustOtherPrincipal, what)
    } else if listed.iter().any(|id| account_of(id).as_deref() == Some(source.as_str())) {
        let user = user.map_or_else(|| facts.link.whose(), |user| user.arn.clone());
        let what = format!("the trust policy of role {role} trusts {}, not {user}", listed.join(", "));
        Finding::new(Cause::TrustOtherPrincipal, what)
    } else {
        let what = format!("the trust policy of role {role} trusts {}, not account {source}", listed.join(", "));
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

/// Returns the finding for a role that may be assumed, but not with session tags or a source identity.
fn lacks_action(facts: &Facts, trust: &Evaluation<'_>, action: &str) -> Option<Finding> {
    if !trust.verdict().refuses() {
        return None;
    }
    let (cause, what) = attribute::needing(facts, action)?;
    let role = &facts.link.role.name;
    let what = format!("{what}, but the trust policy of role {role} does not allow {action}");
    let finding = attribute::explained(Finding::new(cause, what));
    let evidence = trust.denies.first().map(|place| Evidence::denial(place));
    let evidence = evidence.or_else(|| trust.nearest().map(|(place, why)| Evidence::mismatched(place, why)));
    let finding = evidence.into_iter().fold(finding, Finding::because);
    Some(match trust.verdict() {
        // Another Allow statement would not help.
        Verdict::Denied => finding.fix(Fix::bootstrap(Half::Target, facts, BootstrapWith::SessionTags)),
        _ => finding.allow(facts, BootstrapWith::SessionTags),
    })
    .map(|finding| attribute::or_without(facts, finding))
}
