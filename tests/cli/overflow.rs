//! Grants that do not fit into the inline policy of their principal: the rest is in managed policies.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use xacct_sandbox::world::{ACCOUNT_A, World};
use xacct_sandbox::{Fault, FaultKind, Sandbox};

use crate::operators::{target_policy, with_operators, without};
use crate::scene::{ROLE, Scene, side_by_side, trust};
use crate::support::Output;

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const ENTERED: &str = "OrganizationAccountAccessRole";
const FIRST: &str = "arn:aws:iam::111111111111:policy/xacct/xacct-user-alice-1";

fn account(number: usize) -> String {
    format!("{:012}", 400_000_000_000 + number)
}

/// Names these targets in `xacct.toml`. Their roles are named by `role`.
fn declare(scene: &Scene, source: &str, role: &str, numbers: impl IntoIterator<Item = usize>) {
    let mut file = format!("[source]\naccount = \"{ACCOUNT_A}\"\nprofile = \"security-admin\"\n{source}\n");
    for number in numbers {
        file.push_str(&format!(
            "\n[targets.t{number}]\naccount = \"{}\"\nrole = \"{role}\"\nexternal_id = \"abc\"\nenter_role = \
             \"{ENTERED}\"\nregion = \"us-east-1\"\n",
            account(number)
        ));
    }
    scene.environment.write("xacct.toml", &file);
}

const ALICE: &str = "user = \"alice\"\nuser_profile = \"alice\"";
const TERRAFORM: &str = "principals = [\"role/ci/terraform\"]";
const DEPLOYERS: &str = "principals = [\"group/deployers\"]\nuser_profile = \"alice\"";

/// A scene whose file names so many targets of alice. Those below `entered` exist.
fn scene(targets: usize, entered: impl IntoIterator<Item = usize>) -> Scene {
    let entered: Vec<_> = entered.into_iter().collect();
    let mut scene = Scene::of(Sandbox::builder().plant(|world| {
        world.add_principals();
        for number in &entered {
            world.add_role(&account(*number), ENTERED, trust(&json!({})));
            world.attach_role_policy(&account(*number), ENTERED, ADMINISTRATOR);
        }
    }));
    declare(&scene, ALICE, "xacct", 0..targets);
    // Before a role leaves a policy, xacct waits for the other one as long as for anything else.
    scene.environment.set("XACCT_TIMEOUT", "2s");
    scene
}

/// Writes the grant alone.
fn grant(scene: &Scene) -> Output {
    scene.xacct("bootstrap --yes --only source").exits_with(0)
}

/// A grant for so many targets.
fn granted(targets: usize) -> Scene {
    let scene = scene(targets, []);
    grant(&scene);
    scene.sandbox.clear_requests();
    scene
}

fn listed(document: &Value) -> Vec<String> {
    let resource = &document["Statement"][0]["Resource"];
    match resource.as_array() {
        Some(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => resource.as_str().map(str::to_owned).into_iter().collect(),
    }
}

/// The principals of [`Scene`]s here.
#[derive(Clone, Copy)]
enum Whose {
    Alice,
    Terraform,
    Deployers,
}

/// Returns the roles in each policy of the grant that is in effect, by name.
fn places(world: &World, whose: Whose) -> BTreeMap<String, Vec<String>> {
    let account = world.account(ACCOUNT_A).expect("account A");
    let policies = match whose {
        Whose::Alice => world.user(ACCOUNT_A, "alice").map(|user| user.policies.clone()),
        Whose::Terraform => world.role(ACCOUNT_A, "terraform").map(|role| role.policies.clone()),
        Whose::Deployers => world.group(ACCOUNT_A, "deployers").map(|group| group.policies.clone()),
    };
    let policies = policies.unwrap_or_default();
    let inline = policies.inline.get("xacct").map(|document| ("xacct".to_owned(), listed(document)));
    let attached = policies.attached.iter().filter(|arn| arn.contains("/xacct-"));
    let managed = attached.map(|arn| (arn.clone(), listed(account.policies[arn].document())));
    inline.into_iter().chain(managed).collect()
}

/// Asserts that the grant covers exactly these targets, each once, within the quotas; returns the roles in each place.
#[track_caller]
fn assert_granted(scene: &Scene, role: &str, numbers: impl IntoIterator<Item = usize>, whose: Whose) -> Vec<usize> {
    let wanted: BTreeSet<_> =
        numbers.into_iter().map(|it| format!("arn:aws:iam::{}:role/{role}", account(it))).collect();
    let places = scene.sandbox.world(|world| places(world, whose));
    let all: Vec<_> = places.values().flatten().cloned().collect();
    assert_eq!(all.len(), wanted.len(), "each role once: {places:#?}");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), wanted);
    let mut counts: Vec<_> = places.into_iter().filter(|(name, _)| name != "xacct").collect();
    counts.sort_by_key(|(name, _)| (name.len(), name.clone()));
    counts.into_iter().map(|(_, roles)| roles.len()).collect()
}

/// Asserts that nothing of the grant is left in account A.
#[track_caller]
fn assert_nothing_left(scene: &Scene) {
    scene.sandbox.world(|world| {
        for whose in [Whose::Alice, Whose::Terraform, Whose::Deployers] {
            assert!(places(world, whose).is_empty());
        }
        let left: Vec<_> = world.account(ACCOUNT_A).expect("account A").policies.keys().cloned().collect();
        assert!(!left.iter().any(|arn| arn.contains("/xacct/")), "{left:?}");
    });
}

#[test]
fn a_user_has_500_targets() {
    let scene = scene(500, []);
    declare(&scene, ALICE, "a-name-of-21-characte", 0..500);
    grant(&scene).says(&["the grant of user alice lists 500 roles: 35 in its inline policy", "465 in 5 of at most"]);
    assert_eq!(assert_granted(&scene, "a-name-of-21-characte", 0..500, Whose::Alice), [109, 109, 109, 109, 29]);
    scene.xacct("bootstrap --check --only source").exits_with(0);
    scene.xacct("teardown --yes --only source --all").exits_with(0);
    assert_nothing_left(&scene);
}

#[test]
fn a_role_has_1000_targets() {
    let scene = scene(0, []);
    declare(&scene, TERRAFORM, "a-name-of-21-characte", 0..1000);
    grant(&scene).says(&["the grant of role ci/terraform lists 1000 roles: 184 in its inline", "816 in 8"]);
    let counts = assert_granted(&scene, "a-name-of-21-characte", 0..1000, Whose::Terraform);
    assert_eq!(counts, [109, 109, 109, 109, 109, 109, 109, 53]);
    scene.xacct("bootstrap --check --only source").exits_with(0);
    scene.xacct("teardown --yes --only source --all").exits_with(0);
    assert_nothing_left(&scene);
}

#[test]
fn a_group_has_500_targets() {
    let scene = scene(0, []);
    declare(&scene, DEPLOYERS, "a-name-of-21-characte", 0..500);
    grant(&scene).says(&[
        "the grant of group deployers lists 500 roles: 90 in its inline",
        "410 in 4",
        "about 680 more",
    ]);
    let counts = assert_granted(&scene, "a-name-of-21-characte", 0..500, Whose::Deployers);
    assert_eq!(counts, [109, 109, 109, 83]);
    scene.xacct("bootstrap --check --only source").exits_with(0);
    scene.xacct("teardown --yes --only source --all").exits_with(0);
    assert_nothing_left(&scene);
}

/// The link is tested as a member; the drift is in both policies.
#[test]
fn a_link_of_a_group_in_a_managed_policy_works_is_repaired_and_moves_back() {
    let scene = scene(0, [0, 140]);
    let arn = "arn:aws:iam::111111111111:policy/xacct/xacct-group-deployers-1";
    declare(&scene, DEPLOYERS, "xacct", 0..150);
    grant(&scene);
    let at = scene.sandbox.world(|world| places(world, Whose::Deployers));
    assert!(at[arn].iter().any(|role| role.contains(&account(140))), "{at:#?}");
    scene.xacct("bootstrap t140 --yes").exits_with(0).says(&["Verified"]);
    scene.xacct("verify t140").exits_with(0);
    scene.sandbox.world(|world| {
        let policies = &mut world.account_mut(ACCOUNT_A).groups.get_mut("deployers").unwrap().policies;
        policies.attached.clear();
        policies.inline.clear();
    });
    scene.xacct("bootstrap --check --only source").exits_with(4);
    scene.xacct("verify t140").exits_with(3);
    grant(&scene).says(&["attach"]);
    assert_granted(&scene, "xacct", 0..150, Whose::Deployers);
    scene.xacct("verify t140").exits_with(0);
    let words: String = (0..60).map(|number| format!(" t{number}")).collect();
    scene.xacct(&format!("teardown --yes --only source{words}")).exits_with(0);
    assert_eq!(assert_granted(&scene, "xacct", 60..150, Whose::Deployers), [] as [usize; 0]);
    scene.xacct("teardown --yes --only source --all").exits_with(0);
    assert_nothing_left(&scene);
}

#[test]
fn the_quota_of_a_group_is_read() {
    let scene = scene(0, []);
    scene.sandbox.world(|world| world.account_mut(ACCOUNT_A).quotas.attached_per_group = 1);
    declare(&scene, DEPLOYERS, "xacct", 0..400);
    scene
        .xacct("bootstrap --yes --only source")
        .exits_with(1)
        .says(&["lists 400 roles", "request a higher quota for \"Managed policies attached to an IAM group\""]);
    assert!(scene.iam_writes().is_empty());
}

/// Somebody changes `principals` in the file: the grant of the former principal is an orphan, wherever it is.
#[test]
fn orphaned_grants_go_with_their_managed_policies() {
    for (source, orphan, targets, whose) in [
        (ALICE, "user/alice", 60, Whose::Alice),
        (DEPLOYERS, "group/deployers", 150, Whose::Deployers),
        (TERRAFORM, "arn:aws:iam::111111111111:role/ci/terraform", 300, Whose::Terraform),
    ] {
        let scene = scene(0, []);
        declare(&scene, source, "xacct", 0..targets);
        grant(&scene);
        declare(&scene, "principals = [\"user/bob\"]", "xacct", 0..1);
        let found = scene.xacct_json("bootstrap --check --only source", 4)["orphans"]["grants"].clone();
        assert_eq!(found.as_array().map(Vec::len), Some(1), "{found:#}");
        assert_eq!(found[0]["role_arns"].as_array().map(Vec::len), Some(targets), "{orphan}");
        scene
            .xacct("bootstrap --check --only source")
            .exits_with(4)
            .says(&[&format!("xacct teardown --orphan {orphan}"), &format!("{targets} roles, such as")]);
        scene.xacct(&format!("teardown --orphan {orphan} --yes")).exits_with(0);
        assert!(scene.sandbox.world(|world| places(world, whose)).is_empty(), "{orphan}");
        assert_nothing_left(&scene);
    }
}

/// Of the grant of a principal with links, only the roles go that no target names, also where all are in managed policies.
#[test]
fn orphaned_roles_in_managed_policies_go() {
    let scene = scene(0, []);
    scene.sandbox.world(|world| world.account_mut(ACCOUNT_A).quotas.group_policy_size = 100);
    declare(&scene, DEPLOYERS, "xacct", 0..10);
    grant(&scene);
    declare(&scene, DEPLOYERS, "xacct", 0..7);
    let found = scene.xacct_json("bootstrap --check --only source", 4)["orphans"]["grants"].clone();
    assert_eq!(found[0]["role_arns"].as_array().map(Vec::len), Some(3), "{found:#}");
    scene.xacct("teardown --orphan group/deployers --yes").exits_with(0);
    assert_eq!(assert_granted(&scene, "xacct", 0..7, Whose::Deployers), [7]);
    scene.xacct("bootstrap --check --only source").exits_with(0);
}

#[test]
fn a_link_in_a_managed_policy_works() {
    let scene = scene(60, [58]);
    grant(&scene);
    let at = scene.sandbox.world(|world| places(world, Whose::Alice));
    assert!(at[FIRST].iter().any(|arn| arn.contains(&account(58))), "{at:#?}");
    scene.xacct("bootstrap t58 --yes").exits_with(0);
    scene.xacct("verify t58").exits_with(0);
    scene.xacct("diagnose t58").exits_with(0);
}

#[test]
fn a_new_link_that_does_not_fit_gets_a_managed_policy_and_works() {
    let scene = scene(50, [49]);
    declare(&scene, ALICE, "xacct", 0..49);
    grant(&scene);
    assert_eq!(assert_granted(&scene, "xacct", 0..49, Whose::Alice), [] as [usize; 0]);
    declare(&scene, ALICE, "xacct", 0..50);
    scene.xacct("bootstrap t49 --yes").exits_with(0).says(&["add managed policy xacct-user-alice-1 to user alice"]);
    assert_eq!(assert_granted(&scene, "xacct", 0..50, Whose::Alice), [1]);
    // What worked was not written again.
    assert_eq!(scene.requests("PutUserPolicy").len(), 1);
}

#[test]
fn a_second_run_changes_nothing_and_reads_the_managed_policies() {
    let scene = granted(60);
    scene.xacct("bootstrap --check --only source").exits_with(0);
    assert!(scene.iam_writes().is_empty(), "{:?}", scene.iam_writes());
    assert_eq!(scene.requests("GetPolicyVersion").len(), 1);
}

#[test]
fn the_preview_is_json_too() {
    let scene = scene(60, []);
    let document = scene.xacct_json("bootstrap --dry-run --only source", 0);
    let changes = document["source"]["changes"].as_array().expect("changes");
    let actions: Vec<_> = changes.iter().map(|change| change["action"].as_str().unwrap_or_default()).collect();
    assert_eq!(actions, ["put_grant", "put_grant_part"]);
}

#[test]
fn a_grant_that_shrinks_moves_back_to_the_inline_policy() {
    let scene = granted(60);
    let words: Vec<_> = (0..20).map(|number| format!("t{number}")).collect();
    scene.xacct(&format!("teardown --yes --only source {}", words.join(" "))).exits_with(0);
    assert_eq!(assert_granted(&scene, "xacct", 20..60, Whose::Alice), [] as [usize; 0]);
    scene.sandbox.world(|world| assert!(!world.account(ACCOUNT_A).unwrap().policies.contains_key(FIRST)));
    // The inline policy had all roles before the managed one lost them.
    let writes = scene.iam_writes();
    let put = writes.iter().position(|it| it == "PutUserPolicy").expect("the inline policy");
    let detach = writes.iter().position(|it| it == "DetachUserPolicy").expect("the managed policy");
    assert!(put < detach, "{writes:?}");
}

/// AWS takes a second to honour each change. Meanwhile, the link is tested all the time.
#[cfg(unix)]
#[test]
fn a_role_that_moves_to_another_policy_can_be_assumed_all_the_time() {
    let scene = scene(60, [55]);
    grant(&scene);
    scene.xacct("bootstrap t55 --yes").exits_with(0);
    scene.sandbox.set_propagation(Duration::from_secs(1));
    let words: String = (0..20).map(|number| format!(" t{number}")).collect();
    let mut teardown = scene.start(&format!("teardown --yes --only source --timeout 6s{words}"));
    let mut tests = 0;
    while !teardown.is_over() {
        scene.xacct("verify t55 --probe identity").exits_with(0);
        tests += 1;
    }
    teardown.ended().exits_with(0);
    assert!(tests > 3, "{tests}");
    std::thread::sleep(Duration::from_millis(1100));
    scene.xacct("verify t55 --probe identity").exits_with(0);
    assert_eq!(assert_granted(&scene, "xacct", 20..60, Whose::Alice), [] as [usize; 0]);
}

#[test]
fn drift_in_a_managed_policy_is_repaired() {
    let scene = granted(60);
    scene.sandbox.world(|world| {
        let mut document = world.account(ACCOUNT_A).unwrap().policies[FIRST].document().clone();
        document["Statement"][0]["Resource"] = json!([]);
        document["Statement"][0]["Resource"] = json!("arn:aws:iam::400000000055:role/xacct");
        world.change_policy(ACCOUNT_A, FIRST, document);
    });
    scene.xacct("bootstrap --check --only source").exits_with(4);
    grant(&scene);
    assert_granted(&scene, "xacct", 0..60, Whose::Alice);
    scene.sandbox.world(|world| {
        world.user_mut(ACCOUNT_A, "alice").policies.attached.clear();
    });
    grant(&scene).says(&["attach"]);
    assert_granted(&scene, "xacct", 0..60, Whose::Alice);
}

#[test]
fn a_sixth_version_replaces_the_oldest_one_and_never_the_default() {
    let scene = granted(52);
    for last in 53..60 {
        declare(&scene, ALICE, "xacct", 0..last);
        grant(&scene);
        assert_granted(&scene, "xacct", 0..last, Whose::Alice);
    }
    let deleted = scene.requests("DeletePolicyVersion").into_iter().flat_map(|request| request.parameters);
    let deleted: Vec<_> = deleted.filter(|(key, _)| key == "VersionId").map(|(_, version)| version).collect();
    assert_eq!(deleted, ["v1", "v2", "v3"]);
    scene.xacct("teardown --yes --only source --all").exits_with(0);
    assert_nothing_left(&scene);
}

#[test]
fn a_policy_of_that_name_that_is_not_xacct_s_is_not_touched() {
    let scene = scene(60, []);
    let foreign =
        scene.sandbox.world(|world| {
            world.add_policy(ACCOUNT_A, "xacct-user-alice-1", json!({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }))
        });
    scene
        .xacct("bootstrap --yes --only source")
        .exits_with(1)
        .says(&["has a policy `xacct-user-alice-1` that xacct did not create", "aws iam list-policies"]);
    scene.sandbox.world(|world| {
        let policy = &world.account(ACCOUNT_A).unwrap().policies[&foreign];
        assert_eq!(policy.document()["Statement"][0]["Action"], json!("s3:GetObject"));
        assert!(!world.user(ACCOUNT_A, "alice").unwrap().policies.attached.contains(&foreign));
    });
}

#[test]
fn statements_of_others_in_a_managed_policy_are_kept_from_writes() {
    let scene = granted(60);
    scene.sandbox.world(|world| {
        let mut document = world.account(ACCOUNT_A).unwrap().policies[FIRST].document().clone();
        let theirs = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
        document["Statement"].as_array_mut().unwrap().push(theirs);
        world.change_policy(ACCOUNT_A, FIRST, document);
    });
    declare(&scene, ALICE, "xacct", 0..61);
    scene.xacct("bootstrap --yes --only source").exits_with(1).says(&["xacct-user-alice-1", "s3:GetObject", "--adopt"]);
    scene.xacct("bootstrap --yes --only source --adopt").exits_with(0);
    assert_granted(&scene, "xacct", 0..61, Whose::Alice);
}

#[test]
fn what_fits_nowhere_is_refused_with_numbers() {
    let scene = scene(60, []);
    scene.sandbox.world(|world| world.account_mut(ACCOUNT_A).quotas.attached_per_user = 1);
    declare(&scene, ALICE, "xacct", 0..300);
    scene.xacct("bootstrap --yes --only source").exits_with(1).says(&[
        "lists 300 roles",
        "1 managed policies of 6144 characters",
        "request a higher quota for \"Managed policies attached to an IAM user\"",
    ]);
    assert!(scene.iam_writes().is_empty());
}

#[test]
fn an_operator_who_may_not_list_policies_is_told() {
    let scene = scene(60, []);
    scene.sandbox.world(|world| {
        world.set_service_control_policy(ACCOUNT_A, "no-lists", json!({
            "Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:ListPolicies", "Resource": "*"}],
        }));
    });
    scene
        .xacct("bootstrap --yes --only source")
        .exits_with(1)
        .says(&["allow iam:ListAttachedUserPolicies and iam:ListPolicies"]);
    declare(&scene, ALICE, "xacct", 0..40);
    grant(&scene);
}

#[test]
fn waits_for_reads_that_lag_behind_and_writes_nothing_twice() {
    let mut scene = Scene::of(Sandbox::builder().propagation(Duration::from_secs(1)).stale_reads(true));
    scene.environment.set("XACCT_TIMEOUT", "8s");
    for (targets, words) in [(60, "bootstrap"), (210, "bootstrap"), (210, "teardown t208 t209"), (40, "teardown --all")]
    {
        declare(&scene, ALICE, "xacct", 0..targets);
        scene.sandbox.clear_requests();
        scene.xacct(&format!("{words} --yes --only source")).exits_with(0);
        let writes = scene.iam_writes();
        let times = |operation: &str| writes.iter().filter(|it| *it == operation).count();
        assert!(times("CreatePolicy") <= 1 && times("PutUserPolicy") <= 1, "{words}: {writes:?}");
        std::thread::sleep(Duration::from_millis(1100));
    }
    let left = scene.sandbox.world(|world| places(world, Whose::Alice));
    assert!(left.values().flatten().count() == 168, "{left:#?}");
}

/// One of the runs may overwrite the policy of the other, which then writes it again, with the roles of both.
#[test]
fn two_runs_at_once_keep_the_roles_of_both() {
    let scene = scene(0, []);
    let file = |name: &str, numbers: std::ops::Range<usize>| {
        declare(&scene, ALICE, "xacct", numbers);
        scene.environment.write(name, &scene.environment.read("xacct.toml"));
        name.to_owned()
    };
    let (first, second) = (file("a.toml", 0..60), file("b.toml", 60..120));
    let words = |file: &str| format!("bootstrap --yes --only source --timeout 20s --config {file}");
    let (first, second) = (scene.start(&words(&first)), scene.start(&words(&second)));
    let outputs = [first.ended(), second.ended()];
    outputs.into_iter().for_each(|output| _ = output.exits_with(0));
    assert_granted(&scene, "xacct", 0..120, Whose::Alice);
}

#[test]
fn what_prints_the_grant_says_that_it_does_not_fit() {
    let scene = scene(60, []);
    let output = scene.xacct("print policies --for user").exits_with(0);
    assert_eq!(listed(&output.json()).len(), 60);
    output.says(&["the inline policies of a user at most 2048"]);
    scene.xacct("print role-hcl").exits_with(1).says(&["print role-hcl writes no managed policies"]);
}

#[test]
fn two_principals_have_policies_of_their_own() {
    let scene = scene(0, []);
    declare(&scene, "principals = [\"user/alice\", \"role/ci/terraform\"]", "a-name-of-21-characte", 0..200);
    grant(&scene);
    assert_eq!(assert_granted(&scene, "a-name-of-21-characte", 0..200, Whose::Alice), [109, 56]);
    assert_eq!(assert_granted(&scene, "a-name-of-21-characte", 0..200, Whose::Terraform), [16]);
    scene.xacct("bootstrap --check --only source").exits_with(0);
    scene.xacct("teardown --yes --only source --all").exits_with(0);
    assert_nothing_left(&scene);
}

/// The operator's printed policy suffices for a grant that fits, outgrows the inline policy, keeps versions, shrinks and
/// goes; without one of its permissions, the run names it.
#[test]
fn the_printed_permissions_suffice_and_a_missing_one_is_named() {
    let story = |source: &str, missing: Option<&str>| {
        let nothing = json!({"Version": "2012-10-17", "Statement": []});
        let scene = with_operators(nothing, target_policy(ROLE));
        let source = source.replace("user_profile = \"alice\"", "");
        let declared = |targets| {
            declare(&scene, &source, "xacct", 0..targets);
            scene.environment.edit("xacct.toml", "security-admin", "operator-a");
        };
        declared(2);
        let printed = scene.xacct("print policies --for source-operator").exits_with(0).json();
        let policy = missing.iter().fold(printed, |policy, missing| without(policy, missing));
        scene.sandbox.world(|world| {
            world.add_principals();
            world.put_user_policy(ACCOUNT_A, "operator", "operator", policy);
        });
        let run = |words: &str| scene.xacct(&format!("{words} --yes --only source --timeout 2s"));
        let mut outputs = vec![run("bootstrap")];
        scene.sandbox.world(|world| {
            let quotas = &mut world.account_mut(ACCOUNT_A).quotas;
            (quotas.user_policy_size, quotas.group_policy_size, quotas.role_policy_size) = (100, 100, 100);
        });
        for targets in 3..9 {
            declared(targets);
            outputs.push(run("bootstrap"));
        }
        outputs.push(run("teardown --all"));
        (scene, outputs)
    };
    let kinds = [(ALICE, "User"), (DEPLOYERS, "Group"), (TERRAFORM, "Role")];
    let needed = |kind: &str| {
        [
            "iam:GetUser",
            "iam:GetUserPolicy",
            "iam:PutUserPolicy",
            "iam:DeleteUserPolicy",
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:ListPolicyVersions",
            "iam:DeletePolicyVersion",
            "iam:DeletePolicy",
            "iam:AttachUserPolicy",
            "iam:DetachUserPolicy",
            "iam:ListAttachedUserPolicies",
        ]
        .map(|action| action.replace("User", kind))
    };
    let lacking = kinds.iter().flat_map(|(source, kind)| needed(kind).map(|permission| (*source, Some(permission))));
    let all: Vec<_> = kinds.iter().map(|(source, _)| (*source, None)).chain(lacking).collect();
    side_by_side(&all, |(source, missing)| {
        let (scene, outputs) = story(source, missing.as_deref());
        let Some(permission) = missing else {
            outputs.into_iter().for_each(|output| _ = output.exits_with(0));
            return assert_nothing_left(&scene);
        };
        let failed = outputs.into_iter().find(|output| output.code != 0);
        let failed = failed.unwrap_or_else(|| panic!("no run fails without {permission}"));
        failed.exits_with(1).says(&[permission]);
    });
}

/// Every write of a growing, a shrinking and a removed grant fails once: no link that worked loses its grant, and the next
/// run goes on to the same end.
#[test]
fn an_interrupted_run_breaks_no_link_and_the_next_one_goes_on() {
    let stories: [(&str, usize, &str, usize); 2] =
        [("grow", 195, "bootstrap --yes --only source", 260), ("shrink", 60, "", 40)];
    for (story, before, words, after) in stories {
        let words = match words {
            "" => format!(
                "teardown --yes --only source {}",
                (after..before).map(|it| format!("t{it} ")).collect::<String>()
            ),
            words => words.to_owned(),
        };
        let operations = {
            let scene = granted(before);
            declare(&scene, ALICE, "xacct", 0..before.max(after));
            scene.xacct(&words).exits_with(0);
            scene.iam_writes()
        };
        assert!(operations.len() > 2, "{story}: {operations:?}");
        for operation in operations.iter().collect::<BTreeSet<_>>() {
            for is_done in [false, true] {
                let scene = granted(before);
                declare(&scene, ALICE, "xacct", 0..before.max(after));
                let fault = Fault::new(operation, FaultKind::ServerError(400));
                let fault = if is_done { fault.after_processing() } else { fault };
                scene.sandbox.add_fault(fault);
                scene.xacct(&words).exits_with(1);
                scene.sandbox.clear_faults();
                let held: BTreeSet<_> =
                    scene.sandbox.world(|world| places(world, Whose::Alice)).into_values().flatten().collect();
                for number in 0..before.min(after) {
                    let arn = format!("arn:aws:iam::{}:role/xacct", account(number));
                    assert!(held.contains(&arn), "{story}, {operation}, {is_done}: {number}");
                }
                scene.xacct(&words).exits_with(0);
                assert_granted(&scene, "xacct", 0..after, Whose::Alice);
                scene.xacct("teardown --yes --only source --all").exits_with(0);
                assert_nothing_left(&scene);
            }
        }
    }
}
