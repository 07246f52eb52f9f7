//! Evaluates the policies, although part of the request may be unknown and part of the policies unreadable.

use serde::Serialize;
use serde_json::Value;

use super::context::{self, Asked};
use super::denial::Denial;
use super::facts::{Answer, Facts};
use super::finding::Possibility;
use super::policies::{self, Missing, Policies};
use super::statement::{PolicyRef, StatementRef, mismatch_words};
use crate::iam::evaluate::{self, Mismatch, Request};
use crate::iam::names::BUCKET_ACTIONS;
use crate::iam::policy::{Effect, Element, PolicyDocument};
use crate::iam::state::FoundDocument;

/// What the policies decide, as far as xacct could read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A statement allows the request, and none denies it.
    Allowed,
    /// A statement allows the request; an unreadable policy or a condition on an unknown key may deny it.
    AllowedAsFarAsRead,
    /// The facts do not show the decision.
    Unknown,
    /// No statement allows the request.
    NotAllowed,
    /// A statement denies the request.
    Denied,
}

impl Verdict {
    /// Returns whether the decision is certainly not to allow.
    pub fn refuses(self) -> bool {
        matches!(self, Self::NotAllowed | Self::Denied)
    }

    /// Returns whether the policies that were read allow the request.
    pub fn allows(self) -> bool {
        matches!(self, Self::Allowed | Self::AllowedAsFarAsRead)
    }
}

/// How one kind of policy decides a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// The kind of policy and the action, such as `trust policy of role xacct: sts:AssumeRole`.
    pub name: String,
    /// The decision.
    pub verdict: Verdict,
    /// The reasons: each statement that applies, or why it does not.
    pub reasons: Vec<String>,
}

/// A policy as it was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadPolicy {
    /// The policy, such as `trust policy of role xacct`.
    pub policy: String,
    /// The policy document.
    pub document: Value,
    /// The numbers of the statements that deny the request, or, if none does, of those that allow it.
    pub deciding: Vec<usize>,
}

/// The evaluation of all policies of one kind.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// The kind of policy, such as `trust policy of role xacct`.
    pub name: String,
    /// The action of the request.
    pub action: String,
    /// Statements that allow.
    pub allows: Vec<StatementRef<'a>>,
    /// Statements that deny.
    pub denies: Vec<StatementRef<'a>>,
    /// Statements that apply only for some values of unknown condition keys, with these keys.
    pub may_apply: Vec<(StatementRef<'a>, Vec<String>)>,
    /// Statements that do not apply, with the reasons.
    pub misses: Vec<(StatementRef<'a>, Vec<Mismatch>)>,
    /// What xacct could not read.
    pub missing: Vec<Missing>,
    /// Policies that xacct read but cannot evaluate.
    unparsed: Vec<String>,
}

impl<'a> Evaluation<'a> {
    /// Returns the verdict.
    pub fn verdict(&self) -> Verdict {
        let may = |effect| self.may_apply.iter().any(|(place, _)| place.statement.effect == effect);
        if !self.denies.is_empty() {
            return Verdict::Denied;
        }
        let is_known = self.is_whole();
        match (self.allows.is_empty(), is_known && !may(Effect::Deny)) {
            (false, true) => Verdict::Allowed,
            (false, false) => Verdict::AllowedAsFarAsRead,
            (true, _) if is_known && !may(Effect::Allow) => Verdict::NotAllowed,
            (true, _) => Verdict::Unknown,
        }
    }

    /// Puts the statements of the policy that AWS names before all others.
    fn put_first(&mut self, denial: &Denial<'_>) {
        if let Some(named) = denial.policy {
            self.denies.sort_by_key(|place| place.policy.arn() != Some(named.0));
        }
    }

    /// Returns whether certainly no statement allows the request, whether or not one denies it.
    pub fn lacks_allow(&self) -> bool {
        self.allows.is_empty() && self.deciding(Effect::Allow).next().is_none() && self.is_whole()
    }

    /// Returns whether xacct could read and evaluate every policy.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.unparsed.is_empty()
    }

    /// Returns the statements with this effect that depend on unknown keys and decide the request: an Allow if nothing
    /// else allows it, a Deny if nothing else denies it.
    pub fn deciding(&self, effect: Effect) -> impl Iterator<Item = &(StatementRef<'a>, Vec<String>)> {
        let is_decided = match effect {
            Effect::Allow => !self.allows.is_empty(),
            Effect::Deny => !self.denies.is_empty(),
        };
        self.may_apply.iter().filter(move |(place, _)| !is_decided && place.statement.effect == effect)
    }

    /// Returns the statement that comes nearest to allowing the request: of those that cover the action, the one with
    /// the fewest mismatches.
    pub fn nearest(&self) -> Option<(&StatementRef<'a>, &[Mismatch])> {
        let allows = self.misses.iter().filter(|(place, _)| place.statement.effect == Effect::Allow);
        // A statement about another action, principal or resource is not near, even if it has few conditions.
        let distance = |mismatches: &[Mismatch]| {
            let is_about_others = [Mismatch::Action, Mismatch::Principal, Mismatch::Resource];
            (is_about_others.map(|it| mismatches.contains(&it)), mismatches.len())
        };
        let nearest = allows.min_by_key(|(_, mismatches)| distance(mismatches));
        nearest.map(|(place, mismatches)| (place, mismatches.as_slice()))
    }

    /// Returns the policies.
    pub fn read(&self) -> Vec<ReadPolicy> {
        let applying = if self.denies.is_empty() { &self.allows } else { &self.denies };
        let others = self.may_apply.iter().map(|(place, _)| place).chain(self.misses.iter().map(|(place, _)| place));
        let mut all: Vec<(&PolicyRef, ReadPolicy)> = Vec::new();
        for place in self.allows.iter().chain(&self.denies).chain(others) {
            if !all.iter().any(|(known, _)| **known == place.policy) {
                let of_policy = applying.iter().filter(|it| it.policy == place.policy);
                let deciding = of_policy.map(|it| it.number).collect();
                let (policy, document) = (place.policy.words(), place.document.to_value());
                all.push((&place.policy, ReadPolicy { policy, document, deciding }));
            }
        }
        all.into_iter().map(|(_, policy)| policy).collect()
    }

    /// Returns the evaluation for the report.
    pub fn report(&self) -> Layer {
        let misses = self.misses.iter().map(|(place, mismatches)| missed(place, mismatches));
        let reasons = [self.applying(), misses.collect(), self.unknown()].concat();
        Layer { name: format!("{}: {}", self.name, self.action), verdict: self.verdict(), reasons }
    }

    /// Returns which statements apply, or may.
    pub fn applying(&self) -> Vec<String> {
        let action = &self.action;
        let denies = self.denies.iter().map(|place| format!("{} denies {action}", of(place)));
        let allows = self.allows.iter().map(|place| format!("{} allows {action}", of(place)));
        let may = self.may_apply.iter().map(|(place, keys)| {
            let verb = if place.statement.effect == Effect::Allow { "allow" } else { "deny" };
            let keys = keys.join(", ");
            format!("{} may {verb} {action}, depending on {keys}, which xacct does not know", of(place))
        });
        denies.chain(allows).chain(may).collect()
    }

    /// Returns why the statement about this action that comes nearest does not allow it, if there is one.
    pub fn near_miss(&self) -> Option<String> {
        let (place, mismatches) = self.nearest().filter(|(_, mismatches)| !mismatches.contains(&Mismatch::Action))?;
        Some(missed(place, mismatches))
    }

    /// Returns what xacct could not read or evaluate.
    pub fn unknown(&self) -> Vec<String> {
        let missing = self.missing.iter().map(|missing| format!("xacct could not read the {}", missing.what));
        missing.chain(self.unparsed.iter().map(|policy| format!("xacct cannot evaluate the {policy}"))).collect()
    }
}

fn of(place: &StatementRef<'_>) -> String {
    format!("{} of the {}", place.numbered(), place.policy.words())
}

fn missed(place: &StatementRef<'_>, mismatches: &[Mismatch]) -> String {
    let why: Vec<_> = mismatches.iter().map(mismatch_words).collect();
    format!("{} does not apply: {}", of(place), why.join("; "))
}

/// The evaluation of one action of AssumeRole by every kind of policy.
#[derive(Debug)]
pub struct ActionEvaluation<'a> {
    /// `sts:AssumeRole`, `sts:TagSession` or `sts:SetSourceIdentity`.
    pub action: &'static str,
    /// By the trust policy; `None` if the role does not exist or xacct could not read it.
    pub trust: Option<Evaluation<'a>>,
    /// By the policies of the user and of its groups.
    pub grant: Evaluation<'a>,
    /// By the user's permissions boundary, if any.
    pub boundary: Option<Evaluation<'a>>,
}

impl<'a> ActionEvaluation<'a> {
    /// Returns each.
    pub fn layers(&self) -> impl Iterator<Item = &Evaluation<'a>> {
        self.trust.iter().chain([&self.grant]).chain(&self.boundary)
    }
}

/// All evaluations of a diagnosis.
#[derive(Debug)]
pub struct Evaluations<'a> {
    /// AssumeRole and the other actions that the request needs.
    pub assume: Vec<ActionEvaluation<'a>>,
    /// The calls of the test to S3: first the one that was denied, if any, then the others in order. Empty if the role was
    /// not assumed, or nothing is asked of S3.
    pub s3: Vec<RoleEvaluation<'a>>,
}

/// The evaluation of one action of the role's session by every kind of policy.
#[derive(Debug)]
pub struct RoleEvaluation<'a> {
    /// By the policies of the role.
    pub policies: Evaluation<'a>,
    /// By the role's permissions boundary, if any.
    pub boundary: Option<Evaluation<'a>>,
}

impl<'a> RoleEvaluation<'a> {
    /// Returns both.
    pub fn layers(&self) -> (&Evaluation<'a>, Option<&Evaluation<'a>>) {
        (&self.policies, self.boundary.as_ref())
    }

    /// Returns each.
    pub fn each(&self) -> impl Iterator<Item = &Evaluation<'a>> {
        [&self.policies].into_iter().chain(&self.boundary)
    }
}

impl<'a> Evaluations<'a> {
    /// Returns the evaluations of AssumeRole, and of the first S3 action: the one that was denied, if any.
    pub fn all(&self) -> impl Iterator<Item = &Evaluation<'a>> {
        let assume = self.assume.iter().flat_map(ActionEvaluation::layers);
        let s3 = self.s3.first().into_iter().flat_map(RoleEvaluation::each);
        assume.chain(s3)
    }
}

/// Evaluates all policies in the facts.
pub fn evaluations(facts: &Facts) -> Evaluations<'_> {
    let mut actions = vec!["sts:AssumeRole"];
    let denial = Denial::of_assume_role(facts);
    // AWS may name an action that the request needs for what the session inherits.
    let is_named = |action: &str| denial.action.is_some_and(|named| named.eq_ignore_ascii_case(action));
    if !facts.request.tags.is_empty() || is_named("sts:TagSession") {
        actions.push("sts:TagSession");
    }
    if facts.request.source_identity.is_some() || is_named("sts:SetSourceIdentity") {
        actions.push("sts:SetSourceIdentity");
    }
    let assume = actions.into_iter().map(|action| {
        let asked = context::of_assume_role(facts, action);
        let boundary = |policies| {
            let of = format!("permissions boundary of {}", facts.link.principal.kind_in_words());
            evaluate(of, &asked, policies, evaluate::identity_policy)
        };
        ActionEvaluation {
            action,
            trust: trust(facts, &asked),
            grant: grant(facts, &asked),
            boundary: policies::boundary_of_user(facts).map(boundary),
        }
    });
    let mut evaluations = Evaluations { assume: assume.collect(), s3: s3(facts) };
    for evaluation in &mut evaluations.assume {
        let layers = evaluation.trust.iter_mut().chain([&mut evaluation.grant]).chain(&mut evaluation.boundary);
        layers.for_each(|layer| layer.put_first(&denial));
    }
    if let Some(RoleEvaluation { policies, boundary }) = evaluations.s3.first_mut() {
        let denial = Denial::of_s3(facts);
        [policies].into_iter().chain(boundary).for_each(|layer| layer.put_first(&denial));
    }
    evaluations
}

/// Evaluates the trust policy.
pub fn trust<'a>(facts: &'a Facts, asked: &Asked) -> Option<Evaluation<'a>> {
    let name = policies::trust_of_role(facts).words();
    Some(evaluate(name, asked, policies::trust(facts)?, evaluate::resource_policy))
}

/// Evaluates the policies of the user and of its groups.
pub fn grant<'a>(facts: &'a Facts, asked: &Asked) -> Evaluation<'a> {
    evaluate(
        format!("policies of {}", facts.link.principal.kind_in_words()),
        asked,
        policies::of_user(facts),
        evaluate::identity_policy,
    )
}

/// Evaluates the policies and the boundary of the role.
pub fn of_role<'a>(facts: &'a Facts, asked: &Asked) -> RoleEvaluation<'a> {
    let identity = |name: &str, policies| evaluate(name.to_owned(), asked, policies, evaluate::identity_policy);
    let boundary = policies::boundary_of_role(facts).map(|it| identity("permissions boundary of the role", it));
    RoleEvaluation { policies: identity("policies of the role", policies::of_role(facts)), boundary }
}

/// Evaluates the S3 call that was denied, or the first one that would be, and then the other calls of the test.
fn s3(facts: &Facts) -> Vec<RoleEvaluation<'_>> {
    let is_asked = matches!(facts.answer, Answer::Accepted(_)) && (facts.s3.is_some() || facts.link.checks_s3);
    if !is_asked {
        return Vec::new();
    }
    let first = s3_action(facts);
    let others = BUCKET_ACTIONS.into_iter().filter(|action| *action != first);
    let actions = [first.as_str()].into_iter().chain(others);
    actions.map(|action| of_role(facts, &context::of_s3(facts, action))).collect()
}

/// Returns the action that S3 denied, which is that of its message if it names one. If the test made no S3 call, returns
/// the first action of the test that the role's policies do not allow.
pub fn s3_action(facts: &Facts) -> String {
    if let Some(action) = Denial::of_s3(facts).action.filter(|action| action.starts_with("s3:")) {
        return action.to_owned();
    }
    match facts.s3.as_ref().map(|s3| s3.answer.operation.as_ref()) {
        Some("HeadBucket") => "s3:ListBucket".to_owned(),
        Some(operation) => format!("s3:{operation}"),
        None => {
            let is_refused = |action: &&str| {
                let RoleEvaluation { policies, boundary } = of_role(facts, &context::of_s3(facts, action));
                policies.verdict().refuses() || boundary.is_some_and(|boundary| boundary.verdict().refuses())
            };
            BUCKET_ACTIONS.into_iter().find(is_refused).unwrap_or("s3:CreateBucket").to_owned()
        }
    }
}

type Evaluate = fn(&PolicyDocument, &Request) -> evaluate::Finding;

fn evaluate<'a>(name: String, asked: &Asked, read: Policies<'a>, by: Evaluate) -> Evaluation<'a> {
    let mut evaluation = Evaluation {
        name,
        action: asked.request.action.clone(),
        allows: Vec::new(),
        denies: Vec::new(),
        may_apply: Vec::new(),
        misses: Vec::new(),
        missing: read.missing,
        unparsed: Vec::new(),
    };
    for (policy, found) in read.documents {
        let document = match found {
            FoundDocument::Policy(document) => document,
            FoundDocument::Unparsed { .. } => {
                evaluation.unparsed.push(policy.words());
                continue;
            }
        };
        let finding = by(document, &asked.request);
        for (index, (statement, found)) in document.statements.iter().zip(finding.statements).enumerate() {
            let place = StatementRef { policy: policy.clone(), document, statement, number: index + 1 };
            let mut unknown = place.names_key(|key| asked.is_unknown(key));
            // Only `*` is every resource.
            let is_partial =
                found.mismatches.contains(&Mismatch::Resource) || matches!(statement.resource, Some(Element::Not(_)));
            if !asked.is_resource_known && is_partial {
                unknown.insert(0, "the resource".to_owned());
            }
            let is_unknown = |mismatch: &Mismatch| match mismatch {
                Mismatch::UnknownOperator { .. } => true,
                Mismatch::Principal => asked.may_be_meant(statement),
                Mismatch::Action => false,
                Mismatch::Resource if !asked.is_resource_known => true,
                // A variable without a value matches nothing; with a value it may match.
                mismatch => place.keys_of(mismatch).iter().any(|key| asked.is_unknown(key)),
            };
            let mut certain = found.mismatches.clone();
            certain.retain(|mismatch| !is_unknown(mismatch));
            if !certain.is_empty() {
                evaluation.misses.push((place, certain));
            } else if found.mismatches.contains(&Mismatch::Principal) {
                evaluation.missing.push(Missing {
                    what: format!("user's ARN, which {} of the {} may name", place.numbered(), policy.words()),
                    permission: "iam:GetUser".to_owned(),
                    answer: "xacct could not read the user".to_owned(),
                });
            } else if !unknown.is_empty() || !found.applies() {
                evaluation.may_apply.push((place, unknown));
            } else if statement.effect == Effect::Deny {
                evaluation.denies.push(place);
            } else {
                evaluation.allows.push(place);
            }
        }
    }
    evaluation
}

/// Returns the possible causes in what xacct could not read.
pub fn gaps<'a>(evaluations: impl IntoIterator<Item = &'a Evaluation<'a>>) -> Vec<Possibility> {
    // Everything unreadable for the same reason goes into one line.
    let mut gaps: Vec<(&Missing, Vec<String>)> = Vec::new();
    for missing in evaluations.into_iter().flat_map(|evaluation| &evaluation.missing) {
        let what = format!("the {}", missing.what);
        let is_same = |known: &Missing| known.permission == missing.permission && known.answer == missing.answer;
        match gaps.iter_mut().find(|(known, _)| is_same(known)) {
            Some((_, whats)) if whats.contains(&what) => {}
            Some((_, whats)) => whats.push(what),
            None => gaps.push((missing, vec![what])),
        }
    }
    let possible = gaps.into_iter().map(|(missing, whats)| Possibility {
        what: format!("{}, which xacct could not read", whats.join(", ")),
        decided_by: match missing.permission.as_str() {
            "" => "run the command again with credentials that can read it (--profile, --target-profile)".to_owned(),
            permission => format!("allow {permission} for the operator and run the command again"),
        },
    });
    possible.collect()
}
