//! What the policies that were read decide, where not everything about the request is known and not everything could be
//! read.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::diagnosis::facts::{Facts, Mfa, PolicyFacts};
use crate::diagnosis::fix::Fix;
use crate::diagnosis::statement::{Held, Holder, Place, Tie, mismatch_words};
use crate::diagnosis::{Cause, Finding, Layer, Possibility, Side, Unread};
use crate::iam::arn::CallerArn;
use crate::iam::evaluate::{self, Context, Mismatch, Principal, Request};
use crate::iam::policy::{Effect, Element, Principals, Statement};
use crate::iam::state::{FoundDocument, Reading};

/// What policies decide, as far as they could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A statement allows it; something that could not be read, or a condition on something unknown, may deny it.
    AllowedAsFarAsRead,
    /// It cannot be told.
    Unknown,
    /// Nothing allows it.
    NotAllowed,
    /// A statement denies it.
    Denied,
}

impl Verdict {
    /// Whether it refuses for certain.
    pub fn refuses(self) -> bool {
        matches!(self, Self::NotAllowed | Self::Denied)
    }
}

/// What was read for one kind of policy.
#[derive(Debug, Default)]
struct Read<'a> {
    documents: Vec<(Held, &'a FoundDocument)>,
    /// What could not be read.
    missing: Vec<Unread>,
}

/// The judgement of all policies of one kind.
#[derive(Debug)]
pub struct Judged<'a> {
    /// Such as `trust policy of role xacct`.
    pub name: String,
    /// What was asked.
    pub action: String,
    /// Statements that allow.
    pub allows: Vec<Place<'a>>,
    /// Statements that deny.
    pub denies: Vec<Place<'a>>,
    /// Statements that allow or deny if a condition on something unknown is met; with the keys.
    pub may_apply: Vec<(Place<'a>, Vec<String>)>,
    /// Statements that do not apply, and why.
    pub misses: Vec<(Place<'a>, Vec<Mismatch>)>,
    /// What could not be read.
    pub missing: Vec<Unread>,
    /// Policies that could be read and not understood.
    unparsed: Vec<String>,
}

impl<'a> Judged<'a> {
    /// The verdict.
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

    /// Whether everything could be read and understood.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.unparsed.is_empty()
    }

    /// Statements with this effect that apply or not by something unknown, and so decide: an Allow where nothing else
    /// allows it, a Deny where nothing else denies it.
    pub fn deciding(&self, effect: Effect) -> impl Iterator<Item = &(Place<'a>, Vec<String>)> {
        let is_decided = match effect {
            Effect::Allow => !self.allows.is_empty(),
            Effect::Deny => !self.denies.is_empty(),
        };
        self.may_apply.iter().filter(move |(place, _)| !is_decided && place.statement.effect == effect)
    }

    /// The statement that comes nearest to allowing it: of those that speak of the action, the one with the fewest
    /// mismatches.
    pub fn nearest(&self) -> Option<(&Place<'a>, &[Mismatch])> {
        let allows = self.misses.iter().filter(|(place, _)| place.statement.effect == Effect::Allow);
        // One that is about others is not near, however few its conditions are.
        let distance = |mismatches: &[Mismatch]| {
            let is_about_others = [Mismatch::Action, Mismatch::Principal, Mismatch::Resource];
            (is_about_others.map(|it| mismatches.contains(&it)), mismatches.len())
        };
        let nearest = allows.min_by_key(|(_, mismatches)| distance(mismatches));
        nearest.map(|(place, mismatches)| (place, mismatches.as_slice()))
    }

    /// For the report.
    pub fn report(&self) -> Layer {
        let of = |place: &Place<'_>| format!("{} of the {}", place.numbered(), place.held.words());
        let mut reasons = Vec::new();
        reasons.extend(self.denies.iter().map(|place| format!("{} denies it", of(place))));
        reasons.extend(self.allows.iter().map(|place| format!("{} allows it", of(place))));
        reasons.extend(self.may_apply.iter().map(|(place, keys)| {
            let verb = if place.statement.effect == Effect::Allow { "allows" } else { "denies" };
            format!("{} {verb} it, depending on {}, which is not known here", of(place), keys.join(", "))
        }));
        reasons.extend(self.misses.iter().map(|(place, mismatches)| {
            let why: Vec<_> = mismatches.iter().map(mismatch_words).collect();
            format!("{} does not apply: {}", of(place), why.join("; "))
        }));
        reasons.extend(self.missing.iter().map(|missing| format!("{} could not be read", missing.what)));
        reasons.extend(self.unparsed.iter().map(|policy| format!("the {policy} cannot be evaluated")));
        Layer { name: format!("{}: {}", self.name, self.action), verdict: self.verdict(), reasons }
    }
}

/// The judgement of one action of AssumeRole by every kind of policy.
#[derive(Debug)]
pub struct Judgement<'a> {
    /// `sts:AssumeRole`, `sts:TagSession` or `sts:SetSourceIdentity`.
    pub action: &'static str,
    /// By the trust policy; `None` where there is no role, or it could not be read.
    pub trust: Option<Judged<'a>>,
    /// By the policies of the user and of its groups.
    pub grant: Judged<'a>,
    /// By the user's boundary, if there is one.
    pub boundary: Option<Judged<'a>>,
}

/// Everything that was judged.
#[derive(Debug)]
pub struct Layers<'a> {
    /// AssumeRole, and what it needs besides.
    pub assume: Vec<Judgement<'a>>,
    /// What the check does in S3, by the role's policies and by its boundary.
    pub s3: Option<(Judged<'a>, Option<Judged<'a>>)>,
}

impl<'a> Layers<'a> {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Judged<'a>> {
        let assume = self.assume.iter();
        let assume = assume.flat_map(|judged| judged.trust.iter().chain([&judged.grant]).chain(&judged.boundary));
        let s3 = self.s3.iter().flat_map(|(policies, boundary)| [policies].into_iter().chain(boundary));
        assume.chain(s3)
    }
}

/// Judges everything that was read.
pub fn layers(facts: &Facts) -> Layers<'_> {
    let mut actions = vec!["sts:AssumeRole"];
    if !facts.request.tags.is_empty() {
        actions.push("sts:TagSession");
    }
    if facts.request.source_identity.is_some() {
        actions.push("sts:SetSourceIdentity");
    }
    let user = Holder::User(facts.link.user.to_string());
    let assume = actions.into_iter().map(|action| {
        let asked = asked(facts, action);
        Judgement {
            action,
            trust: trust(facts, &asked),
            grant: grant(facts, &asked),
            boundary: boundary(&facts.source.user, &facts.source.boundary, (user_boundary(facts), &user)).map(|read| {
                judge("permissions boundary of the user".to_owned(), &asked, read, evaluate::identity_policy)
            }),
        }
    });
    Layers { assume: assume.collect(), s3: crate::diagnosis::checks::bucket::layers(facts) }
}

/// By the trust policy.
pub fn trust<'a>(facts: &'a Facts, asked: &Asked) -> Option<Judged<'a>> {
    let held = Held { holder: Holder::Role(facts.link.role.name.to_string()), tie: Tie::Trust };
    let name = held.words();
    let read = match &facts.target.role {
        Reading::Present(role) => Read { documents: vec![(held, &role.trust)], missing: Vec::new() },
        Reading::Absent => return None,
        unread => Read { documents: Vec::new(), missing: missing(unread, &name).into_iter().collect() },
    };
    Some(judge(name, asked, read, evaluate::resource_policy))
}

/// By the policies of the user and of its groups.
pub fn grant<'a>(facts: &'a Facts, asked: &Asked) -> Judged<'a> {
    judge("policies of the user".to_owned(), asked, grants(facts), evaluate::identity_policy)
}

/// By the policies and the boundary of the role.
pub fn of_role<'a>(facts: &'a Facts, asked: &Asked) -> (Judged<'a>, Option<Judged<'a>>) {
    let holder = Holder::Role(facts.link.role.name.to_string());
    let arn = facts.target.role.present().and_then(|role| role.boundary.clone());
    let tie = arn.map(|arn| Held { holder: holder.clone(), tie: Tie::Boundary(arn) });
    let policies = of_holder(&facts.target.policies, &holder);
    let policies = judge("policies of the role".to_owned(), asked, policies, evaluate::identity_policy);
    let boundary = boundary(&facts.target.role, &facts.target.boundary, (tie, &holder))
        .map(|read| judge("permissions boundary of the role".to_owned(), asked, read, evaluate::identity_policy));
    (policies, boundary)
}

/// A request, with what is known about it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The request, with the condition keys that are known.
    pub request: Request,
    tags_known: bool,
    mfa_known: bool,
    resource_tags_known: bool,
    /// Whether the ARN of the principal is known for certain, and not only its name.
    arn_known: bool,
    is_session: bool,
}

impl Asked {
    /// Whether nothing is known about a condition key. Of many it is known that such a request does not have them (IAM
    /// User Guide, AWS global condition context keys).
    fn is_unknown(&self, key: &str) -> bool {
        const ABSENT: [&str; 14] = [
            "sts:externalid",
            "sts:rolesessionname",
            "sts:sourceidentity",
            "sts:transitivetagkeys",
            "aws:tagkeys",
            "aws:sourceidentity",
            "aws:federatedprovider",
            "aws:calledvia",
            "aws:calledviafirst",
            "aws:calledvialast",
            "aws:sourcearn",
            "aws:sourceaccount",
            "aws:principalservicename",
            "aws:principalservicenameslist",
        ];
        let key = key.to_ascii_lowercase();
        if !self.request.context.get(&key).is_empty() || ABSENT.contains(&key.as_str()) {
            return false;
        }
        if key.starts_with("aws:multifactorauth") {
            return !self.mfa_known;
        }
        if key.starts_with("aws:principaltag/") {
            return !self.tags_known;
        }
        if key.starts_with("aws:resourcetag/") || key.starts_with("iam:resourcetag/") {
            return !self.resource_tags_known;
        }
        if key == "aws:tokenissuetime" {
            // Access keys have none.
            return self.is_session;
        }
        !["aws:requesttag/", "saml:"].iter().any(|known| key.starts_with(known))
    }

    /// Whether a statement that names other principals may mean this one: its ARN, unique ID or account is not known.
    fn may_be_meant(&self, statement: &Statement) -> bool {
        let listed = match &statement.principal {
            Some(Element::Is(Principals::Listed(kinds))) => kinds.get("AWS"),
            _ => None,
        };
        let account = &self.request.principal.account;
        let may_be = |id: &String| !id.contains(':') || id.contains(&format!(":{account}:")) && !id.ends_with(":root");
        !self.arn_known && listed.is_some_and(|listed| listed.iter().any(may_be))
    }
}

/// The AssumeRole request as the link's user makes it, for one of the actions that it needs.
pub fn asked(facts: &Facts, action: &str) -> Asked {
    let user = facts.source.user.present();
    let caller = facts.caller.identity.present();
    let is_user = caller.and_then(CallerArn::user).is_some_and(|arn| arn.name == facts.link.user);
    let partition = facts.link.role.partition;
    let account = facts.link.source_account.clone().or_else(|| caller.and_then(|arn| arn.account().cloned()));
    let account = account.unwrap_or_else(|| facts.link.role.account.clone());
    let arn = user.map(|user| user.arn.clone());
    let arn = arn.or_else(|| caller.filter(|_| is_user).map(ToString::to_string));
    let arn_known = arn.is_some();
    let arn = arn.unwrap_or_else(|| format!("arn:{partition}:iam::{account}:user/{}", facts.link.user));

    let mut context = Context::default();
    if arn_known {
        context.set("aws:PrincipalArn", [arn.clone()]);
    }
    set_time(&mut context, facts);
    context.set("aws:PrincipalIsAWSService", ["false"]);
    context.set("aws:PrincipalAccount", [account.to_string()]);
    context.set("aws:PrincipalType", ["User"]);
    context.set("aws:username", [facts.link.user.to_string()]);
    if let Some(user) = user {
        context.set("aws:userid", [user.unique_id.clone()]);
        for (key, value) in &user.tags {
            context.set(&format!("aws:PrincipalTag/{key}"), [value.clone()]);
        }
    }
    let request = &facts.request;
    context.set("aws:RequestedRegion", [request.region.to_string()]);
    context.set("aws:SecureTransport", ["true"]);
    context.set("aws:ViaAWSService", ["false"]);
    context.set("aws:ResourceAccount", [facts.link.role.account.to_string()]);
    context.set("sts:RoleSessionName", [request.session_name.clone()]);
    context.set("sts:ExternalId", request.external_id.clone());
    context.set("sts:SourceIdentity", request.source_identity.clone());
    for (key, value) in &request.tags {
        context.set(&format!("aws:RequestTag/{key}"), [value.clone()]);
    }
    context.set("aws:TagKeys", request.tags.keys().cloned());
    match facts.caller.mfa {
        Mfa::Present => {
            context.set("aws:MultiFactorAuthPresent", ["true"]);
            context.set("aws:MultiFactorAuthAge", ["0"]);
        }
        // The key exists for temporary credentials only.
        Mfa::Absent if facts.caller.is_session => context.set("aws:MultiFactorAuthPresent", ["false"]),
        Mfa::Absent | Mfa::Unknown => {}
    }
    if let Some(role) = facts.target.role.present() {
        for (key, value) in &role.tags {
            context.set(&format!("aws:ResourceTag/{key}"), [value.clone()]);
            context.set(&format!("iam:ResourceTag/{key}"), [value.clone()]);
        }
    }
    Asked {
        request: Request {
            principal: Principal { account, arns: [arn].into(), unique_id: user.map(|user| user.unique_id.clone()) },
            action: action.to_owned(),
            resource: facts.link.role.to_string(),
            context,
        },
        tags_known: user.is_some(),
        mfa_known: facts.caller.mfa != Mfa::Unknown,
        resource_tags_known: facts.target.role.present().is_some(),
        arn_known,
        is_session: facts.caller.is_session,
    }
}

/// The time at which it was asked.
fn set_time(context: &mut Context, facts: &Facts) {
    let asked = facts.asked_at.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    if let Some(text) = asked.and_then(|asked| asked.format(&Rfc3339).ok()) {
        context.set("aws:CurrentTime", [text]);
    }
    context.set("aws:EpochTime", asked.map(|asked| asked.unix_timestamp().to_string()));
}

/// What the session of the role asks of S3.
pub fn asked_of_s3(facts: &Facts, action: &str, resource: String) -> Asked {
    let role = facts.target.role.present();
    let arn = role.map_or_else(|| facts.link.role.to_string(), |role| role.arn.clone());
    let mut context = Context::default();
    context.set("aws:PrincipalArn", [arn.clone()]);
    context.set("aws:PrincipalAccount", [facts.link.role.account.to_string()]);
    context.set("aws:PrincipalType", ["AssumedRole"]);
    context.set("aws:PrincipalIsAWSService", ["false"]);
    set_time(&mut context, facts);
    let region = facts.s3.as_ref().map_or(&facts.request.region, |s3| &s3.region);
    context.set("aws:RequestedRegion", [region.to_string()]);
    context.set("aws:SecureTransport", ["true"]);
    context.set("aws:ViaAWSService", ["false"]);
    for (key, value) in role.iter().flat_map(|role| &role.tags) {
        context.set(&format!("aws:PrincipalTag/{key}"), [value.clone()]);
    }
    let principal = Principal { account: facts.link.role.account.clone(), arns: [arn].into(), unique_id: None };
    Asked {
        request: Request { principal, action: action.to_owned(), resource, context },
        tags_known: role.is_some(),
        // Sessions of AssumeRole carry no MFA; whether the key is absent then or `false`, the User Guide does not say.
        mfa_known: false,
        resource_tags_known: false,
        arn_known: true,
        is_session: true,
    }
}

/// The user's own policies and those of its groups.
fn grants(facts: &Facts) -> Read<'_> {
    let user = facts.link.user.to_string();
    let mut read = of_holder(&facts.source.policies, &Holder::User(user.clone()));
    match &facts.source.groups {
        Reading::Present(groups) => {
            for (group, policies) in groups {
                let of_group = of_holder(policies, &Holder::Group(group.clone()));
                read.documents.extend(of_group.documents);
                read.missing.extend(of_group.missing);
            }
        }
        groups => read.missing.extend(missing(groups, &format!("the groups of user {user}"))),
    }
    read
}

fn user_boundary(facts: &Facts) -> Option<Held> {
    let arn = facts.source.user.present()?.boundary.clone()?;
    Some(Held { holder: Holder::User(facts.link.user.to_string()), tie: Tie::Boundary(arn) })
}

/// What was read of a boundary; `None` where there is none. Whether there is one only who holds it tells.
fn boundary<'a, T>(
    of: &Reading<T>,
    document: &'a Reading<FoundDocument>,
    (held, holder): (Option<Held>, &Holder),
) -> Option<Read<'a>> {
    let Some(held) = held else {
        let (kind, name) = holder.kind_and_name();
        let missing = missing(of, &format!("permissions boundary of {kind} {name}"))?;
        return Some(Read { documents: Vec::new(), missing: vec![missing] });
    };
    Some(match document {
        Reading::Present(document) => Read { documents: vec![(held, document)], missing: Vec::new() },
        // A boundary whose policy is gone allows nothing (IAM User Guide, permissions boundaries).
        Reading::Absent => Read::default(),
        unread => Read { missing: missing(unread, &held.words()).into_iter().collect(), documents: Vec::new() },
    })
}

fn of_holder<'a>(policies: &'a PolicyFacts, holder: &Holder) -> Read<'a> {
    let mut read = Read::default();
    let (kind, name) = holder.kind_and_name();
    let mut add =
        |list: &'a Reading<BTreeMap<String, Reading<FoundDocument>>>, tie: fn(String) -> Tie, what: &str| match list {
            Reading::Present(documents) => {
                for (policy, document) in documents {
                    let held = Held { holder: holder.clone(), tie: tie(policy.clone()) };
                    match document {
                        Reading::Present(document) => read.documents.push((held, document)),
                        Reading::Absent => {}
                        unread => read.missing.extend(missing(unread, &held.words())),
                    }
                }
            }
            unread => read.missing.extend(missing(unread, &format!("the {what} policies of {kind} {name}"))),
        };
    add(&policies.inline, Tie::Inline, "inline");
    add(&policies.attached, Tie::Attached, "attached");
    read
}

fn missing<T>(reading: &Reading<T>, what: &str) -> Option<Unread> {
    match reading {
        Reading::Unreadable { permission, answer } => {
            Some(Unread { what: what.to_owned(), permission: permission.clone(), answer: answer.clone() })
        }
        _ => None,
    }
}

type Evaluate = fn(&crate::iam::policy::PolicyDocument, &Request) -> evaluate::Finding;

fn judge<'a>(name: String, asked: &Asked, read: Read<'a>, evaluate: Evaluate) -> Judged<'a> {
    let mut judged = Judged {
        name,
        action: asked.request.action.clone(),
        allows: Vec::new(),
        denies: Vec::new(),
        may_apply: Vec::new(),
        misses: Vec::new(),
        missing: read.missing,
        unparsed: Vec::new(),
    };
    for (held, found) in read.documents {
        let document = match found {
            FoundDocument::Policy(document) => document,
            FoundDocument::Unparsed { .. } => {
                judged.unparsed.push(held.words());
                continue;
            }
        };
        let finding = evaluate(document, &asked.request);
        for (index, (statement, found)) in document.statements.iter().zip(finding.statements).enumerate() {
            let place = Place { held: held.clone(), document, statement, number: index + 1 };
            let unknown = place.names_key(|key| asked.is_unknown(key));
            let is_unknown = |mismatch: &Mismatch| match mismatch {
                Mismatch::UnknownOperator { .. } => true,
                Mismatch::Principal => asked.may_be_meant(statement),
                Mismatch::Action => false,
                // A variable without a value matches nothing; with one it may.
                mismatch => place.keys_of(mismatch).iter().any(|key| asked.is_unknown(key)),
            };
            let mut certain = found.mismatches.clone();
            certain.retain(|mismatch| !is_unknown(mismatch));
            if !certain.is_empty() {
                judged.misses.push((place, certain));
            } else if found.mismatches.contains(&Mismatch::Principal) {
                judged.missing.push(Unread {
                    what: format!("ARN of the user, whom {} of the {} may mean", place.numbered(), held.words()),
                    permission: "iam:GetUser".to_owned(),
                    answer: "the user could not be read".to_owned(),
                });
            } else if !unknown.is_empty() || !found.applies() {
                judged.may_apply.push((place, unknown));
            } else if statement.effect == Effect::Deny {
                judged.denies.push(place);
            } else {
                judged.allows.push(place);
            }
        }
    }
    judged
}

/// What may be wrong in what could not be read.
pub fn gaps<'a>(layers: impl IntoIterator<Item = &'a Judged<'a>>) -> Vec<Possibility> {
    // What one thing keeps from being read stands in one line.
    let mut gaps: Vec<(&Unread, Vec<String>)> = Vec::new();
    for missing in layers.into_iter().flat_map(|judged| &judged.missing) {
        let what = format!("the {}", missing.what.trim_start_matches("the "));
        let is_same = |known: &Unread| known.permission == missing.permission && known.answer == missing.answer;
        match gaps.iter_mut().find(|(known, _)| is_same(known)) {
            Some((_, whats)) if whats.contains(&what) => {}
            Some((_, whats)) => whats.push(what),
            None => gaps.push((missing, vec![what])),
        }
    }
    let possible = gaps.into_iter().map(|(missing, whats)| Possibility {
        what: format!("{}, which could not be read", whats.join(", ")),
        decided_by: match missing.permission.as_str() {
            "" => "this command again, with credentials that may read it (--profile, --target-profile)".to_owned(),
            permission => format!("this command again, with {permission} allowed to the operator"),
        },
    });
    possible.collect()
}

/// Policies whose form cannot be evaluated: said, never passed over.
pub fn unparsed(facts: &Facts) -> Vec<Finding> {
    let role = Held { holder: Holder::Role(facts.link.role.name.to_string()), tie: Tie::Trust };
    let trust = facts.target.role.present().map(|found| (role, &found.trust));
    let of_role = of_holder(&facts.target.policies, &Holder::Role(facts.link.role.name.to_string()));
    let user_boundary = user_boundary(facts).zip(facts.source.boundary.present());
    let role_boundary = facts.target.role.present().and_then(|role| role.boundary.clone());
    let holder = Holder::Role(facts.link.role.name.to_string());
    let role_boundary = role_boundary.map(|arn| Held { holder, tie: Tie::Boundary(arn) });
    let role_boundary = role_boundary.zip(facts.target.boundary.present());
    let all = trust.into_iter().chain(grants(facts).documents).chain(user_boundary);
    let all = all.chain(of_role.documents).chain(role_boundary);
    let unparsed = all.filter_map(|(held, found)| match found {
        FoundDocument::Policy(_) => None,
        FoundDocument::Unparsed { problem, .. } => Some((held, problem)),
    });
    let finding = |(held, problem): (Held, &String)| {
        let side = if matches!(held.holder, Holder::Role(_)) { Side::Target } else { Side::Source };
        let (place, problem) = problem.split_once(": ").unwrap_or(("the document", problem));
        let summary = format!("cannot evaluate {place} of the {}: {problem}", held.words());
        Finding::new(Cause::UnreadablePolicy, summary)
            .on(side)
            .likely()
            .fact("xacct reads what the IAM policy grammar allows, and what it cannot read it does not guess")
            .fix(Fix::by(side, facts).step_do(format!("look at the {} by hand", held.words())))
    };
    unparsed.map(finding).collect()
}

/// Collects what could not be read.
#[derive(Debug, Default)]
pub struct Unreadables {
    /// What was collected.
    pub all: Vec<Unread>,
}

impl Unreadables {
    /// Takes note of a reading that failed.
    pub fn note<T>(&mut self, reading: &Reading<T>, what: &str) {
        let same_answer =
            |known: &Unread, new: &Unread| known.answer == new.answer && known.permission == new.permission;
        // One refusal may keep several things from being read.
        self.all.extend(missing(reading, what).filter(|new| !self.all.iter().any(|known| same_answer(known, new))));
    }

    /// The same for a set of policies.
    pub fn note_policies(&mut self, policies: &PolicyFacts, whose: &str) {
        for (list, kind) in [(&policies.inline, "inline"), (&policies.attached, "attached")] {
            self.note(list, &format!("the {kind} policies of {whose}"));
            for (policy, document) in list.present().into_iter().flatten() {
                self.note(document, &format!("{kind} policy {policy} of {whose}"));
            }
        }
    }
}
