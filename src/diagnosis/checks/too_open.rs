//! Requests that the role accepts and must reject.

use crate::diagnosis::cause::Cause;
use crate::diagnosis::context::{self, Asked};
use crate::diagnosis::facts::{Facts, LetThrough, Mfa};
use crate::diagnosis::finding::{Certainty, Evidence, Finding};
use crate::diagnosis::fix::{BootstrapWith, Fix};
use crate::diagnosis::statement::StatementRef;
use crate::diagnosis::verdict::{self, Verdict};

/// Returns what the role accepts and must reject.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let is_read = facts.target.role.present().is_some();
    let open = |without: LetThrough, change: &dyn Fn(&mut Facts)| {
        let seen = facts.let_through.contains(&without);
        let mut other = facts.clone();
        change(&mut other);
        let asked: Asked = context::of_assume_role(&other, "sts:AssumeRole");
        // A request that the user's own policies deny never reaches the role.
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
            place
                .map(marked)
                .into_iter()
                .fold(Finding::new(cause, what), Finding::because)
                .fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
        }));
    }
    let without_mfa = open(LetThrough::WithoutMfa, &|facts| {
        facts.caller.mfa = Mfa::Absent;
        facts.caller.is_session = false;
    });
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
            debug_assert_eq!(finding.certainty, Certainty::Certain);
            finding.fix(Fix::bootstrap(facts, BootstrapWith::Nothing))
        }));
    }
    findings
}
