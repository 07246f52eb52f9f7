//! The target's half: the role, and who may assume it.

use crate::diagnosis::checks::answer::{Tail, said};
use crate::diagnosis::checks::credentials::the_users_own_but;
use crate::diagnosis::facts::{Facts, LetThrough, Mfa};
use crate::diagnosis::fix::{Fix, is_foreign_role, profile_option};
use crate::diagnosis::statement::Place;
use crate::diagnosis::verdict::{self, Asked, Judged, Layers, Verdict};
use crate::diagnosis::{Cause, Certainty, Finding, Side};
use crate::iam::arn::{CallerArn, RoleArn};
use crate::iam::evaluate::Mismatch;
use crate::iam::names::ExternalId;
use crate::iam::policy::{Effect, Element, Principals, account_principal, is_unique_id};
use crate::iam::state::Reading;
use crate::iam::templates::{self, TrustTerms};
use crate::text::word;

/// Why the role refuses.
pub fn refusals(facts: &Facts, layers: &Layers<'_>) -> Vec<Finding> {
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
    for judgement in &layers.assume {
        let Some(trust) = &judgement.trust else { continue };
        match judgement.action {
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
    let fix = Fix::by(Side::LocalConfiguration, facts).write(facts, "account", found.as_str()).verify(facts, "");
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
            .fix(here.write(facts, "role", name).verify(facts, ""));
    }
    Finding::new(Cause::RoleAbsent, format!("account {} has no role {}", role.account, role.name))
        .fact("iam:GetRole answered NoSuchEntity")
        .fix(Fix::bootstrap(facts, ""))
}

fn other_path(facts: &Facts, found: &str) -> Finding {
    let role = &facts.link.role;
    let path = found.split_once(":role").map_or("/", |(_, resource)| resource.trim_end_matches(role.name.as_str()));
    let what = format!("role {} stands under path {path}, not {}", role.name, role.path);
    let fix = Fix::by(Side::LocalConfiguration, facts).write(facts, "role_path", path).verify(facts, "");
    Finding::new(Cause::RoleOtherPath, what).fact(format!("it is {found}, and {role} is asked for")).fix(fix)
}

/// What the trust policy itself has to say against AssumeRole: what denies it, and why nothing allows it.
fn of_trust(facts: &Facts, trust: &Judged<'_>) -> Vec<Finding> {
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
                findings.push(Finding::new(Cause::TrustOtherAction, what).allow(facts, ""));
            }
        }
    }
    findings
}

fn denies(facts: &Facts, place: &Place<'_>) -> Finding {
    let role = &facts.link.role.name;
    if needs_mfa(facts, place) {
        let what = format!("the trust policy of role {role} denies whoever comes without MFA");
        return mfa_absent(facts, what).because(place.evidence(marks_of_key(place, "aws:multifactorauth")));
    }
    let what = format!("{} of the trust policy of role {role} denies it", place.numbered());
    Finding::new(Cause::TrustDenies, what)
        .because(place.evidence(vec![vec!["Effect".to_owned()]]))
        .fix(converge(facts, ""))
}

/// Whether a denial would not apply to a request with MFA.
pub fn needs_mfa(facts: &Facts, place: &Place<'_>) -> bool {
    facts.caller.mfa == Mfa::Absent && !marks_of_key(place, "aws:multifactorauth").is_empty()
}

/// The places in a statement's conditions of keys that begin so.
pub fn marks_of_key(place: &Place<'_>, beginning: &str) -> Vec<Vec<String>> {
    let conditions = place.statement.condition.iter();
    let marks = conditions.flat_map(|(operator, keys)| {
        let keys = keys.keys().filter(|key| key.to_ascii_lowercase().starts_with(&beginning.to_ascii_lowercase()));
        keys.map(|key| vec!["Condition".to_owned(), operator.clone(), key.clone()])
    });
    marks.collect()
}

/// MFA is demanded, and the request had none.
pub fn mfa_absent(facts: &Facts, what: String) -> Finding {
    if facts.caller.is_session {
        return Finding::new(Cause::SessionWithoutMfa, what)
            .fact("MFA cannot be added to a session: the user's access key is needed, and a code")
            .fix(with_mfa_from_now_on(facts));
    }
    let finding = Finding::new(Cause::MfaAbsent, what);
    let fix = Fix::by(Side::Request, facts);
    let fix = if facts.link.require_mfa { fix } else { fix.write_value(facts, "require_mfa", "true") };
    finding.fix(fix.verify(facts, "--mfa-code CODE"))
}

/// Uses the user's access key and a code in the place of a session.
pub fn with_mfa_from_now_on(facts: &Facts) -> Fix {
    let demand = |fix: Fix| if facts.link.require_mfa { fix } else { fix.write_value(facts, "require_mfa", "true") };
    the_users_own_but(facts, "--mfa-code CODE", demand)
}

/// One reason for which the nearest statement does not apply.
fn mismatched(facts: &Facts, place: &Place<'_>, mismatch: &Mismatch) -> Finding {
    let finding = match mismatch {
        Mismatch::Principal => principal(facts, place),
        Mismatch::Action | Mismatch::Resource => {
            Finding::new(Cause::TrustOtherAction, "no statement of the trust policy speaks of sts:AssumeRole")
                .allow(facts, "")
        }
        Mismatch::Condition { operator, key, wanted, found } => {
            let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
            condition(facts, (operator, key), &wanted, found)
        }
        Mismatch::UnknownOperator { operator } => {
            let what = format!("the trust policy has a condition operator that xacct does not know: {operator}");
            Finding::new(Cause::TrustCondition, what).likely().allow(facts, "")
        }
    };
    finding.because(place.mismatched(std::slice::from_ref(mismatch)))
}

fn condition(facts: &Facts, (operator, key): (&str, &str), wanted: &[&str], found: &[String]) -> Finding {
    let listed = format!("`{}`", wanted.join("` or `"));
    if key.eq_ignore_ascii_case("sts:ExternalId") {
        let right = wanted.first().filter(|id| wanted.len() == 1 && id.parse::<ExternalId>().is_ok());
        let local = Fix::by(Side::LocalConfiguration, facts);
        let here = match right {
            Some(id) => local.write(facts, "external_id", id).verify(facts, ""),
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
        return if right.is_some() { finding.fix(here).allow(facts, "") } else { finding.allow(facts, "").fix(here) };
    }
    if key.to_ascii_lowercase().starts_with("aws:multifactorauth") {
        let what = format!("role {} demands MFA, and the credentials carry none", facts.link.role.name);
        return mfa_absent(facts, what);
    }
    let found = if found.is_empty() { "absent".to_owned() } else { format!("`{}`", found.join("`, `")) };
    let what = format!("the trust policy demands {operator} {key} {listed}, and it is {found}");
    meet(facts, key, wanted).into_iter().fold(Finding::new(Cause::TrustCondition, what).allow(facts, ""), Finding::fix)
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
            let user = word(facts.link.user.as_str());
            let tag = word(&format!("Key={tag},Value={value}"));
            let command =
                format!("aws iam tag-user{} --user-name {user} --tags {tag}", profile_option(&facts.source.operator));
            return Some(Fix::by(Side::Source, facts).run(command).verify(facts, ""));
        }
    };
    Some(Fix::by(Side::Request, facts).step_do(words))
}

/// A statement that applies or not by something that is not known here.
fn depends(facts: &Facts, place: &Place<'_>, keys: &[String]) -> Finding {
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let is_mfa = keys.iter().any(|key| key.to_ascii_lowercase().starts_with("aws:multifactorauth"));
    let marks = keys.iter().flat_map(|key| marks_of_key(place, key)).collect();
    let evidence = place.evidence(marks);
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
        return guarded(finding, facts, &listed, |finding| finding.fix(converge(facts, "")));
    }
    let what =
        format!("the trust policy allows it only depending on {listed}, and the request seems to have another value");
    let finding = Finding::new(Cause::TrustCondition, what).likely().because(evidence);
    let shown = keys.iter().filter_map(|key| shown_by(facts, key));
    guarded(shown.fold(finding, Finding::fact), facts, &listed, |finding| finding.allow(facts, ""))
}

/// A condition on a role that xacct made is drift, and goes; on another it may be a guard, and is met first.
fn guarded(finding: Finding, facts: &Facts, keys: &str, mend: impl Fn(Finding) -> Finding) -> Finding {
    if is_foreign_role(facts) { mend(finding.fix(met(facts, keys))) } else { mend(finding).fix(met(facts, keys)) }
}

/// Looks what the value is before a guard is taken away.
pub fn met(facts: &Facts, keys: &str) -> Fix {
    Fix::by(Side::Request, facts)
        .step_do(format!("see whether {keys} has the value that the statement demands, and ask from where it has:"))
        .verify(facts, "")
}

/// Where to see the value of a condition key that xacct cannot know.
pub fn shown_by(facts: &Facts, key: &str) -> Option<String> {
    let command = match key.to_ascii_lowercase().as_str() {
        "aws:principalorgid" => {
            let profile = profile_option(&facts.source.operator);
            format!("aws organizations describe-organization{profile} --query Organization.Id")
        }
        "aws:sourceip" => "curl https://checkip.amazonaws.com".to_owned(),
        _ => return None,
    };
    Some(format!("what {key} is: {command}"))
}

fn principal(facts: &Facts, place: &Place<'_>) -> Finding {
    let (role, source) = (&facts.link.role.name, crate::diagnosis::source_account(facts));
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
    finding.allow(facts, "")
}

fn account_of(principal: &str) -> Option<String> {
    let account = account_principal(principal).map(|account| account.to_string());
    account
        .or_else(|| CallerArn::parse(principal).account().map(ToString::to_string))
        .or_else(|| principal.split(':').nth(4).filter(|account| !account.is_empty()).map(str::to_owned))
}

/// The role may be assumed, but not with tags or a source identity.
fn lacks_action(facts: &Facts, trust: &Judged<'_>, action: &str) -> Option<Finding> {
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
    let evidence = trust.denies.first().map(|place| place.evidence(vec![vec!["Effect".to_owned()]]));
    let evidence = evidence.or_else(|| trust.nearest().map(|(place, why)| place.mismatched(why)));
    let finding = evidence.into_iter().fold(finding, Finding::because);
    let options = "--allow-session-tags";
    Some(match trust.verdict() {
        // One more statement that allows is of no use.
        Verdict::Denied => finding.fix(converge(facts, options)),
        _ => finding.allow(facts, options),
    })
}

/// AWS names the trust policy, and it could not be read or seems to allow it.
fn from_tail(facts: &Facts) -> Option<Finding> {
    let crate::diagnosis::facts::Answer::Refused(answer) = &facts.answer else { return None };
    if Tail::of(answer.message.as_deref()?) != Some(Tail::Trust) {
        return None;
    }
    let what = format!("the trust policy of role {} refuses it", facts.link.role.name);
    Some(said(Finding::new(Cause::TrustDenies, what), answer).fix(converge(facts, "")))
}

/// Brings the role back to what the file says.
fn converge(facts: &Facts, options: &str) -> Fix {
    Fix::bootstrap(facts, options)
}

impl Finding {
    /// Brings the trust policy back to what the file says. The policy of a role that xacct did not make better gets
    /// one more statement, so that it stays what it is to others.
    fn allow(self, facts: &Facts, options: &str) -> Self {
        let Some(source) = facts.link.source_account.clone().filter(|_| is_foreign_role(facts)) else {
            return self.fix(converge(facts, options));
        };
        let user = facts.source.user.present().and_then(|user| user.arn.parse().ok());
        let terms = TrustTerms {
            partition: facts.link.role.partition,
            source,
            external_id: facts.link.external_id.clone(),
            require_mfa: facts.link.require_mfa,
            only_user: user.filter(|_| facts.link.restrict_to_user),
            session_tags: !options.is_empty(),
        };
        let document = templates::trust(&terms).to_value();
        let statements = document.get("Statement").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let into = format!("the trust policy of role {}", facts.link.role.name);
        let add = statements.into_iter().fold(Fix::by(Side::Target, facts), |fix, it| fix.put(into.clone(), it));
        self.fix(add.verify(facts, "")).fix(converge(facts, options))
    }
}

/// What the role lets through that it must refuse.
pub fn too_open(facts: &Facts) -> Vec<Finding> {
    let is_read = facts.target.role.present().is_some();
    let open = |without: LetThrough, change: &dyn Fn(&mut Facts)| {
        let seen = facts.let_through.contains(&without);
        let mut other = facts.clone();
        change(&mut other);
        let asked: Asked = verdict::asked(&other, "sts:AssumeRole");
        // What the user's own policies refuse, the role is not asked for.
        let is_asked_for = !verdict::grant(facts, &asked).verdict().refuses();
        let trust = verdict::trust(facts, &asked).filter(|trust| is_asked_for && trust.verdict() == Verdict::Allowed);
        let allows = trust.and_then(|trust| trust.allows.first().cloned());
        (allows.is_some() || seen && !is_read).then_some(allows)
    };
    let mut findings = Vec::new();
    let role = &facts.link.role.name;
    if let Some(id) = &facts.link.external_id {
        let without = open(LetThrough::WithoutExternalId, &|facts| facts.request.external_id = None);
        let wrong = open(LetThrough::WithWrongExternalId, &|facts| {
            facts.request.external_id = Some(format!("wrong-{id}"));
        });
        let finding = match (without, wrong) {
            (Some(place), _) => {
                let what = format!("role {role} asks for no external ID, though the link has one");
                Some((Cause::ExternalIdNotDemanded, what, place))
            }
            (None, Some(place)) => {
                let what = format!("role {role} takes other external IDs than `{id}`");
                Some((Cause::ExternalIdPattern, what, place))
            }
            (None, None) => None,
        };
        findings.extend(finding.map(|(cause, what, place)| {
            let marked = |place: Place<'_>| place.evidence(marks_of_key(&place, "sts:ExternalId"));
            place.map(marked).into_iter().fold(Finding::new(cause, what), Finding::because).fix(converge(facts, ""))
        }));
    }
    let without_mfa = open(LetThrough::WithoutMfa, &|facts| {
        facts.caller.mfa = Mfa::Absent;
        facts.caller.is_session = false;
    });
    if let Some(place) = without_mfa {
        let marks = place.as_ref().map(|place| marks_of_key(place, "aws:multifactorauth")).unwrap_or_default();
        let finding =
            if !marks.is_empty() {
                let what =
                    format!("role {role} lets in access keys without MFA: its condition holds where the key is absent");
                Some(Finding::new(Cause::MfaIfExists, what).fact(
                    "aws:MultiFactorAuthPresent is absent for access keys, and …IfExists holds then; Bool does not",
                ))
            } else if facts.link.require_mfa {
                Some(Finding::new(
                    Cause::MfaNotDemanded,
                    format!("role {role} asks for no MFA, though the link demands it"),
                ))
            } else {
                None
            };
        let evidence = place.map(|place| place.evidence(marks));
        findings.extend(finding.map(|finding| {
            let finding = evidence.into_iter().fold(finding, Finding::because);
            debug_assert_eq!(finding.certainty, Certainty::Certain);
            finding.fix(converge(facts, ""))
        }));
    }
    findings
}
