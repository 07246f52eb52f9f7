//! Writes whose answer is lost: what they may have left is deleted, used or named, whichever way the answer was lost.

use xacct_sandbox::world::ACCOUNT_B;
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{Scene, side_by_side};

/// Every way in which the answer to a request that was carried out fails to arrive.
const LOST: [FaultKind; 9] = [
    FaultKind::Reset,
    FaultKind::Close,
    FaultKind::CutHead,
    FaultKind::Garbled,
    FaultKind::TruncatedBody,
    FaultKind::NotXml,
    FaultKind::Page(403),
    FaultKind::Page(502),
    FaultKind::ServerError(503),
];

#[test]
fn no_bucket_stays_however_the_answer_about_it_is_lost() {
    side_by_side(&LOST, |kind| {
        let scene = Scene::linked("");
        // Every answer about its creation is lost, also to the requests that repeat it.
        scene.sandbox.add_fault(Fault::new("CreateBucket", kind.clone()).after_processing());
        let output = scene.xacct("verify");
        assert!([0, 5].contains(&output.code), "{kind:?}: {output}");
        assert!(!output.stderr.contains("aws sts get-caller-identity"), "{kind:?} blames credentials: {output}");
        assert_eq!(scene.buckets(), 0, "{kind:?}: {output}");
    });
}

#[test]
fn a_bucket_whose_deletion_is_not_answered_is_gone_or_named() {
    side_by_side(&LOST, |kind| {
        let scene = Scene::linked("");
        scene.sandbox.add_fault(Fault::new("CreateBucket", kind.clone()).after_processing());
        let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
        scene.sandbox.add_fault(Fault::new("DeleteBucket", denied));
        let output = scene.xacct("verify");
        let name = scene.sandbox.world(|world| world.buckets().next().expect("the bucket").name.clone());
        assert!(output.stderr.contains(&format!("test bucket `{name}` may be left behind")), "{kind:?}: {output}");
    });
}

/// S3 may answer `NoSuchBucket` for a bucket that exists, right after it was created.
#[test]
fn a_bucket_that_its_deletion_does_not_see_is_named() {
    let scene = Scene::linked("");
    let absent = FaultKind::Error { status: 404, code: "NoSuchBucket".to_owned(), message: "no".to_owned() };
    scene.sandbox.add_fault(Fault::new("DeleteBucket", absent));
    let output = scene.xacct("verify");
    let names: Vec<_> = scene.sandbox.world(|world| world.buckets().map(|bucket| bucket.name.clone()).collect());
    assert!(!names.is_empty(), "{output}");
    for name in names {
        assert!(output.stderr.contains(&format!("test bucket `{name}` may be left behind")), "{output}");
    }
}

#[test]
fn a_role_whose_creation_is_not_answered_is_used_or_named() {
    side_by_side(&LOST, |kind| {
        let scene = Scene::new();
        scene.sandbox.add_fault(Fault::new("CreateRole", kind.clone()).after_processing());
        let output = scene.bootstrap("");
        let made = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").is_some());
        assert!(made, "{kind:?}: {output}");
        assert!(output.code == 0 || output.stderr.contains("may have performed the request"), "{kind:?}: {output}");
    });
}

#[test]
fn a_write_that_may_have_been_done_is_named() {
    let writes = ["PutRolePolicy", "PutUserPolicy"];
    let cases: Vec<_> = LOST.into_iter().flat_map(|kind| writes.map(|write| (write, kind.clone()))).collect();
    side_by_side(&cases, |(write, kind)| {
        let scene = Scene::new();
        scene.sandbox.add_fault(Fault::new(*write, kind.clone()).after_processing());
        let output = scene.bootstrap("");
        assert!(
            output.code == 0 || output.stderr.contains("may have performed the request"),
            "{write}, {kind:?}: {output}"
        );
    });
}

#[test]
fn a_denial_after_a_lost_answer_does_not_hide_it() {
    let scene = Scene::new();
    scene.sandbox.add_fault(Fault::new("PutUserPolicy", FaultKind::Close).on_call(1).after_processing());
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    scene.sandbox.add_fault(Fault::new("PutUserPolicy", denied));
    scene.bootstrap("").exits_with(1).says(&["AWS may have performed the request anyway"]);
}

#[test]
fn what_never_left_is_not_called_done() {
    let scene = Scene::new();
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    scene.sandbox.add_fault(Fault::new("PutUserPolicy", denied));
    let output = scene.bootstrap("").exits_with(1);
    assert!(!output.stderr.contains("may have performed the request"), "{output}");
}
