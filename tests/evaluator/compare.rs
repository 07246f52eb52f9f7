//! Compares decisions on random scenes.

use std::collections::BTreeMap;
use std::io::Write;

use crate::generate::{For, Generator};
use crate::scene::{Decision, Decisions, Findings, Scene};
use crate::support::third_party;
use crate::{awsim, simulate};

/// The number of scenes to compare with awsim-iam-policy; `XACCT_EVALUATOR_TUPLES` overrides it.
const TUPLES: usize = 10_000;
/// The number of scenes to compare with iam-simulate.
const SIMULATED: usize = 2_000;
/// The random seed; `XACCT_EVALUATOR_SEED` overrides it.
const SEED: usize = 1;

pub fn setting(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number")),
        Err(_) => default,
    }
}

/// Counts decisions and collects scenes with different decisions.
#[derive(Default)]
struct Comparison {
    compared: usize,
    overall: BTreeMap<Decision, usize>,
    each: BTreeMap<Decision, usize>,
    different: usize,
    examples: Vec<String>,
}

impl Comparison {
    fn add(&mut self, scene: &Scene, theirs: Decisions) {
        let ours = Findings::of(scene).decisions();
        self.compared += 1;
        *self.overall.entry(ours.overall()).or_default() += 1;
        for decision in [ours.identity, ours.boundary, ours.trust].into_iter().flatten() {
            *self.each.entry(decision).or_default() += 1;
        }
        if ours != theirs {
            self.different += 1;
            // A short scene is easier to judge.
            self.examples.push(format!("ours {ours:?}\ntheirs {theirs:?}\n{}", serde_json::to_string(scene).unwrap()));
            self.examples.sort_by_key(String::len);
            self.examples.truncate(3);
        }
    }

    fn report(&self, with: &str) {
        let shares = |counts: &BTreeMap<Decision, usize>| {
            let all: usize = counts.values().sum();
            let share = |(decision, count): (&Decision, &usize)| format!("{} % {decision:?}", count * 100 / all.max(1));
            counts.iter().map(share).collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(
            std::io::stderr(),
            "{} tuples compared with {with}: {}; of single policies {}",
            self.compared,
            shares(&self.overall),
            shares(&self.each)
        );
        assert!(
            self.different == 0,
            "{} of {} are decided differently:\n{}",
            self.different,
            self.compared,
            self.examples.join("\n\n")
        );
        for (decision, least) in
            [(Decision::Allowed, 20), (Decision::ExplicitlyDenied, 10), (Decision::ImplicitlyDenied, 10)]
        {
            let count = self.overall.get(&decision).copied().unwrap_or_default();
            assert!(count * 100 >= self.compared * least, "less than {least} % {decision:?}");
        }
    }
}

#[test]
fn agrees_with_awsim() {
    let mut generator = Generator::new(setting("XACCT_EVALUATOR_SEED", SEED) as u64, For::Awsim);
    let mut comparison = Comparison::default();
    for _ in 0..setting("XACCT_EVALUATOR_TUPLES", TUPLES) {
        let scene = generator.scene();
        let theirs = awsim::decisions(&scene).unwrap_or_else(|error| panic!("{error}: {scene:?}"));
        comparison.add(&scene, theirs);
    }
    comparison.report("awsim-iam-policy");
}

#[test]
fn agrees_with_iam_simulate() {
    let mut generator = Generator::new(setting("XACCT_EVALUATOR_SEED", SEED) as u64, For::Simulate);
    let scenes: Vec<_> = (0..SIMULATED).map(|_| generator.scene()).collect();
    let answers = match simulate::decisions(&scenes) {
        Ok(answers) => answers,
        Err(reason) => return third_party::skip(third_party::test_name!(), &reason),
    };
    let mut comparison = Comparison::default();
    for (scene, answer) in scenes.iter().zip(answers) {
        let theirs = answer.unwrap_or_else(|error| panic!("{error}: {}", serde_json::to_string(scene).unwrap()));
        comparison.add(scene, theirs);
    }
    comparison.report("iam-simulate");
}
