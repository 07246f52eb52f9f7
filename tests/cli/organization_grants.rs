//! Grants that cover the roles of one name in every account of an organization.

use serde_json::{Value, json};
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, World};

use crate::scene::{ROLE, Scene, step, trust};

const ORGANIZATION: &str = "o-a1b2c3d4e5";
const PATTERN: &str = "arn:aws:iam::*:role/xacct";
const ENTERED: &str = "OrganizationAccountAccessRole";
const WIDE: &str = "--grant organization --organization o-a1b2c3d4e5";

/// A scene whose source account and account B are in the organization.
fn scene() -> Scene {
    Scene::of(Sandbox::builder().plant(|world| {
        world.set_organization(ACCOUNT_A, ORGANIZATION);
        world.set_organization(ACCOUNT_B, ORGANIZATION);
        world.add_role(ACCOUNT_C, ENTERED, trust(&json!({})));
        world.attach_role_policy(ACCOUNT_C, ENTERED, "arn:aws:iam::aws:policy/AdministratorAccess");
    }))
}

fn linked(more: &str) -> Scene {
    let scene = scene();
    scene.link(&format!("--name dev {WIDE} {more}"));
    scene
}

/// Links account C, too.
const OF_C: &str = "bootstrap 333333333333 --name prod --yes --user-profile alice --profile security-admin \
                    --enter-role OrganizationAccountAccessRole";

fn grant(scene: &Scene) -> Option<Value> {
    scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").cloned())
}

fn wide() -> Value {
    json!({
        "Sid": "XacctAssumeRoleInOrganization", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": PATTERN,
        "Condition": {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}},
    })
}

fn statements(scene: &Scene) -> Value {
    grant(scene).unwrap()["Statement"].clone()
}

#[test]
fn one_statement_serves_every_target_and_its_risk_is_shown() {
    let scene = scene();
    let shown = scene.bootstrap(&format!("--name dev {WIDE} --dry-run")).exits_with(0);
    shown.says(&[
        "add policy xacct to user alice: sts:AssumeRole on",
        "arn:aws:iam::*:role/xacct in organization o-a1b2c3d4e5",
        "!  source",
        "user alice may assume arn:aws:iam::*:role/xacct in every account",
        "present or future, whose role of",
        "no AssumeRole that it allows",
    ]);
    let made = scene.bootstrap_json(&format!("--name dev {WIDE} --generate-external-id"), 0);
    assert!(made["source"]["weaker"].is_null(), "nothing gets wider that there was");
    assert_eq!(statements(&scene), json!([wide()]));
    let file = scene.environment.read("xacct.toml");
    assert!(file.contains("grant = \"organization\"\norganization = \"o-a1b2c3d4e5\"\n"), "{file}");
    let document = scene.xacct_json("verify", 0);
    let verification = &document["targets"]["dev"]["verification"];
    for id in ["assume_role", "create_bucket", "refused_without_external_id"] {
        assert_eq!(step(verification, id)["outcome"], "ok", "{id}");
    }
    scene.xacct("bootstrap --check").exits_with(0).says(&["both accounts match", "in every account"]);
    scene.xacct("list --live").exits_with(0);
    // A new target changes nothing in the source account.
    scene.sandbox.world(|world| world.set_organization(ACCOUNT_C, ORGANIZATION));
    scene.sandbox.clear_requests();
    scene.xacct(OF_C).exits_with(0);
    assert!(!scene.writes().contains(&"PutUserPolicy".to_owned()), "{:?}", scene.writes());
    assert_eq!(statements(&scene), json!([wide()]));
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn an_account_outside_the_organization_is_rejected_and_diagnosed() {
    let scene = linked("");
    // Account C is in no organization, and then in another one: AWS has no such key, or another value.
    let output = scene.xacct(&format!("{OF_C} --timeout 1s")).exits_with(3);
    output.says(&[
        "allows sts:AssumeRole only in accounts",
        "may be in another one",
        "describe-organization",
        "grant = \"roles\"",
    ]);
    let document = scene.xacct_json("diagnose prod", 3);
    let finding = &document["targets"]["prod"]["diagnosis"]["findings"][0];
    assert_eq!((&finding["cause"], &finding["side"]), (&json!("grant_condition"), &json!("source")));
    scene.sandbox.world(|world| world.set_organization(ACCOUNT_C, "o-zzzzzzzzzz"));
    scene.xacct("verify prod").exits_with(3);
    scene.sandbox.world(|world| world.set_organization(ACCOUNT_C, ORGANIZATION));
    scene.xacct("verify prod").exits_with(0);
}

#[test]
fn a_grant_that_exists_covers_the_organization_only_when_asked() {
    let scene = scene();
    scene.link("--name dev");
    let before = statements(&scene);
    scene.environment.edit(
        "xacct.toml",
        "user = \"alice\"\n",
        "user = \"alice\"\ngrant = \"organization\"\norganization = \"o-a1b2c3d4e5\"\n",
    );
    let refused = scene.xacct("bootstrap --yes").exits_with(1);
    refused.says(&["--yes does not make an existing grant cover a whole organization", "--allow-weaker"]);
    assert_eq!((scene.writes(), statements(&scene)), (Vec::<String>::new(), before.clone()));
    let shown = scene.xacct_json("bootstrap --check", 4);
    assert_eq!(shown["source"]["weaker"], json!(["grant_for_organization"]));
    scene.xacct("bootstrap --yes --allow-weaker").exits_with(0);
    assert_eq!(statements(&scene), json!([wide()]));
    // And back: narrower needs nothing.
    let file = scene.environment.read("xacct.toml");
    scene.environment.write("xacct.toml", &file.replace("grant = \"organization\"\n", ""));
    scene.xacct("bootstrap --yes").exits_with(0).says(&[PATTERN]);
    assert_eq!(statements(&scene), before);
}

#[test]
fn drift_is_mended() {
    let scene = linked("");
    let edits: [fn(&mut Value); 3] = [
        |statement| statement["Condition"] = json!({}),
        |statement| statement["Resource"] = json!("arn:aws:iam::*:role/*"),
        |statement| statement["Condition"]["StringEquals"]["aws:ResourceOrgID"] = json!("o-zzzzzzzzzz"),
    ];
    for edit in edits {
        let mut edited = wide();
        edit(&mut edited);
        let policy = json!({"Version": "2012-10-17", "Statement": [edited]});
        scene.sandbox.world(|world| {
            let alice = world.user_mut(ACCOUNT_A, "alice");
            alice.policies.inline.insert("xacct".to_owned(), policy);
        });
        scene.xacct("bootstrap --check").exits_with(4);
        scene.xacct("bootstrap --yes --adopt --allow-weaker").exits_with(0);
        assert_eq!(statements(&scene), json!([wide()]), "{edited}");
    }
}

#[test]
fn the_statement_goes_with_the_last_target_that_uses_it() {
    let scene = linked("");
    scene.sandbox.world(|world| world.set_organization(ACCOUNT_C, ORGANIZATION));
    scene.xacct(OF_C).exits_with(0);
    // The statement serves dev, too.
    let output = scene.xacct("teardown prod --only source --yes").exits_with(1);
    output.says(&["cannot remove the grant alone", "because other targets use it"]);
    let output = scene.xacct("teardown prod --yes --even-if-used").exits_with(0);
    output.says(&["still covers", "because other targets use it"]);
    assert_eq!(statements(&scene), json!([wide()]));
    scene.xacct("verify dev").exits_with(0);
    let output = scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    output.says(&[
        "delete policy xacct of user alice",
        "(arn:aws:iam::*:role/xacct in",
        "every account of organization",
    ]);
    assert_eq!(grant(&scene), None);
}

#[test]
fn a_target_of_another_file_keeps_the_statement() {
    let scene = linked("");
    let other = "[source]\naccount = \"111111111111\"\nuser = \"alice\"\n[targets.c]\naccount = \"333333333333\"\n";
    scene.environment.write("other.toml", other);
    scene.environment.edit("xacct.toml", "user = \"alice\"\n", "user = \"alice\"\nother_files = [\"other.toml\"]\n");
    scene.xacct("teardown dev --yes --even-if-used").exits_with(0).says(&["because other targets use it"]);
    assert_eq!(statements(&scene), json!([wide()]));
}

#[test]
fn a_statement_that_no_target_uses_is_an_orphan() {
    let scene = linked("");
    scene.xacct("bootstrap --check").exits_with(0);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "XacctAssumeRoleInOrganization", "Effect": "Allow", "Action": "sts:AssumeRole",
         "Resource": [PATTERN, "arn:aws:iam::*:role/old"],
         "Condition": {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}}},
    ]});
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.insert("xacct".to_owned(), policy));
    let document = scene.xacct_json("bootstrap --check", 4);
    assert_eq!(document["orphans"]["grants"][0]["role_patterns"], json!(["arn:aws:iam::*:role/old"]));
    scene.xacct("bootstrap --check").exits_with(4).says(&[
        "in the grant of user alice: arn:aws:iam::*:role/old",
        "xacct teardown --orphan user/alice",
        "no target of this xacct.toml",
    ]);
    scene.xacct("teardown --orphan user/alice --yes").exits_with(0);
    assert_eq!(statements(&scene), json!([wide()]));
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn import_records_the_grant_that_it_finds() {
    let scene = linked("");
    std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
    let words = "import arn:aws:iam::222222222222:role/xacct --name dev --user alice --profile security-admin \
                 --target-profile dev-admin";
    scene.xacct(words).exits_with(0);
    let file = scene.environment.read("xacct.toml");
    assert!(file.contains("grant = \"organization\"") && file.contains("organization = \"o-a1b2c3d4e5\""), "{file}");
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn groups_and_roles_get_such_a_grant_too() {
    for (principal, words) in [
        ("role/ci/terraform", "add policy xacct to role ci/terraform: sts:AssumeRole on"),
        ("group/deployers", "add policy xacct to group deployers: sts:AssumeRole on"),
    ] {
        let scene = scene();
        let principals = scene.sandbox.world(World::add_principals);
        scene.session_profile("terraform", &principals.terraform);
        let user = if principal.starts_with("role") { "terraform" } else { "alice" };
        let output = scene.xacct(&format!(
            "bootstrap --yes --target-account 222222222222 --name dev --principal {principal} --profile security-admin \
             --target-profile dev-admin --user-profile {user} {WIDE}"
        ));
        output.exits_with(0).says(&[words]);
        scene.xacct("bootstrap --check").exits_with(0);
        scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
        scene.sandbox.world(|world| {
            assert!(world.role_policy(ACCOUNT_A, "terraform", "xacct").is_none());
            assert!(world.group_policy(ACCOUNT_A, "deployers", "xacct").is_none());
        });
    }
}

#[test]
fn session_tags_are_allowed_for_the_same_roles() {
    let scene = linked("--allow-session-tags --session-tag project=x");
    let statement = statements(&scene)[1].clone();
    assert_eq!(
        (&statement["Sid"], &statement["Resource"]),
        (&json!("XacctSessionTagsInOrganization"), &json!(PATTERN))
    );
    assert_eq!(statement["Condition"], wide()["Condition"]);
    scene.xacct("verify").exits_with(0);
}

#[test]
fn what_cannot_be_granted_is_refused_before_anything_is_written() {
    let scene = scene();
    let cases = [
        ("--grant organization", "grant = \"organization\" needs the ID of the organization"),
        ("--grant organization --organization 111111111111", "does not begin with `o-`"),
        ("--grant organization --organization o-A1B2C3D4E5", "contains `A`"),
        ("--grant organization --organization o-short", "at least 10 are required after `o-`"),
        ("--set-grant inline", "set_grant is for permission sets, but no link is for one"),
        ("--set-grant managed-policy", "set_grant is for permission sets, but no link is for one"),
        ("--set-grant pattern --organization o-a1b2c3d4e5", "set_grant is for permission sets, but no link is for one"),
        ("--set-grant pattern", "set_grant = \"pattern\" needs the ID of the organization"),
    ];
    for (options, text) in cases {
        scene.bootstrap(options).exits_with(2).says(&[text]);
    }
    for line in ["grant = \"organization\"", "set_grant = \"pattern\"", "organization = \"o\"", "grant = \"all\""] {
        scene.environment.write("bad.toml", &format!("[source]\nuser = \"alice\"\n{line}\n"));
        scene.xacct("verify --config bad.toml").exits_with(2).says(&["bad.toml:3: "]);
    }
    assert_eq!(scene.writes(), Vec::<String>::new());
    assert!(!scene.environment.has("xacct.toml"));
}

#[test]
fn targets_with_roles_of_different_names_are_refused() {
    let scene = linked("");
    scene.sandbox.world(|world| world.set_organization(ACCOUNT_C, ORGANIZATION));
    for (words, text) in [
        (format!("{OF_C} --role-name other"), "target `dev` role `/xacct`"),
        (format!("{OF_C} --role-path /team/"), "target `prod` has role `/team/xacct`"),
    ] {
        scene.xacct(&words).exits_with(2).says(&[text, "grant = \"roles\""]);
    }
    scene.xacct(OF_C).exits_with(0);
    scene.sandbox.clear_requests();
    // One of two targets cannot move to another name.
    scene.xacct("move dev --role-name other --yes").exits_with(2).says(&["covers one path and name"]);
    assert_eq!(scene.writes(), Vec::<String>::new());
    scene.xacct("verify").exits_with(0);
}

#[test]
fn a_link_moves_to_a_role_with_another_name() {
    let scene = linked("");
    scene.xacct("move dev --role-name other --yes --allow-weaker").exits_with(0);
    assert_eq!(statements(&scene)[0]["Resource"], json!([PATTERN.replace("xacct", "other"), PATTERN]));
    scene.xacct("move dev --finish --yes --even-if-used").exits_with(0);
    assert_eq!(statements(&scene)[0]["Resource"], json!(PATTERN.replace("xacct", "other")));
    scene.xacct("verify dev").exits_with(0);
}

#[test]
fn settings_for_other_tools_have_the_statement() {
    let scene = linked("");
    let printed = scene.xacct("print policies --for user").exits_with(0).stdout;
    let document: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(document["Statement"], json!([wide()]));
    scene.xacct("print role-hcl").exits_with(0).says(&["XacctAssumeRoleInOrganization", "aws:ResourceOrgID"]);
    let who = scene.xacct("who dev").everything();
    assert!(who.contains("user/alice") || who.contains("user alice"), "{who}");
    assert!(who.contains(ROLE) || who.contains("xacct"), "{who}");
}
