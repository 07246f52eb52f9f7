//! The state of the accounts, comparable between runs.

use serde_json::{Value, json};
use xacct_sandbox::world::World;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, trust};
use crate::support::policies::allow;

/// Fields that differ between equal runs: IDs, times, and access records.
const INCIDENTAL: [&str; 5] = ["id", "created", "uses", "sessions", "used_codes"];

/// Returns the state of all accounts.
pub fn of(scene: &Scene) -> Value {
    let mut state = scene.sandbox.world(|world| serde_json::to_value(&*world)).expect("a world is JSON");
    strip(&mut state);
    state
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, field| is_policy(field) || !INCIDENTAL.contains(&name.as_str()));
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Whether a value is a policy. A policy may have any name, also that of an incidental field.
fn is_policy(value: &Value) -> bool {
    value.get("Statement").is_some()
}

/// Creates unmanaged resources: a role and a bucket in B with similar names, and policies of the user.
pub fn plant_others(world: &mut World) {
    let some = |action: &str| allow(action, "*");
    world.add_role(ACCOUNT_B, "xacct-of-others", trust(&json!({})));
    world.put_role_policy(ACCOUNT_B, "xacct-of-others", "xacct-verify", some("s3:Get*"));
    world.add_bucket(ACCOUNT_B, "xacct-verify-of-others", "us-east-1");
    world.put_user_policy(ACCOUNT_A, "alice", "of-others", some("ses:*"));
    world.attach_user_policy(ACCOUNT_A, "alice", "arn:aws:iam::aws:policy/ReadOnlyAccess");
}
