//! The callers of the cases in `tests/cases/admission`, which a unit test reduces: who gets in, by each evaluator.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use xacct::iam::evaluate::{Caller, Context, Decision, Request, resource_policy};

use crate::scene::{Asked, Decisions, Policies, Scene, Values, document};
use crate::support::third_party;
use crate::{ROLE, awsim, scene, simulate};

#[derive(Deserialize)]
struct Case {
    name: String,
    policy: Value,
    callers: Vec<Tried>,
}

/// A caller, by one of three kinds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tried {
    /// The ARN of a user, or those of a session and its role.
    #[serde(default)]
    principal: Vec<String>,
    service: Option<String>,
    federated: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, Values>,
    gets_in: bool,
    /// The third-party implementations that decide differently.
    #[serde(default)]
    disagrees: BTreeSet<String>,
}

impl Tried {
    fn action(&self) -> &'static str {
        match &self.federated {
            Some(provider) if provider.contains(":saml-provider/") => "sts:AssumeRoleWithSAML",
            Some(_) => "sts:AssumeRoleWithWebIdentity",
            None => "sts:AssumeRole",
        }
    }

    /// Returns the request, with the keys that AWS derives from the caller.
    fn asked(&self) -> Asked {
        let mut context = self.context.clone();
        let name = self.service.iter().chain(&self.federated);
        let principal: Vec<_> = self.principal.iter().chain(name).cloned().collect();
        if let Some(arn) = self.principal.last() {
            let account = arn.split(':').nth(4).expect("an account");
            context.insert("aws:PrincipalArn".to_owned(), Values::One(arn.clone()));
            context.insert("aws:PrincipalAccount".to_owned(), Values::One(account.to_owned()));
        }
        Asked { principal, unique_id: None, action: self.action().to_owned(), resource: ROLE.to_owned(), context }
    }

    fn request(&self) -> Request {
        let asked = self.asked();
        match (&self.service, &self.federated) {
            (None, None) => scene::request(&asked),
            (service, provider) => {
                let mut context = Context::default();
                for (key, values) in &asked.context {
                    context.set(key, values.all());
                }
                let caller = service.clone().map(Caller::Service);
                let principal = caller.or_else(|| provider.clone().map(Caller::Federated)).expect("a caller");
                Request { principal, action: asked.action, resource: asked.resource, context }
            }
        }
    }
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/admission");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    files.flat_map(|text| serde_json::from_str::<Vec<Case>>(&text).unwrap()).collect()
}

/// Returns who gets in by one evaluator, and how many it could not decide.
fn compare(cases: &[Case], name: &str, answers: Vec<Result<Decisions, String>>) {
    let (mut wrong, mut agreed, mut different, mut undecided) = (Vec::new(), 0, 0, BTreeMap::<String, usize>::new());
    let callers = cases.iter().flat_map(|case| case.callers.iter().map(move |caller| (case, caller)));
    for ((case, caller), answer) in callers.zip(answers) {
        let gets_in = match answer {
            Ok(decisions) => decisions.trust == Some(scene::Decision::Allowed),
            Err(error) => {
                *undecided.entry(error.chars().take(40).collect()).or_default() += 1;
                continue;
            }
        };
        let agrees = gets_in == caller.gets_in;
        if agrees {
            agreed += 1;
        } else {
            different += 1;
        }
        if agrees == caller.disagrees.contains(name) {
            wrong.push(format!("{}: {:?} gets in: {gets_in}", case.name, caller.asked().principal));
        }
    }
    let cannot: usize = undecided.values().sum();
    let _ = writeln!(
        std::io::stderr(),
        "{name} decides {agreed} callers of {} trust policies as by hand, {different} differently, {cannot} not: {undecided:?}",
        cases.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(agreed >= 100, "only {agreed}");
}

#[test]
fn whoever_should_get_in_gets_in() {
    let mut wrong = Vec::new();
    for case in cases() {
        for caller in &case.callers {
            let finding = resource_policy(&document(&case.policy), &caller.request());
            if (finding.decision == Decision::Allowed) != caller.gets_in {
                wrong.push(format!("{}: {:?} gets in: {}", case.name, caller.request().principal, !caller.gets_in));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn scenes(cases: &[Case]) -> Vec<Scene> {
    let of_case = |case: &Case| {
        let scene = |caller: &Tried| Scene {
            policies: Policies { trust: Some(case.policy.clone()), ..Policies::default() },
            request: caller.asked(),
        };
        case.callers.iter().map(scene).collect::<Vec<_>>()
    };
    cases.iter().flat_map(of_case).collect()
}

#[test]
fn awsim_agrees_but_where_a_caller_says_so() {
    let cases = cases();
    let decide = |scene: &Scene| match scene.request.principal[0].starts_with("arn:aws:") {
        true if scene.request.action == "sts:AssumeRole" => awsim::decisions(scene),
        _ => Err("only principals of AWS accounts".to_owned()),
    };
    compare(&cases, "awsim-iam-policy", scenes(&cases).iter().map(decide).collect());
}

#[test]
fn iam_simulate_agrees_but_where_a_caller_says_so() {
    let cases = cases();
    match simulate::decisions(&scenes(&cases)) {
        Ok(answers) => compare(&cases, "iam-simulate", answers),
        Err(reason) => third_party::skip(third_party::test_name!(), &reason),
    }
}
