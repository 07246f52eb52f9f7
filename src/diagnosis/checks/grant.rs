//! The source half of a link: the user and its permissions.

use std::collections::BTreeSet;

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::checks::attribute;
use crate::diagnosis::checks::condition::{any, escapes, found_words, limits, meet, meet_all, met, shown_by};
use crate::diagnosis::checks::denials::{self, Denials};
use crate::diagnosis::checks::mfa::{mfa_absent, needs_mfa};
use crate::diagnosis::checks::named::quarantined;
use crate::diagnosis::denial::{Denial, is_quarantine};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, Half, VerifyWith, aws, is_of_aws};
use crate::diagnosis::statement::{Attachment, Identity, StatementRef, document_sparing, document_without};
use crate::diagnosis::verdict::{ActionEvaluation, Evaluation, Evaluations};
use crate::iam::arn::{CallerArn, PrincipalRef, RoleArn, RolePattern};
use crate::iam::evaluate::Mismatch;
use crate::iam::grant_names::GRANT_PATH;
use crate::iam::organization_grant::ORGANIZATION_KEY;
use crate::iam::permission_set::INLINE_POLICY;
use crate::iam::policy::{Effect, Element, PolicyDocument};
use crate::iam::state::{FoundDocument, Reading};
use crate::iam::templates;
use crate::text::shell::ShellCommand;

/// Returns why the user may not assume the role.
pub fn refusals(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Finding> {
    if facts.source.user == Reading::Absent {
        return vec![user_absent(facts)];
    }
    let assume = || evaluations.assume.iter();
    let mut findings = denials(facts, assume().map(|it| &it.grant), of_grant_denial);
    if let Some(group) = lacking_group(facts).filter(|_| assume().any(|it| it.grant.lacks_allow())) {
        findings.push(not_in_group(facts, group));
        return findings;
    }
    // Within one account a trust policy that names the user is enough (STS API reference, AssumeRole).
    let is_enough = |it: &ActionEvaluation<'_>| is_named_directly(facts, it.trust.as_ref());
    let mut allowing = Vec::new();
    for evaluation in assume() {
        let (grant, action) = (&evaluation.grant, evaluation.action);
        let is_needless = grant.lacks_allow() && is_enough(evaluation);
        if !is_needless && !is_covered(facts, &allowing, grant) {
            findings.extend(of_grant(facts, grant, action));
        }
        allowing.push(grant);
    }
    let boundaries = || assume().filter_map(|it| it.boundary.as_ref());
    findings.extend(denials(facts, boundaries(), |facts, denials| of_boundary_denial(facts, denials, evaluations)));
    // Nor does a boundary limit what a policy grants the user directly (IAM User Guide, permissions boundaries).
    let mut lacking = assume().filter(|it| !is_enough(it)).filter_map(|it| it.boundary.as_ref());
    findings.extend(lacking.find(|it| it.lacks_allow()).map(|it| lacks_allow(facts, it, evaluations)));
    findings
}

/// Returns whether the fix for an action before this one allows this one as well: nothing covers it for the same reason.
pub fn is_covered(facts: &Facts, before: &[&Evaluation<'_>], evaluation: &Evaluation<'_>) -> bool {
    let is_named = Denial::of_assume_role(facts).action.is_some_and(|action| action == evaluation.action);
    let lacks_action = evaluation.nearest().is_none_or(|(_, mismatches)| mismatches.contains(&Mismatch::Action));
    !is_named && !lacks_action && before.iter().any(|before| before.lacks_allow())
}

/// Returns the findings for the statements that deny. Those that the request can avoid are guards, and stay: each has a
/// finding of its own. All others of one policy have one finding, by `plain`.
fn denials<'e, 'a: 'e>(
    facts: &Facts,
    evaluations: impl Iterator<Item = &'e Evaluation<'a>> + Clone,
    plain: impl Fn(&Facts, &Denials<'_, '_>) -> Finding,
) -> Vec<Finding> {
    let groups = denials::by_policy(evaluations.clone(), |place| !is_guard(facts, place));
    let mut groups: Vec<_> = groups.into_iter().map(Some).collect();
    let mut findings = Vec::new();
    let mut guards: Vec<&StatementRef<'_>> = Vec::new();
    for evaluation in evaluations {
        for place in &evaluation.denies {
            if is_guard(facts, place) {
                let is_known = |known: &&StatementRef<'_>| known.policy == place.policy && known.number == place.number;
                if !guards.iter().any(is_known) {
                    guards.push(place);
                    findings.push(guarded(facts, place, &evaluation.action));
                }
            } else if let Some(group) =
                groups.iter_mut().find(|group| group.as_ref().is_some_and(|it| it.place.policy == place.policy))
            {
                findings.extend(group.take().map(|group| plain(facts, &group)));
            }
        }
    }
    findings
}

fn is_guard(facts: &Facts, place: &StatementRef<'_>) -> bool {
    needs_mfa(facts, place) || !escapes(facts, place, any).is_empty()
}

/// Returns what is wrong although AWS accepted the request: another grant than that of the group opened the session.
pub fn of_accepted(facts: &Facts) -> Option<Finding> {
    lacking_group(facts).map(|group| not_in_group(facts, group))
}

/// Returns the group with the grant, if the user is certainly not a member of it.
fn lacking_group(facts: &Facts) -> Option<&str> {
    let group = match &facts.link.through {
        Some(group @ PrincipalRef::Group(_)) => group.name(),
        _ => return None,
    };
    let groups = facts.source.groups.present()?;
    (!groups.contains_key(group)).then_some(group)
}

fn not_in_group(facts: &Facts, group: &str) -> Finding {
    let user = facts.link.principal.name();
    let add = aws(&facts.source.operator, "iam", "add-user-to-group")
        .option("--group-name", group)
        .option("--user-name", user);
    let what = format!("user {user} is not a member of group {group}, which has the grant");
    let fix = Fix::by(Side::Source, facts).run(add).verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::NotInGroup, what).fix(fix)
}

fn user_absent(facts: &Facts) -> Finding {
    let (user, account, file) = (facts.link.whose(), facts.source_account(), &facts.link.file);
    let finding = Finding::new(Cause::UserAbsent, format!("account {account} has no {user}"));
    let is_the_user = facts.link.of_link().user().is_some() && facts.link.other_principals.is_empty();
    let correct = match (facts.is_evaluated(), is_the_user) {
        (true, _) => "the name: --as KIND/NAME".to_owned(),
        (_, true) => format!("the name in {file}: user = \"NAME\" under [source]"),
        (_, false) => format!("its name in `principals` in {file}"),
    };
    let create = Fix::by(Side::Source, facts).step_do(format!("create {user}, or correct {correct}"));
    // The user whose credentials are used is likely the one meant.
    let asked =
        facts.caller.identity.present().filter(|asked| asked.account().map(ToString::to_string) == Some(account));
    match asked.and_then(CallerArn::user).filter(|_| is_the_user && !facts.is_evaluated()) {
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

/// Returns why the policies do not allow the action, whether or not one of them denies it.
fn of_grant(facts: &Facts, grant: &Evaluation<'_>, action: &str) -> Vec<Finding> {
    if !grant.lacks_allow() {
        let may_apply = grant.deciding(Effect::Allow).chain(grant.deciding(Effect::Deny));
        return may_apply.map(|(place, keys)| depends(facts, place, keys)).collect();
    }
    if action != "sts:AssumeRole" {
        return lacks_action(facts, grant, action).into_iter().collect();
    }
    match grant.nearest() {
        Some((place, mismatches)) if !mismatches.contains(&Mismatch::Action) => {
            mismatches.iter().map(|mismatch| mismatched(facts, place, mismatch)).collect()
        }
        _ => vec![absent(facts, grant)],
    }
}

/// Returns the finding for a permission set, whose grant only its administrator can change.
fn of_permission_set(facts: &Facts) -> Option<Finding> {
    let set @ PrincipalRef::PermissionSet(_) = facts.link.of_link() else { return None };
    let (name, role) = (set.name(), &facts.link.role);
    if let Some(policy) = &facts.link.set_policy {
        return not_referring(facts, name, policy);
    }
    let inline = facts.source.policies.inline.present().and_then(|policies| policies.get(INLINE_POLICY)?.present());
    let is_older = inline.and_then(FoundDocument::policy).is_some_and(|it| it.statement(templates::LINK_SID).is_some());
    let finding = match is_older {
        true => Finding::new(
            Cause::PermissionSetNotProvisioned,
            format!("the role of permission set {name} shows a grant without {role}"),
        )
        .fact("the permission set lacks the role, or was not provisioned again after the change"),
        false => Finding::new(
            Cause::PermissionSetWithoutGrant,
            format!("permission set {name} has no grant: no policy allows sts:AssumeRole on {role}"),
        ),
    };
    let granted = match &facts.link.organization {
        Some(organization) => {
            templates::grant_in_organization(organization, &[RolePattern::from(role)].into(), &BTreeSet::new())
        }
        None => grant(facts, false),
    };
    let statement = granted.to_value().pointer("/Statement/0").cloned().unwrap_or_default();
    let fix = Fix::by(Side::IdentityCenter, facts)
        .put(format!("the inline policy of permission set {name}"), statement)
        .run(provision(facts))
        .verify(facts, VerifyWith::Nothing);
    Some(finding.fix(fix))
}

/// Returns the finding for a permission set that does not refer to the policy with its grant; `None` if it does, so that
/// only the policy can be wrong.
fn not_referring(facts: &Facts, set: &str, policy: &str) -> Option<Finding> {
    let attached = facts.source.policies.attached.present()?;
    let name = policy.rsplit('/').next().filter(|_| !attached.contains_key(policy))?;
    let attach = sso("attach-customer-managed-policy-reference-to-permission-set")
        .option("--customer-managed-policy-reference", format!("Name={name},Path={GRANT_PATH}"));
    let what = format!("permission set {set} has no grant: its role lacks managed policy {name}");
    let fix = Fix::by(Side::IdentityCenter, facts).run(attach).run(provision(facts)).verify(facts, VerifyWith::Nothing);
    Some(
        Finding::new(Cause::PermissionSetWithoutGrant, what)
            .fact("the permission set does not refer to the policy, or was not provisioned again")
            .fix(fix),
    )
}

fn sso(operation: &'static str) -> ShellCommand {
    ShellCommand::new("aws")
        .args(["sso-admin", operation])
        .option("--instance-arn", "INSTANCE_ARN")
        .option("--permission-set-arn", "PERMISSION_SET_ARN")
}

fn provision(facts: &Facts) -> ShellCommand {
    let provision = sso("provision-permission-set").option("--target-type", "AWS_ACCOUNT");
    provision.option("--target-id", facts.source_account())
}

fn absent(facts: &Facts, grant: &Evaluation<'_>) -> Finding {
    if let Some(finding) = of_permission_set(facts) {
        return finding;
    }
    let (user, role) = (facts.link.whose(), &facts.link.role);
    let what = format!("{user} has no grant: no policy allows sts:AssumeRole on {role}");
    let holders = facts.link.with_groups();
    let fact = match grant.misses.len() {
        0 if facts.link.principal.user().is_some() => format!("{holders} have no policies"),
        0 => format!("{holders} has no policies"),
        1 => format!("the only statement in the policies of {holders} does not cover sts:AssumeRole"),
        count => {
            format!("none of the {count} statements in the policies of {holders} covers sts:AssumeRole")
        }
    };
    Finding::new(Cause::GrantAbsent, what).fact(fact).fix(Fix::bootstrap(Half::Source, facts, BootstrapWith::Nothing))
}

fn mismatched(facts: &Facts, place: &StatementRef<'_>, mismatch: &Mismatch) -> Finding {
    let (user, role) = (facts.link.whose(), &facts.link.role);
    let finding = match mismatch {
        Mismatch::Condition { key, .. } if key.to_ascii_lowercase().starts_with("aws:multifactorauth") => {
            let what = format!("the grant of {user} requires MFA, but the credentials lack it");
            mfa_absent(facts, what).on(Side::Source)
        }
        Mismatch::Condition { operator, key, wanted, found } => {
            let values: Vec<_> = wanted.iter().map(String::as_str).collect();
            let (wanted, found) = (values.join("` or `"), found_words(found));
            let what = format!("the grant of {user} requires {operator} {key} `{wanted}`, but the request has {found}");
            let finding = Finding::new(Cause::GrantCondition, what);
            // A condition that the request can meet is a guard, and stays. Tags of the user are not the request's.
            let of_request = !key.to_ascii_lowercase().starts_with("aws:principaltag/");
            match meet(facts, (operator, key), &values).filter(|_| of_request) {
                Some(fix) => finding.fix(fix),
                None => finding.fix(Fix::bootstrap(Half::Source, facts, BootstrapWith::Nothing)),
            }
        }
        _ => {
            if let Some(finding) = of_permission_set(facts) {
                return finding;
            }
            if let Some(finding) = other_path(facts, place) {
                return finding.because(Evidence::mismatched(place, std::slice::from_ref(mismatch)));
            }
            let what = format!("{user} may assume other roles, but not {role}");
            Finding::new(Cause::GrantOtherArn, what)
                .fact(format!("the grant is in the {}", place.policy.words()))
                .fix(Fix::bootstrap(Half::Source, facts, BootstrapWith::Nothing))
        }
    };
    finding.because(Evidence::mismatched(place, std::slice::from_ref(mismatch)))
}

/// Returns the finding for a grant that names the role with another path.
fn other_path(facts: &Facts, place: &StatementRef<'_>) -> Option<Finding> {
    let (user, role) = (facts.link.whose(), &facts.link.role);
    let Some(Element::Is(resources)) = &place.statement.resource else { return None };
    let is_it = |arn: &&RoleArn| arn.account == role.account && arn.name == role.name && arn.path != role.path;
    let named = resources.iter().filter_map(|resource| resource.parse::<RoleArn>().ok());
    let named = named.into_iter().find(|arn| is_it(&arn))?;
    let what = format!("the grant of {user} names {named}, but the role is {role}");
    let finding = Finding::new(Cause::GrantOtherPath, what)
        .fact("the ARN of a role includes its path, which the ARN of its sessions does not show");
    Some(finding.fix(Fix::bootstrap(Half::Source, facts, BootstrapWith::Nothing)))
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
    if place.statement.effect == Effect::Allow && keys.iter().all(|key| key.eq_ignore_ascii_case(ORGANIZATION_KEY)) {
        return other_organization(facts, place).because(evidence);
    }
    let finding = if place.statement.effect == Effect::Deny {
        let what = format!("the {} may deny sts:AssumeRole, depending on {listed}", place.policy.words());
        Finding::new(Cause::SourceDenies, what).fix(met(facts, place, &keys)).fix(spare(facts, &[place]))
    } else {
        let what = format!(
            "the {} allows sts:AssumeRole only for some values of {listed}, and the request probably has a different one",
            place.policy.words()
        );
        let finding = Finding::new(Cause::GrantCondition, what);
        finding.fix(met(facts, place, &keys)).fix(Fix::bootstrap(Half::Source, facts, BootstrapWith::Nothing))
    };
    keys.iter().filter_map(|key| shown_by(facts, key)).fold(finding.likely().because(evidence), Finding::fact)
}

/// Returns the finding for a grant that covers only the accounts of an organization: nothing tells whether the role's is one.
fn other_organization(facts: &Facts, place: &StatementRef<'_>) -> Finding {
    let account = &facts.link.role.account;
    let organizations: Vec<_> = place.values_of(ORGANIZATION_KEY).collect();
    let what = format!(
        "the {} allows sts:AssumeRole only in accounts of organization {}, and account {account} may be in another one or in \
         none",
        place.policy.words(),
        organizations.join(" or ")
    );
    // A permission set has the statement by `grant`, too, if it is in the managed policy.
    let is_pattern = matches!(facts.link.of_link(), PrincipalRef::PermissionSet(_)) && facts.link.set_policy.is_none();
    let (key, value) = if is_pattern { ("set_grant", "inline") } else { ("grant", "roles") };
    let listed = Fix::by(Side::Source, facts)
        .step_do(format!("if account {account} is not in the organization, list the roles in the grant:"))
        .write_source(facts, key, value);
    let finding = Finding::new(Cause::GrantCondition, what).likely();
    let finding = shown_by(facts, ORGANIZATION_KEY).into_iter().fold(finding, Finding::fact);
    finding.fix(listed.also(Fix::bootstrap(Half::Source, facts, BootstrapWith::Nothing)))
}

/// Exempts the role from the denials of one policy or removes them, and says whom else that affects.
fn spare(facts: &Facts, places: &[&StatementRef<'_>]) -> Fix {
    let fix = Fix::by(Side::Source, facts);
    let Some(place) = places.first() else { return fix };
    let statements = if places.len() == 1 { "statement" } else { "statements" };
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
    match document_sparing(places, &facts.link.role.to_string()) {
        Some(sparing) if !is_of_aws => fix
            .step_do(format!("if the denial is not meant for this role, exempt the role{also}:"))
            .replace(facts, &place.policy, Some(&sparing)),
        _ => fix.step_do(format!("if the denial is not meant for this role, remove the {statements}{also}:")).replace(
            facts,
            &place.policy,
            document_without(places).as_ref(),
        ),
    }
}

/// Returns the finding for a denial that the request can avoid.
fn guarded(facts: &Facts, place: &StatementRef<'_>, action: &str) -> Finding {
    if needs_mfa(facts, place) {
        let what = format!("the {} denies requests without MFA", place.policy.words());
        return mfa_absent(facts, what)
            .on(Side::Source)
            .because(Evidence::of(place, place.marks_of_key("aws:multifactorauth")));
    }
    let what = format!("{} of the {} denies {action}{}", place.numbered(), place.policy.words(), limits(facts, place));
    let cause = if matches!(place.policy.attachment, Attachment::Boundary(_)) {
        Cause::BoundaryCuts
    } else {
        Cause::SourceDenies
    };
    let finding = Finding::new(cause, what).because(Evidence::denial(place));
    escapes(facts, place, any).into_iter().fold(named_by_aws(facts, finding, place), Finding::fix)
}

fn of_grant_denial(facts: &Facts, denials: &Denials<'_, '_>) -> Finding {
    if let Some(arn) = denials.place.policy.arn().filter(|arn| is_quarantine(arn)) {
        return quarantined(facts, arn);
    }
    let finding = denials.shown_by(Finding::new(Cause::SourceDenies, denials.words()));
    named_by_aws(facts, finding, denials.place).fix(spare(facts, &denials.places()))
}

/// Says so if AWS names the policy of this statement.
fn named_by_aws(facts: &Facts, finding: Finding, place: &StatementRef<'_>) -> Finding {
    let denial = Denial::of_assume_role(facts);
    if place.policy.arn().is_some_and(|arn| denial.is_of(arn)) { finding.named(&denial) } else { finding }
}

fn of_boundary_denial(facts: &Facts, denials: &Denials<'_, '_>, evaluations: &Evaluations<'_>) -> Finding {
    let places = denials.places();
    let statements = if places.len() == 1 { "statement" } else { "statements" };
    let fix = Fix::by(Side::Source, facts)
        .step_do(format!("if the denial is not meant for this role, remove the {statements}:"))
        .replace(facts, &denials.place.policy, boundary_that_allows(facts, evaluations).as_ref());
    let finding = denials.shown_by(Finding::new(Cause::BoundaryCuts, denials.words()));
    named_by_aws(facts, finding, denials.place).fix(fix)
}

/// Returns the document of the user's permissions boundary, changed so that it allows the request: without the statements
/// that deny it, and with those that it lacks. `None` if the policy does not exist.
fn boundary_that_allows(facts: &Facts, evaluations: &Evaluations<'_>) -> Option<PolicyDocument> {
    let boundaries = || evaluations.assume.iter().filter_map(|it| it.boundary.as_ref());
    let lacking: Vec<_> = boundaries().filter(|it| it.lacks_allow()).map(|it| it.action.as_str()).collect();
    let denials = denials::by_policy(boundaries(), |place| !is_guard(facts, place));
    let mut document = match denials.first() {
        // A boundary has one policy.
        Some(denials) => document_without(&denials.places()).unwrap_or_else(|| PolicyDocument::of(Vec::new())),
        None => boundaries().next()?.nearest()?.0.document.clone(),
    };
    // An empty boundary would allow nothing, and removing the boundary would allow everything.
    if !lacking.is_empty() || document.statements.is_empty() {
        let with_tags = lacking.iter().any(|action| *action != "sts:AssumeRole");
        document.statements.extend(grant(facts, with_tags).statements);
    }
    Some(document)
}

/// Returns why no statement of the boundary allows the action.
fn lacks_allow(facts: &Facts, boundary: &Evaluation<'_>, evaluations: &Evaluations<'_>) -> Finding {
    let (user, action) = (facts.link.whose(), &boundary.action);
    let arn = facts.source.user.present().and_then(|user| user.boundary.clone()).unwrap_or_default();
    let what = format!("the permissions boundary of {user} does not allow {action}, so the grant has no effect");
    let mut finding = Finding::new(Cause::BoundaryCuts, what);
    let nearest = boundary.nearest();
    finding = match nearest {
        Some((place, mismatches)) => finding.because(Evidence::mismatched(place, mismatches)),
        None if boundary.denies.is_empty() => {
            finding.fact(format!("the boundary policy {arn} does not exist, so the boundary allows nothing"))
        }
        None => finding.fact(format!("the boundary policy {arn} has no Allow statement")),
    };
    // A boundary that allows the request under a condition stays as it is.
    if let Some(fix) = nearest.and_then(|(_, mismatches)| meet_all(facts, mismatches, any)) {
        return finding.fix(fix);
    }
    let fix = Fix::by(Side::Source, facts);
    let place = nearest.map(|(place, _)| place).or(boundary.denies.first());
    finding.fix(match place {
        Some(place) => fix.replace(facts, &place.policy, boundary_that_allows(facts, evaluations).as_ref()),
        None => {
            fix.step_do(format!("recreate {arn} with a statement that allows sts:AssumeRole on {}", facts.link.role))
        }
    })
}

/// Returns the statements that a boundary needs for the grant to take effect.
fn grant(facts: &Facts, with_tags: bool) -> PolicyDocument {
    let roles = [facts.link.role.clone()].into();
    let with_tags = with_tags.then(|| facts.link.role.clone()).into_iter().collect();
    templates::grant(&roles, &with_tags)
}

fn lacks_action(facts: &Facts, grant: &Evaluation<'_>, action: &str) -> Option<Finding> {
    let (cause, what) = attribute::needing(facts, action)?;
    let user = facts.link.whose();
    let what = format!("{what}, but no policy allows {action} for {user}");
    let finding = attribute::explained(Finding::new(cause, what)).on(Side::Source);
    let evidence = grant.nearest().map(|(place, why)| Evidence::mismatched(place, why));
    Some(evidence.into_iter().fold(finding, Finding::because).fix(Fix::bootstrap(
        Half::Source,
        facts,
        BootstrapWith::SessionTags,
    )))
}
