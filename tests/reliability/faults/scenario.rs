//! Commands, with their initial state and the result of an undisturbed run.

use std::collections::BTreeMap;

use serde_json::Value;
use xacct_sandbox::{Sandbox, SandboxBuilder, World};

use super::kinds::Call;
use crate::scene::{ACCOUNT_B, BOOTSTRAP, Scene};
use crate::state;

/// The name of a bucket left behind by an interrupted run.
const LEFT: &str = "xacct-verify-222222222222-abcdefghijkm";

const LINK: &str = "--external-id abc --policy-arn PowerUserAccess";

/// A command that can be run repeatedly from the same initial state.
pub struct Scenario {
    /// The name of the command.
    pub name: &'static str,
    /// The arguments.
    pub words: String,
    start: (World, Option<String>),
    /// The calls of an undisturbed run.
    pub calls: Vec<Call>,
    /// The state after an undisturbed run.
    pub end: (Value, Option<String>),
}

impl Scenario {
    /// Creates and tests a link with a managed policy and an external ID.
    pub fn bootstrap() -> Self {
        let words = format!("{BOOTSTRAP} {LINK} --timeout 5s --output json");
        Self::of("bootstrap", &words, &Scene::of(Sandbox::builder().plant(state::plant_others)))
    }

    /// Tests that link.
    pub fn verify() -> Self {
        Self::of("verify", "verify --output json", &linked())
    }

    /// Removes that link.
    pub fn teardown() -> Self {
        Self::of("teardown", "teardown --all --yes --timeout 5s --output json", &linked())
    }

    /// Deletes a bucket that was left behind.
    pub fn sweep() -> Self {
        let scene = linked();
        scene.sandbox.world(|world| {
            let bucket = world.add_bucket(ACCOUNT_B, LEFT, "us-east-1");
            bucket.tags.insert("xacct:purpose".to_owned(), "verify".to_owned());
        });
        Self::of("sweep", "sweep --all --yes --older-than 0s --output json", &scene)
    }

    /// Diagnoses that link.
    pub fn diagnose() -> Self {
        Self::of("diagnose", "diagnose --output json", &linked())
    }

    /// Gets a session.
    pub fn credentials() -> Self {
        Self::of("credentials", "credentials", &linked())
    }

    fn of(name: &'static str, words: &str, start: &Scene) -> Self {
        let mut scenario = Self {
            name,
            words: words.to_owned(),
            start: (start.sandbox.world(|world| world.clone()), file(start)),
            calls: Vec::new(),
            end: (Value::Null, None),
        };
        let scene = scenario.begin(Sandbox::builder());
        scene.xacct(words).exits_with(0);
        let mut counts = BTreeMap::new();
        for request in scene.sandbox.requests() {
            let count = counts.entry(request.operation.clone()).or_default();
            *count += 1;
            scenario.calls.push(Call { service: request.service, operation: request.operation, number: *count });
        }
        scenario.end = standing(&scene);
        scenario
    }

    /// Returns a new scene in the initial state.
    pub fn begin(&self, builder: SandboxBuilder) -> Scene {
        let (world, file) = &self.start;
        let scene = Scene::of(builder.world(world.clone()));
        if let Some(text) = file {
            scene.environment.write("xacct.toml", text);
        }
        scene
    }
}

/// Creates a link and unmanaged resources, without testing the link.
fn linked() -> Scene {
    let scene = Scene::of(Sandbox::builder().plant(state::plant_others));
    scene.link(&format!("{LINK} --no-verify"));
    scene
}

/// Returns the state of the accounts and of `xacct.toml`.
pub fn standing(scene: &Scene) -> (Value, Option<String>) {
    (state::of(scene), file(scene))
}

fn file(scene: &Scene) -> Option<String> {
    scene.environment.has("xacct.toml").then(|| scene.environment.read("xacct.toml"))
}
