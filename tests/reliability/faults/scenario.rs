//! Commands, with their initial state and the result of an undisturbed run.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xacct_sandbox::world::PermissionSet;
use xacct_sandbox::{Sandbox, SandboxBuilder, World};

use super::kinds::Call;
use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, ROLE, Scene};
use crate::state;

/// The name of a bucket left behind by an interrupted run.
const LEFT: &str = "xacct-verify-222222222222-abcdefghijkm";

/// The files of a scene.
const FILES: [&str; 3] = ["aws/config", "aws/credentials", "xacct.toml"];

const LINK: &str = "--external-id abc --policy-arn PowerUserAccess";

/// A command that can be run repeatedly from the same initial state.
pub struct Scenario {
    /// The name of the command.
    pub name: &'static str,
    /// The arguments.
    pub words: String,
    start: World,
    files: Vec<(&'static str, String)>,
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

    /// Creates and tests a link of the group `deployers`, whose grant is in a managed policy.
    pub fn bootstrap_of_a_group() -> Self {
        Self::of(
            "bootstrap of a group",
            &format!("{} --output json", bootstrap_of("group/deployers", "alice")),
            &others(),
        )
    }

    /// Removes it.
    pub fn teardown_of_a_group() -> Self {
        let scene = others();
        scene.xacct(&format!("{} --no-verify", bootstrap_of("group/deployers", "alice"))).exits_with(0);
        Self::of("teardown of a group", "teardown --all --yes --timeout 5s --output json", &scene)
    }

    /// Creates and tests a link of the role `ci/terraform`, whose grant is in a managed policy.
    pub fn bootstrap_of_a_role() -> Self {
        let words = format!("{} --output json", bootstrap_of("role/ci/terraform", "terraform"));
        Self::of("bootstrap of a role", &words, &others())
    }

    /// Creates and tests a link of the permission set `Deployer`, which has the grant.
    pub fn bootstrap_of_a_permission_set() -> Self {
        let scene = others();
        let grant = json!({"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE});
        let set = PermissionSet::new("Deployer", "eu-west-1");
        let set = set.inline(json!({"Version": "2012-10-17", "Statement": [grant]}));
        scene.sandbox.world(|world| world.provision(ACCOUNT_A, &set)).expect("a permission set");
        let words = format!("{} --output json", bootstrap_of("permission-set/Deployer", "deployer"));
        Self::of("bootstrap of a permission set", &words, &scene)
    }

    /// Keeps only the calls that another scenario does not have.
    pub fn beyond(mut self, other: &Self) -> Self {
        self.calls.retain(|call| !other.calls.contains(call));
        assert!(!self.calls.is_empty(), "{}", self.name);
        self
    }

    fn of(name: &'static str, words: &str, start: &Scene) -> Self {
        let mut scenario = Self {
            name,
            words: words.to_owned(),
            start: start.sandbox.world(|world| world.clone()),
            files: FILES
                .into_iter()
                .filter(|file| start.environment.has(file))
                .map(|file| (file, start.environment.read(file)))
                .collect(),
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
        let scene = Scene::of(builder.world(self.start.clone()));
        self.files.iter().for_each(|(file, text)| scene.environment.write(file, text));
        scene
    }
}

/// Creates the principals that are no users, profiles with their sessions, and unmanaged resources. No grant fits into
/// inline policies.
fn others() -> Scene {
    let scene = Scene::of(Sandbox::builder().plant(state::plant_others));
    let principals = scene.sandbox.world(World::add_principals);
    scene.session_profile("terraform", &principals.terraform);
    scene.session_profile("deployer", &principals.deployer);
    scene.sandbox.world(|world| {
        let quotas = &mut world.account_mut(ACCOUNT_A).quotas;
        (quotas.group_policy_size, quotas.role_policy_size) = (100, 100);
    });
    scene
}

fn bootstrap_of(principal: &str, profile: &str) -> String {
    format!(
        "bootstrap --yes --target-account {ACCOUNT_B} --principal {principal} --user-profile {profile} --profile \
         security-admin --target-profile dev-admin {LINK} --timeout 5s"
    )
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
