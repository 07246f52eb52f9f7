//! Predicts what AWS would deny once the user can assume the role. The test stopped before that, so only the policies
//! show it.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::Side;
use super::checks::{bucket, others, too_open, trust};
use super::facts::{Answer, CallerFacts, Facts, LinkFacts, Mfa, NotSent};
use super::finding::{Certainty, Finding};
use super::fix::Fix;
use super::verdict::{self, Evaluation, Layer, RoleEvaluation, Verdict};
use crate::iam::arn::CallerArn;
use crate::iam::state::Reading;

/// What the policies show about the untested steps.
#[derive(Debug, Default)]
pub struct Ahead {
    /// The failures to expect.
    pub findings: Vec<Finding>,
    /// The evaluations that show it.
    pub layers: Vec<Layer>,
    /// The actions that the policies leave undecided.
    pub notes: Vec<String>,
}

/// Returns what would fail if the role had been assumed. `findings` are the reasons why it was not.
pub fn of(facts: &Facts, findings: &[Finding]) -> Ahead {
    // Without the role there are no policies to evaluate.
    let Reading::Present(_) = &facts.target.role else { return Ahead::default() };
    let facts = &assumed(facts);
    let mut ahead = Ahead::default();
    // Bootstrap replaces the trust policy.
    if !findings.iter().any(rewrites_trust) {
        ahead.findings.extend(too_open::by_policy(facts));
        ahead.findings.extend(others::reviewed(facts).finding);
    }
    let evaluations = verdict::evaluations(facts);
    let of_bucket = bucket::findings(facts, &evaluations);
    if of_bucket.is_empty() {
        ahead.notes.extend(undecided(&evaluations.s3));
    } else {
        let first = evaluations.s3.first().into_iter().flat_map(RoleEvaluation::each);
        ahead.layers.extend(first.map(Evaluation::report));
    }
    let untested = of_bucket.into_iter().map(|finding| {
        finding.fact("not tested, because the role could not be assumed: the policies that xacct read show it")
    });
    ahead.findings.extend(untested);
    ahead.findings = ahead.findings.into_iter().map(Finding::foreseen).collect();
    ahead
}

/// Returns the facts as they would be had AWS returned a session of the role, or of the one that is probably meant.
fn assumed(facts: &Facts) -> Facts {
    let role = trust::meant(facts).unwrap_or_else(|| facts.link.role.clone());
    let (partition, account, name) = (role.partition, &role.account, &role.name);
    let session = format!("arn:{partition}:sts::{account}:assumed-role/{name}/{}", facts.request.session_name);
    let answer = Answer::Accepted(CallerArn::parse(&session));
    let link = LinkFacts { role, ..facts.link.clone() };
    Facts { answer, link, s3: None, ..facts.clone() }
}

/// Returns the facts as they would be with valid credentials of the user, which carry MFA if the link requires it.
pub fn with_credentials(facts: &Facts) -> Facts {
    let mfa = match (facts.link.require_mfa, facts.caller.is_session) {
        (true, _) => Mfa::Present,
        (false, true) => Mfa::Unknown,
        (false, false) => Mfa::Absent,
    };
    let caller = CallerFacts { mfa, ..facts.caller.clone() };
    // AWS's answer is about the credentials, not the policies.
    Facts { caller, answer: Answer::NotSent(NotSent::NotTheUsers), ..facts.clone() }
}

/// Returns whether a finding is about the trust policy, and its fix replaces that as a whole.
fn rewrites_trust(finding: &Finding) -> bool {
    let is_of_trust = finding.side != Side::Source && finding.certainty == Certainty::Certain;
    is_of_trust && finding.fixes.first().is_some_and(Fix::is_bootstrap)
}

/// Names the unknown condition keys that decide whether the role may create and delete a bucket. Actions that depend on the
/// same keys share a sentence.
fn undecided(evaluations: &[RoleEvaluation<'_>]) -> Vec<String> {
    let mut actions: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    let layers = evaluations.iter().flat_map(RoleEvaluation::each);
    for layer in layers.filter(|layer| layer.verdict() != Verdict::Allowed && layer.is_whole()) {
        let keys: BTreeSet<_> = layer.may_apply.iter().flat_map(|(_, keys)| keys).map(String::as_str).collect();
        actions.entry((&layer.name, keys)).or_default().push(&layer.action);
    }
    let sentence = |((name, keys), actions): ((&String, BTreeSet<&str>), Vec<&str>)| {
        let depend = if actions.len() == 1 { "depends" } else { "depend" };
        let keys = keys.into_iter().collect::<Vec<_>>().join(", ");
        format!("not tested: {}, which {depend} on {keys} according to the {name}", actions.join(", "))
    };
    actions.into_iter().map(sentence).collect()
}
