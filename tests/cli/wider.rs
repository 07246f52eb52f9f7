//! Whatever is wider than `xacct.toml` declares is named. Manual changes are a difference with a remedy, never an error.

use serde_json::{Value, json};
use xacct_sandbox::World;

use crate::operators::{WORDS, source_policy, target_policy, with_operators, without};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, side_by_side, text, trust};
use crate::support::policies::{allow, document};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Returns the warnings of `--check`, which writes nothing: first those of the target, then those of the source.
#[track_caller]
fn check(scene: &Scene, exit_code: i32) -> Vec<String> {
    scene.sandbox.clear_requests();
    let document = scene.xacct_json("bootstrap --check", exit_code);
    assert_eq!(scene.writes(), [""; 0]);
    let of = |side: &Value| side["warnings"].as_array().expect("warnings").clone();
    let (target, source) = (of(&document["targets"][ACCOUNT_B]), of(&document["source"]));
    target.iter().chain(&source).map(text).collect()
}

#[track_caller]
fn assert_names(warnings: &[String], parts: &[&str]) {
    let named = |warning: &String| parts.iter().all(|part| warning.contains(part));
    assert!(warnings.iter().any(named), "no warning has {parts:?}: {warnings:#?}");
}

fn attached(scene: &Scene) -> Vec<String> {
    scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").unwrap().policies.attached.iter().cloned().collect())
}

#[test]
fn undeclared_policies_are_named_and_go_only_from_an_exclusive_link() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| {
        world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR);
        world.put_role_policy(ACCOUNT_B, "xacct", "by-hand", allow("*", "*"));
    });
    let detach = format!("aws iam detach-role-policy --role-name xacct --policy-arn {ADMINISTRATOR}");
    let delete = "aws iam delete-role-policy --role-name xacct --policy-name by-hand";
    let named = check(&scene, 0);
    assert_names(&named, &["managed policy", ADMINISTRATOR, "does not declare", &detach]);
    assert_names(&named, &["inline policy by-hand", "does not declare", delete]);
    assert_names(&named, &["policy by-hand, which allows everything,", "no permissions boundary"]);

    scene.environment.append("xacct.toml", "exclusive = true\n");
    let named = check(&scene, 4);
    assert_names(&named, &[ADMINISTRATOR, "and the link is exclusive; bootstrap detaches it"]);
    assert_names(&named, &["by-hand", "and the link is exclusive; bootstrap removes it"]);
    let says = ["-  target  detach arn:aws:iam::aws:policy/AdministratorAccess", "-  target  remove policy by-hand"];
    scene.xacct("bootstrap --dry-run").exits_with(0).says(&says);
    scene.sandbox.clear_requests();
    scene.xacct("bootstrap --yes").exits_with(0);
    let mut writes = scene.writes();
    // The two removals go out side by side.
    writes[..2].sort();
    assert_eq!(writes, ["DeleteRolePolicy", "DetachRolePolicy", "CreateBucket", "DeleteBucket"]);
    assert_eq!(check(&scene, 0), [""; 0]);
}

#[test]
fn exclusive_is_an_option_that_the_file_records() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR));
    scene.xacct("bootstrap --check --exclusive").exits_with(4);
    scene.xacct("bootstrap --yes --exclusive").exits_with(0);
    assert_eq!(attached(&scene), [""; 0]);
    assert!(scene.environment.read("xacct.toml").contains("exclusive = true\n"));
    scene.xacct("bootstrap --yes --exclusive=false").exits_with(0);
    assert!(scene.environment.read("xacct.toml").contains("exclusive = false\n"));
}

/// Other files share the grant.
#[test]
fn an_exclusive_link_leaves_the_grant_alone() {
    let scene = Scene::linked("--external-id abc --exclusive");
    let elsewhere = "arn:aws:iam::444444444444:role/other-file";
    scene.sandbox.world(|world| wide_grant_of(world, &json!([ROLE, elsewhere])));
    scene.xacct("bootstrap --yes").exits_with(0);
    assert_eq!(scene.granted(), [ROLE, elsewhere]);
}

/// The next run cannot tell any more that they were declared.
#[test]
fn options_that_name_other_policies_detach_the_declared_ones() {
    let policy = |name: &str| format!("arn:aws:iam::aws:policy/{name}");
    let scene = Scene::linked("--policy-arn PowerUserAccess --policy-arn IAMFullAccess");
    scene.sandbox.world(|world| world.attach_role_policy(ACCOUNT_B, "xacct", &policy("SecurityAudit")));
    let narrowed = "bootstrap --policy-arn ReadOnlyAccess --policy-arn IAMFullAccess";
    let document = scene.xacct_json(&format!("{narrowed} --check"), 4);
    let changes = document["targets"][ACCOUNT_B]["changes"].as_array().unwrap();
    let changes: Vec<_> = changes.iter().map(|change| text(&change["summary"])).collect();
    let detached = format!("detach {} from role xacct", policy("PowerUserAccess"));
    let attaches = format!("attach {} to role xacct", policy("ReadOnlyAccess"));
    assert_eq!(changes, [detached, attaches, "tag role xacct: xacct:policies (2 digests)".to_owned()]);
    scene.sandbox.clear_requests();
    scene.xacct(&format!("{narrowed} --yes --allow-weaker")).exits_with(0);
    assert_eq!(attached(&scene), ["IAMFullAccess", "ReadOnlyAccess", "SecurityAudit"].map(policy));
    assert_eq!(scene.iam_writes(), ["AttachRolePolicy", "DetachRolePolicy", "TagRole"], "the link keeps working");
    assert_names(&check(&scene, 0), &["SecurityAudit", "does not declare"]);
}

#[test]
fn a_policy_that_could_not_be_detached_is_detached_by_the_next_run() {
    let scene = Scene::linked("--policy-arn PowerUserAccess --no-verify");
    let narrowed = "bootstrap --yes --allow-weaker --no-verify --policy-arn ReadOnlyAccess";
    let deny = document(json!([{"Effect": "Deny", "Action": "iam:DetachRolePolicy", "Resource": "*"}]));
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_B, "admin", "deny", deny));
    scene.xacct(narrowed).exits_with(1).says(&["could not detach", "done: attached"]);
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_B, "admin").policies.inline.remove("deny"));
    scene.xacct(narrowed).exits_with(0);
    assert_eq!(attached(&scene), ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
}

/// Others may have written anything into the name of a policy.
#[test]
fn a_command_quotes_the_name_of_a_policy() {
    let scene = Scene::linked("--external-id abc");
    let name = "x; touch stolen";
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", name, allow("s3:*", "*")));
    assert_names(&check(&scene, 0), &["--policy-name 'x; touch stolen'"]);
}

#[test]
fn roles_in_the_grant_that_no_target_declares_are_named_and_stay() {
    let scene = Scene::linked("--external-id abc");
    let admin = "arn:aws:iam::222222222222:role/admin";
    let elsewhere = "arn:aws:iam::444444444444:role/other-file";
    scene.sandbox.world(|world| {
        let grant = document(json!([{
            "Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [ROLE, admin, elsewhere],
        }]));
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant);
    });
    let remove = "xacct teardown --orphan user/alice";
    let document = scene.xacct_json("bootstrap --dry-run", 0);
    let warnings: Vec<_> = document["source"]["warnings"].as_array().expect("warnings").iter().map(text).collect();
    assert_names(&warnings, &[admin, "this xacct.toml does not declare", remove]);
    assert!(!warnings.concat().contains(elsewhere), "another file's account: {warnings:?}");
    // Where it looks for orphans, it says so once, and also of other accounts.
    let document = scene.xacct_json("bootstrap --check", 4);
    assert_eq!(document["source"]["warnings"], json!([]), "{document:#}");
    assert_eq!(document["orphans"]["grants"][0]["role_arns"], json!([admin, elsewhere]), "{document:#}");
    scene.xacct("bootstrap --yes --allow-weaker --external-id other").exits_with(0);
    assert_eq!(scene.granted(), [ROLE, admin, elsewhere]);
    // A second link of this file declares the role.
    scene.bootstrap("--role-name admin").exits_with(0);
    let document = scene.xacct_json("bootstrap --check --target-account 222222222222 --role-name xacct", 4);
    assert_eq!(document["source"]["warnings"], json!([]), "{document:#}");
    assert_eq!(document["orphans"]["grants"][0]["role_arns"], json!([elsewhere]), "{document:#}");
}

#[test]
fn statements_in_the_grant_that_allow_more_are_named() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| {
        let mut grant = world.user_policy(ACCOUNT_A, "alice", "xacct").unwrap().clone();
        let more = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        grant["Statement"].as_array_mut().unwrap().push(more);
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant);
    });
    assert_names(&check(&scene, 0), &["statements that xacct did not write", "\"Action\":\"s3:*\""]);
}

#[test]
fn a_statement_added_to_the_grant_for_every_role_needs_adoption() {
    let scene = Scene::linked("--external-id abc --no-verify");
    let add = |statement: Value| {
        scene.sandbox.world(|world| {
            let mut grant = world.user_policy(ACCOUNT_A, "alice", "xacct").unwrap().clone();
            grant["Statement"].as_array_mut().unwrap().push(statement);
            world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant);
        });
    };
    for action in ["sts:AssumeRole", "*"] {
        add(json!({"Effect": "Allow", "Action": action, "Resource": "*"}));
        let warnings = check(&scene, 4);
        assert_names(&warnings, &["was edited by hand", "only bootstrap --adopt repairs this"]);
        assert!(!warnings.concat().contains("until this plan is applied"), "{warnings:?}");
        scene.xacct("bootstrap --yes --no-verify --adopt").exits_with(0);
        assert_eq!(check(&scene, 0), [""; 0]);
    }
    add(json!({"Effect": "Deny", "Action": "sts:*", "Resource": "*"}));
    assert_names(&check(&scene, 0), &["denies sts:AssumeRole on", ROLE, "the link cannot work"]);
}

/// Changes the role or the grant by hand. `bootstrap` refuses, `--check` names the remedy, and `--adopt` repairs.
type Case = (&'static str, fn(&mut World), &'static str);

#[test]
fn manual_changes_are_a_difference_that_adopt_repairs() {
    let cases: [Case; 6] = [
        ("a grant for everything", |world| wide_grant(world, &json!("*")), "that xacct did not write"),
        (
            "a grant that is no policy",
            |world| {
                world.user_mut(ACCOUNT_A, "alice").policies.inline.insert("xacct".to_owned(), json!({"Version": "x"}));
            },
            "xacct did not write",
        ),
        ("a role without tags", |world| world.role_mut(ACCOUNT_B, "xacct").unwrap().tags.clear(), "did not create it"),
        (
            "a role made anew",
            |world| {
                world.delete_role(ACCOUNT_B, "xacct");
                world.add_role(ACCOUNT_B, "xacct", trust(&json!({})));
            },
            "did not create it",
        ),
        (
            "a role of another source",
            |world| {
                let tags = &mut world.role_mut(ACCOUNT_B, "xacct").unwrap().tags;
                tags.insert("xacct:source-account".to_owned(), "333333333333".to_owned());
            },
            "from source account 333333333333",
        ),
        (
            "a role of another link",
            |world| {
                let tags = &mut world.role_mut(ACCOUNT_B, "xacct").unwrap().tags;
                tags.insert("xacct:link".to_owned(), "other".to_owned());
            },
            "belongs to another link",
        ),
    ];
    side_by_side(&cases, |(what, plant, problem)| {
        let scene = Scene::linked("--external-id abc --no-verify");
        scene.sandbox.world(plant);
        let warnings = check(&scene, 4);
        assert_names(&warnings, &[*problem, "only bootstrap --adopt repairs this"]);
        scene.xacct("bootstrap --yes --no-verify").exits_with(1).says(&["--adopt"]);
        scene.xacct("bootstrap --yes --no-verify --adopt").exits_with(0);
        assert_eq!(check(&scene, 0), [""; 0], "{what}");
    });
}

/// Writes the grant as xacct writes it.
fn wide_grant_of(world: &mut World, resource: &Value) {
    let grant = document(json!([
        {"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource},
    ]));
    world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant);
}

fn wide_grant(world: &mut World, resource: &Value) {
    let grant = document(json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource}]));
    world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant);
}

#[test]
fn a_role_under_another_path_is_a_difference_that_names_the_options() {
    let scene = Scene::linked("--external-id abc --no-verify");
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").unwrap().path = "/team/".to_owned());
    let options = "use the existing role: --role-name xacct --role-path /team/";
    assert_names(&check(&scene, 4), &["IAM cannot rename or move it", options]);
    scene.xacct("bootstrap --yes").exits_with(1).says(&[options]);
}

/// Without `--show-policies`, too.
#[test]
fn an_adopted_grant_names_what_it_drops() {
    let scene = Scene::linked("--external-id abc --no-verify");
    let dropped = "arn:aws:iam::999999999999:role/theirs";
    scene.sandbox.world(|world| wide_grant(world, &json!([ROLE, dropped])));
    let document = scene.xacct_json("bootstrap --dry-run --adopt", 0);
    let summary = text(&document["source"]["changes"][0]["summary"]);
    assert!(summary.ends_with(&format!("; removes: {dropped}")), "{summary}");
}

#[test]
fn a_replaced_trust_policy_names_who_loses_access() {
    let scene = Scene::linked("--external-id abc --no-verify");
    let mut found = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    for principal in [json!({"AWS": "999999999999"}), json!("*"), json!({"AWS": "arn:aws:iam::111111111111:user/bob"})]
    {
        let condition = json!({"StringEquals": {"sts:ExternalId": "abc"}});
        let statement =
            json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition});
        found["Statement"].as_array_mut().unwrap().push(statement);
    }
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &found));
    let document = scene.xacct_json("bootstrap --check", 4);
    let target = &document["targets"][ACCOUNT_B];
    let summary = text(&target["changes"][0]["summary"]);
    // bob is in the source account, which stays.
    assert_eq!(summary, "replace the trust policy of role xacct; removes: account 999999999999; everyone");
    let undeclared = "until this plan is applied, the trust policy admits account 999999999999, which xacct.toml does not \
                      declare";
    assert!(target["warnings"].as_array().unwrap().contains(&json!(undeclared)), "{target:#}");
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    assert_eq!(check(&scene, 0), [""; 0]);
}

#[test]
fn accepted_callers_stay_and_are_reported() {
    let scene = Scene::linked("--external-id abc --no-verify");
    let condition = json!({"StringEquals": {"sts:ExternalId": "abc"}});
    let plant = |own: &Value| {
        let mut found = trust(own);
        let audit = json!({"Sid": "Audit", "Effect": "Allow", "Principal": {"AWS": "999999999999"},
            "Action": "sts:AssumeRole", "Condition": condition});
        found["Statement"].as_array_mut().unwrap().push(audit);
        scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &found));
    };
    plant(&condition);
    let accept = "accept = [{ who = \"account 999999999999\", reason = \"audit\" }]\n";
    check(&scene, 4);
    scene.environment.append("xacct.toml", accept);
    assert_eq!(check(&scene, 0), [""; 0]);
    scene.xacct("bootstrap --check").exits_with(0).says(&["accepted: the trust policy admits account 999999999999"]);
    // A repair of the link's own statement keeps the other one.
    plant(&json!({}));
    let document = scene.xacct_json("bootstrap --check", 4);
    let summary = text(&document["targets"][ACCOUNT_B]["changes"][0]["summary"]);
    assert_eq!(summary, "replace the trust policy of role xacct");
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    assert!(scene.trust_policy().to_string().contains("999999999999"), "{}", scene.trust_policy());
    // An entry that matches nothing is a warning.
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&condition)));
    let stale =
        "`accept` names `account 999999999999`, but the trust policy does not admit such callers; remove the entry";
    assert_eq!(check(&scene, 0), [stale]);
}

fn with_boundary() -> (Scene, String) {
    let scene = Scene::new();
    let arn = scene.sandbox.world(|world| world.add_policy(ACCOUNT_B, "limits", allow("s3:*", "*")));
    scene.link(&format!("--external-id abc --no-verify --permissions-boundary {arn}"));
    (scene, arn)
}

#[test]
fn a_boundary_whose_text_changed_is_a_difference_until_it_is_restored_or_accepted() {
    let (scene, arn) = with_boundary();
    assert_eq!(check(&scene, 0), [""; 0]);
    scene.sandbox.world(|world| world.change_policy(ACCOUNT_B, &arn, allow("*", "*")));
    let restore = format!("aws iam set-default-policy-version --policy-arn {arn} --version-id v1");
    let everything = ["was changed since the last run (v1, now v2)", "allows everything", "limits nothing", &restore];
    assert_names(&check(&scene, 4), &everything);

    scene.sandbox.world(|world| world.restore_policy(ACCOUNT_B, &arn, 1));
    assert_eq!(check(&scene, 0), [""; 0]);

    scene.sandbox.world(|world| world.change_policy(ACCOUNT_B, &arn, allow("s3:Get*", "*")));
    assert_names(&check(&scene, 4), &[&arn, "was changed since the last run (v1, now v3)"]);
    let accepted = scene.xacct_json("bootstrap --yes --no-verify", 0);
    assert!(accepted.to_string().contains("was changed since the last run"), "{accepted:#}");
    assert_eq!(check(&scene, 0), [""; 0], "accepted");

    // The same text under another number is no difference.
    scene.sandbox.world(|world| world.change_policy(ACCOUNT_B, &arn, allow("s3:Get*", "*")));
    assert_eq!(check(&scene, 0), [""; 0]);
}

#[test]
fn a_boundary_that_was_created_again_is_a_difference() {
    let (scene, arn) = with_boundary();
    scene.sandbox.world(|world| world.add_policy(ACCOUNT_B, "limits", allow("*", "*")));
    let warnings = check(&scene, 4);
    assert_names(&warnings, &[&arn, "was deleted and created again since the last run (v1, now v1)"]);
    assert_names(&warnings, &[&arn, "allows everything, so it limits nothing"]);
}

#[test]
fn a_boundary_that_allows_everything_is_always_named() {
    let nothing = ["allows everything, so it limits nothing"];
    for tag in [None, Some("garbage")] {
        let (scene, arn) = with_boundary();
        scene.sandbox.world(|world| {
            world.change_policy(ACCOUNT_B, &arn, allow("*", "*"));
            let tags = &mut world.role_mut(ACCOUNT_B, "xacct").unwrap().tags;
            tags.remove("xacct:boundary");
            tags.extend(tag.map(|tag| ("xacct:boundary".to_owned(), tag.to_owned())));
        });
        let warnings = check(&scene, 4);
        assert_names(&warnings, &nothing);
        assert_names(&warnings, &["tag xacct:boundary is missing or not valid", &arn]);
        scene.xacct("bootstrap --yes --no-verify").exits_with(0);
        // Bootstrap accepts the text, and it still limits nothing.
        assert_names(&check(&scene, 0), &nothing);
    }
    let scene = Scene::new();
    let arn = scene.sandbox.world(|world| world.add_policy(ACCOUNT_B, "limits", allow("*", "*")));
    let words = format!("--external-id abc --no-verify --permissions-boundary {arn}");
    scene.bootstrap(&words).exits_with(0).says(&["limits nothing"]);
}

/// A role made by xacct 0.1 lacks only the tags that record the link.
#[test]
fn a_tag_that_only_records_is_no_change_of_check() {
    let scene = Scene::linked("--external-id abc --no-verify");
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").unwrap().tags.remove("xacct:link"));
    let checked = scene.xacct("bootstrap --check").exits_with(0);
    let checked = checked.says(&["Both accounts match xacct.toml"]);
    assert!(!checked.stderr.contains("1 change") && !checked.stdout.contains("1 change"), "{checked:?}");
}

/// Nobody in the account did it.
#[test]
fn aws_may_change_its_own_policies() {
    let scene = Scene::linked("--external-id abc --no-verify --permissions-boundary PowerUserAccess");
    scene.sandbox.world(|world| {
        let tags = &mut world.role_mut(ACCOUNT_B, "xacct").unwrap().tags;
        let version = tags.get_mut("xacct:boundary").unwrap();
        *version = version.replace("v6/", "v5/");
    });
    assert_names(&check(&scene, 0), &["AWS changed boundary", "PowerUserAccess since the last run (v5, now v6)"]);
}

#[test]
fn a_boundary_that_cannot_be_read_is_named() {
    let scene = with_operators(source_policy(), target_policy(ROLE));
    let arn = scene.sandbox.world(|world| world.add_policy(ACCOUNT_B, "limits", allow("s3:*", "*")));
    let link = format!("{WORDS} --external-id abc --no-verify --permissions-boundary {arn}");
    scene.xacct(&link).exits_with(0);
    scene.sandbox.world(|world| world.change_policy(ACCOUNT_B, &arn, allow("*", "*")));
    let deny = |action| {
        let policy = without(target_policy(ROLE), action);
        scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_B, "operator", "operator", policy));
    };
    deny("iam:GetPolicyVersion");
    assert_names(&check(&scene, 4), &["has another version since the last run (v1, now v2)", "could not compare"]);
    deny("iam:GetPolicy");
    assert_names(&check(&scene, 0), &["could not read boundary", &arn, "iam:GetPolicy", "may have changed"]);
}

/// Attaches as many AWS managed policies as exist in the sandbox, and customer managed ones.
fn many_policies(scene: &Scene, number: usize) -> String {
    let arns: Vec<_> = scene.sandbox.world(|world| {
        (0..number).map(|number| world.add_policy(ACCOUNT_B, &format!("p{number:02}"), allow("s3:*", "*"))).collect()
    });
    arns.iter().map(|arn| format!(" --policy-arn {arn}")).collect()
}

#[test]
fn more_managed_policies_than_the_account_allows_are_refused_before_the_first_write() {
    let scene = Scene::new();
    let policies = many_policies(&scene, 12);
    let problem = "role `xacct` would have 12 attached managed policies, but account 222222222222 allows 10";
    for mode in ["", "--dry-run", "--check"] {
        scene.bootstrap(&format!("--external-id abc {mode}{policies}")).exits_with(1).says(&[problem]);
    }
    assert_eq!(scene.writes(), [""; 0]);
}

#[test]
fn policies_of_others_count_towards_the_quotas() {
    let scene = Scene::linked("--external-id abc --no-verify");
    scene.sandbox.world(|world| {
        for number in 0..9 {
            let arn = world.add_policy(ACCOUNT_B, &format!("theirs{number}"), allow("s3:*", "*"));
            world.attach_role_policy(ACCOUNT_B, "xacct", &arn);
        }
        let long = json!({"Sid": "x".repeat(9000), "Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        world.put_role_policy(ACCOUNT_B, "xacct", "theirs", document(json!([long])));
    });
    let policies = many_policies(&scene, 2);
    scene.bootstrap(&policies).exits_with(1).says(&["would have 11 attached managed policies"]);
    let long = json!({"Sid": "x".repeat(2000), "Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    scene.environment.write("long.json", &document(json!([long])).to_string());
    let refused = scene.bootstrap("--policy-file long.json").exits_with(1);
    refused.says(&["the inline policies of role `xacct` would have", "allows 10240"]);
    assert_eq!(scene.writes(), [""; 0]);
}

#[test]
fn an_assumed_quota_is_a_warning_that_names_the_rejected_change() {
    let target = without(target_policy(ROLE), "iam:GetAccountSummary");
    let scene = with_operators(source_policy(), target);
    let policies = many_policies(&scene, 11);
    let id = "x".repeat(1224);
    let document = scene.xacct_json(&format!("{WORDS} --dry-run --require-mfa --external-id {id}{policies}"), 0);
    let warnings: Vec<_> = document["targets"][ACCOUNT_B]["warnings"].as_array().unwrap().iter().map(text).collect();
    let last = "attaching arn:aws:iam::222222222222:policy/p10";
    assert_names(&warnings, &["AWS rejects", last, "default quota of 10", "would need 11", "iam:GetAccountSummary"]);
    scene.xacct(&format!("{WORDS} --external-id abc --no-verify{policies}")).exits_with(1).says(&["LimitExceeded"]);
}
