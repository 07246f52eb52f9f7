//! Any two causes together: both are named at once, and all first fixes, applied in their order, repair the link.

use serde_json::{Value, json};
use xacct_sandbox::world::ALICE;

use super::source::{broken, diagnosis, refusing, without_grant};
use super::{Broken, apply_with, change_trust, deny_in_trust, try_as, works};
use crate::cases;
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, text};
use crate::support::policies::{allow, document};

/// What breaks a link.
type How = fn(&Scene);

/// A way to break a link.
struct Break {
    /// What diagnose calls it.
    cause: &'static str,
    /// What it changes. Two that change the same are not combined.
    place: &'static str,
    how: How,
}

const BREAKS: [Break; 13] = [
    Break { cause: "caller_is_another_user", place: "profile", how: |scene| try_as(scene, "bob") },
    Break { cause: "grant_absent", place: "grant", how: |scene| scene.sandbox.world(without_grant) },
    Break { cause: "source_denies", place: "policy of the user", how: deny_user },
    Break { cause: "boundary_cuts", place: "boundary of the user", how: |scene| bound_user(scene, buckets_only()) },
    Break { cause: "boundary_cuts", place: "boundary of the user", how: |scene| bound_user(scene, all_but("sts:*")) },
    Break { cause: "trust_other_account", place: "trust", how: trust_other },
    Break { cause: "trust_denies", place: "deny in trust", how: deny_trust },
    Break { cause: "external_id_wrong", place: "trust", how: other_id },
    Break { cause: "external_id_not_demanded", place: "trust", how: no_id },
    Break { cause: "others_admitted", place: "more trust", how: admit_others },
    Break { cause: "s3_not_allowed", place: "policies of the role", how: without_policies },
    Break { cause: "s3_denied", place: "more policies of the role", how: deny_buckets },
    Break { cause: "s3_boundary", place: "boundary of the role", how: bound_role },
];

/// What is left open where bootstrap replaces the trust policy anyway.
const OPEN: [&str; 2] = ["external_id_not_demanded", "others_admitted"];
const REPLACED: [&str; 2] = ["trust_other_account", "trust_denies"];

fn deny(action: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": "*"})
}

/// Two statements deny, and a fix replaces the whole policy.
fn deny_user(scene: &Scene) {
    let all = document(
        json!([deny("sts:AssumeRole"), {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}, deny("sts:*")]),
    );
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "deny", all));
}

fn buckets_only() -> Value {
    allow("s3:*", "*")
}

fn all_but(action: &str) -> Value {
    document(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny(action)]))
}

fn bound_user(scene: &Scene, boundary: Value) {
    scene.sandbox.world(|world| {
        let arn = world.add_policy(ACCOUNT_A, "limits", boundary);
        world.set_user_boundary(ACCOUNT_A, "alice", Some(&arn));
    });
}

fn trust_other(scene: &Scene) {
    change_trust(scene, |statement| statement["Principal"] = json!({"AWS": "arn:aws:iam::333333333333:root"}));
}

fn deny_trust(scene: &Scene) {
    deny_in_trust(scene, json!({"StringEquals": {"aws:PrincipalAccount": ACCOUNT_A}}));
}

fn other_id(scene: &Scene) {
    change_trust(scene, |statement| statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": "other"}}));
}

fn no_id(scene: &Scene) {
    change_trust(scene, |statement| statement["Condition"] = json!({}));
}

fn admit_others(scene: &Scene) {
    let mut trust = scene.trust_policy();
    let other = json!({
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "abc"}},
    });
    trust["Statement"].as_array_mut().expect("statements").push(other);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
}

fn without_policies(scene: &Scene) {
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").unwrap().policies.inline.clear());
}

/// The bucket could not be created, nor deleted.
fn deny_buckets(scene: &Scene) {
    let keep = document(json!([deny("s3:CreateBucket"), deny("s3:DeleteBucket")]));
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "keep", keep));
}

fn bound_role(scene: &Scene) {
    scene.sandbox.world(|world| {
        let arn = world.add_policy(ACCOUNT_B, "limits", allow("ec2:*", "*"));
        world.set_role_boundary(ACCOUNT_B, "xacct", Some(&arn));
    });
}

fn is_of_s3(cause: &str) -> bool {
    cause.starts_with("s3_")
}

/// Returns the link, broken in both ways, with its diagnosis.
#[track_caller]
fn both(first: &Break, second: &Break) -> Broken {
    let scene = broken("", |_| ());
    // A change of the trust policy's first statement comes before further statements.
    let mut breaks = [first, second];
    breaks.sort_by_key(|it| it.place != "trust");
    breaks.iter().for_each(|it| (it.how)(&scene));
    // The role is needed as it was made: its policies first, then what denies.
    if breaks.iter().any(|it| it.cause == "s3_not_allowed") && breaks.iter().any(|it| it.cause == "s3_denied") {
        without_policies(&scene);
        deny_buckets(&scene);
    }
    let diagnosis = diagnosis(&scene, "");
    Broken { scene, words: "verify".to_owned(), diagnosis }
}

/// Applies the first fix of each finding in order. A command that tests in between may still fail.
#[track_caller]
fn apply_all(broken: &mut Broken) {
    for finding in broken.diagnosis["findings"].as_array().cloned().unwrap_or_default() {
        let by_hand = |_: &mut Scene, step: &str| {
            assert!(step.ends_with(':') || step.starts_with("aws configure"), "a manual step: {step}");
        };
        apply_with(&mut broken.scene, &finding["fixes"][0], by_hand, &[0, 3]);
    }
}

#[test]
fn any_two_causes_are_named_at_once() {
    let pairs: Vec<_> = BREAKS
        .iter()
        .enumerate()
        .flat_map(|(index, first)| BREAKS.iter().skip(index + 1).map(move |second| (first, second)))
        .filter(|(first, second)| first.place != second.place)
        .collect();
    assert!(pairs.len() > 70, "{}", pairs.len());
    let next = std::sync::atomic::AtomicUsize::new(0);
    // As many at a time as do not starve each other.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((first, second)) = pairs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    named_and_repaired(first, second);
                }
            });
        }
    });
}

fn named_and_repaired(first: &Break, second: &Break) {
    let mut broken = both(first, second);
    let mut causes = broken.causes();
    let mut wanted = vec![first.cause, second.cause];
    if wanted.iter().any(|cause| REPLACED.contains(cause)) {
        wanted.retain(|cause| !OPEN.contains(cause));
    }
    // What was not tried is marked, and comes last.
    let findings = broken.diagnosis["findings"].as_array().expect("findings");
    let foreseen: Vec<_> = findings.iter().map(|finding| finding["foreseen"] == true).collect();
    assert!(foreseen.is_sorted(), "{wanted:?}: {:#}", broken.diagnosis);
    if !wanted.iter().all(|cause| is_of_s3(cause) || OPEN.contains(cause)) {
        let untried = findings.iter().filter(|finding| finding["foreseen"] == true);
        for finding in untried {
            let cause = finding["cause"].as_str().unwrap();
            assert!(is_of_s3(cause) || OPEN.contains(&cause), "{wanted:?}: {finding:#}");
        }
    }
    causes.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(causes, wanted, "{:#}", broken.diagnosis);
    apply_all(&mut broken);
    works(&broken.scene, "verify");
}

/// A second half in order adds nothing.
#[test]
fn one_cause_is_named_alone() {
    for Break { cause, how, .. } in BREAKS {
        let scene = broken("", |_| ());
        how(&scene);
        let diagnosis = diagnosis(&scene, "");
        let causes: Vec<_> = diagnosis["findings"].as_array().unwrap().iter().map(|it| text(&it["cause"])).collect();
        assert_eq!(causes, [cause], "{diagnosis:#}");
        assert_eq!(diagnosis["findings"][0]["foreseen"], Value::Null, "{diagnosis:#}");
    }
}

/// Nothing is asked of S3, so nothing is said of it.
#[test]
fn without_a_bucket_the_role_needs_no_right_to_one() {
    let scene = broken("--policy-arn ReadOnlyAccess", without_grant);
    let diagnosis = diagnosis(&scene, "");
    assert_eq!(diagnosis["findings"].as_array().map(Vec::len), Some(1), "{diagnosis:#}");
    assert_eq!(diagnosis["findings"][0]["cause"], "grant_absent");
}

/// In one policy, a Deny hides no absent Allow.
#[test]
fn a_deny_and_no_allow_in_one_policy() {
    let cases: [(&str, How); 4] = [
        ("source_denies grant_absent", |scene| {
            scene.sandbox.world(without_grant);
            deny_user(scene);
        }),
        ("boundary_cuts boundary_cuts", |scene| bound_user(scene, document(json!([deny("sts:*")])))),
        ("s3_denied s3_not_allowed", |scene| {
            without_policies(scene);
            deny_buckets(scene);
        }),
        ("s3_boundary s3_boundary", |scene| {
            scene.sandbox.world(|world| {
                let arn = world.add_policy(ACCOUNT_B, "limits", document(json!([deny("s3:CreateBucket")])));
                world.set_role_boundary(ACCOUNT_B, "xacct", Some(&arn));
            });
        }),
    ];
    for (wanted, how) in cases {
        let scene = broken("", |_| ());
        how(&scene);
        cases::record(&scene, &format!("{}_and_no_allow", wanted.split(' ').next().unwrap()), "");
        let diagnosis = diagnosis(&scene, "");
        let mut broken = Broken { scene, words: "verify".to_owned(), diagnosis };
        assert_eq!(broken.causes().join(" "), wanted, "{:#}", broken.diagnosis);
        apply_all(&mut broken);
        works(&broken.scene, "verify");
    }
}

/// AWS names the policy of the session, and the grant is gone as well.
#[test]
fn what_aws_names_hides_nothing() {
    let scene = broken("", without_grant);
    scene.sandbox.add_fault(refusing("because no session policy allows the sts:AssumeRole action"));
    let diagnosis = diagnosis(&scene, "");
    let mut broken = Broken { scene, words: "verify".to_owned(), diagnosis };
    assert_eq!(broken.causes(), ["session_policy_cuts", "grant_absent"], "{:#}", broken.diagnosis);
    broken.scene.sandbox.clear_faults();
    apply_all(&mut broken);
    works(&broken.scene, "verify");
}

/// AWS does not evaluate policies without valid credentials, but xacct does.
#[test]
fn invalid_credentials_hide_no_policy() {
    let scene = broken("", without_grant);
    without_policies(&scene);
    scene.environment.edit("aws/credentials", ALICE.id, "AKIASANDBOXNOBODYAAA");
    cases::record(&scene, "unknown_credentials_of_a_key_and_the_rest", "");
    let document = scene.xacct_json("verify", 1);
    let findings = document["targets"][ACCOUNT_B]["diagnosis"]["findings"].clone();
    let found: Vec<_> =
        findings.as_array().unwrap().iter().map(|it| (text(&it["cause"]), it["foreseen"] == true)).collect();
    let wanted = [("unknown_credentials", false), ("grant_absent", true), ("s3_not_allowed", true)];
    assert_eq!(found, wanted.map(|(cause, foreseen)| (cause.to_owned(), foreseen)), "{findings:#}");
}

/// The role limits its sessions, whoever asks.
#[test]
fn invalid_credentials_hide_no_limit_of_the_session() {
    let scene = broken("", |_| ());
    scene.environment.edit("aws/credentials", ALICE.id, "AKIASANDBOXNOBODYAAA");
    let document = scene.xacct_json("diagnose --duration 4h", 3);
    let findings = document["targets"][ACCOUNT_B]["diagnosis"]["findings"].clone();
    let found = |index: usize| (text(&findings[index]["cause"]), findings[index]["foreseen"] == true);
    assert_eq!(found(0), ("unknown_credentials".to_owned(), false), "{findings:#}");
    assert_eq!(found(1), ("duration_over_role_limit".to_owned(), true), "{findings:#}");
}

/// The request sends session tags: neither half allows them, nor anything else.
#[test]
fn session_tags_and_no_grant() {
    let scene = broken("", without_grant);
    let document = scene.xacct_json("diagnose --session-tag a=b", 3);
    let diagnosis = document["targets"][ACCOUNT_B]["diagnosis"].clone();
    let mut broken = Broken { scene, words: "diagnose --session-tag a=b".to_owned(), diagnosis };
    let causes = broken.causes();
    assert_eq!(causes, ["session_tags_not_allowed", "grant_absent", "session_tags_not_allowed"]);
    apply_all(&mut broken);
    works(&broken.scene, "diagnose --session-tag a=b");
}

/// The example of a role that was emptied and a grant that was removed, as `diagnose` shows it.
#[test]
fn no_grant_and_no_right_to_a_bucket() {
    let scene = broken("", without_grant);
    without_policies(&scene);
    cases::record(&scene, "grant_absent_and_no_bucket", "");
    let output = scene.xacct("diagnose").exits_with(3);
    output.says(&["[source account: grant_absent]", "[target account: s3_not_allowed, not tested]"]);
}

/// No policy decides whether the role may delete the bucket: that depends on what xacct does not know.
#[test]
fn no_grant_and_an_undecided_right_to_a_bucket() {
    let scene = broken("", without_grant);
    let mut guard = document(json!([deny("s3:DeleteBucket")]));
    guard["Statement"][0]["Condition"] = json!({"StringLike": {"aws:userid": "*:alice"}});
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "guard", guard));
    let document = scene.xacct_json("verify", 3);
    let notes = document["targets"][ACCOUNT_B]["diagnosis"]["notes"].to_string();
    let note = "not tested: s3:DeleteBucket, which depends on aws:userid according to the policies of the role";
    assert!(notes.contains(note), "{notes}");
}
