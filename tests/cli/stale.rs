//! Between showing and doing, somebody else makes another thing of the same name: it is left alone, with `--yes`, too.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use xacct_sandbox::world::World;
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, trust};
use crate::support::{Output, Running};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// What somebody else does.
type Meanwhile = fn(&mut World);

/// Reads of a role, a grant and buckets, of which the second is the one right before the first write.
const READS: [&str; 8] = [
    "GetRole",
    "ListAttachedRolePolicies",
    "ListRolePolicies",
    "GetRolePolicy",
    "ListInstanceProfilesForRole",
    "GetUserPolicy",
    "ListBuckets",
    "GetBucketTagging",
];

/// Runs xacct, and changes the world between its first look, which the plan that it shows rests on, and the second.
pub fn meanwhile(scene: &Scene, words: &str, change: impl FnOnce(&mut World)) -> Output {
    scene.sandbox.clear_requests();
    scene.sandbox.clear_faults();
    for read in READS {
        scene.sandbox.add_fault(Fault::new(read, FaultKind::Delay(Duration::from_secs(1))).on_call(2));
    }
    let run = Running::start(scene.command(words));
    while !READS.iter().any(|read| scene.requests(read).len() == 2) {
        sleep(Duration::from_millis(10));
    }
    scene.sandbox.world(change);
    run.ended()
}

/// Makes the role anew as somebody else would: without our tags, and an administrator.
fn replace_role(world: &mut World) {
    world.delete_role(ACCOUNT_B, "xacct");
    world.add_role(ACCOUNT_B, "xacct", json!({"Version": "2012-10-17", "Statement": []}));
    world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR);
}

#[test]
fn teardown_deletes_no_role_that_was_made_anew() {
    let scene = Scene::linked("--no-verify");
    let output = meanwhile(&scene, "teardown --all --yes", replace_role);
    output.exits_with(1).says(&["changed since it was shown: ", "role ID", "xacct teardown --dry-run"]);
    let role = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").cloned()).expect("the role of others");
    assert!(role.policies.attached.contains(ADMINISTRATOR));
    assert_eq!(scene.writes(), [""; 0], "the entry in the grant belongs to the role that was refused");
}

#[test]
fn teardown_says_that_the_grant_was_replaced() {
    let scene = Scene::linked("--no-verify");
    let output = meanwhile(&scene, "teardown --all --yes", |world| {
        let other = json!({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"});
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", json!({"Version": "2012-10-17", "Statement": [other]}));
    });
    output.exits_with(1).says(&["policy `xacct` of user `alice` changed since it was shown", "--dry-run"]);
    assert!(scene.iam_writes().iter().all(|write| !write.contains("UserPolicy")), "{:?}", scene.iam_writes());
    assert!(scene.environment.read("xacct.toml").contains("[targets."), "the link is not forgotten");
}

/// What deleting does not depend on stops no teardown.
#[test]
fn teardown_does_not_mind_a_new_description_or_session_limit() {
    let scene = Scene::linked("--no-verify");
    let output = meanwhile(&scene, "teardown --all --yes", |world| {
        let role = world.role_mut(ACCOUNT_B, "xacct").expect("the role");
        role.description = Some("new".to_owned());
        role.max_session_duration = 7200;
    });
    output.exits_with(0);
}

#[test]
fn bootstrap_opens_no_role_that_was_made_anew() {
    let scene = Scene::linked("--no-verify");
    let words = "bootstrap --yes --no-verify --external-id other";
    let output = meanwhile(&scene, words, replace_role);
    output.exits_with(1).says(&["changed since it was shown: ", "role ID", "--dry-run"]);
    assert_eq!(scene.writes(), [""; 0]);
    assert_eq!(scene.trust_policy()["Statement"], json!([]));
}

/// Whoever may change the role's parts one by one does not get them confirmed by an answer to something else.
#[test]
fn whatever_a_plan_rests_on_stops_it_when_it_changes() {
    let changes: [(&str, Meanwhile); 5] = [
        ("tags", |world| {
            let tags = &mut world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags;
            tags.insert("owner".to_owned(), "carol".to_owned());
        }),
        ("tags", |world| drop(world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.remove("managed-by"))),
        ("trust policy", |world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({})))),
        ("managed policies", |world| world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR)),
        ("boundary", |world| world.set_role_boundary(ACCOUNT_B, "xacct", Some(ADMINISTRATOR))),
    ];
    for words in
        ["bootstrap --yes --allow-weaker --no-verify --max-session-duration 2h", "teardown --all --yes --only target"]
    {
        for (part, change) in changes {
            let scene = Scene::linked("--no-verify --external-id abc");
            let output = meanwhile(&scene, words, change);
            output.exits_with(1).says(&[&format!("changed since it was shown: {part}")]);
            assert_eq!(scene.writes(), [""; 0], "{words} {part}");
        }
    }
}

/// Another run that does the same is no reason to stop.
#[test]
fn what_another_run_did_of_it_meanwhile_is_not_done_again() {
    let scene = Scene::linked("--no-verify --external-id abc");
    let words = "bootstrap --yes --allow-weaker --no-verify --max-session-duration 2h --policy-arn PowerUserAccess";
    let attach = |world: &mut World| {
        world.attach_role_policy(ACCOUNT_B, "xacct", "arn:aws:iam::aws:policy/PowerUserAccess");
    };
    meanwhile(&scene, words, attach).exits_with(0);
    let mut writes = scene.iam_writes();
    writes.retain(|operation| operation != "TagRole");
    assert_eq!(writes, ["UpdateRole", "DeleteRolePolicy"]);
}

#[test]
fn a_role_that_goes_away_meanwhile_is_not_made_by_halves() {
    let scene = Scene::linked("--no-verify");
    let gone = |world: &mut World| drop(world.delete_role(ACCOUNT_B, "xacct"));
    let words = "bootstrap --yes --allow-weaker --no-verify --max-session-duration 2h";
    meanwhile(&scene, words, gone).exits_with(1).says(&["changed since it was shown: it is gone"]);
    scene.bootstrap("--no-verify").exits_with(0);
    meanwhile(&scene, "teardown --all --yes", gone).exits_with(0);
    assert!(scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").is_none()));
}

#[test]
fn sweep_deletes_no_bucket_that_was_made_anew() {
    const NAME: &str = "xacct-verify-222222222222-abcdefghijkm";
    fn plant(world: &mut World, hours: u64, is_tagged: bool) {
        let bucket = world.add_bucket(ACCOUNT_B, NAME, "us-east-1");
        bucket.created -= Duration::from_secs(hours * 3600);
        if is_tagged {
            bucket.tags.insert("xacct:purpose".to_owned(), "verify".to_owned());
        }
    }
    let changes: [(&str, Meanwhile); 4] = [
        ("tags", |world| {
            // The value: the bucket is used for something else now.
            let bucket = world.remove_bucket(NAME).expect("the bucket");
            let again = world.add_bucket(ACCOUNT_B, NAME, "us-east-1");
            (again.created, again.tags) = (bucket.created, bucket.tags);
            again.tags.insert("xacct:purpose".to_owned(), "backups".to_owned());
        }),
        ("tags", |world| {
            world.remove_bucket(NAME);
            plant(world, 2, false);
        }),
        ("age", |world| {
            world.remove_bucket(NAME);
            plant(world, 0, true);
        }),
        ("content", |world| {
            let bucket = world.remove_bucket(NAME).expect("the bucket");
            let created = bucket.created;
            plant(world, 0, true);
            let again = world.add_bucket(ACCOUNT_B, NAME, "us-east-1");
            again.created = created;
            again.tags = bucket.tags;
            again.objects.insert("something".to_owned(), b"dear".to_vec());
        }),
    ];
    for (part, change) in changes {
        let scene = Scene::linked("--no-verify");
        scene.sandbox.world(|world| plant(world, 2, true));
        let output = meanwhile(&scene, "sweep --all --yes", change);
        output.exits_with(1).says(&["changed since it was shown: ", part, "xacct sweep --dry-run 222222222222"]);
        assert_eq!(scene.requests("DeleteBucket").len(), 0, "{part}");
        assert_eq!(scene.buckets(), 1, "{part}");
    }
}
