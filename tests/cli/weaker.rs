//! What makes a role weaker has a line of its own in the plan, and `--yes` alone does not apply it. Policies are replaced
//! without a gap, and the role records which ones xacct attached.

use serde_json::{Value, json};
use xacct_sandbox::world::{Role, World};
use xacct_sandbox::{Fault, FaultKind, Sandbox};

use crate::scene::{ACCOUNT_B, Scene, side_by_side, trust};
use crate::snapshots::assert_output;
use crate::support::policies::{allow, document};
use crate::support::third_party::test_name;
use crate::terminal::Terminal;

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const POWER_USER: &str = "arn:aws:iam::aws:policy/PowerUserAccess";
const ENTERED: &str = "OrganizationAccountAccessRole";

/// A sandbox that denies one call of an operation, counted from 1.
fn denying(operation: &str, call: u64) -> Scene {
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    Scene::of(Sandbox::builder().fault(Fault::new(operation, denied).on_call(call)))
}

fn role(scene: &Scene) -> Role {
    scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").cloned()).expect("role xacct")
}

fn attached(role: &Role) -> Vec<&str> {
    role.policies.attached.iter().map(String::as_str).collect()
}

fn requires(external_id: &str) -> Value {
    json!({"StringEquals": {"sts:ExternalId": external_id}})
}

/// A merge lost a line of xacct.toml, and the pipeline applies the rest.
#[test]
fn a_line_lost_in_a_merge_does_not_strip_the_external_id_of_a_live_role() {
    let scene = Scene::linked("--no-verify --name prod --external-id abc");
    scene.environment.edit("xacct.toml", "external_id = \"abc\"\n", "");

    let words = "bootstrap --yes";
    let output = scene.xacct(words).exits_with(1);
    assert_eq!(scene.writes(), [""; 0], "nothing is written");
    assert_output("weaker-external-id-lost", words, &output);

    let shown = scene.xacct_json("bootstrap --check", 4);
    assert_eq!(shown["targets"]["prod"]["weaker"], json!(["external_id_dropped"]));
    let shown = scene.xacct("bootstrap --dry-run").exits_with(0);
    let line = "!  target  weaker: account 111111111111 no longer needs an external ID";
    assert!(shown.everything().contains(line), "{shown}");
    assert_eq!(scene.conditions(), requires("abc"));

    scene.xacct("bootstrap --yes --allow-weaker").exits_with(0);
    assert_eq!(scene.conditions(), Value::Null);
}

/// A copy of xacct.toml from the time of a rotation still has the ID that it ended.
#[test]
fn a_stale_file_does_not_bring_back_the_external_id_that_a_rotation_ended() {
    let scene = Scene::linked("--no-verify --name prod --external-id old-id");
    scene.xacct("rotate external-id prod --new-external-id new-id --yes --no-verify").exits_with(0);
    let stale = scene.environment.read("xacct.toml");
    scene.xacct("rotate external-id prod --finish --yes --no-verify").exits_with(0);
    scene.environment.write("xacct.toml", &stale);
    scene.sandbox.clear_requests();
    for words in ["bootstrap", "rotate external-id prod"] {
        let output = scene.xacct(&format!("{words} --yes --no-verify")).exits_with(1);
        output.says(&["the trust policy also accepts external ID old-id"]);
        assert_eq!(scene.writes(), [""; 0], "{words}");
    }
    let shown = scene.xacct_json("bootstrap --check", 4);
    assert_eq!(shown["targets"]["prod"]["weaker"], json!(["external_id_added"]));
    assert_eq!(scene.conditions(), requires("new-id"));
}

/// A variable of one shell is about all targets.
#[test]
fn a_variable_replaces_the_external_id_of_none_of_twelve_roles() {
    let accounts: Vec<_> = (0..12).map(|number| format!("{:012}", 400_000_000_000_u64 + number)).collect();
    let plant = accounts.clone();
    let mut scene = Scene::of(Sandbox::builder().plant(move |world| {
        for account in &plant {
            world.add_role(account, ENTERED, trust(&json!({})));
            world.attach_role_policy(account, ENTERED, "arn:aws:iam::aws:policy/AdministratorAccess");
        }
    }));
    let all = format!(
        "bootstrap --yes --no-verify --user alice --user-profile alice --profile security-admin --enter-role {ENTERED}"
    );
    scene.xacct(&format!("{all} --external-id abc {}", accounts.join(" "))).exits_with(0);
    scene.sandbox.clear_requests();

    scene.environment.set("XACCT_EXTERNAL_ID", "xyz");
    let words = "bootstrap --yes --no-verify";
    let output = scene.xacct(words).exits_with(1);
    assert_eq!(scene.writes(), [""; 0], "nothing is written");
    let refused = output.everything().matches("the external ID changes from abc to xyz").count();
    assert_eq!(refused, 12, "{output}");
    for account in &accounts {
        let found = scene.sandbox.world(|world| world.trust_policy(account, "xacct")).expect("the role");
        assert_eq!(found["Statement"][0]["Condition"], requires("abc"));
    }
}

/// A way for a link to become weaker: the options of the link, those of the next run, and the ID.
type Way = (&'static str, &'static str, &'static str);

const WAYS: [Way; 11] = [
    ("--external-id abc", "--external-id xyz", "external_id_changed"),
    ("--require-mfa", "--require-mfa=false", "mfa_dropped"),
    ("--restrict-to-user", "--restrict-to-user=false", "restriction_dropped"),
    ("--permissions-boundary ReadOnlyAccess", "--permissions-boundary PowerUserAccess", "boundary_replaced"),
    ("", "--max-session-duration 2h", "session_longer"),
    ("", "--trust-statement-file trust.json", "caller_added"),
    ("--trust-statement-file denying-both.json", "--trust-statement-file denying-one.json", "trust_denial_dropped"),
    ("", "--allow-session-tags", "session_tags_allowed"),
    ("", "--policy-arn ReadOnlyAccess", "policy_attached"),
    ("", "--policy-file wide.json", "policy_wider"),
    ("--policy-file denying.json", "--policy-file narrow.json", "denial_dropped"),
];

fn write_files(scene: &Scene) {
    let other = json!({"Sid": "Other", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
                       "Action": "sts:AssumeRole"});
    let write = |name: &str, document: &Value| scene.environment.write(name, &document.to_string());
    write("trust.json", &document(json!([other])));
    let deny = |account: &str| {
        let principal = json!({"AWS": format!("arn:aws:iam::{account}:root")});
        json!({"Effect": "Deny", "Principal": principal, "Action": "sts:AssumeRole"})
    };
    write("denying-both.json", &document(json!([deny("333333333333"), deny("444444444444")])));
    write("denying-one.json", &document(json!([deny("333333333333")])));
    write("wide.json", &allow("s3:*", "*"));
    write("narrow.json", &allow("s3:Get*", "*"));
    let denial = json!({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"});
    let allowed = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    write("denying.json", &document(json!([allowed, denial])));
}

#[test]
fn each_way_to_be_weaker_stops_yes_and_is_shown_by_check() {
    side_by_side(&WAYS, |(linked, then, id)| {
        let scene = Scene::new();
        write_files(&scene);
        scene.link(&format!("--no-verify {linked}"));
        let shown = scene.bootstrap_json(&format!("--check {then}"), 4);
        assert_eq!(shown["targets"][ACCOUNT_B]["weaker"], json!([id]), "{then}");

        let refused = scene.bootstrap(&format!("--no-verify {then}")).exits_with(1);
        refused.says(&["--yes does not make role `xacct`", "--yes --allow-weaker"]);
        assert_eq!(scene.writes(), [""; 0], "{then}");

        scene.bootstrap(&format!("--no-verify --allow-weaker {then}")).exits_with(0);
        assert_eq!(scene.bootstrap_json("--check", 0)["pending_changes"], 0, "{then}");
    });
}

/// Whatever narrows needs no further flag, and neither does a new link.
#[test]
fn what_is_stronger_or_new_needs_no_flag() {
    let ways = [
        ("", "--external-id abc"),
        ("", "--require-mfa"),
        ("", "--restrict-to-user"),
        ("", "--permissions-boundary PowerUserAccess"),
        ("--max-session-duration 2h", "--max-session-duration 1h"),
        ("--trust-statement-file trust.json", "--tag team=platform"),
        ("--policy-file wide.json", "--policy-file narrow.json"),
        ("--policy-file wide.json --policy-arn ReadOnlyAccess", "--policy-file wide.json --exclusive"),
    ];
    side_by_side(&ways, |(linked, then)| {
        let scene = Scene::new();
        write_files(&scene);
        scene.link(&format!("--no-verify {linked}"));
        scene.bootstrap(&format!("--no-verify {then}")).exits_with(0);
    });
}

/// The other targets are applied.
#[test]
fn a_target_that_would_be_weaker_stops_no_other() {
    let scene = Scene::linked("--no-verify --external-id abc --name prod");
    scene.xacct("bootstrap 333333333333 --name dev --yes --no-verify --target-profile third-admin").exits_with(0);
    scene.environment.edit("xacct.toml", "external_id = \"abc\"\n", "");
    scene.sandbox.world(|world| world.delete_role("333333333333", "xacct"));
    scene.sandbox.clear_requests();
    let document = scene.xacct_json("bootstrap --yes --no-verify", 1);
    assert_eq!(scene.requests("CreateRole").len(), 1);
    assert_eq!(scene.requests("UpdateAssumeRolePolicy").len(), 0);
    assert_eq!(document["targets"]["prod"]["error"]["kind"], "refused", "{document:#}");
    assert!(document["targets"]["dev"]["error"].is_null(), "{document:#}");
}

#[test]
fn on_a_terminal_it_is_shown_and_asked_as_ever() {
    let mut scene = Scene::linked("--no-verify");
    let words = "bootstrap --no-verify --max-session-duration 2h";
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, words) else { return };
    terminal.answer("[y/N,", 1, "y\n");
    let (ended, screen) = terminal.ended();
    assert_eq!(ended, Some(0), "{screen}");
    assert!(screen.contains("!  target  weaker: sessions may last 2h (now 1h)"), "{screen}");
    assert_eq!(scene.requests("UpdateRole").len(), 1);
}

#[test]
fn the_flag_needs_yes_and_without_a_terminal_both_are_named() {
    let scene = Scene::linked("--no-verify");
    scene.xacct("bootstrap --allow-weaker").exits_with(2).says(&["--yes"]);
    let asked = scene.xacct("bootstrap --no-verify --max-session-duration 2h").exits_with(2);
    asked.says(&["a role gets weaker: --yes --allow-weaker"]);
    assert_eq!(scene.writes(), [""; 0]);
}

/// Adopting a role keeps what it requires, unless an option says otherwise.
#[test]
fn adopting_a_role_with_options_that_require_less_is_weaker() {
    let conditions = json!({
        "StringEquals": {"sts:ExternalId": "abc"}, "Bool": {"aws:MultiFactorAuthPresent": "true"},
    });
    let scene = Scene::of(Sandbox::builder().plant(move |world| {
        world.add_role(ACCOUNT_B, "xacct", trust(&conditions));
        world.put_role_policy(ACCOUNT_B, "xacct", "theirs", allow("s3:*", "*"));
    }));
    let output = scene.bootstrap("--no-verify --adopt --require-mfa=false").exits_with(1);
    output.says(&["no longer needs MFA"]);
    let output = scene.bootstrap("--no-verify --adopt --external-id other").exits_with(1);
    output.says(&["the external ID changes from abc to other"]);
    assert_eq!(scene.writes(), [""; 0]);
    scene.bootstrap("--no-verify --adopt").exits_with(0);
}

/// Somebody locked one user out by hand.
#[test]
fn a_deny_in_the_trust_policy_stays_without_the_flag() {
    let denying_bob = |conditions: &Value| {
        let mut policy = trust(conditions);
        let deny = json!({"Sid": "NotBob", "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111111111111:user/bob"},
                          "Action": "sts:AssumeRole"});
        policy["Statement"].as_array_mut().expect("statements").push(deny);
        policy
    };
    let lost = "the trust policy no longer denies what its statement 2 (NotBob) denies now";
    let by_hand = denying_bob(&json!({}));
    let adopted = Scene::of(Sandbox::builder().plant(move |world| {
        world.add_role(ACCOUNT_B, "xacct", by_hand.clone());
    }));
    let linked = Scene::linked("--no-verify --external-id abc");
    let mut policy = linked.trust_policy();
    let deny = denying_bob(&json!({}))["Statement"][1].clone();
    policy["Statement"].as_array_mut().expect("statements").push(deny);
    linked.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &policy));
    linked.sandbox.clear_requests();
    for (scene, words) in [(&adopted, "--no-verify --adopt"), (&linked, "--no-verify")] {
        scene.bootstrap(words).exits_with(1).says(&[lost, "--keep-statements"]);
        assert_eq!(scene.writes(), [""; 0], "{words}");
        scene.bootstrap(&format!("{words} --keep-statements")).exits_with(0);
        assert_eq!(scene.trust_policy()["Statement"][1]["Sid"], "NotBob", "{words}");
    }
}

/// A run that created the role and was interrupted goes on without a flag.
#[test]
fn an_unfinished_role_is_finished() {
    side_by_side(&[("AttachRolePolicy", 0, 1), ("PutRolePolicy", 1, 0)], |(operation, managed, inline)| {
        let scene = denying(operation, 1);
        write_files(&scene);
        let options = "--no-verify --policy-arn ReadOnlyAccess --policy-file wide.json";
        let number = |scene: &Scene| (attached(&role(scene)).len(), role(scene).policies.inline.len());
        scene.bootstrap(options).exits_with(1);
        assert_eq!(number(&scene), (*managed, *inline), "{operation}");
        scene.bootstrap(options).exits_with(0);
        assert_eq!(number(&scene), (1, 1), "{operation}");
    });
}

/// `policy_files = ["wide.json"]` becomes `["narrow.json"]`: if AWS rejects the new one, the old one is still there.
#[test]
fn a_put_that_is_refused_removes_nothing() {
    let scene = denying("PutRolePolicy", 2);
    write_files(&scene);
    scene.link("--no-verify --policy-file wide.json --policy-arn ReadOnlyAccess");
    let words = "--no-verify --policy-file narrow.json --policy-arn AmazonS3ReadOnlyAccess --allow-weaker";
    scene.bootstrap(words).exits_with(1).says(&["not tried: remove policy xacct-wide"]);
    assert_eq!(scene.requests("DeleteRolePolicy").len(), 0);
    assert_eq!(scene.requests("DetachRolePolicy").len(), 0);
    assert!(role(&scene).policies.inline.contains_key("xacct-wide"));
    assert!(role(&scene).policies.attached.contains(READ_ONLY));

    scene.bootstrap(words).exits_with(0);
    assert!(role(&scene).policies.inline.keys().eq(["xacct-narrow"]));
    assert_eq!(attached(&role(&scene)).len(), 1);
}

#[test]
fn where_a_quota_has_removals_come_first_the_plan_says_so() {
    let scene = Scene::new();
    let large = |name: &str| {
        let document = allow(format!("s3:{}", "a".repeat(5200)), "*");
        scene.environment.write(name, &document.to_string());
    };
    large("a.json");
    large("b.json");
    scene.link("--no-verify --policy-file a.json");
    let words = "--no-verify --policy-file b.json --allow-weaker";
    let output = scene.bootstrap(words).exits_with(0);
    assert!(output.everything().contains("xacct removes"), "{output}");
    assert_eq!(scene.iam_writes()[0], "DeleteRolePolicy");
}

/// A pull request takes a policy out of the file, and the pipeline on another machine has no other record.
#[test]
fn a_policy_that_left_the_file_is_detached_and_one_of_others_stays() {
    let scene = Scene::linked("--no-verify --policy-arn ReadOnlyAccess");
    let theirs = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
    scene.sandbox.world(|world| world.attach_role_policy(ACCOUNT_B, "xacct", theirs));
    scene.environment.edit("xacct.toml", "policy_arns = [\"ReadOnlyAccess\"]\n", "");

    let shown = scene.xacct("bootstrap --check").exits_with(4);
    assert!(shown.everything().contains(&format!("detach {READ_ONLY} from role xacct")), "{shown}");
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    assert_eq!(scene.iam_writes(), ["PutRolePolicy", "DetachRolePolicy", "TagRole"]);
    assert_eq!(attached(&role(&scene)), [theirs]);
    assert_eq!(role(&scene).tags["xacct:policies"], "");
    scene.xacct("bootstrap --check").exits_with(0).says(&[theirs]);
}

/// Between the new policy and the detached one, the record still names the old one.
#[test]
fn a_policy_that_left_the_file_is_detached_by_the_next_run_if_aws_refuses_it() {
    let scene = denying("DetachRolePolicy", 1);
    scene.link("--no-verify --policy-arn ReadOnlyAccess --policy-arn PowerUserAccess");
    scene.environment.edit("xacct.toml", "\"ReadOnlyAccess\", ", "");
    scene.xacct("bootstrap --yes --no-verify").exits_with(1);
    assert_eq!(scene.requests("TagRole").len(), 0);
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    assert_eq!(attached(&role(&scene)), [POWER_USER]);
}

/// A role of an earlier version has no record.
#[test]
fn a_role_without_a_record_is_no_difference_and_gets_one() {
    let scene = Scene::linked("--no-verify --policy-arn ReadOnlyAccess");
    let tag = |world: &mut World| world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.remove("xacct:policies");
    let before = scene.sandbox.world(tag);
    scene.xacct("bootstrap --check").exits_with(0).says(&["would only update tags"]);
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    assert_eq!(scene.sandbox.world(tag), before);
}
