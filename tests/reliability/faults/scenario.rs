//! Commands, with what they start from and what an undisturbed run makes of it.

use std::collections::BTreeMap;

use serde_json::Value;
use xacct_sandbox::{Sandbox, SandboxBuilder, World};

use super::kinds::Call;
use crate::scene::{ACCOUNT_B, BOOTSTRAP, Scene};
use crate::state;

/// A bucket as a killed run leaves it.
const LEFT: &str = "xacct-verify-222222222222-abcdefghijkm";

const LINK: &str = "--external-id abc --policy-arn PowerUserAccess";

/// A command that can be run again and again from the same start.
pub struct Scenario {
    /// The command's name.
    pub name: &'static str,
    /// What is typed.
    pub words: String,
    start: (World, Option<String>),
    /// The calls of an undisturbed run.
    pub calls: Vec<Call>,
    /// What stands after an undisturbed run.
    pub end: (Value, Option<String>),
}

impl Scenario {
    /// A new link, with a managed policy and an external ID, and its proof.
    pub fn bootstrap() -> Self {
        let words = format!("{BOOTSTRAP} {LINK} --timeout 5s --output json");
        Self::of("bootstrap", &words, &Scene::of(Sandbox::builder().plant(state::plant_others)))
    }

    /// The proof of that link.
    pub fn verify() -> Self {
        Self::of("verify", "verify --output json", &linked())
    }

    /// The removal of that link.
    pub fn teardown() -> Self {
        Self::of("teardown", "teardown --yes --timeout 5s --output json", &linked())
    }

    /// The deletion of a bucket that was left.
    pub fn sweep() -> Self {
        let scene = linked();
        scene.sandbox.world(|world| {
            let bucket = world.add_bucket(ACCOUNT_B, LEFT, "us-east-1");
            bucket.tags.insert("xacct:purpose".to_owned(), "verify".to_owned());
        });
        Self::of("sweep", "sweep --yes --older-than 0s --output json", &scene)
    }

    /// A look into both halves.
    pub fn diagnose() -> Self {
        Self::of("diagnose", "diagnose --output json", &linked())
    }

    /// A session.
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

    /// A scene of its own, as the command finds it.
    pub fn begin(&self, builder: SandboxBuilder) -> Scene {
        let (world, file) = &self.start;
        let scene = Scene::of(builder.world(world.clone()));
        if let Some(text) = file {
            scene.environment.write("xacct.toml", text);
        }
        scene
    }
}

/// A link beside things of others, not proven yet.
fn linked() -> Scene {
    let scene = Scene::of(Sandbox::builder().plant(state::plant_others));
    scene.link(&format!("{LINK} --no-verify"));
    scene
}

/// What stands in the accounts, and in `xacct.toml`.
pub fn standing(scene: &Scene) -> (Value, Option<String>) {
    (state::of(scene), file(scene))
}

fn file(scene: &Scene) -> Option<String> {
    scene.environment.has("xacct.toml").then(|| scene.environment.read("xacct.toml"))
}
