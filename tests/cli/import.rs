//! Roles that exist become targets of `xacct.toml`, and `bootstrap --adopt` leaves their terms as they were. `forget`
//! removes targets, and nothing in AWS.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xacct_sandbox::world::World;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, BOOTSTRAP, ROLE, Scene, trust};
use crate::snapshots::assert_output;
use crate::support::policies::{allow, document};

const ROOT: &str = "arn:aws:iam::111111111111:root";
const ALICE: &str = "arn:aws:iam::111111111111:user/alice";
const VENDOR: &str = "arn:aws:iam::999999999999:root";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const DEPLOY: &str = "arn:aws:iam::222222222222:role/deploy";

/// The options of import that lead to account B.
const WORDS: &str = "--user alice --profile security-admin --target-profile dev-admin";

/// Returns a statement that admits a principal under these conditions.
fn admitting(principal: impl Into<Value>, conditions: &Value) -> Value {
    let principal: Value = principal.into();
    let mut statement = json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
    if *conditions != json!({}) {
        statement["Condition"] = conditions.clone();
    }
    statement
}

/// Adds a role that somebody made by hand in account B.
fn add(world: &mut World, name: &str, statements: &[Value]) {
    world.add_role(ACCOUNT_B, name, document(json!(statements)));
    world.attach_role_policy(ACCOUNT_B, name, READ_ONLY);
}

/// Creates a scene with role `deploy`, which admits alice on these terms.
fn with_role(statements: &[Value]) -> Scene {
    let scene = Scene::new();
    scene.sandbox.world(|world| {
        add(world, "deploy", statements);
        world.grant_assume_role(ACCOUNT_A, "alice", "deploy", DEPLOY);
    });
    scene
}

/// Returns a statement without what xacct gives it: its `Sid`.
fn bare(statement: &Value) -> Value {
    let mut statement = statement.clone();
    statement.as_object_mut().expect("a statement").remove("Sid");
    statement
}

fn statements(trust: &Value) -> Vec<Value> {
    trust["Statement"].as_array().cloned().unwrap_or_else(|| vec![trust["Statement"].clone()])
}

/// A role made by hand, and what its trust policy is once it is adopted.
struct ByHand {
    name: &'static str,
    trust: Vec<Value>,
    adopted: Vec<Value>,
}

fn same(name: &'static str, trust: Value) -> ByHand {
    ByHand { name, adopted: vec![trust.clone()], trust: vec![trust] }
}

/// Twelve roles as people make them by hand or with Terraform.
fn twelve() -> Vec<ByHand> {
    let id = json!({"StringEquals": {"sts:ExternalId": "abc"}});
    let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let both = json!({"StringEquals": {"sts:ExternalId": "abc"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let only_alice = json!({"ArnEquals": {"aws:PrincipalArn": ALICE}});
    let vendor = admitting(VENDOR, &json!({"StringEquals": {"sts:ExternalId": "of-the-vendor"}}));
    let mut with_tags = admitting(ROOT, &id);
    with_tags["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
    let mut tags = admitting(ROOT, &id);
    tags["Action"] = json!("sts:TagSession");
    let denying = json!({
        "Sid": "OwnNameOnly", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
        "Condition": {"StringNotEquals": {"sts:RoleSessionName": ["alice", "deploy"]}},
    });
    vec![
        same("plain", admitting(ROOT, &json!({}))),
        same("id", admitting(ROOT, &id)),
        same("mfa", admitting(ROOT, &mfa)),
        same("both", admitting(ROOT, &both)),
        ByHand { name: "user", trust: vec![admitting(ALICE, &json!({}))], adopted: vec![admitting(ROOT, &only_alice)] },
        same("condition", admitting(ROOT, &only_alice)),
        same("long", admitting(ROOT, &id)),
        same("limited", admitting(ROOT, &id)),
        ByHand {
            name: "vendor",
            trust: vec![vendor.clone(), admitting(ROOT, &id)],
            adopted: vec![admitting(ROOT, &id), vendor],
        },
        ByHand {
            name: "list",
            trust: vec![admitting(json!([ROOT, VENDOR]), &id)],
            adopted: vec![admitting(ROOT, &id), admitting(VENDOR, &id)],
        },
        ByHand { name: "tags", trust: vec![with_tags], adopted: vec![admitting(ROOT, &id), tags] },
        ByHand {
            name: "denies",
            trust: vec![admitting(ROOT, &id), denying.clone()],
            adopted: vec![admitting(ROOT, &id), bare(&denying)],
        },
    ]
}

/// Creates the twelve roles, and a grant that lists them all.
fn twelve_by_hand() -> Scene {
    let scene = Scene::new();
    let roles = twelve();
    scene.sandbox.world(|world| {
        for role in &roles {
            add(world, role.name, &role.trust);
        }
        let boundary = world.add_policy(ACCOUNT_B, "limits", allow("*", "*"));
        let long = world.role_mut(ACCOUNT_B, "long").expect("a role");
        (long.path, long.max_session_duration) = ("/team/".to_owned(), 4 * 3600);
        long.description = Some("Deploys the \"site\"".to_owned());
        let limited = world.role_mut(ACCOUNT_B, "limited").expect("a role");
        limited.boundary = Some(boundary);
        limited.tags.insert("team".to_owned(), "platform".to_owned());
        limited.tags.insert("managed-by".to_owned(), "terraform".to_owned());
        let arns: Vec<_> = roles.iter().map(|role| arn(role.name)).collect();
        world.put_user_policy(ACCOUNT_A, "alice", "deploy", allow("sts:AssumeRole", json!(arns)));
    });
    scene
}

fn arn(name: &str) -> String {
    let path = if name == "long" { "team/" } else { "" };
    format!("arn:aws:iam::222222222222:role/{path}{name}")
}

/// Session limit, path, boundary, description, and tags except those of xacct: by the role's name.
fn settings(scene: &Scene) -> BTreeMap<&'static str, String> {
    let of = |world: &World, name| {
        let role = world.role(ACCOUNT_B, name).expect("a role");
        let mut tags = role.tags.clone();
        tags.retain(|key, _| key != "managed-by" && !key.starts_with("xacct:"));
        let description = role.description.clone().unwrap_or_default();
        let policies = (&role.policies.attached, role.policies.inline.keys().collect::<Vec<_>>());
        format!("{:?}", (role.max_session_duration, &role.path, &role.boundary, description, tags, policies))
    };
    scene.sandbox.world(|world| twelve().iter().map(|role| (role.name, of(world, role.name))).collect())
}

/// The way to adopt twelve roles that were made by hand or by Terraform.
#[test]
fn adopting_twelve_imported_roles_leaves_their_terms_and_settings_as_they_were() {
    let scene = twelve_by_hand();
    let before = settings(&scene);
    let words = format!("import {WORDS}");
    assert_output("import-twelve", &words, &scene.xacct(&words).exits_with(0));
    assert_eq!(scene.writes(), [""; 0], "import changes nothing in AWS");

    scene.environment.edit(
        "xacct.toml",
        "profile = \"security-admin\"",
        "profile = \"security-admin\"\nuser_profile = \"alice\"",
    );
    let preview = scene.xacct_json("bootstrap --adopt --dry-run", 0);
    let targets = preview["targets"].as_object().expect("targets");
    assert_eq!(targets.len(), 12);
    for (name, target) in targets {
        let actions: Vec<_> = target["changes"].as_array().expect("changes").iter().map(|it| &it["action"]).collect();
        assert_eq!(actions, ["replace_trust_policy", "tag_role"], "{name}: {target:#}");
        assert!(!target["changes"].to_string().contains("removes"), "{target:#}");
        assert!(!target["warnings"].to_string().contains("loses access"), "{target:#}");
    }
    scene.xacct("bootstrap --adopt --yes --no-verify").exits_with(0);
    assert_eq!(settings(&scene), before);
    for role in twelve() {
        let trust = scene.sandbox.world(|world| world.trust_policy(ACCOUNT_B, role.name)).expect("a role");
        let found: Vec<_> = statements(&trust).iter().map(bare).collect();
        assert_eq!(found, role.adopted, "{}", role.name);
    }
    scene.xacct("bootstrap --check").exits_with(0);
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("verify --mfa-code {code}")).exits_with(0).says(&["12 of 12 work"]);
}

#[test]
fn a_lost_file_is_rebuilt_from_the_grant() {
    let scene = Scene::new();
    scene.environment.write("policies/state.json", &allow("s3:ListBucket", "*").to_string());
    scene.environment.write("vendor.json", &document(json!([admitting(VENDOR, &json!({}))])).to_string());
    scene.link(
        "--external-id abc --require-mfa --restrict-to-user --allow-session-tags --max-session-duration 4h \
         --policy-arn ReadOnlyAccess --policy-file policies/state.json --trust-statement-file vendor.json \
         --tag team=platform --role-path /team/ --permissions-boundary PowerUserAccess --no-verify",
    );
    let recorded = scene.environment.read("xacct.toml");
    std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
    let output = scene.xacct(&format!("import {WORDS}")).exits_with(0);
    output.says(&["Wrote policies/222222222222/xacct-state.json", "Wrote policies/222222222222-trust.json"]);
    let files = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("_files = [") && !line.starts_with("user_profile"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(files(&scene.environment.read("xacct.toml")), files(&recorded));
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("verify --user-profile alice --mfa-code {code}")).exits_with(0);
    scene.xacct("bootstrap --check").exits_with(0).says(&["oth accounts match xacct.toml"]);
}

#[test]
fn shows_what_it_would_write_and_what_it_cannot_express() {
    let scene = with_role(&[
        admitting(ROOT, &json!({"StringEquals": {"sts:ExternalId": "abc"}})),
        admitting(VENDOR, &json!({})),
    ]);
    scene.sandbox.world(|world| {
        world.put_role_policy(ACCOUNT_B, "deploy", "logs", allow("logs:*", "*"));
        let role = world.role_mut(ACCOUNT_B, "deploy").expect("the role");
        role.tags.insert("aws:cloudformation:stack-name".to_owned(), "site".to_owned());
        role.tags.insert("managed-by".to_owned(), "terraform".to_owned());
    });
    let words = format!("import {DEPLOY} --name dev {WORDS}");
    let preview = scene.xacct(&format!("{words} --dry-run")).exits_with(0);
    assert_output("import-dry-run", &format!("{words} --dry-run"), &preview);
    assert!(!scene.environment.has("xacct.toml") && !scene.environment.has("policies"), "a preview writes nothing");
    let document = scene.xacct_json(&format!("{words} --dry-run"), 0);
    assert_eq!(document["targets"]["dev"]["files"], json!(["policies/dev-trust.json"]));
    assert_eq!(document["config"]["written"], false);
    assert!(
        preview.stdout.ends_with(&format!("{}\n", document["toml"].as_str().expect("text").trim_end())),
        "{preview}"
    );

    let written = scene.xacct(&words).exits_with(0);
    assert_output("import-one", &words, &written);
    assert_eq!(scene.environment.read("xacct.toml"), document["toml"].as_str().expect("text"));
    assert_eq!(scene.writes(), [""; 0]);
    // The next command that it names.
    let next =
        written.stderr.lines().find_map(|line| line.strip_prefix("Next, compare: xacct ")).expect("the next step");
    scene.xacct(next).exits_with(0);
}

#[test]
fn a_role_of_another_account_is_added_to_the_file() {
    let scene = Scene::linked("");
    let before = scene.environment.read("xacct.toml");
    scene.sandbox.world(|world| {
        world.add_role(ACCOUNT_C, "audit", document(json!([admitting(ALICE, &json!({}))])));
        add(world, "second", &[admitting(ROOT, &json!({}))]);
    });
    scene.xacct("import 3333-3333-3333 --role-name audit --target-profile third-admin").exits_with(0);
    scene.xacct("import arn:aws:iam::222222222222:role/second").exits_with(0);
    let after = scene.environment.read("xacct.toml");
    let added = after.strip_prefix(&before).unwrap_or_else(|| panic!("the rest stays\n{after}"));
    for line in [
        "[targets.333333333333]",
        "profile = \"third-admin\"",
        "role = \"audit\"",
        "restrict_to_user = true",
        "[targets.222222222222-2]",
        "role = \"second\"",
    ] {
        assert!(added.contains(line), "{line}\n{after}");
    }
}

/// A target is never overwritten.
#[test]
fn a_role_that_is_a_target_is_refused_or_left_alone() {
    let scene = Scene::linked("");
    let before = scene.environment.read("xacct.toml");
    let refused = scene.xacct(&format!("import {ROLE}")).exits_with(2);
    refused.says(&[
        "is target `222222222222` in `xacct.toml` already",
        "xacct forget 222222222222",
        "bootstrap 222222222222 --check",
    ]);
    assert!(scene.sandbox.requests().is_empty(), "nothing was sent");
    scene.xacct("import").exits_with(0).says(&["is target 222222222222 already", "Nothing to import"]);
    assert_eq!(scene.environment.read("xacct.toml"), before);
}

#[test]
fn bad_input_is_refused_before_any_request() {
    let scene = Scene::new();
    for (words, texts) in [
        ("dev", &["`dev` is neither the ARN of a role nor the ID of an account", "ID --role-name NAME"][..]),
        ("arn:aws:iam::222222222222:user/x", &["not a role"]),
        ("arn:aws:sts::222222222222:assumed-role/deploy/alice", &["use the role's ARN, not a session's"]),
        ("22222222222", &["exactly 12"]),
        ("arn:aws:iam::222222222222:role/x --role-name deploy", &["--role-name needs the ID of the role's account"]),
        ("--role-name deploy", &["--role-name needs the ID of the role's account"]),
        ("arn:aws:iam::111111111111:role/x --source-account 111111111111", &["source and target are the same account"]),
        (
            "arn:aws:iam::222222222222:role/x arn:aws:iam::222222222222:role/y --name dev",
            &["--name names one new target, but 2 targets are selected"],
        ),
    ] {
        scene.xacct(&format!("import {words} --user alice --profile security-admin")).exits_with(2).says(texts);
    }
    assert!(scene.sandbox.requests().is_empty());
}

/// Importing a role that trusts what xacct cannot express: a clear error, before anything is written.
#[test]
fn a_role_that_xacct_cannot_express_is_refused() {
    let network = json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
    for (statements, texts) in [
        (
            vec![admitting(ROOT, &network)],
            &[r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, "Deny statement"][..],
        ),
        (
            vec![admitting(ROOT, &json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}))],
            &["BoolIfExists", "require MFA with \"Bool\""],
        ),
        (vec![admitting(ROOT, &json!({"StringLike": {"sts:ExternalId": "a*"}}))], &["without wildcards"]),
        (
            vec![admitting(ROOT, &json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/bob"}}))],
            &["user/bob", "--user NAME"],
        ),
        (
            vec![admitting(VENDOR, &json!({}))],
            &["names account 111111111111 or user alice as principal", "it admits account 999999999999"],
        ),
        (
            vec![admitting(ROOT, &json!({})), admitting(json!("AIDACKCEVSQ6C2EXAMPLE"), &json!({}))],
            &["AIDACKCEVSQ6C2EXAMPLE", "remove the ID"],
        ),
    ] {
        let scene = with_role(&statements);
        scene.xacct(&format!("import {DEPLOY} {WORDS}")).exits_with(1).says(texts);
        assert!(!scene.environment.has("xacct.toml") && !scene.environment.has("policies"), "{statements:?}");
        assert_eq!(scene.writes(), [""; 0]);
    }
}

#[test]
fn one_role_that_fails_stops_no_other() {
    let scene = with_role(&[admitting(ROOT, &json!({}))]);
    scene.sandbox.world(|world| {
        let arns = json!([DEPLOY, arn("gone"), "arn:aws:iam::333333333333:role/unreadable", "arn:aws:iam::*:role/any"]);
        world.put_user_policy(ACCOUNT_A, "alice", "deploy", allow("sts:AssumeRole", arns));
    });
    let words = "import --user alice --profile security-admin";
    let output = scene.xacct(words).exits_with(1);
    assert_output("import-some-fail", words, &output);
    output.says(&[
        "has no role `gone`",
        "arn:aws:iam::*:role/any names no single role",
        "Recorded target 222222222222 ",
    ]);
    assert!(scene.environment.read("xacct.toml").contains("role = \"deploy\""));
}

#[test]
fn nothing_to_import_is_an_error_with_the_next_step() {
    let scene = Scene::new();
    let refused = scene.xacct(&format!("import {WORDS}")).exits_with(1);
    refused.says(&["no policy of user `alice` names a role of another account", "xacct import ARN"]);
}

#[test]
fn the_grant_may_be_a_policy_of_a_group() {
    let scene = with_role(&[admitting(ROOT, &json!({}))]);
    scene.sandbox.world(|world| {
        world.user_mut(ACCOUNT_A, "alice").policies.inline.clear();
        let group = world.add_to_group(ACCOUNT_A, "alice", "deployers");
        group.policies.inline.insert("deploy".to_owned(), allow("sts:*", DEPLOY));
    });
    scene.xacct(&format!("import {WORDS}")).exits_with(0).says(&[DEPLOY]);
}

#[test]
fn a_role_of_the_link_from_another_account_is_refused() {
    let scene = Scene::linked("");
    std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
    scene.sandbox.world(|world| {
        let tags = &mut world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags;
        tags.insert("xacct:source-account".to_owned(), "333333333333".to_owned());
    });
    let refused = scene.xacct(&format!("import {ROLE} {WORDS}")).exits_with(1);
    refused.says(&["belongs to the link from source account 333333333333"]);
}

/// A file that is there is never replaced, and one that an interrupted run left is used.
#[test]
fn policy_files_are_never_overwritten() {
    let scene = with_role(&[admitting(ROOT, &json!({}))]);
    let own = allow("s3:ListBucket", "*");
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "deploy", "xacct-state", own.clone()));
    let words = format!("import {DEPLOY} --name dev {WORDS}");
    scene.environment.write("policies/dev/xacct-state.json", "{}");
    scene.xacct(&words).exits_with(0).says(&["Wrote policies/dev-2/xacct-state.json"]);
    assert_eq!(scene.environment.read("policies/dev/xacct-state.json"), "{}");
    std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
    let again = scene.xacct(&words).exits_with(0);
    assert!(!again.everything().contains("Wrote"), "{again}");
    scene.xacct("bootstrap dev --adopt --yes --no-verify").exits_with(0);
    assert_eq!(scene.sandbox.world(|world| world.role_policy(ACCOUNT_B, "deploy", "xacct-state").cloned()), Some(own));
}

/// `--adopt` without a file of import: it keeps what no setting decides about, records it, and names what it drops.
#[test]
fn adopting_keeps_conditions_and_settings_and_names_who_loses_access() {
    let conditions = json!({
        "StringEquals": {"sts:ExternalId": "abc"},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
    });
    let scene = Scene::new();
    scene.sandbox.world(|world| {
        let statements = [admitting(ROOT, &conditions), admitting(VENDOR, &json!({}))];
        world.add_role(ACCOUNT_B, "xacct", document(json!(statements)));
        let role = world.role_mut(ACCOUNT_B, "xacct").expect("the role");
        (role.boundary, role.max_session_duration) = (Some(READ_ONLY.to_owned()), 4 * 3600);
        role.description = Some("Deploys".to_owned());
    });
    let words = format!("{BOOTSTRAP} --adopt --no-verify");
    let preview = words.replace("--yes", "--dry-run");
    let output = scene.xacct(&preview).exits_with(0);
    assert_output("bootstrap-adopt", &preview, &output);
    scene.xacct(&words).exits_with(0);
    assert_eq!(scene.trust_policy(), trust(&conditions));
    let file = scene.environment.read("xacct.toml");
    for line in [
        "external_id = \"abc\"",
        "require_mfa = true",
        "permissions_boundary = \"ReadOnlyAccess\"",
        "max_session_duration = \"4h\"",
        "description = \"Deploys\"",
    ] {
        assert!(file.contains(line), "{line}\n{file}");
    }
    let kept = scene.sandbox.world(|world| {
        let role = world.role(ACCOUNT_B, "xacct").expect("the role");
        (role.max_session_duration, role.description.clone())
    });
    assert_eq!(kept, (4 * 3600, Some("Deploys".to_owned())));
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn adopting_keeps_the_restriction_to_the_user_and_names_a_condition_that_it_drops() {
    let scene = Scene::new();
    let network = json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}});
    scene.sandbox.world(|world| {
        world.add_role(ACCOUNT_B, "xacct", document(json!([admitting(ALICE, &network)])));
    });
    let output = scene.bootstrap("--adopt --allow-weaker").exits_with(0);
    output.says(&[r#"{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}"#]);
    assert_eq!(scene.conditions(), json!({"ArnEquals": {"aws:PrincipalArn": ALICE}}));
    assert!(scene.environment.read("xacct.toml").contains("restrict_to_user = true"));
    // What an option decides is not kept.
    let scene = Scene::new();
    scene.sandbox.world(|world| {
        world.add_role(ACCOUNT_B, "xacct", document(json!([admitting(ALICE, &json!({}))])));
    });
    scene.bootstrap("--adopt --restrict-to-user=false --allow-weaker --no-verify").exits_with(0);
    assert_eq!(scene.trust_policy(), trust(&json!({})));
}

/// A lost file does not shorten sessions.
#[test]
fn a_lost_file_made_again_keeps_the_session_limit_and_the_boundary() {
    let scene = Scene::linked("--max-session-duration 4h --permissions-boundary PowerUserAccess --allow-session-tags");
    let recorded = scene.environment.read("xacct.toml");
    std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
    scene.bootstrap("").exits_with(0).says(&["No changes"]);
    assert_eq!(scene.environment.read("xacct.toml"), recorded);
}

#[test]
fn forget_removes_a_target_and_changes_nothing_in_aws() {
    let scene = Scene::linked("--name dev --external-id abc --policy-arn ReadOnlyAccess");
    let before = scene.environment.read("xacct.toml");
    let preview = scene.xacct("forget dev --dry-run").exits_with(0);
    assert_output("forget-dry-run", "forget dev --dry-run", &preview);
    scene.xacct("forget dev").exits_with(2).says(&["no terminal to ask for confirmation", "--yes"]);
    scene.xacct("forget").exits_with(2).says(&["xacct forget needs a target, or --all"]);
    scene.xacct("forget other --yes").exits_with(2).says(&["has no target `other`"]);
    assert_eq!(scene.environment.read("xacct.toml"), before);

    let document = scene.xacct_json("forget dev --yes", 0);
    assert_eq!(document["config"]["written"], true);
    assert!(!scene.environment.read("xacct.toml").contains("[targets.dev]"));
    assert!(scene.sandbox.requests().is_empty(), "nothing was sent");
    // The way back.
    let back =
        document["targets"]["dev"]["import"].as_str().expect("a command").trim_start_matches("xacct ").to_owned();
    assert!(preview.stdout.contains(&back), "{preview}");
    scene.xacct(&back).exits_with(0);
    assert_eq!(scene.environment.read("xacct.toml"), before);
    scene.xacct("bootstrap --check").exits_with(0);
}

/// Only the removed section says how to enter the account, and what AWS does not store.
#[test]
fn the_way_back_enters_the_account_as_before_and_names_what_it_loses() {
    let scene = Scene::new();
    let words = BOOTSTRAP.replace("--target-profile dev-admin", "--enter-role OrganizationAccountAccessRole");
    scene.xacct(&format!("{words} --name dev --no-verify")).exits_with(0);
    let before = scene.environment.read("xacct.toml");
    scene.environment.edit(
        "xacct.toml",
        "role = \"xacct\"",
        "role = \"xacct\"\nsession_name = \"ci\"\nsession_tags = { team = \"a\" }\nbucket_tags = { team = \"a\" }\n\
         accept = [{ who = \"account 333333333333\", reason = \"audit\" }]\nexclusive = true",
    );
    let lost = "dev: session_name, session_tags, region, bucket_tags, accept, exclusive";
    let forgotten = scene.xacct("forget dev --yes").exits_with(0).says(&[lost]);
    let back = forgotten.stdout.lines().find_map(|line| line.strip_prefix("  xacct import "));
    scene.xacct(&format!("import {}", back.unwrap_or_else(|| panic!("{forgotten}")))).exits_with(0);
    assert_eq!(scene.environment.read("xacct.toml"), before);
}
