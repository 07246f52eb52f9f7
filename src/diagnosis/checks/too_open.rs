//! Requests that the role accepts and must reject.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::context::{self, Asked};
use crate::diagnosis::facts::{Facts, LetThrough, Mfa};
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix, Half, VerifyWith};
use crate::diagnosis::statement::StatementRef;
use crate::diagnosis::verdict::{self, Verdict};
use crate::text::shell::ShellCommand;

/// Returns what the role accepts and must reject.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut findings = by_policy(facts);
    findings.extend(not_enforced(facts));
    findings
}

/// Returns what the trust policy allows and must not. If AWS denied the user's own request, that is what it would accept
/// once the user's policies allow it.
pub fn by_policy(facts: &Facts) -> Vec<Finding> {
    let is_read = facts.target.role.present().is_some();
    let plain = context::of_assume_role(facts, "sts:AssumeRole");
    let is_granted = !verdict::grant(facts, &plain).verdict().refuses();
    let open = |without: LetThrough| {
        let seen = facts.let_through.contains(&without);
        let asked: Asked = context::of_assume_role(&changed(facts, without), "sts:AssumeRole");
        // A request that the user's own policies deny never reaches the role.
        let is_asked_for = !is_granted || !verdict::grant(facts, &asked).verdict().refuses();
        let trust = verdict::trust(facts, &asked).filter(|trust| is_asked_for && trust.verdict() == Verdict::Allowed);
        let allows = trust.and_then(|trust| trust.allows.first().cloned());
        (allows.is_some() || seen && !is_read).then_some(allows)
    };
    let mut findings = Vec::new();
    let role = &facts.link.role.name;
    if let Some(id) = &facts.link.external_id {
        let without = open(LetThrough::WithoutExternalId);
        let wrong = open(LetThrough::WithWrongExternalId);
        let finding = match (without, wrong) {
            (Some(place), _) => {
                let what = format!("role {role} does not require an external ID, but the link has one");
                Some((Cause::ExternalIdNotDemanded, what, place))
            }
            (None, Some(place)) => {
                let what = format!("role {role} accepts external IDs other than `{id}`");
                Some((Cause::ExternalIdPattern, what, place))
            }
            (None, None) => None,
        };
        findings.extend(finding.map(|(cause, what, place)| {
            let marked = |place: StatementRef<'_>| Evidence::of(&place, place.marks_of_key("sts:ExternalId"));
            place.map(marked).into_iter().fold(Finding::new(cause, what), Finding::because).fix(Fix::bootstrap(
                Half::Target,
                facts,
                BootstrapWith::Nothing,
            ))
        }));
    }
    let without_mfa = open(LetThrough::WithoutMfa);
    if let Some(place) = without_mfa {
        let marks = place.as_ref().map(|place| place.marks_of_key("aws:multifactorauth")).unwrap_or_default();
        let finding = if !marks.is_empty() {
            let what = format!(
                "role {role} accepts access keys without MFA: its MFA condition also passes if the condition key is absent"
            );
            Some(Finding::new(Cause::MfaIfExists, what).fact(
                "requests with access keys lack aws:MultiFactorAuthPresent; an …IfExists condition then passes, Bool \
                     does not",
            ))
        } else if facts.link.require_mfa {
            Some(Finding::new(Cause::MfaNotDemanded, format!("role {role} does not require MFA, but the link does")))
        } else {
            None
        };
        let evidence = place.map(|place| Evidence::of(&place, marks));
        findings.extend(finding.map(|finding| {
            let finding = evidence.into_iter().fold(finding, Finding::because);
            finding.fix(Fix::bootstrap(Half::Target, facts, BootstrapWith::Nothing))
        }));
    }
    findings
}

/// Returns the facts of the request that the role must reject.
fn changed(facts: &Facts, without: LetThrough) -> Facts {
    let mut changed = facts.clone();
    match without {
        LetThrough::WithoutExternalId => changed.request.external_id = None,
        LetThrough::WithWrongExternalId => {
            let id = facts.link.external_id.as_ref().map(ToString::to_string).unwrap_or_default();
            changed.request.external_id = Some(format!("wrong-{id}"));
        }
        LetThrough::WithoutMfa => {
            changed.caller.mfa = Mfa::Absent;
            changed.caller.is_session = false;
        }
    }
    changed
}

/// Returns the finding for requests that AWS accepted although the trust policy that was read rejects them. Emulators of
/// AWS do that, which do not evaluate trust policies.
fn not_enforced(facts: &Facts) -> Option<Finding> {
    let refusal = |facts: &Facts| {
        let asked = context::of_assume_role(facts, "sts:AssumeRole");
        let trust = verdict::trust(facts, &asked).filter(|trust| trust.verdict().refuses())?;
        let denies = trust.denies.first().map(Evidence::denial);
        Some(denies.or_else(|| trust.nearest().map(|(place, why)| Evidence::mismatched(place, why))))
    };
    let plain = refusal(facts)
        .filter(|_| facts.caller_as_principal().is_some())
        .map(|evidence| ("the request".to_owned(), evidence));
    let changed = facts.let_through.iter().filter_map(|without| {
        let evidence = refusal(&changed(facts, *without))?;
        Some((format!("a request {}", words(*without)), evidence))
    });
    let (requests, evidence): (Vec<_>, Vec<_>) = plain.into_iter().chain(changed).unzip();
    if requests.is_empty() {
        return None;
    }
    let role = &facts.link.role.name;
    let what =
        format!("AWS accepted {}, which the trust policy of role {role} denies as it was read", requests.join(" and "));
    let finding = Finding::new(Cause::NotEnforced, what)
        .likely()
        .fact("the trust policy need not change: it was changed moments ago, or the endpoint does not enforce it");
    let wait = Fix::by(Side::Request, facts)
        .step_do("if the trust policy was changed within the last minutes, wait a minute")
        .verify(facts, VerifyWith::Nothing);
    let endpoint = Fix::by(Side::LocalConfiguration, facts).step_do(
        "check that STS is reached at an endpoint of AWS (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS, endpoint_url): emulators \
         do not enforce trust policies",
    );
    let evidence = evidence.into_iter().flatten().take(1);
    Some(evidence.fold(finding, Finding::because).fix(wait).fix(endpoint))
}

fn words(without: LetThrough) -> &'static str {
    match without {
        LetThrough::WithoutExternalId => "without an external ID",
        LetThrough::WithWrongExternalId => "with a wrong external ID",
        LetThrough::WithoutMfa => "without MFA",
    }
}

/// Says which of the requests that the role must reject were sent: without that, only the trust policy tells.
pub fn notes(facts: &Facts) -> Vec<String> {
    let id =
        facts.link.external_id.iter().flat_map(|_| [LetThrough::WithoutExternalId, LetThrough::WithWrongExternalId]);
    let mfa = facts.link.require_mfa.then_some(LetThrough::WithoutMfa);
    let (sent, unsent): (Vec<_>, Vec<_>) =
        id.chain(mfa).partition(|it| facts.refusals_tried.contains(it) || facts.let_through.contains(it));
    let listed = |requests: &[LetThrough]| requests.iter().map(|it| words(*it)).collect::<Vec<_>>().join(" or ");
    let rejected: Vec<_> = sent.into_iter().filter(|it| !facts.let_through.contains(it)).collect();
    let mut notes = Vec::new();
    if !rejected.is_empty() {
        notes.push(format!("tested: the role rejects requests {}", listed(&rejected)));
    }
    if !unsent.is_empty() {
        let judged = match facts.target.role.present() {
            Some(_) => "judged only by the trust policy",
            None => "and the trust policy could not be read",
        };
        let verify = ShellCommand::new("xacct").arg("verify").arg(&facts.link.name);
        notes.push(format!(
            "not tested: whether the role rejects requests {} ({judged}); to test it: {verify}",
            listed(&unsent)
        ));
    }
    notes
}
