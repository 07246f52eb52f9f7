//! A command to interrupt, and the result of an uninterrupted run.

use std::time::{Duration, Instant};

use serde_json::Value;
use xacct_sandbox::{Sandbox, World};

use super::call::Call;
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};
use crate::state;

/// The file with the recorded links.
const FILE: &str = "xacct.toml";

/// The AWS config files.
const PROFILES: [&str; 2] = ["aws/config", "aws/credentials"];

/// A command, its initial state, and the result of an uninterrupted run.
pub struct Trial {
    /// A description.
    pub name: &'static str,
    /// The command line.
    pub words: String,
    world: World,
    profiles: [String; 2],
    /// The state before the run.
    pub start: Traces,
    /// The file while an uninterrupted run writes to AWS.
    pub between: Option<String>,
    /// The state after an uninterrupted run.
    pub goal: Traces,
    /// The calls of an uninterrupted run.
    pub calls: Vec<Call>,
    length: Duration,
}

impl Trial {
    /// Runs the command without interruption. `prepare` creates the initial state, in addition to unmanaged resources.
    pub fn new(name: &'static str, words: &str, prepare: impl FnOnce(&Scene)) -> Self {
        let scene = Scene::new();
        scene.sandbox.world(state::plant_others);
        prepare(&scene);
        let world = scene.sandbox.world(|world| world.clone());
        let start = Traces::of(&scene);
        let mut trial = Self {
            name,
            words: words.to_owned(),
            world,
            profiles: PROFILES.map(|file| scene.environment.read(file)),
            between: start.file.clone(),
            start: start.clone(),
            goal: start,
            calls: Vec::new(),
            length: Duration::ZERO,
        };
        // On a busy machine a run reads the grant more often, so the run with the fewest calls counts.
        let runs = (0..3).map(|_| {
            let scene = trial.scene();
            let begun = Instant::now();
            scene.xacct(words).exits_with(0);
            (begun.elapsed(), scene)
        });
        let (length, scene) = runs.min_by_key(|(_, scene)| scene.sandbox.requests().len()).expect("a run");
        trial.length = length;
        trial.goal = Traces::of(&scene);
        for operation in scene.sandbox.requests().into_iter().map(|request| request.operation) {
            let before = trial.calls.iter().filter(|call| call.operation == operation).count();
            trial.calls.push(Call { operation, number: before as u64 + 1 });
        }
        trial
    }

    /// Returns accounts and directory in the initial state.
    pub fn scene(&self) -> Scene {
        let scene = Scene::of(Sandbox::builder().world(self.world.clone()));
        let profiles = PROFILES.into_iter().zip(&self.profiles);
        let files = profiles.chain(self.start.file.iter().map(|text| (FILE, text)));
        files.for_each(|(file, text)| scene.environment.write(file, text));
        scene
    }

    /// Returns a random time for a signal; concurrent runs take longer.
    pub fn some_time(&self) -> Duration {
        let mut random = [0; 4];
        getrandom::fill(&mut random).expect("random bytes");
        (self.length * 3).mul_f64(f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX))
    }
}

/// The state of the accounts and of the directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// All accounts.
    pub state: Value,
    /// `xacct.toml`.
    pub file: Option<String>,
}

impl Traces {
    /// Records the current state. A generated external ID is replaced by a placeholder.
    pub fn of(scene: &Scene) -> Self {
        let file = scene.environment.has(FILE).then(|| scene.environment.read(FILE));
        let state = state::of(scene);
        let lines = file.iter().flat_map(|text| text.lines());
        let generated = lines.filter_map(|line| line.strip_prefix("external_id = ")).find(|id| id.len() > 30);
        let Some(id) = generated.map(str::to_owned) else { return Self { state, file } };
        let named = |text: String| text.replace(&id, "\"generated\"");
        Self { state: named(state.to_string()).parse().expect("JSON"), file: file.map(named) }
    }

    /// Returns the unmanaged resources.
    pub fn of_others(&self) -> Value {
        let mut state = self.state.clone();
        let mut take = |path: &str, is_ours: fn(&str) -> bool| {
            let things = state.pointer_mut(path).and_then(Value::as_object_mut);
            things.unwrap_or_else(|| panic!("no {path}")).retain(|name, _| !is_ours(name));
        };
        take(&format!("/accounts/{ACCOUNT_B}/roles"), |name| ["xacct", "deploy"].contains(&name));
        take(&format!("/accounts/{ACCOUNT_A}/policies"), is_grant_policy);
        take("/buckets", is_test_bucket);
        for kind in ["users", "groups", "roles"] {
            let principals = state.pointer_mut(&format!("/accounts/{ACCOUNT_A}/{kind}")).and_then(Value::as_object_mut);
            for policies in principals.into_iter().flatten().map(|(_, principal)| &mut principal["policies"]) {
                let inline = policies["inline"].as_object_mut().expect("inline policies");
                inline.retain(|name, _| name != "xacct");
                let attached = policies["attached"].as_array_mut().expect("attached policies");
                attached.retain(|arn| !arn.as_str().is_some_and(is_grant_policy));
            }
        }
        state
    }

    /// Returns the existing test buckets.
    pub fn test_buckets(&self) -> Vec<String> {
        let buckets = self.state["buckets"].as_object().into_iter().flatten();
        buckets.map(|(name, _)| name.clone()).filter(|name| is_test_bucket(name)).collect()
    }

    /// Returns the differences from another state, line by line.
    pub fn differences(&self, other: &Self) -> String {
        let lines = |traces: &Self| -> Vec<String> {
            let text = format!("{:#}\n{}", traces.state, traces.file.as_deref().unwrap_or("no file"));
            text.lines().map(str::to_owned).collect()
        };
        let (ours, theirs) = (lines(self), lines(other));
        let only = |sign: &str, these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|line| !those.contains(line)).map(|line| format!("{sign}{}", line.trim())).collect()
        };
        [only("-", &ours, &theirs), only("+", &theirs, &ours)].concat().join("\n")
    }
}

fn is_test_bucket(name: &str) -> bool {
    name.starts_with(&format!("xacct-verify-{ACCOUNT_B}-"))
}

fn is_grant_policy(arn: &str) -> bool {
    arn.contains(":policy/xacct/")
}
