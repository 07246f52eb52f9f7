//! Wherever xacct is killed or interrupted, the same command repairs what is left.
//!
//! Every call of a command is a point of interruption. The test starts the real program on accounts of its own; the
//! sandbox holds one request at a given moment, and the test sends a signal. Then the same command runs again without a
//! signal and must reach exactly the result of an uninterrupted run.

mod call;
mod strike;
mod tally;
mod trial;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::json;
use xacct_sandbox::World;

use crate::places;
use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, Scene, trust};
use call::Call;
use strike::{Blow, Moment, Signal, Struck, When, strike};
use tally::Tally;
use trial::Trial;

#[test]
fn bootstrap_of_a_new_link() {
    let words = format!("{BOOTSTRAP} --generate-external-id");
    hold_up(&Trial::new("bootstrap, new link", &words, |_| ()), every);
}

#[test]
fn bootstrap_with_drift() {
    let options = "--external-id 0123456789abcdef --policy-arn AmazonS3FullAccess --allow-weaker";
    let words = format!("{BOOTSTRAP} {options}");
    let trial = Trial::new("bootstrap, drift", &words, |scene| {
        scene.link("--no-verify --external-id of-old --policy-arn SecurityAudit --max-session-duration 2h");
        scene.sandbox.world(|world| {
            world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({})));
            let everything = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
            world.put_role_policy(ACCOUNT_B, "xacct", "xacct-verify", everything);
            world.user_mut(ACCOUNT_A, "alice").policies.inline.remove("xacct");
        });
    });
    // It makes the same reads as bootstrap of a new link.
    hold_up(&trial, Call::is_write);
}

#[test]
fn verify() {
    hold_up(&Trial::new("verify", "verify", |scene| scene.link("--external-id 0123456789abcdef")), every);
}

#[test]
fn teardown() {
    let trial = Trial::new("teardown", "teardown --all --yes --even-if-used", |scene| {
        scene.link("--external-id 0123456789abcdef --policy-arn AmazonS3FullAccess");
    });
    hold_up(&trial, every);
}

#[test]
fn move_to_another_role() {
    let words = "move 222222222222 --role-name deploy --yes";
    let mut trial = Trial::new("move", words, |scene| scene.link("--external-id 0123456789abcdef"));
    let moving_to = format!("moving_to = \"arn:aws:iam::{ACCOUNT_B}:role/deploy\"\n");
    trial.between = trial.start.file.as_ref().map(|file| file.clone() + &moving_to);
    hold_up(&trial, every);
}

#[test]
fn end_of_a_move() {
    let trial = Trial::new("move --finish", "move 222222222222 --finish --yes --even-if-used", |scene| {
        scene.link("--external-id 0123456789abcdef");
        scene.xacct("move 222222222222 --role-name deploy --yes").exits_with(0);
        scene.sandbox.clear_requests();
    });
    hold_up(&trial, every);
}

#[test]
fn rotate() {
    let words = "rotate external-id 222222222222 --new-external-id new-id --yes";
    hold_up(&Trial::new("rotate", words, |scene| scene.link("--external-id 0123456789abcdef")), Call::is_write);
}

#[test]
fn end_of_a_rotation() {
    let trial = Trial::new("rotate --finish", "rotate external-id 222222222222 --finish --yes", |scene| {
        scene.link("--external-id 0123456789abcdef");
        scene.xacct("rotate external-id 222222222222 --new-external-id new-id --yes").exits_with(0);
        scene.sandbox.clear_requests();
    });
    hold_up(&trial, Call::is_write);
}

#[test]
fn replace() {
    let words = "replace alice --with bob --yes --user-profile bob";
    hold_up(&Trial::new("replace", words, |scene| scene.link("--restrict-to-user")), Call::is_write);
}

#[test]
fn end_of_a_replacement() {
    let trial = Trial::new("replace --finish", "replace alice --with bob --yes --finish", |scene| {
        scene.link("--restrict-to-user");
        scene.xacct("replace alice --with bob --yes --user-profile bob").exits_with(0);
        scene.sandbox.clear_requests();
    });
    hold_up(&trial, Call::is_write);
}

#[test]
fn link_of_a_role() {
    let words = "bootstrap --yes --target-account 222222222222 --principal role/ci/terraform --user-profile terraform \
                 --profile security-admin --target-profile dev-admin --external-id 0123456789abcdef";
    hold_up(&Trial::new("bootstrap of a role's link", words, add_principals), Call::is_write);
}

/// The links of a group and of a role, whose grants are in managed policies.
const OF_OTHERS: [(&str, &str); 2] =
    [("group/deployers", "--user-profile alice"), ("role/ci/terraform", "--user-profile terraform")];

fn bootstrap_of(principal: &str, profile: &str) -> String {
    format!(
        "bootstrap --yes --target-account 222222222222 --principal {principal} {profile} --profile security-admin \
         --target-profile dev-admin --external-id 0123456789abcdef"
    )
}

#[test]
fn links_of_others_that_need_managed_policies() {
    for (principal, profile) in OF_OTHERS {
        let trial = Trial::new(principal, &bootstrap_of(principal, profile), |scene| {
            add_principals(scene);
            without_room(scene);
        });
        assert!(trial.calls.iter().any(|call| call.operation == "CreatePolicy"), "{principal}");
        hold_up(&trial, |call| call.is_write() && !call.operation.ends_with("Bucket"));
    }
}

/// IAM keeps no sixth version, so the oldest goes.
#[test]
fn drift_in_managed_policies_of_others() {
    for (principal, profile) in OF_OTHERS {
        let words = bootstrap_of(principal, profile);
        let trial = Trial::new(principal, &words, |scene| {
            add_principals(scene);
            without_room(scene);
            scene.xacct(&words).exits_with(0);
            scene.sandbox.world(|world| {
                let policies = &world.account(ACCOUNT_A).expect("account A").policies;
                let arn = policies.keys().find(|arn| arn.contains("/xacct/")).expect("a managed policy").clone();
                for number in 0..4 {
                    let other = format!("arn:aws:iam::{ACCOUNT_B}:role/other-{number}");
                    let statement = json!({"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole",
                        "Resource": [other]});
                    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
                    world.change_policy(ACCOUNT_A, &arn, document);
                }
            });
            scene.sandbox.clear_requests();
        });
        assert!(trial.calls.iter().any(|call| call.operation == "DeletePolicyVersion"), "{principal}");
        hold_up(&trial, |call| call.operation.contains("PolicyVersion") && call.is_write());
    }
}

#[test]
fn teardown_of_links_of_others_with_managed_policies() {
    for (principal, profile) in OF_OTHERS {
        let trial = Trial::new(principal, "teardown --all --yes --even-if-used", |scene| {
            add_principals(scene);
            without_room(scene);
            scene.xacct(&bootstrap_of(principal, profile)).exits_with(0);
            scene.sandbox.clear_requests();
        });
        assert!(trial.calls.iter().any(|call| call.operation == "DeletePolicy"), "{principal}");
        hold_up(&trial, Call::is_write);
    }
}

/// Adds the group, the role and the permission set, and a profile with a session of the role.
fn add_principals(scene: &Scene) {
    let session = scene.sandbox.world(World::add_principals).terraform;
    scene.session_profile("terraform", &session);
}

/// Leaves no room for a grant in inline policies.
fn without_room(scene: &Scene) {
    scene.sandbox.world(|world| {
        let quotas = &mut world.account_mut(ACCOUNT_A).quotas;
        (quotas.user_policy_size, quotas.group_policy_size, quotas.role_policy_size) = (100, 100, 100);
    });
}

#[test]
fn bootstrap_of_a_link_that_needs_a_managed_policy() {
    let words = format!("{BOOTSTRAP} --external-id 0123456789abcdef");
    hold_up(&Trial::new("bootstrap, managed policy", &words, without_room), Call::is_write);
}

#[test]
fn teardown_of_a_link_with_a_managed_policy() {
    let trial = Trial::new("teardown, managed policy", "teardown --all --yes --even-if-used", |scene| {
        without_room(scene);
        scene.link("--external-id 0123456789abcdef");
    });
    hold_up(&trial, Call::is_write);
}

/// Interrupts the command at every selected call, prints the results, and asserts that all checks passed.
fn hold_up(trial: &Trial, is_wanted: fn(&Call) -> bool) {
    let start = Instant::now();
    let calls = trial.calls.iter().filter(|call| is_wanted(call));
    let moments = calls.flat_map(|call| Moment::of(call).iter().map(move |&moment| (call, moment)));
    let blows = moments.flat_map(|(call, moment)| {
        Signal::of(call).iter().map(move |&signal| Blow { when: When::At(call.clone(), moment), signal })
    });
    let mut all: Vec<_> = blows.collect();
    for _ in 0..all.len() * (crate::rounds() - 1) {
        let signal = Signal::ALL[all.len() % Signal::ALL.len()];
        all.push(Blow { when: When::After(trial.some_time()), signal });
    }
    let tally = Tally::of(trial, &side_by_side(trial, &all));
    println!("{tally}  in {:.0} s", start.elapsed().as_secs_f32());
    assert_eq!(tally.problems, Vec::<String>::new());
}

fn every(_: &Call) -> bool {
    true
}

fn side_by_side(trial: &Trial, blows: &[Blow]) -> Vec<Struck> {
    let (next, struck) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..places::PLACES {
            scope.spawn(|| {
                while let Some(blow) = blows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = places::take_one(|| strike(trial, blow.clone()));
                    struck.lock().expect("no thread panics while holding the lock").push(result);
                }
            });
        }
    });
    struck.into_inner().expect("no thread panics while holding the lock")
}
