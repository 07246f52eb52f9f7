//! Facts files: saved facts can be diagnosed offline and contain no secrets; invalid files are rejected with the
//! location of the error.

use serde_json::{Value, json};
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ALICE};

use crate::diagnose::source::broken;
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};
use crate::support::policies::document;

fn of_live(document: &Value) -> Value {
    document["targets"][ACCOUNT_B]["diagnosis"].clone()
}

/// Creates a link with one cause on each side.
fn scene() -> Scene {
    broken("--require-mfa --no-verify", |world| {
        world.user_mut(ACCOUNT_A, "alice").policies.inline.clear();
        let deny = json!([{"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]);
        world.put_user_policy(ACCOUNT_A, "alice", "deny", document(deny));
    })
}

#[test]
fn offline_diagnosis_equals_live_diagnosis() {
    let scene = scene();
    let code = scene.sandbox.totp("alice");
    let live = of_live(&scene.xacct_json(&format!("diagnose --mfa-code {code} --save-facts facts.json"), 3));
    let text = scene.environment.read("facts.json");
    for secret in [ALICE.secret, ADMIN_A.secret, ADMIN_B.secret, &code, "AKIA", "ASIA"] {
        assert!(!text.contains(secret), "{secret} is in the file");
    }
    scene.sandbox.clear_requests();
    let mut nowhere = Scene::new();
    nowhere.environment.set("AWS_CONFIG_FILE", "/nowhere");
    nowhere.environment.set("AWS_SHARED_CREDENTIALS_FILE", "/nowhere");
    nowhere.environment.write("facts.json", &text);
    let replayed = nowhere.xacct_json("diagnose --facts facts.json", 3);
    assert_eq!(of_live(&replayed), live);
    assert!(nowhere.sandbox.requests().is_empty() && scene.sandbox.requests().is_empty());
    let (one, other) = (scene.xacct("diagnose --facts facts.json"), nowhere.xacct("diagnose --facts facts.json"));
    assert_eq!(one.stdout, other.stdout);
}

#[test]
fn replaces_account_ids() {
    let scene = Scene::new();
    let bootstrap = crate::scene::BOOTSTRAP.replace("222222222222", "333333333333").replace("dev-admin", "third-admin");
    scene.xacct(&format!("{bootstrap} --external-id abc --no-verify")).exits_with(0);
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    let live = scene.xacct_json("diagnose --save-facts facts.json --redact", 3);
    let text = scene.environment.read("facts.json");
    assert!(!text.contains("333333333333"), "{text}");
    let replayed = scene.xacct_json("diagnose --facts facts.json", 3);
    let said = |document: &Value| {
        let diagnosis = document["targets"].as_object().unwrap().values().next().unwrap()["diagnosis"].clone();
        ["findings", "possible", "unread", "layers"].map(|key| diagnosis[key].to_string())
    };
    let masked = |text: String| text.replace("333333333333", "222222222222");
    assert_eq!(said(&live).map(masked), said(&replayed));
}

#[test]
fn never_overwrites_other_files() {
    let scene = scene();
    scene.environment.write("notes.txt", "mine");
    scene.sandbox.clear_requests();
    scene.xacct("diagnose --save-facts notes.txt").exits_with(1).says(&["notes.txt", "is not a facts file"]);
    assert_eq!(scene.environment.read("notes.txt"), "mine");
    assert!(scene.sandbox.requests().is_empty());
    scene.xacct("diagnose --save-facts facts.json").exits_with(3);
    scene.xacct("diagnose --save-facts facts.json").exits_with(3);
}

#[test]
fn rejects_truncated_and_other_files() {
    let scene = scene();
    scene.xacct("diagnose --save-facts facts.json").exits_with(3);
    let whole = scene.environment.read("facts.json");
    scene.sandbox.clear_requests();
    let refused = |text: &str, says: &[&str]| {
        scene.environment.write("bad.json", text);
        let output = scene.xacct("diagnose --facts bad.json").exits_with(2);
        assert_eq!(output.stdout, "");
        output.says(&["bad.json"]).says(says);
    };
    let cuts: Vec<usize> = (0..whole.len() - 2).step_by(50).collect();
    for cut in cuts {
        refused(&whole[..cut], &["line ", "column "]);
    }
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut facts: Value = serde_json::from_str(&whole).unwrap();
        change(&mut facts);
        serde_json::to_string_pretty(&facts).unwrap()
    };
    refused(&changed(&|facts| facts["schema_version"] = 2.into()), &["schema_version 2", "the version of xacct"]);
    refused(&changed(&|facts| facts["schema_version"] = "1".into()), &["schema_version"]);
    refused(&changed(&|facts| facts["link"]["usr"] = "alice".into()), &["unknown field `usr`", "line "]);
    refused(&changed(&|facts| facts["link"]["role"] = "xacct".into()), &["xacct", "line "]);
    refused(&changed(&|facts| facts["caller"]["is_session"] = "no".into()), &["expected a boolean", "line "]);
    refused(&changed(&|facts| facts["answer"] = json!({"perhaps": {}})), &["perhaps", "line "]);
    for field in ["link", "caller", "request", "answer", "source", "target", "schema_version"] {
        let missing = changed(&|facts| {
            facts.as_object_mut().unwrap().remove(field);
        });
        refused(&missing, &[field]);
    }
    refused("[]", &["schema_version"]);
    refused("", &["line 1 column 0"]);
    scene.xacct("diagnose --facts .").exits_with(1).says(&["`.`"]);
    scene.xacct("diagnose --facts absent.json").exits_with(1).says(&["absent.json"]);
    std::fs::write(scene.environment.path("latin1.json"), b"{\"schema_version\": 1, \"link\": \"\xe9\"}").unwrap();
    scene.xacct("diagnose --facts latin1.json").exits_with(2).says(&["latin1.json", "UTF-8"]);
    assert!(scene.sandbox.requests().is_empty());
}
