//! `xacct sweep` deletes the test buckets of interrupted runs, and no others.

use std::time::Duration;

use xacct_sandbox::{Fault, FaultKind};

use crate::operators::{WORDS, source_policy, target_policy, with_operators, without};
use crate::scene::{ACCOUNT_B, ACCOUNT_C, ROLE, Scene};
use crate::snapshots::assert_output;

const LEFT: &str = "xacct-verify-222222222222-abcdefghijkm";
const REGIONAL: &str = "xacct-verify-abcdefghijkm-222222222222-eu-west-1-an";

/// Creates a bucket as an interrupted run leaves it.
pub fn plant(scene: &Scene, account: &str, name: &str, region: &str, hours: u64) {
    scene.sandbox.world(|world| {
        let bucket = world.add_bucket(account, name, region);
        bucket.tags.insert("xacct:purpose".to_owned(), "verify".to_owned());
        bucket.created -= Duration::from_secs(hours * 3600);
    });
}

/// Creates a link, and a bucket of every kind in its account.
fn scene() -> Scene {
    let scene = Scene::linked("--no-verify");
    plant(&scene, ACCOUNT_B, LEFT, "us-east-1", 2);
    plant(&scene, ACCOUNT_B, REGIONAL, "eu-west-1", 72);
    plant(&scene, ACCOUNT_B, "xacct-verify-222222222222-yaunggggggg2", "us-east-1", 0);
    plant(&scene, ACCOUNT_B, "xacct-verify-222222222222-logs", "us-east-1", 2);
    plant(&scene, ACCOUNT_B, "xacct-verify-222222222222-untaggedddd2", "us-east-1", 2);
    plant(&scene, ACCOUNT_B, "unmanaged", "us-east-1", 2);
    plant(&scene, ACCOUNT_C, "xacct-verify-333333333333-abcdefghijkm", "us-east-1", 2);
    scene.sandbox.world(|world| {
        let full = "xacct-verify-222222222222-fukkkkkkkkk2";
        world.add_bucket(ACCOUNT_B, "xacct-verify-222222222222-untaggedddd2", "us-east-1").created -=
            Duration::from_secs(7200);
        let bucket = world.add_bucket(ACCOUNT_B, full, "us-east-1");
        bucket.created -= Duration::from_secs(7200);
        bucket.tags.insert("xacct:purpose".to_owned(), "verify".to_owned());
        bucket.objects.insert("something".to_owned(), b"dear".to_vec());
    });
    scene
}

fn names(scene: &Scene) -> Vec<String> {
    scene.sandbox.world(|world| world.buckets().map(|bucket| bucket.name.clone()).collect())
}

/// Its own run or another sweep may delete a bucket at any time.
#[test]
fn ignores_a_bucket_deleted_during_the_run() {
    let scene = scene();
    let gone = FaultKind::Error { status: 404, code: "NoSuchBucket".to_owned(), message: "gone".to_owned() };
    scene.sandbox.add_fault(Fault::new("GetBucketTagging", gone).on_call(1));
    let document = scene.xacct_json("sweep --all --dry-run", 0);
    let buckets = document["accounts"][ACCOUNT_B]["buckets"].as_array().expect("buckets");
    assert_eq!(buckets.len(), 5, "{document:#}");
}

#[test]
fn deletes_only_buckets_of_interrupted_runs() {
    let scene = scene();
    let before = names(&scene);
    let document = scene.xacct_json("sweep --all --yes", 0);
    let mut after = before;
    after.retain(|name| name != LEFT && name != REGIONAL);
    assert_eq!(names(&scene), after);
    let buckets = document["accounts"][ACCOUNT_B]["buckets"].as_array().expect("buckets");
    let mut left: Vec<_> = buckets.iter().map(|bucket| bucket["left"].as_str().unwrap_or("deleted")).collect();
    left.sort_unstable();
    assert_eq!(left, ["deleted", "deleted", "no_tag", "not_empty", "other_name", "young"]);
    for request in scene.requests("DeleteBucket") {
        assert_eq!(request.parameter("ExpectedBucketOwner"), Some(ACCOUNT_B));
    }
    assert_eq!(scene.requests("DeleteBucket").len(), 2);
    scene.xacct("sweep --all").exits_with(0).says(&["No test buckets to delete"]);
}

#[test]
fn shows_the_buckets_and_asks_before_deleting() {
    let scene = scene();
    let before = names(&scene);
    for (name, words) in [("sweep-dry-run", "sweep --all --dry-run"), ("sweep-no-terminal", "sweep --all")] {
        assert_output(name, words, &scene.xacct(words));
    }
    assert_eq!(names(&scene), before);
    assert_eq!(scene.writes(), [""; 0]);
    assert_output("sweep", "sweep --all --yes", &scene.xacct("sweep --all --yes"));
}

#[test]
fn deletes_young_buckets_on_request() {
    let scene = Scene::linked("--no-verify");
    plant(&scene, ACCOUNT_B, LEFT, "us-east-1", 2);
    scene.xacct("sweep --all --yes --older-than 3h").exits_with(0).says(&["may belong to a run in progress"]);
    assert_eq!(scene.buckets(), 1);
    scene.xacct("sweep --all --yes --older-than 30m").exits_with(0);
    assert_eq!(scene.buckets(), 0);
}

/// S3 returns the list in pages of 1,000.
#[test]
fn reads_many_buckets_in_pages() {
    let scene = Scene::linked("--no-verify");
    for number in 0..2100 {
        plant(&scene, ACCOUNT_B, &format!("xacct-verify-0-{number:04}"), "us-east-1", 2);
    }
    plant(&scene, ACCOUNT_B, LEFT, "us-east-1", 2);
    scene.xacct("sweep --all --yes").exits_with(0).says(&["1 test bucket to delete"]);
    assert_eq!(scene.requests("ListBuckets").len(), 3 + 1, "three pages, and one with the bucket that goes");
    assert_eq!(scene.buckets(), 2100);
}

#[test]
fn works_for_accounts_not_in_the_file() {
    let scene = Scene::linked("--no-verify");
    scene.xacct("teardown --all --yes").exits_with(0);
    plant(&scene, ACCOUNT_B, LEFT, "us-east-1", 2);
    scene.xacct("sweep 222222222222 --target-profile dev-admin --yes").exits_with(0);
    assert_eq!(scene.buckets(), 0);
    scene.xacct("sweep --all").exits_with(2).says(&["no targets"]);
}

/// Both are asked for at the same time; the wrong account explains the denied list.
#[test]
fn credentials_of_another_account_are_reported_before_a_denied_list() {
    let scene = Scene::linked("--no-verify");
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    scene.sandbox.add_fault(Fault::new("ListBuckets", denied));
    let output = scene.xacct("sweep 222222222222 --target-profile security-admin --yes").exits_with(1);
    output.says(&["belong to account 111111111111"]);
    assert_eq!(scene.requests("DeleteBucket").len(), 0);
}

#[test]
fn keeps_a_bucket_filled_during_the_run_and_reports_errors() {
    let scene = Scene::linked("--no-verify");
    plant(&scene, ACCOUNT_B, LEFT, "us-east-1", 2);
    let fault = |status, code: &str| {
        let kind = FaultKind::Error { status, code: code.to_owned(), message: "so".to_owned() };
        scene.sandbox.clear_faults();
        scene.sandbox.add_fault(Fault::new("DeleteBucket", kind));
    };
    fault(409, "BucketNotEmpty");
    scene.xacct("sweep --all --yes").exits_with(0).says(&[&format!("Kept {LEFT}: not empty")]);
    fault(403, "AccessDenied");
    scene.xacct("sweep --all --yes").exits_with(1).says(&["s3:DeleteBucket was denied", LEFT]);
    scene.sandbox.clear_faults();
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "so".to_owned() };
    scene.sandbox.add_fault(Fault::new("ListObjectsV2", denied));
    scene.xacct("sweep --all --yes").exits_with(1).says(&["s3:ListObjectsV2 was denied", LEFT]);
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(Fault::new("DeleteBucket", FaultKind::Reset).on_call(1).after_processing());
    scene.xacct("sweep --all --yes").exits_with(0);
    assert_eq!(scene.buckets(), 0);
}

#[test]
fn minimal_permissions_suffice_to_sweep_and_missing_ones_are_named() {
    let scene = with_operators(source_policy(), target_policy(ROLE));
    scene.xacct(&format!("{WORDS} --no-verify")).exits_with(0);
    plant(&scene, ACCOUNT_B, LEFT, "us-east-1", 2);
    for permission in ["s3:ListAllMyBuckets", "s3:GetBucketTagging", "s3:ListBucket", "s3:DeleteBucket"] {
        scene.sandbox.world(|world| {
            world.put_user_policy(ACCOUNT_B, "operator", "operator", without(target_policy(ROLE), permission));
        });
        scene.xacct("sweep --all --yes").exits_with(1).says(&[&format!("not authorized to perform: {permission}")]);
    }
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_B, "operator", "operator", target_policy(ROLE)));
    scene.xacct("sweep --all --yes").exits_with(0);
    assert_eq!(scene.buckets(), 0);
}
